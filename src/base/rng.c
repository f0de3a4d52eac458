/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rng.h"

#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

void whet__rng_block(uint64_t seed, uint64_t stream, uint64_t index, uint32_t out[4]) {
  uint32_t c[4] = {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)};
  uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
  for (int round = 0; round < 10; round++) {
    uint64_t a = (uint64_t)0xD2511F53u * c[0], b = (uint64_t)0xCD9E8D57u * c[2];
    uint32_t n0 = (uint32_t)(b >> 32) ^ c[1] ^ k0, n2 = (uint32_t)(a >> 32) ^ c[3] ^ k1;
    c[1] = (uint32_t)b;
    c[3] = (uint32_t)a;
    c[0] = n0;
    c[2] = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  memcpy(out, c, sizeof c);
}

uint64_t whet__rng_fresh(void) {
  static _Atomic uint64_t s_calls;
  struct timespec now;
  uint32_t out[4];
  clock_gettime(CLOCK_REALTIME, &now);
  whet__rng_block((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec, (uint64_t)getpid(),
                  atomic_fetch_add_explicit(&s_calls, 1, memory_order_relaxed), out);
  return (uint64_t)out[1] << 32 | out[0];
}
