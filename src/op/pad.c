/* SPDX-License-Identifier: Apache-2.0 */
/* Pad(x, pads, value, axes): x with more (or, where a number is negative, fewer) elements at both ends of its
 * dimensions.
 *
 * What is outside: a constant; the nearest element (edge); x mirrored about its outermost elements (reflect) or about
 * its border (symmetric); x again (wrap). ONNX Pad 1 and 2 (attributes), 11-25; TFLite PAD, PADV2, MIRROR_PAD (pads
 * in pairs). Quantised tensors are padded with their zero point. All types. Exact. */

#include "op/grad.h"
#include "op/move.h"
#include "op/move_attr.h"

/* ---- attributes ------------------------------------------------------------------------------ */

enum { PAD_CONSTANT, PAD_EDGE, PAD_REFLECT, PAD_SYMMETRIC, PAD_WRAP };

struct pad {
  uint8_t mode;  /* PAD_ */
  uint8_t pairs; /* pads are (before, after) for each dimension; else all befores, then all afters */
};
static const whet_attr_desc k_attrs[] = {
    {"mode", WHET_ATTR_U8, offsetof(struct pad, mode)}, {"pairs", WHET_ATTR_BOOL, offsetof(struct pad, pairs)}, {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status read_mode(whet_import *im, struct pad *a) {
  static const char *const names[] = {"constant", "edge", "reflect", "symmetric", "wrap"};
  whet_str s = whet__onnx_str(im, "mode", "constant");
  for (int i = 0; i < (int)WHET_COUNT(names); i++)
    if (s.n == strlen(names[i]) && !memcmp(s.p, names[i], s.n)) {
      a->mode = (uint8_t)i;
      return WHET_OK;
    }
  return whet__im_fail(im, WHET_E_UNSUPPORTED, "mode \"%.*s\"", (int)whet__min_i((int64_t)s.n, 40), s.p);
}

/* Opset 1 and 2: pads and the value are attributes. */
static whet_status from_onnx1(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct pad, a);
  WHET_TRY(read_mode(im, a));
  int32_t x = whet__im_in(im, 0), out = whet__im_out(im, 0);
  const whet_val *v = whet__im_val(im, x);
  float value = whet__onnx_float(im, "value", 0);
  uint64_t bits[2] = {0};
  whet_dtype t = v && v->dtype ? (whet_dtype)v->dtype : WHET_F32;
  if (!whet__is_float(t)) return whet__im_fail(im, WHET_E_TYPE, "padding of %s", whet_dtype_name(t));
  whet__set_f64(t, bits, 0, value);
  int32_t in[3] = {x, whet__onnx_ints_const(im, whet__im_since(im) < 2 ? "paddings" : "pads"),
                   whet__im_const(im, t, 0, NULL, bits)};
  return whet__im_node(im, op, a, in, 3, &out, 1);
}

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct pad, a);
  WHET_TRY(read_mode(im, a));
  return whet__im_node_as_is(im, op, a);
}

/* PAD: the value is zero, which a quantised output stores as its zero point. PADV2 brings it. */
static whet_status from_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct pad, a);
  a->pairs = 1;
  int32_t in[3] = {whet__im_in(im, 0), whet__im_in(im, 1), whet__im_in(im, 2)}, out = whet__im_out(im, 0);
  const whet_val *v = whet__im_val(im, out);
  if (in[2] < 0 && v && v->q && v->q->n == 1 && whet__is_int((whet_dtype)v->dtype)) {
    uint64_t bits[2] = {0};
    whet__set_i64((whet_dtype)v->dtype, bits, 0, v->q->zero[0]);
    in[2] = whet__im_const(im, (whet_dtype)v->dtype, 0, NULL, bits);
  }
  return whet__im_node(im, op, a, in, 3, &out, 1);
}

static whet_status mirror_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct pad, a);
  a->pairs = 1;
  a->mode = whet__tfl_int(im, 0, 0) ? PAD_SYMMETRIC : PAD_REFLECT;
  return whet__im_node_as_is(im, op, a);
}

static const whet_from k_from[] = {{"", "Pad", 1, from_onnx1},
                                   {"", "Pad", 11, from_onnx},
                                   {"tflite", "PAD", 1, from_tfl},
                                   {"tflite", "PADV2", 1, from_tfl},
                                   {"tflite", "MIRROR_PAD", 1, mirror_tfl},
                                   {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

/* Element of the pads list: before (0) or after (1) the k-th of n axes. */
static int32_t place(const struct pad *a, int32_t n, int32_t k, int side) {
  return a->pairs ? 2 * k + side : side * n + k;
}

static whet_status pad_infer(whet_infer *f, const whet_node *n) {
  const struct pad *a = n->attr;
  const whet_shape *in = whet__in_shape(f, 0);
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, 0));
  *out = *in;
  whet_nums s, axes = {.n = -1};
  int64_t one = whet__in_has(f, 2) ? whet__shape_count(whet__in_shape(f, 2)) : 1;
  if (one >= 0 && one != 1)
    return whet__infer_fail(f, WHET_E_SHAPE, "the value has %lld elements, expected 1", (long long)one);
  if (whet__in_has(f, 2) && whet__in_dtype(f, 2) != whet__in_dtype(f, 0))
    return whet__infer_fail(f, WHET_E_TYPE, "the value is %s, the input %s", whet_dtype_name(whet__in_dtype(f, 2)),
                            whet_dtype_name(whet__in_dtype(f, 0)));
  bool known = whet__nums_flat(f, 1, &s), has_axes = whet__in_has(f, 3);
  if (has_axes && !whet__nums(f, 3, &axes)) {
    if (axes.n == -2) return whet__nums_late(f, &axes, "the axes");
    known = false;
  }
  if (s.n == -2) return whet__nums_late(f, &s, "the pads");
  if (in->rank < 0) return WHET_LATE;
  int32_t count = has_axes ? axes.n : in->rank;
  if (count > in->rank) return whet__infer_fail(f, WHET_E_SHAPE, "%d axes of an input of rank %d", count, in->rank);
  if (s.n >= 0 && count >= 0 && s.n != 2 * count)
    return whet__infer_fail(f, WHET_E_SHAPE, "%d pads for %d dimensions", s.n, count);
  if (!known || (has_axes && !whet__nums_all(&axes))) {
    for (int32_t i = 0; i < in->rank; i++) out->d[i] = WHET_DIM_ANY;
    return WHET_LATE;
  }
  bool seen[WHET_MAX_RANK] = {false};
  for (int32_t k = 0; k < count; k++) {
    int32_t axis = k;
    if (has_axes) WHET_TRY(whet__infer_axis(f, whet__num(&axes, k), in->rank, &axis));
    if (seen[axis]) return whet__infer_fail(f, WHET_E_DATA, "axis %d stands twice", axis);
    seen[axis] = true;
    whet_dim lo = whet__num(&s, place(a, count, k, 0)), hi = whet__num(&s, place(a, count, k, 1)), d = in->d[axis];
    int64_t limit = INT64_MAX / 64;
    if (whet__dim_number(lo) && whet__dim_number(hi) && (lo < -limit || hi < -limit || lo > limit || hi > limit))
      return whet__infer_fail(f, WHET_E_DATA, "dimension %d is padded with %lld and %lld", axis, (long long)lo,
                              (long long)hi);
    if (lo == 0 && hi == 0) continue;
    out->d[axis] = whet__dim_add(whet__dim_add(d, lo), hi);
    if (whet__dim_number(out->d[axis]) && out->d[axis] < 0)
      return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d of size %lld is padded with %lld and %lld", axis,
                              (long long)d, (long long)lo, (long long)hi);
    if (a->mode != PAD_CONSTANT && d == 0 && out->d[axis] != 0)
      return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d is empty: there is nothing to pad it with", axis);
  }
  whet_dim total;
  return whet__infer_count(f, out, &total);
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Where element j of a dimension of size n comes from, j outside 0..n-1; -1: the constant. */
static int64_t source(int mode, int64_t j, int64_t n) {
  if (j >= 0 && j < n) return j;
  int64_t period = mode == PAD_WRAP ? n : mode == PAD_SYMMETRIC ? 2 * n : 2 * (n - 1), m;
  switch (mode) {
    case PAD_CONSTANT:
      return -1;
    case PAD_EDGE:
      return j < 0 ? 0 : n - 1;
    default:
      if (period <= 0) return 0;
      m = j % period;
      if (m < 0) m += period;
      if (m < n) return m;
      return mode == PAD_SYMMETRIC ? period - 1 - m : period - m;
  }
}

/* Elements before each dimension, from the pads of one call. */
static void befores(const whet_args *a, int64_t *lo) {
  const struct pad *at = a->attr;
  const whet_tensor *pads = &a->in[1];
  bool has_axes = a->n_in > 3 && a->in[3].data;
  int32_t rank = a->in[0].rank, n = has_axes ? (int32_t)whet__tensor_count(&a->in[3]) : rank;
  for (int32_t i = 0; i < rank; i++) lo[i] = 0;
  for (int32_t k = 0; k < n; k++) {
    int64_t axis = has_axes ? whet__vec_i64(&a->in[3], k) : k;
    lo[axis < 0 ? axis + rank : axis] =
        whet__get_i64(pads->dtype, pads->data, whet__flat_offset(pads, place(at, n, k, 0)));
  }
}

static whet_status pad_ref(const whet_args *a) {
  const struct pad *at = a->attr;
  const whet_tensor *in = &a->in[0], *out = &a->out[0];
  static const uint64_t zero[2];
  const void *value = a->n_in > 2 && a->in[2].data ? a->in[2].data : zero;
  int64_t lo[WHET_MAX_RANK], i[WHET_MAX_RANK] = {0};
  befores(a, lo);
  if (!whet__tensor_count(out)) return WHET_OK;
  int32_t outer = out->rank ? out->rank - 1 : 0;
  int64_t run = out->rank ? out->dim[outer] : 1;
  do {
    int64_t from = 0, to = whet__index_offset(outer, i, out->stride);
    bool outside = false;
    for (int32_t d = 0; d < outer; d++) {
      int64_t s = source(at->mode, i[d] - lo[d], in->dim[d]);
      outside |= s < 0;
      from += s * in->stride[d];
    }
    int64_t n = out->rank ? in->dim[outer] : 1, is = out->rank ? in->stride[outer] : 1,
            os = out->rank ? out->stride[outer] : 1;
    int64_t first = out->rank ? lo[outer] : 0;
    /* Elements first .. end of the run are the input's own, in order. */
    int64_t end = outside ? first : whet__clamp_i(first + n, 0, run);
    for (int64_t k = 0; k < run; k++) {
      if (!outside && k == first && end > k) {
        whet__move_box(out->dtype, 1, &(int64_t){end - k}, out->data, to + k * os, &os, in->data, from, &is);
        k = end - 1;
        continue;
      }
      int64_t s = outside ? -1 : source(at->mode, k - first, n);
      whet__move_one(out->dtype, out->data, to + k * os, s < 0 ? value : in->data, s < 0 ? 0 : from + s * is);
    }
  } while (whet__index_next(outer, out->dim, i));
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

/* A constant border: one slab before and one behind each dimension, then what is inside. Slabs do not overlap: the
 * one of dimension d spans only the inside of the dimensions before d. */
static whet_status pad_plan(whet_planner *p, const whet_node *n) {
  const struct pad *a = n->attr;
  const whet_shape *in = whet__pl_shape(p, n->in[0]), *out = whet__pl_shape(p, n->out[0]);
  int64_t pads[2 * WHET_MAX_RANK], axes[WHET_MAX_RANK], lo[WHET_MAX_RANK] = {0}, size[WHET_MAX_RANK];
  if (a->mode != PAD_CONSTANT || !whet__move_bytes(whet__pl_dtype(p, n->out[0]))) return WHET_LATE;
  int32_t count = in->rank;
  bool has_axes = n->n_in > 3 && n->in[3] >= 0;
  if (has_axes) count = whet__pl_ints(p, n->in[3], axes, WHET_MAX_RANK);
  if (count < 0 || whet__pl_ints(p, n->in[1], pads, 2 * WHET_MAX_RANK) != 2 * count) return WHET_LATE;
  for (int32_t k = 0; k < count; k++) {
    int64_t axis = has_axes ? axes[k] : k;
    lo[axis < 0 ? axis + in->rank : axis] = pads[place(a, count, k, 0)];
  }
  static const uint64_t zero[2];
  whet_arg value = n->n_in > 2 && n->in[2] >= 0 ? whet__rd(n->in[2]) : whet__bl(whet__pl_blob(p, zero, sizeof zero));
  whet_copy base = {.rank = out->rank}, inside = {.rank = out->rank};
  int64_t is[WHET_MAX_RANK];
  memcpy(base.dim, out->d, sizeof base.dim);
  whet__pl_strides(p, n->out[0], base.out_stride);
  whet__pl_strides(p, n->in[0], is);
  inside = base;
  for (int32_t d = 0; d < out->rank; d++) {
    /* Places first .. first + size of the output hold elements of the input. */
    int64_t first = whet__clamp_i(lo[d], 0, out->d[d]), end = whet__clamp_i(lo[d] + in->d[d], first, out->d[d]);
    size[d] = end - first;
    for (int side = 0; side < 2; side++) {
      whet_copy slab = base;
      slab.dim[d] = side ? out->d[d] - end : first;
      slab.out_offset += side ? end * base.out_stride[d] : 0;
      WHET_TRY(whet__pl_copy_from(p, n->out[0], value, &slab));
    }
    base.dim[d] = size[d];
    base.out_offset += first * base.out_stride[d];
    inside.dim[d] = size[d];
    inside.in_stride[d] = is[d];
    inside.in_offset += whet__max_i(-lo[d], 0) * is[d];
  }
  inside.out_offset = base.out_offset;
  return whet__pl_copy(p, n->out[0], n->in[0], &inside);
}

/* ---- permutation ----------------------------------------------------------------------------- */

static bool pad_permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  whet_graph *g = whet__ed_graph(e);
  const whet_node *n = &g->node[node];
  const struct pad *a = n->attr;
  int64_t list[2 * WHET_MAX_RANK], dims[2];
  int32_t k, with_axes = n->n_in > 3 && n->in[3] >= 0;
  const int64_t *v = whet__ed_ints(e, n->in[with_axes ? 3 : 1], &k);
  if (!v || k != (with_axes ? k : 2 * rank) || k > 2 * rank) return false;
  if (with_axes) {
    for (int32_t i = 0; i < k; i++) list[i] = whet__perm_axis(perm, rank, (int32_t)(v[i] < 0 ? v[i] + rank : v[i]));
  } else {
    for (int i = 0; i < rank; i++)
      for (int side = 0; side < 2; side++) list[place(a, rank, i, side)] = v[place(a, rank, perm[i], side)];
  }
  dims[0] = with_axes || !a->pairs ? k : rank;
  dims[1] = 2;
  int32_t c = whet__ed_const(e, WHET_S64, with_axes || !a->pairs ? 1 : 2, dims, list);
  if (c < 0) return false;
  g->node[node].in[with_axes ? 3 : 1] = c;
  return whet__perm_same(perm, rank, perm_out);
}

/* ---- gradient -------------------------------------------------------------------------------- */

/* What lies inside. */
static whet_status pad_grad(whet_edit *e, int32_t node) {
  const whet_node n = whet__ed_graph(e)->node[node];
  const struct pad *a = n.attr;
  const whet_slice how = {.sizes = 1};
  whet_shape s = *whet__ed_shape(e, n.in[0]);
  int64_t from[WHET_MAX_RANK] = {0}, rank = s.rank;
  int32_t k, n_axes = 0;
  if (!whet__grad_wants(e, n.in[0])) return WHET_OK;
  const int64_t *v = whet__ed_ints(e, n.in[1], &k), *axes = n.n_in > 3 ? whet__ed_ints(e, n.in[3], &n_axes) : NULL;
  if (a->mode != PAD_CONSTANT || rank < 0 || !v || (n.n_in > 3 && n.in[3] >= 0 && !axes))
    return whet__grad_fail(e, node, "it does not pad with a constant, or its pads are computed");
  int32_t count = axes ? n_axes : (int32_t)rank;
  for (int32_t i = 0; i < count; i++) {
    int64_t axis = axes ? axes[i] + (axes[i] < 0 ? rank : 0) : i, lo = v[place(a, count, i, 0)], hi = v[place(a, count, i, 1)];
    if (lo < 0 || hi < 0) return whet__grad_fail(e, node, "it cuts");
    from[axis] = lo;
  }
  int64_t sizes[WHET_MAX_RANK];
  for (int32_t i = 0; i < rank; i++) sizes[i] = whet__dim_known(s.d[i]) ? s.d[i] : -1;
  for (int32_t i = 0; i < rank; i++)
    if (sizes[i] < 0 && from[i]) return whet__grad_fail(e, node, "the size of its input is open");
  int32_t in[3] = {whet__grad_of(e, n.out[0]), whet__ed_const(e, WHET_S64, 1, &rank, from), whet__ed_const(e, WHET_S64, 1, &rank, sizes)};
  whet__grad_add(e, n.in[0], whet__ed_call(e, "Slice", &how, in, 3, whet__ed_dtype(e, n.in[0])));
  return WHET_OK;
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_Pad = {
    .name = "Pad",
    .attr_size = sizeof(struct pad),
    .attrs = k_attrs,
    .from = k_from,
    .infer = pad_infer,
    .plan = pad_plan,
    .permute = pad_permute,
    .grad = pad_grad,
    .ref = pad_ref,
};
