/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a float convolution is computed by Winograd's minimal filtering: estimates of time from products, transforms,
 * bytes of weights and caches. The same for every number of threads, so results do not depend on it. */

#include "kern/wino_f32.h"
#include "op/matrix.h"
#include "whet/program.h"

/* What an instruction set does in a nanosecond, about: multiply-adds in tiles of sums; numbers that a transform reads
 * or writes, with the traffic in the second cache that this makes. */
typedef struct rates {
  double macs, moved;
} rates;

static rates rates_of(const whet_target *t) {
  if (t->isa & WHET_ISA_AVX512) return (rates){120, 15};
  if (t->isa & WHET_ISA_AVX2) return (rates){60, 7.5};
  if (t->isa & WHET_ISA_NEON) return (rates){20, 2.5};
  return t->fast_fma ? (rates){8, 1} : (rates){0.5, 0.5};
}

/* Bytes in a nanosecond that one core reads of weights that take so many: those of a small model stay in the second
 * cache, others come from memory. */
static double reads(const whet_target *t, double bytes) { return bytes <= (double)t->cache[1] ? 150 : 14; }

/* Columns as the kernels see them: whole vectors. */
static double columns(const whet_target *t, const whet_conv_f32 *c) {
  int64_t vec = t->isa & WHET_ISA_AVX512 ? 16 : 8;
  return (double)(whet__ceil_div(c->oc, vec) * vec);
}

/* Nanoseconds of the convolution by tiles of w->m. */
static double tiles_ns(const whet_target *t, const whet_wino_f32 *w) {
  rates r = rates_of(t);
  double tiles = (double)whet__wino_tiles(w), places = (double)whet__wino_places(w->m), oc = columns(t, &w->c);
  double weights = 4 * (w->chunk ? 9 : places) * (double)w->c.ic * oc;
  double products = tiles * places * (double)w->c.ic * oc / r.macs, read = weights / reads(t, weights);
  if (w->chunk) /* weights are made for each block */
    products += (double)whet__ceil_div(whet__wino_tiles(w), w->block) * places * (double)w->c.ic * oc / r.moved;
  return (products > read ? products : read) + tiles * places * ((double)w->c.ic + oc) / r.moved;
}

/* Nanoseconds of the sums in order. */
static double direct_ns(const whet_target *t, const whet_conv_f32 *c) {
  double k = 9 * (double)c->ic * columns(t, c), bytes = t->bf16 ? 2 * k : 4 * k, read = bytes / reads(t, bytes);
  double faster = !t->bf16 ? 1 : t->isa & WHET_ISA_AMX ? 6 : 1.8; /* factors rounded to bf16 */
  double products = (double)(c->batch * c->dim[1].out * c->dim[2].out) * k / (rates_of(t).macs * faster);
  return products > read ? products : read;
}

/* Weights that change are transformed in every run, in double. */
static double changed_ns(const whet_wino_f32 *w) { return (double)(whet__wino_places(w->m) * w->c.ic * w->c.oc); }

bool whet__conv_wino(whet_planner *p, const whet_conv_f32 *c, bool constant, whet_wino_f32 *out) {
  static const char *const k_name[] = {"sums in order", "tiles of 2", "tiles of 4"};
  const whet_target *t = whet__pl_target(p);
  double best = 0.95 * direct_ns(t, c); /* what errs more must gain something */
  whet_wino_f32 w[3];
  int order[3] = {0, 1, 2};
  if (whet__pl_opts(p)->exact || !whet__wino_takes(c)) return false;
  for (int i = 1; i < 3; i++) {
    w[i] = (whet_wino_f32){.c = *c, .m = 2 * i};
    whet__wino_set_block(&w[i], whet__pl_opts(p)->prefer == WHET_PREFER_MEMORY);
    double ns = tiles_ns(t, &w[i]) + (constant ? 0 : changed_ns(&w[i]));
    if (ns >= best) continue;
    best = ns;
    order[0] = i;
  }
  if (order[0]) order[order[0]] = 0; /* the estimate's way first, the others after it */
  const char *name[3] = {k_name[order[0]], k_name[order[1]], k_name[order[2]]};
  int way = order[whet__pl_choose(p, WHET_FAMILY_wino_f32, c, sizeof *c, name, 3)];
  if (way) *out = w[way];
  return way != 0;
}

static const whet_pack_kind k_kind = {"winograd weights", sizeof(whet_wino_pack_f32), whet__wino_pack_f32_bytes,
                                      whet__wino_pack_f32, true};

whet_status whet__pl_wino(whet_planner *p, const whet_node *n, const whet_wino_f32 *w, const whet_pack_f32 *pack,
                          int32_t res) {
  const whet_kern *row = whet__kern_pick(WHET_FAMILY_wino_f32, whet__pl_target(p), false, w);
  if (!row) return whet__pl_fail(p, WHET_E_INTERNAL, "no kernel of family wino_f32 fits");
  whet_wino_pack_f32 k = {.pack = *pack, .m = w->m};
  k.pack.form = row->form;
  int32_t bias = n->n_in > 2 ? n->in[2] : -1;
  whet_arg weights = w->chunk ? whet__pl_panels(p, &k.pack, n->in[1], bias)
                              : whet__pl_weights(p, &k_kind, &k, n->in[1], bias);
  whet_arg arg[5] = {whet__rd(n->in[0]), whet__wr(whet__pl_group_out(p)), weights, whet__rd(res), whet__scratch()};
  int64_t tiles = whet__wino_tiles(w);
  return whet__pl_step(p, &(whet_step_req){WHET_FAMILY_wino_f32, row, w, sizeof *w, arg, 5,
                                           whet__max_i(tiles / 4, whet__panel_count(row->form, w->c.oc)),
                                           tiles_ns(whet__pl_target(p), w), .pieces = 1});
}
