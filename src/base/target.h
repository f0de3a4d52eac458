/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_BASE_TARGET_H
#define WHET_BASE_TARGET_H

/* What a plan is made for: instruction sets, cores, caches. The host is one instance; passes, operators and the
 * planner ask a target, never the CPU. */

#include "base/base.h"

/* X(name, bit, level, architecture): instruction sets that kernels are written for, in rising order for each
 * architecture. A level allows all that bear its name and what stands before
 * them in the same architecture. */
#define WHET_ISA_MAP(X)                                                                  \
  X(AVX2, 0, "avx2", X86)       /* AVX2, FMA, F16C, BMI2 */                              \
  X(AVXVNNI, 1, "avxvnni", X86) /* VEX-coded vpdpbusd */                                 \
  X(AVX512, 2, "avx512", X86)   /* F, BW, DQ, VL, CD */                                  \
  X(VNNI, 3, "vnni", X86)       /* AVX-512 VNNI, VBMI */                                 \
  X(BF16, 4, "vnni", X86)       /* AVX-512 bf16 dot products */                          \
  X(AMX, 5, "amx", X86)         /* tile, int8, bf16; the kernel has granted the state */ \
  X(NEON, 8, "neon", ARM)                                                                \
  X(FP16, 9, "dotprod", ARM) /* half-precision arithmetic */                             \
  X(DOTPROD, 10, "dotprod", ARM)                                                         \
  X(I8MM, 11, "i8mm", ARM)                                                               \
  X(ARMBF16, 12, "i8mm", ARM)                                                            \
  X(SVE2, 13, "sve2", ARM)                                                               \
  X(RVV, 16, "rvv", RISCV) /* vector 1.0 */

enum {
#define WHET_ISA_ENUM(name, bit, level, arch) WHET_ISA_##name = 1u << (bit),
  WHET_ISA_MAP(WHET_ISA_ENUM)
#undef WHET_ISA_ENUM
};

/* Those whose kernels may lie in a library of their own: base/apart.h. */
#define WHET_ISA_APART ((uint32_t)(WHET_ISA_AVX512 | WHET_ISA_VNNI | WHET_ISA_BF16 | WHET_ISA_AMX))

typedef struct whet_target {
  uint32_t isa;    /* WHET_ISA_ bits that may be used */
  int cores;       /* threads of one run at most */
  size_t cache[3]; /* bytes of L1 data, L2, L3 of one core's view; 0: not known */
  bool fast_fma;   /* a fused multiply-add is one instruction at the portable level too */
  bool fast_bf16;  /* a dot product of vectors of bf16 takes as long as a multiply-add of f32, not four times that */
  bool bf16;       /* factors of float products may be rounded to bf16 */
  char cpu[64];    /* the processor's own name */
} whet_target;

/* The machine that we run on, found once; all its instruction sets, whether or not kernels for them are there. Thread
 * safe. */
const whet_target *whet__target_host(void);

/* The host limited to a level ("c" .. "amx" ...; NULL or "": WHET_CPU from the environment, else no limit) and to the
 * sets whose kernels are there: loads those that lie apart where the rest allows them. E_NAME for a level that this
 * architecture does not know: the text lists those it does. */
whet_status whet__target_at(const char *level, whet_target *out, whet_err *err);

/* Bits of a level and all before it in its architecture; false for an unknown name. */
bool whet__isa_of_level(const char *level, uint32_t *bits);
/* The highest level that a set of bits reaches: "c" for none. */
const char *whet__isa_level(uint32_t bits);

/* Cores that the process may use: CPU set and cgroup quota (v1, v2; rounded up), at least 1. */
int whet__target_cores(void);
/* Whether a cgroup quota holds: then time spent spinning is taken from the work. */
bool whet__target_quota(void);
/* The least quota in thousandths of a core, 0 for none, that holds for the process whose groups the file `groups`
 * lists (as /proc/self/cgroup does), with the hierarchy mounted at `mount`. */
long whet__cgroup_quota(const char *groups, const char *mount);

#endif
