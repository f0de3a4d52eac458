/* SPDX-License-Identifier: Apache-2.0 */
/* Operators with windows: their padding is SAME or VALID in TFLite; other padding is a PAD before them. */

#include <float.h>

#include "base/dtype.h"
#include "export/tflite_ops.h"
#include "op/conv.h"
#include "op/pool.h"
#include "op/resize.h"

enum { SAME, VALID };

/* Which padding a window has whose spatial dimensions are the last `k` of the arrays of three: SAME, VALID, or -1. */
static int padding(int k, const int64_t *in, const int64_t *out, const int64_t *kernel, const int64_t *stride,
                   const int64_t *dilation, const int64_t *pad, const int64_t *pad_end, bool loose) {
  bool same = true, valid = true;
  for (int i = 3 - k; i < 3; i++) {
    int64_t reach = (kernel[i] - 1) * dilation[i] + 1, total = whet__max_i((out[i] - 1) * stride[i] + reach - in[i], 0);
    if (!whet__dim_known(in[i]) || !whet__dim_known(out[i])) return -1;
    same &= out[i] == whet__ceil_div(in[i], stride[i]) && pad[i] == total / 2 && (loose || pad_end[i] == total - total / 2 || out[i] == 1);
    valid &= !pad[i] && !pad_end[i] && out[i] == (in[i] - reach) / stride[i] + 1;
  }
  return valid ? VALID : same ? SAME : -1;
}

/* Value x with positions put around it: PAD, or PADV2 with the least number. */
static int32_t padded(whet_tfl_out *o, const whet_node *n, int k, const int64_t *pad, const int64_t *pad_end, bool lowest) {
  const whet_val *x = &o->x.g->val[n->in[0]];
  whet_shape s = x->shape;
  int32_t pairs[2 * WHET_MAX_RANK] = {0};
  int64_t dims[2] = {s.rank, 2};
  for (int i = 0; i < k; i++) {
    pairs[2 * (1 + i)] = (int32_t)pad[3 - k + i];
    pairs[2 * (1 + i) + 1] = (int32_t)pad_end[3 - k + i];
    if (whet__dim_known(s.d[1 + i])) s.d[1 + i] += pad[3 - k + i] + pad_end[3 - k + i];
  }
  int32_t in[3] = {TENSOR(0), whet__tx_const(o, "pads", WHET_S32, 2, dims, pairs, NULL), -1}, out = whet__tx_like(o, "padded", n->in[0], &s);
  if (lowest && !x->q) in[2] = whet__tx_scalar(o, n->in[0], -FLT_MAX);
  if (lowest && x->q) {
    int8_t least = x->dtype == WHET_U8 ? 0 : INT8_MIN;
    in[2] = whet__tx_const(o, "least", (whet_dtype)x->dtype, 0, NULL, &least, x->q);
  }
  whet__tx_op(o, lowest ? "PADV2" : "PAD", TYPE(n), in, lowest ? 3 : 2, &out, 1);
  return out;
}

/* The bias, zeros where there is none. */
static int32_t bias_of(whet_tfl_out *o, const whet_node *n, int i, int64_t count) {
  if (IN(i) >= 0) return whet__tx_tensor(o, n->in[i]);
  const whet_val *x = &o->x.g->val[n->in[0]], *w = &o->x.g->val[n->in[1]];
  if (x->q && x->dtype != WHET_F32) {
    float *scale = whet__arena_array(&o->x.a, (size_t)whet__max_i(w->q ? w->q->n : 1, 1), sizeof *scale);
    void *zeros = whet__arena_array(&o->x.a, (size_t)count + 1, 8);
    if (!scale || !zeros || !w->q) return -1;
    for (int32_t k = 0; k < w->q->n; k++) scale[k] = x->q->scale[0] * w->q->scale[k];
    whet_quant q = {.n = w->q->n, .scale = scale};
    return whet__tx_const(o, "bias", x->dtype == WHET_S16 ? WHET_S64 : WHET_S32, 1, &count, zeros, &q);
  }
  float *zeros = whet__arena_array(&o->x.a, (size_t)count + 1, sizeof *zeros);
  return zeros ? whet__tx_const(o, "bias", WHET_F32, 1, &count, zeros, NULL) : -1;
}

/* Types that TFLite's convolutions take. */
static bool x_type(const whet_tfl_out *o, const whet_node *n) {
  return TYPE(n) == WHET_F32 || o->x.g->val[n->in[0]].q;
}

whet_status whet__tx_conv(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  const whet_conv_attr *a = n->attr;
  const whet_shape *x = &o->x.g->val[n->in[0]].shape, *w = &o->x.g->val[n->in[1]].shape;
  char why[WHET_CONV_WHY];
  whet_conv_geo g;
  int8_t perm[WHET_MAX_RANK];
  (void)builtin;
  if (!a->last) return whet__export_refuse(&o->x, n, "channels are first and could not be moved");
  if (x->rank < 0 || w->rank < 0 || !whet__conv_geo(a, false, x, w, NULL, &g, why))
    return whet__export_refuse(&o->x, n, "%s", x->rank < 0 || w->rank < 0 ? "the rank of an input is not known" : why);
  if (!x_type(o, n)) return whet__export_refuse(&o->x, n, "numbers of this type");
  if (g.n < 2) return whet__export_refuse(&o->x, n, "one spatial dimension; TFLite has two or three");
  bool dw = g.n == 2 && g.groups > 1 && g.ic == 1;
  int pad = a->pad_mode == WHET_CONV_SAME_UPPER ? SAME : a->pad_mode == WHET_CONV_VALID ? VALID
            : padding(g.n, g.in, g.out, g.kernel, g.stride, g.dilation, g.pad, g.pad_end, false);
  int32_t in[3] = {-1, -1, -1};
  bool zeros = true;
  for (int i = 3 - g.n; i < 3; i++) zeros &= !g.pad[i] && !g.pad_end[i];
  if (pad < 0 && zeros) pad = VALID;
  if (g.n == 3 && g.groups > 1) return whet__export_refuse(&o->x, n, "groups in three dimensions");
  in[0] = pad < 0 ? padded(o, n, g.n, g.pad, g.pad_end, false) : TENSOR(0);
  if (pad < 0) pad = VALID;
  whet__export_order(a->weights, g.n == 3 ? WHET_CONV_SIO : dw ? WHET_CONV_1SO : WHET_CONV_OSI, w->rank, perm);
  in[1] = whet__tx_weights(o, n->in[1], perm, w->rank, false);
  in[2] = bias_of(o, n, 2, g.groups * g.oc);
  int32_t out = whet__tx_tensor(o, whet__tx_activated(o, n));
  whet__tx_int(o, 0, pad);
  if (g.n == 3) {
    const int stride[3] = {1, 3, 2}, dilation[3] = {5, 7, 6};
    for (int i = 0; i < 3; i++) whet__tx_int(o, stride[i], g.stride[i]), whet__tx_int(o, dilation[i], g.dilation[i]);
    whet__tx_int(o, 4, o->activation);
  } else {
    whet__tx_int(o, 1, g.stride[2]);
    whet__tx_int(o, 2, g.stride[1]);
    if (dw) whet__tx_int(o, 3, g.oc);
    whet__tx_int(o, dw ? 4 : 3, o->activation);
    whet__tx_int(o, dw ? 5 : 4, g.dilation[2]);
    whet__tx_int(o, dw ? 6 : 5, g.dilation[1]);
    if (!dw && whet__tx_narrow_bias(o, n)) whet__tx_int(o, 6, whet__tf_type(WHET_S32));
  }
  whet__tx_op(o, g.n == 3 ? "CONV_3D" : dw ? "DEPTHWISE_CONV_2D" : "CONV_2D", TYPE(n), in, 3, &out, 1);
  return WHET_OK;
}

whet_status whet__tx_conv_transpose(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  const whet_conv_attr *a = n->attr;
  const whet_shape *x = &o->x.g->val[n->in[0]].shape, *w = &o->x.g->val[n->in[1]].shape, *y = &o->x.g->val[n->out[0]].shape;
  char why[WHET_CONV_WHY];
  whet_conv_geo g;
  int8_t perm[WHET_MAX_RANK];
  int64_t dims[4];
  if (!a->last) return whet__export_refuse(&o->x, n, "channels are first and could not be moved");
  if (x->rank != 4 || w->rank != 4 || y->rank != 4 || !whet__conv_geo(a, true, x, w, y, &g, why))
    return whet__export_refuse(&o->x, n, "only two spatial dimensions of known sizes");
  if (g.groups > 1 || g.dilation[1] != 1 || g.dilation[2] != 1) return whet__export_refuse(&o->x, n, "groups or dilation");
  int pad[2];
  for (int i = 1; i < 3; i++) {
    if (!whet__dim_known(y->d[i])) return whet__export_refuse(&o->x, n, "only two spatial dimensions of known sizes");
    int64_t total = whet__max_i((g.in[i] - 1) * g.stride[i] + g.kernel[i] - g.out[i], 0);
    bool same = g.in[i] == whet__ceil_div(g.out[i], g.stride[i]) && g.pad[i] == total / 2;
    bool valid = !g.pad[i] && g.in[i] == (g.out[i] - g.kernel[i]) / g.stride[i] + 1;
    pad[i - 1] = valid ? VALID : same ? SAME : -1;
  }
  if (pad[0] < 0 || pad[0] != pad[1]) return whet__export_refuse(&o->x, n, "this padding");
  if (!whet__dim_known(y->d[0])) return whet__export_refuse(&o->x, n, "the number of pictures is open");
  for (int i = 0; i < 4; i++) dims[i] = y->d[i];
  whet__export_order(a->weights, WHET_CONV_OSI, 4, perm);
  int32_t w_from = whet__tx_integer_weights(o, n);
  int32_t in[4] = {whet__tx_list(o, "shape", dims, 4), whet__tx_weights(o, w_from, perm, 4, false), TENSOR(0), TENSOR(2)};
  int32_t out = whet__tx_tensor(o, whet__tx_activated(o, n));
  whet__tx_int(o, 0, pad[0]);
  whet__tx_int(o, 1, g.stride[2]);
  whet__tx_int(o, 2, g.stride[1]);
  if (o->activation) whet__tx_int(o, 3, o->activation);
  whet__tx_op(o, builtin, TYPE(n), in, in[3] < 0 ? 3 : 4, &out, 1);
  return WHET_OK;
}

/* A window that is everything: a reduction over the spatial axes. */
static whet_status global(whet_tfl_out *o, const whet_node *n, const whet_pool_geo *g, const char *builtin) {
  int64_t axes[3];
  for (int i = 0; i < g->n; i++) axes[i] = 1 + i;
  if (!strcmp(builtin, "L2_POOL_2D")) return whet__export_refuse(&o->x, n, "the norm of a whole picture");
  int32_t in[2] = {TENSOR(0), whet__tx_list(o, "axes", axes, g->n)};
  whet__tx_int(o, 0, 1);
  return whet__tx_simple(o, n, !strcmp(builtin, "MAX_POOL_2D") ? "REDUCE_MAX" : "MEAN", in, 2);
}

whet_status whet__tx_pool(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  const whet_pool_attr *a = n->attr;
  const whet_shape *x = &o->x.g->val[n->in[0]].shape;
  char why[WHET_POOL_WHY];
  whet_pool_geo g;
  bool max = !strcmp(builtin, "MAX_POOL_2D"), average = !strcmp(builtin, "AVERAGE_POOL_2D"), none = true;
  if (!a->last) return whet__export_refuse(&o->x, n, "channels are first and could not be moved");
  if (n->n_out > 1 && n->out[1] >= 0) return whet__export_refuse(&o->x, n, "indices");
  if (!max && !average && (!a->mean || a->p != 2)) return whet__export_refuse(&o->x, n, "the sum of powers; TFLite has the mean of squares");
  if (x->rank < 0) return whet__export_refuse(&o->x, n, "the rank of an input is not known");
  if (!whet__pool_geo(a, x, &g, why)) return whet__export_refuse(&o->x, n, "%s", why);
  if (a->global) return global(o, n, &g, builtin);
  if (g.n != 2 || g.dilation[1] != 1 || g.dilation[2] != 1) return whet__export_refuse(&o->x, n, "other than two spatial dimensions, or dilation");
  int pad = a->pad_mode == WHET_POOL_SAME_UPPER ? SAME : a->pad_mode == WHET_POOL_VALID ? VALID
            : padding(2, g.in, g.out, g.kernel, g.stride, g.dilation, g.pad, g.pad_end, max || !a->count_pads);
  for (int i = 1; i < 3; i++) {
    if (whet__dim_known(g.in[i]) && whet__dim_known(g.out[i])) /* what counting up adds */
      g.pad_end[i] = whet__max_i((g.out[i] - 1) * g.stride[i] + g.kernel[i] - g.in[i] - g.pad[i], 0);
    none &= !g.pad[i] && !g.pad_end[i];
  }
  if (pad < 0 && none) pad = VALID;
  if (average && pad == SAME && a->count_pads && !none) pad = -1;
  if (pad < 0 && !max && !(average && a->count_pads && !a->ceil)) return whet__export_refuse(&o->x, n, "this padding");
  int32_t in = pad < 0 ? padded(o, n, 2, g.pad, g.pad_end, max) : TENSOR(0), out = whet__tx_tensor(o, whet__tx_activated(o, n));
  whet__tx_int(o, 0, pad < 0 ? VALID : pad);
  whet__tx_int(o, 1, g.stride[2]);
  whet__tx_int(o, 2, g.stride[1]);
  whet__tx_int(o, 3, g.kernel[2]);
  whet__tx_int(o, 4, g.kernel[1]);
  whet__tx_int(o, 5, o->activation);
  whet__tx_op(o, builtin, TYPE(n), &in, 1, &out, 1);
  return WHET_OK;
}

/* Sizes that are whole multiples. */
static bool whole(const whet_shape *x, const whet_shape *y) {
  for (int i = 1; i < 4; i++)
    if (!x->d[i] || y->d[i] % x->d[i]) return false;
  return true;
}

/* The operator with channels turned to the end for it, and back. */
static void turned_resize(whet_tfl_out *o, const whet_node *n, const char *builtin, int32_t size) {
  static const int64_t to[4] = {0, 2, 3, 1}, back[4] = {0, 3, 1, 2};
  whet_shape x = o->x.g->val[n->in[0]].shape, y = o->x.g->val[n->out[0]].shape, tx = x, ty = y;
  for (int i = 0; i < 4; i++) tx.d[i] = x.d[to[i]], ty.d[i] = y.d[to[i]];
  whet_tfl_field keep[2] = {o->field[0], o->field[1]};
  int n_keep = o->n_field;
  o->n_field = 0;
  int32_t in[2] = {TENSOR(0), whet__tx_list(o, "perm", to, 4)}, last = whet__tx_like(o, "turned", n->in[0], &tx);
  int32_t big = whet__tx_like(o, "turned", n->out[0], &ty), out = whet__tx_tensor(o, n->out[0]);
  whet__tx_op(o, "TRANSPOSE", TYPE(n), in, 2, &last, 1);
  memcpy(o->field, keep, sizeof keep);
  o->n_field = n_keep;
  in[0] = last, in[1] = size;
  whet__tx_op(o, builtin, TYPE(n), in, 2, &big, 1);
  in[0] = big, in[1] = whet__tx_list(o, "perm", back, 4);
  whet__tx_op(o, "TRANSPOSE", TYPE(n), in, 2, &out, 1);
}

whet_status whet__tx_resize(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  const whet_resize_attr *a = n->attr;
  const whet_shape *x = &o->x.g->val[n->in[0]].shape, *y = &o->x.g->val[n->out[0]].shape;
  int64_t size[2];
  (void)builtin;
  if (x->rank != 4 || y->rank != 4 || a->antialias || a->exclude || a->mode == WHET_RESIZE_CUBIC || a->place == WHET_RESIZE_CROP)
    return whet__export_refuse(&o->x, n, "only pictures, nearest or linear, without antialiasing");
  for (int i = 1; i < 4; i++)
    if (!whet__dim_known(x->d[i]) || !whet__dim_known(y->d[i])) return whet__export_refuse(&o->x, n, "a size is not known");
  bool last = x->d[3] == y->d[3], first = !last && x->d[1] == y->d[1];
  if (x->d[0] != y->d[0] || (!last && !first)) return whet__export_refuse(&o->x, n, "it changes the number of pictures or channels");
  for (int i = 0; i < 2; i++) size[i] = y->d[i + 1 + first];
  bool linear = a->mode == WHET_RESIZE_LINEAR, align = a->place == WHET_RESIZE_ALIGN_CORNERS, flat = a->place == WHET_RESIZE_ASYMMETRIC;
  bool half = a->place == WHET_RESIZE_HALF_PIXEL || a->place == WHET_RESIZE_PYTORCH || a->place == WHET_RESIZE_TF_HALF_PIXEL;
  bool known = linear ? align || flat || a->place == WHET_RESIZE_HALF_PIXEL ||
                            (a->place == WHET_RESIZE_PYTORCH && size[0] > 1 && size[1] > 1)
                      : (flat && (a->nearest == WHET_RESIZE_FLOOR || (whole(x, y) && a->nearest == WHET_RESIZE_SIMPLE))) ||
                            (half && a->place != WHET_RESIZE_TF_HALF_PIXEL && whole(x, y) && a->nearest <= WHET_RESIZE_ROUND_UP) ||
                            (a->place == WHET_RESIZE_TF_HALF_PIXEL && a->nearest == WHET_RESIZE_FLOOR) ||
                            (align && a->nearest == WHET_RESIZE_ROUND_UP);
  if (!known) return whet__export_refuse(&o->x, n, "this way to find places");
  const char *resize = linear ? "RESIZE_BILINEAR" : "RESIZE_NEAREST_NEIGHBOR";
  int32_t in[2] = {-1, whet__tx_list(o, "size", size, 2)};
  int flag = linear ? 2 : 0;
  if (align) whet__tx_int(o, flag, 1);
  if (half) whet__tx_int(o, flag + 1, 1);
  if (first) return turned_resize(o, n, resize, in[1]), WHET_OK;
  in[0] = TENSOR(0);
  return whet__tx_simple(o, n, resize, in, 2);
}

whet_status whet__tx_blocks(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  int32_t in = TENSOR(0);
  if (!whet__at_int(n, "channels_last") || whet__at_int(n, "crd")) return whet__export_refuse(&o->x, n, "this order of channels");
  whet__tx_int(o, 0, whet__at_int(n, "size"));
  return whet__tx_simple(o, n, builtin, &in, 1);
}
