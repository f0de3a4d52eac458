/* SPDX-License-Identifier: Apache-2.0 */
/* The tiles of a CPU with 16 registers of four floats, sums in 12 of them, as tile_f32_table.h has those of one with 32. */

#define TILE(mr, nv) \
  static void tile_##mr##x##nv(const whet_tile_f32 *t) { tile(t, mr, nv); }
#define TILES_2(X, nv) X(1, nv) X(2, nv)
#define TILES_3(X, nv) TILES_2(X, nv) X(3, nv)
#define TILES_6(X, nv) TILES_3(X, nv) X(4, nv) X(5, nv) X(6, nv)
TILES_6(TILE, 1)
TILES_3(TILE, 2)
TILES_2(TILE, 3)

#define ENTRY(m, nv) [m] = tile_##m##x##nv,
const whet_tiles_f32 TILE_TABLE = {
    .form = WHET_PANEL_8,
    .mr = {0, 6, 3, 2},
    .fn = {{0}, {TILES_6(ENTRY, 1)}, {TILES_3(ENTRY, 2)}, {TILES_2(ENTRY, 3)}},
    .epi = TILE_EPI,
};
