/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_FORMAT_TFLITE_H
#define WHET_FORMAT_TFLITE_H

/* Inside the TFLite reader: what tensors of a subgraph are, and a subgraph that is being read. */

#include "format/import.h"

/* Per subgraph. */
struct whet_tf_tensors {
  int32_t base;    /* source number of tensor 0 */
  int32_t base_op; /* source number of operator 0 */
  int32_t *shared; /* by tensor: value of a constant or variable, made once for all copies; -1: not yet */
};

/* One copy of a subgraph while it is read; lives on the stack. */
struct whet_tf_scope {
  struct whet_tf_scope *up; /* the subgraph that calls this one */
  const whet_tf_subgraph *g;
  int32_t index; /* of the subgraph */
  int32_t *val;  /* by tensor: its value in this copy; -1: not yet */
  whet_region *region;
};

/* How a subgraph is read. */
struct whet_tf_use {
  int64_t index;            /* of the subgraph */
  struct whet_tf_scope *up; /* the subgraph that uses it; NULL: it is an entry */
  whet_region *region;      /* where its nodes go; its inputs and outputs are set unless it is inlined */
  whet_role role;           /* of inputs that become values of their own */
  const int32_t *args;      /* values for its inputs, n_args of them; NULL: they become values of their own */
  int32_t n_args;
  const int32_t *outs; /* inlined: values that its outputs become, n_outs of them; NULL: not inlined */
  int32_t n_outs;
};
WHET_MUST whet_status whet__tf_subgraph(whet_import *im, const struct whet_tf_use *u, whet_err *err);

/* Signatures of a subgraph that was just read as an entry. */
WHET_MUST whet_status whet__tf_signatures(whet_import *im, struct whet_tf_scope *s, whet_err *err);

#endif
