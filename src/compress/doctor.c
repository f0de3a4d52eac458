/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing two models value by value.
 *
 * What is compared is what nodes make in the end: a clamp after a product belongs to it, and so do QuantizeLinear and DequantizeLinear
 * after it, because looking in between would change what runs. Values are matched in order: equal names bind most, then the
 * same operator with as many elements, then as many elements; the best assignment of all that keeps the order in both is
 * taken (Needleman and Wunsch, 1970). Layouts that differ are turned. */

#include "compress/doctor.h"

#include <math.h>

#include "base/dtype.h"
#include "compress/probe.h"
#include "op/weighted.h"

enum { MOST_PAIRS = 16 << 20 };
static const double k_best = 160; /* decibels */

/* A value that can be compared. */
typedef struct spot {
  int32_t node, tail; /* the last node of its own, a clamp after it or -1 */
  int32_t val;        /* what is looked at */
  const char *name, *op;
  int64_t count;
  whet_shape shape;
} spot;

typedef struct side {
  const whet_patient *p;
  const whet_graph *g;
  whet_env env;
  whet_uses uses;
  spot *spot;
  size_t n;
  int32_t *spot_of; /* by value: the spot that it comes from, or -1 */
  whet_probe probe;
} side;

static bool is_op(const whet_node *n, const char *name) { return !strcmp(n->op->name, name); }

/* Nodes that compute nothing. */
static bool silent(const whet_node *n) {
  static const char *const names[] = {"QuantizeLinear", "DequantizeLinear", "Reinterpret", "Identity", "HybridRound", "Cast", "Transpose",
                                      "Reshape",        "Flatten",          "Squeeze",     "Unsqueeze"};
  for (size_t i = 0; i < WHET_COUNT(names); i++)
    if (is_op(n, names[i])) return true;
  return false;
}

static int32_t only_user(const side *s, int32_t v) {
  const whet_uses *u = &s->uses;
  return u->count[v] == 1 && u->first[v + 1] == u->first[v] + 1 ? u->user[u->first[v]] : -1;
}

/* Can numbers of v be seen: floats, or integers with one scale? */
static bool visible(const side *s, int32_t v) {
  const whet_val *x = &s->g->val[v];
  if (s->env.kind[v] != WHET_TENSOR || whet__shape_count(&s->env.shape[v]) < 1) return false;
  return s->env.dtype[v] == WHET_F32 || (whet__is_int((whet_dtype)s->env.dtype[v]) && x->q && x->q->n == 1);
}

static whet_status list_spots(side *s, whet_arena *a, whet_err *err) {
  const whet_region *r = &s->g->main;
  s->spot = whet__arena_array(a, (size_t)r->n_node + 1, sizeof *s->spot);
  s->spot_of = whet__arena_array(a, (size_t)s->g->n_val + 1, sizeof *s->spot_of);
  if (!s->spot || !s->spot_of) return whet__no_memory(a->mem, 0, err, "a diagnosis");
  for (int32_t v = 0; v < s->g->n_val; v++) s->spot_of[v] = -1;
  for (int32_t i = 0; i < r->n_node; i++) {
    const whet_node *n = &s->g->node[r->node[i]];
    int32_t v = n->n_out ? n->out[0] : -1, tail = -1, u;
    if (v < 0) continue;
    if (silent(n)) { /* what comes out of it is what went in */
      if (n->n_in && n->in[0] >= 0) s->spot_of[v] = s->spot_of[n->in[0]];
      continue;
    }
    if (s->spot_of[v] >= 0 || !visible(s, v)) continue;
    u = only_user(s, v);
    if (u >= 0 && (is_op(&s->g->node[u], "Relu") || is_op(&s->g->node[u], "Clip"))) {
      tail = u;
      v = s->g->node[u].out[0];
    }
    spot x = {.node = r->node[i], .tail = tail, .val = v, .name = s->g->val[v].name, .op = n->op->name};
    if (tail >= 0 && !(x.op = whet__arena_printf(a, "%s, %s", n->op->name, s->g->node[tail].op->name)))
      return whet__no_memory(a->mem, 0, err, "a diagnosis");
    s->spot_of[n->out[0]] = s->spot_of[v] = (int32_t)s->n;
    u = only_user(s, v);
    if (u >= 0 && is_op(&s->g->node[u], "QuantizeLinear")) {
      int32_t q = s->g->node[u].out[0], back = -1;
      for (int32_t k = s->uses.first[q]; k < s->uses.first[q + 1]; k++)
        if (is_op(&s->g->node[s->uses.user[k]], "DequantizeLinear")) back = s->uses.user[k];
      if (back >= 0) x.val = s->g->node[back].out[0];
    }
    x.shape = s->env.shape[x.val];
    x.count = whet__shape_count(&x.shape);
    if (visible(s, x.val) && x.count > 0) s->spot[s->n++] = x;
  }
  return WHET_OK;
}

/* Dimensions of b as those of a, turned: perm, or false. */
static bool turned(const whet_shape *a, const whet_shape *b, int *perm) {
  if (a->rank != b->rank || a->rank < 3) return false;
  for (int way = 0; way < 2; way++) {
    bool fits = true;
    for (int i = 0; i < a->rank && fits; i++) { /* channels from 1 to the end, or back */
      perm[i] = i == 0 ? 0 : way == 0 ? (i == a->rank - 1 ? 1 : i + 1) : (i == 1 ? a->rank - 1 : i - 1);
      fits = a->d[perm[i]] == b->d[i];
    }
    if (fits) return true;
  }
  return false;
}

static int likeness(const spot *a, const spot *b) {
  int perm[WHET_MAX_RANK];
  if (a->count != b->count) return 0;
  if (*a->name && !strcmp(a->name, b->name)) return 100;
  bool same = whet__shape_equal(&a->shape, &b->shape) || turned(&a->shape, &b->shape, perm);
  return (same ? 2 : 1) + (!strcmp(a->op, b->op) ? 3 : 0);
}

/* match[i]: the spot of b for spot i of a, or -1. */
static whet_status align(const side *a, const side *b, whet_arena *mem, int32_t *match, whet_err *err) {
  size_t w = b->n + 1;
  if ((a->n + 1) > MOST_PAIRS / w) return whet__fail(err, WHET_E_LIMIT, "models of %zu and %zu nodes are too large to compare", a->n, b->n);
  int32_t *best = whet__arena_array(mem, (a->n + 1) * w, sizeof *best);
  if (!best) return whet__no_memory(mem->mem, a->n * w * 4, err, "a diagnosis");
  for (size_t i = a->n; i-- > 0;)
    for (size_t k = b->n; k-- > 0;) {
      int l = likeness(&a->spot[i], &b->spot[k]);
      int32_t skip = best[(i + 1) * w + k] > best[i * w + k + 1] ? best[(i + 1) * w + k] : best[i * w + k + 1];
      best[i * w + k] = l && best[(i + 1) * w + k + 1] + l > skip ? best[(i + 1) * w + k + 1] + l : skip;
    }
  for (size_t i = 0, k = 0; i < a->n; i++) {
    match[i] = -1;
    while (k < b->n && best[i * w + k] == best[i * w + k + 1] && best[i * w + k] != best[(i + 1) * w + k]) k++;
    if (k >= b->n || best[i * w + k] == best[(i + 1) * w + k]) continue;
    match[i] = (int32_t)k++;
  }
  return WHET_OK;
}

static whet_status open_side(side *s, const whet_patient *p, whet_arena *a, whet_err *err) {
  *s = (side){.p = p, .g = &p->model->graph};
  if (!whet__graph_uses(s->g, a, &s->uses)) return whet__no_memory(a->mem, 0, err, "a diagnosis");
  WHET_TRY(whet__shapes_of_one(s->g, a, &s->env, err));
  return list_spots(s, a, err);
}

/* ---- numbers ---------------------------------------------------------------------------------- */

/* Sums over samples of one pair. */
typedef struct sums {
  double n, signal, error, diff, most, lo, hi, clipped, step;
  bool finite;
} sums;

typedef struct view {
  const void *p;
  whet_dtype t;
  double scale, zero;
} view;

static double number(const view *v, int64_t i) {
  return v->t == WHET_F32 ? (double)((const float *)v->p)[i] : ((double)whet__get_i64(v->t, v->p, i) - v->zero) * v->scale;
}

static whet_status look(side *s, size_t k, view *v, whet_err *err) {
  int64_t count;
  whet_info info;
  v->p = whet__probe_value(&s->probe, k, &count, &v->t, err);
  if (!v->p) return err->code;
  WHET_TRY(whet_session_output_info(s->probe.session, s->probe.first + k, &info));
  v->scale = info.quant.n ? (double)info.quant.scale[0] : 1;
  v->zero = info.quant.n ? info.quant.zero[0] : 0;
  return WHET_OK;
}

static void compare(sums *s, const spot *a, const spot *b, const view *x, const view *y) {
  int perm[WHET_MAX_RANK];
  bool turn = !whet__shape_equal(&a->shape, &b->shape) && turned(&a->shape, &b->shape, perm);
  int64_t stride[WHET_MAX_RANK], at[WHET_MAX_RANK] = {0}, step = 1, from = 0;
  double least = -INFINITY, greatest = INFINITY;
  for (int i = a->shape.rank - 1; i >= 0; i--) stride[i] = step, step *= a->shape.d[i];
  if (y->t != WHET_F32) {
    least = ((double)whet__dtype_min(y->t) - y->zero) * y->scale;
    greatest = ((double)whet__dtype_max(y->t) - y->zero) * y->scale;
    s->step = y->scale;
  }
  for (int64_t i = 0; i < a->count; i++) {
    double u = number(x, turn ? from : i), v = number(y, i), d = v - u;
    if (!isfinite(u) || !isfinite(v)) s->finite = false;
    s->signal += u * u, s->error += d * d, s->diff += d;
    s->most = fmax(s->most, fabs(d));
    s->lo = fmin(s->lo, u), s->hi = fmax(s->hi, u);
    s->clipped += u < least - y->scale || u > greatest + y->scale;
    for (int k = b->shape.rank - 1; turn && k >= 0; k--) {
      from += stride[perm[k]];
      if (++at[k] < b->shape.d[k]) break;
      from -= at[k] * stride[perm[k]];
      at[k] = 0;
    }
  }
  s->n += (double)a->count;
}

/* ---- causes ----------------------------------------------------------------------------------- */

/* The number behind element i of a constant that may be quantised. */
static double constant(const whet_graph *g, int32_t v, const whet_weighted *p, int64_t o, int64_t i) {
  const whet_val *x = &g->val[v];
  int64_t at = p->chan[o] + p->tap[i];
  if (x->dtype == WHET_F32) {
    float f;
    memcpy(&f, (const char *)x->data->p + at * 4, 4);
    return (double)f;
  }
  int32_t k = x->q && x->q->n == p->channels ? (int32_t)o : 0;
  double raw = (double)whet__get_i64((whet_dtype)x->dtype, x->data->p, at);
  return x->q && (x->q->n == 1 || x->q->n == p->channels) ? (raw - x->q->zero[k]) * (double)x->q->scale[k] : raw;
}

/* The weights of a spot's product as rows; *from: the constant that holds them. NULL: it is none. */
static whet_weighted *weights_of(const side *s, const spot *x, whet_graph *copy, whet_arena *a, int32_t *from) {
  bool full = false;
  const whet_node *n = &s->g->node[x->node];
  if (n->n_in < 2 || n->in[1] < 0) return NULL;
  *from = n->in[1];
  int32_t m = s->uses.maker[*from];
  if (m >= 0 && is_op(&s->g->node[m], "DequantizeLinear")) *from = s->g->node[m].in[0];
  if (s->g->val[*from].role != WHET_ROLE_CONST || s->g->val[*from].dtype == WHET_S4) return NULL;
  /* Seen as if the constant stood where the node takes its weights. */
  int32_t *in = whet__arena_array(a, n->n_in, sizeof *in);
  whet_node *node = whet__arena_copy(a, s->g->node, (size_t)s->g->n_node * sizeof *node);
  if (!in || !node) return NULL;
  memcpy(in, n->in, n->n_in * sizeof *in);
  in[1] = *from;
  *copy = *s->g;
  node[x->node].in = in;
  copy->node = node;
  return whet__weighted_of(&s->env, copy, x->node, a, &full);
}

/* What rounding did to the weights, when that is much; NULL: nothing to say. */
static const char *weights(const side *a, const side *b, const spot *x, const spot *y, whet_arena *mem) {
  whet_graph ga, gb;
  int32_t va, vb;
  whet_weighted *p = weights_of(a, x, &ga, mem, &va), *q = p ? weights_of(b, y, &gb, mem, &vb) : NULL;
  if (!p || !q || p->channels != q->channels || p->k != q->k) return NULL;
  double error = 0, power = 0, largest = 0, smallest = INFINITY;
  for (int64_t o = 0; o < p->channels; o++) {
    double most = 0;
    for (int64_t i = 0; i < p->k; i++) {
      double u = constant(&ga, va, p, o, i), v = constant(&gb, vb, q, o, i);
      error += (u - v) * (u - v), power += u * u;
      most = fmax(most, fabs(u));
    }
    largest = fmax(largest, most);
    if (most > 0) smallest = fmin(smallest, most);
  }
  if (!(power > 0) || error / power > 0.5) return NULL; /* other weights: batch norms folded in, say */
  const whet_quant *qb = gb.val[vb].q;
  if (qb && qb->n == 1 && largest / smallest > 16)
    return whet__arena_printf(mem, "one scale for weights of channels whose sizes differ %.3g-fold: quantise by channel",
                              largest / smallest);
  if (error / power > 1e-3)
    return whet__arena_printf(mem, "its weights changed by %.2g %%: more bits, smaller groups, or rounding by least squares",
                              100 * sqrt(error / power));
  return NULL;
}

static const char *cause(const side *a, const side *b, const spot *x, const spot *y, const whet_finding *f, whet_arena *mem) {
  if (!f->finite) return "not a number, or infinite";
  if (f->clipped > 1e-3)
    return whet__arena_printf(mem, "%.2g %% of its numbers lie beyond what the second holds (they reach from %.4g to %.4g): its range is too narrow; "
                              "calibrate on more samples, or by minmax", 100 * f->clipped, f->lo, f->hi);
  if (f->lost < 0.5) return "what its inputs bring";
  if (f->levels > 0 && f->levels < 40)
    return whet__arena_printf(mem, "its numbers take only %.0f steps of the second: its range is too wide, for outliers or because it is "
                              "shared", f->levels);
  const char *w = weights(a, b, x, y, mem);
  if (w) return w;
  if (fabs(f->mean) > 0.5 * f->rms * pow(10, -f->snr / 20))
    return whet__arena_printf(mem, "its numbers are shifted by %.3g on average: a bias, or rounding of weights that bias correction would "
                              "make up for", f->mean);
  if (strcmp(x->op, y->op)) return whet__arena_printf(mem, "%s here is %s there", x->op, y->op);
  if (b->env.dtype[y->val] != WHET_F32 || f->levels > 0) return "rounding to its steps";
  return "its own arithmetic: other sums, other precision";
}

/* ---- all together ----------------------------------------------------------------------------- */

static void settle(whet_finding *f, const sums *s) {
  double n = fmax(s->n, 1);
  f->snr = s->error > 0 ? fmin(10 * log10(fmax(s->signal, 1e-300) / s->error), k_best) : k_best;
  f->finite = s->finite;
  if (!s->finite) f->snr = -k_best;
  f->most = s->most;
  f->mean = s->diff / n;
  f->rms = sqrt(s->signal / n);
  f->lo = s->lo, f->hi = s->hi;
  f->clipped = s->clipped / n;
  f->levels = s->step > 0 ? (s->hi - s->lo) / s->step : 0;
}

/* The least signal to difference of the inputs of spot i of a. */
static double before(const side *a, size_t i, const int32_t *row, const whet_finding *f) {
  double least = k_best;
  for (int t = 0; t < 2; t++) {
    int32_t id = t ? a->spot[i].tail : a->spot[i].node;
    for (int k = 0; id >= 0 && k < a->g->node[id].n_in; k++) {
      int32_t v = a->g->node[id].in[k], s = v < 0 ? -1 : a->spot_of[v];
      if (s >= 0 && (size_t)s != i && row[s] >= 0) least = fmin(least, f[row[s]].snr);
    }
  }
  return least;
}

static whet_status run(side s[2], const int32_t *match, int64_t samples, whet_arena *a, sums *sum, whet_err *err) {
  int32_t *val[2];
  size_t n = 0;
  for (int k = 0; k < 2; k++)
    if (!(val[k] = whet__arena_array(a, s[0].n + 1, sizeof *val[k]))) return whet__no_memory(a->mem, 0, err, "a diagnosis");
  for (size_t i = 0; i < s[0].n; i++)
    if (match[i] >= 0) {
      val[0][n] = s[0].spot[i].val;
      val[1][n++] = s[1].spot[match[i]].val;
    }
  for (int k = 0; k < 2; k++) WHET_TRY(whet__probe_open(&s[k].probe, s[k].p->model, val[k], n, s[k].p->opts, err));
  for (int64_t t = 0; t < samples; t++) {
    for (int k = 0; k < 2; k++) {
      whet_samples in = {.n = samples, .fill = s[k].p->fill, .user = s[k].p->user};
      WHET_TRY(whet__probe_run(&s[k].probe, &in, t, err));
    }
    size_t at = 0;
    for (size_t i = 0; i < s[0].n; i++) {
      view x, y;
      if (match[i] < 0) continue;
      WHET_TRY(look(&s[0], at, &x, err));
      WHET_TRY(look(&s[1], at++, &y, err));
      compare(&sum[i], &s[0].spot[i], &s[1].spot[match[i]], &x, &y);
    }
  }
  return WHET_OK;
}

whet_status whet__diagnose(const whet_patient pair[2], int64_t samples, double threshold, whet_arena *a, whet_diagnosis *out,
                           whet_err *err) {
  side s[2] = {{0}};
  *out = (whet_diagnosis){.first = -1, .worst = -1};
  for (int k = 0; k < 2; k++) WHET_TRY(open_side(&s[k], &pair[k], a, err));
  int32_t *match = whet__arena_array(a, s[0].n + 1, sizeof *match), *row = whet__arena_array(a, s[0].n + 1, sizeof *row);
  sums *sum = whet__arena_array(a, s[0].n + 1, sizeof *sum);
  out->row = whet__arena_array(a, s[0].n + 1, sizeof *out->row);
  if (!match || !row || !sum || !out->row) return whet__no_memory(a->mem, 0, err, "a diagnosis");
  WHET_TRY(align(&s[0], &s[1], a, match, err));
  for (size_t i = 0; i < s[0].n; i++) sum[i].finite = true;
  whet_status st = run(s, match, samples, a, sum, err);
  for (int k = 0; k < 2; k++) whet__probe_close(&s[k].probe);
  if (st) return st;
  out->alone_b = s[1].n;
  for (size_t i = 0; i < s[0].n; i++) {
    row[i] = -1;
    if (match[i] < 0) {
      out->alone_a++;
      continue;
    }
    out->alone_b--;
    const spot *x = &s[0].spot[i], *y = &s[1].spot[match[i]];
    whet_finding *f = &out->row[out->n];
    *f = (whet_finding){.name = x->name, .op = x->op, .other = y->name, .other_op = y->op};
    settle(f, &sum[i]);
    double came = before(&s[0], i, row, out->row);
    f->lost = came - f->snr;
    f->added = pow(10, -f->snr / 10) - pow(10, -came / 10);
    row[i] = (int32_t)out->n++;
    if (f->snr >= threshold) continue;
    f->cause = cause(&s[0], &s[1], x, y, f, a);
    if (out->first < 0) out->first = row[i];
    if (out->worst < 0 || f->added > out->row[out->worst].added) out->worst = row[i];
  }
  return WHET_OK;
}
