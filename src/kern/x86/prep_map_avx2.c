/* SPDX-License-Identifier: Apache-2.0 */
/* Family prep_map, AVX2: flips and affine maps, interleaved pixels as one stream, three planes by byte shuffles. */

#include <immintrin.h>

#include "kern/prep_map.h"

/* Eight samples times mul plus add. */
static inline void affine8(const uint8_t *in, float *out, __m256 mul, __m256 add) {
  __m256 v = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)in)));
  _mm256_storeu_ps(out, _mm256_add_ps(_mm256_mul_ps(v, mul), add));
}

/* 16 pixels of three samples into three vectors. */
static inline void planes(const uint8_t *in, __m128i out[3]) {
  const __m128i a = _mm_loadu_si128((const __m128i *)in), b = _mm_loadu_si128((const __m128i *)(in + 16)),
                c = _mm_loadu_si128((const __m128i *)(in + 32));
  out[0] = _mm_or_si128(
      _mm_shuffle_epi8(a, _mm_setr_epi8(0, 3, 6, 9, 12, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1)),
      _mm_or_si128(_mm_shuffle_epi8(b, _mm_setr_epi8(-1, -1, -1, -1, -1, -1, 2, 5, 8, 11, 14, -1, -1, -1, -1, -1)),
                   _mm_shuffle_epi8(c, _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, 4, 7, 10, 13))));
  out[1] = _mm_or_si128(
      _mm_shuffle_epi8(a, _mm_setr_epi8(1, 4, 7, 10, 13, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1)),
      _mm_or_si128(_mm_shuffle_epi8(b, _mm_setr_epi8(-1, -1, -1, -1, -1, 0, 3, 6, 9, 12, 15, -1, -1, -1, -1, -1)),
                   _mm_shuffle_epi8(c, _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 2, 5, 8, 11, 14))));
  out[2] = _mm_or_si128(
      _mm_shuffle_epi8(a, _mm_setr_epi8(2, 5, 8, 11, 14, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1)),
      _mm_or_si128(_mm_shuffle_epi8(b, _mm_setr_epi8(-1, -1, -1, -1, -1, 1, 4, 7, 10, 13, -1, -1, -1, -1, -1, -1)),
                   _mm_shuffle_epi8(c, _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 3, 6, 9, 12, 15))));
}

/* Pixel x alone. */
static void one(const whet_prep_map *p, const uint8_t *in, void *out, int64_t x) {
  for (int64_t ch = 0; ch < p->c; ch++) {
    int64_t at = p->planar ? ch * p->plane + x : x * p->c + ch;
    if (p->kind == WHET_PREP_FLIP)
      ((uint8_t *)out)[at] = in[x * p->c + ch] ^ p->flip;
    else
      ((float *)out)[at] = (float)in[x * p->c + ch] * p->mul[ch] + p->add[ch];
  }
}

/* Samples from..to of interleaved pixels; `from` is the first of a pixel. */
static void stream(const whet_prep_map *p, const uint8_t *in, void *out, int64_t from, int64_t to) {
  int64_t i = from;
  if (p->kind == WHET_PREP_FLIP) {
    const __m256i flip = _mm256_set1_epi8((char)p->flip);
    for (; i + 32 <= to; i += 32)
      _mm256_storeu_si256((__m256i *)((uint8_t *)out + i),
                          _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(in + i)), flip));
    for (; i < to; i++) ((uint8_t *)out)[i] = in[i] ^ p->flip;
    return;
  }
  float mul[24], add[24]; /* a period that every channel count from 1 to 4 divides */
  for (int k = 0; k < 24; k++) mul[k] = p->mul[k % p->c], add[k] = p->add[k % p->c];
  for (; i + 24 <= to; i += 24)
    for (int k = 0; k < 24; k += 8)
      affine8(in + i + k, (float *)out + i + k, _mm256_loadu_ps(mul + k), _mm256_loadu_ps(add + k));
  for (int k = 0; i < to; i++, k++) ((float *)out)[i] = (float)in[i] * mul[k] + add[k];
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_prep_map *p = params;
  const uint8_t *in = ptr[0];
  void *out = ptr[1];
  int64_t x, to;
  whet__split(p->n, part, parts, &x, &to);
  if (!p->planar) {
    stream(p, in, out, x * p->c, to * p->c);
    return;
  }
  const __m128i flip = _mm_set1_epi8((char)p->flip);
  for (; x + 16 <= to; x += 16) {
    __m128i v[3];
    planes(in + x * 3, v);
    for (int64_t ch = 0; ch < 3; ch++) {
      if (p->kind == WHET_PREP_FLIP) {
        _mm_storeu_si128((__m128i *)((uint8_t *)out + ch * p->plane + x), _mm_xor_si128(v[ch], flip));
        continue;
      }
      uint8_t plane[16];
      float *o = (float *)out + ch * p->plane + x;
      __m256 mul = _mm256_set1_ps(p->mul[ch]), add = _mm256_set1_ps(p->add[ch]);
      _mm_storeu_si128((__m128i *)plane, v[ch]);
      affine8(plane, o, mul, add);
      affine8(plane + 8, o + 8, mul, add);
    }
  }
  for (; x < to; x++) one(p, in, out, x);
}

/* Tables are left to other rows; planes: three. */
static bool fits(const void *params) {
  const whet_prep_map *p = params;
  return p->kind != WHET_PREP_TABLE && (!p->planar || p->c == 3);
}

const whet_kern whet_k_prep_map__avx2_24 = {
    .name = "prep_map__avx2_24", .isa = WHET_ISA_AVX2, .exact = 1, .fits = fits, .run = run};
