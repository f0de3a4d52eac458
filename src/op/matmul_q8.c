/* SPDX-License-Identifier: Apache-2.0 */
/* MatMul on quantised numbers of 8 or 16 bits: y = clamp(rescaled(sum of (a - za) * (b - zb)) + zy) with the rule of
 * the node; a result without quantisation is the sum itself. alpha must be 1. 8-bit rows times one matrix run on
 * family conv_q8, and so do many pairs of matrices of the same number. */

#include "base/dtype.h"
#include "kern/copy.h"
#include "op/dense.h"
#include "op/move.h"
#include "op/product_q8.h"

whet_status whet__matmul_q8_ref(const whet_args *args) {
  const whet_tensor *a = &args->in[0], *b = &args->in[1], *y = &args->out[0];
  whet_product p =
      whet__matmul_sizes(args->attr, (whet_operand){a->rank, a->dim, a->stride},
                         (whet_operand){b->rank, b->dim, b->stride}, (whet_operand){y->rank, y->dim, y->stride});
  whet_product_out out = whet__product_out(args);
  bool raw = y->dtype == WHET_S32 && y->q && whet__q8_tfl(args->node);
  int64_t at[WHET_MAX_RANK] = {0}, za = raw ? 0 : a->q->zero[0];
  if (raw) out.plain = true;
  if (!whet__tensor_count(y)) return WHET_OK;
  do {
    int64_t ai = whet__index_offset(p.n_batch, at, p.a_batch), bi = whet__index_offset(p.n_batch, at, p.b_batch);
    int64_t yi = whet__index_offset(p.n_batch, at, p.y_batch);
    for (int64_t i = 0; i < p.m; i++)
      for (int64_t j = 0; j < p.n; j++) {
        uint64_t acc = 0;
        int64_t zb = raw ? 0 : whet__q_zero(out.w, j);
        for (int64_t k = 0; k < p.k; k++)
          acc += (uint64_t)((whet__get_i64(a->dtype, a->data, ai + i * p.a_m + k * p.a_k) - za) *
                            (whet__get_i64(b->dtype, b->data, bi + k * p.b_k + j * p.b_n) - zb));
        whet__product_store(&out, y, yi + i * p.y_m + j * p.y_n, j, (int64_t)acc);
      }
  } while (whet__index_next(p.n_batch, p.batch, at));
  return WHET_OK;
}

/* Many pairs of matrices as the groups of one convolution: rows of a beside each other, then a row of the results of
 * all pairs likewise. */
static whet_status pairs(whet_planner *p, const whet_node *n, const whet_product *z) {
  int32_t out = whet__pl_group_out(p);
  int64_t groups = 1, each = z->n_batch ? z->b_batch[z->n_batch - 1] : 0;
  if (!whet__pl_takes_bytes(p, n) || whet_dtype_bits(whet__pl_dtype(p, n->in[1])) != 8) return WHET_LATE;
  for (int i = z->n_batch - 1; i >= 0; i--) {
    if (z->batch[i] > 1 && (z->b_batch[i] != each * groups || !z->a_batch[i]))
      return WHET_LATE; /* spread, or not in order */
    groups *= z->batch[i];
  }
  int64_t most = whet__max_i(z->m, groups * whet__max_i(z->k, z->n));
  if (most > INT32_MAX || !groups || !z->m || !z->n || !z->k) return WHET_LATE;
  whet_conv_q8 c = whet__pl_rows_conv(p, n, z->m, groups, z->k, z->n);
  whet_arg table;
  if (!whet__pl_product_out(p, n, &c.out, &table) || c.out.live) return WHET_LATE;
  c.w_zeros = whet__pl_w_zeros(p, n->in[1], 1);
  c.out.quick = whet__pl_product_quick(p, n, 1, z->k);
  const whet_kern *row = whet__pl_pick(p, WHET_FAMILY_conv_q8, &c, sizeof c);
  if (!row) return WHET_E_INTERNAL;
  whet_conv_q8_pack pack = {.in_zero = c.in_zero, .at_g = each, .at_o = z->b_n, .at_i = z->b_k};
  pack.shape = whet__conv_q8_shape_of(&c, (uint8_t)row->form);
  int bytes = whet_dtype_bits(whet__pl_dtype(p, out)) / 8;
  int32_t x = whet__pl_temp(p, (size_t)(z->m * groups * z->k)),
          y = whet__pl_temp(p, (size_t)(z->m * groups * z->n * bytes));
  whet_copy in = {.elem_bytes = 1, .rank = z->n_batch + 2}, back = {.rank = z->n_batch + 2};
  for (int64_t i = z->n_batch - 1, inner = 1; i >= 0; inner *= z->batch[i--]) {
    in.dim[i] = back.dim[i] = z->batch[i];
    in.in_stride[i] = z->a_batch[i], in.out_stride[i] = inner * z->k;
    back.in_stride[i] = inner * z->n, back.out_stride[i] = z->y_batch[i];
  }
  int r = z->n_batch, col = r + 1;
  in.dim[r] = back.dim[r] = z->m;
  in.dim[col] = z->k, back.dim[col] = z->n;
  in.in_stride[r] = z->a_m, in.in_stride[col] = z->a_k, in.out_stride[r] = groups * z->k, in.out_stride[col] = 1;
  back.in_stride[r] = groups * z->n, back.in_stride[col] = 1, back.out_stride[r] = z->y_m,
  back.out_stride[col] = z->y_n;
  if (x < 0 || y < 0) return whet__pl_fail(p, WHET_E_MEMORY, "out of memory");
  WHET_TRY(whet__pl_copy_args(p, whet__tm(x, true), whet__rd(n->in[0]), &in));
  whet_arg arg[5] = {whet__tm(x, false), whet__pl_weights_q8(p, n, &pack), whet__tm(y, true), table, whet__scratch()};
  double macs = (double)groups * (double)z->m * (double)z->n * (double)z->k;
  WHET_TRY(whet__pl_step(
      p, &(whet_step_req){WHET_FAMILY_conv_q8, row, &c, sizeof c, arg, 5, z->m, whet__pl_macs_q8_ns(p, macs), 0}));
  return whet__pl_copy_from(p, out, whet__tm(y, false), &back);
}

whet_status whet__matmul_q8_plan(whet_planner *p, const whet_node *n) {
  const whet_matmul *at = n->attr;
  const whet_shape *a = whet__pl_shape(p, n->in[0]), *b = whet__pl_shape(p, n->in[1]),
                   *y = whet__pl_shape(p, whet__pl_group_out(p));
  int64_t k = a->d[a->rank - 1], rows, run, pitch, step[3][WHET_MAX_RANK];
  bool raw = whet__pl_dtype(p, n->out[0]) == WHET_S32 && whet__pl_quant(p, n->out[0]) && whet__q8_tfl(n);
  const whet_quant *q = whet__pl_quant(p, n->in[1]);
  whet__pl_pitch(p, n->in[1], &rows, &run, &pitch);
  if (a->rank < 2 || b->rank < 2 || !k || raw) return WHET_LATE;
  if (b->rank == 2 && rows <= 1 && !at->trans_a) {
    int64_t cols = b->d[at->trans_b ? 0 : 1];
    return whet__pl_rows_q8(p, n, whet__shape_count(a) / k, cols, k, at->trans_b ? k : 1, at->trans_b ? 1 : cols);
  }
  if (q->n != 1) return WHET_LATE;
  whet__pl_strides(p, n->in[0], step[0]);
  whet__pl_strides(p, n->in[1], step[1]);
  whet__pl_strides(p, whet__pl_group_out(p), step[2]);
  whet_product z = whet__matmul_sizes(at, (whet_operand){a->rank, a->d, step[0]},
                                      (whet_operand){b->rank, b->d, step[1]}, (whet_operand){y->rank, y->d, step[2]});
  return pairs(p, n, &z);
}
