/* SPDX-License-Identifier: Apache-2.0 */
/* Family binary_q8: factors, their form in f32, and dimensions. */

#include "kern/binary_q8.h"

#include <math.h>
#include <stdlib.h>

void whet__binary_q8_factors(whet_binary_q8 *p, float sx, float sy, float sz) {
  if (p->round == WHET_ROUND_ONNX_REAL) {
    float product = sx * sy;
    p->x_real = p->fn == WHET_BIN_MUL ? product / sz : sx / sz;
    p->y_real = sy / sz;
  } else if (p->fn == WHET_BIN_MUL) {
    float factor = sx * sy / sz;
    whet__quantize_multiplier((double)factor, &p->z_mul, &p->z_shift);
  } else {
    double twice = (double)(2 * (sx > sy ? sx : sy));
    whet__quantize_multiplier((double)sx / twice, &p->x_mul, &p->x_shift);
    whet__quantize_multiplier((double)sy / twice, &p->y_mul, &p->y_shift);
    whet__quantize_multiplier(twice / (double)((float)(1 << p->left) * sz), &p->z_mul, &p->z_shift);
  }
}

static const double k_move[] = {0, 1, -1}; /* the constant of the f32 form, by so many margins: ties go to one side */

/* What the f32 form of a sum makes of a pair. */
static int32_t quick_sum(const whet_binary_q8 *p, int32_t x, int32_t y) {
  const float part = fmaf((float)x, p->x_part, p->rest);
  return whet__add_zero(whet__round_even(fmaf((float)y, p->y_part, part)), p->z_zero, p->lo, p->hi);
}

/* Pairs whose sum is within `margin` of a tie, and what the rule gives. Of all others the f32 form gives the same, were it moved by
 * less. */
enum { NEAR_MOST = 1024 };
typedef struct near_ties {
  int32_t n;
  int16_t x[NEAR_MOST], y[NEAR_MOST], want[NEAR_MOST];
} near_ties;

/* Every pair near a tie is found, or, t being NULL, compared at once; false where there are too many, or one is not as it should be. */
static bool near_ties_of(const whet_binary_q8 *p, double margin, near_ties *t) {
  const double whole = 0x1.8p52; /* a sum with it is rounded to whole numbers */
  const int32_t x0 = p->x_signed ? -128 : 0, y0 = p->y_signed ? -128 : 0;
  if (t) t->n = 0;
  for (int32_t x = x0; x < x0 + 256; x++) {
    const float part = fmaf((float)x, p->x_part, p->rest);
    for (int32_t y = y0; y < y0 + 256; y++) {
      double sum = (double)y * (double)p->y_part + (double)part, off = sum - ((sum + whole) - whole);
      if (off < 0.5 - margin && off > margin - 0.5) continue;
      const int32_t want = whet__binary_q8_one(p, x - p->x_zero, y - p->y_zero);
      if (!t && quick_sum(p, x, y) != want) return false;
      if (!t) continue;
      if (t->n == NEAR_MOST) return false;
      t->x[t->n] = (int16_t)x, t->y[t->n] = (int16_t)y, t->want[t->n++] = (int16_t)want;
    }
  }
  return true;
}

static bool agrees(const whet_binary_q8 *p, const near_ties *t) {
  for (int32_t i = 0; i < t->n; i++)
    if (quick_sum(p, t->x[i], t->y[i]) != t->want[i]) return false;
  return true;
}

/* Factors next to x_part and y_part, and constants not far from `rest`, with which all of few ties come out as they should: a pair
 * or two of 65536 are seldom on the wrong side of each. */
static bool nudged(whet_binary_q8 *p, const near_ties *t, double rest, double margin) {
  static const int8_t next[][2] = {{0, 0}, {1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {-1, -1}, {1, -1}, {-1, 1}};
  const float x = p->x_part, y = p->y_part;
  for (size_t k = 0; k < WHET_COUNT(next); k++) {
    p->x_part = next[k][0] ? nextafterf(x, next[k][0] * INFINITY) : x;
    p->y_part = next[k][1] ? nextafterf(y, next[k][1] * INFINITY) : y;
    for (int i = -8; i <= 8; i++) {
      p->rest = (float)(rest + i * margin / 64);
      if (agrees(p, t)) return true;
    }
  }
  p->x_part = x, p->y_part = y;
  return false;
}

/* The same for products, which are whole numbers: those on both sides of every tie. */
static bool product_agrees(const whet_binary_q8 *p, double z, double margin) {
  const int64_t most = 255 * 255, reach = 2 + (int64_t)(margin / z);
  if (reach > 8) return false;
  for (int32_t v = p->lo - p->z_zero - 1; v <= p->hi - p->z_zero; v++) {
    const double tie = floor(fmax(fmin((v + 0.5) / z, (double)most), -(double)most));
    for (int64_t i = whet__max_i((int64_t)tie - reach, -most); i <= whet__min_i((int64_t)tie + reach, most); i++) {
      const float t = fmaf((float)i, p->x_part, copysignf(p->rest, (float)i));
      if (whet__add_zero(whet__round_even(t), p->z_zero, p->lo, p->hi) != whet__binary_q8_one(p, (int32_t)i, 1)) return false;
    }
  }
  return true;
}

/* Products: the high product of TFL_FIX moves ties by half its unit towards zero. */
static void settle_product(whet_binary_q8 *p) {
  const bool real = p->round == WHET_ROUND_ONNX_REAL;
  const double z = real ? (double)p->x_real : ldexp(p->z_mul, p->z_shift - 31), moved = !real && p->z_shift < 0 ? ldexp(0.5, p->z_shift) : 0;
  const double sizes = 65536 * z + moved, margin = sizes * 0x1p-22;
  p->sure = 0;
  if (!(z > 0) || !(sizes < 0x1p24)) return;
  p->x_part = (float)z;
  for (size_t i = 0; i < WHET_COUNT(k_move) && !p->sure; i++) {
    p->rest = (float)(moved + k_move[i] * margin);
    p->sure = product_agrees(p, z, margin);
  }
}

/* A real number within `margin` of the exact result of the rule before its last rounding decides it unless it is that near a tie:
 *
 *   TFL_FIX     |X - x| <= 1 for each rescaled operand in units of 2^-left, so 2 F for both, F the factor of the sum; and the
 *               high product rounds to units of 2^shift, which is at most 2 F: together 3 F
 *   in f32      factors, constant and two operations err by 2^-24 of the sum of all sizes each, as do ONNX_REAL's
 *
 * Near ties all pairs are tried; where ties go to one side, the constant is moved that way, and by little where few are near. */
void whet__binary_q8_settle(whet_binary_q8 *p) {
  if (p->fn == WHET_BIN_MUL) {
    settle_product(p);
    return;
  }
  const bool real = p->round == WHET_ROUND_ONNX_REAL;
  double z = real ? 1 : ldexp(p->z_mul, p->z_shift - 31);
  double x = real ? (double)p->x_real : ldexp(p->x_mul, p->x_shift - 31 + p->left) * z;
  double y = real ? (double)p->y_real : ldexp(p->y_mul, p->y_shift - 31 + p->left) * z;
  double sizes = 2 * (256 * x + 256 * y + x * abs(p->x_zero) + y * abs(p->y_zero));
  double margin = (real ? 0 : 3 * z) + sizes * 0x1p-22;
  p->sure = 0;
  if (!(margin < 0x1p-7) || !(sizes < 0x1p24)) return;
  if (p->fn == WHET_BIN_SUB) y = -y;
  p->x_part = (float)x;
  p->y_part = (float)y;
  const double rest = -x * p->x_zero - y * p->y_zero;
  near_ties t;
  p->rest = (float)rest;
  if (near_ties_of(p, 4 * margin, &t) && nudged(p, &t, rest, margin)) {
    p->sure = 1;
    return;
  }
  for (size_t i = 0; i < WHET_COUNT(k_move) && !p->sure; i++) {
    p->rest = (float)(rest + k_move[i] * margin);
    p->sure = near_ties_of(p, 4 * margin, NULL);
  }
}

void whet__binary_q8_simplify(whet_binary_q8 *p) {
  int32_t n = 0;
  for (int32_t i = 0; i < p->rank; i++) {
    int64_t d = p->dim[i];
    if (d == 1) continue;
    if (n && p->x_stride[n - 1] == p->x_stride[i] * d && p->y_stride[n - 1] == p->y_stride[i] * d &&
        p->z_stride[n - 1] == p->z_stride[i] * d)
      d *= p->dim[--n];
    p->dim[n] = d;
    p->x_stride[n] = p->x_stride[i];
    p->y_stride[n] = p->y_stride[i];
    p->z_stride[n] = p->z_stride[i];
    n++;
  }
  if (!n) {
    p->dim[0] = p->x_stride[0] = p->y_stride[0] = p->z_stride[0] = 1;
    n = 1;
  }
  p->rank = n;
}
