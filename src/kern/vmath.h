/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_VMATH_H
#define WHET_KERN_VMATH_H

/* Elementary functions on vectors of f32, over the vector layer that the including file has chosen (kern/vec_c.h says
 * what one is). Reduction of the argument, then a polynomial; coefficients are from tools/minimax.py. The errors that
 * kern/unary_f32.h promises are tested against long double. */

/* Fused: coefficients from the constant term up. */
static inline vf vf_poly(vf x, const float *c, int n) {
  vf r = vf_set(c[n - 1]);
  for (int i = n - 2; i >= 0; i--) r = vf_fma(r, x, vf_set(c[i]));
  return r;
}
#define VF_POLY(x, ...) \
  vf_poly(x, (const float[]){__VA_ARGS__}, (int)(sizeof((const float[]){__VA_ARGS__}) / sizeof(float)))

/* ln 2 = LN2_HI + LN2_LO; the high part has 16 bits, so that its product with an exponent is exact. */
#define LN2_HI 0x1.62e4p-1f
#define LN2_LO 0x1.7f7d1cp-20f

/* x = n ln 2 + r with |r| <= ln 2 / 2; answers e^r - 1. x within +-200. */
static inline vf vf_exp_parts(vf x, vf *n) {
  const vf magic = vf_set(0x1.8p23f);
  *n = vf_sub(vf_fma(x, vf_set(0x1.715476p0f), magic), magic);
  vf r = vf_fnma(*n, vf_set(LN2_LO), vf_fnma(*n, vf_set(LN2_HI), x));
  vf p = VF_POLY(r, 0x1.000002p-1f, 0x1.555496p-3f, 0x1.5553c2p-5f, 0x1.123718p-7f, 0x1.6dca18p-10f);
  return vf_fma(p, vf_mul(r, r), r);
}

/* e^x 2^k for small integers k. */
static inline vf vf_exp_scaled(vf x, float k) {
  vf n;
  x = vf_max(vf_set(-110), vf_min(vf_set(100), x));
  vf p = vf_exp_parts(x, &n);
  return vf_scale(vf_add(p, vf_set(1)), vf_add(n, vf_set(k)));
}
static inline vf vf_exp(vf x) { return vf_exp_scaled(x, 0); }
/* The same for x <= 0. */
static inline vf vf_exp_down(vf x) {
  vf n, p = vf_exp_parts(vf_max(vf_set(-110), x), &n);
  return vf_scale(vf_add(p, vf_set(1)), n);
}
/* 2^x for x <= 0. */
static inline vf vf_exp2_down(vf x) {
  x = vf_max(vf_set(-160), x);
  vf n = vf_round(x), r = vf_sub(x, n);
  vf p = VF_POLY(r, 0x1.62e43p-1f, 0x1.ebfbdcp-3f, 0x1.c6aee6p-5f, 0x1.3b2d52p-7f, 0x1.5f4004p-10f, 0x1.41faacp-13f);
  return vf_scale(vf_fma(p, r, vf_set(1)), n);
}

/* e^x - 1 for x up to 88. */
static inline vf vf_expm1(vf x) {
  vf n;
  x = vf_max(vf_set(-25), vf_min(vf_set(88), x));
  vf p = vf_exp_parts(x, &n), s = vf_scale(vf_set(1), n);
  return vf_fma(s, p, vf_sub(s, vf_set(1)));
}

/* ln(w + c) for w >= 0 and a correction |c| under half of w's last place. */
static inline vf vf_log_sum(vf w, vf c) {
  vm tiny = vf_lt(w, vf_set(0x1p-126f));
  vf x = vf_sel(tiny, vf_mul(w, vf_set(0x1p23f)), w);
  vi b = vf_bits(x), e = vi_sar(vi_sub(b, vi_set(0x3f2aaaab)), 23);
  vf k = vi_to_f(e), f = vf_sub(vi_bits(vi_sub(b, vi_shl(e, 23))), vf_set(1));
  f = vf_add(f, vf_scale(c, vf_neg(k)));
  k = vf_add(k, vf_sel(tiny, vf_set(-23), vf_set(0)));
  vf p = VF_POLY(f, 0x1.555556p-2f, -0x1.ffff0ep-3f, 0x1.99977ep-3f, -0x1.559908p-3f, 0x1.24f48ep-3f, -0x1.f38a02p-4f,
                 0x1.b87e2p-4f, -0x1.071114p-3f, 0x1.ebd102p-4f);
  vf t = vf_fma(vf_mul(vf_mul(f, f), f), p, vf_mul(k, vf_set(LN2_LO)));
  t = vf_add(f, vf_fma(vf_mul(f, vf_set(-0.5f)), f, t));
  t = vf_fma(k, vf_set(LN2_HI), t);
  t = vf_sel(vf_lt(w, vf_set(INFINITY)), t, w);
  t = vf_sel(vf_eq(w, vf_set(0)), vf_set(-INFINITY), t);
  return vf_sel(vf_lt(w, vf_set(0)), vf_set(NAN), t);
}
static inline vf vf_log(vf x) { return vf_log_sum(x, vf_set(0)); }

/* ln(1 + x) for x > -1. */
static inline vf vf_log1p(vf x) {
  const vf one = vf_set(1);
  vf w = vf_add(x, one);
  vf c = vf_sel(vf_gt(x, one), vf_sub(one, vf_sub(w, x)), vf_sub(x, vf_sub(w, one)));
  return vf_log_sum(w, vf_sel(vf_lt(vf_abs(w), vf_set(0x1p60f)), c, vf_set(0)));
}

/* 1 / (1 + e^-x) */
static inline vf vf_sigmoid(vf x) {
  vf e = vf_exp(vf_neg(vf_abs(x)));
  return vf_div(vf_sel(vf_lt(x, vf_set(0)), e, vf_set(1)), vf_add(vf_set(1), e));
}

/* x / (1 + 2^t) with t = -k x log2 e. One quotient; what rounding t costs weighs where the result is next to x or 0. */
static inline vf vf_swish(vf x, vf k) {
  vf t = vf_mul(x, vf_mul(k, vf_set(-0x1.715476p0f)));
#ifdef VF_FRACTION
  vf f = vf_fraction(t);
#else
  const vf magic = vf_set(0x1.8p23f);
  t = vf_max(vf_set(-125), vf_min(vf_set(128), t)); /* 2^128 is infinite; NaN stays */
  vf z = vf_add(t, magic), f = vf_sub(t, vf_sub(z, magic));
#endif
  vf p = VF_POLY(f, 1, 0x1.62e42ap-1f, 0x1.ebf9c2p-3f, 0x1.c6b6d8p-5f, 0x1.3ce8b0p-7f, 0x1.5bda7ap-10f);
#ifdef VF_FRACTION
  vf e = vf_scale(p, vf_sub(t, f));
#else
  vf e = vi_bits(vi_add(vf_bits(p), vi_shl(vf_bits(z), 23)));
#endif
  return vf_div(x, vf_add(vf_set(1), e));
}

static inline vf vf_tanh(vf x) {
  vf t = vf_expm1(vf_mul(vf_set(-2), vf_abs(x)));
  return vf_copysign(vf_div(t, vf_add(t, vf_set(2))), x);
}

/* Reduction of one large argument: whet__trig_reduce answers r in -pi/4 .. pi/4 and the quadrant q of x = q pi/2 + r.
 */
float whet__trig_reduce(float x, int32_t *q);
static __attribute__((noinline, unused)) void vf_trig_large(const float *x, float *r, int32_t *q) {
  for (int i = 0; i < VW; i++) r[i] = whet__trig_reduce(x[i], &q[i]);
}

/* x = q pi/2 + r. Up to 71476 the product of q and pi/2 in three parts is exact enough. */
static inline vf vf_trig_reduce(vf x, vi *q) {
  const vf magic = vf_set(0x1.8p23f);
  vf t = vf_fma(x, vf_set(0x1.45f306p-1f), magic), n = vf_sub(t, magic);
  *q = vf_bits(t);
  vf r = vf_fnma(n, vf_set(0x1.921fb6p0f), x);
  r = vf_fnma(n, vf_set(-0x1.777a5cp-25f), r);
  r = vf_fnma(n, vf_set(-0x1.ee59dap-50f), r);
  vm large = vf_gt(vf_abs(x), vf_set(71476.f));
  if (WHET_UNLIKELY(vm_any(large))) {
    float a[VW], b[VW];
    int32_t k[VW];
    vf_store(a, x);
    vf_trig_large(a, b, k);
    r = vf_sel(large, vf_load(b), r);
    *q = vf_bits(vf_sel(large, vi_bits(vi_load(k)), vi_bits(*q)));
  }
  return r;
}
/* sin and cos of r in -pi/4 .. pi/4. */
static inline vf vf_sin_small(vf r) {
  vf z = vf_mul(r, r), p = VF_POLY(z, -0x1.555546p-3f, 0x1.11077ep-7f, -0x1.9956b6p-13f);
  return vf_fma(p, vf_mul(z, r), r);
}
static inline vf vf_cos_small(vf r) {
  vf z = vf_mul(r, r), p = VF_POLY(z, 0x1.55554ap-5f, -0x1.6c0c28p-10f, 0x1.99e80cp-16f);
  return vf_fma(vf_mul(z, z), p, vf_fma(z, vf_set(-0.5f), vf_set(1)));
}
/* sin of x + turn pi/2. */
static inline vf vf_sin_turned(vf x, int turn) {
  vi q;
  vf r = vf_trig_reduce(x, &q);
  q = vi_add(q, vi_set(turn));
  vf y = vf_sel(vi_test(q, 1), vf_cos_small(r), vf_sin_small(r));
  return vi_bits(vi_xor(vf_bits(y), vi_shl(vi_and(q, vi_set(2)), 30)));
}
static inline vf vf_tan(vf x) {
  vi q;
  vf r = vf_trig_reduce(x, &q), s = vf_sin_small(r), c = vf_cos_small(r);
  vm odd = vi_test(q, 1);
  return vf_div(vf_sel(odd, vf_neg(c), s), vf_sel(odd, s, c));
}

/* pi/2 = PI_2 + PI_2_LO */
#define PI_2 0x1.921fb6p0f
#define PI_2_LO -0x1.777a5cp-25f

/* asin of s with z = s^2, s up to 1/2. */
static inline vf vf_asin_small(vf s, vf z) {
  vf p = VF_POLY(z, 0x1.5555cap-3f, 0x1.33016ap-4f, 0x1.748a2cp-5f, 0x1.8bb536p-6f, 0x1.59cc92p-5f);
  return vf_fma(p, vf_mul(z, s), s);
}
/* Over 1/2: asin x = pi/2 - 2 asin sqrt((1 - x) / 2). */
static inline vf vf_asin(vf x) {
  vf a = vf_abs(x);
  vm big = vf_gt(a, vf_set(0.5f));
  vf z = vf_sel(big, vf_fnma(a, vf_set(0.5f), vf_set(0.5f)), vf_mul(a, a));
  vf p = vf_asin_small(vf_sel(big, vf_sqrt(z), a), z);
  vf far = vf_add(vf_fnma(p, vf_set(2), vf_set(PI_2)), vf_set(PI_2_LO));
  return vf_copysign(vf_sel(big, far, p), x);
}
static inline vf vf_acos(vf x) {
  vf a = vf_abs(x);
  vm big = vf_gt(a, vf_set(0.5f)), neg = vf_lt(x, vf_set(0));
  vf z = vf_sel(big, vf_fnma(a, vf_set(0.5f), vf_set(0.5f)), vf_mul(a, a));
  vf p = vf_asin_small(vf_sel(big, vf_sqrt(z), a), z), twice = vf_add(p, p);
  vf mid = vf_sub(vf_set(PI_2), vf_sub(vf_copysign(p, x), vf_set(PI_2_LO)));
  vf far = vf_sel(neg, vf_sub(vf_set(2 * PI_2), vf_sub(twice, vf_set(2 * PI_2_LO))), twice);
  return vf_sel(big, far, vf_sel(vf_ne(x, x), x, mid));
}
/* atan of t in 0 .. 1. */
static inline vf vf_atan_small(vf t) {
  vf z = vf_mul(t, t);
  vf p = VF_POLY(z, -0x1.5554dcp-2f, 0x1.9978ecp-3f, -0x1.230a94p-3f, 0x1.b4de9p-4f, -0x1.35502p-4f, 0x1.61eb9ap-5f,
                 -0x1.0c1222p-6f, 0x1.7e971ep-9f);
  return vf_fma(p, vf_mul(z, t), t);
}
static inline vf vf_atan(vf x) {
  vf a = vf_abs(x);
  vm big = vf_gt(a, vf_set(1));
  vf p = vf_atan_small(vf_sel(big, vf_div(vf_set(1), a), a));
  vf far = vf_sub(vf_set(PI_2), vf_sub(p, vf_set(PI_2_LO)));
  return vf_copysign(vf_sel(big, far, p), x);
}
/* The angle of the point (x, y), -pi .. pi. */
static inline vf vf_atan2(vf y, vf x) {
  vf ay = vf_abs(y), ax = vf_abs(x);
  vm steep = vf_gt(ay, ax);
  vf t = vf_div(vf_sel(steep, ax, ay), vf_sel(steep, ay, ax));
  t = vf_sel(vf_eq(ay, ax), vf_sel(vf_eq(ay, vf_set(0)), ay, vf_set(1)), t);
  vf p = vf_atan_small(t);
  p = vf_sel(steep, vf_sub(vf_set(PI_2), vf_sub(p, vf_set(PI_2_LO))), p);
  vf left = vf_sub(vf_set(2 * PI_2), vf_sub(p, vf_set(2 * PI_2_LO)));
  p = vf_sel(vi_test(vf_bits(x), INT32_MIN), left, p);
  p = vf_copysign(p, y);
  return vf_sel(vf_ne(x, x), x, vf_sel(vf_ne(y, y), y, p));
}

/* From 1 on: h - 1 / (4 h) with h = e^x / 2; below: (m + m / (m + 1)) / 2 with m = e^x - 1. */
static inline vf vf_sinh(vf x) {
  vf a = vf_abs(x), h = vf_exp_scaled(a, -1), m = vf_expm1(vf_min(a, vf_set(2)));
  vf far = vf_sub(h, vf_div(vf_set(0.25f), h));
  vf near = vf_mul(vf_set(0.5f), vf_add(m, vf_div(m, vf_add(m, vf_set(1)))));
  return vf_copysign(vf_sel(vf_lt(a, vf_set(1)), near, vf_sel(vf_ne(a, a), a, far)), x);
}
static inline vf vf_cosh(vf x) {
  vf h = vf_exp_scaled(vf_abs(x), -1);
  return vf_add(h, vf_div(vf_set(0.25f), h));
}
/* ln(a + sqrt(a^2 + 1)) = log1p(a + a^2 / (1 + sqrt(1 + a^2))); for large a: ln a + ln 2. */
static inline vf vf_asinh(vf x) {
  const vf one = vf_set(1);
  vf a = vf_abs(x), z = vf_min(a, vf_set(0x1p30f)), s = vf_mul(z, z);
  vf near = vf_log1p(vf_add(z, vf_div(s, vf_add(one, vf_sqrt(vf_add(one, s))))));
  vf far = vf_add(vf_log(a), vf_set(0x1.62e43p-1f));
  return vf_copysign(vf_sel(vf_lt(a, vf_set(0x1p29f)), near, far), x);
}
static inline vf vf_acosh(vf x) {
  vf t = vf_sub(x, vf_set(1)), u = vf_min(vf_set(0x1p30f), t);
  vf near = vf_log1p(vf_add(u, vf_sqrt(vf_fma(u, u, vf_add(u, u)))));
  vf far = vf_add(vf_log(x), vf_set(0x1.62e43p-1f));
  return vf_sel(vf_lt(x, vf_set(1)), vf_set(NAN), vf_sel(vf_gt(x, vf_set(0x1p29f)), far, near));
}
static inline vf vf_atanh(vf x) {
  vf a = vf_abs(x), t = vf_div(vf_add(a, a), vf_sub(vf_set(1), a));
  vf y = vf_mul(vf_set(0.5f), vf_log1p(t));
  return vf_copysign(vf_sel(vf_gt(a, vf_set(1)), vf_set(NAN), y), x);
}

/* The two halves of erf: x + x P(x^2) under 15/16; e^-g(a) = 1 - erf(a) from there. Past 4, where erf is 1, g goes on
 * as its greatest term a^2 does. */
static inline vf vf_erf_small(vf x) {
  vf z = vf_mul(x, x);
  vf p = VF_POLY(z, 0x1.06eba8p-3f, -0x1.81274p-2f, 0x1.ce2d64p-4f, -0x1.b8012p-6f, 0x1.544aa8p-8f, -0x1.a6126ep-11f,
                 0x1.4f8e58p-14f);
  return vf_fma(x, p, x);
}
static inline vf vf_erfc_large(vf a) {
  vf t = vf_min(vf_set(4), a);
  vf p = VF_POLY(t, 0x1.20efc4p0f, 0x1.452d3ap-1f, 0x1.b36bb2p-4f, -0x1.8642b8p-6f, 0x1.e0fbb8p-9f, -0x1.597982p-12f,
                 0x1.8f2e8ep-17f);
  vf past = vf_fma(a, a, vf_neg(vf_mul(t, t)));
  return vf_exp(vf_neg(vf_fma(t, p, past)));
}
static inline vf vf_erf(vf x) {
  vf a = vf_abs(x), far = vf_sub(vf_set(1), vf_erfc_large(a));
  return vf_sel(vf_lt(a, vf_set(0.9375f)), vf_erf_small(x), vf_copysign(far, x));
}
/* x Phi(x) = x h, or for positive x: x (1 - h); h = erfc(|x| / sqrt 2) / 2 = 2^(-1 + |x| P(|x|)). P is made for |x| up
 * to 4 sqrt 2; to 22 it falls on, past that h is 0. Half of its terms are summed apart from the others, which is sooner
 * done. */
static inline vf vf_gelu(vf x) {
  vf a = vf_min(vf_set(22), vf_abs(x)), s = vf_mul(a, a);
  vf low = vf_fma(s, vf_fma(a, vf_set(0x1.dbcp-8f), vf_set(-0x1.af28bep-5f)),
                  vf_fma(a, vf_set(-0x1.d62f46p-2f), vf_set(-0x1.26af22p0f)));
  vf high = vf_fma(s, vf_fma(a, vf_set(-0x1.e6d00ap-20f), vf_set(0x1.c37c3ep-16f)),
                   vf_fma(a, vf_set(-0x1.07e04cp-13f), vf_set(-0x1.2b0d98p-12f)));
  vf h = vf_exp2_down(vf_fma(a, vf_fma(vf_mul(s, s), high, low), vf_set(-1)));
  return vf_mul(x, vf_sel(vf_lt(x, vf_set(0)), h, vf_sub(vf_set(1), h)));
}

/* ln(1 + e^x) */
static inline vf vf_softplus(vf x) {
  vf l = vf_log1p(vf_exp(vf_neg(vf_abs(x))));
  return vf_add(vf_max(vf_set(0), x), l);
}
/* tanh ln(1 + e) = e (e + 2) / (e (e + 2) + 2); past 20 it is 1. */
static inline vf vf_mish(vf x) {
  vf e = vf_exp(vf_min(vf_set(20), x)), n = vf_mul(e, vf_add(e, vf_set(2)));
  return vf_mul(x, vf_div(n, vf_add(n, vf_set(2))));
}

/* log2 of a > 0 in two floats: a = 2^k m with m in sqrt 1/2 .. sqrt 2; ln m = 2 s + s^3 P(s^2), s = (m - 1) / (m +
 * 1). */
static inline vf vf_log2_pair(vf a, vf *low) {
  const vf one = vf_set(1);
  vm tiny = vf_lt(a, vf_set(0x1p-126f));
  vf x = vf_sel(tiny, vf_mul(a, vf_set(0x1p23f)), a);
  vi b = vf_bits(x), e = vi_sar(vi_sub(b, vi_set(0x3f3504f3)), 23);
  vf k = vf_add(vi_to_f(e), vf_sel(tiny, vf_set(-23), vf_set(0))), m = vi_bits(vi_sub(b, vi_shl(e, 23)));
  vf f = vf_sub(m, one), d = vf_add(m, one), d_low = vf_sub(m, vf_sub(d, one));
  vf s = vf_div(f, d), s_low = vf_div(vf_fnma(s, d_low, vf_fnma(s, d, f)), d), z = vf_mul(s, s);
  vf p = VF_POLY(z, 0x1.555554p-1f, 0x1.999c26p-2f, 0x1.23d3e0p-2f, 0x1.f13b22p-3f);
  vf l = vf_fma(vf_mul(s, z), p, vf_add(s_low, s_low)), h = vf_add(s, s), sum = vf_add(h, l);
  l = vf_sub(l, vf_sub(sum, h));
  /* Times log2 e, plus k. */
  const vf log2e = vf_set(0x1.715476p0f);
  vf q = vf_mul(sum, log2e), q_low = vf_fma(sum, log2e, vf_neg(q));
  q_low = vf_fma(l, log2e, vf_fma(sum, vf_set(0x1.4ae0cp-26f), q_low));
  vf r = vf_add(k, q);
  *low = vf_add(vf_sub(q, vf_sub(r, k)), q_low);
  return r;
}

/* x^y with the special cases of IEEE 754 pow. */
static inline vf vf_pow(vf x, vf y) {
  const vf zero = vf_set(0), one = vf_set(1), inf = vf_set(INFINITY);
  vf a = vf_abs(x), low, r = vf_log2_pair(a, &low);
  vf q = vf_mul(y, r), q_low = vf_fma(y, low, vf_fma(y, r, vf_neg(q)));
  q_low = vf_sel(vf_lt(vf_abs(q), vf_set(512)), q_low, zero);
  q = vf_max(vf_set(-200), vf_min(vf_set(200), q));
  vf n = vf_round(q), t = vf_mul(vf_add(vf_sub(q, n), q_low), vf_set(0x1.62e43p-1f)), whole;
  vf v = vf_exp_parts(t, &whole); /* |t| < ln 2 / 2 but for rounding */
  v = vf_scale(vf_add(v, one), vf_add(n, whole));
  vf none = vf_sel(vf_lt(y, zero), inf, zero), all = vf_sel(vf_lt(y, zero), zero, inf);
  v = vf_sel(vf_eq(a, zero), none, vf_sel(vf_eq(a, inf), all, v));
  v = vf_sel(vf_eq(a, one), one, v);
  /* The sign of negative x, and NaN where y is no integer. */
  vf half = vf_mul(y, vf_set(0.5f));
  vm integer = vf_eq(vf_round(y), y), odd = vm_and(integer, vf_ne(vf_round(half), half)),
     neg = vi_test(vf_bits(x), INT32_MIN);
  v = vf_sel(vm_and(neg, odd), vf_neg(v), v);
  v = vf_sel(integer, v, vf_sel(vm_and(vf_lt(x, zero), vf_lt(a, inf)), vf_set(NAN), v));
  v = vf_sel(vf_ne(x, x), x, vf_sel(vf_ne(y, y), y, v));
  return vf_sel(vf_eq(y, zero), one, vf_sel(vf_eq(x, one), one, v));
}

#endif
