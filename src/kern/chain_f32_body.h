/* SPDX-License-Identifier: Apache-2.0 */
/* The row of family chain_f32 over rows of conv_f32 and dw_f32. The including file defines ISA, ISA_BITS, FORM, CONV and
 * DW, and, for rows that round factors to bf16, BF16 as 1, FITS and PAYS. */

#include "kern/chain_f32.h"
#include "kern/row_name.h"

#if !defined(BF16)
#define BF16 0
#define FITS NULL
#define PAYS NULL
#endif

extern const whet_kern CONV, DW;

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet__chain_f32(params, ptr, part, parts, &CONV, &DW);
}

static size_t scratch(const void *params) { return whet__chain_f32_scratch(params, &CONV); }

#define NAME_(isa) whet_k_chain_f32__##isa##_rows
#define NAME(isa) NAME_(isa)
#define TEXT_(isa) "chain_f32__" #isa "_rows"
#define TEXT(isa) TEXT_(isa)
extern const whet_kern NAME(ISA);
const whet_kern NAME(ISA) = {.name = TEXT(ISA),
                             .isa = ISA_BITS,
                             .form = FORM,
                             .exact = VEC_EXACT && !BF16,
                             .bf16 = BF16,
                             .fits = FITS,
                             .pays = PAYS,
                             .scratch = scratch,
                             .run = run};
