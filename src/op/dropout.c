/* SPDX-License-Identifier: Apache-2.0 */
/* Dropout(x, ratio, training): x, and a mask that is all true; in training mode each element is dropped with
 * probability `ratio` and the others are multiplied by 1 / (1 - ratio).
 *
 * ONNX 1-22. Training draws as the specification's reference does: numbers of MT19937 seeded with `seed` (without
 * one: with 0), in row-major order, dropped when less than the ratio. Floats. */

#include "op/edit.h"
#include "op/move.h"
#include "op/mt19937.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

typedef struct dropout_attr {
  int64_t seed;
  bool bools; /* the mask is BOOL (from opset 10 on), else of x's type */
} dropout_attr;

static const whet_attr_desc k_attrs[] = {{"seed", WHET_ATTR_I64, offsetof(dropout_attr, seed)},
                                         {"bools", WHET_ATTR_BOOL, offsetof(dropout_attr, bools)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

/* Is value v there and possibly true? */
static bool may_be_true(whet_import *im, int32_t v) {
  int32_t n;
  if (v < 0) return false;
  const int64_t *c = whet__im_const_ints(im, v, &n);
  return !c || n != 1 || c[0];
}

static whet_status read(whet_import *im, const whet_op *op) {
  int32_t x = whet__im_in(im, 0), out[2] = {whet__im_out(im, 0), whet__im_out(im, 1)};
  int32_t in[3] = {x, whet__im_in(im, 1), whet__im_in(im, 2)};
  if (x < 0) return whet__im_fail(im, WHET_E_FORMAT, "expected an input");
  bool training = whet__im_since(im) >= 12 && may_be_true(im, in[2]);
  if (!training && out[1] < 0) return whet__im_node(im, whet__op_find("Identity"), NULL, &x, 1, out, 1);
  dropout_attr *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  a->seed = whet__onnx_int(im, "seed", 0);
  a->bools = whet__im_since(im) >= 10;
  return whet__im_node(im, op, a, in, training ? 3 : 1, out, 2);
}

static const whet_from k_from[] = {{"", "Dropout", 1, read}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const dropout_attr *a = n->attr;
  whet_dtype t = whet__in_dtype(f, 0);
  if (!whet__type_in(WHET_T_FLOAT, t))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  for (int i = 1; i < 3; i++) {
    int64_t count = whet__in_has(f, i) ? whet__shape_count(whet__in_shape(f, i)) : 1;
    if (count >= 0 && count != 1) return whet__infer_fail(f, WHET_E_SHAPE, "input %d is not one number", i);
  }
  if (whet__in_has(f, 1) && !whet__is_float(whet__in_dtype(f, 1)))
    return whet__infer_fail(f, WHET_E_TYPE, "the ratio is %s", whet_dtype_name(whet__in_dtype(f, 1)));
  if (whet__in_has(f, 2) && whet__in_dtype(f, 2) != WHET_BOOL)
    return whet__infer_fail(f, WHET_E_TYPE, "training_mode is %s", whet_dtype_name(whet__in_dtype(f, 2)));
  *whet__out(f, 0, t) = *whet__in_shape(f, 0);
  if (whet__out_has(f, 1)) *whet__out(f, 1, a->bools ? WHET_BOOL : t) = *whet__in_shape(f, 0);
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

static whet_status ref(const whet_args *arg) {
  const dropout_attr *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0], *mask = &arg->out[1];
  bool training = arg->n_in > 2 && arg->in[2].data && whet__get_i64(WHET_BOOL, arg->in[2].data, 0);
  double ratio = !training ? 0 : arg->in[1].data ? whet__get_f64(arg->in[1].dtype, arg->in[1].data, 0) : 0.5;
  double scale = ratio < 1 ? 1 / (1 - ratio) : 0;
  whet_mt19937 mt;
  whet__mt19937_seed(&mt, (uint32_t)a->seed);
  for (int64_t i = 0, n = whet__tensor_count(x); i < n; i++) {
    bool stays = ratio == 0 || whet__mt19937_f64(&mt) >= ratio;
    double v = whet__get_f64(x->dtype, x->data, whet__flat_offset(x, i));
    if (y->data) whet__set_f64(y->dtype, y->data, whet__flat_offset(y, i), stays ? v * scale : 0);
    if (arg->n_out > 1 && mask->data) whet__set_i64(mask->dtype, mask->data, whet__flat_offset(mask, i), stays);
  }
  return WHET_OK;
}

const whet_op whet_op_Dropout = {.name = "Dropout",
                                 .flags = WHET_OP_RANDOM,
                                 .attr_size = sizeof(dropout_attr),
                                 .attrs = k_attrs,
                                 .from = k_from,
                                 .infer = infer,
                                 .ref = ref};
