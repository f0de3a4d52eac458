/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EXPORT_FB_OUT_H
#define WHET_EXPORT_FB_OUT_H

/* Building a FlatBuffer, from its end to its beginning: what is referred to is written first. A place is counted from the end
 * of the buffer; 0 stands for none. Equal vtables are shared. Nothing is larger than 2 GB. */

#include "base/mem.h"

enum { WHET_FBO_FIELDS = 24 };

typedef struct whet_fbo {
  whet_mem *mem;
  uint8_t *p; /* cap bytes, of which the last n are written */
  size_t cap, n, align;
  bool bad;   /* memory was refused */
  bool large; /* more than 2 GB */
  uint32_t field[WHET_FBO_FIELDS]; /* of the table that is being written: places; 0: absent */
  size_t start;
  uint32_t *vtable; /* places */
  size_t n_vtable, cap_vtable;
} whet_fbo;

/* A vector of n elements of `each` bytes, its first element aligned to `align`. */
uint32_t whet__fbo_vector(whet_fbo *b, const void *p, size_t n, size_t each, size_t align);
uint32_t whet__fbo_string(whet_fbo *b, const char *s);
/* A vector of places. */
uint32_t whet__fbo_refs(whet_fbo *b, const uint32_t *ref, size_t n);
/* A table: begin, fields in any order, end. Nothing else may be written in between. */
void whet__fbo_begin(whet_fbo *b);
void whet__fbo_int(whet_fbo *b, int id, unsigned bytes, int64_t v);
void whet__fbo_float(whet_fbo *b, int id, float v);
void whet__fbo_ref(whet_fbo *b, int id, uint32_t ref);
uint32_t whet__fbo_end(whet_fbo *b);
/* The root and the file's identifier of four letters; the bytes are then at p + cap - n. */
void whet__fbo_finish(whet_fbo *b, uint32_t root, const char *identifier);
void whet__fbo_free(whet_fbo *b);

#endif
