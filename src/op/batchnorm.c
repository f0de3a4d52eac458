/* SPDX-License-Identifier: Apache-2.0 */
/* BatchNormalization(x, s, b, m, v): s (x - m) / sqrt(v + epsilon) + b for each channel.
 *
 * ONNX 1-15. In training mode m and v are the mean and variance of the batch, and outputs 1 and 2 the running ones:
 * old times momentum plus new times 1 - momentum (before 14 outputs 3 and 4 repeat the batch's own). Floats; s, b, m,
 * v may have another float type than x. Pass batchnorm turns the other mode into convolution weights or Mul and Add.
 */

#include "op/batchnorm.h"

#include <math.h>

#include "op/edit.h"
#include "op/move.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

static const whet_attr_desc k_attrs[] = {{"epsilon", WHET_ATTR_F32, offsetof(whet_batchnorm_attr, epsilon)},
                                         {"momentum", WHET_ATTR_F32, offsetof(whet_batchnorm_attr, momentum)},
                                         {"training_mode", WHET_ATTR_BOOL, offsetof(whet_batchnorm_attr, training)},
                                         {"channels_last", WHET_ATTR_BOOL, offsetof(whet_batchnorm_attr, last)},
                                         {"places", WHET_ATTR_BOOL, offsetof(whet_batchnorm_attr, places)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status read(whet_import *im, const whet_op *op) {
  whet_batchnorm_attr *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  int32_t in[5], out[3];
  int since = whet__im_since(im);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  a->epsilon = whet__onnx_float(im, "epsilon", 1e-5f);
  a->momentum = whet__onnx_float(im, "momentum", 0.9f);
  a->training =
      since >= 14 ? whet__onnx_int(im, "training_mode", 0) != 0 : since < 7 && !whet__onnx_int(im, "is_test", 1);
  a->places = since < 9 && !whet__onnx_int(im, "spatial", 1);
  for (int i = 0; i < 5; i++)
    if ((in[i] = whet__im_in(im, i)) < 0) return whet__im_fail(im, WHET_E_FORMAT, "expected 5 inputs");
  for (int i = 0; i < 3; i++) out[i] = whet__im_out(im, i);
  if (!a->training && (out[1] >= 0 || out[2] >= 0))
    return whet__im_fail(im, WHET_E_DATA, "outputs of training, but training_mode is not set");
  return whet__im_node(im, op, a, in, 5, out, a->training ? 3 : 1);
}

static const whet_from k_from[] = {{"", "BatchNormalization", 1, read}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_batchnorm_attr *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  whet_dtype t = whet__in_dtype(f, 0);
  if (!whet__type_in(WHET_T_FLOAT, t))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  whet_dim c = x->rank < 2 ? 1 : x->d[a->last ? x->rank - 1 : 1];
  if (a->places) {
    c = 1;
    for (int32_t i = 1; i < x->rank; i++) c = whet__dim_mul(c, x->d[i]);
  }
  for (int i = 1; i < 5; i++) {
    const whet_shape *s = whet__in_shape(f, i);
    int64_t count = whet__shape_count(s);
    if (!whet__type_in(WHET_T_FLOAT, whet__in_dtype(f, i)))
      return whet__infer_fail(f, WHET_E_TYPE, "input %d is %s", i, whet_dtype_name(whet__in_dtype(f, i)));
    if (!whet__in_has(f, i) || (count >= 0 && whet__dim_known(c) && count != c))
      return whet__infer_fail(f, WHET_E_SHAPE, "input %d has %lld numbers for %lld channels", i, (long long)count,
                              (long long)c);
  }
  *whet__out(f, 0, t) = *x;
  for (int o = 1; o < 3; o++)
    if (whet__out_has(f, o)) *whet__out(f, o, whet__in_dtype(f, 2 + o)) = *whet__in_shape(f, 2 + o);
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* x as [outer][c][inner] with its strides when the channel is dimension `chan`; every element belongs to a channel.
 */
struct view {
  int64_t chans;
  int32_t chan, rank;
  bool places;
};

/* Number of the scale that belongs to an index of x. */
static int64_t scale_of(const struct view *v, const whet_tensor *x, const int64_t *at) {
  int64_t k = 0;
  if (!v->places) return v->rank < 2 ? 0 : at[v->chan];
  for (int32_t i = 1; i < v->rank; i++) k = k * x->dim[i] + at[i];
  return k;
}

/* Mean and variance over everything that belongs to scale c. */
static void moments(const struct view *v, const whet_tensor *x, int64_t c, double *mean, double *var) {
  int64_t n = whet__tensor_count(x), count = 0, at[WHET_MAX_RANK];
  *mean = *var = 0;
  for (int pass = 0; pass < 2; pass++) {
    memset(at, 0, sizeof at);
    double sum = 0;
    count = 0;
    for (int64_t i = 0; i < n; i++, whet__index_next(x->rank, x->dim, at)) {
      if (scale_of(v, x, at) != c) continue;
      double d = whet__get_f64(x->dtype, x->data, whet__index_offset(x->rank, at, x->stride)) - *mean;
      sum += pass ? d * d : d;
      count++;
    }
    *(pass ? var : mean) = count ? sum / (double)count : 0;
  }
}

static double number(const whet_tensor *t, int64_t i) {
  return whet__get_f64(t->dtype, t->data, whet__flat_offset(t, i));
}

static whet_status ref(const whet_args *arg) {
  const whet_batchnorm_attr *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  struct view v = {whet__tensor_count(&arg->in[1]), a->last ? x->rank - 1 : 1, x->rank, a->places};
  for (int64_t c = 0; c < v.chans; c++) {
    double mean = number(&arg->in[3], c), var = number(&arg->in[4], c);
    if (a->training) {
      double m = (double)a->momentum, old[2] = {mean, var};
      moments(&v, x, c, &mean, &var);
      for (int o = 1; o < 3 && o < arg->n_out; o++)
        if (arg->out[o].data)
          whet__set_f64(arg->out[o].dtype, arg->out[o].data, whet__flat_offset(&arg->out[o], c),
                        old[o - 1] * m + (o == 1 ? mean : var) * (1 - m));
    }
    double k = number(&arg->in[1], c) / sqrt(var + (double)a->epsilon), b = number(&arg->in[2], c);
    /* Walk the elements of this channel: the others are skipped where the channel is one dimension. */
    whet_tensor xs = *x, ys = *y;
    int64_t xo = 0, yo = 0, at[WHET_MAX_RANK] = {0};
    if (!a->places && x->rank > 1) {
      xo = c * x->stride[v.chan], yo = c * y->stride[v.chan];
      xs.dim[v.chan] = ys.dim[v.chan] = 1;
    }
    for (int64_t i = 0, n = whet__tensor_count(&xs); i < n; i++, whet__index_next(x->rank, xs.dim, at)) {
      if (a->places && scale_of(&v, x, at) != c) continue;
      double d = whet__get_f64(x->dtype, x->data, xo + whet__index_offset(x->rank, at, x->stride)) - mean;
      whet__set_f64(y->dtype, y->data, yo + whet__index_offset(x->rank, at, y->stride), k * d + b);
    }
  }
  return WHET_OK;
}

/* ---- permutation ----------------------------------------------------------------------------- */

static bool permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  const whet_batchnorm_attr *a = whet__ed_graph(e)->node[node].attr;
  if (a->places || !whet__perm_is_chan(perm, rank, a->last)) return false;
  whet_batchnorm_attr *w = whet__ed_attr(e, node);
  if (!w) return false;
  w->last = !w->last;
  return true;
}

const whet_op whet_op_BatchNormalization = {.name = "BatchNormalization",
                                            .attr_size = sizeof(whet_batchnorm_attr),
                                            .attrs = k_attrs,
                                            .from = k_from,
                                            .infer = infer,
                                            .permute = permute,
                                            .ref = ref};
