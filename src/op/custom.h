/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_CUSTOM_H
#define WHET_OP_CUSTOM_H

/* Attributes of the operator Custom: one node of the caller's own operator (whet/custom.h), as the readers leave it.
 */

#include "op/op.h"
#include "whet/custom.h"

/* One attribute of an ONNX node, by name. */
typedef struct whet_custom_item {
  const char *name;
  uint8_t kind; /* WHET_ATTR_I64, F32, STR, I64S, F32S, STRS; WHET_CUSTOM_TENSOR */
  int64_t i;
  float f;
  whet_str s;
  whet_ints ints;
  whet_floats floats;
  whet_strs strs;
  whet_dtype dtype; /* of a tensor */
  whet_shape shape;
  const void *data;
} whet_custom_item;
enum { WHET_CUSTOM_TENSOR = 0xfe };

typedef struct whet_custom_attr {
  const whet_custom_op *op; /* outlives the model */
  const whet_custom_item *item;
  int32_t n_item;
  whet_str options; /* TFLite: custom_options; else empty */
  void *state;      /* of this node in a program */
  bool made;        /* this struct is a program's own, and its state is to be let go */
} whet_custom_attr;

/* Make the state of a node (attr->state). */
WHET_MUST whet_status whet__custom_create(const whet_graph *g, const whet_node *n, whet_custom_attr *attr, whet_err *err);

#endif
