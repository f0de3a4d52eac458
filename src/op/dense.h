/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_DENSE_H
#define WHET_OP_DENSE_H

/* Attributes of the operators of matrix products, and their quantised halves. */

#include "op/op.h"

typedef struct whet_dense { /* Dense(x, w, bias): y[..., n] = bias[n] + sum over k of x[..., k] * w */
  uint8_t kn;               /* w is [K, N]; else [N, K] */
  uint8_t flat;             /* y is [elements of x / K, N]; else y has x's dimensions but for the last */
} whet_dense;

typedef struct whet_matmul { /* MatMul(a, b): alpha * a' b' for every batch index */
  float alpha;               /* 1: plain */
  uint8_t trans_a, trans_b;  /* the last two dimensions are exchanged */
} whet_matmul;

/* Sizes of Dense for shapes that are numbers. */
typedef struct whet_dense_geo {
  int64_t m, n, k;
} whet_dense_geo;
static inline whet_dense_geo whet__dense_geo(const whet_dense *a, int64_t x_count, const int64_t *w) {
  whet_dense_geo g = {0, w[a->kn ? 1 : 0], w[a->kn ? 0 : 1]};
  g.m = g.k ? x_count / g.k : 0;
  return g;
}

/* Quantised meaning, x (a) of 8 or 16 bits with a scale: dense_q8.c, matmul_q8.c. */
whet_status whet__dense_q8_plan(whet_planner *p, const whet_node *n);
whet_status whet__dense_q8_ref(const whet_args *a);
whet_status whet__matmul_q8_plan(whet_planner *p, const whet_node *n);
whet_status whet__matmul_q8_ref(const whet_args *a);

#endif
