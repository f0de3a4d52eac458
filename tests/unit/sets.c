/* SPDX-License-Identifier: Apache-2.0 */
/* Data sets of every kind, made here, and what is wrong with broken ones; the real ones where they are. */

#include "lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/set.h"
#include "whet/media.h"

static char folder[64];
static whet_mem mem;

static char *at(const char *name) {
  static char path[4][300];
  static int k;
  k = (k + 1) % 4;
  snprintf(path[k], sizeof path[k], "%s/%s", folder, name);
  return path[k];
}
static void put(const char *name, const void *p, size_t n) {
  FILE *f = fopen(at(name), "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(p, 1, n, f), n);
  fclose(f);
}
static void text(const char *name, const char *s) { put(name, s, strlen(s)); }

static whet_set *open_set(const char *path, whet_set_opts o) {
  whet_set *s;
  whet_err err = {0};
  whet_status r = whet__set_open(path, &o, &mem, &s, &err);
  if (r) fail_msg("%s", err.text);
  return s;
}
static void refuses(const char *path, whet_set_opts o, whet_status code, const char *part) {
  whet_set *s;
  whet_err err = {0};
  assert_int_equal(whet__set_open(path, &o, &mem, &s, &err), code);
  assert_null(s);
  if (!strstr(err.text, part)) fail_msg("\"%s\" does not say \"%s\"", err.text, part);
}
/* Item i for an input of these dimensions, after the batch's. */
static const float *item(const whet_set *s, int64_t i, int32_t rank, const int64_t *dims, float *target) {
  static float out[4096];
  whet_info in = {.name = "x", .dtype = WHET_F32, .rank = rank + 1, .dims = {-1}};
  whet_feed f;
  whet_reader *r;
  whet_err err = {0};
  memcpy(in.dims + 1, dims, (size_t)rank * sizeof *dims);
  if (whet__feed_of(s, &in, &f, &err) || whet__reader_create(s, &f, &r, &err)) fail_msg("%s", err.text);
  assert_true(whet__reader_bytes(r) <= sizeof out);
  if (whet__reader_get(r, i, out, target, &err)) fail_msg("%s", err.text);
  whet__reader_close(&r);
  return out;
}

static void idx(void **state) {
  static const uint8_t image[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 0, 51, 102, 153, 204, 255, 1, 2, 3, 4, 5, 6};
  static const uint8_t label[] = {0, 0, 8, 1, 0, 0, 0, 2, 7, 3};
  mkdir(at("idx"), 0777);
  put("idx/train-images-idx3-ubyte", image, sizeof image);
  put("idx/train-labels-idx1-ubyte", label, sizeof label);
  put("idx/t10k-images-idx3-ubyte", image, sizeof image - 1);
  put("idx/t10k-labels-idx1-ubyte", label, sizeof label);
  whet_set *s = open_set(at("idx"), (whet_set_opts){.training = true});
  assert_int_equal(whet__set_count(s), 2);
  assert_int_equal(whet__set_classes(s), 8);
  assert_int_equal(whet__set_label(s, 1), 3);
  assert_string_equal(whet__set_class(s, 7), "7");
  const float *x = item(s, 0, 1, (const int64_t[]){6}, NULL);
  assert_true(x[0] == 0 && x[5] == 1 && x[1] > 0.1999f && x[1] < 0.2001f);
  x = item(s, 1, 3, (const int64_t[]){1, 2, 3}, NULL);
  assert_true(x[5] * 255 > 5.99f && x[5] * 255 < 6.01f);
  x = item(s, 0, 3, (const int64_t[]){4, 6, 3}, NULL); /* larger, and in colour */
  assert_true(x[0] == 0 && x[4 * 6 * 3 - 1] == 1 && x[3] == x[4]);
  whet__set_close(&s);
  refuses(at("idx"), (whet_set_opts){0}, WHET_E_FORMAT, "ends early");
  refuses(at("idx"), (whet_set_opts){.split = "other"}, WHET_E_NAME, "other");
  refuses(at("idx"), (whet_set_opts){.training = true, .labels = "a,b"}, WHET_E_DATA, "class 7");
  refuses(at("none"), (whet_set_opts){0}, WHET_E_NAME, "none");
}

static void quantised(void **state) {
  static const float scale = 1 / 255.f;
  static const int32_t zero = -128;
  int8_t out[6];
  whet_set *s = open_set(at("idx"), (whet_set_opts){.training = true});
  whet_info in = {.name = "x", .dtype = WHET_S8, .rank = 3, .dims = {1, 2, 3}, .quant = {1, 0, &scale, &zero}};
  whet_feed f;
  whet_reader *r;
  whet_err err = {0};
  assert_int_equal(whet__feed_of(s, &in, &f, &err), WHET_OK);
  assert_int_equal(whet__reader_create(s, &f, &r, &err), WHET_OK);
  assert_int_equal(whet__reader_get(r, 0, out, NULL, &err), WHET_OK);
  assert_true(out[0] == -128 && out[1] == 51 - 128 && out[5] == 127);
  whet__reader_close(&r);
  in.dims[2] = 4;
  assert_int_equal(whet__feed_of(s, &in, &f, &err), WHET_OK);
  in = (whet_info){.name = "x", .dtype = WHET_F32, .rank = 2, .dims = {1, 5}};
  assert_int_equal(whet__feed_of(s, &in, &f, &err), WHET_OK);
  assert_int_equal(whet__reader_create(s, &f, &r, &err), WHET_E_SHAPE);
  whet__set_close(&s);
}

static void cifar(void **state) {
  static uint8_t bytes[2 * 3073];
  bytes[0] = 9, bytes[3073] = 4;
  bytes[1] = 10, bytes[1 + 1024] = 20, bytes[1 + 2048] = 30, bytes[3073 + 3072] = 99;
  mkdir(at("cifar"), 0777);
  put("cifar/data_batch_1.bin", bytes, sizeof bytes);
  put("cifar/data_batch_2.bin", bytes, 3073);
  put("cifar/test_batch.bin", bytes, 3072);
  whet_set *s = open_set(at("cifar"), (whet_set_opts){.training = true});
  assert_int_equal(whet__set_count(s), 3);
  assert_int_equal(whet__set_label(s, 1), 4);
  assert_int_equal(whet__set_label(s, 2), 9);
  const float *x = item(s, 2, 3, (const int64_t[]){32, 32, 3}, NULL);
  assert_true(x[0] == 10 && x[1] == 20 && x[2] == 30);
  x = item(s, 1, 3, (const int64_t[]){3, 32, 32}, NULL);
  assert_true(x[3071] == 99);
  whet__set_close(&s);
  refuses(at("cifar"), (whet_set_opts){0}, WHET_E_FORMAT, "CIFAR records");
}

/* A BMP of one colour, 2 x 2. */
static size_t bmp(uint8_t *p, uint8_t r, uint8_t g, uint8_t b) {
  static const uint8_t head[54] = {'B', 'M', 70, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 24};
  memset(p, 0, 70);
  memcpy(p, head, sizeof head);
  for (int y = 0; y < 2; y++)
    for (int x = 0; x < 2; x++) p[54 + 8 * y + 3 * x] = b, p[55 + 8 * y + 3 * x] = g, p[56 + 8 * y + 3 * x] = r;
  return 70;
}
static size_t tar_entry(uint8_t *p, const char *name, const uint8_t *data, size_t n) {
  unsigned sum = 0;
  memset(p, 0, 1024);
  snprintf((char *)p, 100, "%s", name);
  snprintf((char *)p + 124, 12, "%011o", (unsigned)n);
  p[156] = '0';
  memset(p + 148, ' ', 8);
  for (int i = 0; i < 512; i++) sum += p[i];
  snprintf((char *)p + 148, 8, "%06o", sum);
  memcpy(p + 512, data, n);
  return 1024;
}

static void pictures(void **state) {
  uint8_t p[70];
  static uint8_t tar[4 * 1024 + 1024];
  size_t n = 0;
  mkdir(at("pics"), 0777);
  mkdir(at("pics/train"), 0777);
  mkdir(at("pics/test"), 0777);
  static const char *const dirs[] = {"pics/train/dog", "pics/train/cat", "pics/test/dog", "pics/test/cat"};
  for (int i = 0; i < 4; i++) {
    char name[64];
    mkdir(at(dirs[i]), 0777);
    snprintf(name, sizeof name, "%s/%d.bmp", dirs[i], i);
    put(name, p, bmp(p, (uint8_t)(50 * i), 1, 2));
    n += tar_entry(tar + n, dirs[i] + 5, p, 70);
    strcat((char *)tar + n - 1024, "/a.bmp");
    tar_entry(tar + n - 1024, (char *)memcpy((char[100]){0}, tar + n - 1024, 99), p, 70);
  }
  put("pics.tar", tar, sizeof tar);
  for (int k = 0; k < 2; k++) {
    const char *path = k ? at("pics.tar") : at("pics");
    whet_set *s = open_set(path, (whet_set_opts){.training = true});
    assert_int_equal(whet__set_count(s), 2);
    assert_int_equal(whet__set_classes(s), 2);
    assert_string_equal(whet__set_class(s, 0), "cat");
    int64_t cat = whet__set_label(s, 0) == 0 ? 0 : 1;
    const float *x = item(s, cat, 3, (const int64_t[]){2, 2, 3}, NULL);
    assert_true(x[0] == 50 && x[1] == 1 && x[2] == 2);
    whet__set_close(&s);
    s = open_set(path, (whet_set_opts){.labels = "dog,cat"});
    assert_string_equal(whet__set_class(s, 0), "dog");
    x = item(s, whet__set_label(s, 0) == 0 ? 0 : 1, 3, (const int64_t[]){2, 2, 3}, NULL);
    assert_true(x[0] == 100);
    whet__set_close(&s);
    refuses(path, (whet_set_opts){.labels = "dog,cow"}, WHET_E_DATA, "cat");
  }
  tar[1024 + 3] ^= 1;
  put("bad.tar", tar, sizeof tar);
  refuses(at("bad.tar"), (whet_set_opts){0}, WHET_E_FORMAT, "at byte 1024");
}

static void tables(void **state) {
  float target = 0;
  text("a.csv", "w,label,h\n1.5,yes,2\n3,no,4\r\n\n5,yes,6\n");
  whet_set *s = open_set(at("a.csv"), (whet_set_opts){0});
  assert_int_equal(whet__set_count(s), 3);
  assert_string_equal(whet__set_class(s, 0), "no");
  assert_int_equal(whet__set_label(s, 0), 1);
  const float *x = item(s, 1, 1, (const int64_t[]){2}, NULL);
  assert_true(x[0] == 3 && x[1] == 4);
  whet__set_close(&s);
  text("b.csv", "1;2;0.5\n3;4;-1.5\n");
  s = open_set(at("b.csv"), (whet_set_opts){0});
  assert_int_equal(whet__set_classes(s), 0);
  assert_int_equal(whet__set_targets(s), 1);
  x = item(s, 1, 1, (const int64_t[]){2}, &target);
  assert_true(x[1] == 4 && target == -1.5f);
  whet__set_close(&s);
  text("c.csv", "1,2,3\n1,2\n");
  refuses(at("c.csv"), (whet_set_opts){0}, WHET_E_FORMAT, "line 2 has 2 fields");
  refuses(at("a.csv"), (whet_set_opts){.target = "x"}, WHET_E_NAME, "\"x\"");
  mkdir(at("npy"), 0777);
  static const char head[] = "\x93NUMPY\1\0\x46\0{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }          \n";
  char file[256];
  memcpy(file, head, 80);
  memcpy(file + 80, (float[]){1, 2, 3, 4}, 16);
  put("npy/x_train.npy", file, 96);
  put("npy/y_train.npy", file, 96);
  s = open_set(at("npy"), (whet_set_opts){.training = true});
  assert_int_equal(whet__set_targets(s), 2);
  float two[2];
  x = item(s, 1, 1, (const int64_t[]){2}, two);
  assert_true(x[0] == 3 && two[1] == 4);
  whet__set_close(&s);
}

static void real(void **state) {
  const char *shared = getenv("WHET_SHARED");
  char path[400];
  if (!shared) skip();
  snprintf(path, sizeof path, "%s/data/mnist", shared);
  if (access(path, R_OK)) skip();
  whet_set *s = open_set(path, (whet_set_opts){0});
  assert_int_equal(whet__set_count(s), 10000);
  assert_int_equal(whet__set_classes(s), 10);
  assert_int_equal(whet__set_label(s, 0), 7);
  whet__set_close(&s);
}

/* A WAV file of 16-bit samples: a ramp over a second. */
static void ramp(const char *name, uint32_t rate) {
  static uint8_t p[44 + 2 * 64];
  uint32_t bytes = 2 * rate;
  memcpy(p, "RIFF....WAVEfmt \x10\0\0\0\1\0\1\0........\2\0\x10\0data", 40);
  for (int i = 0; i < 4; i++) {
    p[24 + i] = (uint8_t)(rate >> 8 * i);
    p[28 + i] = (uint8_t)(bytes >> 8 * i);
    p[40 + i] = (uint8_t)(bytes >> 8 * i);
  }
  for (uint32_t i = 0; i < rate; i++) {
    uint32_t v = 16384 * i / rate;
    p[44 + 2 * i] = (uint8_t)v, p[45 + 2 * i] = (uint8_t)(v >> 8);
  }
  put(name, p, 44 + bytes);
}

/* Two numbers a row: a sample and how many there are. */
static whet_status hear(void *user, whet_sound *s, int64_t samples, whet_err *err) {
  float *p = realloc(s->data, 2 * (size_t)s->frames * sizeof *p);
  assert_non_null(p);
  for (int64_t i = s->frames; i-- > 0;) p[2 * i] = p[i], p[2 * i + 1] = (float)samples;
  s->data = p;
  s->channels = 2;
  ++*(int *)user;
  return WHET_OK;
}

/* Sounds of several rates: all have that of the first, or the one that is asked for. */
static void sounds(void **state) {
  mkdir(at("sounds"), 0777);
  ramp("sounds/a.wav", 64);
  ramp("sounds/b.wav", 32);
  for (int asked = 0; asked < 2; asked++) {
    int n = asked ? 16 : 64;
    whet_set *s = open_set(at("sounds"), (whet_set_opts){.sound = whet_sound_decode, .sound_free = whet_sound_free, .rate = asked ? 16 : 0});
    int64_t dims[WHET_MAX_RANK];
    assert_true(whet__set_dims(s, dims) == 1 && dims[0] == n);
    for (int i = 0; i < 2; i++) {
      const float *x = item(s, i, 1, (int64_t[]){n}, NULL);
      for (int k = n / 4; k < n / 2; k++) assert_float_equal(x[k], 0.5 * k / n, 0.02);
    }
    whet__set_close(&s);
  }
  int heard = 0; /* features in place of samples */
  whet_set_opts o = {.sound = whet_sound_decode, .sound_free = whet_sound_free, .hear = hear, .hear_user = &heard};
  whet_set *s = open_set(at("sounds"), o);
  int64_t dims[WHET_MAX_RANK];
  assert_true(whet__set_dims(s, dims) == 2 && dims[0] == 64 && dims[1] == 2 && heard == 1);
  const float *x = item(s, 1, 2, dims, NULL);
  assert_float_equal(x[2 * 20], 0.5 * 20 / 64, 0.02);
  assert_true(x[2 * 20 + 1] == 64 && heard == 2);
  whet__set_close(&s);
}

static int begin(void **state) {
  snprintf(folder, sizeof folder, "%s/whet-sets-XXXXXX", "/tmp");
  whet__mem_init(&mem, NULL, NULL, 0);
  return mkdtemp(folder) == NULL;
}
static int end(void **state) {
  char cmd[100];
  snprintf(cmd, sizeof cmd, "rm -r %s", folder);
  return system(cmd) != 0 || mem.used != 0; /* nothing was left behind */
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(idx),      cmocka_unit_test(quantised), cmocka_unit_test(cifar),
                                     cmocka_unit_test(pictures), cmocka_unit_test(sounds), cmocka_unit_test(tables),    cmocka_unit_test(real)};
  return cmocka_run_group_tests(tests, begin, end);
}
