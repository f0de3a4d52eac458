/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_POOL_H
#define WHET_OP_POOL_H

/* What pooling operators and their quantised meaning share: attributes and sizes. */

#include "op/op.h"

enum { WHET_POOL_PADS, WHET_POOL_SAME_UPPER, WHET_POOL_SAME_LOWER, WHET_POOL_VALID };

typedef struct whet_pool_attr {
  whet_ints kernel, strides, dilations; /* for each spatial dimension; strides and dilations n 0: ones */
  whet_ints pads;                       /* all begins, then all ends; n 0: none. Only for WHET_POOL_PADS */
  int32_t p;                            /* LpPool: the exponent */
  uint8_t pad_mode;                     /* WHET_POOL_ */
  bool last;                            /* channels are the last dimension; else dimension 1 */
  bool global;                          /* the window is everything; kernel is empty */
  bool ceil;                            /* outputs are counted up, not down */
  bool count_pads;                      /* AveragePool: padding counts among the elements */
  bool mean;                            /* LpPool: the mean of the powers instead of their sum (TFLite L2_POOL_2D) */
  bool columns;                         /* MaxPool: indices count the spatial dimensions in reverse */
} whet_pool_attr;

extern const whet_attr_desc whet__pool_attrs[];

/* Gradient hook: pool_grad.c. */
whet_status whet__pool_grad(whet_edit *e, int32_t node);

/* Sizes of one call; spatial dimensions stand at the end of the arrays of three, missing ones are of size 1. in, out,
 * batch and chan may be symbols or ANY while a program is made. */
typedef struct whet_pool_geo {
  int32_t n; /* spatial dimensions */
  whet_dim batch, chan, in[3], out[3];
  int64_t kernel[3], stride[3], dilation[3], pad[3], pad_end[3];
} whet_pool_geo;

enum { WHET_POOL_WHY = 200 };
/* Sizes of pooling x, whose rank is known; false when they do not fit: `why` then says so. */
bool whet__pool_geo(const whet_pool_attr *a, const whet_shape *x, whet_pool_geo *g, char why[WHET_POOL_WHY]);
/* The same for a planned node, and for a reference: shapes have passed infer. */
whet_pool_geo whet__pl_pool_geo(const whet_planner *p, const whet_node *n);
whet_pool_geo whet__ref_pool_geo(const whet_args *a);

/* Window positions of output o along dimension d that lie inside the input: o*stride - pad + k*dilation for k in
 * [*from, *to). */
void whet__pool_window(const whet_pool_geo *g, int d, int64_t o, int64_t *from, int64_t *to);

/* Quantised meaning, input of 8 or 16 bits with a scale: pool_q8.c. */
whet_status whet__pool_q8_plan(whet_planner *p, const whet_node *n);
whet_status whet__pool_q8_ref(const whet_args *a);

#endif
