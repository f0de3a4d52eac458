/* SPDX-License-Identifier: Apache-2.0 */
/* Conv on quantised numbers of 8 or 16 bits.
 *
 *   sum = bias[o] + sum of (x - zx) * (w - zw[o]) over taps inside the picture;   y = clamp(rescaled(sum) + zy)
 *
 * with the rule of the node; a result without quantisation is the sum itself. 8-bit data with channels last run on
 * families conv_q8 and dw_q8 (transposed ones phase by phase), the rest on the reference. */

#include "base/dtype.h"
#include "kern/copy.h"
#include "kern/dw_q8.h"
#include "op/conv.h"
#include "op/matrix.h"
#include "op/move.h"
#include "op/product_q8.h"
#include "whet/program.h"

/* LiteRT sums 16-bit data in 32 bits and rescales them as 8-bit ones where the bias has 32 bits, else in 64 bits and
 * by the reduced multiplier. */
whet_round whet__conv_q8_rule(const whet_val *x, const whet_val *b, bool micro) {
  if (!x || x->dtype != WHET_S16) return WHET_ROUND_TFL_FIX;
  return b && b->dtype == WHET_S32 && !micro ? WHET_ROUND_TFL_FIX : WHET_ROUND_TFL_16X8;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Offset of position at[] (three spatial indices) in a tensor. */
static int64_t place(const whet_conv_attr *a, const whet_conv_geo *g, const whet_tensor *t, const int64_t *at) {
  int64_t o = 0;
  for (int i = 3 - g->n; i < 3; i++) o += at[i] * t->stride[whet__conv_axis(a, g, i)];
  return o;
}

/* The sum of one output without bias; x0, w0: elements of channel 0 of the group and of the first tap. */
static int64_t sum(const whet_args *args, const whet_conv_geo *g, const int64_t *at, int64_t x0, int64_t w0,
                   int64_t zx, int64_t zw) {
  const whet_conv_attr *a = args->attr;
  const whet_tensor *x = &args->in[0], *w = &args->in[1];
  int64_t xc = x->stride[whet__conv_chan(a, g)], taps[3] = {g->kernel[0], g->kernel[1], g->kernel[2]}, tap[3] = {0};
  uint64_t acc = 0;
  do {
    int64_t p[3];
    bool inside = true;
    for (int d = 0; d < 3; d++) {
      p[d] = at[d] * g->stride[d] + tap[d] * g->dilation[d] - g->pad[d];
      inside &= p[d] >= 0 && p[d] < g->in[d];
    }
    if (!inside) continue;
    int64_t xi = x0 + place(a, g, x, p), wi = w0 + tap[0] * g->w_tap[0] + tap[1] * g->w_tap[1] + tap[2] * g->w_tap[2];
    for (int64_t c = 0; c < g->ic; c++)
      acc += (uint64_t)((whet__get_i64(x->dtype, x->data, xi + c * xc) - zx) *
                        (whet__get_i64(w->dtype, w->data, wi + c * g->w_ic) - zw));
  } while (whet__index_next(3, taps, tap));
  return (int64_t)acc;
}

whet_status whet__conv_q8_ref(const whet_args *args) {
  const whet_conv_attr *a = args->attr;
  const whet_tensor *x = &args->in[0], *b = args->n_in > 2 ? &args->in[2] : NULL, *y = &args->out[0];
  whet_conv_geo g = whet__conv_ref_geo(args, false);
  whet_product_out out = whet__product_out(args);
  int32_t chan = whet__conv_chan(a, &g);
  int64_t dim[5] = {g.batch, g.out[0], g.out[1], g.out[2], g.groups * g.oc}, at[5] = {0};
  if (!whet__tensor_count(y)) return WHET_OK;
  do {
    int64_t group = at[4] / g.oc;
    int64_t v = sum(args, &g, at + 1, at[0] * x->stride[0] + group * g.ic * x->stride[chan],
                    group * g.w_group + at[4] % g.oc * g.w_oc, x->q->zero[0], whet__q_zero(out.w, at[4]));
    if (b && b->data) v += whet__get_i64(b->dtype, b->data, at[4] * (b->rank ? b->stride[b->rank - 1] : 0));
    whet__product_store(&out, y, at[0] * y->stride[0] + at[4] * y->stride[chan] + place(a, &g, y, at + 1), at[4], v);
  } while (whet__index_next(5, dim, at));
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

/* Elements from pixel to pixel of value v, [batch][h][w][c] without gaps between rows; -1 when it lies otherwise. */
static int64_t pixel_pitch(const whet_planner *p, const whet_conv_geo *g, int32_t v, const whet_dim *size) {
  int64_t s[WHET_MAX_RANK];
  whet__pl_strides(p, v, s);
  int64_t w = s[g->n], h = g->n > 1 ? s[g->n - 1] : w * size[2];
  if (s[g->n + 1] != 1 && whet__pl_shape(p, v)->d[g->n + 1] != 1) return -1;
  if (size[2] == 1) w = h;
  if (size[1] == 1) h = w * size[2];
  if (size[1] == 1 && size[2] == 1) w = h = s[0];
  if (h != w * size[2] || (g->batch > 1 && s[0] != h * size[1])) return -1;
  return w;
}

/* Description of depthwise weights. */
static whet_arg dw_weights(whet_planner *p, const whet_node *n, const whet_conv_geo *g, const whet_dw_q8 *k,
                           unsigned form) {
  static const whet_pack_kind kind = {"dw_q8", 0, whet__dw_q8_bytes, whet__dw_q8_do_pack, false};
  int32_t w = n->in[1], bias = n->n_in > 2 ? n->in[2] : -1;
  const whet_quant *q = whet__pl_quant(p, w), *y = whet__pl_quant(p, n->out[0]);
  int32_t n_scale = q && q->n > 1 ? k->channels : 1;
  size_t size = whet__dw_q8_pack_size(n_scale, n_scale);
  whet_dw_q8_pack *d = whet__pl_memory(p, size);
  if (!d) return whet__none();
  d->size = (uint32_t)size;
  d->shape.channels = k->channels;
  d->shape.kh = k->kh;
  d->shape.kw = k->kw;
  d->shape.form = (uint8_t)form;
  d->shape.w_zeros = k->w_zeros;
  d->shape.out = whet__factors_of(&k->out);
  d->w_type = (uint8_t)whet__pl_dtype(p, w);
  d->bias_type = bias >= 0 ? (uint8_t)whet__pl_dtype(p, bias) : 0;
  d->in_zero = k->in_zero;
  d->in_scale = whet__pl_quant(p, n->in[0])->scale[0];
  d->out_scale = y ? y->scale[0] : 1;
  d->n_scale = d->n_zero = n_scale;
  d->at_c = g->w_group;
  d->at_y = g->w_tap[1];
  d->at_x = g->w_tap[2];
  for (int32_t i = 0; i < n_scale; i++) {
    whet__dw_q8_scales(d)[i] = whet__q_scale(q, i);
    whet__dw_q8_zeros(d)[i] = whet__q_zero(q, i);
  }
  const int32_t src[2] = {w, bias};
  int32_t pack = whet__pl_pack(p, &kind, d, src, 2);
  return pack < 0 ? whet__none() : whet__pk(pack);
}

/* A depthwise convolution; its parameters but for sizes of pictures are set. */
static whet_status plan_dw(whet_planner *p, const whet_node *n, const whet_conv_geo *g, const whet_conv_q8 *c,
                           whet_arg table) {
  whet_dw_q8 k = {.images = c->images,
                  .in_h = c->in_h,
                  .in_w = c->in_w,
                  .channels = c->in_c,
                  .out_h = c->out_h,
                  .out_w = c->out_w,
                  .kh = c->kh,
                  .kw = c->kw,
                  .stride_h = c->stride_h,
                  .stride_w = c->stride_w,
                  .dil_h = c->dil_h,
                  .dil_w = c->dil_w,
                  .pad_top = c->pad_top,
                  .pad_left = c->pad_left,
                  .in_pitch = c->in_pitch,
                  .out_pitch = c->out_pitch,
                  .in_zero = c->in_zero,
                  .in_signed = c->in_signed,
                  .w_zeros = c->w_zeros,
                  .out = c->out};
  const whet_kern *row = whet__pl_pick(p, WHET_FAMILY_dw_q8, &k, sizeof k);
  if (!row) return WHET_E_INTERNAL;
  k.out.tight = row->tight && k.out.quick && k.out.round == WHET_ROUND_ONNX_REAL &&
                whet__pl_product_tight(p, n, k.channels, (int64_t[]){1, k.kh, k.kw},
                                       (int64_t[]){g->w_group, 0, g->w_tap[1], g->w_tap[2]});
  whet_arg arg[5] = {whet__rd(n->in[0]), dw_weights(p, n, g, &k, row->form), whet__wr(whet__pl_group_out(p)), table,
                     whet__scratch()};
  double macs = (double)k.images * k.out_h * k.out_w * k.channels * k.kh * k.kw;
  return whet__pl_step(p, &(whet_step_req){WHET_FAMILY_dw_q8, row, &k, sizeof k, arg, 5, (int64_t)k.images * k.out_h,
                                           whet__pl_macs_q8_ns(p, macs * 6), 0});
}

whet_status whet__conv_q8_plan(whet_planner *p, const whet_node *n) {
  const whet_conv_attr *a = n->attr;
  int32_t bias = n->n_in > 2 ? n->in[2] : -1;
  if (!a->last || !whet__pl_takes_bytes(p, n)) return WHET_LATE;
  whet_conv_geo g = whet__conv_plan_geo(p, n, false);
  if (g.in[0] != 1 || g.out[0] != 1 || g.kernel[0] != 1) return WHET_LATE;
  int32_t out = whet__pl_group_out(p);
  whet_conv_q8 k = {.images = (int32_t)g.batch,
                    .in_h = (int32_t)g.in[1],
                    .in_w = (int32_t)g.in[2],
                    .in_c = (int32_t)(g.groups * g.ic),
                    .out_h = (int32_t)g.out[1],
                    .out_w = (int32_t)g.out[2],
                    .out_c = (int32_t)(g.groups * g.oc),
                    .kh = (int32_t)g.kernel[1],
                    .kw = (int32_t)g.kernel[2],
                    .stride_h = (int32_t)g.stride[1],
                    .stride_w = (int32_t)g.stride[2],
                    .dil_h = (int32_t)g.dilation[1],
                    .dil_w = (int32_t)g.dilation[2],
                    .pad_top = (int32_t)g.pad[1],
                    .pad_left = (int32_t)g.pad[2],
                    .groups = (int32_t)g.groups,
                    .in_zero = whet__pl_byte_zero(p, n->in[0]),
                    .in_signed = whet__pl_dtype(p, n->in[0]) == WHET_S8};
  k.in_pitch = pixel_pitch(p, &g, n->in[0], g.in);
  k.out_pitch = pixel_pitch(p, &g, out, g.out);
  if (k.in_pitch < k.in_c || k.out_pitch < k.out_c) return WHET_LATE;
  whet_arg table;
  if (!whet__pl_product_out(p, n, &k.out, &table)) return WHET_LATE;
  k.w_zeros = whet__pl_w_zeros(p, n->in[1], k.out_c);
  k.out.quick = whet__pl_product_quick(p, n, k.out_c, (int64_t)k.kh * k.kw * g.ic);
  if (g.ic == 1 && g.oc == 1 && g.groups > 1 && whet__pl_data(p, n->in[1]) && (bias < 0 || whet__pl_data(p, bias)))
    return k.out.live ? WHET_LATE : plan_dw(p, n, &g, &k, table);
  k.small = whet__pl_opts(p)->prefer != WHET_PREFER_MEMORY && k.kh == 3 && k.kw == 3 && k.stride_h == 1 &&
            k.stride_w == 1 && g.groups == 1 && whet__pl_data(p, n->in[1]) && (bias < 0 || whet__pl_data(p, bias)) &&
            whet__pl_product_small(p, n, k.out_c, (int64_t[]){g.ic, 3, 3},
                                   (int64_t[]){g.w_oc, g.w_ic, g.w_tap[1], g.w_tap[2]});
  whet_arg arg[WHET_PRODUCT_ARGS];
  int n_arg;
  if (!whet__pl_product_live(p, &k, arg, &n_arg)) return WHET_LATE;
  int64_t parts = k.w_zeros ? 1 : whet__conv_joined(&g, 16);
  k.groups /= (int32_t)parts;
  const whet_kern *row = whet__pl_pick(p, WHET_FAMILY_conv_q8, &k, sizeof k);
  if (row && parts > 1 && !whet__conv_q8_panels((uint8_t)row->form)) {
    k.groups *= (int32_t)parts, parts = 1;
    row = whet__pl_pick(p, WHET_FAMILY_conv_q8, &k, sizeof k);
  }
  if (!row) return WHET_E_INTERNAL;
  k.out.tight = row->tight && k.out.quick && k.out.round == WHET_ROUND_ONNX_REAL && g.groups == 1 &&
                whet__pl_product_tight(p, n, k.out_c, (int64_t[]){g.ic, k.kh, k.kw},
                                       (int64_t[]){g.w_oc, g.w_ic, g.w_tap[1], g.w_tap[2]});
  whet_conv_q8_pack pack = {.in_zero = k.in_zero,
                            .parts = (uint8_t)parts,
                            .at_o = g.w_oc,
                            .at_i = g.w_ic,
                            .at_y = g.w_tap[1],
                            .at_x = g.w_tap[2],
                            .at_g = g.w_group};
  pack.shape = whet__conv_q8_shape_of(&k, (uint8_t)row->form);
  arg[0] = whet__rd(n->in[0]), arg[1] = whet__pl_weights_q8(p, n, &pack), arg[2] = whet__wr(out), arg[3] = table, arg[4] = whet__scratch();
  int64_t pixels = (int64_t)k.images * k.out_h * k.out_w;
  double macs = (double)pixels * k.out_c * k.kh * k.kw * (double)g.ic;
  double ns = whet__pl_product_ns(whet__pl_macs_q8_ns(p, macs), macs, pixels, 1);
  /* Where weights are more than activations each part prepares all activations for its own. */
  bool whole = row->form == WHET_CONV_Q8_WINO || k.kh * k.kw * g.ic * k.out_c > pixels * (k.in_c + k.out_c);
  return whet__pl_step(p, &(whet_step_req){WHET_FAMILY_conv_q8, row, &k, sizeof k, arg, n_arg, whet__max_i(pixels, k.out_c / 64), ns,
                                           whole ? 1 : k.images * k.out_h});
}

/* ---- transposed ------------------------------------------------------------------------------ */

/* Outputs of one phase in one dimension: at + pad = stride * q + rest. They are those of a plain convolution of
 * `taps` taps, in reversed order. */
typedef struct phase {
  int64_t first, count; /* the first output, outputs */
  int64_t rest, taps, pad;
} phase;

static phase phase_of(const whet_conv_geo *g, int d, int64_t rest) {
  phase f = {.rest = rest, .taps = whet__ceil_div(g->kernel[d] - rest, g->stride[d])};
  int64_t q = whet__max_i(whet__ceil_div(g->pad[d] - rest, g->stride[d]), 0);
  f.first = q * g->stride[d] + rest - g->pad[d];
  f.count = f.first < g->out[d] ? whet__ceil_div(g->out[d] - f.first, g->stride[d]) : 0;
  f.pad = f.taps - 1 - q;
  return f;
}

/* One phase on its own, then to its places of the output. k: what all have. */
static whet_status plan_phase(whet_planner *p, const whet_node *n, const whet_conv_geo *g, const whet_conv_q8 *k,
                              phase y, phase x, whet_arg table) {
  const whet_conv_attr *a = n->attr;
  whet_conv_q8 c = *k;
  int32_t out = whet__pl_group_out(p);
  c.kh = (int32_t)y.taps, c.kw = (int32_t)x.taps;
  c.out_h = (int32_t)y.count, c.out_w = (int32_t)x.count;
  c.pad_top = (int32_t)y.pad, c.pad_left = (int32_t)x.pad;
  c.out_pitch = c.out_c;
  c.out.quick = whet__pl_product_quick(p, n, c.out_c, y.taps * x.taps * g->ic);
  const whet_kern *row = whet__pl_pick(p, WHET_FAMILY_conv_q8, &c, sizeof c);
  if (!row) return WHET_E_INTERNAL;
  whet_conv_q8_pack pack = {.in_zero = c.in_zero,
                            .at = (y.rest + (y.taps - 1) * g->stride[1]) * g->w_tap[1] +
                                  (x.rest + (x.taps - 1) * g->stride[2]) * g->w_tap[2],
                            .at_g = g->w_group,
                            .at_o = g->w_oc,
                            .at_i = g->w_ic,
                            .at_y = -g->stride[1] * g->w_tap[1],
                            .at_x = -g->stride[2] * g->w_tap[2]};
  pack.shape = whet__conv_q8_shape_of(&c, (uint8_t)row->form);
  int bytes = whet_dtype_bits(whet__pl_dtype(p, out)) / 8;
  int64_t pixels = (int64_t)c.images * c.out_h * c.out_w, s[WHET_MAX_RANK];
  int32_t temp = whet__pl_temp(p, (size_t)(pixels * c.out_c * bytes));
  whet_arg arg[5] = {whet__rd(n->in[0]), whet__pl_weights_q8(p, n, &pack), whet__tm(temp, true), table,
                     whet__scratch()};
  double macs = (double)pixels * (double)g->groups * (double)g->oc * (double)(y.taps * x.taps * g->ic);
  WHET_TRY(whet__pl_step(
      p, &(whet_step_req){WHET_FAMILY_conv_q8, row, &c, sizeof c, arg, 5, pixels, whet__pl_macs_q8_ns(p, macs), 0}));
  whet__pl_strides(p, out, s);
  int64_t sy = g->n > 1 ? s[whet__conv_axis(a, g, 1)] : 0, sx = s[whet__conv_axis(a, g, 2)];
  whet_copy to = {.rank = 4,
                  .dim = {c.images, c.out_h, c.out_w, c.out_c},
                  .in_stride = {(int64_t)c.out_h * c.out_w * c.out_c, (int64_t)c.out_w * c.out_c, c.out_c, 1},
                  .out_stride = {s[0], sy * g->stride[1], sx * g->stride[2], s[whet__conv_chan(a, g)]},
                  .out_offset = y.first * sy + x.first * sx};
  return whet__pl_copy_from(p, out, whet__tm(temp, false), &to);
}

/* Can phases do it? */
static bool phases_fit(const whet_conv_geo *g) {
  if (g->in[0] != 1 || g->out[0] != 1 || g->kernel[0] != 1) return false;
  for (int d = 1; d < 3; d++) {
    if (g->dilation[d] != 1 || g->kernel[d] < g->stride[d]) return false; /* places that no tap meets */
    for (int64_t i = 0; i < g->stride[d]; i++)
      if (phase_of(g, d, i).pad < 0) return false; /* inputs that nothing reads come first */
  }
  return true;
}

/* Each phase of the strides is a plain convolution with its own taps. */
whet_status whet__conv_transpose_q8_plan(whet_planner *p, const whet_node *n) {
  const whet_conv_attr *a = n->attr;
  if (!a->last || !whet__pl_takes_bytes(p, n)) return WHET_LATE;
  whet_conv_geo g = whet__conv_plan_geo(p, n, true);
  if (!phases_fit(&g)) return WHET_LATE;
  whet_conv_q8 k = {.images = (int32_t)g.batch,
                    .in_h = (int32_t)g.in[1],
                    .in_w = (int32_t)g.in[2],
                    .in_c = (int32_t)(g.groups * g.ic),
                    .out_c = (int32_t)(g.groups * g.oc),
                    .stride_h = 1,
                    .stride_w = 1,
                    .dil_h = 1,
                    .dil_w = 1,
                    .groups = (int32_t)g.groups,
                    .in_zero = whet__pl_byte_zero(p, n->in[0]),
                    .in_signed = whet__pl_dtype(p, n->in[0]) == WHET_S8};
  k.in_pitch = pixel_pitch(p, &g, n->in[0], g.in);
  whet_arg table;
  if (k.in_pitch < k.in_c || !whet__pl_product_out(p, n, &k.out, &table) || k.out.live) return WHET_LATE;
  k.w_zeros = whet__pl_w_zeros(p, n->in[1], k.out_c);
  for (int64_t i = 0; i < g.stride[1] * g.stride[2]; i++) {
    phase y = phase_of(&g, 1, i / g.stride[2]), across = phase_of(&g, 2, i % g.stride[2]);
    if (y.count > 0 && across.count > 0) WHET_TRY(plan_phase(p, n, &g, &k, y, across, table));
  }
  return WHET_OK;
}

/* The sum of one output of a transposed convolution, without bias: over the taps that an input position throws at it.
 */
static int64_t thrown(const whet_args *args, const whet_conv_geo *g, const int64_t *at, int64_t x0, int64_t w0,
                      int64_t zx, int64_t zw) {
  const whet_conv_attr *a = args->attr;
  const whet_tensor *x = &args->in[0], *w = &args->in[1];
  int64_t xc = x->stride[whet__conv_chan(a, g)], taps[3] = {g->kernel[0], g->kernel[1], g->kernel[2]}, tap[3] = {0};
  uint64_t acc = 0;
  do {
    int64_t p[3];
    bool hit = true;
    for (int d = 0; d < 3; d++) {
      int64_t from = at[d] + g->pad[d] - tap[d] * g->dilation[d];
      p[d] = from / g->stride[d];
      hit &= from >= 0 && from % g->stride[d] == 0 && p[d] < g->in[d];
    }
    if (!hit) continue;
    int64_t xi = x0 + place(a, g, x, p), wi = w0 + tap[0] * g->w_tap[0] + tap[1] * g->w_tap[1] + tap[2] * g->w_tap[2];
    for (int64_t c = 0; c < g->ic; c++)
      acc += (uint64_t)((whet__get_i64(x->dtype, x->data, xi + c * xc) - zx) *
                        (whet__get_i64(w->dtype, w->data, wi + c * g->w_ic) - zw));
  } while (whet__index_next(3, taps, tap));
  return (int64_t)acc;
}

whet_status whet__conv_transpose_q8_ref(const whet_args *args) {
  const whet_conv_attr *a = args->attr;
  const whet_tensor *x = &args->in[0], *b = args->n_in > 2 ? &args->in[2] : NULL, *y = &args->out[0];
  whet_conv_geo g = whet__conv_ref_geo(args, true);
  whet_product_out out = whet__product_out(args);
  int32_t chan = whet__conv_chan(a, &g);
  int64_t dim[5] = {g.batch, g.out[0], g.out[1], g.out[2], g.groups * g.oc}, at[5] = {0};
  if (!whet__tensor_count(y)) return WHET_OK;
  do {
    int64_t group = at[4] / g.oc;
    int64_t v = thrown(args, &g, at + 1, at[0] * x->stride[0] + group * g.ic * x->stride[chan],
                       group * g.w_group + at[4] % g.oc * g.w_oc, x->q->zero[0], whet__q_zero(out.w, at[4]));
    if (b && b->data) v += whet__get_i64(b->dtype, b->data, at[4] * (b->rank ? b->stride[b->rank - 1] : 0));
    whet__product_store(&out, y, at[0] * y->stride[0] + at[4] * y->stride[chan] + place(a, &g, y, at + 1), at[4], v);
  } while (whet__index_next(5, dim, at));
  return WHET_OK;
}
