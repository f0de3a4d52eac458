/* SPDX-License-Identifier: Apache-2.0 */
/* Family few_f32: packing. */

#include "kern/few_f32.h"

size_t whet__few_bytes(const void *params) {
  const whet_few_pack *p = params;
  return (size_t)whet__ceil_div(p->n, WHET_FEW_PANEL) * whet__few_panel(p->k, p->block, p->zeros);
}

/* 16 floats, those of outputs from j on that there are, `step` apart. */
static char *put_floats(char *to, const whet_few_pack *p, const void *src, int64_t j, int64_t step, int64_t at) {
  for (int64_t i = 0; i < WHET_FEW_PANEL; i++, to += 4) {
    const float none = 0;
    memcpy(to, src && j + i < p->n ? (const char *)src + 4 * ((j + i) * step + at) : (const char *)&none, 4);
  }
  return to;
}

static char *put_zeros(char *to, const whet_few_pack *p, const uint8_t *src, int64_t j, int64_t at) {
  const int64_t row = whet__ceil_div(p->k / p->block, 2);
  for (int64_t i = 0; i < WHET_FEW_PANEL; i++, to += 4) {
    float zero = j + i < p->n ? (float)(src[(j + i) * row + at / 2] >> at % 2 * 4 & 15) : 0;
    memcpy(to, &zero, 4);
  }
  return to;
}

void whet__few_pack_run(const void *params, const void *const *src, void *dst, int part, int parts) {
  const whet_few_pack *p = params;
  const int64_t blocks = p->k / p->block;
  int64_t from, to;
  whet__split(whet__ceil_div(p->n, WHET_FEW_PANEL), part, parts, &from, &to);
  char *at = (char *)dst + (size_t)from * whet__few_panel(p->k, p->block, p->zeros);
  for (int64_t j = from * WHET_FEW_PANEL; j < to * WHET_FEW_PANEL; j += WHET_FEW_PANEL) {
    at = put_floats(at, p, src[3], j, 1, 0);
    for (int64_t b = 0; b < blocks; b++) {
      at = put_floats(at, p, src[1], j, blocks, b);
      if (p->zeros) at = put_zeros(at, p, src[2], j, b);
      for (int64_t k = b * p->block; k < (b + 1) * p->block; k += 8)
        for (int64_t i = 0; i < WHET_FEW_PANEL; i++, at += 4) {
          memset(at, 0, 4);
          if (j + i < p->n) memcpy(at, (const char *)src[0] + ((j + i) * p->k + k) / 2, 4);
        }
    }
  }
}
