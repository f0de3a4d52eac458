/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TRAIN_LAYERS_H
#define WHET_TRAIN_LAYERS_H

/* Models from lists of layers, channels last, weights drawn from a seed (He's normal numbers before a Relu, else Glorot's
 * uniform ones). */

#include "format/model.h"
#include "whet/train.h"

typedef enum whet_layer_kind {
  WHET_LAYER_DENSE,      /* units */
  WHET_LAYER_CONV,       /* units: channels; kernel, stride; padding keeps the size */
  WHET_LAYER_DEPTHWISE,  /* kernel, stride */
  WHET_LAYER_MAX_POOL,   /* kernel, stride (0: as the kernel) */
  WHET_LAYER_MEAN_POOL,  /* the same; kernel 0: over the whole picture, which then is gone */
  WHET_LAYER_FLATTEN,
  WHET_LAYER_RESIDUAL,   /* inner layers, then their input is added, through a convolution of 1x1 where the shapes differ */
  WHET_LAYER_LSTM,       /* units; over rows of the input; the last state remains */
  WHET_LAYER_GRU,
  WHET_LAYER_NORM,       /* layer norm over the last dimension */
  WHET_LAYER_ACTIVATION
} whet_layer_kind;

typedef struct whet_layer {
  whet_layer_kind kind;
  int64_t units, kernel[2], stride;
  bool norm;              /* batch norm after the products, before the activation */
  const char *activation; /* "relu", "relu6", "sigmoid", "tanh", "softmax", "gelu", "hard_swish", "swish", "elu"; NULL: none */
  const struct whet_layer *inner;
  int n_inner;
  const char *where; /* for messages: "recipe.yaml:12" */
} whet_layer;

/* dims: shape of an item. *out is a model of one input "input" [batch, ...] and one output "output". */
WHET_MUST whet_status whet__layers_build(const whet_layer *layer, int n, int32_t rank, const int64_t *dims, uint64_t seed, whet_model **out,
                                         whet_err *err);
/* Read a line of layers; see whet_model_layers. They live in a. */
WHET_MUST whet_status whet__layers_read(const char *text, whet_arena *a, int32_t *rank, int64_t size[WHET_MAX_RANK], whet_layer **out, int *n,
                                        whet_err *err);
/* Is there such an activation? */
bool whet__layer_activation(const char *name);

#endif
