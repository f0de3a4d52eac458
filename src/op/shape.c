/* SPDX-License-Identifier: Apache-2.0 */
/* Shape(x): its dimensions [start, end) as a vector. Size(x): its element count. Rank(x): how many dimensions it has.
 *
 * ONNX Shape (start and end since 15), Size; TFLite SHAPE, RANK (int32 or int64). What they answer is known as soon
 * as shapes are, so that they seldom run. Exact. */

#include "op/grad.h"
#include "op/move.h"
#include "op/move_attr.h"

/* ---- attributes ------------------------------------------------------------------------------ */

struct shape {
  int32_t dtype;      /* whet_dtype of the answer: S64 or S32 */
  int64_t start, end; /* may be negative, clamped to the rank; Shape only */
};
static const whet_attr_desc k_attrs[] = {{"dtype", WHET_ATTR_I32, offsetof(struct shape, dtype)},
                                         {"start", WHET_ATTR_I64, offsetof(struct shape, start)},
                                         {"end", WHET_ATTR_I64, offsetof(struct shape, end)},
                                         {0}};

extern const whet_op whet_op_Shape;

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  struct shape *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  a->dtype = WHET_S64;
  a->start = whet__onnx_int(im, "start", 0);
  a->end = whet__onnx_int(im, "end", INT64_MAX);
  return whet__im_node_as_is(im, op, a);
}

static whet_status from_tfl(whet_import *im, const whet_op *op) {
  struct shape *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  const whet_val *out = whet__im_val(im, whet__im_out(im, 0));
  a->dtype = out && out->dtype == WHET_S64 ? WHET_S64 : WHET_S32;
  a->end = INT64_MAX;
  return whet__im_node_as_is(im, op, a);
}

whet_status whet__im_shape_of(whet_import *im, int32_t v, int32_t out) {
  WHET_NEW_ATTR(im, struct shape, a);
  a->dtype = WHET_S64;
  a->end = INT64_MAX;
  return whet__im_node(im, &whet_op_Shape, a, &v, 1, &out, 1);
}

int32_t whet__ed_shape_of(whet_edit *e, const char *name, int32_t v) {
  const struct shape a = {.dtype = WHET_S64, .end = INT64_MAX};
  return whet__ed_call(e, name, &a, &v, 1, WHET_S64);
}

static const whet_from k_shape_from[] = {{"", "Shape", 1, from_onnx}, {"tflite", "SHAPE", 1, from_tfl}, {0}};
static const whet_from k_size_from[] = {{"", "Size", 1, from_onnx}, {0}};
static const whet_from k_rank_from[] = {{"tflite", "RANK", 1, from_tfl}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

/* The part of the dimensions that is asked for. */
static void range(const struct shape *a, int32_t rank, int32_t *from, int32_t *to) {
  *from = (int32_t)whet__clamp_i(a->start < 0 ? a->start + rank : a->start, 0, rank);
  *to = (int32_t)whet__clamp_i(a->end < 0 ? a->end + rank : a->end, 0, rank);
  if (*to < *from) *to = *from;
}

static whet_status shape_infer(whet_infer *f, const whet_node *n) {
  const struct shape *a = n->attr;
  const whet_shape *in = whet__in_shape(f, 0);
  whet_shape *out = whet__out(f, 0, (whet_dtype)a->dtype);
  out->rank = 1;
  out->d[0] = WHET_DIM_ANY;
  if (in->rank < 0) return WHET_LATE;
  int32_t from, to;
  range(a, in->rank, &from, &to);
  out->d[0] = to - from;
  whet_dim *known = whet__out_known(f, 0, to - from);
  for (int32_t i = from; known && i < to; i++) known[i - from] = in->d[i];
  return WHET_OK;
}

static whet_status size_infer(whet_infer *f, const whet_node *n) {
  const struct shape *a = n->attr;
  const whet_shape *in = whet__in_shape(f, 0);
  whet__out(f, 0, (whet_dtype)a->dtype)->rank = 0;
  whet_dim *known = whet__out_known(f, 0, 1);
  if (!known) return WHET_OK;
  *known = in->rank < 0 ? WHET_DIM_ANY : 1;
  for (int32_t i = 0; i < in->rank; i++) *known = whet__dim_mul(*known, in->d[i]);
  return WHET_OK;
}

static whet_status rank_infer(whet_infer *f, const whet_node *n) {
  const struct shape *a = n->attr;
  const whet_shape *in = whet__in_shape(f, 0);
  whet__out(f, 0, (whet_dtype)a->dtype)->rank = 0;
  whet_dim *known = whet__out_known(f, 0, 1);
  if (known) *known = in->rank < 0 ? WHET_DIM_ANY : in->rank;
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

static whet_status shape_ref(const whet_args *a) {
  int32_t from, to;
  range(a->attr, a->in[0].rank, &from, &to);
  const whet_tensor *out = &a->out[0];
  for (int32_t i = from; i < to; i++)
    whet__set_i64(out->dtype, out->data, (i - from) * out->stride[0], a->in[0].dim[i]);
  return WHET_OK;
}

static whet_status size_ref(const whet_args *a) {
  whet__set_i64(a->out[0].dtype, a->out[0].data, 0, whet__tensor_count(&a->in[0]));
  return WHET_OK;
}

static whet_status rank_ref(const whet_args *a) {
  whet__set_i64(a->out[0].dtype, a->out[0].data, 0, a->in[0].rank);
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

#define RECORD(Name, lower)                                          \
  const whet_op whet_op_##Name = {.name = #Name,                     \
                                  .flags = WHET_OP_SIGN_FREE,        \
                                  .attr_size = sizeof(struct shape), \
                                  .attrs = k_attrs,                  \
                                  .from = k_##lower##_from,          \
                                  .infer = lower##_infer,            \
                                  .ref = lower##_ref}

RECORD(Shape, shape);
RECORD(Size, size);
RECORD(Rank, rank);
