/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_CONTROL_H
#define WHET_OP_CONTROL_H

/* Operators that run bodies. What the planner and the runner need to know of each:
 *
 *   If(cond)                    body 0 where cond is true, else body 1; bodies take nothing and make the outputs.
 *   Loop(trips?, cond?, c...)   body(i, cond, c...) -> (cond, c..., e...): outputs the last c..., then every e
 * stacked along a new dimension 0. It runs while i < trips (absent: no bound) and cond (absent: true). While(c...)
 * body 0 (c...) -> cond; body 1 (c...) -> c...; outputs the last c.... Scan(s..., x...)            body(s...,
 * x[t]...) -> (s..., e...): see whet_scan. CallOnce()                  body 0 the first time that a session runs it,
 * and never again until it is reset. SequenceMap(s, a...) body(s[k], a[k] or a...) -> (e...): as many rounds as sequence
 * s has items; inputs that are sequences of that length give an item each, others are the same in every round; each
 * output is the sequence of what the rounds made.
 *
 * i and trips are S64 scalars (trips may have shape [1]), conditions one BOOL. Bodies also use values of the regions
 * around them. */

#include "op/op.h"

typedef struct whet_scan {
  int32_t n_scan;        /* how many of the inputs are cut into slices: the last ones */
  uint8_t batch;         /* opset 8: input 0 is sequence lengths or absent, dimension 0 of everything is a batch whose
                            items run on their own, and sequences lie along dimension 1 */
  whet_ints in_axis;     /* of each scanned input; n 0: all 0; may be negative */
  whet_ints in_reverse;  /* not 0: slices from last to first; n 0: none */
  whet_ints out_axis;    /* where slices of each stacked output are put; n 0: all 0; may be negative */
  whet_ints out_reverse; /* not 0: the first slice made comes last; n 0: none */
} whet_scan;

/* Entry k of a list that may be empty. */
static inline int64_t whet__scan_entry(whet_ints l, int32_t k) { return k < l.n ? l.v[k] : 0; }

#endif
