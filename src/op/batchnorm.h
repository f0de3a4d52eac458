/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_BATCHNORM_H
#define WHET_OP_BATCHNORM_H

/* What the pass that folds BatchNormalization may know of it. Inputs: x, scale, bias, mean, variance. */

#include "op/op.h"

typedef struct whet_batchnorm_attr {
  float epsilon, momentum;
  bool training; /* mean and variance are those of the batch; outputs 1 and 2 are the running ones */
  bool last;     /* channels are the last dimension; else dimension 1 */
  bool places;   /* one scale for every place of a sample, not for every channel (ONNX before 9, spatial = 0) */
} whet_batchnorm_attr;

typedef struct whet_batchnorm_train { /* BatchNormTrain, BatchNormGrad */
  float epsilon;
} whet_batchnorm_train;

#endif
