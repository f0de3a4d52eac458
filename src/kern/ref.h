/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_REF_H
#define WHET_KERN_REF_H

/* Family ref: not a computation of its own: the step runs an operator's naive reference. The runner knows the family
 * by its number and calls the operator's `ref` with tensors described in the parameters; the row's run is never
 * called. */

#include "kern/kern.h"

typedef struct whet_ref_tensor {
  uint8_t dtype;
  int8_t rank; /* -1: absent */
  int32_t val; /* value number, for quantisation and objects */
  int64_t dim[WHET_MAX_RANK], stride[WHET_MAX_RANK];
} whet_ref_tensor;

/* Followed by n_in + n_out whet_ref_tensor. */
typedef struct whet_ref_params {
  int32_t node;
  uint16_t n_in, n_out;
  uint64_t scratch;
} whet_ref_params;

#endif
