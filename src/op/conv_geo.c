/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes, attributes and types of convolutions: everything from a file is checked here. */

#include <stdio.h>

#include "op/conv.h"
#include "op/edit.h"
#include "op/move.h"
#include "op/walk.h"

const whet_attr_desc whet__conv_attrs[] = {{"strides", WHET_ATTR_I64S, offsetof(whet_conv_attr, strides)},
                                           {"dilations", WHET_ATTR_I64S, offsetof(whet_conv_attr, dilations)},
                                           {"pads", WHET_ATTR_I64S, offsetof(whet_conv_attr, pads)},
                                           {"kernel_shape", WHET_ATTR_I64S, offsetof(whet_conv_attr, kernel)},
                                           {"output_padding", WHET_ATTR_I64S, offsetof(whet_conv_attr, out_pad)},
                                           {"output_shape", WHET_ATTR_I64S, offsetof(whet_conv_attr, out_shape)},
                                           {"group", WHET_ATTR_I64, offsetof(whet_conv_attr, group)},
                                           {"pad_mode", WHET_ATTR_U8, offsetof(whet_conv_attr, pad_mode)},
                                           {"channels_last", WHET_ATTR_BOOL, offsetof(whet_conv_attr, last)},
                                           {"weights", WHET_ATTR_U8, offsetof(whet_conv_attr, weights)},
                                           {"pad_value", WHET_ATTR_F32, offsetof(whet_conv_attr, pad_value)},
                                           {0}};

/* Sizes stay below this, so that sums and products of two of them cannot overflow. */
#define LIMIT ((int64_t)1 << 31)

/* One number for each spatial dimension, from lo to LIMIT; an empty list leaves what is there. */
static bool take(const char *name, whet_ints list, int32_t n, int64_t lo, int64_t *to, char *why) {
  if (!list.n) return true;
  if (list.n != n) {
    snprintf(why, WHET_CONV_WHY, "%s has %d numbers, expected %d", name, list.n, n);
    return false;
  }
  for (int32_t i = 0; i < n; i++) {
    if (list.v[i] < lo || list.v[i] >= LIMIT) {
      snprintf(why, WHET_CONV_WHY, "%s holds %lld", name, (long long)list.v[i]);
      return false;
    }
    to[i] = list.v[i];
  }
  return true;
}

/* Where outputs, inputs and the first spatial dimension stand in the weights; -1: not there. */
static void weight_axes(unsigned form, int32_t n, int32_t *o, int32_t *i, int32_t *s) {
  switch (form) {
    case WHET_CONV_OIS:
      *o = 0, *i = 1, *s = 2;
      break;
    case WHET_CONV_OSI:
      *o = 0, *i = n + 1, *s = 1;
      break;
    case WHET_CONV_1SO:
      *o = n + 1, *i = -1, *s = 1;
      break;
    case WHET_CONV_SIO:
      *o = n + 1, *i = n, *s = 0;
      break;
    case WHET_CONV_IOS:
      *o = 1, *i = 0, *s = 2;
      break;
    case WHET_CONV_ISO:
      *o = n + 1, *i = 0, *s = 1;
      break;
    case WHET_CONV_ISO_1:
      *o = -1, *i = n + 1, *s = 1;
      break;
    default:
      *o = n, *i = n + 1, *s = 0;
      break;
  }
}

/* Kernel, channels, groups and steps from the weights; c: the input's channels, or not a number. */
static bool take_weights(const whet_conv_attr *a, bool transposed, whet_dim c, const whet_shape *w, whet_conv_geo *g,
                         char *why) {
  int32_t o, i, s, n = g->n;
  int64_t step[WHET_MAX_RANK], inputs, outputs;
  weight_axes(a->weights, n, &o, &i, &s);
  for (int32_t d = w->rank - 1, last = d; d >= 0; d--) {
    if (!whet__dim_known(w->d[d]) || w->d[d] < 1 || w->d[d] >= LIMIT) {
      snprintf(why, WHET_CONV_WHY, "dimension %d of the weights is %lld", d, (long long)w->d[d]);
      return false;
    }
    step[d] = d == last ? 1 : step[d + 1] * w->d[d + 1];
  }
  for (int32_t d = 0; d < n; d++) {
    g->kernel[3 - n + d] = w->d[s + d];
    g->w_tap[3 - n + d] = step[s + d];
    if (a->kernel.n == n && a->kernel.v[d] != w->d[s + d]) {
      snprintf(why, WHET_CONV_WHY, "kernel_shape says %lld where the weights have %lld", (long long)a->kernel.v[d],
               (long long)w->d[s + d]);
      return false;
    }
  }
  if ((a->weights == WHET_CONV_1SO || a->weights == WHET_CONV_ISO_1) && w->d[0] != 1) {
    snprintf(why, WHET_CONV_WHY, "the first dimension of depthwise weights is %lld, expected 1", (long long)w->d[0]);
    return false;
  }
  inputs = i < 0 ? 1 : w->d[i];
  outputs = o < 0 ? 1 : w->d[o];
  /* ONNX's transposed weights hold all inputs and the outputs of one group, all others the reverse. */
  bool all_inputs = a->weights == WHET_CONV_IOS || a->weights == WHET_CONV_ISO || a->weights == WHET_CONV_ISO_1;
  g->groups = a->group;
  int64_t most = whet__dim_known(c) ? whet__max_i(c, 1) : INT32_MAX;
  if (g->groups < 0 || g->groups > most) {
    snprintf(why, WHET_CONV_WHY, "%lld groups, expected 1 to %lld", (long long)g->groups, (long long)most);
    return false;
  }
  if (!g->groups) g->groups = all_inputs || transposed ? 1 : whet__dim_known(c) ? c / inputs : -1;
  g->ic = all_inputs && g->groups > 0 ? inputs / g->groups : inputs;
  g->oc = all_inputs ? outputs : g->groups > 0 ? outputs / g->groups : -1;
  g->w_oc = o < 0 ? 0 : step[o];
  g->w_ic = i < 0 ? 0 : step[i];
  g->w_group = all_inputs ? g->ic * g->w_ic : g->oc * g->w_oc;
  if (g->groups < 0 || !whet__dim_known(c)) return true;
  if (g->groups == 0 || g->groups * g->ic != c ||
      (all_inputs ? g->ic * g->groups != inputs : g->oc * g->groups != outputs)) {
    snprintf(why, WHET_CONV_WHY,
             "%lld input channels in %lld groups do not fit weights for %lld inputs and %lld outputs", (long long)c,
             (long long)g->groups, (long long)inputs, (long long)outputs);
    return false;
  }
  return true;
}

/* Padding that follows from sizes: total positions, the odd one at the end (SAME_UPPER) or at the beginning. */
static void split_padding(const whet_conv_attr *a, whet_conv_geo *g, int i, int64_t total) {
  total = whet__max_i(total, 0);
  g->pad[i] = a->pad_mode == WHET_CONV_SAME_UPPER ? total / 2 : total - total / 2;
  g->pad_end[i] = total - g->pad[i];
}

/* Output size of dimension i, and its padding. */
static bool out_size(const whet_conv_attr *a, whet_conv_geo *g, int i, char *why) {
  bool same = a->pad_mode == WHET_CONV_SAME_UPPER || a->pad_mode == WHET_CONV_SAME_LOWER;
  int64_t reach = (g->kernel[i] - 1) * g->dilation[i] + 1, in = g->in[i];
  if (!whet__dim_known(in)) {
    bool keeps = g->stride[i] == 1 && (same || g->pad[i] + g->pad_end[i] == reach - 1);
    g->out[i] = keeps ? in : WHET_DIM_ANY;
    return true;
  }
  if (in >= LIMIT) {
    snprintf(why, WHET_CONV_WHY, "the input has %lld positions", (long long)in);
    return false;
  }
  if (same) {
    g->out[i] = whet__ceil_div(in, g->stride[i]);
    split_padding(a, g, i, (g->out[i] - 1) * g->stride[i] + reach - in);
    return true;
  }
  int64_t room = in + g->pad[i] + g->pad_end[i] - reach;
  if (room < 0) {
    snprintf(why, WHET_CONV_WHY,
             "a kernel that reaches over %lld positions does not fit %lld of them and padding of %lld",
             (long long)reach, (long long)in, (long long)(g->pad[i] + g->pad_end[i]));
    return false;
  }
  g->out[i] = room / g->stride[i] + 1;
  return true;
}

/* The same for a transposed convolution; `extra`: output_padding, `want`: the output's size where it is given, else
 * -1. */
static bool transposed_size(const whet_conv_attr *a, whet_conv_geo *g, int i, int64_t extra, int64_t want,
                            char *why) {
  bool same = a->pad_mode == WHET_CONV_SAME_UPPER || a->pad_mode == WHET_CONV_SAME_LOWER;
  int64_t reach = (g->kernel[i] - 1) * g->dilation[i] + 1;
  if (!whet__dim_known(g->in[i])) {
    g->out[i] = want >= 0 ? want : WHET_DIM_ANY;
    return true;
  }
  if (g->in[i] >= LIMIT / 2 || g->stride[i] >= LIMIT / 2 || reach >= LIMIT) {
    snprintf(why, WHET_CONV_WHY, "sizes are too large");
    return false;
  }
  int64_t full = (g->in[i] - 1) * g->stride[i] + reach + extra; /* without padding */
  if (g->in[i] == 0) full = 0;
  if (same && want < 0) want = g->in[i] * g->stride[i];
  if (want >= 0) {
    if (a->pad_mode != WHET_CONV_VALID) split_padding(a, g, i, full - want);
    g->out[i] = want;
    return true;
  }
  g->out[i] = full - g->pad[i] - g->pad_end[i];
  if (g->out[i] < 0) {
    snprintf(why, WHET_CONV_WHY, "padding of %lld leaves nothing of %lld positions",
             (long long)(g->pad[i] + g->pad_end[i]), (long long)full);
    return false;
  }
  return true;
}

bool whet__conv_geo(const whet_conv_attr *a, bool transposed, const whet_shape *x, const whet_shape *w,
                    const whet_shape *out, whet_conv_geo *g, char why[WHET_CONV_WHY]) {
  int32_t n = x->rank - 2;
  int64_t pads[6] = {0}, extra[3] = {0}, want[3] = {-1, -1, -1};
  *g = (whet_conv_geo){.n = n, .batch = x->d[0]};
  if (n < 1 || n > 3 || w->rank != x->rank) {
    snprintf(why, WHET_CONV_WHY, "input of rank %d and weights of rank %d: expected equal ranks from 3 to 5", x->rank,
             w->rank);
    return false;
  }
  for (int i = 0; i < 3; i++) {
    g->in[i] = g->out[i] = g->kernel[i] = g->stride[i] = g->dilation[i] = 1;
    if (i >= 3 - n) g->in[i] = x->d[whet__conv_axis(a, g, i)];
  }
  int first = 3 - n;
  if (!take("strides", a->strides, n, 1, g->stride + first, why) ||
      !take("dilations", a->dilations, n, 1, g->dilation + first, why) ||
      !take("pads", a->pads, 2 * n, 0, pads, why) || !take("output_padding", a->out_pad, n, 0, extra, why) ||
      !take("output_shape", a->out_shape, n, 0, want, why) ||
      !take_weights(a, transposed, x->d[whet__conv_chan(a, g)], w, g, why))
    return false;
  if (a->kernel.n && a->kernel.n != n) {
    snprintf(why, WHET_CONV_WHY, "kernel_shape has %d numbers, expected %d", a->kernel.n, n);
    return false;
  }
  for (int i = 0; i < n; i++) {
    int d = first + i;
    if (a->pad_mode == WHET_CONV_PADS) g->pad[d] = pads[i], g->pad_end[d] = pads[n + i];
    if (out && out->rank == x->rank) want[i] = whet__max_i(out->d[whet__conv_axis(a, g, d)], -1);
    if (!(transposed ? transposed_size(a, g, d, extra[i], want[i], why) : out_size(a, g, d, why))) return false;
  }
  return true;
}

void whet__conv_out_shape(const whet_conv_attr *a, const whet_conv_geo *g, whet_shape *out) {
  out->rank = g->n + 2;
  out->d[0] = g->batch;
  out->d[whet__conv_chan(a, g)] = g->oc < 0 || g->groups < 0 ? WHET_DIM_ANY : g->groups * g->oc;
  for (int i = 3 - g->n; i < 3; i++) out->d[whet__conv_axis(a, g, i)] = g->out[i];
}

whet_conv_geo whet__conv_plan_geo(const whet_planner *p, const whet_node *n, bool transposed) {
  char why[WHET_CONV_WHY];
  whet_conv_geo g;
  const whet_shape *out = n->n_in > 3 && n->in[3] >= 0 ? whet__pl_shape(p, n->out[0]) : NULL;
  whet__conv_geo(n->attr, transposed, whet__pl_shape(p, n->in[0]), whet__pl_shape(p, n->in[1]), out, &g, why);
  return g;
}

whet_conv_geo whet__conv_ref_geo(const whet_args *a, bool transposed) {
  char why[WHET_CONV_WHY];
  whet_conv_geo g;
  whet_shape x = whet__shape(a->in[0].rank, a->in[0].dim), w = whet__shape(a->in[1].rank, a->in[1].dim);
  whet_shape out = whet__shape(a->out[0].rank, a->out[0].dim);
  whet__conv_geo(a->attr, transposed, &x, &w, a->n_in > 3 && a->in[3].data ? &out : NULL, &g, why);
  return g;
}

bool whet__conv_permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  const whet_conv_attr *a = whet__ed_graph(e)->node[node].attr;
  bool to_last = true, to_first = true;
  for (int i = 0; i < rank; i++) {
    to_last &= perm[i] == (i == 0 ? 0 : i == rank - 1 ? 1 : i + 1);
    to_first &= perm[i] == (i == 0 ? 0 : i == 1 ? rank - 1 : i - 1);
  }
  if (rank < 3 || !(a->last ? to_first : to_last)) return false;
  whet_graph *g = whet__ed_graph(e);
  if (g->node[node].n_in > 3 && g->node[node].in[3] >= 0) { /* ConvTranspose: the output's shape */
    int64_t turned[WHET_MAX_RANK], dim = rank;
    int32_t n;
    const int64_t *out = whet__ed_ints(e, g->node[node].in[3], &n);
    if (!out || n != rank) return false;
    for (int i = 0; i < rank; i++) turned[i] = out[perm[i]];
    int32_t c = whet__ed_const(e, WHET_S64, 1, &dim, turned);
    if (c < 0) return false;
    g->node[node].in[3] = c;
  }
  whet_conv_attr *b = whet__ed_attr(e, node);
  if (!b) return false;
  b->last = !b->last;
  return whet__perm_same(perm, rank, perm_out);
}

whet_ints whet__conv_list(whet_import *im, const int64_t *v, int32_t n) {
  return (whet_ints){whet__arena_copy(whet__im_arena(im), v, (size_t)n * sizeof *v), n};
}

whet_status whet__conv_read_onnx(whet_import *im, whet_conv_attr *a) {
  static const char *const modes[] = {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"};
  whet_str s = whet__onnx_str(im, "auto_pad", "NOTSET");
  int mode = -1;
  for (int i = 0; i < 4; i++)
    if (s.n == strlen(modes[i]) && !memcmp(s.p, modes[i], s.n)) mode = i;
  if (mode < 0) return whet__im_fail(im, WHET_E_DATA, "auto_pad \"%.*s\"", (int)whet__min_i((int64_t)s.n, 40), s.p);
  a->pad_mode = (uint8_t)mode;
  a->strides = whet__onnx_ints(im, "strides");
  a->dilations = whet__onnx_ints(im, "dilations");
  a->pads = whet__onnx_ints(im, "pads");
  a->kernel = whet__onnx_ints(im, "kernel_shape");
  a->group = whet__onnx_int(im, "whet_depthwise", 0) ? 0 : whet__onnx_int(im, "group", 1); /* the former: our own formulas */
  if (a->group < 0 || a->group >= LIMIT) return whet__im_fail(im, WHET_E_DATA, "group is %lld", (long long)a->group);
  return WHET_OK;
}

whet_status whet__conv_read_tfl_padding(whet_import *im, int64_t code, whet_conv_attr *a) {
  if (code != 0 && code != 1) return whet__im_fail(im, WHET_E_DATA, "padding is %lld", (long long)code);
  a->pad_mode = code ? WHET_CONV_VALID : WHET_CONV_SAME_UPPER;
  return WHET_OK;
}

whet_status whet__conv_types(whet_infer *f, int x, int w, int b, whet_dtype *t) {
  *t = whet__in_dtype(f, x);
  whet_dtype wt = whet__in_dtype(f, w);
  if (whet__quantised(*t, whet__in_quant(f, x))) {
    const whet_val *out = whet__out_val(f, 0);
    if (!whet__is_int(wt) || !whet__in_quant(f, w))
      return whet__infer_fail(f, WHET_E_TYPE, "the weights are %s, expected quantised integers", whet_dtype_name(wt));
    if (b >= 0 && whet__in_has(f, b) && whet__in_dtype(f, b) != WHET_S32 && whet__in_dtype(f, b) != WHET_S64)
      return whet__infer_fail(f, WHET_E_TYPE, "the bias is %s, expected int32 or int64",
                              whet_dtype_name(whet__in_dtype(f, b)));
    if (out && out->dtype) *t = (whet_dtype)out->dtype;
    return WHET_OK;
  }
  if (!whet__type_in(WHET_T_FLOAT, *t))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(*t));
  const whet_quant *wq = whet__in_quant(f, w);
  bool hybrid = *t == WHET_F32 && whet__is_int(wt) && wq && !wq->block;
  if ((wt != *t && !hybrid) || (b >= 0 && whet__in_has(f, b) && whet__in_dtype(f, b) != *t))
    return whet__infer_fail(f, WHET_E_TYPE, "the input is %s, the weights are %s, the bias %s", whet_dtype_name(*t),
                            whet_dtype_name(wt),
                            b >= 0 && whet__in_has(f, b) ? whet_dtype_name(whet__in_dtype(f, b)) : "absent");
  return WHET_OK;
}

whet_status whet__conv_scales(whet_infer *f, int w, whet_dim channels) {
  const whet_quant *q = whet__in_quant(f, w);
  if (!q || !whet__is_int(whet__in_dtype(f, w)) || q->n == 1 || !whet__dim_known(channels) || q->n == channels)
    return WHET_OK;
  return whet__infer_fail(f, WHET_E_SHAPE, "the weights have %d scales for %lld outputs", q->n, (long long)channels);
}

int64_t whet__conv_joined(const whet_conv_geo *g, int64_t lanes) {
  int64_t most = 1;
  if (g->ic == 1 && g->oc == 1) return 1;
  for (int64_t n = 2; n < g->groups && n * g->oc <= lanes; n++)
    if (g->groups % n == 0) most = n;
  return most;
}
