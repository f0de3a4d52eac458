/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_X86_OUT_Q8_AVX2_H
#define WHET_KERN_X86_OUT_Q8_AVX2_H

/* out_q8.h on eight sums at a time, for ISA files with AVX2. The AVX-512 form explains the arithmetic. */

#include <immintrin.h>

#include "kern/out_q8.h"

#define OUT_INLINE static inline __attribute__((always_inline))
#if defined(WHET_SANITIZED) /* as WHET_UNROLL of kern.h */
#define OUT_UNROLL
#else
#define OUT_UNROLL _Pragma("GCC unroll 16") /* arrays in loops of few rounds shall be registers */
#endif

/* Names that bodies shared with AVX-512 use. */
enum { OUT_LANES = 8 };
typedef __m256i out_int;
typedef __m256 out_real32;
OUT_INLINE out_int out_zero(void) { return _mm256_setzero_si256(); }
OUT_INLINE out_int out_load_int(const int32_t *p) { return _mm256_loadu_si256((const __m256i *)(const void *)p); }
OUT_INLINE void out_store_int(int32_t *p, out_int x) { _mm256_storeu_si256((__m256i *)(void *)p, x); }
OUT_INLINE out_int out_set_i(int32_t x) { return _mm256_set1_epi32(x); }
OUT_INLINE out_int out_add_i(out_int a, out_int b) { return _mm256_add_epi32(a, b); }
OUT_INLINE out_int out_sub_i(out_int a, out_int b) { return _mm256_sub_epi32(a, b); }
OUT_INLINE out_int out_mul_i(out_int a, out_int b) { return _mm256_mullo_epi32(a, b); }
OUT_INLINE out_int out_shift_left(out_int a, int n) { return _mm256_slli_epi32(a, n); }
OUT_INLINE out_real32 out_set32(float x) { return _mm256_set1_ps(x); }
OUT_INLINE out_real32 out_add32(out_real32 a, out_real32 b) { return _mm256_add_ps(a, b); }
OUT_INLINE out_real32 out_sub32(out_real32 a, out_real32 b) { return _mm256_sub_ps(a, b); }
OUT_INLINE out_real32 out_mul32(out_real32 a, out_real32 b) { return _mm256_mul_ps(a, b); }
OUT_INLINE out_real32 out_to_real(out_int a) { return _mm256_cvtepi32_ps(a); }
OUT_INLINE out_real32 out_div32(out_real32 a, out_real32 b) { return _mm256_div_ps(a, b); }
OUT_INLINE out_real32 out_fma32(out_real32 a, out_real32 b, out_real32 c) { return _mm256_fmadd_ps(a, b, c); }
OUT_INLINE out_real32 out_near32(out_real32 a) { return _mm256_round_ps(a, 8); }
OUT_INLINE out_real32 out_signed32(out_real32 a, out_real32 b) {
  return _mm256_or_ps(_mm256_and_ps(a, _mm256_set1_ps(-0.0f)), b);
}
/* The larger of a, which is not negative, and |b|. */
OUT_INLINE out_real32 out_larger32(out_real32 a, out_real32 b) {
  return _mm256_max_ps(a, _mm256_andnot_ps(_mm256_set1_ps(-0.0f), b));
}
OUT_INLINE bool out_above32(out_real32 a, out_real32 most) {
  return _mm256_movemask_ps(_mm256_cmp_ps(a, most, _CMP_GT_OQ)) != 0;
}
/* Rounded to even, or halves away from zero; what is beyond 16 bits stays beyond them on its side, NaN is on the
 * lower. */
/* out_from_real of what is known to stay within 32 bits. */
OUT_INLINE out_int out_from_small(out_real32 a) { return _mm256_cvtps_epi32(a); }
OUT_INLINE out_int out_from_real(out_real32 a) { return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_set1_ps(65536), a)); }
OUT_INLINE out_int out_from_real_away(out_real32 a) {
  __m256 near_half = _mm256_or_ps(_mm256_set1_ps(0.49999997f), _mm256_and_ps(a, _mm256_set1_ps(-0.0f)));
  return _mm256_cvttps_epi32(_mm256_min_ps(_mm256_set1_ps(65536), _mm256_add_ps(a, near_half)));
}
/* A mask of the first n of 8 lanes. */
OUT_INLINE __m256i out_first(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0));
}
/* The first n of 8 floats. */
OUT_INLINE out_real32 out_load32(const float *p, int64_t n) {
  return n >= 8 ? _mm256_loadu_ps(p) : _mm256_maskload_ps(p, out_first(n));
}
OUT_INLINE void out_store32(float *p, out_real32 x, int64_t n) {
  if (n >= 8)
    _mm256_storeu_ps(p, x);
  else
    _mm256_maskstore_ps(p, out_first(n), x);
}
/* The first n of 8 bytes as numbers; one byte in every lane. */
OUT_INLINE out_int out_widen(const uint8_t *p, bool is_signed, int64_t n) {
  __m128i x;
  if (n >= 8) {
    x = _mm_loadl_epi64((const __m128i *)(const void *)p);
  } else {
    uint64_t t = 0;
    memcpy(&t, p, (size_t)n);
    x = _mm_cvtsi64_si128((long long)t);
  }
  return is_signed ? _mm256_cvtepi8_epi32(x) : _mm256_cvtepu8_epi32(x);
}
OUT_INLINE out_int out_widen_all(const uint8_t *p, bool is_signed) {
  __m128i x = _mm_loadl_epi64((const __m128i *)(const void *)p);
  return is_signed ? _mm256_cvtepi8_epi32(x) : _mm256_cvtepu8_epi32(x);
}
/* Bytes, or one of them in every lane, as unsigned numbers, signed ones with their top bit turned. */
typedef __m128i out_turn;
OUT_INLINE out_turn out_turn_set(bool is_signed) { return _mm_set1_epi8((char)(is_signed ? 0x80 : 0)); }
OUT_INLINE out_int out_widen_turned(const uint8_t *p, bool once, out_turn t) {
  __m128i x = once ? _mm_set1_epi8((char)*p) : _mm_loadl_epi64((const __m128i *)(const void *)p);
  return _mm256_cvtepu8_epi32(_mm_xor_si128(x, t));
}
OUT_INLINE out_int out_widen_one(const uint8_t *p, bool is_signed) { return out_set_i(is_signed ? (int8_t)*p : *p); }

/* a with the sign of b (0: positive or none); a float cut towards zero. */
OUT_INLINE out_int out_with_sign_of(out_int a, out_int b) {
  __m256i s = _mm256_srai_epi32(b, 31);
  return _mm256_sub_epi32(_mm256_xor_si256(a, s), s);
}
OUT_INLINE out_int out_cut_real(out_real32 a) { return _mm256_cvttps_epi32(a); }
/* The first n of 16 bytes, zeros behind them; n is positive. What is read twice is so that nothing is stored only to be
 * loaded in another width. */
OUT_INLINE __m128i out_load_half(const uint8_t *p, int64_t n) {
  if (n >= 16) return _mm_loadu_si128((const __m128i *)(const void *)p);
  uint64_t lo, hi = 0;
  uint32_t a, b;
  if (n >= 8) {
    memcpy(&lo, p, 8);
    memcpy(&hi, p + n - 8, 8);
    hi = n > 8 ? hi >> (128 - 8 * n) : 0;
  } else if (n >= 4) {
    memcpy(&a, p, 4);
    memcpy(&b, p + n - 4, 4);
    lo = a | (uint64_t)b << (8 * n - 32);
  } else {
    lo = p[0] | (uint64_t)p[n / 2] << (n / 2 * 8) | (uint64_t)p[n - 1] << (8 * n - 8);
  }
  return _mm_set_epi64x((long long)hi, (long long)lo);
}
/* The first n of 32 bytes, their greatest, their bounds. */
OUT_INLINE out_int out_load_bytes(const uint8_t *p, int64_t n) {
  if (n >= 32) return _mm256_loadu_si256((const __m256i *)(const void *)p);
  return _mm256_setr_m128i(out_load_half(p, n), n > 16 ? out_load_half(p + 16, n - 16) : _mm_setzero_si128());
}
OUT_INLINE out_int out_max_bytes(out_int a, out_int b, bool is_signed) {
  return is_signed ? _mm256_max_epi8(a, b) : _mm256_max_epu8(a, b);
}
OUT_INLINE out_int out_clamp_bytes(out_int a, int32_t lo, int32_t hi, bool is_signed) {
  __m256i l = _mm256_set1_epi8((char)lo), h = _mm256_set1_epi8((char)hi);
  return is_signed ? _mm256_max_epi8(_mm256_min_epi8(a, h), l) : _mm256_max_epu8(_mm256_min_epu8(a, h), l);
}

/* Ways to rescale a vector, as in out_q8_avx512.h. OUT_HALF and OUT_HALF_UP want a processor that cuts towards zero (out_cutting). */
enum { OUT_HALF, OUT_HALF_UP, OUT_FIX, OUT_REAL, OUT_REAL32 };

/* The way for results of 8 bits, or -1. */
static inline int out_way(const whet_out_q8 *o) {
  if (o->dtype != WHET_U8 && o->dtype != WHET_S8) return -1;
  if (o->round == WHET_ROUND_TFL_FIX) return OUT_FIX;
  return o->round == WHET_ROUND_TFL_REAL ? OUT_REAL : o->round == WHET_ROUND_ONNX_REAL ? OUT_REAL32 : -1;
}

/* The factors of eight channels. */
typedef struct out_factor {
  __m256i mul, mul_odd, shift, half, left;
  __m256 real32, lo, add_real;
  __m256d real[2];
} out_factor;

OUT_INLINE __m256i out_load_i(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }

OUT_INLINE out_factor out_load(const whet_factors *f, int64_t at, int how) {
  out_factor r;
  if (how == OUT_REAL32) {
    r.real32 = _mm256_loadu_ps(f->real32 + at);
  } else if (how == OUT_REAL) {
    r.real[0] = _mm256_loadu_pd(f->real + at);
    r.real[1] = _mm256_loadu_pd(f->real + at + 4);
  } else if (how == OUT_HALF || how == OUT_HALF_UP) {
    r.real32 = _mm256_loadu_ps(f->high + at);
    r.lo = _mm256_loadu_ps(f->low + at);
    r.add_real = _mm256_loadu_ps(f->half + at);
  } else {
    __m256i s = out_load_i(f->shift + at), z = _mm256_setzero_si256(), one = _mm256_set1_epi32(1);
    r.mul = out_load_i(f->mul + at);
    r.mul_odd = _mm256_srli_epi64(r.mul, 32);
    r.left = _mm256_max_epi32(s, z);
    r.shift = _mm256_max_epi32(_mm256_sub_epi32(z, s), z);
    r.half = _mm256_srli_epi32(_mm256_sllv_epi32(one, r.shift), 1);
  }
  return r;
}

/* One factor for all lanes, for OUT_FIX. */
OUT_INLINE out_factor out_factor_all(int32_t mul, int32_t shift) {
  int32_t m[8], s[8];
  for (int i = 0; i < 8; i++) m[i] = mul, s[i] = shift;
  whet_factors f = {.mul = m, .shift = s};
  return out_load(&f, 0, OUT_FIX);
}

/* (x * mul + 2^30) >> 31 for all lanes. */
OUT_INLINE __m256i out_high_mul(__m256i x, const out_factor *f) {
  const __m256i n = _mm256_set1_epi64x(INT64_C(1) << 30);
  __m256i even = _mm256_add_epi64(_mm256_mul_epi32(x, f->mul), n);
  __m256i odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(x, 32), f->mul_odd), n);
  return _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xaa);
}

/* Make single precision cut towards zero; what to give out_as_before(). What goes through memory stays on its side of either. */
OUT_INLINE unsigned out_cutting(void) {
  unsigned before = _mm_getcsr(), now = before | _MM_ROUND_TOWARD_ZERO;
  __asm__ volatile("ldmxcsr %0" : : "m"(now) : "memory");
  return before;
}
OUT_INLINE void out_as_before(unsigned before) { __asm__ volatile("ldmxcsr %0" : : "m"(before) : "memory"); }

/* Four sums in double precision, ties away from zero. */
OUT_INLINE __m128i out_real(__m128i x, __m256d real) {
  const __m256d sign = _mm256_set1_pd(-0.0), near_half = _mm256_set1_pd(0.49999999999999994);
  __m256d v = _mm256_mul_pd(_mm256_cvtepi32_pd(x), real);
  v = _mm256_add_pd(v, _mm256_or_pd(near_half, _mm256_and_pd(v, sign)));
  return _mm256_cvttpd_epi32(_mm256_min_pd(v, _mm256_set1_pd(65536)));
}

/* Eight sums to results before the zero point; those beyond 16 bits are only right in being beyond them on their
 * side. */
OUT_INLINE __m256i out_rescale(__m256i x, const out_factor *f, int how) {
  if (how == OUT_REAL32) {
    __m256 v = _mm256_mul_ps(_mm256_cvtepi32_ps(x), f->real32);
    return _mm256_cvtps_epi32(_mm256_min_ps(v, _mm256_set1_ps(65536)));
  }
  if (how == OUT_REAL) {
    __m128i lo = out_real(_mm256_castsi256_si128(x), f->real[0]);
    __m128i hi = out_real(_mm256_extracti128_si256(x, 1), f->real[1]);
    return _mm256_inserti128_si256(_mm256_castsi128_si256(lo), hi, 1);
  }
  if (how == OUT_HALF || how == OUT_HALF_UP) {
    __m256 v = _mm256_cvtepi32_ps(x), half = f->add_real;
    if (how == OUT_HALF) half = _mm256_or_ps(half, _mm256_and_ps(_mm256_castsi256_ps(x), _mm256_set1_ps(-0.0f)));
    return _mm256_cvttps_epi32(_mm256_fmadd_ps(v, f->real32, _mm256_fmadd_ps(v, f->lo, half)));
  }
  const __m256i one = _mm256_set1_epi32(1);
  __m256i v = out_high_mul(_mm256_sllv_epi32(x, f->left), f);
  __m256i none = _mm256_cmpeq_epi32(f->shift, _mm256_setzero_si256());
  __m256i down = _mm256_srav_epi32(_mm256_add_epi32(v, _mm256_srai_epi32(v, 31)), _mm256_sub_epi32(f->shift, one));
  return _mm256_blendv_epi8(_mm256_srai_epi32(_mm256_add_epi32(down, one), 1), v, none);
}

/* Zero point and bounds of 8-bit results. */
typedef struct out_bound {
  __m256i zero, lo, hi;
  bool is_signed;
} out_bound;

OUT_INLINE out_bound out_bounds(const whet_out_q8 *o) {
  out_bound b = {_mm256_set1_epi16((int16_t)o->zero), _mm256_set1_epi8((char)o->lo), _mm256_set1_epi8((char)o->hi),
                 o->dtype == WHET_S8};
  return b;
}

/* 32 rescaled sums to bytes. Lane 4i + j of the answer's 32-bit lanes holds the i-th four of v[j]. */
OUT_INLINE __m256i out_narrow(const __m256i v[4], const out_bound *b) {
  __m256i x = _mm256_adds_epi16(_mm256_packs_epi32(v[0], v[1]), b->zero);
  __m256i y = _mm256_adds_epi16(_mm256_packs_epi32(v[2], v[3]), b->zero);
  if (b->is_signed) return _mm256_max_epi8(_mm256_min_epi8(_mm256_packs_epi16(x, y), b->hi), b->lo);
  return _mm256_max_epu8(_mm256_min_epu8(_mm256_packus_epi16(x, y), b->hi), b->lo);
}

/* The bytes of out_narrow in the order of v[0], v[1], v[2], v[3]. */
OUT_INLINE __m256i out_order(__m256i x) {
  return _mm256_permutevar8x32_epi32(x, _mm256_set_epi32(7, 3, 6, 2, 5, 1, 4, 0));
}

/* The first n bytes of x. */
OUT_INLINE void out_store(uint8_t *to, __m256i x, int64_t n) {
  if (n == 32)
    _mm256_storeu_si256((__m256i *)(void *)to, x);
  else if (n == 16)
    _mm_storeu_si128((__m128i *)(void *)to, _mm256_castsi256_si128(x));
  else if (n == 8)
    _mm_storel_epi64((__m128i *)(void *)to, _mm256_castsi256_si128(x));
  else {
    uint8_t t[32];
    _mm256_storeu_si256((__m256i *)(void *)t, x);
    memcpy(to, t, (size_t)n);
  }
}

/* Bytes through a table of 256, as lut_q8_avx2.c has it ready: rows of n, in place or not. The table stays where it is. */
typedef struct whet_lut_avx2 {
  const uint8_t *table;
  __m256i d[2][8];
} whet_lut_avx2;
void whet__lut_avx2(whet_lut_avx2 *t, const uint8_t *table);
void whet__lut_rows_avx2(const whet_lut_avx2 *t, const uint8_t *in, int64_t in_pitch, uint8_t *out, int64_t out_pitch, int64_t rows,
                         int64_t n);

/* Store a tile of sums: rows x n, rows of sums `ld` apart and readable to a multiple of 8, factors from the tile's
 * first channel on. pitch: elements between rows of out. */
#define out_tile whet__out_tile_avx2
void out_tile(const whet_out_q8 *o, const whet_factors *f, const int32_t *sum, int64_t ld, int64_t rows, int64_t n,
              const uint8_t *table, void *out, int64_t pitch);

/* The sum of n bytes of each of n_seg runs: TILE_SUM of tile_q8.h. */
uint32_t whet__sum_bytes_avx2(const uint8_t *a, const int64_t *seg, int64_t n_seg, int64_t n);

/* What makes bytes of tiles of at most 16 channels, all things that depend on the channels being ready. */
typedef struct whet_out_ready_avx2 whet_out_ready_avx2;
/* Rows of 8 or 16 sums, `ld` apart, to bytes `pitch` apart. */
typedef void (*whet_out_make_avx2)(const whet_out_ready_avx2 *t, const int32_t *sum, int64_t ld, int64_t rows, uint8_t *out, int64_t pitch);
struct whet_out_ready_avx2 {
  whet_out_make_avx2 make; /* NULL: only out_tile() can */
  out_factor g[2];
  out_bound bound;
  bool then; /* through `table` after that */
  whet_lut_avx2 table;
};

/* For n channels from the factors' first on. */
#define out_ready whet__out_ready_avx2_for
void out_ready(whet_out_ready_avx2 *t, const whet_out_q8 *o, const whet_factors *f, int64_t n, const uint8_t *table);

/* out_tile() for such channels, with what is ready for them. */
#define out_ready_tile whet__out_ready_tile_avx2
void out_ready_tile(const whet_out_ready_avx2 *t, const whet_out_q8 *o, const whet_factors *f, const int32_t *sum, int64_t rows,
                    int64_t n, const uint8_t *table, void *out, int64_t pitch);

#endif
