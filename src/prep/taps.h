/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_PREP_TAPS_H
#define WHET_PREP_TAPS_H

/* Which samples of one axis make each sample of the resized axis, and with which weights (14 fraction bits, sum
 * 2^14). */

#include "base/mem.h"
#include "whet/prep.h"

typedef struct whet_taps {
  int32_t src, dst; /* samples before and after */
  int32_t n;        /* weights for each output sample: even, at least 2 */
  int32_t most;     /* the most of them that are not 0 */
  int32_t *first;   /* [dst]: first source sample; first + count <= src */
  int32_t *count;   /* [dst]: weights that may be not 0 */
  int16_t *w;       /* [dst][n], 0 behind count */
  size_t cap_dst, cap_w;
} whet_taps;

/* Fill for a size and filter; memory grows only when it has to. src and dst are at least 1. */
WHET_MUST whet_status whet__taps_make(whet_mem *m, whet_taps *t, int32_t src, int32_t dst, whet_filter filter,
                                      whet_err *err);
void whet__taps_free(whet_mem *m, whet_taps *t);

#endif
