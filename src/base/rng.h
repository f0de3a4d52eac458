/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_BASE_RNG_H
#define WHET_BASE_RNG_H

/* Counter-based random numbers: a pure function of (seed, stream, index), the same on every machine and thread count.
 * Philox-4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011). */

#include "base/base.h"

/* Four 32-bit numbers. */
void whet__rng_block(uint64_t seed, uint64_t stream, uint64_t index, uint32_t out[4]);
/* Uniform in [0, 1), 24 bits. */
static inline float whet__rng_unit(uint32_t x) { return (float)(x >> 8) * (1.0f / 16777216.0f); }

/* A seed that no other call in this process gets, and that differs from one process to the next. */
uint64_t whet__rng_fresh(void);

#endif
