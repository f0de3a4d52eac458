/* SPDX-License-Identifier: Apache-2.0 */
/* Family prep_quad, portable. */

#include "kern/prep_quad.h"

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_prep_quad *p = params;
  int64_t from, to;
  whet__split(p->n, part, parts, &from, &to);
  whet__prep_quad_plain(p, ptr, from, to);
}

const whet_kern whet_k_prep_quad__c_any = {.name = "prep_quad__c_any", .exact = 1, .run = run};
