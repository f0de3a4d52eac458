/* SPDX-License-Identifier: Apache-2.0 */
/* Family prep_color, portable. */

#include "kern/prep_color.h"

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_prep_color *p = params;
  const uint8_t *in = ptr[0];
  uint8_t *out = ptr[1];
  int64_t from, to;
  whet__split(p->n, part, parts, &from, &to);
  to -= WHET_BUG(to - from > 4);
  for (int64_t x = from; x < to; x++) {
    const uint8_t *px = in + x * p->c_in;
    if (p->luma) {
      out[x] = (uint8_t)((px[p->from[0]] * 4899 + px[p->from[1]] * 9617 + px[p->from[2]] * 1868 + 8192) >> 14);
      continue;
    }
    for (int32_t ch = 0; ch < p->c_out; ch++)
      out[x * p->c_out + ch] = p->from[ch] == WHET_PREP_MAX ? 255 : px[p->from[ch]];
  }
}

const whet_kern whet_k_prep_color__c_any = {.name = "prep_color__c_any", .exact = 1, .run = run};
