/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TRAIN_TRAIN_H
#define WHET_TRAIN_TRAIN_H

/* Training: one graph of the model forward, its loss, its gradients and the optimiser's steps, made into a program and run
 * like any other. Weights and what the optimiser remembers are variables of the session.
 *
 * The same seed gives the same bytes with any number of threads and after any number of interruptions: sums are split over
 * results only, and every random number is a function of seed, epoch, item and what it is for. */

#include "data/set.h"
#include "format/model.h"
#include "train/sparsity.h"
#include "whet/session.h"
#include "whet/train.h"

typedef struct whet_trainer_opts {
  whet_train_opts how; /* learning alone counts: what it says of data and its progress are read by whet_train */
  const whet_feed *feed;         /* range, mean and std of samples; NULL: by the set */
  const whet_sparsity *sparsity; /* weights that become zero; NULL: none. It outlives the trainer */
  const whet_set *test;          /* measured after every epoch; NULL: none */
  /* Called after every step, and with e after every epoch. Not OK: training stops, and that is the answer. */
  whet_status (*progress)(void *user, const whet_train_state *s, const whet_epoch *e);
  void *user;
} whet_trainer_opts;

/* The test half of the data at path, opened as `set` was but for the half; NULL when there is none, or nothing to measure. */
whet_set *whet__test_half(const char *path, const whet_set_opts *so, const whet_set *set, whet_mem *m);

typedef struct whet_trainer whet_trainer;

/* Prepare to train model m on a data set; both outlive the trainer. What cannot be differentiated is refused by node. */
WHET_MUST whet_status whet__trainer_open(whet_model *m, const whet_set *data, const whet_trainer_opts *o, whet_mem *mem, whet_trainer **out,
                                         whet_err *err);
void whet__trainer_close(whet_trainer **t);
/* Train to the end. */
WHET_MUST whet_status whet__trainer_run(whet_trainer *t, whet_err *err);
/* Instead of training: run `steps` batches (at most an epoch) and learn nothing; mean squares of gradients are then known. Adam only. */
WHET_MUST whet_status whet__trainer_look(whet_trainer *t, int64_t steps, whet_err *err);
/* They, as Adam weighs them, of constant val of the model; NULL: it is not trained. Valid until the trainer does something. */
const float *whet__trainer_square(const whet_trainer *t, int32_t val);
/* A model as m with the weights as they are now. */
WHET_MUST whet_status whet__trainer_model(whet_trainer *t, whet_model **out, whet_err *err);
/* All of it in one go: *out is m trained on a data set. */
WHET_MUST whet_status whet__trained(whet_model *m, const whet_set *data, const whet_trainer_opts *o, whet_mem *mem, whet_model **out,
                                    whet_err *err);
/* Epochs made so far. */
const whet_epoch *whet__trainer_epochs(const whet_trainer *t, size_t *n);
/* Numbers that are trained, and layers that hold them. */
int64_t whet__trainer_weights(const whet_trainer *t);
whet_session *whet__trainer_session(whet_trainer *t);

#endif
