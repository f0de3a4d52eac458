/* SPDX-License-Identifier: Apache-2.0 */
/* Reductions over axes: sum, mean, greatest, least, product, norms, logical all and any. reduce.def has a row for
 * each.
 *
 * ONNX Reduce* 1 to the newest (axes: attribute, later the second input), TFLite SUM, MEAN, REDUCE_*. An empty list
 * of axes means all, or none with noop_with_empty_axes; the steps before and after the sum are done either way. Over
 * no elements: 0 (sums), 1 (products), the least or greatest number (max, min), NaN (mean).
 *
 * Types: as the row says; integers wrap, their mean is cut towards zero. f32 by kernels when the axes are neighbours.
 * Quantised 8- and 16-bit numbers: reduce_q8.c. */

#include "op/reduce.h"

#include <math.h>

#include "kern/reduce_f32.h"
#include "op/edit.h"
#include "op/grad.h"
#include "op/move.h"
#include "op/move_attr.h"
#include "op/reduce_q8.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

static const whet_attr_desc k_attrs[] = {{"axes", WHET_ATTR_I64S, offsetof(whet_reduce_attr, axes)},
                                         {"keepdims", WHET_ATTR_BOOL, offsetof(whet_reduce_attr, keep)},
                                         {"noop_with_empty_axes", WHET_ATTR_BOOL, offsetof(whet_reduce_attr, none)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

/* Append the node; axes.n < 0: they are the second input. */
static whet_status put(whet_import *im, const whet_op *op, whet_ints axes, bool keep, bool none) {
  whet_reduce_attr *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  int32_t in[2] = {whet__im_in(im, 0), whet__im_in(im, 1)}, out = whet__im_out(im, 0);
  if (in[0] < 0 || out < 0) return whet__im_fail(im, WHET_E_FORMAT, "expected an input and an output");
  int n_in = axes.n < 0 && in[1] >= 0 ? 2 : 1;
  if (axes.n > 0) a->axes = axes;
  a->keep = keep;
  a->none = none;
  return whet__im_node(im, op, a, in, n_in, &out, 1);
}

static whet_status read_onnx(whet_import *im, const whet_op *op) {
  bool keep = whet__onnx_int(im, "keepdims", 1) != 0, none = whet__onnx_int(im, "noop_with_empty_axes", 0) != 0;
  bool second = whet__im_in(im, 1) >= 0;
  return put(im, op, second ? whet__im_list(im, whet__im_in(im, 1)) : whet__onnx_ints(im, "axes"), keep, none);
}
/* TFLite: an empty list of axes reduces nothing. */
static whet_status read_tfl(whet_import *im, const whet_op *op) {
  const whet_val x = *whet__im_val(im, whet__im_in(im, 0));
  if (x.dtype == WHET_BOOL && !strcmp(op->name, "ReduceSum")) op = whet__op_find("ReduceAny");
  if (x.dtype == WHET_BOOL && !strcmp(op->name, "ReduceProd")) op = whet__op_find("ReduceAll");
  WHET_TRY(put(im, op, whet__im_list(im, whet__im_in(im, 1)), whet__tfl_int(im, 0, 0) != 0, true));
  /* LiteRT's reference kernel takes sums of uint8 in fixed point; where it serves (not for int8) it is the rule. */
  if (!strcmp(op->name, "ReduceSum") && x.dtype == WHET_U8) whet__im_round(im, WHET_ROUND_TFL_FIX);
  return WHET_OK;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static int64_t wadd(int64_t x, int64_t y) { return (int64_t)((uint64_t)x + (uint64_t)y); }
static int64_t wsub(int64_t x, int64_t y) { return (int64_t)((uint64_t)x - (uint64_t)y); }
static int64_t wmul(int64_t x, int64_t y) { return (int64_t)((uint64_t)x * (uint64_t)y); }
static bool less(int64_t x, int64_t y, bool u) { return u ? (uint64_t)x < (uint64_t)y : x < y; }

/* The s with s e^m = sum of the exponentials so far, m the greatest exponent. */
static double log_sum_exp(double s, double *m, double x) {
  if (x == -INFINITY) return s;
  if (!(x > *m)) return s + (x == *m ? 1 : exp(x - *m));
  s = s * exp(*m - x) + 1;
  *m = x;
  return s;
}

enum first { ZERO, ONE, LOWEST, HIGHEST };

struct row {
  const whet_op *op;
  uint32_t types;
  enum first first;
  bool real; /* integers take the real steps */
  double (*step)(double s, double *m, double x);
  double (*last)(double s, double *m, int64_t n);
  int64_t (*istep)(int64_t s, int64_t x, bool u);
  int16_t kernel; /* WHET_RED_, -1: none */
  const char *grad;
};

enum { WHET_RED_NONE = -1 };
#define REDUCE(name, types, first, step, last, real, istep, kernel, grad, from) \
  extern const whet_op whet_op_##name;                                          \
  static double name##_step(double s, double *m, double x) { return step; }     \
  static double name##_last(double s, double *m, int64_t n) { return last; }    \
  static int64_t name##_istep(int64_t s, int64_t x, bool u) { return istep; }
#include "op/reduce.def"
#undef REDUCE

static const struct row k_rows[] = {
#define REDUCE(name, types, first, step, last, real, istep, kernel, grad, from) \
  {&whet_op_##name, types, first, real, name##_step, name##_last, name##_istep, WHET_RED_##kernel, grad},
#include "op/reduce.def"
#undef REDUCE
};

/* The row of a reduction. */
static const struct row *row_of(const whet_op *op) {
  size_t i = 0;
  while (k_rows[i].op != op) i++;
  return &k_rows[i];
}

/* ---- shape and type -------------------------------------------------------------------------- */

whet_status whet__infer_axes(whet_infer *f, const whet_ints *list, int in, int32_t rank, bool *mark, int32_t *count) {
  whet_nums s = {.known = list->v, .n = list->n};
  if (whet__in_has(f, in)) {
    if (!whet__nums(f, in, &s)) return whet__nums_late(f, &s, "the axes");
    if (!whet__nums_all(&s)) return WHET_LATE;
  }
  *count = s.n;
  for (int32_t i = 0; i < s.n; i++) {
    int32_t axis;
    WHET_TRY(whet__infer_axis(f, whet__num(&s, i), rank, &axis));
    mark[axis] = true;
  }
  return WHET_OK;
}

whet_shape whet__reduced_shape(const whet_shape *s, const bool *mark, bool keep) {
  whet_shape r = {0};
  for (int32_t i = 0; i < s->rank; i++)
    if (!mark[i] || keep) r.d[r.rank++] = mark[i] ? 1 : s->d[i];
  return r;
}

/* Sum, product, greatest and least of a known vector. */
static void known(whet_infer *f, const whet_node *n, const whet_shape *x, const whet_shape *y) {
  int32_t count;
  const whet_dim *d = whet__in_known(f, 0, &count);
  const char *name = n->op->name;
  if (!d || x->rank > 1 || whet__shape_count(y) != 1 || whet__is_float(whet__in_dtype(f, 0))) return;
  bool sum = !strcmp(name, "ReduceSum"), prod = !strcmp(name, "ReduceProd");
  bool max = !strcmp(name, "ReduceMax"), min = !strcmp(name, "ReduceMin");
  if (!(sum || prod || ((max || min) && count > 0))) return;
  whet_dim s = sum ? 0 : prod ? 1 : d[0];
  for (int32_t i = 0; i < count; i++) {
    bool numbers = whet__dim_number(s) && whet__dim_number(d[i]);
    if (sum)
      s = whet__dim_add(s, d[i]);
    else if (prod)
      s = whet__dim_mul(s, d[i]);
    else
      s = !numbers ? (s == d[i] ? s : WHET_DIM_ANY) : max ? whet__max_i(s, d[i]) : whet__min_i(s, d[i]);
  }
  whet_dim *out = whet__out_known(f, 0, 1);
  if (out) out[0] = s;
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_reduce_attr *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  whet_dtype t = whet__in_dtype(f, 0);
  if (!whet__type_in(row_of(n->op)->types, t) && !whet__quantised(t, whet__in_quant(f, 0)))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  whet_shape *y = whet__out(f, 0, t);
  bool mark[WHET_MAX_RANK] = {false};
  int32_t count;
  whet_status s = whet__infer_axes(f, &a->axes, 1, x->rank, mark, &count);
  if (s == WHET_LATE) {
    y->rank = a->keep ? x->rank : -1;
    for (int32_t i = 0; i < y->rank; i++) y->d[i] = WHET_DIM_ANY;
  }
  if (s) return s;
  if (!count && !a->none) memset(mark, true, sizeof mark);
  *y = whet__reduced_shape(x, mark, a->keep);
  known(f, n, x, y);
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

void whet__ref_reduce_axes(const whet_args *a, bool *mark) {
  const whet_reduce_attr *at = a->attr;
  int32_t rank = a->in[0].rank;
  int64_t n = a->n_in > 1 && a->in[1].data ? whet__tensor_count(&a->in[1]) : at->axes.n;
  for (int64_t i = 0; i < n; i++) {
    int64_t axis = at->axes.n ? at->axes.v[i] : whet__vec_i64(&a->in[1], i);
    mark[axis < 0 ? axis + rank : axis] = true;
  }
  for (int32_t i = 0; !n && !at->none && i < rank; i++) mark[i] = true;
}

/* What one output is made of: s and m for reals, i for integers. */
struct sum {
  double s, m;
  int64_t i;
};

static struct sum start(enum first first, whet_dtype t) {
  static const double real[] = {0, 1, -INFINITY, INFINITY};
  int64_t top = t == WHET_U64 ? -1 : whet__dtype_max(t);
  const int64_t whole[] = {0, 1, whet__dtype_min(t), top};
  return (struct sum){real[first], -INFINITY, whole[first]};
}

/* Take in n elements, `step` apart from `at` on. */
static void take(struct sum *sum, const struct row *r, const whet_tensor *x, int64_t at, int64_t step, int64_t n) {
  bool whole = !whet__is_float(x->dtype) && !r->real, u = whet__is_unsigned_int(x->dtype);
  for (int64_t from = 0; from < n; from += WHET_BLOCK) {
    int64_t m = whet__min_i(WHET_BLOCK, n - from);
    int64_t v[WHET_BLOCK];
    double f[WHET_BLOCK];
    if (whole) {
      whet__load_i64(x, at + from * step, step, m, v);
      for (int64_t i = 0; i < m; i++) sum->i = r->istep(sum->i, v[i], u);
    } else {
      whet__load_f64(x, at + from * step, step, m, f);
      for (int64_t i = 0; i < m; i++) sum->s = r->step(sum->s, &sum->m, f[i]);
    }
  }
}

/* Store the result over n elements. */
static void finish(const struct sum *sum, const struct row *r, const whet_tensor *y, int64_t at, int64_t n) {
  if (whet__is_float(y->dtype) || r->real) {
    double m = sum->m;
    whet__set_f64(y->dtype, y->data, at, r->last(sum->s, &m, n));
    return;
  }
  int64_t i = sum->i;
  if (r->kernel == WHET_RED_MEAN) i = !n ? 0 : y->dtype == WHET_U64 ? (int64_t)((uint64_t)i / (uint64_t)n) : i / n;
  whet__set_i64(y->dtype, y->data, at, i);
}

static whet_status ref(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  if (whet__quantised(x->dtype, x->q)) return whet__reduce_q8_ref(arg);
  const struct row *r = row_of(arg->node->op);
  bool mark[WHET_MAX_RANK] = {false};
  whet__ref_reduce_axes(arg, mark);
  /* Kept dimensions, and reduced ones with the last of them apart. */
  int64_t kd[WHET_MAX_RANK], ks[WHET_MAX_RANK], rd[WHET_MAX_RANK], rs[WHET_MAX_RANK], k[WHET_MAX_RANK] = {0};
  int64_t n = 1, run = 1, step = 0, outputs = whet__tensor_count(y);
  int32_t nk = 0, nr = 0;
  for (int32_t i = 0; i < x->rank; i++)
    if (mark[i])
      rd[nr] = x->dim[i], rs[nr++] = x->stride[i], n *= x->dim[i];
    else
      kd[nk] = x->dim[i], ks[nk++] = x->stride[i];
  if (nr) run = rd[--nr], step = rs[nr];
  for (int64_t o = 0; o < outputs; o++) {
    struct sum sum = start(r->first, x->dtype);
    int64_t at = whet__index_offset(nk, k, ks), q[WHET_MAX_RANK] = {0};
    if (n) do
        take(&sum, r, x, at + whet__index_offset(nr, q, rs), step, run);
      while (whet__index_next(nr, rd, q));
    finish(&sum, r, y, whet__flat_offset(y, o), n);
    whet__index_next(nk, kd, k);
  }
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

bool whet__pl_reduce_axes(const whet_planner *p, const whet_node *n, bool *mark) {
  const whet_reduce_attr *a = n->attr;
  int32_t rank = whet__pl_shape(p, n->in[0])->rank, count = a->axes.n;
  int64_t axes[WHET_MAX_RANK];
  const int64_t *v = a->axes.v;
  if (n->n_in > 1 && n->in[1] >= 0) {
    count = whet__pl_ints(p, n->in[1], axes, WHET_MAX_RANK);
    v = axes;
  }
  for (int32_t i = 0; i < count; i++) mark[v[i] < 0 ? v[i] + rank : v[i]] = true;
  for (int32_t i = 0; !count && !a->none && i < rank; i++) mark[i] = true;
  return count >= 0;
}

static whet_status plan(whet_planner *p, const whet_node *n) {
  const struct row *r = row_of(n->op);
  const whet_shape *x = whet__pl_shape(p, n->in[0]);
  bool mark[WHET_MAX_RANK] = {false};
  if (whet__quantised(whet__pl_dtype(p, n->in[0]), whet__pl_quant(p, n->in[0]))) return whet__reduce_q8_plan(p, n);
  if (whet__pl_dtype(p, n->in[0]) != WHET_F32 || r->kernel < 0 || !whet__pl_dense(p, n->in[0]) ||
      !whet__pl_dense(p, n->out[0]) || !whet__pl_reduce_axes(p, n, mark))
    return WHET_LATE;
  /* Reduced dimensions must be neighbours, but for those of size 1. */
  whet_reduce_f32 k = {r->kernel, 1, 1, 1};
  bool seen = false, past = false;
  for (int32_t i = 0; i < x->rank; i++) {
    if (x->d[i] == 1) continue;
    if (mark[i] && past) return WHET_LATE;
    *(mark[i] ? &k.n : seen ? &k.inner : &k.outer) *= x->d[i];
    seen |= mark[i];
    past |= seen && !mark[i];
  }
  if (!k.n || !k.outer || !k.inner) return WHET_LATE;
  whet_arg arg[2] = {whet__rd(n->in[0]), whet__wr(n->out[0])};
  return whet__pl_kern(p, WHET_FAMILY_reduce_f32, &k, sizeof k, arg, 2,
                       k.outer * (k.inner == 1 ? 1 : whet__ceil_div(k.inner, 64)),
                       (double)(k.outer * k.n * k.inner) * 0.06);
}

/* ---- permutation ----------------------------------------------------------------------------- */

/* Axes go where their dimensions went; without kept dimensions the others keep their new order. */
static bool permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  const whet_graph *g = whet__ed_graph(e);
  const whet_reduce_attr *a = g->node[node].attr;
  if (g->node[node].n_in > 1) return false;
  bool mark[WHET_MAX_RANK] = {false};
  for (int32_t i = 0; i < a->axes.n; i++) mark[a->axes.v[i] < 0 ? a->axes.v[i] + rank : a->axes.v[i]] = true;
  for (int i = 0; !a->axes.n && !a->none && i < rank; i++) mark[i] = true;
  whet_reduce_attr *w = whet__ed_attr(e, node);
  int64_t *axes = w ? whet__arena_array(&whet__ed_graph(e)->arena, WHET_MAX_RANK, sizeof *axes) : NULL;
  if (!axes) return false;
  int32_t k = 0, o = 0;
  for (int i = 0; i < rank; i++) {
    if (mark[perm[i]]) axes[k++] = i;
    if (mark[perm[i]] && !w->keep) continue;
    int8_t to = 0; /* the old dimension's place in the old result */
    for (int j = 0; j < perm[i]; j++) to = (int8_t)(to + (w->keep || !mark[j]));
    perm_out[o++] = to;
  }
  if (w->axes.n) w->axes = (whet_ints){axes, k};
  return true;
}

/* ---- gradient -------------------------------------------------------------------------------- */

/* Result or gradient v with the reduced dimensions back as 1. */
static int32_t unreduced(whet_edit *e, int32_t v, const whet_squeeze *axes, whet_dtype t) {
  return axes->axes.n && v >= 0 ? whet__ed_call(e, "Unsqueeze", axes, &v, 1, t) : v;
}

/* Elements of x for each of y. */
static int32_t elements(whet_edit *e, int32_t x, int32_t y, whet_dtype t) {
  int32_t size[2];
  for (int i = 0; i < 2; i++) {
    int32_t in[2] = {whet__ed_shape_of(e, "Size", i ? y : x), x};
    size[i] = whet__ed_call(e, "CastLike", NULL, in, 2, t);
  }
  return whet__ed_call(e, "Div", NULL, size, 2, t);
}

/* Does a letter stand in a formula by itself? */
static bool names(const char *text, char letter) {
  for (const char *c = text; (c = strchr(c, letter)); c++) {
    bool before = c > text && ((c[-1] | 32) >= 'a' && (c[-1] | 32) <= 'z'), after = (c[1] | 32) >= 'a' && (c[1] | 32) <= 'z';
    if (!before && !after) return true;
  }
  return false;
}

static whet_status grad(whet_edit *e, int32_t node) {
  const whet_node n = whet__ed_graph(e)->node[node];
  const whet_reduce_attr *a = n.attr;
  const char *text = row_of(n.op)->grad;
  int32_t x = n.in[0], y = n.out[0], rank = whet__ed_shape(e, x)->rank, count = a->axes.n, g = whet__grad_of(e, y);
  const int64_t *axes = a->axes.v;
  whet_dtype t = whet__ed_dtype(e, x);
  if (!*text || !whet__grad_wants(e, x)) return WHET_OK;
  if (n.n_in > 1 && n.in[1] >= 0 && !(axes = whet__ed_ints(e, n.in[1], &count)))
    return whet__grad_fail(e, node, "its axes are computed");
  if (rank < 0) return whet__grad_fail(e, node, "the rank of its input is not known");
  whet_squeeze back = {{NULL, 0}};
  if (!a->keep && (count || !a->none)) {
    int64_t *list = whet__arena_array(&whet__ed_graph(e)->arena, (size_t)(count ? count : rank), sizeof *list);
    back.axes = (whet_ints){list, count ? count : rank};
    for (int32_t i = 0; list && i < back.axes.n; i++) list[i] = count ? axes[i] : i;
    if (!list) g = -1;
  }
  const whet_grad_name name[] = {{'x', x, 0},
                                 {'y', unreduced(e, y, &back, t), 0},
                                 {'g', unreduced(e, g, &back, t), 0},
                                 {'n', names(text, 'n') ? elements(e, x, y, t) : -1, 0}};
  int32_t dx = whet__grad_formula(e, text, name, 4, t);
  if (!names(text, 'x')) dx = whet__ed_call(e, "Expand", NULL, (int32_t[]){dx, whet__ed_shape_of(e, "Shape", x)}, 2, t);
  whet__grad_add(e, x, dx);
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

#define O(name_) {"", name_, 1, read_onnx},
#define T(name_) {"tflite", name_, 1, read_tfl},
#define REDUCE(name_, types, first, step, last, real, istep, kernel, grad_, from_) \
  static const whet_from name_##_from[] = {from_{0}};                              \
  const whet_op whet_op_##name_ = {.name = #name_,                                 \
                                   .attr_size = sizeof(whet_reduce_attr),          \
                                   .attrs = k_attrs,                               \
                                   .from = name_##_from,                           \
                                   .infer = infer,                                 \
                                   .plan = plan,                                   \
                                   .permute = permute,                             \
                                   .grad = grad,                                   \
                                   .ref = ref};
#include "op/reduce.def"
#undef REDUCE
