/* SPDX-License-Identifier: Apache-2.0 */
/* MatMul on quantised numbers of 8 or 16 bits: y = clamp(rescaled(sum of (a - za) * (b - zb)) + zy) with the rule of
 * the node; a result without quantisation is the sum itself. alpha must be 1. 8-bit rows times one matrix run on
 * family conv_q8; products of many pairs on the reference. */

#include "base/dtype.h"
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

whet_status whet__matmul_q8_plan(whet_planner *p, const whet_node *n) {
  const whet_matmul *at = n->attr;
  const whet_shape *a = whet__pl_shape(p, n->in[0]), *b = whet__pl_shape(p, n->in[1]);
  int64_t k = a->d[a->rank - 1], rows, run, pitch;
  whet__pl_pitch(p, n->in[1], &rows, &run, &pitch);
  if (at->trans_a || a->rank < 2 || b->rank != 2 || rows > 1 || !k) return WHET_LATE;
  int64_t cols = b->d[at->trans_b ? 0 : 1];
  return whet__pl_rows_q8(p, n, whet__shape_count(a) / k, cols, k, at->trans_b ? k : 1, at->trans_b ? 1 : cols);
}
