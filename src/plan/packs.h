/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_PLAN_PACKS_H
#define WHET_PLAN_PACKS_H

/* Packed weights: made once for (kind, parameters, constants), held as long as their store. Thread safe. */

#include "base/file.h"
#include "base/mem.h"
#include "format/model.h"
#include "base/pool.h"
#include "op/op.h"
#include "whet/program.h"

enum { WHET_PACK_SRC = WHET_STORED_SRC };
struct whet_stored;

typedef struct whet_pack {
  const whet_pack_kind *kind;
  uint64_t key; /* hash of kind, parameters and sources */
  const whet_data *src[WHET_PACK_SRC];
  int n_src;
  void *params;
  size_t params_size;
  void *bytes; /* NULL until filled */
  size_t n;
  bool mapped; /* they lie in the model's file */
} whet_pack;

/* A store with one reference, counted against mem; whet_packs_close drops one. */
WHET_MUST whet_status whet__packs_new(whet_mem *mem, whet_packs **out);
whet_packs *whet__packs_ref(whet_packs *p);
/* Find or add an entry; its bytes are made by the next fill. NULL when memory is refused. */
whet_pack *whet__packs_want(whet_packs *p, const whet_pack_kind *k, const void *params, const whet_data *const *src,
                            int n_src, whet_err *err);
/* Make the bytes of entries that have none, on up to `threads` threads; fast: some memory may be spent for speed. Pages of
 * the n_file mapped files from which an entry was packed are given back to the kernel; a later reader finds them
 * again. */
WHET_MUST whet_status whet__packs_fill(whet_packs *p, whet_pool *pool, int threads, bool fast, const whet_file *file, int n_file,
                                       whet_err *err);
/* Take the bytes of entries that have none from those that a file holds, where kind, parameters and constants are the
 * same. Answers how many still have none. They are
 * copied for a store that programs share, since it may outlive the file, and from memory that is not aligned. */
size_t whet__packs_adopt(whet_packs *p, const struct whet_stored *stored, size_t n_stored);
/* Describe the entries that a file may hold, at most `most` of them; how many there are. */
size_t whet__packs_list(whet_packs *p, struct whet_stored *out, size_t most);
/* Bytes of all entries in memory, and of those in the file. */
size_t whet__packs_bytes(const whet_packs *p, size_t *mapped);

#endif
