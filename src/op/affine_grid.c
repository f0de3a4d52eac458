/* SPDX-License-Identifier: Apache-2.0 */
/* AffineGrid(theta, size): where an affine map takes the positions of a picture or volume, as GridSample wants them.
 *
 * ONNX 20. theta is [n][2][3] or [n][3][4], size (n, c, (d,) h, w); the result is [n]((d))[h][w] of 2 or 3
 * coordinates, the last dimension's first. -1 and 1 are the centres of the corner elements (align_corners) or their outer
 * edges. Floats, computed in double. */

#include "op/edit.h"
#include "op/move.h"
#include "op/walk.h"

typedef struct affine_attr {
  bool align; /* align_corners */
} affine_attr;

static const whet_attr_desc k_attrs[] = {{"align_corners", WHET_ATTR_BOOL, offsetof(affine_attr, align)}, {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status read(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, affine_attr, a);
  a->align = whet__onnx_int(im, "align_corners", 0) != 0;
  return whet__im_node_as_is(im, op, a);
}

static const whet_from k_from[] = {{"", "AffineGrid", 20, read}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_shape *theta = whet__in_shape(f, 0);
  whet_dtype t = whet__in_dtype(f, 0);
  whet_nums size;
  if (!whet__in_has(f, 0) || !whet__in_has(f, 1)) return whet__infer_fail(f, WHET_E_FORMAT, "expected 2 inputs");
  if (!whet__type_in(WHET_T_FLOAT, t))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  bool known = whet__nums(f, 1, &size);
  if (!known && size.n == -2) return whet__nums_late(f, &size, "the size");
  whet_dim rows = theta->rank == 3 ? theta->d[1] : 0, columns = theta->rank == 3 ? theta->d[2] : 0;
  if (theta->rank != 3 || (whet__dim_known(rows) && rows != 2 && rows != 3) ||
      (whet__dim_known(rows) && whet__dim_known(columns) && columns != rows + 1))
    return whet__infer_fail(f, WHET_E_SHAPE, "theta must be [n][2][3] or [n][3][4]");
  int32_t space = size.n - 2;
  if (size.n < 0) return WHET_LATE;
  if ((space != 2 && space != 3) || (whet__dim_known(rows) && rows != space))
    return whet__infer_fail(f, WHET_E_SHAPE, "a size of %d numbers does not fit theta", size.n);
  whet_shape *y = whet__out(f, 0, t);
  y->rank = space + 2;
  y->d[0] = theta->d[0];
  y->d[space + 1] = space;
  for (int32_t i = 0; i < space; i++) {
    y->d[i + 1] = known ? whet__num(&size, i + 2) : WHET_DIM_ANY;
    if (whet__dim_number(y->d[i + 1]) && y->d[i + 1] < 0)
      return whet__infer_fail(f, WHET_E_DATA, "the size holds %lld", (long long)y->d[i + 1]);
  }
  if (known && whet__dim_number(whet__num(&size, 0)) && whet__dim_known(y->d[0]) && whet__num(&size, 0) != y->d[0])
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld maps for a batch of %lld", (long long)y->d[0],
                            (long long)whet__num(&size, 0));
  whet_dim count;
  WHET_TRY(whet__infer_count(f, y, &count));
  return known ? WHET_OK : WHET_LATE;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Place i of n between -1 and 1. */
static double place(bool align, int64_t i, int64_t n) {
  if (align) return n > 1 ? -1 + 2 * (double)i / (double)(n - 1) : -1;
  return (2 * (double)i + 1) / (double)n - 1;
}

static whet_status ref(const whet_args *arg) {
  const affine_attr *a = arg->attr;
  const whet_tensor *theta = &arg->in[0], *y = &arg->out[0];
  int32_t space = y->rank - 2;
  int64_t at[WHET_MAX_RANK] = {0}, positions = whet__dim_product(y->dim, 1, y->rank - 1);
  for (int64_t n = 0; n < y->dim[0]; n++)
    for (int64_t k = 0; k < positions; k++, whet__index_next(space, y->dim + 1, at)) {
      int64_t yo = n * y->stride[0] + whet__index_offset(space, at, y->stride + 1);
      for (int32_t r = 0; r < space; r++) {
        int64_t to = n * theta->stride[0] + r * theta->stride[1];
        double s = whet__get_f64(theta->dtype, theta->data, to + space * theta->stride[2]);
        for (int32_t c = 0; c < space; c++)
          s += whet__get_f64(theta->dtype, theta->data, to + c * theta->stride[2]) *
               place(a->align, at[space - 1 - c], y->dim[space - c]);
        whet__set_f64(y->dtype, y->data, yo + r * y->stride[space + 1], s);
      }
    }
  return WHET_OK;
}

const whet_op whet_op_AffineGrid = {.name = "AffineGrid",
                                    .attr_size = sizeof(affine_attr),
                                    .attrs = k_attrs,
                                    .from = k_from,
                                    .infer = infer,
                                    .ref = ref};
