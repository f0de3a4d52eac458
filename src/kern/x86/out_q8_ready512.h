/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_X86_OUT_Q8_READY512_H
#define WHET_KERN_X86_OUT_Q8_READY512_H

/* Bytes of a tile's sums while they are in registers: TILE_READY of tile_q8.h for AVX-512. */

#include "kern/x86/out_q8_avx512.h"

/* Of a panel of up to four blocks, whose bytes are unsigned. */
typedef struct whet_out_ready_512 {
  int how;                        /* OUT_NEAR, OUT_HALF, OUT_HALF_UP, or -1: out_tile() is asked */
  const float *factor, *lo, *add; /* see out_factor; of the panel's first channel */
  out_bound bound;
  const uint8_t *table; /* which bytes go through, or NULL */
  int64_t cols;
} whet_out_ready_512;

#define out_ready whet__out_ready_512
static void out_ready(whet_out_ready_512 *e, const whet_out_q8 *o, const whet_factors *f, int64_t cols, const uint8_t *table) {
  e->how = -1;
  if (o->live || o->dtype != WHET_U8 || out_way(o) < 0) return;
  int how = out_way_for(o, f, cols);
  if (how == OUT_REAL32 && o->quick) how = OUT_NEAR;
  if (how == OUT_HALF_UP && o->table) how = OUT_HALF; /* rare */
  if (how != OUT_NEAR && how != OUT_HALF && how != OUT_HALF_UP) return;
  e->how = how;
  e->factor = how == OUT_NEAR ? f->real32 : f->high;
  e->lo = f->low;
  e->add = f->half;
  e->bound = out_bounds(o);
  e->table = o->table ? table : NULL;
  e->cols = cols;
}

/* Factors are read for each row: the sums fill the registers. */
OUT_INLINE __m512i ready_rescale(const whet_out_ready_512 *e, __m512i x, int block, int how) {
  out_factor f;
  f.real32 = _mm512_loadu_ps(e->factor + 16 * block);
  if (how != OUT_NEAR) {
    f.lo = _mm512_loadu_ps(e->lo + 16 * block);
    f.add_real = _mm512_loadu_ps(e->add + 16 * block);
  }
  return out_rescale(x, &f, how);
}

/* `mr` rows of nv blocks, mr and nv being constants: four vectors at a time, which are four, two or one rows. */
OUT_INLINE void ready_rows(const whet_out_ready_512 *e, const __m512i *acc, int mr, int nv, uint8_t *out, int64_t pitch, int how) {
  const int many = nv == 1 ? 4 : nv == 2 ? 2 : 1;
  const int64_t cols = e->cols;
  _Pragma("GCC unroll 16") for (int r = 0; r < mr; r += many, out += many * pitch) {
    __m512i v[4];
    OUT_UNROLL for (int j = 0; j < 4; j++) {
      const int row = j / nv, block = j % nv;
      v[j] = nv == 3 && j == 3 ? v[2] : r + row >= mr ? v[0] : ready_rescale(e, acc[(r + row) * nv + block], block, how);
    }
    out_bound b = e->bound;
    b.is_signed = false;
    __m512i x = out_order(out_narrow(v, &b));
    if (how != OUT_HALF_UP && e->table) {
      out_table t = out_table_load(e->table);
      x = out_lookup(x, &t);
    }
    if (many == 1)
      _mm512_mask_storeu_epi8(out, _bzhi_u64(~UINT64_C(0), (unsigned)cols), x);
    else
      out_store_rows(out, x, many, mr - r, cols, pitch);
  }
}

OUT_INLINE void ready_bytes(const whet_out_ready_512 *e, const __m512i *acc, int mr, int nv, uint8_t *out, int64_t pitch) {
  if (e->how == OUT_NEAR)
    ready_rows(e, acc, mr, nv, out, pitch, OUT_NEAR);
  else if (e->how == OUT_HALF_UP)
    ready_rows(e, acc, mr, nv, out, pitch, OUT_HALF_UP);
  else
    ready_rows(e, acc, mr, nv, out, pitch, OUT_HALF);
}

#endif
