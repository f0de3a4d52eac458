/* SPDX-License-Identifier: Apache-2.0 */
/* Conv(x, w, bias): convolution over one to three spatial dimensions, with stride, dilation, padding and groups.
 *
 *   y[n, g*O + o, p] = bias[g*O + o] + sum over taps t and channels c of x[n, g*C + c, p*stride + t*dilation - pad] *
 * w[...]
 *
 * Taps outside the input are left out, or read pad_value where a pass has set one.
 * ONNX Conv 1-22; TFLite CONV_2D, DEPTHWISE_CONV_2D, CONV_3D; com.microsoft
 * FusedConv. Types: f32 (one chain of fused multiply-adds from the bias up, taps in row-major order, channels
 * innermost: the same bytes as kernels that keep the order), f16 and bf16 through f32, f64; quantised 8 and 16 bits:
 * conv_q8.c. Kernels exist for channels last. */

#include "op/conv.h"

#include "kern/conv_f32.h"
#include "op/fakeq.h"
#include "op/matrix.h"
#include "op/move.h"
#include "op/stablehlo.h"
#include "op/tile.h"
#include "op/walk.h"
#include "whet/program.h"

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_conv_attr, a);
  a->weights = WHET_CONV_OIS;
  WHET_TRY(whet__conv_read_onnx(im, a));
  return whet__im_node_as_is(im, op, a);
}

/* The node of FusedConv's activation, from value `in` to the operator's output. */
static whet_status fused_activation(whet_import *im, whet_str name, int32_t in) {
  static const char *const plain[] = {"Relu", "Tanh", "Sigmoid", "LeakyRelu", "Clip", "HardSigmoid", "HardSwish"};
  whet_floats par = whet__onnx_floats(im, "activation_params");
  int32_t out = whet__im_out(im, 0);
  for (size_t i = 0; i < WHET_COUNT(plain); i++) {
    if (name.n != strlen(plain[i]) || memcmp(name.p, plain[i], name.n)) continue;
    const whet_op *op = whet__op_find(plain[i]);
    float *ab = whet__arena_array(whet__im_arena(im), 2, sizeof *ab);
    if (!op || !ab) break;
    for (int32_t k = 0; k < 2 && k < par.n; k++) ab[k] = par.v[k];
    if (op->attr_size && par.n < (op->attr_size > sizeof *ab ? 2 : 1))
      return whet__im_fail(im, WHET_E_DATA, "activation_params of %s are missing", plain[i]);
    return whet__im_node(im, op, op->attr_size ? ab : NULL, &in, 1, &out, 1);
  }
  return whet__im_fail(im, WHET_E_UNSUPPORTED, "activation \"%.*s\"", (int)whet__min_i((int64_t)name.n, 40), name.p);
}

/* com.microsoft FusedConv: activation(Conv(x, w, bias) + z). */
static whet_status from_fused(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_conv_attr, a);
  WHET_TRY(whet__conv_read_onnx(im, a));
  whet_str act = whet__onnx_str(im, "activation", "");
  int32_t in[3] = {whet__im_in(im, 0), whet__im_in(im, 1), whet__im_in(im, 2)}, z = whet__im_in(im, 3);
  int32_t sum = z < 0 && !act.n ? whet__im_out(im, 0) : whet__im_new(im, "conv");
  WHET_TRY(whet__im_node(im, op, a, in, 3, &sum, 1));
  if (z >= 0) {
    int32_t both[2] = {sum, z}, to = act.n ? whet__im_new(im, "sum") : whet__im_out(im, 0);
    WHET_TRY(whet__im_node(im, whet__op_find("Add"), NULL, both, 2, &to, 1));
    sum = to;
  }
  return act.n ? fused_activation(im, act, sum) : WHET_OK;
}

/* TFLite: options have the width before the height. fields: padding, strides, activation, dilations by their numbers.
 */
static whet_status tfl_node(whet_import *im, const whet_op *op, whet_conv_attr *a, const int *stride,
                            const int *dilation, int32_t n, int64_t activation) {
  int64_t s[3], d[3];
  for (int32_t i = 0; i < n; i++) {
    s[i] = whet__tfl_int(im, stride[i], 0);
    d[i] = whet__tfl_int(im, dilation[i], 1);
  }
  a->strides = whet__conv_list(im, s, n);
  a->dilations = whet__conv_list(im, d, n);
  a->last = 1;
  if (!a->strides.v || !a->dilations.v) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  WHET_TRY(whet__conv_read_tfl_padding(im, whet__tfl_int(im, 0, 0), a));
  int32_t in[3] = {whet__im_in(im, 0), whet__im_in(im, 1), whet__im_in(im, 2)};
  int32_t out = whet__tfl_before_activation(im, activation);
  const whet_val *w = whet__im_val(im, in[1]);
  bool by_channel = a->weights == WHET_CONV_1SO || (w && w->q && w->q->n > 1);
  WHET_TRY(whet__im_hybrid(im, 0, by_channel, &in[1], &in[0]));
  WHET_TRY(whet__im_node(im, op, a, in, 3, &out, 1));
  const whet_val *x = whet__im_val(im, in[0]), *b = whet__im_val(im, in[2]);
  whet__im_round(im, whet__conv_q8_rule(x, b, whet__im_rules_micro(im)));
  return whet__tfl_activation(im, activation, out, whet__im_out(im, 0));
}

static whet_status from_conv_2d(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_conv_attr, a);
  a->weights = WHET_CONV_OSI;
  return tfl_node(im, op, a, (const int[]){2, 1}, (const int[]){5, 4}, 2, whet__tfl_int(im, 3, 0));
}

static whet_status from_depthwise(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_conv_attr, a);
  a->weights = WHET_CONV_1SO;
  return tfl_node(im, op, a, (const int[]){2, 1}, (const int[]){6, 5}, 2, whet__tfl_int(im, 4, 0));
}

static whet_status from_conv_3d(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_conv_attr, a);
  a->weights = WHET_CONV_SIO;
  return tfl_node(im, op, a, (const int[]){1, 3, 2}, (const int[]){5, 7, 6}, 3, whet__tfl_int(im, 4, 0));
}

static const whet_from k_from[] = {{"", "Conv", 1, from_onnx},
                                   {"com.microsoft", "FusedConv", 1, from_fused},
                                   {"tflite", "CONV_2D", 1, from_conv_2d},
                                   {"tflite", "DEPTHWISE_CONV_2D", 1, from_depthwise},
                                   {"tflite", "CONV_3D", 1, from_conv_3d},
                                   {"tflite", "STABLEHLO_CONVOLUTION", 1, whet__stablehlo_convolution},
                                   {0}};

/* ---- shape and type rule --------------------------------------------------------------------- */

static whet_status conv_infer(whet_infer *f, const whet_node *n) {
  const whet_conv_attr *a = n->attr;
  char why[WHET_CONV_WHY];
  whet_conv_geo g;
  whet_dtype t;
  whet_dim count;
  if (n->n_in < 2 || n->n_in > 3 || !whet__in_has(f, 0) || !whet__in_has(f, 1))
    return whet__infer_fail(f, WHET_E_FORMAT, "expected an input, weights and perhaps a bias, got %d inputs",
                            n->n_in);
  WHET_TRY(whet__conv_types(f, 0, 1, 2, &t));
  const whet_shape *x = whet__in_shape(f, 0), *w = whet__in_shape(f, 1);
  whet_shape *out = whet__out(f, 0, t);
  out->rank = x->rank;
  for (int32_t i = 0; i < x->rank; i++) out->d[i] = WHET_DIM_ANY;
  if (x->rank < 0 || w->rank < 0) return WHET_LATE;
  for (int32_t i = 0; i < w->rank; i++)
    if (!whet__dim_known(w->d[i])) return WHET_LATE;
  if (!whet__conv_geo(a, false, x, w, NULL, &g, why)) return whet__infer_fail(f, WHET_E_SHAPE, "%s", why);
  whet__conv_out_shape(a, &g, out);
  if (g.groups > 0) WHET_TRY(whet__conv_scales(f, 1, g.groups * g.oc));
  if (whet__in_has(f, 2)) {
    int64_t b = whet__shape_count(whet__in_shape(f, 2));
    if (g.groups > 0 && b >= 0 && b != g.groups * g.oc)
      return whet__infer_fail(f, WHET_E_SHAPE, "the bias has %lld elements, expected %lld", (long long)b,
                              (long long)(g.groups * g.oc));
  }
  return whet__infer_count(f, out, &count);
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Offset of output or input position p in a tensor whose channels and batch are left out. */
static int64_t place(const whet_conv_attr *a, const whet_conv_geo *g, const whet_tensor *t, const int64_t *p) {
  int64_t o = 0;
  for (int i = 3 - g->n; i < 3; i++) o += p[i] * t->stride[whet__conv_axis(a, g, i)];
  return o;
}

/* The sum of the output at[0..2] of channel at[3]; x0, w0: elements of channel 0 of the group and of the first tap of
 * the output channel. */
static double sum(const whet_args *args, const whet_conv_geo *g, const int64_t *at, int64_t x0, int64_t w0,
                  double acc) {
  const whet_conv_attr *a = args->attr;
  const whet_tensor *x = &args->in[0], *w = &args->in[1];
  int64_t xc = x->stride[whet__conv_chan(a, g)];
  bool wide = x->dtype == WHET_F64;
  for (int64_t z = 0; z < g->kernel[0]; z++)
    for (int64_t y = 0; y < g->kernel[1]; y++)
      for (int64_t i = 0; i < g->kernel[2]; i++) {
        int64_t tap[3] = {z, y, i}, p[3];
        bool inside = true;
        for (int d = 0; d < 3; d++) {
          p[d] = at[d] * g->stride[d] + tap[d] * g->dilation[d] - g->pad[d];
          inside &= p[d] >= 0 && p[d] < g->in[d];
        }
        if (!inside && a->pad_value == 0) continue;
        int64_t xi = inside ? x0 + place(a, g, x, p) : 0, wi = w0 + z * g->w_tap[0] + y * g->w_tap[1] + i * g->w_tap[2];
        for (int64_t c = 0; c < g->ic; c++)
          acc = whet__ref_fma(wide, inside ? whet__get_f64(x->dtype, x->data, xi + c * xc) : (double)a->pad_value,
                              whet__ref_weight(w, wi + c * g->w_ic, at[3]), acc);
      }
  return acc;
}

static whet_status conv_ref(const whet_args *args) {
  if (whet__quantised(args->in[0].dtype, args->in[0].q)) return whet__conv_q8_ref(args);
  const whet_conv_attr *a = args->attr;
  const whet_tensor *x = &args->in[0], *b = args->n_in > 2 ? &args->in[2] : NULL, *y = &args->out[0];
  whet_conv_geo g = whet__conv_ref_geo(args, false);
  int32_t chan = whet__conv_chan(a, &g);
  int64_t dim[5] = {g.batch, g.out[0], g.out[1], g.out[2], g.groups * g.oc}, at[5] = {0};
  if (!whet__tensor_count(y)) return WHET_OK;
  do {
    int64_t group = at[4] / g.oc;
    double acc = b && b->data ? whet__get_f64(b->dtype, b->data, at[4] * (b->rank ? b->stride[b->rank - 1] : 0)) : 0;
    acc = sum(args, &g, at + 1, at[0] * x->stride[0] + group * g.ic * x->stride[chan],
              group * g.w_group + at[4] % g.oc * g.w_oc, acc);
    int64_t to = at[0] * y->stride[0] + at[4] * y->stride[chan] + place(a, &g, y, at + 1);
    whet__set_f64(y->dtype, y->data, to, acc);
  } while (whet__index_next(5, dim, at));
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

whet_pack_f32 whet__conv_packing(const whet_planner *p, const whet_node *n, const whet_conv_geo *g) {
  whet_pack_f32 k = {.groups = g->groups, .n = g->oc, .group_step = g->w_group, .n_step = g->w_oc};
  k.dtype = (uint8_t)whet__pl_dtype(p, n->in[1]);
  if (n->n_in > 2 && n->in[2] >= 0) k.bias_dtype = (uint8_t)whet__pl_dtype(p, n->in[2]);
  for (int i = 0; i < 3; i++) k.k[i] = g->kernel[i], k.k_step[i] = g->w_tap[i];
  k.k[3] = g->ic;
  k.k_step[3] = g->w_ic;
  return k;
}

/* Distances of value v into the windows; which: 0 in, 1 out, 2 res. Answers that from one batch index to the next. */
static int64_t steps(const whet_planner *p, const whet_conv_attr *a, const whet_conv_geo *g, int32_t v, int which,
                     whet_window *d) {
  int64_t s[WHET_MAX_RANK];
  whet__pl_strides(p, v, s);
  for (int i = 0; i < 3; i++) {
    int64_t *to = which == 0 ? &d[i].in_step : which == 1 ? &d[i].out_step : &d[i].res_step;
    *to = i < 3 - g->n ? s[0] : s[whet__conv_axis(a, g, i)];
  }
  return s[0];
}

void whet__pl_conv_f32(whet_planner *p, const whet_node *n, const whet_conv_geo *g, whet_conv_f32 *k, int32_t *res) {
  const whet_conv_attr *a = n->attr;
  *k = (whet_conv_f32){.batch = g->batch, .groups = g->groups, .ic = g->ic, .oc = g->oc, .l2_kb = whet__pl_l2_kb(p)};
  k->pad_value = a->pad_value;
  k->constant = whet__pl_data(p, n->in[1]) != NULL;
  k->grow = k->constant && whet__pl_opts(p)->prefer != WHET_PREFER_MEMORY;
  whet__pl_epi_f32(p, n, &k->epi, res);
  for (int i = 0; i < 3; i++)
    k->dim[i] = (whet_window){g->in[i], g->out[i], g->kernel[i], g->stride[i], g->dilation[i], g->pad[i], 0, 0, 0};
  k->in_batch = steps(p, a, g, n->in[0], 0, k->dim);
  k->out_batch = steps(p, a, g, whet__pl_group_out(p), 1, k->dim);
  if (*res >= 0) k->res_batch = steps(p, a, g, *res, 2, k->dim);
}

/* A convolution of single taps as a product of rows, by its weights that are not zero where that is faster. */
static bool sparse(whet_planner *p, const whet_node *n, const whet_conv_geo *g, const whet_conv_f32 *k,
                   const whet_pack_f32 *pack, int32_t res, whet_status *s) {
  whet_gemm_f32 m = {.m = g->batch * g->out[0] * g->out[1] * g->out[2], .n = g->oc, .k = g->ic, .epi = k->epi};
  whet_row_view x, y, r;
  for (int i = 0; i < 3; i++)
    if (g->kernel[i] != 1 || g->stride[i] != 1 || g->pad[i] || g->out[i] != g->in[i]) return false;
  int32_t out = whet__pl_group_out(p);
  if (g->groups != 1 || !whet__pl_row_view(p, n->in[0], m.k, &x) || !whet__pl_row_view(p, out, m.n, &y) ||
      (res >= 0 && !whet__pl_row_view(p, res, m.n, &r)) || !whet__gemm_rows(&m, x, y, res >= 0 ? &r : NULL))
    return false;
  return whet__pl_sparse(p, &m, pack, whet__rd(n->in[0]), out, n->in[1], n->n_in > 2 ? n->in[2] : -1, whet__rd(res),
                         s);
}

/* Lines of the picture, or where weights are more than activations, panels of them. */
static int64_t pieces_of(const whet_conv_f32 *c, unsigned form) {
  int64_t k = c->ic, in = c->batch, out = c->batch;
  for (int i = 0; i < 3; i++) k *= c->dim[i].kernel, in *= c->dim[i].in, out *= c->dim[i].out;
  bool by_columns = k * c->oc > in * c->ic + out * c->oc;
  return by_columns ? whet__panel_count(form, c->oc) * c->groups : c->batch * c->dim[0].out * c->dim[1].out;
}

/* Groups of few outputs stand beside each other in one vector of them, for a row whose weights are vectors of floats: it sums zeros, too. */
static int64_t join_groups(const whet_planner *p, const whet_conv_geo *g, const whet_kern *row, whet_conv_f32 *c, whet_pack_f32 *pack) {
  if ((row->form != WHET_PANEL_16 && row->form != WHET_PANEL_8) || !c->constant || whet__pl_opts(p)->exact) return 1;
  int64_t parts = whet__conv_joined(g, whet__panel_vec(row->form));
  if (parts == 1) return 1;
  c->groups /= parts, c->ic *= parts, c->oc *= parts;
  pack->groups = c->groups, pack->n = c->oc, pack->k[3] = c->ic;
  pack->parts = parts;
  return parts;
}

whet_status whet__pl_conv_taps(whet_planner *p, const whet_node *n, const whet_conv_geo *g, const whet_conv_f32 *k,
                               const whet_pack_f32 *packing, int32_t res) {
  whet_pack_f32 pack = *packing;
  whet_wino_f32 wino;
  int32_t bias = n->n_in > 2 ? n->in[2] : -1;
  bool inner =
      k->dim[0].pad < 0 || k->dim[1].pad < 0 || k->dim[2].pad < 0; /* outputs begin inside: tiles do that alone */
  bool depthwise = g->ic == 1 && g->oc == 1 && g->groups > 1;
  if (pack.dtype == WHET_F32 && !inner && k->pad_value == 0 && whet__conv_wino(p, k, whet__pl_data(p, n->in[1]) != NULL, &wino))
    return whet__pl_wino(p, n, &wino, &pack, res);
  unsigned family = depthwise ? WHET_FAMILY_dw_f32 : WHET_FAMILY_conv_f32;
  whet_conv_f32 c = *k;
  c.patches = !depthwise && !inner && !whet__pl_opts(p)->exact && whet__conv_f32_low(k);
  const whet_kern *row = whet__pl_pick(p, family, &c, sizeof c);
  if (!row) return WHET_E_INTERNAL;
  pack.form = row->form;
  if (depthwise) pack.groups = 1, pack.n = g->groups, pack.n_step = g->w_group;
  int64_t parts = depthwise ? 1 : join_groups(p, g, row, &c, &pack);
  whet_arg arg[5] = {whet__rd(n->in[0]), whet__wr(whet__pl_group_out(p)), whet__pl_panels(p, &pack, n->in[1], bias),
                     whet__rd(res), whet__scratch()};
  int64_t positions = g->batch * g->out[0] * g->out[1] * g->out[2];
  double macs = (double)positions * (double)(g->groups * g->oc) * (double)(whet__pack_f32_k(&pack) / parts);
  double ns = whet__pl_macs_ns(p, depthwise ? 3 * macs : macs);
  if (!depthwise) ns = whet__pl_product_ns(ns, macs, positions, 4);
  return whet__pl_step(p, &(whet_step_req){family, row, &c, sizeof c, arg, 5,
                                           positions * c.groups * whet__panel_count(row->form, c.oc), ns,
                                           .pieces = c.patches ? 1 : pieces_of(&c, row->form)});
}

static whet_status conv_plan(whet_planner *p, const whet_node *n) {
  const whet_conv_attr *a = n->attr;
  if (whet__quantised(whet__pl_dtype(p, n->in[0]), whet__pl_quant(p, n->in[0]))) return whet__conv_q8_plan(p, n);
  if (whet__pl_dtype(p, n->in[0]) != WHET_F32 || !a->last) return WHET_LATE;
  bool any;
  if (whet__conv_stages(p, n, &any) > 1) return whet__pl_conv_chain(p, n);
  whet_conv_geo g = whet__conv_plan_geo(p, n, false);
  whet_conv_f32 k;
  int32_t res;
  whet__pl_conv_f32(p, n, &g, &k, &res);
  whet_pack_f32 pack = whet__conv_packing(p, n, &g);
  const whet_node *end = n;
  for (int i = 1; whet__pl_group(p, i); i++) end = whet__pl_group(p, i);
  if (!strcmp(end->op->name, "MaxPool")) return whet__pl_conv_pool(p, n, end, &k, &pack);
  whet_status by_rows;
  if (sparse(p, n, &g, &k, &pack, res, &by_rows)) return by_rows;
  return whet__pl_conv_taps(p, n, &g, &k, &pack, res);
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_Conv = {
    .name = "Conv",
    .flags = WHET_OP_TILE | WHET_OP_PACKS | WHET_OP_SPATIAL | WHET_OP_PITCH_IN | WHET_OP_PITCH_OUT,
    .attr_size = sizeof(whet_conv_attr),
    .attrs = whet__conv_attrs,
    .from = k_from,
    .infer = conv_infer,
    .plan = conv_plan,
    .permute = whet__conv_permute,
    .grad = whet__conv_grad,
    .ref = conv_ref,
};
