/* SPDX-License-Identifier: Apache-2.0 */
/* Where(c, x, y): x where c is true, else y; numpy broadcasting of all three.
 *
 * ONNX Where-9, -16; TFLite SELECT (a condition of rank 1 chooses whole slices along dimension 0), SELECT_V2,
 * STABLEHLO_SELECT. x and y: all types; quantised ones share their parameters. Exact. */

#include "op/edit.h"
#include "op/move.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

typedef struct where_attr {
  bool front; /* dimensions of the condition are aligned at the first one, not at the last */
} where_attr;

static const whet_attr_desc k_attrs[] = {{"front", WHET_ATTR_BOOL, offsetof(where_attr, front)}, {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status read_with(whet_import *im, const whet_op *op, bool front) {
  where_attr *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  a->front = front;
  return whet__im_node_as_is(im, op, a);
}
static whet_status read_last(whet_import *im, const whet_op *op) { return read_with(im, op, false); }
static whet_status read_front(whet_import *im, const whet_op *op) { return read_with(im, op, true); }

static const whet_from k_from[] = {{"", "Where", 9, read_last},
                                   {"tflite", "SELECT", 1, read_front},
                                   {"tflite", "SELECT_V2", 1, read_last},
                                   {"tflite", "STABLEHLO_SELECT", 1, read_front},
                                   {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

/* Record what is known of a result of rank 0 or 1. */
static void known(whet_infer *f, const whet_shape *out) {
  int32_t nc, nx, ny;
  int64_t count = whet__shape_count(out);
  if (out->rank > 1 || count < 0 || count > WHET_KNOWN_MAX) return;
  const whet_dim *c = whet__in_known(f, 0, &nc), *x = whet__in_known(f, 1, &nx), *y = whet__in_known(f, 2, &ny);
  if (!c || !x || !y || (nc != 1 && nc != count) || (nx != 1 && nx != count) || (ny != 1 && ny != count)) return;
  whet_dim *z = whet__out_known(f, 0, (int32_t)count);
  for (int64_t i = 0; z && i < count; i++) {
    whet_dim a = x[nx == 1 ? 0 : i], b = y[ny == 1 ? 0 : i], k = c[nc == 1 ? 0 : i];
    z[i] = whet__dim_number(k) ? (k ? a : b) : a == b ? a : WHET_DIM_ANY;
  }
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  const where_attr *a = n->attr;
  if (whet__in_n(f) != 3 || !whet__in_has(f, 0) || !whet__in_has(f, 1) || !whet__in_has(f, 2))
    return whet__infer_fail(f, WHET_E_FORMAT, "expected 3 inputs, got %d", whet__in_n(f));
  whet_dtype t = whet__in_dtype(f, 1);
  if (whet__in_dtype(f, 0) != WHET_BOOL)
    return whet__infer_fail(f, WHET_E_TYPE, "the condition is %s: expected bool",
                            whet_dtype_name(whet__in_dtype(f, 0)));
  if (t != whet__in_dtype(f, 2))
    return whet__infer_fail(f, WHET_E_TYPE, "expected inputs of one type, got %s and %s", whet_dtype_name(t),
                            whet_dtype_name(whet__in_dtype(f, 2)));
  whet_shape s, c = *whet__in_shape(f, 0);
  WHET_TRY(whet__infer_broadcast(f, whet__in_shape(f, 1), whet__in_shape(f, 2), &s));
  if (a->front && c.rank > 0 && c.rank < s.rank) {
    for (int32_t i = c.rank; i < s.rank; i++) c.d[i] = 1;
    c.rank = s.rank;
  }
  WHET_TRY(whet__infer_broadcast(f, &c, &s, &s));
  *whet__out(f, 0, t) = s;
  known(f, &s);
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

static whet_status ref(const whet_args *arg) {
  const where_attr *a = arg->attr;
  whet_tensor c = arg->in[0];
  const whet_tensor *x = &arg->in[1], *y = &arg->in[2], *z = &arg->out[0];
  if (a->front && c.rank > 0)
    for (; c.rank < z->rank; c.rank++) c.dim[c.rank] = 1, c.stride[c.rank] = 0;
  whet_walk w;
  whet__walk_init(&w, z->rank, z->dim);
  whet__walk_add(&w, &c);
  whet__walk_add(&w, x);
  whet__walk_add(&w, y);
  whet__walk_add(&w, z);
  while (whet__walk_row(&w))
    for (int64_t i = 0; i < w.run; i++) {
      bool k = ((const uint8_t *)c.data)[w.at[0] + i * w.step[0]] != 0;
      const whet_tensor *from = k ? x : y;
      int64_t at = k ? w.at[1] + i * w.step[1] : w.at[2] + i * w.step[2];
      whet__move_one(z->dtype, z->data, w.at[3] + i * w.step[3], from->data, at);
    }
  return WHET_OK;
}

/* ---- planning, permutation ------------------------------------------------------------------- */

static bool permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  return whet__permute_broadcast(e, node, perm, rank);
}

const whet_op whet_op_Where = {.name = "Where",
                               .flags = WHET_OP_POINTWISE | WHET_OP_INPLACE,
                               .attr_size = sizeof(where_attr),
                               .attrs = k_attrs,
                               .from = k_from,
                               .infer = infer,
                               .permute = permute,
                               .ref = ref};
