/* SPDX-License-Identifier: Apache-2.0 */
/* Family lut_q8 on AVX2, and what kernels whose results go through a table take of it. vpshufb looks up 16 entries by the low four
 * bits of a byte, and gives 0 where its top bit is set. So with d[0] = T[0], d[k] = T[k-1] ^ T[k] (T: pieces of 16 entries) and
 * x < 128, the xor over k of d[k][x - 16k] is the entry of x: once x - 16k is negative the rest is 0. Both halves of the table share
 * the indices; bit 7 chooses. */

#include "kern/lut_q8.h"
#include "kern/x86/out_q8_avx2.h"

static inline __attribute__((always_inline)) __m256i lookup(__m256i x, const whet_lut_avx2 *t) {
  __m256i at = _mm256_and_si256(x, _mm256_set1_epi8(0x7f));
  __m256i lo = _mm256_shuffle_epi8(t->d[0][0], at), hi = _mm256_shuffle_epi8(t->d[1][0], at);
  for (int k = 1; k < 8; k++) {
    at = _mm256_sub_epi8(at, _mm256_set1_epi8(16));
    lo = _mm256_xor_si256(lo, _mm256_shuffle_epi8(t->d[0][k], at));
    hi = _mm256_xor_si256(hi, _mm256_shuffle_epi8(t->d[1][k], at));
  }
  return _mm256_blendv_epi8(lo, hi, x);
}

void whet__lut_avx2(whet_lut_avx2 *t, const uint8_t *table) {
  t->table = table;
  for (int h = 0; h < 2; h++) {
    __m256i last = _mm256_setzero_si256();
    for (int k = 0; k < 8; k++) {
      __m128i piece = _mm_loadu_si128((const __m128i *)(const void *)(table + h * 128 + k * 16));
      __m256i both = _mm256_broadcastsi128_si256(piece);
      t->d[h][k] = _mm256_xor_si256(both, last);
      last = both;
    }
  }
}

void whet__lut_rows_avx2(const whet_lut_avx2 *t, const uint8_t *in, int64_t in_pitch, uint8_t *out, int64_t out_pitch, int64_t rows,
                         int64_t n) {
  int64_t i = 0;
  for (int64_t wide; i + 16 <= n; i += wide) {
    wide = i + 32 <= n ? 32 : 16; /* of one row, or of two in a register */
    for (int64_t r = 0; r < rows; r += 32 / wide) {
      const int64_t next = wide == 32 ? r : whet__min_i(r + 1, rows - 1), on = wide - 16;
      const __m128i *a = (const void *)(in + r * in_pitch + i), *b = (const void *)(in + next * in_pitch + i + on);
      const __m256i x = lookup(_mm256_setr_m128i(_mm_loadu_si128(a), _mm_loadu_si128(b)), t);
      _mm_storeu_si128((__m128i *)(void *)(out + r * out_pitch + i), _mm256_castsi256_si128(x));
      _mm_storeu_si128((__m128i *)(void *)(out + next * out_pitch + i + on), _mm256_extracti128_si256(x, 1));
    }
  }
  for (int64_t r = 0; r < rows && i < n; r++)
    for (int64_t j = i; j < n; j++) out[r * out_pitch + j] = t->table[in[r * in_pitch + j]];
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_lut_q8 *p = params;
  whet_lut_avx2 t;
  whet__lut_avx2(&t, ptr[1]);
  int64_t from, to, at, n;
  whet__lut_split(p, part, parts, &from, &to, &at, &n);
  whet__lut_rows_avx2(&t, (const uint8_t *)ptr[0] + from * p->in_pitch + at, p->in_pitch,
                      (uint8_t *)ptr[2] + from * p->out_pitch + at, p->out_pitch, to - from, n);
}

const whet_kern whet_k_lut_q8__avx2_shuffle = {
    .name = "lut_q8__avx2_shuffle", .isa = WHET_ISA_AVX2, .exact = 1, .run = run};
