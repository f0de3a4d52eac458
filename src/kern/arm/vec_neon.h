/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_VEC_H
#define WHET_KERN_VEC_H

/* The vector layer of kern/vec_c.h on NEON: 8 elements in two registers. So packed forms and blocks of
 * channels are those of AVX2, and every operation is two that do not wait for each other, which in-order cores need.
 */

#include "kern/kern.h"

#include "kern/arm/neon.h"
#include <math.h>

typedef struct vf {
  float32x4_t lo, hi;
} vf;
typedef struct vi {
  int32x4_t lo, hi;
} vi;
typedef struct vm {
  uint32x4_t lo, hi;
} vm;
#define VW 8
#ifdef __aarch64__
#define VEC_EXACT 1
#else
#define VEC_EXACT 0 /* numbers below 2^-126 are zeros */
#endif

static inline vf vf_set(float x) { return (vf){vdupq_n_f32(x), vdupq_n_f32(x)}; }
/* Not by vld1q_f32: compilers see through memory copied in this way, and pair such loads. */
static inline vf vf_load(const float *p) {
  vf v;
  memcpy(&v.lo, p, 16);
  memcpy(&v.hi, p + 4, 16);
  return v;
}
static inline void vf_store(float *p, vf v) { vst1q_f32(p, v.lo), vst1q_f32(p + 4, v.hi); }
static inline vm vm_first(int64_t n) {
  const int32x4_t each = {0, 1, 2, 3}, count = vdupq_n_s32((int)n);
  return (vm){vcgtq_s32(count, each), vcgtq_s32(count, vaddq_s32(each, vdupq_n_s32(4)))};
}
/* The first n (at most 3) of four. */
static inline float32x4_t vec_load_n(const float *p, int64_t n) {
  float32x4_t v = vdupq_n_f32(0);
  if (n > 0) v = vld1q_lane_f32(p, v, 0);
  if (n > 1) v = vld1q_lane_f32(p + 1, v, 1);
  if (n > 2) v = vld1q_lane_f32(p + 2, v, 2);
  return v;
}
static inline void vec_store_n(float *p, float32x4_t v, int64_t n) {
  if (n > 0) vst1q_lane_f32(p, v, 0);
  if (n > 1) vst1q_lane_f32(p + 1, v, 1);
  if (n > 2) vst1q_lane_f32(p + 2, v, 2);
}
static inline vf vf_load_n(const float *p, int64_t n) {
  if (n >= 8) return vf_load(p);
  if (n >= 4) return (vf){vld1q_f32(p), vec_load_n(p + 4, n - 4)};
  return (vf){vec_load_n(p, n), vdupq_n_f32(0)};
}
static inline void vf_store_n(float *p, vf v, int64_t n) {
  if (n >= 4) vst1q_f32(p, v.lo);
  if (n >= 8)
    vst1q_f32(p + 4, v.hi);
  else if (n >= 4)
    vec_store_n(p + 4, v.hi, n - 4);
  else
    vec_store_n(p, v.lo, n);
}
static inline vf vf_add(vf a, vf b) { return (vf){vaddq_f32(a.lo, b.lo), vaddq_f32(a.hi, b.hi)}; }
static inline vf vf_sub(vf a, vf b) { return (vf){vsubq_f32(a.lo, b.lo), vsubq_f32(a.hi, b.hi)}; }
static inline vf vf_mul(vf a, vf b) { return (vf){vmulq_f32(a.lo, b.lo), vmulq_f32(a.hi, b.hi)}; }
static inline vf vf_div(vf a, vf b) { return (vf){vdivq_f32(a.lo, b.lo), vdivq_f32(a.hi, b.hi)}; }
static inline vf vf_fma(vf a, vf b, vf c) { return (vf){vfmaq_f32(c.lo, a.lo, b.lo), vfmaq_f32(c.hi, a.hi, b.hi)}; }
static inline vf vf_fnma(vf a, vf b, vf c) { return (vf){vfmsq_f32(c.lo, a.lo, b.lo), vfmsq_f32(c.hi, a.hi, b.hi)}; }
static inline vf vf_sqrt(vf a) { return (vf){vsqrtq_f32(a.lo), vsqrtq_f32(a.hi)}; }
static inline vf vf_max(vf a, vf b) {
  return (vf){vbslq_f32(vcgtq_f32(a.lo, b.lo), a.lo, b.lo), vbslq_f32(vcgtq_f32(a.hi, b.hi), a.hi, b.hi)};
}
static inline vf vf_min(vf a, vf b) {
  return (vf){vbslq_f32(vcltq_f32(a.lo, b.lo), a.lo, b.lo), vbslq_f32(vcltq_f32(a.hi, b.hi), a.hi, b.hi)};
}
static inline vi vf_bits(vf a) { return (vi){vreinterpretq_s32_f32(a.lo), vreinterpretq_s32_f32(a.hi)}; }
static inline vf vi_bits(vi a) { return (vf){vreinterpretq_f32_s32(a.lo), vreinterpretq_f32_s32(a.hi)}; }
static inline vf vf_abs(vf a) { return (vf){vabsq_f32(a.lo), vabsq_f32(a.hi)}; }
static inline vf vf_neg(vf a) { return (vf){vnegq_f32(a.lo), vnegq_f32(a.hi)}; }
static inline vf vf_copysign(vf a, vf b) {
  return (vf){vbslq_f32(vdupq_n_u32(0x80000000), b.lo, a.lo), vbslq_f32(vdupq_n_u32(0x80000000), b.hi, a.hi)};
}
static inline vm vf_lt(vf a, vf b) { return (vm){vcltq_f32(a.lo, b.lo), vcltq_f32(a.hi, b.hi)}; }
static inline vm vf_le(vf a, vf b) { return (vm){vcleq_f32(a.lo, b.lo), vcleq_f32(a.hi, b.hi)}; }
static inline vm vf_gt(vf a, vf b) { return (vm){vcgtq_f32(a.lo, b.lo), vcgtq_f32(a.hi, b.hi)}; }
static inline vm vf_ge(vf a, vf b) { return (vm){vcgeq_f32(a.lo, b.lo), vcgeq_f32(a.hi, b.hi)}; }
static inline vm vf_eq(vf a, vf b) { return (vm){vceqq_f32(a.lo, b.lo), vceqq_f32(a.hi, b.hi)}; }
static inline vm vf_ne(vf a, vf b) {
  return (vm){vmvnq_u32(vceqq_f32(a.lo, b.lo)), vmvnq_u32(vceqq_f32(a.hi, b.hi))};
}
static inline vf vf_sel(vm m, vf a, vf b) { return (vf){vbslq_f32(m.lo, a.lo, b.lo), vbslq_f32(m.hi, a.hi, b.hi)}; }
static inline vm vm_and(vm a, vm b) { return (vm){vandq_u32(a.lo, b.lo), vandq_u32(a.hi, b.hi)}; }
static inline vm vm_or(vm a, vm b) { return (vm){vorrq_u32(a.lo, b.lo), vorrq_u32(a.hi, b.hi)}; }
static inline bool vm_any(vm a) { return vmaxvq_u32(vorrq_u32(a.lo, a.hi)) != 0; }
static inline void vm_store_n(uint8_t *p, vm m, int64_t n) {
  uint16x8_t half = vcombine_u16(vmovn_u32(m.lo), vmovn_u32(m.hi));
  uint8x8_t b = vand_u8(vmovn_u16(half), vdup_n_u8(1));
  uint8_t t[8];
  vst1_u8(n >= 8 ? p : t, b);
  if (n < 8) memcpy(p, t, (size_t)n);
}
static inline void vf_store_bytes(uint8_t *p, vf v, int64_t n) {
  int16x8_t half = vcombine_s16(vmovn_s32(vcvtq_s32_f32(v.lo)), vmovn_s32(vcvtq_s32_f32(v.hi)));
  uint8x8_t b = vreinterpret_u8_s8(vmovn_s16(half));
  uint8_t t[8];
  vst1_u8(n >= 8 ? p : t, b);
  if (n > 0 && n < 8) memcpy(p, t, (size_t)n);
}
static inline vf vf_round(vf a) { return (vf){vrndnq_f32(a.lo), vrndnq_f32(a.hi)}; }
static inline vf vf_floor(vf a) { return (vf){vrndmq_f32(a.lo), vrndmq_f32(a.hi)}; }
static inline vf vf_ceil(vf a) { return (vf){vrndpq_f32(a.lo), vrndpq_f32(a.hi)}; }
static inline vi vi_set(int32_t x) { return (vi){vdupq_n_s32(x), vdupq_n_s32(x)}; }
static inline vi vi_add(vi a, vi b) { return (vi){vaddq_s32(a.lo, b.lo), vaddq_s32(a.hi, b.hi)}; }
static inline vi vi_sub(vi a, vi b) { return (vi){vsubq_s32(a.lo, b.lo), vsubq_s32(a.hi, b.hi)}; }
static inline vi vi_mul(vi a, vi b) { return (vi){vmulq_s32(a.lo, b.lo), vmulq_s32(a.hi, b.hi)}; }
static inline vi vi_and(vi a, vi b) { return (vi){vandq_s32(a.lo, b.lo), vandq_s32(a.hi, b.hi)}; }
static inline vi vi_xor(vi a, vi b) { return (vi){veorq_s32(a.lo, b.lo), veorq_s32(a.hi, b.hi)}; }
static inline vi vi_shl(vi a, int n) {
  return (vi){vshlq_s32(a.lo, vdupq_n_s32(n)), vshlq_s32(a.hi, vdupq_n_s32(n))};
}
static inline vi vi_sar(vi a, int n) {
  return (vi){vshlq_s32(a.lo, vdupq_n_s32(-n)), vshlq_s32(a.hi, vdupq_n_s32(-n))};
}
static inline vm vi_test(vi a, int32_t m) {
  return (vm){vtstq_s32(a.lo, vdupq_n_s32(m)), vtstq_s32(a.hi, vdupq_n_s32(m))};
}
static inline vf vi_to_f(vi a) { return (vf){vcvtq_f32_s32(a.lo), vcvtq_f32_s32(a.hi)}; }
static inline vi vi_load(const int32_t *p) { return (vi){vld1q_s32(p), vld1q_s32(p + 4)}; }
static inline float vf_tree_sum(vf a) {
  float32x4_t s = vaddq_f32(a.lo, a.hi);
  float32x2_t t = vadd_f32(vget_low_f32(s), vget_high_f32(s));
  return vget_lane_f32(t, 0) + vget_lane_f32(t, 1);
}
static inline float vf_tree_max(vf a) { return vmaxvq_f32(vmaxq_f32(a.lo, a.hi)); }
/* Four registers as a matrix, turned. */
static inline void vec_turn(float32x4_t r[4]) {
  float32x4_t a = vtrn1q_f32(r[0], r[1]), b = vtrn2q_f32(r[0], r[1]);
  float32x4_t c = vtrn1q_f32(r[2], r[3]), d = vtrn2q_f32(r[2], r[3]);
  r[0] = vcombine_f32(vget_low_f32(a), vget_low_f32(c)), r[2] = vcombine_f32(vget_high_f32(a), vget_high_f32(c));
  r[1] = vcombine_f32(vget_low_f32(b), vget_low_f32(d)), r[3] = vcombine_f32(vget_high_f32(b), vget_high_f32(d));
}
static inline void vf_turn(const float *from, int64_t step, float *to, int64_t to_step) {
  float32x4_t q[4][4];
  WHET_UNROLL
  for (int i = 0; i < 4; i++) {
    vf a = vf_load(from + i * step), b = vf_load(from + (i + 4) * step);
    q[0][i] = a.lo, q[1][i] = a.hi, q[2][i] = b.lo, q[3][i] = b.hi;
  }
  WHET_UNROLL
  for (int i = 0; i < 4; i++) vec_turn(q[i]);
  WHET_UNROLL
  for (int i = 0; i < 4; i++) {
    vf_store(to + i * to_step, (vf){q[0][i], q[2][i]});
    vf_store(to + (i + 4) * to_step, (vf){q[1][i], q[3][i]});
  }
}
static inline vf vf_scale(vf a, vf n) {
  vi k = {vcvtnq_s32_f32(n.lo), vcvtnq_s32_f32(n.hi)}, half = vi_sar(k, 1), rest = vi_sub(k, half),
     bias = vi_set(127);
  a = vf_mul(a, vi_bits(vi_shl(vi_add(half, bias), 23)));
  return vf_mul(a, vi_bits(vi_shl(vi_add(rest, bias), 23)));
}

#endif
