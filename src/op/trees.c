/* SPDX-License-Identifier: Apache-2.0 */
/* TreeEnsemble(x [n, c]): for each row and target the sum, mean, least or greatest of the weights of the leaves that the row
 * falls into, plus a base. trees.h says how the trees lie; trees_read.c reads ai.onnx.ml TreeEnsemble 5, TreeEnsembleRegressor
 * and TreeEnsembleClassifier 1-5. Sums in f64, trees in ascending order; F32 rows run in family trees_f32, others here. A target
 * of which no leaf speaks is 0 plus the base. */

#include "op/trees.h"

#include <math.h>

#include "kern/trees_f32.h"
#include "op/move.h"
#include "op/scores.h"

static const whet_attr_desc k_attrs[] = {{"nodes", WHET_ATTR_I32, offsetof(whet_trees, n)},
                                         {"trees", WHET_ATTR_I32, offsetof(whet_trees, trees)},
                                         {"targets", WHET_ATTR_I32, offsetof(whet_trees, targets)},
                                         {"features", WHET_ATTR_I32, offsetof(whet_trees, features)},
                                         {"aggregate", WHET_ATTR_I32, offsetof(whet_trees, aggregate)},
                                         {"out", WHET_ATTR_I32, offsetof(whet_trees, out)},
                                         {"single", WHET_ATTR_BOOL, offsetof(whet_trees, single)},
                                         {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_trees *a = n->attr;
  whet_dim rows, cols;
  whet_dtype t = whet__in_dtype(f, 0);
  WHET_TRY(whet__infer_rows(f, 0, &rows, &cols));
  if (whet__dim_known(cols) && cols < a->features)
    return whet__infer_fail(f, WHET_E_SHAPE, "rows of %lld features; the trees look at number %d", (long long)cols,
                            a->features - 1);
  whet__out_dims(f, 0, a->out ? (whet_dtype)a->out : whet__is_float(t) ? t : WHET_F32, 2, (whet_dim[]){rows, a->targets});
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

static size_t scratch(const whet_args *a) {
  const whet_trees *t = a->attr;
  return ((size_t)whet__cols(&a->in[0]) + 2 * (size_t)t->targets + 2) * sizeof(double);
}

/* The leaf into which a row falls, walking from node k. */
static int32_t leaf_of(const whet_args *a, const double *x, int32_t k) {
  const int32_t *link = a->in[WHET_TREES_LINK].data;
  const whet_tensor *split = &a->in[WHET_TREES_SPLIT];
  for (;;) {
    const int32_t *n = link + 3 * (int64_t)k;
    if (n[1] == k && n[2] == k) return n[0];
    uint32_t flags = (uint32_t)n[0];
    double v = x[flags & WHET_TREES_FEATURE];
    double s = split->dtype == WHET_F64 ? ((const double *)split->data)[k] : (double)((const float *)split->data)[k];
    bool yes = flags & WHET_TREES_STRICT ? v < s : v <= s;
    k = n[yes || (flags & WHET_TREES_NAN && isnan(v)) ? 1 : 2];
  }
}

/* Take a weight into what there is of a target. */
static void aggregate(int32_t how, double w, double *sum, double *said) {
  if (how == WHET_TREES_MIN)
    *sum = !*said || w < *sum ? w : *sum;
  else if (how == WHET_TREES_MAX)
    *sum = !*said || w > *sum ? w : *sum;
  else
    *sum += w;
  *said = 1;
}

static whet_status ref(const whet_args *arg) {
  const whet_trees *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0], *weight = &arg->in[WHET_TREES_WEIGHT];
  const int32_t *root = arg->in[WHET_TREES_ROOT].data, *first = arg->in[WHET_TREES_FIRST].data;
  const int32_t *target = arg->in[WHET_TREES_TARGET].data;
  const double *base = arg->in[WHET_TREES_BASE].data, scale = a->aggregate == WHET_TREES_AVERAGE ? 1.0 / a->trees : 1;
  double *row = arg->scratch, *sum = row + whet__cols(x), *said = sum + a->targets;
  for (int64_t r = 0; r < whet__rows(x); r++) {
    whet__load_row(x, r, row);
    memset(sum, 0, 2 * (size_t)a->targets * sizeof *sum);
    for (int32_t t = 0; t < a->trees; t++) {
      int32_t leaf = leaf_of(arg, row, root[t]);
      for (int32_t i = first[leaf]; i < first[leaf + 1]; i++)
        aggregate(a->aggregate, whet__get_f64(weight->dtype, weight->data, i), &sum[target[i]], &said[target[i]]);
    }
    for (int32_t i = 0; i < a->targets; i++)
      whet__set_f64(y->dtype, y->data, whet__row_at(y, r, i), sum[i] * scale + base[i]);
  }
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

struct pack {
  int32_t n, trees;
  uint8_t single, wide;
};

static size_t pack_bytes(const void *params) {
  const struct pack *p = params;
  return whet__tree_nodes_at(p->trees) + (size_t)p->n * sizeof(whet_tree_node);
}

/* The greatest f32 that is not above v, or below it. */
static float split_f32(double v, bool strict) {
  float f = (float)v;
  if ((double)f > v || (strict && (double)f == v)) f = f == -INFINITY ? NAN : nextafterf(f, -INFINITY);
  return strict && v == -INFINITY ? NAN : f;
}

/* src: split, link, root, first, weight. */
static void pack(const void *params, const void *const *src, void *dst, int part, int parts) {
  const struct pack *p = params;
  const int32_t *link = src[1], *first = src[3];
  whet_tree_node *node = (void *)((char *)dst + whet__tree_nodes_at(p->trees));
  int64_t from, to;
  if (!part) memcpy(dst, src[2], (size_t)p->trees * sizeof(int32_t));
  whet__split(p->n, part, parts, &from, &to);
  for (int64_t i = from; i < to; i++) {
    const int32_t *l = link + 3 * i;
    uint32_t flags = (uint32_t)l[0];
    node[i] = (whet_tree_node){0, 0, l[1], l[2]};
    if (l[1] != i || l[2] != i) {
      double v = p->wide ? ((const double *)src[0])[i] : (double)((const float *)src[0])[i];
      node[i].v = split_f32(v, flags & WHET_TREES_STRICT);
      node[i].feature = (flags & WHET_TREES_FEATURE) | (flags & WHET_TREES_NAN);
    } else if (p->single) {
      int32_t w = first[l[0]];
      bool has = w < first[l[0] + 1];
      node[i].v = !has ? 0 : p->wide ? (float)((const double *)src[4])[w] : ((const float *)src[4])[w];
    } else {
      memcpy(&node[i].v, &l[0], sizeof l[0]);
    }
  }
}

static const whet_pack_kind k_pack = {.name = "trees", .params_size = sizeof(struct pack), .bytes = pack_bytes, .pack = pack};

static whet_status plan(whet_planner *p, const whet_node *n) {
  const whet_trees *a = n->attr;
  const whet_shape *x = whet__pl_shape(p, n->in[0]);
  int64_t cols = x->d[x->rank - 1], rows = x->rank == 2 ? x->d[0] : 1;
  bool sums = a->aggregate == WHET_TREES_SUM || a->aggregate == WHET_TREES_AVERAGE;
  if (whet__pl_dtype(p, n->in[0]) != WHET_F32 || whet__pl_dtype(p, n->out[0]) != WHET_F32 || !sums || cols < 1 ||
      a->targets > 1 << 20 || whet__pl_dtype(p, n->in[WHET_TREES_WEIGHT]) != WHET_F32)
    return WHET_LATE;
  struct pack k;
  memset(&k, 0, sizeof k);
  k.n = a->n;
  k.trees = a->trees;
  k.single = a->single;
  k.wide = whet__pl_dtype(p, n->in[WHET_TREES_SPLIT]) == WHET_F64;
  int32_t src[5] = {n->in[WHET_TREES_SPLIT], n->in[WHET_TREES_LINK], n->in[WHET_TREES_ROOT], n->in[WHET_TREES_FIRST],
                    n->in[WHET_TREES_WEIGHT]};
  int32_t packed = whet__pl_pack(p, &k_pack, &k, src, 5);
  if (packed < 0) return whet__pl_err(p)->code;
  whet_trees_f32 q;
  memset(&q, 0, sizeof q);
  q.rows = rows;
  q.features = cols;
  q.trees = a->trees;
  q.targets = a->targets;
  q.scale = a->aggregate == WHET_TREES_AVERAGE ? 1.0 / a->trees : 1;
  q.single = a->single;
  whet_arg arg[8] = {whet__rd(n->in[0]),
                     whet__pk(packed),
                     whet__rd(n->in[WHET_TREES_FIRST]),
                     whet__rd(n->in[WHET_TREES_TARGET]),
                     whet__rd(n->in[WHET_TREES_WEIGHT]),
                     whet__rd(n->in[WHET_TREES_BASE]),
                     whet__wr(n->out[0]),
                     whet__scratch()};
  double depth = 2 + log2((double)a->n / a->trees + 1);
  return whet__pl_kern(p, WHET_FAMILY_trees_f32, &q, sizeof q, arg, 8, (rows + 7) / 8, (double)(rows * a->trees) * depth);
}

const whet_op whet_op_TreeEnsemble = {.name = "TreeEnsemble",
                                      .flags = WHET_OP_PACKS | WHET_OP_FROM_FILE,
                                      .attr_size = sizeof(whet_trees),
                                      .attrs = k_attrs,
                                      .from = whet__trees_from,
                                      .infer = infer,
                                      .plan = plan,
                                      .scratch = scratch,
                                      .ref = ref};
