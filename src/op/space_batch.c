/* SPDX-License-Identifier: Apache-2.0 */
/* SpaceToBatch(x, blocks, pads): x padded, and every n-th pixel of it an image of its own. BatchToSpace(x, blocks,
 * crops): the way back, borders cut off.
 *
 *   SpaceToBatch  out[(i1 * s2 + i2) * B + b, y1, y2, r..] = padded[b, y1 * s1 + i1, y2 * s2 + i2, r..]
 *
 * for any number of spatial dimensions. TFLite SPACE_TO_BATCH_ND, BATCH_TO_SPACE_ND. Quantised tensors are padded with
 * the output's zero point. All types. Exact. */

#include "op/move.h"

extern const whet_op whet_op_SpaceToBatch;

static const whet_from k_space_from[] = {{"tflite", "SPACE_TO_BATCH_ND", 1, NULL}, {0}};
static const whet_from k_batch_from[] = {{"tflite", "BATCH_TO_SPACE_ND", 1, NULL}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

/* One spatial dimension: of the wide tensor (few images, padded or cropped) from that of the other, or the other way. */
static whet_status spatial(whet_infer *f, bool to_batch, int32_t d, whet_dim x, whet_dim s, whet_dim lo, whet_dim hi,
                           whet_dim *out) {
  *out = WHET_DIM_ANY;
  if (!whet__dim_number(s) || !whet__dim_number(lo) || !whet__dim_number(hi)) return WHET_LATE;
  if (s < 1 || s > INT32_MAX || lo < 0 || lo > INT32_MAX || hi < 0 || hi > INT32_MAX)
    return whet__infer_fail(f, WHET_E_DATA, "dimension %d: blocks of %lld, borders of %lld and %lld", d, (long long)s,
                            (long long)lo, (long long)hi);
  if (!whet__dim_known(x)) return WHET_OK;
  int64_t all = to_batch ? x : 0;
  bool fits = to_batch ? !__builtin_add_overflow(all, lo + hi, &all) && all % s == 0
                       : !__builtin_mul_overflow(x, s, &all) && all >= lo + hi;
  if (!fits)
    return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d of size %lld does not fit blocks of %lld, borders of %lld and %lld",
                            d, (long long)x, (long long)s, (long long)lo, (long long)hi);
  *out = to_batch ? all / s : all - lo - hi;
  return WHET_OK;
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_shape *x = whet__in_shape(f, 0);
  bool to_batch = n->op == &whet_op_SpaceToBatch;
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, 0));
  whet_nums s, pads;
  out->rank = -1;
  if (n->n_in != 3) return whet__infer_fail(f, WHET_E_FORMAT, "expected 3 inputs, got %d", n->n_in);
  bool known = whet__nums(f, 1, &s), known_pads = whet__nums_flat(f, 2, &pads);
  if (s.n == -2) return whet__nums_late(f, &s, "the blocks");
  if (pads.n == -2) return whet__nums_late(f, &pads, "the borders");
  if (x->rank < 0) return WHET_LATE;
  if (s.n >= 0 && (s.n >= x->rank || (pads.n >= 0 && pads.n != 2 * s.n)))
    return whet__infer_fail(f, WHET_E_SHAPE, "%d blocks and %d borders for an input of rank %d", s.n, pads.n, x->rank);
  *out = *x;
  if (!known || !known_pads) {
    for (int32_t i = 0; i < x->rank; i++) out->d[i] = WHET_DIM_ANY;
    return WHET_LATE;
  }
  whet_dim batch = x->d[0];
  bool late = false;
  for (int32_t i = 0; i < s.n; i++) {
    whet_dim size = whet__num(&s, i);
    whet_status st = spatial(f, to_batch, i + 1, x->d[i + 1], size, whet__num(&pads, 2 * i), whet__num(&pads, 2 * i + 1),
                             &out->d[i + 1]);
    if (st < 0) return st;
    late |= st == WHET_LATE;
    if (st) continue;
    if (!to_batch && whet__dim_known(batch) && batch % size)
      return whet__infer_fail(f, WHET_E_SHAPE, "%lld images cannot be put together as blocks", (long long)x->d[0]);
    batch = to_batch ? whet__dim_mul(batch, size) : whet__dim_known(batch) ? batch / size : WHET_DIM_ANY;
  }
  out->d[0] = late ? WHET_DIM_ANY : batch;
  whet_dim total;
  WHET_TRY(whet__infer_count(f, out, &total));
  return late ? WHET_LATE : WHET_OK;
}

/* ---- the move -------------------------------------------------------------------------------- */

/* Blocks and borders of a call, and how both tensors lie: `wide` has few large images, `many` many small ones. */
struct move {
  int32_t n, rank; /* spatial dimensions, all */
  int64_t size[WHET_MAX_RANK], lo[WHET_MAX_RANK];
  int64_t wide[WHET_MAX_RANK], many[WHET_MAX_RANK]; /* dimensions */
  int64_t wide_stride[WHET_MAX_RANK], many_stride[WHET_MAX_RANK];
};

/* What one of the images that a block is made of takes of the wide tensor: the box of both. False when it is empty. */
static bool box_of(const struct move *m, const int64_t *at, int64_t *dim, int64_t *wo, int64_t *ws, int64_t *mo) {
  int64_t image = 0;
  *wo = *mo = 0;
  for (int32_t i = 0; i < m->n; i++) image = image * m->size[i] + at[i];
  for (int32_t d = 0; d < m->rank; d++) dim[d] = m->wide[d], ws[d] = m->wide_stride[d];
  *mo = image * m->wide[0] * m->many_stride[0];
  for (int32_t i = 0; i < m->n; i++) {
    int32_t d = i + 1;
    int64_t s = m->size[i], shift = m->lo[i] - at[i]; /* place p of the small image is pixel p * s - shift */
    int64_t from = shift > 0 ? whet__ceil_div(shift, s) : 0;
    int64_t last = m->wide[d] - 1 + shift, to = last < 0 ? 0 : whet__min_i(last / s + 1, m->many[d]);
    if (from >= to) return false;
    dim[d] = to - from;
    ws[d] = s * m->wide_stride[d];
    *wo += (from * s - shift) * m->wide_stride[d];
    *mo += from * m->many_stride[d];
  }
  return whet__dim_product(dim, 0, m->rank) > 0;
}

/* The zero point, as an element of type t. */
static void border(whet_dtype t, const whet_quant *q, uint64_t bits[2]) {
  bits[0] = bits[1] = 0;
  if (q && q->n == 1 && whet__is_int(t)) whet__set_i64(t, bits, 0, q->zero[0]);
}

static whet_status ref(const whet_args *a) {
  const whet_tensor *x = &a->in[0], *y = &a->out[0], *pads = &a->in[2];
  bool to_batch = a->node->op == &whet_op_SpaceToBatch;
  const whet_tensor *wide = to_batch ? x : y, *many = to_batch ? y : x;
  struct move m = {.n = (int32_t)whet__tensor_count(&a->in[1]), .rank = x->rank};
  int64_t at[WHET_MAX_RANK] = {0}, dim[WHET_MAX_RANK], ws[WHET_MAX_RANK], wo, mo;
  static const int64_t none[WHET_MAX_RANK];
  uint64_t zero[2];
  for (int32_t i = 0; i < m.n; i++) {
    m.size[i] = whet__vec_i64(&a->in[1], i);
    m.lo[i] = whet__get_i64(pads->dtype, pads->data, whet__flat_offset(pads, 2 * i));
  }
  memcpy(m.wide, wide->dim, sizeof m.wide);
  memcpy(m.many, many->dim, sizeof m.many);
  memcpy(m.wide_stride, wide->stride, sizeof m.wide_stride);
  memcpy(m.many_stride, many->stride, sizeof m.many_stride);
  border(y->dtype, y->q, zero);
  if (to_batch) whet__move_box(y->dtype, y->rank, y->dim, y->data, 0, y->stride, zero, 0, none);
  if (!whet__tensor_count(x) || !whet__tensor_count(y)) return WHET_OK;
  do {
    if (!box_of(&m, at, dim, &wo, ws, &mo)) continue;
    if (to_batch)
      whet__move_box(x->dtype, m.rank, dim, y->data, mo, m.many_stride, x->data, wo, ws);
    else
      whet__move_box(x->dtype, m.rank, dim, y->data, wo, ws, x->data, mo, m.many_stride);
  } while (whet__index_next(m.n, m.size, at));
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

enum { MAX_STEPS = 64 };

/* A copy for each image of a block, after the borders were filled. */
static whet_status plan(whet_planner *p, const whet_node *n) {
  bool to_batch = n->op == &whet_op_SpaceToBatch, padded = false;
  int32_t wide = to_batch ? n->in[0] : n->out[0], many = to_batch ? n->out[0] : n->in[0];
  const whet_shape *ws = whet__pl_shape(p, wide), *ms = whet__pl_shape(p, many);
  int64_t pads[2 * WHET_MAX_RANK], images = 1, at[WHET_MAX_RANK] = {0};
  whet_dtype t = whet__pl_dtype(p, n->in[0]);
  struct move m = {.n = whet__pl_ints(p, n->in[1], m.size, WHET_MAX_RANK), .rank = ws->rank};
  if (m.n < 0 || whet__pl_ints(p, n->in[2], pads, 2 * WHET_MAX_RANK) < 0 || !whet__move_bytes(t)) return WHET_LATE;
  for (int32_t i = 0; i < m.n; i++) {
    m.lo[i] = pads[2 * i];
    padded |= pads[2 * i] || pads[2 * i + 1];
    if ((images *= m.size[i]) > MAX_STEPS) return WHET_LATE;
  }
  if (!whet__shape_count(ws) || !whet__shape_count(ms)) return whet__shape_count(ms) && to_batch ? WHET_LATE : WHET_OK;
  memcpy(m.wide, ws->d, sizeof m.wide);
  memcpy(m.many, ms->d, sizeof m.many);
  whet__pl_strides(p, wide, m.wide_stride);
  whet__pl_strides(p, many, m.many_stride);
  if (to_batch && padded) {
    uint64_t zero[2];
    border(t, whet__pl_quant(p, n->out[0]), zero);
    whet_copy fill = {.rank = m.rank};
    memcpy(fill.dim, m.many, sizeof fill.dim);
    memcpy(fill.out_stride, m.many_stride, sizeof fill.out_stride);
    WHET_TRY(whet__pl_copy_from(p, n->out[0], whet__bl(whet__pl_blob(p, zero, sizeof zero)), &fill));
  }
  do {
    whet_copy c = {.rank = m.rank};
    int64_t *w_off = to_batch ? &c.in_offset : &c.out_offset, *m_off = to_batch ? &c.out_offset : &c.in_offset;
    if (!box_of(&m, at, c.dim, w_off, to_batch ? c.in_stride : c.out_stride, m_off)) continue;
    memcpy(to_batch ? c.out_stride : c.in_stride, m.many_stride, sizeof m.many_stride);
    WHET_TRY(whet__pl_copy(p, n->out[0], n->in[0], &c));
  } while (whet__index_next(m.n, m.size, at));
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_SpaceToBatch = {
    .name = "SpaceToBatch",
    .from = k_space_from,
    .infer = infer,
    .plan = plan,
    .ref = ref,
};

const whet_op whet_op_BatchToSpace = {
    .name = "BatchToSpace",
    .flags = WHET_OP_SIGN_FREE,
    .from = k_batch_from,
    .infer = infer,
    .plan = plan,
    .ref = ref,
};
