/* SPDX-License-Identifier: Apache-2.0 */
/* BatchNormTrain(x, scale, bias): (x - mean) i scale + bias for each channel, the last dimension, with mean and
 * i = 1 / sqrt(variance + epsilon) of the batch, which are outputs 1 and 2. BatchNormGrad(x, dy, mean, i, scale): the
 * gradients of x, scale and bias.
 *
 * What BatchNormalization is in a training graph; no file has them. f32 by kernels, other floats by the reference. */

#include <math.h>

#include "kern/bnorm_f32.h"
#include "op/batchnorm.h"
#include "op/grad.h"
#include "op/move.h"
#include "op/walk.h"

static const whet_attr_desc k_attrs[] = {{"epsilon", WHET_ATTR_F32, offsetof(whet_batchnorm_train, epsilon)}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

/* Inputs are floats of one type; those from `first` on are vectors as long as x's last dimension. */
static whet_status check(whet_infer *f, const whet_node *n, int count, int first) {
  const whet_shape *x = whet__in_shape(f, 0);
  whet_dtype t = whet__in_dtype(f, 0);
  if (n->n_in != count) return whet__infer_fail(f, WHET_E_FORMAT, "expected %d inputs, got %d", count, n->n_in);
  if (!whet__type_in(WHET_T_FLOAT, t)) return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  if (x->rank < 2) return whet__infer_fail(f, WHET_E_SHAPE, "expected 2 dimensions or more, got %d", x->rank);
  for (int i = 1; i < count; i++) {
    const whet_shape *s = whet__in_shape(f, i);
    if (whet__in_dtype(f, i) != t) return whet__infer_fail(f, WHET_E_TYPE, "input %d is %s", i, whet_dtype_name(whet__in_dtype(f, i)));
    bool fits = i < first ? s->rank == x->rank : s->rank == 1;
    for (int32_t d = 0; fits && d < s->rank; d++) {
      whet_dim want = x->d[i < first ? d : x->rank - 1];
      fits = s->d[d] == want || !whet__dim_known(s->d[d]) || !whet__dim_known(want);
    }
    if (!fits) return whet__infer_fail(f, WHET_E_SHAPE, "input %d does not fit the first", i);
  }
  return WHET_OK;
}
static whet_shape vector(whet_infer *f) {
  const whet_shape *x = whet__in_shape(f, 0);
  return (whet_shape){.rank = 1, .d = {x->d[x->rank - 1]}};
}

static whet_status train_infer(whet_infer *f, const whet_node *n) {
  WHET_TRY(check(f, n, 3, 1));
  *whet__out(f, 0, whet__in_dtype(f, 0)) = *whet__in_shape(f, 0);
  for (int o = 1; o < 3; o++)
    if (whet__out_has(f, o)) *whet__out(f, o, whet__in_dtype(f, 0)) = vector(f);
  return WHET_OK;
}
static whet_status grad_infer(whet_infer *f, const whet_node *n) {
  WHET_TRY(check(f, n, 5, 2));
  for (int o = 0; o < 3; o++)
    if (whet__out_has(f, o)) *whet__out(f, o, whet__in_dtype(f, 0)) = o ? vector(f) : *whet__in_shape(f, 0);
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

static double get(const whet_tensor *t, int64_t flat) { return whet__get_f64(t->dtype, t->data, whet__flat_offset(t, flat)); }
static void put(const whet_args *a, int o, int64_t flat, double v) {
  if (o < a->n_out && a->out[o].data) whet__set_f64(a->out[o].dtype, a->out[o].data, whet__flat_offset(&a->out[o], flat), v);
}

static whet_status train_ref(const whet_args *a) {
  const whet_batchnorm_train *t = a->attr;
  const whet_tensor *x = &a->in[0];
  int64_t c = x->dim[x->rank - 1], rows = c ? whet__tensor_count(x) / c : 0;
  for (int64_t k = 0; k < c; k++) {
    double mean = 0, var = 0;
    for (int64_t r = 0; r < rows; r++) mean += get(x, r * c + k);
    mean /= (double)rows;
    for (int64_t r = 0; r < rows; r++) var += (get(x, r * c + k) - mean) * (get(x, r * c + k) - mean);
    double i = 1 / sqrt(var / (double)rows + (double)t->epsilon);
    for (int64_t r = 0; r < rows; r++) put(a, 0, r * c + k, (get(x, r * c + k) - mean) * i * get(&a->in[1], k) + get(&a->in[2], k));
    put(a, 1, k, mean);
    put(a, 2, k, i);
  }
  return WHET_OK;
}

static whet_status grad_ref(const whet_args *a) {
  const whet_tensor *x = &a->in[0], *g = &a->in[1];
  int64_t c = x->dim[x->rank - 1], rows = c ? whet__tensor_count(x) / c : 0;
  for (int64_t k = 0; k < c; k++) {
    double mean = get(&a->in[2], k), i = get(&a->in[3], k), scale = get(&a->in[4], k), sg = 0, sh = 0;
    for (int64_t r = 0; r < rows; r++) sg += get(g, r * c + k), sh += get(g, r * c + k) * (get(x, r * c + k) - mean) * i;
    for (int64_t r = 0; r < rows; r++) {
      double h = (get(x, r * c + k) - mean) * i;
      put(a, 0, r * c + k, i * scale * (get(g, r * c + k) - sg / (double)rows - h * sh / (double)rows));
    }
    put(a, 1, k, sh);
    put(a, 2, k, sg);
  }
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

static whet_status plan(whet_planner *p, const whet_node *n, bool back) {
  const whet_batchnorm_train *t = n->attr;
  const whet_shape *s = whet__pl_shape(p, n->in[0]);
  int64_t c = s->d[s->rank - 1], rows = c ? whet__shape_count(s) / c : 0;
  if (whet__pl_dtype(p, n->in[0]) != WHET_F32 || !rows) return WHET_LATE;
  for (int i = 0; i < n->n_in; i++)
    if (!whet__pl_dense(p, n->in[i])) return WHET_LATE;
  for (int o = 0; o < n->n_out; o++)
    if (n->out[o] >= 0 && !whet__pl_dense(p, n->out[o])) return WHET_LATE;
  whet_bnorm_f32 k = {.kind = (back ? WHET_BNORM_BACK : 0), .rows = rows, .chan = c, .epsilon = back ? 0 : t->epsilon};
  int32_t part = whet__pl_temp(p, sizeof(float) * WHET_BNORM_SHARDS * 2 * (size_t)c);
  int32_t mean = back ? n->in[2] : n->n_out > 1 ? n->out[1] : -1, inv = back ? n->in[3] : n->n_out > 2 ? n->out[2] : -1;
  int32_t none = back || (mean >= 0 && inv >= 0) ? -1 : whet__pl_temp(p, sizeof(float) * (size_t)c); /* nobody wants them */
  double ns = (double)(rows * c) * 0.15;
  whet_arg sums[5] = {whet__rd(n->in[0]), whet__tm(part, true), whet__rd(back ? n->in[1] : -1), whet__rd(back ? mean : -1),
                      whet__rd(back ? inv : -1)};
  k.kind |= WHET_BNORM_SUMS;
  WHET_TRY(whet__pl_kern(p, WHET_FAMILY_bnorm_f32, &k, sizeof k, sums, 5, WHET_BNORM_SHARDS, ns));
  k.kind &= ~WHET_BNORM_SUMS;
  if (back) {
    whet_arg arg[10] = {whet__rd(n->in[0]), whet__tm(part, false), whet__rd(n->in[1]), whet__rd(mean), whet__rd(inv), whet__rd(n->in[4]),
                        whet__wr(n->out[0]), whet__wr(n->n_out > 1 ? n->out[1] : -1), whet__wr(n->n_out > 2 ? n->out[2] : -1),
                        whet__scratch()};
    return whet__pl_kern(p, WHET_FAMILY_bnorm_f32, &k, sizeof k, arg, 10, rows, ns * 1.5);
  }
  whet_arg arg[8] = {whet__rd(n->in[0]), whet__tm(part, false), whet__rd(n->in[1]), whet__rd(n->in[2]), whet__wr(n->out[0]),
                     mean >= 0 ? whet__wr(mean) : whet__tm(none, true), inv >= 0 ? whet__wr(inv) : whet__tm(none, true), whet__scratch()};
  return whet__pl_kern(p, WHET_FAMILY_bnorm_f32, &k, sizeof k, arg, 8, rows, ns);
}
static whet_status train_plan(whet_planner *p, const whet_node *n) { return plan(p, n, false); }
static whet_status grad_plan(whet_planner *p, const whet_node *n) { return plan(p, n, true); }

/* ---- gradient -------------------------------------------------------------------------------- */

static whet_status grad(whet_edit *e, int32_t node) {
  const whet_node n = whet__ed_graph(e)->node[node];
  int32_t g = whet__grad_of(e, n.out[0]), x = n.in[0], out[3] = {-1, -1, -1};
  whet_dtype t = whet__ed_dtype(e, x);
  for (int i = 0; i < 3; i++)
    if (whet__grad_wants(e, n.in[i])) out[i] = whet__ed_val(e, "grad", t, NULL);
  if (out[0] < 0 && out[1] < 0 && out[2] < 0) return WHET_OK;
  if (out[0] < 0) out[0] = whet__ed_val(e, "grad", t, NULL);
  int32_t in[5] = {x, g, n.out[1], n.out[2], n.in[1]};
  whet__ed_node(e, whet__op_find("BatchNormGrad"), n.attr, in, 5, out, 3);
  for (int i = 0; i < 3; i++)
    if (whet__grad_wants(e, n.in[i])) whet__grad_add(e, n.in[i], out[i]);
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_BatchNormTrain = {.name = "BatchNormTrain",
                                        .attr_size = sizeof(whet_batchnorm_train),
                                        .attrs = k_attrs,
                                        .infer = train_infer,
                                        .plan = train_plan,
                                        .grad = grad,
                                        .ref = train_ref};
const whet_op whet_op_BatchNormGrad = {.name = "BatchNormGrad",
                                       .attr_size = sizeof(whet_batchnorm_train),
                                       .attrs = k_attrs,
                                       .infer = grad_infer,
                                       .plan = grad_plan,
                                       .ref = grad_ref};
