/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_LUT_Q8_H
#define WHET_KERN_LUT_Q8_H

/* Family lut_q8: bytes through a table of 256.
 *
 *   out[r][i] = table[in[r][i]], bytes taken as unsigned
 *
 * Arguments: [0] in, [1] table, [2] out; in and out may be the same memory with the same pitch. Exact. */

#include "kern/kern.h"

typedef struct whet_lut_q8 {
  int64_t rows, run;           /* bytes in a row */
  int64_t in_pitch, out_pitch; /* bytes between rows */
} whet_lut_q8;

/* Part of the rows, or of the only row; *n bytes at *in and *out of each row from *from to *to. */
static inline void whet__lut_split(const whet_lut_q8 *p, int part, int parts, int64_t *from, int64_t *to, int64_t *at,
                                   int64_t *n) {
  *from = 0, *to = p->rows, *at = 0, *n = p->run;
  if (p->rows > 1) {
    whet__split(p->rows, part, parts, from, to);
  } else {
    int64_t end, lines = (p->run + 63) / 64;
    whet__split(lines, part, parts, at, &end);
    *at *= 64;
    *n = whet__min_i(end * 64, p->run) - *at;
  }
}

#endif
