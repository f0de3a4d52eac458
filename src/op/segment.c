/* SPDX-License-Identifier: Apache-2.0 */
/* SegmentReduce(x, ids, count): the slices of x with the same id combined: out[ids[i..], r..] = how(.., x[i.., r..]).
 * Segments without slices hold 0, 1, the least or the greatest finite number.
 *
 * TFLite SEGMENT_SUM (ids rise; the last one tells the count), UNSORTED_SEGMENT_SUM, _PROD, _MAX, _MIN (negative ids
 * name no segment). Numbers. Exact: slices are taken in order. Ids are checked when they are read (E_DATA). */

#include <float.h>

#include "op/accumulate.h"
#include "op/move.h"

struct segment {
  uint8_t how;  /* whet_acc */
  uint8_t skip; /* negative ids are skipped; else refused */
};
static const whet_attr_desc k_attrs[] = {
    {"how", WHET_ATTR_U8, offsetof(struct segment, how)}, {"skip", WHET_ATTR_BOOL, offsetof(struct segment, skip)}, {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status put(whet_import *im, const whet_op *op, whet_acc how, bool skip) {
  WHET_NEW_ATTR(im, struct segment, a);
  a->how = (uint8_t)how;
  a->skip = skip;
  return whet__im_node_as_is(im, op, a);
}
static whet_status sorted_sum(whet_import *im, const whet_op *op) { return put(im, op, WHET_ACC_ADD, false); }
static whet_status sum(whet_import *im, const whet_op *op) { return put(im, op, WHET_ACC_ADD, true); }
static whet_status prod(whet_import *im, const whet_op *op) { return put(im, op, WHET_ACC_MUL, true); }
static whet_status max(whet_import *im, const whet_op *op) { return put(im, op, WHET_ACC_MAX, true); }
static whet_status min(whet_import *im, const whet_op *op) { return put(im, op, WHET_ACC_MIN, true); }

static const whet_from k_from[] = {{"tflite", "SEGMENT_SUM", 1, sorted_sum},
                                   {"tflite", "UNSORTED_SEGMENT_SUM", 1, sum},
                                   {"tflite", "UNSORTED_SEGMENT_PROD", 1, prod},
                                   {"tflite", "UNSORTED_SEGMENT_MAX", 1, max},
                                   {"tflite", "UNSORTED_SEGMENT_MIN", 1, min},
                                   {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

/* How many segments there are; WHET_LATE when that is not known. */
static whet_status count_of(whet_infer *f, const whet_shape *ids, whet_dim *count) {
  whet_nums s;
  *count = WHET_DIM_ANY;
  if (whet__in_has(f, 2)) {
    if (!whet__nums(f, 2, &s)) return whet__nums_late(f, &s, "the number of segments");
    if (s.n != 1) return whet__infer_fail(f, WHET_E_SHAPE, "%d numbers of segments, expected 1", s.n);
    *count = whet__num(&s, 0);
    if (!whet__dim_number(*count)) return WHET_LATE;
  } else {
    if (ids->rank != 1) return whet__infer_fail(f, WHET_E_SHAPE, "ids of rank %d, expected 1", ids->rank);
    const void *p = whet__in_data(f, 1);
    if (!whet__dim_known(ids->d[0]) || (ids->d[0] && !p)) return WHET_LATE;
    *count = ids->d[0] ? whet__get_i64(whet__in_dtype(f, 1), p, ids->d[0] - 1) : -1;
    if (*count < INT32_MAX) ++*count;
  }
  if (*count < 0 || *count >= INT32_MAX)
    return whet__infer_fail(f, WHET_E_DATA, "%lld segments", (long long)*count);
  return WHET_OK;
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  const struct segment *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0), *ids = whet__in_shape(f, 1);
  whet_dtype t = whet__in_dtype(f, 0);
  whet_shape *out = whet__out(f, 0, t);
  out->rank = -1;
  if (t == WHET_BOOL || whet__is_complex(t) || !whet__accumulates(t, (whet_acc)a->how))
    return whet__infer_fail(f, WHET_E_TYPE, "segments of %s", whet_dtype_name(t));
  WHET_TRY(whet__infer_is_int(f, 1));
  if (x->rank < 0 || ids->rank < 0) return WHET_LATE;
  if (ids->rank > x->rank || !ids->rank)
    return whet__infer_fail(f, WHET_E_SHAPE, "ids of rank %d for an input of rank %d", ids->rank, x->rank);
  for (int32_t i = 0; i < ids->rank; i++)
    if (whet__dim_known(ids->d[i]) && whet__dim_known(x->d[i]) && ids->d[i] != x->d[i])
      return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d of the ids is %lld, of the input %lld", i,
                              (long long)ids->d[i], (long long)x->d[i]);
  out->rank = 1;
  for (int32_t i = ids->rank; i < x->rank; i++) out->d[out->rank++] = x->d[i];
  WHET_TRY(count_of(f, ids, &out->d[0]));
  whet_dim total;
  return whet__infer_count(f, out, &total);
}

/* ---- reference ------------------------------------------------------------------------------- */

/* What a segment without slices holds, as an element of type t. */
static void empty(whet_dtype t, whet_acc how, uint64_t bits[2]) {
  bool max = how == WHET_ACC_MAX, edge = max || how == WHET_ACC_MIN;
  double greatest = t == WHET_F64 ? DBL_MAX : t == WHET_F16 ? 65504 : t == WHET_BF16 ? 0x1.FEp127 : FLT_MAX;
  bits[0] = bits[1] = 0;
  if (whet__is_float(t))
    whet__set_f64(t, bits, 0, !edge ? how == WHET_ACC_MUL : max ? -greatest : greatest);
  else
    whet__set_i64(t, bits, 0,
                  !edge             ? how == WHET_ACC_MUL
                  : max             ? whet__dtype_min(t)
                  : t == WHET_U64   ? -1
                                    : whet__dtype_max(t));
}

static whet_status ref(const whet_args *arg) {
  const struct segment *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *ids = &arg->in[1], *out = &arg->out[0];
  static const int64_t none[WHET_MAX_RANK];
  int64_t at[WHET_MAX_RANK] = {0};
  uint64_t first[2];
  int32_t r = ids->rank;
  empty(x->dtype, (whet_acc)a->how, first);
  whet__move_box(out->dtype, out->rank, out->dim, out->data, 0, out->stride, first, 0, none);
  for (int64_t left = whet__tensor_count(ids); left > 0; left--, whet__index_next(r, ids->dim, at)) {
    int64_t place = whet__index_offset(r, at, ids->stride), k;
    if (a->skip && whet__get_i64(ids->dtype, ids->data, place) < 0) continue;
    WHET_TRY(whet__index_read(arg, ids, place, out->dim[0], false, &k));
    whet__accumulate_box(x->dtype, (whet_acc)a->how, x->rank - r, x->dim + r, out->data, k * out->stride[0],
                         out->stride + 1, x->data, whet__index_offset(r, at, x->stride), x->stride + r);
  }
  return WHET_OK;
}

const whet_op whet_op_SegmentReduce = {
    .name = "SegmentReduce",
    .attr_size = sizeof(struct segment),
    .attrs = k_attrs,
    .from = k_from,
    .infer = infer,
    .ref = ref,
};
