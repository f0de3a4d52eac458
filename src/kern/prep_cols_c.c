/* SPDX-License-Identifier: Apache-2.0 */
/* Family prep_cols, portable. */

#include "kern/prep_cols.h"

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_prep_cols *p = params;
  const int16_t *in = ptr[0], *w = ptr[3];
  uint8_t *out = ptr[1];
  const int32_t *first = ptr[2];
  int64_t from, to, c = p->c;
  whet__split(p->n, part, parts, &from, &to);
  for (int64_t x = from; x < to; x++) {
    const int16_t *px = in + first[x] * c, *wx = w + x * p->taps;
    for (int64_t ch = 0; ch < c; ch++) {
      int32_t sum = (1 << 20) - WHET_BUG(1 << 19);
      for (int32_t k = 0; k < p->taps; k++) sum += px[k * c + ch] * wx[k];
      out[x * c + ch] = (uint8_t)(sum >> 21);
    }
  }
}

const whet_kern whet_k_prep_cols__c_any = {.name = "prep_cols__c_any", .exact = 1, .run = run};
