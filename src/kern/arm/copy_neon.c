/* SPDX-License-Identifier: Apache-2.0 */
/* Family copy on NEON: matrices of bytes and of 4-byte elements turned, copy_turn.h. */

#include <arm_neon.h>
#include <stdint.h>

static inline uint32x4_t word_pairs(uint32x4_t a, uint32x4_t b, int odd) {
  return odd ? vtrn2q_u32(a, b) : vtrn1q_u32(a, b);
}

/* 8 x 8 bytes: neighbours swap halves of rows, of pairs, of fours. */
static inline void tile_1(const uint8_t *in, int64_t is, uint8_t *out, int64_t os) {
  uint8x8_t x[8];
  for (int i = 0; i < 8; i++) x[i] = vld1_u8(in + i * is);
  for (int i = 0; i < 8; i += 2) {
    const uint8x8_t a = vtrn1_u8(x[i], x[i + 1]), b = vtrn2_u8(x[i], x[i + 1]);
    x[i] = a, x[i + 1] = b;
  }
  for (int j = 0; j < 4; j++) {
    const int i = j / 2 * 4 + j % 2;
    const uint16x4_t p = vreinterpret_u16_u8(x[i]), q = vreinterpret_u16_u8(x[i + 2]);
    x[i] = vreinterpret_u8_u16(vtrn1_u16(p, q)), x[i + 2] = vreinterpret_u8_u16(vtrn2_u16(p, q));
  }
  for (int i = 0; i < 4; i++) {
    const uint32x2_t p = vreinterpret_u32_u8(x[i]), q = vreinterpret_u32_u8(x[i + 4]);
    vst1_u8(out + i * os, vreinterpret_u8_u32(vtrn1_u32(p, q)));
    vst1_u8(out + (i + 4) * os, vreinterpret_u8_u32(vtrn2_u32(p, q)));
  }
}

/* 4 x 4 words. */
static inline void tile_4(const uint8_t *in, int64_t is, uint8_t *out, int64_t os) {
  uint32x4_t x[4];
  for (int i = 0; i < 4; i++) x[i] = vreinterpretq_u32_u8(vld1q_u8(in + i * is));
  for (int odd = 0; odd < 2; odd++) {
    const uint32x4_t a = word_pairs(x[0], x[1], odd), b = word_pairs(x[2], x[3], odd);
    vst1q_u8(out + odd * os, vreinterpretq_u8_u32(vcombine_u32(vget_low_u32(a), vget_low_u32(b))));
    vst1q_u8(out + (odd + 2) * os, vreinterpretq_u8_u32(vcombine_u32(vget_high_u32(a), vget_high_u32(b))));
  }
}

/* Bytes of three planes as pixels; answers how many pixels were done. */
static int64_t planes_1(const uint8_t *in, int64_t is, uint8_t *out, int64_t n) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const uint8x16x3_t x = {{vld1q_u8(in + i), vld1q_u8(in + is + i), vld1q_u8(in + 2 * is + i)}};
    vst3q_u8(out + 3 * i, x);
  }
  return i;
}

/* The same of words. */
static int64_t planes_4(const uint8_t *in, int64_t is, uint8_t *out, int64_t n) {
  int64_t i = 0;
  for (; i + 4 <= n; i += 4, in += 16, out += 48) {
    const uint32x4x3_t x = {{vreinterpretq_u32_u8(vld1q_u8(in)), vreinterpretq_u32_u8(vld1q_u8(in + is)),
                             vreinterpretq_u32_u8(vld1q_u8(in + 2 * is))}};
    vst3q_u32((uint32_t *)(void *)out, x);
  }
  return i;
}

#define TURN_SIDE_1 8
#define TURN_SIDE_4 4
#include "kern/copy_turn.h"

const whet_kern whet_k_copy__neon_turn = {
    .name = "copy__neon_turn", .isa = WHET_ISA_NEON, .exact = 1, .fits = fits, .run = run};
