/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_TREES_H
#define WHET_OP_TREES_H

/* An ensemble of trees in the form in which it runs, and the form in which readers hand it over. */

#include "op/op.h"

enum { WHET_TREES_AVERAGE, WHET_TREES_SUM, WHET_TREES_MIN, WHET_TREES_MAX }; /* as TreeEnsemble 5 numbers them */

/* Inputs of the node: x, then constants: split F32 or F64 [n]; link S32 [n][3]: feature and flags, yes, no; root S32 [trees];
 * first S32 [leaves + 1]; target S32, weight F32 or F64 [...]; base F64 [targets].
 *
 * A row goes to yes where x[feature] <= split (< with STRICT), or is NaN and NAN is set. A leaf is its own yes and no, and its
 * "feature" is its number: its weights are entries first[number] .. first[number + 1]. Only the reader makes such nodes: it
 * has checked every number and that no walk goes in circles. */
enum { WHET_TREES_X, WHET_TREES_SPLIT, WHET_TREES_LINK, WHET_TREES_ROOT, WHET_TREES_FIRST, WHET_TREES_TARGET, WHET_TREES_WEIGHT,
       WHET_TREES_BASE, WHET_TREES_INPUTS };
#define WHET_TREES_NAN UINT32_C(0x80000000)
#define WHET_TREES_STRICT UINT32_C(0x40000000)
#define WHET_TREES_FEATURE UINT32_C(0x3fffffff)

typedef struct whet_trees {
  int32_t n, trees, targets, features; /* nodes; features: at least so many are looked at */
  int32_t aggregate;                   /* WHET_TREES_ */
  int32_t out;                         /* element type of the scores; NONE: that of x */
  bool single;                         /* one target, and no leaf has two weights */
} whet_trees;

/* A branch as a file has it. Children: number of a branch, or ~ number of a leaf. */
typedef enum whet_tree_mode {
  WHET_TREE_LEQ,
  WHET_TREE_LT,
  WHET_TREE_GTE,
  WHET_TREE_GT,
  WHET_TREE_EQ,
  WHET_TREE_NEQ,
  WHET_TREE_MEMBER
} whet_tree_mode;
typedef struct whet_branch_in {
  uint8_t mode, missing; /* missing: NaN is true */
  int32_t feature, yes, no;
  int32_t member, members; /* MEMBER: the set, in `set` */
  double split;
} whet_branch_in;

typedef struct whet_trees_in {
  const whet_branch_in *branch;
  int32_t branches, leaves, trees;
  const int32_t *root; /* branch, or ~ leaf */
  const double *set;
  bool wide; /* splits and weights are F64 */
  int32_t targets;
  /* Weights in any order: leaf, target, weight; base: `targets` of them or NULL. */
  const int32_t *leaf, *target;
  const double *weight, *base;
  int32_t weights;
} whet_trees_in;

/* Append the node that makes `scores` from x. E_FORMAT: a branch has two parents or is its own, a number is out of range. */
whet_status whet__im_trees(whet_import *im, const whet_trees_in *t, int32_t aggregate, whet_dtype out, int32_t x, int32_t scores);

/* Rows of the record, which reads what trees_read.c knows. */
extern const whet_from whet__trees_from[];

#endif
