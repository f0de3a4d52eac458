/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_REDUCE_WINDOW_H
#define WHET_OP_REDUCE_WINDOW_H

/* Attributes of ReduceWindow; reductions whose body is a subgraph, as StableHLO gives them. */

#include "op/op.h"

enum {
  WHET_WINDOW_ADD,
  WHET_WINDOW_MUL,
  WHET_WINDOW_MIN,
  WHET_WINDOW_MAX,
  WHET_WINDOW_ALL,
  WHET_WINDOW_ANY,
  WHET_WINDOW_NEXT /* the second input: of scatters only */
};

typedef struct whet_reduce_window {
  int32_t kind;                            /* WHET_WINDOW_ */
  whet_ints size, stride, dilation, base;  /* for each dimension; n 0 (but of size): ones */
  whet_ints pads;                          /* before and after, for each dimension; n 0: none */
} whet_reduce_window;

/* The reduction, WHET_WINDOW_, that subgraph `index` is: one binary operator on its two inputs; or (`next`) its second
 * input. Anything else: -1 with `any`, else E_UNSUPPORTED. The subgraph is read and thrown away. */
whet_status whet__im_reduction(whet_import *im, int64_t index, bool next, bool any, int *kind);

#endif
