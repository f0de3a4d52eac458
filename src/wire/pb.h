/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_WIRE_PB_H
#define WHET_WIRE_PB_H

/* Protocol buffer messages over untrusted bytes: one field at a time, never past the end of the message.
 *
 * Follows the encoding page of the protobuf documentation: varint, fixed 64, length-delimited and fixed 32 fields.
 * Groups, which no ONNX message uses, and field number 0 make the span bad. A length-delimited field is a span of its
 * own, so a nested message can never reach out of the one that holds it. */

#include "base/span.h"

enum { WHET_PB_VARINT = 0, WHET_PB_FIXED64 = 1, WHET_PB_BYTES = 2, WHET_PB_FIXED32 = 5 };

/* One field as it lies in the message. */
typedef struct whet_pb {
  uint32_t field;  /* number in the schema */
  uint8_t wire;    /* WHET_PB_ */
  uint64_t num;    /* VARINT, FIXED: the bits */
  whet_span bytes; /* BYTES: the contents */
  size_t at;       /* offset of the tag in the file */
} whet_pb;

/* The next field; false at the end, and when the bytes are no field (then s->bad). */
bool whet__pb_next(whet_span *s, whet_pb *f);

/* How many fields of each number below `n` the message holds, in count[n]. False when it is malformed; *at then
 * receives the offset. */
bool whet__pb_count(whet_span s, uint32_t *count, uint32_t n, size_t *at);

/* Number of elements of the repeated numeric field `field`, packed or not; `wire` is how single ones are written. A
 * malformed message answers as many as stand before the fault. */
size_t whet__pb_elements(whet_span s, uint32_t field, uint8_t wire);

/* Walks the elements of a repeated numeric field, packed or not. */
typedef struct whet_pb_each {
  whet_span msg; /* rest of the message */
  whet_span run; /* rest of the packed run that is being read */
  uint32_t field;
  uint8_t wire;
} whet_pb_each;

static inline whet_pb_each whet__pb_each(whet_span msg, uint32_t field, uint8_t wire) {
  return (whet_pb_each){msg, {NULL, 0, 0, false}, field, wire};
}
/* The next element's bits; false at the end, and when the bytes are malformed (then msg.bad). */
bool whet__pb_each_next(whet_pb_each *e, uint64_t *bits);

/* The bits of a fixed 32 field as a float, of a fixed 64 field as a double. */
static inline float whet__pb_float(uint64_t bits) {
  uint32_t u = (uint32_t)bits;
  float f;
  memcpy(&f, &u, 4);
  return f;
}
static inline double whet__pb_double(uint64_t bits) {
  double d;
  memcpy(&d, &bits, 8);
  return d;
}

#endif
