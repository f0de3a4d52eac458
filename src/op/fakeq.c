/* SPDX-License-Identifier: Apache-2.0 */
/* HybridRound(x): each row of x rounded to what 8 bits with a step of its own can say, as TFLite's operators with
 * float activations and integer weights do before they multiply. What follows is then a product of floats.
 *
 * Rows: `row` elements in row-major order, or (0) all that belong to an index of the first dimension. Made by readers
 * only. Type: f32. Exact.
 *
 * HybridQuantize(x): the bytes themselves, s8, with the step (f32) and the zero point (s32) of each row; made by pass
 * dynamic. */

#include "op/fakeq.h"

#include <math.h>

#include "kern/fakeq_f32.h"
#include "op/move.h"

static const whet_attr_desc k_attrs[] = {{"row", WHET_ATTR_I64, offsetof(whet_fakeq, row)},
                                         {"asymmetric", WHET_ATTR_BOOL, offsetof(whet_fakeq, asymmetric)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

/* LiteRT reads uint8 weights as if they were int8, without a zero point: old files hold them so. */
static whet_status as_int8(whet_import *im, int32_t *w) {
  whet_val old = *whet__im_val(im, *w);
  if (!old.data) return whet__im_fail(im, WHET_E_UNSUPPORTED, "uint8 weights that are computed, with float inputs");
  int32_t v = whet__im_const(im, WHET_S8, old.shape.rank, old.shape.d, old.data->p);
  const whet_quant *q = whet__graph_quant(whet__im_graph(im), old.q->n, old.q->axis, old.q->scale, NULL);
  if (v < 0 || !q) return whet__im_fail(im, WHET_E_MEMORY, "no memory for weights");
  whet__im_graph(im)->val[v].q = q;
  *w = v;
  return WHET_OK;
}

whet_status whet__im_hybrid_weights(whet_import *im, int32_t *in, int n) {
  const whet_val *x = n ? whet__im_val(im, in[0]) : NULL;
  for (int i = 1; i < n && x && x->dtype == WHET_F32; i++) {
    const whet_val *w = in[i] < 0 ? NULL : whet__im_val(im, in[i]);
    if (w && w->dtype == WHET_U8 && w->q) WHET_TRY(as_int8(im, &in[i]));
    x = whet__im_val(im, in[0]); /* values move when one is made */
  }
  return WHET_OK;
}

whet_status whet__im_hybrid(whet_import *im, int64_t row, bool asymmetric, int32_t *w, int32_t *x) {
  const whet_val *xv = whet__im_val(im, *x), *wv = whet__im_val(im, *w);
  if (!xv || !wv || xv->dtype != WHET_F32 || !wv->q || whet__is_float((whet_dtype)wv->dtype)) return WHET_OK;
  if (wv->dtype == WHET_U8) WHET_TRY(as_int8(im, w));
  WHET_NEW_ATTR(im, whet_fakeq, a);
  a->row = row;
  a->asymmetric = asymmetric;
  int32_t y = whet__im_new(im, "hybrid");
  WHET_TRY(whet__im_node(im, whet__op_find("HybridRound"), a, x, 1, &y, 1));
  *x = y;
  return WHET_OK;
}

/* ---- shape and type rule --------------------------------------------------------------------- */

static whet_status fakeq_infer(whet_infer *f, const whet_node *n) {
  const whet_fakeq *a = n->attr;
  if (n->n_in != 1 || !whet__in_has(f, 0)) return whet__infer_fail(f, WHET_E_FORMAT, "expected 1 input");
  const whet_shape *x = whet__in_shape(f, 0);
  if (whet__in_dtype(f, 0) != WHET_F32)
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken",
                            whet_dtype_name(whet__in_dtype(f, 0)));
  whet_dim count;
  WHET_TRY(whet__infer_count(f, x, &count));
  if (a->row > 0 && whet__dim_known(count) && count % a->row)
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld elements are no rows of %lld", (long long)count,
                            (long long)a->row);
  *whet__out(f, 0, WHET_F32) = *x;
  return WHET_OK;
}

/* Elements of a row. */
static int64_t row_of(const whet_fakeq *a, int32_t rank, const int64_t *dim) {
  return a->row > 0 ? a->row : whet__dim_product(dim, 1, rank);
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Step and zero point of the n elements of x from `at` on. */
static void row_range(const whet_fakeq *a, const whet_tensor *x, int64_t at, int64_t n, float *step, float *inverse,
                      int32_t *zero) {
  float lo = INFINITY, hi = -INFINITY;
  for (int64_t i = at; i < at + n; i++) {
    float v = (float)whet__get_f64(WHET_F32, x->data, whet__flat_offset(x, i));
    lo = v < lo ? v : lo;
    hi = v > hi ? v : hi;
  }
  whet__fakeq_range(lo, hi, a->asymmetric, step, inverse, zero);
}

/* What is stored of element i: -128..127. */
static float stored(const whet_fakeq *a, const whet_tensor *x, int64_t i, float inverse, int32_t zero) {
  float v = (float)whet__get_f64(WHET_F32, x->data, whet__flat_offset(x, i)), least = a->asymmetric ? -128 : -127;
  float r = roundf((float)zero + v * inverse);
  return !(r <= 127) ? 127 : r < least ? least : r;
}

/* Both references: the numbers that bytes stand for or, where there are more outputs, the bytes with step and zero
 * point of each row. */
static whet_status ref(const whet_args *args) {
  const whet_fakeq *a = args->attr;
  const whet_tensor *x = &args->in[0], *y = args->out;
  int64_t n = row_of(a, x->rank, x->dim), count = whet__tensor_count(x);
  for (int64_t at = 0; at < count; at += n) {
    float step, inverse;
    int32_t zero;
    row_range(a, x, at, n, &step, &inverse, &zero);
    for (int64_t i = at; i < at + n; i++) {
      float v = stored(a, x, i, inverse, zero);
      if (args->n_out > 1)
        ((int8_t *)y->data)[whet__flat_offset(y, i)] = (int8_t)v;
      else
        ((float *)y->data)[whet__flat_offset(y, i)] = step * (v - (float)zero);
    }
    if (args->n_out == 1) continue;
    ((float *)y[1].data)[whet__flat_offset(&y[1], at / n)] = step;
    ((int32_t *)y[2].data)[whet__flat_offset(&y[2], at / n)] = zero;
  }
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

static whet_status fakeq_plan(whet_planner *p, const whet_node *n) {
  const whet_fakeq *a = n->attr;
  const whet_shape *s = whet__pl_shape(p, n->in[0]);
  int64_t count = whet__shape_count(s);
  whet_fakeq_f32 k = {.n = row_of(a, s->rank, s->d), .asymmetric = a->asymmetric};
  k.rows = k.n ? count / k.n : 0;
  whet_arg arg[2] = {whet__rd(n->in[0]), whet__wr(n->out[0])};
  return whet__pl_kern(p, WHET_FAMILY_fakeq_f32, &k, sizeof k, arg, 2, k.rows, (double)count * 0.3);
}

/* ---- to bytes -------------------------------------------------------------------------------- */

static whet_status bytes_infer(whet_infer *f, const whet_node *n) {
  const whet_fakeq *a = n->attr;
  if (n->n_in != 1 || n->n_out != 3 || !whet__in_has(f, 0) || whet__in_dtype(f, 0) != WHET_F32)
    return whet__infer_fail(f, WHET_E_FORMAT, "expected 1 input of float32 and 3 outputs");
  const whet_shape *x = whet__in_shape(f, 0);
  whet_dim count, rows = WHET_DIM_ANY;
  WHET_TRY(whet__infer_count(f, x, &count));
  if (a->row <= 0 && x->rank > 0)
    rows = x->d[0];
  else if (a->row > 0 && whet__dim_known(count))
    rows = count / a->row;
  *whet__out(f, 0, WHET_S8) = *x;
  for (int i = 1; i < 3; i++) *whet__out(f, i, i == 1 ? WHET_F32 : WHET_S32) = (whet_shape){.rank = 1, .d = {rows}};
  return WHET_OK;
}

static whet_status bytes_plan(whet_planner *p, const whet_node *n) {
  const whet_fakeq *a = n->attr;
  const whet_shape *s = whet__pl_shape(p, n->in[0]);
  int64_t count = whet__shape_count(s);
  whet_fakeq_f32 k = {.n = row_of(a, s->rank, s->d), .asymmetric = a->asymmetric, .bytes = WHET_FAKEQ_S8};
  if (!count) return WHET_LATE;
  k.rows = count / k.n;
  whet_arg arg[4] = {whet__rd(n->in[0]), whet__wr(n->out[0]), whet__wr(n->out[1]), whet__wr(n->out[2])};
  return whet__pl_kern(p, WHET_FAMILY_fakeq_f32, &k, sizeof k, arg, 4,
                       k.rows > 1 ? k.rows : whet__ceil_div(k.n, 4096), (double)count * 0.2);
}

const whet_op whet_op_HybridQuantize = {
    .name = "HybridQuantize",
    .attr_size = sizeof(whet_fakeq),
    .attrs = k_attrs,
    .infer = bytes_infer,
    .plan = bytes_plan,
    .ref = ref,
};

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_HybridRound = {
    .name = "HybridRound",
    .flags = WHET_OP_INPLACE,
    .attr_size = sizeof(whet_fakeq),
    .attrs = k_attrs,
    .infer = fakeq_infer,
    .plan = fakeq_plan,
    .ref = ref,
};
