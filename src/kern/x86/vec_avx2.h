/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_VEC_H
#define WHET_KERN_VEC_H

/* The vector layer of kern/vec_c.h on AVX2 and FMA: 8 elements. */

#include "kern/kern.h"

#include <immintrin.h>
#include <math.h>

typedef __m256 vf;
typedef __m256i vi;
typedef __m256 vm;
#define VW 8

static inline vf vf_set(float x) { return _mm256_set1_ps(x); }
static inline vf vf_load(const float *p) { return _mm256_loadu_ps(p); }
static inline void vf_store(float *p, vf v) { _mm256_storeu_ps(p, v); }
static inline __m256i vi_first(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
static inline vm vm_first(int64_t n) { return _mm256_castsi256_ps(vi_first(n)); }
static inline vf vf_load_n(const float *p, int64_t n) { return _mm256_maskload_ps(p, vi_first(n)); }
static inline void vf_store_n(float *p, vf v, int64_t n) { _mm256_maskstore_ps(p, vi_first(n), v); }
static inline vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
static inline vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
static inline vf vf_div(vf a, vf b) { return _mm256_div_ps(a, b); }
static inline vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
static inline vf vf_fnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }
static inline vf vf_sqrt(vf a) { return _mm256_sqrt_ps(a); }
static inline vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
static inline vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
static inline vi vf_bits(vf a) { return _mm256_castps_si256(a); }
static inline vf vi_bits(vi a) { return _mm256_castsi256_ps(a); }
static inline vf vf_abs(vf a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.f), a); }
static inline vf vf_neg(vf a) { return _mm256_xor_ps(_mm256_set1_ps(-0.f), a); }
static inline vf vf_copysign(vf a, vf b) {
  vf s = _mm256_set1_ps(-0.f);
  return _mm256_or_ps(_mm256_andnot_ps(s, a), _mm256_and_ps(s, b));
}
static inline vm vf_lt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
static inline vm vf_le(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
static inline vm vf_gt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_GT_OQ); }
static inline vm vf_ge(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_GE_OQ); }
static inline vm vf_eq(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
static inline vm vf_ne(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_NEQ_UQ); }
static inline vf vf_sel(vm m, vf a, vf b) { return _mm256_blendv_ps(b, a, m); }
static inline vm vm_and(vm a, vm b) { return _mm256_and_ps(a, b); }
static inline vm vm_or(vm a, vm b) { return _mm256_or_ps(a, b); }
static inline bool vm_any(vm a) { return _mm256_movemask_ps(a) != 0; }
static inline void vm_store_n(uint8_t *p, vm m, int64_t n) {
  uint64_t b = _pdep_u64((uint64_t)_mm256_movemask_ps(m), UINT64_C(0x0101010101010101));
  if (n >= 8)
    memcpy(p, &b, 8);
  else
    for (int64_t i = 0; i < n; i++) p[i] = (uint8_t)(b >> 8 * i);
}
static inline void vf_store_bytes(uint8_t *p, vf v, int64_t n) {
  __m256i i = _mm256_and_si256(_mm256_cvttps_epi32(v), _mm256_set1_epi32(255));
  __m128i b = _mm_packus_epi32(_mm256_castsi256_si128(i), _mm256_extracti128_si256(i, 1));
  int64_t each = _mm_cvtsi128_si64(_mm_packus_epi16(b, b));
  if (n > 0) memcpy(p, &each, n < 8 ? (size_t)n : 8);
}
static inline vf vf_round(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
static inline vf vf_floor(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
static inline vf vf_ceil(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
static inline vi vi_set(int32_t x) { return _mm256_set1_epi32(x); }
static inline vi vi_add(vi a, vi b) { return _mm256_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm256_sub_epi32(a, b); }
static inline vi vi_mul(vi a, vi b) { return _mm256_mullo_epi32(a, b); }
static inline vi vi_and(vi a, vi b) { return _mm256_and_si256(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm256_xor_si256(a, b); }
static inline vi vi_shl(vi a, int n) { return _mm256_slli_epi32(a, n); }
static inline vi vi_sar(vi a, int n) { return _mm256_srai_epi32(a, n); }
static inline vm vi_test(vi a, int32_t m) {
  vi z = _mm256_cmpeq_epi32(_mm256_and_si256(a, vi_set(m)), _mm256_setzero_si256());
  return _mm256_castsi256_ps(_mm256_xor_si256(z, vi_set(-1)));
}
static inline vf vi_to_f(vi a) { return _mm256_cvtepi32_ps(a); }
static inline vi vi_load(const int32_t *p) { return _mm256_loadu_si256((const __m256i *)(const void *)p); }
#define VF_TREE(name, op)                                                             \
  static inline float vf_tree_##name(vf a) {                                          \
    __m128 b = _mm_##op##_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1)); \
    b = _mm_##op##_ps(b, _mm_movehl_ps(b, b));                                        \
    return _mm_cvtss_f32(_mm_##op##_ss(b, _mm_movehdup_ps(b)));                       \
  }
VF_TREE(sum, add)
VF_TREE(max, max)
/* Four vectors, in each half of which 4 x 4 elements are turned. A blend is cheaper than a shuffle. */
static inline void vec_turn_halves(vf r[4]) {
  vf a = _mm256_unpacklo_ps(r[0], r[1]), b = _mm256_unpackhi_ps(r[0], r[1]);
  vf c = _mm256_unpacklo_ps(r[2], r[3]), d = _mm256_unpackhi_ps(r[2], r[3]);
  vf e = _mm256_shuffle_ps(a, c, 0x4e), f = _mm256_shuffle_ps(b, d, 0x4e);
  r[0] = _mm256_blend_ps(a, e, 0xcc), r[1] = _mm256_blend_ps(c, e, 0x33);
  r[2] = _mm256_blend_ps(b, f, 0xcc), r[3] = _mm256_blend_ps(d, f, 0x33);
}
static inline void vf_turn(const float *from, int64_t step, float *to, int64_t to_step) {
  vf r[8]; /* rows i and i + 4: their first four elements, then the others */
  WHET_UNROLL
  for (int i = 0; i < 8; i++) {
    const float *p = from + (i & 3) * step + (i & 4);
    r[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(p + 4 * step), 1);
  }
  vec_turn_halves(r);
  vec_turn_halves(r + 4);
  WHET_UNROLL
  for (int i = 0; i < 8; i++) vf_store(to + i * to_step, r[i]);
}
static inline vf vf_scale(vf a, vf n) {
  vi k = _mm256_cvtps_epi32(n), half = vi_sar(k, 1), rest = vi_sub(k, half), bias = vi_set(127);
  a = vf_mul(a, vi_bits(vi_shl(vi_add(half, bias), 23)));
  return vf_mul(a, vi_bits(vi_shl(vi_add(rest, bias), 23)));
}

#endif
