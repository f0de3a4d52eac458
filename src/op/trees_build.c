/* SPDX-License-Identifier: Apache-2.0 */
/* From the branches of a file to the nodes that run: every mode becomes x <= split or x < split, nodes are laid out in the
 * order in which walks meet them, each leaf beside its branch.
 *
 *   x >= v, x > v        the opposite question, children exchanged
 *   x == v               x < v ? no : (x <= v ? yes : no)
 *   x in {v...}          a search tree of such pairs over the sorted set
 *
 * A place whose target is not laid out yet holds the next such place, so several may wait for one target. */

#include <math.h>
#include <stdlib.h>

#include "op/move.h"
#include "op/trees.h"

/* What is laid out. */
struct layout {
  const whet_trees_in *in;
  double *wide;
  float *narrow;   /* one of them */
  int32_t *link;   /* [n][3] */
  int32_t *root;
  uint8_t *seen;   /* by branch */
  double *sorted;  /* a set while it is laid out */
  struct wait {
    int32_t what, place; /* branch or ~ leaf; first place that waits for it */
  } * stack;
  struct part {
    int32_t lo, hi, place;
  } * parts;       /* of a set */
  int32_t n, depth, features;
};

/* Places: 3 * node + 1 or + 2 in `link`; roots: -2 - tree. -1 ends a chain. */
static int32_t *at(struct layout *l, int32_t place) { return place >= 0 ? &l->link[place] : &l->root[-2 - place]; }

/* All places of a chain lead to a node. */
static void settle(struct layout *l, int32_t place, int32_t node) {
  while (place != -1) {
    int32_t next = *at(l, place);
    *at(l, place) = node;
    place = next;
  }
}

static int32_t node(struct layout *l, double split, uint32_t feature, int32_t yes, int32_t no) {
  int32_t i = l->n++;
  if (l->wide)
    l->wide[i] = split;
  else
    l->narrow[i] = (float)split;
  l->link[3 * i] = (int32_t)feature;
  l->link[3 * i + 1] = yes;
  l->link[3 * i + 2] = no;
  return i;
}

/* The pair of nodes for x == v; its three ways out are appended to chains. Answers the first node. */
static int32_t equal(struct layout *l, double v, uint32_t feature, bool nan_yes, int32_t *less, int32_t *yes, int32_t *more) {
  int32_t a = node(l, v, feature | WHET_TREES_STRICT, -1, l->n + 1);
  l->link[3 * a + 1] = *less;
  *less = 3 * a + 1;
  int32_t b = node(l, v, feature | (nan_yes ? WHET_TREES_NAN : 0), -1, -1);
  l->link[3 * b + 1] = *yes;
  *yes = 3 * b + 1;
  l->link[3 * b + 2] = *more;
  *more = 3 * b + 2;
  return a;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* The search tree of a set; the first node stands at `place`. */
static void member(struct layout *l, const whet_branch_in *b, int32_t place, int32_t *yes, int32_t *no) {
  int32_t n = 0, depth = 0;
  for (int32_t i = 0; i < b->members; i++)
    if (!isnan(l->in->set[b->member + i])) l->sorted[n++] = l->in->set[b->member + i];
  if (n) qsort(l->sorted, (size_t)n, sizeof *l->sorted, ascending);
  int32_t kept = 0;
  for (int32_t i = 0; i < n; i++)
    if (!kept || l->sorted[i] != l->sorted[kept - 1]) l->sorted[kept++] = l->sorted[i];
  if (!kept) { /* nothing is in it, but NaN may be */
    int32_t k = node(l, NAN, (uint32_t)b->feature | (b->missing ? WHET_TREES_NAN : 0), *yes, *no);
    *yes = 3 * k + 1;
    *no = 3 * k + 2;
    settle(l, place, k);
    return;
  }
  l->parts[depth++] = (struct part){0, kept, place};
  bool missing = b->missing;
  while (depth) {
    struct part p = l->parts[--depth];
    int32_t mid = p.lo + (p.hi - p.lo) / 2, less = -1, more = -1;
    settle(l, p.place, equal(l, l->sorted[mid], (uint32_t)b->feature, missing, &less, yes, &more));
    missing = false; /* a NaN meets the first pair only */
    struct part half[2] = {{mid + 1, p.hi, more}, {p.lo, mid, less}};
    for (int i = 0; i < 2; i++) {
      if (half[i].lo < half[i].hi) {
        l->parts[depth++] = half[i];
      } else { /* outside: one more place that waits for `no` */
        l->link[half[i].place] = *no;
        *no = half[i].place;
      }
    }
  }
}

/* Lay out one branch; its children wait. */
static void branch(struct layout *l, const whet_branch_in *b, int32_t place) {
  bool turned = b->mode == WHET_TREE_GTE || b->mode == WHET_TREE_GT;
  bool strict = b->mode == WHET_TREE_LT || b->mode == WHET_TREE_GTE;
  int32_t yes = -1, no = -1;
  if (b->mode == WHET_TREE_MEMBER) {
    member(l, b, place, &yes, &no);
  } else if (b->mode == WHET_TREE_EQ || b->mode == WHET_TREE_NEQ) {
    int32_t same = -1, other = -1;
    bool equals = b->mode == WHET_TREE_EQ;
    int32_t less = -1;
    settle(l, place, equal(l, b->split, (uint32_t)b->feature, equals && b->missing, &less, &same, &other));
    l->link[less] = other; /* two places wait for what is not equal */
    other = less;
    yes = equals ? same : other;
    no = equals ? other : same;
  } else {
    bool nan = turned ? !b->missing : b->missing; /* NaN goes where "false" stands, unless it is true */
    int32_t k = node(l, b->split, (uint32_t)b->feature | (strict ? WHET_TREES_STRICT : 0) | (nan ? WHET_TREES_NAN : 0), -1, -1);
    settle(l, place, k);
    yes = 3 * k + (turned ? 2 : 1);
    no = 3 * k + (turned ? 1 : 2);
  }
  l->stack[l->depth++] = (struct wait){b->no, no};
  l->stack[l->depth++] = (struct wait){b->yes, yes};
}

/* All trees. False when a branch is met twice. */
static bool lay_out(struct layout *l) {
  for (int32_t t = 0; t < l->in->trees; t++) {
    l->root[t] = -1;
    l->stack[l->depth++] = (struct wait){l->in->root[t], -2 - t};
    while (l->depth) {
      struct wait w = l->stack[--l->depth];
      if (w.what < 0) {
        int32_t k = node(l, NAN, (uint32_t)~w.what, 0, 0);
        l->link[3 * k + 1] = l->link[3 * k + 2] = k;
        settle(l, w.place, k);
        continue;
      }
      const whet_branch_in *b = &l->in->branch[w.what];
      if (l->seen[w.what]++) return false;
      if (b->feature >= l->features) l->features = b->feature + 1;
      branch(l, b, w.place);
    }
  }
  return true;
}

/* Numbers of children, features and leaves are in range; the nodes that all branches can become. */
static whet_status measure(whet_import *im, const whet_trees_in *t, int64_t *nodes, int64_t *largest) {
  *nodes = t->trees;
  *largest = 0;
  for (int32_t i = 0; i < t->branches + t->trees; i++) {
    bool root = i >= t->branches;
    int32_t child[2] = {root ? t->root[i - t->branches] : t->branch[i].yes, root ? -1 : t->branch[i].no};
    for (int k = 0; k < 2 - root; k++)
      if (child[k] >= t->branches || (child[k] < 0 && ~child[k] >= t->leaves))
        return whet__im_fail(im, WHET_E_FORMAT, "tree node %d leads to number %d", root ? -1 : i, child[k] < 0 ? ~child[k] : child[k]);
    if (root) continue;
    const whet_branch_in *b = &t->branch[i];
    if (b->feature < 0 || (uint32_t)b->feature > WHET_TREES_FEATURE)
      return whet__im_fail(im, WHET_E_FORMAT, "tree node %d looks at feature %d", i, b->feature);
    bool pair = b->mode == WHET_TREE_EQ || b->mode == WHET_TREE_NEQ;
    *nodes += 2 + (b->mode == WHET_TREE_MEMBER ? 2 * (int64_t)b->members + 1 : pair ? 2 : 1);
    *largest = whet__max_i(*largest, b->members);
  }
  return *nodes > 1 << 29 ? whet__im_fail(im, WHET_E_LIMIT, "%lld nodes", (long long)*nodes) : WHET_OK;
}

/* Weights sorted by leaf, in the order of the file within each. */
static bool sort_weights(whet_arena *a, const whet_trees_in *t, int32_t **first, int32_t **target, void **weight, bool *single) {
  int32_t *f = *first = whet__arena_array(a, (size_t)t->leaves + 16, sizeof *f);
  int32_t *to = *target = whet__arena_array(a, (size_t)t->weights + 16, sizeof *to);
  *weight = whet__arena_array(a, (size_t)t->weights + 8, t->wide ? sizeof(double) : sizeof(float));
  if (!f || !to || !*weight) return false;
  for (int32_t i = 0; i < t->weights; i++) f[t->leaf[i] + 1]++;
  *single = t->targets == 1;
  for (int32_t i = 0; i < t->leaves; i++) {
    if (f[i + 1] > 1) *single = false;
    f[i + 1] += f[i];
  }
  for (int32_t i = 0; i < t->weights; i++) {
    int32_t k = f[t->leaf[i]]++;
    to[k] = t->target[i];
    if (t->wide)
      ((double *)*weight)[k] = t->weight[i];
    else
      ((float *)*weight)[k] = (float)t->weight[i];
  }
  for (int32_t i = t->leaves; i > 0; i--) f[i] = f[i - 1];
  f[0] = 0;
  return true;
}

whet_status whet__im_trees(whet_import *im, const whet_trees_in *t, int32_t aggregate, whet_dtype out, int32_t x, int32_t scores) {
  whet_graph *g = whet__im_graph(im);
  whet_arena *a = whet__im_arena(im), tmp;
  int64_t most, largest;
  int32_t *first = NULL, *target = NULL;
  void *weight = NULL;
  bool single = false;
  WHET_NEW_ATTR(im, whet_trees, attr);
  if (t->trees < 1) return whet__im_fail(im, WHET_E_FORMAT, "there are no trees");
  WHET_TRY(measure(im, t, &most, &largest));
  for (int32_t i = 0; i < t->weights; i++)
    if (t->leaf[i] < 0 || t->leaf[i] >= t->leaves || t->target[i] < 0 || t->target[i] >= t->targets)
      return whet__im_fail(im, WHET_E_FORMAT, "weight %d is of leaf %d and target %d: there are %d and %d", i, t->leaf[i],
                           t->target[i], t->leaves, t->targets);
  whet__arena_init(&tmp, a->mem);
  struct layout l = {.in = t};
  size_t n = (size_t)most + 4;
  void *split = whet__arena_array(a, n + 16, t->wide ? sizeof(double) : sizeof(float));
  if (t->wide)
    l.wide = split;
  else
    l.narrow = split;
  l.link = whet__arena_array(a, n + 8, 3 * sizeof *l.link);
  l.root = whet__arena_array(a, (size_t)t->trees + 16, sizeof *l.root);
  double *base = whet__arena_array(a, (size_t)t->targets + 8, sizeof *base);
  l.seen = whet__arena_array(&tmp, (size_t)t->branches + 1, 1);
  l.sorted = whet__arena_array(&tmp, (size_t)largest + 1, sizeof *l.sorted);
  l.parts = whet__arena_array(&tmp, (size_t)largest + 2, sizeof *l.parts);
  l.stack = whet__arena_array(&tmp, (size_t)t->branches + 4, sizeof *l.stack);
  whet_status s = split && l.link && l.root && base && l.seen && l.sorted && l.parts && l.stack &&
                          sort_weights(a, t, &first, &target, &weight, &single)
                      ? WHET_OK
                      : whet__im_fail(im, WHET_E_MEMORY, "no memory for the trees");
  if (!s && !lay_out(&l)) s = whet__im_fail(im, WHET_E_FORMAT, "a tree node has two parents, or is its own");
  whet__arena_free(&tmp);
  if (s) return s;
  for (int32_t i = 0; i < t->targets; i++) base[i] = t->base ? t->base[i] : 0;
  *attr = (whet_trees){l.n, t->trees, t->targets, l.features, aggregate, (int32_t)out, single};
  whet_dtype real = t->wide ? WHET_F64 : WHET_F32;
  int32_t in[WHET_TREES_INPUTS] = {x};
  in[WHET_TREES_SPLIT] = whet__graph_const(g, "split", real, 1, (int64_t[]){l.n}, split, false);
  in[WHET_TREES_LINK] = whet__graph_const(g, "link", WHET_S32, 2, (int64_t[]){l.n, 3}, l.link, false);
  in[WHET_TREES_ROOT] = whet__graph_const(g, "root", WHET_S32, 1, (int64_t[]){t->trees}, l.root, false);
  in[WHET_TREES_FIRST] = whet__graph_const(g, "first", WHET_S32, 1, (int64_t[]){t->leaves + 1}, first, false);
  in[WHET_TREES_TARGET] = whet__graph_const(g, "target", WHET_S32, 1, (int64_t[]){t->weights}, target, false);
  in[WHET_TREES_WEIGHT] = whet__graph_const(g, "weight", real, 1, (int64_t[]){t->weights}, weight, false);
  in[WHET_TREES_BASE] = whet__graph_const(g, "base", WHET_F64, 1, (int64_t[]){t->targets}, base, false);
  for (int i = 1; i < WHET_TREES_INPUTS; i++)
    if (in[i] < 0) return whet__im_fail(im, WHET_E_MEMORY, "no memory for the trees");
  return whet__im_node(im, whet__op_find("TreeEnsemble"), attr, in, WHET_TREES_INPUTS, &scores, 1);
}
