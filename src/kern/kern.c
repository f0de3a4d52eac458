/* SPDX-License-Identifier: Apache-2.0 */
/* Dispatch over the tables of families (rows.c). */

#include "kern/kern.h"

#include "base/apart.h"

const whet_family *whet__family(unsigned id) { return id < WHET_FAMILY_COUNT ? &whet__families[id] : NULL; }

/* A row that the family's own table leaves out is that of the library apart, whose tables are of the same length. */
const whet_kern *whet__family_next(const whet_family *f, size_t *i) {
  const whet_family *apart = whet__apart_families();
  while (*i < f->n) {
    size_t at = (*i)++;
    if (f->rows[at]) return f->rows[at];
    if (apart) return apart[f - whet__families].rows[at];
  }
  return NULL;
}

/* Can a target run this row, with these parameters? */
static bool fits(const whet_kern *k, const whet_target *t, bool exact, const void *params) {
  return (k->isa & t->isa) == k->isa && (!exact || k->exact) && (!k->bf16 || t->bf16) && (!k->fits || k->fits(params));
}

const whet_kern *whet__kern_pick(unsigned family, const whet_target *t, bool exact, const void *params) {
  const whet_family *f = whet__family(family);
  const whet_kern *best = NULL;
  double best_ns = 0;
  const whet_kern *k;
  for (size_t i = 0; f && (k = whet__family_next(f, &i));) {
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
  const whet_kern *k;
  int n = 0;
  if (best && room > 0) out[n++] = best;
  for (size_t i = 0; best && n < room && (k = whet__family_next(f, &i));)
    if (k != best && fits(k, t, exact, params)) out[n++] = k;
  return n;
}

const char *whet__kern_left_out(void) { return WHET_KERN_LEFT_OUT; }
