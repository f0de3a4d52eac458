/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_BASE_SPAN_H
#define WHET_BASE_SPAN_H

/* Bounded, sticky reading of untrusted bytes. A span only shrinks; the first read past its end sets `bad`, and every
 * read after that gives zeros. Positions are kept relative to the whole file, for messages. */

#include "base/base.h"

typedef struct whet_span {
  const uint8_t *p; /* next byte */
  size_t n;         /* bytes left */
  size_t at;        /* offset of p in the file */
  bool bad;         /* something was read past the end */
} whet_span;

static inline whet_span whet__span(const void *p, size_t n) { return (whet_span){p, n, 0, false}; }

/* The next n bytes, or NULL and bad. */
static inline const uint8_t *whet__span_take(whet_span *s, size_t n) {
  if (s->bad || n > s->n) {
    s->bad = true;
    return NULL;
  }
  const uint8_t *p = s->p;
  s->p += n;
  s->n -= n;
  s->at += n;
  return p;
}

/* A sub-span of the next n bytes; empty and bad when there are fewer. */
static inline whet_span whet__span_sub(whet_span *s, size_t n) {
  size_t at = s->at;
  const uint8_t *p = whet__span_take(s, n);
  return p ? (whet_span){p, n, at, false} : (whet_span){NULL, 0, at, true};
}

/* Little-endian numbers. */
static inline uint8_t whet__span_u8(whet_span *s) {
  const uint8_t *p = whet__span_take(s, 1);
  return p ? p[0] : 0;
}
static inline uint16_t whet__span_u16(whet_span *s) {
  const uint8_t *p = whet__span_take(s, 2);
  return p ? (uint16_t)(p[0] | p[1] << 8) : 0;
}
static inline uint32_t whet__span_u32(whet_span *s) {
  const uint8_t *p = whet__span_take(s, 4);
  return p ? p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24 : 0;
}
static inline uint64_t whet__span_u64(whet_span *s) {
  uint64_t lo = whet__span_u32(s);
  return lo | (uint64_t)whet__span_u32(s) << 32;
}

/* A base-128 varint of at most ten bytes whose value fits in 64 bits. */
static inline uint64_t whet__span_varint(whet_span *s) {
  uint64_t v = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    uint8_t b = whet__span_u8(s);
    if (shift == 63 && b > 1) break;
    v |= (uint64_t)(b & 0x7f) << shift;
    if (!(b & 0x80)) return s->bad ? 0 : v;
  }
  s->bad = true;
  return 0;
}

#endif
