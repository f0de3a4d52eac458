/* SPDX-License-Identifier: Apache-2.0 */
/* RNN(x): h = f(W x + R h + b), over time; and what it shares with LSTM and GRU (rnn.h).
 *
 * ONNX RNN 1-22: directions, activations with their parameters, clip, sequence_lens, initial state, both layouts. All
 * float types; the reference computes in double. Steps past an entry's length give zeros. */

#include "op/rnn.h"

#include <math.h>

/* ---- attributes ------------------------------------------------------------------------------ */

#define FIELD(name, kind) \
  { #name, WHET_ATTR_##kind, offsetof(whet_rnn, name) }
#define ACT(i)                                                                                               \
  {"act" #i, WHET_ATTR_U8, offsetof(whet_rnn, act[i])}, {"a" #i, WHET_ATTR_F32, offsetof(whet_rnn, a[i])}, { \
    "b" #i, WHET_ATTR_F32, offsetof(whet_rnn, b[i])                                                          \
  }
const whet_attr_desc whet__rnn_attrs[] = {FIELD(hidden, I32),
                                          FIELD(dirs, U8),
                                          FIELD(backward, BOOL),
                                          FIELD(batch_first, BOOL),
                                          FIELD(couple, BOOL),
                                          FIELD(reset_after, BOOL),
                                          FIELD(clip, F32),
                                          ACT(0),
                                          ACT(1),
                                          ACT(2),
                                          ACT(3),
                                          ACT(4),
                                          ACT(5),
                                          {0}};

/* ONNX's names, compared without regard to case; a and b are the defaults. */
static const struct {
  const char *name;
  float a, b;
} k_acts[RNN_ACTIVATIONS] = {{"Tanh", 0, 0},       {"Sigmoid", 0, 0},           {"Relu", 0, 0},
                             {"Affine", 1, 0},     {"LeakyRelu", 0.01f, 0},     {"ThresholdedRelu", 1, 0},
                             {"ScaledTanh", 1, 1}, {"HardSigmoid", 0.2f, 0.5f}, {"Elu", 1, 0},
                             {"Softsign", 0, 0},   {"Softplus", 0, 0}};

/* Does the activation take alpha, and beta? The lists of parameters hold entries for those only. */
bool whet__rnn_takes_alpha(int act) {
  return act == RNN_AFFINE || act == RNN_LEAKY_RELU || act == RNN_THRESHOLDED_RELU || act == RNN_SCALED_TANH ||
         act == RNN_HARD_SIGMOID || act == RNN_ELU;
}
bool whet__rnn_takes_beta(int act) { return act == RNN_AFFINE || act == RNN_SCALED_TANH || act == RNN_HARD_SIGMOID; }

const char *whet__rnn_act_name(int act) { return k_acts[act].name; }

double whet__rnn_act(const whet_rnn *r, int k, double x) {
  double a = r->a[k], b = r->b[k];
  switch (r->act[k]) {
    case RNN_SIGMOID:
      return 1 / (1 + exp(-x));
    case RNN_RELU:
      return x > 0 ? x : 0;
    case RNN_AFFINE:
      return a * x + b;
    case RNN_LEAKY_RELU:
      return x < 0 ? a * x : x;
    case RNN_THRESHOLDED_RELU:
      return x > a ? x : 0;
    case RNN_SCALED_TANH:
      return a * tanh(b * x);
    case RNN_HARD_SIGMOID:
      return fmax(0, fmin(1, a * x + b));
    case RNN_ELU:
      return x < 0 ? a * expm1(x) : x;
    case RNN_SOFTSIGN:
      return x / (1 + fabs(x));
    case RNN_SOFTPLUS:
      return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
    default:
      return tanh(x);
  }
}

/* ---- reading --------------------------------------------------------------------------------- */

static int act_of(whet_str s) {
  for (int k = 0; k < RNN_ACTIVATIONS; k++) {
    size_t n = strlen(k_acts[k].name), i = 0;
    while (i < n && i < s.n && (s.p[i] | 0x20) == (k_acts[k].name[i] | 0x20)) i++;
    if (i == n && s.n == n) return k;
  }
  return -1;
}

whet_status whet__rnn_read(whet_import *im, const whet_op *op, int n_act, const uint8_t *dflt) {
  WHET_NEW_ATTR(im, whet_rnn, r);
  whet_str dir = whet__onnx_str(im, "direction", "forward");
  if (dir.n == 13 && !memcmp(dir.p, "bidirectional", 13))
    r->dirs = 2;
  else if ((dir.n == 7 && !memcmp(dir.p, "forward", 7)) || (dir.n == 7 && !memcmp(dir.p, "reverse", 7)))
    r->dirs = 1, r->backward = dir.p[0] == 'r';
  else
    return whet__im_fail(im, WHET_E_DATA, "direction \"%.*s\"", (int)whet__min_i((int64_t)dir.n, 40), dir.p);
  r->hidden = whet__small(whet__onnx_int(im, "hidden_size", 0));
  r->batch_first = whet__onnx_int(im, "layout", 0) != 0;
  r->couple = whet__onnx_int(im, "input_forget", 0) != 0;
  r->reset_after = whet__onnx_int(im, "linear_before_reset", 0) != 0;
  r->clip = whet__onnx_float(im, "clip", 0);
  whet_strs names = whet__onnx_strs(im, "activations");
  whet_floats alpha = whet__onnx_floats(im, "activation_alpha"), beta = whet__onnx_floats(im, "activation_beta");
  int total = n_act * r->dirs, next_a = 0, next_b = 0;
  if (names.n && names.n != total)
    return whet__im_fail(im, WHET_E_DATA, "%d activations, expected %d", names.n, total);
  for (int k = 0; k < total; k++) {
    int act = names.n ? act_of(names.v[k]) : dflt[k % n_act];
    if (act < 0)
      return whet__im_fail(im, WHET_E_UNSUPPORTED, "activation \"%.*s\"", (int)whet__min_i((int64_t)names.v[k].n, 40),
                           names.v[k].p);
    r->act[k] = (uint8_t)act;
    r->a[k] = whet__rnn_takes_alpha(act) && next_a < alpha.n ? alpha.v[next_a++] : k_acts[act].a;
    r->b[k] = whet__rnn_takes_beta(act) && next_b < beta.n ? beta.v[next_b++] : k_acts[act].b;
  }
  return whet__im_node_as_is(im, op, r);
}

/* ---- shape rule ------------------------------------------------------------------------------ */

/* Input i, where it is given, has these dimensions (-1: any). */
static whet_status expect(whet_infer *f, int i, const char *name, int32_t rank, const int64_t *d) {
  const whet_shape *s = whet__in_shape(f, i);
  if (!whet__in_has(f, i) || s->rank < 0) return WHET_OK;
  bool fits = s->rank == rank;
  for (int32_t k = 0; fits && k < rank; k++) fits = d[k] < 0 || !whet__dim_known(s->d[k]) || s->d[k] == d[k];
  if (fits) return WHET_OK;
  return whet__infer_fail(f, WHET_E_SHAPE, "%s does not have the shape that x, hidden_size and direction ask for",
                          name);
}

whet_status whet__rnn_infer(whet_infer *f, const whet_node *n, int gates, bool cell) {
  const whet_rnn *r = n->attr;
  const whet_shape *x = whet__in_shape(f, 0), *w = whet__in_shape(f, 1);
  whet_dtype t = whet__in_dtype(f, 0);
  WHET_TRY(whet__infer_rank(f, 0, 3, 3));
  WHET_TRY(whet__infer_rank(f, 1, 3, 3));
  if (t != WHET_F32 && t != WHET_F16 && t != WHET_F64 && t != WHET_BF16)
    return whet__infer_fail(f, WHET_E_TYPE, "a recurrent network of %s", whet_dtype_name(t));
  for (int i = 1; i < 8; i++)
    if (whet__in_has(f, i) && i != 4 && whet__in_dtype(f, i) != t)
      return whet__infer_fail(f, WHET_E_TYPE, "input %d is %s, x is %s", i, whet_dtype_name(whet__in_dtype(f, i)),
                              whet_dtype_name(t));
  WHET_TRY(whet__infer_is_int(f, 4));
  if (!whet__dim_known(w->d[1]) || !whet__dim_known(w->d[2])) return WHET_LATE;
  int64_t h = w->d[1] / gates, in = w->d[2], d = r->dirs;
  if (h * gates != w->d[1] || h < 1 || h > INT32_MAX / 16 || (r->hidden && r->hidden != h))
    return whet__infer_fail(f, WHET_E_SHAPE, "W has %lld rows for a hidden size of %d", (long long)w->d[1],
                            r->hidden);
  whet_dim steps = x->d[r->batch_first], batch = x->d[!r->batch_first];
  int64_t b = whet__dim_known(batch) ? batch : -1, rows = gates * h;
  WHET_TRY(expect(f, 0, "x", 3, (int64_t[]){-1, -1, in}));
  WHET_TRY(expect(f, 1, "W", 3, (int64_t[]){d, rows, in}));
  WHET_TRY(expect(f, 2, "R", 3, (int64_t[]){d, rows, h}));
  WHET_TRY(expect(f, 3, "B", 2, (int64_t[]){d, 2 * rows}));
  WHET_TRY(expect(f, 4, "sequence_lens", 1, (int64_t[]){b}));
  int64_t state[3] = {r->batch_first ? b : d, r->batch_first ? d : b, h};
  WHET_TRY(expect(f, 5, "initial_h", 3, state));
  if (cell) WHET_TRY(expect(f, 6, "initial_c", 3, state));
  if (cell) WHET_TRY(expect(f, 7, "P", 2, (int64_t[]){d, 3 * h}));
  whet_dim y[4] = {steps, d, batch, h}, y1[4] = {batch, steps, d, h};
  whet_dim s[3] = {d, batch, h}, s1[3] = {batch, d, h};
  whet__out_dims(f, 0, t, 4, r->batch_first ? y1 : y);
  for (int o = 1; o < 2 + cell; o++) whet__out_dims(f, o, t, 3, r->batch_first ? s1 : s);
  return WHET_OK;
}

/* ---- references' access ---------------------------------------------------------------------- */

whet_rnn_dims whet__rnn_dims(const whet_rnn *r, const whet_tensor *x) {
  return (whet_rnn_dims){x->dim[r->batch_first], x->dim[!r->batch_first], x->dim[2]};
}

/* Element of a float tensor. */
static double at3(const whet_tensor *t, int64_t i, int64_t j, int64_t k) {
  return whet__get_f64(t->dtype, t->data, i * t->stride[0] + j * t->stride[1] + k * t->stride[2]);
}

whet_status whet__rnn_lane(const whet_args *a, int64_t d, int64_t b, whet_rnn_lane *l) {
  const whet_rnn *r = a->attr;
  int64_t steps = whet__rnn_dims(r, &a->in[0]).steps;
  *l = (whet_rnn_lane){a, r, d, b, steps, r->dirs == 2 ? d == 1 : r->backward};
  if (a->n_in <= 4 || !a->in[4].data) return WHET_OK;
  l->length = whet__vec_i64(&a->in[4], b);
  if (l->length < 0 || l->length > steps)
    return whet__fail(a->err, WHET_E_DATA, "sequence %lld has %lld of %lld steps", (long long)b, (long long)l->length,
                      (long long)steps);
  return WHET_OK;
}

double whet__rnn_x(const whet_rnn_lane *l, int64_t t, int64_t k) {
  return l->r->batch_first ? at3(&l->a->in[0], l->b, t, k) : at3(&l->a->in[0], t, l->b, k);
}

double whet__rnn_wx(const whet_rnn_lane *l, int64_t t, int64_t row) {
  const whet_tensor *w = &l->a->in[1];
  double s = 0;
  for (int64_t k = 0; k < w->dim[2]; k++) s += at3(w, l->d, row, k) * whet__rnn_x(l, t, k);
  return s;
}

double whet__rnn_rh(const whet_rnn_lane *l, const double *h, int64_t row) {
  const whet_tensor *r = &l->a->in[2];
  double s = 0;
  for (int64_t k = 0; k < r->dim[2]; k++) s += at3(r, l->d, row, k) * h[k];
  return s;
}

double whet__rnn_bias(const whet_rnn_lane *l, int64_t row) {
  const whet_tensor *b = &l->a->in[3];
  if (l->a->n_in <= 3 || !b->data) return 0;
  return whet__get_f64(b->dtype, b->data, l->d * b->stride[0] + row * b->stride[1]);
}

double whet__rnn_state(const whet_rnn_lane *l, int i, int64_t u) {
  if (l->a->n_in <= i || !l->a->in[i].data) return 0;
  return l->r->batch_first ? at3(&l->a->in[i], l->b, l->d, u) : at3(&l->a->in[i], l->d, l->b, u);
}

void whet__rnn_put_y(const whet_rnn_lane *l, int64_t t, int64_t u, double v) {
  if (l->a->n_out < 1 || !l->a->out[0].data) return;
  const whet_tensor *y = &l->a->out[0];
  int64_t at[4] = {t, l->d, l->b, u}, at1[4] = {l->b, t, l->d, u};
  whet__set_f64(y->dtype, y->data, whet__index_offset(4, l->r->batch_first ? at1 : at, y->stride), v);
}

void whet__rnn_put_state(const whet_rnn_lane *l, int o, int64_t u, double v) {
  if (l->a->n_out <= o || !l->a->out[o].data) return;
  const whet_tensor *y = &l->a->out[o];
  int64_t at[3] = {l->d, l->b, u}, at1[3] = {l->b, l->d, u};
  whet__set_f64(y->dtype, y->data, whet__index_offset(3, l->r->batch_first ? at1 : at, y->stride), v);
}

/* ---- RNN ------------------------------------------------------------------------------------- */

static whet_status rnn_onnx(whet_import *im, const whet_op *op) {
  static const uint8_t dflt[] = {RNN_TANH};
  return whet__rnn_read(im, op, 1, dflt);
}
static const whet_from k_from[] = {{"", "RNN", 1, rnn_onnx}, {0}};

static whet_status rnn_infer(whet_infer *f, const whet_node *n) { return whet__rnn_infer(f, n, 1, false); }

/* Two states: the old one is needed until all units are done. */
static size_t rnn_scratch(const whet_args *a) { return (size_t)(2 * a->in[2].dim[2]) * sizeof(double); }

static whet_status rnn_ref(const whet_args *a) {
  const whet_rnn *r = a->attr;
  whet_rnn_dims n = whet__rnn_dims(r, &a->in[0]);
  int64_t units = a->in[2].dim[2];
  for (int64_t d = 0; d < r->dirs; d++)
    for (int64_t b = 0; b < n.batch; b++) {
      whet_rnn_lane l;
      double *h = a->scratch, *next = h + units;
      WHET_TRY(whet__rnn_lane(a, d, b, &l));
      for (int64_t u = 0; u < units; u++) h[u] = whet__rnn_state(&l, 5, u);
      for (int64_t step = 0; step < l.length; step++) {
        int64_t t = whet__rnn_time(&l, step);
        for (int64_t u = 0; u < units; u++) {
          double v =
              whet__rnn_wx(&l, t, u) + whet__rnn_rh(&l, h, u) + whet__rnn_bias(&l, u) + whet__rnn_bias(&l, units + u);
          if (r->clip > 0) v = fmax(-r->clip, fmin(r->clip, v));
          next[u] = whet__rnn_act(r, (int)d, v);
          whet__rnn_put_y(&l, t, u, next[u]);
        }
        double *old = h;
        h = next;
        next = old;
      }
      for (int64_t u = 0; u < units; u++) {
        for (int64_t t = l.length; t < n.steps; t++) whet__rnn_put_y(&l, t, u, 0);
        whet__rnn_put_state(&l, 1, u, h[u]);
      }
    }
  return WHET_OK;
}

const whet_op whet_op_RNN = {.name = "RNN",
                             .attr_size = sizeof(whet_rnn),
                             .attrs = whet__rnn_attrs,
                             .from = k_from,
                             .infer = rnn_infer,
                             .ref = rnn_ref,
                             .scratch = rnn_scratch};
