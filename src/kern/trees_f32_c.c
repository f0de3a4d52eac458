/* SPDX-License-Identifier: Apache-2.0 */
/* Family trees_f32, portable: eight walks at once, of eight rows through one tree, or of one row through eight trees. No step
 * of a walk waits for another's and none branches, so the loads of all are under way together. */

#include "kern/trees_f32.h"

enum { LANES = 8 };

/* Rows that go through a tree before the next one is looked at: many, since trees may not fit a cache, but their sums should. */
static int64_t block_rows(int32_t targets) {
  int32_t n = 8192 / targets / LANES * LANES;
  return n < LANES ? LANES : n > 32 * LANES ? 32 * LANES : n;
}

/* Walk from nodes at[] to leaves; lane l sees the row at x[l]. */
static inline void walk(const whet_tree_node *node, const float *const x[LANES], int32_t at[LANES]) {
  for (;;) {
    int32_t moved = 0;
    WHET_UNROLL
    for (int l = 0; l < LANES; l++) {
      const whet_tree_node *n = node + at[l];
      float v = x[l][n->feature & ~WHET_TREE_NAN];
      int32_t yes = -(int32_t)((v <= n->v) | ((v != v) & (n->feature >> 31)));
      int32_t next = n->no ^ ((n->yes ^ n->no) & yes);
      moved |= next ^ at[l];
      at[l] = next;
    }
    if (!moved) return;
  }
}

/* What a run needs. */
struct run {
  const whet_trees_f32 *p;
  const float *x, *weight;
  const int32_t *root, *first, *target;
  const whet_tree_node *node;
  double *sum; /* [block][targets] */
};

/* Add a leaf's weights to a row's sums. */
static inline void add(const struct run *r, int32_t leaf, double *sum) {
  const whet_tree_node *n = r->node + leaf;
  if (r->p->single) {
    sum[0] += (double)n->v;
    return;
  }
  int32_t k;
  memcpy(&k, &n->v, sizeof k);
  for (int32_t i = r->first[k]; i < r->first[k + 1]; i++) sum[r->target[i]] += (double)r->weight[i];
}

/* One row through all trees. */
static void one_row(const struct run *r, const float *row, double *sum) {
  const float *x[LANES];
  int32_t at[LANES];
  for (int l = 0; l < LANES; l++) x[l] = row;
  for (int32_t t = 0; t < r->p->trees; t += LANES) {
    int32_t n = r->p->trees - t < LANES ? r->p->trees - t : LANES;
    for (int l = 0; l < LANES; l++) at[l] = r->root[l < n ? t + l : t];
    walk(r->node, x, at);
    for (int l = 0; l < n; l++) add(r, at[l], sum);
  }
}

/* n rows from `row` on through all trees; few of them one by one. */
static void block(const struct run *r, int64_t row, int64_t n) {
  const float *x[LANES];
  int32_t at[LANES];
  int64_t whole = n % LANES < 3 ? n - n % LANES : n, targets = r->p->targets;
  for (int32_t t = 0; t < r->p->trees; t++)
    for (int64_t i = 0; i < whole; i += LANES) {
      for (int l = 0; l < LANES; l++) {
        x[l] = r->x + (row + (i + l < whole ? i + l : i)) * r->p->features;
        at[l] = r->root[t];
      }
      walk(r->node, x, at);
      for (int l = 0; l < LANES && i + l < whole; l++) add(r, at[l], r->sum + (i + l) * targets);
    }
  for (int64_t i = whole; i < n; i++) one_row(r, r->x + (row + i) * r->p->features, r->sum + i * targets);
}

static size_t scratch(const void *params) {
  const whet_trees_f32 *p = params;
  return (size_t)block_rows(p->targets) * (size_t)p->targets * sizeof(double);
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_trees_f32 *p = params;
  const double *base = ptr[5];
  struct run r = {.p = p, .x = ptr[0], .root = ptr[1], .first = ptr[2], .target = ptr[3], .weight = ptr[4]};
  r.node = (const void *)((const char *)ptr[1] + whet__tree_nodes_at(p->trees));
  r.sum = ptr[7];
  int64_t from, to, size = block_rows(p->targets), n;
  whet__split(p->rows, part, parts, &from, &to);
  for (; from < to; from += n) {
    n = to - from < size ? to - from : size;
    memset(r.sum, 0, (size_t)(n * p->targets) * sizeof *r.sum);
    block(&r, from, n);
    float *y = (float *)ptr[6] + from * p->targets;
    for (int64_t i = 0; i < n * p->targets - WHET_BUG(1); i++)
      y[i] = (float)(r.sum[i] * p->scale + (base ? base[i % p->targets] : 0));
  }
}

const whet_kern whet_k_trees_f32__c_lanes = {.name = "trees_f32__c_lanes", .exact = 1, .scratch = scratch, .run = run};
