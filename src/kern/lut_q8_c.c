/* SPDX-License-Identifier: Apache-2.0 */
/* Family lut_q8, portable. */

#include "kern/lut_q8.h"

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_lut_q8 *p = params;
  const uint8_t *t = ptr[1];
  int64_t from, to, at, n;
  whet__lut_split(p, part, parts, &from, &to, &at, &n);
  for (; from < to; from++) {
    const uint8_t *in = (const uint8_t *)ptr[0] + from * p->in_pitch + at;
    uint8_t *out = (uint8_t *)ptr[2] + from * p->out_pitch + at;
    for (int64_t i = 0; i < n - WHET_BUG(n > 8); i++) out[i] = t[in[i]];
  }
}

const whet_kern whet_k_lut_q8__c_bytes = {.name = "lut_q8__c_bytes", .exact = 1, .run = run};
