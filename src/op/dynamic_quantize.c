/* SPDX-License-Identifier: Apache-2.0 */
/* DynamicQuantizeLinear(x): u8 numbers y, their scale and zero point, so that x's range, widened to hold zero, is
 * 0..255.
 *
 *   scale = (max(0, max x) - min(0, min x)) / 255;  zero = clamp(rne(0 - min / scale), 0, 255)
 *   y = clamp(rne(x / scale) + zero, 0, 255)
 *
 * in f32; a tensor of zeros has scale 1 (ONNX says nothing of it). ONNX DynamicQuantizeLinear 11. Exact. */

#include <math.h>

#include "kern/fakeq_f32.h"
#include "kern/requant.h"
#include "op/move.h"

/* Readers of what follows ask whether the zero point is one number. */
static whet_status from_onnx(whet_import *im, const whet_op *op) {
  for (int i = 1; i < 3; i++) {
    int32_t v = whet__im_out(im, i);
    if (v < 0) continue;
    whet__im_graph(im)->val[v].shape = (whet_shape){.rank = 0};
    whet__im_graph(im)->val[v].dtype = i == 1 ? WHET_F32 : WHET_U8;
  }
  return whet__im_node_as_is(im, op, NULL);
}

static const whet_from k_from[] = {{"", "DynamicQuantizeLinear", 11, from_onnx}, {0}};

static whet_status infer(whet_infer *f, const whet_node *n) {
  if (!whet__in_has(f, 0) || whet__in_dtype(f, 0) != WHET_F32)
    return whet__infer_fail(f, WHET_E_TYPE, "expected a float32 input, got %s",
                            whet_dtype_name(whet__in_dtype(f, 0)));
  if (whet__out_has(f, 0)) *whet__out(f, 0, WHET_U8) = *whet__in_shape(f, 0);
  if (whet__out_has(f, 1)) *whet__out(f, 1, WHET_F32) = (whet_shape){.rank = 0};
  if (whet__out_has(f, 2)) *whet__out(f, 2, WHET_U8) = (whet_shape){.rank = 0};
  return WHET_OK;
}

static whet_status ref(const whet_args *a) {
  const whet_tensor *x = &a->in[0];
  int64_t n = whet__tensor_count(x);
  float lo = 0, hi = 0;
  for (int64_t i = 0; i < n; i++) {
    float v = ((const float *)x->data)[whet__flat_offset(x, i)];
    lo = v < lo ? v : lo;
    hi = v > hi ? v : hi;
  }
  float scale;
  int32_t zero;
  whet__fakeq_range_u8(lo, hi, &scale, &zero);
  for (int64_t i = 0; i < n && a->out[0].data; i++) {
    float v = ((const float *)x->data)[whet__flat_offset(x, i)];
    ((uint8_t *)a->out[0].data)[whet__flat_offset(&a->out[0], i)] =
        (uint8_t)whet__add_zero(whet__round_even(v / scale), zero, 0, 255);
  }
  if (a->n_out > 1 && a->out[1].data) *(float *)a->out[1].data = scale;
  if (a->n_out > 2 && a->out[2].data) *(uint8_t *)a->out[2].data = (uint8_t)zero;
  return WHET_OK;
}

static whet_status plan(whet_planner *p, const whet_node *n) {
  whet_fakeq_f32 k = {.rows = 1, .n = whet__shape_count(whet__pl_shape(p, n->in[0])), .bytes = WHET_FAKEQ_U8};
  if (!k.n || n->out[0] < 0) return WHET_LATE;
  whet_arg arg[4] = {whet__rd(n->in[0]), whet__wr(n->out[0])};
  for (int i = 1; i < 3; i++) arg[i + 1] = i < n->n_out && n->out[i] >= 0 ? whet__wr(n->out[i]) : whet__none();
  return whet__pl_kern(p, WHET_FAMILY_fakeq_f32, &k, sizeof k, arg, 4, whet__ceil_div(k.n, 4096), (double)k.n * 0.2);
}

static bool permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  return whet__perm_same(perm, rank, perm_out);
}

const whet_op whet_op_DynamicQuantizeLinear = {
    .name = "DynamicQuantizeLinear", .from = k_from, .infer = infer, .plan = plan, .permute = permute, .ref = ref};
