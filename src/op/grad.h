/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_GRAD_H
#define WHET_OP_GRAD_H

/* What `grad` hooks call. A hook is given a node whose outputs have gradients, some of them at least, and appends the nodes
 * that make those of its inputs, telling each by whet__grad_add:
 *
 *   static whet_status grad(whet_edit *e, int32_t node) {           // of Transpose
 *     ...
 *     whet__grad_add(e, in, whet__ed_call(e, "Transpose", &back, &g, 1, t));
 *     return WHET_OK;
 *   }
 *
 * Whoever differentiates (pass/gradient.c) walks the nodes from the result back, so that an output's gradient is complete
 * when its node's hook runs. A hook that adds nothing says that the gradient is zero. Refused memory is remembered by the
 * edit; a value number of -1 that stands for it may be handed on. */

#include "op/edit.h"

struct whet_matmul;

/* The gradient of value v as far as it is known; -1: nothing that is differentiated depends on v. */
int32_t whet__grad_of(const whet_edit *e, int32_t v);
/* Is the gradient of v of use? (false for v -1) */
bool whet__grad_wants(const whet_edit *e, int32_t v);
/* Value g is a part of v's gradient: of its type and shape. Parts add up. */
void whet__grad_add(whet_edit *e, int32_t v, int32_t g);
/* Shape and type of a value of the graph as far as the rules can tell. */
const whet_shape *whet__ed_shape(const whet_edit *e, int32_t v);
whet_dtype whet__ed_dtype(const whet_edit *e, int32_t v);
/* Refuse: "no gradient of ..." with the node put in front. */
whet_status whet__grad_fail(whet_edit *e, int32_t node, const char *fmt, ...) WHET_PRINTF(3, 4);

/* Append a node with one output, a new value of type t; that value. attr NULL: none, or all 0. */
int32_t whet__ed_call(whet_edit *e, const char *op, const void *attr, const int32_t *in, int n_in, whet_dtype t);
/* A scalar constant. */
int32_t whet__ed_number(whet_edit *e, whet_dtype t, double v);

/* Add g, which is as `have` after v was broadcast to that shape, to v's gradient: summed over what was repeated. */
whet_status whet__grad_add_summed(whet_edit *e, int32_t node, int32_t v, int32_t g, const whet_shape *have);

/* The hook of operators whose output is input 0 under another shape, or as it is. */
whet_status whet__grad_view(whet_edit *e, int32_t node);

/* The parts of a and b of alpha a' b', which has the gradient g and the shape `have`. */
whet_status whet__grad_product(whet_edit *e, int32_t node, const struct whet_matmul *how, int32_t g, const whet_shape *have);

/* A letter of a formula and what it stands for: a value or, with v -1, a number. */
typedef struct whet_grad_name {
  char letter;
  int32_t v;
  double number;
} whet_grad_name;
/* Append the nodes of a formula over values of type t, which broadcast as numpy's do:
 *
 *   formula = sum [ ( "<" | ">" | "==" ) sum "?" formula ":" formula ]
 *   sum     = [ "-" ] product { ( "+" | "-" ) product }       product = factor { ( "*" | "/" ) factor }
 *   factor  = number | letter | "-" factor | "(" formula ")" | Operator "(" formula { "," formula } ")"
 *
 * What numbers alone decide is decided at once. The value; -1 when memory was refused or the text is at fault. */
int32_t whet__grad_formula(whet_edit *e, const char *text, const whet_grad_name *name, int n, whet_dtype t);

#endif
