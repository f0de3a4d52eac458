/* SPDX-License-Identifier: Apache-2.0 */
/* Family spmm_f32: packing. */

#include "kern/spmm_f32.h"

static float load(const void *src, int64_t i) {
  float f;
  memcpy(&f, (const char *)src + 4 * i, 4);
  return f;
}

static float weight(const whet_spmm_pack *p, const void *src, int64_t j, int64_t k) {
  return j < p->n ? load(src, p->at + j * p->n_step + k * p->k_step) : 0;
}

/* Is there a weight in row k of the panel that starts at column j? */
static bool any(const whet_spmm_pack *p, const void *src, int64_t j, int64_t k) {
  for (int64_t i = 0; i < WHET_SPMM_PANEL; i++)
    if (weight(p, src, j + i, k) != 0) return true;
  return false;
}

void whet__spmm_count(const whet_spmm_pack *p, const void *src, int64_t *scattered, int64_t *blocks) {
  *scattered = *blocks = 0;
  for (int64_t j = 0; j < p->n; j += WHET_SPMM_PANEL)
    for (int64_t k = 0; k < p->k; k++) {
      int n = 0;
      for (int64_t i = 0; i < WHET_SPMM_PANEL; i++) n += weight(p, src, j + i, k) != 0;
      *scattered += n;
      *blocks += n > 0;
    }
}

size_t whet__spmm_bytes(const void *params) {
  const whet_spmm_pack *p = params;
  int64_t lists = whet__spmm_lists(p->form, p->n, p->k);
  int64_t words = spmm_pad(p->n, WHET_SPMM_PANEL) + spmm_pad(lists + 1, 16) + spmm_pad(p->stored, 16);
  return sizeof(float) * (size_t)(words + (p->form == WHET_SPMM_BLOCKS ? p->stored * WHET_SPMM_PANEL
                                                                       : p->stored + spmm_pad(lists, 16)));
}

/* The columns of rows b .. end of w, those with few weights first. count: room for n numbers. */
static void by_length(const whet_spmm_pack *p, const void *src, int64_t b, int64_t end, uint32_t *count,
                      int32_t *col) {
  int32_t at[WHET_SPMM_K_MOST + 2] = {0};
  for (int64_t j = 0; j < p->n; j++) {
    count[j] = 0;
    for (int64_t k = b; k < end; k++) count[j] += weight(p, src, j, k) != 0;
    at[count[j] + 1]++;
  }
  for (int64_t i = 1; i < WHET_SPMM_K_MOST + 2; i++) at[i] += at[i - 1];
  for (int64_t j = 0; j < p->n; j++) col[at[count[j]]++] = (int32_t)j;
}

static void scattered(const whet_spmm_pack *p, const void *src, uint32_t *start, int32_t *col, int32_t *at,
                      float *w) {
  int64_t kb = whet__spmm_k_block(p->k);
  uint32_t n = 0;
  for (int64_t b = 0; b < p->k; b += kb, start += p->n, col += p->n) {
    int64_t end = whet__min_i(b + kb, p->k);
    by_length(p, src, b, end, start, col);
    for (int64_t j = 0; j < p->n; j++) {
      start[j] = n;
      for (int64_t k = b; k < end; k++) {
        float x = weight(p, src, col[j], k);
        if (x == 0) continue;
        at[n] = (int32_t)(k - b) * WHET_SPMM_ROWS;
        w[n++] = x;
      }
    }
  }
  *start = n;
}

static void blocks(const whet_spmm_pack *p, const void *src, uint32_t *start, int32_t *at, float *w) {
  int64_t list = 0;
  uint32_t n = 0;
  for (int64_t j = 0; j < p->n; j += WHET_SPMM_PANEL) {
    start[list++] = n;
    for (int64_t k = 0; k < p->k; k++) {
      if (!any(p, src, j, k)) continue;
      at[n] = (int32_t)k;
      for (int64_t i = 0; i < WHET_SPMM_PANEL; i++) w[n * WHET_SPMM_PANEL + i] = weight(p, src, j + i, k);
      n++;
    }
  }
  start[list] = n;
}

void whet__spmm_pack_run(const void *params, const void *const *src, void *dst, int part, int parts) {
  const whet_spmm_pack *p = params;
  (void)parts;
  if (part) return; /* lists follow each other */
  whet_spmm_view v = whet__spmm_view(p->form, p->n, p->k, p->stored, dst);
  char *to = dst;
  float *bias = dst, *w = (float *)(void *)(to + ((const char *)v.w - to));
  uint32_t *start = (uint32_t *)(void *)(to + ((const char *)v.start - to));
  int32_t *col = (int32_t *)(void *)(to + ((const char *)v.col - to));
  int32_t *at = (int32_t *)(void *)(to + ((const char *)v.at - to));
  memset(dst, 0, (size_t)((const char *)v.w - to));
  for (int64_t j = 0; j < p->n && p->bias; j++) bias[j] = load(src[1], j);
  if (p->form == WHET_SPMM_BLOCKS)
    blocks(p, src[0], start, at, w);
  else
    scattered(p, src[0], start, col, at, w);
}
