/* SPDX-License-Identifier: Apache-2.0 */
/* Family copy on NEON: matrices of bytes and of 4-byte elements turned, copy_turn.h. */

#include <arm_neon.h>
#include <stdint.h>

/* 8 x 8 bytes: neighbours swap halves of rows, of pairs, of fours. */
static inline void tile_1(const uint8_t *in, int64_t is, uint8_t *out, int64_t os) {
  uint8x8_t x[8];
  for (int i = 0; i < 8; i++) x[i] = vld1_u8(in + i * is);
  for (int i = 0; i < 8; i += 2) {
    const uint8x8x2_t t = vtrn_u8(x[i], x[i + 1]);
    x[i] = t.val[0], x[i + 1] = t.val[1];
  }
  for (int j = 0; j < 4; j++) {
    const int i = j / 2 * 4 + j % 2;
    const uint16x4x2_t t = vtrn_u16(vreinterpret_u16_u8(x[i]), vreinterpret_u16_u8(x[i + 2]));
    x[i] = vreinterpret_u8_u16(t.val[0]), x[i + 2] = vreinterpret_u8_u16(t.val[1]);
  }
  for (int i = 0; i < 4; i++) {
    const uint32x2x2_t t = vtrn_u32(vreinterpret_u32_u8(x[i]), vreinterpret_u32_u8(x[i + 4]));
    vst1_u8(out + i * os, vreinterpret_u8_u32(t.val[0]));
    vst1_u8(out + (i + 4) * os, vreinterpret_u8_u32(t.val[1]));
  }
}

/* 4 x 4 words. */
static inline void tile_4(const uint8_t *in, int64_t is, uint8_t *out, int64_t os) {
  uint32x4_t x[4];
  for (int i = 0; i < 4; i++) x[i] = vreinterpretq_u32_u8(vld1q_u8(in + i * is));
  const uint32x4x2_t a = vtrnq_u32(x[0], x[1]), b = vtrnq_u32(x[2], x[3]);
  for (int i = 0; i < 2; i++) {
    vst1q_u8(out + i * os, vreinterpretq_u8_u32(vcombine_u32(vget_low_u32(a.val[i]), vget_low_u32(b.val[i]))));
    vst1q_u8(out + (i + 2) * os,
             vreinterpretq_u8_u32(vcombine_u32(vget_high_u32(a.val[i]), vget_high_u32(b.val[i]))));
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
