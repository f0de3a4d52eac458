/* SPDX-License-Identifier: Apache-2.0 */
/* The tiles of a CPU with 32 registers of four floats: up to 8 rows by one vector of eight, 6 by two, 4 by three. A file
 * includes it after tile(t, mr, nv); TILE_TABLE and TILE_EPI are the names of the table and of its epilogue. */

#define TILE(mr, nv) \
  static void tile_##mr##x##nv(const whet_tile_f32 *t) { tile(t, mr, nv); }
#define TILES_4(X, nv) X(1, nv) X(2, nv) X(3, nv) X(4, nv)
#define TILES_6(X, nv) TILES_4(X, nv) X(5, nv) X(6, nv)
#define TILES_8(X, nv) TILES_6(X, nv) X(7, nv) X(8, nv)
TILES_8(TILE, 1)
TILES_6(TILE, 2)
TILES_4(TILE, 3)

#define ENTRY(m, nv) [m] = tile_##m##x##nv,
const whet_tiles_f32 TILE_TABLE = {
    .form = WHET_PANEL_8,
    .mr = {0, 8, 6, 4},
    .fn = {{0}, {TILES_8(ENTRY, 1)}, {TILES_6(ENTRY, 2)}, {TILES_4(ENTRY, 3)}},
    .epi = TILE_EPI,
};
