/* SPDX-License-Identifier: Apache-2.0 */
/* Family wgrad_f32, over the vector layer that the including file has chosen; it defines ISA and ISA_BITS.
 *
 * A tile keeps `rows` numbers of one side by `vecs` vectors of the other in registers and walks over the lines of a chunk. */

#include "kern/wgrad_f32.h"

#include "kern/row_name.h"

enum {
  MOST_ROWS = VW == 16 ? 12 : VW == 1 ? 4 : 6, /* beside two vectors; twice as many beside one */
  MOST_VECS = VW > 1 ? 2 : 1,
  MASKED = VW == 16 /* loads of some lanes cost what loads of all do: one body serves both */
};

/* What one tile is of. */
struct job {
  const whet_wgrad_line *line;
  int n_line;
  bool by_o;
  int64_t v_at, b_at, v_step, b_step; /* numbers from a line's first to the tile's; from position to position */
  float *sum;                         /* [rows][WHET_WGRAD_V] */
  int64_t last;                       /* numbers in the last vector */
};

/* rows and vecs are constants where it is called; whole: every vector is full. */
WHET_INLINE void tile(const struct job *j, const int rows, const int vecs, const bool whole) {
  vf acc[2 * MOST_ROWS][2];
  const int64_t v_step = j->v_step, b_step = j->b_step, last = j->last;
  WHET_UNROLL for (int i = 0; i < rows; i++) WHET_UNROLL for (int v = 0; v < vecs; v++) acc[i][v] =
      vf_load(j->sum + i * WHET_WGRAD_V + v * VW);
  for (const whet_wgrad_line *l = j->line, *end = l + j->n_line; l < end; l++) {
    const float *v = (j->by_o ? l->y : l->x) + j->v_at, *b = (j->by_o ? l->x : l->y) + j->b_at;
    for (int64_t k = l->n; k > 0; k--, v += v_step, b += b_step) {
      vf x[2];
      WHET_UNROLL for (int u = 0; u < vecs; u++) x[u] = u < vecs - 1 || whole ? vf_load(v + u * VW) : vf_load_n(v + u * VW, last);
      WHET_UNROLL for (int i = 0; i < rows; i++) {
        vf one = vf_set(b[i]);
        WHET_UNROLL for (int u = 0; u < vecs; u++) acc[i][u] = vf_fma(x[u], one, acc[i][u]);
      }
    }
  }
  WHET_UNROLL for (int i = 0; i < rows; i++) WHET_UNROLL for (int v = 0; v < vecs; v++)
      vf_store(j->sum + i * WHET_WGRAD_V + v * VW, acc[i][v]);
}

#define TILE(r, v)                                                                      \
  static void tile_##r##x##v(const struct job *j) {                                     \
    MASKED || j->last < VW ? tile(j, r, v, false) : tile(j, r, v, true);                \
  }
TILE(1, 1)
TILE(4, 1)
#if VW > 1
TILE(2, 1)
TILE(3, 1)
TILE(1, 2)
TILE(2, 2)
TILE(3, 2)
TILE(4, 2)
TILE(6, 1)
TILE(6, 2)
TILE(12, 1)
#endif
#if VW == 16
TILE(8, 1)
TILE(9, 1)
TILE(16, 1)
TILE(24, 1)
TILE(8, 2)
TILE(12, 2)
#endif

/* Tiles with one vector and with two, most rows first. */
static const struct {
  int rows;
  void (*run)(const struct job *j);
} k_tile[][10] = {{
#if VW == 16
                      {24, tile_24x1}, {16, tile_16x1}, {12, tile_12x1}, {9, tile_9x1}, {8, tile_8x1}, {6, tile_6x1},
#elif VW > 1
                      {12, tile_12x1}, {6, tile_6x1},
#endif
                      {4, tile_4x1},
#if VW > 1
                      {3, tile_3x1}, {2, tile_2x1},
#endif
                      {1, tile_1x1}},
#if VW > 1
                  {
#if VW == 16
                      {12, tile_12x2}, {8, tile_8x2},
#endif
                      {6, tile_6x2}, {4, tile_4x2}, {3, tile_3x2}, {2, tile_2x2}, {1, tile_1x2}}
#endif
};

/* The chunk's part of a block's sums. */
static void block(struct job *j, const whet_wgrad_block *b, float *sum) {
  int64_t v_at = j->v_at, b_at = j->b_at;
  for (int64_t v = 0; v < b->nv; v += MOST_VECS * VW) {
    int64_t n = whet__min_i(MOST_VECS * VW, b->nv - v), at = 0;
    int two = n > VW;
    j->last = two ? n - VW : n;
    j->v_at = v_at + v;
    for (int i = 0; at < b->nb;) {
      int rows = k_tile[two][i].rows;
      if (rows > b->nb - at) {
        i++;
        continue;
      }
      j->b_at = b_at + at;
      j->sum = sum + at * WHET_WGRAD_V + v;
      k_tile[two][i].run(j);
      at += rows;
    }
  }
}

/* A block's sums to where they belong: rows of a product of matrices lie there as they do here. */
static void put(const whet_wgrad_f32 *p, const whet_wgrad_cut *c, const whet_wgrad_block *b, const float *sum, float *dw) {
  int64_t v_step = c->by_o ? p->w_oc : p->w_ic, b_step = c->by_o ? p->w_ic : p->w_oc;
  if (c->runs > 1 || c->wide || v_step != 1) {
    whet__wgrad_put(p, c, b, sum, dw);
    return;
  }
  dw += b->group * p->w_group + b->b0 * b_step + b->v0;
  for (int64_t i = 0; i < b->nb; i++, dw += b_step, sum += WHET_WGRAD_V)
    for (int64_t v = 0; v < b->nv; v += VW) vf_store_n(dw + v, vf_load(sum + v), whet__min_i(VW, b->nv - v));
}

/* Blocks from..to-1 of one shard. */
static void some(const whet_wgrad_f32 *p, const whet_wgrad_cut *c, whet_wgrad_chunk *k, int64_t shard, int64_t from, int64_t to, float *sum,
                 float *dw) {
  enum { EACH = WHET_WGRAD_B * WHET_WGRAD_V };
  int64_t line, end, x_step = p->dim[2].stride * (c->pack ? p->ic : p->dim[2].in_step), y_step = p->dim[2].out_step;
  struct job j = {.line = k->line, .by_o = c->by_o, .v_step = c->by_o ? y_step : x_step, .b_step = c->by_o ? x_step : y_step};
  whet__split(c->lines, (int)shard, (int)c->shards, &line, &end);
  dw += shard * p->count;
  for (bool first = true; line < end || first; first = false) {
    int64_t run = -1;
    line = whet__wgrad_take(p, c, k, line, end);
    for (int64_t at = from; at < to; at++) {
      whet_wgrad_block b = whet__wgrad_block(p, c, at);
      float *here = first && line >= end ? sum : sum + (at - from) * EACH; /* done at once: it stays in the first cache */
      if (first) memset(here, 0, EACH * sizeof *here);
      if (b.run != run) whet__wgrad_lines(p, c, k, run = b.run);
      j.n_line = k->n_line;
      j.v_at = b.v0 + b.group * (c->by_o ? p->oc : p->ic);
      j.b_at = b.b0 + b.group * (c->by_o ? p->ic : p->oc);
      block(&j, &b, here);
      if (line >= end) put(p, c, &b, here, dw);
    }
  }
}

static void join(const whet_wgrad_f32 *p, void *const *ptr, int64_t from, int64_t to) {
  const float *x = ptr[0];
  float *y = ptr[2];
  int64_t shards = whet__wgrad_f32_shards(p) - WHET_BUG(1);
  for (int64_t i = from * 1024, end = whet__min_i(to * 1024, p->count); i < end; i += VW) {
    int64_t n = whet__min_i(VW, end - i);
    vf a = vf_load_n(x + i, n);
    for (int64_t s = 1; s < shards; s++) a = vf_add(a, vf_load_n(x + s * p->count + i, n));
    vf_store_n(y + i, a, n);
  }
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_wgrad_f32 *p = params;
  int64_t from, to;
  whet__split(whet__wgrad_f32_parts(p), part, parts, &from, &to);
  if (p->join) {
    join(p, ptr, from, to);
    return;
  }
  whet_wgrad_cut c;
  whet_wgrad_chunk k = {.x = ptr[0], .dy = ptr[1]};
  whet__wgrad_cut(p, &c);
  float *sum = ptr[3];
  k.room = sum + whet__min_i(c.blocks, WHET_WGRAD_BLOCKS) * WHET_WGRAD_B * WHET_WGRAD_V;
  while (from < to) {
    int64_t shard = from / c.blocks, at = from % c.blocks, n = whet__min_i(whet__min_i(to - from, c.blocks - at), WHET_WGRAD_BLOCKS);
    some(p, &c, &k, shard, at, at + n, sum, ptr[2]);
    from += n;
  }
}

static size_t scratch(const void *params) { return whet__wgrad_f32_scratch(params); }

WHET_ROW_SCRATCH(wgrad_f32);
