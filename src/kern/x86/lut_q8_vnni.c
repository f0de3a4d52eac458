/* SPDX-License-Identifier: Apache-2.0 */
/* Family lut_q8 on AVX-512 VBMI: the table stays in four registers, vpermi2b looks up 128 entries at once. */

#include "kern/lut_q8.h"
#include "kern/x86/out_q8_avx512.h"

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_lut_q8 *p = params;
  out_table t = out_table_load(ptr[1]);
  int64_t from, to, at, n;
  whet__lut_split(p, part, parts, &from, &to, &at, &n);
  for (; from < to; from++) {
    const uint8_t *in = (const uint8_t *)ptr[0] + from * p->in_pitch + at;
    uint8_t *out = (uint8_t *)ptr[2] + from * p->out_pitch + at;
    int64_t i = 0;
    for (; i + 64 <= n; i += 64) _mm512_storeu_si512(out + i, out_lookup(_mm512_loadu_si512(in + i), &t));
    if (i < n) {
      __mmask64 m = ~UINT64_C(0) >> (64 - (n - i));
      _mm512_mask_storeu_epi8(out + i, m, out_lookup(_mm512_maskz_loadu_epi8(m, in + i), &t));
    }
  }
}

const whet_kern whet_k_lut_q8__vnni_permute = {
    .name = "lut_q8__vnni_permute", .isa = WHET_ISA_VNNI | WHET_ISA_AVX512, .exact = 1, .run = run};
