/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_IR_INFER_H
#define WHET_IR_INFER_H

/* Running the operators' shape rules: on symbols when a program is made, on numbers for each plan, on real data for
 * sizes that only data tell. */

#include "ir/graph.h"
#include "op/op.h"

/* What is known of every value of a graph. Arrays are indexed by value number. */
typedef struct whet_env {
  const whet_graph *g;
  whet_shape *shape;
  uint8_t *dtype, *kind;
  const whet_dim **known; /* contents of small integer tensors, or NULL */
  int32_t *n_known;
  const void **data; /* bytes, or the whet_value of another kind than tensor; NULL: not there */
  uint8_t *have;     /* the value's shape has been told */
  whet_arena *arena; /* where contents are kept */
  bool numbers;      /* every free dimension is a number: a shape with ANY in it is a size that data tell */
  whet_err *err;
} whet_env;

/* Arrays from a (which must outlive the env), filled from the graph: constants with data, inputs as declared. False
 * when memory is refused. */
bool whet__env_init(whet_env *e, const whet_graph *g, whet_arena *a, whet_err *err);
/* Tell one value: its shape and, if data is not NULL, its bytes. Forgets what was known of its contents. */
void whet__env_set(whet_env *e, int32_t v, whet_dtype t, const whet_shape *s, const void *data);
/* The rule of one node. OK, WHET_LATE (an output's shape is not known, and is set to rank -1 or holds ANY), or
 * failure. */
whet_status whet__env_node(whet_env *e, const whet_node *n);
/* All nodes of a region. *late (may be NULL) receives the position of the first node that answered LATE, or n_node;
 * with `stop` the walk ends there. */
whet_status whet__env_region(whet_env *e, const whet_region *r, bool stop, int32_t *late);
/* Contents of v as dimensions, from `known` or from data; NULL if not known. */
const whet_dim *whet__env_known(whet_env *e, int32_t v, int32_t *n);
/* Shape of v is numbers only. */
static inline bool whet__env_fixed(const whet_env *e, int32_t v) { return whet__shape_count(&e->shape[v]) >= 0; }

#endif
