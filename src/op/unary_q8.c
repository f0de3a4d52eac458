/* SPDX-License-Identifier: Apache-2.0 */
/* Unary operators on quantised numbers of 8 or 16 bits: the real function between dequantisation and quantisation.
 *
 *   y = clamp(round(f(sx (x - zx)) / sy) + zy); half to even under WHET_ROUND_ONNX_REAL, else away from zero
 *
 * in double, rounded once. An output without quantisation is stored as a plain number. */

#include "op/unary_q8.h"

#include <math.h>

#include "op/unary.h"
#include "op/walk.h"

whet_status whet__unary_q8_plan(whet_planner *p, const whet_node *n) { return WHET_LATE; }

whet_status whet__unary_q8_ref(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  const whet_unary_row *row = whet__unary_row(arg->node->op);
  const whet_unary_attr *at = arg->attr;
  double a = at ? at->a : 0, b = at ? at->b : 0, sx = x->q->scale[0], sy = y->q ? y->q->scale[0] : 1;
  int64_t zx = x->q->zero[0], zy = y->q ? y->q->zero[0] : 0;
  int64_t lo = whet__dtype_min(y->dtype), hi = whet__dtype_max(y->dtype);
  bool even = arg->node->round == WHET_ROUND_ONNX_REAL;
  whet_walk w;
  whet__walk_init(&w, x->rank, x->dim);
  whet__walk_add(&w, x);
  whet__walk_add(&w, y);
  while (whet__walk_row(&w))
    for (int64_t i = 0; i < w.run; i++) {
      double v = sx * (double)(whet__get_i64(x->dtype, x->data, w.at[0] + i * w.step[0]) - zx);
      v = row->to_bool || !y->q ? row->f64(v, a, b) : row->f64(v, a, b) / sy;
      v = (even ? rint(v) : round(v)) + (double)zy;
      int64_t r = isnan(v) ? zy : v <= (double)lo ? lo : v >= (double)hi ? hi : (int64_t)v;
      whet__set_i64(y->dtype, y->data, w.at[1] + i * w.step[1], r);
    }
  return WHET_OK;
}
