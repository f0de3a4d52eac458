/* SPDX-License-Identifier: Apache-2.0 */
/* Binary operators on quantised numbers of 8 or 16 bits: the real function between dequantisation and quantisation.
 *
 *   z = clamp(round(f(sx (x - zx), sy (y - zy)) / sz) + zz); half to even under WHET_ROUND_ONNX_REAL, else away from
 * zero
 *
 * in double, rounded once. Operands and results without quantisation are plain numbers. */

#include "op/binary_q8.h"

#include "op/binary.h"
#include "op/walk.h"

whet_status whet__binary_q8_plan(whet_planner *p, const whet_node *n) { return WHET_LATE; }

whet_status whet__binary_q8_ref(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *y = &arg->in[1], *z = &arg->out[0];
  const whet_binary_row *r = whet__binary_row(arg->node->op);
  const whet_binary_attr *at = arg->attr;
  whet_walk w;
  whet__walk_init(&w, z->rank, z->dim);
  whet__walk_add(&w, x);
  whet__walk_add(&w, y);
  whet__walk_add(&w, z);
  while (whet__walk_row(&w))
    for (int64_t i = 0; i < w.run; i++) {
      double a = whet__get_real(x, w.at[0] + i * w.step[0]), b = whet__get_real(y, w.at[1] + i * w.step[1]);
      whet__set_real(z, w.at[2] + i * w.step[2], r->f64(a, b, at ? at->mode : 0), (whet_round)arg->node->round);
    }
  return WHET_OK;
}
