/* SPDX-License-Identifier: Apache-2.0 */
/* See the FlatBuffers internals page: alignment is kept against the end, which is where the whole is aligned. */

#include "export/fb_out.h"

/* Room for `more` bytes in front. */
static bool room(whet_fbo *b, size_t more) {
  if (b->bad || b->large) return false;
  if (b->n + more > INT32_MAX) return b->large = true, false;
  if (b->n + more <= b->cap) return true;
  size_t cap = b->cap ? b->cap : 4096;
  while (cap < b->n + more) cap *= 2;
  uint8_t *p = whet__alloc(b->mem, cap);
  if (!p) return b->bad = true, false;
  if (b->n) memcpy(p + cap - b->n, b->p + b->cap - b->n, b->n);
  whet__free(b->mem, b->p);
  b->p = p;
  b->cap = cap;
  return true;
}

static void put(whet_fbo *b, const void *p, size_t n) {
  if (!n || !room(b, n)) return;
  b->n += n;
  memcpy(b->p + b->cap - b->n, p, n);
}

/* Pad so that after `more` further bytes the place is a multiple of `align`. */
static void prepare(whet_fbo *b, size_t align, size_t more) {
  static const uint8_t zeros[64];
  if (align > b->align) b->align = align;
  put(b, zeros, (align - (b->n + more) % align) % align);
}

/* A number, little end first. */
static void number(whet_fbo *b, uint64_t v, size_t bytes) {
  uint8_t p[8];
  for (size_t i = 0; i < bytes; i++) p[i] = (uint8_t)(v >> 8 * i);
  put(b, p, bytes);
}

static void ref_to(whet_fbo *b, uint32_t ref) {
  prepare(b, 4, 4);
  number(b, b->n + 4 - ref, 4);
}

uint32_t whet__fbo_vector(whet_fbo *b, const void *p, size_t n, size_t each, size_t align) {
  prepare(b, 4, n * each);
  prepare(b, align, n * each);
  put(b, p, n * each);
  number(b, n, 4);
  return (uint32_t)b->n;
}

uint32_t whet__fbo_string(whet_fbo *b, const char *s) {
  size_t n = strlen(s);
  prepare(b, 4, n + 1);
  put(b, s, n + 1);
  number(b, n, 4);
  return (uint32_t)b->n;
}

uint32_t whet__fbo_refs(whet_fbo *b, const uint32_t *ref, size_t n) {
  prepare(b, 4, n * 4);
  for (size_t i = n; i-- > 0;) ref_to(b, ref[i]);
  number(b, n, 4);
  return (uint32_t)b->n;
}

void whet__fbo_begin(whet_fbo *b) {
  memset(b->field, 0, sizeof b->field);
  b->start = b->n;
}

void whet__fbo_int(whet_fbo *b, int id, unsigned bytes, int64_t v) {
  prepare(b, bytes, bytes);
  number(b, (uint64_t)v, bytes);
  b->field[id] = (uint32_t)b->n;
}

void whet__fbo_float(whet_fbo *b, int id, float v) {
  uint32_t u;
  memcpy(&u, &v, 4);
  whet__fbo_int(b, id, 4, u);
}

void whet__fbo_ref(whet_fbo *b, int id, uint32_t ref) {
  if (!ref) return;
  ref_to(b, ref);
  b->field[id] = (uint32_t)b->n;
}

/* Two bytes at a place. */
static unsigned u16_at(const whet_fbo *b, size_t place) {
  const uint8_t *p = b->p + b->cap - place;
  return p[0] | (unsigned)p[1] << 8;
}

uint32_t whet__fbo_end(whet_fbo *b) {
  prepare(b, 4, 4);
  number(b, 0, 4);
  size_t table = b->n, fields = WHET_FBO_FIELDS;
  while (fields && !b->field[fields - 1]) fields--;
  for (size_t i = fields; i-- > 0;) number(b, b->field[i] ? table - b->field[i] : 0, 2);
  number(b, table - b->start, 2);
  number(b, 4 + 2 * fields, 2);
  if (b->bad || b->large) return 0;
  size_t vtable = b->n, bytes = 4 + 2 * fields;
  for (size_t i = 0; i < b->n_vtable; i++)
    if (u16_at(b, b->vtable[i]) == bytes &&
        !memcmp(b->p + b->cap - b->vtable[i], b->p + b->cap - vtable, bytes)) {
      b->n = table;
      vtable = b->vtable[i];
      break;
    }
  if (vtable == b->n) {
    if (!whet__grow(b->mem, (void **)&b->vtable, &b->cap_vtable, b->n_vtable + 1, sizeof *b->vtable)) return b->bad = true, 0u;
    b->vtable[b->n_vtable++] = (uint32_t)vtable;
  }
  int32_t back = (int32_t)((int64_t)vtable - (int64_t)table);
  memcpy(b->p + b->cap - table, &back, 4);
  return (uint32_t)table;
}

void whet__fbo_finish(whet_fbo *b, uint32_t root, const char *identifier) {
  prepare(b, b->align > 4 ? b->align : 4, 8);
  put(b, identifier, 4);
  ref_to(b, root);
}

void whet__fbo_free(whet_fbo *b) {
  whet__free(b->mem, b->p);
  whet__free(b->mem, b->vtable);
  *b = (whet_fbo){.mem = b->mem};
}
