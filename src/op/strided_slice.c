/* SPDX-License-Identifier: Apache-2.0 */
/* StridedSlice(x, begin, end, strides): x[begin:end:stride, ...] as Python writes it, with masks.
 *
 * Bit i of a mask speaks of entry i of the lists: begin, end: the bound is not there; ellipsis: all dimensions that
 * no other entry takes; new axis: a dimension of size 1 is put in; shrink: the one element at begin, its dimension
 * taken out. TFLite STRIDED_SLICE (and its `offset`: end counts from begin). All types. Exact. DynamicUpdateSlice(x,
 * update, start): x with a box replaced, the box moved inside when it stands out. TFLite DYNAMIC_UPDATE_SLICE,
 * STABLEHLO_DYNAMIC_UPDATE_SLICE. */

#include "op/cut.h"
#include "op/move_attr.h"

/* ---- attributes ------------------------------------------------------------------------------ */

struct strided {
  int32_t begin, end, ellipsis, new_axis, shrink; /* masks */
  uint8_t offset;                                 /* ends are counted from the beginnings */
};
#define FIELD(name, kind) \
  { #name, WHET_ATTR_##kind, offsetof(struct strided, name) }
static const whet_attr_desc k_attrs[] = {FIELD(begin, I32),
                                         FIELD(end, I32),
                                         FIELD(ellipsis, I32),
                                         FIELD(new_axis, I32),
                                         FIELD(shrink, I32),
                                         FIELD(offset, BOOL),
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status from_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct strided, a);
  int32_t *const field[] = {&a->begin, &a->end, &a->ellipsis, &a->new_axis, &a->shrink};
  for (int i = 0; i < 5; i++) *field[i] = whet__small(whet__tfl_int(im, i, 0));
  a->offset = whet__tfl_int(im, 5, 0) != 0;
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_from[] = {{"tflite", "STRIDED_SLICE", 1, from_tfl}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

enum { MAX_ENTRIES = 31 };

/* Which entry of the lists speaks of which dimension. */
struct layout {
  int8_t entry[WHET_MAX_RANK]; /* of an input dimension, -1: taken whole */
  int32_t rank;                /* of the output */
  int8_t from[WHET_MAX_RANK];  /* input dimension of an output dimension, -1: a new one */
};

/* False when entries and dimensions do not match. */
static bool lay_out(const struct strided *a, int32_t n, int32_t in_rank, struct layout *l) {
  int32_t taken = 0, d = 0;
  bool ellipsis = false;
  l->rank = 0;
  if (n > MAX_ENTRIES) return false;
  for (int32_t i = 0; i < n; i++) {
    if (a->ellipsis >> i & 1 && !ellipsis)
      ellipsis = true;
    else if (!(a->new_axis >> i & 1))
      taken++;
  }
  if (taken > in_rank) return false;
  bool open = false;
  for (int32_t i = 0; i < n; i++) {
    if (a->ellipsis >> i & 1 && !open) {
      open = true;
      for (int32_t k = taken; k < in_rank; k++) {
        if (l->rank == WHET_MAX_RANK) return false;
        l->entry[d] = -1;
        l->from[l->rank++] = (int8_t)d++;
      }
    } else if (a->new_axis >> i & 1) {
      if (l->rank == WHET_MAX_RANK) return false;
      l->from[l->rank++] = -1;
    } else {
      l->entry[d] = (int8_t)i;
      if (!(a->shrink >> i & 1)) {
        if (l->rank == WHET_MAX_RANK) return false;
        l->from[l->rank++] = (int8_t)d;
      }
      d++;
    }
  }
  for (; d < in_rank; d++) {
    if (l->rank == WHET_MAX_RANK) return false;
    l->entry[d] = -1;
    l->from[l->rank++] = (int8_t)d;
  }
  return true;
}

/* The cut of one input dimension; entries are numbers unless `known` is false (then the count is ANY). What is wrong,
 * or NULL. */
static const char *cut_dim(const struct strided *a, whet_cut *c, int32_t d, whet_dim dim, int32_t i, const int64_t *b,
                           const int64_t *e, const int64_t *s, bool known) {
  c->start[d] = 0, c->step[d] = 1, c->count[d] = dim;
  if (i < 0) return NULL;
  if (a->shrink >> i & 1) {
    c->count[d] = 1;
    if (!known || !whet__dim_known(dim)) return NULL;
    int64_t at = b[i] < 0 ? b[i] + dim : b[i];
    if (a->begin >> i & 1) at = s[i] > 0 ? 0 : dim - 1;
    if (at < 0 || at >= dim) return "an index is out of range";
    c->start[d] = at;
    return NULL;
  }
  c->count[d] = WHET_DIM_ANY;
  if (!known) return NULL;
  if (!s[i]) return "a stride is 0";
  bool from = !(a->begin >> i & 1), to = !(a->end >> i & 1);
  if (!whet__dim_known(dim)) {
    if (s[i] == 1 && (!from || b[i] == 0) && !to) c->count[d] = dim;
    return NULL;
  }
  int64_t up = s[i] > 0, first = from ? b[i] : up ? 0 : dim - 1, last = e[i];
  if (a->offset && to) {
    if (first < 0) first += dim;
    if (__builtin_add_overflow(first, last, &last)) return "an end is out of range";
    if (last < 0) last = up ? 0 : -dim - 1;
  }
  if (!to) last = up ? dim : -dim - 1;
  whet__cut_range(c, d, dim, first, last, s[i]);
  return NULL;
}

static whet_status strided_infer(whet_infer *f, const whet_node *n) {
  const struct strided *a = n->attr;
  const whet_shape *in = whet__in_shape(f, 0);
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, 0));
  out->rank = -1;
  whet_nums s[4];
  int32_t count = -1;
  bool late = false;
  for (int i = 1; i < 4; i++) {
    bool known = whet__nums(f, i, &s[i]);
    if (!known && s[i].n == -2) return whet__nums_late(f, &s[i], "begin, end and strides");
    if (!known) s[i].t = WHET_NONE;
    late |= !known;
    if (s[i].n >= 0 && count >= 0 && s[i].n != count)
      return whet__infer_fail(f, WHET_E_SHAPE, "begin, end and strides have different lengths");
    if (s[i].n >= 0) count = s[i].n;
  }
  if (in->rank < 0 || count < 0) return WHET_LATE;
  struct layout l;
  if (!lay_out(a, count, in->rank, &l))
    return whet__infer_fail(f, WHET_E_SHAPE, "%d entries do not fit an input of rank %d", count, in->rank);
  whet_cut c = {.rank = in->rank};
  for (int32_t d = 0; d < in->rank; d++) {
    int64_t v[4][MAX_ENTRIES];
    int32_t i = l.entry[d];
    bool known = i >= 0;
    for (int k = 1; k < 4 && i >= 0; k++) {
      v[k][i] = s[k].t != WHET_NONE ? whet__num(&s[k], i) : WHET_DIM_ANY;
      bool free_bound = (k == 1 && a->begin >> i & 1) || (k == 2 && (a->end | a->shrink) >> i & 1);
      if (free_bound) v[k][i] = 0;
      known &= whet__dim_number(v[k][i]);
    }
    if (i >= 0 && !known && !(a->shrink >> i & 1)) late = true;
    const char *wrong = cut_dim(a, &c, d, in->d[d], i, v[1], v[2], v[3], known);
    if (wrong) return whet__infer_fail(f, WHET_E_DATA, "dimension %d: %s", d, wrong);
  }
  out->rank = l.rank;
  bool all = true;
  for (int32_t o = 0; o < l.rank; o++) {
    out->d[o] = l.from[o] < 0 ? 1 : c.count[l.from[o]];
    all &= out->d[o] != WHET_DIM_ANY || in->d[l.from[o]] == WHET_DIM_ANY;
  }
  if (!late) whet__cut_known(f, &c);
  return late && !all ? WHET_LATE : WHET_OK;
}

/* ---- reference and planning ------------------------------------------------------------------ */

/* The cut for lists of numbers. What is wrong, or NULL. */
static const char *whole_cut(const struct strided *a, int32_t n, const whet_shape *in, const int64_t *b,
                             const int64_t *e, const int64_t *s, whet_cut *c) {
  struct layout l;
  if (!lay_out(a, n, in->rank, &l)) return "the lists do not fit the input";
  c->rank = in->rank;
  const char *wrong = NULL;
  for (int32_t d = 0; d < in->rank && !wrong; d++) wrong = cut_dim(a, c, d, in->d[d], l.entry[d], b, e, s, true);
  return wrong;
}

static whet_status strided_ref(const whet_args *a) {
  whet_shape in = whet__shape(a->in[0].rank, a->in[0].dim);
  int64_t v[3][MAX_ENTRIES];
  int32_t n = (int32_t)whet__tensor_count(&a->in[1]);
  for (int k = 0; k < 3; k++)
    for (int32_t i = 0; i < n; i++) v[k][i] = whet__vec_i64(&a->in[k + 1], i);
  whet_cut c;
  const char *wrong = whole_cut(a->attr, n, &in, v[0], v[1], v[2], &c);
  if (wrong) return whet__fail(a->err, WHET_E_DATA, "%s", wrong);
  whet__cut_ref(&c, &a->in[0], &a->out[0]);
  return WHET_OK;
}

static whet_status strided_plan(whet_planner *p, const whet_node *n) {
  int64_t v[3][MAX_ENTRIES];
  int32_t count = -1;
  for (int k = 0; k < 3; k++) {
    count = whet__pl_ints(p, n->in[k + 1], v[k], MAX_ENTRIES);
    if (count < 0) return WHET_LATE;
  }
  whet_cut c;
  const char *wrong = whole_cut(n->attr, count, whet__pl_shape(p, n->in[0]), v[0], v[1], v[2], &c);
  if (wrong) return whet__pl_fail(p, WHET_E_INTERNAL, "%s", wrong);
  return whet__cut_plan(p, n, &c);
}

/* ---- DynamicUpdateSlice ---------------------------------------------------------------------- */

/* STABLEHLO_DYNAMIC_UPDATE_SLICE(x, update, start...). */
static whet_status update_hlo(whet_import *im, const whet_op *op) {
  int32_t start = whet__im_join_scalars(im, 2, whet__im_n_in(im) - 2), out = whet__im_out(im, 0);
  if (start < 0) return whet__im_fail(im, WHET_E_FORMAT, "the starts cannot be read");
  const int32_t in[3] = {whet__im_in(im, 0), whet__im_in(im, 1), start};
  return whet__im_node(im, op, NULL, in, 3, &out, 1);
}

static const whet_from k_update_from[] = {{"tflite", "DYNAMIC_UPDATE_SLICE", 1, NULL},
                                          {"tflite", "STABLEHLO_DYNAMIC_UPDATE_SLICE", 1, update_hlo},
                                          {0}};

static whet_status update_infer(whet_infer *f, const whet_node *n) {
  const whet_shape *x = whet__in_shape(f, 0), *u = whet__in_shape(f, 1), *at = whet__in_shape(f, 2);
  whet__out_dims(f, 0, whet__in_dtype(f, 0), x->rank, x->d);
  WHET_TRY(whet__infer_is_int(f, 2));
  if (whet__in_dtype(f, 0) != whet__in_dtype(f, 1))
    return whet__infer_fail(f, WHET_E_TYPE, "the update has another type");
  if (x->rank < 0 || u->rank < 0 || at->rank < 0) return x->rank < 0 ? WHET_LATE : WHET_OK;
  if (u->rank != x->rank || at->rank != 1 || (whet__dim_known(at->d[0]) && at->d[0] != x->rank))
    return whet__infer_fail(f, WHET_E_SHAPE, "update and start do not fit an input of rank %d", x->rank);
  for (int32_t i = 0; i < x->rank; i++)
    if (whet__dim_known(x->d[i]) && whet__dim_known(u->d[i]) && u->d[i] > x->d[i])
      return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d of the update is %lld, of the input %lld", i,
                              (long long)u->d[i], (long long)x->d[i]);
  return WHET_OK;
}

static whet_status update_ref(const whet_args *a) {
  const whet_tensor *x = &a->in[0], *u = &a->in[1], *out = &a->out[0];
  int64_t to = 0;
  for (int32_t i = 0; i < x->rank; i++)
    to += whet__clamp_i(whet__vec_i64(&a->in[2], i), 0, x->dim[i] - u->dim[i]) * out->stride[i];
  whet__move_flat(out, x);
  whet__move_box(u->dtype, u->rank, u->dim, out->data, to, out->stride, u->data, 0, u->stride);
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_StridedSlice = {
    .name = "StridedSlice",
    .flags = WHET_OP_SIGN_FREE,
    .attr_size = sizeof(struct strided),
    .attrs = k_attrs,
    .from = k_from,
    .infer = strided_infer,
    .plan = strided_plan,
    .ref = strided_ref,
};

const whet_op whet_op_DynamicUpdateSlice = {
    .name = "DynamicUpdateSlice",
    .flags = WHET_OP_SIGN_FREE,
    .from = k_update_from,
    .infer = update_infer,
    .plan = whet__pl_in_first,
    .ref = update_ref,
};
