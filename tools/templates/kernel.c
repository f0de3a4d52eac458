/* SPDX-License-Identifier: Apache-2.0 */
/* Family FAMILY on ISA: <the idea in one sentence: which registers hold what>. */

#include "kern/FAMILY.h"

/* Does this row take these parameters? */
static bool fits(const void *params) {
  const whet_FAMILY *p = params;
  return p != NULL;
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_FAMILY *p = params;
  int64_t from, to;
  whet__split(p->n, part, parts, &from, &to);
}

const whet_kern whet_k_FAMILY__ISA_VARIANT = {
    .name = "FAMILY__ISA_VARIANT", .isa = WHET_ISA_UPPER, .exact = 1, .fits = fits, .run = run};
