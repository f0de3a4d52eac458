/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_RUN_ROUNDS_H
#define WHET_RUN_ROUNDS_H

/* What loops whose rounds are planned one by one share: carried values and stacked outputs. */

#include "run/late.h"

/* A value carried from round to round, in memory of its own once the first round is over. */
typedef struct whet_carried {
  whet_dtype t;
  whet_shape shape;
  void *data, *own;
  whet_kind kind; /* other than tensors: data and own are whet_values, own a reference */
} whet_carried;

/* Take value v as it lies now; hold: with a reference of its own, if it is no tensor, since the value must stay as it
 * is. */
whet_carried whet__carried_take(whet_session *s, int32_t v);
whet_carried whet__carried_hold(whet_session *s, int32_t v);
/* The n values v, which the round that ends now has made, are those of the next round. */
WHET_MUST whet_status whet__carried_next(whet_session *s, whet_carried *c, int n, const int32_t *v, whet_err *err);

/* A copy that brings a value to where its next round reads it; via: memory between, when what it reads is overwritten
 * by another. */
typedef struct whet_move {
  const void *from;
  void *to, *via;
  size_t bytes;
} whet_move;
/* Give every carried value a place of its own that it keeps (one that no round changes, out[i] being in[i], stays
 * where it is). LATE when one of them is no plain tensor. */
WHET_MUST whet_status whet__carried_settle(whet_session *s, whet_carried *c, int n, const int32_t *in,
                                           const int32_t *out, whet_err *err);
/* The moves to those places from where a planned round leaves the values `out`: *move has n_move of them. LATE when
 * types or shapes are others than before the round. */
WHET_MUST whet_status whet__carried_moves(whet_session *s, const whet_carried *c, int n, const int32_t *out,
                                          whet_move **move, int *n_move, whet_err *err);
void whet__carried_move(const whet_move *move, int n);

/* Tell the run that value v is that. */
void whet__carried_set(whet_session *s, int32_t v, const whet_carried *c);
/* Let go of what it owns. */
void whet__carried_drop(whet_session *s, whet_carried *c);

/* Rounds laid one after another. */
typedef struct whet_stack {
  whet_dtype t;
  whet_shape shape; /* of one round */
  char *data;
  size_t n, cap; /* bytes */
  int64_t rounds;
} whet_stack;

/* Add value v. E_SHAPE when it has changed its shape. */
WHET_MUST whet_status whet__stack_add(whet_session *s, whet_stack *c, int32_t v, whet_err *err);
/* Make value v the stacked rounds along a new dimension `axis`, last round first if `reverse`; `one` is the body's
 * output, whose declared shape counts when there was no round. */
WHET_MUST whet_status whet__stack_end(whet_session *s, whet_stack *c, int32_t v, int32_t one, int64_t axis,
                                      bool reverse, whet_err *err);

/* Is it time to stop for a reason outside the model? */
whet_status whet__round_pause(const whet_run *r);
/* The first element of v is not 0. */
bool whet__round_truth(whet_session *s, int32_t v);
/* Bytes of a dense tensor. */
size_t whet__round_bytes(whet_dtype t, const whet_shape *s);

#endif
