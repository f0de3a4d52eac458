/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_COMPRESS_PRUNE_H
#define WHET_COMPRESS_PRUNE_H

/* Pruning: whole channels, after which the model is smaller and no mask remains; or weights that become zero (train/sparsity.h).
 *
 * The same share of channels goes from every set of layers that share channels (units.h), those with the least score: the sum over
 * its filters of w^2, each relative to the mean of its layer (Li et al., Pruning Filters for Efficient ConvNets, 2017); or of w^2 v, with v
 * the mean square of the weight's gradient over some batches (Molchanov et al., Importance Estimation for Neural Network Pruning, 2019). The
 * share is the one that leaves the wanted part of all multiply-adds. */

#include "train/train.h"

typedef struct whet_prune_opts {
  double keep;   /* part of the multiply-adds that stays, above 0 and at most 1 */
  int32_t align; /* channels that stay are a multiple of this where there are at least twice as many; 0: 8 */
  /* Scores by gradient: the items that tell it, and how they are learnt (with Adam). NULL: by magnitude. */
  const whet_set *data;
  const whet_trainer_opts *learn;
} whet_prune_opts;

/* What became of a layer: channels or, of whet__prune_count, weights in all and those that are not zero. */
typedef struct whet_prune_layer {
  int32_t node; /* in the new model */
  int64_t had, has;
} whet_prune_layer;

typedef struct whet_prune_report {
  double macs, had_macs;
  whet_prune_layer *layer; /* in memory of the new model */
  size_t n_layer;
} whet_prune_report;

/* A model with fewer channels. Inputs and outputs are as they were. E_UNSUPPORTED when nothing can be cut, or not so much. */
WHET_MUST whet_status whet__prune(whet_model *m, const whet_prune_opts *o, whet_model **out, whet_prune_report *report, whet_err *err);

/* A model with zeros, by magnitude; to add them while it is trained: whet_trainer_opts. */
WHET_MUST whet_status whet__prune_weights(whet_model *m, const whet_sparsity *how, whet_model **out, whet_err *err);
/* The layers of a model that have weights, and how many of those are not zero; no macs. In memory of m. */
WHET_MUST whet_status whet__prune_count(whet_model *m, whet_prune_report *report, whet_err *err);

#endif
