/* SPDX-License-Identifier: Apache-2.0 */
/* TensorScatter(cache, update, places): for each sample of the batch, the update's steps written from step places[b] on
 * (absent: 0), along the axis; past the end of the axis the place is wrong or, circular, goes on at its beginning.
 *
 * ONNX TensorScatter 24. All types. Exact. Places are checked when they are read (E_DATA). */

#include "op/move.h"

struct scatter {
  int32_t axis; /* may be negative; not the batch */
  uint8_t circular;
};
static const whet_attr_desc k_attrs[] = {{"axis", WHET_ATTR_I32, offsetof(struct scatter, axis)},
                                         {"circular", WHET_ATTR_BOOL, offsetof(struct scatter, circular)},
                                         {0}};

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct scatter, a);
  whet_str mode = whet__onnx_str(im, "mode", "linear");
  a->axis = whet__small(whet__onnx_int(im, "axis", -2));
  a->circular = mode.n == 8 && !memcmp(mode.p, "circular", 8);
  if (!a->circular && !(mode.n == 6 && !memcmp(mode.p, "linear", 6)))
    return whet__im_fail(im, WHET_E_DATA, "mode \"%.*s\"", (int)whet__min_i((int64_t)mode.n, 40), mode.p);
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_from[] = {{"", "TensorScatter", 24, from_onnx}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const struct scatter *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0), *u = whet__in_shape(f, 1), *p = whet__in_shape(f, 2);
  int32_t axis;
  *whet__out(f, 0, whet__in_dtype(f, 0)) = *x;
  if (whet__in_dtype(f, 0) != whet__in_dtype(f, 1))
    return whet__infer_fail(f, WHET_E_TYPE, "the update is %s, the cache %s", whet_dtype_name(whet__in_dtype(f, 1)),
                            whet_dtype_name(whet__in_dtype(f, 0)));
  if (whet__in_has(f, 2)) WHET_TRY(whet__infer_is_int(f, 2));
  if (x->rank < 0) return WHET_LATE;
  WHET_TRY(whet__infer_axis(f, a->axis, x->rank, &axis));
  if (!axis) return whet__infer_fail(f, WHET_E_DATA, "axis 0 is the batch");
  if (u->rank >= 0 && u->rank != x->rank)
    return whet__infer_fail(f, WHET_E_SHAPE, "an update of rank %d for a cache of rank %d", u->rank, x->rank);
  for (int32_t i = 0; i < u->rank; i++) {
    bool known = whet__dim_known(x->d[i]) && whet__dim_known(u->d[i]);
    if (known && (i == axis ? u->d[i] > x->d[i] : u->d[i] != x->d[i]))
      return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d of the update is %lld, of the cache %lld", i,
                              (long long)u->d[i], (long long)x->d[i]);
  }
  if (p->rank >= 0 && (p->rank != 1 || (whet__dim_known(p->d[0]) && whet__dim_known(x->d[0]) && p->d[0] != x->d[0])))
    return whet__infer_fail(f, WHET_E_SHAPE, "one place for each sample of the batch is expected");
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

static whet_status ref(const whet_args *arg) {
  const struct scatter *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *u = &arg->in[1], *out = &arg->out[0];
  const whet_tensor *p = arg->n_in > 2 && arg->in[2].data ? &arg->in[2] : NULL;
  int32_t axis = a->axis < 0 ? a->axis + x->rank : a->axis;
  int64_t dim[WHET_MAX_RANK], steps = u->dim[axis], size = x->dim[axis];
  whet__move_flat(out, x);
  memcpy(dim, u->dim, sizeof dim);
  dim[0] = 1;
  for (int64_t b = 0; b < x->dim[0] && steps; b++) {
    int64_t at = p ? whet__vec_i64(p, b) : 0;
    if (a->circular)
      at = (at % size + size) % size;
    else if (at < 0 || at > size - steps)
      return whet__fail(arg->err, WHET_E_DATA, "%lld steps from step %lld on of %lld", (long long)steps, (long long)at,
                        (long long)size);
    /* To the end of the axis, and the rest at its beginning. */
    int64_t first = whet__min_i(steps, size - at);
    for (int part = 0; part < 2; part++) {
      dim[axis] = part ? steps - first : first;
      whet__move_box(x->dtype, x->rank, dim, out->data, b * out->stride[0] + (part ? 0 : at * out->stride[axis]),
                     out->stride, u->data, b * u->stride[0] + (part ? first * u->stride[axis] : 0), u->stride);
    }
  }
  return WHET_OK;
}

const whet_op whet_op_TensorScatter = {
    .name = "TensorScatter",
    .attr_size = sizeof(struct scatter),
    .attrs = k_attrs,
    .from = k_from,
    .infer = infer,
    .plan = whet__pl_in_first,
    .ref = ref,
};
