/* SPDX-License-Identifier: Apache-2.0 */
/* DynamicQuantizeLinear(x): u8 numbers y, their scale and zero point, so that x's range, widened to hold zero, is
 * 0..255.
 *
 *   scale = (max(0, max x) - min(0, min x)) / 255;  zero = clamp(rne(0 - min / scale), 0, 255)
 *   y = clamp(rne(x / scale) + zero, 0, 255)
 *
 * in f32; a tensor of zeros has scale 1 (ONNX says nothing of it). ONNX DynamicQuantizeLinear 11. Exact. */

#include <math.h>

#include "kern/requant.h"
#include "op/move.h"

static const whet_from k_from[] = {{"", "DynamicQuantizeLinear", 11, NULL}, {0}};

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
  float scale = (hi - lo) / 255.0f;
  if (!(scale > 0)) scale = 1;
  int32_t zero = whet__add_zero(whet__round_even(0.0f - lo / scale), 0, 0, 255);
  for (int64_t i = 0; i < n && a->out[0].data; i++) {
    float v = ((const float *)x->data)[whet__flat_offset(x, i)];
    ((uint8_t *)a->out[0].data)[whet__flat_offset(&a->out[0], i)] =
        (uint8_t)whet__add_zero(whet__round_even(v / scale), zero, 0, 255);
  }
  if (a->n_out > 1 && a->out[1].data) *(float *)a->out[1].data = scale;
  if (a->n_out > 2 && a->out[2].data) *(uint8_t *)a->out[2].data = (uint8_t)zero;
  return WHET_OK;
}

const whet_op whet_op_DynamicQuantizeLinear = {
    .name = "DynamicQuantizeLinear", .from = k_from, .infer = infer, .ref = ref};
