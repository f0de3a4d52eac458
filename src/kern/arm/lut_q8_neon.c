/* SPDX-License-Identifier: Apache-2.0 */
/* Family lut_q8 on NEON: TBL looks up 64 entries; TBX three times more, each time with 64 taken from the indices, and
 * where they are out of range it keeps what is there. The table stands in 16 registers. */

#include "kern/arm/neon.h"

#include "kern/lut_q8.h"

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_lut_q8 *p = params;
  const uint8_t *table = ptr[1];
  uint8x16x4_t t[4];
  for (int i = 0; i < 4; i++) t[i] = vld1q_u8_x4(table + 64 * i);
  const uint8x16_t step = vdupq_n_u8(64);
  int64_t from, to, at, n;
  whet__lut_split(p, part, parts, &from, &to, &at, &n);
  for (; from < to; from++) {
    const uint8_t *in = (const uint8_t *)ptr[0] + from * p->in_pitch + at;
    uint8_t *out = (uint8_t *)ptr[2] + from * p->out_pitch + at;
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
      uint8x16_t x = vld1q_u8(in + i), y = vqtbl4q_u8(t[0], x);
      y = vqtbx4q_u8(y, t[1], x = vsubq_u8(x, step));
      y = vqtbx4q_u8(y, t[2], x = vsubq_u8(x, step));
      y = vqtbx4q_u8(y, t[3], vsubq_u8(x, step));
      vst1q_u8(out + i, y);
    }
    for (; i < n; i++) out[i] = table[in[i]];
  }
}

const whet_kern whet_k_lut_q8__neon_table = {
    .name = "lut_q8__neon_table", .isa = WHET_ISA_NEON, .exact = 1, .run = run};
