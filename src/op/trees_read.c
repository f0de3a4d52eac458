/* SPDX-License-Identifier: Apache-2.0 */
/* Reading ensembles of trees: ai.onnx.ml TreeEnsembleRegressor and TreeEnsembleClassifier (nodes named by tree and number, 1-5;
 * values as lists, or as tensors from 3 on) and TreeEnsemble 5 (nodes and leaves by place). Reals as tensors of F64 make
 * an ensemble of F64.
 *
 * A classifier whose weights are all of one class has one column of scores: a share of the second class if no weight is
 * negative, else a score whose sign tells. */

#include <stdio.h>

#include "op/keys.h"
#include "op/move.h"
#include "op/scores.h"
#include "op/trees.h"

/* ---- lists ----------------------------------------------------------------------------------- */

/* Reals of a list "name" or a tensor `tensor`, as doubles; *wide is set for a tensor of F64. */
static whet_status reals(whet_import *im, const char *name, const char *tensor, const double **out, int32_t *n, bool *wide) {
  whet_floats f = name ? whet__onnx_floats(im, name) : (whet_floats){NULL, 0};
  const void *p = f.v;
  whet_dtype t = WHET_F32;
  *n = f.n;
  *out = NULL;
  int32_t v = f.n ? -1 : whet__onnx_tensor(im, tensor);
  if (v >= 0) {
    if (!whet__graph_align(whet__im_graph(im), v)) return whet__im_fail(im, WHET_E_MEMORY, "no memory for %s", tensor);
    const whet_val *x = whet__im_val(im, v);
    int64_t count = whet__shape_count(&x->shape);
    t = (whet_dtype)x->dtype;
    if (!whet__is_float(t) || count < 0 || count > INT32_MAX / 8)
      return whet__im_fail(im, WHET_E_TYPE, "%s: %lld of %s", tensor, (long long)count, whet_dtype_name(t));
    p = x->data->p;
    *n = (int32_t)count;
    *wide |= t == WHET_F64;
  }
  double *d = whet__arena_array(whet__im_arena(im), (size_t)*n + 1, sizeof *d);
  if (!d) return whet__im_fail(im, WHET_E_MEMORY, "no memory for %s", tensor);
  for (int32_t i = 0; i < *n; i++) d[i] = whet__get_f64(t, p, i);
  *out = d;
  return WHET_OK;
}

/* Integers that must be `n` (n < 0: any number) and fit 31 bits. */
static whet_status whole(whet_import *im, const char *name, int32_t n, whet_ints *out) {
  *out = whet__onnx_ints(im, name);
  if (n >= 0 && out->n != n) return whet__im_fail(im, WHET_E_FORMAT, "%s has %d entries, expected %d", name, out->n, n);
  for (int32_t i = 0; i < out->n; i++)
    if (out->v[i] < 0 || out->v[i] >= 1 << 30)
      return whet__im_fail(im, WHET_E_FORMAT, "%s[%d] is %lld", name, i, (long long)out->v[i]);
  return WHET_OK;
}

/* ---- nodes by name --------------------------------------------------------------------------- */

/* What is made of nodes that are named by tree and number. */
struct named {
  whet_branch_in *branch;
  int32_t *place; /* by node of the file: branch, or ~ leaf */
  int32_t *root;
  const whet_keys *keys;
  int32_t n, branches, leaves, trees;
};

/* The place of a node in the file's lists; -1: there is none. */
static int32_t find(const struct named *s, int64_t tree, int64_t id) { return whet__keys_int(s->keys, tree << 32 | id); }

static const char *const k_mode[] = {"BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"};

/* The mode of a word: WHET_TREE_, -1: a leaf, -2: no such word. */
static int mode_of(whet_str s) {
  if (s.n == 4 && !memcmp(s.p, "LEAF", 4)) return -1;
  for (int i = 0; i < 6; i++)
    if (strlen(k_mode[i]) == s.n && !memcmp(k_mode[i], s.p, s.n)) return i;
  return -2;
}

/* Number branches and leaves; find each tree's root, its first node that is no child. */
static whet_status read_named(whet_import *im, struct named *s, bool *wide) {
  whet_arena *a = whet__im_arena(im);
  whet_ints tree, id, feature, yes, no, missing;
  whet_strs mode = whet__onnx_strs(im, "nodes_modes");
  const double *value;
  int32_t n = s->n = mode.n, n_value;
  WHET_TRY(whole(im, "nodes_treeids", n, &tree));
  WHET_TRY(whole(im, "nodes_nodeids", n, &id));
  WHET_TRY(whole(im, "nodes_featureids", n, &feature));
  WHET_TRY(whole(im, "nodes_truenodeids", n, &yes));
  WHET_TRY(whole(im, "nodes_falsenodeids", n, &no));
  missing = whet__onnx_ints(im, "nodes_missing_value_tracks_true");
  WHET_TRY(reals(im, "nodes_values", "nodes_values_as_tensor", &value, &n_value, wide));
  if (!n || n_value != n || (missing.n && missing.n != n))
    return whet__im_fail(im, WHET_E_FORMAT, "%d nodes, %d values, %d flags of missing values", n, n_value, missing.n);
  int64_t *key = whet__arena_array(a, (size_t)n + 1, sizeof *key);
  uint8_t *child = whet__arena_array(a, (size_t)n + 1, 1);
  s->branch = whet__arena_array(a, (size_t)n + 1, sizeof *s->branch);
  s->place = whet__arena_array(a, (size_t)n + 1, sizeof *s->place);
  s->root = whet__arena_array(a, (size_t)n + 1, sizeof *s->root);
  for (int32_t i = 0; key && i < n; i++) key[i] = tree.v[i] << 32 | id.v[i];
  s->keys = key ? whet__keys_new(a, WHET_KEY_INT, key, n) : NULL;
  if (!child || !s->branch || !s->place || !s->root || !s->keys) return whet__im_fail(im, WHET_E_MEMORY, "no memory for the trees");
  for (int32_t i = 0; i < n; i++) {
    int m = mode_of(mode.v[i]);
    if (m == -2) return whet__im_fail(im, WHET_E_DATA, "nodes_modes[%d] is \"%.20s\"", i, mode.v[i].p);
    if (find(s, tree.v[i], id.v[i]) != i)
      return whet__im_fail(im, WHET_E_FORMAT, "node %lld of tree %lld is there twice", (long long)id.v[i], (long long)tree.v[i]);
    s->place[i] = m < 0 ? ~s->leaves++ : s->branches++;
  }
  for (int32_t i = 0; i < n; i++) {
    if (s->place[i] < 0) continue;
    int32_t t = find(s, tree.v[i], yes.v[i]), f = find(s, tree.v[i], no.v[i]);
    if (t < 0 || f < 0)
      return whet__im_fail(im, WHET_E_FORMAT, "node %lld of tree %lld leads to a node that is not there", (long long)id.v[i],
                           (long long)tree.v[i]);
    child[t] = child[f] = 1;
    s->branch[s->place[i]] = (whet_branch_in){.mode = (uint8_t)mode_of(mode.v[i]),
                                              .missing = missing.n && missing.v[i],
                                              .feature = (int32_t)feature.v[i],
                                              .yes = s->place[t],
                                              .no = s->place[f],
                                              .split = value[i]};
  }
  const whet_keys *trees = whet__keys_new(a, WHET_KEY_INT, tree.v, n);
  int32_t *has = whet__arena_array(a, (size_t)n + 1, sizeof *has); /* by the place of a tree's first node: its root + 1 */
  if (!trees || !has) return whet__im_fail(im, WHET_E_MEMORY, "no memory for the trees");
  for (int32_t i = 0; i < n; i++) {
    int32_t t = whet__keys_int(trees, tree.v[i]);
    if (!child[i] && !has[t]) {
      has[t] = i + 1;
      s->root[s->trees++] = s->place[i];
    }
  }
  for (int32_t i = 0; i < n; i++)
    if (!has[whet__keys_int(trees, tree.v[i])])
      return whet__im_fail(im, WHET_E_FORMAT, "tree %lld has no root: it goes in circles", (long long)tree.v[i]);
  return WHET_OK;
}

/* Weights by the names of their leaves; those of branches do not count. ids: their targets. */
static whet_status read_weights(whet_import *im, const struct named *s, const char *what, const char *ids_name, whet_trees_in *t) {
  char name[4][40];
  const char *part[4] = {"treeids", "nodeids", "weights", "weights_as_tensor"};
  for (int i = 0; i < 4; i++) snprintf(name[i], sizeof name[i], "%s_%s", what, part[i]);
  whet_ints tree, id, target;
  const double *weight;
  int32_t n;
  WHET_TRY(reals(im, name[2], name[3], &weight, &n, &t->wide));
  WHET_TRY(whole(im, name[0], n, &tree));
  WHET_TRY(whole(im, name[1], n, &id));
  WHET_TRY(whole(im, ids_name, n, &target));
  int32_t *leaf = whet__arena_array(whet__im_arena(im), (size_t)n + 1, 2 * sizeof *leaf), *to = leaf + n;
  double *w = whet__arena_array(whet__im_arena(im), (size_t)n + 1, sizeof *w);
  if (!leaf || !w) return whet__im_fail(im, WHET_E_MEMORY, "no memory for the trees");
  for (int32_t i = 0; i < n; i++) {
    int32_t k = find(s, tree.v[i], id.v[i]);
    if (k < 0)
      return whet__im_fail(im, WHET_E_FORMAT, "%s[%d]: there is no node %lld of tree %lld", name[2], i, (long long)id.v[i],
                           (long long)tree.v[i]);
    if (s->place[k] >= 0) continue;
    leaf[t->weights] = ~s->place[k];
    to[t->weights] = (int32_t)target.v[i];
    w[t->weights++] = weight[i];
  }
  t->leaf = leaf;
  t->target = to;
  t->weight = w;
  t->branch = s->branch;
  t->branches = s->branches;
  t->leaves = s->leaves;
  t->root = s->root;
  t->trees = s->trees;
  return WHET_OK;
}

/* base_values for `targets` columns: as many, or one for the first, or none. */
static whet_status read_base(whet_import *im, whet_trees_in *t, const double **base, int32_t *n) {
  WHET_TRY(reals(im, "base_values", "base_values_as_tensor", base, n, &t->wide));
  return WHET_OK;
}

static whet_status read_regressor(whet_import *im, const whet_op *op) {
  static const char *const word[] = {"AVERAGE", "SUM", "MIN", "MAX"};
  whet_str s = whet__onnx_str(im, "aggregate_function", "SUM");
  int32_t how = 0, post, n_base;
  while (how < 4 && (strlen(word[how]) != s.n || memcmp(word[how], s.p, s.n))) how++;
  if (how == 4) return whet__im_fail(im, WHET_E_DATA, "aggregate_function \"%.20s\"", s.p);
  WHET_TRY(whet__post_read(im, &post));
  whet_trees_in t = {.targets = (int32_t)whet__clamp_i(whet__onnx_int(im, "n_targets", 1), 0, 1 << 24)};
  struct named nodes = {0};
  if (t.targets < 1) return whet__im_fail(im, WHET_E_DATA, "n_targets %d", t.targets);
  WHET_TRY(read_named(im, &nodes, &t.wide));
  WHET_TRY(read_weights(im, &nodes, "target", "target_ids", &t));
  WHET_TRY(read_base(im, &t, &t.base, &n_base));
  if (n_base && n_base != t.targets) return whet__im_fail(im, WHET_E_FORMAT, "%d base_values for %d targets", n_base, t.targets);
  if (!n_base) t.base = NULL;
  int32_t x = whet__im_real(im, whet__im_in(im, 0)), out = whet__im_out(im, 0);
  int32_t scores = whet__im_before_post(im, post, out);
  WHET_TRY(whet__im_trees(im, &t, how, WHET_F32, x, scores));
  return whet__im_post(im, post, scores, out);
}

static whet_status read_classifier(whet_import *im, const whet_op *op) {
  whet_labels labels = whet__labels_read(im, "classlabels_int64s", "classlabels_strings");
  whet_trees_in t = {.targets = labels.n};
  struct named nodes = {0};
  int32_t post, n_base, how = WHET_CLASS_BEST;
  const double *base;
  WHET_TRY(whet__post_read(im, &post));
  if (labels.n < 1) return whet__im_fail(im, WHET_E_FORMAT, "there are no class labels");
  WHET_TRY(read_named(im, &nodes, &t.wide));
  WHET_TRY(read_weights(im, &nodes, "class", "class_ids", &t));
  WHET_TRY(read_base(im, &t, &base, &n_base));
  bool one = t.weights > 0, positive = true;
  for (int32_t i = 0; i < t.weights; i++) {
    one &= t.target[i] == t.target[0];
    positive &= t.weight[i] >= 0;
  }
  if (n_base && n_base != labels.n && !(one && n_base == 1))
    return whet__im_fail(im, WHET_E_FORMAT, "%d base_values for %d classes", n_base, labels.n);
  if (one && labels.n <= 2) {
    how = labels.n == 1 ? WHET_CLASS_ALONE : positive ? WHET_CLASS_HALF : WHET_CLASS_SIGN;
    int32_t *to = whet__arena_array(whet__im_arena(im), (size_t)t.weights, sizeof *to);
    if (!to) return whet__im_fail(im, WHET_E_MEMORY, "no memory for the trees");
    t.target = to; /* all of column 0 */
    t.targets = 1;
    if (n_base) base += n_base - 1;
  }
  t.base = n_base ? base : NULL;
  int32_t x = whet__im_real(im, whet__im_in(im, 0)), scores = whet__im_new(im, "scores");
  WHET_TRY(whet__im_trees(im, &t, WHET_TREES_SUM, t.wide ? WHET_F64 : WHET_F32, x, scores));
  return whet__im_classify(im, scores, how, post, labels);
}

/* ---- nodes by place -------------------------------------------------------------------------- */

/* The sets of MEMBER nodes: runs of values, each ended by a NaN, in the order of the nodes. */
static whet_status read_sets(whet_import *im, whet_trees_in *t, whet_branch_in *branch) {
  int32_t n, at = 0;
  WHET_TRY(reals(im, NULL, "membership_values", &t->set, &n, &t->wide));
  for (int32_t i = 0; i < t->branches; i++) {
    if (branch[i].mode != WHET_TREE_MEMBER) continue;
    branch[i].member = at;
    while (at < n && t->set[at] == t->set[at]) at++;
    if (at == n) return whet__im_fail(im, WHET_E_FORMAT, "membership_values ends before the set of node %d", i);
    branch[i].members = at++ - branch[i].member;
  }
  return WHET_OK;
}

static whet_status read_ensemble(whet_import *im, const whet_op *op) {
  whet_arena *a = whet__im_arena(im);
  whet_trees_in t = {.targets = (int32_t)whet__clamp_i(whet__onnx_int(im, "n_targets", 1), 0, 1 << 24)};
  whet_ints feature, yes, no, yes_leaf, no_leaf, missing, root, target;
  const double *split;
  int32_t n, n_mode = whet__onnx_tensor(im, "nodes_modes");
  int64_t how = whet__onnx_int(im, "aggregate_function", 1), post = whet__onnx_int(im, "post_transform", 0);
  if (how < 0 || how > 3 || post < 0 || post > 4 || t.targets < 1)
    return whet__im_fail(im, WHET_E_DATA, "aggregate_function %lld, post_transform %lld, n_targets %d", (long long)how,
                         (long long)post, t.targets);
  WHET_TRY(reals(im, NULL, "nodes_splits", &split, &n, &t.wide));
  if (n_mode < 0 || whet__shape_count(&whet__im_val(im, n_mode)->shape) != n || whet__im_val(im, n_mode)->dtype != WHET_U8)
    return whet__im_fail(im, WHET_E_FORMAT, "nodes_modes: expected %d bytes", n);
  WHET_TRY(whole(im, "nodes_featureids", n, &feature));
  WHET_TRY(whole(im, "nodes_truenodeids", n, &yes));
  WHET_TRY(whole(im, "nodes_falsenodeids", n, &no));
  WHET_TRY(whole(im, "nodes_trueleafs", n, &yes_leaf));
  WHET_TRY(whole(im, "nodes_falseleafs", n, &no_leaf));
  WHET_TRY(whole(im, "tree_roots", -1, &root));
  missing = whet__onnx_ints(im, "nodes_missing_value_tracks_true");
  if (missing.n && missing.n != n) return whet__im_fail(im, WHET_E_FORMAT, "%d nodes, %d flags of missing values", n, missing.n);
  whet_branch_in *branch = whet__arena_array(a, (size_t)n + 1, sizeof *branch);
  int32_t *roots = whet__arena_array(a, (size_t)root.n + 1, sizeof *roots);
  if (!branch || !roots) return whet__im_fail(im, WHET_E_MEMORY, "no memory for the trees");
  const uint8_t *mode = whet__im_val(im, n_mode)->data->p;
  for (int32_t i = 0; i < n; i++) {
    if (mode[i] > WHET_TREE_MEMBER) return whet__im_fail(im, WHET_E_DATA, "nodes_modes[%d] is %d", i, mode[i]);
    branch[i] = (whet_branch_in){.mode = mode[i],
                                 .missing = missing.n && missing.v[i],
                                 .feature = (int32_t)feature.v[i],
                                 .yes = yes_leaf.v[i] ? ~(int32_t)yes.v[i] : (int32_t)yes.v[i],
                                 .no = no_leaf.v[i] ? ~(int32_t)no.v[i] : (int32_t)no.v[i],
                                 .split = split[i]};
  }
  for (int32_t i = 0; i < root.n; i++) roots[i] = (int32_t)root.v[i];
  t.branch = branch;
  t.branches = n;
  t.root = roots;
  t.trees = root.n;
  WHET_TRY(read_sets(im, &t, branch));
  WHET_TRY(reals(im, NULL, "leaf_weights", &t.weight, &t.leaves, &t.wide));
  WHET_TRY(whole(im, "leaf_targetids", t.leaves, &target));
  t.weights = t.leaves;
  int32_t *list = whet__arena_array(a, (size_t)t.leaves + 1, 2 * sizeof *list);
  if (!list) return whet__im_fail(im, WHET_E_MEMORY, "no memory for the trees");
  for (int32_t i = 0; i < t.leaves; i++) list[i] = i, list[t.leaves + i] = (int32_t)target.v[i];
  t.leaf = list;
  t.target = list + t.leaves;
  int32_t out = whet__im_out(im, 0), scores = whet__im_before_post(im, (int32_t)post, out);
  WHET_TRY(whet__im_trees(im, &t, (int32_t)how, WHET_NONE, whet__im_in(im, 0), scores));
  return whet__im_post(im, (int32_t)post, scores, out);
}

const whet_from whet__trees_from[] = {{"ai.onnx.ml", "TreeEnsembleRegressor", 1, read_regressor},
                                      {"ai.onnx.ml", "TreeEnsembleClassifier", 1, read_classifier},
                                      {"ai.onnx.ml", "TreeEnsemble", 5, read_ensemble},
                                      {0}};
