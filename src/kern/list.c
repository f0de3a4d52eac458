/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels of this build as callers see them (whet/kernels.h). */

#include "base/apart.h"
#include "base/base.h"
#include "base/target.h"
#include "kern/kern.h"
#include "whet/kernels.h"

whet_status whet_cpu(const char *cpu, whet_cpu_info *out, whet_err *err) {
  whet_target t;
  if (err) *err = (whet_err){0};
  if (!out || out->size < offsetof(whet_cpu_info, lack))
    return whet__fail(err, WHET_E_MISUSE, "whet_cpu_info: its size is not set");
  WHET_TRY(whet__target_at(cpu, &t, err));
  out->level = whet__isa_level(t.isa);
  out->cores = t.cores;
  if (out->size >= sizeof *out) out->lack = whet__apart_lack();
  return WHET_OK;
}

whet_status whet_kernel(size_t i, const char *cpu, whet_kernel_info *out, whet_err *err) {
  whet_target t;
  if (err) *err = (whet_err){0};
  if (!out || out->size < sizeof *out) return whet__fail(err, WHET_E_MISUSE, "whet_kernel_info: its size is not set");
  (void)whet__target_at(NULL, &t, NULL); /* so that the same rows are counted at every level */
  WHET_TRY(whet__target_at(cpu, &t, err));
  for (unsigned id = 0; id < WHET_FAMILY_COUNT; id++) {
    const whet_family *f = whet__family(id);
    const whet_kern *k;
    for (size_t at = 0; (k = whet__family_next(f, &at));) {
      if (i--) continue;
      out->family = f->name;
      out->name = k->name;
      out->exact = k->exact;
      out->usable = (k->isa & t.isa) == k->isa;
      return WHET_OK;
    }
  }
  return whet__fail(err, WHET_E_MISUSE, "there is no such kernel");
}
