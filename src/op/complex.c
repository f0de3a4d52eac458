/* SPDX-License-Identifier: Apache-2.0 */
/* Real(z), Imag(z), ComplexAbs(z): parts and magnitude of complex numbers.
 *
 * TFLite REAL, IMAG, COMPLEX_ABS. Types: complex64, complex128. The magnitude is hypot's, which neither overflows nor
 * vanishes on the way. */

#include <math.h>

#include "op/move.h"

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status infer(whet_infer *f, const whet_node *n) {
  whet_dtype t = whet__in_dtype(f, 0);
  if (n->n_in != 1 || !whet__in_has(f, 0)) return whet__infer_fail(f, WHET_E_FORMAT, "expected 1 input");
  if (!whet__is_complex(t))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken: expected complex numbers",
                            whet_dtype_name(t));
  *whet__out(f, 0, t == WHET_C64 ? WHET_F32 : WHET_F64) = *whet__in_shape(f, 0);
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Part `which` (0: real, 1: imaginary) of every element, or (2) its magnitude. */
static whet_status each(const whet_args *a, int which) {
  const whet_tensor *x = &a->in[0], *y = &a->out[0];
  whet_dtype t = y->dtype;
  for (int64_t i = 0, n = whet__tensor_count(x); i < n; i++) {
    int64_t xi = 2 * whet__flat_offset(x, i), yi = whet__flat_offset(y, i);
    double re = whet__get_f64(t, x->data, xi), im = whet__get_f64(t, x->data, xi + 1), z = which ? im : re;
    if (which == 2) z = t == WHET_F32 ? (double)hypotf((float)re, (float)im) : hypot(re, im);
    whet__set_f64(t, y->data, yi, z);
  }
  return WHET_OK;
}
static whet_status real_ref(const whet_args *a) { return each(a, 0); }
static whet_status imag_ref(const whet_args *a) { return each(a, 1); }
static whet_status abs_ref(const whet_args *a) { return each(a, 2); }

/* ---- records --------------------------------------------------------------------------------- */

static const whet_from k_real_from[] = {{"tflite", "REAL", 1, NULL}, {0}};
static const whet_from k_imag_from[] = {{"tflite", "IMAG", 1, NULL}, {0}};
static const whet_from k_abs_from[] = {{"tflite", "COMPLEX_ABS", 1, NULL}, {0}};

const whet_op whet_op_ComplexAbs = {
    .name = "ComplexAbs", .flags = WHET_OP_POINTWISE, .from = k_abs_from, .infer = infer, .ref = abs_ref};
const whet_op whet_op_Imag = {
    .name = "Imag", .flags = WHET_OP_POINTWISE, .from = k_imag_from, .infer = infer, .ref = imag_ref};
const whet_op whet_op_Real = {
    .name = "Real", .flags = WHET_OP_POINTWISE, .from = k_real_from, .infer = infer, .ref = real_ref};
