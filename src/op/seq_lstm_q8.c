/* SPDX-License-Identifier: Apache-2.0 */
/* SequenceLSTM on 8-bit activations with a 16-bit cell: LiteRT's integer arithmetic, bit for bit.
 *
 * Each gate is a Q3.12 number: the products with W and with R are rescaled and added one after the other, saturating;
 * layer norm brings its own scale. sigmoid and tanh are fixed-point functions with 16-bit results; the cell keeps its
 * power-of-two scale. Rule TFL_FIX throughout. Plain networks are a step of family lstm_q8. */

#include <math.h>

#include "kern/fixed.h"
#include "kern/lstm_q8.h"
#include "op/seq_lstm.h"

/* A factor as multiplier and shift. */
struct factor {
  int32_t mul, shift;
};
static struct factor factor_of(float real) {
  struct factor f;
  whet__quantize_multiplier((double)real, &f.mul, &f.shift);
  return f;
}
static int32_t scaled(int32_t x, struct factor f) { return whet__mul_fix(x, f.mul, f.shift); }
static int32_t clamp(int32_t x, int32_t lo, int32_t hi) { return x < lo ? lo : x > hi ? hi : x; }

/* What the scales of a call amount to. */
struct rules {
  struct factor w[4], r[4], p[4], norm[4], proj, hidden;
  int32_t guard[4]; /* least variance of layer norm */
  int cell_log2;
  int32_t cell_clip, proj_clip;
  int32_t x_zero, h_zero;
};

/* The quantisation of each input and of the output; NULL where absent. */
struct quants {
  const whet_quant *in[LSTM_INPUTS], *out;
};
static float scale_of(const struct quants *q, int i) { return q->in[i] ? q->in[i]->scale[0] : 1.0f; }

static struct rules rules_of(const whet_seq_lstm *l, const struct quants *n, bool couple, bool norm) {
  struct rules u = {.x_zero = n->in[LSTM_X]->zero[0], .h_zero = n->in[LSTM_H]->zero[0]};
  float x = scale_of(n, LSTM_X), h = scale_of(n, LSTM_H), c = scale_of(n, LSTM_C);
  int e;
  frexpf(c, &e);
  u.cell_log2 = e - 1;
  for (int q = 0; q < 4; q++) {
    float gate = norm ? l->norm_scale[q] : 0x1p-12f;
    if (!q && couple) continue;
    u.w[q] = factor_of(scale_of(n, LSTM_W + q) * x / gate);
    u.r[q] = factor_of(scale_of(n, LSTM_R + q) * h / gate);
    int peep = LSTM_P + (q == 3 ? 2 : q);
    if (q != 2 && n->in[peep]) u.p[q] = factor_of((float)(ldexp(1, u.cell_log2) * scale_of(n, peep) / gate));
    float s = scale_of(n, LSTM_NORM + q);
    u.norm[q] = factor_of(s);
    u.guard[q] = (int32_t)(10000 * s) > 1 ? (int32_t)(10000 * s) : 1;
  }
  u.hidden = factor_of((float)(0x1p-15 / l->hidden_scale * 0x1p-15));
  u.proj = factor_of(scale_of(n, LSTM_PROJ) * l->hidden_scale / h);
  if (l->cell_clip > 0) u.cell_clip = (int32_t)fminf(fmaxf(l->cell_clip / c, -32768.0f), 32767.0f);
  if (l->proj_clip > 0)
    u.proj_clip = (int32_t)fminf(fmaxf(l->proj_clip / (n->out ? n->out->scale[0] : h), -128.0f), 127.0f);
  return u;
}

/* bias + sum of (v - zero) w over row r of a weight matrix. */
static int32_t dot(const whet_tensor *w, int64_t r, const int8_t *v, int64_t n, int32_t zero, int32_t bias) {
  const int8_t *p = (const int8_t *)w->data + r * w->stride[0];
  uint32_t s = (uint32_t)bias;
  for (int64_t k = 0; k < n; k++) s += (uint32_t)((v[k] - zero) * p[k * w->stride[1]]);
  return (int32_t)s;
}

static int32_t element32(const whet_tensor *t, int64_t k) { return ((const int32_t *)t->data)[k * t->stride[0]]; }
static int32_t element16(const whet_tensor *t, int64_t k) { return ((const int16_t *)t->data)[k * t->stride[0]]; }

/* Layer norm of a gate in integers; the mean has ten bits more than the numbers. */
static void layer_norm(int16_t *g, int64_t n, const whet_tensor *coef, const whet_tensor *bias, struct factor f,
                       int32_t guard) {
  int64_t sum = 0, square = 0;
  for (int64_t i = 0; i < n; i++) sum += g[i], square += g[i] * g[i];
  int32_t mean = (int32_t)(sum * 1024 / n), part = (int32_t)((1 << 20) / n);
  int64_t wide = square * part - (int64_t)mean * mean;
  int32_t variance = (int32_t)(wide / (1 << 20));
  if (variance < 1) variance = guard;
  struct factor inverse;
  whet__fx_inv_sqrt(variance, &inverse.mul, &inverse.shift);
  for (int64_t i = 0; i < n; i++) {
    int32_t v = scaled(1024 * g[i] - mean, inverse);
    int32_t weighed = (int32_t)((uint32_t)v * (uint32_t)element16(coef, i) + (uint32_t)element32(bias, i));
    int64_t wide2 = weighed;
    int32_t rounded = (int32_t)((wide2 > 0 ? wide2 + 512 : wide2 - 512) / 1024);
    g[i] = (int16_t)clamp(scaled(rounded, (struct factor){f.mul, f.shift + 12}), INT16_MIN, INT16_MAX);
  }
}

/* v + more in 16 bits. A scale out of range may make `more` as large as its type. */
static int32_t clamp_sum(int32_t v, int32_t more) {
  int64_t sum = (int64_t)v + more;
  return sum < INT16_MIN ? INT16_MIN : sum > INT16_MAX ? INT16_MAX : (int32_t)sum;
}

/* Gate q, activation included. */
static void gate(const whet_args *a, const struct rules *u, const whet_lstm_size *s, int q, const int8_t *x,
                 const int8_t *h, const int16_t *c, int16_t *g) {
  bool norm = whet__lstm_has(a, LSTM_NORM + 1);
  int peep = LSTM_P + (q == 3 ? 2 : q);
  for (int64_t k = 0; k < s->units; k++) {
    int32_t v = scaled(
        dot(&a->in[LSTM_W + q], k, x, s->inputs, u->x_zero, norm ? 0 : element32(&a->in[LSTM_B + q], k)), u->w[q]);
    v = clamp(v, INT16_MIN, INT16_MAX);
    v = clamp_sum(v, scaled(dot(&a->in[LSTM_R + q], k, h, s->outputs, u->h_zero, 0), u->r[q]));
    if (q != 2 && whet__lstm_has(a, peep))
      v = clamp_sum(v, scaled(element16(&a->in[peep], k) * c[k], u->p[q]));
    g[k] = (int16_t)v;
  }
  if (norm) layer_norm(g, s->units, &a->in[LSTM_NORM + q], &a->in[LSTM_B + q], u->norm[q], u->guard[q]);
  for (int64_t k = 0; k < s->units; k++) g[k] = q == 2 ? whet__fx16_tanh(g[k], 3) : whet__fx16_logistic(g[k], 3);
}

static void step(const whet_args *a, const struct rules *u, const whet_lstm_size *s, const int8_t *x, int8_t *h,
                 int16_t *c, int16_t *g, int8_t *m) {
  const whet_seq_lstm *l = a->attr;
  bool couple = !whet__lstm_has(a, LSTM_W);
  int16_t *i = g, *f = i + s->units, *n = f + s->units, *o = n + s->units;
  if (!couple) gate(a, u, s, 0, x, h, c, i);
  gate(a, u, s, 1, x, h, c, f);
  gate(a, u, s, 2, x, h, c, n);
  for (int64_t k = 0; k < s->units; k++) {
    int32_t in = couple ? (int16_t)(32767 - f[k]) : i[k];
    int32_t kept = (int16_t)whet__round_shift(f[k] * c[k], 15),
            added = (int16_t)whet__round_shift(in * n[k], 30 + u->cell_log2);
    int32_t v = clamp(kept + added, INT16_MIN, INT16_MAX);
    if (u->cell_clip > 0) v = clamp(v, -u->cell_clip, u->cell_clip);
    c[k] = (int16_t)v;
  }
  gate(a, u, s, 3, x, h, c, o);
  for (int64_t k = 0; k < s->units; k++) {
    int32_t v = scaled(o[k] * whet__fx16_tanh(c[k], 15 + u->cell_log2), u->hidden) + l->hidden_zero;
    m[k] = (int8_t)clamp(v, INT8_MIN, INT8_MAX);
  }
  for (int64_t k = 0; k < s->outputs; k++) {
    if (!whet__lstm_has(a, LSTM_PROJ)) {
      h[k] = m[k];
      continue;
    }
    int32_t bias = whet__lstm_has(a, LSTM_PROJ_B) ? element32(&a->in[LSTM_PROJ_B], k) : 0;
    int32_t v = scaled(dot(&a->in[LSTM_PROJ], k, m, s->units, l->hidden_zero, bias), u->proj) + u->h_zero;
    v = clamp(v, INT8_MIN, INT8_MAX);
    if (u->proj_clip > 0) v = clamp(v, -u->proj_clip, u->proj_clip);
    h[k] = (int8_t)v;
  }
}

/* x, h and the hidden value as bytes, the cell and four gates in 16 bits. */
size_t whet__lstm_q8_scratch(const whet_args *a) {
  whet_lstm_size s = whet__lstm_size(a);
  return (size_t)(5 * s.units) * sizeof(int16_t) + (size_t)(s.inputs + s.outputs + s.units);
}

whet_status whet__lstm_q8_ref(const whet_args *a) {
  const whet_seq_lstm *l = a->attr;
  whet_lstm_size s = whet__lstm_size(a);
  struct quants quants = {.out = a->out[0].q};
  for (int i = 0; i < LSTM_INPUTS; i++) quants.in[i] = whet__lstm_has(a, i) ? a->in[i].q : NULL;
  struct rules u = rules_of(l, &quants, !whet__lstm_has(a, LSTM_W), whet__lstm_has(a, LSTM_NORM + 1));
  int16_t *c = a->scratch, *g = c + s.units;
  int8_t *x = (int8_t *)(g + 4 * s.units), *h = x + s.inputs, *m = h + s.outputs;
  const whet_tensor *th = &a->in[LSTM_H], *tc = &a->in[LSTM_C], *tx = &a->in[LSTM_X], *y = &a->out[0];
  for (int64_t b = 0; b < s.batch; b++) {
    for (int64_t k = 0; k < s.outputs; k++) h[k] = ((const int8_t *)th->data)[b * th->stride[0] + k * th->stride[1]];
    for (int64_t k = 0; k < s.units; k++) c[k] = ((const int16_t *)tc->data)[b * tc->stride[0] + k * tc->stride[1]];
    for (int64_t n = 0; n < s.steps; n++) {
      int64_t t = l->backward ? s.steps - 1 - n : n, from = whet__lstm_at(l, tx, t, b),
              to = whet__lstm_at(l, y, t, b);
      for (int64_t k = 0; k < s.inputs; k++) x[k] = ((const int8_t *)tx->data)[from + k * tx->stride[tx->rank - 1]];
      step(a, &u, &s, x, h, c, g, m);
      for (int64_t k = 0; k < s.outputs; k++) ((int8_t *)y->data)[to + k * y->stride[y->rank - 1]] = h[k];
    }
    for (int64_t k = 0; k < s.outputs; k++) ((int8_t *)th->data)[b * th->stride[0] + k * th->stride[1]] = h[k];
    for (int64_t k = 0; k < s.units; k++) ((int16_t *)tc->data)[b * tc->stride[0] + k * tc->stride[1]] = c[k];
  }
  return WHET_OK;
}

static const whet_pack_kind k_weights = {"lstm_q8 panels", sizeof(whet_lstm_q8_pack), whet__lstm_q8_pack_bytes,
                                         whet__lstm_q8_pack, true};
static const whet_pack_kind k_biases = {"lstm_q8 biases", sizeof(whet_lstm_q8_pack), whet__lstm_q8_bias_bytes,
                                        whet__lstm_q8_bias, true};

/* A factor for the kernel; false when it is none that the family takes. */
static bool take(struct factor f, whet_lstm_q8_factor *to) {
  *to = (whet_lstm_q8_factor){f.mul, f.shift};
  return f.mul >= 0 && f.shift >= -31 && f.shift <= 30;
}

/* Is every sum of products with W and with R small enough for gate q's factors? */
static bool small(const whet_planner *p, const whet_node *n, const whet_lstm_q8 *k, int q) {
  const whet_data *bias = whet__pl_data(p, n->in[LSTM_B + q]);
  bool fits = bias && whet__lstm_q8_small(k->units, 0, k->r[q]);
  for (int64_t u = 0; u < k->units && fits; u++) {
    int32_t b;
    memcpy(&b, (const char *)bias->p + u * 4, sizeof b);
    fits = whet__lstm_q8_small(k->inputs, b, k->w[q]);
  }
  return fits;
}

whet_status whet__lstm_q8_plan(whet_planner *p, const whet_node *n, whet_lstm_q8 *k) {
  const whet_seq_lstm *l = n->attr;
  struct quants quants = {.out = whet__pl_quant(p, n->out[0])};
  for (int i = 0; i < LSTM_INPUTS; i++) quants.in[i] = n->in[i] >= 0 ? whet__pl_quant(p, n->in[i]) : NULL;
  struct rules u = rules_of(l, &quants, false, false);
  bool fits = l->hidden_zero >= INT8_MIN && l->hidden_zero <= INT8_MAX && take(u.hidden, &k->out) && k->out.shift <= 0;
  for (int q = 0; q < 4; q++) fits = fits && take(u.w[q], &k->w[q]) && take(u.r[q], &k->r[q]) && small(p, n, k, q);
  if (!fits) return WHET_LATE;
  k->out_zero = l->hidden_zero;
  k->cell_log2 = u.cell_log2;
  k->cell_clip = u.cell_clip;
  whet_lstm_q8_pack w = {k->units, k->inputs, u.x_zero}, r = {k->units, k->units, u.h_zero};
  whet_arg arg[] = {whet__rd(n->in[LSTM_X]),
                    whet__pk(whet__pl_pack(p, &k_weights, &w, n->in + LSTM_W, 4)),
                    whet__pk(whet__pl_pack(p, &k_weights, &r, n->in + LSTM_R, 4)),
                    whet__pk(whet__pl_pack(p, &k_biases, &w, n->in + LSTM_B, 4)),
                    whet__rd(n->in[LSTM_H]),
                    whet__rd(n->in[LSTM_C]),
                    whet__wr(n->out[0]),
                    whet__wr(n->in[LSTM_H]),
                    whet__wr(n->in[LSTM_C]),
                    whet__scratch()};
  double work = (double)(k->steps * k->batch) * (200 + (double)k->units * (double)(k->inputs + k->units) * 4 * 0.01);
  return whet__pl_kern(p, WHET_FAMILY_lstm_q8, k, sizeof *k, arg, 10, k->batch, work);
}
