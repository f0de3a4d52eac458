/* SPDX-License-Identifier: Apache-2.0 */
/* Float products on AMX (Intel SDM 1, chapter 18): tdpbf16ps multiplies 16 rows of 32 numbers of bf16 with 32 rows of
 * 16 in 16 cycles. Factors are rounded, or split into three parts, six of whose products are made. */

#include "kern/x86/amx_tiles.h"
#include "kern/x86/tile_bf16.h"

enum { HIGH = 32, WIDE = 2 };

/* 32 rows by 32 columns. */
static void square(product *p) {
  const uint16_t *a = p->a, *b = p->b;
  const int64_t lda = p->lda * 2, high = p->lda * 16, apart = p->apart;
  _tile_loadd(0, p->bias, 0);
  _tile_loadd(1, p->bias + 16, 0);
  _tile_loadd(2, p->bias, 0);
  _tile_loadd(3, p->bias + 16, 0);
  for (int64_t k = p->steps; k > 0; k--, a += BLOCK_K, b += 512) {
    fetch(p);
    _tile_loadd(4, a, lda);
    _tile_loadd(6, b, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, b + apart, 64);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, a + high, lda);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, p->acc, 128);
  _tile_stored(1, p->acc + 16, 128);
  _tile_stored(2, p->acc + 512, 128);
  _tile_stored(3, p->acc + 528, 128);
}

/* 16 rows or 32, `high` being where the others are, by one block. */
static void narrow(product *p, const float *bias, const uint16_t *b, int64_t high, float *acc) {
  const uint16_t *a = p->a;
  const int64_t lda = p->lda * 2;
  _tile_loadd(0, bias, 0);
  _tile_loadd(2, bias, 0);
  for (int64_t k = p->steps; k > 0; k--, a += BLOCK_K, b += 512) {
    _tile_loadd(6, b, 64);
    _tile_loadd(4, a, lda);
    _tile_dpbf16ps(0, 4, 6);
    if (!high) continue;
    _tile_loadd(5, a + high, lda);
    _tile_dpbf16ps(2, 5, 6);
  }
  _tile_stored(0, acc, 128);
  if (high) _tile_stored(2, acc + 512, 128);
}

static void multiply(product *p) {
  if (p->rows > 16 && p->blocks > 1) {
    square(p);
  } else {
    for (int64_t n = 0; n < p->blocks; n++)
      narrow(p, p->bias + 16 * n, p->b + n * p->apart, p->rows > 16 ? p->lda * 16 : 0, p->acc + 16 * n);
  }
}

static void run(const whet_job_f32 *j) {
  configure(16, 16);
  run_job(j, 1, HIGH, WIDE, multiply);
  _tile_release();
}

static size_t room_for(int64_t k) { return room_bytes(k, 1); }

const whet_tiles_f32 whet__tiles_f32_amx = {.form = WHET_PANEL_BF16,
                                            .mr = {0, HIGH, HIGH, HIGH, HIGH},
                                            .epi = whet__epi_f32_avx512,
                                            .run = run,
                                            .room = room_for};

/* ---- three parts -------------------------------------------------------------------------------- */

#define UP(p) _tile_loadd(4, a + 32 * (p), lda);
#define DOWN(p) _tile_loadd(5, a + high + 32 * (p), lda);
#define LEFT(p) _tile_loadd(6, b + 512 * (p), 64);
#define RIGHT(p) _tile_loadd(7, b + apart + 512 * (p), 64);
#define NEXT_B(p)                   \
  LEFT(p) _tile_dpbf16ps(0, 4, 6);  \
  _tile_dpbf16ps(2, 5, 6);          \
  RIGHT(p) _tile_dpbf16ps(1, 4, 7); \
  _tile_dpbf16ps(3, 5, 7);
#define NEXT_A(p)                  \
  UP(p) _tile_dpbf16ps(0, 4, 6);   \
  _tile_dpbf16ps(1, 4, 7);         \
  DOWN(p) _tile_dpbf16ps(2, 5, 6); \
  _tile_dpbf16ps(3, 5, 7);

/* 32 rows by 32 columns; `high` or `apart` 0: the same 16 again. Small products first. */
static void split_square(product *p) {
  const uint16_t *a = p->a, *b = p->b;
  const int64_t lda = p->lda * 2, high = p->rows > 16 ? p->lda * 16 : 0, apart = p->blocks > 1 ? p->apart : 0;
  const float *other = p->bias + (p->blocks > 1 ? 16 : 0);
  _tile_loadd(0, p->bias, 0);
  _tile_loadd(1, other, 0);
  _tile_loadd(2, p->bias, 0);
  _tile_loadd(3, other, 0);
  for (int64_t k = p->steps; k > 0; k--, a += 96, b += 1536) {
    fetch(p);
    UP(0) DOWN(0) NEXT_B(2) NEXT_B(1) NEXT_A(1) NEXT_B(0) NEXT_A(2) NEXT_A(0)
  }
  _tile_stored(0, p->acc, 128);
  _tile_stored(1, p->acc + 16, 128);
  _tile_stored(2, p->acc + 512, 128);
  _tile_stored(3, p->acc + 528, 128);
}

static void run_split(const whet_job_f32 *j) {
  configure(16, 16);
  run_job(j, 3, HIGH, WIDE, split_square);
  _tile_release();
}

static size_t split_room(int64_t k) { return room_bytes(k, 3); }

const whet_tiles_f32 whet__tiles_split_amx = {.form = WHET_PANEL_SPLIT,
                                              .mr = {0, HIGH, HIGH},
                                              .epi = whet__epi_f32_avx512,
                                              .run = run_split,
                                              .room = split_room};
