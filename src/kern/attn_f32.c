/* SPDX-License-Identifier: Apache-2.0 */
/* Family attn_f32: for each head of k and v, block of keys by block of keys, over blocks of rows of q. A block of scores
 * stays in the first cache between its two products. */

#include "kern/attn_f32.h"

#include <math.h>

/* The scratch of one thread. */
struct room {
  whet_job_f32 *job;
  float *keys, *values, *scores, *stats;
};

/* Floats from one row of scores to the next. */
static int64_t pitch(const whet_attn_f32 *p) { return whet__attn_block(p->n); }

/* Lay the pieces out; answers the bytes of all of them. base may be NULL. */
static size_t lay(const whet_attn_f32 *p, unsigned form, char *base, struct room *r) {
  int64_t block = whet__attn_block(p->n), rows = p->heads / p->kv_heads * whet__attn_blocks(p) * WHET_ATTN_ROWS;
  const int64_t floats[] = {whet__panel_floats(form, block, p->d), whet__panel_floats(form, p->dv, block),
                            WHET_ATTN_ROWS * pitch(p), 2 * rows};
  float **const piece[] = {&r->keys, &r->values, &r->scores, &r->stats};
  size_t at = whet__round_up(sizeof(whet_job_f32), WHET_ALIGN);
  r->job = (whet_job_f32 *)(void *)base;
  for (int i = 0; i < 4; i++) {
    *piece[i] = (float *)(void *)(base ? base + at : NULL);
    at += whet__round_up((size_t)floats[i] * sizeof(float), WHET_ALIGN);
  }
  return at;
}

size_t whet__attn_f32_scratch(const void *params, unsigned form) {
  struct room r;
  return lay(params, form, NULL, &r);
}

/* n rows of dv floats, `ld` apart, into the panels of a group of dv columns and n rows. */
static void pack_values(unsigned form, float *to, const float *v, int64_t ld, int64_t n, int64_t dv) {
  int64_t vec = whet__panel_vec(form), pad = whet__panel_pad(form, dv);
  memset(to, 0, (size_t)pad * sizeof *to);
  to += pad;
  for (int64_t c = 0; c < pad;) {
    int64_t width = vec * whet__panel_next(form, (pad - c) / vec), have = whet__min_i(width, dv - c);
    for (int64_t i = 0; i < n; i++, to += width) {
      memcpy(to, v + i * ld + c, (size_t)have * sizeof *to);
      if (have < width) memset(to + have, 0, (size_t)(width - have) * sizeof *to);
    }
    c += width;
  }
}

/* What one part is doing: head of k and v, block of keys. */
struct work {
  const whet_attn_f32 *p;
  const whet_attn_isa *isa;
  struct room r;
  const float *q, *k, *v;
  float *y;
  const char *mask;
  int64_t offset, keys; /* position of row 0; keys that are there at all */
  int64_t n0, n1;       /* the block */
};

/* Keys of the block that row i of a head sees: [*from, *to), counted from the block's first; empty: *from >= *to. */
static void sees(const struct work *w, int64_t i, int64_t *from, int64_t *to) {
  const whet_attn_f32 *p = w->p;
  int64_t at = w->offset + i * p->advance;
  *from = p->left == INT64_MAX ? w->n0 : whet__max_i(w->n0, at - p->left);
  *to = p->right == INT64_MAX ? w->n1 : whet__min_i(w->n1, at + p->right + 1 - WHET_BUG(1));
  *from -= w->n0;
  *to -= w->n0;
}

/* Panels of the packed keys that hold columns from .. to. */
static void panels(unsigned form, int64_t n, int64_t from, int64_t to, int64_t *first, int64_t *end) {
  int64_t vec = whet__panel_vec(form), pad = whet__panel_pad(form, n);
  *first = 0;
  for (int64_t c = 0; c < pad && c < to; c = *end) {
    *end = c + vec * whet__panel_next(form, (pad - c) / vec);
    if (*end <= from) *first = *end;
  }
}

/* Rows i0 .. i0 + m of head h with the block of keys. stats: greatest score and sum of each row. */
static void rows(const struct work *w, int64_t b, int64_t h, int64_t i0, int64_t m, float *stats) {
  const whet_attn_f32 *p = w->p;
  const whet_epi_f32 none = {0};
  int64_t lo = INT64_MAX, hi = 0, from, to, ld = pitch(p), n = w->n1 - w->n0;
  float *y = w->y + b * p->y[0] + h * p->y[1] + i0 * p->y[2];
  bool begin = w->n0 == 0;
  for (int64_t i = 0; i < m; i++) {
    if (begin) stats[2 * i] = -INFINITY, stats[2 * i + 1] = 0;
    sees(w, i0 + i, &from, &to);
    if (from < to) lo = whet__min_i(lo, from), hi = whet__max_i(hi, to);
  }
  if (hi == 0) {
    for (int64_t i = 0; begin && i < m; i++) memset(y + i * p->y[2], 0, (size_t)p->dv * sizeof *y);
    return;
  }
  whet_job_f32 *j = w->r.job;
  whet_strip_f32 s = {.a = w->q + b * p->q[0] + h * p->q[1] + i0 * p->q[2],
                      .lda = p->q[2],
                      .c = w->r.scores,
                      .ldc = ld,
                      .m = m,
                      .first = true,
                      .last = true};
  whet__job_init(j, w->isa->tiles, w->r.keys, n, p->d, &none);
  panels(w->isa->tiles->form, n, lo, hi, &j->n0, &j->n1);
  whet__job_strip(j, &s, &(whet_seg_f32){0, 0, p->d}, 1);
  whet__job_run(j);
  size_t each = p->mask_kind == WHET_ATTN_ADD ? sizeof(float) : 1;
  for (int64_t i = 0; i < m; i++) {
    const char *mask =
        p->mask_kind ? w->mask + (size_t)(b * p->mask[0] + h * p->mask[1] + (i0 + i) * p->mask[2] + w->n0 + lo) * each
                     : NULL;
    sees(w, i0 + i, &from, &to);
    float f = w->isa->softmax(p, w->r.scores + i * ld + lo, from - lo, to - lo, hi - lo, mask, &stats[2 * i],
                              &stats[2 * i + 1]);
    if (!begin && f != 1) w->isa->scale(y + i * p->y[2], p->dv, f);
  }
  whet__job_init(j, w->isa->tiles, w->r.values, p->dv, n, &none);
  s = (whet_strip_f32){
      .a = w->r.scores, .lda = ld, .c = y, .ldc = p->y[2], .m = m, .first = begin, .last = true};
  whet__job_strip(j, &s, &(whet_seg_f32){lo, lo, hi - lo}, 1);
  whet__job_run(j);
}

/* Units from .. to, which share head g of k and v. */
static void head(struct work *w, int64_t b, int64_t g, int64_t from, int64_t to) {
  const whet_attn_f32 *p = w->p;
  int64_t blocks = whet__attn_blocks(p), block = whet__attn_block(p->n);
  const float *k = w->k + b * p->k[0] + g * p->k[1], *v = w->v + b * p->v[0] + g * p->v[1];
  for (w->n0 = 0; w->n0 == 0 || w->n0 < w->keys; w->n0 += block) {
    w->n1 = whet__min_i(w->n0 + block, w->keys);
    if (w->n1 > w->n0) {
      w->isa->pack_keys(w->isa->tiles, w->r.keys, k + w->n0 * p->k[2], p->k[2], w->n1 - w->n0, p->d);
      pack_values(w->isa->tiles->form, w->r.values, v + w->n0 * p->v[2], p->v[2], w->n1 - w->n0, p->dv);
    }
    for (int64_t u = from; u < to; u++) {
      int64_t i0 = whet__attn_row(p, u % blocks), m = whet__attn_row(p, u % blocks + 1) - i0;
      rows(w, b, u / blocks % p->heads, i0, m, w->r.stats + (u - from) * 2 * WHET_ATTN_ROWS);
    }
  }
  for (int64_t u = from; u < to; u++) {
    int64_t i0 = whet__attn_row(p, u % blocks), m = whet__attn_row(p, u % blocks + 1) - i0, h = u / blocks % p->heads;
    const float *stats = w->r.stats + (u - from) * 2 * WHET_ATTN_ROWS;
    float *y = w->y + b * p->y[0] + h * p->y[1] + i0 * p->y[2];
    for (int64_t i = 0; i < m; i++) {
      float sum = stats[2 * i + 1];
      w->isa->scale(y + i * p->y[2], p->dv, sum == 0 && !p->nan ? 0 : 1 / sum);
    }
  }
}

void whet__attn_f32(const void *params, void *const *ptr, int part, int parts, const whet_attn_isa *isa) {
  const whet_attn_f32 *p = params;
  int64_t units = whet__attn_units(p), group = p->heads / p->kv_heads * whet__attn_blocks(p), from, to;
  struct work w = {.p = p, .isa = isa, .q = ptr[0], .k = ptr[1], .v = ptr[2], .y = ptr[3], .mask = ptr[4]};
  lay(p, isa->tiles->form, ptr[6], &w.r);
  whet__split(units, part, parts, &from, &to);
  for (int64_t end; from < to; from = end) {
    int64_t g = from / group, b = g / p->kv_heads, have = INT64_MAX;
    end = whet__min_i((g + 1) * group, to);
    if (p->lens) {
      int32_t few;
      if (p->lens == 4)
        memcpy(&few, (const char *)ptr[5] + b * 4, 4), have = few;
      else
        memcpy(&have, (const char *)ptr[5] + b * 8, 8);
      have = whet__max_i(have, 0);
    }
    w.offset = p->lens_offset ? have - p->offset : p->offset;
    w.keys = whet__min_i(whet__min_i(p->n, have), p->mask_kind ? p->mask_n : p->n);
    head(&w, b, g % p->kv_heads, from, end);
  }
}
