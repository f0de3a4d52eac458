/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_WIRE_PB_OUT_H
#define WHET_WIRE_PB_OUT_H

/* Writing protocol buffer messages: fields appended to a text that grows. A message inside another is written to a
 * text of its own first. What may be written in all is bounded by the limit of the memory that the texts take theirs from. */

#include "base/str.h"

/* A number without a tag: of a packed list, whose head says the bytes of all. */
void whet__pb_put_varint(whet_text *t, uint64_t v);
void whet__pb_put_int(whet_text *t, uint32_t field, int64_t v);
void whet__pb_put_float(whet_text *t, uint32_t field, float v);
void whet__pb_put_bytes(whet_text *t, uint32_t field, const void *p, size_t n);
void whet__pb_put_str(whet_text *t, uint32_t field, const char *s);
/* Tag and length of a message or of bytes that the caller appends. */
void whet__pb_put_head(whet_text *t, uint32_t field, size_t n);
/* What was written to `inner`, which is emptied. */
void whet__pb_put_message(whet_text *t, uint32_t field, whet_text *inner);

#endif
