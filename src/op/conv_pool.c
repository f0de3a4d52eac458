/* SPDX-License-Identifier: Apache-2.0 */
/* A float convolution with the MaxPool after it in one step, where what lies between them would leave the second
 * cache. */

#include "kern/convpool_f32.h"
#include "op/matrix.h"
#include "op/pool.h"
#include "whet/program.h"

bool whet__conv_takes_pool(const whet_planner *p, const whet_node *conv, const whet_node *pool) {
  const whet_conv_attr *a = conv->attr;
  const whet_pool_attr *b = pool->attr;
  if (strcmp(conv->op->name, "Conv") || strcmp(pool->op->name, "MaxPool") || pool->n_out > 1 || !a->last || !b->last ||
      whet__pl_dtype(p, conv->in[0]) != WHET_F32 || whet__pl_dtype(p, conv->in[1]) != WHET_F32 || b->global)
    return false;
  whet_conv_geo c = whet__conv_plan_geo(p, conv, false);
  whet_pool_geo g = whet__pl_pool_geo(p, pool);
  if (c.n != 2 || g.n != 2 || c.groups != 1) return false;
  bool filtered = true; /* for Winograd */
  for (int d = 1; d < 3; d++) {
    filtered &= c.kernel[d] == 3 && c.stride[d] == 1 && c.dilation[d] == 1;
    if (g.dilation[d] != 1 || g.stride[d] > g.kernel[d] || g.kernel[d] > 4) return false;
  }
  double bytes = 4.0 * (double)(c.batch * c.out[1] * c.out[2]) * (double)c.oc;
  return !filtered && bytes > 512.0 * (double)whet__pl_l2_kb(p);
}

whet_status whet__pl_conv_pool(whet_planner *p, const whet_node *n, const whet_node *pool, const whet_conv_f32 *c,
                               whet_pack_f32 *pack) {
  whet_pool_geo g = whet__pl_pool_geo(p, pool);
  int32_t out = pool->out[0], bias = n->n_in > 2 ? n->in[2] : -1;
  int64_t rows, run, pitch;
  whet_convpool_f32 k = {.conv = *c, .pool = {.fn = WHET_POOL_F32_MAX, .batch = g.batch, .chan = g.chan}};
  for (int d = 0; d < 3; d++) {
    k.pool.in[d] = g.in[d], k.pool.out[d] = g.out[d], k.pool.kernel[d] = g.kernel[d], k.pool.stride[d] = g.stride[d];
    k.pool.dilation[d] = g.dilation[d], k.pool.pad[d] = g.pad[d], k.pool.pad_end[d] = g.pad_end[d];
  }
  whet__pl_pitch(p, out, &rows, &run, &pitch);
  if (rows > 1 && run != pitch && run != g.chan) return WHET_LATE;
  k.pool.y_pitch = rows > 1 && run == g.chan ? pitch : g.chan;
  k.pool.x_pitch = g.chan;
  whet__convpool_set_rows(&k);
  const whet_kern *row = whet__pl_pick(p, WHET_FAMILY_convpool_f32, &k, sizeof k);
  if (!row) return WHET_E_INTERNAL;
  pack->form = row->form;
  whet_arg arg[5] = {whet__rd(n->in[0]), whet__wr(out), whet__pl_panels(p, pack, n->in[1], bias), whet__none(),
                     whet__scratch()};
  double macs = (double)(g.batch * g.in[1] * g.in[2] * g.chan) * (double)whet__pack_f32_k(pack);
  return whet__pl_step(p, &(whet_step_req){WHET_FAMILY_convpool_f32, row, &k, sizeof k, arg, 5,
                                           whet__max_i(g.batch * g.out[1] / 4, 1), whet__pl_macs_ns(p, macs), .pieces = 1});
}
