/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_q8 on AMX (Intel SDM 1, chapter 18). tdpbusd multiplies a tile of 16 results by 64 activations with a
 * tile of 64 weights by 16 outputs in 16 cycles. Pixels in memory are rows of a tile as they lie, and a panel of form
 * 5 is tiles of weights one after the other: nothing is moved for them. conv_q8_amx_cut.h says how a convolution
 * becomes tiles, conv_q8_amx_flow.h how they become results. */

#include "kern/x86/conv_q8_amx_flow.h"

/* Panel i of group g, w->out being the strip's first result. */
static void panel_of(const whet_conv_q8 *p, const cut *c, const char *pack, int64_t g, int64_t i, work *w) {
  const size_t bytes = whet_dtype_bits(p->out.dtype) / 8;
  const int64_t first = i * c->panel, at = (g * c->l.blocks + first) * 16;
  w->b = (const int8_t *)pack + c->l.weights + (size_t)g * c->l.group + first * w->apart;
  w->wide = whet__min_i(c->panel, c->l.blocks - first);
  w->bias = (const int32_t *)(const void *)pack + at;
  w->f = whet__factors_at(&p->out, pack + c->l.factors, c->l.n, at);
  w->out += (size_t)(g * c->l.oc + first * 16) * bytes;
  w->cols = whet__min_i(16 * w->wide, c->l.oc - first * 16);
  w->pitch = p->out_pitch * (int64_t)bytes;
  w->keep = w->cols == 64 ? ~UINT64_C(0) : (UINT64_C(1) << w->cols) - 1;
  int how = out_way_for(&p->out, &w->f, w->cols);
  if (how == OUT_REAL32 && p->out.quick) how = OUT_NEAR;
  w->finish = how == OUT_NEAR      ? finish_near
              : how == OUT_HALF_UP ? finish_half_up
              : how == OUT_HALF    ? finish_half
              : how == OUT_FIX     ? finish_fix
                                   : finish_any;
  if (w->finish == finish_any) return;
  w->straight = w->cols == 64;
  w->bound = out_bounds(&p->out);
  _Pragma("GCC unroll 1") for (int64_t j = 0; j < 4; j++) w->g[j] =
      out_load(&w->f, 16 * whet__min_i(w->wide == 2 ? j & 1 : j, w->wide - 1), how);
}

/* The weights of panel i + 1 of one group come nearer while panel i goes so many times through its steps. */
static void look_ahead(const cut *c, const work *w, int64_t i, int64_t walks, flow *f) {
  int64_t next = whet__clamp_i(c->l.blocks - (i + 1) * c->panel, 0, c->panel);
  f->ahead = w->b + c->panel * w->apart;
  f->end = f->ahead + next * w->apart;
  f->lines = whet__ceil_div(next * w->apart / 64, walks * c->n_seg * c->steps);
}

static void start(const cut *c, flow *f) {
  const int64_t steps = c->n_seg * c->steps;
  f->made = &f->blocks[0];
  f->stored = &f->blocks[1];
  f->made->left = f->stored->left = 0;
  f->now = 0;
  f->every = whet__max_i(steps / 4, 1);
  f->share = whet__ceil_div(ROWS, whet__max_i(steps / f->every, 1));
  f->early = steps == 1 ? ROWS / 4 : 0;
  f->ahead = f->end = NULL;
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_conv_q8 *p = params;
  cut c;
  cut_for(p, &c);
  uint8_t *buf = ptr[4];
  int64_t *seg = (int64_t *)(void *)(buf + c.seg_at);
  const size_t bytes = whet_dtype_bits(p->out.dtype) / 8;
  const int64_t across = c.n_seg / p->kh, panels = whet__ceil_div(c.l.blocks, c.panel);
  for (int64_t s = 0; s < c.n_seg; s++) seg[s] = seg_of(p, &c, s / across, s % across);
  int64_t from = 0, to = c.lines, p0 = 0, p1 = panels * p->groups;
  if (p1 >= parts && c.total <= 784)
    whet__split(p1, part, parts, &p0, &p1);
  else
    whet__split(to, part, parts, &from, &to);
  flow f;
  start(&c, &f);
  work all = {.p = p, .c = &c, .seg = seg, .apart = c.l.segs * c.l.k4 * 64, .waste = f.waste};
  whet_sums_live live;
  if (p->out.table || p->out.live) all.table = whet__conv_q8_table(p, ptr, &live);
  int64_t turn = 0;
  for (int64_t line = from; line < to;) {
    int64_t n = whet__min_i(c.strip, whet__min_i(to - line, c.per - line % c.per));
    int64_t here = c.dense ? whet__min_i(n * c.width, c.total - line * c.width) : n * c.width; /* results */
    int64_t results = c.dense ? here : c.next ? (n - 1) * c.next + c.width : c.width; /* rows of tiles in a walk */
    int64_t rows = whet__min_i(results, ROWS);
    if (rows != all.rows) configure(all.rows = rows, c.step);
    all.out = (uint8_t *)ptr[2] + (size_t)(line * c.width * p->out_pitch) * bytes;
    for (int64_t g = p0 / panels; g < p->groups && g * panels < p1; g++) {
      const uint8_t *a = strip(p, &c, ptr[0], line, n, g, buf);
      for (int64_t i = whet__max_i(p0 - g * panels, 0); i < whet__min_i(panels, p1 - g * panels); i++) {
        work *w = &f.work[turn++ % 3];
        *w = all;
        panel_of(p, &c, ptr[1], g, i, w);
        if (line == from)
          look_ahead(&c, w, i, (c.next ? 1 : n) * whet__ceil_div(results, rows * tiles_of(w->wide)), &f);
        run_panel(&f, w, a, n, results);
      }
      drain(&f);
    }
    line += n;
  }
  _tile_release();
}

/* Groups of four for each result, in one run or more; with fewer, tiles take longer to come and go than products to
 * be made. */
enum { LEAST = 4, LEAST_RUNS = 16 };

static bool fits(const void *params) {
  const whet_conv_q8 *p = params;
  if (p->w_zeros) return false; /* sums less the weights' zero points cost more than tiles save */
  whet_conv_q8_layout l = whet__conv_q8_layout_of(p, WHET_CONV_Q8_STEPS);
  return l.segs * l.k4 >= (l.segs == 1 ? LEAST : LEAST_RUNS) && l.oc >= 16 &&
         (int64_t)p->images * p->out_h * p->out_w >= 4;
}

const whet_kern whet_k_conv_q8__amx_tiles = {.name = "conv_q8__amx_tiles",
                                             .isa = WHET_ISA_AMX | WHET_ISA_VNNI | WHET_ISA_AVX512,
                                             .form = WHET_CONV_Q8_STEPS,
                                             .exact = 1,
                                             .fits = fits,
                                             .scratch = scratch,
                                             .run = run};
