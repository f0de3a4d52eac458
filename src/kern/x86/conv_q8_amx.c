/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_q8 on AMX: four tiles of 16 rows by 16 outputs, two of activations, two of weights. Pixels of the strip are
 * the rows of a tile as they lie, and a panel of form 5 is tiles of weights one after the other: nothing is moved for
 * them. tdpbusd multiplies up to 64 activations of each row at once. */

#include "kern/x86/out_q8_avx512.h"

#define TILE_ELEM uint8_t
#define TILE_STEPS 1
#define TILE_LATER 1
#define TILE_NV 4
#define TILE_ACC 2048
static const int8_t tile_mr[TILE_NV + 1] = {0, 32, 32, 32, 32};
struct tile_geo;
static void tile(int mr, int nv, const uint8_t *a, const struct tile_geo *g, const int8_t *b, const int32_t *bias,
                 int32_t *acc);
static uint32_t tile_sum(const uint8_t *a, int64_t n) {
  __m512i s = _mm512_setzero_si512();
  for (; n > 0; n -= 64, a += 64) {
    __m512i x = n >= 64 ? _mm512_loadu_si512(a) : _mm512_maskz_loadu_epi8(~UINT64_C(0) >> (64 - n), a);
    s = _mm512_add_epi64(s, _mm512_sad_epu8(x, _mm512_setzero_si512()));
  }
  return (uint32_t)_mm512_reduce_add_epi64(s);
}
#include "kern/tile_q8.h"

/* Which registers are what: sums, activations, weights. Numbers, as gcc spells them into assembly. */
#define C00 0
#define C01 1
#define C10 2
#define C11 3
#define A0 4
#define A1 5
#define B0 6
#define B1 7
#define TILES 8

/* Tiles for m and n rows of sums, and steps of `step` groups of four. *shape: what they are for now, 0: nothing. */
static void configure(int m, int n, int64_t step, uint32_t *shape) {
  struct {
    uint8_t palette, start, spare[14];
    uint16_t bytes[16]; /* of a row */
    uint8_t rows[16];
  } c = {.palette = 1};
  uint32_t want = (uint32_t)m << 16 | (uint32_t)n << 8 | (uint32_t)step;
  if (want == *shape) return;
  *shape = want;
  for (int t = 0; t < TILES; t++) {
    int rows = t >= B0 ? (int)step : t == C10 || t == C11 || t == A1 ? n : m;
    if (!rows) continue;
    c.rows[t] = (uint8_t)rows;
    c.bytes[t] = (uint16_t)(t == A0 || t == A1 ? 4 * step : 64);
  }
  _tile_loadconfig(&c);
}

/* Sums start at the bias: a tile whose rows are all loaded from one place. */
#define SUMS(TALL, WIDE)                                                                            \
  static void sums_##TALL##_##WIDE(const uint8_t *a, const tile_geo *g, const int8_t *b, const int32_t *bias, \
                                   int64_t step, int32_t *acc, int64_t ld, int64_t first, int64_t next) { \
    const int64_t steps = g->steps, lda = g->lda, row = ld * 4;                                 \
    _tile_loadd(C00, bias, 0);                                                                      \
    if (WIDE > 1) _tile_loadd(C01, bias + 16, 0);                                                   \
    if (TALL > 1) _tile_loadd(C10, bias, 0);                                                        \
    if (TALL > 1 && WIDE > 1) _tile_loadd(C11, bias + 16, 0);                                       \
    for (int64_t s = 0; s < g->n_seg; s++) {                                                        \
      const uint8_t *x = a + g->seg[s];                                                             \
      for (int64_t k = 0; k < steps; k++, x += 4 * step, b += 64 * step) {                          \
        _tile_loadd(B0, b, 64);                                                                     \
        _tile_loadd(A0, x, lda);                                                                    \
        _tile_dpbusd(C00, A0, B0);                                                                  \
        if (TALL > 1) _tile_loadd(A1, x + next, lda);                                               \
        if (TALL > 1) _tile_dpbusd(C10, A1, B0);                                                    \
        if (WIDE > 1) _tile_loadd(B1, b + g->block, 64);                                            \
        if (WIDE > 1) _tile_dpbusd(C01, A0, B1);                                                    \
        if (TALL > 1 && WIDE > 1) _tile_dpbusd(C11, A1, B1);                                        \
      }                                                                                             \
    }                                                                                               \
    _tile_stored(C00, acc, row);                                                                    \
    if (WIDE > 1) _tile_stored(C01, acc + 16, row);                                                 \
    if (TALL > 1) _tile_stored(C10, acc + first * ld, row);                                         \
    if (TALL > 1 && WIDE > 1) _tile_stored(C11, acc + first * ld + 16, row);                     \
  }
SUMS(1, 1)
SUMS(1, 2)
SUMS(2, 1)
SUMS(2, 2)

static void tile(int mr, int nv, const uint8_t *a, const struct tile_geo *g, const int8_t *b, const int32_t *bias,
                 int32_t *acc) {
  int64_t step = g->step, first = g->first ? g->first : mr < 16 ? mr : 16;
  int64_t next = g->first ? g->next : 16 * g->lda;
  configure((int)first, mr - (int)first, step, g->state);
  for (int64_t ld = 16 * nv; nv > 0; nv -= 2, b += 2 * g->block, bias += 32, acc += 32)
    (mr > first ? nv > 1 ? sums_2_2 : sums_2_1
     : nv > 1   ? sums_1_2
                : sums_1_1)(a, g, b, bias, step, acc, ld, first, next);
}

enum { LEAST = 16 }; /* groups of four for each result; with fewer, tiles take longer to come and go than products to be made */

static bool fits(const void *params) {
  const whet_conv_q8 *p = params;
  tile_cut c;
  tile_cut_for(p, &c);
  return c.l.segs * c.l.k4 >= LEAST && c.l.oc >= 16 && c.width >= 4;
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  tile_run(params, ptr, part, parts);
  _tile_release();
}

const whet_kern whet_k_conv_q8__amx_tiles = {.name = "conv_q8__amx_tiles",
                                             .isa = WHET_ISA_AMX | WHET_ISA_VNNI | WHET_ISA_AVX512,
                                             .form = WHET_CONV_Q8_STEPS,
                                             .exact = 1,
                                             .fits = fits,
                                             .scratch = tile_scratch,
                                             .run = run};
