/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_q8 on RVV: tiles of six rows by sixteen outputs, sums in 24 of the 32 registers of a machine with 128
 * bits in each. VWMACC adds products of an activation, read as a scalar, and the weights of the outputs, made 16 bits
 * wide. */

#include "kern/riscv/out_q8_rvv.h"

#define TILE_ELEM int8_t
#define TILE_SIGNED 1
#define TILE_FORM WHET_CONV_Q8_LANES
#define TILE_NV 1
static const int8_t tile_mr[TILE_NV + 1] = {0, 6};
#include "kern/tile_q8.h"

/* What is done for each row of a tile; registers cannot stand in an array. */
#define BEGIN(i) vint32m4_t s##i = start;
#define STEP(i) s##i = __riscv_vwmacc_vx_i32m4(s##i, q[i * g->lda], w, 16);
#define END(i) __riscv_vse32_v_i32m4(out + 16 * i, s##i, 16);

#define EACH_1(X) X(0)
#define EACH_2(X) EACH_1(X) X(1)
#define EACH_3(X) EACH_2(X) X(2)
#define EACH_4(X) EACH_3(X) X(3)
#define EACH_5(X) EACH_4(X) X(4)
#define EACH_6(X) EACH_5(X) X(5)

#define TILE(mr)                                                                                                  \
  static void tile_##mr(const int8_t *a, const tile_geo *g, const int8_t *b, const int32_t *bias, int32_t *out) { \
    const vint32m4_t start = __riscv_vle32_v_i32m4(bias, 16);                                                     \
    EACH_##mr(BEGIN) for (int64_t s = 0; s < g->n_seg; s++) {                                                     \
      const int8_t *q = a + g->seg[s];                                                                            \
      for (int64_t k = 4 * g->k4; k > 0; k--, q++, b += 16) {                                                     \
        const vint16m2_t w = __riscv_vsext_vf2_i16m2(__riscv_vle8_v_i8m1(b, 16), 16);                             \
        EACH_##mr(STEP)                                                                                           \
      }                                                                                                           \
    }                                                                                                             \
    EACH_##mr(END)                                                                                                \
  }
TILE(1)
TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)

    typedef void (*tile_fn)(const int8_t *a, const tile_geo *g, const int8_t *b, const int32_t *bias, int32_t *out);
static const tile_fn tiles[] = {0, tile_1, tile_2, tile_3, tile_4, tile_5, tile_6};

static void tile(int mr, int nv, const int8_t *a, const tile_geo *g, const int8_t *b, const int32_t *bias,
                 int32_t *acc) {
  (void)nv;
  tiles[mr](a, g, b, bias, acc);
}

const whet_kern whet_k_conv_q8__rvv_panel = {.name = "conv_q8__rvv_panel",
                                             .isa = WHET_ISA_RVV,
                                             .form = WHET_CONV_Q8_LANES,
                                             .exact = 1,
                                             .scratch = tile_scratch,
                                             .run = tile_run};
