/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_VEC_H
#define WHET_KERN_VEC_H

/* The vector layer of kern/vec_c.h on RVV 1.0: 8 elements, which any vector length from 128 bits on holds in two
 * registers or in one. They are vectors of the compiler (clang) with a length of their own, so arrays and structures
 * may have them; the compiler makes instructions with vl = 8 of them. What has no operator there goes through memory,
 * by intrinsics. */

#include <math.h>
#include <riscv_vector.h>

#include "base/base.h"

#define VW 8
typedef float vf __attribute__((ext_vector_type(8)));
typedef int32_t vi __attribute__((ext_vector_type(8)));
typedef uint32_t vu __attribute__((ext_vector_type(8))); /* where sums shall wrap */
typedef vi vm;                                           /* 0 or -1 */
/* As they lie in memory: at any multiple of an element's size. */
typedef float vf_memory __attribute__((ext_vector_type(8), aligned(4), may_alias));
typedef int32_t vi_memory __attribute__((ext_vector_type(8), aligned(4), may_alias));

static inline vf vf_set(float x) { return (vf)x; }
static inline vf vf_load(const float *p) { return *(const vf_memory *)p; }
static inline void vf_store(float *p, vf v) { *(vf_memory *)p = v; }
static inline vi vi_set(int32_t x) { return (vi)x; }
static inline vm vm_first(int64_t n) { return vi_set((int32_t)n) > (vi){0, 1, 2, 3, 4, 5, 6, 7}; }
static inline vf vf_load_n(const float *p, int64_t n) {
  _Alignas(32) float t[VW];
  vfloat32m2_t none = __riscv_vfmv_v_f_f32m2(0, VW);
  if (n > 0) none = __riscv_vle32_v_f32m2_tu(none, p, (size_t)(n < VW ? n : VW));
  __riscv_vse32_v_f32m2(t, none, VW);
  return vf_load(t);
}
static inline void vf_store_n(float *p, vf v, int64_t n) {
  _Alignas(32) float t[VW];
  vf_store(t, v);
  if (n > 0) __riscv_vse32_v_f32m2(p, __riscv_vle32_v_f32m2(t, VW), (size_t)(n < VW ? n : VW));
}
static inline vf vf_add(vf a, vf b) { return a + b; }
static inline vf vf_sub(vf a, vf b) { return a - b; }
static inline vf vf_mul(vf a, vf b) { return a * b; }
static inline vf vf_div(vf a, vf b) { return a / b; }
static inline vf vf_fma(vf a, vf b, vf c) { return __builtin_elementwise_fma(a, b, c); }
static inline vf vf_fnma(vf a, vf b, vf c) { return __builtin_elementwise_fma(-a, b, c); }
static inline vf vf_sqrt(vf a) { return __builtin_elementwise_sqrt(a); }
static inline vi vf_bits(vf a) { return (vi)a; }
static inline vf vi_bits(vi a) { return (vf)a; }
static inline vf vf_sel(vm m, vf a, vf b) { return m ? a : b; }
static inline vf vf_max(vf a, vf b) { return vf_sel(a > b, a, b); }
static inline vf vf_min(vf a, vf b) { return vf_sel(a < b, a, b); }
static inline vf vf_abs(vf a) { return __builtin_elementwise_abs(a); }
static inline vf vf_neg(vf a) { return -a; }
static inline vf vf_copysign(vf a, vf b) { return __builtin_elementwise_copysign(a, b); }
static inline vm vf_lt(vf a, vf b) { return a < b; }
static inline vm vf_le(vf a, vf b) { return a <= b; }
static inline vm vf_gt(vf a, vf b) { return a > b; }
static inline vm vf_ge(vf a, vf b) { return a >= b; }
static inline vm vf_eq(vf a, vf b) { return a == b; }
static inline vm vf_ne(vf a, vf b) { return a != b; }
static inline vm vm_and(vm a, vm b) { return a & b; }
static inline vm vm_or(vm a, vm b) { return a | b; }
static inline bool vm_any(vm a) { return __builtin_reduce_or(a) != 0; }
static inline void vm_store_n(uint8_t *p, vm m, int64_t n) {
  typedef uint8_t bytes __attribute__((ext_vector_type(VW)));
  bytes b = __builtin_convertvector(m & vi_set(1), bytes);
  if (n > 0) memcpy(p, &b, n < VW ? (size_t)n : VW);
}
/* Cut by adding 2^23 and looking at the bits: qemu 7.2 stops at the conversion that cuts. */
static inline void vf_store_bytes(uint8_t *p, vf v, int64_t n) {
  typedef uint8_t bytes __attribute__((ext_vector_type(VW)));
  vf x = vf_abs(v), two23 = vf_set(0x1p23f), r = x + two23;
  vi whole = (vi)vf_sel(r - two23 > x, r - vf_set(1), r) & vi_set(511), sign = (vi)v >> vi_set(31);
  bytes b = __builtin_convertvector((whole ^ sign) - sign, bytes);
  if (n > 0) memcpy(p, &b, n < VW ? (size_t)n : VW);
}
/* By adding and taking away 2^23, as in the portable layer. */
static inline vf vf_round(vf a) {
  vf x = vf_abs(a), two23 = vf_set(0x1p23f);
  return vf_copysign(vf_sel(x < two23, x + two23 - two23, x), a);
}
static inline vf vf_floor(vf a) {
  vf r = vf_round(a);
  return vf_sel(r > a, r - vf_set(1), r);
}
static inline vf vf_ceil(vf a) {
  vf r = vf_round(a);
  return vf_sel(r < a, vf_copysign(r + vf_set(1), a), r);
}
static inline vi vi_add(vi a, vi b) { return (vi)((vu)a + (vu)b); }
static inline vi vi_sub(vi a, vi b) { return (vi)((vu)a - (vu)b); }
static inline vi vi_mul(vi a, vi b) { return (vi)((vu)a * (vu)b); }
static inline vi vi_and(vi a, vi b) { return a & b; }
static inline vi vi_xor(vi a, vi b) { return a ^ b; }
static inline vi vi_shl(vi a, int n) { return (vi)((vu)a << (vu)vi_set(n)); }
static inline vi vi_sar(vi a, int n) { return a >> vi_set(n); }
static inline vm vi_test(vi a, int32_t m) { return (a & vi_set(m)) != vi_set(0); }
static inline vf vi_to_f(vi a) { return __builtin_convertvector(a, vf); }
static inline vi vi_load(const int32_t *p) { return *(const vi_memory *)p; }

/* Halves of a vector, and halves of those. */
typedef float vec_4 __attribute__((ext_vector_type(4)));
typedef float vec_2 __attribute__((ext_vector_type(2)));
static inline vec_4 vec_low(vf a) { return __builtin_shufflevector(a, a, 0, 1, 2, 3); }
static inline vec_4 vec_high(vf a) { return __builtin_shufflevector(a, a, 4, 5, 6, 7); }
static inline float vf_tree_sum(vf a) {
  vec_4 s = vec_low(a) + vec_high(a);
  vec_2 t = __builtin_shufflevector(s, s, 0, 1) + __builtin_shufflevector(s, s, 2, 3);
  return t[0] + t[1];
}
static inline float vf_tree_max(vf a) {
  float t[VW];
  vf_store(t, a);
  for (int half = VW / 2; half; half /= 2)
    for (int i = 0; i < half; i++) t[i] = t[i] > t[i + half] ? t[i] : t[i + half];
  return t[0];
}
static inline void vf_turn(const float *from, int64_t step, float *to, int64_t to_step) {
  for (int i = 0; i < VW; i++)
    __riscv_vse32_v_f32m2(to + i * to_step, __riscv_vlse32_v_f32m2(from + i, step * (int64_t)sizeof(float), VW), VW);
}
static inline vf vf_scale(vf a, vf n) {
  vf half = vf_round(n * vf_set(0.5f)), rest = n - half, magic = vf_set(0x1.8p23f);
  vi bias = vi_set(0x4b400000 - 127);
  a = a * vi_bits(vi_shl(vi_sub(vf_bits(half + magic), bias), 23));
  return a * vi_bits(vi_shl(vi_sub(vf_bits(rest + magic), bias), 23));
}

#endif
