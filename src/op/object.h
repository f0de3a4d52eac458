/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_OBJECT_H
#define WHET_OP_OBJECT_H

/* Sequences, maps, optionals and strings: what the `late` hook of an operator with WHET_OP_OBJECT calls. Such operators
 * have no plan and no ref; they run when their inputs are there. Values of other kinds than tensors are counted
 * whet_values; string tensors are arrays of whet_str whose characters live until the end of the run. */

#include "op/op.h"
#include "whet/value.h"

/* Input i as a value: borrowed; NULL when it is absent or a tensor. */
whet_value *whet__object_in(const whet_args *a, int i);
/* Give output o: takes the caller's reference. E_MEMORY when it cannot be kept. */
WHET_MUST whet_status whet__object_out(const whet_args *a, int o, whet_value *v);
/* n characters that live until the end of the run; NULL when refused (err is set). */
char *whet__late_bytes(const whet_args *a, size_t n);
/* A new value with a copy of a tensor (strings too); NULL when refused (err is set). */
whet_value *whet__object_from_tensor(const whet_args *a, const whet_tensor *t);
/* The same with a part: dimensions and strides of t, element `from` being its first. */
whet_value *whet__object_from_part(const whet_args *a, const whet_tensor *t, int64_t from);
/* A new sequence, optional (n 0 or 1) or map (keys, values) of n items, which are taken over even on failure; NULL when
 * refused (err is set). */
whet_value *whet__object_holder(const whet_args *a, whet_kind kind, whet_value **item, size_t n);
/* Input i, a sequence, to be changed: itself when this node is the last to see it, else a copy that shares the items. A
 * reference for the caller, who gives it to whet__object_out. NULL when refused (err is set). */
whet_value *whet__object_own(const whet_args *a, int i);
/* Put an item (taken over even on failure) before item `at` of such a sequence; take item `at` out. */
WHET_MUST whet_status whet__object_insert(const whet_args *a, whet_value *seq, size_t at, whet_value *item);
void whet__object_erase(whet_value *seq, size_t at);
/* Make tensor output o a copy of a tensor value. */
WHET_MUST whet_status whet__object_to_tensor(const whet_args *a, int o, const whet_value *v);

/* In a shape rule: can input i be a sequence? What an optional holds is known in a run only: until then it passes. */
static inline bool whet__in_sequence(const whet_infer *f, int i) {
  whet_kind k = whet__in_kind(f, i);
  return whet__in_has(f, i) && (k == WHET_SEQUENCE || (k == WHET_TENSOR && whet__in_shape(f, i)->rank < 0));
}
/* In a shape rule: input i where it is there and no tensor; else NULL. */
const whet_value *whet__in_object(const whet_infer *f, int i);

#endif
