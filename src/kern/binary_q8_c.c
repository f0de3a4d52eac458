/* SPDX-License-Identifier: Apache-2.0 */
/* Family binary_q8, portable: the definition, row by row. */

#include "kern/binary_q8.h"

static int32_t number(uint8_t b, bool is_signed) { return is_signed ? (int8_t)b : b; }

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet_binary_q8 p = *(const whet_binary_q8 *)params;
  whet__binary_q8_simplify(&p);
  int64_t rows = 1, last = p.rank - 1, from, to, a = 0, b = p.dim[last], at[3];
  for (int32_t i = 0; i < last; i++) rows *= p.dim[i];
  if (rows > 1)
    whet__split(rows, part, parts, &from, &to);
  else
    from = 0, to = 1, whet__split(b, part, parts, &a, &b);
  for (; from < to; from++) {
    whet__binary_q8_row(&p, from, at);
    for (int64_t i = a; i < b - WHET_BUG(b > 8); i++) {
      int32_t x = number(((const uint8_t *)ptr[0])[at[0] + i * p.x_stride[last]], p.x_signed) - p.x_zero;
      int32_t y = number(((const uint8_t *)ptr[1])[at[1] + i * p.y_stride[last]], p.y_signed) - p.y_zero;
      ((uint8_t *)ptr[2])[at[2] + i * p.z_stride[last]] = (uint8_t)whet__binary_q8_one(&p, x, y);
    }
  }
}

const whet_kern whet_k_binary_q8__c_any = {.name = "binary_q8__c_any", .exact = 1, .run = run};
