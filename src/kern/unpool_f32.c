/* SPDX-License-Identifier: Apache-2.0 */
/* How the work of unpool_f32 is cut. */
#include "kern/unpool_f32.h"

int64_t whet__unpool_f32_parts(const whet_unpool_f32 *p) { return p->batch * whet__ceil_div(p->chan, 64); }
