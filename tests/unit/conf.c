/* SPDX-License-Identifier: Apache-2.0 */
/* conf/: settings files, their errors, refused memory. */

#include "conf/conf.h"

#include "lib/test.h"

typedef struct settings {
  bool on;
  int64_t count;
  double rate, wait;
  const char *name;
  int policy;
  size_t room;
  conf_strs labels;
  conf_reals mean;
  const conf_node *rest;
} settings;

#define AT(field) offsetof(settings, field)
static const conf_key keys[] = {{"on", CONF_BOOL, AT(on)},
                                {"count", CONF_INT, AT(count), NULL, 1, 10},
                                {"rate", CONF_REAL, AT(rate), NULL, 0, 1},
                                {"wait", CONF_SECONDS, AT(wait)},
                                {"name", CONF_STR, AT(name), .needed = true},
                                {"policy", CONF_CHOICE, AT(policy), "drop-oldest|drop-newest|block"},
                                {"room", CONF_BYTES, AT(room)},
                                {"labels", CONF_STRS, AT(labels)},
                                {"mean", CONF_REALS, AT(mean)},
                                {"rest", CONF_NODE, AT(rest)},
                                {0}};

static whet_status take(whet_mem *m, const char *text, conf_file *f, settings *s, whet_err *err) {
  *s = (settings){.count = 7};
  *err = (whet_err){0};
  WHET_TRY(conf_parse(text, strlen(text), "a.yaml", m, f, err));
  whet_status st = conf_fill(f, &f->root, "the test", keys, s, err);
  if (st) conf_close(f);
  return st;
}

static const char whole[] =
    "# a comment\non: yes\nrate: 5%\nwait: 250ms\nname: \"a \\u00e4\"\npolicy: Block\nroom: 16M\n"
    "labels: [one, 'two']\nmean: [0.5, -1e1]\nrest:\n  - {x: 1}\n  - - 2\n";

static void fills(void **state) {
  whet_mem m;
  conf_file f;
  settings s;
  whet_err err;
  whet__mem_init(&m, NULL, NULL, 0);
  assert_int_equal(take(&m, whole, &f, &s, &err), WHET_OK);
  assert_true(s.on);
  assert_int_equal(s.count, 7);
  assert_true(s.rate > 0.0499 && s.rate < 0.0501 && s.wait == 0.25);
  assert_string_equal(s.name, "a \xc3\xa4");
  assert_int_equal(s.policy, 2);
  assert_int_equal(s.room, 16 << 20);
  assert_int_equal(s.labels.n, 2);
  assert_string_equal(s.labels.v[1], "two");
  assert_true(s.mean.n == 2 && s.mean.v[1] == -10);
  assert_int_equal(s.rest->kind, CONF_LIST);
  assert_int_equal(s.rest->item[0].line, 11);
  assert_string_equal(conf_get(&s.rest->item[0], "x")->text, "1");
  assert_null(conf_get(&s.rest->item[0], "y"));
  conf_close(&f);
  assert_int_equal(m.used, 0);
}

/* What is wrong, and the text that says so. */
static void refuses(void **state) {
  static const char *const wrong[][2] = {
      {"name: x\ncuont: 3\n", "a.yaml:2: the test has no key \"cuont\"; did you mean \"count\"?"},
      {"name: x\nzzzzzz: 3\n", "a.yaml:2: the test has no key \"zzzzzz\"; there are on, count"},
      {"name: x\n\ncount: 11\n", "a.yaml:3: count: expected a whole number from 1 to 10, got \"11\""},
      {"name: x\ncount: 1.5\n", "a.yaml:2: count: expected a whole number"},
      {"name: x\nrate: nan\n", "a.yaml:2: rate: expected a number from 0 to 1, got \"nan\""},
      {"name: x\nrate: 0x1\n", "a.yaml:2: rate: expected a number"},
      {"name: x\nwait: 5 parsecs\n", "a.yaml:2: wait: expected a time (200ms, 5s, 1h), got \"5 parsecs\""},
      {"name: x\nwait: -1s\n", "a.yaml:2: wait: expected a time"},
      {"name: x\npolicy: drop\n", "a.yaml:2: policy: expected one of drop-oldest|drop-newest|block, got \"drop\""},
      {"name: x\nroom: 1.5\n", "a.yaml:2: room: expected a size"},
      {"name: x\non: 1\n", "a.yaml:2: on: expected true or false, got \"1\""},
      {"name: [x]\n", "a.yaml:1: name: expected a text, got a list"},
      {"name: x\nlabels: [{a: b}]\n", "a.yaml:2: labels: expected a text, or a list of texts, got a map"},
      {"on: true\n", "a.yaml:1: the test needs the key \"name\""},
      {"", "a.yaml:1: the test needs the key \"name\""},
      {"- x\n", "a.yaml:1: the test: expected a map of settings, got a list"},
      {"name: x\nname: y\n", "a.yaml:2: key \"name\" stands twice, first in line 1"},
      {"name: &a x\non: *a\n", "a.yaml:1: anchors (&a) are not taken here"},
      {"name: !!int 3\n", "a.yaml:1: tags (tag:yaml.org,2002:int) are not taken here"},
      {"name: x\n---\nname: y\n", "a.yaml:2: a second document begins"},
      {"name: \"x\n", "a.yaml:"},
      {"name: \"\\0\"\n", "a.yaml:1: a text holds the character NUL"},
      {"name: \xff\n", "a.yaml: byte 6: invalid leading UTF-8 octet"},
      {"? [a]\n: b\n", "a.yaml:1: a key is no text"},
      {"rest: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "a.yaml:1: nested more than 32 deep"},
  };
  whet_mem m;
  conf_file f;
  settings s;
  whet_err err;
  whet__mem_init(&m, NULL, NULL, 0);
  for (size_t i = 0; i < WHET_COUNT(wrong); i++) {
    assert_int_equal(take(&m, wrong[i][0], &f, &s, &err), WHET_E_DATA);
    if (strncmp(err.text, wrong[i][1], strlen(wrong[i][1]))) fail_msg("case %zu: \"%s\"", i, err.text);
    assert_int_equal(m.used, 0);
  }
}

static void little_memory(void **state) {
  for (size_t limit = 1;; limit += 97) {
    whet_mem m;
    conf_file f;
    settings s;
    whet_err err;
    whet__mem_init(&m, NULL, NULL, limit);
    whet_status st = take(&m, whole, &f, &s, &err);
    if (!st) {
      conf_close(&f);
      break;
    }
    assert_int_equal(st, WHET_E_LIMIT);
    assert_int_equal(m.used, 0);
    assert_true(limit < 1 << 20);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(fills), cmocka_unit_test(refuses), cmocka_unit_test(little_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
