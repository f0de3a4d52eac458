/* SPDX-License-Identifier: Apache-2.0 */
/* Slice(x, starts, ends, axes, steps): elements starts .. ends (exclusive) of some axes; bounds are clamped, negative
 * ones count from the end, steps may be negative.
 *
 * ONNX Slice 1 (attributes), 10-13; TFLite SLICE (begin and size, -1: the rest), REVERSE_V2, STABLEHLO_SLICE,
 * STABLEHLO_DYNAMIC_SLICE. Bounds that are not constant are
 * read when the program runs. All types. Exact. */

#include "op/cut.h"
#include "op/move_attr.h"

/* ---- attributes ------------------------------------------------------------------------------ */

static const whet_attr_desc k_attrs[] = {{"sizes", WHET_ATTR_BOOL, offsetof(whet_slice, sizes)}, {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status from_onnx1(whet_import *im, const whet_op *op) {
  whet_slice *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  int32_t in[4] = {whet__im_in(im, 0), whet__onnx_ints_const(im, "starts"), whet__onnx_ints_const(im, "ends"),
                   whet__onnx_ints_const(im, "axes")};
  int32_t out = whet__im_out(im, 0);
  return whet__im_node(im, op, a, in, 4, &out, 1);
}

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  whet_slice *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  return whet__im_node_as_is(im, op, a);
}

static whet_status from_tfl(whet_import *im, const whet_op *op) {
  whet_slice *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  a->sizes = 1;
  return whet__im_node_as_is(im, op, a);
}

/* REVERSE_V2(x, axes): from the end to the beginning. */
static whet_status reverse_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_slice, a);
  static const int64_t last = -1, before = INT64_MIN / 2;
  int32_t axes = whet__im_in(im, 1), shape = whet__im_new(im, "shape"), out = whet__im_out(im, 0);
  WHET_TRY(whet__im_shape_of(im, axes, shape));
  int32_t back[2] = {shape, whet__im_const(im, WHET_S64, 0, NULL, &last)}, minus = whet__im_new(im, "minus");
  int32_t end[2] = {shape, whet__im_const(im, WHET_S64, 0, NULL, &before)}, ends = whet__im_new(im, "ends");
  WHET_TRY(whet__im_node(im, whet__op_find("Fill"), NULL, back, 2, &minus, 1));
  WHET_TRY(whet__im_node(im, whet__op_find("Fill"), NULL, end, 2, &ends, 1));
  int32_t in[5] = {whet__im_in(im, 0), minus, ends, axes, minus};
  return whet__im_node(im, op, a, in, 5, &out, 1);
}

/* STABLEHLO_SLICE: starts, limits and strides of all dimensions are attributes. */
static whet_status slice_hlo(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_slice, a);
  whet_ints start = whet__tfl_ints(im, 0), limit = whet__tfl_ints(im, 1), stride = whet__tfl_ints(im, 2);
  int32_t in[5] = {whet__im_in(im, 0), whet__im_ints(im, start.v, start.n), whet__im_ints(im, limit.v, limit.n), -1,
                   whet__im_ints(im, stride.v, stride.n)};
  int32_t out = whet__im_out(im, 0);
  for (int32_t i = 0; i < start.n && i < limit.n; i++)
    if (start.v[i] < 0 || limit.v[i] < start.v[i])
      return whet__im_fail(im, WHET_E_DATA, "elements %lld to %lld", (long long)start.v[i], (long long)limit.v[i]);
  return whet__im_node(im, op, a, in, 5, &out, 1);
}

/* STABLEHLO_DYNAMIC_SLICE(x, start...): the box moved inside x where it stands out. */
static whet_status dynamic_slice_hlo(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_slice, a);
  whet_ints sizes = whet__tfl_ints(im, 0);
  const int64_t zero = 0;
  int32_t x = whet__im_in(im, 0), start = whet__im_join_scalars(im, 1, whet__im_n_in(im) - 1);
  int32_t size = whet__im_ints(im, sizes.v, sizes.n), shape = whet__im_new(im, "shape"), room = whet__im_new(im, "room");
  int32_t low = whet__im_new(im, "start"), both = whet__im_new(im, "start"), out = whet__im_out(im, 0);
  if (start < 0) return whet__im_fail(im, WHET_E_FORMAT, "the starts cannot be read");
  WHET_TRY(whet__im_shape_of(im, x, shape));
  int32_t sub[2] = {shape, size}, min[2] = {start, room}, max[2] = {low, whet__im_const(im, WHET_S64, 0, NULL, &zero)};
  WHET_TRY(whet__im_node(im, whet__op_find("Sub"), NULL, sub, 2, &room, 1));
  WHET_TRY(whet__im_node(im, whet__op_find("Min"), NULL, min, 2, &low, 1));
  WHET_TRY(whet__im_node(im, whet__op_find("Max"), NULL, max, 2, &both, 1));
  a->sizes = 1;
  int32_t in[3] = {x, both, size};
  return whet__im_node(im, op, a, in, 3, &out, 1);
}

static const whet_from k_from[] = {{"", "Slice", 1, from_onnx1},
                                   {"", "Slice", 10, from_onnx},
                                   {"tflite", "SLICE", 1, from_tfl},
                                   {"tflite", "REVERSE_V2", 1, reverse_tfl},
                                   {"tflite", "STABLEHLO_SLICE", 1, slice_hlo},
                                   {"tflite", "STABLEHLO_DYNAMIC_SLICE", 1, dynamic_slice_hlo},
                                   {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

/* The numbers of a node's bounds: starts, ends (or sizes), axes, steps; the last two may be absent. */
struct bounds {
  int32_t n;
  int64_t start[WHET_MAX_RANK], end[WHET_MAX_RANK], axis[WHET_MAX_RANK], step[WHET_MAX_RANK];
  bool known[WHET_MAX_RANK]; /* start, end and step are numbers */
};

/* The cut of a tensor of these dimensions; counts are ANY where they cannot be told. NULL, or what is wrong. */
static const char *make_cut(const struct bounds *b, bool sizes, const whet_shape *in, whet_cut *c) {
  bool seen[WHET_MAX_RANK] = {false};
  c->rank = in->rank;
  for (int32_t d = 0; d < in->rank; d++) c->start[d] = 0, c->step[d] = 1, c->count[d] = in->d[d];
  for (int32_t i = 0; i < b->n; i++) {
    int64_t d = b->axis[i] < 0 ? b->axis[i] + in->rank : b->axis[i];
    if (d < 0 || d >= in->rank) return "an axis is out of range";
    if (seen[d]) return "an axis stands twice";
    seen[d] = true;
    if (!b->known[i]) {
      c->count[d] = WHET_DIM_ANY;
      continue;
    }
    if (!b->step[i]) return "a step is 0";
    int64_t dim = in->d[d], end = b->end[i];
    bool whole =
        b->step[i] == 1 && b->start[i] == 0 && (sizes ? end == -1 : end >= (whet__dim_known(dim) ? dim : INT32_MAX));
    if (whole) continue;
    if (!whet__dim_known(dim)) {
      /* Sizes are what they say; a single step from the end leaves what it says only of known dimensions. */
      c->count[d] = sizes && end >= 0 ? end : WHET_DIM_ANY;
      continue;
    }
    if (sizes) {
      if (b->start[i] < 0 || b->start[i] > dim) return "a start is out of range";
      if (end < -1 || end > dim - b->start[i]) return "a size is out of range";
      c->start[d] = b->start[i];
      c->count[d] = end < 0 ? dim - b->start[i] : end;
    } else {
      /* ONNX Slice: backwards, a start before the first element is the first (numpy: nothing is left). */
      int64_t from = b->step[i] < 0 && dim > 0 ? whet__max_i(b->start[i], -dim) : b->start[i];
      whet__cut_range(c, (int32_t)d, dim, from, end, b->step[i]);
    }
  }
  return NULL;
}

static whet_status slice_infer(whet_infer *f, const whet_node *n) {
  const whet_slice *a = n->attr;
  const whet_shape *in = whet__in_shape(f, 0);
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, 0));
  *out = *in;
  if (in->rank < 0) return WHET_LATE;
  static const char *const what[] = {"", "the starts", "the ends", "the axes", "the steps"};
  whet_nums s[5];
  struct bounds b = {0};
  b.n = -1;
  bool late = false;
  for (int i = 1; i < 5; i++) {
    if (!whet__in_has(f, i)) {
      if (i < 3) return whet__infer_fail(f, WHET_E_SHAPE, "%s are absent", what[i]);
      s[i] = (whet_nums){.n = -1};
      continue;
    }
    if (!whet__nums(f, i, &s[i])) {
      if (s[i].n == -2) return whet__nums_late(f, &s[i], what[i]);
      s[i].t = WHET_NONE; /* not known yet */
      late = true;
    }
    if (s[i].n >= 0 && b.n >= 0 && s[i].n != b.n)
      return whet__infer_fail(f, WHET_E_SHAPE, "%d of %s, expected %d", s[i].n, what[i], b.n);
    if (s[i].n >= 0) b.n = s[i].n;
  }
  if (b.n > in->rank) return whet__infer_fail(f, WHET_E_SHAPE, "%d axes of an input of rank %d", b.n, in->rank);
  bool axes_known = !whet__in_has(f, 3) || (s[3].t != WHET_NONE && whet__nums_all(&s[3]));
  if (b.n < 0 || !axes_known) {
    for (int32_t d = 0; d < in->rank; d++) out->d[d] = WHET_DIM_ANY;
    return WHET_LATE;
  }
  for (int32_t k = 0; k < b.n; k++) {
    b.axis[k] = whet__in_has(f, 3) ? whet__num(&s[3], k) : k;
    whet_dim v[3] = {WHET_DIM_ANY, WHET_DIM_ANY, 1};
    if (s[1].t != WHET_NONE) v[0] = whet__num(&s[1], k);
    if (s[2].t != WHET_NONE) v[1] = whet__num(&s[2], k);
    if (whet__in_has(f, 4)) v[2] = s[4].t != WHET_NONE ? whet__num(&s[4], k) : WHET_DIM_ANY;
    int64_t d = b.axis[k] < 0 ? b.axis[k] + in->rank : b.axis[k];
    /* x[0:n] where n is the very symbol that the dimension is. */
    if (v[2] == 1 && v[0] == 0 && d >= 0 && d < in->rank && v[1] == in->d[d] && v[1] != WHET_DIM_ANY)
      v[1] = INT64_MAX;
    if (a->sizes && v[1] == INT64_MAX) v[1] = -1;
    b.known[k] = whet__dim_number(v[0]) && whet__dim_number(v[1]) && whet__dim_number(v[2]);
    late |= !b.known[k];
    b.start[k] = v[0], b.end[k] = v[1], b.step[k] = v[2];
  }
  whet_cut c;
  const char *wrong = make_cut(&b, a->sizes, in, &c);
  if (wrong) return whet__infer_fail(f, WHET_E_DATA, "%s", wrong);
  for (int32_t d = 0; d < in->rank; d++) out->d[d] = c.count[d];
  whet__cut_known(f, &c);
  return late ? WHET_LATE : WHET_OK;
}

/* ---- reference and planning ------------------------------------------------------------------ */

static whet_status slice_ref(const whet_args *a) {
  const whet_slice *at = a->attr;
  const whet_tensor *in = &a->in[0];
  whet_shape s = whet__shape(in->rank, in->dim);
  struct bounds b = {.n = a->in[1].rank ? (int32_t)a->in[1].dim[0] : 1};
  for (int32_t k = 0; k < b.n; k++) {
    b.start[k] = whet__vec_i64(&a->in[1], k);
    b.end[k] = whet__vec_i64(&a->in[2], k);
    b.axis[k] = a->n_in > 3 && a->in[3].data ? whet__vec_i64(&a->in[3], k) : k;
    b.step[k] = a->n_in > 4 && a->in[4].data ? whet__vec_i64(&a->in[4], k) : 1;
    b.known[k] = true;
  }
  whet_cut c;
  const char *wrong = make_cut(&b, at->sizes, &s, &c);
  if (wrong) return whet__fail(a->err, WHET_E_DATA, "%s", wrong);
  whet__cut_ref(&c, in, &a->out[0]);
  return WHET_OK;
}

static whet_status slice_plan(whet_planner *p, const whet_node *n) {
  const whet_slice *at = n->attr;
  struct bounds b = {0};
  int64_t *const to[] = {NULL, b.start, b.end, b.axis, b.step};
  for (int32_t k = 0; k < WHET_MAX_RANK; k++) b.axis[k] = k, b.step[k] = 1, b.known[k] = true;
  for (int i = 1; i < n->n_in && i < 5; i++) {
    if (n->in[i] < 0) continue;
    int32_t count = whet__pl_ints(p, n->in[i], to[i], WHET_MAX_RANK);
    if (count < 0) return WHET_LATE;
    b.n = count;
  }
  whet_cut c;
  const char *wrong = make_cut(&b, at->sizes, whet__pl_shape(p, n->in[0]), &c);
  if (wrong) return whet__pl_fail(p, WHET_E_INTERNAL, "%s", wrong);
  return whet__cut_plan(p, n, &c);
}

/* ---- permutation ----------------------------------------------------------------------------- */

/* Bounds stay, their axes move. */
static bool slice_permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  whet_graph *g = whet__ed_graph(e);
  const whet_node *n = &g->node[node];
  int64_t axis[WHET_MAX_RANK];
  int32_t count = 0;
  if (n->n_in > 3 && n->in[3] >= 0) {
    const int64_t *v = whet__ed_ints(e, n->in[3], &count);
    if (!v || count > rank) return false;
    for (int32_t k = 0; k < count; k++) axis[k] = v[k] < 0 ? v[k] + rank : v[k];
  } else {
    const whet_shape *s = &g->val[n->in[1]].shape;
    if (s->rank != 1 || s->d[0] < 0 || s->d[0] > rank) return false;
    count = (int32_t)s->d[0];
    for (int32_t k = 0; k < count; k++) axis[k] = k;
  }
  for (int32_t k = 0; k < count; k++) axis[k] = whet__perm_axis(perm, rank, (int32_t)axis[k]);
  int64_t dims = count;
  int32_t c = whet__ed_const(e, WHET_S64, 1, &dims, axis);
  int32_t in[5] = {-1, -1, -1, c, -1};
  for (int i = 0; i < g->node[node].n_in && i < 5; i++)
    if (i != 3) in[i] = g->node[node].in[i];
  if (c < 0 || !whet__ed_set_inputs(e, node, in, 5)) return false;
  return whet__perm_same(perm, rank, perm_out);
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_Slice = {
    .name = "Slice",
    .flags = WHET_OP_SIGN_FREE,
    .attr_size = sizeof(whet_slice),
    .attrs = k_attrs,
    .from = k_from,
    .infer = slice_infer,
    .plan = slice_plan,
    .permute = slice_permute,
    .ref = slice_ref,
};
