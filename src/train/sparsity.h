/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TRAIN_SPARSITY_H
#define WHET_TRAIN_SPARSITY_H

/* Which weights of a model become zero, by a pattern and a score; for a model as it is, or step by step while it is
 * trained.
 *
 * A layer is a product with constant weights: Conv and ConvTranspose but for depthwise ones, Dense, Gemm, MatMul. Its
 * weights are seen as a matrix, outputs by inputs (op/weighted.h); of a convolution, the channels of one tap follow
 * each other.
 *
 * Scores: magnitude |w|, or |w| sqrt(v) with v Adam's mean square of w's gradient, to first order what the loss does
 * when w goes (Molchanov and others, Importance Estimation for Neural Network Pruning, 2019). A block has the mean of
 * its weights' scores. While training, the share of zeros rises as 1 - (1 - t)^3 (Zhu and Gupta, To prune, or not to
 * prune, 2017); what is zero stays zero. */

#include "format/model.h"

typedef enum whet_importance { WHET_BY_MAGNITUDE, WHET_BY_GRADIENT } whet_importance;

typedef struct whet_sparsity {
  double zeros; /* share of the weights that are zero in the end, at least 0, below 1; with n and m: not looked at */
  int32_t n, m; /* of m inputs of an output that follow each other n stay; m 0: no such pattern. At most 64 */
  int32_t block_in, block_out; /* weights go in blocks of so many inputs by so many outputs; 0: 1 */
  whet_importance score;
  bool across;              /* weights are compared over all layers; else each layer loses the same share */
  double ramp;              /* share of the training over which the zeros come; above 0, at most 1 */
  const char *const *dense; /* names of layers (or of their outputs) that stay as they are */
  size_t n_dense;
} whet_sparsity;

/* The weights of a layer: weight i of output o is element chan[o] + tap[i] of constant val. */
typedef struct whet_sparse_layer {
  int32_t node, val;
  int64_t channels, k;
  const int64_t *chan, *tap;
} whet_sparse_layer;

/* The layers of float32, in order, in memory of a; open sizes of the model's inputs do not matter. how may be NULL;
 * E_NAME: one of its dense layers is not there. */
WHET_MUST whet_status whet__sparse_layers(whet_model *m, const whet_sparsity *how, whet_arena *a,
                                          whet_sparse_layer **out, size_t *n, whet_err *err);
/* How far the zeros are, 0..1, when a part t of the way, 0..1, is done. */
double whet__sparsity_at(double t);
/* Make weights zero, a part `done` of all that is to go. By layer: w, the whole constants; score, in the same places,
 * NULL: magnitude. */
WHET_MUST whet_status whet__sparsify(const whet_sparsity *how, const whet_sparse_layer *l, size_t n, float *const *w,
                                     float *const *score, double done, whet_mem *mem, whet_err *err);

#endif
