/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_OUT_Q8_H
#define WHET_KERN_OUT_Q8_H

/* What kernels that sum 8-bit products do with their 32-bit sums (convolution, depthwise, matrix product):
 *
 *   U8, S8   clamp(rescale(sum) + zero, lo, hi), then through a table of 256 bytes when there is one (indexed by the
 *            stored byte)
 *   S16      the same without a table
 *   S32      the sum; or, when that is `live`, what sums_f32.h makes of it, with factors found in the run
 *   F32      (float)sum * real32, one multiplication
 *
 * Sums are modulo 2^32. Each output channel has its own factor; the arrays lie in the packed weights. */

#include "kern/requant.h"
#include "kern/sums_f32.h"

typedef struct whet_out_q8 {
  uint8_t dtype; /* whet_dtype: U8, S8, S16, S32, F32 */
  uint8_t round; /* whet_round; not read for S32 and F32 */
  uint8_t quick; /* no sum reaches 2^30 and all are divided: by TFL_FIX every shift is to the right by 1..30, so that
                    rounding cannot overflow 32 bits; by ONNX_REAL every factor is below 1 */
  uint8_t table; /* not 0: 8-bit results go through the step's table */
  uint8_t live;  /* not 0: S32, of which floats are made */
  uint8_t tight; /* ONNX_REAL: no result is beyond WHET_TIGHT before the zero point is added; asked for by rows that say so */
  int32_t zero, lo, hi;
} whet_out_q8;

enum { WHET_TIGHT = 32000 };

/* The arrays of factors of a packed weight, from one channel on. Which are there depends on rule and type. */
typedef struct whet_factors {
  const int32_t *mul, *shift; /* TFL_FIX, TFL_FIX1 */
  const double *real;         /* TFL_REAL */
  const float *real32;        /* ONNX_REAL and F32 */
  const float *half;          /* TFL_FIX of quick bytes: whet__fix_half() */
  const float *high, *low;    /* and the factor, as a sum of two */
} whet_factors;

/* Do factors have halves? */
static inline bool whet__factors_half(const whet_out_q8 *o) {
  return o->quick && o->round == WHET_ROUND_TFL_FIX && (o->dtype == WHET_U8 || o->dtype == WHET_S8);
}

/* What of `o` packed factors depend on. */
static inline whet_out_q8 whet__factors_of(const whet_out_q8 *o) {
  whet_out_q8 f = {.dtype = o->dtype, .round = o->round};
  if (whet__factors_half(o)) f.quick = 1, f.zero = o->zero, f.lo = o->lo, f.hi = o->hi;
  return f;
}

/* Bytes that the factors of n channels take, n a multiple of 16. */
static inline size_t whet__factors_bytes(const whet_out_q8 *o, int64_t n) {
  if (o->dtype == WHET_S32) return 0;
  if (o->dtype == WHET_F32 || o->round == WHET_ROUND_ONNX_REAL) return (size_t)n * 4;
  return (size_t)n * (whet__factors_half(o) ? 20 : 8);
}

/* The factors at p, from channel `at` of n on. */
static inline whet_factors whet__factors_at(const whet_out_q8 *o, const void *p, int64_t n, int64_t at) {
  whet_factors f = {.mul = NULL};
  if (o->dtype == WHET_S32) return f;
  if (o->dtype == WHET_F32 || o->round == WHET_ROUND_ONNX_REAL)
    f.real32 = (const float *)p + at;
  else if (o->round == WHET_ROUND_TFL_REAL)
    f.real = (const double *)p + at;
  else
    f.mul = (const int32_t *)p + at, f.shift = (const int32_t *)p + n + at;
  if (whet__factors_half(o)) {
    f.half = (const float *)p + 2 * n + at;
    f.high = f.half + n;
    f.low = f.high + n;
  }
  return f;
}

/* Write the factor of channel i of n. */
void whet__factors_set(const whet_out_q8 *o, void *p, int64_t n, int64_t i, const whet_rescale *r);
/* The same in two steps, as the first takes long and channels may share a factor: what tells ties from others, 0 where nothing asks
 * for it; then the writing. */
float whet__factor_half(const whet_out_q8 *o, const whet_rescale *r);
void whet__factors_put(const whet_out_q8 *o, void *p, int64_t n, int64_t i, const whet_rescale *r, float half);

/* One result of an integer type, before the table. */
static inline int32_t whet__out_q8(const whet_out_q8 *o, const whet_factors *f, int64_t i, int32_t sum) {
  int32_t v;
  switch (o->round) {
    case WHET_ROUND_TFL_FIX:
      v = whet__mul_fix(sum, f->mul[i], f->shift[i]);
      break;
    case WHET_ROUND_TFL_FIX1:
      v = whet__mul_fix1(sum, f->mul[i], f->shift[i]);
      break;
    case WHET_ROUND_TFL_REAL:
      v = whet__mul_real(sum, f->real[i]);
      break;
    case WHET_ROUND_ONNX_REAL:
      v = whet__mul_real32(sum, f->real32[i]);
      break;
    default:
      v = sum;
      break;
  }
  return whet__add_zero(v, o->zero, o->lo, o->hi);
}

/* What the table's place holds for live sums: see sums_f32.h. */
static inline const whet_sums_live *whet__out_live(const uint8_t *table) { return (const void *)table; }

/* TFL_REAL to bytes in single precision: products err by less than 2^-22 of themselves, and more than 512 is beyond any
 * byte, so that they decide unless one is further from an integer than this. */
#define OUT_FAR (0.5f - 0x1p-13f)

/* Store n results in a row at out, portable: every rule and type. */
void whet__out_q8_row(const whet_out_q8 *o, const whet_factors *f, const int32_t *sum, int64_t n,
                      const uint8_t *table, void *out);
/* The same for rows of sums `ld` apart, those of out `pitch` elements. */
void whet__out_q8_rows(const whet_out_q8 *o, const whet_factors *f, const int32_t *sum, int64_t ld, int64_t rows,
                       int64_t n, const uint8_t *table, void *out, int64_t pitch);

#endif
