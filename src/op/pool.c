/* SPDX-License-Identifier: Apache-2.0 */
/* MaxPool, AveragePool, LpPool: the greatest element, the mean, (sum |x|^p)^(1/p) of a window that moves over the
 * spatial dimensions, and the same over all of them.
 *
 * ONNX MaxPool 1-22 with indices, AveragePool 1-22, LpPool 2-22, Global{Max,Average,Lp}Pool; TFLite MAX_POOL_2D,
 * AVERAGE_POOL_2D, L2_POOL_2D (root of the mean of squares). 1 to 3 spatial dimensions, channels second or last.
 * Windows that would start in the padding at the end are left out (ONNX, ceil_mode); padding past the declared one
 * never counts.
 *
 * Types: MaxPool all numbers, the others floats; f32 with channels last by kernels. Quantised numbers: pool_q8.c. */

#include "op/pool.h"

#include <math.h>
#include <stdio.h>

#include "kern/pool_f32.h"
#include "op/edit.h"
#include "op/move.h"
#include "op/tile.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

const whet_attr_desc whet__pool_attrs[] = {{"kernel_shape", WHET_ATTR_I64S, offsetof(whet_pool_attr, kernel)},
                                         {"strides", WHET_ATTR_I64S, offsetof(whet_pool_attr, strides)},
                                         {"dilations", WHET_ATTR_I64S, offsetof(whet_pool_attr, dilations)},
                                         {"pads", WHET_ATTR_I64S, offsetof(whet_pool_attr, pads)},
                                         {"p", WHET_ATTR_I32, offsetof(whet_pool_attr, p)},
                                         {"pad_mode", WHET_ATTR_U8, offsetof(whet_pool_attr, pad_mode)},
                                         {"channels_last", WHET_ATTR_BOOL, offsetof(whet_pool_attr, last)},
                                         {"global", WHET_ATTR_BOOL, offsetof(whet_pool_attr, global)},
                                         {"ceil_mode", WHET_ATTR_BOOL, offsetof(whet_pool_attr, ceil)},
                                         {"count_include_pad", WHET_ATTR_BOOL, offsetof(whet_pool_attr, count_pads)},
                                         {"mean", WHET_ATTR_BOOL, offsetof(whet_pool_attr, mean)},
                                         {"storage_order", WHET_ATTR_BOOL, offsetof(whet_pool_attr, columns)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

/* A new attribute struct, zeroed. */
static whet_status new_attr(whet_import *im, whet_pool_attr **a) {
  *a = whet__arena_alloc(whet__im_arena(im), sizeof **a);
  return *a ? WHET_OK : whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
}

static whet_status read_onnx(whet_import *im, const whet_op *op) {
  whet_pool_attr *a;
  WHET_TRY(new_attr(im, &a));
  whet_str pad = whet__onnx_str(im, "auto_pad", "NOTSET");
  a->kernel = whet__onnx_ints(im, "kernel_shape");
  a->strides = whet__onnx_ints(im, "strides");
  a->dilations = whet__onnx_ints(im, "dilations");
  a->pads = whet__onnx_ints(im, "pads");
  a->p = (int32_t)whet__clamp_i(whet__onnx_int(im, "p", 2), -1, INT32_MAX);
  a->ceil = whet__onnx_int(im, "ceil_mode", 0) != 0;
  a->count_pads = whet__onnx_int(im, "count_include_pad", 0) != 0;
  a->columns = whet__onnx_int(im, "storage_order", 0) != 0;
  a->pad_mode = whet__str_is(pad, "SAME_UPPER")   ? WHET_POOL_SAME_UPPER
                : whet__str_is(pad, "SAME_LOWER") ? WHET_POOL_SAME_LOWER
                : whet__str_is(pad, "VALID")      ? WHET_POOL_VALID
                                        : WHET_POOL_PADS;
  if (!a->kernel.n) return whet__im_fail(im, WHET_E_FORMAT, "attribute kernel_shape is missing");
  return whet__im_node_as_is(im, op, a);
}

static whet_status read_global(whet_import *im, const whet_op *op) {
  whet_pool_attr *a;
  WHET_TRY(new_attr(im, &a));
  a->global = true;
  a->p = (int32_t)whet__clamp_i(whet__onnx_int(im, "p", 2), -1, INT32_MAX);
  return whet__im_node_as_is(im, op, a);
}

/* TFLite's Pool2DOptions: padding, strides w and h, filter w and h, activation. */
static whet_status read_tfl(whet_import *im, const whet_op *op) {
  whet_pool_attr *a;
  WHET_TRY(new_attr(im, &a));
  int64_t kernel[2] = {whet__tfl_int(im, 4, 0), whet__tfl_int(im, 3, 0)};
  int64_t stride[2] = {whet__tfl_int(im, 2, 0), whet__tfl_int(im, 1, 0)}, code = whet__tfl_int(im, 5, 0);
  a->kernel = (whet_ints){whet__arena_copy(whet__im_arena(im), kernel, sizeof kernel), 2};
  a->strides = (whet_ints){whet__arena_copy(whet__im_arena(im), stride, sizeof stride), 2};
  if (!a->kernel.v || !a->strides.v) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  a->pad_mode = whet__tfl_int(im, 0, 0) ? WHET_POOL_VALID : WHET_POOL_SAME_UPPER;
  a->last = a->mean = true;
  a->p = 2;
  int32_t in = whet__im_in(im, 0), out = whet__tfl_before_activation(im, code);
  WHET_TRY(whet__im_node(im, op, a, &in, 1, &out, 1));
  whet__im_round(im, WHET_ROUND_TFL_FIX);
  return whet__tfl_activation(im, code, out, whet__im_out(im, 0));
}

static const whet_from k_max_from[] = {{"", "MaxPool", 1, read_onnx},
                                       {"", "GlobalMaxPool", 1, read_global},
                                       {"tflite", "MAX_POOL_2D", 1, read_tfl},
                                       {0}};
static const whet_from k_average_from[] = {{"", "AveragePool", 1, read_onnx},
                                           {"", "GlobalAveragePool", 1, read_global},
                                           {"tflite", "AVERAGE_POOL_2D", 1, read_tfl},
                                           {0}};
static const whet_from k_lp_from[] = {
    {"", "LpPool", 1, read_onnx}, {"", "GlobalLpPool", 1, read_global}, {"tflite", "L2_POOL_2D", 1, read_tfl}, {0}};

/* ---- sizes ----------------------------------------------------------------------------------- */

/* Number i of a list, `dflt` when the list is empty. */
static int64_t at(const whet_ints *v, int i, int64_t dflt) { return v->n ? v->v[i] : dflt; }

/* Output size and padding of one dimension. False when there is no output. */
static bool one_dim(const whet_pool_attr *a, whet_pool_geo *g, int d) {
  if (!whet__dim_known(g->in[d])) {
    g->out[d] = WHET_DIM_ANY;
    return true;
  }
  int64_t in = g->in[d], k = (g->kernel[d] - 1) * g->dilation[d] + 1, s = g->stride[d];
  if (a->pad_mode == WHET_POOL_SAME_UPPER || a->pad_mode == WHET_POOL_SAME_LOWER) {
    g->out[d] = whet__ceil_div(in, s);
    int64_t total = whet__max_i(0, (g->out[d] - 1) * s + k - in);
    g->pad[d] = (total + (a->pad_mode == WHET_POOL_SAME_LOWER)) / 2;
    g->pad_end[d] = total - g->pad[d];
    return true;
  }
  int64_t room = in + g->pad[d] + g->pad_end[d] - k;
  if (room < 0) return false;
  g->out[d] = (a->ceil && a->pad_mode == WHET_POOL_PADS ? whet__ceil_div(room, s) : room / s) + 1;
  /* A window that starts past the input and its first padding is left out. */
  if (g->out[d] > 1 && (g->out[d] - 1) * s >= in + g->pad[d]) g->out[d]--;
  return true;
}

bool whet__pool_geo(const whet_pool_attr *a, const whet_shape *x, whet_pool_geo *g, char why[WHET_POOL_WHY]) {
  int32_t n = x->rank - 2;
  *g = (whet_pool_geo){.n = n};
  if (n < 0 || n > 3 || (!a->global && n < 1)) {
    snprintf(why, WHET_POOL_WHY, "expected 3 to 5 dimensions, got %d", x->rank);
    return false;
  }
  g->batch = x->d[0];
  g->chan = x->d[a->last ? x->rank - 1 : 1];
  for (int d = 0; d < 3; d++) g->in[d] = g->out[d] = g->kernel[d] = g->stride[d] = g->dilation[d] = 1;
  for (int i = 0; i < n; i++) g->in[3 - n + i] = x->d[i + (a->last ? 1 : 2)];
  if (a->global) {
    for (int d = 3 - n; d < 3; d++) g->kernel[d] = g->in[d];
    return true;
  }
  if (a->kernel.n != n || (a->strides.n && a->strides.n != n) || (a->dilations.n && a->dilations.n != n) ||
      (a->pads.n && a->pads.n != 2 * n)) {
    snprintf(why, WHET_POOL_WHY,
             "kernel_shape, strides, dilations and pads have %d, %d, %d and %d numbers for %d spatial dimensions",
             a->kernel.n, a->strides.n, a->dilations.n, a->pads.n, n);
    return false;
  }
  enum { MOST = 1 << 24 };
  for (int i = 0; i < n; i++) {
    int d = 3 - n + i;
    g->kernel[d] = a->kernel.v[i];
    g->stride[d] = at(&a->strides, i, 1);
    g->dilation[d] = at(&a->dilations, i, 1);
    if (a->pad_mode == WHET_POOL_PADS) g->pad[d] = at(&a->pads, i, 0), g->pad_end[d] = at(&a->pads, n + i, 0);
    bool sane = g->kernel[d] >= 1 && g->kernel[d] <= MOST && g->stride[d] >= 1 && g->stride[d] <= MOST &&
                g->dilation[d] >= 1 && g->dilation[d] <= MOST && g->pad[d] >= 0 && g->pad[d] <= MOST &&
                g->pad_end[d] >= 0 && g->pad_end[d] <= MOST;
    if (!sane || !one_dim(a, g, d)) {
      snprintf(why, WHET_POOL_WHY,
               "spatial dimension %d: kernel %lld, stride %lld, dilation %lld, pads %lld and %lld do not fit %lld "
               "elements",
               i, (long long)g->kernel[d], (long long)g->stride[d], (long long)g->dilation[d], (long long)g->pad[d],
               (long long)g->pad_end[d], (long long)g->in[d]);
      return false;
    }
  }
  return true;
}

whet_pool_geo whet__pl_pool_geo(const whet_planner *p, const whet_node *n) {
  whet_pool_geo g;
  char why[WHET_POOL_WHY];
  bool ok = whet__pool_geo(n->attr, whet__pl_shape(p, n->in[0]), &g, why);
  WHET_ASSERT(ok);
  (void)ok;
  return g;
}

whet_pool_geo whet__ref_pool_geo(const whet_args *a) {
  whet_pool_geo g;
  char why[WHET_POOL_WHY];
  whet_shape x = whet__shape(a->in[0].rank, a->in[0].dim);
  bool ok = whet__pool_geo(a->attr, &x, &g, why);
  WHET_ASSERT(ok);
  (void)ok;
  return g;
}

void whet__pool_window(const whet_pool_geo *g, int d, int64_t o, int64_t *from, int64_t *to) {
  int64_t start = o * g->stride[d] - g->pad[d], step = g->dilation[d];
  *from = start >= 0 ? 0 : (-start + step - 1) / step;
  *to = start >= g->in[d] ? 0 : whet__min_i(g->kernel[d], (g->in[d] - 1 - start) / step + 1);
  *to = whet__max_i(*from, *to);
}

/* ---- shape and type -------------------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_pool_attr *a = n->attr;
  whet_dtype t = whet__in_dtype(f, 0);
  bool max = !strcmp(n->op->name, "MaxPool"), quantised = whet__quantised(t, whet__in_quant(f, 0));
  whet_pool_geo g;
  char why[WHET_POOL_WHY];
  if (whet__in_n(f) != 1) return whet__infer_fail(f, WHET_E_FORMAT, "expected 1 input, got %d", whet__in_n(f));
  if (!whet__type_in(max ? WHET_T_NUM : WHET_T_FLOAT, t) && !quantised)
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  if (!strcmp(n->op->name, "LpPool") && a->p < 1)
    return whet__infer_fail(f, WHET_E_DATA, "p is %d: expected 1 or more", a->p);
  if (!whet__pool_geo(a, whet__in_shape(f, 0), &g, why)) return whet__infer_fail(f, WHET_E_SHAPE, "%s", why);
  whet_shape y = {.rank = g.n + 2};
  y.d[0] = g.batch;
  y.d[a->last ? g.n + 1 : 1] = g.chan;
  for (int i = 0; i < g.n; i++) y.d[i + (a->last ? 1 : 2)] = g.out[3 - g.n + i];
  *whet__out(f, 0, t) = y;
  if (max && whet__out_has(f, 1)) *whet__out(f, 1, WHET_S64) = y;
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* What a window holds so far. */
struct window {
  double sum;       /* sum, or greatest real */
  int64_t best;     /* greatest integer */
  int64_t where[3]; /* of the greatest */
  int64_t count;    /* elements inside */
};

/* Which of the three, and on what. */
struct pool {
  const whet_tensor *x;
  whet_pool_geo g;
  int64_t stride[3], p;
  bool max, lp, whole, u;
};

/* Take element `at` into the window. */
static void take(const struct pool *o, struct window *w, int64_t at, const int64_t *where) {
  const whet_tensor *x = o->x;
  bool better = false;
  if (o->max && o->whole) {
    int64_t v = whet__get_i64(x->dtype, x->data, at);
    better = !w->count || (o->u ? (uint64_t)v > (uint64_t)w->best : v > w->best);
    if (better) w->best = v;
  } else {
    double v = whet__get_f64(x->dtype, x->data, at);
    if (o->max) {
      better = !w->count || v > w->sum || (isnan(v) && !isnan(w->sum));
      if (better) w->sum = v;
    } else if (o->lp) {
      w->sum += o->p == 1 ? fabs(v) : o->p == 2 ? v * v : pow(fabs(v), (double)o->p);
    } else {
      w->sum += v;
    }
  }
  if (better) memcpy(w->where, where, sizeof w->where);
  w->count++;
}

/* The window of output position `out` in the plane that starts at element `base`. */
static struct window look(const struct pool *o, int64_t base, const int64_t *out) {
  struct window w = {.sum = o->max ? -INFINITY : 0};
  int64_t from[3], to[3], at[3], k[3];
  if (o->max && o->whole) w.best = o->u ? 0 : whet__dtype_min(o->x->dtype);
  for (int d = 0; d < 3; d++) whet__pool_window(&o->g, d, out[d], &from[d], &to[d]);
  for (k[0] = from[0]; k[0] < to[0]; k[0]++)
    for (k[1] = from[1]; k[1] < to[1]; k[1]++)
      for (k[2] = from[2]; k[2] < to[2]; k[2]++) {
        int64_t i = base;
        for (int d = 0; d < 3; d++) {
          at[d] = out[d] * o->g.stride[d] - o->g.pad[d] + k[d] * o->g.dilation[d];
          i += at[d] * o->stride[d];
        }
        take(o, &w, i, at);
      }
  return w;
}

/* Elements that an average is divided by: those inside, or those of the padded input. */
static double divisor(const whet_pool_attr *a, const whet_pool_geo *g, const int64_t *out, int64_t inside) {
  if (!a->count_pads) return (double)inside;
  double n = 1;
  for (int d = 0; d < 3; d++) {
    int64_t start = out[d] * g->stride[d] - g->pad[d], step = g->dilation[d];
    n *= (double)whet__min_i(g->kernel[d], (g->in[d] + g->pad_end[d] - 1 - start) / step + 1);
  }
  return n;
}

/* Number of an input element as ONNX MaxPool's indices count it: batch, channel, place. */
static int64_t flat_index(const whet_pool_attr *a, const whet_pool_geo *g, int64_t b, int64_t c, const int64_t *w) {
  int64_t place =
      a->columns ? (w[2] * g->in[1] + w[1]) * g->in[0] + w[0] : (w[0] * g->in[1] + w[1]) * g->in[2] + w[2];
  int64_t size = g->in[0] * g->in[1] * g->in[2];
  return a->last ? (b * size + place) * g->chan + c : (b * g->chan + c) * size + place;
}

static whet_status ref(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  const whet_tensor *index = arg->n_out > 1 && arg->out[1].data ? &arg->out[1] : NULL;
  const whet_pool_attr *a = arg->attr;
  if (whet__quantised(x->dtype, x->q)) return whet__pool_q8_ref(arg);
  struct pool o = {.x = x,
                   .g = whet__ref_pool_geo(arg),
                   .p = a->p,
                   .max = !strcmp(arg->node->op->name, "MaxPool"),
                   .lp = !strcmp(arg->node->op->name, "LpPool"),
                   .whole = !whet__is_float(x->dtype),
                   .u = whet__is_unsigned_int(x->dtype)};
  const whet_pool_geo *g = &o.g;
  int32_t space = a->last ? 1 : 2, chan = a->last ? g->n + 1 : 1;
  int64_t ys[3] = {0}, out[3];
  for (int i = 0; i < g->n; i++)
    o.stride[3 - g->n + i] = x->stride[space + i], ys[3 - g->n + i] = y->stride[space + i];
  for (int64_t b = 0; b < g->batch; b++)
    for (int64_t c = 0; c < g->chan; c++)
      for (out[0] = 0; out[0] < g->out[0]; out[0]++)
        for (out[1] = 0; out[1] < g->out[1]; out[1]++)
          for (out[2] = 0; out[2] < g->out[2]; out[2]++) {
            struct window w = look(&o, b * x->stride[0] + c * x->stride[chan], out);
            int64_t to = b * y->stride[0] + c * y->stride[chan];
            for (int d = 0; d < 3; d++) to += out[d] * ys[d];
            if (o.max && index) whet__set_i64(WHET_S64, index->data, to, flat_index(a, g, b, c, w.where));
            if (o.max && o.whole) {
              whet__set_i64(y->dtype, y->data, to, w.best);
              continue;
            }
            double v = w.sum, n = o.max ? 1 : divisor(a, g, out, w.count);
            if (o.lp && a->mean) v /= (double)w.count;
            if (o.lp) v = a->p == 1 ? v : a->p == 2 ? sqrt(v) : pow(v, 1.0 / a->p);
            whet__set_f64(y->dtype, y->data, to, o.lp || o.max ? v : n > 0 ? v / n : 0);
          }
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

/* A value as pixels of `chan` elements `pitch` apart; false when it lies otherwise. */
static bool pixels(const whet_planner *p, int32_t v, int64_t chan, int64_t *pitch) {
  int64_t rows, run, apart;
  whet__pl_pitch(p, v, &rows, &run, &apart);
  *pitch = rows > 1 && run == chan ? apart : chan;
  return rows <= 1 || run == chan || run == apart;
}

static whet_status plan(whet_planner *p, const whet_node *n) {
  const whet_pool_attr *a = n->attr;
  if (whet__quantised(whet__pl_dtype(p, n->in[0]), whet__pl_quant(p, n->in[0])))
    return whet__pl_group(p, 1) ? WHET_LATE : whet__pool_q8_plan(p, n);
  whet_pool_geo g = whet__pl_pool_geo(p, n);
  bool max = !strcmp(n->op->name, "MaxPool"), lp = !strcmp(n->op->name, "LpPool");
  if (whet__pl_dtype(p, n->in[0]) != WHET_F32 || !a->last || (n->n_out > 1 && n->out[1] >= 0) || (lp && a->p != 2))
    return WHET_LATE;
  whet_pool_f32 k = {.fn = max  ? WHET_POOL_F32_MAX
                           : lp ? WHET_POOL_F32_L2
                                : WHET_POOL_F32_MEAN,
                     .count_pads = a->count_pads,
                     .mean = a->mean,
                     .batch = g.batch,
                     .chan = g.chan};
  for (int d = 0; d < 3; d++) {
    k.in[d] = g.in[d], k.out[d] = g.out[d], k.kernel[d] = g.kernel[d], k.stride[d] = g.stride[d];
    k.dilation[d] = g.dilation[d], k.pad[d] = g.pad[d], k.pad_end[d] = g.pad_end[d];
  }
  int32_t res, out = whet__pl_group_out(p);
  if (!pixels(p, n->in[0], g.chan, &k.x_pitch) || !pixels(p, out, g.chan, &k.y_pitch)) return WHET_LATE;
  whet__pl_epi_f32(p, n, &k.epi, &res);
  int64_t res_pitch = k.y_pitch;
  if (res >= 0 && (!pixels(p, res, g.chan, &res_pitch) || res_pitch != k.y_pitch)) return WHET_LATE;
  whet_arg arg[3] = {whet__rd(n->in[0]), whet__wr(out), whet__rd(res)};
  int64_t rows = g.batch * g.out[0] * g.out[1];
  double taps = (double)(g.kernel[0] * g.kernel[1] * g.kernel[2]);
  double wide = whet__pl_target(p)->isa & (WHET_ISA_AVX2 | WHET_ISA_AVX512) ? 0.04 : 0.5;
  return whet__pl_kern(p, WHET_FAMILY_pool_f32, &k, sizeof k, arg, 3, rows * whet__ceil_div(g.chan, 64),
                       (double)(rows * g.out[2] * g.chan) * taps * wide);
}

/* ---- permutation ----------------------------------------------------------------------------- */

/* Channels from the second place to the last and back; not with indices, whose meaning depends on the order. */
static bool permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  const whet_node *n = &whet__ed_graph(e)->node[node];
  const whet_pool_attr *a = n->attr;
  if (n->n_out > 1 && n->out[1] >= 0) return false;
  if (!whet__perm_is_chan(perm, rank, a->last)) return false;
  whet_pool_attr *w = whet__ed_attr(e, node);
  if (!w) return false;
  w->last = !w->last;
  return true;
}

/* ---- records --------------------------------------------------------------------------------- */

#define POOL(name_, from_)                                                  \
  const whet_op whet_op_##name_ = {.name = #name_,                          \
                                   .flags = WHET_OP_SPATIAL | WHET_OP_TILE | WHET_OP_PITCH_IN | WHET_OP_PITCH_OUT, \
                                   .attr_size = sizeof(whet_pool_attr),     \
                                   .attrs = whet__pool_attrs,                        \
                                   .from = from_,                           \
                                   .infer = infer,                          \
                                   .plan = plan,                            \
                                   .permute = permute,                      \
                                   .grad = whet__pool_grad,                 \
                                   .ref = ref};
POOL(AveragePool, k_average_from)
POOL(LpPool, k_lp_from)
POOL(MaxPool, k_max_from)
