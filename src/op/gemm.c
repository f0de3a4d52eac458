/* SPDX-License-Identifier: Apache-2.0 */
/* Gemm(a, b, c): alpha * a' b' + beta * c for matrices, either operand transposed, c broadcast to the result.
 *
 * ONNX Gemm 1-13. Where alpha and beta are 1 and c has one number for each column, sums start from it (as Dense's
 * do); else they start from zero, and beta * c is added at the end. Types: f32 (one chain of fused multiply-adds),
 * f16 and bf16 through f32, f64, integers (alpha and beta are cut to integers, sums wrap). */

#include "kern/copy.h"
#include "kern/unary_f32.h"
#include "op/dense.h"
#include "op/grad.h"
#include "op/matrix.h"
#include "op/move.h"
#include "op/walk.h"

static const whet_attr_desc k_attrs[] = {{"alpha", WHET_ATTR_F32, offsetof(whet_gemm, alpha)},
                                         {"beta", WHET_ATTR_F32, offsetof(whet_gemm, beta)},
                                         {"transA", WHET_ATTR_BOOL, offsetof(whet_gemm, trans_a)},
                                         {"transB", WHET_ATTR_BOOL, offsetof(whet_gemm, trans_b)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_gemm, a);
  a->alpha = whet__onnx_float(im, "alpha", 1);
  a->beta = whet__onnx_float(im, "beta", 1);
  a->trans_a = whet__onnx_int(im, "transA", 0) != 0;
  a->trans_b = whet__onnx_int(im, "transB", 0) != 0;
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_from[] = {{"", "Gemm", 1, from_onnx}, {0}};

/* ---- shape and type rule --------------------------------------------------------------------- */

static whet_status gemm_infer(whet_infer *f, const whet_node *n) {
  const whet_gemm *at = n->attr;
  whet_dtype t = whet__in_dtype(f, 0);
  whet_dim count;
  if (n->n_in < 2 || n->n_in > 3 || !whet__in_has(f, 0) || !whet__in_has(f, 1))
    return whet__infer_fail(f, WHET_E_FORMAT, "expected 2 or 3 inputs, got %d", n->n_in);
  if (!whet__type_in(WHET_T_FLOAT | WHET_T(S32) | WHET_T(S64) | WHET_T(U32) | WHET_T(U64), t))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  for (int i = 1; i < n->n_in; i++)
    if (whet__in_has(f, i) && whet__in_dtype(f, i) != t)
      return whet__infer_fail(f, WHET_E_TYPE, "input 0 is %s, input %d is %s", whet_dtype_name(t), i,
                              whet_dtype_name(whet__in_dtype(f, i)));
  const whet_shape *a = whet__in_shape(f, 0), *b = whet__in_shape(f, 1);
  whet_shape *out = whet__out(f, 0, t), all;
  out->rank = 2;
  out->d[0] = out->d[1] = WHET_DIM_ANY;
  for (int i = 0; i < 2; i++) {
    int32_t rank = whet__in_shape(f, i)->rank;
    if (rank >= 0 && rank != 2) return whet__infer_fail(f, WHET_E_SHAPE, "input %d has rank %d, expected 2", i, rank);
  }
  if (a->rank < 0 || b->rank < 0) return WHET_LATE;
  whet_dim ka = a->d[!at->trans_a], kb = b->d[at->trans_b];
  if (whet__dim_known(ka) && whet__dim_known(kb) && ka != kb)
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld columns meet %lld rows", (long long)ka, (long long)kb);
  out->d[0] = a->d[at->trans_a];
  out->d[1] = b->d[!at->trans_b];
  if (whet__in_has(f, 2)) {
    const whet_shape *c = whet__in_shape(f, 2);
    if (c->rank < 0) return WHET_LATE;
    if (c->rank > 2) return whet__infer_fail(f, WHET_E_SHAPE, "input 2 has rank %d, expected at most 2", c->rank);
    WHET_TRY(whet__infer_broadcast(f, out, c, &all));
    for (int i = 0; i < 2; i++)
      if (whet__dim_known(out->d[i]) && whet__dim_known(all.d[i]) && all.d[i] != out->d[i])
        return whet__infer_fail(f, WHET_E_SHAPE, "input 2 does not broadcast to the product");
  }
  return whet__infer_count(f, out, &count);
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Elements of c from one row, and from one column, of the result to the next. */
static void c_steps(int32_t rank, const int64_t *dim, const int64_t *stride, int64_t *row, int64_t *column) {
  *column = rank > 0 && dim[rank - 1] > 1 ? stride[rank - 1] : 0;
  *row = rank > 1 && dim[0] > 1 ? stride[0] : 0;
}

static whet_status gemm_ref(const whet_args *args) {
  const whet_gemm *at = args->attr;
  const whet_tensor *a = &args->in[0], *b = &args->in[1], *y = &args->out[0];
  const whet_tensor *c = args->n_in > 2 && args->in[2].data ? &args->in[2] : NULL;
  int64_t m = y->dim[0], n = y->dim[1], k = a->dim[!at->trans_a], cm = 0, cn = 0;
  int64_t am = a->stride[at->trans_a], ak = a->stride[!at->trans_a], bk = b->stride[at->trans_b],
          bn = b->stride[!at->trans_b];
  if (c) c_steps(c->rank, c->dim, c->stride, &cm, &cn);
  bool start = c && at->alpha == 1 && at->beta == 1 && !cm && cn, wide = a->dtype == WHET_F64;
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) {
      int64_t to = i * y->stride[0] + j * y->stride[1], ci = i * cm + j * cn;
      if (whet__is_int(a->dtype)) {
        uint64_t sum = 0;
        for (int64_t x = 0; x < k; x++)
          sum += (uint64_t)whet__get_i64(a->dtype, a->data, i * am + x * ak) *
                 (uint64_t)whet__get_i64(b->dtype, b->data, x * bk + j * bn);
        sum *= (uint64_t)(int64_t)at->alpha;
        if (c) sum += (uint64_t)(int64_t)at->beta * (uint64_t)whet__get_i64(c->dtype, c->data, ci);
        whet__set_i64(y->dtype, y->data, to, (int64_t)sum);
        continue;
      }
      double add = c ? whet__get_f64(c->dtype, c->data, ci) : 0, sum = start ? add : 0;
      for (int64_t x = 0; x < k; x++)
        sum = whet__ref_fma(wide, whet__get_f64(a->dtype, a->data, i * am + x * ak),
                            whet__get_f64(b->dtype, b->data, x * bk + j * bn), sum);
      if (at->alpha != 1) sum = wide ? sum * (double)at->alpha : (double)((float)sum * at->alpha);
      if (c && !start) {
        if (at->beta != 1) add = wide ? add * (double)at->beta : (double)((float)add * at->beta);
        sum = wide ? sum + add : (double)((float)sum + (float)add);
      }
      whet__set_f64(y->dtype, y->data, to, sum);
    }
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

/* beta * c as rows that kernels can add: where c has one column it is spread over n; *ldr is set. */
static whet_arg addend(whet_planner *p, int32_t c, float beta, int64_t m, int64_t n, int64_t *ldr) {
  const whet_shape *s = whet__pl_shape(p, c);
  int64_t step[WHET_MAX_RANK], row, column, count = whet__shape_count(s);
  whet__pl_strides(p, c, step);
  c_steps(s->rank, s->d, step, &row, &column);
  whet_arg from = whet__rd(c);
  if (n > 1 && !column) {
    whet_copy k = {.elem_bytes = 4, .rank = 2, .dim = {row ? m : 1, n}, .in_stride = {row, 0}, .out_stride = {n, 1}};
    int32_t id = whet__pl_temp(p, (size_t)(k.dim[0] * n) * 4);
    whet_arg arg[2] = {from, whet__tm(id, true)};
    if (id < 0 || whet__pl_kern(p, WHET_FAMILY_copy, &k, sizeof k, arg, 2, k.dim[0], (double)(k.dim[0] * n)))
      return whet__none();
    from = whet__tm(id, false);
    count = k.dim[0] * n;
    row = row ? n : 0;
  }
  *ldr = row;
  if (beta == 1) return from;
  whet_unary_f32 u = {.fn = WHET_UN_MUL, .a = beta, .rows = 1, .run = count, .x_pitch = count, .y_pitch = count};
  int32_t id = whet__pl_temp(p, (size_t)count * 4);
  whet_arg arg[2] = {from, whet__tm(id, true)};
  if (id < 0 || whet__pl_kern(p, WHET_FAMILY_unary_f32, &u, sizeof u, arg, 2, 1, (double)count * 0.1))
    return whet__none();
  return whet__tm(id, false);
}

static whet_status gemm_plan(whet_planner *p, const whet_node *node) {
  const whet_gemm *at = node->attr;
  int32_t a = node->in[0], b = node->in[1], c = node->n_in > 2 ? node->in[2] : -1, out = whet__pl_group_out(p),
          member;
  if (whet__pl_dtype(p, a) != WHET_F32) return WHET_LATE;
  const whet_shape *as = whet__pl_shape(p, a), *ys = whet__pl_shape(p, out);
  int64_t a_step[WHET_MAX_RANK], b_step[WHET_MAX_RANK], y_step[WHET_MAX_RANK];
  whet__pl_strides(p, a, a_step);
  whet__pl_strides(p, b, b_step);
  whet__pl_strides(p, out, y_step);
  whet_gemm_f32 g = {.m = ys->d[0], .n = ys->d[1], .k = as->d[!at->trans_a], .lda = a_step[0], .ldc = y_step[0]};
  whet__pl_epi_f32(p, node, &g.epi, &member);
  const whet_shape *cs = whet__pl_shape(p, c);
  bool start = at->alpha == 1 && at->beta == 1 && c >= 0 && whet__shape_count(cs) == g.n && cs->rank > 0 &&
               cs->d[cs->rank - 1] == g.n && g.n > 1;
  whet_arg from = whet__rd(a), res = whet__rd(member);
  if (c >= 0 && !start) {
    if (member >= 0 || g.epi.n + 2 > WHET_EPI_MAX) return WHET_LATE;
    for (int i = g.epi.n++; i > 0; i--)
      g.epi.op[i] = g.epi.op[i - 1], g.epi.a[i] = g.epi.a[i - 1], g.epi.b[i] = g.epi.b[i - 1];
    g.epi.op[0] = WHET_MICRO_ADD;
    g.epi.res = 1;
    res = addend(p, c, at->beta, g.m, g.n, &g.ldr);
    if (res.kind == WHET_ARG_NONE) return whet__pl_fail(p, WHET_E_MEMORY, "out of memory");
  } else if (member >= 0) {
    int64_t step[WHET_MAX_RANK];
    whet__pl_strides(p, member, step);
    g.ldr = step[0];
  }
  if (!whet__epi_factor(&g.epi, at->alpha)) return WHET_LATE;
  if (at->trans_a) {
    from = whet__pl_turned_f32(p, a);
    if (from.kind == WHET_ARG_NONE) return whet__pl_fail(p, WHET_E_MEMORY, "out of memory");
    g.lda = g.k;
  }
  whet_pack_f32 pack = {.groups = 1,
                        .n = g.n,
                        .k = {1, 1, 1, g.k},
                        .n_step = b_step[!at->trans_b],
                        .k_step = {0, 0, 0, b_step[at->trans_b]}};
  return whet__pl_gemm_f32(p, &g, &pack, from, out, b, start ? c : -1, res);
}

/* ---- gradient -------------------------------------------------------------------------------- */

static whet_status grad(whet_edit *e, int32_t node) {
  const whet_node n = whet__ed_graph(e)->node[node];
  const whet_gemm *a = n.attr;
  const whet_matmul how = {a->alpha, a->trans_a, a->trans_b};
  int32_t g = whet__grad_of(e, n.out[0]), c = n.n_in > 2 ? n.in[2] : -1;
  WHET_TRY(whet__grad_product(e, node, &how, g, whet__ed_shape(e, n.out[0])));
  if (!whet__grad_wants(e, c)) return WHET_OK;
  const whet_grad_name name[] = {{'g', g, 0}, {'b', -1, (double)a->beta}};
  return whet__grad_add_summed(e, node, c, whet__grad_formula(e, "g*b", name, 2, whet__ed_dtype(e, c)),
                               whet__ed_shape(e, n.out[0]));
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_Gemm = {
    .name = "Gemm",
    .flags = WHET_OP_TILE | WHET_OP_PACKS | WHET_OP_PITCH_OUT,
    .attr_size = sizeof(whet_gemm),
    .attrs = k_attrs,
    .from = k_from,
    .infer = gemm_infer,
    .plan = gemm_plan,
    .grad = grad,
    .ref = gemm_ref,
};
