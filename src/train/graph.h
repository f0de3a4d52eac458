/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TRAIN_GRAPH_H
#define WHET_TRAIN_GRAPH_H

/* The graph that training runs. */

#include "op/learn.h"
#include "train/train.h"

/* A constant of the model that became a variable. Value numbers are those of both graphs. */
typedef struct whet_trained {
  int32_t val;
  bool learnt; /* by the optimiser; else a running mean or variance */
  int32_t axis; /* of its channels, when it is rounded; -1: one scale for all */
  float steps;  /* to which side; 0: it is not rounded */
} whet_trained;

typedef struct whet_train_graph {
  whet_model *model; /* derived; inputs x, target, hyper, then what is taught; outputs loss, scores */
  whet_trained *trained;
  int32_t n_trained;
  int32_t *slot; /* variables of the optimiser */
  int32_t n_slot;
  int64_t weights;
  whet_shape x, target; /* with the batch in front */
} whet_train_graph;

typedef struct whet_train_how {
  whet_loss loss; /* not AUTO */
  whet_learn learn;
  int64_t batch;
  int32_t last;
  /* What a teacher adds: inputs "teacher", shares of the classes (or numbers) as the target has, and "alike", [batch, batch]. */
  bool taught;
  double temperature, mix; /* see whet_teach */
  const char *match;       /* the tensor whose likeness is compared; NULL: none */
  double match_weight;
  whet_rounded rounded;
} whet_train_how;

WHET_MUST whet_status whet__train_graph(whet_model *m, const whet_train_how *how, whet_mem *mem, whet_train_graph *out, whet_err *err);
void whet__train_graph_free(whet_train_graph *g, whet_mem *mem);

/* Recurrent layers, norms and attention as the operators that they are made of (expand.c), so that they have gradients. */
WHET_MUST whet_status whet__train_expand(whet_model *m, whet_err *err);

#endif
