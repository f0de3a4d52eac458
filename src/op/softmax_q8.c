/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax on quantised numbers of 8 or 16 bits: the real function between dequantisation and quantisation, in double.
 */

#include "op/softmax.h"

whet_status whet__softmax_q8_plan(whet_planner *p, const whet_node *n) { return WHET_LATE; }

whet_status whet__softmax_q8_ref(const whet_args *a) {
  whet__softmax_real(a);
  return WHET_OK;
}
