/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_FEW_F32_H
#define WHET_KERN_FEW_F32_H

/* Family few_f32: products with weights of four bits in blocks, read as they are.
 *
 *   c[i][j] = epilogue(bias[j] + sum over blocks b, ascending, of scale[j][b] * dot(i, j, b)), each by a fused
 * multiply-add; dot is the sum over k in the block of a[i][k] * (q[j][k] - zero[j][b]) in four chains of fused
 * multiply-adds from 0, each k ascending: k belongs to chain (k - start of the block) / 8 % 4; the chains are added
 * as (0 + 1) + (2 + 3).
 *
 * A and C are row-major with their rows any distance apart. Exact. Parts split panels of 16 outputs.
 * Arguments: [0] a, [1] c, [2] packed weights, [3] res or absent. */

#include "kern/epilogue.h"
#include "kern/kern.h"

enum { WHET_FEW_PANEL = 16, WHET_FEW_CHAINS = 4 };

typedef struct whet_few_f32 {
  int64_t m, n, k;
  int64_t lda, ldc, ldr; /* floats from row to row */
  int64_t block;         /* a multiple of 8 that divides k */
  bool zeros;            /* packed with zero points; without, all are 8 */
  whet_epi_f32 epi;
} whet_few_f32;

/* Packed, for each panel of 16 outputs: bias f32[16]; for each block: scale f32[16], zero f32[16] where there are
 * zero points, then for each 8 of k: u32[16], an output's eight numbers in it, low bits first. */
typedef struct whet_few_pack {
  int64_t n, k, block;
  bool zeros, bias;
} whet_few_pack;

static inline size_t whet__few_block(int64_t block, bool zeros) { return (size_t)(1 + zeros + block / 8) * 64; }
static inline size_t whet__few_panel(int64_t k, int64_t block, bool zeros) {
  return 64 + (size_t)(k / block) * whet__few_block(block, zeros);
}
size_t whet__few_bytes(const void *params);
/* src: [0] numbers u8[n][k / 2], low halves first, [1] scales f32[n][k / block], [2] zero points, each output's
 * halves of bytes filled up to whole ones, or NULL, [3] bias f32[n] or NULL; any alignment. */
void whet__few_pack_run(const void *params, const void *const *src, void *dst, int part, int parts);

#endif
