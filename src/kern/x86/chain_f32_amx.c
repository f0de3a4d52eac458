/* SPDX-License-Identifier: Apache-2.0 */
/* Family chain_f32, with factors rounded to bf16, on AMX. */
#include "kern/x86/bf16_fits.h"
#include "kern/chain_f32.h"

static bool fits(const void *params) {
  const whet_chain_f32 *p = params;
  for (int s = 0; s < p->n; s++) {
    whet_conv_f32 c = p->stage[s];
    c.batch = 1;
    if (s) c.dim[1].in_step = c.dim[2].in, c.dim[2].in_step = 1; /* rows between stages are dense */
    if (s + 1 < p->n) c.dim[1].out_step = c.dim[2].out, c.dim[2].out_step = 1;
    if (c.groups == 1 && !bf16_image_fits(&c)) return false;
  }
  return true;
}

/* Some stage gains. */
static bool pays(const void *params, const whet_target *t) {
  const whet_chain_f32 *p = params;
  bool gains = false;
  for (int s = 0; s < p->n; s++) gains |= p->stage[s].groups == 1 && bf16_image_gains(&p->stage[s]);
  return gains;
}

#define BF16 1
#define FITS fits
#define PAYS pays
#define ISA amx
#define ISA_BITS WHET_ISA_AMX | WHET_ISA_BF16 | WHET_ISA_AVX512
#define FORM WHET_PANEL_RUNS
#define CONV whet_k_conv_f32__amx_image
#define DW whet_k_dw_f32__avx512_rows
#include "kern/chain_f32_body.h"
