/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of families, made from the .def lists. */

#include "kern/kern.h"

/* Which lines of the lists this build has: those of its own architecture whose file could be compiled. The build sets
 * WHET_HAVE_<isa> to 0 or 1 for each ISA token of the lists. */
#if defined(__x86_64__)
#define X86_ROW(...) __VA_ARGS__
#else
#define X86_ROW(...)
#endif
#if defined(__aarch64__) || defined(__arm__)
#define ARM_ROW(...) __VA_ARGS__
#else
#define ARM_ROW(...)
#endif
#if defined(__riscv)
#define RISCV_ROW(...) __VA_ARGS__
#else
#define RISCV_ROW(...)
#endif
#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)
#define IF_1(...) __VA_ARGS__
#define IF_0(...)
#define HAVE(isa, ...) CAT(IF_, WHET_HAVE_##isa)(__VA_ARGS__)

/* A row of this table, or NULL: those that are for AVX-512 and those that are not may lie in libraries of their own
 * (base/apart.h). The build sets WHET_HERE_<isa> to 0 or 1. */
#define HERE_1(row) &row
#define HERE_0(row) NULL
#define HERE(isa, row) CAT(HERE_, WHET_HERE_##isa)(row)

/* Written by the build from families.def: includes family_table.h once for each family. */
#include "kern_tables.inc"

const whet_family whet__families[] = {
#define WHET_FAMILY(name) {#name, k_rows_##name, WHET_COUNT(k_rows_##name)},
#include "kern/families.def"
#undef WHET_FAMILY
};
