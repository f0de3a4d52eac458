/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_PLAN_COST_H
#define WHET_PLAN_COST_H

/* What nodes and plans cost. */

#include "ir/infer.h"

/* Multiply-adds of one node for the shapes in the environment; 0 for operators that are not made of them. */
int64_t whet__node_macs(const whet_env *e, const whet_node *n);

#endif
