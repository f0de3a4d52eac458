/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_KEYS_H
#define WHET_OP_KEYS_H

/* Tables from values that a model lists to their places in the list: categories, labels, vocabularies. Built once while
 * reading, in the graph's arena. */

#include "op/op.h"

/* What may be a key: whole numbers, real numbers, text. */
typedef enum whet_key_class { WHET_KEY_INT, WHET_KEY_REAL, WHET_KEY_TEXT, WHET_KEY_NONE } whet_key_class;
whet_key_class whet__key_class(whet_dtype t);

typedef struct whet_keys {
  whet_key_class class;
  int32_t n;
  const void *key;      /* int64_t, double or whet_str */
  uint32_t *slot;       /* open addressing: place + 1, 0 free */
  uint32_t mask;
} whet_keys;

/* The table of n keys (borrowed: they live in the arena too). The first of equal ones counts; a NaN equals a NaN. NULL when
 * memory is refused. */
const whet_keys *whet__keys_new(whet_arena *a, whet_key_class c, const void *key, int32_t n);
/* The same for keys that are added one by one, cap of them at most: room, then key number n once it is written (a number
 * that is skipped is no key). put: false when an equal one is there. */
whet_keys *whet__keys_room(whet_arena *a, whet_key_class c, const void *key, int32_t cap);
bool whet__keys_put(whet_keys *k, int32_t n);
/* From floats; from a tensor of any type that has a class (dense, aligned). */
const whet_keys *whet__keys_of_floats(whet_arena *a, whet_floats v);
const whet_keys *whet__keys_of_tensor(whet_arena *a, whet_dtype t, const void *p, int32_t n);
/* The place of a key, or -1. */
int32_t whet__keys_int(const whet_keys *k, int64_t v);
int32_t whet__keys_real(const whet_keys *k, double v);
int32_t whet__keys_text(const whet_keys *k, whet_str v);
/* The place of element i of an array of a type of the table's class. */
int32_t whet__keys_find(const whet_keys *k, whet_dtype t, const void *p, int64_t i);

#endif
