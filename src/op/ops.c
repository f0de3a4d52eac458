/* SPDX-License-Identifier: Apache-2.0 */
/* The table of operators. */

#include "op/op.h"

#define OP(name, file) extern const whet_op whet_op_##name;
#include "op/ops.def"
#undef OP

const whet_op *const whet__ops[] = {
#define OP(name, file) &whet_op_##name,
#include "op/ops.def"
#undef OP
};
const size_t whet__n_ops = sizeof whet__ops / sizeof whet__ops[0];

const whet_op *whet__op_find(const char *name) {
  size_t lo = 0, hi = whet__n_ops;
  while (lo < hi) {
    size_t mid = (lo + hi) / 2;
    int c = strcmp(name, whet__ops[mid]->name);
    if (!c) return whet__ops[mid];
    if (c < 0)
      hi = mid;
    else
      lo = mid + 1;
  }
  return NULL;
}
