/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_BINARY_Q8_H
#define WHET_KERN_BINARY_Q8_H

/* Family binary_q8: sums, differences and products of quantised 8-bit tensors, with broadcasting. a = x - x_zero and
 * b = y - y_zero; the result is rescaled, z_zero is added, the sum is clamped to lo..hi.
 *
 *   TFL_FIX ADD, SUB   fix(fix(a << left, x) +- fix(b << left, y), z)   left 20, for 16-bit numbers 15; factors
 *                      sx / 2m, sy / 2m, 2m / (sz << left) with m the greater of sx and sy
 *   TFL_FIX MUL        fix(a * b, z)                                    factor sx * sy / sz in f32
 *   ONNX_REAL ADD, SUB rne(a * x_real +- b * y_real)                    factors sx / sz, sy / sz; every operation in
 * f32, ONNX_REAL MUL      rne((a * b) * x_real)                            factor (sx * sy) / sz; no fused
 * multiply-add
 *
 * The dimensions are those of z; strides of 0 repeat. Arguments: [0] x, [1] y, [2] z, which may be x or y where these
 * are not repeated. Exact. */

#include "kern/binary_f32.h"
#include "kern/requant.h"

typedef struct whet_binary_q8 {
  uint8_t fn;    /* WHET_BIN_ADD, WHET_BIN_SUB, WHET_BIN_MUL */
  uint8_t round; /* WHET_ROUND_TFL_FIX, WHET_ROUND_ONNX_REAL */
  uint8_t x_signed, y_signed, z_signed;
  uint8_t left;
  int32_t x_zero, y_zero, z_zero, lo, hi;
  int32_t x_mul, x_shift, y_mul, y_shift, z_mul, z_shift; /* TFL_FIX */
  float x_real, y_real;                                   /* ONNX_REAL */
  /* sure: a sum is rne(fma(y, y_part, fma(x, x_part, rest))) of the stored numbers, for all of them; a product rne(fma(a * b,
   * x_part, rest with the sign of a * b)) */
  float x_part, y_part, rest;
  int32_t sure;
  int32_t rank;
  int64_t dim[WHET_MAX_RANK];
  int64_t x_stride[WHET_MAX_RANK], y_stride[WHET_MAX_RANK], z_stride[WHET_MAX_RANK]; /* elements */
} whet_binary_q8;

/* The factors for scales; fn, round and left are set. */
void whet__binary_q8_factors(whet_binary_q8 *p, float sx, float sy, float sz);

/* Find whether results may be taken in f32: for all pairs of bytes the rule is asked where that could matter. All but the
 * dimensions is set. */
void whet__binary_q8_settle(whet_binary_q8 *p);

/* One result from a and b. */
static inline int32_t whet__binary_q8_one(const whet_binary_q8 *p, int32_t a, int32_t b) {
  int32_t v;
  if (p->round == WHET_ROUND_ONNX_REAL) {
    float x = (float)a * p->x_real, y = (float)b * p->y_real;
    v = whet__round_even(p->fn == WHET_BIN_MUL ? (float)(a * b) * p->x_real : p->fn == WHET_BIN_ADD ? x + y : x - y);
  } else if (p->fn == WHET_BIN_MUL) {
    v = whet__mul_fix(a * b, p->z_mul, p->z_shift);
  } else {
    int32_t x = whet__mul_fix((int32_t)((uint32_t)a << p->left), p->x_mul, p->x_shift);
    int32_t y = whet__mul_fix((int32_t)((uint32_t)b << p->left), p->y_mul, p->y_shift);
    uint32_t s = p->fn == WHET_BIN_ADD ? (uint32_t)x + (uint32_t)y : (uint32_t)x - (uint32_t)y;
    v = whet__mul_fix((int32_t)s, p->z_mul, p->z_shift);
  }
  return whet__add_zero(v, p->z_zero, p->lo, p->hi);
}

/* Drop dimensions of size 1 and merge neighbours that lie alike in all three. */
void whet__binary_q8_simplify(whet_binary_q8 *p);

/* Rows along the last dimension: the first elements of row r of each. */
static inline void whet__binary_q8_row(const whet_binary_q8 *p, int64_t r, int64_t at[3]) {
  at[0] = at[1] = at[2] = 0;
  for (int32_t i = p->rank - 2; i >= 0; i--) {
    int64_t k = r % p->dim[i];
    r /= p->dim[i];
    at[0] += k * p->x_stride[i], at[1] += k * p->y_stride[i], at[2] += k * p->z_stride[i];
  }
}

#endif
