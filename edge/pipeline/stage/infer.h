/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPELINE_STAGE_INFER_H
#define WHET_EDGE_PIPELINE_STAGE_INFER_H

/* The stage `infer`, for stages before it that prepare its input and stages behind it that read its outputs. */

#include "edge/pipeline/inner.h"

enum { INFER_SET = 16, INFER_STATE = 16 };

typedef struct infer_state {
  size_t from; /* output */
  void *room;  /* of the input that gets it in the next run */
  size_t bytes;
} infer_state;

typedef struct infer {
  pl_node n;
  const char *model, *input_name;
  const conf_node *set, *state;
  double scale; /* of numbers, before they become the input's */
  bool raw;     /* numbers are what a quantised input stores */
  bool reset;   /* the model's own variables are set back when an item begins */
  pl_model *m;
  whet_session *session;
  size_t input;   /* the one that takes frames */
  whet_info info; /* of it, as the model declares it */
  infer_state feed[INFER_STATE];
  size_t n_feed;
  whet_run_opts run;
} infer;

/* The next infer behind a node; a failure at the node's line when there is none. */
EDGE_MUST whet_status infer_behind(const pl_node *n, infer **out, whet_err *err);
/* Channels stand first in its pictures where the shape leaves that open. */
bool infer_first(const infer *i);
/* Set the input's shape if it is another; then its memory. */
EDGE_MUST whet_status infer_room(infer *i, int32_t rank, const int64_t *dims, void **to, size_t *bytes,
                                 whet_err *err);

#endif
