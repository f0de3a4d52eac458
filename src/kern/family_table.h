/* SPDX-License-Identifier: Apache-2.0 */
/* Included once for each family with FAMILY (its name) and FAMILY_DEF (its list) defined: the table of its rows. */
#define ROW_NAME(family, isa, variant) ROW_NAME_(family, isa, variant)
#define ROW_NAME_(family, isa, variant) whet_k_##family##__##isa##_##variant

#define K_C(variant) extern const whet_kern ROW_NAME(FAMILY, c, variant);
#define K_X86(isa, variant) X86_ROW(HAVE(isa, extern const whet_kern ROW_NAME(FAMILY, isa, variant);))
#define K_ARM(isa, variant) ARM_ROW(HAVE(isa, extern const whet_kern ROW_NAME(FAMILY, isa, variant);))
#define K_RISCV(isa, variant) RISCV_ROW(HAVE(isa, extern const whet_kern ROW_NAME(FAMILY, isa, variant);))
#include FAMILY_DEF
#undef K_C
#undef K_X86
#undef K_ARM
#undef K_RISCV

#define K_C(variant) HERE(c, ROW_NAME(FAMILY, c, variant)),
#define K_X86(isa, variant) X86_ROW(HAVE(isa, HERE(isa, ROW_NAME(FAMILY, isa, variant)), ))
#define K_ARM(isa, variant) ARM_ROW(HAVE(isa, HERE(isa, ROW_NAME(FAMILY, isa, variant)), ))
#define K_RISCV(isa, variant) RISCV_ROW(HAVE(isa, HERE(isa, ROW_NAME(FAMILY, isa, variant)), ))
static const whet_kern *const CAT(k_rows_, FAMILY)[] = {
#include FAMILY_DEF
};
#undef K_C
#undef K_X86
#undef K_ARM
#undef K_RISCV
#undef ROW_NAME
#undef ROW_NAME_
#undef FAMILY
#undef FAMILY_DEF
