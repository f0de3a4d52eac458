/* SPDX-License-Identifier: Apache-2.0 */
/* Family convpool_f32, with factors rounded to bf16, on AVX-512 BF16. */
#include "kern/x86/bf16_fits.h"
#include "kern/convpool_f32.h"

static bool fits(const void *params) { return bf16_rows_fit(&((const whet_convpool_f32 *)params)->conv); }

static bool pays(const void *params, const whet_target *t) {
  const whet_conv_f32 *c = &((const whet_convpool_f32 *)params)->conv;
  return bf16_conv_gains(c, false, t);
}

#define BF16 1
#define FITS fits
#define PAYS pays
#define ISA bf16
#define ISA_BITS WHET_ISA_BF16 | WHET_ISA_AVX512
#define FORM WHET_PANEL_BF16
#define CONV whet_k_conv_f32__bf16_direct
#define POOL whet_k_pool_f32__avx512_any
#include "kern/convpool_f32_body.h"
