/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_VALUE_H
#define WHET_VALUE_H

/* whet_value: one counted value: a tensor, a sequence, a map or an optional.
 *
 * Ownership: `create` functions return a value with one reference; whet_value_ref adds one, whet_value_unref drops one
 * and sets the caller's pointer to NULL. The last reference frees it. Reading from several threads is safe, writing
 * its contents while another thread uses it is not. A value outlives the session and the model that made it. */

#include "whet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct whet_value whet_value;

/* Called once when wrapped memory is no longer used. */
typedef void (*whet_free_fn)(void *user, void *data);

/* A new tensor, dense, row major, zeroed; STRING elements are empty. E_MEMORY, E_SHAPE (rank over WHET_MAX_RANK, a
 * negative dimension, a size that overflows). */
WHET_API whet_status whet_value_create(whet_dtype t, int32_t rank, const int64_t *dims, whet_value **out);

/* A tensor over the caller's memory: `bytes` must be at least the dense size (E_SHAPE), any alignment of the element
 * type. `free_fn` (may be NULL: then the caller keeps `data` alive) is called when the last reference goes. STRING
 * tensors cannot be wrapped. */
WHET_API whet_status whet_value_wrap(whet_dtype t, int32_t rank, const int64_t *dims, void *data, size_t bytes,
                                     whet_free_fn free_fn, void *user, whet_value **out);

/* A sequence of n values, a map of n keys and n values, an optional that holds one value or (NULL) none.
 * Items are referenced, not copied. Maps: keys is a tensor of rank 1 (S64 or STRING), values a tensor of rank 1 or a
 * sequence of the same length. */
WHET_API whet_status whet_value_create_sequence(whet_value *const *items, size_t n, whet_value **out);
WHET_API whet_status whet_value_create_map(whet_value *keys, whet_value *values, whet_value **out);
WHET_API whet_status whet_value_create_optional(whet_value *item, whet_value **out);

WHET_API whet_value *whet_value_ref(whet_value *v);
WHET_API void whet_value_unref(whet_value **v);

WHET_API whet_kind whet_value_kind(const whet_value *v);
/* Tensors: element type, rank, dimensions (as many as the rank), element count, bytes. Else NONE, 0, NULL, 0, 0. */
WHET_API whet_dtype whet_value_dtype(const whet_value *v);
WHET_API int32_t whet_value_rank(const whet_value *v);
WHET_API const int64_t *whet_value_dims(const whet_value *v);
WHET_API size_t whet_value_count(const whet_value *v);
WHET_API size_t whet_value_bytes(const whet_value *v);
/* Tensors: the elements; STRING tensors: an array of whet_str. Else NULL. Lives as long as the value. */
WHET_API void *whet_value_data(whet_value *v);
WHET_API const void *whet_value_const_data(const whet_value *v);

/* STRING tensors: copy n bytes into element i. E_MISUSE for other values or an index past the end. */
WHET_API whet_status whet_value_set_string(whet_value *v, size_t i, const char *p, size_t n);

/* Sequences: item count and item i; optionals: count 0 or 1; maps: item 0 the keys, item 1 the values.
 * Borrowed: take a reference to keep it. NULL past the end. */
WHET_API size_t whet_value_items(const whet_value *v);
WHET_API whet_value *whet_value_item(const whet_value *v, size_t i);

#ifdef __cplusplus
}
#endif
#endif
