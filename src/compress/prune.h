/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_COMPRESS_PRUNE_H
#define WHET_COMPRESS_PRUNE_H

/* Pruning whole channels: the model becomes smaller, no mask remains.
 *
 * The same share of channels goes from every set of layers that share channels (units.h), those with the least score: the sum over
 * its filters of |w|^2, each relative to the mean of its layer (Li et al., Pruning Filters for Efficient ConvNets, 2017). The
 * share is the one that leaves the wanted part of all multiply-adds. */

#include "format/model.h"

typedef struct whet_prune_opts {
  double keep;   /* part of the multiply-adds that stays, above 0 and at most 1 */
  int32_t align; /* channels that stay are a multiple of this where there are at least twice as many; 0: 8 */
} whet_prune_opts;

/* What became of a layer. */
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

#endif
