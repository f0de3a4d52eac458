/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_EDIT_H
#define WHET_OP_EDIT_H

/* Changing a graph: what passes, `permute` and `grad` hooks use. A whet_edit knows where new nodes go. Refused memory
 * is remembered: calls after it do nothing, and the pass that owns the edit fails. */

#include "op/op.h"

whet_graph *whet__ed_graph(whet_edit *e);
whet_err *whet__ed_err(whet_edit *e);
/* A node's attribute struct, copied first so that it may be changed. NULL when memory is refused. */
void *whet__ed_attr(whet_edit *e, int32_t node);
/* New value of a type and shape (shape NULL: unknown); quantisation NULL. */
int32_t whet__ed_val(whet_edit *e, const char *suffix, whet_dtype t, const whet_shape *s);
/* New value just like v but without contents. */
int32_t whet__ed_like(whet_edit *e, int32_t v);
int32_t whet__ed_const(whet_edit *e, whet_dtype t, int32_t rank, const int64_t *dims, const void *p);
/* New node at the edit's place; its number, -1 when memory is refused. attr is copied. */
int32_t whet__ed_node(whet_edit *e, const whet_op *op, const void *attr, const int32_t *in, int n_in,
                      const int32_t *out, int n_out);
/* A constant with the dimensions of constant v turned by perm (its bytes are copied in the new order); v itself when
 * perm is the identity or v is -1. */
int32_t whet__ed_permuted_const(whet_edit *e, int32_t v, const int8_t *perm, int rank);
/* A scalar or vector constant's contents; NULL when v is no constant of that class. *n elements. */
const int64_t *whet__ed_ints(whet_edit *e, int32_t v, int32_t *n);
/* Where axis `axis` of the old order stands in the new one. */
static inline int32_t whet__perm_axis(const int8_t *perm, int rank, int32_t axis) {
  for (int i = 0; i < rank; i++)
    if (perm[i] == axis) return i;
  return axis;
}

#endif
