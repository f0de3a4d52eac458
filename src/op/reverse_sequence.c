/* SPDX-License-Identifier: Apache-2.0 */
/* ReverseSequence(x, lengths): for each index b of the batch axis, the first lengths[b] elements along the time axis in
 * the opposite order, the others as they are.
 *
 * ONNX ReverseSequence 10-28; TFLite REVERSE_SEQUENCE. All types. Exact. Lengths are checked when they are read
 * (E_DATA). */

#include "op/move.h"

/* ---- attributes ------------------------------------------------------------------------------ */

struct reverse {
  int32_t time, batch; /* axes; may be negative */
};
static const whet_attr_desc k_attrs[] = {{"time_axis", WHET_ATTR_I32, offsetof(struct reverse, time)},
                                         {"batch_axis", WHET_ATTR_I32, offsetof(struct reverse, batch)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct reverse, a);
  a->time = whet__small(whet__onnx_int(im, "time_axis", 0));
  a->batch = whet__small(whet__onnx_int(im, "batch_axis", 1));
  return whet__im_node_as_is(im, op, a);
}

static whet_status from_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct reverse, a);
  a->time = whet__small(whet__tfl_int(im, 0, 0));
  a->batch = whet__small(whet__tfl_int(im, 1, 0));
  return whet__im_node_as_is(im, op, a);
}

static const whet_from k_from[] = {
    {"", "ReverseSequence", 10, from_onnx}, {"tflite", "REVERSE_SEQUENCE", 1, from_tfl}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const struct reverse *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0), *l = whet__in_shape(f, 1);
  int32_t time, batch;
  *whet__out(f, 0, whet__in_dtype(f, 0)) = *x;
  WHET_TRY(whet__infer_is_int(f, 1));
  if (x->rank < 0) return WHET_LATE;
  WHET_TRY(whet__infer_axis(f, a->time, x->rank, &time));
  WHET_TRY(whet__infer_axis(f, a->batch, x->rank, &batch));
  if (time == batch) return whet__infer_fail(f, WHET_E_DATA, "axis %d is both time and batch", time);
  if (l->rank < 0) return WHET_OK;
  if (l->rank != 1) return whet__infer_fail(f, WHET_E_SHAPE, "lengths of rank %d, expected 1", l->rank);
  if (whet__dim_known(l->d[0]) && whet__dim_known(x->d[batch]) && l->d[0] != x->d[batch])
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld lengths for a batch of %lld", (long long)l->d[0],
                            (long long)x->d[batch]);
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

static whet_status ref(const whet_args *a) {
  const struct reverse *r = a->attr;
  const whet_tensor *x = &a->in[0], *l = &a->in[1], *out = &a->out[0];
  int32_t time = r->time < 0 ? r->time + x->rank : r->time, batch = r->batch < 0 ? r->batch + x->rank : r->batch;
  int64_t dim[WHET_MAX_RANK], back[WHET_MAX_RANK], steps = x->dim[time];
  memcpy(dim, x->dim, sizeof dim);
  memcpy(back, x->stride, sizeof back);
  dim[batch] = 1;
  back[time] = -back[time];
  for (int64_t b = 0; b < x->dim[batch]; b++) {
    int64_t n = whet__vec_i64(l, b), from = b * x->stride[batch], to = b * out->stride[batch];
    if (n < 0 || n > steps)
      return whet__fail(a->err, WHET_E_DATA, "length %lld of %lld elements", (long long)n, (long long)steps);
    dim[time] = n;
    whet__move_box(x->dtype, x->rank, dim, out->data, to, out->stride, x->data, from + (n - 1) * x->stride[time], back);
    dim[time] = steps - n;
    whet__move_box(x->dtype, x->rank, dim, out->data, to + n * out->stride[time], out->stride, x->data,
                   from + n * x->stride[time], x->stride);
  }
  return WHET_OK;
}

/* ---- permutation ----------------------------------------------------------------------------- */

static bool permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  struct reverse *w = whet__ed_attr(e, node);
  if (!w) return false;
  w->time = whet__perm_axis(perm, rank, w->time < 0 ? w->time + rank : w->time);
  w->batch = whet__perm_axis(perm, rank, w->batch < 0 ? w->batch + rank : w->batch);
  return whet__perm_same(perm, rank, perm_out);
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_ReverseSequence = {
    .name = "ReverseSequence",
    .flags = WHET_OP_SIGN_FREE,
    .attr_size = sizeof(struct reverse),
    .attrs = k_attrs,
    .from = k_from,
    .infer = infer,
    .permute = permute,
    .ref = ref,
};
