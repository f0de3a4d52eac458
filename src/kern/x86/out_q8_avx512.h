/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_X86_OUT_Q8_AVX512_H
#define WHET_KERN_X86_OUT_Q8_AVX512_H

/* out_q8.h on 16 sums at a time, for ISA files with AVX-512 F, BW, DQ, VL; with VBMI also the table. */

#include <immintrin.h>

#include "kern/out_q8.h"

#define OUT_INLINE static inline __attribute__((always_inline))
#if defined(WHET_SANITIZED) /* as WHET_UNROLL of kern.h */
#define OUT_UNROLL
#else
#define OUT_UNROLL _Pragma("GCC unroll 16") /* arrays in loops of few rounds shall be registers */
#endif

/* Names that bodies shared with AVX2 use. */
enum { OUT_LANES = 16 };
typedef __m512i out_int;
typedef __m512 out_real32;
OUT_INLINE out_int out_zero(void) { return _mm512_setzero_si512(); }
OUT_INLINE out_int out_load_int(const int32_t *p) { return _mm512_loadu_si512(p); }
OUT_INLINE void out_store_int(int32_t *p, out_int x) { _mm512_storeu_si512(p, x); }
OUT_INLINE out_int out_set_i(int32_t x) { return _mm512_set1_epi32(x); }
OUT_INLINE out_int out_add_i(out_int a, out_int b) { return _mm512_add_epi32(a, b); }
OUT_INLINE out_int out_sub_i(out_int a, out_int b) { return _mm512_sub_epi32(a, b); }
OUT_INLINE out_int out_mul_i(out_int a, out_int b) { return _mm512_mullo_epi32(a, b); }
OUT_INLINE out_int out_shift_left(out_int a, int n) { return _mm512_slli_epi32(a, (unsigned)n); }
OUT_INLINE out_real32 out_set32(float x) { return _mm512_set1_ps(x); }
OUT_INLINE out_real32 out_add32(out_real32 a, out_real32 b) { return _mm512_add_ps(a, b); }
OUT_INLINE out_real32 out_sub32(out_real32 a, out_real32 b) { return _mm512_sub_ps(a, b); }
OUT_INLINE out_real32 out_mul32(out_real32 a, out_real32 b) { return _mm512_mul_ps(a, b); }
OUT_INLINE out_real32 out_to_real(out_int a) { return _mm512_cvtepi32_ps(a); }
OUT_INLINE out_real32 out_div32(out_real32 a, out_real32 b) { return _mm512_div_ps(a, b); }
OUT_INLINE out_real32 out_fma32(out_real32 a, out_real32 b, out_real32 c) { return _mm512_fmadd_ps(a, b, c); }
/* a rounded to an integer; b with the sign of a; the greater size; is any size above `most`? */
OUT_INLINE out_real32 out_near32(out_real32 a) { return _mm512_roundscale_ps(a, 8); }
OUT_INLINE out_real32 out_signed32(out_real32 a, out_real32 b) {
  return _mm512_or_ps(_mm512_and_ps(a, _mm512_set1_ps(-0.0f)), b);
}
OUT_INLINE out_real32 out_larger32(out_real32 a, out_real32 b) { return _mm512_range_ps(a, b, 11); }
OUT_INLINE bool out_above32(out_real32 a, out_real32 most) { return _mm512_cmp_ps_mask(a, most, _CMP_GT_OQ) != 0; }
/* Rounded to even, or halves away from zero; what is beyond 16 bits stays beyond them on its side, NaN is on the
 * lower. */
OUT_INLINE out_int out_from_small(out_real32 a) { return _mm512_cvtps_epi32(a); } /* what is known to stay within 32 bits */
OUT_INLINE out_int out_from_real(out_real32 a) { return _mm512_cvtps_epi32(_mm512_min_ps(_mm512_set1_ps(65536), a)); }
OUT_INLINE out_int out_from_real_away(out_real32 a) {
  __m512 near_half = _mm512_or_ps(_mm512_set1_ps(0.49999997f), _mm512_and_ps(a, _mm512_set1_ps(-0.0f)));
  return _mm512_cvttps_epi32(_mm512_min_ps(_mm512_set1_ps(65536), _mm512_add_ps(a, near_half)));
}
/* The first n of 16 floats. */
OUT_INLINE out_real32 out_load32(const float *p, int64_t n) {
  return n >= 16 ? _mm512_loadu_ps(p) : _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}
OUT_INLINE void out_store32(float *p, out_real32 x, int64_t n) {
  if (n >= 16)
    _mm512_storeu_ps(p, x);
  else
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), x);
}
/* The first n of 16 bytes as numbers; one byte in every lane. */
OUT_INLINE out_int out_widen(const uint8_t *p, bool is_signed, int64_t n) {
  __mmask16 m = n >= 16 ? 0xffff : (__mmask16)((1u << n) - 1);
  __m128i x = _mm_maskz_loadu_epi8(m, p);
  return is_signed ? _mm512_cvtepi8_epi32(x) : _mm512_cvtepu8_epi32(x);
}
OUT_INLINE out_int out_widen_all(const uint8_t *p, bool is_signed) {
  __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
  return is_signed ? _mm512_cvtepi8_epi32(x) : _mm512_cvtepu8_epi32(x);
}
/* Bytes, or one of them in every lane, as unsigned numbers, signed ones with their top bit turned. */
typedef __m128i out_turn;
OUT_INLINE out_turn out_turn_set(bool is_signed) { return _mm_set1_epi8((char)(is_signed ? 0x80 : 0)); }
OUT_INLINE out_int out_widen_turned(const uint8_t *p, bool once, out_turn t) {
  __m128i x = once ? _mm_set1_epi8((char)*p) : _mm_loadu_si128((const __m128i *)(const void *)p);
  return _mm512_cvtepu8_epi32(_mm_xor_si128(x, t));
}
OUT_INLINE out_int out_widen_one(const uint8_t *p, bool is_signed) { return out_set_i(is_signed ? (int8_t)*p : *p); }

/* a with the sign of b (0: positive or none); a float cut towards zero. */
OUT_INLINE out_int out_with_sign_of(out_int a, out_int b) {
  return _mm512_mask_sub_epi32(a, _mm512_cmplt_epi32_mask(b, _mm512_setzero_si512()), _mm512_setzero_si512(), a);
}
OUT_INLINE out_int out_cut_real(out_real32 a) { return _mm512_cvttps_epi32(a); }
/* The first n of 64 bytes, their greatest, their bounds. */
OUT_INLINE out_int out_load_bytes(const uint8_t *p, int64_t n) {
  return n >= 64 ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi8(~UINT64_C(0) >> (64 - n), p);
}
OUT_INLINE out_int out_max_bytes(out_int a, out_int b, bool is_signed) {
  return is_signed ? _mm512_max_epi8(a, b) : _mm512_max_epu8(a, b);
}
OUT_INLINE out_int out_clamp_bytes(out_int a, int32_t lo, int32_t hi, bool is_signed) {
  __m512i l = _mm512_set1_epi8((char)lo), h = _mm512_set1_epi8((char)hi);
  return is_signed ? _mm512_max_epi8(_mm512_min_epi8(a, h), l) : _mm512_max_epu8(_mm512_min_epu8(a, h), l);
}

/* Ways to rescale a vector; the rest goes through the portable row. OUT_HALF is OUT_FIX in floats. OUT_HALF_UP is that
 * where nothing below zero is kept: negative sums may come out as any number that is not above 0. OUT_NEAR is OUT_REAL32
 * where nothing leaves 32 bits. */
enum { OUT_FIX, OUT_HALF, OUT_HALF_UP, OUT_REAL, OUT_REAL32, OUT_NEAR };
#define OUT_EACH_WAY(X) X(OUT_FIX) X(OUT_HALF) X(OUT_HALF_UP) X(OUT_REAL) X(OUT_REAL32)

/* The way for results of 8 bits, or -1. */
static inline int out_way(const whet_out_q8 *o) {
  if (o->dtype != WHET_U8 && o->dtype != WHET_S8) return -1;
  if (o->round == WHET_ROUND_TFL_FIX) return OUT_FIX;
  return o->round == WHET_ROUND_TFL_REAL ? OUT_REAL : o->round == WHET_ROUND_ONNX_REAL ? OUT_REAL32 : -1;
}

/* The way for n channels that have these factors. */
OUT_INLINE int out_way_for(const whet_out_q8 *o, const whet_factors *f, int64_t n) {
  const int how = out_way(o);
  if (how != OUT_FIX || !f->half) return how;
  __mmask16 none = 0;
  for (int64_t i = 0; i < n; i += 16) {
    __m512 half = _mm512_loadu_ps(f->half + i);
    none |= _mm512_cmp_ps_mask(half, half, _CMP_UNORD_Q);
  }
  return none ? OUT_FIX : o->lo >= o->zero ? OUT_HALF_UP : OUT_HALF;
}

/* The factors of 16 channels in registers. */
typedef struct out_factor {
  __m512i mul, mul_odd, shift, half; /* TFL_FIX: multipliers, those of odd lanes, right shift, half of 2^shift */
  __m512i left;                      /* OUT_FIX: left shift */
  __m512 real32;
  __m512 lo, add_real; /* OUT_HALF, OUT_HALF_UP: real32 + lo is the factor */
  __m512d real[2];
} out_factor;

OUT_INLINE out_factor out_load(const whet_factors *f, int64_t at, int how) {
  out_factor r;
  if (how == OUT_REAL32 || how == OUT_NEAR) {
    r.real32 = _mm512_loadu_ps(f->real32 + at);
  } else if (how == OUT_REAL) {
    r.real[0] = _mm512_loadu_pd(f->real + at);
    r.real[1] = _mm512_loadu_pd(f->real + at + 8);
  } else if (how == OUT_HALF || how == OUT_HALF_UP) {
    r.real32 = _mm512_loadu_ps(f->high + at);
    r.lo = _mm512_loadu_ps(f->low + at);
    r.add_real = _mm512_loadu_ps(f->half + at);
  } else {
    __m512i s = _mm512_loadu_si512(f->shift + at), z = _mm512_setzero_si512(), one = _mm512_set1_epi32(1);
    r.mul = _mm512_loadu_si512(f->mul + at);
    r.mul_odd = _mm512_srli_epi64(r.mul, 32);
    r.left = _mm512_max_epi32(s, z);
    r.shift = _mm512_max_epi32(_mm512_sub_epi32(z, s), z);
    r.half = _mm512_srli_epi32(_mm512_sllv_epi32(one, r.shift), 1);
  }
  return r;
}

/* One factor for all lanes, for OUT_FIX. */
OUT_INLINE out_factor out_factor_all(int32_t mul, int32_t shift) {
  int32_t m[16], s[16];
  OUT_UNROLL for (int i = 0; i < 16; i++) m[i] = mul, s[i] = shift;
  whet_factors f = {.mul = m, .shift = s};
  return out_load(&f, 0, OUT_FIX);
}

/* (x * mul + 2^30) >> 31 for all lanes. */
OUT_INLINE __m512i out_high_mul(__m512i x, const out_factor *f) {
  const __m512i n = _mm512_set1_epi64(INT64_C(1) << 30);
  __m512i even = _mm512_add_epi64(_mm512_mul_epi32(x, f->mul), n);
  __m512i odd = _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(x, 32), f->mul_odd), n);
  return _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 31), _mm512_slli_epi64(odd, 1));
}

/* Eight sums in double precision, ties away from zero; what is beyond 16 bits may become any number beyond them. */
OUT_INLINE __m256i out_real(__m256i x, __m512d real) {
  const __m512d sign = _mm512_set1_pd(-0.0), near_half = _mm512_set1_pd(0.49999999999999994);
  __m512d v = _mm512_mul_pd(_mm512_cvtepi32_pd(x), real);
  v = _mm512_add_pd(v, _mm512_or_pd(near_half, _mm512_and_pd(v, sign)));
  return _mm512_cvttpd_epi32(_mm512_min_pd(v, _mm512_set1_pd(65536)));
}

/* 16 sums to results before the zero point; those beyond 16 bits are only right in being beyond them on their side.
 */
OUT_INLINE __m512i out_rescale(__m512i x, const out_factor *f, int how) {
  if (how == OUT_REAL32 || how == OUT_NEAR) {
    __m512 v = _mm512_mul_ps(_mm512_cvtepi32_ps(x), f->real32);
    return _mm512_cvtps_epi32(how == OUT_NEAR ? v : _mm512_min_ps(v, _mm512_set1_ps(65536)));
  }
  if (how == OUT_REAL) {
    __m256i lo = out_real(_mm512_castsi512_si256(x), f->real[0]);
    __m256i hi = out_real(_mm512_extracti64x4_epi64(x, 1), f->real[1]);
    return _mm512_inserti64x4(_mm512_castsi256_si512(lo), hi, 1);
  }
  if (how == OUT_HALF || how == OUT_HALF_UP) {
    __m512 v = _mm512_cvtepi32_ps(x), half = f->add_real;
    if (how == OUT_HALF) /* with the sign of x */
      half = _mm512_castsi512_ps(
          _mm512_ternarylogic_epi32(_mm512_castps_si512(half), x, _mm512_set1_epi32(INT32_MIN), 0xf8));
    v = _mm512_fmadd_round_ps(v, f->real32, _mm512_fmadd_ps(v, f->lo, half), _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
    return _mm512_cvttps_epi32(v);
  }
  /* Any shift and any sum: half the rounding is done one bit early, so that nothing overflows. */
  const __m512i one = _mm512_set1_epi32(1);
  __m512i v = out_high_mul(_mm512_sllv_epi32(x, f->left), f);
  __mmask16 right = _mm512_test_epi32_mask(f->shift, f->shift);
  __m512i down = _mm512_srav_epi32(_mm512_add_epi32(v, _mm512_srai_epi32(v, 31)), _mm512_sub_epi32(f->shift, one));
  return _mm512_mask_srai_epi32(v, right, _mm512_add_epi32(down, one), 1);
}

/* Zero point and bounds of 8-bit results. */
typedef struct out_bound {
  __m512i zero, lo, hi;
  bool is_signed, moved, cut; /* the zero point is not 0; the bounds are not those of the type */
} out_bound;

OUT_INLINE out_bound out_bounds(const whet_out_q8 *o) {
  out_bound b = {_mm512_set1_epi16((int16_t)o->zero), _mm512_set1_epi8((char)o->lo), _mm512_set1_epi8((char)o->hi),
                 o->dtype == WHET_S8, o->zero != 0,
                 o->dtype == WHET_S8 ? o->lo > -128 || o->hi < 127 : o->lo > 0 || o->hi < 255};
  return b;
}

/* 64 rescaled sums to bytes: zero point and bounds after saturation to 16 bits. Lane 4i + j of the answer's 32-bit
 * lanes holds the i-th four of v[j]. */
OUT_INLINE __m512i out_narrow(const __m512i v[4], const out_bound *b) {
  __m512i x = _mm512_packs_epi32(v[0], v[1]), y = _mm512_packs_epi32(v[2], v[3]);
  if (b->moved) x = _mm512_adds_epi16(x, b->zero), y = _mm512_adds_epi16(y, b->zero);
  __m512i z = b->is_signed ? _mm512_packs_epi16(x, y) : _mm512_packus_epi16(x, y);
  if (!b->cut) return z;
  return b->is_signed ? _mm512_max_epi8(_mm512_min_epi8(z, b->hi), b->lo)
                      : _mm512_max_epu8(_mm512_min_epu8(z, b->hi), b->lo);
}

/* The bytes of out_narrow in the order of v[0], v[1], v[2], v[3]. */
OUT_INLINE __m512i out_order(__m512i x) {
  const __m512i order = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
  return _mm512_permutexvar_epi32(order, x);
}

/* The first n bytes of x. */
OUT_INLINE void out_store(uint8_t *to, __m512i x, int64_t n) {
  if (n == 64)
    _mm512_storeu_si512(to, x);
  else if (n == 32)
    _mm256_storeu_si256((__m256i *)(void *)to, _mm512_castsi512_si256(x));
  else if (n == 16)
    _mm_storeu_si128((__m128i *)(void *)to, _mm512_castsi512_si128(x));
  else
    _mm512_mask_storeu_epi8(to, ~UINT64_C(0) >> (64 - n), x);
}

/* Two or four rows that fill x, the first n bytes of each, to places `pitch` apart; `there`: of the last ones, only so many are. */
OUT_INLINE void out_store_rows(uint8_t *to, __m512i x, int rows, int there, int64_t n, int64_t pitch) {
  if (pitch == n && n * rows == 64 && there >= rows) {
    _mm512_storeu_si512(to, x);
  } else if (rows == 2) {
    const __mmask32 m = (__mmask32)_bzhi_u32(~0u, (unsigned)n);
    _mm256_mask_storeu_epi8(to, m, _mm512_castsi512_si256(x));
    if (there > 1) _mm256_mask_storeu_epi8(to + pitch, m, _mm512_extracti64x4_epi64(x, 1));
  } else {
    const __mmask16 m = (__mmask16)_bzhi_u32(0xffff, (unsigned)n);
    _mm_mask_storeu_epi8(to, m, _mm512_castsi512_si128(x));
    if (there > 1) _mm_mask_storeu_epi8(to + pitch, m, _mm512_extracti32x4_epi32(x, 1));
    if (there > 2) _mm_mask_storeu_epi8(to + 2 * pitch, m, _mm512_extracti32x4_epi32(x, 2));
    if (there > 3) _mm_mask_storeu_epi8(to + 3 * pitch, m, _mm512_extracti32x4_epi32(x, 3));
  }
}

#ifdef __AVX512VBMI__
/* Bytes through a table of 256. */
typedef struct out_table {
  __m512i t[4];
} out_table;
OUT_INLINE out_table out_table_load(const uint8_t *p) {
  out_table t;
  OUT_UNROLL for (int i = 0; i < 4; i++) t.t[i] = _mm512_loadu_si512(p + 64 * i);
  return t;
}
OUT_INLINE __m512i out_lookup(__m512i x, const out_table *t) {
  __m512i lo = _mm512_permutex2var_epi8(t->t[0], x, t->t[1]), hi = _mm512_permutex2var_epi8(t->t[2], x, t->t[3]);
  return _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), lo, hi);
}
#else
/* Without VBMI vpermi2w looks up a pair of entries by the upper seven bits of a byte, half of the table at a time; the lowest bit
 * chooses one of the pair. Bytes at even and at odd places are apart till then. */
typedef struct out_table {
  __m512i t[4];
} out_table;
OUT_INLINE out_table out_table_load(const uint8_t *p) {
  out_table t;
  OUT_UNROLL for (int i = 0; i < 4; i++) t.t[i] = _mm512_loadu_si512(p + 64 * i);
  return t;
}
/* The pairs of 32 bytes that stand at `bit` of each word less 1. */
OUT_INLINE __m512i out_pairs(__m512i x, const out_table *t, unsigned bit) {
  const __m512i at = _mm512_srli_epi16(x, bit);
  const __mmask32 high = _mm512_test_epi16_mask(at, _mm512_set1_epi16(0x40));
  return _mm512_mask_blend_epi16(high, _mm512_permutex2var_epi16(t->t[0], at, t->t[1]), _mm512_permutex2var_epi16(t->t[2], at, t->t[3]));
}
OUT_INLINE __m512i out_lookup(__m512i x, const out_table *t) {
  const __mmask64 odd = UINT64_C(0xaaaaaaaaaaaaaaaa);
  const __m512i a = out_pairs(x, t, 1), b = out_pairs(x, t, 9);
  const __m512i first = _mm512_mask_blend_epi8(odd, a, _mm512_slli_epi16(b, 8)), second = _mm512_mask_blend_epi8(odd, _mm512_srli_epi16(a, 8), b);
  return _mm512_mask_blend_epi8(_mm512_test_epi8_mask(x, _mm512_set1_epi8(1)), first, second);
}
#endif

/* Store a tile of sums: rows x n, n <= 64, rows of sums `ld` apart and readable to a multiple of 16, factors from the
 * tile's first channel on. pitch: elements between rows of out. */
#ifdef __AVX512VBMI__
#define out_tile whet__out_tile_vnni
#else
#define out_tile whet__out_tile_avx512
#endif
void out_tile(const whet_out_q8 *o, const whet_factors *f, const int32_t *sum, int64_t ld, int64_t rows, int64_t n,
              const uint8_t *table, void *out, int64_t pitch);

#endif
