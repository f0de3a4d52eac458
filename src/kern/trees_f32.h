/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_TREES_F32_H
#define WHET_KERN_TREES_F32_H

/* Family trees_f32: sums of what an ensemble of decision trees says of each row.
 *
 *   x [rows][features] -> y [rows][targets] = f32(sum over trees of the weights of the leaf that the row falls into * scale
 *   + base), trees in ascending order, sums in f64
 *
 * A row goes from node to `yes` where x[feature] <= v, or where that is NaN and the node says so, else to `no`. A leaf is its
 * own yes and no. With `single`, its weight for target 0 is v; else the bits of v are the leaf's number, whose weights are
 * entries first[number] to first[number + 1] of target and weight.
 *
 * Arguments: [0] x, [1] trees (packed: roots, then nodes), [2] first, [3] target, [4] weight (f32), [5] base (f64) or NULL,
 * [6] y, [7] scratch. All dense. Exact. */

#include "kern/kern.h"

typedef struct whet_tree_node {
  float v;
  uint32_t feature; /* top bit: NaN goes to yes */
  int32_t yes, no;  /* numbers of nodes */
} whet_tree_node;
#define WHET_TREE_NAN UINT32_C(0x80000000)

typedef struct whet_trees_f32 {
  int64_t rows, features;
  int32_t trees, targets;
  double scale;
  uint8_t single;
} whet_trees_f32;

/* Where the nodes stand in the packed form, whose roots (numbers of nodes, int32_t) come first. */
static inline size_t whet__tree_nodes_at(int32_t trees) { return whet__round_up((size_t)trees * sizeof(int32_t), 16); }

#endif
