/* SPDX-License-Identifier: Apache-2.0 */
/* Family chain_f32, with factors rounded to bf16, on AVX-512 BF16. */
#include "kern/x86/bf16_fits.h"
#include "kern/chain_f32.h"

static bool fits(const void *params) {
  const whet_chain_f32 *p = params;
  for (int s = 0; s < p->n; s++)
    if (p->stage[s].groups == 1 && !bf16_rows_fit(&p->stage[s])) return false;
  return true;
}

/* Some stage gains. */
static bool pays(const void *params, const whet_target *t) {
  const whet_chain_f32 *p = params;
  bool gains = false;
  for (int s = 0; s < p->n; s++) gains |= p->stage[s].groups == 1 && bf16_conv_gains(&p->stage[s], false, t);
  return gains;
}

#define BF16 1
#define FITS fits
#define PAYS pays
#define ISA bf16
#define ISA_BITS WHET_ISA_BF16 | WHET_ISA_AVX512
#define FORM WHET_PANEL_BF16
#define CONV whet_k_conv_f32__bf16_direct
#define DW whet_k_dw_f32__avx512_rows
#include "kern/chain_f32_body.h"
