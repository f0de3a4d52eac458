/* SPDX-License-Identifier: Apache-2.0 */
/* Family dw_q8 on NEON: blocks of 16 channels, four neighbouring results at a time, so that four vectors of
 * activations meet each load of weights; SMLAL adds exact products of 16-bit numbers to 32-bit sums. On
 * aarch64 kernels of 3 x 3 have their own loops. */

#include "kern/arm/out_q8_neon.h"
#include "kern/kern.h"

enum { DW_WIDE = 4, DW_BLOCK = 16 };

/* See dw_q8_taps.h. */
OUT_INLINE void dw_sums(const uint8_t *const *tap, int64_t taps, int64_t c, int64_t m, const int16_t *w, int64_t step,
                        const int32_t *bias, uint8_t turn, int32_t *sum, const bool all) {
  int32x4_t acc[DW_WIDE][4];
  const uint8x16_t flip = vdupq_n_u8(turn);
  WHET_UNROLL for (int r = 0; r < DW_WIDE; r++) WHET_UNROLL for (int j = 0; j < 4; j++) acc[r][j] =
      vld1q_s32(bias + 4 * j);
  for (int64_t t = 0; t < taps; t++, tap += DW_WIDE, w += step) {
    const int16x8_t w0 = vld1q_s16(w), w1 = vld1q_s16(w + 8);
    WHET_UNROLL for (int r = 0; r < DW_WIDE; r++) {
      uint8x16_t x = all ? vld1q_u8(tap[r] + c) : vreinterpretq_u8_s32(out_load_bytes(tap[r] + c, m));
      x = veorq_u8(x, flip);
      const int16x8_t lo = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(x)));
      const int16x8_t hi = vreinterpretq_s16_u16(vmovl_high_u8(x));
      acc[r][0] = vmlal_s16(acc[r][0], vget_low_s16(lo), vget_low_s16(w0));
      acc[r][1] = vmlal_high_s16(acc[r][1], lo, w0);
      acc[r][2] = vmlal_s16(acc[r][2], vget_low_s16(hi), vget_low_s16(w1));
      acc[r][3] = vmlal_high_s16(acc[r][3], hi, w1);
    }
  }
  WHET_UNROLL for (int r = 0; r < DW_WIDE; r++) WHET_UNROLL for (int j = 0; j < 4; j++)
      vst1q_s32(sum + DW_BLOCK * r + 4 * j, acc[r][j]);
}

#include "kern/dw_q8_taps.h"

#ifdef __aarch64__
#include "kern/arm/dw_q8_window.h"
#else
#define window_run dw_run
#endif

const whet_kern whet_k_dw_q8__neon_taps = {.name = "dw_q8__neon_taps",
                                           .isa = WHET_ISA_NEON,
                                           .form = WHET_DW_Q8_TAPS,
                                           .exact = 1,
                                           .scratch = dw_scratch,
                                           .run = window_run};
