/* SPDX-License-Identifier: Apache-2.0 */
/* Quantised MatMul: refused by name. */

#include "op/dense.h"

whet_status whet__matmul_q8_plan(whet_planner *p, const whet_node *n) {
  return whet__pl_fail(p, WHET_E_UNSUPPORTED, "quantised input");
}
whet_status whet__matmul_q8_ref(const whet_args *a) {
  return whet__fail(a->err, WHET_E_UNSUPPORTED, "MatMul: quantised input");
}
