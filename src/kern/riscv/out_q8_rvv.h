/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_RISCV_OUT_Q8_RVV_H
#define WHET_KERN_RISCV_OUT_Q8_RVV_H

/* out_q8.h on RVV 1.0, and the names that the bodies of 8-bit kernels use: eight numbers of 32 bits at a time, or 32
 * bytes in the same registers, as vectors of the compiler (see vec_rvv.h). Tiles of sums are stored by sixteen: there
 * fixed point is VSMUL, which is whet__high_mul when it rounds ties up, and VSSRA, which is whet__round_shift of
 * numbers of which one was taken where they are negative. */

#include <riscv_vector.h>

#include "kern/out_q8.h"

#define OUT_INLINE static inline __attribute__((always_inline))
#define OUT_UNROLL _Pragma("clang loop unroll(full)") /* arrays in loops of few rounds shall be registers */

enum { OUT_LANES = 8 };
typedef int32_t out_int __attribute__((ext_vector_type(8))); /* of numbers, or 32 bytes */
typedef uint32_t out_uint __attribute__((ext_vector_type(8)));
typedef float out_real32 __attribute__((ext_vector_type(8)));
typedef int8_t out_s8 __attribute__((ext_vector_type(8)));
typedef uint8_t out_u8 __attribute__((ext_vector_type(8)));
typedef int8_t out_s8_all __attribute__((ext_vector_type(32)));
typedef uint8_t out_u8_all __attribute__((ext_vector_type(32)));
typedef int64_t out_long __attribute__((ext_vector_type(8)));

OUT_INLINE out_int out_zero(void) { return (out_int)0; }
OUT_INLINE out_int out_set_i(int32_t x) { return (out_int)x; }
OUT_INLINE out_int out_add_i(out_int a, out_int b) { return (out_int)((out_uint)a + (out_uint)b); }
OUT_INLINE out_int out_sub_i(out_int a, out_int b) { return (out_int)((out_uint)a - (out_uint)b); }
OUT_INLINE out_int out_mul_i(out_int a, out_int b) { return (out_int)((out_uint)a * (out_uint)b); }
OUT_INLINE out_int out_shift_left(out_int a, int n) { return (out_int)((out_uint)a << (out_uint)(uint32_t)n); }
OUT_INLINE out_real32 out_set32(float x) { return (out_real32)x; }
OUT_INLINE out_real32 out_add32(out_real32 a, out_real32 b) { return a + b; }
OUT_INLINE out_real32 out_sub32(out_real32 a, out_real32 b) { return a - b; }
OUT_INLINE out_real32 out_mul32(out_real32 a, out_real32 b) { return a * b; }
OUT_INLINE out_real32 out_div32(out_real32 a, out_real32 b) { return a / b; }
OUT_INLINE out_real32 out_fma32(out_real32 a, out_real32 b, out_real32 c) {
  return __builtin_elementwise_fma(a, b, c);
}
OUT_INLINE out_real32 out_to_real(out_int a) { return __builtin_convertvector(a, out_real32); }
OUT_INLINE out_real32 out_signed32(out_real32 a, out_real32 b) { return __builtin_elementwise_copysign(b, a); }
OUT_INLINE out_real32 out_larger32(out_real32 a, out_real32 b) {
  return __builtin_elementwise_max(__builtin_elementwise_abs(a), __builtin_elementwise_abs(b));
}
OUT_INLINE bool out_above32(out_real32 a, out_real32 most) { return __builtin_reduce_or(a > most) != 0; }

/* Within 2^22 the sum with 1.5 2^23 has the number, rounded to even, in its low bits. Conversions that cut are not
 * used: qemu 7.2 ends where one is the first of floats in a block. */
OUT_INLINE out_real32 out_near32(out_real32 a) { return a + (out_real32)0x1.8p23f - (out_real32)0x1.8p23f; }
OUT_INLINE out_int out_near_int(out_real32 a) {
  return out_sub_i((out_int)(a + (out_real32)0x1.8p23f), out_set_i(0x4b400000));
}
/* Beyond 16 bits what stays beyond them on its side; NaN on the lower. */
OUT_INLINE out_real32 out_bound32(out_real32 a) {
  a = a > (out_real32)-65536.0f ? a : (out_real32)-65536.0f;
  return a < (out_real32)65536.0f ? a : (out_real32)65536.0f;
}
OUT_INLINE out_int out_from_real(out_real32 a) { return out_near_int(out_bound32(a)); }
OUT_INLINE out_int out_from_small(out_real32 a) { return out_from_real(a); }
/* A float within 2^22 cut towards zero: one less where rounding went up. */
OUT_INLINE out_int out_cut_real(out_real32 a) {
  out_real32 size = __builtin_elementwise_abs(a);
  out_int whole = out_near_int(size);
  whole = out_add_i(whole, out_to_real(whole) > size);
  return a < (out_real32)0.0f ? -whole : whole;
}
/* Halves away from zero: cut, and one more where the rest, which is exact, is a half or more. */
OUT_INLINE out_int out_from_real_away(out_real32 a) {
  a = out_bound32(a);
  out_int whole = out_cut_real(a);
  out_real32 rest = a - out_to_real(whole);
  whole = out_sub_i(whole, rest >= (out_real32)0.5f);
  return out_add_i(whole, rest <= (out_real32)-0.5f);
}
/* a with the sign of b (0: positive or none). */
OUT_INLINE out_int out_with_sign_of(out_int a, out_int b) { return b < out_zero() ? -a : a; }

/* The first n of 8 floats. */
OUT_INLINE out_real32 out_load32(const float *p, int64_t n) {
  out_real32 r = (out_real32)0.0f;
  memcpy(&r, p, n < 8 ? (size_t)n * sizeof *p : sizeof r);
  return r;
}
OUT_INLINE void out_store32(float *p, out_real32 x, int64_t n) {
  memcpy(p, &x, n < 8 ? (size_t)n * sizeof *p : sizeof x);
}
/* 8 bytes as numbers; the first n of 8; one byte in every lane. */
OUT_INLINE out_int out_widen_all(const uint8_t *p, bool is_signed) {
  out_u8 x;
  memcpy(&x, p, sizeof x);
  return is_signed ? __builtin_convertvector((out_s8)x, out_int) : __builtin_convertvector(x, out_int);
}
OUT_INLINE out_int out_widen(const uint8_t *p, bool is_signed, int64_t n) {
  uint8_t t[8] = {0};
  if (n >= 8) return out_widen_all(p, is_signed);
  memcpy(t, p, (size_t)n);
  return out_widen_all(t, is_signed);
}
OUT_INLINE out_int out_widen_one(const uint8_t *p, bool is_signed) { return out_set_i(is_signed ? (int8_t)*p : *p); }
/* Bytes, or one of them in every lane, as unsigned numbers, signed ones with their top bit turned. */
typedef uint8_t out_turn;
OUT_INLINE out_turn out_turn_set(bool is_signed) { return is_signed ? 0x80 : 0; }
OUT_INLINE out_int out_widen_turned(const uint8_t *p, bool once, out_turn t) {
  out_u8 x;
  if (once) return out_set_i(*p ^ t);
  memcpy(&x, p, sizeof x);
  return __builtin_convertvector(x ^ (out_u8)t, out_int);
}

/* The first n of 32 bytes, their greatest, their bounds. */
OUT_INLINE out_int out_load_bytes(const uint8_t *p, int64_t n) {
  out_int r = out_zero();
  memcpy(&r, p, n < 32 ? (size_t)n : sizeof r);
  return r;
}
OUT_INLINE out_int out_max_bytes(out_int a, out_int b, bool is_signed) {
  if (is_signed) return (out_int)__builtin_elementwise_max((out_s8_all)a, (out_s8_all)b);
  return (out_int)__builtin_elementwise_max((out_u8_all)a, (out_u8_all)b);
}
OUT_INLINE out_int out_clamp_bytes(out_int a, int32_t lo, int32_t hi, bool is_signed) {
  if (is_signed) {
    out_s8_all x = __builtin_elementwise_min((out_s8_all)a, (out_s8_all)(int8_t)hi);
    return (out_int)__builtin_elementwise_max(x, (out_s8_all)(int8_t)lo);
  }
  out_u8_all x = __builtin_elementwise_min((out_u8_all)a, (out_u8_all)(uint8_t)hi);
  return (out_int)__builtin_elementwise_max(x, (out_u8_all)(uint8_t)lo);
}

/* Ways to rescale: QUICK is FIX where every shift is to the right; UP is QUICK where negative results end at the
 * lower bound, so that their ties do not matter. */
enum { OUT_QUICK, OUT_UP, OUT_FIX, OUT_REAL, OUT_REAL32 };

/* The way for results of 8 bits, or -1. */
static inline int out_way(const whet_out_q8 *o) {
  if (o->dtype != WHET_U8 && o->dtype != WHET_S8) return -1;
  if (o->round == WHET_ROUND_TFL_FIX) return !o->quick ? OUT_FIX : o->lo >= o->zero ? OUT_UP : OUT_QUICK;
  return o->round == WHET_ROUND_TFL_REAL ? OUT_REAL : o->round == WHET_ROUND_ONNX_REAL ? OUT_REAL32 : -1;
}

/* One factor for all lanes, for OUT_FIX. */
typedef struct out_factor {
  int32_t mul, left, right; /* right: how far, not negative */
} out_factor;
OUT_INLINE out_factor out_factor_all(int32_t mul, int32_t shift) {
  return (out_factor){mul, shift > 0 ? shift : 0, shift < 0 ? -shift : 0};
}

/* Eight numbers by one factor, by the rule's own steps. */
OUT_INLINE out_int out_rescale(out_int x, const out_factor *f, int how) {
  (void)how;
  out_long v = __builtin_convertvector(out_shift_left(x, f->left), out_long) * (out_long)(int64_t)f->mul;
  v = (v + (out_long)(INT64_C(1) << 30)) >> (out_long)INT64_C(31);
  if (f->right) {
    v += (out_long)(INT64_C(1) << (f->right - 1)) + (v < (out_long)INT64_C(0));
    v >>= (out_long)(int64_t)f->right;
  }
  return __builtin_convertvector(v, out_int);
}

/* Zero point and bounds of 8-bit results. */
typedef struct out_bound {
  int32_t zero, lo, hi;
} out_bound;
OUT_INLINE out_bound out_bounds(const whet_out_q8 *o) { return (out_bound){o->zero, o->lo, o->hi}; }

/* 32 numbers to bytes, in order. Bounds lie in 8 bits; numbers are cut to 16 first, so that the zero point may be
 * added. */
OUT_INLINE out_int out_narrow(const out_int v[4], const out_bound *b) {
  out_int r;
  OUT_UNROLL for (int j = 0; j < 4; j++) {
    out_int x = __builtin_elementwise_max(__builtin_elementwise_min(v[j], out_set_i(65536)), out_set_i(-65536));
    x = __builtin_elementwise_min(x + out_set_i(b->zero), out_set_i(b->hi));
    x = __builtin_elementwise_max(x, out_set_i(b->lo));
    out_u8 y = __builtin_convertvector(x, out_u8);
    memcpy((char *)&r + 8 * j, &y, 8);
  }
  return r;
}
OUT_INLINE out_int out_order(out_int x) { return x; }

/* The first n of 32 bytes. */
OUT_INLINE void out_store(uint8_t *to, out_int x, int64_t n) { memcpy(to, &x, n < 32 ? (size_t)n : sizeof x); }

/* ---- tiles of sums -----------------------------------------------------------------------------------------------
 */

/* Rows of n <= 16 sums, `ld` apart, to bytes `pitch` apart; `how` is a constant where it is called. */
OUT_INLINE void out_bytes(const whet_out_q8 *o, const whet_factors *f, int64_t at, const int32_t *sum, int64_t ld,
                          int64_t rows, int64_t n, const uint8_t *table, uint8_t *out, int64_t pitch, int how) {
  const size_t vl = 16;
  for (int64_t r = 0; r < rows; r++, sum += ld, out += pitch) {
    vint32m4_t x = __riscv_vle32_v_i32m4(sum, vl);
    if (how == OUT_REAL32) {
      vfloat32m4_t y = __riscv_vfcvt_f_x_v_f32m4(x, vl);
      y = __riscv_vfmul_vv_f32m4(y, __riscv_vle32_v_f32m4(f->real32 + at, vl), vl);
      y = __riscv_vfmin_vf_f32m4(__riscv_vfmax_vf_f32m4(y, -65536.0f, vl), 65536.0f, vl);
      x = __riscv_vfcvt_x_f_v_i32m4(y, vl);
    } else if (how == OUT_REAL) {
      vfloat64m8_t y = __riscv_vfwcvt_f_x_v_f64m8(x, vl);
      y = __riscv_vfmul_vv_f64m8(y, __riscv_vle64_v_f64m8(f->real + at, vl), vl);
      x = __riscv_vfncvt_x_f_w_i32m4_rm(y, __RISCV_FRM_RMM, vl);
    } else {
      vint32m4_t shift = __riscv_vle32_v_i32m4(f->shift + at, vl), mul = __riscv_vle32_v_i32m4(f->mul + at, vl);
      if (how == OUT_FIX)
        x = __riscv_vsll_vv_i32m4(x, __riscv_vreinterpret_v_i32m4_u32m4(__riscv_vmax_vx_i32m4(shift, 0, vl)), vl);
      vint32m4_t right = __riscv_vmax_vx_i32m4(__riscv_vneg_v_i32m4(shift, vl), 0, vl);
      x = __riscv_vsmul_vv_i32m4(x, mul, __RISCV_VXRM_RNU, vl);
      /* -1 where x is negative and divided; the least number stays, which is a tie for no shift. */
      if (how != OUT_UP) {
        vint32m4_t one = __riscv_vsra_vx_i32m4(__riscv_vand_vv_i32m4(x, __riscv_vneg_v_i32m4(right, vl), vl), 31, vl);
        x = __riscv_vsadd_vv_i32m4(x, one, vl);
      }
      x = __riscv_vssra_vv_i32m4(x, __riscv_vreinterpret_v_i32m4_u32m4(right), __RISCV_VXRM_RNU, vl);
    }
    /* Saturated to 16 bits, then the zero point, then the bounds. */
    vint16m2_t y = __riscv_vnclip_wx_i16m2(x, 0, __RISCV_VXRM_RNU, vl);
    y = __riscv_vsadd_vx_i16m2(y, (int16_t)o->zero, vl);
    y = __riscv_vmin_vx_i16m2(__riscv_vmax_vx_i16m2(y, (int16_t)o->lo, vl), (int16_t)o->hi, vl);
    vuint8m1_t z = __riscv_vreinterpret_v_i8m1_u8m1(__riscv_vncvt_x_x_w_i8m1(y, vl));
    __riscv_vse8_v_u8m1(out, z, (size_t)n);
    if (table)
      for (int64_t i = 0; i < n; i++) out[i] = table[out[i]];
  }
}

#define OUT_SUMS whet__sums_tile_rvv
#include "kern/out_tile.h"

#endif
