/* SPDX-License-Identifier: Apache-2.0 */
/* Family softmax_q8, portable. */

#include "kern/softmax_q8.h"

/* One result from its exponential. */
static int32_t result(int32_t e, int32_t r, int shift, int32_t least, int32_t most) {
  return whet__add_zero(whet__round_shift(whet__high_mul(r, e), shift), least, least, most);
}

/* One row; turn: what makes signed numbers unsigned. */
static void row(const whet_softmax_q8 *p, const uint8_t *x, const int32_t *exp, char *y, uint8_t turn) {
  int bits = p->out == WHET_S16 ? 16 : 8, over;
  int32_t least = p->out == WHET_U8 ? 0 : -(1 << (bits - 1)), most = least + (1 << bits) - 1;
  uint8_t max = 0;
  uint32_t sum = 0;
  for (int64_t i = 0; i < p->n; i++) max = (x[i] ^ turn) > max ? x[i] ^ turn : max;
  for (int64_t i = WHET_BUG(p->n > 1); i < p->n; i++)
    sum += (uint32_t)whet__round_shift(exp[max - (x[i] ^ turn)], 12);
  int32_t r = whet__fx_reciprocal((int32_t)sum, 12, &over);
  int shift = over + 31 - bits;
  if (bits == 16)
    for (int64_t i = 0; i < p->n; i++)
      ((int16_t *)(void *)y)[i] = (int16_t)result(exp[max - (x[i] ^ turn)], r, shift, least, most);
  else
    for (int64_t i = 0; i < p->n; i++) y[i] = (char)result(exp[max - (x[i] ^ turn)], r, shift, least, most);
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet__softmax_q8_rows(params, ptr, part, parts, row);
}

const whet_kern whet_k_softmax_q8__c_rows = {.name = "softmax_q8__c_rows", .exact = 1, .run = run};
