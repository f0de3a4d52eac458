/* SPDX-License-Identifier: Apache-2.0 */
/* One item of a list set anew, which TensorFlow's converter writes as what lies before it, the item, and what lies behind it.
 *
 *   Concat(Slice(x, 0, i), item, Slice(x, i + 1, rest)) ─▶ y    becomes    DynamicUpdateSlice(x, item, i) ─▶ y
 *
 * along the first dimension, i an integer that is known when the program runs. The shapes in between changed with i: a loop that
 * collects its results so (Keras' recurrent layers) was planned anew in every round. */

#include "op/move_attr.h"
#include "pass/match.h"

/* Inside bodies of loops only the file says shapes. */
static const whet_shape *shape_of(const whet_match *m, int32_t v) {
  const whet_shape *said = &m->p->g->val[v].shape;
  return said->rank < 0 ? &m->p->env->shape[v] : said;
}

/* All of a constant's numbers are k. */
static bool all_are(whet_edit *e, int32_t v, int64_t k) {
  int32_t n = 0;
  const int64_t *at = whet__ed_ints(e, v, &n);
  for (int32_t i = 0; at && i < n; i++)
    if (at[i] != k) return false;
  return at != NULL;
}

/* The integer that begins list v, made by Concat(Reshape(integer, 1), a constant of k's); *rest: the constant. -1: another list. */
static int32_t begins(const whet_match *m, whet_edit *e, int32_t v, int64_t k, int32_t *rest) {
  const whet_node *join = whet__match_maker(m, v);
  if (!join || !whet__is_op(join, "Concat") || join->n_in != 2 || !all_are(e, join->in[1], k)) return -1;
  const whet_node *one = whet__match_maker(m, join->in[0]);
  if (!one || !whet__is_op(one, "Reshape") || whet__shape_count(shape_of(m, join->in[0])) != 1) return -1;
  *rest = join->in[1];
  return one->in[0];
}

/* v is i + 1. */
static bool follows(const whet_match *m, whet_edit *e, int32_t v, int32_t i) {
  const whet_node *sum = whet__match_maker(m, v);
  if (!sum || !whet__is_op(sum, "Add") || sum->n_in != 2) return false;
  return (sum->in[0] == i && all_are(e, sum->in[1], 1)) || (sum->in[1] == i && all_are(e, sum->in[0], 1));
}

/* The list and the item's number, when Concat n sets one; *start, *rest: to make its place of. */
static bool sets(const whet_match *m, whet_edit *e, const whet_node *n, int32_t *x, int32_t *start, int32_t *rest) {
  int32_t other;
  if (!whet__is_op(n, "Concat") || n->n_in != 3 || ((const whet_concat *)n->attr)->axis != 0) return false;
  const whet_node *before = whet__match_only(m, n->in[0], "Slice"), *behind = whet__match_only(m, n->in[2], "Slice");
  if (!before || !behind || before->n_in != 3 || behind->n_in != 3 || before->in[0] != behind->in[0]) return false;
  if (!((const whet_slice *)before->attr)->sizes || !((const whet_slice *)behind->attr)->sizes) return false;
  int32_t i = begins(m, e, before->in[2], -1, &other);
  if (i < 0 || !all_are(e, before->in[1], 0) || !all_are(e, behind->in[2], -1)) return false;
  *x = before->in[0];
  int32_t next = begins(m, e, behind->in[1], 0, rest);
  const whet_shape *list = shape_of(m, *x), *item = shape_of(m, n->in[1]);
  if (next < 0 || !follows(m, e, next, i) || list->rank < 1 || item->rank != list->rank || item->d[0] != 1) return false;
  for (int32_t k = 1; k < list->rank; k++)
    if (!whet__dim_known(list->d[k]) || item->d[k] != list->d[k]) return false;
  *start = whet__match_maker(m, before->in[2])->in[0];
  const uint8_t said = m->p->g->val[*start].dtype, is = m->p->g->val[*rest].dtype;
  return (said ? said : m->p->env->dtype[*start]) == is;
}

static whet_status set_item_region(whet_pass *p, whet_region *r) {
  whet_match m;
  if (!whet__match_init(p, &m)) return whet__pass_full(p);
  for (int32_t i = 0; i < r->n_node; i++) {
    whet_edit e = {.pass = p, .g = p->g, .r = r, .at = i};
    int32_t x, start, rest, number = r->node[i];
    bool found = sets(&m, &e, &p->g->node[number], &x, &start, &rest);
    if (e.failed) return whet__pass_full(p);
    if (!found) continue;
    const int64_t rank = shape_of(&m, x)->rank;
    const whet_shape shape = {.rank = 1, .d = {rank}};
    int32_t place = whet__ed_val(&e, "place", (whet_dtype)p->g->val[rest].dtype, &shape);
    int32_t join = e.failed ? -1 : whet__ed_node(&e, whet__op_find("Concat"), &(whet_concat){0}, (int32_t[]){start, rest}, 2, &place, 1);
    if (join < 0) return whet__pass_full(p);
    whet_node *n = &p->g->node[number];
    p->g->node[join].name = n->name;
    p->g->node[join].origin = n->origin;
    WHET_TRY(whet__match_become(&m, n, "DynamicUpdateSlice", NULL, (int32_t[]){x, n->in[1], place}, 3));
    i = e.at;
  }
  return WHET_OK;
}

whet_status whet__pass_set_item(whet_pass *p) {
  if (p->files) return WHET_OK;
  WHET_TRY(whet__pass_env(p));
  return whet__pass_regions(p, set_item_region);
}
