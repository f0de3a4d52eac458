/* SPDX-License-Identifier: Apache-2.0 */
/* Binary operators on quantised numbers of 8 or 16 bits: the real function between dequantisation and quantisation.
 *
 *   z = clamp(round(f(sx (x - zx), sy (y - zy)) / sz) + zz); half to even under WHET_ROUND_ONNX_REAL, else away from
 * zero
 *
 * in double, rounded once. Operands and results without quantisation are plain numbers. */

#include "op/binary_q8.h"

#include <math.h>

#include "op/binary.h"
#include "op/walk.h"

/* Element i as a real number. */
static double real_of(const whet_tensor *t, int64_t i) {
  if (!t->q) return whet__get_f64(t->dtype, t->data, i);
  return (double)t->q->scale[0] * (double)(whet__get_i64(t->dtype, t->data, i) - t->q->zero[0]);
}

whet_status whet__binary_q8_plan(whet_planner *p, const whet_node *n) { return WHET_LATE; }

whet_status whet__binary_q8_ref(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *y = &arg->in[1], *z = &arg->out[0];
  const whet_binary_row *r = whet__binary_row(arg->node->op);
  const whet_binary_attr *at = arg->attr;
  double scale = z->q ? z->q->scale[0] : 1;
  int64_t zero = z->q ? z->q->zero[0] : 0, lo = whet__dtype_min(z->dtype), hi = whet__dtype_max(z->dtype);
  bool even = arg->node->round == WHET_ROUND_ONNX_REAL;
  whet_walk w;
  whet__walk_init(&w, z->rank, z->dim);
  whet__walk_add(&w, x);
  whet__walk_add(&w, y);
  whet__walk_add(&w, z);
  while (whet__walk_row(&w))
    for (int64_t i = 0; i < w.run; i++) {
      double v = r->f64(real_of(x, w.at[0] + i * w.step[0]), real_of(y, w.at[1] + i * w.step[1]), at ? at->mode : 0);
      if (r->kind != WHET_BINARY_BOOL) v /= scale;
      v = (even ? rint(v) : round(v)) + (double)zero;
      int64_t k = isnan(v) ? zero : v <= (double)lo ? lo : v >= (double)hi ? hi : (int64_t)v;
      whet__set_i64(z->dtype, z->data, w.at[2] + i * w.step[2], k);
    }
  return WHET_OK;
}
