/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of family unary_f32, over the vector layer that the including file has chosen; it defines ISA (the
 * suffix of the public names), VARIANT and ISA_BITS. */

#include "kern/unary_f32.h"
#include "kern/row_name.h"
#include "kern/vmath.h"

#define CAT_(a, b, c) a##b##c
#define CAT(a, b, c) CAT_(a, b, c)

/* Row functions: y = EXPR of x, a and b over n elements, n a multiple of VW. */
#define ROW(NAME, EXPR)                                                                                                    \
  static void row_##NAME(float *y, const float *x, int64_t n, float a_, float b_) {                                        \
    const vf a = vf_set(a_), b = vf_set(b_);                                                                               \
    for (int64_t i = 0; i < n; i += VW) {                                                                                  \
      vf v = vf_load(x + i);                                                                                               \
      vf_store(y + i, EXPR);                                                                                               \
    }                                                                                                                      \
    (void)a, (void)b;                                                                                                      \
  }
/* The same over m rows in place, ld from row to row: what mostly follows products. */
#define TILE(NAME, EXPR)                                                                                                   \
  ROW(NAME, EXPR)                                                                                                          \
  static void tile_##NAME(float *x, int64_t ld, int64_t m, int64_t n, float a_, float b_) {                                \
    const vf a = vf_set(a_), b = vf_set(b_);                                                                               \
    for (; m > 0; m--, x += ld)                                                                                            \
      for (int64_t i = 0; i < n; i += VW) {                                                                                \
        vf v = vf_load(x + i);                                                                                             \
        vf_store(x + i, EXPR);                                                                                             \
      }                                                                                                                    \
    (void)a, (void)b;                                                                                                      \
  }

/* max(a, min(v, b)), NaN stays. */
static inline vf clamp(vf v, vf a, vf b) { return vf_max(a, vf_min(b, v)); }
/* Negative elements through f, the others as they are. */
static inline vf below(vf v, vf f) { return vf_sel(vf_lt(v, vf_set(0)), f, v); }
static inline vf gelu_tanh(vf v) {
  vf u = vf_mul(v, vf_fma(vf_mul(v, v), vf_set(0x1.2444f2p-4f), vf_set(0x1.988454p0f)));
  return vf_mul(v, vf_sigmoid(u));
}
static inline vf shrink(vf v, vf a, vf b) {
  vf y = vf_sel(vf_lt(v, vf_neg(a)), vf_add(v, b), vf_sel(vf_gt(v, a), vf_sub(v, b), vf_set(0)));
  return vf_sel(vf_ne(v, v), v, y);
}
static inline vf sign(vf v) {
  return vf_sel(vf_gt(v, vf_set(0)), vf_set(1), vf_sel(vf_lt(v, vf_set(0)), vf_set(-1), v));
}

ROW(ABS, vf_abs(v))
ROW(NEG, vf_neg(v))
ROW(EXP, vf_exp(v))
ROW(LOG, vf_log(v))
ROW(SQRT, vf_sqrt(v))
ROW(RSQRT, vf_div(vf_set(1), vf_sqrt(v)))
ROW(RECIPROCAL, vf_div(vf_set(1), v))
ROW(SQUARE, vf_mul(v, v))
ROW(SIN, vf_sin_turned(v, 0))
ROW(COS, vf_sin_turned(v, 1))
ROW(TAN, vf_tan(v))
ROW(ASIN, vf_asin(v))
ROW(ACOS, vf_acos(v))
ROW(ATAN, vf_atan(v))
ROW(SINH, vf_sinh(v))
ROW(COSH, vf_cosh(v))
ROW(ASINH, vf_asinh(v))
ROW(ACOSH, vf_acosh(v))
ROW(ATANH, vf_atanh(v))
TILE(TANH, vf_tanh(v))
TILE(SIGMOID, vf_sigmoid(v))
ROW(ERF, vf_erf(v))
ROW(CEIL, vf_ceil(v))
ROW(FLOOR, vf_floor(v))
ROW(ROUND, vf_round(v))
ROW(SIGN, sign(v))
ROW(CLIP, clamp(v, a, b))
TILE(LEAKY_RELU, below(v, vf_mul(a, v)))
ROW(ELU, below(v, vf_mul(a, vf_expm1(v))))
ROW(SELU, vf_mul(b, below(v, vf_mul(a, vf_expm1(v)))))
ROW(CELU, below(v, vf_mul(a, vf_expm1(vf_div(v, a)))))
ROW(THRESHOLDED_RELU, vf_sel(vf_le(v, a), vf_set(0), v))
ROW(HARD_SIGMOID, clamp(vf_fma(a, v, b), vf_set(0), vf_set(1)))
TILE(HARD_SWISH, vf_mul(v, clamp(vf_fma(v, vf_set(1 / 6.f), vf_set(0.5f)), vf_set(0), vf_set(1))))
ROW(SOFTPLUS, vf_softplus(v))
ROW(SOFTSIGN, vf_div(v, vf_add(vf_set(1), vf_abs(v))))
ROW(MISH, vf_mish(v))
TILE(GELU, vf_gelu(v))
ROW(GELU_TANH, gelu_tanh(v))
TILE(SWISH, vf_swish(v, a))
ROW(SHRINK, shrink(v, a, b))
ROW(ADD, vf_add(v, a))
ROW(MUL, vf_mul(v, a))
ROW(RSUB, vf_sub(a, v))
ROW(RDIV, vf_div(a, v))
ROW(DIV, vf_div(v, a))

static void (*const k_rows[WHET_UN_COUNT])(float *y, const float *x, int64_t n, float a, float b) = {
#define ENTRY(name, formula, ulp) [WHET_UN_##name] = row_##name,
    WHET_UNARY_F32_MAP(ENTRY)
#undef ENTRY
};

/* Any number of elements: what is left after whole vectors goes through a buffer. */
static void row(unsigned fn, float *y, const float *x, int64_t n, float a, float b) {
  const int64_t rest = n % VW, whole = n - rest;
  if (whole) k_rows[fn](y, x, whole, a, b);
  if (!rest) return;
  float t[VW];
  vf_store(t, vf_load_n(x + whole, rest));
  k_rows[fn](t, t, VW, a, b);
  vf_store_n(y + whole, vf_load(t), rest);
}

/* m rows of n < VW elements in place: side by side in a buffer. */
static void short_rows(unsigned fn, float *x, int64_t ld, int64_t m, int64_t n, float a, float b) {
  float t[16 * VW];
  const int64_t many = (15 * VW) / n;
  for (int64_t k; m > 0; m -= k, x += k * ld) {
    k = whet__min_i(m, many);
    for (int64_t i = 0; i < k; i++) vf_store(t + i * n, vf_load_n(x + i * ld, n)); /* and what the next one replaces */
    vf_store(t + k * n, vf_set(0));
    k_rows[fn](t, t, whet__ceil_div(k * n, VW) * VW, a, b);
    for (int64_t i = 0; i < k; i++) vf_store_n(x + i * ld, vf_load(t + i * n), n);
  }
}

/* m rows in place. */
static void rows(unsigned fn, float *x, int64_t ld, int64_t m, int64_t n, float a, float b) {
  if (m > 1 && n % VW == 0) switch (fn) {
#define CASE(NAME)                       \
  case WHET_UN_##NAME:                   \
    tile_##NAME(x, ld, m, n, a, b);      \
    return;
      CASE(TANH) CASE(SIGMOID) CASE(LEAKY_RELU) CASE(HARD_SWISH) CASE(GELU) CASE(SWISH)
#undef CASE
      default:
        break;
    }
  if (m > 1 && n < VW)
    short_rows(fn, x, ld, m, n, a, b);
  else
    for (; m > 0; m--, x += ld) row(fn, x, x, n, a, b);
}

void CAT(whet__epi_f32_, ISA, )(const whet_epi_f32 *e, float *x, int64_t ldx, const float *res, int64_t ldr, int64_t m, int64_t n) {
  if (ldx == n && (!e->res || ldr == n)) n *= m, m = 1;
  for (int k = 0; k < e->n; k++) {
    if (e->op[k] == WHET_MICRO_ADD)
      for (int64_t r = 0; r < m; r++)
        for (int64_t i = 0; i < n; i++) x[r * ldx + i] += res[r * ldr + i];
    else if (e->op[k] == WHET_MICRO_MUL)
      for (int64_t r = 0; r < m; r++)
        for (int64_t i = 0; i < n; i++) x[r * ldx + i] *= res[r * ldr + i];
    else
      rows(e->op[k] == WHET_MICRO_CLAMP ? WHET_UN_CLIP : e->op[k] - WHET_MICRO_UNARY, x, ldx, m, n, e->a[k], e->b[k]);
  }
}

/* n elements with the epilogue, in blocks that stay in the first cache. */
static void line(const whet_unary_f32 *p, float *y, const float *x, const float *res, int64_t n) {
  n -= WHET_BUG(1);
  if (!p->epi.n) {
    row(p->fn, y, x, n, p->a, p->b);
    return;
  }
  for (int64_t i = 0; i < n; i += 2048) {
    int64_t m = whet__min_i(2048, n - i);
    row(p->fn, y + i, x + i, m, p->a, p->b);
    CAT(whet__epi_f32_, ISA, )(&p->epi, y + i, m, res ? res + i : NULL, m, 1, m);
  }
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_unary_f32 *p = params;
  const float *x = ptr[0], *res = p->epi.res ? ptr[2] : NULL;
  float *y = ptr[1];
  int64_t from, to;
  if (p->rows == 1) {
    whet__split(whet__ceil_div(p->run, 64), part, parts, &from, &to);
    from *= 64;
    to = whet__min_i(to * 64, p->run);
    if (to > from) line(p, y + from, x + from, res ? res + from : NULL, to - from);
    return;
  }
  whet__split(p->rows, part, parts, &from, &to);
  const int64_t many = p->epi.n && p->run <= 256 ? 2048 / whet__max_i(p->run, 1) : 1; /* rows whose epilogue is worked off at once */
  for (int64_t r = from, m; many > 1 && r < to; r += m) {
    m = whet__min_i(many, to - r);
    for (int64_t i = r; i < r + m; i++) row(p->fn, y + i * p->y_pitch, x + i * p->x_pitch, p->run - WHET_BUG(1), p->a, p->b);
    CAT(whet__epi_f32_, ISA, )(&p->epi, y + r * p->y_pitch, p->y_pitch, res ? res + r * p->y_pitch : NULL, p->y_pitch, m, p->run);
  }
  for (int64_t r = from; many == 1 && r < to; r++)
    line(p, y + r * p->y_pitch, x + r * p->x_pitch, res ? res + r * p->y_pitch : NULL, p->run);
}

#define NAME_(isa, variant) "unary_f32__" #isa "_" #variant
#define NAME(isa, variant) NAME_(isa, variant)
#define SYMBOL_(isa, variant) whet_k_unary_f32__##isa##_##variant
#define SYMBOL(isa, variant) SYMBOL_(isa, variant)
const whet_kern SYMBOL(ISA, any) = {.name = NAME(ISA, any), .isa = ISA_BITS, .exact = VEC_EXACT, .run = run};
