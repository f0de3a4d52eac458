/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_WINO_F32_H
#define WHET_KERN_WINO_F32_H

/* Family wino_f32: convolution with 3 x 3 kernels, stride 1, by Winograd's minimal filtering F(m x m, 3 x 3), m = 2
 * or 4: conv_f32's definition, computed with (m + 2)^2 products for m^2 outputs instead of 9 m^2.
 *
 * The output is cut into tiles of m x m. A tile's patch of (m + 2)^2 inputs d, its kernel g and its outputs are
 *
 *   V = B' d B,   U = G g G',   M[i] = sum over channels of V[i] U[i] for each of the (m + 2)^2 places i,   y = A' M A
 *
 * Toom and Cook's points are 0, 1, -1, inf for m = 2 and 0, +-1/sqrt 2, +-sqrt 2, inf for m = 4, which err half as
 * much as +-1, +-2. Against a sum of products in order the error is below 1 times for m = 2 and 2 times for m = 4.
 * One block of tiles at a time goes through all three stages, panel of output channels by panel, so that V and M
 * stay in the second cache.
 *
 * Parameters: those of conv_f32 with one group, depth 1, kernels of 3, stride and dilation 1; any padding. Arguments:
 * [0] in, [1] out, [2] packed weights, [3] res or absent, [4] scratch; distances as for conv_f32. The output overlaps
 * no other argument. Inputs that are not finite spread over their tile. form: how panels are cut (tile_f32.h).
 *
 * Order of sums: the transforms as wino_f32_body.h writes them; each M one chain of fused multiply-adds, channels
 * ascending; y, then the bias, then the residual. All rows keep it: exact among themselves, not with conv_f32. */

#include "kern/conv_f32.h"
#include "kern/pack_f32.h"

typedef struct whet_wino_f32 {
  whet_conv_f32 c;
  int32_t m;     /* outputs of a tile in each direction: 2 or 4 */
  int32_t block; /* tiles at once */
  int32_t chunk; /* 0: weights come transformed; else they come as for conv_f32, and those of so many input channels at a
                    time are transformed on the way */
} whet_wino_f32;

/* Numbers of a tile in the transformed domain. */
static inline int64_t whet__wino_places(int64_t m) { return (m + 2) * (m + 2); }
/* Tiles of the whole output. */
int64_t whet__wino_tiles(const whet_wino_f32 *w);
/* Whether the convolution is one that this family takes. */
bool whet__wino_takes(const whet_conv_f32 *c);
/* Set `block`, and with `small` weights `chunk`, from the sizes. */
void whet__wino_set_block(whet_wino_f32 *w, bool small);

/* Packed weights, where chunk is 0: the bias padded to whole vectors; then the panels, each with the rows (channels) of place 0, of
 * place 1 ... `pack` describes the plain weights with rows (1, 3, 3, channels), one group. */
typedef struct whet_wino_pack_f32 {
  whet_pack_f32 pack;
  int64_t m;
} whet_wino_pack_f32;
enum { WHET_WINO_WIDEST = 64 }; /* columns of a panel, at most */
size_t whet__wino_pack_f32_bytes(const void *params);
void whet__wino_pack_f32(const void *params, const void *const *src, void *dst, int part, int parts);

/* ---- what an instruction set brings -----------------------------------------------------------------------------
 */

/* Some tiles beside each other on their way in. */
typedef struct whet_wino_in {
  const float *in;        /* the picture, channel 0 */
  int64_t at;             /* place of the first patch, in floats from it; it may lie outside */
  int64_t step[2], next;  /* floats from row to row, column to column, tile to tile */
  int32_t lo[2], hi[2];   /* rows and columns of the patch that are inside */
  int64_t channels;
  float *v;               /* place 0, tile 0 of these */
  int64_t plane;          /* floats from place to place; `channels` from tile to tile */
  int64_t n;              /* tiles; 1 where columns are missing */
} whet_wino_in;

/* What the transform does to outputs after WHET_TILE_ADD and WHET_TILE_CLAMP: x sigmoid(swish x); then add the residual. */
enum { WHET_WINO_SWISH = 8, WHET_WINO_ADD = 16 };

/* Some tiles beside each other on their way out. */
typedef struct whet_wino_out {
  const float *m;                    /* place 0, tile 0, column 0 of the panel */
  int64_t plane, width;              /* floats from place to place, tile to tile */
  const float *bias;                 /* of the panel */
  float *out;                        /* the first tile's first output, column 0 of the panel */
  int64_t step[2], next;             /* floats from row to row, column to column, tile to tile */
  const float *res;                  /* likewise; NULL: none */
  int64_t res_step[2], res_next;
  int64_t columns;                   /* of the panel that count */
  int32_t rows, cols;                /* outputs of a tile that there are */
  float lo, hi;                      /* infinite without WHET_TILE_CLAMP */
  float swish;
  uint32_t flags;                    /* WHET_TILE_ADD, WHET_TILE_CLAMP, WHET_WINO_ ...: done in this order */
  int64_t n;                         /* tiles; 1 where outputs are missing */
} whet_wino_out;

/* Kernels of neighbouring columns and channels on their way into the tiles' domain. */
typedef struct whet_wino_kernels {
  const float *g; /* tap 0 */
  int64_t tap;    /* floats from tap to tap */
  float *u;       /* place 0 */
  int64_t plane;  /* floats from place to place */
  int64_t n;      /* numbers of each tap: whole vectors */
} whet_wino_kernels;

typedef struct whet_winos_f32 {
  const whet_tiles_f32 *tiles;
  void (*in[2])(const whet_wino_in *t);   /* m = 2, m = 4 */
  void (*out[2])(const whet_wino_out *t);
  void (*kernels[2])(const whet_wino_kernels *t);
} whet_winos_f32;

size_t whet__wino_f32_scratch(const void *params);
void whet__wino_f32(const void *params, void *const *ptr, int part, int parts, const whet_winos_f32 *set);

#endif
