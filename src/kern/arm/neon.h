/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_ARM_NEON_H
#define WHET_KERN_ARM_NEON_H

/* NEON for files that serve aarch64 and Armv7 (VFPv4) alike: what of the intrinsics that they use 32-bit Arm lacks, with the
 * same results but for numbers below 2^-126, which its vectors take as zeros, and what NaNs say beside being NaN. Quotients,
 * roots and doubles are those of the scalar unit. */

#include <arm_neon.h>

#ifndef __aarch64__
#include <math.h>

#define NEON_INLINE static inline __attribute__((always_inline, unused))

NEON_INLINE uint32_t vmaxvq_u32(uint32x4_t a) {
  uint32x2_t t = vpmax_u32(vget_low_u32(a), vget_high_u32(a));
  return vget_lane_u32(vpmax_u32(t, t), 0);
}
NEON_INLINE float vmaxvq_f32(float32x4_t a) {
  float32x2_t t = vpmax_f32(vget_low_f32(a), vget_high_f32(a));
  return vget_lane_f32(vpmax_f32(t, t), 0);
}
NEON_INLINE float32x4_t vdivq_f32(float32x4_t a, float32x4_t b) {
  for (int i = 0; i < 4; i++) a[i] /= b[i];
  return a;
}
NEON_INLINE float32x4_t vsqrtq_f32(float32x4_t a) {
  for (int i = 0; i < 4; i++) a[i] = sqrtf(a[i]);
  return a;
}

/* Rounding: below 2^23 adding that number leaves none of the bits behind the point; others are whole. */
NEON_INLINE float32x4_t neon_signed(float32x4_t a, float32x4_t sign) {
  return vbslq_f32(vdupq_n_u32(0x80000000), sign, a);
}
NEON_INLINE float32x4_t neon_round(float32x4_t a) {
  const float32x4_t big = vdupq_n_f32(0x1p23f), size = vabsq_f32(a);
  const float32x4_t near = neon_signed(vsubq_f32(vaddq_f32(size, big), big), a);
  return vbslq_f32(vcltq_f32(size, big), near, a);
}
NEON_INLINE float32x4_t neon_floor(float32x4_t a) {
  const float32x4_t near = neon_round(a), one = vdupq_n_f32(1);
  return neon_signed(vbslq_f32(vcgtq_f32(near, a), vsubq_f32(near, one), near), a);
}
NEON_INLINE float32x4_t neon_ceil(float32x4_t a) {
  const float32x4_t near = neon_round(a), one = vdupq_n_f32(1);
  return neon_signed(vbslq_f32(vcltq_f32(near, a), vaddq_f32(near, one), near), a);
}
#define vrndnq_f32 neon_round
#define vrndmq_f32 neon_floor
#define vrndpq_f32 neon_ceil
#define vmaxnmq_f32 neon_max
/* The greater, or the number where one is NaN. */
NEON_INLINE float32x4_t neon_max(float32x4_t a, float32x4_t b) {
  return vbslq_f32(vorrq_u32(vcgtq_f32(a, b), vmvnq_u32(vceqq_f32(b, b))), a, b);
}
NEON_INLINE int32x4_t vcvtnq_s32_f32(float32x4_t a) { return vcvtq_s32_f32(neon_round(a)); }
NEON_INLINE int32x4_t vcvtaq_s32_f32(float32x4_t a) {
  const float32x4_t cut = vcvtq_f32_s32(vcvtq_s32_f32(a)), rest = vsubq_f32(a, cut); /* exact below 2^23 */
  const float32x4_t one = neon_signed(vdupq_n_f32(1), a);
  const uint32x4_t up = vandq_u32(vcgeq_f32(vabsq_f32(rest), vdupq_n_f32(0.5f)), vcltq_f32(vabsq_f32(a), vdupq_n_f32(0x1p23f)));
  return vcvtq_s32_f32(vbslq_f32(up, vaddq_f32(cut, one), a));
}

NEON_INLINE int16x8_t vqmovn_high_s32(int16x4_t a, int32x4_t b) { return vcombine_s16(a, vqmovn_s32(b)); }
NEON_INLINE int8x16_t vqmovn_high_s16(int8x8_t a, int16x8_t b) { return vcombine_s8(a, vqmovn_s16(b)); }
NEON_INLINE uint8x16_t vqmovun_high_s16(uint8x8_t a, int16x8_t b) { return vcombine_u8(a, vqmovun_s16(b)); }
NEON_INLINE int64x2_t vmovl_high_s32(int32x4_t a) { return vmovl_s32(vget_high_s32(a)); }
NEON_INLINE uint16x8_t vmovl_high_u8(uint8x16_t a) { return vmovl_u8(vget_high_u8(a)); }
NEON_INLINE int16x8_t vmull_high_s8(int8x16_t a, int8x16_t b) { return vmull_s8(vget_high_s8(a), vget_high_s8(b)); }
NEON_INLINE int32x4_t vmlal_high_s16(int32x4_t c, int16x8_t a, int16x8_t b) {
  return vmlal_s16(c, vget_high_s16(a), vget_high_s16(b));
}
NEON_INLINE int32x4_t vpaddq_s32(int32x4_t a, int32x4_t b) {
  return vcombine_s32(vpadd_s32(vget_low_s32(a), vget_high_s32(a)), vpadd_s32(vget_low_s32(b), vget_high_s32(b)));
}
NEON_INLINE float32x4_t vtrn1q_f32(float32x4_t a, float32x4_t b) { return vtrnq_f32(a, b).val[0]; }
NEON_INLINE float32x4_t vtrn2q_f32(float32x4_t a, float32x4_t b) { return vtrnq_f32(a, b).val[1]; }
#define vdupq_laneq_s32(a, l) vdupq_lane_s32((l) < 2 ? vget_low_s32(a) : vget_high_s32(a), (l) & 1)
#define vfmaq_laneq_f32(c, a, b, l) vfmaq_f32(c, a, vdupq_lane_f32((l) < 2 ? vget_low_f32(b) : vget_high_f32(b), (l) & 1))

/* Tables of 64 bytes: twice 32, which those with indices out of range leave alone. */
typedef struct neon_64 {
  uint8x8x4_t half[2];
} neon_64;
NEON_INLINE neon_64 neon_load_64(const uint8_t *p) {
  neon_64 t;
  for (int i = 0; i < 8; i++) t.half[i / 4].val[i % 4] = vld1_u8(p + 8 * i);
  return t;
}
NEON_INLINE uint8x8_t neon_look(uint8x8_t y, neon_64 t, uint8x8_t x) {
  return vtbx4_u8(vtbx4_u8(y, t.half[0], x), t.half[1], vsub_u8(x, vdup_n_u8(32)));
}
NEON_INLINE uint8x16_t neon_look_or(uint8x16_t y, neon_64 t, uint8x16_t x) {
  return vcombine_u8(neon_look(vget_low_u8(y), t, vget_low_u8(x)), neon_look(vget_high_u8(y), t, vget_high_u8(x)));
}
#define uint8x16x4_t neon_64
#define vld1q_u8_x4 neon_load_64
#define vqtbx4q_u8 neon_look_or
#define vqtbl4q_u8(t, x) neon_look_or(vdupq_n_u8(0), t, x)

/* Doubles. */
typedef struct neon_f64x2 {
  double d[2];
} neon_f64x2;
#define float64x2_t neon_f64x2
NEON_INLINE neon_f64x2 vld1q_f64(const double *p) { return (neon_f64x2){{p[0], p[1]}}; }
NEON_INLINE neon_f64x2 vcvtq_f64_s64(int64x2_t a) {
  return (neon_f64x2){{(double)vgetq_lane_s64(a, 0), (double)vgetq_lane_s64(a, 1)}};
}
NEON_INLINE neon_f64x2 vmulq_f64(neon_f64x2 a, neon_f64x2 b) { return (neon_f64x2){{a.d[0] * b.d[0], a.d[1] * b.d[1]}}; }
/* To the nearest, halves away from zero; beyond 64 bits the last number there is. */
NEON_INLINE int64_t neon_away(double x) {
  x = round(x);
  return x >= 0x1p63 ? INT64_MAX : x >= -0x1p63 ? (int64_t)x : x < 0 ? INT64_MIN : 0;
}
NEON_INLINE int64x2_t vcvtaq_s64_f64(neon_f64x2 a) {
  return vcombine_s64(vdup_n_s64(neon_away(a.d[0])), vdup_n_s64(neon_away(a.d[1])));
}
#endif

#endif
