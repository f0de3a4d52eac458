/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_ARM_OUT_Q8_NEON_H
#define WHET_KERN_ARM_OUT_Q8_NEON_H

/* out_q8.h on four sums at a time, for ISA files with NEON, and the names that the bodies of 8-bit kernels use.
 *
 * Fixed point is what the instructions were made for: SQRDMULH is whet__high_mul, and SRSHL rounds ties up, so that one
 * taken from negative numbers before it makes whet__round_shift of it. */

#include "kern/arm/neon.h"

#include "kern/out_q8.h"

#define OUT_INLINE static inline __attribute__((always_inline))
#define OUT_UNROLL _Pragma("GCC unroll 16") /* arrays in loops of few rounds shall be registers */

enum { OUT_LANES = 4 };
typedef int32x4_t out_int; /* of numbers, or 16 bytes */
typedef float32x4_t out_real32;
OUT_INLINE out_int out_zero(void) { return vdupq_n_s32(0); }
OUT_INLINE out_int out_set_i(int32_t x) { return vdupq_n_s32(x); }
OUT_INLINE out_int out_add_i(out_int a, out_int b) { return vaddq_s32(a, b); }
OUT_INLINE out_int out_sub_i(out_int a, out_int b) { return vsubq_s32(a, b); }
OUT_INLINE out_int out_mul_i(out_int a, out_int b) { return vmulq_s32(a, b); }
OUT_INLINE out_int out_shift_left(out_int a, int n) { return vshlq_s32(a, vdupq_n_s32(n)); }
OUT_INLINE out_real32 out_set32(float x) { return vdupq_n_f32(x); }
OUT_INLINE out_real32 out_add32(out_real32 a, out_real32 b) { return vaddq_f32(a, b); }
OUT_INLINE out_real32 out_sub32(out_real32 a, out_real32 b) { return vsubq_f32(a, b); }
OUT_INLINE out_real32 out_mul32(out_real32 a, out_real32 b) { return vmulq_f32(a, b); }
OUT_INLINE out_real32 out_div32(out_real32 a, out_real32 b) { return vdivq_f32(a, b); }
OUT_INLINE out_real32 out_fma32(out_real32 a, out_real32 b, out_real32 c) { return vfmaq_f32(c, a, b); }
OUT_INLINE out_real32 out_to_real(out_int a) { return vcvtq_f32_s32(a); }
OUT_INLINE out_real32 out_near32(out_real32 a) { return vrndnq_f32(a); }
OUT_INLINE out_real32 out_signed32(out_real32 a, out_real32 b) { return vbslq_f32(vdupq_n_u32(0x80000000), a, b); }
OUT_INLINE out_real32 out_larger32(out_real32 a, out_real32 b) { return vmaxq_f32(a, vabsq_f32(b)); }
OUT_INLINE bool out_above32(out_real32 a, out_real32 most) { return vmaxvq_u32(vcgtq_f32(a, most)) != 0; }

/* Rounded to even, or halves away from zero; what is beyond 16 bits stays beyond them on its side, NaN is on the
 * lower. */
OUT_INLINE out_int out_from_small(out_real32 a) { return vcvtnq_s32_f32(a); } /* what is known to stay within 32 bits */
OUT_INLINE out_int out_from_real(out_real32 a) { return vcvtnq_s32_f32(vmaxnmq_f32(a, vdupq_n_f32(-65536))); }
OUT_INLINE out_int out_from_real_away(out_real32 a) { return vcvtaq_s32_f32(vmaxnmq_f32(a, vdupq_n_f32(-65536))); }
/* A float cut towards zero; a with the sign of b (0: positive or none). */
OUT_INLINE out_int out_cut_real(out_real32 a) { return vcvtq_s32_f32(a); }
OUT_INLINE out_int out_with_sign_of(out_int a, out_int b) {
  return vbslq_s32(vcltq_s32(b, vdupq_n_s32(0)), vnegq_s32(a), a);
}

/* The first n of 4 floats. */
OUT_INLINE out_real32 out_load32(const float *p, int64_t n) {
  float t[4] = {0};
  if (n >= 4) return vld1q_f32(p);
  memcpy(t, p, (size_t)n * sizeof *t);
  return vld1q_f32(t);
}
OUT_INLINE void out_store32(float *p, out_real32 x, int64_t n) {
  float t[4];
  vst1q_f32(n >= 4 ? p : t, x);
  if (n < 4) memcpy(p, t, (size_t)n * sizeof *t);
}
/* The first n of 4 bytes as numbers; all of them; one byte in every lane. */
OUT_INLINE out_int out_spread(uint32_t four, bool is_signed) {
  uint8x8_t x = vreinterpret_u8_u32(vdup_n_u32(four));
  if (is_signed) return vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u8(x))));
  return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(x))));
}
OUT_INLINE out_int out_widen(const uint8_t *p, bool is_signed, int64_t n) {
  uint32_t x = 0;
  memcpy(&x, p, n >= 4 ? 4 : (size_t)n);
  return out_spread(x, is_signed);
}
OUT_INLINE out_int out_widen_all(const uint8_t *p, bool is_signed) { return out_widen(p, is_signed, 4); }
OUT_INLINE out_int out_widen_one(const uint8_t *p, bool is_signed) { return out_set_i(is_signed ? (int8_t)*p : *p); }
/* Bytes, or one of them in every lane, as unsigned numbers, signed ones with their top bit turned. */
typedef uint32_t out_turn;
OUT_INLINE out_turn out_turn_set(bool is_signed) { return is_signed ? 0x80808080u : 0; }
OUT_INLINE out_int out_widen_turned(const uint8_t *p, bool once, out_turn t) {
  uint32_t x;
  if (once) return out_set_i(*p ^ (uint8_t)t);
  memcpy(&x, p, 4);
  return out_spread(x ^ t, false);
}

/* The first n of 16 bytes, their greatest, their bounds. */
OUT_INLINE out_int out_load_bytes(const uint8_t *p, int64_t n) {
  uint8_t t[16] = {0};
  if (n >= 16) return vreinterpretq_s32_u8(vld1q_u8(p));
  memcpy(t, p, (size_t)n);
  return vreinterpretq_s32_u8(vld1q_u8(t));
}
OUT_INLINE out_int out_max_bytes(out_int a, out_int b, bool is_signed) {
  if (is_signed) return vreinterpretq_s32_s8(vmaxq_s8(vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b)));
  return vreinterpretq_s32_u8(vmaxq_u8(vreinterpretq_u8_s32(a), vreinterpretq_u8_s32(b)));
}
OUT_INLINE out_int out_clamp_bytes(out_int a, int32_t lo, int32_t hi, bool is_signed) {
  if (is_signed) {
    int8x16_t x = vminq_s8(vreinterpretq_s8_s32(a), vdupq_n_s8((int8_t)hi));
    return vreinterpretq_s32_s8(vmaxq_s8(x, vdupq_n_s8((int8_t)lo)));
  }
  uint8x16_t x = vminq_u8(vreinterpretq_u8_s32(a), vdupq_n_u8((uint8_t)hi));
  return vreinterpretq_s32_u8(vmaxq_u8(x, vdupq_n_u8((uint8_t)lo)));
}

/* Ways to rescale a vector: QUICK is FIX where every shift is to the right; UP is QUICK where negative results end at
 * the lower bound, so that their ties do not matter; NEAR is REAL32 where nothing becomes NaN or leaves 32 bits. */
enum { OUT_QUICK, OUT_UP, OUT_FIX, OUT_REAL, OUT_REAL32, OUT_NEAR };

/* The way for results of 8 bits, or -1. */
static inline int out_way(const whet_out_q8 *o) {
  if (o->dtype != WHET_U8 && o->dtype != WHET_S8) return -1;
  if (o->round == WHET_ROUND_TFL_FIX) return !o->quick ? OUT_FIX : o->lo >= o->zero ? OUT_UP : OUT_QUICK;
  return o->round == WHET_ROUND_TFL_REAL ? OUT_REAL : o->round == WHET_ROUND_ONNX_REAL ? OUT_REAL32 : -1;
}

/* The factors of four channels: `right` is 0 or negative. */
typedef struct out_factor {
  int32x4_t mul, left, right;
  float32x4_t real32;
  float64x2_t real[2];
} out_factor;

OUT_INLINE out_factor out_load(const whet_factors *f, int64_t at, int how) {
  out_factor r;
  if (how == OUT_REAL32 || how == OUT_NEAR) {
    r.real32 = vld1q_f32(f->real32 + at);
  } else if (how == OUT_REAL) {
    r.real[0] = vld1q_f64(f->real + at);
    r.real[1] = vld1q_f64(f->real + at + 2);
  } else {
    int32x4_t s = vld1q_s32(f->shift + at), z = vdupq_n_s32(0);
    r.mul = vld1q_s32(f->mul + at);
    r.left = vmaxq_s32(s, z);
    r.right = vminq_s32(s, z);
  }
  return r;
}

/* One factor for all lanes, for OUT_FIX. */
OUT_INLINE out_factor out_factor_all(int32_t mul, int32_t shift) {
  out_factor r = {.mul = vdupq_n_s32(mul),
                  .left = vdupq_n_s32(shift > 0 ? shift : 0),
                  .right = vdupq_n_s32(shift < 0 ? shift : 0)};
  return r;
}

/* Four sums to results before the zero point; those beyond 16 bits are only right in being beyond them on their
 * side. */
OUT_INLINE int32x4_t out_rescale(int32x4_t x, const out_factor *f, int how) {
  if (how == OUT_NEAR) return out_from_small(vmulq_f32(vcvtq_f32_s32(x), f->real32));
  if (how == OUT_REAL32) return out_from_real(vmulq_f32(vcvtq_f32_s32(x), f->real32));
  if (how == OUT_REAL) {
    float64x2_t lo = vmulq_f64(vcvtq_f64_s64(vmovl_s32(vget_low_s32(x))), f->real[0]);
    float64x2_t hi = vmulq_f64(vcvtq_f64_s64(vmovl_high_s32(x)), f->real[1]);
    return vcombine_s32(vqmovn_s64(vcvtaq_s64_f64(lo)), vqmovn_s64(vcvtaq_s64_f64(hi)));
  }
  if (how == OUT_UP) return vrshlq_s32(vqrdmulhq_s32(x, f->mul), f->right);
  if (how == OUT_QUICK) {
    int32x4_t v = vqrdmulhq_s32(x, f->mul);
    return vrshlq_s32(vsraq_n_s32(v, v, 31), f->right);
  }
  /* -1 where v and the shift are negative; the least number stays, which is a tie for no shift. */
  int32x4_t v = vqrdmulhq_s32(vshlq_s32(x, f->left), f->mul);
  int32x4_t one = vshrq_n_s32(vandq_s32(v, f->right), 31);
  return vrshlq_s32(vqaddq_s32(v, one), f->right);
}

/* Zero point and bounds of 8-bit results. */
typedef struct out_bound {
  int16x8_t zero;
  int32_t lo, hi;
  bool is_signed;
} out_bound;

/* All bytes are within the bounds. */
static inline bool out_whole(const whet_out_q8 *o) {
  return o->dtype == WHET_S8 ? o->lo <= -128 && o->hi >= 127 : o->lo <= 0 && o->hi >= 255;
}

OUT_INLINE out_bound out_bounds(const whet_out_q8 *o) {
  out_bound b = {vdupq_n_s16((int16_t)o->zero), o->lo, o->hi, o->dtype == WHET_S8};
  return b;
}

/* 16 rescaled sums to bytes, in order; whole: all bytes are within the bounds. */
OUT_INLINE int32x4_t out_narrow_to(const int32x4_t v[4], const out_bound *b, bool whole) {
  int16x8_t x = vqaddq_s16(vqmovn_high_s32(vqmovn_s32(v[0]), v[1]), b->zero);
  int16x8_t y = vqaddq_s16(vqmovn_high_s32(vqmovn_s32(v[2]), v[3]), b->zero);
  int32x4_t r = b->is_signed ? vreinterpretq_s32_s8(vqmovn_high_s16(vqmovn_s16(x), y))
                             : vreinterpretq_s32_u8(vqmovun_high_s16(vqmovun_s16(x), y));
  return whole ? r : out_clamp_bytes(r, b->lo, b->hi, b->is_signed);
}
OUT_INLINE int32x4_t out_narrow(const int32x4_t v[4], const out_bound *b) { return out_narrow_to(v, b, false); }
OUT_INLINE int32x4_t out_order(int32x4_t x) { return x; }

/* The first n of 16 bytes. */
OUT_INLINE void out_store(uint8_t *to, int32x4_t x, int64_t n) {
  uint8_t t[16];
  if (n == 8) {
    vst1_u8(to, vget_low_u8(vreinterpretq_u8_s32(x)));
    return;
  }
  vst1q_u8(n >= 16 ? to : t, vreinterpretq_u8_s32(x));
  if (n < 16) memcpy(to, t, (size_t)n);
}

/* Store a tile of sums: rows x n, rows of sums `ld` apart and readable, like the factors, to a multiple of 16, factors
 * from the tile's first channel on. pitch: elements between rows of out. */
#define out_tile whet__out_tile_neon
void out_tile(const whet_out_q8 *o, const whet_factors *f, const int32_t *sum, int64_t ld, int64_t rows, int64_t n,
              const uint8_t *table, void *out, int64_t pitch);

/* What makes bytes of tiles of 8 or 16 channels, all things that depend on the channels being ready. */
typedef struct whet_out_ready_neon {
  /* Rows of sums, 16 apart, to bytes `pitch` apart; NULL: only out_tile() can. */
  void (*make)(const struct whet_out_ready_neon *t, const int32_t *sum, int64_t rows, uint8_t *out, int64_t pitch);
  out_factor g[4];
  out_bound bound;
  int64_t n;
  bool near; /* OUT_NEAR, and all bytes within the bounds */
} whet_out_ready_neon;

/* For n channels from the factors' first on. */
#define out_ready whet__out_ready_neon_for
void out_ready(whet_out_ready_neon *t, const whet_out_q8 *o, const whet_factors *f, int64_t n, const uint8_t *table);

/* out_tile() for such channels, rows of sums 16 apart, with what is ready for them. */
static inline void out_ready_tile(const whet_out_ready_neon *t, const whet_out_q8 *o, const whet_factors *f, const int32_t *sum,
                                  int64_t rows, int64_t n, const uint8_t *table, void *out, int64_t pitch) {
  if (t->make)
    t->make(t, sum, rows, out, pitch);
  else
    out_tile(o, f, sum, 16, rows, n, table, out, pitch);
}

#endif
