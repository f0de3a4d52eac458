/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TRAIN_LOSS_H
#define WHET_TRAIN_LOSS_H

/* The loss as nodes of the training graph. */

#include "op/edit.h"
#include "train/graph.h"

/* Values that the loss is of; -1: not there. */
typedef struct whet_loss_ends {
  int32_t y, target; /* the model's output, and what it should be */
  int32_t told;      /* what the teacher says, softened */
  int32_t own;       /* the matched tensor of the model */
  int32_t alike;     /* [batch, batch]: how alike the teacher finds the items */
  whet_shape shape, own_shape; /* of y and own */
} whet_loss_ends;

/* *loss: a scalar; *scores: what accuracy is told by. */
WHET_MUST whet_status whet__loss_nodes(whet_edit *e, const whet_train_how *how, const whet_loss_ends *in, int32_t *loss, int32_t *scores);

/* The value of that name, or the first output of the node of that name; -1: neither. */
int32_t whet__value_called(const whet_graph *g, const whet_region *r, const char *name);

#endif
