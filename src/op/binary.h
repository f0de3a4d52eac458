/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_BINARY_H
#define WHET_OP_BINARY_H

/* What others may know of the binary operators: passes that make them, quantised meanings. */

#include "op/op.h"

/* Attributes of every binary operator. */
typedef struct whet_binary_attr {
  int32_t mode; /* Mod: 1: sign of the dividend (C fmod), 0: sign of the divisor. BitShift: 1: right. Else 0 */
} whet_binary_attr;

/* One row of binary.def. */
typedef struct whet_binary_row {
  const whet_op *op;
  uint32_t types;                                  /* of the first input, as WHET_T sets */
  double (*f64)(double x, double y, int32_t mode); /* the function on real numbers */
  /* The function on integers and booleans; u: both are the bits of unsigned numbers. */
  int64_t (*i64)(int64_t x, int64_t y, bool u, int32_t mode);
  void (*i64s)(int64_t *x, const int64_t *y, int64_t n, bool u, int32_t mode); /* that of n pairs, into x */
  int16_t bin;                 /* WHET_BIN_ function of the kernels, -1: none */
  uint8_t kind;                /* WHET_BINARY_ */
  const char *grad_x, *grad_y; /* gradients of x and y by names: x, y, z (result), g (of z) */
} whet_binary_row;

enum {
  WHET_BINARY_SAME = 1,  /* both inputs have one type, which is the result's */
  WHET_BINARY_FIRST = 2, /* the result has the first input's type; the second may have another */
  WHET_BINARY_BOOL = 3   /* both inputs have one type; the result is BOOL */
};

/* The row of an operator, NULL when it is not binary. */
const whet_binary_row *whet__binary_row(const whet_op *op);

#endif
