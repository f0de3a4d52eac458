/* SPDX-License-Identifier: Apache-2.0 */
#include "compress/units.h"

#include "base/dtype.h"
#include "export/attrs.h"
#include "op/batchnorm.h"
#include "op/conv.h"
#include "pass/pass.h"

static int64_t last_dim(const whet_graph *g, int32_t v) {
  const whet_shape *s = &g->val[v].shape;
  return s->rank > 0 && whet__dim_known(s->d[s->rank - 1]) ? s->d[s->rank - 1] : -1;
}

static bool constant(const whet_graph *g, int32_t v) { return v < 0 || g->val[v].role == WHET_ROLE_CONST; }

/* ---- joining --------------------------------------------------------------------------------- */

int32_t whet__unit_root(whet_units *u, int32_t unit) {
  while (u->parent[unit] != unit) unit = u->parent[unit] = u->parent[u->parent[unit]];
  return unit;
}

bool whet__unit_fixed(whet_units *u, int32_t unit) { return u->fixed[whet__unit_root(u, unit)]; }

static void join(whet_units *u, int32_t a, int32_t b) {
  a = whet__unit_root(u, a);
  b = whet__unit_root(u, b);
  if (a == b) return;
  if (a > b) { /* the earlier one stands for both */
    int32_t t = a;
    a = b, b = t;
  }
  u->parent[b] = a;
  u->fixed[a] |= u->fixed[b];
}

static void fix(whet_units *u, int32_t v) {
  for (int32_t i = 0; v >= 0 && u->of[v] && i < u->count[v]; i++) u->fixed[whet__unit_root(u, u->of[v][i])] = 1;
}

/* The array of value v, to be filled; NULL when its last dimension is not known, or memory is refused. */
static int32_t *room(whet_units *u, int32_t v) {
  int64_t n = last_dim(u->g, v);
  if (n <= 0 || n > INT32_MAX) return NULL;
  u->of[v] = whet__arena_array(u->a, (size_t)n, sizeof **u->of);
  u->count[v] = (int32_t)n;
  u->full |= !u->of[v];
  return u->of[v];
}

/* New units for value v. */
static void fresh(whet_units *u, int32_t v, bool fixed) {
  int32_t *to = room(u, v);
  if (!to) return;
  size_t n = (size_t)u->count[v];
  if (u->n + n > u->cap) {
    size_t cap = (u->n + n) * 2;
    int32_t *parent = whet__arena_array(u->a, cap, sizeof *parent);
    uint8_t *flags = whet__arena_array(u->a, cap, 1);
    if (!parent || !flags) {
      u->full = true;
      u->of[v] = NULL;
      return;
    }
    if (u->n) memcpy(parent, u->parent, u->n * sizeof *parent), memcpy(flags, u->fixed, u->n);
    u->parent = parent;
    u->fixed = flags;
    u->cap = cap;
  }
  for (size_t i = 0; i < n; i++) {
    to[i] = u->parent[u->n] = (int32_t)u->n;
    u->fixed[u->n++] = fixed;
  }
}

/* ---- operators ------------------------------------------------------------------------------- */

/* Nobody knows what this node does with channels. */
static void opaque(whet_units *u, const whet_node *n) {
  for (int k = 0; k < n->n_in; k++)
    if (n->in[k] >= 0) fix(u, n->in[k]);
  for (int k = 0; k < n->n_out; k++)
    if (n->out[k] >= 0) fresh(u, n->out[k], true);
}

/* Output o has the units of value x, each `times` in a row or, over and over, all of them. */
static bool same(whet_units *u, int32_t o, int32_t x) {
  int64_t n = last_dim(u->g, o);
  if (!u->of[x] || n <= 0 || n % u->count[x]) return false;
  int32_t *to = room(u, o);
  for (int64_t i = 0; to && i < n; i++) to[i] = u->of[x][i % u->count[x]];
  return to != NULL;
}

static bool pointwise(whet_units *u, const whet_node *n) {
  int32_t y = n->out[0], lead = -1;
  int64_t c = last_dim(u->g, y);
  for (int k = 0; k < n->n_in; k++) {
    if (constant(u->g, n->in[k])) continue;
    if (!u->of[n->in[k]]) return false;
    if (u->count[n->in[k]] == c && lead < 0) lead = n->in[k];
  }
  if (lead < 0 || !same(u, y, lead)) return false;
  for (int k = 0; k < n->n_in; k++) {
    int32_t v = n->in[k];
    if (constant(u->g, v) || v == lead) continue;
    if (u->count[v] == c)
      for (int32_t i = 0; i < c; i++) join(u, u->of[lead][i], u->of[v][i]);
    else
      fix(u, v); /* one channel for all */
  }
  return true;
}

static bool concat(whet_units *u, const whet_node *n) {
  int32_t y = n->out[0], rank = u->g->val[y].shape.rank;
  int64_t axis = whet__at_int(n, "axis"), at = 0;
  if (axis < 0) axis += rank;
  if (axis != rank - 1) return pointwise(u, n);
  for (int k = 0; k < n->n_in; k++) {
    if (n->in[k] < 0 || (!constant(u->g, n->in[k]) && !u->of[n->in[k]])) return false;
    if (constant(u->g, n->in[k])) return false;
  }
  int32_t *to = room(u, y);
  for (int k = 0; to && k < n->n_in; k++)
    for (int32_t i = 0; i < u->count[n->in[k]] && at < u->count[y]; i++) to[at++] = u->of[n->in[k]][i];
  return to != NULL;
}

static bool split(whet_units *u, const whet_node *n) {
  int32_t x = n->in[0], rank = u->g->val[x].shape.rank;
  int64_t axis = whet__at_int(n, "axis"), at = 0;
  if (axis < 0) axis += rank;
  if (!u->of[x]) return false;
  for (int k = 0; k < n->n_out; k++) {
    if (n->out[k] < 0) return false;
    if (axis != rank - 1) {
      if (!same(u, n->out[k], x)) return false;
      continue;
    }
    int32_t *to = room(u, n->out[k]);
    for (int32_t i = 0; to && i < u->count[n->out[k]] && at < u->count[x]; i++) to[i] = u->of[x][at++];
    if (!to) return false;
  }
  return true;
}

/* Channels move with their axis. */
static bool transpose(whet_units *u, const whet_node *n) {
  whet_ints perm = whet__at_ints(n, "perm");
  int32_t x = n->in[0], y = n->out[0], rank = u->g->val[x].shape.rank, from = u->axis[x] < 0 ? rank - 1 : u->axis[x];
  if (perm.n != rank || rank < 1 || !u->of[x]) return false;
  bool all = true;
  for (int32_t i = 0; i < u->count[x]; i++) all &= whet__unit_fixed(u, u->of[x][i]);
  if (all) { /* an input, say: nothing goes of any axis */
    fresh(u, y, true);
    return u->of[y] != NULL;
  }
  for (int32_t i = 0; i < rank; i++)
    if (perm.v[i] == from || perm.v[i] == from - rank) {
      u->of[y] = u->of[x];
      u->count[y] = u->count[x];
      u->axis[y] = (int8_t)(i == rank - 1 ? -1 : i);
      return true;
    }
  return false;
}

/* A reduction that leaves channels alone. */
static bool reduces_places(const whet_graph *g, const whet_node *n) {
  whet_ints axes = whet__at_ints(n, "axes");
  int32_t rank = g->val[n->in[0]].shape.rank;
  for (int32_t i = 0; i < axes.n; i++)
    if (axes.v[i] == rank - 1 || axes.v[i] == -1) return false;
  return axes.n > 0;
}

/* Row-major elements stay in order: the last dimension is the same, or the channels of neighbouring places stand one after the
 * other. */
static bool reshape(whet_units *u, const whet_node *n) {
  int32_t x = n->in[0], y = n->out[0], axis = u->axis[x];
  if (axis >= 0) { /* channels, then places: each channel is a run of neighbours */
    const whet_shape *s = &u->g->val[x].shape;
    int64_t inner = 1;
    for (int32_t i = axis + 1; i < s->rank; i++) inner *= whet__dim_known(s->d[i]) ? s->d[i] : 0;
    if (!u->of[x] || inner <= 0 || last_dim(u->g, y) != inner * u->count[x]) return false;
    int32_t *to = room(u, y);
    for (int64_t i = 0; to && i < u->count[y]; i++) to[i] = u->of[x][i / inner];
    return to != NULL;
  }
  int64_t from = last_dim(u->g, n->in[0]), to = last_dim(u->g, n->out[0]);
  return from > 0 && to > 0 && to % from == 0 && same(u, n->out[0], n->in[0]);
}

/* Pads of places only. */
static bool pads_places(const whet_graph *g, const whet_node *n) {
  int32_t v = n->n_in > 1 ? n->in[1] : -1, rank = g->val[n->in[0]].shape.rank;
  if (v < 0 || !constant(g, v) || (n->n_in > 3 && n->in[3] >= 0) || whet__shape_count(&g->val[v].shape) != 2 * rank) return false;
  bool pairs = whet__at_int(n, "pairs") != 0;
  const void *p = g->val[v].data->p;
  whet_dtype t = (whet_dtype)g->val[v].dtype;
  return !whet__get_i64(t, p, pairs ? 2 * rank - 2 : rank - 1) && !whet__get_i64(t, p, 2 * rank - 1);
}

static bool named(const whet_node *n, const char *const *list) {
  for (; *list; list++)
    if (whet__is_op(n, *list)) return true;
  return false;
}

bool whet__is_depthwise(const whet_graph *g, const whet_node *n) {
  char why[WHET_CONV_WHY];
  whet_conv_geo geo;
  return whet__is_op(n, "Conv") && whet__conv_geo(n->attr, false, &g->val[n->in[0]].shape, &g->val[n->in[1]].shape, NULL, &geo, why) &&
         geo.groups > 1 && geo.ic == 1;
}

bool whet__cuts_outputs(const whet_graph *g, const whet_node *n) {
  char why[WHET_CONV_WHY];
  whet_conv_geo geo;
  if (n->n_in < 2 || !constant(g, n->in[1]) || g->val[n->in[1]].dtype != WHET_F32 || (n->n_in > 2 && !constant(g, n->in[2]))) return false;
  if (whet__is_op(n, "Dense")) return true;
  const whet_conv_attr *a = n->attr;
  return whet__is_op(n, "Conv") && a->last &&
         whet__conv_geo(a, false, &g->val[n->in[0]].shape, &g->val[n->in[1]].shape, NULL, &geo, why) && geo.groups == 1;
}

bool whet__is_norm(const whet_graph *g, const whet_node *n) {
  if (!whet__is_op(n, "BatchNormalization") || n->n_in != 5) return false;
  const whet_batchnorm_attr *a = n->attr;
  bool all = a->last && !a->places && !a->training;
  for (int k = 1; k < 5; k++) all &= constant(g, n->in[k]) && g->val[n->in[k]].dtype == WHET_F32;
  return all;
}

static void node(whet_units *u, const whet_node *n) {
  static const char *const like[] = {"MaxPool", "AveragePool", "LpPool", "Resize", NULL};
  static const char *const moved[] = {"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", NULL};
  int32_t x = n->n_in ? n->in[0] : -1;
  bool known = x >= 0 && !n->n_body && n->n_out > 0 && n->out[0] >= 0 && !u->g->val[x].q, turned = false;
  for (int k = 0; k < n->n_in; k++) turned |= n->in[k] >= 0 && u->axis[n->in[k]] >= 0;
  if (turned && !whet__is_op(n, "Transpose") && !named(n, moved)) known = false;
  if (known && whet__cuts_outputs(u->g, n) && u->of[x]) {
    fresh(u, n->out[0], false);
    known = u->of[n->out[0]] != NULL;
  } else if (known && whet__is_depthwise(u->g, n) && u->of[x]) {
    int64_t c = last_dim(u->g, n->out[0]), times = c / u->count[x];
    int32_t *to = room(u, n->out[0]);
    for (int64_t i = 0; to && i < c; i++) to[i] = u->of[x][i / times];
    known = to != NULL;
  } else if (known && named(n, like)) {
    known = last_dim(u->g, x) == last_dim(u->g, n->out[0]) && same(u, n->out[0], x) && n->n_out == 1;
  } else if (known && whet__is_norm(u->g, n)) {
    known = same(u, n->out[0], x);
  } else if (known && whet__is_op(n, "Pad")) {
    known = pads_places(u->g, n) && same(u, n->out[0], x);
  } else if (known && named(n, moved)) {
    known = reshape(u, n);
  } else if (known && whet__is_op(n, "Transpose")) {
    known = transpose(u, n);
  } else if (known && !strncmp(n->op->name, "Reduce", 6)) {
    known = reduces_places(u->g, n) && same(u, n->out[0], x);
  } else if (known && whet__is_op(n, "Concat")) {
    known = concat(u, n);
  } else if (known && whet__is_op(n, "Split")) {
    known = split(u, n);
  } else {
    known = known && n->op->flags & WHET_OP_POINTWISE && n->n_out == 1 && pointwise(u, n);
  }
  if (!known) opaque(u, n);
}

bool whet__units_of(const whet_graph *g, whet_arena *a, whet_units *u) {
  *u = (whet_units){.g = g, .a = a, .n_val = g->n_val};
  u->of = whet__arena_array(a, (size_t)g->n_val + 1, sizeof *u->of);
  u->count = whet__arena_array(a, (size_t)g->n_val + 1, sizeof *u->count);
  u->axis = whet__arena_array(a, (size_t)g->n_val + 1, 1);
  if (!u->of || !u->count || !u->axis) return false;
  memset(u->axis, -1, (size_t)g->n_val + 1);
  for (int32_t i = 0; i < g->main.n_in; i++) fresh(u, g->main.in[i], true);
  for (int32_t i = 0; i < g->main.n_node && !u->full; i++) node(u, &g->node[g->main.node[i]]);
  for (int32_t i = 0; i < g->main.n_out; i++) fix(u, g->main.out[i]);
  return !u->full;
}
