/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_VEC_H
#define WHET_KERN_VEC_H

/* The vector layer of kern/vec_c.h on AVX-512: 16 elements. */

#include "kern/kern.h"

#include <immintrin.h>
#include <math.h>

typedef __m512 vf;
typedef __m512i vi;
typedef __mmask16 vm;
#define VW 16

static inline vf vf_set(float x) { return _mm512_set1_ps(x); }
static inline vf vf_load(const float *p) { return _mm512_loadu_ps(p); }
static inline void vf_store(float *p, vf v) { _mm512_storeu_ps(p, v); }
static inline vm vm_first(int64_t n) { return (vm)_bzhi_u32(0xffff, (unsigned)n); }
static inline vf vf_load_n(const float *p, int64_t n) { return _mm512_maskz_loadu_ps(vm_first(n), p); }
static inline void vf_store_n(float *p, vf v, int64_t n) { _mm512_mask_storeu_ps(p, vm_first(n), v); }
static inline vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
static inline vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
static inline vf vf_div(vf a, vf b) { return _mm512_div_ps(a, b); }
static inline vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
static inline vf vf_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }
static inline vf vf_sqrt(vf a) { return _mm512_sqrt_ps(a); }
static inline vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
static inline vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
static inline vi vf_bits(vf a) { return _mm512_castps_si512(a); }
static inline vf vi_bits(vi a) { return _mm512_castsi512_ps(a); }
static inline vf vf_abs(vf a) { return _mm512_abs_ps(a); }
static inline vf vf_neg(vf a) { return _mm512_xor_ps(_mm512_set1_ps(-0.f), a); }
static inline vf vf_copysign(vf a, vf b) {
  return vi_bits(_mm512_ternarylogic_epi32(vf_bits(a), vf_bits(b), _mm512_set1_epi32(INT32_MIN), 0xd8));
}
static inline vm vf_lt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
static inline vm vf_le(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
static inline vm vf_gt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
static inline vm vf_ge(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ); }
static inline vm vf_eq(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
static inline vm vf_ne(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ); }
static inline vf vf_sel(vm m, vf a, vf b) { return _mm512_mask_blend_ps(m, b, a); }
static inline vm vm_and(vm a, vm b) { return (vm)(a & b); }
static inline vm vm_or(vm a, vm b) { return (vm)(a | b); }
static inline bool vm_any(vm a) { return a != 0; }
static inline void vm_store_n(uint8_t *p, vm m, int64_t n) {
  _mm_mask_storeu_epi8(p, vm_first(n), _mm_maskz_set1_epi8(m, 1));
}
static inline void vf_store_bytes(uint8_t *p, vf v, int64_t n) {
  __m128i b = _mm512_cvtepi32_epi8(_mm512_cvttps_epi32(v));
  if (n >= 16)
    _mm_storeu_si128((__m128i *)(void *)p, b);
  else
    _mm_mask_storeu_epi8(p, vm_first(n), b);
}
static inline vf vf_round(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
static inline vf vf_floor(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
static inline vf vf_ceil(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
static inline vi vi_set(int32_t x) { return _mm512_set1_epi32(x); }
static inline vi vi_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm512_sub_epi32(a, b); }
static inline vi vi_mul(vi a, vi b) { return _mm512_mullo_epi32(a, b); }
static inline vi vi_and(vi a, vi b) { return _mm512_and_si512(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm512_xor_si512(a, b); }
static inline vi vi_shl(vi a, int n) { return _mm512_slli_epi32(a, (unsigned)n); }
static inline vi vi_sar(vi a, int n) { return _mm512_srai_epi32(a, (unsigned)n); }
static inline vm vi_test(vi a, int32_t m) { return _mm512_test_epi32_mask(a, vi_set(m)); }
static inline vf vi_to_f(vi a) { return _mm512_cvtepi32_ps(a); }
static inline vi vi_load(const int32_t *p) { return _mm512_loadu_si512(p); }
#define VF_TREE(name, op)                                                                 \
  static inline float vf_tree_##name(vf a) {                                              \
    __m256 h = _mm256_##op##_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1)); \
    __m128 b = _mm_##op##_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));     \
    b = _mm_##op##_ps(b, _mm_movehl_ps(b, b));                                            \
    return _mm_cvtss_f32(_mm_##op##_ss(b, _mm_movehdup_ps(b)));                           \
  }
VF_TREE(sum, add)
VF_TREE(max, max)
static __attribute__((noinline, unused)) void vf_turn(const float *from, int64_t step, float *to, int64_t to_step) {
  vf r[16], t[16];
  WHET_UNROLL
  for (int i = 0; i < 16; i += 2) {
    vf a = vf_load(from + i * step), b = vf_load(from + (i + 1) * step);
    t[i] = _mm512_unpacklo_ps(a, b);
    t[i + 1] = _mm512_unpackhi_ps(a, b);
  }
  WHET_UNROLL
  for (int i = 0; i < 16; i += 4) {
    WHET_UNROLL
    for (int k = 0; k < 2; k++) { /* r[4 i + k]: column 4 j + k of rows 4 i .. in quarter j */
      r[i + 2 * k] = _mm512_shuffle_ps(t[i + k], t[i + k + 2], 0x44);
      r[i + 2 * k + 1] = _mm512_shuffle_ps(t[i + k], t[i + k + 2], 0xee);
    }
  }
  WHET_UNROLL
  for (int k = 0; k < 4; k++) {
    vf a = _mm512_shuffle_f32x4(r[k], r[4 + k], 0x88), b = _mm512_shuffle_f32x4(r[8 + k], r[12 + k], 0x88);
    vf c = _mm512_shuffle_f32x4(r[k], r[4 + k], 0xdd), d = _mm512_shuffle_f32x4(r[8 + k], r[12 + k], 0xdd);
    vf_store(to + k * to_step, _mm512_shuffle_f32x4(a, b, 0x88));
    vf_store(to + (k + 8) * to_step, _mm512_shuffle_f32x4(a, b, 0xdd));
    vf_store(to + (k + 4) * to_step, _mm512_shuffle_f32x4(c, d, 0x88));
    vf_store(to + (k + 12) * to_step, _mm512_shuffle_f32x4(c, d, 0xdd));
  }
}
static inline vf vf_scale(vf a, vf n) { return _mm512_scalef_ps(a, n); }
/* a less its nearest integer, 0 for infinities; vf_scale takes any integer here, infinities too. */
#define VF_FRACTION 1
static inline vf vf_fraction(vf a) { return _mm512_reduce_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

#endif
