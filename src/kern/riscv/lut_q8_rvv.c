/* SPDX-License-Identifier: Apache-2.0 */
/* Family lut_q8 on RVV: loads by index, whose indices are the bytes themselves. */

#include <riscv_vector.h>

#include "kern/lut_q8.h"

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_lut_q8 *p = params;
  const uint8_t *table = ptr[1];
  int64_t from, to, at, n;
  whet__lut_split(p, part, parts, &from, &to, &at, &n);
  for (; from < to; from++) {
    const uint8_t *in = (const uint8_t *)ptr[0] + from * p->in_pitch + at;
    uint8_t *out = (uint8_t *)ptr[2] + from * p->out_pitch + at;
    for (size_t left = (size_t)n, vl; left; left -= vl, in += vl, out += vl) {
      vl = __riscv_vsetvl_e8m8(left);
      __riscv_vse8_v_u8m8(out, __riscv_vluxei8_v_u8m8(table, __riscv_vle8_v_u8m8(in, vl), vl), vl);
    }
  }
}

const whet_kern whet_k_lut_q8__rvv_table = {.name = "lut_q8__rvv_table", .isa = WHET_ISA_RVV, .exact = 1, .run = run};
