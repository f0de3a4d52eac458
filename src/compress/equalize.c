/* SPDX-License-Identifier: Apache-2.0 */
/* Cross-layer equalisation (Nagel and others, "Data-free quantization through weight equalization and bias correction", 2019).
 *
 *   Conv(w1, b1) ─▶ Relu ─▶ Conv(w2)   computes the same as   Conv(w1 / s, b1 / s) ─▶ Relu ─▶ Conv(w2 s)
 *
 * for one positive s for each channel between. With s = sqrt(r1 / r2), where r1 and r2 are the largest weights into and out of the
 * channel, both become sqrt(r1 r2), and no channel is small beside another that shares its scale. Pairs are visited until nothing
 * changes, because most products stand in two of them. */

#include <math.h>

#include "compress/job.h"
#include "compress/probe.h"

enum { ROUNDS = 20 };

/* The graph that is evened out, and what is known of it. */
typedef struct work {
  whet_graph *g;
  whet_arena a;
  whet_env env;
  whet_uses uses;
  whet_weighted **product; /* by node */
} work;

/* Two products and the channels between them. */
typedef struct pair {
  whet_weighted *a, *b;
} pair;

static int32_t only_user(const work *j, int32_t v) {
  const whet_uses *u = &j->uses;
  return u->count[v] == 1 && u->first[v + 1] == u->first[v] + 1 ? u->user[u->first[v]] : -1;
}

/* The product that alone takes what p makes, with nothing between that minds a positive factor. */
static whet_weighted *next(const work *j, const whet_weighted *p) {
  int32_t u = only_user(j, j->g->node[p->node].out[0]);
  if (u >= 0 && (!strcmp(j->g->node[u].op->name, "Relu") || !strcmp(j->g->node[u].op->name, "LeakyRelu")))
    u = only_user(j, j->g->node[u].out[0]);
  whet_weighted *q = u >= 0 ? j->product[u] : NULL;
  if (!q || q->transposed || p->transposed || p->conv != q->conv) return NULL;
  int64_t in = q->conv ? q->groups * q->geo.ic : q->k;
  return in == p->channels ? q : NULL;
}

/* Weights (and, with k 2, bias) of p as floats that may be written. */
static float *own(work *j, const whet_weighted *p, int k) {
  whet_node *n = &j->g->node[p->node];
  if (n->n_in <= k || n->in[k] < 0) return NULL;
  return (float *)(uintptr_t)j->g->val[n->in[k]].data->p;
}

/* Give p's weights and bias constants of their own. */
static bool make_own(work *j, const whet_weighted *p) {
  for (int k = 1; k < 3 && k < j->g->node[p->node].n_in; k++) {
    int32_t v = j->g->node[p->node].in[k], c;
    if (v < 0) continue;
    whet_val x = j->g->val[v];
    if ((c = whet__graph_const_copy(j->g, x.name, WHET_F32, x.shape.rank, x.shape.d, x.data->p)) < 0) return false;
    j->g->node[p->node].in[k] = c;
  }
  return true;
}

/* Number of the channel of q's input that weight i of output o takes. */
static int64_t input_of(const whet_weighted *q, int64_t o, int64_t i) {
  return q->conv ? o / q->geo.oc * q->geo.ic + i % q->geo.ic : i;
}

/* Even out one pair; the largest factor that changed anything. */
static double even(work *j, const pair *p, double *into, double *from) {
  float *wa = own(j, p->a, 1), *ba = own(j, p->a, 2), *wb = own(j, p->b, 1);
  double most = 1;
  for (int64_t c = 0; c < p->a->channels; c++) into[c] = from[c] = 0;
  for (int64_t c = 0; c < p->a->channels; c++)
    for (int64_t i = 0; i < p->a->k; i++) into[c] = fmax(into[c], fabs((double)wa[p->a->chan[c] + p->a->tap[i]]));
  for (int64_t o = 0; o < p->b->channels; o++)
    for (int64_t i = 0; i < p->b->k; i++) {
      double *x = &from[input_of(p->b, o, i)];
      *x = fmax(*x, fabs((double)wb[p->b->chan[o] + p->b->tap[i]]));
    }
  for (int64_t c = 0; c < p->a->channels; c++) {
    into[c] = into[c] > 0 && from[c] > 0 ? fmin(fmax(sqrt(into[c] / from[c]), 1e-4), 1e4) : 1; /* the factor */
    most = fmax(most, fmax(into[c], 1 / into[c]));
    for (int64_t i = 0; i < p->a->k; i++) wa[p->a->chan[c] + p->a->tap[i]] /= (float)into[c];
    if (ba) ba[c] /= (float)into[c];
  }
  for (int64_t o = 0; o < p->b->channels; o++)
    for (int64_t i = 0; i < p->b->k; i++) wb[p->b->chan[o] + p->b->tap[i]] *= (float)into[input_of(p->b, o, i)];
  return most;
}

/* Every product with weights that belong to it alone. */
static bool find(work *j) {
  const whet_region *r = &j->g->main;
  bool full = false;
  j->product = whet__arena_array(&j->a, (size_t)j->g->n_node + 1, sizeof *j->product);
  for (int32_t i = 0; i < r->n_node && j->product && !full; i++) {
    const whet_node *n = &j->g->node[r->node[i]];
    bool known = !strcmp(n->op->name, "Conv") || !strcmp(n->op->name, "Dense") || !strcmp(n->op->name, "Gemm");
    if (!known || n->n_in < 2 || n->in[1] < 0 || j->g->val[n->in[1]].dtype != WHET_F32) continue;
    const whet_val *b = n->n_in > 2 && n->in[2] >= 0 ? &j->g->val[n->in[2]] : NULL;
    whet_weighted *p = whet__weighted_of(&j->env, j->g, r->node[i], &j->a, &full);
    if (p && (!b || (b->role == WHET_ROLE_CONST && b->dtype == WHET_F32 && whet__shape_count(&b->shape) == p->channels)))
      j->product[r->node[i]] = p;
  }
  return j->product && !full;
}

static whet_status pairs(work *j, whet_err *err) {
  const whet_region *r = &j->g->main;
  pair *list = whet__arena_array(&j->a, (size_t)r->n_node + 1, sizeof *list);
  uint8_t *owned = whet__arena_array(&j->a, (size_t)j->g->n_node + 1, 1);
  int64_t widest = 0;
  int n = 0;
  bool ok = list && owned && find(j);
  for (int32_t i = 0; i < r->n_node && ok; i++) {
    whet_weighted *p = j->product[r->node[i]], *q = p ? next(j, p) : NULL;
    if (!q) continue;
    list[n++] = (pair){p, q};
    widest = whet__max_i(widest, p->channels);
    for (int k = 0; k < 2 && ok; k++) {
      const whet_weighted *x = k ? q : p;
      if (!owned[x->node]) ok = make_own(j, x);
      owned[x->node] = 1;
    }
  }
  double *room = ok ? whet__arena_array(&j->a, 2 * (size_t)widest + 1, sizeof *room) : NULL, most = 2;
  if (!room) return whet__no_memory(j->g->mem, 0, err, "equalisation");
  for (int round = 0; round < ROUNDS && most > 1.01; round++) {
    most = 1;
    for (int i = 0; i < n; i++) most = fmax(most, even(j, &list[i], room, room + widest));
  }
  return WHET_OK;
}

whet_status whet__equalize(whet_model *m, whet_err *err) {
  work j = {.g = &m->graph};
  whet__arena_init(&j.a, &m->mem);
  whet_status s = whet__graph_uses(j.g, &j.a, &j.uses) ? whet__shapes_of_one(j.g, &j.a, &j.env, err)
                                                       : whet__no_memory(&m->mem, 0, err, "equalisation");
  if (!s) s = pairs(&j, err);
  whet__arena_free(&j.a);
  return s;
}
