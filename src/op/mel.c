/* SPDX-License-Identifier: Apache-2.0 */
/* MelWeightMatrix(bins, length, rate, low, high): how much each frequency of a transform of that length counts for each
 * bin of the mel scale, mel(f) = 2595 log10(1 + f / 700): triangles between neighbouring bins.
 *
 * ONNX 17. [length / 2 + 1][bins] of any number type, computed in double; edges outside the transform's frequencies are
 * refused in the run (E_DATA). */

#include <math.h>

#include "op/edit.h"
#include "op/move.h"
#include "op/walk.h"

typedef struct mel_attr {
  int32_t dtype; /* whet_dtype of the output */
} mel_attr;

static const whet_attr_desc k_attrs[] = {{"output_datatype", WHET_ATTR_I32, offsetof(mel_attr, dtype)}, {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status read(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, mel_attr, a);
  a->dtype = whet__small(whet__onnx_int(im, "output_datatype", WHET_F32));
  return whet__im_node_as_is(im, op, a);
}

static const whet_from k_from[] = {{"", "MelWeightMatrix", 17, read}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const mel_attr *a = n->attr;
  whet_dim v[3];
  bool late = false;
  if (!whet__type_in(WHET_T_NUM, (whet_dtype)a->dtype))
    return whet__infer_fail(f, WHET_E_TYPE, "an output of type %s is not taken", whet_dtype_name((whet_dtype)a->dtype));
  for (int i = 0; i < 5; i++) {
    int64_t count = whet__shape_count(whet__in_shape(f, i));
    if (!whet__in_has(f, i) || (count >= 0 && count != 1))
      return whet__infer_fail(f, WHET_E_SHAPE, "input %d is not one number", i);
    if (i > 2 && !whet__type_in(WHET_T_FLOAT, whet__in_dtype(f, i)))
      return whet__infer_fail(f, WHET_E_TYPE, "input %d is %s", i, whet_dtype_name(whet__in_dtype(f, i)));
    if (i > 2) continue;
    WHET_TRY(whet__infer_is_int(f, i));
    whet_nums s;
    v[i] = whet__nums_flat(f, i, &s) && s.n == 1 ? whet__num(&s, 0) : WHET_DIM_ANY;
    late |= !whet__dim_number(v[i]);
    if (whet__dim_number(v[i]) && (v[i] < 1 || v[i] > INT32_MAX))
      return whet__infer_fail(f, WHET_E_DATA, "input %d is %lld", i, (long long)v[i]);
  }
  whet_dim dims[2] = {whet__dim_add(whet__dim_div(v[1], 2), 1), v[0]}, count;
  whet__out_dims(f, 0, (whet_dtype)a->dtype, 2, dims);
  WHET_TRY(whet__infer_count(f, &(whet_shape){.rank = 2, .d = {dims[0], dims[1]}}, &count));
  return late ? WHET_LATE : WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

static double mel(double hertz) { return 2595 * log1p(hertz / 700) / log(10); }

/* Frequency number k of the transform at which bin i of n begins. */
static double edge(int64_t i, int64_t n, double low, double high, double length, double rate) {
  double step = (mel(high) - mel(low)) / (double)(n + 2);
  double hertz = 700 * expm1(((double)i * step + mel(low)) / 2595 * log(10));
  return floor((length + 1) * hertz / rate);
}

static whet_status ref(const whet_args *arg) {
  const whet_tensor *y = &arg->out[0];
  double v[5];
  for (int i = 0; i < 5; i++) v[i] = whet__get_f64(arg->in[i].dtype, arg->in[i].data, 0);
  for (int64_t k = 0; k < y->dim[0]; k++)
    for (int64_t i = 0; i < y->dim[1]; i++) whet__set_f64(y->dtype, y->data, k * y->stride[0] + i * y->stride[1], 0);
  for (int64_t i = 0; i < y->dim[1]; i++) {
    double e[3];
    for (int k = 0; k < 3; k++) {
      e[k] = edge(i + k, y->dim[1], v[3], v[4], v[1], v[2]);
      if (!(e[k] >= 0 && e[k] <= (double)y->dim[0] - (k < 2)))
        return whet__fail(arg->err, WHET_E_DATA, "bins from %g to %g hertz leave a transform of %g at a rate of %g", v[3],
                          v[4], v[1], v[2]);
    }
    int64_t low = (int64_t)e[0], centre = (int64_t)e[1], high = (int64_t)e[2];
    void *p = y->data;
    for (int64_t k = low; k < centre; k++)
      whet__set_f64(y->dtype, p, k * y->stride[0] + i * y->stride[1], (double)(k - low) / (double)(centre - low));
    whet__set_f64(y->dtype, p, centre * y->stride[0] + i * y->stride[1], 1);
    for (int64_t k = centre; k < high; k++)
      whet__set_f64(y->dtype, p, k * y->stride[0] + i * y->stride[1], (double)(high - k) / (double)(high - centre));
  }
  return WHET_OK;
}

const whet_op whet_op_MelWeightMatrix = {.name = "MelWeightMatrix",
                                         .attr_size = sizeof(mel_attr),
                                         .attrs = k_attrs,
                                         .from = k_from,
                                         .infer = infer,
                                         .ref = ref};
