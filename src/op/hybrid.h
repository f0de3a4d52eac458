/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_HYBRID_H
#define WHET_OP_HYBRID_H

/* Hybrid arithmetic of TFLite (dynamic range quantisation): float activations are quantised to int8 row by row as
 * they come, products are integers, and each sum is brought back to float. And the vector arithmetic that its float
 * and hybrid recurrent operators share. */

#include "op/move.h"

/* n floats as bytes: symmetric, value = scale * q, or asymmetric, value = scale * (q - zero). */
void whet__hybrid_quantise(const float *x, int64_t n, bool asymmetric, int8_t *q, float *scale, int32_t *zero);

/* A row of activations, as floats and, for int8 weights, quantised. */
typedef struct whet_hybrid_row {
  const float *x;
  const int8_t *q; /* NULL: weights are floats */
  int64_t n;
  float scale;
  int32_t zero;
} whet_hybrid_row;
/* Make one; q: room for n bytes, or NULL. */
whet_hybrid_row whet__hybrid_row(const float *x, int64_t n, int8_t *q, bool asymmetric);

/* to[r] += sum over k of w[r][k] row[k], for the rows of a weight matrix (float, or int8 with one scale). */
void whet__hybrid_add(float *to, const whet_tensor *w, const whet_hybrid_row *row);

/* An activation code of TFLite's schema, or 100 for the logistic function. */
enum { WHET_TFL_SIGMOID = 100 };
float whet__tfl_act(int code, float x);

/* Element k of a vector of float, or of int8 with one scale. */
float whet__hybrid_element(const whet_tensor *t, int64_t k);

#endif
