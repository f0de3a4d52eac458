/* SPDX-License-Identifier: Apache-2.0 */
/* SequenceRNN(x, w, r, b, h, aux, w2): h = y = act(b + w x + w2 aux + r h), over time; h goes on from call to call.
 *
 * TFLite RNN (one step), UNIDIRECTIONAL_SEQUENCE_RNN, and each half of BIDIRECTIONAL_SEQUENCE_RNN, whose outputs may
 * be merged by a Concat. float32 and hybrid. */

#include "op/fakeq.h"
#include "op/hybrid.h"
#include "op/move_attr.h"

enum { X, W, R, B, H, AUX, AUX_W, INPUTS };

/* ---- attributes ------------------------------------------------------------------------------ */

struct seq_rnn {
  uint8_t act;        /* TFLite's code */
  uint8_t time_major; /* x is [steps, batch, inputs]; rank 2: one step */
  uint8_t backward, asymmetric;
};
#define FIELD(name, kind) \
  { #name, WHET_ATTR_##kind, offsetof(struct seq_rnn, name) }
static const whet_attr_desc k_attrs[] = {
    FIELD(act, U8), FIELD(time_major, BOOL), FIELD(backward, BOOL), FIELD(asymmetric, BOOL), {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status build(whet_import *im, const struct seq_rnn *from, const int32_t *in, int32_t out) {
  WHET_NEW_ATTR(im, struct seq_rnn, a);
  *a = *from;
  if (in[H] < 0 || whet__im_val(im, in[H])->role != WHET_ROLE_VARIABLE)
    return whet__im_fail(im, WHET_E_FORMAT, "the state is no variable");
  int32_t own[INPUTS];
  memcpy(own, in, sizeof own);
  WHET_TRY(whet__im_hybrid_weights(im, own, INPUTS));
  return whet__im_node(im, whet__op_find("SequenceRNN"), a, own, INPUTS, &out, 1);
}

static whet_status one_way(whet_import *im, const struct seq_rnn *a) {
  int32_t in[INPUTS];
  for (int i = 0; i < INPUTS; i++) in[i] = i < AUX ? whet__im_in(im, i) : -1;
  return build(im, a, in, whet__im_out(im, 0));
}

static whet_status rnn_tfl(whet_import *im, const whet_op *op) {
  struct seq_rnn a = {
      .act = (uint8_t)whet__tfl_int(im, 0, 0), .time_major = 1, .asymmetric = whet__tfl_int(im, 1, 0) != 0};
  return one_way(im, &a);
}

static whet_status sequence_tfl(whet_import *im, const whet_op *op) {
  struct seq_rnn a = {.time_major = whet__tfl_int(im, 0, 0) != 0,
                      .act = (uint8_t)whet__tfl_int(im, 1, 0),
                      .asymmetric = whet__tfl_int(im, 2, 0) != 0};
  return one_way(im, &a);
}

static whet_status both_ways_tfl(whet_import *im, const whet_op *op) {
  struct seq_rnn a = {.time_major = whet__tfl_int(im, 0, 0) != 0,
                      .act = (uint8_t)whet__tfl_int(im, 1, 0),
                      .asymmetric = whet__tfl_int(im, 3, 0) != 0};
  bool merge = whet__tfl_int(im, 2, 0) != 0;
  int32_t aux = whet__im_in(im, 9), out[2];
  bool own = aux >= 0 && whet__im_in(im, 10) < 0; /* the backward half reads aux instead of x */
  for (int d = 0; d < 2; d++) {
    int32_t in[INPUTS] = {d && own ? aux : whet__im_in(im, 0), -1, -1, -1, -1, -1, -1};
    for (int i = W; i <= H; i++) in[i] = whet__im_in(im, 4 * d + i);
    if (aux >= 0 && !own) in[AUX] = aux, in[AUX_W] = whet__im_in(im, 10 + d);
    a.backward = (uint8_t)d;
    out[d] = merge ? whet__im_new(im, d ? "backward" : "forward") : whet__im_out(im, d);
    WHET_TRY(build(im, &a, in, out[d]));
  }
  if (!merge) return WHET_OK;
  WHET_NEW_ATTR(im, whet_concat, c);
  c->axis = -1;
  int32_t to = whet__im_out(im, 0);
  return whet__im_node(im, whet__op_find("Concat"), c, out, 2, &to, 1);
}

static const whet_from k_from[] = {{"tflite", "RNN", 1, rnn_tfl},
                                   {"tflite", "UNIDIRECTIONAL_SEQUENCE_RNN", 1, sequence_tfl},
                                   {"tflite", "BIDIRECTIONAL_SEQUENCE_RNN", 1, both_ways_tfl},
                                   {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

/* Weights or a state: F32, or (hybrid) int8 with one scale. */
static whet_status expect(whet_infer *f, int i, bool hybrid, int64_t d0, int64_t d1) {
  const whet_shape *s = whet__in_shape(f, i);
  const whet_quant *q = whet__in_quant(f, i);
  bool type = whet__in_dtype(f, i) == WHET_F32 || (hybrid && whet__in_dtype(f, i) == WHET_S8 && q && q->n == 1);
  if (!type || s->rank != (d1 ? 2 : 1) || s->d[0] != d0 || (d1 && s->d[1] != d1))
    return whet__infer_fail(f, WHET_E_SHAPE, "input %d does not have the type and shape that the others ask for", i);
  return WHET_OK;
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  const struct seq_rnn *a = n->attr;
  const whet_shape *x = whet__in_shape(f, X), *w = whet__in_shape(f, W);
  if (whet__in_dtype(f, X) != WHET_F32)
    return whet__infer_fail(f, WHET_E_TYPE, "a network of %s", whet_dtype_name(whet__in_dtype(f, X)));
  WHET_TRY(whet__infer_rank(f, X, 2, 3));
  WHET_TRY(whet__infer_rank(f, W, 2, 2));
  int64_t units = w->d[0], inputs = w->d[1];
  if (units < 1 || inputs < 1 || units > INT32_MAX / 16)
    return whet__infer_fail(f, WHET_E_SHAPE, "weights without a fixed size");
  if (whet__dim_known(x->d[x->rank - 1]) && x->d[x->rank - 1] != inputs)
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld inputs, weights for %lld", (long long)x->d[x->rank - 1],
                            (long long)inputs);
  WHET_TRY(expect(f, W, true, units, inputs));
  WHET_TRY(expect(f, R, true, units, units));
  WHET_TRY(expect(f, B, false, units, 0));
  if (whet__in_dtype(f, R) != whet__in_dtype(f, W))
    return whet__infer_fail(f, WHET_E_TYPE, "weights of different types");
  whet_dim batch = x->d[x->rank == 2 ? 0 : a->time_major];
  if (whet__dim_known(batch)) WHET_TRY(expect(f, H, false, batch, units));
  if (whet__in_has(f, AUX)) {
    const whet_shape *s = whet__in_shape(f, AUX);
    if (s->rank != x->rank || !whet__dim_known(s->d[s->rank - 1]) || whet__in_dtype(f, AUX) != WHET_F32)
      return whet__infer_fail(f, WHET_E_SHAPE, "the second input does not fit the first");
    for (int32_t i = 0; i + 1 < s->rank; i++)
      if (whet__dim_known(s->d[i]) && whet__dim_known(x->d[i]) && s->d[i] != x->d[i])
        return whet__infer_fail(f, WHET_E_SHAPE, "the second input does not fit the first");
    WHET_TRY(expect(f, AUX_W, true, units, s->d[s->rank - 1]));
    if (whet__in_dtype(f, AUX_W) != whet__in_dtype(f, W))
      return whet__infer_fail(f, WHET_E_TYPE, "weights of different types");
  }
  whet_shape *out = whet__out(f, 0, WHET_F32);
  *out = *x;
  out->d[x->rank - 1] = units;
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

static bool has(const whet_args *a, int i) { return i < a->n_in && a->in[i].rank >= 0; }
static int64_t last(const whet_tensor *t) { return t->dim[t->rank - 1]; }

static size_t scratch(const whet_args *a) {
  int64_t n = last(&a->in[X]) + (has(a, AUX) ? last(&a->in[AUX]) : 0), units = a->in[W].dim[0];
  return (size_t)(n + 2 * units) * sizeof(float) + (size_t)(n + units);
}

/* Offset of row [t][b]. */
static int64_t row_at(const struct seq_rnn *r, const whet_tensor *x, int64_t t, int64_t b) {
  if (x->rank == 2) return b * x->stride[0];
  return r->time_major ? t * x->stride[0] + b * x->stride[1] : b * x->stride[0] + t * x->stride[1];
}
static void take(float *to, const whet_tensor *t, int64_t at, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = ((const float *)t->data)[at + i * t->stride[t->rank - 1]];
}

static whet_status ref(const whet_args *a) {
  const struct seq_rnn *r = a->attr;
  const whet_tensor *x = &a->in[X], *th = &a->in[H], *y = &a->out[0];
  bool hybrid = a->in[W].dtype == WHET_S8;
  int64_t inputs = last(x), aux = has(a, AUX) ? last(&a->in[AUX]) : 0, units = a->in[W].dim[0];
  int64_t steps = x->rank == 2 ? 1 : x->dim[!r->time_major], batch = x->rank == 2 ? x->dim[0] : x->dim[r->time_major];
  float *fx = a->scratch, *fa = fx + inputs, *h = fa + aux, *sum = h + units;
  int8_t *q = (int8_t *)(sum + units);
  for (int64_t b = 0; b < batch; b++) {
    take(h, th, b * th->stride[0], units);
    for (int64_t k = 0; k < steps; k++) {
      int64_t t = r->backward ? steps - 1 - k : k, to = row_at(r, y, t, b);
      take(fx, x, row_at(r, x, t, b), inputs);
      for (int64_t u = 0; u < units; u++) sum[u] = whet__hybrid_element(&a->in[B], u);
      whet_hybrid_row row = whet__hybrid_row(fx, inputs, hybrid ? q : NULL, r->asymmetric);
      whet__hybrid_add(sum, &a->in[W], &row);
      if (aux) {
        take(fa, &a->in[AUX], row_at(r, &a->in[AUX], t, b), aux);
        row = whet__hybrid_row(fa, aux, hybrid ? q + inputs : NULL, r->asymmetric);
        whet__hybrid_add(sum, &a->in[AUX_W], &row);
      }
      row = whet__hybrid_row(h, units, hybrid ? q + inputs + aux : NULL, r->asymmetric);
      whet__hybrid_add(sum, &a->in[R], &row);
      for (int64_t u = 0; u < units; u++) {
        h[u] = whet__tfl_act(r->act, sum[u]);
        ((float *)y->data)[to + u * y->stride[y->rank - 1]] = h[u];
      }
    }
    for (int64_t u = 0; u < units; u++) ((float *)th->data)[b * th->stride[0] + u * th->stride[1]] = h[u];
  }
  return WHET_OK;
}

const whet_op whet_op_SequenceRNN = {.name = "SequenceRNN",
                                     .flags = WHET_OP_STATE,
                                     .attr_size = sizeof(struct seq_rnn),
                                     .attrs = k_attrs,
                                     .from = k_from,
                                     .infer = infer,
                                     .ref = ref,
                                     .scratch = scratch};
