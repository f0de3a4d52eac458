/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_ARM_PEAK_CHAINS_H
#define WHET_KERN_ARM_PEAK_CHAINS_H

/* Chains of multiply-adds for peak.c, its only reader. */

#include "kern/arm/neon.h"
static double f32_neon(int64_t n) {
  float32x4_t acc[20], m = vdupq_n_f32(0.999f), a = vdupq_n_f32(0.001f);
  for (int i = 0; i < 20; i++) acc[i] = vdupq_n_f32((float)i);
  for (int64_t r = 0; r < n; r++) {
    UNROLL for (int i = 0; i < 20; i++) acc[i] = vfmaq_f32(a, acc[i], m);
    UNROLL for (int i = 0; i < 20; i++) __asm__ volatile("" : "+w"(acc[i]));
  }
  return 20 * 4 * 2;
}
static double q8_neon(int64_t n) {
  int32x4_t acc[20];
  const int16x4_t a = vdup_n_s16(3), b = vdup_n_s16(-5);
  for (int i = 0; i < 20; i++) acc[i] = vdupq_n_s32(i);
  for (int64_t r = 0; r < n; r++) {
    UNROLL for (int i = 0; i < 20; i++) acc[i] = vmlal_s16(acc[i], a, b);
    UNROLL for (int i = 0; i < 20; i++) __asm__ volatile("" : "+w"(acc[i]));
  }
  return 20 * 4 * 2;
}

/* The chains for a set of instruction sets. */
static chains_fn vector_chains(uint32_t isa, bool q8, int *which) {
  if (!isa) return NULL;
  *which = 1 + q8;
  return q8 ? q8_neon : f32_neon;
}

#endif
