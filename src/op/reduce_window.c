/* SPDX-License-Identifier: Apache-2.0 */
/* ReduceWindow(x, init): every element is init with all of a window of x added to it (or multiplied, the least, the
 * greatest, all, any), in row-major order.
 *
 * x is dilated by `base` and padded (or, where a number is negative, cut) with init first; windows are `stride` apart, their
 * elements `dilation`. TFLite REDUCE_WINDOW, STABLEHLO_REDUCE_WINDOW. All numbers and BOOL, quantised ones as they are
 * stored; all and any make 0 and 1 of every type. f32 is summed in f32, integers wrap. */

#include "op/reduce_window.h"

#include "op/move.h"
#include "op/stablehlo.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

#define FIELD(name, kind) \
  { #name, WHET_ATTR_##kind, offsetof(whet_reduce_window, name) }
static const whet_attr_desc k_attrs[] = {FIELD(kind, I32),  FIELD(size, I64S), FIELD(stride, I64S), FIELD(dilation, I64S),
                                         FIELD(base, I64S), FIELD(pads, I64S), {0}};
#undef FIELD

/* ---- reading --------------------------------------------------------------------------------- */

/* REDUCE_WINDOW: sizes, strides and dilations are inputs. */
static whet_status from_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_reduce_window, a);
  int64_t kind = whet__tfl_int(im, 0, 0);
  if (whet__im_n_in(im) != 5) return whet__im_fail(im, WHET_E_FORMAT, "%d inputs: expected 5", whet__im_n_in(im));
  if (kind < 1 || kind > 6) return whet__im_fail(im, WHET_E_FORMAT, "reduction %lld, which is none", (long long)kind);
  static const int k_kind[] = {WHET_WINDOW_ADD, WHET_WINDOW_MUL, WHET_WINDOW_MIN,
                               WHET_WINDOW_MAX, WHET_WINDOW_ALL, WHET_WINDOW_ANY};
  a->kind = k_kind[kind - 1];
  whet_ints *list[] = {&a->size, &a->stride, &a->dilation};
  for (int i = 0; i < 3; i++) {
    *list[i] = whet__im_list(im, whet__im_in(im, 2 + i));
    if (list[i]->n < 0) return whet__im_fail(im, WHET_E_UNSUPPORTED, "input %d is not constant", 2 + i);
  }
  int32_t in[2] = {whet__im_in(im, 0), whet__im_in(im, 1)}, out = whet__im_out(im, 0);
  return whet__im_node(im, op, a, in, 2, &out, 1);
}

whet_status whet__im_reduction(whet_import *im, int64_t index, bool next, bool any, int *kind) {
  static const struct {
    const char *op;
    int kind;
  } k_ops[] = {{"Add", WHET_WINDOW_ADD}, {"Mul", WHET_WINDOW_MUL},        {"Min", WHET_WINDOW_MIN},
               {"Max", WHET_WINDOW_MAX}, {"And", WHET_WINDOW_ALL},        {"Or", WHET_WINDOW_ANY},
               {"BitwiseAnd", WHET_WINDOW_ALL}, {"BitwiseOr", WHET_WINDOW_ANY}};
  whet_graph *g = whet__im_graph(im);
  whet_region *r = whet__tfl_region(im, index);
  if (!r) return whet__im_fail(im, WHET_E_FORMAT, "the body is absent or cannot be read");
  bool plain = r->n_node == 1 && r->n_in == 2 && r->n_out == 1;
  *kind = next && !r->n_node && r->n_in == 2 && r->n_out == 1 && r->out[0] == r->in[1] ? WHET_WINDOW_NEXT : -1;
  if (plain) {
    const whet_node *n = &g->node[r->node[0]];
    plain = n->n_in == 2 && n->out[0] == r->out[0] &&
            ((n->in[0] == r->in[0] && n->in[1] == r->in[1]) || (n->in[0] == r->in[1] && n->in[1] == r->in[0]));
    for (size_t i = 0; plain && i < WHET_COUNT(k_ops); i++)
      if (!strcmp(n->op->name, k_ops[i].op)) *kind = k_ops[i].kind;
  }
  while (r->n_node) whet__region_remove(g, r, r->n_node - 1);
  if (*kind < 0 && !any)
    return whet__im_fail(im, WHET_E_UNSUPPORTED, "a body that is not one sum, product, minimum, maximum, and, or");
  return WHET_OK;
}

static whet_status from_stablehlo(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_reduce_window, a);
  if (whet__im_n_in(im) != 2 || whet__im_n_out(im) != 1)
    return whet__im_fail(im, WHET_E_UNSUPPORTED, "%d inputs and %d outputs: 2 and 1 are supported", whet__im_n_in(im),
                         whet__im_n_out(im));
  a->size = whet__tfl_ints(im, 0);
  a->stride = whet__tfl_ints(im, 1);
  a->base = whet__tfl_ints(im, 2);
  a->dilation = whet__tfl_ints(im, 3);
  a->pads = whet__tfl_ints(im, 4);
  int kind;
  WHET_TRY(whet__im_reduction(im, whet__tfl_int(im, 5, 0), false, false, &kind));
  a->kind = kind;
  return whet__im_node_as_is(im, op, a);
}

static const whet_from k_from[] = {{"tflite", "REDUCE_WINDOW", 1, from_tfl},
                                   {"tflite", "STABLEHLO_REDUCE", 1, whet__stablehlo_reduce},
                                   {"tflite", "STABLEHLO_REDUCE_WINDOW", 1, from_stablehlo},
                                   {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

enum { WIDEST = INT32_MAX };

/* Entry k of a list that may be empty. */
static int64_t entry(whet_ints l, int32_t k, int64_t dflt) { return l.n ? l.v[k] : dflt; }

/* The list has one number for each of n places, or none where it may be left out, all lo..WIDEST. */
static whet_status check(whet_infer *f, whet_ints l, int32_t n, bool optional, int64_t lo, const char *what) {
  if (l.n != n && !(optional && !l.n))
    return whet__infer_fail(f, WHET_E_FORMAT, "%d %s: expected %d", l.n, what, n);
  for (int32_t i = 0; i < l.n; i++)
    if (l.v[i] < lo || l.v[i] > WIDEST)
      return whet__infer_fail(f, WHET_E_DATA, "number %d of the %s is %lld: expected %lld or more", i, what,
                              (long long)l.v[i], (long long)lo);
  return WHET_OK;
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_reduce_window *a = n->attr;
  whet_dtype t = whet__in_dtype(f, 0);
  if (n->n_in != 2 || !whet__in_has(f, 0) || !whet__in_has(f, 1))
    return whet__infer_fail(f, WHET_E_FORMAT, "expected 2 inputs, got %d", n->n_in);
  if (!whet__type_in(WHET_T_NUM | WHET_T_BOOL, t) || whet__in_dtype(f, 1) != t)
    return whet__infer_fail(f, WHET_E_TYPE, "inputs of types %s and %s are not taken", whet_dtype_name(t),
                            whet_dtype_name(whet__in_dtype(f, 1)));
  WHET_TRY(whet__infer_rank(f, 0, 1, WHET_MAX_RANK));
  whet_shape s = *whet__in_shape(f, 0);
  int64_t one = whet__shape_count(whet__in_shape(f, 1));
  if (one >= 0 && one != 1) return whet__infer_fail(f, WHET_E_SHAPE, "%lld first values: expected 1", (long long)one);
  WHET_TRY(check(f, a->size, s.rank, false, 1, "window sizes"));
  WHET_TRY(check(f, a->stride, s.rank, true, 1, "strides"));
  WHET_TRY(check(f, a->dilation, s.rank, true, 1, "dilations"));
  WHET_TRY(check(f, a->base, s.rank, true, 1, "base dilations"));
  WHET_TRY(check(f, a->pads, 2 * s.rank, true, -(int64_t)WIDEST, "paddings"));
  for (int32_t i = 0; i < s.rank; i++) {
    whet_dim d = s.d[i];
    if (!whet__dim_known(d)) {
      s.d[i] = WHET_DIM_ANY;
      continue;
    }
    if (d > WIDEST) return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d is %lld", i, (long long)d);
    int64_t reach = (a->size.v[i] - 1) * entry(a->dilation, i, 1) + 1; /* below 2^62: factors are below 2^31 */
    int64_t wide = (d ? (d - 1) * entry(a->base, i, 1) + 1 : 0);
    wide += entry(a->pads, 2 * i, 0) + entry(a->pads, 2 * i + 1, 0);
    s.d[i] = wide < reach ? 0 : (wide - reach) / entry(a->stride, i, 1) + 1;
  }
  *whet__out(f, 0, t) = s;
  whet_dim count;
  return whet__infer_count(f, &s, &count);
}

/* ---- reference ------------------------------------------------------------------------------- */

/* One more element; f32 rounds every step. */
static double step_real(int32_t kind, bool single, double s, double x) {
  double r = s;
  switch (kind) {
    case WHET_WINDOW_ADD:
      r = s + x;
      break;
    case WHET_WINDOW_MUL:
      r = s * x;
      break;
    case WHET_WINDOW_MIN:
      return s <= x ? s : x;
    case WHET_WINDOW_MAX:
      return s >= x ? s : x;
    case WHET_WINDOW_ALL:
      return s != 0 && x != 0;
    default:
      return s != 0 || x != 0;
  }
  return single ? (double)(float)r : r;
}
static int64_t step_int(int32_t kind, bool u, int64_t s, int64_t x) {
  bool less = u ? (uint64_t)x < (uint64_t)s : x < s;
  switch (kind) {
    case WHET_WINDOW_ADD:
      return (int64_t)((uint64_t)s + (uint64_t)x);
    case WHET_WINDOW_MUL:
      return (int64_t)((uint64_t)s * (uint64_t)x);
    case WHET_WINDOW_MIN:
      return less ? x : s;
    case WHET_WINDOW_MAX:
      return less ? s : x;
    case WHET_WINDOW_ALL:
      return s && x;
    default:
      return s || x;
  }
}

/* Offset in x of the element under a window element, or -1 where the window sees what was put in. */
static int64_t under(const whet_reduce_window *a, const whet_tensor *x, const int64_t *at, const int64_t *in) {
  int64_t o = 0;
  for (int32_t i = 0; i < x->rank; i++) {
    int64_t p = at[i] * entry(a->stride, i, 1) + in[i] * entry(a->dilation, i, 1) - entry(a->pads, 2 * i, 0);
    int64_t base = entry(a->base, i, 1);
    if (p < 0 || p % base || p / base >= x->dim[i]) return -1;
    o += p / base * x->stride[i];
  }
  return o;
}

static whet_status ref(const whet_args *args) {
  const whet_reduce_window *a = args->attr;
  const whet_tensor *x = &args->in[0], *first = &args->in[1], *y = &args->out[0];
  bool real = whet__is_float(x->dtype), single = x->dtype == WHET_F32, u = whet__is_unsigned_int(x->dtype);
  int64_t at[WHET_MAX_RANK] = {0}, in[WHET_MAX_RANK] = {0};
  if (!whet__tensor_count(y)) return WHET_OK;
  double real0 = real ? whet__get_f64(first->dtype, first->data, 0) : 0;
  int64_t int0 = real ? 0 : whet__get_i64(first->dtype, first->data, 0);
  do {
    double r = real0;
    int64_t s = int0, to = whet__index_offset(y->rank, at, y->stride);
    do {
      int64_t from = under(a, x, at, in);
      if (real)
        r = step_real(a->kind, single, r, from < 0 ? real0 : whet__get_f64(x->dtype, x->data, from));
      else
        s = step_int(a->kind, u, s, from < 0 ? int0 : whet__get_i64(x->dtype, x->data, from));
    } while (whet__index_next(x->rank, a->size.v, in));
    if (real)
      whet__set_f64(y->dtype, y->data, to, r);
    else
      whet__set_i64(y->dtype, y->data, to, s);
  } while (whet__index_next(y->rank, y->dim, at));
  return WHET_OK;
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_ReduceWindow = {.name = "ReduceWindow",
                                      .attr_size = sizeof(whet_reduce_window),
                                      .attrs = k_attrs,
                                      .from = k_from,
                                      .infer = infer,
                                      .ref = ref};
