/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_f32 with factors rounded to bf16, on AMX. */

#include "kern/x86/bf16_fits.h"
#include "kern/x86/conv_f32_amx_flow.h"

/* ---- strips of pictures ------------------------------------------------------------------------- */

/* The convolution as conv_q8_amx_cut.h is to see it. */
static whet_conv_q8 in_bytes(const whet_conv_f32 *p) {
  const whet_window *y = &p->dim[1], *x = &p->dim[2];
  return (whet_conv_q8){.images = (int32_t)p->batch,
                        .in_h = (int32_t)y->in,
                        .in_w = (int32_t)x->in,
                        .in_c = (int32_t)(2 * p->groups * p->ic),
                        .out_h = (int32_t)y->out,
                        .out_w = (int32_t)x->out,
                        .out_c = (int32_t)(p->groups * p->oc),
                        .kh = (int32_t)y->kernel,
                        .kw = (int32_t)x->kernel,
                        .stride_h = (int32_t)y->stride,
                        .stride_w = (int32_t)x->stride,
                        .dil_h = (int32_t)y->dilation,
                        .dil_w = 1,
                        .pad_top = (int32_t)y->pad,
                        .pad_left = (int32_t)x->pad,
                        .groups = (int32_t)p->groups,
                        .in_pitch = 2 * p->groups * p->ic,
                        .out_pitch = p->groups * p->oc,
                        .in_signed = 1}; /* strips are always copied */
}

static size_t image_scratch(const void *params) {
  const whet_conv_q8 q = in_bytes(params);
  cut c;
  cut_for(&q, &c);
  return c.bytes;
}

/* Panel i of group g. */
static void panel_of(const cut *c, const void *pack, int64_t g, int64_t i, work *w) {
  const int64_t oc = w->p->oc, first = i * c->panel, pad = c->l.blocks * 16;
  const float *bias = (const float *)pack + g * (pad + c->l.blocks * w->apart / 4);
  w->b = (const uint8_t *)(const void *)(bias + pad) + first * w->apart;
  w->bias = bias + first * 16;
  w->wide = whet__min_i(c->panel, c->l.blocks - first);
  w->cols = whet__min_i(16 * w->wide, oc - first * 16);
  w->out += first * 16;
  if (w->res) w->res += first * 16;
}

/* The weights of panel i + 1 of one group come nearer while panel i goes so many times through its steps. */
static void look_ahead(const cut *c, int64_t i, int64_t walks, work *w) {
  int64_t next = whet__clamp_i(c->l.blocks - (i + 1) * c->panel, 0, c->panel);
  w->ahead = w->b + c->panel * w->apart;
  w->end = w->ahead + next * w->apart;
  w->lines = whet__ceil_div(next * w->apart / 64, walks * c->n_seg * c->steps);
}

static void run_image(const void *params, void *const *ptr, int part, int parts) {
  const whet_conv_f32 *p = params;
  const whet_conv_q8 q = in_bytes(p);
  whet_epi_f32 first;
  cut c;
  cut_for(&q, &c);
  uint8_t *buf = ptr[4];
  int64_t *seg = (int64_t *)(void *)(buf + c.seg_at);
  const int64_t across = c.n_seg / q.kh, panels = whet__ceil_div(c.l.blocks, c.panel);
  for (int64_t s = 0; s < c.n_seg; s++) seg[s] = seg_of(&q, &c, s / across, s % across);
  int64_t from = 0, to = c.lines, p0 = 0, p1 = panels * p->groups, set = 0;
  if (p1 >= parts && c.total <= 784)
    whet__split(p1, part, parts, &p0, &p1);
  else
    whet__split(to, part, parts, &from, &to);
  work all = {.p = p, .c = &c, .seg = seg, .apart = c.l.segs * c.l.k4 * 64};
  all.flags = whet__epi_split(&p->epi, &first, &all.rest);
  all.lo = first.a[0];
  all.hi = first.b[0];
  for (int64_t line = from, n; line < to; line += n) {
    n = whet__min_i(c.strip, whet__min_i(to - line, c.per - line % c.per));
    int64_t here = c.dense ? whet__min_i(n * c.width, c.total - line * c.width) : n * c.width; /* results */
    int64_t results = c.dense ? here : c.next ? (n - 1) * c.next + c.width : c.width; /* rows of tiles in a walk */
    all.rows = whet__min_i(results, ROWS);
    if (all.rows != set) configure(set = all.rows, c.step);
    for (int64_t g = p0 / panels; g < p->groups && g * panels < p1; g++) {
      int64_t i0 = whet__max_i(p0 - g * panels, 0), i1 = whet__min_i(panels, p1 - g * panels);
      all.out = (float *)ptr[1] + line * c.width * p->dim[2].out_step + g * p->oc;
      all.res = ptr[3] ? (const float *)ptr[3] + line * c.width * p->dim[2].res_step + g * p->oc : NULL;
      strip(&q, p, &c, ptr[0], line, n, g, buf);
      for (int64_t i = i0; i < i1; i++) {
        work w = all;
        panel_of(&c, ptr[2], g, i, &w);
        if (line == from)
          look_ahead(&c, i, (c.next ? 1 : n) * whet__ceil_div(results, w.rows * tiles_of(w.wide)), &w);
        run_panel(&w, buf, n, results);
      }
      if (all.rest.n)
        finish_rest(&all, all.out + i0 * c.panel * 16, all.res ? all.res + i0 * c.panel * 16 : NULL, here,
                    whet__min_i(i1 * c.panel * 16, p->oc) - i0 * c.panel * 16);
    }
  }
  _tile_release();
}

static bool fits_image(const void *params) { return bf16_image_fits(params); }

static bool pays_image(const void *params, const whet_target *t) { return bf16_image_gains(params); }

const whet_kern whet_k_conv_f32__amx_image = {.name = "conv_f32__amx_image",
                                              .isa = WHET_ISA_AMX | WHET_ISA_BF16 | WHET_ISA_AVX512,
                                              .form = WHET_PANEL_RUNS,
                                              .bf16 = 1,
                                              .fits = fits_image,
                                              .pays = pays_image,
                                              .scratch = image_scratch,
                                              .run = run_image};

/* ---- lots of rows ------------------------------------------------------------------------------- */

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet__conv_f32(params, ptr, part, parts, &whet__tiles_f32_amx);
}

static size_t scratch(const void *params) { return whet__conv_f32_scratch_on(params, &whet__tiles_f32_amx); }

static bool fits(const void *params) { return bf16_rows_fit(params); }

static bool pays(const void *params, const whet_target *t) { return bf16_conv_gains(params, true, t); }

const whet_kern whet_k_conv_f32__amx_direct = {.name = "conv_f32__amx_direct",
                                               .isa = WHET_ISA_AMX | WHET_ISA_BF16 | WHET_ISA_AVX512,
                                               .form = WHET_PANEL_BF16,
                                               .bf16 = 1,
                                               .fits = fits,
                                               .pays = pays,
                                               .scratch = scratch,
                                               .run = run};

/* ---- factors in three parts --------------------------------------------------------------------- */

static void run_split(const void *params, void *const *ptr, int part, int parts) {
  whet__conv_f32(params, ptr, part, parts, &whet__tiles_split_amx);
}

static size_t split_scratch(const void *params) { return whet__conv_f32_scratch_on(params, &whet__tiles_split_amx); }

/* Rows of tiles are one segment. */
static bool fits_split(const void *params) {
  const whet_conv_f32 *c = params;
  for (int i = 0; i < 3; i++)
    if (c->dim[i].kernel != 1 || c->dim[i].pad > 0) return false;
  return c->grow;
}

static bool pays_split(const void *params, const whet_target *t) {
  const whet_conv_f32 *c = params;
  return split_gains(c->batch * c->dim[0].out * c->dim[1].out * c->dim[2].out, c->oc, c->ic);
}

const whet_kern whet_k_conv_f32__amx_split = {.name = "conv_f32__amx_split",
                                              .isa = WHET_ISA_AMX | WHET_ISA_BF16 | WHET_ISA_AVX512,
                                              .form = WHET_PANEL_SPLIT,
                                              .fits = fits_split,
                                              .pays = pays_split,
                                              .scratch = split_scratch,
                                              .run = run_split};
