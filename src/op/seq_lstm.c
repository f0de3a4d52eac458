/* SPDX-License-Identifier: Apache-2.0 */
/* SequenceLSTM(x, weights..., h, c): long short-term memory over time that goes on from call to call.
 *
 *   gate = act(norm(W x + A aux + R h + P c) N + b), or without norm act(b + W x + A aux + R h + P c)
 *   c = clip(f c + i g)   m = o act(c)   h = y = clip(proj m + b), or m without projection
 *
 * TFLite UNIDIRECTIONAL_SEQUENCE_LSTM, LSTM (full kernel), and each half of BIDIRECTIONAL_SEQUENCE_LSTM, whose
 * outputs may be merged by a Concat. float32; hybrid (int8 weights); int8 with LiteRT's integer arithmetic
 * (seq_lstm_q8.c). Plain float networks are a step of family lstm_f32. */

#include "op/seq_lstm.h"

#include <math.h>

#include "kern/lstm_f32.h"
#include "kern/lstm_q8.h"
#include "op/fakeq.h"
#include "op/hybrid.h"
#include "op/move_attr.h"

/* ---- attributes ------------------------------------------------------------------------------ */

#define FIELD(name, kind) \
  { #name, WHET_ATTR_##kind, offsetof(whet_seq_lstm, name) }
static const whet_attr_desc k_attrs[] = {FIELD(act, U8),
                                         FIELD(time_major, BOOL),
                                         FIELD(backward, BOOL),
                                         FIELD(asymmetric, BOOL),
                                         FIELD(cell_clip, F32),
                                         FIELD(proj_clip, F32),
                                         FIELD(hidden_scale, F32),
                                         FIELD(hidden_zero, I32),
                                         {"norm_i", WHET_ATTR_F32, offsetof(whet_seq_lstm, norm_scale[0])},
                                         {"norm_f", WHET_ATTR_F32, offsetof(whet_seq_lstm, norm_scale[1])},
                                         {"norm_g", WHET_ATTR_F32, offsetof(whet_seq_lstm, norm_scale[2])},
                                         {"norm_o", WHET_ATTR_F32, offsetof(whet_seq_lstm, norm_scale[3])},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

/* int8 state starts at its zero point, not at 0. */
static whet_status start_at_zero_point(whet_import *im, int32_t v) {
  whet_graph *g = whet__im_graph(im);
  whet_val *x = v < 0 ? NULL : &g->val[v];
  if (!x || x->role != WHET_ROLE_VARIABLE || x->dtype != WHET_S8 || !x->q || !x->q->zero[0] || x->data)
    return WHET_OK;
  int64_t n = whet__shape_count(&x->shape);
  void *p = n < 0 ? NULL : whet__arena_alloc(&g->arena, (size_t)n + WHET_SLACK);
  whet_data *d = whet__arena_alloc(&g->arena, sizeof *d);
  if (!p || !d) return whet__im_fail(im, WHET_E_MEMORY, "no memory for state");
  memset(p, (uint8_t)x->q->zero[0], (size_t)n);
  *d = (whet_data){.p = p, .n = (size_t)n, .id = g->next_data++};
  x->data = d;
  return WHET_OK;
}

/* Append the node for the attributes: in[] has LSTM_INPUTS entries. */
static whet_status build(whet_import *im, const whet_seq_lstm *from, const int32_t *in, int32_t out) {
  WHET_NEW_ATTR(im, whet_seq_lstm, a);
  *a = *from;
  for (int i = LSTM_H; i <= LSTM_C; i++) {
    if (in[i] < 0 || whet__im_val(im, in[i])->role != WHET_ROLE_VARIABLE)
      return whet__im_fail(im, WHET_E_FORMAT, "state %d is no variable", i - LSTM_H);
    WHET_TRY(start_at_zero_point(im, in[i]));
  }
  int32_t own[LSTM_INPUTS];
  memcpy(own, in, sizeof own);
  WHET_TRY(whet__im_hybrid_weights(im, own, LSTM_INPUTS));
  return whet__im_node(im, whet__op_find("SequenceLSTM"), a, own, LSTM_INPUTS, &out, 1);
}

/* Scales of inner values of the integer operator. */
static void intermediates(whet_import *im, whet_seq_lstm *a) {
  int32_t zero;
  for (int q = 0; q < 4; q++) whet__tfl_intermediate(im, q, &a->norm_scale[q], &zero);
  whet__tfl_intermediate(im, 4, &a->hidden_scale, &a->hidden_zero);
}

static whet_status one_way(whet_import *im, whet_seq_lstm *a) {
  int32_t in[LSTM_INPUTS];
  for (int i = 0; i < LSTM_INPUTS; i++) in[i] = i < LSTM_AUX ? whet__im_in(im, i) : -1;
  a->act = (uint8_t)whet__tfl_int(im, 0, 0);
  a->cell_clip = whet__tfl_float(im, 1, 0);
  a->proj_clip = whet__tfl_float(im, 2, 0);
  intermediates(im, a);
  return build(im, a, in, whet__im_out(im, 0));
}

static whet_status sequence_tfl(whet_import *im, const whet_op *op) {
  whet_seq_lstm a = {.time_major = whet__tfl_int(im, 3, 0) != 0, .asymmetric = whet__tfl_int(im, 4, 0) != 0};
  if (whet__tfl_int(im, 5, 0)) return whet__im_fail(im, WHET_E_UNSUPPORTED, "diagonal recurrent weights");
  return one_way(im, &a);
}

static whet_status lstm_tfl(whet_import *im, const whet_op *op) {
  whet_seq_lstm a = {.time_major = 1, .asymmetric = whet__tfl_int(im, 4, 0) != 0};
  if (whet__tfl_int(im, 3, 0) == 1) {
    const whet_op *basic = whet__op_find("BasicLSTM");
    return whet__im_node_as_is(im, basic, NULL);
  }
  return one_way(im, &a);
}

/* Two nodes, and a Concat of their outputs when these are merged. */
static whet_status both_ways_tfl(whet_import *im, const whet_op *op) {
  whet_seq_lstm a = {.act = (uint8_t)whet__tfl_int(im, 0, 0),
                     .cell_clip = whet__tfl_float(im, 1, 0),
                     .proj_clip = whet__tfl_float(im, 2, 0),
                     .time_major = whet__tfl_int(im, 4, 1) != 0,
                     .asymmetric = whet__tfl_int(im, 5, 0) != 0};
  bool merge = whet__tfl_int(im, 3, 0) != 0;
  int32_t aux = whet__im_in(im, 39), out[2];
  /* Without weights for it the second input is what the backward half reads instead of the first. */
  bool own = aux >= 0 && whet__im_in(im, 41) < 0;
  for (int d = 0; d < 2; d++) {
    int32_t in[LSTM_INPUTS];
    for (int i = 0; i < LSTM_INPUTS; i++) in[i] = -1;
    in[LSTM_X] = d && own ? aux : whet__im_in(im, 0);
    for (int i = LSTM_W; i < LSTM_H; i++) in[i] = whet__im_in(im, d * 17 + i);
    in[LSTM_H] = whet__im_in(im, 35 + 2 * d);
    in[LSTM_C] = whet__im_in(im, 36 + 2 * d);
    if (aux >= 0 && !own) {
      in[LSTM_AUX] = aux;
      for (int q = 0; q < 4; q++) in[LSTM_AUX_W + q] = whet__im_in(im, 40 + 4 * d + q);
    }
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

static const whet_from k_from[] = {{"tflite", "UNIDIRECTIONAL_SEQUENCE_LSTM", 1, sequence_tfl},
                                   {"tflite", "LSTM", 1, lstm_tfl},
                                   {"tflite", "BIDIRECTIONAL_SEQUENCE_LSTM", 1, both_ways_tfl},
                                   {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

/* Input i has this type and these dimensions (b 0: one). Weights of float networks may be int8 with one scale. */
static whet_status expect(whet_infer *f, int i, bool needed, whet_dtype t, int64_t d0, int64_t d1, bool hybrid) {
  const whet_shape *s = whet__in_shape(f, i);
  whet_dtype got = whet__in_dtype(f, i);
  const whet_quant *q = whet__in_quant(f, i);
  if (!whet__in_has(f, i)) {
    if (needed) return whet__infer_fail(f, WHET_E_FORMAT, "input %d is absent", i);
    return WHET_OK;
  }
  bool as_int8 = hybrid && t == WHET_F32 && got == WHET_S8 && q && q->n == 1;
  if (got != t && !as_int8)
    return whet__infer_fail(f, WHET_E_TYPE, "input %d is %s, expected %s", i, whet_dtype_name(got),
                            whet_dtype_name(t));
  if (t == WHET_S8 && (!q || q->n != 1)) return whet__infer_fail(f, WHET_E_TYPE, "input %d has no single scale", i);
  if (s->rank != (d1 ? 2 : 1) || s->d[0] != d0 || (d1 && s->d[1] != d1))
    return whet__infer_fail(f, WHET_E_SHAPE, "input %d does not have the shape that the others ask for", i);
  return WHET_OK;
}

/* What integer networks need beside shapes. */
static whet_status infer_q8(whet_infer *f, const whet_node *n) {
  const whet_seq_lstm *a = n->attr;
  const whet_quant *c = whet__in_quant(f, LSTM_C), *x = whet__in_quant(f, LSTM_X), *h = whet__in_quant(f, LSTM_H);
  if (!c || c->n != 1 || !x || x->n != 1 || !h || h->n != 1)
    return whet__infer_fail(f, WHET_E_FORMAT, "input or state have no scale");
  int e;
  float m = frexpf(c->scale[0], &e);
  if (m != 0.5f || e - 1 > -9 || e - 1 < -15)
    return whet__infer_fail(f, WHET_E_UNSUPPORTED, "the cell's scale %g is no power of two from 2^-15 to 2^-9",
                            (double)c->scale[0]);
  if (!(a->hidden_scale > 0)) return whet__infer_fail(f, WHET_E_FORMAT, "the scale of the hidden value is absent");
  for (int q = 0; q < 4 && whet__in_has(f, LSTM_NORM + 1); q++)
    if (!(a->norm_scale[q] > 0) && (q || whet__in_has(f, LSTM_W)))
      return whet__infer_fail(f, WHET_E_FORMAT, "the scale of gate %d before layer norm is absent", q);
  for (int i = LSTM_W; i < LSTM_H; i++) {
    bool scaled = i < LSTM_B || i == LSTM_PROJ;
    const whet_quant *q = whet__in_quant(f, i);
    if (whet__in_has(f, i) && scaled && (!q || q->n != 1))
      return whet__infer_fail(f, WHET_E_FORMAT, "input %d has no single scale", i);
  }
  for (int i = LSTM_NORM; i < LSTM_AUX; i++)
    if (whet__in_has(f, i) && (!whet__in_quant(f, i) || whet__in_quant(f, i)->n != 1))
      return whet__infer_fail(f, WHET_E_FORMAT, "input %d has no single scale", i);
  if (whet__in_has(f, LSTM_AUX))
    return whet__infer_fail(f, WHET_E_UNSUPPORTED, "a second input of an integer network");
  return WHET_OK;
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_seq_lstm *a = n->attr;
  const whet_shape *x = whet__in_shape(f, LSTM_X), *w = whet__in_shape(f, LSTM_W + 3),
                   *r = whet__in_shape(f, LSTM_R + 3);
  whet_dtype t = whet__in_dtype(f, LSTM_X);
  if (t != WHET_F32 && t != WHET_S8) return whet__infer_fail(f, WHET_E_TYPE, "a network of %s", whet_dtype_name(t));
  WHET_TRY(whet__infer_rank(f, LSTM_X, 2, 3));
  WHET_TRY(whet__infer_rank(f, LSTM_W + 3, 2, 2));
  WHET_TRY(whet__infer_rank(f, LSTM_R + 3, 2, 2));
  int64_t units = w->d[0], inputs = w->d[1], outputs = r->d[1];
  if (units < 1 || inputs < 1 || outputs < 1 || units > INT32_MAX / 16 || outputs > INT32_MAX / 16)
    return whet__infer_fail(f, WHET_E_SHAPE, "weights without a fixed size");
  if (whet__dim_known(x->d[x->rank - 1]) && x->d[x->rank - 1] != inputs)
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld inputs, weights for %lld", (long long)x->d[x->rank - 1],
                            (long long)inputs);
  whet_dim batch = x->d[x->rank == 2 ? 0 : a->time_major];
  bool couple = !whet__in_has(f, LSTM_W), norm = whet__in_has(f, LSTM_NORM + 1), peep = whet__in_has(f, LSTM_P + 2);
  bool real = t == WHET_F32, proj = whet__in_has(f, LSTM_PROJ), aux = whet__in_has(f, LSTM_AUX);
  whet_dtype bias = real ? WHET_F32 : WHET_S32, fine = real ? WHET_F32 : WHET_S16;
  for (int q = 0; q < 4; q++) {
    bool needed = q || !couple;
    WHET_TRY(expect(f, LSTM_W + q, needed, t, units, inputs, true));
    WHET_TRY(expect(f, LSTM_R + q, needed, t, units, outputs, true));
    WHET_TRY(expect(f, LSTM_B + q, needed, bias, units, 0, false));
    WHET_TRY(expect(f, LSTM_NORM + q, norm && needed, fine, units, 0, false));
    if (q < 3) WHET_TRY(expect(f, LSTM_P + q, peep && needed, fine, units, 0, true));
    if (whet__in_has(f, LSTM_W + q) && whet__in_dtype(f, LSTM_W + q) != whet__in_dtype(f, LSTM_W + 3))
      return whet__infer_fail(f, WHET_E_TYPE, "weights of different types");
    if (whet__in_has(f, LSTM_R + q) && whet__in_dtype(f, LSTM_R + q) != whet__in_dtype(f, LSTM_W + 3))
      return whet__infer_fail(f, WHET_E_TYPE, "weights of different types");
  }
  if (couple && (whet__in_has(f, LSTM_R) || whet__in_has(f, LSTM_P)))
    return whet__infer_fail(f, WHET_E_FORMAT, "an input gate with half of its weights");
  WHET_TRY(expect(f, LSTM_PROJ, false, t, outputs, units, true));
  WHET_TRY(expect(f, LSTM_PROJ_B, false, bias, outputs, 0, false));
  if (!proj && outputs != units)
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld units make %lld outputs without a projection", (long long)units,
                            (long long)outputs);
  if (whet__dim_known(batch)) {
    WHET_TRY(expect(f, LSTM_H, true, t, batch, outputs, false));
    WHET_TRY(expect(f, LSTM_C, true, fine, batch, units, false));
  }
  if (aux) {
    const whet_shape *s = whet__in_shape(f, LSTM_AUX);
    if (s->rank != x->rank || !whet__dim_known(s->d[s->rank - 1]) || whet__in_dtype(f, LSTM_AUX) != t)
      return whet__infer_fail(f, WHET_E_SHAPE, "the second input does not fit the first");
    for (int32_t i = 0; i + 1 < s->rank; i++)
      if (whet__dim_known(s->d[i]) && whet__dim_known(x->d[i]) && s->d[i] != x->d[i])
        return whet__infer_fail(f, WHET_E_SHAPE, "the second input does not fit the first");
    for (int q = 0; q < 4; q++) WHET_TRY(expect(f, LSTM_AUX_W + q, q || !couple, t, units, s->d[s->rank - 1], true));
  }
  if (!real) WHET_TRY(infer_q8(f, n));
  whet_shape *out = whet__out(f, 0, t);
  *out = *x;
  out->d[x->rank - 1] = outputs;
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

whet_lstm_size whet__lstm_size(const whet_args *a) {
  const whet_seq_lstm *l = a->attr;
  const whet_tensor *x = &a->in[LSTM_X];
  whet_lstm_size s = {.steps = 1, .batch = x->dim[0], .inputs = x->dim[x->rank - 1]};
  if (x->rank == 3) s.steps = x->dim[!l->time_major], s.batch = x->dim[l->time_major];
  s.units = a->in[LSTM_W + 3].dim[0];
  s.outputs = a->in[LSTM_R + 3].dim[1];
  if (whet__lstm_has(a, LSTM_AUX)) s.aux = a->in[LSTM_AUX].dim[a->in[LSTM_AUX].rank - 1];
  return s;
}

static size_t scratch(const whet_args *a) {
  whet_lstm_size s = whet__lstm_size(a);
  if (a->in[LSTM_X].dtype == WHET_S8) return whet__lstm_q8_scratch(a);
  size_t floats = (size_t)(s.inputs + s.aux + 2 * s.outputs + 5 * s.units);
  return floats * sizeof(float) + (size_t)(s.inputs + s.aux + s.outputs + s.units);
}

/* (x - mean) / deviation, times the coefficients, plus the bias. */
static void layer_norm(float *g, const whet_tensor *coef, const whet_tensor *bias, int64_t n) {
  float sum = 0, square = 0;
  for (int64_t i = 0; i < n; i++) sum += g[i];
  float mean = sum / (float)n;
  for (int64_t i = 0; i < n; i++) square += (g[i] - mean) * (g[i] - mean);
  float inverse = 1.0f / sqrtf(square / (float)n + 1e-8f);
  for (int64_t i = 0; i < n; i++)
    g[i] = (g[i] - mean) * inverse * whet__hybrid_element(coef, i) + whet__hybrid_element(bias, i);
}

/* The sums of gate q: everything but its activation. */
static void gate(const whet_args *a, int q, float *g, int64_t units, const whet_hybrid_row *x,
                 const whet_hybrid_row *aux, const whet_hybrid_row *h, const float *c) {
  bool norm = whet__lstm_has(a, LSTM_NORM + q);
  int peep = q == 2 ? -1 : LSTM_P + (q == 3 ? 2 : q);
  for (int64_t u = 0; u < units; u++) g[u] = norm ? 0 : whet__hybrid_element(&a->in[LSTM_B + q], u);
  whet__hybrid_add(g, &a->in[LSTM_W + q], x);
  if (aux->n) whet__hybrid_add(g, &a->in[LSTM_AUX_W + q], aux);
  whet__hybrid_add(g, &a->in[LSTM_R + q], h);
  if (peep >= 0 && whet__lstm_has(a, peep))
    for (int64_t u = 0; u < units; u++) g[u] += whet__hybrid_element(&a->in[peep], u) * c[u];
  if (norm) layer_norm(g, &a->in[LSTM_NORM + q], &a->in[LSTM_B + q], units);
}

/* n floats from or to strided memory. */
static void take(float *to, const whet_tensor *t, int64_t at, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = ((const float *)t->data)[at + i * t->stride[t->rank - 1]];
}
static void give(const whet_tensor *t, int64_t at, const float *from, int64_t n) {
  for (int64_t i = 0; i < n; i++) ((float *)t->data)[at + i * t->stride[t->rank - 1]] = from[i];
}

/* One step of one batch entry: x, aux and h are there, h and c are made anew. */
static void step(const whet_args *a, const whet_lstm_size *s, const float *x, const float *aux, float *h, float *c,
                 float *g, int8_t *bytes) {
  const whet_seq_lstm *l = a->attr;
  bool hybrid = a->in[LSTM_W + 3].dtype == WHET_S8, couple = !whet__lstm_has(a, LSTM_W);
  float *i = g, *f = i + s->units, *n = f + s->units, *o = n + s->units;
  int8_t *q = bytes;
  whet_hybrid_row rx = whet__hybrid_row(x, s->inputs, hybrid ? q : NULL, l->asymmetric);
  whet_hybrid_row ra = whet__hybrid_row(aux, s->aux, hybrid ? q + s->inputs : NULL, l->asymmetric);
  whet_hybrid_row rh = whet__hybrid_row(h, s->outputs, hybrid ? q + s->inputs + s->aux : NULL, l->asymmetric);
  if (!couple) gate(a, 0, i, s->units, &rx, &ra, &rh, c);
  gate(a, 1, f, s->units, &rx, &ra, &rh, c);
  gate(a, 2, n, s->units, &rx, &ra, &rh, c);
  for (int64_t u = 0; u < s->units; u++) {
    f[u] = whet__tfl_act(WHET_TFL_SIGMOID, f[u]);
    i[u] = couple ? 1.0f - f[u] : whet__tfl_act(WHET_TFL_SIGMOID, i[u]);
    c[u] = f[u] * c[u] + i[u] * whet__tfl_act(l->act, n[u]);
    if (l->cell_clip > 0) c[u] = fmaxf(-l->cell_clip, fminf(l->cell_clip, c[u]));
  }
  gate(a, 3, o, s->units, &rx, &ra, &rh, c);
  for (int64_t u = 0; u < s->units; u++) o[u] = whet__tfl_act(WHET_TFL_SIGMOID, o[u]) * whet__tfl_act(l->act, c[u]);
  if (!whet__lstm_has(a, LSTM_PROJ)) {
    memcpy(h, o, (size_t)s->units * sizeof *h);
    return;
  }
  whet_hybrid_row ro =
      whet__hybrid_row(o, s->units, hybrid ? q + s->inputs + s->aux + s->outputs : NULL, l->asymmetric);
  for (int64_t k = 0; k < s->outputs; k++)
    h[k] = whet__lstm_has(a, LSTM_PROJ_B) ? whet__hybrid_element(&a->in[LSTM_PROJ_B], k) : 0;
  whet__hybrid_add(h, &a->in[LSTM_PROJ], &ro);
  for (int64_t k = 0; k < s->outputs && l->proj_clip > 0; k++) h[k] = fmaxf(-l->proj_clip, fminf(l->proj_clip, h[k]));
}

static whet_status ref(const whet_args *a) {
  const whet_seq_lstm *l = a->attr;
  if (a->in[LSTM_X].dtype == WHET_S8) return whet__lstm_q8_ref(a);
  whet_lstm_size s = whet__lstm_size(a);
  float *x = a->scratch, *aux = x + s.inputs, *h = aux + s.aux, *c = h + s.outputs, *g = c + s.units;
  int8_t *bytes = (int8_t *)(g + 4 * s.units + s.outputs);
  const whet_tensor *th = &a->in[LSTM_H], *tc = &a->in[LSTM_C];
  for (int64_t b = 0; b < s.batch; b++) {
    take(h, th, b * th->stride[0], s.outputs);
    take(c, tc, b * tc->stride[0], s.units);
    for (int64_t k = 0; k < s.steps; k++) {
      int64_t t = l->backward ? s.steps - 1 - k : k;
      take(x, &a->in[LSTM_X], whet__lstm_at(l, &a->in[LSTM_X], t, b), s.inputs);
      if (s.aux) take(aux, &a->in[LSTM_AUX], whet__lstm_at(l, &a->in[LSTM_AUX], t, b), s.aux);
      step(a, &s, x, aux, h, c, g, bytes);
      give(&a->out[0], whet__lstm_at(l, &a->out[0], t, b), h, s.outputs);
    }
    give(th, b * th->stride[0], h, s.outputs);
    give(tc, b * tc->stride[0], c, s.units);
  }
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

static const whet_pack_kind k_weights = {"lstm_f32 weights", sizeof(whet_lstm_pack), whet__lstm_pack_bytes,
                                         whet__lstm_pack, true};
static const whet_pack_kind k_biases = {"lstm_f32 biases", sizeof(whet_lstm_bias), whet__lstm_bias_bytes,
                                        whet__lstm_bias, true};

/* All four gates, no peepholes, norm, projection or second input, constant weights of the type of x; float networks
 * with tanh (integer ones have no choice). */
static bool usual(const whet_planner *p, const whet_node *n) {
  const whet_seq_lstm *a = n->attr;
  whet_dtype t = whet__pl_dtype(p, n->in[LSTM_X]), bias = t == WHET_F32 ? WHET_F32 : WHET_S32;
  if (t == WHET_F32 && a->act != 4) return false;
  for (int i = LSTM_W; i < LSTM_INPUTS; i++) {
    bool weight = i < LSTM_P || (i >= LSTM_B && i < LSTM_PROJ), state = i == LSTM_H || i == LSTM_C;
    if (weight &&
        (n->in[i] < 0 || whet__pl_dtype(p, n->in[i]) != (i < LSTM_P ? t : bias) || !whet__pl_data(p, n->in[i])))
      return false;
    if (!weight && !state && n->in[i] >= 0) return false;
  }
  return true;
}

static whet_status plan(whet_planner *p, const whet_node *n) {
  const whet_seq_lstm *a = n->attr;
  if (!usual(p, n)) return WHET_LATE;
  const whet_shape *x = whet__pl_shape(p, n->in[LSTM_X]), *w = whet__pl_shape(p, n->in[LSTM_W]);
  int64_t xs[WHET_MAX_RANK], ys[WHET_MAX_RANK];
  bool seq = x->rank == 3, tm = a->time_major;
  whet__pl_strides(p, n->in[LSTM_X], xs);
  whet__pl_strides(p, n->out[0], ys);
  whet_lstm_f32 k = {.steps = seq ? x->d[!tm] : 1,
                     .batch = seq ? x->d[tm] : x->d[0],
                     .inputs = w->d[1],
                     .units = w->d[0],
                     .dirs = 1,
                     .reverse = {a->backward},
                     .clip = a->cell_clip,
                     .x_t = seq ? xs[!tm] : 0,
                     .x_b = seq ? xs[tm] : xs[0],
                     .y_t = seq ? ys[!tm] : 0,
                     .y_b = seq ? ys[tm] : ys[0],
                     .s_b = w->d[0]};
  if (whet__pl_dtype(p, n->in[LSTM_X]) == WHET_S8) {
    if (xs[x->rank - 1] != 1 || ys[x->rank - 1] != 1) return WHET_LATE;
    whet_lstm_q8 q = {.steps = k.steps,
                      .batch = k.batch,
                      .inputs = k.inputs,
                      .units = k.units,
                      .x_t = k.x_t,
                      .x_b = k.x_b,
                      .y_t = k.y_t,
                      .y_b = k.y_b,
                      .reverse = a->backward};
    return whet__lstm_q8_plan(p, n, &q);
  }
  whet_lstm_pack pw = {.units = k.units, .inputs = k.inputs, .dirs = 1, .u_step = k.inputs};
  whet_lstm_pack pr = {.units = k.units, .inputs = k.units, .dirs = 1, .u_step = k.units};
  whet_lstm_bias pb = {.units = k.units, .dirs = 1};
  whet_arg arg[] = {whet__rd(n->in[LSTM_X]),
                    whet__pk(whet__pl_pack(p, &k_biases, &pb, n->in + LSTM_B, 4)),
                    whet__pk(whet__pl_pack(p, &k_weights, &pw, n->in + LSTM_W, 4)),
                    whet__pk(whet__pl_pack(p, &k_weights, &pr, n->in + LSTM_R, 4)),
                    whet__rd(n->in[LSTM_H]),
                    whet__rd(n->in[LSTM_C]),
                    whet__wr(n->out[0]),
                    whet__wr(n->in[LSTM_H]),
                    whet__wr(n->in[LSTM_C]),
                    whet__scratch()};
  double work = (double)(k.steps * k.batch * k.units) * (double)(k.inputs + k.units) * 4 * 0.03;
  return whet__pl_kern(p, WHET_FAMILY_lstm_f32, &k, sizeof k, arg, 10, k.batch, work);
}

const whet_op whet_op_SequenceLSTM = {.name = "SequenceLSTM",
                                      .flags = WHET_OP_STATE,
                                      .attr_size = sizeof(whet_seq_lstm),
                                      .attrs = k_attrs,
                                      .from = k_from,
                                      .infer = infer,
                                      .plan = plan,
                                      .ref = ref,
                                      .scratch = scratch};
