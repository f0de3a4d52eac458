/* SPDX-License-Identifier: Apache-2.0 */
/* GatherSlices(x, starts): slices of one size, at starts that an index tensor holds, put together. ScatterSlices(x,
 * starts, updates): x with slices combined with updates.
 *
 * StableHLO's gather and scatter, in its words: a start is a vector along dimension `vector` of the index tensor, whose
 * elements are indices of the dimensions `map` of x, 0 in the others. Dimensions `window` of the result (of the updates)
 * are those of the slice but the `dropped` ones, which have size 1; the other ones are the index tensor's. Starts of a
 * gather are moved so that the slice lies within x; elements of updates outside x are left out. TFLite STABLEHLO_GATHER,
 * STABLEHLO_SCATTER (sum, product, greatest, least, or the update itself). All types. Exact. */

#include "op/accumulate.h"
#include "op/move.h"
#include "op/reduce_window.h"

/* ---- attributes ------------------------------------------------------------------------------ */

struct slices {
  whet_ints window, dropped, map, sizes; /* sizes of slices: of a gather */
  int32_t vector;                        /* the index tensor's rank: each of its elements is a start */
  uint8_t how;                           /* whet_acc, of a scatter */
};
static const whet_attr_desc k_attrs[] = {{"window", WHET_ATTR_I64S, offsetof(struct slices, window)},
                                         {"dropped", WHET_ATTR_I64S, offsetof(struct slices, dropped)},
                                         {"map", WHET_ATTR_I64S, offsetof(struct slices, map)},
                                         {"sizes", WHET_ATTR_I64S, offsetof(struct slices, sizes)},
                                         {"vector", WHET_ATTR_I32, offsetof(struct slices, vector)},
                                         {"how", WHET_ATTR_U8, offsetof(struct slices, how)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status gather_hlo(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct slices, a);
  a->window = whet__tfl_ints(im, 0);
  a->dropped = whet__tfl_ints(im, 1);
  a->map = whet__tfl_ints(im, 2);
  a->vector = whet__small(whet__tfl_int(im, 3, 0));
  a->sizes = whet__tfl_ints(im, 4);
  return whet__im_node_as_is(im, op, a);
}

static whet_status scatter_hlo(whet_import *im, const whet_op *op) {
  static const uint8_t k_how[] = {[WHET_WINDOW_ADD] = WHET_ACC_ADD, [WHET_WINDOW_MUL] = WHET_ACC_MUL,
                                  [WHET_WINDOW_MIN] = WHET_ACC_MIN, [WHET_WINDOW_MAX] = WHET_ACC_MAX,
                                  [WHET_WINDOW_ALL] = WHET_ACC_MIN, [WHET_WINDOW_ANY] = WHET_ACC_MAX,
                                  [WHET_WINDOW_NEXT] = WHET_ACC_SET};
  WHET_NEW_ATTR(im, struct slices, a);
  int kind;
  if (whet__im_n_in(im) != 3)
    return whet__im_fail(im, WHET_E_UNSUPPORTED, "%d inputs: 3 are supported", whet__im_n_in(im));
  a->window = whet__tfl_ints(im, 1);
  a->dropped = whet__tfl_ints(im, 2);
  a->map = whet__tfl_ints(im, 3);
  a->vector = whet__small(whet__tfl_int(im, 4, 0));
  WHET_TRY(whet__im_reduction(im, whet__tfl_int(im, 6, 0), true, false, &kind));
  const whet_val *u = whet__im_val(im, whet__im_in(im, 2));
  if ((kind == WHET_WINDOW_ALL || kind == WHET_WINDOW_ANY) && (!u || u->dtype != WHET_BOOL))
    return whet__im_fail(im, WHET_E_UNSUPPORTED, "bit operations as the body, for other types than bool");
  a->how = k_how[kind];
  return whet__im_node_as_is(im, op, a);
}

static const whet_from k_gather_from[] = {{"tflite", "STABLEHLO_GATHER", 1, gather_hlo}, {0}};
static const whet_from k_scatter_from[] = {{"tflite", "STABLEHLO_SCATTER", 1, scatter_hlo}, {0}};

/* ---- dimensions ------------------------------------------------------------------------------ */

/* Which dimension of what belongs to which. */
struct dims {
  int32_t rank;                       /* of the result or the updates */
  int8_t start[WHET_MAX_RANK];        /* of them, in order: those of the index tensor */
  int8_t window[WHET_MAX_RANK];       /* by dimension of x: the one of the result that is its own; -1: dropped */
  int8_t index[WHET_MAX_RANK];        /* by number in `start`: dimension of the index tensor */
  int32_t n_start;
};

/* Marks the numbers of a list; false when one is out of range, not above the one before (rising), or there twice. */
static bool mark(whet_ints l, int32_t rank, bool rising, bool *seen) {
  for (int32_t i = 0; i < l.n; i++) {
    if (l.v[i] < 0 || l.v[i] >= rank || seen[l.v[i]] || (rising && i && l.v[i] < l.v[i - 1])) return false;
    seen[l.v[i]] = true;
  }
  return true;
}

/* What does not fit, or NULL. */
static const char *arrange(const struct slices *a, int32_t x_rank, int32_t i_rank, struct dims *d) {
  bool dropped[WHET_MAX_RANK] = {false}, window[WHET_MAX_RANK] = {false}, mapped[WHET_MAX_RANK] = {false};
  int32_t next = 0;
  if (a->vector < 0 || a->vector > i_rank) return "the vectors' dimension is out of range";
  d->n_start = i_rank - (a->vector < i_rank);
  d->rank = d->n_start + a->window.n;
  if (d->rank > WHET_MAX_RANK) return "there are too many dimensions";
  if (!mark(a->dropped, x_rank, true, dropped) || !mark(a->map, x_rank, false, mapped))
    return "a list of the input's dimensions is out of range";
  if (!mark(a->window, d->rank, true, window)) return "a window's dimension is out of range";
  if (a->window.n + a->dropped.n != x_rank) return "windows do not have the input's dimensions";
  for (int32_t i = 0; i < x_rank; i++) d->window[i] = dropped[i] ? -1 : (int8_t)a->window.v[next++];
  next = 0;
  for (int32_t i = 0; i < d->rank; i++)
    if (!window[i]) d->start[next++] = (int8_t)i;
  next = 0;
  for (int32_t i = 0; i < i_rank; i++)
    if (i != a->vector) d->index[next++] = (int8_t)i;
  return NULL;
}

/* ---- shape rules ----------------------------------------------------------------------------- */

/* What both check of x and the index tensor. */
static whet_status infer_common(whet_infer *f, const struct slices *a, struct dims *d) {
  const whet_shape *x = whet__in_shape(f, 0), *idx = whet__in_shape(f, 1);
  WHET_TRY(whet__infer_is_int(f, 1));
  if (x->rank < 0 || idx->rank < 0) return WHET_LATE;
  const char *wrong = arrange(a, x->rank, idx->rank, d);
  if (wrong) return whet__infer_fail(f, WHET_E_DATA, "%s", wrong);
  whet_dim n = a->vector < idx->rank ? idx->d[a->vector] : 1;
  if (whet__dim_known(n) && n != a->map.n)
    return whet__infer_fail(f, WHET_E_SHAPE, "starts of %lld indices, expected %d", (long long)n, a->map.n);
  return WHET_OK;
}

static whet_status gather_infer(whet_infer *f, const whet_node *n) {
  const struct slices *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0), *idx = whet__in_shape(f, 1);
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, 0));
  struct dims d;
  out->rank = -1;
  WHET_TRY(infer_common(f, a, &d));
  if (a->sizes.n != x->rank)
    return whet__infer_fail(f, WHET_E_DATA, "%d sizes for %d dimensions", a->sizes.n, x->rank);
  out->rank = d.rank;
  for (int32_t i = 0; i < x->rank; i++) {
    int64_t s = a->sizes.v[i];
    if (s < 0 || (whet__dim_known(x->d[i]) && s > x->d[i]) || (d.window[i] < 0 && s != 1))
      return whet__infer_fail(f, WHET_E_DATA, "slices of %lld elements of dimension %d of size %lld", (long long)s, i,
                              (long long)x->d[i]);
    if (d.window[i] >= 0) out->d[d.window[i]] = s;
  }
  for (int32_t i = 0; i < d.n_start; i++) out->d[d.start[i]] = idx->d[d.index[i]];
  whet_dim total;
  return whet__infer_count(f, out, &total);
}

static whet_status scatter_infer(whet_infer *f, const whet_node *n) {
  const struct slices *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0), *idx = whet__in_shape(f, 1), *u = whet__in_shape(f, 2);
  whet_dtype t = whet__in_dtype(f, 0);
  struct dims d;
  *whet__out(f, 0, t) = *x;
  if (whet__in_dtype(f, 2) != t || !whet__accumulates(t, (whet_acc)a->how))
    return whet__infer_fail(f, WHET_E_TYPE, "updates of %s for %s", whet_dtype_name(whet__in_dtype(f, 2)),
                            whet_dtype_name(t));
  WHET_TRY(infer_common(f, a, &d));
  if (u->rank < 0) return WHET_OK;
  if (u->rank != d.rank) return whet__infer_fail(f, WHET_E_SHAPE, "updates of rank %d, expected %d", u->rank, d.rank);
  for (int32_t i = 0; i < d.n_start; i++) {
    whet_dim got = u->d[d.start[i]], want = idx->d[d.index[i]];
    if (whet__dim_known(got) && whet__dim_known(want) && got != want)
      return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d of the updates is %lld, expected %lld", d.start[i],
                              (long long)got, (long long)want);
  }
  return WHET_OK;
}

/* ---- references ------------------------------------------------------------------------------ */

/* The starts of one slice: v[d] for every dimension of x; `at` indexes the index tensor's own dimensions. */
static void starts(const struct slices *a, const struct dims *d, const whet_tensor *idx, const int64_t *at, int32_t x_rank,
                   int64_t *v) {
  int64_t place = 0;
  for (int32_t i = 0; i < d->n_start; i++) place += at[i] * idx->stride[d->index[i]];
  for (int32_t i = 0; i < x_rank; i++) v[i] = 0;
  for (int32_t i = 0; i < a->map.n; i++)
    v[a->map.v[i]] =
        whet__get_i64(idx->dtype, idx->data, place + (a->vector < idx->rank ? i * idx->stride[a->vector] : 0));
}

/* Dimensions of the index tensor, and strides of the result (or updates) along them and along those of x. */
static void walk(const struct dims *d, const whet_tensor *idx, const whet_tensor *y, int32_t x_rank, int64_t *outer,
                 int64_t *outer_stride, int64_t *inner_stride) {
  for (int32_t i = 0; i < d->n_start; i++) {
    outer[i] = idx->dim[d->index[i]];
    outer_stride[i] = y->stride[d->start[i]];
  }
  for (int32_t i = 0; i < x_rank; i++) inner_stride[i] = d->window[i] < 0 ? 0 : y->stride[d->window[i]];
}

static whet_status gather_ref(const whet_args *args) {
  const struct slices *a = args->attr;
  const whet_tensor *x = &args->in[0], *idx = &args->in[1], *y = &args->out[0];
  int64_t outer[WHET_MAX_RANK], os[WHET_MAX_RANK], is[WHET_MAX_RANK], at[WHET_MAX_RANK] = {0}, v[WHET_MAX_RANK];
  struct dims d;
  const char *wrong = arrange(a, x->rank, idx->rank, &d);
  if (wrong) return whet__fail(args->err, WHET_E_DATA, "%s", wrong);
  walk(&d, idx, y, x->rank, outer, os, is);
  if (!whet__tensor_count(y)) return WHET_OK;
  do {
    starts(a, &d, idx, at, x->rank, v);
    for (int32_t i = 0; i < x->rank; i++) v[i] = whet__clamp_i(v[i], 0, x->dim[i] - a->sizes.v[i]);
    whet__move_box(x->dtype, x->rank, a->sizes.v, y->data, whet__index_offset(d.n_start, at, os), is, x->data,
                   whet__index_offset(x->rank, v, x->stride), x->stride);
  } while (whet__index_next(d.n_start, outer, at));
  return WHET_OK;
}

static whet_status scatter_ref(const whet_args *args) {
  const struct slices *a = args->attr;
  const whet_tensor *x = &args->in[0], *idx = &args->in[1], *u = &args->in[2], *y = &args->out[0];
  int64_t outer[WHET_MAX_RANK], os[WHET_MAX_RANK], is[WHET_MAX_RANK], at[WHET_MAX_RANK] = {0}, v[WHET_MAX_RANK];
  struct dims d;
  const char *wrong = arrange(a, x->rank, idx->rank, &d);
  if (wrong) return whet__fail(args->err, WHET_E_DATA, "%s", wrong);
  walk(&d, idx, u, x->rank, outer, os, is);
  whet__move_flat(y, x);
  if (!whet__tensor_count(u)) return WHET_OK;
  do {
    int64_t dim[WHET_MAX_RANK], from = whet__index_offset(d.n_start, at, os), to = 0;
    starts(a, &d, idx, at, x->rank, v);
    for (int32_t i = 0; i < x->rank; i++) { /* what lies within x */
      int64_t size = d.window[i] < 0 ? 1 : u->dim[d.window[i]], first = v[i] >= 0 ? 0 : v[i] < -size ? size : -v[i];
      int64_t end = v[i] >= x->dim[i] ? 0 : whet__min_i(size, x->dim[i] - v[i]);
      dim[i] = whet__max_i(end - first, 0);
      if (!dim[i]) continue;
      from += first * is[i];
      to += (v[i] + first) * y->stride[i];
    }
    whet__accumulate_box(x->dtype, (whet_acc)a->how, x->rank, dim, y->data, to, y->stride, u->data, from, is);
  } while (whet__index_next(d.n_start, outer, at));
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_GatherSlices = {
    .name = "GatherSlices",
    .flags = WHET_OP_SIGN_FREE,
    .attr_size = sizeof(struct slices),
    .attrs = k_attrs,
    .from = k_gather_from,
    .infer = gather_infer,
    .ref = gather_ref,
};

const whet_op whet_op_ScatterSlices = {
    .name = "ScatterSlices",
    .attr_size = sizeof(struct slices),
    .attrs = k_attrs,
    .from = k_scatter_from,
    .infer = scatter_infer,
    .plan = whet__pl_in_first,
    .ref = scatter_ref,
};
