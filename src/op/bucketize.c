/* SPDX-License-Identifier: Apache-2.0 */
/* Bucketize(x): how many of some rising boundaries are not above each element.
 *
 * TFLite BUCKETIZE: int32 results. f32, f64; integers are rounded to f32 first, as LiteRT compares them. Exact. */

#include "op/move.h"
#include "op/walk.h"

struct bucketize {
  whet_floats boundaries;
};
static const whet_attr_desc k_attrs[] = {{"boundaries", WHET_ATTR_F32S, offsetof(struct bucketize, boundaries)}, {0}};

static whet_status from_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct bucketize, a);
  a->boundaries = whet__tfl_floats(im, 0);
  for (int32_t i = 1; i < a->boundaries.n; i++)
    if (!(a->boundaries.v[i - 1] <= a->boundaries.v[i]))
      return whet__im_fail(im, WHET_E_DATA, "boundary %d is less than the one before", i);
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_from[] = {{"tflite", "BUCKETIZE", 1, from_tfl}, {0}};

static whet_status infer(whet_infer *f, const whet_node *n) {
  whet_dtype t = whet__in_dtype(f, 0);
  if (!whet__type_in(WHET_T_NUM, t))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  *whet__out(f, 0, WHET_S32) = *whet__in_shape(f, 0);
  return WHET_OK;
}

static whet_status ref(const whet_args *arg) {
  const struct bucketize *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  int64_t at[WHET_MAX_RANK] = {0};
  for (int64_t left = whet__tensor_count(x); left > 0; left--, whet__index_next(x->rank, x->dim, at)) {
    double v = whet__get_f64(x->dtype, x->data, whet__index_offset(x->rank, at, x->stride));
    if (!whet__is_float(x->dtype)) v = (double)(float)v;
    int32_t lo = 0, hi = a->boundaries.n; /* the first boundary above v */
    while (lo < hi) {
      int32_t mid = lo + (hi - lo) / 2;
      if (v < (double)a->boundaries.v[mid])
        hi = mid;
      else
        lo = mid + 1;
    }
    whet__set_i64(WHET_S32, y->data, whet__index_offset(y->rank, at, y->stride), lo);
  }
  return WHET_OK;
}

/* The order of dimensions does not matter. */
static bool permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  return whet__perm_same(perm, rank, perm_out);
}

const whet_op whet_op_Bucketize = {
    .name = "Bucketize",
    .flags = WHET_OP_POINTWISE,
    .attr_size = sizeof(struct bucketize),
    .attrs = k_attrs,
    .from = k_from,
    .infer = infer,
    .permute = permute,
    .ref = ref,
};
