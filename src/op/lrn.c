/* SPDX-License-Identifier: Apache-2.0 */
/* LRN: x / (bias + alpha * sum of squares of neighbouring channels)^beta; channel c's neighbours are c - before .. c
 * + after, as far as they exist.
 *
 * ONNX LRN 1-13 (alpha / size is the factor), TFLite LOCAL_RESPONSE_NORMALIZATION (radius; alpha is). Floats,
 * computed in double. */

#include <math.h>

#include "op/edit.h"
#include "op/move.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

typedef struct lrn_attr {
  int64_t before, after;
  float alpha, beta, bias;
  bool last; /* channels are the last dimension; else dimension 1 */
} lrn_attr;

static const whet_attr_desc k_attrs[] = {{"before", WHET_ATTR_I64, offsetof(lrn_attr, before)},
                                         {"after", WHET_ATTR_I64, offsetof(lrn_attr, after)},
                                         {"alpha", WHET_ATTR_F32, offsetof(lrn_attr, alpha)},
                                         {"beta", WHET_ATTR_F32, offsetof(lrn_attr, beta)},
                                         {"bias", WHET_ATTR_F32, offsetof(lrn_attr, bias)},
                                         {"channels_last", WHET_ATTR_BOOL, offsetof(lrn_attr, last)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status put(whet_import *im, const whet_op *op, const lrn_attr *from) {
  const void *a = whet__arena_copy(whet__im_arena(im), from, sizeof *from);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  return whet__im_node_as_is(im, op, a);
}
static whet_status read_onnx(whet_import *im, const whet_op *op) {
  int64_t size = whet__onnx_int(im, "size", 0);
  if (size < 1) return whet__im_fail(im, WHET_E_DATA, "size is %lld: expected 1 or more", (long long)size);
  lrn_attr a = {(size - 1) / 2,
                size / 2,
                whet__onnx_float(im, "alpha", 1e-4f) / (float)size,
                whet__onnx_float(im, "beta", 0.75f),
                whet__onnx_float(im, "bias", 1),
                false};
  return put(im, op, &a);
}
static whet_status read_tfl(whet_import *im, const whet_op *op) {
  int64_t r = whet__tfl_int(im, 0, 0);
  if (r < 0) return whet__im_fail(im, WHET_E_DATA, "radius is %lld", (long long)r);
  lrn_attr a = {r, r, whet__tfl_float(im, 2, 0), whet__tfl_float(im, 3, 0), whet__tfl_float(im, 1, 0), true};
  return put(im, op, &a);
}

static const whet_from k_from[] = {
    {"", "LRN", 1, read_onnx}, {"tflite", "LOCAL_RESPONSE_NORMALIZATION", 1, read_tfl}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  whet_dtype t = whet__in_dtype(f, 0);
  if (!whet__type_in(WHET_T_FLOAT, t))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  if (whet__in_shape(f, 0)->rank < 2) return whet__infer_fail(f, WHET_E_SHAPE, "expected at least 2 dimensions");
  *whet__out(f, 0, t) = *whet__in_shape(f, 0);
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

static whet_status ref(const whet_args *arg) {
  const lrn_attr *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  int32_t chan = a->last ? x->rank - 1 : 1;
  int64_t c_n = x->dim[chan], at[WHET_MAX_RANK] = {0}, s = x->stride[chan];
  for (int64_t left = whet__tensor_count(x); left > 0; left--, whet__index_next(x->rank, x->dim, at)) {
    int64_t o = whet__index_offset(x->rank, at, x->stride), c = at[chan];
    int64_t from = c < a->before ? 0 : c - a->before, to = a->after >= c_n - 1 - c ? c_n - 1 : c + a->after;
    double sum = 0;
    for (int64_t i = from; i <= to; i++) {
      double v = whet__get_f64(x->dtype, x->data, o + (i - c) * s);
      sum += v * v;
    }
    double v = whet__get_f64(x->dtype, x->data, o) * pow((double)a->bias + (double)a->alpha * sum, -(double)a->beta);
    whet__set_f64(y->dtype, y->data, whet__index_offset(x->rank, at, y->stride), v);
  }
  return WHET_OK;
}

/* ---- permutation ----------------------------------------------------------------------------- */

static bool permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  const lrn_attr *a = whet__ed_graph(e)->node[node].attr;
  if (!whet__perm_is_chan(perm, rank, a->last)) return false;
  lrn_attr *w = whet__ed_attr(e, node);
  if (!w) return false;
  w->last = !w->last;
  return true;
}

const whet_op whet_op_LRN = {.name = "LRN",
                             .attr_size = sizeof(lrn_attr),
                             .attrs = k_attrs,
                             .from = k_from,
                             .infer = infer,
                             .permute = permute,
                             .ref = ref};
