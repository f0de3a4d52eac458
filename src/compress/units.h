/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_COMPRESS_UNITS_H
#define WHET_COMPRESS_UNITS_H

/* Which channels of a graph live and die together.
 *
 * Channels stand last in every value. Each position of a value's last dimension is a unit; what a residual, a concat, a
 * depthwise convolution or a flattening joins is one unit. A unit that an operator needs as it is (inputs and outputs of the
 * model, softmax, whatever is not known here) is fixed. */

#include "ir/infer.h"

typedef struct whet_units {
  const whet_graph *g;
  whet_arena *a;
  int32_t *parent; /* union-find */
  uint8_t *fixed;  /* by unit; counts for all that are joined with it */
  size_t n, cap;
  int32_t **of;    /* by value: the units of its last dimension; NULL: it has none, or is constant */
  int32_t *count;  /* by value: how many */
  int8_t *axis;    /* by value: where they stand; -1: last, as everywhere but behind a Transpose */
  int32_t n_val;   /* values that there were */
  bool full;       /* memory was refused */
} whet_units;

/* The units of a prepared graph (whet__export_layers, or whet__export_prepare for TFLite), whose values tell their shapes. False when memory is
 * refused. */
bool whet__units_of(const whet_graph *g, whet_arena *a, whet_units *out);
/* The unit that stands for all that are joined with u. */
int32_t whet__unit_root(whet_units *u, int32_t unit);
bool whet__unit_fixed(whet_units *u, int32_t unit);

/* A product of which output channels may be cut: Conv without groups, or Dense. */
bool whet__cuts_outputs(const whet_graph *g, const whet_node *n);
/* Convolution whose channels stay apart. */
bool whet__is_depthwise(const whet_graph *g, const whet_node *n);
/* A batch norm with constant statistics whose channels are last. */
bool whet__is_norm(const whet_graph *g, const whet_node *n);

#endif
