/* SPDX-License-Identifier: Apache-2.0 */
/* Family lut_q8 on AVX2. vpshufb looks up 16 entries by the low four bits of a byte, and gives 0 where its top bit is
 * set. So with d[0] = T[0], d[k] = T[k-1] ^ T[k] (T: pieces of 16 entries) and x < 128, the xor over k of d[k][x -
 * 16k] is the entry of x: once x - 16k is negative the rest is 0. Both halves of the table share the indices; bit 7
 * chooses. */

#include <immintrin.h>

#include "kern/lut_q8.h"

typedef struct pieces {
  __m256i d[2][8];
} pieces;

static inline __attribute__((always_inline)) __m256i lookup(__m256i x, const pieces *t) {
  __m256i at = _mm256_and_si256(x, _mm256_set1_epi8(0x7f));
  __m256i lo = _mm256_shuffle_epi8(t->d[0][0], at), hi = _mm256_shuffle_epi8(t->d[1][0], at);
  for (int k = 1; k < 8; k++) {
    at = _mm256_sub_epi8(at, _mm256_set1_epi8(16));
    lo = _mm256_xor_si256(lo, _mm256_shuffle_epi8(t->d[0][k], at));
    hi = _mm256_xor_si256(hi, _mm256_shuffle_epi8(t->d[1][k], at));
  }
  return _mm256_blendv_epi8(lo, hi, x);
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_lut_q8 *p = params;
  const uint8_t *table = ptr[1];
  pieces t;
  for (int h = 0; h < 2; h++) {
    __m256i last = _mm256_setzero_si256();
    for (int k = 0; k < 8; k++) {
      __m128i piece = _mm_loadu_si128((const __m128i *)(const void *)(table + h * 128 + k * 16));
      __m256i both = _mm256_broadcastsi128_si256(piece);
      t.d[h][k] = _mm256_xor_si256(both, last);
      last = both;
    }
  }
  int64_t from, to, at, n;
  whet__lut_split(p, part, parts, &from, &to, &at, &n);
  for (; from < to; from++) {
    const uint8_t *in = (const uint8_t *)ptr[0] + from * p->in_pitch + at;
    uint8_t *out = (uint8_t *)ptr[2] + from * p->out_pitch + at;
    int64_t i = 0;
    for (; i + 32 <= n; i += 32) {
      __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(in + i));
      _mm256_storeu_si256((__m256i *)(void *)(out + i), lookup(x, &t));
    }
    for (; i < n; i++) out[i] = table[in[i]];
  }
}

const whet_kern whet_k_lut_q8__avx2_shuffle = {
    .name = "lut_q8__avx2_shuffle", .isa = WHET_ISA_AVX2, .exact = 1, .run = run};
