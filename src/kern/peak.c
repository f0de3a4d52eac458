/* SPDX-License-Identifier: Apache-2.0 */
/* Peak arithmetic: independent chains of the widest registers that a set of instruction sets has. */

#include "kern/peak.h"

#include <time.h>

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

/* Runs n rounds and answers the operations of one. */
typedef double (*chains_fn)(int64_t n);

/* Each architecture's chains: vector_chains(isa, q8, &which) answers those for a set of instruction sets and a number
 * (1..7) under which their rate is kept, or NULL where there is nothing but plain code. */
#if defined(__x86_64__)
#include "kern/x86/peak_chains.h"
#elif defined(__aarch64__)
#include "kern/arm/peak_chains.h"
#else
static chains_fn vector_chains(uint32_t isa, bool q8, int *which) { return NULL; }
#endif

/* Multiply and add as the compiler makes it of plain code: what portable code is measured by. */
static double f32_plain(int64_t n) {
  float acc[12];
  for (int i = 0; i < 12; i++) acc[i] = (float)i;
  for (int64_t r = 0; r < n; r++) UNROLL for (int i = 0; i < 12; i++) acc[i] = acc[i] * 0.999f + 0.001f;
  __asm__ volatile("" : : "m"(acc));
  return 12 * 2;
}
static double q8_plain(int64_t n) {
  uint32_t acc[12];
  for (unsigned i = 0; i < 12; i++) acc[i] = i;
  for (int64_t r = 0; r < n; r++) UNROLL for (int i = 0; i < 12; i++) acc[i] = acc[i] * 5 + 3;
  __asm__ volatile("" : : "m"(acc));
  return 12 * 2;
}

/* Seconds of a steady clock. */
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double whet__peak(uint32_t isa, bool q8) {
  static double known[10];
  int which = 0;
  chains_fn fn = vector_chains(isa, q8, &which);
  if (!fn) which = 8 + q8, fn = q8 ? q8_plain : f32_plain;
  for (int i = 0, rounds = known[which] > 0 ? 0 : 40; i < rounds;
       i++) { /* the best of many short ones: others use the machine too */
    double t = now(), ops = fn(20000) * 20000, rate = ops / (now() - t);
    if (rate > known[which]) known[which] = rate;
  }
  return known[which];
}
