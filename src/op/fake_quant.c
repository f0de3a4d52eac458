/* SPDX-License-Identifier: Apache-2.0 */
/* FakeQuant(x): each number as `bits` bits between min and max can say it: cut to that range, which is first moved so that 0
 * is one of its steps, and rounded to a step, halves away from zero.
 *
 * TFLite FAKE_QUANT 1, 2 (a narrow range is for weights: refused). f32. Exact. */

#include <math.h>

#include "op/move.h"

struct fake {
  float min, max;
  int32_t bits;
};
static const whet_attr_desc k_attrs[] = {{"min", WHET_ATTR_F32, offsetof(struct fake, min)},
                                         {"max", WHET_ATTR_F32, offsetof(struct fake, max)},
                                         {"num_bits", WHET_ATTR_I32, offsetof(struct fake, bits)},
                                         {0}};

static whet_status read(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct fake, a);
  *a = (struct fake){whet__tfl_float(im, 0, 0), whet__tfl_float(im, 1, 0), whet__small(whet__tfl_int(im, 2, 0))};
  if (whet__tfl_int(im, 3, 0)) return whet__im_fail(im, WHET_E_UNSUPPORTED, "a narrow range, which is for weights only");
  if (!(a->min <= 0 && a->max >= 0 && a->max > a->min) || !isfinite(a->max - a->min))
    return whet__im_fail(im, WHET_E_DATA, "a range from %g to %g: expected one around 0", (double)a->min, (double)a->max);
  if (a->bits < 2 || a->bits > 16)
    return whet__im_fail(im, WHET_E_DATA, "%d bits: expected 2 to 16", a->bits);
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_from[] = {{"tflite", "FAKE_QUANT", 1, read}, {0}};

static whet_status infer(whet_infer *f, const whet_node *n) {
  if (n->n_in != 1 || !whet__in_has(f, 0)) return whet__infer_fail(f, WHET_E_FORMAT, "expected 1 input");
  if (whet__in_dtype(f, 0) != WHET_F32)
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken: expected float32",
                            whet_dtype_name(whet__in_dtype(f, 0)));
  *whet__out(f, 0, WHET_F32) = *whet__in_shape(f, 0);
  return WHET_OK;
}

static whet_status ref(const whet_args *args) {
  const struct fake *a = args->attr;
  const whet_tensor *x = &args->in[0], *y = &args->out[0];
  float top = (float)((1 << a->bits) - 1), step = (a->max - a->min) / top, zero = 0 - a->min / step;
  zero = zero < 0 ? 0 : zero > top ? top : roundf(zero);
  float lo = (0 - zero) * step, hi = (top - zero) * step, inverse = 1.0f / step;
  for (int64_t i = 0, n = whet__tensor_count(x); i < n; i++) {
    float v = (float)whet__get_f64(WHET_F32, x->data, whet__flat_offset(x, i));
    v = lo < v ? v : lo;
    v = v < hi ? v : hi;
    whet__set_f64(WHET_F32, y->data, whet__flat_offset(y, i), (double)(roundf((v - lo) * inverse) * step + lo));
  }
  return WHET_OK;
}

const whet_op whet_op_FakeQuant = {.name = "FakeQuant",
                                   .flags = WHET_OP_POINTWISE | WHET_OP_INPLACE,
                                   .attr_size = sizeof(struct fake),
                                   .attrs = k_attrs,
                                   .from = k_from,
                                   .infer = infer,
                                   .ref = ref};
