/* SPDX-License-Identifier: Apache-2.0 */
/* Family quantize on vectors: the body that the ISA files share, over the names of x86/out_q8_avx2.h,
 * x86/out_q8_avx512.h, arm/out_q8_neon.h or riscv/out_q8_rvv.h. */

#include "kern/quantize.h"

/* n floats to bytes. */
OUT_INLINE void to_bytes(const float *x, uint8_t *y, int64_t n, const whet_quantize *p, bool away) {
  whet_out_q8 o = {.dtype = p->is_signed ? WHET_S8 : WHET_U8,
                   .zero = p->zero,
                   .lo = p->is_signed ? -128 : 0,
                   .hi = p->is_signed ? 127 : 255};
  out_bound b = out_bounds(&o);
  out_real32 scale = out_set32(p->scale);
  for (int64_t i = 0; i < n; i += 4 * OUT_LANES) {
    int64_t m = n - i < 4 * OUT_LANES ? n - i : 4 * OUT_LANES;
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
