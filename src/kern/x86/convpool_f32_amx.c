/* SPDX-License-Identifier: Apache-2.0 */
/* Family convpool_f32, with factors rounded to bf16, on AMX. */
#include "kern/x86/bf16_fits.h"
#include "kern/convpool_f32.h"

static bool fits(const void *params) {
  whet_conv_f32 c = ((const whet_convpool_f32 *)params)->conv;
  c.batch = 1;
  c.dim[1].out_step = c.dim[2].out, c.dim[2].out_step = 1; /* rows before the pool are dense */
  return bf16_image_fits(&c);
}

static bool pays(const void *params, const whet_target *t) {
  const whet_conv_f32 *c = &((const whet_convpool_f32 *)params)->conv;
  return bf16_image_gains(c);
}

#define BF16 1
#define FITS fits
#define PAYS pays
#define ISA amx
#define ISA_BITS WHET_ISA_AMX | WHET_ISA_BF16 | WHET_ISA_AVX512
#define FORM WHET_PANEL_RUNS
#define CONV whet_k_conv_f32__amx_image
#define POOL whet_k_pool_f32__avx512_any
#include "kern/convpool_f32_body.h"
