/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPELINE_STAGE_RUNGS_H
#define WHET_EDGE_PIPELINE_STAGE_RUNGS_H

/* The stage `rungs`: other stages on other rungs of the governor's ladder. They lie among the branch's stages, behind
 * this one, a row of them after the other; the last of each leads to what stands behind the whole. */

#include "edge/pipeline/govern.h"

typedef struct rungs_row {
  size_t from, n; /* among the branch's stages */
} rungs_row;

typedef struct rungs {
  pl_node n;
  rungs_row *row;
  size_t n_row;
  uint8_t of[PL_RUNGS]; /* the row of each rung */
  size_t now;           /* the row of the last frame; the branch's thread */
} rungs;

#endif
