/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of families, made from the .def lists, and dispatch over them. */

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

/* Written by the build from families.def: includes family_table.h once for each family. */
#include "kern_tables.inc"

static const whet_family k_families[] = {
#define WHET_FAMILY(name) {#name, k_rows_##name, WHET_COUNT(k_rows_##name)},
#include "kern/families.def"
#undef WHET_FAMILY
};

const whet_family *whet__family(unsigned id) { return id < WHET_FAMILY_COUNT ? &k_families[id] : NULL; }

/* Can a target run this row, with these parameters? */
static bool fits(const whet_kern *k, const whet_target *t, bool exact, const void *params) {
  return (k->isa & t->isa) == k->isa && (!exact || k->exact) && (!k->bf16 || t->bf16) && (!k->fits || k->fits(params));
}

const whet_kern *whet__kern_pick(unsigned family, const whet_target *t, bool exact, const void *params) {
  const whet_family *f = whet__family(family);
  const whet_kern *best = NULL;
  double best_ns = 0;
  for (size_t i = 0; f && i < f->n; i++) {
    const whet_kern *k = f->rows[i];
    if (!fits(k, t, exact, params) || (k->pays && !k->pays(params, t))) continue;
    if (!k->cost) {
      if (!best) best = k;
      if (!best_ns) break;
      continue;
    }
    double ns = k->cost(params, t);
    if (!best || ns < best_ns) best = k, best_ns = ns;
  }
  return best;
}

int whet__kern_fitting(unsigned family, const whet_target *t, bool exact, const void *params, const whet_kern **out,
                       int room) {
  const whet_family *f = whet__family(family);
  const whet_kern *best = whet__kern_pick(family, t, exact, params);
  int n = 0;
  if (best && room > 0) out[n++] = best;
  for (size_t i = 0; best && i < f->n && n < room; i++)
    if (f->rows[i] != best && fits(f->rows[i], t, exact, params)) out[n++] = f->rows[i];
  return n;
}

const char *whet__kern_left_out(void) { return WHET_KERN_LEFT_OUT; }
