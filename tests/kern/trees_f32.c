/* SPDX-License-Identifier: Apache-2.0 */
/* Family trees_f32 against one walk after the other. */

#include "kern/trees_f32.h"

#include <math.h>

#include "kern/check.h"

typedef struct state {
  whet_trees_f32 p;
  const float *x, *weight;
  const int32_t *root, *first, *target;
  const whet_tree_node *node;
  const double *base;
} state;

enum { MAX_LEAF_WEIGHTS = 3 };

/* Trees of random shape in a packed buffer: nodes are made leaf by leaf, a random leaf splitting each time. */
static void *grow(kc *k, whet_trees_f32 *p, int32_t inner, int32_t *leaves) {
  size_t at = whet__tree_nodes_at(p->trees);
  int32_t each = 2 * inner + 1;
  char *b = kc_mem(k, at + (size_t)(p->trees * each) * sizeof(whet_tree_node));
  whet_tree_node *node = (whet_tree_node *)(void *)(b + at);
  int32_t n = 0;
  *leaves = 0;
  for (int32_t t = 0; t < p->trees; t++) {
    int32_t first = n, last = n;
    ((int32_t *)(void *)b)[t] = n;
    node[n] = (whet_tree_node){0, 0, n, n};
    for (int32_t i = kc_chance(k, 10) ? inner : 0; i < inner; i++) {
      int32_t s = (int32_t)kc_range(k, first, last);
      while (node[s].yes != s) s = kc_chance(k, 50) ? node[s].yes : node[s].no;
      node[s] = (whet_tree_node){kc_f32(k), (uint32_t)kc_range(k, 0, p->features - 1) | (kc_chance(k, 30) ? WHET_TREE_NAN : 0),
                                 last + 1, last + 2};
      for (int32_t c = 1; c <= 2; c++) node[last + c] = (whet_tree_node){0, 0, last + c, last + c};
      last += 2;
    }
    for (int32_t i = first; i <= last; i++) {
      if (node[i].yes != i) continue;
      node[i].v = kc_f32(k);
      if (!p->single) memcpy(&node[i].v, leaves, sizeof *leaves);
      ++*leaves;
    }
    n = last + 1;
  }
  void *out = kc_given(k, WHET_U8, (int64_t)(at + (size_t)n * sizeof(whet_tree_node)), b);
  return out;
}

/* The case for these parameters; inner: branches of each tree. */
static void build(kc *k, whet_trees_f32 *p, int32_t inner) {
  state *s = k->state;
  int32_t leaves;
  s->x = kc_in(k, WHET_F32, p->rows * p->features);
  s->root = grow(k, p, inner, &leaves);
  s->node = (const void *)((const char *)s->root + whet__tree_nodes_at(p->trees));
  int32_t *first = kc_mem(k, ((size_t)leaves + 1) * sizeof *first), n = 0;
  int32_t *target = kc_mem(k, (size_t)leaves * MAX_LEAF_WEIGHTS * sizeof *target + 4);
  float *weight = kc_mem(k, (size_t)leaves * MAX_LEAF_WEIGHTS * sizeof *weight + 4);
  for (int32_t i = 0; i < leaves; i++) {
    first[i] = n;
    for (int64_t c = kc_range(k, 0, MAX_LEAF_WEIGHTS); c > 0; c--) {
      target[n] = (int32_t)kc_range(k, 0, p->targets - 1);
      weight[n++] = kc_f32(k);
    }
  }
  first[leaves] = n;
  s->first = kc_given(k, WHET_S32, leaves + 1, first);
  s->target = kc_given(k, WHET_S32, n + 1, target);
  s->weight = kc_given(k, WHET_F32, n + 1, weight);
  double *base = kc_mem(k, (size_t)p->targets * sizeof *base);
  for (int32_t i = 0; i < p->targets; i++) base[i] = (double)kc_f32(k);
  s->base = NULL;
  if (kc_chance(k, 50))
    s->base = kc_given(k, WHET_F64, p->targets, base);
  else
    kc_absent(k);
  kc_out(k, WHET_F32, p->rows * p->targets);
  s->p = *p;
}

static void draw(kc *k) {
  whet_trees_f32 *p = kc_params(k, sizeof *p);
  p->rows = kc_size(k, 70);
  p->features = kc_size(k, 20);
  p->trees = (int32_t)kc_size(k, 20);
  p->single = kc_chance(k, 40);
  p->targets = p->single ? 1 : (int32_t)kc_size(k, 5);
  p->scale = kc_chance(k, 50) ? 1 : 1.0 / p->trees;
  build(k, p, (int32_t)kc_size(k, 30));
  kc_name(k, "%lld rows of %lld, %d trees, %d targets%s", (long long)p->rows, (long long)p->features, p->trees, p->targets,
          p->single ? ", single" : "");
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_trees_f32 *p = &s->p;
  double *sum = kc_mem(k, (size_t)p->targets * sizeof *sum);
  for (int64_t r = 0; r < p->rows && !k->failures; r++) {
    memset(sum, 0, (size_t)p->targets * sizeof *sum);
    for (int32_t t = 0; t < p->trees; t++) {
      int32_t at = s->root[t], leaf;
      while (s->node[at].yes != at || s->node[at].no != at) {
        const whet_tree_node *n = &s->node[at];
        float v = s->x[r * p->features + (n->feature & ~WHET_TREE_NAN)];
        at = (isnan(v) ? (n->feature & WHET_TREE_NAN) != 0 : v <= n->v) ? n->yes : n->no;
      }
      memcpy(&leaf, &s->node[at].v, sizeof leaf);
      if (p->single)
        sum[0] += (double)s->node[at].v;
      else
        for (int32_t i = s->first[leaf]; i < s->first[leaf + 1]; i++) sum[s->target[i]] += (double)s->weight[i];
    }
    for (int32_t i = 0; i < p->targets; i++)
      kc_want_f32(k, 6, r * p->targets + i, (float)(sum[i] * p->scale + (s->base ? s->base[i] : 0)));
  }
}

static void bench(kc *k, int i) {
  static const struct {
    int64_t rows;
    int32_t trees, inner;
  } c[] = {{1, 100, 255}, {64, 100, 255}, {1024, 100, 255}, {1024, 100, 15}, {1024, 500, 1023}};
  whet_trees_f32 *p = kc_params(k, sizeof *p);
  *p = (whet_trees_f32){.rows = c[i].rows, .features = 32, .trees = c[i].trees, .targets = 1, .scale = 1, .single = 1};
  build(k, p, c[i].inner);
  k->ops = (double)(p->rows * p->trees) * log2((double)c[i].inner + 1);
  kc_name(k, "%lld rows, %d trees of %d", (long long)p->rows, p->trees, c[i].inner);
}

static const kc_test test = {.family = WHET_FAMILY_trees_f32,
                             .state_bytes = sizeof(state),
                             .fills = 1 << KC_RANDOM | 1 << KC_INTS | 1 << KC_SPECIAL,
                             .draw = draw,
                             .check = check,
                             .n_bench = 5,
                             .bench = bench};
KC_MAIN(test)
