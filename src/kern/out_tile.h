/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_OUT_TILE_H
#define WHET_KERN_OUT_TILE_H

/* out_tile() for layers that make bytes of up to 16 channels at once (out_bytes), included by theirs after it; OUT_SUMS is
 * what they have for live sums. */

#ifndef OUT_TILE /* how it is seen elsewhere */
#define OUT_TILE static inline
#endif

/* Store a tile of sums: rows x n, rows of sums `ld` apart and readable, like the factors, to a multiple of 16, factors
 * from the tile's first channel on. pitch: elements between rows of out. */
OUT_TILE void out_tile(const whet_out_q8 *o, const whet_factors *f, const int32_t *sum, int64_t ld, int64_t rows,
                            int64_t n, const uint8_t *table, void *out, int64_t pitch) {
  const int how = out_way(o);
  if (o->live) {
    OUT_SUMS(whet__out_live(table), sum, ld, rows, n, out);
    return;
  }
  if (how < 0) {
    whet__out_q8_rows(o, f, sum, ld, rows, n, table, out, pitch);
    return;
  }
  const uint8_t *t = o->table ? table : NULL;
  for (int64_t at = 0; at < n; at += 16) {
    int64_t m = whet__min_i(16, n - at);
    uint8_t *to = (uint8_t *)out + at;
#define OUT_CASE(how)                                              \
  case how:                                                        \
    out_bytes(o, f, at, sum + at, ld, rows, m, t, to, pitch, how); \
    break;
    switch (how) {
      OUT_CASE(OUT_QUICK)
      OUT_CASE(OUT_UP)
      OUT_CASE(OUT_FIX)
      OUT_CASE(OUT_REAL)
      OUT_CASE(OUT_REAL32)
      default:
        break;
    }
#undef OUT_CASE
  }
}

#endif
