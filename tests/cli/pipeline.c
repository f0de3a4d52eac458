/* SPDX-License-Identifier: Apache-2.0 */
/* whet pipeline: files that are wrong, sources, stages and sinks as their users see them. */

#include "command.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *g_dir;

/* A pipeline file; its path. */
static const char *file(const char *name, const char *text) { return test_write(g_dir, name, text, strlen(text)); }

/* y = x of float32 [1, 3] as id.onnx. */
static void models(void) {
  write_model(g_dir, "id.onnx", identity_model(1, 2, (const int64_t[]){1, 3}));
  write_model(g_dir, "any.onnx", identity_model(1, 2, (const int64_t[]){-1, -1}));
}

#define TAIL "stages: [{infer: m}, {classes: 2}]\nsinks: [stdout]\n"
#define HEAD "models: {m: id.onnx}\n"

static void wrong_files(void **state) {
  static const struct {
    const char *text, *says;
  } k[] = {
      {"sauce: {files: x}\n", "w.yaml:1: a pipeline has no key \"sauce\"; did you mean \"source\"?"},
      {"source: {files: x}\n", "w.yaml:1: the branch main leads nowhere"},
      {"sinks: [stdout]\n", "the branch main needs either a source or from"},
      {"source:\n  file: x\nsinks: [stdout]\n", "w.yaml:2: there is no source \"file\"; there are "},
      {"source: {files: x, folder: y}\nsinks: [stdout]\n",
       "w.yaml:1: expected one source, as \"KIND: settings\"; got several keys"},
      {"source:\n  files:\n    fils: x\nsinks: [stdout]\n",
       "w.yaml:3: the source files has no key \"fils\"; did you mean \"files\"?"},
      {"source: {files: x}\nstages: {}\nsinks: [stdout]\n", "w.yaml:2: stages: expected a list"},
      {"source: {files: x}\nstages:\n  - infer: m\nsinks: [stdout]\n", "w.yaml:3: infer: models has no \"m\""},
      {HEAD "source: {files: x}\nstages:\n  - detect: {kind: yolo}\nsinks: [stdout]\n",
       "w.yaml:4: detect: it reads a model's outputs, but no infer"},
      {HEAD "source: {files: x}\nstages:\n  - picture: {}\nsinks: [stdout]\n",
       "w.yaml:4: picture: it prepares a model's input, but no infer"},
      {HEAD "source: {files: x}\nstages:\n  - picture: {mean: [1,2,3,4,5]}\n  - infer: m\nsinks: [stdout]\n",
       "w.yaml:4: mean: expected at most 4"},
      {HEAD "source: {files: x}\nstages:\n  - infer: {model: m, input: q}\nsinks: [stdout]\n",
       "w.yaml:4: infer: the model m has no input \"q\"; there are x"},
      {HEAD "source: {files: x}\nstages:\n  - infer: {model: m, set: {x: 1}}\nsinks: [stdout]\n",
       "w.yaml:4: infer: the model m has 0 inputs that nothing fills"},
      {HEAD "source: {files: x}\nqueue: {size: 0}\n" TAIL, "w.yaml:3: size: expected a whole number from 1"},
      {HEAD "source: {files: x}\nqueue: {full: explode}\n" TAIL,
       "w.yaml:3: full: expected one of drop-oldest|drop-newest|block, got \"explode\""},
      {"source: {stdin: {format: raw}}\nsinks: [stdout]\n", "w.yaml:1: stdin: format raw needs width and height"},
      {"source: {stdin: {format: jsonl}}\nsinks: [stdout]\n", "w.yaml:1: stdin: format jsonl needs fields"},
      {"source: {stdin: csv}\nstages: [{threshold: {on: 1, off: 2}}]\nsinks: [stdout]\n",
       "w.yaml:2: threshold: off: expected at most on"},
      {"source: {stdin: csv}\nstages:\n  - values: [heat]\n  - threshold: {of: heta, on: 1}\nsinks: [stdout]\n",
       "w.yaml:4: threshold: of: expected score, count or a value; nothing before it gives the value \"heta\""},
      {"source: {stdin: csv}\nstages:\n  - change: {of: heat, step: 1}\n  - values: [heat]\nsinks: [stdout]\n",
       "w.yaml:3: change: of: expected score, count or a value"},
      {"branches:\n  a: {source: {sensor: {files: {load: /proc/loadavg}}}, sinks: [stdout]}\n  b:\n    from: a\n"
       "    stages: [{threshold: {of: load, on: 1}}, {threshold: {of: lode, on: 1}}]\n    sinks: [stdout]\n",
       "w.yaml:5: threshold: of: expected score, count or a value; nothing before it gives the value \"lode\""},
      {HEAD
       "source: {files: x}\nstages:\n  - infer: m\n  - classes: {labels: names.txt}\n  - threshold: {label: c, on: "
       "1}\nsinks: [stdout]\n",
       "w.yaml:6: threshold: label: no file of labels has \"c\""},
      {HEAD "source: {files: x}\nstages:\n  - infer: m\n  - classes\nsinks: [stdout]\nprivacy:\n  - blur: a\n",
       "w.yaml:8: blur: label: what is found has no names; give a file of labels with \"a\""},
      {"energy: {idle: 1}\nsource: {stdin: csv}\nsinks: [stdout]\n", "w.yaml:1: energy needs the key \"busy\""},
      {"energy: {busy: 3, idle: low}\nsource: {stdin: csv}\nsinks: [stdout]\n", "w.yaml:1: idle: expected a number"},
      {"source: {stdin: csv}\nsinks: [{stdout: {a: b}}]\n", "w.yaml:2: the sink stdout has no settings"},
      {"branches:\n  a: {from: b, sinks: [stdout]}\n  b: {from: a}\n", "from goes in a circle"},
      {"branches:\n  a: {from: c, sinks: [stdout]}\n", "w.yaml:2: from: there is no branch \"c\""},
      {"branches:\n  a: {source: {stdin: csv}, from: a, sinks: [stdout]}\n",
       "w.yaml:2: the branch a needs either a source or from"},
      {"models: {m: none.onnx}\nsource: {stdin: csv}\n" TAIL, "w.yaml:1: the model m: "},
      {"source: {files: '${WHET_NO_SUCH}'}\nsinks: [stdout]\n",
       "w.yaml:1: the environment has no WHET_NO_SUCH, and \"${WHET_NO_SUCH}\" says nothing else"},
      {"source: {files: x}\nsinks:\n  - jsonl: '${WHET_NO_SUCH'\n", "w.yaml:3: \"${WHET_NO_SUCH\": expected ${NAME}"},
      {"source: {files: '${WHET_NO_SUCH:-a$$b}', repeat: x}\nsinks: [stdout]\n", "w.yaml:1: expected one source"},
      {"source: {folder: {path: x, only_new: true}}\nsinks: [stdout]\n", "w.yaml:1: folder: only_new without watch"},
  };
  (void)state;
  file("names.txt", "a\nb\n");
  for (size_t i = 0; i < sizeof k / sizeof *k; i++)
    must_fail(whet("pipeline %s --check", file("w.yaml", k[i].text)), 1, k[i].says);
  must_fail(whet("pipeline %s", test_join(g_dir, "absent.yaml")), 1, "absent.yaml");
  said s = whet("pipeline %s --check", file("good.yaml", HEAD "source: {stdin: csv}\n" TAIL));
  must_pass(s);
  assert_non_null(strstr(s.out, "good"));
}

/* Line i of a text as JSON. */
static json_t *line(const char *text, int i) {
  for (; i && text; i--) text = (text = strchr(text, '\n')) ? text + 1 : NULL;
  if (!text || !*text) fail_msg("there is no such line");
  json_t *j = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL);
  if (!j) fail_msg("no JSON: %s", text);
  return j;
}

static size_t lines(const char *text) {
  size_t n = 0;
  for (; *text; text++) n += *text == '\n';
  return n;
}

static void rows_of_csv(void **state) {
  static const char in[] =
      "t,b,junk,a,c\n1000000000,1,x,5,2\n2000-01-01T00:00:00.5+01:00,9,y,1,2\n3,1,y,zz,2\n4,1,y,1,7\n5,1\n";
  (void)state;
  const char *p = file("csv.yaml", HEAD "source: {stdin: {format: csv, fields: [a, b, c], time: t}}\n" TAIL);
  said s = whet_with_input(in, sizeof in - 1, "pipeline %s", p);
  assert_int_equal(s.status, 1); /* two rows are bad, the others go through */
  assert_int_equal(lines(s.out), 3);
  assert_non_null(strstr(s.err, "column 4: \"zz\" is no number"));
  json_t *j = line(s.out, 0);
  assert_string_equal(text_at(j, "time"), "2001-09-09T01:46:40.000000Z");
  assert_true(number_at(j, "classes.0.class") == 0 && number_at(j, "classes.0.score") == 5);
  assert_true(number_at(j, "classes.1.class") == 2 && number_at(j, "classes.1.score") == 2);
  json_decref(j);
  j = line(s.out, 1);
  assert_string_equal(text_at(j, "time"), "1999-12-31T23:00:00.500000Z");
  assert_true(number_at(j, "classes.0.class") == 1 && number_at(j, "classes.0.score") == 9);
  json_decref(j);
}

static void objects_of_jsonl(void **state) {
  static const char in[] =
      "{\"a\": 1, \"b\": 2.5, \"c\": -3}\n\n{\"c\": 9, \"a\": "
      "1}\n[1]\n{\"b\":0,\"extra\":{\"a\":[1]},\"a\":7,\"c\":1}";
  (void)state;
  const char *p = file("json.yaml", HEAD "source: {stdin: {format: jsonl, fields: [a, b, c]}}\n" TAIL);
  said s = whet_with_input(in, sizeof in - 1, "pipeline %s", p);
  assert_int_equal(s.status, 1);
  assert_int_equal(lines(s.out), 2);
  assert_non_null(strstr(s.err, "has no member \"b\""));
  json_t *j = line(s.out, 1);
  assert_true(number_at(j, "classes.0.class") == 0 && number_at(j, "classes.0.score") == 7 &&
              number_at(j, "seq") == 4);
  json_decref(j);
}

/* Lines that are too long, too deep or no numbers; those between them go through. Nothing at all is no failure. */
static void bad_lines(void **state) {
  char in[9000];
  size_t n = (size_t)sprintf(in, "{\"a\":1}\n{\"a\":");
  (void)state;
  memset(in + n, '[', 100), n += 100;
  n += (size_t)sprintf(in + n, "\n{\"a\":2}\n{\"a\":\"");
  memset(in + n, 'x', 5000), n += 5000;
  n += (size_t)sprintf(in + n, "\"}\n{\"a\":\"3\"}\n{\"a\":1e999}\n{\"a\":3}\n");
  const char *p =
      file("long.yaml",
           "source: {stdin: {format: jsonl, fields: [a], longest: 1K}}\nstages: [{values: [a]}]\nsinks: [stdout]\n");
  said s = whet_with_input(in, n, "pipeline %s --stats %s", p, test_join(g_dir, "stats.json"));
  assert_int_equal(s.status, 1);
  assert_int_equal(lines(s.out), 3);
  char *text = read_file(test_join(g_dir, "stats.json"), NULL);
  assert_non_null(strstr(text, "\"failed\":4"));
  free(text);
  must_pass(whet_with_input("", 0, "pipeline %s", p));
}

/* Rows of numbers for a threshold with hysteresis. */
static void hysteresis(void **state) {
  static const char in[] = "1,0,0\n5,0,0\n3,0,0\n1,0,0\n3,0,0\n6,0,0\n";
  (void)state;
  const char *p = file("h.yaml", HEAD
                       "source: {stdin: csv}\nstages: [{infer: m}, {classes: 1}, {threshold: {on: 5, off: 2, pass: "
                       "turns}}]\nsinks: [stdout]\n");
  said s = whet_with_input(in, sizeof in - 1, "pipeline %s", p);
  must_pass(s);
  assert_int_equal(lines(s.out), 3);
  static const char *const event[] = {"on", "off", "on"};
  static const int seq[] = {2, 4, 6};
  for (int i = 0; i < 3; i++) {
    json_t *j = line(s.out, i);
    assert_string_equal(text_at(j, "event"), event[i]);
    assert_true(number_at(j, "seq") == seq[i]);
    json_decref(j);
  }
}

/* Two branches take the frames of a third; a sink with a name serves both. */
static void branches_join(void **state) {
  static const char in[] = "1,2,3\n3,2,1\n";
  (void)state;
  const char *log = test_join(g_dir, "log.jsonl");
  const char *p = file("b.yaml",
                       "models: {m: id.onnx, n: any.onnx}\nsinks: {log: {jsonl: log.jsonl}}\nbranches:\n"
                       "  rows: {source: {stdin: csv}}\n"
                       "  best: {from: rows, stages: [{infer: m}, {classes: 1}], sinks: [log]}\n"
                       "  all: {from: rows, queue: {size: 1, full: block}, stages: [{infer: n}, {classes: 3}], "
                       "sinks: [log, stdout]}\n");
  said s = whet_with_input(in, sizeof in - 1, "pipeline %s --stats %s", p, test_join(g_dir, "stats.json"));
  must_pass(s);
  assert_int_equal(lines(s.out), 2);
  char *text = read_file(log, NULL);
  assert_int_equal(lines(text), 4);
  assert_non_null(strstr(text, "\"branch\":\"best\",\"source\":\"rows\""));
  free(text);
  text = read_file(test_join(g_dir, "stats.json"), NULL);
  json_t *j = json_loads(text, 0, NULL);
  assert_true(number_at(j, "branches.1.events") == 2 && number_at(j, "branches.2.events") == 2);
  assert_true(number_at(j, "branches.0.queue.in") == 2 && number_at(j, "sinks.0.in") == 4);
  assert_string_equal(text_at(j, "state"), "ended");
  json_decref(j);
  free(text);
}

/* Frames of a fixed size; the last one is cut off. */
static void raw_frames(void **state) {
  uint8_t in[2 * 12 + 5];
  (void)state;
  for (size_t i = 0; i < sizeof in; i++) in[i] = (uint8_t)i;
  write_model(g_dir, "pic.onnx", identity_model(1, 4, (const int64_t[]){1, 3, 2, 2}));
  const char *p = file("raw.yaml",
                       "models: {m: pic.onnx}\nsource: {stdin: {format: raw, width: 2, height: 2}}\n"
                       "stages: [picture, {infer: m}, {classes: 1}]\nsinks: [stdout]\n");
  said s = whet_with_input(in, sizeof in, "pipeline %s", p);
  assert_int_equal(s.status, 1);
  assert_non_null(strstr(s.err, "a raw frame of 2 x 2 has 12 bytes, these are 5"));
  assert_int_equal(lines(s.out), 2);
  json_t *j = line(s.out, 1);
  assert_true(number_at(j, "size.0") == 2 && number_at(j, "classes.0.score") == 23 &&
              number_at(j, "classes.0.class") == 11);
  json_decref(j);
}

/* Sinks that cannot begin: nothing runs, and the line says which. */
static void no_start(void **state) {
  (void)state;
  must_fail(
      whet_with_input("1\n", 2, "pipeline %s",
                      file("n.yaml", "source: {stdin: csv}\nsinks:\n  - stdout\n  - jsonl: no/such/folder.jsonl\n")),
      1, "n.yaml:4: jsonl: ");
  must_fail(whet("pipeline %s", file("n.yaml", "source: {folder: {path: nowhere, watch: true}}\nsinks: [stdout]\n")),
            1, "n.yaml:1: folder: ");
}

/* Files that are none, and a folder in the order of its names. */
static void folders(void **state) {
  static const uint8_t pgm[] = "P5 2 2 255\n\1\2\3\4";
  (void)state;
  char dir[600], cmd[700];
  snprintf(dir, sizeof dir, "%s/pics", g_dir);
  snprintf(cmd, sizeof cmd, "mkdir -p %s", dir);
  assert_int_equal(system(cmd), 0);
  test_write(dir, "b.pgm", pgm, sizeof pgm - 1);
  test_write(dir, "a.pgm", pgm, sizeof pgm - 1);
  test_write(dir, "c.pgm", "nonsense", 8);
  test_write(dir, "d.txt", "no", 2);
  write_model(g_dir, "grey.onnx", identity_model(1, 4, (const int64_t[]){1, 1, 2, 2}));
  const char *p = file("f.yaml",
                       "models: {m: grey.onnx}\nsource: {folder: {path: pics, match: '*.pgm'}}\n"
                       "stages: [picture, {infer: m}, {classes: 1}]\nsinks: [stdout]\n");
  said s = whet("pipeline %s", p);
  assert_int_equal(s.status, 1);
  assert_int_equal(lines(s.out), 2);
  assert_non_null(strstr(s.err, "c.pgm"));
  assert_null(strstr(s.err, "d.txt"));
  json_t *j = line(s.out, 0);
  assert_string_equal(text_at(j, "item"), "a.pgm");
  json_decref(j);
}

/* npy files of whatever type the model has. */
static void arrays(void **state) {
  const float x[3] = {1, 4, 2};
  (void)state;
  write_npy(g_dir, "x.npy", "<f4", "(3,)", x, sizeof x);
  const char *p = file("npy.yaml", HEAD "source: {files: x.npy}\n" TAIL);
  said s = whet("pipeline %s", p);
  must_pass(s);
  json_t *j = line(s.out, 0);
  assert_true(number_at(j, "classes.0.class") == 1 && number_at(j, "classes.0.score") == 4);
  json_decref(j);
  write_npy(g_dir, "x.npy", "<f4", "(2,)", x, 8);
  s = whet("pipeline %s", p);
  must_fail(s, 1, "the input \"x\" of m takes 3 numbers, the frame has 2");
}

/* Two areas of class 1 and one of class 2 in a map of 4 x 6, as scores and as classes. */
static void segmented(void **state) {
  static const int k_class[24] = {0, 1, 0, 0, 2, 2, 0, 1, 1, 0, 2, 2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0};
  float x[72];
  (void)state;
  for (int layout = 0; layout < 2; layout++) {
    for (int c = 0; c < 3; c++)
      for (int i = 0; i < 24; i++) x[layout ? i * 3 + c : c * 24 + i] = k_class[i] == c ? 2.0f : 1.0f;
    write_npy(g_dir, "map.npy", "<f4", layout ? "(4, 6, 3)" : "(3, 4, 6)", x, sizeof x);
    write_model(g_dir, "map.onnx",
                identity_model(1, 4, layout ? (const int64_t[]){1, 4, 6, 3} : (const int64_t[]){1, 3, 4, 6}));
    const char *p = file("seg.yaml",
                         "models: {m: map.onnx}\nsource: {files: map.npy}\nstages:\n  - infer: m\n  - segments: "
                         "{areas: true, least: 4%}\nsinks: [stdout]\n");
    said s = whet("pipeline %s", p);
    must_pass(s);
    json_t *j = line(s.out, 0);
    assert_true(number_at(j, "classes.0.class") == 1 && number_at(j, "classes.1.class") == 2);
    assert_true(fabs(number_at(j, "classes.0.score") - 4.0 / 24) < 1e-6 &&
                fabs(number_at(j, "classes.1.score") - 4.0 / 24) < 1e-6);
    assert_int_equal(json_array_size(at(j, "objects")), 3);
    static const double k_box[3][4] = {{1, 0, 3, 2}, {4, 0, 6, 2}, {0, 3, 1, 4}};
    for (int o = 0; o < 3; o++)
      for (int k = 0; k < 4; k++) {
        char where[40];
        snprintf(where, sizeof where, "objects.%d.box.%d", o, k);
        assert_true(number_at(j, where) == k_box[o][k]);
      }
    json_decref(j);
  }
}

static void points(void **state) {
  float maps[2 * 5 * 4] = {0}, numbers[6] = {1, 2, 0.5f, 3, 4, 1};
  (void)state;
  maps[2 * 4 + 1] = 0.9f, maps[2 * 4 + 2] = 0.3f, maps[2 * 4] = 0.1f, maps[20 + 4 * 4 + 3] = 0.5f;
  write_npy(g_dir, "maps.npy", "<f4", "(2, 5, 4)", maps, sizeof maps);
  write_model(g_dir, "maps.onnx", identity_model(1, 4, (const int64_t[]){1, 2, 5, 4}));
  const char *p = file("key.yaml",
                       "models: {m: maps.onnx}\nsource: {files: maps.npy}\nstages: [{infer: m}, {keypoints: "
                       "heatmaps}]\nsinks: [stdout]\n");
  said s = whet("pipeline %s", p);
  must_pass(s);
  json_t *j = line(s.out, 0);
  assert_true(number_at(j, "objects.0.points.0.0") == 1.75 && number_at(j, "objects.0.points.0.1") == 2.5);
  assert_true(number_at(j, "objects.0.points.1.0") == 3.5 && number_at(j, "objects.0.points.1.1") == 4.5);
  assert_true(fabs(number_at(j, "objects.0.score") - 0.7) < 1e-6);
  json_decref(j);
  write_npy(g_dir, "six.npy", "<f4", "(6,)", numbers, sizeof numbers);
  write_model(g_dir, "six.onnx", identity_model(1, 2, (const int64_t[]){1, 6}));
  p = file("key.yaml",
           "models: {m: six.onnx}\nsource: {files: six.npy}\nstages: [{infer: m}, {keypoints: {kind: numbers, "
           "points: 2}}]\nsinks: [stdout]\n");
  s = whet("pipeline %s", p);
  must_pass(s);
  j = line(s.out, 0);
  assert_true(number_at(j, "objects.0.box.2") == 3 && number_at(j, "objects.0.points.1.1") == 4);
  json_decref(j);
}

/* Pictures as files, the oldest of which go; the event names them. */
static void pictures_out(void **state) {
  uint8_t raw[5 * 12];
  char dir[600];
  (void)state;
  for (size_t i = 0; i < sizeof raw; i++) raw[i] = (uint8_t)(3 * i);
  snprintf(dir, sizeof dir, "%s/out", g_dir);
  const char *p = file("img.yaml",
                       "source: {stdin: {format: raw, width: 2, height: 2, pixel: bgr}}\n"
                       "sinks: [{image: {folder: out, format: pnm, most: 3}}, stdout]\n");
  said s = whet_with_input(raw, sizeof raw, "pipeline %s", p);
  must_pass(s);
  assert_int_equal(entries(dir), 3);
  json_t *j = line(s.out, 4);
  size_t n;
  char *ppm = read_file(join(dir, text_at(j, "file")), &n);
  assert_true(n == 11 + 12 && !memcmp(ppm, "P6\n2 2\n255\n", 11));
  for (int i = 0; i < 12; i++) assert_int_equal((uint8_t)ppm[11 + i], raw[48 + i / 3 * 3 + 2 - i % 3]);
  free(ppm);
  json_decref(j);
}

/* Files that a system shows numbers in; one of them is gone for a while, another holds a word. */
static void sensors(void **state) {
  (void)state;
  test_write(g_dir, "temp1_input", "42500\n", 6);
  test_write(g_dir, "fan", "7 rpm\n", 6);
  const char *p = file("s.yaml",
                       "source: {sensor: {files: {temp: {file: 'temp?_input', scale: 0.001, offset: -2}, fan: fan}, "
                       "every: 10ms, count: 3}}\n"
                       "sinks: [stdout, {sqlite: {path: s.db, table: t, most: 2}}]\n");
  said s = whet("pipeline %s", p);
  must_pass(s);
  assert_int_equal(lines(s.out), 3);
  json_t *j = line(s.out, 2);
  assert_true(number_at(j, "values.temp") == 40.5 && number_at(j, "values.fan") == 7);
  json_decref(j);
  char *db = read_file(test_join(g_dir, "s.db"), NULL);
  if (!db) fail_msg("there is no database");
  free(db);
  test_write(g_dir, "fan", "stands\n", 7);
  s = whet("pipeline %s", p);
  assert_int_equal(s.status, 1); /* told once, then counted */
  assert_int_equal(lines(s.err), 2);
  assert_true(strstr(s.err, "fan: ") && strstr(s.err, "sensor: 2 more failures"));
}

/* One second of yes, no, noise and silence through the front end and the net of micro_speech. */
static void keywords(void **state) {
  static const char *const k_best[] = {"no", "silence", "silence", "yes"};
  const char *models = test_shared("models"), *sounds = test_shared("data/audio");
  char text[2000];
  (void)state;
  if (!models || !sounds) skip();
  test_write(g_dir, "words.txt", "silence\nunknown\nyes\nno\n", 23);
  snprintf(text, sizeof text,
           "models: {front: %s/audio_preprocessor_int8.tflite, words: %s/micro_speech_int8.tflite}\nsource: {files: "
           "'%s/*_1000ms.wav'}\nstages:\n"
           "  - window: {length: 30ms, hop: 20ms}\n  - infer: {model: front, scale: 32768}\n  - output: {raw: true, "
           "rate: 50}\n"
           "  - window: {length: 49, hop: 1}\n  - infer: {model: words, raw: true}\n  - classes: {top: 1, labels: "
           "words.txt}\nsinks: [stdout]\n",
           models, models, sounds);
  said s = whet("pipeline %s", file("kw.yaml", text));
  must_pass(s);
  assert_int_equal(lines(s.out), 4);
  for (int i = 0; i < 4; i++) {
    json_t *j = line(s.out, i);
    assert_string_equal(text_at(j, "classes.0.label"), k_best[i]);
    json_decref(j);
  }
  /* as words: only those that are one, once each */
  char *at = strstr(text, "classes: {");
  sprintf(at, "keyword: {labels: words.txt, ignore: [silence, unknown], least: 1}\nsinks: [stdout]\n");
  s = whet("pipeline %s", file("kw.yaml", text));
  must_pass(s);
  assert_int_equal(lines(s.out), 2);
  json_t *j = line(s.out, 1);
  assert_string_equal(text_at(j, "event"), "keyword");
  assert_string_equal(text_at(j, "subject"), "yes");
  json_decref(j);
}

/* The faces of real pictures: 19, 4 and 3; with boxes drawn, as JPEG. */
static void faces(void **state) {
  static const size_t k_found[] = {19, 4, 3};
  const char *model = test_shared("models/ultraface_rfb320.onnx"), *pictures = test_shared("data/images");
  char text[2000];
  (void)state;
  if (!model || !pictures) skip();
  snprintf(text, sizeof text,
           "models: {faces: %s}\nsource: {files: '%s/faces_*.jpg'}\nstages:\n  - picture: {mean: 127, std: 128}\n  - "
           "infer: faces\n"
           "  - detect: {kind: scores-boxes, score: 0.7, overlap: 0.3}\nsinks: [{image: {folder: faces, boxes: "
           "true}}, stdout]\n",
           model, pictures);
  said s = whet("pipeline %s", file("faces.yaml", text));
  must_pass(s);
  for (int i = 0; i < 3; i++) {
    json_t *j = line(s.out, i);
    assert_int_equal(json_array_size(at(j, "objects")), k_found[i]);
    json_decref(j);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrong_files), cmocka_unit_test(rows_of_csv), cmocka_unit_test(objects_of_jsonl),
      cmocka_unit_test(hysteresis),  cmocka_unit_test(bad_lines),   cmocka_unit_test(branches_join),
      cmocka_unit_test(raw_frames),  cmocka_unit_test(folders),     cmocka_unit_test(no_start),
      cmocka_unit_test(arrays),      cmocka_unit_test(faces),       cmocka_unit_test(sensors),
      cmocka_unit_test(segmented),   cmocka_unit_test(points),      cmocka_unit_test(pictures_out),
      cmocka_unit_test(keywords)};
  g_dir = test_folder();
  models();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
