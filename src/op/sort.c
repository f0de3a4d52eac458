/* SPDX-License-Identifier: Apache-2.0 */
/* Sort(x0, x1, ..): the elements of every line along an axis in the order of input `key`, of all inputs alike; equal
 * ones keep their order.
 *
 * TFLite STABLEHLO_SORT whose comparator compares two elements of one input; others: stablehlo_body.c. The key: numbers and BOOL, a NaN last (rising)
 * or first. The others: all types. Exact. */

#include "op/move.h"
#include "op/order.h"
#include "op/stablehlo.h"

struct sort {
  int32_t axis; /* may be negative */
  int32_t key;
  uint8_t falling;
};
static const whet_attr_desc k_attrs[] = {{"axis", WHET_ATTR_I32, offsetof(struct sort, axis)},
                                         {"key", WHET_ATTR_I32, offsetof(struct sort, key)},
                                         {"falling", WHET_ATTR_BOOL, offsetof(struct sort, falling)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

/* Which input a comparator of two elements of each compares, and which way. */
static bool comparator(const whet_graph *g, const whet_region *r, struct sort *a) {
  static const char *const k_less[] = {"Less", "LessOrEqual"}, *const k_greater[] = {"Greater", "GreaterOrEqual"};
  if (r->n_node != 1 || r->n_out != 1) return false;
  const whet_node *n = &g->node[r->node[0]];
  if (n->n_in != 2 || n->out[0] != r->out[0]) return false;
  bool less = false, greater = false, turned;
  for (int i = 0; i < 2; i++) {
    less |= !strcmp(n->op->name, k_less[i]);
    greater |= !strcmp(n->op->name, k_greater[i]);
  }
  for (int32_t k = 0; 2 * k + 1 < r->n_in; k++) {
    turned = n->in[0] == r->in[2 * k + 1] && n->in[1] == r->in[2 * k];
    if (!turned && !(n->in[0] == r->in[2 * k] && n->in[1] == r->in[2 * k + 1])) continue;
    a->key = k;
    a->falling = greater != turned;
    return less || greater;
  }
  return false;
}

static whet_status from_hlo(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct sort, a);
  whet_graph *g = whet__im_graph(im);
  whet_region *r = whet__tfl_region(im, whet__tfl_int(im, 2, 0));
  if (!r) return whet__im_fail(im, WHET_E_FORMAT, "the comparator is absent or cannot be read");
  a->axis = whet__small(whet__tfl_int(im, 0, 0));
  bool plain = comparator(g, r, a);
  while (r->n_node) whet__region_remove(g, r, r->n_node - 1);
  if (!plain) return whet__stablehlo_sort_body(im, a->axis);
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_from[] = {{"tflite", "STABLEHLO_SORT", 1, from_hlo}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const struct sort *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  int32_t axis;
  if (n->n_in < 1 || n->n_out != n->n_in || a->key < 0 || a->key >= n->n_in)
    return whet__infer_fail(f, WHET_E_FORMAT, "%d inputs and %d outputs", n->n_in, n->n_out);
  whet_dtype t = whet__in_dtype(f, a->key);
  if (!whet__is_int(t) && !whet__is_float(t) && t != WHET_BOOL)
    return whet__infer_fail(f, WHET_E_TYPE, "an order of %s", whet_dtype_name(t));
  for (int i = 0; i < n->n_in; i++) {
    const whet_shape *s = whet__in_shape(f, i);
    if (whet__out_has(f, i)) *whet__out(f, i, whet__in_dtype(f, i)) = *s;
    if (s->rank < 0 || x->rank < 0) return WHET_LATE;
    bool same = s->rank == x->rank;
    for (int32_t d = 0; same && d < x->rank; d++)
      same = !whet__dim_known(s->d[d]) || !whet__dim_known(x->d[d]) || s->d[d] == x->d[d];
    if (!same) return whet__infer_fail(f, WHET_E_SHAPE, "input %d has another shape than input 0", i);
  }
  return whet__infer_axis(f, a->axis, x->rank, &axis);
}

/* ---- reference ------------------------------------------------------------------------------- */

static int32_t axis_of(const whet_args *a) {
  int32_t axis = ((const struct sort *)a->attr)->axis;
  return axis < 0 ? axis + a->in[0].rank : axis;
}
static size_t scratch(const whet_args *a) { return ((size_t)a->in[0].dim[axis_of(a)] + 1) * 2 * sizeof(int64_t); }

/* One line of the key. */
struct line {
  const whet_tensor *x;
  int64_t at, step;
  bool falling;
};
static int compare(const void *ctx, int64_t i, int64_t j) {
  const struct line *l = ctx;
  int c = whet__compare(l->x->dtype, l->x->data, l->at + i * l->step, l->x->data, l->at + j * l->step);
  return l->falling ? -c : c;
}

static whet_status ref(const whet_args *args) {
  const struct sort *a = args->attr;
  const whet_tensor *key = &args->in[a->key];
  int32_t axis = axis_of(args);
  int64_t n = key->dim[axis], dim[WHET_MAX_RANK], at[WHET_MAX_RANK] = {0}, *room = args->scratch;
  memcpy(dim, key->dim, sizeof dim);
  dim[axis] = 1;
  if (!whet__tensor_count(key)) return WHET_OK;
  do {
    struct line l = {key, whet__index_offset(key->rank, at, key->stride), key->stride[axis], a->falling};
    const int64_t *o = whet__sort_places(n, room, room + n, compare, &l);
    for (int i = 0; i < args->n_in; i++) {
      const whet_tensor *x = &args->in[i], *y = &args->out[i];
      int64_t from = whet__index_offset(x->rank, at, x->stride), to = whet__index_offset(x->rank, at, y->stride);
      for (int64_t k = 0; y->data && k < n; k++)
        whet__move_one(x->dtype, y->data, to + k * y->stride[axis], x->data, from + o[k] * x->stride[axis]);
    }
  } while (whet__index_next(key->rank, dim, at));
  return WHET_OK;
}

const whet_op whet_op_Sort = {
    .name = "Sort",
    .attr_size = sizeof(struct sort),
    .attrs = k_attrs,
    .from = k_from,
    .infer = infer,
    .ref = ref,
    .scratch = scratch,
};
