/* SPDX-License-Identifier: Apache-2.0 */
/* Finding one's way: version, help, options, suggestions, exit statuses; and the documents, whose help texts must be
 * the command's own. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "whet/types.h"

static const char *const k_verbs[] = {
#define CMD(verb, text) #verb,
#include "cli/cmds.def"
#undef CMD
};

static void version(void **state) {
  (void)state;
  char want[80];
  snprintf(want, sizeof want, "whet %s\n", whet_version());
  said s = whet("--version");
  must_pass(s);
  assert_string_equal(s.out, want);
}

static void help(void **state) {
  (void)state;
  said s = whet("--help");
  must_pass(s);
  for (size_t i = 0; i < sizeof k_verbs / sizeof *k_verbs; i++) {
    char line[80];
    s = whet("--help");
    snprintf(line, sizeof line, "\n  %s ", k_verbs[i]);
    assert_non_null(strstr(s.out, line));
    s = whet("%s --help", k_verbs[i]);
    must_pass(s);
    snprintf(line, sizeof line, "usage: whet %s ", k_verbs[i]);
    assert_true(!strncmp(s.out, line, strlen(line)));
    assert_non_null(strstr(s.out, "--json"));
    char *own = strdup(s.out);
    s = whet("help %s", k_verbs[i]);
    assert_string_equal(s.out, own);
    free(own);
  }
  s = whet("%s", "");
  s = whet(" ");
  assert_int_equal(s.status, 2);
  assert_true(!s.out[0] && strstr(s.err, "usage: whet"));
}

static void wrong_use(void **state) {
  (void)state;
  must_fail(whet("rnu x"), 2, "did you mean \"run\"?");
  must_fail(whet("frobnicate"), 2, "there is no command \"frobnicate\"");
  must_fail(whet("--frob"), 2, "a command comes first");
  must_fail(whet("run"), 2, "name a model");
  must_fail(whet("run a b"), 2, "\"b\" is one argument too many");
  must_fail(whet("bench m --threds 1"), 2, "did you mean --threads?");
  must_fail(whet("bench m --threads many"), 2, "\"many\" is no whole number");
  must_fail(whet("bench m --threads -1"), 2, "not in 0..1024");
  must_fail(whet("bench m --threads"), 2, "--threads needs a value");
  must_fail(whet("bench m --min-time soon"), 2, "is no number");
  must_fail(whet("bench m --prefer size"), 2, "none of speed|memory");
  must_fail(whet("bench m --memory-limit 3x"), 2, "is no size");
  must_fail(whet("bench m --profile=yes"), 2, "takes no value");
  must_fail(whet("bench m --cpu z80"), 2, "z80");
  must_fail(whet("run m --range 1"), 2, "expected LO..HI");
  must_fail(whet("run m --std 1,0,1"), 2, "cannot divide by 0");
  must_fail(whet("run m --mean a"), 2, "--mean");
  must_fail(whet("run m --top 0"), 2, "--top");
  must_fail(whet("verify m"), 2, "name a model and folders");
  must_fail(whet("verify m f --tolerance loose"), 2, "expected exact");
  must_fail(whet("kernels nothing"), 2, "no kernel family \"nothing\"");
}

static void kernels(void **state) {
  (void)state;
  must_pass(whet("kernels"));
  must_pass(whet("kernels copy --rows"));
  json_t *j = json_of(whet("kernels copy --cpu c --json"));
  assert_string_equal(text_at(j, "level"), "c");
  assert_string_equal(text_at(j, "families.0.family"), "copy");
  assert_false(json_is_true(at(j, "families.0.rows.0.usable")));
  assert_true(json_is_true(at(j, "families.0.rows.1.usable"))); /* portable C, the last */
  json_decref(j);
  j = json_of(whet("kernels --size --json"));
  size_t i;
  json_t *f;
  json_array_foreach(at(j, "families"), i, f) assert_true(number_at(f, "bytes") > 0);
  json_decref(j);
}

/* docs/cli/<verb>.md holds the help of its command, word for word, in its first block of code. */
static void documents(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof k_verbs / sizeof *k_verbs; i++) {
    char name[80];
    snprintf(name, sizeof name, "docs/cli/%s.md", k_verbs[i]);
    char *doc = read_file(test_source(name), NULL);
    if (!doc) fail_msg("there is no %s", name);
    said s = whet("%s --help", k_verbs[i]);
    char *block = strstr(doc, "```text\n"), *end = block ? strstr(block + 8, "```") : NULL;
    if (!end || (size_t)(end - block - 8) != strlen(s.out) || strncmp(block + 8, s.out, strlen(s.out)))
      fail_msg("%s: its first block of code is not what `whet %s --help` prints", name, k_verbs[i]);
    free(doc);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(version), cmocka_unit_test(help), cmocka_unit_test(wrong_use),
                                     cmocka_unit_test(kernels), cmocka_unit_test(documents)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
