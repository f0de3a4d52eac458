/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_TILE_Q8_H
#define WHET_KERN_TILE_Q8_H

/* The driver of family conv_q8 over panels, included by each ISA file after it has defined
 *
 *   TILE_ELEM   what a tile reads activations as: uint8_t (then strips may be read in place) or int16_t; or int8_t, with
 *   TILE_SIGNED 1, weights in form 4, and all else that is said here of unsigned activations turned round
 *   TILE_FORM   the form of weights, where it is another one; TILE_GROUP: of how many elements its groups are, if not four
 *   tile_mr[]   rows of a tile at most, for nv = 1 .. TILE_NV blocks of 16 outputs
 *   tile()      rows x 16*nv sums:  acc[r][j] = bias[j] + sum over s, k of a[r*lda + seg[s] + k] *
 * b[j/16][s][k/4][j%16][k%4] out_tile()  see x86/out_q8_avx512.h
 *   TILE_APART  if a tile takes the places of its rows, which then need not be evenly apart: tiles go on from one line of
 *               results to the next
 *   TILE_READY  what a panel knows of its results once out_ready() has asked, if there is such
 *   TILE_MAKE   if there is out_ready_tile(), which makes bytes of tiles of one block
 *   TILE_BYTES  there is tile_bytes(), which makes bytes of a tile of the greatest height without storing its sums, where
 *               tile_bytes_for() says so of a panel
 *   TILE_TAME   with TILE_APART: of how many tiles on it is worth to look whether a panel's weights are tame, that is above
 *               -128: then geo.tame says so of them, and else nothing
 *   TILE_SUM    what sums the activations of a result (n in each of n_seg runs), as an unsigned 32-bit number, if it has a way of
 *               its own
 *   TILE_LAID   bytes of a group of four of a tile as it reads activations, if that is not as they lie in the strip: tile_lay() brings
 *               groups [geo.from, geo.to) of mr results (of the last one up to TILE_ROWS) there, once for all panels. Tiles then go on
 *               from one line to the next, and what was summed of groups before `from` is kept in an order of their own
 *   TILE_START  (mr, nv): whether such tiles add geo.start[r] to all sums of row r, if some do
 *
 * Work is cut into strips: some output rows of one image. For each strip the input rows that it needs are brought
 * into a padded buffer (borders, signed bytes, gaps between pixels and reading past the end are dealt with there,
 * once), or used where they lie when nothing of that is needed. Then every panel of weights passes over the strip. A
 * kernel row of kw*c neighbours is contiguous, so a kh x kw convolution is kh runs of a matrix product (each kernel
 * column is a run of its own when dil_w > 1, or when pixels read in place have gaps). */

#include "kern/tile_copy.h"

enum { TILE_ACC = 448 }; /* sums in a tile at most */
#ifndef TILE_GROUP
#define TILE_GROUP 4
#endif
#ifndef TILE_FORM
#define TILE_FORM (TILE_SIGNED ? WHET_CONV_Q8_SIGNED : WHET_CONV_Q8_PANELS)
#endif

/* What a tile needs to know beside its pointers. */
typedef struct tile_geo {
  int64_t lda;        /* elements between the pixels of neighbouring results */
  const int64_t *seg; /* where each run begins, in elements */
  int64_t n_seg, k4;  /* runs; groups of four elements in each */
  int64_t block;      /* bytes between blocks of weights */
  int64_t ahead;      /* how far from a weight of the first block lies what is fetched early beside it; 0: nothing */
  const int32_t *start; /* for TILE_START; NULL: nothing to add */
  bool few;             /* of the one block no more than eight results are asked for; a tile need not look */
  int64_t from, to;     /* with TILE_LAID: the groups of all runs that are added now */
  int32_t *kept;        /* and what was kept of those before; gets it, rather than acc, where more are to come */
  bool tame;            /* see TILE_TAME */
} tile_geo;

#ifdef TILE_APART
typedef const TILE_ELEM *const *tile_from;
#else
typedef const TILE_ELEM *tile_from;
#endif

/* The file's tiles: see above. */
static void tile(int mr, int nv, tile_from a, const tile_geo *g, const int8_t *b, const int32_t *bias,
                 int32_t *acc);

#ifndef TILE_SUM
#define TILE_SUM tile_sum
static uint32_t tile_sum(const TILE_ELEM *a, const int64_t *seg, int64_t n_seg, int64_t n) {
  uint32_t s = 0;
  for (int64_t j = 0; j < n_seg; j++)
    for (int64_t i = 0; i < n; i++) s += (uint32_t)a[seg[j] + i];
  return s;
}
#endif

/* How a convolution is cut; a function of the parameters only. */
typedef struct tile_cut {
  whet_conv_q8_layout l;
  bool flat;                    /* pixels in, pixels out, in one row: lines are pieces of it */
  bool copy;                    /* strips are copied */
  int64_t lines, per;           /* output rows of all images; of one image */
  int64_t width;                /* results in a line (the last may be shorter when flat) */
  int64_t total;                /* results in all */
  int64_t strip;                /* lines in a strip at most */
  int64_t px;                   /* pixels of a strip's input row */
  int64_t pix, row;             /* elements between pixels, rows of a strip */
  int64_t n_seg, k4;            /* as a tile sees them */
  int64_t some;                 /* groups that are laid at once */
  size_t seg_at, sum_at, kept_at, laid_at, bytes; /* offsets in scratch: of the runs, of sums of pixels, of what is kept and laid; all of it */
} tile_cut;

#ifdef TILE_LAID
enum { TILE_FLAT = TILE_ROWS };
static void tile_lay(const TILE_ELEM *const *row, int mr, const tile_geo *g, TILE_ELEM *to);
/* Tiles of a strip at most. */
static int64_t tile_tiles(const tile_cut *c) { return whet__ceil_div(c->strip * c->width, TILE_ROWS); }
#else
enum { TILE_FLAT = 126 }; /* a multiple of 7, 9 and 14 */
#endif

/* Input rows that n lines need. */
static int64_t tile_rows(const whet_conv_q8 *p, const tile_cut *c, int64_t n) {
  return c->flat ? n : (n - 1) * p->stride_h + (int64_t)(p->kh - 1) * p->dil_h + 1;
}

static void tile_cut_for(const whet_conv_q8 *p, tile_cut *c) {
  memset(c, 0, sizeof *c);
  c->l = whet__conv_q8_layout_of(p, TILE_FORM);
  bool inside = whet__conv_q8_inside(p);
  c->flat = inside && p->kh == 1 && p->kw == 1 && p->stride_h == 1 && p->stride_w == 1 && p->in_h == p->out_h &&
            p->in_w == p->out_w;
  c->total = (int64_t)p->images * p->out_h * p->out_w;
  c->width = c->flat ? whet__min_i(c->total, TILE_FLAT) : p->out_w;
  c->lines = c->width ? whet__ceil_div(c->total, c->width) : 0;
  c->per = c->flat ? c->lines : p->out_h;
  bool joined = p->dil_w == 1 && p->groups == 1 && p->in_pitch == p->in_c;
  c->copy = sizeof(TILE_ELEM) != 1 || tile_turn(p) || !inside || (joined ? c->l.seg_k : c->l.ic) % TILE_GROUP;
  if (c->copy) {
    c->px = c->flat ? c->width : (int64_t)(p->out_w - 1) * p->stride_w + (int64_t)(p->kw - 1) * p->dil_w + 1;
    c->pix = c->l.ic;
    c->row = c->px * c->pix;
    c->n_seg = c->l.segs;
    c->k4 = c->l.k4;
  } else {
    c->pix = p->in_pitch;
    c->row = c->flat ? c->width * c->pix : p->in_w * c->pix;
    c->n_seg = joined ? c->l.segs : (int64_t)p->kh * p->kw;
    c->k4 = joined ? c->l.k4 : c->l.ic / 4;
  }
  /* When all weights stay in the first cache, so should the strip; else it should stay in the second. */
  int64_t most = (c->l.group <= 24 << 10 ? 16 << 10 : 160 << 10) / (int64_t)sizeof(TILE_ELEM),
          row = c->row ? c->row : 1;
  c->strip = 1;
  if (c->flat)
    c->strip = most / row;
  else if (most / row > tile_rows(p, c, 1))
    c->strip = (most / row - tile_rows(p, c, 1)) / p->stride_h + 1;
  c->strip = whet__clamp_i(c->strip, 1, whet__max_i(c->per, 1));
#ifdef TILE_LAID /* what is laid should stay in the first cache; lines should fill tiles, and weights that stay in no cache serve several */
  const int64_t room = (40 << 10) / TILE_LAID, groups = c->n_seg * c->k4, least = c->flat && c->l.group <= 1 << 20 ? 1 : 4;
  if (groups && c->width)
    c->strip = whet__clamp_i(whet__max_i(room / groups, least) * TILE_ROWS / c->width, 1, c->strip);
  c->some = whet__max_i(room / tile_tiles(c), 16);
  c->some = groups > c->some ? whet__ceil_div(groups, whet__ceil_div(groups, c->some)) : groups;
#endif
  c->seg_at = 0;
  if (c->copy) c->seg_at = (size_t)(tile_rows(p, c, c->strip) * c->row) * sizeof(TILE_ELEM) + WHET_SLACK;
  c->seg_at = whet__round_up(c->seg_at, 64);
  c->sum_at = whet__round_up(c->seg_at + (size_t)c->n_seg * sizeof(int64_t), 64);
  c->kept_at = whet__round_up(c->sum_at + (p->w_zeros ? (size_t)(c->strip * c->width) * sizeof(int32_t) : 0), 64);
  c->bytes = c->laid_at = c->kept_at;
#ifdef TILE_LAID
  if (groups > c->some) c->laid_at += (size_t)(c->l.blocks * tile_tiles(c)) * TILE_ROWS * 16 * sizeof(int32_t);
  c->bytes = c->laid_at + (size_t)(tile_tiles(c) * c->some) * TILE_LAID;
#endif
}

static size_t tile_scratch(const void *params) {
  tile_cut c;
  tile_cut_for(params, &c);
  return c.bytes;
}

/* The strip at `buf`, of n elements: what the last run's whole groups read past it counts nothing, and is defined. */
static const TILE_ELEM *tile_end(TILE_ELEM *buf, int64_t n) {
  memset(buf + n, 0, WHET_SLACK);
  return buf;
}

/* Where the first tile of lines [y, y + n) of one image begins, group g; copied into `buf` when need be. */
static const TILE_ELEM *tile_strip(const whet_conv_q8 *p, const tile_cut *c, const uint8_t *in, int64_t line,
                                   int64_t n, int64_t g, TILE_ELEM *buf) {
  in += g * c->l.ic;
  if (c->flat) {
    const uint8_t *from = in + line * c->width * p->in_pitch;
    if (!c->copy) return (const TILE_ELEM *)(const void *)from;
    int64_t px = whet__min_i(n * c->width, c->total - line * c->width);
    tile_copy_row(p, from, px, 0, 1, px, c->pix, buf);
    return tile_end(buf, px * c->pix);
  }
  int64_t image = line / c->per, y = line % c->per * p->stride_h - p->pad_top, rows = tile_rows(p, c, n);
  int64_t pitch = p->in_w * p->in_pitch;
  in += image * p->in_h * pitch;
  if (!c->copy) return (const TILE_ELEM *)(const void *)(in + y * pitch);
  for (int64_t i = 0; i < rows; i++) {
    if (y + i < 0 || y + i >= p->in_h)
      tile_fill(buf + i * c->row, c->row, tile_zero(p));
    else
      tile_copy_row(p, in + (y + i) * pitch, p->in_w, -p->pad_left, 1, c->px, c->pix, buf + i * c->row);
  }
  return tile_end(buf, rows * c->row);
}

/* Results in line `line`. */
static int64_t tile_width(const tile_cut *c, int64_t line) {
  return c->flat ? whet__min_i(c->width, c->total - line * c->width) : c->width;
}

/* Where result x of the strip's line i reads, in elements. */
static int64_t tile_at(const whet_conv_q8 *p, const tile_cut *c, int64_t i, int64_t x) {
  return i * (c->flat ? 1 : p->stride_h) * c->row + x * p->stride_w * c->pix;
}

/* Sums of the activations that each result of a strip reads, for weights with zero points. */
static void tile_sums(const whet_conv_q8 *p, const tile_cut *c, const TILE_ELEM *a, const int64_t *seg, int64_t line,
                      int64_t n, int32_t *sum) {
  int64_t k = c->n_seg == c->l.segs ? c->l.seg_k : c->l.ic;
  for (int64_t i = 0; i < n; i++)
    for (int64_t x = 0; x < tile_width(c, line + i); x++)
      sum[i * c->width + x] = (int32_t)TILE_SUM(a + tile_at(p, c, i, x), seg, c->n_seg, k);
}

/* Blocks of 16 in the panel that begins at block b of n: four, or an even share of what is left; of six it is four and two,
 * whose bytes fill registers. */
static int tile_nv(int64_t b, int64_t n) {
  int64_t left = n - b, most = TILE_NV;
  if (left <= most || (most == 4 && left == 6)) return (int)whet__min_i(left, most);
  return (int)(left < 2 * most ? (left + 1) / 2 : most);
}

/* acc -= w_zero * sum for nv blocks of 16. */
static inline void tile_take(int32_t *restrict acc, const int32_t *restrict w_zero, uint32_t sum, int nv) {
  for (int b = 0; b < nv; b++, acc += 16, w_zero += 16)
    for (int j = 0; j < 16; j++) acc[j] = (int32_t)((uint32_t)acc[j] - (uint32_t)w_zero[j] * sum);
}
/* acc += start likewise. */
static inline void tile_put(int32_t *acc, uint32_t start, int nv) {
  for (int b = 0; b < nv; b++, acc += 16)
    for (int j = 0; j < 16; j++) acc[j] = (int32_t)((uint32_t)acc[j] + start);
}

/* One zero point serves all weights of a group: the sums become what is added to each result, and are that from here on. */
static bool tile_one_zero(const tile_cut *c, const int32_t *w_zero, int64_t n, int32_t *sum) {
  for (int64_t j = 1; j < c->l.oc; j++)
    if (w_zero[j] != w_zero[0]) return false;
  for (int64_t i = 0; i < n * c->width; i++) sum[i] = (int32_t)(0 - (uint32_t)w_zero[0] * (uint32_t)sum[i]);
  return true;
}
#ifndef TILE_START
#define TILE_START(mr, nv) 0
#endif

/* What a panel of weights works on. */
typedef struct tile_work {
  const whet_conv_q8 *p;
  const tile_cut *c;
  whet_factors f;
  const int32_t *w_zero, *sum;
  const uint8_t *table;
  char *out; /* the panel's first result of the strip */
  int nv;
  bool one_zero; /* see tile_one_zero */
  int fetch; /* blocks of the next panel that are to be fetched, one with each tile */
#ifdef TILE_READY
  const TILE_READY *ready;
#endif
  int64_t cols; /* results of the panel */
} tile_work;

/* The sums of `mr` results from the strip's number `at` on, to where they belong. */
static inline void tile_finish(const tile_work *w, int32_t *acc, int64_t at, int64_t mr) {
  int64_t ld = 16 * w->nv;
  if (w->p->w_zeros && !w->one_zero)
    for (int64_t r = 0; r < mr; r++) tile_take(acc + r * ld, w->w_zero, (uint32_t)w->sum[at + r], w->nv);
  char *out = w->out + (size_t)(at * w->p->out_pitch) * (whet_dtype_bits(w->p->out.dtype) / 8);
#ifdef TILE_MAKE
  out_ready_tile(w->ready, &w->p->out, &w->f, acc, mr, w->cols, w->table, out, w->p->out_pitch);
#else
  out_tile(&w->p->out, &w->f, acc, ld, mr, w->cols, w->table, out, w->p->out_pitch);
#endif
}

/* What is added to all sums of a row, where the tile has not. */
static inline void tile_rest(const tile_work *w, int32_t *acc, int64_t at, int64_t mr) {
  if (w->one_zero && !TILE_START(mr, w->nv))
    for (int64_t r = 0; r < mr; r++) tile_put(acc + r * 16 * w->nv, (uint32_t)w->sum[at + r], w->nv);
}

#ifdef TILE_BYTES
static bool tile_bytes_for(const tile_work *w, const tile_geo *g);
static void tile_bytes(const tile_work *w, tile_from a, const tile_geo *g, const int8_t *b, const int32_t *bias, uint8_t *out);
#endif

/* Results in lines [line, line + n). */
static inline int64_t tile_results(const tile_cut *c, int64_t line, int64_t n) {
  return c->flat ? whet__min_i(n * c->width, c->total - line * c->width) : n * c->width;
}

#ifdef TILE_TAME
/* All n weights are above -128. */
static bool tile_tame(const int8_t *b, int64_t n) {
  int8_t least[64] = {0};
  for (int64_t i = 0; i < n; i += 64)
    for (int j = 0; j < 64; j++) least[j] = b[i + j] < least[j] ? b[i + j] : least[j];
  bool tame = true;
  for (int j = 0; j < 64; j++) tame = tame && least[j] > -128;
  return tame;
}
#endif

/* All tiles of a panel; a lot of them is finished at once where the panel's weights are few: more of them want the room in the first
 * cache. */
enum { TILE_LOT = 4, TILE_FEW = 16 << 10 };
#ifdef TILE_APART
static void tile_all(const tile_work *w, const tile_geo *g, const TILE_ELEM *a, int64_t line, int64_t n, const int8_t *b,
                     const int32_t *bias) {
  _Alignas(64) int32_t acc[TILE_ACC];
  const tile_cut *c = w->c;
  const int64_t most = tile_mr[w->nv], wide = c->flat ? INT64_MAX : c->width;
  int64_t left = tile_results(c, line, n);
  const TILE_ELEM *row[TILE_ROWS];
#ifdef TILE_TAME
  tile_geo geo = *g;
  geo.tame = left >= TILE_TAME * most && tile_tame(b, g->block);
  g = &geo;
#endif
#ifdef TILE_BYTES
  const bool bytes = tile_bytes_for(w, g);
#endif
  for (int64_t at = 0, x = 0; left > 0; at += most, left -= most) {
    const int64_t mr = whet__min_i(most, left);
    for (int64_t r = 0; r < mr; r++) {
      row[r] = a, a += g->lda;
      if (++x == wide) x = 0, a += w->p->stride_h * c->row - wide * g->lda;
    }
#ifdef TILE_BYTES
    if (bytes && mr == most) {
      tile_bytes(w, row, g, b, bias, (uint8_t *)w->out + at * w->p->out_pitch);
      continue;
    }
#endif
    tile((int)mr, w->nv, row, g, b, bias, acc);
    tile_rest(w, acc, at, mr);
    tile_finish(w, acc, at, mr);
  }
}
#elif defined(TILE_LAID)
static void tile_all(const tile_work *w, const tile_geo *g, const TILE_ELEM *a, int64_t line, int64_t n, const int8_t *b,
                     const int32_t *bias) {
  _Alignas(64) int32_t acc[TILE_LOT * TILE_ACC];
  const int64_t ld = 16 * w->nv, full = w->nv * g->block <= TILE_FEW ? (TILE_LOT - 1) * TILE_ROWS : 0;
  tile_geo geo = *g;
  geo.few = w->cols <= 8, geo.ahead = w->fetch ? g->block : 0;
  for (int64_t left = tile_results(w->c, line, n), done = 0, due = 0; left > 0; a += (g->to - g->from) * TILE_LAID) {
    const int64_t mr = whet__min_i(left, TILE_ROWS);
    tile((int)mr, w->nv, a, &geo, b, bias, acc + due * ld);
    geo.kept += TILE_ROWS * ld;
    if (geo.to < geo.n_seg * geo.k4) {
      left -= mr;
      continue;
    }
    tile_rest(w, acc + due * ld, done + due, mr);
    due += mr, left -= mr;
    if (due <= full && left > 0) continue;
    tile_finish(w, acc, done, due);
    done += due, due = 0;
  }
}

/* What tiles of a strip read. */
static const TILE_ELEM *tile_lay_all(const whet_conv_q8 *p, const tile_cut *c, const tile_geo *g, const TILE_ELEM *a, int64_t line,
                                      int64_t n, TILE_ELEM *to) {
  const TILE_ELEM *row[TILE_ROWS] = {NULL}, *laid = to;
  int64_t left = tile_results(c, line, n), x = 0;
  for (; left > 0; left -= TILE_ROWS, to += (g->to - g->from) * TILE_LAID) {
    for (int64_t r = 0; r < TILE_ROWS; r++) {
      row[r] = r < left ? a : row[r - 1];
      a += g->lda;
      if (!c->flat && ++x == c->width) x = 0, a += p->stride_h * c->row - c->width * g->lda;
    }
    tile_lay(row, (int)whet__min_i(left, TILE_ROWS), g, to);
  }
  return laid;
}
#else
/* Results of tiles follow each other, over line ends too. */
static void tile_all(const tile_work *w, const tile_geo *g, const TILE_ELEM *a, int64_t line, int64_t n, const int8_t *b,
                     const int32_t *bias) {
  _Alignas(64) int32_t acc[TILE_LOT * TILE_ACC];
  const tile_cut *c = w->c;
  const int most = tile_mr[w->nv];
  const int64_t ld = 16 * w->nv, full = w->nv * g->block <= TILE_FEW ? (TILE_LOT - 1) * most : 0;
  int64_t done = 0, due = 0;
  int fetched = 0;
  tile_geo geo = *g;
  geo.few = w->cols <= 8;
#ifdef TILE_BYTES
  const bool bytes = tile_bytes_for(w, g);
#endif
  for (int64_t i = 0; i < n; i++) {
    int64_t wide = tile_width(c, line + i), x = 0;
    for (int64_t tiles = ((uint32_t)wide + (uint32_t)most - 1) / (uint32_t)most; tiles > 0; tiles--) {
      int64_t mr = tiles == 1 ? wide - x : whet__ceil_div(wide - x, tiles);
      geo.ahead = fetched < w->fetch ? (w->nv + fetched++) * g->block : 0;
      geo.start = w->one_zero ? w->sum + done + due : NULL;
#ifdef TILE_BYTES
      if (bytes && mr == most) {
        if (due) tile_finish(w, acc, done, due);
        done += due;
        due = 0;
        tile_bytes(w, a + tile_at(w->p, c, i, x), &geo, b, bias, (uint8_t *)w->out + done * w->p->out_pitch);
        x += mr;
        done += mr;
        continue;
      }
#endif
      tile((int)mr, w->nv, a + tile_at(w->p, c, i, x), &geo, b, bias, acc + due * ld);
      tile_rest(w, acc + due * ld, done + due, mr);
      x += mr;
      due += mr;
      if (due <= full && (tiles > 1 || i + 1 < n)) continue;
      tile_finish(w, acc, done, due);
      done += due;
      due = 0;
    }
  }
}
#endif

/* One panel of weights over the lines of a strip. */
static void tile_panel(const whet_conv_q8 *p, const tile_cut *c, const tile_geo *g, const TILE_ELEM *a, int64_t line,
                       int64_t n, const int32_t *sum, bool one_zero, const char *pack, int64_t group, int64_t block, int nv,
                       const uint8_t *table, char *out) {
  int64_t at = (group * c->l.blocks + block) * 16, ch = group * c->l.oc + block * 16;
  size_t bytes = whet_dtype_bits(p->out.dtype) / 8;
  const int32_t *bias = (const int32_t *)(const void *)pack + at;
  const int8_t *b = (const int8_t *)pack + c->l.weights + (size_t)group * c->l.group + block * g->block;
  tile_work w = {p,
                 c,
                 whet__factors_at(&p->out, pack + c->l.factors, c->l.n, at),
                 (const int32_t *)(const void *)(pack + c->l.w_zero) + at,
                 sum,
                 table,
                 out + (size_t)(line * c->width * p->out_pitch + ch) * bytes,
                 .nv = nv,
                 .one_zero = one_zero,
                 .fetch = c->l.group > 64 << 10 && block + nv < c->l.blocks ? nv : 0, /* not what stays near */
                 .cols = whet__min_i(16 * nv, c->l.oc - block * 16)};
#ifdef TILE_READY
  TILE_READY ready; /* not within w: it is large, and all of w is cleared */
  out_ready(&ready, &p->out, &w.f, w.cols, table);
  w.ready = &ready;
#endif
  tile_all(&w, g, a, line, n, b, bias);
}

/* Part of a convolution: some lines, or, where weights are more than activations, some panels. */
static void tile_run(const void *params, void *const *ptr, int part, int parts) {
  const whet_conv_q8 *p = params;
  tile_cut c;
  tile_cut_for(p, &c);
  whet_sums_live live;
  const uint8_t *table = whet__conv_q8_table(p, ptr, &live);
  char *scratch = ptr[4];
  int64_t *seg = (int64_t *)(void *)(scratch + c.seg_at);
  int32_t *sum = (int32_t *)(void *)(scratch + c.sum_at);
  int64_t per_row = c.n_seg / p->kh;
  for (int64_t s = 0; s < c.n_seg; s++)
    seg[s] = s / per_row * p->dil_h * c.row + (per_row > 1 ? s % per_row * p->dil_w * c.pix : 0);
  tile_geo g = {p->stride_w * c.pix, seg, c.n_seg, c.k4, c.l.block, .to = c.n_seg * c.k4};
  int64_t panels = 0;
  for (int64_t b = 0; b < c.l.blocks; b += tile_nv(b, c.l.blocks)) panels++;
  int64_t from = 0, to = c.lines, p0 = 0, p1 = panels * p->groups;
  if (p1 >= parts && c.n_seg * c.k4 * 4 * p->out_c > c.total * (p->in_c + p->out_c))
    whet__split(p1, part, parts, &p0, &p1);
  else
    whet__split(to, part, parts, &from, &to);
  for (int64_t line = from; line < to;) {
    int64_t n = whet__min_i(c.strip, whet__min_i(to - line, c.per - line % c.per));
    for (int64_t group = p0 / panels; group < p->groups && group * panels < p1; group++) {
      const TILE_ELEM *a = tile_strip(p, &c, ptr[0], line, n, group, (TILE_ELEM *)(void *)scratch);
      bool one = p->w_zeros;
      if (one) {
        tile_sums(p, &c, a, seg, line, n, sum);
        one = tile_one_zero(&c, (const int32_t *)(const void *)((const char *)ptr[1] + c.l.w_zero) + group * c.l.blocks * 16, n, sum);
      }
#ifdef TILE_LAID
      for (g.from = 0; g.from < c.n_seg * c.k4; g.from = g.to) {
        g.to = whet__min_i(g.from + c.some, c.n_seg * c.k4);
        const TILE_ELEM *laid = tile_lay_all(p, &c, &g, a, line, n, (TILE_ELEM *)(void *)(scratch + c.laid_at));
        for (int64_t b = 0; b < c.l.blocks; b++) {
          const int64_t panel = group * panels + b;
          g.kept = (int32_t *)(void *)(scratch + c.kept_at) + b * tile_tiles(&c) * TILE_ROWS * 16;
          if (panel >= p0 && panel < p1) tile_panel(p, &c, &g, laid, line, n, sum, one, ptr[1], group, b, 1, table, ptr[2]);
        }
      }
#else
      int64_t panel = group * panels;
      for (int64_t b = 0; b < c.l.blocks; panel++) {
        int nv = tile_nv(b, c.l.blocks);
        if (panel >= p0 && panel < p1) tile_panel(p, &c, &g, a, line, n, sum, one, ptr[1], group, b, nv, table, ptr[2]);
        b += nv;
      }
#endif
    }
    line += n;
  }
}

#endif
