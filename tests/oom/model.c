/* SPDX-License-Identifier: Apache-2.0 */
/* Loading, planning and running models with each allocation refused in turn: model MODEL... Every refusal must end in
 * E_MEMORY with a text and all memory given back. */

#include <stdio.h>

#include "base/file.h"
#include "lib/drive.h"
#include "lib/test.h"

static whet_file k_file;

static whet_status load(void *arg, const whet_allocator *a, whet_err *err) {
  const drive_opts *o = arg;
  drive_opts mine = *o;
  mine.alloc = a;
  return drive(k_file.p, k_file.n, &mine, err);
}

/* One model: reading alone, then all the way. */
static void sweep(const char *path) {
  whet_mem m;
  whet_err err = {0};
  char what[300];
  whet__mem_init(&m, NULL, NULL, 0);
  if (whet__file_open(path, true, &m, &k_file, &err)) fail_msg("%s", err.text);
  for (int run = 0; run < 2; run++) {
    drive_opts o = {.run = run, .deadline_ms = 60000};
    snprintf(what, sizeof what, "%s of %.200s", run ? "a run" : "reading", path);
    test_oom(what, load, &o, run ? 2 : 0); /* what only saves work later may be refused */
  }
  whet__file_close(&k_file);
}

static int k_argc;
static char **k_argv;
static void models(void **state) {
  for (int i = 1; i < k_argc; i++) sweep(k_argv[i]);
}

int main(int argc, char **argv) {
  k_argc = argc;
  k_argv = argv;
  const struct CMUnitTest tests[] = {cmocka_unit_test(models)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
