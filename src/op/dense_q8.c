/* SPDX-License-Identifier: Apache-2.0 */
/* Dense on quantised numbers of 8 or 16 bits: y = clamp(rescaled(bias[n] + sum of (x - zx) * (w - zw[n])) + zy) with
 * the rule of the node; a result without quantisation is the sum itself. 8-bit data run on family conv_q8, as a
 * convolution of one row of pixels. */

#include "base/dtype.h"
#include "op/dense.h"
#include "op/matrix.h"
#include "op/move.h"
#include "op/product_q8.h"

whet_status whet__dense_q8_ref(const whet_args *args) {
  const whet_dense *a = args->attr;
  const whet_tensor *x = &args->in[0], *w = &args->in[1], *b = args->n_in > 2 ? &args->in[2] : NULL,
                    *y = &args->out[0];
  whet_dense_geo g = whet__dense_geo(a, whet__tensor_count(x), w->dim);
  whet_product_out out = whet__product_out(args);
  int64_t wn = w->stride[a->kn ? 1 : 0], wk = w->stride[a->kn ? 0 : 1], zx = x->q->zero[0];
  for (int64_t i = 0; i < g.m; i++)
    for (int64_t j = 0; j < g.n; j++) {
      uint64_t acc = b && b->data ? (uint64_t)whet__get_i64(b->dtype, b->data, whet__flat_offset(b, j)) : 0;
      int64_t zw = whet__q_zero(out.w, j);
      for (int64_t k = 0; k < g.k; k++)
        acc += (uint64_t)((whet__get_i64(x->dtype, x->data, whet__flat_offset(x, i * g.k + k)) - zx) *
                          (whet__get_i64(w->dtype, w->data, j * wn + k * wk) - zw));
      whet__product_store(&out, y, whet__flat_offset(y, i * g.n + j), j, (int64_t)acc);
    }
  return WHET_OK;
}

whet_status whet__pl_rows_q8(whet_planner *p, const whet_node *n, int64_t m, int64_t cols, int64_t k, int64_t at_o,
                             int64_t at_i) {
  int32_t out = whet__pl_group_out(p);
  whet_row_view xv, yv;
  if (!whet__pl_takes_bytes(p, n)) return WHET_LATE;
  if (!whet__pl_row_view(p, n->in[0], k, &xv) || !whet__pl_row_view(p, out, cols, &yv)) return WHET_LATE;
  if (xv.chunk < m || yv.chunk < m || m > INT32_MAX || !k) return WHET_LATE;
  whet_conv_q8 c = whet__pl_rows_conv(p, n, m, 1, k, cols);
  c.in_pitch = xv.ld, c.out_pitch = yv.ld;
  whet_arg table;
  if (!whet__pl_product_out(p, n, &c.out, &table)) return WHET_LATE;
  whet_arg arg[WHET_PRODUCT_ARGS];
  int n_arg;
  if (!whet__pl_product_live(p, &c, arg, &n_arg)) return WHET_LATE;
  c.w_zeros = whet__pl_w_zeros(p, n->in[1], cols);
  c.out.quick = whet__pl_product_quick(p, n, cols, k);
  const whet_kern *row = whet__pl_pick(p, WHET_FAMILY_conv_q8, &c, sizeof c);
  if (!row) return WHET_E_INTERNAL;
  whet_conv_q8_pack pack = {.in_zero = c.in_zero, .at_o = at_o, .at_i = at_i};
  pack.shape = whet__conv_q8_shape_of(&c, (uint8_t)row->form);
  arg[0] = whet__rd(n->in[0]), arg[1] = whet__pl_weights_q8(p, n, &pack), arg[2] = whet__wr(out), arg[3] = table, arg[4] = whet__scratch();
  double macs = (double)m * (double)cols * (double)k;
  return whet__pl_step(p, &(whet_step_req){WHET_FAMILY_conv_q8, row, &c, sizeof c, arg, n_arg, whet__max_i(m, cols / 64),
                                           whet__pl_product_ns(whet__pl_macs_q8_ns(p, macs), macs, m, 1),
                                           cols * k > m * (cols + k) ? 1 : whet__max_i(m / 48, 1)});
}

whet_status whet__dense_q8_plan(whet_planner *p, const whet_node *n) {
  const whet_dense *a = n->attr;
  whet_dense_geo g =
      whet__dense_geo(a, whet__shape_count(whet__pl_shape(p, n->in[0])), whet__pl_shape(p, n->in[1])->d);
  return whet__pl_rows_q8(p, n, g.m, g.n, g.k, a->kn ? 1 : g.k, a->kn ? g.n : 1);
}
