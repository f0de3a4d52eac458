/* SPDX-License-Identifier: Apache-2.0 */
/* How the work of wgrad_f32 is cut. */
#include "kern/wgrad_f32.h"

int64_t whet__wgrad_f32_parts(const whet_wgrad_f32 *p) {
  return p->groups * p->dim[0].kernel * p->dim[1].kernel * p->dim[2].kernel * whet__ceil_div(p->ic, 16) *
         whet__ceil_div(p->oc, 16);
}
