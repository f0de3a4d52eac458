/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_q8 by exact Winograd convolution F(4 x 4, 3 x 3), form 3 of packed weights: 36 products of 16-bit numbers
 * for 16 results instead of 144 of bytes. An ISA file includes it after x86/wino_q8_vec.h, its layer and
 *
 *   WORDS_NV, words_mr[]  blocks of a panel at most, rows for each number of blocks
 *
 * and gives the products of words (wino_words) to wino_part().
 *
 * Everything is exact modulo 2^32. With the points 0, 1, -1, 2, -2, inf and d a patch of 6 x 6 activations as unsigned
 * bytes less 128, V = B' d B stays within 16 bits (100 * 128), as does U = G w G' (49 * 255) with rows of G that are
 * powers of the points, the first and last times 6. Sums over channels wrap. The output transform, with denominators
 * cleared and powers of two taken out of its rows, gives 9 * 2^t * sum for t = 6, 5, 4, 3 or 2; as 9 is invertible, the
 * sum follows from a multiplication and a shift whenever it is below 2^25, which is what `small` promises: 128 is the
 * middle of all activations, and lets weights be as large as any zero point would. */

/* How a convolution is cut; a function of the parameters only. */
typedef struct wino_cut {
  whet_conv_q8_layout l;
  int64_t tx, ty, tiles;               /* tiles in a row, in a column, in all images */
  int64_t k2, ld;                      /* pairs of channels; elements of a tile's row of V */
  int64_t block;                       /* tiles at once */
  bool copy;                           /* patches always go through the buffer */
  size_t m_at, acc_at, patch_at, bytes; /* offsets in scratch: V comes first */
} wino_cut;

enum { WINO_GROUP = 4 }; /* tiles whose results are stored together */

static void wino_cut_for(const whet_conv_q8 *p, wino_cut *c) {
  c->l = whet__conv_q8_layout_of(p, WHET_CONV_Q8_WINO);
  c->tx = whet__ceil_div(p->out_w, 4), c->ty = whet__ceil_div(p->out_h, 4);
  c->tiles = (int64_t)p->images * c->tx * c->ty;
  c->k2 = whet__ceil_div(c->l.ic, 2);
  c->ld = (int64_t)whet__round_up((size_t)c->l.ic, WW_LANES);
  c->copy = c->ld != c->l.ic;
  /* V and one panel of M should stay in the second cache. */
  int64_t each = 72 * c->ld + 36 * 64 * WORDS_NV, most = whet__max_i(7, (520 << 10) / each);
  c->block = c->tiles <= most ? whet__max_i(c->tiles, 1) : most / 7 * 7;
  c->m_at = whet__round_up((size_t)(36 * c->block * c->ld * 2), 64);
  c->acc_at = c->m_at + (size_t)(36 * c->block * 64 * WORDS_NV);
  c->patch_at = c->acc_at + (size_t)(16 * WINO_GROUP * 64 * WORDS_NV);
  c->bytes = c->patch_at + (size_t)(36 * c->ld) + WHET_SLACK;
}

static size_t wino_scratch(const void *params) {
  wino_cut c;
  wino_cut_for(params, &c);
  return c.bytes;
}

/* Where tiles pay: products of words against products of bytes, in cycles. rate: multiply-adds of bytes in a cycle. */
static bool wino_pays(const whet_conv_q8 *p, double bytes_rate, double words_rate) {
  if (!p->small || p->kh != 3 || p->kw != 3 || p->stride_h != 1 || p->stride_w != 1 || p->dil_h != 1 ||
      p->dil_w != 1 || p->groups != 1 || p->in_c < 16 || p->out_c < 16)
    return false;
  double ic = p->in_c, oc = p->out_c, px = (double)p->images * p->out_h * p->out_w;
  double squares = (double)p->images * (double)(whet__ceil_div(p->out_h, 4) * whet__ceil_div(p->out_w, 4));
  double in = ceil(ic / WW_LANES) * 100, out = ceil(oc / 16) * 1600 / WW_LANES * 2;
  double weights = 72 * ic * oc; /* bytes; beyond the second cache they come at a limited speed */
  double wino = squares * (36 * ic * oc / words_rate + in + out) + (weights > 800e3 ? weights / 10 : 0);
  return wino < 0.95 * px * 9 * ic * oc / bytes_rate;
}

/* One dimension of B' d B. */
OUT_INLINE void wino_in(const ww d[6], ww o[6]) {
  ww e = ww_sub(d[4], ww_shl(d[2], 2)), q = ww_sub(d[3], ww_shl(d[1], 2));
  ww f = ww_sub(d[4], d[2]), g = ww_sub(d[3], d[1]), h = ww_add(g, g);
  o[0] = ww_add(ww_shl(ww_sub(d[0], d[2]), 2), f);
  o[1] = ww_add(e, q);
  o[2] = ww_sub(e, q);
  o[3] = ww_add(f, h);
  o[4] = ww_sub(f, h);
  o[5] = ww_sub(ww_sub(d[5], d[3]), ww_shl(g, 2));
}

/* One dimension of the output transform: 24, 12, 6 and 6 times four results. */
OUT_INLINE void wino_out(const out_int m[6], out_int o[4]) {
  out_int a = out_add_i(m[1], m[2]), q = out_sub_i(m[1], m[2]);
  out_int u = out_add_i(m[3], m[4]), w = out_sub_i(m[3], m[4]);
  o[0] = out_add_i(out_sub_i(m[0], out_shift_left(a, 2)), u);
  o[1] = out_sub_i(w, out_shift_left(q, 1));
  o[2] = out_sub_i(u, a);
  o[3] = out_add_i(out_sub_i(out_shift_left(w, 1), q), m[5]);
}

/* V of one tile: pixels of the patch `pix` bytes apart, rows `row`; `plane` elements between places of V. */
static void wino_tile_in(const uint8_t *patch, int64_t row, int64_t pix, int64_t channels, bool is_signed,
                         int16_t *v, int64_t plane) {
  const ww z = ww_set(128);
  for (int64_t k = 0; k < channels; k += WW_LANES) {
    ww e[6][6], d[6], o[6];
    OUT_UNROLL for (int x = 0; x < 6; x++) {
      OUT_UNROLL for (int y = 0; y < 6; y++) d[y] = ww_sub(ww_widen(patch + y * row + x * pix + k, is_signed), z);
      wino_in(d, o);
      OUT_UNROLL for (int y = 0; y < 6; y++) e[y][x] = o[y];
    }
    OUT_UNROLL for (int y = 0; y < 6; y++) {
      wino_in(e[y], o);
      OUT_UNROLL for (int x = 0; x < 6; x++) ww_store(v + (y * 6 + x) * plane + k, o[x]);
    }
  }
}

/* The patch of tile (image, ty, tx): where it lies, or copied into `buf` with zero points around the picture. */
static const uint8_t *wino_patch(const whet_conv_q8 *p, const wino_cut *c, const uint8_t *in, int64_t tile,
                                 uint8_t *buf, int64_t *row, int64_t *pix) {
  int64_t image = tile / (c->tx * c->ty), y = tile / c->tx % c->ty * 4 - p->pad_top, x = tile % c->tx * 4 - p->pad_left;
  in += image * p->in_h * p->in_w * p->in_pitch;
  *pix = p->in_pitch, *row = p->in_w * p->in_pitch;
  if (!c->copy && y >= 0 && x >= 0 && y + 6 <= p->in_h && x + 6 <= p->in_w) return in + y * *row + x * *pix;
  memset(buf, p->in_zero ^ (p->in_signed ? 0x80 : 0), (size_t)(36 * c->ld));
  for (int64_t i = whet__max_i(y, 0); i < whet__min_i(y + 6, p->in_h); i++)
    for (int64_t j = whet__max_i(x, 0); j < whet__min_i(x + 6, p->in_w); j++)
      memcpy(buf + ((i - y) * 6 + j - x) * c->ld, in + i * *row + j * *pix, (size_t)c->l.ic);
  *pix = c->ld, *row = 6 * c->ld;
  return buf;
}

/* Sums of one tile and 16 channels, from M, with the bias, to acc: rows `row` apart, results `ld`. */
OUT_INLINE void wino_tile_out(const int32_t *m, int64_t plane, const int32_t *bias, int32_t *acc, int64_t row,
                              int64_t ld) {
  static const uint8_t shift[4] = {3, 2, 1, 1};
  const out_int ninth = out_set_i(0x38e38e39); /* 9 times this is 1 modulo 2^32 */
  for (int h = 0; h < 16; h += OUT_LANES) {
    out_int e[4][6], d[6], o[4], first = out_load_int(bias + h);
    OUT_UNROLL for (int x = 0; x < 6; x++) {
      OUT_UNROLL for (int y = 0; y < 6; y++) d[y] = out_load_int(m + (y * 6 + x) * plane + h);
      wino_out(d, o);
      OUT_UNROLL for (int y = 0; y < 4; y++) e[y][x] = o[y];
    }
    OUT_UNROLL for (int y = 0; y < 4; y++) {
      wino_out(e[y], o);
      OUT_UNROLL for (int x = 0; x < 4; x++) out_store_int(
          acc + y * row + x * ld + h, out_add_i(wd_sar(out_mul_i(o[x], ninth), shift[y] + shift[x]), first));
    }
  }
}

/* One panel: products of tiles [0, n) and their results; `tile` is the number of the first. */
static void wino_panel(const whet_conv_q8 *p, const wino_cut *c, const char *pack, const uint8_t *table, char *out,
                       int64_t block, int nv, int64_t tile, int64_t n, const int16_t *v, int32_t *m, int32_t *acc,
                       wino_words *multiply) {
  int64_t ld = 16 * nv, cols = whet__min_i(ld, c->l.oc - block * 16), blocks = c->l.blocks * c->k2 * 64;
  const char *u = pack + c->l.weights + block * c->k2 * 64;
  const int32_t *bias = (const int32_t *)(const void *)pack + block * 16;
  whet_factors f = whet__factors_at(&p->out, pack + c->l.factors, c->l.n, block * 16);
  size_t bytes = whet_dtype_bits(p->out.dtype) / 8;
  for (int64_t i = 0; i < 36; i++) {
    int pass = 0;
    for (int64_t x = 0, pieces = whet__ceil_div(n, words_mr[nv]); x < n; pieces--) {
      int64_t mr = whet__ceil_div(n - x, pieces);
      multiply((int)mr, nv, v + (i * n + x) * c->ld, c->ld, c->k2, (const int8_t *)u + i * blocks, c->k2 * 64,
               i < 35 ? blocks : 0, pass++, m + (i * n + x) * ld);
      x += mr;
    }
  }
  for (int64_t t = 0; t < n;) {
    int64_t tx = (tile + t) % c->tx, row = (tile + t) / c->tx, y = row % c->ty * 4, image = row / c->ty;
    int64_t group = whet__min_i(whet__min_i(WINO_GROUP, n - t), c->tx - tx);
    for (int64_t g = 0; g < group; g++)
      for (int j = 0; j < nv; j++)
        wino_tile_out(m + (t + g) * ld + 16 * j, n * ld, bias + 16 * j, acc + g * 4 * ld + 16 * j,
                      4 * WINO_GROUP * ld, ld);
    for (int64_t i = 0; i < whet__min_i(4, p->out_h - y); i++) {
      int64_t to = ((image * p->out_h + y + i) * p->out_w + tx * 4) * p->out_pitch + block * 16;
      out_tile(&p->out, &f, acc + i * 4 * WINO_GROUP * ld, ld, whet__min_i(4 * group, p->out_w - tx * 4), cols, table,
               out + (size_t)to * bytes, p->out_pitch);
    }
    t += group;
  }
}

/* Blocks of 16 in the panel that begins at block b of n. */
static int wino_nv(int64_t b, int64_t n) {
  int64_t left = n - b;
  return (int)(left <= WORDS_NV ? left : left < 2 * WORDS_NV ? (left + 1) / 2 : WORDS_NV);
}

/* Part of a convolution: some tiles, or, of small pictures, some panels. */
static void wino_part(const void *params, void *const *ptr, int part, int parts, wino_words *multiply) {
  const whet_conv_q8 *p = params;
  wino_cut c;
  wino_cut_for(p, &c);
  whet_sums_live live;
  const uint8_t *table = whet__conv_q8_table(p, ptr, &live);
  char *scratch = ptr[4];
  int16_t *v = (int16_t *)(void *)scratch;
  int64_t panels = 0, from = 0, to = c.tiles, p0, p1;
  for (int64_t b = 0; b < c.l.blocks; b += wino_nv(b, c.l.blocks)) panels++;
  p0 = 0, p1 = panels;
  if (panels >= parts && c.tiles <= c.block)
    whet__split(panels, part, parts, &p0, &p1);
  else
    whet__split(c.tiles, part, parts, &from, &to);
  for (int64_t n; from < to && p0 < p1; from += n) {
    n = whet__min_i(c.block, to - from);
    for (int64_t t = 0; t < n; t++) {
      int64_t row, pix;
      const uint8_t *patch = wino_patch(p, &c, ptr[0], from + t, (uint8_t *)scratch + c.patch_at, &row, &pix);
      wino_tile_in(patch, row, pix, c.ld, p->in_signed, v + t * c.ld, n * c.ld);
    }
    for (int64_t b = 0, k = 0; b < c.l.blocks; k++) {
      int nv = wino_nv(b, c.l.blocks);
      if (k >= p0 && k < p1)
        wino_panel(p, &c, ptr[1], table, ptr[2], b, nv, from, n, v, (int32_t *)(void *)(scratch + c.m_at),
                   (int32_t *)(void *)(scratch + c.acc_at), multiply);
      b += nv;
    }
  }
}
