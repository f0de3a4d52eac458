/* SPDX-License-Identifier: Apache-2.0 */
/* Unary operators on quantised numbers of 8 or 16 bits.
 *
 * Under WHET_ROUND_ONNX_REAL, in f32: y = clamp(rne(f(sx * (x - zx)) / sy) + zy), the function itself in double and
 * then rounded to f32. Else as LiteRT's reference kernels:
 *
 *   Relu, Clip       rescaled by TFL_FIX with the f32 factor sx / sy, then clamped to the quantised bounds
 *   LeakyRelu        TFL_FIX with the f32 factors sx / sy and sx * alpha / sy
 *   Abs              |x - zx|, by TFL_FIX when the scales differ
 *   Neg              -x of the stored numbers, whatever their scales
 *   HardSwish        8 bits: 16-bit fixed point
 *   Rsqrt            8 bits: fixed point; 16 bits: samples
 *   Sqrt             in f32, cut towards zero
 *   Sigmoid, Tanh    8 bits: a table made in f32; 16 bits: a given table with interpolation
 *   the others       8 bits: a table made in f32, ties away from zero; 16 bits: 513 samples with interpolation
 *
 * An output without quantisation is stored as a plain number. */

#include "op/unary_q8.h"

#include <math.h>

#include "base/dtype.h"
#include "kern/fixed.h"
#include "op/q8.h"
#include "op/unary.h"
#include "op/walk.h"

/* One call: parameters, and what its rule needs. */
typedef struct call call;
struct call {
  const whet_unary_row *row;
  double a, b; /* attributes */
  whet_q8 x, y;
  bool plain;                              /* the result is a plain number */
  int32_t mul[2], shift[2];                /* factors of x; of negative x, or the relu-ish one of HardSwish */
  int16_t table[513];                      /* samples */
  int32_t (*fn)(const call *c, int32_t v); /* of v = x - zx */
};

/* The function with f32 steps where LiteRT has them. Where logarithm and root have no result it takes the end of the
 * output's range. */
static float real(float x, const void *ctx) {
  const call *c = ctx;
  const char *name = c->row->op->name;
  if (!strcmp(name, "Sigmoid")) return 1.0f / (1.0f + (float)exp((double)-x));
  if (!strcmp(name, "Log") && x <= 0) return (float)(c->y.lo - c->y.zero) * c->y.scale;
  if (!strcmp(name, "Rsqrt")) return x <= 0 ? (float)c->y.hi * c->y.scale : 1.0f / sqrtf(x);
  if (!strcmp(name, "Gelu") && c->a == 0) return 0.5f * x * (float)erfc((double)(x * -0.70710678f));
  if (!strcmp(name, "Gelu"))
    return 0.5f * x * (1.0f + (float)tanh((double)(0.79788456f * (x + 0.044715f * x * x * x))));
  return (float)c->row->f64((double)x, c->a, c->b);
}

static int32_t onnx(const call *c, int32_t v) {
  float x = c->x.scale * (float)v, f = (float)c->row->f64((double)x, c->a, c->b);
  return whet__q8_store(&c->y, rintf(c->plain ? f : f / c->y.scale));
}

static int32_t by_real(const call *c, int32_t v) {
  float x = c->x.scale * (float)v;
  if (c->plain) return whet__q8_store(&c->y, round(c->row->f64((double)x, c->a, c->b)));
  return whet__q8_store(&c->y, roundf(real(x, c) * (1 / c->y.scale)));
}

/* Sqrt: cut, not rounded. */
static int32_t cut(const call *c, int32_t v) {
  return v < 0 ? c->y.lo : whet__q8_store(&c->y, (double)truncf(sqrtf(c->x.scale * (float)v) / c->y.scale));
}

static int32_t by_samples(const call *c, int32_t v) { return whet__fx_lookup16((int16_t)v, c->table); }

static int32_t rescaled(const call *c, int32_t v) {
  int k = v < 0;
  return whet__add_zero(whet__mul_fix(v, c->mul[k], c->shift[k]), c->y.zero, c->y.lo, c->y.hi);
}

static int32_t absolute(const call *c, int32_t v) {
  v = v < 0 ? -v : v;
  if (c->x.scale != c->y.scale) v = whet__mul_fix(v, c->mul[0], c->shift[0]);
  return whet__add_zero(v, c->y.zero, c->y.lo, c->y.hi);
}

static int32_t logistic16(const call *c, int32_t v) {
  return whet__fx_logistic16((int16_t)v, c->mul[0], c->shift[0]);
}
static int32_t tanh16(const call *c, int32_t v) { return whet__fx_tanh16((int16_t)v, c->mul[0], c->shift[0]); }

/* x * relu6(x + 3) / 6 in 16 bits: x once on the output's scale and once as a multiplier between 0 and 1. */
static int32_t hard_swish(const call *c, int32_t v) {
  int16_t x = (int16_t)(v * 128), m = x;
  int16_t scaled = whet__fx16_mul(x, whet__fx16_multiplier(c->mul[0]));
  if (c->shift[1] > 0) m = whet__fx16_left(m, c->shift[1] - 1);
  m = whet__fx16_mul(m, whet__fx16_multiplier(c->mul[1]));
  if (c->shift[1] > 0) m = whet__fx16_left(m, 1);
  if (c->shift[1] < 0) m = whet__fx16_right(m, -c->shift[1]);
  m = (int16_t)((m + (1 << 15)) >> 1);
  int16_t y = whet__fx16_right(whet__fx16_mul_cut(m, scaled), c->shift[0] < 0 ? -c->shift[0] : 0);
  return whet__add_zero(y, c->y.zero, c->y.lo, c->y.hi);
}

static int32_t rsqrt8(const call *c, int32_t v) {
  int32_t mul, shift;
  if (v <= 0) return c->y.hi;
  whet__fx_inv_sqrt(v, &mul, &shift);
  int32_t r = whet__mul_fix(1, mul, shift + 20);
  return whet__add_zero(whet__mul_fix(r, c->mul[0], c->shift[0] - 20), c->y.zero, c->y.lo, c->y.hi);
}

/* LiteRT negates 8- and 16-bit numbers as they are stored, the least one into itself. */
static int32_t negated(const call *c, int32_t v) {
  int32_t x = v + c->x.zero;
  return x == c->x.lo ? x : -x;
}

/* Bounds of Relu and Clip on the output's scale. */
static void clamp_to(call *c, float lo, float hi) {
  int32_t a = whet__round_away((double)roundf(lo / c->y.scale)),
          b = whet__round_away((double)roundf(hi / c->y.scale));
  c->y.lo = whet__add_zero(a, c->y.zero, c->y.lo, c->y.hi);
  if (hi < INFINITY) c->y.hi = whet__add_zero(b, c->y.zero, c->y.lo, c->y.hi);
}

/* Choose LiteRT's way for an operator, and prepare it. */
static void tfl(call *c, bool wide) {
  const char *name = c->row->op->name;
  float factor = c->x.scale / c->y.scale;
  whet__quantize_multiplier((double)factor, &c->mul[0], &c->shift[0]);
  c->mul[1] = c->mul[0], c->shift[1] = c->shift[0];
  c->fn = wide ? by_samples : by_real;
  if (!strcmp(name, "Relu") || !strcmp(name, "Clip")) {
    bool relu = !strcmp(name, "Relu");
    c->fn = rescaled;
    clamp_to(c, relu ? 0 : (float)c->a, relu ? INFINITY : (float)c->b);
  } else if (!strcmp(name, "LeakyRelu")) {
    c->fn = rescaled;
    whet__quantize_multiplier((double)(c->x.scale * (float)c->a / c->y.scale), &c->mul[1], &c->shift[1]);
  } else if (!strcmp(name, "Abs")) {
    c->fn = absolute;
  } else if (!strcmp(name, "Neg")) {
    c->fn = negated;
  } else if (!strcmp(name, "HardSwish") && !wide) {
    float fine = (1.0f / 128.0f) * c->x.scale;
    c->fn = hard_swish;
    whet__quantize_multiplier((double)(fine / c->y.scale), &c->mul[0], &c->shift[0]);
    whet__quantize_multiplier((double)(fine / (3.0f / 32768.0f)), &c->mul[1], &c->shift[1]);
  } else if (!strcmp(name, "Rsqrt") && !wide) {
    c->fn = rsqrt8;
    whet__quantize_multiplier(1 / (double)(sqrtf(c->x.scale) * c->y.scale), &c->mul[0], &c->shift[0]);
  } else if (!strcmp(name, "Sqrt")) {
    c->fn = cut;
  } else if (wide && (!strcmp(name, "Sigmoid") || !strcmp(name, "Tanh"))) {
    bool is_tanh = name[0] == 'T';
    c->fn = is_tanh ? tanh16 : logistic16;
    whet__fx_logistic16_scale(c->x.scale, is_tanh, &c->mul[0], &c->shift[0]);
  } else if (wide) {
    whet__fx_table16(c->x.scale, c->y.scale, real, c, c->table);
  }
}

whet_status whet__unary_q8_plan(whet_planner *p, const whet_node *n) {
  whet_dtype x = whet__pl_dtype(p, n->in[0]), y = whet__pl_dtype(p, n->out[0]);
  bool bytes = (x == WHET_S8 || x == WHET_U8) && whet_dtype_bits(y) == 8;
  return bytes ? whet__pl_by_table(p, n, 0) : WHET_LATE;
}

whet_status whet__unary_q8_ref(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  const whet_unary_attr *at = arg->attr;
  call c = {.row = whet__unary_row(arg->node->op), .a = at ? at->a : 0, .b = at ? at->b : 0, .plain = !y->q};
  c.x = whet__q8(x->dtype, x->q);
  c.y = whet__q8(y->dtype, y->q);
  bool wide = whet_dtype_bits(x->dtype) == 16;
  if (!whet__q8_tfl(arg->node))
    c.fn = onnx;
  else if (c.plain || (wide && (c.x.zero || c.y.zero)))
    c.fn = by_real;
  else
    tfl(&c, wide);
  whet_walk w;
  whet__walk_init(&w, x->rank, x->dim);
  whet__walk_add(&w, x);
  whet__walk_add(&w, y);
  while (whet__walk_row(&w))
    for (int64_t i = 0; i < w.run; i++) {
      int32_t v = (int32_t)whet__get_i64(x->dtype, x->data, w.at[0] + i * w.step[0]) - c.x.zero;
      whet__set_i64(y->dtype, y->data, w.at[1] + i * w.step[1], c.fn(&c, v));
    }
  return WHET_OK;
}
