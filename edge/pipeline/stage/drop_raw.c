/* SPDX-License-Identifier: Apache-2.0 */
/* The privacy stage `drop_raw`: the picture or the numbers end here, findings go on. */

#include "edge/pipeline/kind.h"

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  pl_frame_bare(f);
  f->n_output = 0;
  f->loaded = false;
  return pl_pass(n, f, err);
}

const pl_kind pl_stage_drop_raw = {.name = "drop_raw", .size = sizeof(pl_node), .run = run};
