/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/ref.h"

static void run(const void *params, void *const *ptr, int part, int parts) {
  (void)params, (void)ptr, (void)part, (void)parts;
}

const whet_kern whet_k_ref__c_any = {.name = "ref__c_any", .exact = 1, .run = run};
