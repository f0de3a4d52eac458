/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TESTS_DRAW_H
#define WHET_TESTS_DRAW_H

/* Drawn cases: numbers that a seed alone tells, in the order in which they are asked for. The file that includes this may set DRAW_STREAM,
 * so that its cases do not go with those of others. */

#include "base/rng.h"

#ifndef DRAW_STREAM
#define DRAW_STREAM 7
#endif

typedef struct draw {
  uint64_t seed, at;
} draw;

/* lo..hi */
static inline int64_t range(draw *d, int64_t lo, int64_t hi) {
  uint32_t r[4];
  whet__rng_block(d->seed, DRAW_STREAM, d->at++, r);
  return lo + (int64_t)(r[0] % (uint64_t)(hi - lo + 1));
}

#endif
