/* SPDX-License-Identifier: Apache-2.0 */
/* Reductions of quantised numbers of 8 or 16 bits.
 *
 * Max and Min compare the stored numbers and rescale the winner; Sum, Mean and Prod take the real numbers s (x - z),
 * in double, and quantise the result: half to even under WHET_ROUND_ONNX_REAL, else away from zero. */

#include "op/reduce_q8.h"

#include <math.h>

#include "op/move.h"
#include "op/reduce.h"
#include "op/walk.h"

whet_status whet__reduce_q8_plan(whet_planner *p, const whet_node *n) { return WHET_LATE; }

/* The real result of one output: elements of the box `dim` with strides `stride` from element `at` on. */
static double one(const char *name, const whet_tensor *x, int64_t at, int32_t rank, const int64_t *dim,
                  const int64_t *stride, int64_t n) {
  bool max = !strcmp(name, "ReduceMax"), min = !strcmp(name, "ReduceMin"), prod = !strcmp(name, "ReduceProd");
  double s = max ? -INFINITY : min ? INFINITY : prod ? 1 : 0;
  int64_t k[WHET_MAX_RANK] = {0};
  for (int64_t i = 0; i < n; i++) {
    int64_t q = whet__get_i64(x->dtype, x->data, at + whet__index_offset(rank, k, stride));
    double v = (double)(q - x->q->zero[0]);
    s = max ? fmax(s, v) : min ? fmin(s, v) : prod ? s * (v * (double)x->q->scale[0]) : s + v;
    whet__index_next(rank, dim, k);
  }
  if (!strcmp(name, "ReduceMean")) s /= (double)n;
  return prod ? s : s * (double)x->q->scale[0];
}

whet_status whet__reduce_q8_ref(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  const char *name = arg->node->op->name;
  bool known = !strcmp(name, "ReduceMax") || !strcmp(name, "ReduceMin") || !strcmp(name, "ReduceSum") ||
               !strcmp(name, "ReduceMean") || !strcmp(name, "ReduceProd");
  if (!known) return whet__fail(arg->err, WHET_E_UNSUPPORTED, "%s of quantised numbers", name);
  bool mark[WHET_MAX_RANK] = {false};
  whet__ref_reduce_axes(arg, mark);
  int64_t kd[WHET_MAX_RANK], ks[WHET_MAX_RANK], rd[WHET_MAX_RANK], rs[WHET_MAX_RANK], k[WHET_MAX_RANK] = {0}, n = 1;
  int32_t nk = 0, nr = 0;
  for (int32_t i = 0; i < x->rank; i++)
    if (mark[i])
      rd[nr] = x->dim[i], rs[nr++] = x->stride[i], n *= x->dim[i];
    else
      kd[nk] = x->dim[i], ks[nk++] = x->stride[i];
  for (int64_t o = 0, count = whet__tensor_count(y); o < count; o++) {
    double v = one(name, x, whet__index_offset(nk, k, ks), nr, rd, rs, n);
    whet__set_real(y, whet__flat_offset(y, o), v, (whet_round)arg->node->round);
    whet__index_next(nk, kd, k);
  }
  return WHET_OK;
}
