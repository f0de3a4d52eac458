/* SPDX-License-Identifier: Apache-2.0 */
/* Family dw_f32 in portable C: eight channels at a time, output by output. */

#include "kern/dw_f32.h"
#include "kern/fma.h"
#include "kern/unary_f32.h"

enum { LINE = 8 };

/* Channels c.. of one output, at most LINE; w: their weights, taps `width` floats apart. */
static void line(const whet_dw_f32_call *d, int64_t at, const float *w, int64_t width, int64_t c) {
  float acc[LINE], x[LINE] = {0};
  size_t n = (size_t)whet__min_i(LINE, d->n - c);
  memcpy(acc, d->w + c, sizeof acc);
  for (int64_t z = 0; z < d->taps[0]; z++)
    for (int64_t y = 0; y < d->taps[1]; y++)
      for (int64_t i = 0; i < d->taps[2]; i++) {
        memcpy(x, d->in + at * d->next + z * d->step[0] + y * d->step[1] + i * d->step[2] + c, n * 4);
        whet__fma_pairs_f32(acc, x, w + (d->first + z * d->row[0] + y * d->row[1] + i) * width, LINE);
      }
  for (size_t j = 0; j < n; j++) {
    float v = acc[j];
    if (d->flags & WHET_TILE_ADD) v += d->res[at * d->res_step + c + (int64_t)j];
    if (d->flags & WHET_TILE_CLAMP) {
      v = d->hi < v ? d->hi : v;
      v = d->lo > v ? d->lo : v;
    }
    d->out[at * d->out_step + c + (int64_t)j] = v;
  }
}

/* `wide` outputs. */
static void outputs(const whet_dw_f32_call *d, int64_t wide) {
  int64_t pad = whet__panel_pad(WHET_PANEL_8, d->n), panel = d->panel;
  for (int64_t c = d->c0; c < d->c1;) {
    int64_t width = LINE * whet__panel_next(WHET_PANEL_8, (pad - panel) / LINE), end = whet__min_i(panel + width, d->c1);
    const float *w = d->w + pad + panel * d->k + (c - panel);
    for (; c < end; c += LINE, w += LINE)
      for (int64_t i = 0; i < wide; i++) line(d, i, w, width, c);
    panel += width;
  }
}

#define ANY(wide) \
  static void any_##wide(const whet_dw_f32_call *d) { outputs(d, wide); }
ANY(1)
ANY(2)
ANY(3)
ANY(4)
ANY(5)
ANY(6)
ANY(7)
ANY(8)

const whet_dws_f32 whet__dws_f32_c = {.form = WHET_PANEL_8,
                                  .fn = {NULL, any_1, any_2, any_3, any_4, any_5, any_6, any_7, any_8},
                                  .epi = whet__epi_f32_c};

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet__dw_f32(params, ptr, part, parts, &whet__dws_f32_c);
}

const whet_kern whet_k_dw_f32__c_rows = {.name = "dw_f32__c_rows", .form = WHET_PANEL_8, .exact = 1, .run = run};
