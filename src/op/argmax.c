/* SPDX-License-Identifier: Apache-2.0 */
/* ArgMax, ArgMin: the index of the greatest (least) element along an axis, the first one among equals, or the last
 * one.
 *
 * ONNX 1-13 (keepdims, select_last_index; indices S64); TFLite ARG_MAX, ARG_MIN (axis as an input; S32 or S64). A NaN
 * is greater (less) than every number. All numbers and BOOL; quantised ones are compared as they are stored. Exact.
 */

#include <math.h>

#include "op/edit.h"
#include "op/move.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

typedef struct argmax_attr {
  int64_t axis;
  bool keep, last, wide; /* the dimension stays; the last one among equals; indices are S64, else S32 */
} argmax_attr;

static const whet_attr_desc k_attrs[] = {{"axis", WHET_ATTR_I64, offsetof(argmax_attr, axis)},
                                         {"keepdims", WHET_ATTR_BOOL, offsetof(argmax_attr, keep)},
                                         {"select_last_index", WHET_ATTR_BOOL, offsetof(argmax_attr, last)},
                                         {"wide", WHET_ATTR_BOOL, offsetof(argmax_attr, wide)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status read_onnx(whet_import *im, const whet_op *op) {
  argmax_attr *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  a->axis = whet__onnx_int(im, "axis", 0);
  a->keep = whet__onnx_int(im, "keepdims", 1) != 0;
  a->last = whet__onnx_int(im, "select_last_index", 0) != 0;
  a->wide = true;
  return whet__im_node_as_is(im, op, a);
}

static whet_status read_tfl(whet_import *im, const whet_op *op) {
  argmax_attr *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  whet_ints axis = whet__im_list(im, whet__im_in(im, 1));
  int32_t in = whet__im_in(im, 0), out = whet__im_out(im, 0);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  if (axis.n != 1) return whet__im_fail(im, WHET_E_UNSUPPORTED, "an axis that is not one constant");
  if (in < 0 || out < 0) return whet__im_fail(im, WHET_E_FORMAT, "expected an input and an output");
  a->axis = axis.v[0];
  a->wide = whet__im_val(im, out)->dtype != WHET_S32;
  return whet__im_node(im, op, a, &in, 1, &out, 1);
}

static const whet_from k_max_from[] = {{"", "ArgMax", 1, read_onnx}, {"tflite", "ARG_MAX", 1, read_tfl}, {0}};
static const whet_from k_min_from[] = {{"", "ArgMin", 1, read_onnx}, {"tflite", "ARG_MIN", 1, read_tfl}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const argmax_attr *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  whet_dtype t = whet__in_dtype(f, 0);
  int32_t axis;
  if (!whet__type_in(WHET_T_NUM | WHET_T_BOOL, t))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  WHET_TRY(whet__infer_axis(f, a->axis, x->rank, &axis));
  if (x->d[axis] == 0) return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d has no elements", axis);
  whet_shape y = {0};
  for (int32_t i = 0; i < x->rank; i++)
    if (i != axis || a->keep) y.d[y.rank++] = i == axis ? 1 : x->d[i];
  *whet__out(f, 0, a->wide ? WHET_S64 : WHET_S32) = y;
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Is element i of t before element j: greater (sign 1) or less (-1)? NaN comes first. */
static bool before(const whet_tensor *t, int64_t i, int64_t j, int sign) {
  if (whet__is_float(t->dtype)) {
    double a = whet__get_f64(t->dtype, t->data, i), b = whet__get_f64(t->dtype, t->data, j);
    return isnan(a) ? !isnan(b) : sign > 0 ? a > b : a < b;
  }
  int64_t a = whet__get_i64(t->dtype, t->data, i), b = whet__get_i64(t->dtype, t->data, j);
  if (t->dtype == WHET_U64) return sign > 0 ? (uint64_t)a > (uint64_t)b : (uint64_t)a < (uint64_t)b;
  return sign > 0 ? a > b : a < b;
}

static whet_status ref(const whet_args *arg) {
  const argmax_attr *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  int sign = !strcmp(arg->node->op->name, "ArgMax") ? 1 : -1;
  int32_t axis = (int32_t)(a->axis < 0 ? a->axis + x->rank : a->axis), nk = 0;
  int64_t dim[WHET_MAX_RANK], xs[WHET_MAX_RANK], k[WHET_MAX_RANK] = {0}, n = whet__tensor_count(y);
  for (int32_t i = 0; i < x->rank; i++)
    if (i != axis) dim[nk] = x->dim[i], xs[nk++] = x->stride[i];
  for (int64_t o = 0; o < n; o++, whet__index_next(nk, dim, k)) {
    int64_t at = whet__index_offset(nk, k, xs), s = x->stride[axis], best = 0;
    for (int64_t i = 1; i < x->dim[axis]; i++)
      if (a->last ? !before(x, at + best * s, at + i * s, sign) : before(x, at + i * s, at + best * s, sign))
        best = i;
    whet__set_i64(y->dtype, y->data, whet__flat_offset(y, o), best);
  }
  return WHET_OK;
}

/* ---- permutation ----------------------------------------------------------------------------- */

static bool permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  argmax_attr *a = whet__ed_attr(e, node);
  if (!a) return false;
  int32_t axis = (int32_t)(a->axis < 0 ? a->axis + rank : a->axis), o = 0;
  for (int i = 0; i < rank && !a->keep; i++)
    if (perm[i] != axis) perm_out[o++] = (int8_t)(perm[i] - (perm[i] > axis));
  a->axis = whet__perm_axis(perm, rank, axis);
  return true;
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_ArgMax = {.name = "ArgMax",
                                .flags = WHET_OP_SIGN_FREE,
                                .attr_size = sizeof(argmax_attr),
                                .attrs = k_attrs,
                                .from = k_max_from,
                                .infer = infer,
                                .permute = permute,
                                .ref = ref};
const whet_op whet_op_ArgMin = {.name = "ArgMin",
                                .flags = WHET_OP_SIGN_FREE,
                                .attr_size = sizeof(argmax_attr),
                                .attrs = k_attrs,
                                .from = k_min_from,
                                .infer = infer,
                                .permute = permute,
                                .ref = ref};
