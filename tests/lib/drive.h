/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_LIB_DRIVE_H
#define TESTS_LIB_DRIVE_H

/* Drives bytes that claim to be a model through the public API as a careful program does, with limits, and holds whet
 * to its promise: a named error or a clean run. A broken promise aborts, with a line on stderr. */

#include <stdbool.h>

#include "whet/whet.h"

typedef struct drive_opts {
  whet_format format;
  bool run;                    /* make a program and a session and run it, when the model can be read */
  size_t memory;               /* limit in bytes; 0: 256 MB */
  int64_t deadline_ms;         /* of the run; 0: 200 */
  const whet_allocator *alloc; /* NULL: the C library's */
  const char *cpu;             /* level; NULL: the best */
  int threads;                 /* 0: one */
} drive_opts;

/* What became of the bytes: the status of the first step that failed, or OK after a clean run. */
whet_status drive(const void *bytes, size_t n, const drive_opts *o, whet_err *err);

#endif
