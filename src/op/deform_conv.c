/* SPDX-License-Identifier: Apache-2.0 */
/* DeformConv(x, w, offset, bias, mask): a convolution whose taps read x between its elements, each moved by an offset of
 * its own for every output position and multiplied by its mask.
 *
 * ONNX 19-22, 1 to 3 spatial dimensions. offset is [n][offset_group * taps * dimensions][out...], mask
 * [n][offset_group * taps][out...]; input channels are shared out among the offset groups. Outside x are zeros. Floats,
 * summed in double. */

#include <math.h>

#include "op/conv.h"
#include "op/edit.h"
#include "op/move.h"
#include "op/sampling.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

typedef struct deform_attr {
  whet_conv_attr conv;
  int64_t offset_group;
} deform_attr;

static const whet_attr_desc k_attrs[] = {{"strides", WHET_ATTR_I64S, offsetof(deform_attr, conv.strides)},
                                         {"dilations", WHET_ATTR_I64S, offsetof(deform_attr, conv.dilations)},
                                         {"pads", WHET_ATTR_I64S, offsetof(deform_attr, conv.pads)},
                                         {"kernel_shape", WHET_ATTR_I64S, offsetof(deform_attr, conv.kernel)},
                                         {"group", WHET_ATTR_I64, offsetof(deform_attr, conv.group)},
                                         {"offset_group", WHET_ATTR_I64, offsetof(deform_attr, offset_group)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status read(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, deform_attr, a);
  WHET_TRY(whet__conv_read_onnx(im, &a->conv));
  a->offset_group = whet__onnx_int(im, "offset_group", 1);
  return whet__im_node_as_is(im, op, a);
}

static const whet_from k_from[] = {{"", "DeformConv", 19, read}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

/* Input i is [batch][channels][out...]. */
static whet_status by_position(whet_infer *f, int i, const char *what, const whet_conv_geo *g, int64_t channels) {
  const whet_shape *s = whet__in_shape(f, i);
  bool fits = s->rank == g->n + 2 && (!whet__dim_known(s->d[1]) || s->d[1] == channels) &&
              (!whet__dim_known(s->d[0]) || !whet__dim_known(g->batch) || s->d[0] == g->batch);
  for (int32_t d = 0; fits && d < g->n; d++)
    fits = !whet__dim_known(s->d[d + 2]) || !whet__dim_known(g->out[3 - g->n + d]) || s->d[d + 2] == g->out[3 - g->n + d];
  return fits ? WHET_OK
              : whet__infer_fail(f, WHET_E_SHAPE, "%s must have %lld channels and the output's other sizes", what,
                                 (long long)channels);
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  const deform_attr *a = n->attr;
  const whet_shape *bias = whet__in_shape(f, 3);
  whet_dtype t = whet__in_dtype(f, 0);
  whet_conv_geo g;
  char why[WHET_CONV_WHY];
  for (int i = 0; i < 5; i++) {
    if (i < 3 && !whet__in_has(f, i)) return whet__infer_fail(f, WHET_E_FORMAT, "input %d is missing", i);
    if (whet__in_has(f, i) && (!whet__type_in(WHET_T_FLOAT, t) || whet__in_dtype(f, i) != t))
      return whet__infer_fail(f, WHET_E_TYPE, "input %d of type %s is not taken", i, whet_dtype_name(whet__in_dtype(f, i)));
  }
  if (!whet__conv_geo(&a->conv, false, whet__in_shape(f, 0), whet__in_shape(f, 1), NULL, &g, why))
    return whet__infer_fail(f, WHET_E_SHAPE, "%s", why);
  int64_t channels = g.groups * g.ic, outputs = g.groups * g.oc, taps = g.kernel[0] * g.kernel[1] * g.kernel[2], many;
  if (a->offset_group < 1 || channels % a->offset_group)
    return whet__infer_fail(f, WHET_E_DATA, "%lld input channels in %lld offset groups", (long long)channels,
                            (long long)a->offset_group);
  if (__builtin_mul_overflow(taps, a->offset_group * g.n, &many))
    return whet__infer_fail(f, WHET_E_SHAPE, "the weights are too large");
  WHET_TRY(by_position(f, 2, "offset", &g, many));
  if (whet__in_has(f, 4)) WHET_TRY(by_position(f, 4, "mask", &g, many / g.n));
  if (whet__in_has(f, 3) && (bias->rank != 1 || (whet__dim_known(bias->d[0]) && bias->d[0] != outputs)))
    return whet__infer_fail(f, WHET_E_SHAPE, "the bias must be one number for each of %lld outputs", (long long)outputs);
  whet__conv_out_shape(&a->conv, &g, whet__out(f, 0, t));
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* x at a position, dimension d and those after it; elements outside are zeros. */
static double sample(const whet_tensor *x, const double *p, int32_t d, int64_t at) {
  if (d + 2 == x->rank) return whet__get_f64(x->dtype, x->data, at);
  int64_t low = whet__sample_index(floor(p[d])), n = x->dim[d + 2], step = x->stride[d + 2];
  double part = p[d] - (double)low, s = 0;
  if (low >= 0 && low < n) s += (1 - part) * sample(x, p, d + 1, at + low * step);
  if (low + 1 >= 0 && low + 1 < n && part > 0) s += part * sample(x, p, d + 1, at + (low + 1) * step);
  return s;
}

/* What tap k (at `tap`) of input channel c reads for output position `out` of picture n. */
static double read_tap(const whet_args *arg, const whet_conv_geo *g, int64_t n, int64_t c, int64_t k, const int64_t *tap,
                       const int64_t *out) {
  const deform_attr *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *off = &arg->in[2], *mask = arg->n_in > 4 && arg->in[4].data ? &arg->in[4] : NULL;
  int64_t taps = g->kernel[0] * g->kernel[1] * g->kernel[2];
  int64_t channel = c / (g->groups * g->ic / a->offset_group) * taps + k;
  int64_t oo = n * off->stride[0] + whet__index_offset(g->n, out, off->stride + 2);
  double p[3], m = 1;
  for (int32_t d = 0; d < g->n; d++) {
    int32_t i = 3 - g->n + d;
    p[d] = (double)(out[d] * g->stride[i] - g->pad[i] + tap[d] * g->dilation[i]) +
           whet__get_f64(off->dtype, off->data, oo + (channel * g->n + d) * off->stride[1]);
  }
  if (mask)
    m = whet__get_f64(mask->dtype, mask->data,
                      n * mask->stride[0] + channel * mask->stride[1] + whet__index_offset(g->n, out, mask->stride + 2));
  return m * sample(x, p, 0, n * x->stride[0] + c * x->stride[1]);
}

static whet_status ref(const whet_args *arg) {
  whet_conv_geo g = whet__conv_ref_geo(arg, false);
  const whet_tensor *w = &arg->in[1], *y = &arg->out[0], *bias = arg->n_in > 3 && arg->in[3].data ? &arg->in[3] : NULL;
  int64_t positions = whet__dim_product(y->dim, 2, y->rank), taps = whet__dim_product(w->dim, 2, w->rank);
  for (int64_t n = 0; n < y->dim[0]; n++)
    for (int64_t o = 0; o < y->dim[1]; o++) {
      int64_t out[3] = {0};
      for (int64_t q = 0; q < positions; q++, whet__index_next(g.n, y->dim + 2, out)) {
        double s = bias ? whet__get_f64(bias->dtype, bias->data, o * bias->stride[0]) : 0;
        for (int64_t i = 0; i < g.ic; i++) {
          int64_t tap[3] = {0}, wo = o * w->stride[0] + i * w->stride[1];
          for (int64_t k = 0; k < taps; k++, whet__index_next(g.n, w->dim + 2, tap))
            s += whet__get_f64(w->dtype, w->data, wo + whet__index_offset(g.n, tap, w->stride + 2)) *
                 read_tap(arg, &g, n, o / g.oc * g.ic + i, k, tap, out);
        }
        whet__set_f64(y->dtype, y->data, n * y->stride[0] + o * y->stride[1] + whet__index_offset(g.n, out, y->stride + 2),
                      s);
      }
    }
  return WHET_OK;
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_DeformConv = {.name = "DeformConv",
                                    .attr_size = sizeof(deform_attr),
                                    .attrs = k_attrs,
                                    .from = k_from,
                                    .infer = infer,
                                    .ref = ref};
