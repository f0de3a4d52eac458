/* SPDX-License-Identifier: Apache-2.0 */
/* Family prep_color, AVX2: four pixels at a time by one byte shuffle; grey by two multiply-adds of words. */

#include <immintrin.h>

#include "kern/prep_color.h"

/* Four grey values from 16 bytes that hold four pixels; rg and b pick red and green, blue as pairs of words. */
static inline __m128i luma(__m128i v, __m128i rg, __m128i b) {
  __m128i y = _mm_add_epi32(_mm_madd_epi16(_mm_shuffle_epi8(v, rg), _mm_set1_epi32(4899 | 9617 << 16)),
                            _mm_madd_epi16(_mm_shuffle_epi8(v, b), _mm_set1_epi32(1868)));
  return _mm_srli_epi32(_mm_add_epi32(y, _mm_set1_epi32(8192)), 14);
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_prep_color *p = params;
  const uint8_t *in = ptr[0];
  uint8_t *out = ptr[1];
  int64_t x, to, ci = p->c_in, co = p->c_out;
  whet__split(p->n, part, parts, &x, &to);
  int64_t safe = (p->n * ci - 16) / ci; /* the last pixel from which 16 bytes may be read */
  if (p->n * ci < 16) safe = -1;
  uint8_t pick[16], extra[16];
  for (int i = 0; i < 16; i++) {
    int px = i / 4, word = i / 2 % 2;
    pick[i] = extra[i] = 0x80;
    if (p->luma && i % 2 == 0) {
      pick[i] = (uint8_t)(px * ci + p->from[word]);
      if (!word) extra[i] = (uint8_t)(px * ci + p->from[2]);
    } else if (!p->luma && i < 4 * co) {
      uint8_t from = p->from[i % co];
      pick[i] = from == WHET_PREP_MAX ? 0x80 : (uint8_t)(i / co * ci + from);
      extra[i] = from == WHET_PREP_MAX ? 255 : 0;
    }
  }
  const __m128i m = _mm_loadu_si128((const __m128i *)pick), e = _mm_loadu_si128((const __m128i *)extra);
  for (; x + 4 <= to && x <= safe; x += 4) {
    __m128i v = _mm_loadu_si128((const __m128i *)(in + x * ci));
    uint8_t *o = out + x * co;
    if (p->luma) {
      v = luma(v, m, e);
      v = _mm_packus_epi16(_mm_packs_epi32(v, v), v);
    } else {
      v = _mm_or_si128(_mm_shuffle_epi8(v, m), e);
    }
    int32_t a = _mm_cvtsi128_si32(v), c = _mm_extract_epi32(v, 2);
    if (co == 1) {
      memcpy(o, &a, sizeof a);
    } else if (co == 4) {
      _mm_storeu_si128((__m128i *)o, v);
    } else {
      _mm_storel_epi64((__m128i *)o, v);
      memcpy(o + 8, &c, sizeof c);
    }
  }
  for (; x < to; x++) {
    const uint8_t *px = in + x * ci;
    if (p->luma)
      out[x] = (uint8_t)((px[p->from[0]] * 4899 + px[p->from[1]] * 9617 + px[p->from[2]] * 1868 + 8192) >> 14);
    for (int64_t ch = 0; ch < co && !p->luma; ch++)
      out[x * co + ch] = p->from[ch] == WHET_PREP_MAX ? 255 : px[p->from[ch]];
  }
}

/* From three or four samples to one, three or four. */
static bool fits(const void *params) {
  const whet_prep_color *p = params;
  return p->c_in >= 3 && (p->luma || p->c_out >= 3);
}

const whet_kern whet_k_prep_color__avx2_4 = {
    .name = "prep_color__avx2_4", .isa = WHET_ISA_AVX2, .exact = 1, .fits = fits, .run = run};
