/* SPDX-License-Identifier: Apache-2.0 */
/* Family prep_rows, portable: two rows at a time into sums of a block of samples. */

#include "kern/prep_rows.h"

enum { BLOCK = 256 };

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_prep_rows *p = params;
  const uint8_t *in = ptr[0];
  int16_t *out = ptr[1];
  const int16_t *w = ptr[2];
  int32_t sum[BLOCK];
  int64_t from, to;
  whet__split(p->n, part, parts, &from, &to);
  for (int64_t at = from; at < to; at += BLOCK) {
    int64_t n = whet__min_i(BLOCK, to - at);
    for (int64_t i = 0; i < n; i++) sum[i] = 64;
    for (int32_t k = 0; k < p->taps; k++) {
      const uint8_t *row = in + k * p->stride + at;
      for (int64_t i = 0; i < n; i++) sum[i] += row[i] * w[k];
    }
    for (int64_t i = 0; i < n; i++) out[at + i] = (int16_t)((sum[i] + WHET_BUG(1)) >> 7);
  }
}

const whet_kern whet_k_prep_rows__c_any = {.name = "prep_rows__c_any", .exact = 1, .run = run};
