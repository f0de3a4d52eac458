/* SPDX-License-Identifier: Apache-2.0 */
/* Family quantize on vectors: the body that the ISA files share, over the names of x86/out_q8_avx2.h,
 * x86/out_q8_avx512.h, arm/out_q8_neon.h or riscv/out_q8_rvv.h. */

#include "kern/quantize.h"

/* Quotients by way of 1 / scale, which err by less than 2^-21 of themselves, decide those of up to 512 unless they are nearer a tie
 * than FAR; more are beyond any byte. */
#define FAR (0.5f - 0x1p-12f)

/* Four whole vectors so; false, and nothing stored, when one is too near. */
OUT_INLINE bool quick(const float *x, uint8_t *y, out_real32 inverse, const out_bound *b, bool away) {
  out_real32 far = out_set32(0);
  out_int v[4];
  OUT_UNROLL for (int j = 0; j < 4; j++) {
    out_real32 q = out_mul32(out_load32(x + j * OUT_LANES, OUT_LANES), inverse);
    far = out_larger32(far, out_sub32(q, out_near32(q)));
    v[j] = away ? out_from_real_away(q) : out_from_real(q);
  }
  if (out_above32(far, out_set32(FAR))) return false;
  out_store(y, out_order(out_narrow(v, b)), 4 * OUT_LANES);
  return true;
}

/* n floats to bytes. */
OUT_INLINE void to_bytes(const float *x, uint8_t *y, int64_t n, const whet_quantize *p, bool away) {
  whet_out_q8 o = {.dtype = p->is_signed ? WHET_S8 : WHET_U8,
                   .zero = p->zero,
                   .lo = p->is_signed ? -128 : 0,
                   .hi = p->is_signed ? 127 : 255};
  out_bound b = out_bounds(&o);
  const bool tries = p->scale > 0x1p-100f && p->scale < 0x1p100f;
  out_real32 scale = out_set32(p->scale), inverse = out_set32(1 / p->scale);
  for (int64_t i = 0; i < n; i += 4 * OUT_LANES) {
    int64_t m = n - i < 4 * OUT_LANES ? n - i : 4 * OUT_LANES;
    if (tries && m == 4 * OUT_LANES && quick(x + i, y + i, inverse, &b, away)) continue;
    out_int v[4];
    for (int j = 0; j < 4; j++) {
      int64_t k = m - j * OUT_LANES;
      v[j] = out_zero();
      if (k <= 0) continue;
      out_real32 q = out_div32(out_load32(x + i + j * OUT_LANES, k), scale);
      v[j] = away ? out_from_real_away(q) : out_from_real(q);
    }
    out_store(y + i, out_order(out_narrow(v, &b)), m);
  }
}

/* n bytes to floats. */
OUT_INLINE void to_floats(const uint8_t *x, float *y, int64_t n, const whet_quantize *p, bool is_signed) {
  out_int zero = out_set_i(p->zero);
  out_real32 scale = out_set32(p->scale);
  for (int64_t i = 0; i < n; i += OUT_LANES) {
    out_int v = out_sub_i(out_widen(x + i, is_signed, n - i), zero);
    out_store32(y + i, out_mul32(out_to_real(v), scale), n - i);
  }
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_quantize *p = params;
  int64_t from, to, at, n;
  whet__quantize_split(p, part, parts, &from, &to, &at, &n);
  for (; from < to; from++) {
    int64_t i = from * p->in_pitch + at, o = from * p->out_pitch + at;
    if (p->to_float && p->is_signed)
      to_floats((const uint8_t *)ptr[0] + i, (float *)ptr[1] + o, n, p, true);
    else if (p->to_float)
      to_floats((const uint8_t *)ptr[0] + i, (float *)ptr[1] + o, n, p, false);
    else if (p->away)
      to_bytes((const float *)ptr[0] + i, (uint8_t *)ptr[1] + o, n, p, true);
    else
      to_bytes((const float *)ptr[0] + i, (uint8_t *)ptr[1] + o, n, p, false);
  }
}
