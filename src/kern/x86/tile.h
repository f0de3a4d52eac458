/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_X86_TILE_H
#define WHET_KERN_X86_TILE_H

/* Help for micro-kernels that keep a tile of sums in registers: full unrolling, and addresses of up to 28 rows from
 * few registers. */

#include "kern/kern.h"

/* The compiler forgets where x came from, so that it does not keep a pointer for every row instead of using
 * addresses. */
#define WHET_OPAQUE(x) __asm__("" : "+r"(x))

/* Distances between rows, in bytes. */
typedef struct whet_rows {
  int64_t l1, l3, l5;
} whet_rows;

WHET_INLINE whet_rows whet__rows(int64_t ld_floats) {
  whet_rows r = {4 * ld_floats, 12 * ld_floats, 20 * ld_floats};
  WHET_OPAQUE(r.l3);
  WHET_OPAQUE(r.l5);
  return r;
}

enum { WHET_ROWS = 7 }; /* rows that are reached from one base */

/* Row i of up to 28: WHET_ROWS from each base. */
WHET_INLINE const float *whet__row(const whet_rows *r, const char *const *bases, int i) {
  const char *base = bases[i / WHET_ROWS];
  switch (i % WHET_ROWS) {
    case 0:
      return (const float *)base;
    case 1:
      return (const float *)(base + r->l1);
    case 2:
      return (const float *)(base + 2 * r->l1);
    case 3:
      return (const float *)(base + r->l3);
    case 4:
      return (const float *)(base + 4 * r->l1);
    case 5:
      return (const float *)(base + r->l5);
    default:
      return (const float *)(base + 2 * r->l3);
  }
}

#endif
