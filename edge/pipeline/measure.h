/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPELINE_MEASURE_H
#define WHET_EDGE_PIPELINE_MEASURE_H

/* What filters look at: one number of a frame, and what a frame says, as a key that is equal for frames that say the
 * same. */

#include "edge/pipeline/kind.h"

typedef struct pl_measure {
  const char *of;    /* "score": the best of objects and classes; "count": of objects; else the name of a value */
  const char *label; /* score and count: of this label only; NULL: any */
} pl_measure;

#define PL_MEASURE_KEYS(type, at) \
  {.name = "of", CONF_STR, offsetof(type, at.of)}, { .name = "label", CONF_STR, offsetof(type, at.label) }
#define PL_MEASURE_DEFAULTS \
  { .of = "score" }

/* open of what measures: E_DATA at the node's line when `of` names a value that nothing before it sets, or label one
 * that no stage gives. */
EDGE_MUST whet_status pl_measure_known(const pl_node *n, const pl_measure *m, whet_err *err);
/* The number; 0 where there is nothing of the kind. */
double pl_measured(const pl_measure *m, const pl_frame *f);
/* A hash of the event, subject, and how many objects of which labels, classes and zones there are. 0: nothing at all.
 */
uint64_t pl_says(const pl_frame *f);

#endif
