/* SPDX-License-Identifier: Apache-2.0 */
/* Family dw_q8 on RVV: as many channels as four registers hold sums of, four neighbouring results at a time, so that
 * four vectors of activations meet each load of weights; VWMACC adds exact products of 16-bit numbers to 32-bit sums.
 */

#include "kern/riscv/out_q8_rvv.h"

enum { DW_WIDE = 4, DW_BLOCK = 64 };

/* What is done for each result; registers cannot stand in an array. */
#define EACH(X) X(0) X(1) X(2) X(3)
#define BEGIN(i) vint32m4_t s##i = start;
#define STEP(i)                                                                                  \
  {                                                                                              \
    const vuint8m1_t x = __riscv_vxor_vx_u8m1(__riscv_vle8_v_u8m1(at[i] + c + j, vl), turn, vl); \
    const vint16m2_t y = __riscv_vreinterpret_v_u16m2_i16m2(__riscv_vzext_vf2_u16m2(x, vl));     \
    s##i = __riscv_vwmacc_vv_i32m4(s##i, y, k, vl);                                              \
  }
#define END(i) __riscv_vse32_v_i32m4(sum + DW_BLOCK * i + j, s##i, vl);

/* See dw_q8_taps.h. */
OUT_INLINE void dw_sums(const uint8_t *const *tap, int64_t taps, int64_t c, int64_t m, const int16_t *w, int64_t step,
                        const int32_t *bias, uint8_t turn, int32_t *sum, const bool all) {
  (void)all;
  for (size_t j = 0, vl; j < (size_t)m; j += vl) {
    vl = __riscv_vsetvl_e8m1((size_t)m - j);
    const vint32m4_t start = __riscv_vle32_v_i32m4(bias + j, vl);
    const uint8_t *const *at = tap;
    const int16_t *wt = w + j;
    EACH(BEGIN)
    for (int64_t t = 0; t < taps; t++, at += DW_WIDE, wt += step) {
      const vint16m2_t k = __riscv_vle16_v_i16m2(wt, vl);
      EACH(STEP)
    }
    EACH(END)
  }
}

#include "kern/dw_q8_taps.h"

const whet_kern whet_k_dw_q8__rvv_taps = {.name = "dw_q8__rvv_taps",
                                          .isa = WHET_ISA_RVV,
                                          .form = WHET_DW_Q8_TAPS,
                                          .exact = 1,
                                          .scratch = dw_scratch,
                                          .run = dw_run};
