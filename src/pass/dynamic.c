/* SPDX-License-Identifier: Apache-2.0 */
/* Products of integers whose activations are quantised in the run.
 *
 *   x ─▶ HybridRound ─▶ Conv(w: s8) ─▶ y         becomes   x ─▶ HybridQuantize ─▶ Conv ─▶ SumsToFloat ─▶ y
 *   sum ─▶ - zero * W ─▶ Cast ─▶ * scales (+ b) ─▶ y    becomes   sum ─▶ SumsToFloat ─▶ y
 *
 * (Conv or Dense; TFLite's dynamic range quantisation, and what follows ONNX's ConvInteger and MatMulInteger.) The
 * sums are those of integers, and only one pass over them is left. */

#include "base/dtype.h"
#include "op/cast.h"
#include "op/conv.h"
#include "op/dense.h"
#include "op/fakeq.h"
#include "op/move.h"
#include "op/sums.h"
#include "pass/match.h"

/* ---- TFLite ----------------------------------------------------------------------------------- */

/* A HybridRound and what became of it. */
typedef struct bytes {
  int32_t round; /* node */
  int32_t q, scale, zero;
} bytes;

typedef struct hybrid {
  whet_edit e;
  bytes *made;
  int32_t n_made;
} hybrid;

/* A product that reads HybridRound's result. */
typedef struct product {
  int64_t channels, each; /* outputs; products of a sum */
  int32_t axis;           /* of the output's channels */
  int32_t w_axis;         /* of the weights' outputs where they have many scales */
  whet_conv_geo geo;      /* of a Conv */
  bool border;            /* a Conv with one */
} product;

static bool as_product(const whet_pass *p, const whet_node *n, product *out) {
  *out = (product){0};
  if (n->n_in < 2 || n->n_out != 1 || !whet__pass_const(p, n->in[1])) return false;
  const whet_shape *x = &p->env->shape[n->in[0]], *w = &p->env->shape[n->in[1]];
  char why[WHET_CONV_WHY];
  if (whet__is_op(n, "Dense")) {
    const whet_dense *a = n->attr;
    if (w->rank != 2 || p->env->shape[n->out[0]].rank < 1) return false;
    out->channels = w->d[a->kn ? 1 : 0];
    out->each = w->d[a->kn ? 0 : 1];
    out->axis = p->env->shape[n->out[0]].rank - 1;
    return true;
  }
  if (!whet__is_op(n, "Conv") || x->rank < 3) return false;
  const whet_conv_attr *a = n->attr;
  whet_conv_geo *g = &out->geo;
  for (int32_t i = 1; i < x->rank; i++)
    if (!whet__dim_known(x->d[i])) return false;
  if (!whet__conv_geo(a, false, x, w, NULL, g, why) || g->groups < 1) return false;
  out->channels = g->groups * g->oc;
  out->each = g->ic * g->kernel[0] * g->kernel[1] * g->kernel[2];
  out->axis = whet__conv_chan(a, g);
  for (int i = 0; i < 3; i++) out->border |= g->pad[i] || g->pad_end[i];
  return true;
}

/* Constant s8 weights without zero points, with one scale or one for each output. */
static bool weights_fit(const whet_pass *p, const whet_node *n, const product *k) {
  const whet_val *w = &p->g->val[n->in[1]];
  if (w->dtype != WHET_S8 || !w->q || w->q->block || (w->q->n != 1 && w->q->n != k->channels)) return false;
  for (int32_t i = 0; i < w->q->n; i++)
    if (w->q->zero && w->q->zero[i]) return false;
  int32_t b = n->n_in > 2 ? n->in[2] : -1;
  return b < 0 || (p->env->dtype[b] == WHET_F32 && whet__shape_count(&p->env->shape[b]) == k->channels);
}

/* Do two nodes round the same value alike? */
static bool alike(const whet_graph *g, int32_t a, int32_t b) {
  const whet_fakeq *x = g->node[a].attr, *y = g->node[b].attr;
  return a == b || (g->node[a].in[0] == g->node[b].in[0] && x->row == y->row && x->asymmetric == y->asymmetric);
}

/* Bytes of what node `round` rounds, made in its place, or of one like it before. */
static const bytes *quantised(hybrid *h, int32_t round, int32_t *at) {
  static const float one = 1;
  whet_edit *e = &h->e;
  whet_graph *g = e->g;
  for (int32_t i = 0; i < h->n_made; i++)
    if (alike(g, h->made[i].round, round)) return &h->made[i];
  int32_t place = 0;
  while (place < *at && e->r->node[place] != round) place++;
  if (place == *at) return NULL; /* it stands in another region */
  const whet_node n = g->node[round];
  const whet_shape s = g->val[n.out[0]].shape;
  int32_t v[3] = {whet__ed_val(e, "bytes", WHET_S8, &s), whet__ed_val(e, "scale", WHET_F32, NULL),
                  whet__ed_val(e, "zero", WHET_S32, NULL)};
  if (e->failed) return NULL;
  g->val[v[0]].q = whet__graph_quant(g, 1, 0, &one, NULL);
  e->at = place;
  whet__ed_node(e, whet__op_find("HybridQuantize"), n.attr, &n.in[0], 1, v, 3);
  if (e->failed || !g->val[v[0]].q) return e->failed = true, NULL;
  ++*at;
  h->made[h->n_made] = (bytes){round, v[0], v[1], v[2]};
  return &h->made[h->n_made++];
}

/* The weights of n as numbers without a scale. */
static int32_t plain_weights(whet_edit *e, int32_t w) {
  static const float one = 1;
  int32_t v = whet__ed_like(e, w);
  if (v < 0) return -1;
  whet_val *to = &e->g->val[v], *from = &e->g->val[w];
  to->role = from->role;
  to->data = from->data;
  to->q = whet__graph_quant(e->g, 1, 0, &one, NULL);
  if (!to->q) e->failed = true;
  return v;
}

/* Their scales, one for each output. */
static int32_t scales_of(whet_edit *e, const whet_quant *q, int64_t channels) {
  int32_t v = whet__ed_const(e, WHET_F32, 1, &channels, NULL);
  for (int64_t i = 0; v >= 0 && i < channels; i++) ((float *)e->g->val[v].data->p)[i] = q->scale[q->n > 1 ? i : 0];
  return v;
}

/* Sums of the weights of each output. */
static int32_t sums_of(whet_edit *e, const whet_node *n, const product *k) {
  int32_t v = whet__ed_const(e, WHET_S32, 1, &k->channels, NULL);
  const whet_val *w = &e->g->val[n->in[1]];
  if (v < 0) return -1;
  int32_t *sum = (int32_t *)e->g->val[v].data->p;
  const int8_t *x = w->data->p;
  const whet_conv_geo *g = &k->geo;
  memset(sum, 0, (size_t)k->channels * sizeof *sum);
  if (whet__is_op(n, "Dense")) {
    bool kn = ((const whet_dense *)n->attr)->kn;
    for (int64_t i = 0; i < k->channels * k->each; i++) sum[kn ? i % k->channels : i / k->each] += x[i];
    return v;
  }
  for (int64_t c = 0; c < k->channels; c++) {
    const int8_t *from = x + c / g->oc * g->w_group + c % g->oc * g->w_oc;
    int64_t tap[3] = {0};
    do {
      for (int64_t i = 0; i < g->ic; i++)
        sum[c] += from[tap[0] * g->w_tap[0] + tap[1] * g->w_tap[1] + tap[2] * g->w_tap[2] + i * g->w_ic];
    } while (whet__index_next(3, g->kernel, tap));
  }
  return v;
}

/* The bytes in a border of their zero point, as the convolution wants them. */
static int32_t bordered(whet_edit *e, const product *k, const bytes *b, bool last) {
  whet_graph *g = e->g;
  int64_t pads[2 * WHET_MAX_RANK] = {0}, rank = k->geo.n + 2, n = 2 * rank;
  for (int i = 3 - k->geo.n; i < 3; i++) {
    int64_t d = i - (3 - k->geo.n) + (last ? 1 : 2);
    pads[d] = k->geo.pad[i];
    pads[rank + d] = k->geo.pad_end[i];
  }
  int32_t value = whet__ed_val(e, "zero", WHET_S8, NULL), y = whet__ed_val(e, "bordered", WHET_S8, NULL);
  whet__ed_cast(e, b->zero, value, WHET_S8);
  int32_t in[3] = {b->q, whet__ed_const(e, WHET_S64, 1, &n, pads), value};
  const whet_op *pad = whet__op_find("Pad");
  void *attr = whet__arena_alloc(&g->arena, pad->attr_size);
  if (e->failed || !attr) return e->failed = true, -1;
  g->val[y].q = g->val[b->q].q;
  whet__ed_node(e, pad, attr, in, 3, &y, 1);
  return y;
}

/* Take node n at position *at, a product of what `round` rounds, to integers. */
static whet_status to_bytes(whet_pass *p, hybrid *h, int32_t *at, int32_t round, const product *k) {
  whet_edit *e = &h->e;
  whet_graph *g = p->g;
  int32_t id = e->r->node[*at];
  const bytes *b = quantised(h, round, at);
  if (!b) return e->failed ? whet__pass_full(p) : WHET_OK;
  const whet_node old = g->node[id];
  bool asymmetric = ((const whet_fakeq *)g->node[round].attr)->asymmetric;
  e->at = *at;
  int32_t x = b->q, y = old.out[0], w = plain_weights(e, old.in[1]);
  const whet_shape shape = g->val[y].shape;
  int32_t sum = whet__ed_val(e, "sum", WHET_S32, &shape), zero = -1, weights = -1;
  whet_conv_attr *conv = k->border && asymmetric ? whet__ed_attr(e, id) : NULL;
  if (asymmetric) zero = b->zero, weights = sums_of(e, &g->node[id], k);
  if (conv) {
    x = bordered(e, k, b, conv->last);
    conv->pad_mode = WHET_CONV_VALID;
    conv->pads.n = 0;
  }
  int32_t in[WHET_SUMS_IN] = {
      sum, b->scale, zero, weights, scales_of(e, g->val[old.in[1]].q, k->channels), old.n_in > 2 ? old.in[2] : -1};
  int32_t *args = whet__arena_array(&g->arena, 2, sizeof *args), *out = whet__arena_array(&g->arena, 1, sizeof *out);
  if (e->failed || !args || !out) return whet__pass_full(p);
  args[0] = x, args[1] = w, out[0] = sum;
  g->node[id].in = args;
  g->node[id].n_in = 2;
  g->node[id].out = out;
  *at = e->at;
  e->at = *at + 1;
  const whet_sums a = {.axis = k->axis};
  whet__ed_node(e, whet__op_find("SumsToFloat"), &a, in, WHET_SUMS_IN, &y, 1);
  p->changed = true;
  return e->failed ? whet__pass_full(p) : WHET_OK;
}

enum { FEW = 32 }; /* products of a sum below which they cost less than a further pass over the sums */

static whet_status hybrid_region(whet_pass *p, whet_region *r) {
  whet_uses u;
  hybrid h = {.e = {.pass = p, .g = p->g, .r = r},
              .made = whet__arena_array(&p->a, (size_t)r->n_node + 1, sizeof *h.made)};
  int32_t nodes = p->g->n_node, vals = p->g->n_val;
  if (!h.made || !whet__graph_uses(p->g, &p->a, &u)) return whet__pass_full(p);
  for (int32_t i = 0; i < r->n_node; i++) {
    if (r->node[i] >= nodes) continue; /* made here */
    const whet_node *n = &p->g->node[r->node[i]];
    int32_t x = n->n_in ? n->in[0] : -1, round = x < 0 || x >= vals ? -1 : u.maker[x];
    product k;
    if (round < 0 || !whet__is_op(&p->g->node[round], "HybridRound") || !as_product(p, n, &k) ||
        !weights_fit(p, n, &k))
      continue;
    const whet_fakeq *a = p->g->node[round].attr;
    if (k.each < FEW || (k.border && a->asymmetric && p->env->shape[x].d[0] != 1))
      continue; /* a border for each picture */
    WHET_TRY(to_bytes(p, &h, &i, round, &k));
  }
  return WHET_OK;
}

/* ---- ONNX ------------------------------------------------------------------------------------- */

/* Does v, of one number for each of n channels, meet dimension `axis` of `rank`? */
static bool along(const whet_pass *p, int32_t v, int64_t n, int32_t axis, int32_t rank) {
  const whet_shape *s = &p->env->shape[v];
  int32_t at = axis - (rank - s->rank);
  return s->rank <= rank && whet__shape_count(s) == n && at >= 0 && at < s->rank && s->d[at] == n;
}

/* Parts of a real number that sums stand for, as inputs of SumsToFloat. */
typedef struct parts {
  int32_t in[WHET_SUMS_IN], axis, rank;
  int64_t channels;
} parts;

/* Sums in v, perhaps less zero * weights. */
static bool take_sums(const whet_match *m, int32_t v, parts *out) {
  const whet_pass *p = m->p;
  const whet_node *sub = whet__match_only(m, v, "Sub"), *mul = sub ? whet__match_only(m, sub->in[1], "Mul") : NULL;
  out->in[WHET_SUMS_SUM] = mul ? sub->in[0] : v;
  const whet_node *made_by = whet__match_maker(m, out->in[WHET_SUMS_SUM]);
  const whet_shape *s = &p->env->shape[out->in[WHET_SUMS_SUM]];
  if (!made_by || s->rank < 1 || p->env->dtype[out->in[WHET_SUMS_SUM]] != WHET_S32) return false;
  bool conv = whet__is_op(made_by, "Conv");
  if (!conv && !whet__is_op(made_by, "MatMul")) return false;
  out->rank = s->rank;
  out->axis = conv && !((const whet_conv_attr *)made_by->attr)->last ? 1 : s->rank - 1;
  out->channels = s->d[out->axis];
  if (!whet__dim_known(out->channels) || !mul) return whet__dim_known(out->channels);
  for (int i = 0; i < 2; i++) {
    int32_t zero = mul->in[i], weights = mul->in[1 - i];
    if (p->env->dtype[zero] != WHET_S32 || whet__shape_count(&p->env->shape[zero]) != 1) continue;
    if (!whet__pass_const(p, weights) || !along(p, weights, out->channels, out->axis, out->rank)) continue;
    out->in[WHET_SUMS_ZERO] = zero;
    out->in[WHET_SUMS_WEIGHTS] = weights;
    return true;
  }
  return false;
}

/* What v, which multiplies them, is made of: one scale, or that times one of each channel's weights. */
static bool take_scale(const whet_match *m, int32_t v, parts *out) {
  const whet_pass *p = m->p;
  const whet_node *mul = whet__match_maker(m, v);
  if (!whet__match_is_float(m, v)) return false;
  if (whet__shape_count(&p->env->shape[v]) == 1 && p->env->shape[v].rank <= out->rank)
    return out->in[WHET_SUMS_SCALE] = v, true;
  for (int i = 0; mul && whet__is_op(mul, "Mul") && i < 2; i++) {
    int32_t scale = mul->in[i], weights = mul->in[1 - i];
    if (whet__shape_count(&p->env->shape[scale]) != 1 || !whet__pass_const(p, weights)) continue;
    if (!along(p, weights, out->channels, out->axis, out->rank)) continue;
    out->in[WHET_SUMS_SCALE] = scale;
    out->in[WHET_SUMS_W_SCALE] = weights;
    return true;
  }
  return false;
}

/* Does node n multiply floats that sums of integers were cast to? */
static bool scaled_sums(const whet_match *m, const whet_node *n, parts *out) {
  for (int i = 0; n && n->n_in == 2 && whet__is_op(n, "Mul") && i < 2; i++) {
    const whet_node *cast = whet__match_only(m, n->in[i], "Cast");
    *out = (parts){.in = {-1, -1, -1, -1, -1, -1}};
    if (cast && m->p->env->dtype[n->in[i]] == WHET_F32 && take_sums(m, cast->in[0], out) &&
        take_scale(m, n->in[1 - i], out))
      return true;
  }
  return false;
}

static whet_status sums_region(whet_pass *p, whet_region *r) {
  whet_match m;
  if (!whet__match_init(p, &m)) return whet__pass_full(p);
  for (int32_t i = 0; i < r->n_node; i++) {
    whet_node *n = &p->g->node[r->node[i]];
    parts k;
    bool found = scaled_sums(&m, n, &k);
    if (!found || n->dead) continue;
    whet_sums a = {.axis = k.axis};
    WHET_TRY(whet__match_become(&m, n, "SumsToFloat", &a, k.in, WHET_SUMS_IN));
    p->changed = true;
  }
  return WHET_OK;
}

/* An Add of a number for each channel that alone takes what SumsToFloat makes goes into it. */
static whet_status bias_region(whet_pass *p, whet_region *r) {
  whet_match m;
  if (!whet__match_init(p, &m)) return whet__pass_full(p);
  for (int32_t i = 0; i < r->n_node; i++) {
    whet_node *n = &p->g->node[r->node[i]];
    for (int k = 0; whet__is_op(n, "Add") && n->n_in == 2 && k < 2; k++) {
      const whet_node *sums = whet__match_only(&m, n->in[k], "SumsToFloat");
      int32_t bias = n->in[1 - k], in[WHET_SUMS_IN];
      if (!sums || sums->in[WHET_SUMS_BIAS] >= 0 || !whet__pass_const(p, bias) || !whet__match_is_float(&m, bias))
        continue;
      const whet_sums *a = sums->attr;
      const whet_shape *s = &p->env->shape[n->in[k]];
      if (!along(p, bias, s->d[a->axis], a->axis, s->rank)) continue;
      memcpy(in, sums->in, sizeof in);
      in[WHET_SUMS_BIAS] = bias;
      WHET_TRY(whet__match_become(&m, n, "SumsToFloat", a, in, WHET_SUMS_IN));
      p->changed = true;
    }
  }
  return WHET_OK;
}

whet_status whet__pass_dynamic(whet_pass *p) {
  if (p->files) return WHET_OK; /* formats have the float form */
  WHET_TRY(whet__pass_env(p));
  WHET_TRY(whet__pass_regions(p, hybrid_region));
  WHET_TRY(whet__pass_env(p));
  WHET_TRY(whet__pass_regions(p, sums_region));
  return whet__pass_regions(p, bias_region);
}
