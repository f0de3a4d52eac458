/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_MT19937_H
#define WHET_OP_MT19937_H

/* The Mersenne Twister of Matsumoto and Nishimura (1998), from which ONNX's reference draws its random numbers. */

#include "base/base.h"

typedef struct whet_mt19937 {
  uint32_t state[624];
  int at; /* next word; 624: make new ones */
} whet_mt19937;

/* Start from a seed (their init_genrand). */
static inline void whet__mt19937_seed(whet_mt19937 *m, uint32_t seed) {
  m->state[0] = seed;
  for (uint32_t i = 1; i < 624; i++)
    m->state[i] = UINT32_C(1812433253) * (m->state[i - 1] ^ m->state[i - 1] >> 30) + i;
  m->at = 624;
}

/* The next 32 bits. */
static inline uint32_t whet__mt19937_u32(whet_mt19937 *m) {
  if (m->at == 624) {
    for (int i = 0; i < 624; i++) {
      uint32_t y = (m->state[i] & 0x80000000) | (m->state[(i + 1) % 624] & 0x7fffffff);
      m->state[i] = m->state[(i + 397) % 624] ^ y >> 1 ^ (y & 1 ? UINT32_C(0x9908b0df) : 0);
    }
    m->at = 0;
  }
  uint32_t y = m->state[m->at++];
  y ^= y >> 11;
  y ^= y << 7 & UINT32_C(0x9d2c5680);
  y ^= y << 15 & UINT32_C(0xefc60000);
  return y ^ y >> 18;
}

/* A double in 0 .. 1 (without 1) of 53 bits (their genrand_res53). */
static inline double whet__mt19937_f64(whet_mt19937 *m) {
  uint32_t a = whet__mt19937_u32(m) >> 5, b = whet__mt19937_u32(m) >> 6;
  return (a * 67108864.0 + b) / 9007199254740992.0;
}

#endif
