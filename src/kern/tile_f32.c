/* SPDX-License-Identifier: Apache-2.0 */
/* What the float matrix families share above the micro-kernels: panels, jobs of strips, division of work. */

#include "kern/tile_f32.h"

/* For each form: columns of a vector, and the vectors of the next panel when 0..7 vectors are left; with more, as
 * for 8. A narrow panel makes high tiles, which take fewer lines of weights for each product: those of four vectors
 * by seven rows ran at 0.85 of the peak where weights came from the second cache, two by 14 run at 0.95. Panels of
 * one vector would wait for their loads. */
static const struct panels {
  uint8_t vec, next[9];
} k_panels[] = {
    [WHET_PANEL_16] = {16, {0, 1, 2, 3, 2, 3, 2, 2, 2}},
    [WHET_PANEL_8] = {8, {0, 1, 2, 3, 2, 2, 2, 2, 2}},
    [WHET_PANEL_BF16] = {16, {0, 1, 2, 3, 4, 4, 4, 4, 4}},
    [WHET_PANEL_RUNS] = {16, {0, 1, 2, 3, 4, 4, 4, 4, 4}},
    [WHET_PANEL_SPLIT] = {16, {0, 1, 2, 2, 2, 2, 2, 2, 2}},
};

int64_t whet__panel_vec(unsigned form) { return k_panels[form].vec; }

int whet__panel_next(unsigned form, int64_t left) { return k_panels[form].next[left < 8 ? left : 8]; }

int64_t whet__panel_count(unsigned form, int64_t n) {
  int64_t left = whet__ceil_div(n, k_panels[form].vec), count = 0;
  for (; left > 0; count++) left -= whet__panel_next(form, left);
  return count;
}

int64_t whet__k_block(int64_t k, size_t l2) {
  int64_t most = whet__max_i((int64_t)(l2 / 2) / (64 * 4), 64); /* of the widest panel */
  return k <= most ? whet__max_i(k, 1) : whet__ceil_div(k, whet__ceil_div(k, most));
}

/* ---- jobs -------------------------------------------------------------------------------------------------------
 */

uint32_t whet__epi_split(const whet_epi_f32 *epi, whet_epi_f32 *first, whet_epi_f32 *rest) {
  uint32_t flags = 0;
  int at = 0;
  *first = (whet_epi_f32){0};
  if (at < epi->n && epi->op[at] == WHET_MICRO_ADD) {
    flags |= WHET_TILE_ADD;
    at++;
  }
  if (at < epi->n && epi->op[at] == WHET_MICRO_CLAMP) {
    flags |= WHET_TILE_CLAMP;
    first->a[0] = epi->a[at];
    first->b[0] = epi->b[at];
    at++;
  }
  *rest = (whet_epi_f32){.n = (uint8_t)(epi->n - at), .res = epi->res && !(flags & WHET_TILE_ADD)};
  for (int i = at; i < epi->n; i++) {
    rest->op[i - at] = epi->op[i];
    rest->a[i - at] = epi->a[i];
    rest->b[i - at] = epi->b[i];
  }
  return flags;
}

void whet__job_init(whet_job_f32 *j, const whet_tiles_f32 *tiles, const float *w, int64_t n, int64_t k,
                    const whet_epi_f32 *epi) {
  whet_epi_f32 first;
  j->tiles = tiles;
  j->w = w;
  j->n = j->n1 = n;
  j->k = k;
  j->n0 = 0;
  j->ahead = false;
  j->n_strip = j->n_seg = 0;
  j->flags = whet__epi_split(epi, &first, &j->rest);
  j->lo = first.a[0];
  j->hi = first.b[0];
}

/* Whether strip s, with the segments of `before`, starts where that one ends. */
static bool continues(const whet_strip_f32 *before, const whet_strip_f32 *s) {
  return before->lda == s->lda && before->ldc == s->ldc && before->ldr == s->ldr && before->first == s->first &&
         before->last == s->last && before->a + before->m * s->lda == s->a &&
         before->c + before->m * s->ldc == s->c && (!s->res || before->res + before->m * s->ldr == s->res);
}

/* Append one strip of at most WHET_JOB_SEGS segments within rows k0..k1. The list of the strip before is used again
 * where it is the same. */
static void add_strip(whet_job_f32 *j, const whet_strip_f32 *s, const whet_seg_f32 *seg, int32_t n_seg, int64_t k0,
                      int64_t k1) {
  if (j->n_strip == WHET_JOB_STRIPS || j->n_seg + n_seg > WHET_JOB_SEGS) whet__job_run(j);
  whet_strip_f32 *to = &j->strip[j->n_strip], *before = to - 1;
  int32_t at = j->n_seg;
  for (int32_t i = 0; i < n_seg; i++) {
    int64_t from = whet__max_i(seg[i].k, k0), end = whet__min_i(seg[i].k + seg[i].run, k1);
    if (from < end) j->seg[at++] = (whet_seg_f32){seg[i].a + from - seg[i].k, from, end - from};
  }
  *to = *s;
  to->seg = j->n_seg;
  to->n_seg = at - j->n_seg;
  if (j->n_strip && before->n_seg == to->n_seg &&
      !memcmp(j->seg + before->seg, j->seg + to->seg, (size_t)to->n_seg * sizeof *seg)) {
    if (continues(before, to)) {
      before->m += to->m;
      return;
    }
    to->seg = before->seg;
  } else {
    j->n_seg = at;
  }
  j->n_strip++;
}

bool whet__job_again(whet_job_f32 *j, const whet_strip_f32 *s) {
  whet_strip_f32 *to = &j->strip[j->n_strip], *before = to - 1;
  if (!j->n_strip || j->n_strip == WHET_JOB_STRIPS) return false;
  *to = *s;
  to->seg = before->seg;
  to->n_seg = before->n_seg;
  to->first = before->first;
  to->last = before->last;
  if (continues(before, to))
    before->m += to->m;
  else
    j->n_strip++;
  return true;
}

void whet__job_strip(whet_job_f32 *j, const whet_strip_f32 *s, const whet_seg_f32 *seg, int32_t n_seg) {
  whet_strip_f32 some = *s;
  int32_t done = 0;
  for (; n_seg - done > WHET_JOB_SEGS; done += WHET_JOB_SEGS) {
    some.last = false;
    add_strip(j, &some, seg + done, WHET_JOB_SEGS, 0, j->k);
    some.first = false;
  }
  some.last = s->last;
  add_strip(j, &some, seg + done, n_seg - done, 0, j->k);
}

void whet__job_strip_rows(whet_job_f32 *j, const whet_strip_f32 *s, const whet_seg_f32 *seg, int32_t n_seg,
                          int64_t k0, int64_t k1) {
  whet_strip_f32 some = *s;
  int32_t done = 0;
  while (done < n_seg && seg[done].k + seg[done].run <= k0) done++;
  some.first = k0 == 0 && !s->begun;
  for (; n_seg - done > WHET_JOB_SEGS && seg[done + WHET_JOB_SEGS].k < k1; done += WHET_JOB_SEGS) {
    some.last = false;
    add_strip(j, &some, seg + done, WHET_JOB_SEGS, k0, k1);
    some.first = false;
  }
  some.last = k1 == j->k;
  add_strip(j, &some, seg + done, (int32_t)whet__min_i(n_seg - done, WHET_JOB_SEGS), k0, k1);
}

enum { FINISH = 1024 }; /* results that wait for the rest of the epilogue together, at least */

/* The rest of the epilogue on m rows of n results each, while they are in the first cache. */
static void finish_rows(const whet_job_f32 *j, float *c, int64_t ldc, const float *res, int64_t ldr, int64_t m,
                        int64_t n) {
  if (!j->rest.res) res = NULL;
  j->tiles->epi(&j->rest, c, ldc, res, ldr, m, n);
}

/* One strip over one panel. The lines from *ahead to `end` are handed out to be fetched, as far as the tiles reach.
 */
static void run_strip(const whet_job_f32 *j, const whet_strip_f32 *s, int nv, int64_t n0, whet_tile_f32 *t,
                      const float **ahead, const float *end) {
  int64_t tiles = whet__ceil_div(s->m, j->tiles->mr[nv]), k = 0, per_k = WHET_TILE_AHEAD(nv);
  int64_t columns = (nv - 1) * whet__panel_vec(j->tiles->form) + t->last, due = 0;
  for (int32_t i = 0; i < s->n_seg; i++) k += j->seg[s->seg + i].run;
  t->a = s->a;
  t->lda = s->lda;
  t->seg = j->seg + s->seg;
  t->n_seg = s->n_seg;
  t->c = s->c + n0;
  t->ldc = s->ldc;
  t->res = s->res ? s->res + n0 : NULL;
  t->ldr = s->ldr;
  t->flags = (s->first ? 0 : WHET_TILE_ACC) | (s->last ? j->flags : 0);
  for (int64_t m = s->m; m > 0;) {
    int64_t mr = whet__tile_next(j->tiles, nv, m, &tiles);
    t->ahead = *ahead < end ? *ahead : t->w;
    if (*ahead < end) *ahead += k * per_k;
    j->tiles->fn[nv][mr](t);
    t->a += mr * s->lda;
    t->c += mr * s->ldc;
    if (t->res) t->res += mr * s->ldr;
    m -= mr;
    due += mr;
    if (!j->rest.n || !s->last || (m && due * columns < FINISH)) continue;
    finish_rows(j, t->c - due * s->ldc, s->ldc, t->res ? t->res - due * s->ldr : NULL, s->ldr, due, columns);
    due = 0;
  }
}

void whet__job_run(whet_job_f32 *j) {
  if (j->tiles->run) {
    j->tiles->run(j);
    j->n_strip = j->n_seg = 0;
    return;
  }
  unsigned form = j->tiles->form;
  int64_t vec = whet__panel_vec(form), pad = whet__panel_pad(form, j->n);
  const float *panels = j->w + pad;
  whet_tile_f32 t = {.lo = j->lo, .hi = j->hi};
  int64_t k_min = j->k, k_max = 0; /* rows of the panels that the strips use */
  int64_t rows = 0;                /* of the longest strip */
  for (int32_t i = 0; i < j->n_strip; i++) rows = whet__max_i(rows, j->strip[i].m);
  for (int32_t i = 0; i < j->n_seg; i++) {
    k_min = whet__min_i(k_min, j->seg[i].k);
    k_max = whet__max_i(k_max, j->seg[i].k + j->seg[i].run);
  }
  for (int64_t n0 = j->n0; n0 < j->n1;) {
    int nv = whet__tile_columns(j->tiles, (pad - n0) / vec, (j->n1 - n0) / vec, rows);
    int64_t width = nv * vec, n1 = n0 + width;
    t.pair = j->tiles->pair * vec * j->k;
    t.w = panels + n0 * j->k;
    t.bias = j->w + n0;
    t.last = (uint32_t)(n1 <= j->n ? vec : vec - (n1 - j->n));
    /* These rows of the next panel are needed next. */
    const float *ahead = panels + n1 * j->k + k_min * width, *end = ahead;
    if (j->ahead && n1 < j->n1) end += (k_max - k_min) * width;
    for (int32_t i = 0; i < j->n_strip; i++) run_strip(j, &j->strip[i], nv, n0, &t, &ahead, end);
    n0 = n1;
  }
  j->n_strip = j->n_seg = 0;
}

void whet__tile_row(const whet_tiles_f32 *tiles, const whet_epi_f32 *epi, const float *a, const float *w, int64_t n, int64_t k, float *c,
                    const float *res, int part, int parts) {
  whet_epi_f32 first, rest;
  whet_share r[3];
  const whet_seg_f32 seg = {0, 0, k};
  int64_t vec = whet__panel_vec(tiles->form), pad = whet__panel_pad(tiles->form, n);
  if (!whet__share(tiles->form, 1, 1, n, true, part, parts, r)) return;
  whet_tile_f32 t = {.a = a, .seg = &seg, .n_seg = 1, .pair = tiles->pair * vec * k, .flags = whet__epi_split(epi, &first, &rest)};
  t.lo = first.a[0];
  t.hi = first.b[0];
  for (int64_t n0 = r->n0, n1; n0 < r->n1; n0 = n1) {
    int nv = whet__tile_columns(tiles, (pad - n0) / vec, (r->n1 - n0) / vec, 1);
    n1 = n0 + nv * vec;
    t.ahead = t.w = w + pad + n0 * k;
    t.bias = w + n0;
    t.last = (uint32_t)(n1 <= n ? vec : vec - (n1 - n));
    t.c = c + n0;
    t.res = res ? res + n0 : NULL;
    tiles->fn[nv][1](&t);
  }
  const float *own = rest.res ? res + r->n0 : NULL;
  if (rest.n) tiles->epi(&rest, c + r->n0, 0, own, 0, 1, whet__min_i(r->n1, n) - r->n0);
}

/* ---- division of work -------------------------------------------------------------------------------------------
 */

/* Panel and row where position `at` of vectors x rows lies, in panel order; the row is cut to a multiple of `grain`.
 */
static void locate(unsigned form, int64_t m, int64_t grain, int64_t n, int64_t at, int64_t *col, int64_t *row) {
  int64_t vec = k_panels[form].vec, left = whet__ceil_div(n, vec);
  *col = 0;
  while (left > 0) {
    int nv = whet__panel_next(form, left);
    if (at < nv * m) {
      *row = at / nv / grain * grain;
      return;
    }
    at -= nv * m;
    left -= nv;
    *col += nv * vec;
  }
  *row = 0;
}

int whet__share(unsigned form, int64_t m, int64_t grain, int64_t n, bool by_columns, int part, int parts,
                whet_share out[3]) {
  int64_t vec = k_panels[form].vec, pad = whet__panel_pad(form, n), from, to, c0, r0, c1, r1;
  int count = 0;
  if (!by_columns) {
    whet__split(whet__ceil_div(m, grain), part, parts, &from, &to);
    to = whet__min_i(to * grain, m);
    from *= grain;
    if (from < to) out[count++] = (whet_share){from, to, 0, pad};
    return count;
  }
  whet__split(pad / vec * m, part, parts, &from, &to);
  locate(form, m, grain, n, from, &c0, &r0);
  locate(form, m, grain, n, to, &c1, &r1);
  if (c0 == c1) { /* within one panel */
    if (r0 < r1) out[count++] = (whet_share){r0, r1, c0, c0 + vec * whet__panel_next(form, (pad - c0) / vec)};
    return count;
  }
  if (r0) { /* the end of the first panel */
    int64_t next = c0 + vec * whet__panel_next(form, (pad - c0) / vec);
    out[count++] = (whet_share){r0, m, c0, next};
    c0 = next;
  }
  if (c0 < c1) out[count++] = (whet_share){0, m, c0, c1};
  if (r1) out[count++] = (whet_share){0, r1, c1, c1 + vec * whet__panel_next(form, (pad - c1) / vec)};
  return count;
}
