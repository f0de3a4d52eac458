/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_MOVE_ATTR_H
#define WHET_OP_MOVE_ATTR_H

/* Attributes of the operators that move elements, for those who build such nodes: readers of other operators, passes,
 * writers. The operators' files say what each means. */

#include "op/op.h"

typedef struct whet_reshape {
  uint8_t allowzero; /* 0 in the shape list means a dimension of size 0 */
} whet_reshape;

typedef struct whet_squeeze { /* Squeeze, Unsqueeze */
  whet_ints axes;             /* may be negative; n 0: none given, or the second input */
} whet_squeeze;

typedef struct whet_transpose {
  whet_ints perm; /* n 0: reversed, or the second input */
} whet_transpose;

typedef struct whet_concat {
  int32_t axis; /* may be negative */
} whet_concat;

typedef struct whet_split {
  int32_t axis;    /* may be negative */
  uint8_t uneven;  /* without sizes: parts of the rounded-up size, the last one smaller; else equal parts */
  whet_ints sizes; /* n 0: none given, or the second input */
} whet_split;

typedef struct whet_slice {
  uint8_t sizes; /* the third input holds sizes (-1: the rest) instead of ends */
} whet_slice;

typedef struct whet_gather {
  int32_t axis;       /* may be negative */
  int32_t batch_dims; /* leading dimensions that data and indices share; may be negative */
  uint8_t wrap;       /* negative indices count from the end; else they are refused */
} whet_gather;

typedef struct whet_blocks { /* DepthToSpace, SpaceToDepth */
  int32_t size;
  uint8_t crd;  /* a channel's block is innermost; else the channel is */
  uint8_t last; /* channels are the last dimension; else dimension 1 */
} whet_blocks;

typedef struct whet_scatter { /* ScatterElements, ScatterND */
  int32_t axis;               /* ScatterElements; may be negative */
  uint8_t how;                /* whet_acc */
  uint8_t wrap;               /* negative indices count from the end; else they are refused */
} whet_scatter;

/* Append Shape: all dimensions of value v as int64 into value `out`. */
whet_status whet__im_shape_of(whet_import *im, int32_t v, int32_t out);

/* The same in an edit, "Shape" or "Size"; the new value, -1 when memory is refused. */
int32_t whet__ed_shape_of(whet_edit *e, const char *name, int32_t v);

/* Append Unsqueeze or Squeeze (`name`) of value v at one axis, into value `out` (-1: a new one). That value, or -1
 * when it failed (recorded). */
int32_t whet__im_squeeze(whet_import *im, const char *name, int32_t v, int64_t axis, int32_t out);

/* Append what makes one vector of int64 of `n` inputs from number `first` on, numbers of rank 0. The vector, or -1 when
 * it failed (recorded). */
int32_t whet__im_join_scalars(whet_import *im, int first, int n);

#endif
