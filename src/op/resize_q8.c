/* SPDX-License-Identifier: Apache-2.0 */
/* Resize on quantised numbers of 8 or 16 bits: nearest moves them, the others take the real numbers, in double. */

#include "op/resize.h"

whet_status whet__resize_q8_plan(whet_planner *p, const whet_node *n) { return WHET_LATE; }

whet_status whet__resize_q8_ref(const whet_args *a) { return whet__resize_real(a); }
