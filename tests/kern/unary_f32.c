/* SPDX-License-Identifier: Apache-2.0 */
/* Family unary_f32 against long double, within the errors that its header promises. */

#include "kern/unary_f32.h"

#include <float.h>
#include <math.h>

#include "kern/check.h"

typedef struct state {
  whet_unary_f32 p;
  const float *x;
} state;

typedef long double real;

/* The function itself. */
static real truth(int fn, real x, real a, real b) {
  switch (fn) {
    case WHET_UN_ABS:
      return fabsl(x);
    case WHET_UN_NEG:
      return -x;
    case WHET_UN_EXP:
      return expl(x);
    case WHET_UN_LOG:
      return logl(x);
    case WHET_UN_SQRT:
      return sqrtl(x);
    case WHET_UN_RSQRT:
      return 1 / sqrtl(x);
    case WHET_UN_RECIPROCAL:
      return 1 / x;
    case WHET_UN_SQUARE:
      return x * x;
    case WHET_UN_SIN:
      return sinl(x);
    case WHET_UN_COS:
      return cosl(x);
    case WHET_UN_TAN:
      return tanl(x);
    case WHET_UN_ASIN:
      return asinl(x);
    case WHET_UN_ACOS:
      return acosl(x);
    case WHET_UN_ATAN:
      return atanl(x);
    case WHET_UN_SINH:
      return sinhl(x);
    case WHET_UN_COSH:
      return coshl(x);
    case WHET_UN_ASINH:
      return asinhl(x);
    case WHET_UN_ACOSH:
      return acoshl(x);
    case WHET_UN_ATANH:
      return atanhl(x);
    case WHET_UN_TANH:
      return tanhl(x);
    case WHET_UN_SIGMOID:
      return 1 / (1 + expl(-x));
    case WHET_UN_ERF:
      return erfl(x);
    case WHET_UN_CEIL:
      return ceill(x);
    case WHET_UN_FLOOR:
      return floorl(x);
    case WHET_UN_ROUND:
      return rintl(x);
    case WHET_UN_SIGN:
      return isnan(x) ? x : (x > 0) - (x < 0);
    case WHET_UN_CLIP:
      return isnan(x) ? x : fmaxl(a, fminl(x, b));
    case WHET_UN_LEAKY_RELU:
      return x < 0 ? a * x : x;
    case WHET_UN_ELU:
      return x < 0 ? a * expm1l(x) : x;
    case WHET_UN_SELU:
      return b * (x < 0 ? a * expm1l(x) : x);
    case WHET_UN_CELU:
      return x < 0 ? a * expm1l(x / a) : x;
    case WHET_UN_THRESHOLDED_RELU:
      return x <= a ? 0 : x;
    case WHET_UN_HARD_SIGMOID:
      return isnan(x) ? x : fmaxl(0, fminl(1, a * x + b));
    case WHET_UN_HARD_SWISH:
      return isnan(x) ? x : x * fmaxl(0, fminl(6, x + 3)) / 6;
    case WHET_UN_SOFTPLUS:
      return isnan(x) ? x : fmaxl(x, 0) + log1pl(expl(-fabsl(x)));
    case WHET_UN_SOFTSIGN:
      return x / (1 + fabsl(x));
    case WHET_UN_MISH:
      return isnan(x) ? x : x * tanhl(fmaxl(x, 0) + log1pl(expl(-fabsl(x))));
    case WHET_UN_GELU:
      return x * erfcl(-x * 0.70710678118654752440L) / 2;
    case WHET_UN_GELU_TANH:
      return x / (1 + expl(-1.5957691216057307117L * (x + 0.044715L * x * x * x)));
    case WHET_UN_SWISH:
      return x / (1 + expl(-a * x));
    case WHET_UN_SHRINK:
      return isnan(x) ? x : x < -a ? x + b : x > a ? x - b : 0;
    case WHET_UN_ADD:
      return x + a;
    case WHET_UN_MUL:
      return x * a;
    case WHET_UN_RSUB:
      return a - x;
    case WHET_UN_RDIV:
      return a / x;
    case WHET_UN_DIV:
      return x / a;
  }
  return 0;
}

static const char *const k_names[] = {
#define NAME(name, formula, ulp) #name,
    WHET_UNARY_F32_MAP(NAME)};
static const double k_ulp[] = {
#define ULP(name, formula, ulp) ulp,
    WHET_UNARY_F32_MAP(ULP)};

/* Distance of neighbouring floats at x. */
static double ulp_at(double x) {
  int e = x != 0 && isfinite(x) ? ilogb(x) : -126;
  return ldexp(1, (e < -126 ? -126 : e > 127 ? 127 : e) - 23);
}

/* The error that function fn may have at x with result y. Where a factor that vanishes comes from an argument that
 * was rounded, the header says so: an error of ulps of max(|y|, |x| / 64). */
static double tolerance(int fn, double x, double y) {
  double at = fabs(y);
  if (fn == WHET_UN_HARD_SWISH) at = fmax(at, fabs(x) / 4);
  if (fn == WHET_UN_GELU || fn == WHET_UN_GELU_TANH || fn == WHET_UN_SWISH || fn == WHET_UN_MISH)
    at = fmax(at, fabs(x) / 64);
  return k_ulp[fn] * ulp_at(at) * (1 + 1e-6);
}

/* Parameters within which the promises are made. */
static void draw_ab(kc *k, int fn, float *a, float *b) {
  *a = kc_f32(k);
  *b = kc_f32(k);
  if (fn == WHET_UN_CLIP && *a > *b) *b = *a + 1;
  if (fn == WHET_UN_CELU || fn == WHET_UN_SHRINK) *a = fabsf(*a) + 0.1f;
  if (fn == WHET_UN_ELU || fn == WHET_UN_SELU) *a = fabsf(*a) + 0.1f, *b = fabsf(*b) + 0.1f;
  if (fn == WHET_UN_DIV || fn == WHET_UN_RDIV) *a += *a < 0 ? -0.1f : 0.1f;
  if (fn == WHET_UN_HARD_SIGMOID) *a = fabsf(*a), *b = fabsf(*b);
}

/* A number to try: near zero, of moderate or any size, or any bits at all. */
static float draw_x(kc *k, int64_t kind) {
  uint32_t u = kc_u32(k);
  float f;
  static const float scale[] = {1, 12, 100, 70000, 1e9f};
  if (kind < 5) return kc_f32(k) * scale[kind];
  memcpy(&f, &u, 4);
  return f;
}

static void draw(kc *k) {
  state *s = k->state;
  whet_unary_f32 *p = kc_params(k, sizeof *p);
  p->fn = (int32_t)kc_range(k, 0, WHET_UN_COUNT - 1);
  draw_ab(k, p->fn, &p->a, &p->b);
  p->rows = kc_chance(k, 50) ? 1 : kc_range(k, 1, 9);
  p->run = kc_size(k, p->rows > 1 ? 200 : 3000);
  p->x_pitch = p->run + (kc_chance(k, 50) ? kc_range(k, 0, 20) : 0);
  p->y_pitch = p->run + (kc_chance(k, 50) ? kc_range(k, 0, 20) : 0);
  if (kc_chance(k, 30)) { /* micro-operations whose results are exact functions of the first */
    p->epi.n = (uint8_t)kc_range(k, 1, 2);
    p->epi.op[0] = WHET_MICRO_CLAMP;
    p->epi.a[0] = -0.25f, p->epi.b[0] = 2;
    p->epi.op[1] = WHET_MICRO_UNARY + WHET_UN_NEG;
  }
  bool in_place = p->x_pitch == p->y_pitch && kc_chance(k, 40);
  int64_t n = p->x_pitch * (p->rows - 1) + p->run, kind = kc_range(k, 0, 6);
  float *x = kc_mem(k, (size_t)n * sizeof *x);
  kc_fill_array(k, WHET_F32, x, n, KC_SPECIAL);
  for (int64_t i = 0; i < n; i++)
    if (kc_chance(k, 95)) x[i] = draw_x(k, kind);
  s->p = *p;
  s->x = x;
  if (in_place) {
    kc_inout_given(k, WHET_F32, n, x);
    kc_alias(k, 0);
  } else {
    kc_given(k, WHET_F32, n, x);
    kc_out(k, WHET_F32, p->y_pitch * (p->rows - 1) + p->run);
  }
  kc_absent(k);
  kc_name(k, "%s(%g, %g) %lld x %lld, pitches %lld %lld%s, numbers of kind %d, %d more", k_names[p->fn], (double)p->a,
          (double)p->b, (long long)p->rows, (long long)p->run, (long long)p->x_pitch, (long long)p->y_pitch,
          in_place ? ", in place" : "", (int)kind, p->epi.n);
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_unary_f32 *p = &s->p;
  int arg = k->arg[1].kind == KC_ALIAS ? 0 : 1;
  for (int64_t r = 0; r < p->rows; r++)
    for (int64_t i = 0; i < p->run && k->failures < 5; i++) {
      float x = s->x[r * p->x_pitch + i];
      double y = (double)truth(p->fn, x, p->a, p->b), tol = tolerance(p->fn, x, y);
      if (fabs(y) > (double)FLT_MAX + ulp_at(FLT_MAX) / 2) y = copysign(INFINITY, y);
      if (p->epi.n && !isnan(y)) y = y < -0.25 ? -0.25 : y > 2 ? 2 : y;
      if (p->epi.n > 1) y = -y;
      int before = k->failures;
      kc_want(k, arg, r * p->y_pitch + i, y, tol);
      if (k->failures != before) kc_fail(k, "at x = %.9g (%a)", (double)x, (double)x);
    }
}

/* Throughput of every function on numbers of moderate size in the first cache. */
static void bench(kc *k, int i) {
  whet_unary_f32 *p = kc_params(k, sizeof *p);
  *p = (whet_unary_f32){.fn = i, .a = 0.5f, .b = 1, .rows = 1, .run = 2048};
  kc_in(k, WHET_F32, p->run);
  kc_out(k, WHET_F32, p->run);
  kc_absent(k);
  k->ops = (double)p->run;
  k->bytes = 8.0 * (double)p->run;
  kc_name(k, "%s", k_names[i]);
}

static const kc_test test = {.family = WHET_FAMILY_unary_f32,
                             .state_bytes = sizeof(state),
                             .draw = draw,
                             .check = check,
                             .n_bench = WHET_UN_COUNT,
                             .bench = bench};
KC_MAIN(test)
