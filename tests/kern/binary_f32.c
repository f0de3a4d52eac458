/* SPDX-License-Identifier: Apache-2.0 */
/* Family binary_f32 against its definition in long double. */

#include "kern/binary_f32.h"

#include <float.h>
#include <math.h>

#include "kern/check.h"

typedef struct state {
  whet_binary_f32 p;
  const float *x, *y, *res;
} state;

static const char *const k_names[] = {
#define NAME(name, formula) #name,
    WHET_BINARY_F32_MAP(NAME)};

static long double truth(int fn, long double x, long double y) {
  switch (fn) {
    case WHET_BIN_ADD:
      return x + y;
    case WHET_BIN_SUB:
      return x - y;
    case WHET_BIN_MUL:
      return x * y;
    case WHET_BIN_DIV:
      return x / y;
    case WHET_BIN_MAX:
      return isnan(x) || isnan(y) ? NAN : x > y ? x : y;
    case WHET_BIN_MIN:
      return isnan(x) || isnan(y) ? NAN : x < y ? x : y;
    case WHET_BIN_POW:
      return powl(x, y);
    case WHET_BIN_GATE:
      return x > 0 ? y : 0;
    case WHET_BIN_PRELU:
      return x < 0 ? x * y : x;
    case WHET_BIN_ATAN2:
      return atan2l(x, y);
    case WHET_BIN_SQUARED_DIFFERENCE:
      return (long double)((float)x - (float)y) * ((float)x - (float)y);
    case WHET_BIN_FLOOR_DIV:
      return floorl((long double)((float)x / (float)y));
    case WHET_BIN_EQUAL:
      return x == y;
    case WHET_BIN_NOT_EQUAL:
      return x != y;
    case WHET_BIN_LESS:
      return x < y;
    case WHET_BIN_LESS_EQUAL:
      return x <= y;
    case WHET_BIN_GREATER:
      return x > y;
    case WHET_BIN_GREATER_EQUAL:
      return x >= y;
  }
  return 0;
}

/* Strides of an operand with random dimensions repeated, and the elements that it has. */
static int64_t strides(kc *k, const whet_binary_f32 *p, int64_t *stride, bool whole) {
  int64_t n = 1;
  for (int32_t i = p->rank - 1; i >= 0; i--) {
    bool repeat = !whole && kc_chance(k, 25);
    stride[i] = repeat ? 0 : n;
    if (!repeat) n *= p->dim[i];
  }
  return n;
}

/* A number to try: small integers often, so that some are equal and powers are exact. */
static void fill(kc *k, float *x, int64_t n) {
  kc_fill_array(k, WHET_F32, x, n, k->fill);
  for (int64_t i = 0; i < n; i++) {
    if (kc_chance(k, 30)) x[i] = (float)kc_range(k, -4, 4);
    if (kc_chance(k, 20)) x[i] *= 30;
  }
}

static void draw(kc *k) {
  state *s = k->state;
  whet_binary_f32 *p = kc_params(k, sizeof *p);
  p->fn = (int32_t)kc_range(k, 0, WHET_BIN_COUNT - 1);
  p->rank = (int32_t)kc_range(k, 0, 4);
  bool is_bool = p->fn >= WHET_BIN_EQUAL;
  for (int32_t i = 0; i < p->rank; i++)
    p->dim[i] = kc_chance(k, 15) ? 1 : kc_size(k, p->rank > 2 ? 12 : p->rank == 1 ? 5000 : 90);
  int64_t nx = strides(k, p, p->x_stride, kc_chance(k, 40)), ny = strides(k, p, p->y_stride, kc_chance(k, 40)),
          nz = 1;
  for (int32_t i = p->rank - 1; i >= 0; i--) {
    p->z_stride[i] = nz;
    nz = i == p->rank - 1 ? p->dim[i] + (p->dim[i] > 1 && kc_chance(k, 20) ? 3 : 0) : nz * p->dim[i];
  }
  if (!is_bool && kc_chance(k, 30)) {
    p->epi.n = 2;
    p->epi.res = 1;
    p->epi.op[0] = WHET_MICRO_CLAMP, p->epi.a[0] = -2, p->epi.b[0] = 2;
    p->epi.op[1] = WHET_MICRO_MUL;
  }
  float *x = kc_mem(k, (size_t)nx * sizeof *x), *y = kc_mem(k, (size_t)ny * sizeof *y);
  fill(k, x, nx);
  fill(k, y, ny);
  s->p = *p;
  s->x = x;
  s->y = y;
  bool in_place = !is_bool && nx == nz && kc_chance(k, 30);
  if (in_place)
    kc_inout_given(k, WHET_F32, nx, x);
  else
    kc_given(k, WHET_F32, nx, x);
  kc_given(k, WHET_F32, ny, y);
  if (in_place)
    kc_alias(k, 0);
  else
    kc_out(k, is_bool ? WHET_BOOL : WHET_F32, nz);
  s->res = NULL;
  if (p->epi.n)
    s->res = kc_in(k, WHET_F32, nz);
  else
    kc_absent(k);
  kc_name(k, "%s, rank %d: %lld %lld %lld %lld%s%s", k_names[p->fn], p->rank, (long long)p->dim[0],
          (long long)p->dim[1], (long long)p->dim[2], (long long)p->dim[3], in_place ? ", in place" : "",
          p->epi.n ? ", epilogue" : "");
}

/* Distance of neighbouring floats at x. */
static double ulp_at(double x) {
  int e = x != 0 && isfinite(x) ? ilogb(x) : -126;
  return ldexp(1, (e < -126 ? -126 : e > 127 ? 127 : e) - 23);
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_binary_f32 *p = &s->p;
  int64_t at[WHET_MAX_RANK] = {0}, n = 1;
  int arg = k->arg[2].kind == KC_ALIAS ? 0 : 2;
  for (int32_t i = 0; i < p->rank; i++) n *= p->dim[i];
  for (int64_t o = 0; o < n && !k->failures; o++) {
    int64_t x = 0, y = 0, z = 0;
    for (int32_t i = 0; i < p->rank; i++)
      x += at[i] * p->x_stride[i], y += at[i] * p->y_stride[i], z += at[i] * p->z_stride[i];
    double v = (double)truth(p->fn, s->x[x], s->y[y]);
    double ulp = p->fn == WHET_BIN_POW || p->fn == WHET_BIN_ATAN2 ? 2
                 : p->fn == WHET_BIN_SQUARED_DIFFERENCE           ? 0.5
                                                                  : 0.5;
    if (fabs(v) > (double)FLT_MAX + ulp_at(FLT_MAX) / 2) v = copysign(INFINITY, v);
    if (p->fn >= WHET_BIN_EQUAL) {
      kc_want_int(k, arg, z, (int64_t)v);
    } else {
      double tol = isfinite(v) ? ulp * ulp_at(v) * (1 + 1e-9) : 0;
      if (p->epi.n && !isnan(v)) v = v < -2 ? -2 : v > 2 ? 2 : v;
      if (p->epi.n) {
        double r = (double)s->res[z];
        if (!isfinite(r)) r = NAN; /* times what may have been rounded to 0 */
#ifdef __arm__ /* whose vectors take numbers below 2^-126 as zeros, before they are multiplied */
        if (fabs(v) < (double)FLT_MIN) tol += (double)FLT_MIN;
#endif
        tol = tol * fabs(r) + ulp_at(v * r);
        v *= r;
        if (fabs(v) > (double)FLT_MAX) v = copysign(INFINITY, v), tol = 0;
      }
      if (!p->epi.n || !isnan(v)) kc_want(k, arg, z, v, isnan(tol) ? 0 : tol);
    }
    if (k->failures)
      kc_fail(k, "at %.9g (%a) and %.9g (%a)", (double)s->x[x], (double)s->x[x], (double)s->y[y], (double)s->y[y]);
    for (int32_t i = p->rank - 1; i >= 0 && ++at[i] == p->dim[i]; i--) at[i] = 0;
  }
}

static void bench(kc *k, int i) {
  static const struct {
    int fn;
    int64_t rows, cols, xr, xc, yr, yc;
  } c[] = {{WHET_BIN_ADD, 1, 56 * 56 * 64, 0, 1, 0, 1}, {WHET_BIN_MUL, 196, 384, 384, 1, 0, 1},
           {WHET_BIN_MUL, 196, 384, 384, 1, 1, 0},      {WHET_BIN_POW, 1, 2048, 0, 1, 0, 0},
           {WHET_BIN_ADD, 20000, 3, 3, 1, 0, 1},        {WHET_BIN_LESS, 1, 65536, 0, 1, 0, 1}};
  whet_binary_f32 *p = kc_params(k, sizeof *p);
  *p = (whet_binary_f32){.fn = c[i].fn,
                         .rank = 2,
                         .dim = {c[i].rows, c[i].cols},
                         .x_stride = {c[i].xr, c[i].xc},
                         .y_stride = {c[i].yr, c[i].yc},
                         .z_stride = {c[i].cols, 1}};
  int64_t n = c[i].rows * c[i].cols;
  kc_in(k, WHET_F32, n);
  kc_in(k, WHET_F32, n);
  kc_out(k, c[i].fn >= WHET_BIN_EQUAL ? WHET_BOOL : WHET_F32, n);
  kc_absent(k);
  k->ops = (double)n;
  kc_name(k, "%s %lldx%lld strides %lld,%lld %lld,%lld", k_names[c[i].fn], (long long)c[i].rows, (long long)c[i].cols,
          (long long)c[i].xr, (long long)c[i].xc, (long long)c[i].yr, (long long)c[i].yc);
}

static const kc_test test = {.family = WHET_FAMILY_binary_f32,
                             .state_bytes = sizeof(state),
                             .fills = 1u << KC_RANDOM | 1u << KC_INTS | 1u << KC_SPECIAL,
                             .draw = draw,
                             .check = check,
                             .n_bench = 6,
                             .bench = bench};
KC_MAIN(test)
