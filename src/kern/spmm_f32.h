/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_SPMM_F32_H
#define WHET_KERN_SPMM_F32_H

/* Family spmm_f32: c[i][j] = epilogue(bias[j] + sum over the k whose weight is stored of a[i][k] * w[k][j]).
 *
 * A product with weights most of which are zero: only the others are stored and multiplied. A and C are row-major
 * with their rows any distance apart. Two ways to store (form):
 *
 *   SCATTERED  for each block of k (whet__spmm_k_block), each column j its own list of (k, weight), k ascending. Rows
 * are the lanes of vectors: a block of them is turned about its diagonal into scratch, so that a weight meets many
 * rows at once (Elsen et al., Fast Sparse ConvNets, 2020). For many rows. BLOCKS     columns in panels of 16, each
 * panel a list of k, ascending, with the 16 weights of that row of w (zeros among them). Columns are the lanes; A is
 * read where it lies. For blocks of 1 x 16 and any number of rows, one included.
 *
 * Arguments: [0] a, [1] c, [2] packed weights, [3] res or absent, [4] scratch.
 * Order of sums: the bias, then one chain of fused multiply-adds, k ascending; exact among these rows, and the same
 * bytes as gemm_f32 where A is finite and no sum is a negative zero: 0 * Inf is left out. Parts split rows
 * (SCATTERED, by vectors; BLOCKS where there are enough) or panels. */

#include "kern/epilogue.h"
#include "kern/kern.h"

enum { WHET_SPMM_NONE, WHET_SPMM_SCATTERED, WHET_SPMM_BLOCKS };
enum { WHET_SPMM_PANEL = 16 };
enum { WHET_SPMM_ROWS = 32 /* of a turned block of A, where vectors have elements enough */ };

typedef struct whet_spmm_f32 {
  int64_t m, n, k;
  int64_t lda, ldc, ldr; /* floats from row to row */
  int64_t stored;        /* weights (SCATTERED) or rows of panels (BLOCKS) */
  int32_t form;          /* WHET_SPMM_ */
  whet_epi_f32 epi;
} whet_spmm_f32;

/* How weights are read: element (j, k) is src[at + j * n_step + k * k_step], float. */
typedef struct whet_spmm_pack {
  int64_t n, k, at, n_step, k_step, stored;
  int32_t form, bias; /* bias 0: none */
} whet_spmm_pack;

static inline int64_t spmm_pad(int64_t n, int64_t to) { return whet__ceil_div(n, to) * to; }

/* Rows of w whose lists follow each other in SCATTERED: as many as stay in the first cache with 32 rows of A. */
enum { WHET_SPMM_K_MOST = 288 };
static inline int64_t whet__spmm_k_block(int64_t k) {
  return spmm_pad(whet__ceil_div(k, whet__max_i(whet__ceil_div(k, WHET_SPMM_K_MOST), 1)), 16);
}
/* Lists in all. */
static inline int64_t whet__spmm_lists(int form, int64_t n, int64_t k) {
  return form == WHET_SPMM_BLOCKS ? whet__ceil_div(n, WHET_SPMM_PANEL) : n * whet__ceil_div(k, whet__spmm_k_block(k));
}

/* Packed: the bias, padded to whole panels; where each list starts, and the end of the last, likewise padded;
 * SCATTERED: the column of each list, padded; the k of all lists (SCATTERED: within their block, times
 * WHET_SPMM_ROWS); their weights. The lists of a block stand by length: those that are walked together are about as
 * long as each other. */
typedef struct whet_spmm_view {
  const float *bias;
  const uint32_t *start;
  const int32_t *col;
  const int32_t *at;
  const float *w;
} whet_spmm_view;
static inline whet_spmm_view whet__spmm_view(int form, int64_t n, int64_t k, int64_t stored, const void *packed) {
  const float *bias = packed;
  const uint32_t *start = (const uint32_t *)(const void *)(bias + spmm_pad(n, WHET_SPMM_PANEL));
  int64_t lists = whet__spmm_lists(form, n, k);
  const int32_t *col = (const int32_t *)(const void *)(start + spmm_pad(lists + 1, 16));
  const int32_t *at = col + (form == WHET_SPMM_SCATTERED ? spmm_pad(lists, 16) : 0);
  return (whet_spmm_view){bias, start, col, at, (const float *)(const void *)(at + spmm_pad(stored, 16))};
}

/* What SCATTERED and BLOCKS would store of weights. */
void whet__spmm_count(const whet_spmm_pack *p, const void *src, int64_t *scattered, int64_t *blocks);
size_t whet__spmm_bytes(const void *params);
/* src[0]: weights, src[1]: bias of n floats or NULL; any alignment. */
void whet__spmm_pack_run(const void *params, const void *const *src, void *dst, int part, int parts);

#endif
