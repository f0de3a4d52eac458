/* SPDX-License-Identifier: Apache-2.0 */
/* Fill(shape, value): a tensor of these dimensions, every element the one element of value.
 * EyeLike(x): a matrix of x's size with ones on diagonal k.
 * Range(start, limit, delta): start, start + delta, ... before limit.
 *
 * ONNX ConstantOfShape 9-25 (value is an attribute), EyeLike 9-22, Range 11-27; TFLite FILL, ZEROS_LIKE, RANGE, STABLEHLO_IOTA. All
 * types but strings for Range and EyeLike. Exact; Range computes start + i * delta in double and rounds once, or
 * (TFLite) adds delta again and again in the element's type. */

#include <math.h>

#include "op/cast.h"
#include "op/move.h"
#include "op/move_attr.h"

/* ---- Fill: reading --------------------------------------------------------------------------- */

static whet_status constant_of_shape_onnx(whet_import *im, const whet_op *op) {
  int32_t value = whet__onnx_tensor(im, "value"), out = whet__im_out(im, 0);
  float zero = 0;
  if (value < 0) value = whet__im_const(im, WHET_F32, 0, NULL, &zero);
  int32_t in[2] = {whet__im_in(im, 0), value};
  return whet__im_node(im, op, NULL, in, 2, &out, 1);
}

/* A tensor of zeros of x's type and shape: Fill(Shape(x), 0). */
static whet_status zeros_like_tfl(whet_import *im, const whet_op *op) {
  int32_t x = whet__im_in(im, 0), out = whet__im_out(im, 0), shape = whet__im_new(im, "shape");
  const whet_val *v = whet__im_val(im, x);
  int64_t zero[2] = {0};
  WHET_TRY(whet__im_shape_of(im, x, shape));
  int32_t in[2] = {shape, whet__im_const(im, v ? (whet_dtype)v->dtype : WHET_F32, 0, NULL, zero)};
  return whet__im_node(im, op, NULL, in, 2, &out, 1);
}

static const whet_from k_fill_from[] = {{"", "ConstantOfShape", 9, constant_of_shape_onnx},
                                        {"tflite", "FILL", 1, NULL},
                                        {"tflite", "ZEROS_LIKE", 1, zeros_like_tfl},
                                        {0}};

/* ---- Fill ------------------------------------------------------------------------------------ */

/* Dimensions of output 0 from the list that input i holds. */
static whet_status dims_from(whet_infer *f, int i, whet_shape *out) {
  whet_nums s;
  bool known = whet__nums(f, i, &s);
  if (s.n > WHET_MAX_RANK) return whet__infer_fail(f, WHET_E_SHAPE, "%d dimensions, at most %d", s.n, WHET_MAX_RANK);
  out->rank = s.n < 0 ? -1 : s.n;
  for (int32_t k = 0; k < out->rank; k++) {
    out->d[k] = known ? whet__num(&s, k) : WHET_DIM_ANY;
    if (whet__dim_number(out->d[k]) && out->d[k] < 0)
      return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d is %lld", k, (long long)out->d[k]);
  }
  whet_dim count;
  if (known) return whet__infer_count(f, out, &count);
  return whet__nums_late(f, &s, "the dimensions");
}

static whet_status fill_infer(whet_infer *f, const whet_node *n) {
  const whet_shape *value = whet__in_shape(f, 1);
  int64_t one = whet__shape_count(value);
  if (value->rank >= 0 && one >= 0 && one != 1)
    return whet__infer_fail(f, WHET_E_SHAPE, "the value has %lld elements, expected 1", (long long)one);
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, 1));
  WHET_TRY(dims_from(f, 0, out));
  int32_t m;
  const whet_dim *v = whet__in_known(f, 1, &m);
  int64_t count = whet__shape_count(out);
  if (!v || m != 1 || count < 0 || count > WHET_KNOWN_MAX) return WHET_OK;
  whet_dim *to = whet__out_known(f, 0, (int32_t)count);
  for (int64_t k = 0; to && k < count; k++) to[k] = v[0];
  return WHET_OK;
}

static whet_status fill_ref(const whet_args *a) {
  static const int64_t none[WHET_MAX_RANK];
  const whet_tensor *out = &a->out[0];
  whet__move_box(out->dtype, out->rank, out->dim, out->data, 0, out->stride, a->in[1].data, 0, none);
  return WHET_OK;
}

static whet_status fill_plan(whet_planner *p, const whet_node *n) {
  const whet_shape *out = whet__pl_shape(p, n->out[0]);
  whet_copy c = {.rank = out->rank};
  memcpy(c.dim, out->d, sizeof c.dim);
  whet__pl_strides(p, n->out[0], c.out_stride);
  return whet__pl_copy(p, n->out[0], n->in[1], &c);
}

/* ---- EyeLike --------------------------------------------------------------------------------- */

struct eye {
  int32_t dtype; /* whet_dtype; NONE: the input's */
  int64_t k;     /* column - row of the ones */
};
static const whet_attr_desc k_eye_attrs[] = {
    {"dtype", WHET_ATTR_I32, offsetof(struct eye, dtype)}, {"k", WHET_ATTR_I64, offsetof(struct eye, k)}, {0}};

static whet_status eye_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct eye, a);
  a->dtype = whet__small(whet__onnx_int(im, "dtype", WHET_NONE));
  a->k = whet__onnx_int(im, "k", 0);
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_eye_from[] = {{"", "EyeLike", 9, eye_onnx}, {0}};

static whet_status eye_infer(whet_infer *f, const whet_node *n) {
  const struct eye *a = n->attr;
  whet_dtype t = a->dtype ? (whet_dtype)a->dtype : whet__in_dtype(f, 0);
  if ((unsigned)t >= WHET_DTYPE_COUNT || t == WHET_STRING || whet__is_complex(t))
    return whet__infer_fail(f, WHET_E_TYPE, "no ones of type %s", whet_dtype_name(t));
  const whet_shape *in = whet__in_shape(f, 0);
  if (in->rank >= 0) WHET_TRY(whet__infer_rank(f, 0, 2, 2));
  *whet__out(f, 0, t) = *in;
  return in->rank < 0 ? WHET_LATE : WHET_OK;
}

static whet_status eye_ref(const whet_args *a) {
  const struct eye *e = a->attr;
  const whet_tensor *out = &a->out[0];
  for (int64_t i = 0; i < out->dim[0]; i++)
    for (int64_t j = 0; j < out->dim[1]; j++)
      whet__set_i64(out->dtype, out->data, i * out->stride[0] + j * out->stride[1], j - i == e->k);
  return WHET_OK;
}

/* ---- Range ----------------------------------------------------------------------------------- */

struct range {
  uint8_t add; /* add delta again and again in the type itself; the size is rounded there too */
};
static const whet_attr_desc k_range_attrs[] = {{"add", WHET_ATTR_BOOL, offsetof(struct range, add)}, {0}};

static whet_status range_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct range, a);
  return whet__im_node_as_is(im, op, a);
}
static whet_status range_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct range, a);
  a->add = 1;
  return whet__im_node_as_is(im, op, a);
}
/* STABLEHLO_IOTA: a range along one dimension of the declared output, the same at all indices of the others. */
static whet_status iota_hlo(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct range, a);
  int32_t out = whet__im_out(im, 0), rank, line = whet__im_new(im, "range"), typed = whet__im_new(im, "typed");
  int64_t axis = whet__tfl_int(im, 0, 0), bound[3] = {0, 0, 1};
  const whet_val *y = whet__im_val(im, out);
  if (!y || whet__shape_count(&y->shape) < 0)
    return whet__im_fail(im, WHET_E_UNSUPPORTED, "an output whose shape the file does not tell");
  whet_dtype t = (whet_dtype)y->dtype;
  whet_shape shape = y->shape;
  rank = shape.rank;
  if (axis < 0 || axis >= rank)
    return whet__im_fail(im, WHET_E_DATA, "dimension %lld of %d", (long long)axis, rank);
  bound[1] = shape.d[axis];
  int32_t in[3];
  for (int i = 0; i < 3; i++) in[i] = whet__im_const(im, WHET_S64, 0, NULL, &bound[i]);
  WHET_TRY(whet__im_node(im, op, a, in, 3, &line, 1));
  WHET_TRY(whet__im_cast(im, line, typed, t));
  for (int64_t i = axis + 1; i < rank && typed >= 0; i++) typed = whet__im_squeeze(im, "Unsqueeze", typed, -1, -1);
  const int32_t pair[2] = {typed, whet__im_ints(im, shape.d, rank)};
  if (typed < 0) return whet__im_fail(im, WHET_E_MEMORY, "no memory for a value");
  return whet__im_node(im, whet__op_find("Expand"), NULL, pair, 2, &out, 1);
}

static const whet_from k_range_from[] = {{"", "Range", 11, range_onnx},
                                         {"tflite", "RANGE", 1, range_tfl},
                                         {"tflite", "STABLEHLO_IOTA", 1, iota_hlo},
                                         {0}};

/* Elements from start to limit; -1 when delta is 0 or there would be too many. */
static int64_t range_count_int(int64_t start, int64_t limit, int64_t delta) {
  if (!delta) return -1;
  if (delta > 0 ? start >= limit : start <= limit) return 0;
  /* The distance fits in 64 bits without a sign. */
  uint64_t span = delta > 0 ? (uint64_t)limit - (uint64_t)start : (uint64_t)start - (uint64_t)limit;
  uint64_t each = delta > 0 ? (uint64_t)delta : 0 - (uint64_t)delta;
  uint64_t n = (span - 1) / each + 1;
  return n > INT64_MAX / 16 ? -1 : (int64_t)n;
}
static int64_t range_count_float(double start, double limit, double delta, bool in_f32) {
  if (delta == 0 || !isfinite(start) || !isfinite(limit) || !isfinite(delta)) return -1;
  double n = in_f32 ? (double)ceilf(((float)limit - (float)start) / (float)delta) : ceil((limit - start) / delta);
  return n > 1e15 ? -1 : n > 0 ? (int64_t)n : 0;
}

static whet_status range_infer(whet_infer *f, const whet_node *n) {
  const struct range *a = n->attr;
  whet_dtype t = whet__in_dtype(f, 0);
  whet_shape *out = whet__out(f, 0, t);
  out->rank = 1;
  out->d[0] = WHET_DIM_ANY;
  const void *data[3];
  int64_t v[3], count;
  double r[3];
  bool all = true, known = true;
  if (!whet__is_int(t) && !whet__is_float(t))
    return whet__infer_fail(f, WHET_E_TYPE, "no range of %s", whet_dtype_name(t));
  for (int i = 0; i < 3; i++) {
    int64_t m = whet__shape_count(whet__in_shape(f, i));
    if (whet__in_dtype(f, i) != t)
      return whet__infer_fail(f, WHET_E_TYPE, "start, limit and delta must have one type");
    if (m >= 0 && m != 1) return whet__infer_fail(f, WHET_E_SHAPE, "input %d must be a single number", i);
    int32_t k;
    const whet_dim *d = whet__is_int(t) ? whet__in_known(f, i, &k) : NULL;
    data[i] = m == 1 ? whet__in_data(f, i) : NULL;
    if (d && k == 1 && whet__dim_number(d[0]))
      v[i] = d[0];
    else if (data[i])
      known = whet__is_int(t), v[i] = known ? whet__get_i64(t, data[i], 0) : 0;
    else
      all = false;
    if (data[i] && !whet__is_int(t)) r[i] = whet__get_f64(t, data[i], 0);
  }
  if (!all) {
    /* 0, 1, .. n-1 for a symbol n. */
    int32_t k[3];
    const whet_dim *d[3];
    for (int i = 0; i < 3; i++) d[i] = whet__is_int(t) ? whet__in_known(f, i, &k[i]) : NULL;
    if (d[0] && d[1] && d[2] && k[0] == 1 && k[1] == 1 && k[2] == 1 && d[0][0] == 0 && d[2][0] == 1)
      out->d[0] = d[1][0];
    return out->d[0] == WHET_DIM_ANY || whet__dim_number(out->d[0]) ? WHET_LATE : WHET_OK;
  }
  count = known ? range_count_int(v[0], v[1], v[2]) : range_count_float(r[0], r[1], r[2], a->add && t == WHET_F32);
  if (count < 0) return whet__infer_fail(f, WHET_E_DATA, "the range is without end or too long");
  out->d[0] = count;
  whet_dim *to = known && count <= WHET_KNOWN_MAX ? whet__out_known(f, 0, (int32_t)count) : NULL;
  for (int64_t i = 0; to && i < count; i++) to[i] = v[0] + i * v[2];
  return WHET_OK;
}

static whet_status range_ref(const whet_args *a) {
  const struct range *r = a->attr;
  const whet_tensor *out = &a->out[0];
  whet_dtype t = out->dtype;
  if (whet__is_int(t)) {
    uint64_t start = (uint64_t)whet__get_i64(t, a->in[0].data, 0),
             delta = (uint64_t)whet__get_i64(t, a->in[2].data, 0);
    for (int64_t i = 0; i < out->dim[0]; i++)
      whet__set_i64(t, out->data, i * out->stride[0], (int64_t)(start + (uint64_t)i * delta));
    return WHET_OK;
  }
  double start = whet__get_f64(t, a->in[0].data, 0), delta = whet__get_f64(t, a->in[2].data, 0), at = start;
  for (int64_t i = 0; i < out->dim[0]; i++) {
    whet__set_f64(t, out->data, i * out->stride[0], r->add ? at : start + (double)i * delta);
    at = t == WHET_F32 ? (double)((float)at + (float)delta) : at + delta;
  }
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_Fill = {
    .name = "Fill",
    .flags = WHET_OP_SIGN_FREE,
    .from = k_fill_from,
    .infer = fill_infer,
    .plan = fill_plan,
    .ref = fill_ref,
};

const whet_op whet_op_EyeLike = {
    .name = "EyeLike",
    .attr_size = sizeof(struct eye),
    .attrs = k_eye_attrs,
    .from = k_eye_from,
    .infer = eye_infer,
    .ref = eye_ref,
};

const whet_op whet_op_Range = {
    .name = "Range",
    .attr_size = sizeof(struct range),
    .attrs = k_range_attrs,
    .from = k_range_from,
    .infer = range_infer,
    .ref = range_ref,
};
