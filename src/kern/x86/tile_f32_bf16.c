/* SPDX-License-Identifier: Apache-2.0 */
/* Float products with factors rounded to bf16, by vdpbf16ps: two factors to each of 16 sums. */

#include "kern/x86/tile_bf16.h"

enum { HIGH = 28, WIDE = 4 };

/* MR rows by NB blocks with vdpbf16ps, sums in registers; both are constants where it is called. */
WHET_INLINE void dot(const product *p, int64_t i, const int mr, const int nb) {
  __m512 acc[16][4];
  WHET_UNROLL for (int r = 0; r < mr; r++) WHET_UNROLL for (int n = 0; n < nb; n++) acc[r][n] =
      _mm512_load_ps(p->bias + 16 * n);
  const uint16_t *a = p->a + i * p->lda, *b = p->b;
  for (int64_t k = p->steps * (BLOCK_K / 2); k > 0; k--, a += 2, b += 32) {
    __m512bh w[4];
    WHET_UNROLL for (int n = 0; n < nb; n++) w[n] = (__m512bh)_mm512_load_si512(b + n * p->apart);
    WHET_UNROLL for (int r = 0; r < mr; r++) {
      int32_t two;
      memcpy(&two, a + r * p->lda, 4);
      const __m512bh x = (__m512bh)_mm512_set1_epi32(two);
      WHET_UNROLL for (int n = 0; n < nb; n++) acc[r][n] = _mm512_dpbf16_ps(acc[r][n], x, w[n]);
    }
  }
  WHET_UNROLL for (int r = 0; r < mr; r++) WHET_UNROLL for (int n = 0; n < nb; n++)
      _mm512_store_ps(p->acc + (i + r) * 16 * WIDE + 16 * n, acc[r][n]);
}

/* All rows by n blocks, as many at a time as there are registers for. */
#define ROWS(nb, most)                                            \
  for (; i + (most) <= p->rows; i += (most)) dot(p, i, most, nb); \
  for (; i < p->rows; i++) dot(p, i, 1, nb);

static void multiply(product *p) {
  int64_t i = 0;
  switch (p->blocks) {
    case 1:
      ROWS(1, 14) break;
    case 2:
      ROWS(2, 14) break;
    case 3:
      ROWS(3, 7) break;
    default:
      ROWS(4, 7)
  }
}

static void run(const whet_job_f32 *j) { run_job(j, 1, HIGH, WIDE, multiply); }

static size_t room_for(int64_t k) { return room_bytes(k, 1); }

const whet_tiles_f32 whet__tiles_f32_bf16 = {
    .form = WHET_PANEL_BF16, .mr = {0, 14, 14, 7, 7}, .epi = whet__epi_f32_avx512, .run = run, .room = room_for};
