/* SPDX-License-Identifier: Apache-2.0 */
/* Float convolutions one after the other in one step, where what lies between them would leave the second cache:
 * depthwise ones with what makes their input and what uses their output. */

#include "kern/chain_f32.h"
#include "op/matrix.h"
#include "op/tile.h"
#include "whet/program.h"

/* Can n be a stage, and is it one whose rows are worth being made some at a time? Winograd wants tiles of many. */
static bool stage(const whet_planner *p, const whet_node *n, whet_conv_geo *g) {
  const whet_conv_attr *a = n->attr;
  if (strcmp(n->op->name, "Conv") || !a->last || whet__pl_dtype(p, n->in[0]) != WHET_F32 ||
      whet__pl_dtype(p, n->in[1]) != WHET_F32)
    return false;
  *g = whet__conv_plan_geo(p, n, false);
  if (g->n != 2) return false;
  bool filtered = g->groups == 1;
  for (int d = 1; d < 3; d++) {
    filtered &= g->kernel[d] == 3 && g->stride[d] == 1 && g->dilation[d] == 1;
    if (g->pad[d] >= g->kernel[d] || g->dilation[d] != 1 || g->stride[d] > g->kernel[d]) return false;
  }
  return !filtered && (g->groups == 1 || (g->ic == 1 && g->oc == 1));
}

int whet__conv_stages(const whet_planner *p, const whet_node *n, bool *res) {
  whet_epi_f32 epi;
  int32_t other;
  int stages = 0;
  *res = false;
  for (int k = 0; n; n = whet__pl_member(p, n), k++) {
    if (strcmp(n->op->name, "Conv")) continue;
    stages++;
    whet__pl_epi_f32(p, n, &epi, &other);
    *res |= other >= 0;
  }
  return stages;
}

/* A depthwise stage makes no row twice for the product of single taps after it, whose few weights each core keeps: then threads
 * exchange less, as those that share rows need no one's results in between. */
static bool shares_rows(const whet_planner *p, const whet_conv_geo *a, const whet_conv_geo *b, const whet_node *next) {
  const whet_target *t = whet__pl_target(p);
  bool plain = !t->bf16 && !(t->isa & WHET_ISA_AMX); /* all products are done by the same rows */
  return plain && a->groups > 1 && b->kernel[1] * b->kernel[2] == 1 && 4 * b->ic * b->oc <= (int64_t)whet__pl_l2_kb(p) << 6 &&
         !whet__pl_mostly_zero(p, next->in[1]);
}

bool whet__conv_takes_conv(const whet_planner *p, const whet_node *conv, const whet_node *next) {
  whet_conv_geo a, b;
  if (!stage(p, conv, &a) || !stage(p, next, &b) || (a.groups == 1) == (b.groups == 1)) return false;
  if (shares_rows(p, &a, &b, next)) return true;
  return 4.0 * (double)(a.out[1] * a.out[2]) * (double)(a.groups * a.oc) > 512.0 * (double)whet__pl_l2_kb(p);
}

whet_status whet__pl_conv_chain(whet_planner *p, const whet_node *n) {
  whet_chain_f32 k = {0};
  whet_pack_f32 pack[WHET_CHAIN_MAX];
  const whet_node *node[WHET_CHAIN_MAX];
  whet_arg arg[WHET_CHAIN_ARGS];
  whet_conv_geo g;
  int32_t res = -1;
  double macs = 0;
  for (int i = 0; i < WHET_CHAIN_ARGS; i++) arg[i] = whet__none();
  for (const whet_node *m = n; m; m = whet__pl_member(p, m)) {
    if (strcmp(m->op->name, "Conv")) continue;
    g = whet__conv_plan_geo(p, m, false);
    whet__pl_conv_f32(p, m, &g, &k.stage[k.n], &res);
    pack[k.n] = whet__conv_packing(p, m, &g);
    if (g.groups > 1) pack[k.n].groups = 1, pack[k.n].n = g.groups, pack[k.n].n_step = g.w_group;
    macs += (double)(g.batch * g.out[1] * g.out[2]) * (double)(g.groups * g.oc) *
            (double)whet__pack_f32_k(&pack[k.n]) * (g.groups > 1 ? 3 : 1);
    node[k.n++] = m;
  }
  whet__chain_set_rows(&k);
  const whet_kern *row = whet__pl_pick(p, WHET_FAMILY_chain_f32, &k, sizeof k);
  if (!row) return WHET_E_INTERNAL;
  for (int s = 0; s < k.n; s++) {
    pack[s].form = whet__chain_form(row, &k.stage[s]);
    arg[2 + s] = whet__pl_panels(p, &pack[s], node[s]->in[1], node[s]->n_in > 2 ? node[s]->in[2] : -1);
  }
  arg[0] = whet__rd(n->in[0]);
  arg[1] = whet__wr(whet__pl_group_out(p));
  arg[WHET_CHAIN_RES] = whet__rd(res);
  arg[WHET_CHAIN_RES + 1] = whet__scratch();
  return whet__pl_step(p, &(whet_step_req){WHET_FAMILY_chain_f32, row, &k, sizeof k, arg, WHET_CHAIN_ARGS,
                                           whet__max_i(g.batch * g.out[1] / 2, 1), whet__pl_macs_ns(p, macs), .pieces = 1});
}
