/* SPDX-License-Identifier: Apache-2.0 */
/* Binary operators on quantised numbers of 8 or 16 bits. a = x - zx, b = y - zy.
 *
 * Under WHET_ROUND_ONNX_REAL: Add, Sub and Mul as kern/binary_q8.h says; the others are the f32 function between
 * dequantisation and quantisation, clamp(rne(f(sx a, sy b) / sz) + zz). Else as LiteRT's reference kernels:
 *
 *   Add, Sub            kern/binary_q8.h; 16 bits under WHET_ROUND_TFL_FIX1 (all scales are powers of two, the file
 * asks for it): saturating sum, the finer operand shifted right Mul                 kern/binary_q8.h Max, Min of the
 * stored numbers Div                 fixed point by reciprocal SquaredDifference   as Sub with 7 bits to the left,
 * squared, rescaled PRelu               TFL_FIX with the f32 factors sx / sz and sx sy / sz comparisons         of a
 * << 8 and b << 8 by TFL_FIX with factors sx and sy the others          the real function, in double, ties away from
 * zero
 *
 * Operands and results without quantisation are plain numbers. */

#include "op/binary_q8.h"

#include <math.h>

#include "base/dtype.h"
#include "kern/binary_q8.h"
#include "kern/fixed.h"
#include "kern/pair_q8.h"
#include "op/binary.h"
#include "op/q8.h"
#include "op/walk.h"

/* One call: parameters, and what its rule needs. */
typedef struct call call;
struct call {
  const whet_binary_row *row;
  int32_t mode;
  whet_q8 x, y, z;
  bool real_x, real_y, real_z; /* quantised, not plain */
  whet_binary_q8 bin;
  int32_t mul[2], shift[2];

  int32_t (*fn)(const call *c, int32_t a, int32_t b);
};

static int32_t kernel(const call *c, int32_t a, int32_t b) { return whet__binary_q8_one(&c->bin, a, b); }

/* ONNX: in f32. Results that are not quantised are plain numbers or booleans. */
static int32_t onnx(const call *c, int32_t a, int32_t b) {
  float x = (float)a * c->x.scale, y = (float)b * c->y.scale;
  float f = (float)c->row->f64((double)x, (double)y, c->mode);
  return whet__q8_store(&c->z, c->real_z ? (double)rintf(f / c->z.scale) : (double)f);
}

static int32_t by_real(const call *c, int32_t a, int32_t b) {
  double f = c->row->f64((double)c->x.scale * a, (double)c->y.scale * b, c->mode);
  return whet__q8_store(&c->z, c->real_z ? round(f / (double)c->z.scale) : f);
}

/* Max, Min and whatever LiteRT knows of whole numbers only: of the stored ones. */
static int32_t stored(const call *c, int32_t a, int32_t b) {
  return (int32_t)c->row->i64(a + c->x.zero, b + c->y.zero, false, c->mode);
}

/* Add, Sub of 16-bit numbers whose scales are powers of two: shift[i] to the right, one of them 0. */
static int32_t by_shift(const call *c, int32_t a, int32_t b) {
  a = whet__round_shift(a, c->shift[0]);
  b = whet__round_shift(b, c->shift[1]);
  return whet__add_zero(c->bin.fn == WHET_BIN_SUB ? a - b : a + b, 0, c->z.lo, c->z.hi);
}

static int32_t divide(const call *c, int32_t a, int32_t b) {
  if (!b) return a < 0 ? c->z.lo : c->z.hi;
  if (b < 0) a = -a, b = -b;
  int over, headroom = a == 0 ? 31 : whet__fx_headroom((uint32_t)(a < 0 ? ~a : a)) - 1;
  int32_t inverse = whet__fx_reciprocal(b, 31, &over);
  int32_t quotient = whet__high_mul((int32_t)((uint32_t)a << headroom), inverse);
  int total = over + headroom - c->shift[0];
  int32_t v = whet__high_mul(quotient, c->mul[0]);
  v = total > 31 ? 0 : total >= 0 ? whet__round_shift(v, total) : whet__fx_pot(v, -total);
  return whet__add_zero(v, c->z.zero, c->z.lo, c->z.hi);
}

static int32_t squared(const call *c, int32_t a, int32_t b) {
  int32_t d =
      whet__mul_fix(a * 128, c->bin.x_mul, c->bin.x_shift) - whet__mul_fix(b * 128, c->bin.y_mul, c->bin.y_shift);
  int32_t v = whet__mul_fix((int32_t)((uint32_t)d * (uint32_t)d), c->mul[0], c->shift[0]);
  return whet__add_zero(v, c->z.zero, c->z.lo, c->z.hi);
}

static int32_t prelu(const call *c, int32_t a, int32_t b) {
  int32_t v = a >= 0 ? whet__mul_fix(a, c->mul[0], c->shift[0]) : whet__mul_fix(a * b, c->mul[1], c->shift[1]);
  return whet__add_zero(v, c->z.zero, c->z.lo, c->z.hi);
}

static int32_t compare(const call *c, int32_t a, int32_t b) {
  int32_t x = whet__mul_fix((int32_t)((uint32_t)a << 8), c->mul[0], c->shift[0]);
  int32_t y = whet__mul_fix((int32_t)((uint32_t)b << 8), c->mul[1], c->shift[1]);
  return (int32_t)c->row->i64(x, y, false, c->mode);
}

/* LiteRT orders 16-bit numbers as they are stored, whatever their scales. (Whether they are equal it asks of rescaled
 * ones.) */
static int32_t compare_stored(const call *c, int32_t a, int32_t b) {
  return (int32_t)c->row->i64((int64_t)a + c->x.zero, (int64_t)b + c->y.zero, false, c->mode);
}

/* Parameters of the kernels from a node's. */
static void binary(whet_binary_q8 *p, int fn, const whet_node *n, const whet_q8 *x, const whet_q8 *y,
                   const whet_q8 *z, int left) {
  p->fn = (uint8_t)fn;
  p->round = whet__q8_tfl(n) ? WHET_ROUND_TFL_FIX : WHET_ROUND_ONNX_REAL;
  p->left = (uint8_t)left;
  p->x_zero = x->zero, p->y_zero = y->zero, p->z_zero = z->zero;
  p->lo = z->lo, p->hi = z->hi;
  whet__binary_q8_factors(p, x->scale, y->scale, z->scale);
}

/* Which function of the kernels an operator is, or -1. */
static int kernel_of(const whet_op *op) {
  return !strcmp(op->name, "Add")   ? WHET_BIN_ADD
         : !strcmp(op->name, "Sub") ? WHET_BIN_SUB
         : !strcmp(op->name, "Mul") ? WHET_BIN_MUL
                                    : -1;
}

/* Exponents of scales that are powers of two, nearly. */
static int exponent(float scale) { return (int)roundf(log2f(scale)); }

/* Is value v of 16 bits with such a scale? */
static bool is_power(const whet_val *v) {
  if (!v || v->dtype != WHET_S16 || !v->q) return false;
  float e = log2f(v->q->scale[0]);
  return fabsf(e - roundf(e)) < 1e-3f;
}

bool whet__binary_q8_pot(const whet_val *x, const whet_val *y, const whet_val *z) {
  return is_power(x) && is_power(y) && is_power(z);
}

/* LiteRT's way for an operator. */
static void tfl(call *c) {
  const char *name = c->row->op->name;
  float sx = c->x.scale, sy = c->y.scale, sz = c->z.scale;
  c->fn = by_real;
  if (!c->real_x || !c->real_y) return;
  if (!strcmp(name, "Max") || !strcmp(name, "Min") || !strcmp(name, "BitwiseXor") || !strcmp(name, "BitShift") ||
      !strcmp(name, "FloorDiv") || !strcmp(name, "Mod")) {
    c->fn = stored;
  } else if (c->row->kind == WHET_BINARY_BOOL) {
    bool equality = !strcmp(name, "Equal") || !strcmp(name, "NotEqual");
    c->fn = c->x.hi > UINT8_MAX && !equality ? compare_stored : compare;
    whet__quantize_multiplier((double)sx, &c->mul[0], &c->shift[0]);
    whet__quantize_multiplier((double)sy, &c->mul[1], &c->shift[1]);
  } else if (!strcmp(name, "Div") && c->real_z) {
    c->fn = divide;
    whet__quantize_multiplier((double)(sx / (sy * sz)), &c->mul[0], &c->shift[0]);
  } else if (!strcmp(name, "SquaredDifference") && c->real_z) {
    double twice = 2.0 * (double)(sx > sy ? sx : sy);
    c->fn = squared;
    whet__quantize_multiplier((double)sx / twice, &c->bin.x_mul, &c->bin.x_shift);
    whet__quantize_multiplier((double)sy / twice, &c->bin.y_mul, &c->bin.y_shift);
    whet__quantize_multiplier(twice * twice / (double)(16384 * sz), &c->mul[0], &c->shift[0]);
  } else if (!strcmp(name, "PRelu") && c->real_z) {
    c->fn = prelu;
    whet__quantize_multiplier((double)(sx / sz), &c->mul[0], &c->shift[0]);
    whet__quantize_multiplier((double)(sx * sy / sz), &c->mul[1], &c->shift[1]);
  }
}

/* What a node does with operands and a result of such meaning. */
static call call_of(const whet_node *n, whet_dtype tx, const whet_quant *x, whet_dtype ty, const whet_quant *y,
                    whet_dtype tz, const whet_quant *z) {
  const whet_binary_attr *at = n->attr;
  call c = {.row = whet__binary_row(n->op), .mode = at ? at->mode : 0, .real_x = x, .real_y = y, .real_z = z};
  c.x = whet__q8(tx, x);
  c.y = whet__q8(ty, y);
  c.z = whet__q8(tz, z);
  int fn = kernel_of(n->op);
  bool wide = whet_dtype_bits(tx) == 16;
  if (fn >= 0 && c.real_x && c.real_y && c.real_z) {
    c.fn = kernel;
    binary(&c.bin, fn, n, &c.x, &c.y, &c.z, wide ? 15 : 20);
    if (n->round == WHET_ROUND_TFL_FIX1 && fn != WHET_BIN_MUL) {
      c.fn = by_shift;
      c.shift[0] = (int32_t)whet__clamp_i(exponent(c.z.scale) - exponent(c.x.scale), 0, 31);
      c.shift[1] = (int32_t)whet__clamp_i(exponent(c.z.scale) - exponent(c.y.scale), 0, 31);
    }
  } else if (whet__q8_tfl(n)) {
    tfl(&c);
  } else {
    c.fn = onnx;
  }
  return c;
}

whet_status whet__binary_q8_ref(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *y = &arg->in[1], *z = &arg->out[0];
  call c = call_of(arg->node, x->dtype, x->q, y->dtype, y->q, z->dtype, z->q);
  whet_walk w;
  whet__walk_init(&w, z->rank, z->dim);
  whet__walk_add(&w, x);
  whet__walk_add(&w, y);
  whet__walk_add(&w, z);
  while (whet__walk_row(&w))
    for (int64_t i = 0; i < w.run; i++) {
      int32_t a = (int32_t)whet__get_i64(x->dtype, x->data, w.at[0] + i * w.step[0]) - c.x.zero;
      int32_t b = (int32_t)whet__get_i64(y->dtype, y->data, w.at[1] + i * w.step[1]) - c.y.zero;
      whet__set_i64(z->dtype, z->data, w.at[2] + i * w.step[2], c.fn(&c, a, b));
    }
  return WHET_OK;
}

/* Strides of value v, broadcast to `shape`; false when it lies in rows that are no whole dimensions. */
static bool strides(const whet_planner *p, int32_t v, const whet_shape *shape, int64_t *stride) {
  const whet_shape *s = whet__pl_shape(p, v);
  int64_t rows, run, pitch, inner = 1;
  whet__pl_pitch(p, v, &rows, &run, &pitch);
  if (run < 1) run = 1; /* no elements */
  for (int32_t i = shape->rank - 1, k = s->rank - 1; i >= 0; i--, k--) {
    int64_t d = k >= 0 ? s->d[k] : 1;
    stride[i] = 0;
    if (d == 1) continue;
    if (inner < run && inner * d > run) return false;
    stride[i] = inner < run ? inner : inner / run * pitch;
    inner *= d;
  }
  return true;
}

/* Is value v 8 bits wide with one scale? */
static bool is_byte(const whet_planner *p, int32_t v) {
  whet_dtype t = whet__pl_dtype(p, v);
  const whet_quant *q = whet__pl_quant(p, v);
  return (t == WHET_S8 || t == WHET_U8) && q && q->n == 1;
}

enum { PAIRS = 65536 };

/* Other functions of two bytes, where there are so many results that a table of them all is soon worth its making. */
static whet_status by_pairs(whet_planner *p, const whet_node *n) {
  int32_t x = n->in[0], y = n->in[1], z = n->out[0], out = whet__pl_group_out(p);
  const whet_shape *s = whet__pl_shape(p, z);
  whet_dtype tx = whet__pl_dtype(p, x), ty = whet__pl_dtype(p, y), tz = whet__pl_dtype(p, z);
  whet_pair_q8 k = {.rank = s->rank};
  int64_t count = whet__shape_count(s);
  if (count < PAIRS / 16 || s->rank < 1) return WHET_LATE;
  if (!strides(p, x, s, k.x_stride) || !strides(p, y, s, k.y_stride) || !strides(p, out, s, k.z_stride))
    return WHET_LATE;
  uint8_t map[256], *table = whet__pl_memory(p, PAIRS);
  if (!table) return WHET_LATE;
  call c = call_of(n, tx, whet__pl_quant(p, x), ty, whet__pl_quant(p, y), tz, whet__pl_quant(p, z));
  bool more = whet__pl_epi_table(p, n, map);
  for (int i = 0; i < PAIRS; i++) {
    int32_t a = tx == WHET_S8 ? (int8_t)(i & 255) : i & 255, b = ty == WHET_S8 ? (int8_t)(i >> 8) : i >> 8;
    table[i] = (uint8_t)c.fn(&c, a - c.x.zero, b - c.y.zero);
    if (more) table[i] = map[table[i]];
  }
  memcpy(k.dim, s->d, sizeof k.dim);
  whet_arg arg[] = {whet__rd(x), whet__rd(y), whet__bl(whet__pl_blob(p, table, PAIRS)), whet__wr(out)};
  return whet__pl_kern(p, WHET_FAMILY_pair_q8, &k, sizeof k, arg, WHET_COUNT(arg), count / s->d[s->rank - 1],
                       (double)count);
}

whet_status whet__binary_q8_plan(whet_planner *p, const whet_node *n) {
  int32_t x = n->in[0], y = n->in[1], z = n->out[0];
  whet_dtype tz = whet__pl_dtype(p, z);
  uint8_t map[256];
  const whet_shape *sx = whet__pl_shape(p, x), *sy = whet__pl_shape(p, y), *sz = whet__pl_shape(p, z);
  if (!is_byte(p, x) || !is_byte(p, y) || whet_dtype_bits(tz) != 8) return WHET_LATE;
  if (whet__shape_count(sy) == 1 && whet__pl_data(p, y) && whet__shape_equal(sx, sz))
    return whet__pl_by_table(p, n, 0);
  if (whet__shape_count(sx) == 1 && whet__pl_data(p, x) && whet__shape_equal(sy, sz))
    return whet__pl_by_table(p, n, 1);
  int fn = kernel_of(n->op);
  if (fn < 0 || !is_byte(p, z)) return by_pairs(p, n);
  whet_binary_q8 q = {.x_signed = whet__pl_dtype(p, x) == WHET_S8,
                      .y_signed = whet__pl_dtype(p, y) == WHET_S8,
                      .z_signed = tz == WHET_S8,
                      .rank = sz->rank};
  whet_q8 qx = whet__q8(whet__pl_dtype(p, x), whet__pl_quant(p, x)),
          qy = whet__q8(whet__pl_dtype(p, y), whet__pl_quant(p, y));
  whet_q8 qz = whet__q8(tz, whet__pl_quant(p, z));
  binary(&q, fn, n, &qx, &qy, &qz, 20);
  z = whet__pl_group_out(p);
  if (whet__pl_epi_table(p, n, map) && (whet__pl_dtype(p, z) != tz || !whet__table_clamps(map, tz, &q.lo, &q.hi)))
    return WHET_LATE;
  for (int32_t i = 0; i < sz->rank; i++) q.dim[i] = sz->d[i];
  if (!strides(p, x, sz, q.x_stride) || !strides(p, y, sz, q.y_stride) || !strides(p, z, sz, q.z_stride))
    return WHET_LATE;
  whet__binary_q8_settle(&q);
  whet__binary_q8_simplify(&q);
  whet_arg arg[] = {whet__rd(x), whet__rd(y), whet__wr(z)};
  int64_t count = whet__shape_count(sz), rows = count / whet__max_i(q.dim[q.rank - 1], 1);
  return whet__pl_kern(p, WHET_FAMILY_binary_q8, &q, sizeof q, arg, WHET_COUNT(arg),
                       rows > 1 ? rows : whet__ceil_div(count, 1024), (double)count * 0.4);
}
