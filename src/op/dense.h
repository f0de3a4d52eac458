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

typedef struct whet_gemm { /* Gemm(a, b, c): alpha * a' b' + beta * c */
  float alpha, beta;
  uint8_t trans_a, trans_b;
} whet_gemm;

/* Sizes of Dense for shapes that are numbers. */
typedef struct whet_dense_geo {
  int64_t m, n, k;
} whet_dense_geo;
static inline whet_dense_geo whet__dense_geo(const whet_dense *a, int64_t x_count, const int64_t *w) {
  whet_dense_geo g = {0, w[a->kn ? 1 : 0], w[a->kn ? 0 : 1]};
  g.m = g.k ? x_count / g.k : 0;
  return g;
}

/* One call as a list of matrix products: sizes, and elements from one row, column and batch index to the next. */
typedef struct whet_product {
  int64_t m, n, k;
  int64_t a_m, a_k, b_k, b_n, y_m, y_n; /* steps within a matrix */
  int32_t n_batch;
  int64_t batch[WHET_MAX_RANK], a_batch[WHET_MAX_RANK], b_batch[WHET_MAX_RANK], y_batch[WHET_MAX_RANK];
} whet_product;

/* Dimensions and strides of the two operands and the result. */
typedef struct whet_operand {
  int32_t rank;
  const int64_t *dim, *stride;
} whet_operand;
whet_product whet__matmul_sizes(const whet_matmul *at, whet_operand a, whet_operand b, whet_operand y);

/* Quantised meaning, x (a) of 8 or 16 bits with a scale: dense_q8.c, matmul_q8.c. */
whet_status whet__dense_q8_plan(whet_planner *p, const whet_node *n);
whet_status whet__dense_q8_ref(const whet_args *a);
whet_status whet__matmul_q8_plan(whet_planner *p, const whet_node *n);
whet_status whet__matmul_q8_ref(const whet_args *a);

#endif
