/* SPDX-License-Identifier: Apache-2.0 */
#include "train/sparsity.h"

#include <math.h>

#include "op/weighted.h"
#include "pass/pass.h"

enum { MOST_NEIGHBOURS = 64 };

/* ---- layers ---------------------------------------------------------------------------------- */

/* Free sizes become 1 and what follows from them is forgotten: weights lie the same whatever the batch is. */
static void close_sizes(whet_graph *g) {
  for (int32_t v = 0; v < g->n_val; v++) {
    whet_shape *s = &g->val[v].shape;
    bool open = false;
    if (g->val[v].role == WHET_ROLE_CONST || g->val[v].role == WHET_ROLE_VARIABLE) continue;
    for (int32_t i = 0; i < s->rank; i++) {
      if (whet__dim_known(s->d[i])) continue;
      open = true;
      if (g->val[v].role == WHET_ROLE_INPUT) s->d[i] = 1;
    }
    if (open && g->val[v].role == WHET_ROLE_NODE) s->rank = -1;
  }
}

static bool listed(const whet_graph *g, const whet_node *n, const whet_sparsity *how, bool *seen) {
  bool any = false;
  for (size_t i = 0; how && i < how->n_dense; i++)
    if (!strcmp(how->dense[i], n->name) || !strcmp(how->dense[i], g->val[n->out[0]].name)) any = seen[i] = true;
  return any;
}

static whet_status find(whet_pass *p, const whet_sparsity *how, bool *seen, whet_arena *a, whet_sparse_layer *l,
                        size_t *n_layer) {
  whet_graph *g = p->g;
  size_t n = 0;
  for (int32_t i = 0; i < g->main.n_node; i++) {
    bool full = false, twice = false;
    int32_t id = g->main.node[i];
    const whet_node *node = &g->node[id];
    whet_weighted *w = whet__weighted_of(p->env, g, id, a, &full);
    if (full) return whet__pass_full(p);
    if (!w || (w->conv && w->groups > 1 && w->geo.ic == 1)) continue;
    int32_t v = node->in[1];
    if (g->val[v].dtype != WHET_F32 || !g->val[v].data || listed(g, node, how, seen)) continue;
    for (size_t k = 0; k < n; k++) twice |= l[k].val == v;
    if (!twice) l[n++] = (whet_sparse_layer){id, v, w->channels, w->k, w->chan, w->tap};
  }
  *n_layer = n;
  return WHET_OK;
}

whet_status whet__sparse_layers(whet_model *m, const whet_sparsity *how, whet_arena *a, whet_sparse_layer **out,
                                size_t *n, whet_err *err) {
  whet_model *copy;
  *n = 0;
  WHET_TRY(whet__model_derive(m, &copy, err));
  close_sizes(&copy->graph);
  whet_pass p = {.g = &copy->graph, .err = err};
  whet__arena_init(&p.a, &copy->mem);
  bool *seen = whet__arena_array(&p.a, how ? how->n_dense + 1 : 1, sizeof *seen);
  *out = whet__arena_array(a, (size_t)copy->graph.main.n_node + 1, sizeof **out);
  whet_status s = seen && *out ? whet__pass_env(&p) : whet__pass_full(&p);
  if (!s) s = find(&p, how, seen, a, *out, n);
  for (size_t i = 0; !s && how && i < how->n_dense; i++)
    if (!seen[i]) s = whet__fail(err, WHET_E_NAME, "no layer is called \"%.100s\"", how->dense[i]);
  if (!s && !*n)
    s = whet__fail(err, WHET_E_UNSUPPORTED, "the model has no layers of float32 whose weights could become zero");
  whet__arena_free(&p.a);
  whet_model_close(&copy);
  return s;
}

double whet__sparsity_at(double t) {
  double left = fmin(fmax(1 - t, 0), 1);
  return 1 - left * left * left;
}

/* ---- N of M ---------------------------------------------------------------------------------- */

static float score_of(const float *w, const float *score, int64_t at) { return score ? score[at] : fabsf(w[at]); }

/* Of m inputs that follow each other (the last ones may be fewer), the least go. */
static void neighbours(const whet_sparsity *how, const whet_sparse_layer *l, float *w, const float *score,
                       double done) {
  for (int64_t o = 0; o < l->channels; o++)
    for (int64_t i = 0; i < l->k; i += how->m) {
      int64_t m = whet__min_i(how->m, l->k - i), stay = (how->n * m + how->m - 1) / how->m;
      int64_t go = (int64_t)floor((double)(m - stay) * done + 0.5);
      bool gone[MOST_NEIGHBOURS] = {false};
      for (int64_t g = 0; g < go; g++) {
        int64_t least = -1;
        for (int64_t k = 0; k < m; k++)
          if (!gone[k] && (least < 0 || score_of(w, score, l->chan[o] + l->tap[i + k]) <
                                            score_of(w, score, l->chan[o] + l->tap[i + least])))
            least = k;
        gone[least] = true;
        w[l->chan[o] + l->tap[i + least]] = 0;
      }
    }
}

/* ---- blocks, and weights alone --------------------------------------------------------------- */

/* The blocks of some layers, in order: of each its score, and how many weights it has. */
typedef struct blocks {
  const whet_sparsity *how;
  const whet_sparse_layer *l;
  float *const *w;
  float *const *score;
  size_t n; /* layers */
  float *of;
  int32_t *size;
  int64_t count, weights;
} blocks;

static int64_t in_step(const whet_sparsity *s) { return s->block_in > 0 ? s->block_in : 1; }
static int64_t out_step(const whet_sparsity *s) { return s->block_out > 0 ? s->block_out : 1; }

/* The weights of the block at (o, i): their mean score; `clear`: they become zero. */
static float block(const blocks *b, size_t layer, int64_t o, int64_t i, bool clear, int32_t *size) {
  const whet_sparse_layer *l = &b->l[layer];
  int64_t o1 = whet__min_i(o + out_step(b->how), l->channels), i1 = whet__min_i(i + in_step(b->how), l->k);
  double sum = 0;
  *size = (int32_t)((o1 - o) * (i1 - i));
  for (int64_t x = o; x < o1; x++)
    for (int64_t y = i; y < i1; y++) {
      int64_t at = l->chan[x] + l->tap[y];
      sum += (double)score_of(b->w[layer], b->score ? b->score[layer] : NULL, at);
      if (clear) b->w[layer][at] = 0;
    }
  return (float)(sum / *size);
}

/* Call for every block: fill its score, or clear those up to `most`, the last of them in order until `left` weights
 * are gone. */
static void each(blocks *b, bool clear, float most, int64_t below, int64_t want) {
  int64_t at = 0, left = want - below;
  for (size_t n = 0; n < b->n; n++)
    for (int64_t o = 0; o < b->l[n].channels; o += out_step(b->how))
      for (int64_t i = 0; i < b->l[n].k; i += in_step(b->how), at++) {
        if (!clear) {
          b->of[at] = block(b, n, o, i, false, &b->size[at]);
          b->weights += b->size[at];
          continue;
        }
        bool tie = b->of[at] == most && left > 0;
        if (tie) left -= b->size[at];
        if (tie || b->of[at] < most) block(b, n, o, i, true, &b->size[at]);
      }
}

/* Weights in blocks whose scores are below t or, with `too`, t itself. */
static int64_t covered(const blocks *b, float t, bool too) {
  int64_t sum = 0;
  for (int64_t i = 0; i < b->count; i++) sum += b->of[i] < t || (too && b->of[i] == t) ? b->size[i] : 0;
  return sum;
}

/* The least score of which, and of those below it, there are `want` weights. Floats that are not negative are ordered
 * as their bits. */
static float threshold(const blocks *b, int64_t want) {
  uint32_t lo = 0, hi = 0x7f800000;
  float t;
  while (lo < hi) {
    uint32_t mid = lo + (hi - lo) / 2;
    memcpy(&t, &mid, 4);
    if (covered(b, t, true) >= want)
      hi = mid;
    else
      lo = mid + 1;
  }
  memcpy(&t, &lo, 4);
  return t;
}

static whet_status scattered(blocks *b, double share, whet_mem *mem, whet_err *err) {
  for (size_t n = 0; n < b->n; n++)
    b->count += whet__ceil_div(b->l[n].channels, out_step(b->how)) * whet__ceil_div(b->l[n].k, in_step(b->how));
  b->of = whet__alloc_array(mem, (size_t)b->count + 1, sizeof *b->of);
  b->size = whet__alloc_array(mem, (size_t)b->count + 1, sizeof *b->size);
  if (b->of && b->size) {
    each(b, false, 0, 0, 0);
    int64_t want = (int64_t)ceil(share * (double)b->weights - 1e-6);
    if (want > 0) {
      float t = threshold(b, want);
      each(b, true, t, covered(b, t, false), want);
    }
  }
  bool full = !b->of || !b->size;
  whet__free(mem, b->of);
  whet__free(mem, b->size);
  return full ? whet__no_memory(mem, (size_t)b->count * 8, err, "scores of weights") : WHET_OK;
}

whet_status whet__sparsify(const whet_sparsity *how, const whet_sparse_layer *l, size_t n, float *const *w,
                           float *const *score, double done, whet_mem *mem, whet_err *err) {
  if (how->m < 0 || how->m > MOST_NEIGHBOURS || (how->m && (how->n < 1 || how->n >= how->m)))
    return whet__fail(err, WHET_E_DATA, "%d of %d weights stay: expected at least one and not all, of at most %d",
                      how->n, how->m, MOST_NEIGHBOURS);
  if (!how->m && !(how->zeros >= 0 && how->zeros < 1))
    return whet__fail(err, WHET_E_DATA, "a share of %g zeros: expected at least 0, below 1", how->zeros);
  for (size_t i = 0; how->m && i < n; i++) neighbours(how, &l[i], w[i], score ? score[i] : NULL, done);
  if (how->m) return WHET_OK;
  size_t step = how->across ? n : 1;
  for (size_t i = 0; i < n; i += step) {
    blocks b = {.how = how, .l = l + i, .w = w + i, .score = score ? score + i : NULL, .n = step};
    WHET_TRY(scattered(&b, how->zeros * done, mem, err));
  }
  return WHET_OK;
}
