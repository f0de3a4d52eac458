/* SPDX-License-Identifier: Apache-2.0 */
/* QuantizeLinear(x): the stored numbers of y for real x;  DequantizeLinear(x): the real numbers of stored x.
 *
 *   y = saturate(round(x / scale) + zero)          y = (x - zero) * scale
 *
 * Parameters stand on the quantised value; only where a file computes them are they inputs 1 and 2: one for all, one
 * for each index of an axis, or one for each block along it. A quantised input of QuantizeLinear is requantised.
 *
 * ONNX QuantizeLinear 10-25, DequantizeLinear 10-25 (com.microsoft too): half to even, the quotient in the scale's
 * type or `precision`; integers of 2 to 16 bits, float8, float4; DequantizeLinear also int32. TFLite QUANTIZE: half
 * away from zero, between integers by a fixed-point multiplier; DEQUANTIZE. */

#include "op/quantize.h"

#include <math.h>

#include "kern/quantize.h"
#include "op/cast.h"
#include "op/move.h"
#include "op/q8.h"

extern const whet_op whet_op_QuantizeLinear, whet_op_DequantizeLinear;

static const whet_attr_desc k_attrs[] = {{"axis", WHET_ATTR_I32, offsetof(whet_quantize_attr, axis)},
                                         {"block_size", WHET_ATTR_I64, offsetof(whet_quantize_attr, block)},
                                         {"output_dtype", WHET_ATTR_U8, offsetof(whet_quantize_attr, dtype)},
                                         {"overflow", WHET_ATTR_BOOL, offsetof(whet_quantize_attr, wide)},
                                         {"precision", WHET_ATTR_U8, offsetof(whet_quantize_attr, division)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

int32_t whet__im_quantised(whet_import *im, whet_dtype t, int32_t rank, int32_t scale, int32_t zero, int64_t axis,
                           int64_t block, const char *suffix) {
  int32_t n = 0, nz = 0;
  const whet_val *sv = whet__im_val(im, scale);
  const float *s = sv && sv->role == WHET_ROLE_CONST ? whet__im_const_floats(im, scale, &n) : NULL;
  const int64_t *z = NULL;
  if (zero >= 0 && !(z = whet__im_const_ints(im, zero, &nz))) return -1;
  if (!s || n < 1 || (z && nz != n) || (n > 1 && axis < 0 && rank < 0)) return -1;
  if (n > 1 && axis < 0) axis += rank;
  if (n > 1 && (axis < 0 || axis >= WHET_MAX_RANK || (rank >= 0 && axis >= rank))) return -1;
  for (int32_t i = 0; i < n; i++)
    if (!(s[i] > 0) || !isfinite(s[i]) || (z && (z[i] < -32768 || z[i] > 65535))) return -1;
  whet_graph *g = whet__im_graph(im);
  int32_t *zeros = whet__arena_array(&g->arena, (size_t)n, sizeof *zeros);
  int32_t v = whet__im_new(im, suffix);
  if (!zeros || v < 0) return -2;
  for (int32_t i = 0; z && i < n; i++) zeros[i] = (int32_t)z[i];
  whet_quant *q = (whet_quant *)(uintptr_t)whet__graph_quant(g, n, n > 1 ? (int32_t)axis : 0, s, zeros);
  if (!q) return -2;
  q->block = n > 1 ? (int32_t)whet__clamp_i(block, 0, INT32_MAX) : 0;
  g->val[v].dtype = (uint8_t)t;
  g->val[v].q = q;
  return v;
}

/* The attributes that both operators share. */
static whet_status read_attr(whet_import *im, whet_quantize_attr *a) {
  int64_t axis = whet__onnx_int(im, "axis", 1), to = whet__onnx_int(im, "output_dtype", 0);
  int64_t precision = whet__onnx_int(im, "precision", 0);
  a->block = whet__onnx_int(im, "block_size", 0);
  if (axis < -WHET_MAX_RANK || axis >= WHET_MAX_RANK || a->block < 0)
    return whet__im_fail(im, WHET_E_DATA, "axis is %lld, block_size %lld", (long long)axis, (long long)a->block);
  if (to < 0 || to >= WHET_DTYPE_COUNT || precision < 0 || precision >= WHET_DTYPE_COUNT)
    return whet__im_fail(im, WHET_E_DATA, "output_dtype is %lld, precision %lld", (long long)to,
                         (long long)precision);
  a->axis = (int32_t)axis;
  a->dtype = (uint8_t)to;
  a->division = (uint8_t)precision;
  a->wide = whet__onnx_int(im, "saturate", 1) == 0;
  return WHET_OK;
}

/* Rank of a value as the file tells it, or -1. */
static int32_t rank_of(whet_import *im, int32_t v) {
  const whet_val *x = whet__im_val(im, v);
  return x ? x->shape.rank : -1;
}

static whet_status from_quantize(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_quantize_attr, a);
  WHET_TRY(read_attr(im, a));
  int32_t in[3] = {whet__im_in(im, 0), whet__im_in(im, 1), whet__im_in(im, 2)}, y = whet__im_out(im, 0);
  if (in[0] < 0 || in[1] < 0 || y < 0)
    return whet__im_fail(im, WHET_E_FORMAT, "expected an input, a scale and an output");
  const whet_val *zero = whet__im_val(im, in[2]), *scale = whet__im_val(im, in[1]);
  whet_dtype t = a->dtype ? (whet_dtype)a->dtype : zero ? (whet_dtype)zero->dtype : WHET_U8;
  a->dtype = (uint8_t)t;
  bool plain = whet__is_int(t) && scale && scale->dtype == WHET_F32 && (!a->division || a->division == WHET_F32);
  int32_t v =
      plain ? whet__im_quantised(im, t, rank_of(im, in[0]), in[1], in[2], a->axis, a->block, "quantised") : -1;
  if (v == -2) return whet__im_fail(im, WHET_E_MEMORY, "no memory for a value");
  WHET_TRY(whet__im_node(im, op, a, in, v >= 0 ? 1 : 3, v >= 0 ? &v : &y, 1));
  whet__im_round(im, WHET_ROUND_ONNX_REAL);
  return v >= 0 ? whet__im_reinterpret(im, v, y) : WHET_OK;
}

static whet_status from_dequantize(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_quantize_attr, a);
  WHET_TRY(read_attr(im, a));
  int32_t in[3] = {whet__im_in(im, 0), whet__im_in(im, 1), whet__im_in(im, 2)}, y = whet__im_out(im, 0);
  if (in[0] < 0 || in[1] < 0 || y < 0)
    return whet__im_fail(im, WHET_E_FORMAT, "expected an input, a scale and an output");
  const whet_val *x = whet__im_val(im, in[0]), *zero = whet__im_val(im, in[2]), *scale = whet__im_val(im, in[1]);
  whet_dtype t = x->dtype ? (whet_dtype)x->dtype : zero ? (whet_dtype)zero->dtype : WHET_NONE;
  if (!a->dtype && scale) a->dtype = scale->dtype;
  bool plain = (!t || whet__is_int(t)) && scale && scale->dtype == WHET_F32;
  int32_t v =
      plain ? whet__im_quantised(im, t, rank_of(im, in[0]), in[1], in[2], a->axis, a->block, "quantised") : -1;
  if (v == -2) return whet__im_fail(im, WHET_E_MEMORY, "no memory for a value");
  if (v >= 0) {
    WHET_TRY(whet__im_reinterpret(im, in[0], v));
    in[0] = v;
  }
  WHET_TRY(whet__im_node(im, op, a, in, v >= 0 ? 1 : 3, &y, 1));
  whet__im_round(im, WHET_ROUND_ONNX_REAL);
  return WHET_OK;
}

/* TFLite QUANTIZE and DEQUANTIZE: parameters stand on the tensors. Half precision is a cast. */
static whet_status from_tfl(whet_import *im, const whet_op *op) {
  int32_t x = whet__im_in(im, 0), y = whet__im_out(im, 0);
  const whet_val *xv = whet__im_val(im, x), *yv = whet__im_val(im, y);
  if (!xv || !yv) return whet__im_fail(im, WHET_E_FORMAT, "expected an input and an output");
  bool quantise = op == &whet_op_QuantizeLinear;
  if (!quantise && xv->dtype == WHET_F16) return whet__im_cast(im, x, y, WHET_F32);
  const whet_quant *q = quantise ? yv->q : xv->q;
  if (!q) return whet__im_fail(im, WHET_E_DATA, "the %s has no quantisation", quantise ? "output" : "input");
  WHET_NEW_ATTR(im, whet_quantize_attr, a);
  a->dtype = yv->dtype;
  WHET_TRY(whet__im_node(im, op, a, &x, 1, &y, 1));
  whet__im_round(im, WHET_ROUND_TFL_FIX);
  return WHET_OK;
}

/* ---- shape and type rule --------------------------------------------------------------------- */

/* Do n parameters suit a tensor of shape s? Dimensions that are no numbers suit everything. */
static bool suits(const whet_shape *s, int32_t n, int32_t axis, int64_t block) {
  if (n == 1 || s->rank < 0) return true;
  if (axis < 0 || axis >= s->rank) return false;
  int64_t want = 1;
  for (int32_t i = 0; i < s->rank; i++) {
    if (block ? !whet__dim_known(s->d[i]) : i == axis && !whet__dim_known(s->d[i])) return true;
    if (block)
      want *= i == axis ? whet__ceil_div(s->d[i], block) : s->d[i];
    else if (i == axis)
      want = s->d[i];
  }
  return want == n;
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_quantize_attr *a = n->attr;
  bool quantise = n->op == &whet_op_QuantizeLinear;
  whet_dtype t = whet__in_dtype(f, 0);
  const whet_shape *x = whet__in_shape(f, 0);
  const whet_val *y = whet__out_val(f, 0);
  const whet_quant *q = quantise ? (y ? y->q : NULL) : whet__in_quant(f, 0);
  if (n->n_in < 1 || !whet__in_has(f, 0)) return whet__infer_fail(f, WHET_E_FORMAT, "an input is missing");
  if (quantise ? !whet__is_float(t) && !whet__is_int(t) : !whet__is_int(t) && !whet__is_float(t))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  whet_dtype to = a->dtype                                        ? (whet_dtype)a->dtype
                  : n->n_in > 2 && whet__in_has(f, 2) && quantise ? whet__in_dtype(f, 2)
                  : quantise                                      ? WHET_U8
                  : n->n_in > 1                                   ? whet__in_dtype(f, 1)
                                                                  : WHET_F32;
  if (quantise ? !whet__is_int(to) && !whet__is_float(to) : !whet__is_float(to))
    return whet__infer_fail(f, WHET_E_TYPE, "an output of type %s", whet_dtype_name(to));
  *whet__out(f, 0, to) = *x;
  if (n->n_in == 1) {
    if (!q) return whet__infer_fail(f, WHET_E_DATA, "the %s has no quantisation", quantise ? "output" : "input");
    if (!suits(x, q->n, q->axis, q->block))
      return whet__infer_fail(f, WHET_E_SHAPE, "%d scales do not suit axis %d", q->n, q->axis);
    return WHET_OK;
  }
  const whet_shape *s = whet__in_shape(f, 1);
  int64_t count = s->rank < 0 ? -1 : whet__shape_count(s),
          zeros = n->n_in > 2 && whet__in_has(f, 2) ? whet__shape_count(whet__in_shape(f, 2)) : -1;
  if (!whet__is_float(whet__in_dtype(f, 1)) && !(quantise && whet__in_dtype(f, 1) == WHET_S32))
    return whet__infer_fail(f, WHET_E_TYPE, "the scale is %s", whet_dtype_name(whet__in_dtype(f, 1)));
  if (count < 0 || x->rank < 0) return WHET_OK;
  if (zeros >= 0 && zeros != count)
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld scales and %lld zero points", (long long)count, (long long)zeros);
  int32_t axis = a->axis < 0 ? a->axis + x->rank : a->axis;
  if (count > INT32_MAX || !count || !suits(x, (int32_t)count, axis, a->block))
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld scales do not suit axis %d and blocks of %lld", (long long)count,
                            axis, (long long)a->block);
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Parameters of one call, on a value or as inputs. */
typedef struct params {
  const whet_quant *q;
  const whet_tensor *scale, *zero;
  int64_t n, block;
  int32_t axis;
} params;

static params params_of(const whet_args *arg, const whet_quant *q) {
  const whet_quantize_attr *a = arg->attr;
  params p = {.q = q};
  if (arg->n_in == 1) {
    p.n = q->n, p.axis = q->axis, p.block = q->block;
    return p;
  }
  p.q = NULL;
  p.scale = &arg->in[1];
  p.zero = arg->n_in > 2 && arg->in[2].data ? &arg->in[2] : NULL;
  p.n = whet__tensor_count(p.scale);
  p.axis = a->axis < 0 ? a->axis + arg->in[0].rank : a->axis;
  p.block = a->block;
  return p;
}

/* Which parameter belongs to index at[]. */
static int64_t which(const params *p, const whet_tensor *x, const int64_t *at) {
  if (p->n == 1) return 0;
  if (!p->block) return at[p->axis];
  int64_t k = 0;
  for (int32_t i = 0; i < x->rank; i++)
    k = i == p->axis ? k * whet__ceil_div(x->dim[i], p->block) + at[i] / p->block : k * x->dim[i] + at[i];
  return k;
}

static float scale_at(const params *p, int64_t k) {
  return p->q ? p->q->scale[k]
              : (float)whet__get_f64(p->scale->dtype, p->scale->data, whet__flat_offset(p->scale, k));
}
static double zero_at(const params *p, int64_t k) {
  if (p->q) return p->q->zero[k];
  return p->zero ? whet__get_f64(p->zero->dtype, p->zero->data, whet__flat_offset(p->zero, k)) : 0;
}

/* A quotient rounded to a type. */
static float rounded_to(whet_dtype t, float v) {
  if (t == WHET_F16) return whet__f16_to_f32(whet__f32_to_f16(v));
  if (t == WHET_BF16) return whet__bf16_to_f32(whet__f32_to_bf16(v));
  return v;
}

static whet_status quantize_ref(const whet_args *arg) {
  const whet_quantize_attr *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  params p = params_of(arg, y->q);
  whet_dtype division = a->division ? (whet_dtype)a->division : p.scale ? p.scale->dtype : WHET_F32;
  bool tfl = whet__q8_tfl(arg->node), to_int = whet__is_int(y->dtype), from_int = whet__is_int(x->dtype) && x->q;
  int64_t at[WHET_MAX_RANK] = {0}, lo = whet__dtype_min(y->dtype), hi = whet__dtype_max(y->dtype);
  if (!whet__tensor_count(x)) return WHET_OK;
  do {
    int64_t k = which(&p, x, at), i = whet__index_offset(x->rank, at, x->stride),
            o = whet__index_offset(y->rank, at, y->stride);
    float s = scale_at(&p, k);
    double z = zero_at(&p, k), v;
    if (from_int && tfl) {
      whet_rescale r = whet__rescale_real((double)x->q->scale[0] / (double)s);
      v = whet__mul_fix((int32_t)(whet__get_i64(x->dtype, x->data, i) - x->q->zero[0]), r.mul, r.shift);
    } else {
      float f = from_int ? (float)(whet__get_i64(x->dtype, x->data, i) - x->q->zero[0]) * x->q->scale[0]
                         : (float)whet__get_f64(x->dtype, x->data, i);
      float q = rounded_to(division, f / s);
      v = !to_int ? (double)q : tfl ? (double)roundf(q) : (double)rintf(q);
    }
    v += z;
    if (!to_int && whet_dtype_bits(y->dtype) == 8) {
      ((uint8_t *)y->data)[o] = whet__f32_to_f8(y->dtype, (float)v, !a->wide);
    } else if (!to_int) {
      whet__set_f64(y->dtype, y->data, o, v);
    } else {
      whet__set_i64(y->dtype, y->data, o, !(v > (double)lo) ? lo : v >= (double)hi ? hi : (int64_t)v);
    }
  } while (whet__index_next(x->rank, x->dim, at));
  return WHET_OK;
}

static whet_status dequantize_ref(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  params p = params_of(arg, x->q);
  bool from_int = whet__is_int(x->dtype), tfl = whet__q8_tfl(arg->node);
  int64_t at[WHET_MAX_RANK] = {0};
  if (!whet__tensor_count(x)) return WHET_OK;
  do {
    int64_t k = which(&p, x, at), i = whet__index_offset(x->rank, at, x->stride),
            o = whet__index_offset(y->rank, at, y->stride);
    float s = scale_at(&p, k), v;
    if (from_int && tfl)
      v = (float)((double)s * ((double)whet__get_i64(x->dtype, x->data, i) - zero_at(&p, k)));
    else if (from_int)
      v = (float)(whet__get_i64(x->dtype, x->data, i) - (int64_t)zero_at(&p, k)) * s;
    else
      v = ((float)whet__get_f64(x->dtype, x->data, i) - (float)zero_at(&p, k)) * s;
    whet__set_f64(y->dtype, y->data, o, (double)v);
  } while (whet__index_next(x->rank, x->dim, at));
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

static bool is_byte(whet_dtype t) { return t == WHET_S8 || t == WHET_U8; }

static whet_status quantize_plan(whet_planner *p, const whet_node *n) {
  whet_dtype x = whet__pl_dtype(p, n->in[0]), y = whet__pl_dtype(p, n->out[0]);
  const whet_quant *q = whet__pl_quant(p, n->out[0]), *xq = whet__pl_quant(p, n->in[0]);
  whet_lut_q8 rows;
  if (n->n_in != 1 || !q || q->n != 1 || !is_byte(y)) return WHET_LATE;
  if (is_byte(x) && xq && xq->n == 1) return whet__pl_by_table(p, n, 0);
  if (x != WHET_F32 || !whet__pl_q8_rows(p, n->in[0], n->out[0], &rows)) return WHET_LATE;
  whet_quantize k = {.is_signed = y == WHET_S8,
                     .away = whet__q8_tfl(n),
                     .zero = q->zero[0],
                     .scale = q->scale[0],
                     .rows = rows.rows,
                     .run = rows.run,
                     .in_pitch = rows.in_pitch,
                     .out_pitch = rows.out_pitch};
  whet_arg arg[] = {whet__rd(n->in[0]), whet__wr(n->out[0])};
  return whet__pl_kern(p, WHET_FAMILY_quantize, &k, sizeof k, arg, 2,
                       k.rows > 1 ? k.rows : whet__ceil_div(k.run, 1024), (double)(k.rows * k.run) * 0.15);
}

static whet_status dequantize_plan(whet_planner *p, const whet_node *n) {
  whet_dtype x = whet__pl_dtype(p, n->in[0]), y = whet__pl_dtype(p, n->out[0]);
  const whet_quant *q = whet__pl_quant(p, n->in[0]);
  whet_lut_q8 rows;
  if (n->n_in != 1 || !q || q->n != 1 || !is_byte(x) || y != WHET_F32) return WHET_LATE;
  if (!whet__pl_q8_rows(p, n->in[0], n->out[0], &rows)) return WHET_LATE;
  whet_quantize k = {.to_float = 1,
                     .is_signed = x == WHET_S8,
                     .zero = q->zero[0],
                     .scale = q->scale[0],
                     .rows = rows.rows,
                     .run = rows.run,
                     .in_pitch = rows.in_pitch,
                     .out_pitch = rows.out_pitch};
  whet_arg arg[] = {whet__rd(n->in[0]), whet__wr(n->out[0])};
  return whet__pl_kern(p, WHET_FAMILY_quantize, &k, sizeof k, arg, 2,
                       k.rows > 1 ? k.rows : whet__ceil_div(k.run, 1024), (double)(k.rows * k.run) * 0.1);
}

/* ---- permutation ----------------------------------------------------------------------------- */

/* One scale for the whole tensor stands in any order. */
static bool permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  whet_graph *g = whet__ed_graph(e);
  const whet_node *n = &g->node[node];
  const whet_quant *q = g->val[n->op == &whet_op_QuantizeLinear ? n->out[0] : n->in[0]].q;
  bool one = n->n_in == 1 ? q && q->n == 1 : whet__shape_count(&g->val[n->in[1]].shape) == 1;
  return one && whet__perm_same(perm, rank, perm_out);
}

/* ---- records --------------------------------------------------------------------------------- */

static const whet_from k_from_quantize[] = {{"", "QuantizeLinear", 10, from_quantize},
                                            {"com.microsoft", "QuantizeLinear", 1, from_quantize},
                                            {"tflite", "QUANTIZE", 1, from_tfl},
                                            {0}};
static const whet_from k_from_dequantize[] = {{"", "DequantizeLinear", 10, from_dequantize},
                                              {"com.microsoft", "DequantizeLinear", 1, from_dequantize},
                                              {"tflite", "DEQUANTIZE", 1, from_tfl},
                                              {0}};

const whet_op whet_op_QuantizeLinear = {
    .name = "QuantizeLinear",
    .flags = WHET_OP_POINTWISE | WHET_OP_PITCH_IN | WHET_OP_PITCH_OUT,
    .attr_size = sizeof(whet_quantize_attr),
    .attrs = k_attrs,
    .from = k_from_quantize,
    .infer = infer,
    .plan = quantize_plan,
    .permute = permute,
    .ref = quantize_ref,
};

const whet_op whet_op_DequantizeLinear = {
    .name = "DequantizeLinear",
    .flags = WHET_OP_POINTWISE | WHET_OP_PITCH_IN | WHET_OP_PITCH_OUT,
    .attr_size = sizeof(whet_quantize_attr),
    .attrs = k_attrs,
    .from = k_from_dequantize,
    .infer = infer,
    .plan = dequantize_plan,
    .permute = permute,
    .ref = dequantize_ref,
};
