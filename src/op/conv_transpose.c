/* SPDX-License-Identifier: Apache-2.0 */
/* ConvTranspose(x, w, bias, sizes): every input meets the outputs that a convolution with these weights would make
 * from them: input position i adds to output position i * stride + tap * dilation - pad. sizes: the output's shape,
 * where the format gives it as a tensor.
 *
 * ONNX ConvTranspose 1-22 with output_padding and output_shape; TFLite TRANSPOSE_CONV, CONV_3D_TRANSPOSE. Types: f32
 * (one chain of fused multiply-adds from the bias up, input positions ascending, channels innermost), f16 and bf16
 * through f32, f64; quantised 8 and 16 bits: conv_transpose_q8.c. Kernels exist for channels last. */

#include "kern/convt_f32.h"
#include "op/conv.h"
#include "op/fakeq.h"
#include "op/matrix.h"
#include "op/move.h"
#include "op/quantize.h"
#include "op/walk.h"
#include "whet/program.h"

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_conv_attr, a);
  a->weights = WHET_CONV_IOS;
  WHET_TRY(whet__conv_read_onnx(im, a));
  a->out_pad = whet__onnx_ints(im, "output_padding");
  a->out_shape = whet__onnx_ints(im, "output_shape");
  return whet__im_node_as_is(im, op, a);
}

/* Hybrid: activations are rounded, and integer weights become the floats that they stand for. */
static whet_status hybrid(whet_import *im, int32_t *w, int32_t *x) {
  int32_t before = *x;
  WHET_TRY(whet__im_hybrid(im, 0, true, w, x));
  if (*x == before) return WHET_OK;
  WHET_NEW_ATTR(im, whet_quantize_attr, a);
  a->dtype = WHET_F32;
  int32_t v = whet__im_new(im, "weights");
  WHET_TRY(whet__im_node(im, whet__op_find("DequantizeLinear"), a, w, 1, &v, 1));
  *w = v;
  return WHET_OK;
}

/* TFLite's inputs are sizes, weights, x, bias. */
static whet_status tfl_node(whet_import *im, const whet_op *op, whet_conv_attr *a, const int *stride, int32_t n,
                            int64_t activation) {
  int64_t s[3];
  for (int32_t i = 0; i < n; i++) s[i] = whet__tfl_int(im, stride[i], 0);
  a->strides = whet__conv_list(im, s, n);
  if (!a->strides.v) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  a->last = 1;
  WHET_TRY(whet__conv_read_tfl_padding(im, whet__tfl_int(im, 0, 0), a));
  int32_t in[4] = {whet__im_in(im, 2), whet__im_in(im, 1), whet__im_in(im, 3), whet__im_in(im, 0)};
  int32_t out = whet__tfl_before_activation(im, activation);
  WHET_TRY(hybrid(im, &in[1], &in[0]));
  WHET_TRY(whet__im_node(im, op, a, in, 4, &out, 1));
  const whet_val *x = whet__im_val(im, in[0]), *b = whet__im_val(im, in[2]);
  enum { BIAS_TYPE = 4, TENSOR_INT32 = 2 }; /* the option tells how LiteRT sums where there is no bias */
  bool narrow = in[2] >= 0 ? b->dtype == WHET_S32 : whet__tfl_int(im, BIAS_TYPE, 0) == TENSOR_INT32;
  whet__im_round(im, x->dtype == WHET_S16 && !narrow ? WHET_ROUND_TFL_16X8 : WHET_ROUND_TFL_FIX);
  return whet__tfl_activation(im, activation, out, whet__im_out(im, 0));
}

static whet_status from_transpose_conv(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_conv_attr, a);
  a->weights = WHET_CONV_OSI;
  return tfl_node(im, op, a, (const int[]){2, 1}, 2, whet__tfl_int(im, 3, 0));
}

static whet_status from_conv_3d_transpose(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_conv_attr, a);
  a->weights = WHET_CONV_SOI;
  return tfl_node(im, op, a, (const int[]){1, 3, 2}, 3, whet__tfl_int(im, 4, 0));
}

static const whet_from k_from[] = {{"", "ConvTranspose", 1, from_onnx},
                                   {"tflite", "TRANSPOSE_CONV", 1, from_transpose_conv},
                                   {"tflite", "CONV_3D_TRANSPOSE", 1, from_conv_3d_transpose},
                                   {0}};

/* ---- shape and type rule --------------------------------------------------------------------- */

/* The output's shape that the last input tells, into `want`; WHET_LATE when it is not known. */
static whet_status told_shape(whet_infer *f, int32_t rank, whet_shape *want) {
  whet_nums s;
  if (!whet__nums(f, 3, &s)) return whet__nums_late(f, &s, "the output's shape");
  if (s.n != rank)
    return whet__infer_fail(f, WHET_E_SHAPE, "the output's shape has %d numbers, expected %d", s.n, rank);
  want->rank = rank;
  for (int32_t i = 0; i < rank; i++) {
    want->d[i] = whet__num(&s, i);
    if (whet__dim_number(want->d[i]) && (want->d[i] < 0 || want->d[i] > INT32_MAX))
      return whet__infer_fail(f, WHET_E_DATA, "dimension %d of the output is %lld", i, (long long)want->d[i]);
  }
  return WHET_OK;
}

static whet_status convt_infer(whet_infer *f, const whet_node *n) {
  const whet_conv_attr *a = n->attr;
  char why[WHET_CONV_WHY];
  whet_conv_geo g;
  whet_dtype t;
  whet_dim count;
  if (n->n_in < 2 || n->n_in > 4 || !whet__in_has(f, 0) || !whet__in_has(f, 1))
    return whet__infer_fail(f, WHET_E_FORMAT, "expected an input, weights and perhaps a bias, got %d inputs",
                            n->n_in);
  WHET_TRY(whet__conv_types(f, 0, 1, 2, &t));
  const whet_shape *x = whet__in_shape(f, 0), *w = whet__in_shape(f, 1);
  whet_shape *out = whet__out(f, 0, t), want = {.rank = -1};
  out->rank = x->rank;
  for (int32_t i = 0; i < x->rank; i++) out->d[i] = WHET_DIM_ANY;
  if (x->rank < 0 || w->rank < 0) return WHET_LATE;
  for (int32_t i = 0; i < w->rank; i++)
    if (!whet__dim_known(w->d[i])) return WHET_LATE;
  bool told = whet__in_has(f, 3);
  if (told) WHET_TRY(told_shape(f, x->rank, &want));
  if (!whet__conv_geo(a, true, x, w, told ? &want : NULL, &g, why))
    return whet__infer_fail(f, WHET_E_SHAPE, "%s", why);
  whet__conv_out_shape(a, &g, out);
  int32_t chan = whet__conv_chan(a, &g);
  int64_t b = whet__in_has(f, 2) ? whet__shape_count(whet__in_shape(f, 2)) : -1;
  if (b >= 0 && b != g.groups * g.oc)
    return whet__infer_fail(f, WHET_E_SHAPE, "the bias has %lld elements, expected %lld", (long long)b,
                            (long long)(g.groups * g.oc));
  for (int32_t i = 0; told && i < x->rank; i++) {
    bool fixed = whet__dim_known(want.d[i]) && whet__dim_known(out->d[i]);
    if ((i == 0 || i == chan) && fixed && want.d[i] != out->d[i])
      return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d of the output is said to be %lld, it is %lld", i,
                              (long long)want.d[i], (long long)out->d[i]);
    if (!whet__dim_known(out->d[i])) out->d[i] = want.d[i];
  }
  return whet__infer_count(f, out, &count);
}

/* ---- reference ------------------------------------------------------------------------------- */

/* The input position that tap `t` of output position `at` meets in dimension d, or -1. */
static int64_t met(const whet_conv_geo *g, int d, int64_t at, int64_t t) {
  int64_t p = at + g->pad[d] - t * g->dilation[d];
  return p < 0 || p % g->stride[d] || p / g->stride[d] >= g->in[d] ? -1 : p / g->stride[d];
}

/* The sum of one output; x0, w0: elements of channel 0 of the group and of the first tap of the output channel. */
static double sum(const whet_args *args, const whet_conv_geo *g, const int64_t *at, int64_t x0, int64_t w0,
                  double acc) {
  const whet_conv_attr *a = args->attr;
  const whet_tensor *x = &args->in[0], *w = &args->in[1];
  int64_t xc = x->stride[whet__conv_chan(a, g)];
  for (int64_t z = g->kernel[0] - 1; z >= 0; z--)
    for (int64_t y = g->kernel[1] - 1; y >= 0; y--)
      for (int64_t i = g->kernel[2] - 1; i >= 0; i--) {
        int64_t p[3] = {met(g, 0, at[0], z), met(g, 1, at[1], y), met(g, 2, at[2], i)}, xi = x0;
        if (p[0] < 0 || p[1] < 0 || p[2] < 0) continue;
        for (int d = 3 - g->n; d < 3; d++) xi += p[d] * x->stride[whet__conv_axis(a, g, d)];
        int64_t wi = w0 + z * g->w_tap[0] + y * g->w_tap[1] + i * g->w_tap[2];
        for (int64_t c = 0; c < g->ic; c++)
          acc = whet__ref_fma(x->dtype == WHET_F64, whet__get_f64(x->dtype, x->data, xi + c * xc),
                              whet__get_f64(w->dtype, w->data, wi + c * g->w_ic), acc);
      }
  return acc;
}

static whet_status convt_ref(const whet_args *args) {
  if (whet__quantised(args->in[0].dtype, args->in[0].q)) return whet__conv_transpose_q8_ref(args);
  const whet_conv_attr *a = args->attr;
  const whet_tensor *x = &args->in[0], *b = args->n_in > 2 ? &args->in[2] : NULL, *y = &args->out[0];
  whet_conv_geo g = whet__conv_ref_geo(args, true);
  int32_t chan = whet__conv_chan(a, &g);
  int64_t dim[5] = {g.batch, g.out[0], g.out[1], g.out[2], g.groups * g.oc}, at[5] = {0};
  if (!whet__tensor_count(y)) return WHET_OK;
  do {
    int64_t group = at[4] / g.oc, to = at[0] * y->stride[0] + at[4] * y->stride[chan];
    double acc = b && b->data ? whet__get_f64(b->dtype, b->data, whet__flat_offset(b, at[4])) : 0;
    acc = sum(args, &g, at + 1, at[0] * x->stride[0] + group * g.ic * x->stride[chan],
              group * g.w_group + at[4] % g.oc * g.w_oc, acc);
    for (int d = 3 - g.n; d < 3; d++) to += at[1 + d] * y->stride[whet__conv_axis(a, &g, d)];
    whet__set_f64(y->dtype, y->data, to, acc);
  } while (whet__index_next(5, dim, at));
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

static const whet_pack_kind k_pack = {"panels of phases of float weights", sizeof(whet_convt_pack_f32),
                                      whet__convt_pack_f32_bytes, whet__convt_pack_f32, true};

/* Of stride 1: the convolution whose taps are the same ones from the last to the first. */
static whet_status reversed(whet_planner *p, const whet_node *n, const whet_conv_geo *g, const whet_conv_f32 *k, const whet_pack_f32 *packing,
                            int32_t res) {
  whet_conv_f32 c = *k;
  whet_pack_f32 pack = *packing;
  for (int i = 0; i < 3; i++) {
    c.dim[i].pad = (g->kernel[i] - 1) * g->dilation[i] - g->pad[i];
    pack.at += (g->kernel[i] - 1) * pack.k_step[i];
    pack.k_step[i] = -pack.k_step[i];
  }
  return whet__pl_conv_taps(p, n, g, &c, &pack, res);
}

static whet_status convt_plan(whet_planner *p, const whet_node *n) {
  const whet_conv_attr *a = n->attr;
  if (whet__quantised(whet__pl_dtype(p, n->in[0]), whet__pl_quant(p, n->in[0])))
    return whet__conv_transpose_q8_plan(p, n);
  if (whet__pl_dtype(p, n->in[0]) != WHET_F32 || !a->last) return WHET_LATE;
  whet_conv_geo g = whet__conv_plan_geo(p, n, true);
  whet_conv_f32 k;
  int32_t out = whet__pl_group_out(p), res, bias = n->n_in > 2 ? n->in[2] : -1;
  whet__pl_conv_f32(p, n, &g, &k, &res);
  whet_convt_pack_f32 pack = {.pack = whet__conv_packing(p, n, &g)};
  if (g.stride[0] * g.stride[1] * g.stride[2] == 1) return reversed(p, n, &g, &k, &pack.pack, res);
  const whet_kern *row = whet__pl_pick(p, WHET_FAMILY_convt_f32, &k, sizeof k);
  if (!row) return WHET_E_INTERNAL;
  pack.pack.form = row->form;
  if (whet__convt_depthwise(&k)) pack.pack.groups = 1, pack.pack.n = g.groups, pack.pack.n_step = g.w_group;
  for (int i = 0; i < 3; i++) {
    pack.stride[i] = g.stride[i];
    pack.dilation[i] = g.dilation[i];
    pack.pad[i] = g.pad[i];
  }
  whet_arg arg[5] = {whet__rd(n->in[0]), whet__wr(out), whet__pl_weights(p, &k_pack, &pack, n->in[1], bias),
                     whet__rd(res), whet__scratch()};
  int64_t positions = g.batch * g.in[0] * g.in[1] * g.in[2];
  double macs = (double)positions * (double)(g.groups * g.oc) * (double)whet__pack_f32_k(&pack.pack);
  return whet__pl_step(p, &(whet_step_req){WHET_FAMILY_convt_f32, row, &k, sizeof k, arg, 5,
                                           g.batch * g.out[0] * g.out[1] * g.groups, whet__pl_macs_ns(p, macs), 0});
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_ConvTranspose = {
    .name = "ConvTranspose",
    .flags = WHET_OP_TILE | WHET_OP_SPATIAL | WHET_OP_PITCH_IN | WHET_OP_PITCH_OUT,
    .attr_size = sizeof(whet_conv_attr),
    .attrs = whet__conv_attrs,
    .from = k_from,
    .infer = convt_infer,
    .plan = convt_plan,
    .permute = whet__conv_permute,
    .grad = whet__conv_transpose_grad,
    .ref = convt_ref,
};
