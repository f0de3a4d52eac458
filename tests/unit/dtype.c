/* SPDX-License-Identifier: Apache-2.0 */
/* base/dtype: every bit pattern of the 16-, 8-, 6- and 4-bit floats against the formula of its format, and rounding
 * against a search for the nearest value: two ways that share nothing with the bit arithmetic that is tested. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/dtype.h"
#include "base/rng.h"
#include "lib/test.h"

/* A format as its paper describes it. nan: 'i' IEEE 754 (top exponent is infinity and NaN), 'o' all ones is NaN, 'z'
 * negative zero is NaN, 'n' none. */
struct format {
  whet_dtype t;
  int e, m, bias;
  char nan;
};
static const struct format k_formats[] = {
    {WHET_F16, 5, 10, 15, 'i'},      {WHET_BF16, 8, 7, 127, 'i'},  {WHET_F8E4M3FN, 4, 3, 7, 'o'},
    {WHET_F8E4M3FNUZ, 4, 3, 8, 'z'}, {WHET_F8E5M2, 5, 2, 15, 'i'}, {WHET_F8E5M2FNUZ, 5, 2, 16, 'z'},
    {WHET_F4E2M1, 2, 1, 1, 'n'},     {WHET_F6E2M3, 2, 3, 1, 'n'},  {WHET_F6E3M2, 3, 2, 3, 'n'},
};

static int bits(const struct format *f) { return 1 + f->e + f->m; }

/* (-1)^s * 2^(e - bias) * 1.m, and the exceptions. */
static double meaning(const struct format *f, unsigned b) {
  unsigned m = b % (1u << f->m), e = b >> f->m & ((1u << f->e) - 1), top = (1u << f->e) - 1;
  double sign = b >> (f->e + f->m) ? -1 : 1;
  if (f->nan == 'i' && e == top) return m ? (double)NAN : sign * (double)INFINITY;
  if (f->nan == 'o' && e == top && m == (1u << f->m) - 1) return (double)NAN;
  if (f->nan == 'z' && sign < 0 && !e && !m) return (double)NAN;
  double fraction = (double)m / (double)(1u << f->m);
  return sign * (e ? pow(2, (int)e - f->bias) * (1 + fraction) : pow(2, 1 - f->bias) * fraction);
}

static float decode(whet_dtype t, unsigned b) {
  return t == WHET_F16    ? whet__f16_to_f32((uint16_t)b)
         : t == WHET_BF16 ? whet__bf16_to_f32((uint16_t)b)
                          : whet__f8_to_f32(t, (uint8_t)b);
}
static unsigned encode(whet_dtype t, float x, bool saturate) {
  return t == WHET_F16    ? whet__f32_to_f16(x)
         : t == WHET_BF16 ? whet__f32_to_bf16(x)
                          : whet__f32_to_f8(t, x, saturate);
}

static void decoding(void **state) {
  for (size_t k = 0; k < WHET_COUNT(k_formats); k++)
    for (unsigned b = 0; b < 1u << bits(&k_formats[k]); b++) {
      double want = meaning(&k_formats[k], b), got = decode(k_formats[k].t, b);
      if (isnan(want) ? !isnan(got) : got != want || signbit(got) != signbit(want))
        fail_msg("%s 0x%x: got %a, want %a", whet_dtype_name(k_formats[k].t), b, got, want);
    }
  const double e2m1[8] = {0, 0.5, 1, 1.5, 2, 3, 4, 6}; /* OCP MX specification 1.0, table 5 */
  for (unsigned b = 0; b < 16; b++)
    assert_true((double)whet__f8_to_f32(WHET_F4E2M1, (uint8_t)b) == (b & 8 ? -e2m1[b & 7] : e2m1[b]));
  for (unsigned b = 0; b < 255; b++)
    assert_true((double)whet__f8_to_f32(WHET_F8E8M0, (uint8_t)b) == pow(2, (int)b - 127));
  assert_true(isnan(whet__f8_to_f32(WHET_F8E8M0, 255)));
}

/* The finite values of a format that are not negative, rising; the code of each is its index. */
static int magnitudes(const struct format *f, double *v) {
  int n = 0;
  for (unsigned b = 0; b < 1u << (bits(f) - 1); b++)
    if (isfinite(meaning(f, b))) v[n++] = meaning(f, b);
  return n;
}

/* The code nearest to x, ties to the even code, found in the list. Past the end: as the format says. */
static unsigned nearest(const struct format *f, const double *v, int n, double x, bool saturate) {
  unsigned sign = signbit(x) ? 1u << (bits(f) - 1) : 0, top = (unsigned)n - 1;
  double a = fabs(x), next = 2 * v[n - 1] - v[n - 2]; /* where the value after the largest would lie */
  int lo = 0, hi = n - 1;
  if (isinf(x) ||
      a >= (v[n - 1] + next) / 2) { /* rounds to `next`, or would: every format's largest code is odd or ... */
    bool tie = !isinf(x) && a == (v[n - 1] + next) / 2;
    if (!tie || top % 2) {
      if (saturate || f->nan == 'n') return sign | top;
      return f->nan == 'i' ? sign | (top + 1) : f->nan == 'z' ? 1u << (bits(f) - 1) : sign | (top + 1);
    }
    return sign | top; /* ... the tie goes to the even one, which is the largest itself */
  }
  if (a >= v[n - 1]) return sign | top;
  while (hi - lo > 1) {
    int mid = (lo + hi) / 2;
    if (v[mid] <= a)
      lo = mid;
    else
      hi = mid;
  }
  double down = a - v[lo], up = v[hi] - a;
  unsigned code = (unsigned)(down < up ? lo : up < down ? hi : lo % 2 ? hi : lo);
  return f->nan == 'z' && !code ? 0 : sign | code;
}

/* One number, both signs, both ways to treat what is too large. */
static void round_one(const struct format *f, const double *v, int n, float x) {
  for (int s = 0; s < 4; s++) {
    float y = s & 1 ? -x : x;
    bool saturate = s & 2;
    if (saturate && (f->t == WHET_F16 || f->t == WHET_BF16)) continue;
    unsigned got = encode(f->t, y, saturate), want = nearest(f, v, n, y, saturate);
    if (got != want)
      fail_msg("%s of %a, saturate %d: got 0x%x, want 0x%x", whet_dtype_name(f->t), y, saturate, got, want);
  }
}

static void rounding(void **state) {
  static double v[1 << 15];
  uint64_t seed = test_seed(1);
  for (size_t k = 0; k < WHET_COUNT(k_formats); k++) {
    const struct format *f = &k_formats[k];
    int n = magnitudes(f, v);
    for (int i = 0; i < n; i++) { /* each value, the middle to the next, and the floats beside both */
      double next = i + 1 < n ? v[i + 1] : 2 * v[i] - v[i - 1];
      float at[2] = {(float)v[i], (float)((v[i] + next) / 2)};
      for (int j = 0; j < 2; j++) {
        if (isinf(at[j])) continue;
        round_one(f, v, n, at[j]);
        round_one(f, v, n, nextafterf(at[j], INFINITY));
        if (at[j] > 0) round_one(f, v, n, nextafterf(at[j], 0));
      }
    }
    for (uint64_t i = 0; i < 200000; i++) { /* any bits at all */
      uint32_t r[4];
      float x[4];
      whet__rng_block(seed, k, i, r);
      memcpy(x, r, sizeof x);
      for (int j = 0; j < 4; j++)
        if (!isnan(x[j])) round_one(f, v, n, x[j]);
    }
    round_one(f, v, n, INFINITY);
    for (int saturate = 0; saturate < 2 && f->nan != 'n'; saturate++) {
      assert_true(isnan(decode(f->t, encode(f->t, NAN, saturate))));
      assert_true(isnan(decode(f->t, encode(f->t, -NAN, saturate))));
    }
  }
}

/* Codes of finite values come back as themselves, through the array functions too. */
static void round_trip(void **state) {
  for (size_t k = 0; k < WHET_COUNT(k_formats); k++)
    for (unsigned b = 0; b < 1u << bits(&k_formats[k]); b++) {
      uint16_t cell[3] = {0};
      double x = meaning(&k_formats[k], b);
      if (isnan(x)) continue;
      assert_int_equal(encode(k_formats[k].t, (float)x, isfinite(x)), b);
      whet__set_f64(k_formats[k].t, cell, 1, x);
      if (isfinite(x) || k_formats[k].nan == 'i') {
        double back = whet__get_f64(k_formats[k].t, cell, 1);
        if (isfinite(x)) assert_true(back == x);
      }
    }
}

/* E8M0 holds powers of two; halfway and above goes up. */
static void e8m0(void **state) {
  for (int e = -126; e < 127; e++) {
    float p = ldexpf(1, e);
    assert_int_equal(whet__f32_to_f8(WHET_F8E8M0, p, true), e + 127);
    assert_int_equal(whet__f32_to_f8(WHET_F8E8M0, nextafterf(p * 1.5f, 0), true), e + 127);
    assert_int_equal(whet__f32_to_f8(WHET_F8E8M0, p * 1.5f, true), e + 128);
    assert_int_equal(whet__f32_to_f8(WHET_F8E8M0, -p, true), e + 127);
  }
  assert_int_equal(whet__f32_to_f8(WHET_F8E8M0, 0, true), 0);
  assert_int_equal(whet__f32_to_f8(WHET_F8E8M0, INFINITY, true), 254);
  assert_int_equal(whet__f32_to_f8(WHET_F8E8M0, INFINITY, false), 255);
  assert_int_equal(whet__f32_to_f8(WHET_F8E8M0, NAN, true), 255);
}

/* Doubles round once, not twice: values just beside a middle of the small type that a float cannot tell from it. */
static void no_double_rounding(void **state) {
  uint16_t h;
  double middle = 1 + ldexp(1, -11), less = ldexp(1, -40); /* between 1 and 1 + 2^-10 */
  whet__set_f64(WHET_F16, &h, 0, middle);
  assert_int_equal(h, 0x3c00);
  whet__set_f64(WHET_F16, &h, 0, middle + less);
  assert_int_equal(h, 0x3c01);
  whet__set_f64(WHET_F16, &h, 0, middle + ldexp(1, -10) - less); /* below the middle of the next pair */
  assert_int_equal(h, 0x3c01);
  whet__set_f64(WHET_BF16, &h, 0, 1 + ldexp(1, -8) + less);
  assert_int_equal(h, 0x3f81);
  whet__set_f64(WHET_F16, &h, 0, 1e300);
  assert_int_equal(h, 0x7c00);
  whet__set_f64(WHET_F16, &h, 0, -65519.999999);
  assert_int_equal(h, 0xfbff);
  whet__set_f64(WHET_F16, &h, 0, -1e-300);
  assert_int_equal(h, 0x8000);
}

/* Integers of every width: both carriers, packed ones beside neighbours that must not change. */
static void integers(void **state) {
  const whet_dtype t[] = {WHET_BOOL, WHET_U8,  WHET_S8, WHET_U16, WHET_S16, WHET_U32, WHET_S32,
                          WHET_U64,  WHET_S64, WHET_U4, WHET_S4,  WHET_U2,  WHET_S2};
  for (size_t k = 0; k < WHET_COUNT(t); k++) {
    int64_t lo = whet__dtype_min(t[k]), hi = whet__dtype_max(t[k]);
    unsigned b = whet_dtype_bits(t[k]);
    bool is_signed = whet__is_signed_int(t[k]);
    if (t[k] != WHET_BOOL && b < 64) {
      assert_int_equal(hi, is_signed ? (INT64_C(1) << (b - 1)) - 1 : (INT64_C(1) << b) - 1);
      assert_int_equal(lo, is_signed ? -hi - 1 : 0);
    }
    for (int64_t i = 0; i < 9; i++) {
      uint8_t cells[80], other[80];
      memset(cells, 0x6c, sizeof cells);
      memset(other, 0, sizeof other);
      const int64_t try[] = {lo, hi, 0, 1, hi / 2, lo / 3};
      for (size_t j = 0; j < WHET_COUNT(try); j++) {
        whet__set_i64(t[k], cells, i, try[j]);
        assert_int_equal(whet__get_i64(t[k], cells, i), try[j]);
        if (b < 64) assert_true(whet__get_f64(t[k], cells, i) == (double)try[j]);
        if (t[k] == WHET_BOOL) continue;
        whet__set_f64(t[k], cells, i, (double)(try[j] / 2));
        assert_int_equal(whet__get_i64(t[k], cells, i), (int64_t)(double)(try[j] / 2));
      }
      whet__set_i64(t[k], cells, i, -1); /* all bits of the element, and no other */
      whet__set_i64(t[k], other, i, t[k] == WHET_BOOL ? 0 : -1);
      for (size_t j = 0; j < sizeof cells && t[k] != WHET_BOOL; j++)
        assert_int_equal(cells[j], (0x6c & ~other[j]) | other[j]);
    }
  }
  uint8_t b = 7;
  assert_int_equal(whet__get_i64(WHET_BOOL, &b, 0), 1);
  uint64_t u = UINT64_MAX;
  assert_true(whet__get_f64(WHET_U64, &u, 0) == 18446744073709551616.0);
  whet__set_f64(WHET_U64, &u, 0, 1e30);
  assert_true(u == UINT64_MAX);
  whet__set_f64(WHET_U64, &u, 0, -5);
  assert_true(u == 0);
  float f = 1e30f;
  assert_true(whet__get_i64(WHET_F32, &f, 0) == INT64_MAX);
  f = -3.9f;
  assert_int_equal(whet__get_i64(WHET_F32, &f, 0), -3);
  f = NAN;
  assert_int_equal(whet__get_i64(WHET_F32, &f, 0), 0);
}

static void table(void **state) {
  for (int t = 1; t < WHET_DTYPE_COUNT; t++) {
    whet_dtype d = (whet_dtype)t;
    assert_int_equal(whet_dtype_from_name(whet_dtype_name(d)), d);
    unsigned b = whet_dtype_bits(d);
    assert_true(b == 2 || b == 4 || b % 8 == 0);
    for (size_t n = 0; n < 20; n++) assert_int_equal(whet_dtype_bytes(d, n), (n * b + 7) / 8);
    int kinds = whet__is_float(d) + whet__is_int(d) + whet__is_complex(d) + (d == WHET_BOOL) + (d == WHET_STRING);
    assert_int_equal(kinds, 1);
  }
  assert_int_equal(whet_dtype_bytes(WHET_F32, SIZE_MAX / 2), 0);
  assert_int_equal(whet_dtype_bytes(WHET_S4, SIZE_MAX), SIZE_MAX / 2 + 1);
  assert_int_equal(whet_dtype_from_name("flaot"), WHET_NONE);
  assert_string_equal(whet_dtype_name((whet_dtype)999), "unknown");
  assert_string_equal(whet_dtype_name((whet_dtype)-1), "unknown");
  assert_int_equal(whet_dtype_bits((whet_dtype)999), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(decoding), cmocka_unit_test(rounding),           cmocka_unit_test(round_trip),
      cmocka_unit_test(e8m0),     cmocka_unit_test(no_double_rounding), cmocka_unit_test(integers),
      cmocka_unit_test(table)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
