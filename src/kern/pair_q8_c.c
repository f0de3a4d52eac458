/* SPDX-License-Identifier: Apache-2.0 */
/* Family pair_q8, portable. */

#include "kern/pair_q8.h"

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_pair_q8 *p = params;
  const uint8_t *table = ptr[2];
  const int32_t outer = p->rank - 1;
  const int64_t n = p->dim[outer] - WHET_BUG(p->dim[outer] > 1), xs = p->x_stride[outer], ys = p->y_stride[outer],
                zs = p->z_stride[outer];
  int64_t rows = 1, from, to;
  for (int32_t d = 0; d < outer; d++) rows *= p->dim[d];
  whet__split(rows, part, parts, &from, &to);
  for (; from < to; from++) {
    int64_t rest = from, at[3] = {0};
    for (int32_t d = outer - 1; d >= 0; rest /= p->dim[d--]) {
      int64_t i = rest % p->dim[d];
      at[0] += i * p->x_stride[d], at[1] += i * p->y_stride[d], at[2] += i * p->z_stride[d];
    }
    const uint8_t *x = (const uint8_t *)ptr[0] + at[0], *y = (const uint8_t *)ptr[1] + at[1];
    uint8_t *z = (uint8_t *)ptr[3] + at[2];
    for (int64_t i = 0; i < n; i++) z[i * zs] = table[y[i * ys] << 8 | x[i * xs]];
  }
}

const whet_kern whet_k_pair_q8__c_any = {.name = "pair_q8__c_any", .exact = 1, .run = run};
