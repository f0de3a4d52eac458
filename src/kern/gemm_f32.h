/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_GEMM_F32_H
#define WHET_KERN_GEMM_F32_H

/* Family gemm_f32: for every batch index, c[i][j] = epilogue(bias[j] + sum over k of a[i][k] * b[k][j]).
 *
 * A and C are row-major with their rows any distance apart, B is packed (tile_f32.h; pack_f32.h makes it), its bias
 * included. Batches of A, of B and of the residual may be the same for several of C's.
 *
 * Arguments: [0] a, [1] c, [2] packed b, one group for each batch of B, [3] res or absent, [4] scratch.
 * form: how B is packed. Order of sums as in tile_f32.h; exact. Parts split rows, or columns where B is larger than A
 * and C. */

#include "kern/tile_f32.h"

enum { WHET_GEMM_BATCH = WHET_MAX_RANK - 2 };

typedef struct whet_gemm_f32 {
  int64_t m, n, k;
  int64_t lda, ldc, ldr;           /* floats from row to row */
  int32_t n_batch;                 /* batch dimensions; 0: one product */
  int64_t batch[WHET_GEMM_BATCH];  /* their sizes */
  int64_t a_step[WHET_GEMM_BATCH]; /* floats from one to the next */
  int64_t b_step[WHET_GEMM_BATCH]; /* groups of the packed b */
  int64_t c_step[WHET_GEMM_BATCH];
  int64_t res_step[WHET_GEMM_BATCH];
  whet_epi_f32 epi;
  int32_t l2_kb; /* second cache of one core */
  bool constant; /* B is packed once */
  bool grow;     /* and may take half as much again */
} whet_gemm_f32;

/* What the rows do, over the micro-kernels of an instruction set. */
void whet__gemm_f32(const void *params, void *const *ptr, int part, int parts, const whet_tiles_f32 *tiles);
size_t whet__gemm_f32_scratch_on(const whet_gemm_f32 *g, const whet_tiles_f32 *tiles); /* with tiles that may want room */
size_t whet__gemm_f32_scratch(const void *params);  /* with others */

#endif
