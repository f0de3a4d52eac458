/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_ATTN_F32_H
#define WHET_KERN_ATTN_F32_H

/* Family attn_f32: attention without its matrix of scores, f32. For batch b, head h, row i of q:
 *
 *   s[j] = scale (q[i] . k[j])     over the keys j that row i sees; cap tanh(s / cap) where cap > 0;  + mask
 *   y[i] = (sum of e^(s[j] - m) v[j]) / sum of e^(s[j] - m)      m: the greatest s;  0 (or NaN) where i sees no key
 *
 * Row i sees the keys from `left` before to `right` after its position (offset + i * advance), of those the first
 * mask_n and the first lens[b]. A mask of -Inf (or false) hides a key whatever its score. Heads of q in groups of
 * heads / kv_heads share a head of k and v.
 *
 * Order of sums: keys come in blocks of WHET_ATTN_KEYS or fewer, even ones (whet__attn_block). Scores: one chain of fused
 * multiply-adds over d from zero; scale and mask one more. In a block, e is summed in 16 lanes from the first key that the
 * row sees and their tree (lanes.h), v in one chain, keys ascending; sums of the blocks before are first multiplied by
 * e^(m before - m). Then the factor 1 / sum. e^x is 2^(x log2 e); 2^x and tanh of vmath.h. Exact.
 *
 * Arguments: [0] q, [1] k, [2] v, [3] y, [4] mask (f32, or bytes 0 and 1) or absent, [5] lens or absent, [6] scratch. Rows
 * of d (v, y: dv) neighbours lie anywhere; all inputs may be the caller's. Parts split blocks of rows. */

#include "kern/tile_f32.h"

enum { WHET_ATTN_KEYS = 256, WHET_ATTN_ROWS = 42, WHET_ATTN_TILE = 7 };
enum { WHET_ATTN_NO_MASK, WHET_ATTN_ADD, WHET_ATTN_BOOL };

typedef struct whet_attn_f32 {
  int64_t batch, heads, kv_heads, m, n, d, dv;       /* m rows of q, n of k and v, for each head */
  int64_t q[3], k[3], v[3], y[3];                    /* floats from batch to batch, head to head, row to row */
  int64_t mask[3], mask_n;                           /* elements from batch, head, row to the next; keys it covers */
  int64_t offset, left, right;                       /* INT64_MAX: as far as there are keys */
  float scale, cap;                                  /* scale > 0 */
  uint8_t mask_kind;                                 /* WHET_ATTN_ */
  uint8_t lens;                                      /* bytes of an element of lens: 0 (absent), 4 or 8 */
  uint8_t lens_offset;                               /* row 0 has position lens[b] - offset instead of offset */
  uint8_t nan;                                       /* rows that see no key are NaN, not 0 */
  uint8_t advance;                                   /* 0: all rows have the position of row 0 */
} whet_attn_f32;

/* Keys of a block: a multiple of 16. */
static inline int64_t whet__attn_block(int64_t n) {
  int64_t blocks = whet__ceil_div(n, WHET_ATTN_KEYS);
  return blocks < 1 ? 16 : whet__ceil_div(whet__ceil_div(n, blocks), 16) * 16;
}

/* Blocks of rows of a head, and where block i begins: at a multiple of WHET_ATTN_TILE. */
static inline int64_t whet__attn_blocks(const whet_attn_f32 *p) { return whet__ceil_div(p->m, WHET_ATTN_ROWS); }
static inline int64_t whet__attn_row(const whet_attn_f32 *p, int64_t i) {
  return whet__min_i(p->m, whet__ceil_div(p->m, WHET_ATTN_TILE) * i / whet__attn_blocks(p) * WHET_ATTN_TILE);
}
/* What parts share: blocks of rows. */
static inline int64_t whet__attn_units(const whet_attn_f32 *p) { return p->batch * p->heads * whet__attn_blocks(p); }

/* What the rows do, over the micro-kernels and vector functions of an instruction set. */
typedef struct whet_attn_isa {
  const whet_tiles_f32 *tiles;
  /* n rows of d floats, `ld` apart, into the panels of a group of n columns and d rows. */
  void (*pack_keys)(const whet_tiles_f32 *tiles, float *to, const float *k, int64_t ld, int64_t n, int64_t d);
  /* One row of scores of keys from .. to of a block of n: s becomes e^(s - m), and 0 outside. mask: of key 0 of the block.
   * *m, *sum: greatest score and sum of this row up to now, brought up to date; the factor for what was summed before. */
  float (*softmax)(const whet_attn_f32 *p, float *s, int64_t from, int64_t to, int64_t n, const void *mask, float *m,
                   float *sum);
  /* n floats times f. */
  void (*scale)(float *y, int64_t n, float f);
} whet_attn_isa;
void whet__attn_f32(const void *params, void *const *ptr, int part, int parts, const whet_attn_isa *isa);
size_t whet__attn_f32_scratch(const void *params, unsigned form);

#endif
