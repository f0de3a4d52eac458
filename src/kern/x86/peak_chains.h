/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_X86_PEAK_CHAINS_H
#define WHET_KERN_X86_PEAK_CHAINS_H

/* Chains of multiply-adds for peak.c, its only reader. */

#include <immintrin.h>

/* Twelve chains hide a latency of up to six cycles on two pipes. */
#define CHAINS(V, set, step)                                                 \
  V acc[12];                                                                 \
  UNROLL for (int i = 0; i < 12; i++) acc[i] = set;                          \
  for (int64_t r = 0; r < n; r++) {                                          \
    UNROLL for (int i = 0; i < 12; i++) acc[i] = step;                       \
    UNROLL for (int i = 0; i < 12; i++) __asm__ volatile("" : "+v"(acc[i])); \
  }

__attribute__((target("avx512f"))) static double f32_512(int64_t n) {
  const __m512 m = _mm512_set1_ps(0.999f), a = _mm512_set1_ps(0.001f);
  CHAINS(__m512, _mm512_set1_ps((float)i), _mm512_fmadd_ps(acc[i], m, a))
  return 12 * 16 * 2;
}
__attribute__((target("avx2,fma"))) static double f32_256(int64_t n) {
  const __m256 m = _mm256_set1_ps(0.999f), a = _mm256_set1_ps(0.001f);
  CHAINS(__m256, _mm256_set1_ps((float)i), _mm256_fmadd_ps(acc[i], m, a))
  return 12 * 8 * 2;
}
__attribute__((target("avx512f,avx512vnni"))) static double q8_vnni(int64_t n) {
  const __m512i a = _mm512_set1_epi8(3), b = _mm512_set1_epi8(-5);
  CHAINS(__m512i, _mm512_set1_epi32(i), _mm512_dpbusd_epi32(acc[i], a, b))
  return 12 * 64 * 2;
}
__attribute__((target("avx2,avxvnni"))) static double q8_avxvnni(int64_t n) {
  const __m256i a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(-5);
  CHAINS(__m256i, _mm256_set1_epi32(i), _mm256_dpbusd_avx_epi32(acc[i], a, b))
  return 12 * 32 * 2;
}
__attribute__((target("avx512f,avx512bw"))) static double q8_512(int64_t n) {
  const __m512i a = _mm512_set1_epi16(3), b = _mm512_set1_epi16(-5);
  CHAINS(__m512i, _mm512_set1_epi32(i), _mm512_add_epi32(acc[i], _mm512_madd_epi16(_mm512_xor_si512(a, acc[i]), b)))
  return 12 * 32 * 2;
}
__attribute__((target("avx2"))) static double q8_256(int64_t n) {
  const __m256i a = _mm256_set1_epi16(3), b = _mm256_set1_epi16(-5);
  CHAINS(__m256i, _mm256_set1_epi32(i), _mm256_add_epi32(acc[i], _mm256_madd_epi16(_mm256_xor_si256(a, acc[i]), b)))
  return 12 * 16 * 2;
}
#undef CHAINS

/* The chains for a set of instruction sets. */
static chains_fn vector_chains(uint32_t isa, bool q8, int *which) {
  if (q8 && isa & WHET_ISA_VNNI) return *which = 1, q8_vnni;
  if (isa & WHET_ISA_AVX512) return *which = 2 + q8, q8 ? q8_512 : f32_512;
  if (q8 && isa & WHET_ISA_AVXVNNI) return *which = 4, q8_avxvnni;
  if (isa & (WHET_ISA_AVX2 | WHET_ISA_AVXVNNI)) return *which = 5 + q8, q8 ? q8_256 : f32_256;
  return NULL;
}

#endif
