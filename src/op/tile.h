/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_TILE_H
#define WHET_OP_TILE_H

/* Tile epilogues: the pointwise nodes that a group's leader (an operator with WHET_OP_TILE) does to its results
 * before it stores them. The planner matches the chain; the leader's plan hook turns it into the kernel's parameters.
 */

#include "kern/epilogue.h"
#include "op/op.h"

/* The f32 epilogue of node n, the pointwise members of its group that follow it. *res receives the value that ADD or
 * MUL reads, or -1. The group was matched so that this cannot fail. */
void whet__pl_epi_f32(const whet_planner *p, const whet_node *n, whet_epi_f32 *epi, int32_t *res);

/* Can the step of a float Conv do the MaxPool that alone uses its result, too, and should it (op/conv_pool.c)? It is then
 * the last member of the group, and whet__pl_epi_f32 stops before it. */
bool whet__conv_takes_pool(const whet_planner *p, const whet_node *conv, const whet_node *pool);
/* Can, and should, one step do float Conv `conv` and Conv `next`, which alone uses what becomes of its result
 * (op/conv_chain.c)? Convolutions in the group that n leads; *res: one of them adds another tensor. */
bool whet__conv_takes_conv(const whet_planner *p, const whet_node *conv, const whet_node *next);
int whet__conv_stages(const whet_planner *p, const whet_node *n, bool *res);

/* 8-bit: the table of 256 bytes to which the members after the first amount, a chain or branches that join again,
 * computed by their references for every stored value. Answers false when the group is the leader alone. */
enum { WHET_BYTES_MAX = 24, WHET_BYTES_IN = 8 }; /* members at most, inputs of one */
bool whet__pl_epi_table(whet_planner *p, const whet_node *n, uint8_t table[256]);

/* What unary node n is as a micro-operation on f32: false when it is none (op/unary.c and the like answer it). */
bool whet__micro_f32(const whet_graph *g, const whet_node *n, uint8_t *op, float *a, float *b);

#endif
