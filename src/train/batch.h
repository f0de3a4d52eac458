/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TRAIN_BATCH_H
#define WHET_TRAIN_BATCH_H

/* Batches: items in a shuffled order, read and augmented on all threads. What is drawn depends on the seed, the epoch and the
 * item's place in it alone. */

#include "base/pool.h"
#include "train/train.h"

typedef struct whet_batcher whet_batcher;

/* feed: how an item becomes a tensor; numbers: floats of a target (one-hot classes, or numbers as they are). */
WHET_MUST whet_status whet__batcher_open(const whet_set *s, const whet_feed *feed, int64_t batch, int64_t numbers, const whet_train_opts *o,
                                         whet_mem *m, whet_batcher **out, whet_err *err);
void whet__batcher_close(whet_batcher **b);
/* Batches in an epoch; what is left over at its end is left out. */
int64_t whet__batcher_count(const whet_batcher *b);
/* Batch number `at` of an epoch. x [batch][item], target [batch][numbers], label [batch] (-1: none). width: threads at most. */
WHET_MUST whet_status whet__batcher_get(whet_batcher *b, int width, int32_t epoch, int64_t at, float *x, float *target, int32_t *label,
                                        whet_err *err);
/* Which item of the set stands at place i of the last batch. */
int64_t whet__batcher_item(const whet_batcher *b, int64_t i);

/* Augment one tensor in place; tmp: as many floats. key: of this item in this epoch. */
void whet__augment(const whet_augment *a, whet_item_kind kind, const whet_feed *f, float *x, float *tmp, uint64_t seed, uint64_t key);
/* A number of Beta(a, a). */
float whet__mix_share(float a, uint64_t seed, uint64_t key);

/* What numbers are drawn for: streams of the generator. */
enum { WHET_DRAW_ORDER = 1, WHET_DRAW_PICTURE, WHET_DRAW_NOISE, WHET_DRAW_MIX, WHET_DRAW_WEIGHTS };

#endif
