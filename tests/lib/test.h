/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_LIB_TEST_H
#define TESTS_LIB_TEST_H

/* What unit tests share: cmocka, places, a scratch folder, an allocator that fails on demand. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "whet/model.h"

/* The path of `name` in the shared folder (WHET_SHARED, or the folder beside the checkout), in memory that lives
 * until the program ends; NULL when it is not there. */
const char *test_shared(const char *name);
/* The path of `name` in the source tree. */
const char *test_source(const char *name);

/* "folder/name", in memory that lives until the program ends. */
const char *test_join(const char *folder, const char *name);
/* A new empty folder that is removed when the program ends. */
const char *test_folder(void);
/* Write n bytes to folder/name. The path lives until the program ends. */
const char *test_write(const char *folder, const char *name, const void *p, size_t n);

/* Seconds of CPU time that the whole process has used. */
double test_cpu_seconds(void);
/* Seconds since some moment. */
double test_seconds(void);

/* An allocator over malloc that counts, checks what is given back, and can fail one allocation. */
typedef struct test_alloc {
  whet_allocator fns;   /* give &fns to whatever is tested */
  _Atomic long calls;   /* allocations asked for */
  _Atomic long live;    /* blocks not yet given back */
  _Atomic size_t bytes; /* bytes in them */
  long fail_at;         /* the allocation that is refused, counted from 1; 0: none */
  _Atomic long refused; /* how many were */
} test_alloc;
void test_alloc_init(test_alloc *a, long fail_at);

/* Does something with an allocator and cleans up after itself; its status is checked by test_oom. */
typedef whet_status (*test_oom_fn)(void *arg, const whet_allocator *a, whet_err *err);
/* Run fn once to count its allocations, then once for every i with allocation i refused: each run must give back all
 * memory, and answer E_MEMORY with a text; `benign` of them may succeed without (something was not kept for later).
 * `what` names it in messages. */
void test_oom(const char *what, test_oom_fn fn, void *arg, int benign);

/* Replay aid: the seed of a random test, from WHET_SEED or fixed. */
uint64_t test_seed(uint64_t otherwise);

#endif
