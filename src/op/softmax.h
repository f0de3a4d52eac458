/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_SOFTMAX_H
#define WHET_OP_SOFTMAX_H

/* What the softmax operators and their quantised meaning share. */

#include "op/op.h"

typedef struct whet_softmax_attr {
  int64_t axis; /* negative: from the back */
  bool flat;    /* all dimensions from `axis` on are one (ONNX before 13) */
  float beta;   /* x is multiplied by it first */
} whet_softmax_attr;

/* Quantised meaning, input of 8 or 16 bits with a scale: softmax_q8.c. */
whet_status whet__softmax_q8_plan(whet_planner *p, const whet_node *n);
whet_status whet__softmax_q8_ref(const whet_args *a);

/* The same over real numbers, whatever the types are; how results are rounded to quantised ones says the node. */
void whet__softmax_real(const whet_args *a);

#endif
