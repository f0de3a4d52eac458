/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_WIRE_FB_H
#define WHET_WIRE_FB_H

/* FlatBuffers tables over untrusted bytes.
 *
 * Follows the FlatBuffers internals page: a table starts with the signed distance back to its vtable, the vtable
 * holds its own size, the table's size and one 16-bit place for each field; references are unsigned distances
 * forward. Every access checks that what it reads lies in the buffer; nothing is ever overlaid on the bytes. A fault
 * is remembered in the whet_fb (first one wins) and the access answers as if the field were absent, so that a reader
 * may check once for each table. Tables may share bytes or even hold themselves: readers that walk down bound their
 * depth. */

#include "base/base.h"

typedef struct whet_fb {
  const uint8_t *p;
  size_t n;
  bool bad;
  size_t at;        /* bad: where */
  const char *what; /* bad: what was expected there */
} whet_fb;

/* One table; pos 0 stands for an absent one, of which every field is absent. */
typedef struct whet_fb_table {
  whet_fb *b;
  size_t pos;       /* of the table */
  size_t vt;        /* of its vtable */
  uint16_t n_vt;    /* bytes of the vtable */
  uint16_t n_table; /* bytes of the table */
} whet_fb_table;

/* A vector: n elements of `each` bytes that lie in the buffer. */
typedef struct whet_fb_vec {
  whet_fb *b;
  size_t pos; /* of element 0 */
  uint32_t n;
} whet_fb_vec;

/* The root table. File identifier and size are the caller's to check. */
whet_fb_table whet__fb_root(whet_fb *b);
/* The table at a place in the buffer. */
whet_fb_table whet__fb_table_at(whet_fb *b, size_t pos);

static inline bool whet__fb_there(whet_fb_table t) { return t.pos != 0; }
/* Field `id` (numbered from 0) is stored. */
bool whet__fb_has(whet_fb_table t, int id);
/* Scalar fields: `dflt` when absent. `bytes` is 1, 2, 4 or 8. */
int64_t whet__fb_int(whet_fb_table t, int id, unsigned bytes, int64_t dflt);
uint64_t whet__fb_uint(whet_fb_table t, int id, unsigned bytes, uint64_t dflt);
float whet__fb_float(whet_fb_table t, int id, float dflt);
/* A table field. */
whet_fb_table whet__fb_table(whet_fb_table t, int id);
/* A string field: borrowed bytes, not terminated; {"", 0} when absent. */
whet_str whet__fb_str(whet_fb_table t, int id);
/* A vector field of elements of `each` bytes; n 0 when absent. */
whet_fb_vec whet__fb_vec(whet_fb_table t, int id, unsigned each);

/* Elements; the index must be below v.n. */
int64_t whet__fb_vec_int(whet_fb_vec v, uint32_t i, unsigned bytes);
float whet__fb_vec_float(whet_fb_vec v, uint32_t i);
/* An element of a vector of tables (each 4). */
whet_fb_table whet__fb_vec_table(whet_fb_vec v, uint32_t i);
/* An element of a vector of strings (each 4): borrowed bytes, not terminated. */
whet_str whet__fb_vec_str(whet_fb_vec v, uint32_t i);
const uint8_t *whet__fb_vec_bytes(whet_fb_vec v);
/* Copy all elements of `each` bytes to `to`: they are stored as whet's machines hold them. */
static inline void whet__fb_vec_copy(whet_fb_vec v, unsigned each, void *to) {
  if (v.n) memcpy(to, v.b->p + v.pos, (size_t)v.n * each);
}

#endif
