/* SPDX-License-Identifier: Apache-2.0 */
/* Family pool_q8 on vectors: the body that the ISA files share, over the names of x86/out_q8_avx2.h,
 * x86/out_q8_avx512.h, arm/out_q8_neon.h or riscv/out_q8_rvv.h. */

#include "kern/pool_q8.h"

enum { WIDTH = 4 * OUT_LANES }; /* bytes of a register */

/* The greatest of the taps, channels [c, c + n), n <= WIDTH. */
OUT_INLINE void greatest(const whet_pool_q8 *p, const uint8_t *const *tap, int64_t taps, int64_t c, int64_t n,
                         uint8_t *out) {
  out_int v = out_load_bytes(tap[0] + c, n);
  for (int64_t t = 1; t < taps; t++) v = out_max_bytes(v, out_load_bytes(tap[t] + c, n), p->is_signed);
  v = out_clamp_bytes(v, p->lo, p->hi, p->is_signed);
  out_store(out, v, n);
}

/* The sum of n neighbours. */
OUT_INLINE int32_t sum_of(const uint8_t *x, int64_t n, bool is_signed) {
  int32_t lane[OUT_LANES], sum = 0;
  out_int v = out_zero();
  int64_t i = 0;
  for (; i + OUT_LANES <= n; i += OUT_LANES) v = out_add_i(v, out_widen(x + i, is_signed, OUT_LANES));
  memcpy(lane, &v, sizeof lane);
  for (int j = 0; j < OUT_LANES; j++) sum += lane[j];
  for (; i < n; i++) sum += is_signed ? (int8_t)x[i] : x[i];
  return sum;
}

/* Means of sums v of so many taps each, n results. */
OUT_INLINE void mean_of(const whet_pool_q8 *p, out_int v[4], int64_t taps, int64_t n, uint8_t *out, bool is_signed) {
  whet_out_q8 o = {.dtype = is_signed ? WHET_S8 : WHET_U8, .lo = p->lo, .hi = p->hi};
  if (p->round == WHET_ROUND_TFL_FIX1) {
    out_factor f = out_factor_all(p->mul, p->shift);
    out_int zeros = out_set_i((int32_t)taps * p->in_zero);
    OUT_UNROLL for (int j = 0; j < 4; j++) v[j] = out_rescale(out_sub_i(v[j], zeros), &f, OUT_FIX);
    o.zero = p->out_zero;
  } else if (p->round == WHET_ROUND_ONNX_REAL) {
    float share = 1.0f / (float)(p->count ? p->count : taps), product = p->sx * share;
    out_real32 factor = out_set32(product / p->sy);
    out_int zeros = out_set_i((int32_t)taps * p->in_zero);
    OUT_UNROLL for (int j = 0; j < 4; j++) v[j] =
        out_from_real(out_mul32(out_to_real(out_sub_i(v[j], zeros)), factor));
    o.zero = p->out_zero;
  } else {
    /* Sums stay under 2^24, so that the quotient of floats, cut, is the quotient of integers. */
    out_real32 count = out_set32((float)taps);
    OUT_UNROLL for (int j = 0; j < 4; j++) {
      out_int half = out_with_sign_of(out_set_i((int32_t)taps / 2), v[j]);
      v[j] = out_cut_real(out_div32(out_to_real(out_add_i(v[j], half)), count));
    }
  }
  out_bound b = out_bounds(&o);
  out_store(out, out_order(out_narrow(v, &b)), n);
}

/* The mean of the taps. */
OUT_INLINE void mean(const whet_pool_q8 *p, const uint8_t *const *tap, int64_t taps, int64_t c, int64_t n,
                     uint8_t *out, bool is_signed) {
  out_int v[4] = {out_zero(), out_zero(), out_zero(), out_zero()};
  if (n == 1) { /* as means of rows have it: a vector for each tap would be a waste */
    int32_t s = 0;
    for (int64_t t = 0; t < taps; t++) s += is_signed ? (int8_t)tap[t][c] : tap[t][c];
    v[0] = out_set_i(s);
  } else {
    for (int64_t t = 0; t < taps; t++)
      OUT_UNROLL for (int j = 0; j < 4; j++) if (n > j * OUT_LANES) v[j] =
          out_add_i(v[j], out_widen(tap[t] + c + j * OUT_LANES, is_signed, n - j * OUT_LANES));
  }
  mean_of(p, v, taps, n, out, is_signed);
}

/* Whole pictures of one channel, which are rows of bytes: the means from..to of them. */
OUT_INLINE void means_of_rows(const whet_pool_q8 *p, const uint8_t *in, uint8_t *out, int64_t from, int64_t to, bool is_signed) {
  const int64_t taps = (int64_t)p->in_h * p->in_w;
  for (int64_t n; from < to; from += n) {
    int32_t s[WIDTH] = {0};
    out_int v[4];
    n = whet__min_i(WIDTH, to - from);
    for (int64_t k = 0; k < n; k++) s[k] = sum_of(in + (from + k) * taps, taps, is_signed);
    memcpy(v, s, sizeof v);
    mean_of(p, v, taps, n, out + from, is_signed);
  }
}

static bool whole_rows(const whet_pool_q8 *p) {
  return p->mean && p->channels == 1 && p->in_pitch == 1 && p->out_pitch == 1 && p->out_h == 1 && p->out_w == 1 && p->kh == p->in_h &&
         p->kw == p->in_w && p->dil_h == 1 && p->dil_w == 1 && !p->pad_top && !p->pad_left;
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_pool_q8 *p = params;
  const uint8_t **tap = ptr[2];
  int64_t from, to;
  whet__split((int64_t)p->images * p->out_h * p->out_w, part, parts, &from, &to);
  if (from == to) return;
  if (whole_rows(p)) {
    if (p->is_signed)
      means_of_rows(p, ptr[0], ptr[1], from, to, true);
    else
      means_of_rows(p, ptr[0], ptr[1], from, to, false);
    return;
  }
  for (whet_pool_walk w = whet__pool_begin(p, ptr[0], from, tap);; whet__pool_next(&w)) {
    uint8_t *out = (uint8_t *)ptr[1] + from * p->out_pitch;
    for (int64_t c = 0; c < p->channels; c += WIDTH) {
      int64_t n = whet__min_i(WIDTH, p->channels - c);
      if (!p->mean)
        greatest(p, tap, w.taps, c, n, out + c);
      else if (p->is_signed)
        mean(p, tap, w.taps, c, n, out + c, true);
      else
        mean(p, tap, w.taps, c, n, out + c, false);
    }
    if (++from == to) break;
  }
}
