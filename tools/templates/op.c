/* SPDX-License-Identifier: Apache-2.0 */
/* NAME(x): formula.
 *
 * ONNX NAME <opsets>; TFLite <BUILTIN>. Types: <which>. <Exact, or how far off>. */

#include "base/dtype.h"
#include "op/edit.h"
#include "op/op.h"

/* ---- attributes ------------------------------------------------------------------------------ */

typedef struct attr {
  int32_t axis; /* as the file has it: may be negative */
} attr;

static const whet_attr_desc k_attrs[] = {{"axis", WHET_ATTR_I32, offsetof(attr, axis)}, {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  attr *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  a->axis = (int32_t)whet__clamp_i(whet__onnx_int(im, "axis", -1), INT32_MIN, INT32_MAX);
  return whet__im_node_as_is(im, op, a);
}

static const whet_from k_from[] = {{"", "NAME", 1, from_onnx}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

/* Checks everything that comes from the file; after it, reference and kernels trust. */
static whet_status infer(whet_infer *f, const whet_node *n) {
  const attr *a = n->attr;
  const whet_shape *in = whet__in_shape(f, 0);
  if (whet__in_dtype(f, 0) != WHET_F32)
    return whet__infer_fail(f, WHET_E_TYPE, "%s instead of float32", whet_dtype_name(whet__in_dtype(f, 0)));
  whet_shape *out = whet__out(f, 0, WHET_F32);
  *out = *in;
  if (in->rank < 0) return WHET_LATE;
  int32_t axis;
  return whet__infer_axis(f, a->axis, in->rank, &axis);
}

/* ---- naive reference ------------------------------------------------------------------------- */

/* Every type, any stride, no cleverness: this is the definition. */
static whet_status ref(const whet_args *a) {
  const whet_tensor *x = &a->in[0], *y = &a->out[0];
  int64_t at[WHET_MAX_RANK] = {0};
  for (int64_t left = whet__tensor_count(x); left > 0; left--) {
    int64_t from = 0, to = 0;
    for (int32_t d = 0; d < x->rank; d++) from += at[d] * x->stride[d], to += at[d] * y->stride[d];
    ((float *)y->data)[to] = ((const float *)x->data)[from];
    for (int32_t d = x->rank - 1; d >= 0 && ++at[d] == x->dim[d]; d--) at[d] = 0;
  }
  return WHET_OK;
}

/* ---- permutation ----------------------------------------------------------------------------- */

/* The same node on an input whose dimensions were turned: the axis is renamed. */
static bool permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  attr *a = whet__ed_attr(e, node);
  if (!a) return false;
  a->axis = whet__perm_axis(perm, rank, a->axis < 0 ? a->axis + rank : a->axis);
  memcpy(perm_out, perm, (size_t)rank);
  return true;
}

/* ---- the record ------------------------------------------------------------------------------ */

const whet_op whet_op_NAME = {
    .name = "NAME",
    .attr_size = sizeof(attr),
    .attrs = k_attrs,
    .from = k_from,
    .infer = infer,
    .permute = permute,
    .ref = ref,
};
