/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_ROW_NAME_H
#define WHET_KERN_ROW_NAME_H

/* The row that a <family>_body.h makes for the file that includes it, which defines ISA and ISA_BITS:
 * WHET_ROW(family) is whet_k_<family>__<isa>_any, exact where vectors are, with the file's `run`; WHET_ROW_SCRATCH(family) has its `scratch`,
 * too. */

#include "kern/kern.h"

#ifndef VEC_EXACT /* vectors keep all numbers; see arm/vec_neon.h for one that does not */
#define VEC_EXACT 1
#endif

#define WHET_ROW_SYMBOL_(family, isa) whet_k_##family##__##isa##_any
#define WHET_ROW_SYMBOL(family, isa) WHET_ROW_SYMBOL_(family, isa)
#define WHET_ROW_TEXT_(family, isa) #family "__" #isa "_any"
#define WHET_ROW_TEXT(family, isa) WHET_ROW_TEXT_(family, isa)
#define WHET_ROW_OF(family, scratch_)                  \
  extern const whet_kern WHET_ROW_SYMBOL(family, ISA); \
  const whet_kern WHET_ROW_SYMBOL(family, ISA) = {     \
      .name = WHET_ROW_TEXT(family, ISA), .isa = ISA_BITS, .exact = VEC_EXACT, .scratch = scratch_, .run = run}
#define WHET_ROW(family) WHET_ROW_OF(family, NULL)
#define WHET_ROW_SCRATCH(family) WHET_ROW_OF(family, scratch)

#endif
