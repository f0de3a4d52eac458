/* SPDX-License-Identifier: Apache-2.0 */
/* Pads before a window become the window's own.
 *
 *   x ─▶ Pad(zeros) ─▶ Conv(no pads)          becomes   x ─▶ Conv(pads)
 *   x ─▶ Pad(lowest) ─▶ MaxPool(no pads)      becomes   x ─▶ MaxPool(pads)
 *
 * TFLite's padding is SAME or none, so its files hold such Pads. */

#include <float.h>

#include "base/dtype.h"
#include "export/export.h"
#include "op/conv.h"
#include "op/pool.h"
#include "pass/pass.h"

/* The Pad that makes v for this user alone, with constant pads and the value that a window wants; NULL: none. */
static const whet_node *pad_of(const whet_pass *p, const whet_uses *u, int32_t v, bool lowest, int64_t *pads) {
  int32_t m = v < 0 ? -1 : u->maker[v], rank = v < 0 ? 0 : p->g->val[v].shape.rank;
  const whet_node *n = m < 0 ? NULL : &p->g->node[m];
  if (!n || !whet__is_op(n, "Pad") || u->count[v] != 1 || p->g->val[v].dtype != WHET_F32 || whet__at_int(n, "mode")) return NULL;
  const whet_data *d = n->n_in > 1 ? whet__pass_const(p, n->in[1]) : NULL;
  const whet_data *fill = n->n_in > 2 ? whet__pass_const(p, n->in[2]) : NULL;
  if (!d || (n->n_in > 2 && n->in[2] >= 0 && !fill) || (n->n_in > 3 && n->in[3] >= 0)) return NULL;
  double value = fill ? whet__get_f64((whet_dtype)p->g->val[n->in[2]].dtype, fill->p, 0) : 0;
  if (lowest ? value > -FLT_MAX : value != 0) return NULL;
  int64_t count = whet__shape_count(&p->g->val[n->in[1]].shape);
  if (rank < 3 || count != 2 * rank) return NULL;
  for (int64_t i = 0; i < count; i++) {
    int64_t x = whet__get_i64((whet_dtype)p->g->val[n->in[1]].dtype, d->p, i);
    if (x < 0) return NULL;
    pads[whet__at_int(n, "pairs") ? i % 2 * rank + i / 2 : i] = x;
  }
  return n;
}

static whet_status region(whet_pass *p, whet_region *r) {
  whet_uses u;
  if (!whet__graph_uses(p->g, &p->a, &u)) return whet__pass_full(p);
  for (int32_t i = 0; i < r->n_node; i++) {
    int32_t id = r->node[i];
    bool conv = whet__is_op(&p->g->node[id], "Conv"), pool = whet__is_op(&p->g->node[id], "MaxPool");
    if (!conv && !pool) continue;
    int64_t pads[2 * WHET_MAX_RANK];
    int32_t v = p->g->node[id].in[0], rank = v < 0 ? 0 : p->g->val[v].shape.rank;
    const whet_node *n = pad_of(p, &u, v, pool, pads);
    if (!n) continue;
    whet_edit e = {.pass = p, .g = p->g, .r = r, .at = i};
    whet_conv_attr *c = conv ? whet__ed_attr(&e, id) : NULL;
    whet_pool_attr *w = pool ? whet__ed_attr(&e, id) : NULL;
    if (!c && !w) return whet__pass_full(p);
    bool last = c ? c->last : w->last, none = c ? c->pad_mode == WHET_CONV_VALID || (c->pad_mode == WHET_CONV_PADS && !c->pads.n)
                                                : w->pad_mode == WHET_POOL_VALID || (w->pad_mode == WHET_POOL_PADS && !w->pads.n);
    int32_t chan = last ? rank - 1 : 1, space = last ? 1 : 2;
    if (!none || pads[0] || pads[rank] || pads[chan] || pads[rank + chan]) continue;
    int64_t *own = whet__arena_array(&p->g->arena, 2 * (size_t)rank, sizeof *own);
    if (!own) return whet__pass_full(p);
    for (int32_t k = 0; k < rank - 2; k++) own[k] = pads[space + k], own[rank - 2 + k] = pads[rank + space + k];
    if (c) c->pads = (whet_ints){own, 2 * (rank - 2)}, c->pad_mode = WHET_CONV_PADS;
    if (w) w->pads = (whet_ints){own, 2 * (rank - 2)}, w->pad_mode = WHET_POOL_PADS;
    p->g->node[id].in[0] = n->in[0];
    p->changed = true;
  }
  return WHET_OK;
}

whet_status whet__export_join_pads(struct whet_pass *p) { return whet__pass_regions(p, region); }
