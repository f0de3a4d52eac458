/* SPDX-License-Identifier: Apache-2.0 */
/* Unary operators on quantised numbers of 8 or 16 bits: the real function between dequantisation and quantisation.
 *
 *   y = clamp(round(f(sx (x - zx)) / sy) + zy); half to even under WHET_ROUND_ONNX_REAL, else away from zero
 *
 * in double, rounded once. An output without quantisation is stored as a plain number. */

#include "op/unary_q8.h"

#include "op/unary.h"
#include "op/walk.h"

whet_status whet__unary_q8_plan(whet_planner *p, const whet_node *n) { return WHET_LATE; }

whet_status whet__unary_q8_ref(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  const whet_unary_row *row = whet__unary_row(arg->node->op);
  const whet_unary_attr *at = arg->attr;
  double a = at ? at->a : 0, b = at ? at->b : 0;
  whet_walk w;
  whet__walk_init(&w, x->rank, x->dim);
  whet__walk_add(&w, x);
  whet__walk_add(&w, y);
  while (whet__walk_row(&w))
    for (int64_t i = 0; i < w.run; i++) {
      double v = row->f64(whet__get_real(x, w.at[0] + i * w.step[0]), a, b);
      whet__set_real(y, w.at[1] + i * w.step[1], v, (whet_round)arg->node->round);
    }
  return WHET_OK;
}
