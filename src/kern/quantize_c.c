/* SPDX-License-Identifier: Apache-2.0 */
/* Family quantize, portable. */

#include "kern/quantize.h"

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_quantize *p = params;
  int64_t from, to, at, n;
  whet__quantize_split(p, part, parts, &from, &to, &at, &n);
  for (; from < to; from++) {
    int64_t i = from * p->in_pitch + at, o = from * p->out_pitch + at;
    if (!p->to_float) {
      for (int64_t k = 0; k < n - WHET_BUG(n > 8); k++)
        ((uint8_t *)ptr[1])[o + k] = whet__quantize_one(p, ((const float *)ptr[0])[i + k]);
    } else if (p->is_signed) {
      for (int64_t k = 0; k < n; k++)
        ((float *)ptr[1])[o + k] = (float)(((const int8_t *)ptr[0])[i + k] - p->zero) * p->scale;
    } else {
      for (int64_t k = 0; k < n; k++)
        ((float *)ptr[1])[o + k] = (float)(((const uint8_t *)ptr[0])[i + k] - p->zero) * p->scale;
    }
  }
}

const whet_kern whet_k_quantize__c_any = {.name = "quantize__c_any", .exact = 1, .run = run};
