/* SPDX-License-Identifier: Apache-2.0 */
/* MatMul(a, b): matrix products with numpy's broadcasting of the dimensions before the last two; a vector is a row of
 * a and a column of b. Attributes: a or b with its last two dimensions exchanged; a factor for the result.
 *
 *   y[..., i, j] = alpha * sum over k of a[..., i, k] * b[..., k, j]
 *
 * ONNX MatMul 1-13; com.microsoft FusedMatMul, TransposeMatMul; TFLite BATCH_MATMUL. Types: f32 (one chain of fused
 * multiply-adds from zero up, k ascending: the same bytes as kernels), f16 and bf16 through f32, f64, integers
 * (wrapping); quantised 8 and 16 bits: matmul_q8.c. */

#include "kern/wgrad_f32.h"
#include "op/conv.h"
#include "op/dense.h"
#include "op/fakeq.h"
#include "op/grad.h"
#include "op/matrix.h"
#include "op/move.h"
#include "op/move_attr.h"
#include "op/stablehlo.h"
#include "op/walk.h"

static const whet_attr_desc k_attrs[] = {{"alpha", WHET_ATTR_F32, offsetof(whet_matmul, alpha)},
                                         {"trans_a", WHET_ATTR_BOOL, offsetof(whet_matmul, trans_a)},
                                         {"trans_b", WHET_ATTR_BOOL, offsetof(whet_matmul, trans_b)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_matmul, a);
  a->alpha = 1;
  return whet__im_node_as_is(im, op, a);
}

/* *v with its first dimension moved behind the batch, before the last: [m, batch..., k] becomes [batch..., m, k]. */
static whet_status batch_first(whet_import *im, int32_t *v) {
  const whet_val *x = whet__im_val(im, *v);
  int32_t rank = x ? x->shape.rank : -1, out;
  if (rank < 0) return whet__im_fail(im, WHET_E_UNSUPPORTED, "transBatchA and transBatchB where the file does not tell the rank");
  if (rank < 3) return WHET_OK;
  WHET_NEW_ATTR(im, whet_transpose, t);
  int64_t *perm = whet__arena_array(whet__im_arena(im), (size_t)rank, sizeof *perm);
  if (!perm) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  for (int32_t i = 0; i < rank; i++) perm[i] = i < rank - 2 ? i + 1 : i == rank - 2 ? 0 : i;
  t->perm = (whet_ints){perm, rank};
  out = whet__im_new(im, "turned");
  WHET_TRY(whet__im_node(im, whet__op_find("Transpose"), t, v, 1, &out, 1));
  *v = out;
  return WHET_OK;
}

static whet_status from_fused(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_matmul, a);
  int32_t in[2] = {whet__im_in(im, 0), whet__im_in(im, 1)}, out = whet__im_out(im, 0);
  a->alpha = whet__onnx_float(im, "alpha", 1);
  a->trans_a = whet__onnx_int(im, "transA", 0) != 0;
  a->trans_b = whet__onnx_int(im, "transB", 0) != 0;
  if (whet__onnx_int(im, "transBatchA", 0)) WHET_TRY(batch_first(im, &in[0]));
  if (whet__onnx_int(im, "transBatchB", 0)) WHET_TRY(batch_first(im, &in[1]));
  return whet__im_node(im, op, a, in, 2, &out, 1);
}

static whet_status from_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_matmul, a);
  a->alpha = 1;
  a->trans_a = whet__tfl_int(im, 0, 0) != 0;
  a->trans_b = whet__tfl_int(im, 1, 0) != 0;
  int32_t in[2] = {whet__im_in(im, 0), whet__im_in(im, 1)}, out = whet__im_out(im, 0);
  const whet_val *w = whet__im_val(im, in[1]);
  int32_t d = w ? w->shape.rank - (a->trans_b ? 1 : 2) : -1;
  WHET_TRY(whet__im_hybrid(im, d < 0 ? 0 : w->shape.d[d], whet__tfl_int(im, 2, 0) != 0, &in[1], &in[0]));
  WHET_TRY(whet__im_node(im, op, a, in, 2, &out, 1));
  const whet_val *x = whet__im_val(im, whet__im_in(im, 0));
  whet__im_round(im, x && x->dtype == WHET_S16 ? WHET_ROUND_TFL_16X8 : WHET_ROUND_TFL_FIX);
  return WHET_OK;
}

static const whet_from k_from[] = {{"", "MatMul", 1, from_onnx},
                                   {"com.microsoft", "FusedMatMul", 1, from_fused},
                                   {"com.microsoft", "TransposeMatMul", 1, from_fused},
                                   {"tflite", "BATCH_MATMUL", 1, from_tfl},
                                   {"tflite", "STABLEHLO_DOT_GENERAL", 1, whet__stablehlo_dot_general},
                                   {0}};

/* ---- shape and type rule --------------------------------------------------------------------- */

static whet_status matmul_types(whet_infer *f, whet_dtype *t) {
  whet_dtype a = whet__in_dtype(f, 0), b = whet__in_dtype(f, 1);
  if (whet__quantised(a, whet__in_quant(f, 0)) || (whet__is_float(a) && whet__is_int(b) && whet__in_quant(f, 1))) {
    WHET_TRY(whet__conv_scales(f, 1, whet__is_float(a) ? 1 : WHET_DIM_ANY));
    return whet__conv_types(f, 0, 1, -1, t);
  }
  *t = a;
  if (!whet__type_in(WHET_T_FLOAT | WHET_T(S32) | WHET_T(S64) | WHET_T(U32) | WHET_T(U64), a))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(a));
  if (a != b)
    return whet__infer_fail(f, WHET_E_TYPE, "the inputs are %s and %s", whet_dtype_name(a), whet_dtype_name(b));
  return WHET_OK;
}

static whet_status matmul_infer(whet_infer *f, const whet_node *n) {
  const whet_matmul *at = n->attr;
  whet_dtype t;
  whet_dim count;
  if (n->n_in != 2 || !whet__in_has(f, 0) || !whet__in_has(f, 1))
    return whet__infer_fail(f, WHET_E_FORMAT, "expected 2 inputs, got %d", n->n_in);
  WHET_TRY(matmul_types(f, &t));
  const whet_shape *a = whet__in_shape(f, 0), *b = whet__in_shape(f, 1);
  whet_shape *out = whet__out(f, 0, t), ab = {.rank = a->rank - 2}, bb = {.rank = b->rank - 2};
  out->rank = -1;
  if (a->rank < 0 || b->rank < 0) return WHET_LATE;
  if (a->rank == 0 || b->rank == 0) return whet__infer_fail(f, WHET_E_SHAPE, "a scalar is no matrix");
  whet_dim m = a->rank == 1 ? 1 : a->d[a->rank - (at->trans_a ? 1 : 2)];
  whet_dim ka = a->rank == 1 ? a->d[0] : a->d[a->rank - (at->trans_a ? 2 : 1)];
  whet_dim kb = b->rank == 1 ? b->d[0] : b->d[b->rank - (at->trans_b ? 1 : 2)];
  whet_dim nn = b->rank == 1 ? 1 : b->d[b->rank - (at->trans_b ? 2 : 1)];
  if (whet__dim_known(ka) && whet__dim_known(kb) && ka != kb)
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld columns meet %lld rows", (long long)ka, (long long)kb);
  if (ab.rank < 0) ab.rank = 0;
  if (bb.rank < 0) bb.rank = 0;
  memcpy(ab.d, a->d, (size_t)ab.rank * sizeof *ab.d);
  memcpy(bb.d, b->d, (size_t)bb.rank * sizeof *bb.d);
  WHET_TRY(whet__infer_broadcast(f, &ab, &bb, out));
  if (a->rank > 1) out->d[out->rank++] = m;
  if (b->rank > 1) out->d[out->rank++] = nn;
  return whet__infer_count(f, out, &count);
}

/* ---- sizes ----------------------------------------------------------------------------------- */

whet_product whet__matmul_sizes(const whet_matmul *at, whet_operand a, whet_operand b, whet_operand y) {
  whet_product p = {.m = 1, .n = 1};
  int32_t am = a.rank - (at->trans_a ? 1 : 2), ak = a.rank - (at->trans_a ? 2 : 1);
  int32_t bk = b.rank - (at->trans_b ? 1 : 2), bn = b.rank - (at->trans_b ? 2 : 1);
  if (a.rank == 1) ak = 0, am = -1;
  if (b.rank == 1) bk = 0, bn = -1;
  p.k = a.dim[ak];
  p.a_k = a.stride[ak];
  p.b_k = b.stride[bk];
  if (am >= 0) p.m = a.dim[am], p.a_m = a.stride[am];
  if (bn >= 0) p.n = b.dim[bn], p.b_n = b.stride[bn];
  int32_t tail = (am >= 0) + (bn >= 0);
  if (bn >= 0) p.y_n = y.stride[y.rank - 1];
  if (am >= 0) p.y_m = y.stride[y.rank - tail];
  p.n_batch = y.rank - tail;
  for (int32_t i = 0; i < p.n_batch; i++) {
    int32_t ai = i - p.n_batch + a.rank - 2, bi = i - p.n_batch + b.rank - 2;
    p.batch[i] = y.dim[i];
    p.y_batch[i] = y.stride[i];
    if (ai >= 0 && a.dim[ai] > 1) p.a_batch[i] = a.stride[ai];
    if (bi >= 0 && b.dim[bi] > 1) p.b_batch[i] = b.stride[bi];
  }
  return p;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* One element of floats: the sum from element ai of a and bi of b on. */
static double sum_float(const whet_tensor *a, const whet_tensor *b, const whet_product *p, int64_t ai, int64_t bi,
                        float alpha) {
  double acc = 0;
  bool wide = a->dtype == WHET_F64;
  for (int64_t k = 0; k < p->k; k++)
    acc = whet__ref_fma(wide, whet__get_f64(a->dtype, a->data, ai + k * p->a_k),
                        whet__ref_weight(b, bi + k * p->b_k, 0), acc);
  return alpha == 1 ? acc : wide ? acc * (double)alpha : (double)((float)acc * alpha);
}

static int64_t sum_int(const whet_tensor *a, const whet_tensor *b, const whet_product *p, int64_t ai, int64_t bi) {
  uint64_t acc = 0;
  for (int64_t k = 0; k < p->k; k++)
    acc += (uint64_t)whet__get_i64(a->dtype, a->data, ai + k * p->a_k) *
           (uint64_t)whet__get_i64(b->dtype, b->data, bi + k * p->b_k);
  return (int64_t)acc;
}

static whet_status matmul_ref(const whet_args *args) {
  const whet_matmul *at = args->attr;
  const whet_tensor *a = &args->in[0], *b = &args->in[1], *y = &args->out[0];
  if (whet__quantised(a->dtype, a->q)) return whet__matmul_q8_ref(args);
  whet_product p =
      whet__matmul_sizes(at, (whet_operand){a->rank, a->dim, a->stride}, (whet_operand){b->rank, b->dim, b->stride},
                         (whet_operand){y->rank, y->dim, y->stride});
  int64_t at_batch[WHET_MAX_RANK] = {0};
  if (!whet__tensor_count(y)) return WHET_OK;
  do {
    int64_t ai = whet__index_offset(p.n_batch, at_batch, p.a_batch),
            bi = whet__index_offset(p.n_batch, at_batch, p.b_batch);
    int64_t yi = whet__index_offset(p.n_batch, at_batch, p.y_batch);
    for (int64_t i = 0; i < p.m; i++)
      for (int64_t j = 0; j < p.n; j++) {
        int64_t to = yi + i * p.y_m + j * p.y_n, from_a = ai + i * p.a_m, from_b = bi + j * p.b_n;
        if (whet__is_float(a->dtype))
          whet__set_f64(y->dtype, y->data, to, sum_float(a, b, &p, from_a, from_b, at->alpha));
        else
          whet__set_i64(y->dtype, y->data, to, sum_int(a, b, &p, from_a, from_b));
      }
  } while (whet__index_next(p.n_batch, p.batch, at_batch));
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

/* Batch dimensions of C, and the steps of the others in them. The packed B holds one group for each of its own batch
 * indices, in order: they must lie at even distances. */
static bool batches(const whet_product *q, const int64_t *res, whet_gemm_f32 *g, whet_pack_f32 *pack) {
  int64_t groups = 1;
  g->n_batch = q->n_batch;
  for (int32_t i = q->n_batch - 1; i >= 0; i--) {
    g->batch[i] = q->batch[i];
    g->a_step[i] = q->a_batch[i];
    g->c_step[i] = q->y_batch[i];
    g->res_step[i] = res ? res[i] : 0;
    if (!q->b_batch[i]) continue;
    if (groups == 1) pack->group_step = q->b_batch[i];
    if (q->b_batch[i] != groups * pack->group_step) return false;
    g->b_step[i] = groups;
    groups *= q->batch[i];
  }
  pack->groups = groups;
  return true;
}

/* The last batch dimension is more rows of the same product where B does not change with it. */
static void fold_rows(whet_gemm_f32 *g, bool res) {
  while (g->n_batch > 0) {
    int32_t i = g->n_batch - 1;
    bool even =
        g->a_step[i] == g->m * g->lda && g->c_step[i] == g->m * g->ldc && (!res || g->res_step[i] == g->m * g->ldr);
    if (g->b_step[i] || !even) return;
    g->m *= g->batch[i];
    g->n_batch--;
  }
}

/* a with its last two dimensions exchanged; lda and steps are set to match. */
static whet_arg turned(whet_planner *p, int32_t a, whet_gemm_f32 *g) {
  const whet_shape *s = whet__pl_shape(p, a);
  int64_t dense[WHET_MAX_RANK];
  whet__dense_strides(s->rank, s->d, dense);
  g->lda = g->k;
  for (int32_t i = 0; i < g->n_batch; i++) {
    int32_t d = i - g->n_batch + s->rank - 2;
    g->a_step[i] = d >= 0 && g->a_step[i] ? dense[d] : 0;
  }
  return whet__pl_turned_f32(p, a);
}

/* a' b, both as they lie, as the gradient of weights is: nothing is turned or packed. */
static whet_status plan_turned(whet_planner *p, const whet_node *node, const whet_product *q) {
  whet_wgrad_f32 k = {.batch = 1, .groups = 1, .ic = q->m, .oc = q->n, .w_oc = q->y_n, .w_ic = q->y_m, .count = q->m * q->n};
  for (int i = 0; i < 3; i++) k.dim[i] = (whet_window){1, 1, 1, 1, 1, 0, 0, 0, 0};
  k.dim[2] = (whet_window){q->k, q->k, 1, 1, 1, 0, q->a_k, q->b_k, 0};
  whet_arg arg[4] = {whet__rd(node->in[0]), whet__rd(node->in[1]), whet__wr(node->out[0]), whet__scratch()};
  double macs = (double)q->m * (double)q->n * (double)q->k;
  return whet__pl_kern(p, WHET_FAMILY_wgrad_f32, &k, sizeof k, arg, 4, whet__wgrad_f32_parts(&k), whet__pl_macs_ns(p, macs) * 1.2);
}

static whet_status matmul_plan(whet_planner *p, const whet_node *node) {
  const whet_matmul *at = node->attr;
  int32_t a = node->in[0], b = node->in[1], out = whet__pl_group_out(p), res;
  if (whet__quantised(whet__pl_dtype(p, a), whet__pl_quant(p, a))) return whet__matmul_q8_plan(p, node);
  if (whet__pl_dtype(p, a) != WHET_F32) return WHET_LATE;
  const whet_shape *as = whet__pl_shape(p, a), *bs = whet__pl_shape(p, b), *ys = whet__pl_shape(p, out);
  int64_t a_step[WHET_MAX_RANK], b_step[WHET_MAX_RANK], y_step[WHET_MAX_RANK], r_step[WHET_MAX_RANK] = {0};
  whet__pl_strides(p, a, a_step);
  whet__pl_strides(p, b, b_step);
  whet__pl_strides(p, out, y_step);
  whet_product q =
      whet__matmul_sizes(at, (whet_operand){as->rank, as->d, a_step}, (whet_operand){bs->rank, bs->d, b_step},
                         (whet_operand){ys->rank, ys->d, y_step});
  whet_gemm_f32 g = {.m = q.m, .n = q.n, .k = q.k, .lda = q.a_m, .ldc = q.y_m};
  whet__pl_epi_f32(p, node, &g.epi, &res);
  if (res >= 0) {
    whet__pl_strides(p, res, r_step);
    g.ldr = as->rank == 1 ? 0 : r_step[ys->rank - (bs->rank > 1 ? 2 : 1)];
  }
  if (q.n_batch == 0 && q.a_m == 1 && q.b_n == 1 && q.a_k != 1 && at->alpha == 1 && !whet__pl_group(p, 1) && !whet__pl_data(p, b))
    return plan_turned(p, node, &q);
  whet_pack_f32 pack = {.n = q.n, .k = {1, 1, 1, q.k}, .n_step = q.b_n, .k_step = {0, 0, 0, q.b_k}};
  if (q.n_batch > WHET_GEMM_BATCH || !whet__epi_factor(&g.epi, at->alpha) || !batches(&q, r_step, &g, &pack))
    return WHET_LATE;
  whet_arg from = whet__rd(a);
  if (q.a_k != 1 && q.k > 1) {
    from = turned(p, a, &g);
    if (from.kind == WHET_ARG_NONE) return whet__pl_fail(p, WHET_E_MEMORY, "out of memory");
  }
  fold_rows(&g, res >= 0);
  return whet__pl_gemm_f32(p, &g, &pack, from, out, b, -1, whet__rd(res));
}

/* ---- gradient -------------------------------------------------------------------------------- */

static whet_status grad(whet_edit *e, int32_t node) {
  const whet_node n = whet__ed_graph(e)->node[node];
  return whet__grad_product(e, node, n.attr, whet__grad_of(e, n.out[0]), whet__ed_shape(e, n.out[0]));
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_MatMul = {
    .name = "MatMul",
    .flags = WHET_OP_TILE | WHET_OP_PACKS | WHET_OP_PITCH_IN | WHET_OP_PITCH_OUT,
    .attr_size = sizeof(whet_matmul),
    .attrs = k_attrs,
    .from = k_from,
    .infer = matmul_infer,
    .plan = matmul_plan,
    .grad = grad,
    .ref = matmul_ref,
};
