/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMPAT_TFLITE_NODE_H
#define COMPAT_TFLITE_NODE_H

/* What the functions of the caller's own operators see: one node, and a context whose graph is that node. Its tensors
 * have numbers: inputs, then outputs, then those that AddTensor made. */

#include "shim.h"
#include "tensorflow/lite/c/c_api_opaque.h"

/* A node's tensors of its own, which live as long as its state. */
typedef struct node_state {
  void *own;      /* what the caller's init has answered */
  whet_info *out; /* what the file says of the outputs */
  port **temp;    /* made by AddTensor; their memory is theirs */
  size_t n_temp;
  int *list; /* TfLiteOpaqueNodeSetTemporaries */
  int n_list;
} node_state;
void node_state_free(node_state *s);

/* A node during one call. */
struct TfLiteOpaqueNode {
  node_state *state;
  const void *options;
  size_t n_options;
  port *in, *out;
  int n_in, n_out;
  int *number; /* of inputs, -1: absent; then of outputs */
};

/* One call of a registration's function. */
struct TfLiteOpaqueContext {
  whet_custom_ctx *c;
  bool running; /* outputs get their memory when they are resized */
  struct TfLiteOpaqueNode *node;
  node_state *state;
  const TfLiteRegistrationExternal *op;
};

/* Say what output p is; in a run its memory comes with the answer. */
whet_status node_tell(whet_custom_ctx *c, port *p, bool running);

#endif
