/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `rungs`: a frame goes through the stages of its rung. When that is another than the last frame's, the
 * stages that are left hand on what they held back, so that nothing is lost, and begin anew. */

#include "edge/pipeline/stage/rungs.h"

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  rungs *s = (rungs *)n;
  pl_branch *b = n->branch;
  size_t want = s->of[b->rung];
  if (want != s->now) {
    const rungs_row *left = &s->row[s->now];
    s->now = want;
    pl_stages_anew(b, left->from, left->n);
  }
  const rungs_row *row = &s->row[want];
  atomic_fetch_add_explicit(&n->out, 1, memory_order_relaxed);
  return pl_stage_from(b, row->n ? b->stage[row->from] : n->next, f, err);
}

/* Its rows were read with the branch's stages (load.c). */
const pl_kind pl_stage_rungs = {.name = "rungs", .size = sizeof(rungs), .run = run, .loose = true};
