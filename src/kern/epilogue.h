/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_EPILOGUE_H
#define WHET_KERN_EPILOGUE_H

/* What a tile kernel does to its results before it stores them: a short list of micro-operations, in order.
 *
 * f32: v = bias + sum; then each op. ADD and MUL take the element of the step's `res` argument at the same place (at
 * most one of them in a list). CLAMP is max(a, min(v, b)) with NaN kept... see each function in unary_f32.h for the
 * rest. Kernels do nothing, ADD, CLAMP and ADD+CLAMP in registers; other lists run over the stored tile while it is
 * hot. */

#include "base/base.h"

enum {
  WHET_MICRO_ADD = 1, /* v + res */
  WHET_MICRO_MUL,     /* v * res */
  WHET_MICRO_CLAMP,   /* a <= v <= b */
  WHET_MICRO_UNARY    /* UNARY + function number of unary_f32.h, with its parameters a and b */
};
enum { WHET_EPI_MAX = 6 };

typedef struct whet_epi_f32 {
  uint8_t n;   /* micro-operations */
  uint8_t res; /* 0: none reads `res` */
  uint8_t op[WHET_EPI_MAX];
  float a[WHET_EPI_MAX], b[WHET_EPI_MAX];
} whet_epi_f32;

/* 8-bit results: after requantisation each byte goes through a table of 256 (the step's `table` argument) or not. */
typedef struct whet_epi_q8 {
  uint8_t table; /* not 0: the step has a table */
} whet_epi_q8;

#endif
