/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_UNARY_H
#define WHET_OP_UNARY_H

/* What others may know of the unary operators: passes that make them, tables of 256 bytes that are made of them. */

#include "op/op.h"

/* Attributes of every unary operator; what a and b mean says its row in unary.def. Clip: a = min, b = max. */
typedef struct whet_unary_attr {
  float a, b;
} whet_unary_attr;

/* One row of unary.def. */
typedef struct whet_unary_row {
  const whet_op *op;
  uint32_t types;                              /* of the input, as WHET_T sets */
  double (*f64)(double x, double a, double b); /* the function on real numbers */
  /* The function on integers and booleans; u: x is the bits of an unsigned number. */
  int64_t (*i64)(int64_t x, bool u, double a, double b);
  int16_t un;       /* WHET_UN_ function of the kernels, -1: none */
  bool to_bool;     /* the result is BOOL */
  const char *grad; /* gradient of x by names: x, y, g (of y), a, b */
} whet_unary_row;

/* The row of an operator, NULL when it is not unary. */
const whet_unary_row *whet__unary_row(const whet_op *op);

/* The f32 function that node attributes stand for, with its parameters; false when the kernels have none. */
bool whet__unary_f32_of(const whet_op *op, const whet_unary_attr *at, uint8_t *fn, float *a, float *b);

#endif
