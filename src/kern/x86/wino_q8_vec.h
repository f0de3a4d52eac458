/* SPDX-License-Identifier: Apache-2.0 */
/* What wino_q8_body.h needs of vectors beside out_q8_avx2.h or out_q8_avx512.h: 16-bit lanes, and memory. */


#ifdef __AVX512BW__
enum { WW_LANES = 32 };
typedef __m512i ww;
OUT_INLINE ww ww_set(int16_t x) { return _mm512_set1_epi16(x); }
OUT_INLINE ww ww_add(ww a, ww b) { return _mm512_add_epi16(a, b); }
OUT_INLINE ww ww_sub(ww a, ww b) { return _mm512_sub_epi16(a, b); }
OUT_INLINE ww ww_shl(ww a, int n) { return _mm512_slli_epi16(a, (unsigned)n); }
OUT_INLINE void ww_store(int16_t *p, ww x) { _mm512_storeu_si512(p, x); }
OUT_INLINE out_int wd_sar(out_int x, int n) { return _mm512_srai_epi32(x, (unsigned)n); }
/* Bytes as unsigned numbers, their top bit turned where they are signed. */
OUT_INLINE ww ww_widen(const uint8_t *p, bool is_signed) {
  __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)p);
  return _mm512_cvtepu8_epi16(is_signed ? _mm256_xor_si256(x, _mm256_set1_epi8((char)0x80)) : x);
}
#else
enum { WW_LANES = 16 };
typedef __m256i ww;
OUT_INLINE ww ww_set(int16_t x) { return _mm256_set1_epi16(x); }
OUT_INLINE ww ww_add(ww a, ww b) { return _mm256_add_epi16(a, b); }
OUT_INLINE ww ww_sub(ww a, ww b) { return _mm256_sub_epi16(a, b); }
OUT_INLINE ww ww_shl(ww a, int n) { return _mm256_slli_epi16(a, n); }
OUT_INLINE void ww_store(int16_t *p, ww x) { _mm256_storeu_si256((__m256i *)(void *)p, x); }
OUT_INLINE out_int wd_sar(out_int x, int n) { return _mm256_srai_epi32(x, n); }
OUT_INLINE ww ww_widen(const uint8_t *p, bool is_signed) {
  __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
  return _mm256_cvtepu8_epi16(is_signed ? _mm_xor_si128(x, _mm_set1_epi8((char)0x80)) : x);
}
#endif

/* Products of words in tiles of one block of 16 outputs: words_add(sum, pairs, weights) adds two products to each lane. A
 * file that has no tiles of its own defines it, includes this part, and lists WORDS_TILE(1) to WORDS_TILE(most). */
enum { WORDS_VECS = 16 / OUT_LANES };
#define WORDS_TILE(MR)                                                                                          \
  static __attribute__((noinline)) void words_##MR(const int16_t *a, int64_t lda, int64_t k2, const int8_t *b,  \
                                                   int32_t *out) {                                              \
    out_int acc[MR][WORDS_VECS];                                                                                \
    const int16_t *q[(MR + 2) / 3];                                                                             \
    OUT_UNROLL for (int i = 0; i < (MR + 2) / 3; i++) q[i] = a + 3 * i * lda;                                   \
    _Pragma("GCC unroll 32") for (int i = 0; i < MR; i++) OUT_UNROLL for (int v = 0; v < WORDS_VECS; v++)       \
        acc[i][v] = out_zero();                                                                                 \
    for (int64_t k = 0; k < k2; k++, b += 64) {                                                                 \
      out_int w[WORDS_VECS];                                                                                    \
      OUT_UNROLL for (int v = 0; v < WORDS_VECS; v++) w[v] = out_load_int((const int32_t *)(const void *)b + v * OUT_LANES); \
      _Pragma("GCC unroll 32") for (int i = 0; i < MR; i++) {                                                   \
        int32_t x;                                                                                              \
        memcpy(&x, q[i / 3] + i % 3 * lda, 4);                                                                  \
        out_int u = out_set_i(x);                                                                               \
        OUT_UNROLL for (int v = 0; v < WORDS_VECS; v++) words_add(&acc[i][v], u, w[v]);                         \
      }                                                                                                         \
      OUT_UNROLL for (int i = 0; i < (MR + 2) / 3; i++) q[i] += 2;                                              \
    }                                                                                                           \
    _Pragma("GCC unroll 32") for (int i = 0; i < MR; i++) OUT_UNROLL for (int v = 0; v < WORDS_VECS; v++)       \
        out_store_int(out + i * 16 + v * OUT_LANES, acc[i][v]);                                                      \
  }
typedef void (*words_fn)(const int16_t *a, int64_t lda, int64_t k2, const int8_t *b, int32_t *out);

/* mr x 16*nv sums: out[r][j] = sum over k of a[r*lda + k] * b[j/16][k/2][j%16][k%2], lda in elements, `block` bytes
 * between blocks; what lies `next` bytes further is wanted when all passes over b are done. */
typedef void wino_words(int mr, int nv, const int16_t *a, int64_t lda, int64_t k2, const int8_t *b, int64_t block,
                        int64_t next, int pass, int32_t *out);
