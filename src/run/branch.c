/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that run other steps. */

#include "run/frame.h"

whet_status whet__frame_branch(whet_run *r, int32_t step) {
  const whet_bound *b = &r->frame->bound[step];
  const whet_branch *br = b->params;
  int which = *(const uint8_t *)b->ptr[0] ? 0 : 1;
  return whet__frame_run(r, br->begin[which], br->end[which]);
}
