/* SPDX-License-Identifier: Apache-2.0 */
/* Reshape(x, shape): the same elements in row-major order under other dimensions. Flatten(x): two dimensions.
 *
 * shape: -1 at most once, what remains; 0 the dimension of x at that place, unless allowzero. ONNX Reshape since 5
 * (shape as an input), Flatten 1-25; TFLite RESHAPE (shape from the second input, else from the options; 0 is a
 * dimension). All types. Exact. */

#include "op/grad.h"
#include "op/move.h"
#include "op/move_attr.h"

/* ---- attributes ------------------------------------------------------------------------------ */

static const whet_attr_desc k_reshape_attrs[] = {{"allowzero", WHET_ATTR_BOOL, offsetof(whet_reshape, allowzero)},
                                                 {0}};

struct flatten {
  int32_t axis; /* dimensions before it make the first; may be negative */
};
static const whet_attr_desc k_flatten_attrs[] = {{"axis", WHET_ATTR_I32, offsetof(struct flatten, axis)}, {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status reshape_onnx(whet_import *im, const whet_op *op) {
  whet_reshape *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  a->allowzero = whet__onnx_int(im, "allowzero", 0) != 0;
  return whet__im_node_as_is(im, op, a);
}

static whet_status reshape_tfl(whet_import *im, const whet_op *op) {
  whet_reshape *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  a->allowzero = 1;
  int32_t in[2] = {whet__im_in(im, 0), whet__im_in(im, 1)}, out = whet__im_out(im, 0);
  whet_ints shape = whet__im_list(im, in[1]);
  if (in[1] < 0 || (shape.n < 0 && whet__im_val(im, in[1])->shape.rank > 1)) {
    shape = whet__tfl_ints(im, 0);
    in[1] = whet__im_ints(im, shape.v, shape.n);
  }
  /* Old converters wrote a scalar as the shape [0]. */
  if (shape.n == 1 && shape.v[0] == 0 && out >= 0 && whet__im_val(im, out)->shape.rank == 0)
    in[1] = whet__im_ints(im, shape.v, 0);
  return whet__im_node(im, op, a, in, 2, &out, 1);
}

/* STABLEHLO_RESHAPE: the output's declared shape, of which one dimension may be open. */
static whet_status reshape_hlo(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_reshape, a);
  int32_t out = whet__im_out(im, 0);
  const whet_val *y = whet__im_val(im, out);
  int64_t dims[WHET_MAX_RANK];
  int open = 0;
  if (!y || y->shape.rank < 0) return whet__im_fail(im, WHET_E_UNSUPPORTED, "an output without a shape");
  for (int32_t i = 0; i < y->shape.rank; i++) {
    dims[i] = whet__dim_known(y->shape.d[i]) ? y->shape.d[i] : -1;
    open += dims[i] < 0;
  }
  if (open > 1) return whet__im_fail(im, WHET_E_UNSUPPORTED, "%d dimensions that the file does not tell", open);
  a->allowzero = 1;
  int32_t in[2] = {whet__im_in(im, 0), whet__im_ints(im, dims, y->shape.rank)};
  return whet__im_node(im, op, a, in, 2, &out, 1);
}

static const whet_from k_reshape_from[] = {{"", "Reshape", 5, reshape_onnx},
                                           {"tflite", "RESHAPE", 1, reshape_tfl},
                                           {"tflite", "STABLEHLO_RESHAPE", 1, reshape_hlo},
                                           {0}};

static whet_status flatten_onnx(whet_import *im, const whet_op *op) {
  struct flatten *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  a->axis = (int32_t)whet__clamp_i(whet__onnx_int(im, "axis", 1), -WHET_MAX_RANK - 1, WHET_MAX_RANK + 1);
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_flatten_from[] = {{"", "Flatten", 1, flatten_onnx}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

/* What is left of in's dimensions when those of `out` but number `hole` are divided away: a number where all that is
 * not a number cancels, a symbol where one is left, else ANY. Dimensions that `same` marks cancel each other. */
static whet_status remainder_dim(whet_infer *f, const whet_shape *in, const whet_shape *out, int32_t hole,
                                 const bool *same, whet_dim *r) {
  bool used[WHET_MAX_RANK] = {false};
  int64_t num = 1, den = 1;
  for (int32_t o = 0; o < out->rank; o++) {
    if (o == hole) continue;
    if (same[o]) {
      used[o] = true;
    } else if (whet__dim_known(out->d[o])) {
      if (__builtin_mul_overflow(den, out->d[o], &den))
        return whet__infer_fail(f, WHET_E_SHAPE, "the shape is too large");
    } else {
      int32_t i = 0;
      while (i < in->rank && (used[i] || in->d[i] != out->d[o] || in->d[i] == WHET_DIM_ANY)) i++;
      if (i == in->rank) {
        *r = WHET_DIM_ANY;
        return WHET_OK;
      }
      used[i] = true;
    }
  }
  whet_dim left = 1;
  int32_t free_dims = 0;
  for (int32_t i = 0; i < in->rank; i++) {
    if (used[i]) continue;
    if (whet__dim_known(in->d[i])) {
      if (__builtin_mul_overflow(num, in->d[i], &num))
        return whet__infer_fail(f, WHET_E_SHAPE, "the input is too large");
    } else {
      left = in->d[i];
      free_dims++;
    }
  }
  if (!free_dims) {
    if (!den || num % den)
      return whet__infer_fail(f, WHET_E_SHAPE, "%lld elements cannot be cut into groups of %lld", (long long)num,
                              (long long)den);
    *r = num / den;
  } else {
    *r = free_dims == 1 && num == den && num ? left : WHET_DIM_ANY;
  }
  return WHET_OK;
}

static whet_status reshape_infer(whet_infer *f, const whet_node *n) {
  const whet_reshape *a = n->attr;
  const whet_shape *in = whet__in_shape(f, 0);
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, 0));
  whet_nums s;
  if (!whet__nums(f, 1, &s)) {
    /* The number of dimensions at least may be known. */
    if (s.n > WHET_MAX_RANK)
      return whet__infer_fail(f, WHET_E_SHAPE, "%d dimensions, at most %d", s.n, WHET_MAX_RANK);
    out->rank = s.n >= 0 ? s.n : -1;
    for (int32_t i = 0; i < s.n; i++) out->d[i] = WHET_DIM_ANY;
    return whet__nums_late(f, &s, "the shape");
  }
  if (s.n > WHET_MAX_RANK) return whet__infer_fail(f, WHET_E_SHAPE, "%d dimensions, at most %d", s.n, WHET_MAX_RANK);
  out->rank = s.n;
  bool same[WHET_MAX_RANK] = {false};
  int32_t hole = -1;
  for (int32_t i = 0; i < s.n; i++) {
    whet_dim d = whet__num(&s, i);
    if (d == -1) {
      if (hole >= 0) return whet__infer_fail(f, WHET_E_SHAPE, "-1 stands twice in the shape");
      hole = i;
    } else if (d == 0 && !a->allowzero) {
      if (in->rank >= 0 && i >= in->rank)
        return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d is copied from an input of rank %d", i, in->rank);
      d = in->rank >= 0 ? in->d[i] : WHET_DIM_ANY;
      same[i] = in->rank >= 0;
    } else if (whet__dim_number(d) && d < 0) {
      return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d is %lld", i, (long long)d);
    }
    out->d[i] = d;
  }
  if (in->rank < 0) {
    if (hole >= 0) out->d[hole] = WHET_DIM_ANY;
    return WHET_OK;
  }
  if (hole >= 0) {
    out->d[hole] = WHET_DIM_ANY;
    WHET_TRY(remainder_dim(f, in, out, hole, same, &out->d[hole]));
  }
  int64_t ni = whet__shape_count(in), no = whet__shape_count(out);
  whet_dim count;
  WHET_TRY(whet__infer_count(f, out, &count));
  if (ni >= 0 && no >= 0 && ni != no)
    return whet__infer_fail(f, WHET_E_SHAPE, "the shape has %lld elements, the input %lld", (long long)no,
                            (long long)ni);
  whet__known_pass(f, 0, 0);
  return WHET_OK;
}

static whet_status flatten_infer(whet_infer *f, const whet_node *n) {
  const struct flatten *a = n->attr;
  const whet_shape *in = whet__in_shape(f, 0);
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, 0));
  out->rank = 2;
  out->d[0] = out->d[1] = WHET_DIM_ANY;
  if (in->rank < 0) return WHET_OK;
  int32_t axis = a->axis < 0 ? a->axis + in->rank : a->axis;
  if (axis < 0 || axis > in->rank)
    return whet__infer_fail(f, WHET_E_DATA, "axis %d of an input of rank %d", a->axis, in->rank);
  out->d[0] = out->d[1] = 1;
  for (int32_t i = 0; i < in->rank; i++) out->d[i >= axis] = whet__dim_mul(out->d[i >= axis], in->d[i]);
  whet__known_pass(f, 0, 0);
  return WHET_OK;
}

/* ---- reference and planning ------------------------------------------------------------------ */

static whet_status view_ref(const whet_args *a) {
  whet__move_flat(&a->out[0], &a->in[0]);
  return WHET_OK;
}

static whet_status view_plan(whet_planner *p, const whet_node *n) { return whet__pl_view(p, n, 0, 0); }

/* ---- permutation ----------------------------------------------------------------------------- */

/* Reshape and Flatten cut the dimensions of input and output into the smallest groups of neighbours with equal
 * products: [N,C,H,W] -> [N,G,C/G,H,W] has the groups N:N, C:(G,C/G), H:H, W:W. A turned input can be reshaped where
 * each group's dimensions are neighbours in the old order still; then the groups of the output stand in the input's
 * new order. Dimensions of size 1 do not matter in the input, and in the output stay with the group before them. */
struct groups {
  int32_t n;
  int8_t of_in[WHET_MAX_RANK];                              /* group of each input dimension, -1: of size 1 */
  int8_t first[WHET_MAX_RANK + 1], last[WHET_MAX_RANK + 1]; /* output dimensions of a group: [first, last) */
};

/* False when dimensions that are no numbers do not stand alone. Group 0 holds leading output dimensions of size 1. */
static bool find_groups(const whet_shape *in, const whet_shape *out, struct groups *g) {
  int32_t i = 0, o = 0;
  g->n = 1;
  g->first[0] = 0;
  while (o < out->rank && out->d[o] == 1) o++;
  g->last[0] = (int8_t)o;
  while (i < in->rank) {
    if (in->d[i] == 1) {
      g->of_in[i++] = -1;
      continue;
    }
    if (o == out->rank || !in->d[i]) return false;
    int32_t k = g->n++;
    g->first[k] = (int8_t)o;
    int64_t a = in->d[i], b = out->d[o];
    g->of_in[i++] = (int8_t)k, o++;
    if (a != b || a == WHET_DIM_ANY) {
      if (!whet__dim_known(a) || !whet__dim_known(b)) return false;
      while (a != b) {
        int64_t *less = a < b ? &a : &b;
        int64_t more = a < b ? (i < in->rank ? in->d[i] : 0) : (o < out->rank ? out->d[o] : 0);
        if (more <= 0 || __builtin_mul_overflow(*less, more, less)) return false;
        if (less == &a)
          g->of_in[i] = (int8_t)(more == 1 ? -1 : k), i++;
        else
          o++;
      }
    }
    while (o < out->rank && out->d[o] == 1) o++;
    g->last[k] = (int8_t)o;
  }
  return o == out->rank;
}

/* Where the output's dimensions go when the input is turned. False when the output cannot be a turned one. */
static bool group_permute(const whet_shape *in, const whet_shape *out, const int8_t *perm, int8_t *perm_out) {
  struct groups g;
  if (in->rank < 0 || out->rank < 0 || !find_groups(in, out, &g)) return false;
  int32_t at = 0, open = 0, last = -1;
  bool seen[WHET_MAX_RANK + 1] = {false};
  for (int32_t d = g.first[0]; d < g.last[0]; d++) perm_out[at++] = (int8_t)d;
  for (int32_t i = 0; i < in->rank; i++) {
    int32_t k = g.of_in[perm[i]];
    if (k < 0) continue;
    if (k == open) {
      if (perm[i] < last) return false;
    } else {
      if (seen[k]) return false;
      /* A group starts with its first dimension. */
      for (int32_t j = 0; j < perm[i]; j++)
        if (g.of_in[j] == k) return false;
      seen[k] = true;
      open = k;
      for (int32_t d = g.first[k]; d < g.last[k]; d++) perm_out[at++] = (int8_t)d;
    }
    last = perm[i];
  }
  return at == out->rank;
}

static bool flatten_permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  const whet_graph *g = whet__ed_graph(e);
  const whet_node *n = &g->node[node];
  const struct flatten *a = n->attr;
  const whet_shape *in = &g->val[n->in[0]].shape;
  if (in->rank != rank || !group_permute(in, &g->val[n->out[0]].shape, perm, perm_out)) return false;
  if (perm_out[0] != 0) return false;
  int32_t axis = a->axis < 0 ? a->axis + rank : a->axis, at = 0;
  for (int i = 0; i < rank; i++)
    if (perm[i] < axis && in->d[perm[i]] != 1) at = i + 1;
  for (int i = 0; i < at; i++)
    if (perm[i] >= axis && in->d[perm[i]] != 1) return false;
  struct flatten *w = whet__ed_attr(e, node);
  if (w) w->axis = at;
  return w != NULL;
}

static bool reshape_permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  whet_graph *g = whet__ed_graph(e);
  const whet_node *n = &g->node[node];
  const whet_reshape *a = n->attr;
  const whet_shape *in = &g->val[n->in[0]].shape, *out = &g->val[n->out[0]].shape;
  int32_t k;
  const int64_t *s = whet__ed_ints(e, n->in[1], &k);
  if (!s || in->rank != rank || out->rank != k || !group_permute(in, out, perm, perm_out)) return false;
  int64_t dim[WHET_MAX_RANK];
  bool hole = false;
  for (int32_t i = 0; i < k; i++) hole |= s[i] == -1;
  for (int32_t i = 0; i < k; i++) {
    int32_t from = perm_out[i];
    dim[i] = s[from];
    if (dim[i] || a->allowzero || (i < rank && perm[i] == from)) continue;
    /* A copied dimension that is no longer at its own place: by number, or as what remains. */
    if (whet__dim_known(out->d[from])) {
      dim[i] = out->d[from];
    } else {
      if (hole) return false;
      dim[i] = -1;
      hole = true;
    }
  }
  int64_t count = k;
  int32_t c = whet__ed_const(e, WHET_S64, 1, &count, dim);
  if (c >= 0) g->node[node].in[1] = c;
  return c >= 0;
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_Reshape = {
    .name = "Reshape",
    .flags = WHET_OP_VIEW | WHET_OP_SIGN_FREE,
    .attr_size = sizeof(whet_reshape),
    .attrs = k_reshape_attrs,
    .from = k_reshape_from,
    .infer = reshape_infer,
    .plan = view_plan,
    .permute = reshape_permute,
    .grad = whet__grad_view,
    .ref = view_ref,
};

const whet_op whet_op_Flatten = {
    .name = "Flatten",
    .flags = WHET_OP_VIEW | WHET_OP_SIGN_FREE,
    .attr_size = sizeof(struct flatten),
    .attrs = k_flatten_attrs,
    .from = k_flatten_from,
    .infer = flatten_infer,
    .plan = view_plan,
    .permute = flatten_permute,
    .grad = whet__grad_view,
    .ref = view_ref,
};
