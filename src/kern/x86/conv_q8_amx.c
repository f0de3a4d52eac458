/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_q8 on AMX (Intel SDM 1, chapter 18). tdpbusd multiplies a tile of 16 results by 64 activations with a
 * tile of 64 weights by 16 outputs in 16 cycles. Pixels in memory are rows of a tile as they lie, and a panel of form
 * 5 is tiles of weights one after the other: nothing is moved for them.
 *
 * A tile of activations has one distance between its rows, and short lines of results would leave most of its rows
 * empty. So tiles run on over the ends of lines: in a strip with its borders the first result of a line follows the
 * last of the line before after a few pixels, whose sums are made and dropped. Where a convolution steps over pixels
 * the strip holds them sorted by their place in a step, which makes neighbours of those that neighbouring results
 * read.
 *
 * Sums leave tiles through memory; those of one block become bytes while the next block is multiplied. */

#include "kern/x86/out_q8_avx512.h"

#define TILE_ELEM uint8_t
#include "kern/tile_copy.h"

/* How a convolution is cut; a function of the parameters only. */
typedef struct cut {
  whet_conv_q8_layout l;
  bool dense;           /* each result reads one pixel, results and pixels lie in the same order */
  bool copy;            /* strips are copied */
  int64_t lines, per;   /* lines of results of all images; of one image */
  int64_t width, total; /* results in a line (the last may be shorter when dense); in all */
  int64_t next;         /* rows of tiles from one line's first result to that of the next; 0: tiles keep to a line */
  int64_t strip;        /* lines in a strip at most */
  int64_t fh, fw;       /* rows and columns of pixels are sorted by their place in so many */
  int64_t px, pix, row; /* pixels of a row of a strip, elements between pixels, rows */
  int64_t plane;        /* elements between pixels of different places in a step */
  int64_t lda;          /* elements between rows of a tile */
  int64_t n_seg, k4;    /* runs of activations that a result reads; groups of four in each */
  int64_t steps, step;  /* steps of a run, groups of four in one */
  int64_t panel;        /* blocks of 16 outputs in a panel */
  size_t seg_at, sum_at, bytes;
} cut;

/* Rows of a strip of n lines, in each plane. */
static int64_t rows_of(const whet_conv_q8 *p, const cut *c, int64_t n) {
  int64_t reach = (int64_t)(p->kh - 1) * p->dil_h;
  return c->fh == p->stride_h ? n + reach / c->fh : (n - 1) * p->stride_h + reach + 1;
}

/* A panel is four blocks for sums of so many products at most: its weights stay in the first cache. */
enum { WIDE_TO = 256 };

/* Bytes of a strip at most: with all weights in the first cache so should it be, else both in the second. */
static int64_t strip_bytes(const cut *c) {
  return c->l.group <= 24 << 10 ? 16 << 10 : c->l.group <= 512 << 10 ? 256 << 10 : 768 << 10;
}

static void cut_dense(const whet_conv_q8 *p, cut *c) {
  c->total = (int64_t)p->images * p->out_h * p->out_w;
  c->width = whet__min_i(c->total, 64);
  c->lines = c->per = c->width ? whet__ceil_div(c->total, c->width) : 0;
  c->next = c->width;
  c->fh = c->fw = c->n_seg = 1;
  c->k4 = c->l.k4;
  c->copy = tile_turn(p) || c->l.k4 * 4 != c->l.ic; /* steps read whole: nothing lies behind the last pixel */
  c->pix = c->lda = c->copy ? c->l.ic : p->in_pitch;
  c->row = c->width * c->pix;
  c->strip = whet__clamp_i(strip_bytes(c) / whet__max_i(c->row, 1), 1, whet__max_i(c->per, 1));
}

static void cut_lines(const whet_conv_q8 *p, cut *c) {
  const int64_t reach_w = (int64_t)(p->kw - 1) * p->dil_w;
  const int64_t tall = c->l.segs * c->l.k4 * 4 <= WIDE_TO ? 16 : 32; /* results of a block */
  bool joined = p->dil_w == 1 && p->groups == 1 && p->in_pitch == p->in_c;
  bool columns = p->kw == 1 || p->dil_w > 1 || c->l.ic % 64 == 0; /* weights of a column are whole steps */
  c->total = (int64_t)p->images * p->out_h * p->out_w;
  c->width = p->out_w;
  c->per = p->out_h;
  c->lines = (int64_t)p->images * p->out_h;
  int64_t next = p->out_w + reach_w / p->stride_w;
  bool run_on = (columns || p->stride_w == 1) &&
                whet__ceil_div((c->per - 1) * next + c->width, tall) < c->per * whet__ceil_div(c->width, tall);
  c->next = run_on ? next : 0;
  c->fh = run_on ? p->stride_h : 1;
  c->fw = run_on ? p->stride_w : 1;
  c->copy = tile_turn(p) || !whet__conv_q8_inside(p) || c->fh > 1 || c->fw > 1 || run_on || !(joined || columns) ||
            c->l.k4 * 4 != c->l.seg_k;
  bool apart = p->dil_w > 1 || c->fw > 1 || (!c->copy && !joined && p->kw > 1); /* a run for each kernel column */
  c->n_seg = (int64_t)p->kh * (apart ? p->kw : 1);
  c->k4 = apart && p->dil_w == 1 && p->kw > 1 ? c->l.ic / 4 : c->l.k4;
  c->px = !c->copy ? p->in_w : run_on ? next : (int64_t)(p->out_w - 1) * p->stride_w + reach_w + 1;
  c->pix = c->copy ? c->l.ic : p->in_pitch;
  c->row = c->px * c->pix;
  c->lda = c->pix * (p->stride_w / c->fw);
  int64_t planes = (p->kh > 1 ? c->fh : 1) * (p->kw > 1 ? c->fw : 1);
  int64_t line = whet__max_i(planes * c->row * (p->stride_h / c->fh), 1);
  int64_t over = planes * c->row * (rows_of(p, c, 1) - p->stride_h / c->fh);
  c->strip = whet__clamp_i((strip_bytes(c) - over) / line, 1, whet__max_i(c->per, 1));
  c->plane = rows_of(p, c, c->strip) * c->row;
  if (c->copy) c->seg_at = (size_t)(planes * c->plane) + WHET_SLACK;
}

static void cut_for(const whet_conv_q8 *p, cut *c) {
  memset(c, 0, sizeof *c);
  c->l = whet__conv_q8_layout_of(p, WHET_CONV_Q8_STEPS);
  c->dense = whet__conv_q8_inside(p) && p->kh == 1 && p->kw == 1 && p->stride_h == 1 && p->stride_w == 1 &&
             p->in_h == p->out_h && p->in_w == p->out_w;
  if (c->dense)
    cut_dense(p, c);
  else
    cut_lines(p, c);
  if (c->dense && c->copy) c->seg_at = (size_t)(c->strip * c->row) + WHET_SLACK;
  c->steps = whet__conv_q8_steps(c->k4);
  c->step = c->steps ? c->k4 / c->steps : 0;
  c->panel = c->n_seg * c->k4 * 4 <= WIDE_TO ? 4 : 2;
  c->seg_at = whet__round_up(c->seg_at, 64);
  c->sum_at = whet__round_up(c->seg_at + (size_t)c->n_seg * sizeof(int64_t), 64);
  c->bytes = c->sum_at + (p->w_zeros ? (size_t)(c->strip * c->width) * sizeof(int32_t) : 0);
}

static size_t scratch(const void *params) {
  cut c;
  cut_for(params, &c);
  return c.bytes;
}

/* Where the run of kernel row i and column j begins. */
static int64_t seg_of(const whet_conv_q8 *p, const cut *c, int64_t i, int64_t j) {
  int64_t y = i * p->dil_h, x = j * p->dil_w, across = p->kw > 1 ? c->fw : 1;
  return (y % c->fh * across + x % c->fw) * c->plane + y / c->fh * c->row + x / c->fw * c->pix;
}

/* Where the first result of lines [line, line + n) of one image reads, group g; copied into `buf` when need be. */
static const uint8_t *strip(const whet_conv_q8 *p, const cut *c, const uint8_t *in, int64_t line, int64_t n,
                            int64_t g, uint8_t *buf) {
  in += g * c->l.ic;
  if (c->dense) {
    const uint8_t *from = in + line * c->width * p->in_pitch;
    int64_t px = whet__min_i(n * c->width, c->total - line * c->width);
    if (!c->copy) return from;
    tile_copy_row(p, from, px, 0, 1, px, c->pix, buf);
    return buf;
  }
  int64_t top = line % c->per * p->stride_h - p->pad_top, rows = rows_of(p, c, n), pitch = p->in_w * p->in_pitch;
  in += line / c->per * p->in_h * pitch;
  if (!c->copy) return in + top * pitch;
  for (int64_t a = 0; a < (p->kh > 1 ? c->fh : 1); a++)
    for (int64_t b = 0; b < (p->kw > 1 ? c->fw : 1); b++) {
      uint8_t *to = buf + seg_of(p, c, 0, 0) + (a * (p->kw > 1 ? c->fw : 1) + b) * c->plane;
      for (int64_t i = 0; i < rows; i++, to += c->row) {
        int64_t y = top + i * c->fh + a;
        if (y < 0 || y >= p->in_h)
          tile_fill(to, c->row, tile_zero(p));
        else
          tile_copy_row(p, in + y * pitch, p->in_w, b - p->pad_left, c->fw, c->px, c->pix, to);
      }
    }
  return buf;
}

static uint32_t sum_bytes(const uint8_t *a, int64_t n) {
  __m512i s = _mm512_setzero_si512();
  for (; n > 0; n -= 64, a += 64) {
    __m512i x = n >= 64 ? _mm512_loadu_si512(a) : _mm512_maskz_loadu_epi8(~UINT64_C(0) >> (64 - n), a);
    s = _mm512_add_epi64(s, _mm512_sad_epu8(x, _mm512_setzero_si512()));
  }
  return (uint32_t)_mm512_reduce_add_epi64(s);
}

/* Elements from the first result of a strip's line to that of the next. */
static int64_t line_of(const whet_conv_q8 *p, const cut *c) {
  return c->next ? c->next * c->lda : p->stride_h * c->row;
}

/* Sums of the activations that each result of a strip reads, for weights with zero points. */
static void sums_of(const whet_conv_q8 *p, const cut *c, const uint8_t *a, const int64_t *seg, int64_t n,
                    int32_t *sum) {
  int64_t k = c->n_seg == c->l.segs ? c->l.seg_k : c->l.ic;
  for (int64_t i = 0; i < n; i++) {
    const uint8_t *at = a + i / c->width * line_of(p, c) + i % c->width * c->lda;
    uint32_t s = 0;
    for (int64_t j = 0; j < c->n_seg; j++) s += sum_bytes(at + seg[j], k);
    sum[i] = (int32_t)s;
  }
}

/* ---- tiles ------------------------------------------------------------------------------------- */

/* Registers. Four hold sums, two rows of two or one of four; numbers, as gcc spells them into assembly. */
#define C0 0
#define C1 1
#define C2 2
#define C3 3
#define A0 4
#define A1 5
#define B0 6
#define B1 7
#define TILES 8

/* Tiles of `rows` results and `step` groups of four. */
static void configure(int64_t rows, int64_t step) {
  struct {
    uint8_t palette, start, spare[14];
    uint16_t bytes[16]; /* of a row */
    uint8_t rows[16];
  } c = {.palette = 1};
  for (int t = 0; t < TILES; t++) {
    c.rows[t] = (uint8_t)(t >= B0 ? step : rows);
    c.bytes[t] = (uint16_t)(t == A0 || t == A1 ? 4 * step : 64);
  }
  _tile_loadconfig(&c);
}

/* Sums of a block; its tiles lie side by side, rows so many sums apart. */
enum { SUMS = 1024, BLOCK = 64 };

/* What a panel of weights works on. */
typedef struct work {
  const whet_conv_q8 *p;
  const cut *c;
  const int64_t *seg;
  const int8_t *b; /* weights, bytes between blocks of 16 outputs */
  int64_t block;
  const int32_t *bias;
  whet_factors f;
  const int32_t *w_zero, *sum;
  const uint8_t *table;
  char *out;    /* the panel's first result of the strip */
  int64_t cols; /* outputs of the panel */
  int64_t rows; /* of a tile */
} work;

/* A walk over what a tile of results reads, step by step: at x, and for the tile below at x2, with the weights at b.
 */
#define WALK(CODE)                                                                                   \
  for (int64_t s = 0; s < c->n_seg; s++) {                                                           \
    const uint8_t *x = a + w->seg[s], *x2 = a2 + w->seg[s];                                          \
    for (int64_t k = 0; k < c->steps; k++, x += 4 * c->step, x2 += 4 * c->step, b += 64 * c->step) { \
      (void)x2;                                                                                      \
      CODE                                                                                           \
    }                                                                                                \
  }

/* Sums start at the bias: a tile whose rows are all loaded from one place.
 *
 * Two tiles of results, at a and a2, by up to two blocks of outputs: each weight that comes from afar serves both. */
static void tall(const work *w, const uint8_t *a, const uint8_t *a2, int wide, int32_t *acc) {
  const cut *c = w->c;
  const int8_t *b = w->b;
  _tile_loadd(C0, w->bias, 0);
  _tile_loadd(C2, w->bias, 0);
  if (wide == 1) {
    WALK(_tile_loadd(B0, b, 64); _tile_loadd(A0, x, c->lda); _tile_dpbusd(C0, A0, B0); _tile_loadd(A1, x2, c->lda);
         _tile_dpbusd(C2, A1, B0);)
  } else {
    _tile_loadd(C1, w->bias + 16, 0);
    _tile_loadd(C3, w->bias + 16, 0);
    WALK(_tile_loadd(B0, b, 64); _tile_loadd(A0, x, c->lda); _tile_dpbusd(C0, A0, B0); _tile_loadd(A1, x2, c->lda);
         _tile_dpbusd(C2, A1, B0); _tile_loadd(B1, b + w->block, 64); _tile_dpbusd(C1, A0, B1);
         _tile_dpbusd(C3, A1, B1);)
    _tile_stored(C1, acc + 16, 4 * BLOCK);
    _tile_stored(C3, acc + 48, 4 * BLOCK);
  }
  _tile_stored(C0, acc, 4 * BLOCK);
  _tile_stored(C2, acc + 32, 4 * BLOCK);
}

/* One tile of results by up to four blocks, for few products: its rows are whole registers of bytes when they are
 * finished. */
static void flat(const work *w, const uint8_t *a, int wide, int32_t *acc) {
  const cut *c = w->c;
  const int8_t *b = w->b;
  const uint8_t *a2 = a;
  const int64_t block = w->block;
  _tile_loadd(C0, w->bias, 0);
  if (wide > 1) _tile_loadd(C1, w->bias + 16, 0);
  if (wide > 2) _tile_loadd(C2, w->bias + 32, 0);
  if (wide > 3) _tile_loadd(C3, w->bias + 48, 0);
  if (wide == 4) {
    WALK(_tile_loadd(A0, x, c->lda); _tile_loadd(B0, b, 64); _tile_dpbusd(C0, A0, B0); _tile_loadd(B1, b + block, 64);
         _tile_dpbusd(C1, A0, B1); _tile_loadd(B0, b + 2 * block, 64); _tile_dpbusd(C2, A0, B0);
         _tile_loadd(B1, b + 3 * block, 64); _tile_dpbusd(C3, A0, B1);)
  } else {
    WALK(
        _tile_loadd(A0, x, c->lda); _tile_loadd(B0, b, 64); _tile_dpbusd(C0, A0, B0); if (wide > 1) {
          _tile_loadd(B1, b + block, 64);
          _tile_dpbusd(C1, A0, B1);
        } if (wide > 2) {
          _tile_loadd(B0, b + 2 * block, 64);
          _tile_dpbusd(C2, A0, B0);
        })
  }
  _tile_stored(C0, acc, 4 * BLOCK);
  if (wide > 1) _tile_stored(C1, acc + 16, 4 * BLOCK);
  if (wide > 2) _tile_stored(C2, acc + 32, 4 * BLOCK);
  if (wide > 3) _tile_stored(C3, acc + 48, 4 * BLOCK);
}

/* acc -= w_zero * sum. */
static void take(int32_t *restrict acc, const int32_t *restrict w_zero, uint32_t sum, int64_t n) {
  for (int64_t j = 0; j < n; j++) acc[j] = (int32_t)((uint32_t)acc[j] - (uint32_t)w_zero[j] * sum);
}

/* Rows of sums to where they belong; those between lines are dropped. */
static void finish(const work *w, int64_t line, int64_t m, const int32_t *acc_in) {
  const cut *c = w->c;
  const whet_conv_q8 *p = w->p;
  const size_t bytes = whet_dtype_bits(p->out.dtype) / 8;
  int64_t x = m, left = w->rows;
  if (c->next) line = (int64_t)((uint32_t)m / (uint32_t)c->next), x = m - line * c->next;
  for (int32_t *acc = (int32_t *)(uintptr_t)acc_in; left > 0; line++, x = 0) {
    int64_t n = whet__min_i(c->width - x, left), at = line * c->width + x, skip = 0;
    if (n > 0) {
      if (p->w_zeros)
        for (int64_t r = 0; r < n; r++) take(acc + r * BLOCK, w->w_zero, (uint32_t)w->sum[at + r], w->cols);
      out_tile(&p->out, &w->f, acc, BLOCK, n, w->cols, w->table, w->out + (size_t)(at * p->out_pitch) * bytes,
               p->out_pitch);
    } else {
      n = 0;
    }
    skip = whet__min_i(whet__max_i(c->next - x, n), left);
    acc += skip * BLOCK;
    left -= skip;
  }
}

/* A block whose sums are made and wait to be finished while the next are made. */
typedef struct later {
  int64_t line, m[2]; /* of its tiles of results; how many of them */
  int tiles;
} later;

static void finish_block(const work *w, const later *l, const int32_t *acc) {
  for (int t = 0; t < l->tiles; t++) finish(w, l->line, l->m[t], acc + 32 * t);
}

/* One panel of weights over n lines of a strip at a. Rows that are left over make a tile with some before them again.
 */
static void run_panel(const work *w, const uint8_t *a, int64_t n, int64_t results, int wide) {
  const cut *c = w->c;
  _Alignas(64) int32_t acc[2][SUMS];
  later l = {0, {0, 0}, 0};
  int now = 0;
  const bool two = c->panel == 2;
  for (int64_t line = 0; line < (c->next ? 1 : n); line++, a += line_of(w->p, c))
    for (int64_t m = 0; m < results;) {
      int64_t last = results - w->rows, m2 = whet__min_i(m + w->rows, last);
      m = whet__min_i(m, last);
      bool both = two && m2 > m;
      if (both)
        tall(w, a + m * c->lda, a + m2 * c->lda, wide, acc[now]);
      else
        flat(w, a + m * c->lda, wide, acc[now]);
      if (l.tiles) finish_block(w, &l, acc[!now]);
      l = (later){line, {m, m2}, both ? 2 : 1};
      now = !now;
      m = (both ? m2 : m) + w->rows;
    }
  if (l.tiles) finish_block(w, &l, acc[!now]);
}

/* ---- the whole --------------------------------------------------------------------------------- */

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_conv_q8 *p = params;
  cut c;
  cut_for(p, &c);
  uint8_t *buf = whet__part_scratch(ptr[4], c.bytes, part);
  int64_t *seg = (int64_t *)(void *)(buf + c.seg_at);
  int32_t *sum = (int32_t *)(void *)(buf + c.sum_at);
  const char *pack = ptr[1];
  const size_t bytes = whet_dtype_bits(p->out.dtype) / 8;
  const int64_t across = c.n_seg / p->kh, panels = whet__ceil_div(c.l.blocks, c.panel);
  for (int64_t s = 0; s < c.n_seg; s++) seg[s] = seg_of(p, &c, s / across, s % across);
  int64_t from = 0, to = c.lines, p0 = 0, p1 = panels * p->groups;
  if (p1 >= parts && c.total <= 784)
    whet__split(p1, part, parts, &p0, &p1);
  else
    whet__split(to, part, parts, &from, &to);
  work w = {.p = p, .c = &c, .seg = seg, .block = c.l.segs * c.l.k4 * 64, .sum = sum, .table = ptr[3]};
  int64_t shape = 0;
  for (int64_t line = from; line < to;) {
    int64_t n = whet__min_i(c.strip, whet__min_i(to - line, c.per - line % c.per));
    int64_t here = c.dense ? whet__min_i(n * c.width, c.total - line * c.width) : n * c.width; /* results */
    int64_t results = c.dense ? here : c.next ? (n - 1) * c.next + c.width : c.width; /* rows of tiles in a walk */
    w.rows = whet__min_i(results, 16);
    if (w.rows != shape) configure(shape = w.rows, c.step);
    for (int64_t g = p0 / panels; g < p->groups && g * panels < p1; g++) {
      const uint8_t *a = strip(p, &c, ptr[0], line, n, g, buf);
      if (p->w_zeros) sums_of(p, &c, a, seg, here, sum);
      for (int64_t i = whet__max_i(p0 - g * panels, 0); i < whet__min_i(panels, p1 - g * panels); i++) {
        int64_t block = i * c.panel, at = (g * c.l.blocks + block) * 16;
        w.b = (const int8_t *)pack + c.l.weights + (size_t)g * c.l.group + block * w.block;
        w.bias = (const int32_t *)(const void *)pack + at;
        w.f = whet__factors_at(&p->out, pack + c.l.factors, c.l.n, at);
        w.w_zero = (const int32_t *)(const void *)(pack + c.l.w_zero) + at;
        w.out = (char *)ptr[2] + (size_t)(line * c.width * p->out_pitch + g * c.l.oc + block * 16) * bytes;
        w.cols = whet__min_i(16 * c.panel, c.l.oc - block * 16);
        run_panel(&w, a, n, results, (int)whet__min_i(c.panel, c.l.blocks - block));
      }
    }
    line += n;
  }
  _tile_release();
}

/* Groups of four for each result; with fewer, tiles take longer to come and go than products to be made. */
enum { LEAST = 16 };

static bool fits(const void *params) {
  const whet_conv_q8 *p = params;
  whet_conv_q8_layout l = whet__conv_q8_layout_of(p, WHET_CONV_Q8_STEPS);
  return l.segs * l.k4 >= LEAST && l.oc >= 16 && (int64_t)p->images * p->out_h * p->out_w >= 4;
}

const whet_kern whet_k_conv_q8__amx_tiles = {.name = "conv_q8__amx_tiles",
                                             .isa = WHET_ISA_AMX | WHET_ISA_VNNI | WHET_ISA_AVX512,
                                             .form = WHET_CONV_Q8_STEPS,
                                             .exact = 1,
                                             .fits = fits,
                                             .scratch = scratch,
                                             .run = run};
