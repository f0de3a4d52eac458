/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_VEC_H
#define WHET_KERN_VEC_H

/* The vector layer of pointwise kernels, portable: vectors of one element. kern/x86/vec_avx2.h, vec_avx512.h,
 * kern/arm/vec_neon.h and kern/riscv/vec_rvv.h have the same names for 8, 16, 8 and 8 elements. A kernel is written once over this layer
 * (<family>_body.h) and compiled by the file of each instruction set, which includes its layer first.
 *
 *   vf  f32    vi  int32    vm  a truth value for each element    VW  elements
 *
 * Every operation is the same function of its elements on every instruction set, NaN bits apart:
 *   max(a, b) = a > b ? a : b,  min(a, b) = a < b ? a : b  (b when one of them is NaN),
 *   fma(a, b, c) = a b + c and fnma(a, b, c) = c - a b rounded once, round: half to even. */

#include <math.h>

#include "kern/kern.h"

/* Loops written out gain nothing here: a fused multiply-add may be a call. */
#undef WHET_UNROLL
#define WHET_UNROLL

typedef float vf;
typedef int32_t vi;
typedef bool vm;
#define VW 1

static inline vf vf_set(float x) { return x; }
static inline vf vf_load(const float *p) { return *p; }
static inline void vf_store(float *p, vf v) { *p = v; }
/* The first n (0 .. VW) elements, as truth values; read and written: the others are 0, or are not written. */
static inline vm vm_first(int64_t n) { return n > 0; }
static inline vf vf_load_n(const float *p, int64_t n) { return n > 0 ? *p : 0; }
static inline void vf_store_n(float *p, vf v, int64_t n) {
  if (n > 0) *p = v;
}
static inline vf vf_add(vf a, vf b) { return a + b; }
static inline vf vf_sub(vf a, vf b) { return a - b; }
static inline vf vf_mul(vf a, vf b) { return a * b; }
static inline vf vf_div(vf a, vf b) { return a / b; }
static inline vf vf_fma(vf a, vf b, vf c) { return fmaf(a, b, c); }
static inline vf vf_fnma(vf a, vf b, vf c) { return fmaf(-a, b, c); }
static inline vf vf_sqrt(vf a) { return sqrtf(a); }
static inline vf vf_max(vf a, vf b) { return a > b ? a : b; }
static inline vf vf_min(vf a, vf b) { return a < b ? a : b; }

static inline vi vf_bits(vf a) {
  vi b;
  memcpy(&b, &a, 4);
  return b;
}
static inline vf vi_bits(vi a) {
  vf b;
  memcpy(&b, &a, 4);
  return b;
}
static inline vf vf_abs(vf a) { return vi_bits(vf_bits(a) & 0x7fffffff); }
static inline vf vf_neg(vf a) { return -a; }
/* |a| with the sign of b. */
static inline vf vf_copysign(vf a, vf b) { return vi_bits((vf_bits(a) & 0x7fffffff) | (vf_bits(b) & INT32_MIN)); }

static inline vm vf_lt(vf a, vf b) { return a < b; }
static inline vm vf_le(vf a, vf b) { return a <= b; }
static inline vm vf_gt(vf a, vf b) { return a > b; }
static inline vm vf_ge(vf a, vf b) { return a >= b; }
static inline vm vf_eq(vf a, vf b) { return a == b; }
static inline vm vf_ne(vf a, vf b) { return a != b; }
static inline vf vf_sel(vm m, vf a, vf b) { return m ? a : b; }
static inline vm vm_and(vm a, vm b) { return a && b; }
static inline vm vm_or(vm a, vm b) { return a || b; }
static inline bool vm_any(vm a) { return a; }
/* The first n truth values as bytes 0 and 1. */
static inline void vm_store_n(uint8_t *p, vm m, int64_t n) {
  if (n > 0) *p = m;
}

/* Rounding by adding and taking away 2^23, which the last place of the sum is 1 at. */
static inline vf vf_round(vf a) {
  vf x = vf_abs(a);
  return vf_copysign(x < 0x1p23f ? x + 0x1p23f - 0x1p23f : x, a);
}
static inline vf vf_floor(vf a) {
  vf r = vf_round(a);
  return r > a ? r - 1 : r;
}
static inline vf vf_ceil(vf a) {
  vf r = vf_round(a);
  return r < a ? vf_copysign(r + 1, a) : r;
}

static inline vi vi_set(int32_t x) { return x; }
static inline vi vi_add(vi a, vi b) { return (vi)((uint32_t)a + (uint32_t)b); }
static inline vi vi_sub(vi a, vi b) { return (vi)((uint32_t)a - (uint32_t)b); }
static inline vi vi_mul(vi a, vi b) { return (vi)((uint32_t)a * (uint32_t)b); }
static inline vi vi_and(vi a, vi b) { return a & b; }
static inline vi vi_xor(vi a, vi b) { return a ^ b; }
static inline vi vi_shl(vi a, int n) { return (vi)((uint32_t)a << n); }
static inline vi vi_sar(vi a, int n) { return a >> n; }
/* The first n, whole numbers of -128 .. 255, as bytes. */
static inline void vf_store_bytes(uint8_t *p, vf v, int64_t n) {
  if (n > 0) *p = (uint8_t)(int32_t)v;
}
/* Any bit of m set in a. */
static inline vm vi_test(vi a, int32_t m) { return (a & m) != 0; }
static inline vf vi_to_f(vi a) { return (vf)a; }
static inline vi vi_load(const int32_t *p) { return *p; }

/* Element l with element l + VW / 2, and so on to one. */
static inline float vf_tree_sum(vf a) { return a; }
static inline float vf_tree_max(vf a) { return a; }

/* VW rows of VW elements, `step` apart, turned about their diagonal: they become columns, at `to`. */
static inline void vf_turn(const float *from, int64_t step, float *to, int64_t to_step) {
  (void)step, (void)to_step, *to = *from;
}

/* a 2^n for integers n in -252 .. 252, rounded once. */
static inline vf vf_scale(vf a, vf n) {
  vf half = vf_round(n * 0.5f), rest = n - half;
  return a * vi_bits(vi_shl((vi)vf_bits(half + 0x1.8p23f) - 0x4b400000 + 127, 23)) *
         vi_bits(vi_shl((vi)vf_bits(rest + 0x1.8p23f) - 0x4b400000 + 127, 23));
}

#endif
