/* SPDX-License-Identifier: Apache-2.0 */
/* Linear resizing of two neighbouring dimensions, planned as a kernel: float32 as reals, quantised numbers as resize_q8.c
 * says. */

#include "op/move.h"
#include "op/resize.h"
#include "op/walk.h"

/* Do dimensions from .. to-1 lie like one? */
static bool collapse(const whet_shape *s, const int64_t *stride, int32_t from, int32_t to) {
  for (int32_t d = from; d + 1 < to; d++)
    if (s->d[d] > 1 && stride[d] != stride[d + 1] * s->d[d + 1]) return false;
  return true;
}

whet_status whet__pl_resize_lin(whet_planner *p, const whet_node *n, int32_t h, uint8_t kind,
                                const whet_resize_place *places) {
  const whet_shape *x = whet__pl_shape(p, n->in[0]), *y = whet__pl_shape(p, n->out[0]);
  int32_t w = h + 1, rank = x->rank;
  int64_t in[WHET_MAX_RANK], out[WHET_MAX_RANK];
  whet__pl_strides(p, n->in[0], in);
  whet__pl_strides(p, n->out[0], out);
  whet_resize_lin k = {.kind = kind,
                       .outer = whet__dim_product(x->d, 0, h),
                       .out_h = y->d[h],
                       .in_w = x->d[w],
                       .out_w = y->d[w],
                       .inner = whet__dim_product(x->d, w + 1, rank),
                       .in_outer = h ? in[h - 1] : 0,
                       .in_row = in[h],
                       .in_pixel = in[w],
                       .out_outer = h ? out[h - 1] : 0,
                       .out_row = out[h],
                       .out_pixel = out[w]};
  bool dense = w + 1 == rank || (in[rank - 1] == 1 && out[rank - 1] == 1);
  if (!dense || !collapse(x, in, 0, h) || !collapse(y, out, 0, h) || !collapse(x, in, w + 1, rank) ||
      !collapse(y, out, w + 1, rank))
    return WHET_LATE;
  int64_t count = whet__shape_count(y);
  int32_t table = whet__pl_blob(p, places, (size_t)(k.out_h + k.out_w) * sizeof *places);
  whet_arg arg[] = {whet__rd(n->in[0]), whet__bl(table), whet__wr(n->out[0]), whet__scratch()};
  return whet__pl_kern(p, WHET_FAMILY_resize_lin, &k, sizeof k, arg, WHET_COUNT(arg), k.outer * k.out_h,
                       (double)count * 0.4);
}
