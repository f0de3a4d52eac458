/* SPDX-License-Identifier: Apache-2.0 */
/* StableHLO's sort and reduce with a body that is no single operator, of operators that are pointwise: those take tensors
 * where the body says scalars.
 *
 *   sort    every element is compared with every other of its line; the number of those before it is its place
 *   reduce  a Scan over the reduced dimensions, which are one, with what is accumulated as its states
 *
 * StableHLO specification 1.0; TFLite STABLEHLO_SORT, STABLEHLO_REDUCE. */

#include "op/cast.h"
#include "op/control.h"
#include "op/move.h"
#include "op/move_attr.h"
#include "op/reduce.h"
#include "op/stablehlo.h"

enum { MAX_LINE = 4096 }; /* elements of a line that are sorted so: all pairs are compared */

/* Does every operator of a body take tensors for scalars? */
static whet_status pointwise(whet_import *im, const whet_region *r, int n_in, int n_out) {
  if (!r) return whet__im_fail(im, WHET_E_FORMAT, "the body is absent or cannot be read");
  if (r->n_out != n_out || (n_in >= 0 && r->n_in != n_in))
    return whet__im_fail(im, WHET_E_FORMAT, "a body of %d inputs and %d outputs: expected %d and %d", r->n_in, r->n_out, n_in,
                         n_out);
  for (int32_t i = 0; i < r->n_node; i++) {
    const whet_op *op = whet__im_graph(im)->node[r->node[i]].op;
    if (!(op->flags & WHET_OP_POINTWISE) && strcmp(op->name, "BitCast"))
      return whet__im_fail(im, WHET_E_UNSUPPORTED, "a body with %s, which is not pointwise", op->name);
  }
  return WHET_OK;
}

/* Append an operator of up to three inputs (-1: no more) and one new output: its value, or -1 and a failure. attr NULL: those of
 * zeros. */
static int32_t put(whet_import *im, const char *name, const void *attr, int32_t a, int32_t b, int32_t c) {
  const int32_t in[3] = {a, b, c};
  const whet_op *op = whet__op_find(name);
  int32_t out = whet__im_new(im, "part");
  if (!attr && op->attr_size && !(attr = whet__arena_alloc(whet__im_arena(im), op->attr_size))) return -1;
  return whet__im_node(im, op, attr, in, 1 + (b >= 0) + (c >= 0), &out, 1) == WHET_OK ? out : -1;
}

/* A list of numbers that lives as long as the graph; n -1: memory was refused. */
static whet_ints list(whet_import *im, const int64_t *v, int32_t n) {
  int64_t *p = whet__arena_copy(whet__im_arena(im), v, (size_t)n * sizeof *v);
  return p || !n ? (whet_ints){p, n} : (whet_ints){NULL, -1};
}

static whet_status no_memory(whet_import *im) { return whet__im_fail(im, WHET_E_MEMORY, "no memory for a body"); }

/* ---- sort ------------------------------------------------------------------------------------ */

/* [i][j] of the order in which equal elements stay: i < j. */
static int32_t earlier(whet_import *im, int64_t n, int32_t after) {
  int64_t dims[WHET_MAX_RANK] = {n, n};
  for (int32_t i = 0; i < after; i++) dims[2 + i] = 1;
  uint8_t *p = whet__arena_array(whet__im_arena(im), (size_t)n, (size_t)n);
  for (int64_t i = 0; p && i < n; i++)
    for (int64_t j = 0; j < n; j++) p[i * n + j] = i < j;
  return p ? whet__im_const(im, WHET_BOOL, 2 + after, dims, p) : -1;
}

/* The places of elements along an axis: [.., i, ..] of n, as int64. */
static whet_status places(whet_import *im, int32_t axis, int32_t rank, int64_t n, int32_t *out) {
  int32_t n_in = whet__im_n_in(im), *args = whet__arena_array(whet__im_arena(im), 2 * (size_t)n_in + 1, sizeof *args);
  int64_t swap[WHET_MAX_RANK], sum = axis;
  for (int32_t k = 0; args && k < n_in; k++)
    for (int32_t side = 0; side < 2; side++)
      if ((args[2 * k + side] = whet__im_squeeze(im, "Unsqueeze", whet__im_in(im, k), axis + !side, -1)) < 0) return no_memory(im);
  whet_region *r[2] = {0};
  whet_transpose *turn = whet__arena_alloc(whet__im_arena(im), sizeof *turn);
  whet_reduce_attr *add = whet__arena_alloc(whet__im_arena(im), sizeof *add);
  const uint8_t yes = 1;
  int32_t cond = whet__im_const(im, WHET_BOOL, 0, NULL, &yes), before = whet__im_new(im, "before");
  for (int i = 0; args && i < 2; i++) r[i] = whet__tfl_region_with(im, whet__tfl_int(im, 2, 0), args, 2 * n_in);
  if (!turn || !add || !args || cond < 0 || before < 0) return no_memory(im);
  for (int i = 0; i < 2; i++) WHET_TRY(pointwise(im, r[i], -1, 1));
  WHET_TRY(whet__im_node(im, whet__op_find("If"), NULL, &cond, 1, &before, 1));
  WHET_TRY(whet__im_bodies(im, r, 2));
  for (int32_t i = 0; i <= rank; i++) swap[i] = i;
  swap[axis] = axis + 1, swap[axis + 1] = axis;
  turn->perm = list(im, swap, rank + 1);
  add->axes = list(im, &sum, 1);
  if (turn->perm.n < 0 || add->axes.n < 0) return no_memory(im);
  /* An earlier element is before unless the later one is before it. */
  int32_t turned = put(im, "Transpose", turn, before, -1, -1);
  int32_t not = turned < 0 ? -1 : put(im, "Not", NULL, turned, -1, -1), less = earlier(im, n, rank - 1 - axis);
  int32_t is = not < 0 || less < 0 ? -1 : put(im, "Where", NULL, less, not, before), number = whet__im_new(im, "number");
  if (is < 0 || number < 0) return no_memory(im);
  WHET_TRY(whet__im_cast(im, is, number, WHET_S64));
  *out = put(im, "ReduceSum", add, number, -1, -1);
  return *out < 0 ? no_memory(im) : WHET_OK;
}

whet_status whet__stablehlo_sort_body(whet_import *im, int32_t axis) {
  const whet_val *x = whet__im_val(im, whet__im_in(im, 0));
  int32_t rank = x ? x->shape.rank : -1, n_in = whet__im_n_in(im);
  axis = axis < 0 ? axis + rank : axis;
  if (rank < 1 || rank >= WHET_MAX_RANK || axis < 0 || axis >= rank || !whet__dim_number(x->shape.d[axis]) ||
      whet__im_n_out(im) != n_in)
    return whet__im_fail(im, WHET_E_UNSUPPORTED, "a comparator of several operators on a shape that the file does not fix");
  int64_t n = x->shape.d[axis];
  if (n > MAX_LINE)
    return whet__im_fail(im, WHET_E_UNSUPPORTED, "a comparator of several operators on lines of %lld: at most %d",
                         (long long)n, MAX_LINE);
  WHET_NEW_ATTR(im, whet_scatter, to);
  to->axis = axis;
  int32_t at = -1;
  WHET_TRY(places(im, axis, rank, n, &at));
  for (int32_t k = 0; k < n_in; k++) {
    int32_t in[3] = {whet__im_in(im, k), at, whet__im_in(im, k)}, out = whet__im_out(im, k);
    WHET_TRY(whet__im_node(im, whet__op_find("ScatterElements"), to, in, 3, &out, 1));
  }
  return WHET_OK;
}

/* ---- reduce ---------------------------------------------------------------------------------- */

/* v with the listed dimensions put together as dimension 0, into *out. kept, n_kept: sizes of the others. */
static whet_status gathered(whet_import *im, int32_t v, whet_ints axes, int64_t *kept, int32_t *n_kept, int32_t *out) {
  const whet_shape s = whet__im_val(im, v)->shape;
  int64_t perm[WHET_MAX_RANK], dims[WHET_MAX_RANK + 1] = {-1};
  bool seen[WHET_MAX_RANK] = {false}, fits = s.rank >= 1 && s.rank < WHET_MAX_RANK && axes.n <= s.rank;
  int32_t n = 0;
  for (int32_t i = 0; fits && i < axes.n; i++) {
    fits = axes.v[i] >= 0 && axes.v[i] < s.rank && !seen[axes.v[i]];
    if (fits) seen[axes.v[i]] = true, perm[n++] = axes.v[i];
  }
  *n_kept = 0;
  for (int32_t i = 0; fits && i < s.rank; i++) {
    if (seen[i]) continue;
    fits = whet__dim_number(s.d[i]);
    perm[n++] = i;
    kept[(*n_kept)++] = s.d[i];
  }
  memcpy(dims + 1, kept, (size_t)*n_kept * sizeof *kept);
  if (!fits)
    return whet__im_fail(im, WHET_E_UNSUPPORTED, "a body of several operators on a shape that the file does not fix");
  WHET_NEW_ATTR(im, whet_transpose, turn);
  turn->perm = list(im, perm, n);
  int32_t turned = turn->perm.n < 0 ? -1 : put(im, "Transpose", turn, v, -1, -1);
  int32_t to = whet__im_ints(im, dims, 1 + *n_kept);
  *out = turned < 0 || to < 0 ? -1 : put(im, "Reshape", NULL, turned, to, -1);
  return *out < 0 ? no_memory(im) : WHET_OK;
}

whet_status whet__stablehlo_reduce_body(whet_import *im, whet_ints axes, int64_t body) {
  int32_t n = whet__im_n_in(im) / 2, *in = whet__arena_array(whet__im_arena(im), 2 * (size_t)n + 1, sizeof *in);
  int32_t *out = whet__arena_array(whet__im_arena(im), (size_t)n + 1, sizeof *out), n_kept;
  int64_t kept[WHET_MAX_RANK];
  if (n < 1 || whet__im_n_in(im) != 2 * n || whet__im_n_out(im) != n)
    return whet__im_fail(im, WHET_E_FORMAT, "%d inputs and %d outputs", whet__im_n_in(im), whet__im_n_out(im));
  whet_region *r = whet__tfl_region(im, body);
  WHET_TRY(pointwise(im, r, 2 * n, n));
  WHET_NEW_ATTR(im, whet_scan, a);
  a->n_scan = n;
  for (int32_t k = 0; in && out && k < n; k++) {
    if (whet__im_in(im, k) < 0 || whet__im_in(im, n + k) < 0) return whet__im_fail(im, WHET_E_FORMAT, "an input is missing");
    out[k] = whet__im_out(im, k);
    WHET_TRY(gathered(im, whet__im_in(im, k), axes, kept, &n_kept, &in[n + k]));
    int32_t shape = whet__im_ints(im, kept, n_kept);
    if (shape < 0 || (in[k] = put(im, "Expand", NULL, whet__im_in(im, n + k), shape, -1)) < 0) break;
    if (k < n - 1) continue;
    WHET_TRY(whet__im_node(im, whet__op_find("Scan"), a, in, 2 * n, out, n));
    return whet__im_bodies(im, &r, 1);
  }
  return no_memory(im);
}
