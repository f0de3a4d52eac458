/* SPDX-License-Identifier: Apache-2.0 */
/* The row of family convpool_f32 over rows of conv_f32 and pool_f32. The including file defines ISA, ISA_BITS, FORM, CONV and
 * POOL, and, for rows that round factors to bf16, BF16 as 1, FITS and PAYS. */

#include "kern/convpool_f32.h"
#include "kern/row_name.h"

#if !defined(BF16)
#define BF16 0
#define FITS NULL
#define PAYS NULL
#endif

extern const whet_kern CONV, POOL;

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet__convpool_f32(params, ptr, part, parts, &CONV, &POOL);
}

static size_t scratch(const void *params) { return whet__convpool_f32_scratch(params, &CONV); }

#define NAME_(isa) whet_k_convpool_f32__##isa##_rows
#define NAME(isa) NAME_(isa)
#define TEXT_(isa) "convpool_f32__" #isa "_rows"
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
