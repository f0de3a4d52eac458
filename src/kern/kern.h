/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_KERN_H
#define WHET_KERN_KERN_H

/* Kernel families. A family is one computation with one contract: `<family>.h` says parameters, arguments, layouts,
 * order of sums and exactness; `<family>.def` lists its rows, best first; the first row that the target has and that
 * fits the parameters is taken. The last row is portable C and fits everything.
 *
 * A .def line is K_C(variant) for src/kern/<family>_c.c, or K_X86(isa, variant), K_ARM(isa, variant),
 * K_RISCV(isa, variant) for src/kern/<arch>/<family>_<isa>.c. Each names the symbol whet_k_<family>__<isa>_<variant>
 * (K_C: whet_k_<family>__c_<variant>), a const whet_kern. Build, dispatch, tests, benchmark and `whet kernels` read
 * the same lines. */

#include "base/base.h"
#include "base/target.h"

/* Run part `part` of `parts` of a step. Parameters are plain data without pointers; ptr holds the arguments in the
 * order that the family's header gives, then scratch, which is the calling thread's own. Parts touch disjoint outputs, are run
 * by any thread in any order, and results do not depend on `parts`.
 * Never fails and never allocates: whatever could be wrong was checked when the plan was made. */
typedef void (*whet_kern_fn)(const void *params, void *const *ptr, int part, int parts);

typedef struct whet_kern {
  const char *name; /* "conv_f32__avx512_direct" */
  uint32_t isa;     /* WHET_ISA_ bits that it needs, all of them */
  uint16_t form;    /* packed layout of weights that it takes, as the family's header numbers them; 0: none */
  uint8_t exact;    /* keeps the family's order of sums: same bytes as every other exact row */
  uint8_t bf16;     /* rounds the factors of its products to bf16: only where the target allows it */
  uint8_t tight;    /* 8-bit products: whether results are tight (out_q8.h) is worth finding out */
  bool (*fits)(const void *params);                         /* what it can do; NULL: everything */
  bool (*pays)(const void *params, const whet_target *t);   /* faster than the rows after it; NULL: always */
  size_t (*scratch)(const void *params);                    /* bytes for each thread; NULL: none */
  double (*cost)(const void *params, const whet_target *t); /* nanoseconds; NULL: rank decides */
  whet_kern_fn run;
} whet_kern;

enum {
#define WHET_FAMILY(name) WHET_FAMILY_##name,
#include "kern/families.def"
#undef WHET_FAMILY
  WHET_FAMILY_COUNT
};

typedef struct whet_family {
  const char *name;
  const whet_kern *const *rows; /* best first; NULL: one that may come from elsewhere, see whet__family_next */
  size_t n;
} whet_family;

extern const whet_family whet__families[WHET_FAMILY_COUNT];
const whet_family *whet__family(unsigned id);

/* Row *i of a family or the first after it that is there (those for AVX-512 may not be: base/apart.h), *i set past
 * it; NULL after the last. for (size_t i = 0; (k = whet__family_next(f, &i));) sees all, best first. */
const whet_kern *whet__family_next(const whet_family *f, size_t *i);

/* The best row for a target, or NULL when none fits. With costs, the cheapest of the rows that fit; else the first.
 * exact: only rows that keep the order of sums. */
const whet_kern *whet__kern_pick(unsigned family, const whet_target *t, bool exact, const void *params);

/* All rows that fit, the one that whet__kern_pick takes first, the others by rank; at most `room`. Answers how many. */
int whet__kern_fitting(unsigned family, const whet_target *t, bool exact, const void *params, const whet_kern **out,
                       int room);

/* Rows that a compiler could not build, as text for `whet kernels`; "" when there are none. */
const char *whet__kern_left_out(void);

/* WHET_INLINE: always inlined. WHET_UNROLL: the loop that follows has few iterations, their number a constant: write them
 * all out. Neither where sanitizers put a check at every access: kernels would take minutes to compile. */
#if defined(WHET_SANITIZED)
#define WHET_INLINE static inline
#define WHET_UNROLL
#elif defined(__clang__)
#define WHET_INLINE static inline __attribute__((always_inline))
#define WHET_UNROLL _Pragma("clang loop unroll(full)")
#else
#define WHET_INLINE static inline __attribute__((always_inline))
#define WHET_UNROLL _Pragma("GCC unroll 32")
#endif

/* A deliberate bug of builds with WHET_PLANT, by which tests show that they can fail: one in each family, in code that all
 * its rows run or in the portable row. Used as `n -= WHET_BUG(1);`. */
#ifdef WHET_PLANT
#define WHET_BUG(x) (x)
#else
#define WHET_BUG(x) 0
#endif

/* Which of n things part `part` of `parts` does: [*from, *to), static, contiguous, even. */
static inline void whet__split(int64_t n, int part, int parts, int64_t *from, int64_t *to) {
  *from = n * part / parts;
  *to = n * (part + 1) / parts;
}

/* Whether parts of a depthwise layer share its rows, as the layers around do, or its channels: in low pictures weights of
 * those are more than activations. */
static inline bool whet__depthwise_rows(int64_t rows, int parts) { return rows > 8 && rows >= parts; }

#endif
