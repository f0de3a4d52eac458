/* SPDX-License-Identifier: Apache-2.0 */
/* How many multiply-adds one core does: the yardstick of --bench. Independent chains of the widest registers that a
 * set of instruction sets has. */

#include "kern/check.h"

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

#if defined(__x86_64__)
#include <immintrin.h>

/* Twelve chains hide a latency of up to six cycles on two pipes. */
#define CHAINS(V, set, fma)                                                  \
  V acc[12], m = set(0.999f), a = set(0.001f);                               \
  UNROLL for (int i = 0; i < 12; i++) acc[i] = set((float)i);                \
  for (int64_t r = 0; r < n; r++) {                                          \
    UNROLL for (int i = 0; i < 12; i++) acc[i] = fma(acc[i], m, a);          \
    UNROLL for (int i = 0; i < 12; i++) __asm__ volatile("" : "+v"(acc[i])); \
  }

__attribute__((target("avx512f"))) static double chains_512(int64_t n) {
  CHAINS(__m512, _mm512_set1_ps, _mm512_fmadd_ps)
  return 12 * 16 * 2;
}
__attribute__((target("avx2,fma"))) static double chains_256(int64_t n) {
  CHAINS(__m256, _mm256_set1_ps, _mm256_fmadd_ps)
  return 12 * 8 * 2;
}
#undef CHAINS
#elif defined(__aarch64__)
#include <arm_neon.h>
static double chains_neon(int64_t n) {
  float32x4_t acc[20], m = vdupq_n_f32(0.999f), a = vdupq_n_f32(0.001f);
  for (int i = 0; i < 20; i++) acc[i] = vdupq_n_f32((float)i);
  for (int64_t r = 0; r < n; r++) {
    UNROLL for (int i = 0; i < 20; i++) acc[i] = vfmaq_f32(a, acc[i], m);
    UNROLL for (int i = 0; i < 20; i++) __asm__ volatile("" : "+w"(acc[i]));
  }
  return 20 * 4 * 2;
}
#endif

/* Multiply and add as the compiler makes it of plain code: what portable code is measured by. */
static double chains_scalar(int64_t n) {
  float acc[12];
  for (int i = 0; i < 12; i++) acc[i] = (float)i;
  for (int64_t r = 0; r < n; r++) UNROLL for (int i = 0; i < 12; i++) acc[i] = acc[i] * 0.999f + 0.001f;
  __asm__ volatile("" : : "m"(acc));
  return 12 * 2;
}

double kc_peak(uint32_t isa) {
  static double known[3];
  int which = 0;
  double (*fn)(int64_t) = chains_scalar;
#if defined(__x86_64__)
  if (isa & WHET_ISA_AVX512)
    which = 2, fn = chains_512;
  else if (isa & (WHET_ISA_AVX2 | WHET_ISA_AVXVNNI))
    which = 1, fn = chains_256;
#elif defined(__aarch64__)
  if (isa) which = 1, fn = chains_neon;
#endif
  for (int i = 0; i < 40 && (i < 39 || !known[which]); i++) {
    double t = kc_now(), ops = fn(100000) * 100000;
    double rate = ops / (kc_now() - t);
    if (known[which] && i == 0) break;
    if (rate > known[which]) known[which] = rate;
  }
  return known[which];
}
