/* SPDX-License-Identifier: Apache-2.0 */
/* Running models with each call of the C library's allocator refused in turn, those for whet_values among them, which no
 * allocator of the caller's sees: values MODEL... Every refusal must end in E_MEMORY with a text and all memory given back. The
 * program is linked with --wrap for malloc and its kin. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "lib/drive.h"
#include "lib/test.h"

static bool g_on;
static long g_calls, g_fail_at, g_refused, g_live;

/* Is it this call that is refused? */
static bool refuse(void) {
  if (!g_on || ++g_calls != g_fail_at) return false;
  g_refused++;
  return true;
}
static void *count(void *p) {
  g_live += g_on && p;
  return p;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t each);
void *__real_realloc(void *p, size_t n);
int __real_posix_memalign(void **p, size_t align, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t each);
void *__wrap_realloc(void *p, size_t n);
int __wrap_posix_memalign(void **p, size_t align, size_t n);
void __wrap_free(void *p);

void *__wrap_malloc(size_t n) { return refuse() ? NULL : count(__real_malloc(n)); }
void *__wrap_calloc(size_t n, size_t each) { return refuse() ? NULL : count(__real_calloc(n, each)); }
void *__wrap_realloc(void *p, size_t n) {
  if (refuse()) return NULL;
  return p ? __real_realloc(p, n) : count(__real_realloc(p, n));
}
int __wrap_posix_memalign(void **p, size_t align, size_t n) {
  if (refuse()) return ENOMEM;
  int e = __real_posix_memalign(p, align, n);
  if (!e) count(*p);
  return e;
}
void __wrap_free(void *p) {
  g_live -= g_on && p;
  __real_free(p);
}

/* One run with call number `fail_at` refused. */
static whet_status once(const whet_file *f, long fail_at, whet_err *err) {
  const drive_opts o = {.run = true, .deadline_ms = 60000};
  *err = (whet_err){0};
  g_calls = g_refused = g_live = 0;
  g_fail_at = fail_at;
  g_on = true;
  whet_status s = drive(f->p, f->n, &o, err);
  g_on = false;
  return s;
}

static void sweep(const char *path) {
  whet_mem m;
  whet_file f;
  whet_err err = {0};
  int benign = 2; /* what only saves work later may be refused */
  whet__mem_init(&m, NULL, NULL, 0);
  if (whet__file_open(path, true, &m, &f, &err)) fail_msg("%s", err.text);
  whet_status s = once(&f, 0, &err);
  s = once(&f, 0, &err); /* what is made once for the process is there now */
  if (s) fail_msg("%s: without a refusal: %s (%s)", path, whet_status_name(s), err.text);
  if (g_live) fail_msg("%s: %ld blocks were not given back", path, g_live);
  long n = g_calls;
  for (long i = 1; i <= n; i++) {
    s = once(&f, i, &err);
    if (g_live) fail_msg("%s: call %ld of %ld refused: %ld blocks leaked", path, i, n, g_live);
    if (!g_refused || (!s && benign-- > 0)) continue;
    if (s != WHET_E_MEMORY || err.code != s || !err.text[0])
      fail_msg("%s: call %ld of %ld refused: %s, text \"%s\"", path, i, n, whet_status_name(s), err.text);
  }
  printf("# %s: each of %ld calls refused\n", path, n);
  whet__file_close(&f);
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
