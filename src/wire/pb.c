/* SPDX-License-Identifier: Apache-2.0 */
/* Protocol buffer fields over bounded spans. */

#include "wire/pb.h"

bool whet__pb_next(whet_span *s, whet_pb *f) {
  if (s->bad || !s->n) return false;
  size_t at = s->at;
  uint64_t tag = whet__span_varint(s);
  *f = (whet_pb){.field = (uint32_t)(tag >> 3), .wire = tag & 7, .at = at};
  if (s->bad || tag >> 32 || !f->field) {
    s->bad = true;
    s->at = at;
    return false;
  }
  switch (f->wire) {
    case WHET_PB_VARINT:
      f->num = whet__span_varint(s);
      break;
    case WHET_PB_FIXED64:
      f->num = whet__span_u64(s);
      break;
    case WHET_PB_FIXED32:
      f->num = whet__span_u32(s);
      break;
    case WHET_PB_BYTES: {
      uint64_t n = whet__span_varint(s);
      if (s->bad || n > s->n)
        s->bad = true;
      else
        f->bytes = whet__span_sub(s, (size_t)n);
      break;
    }
    default:
      s->bad = true;
  }
  if (s->bad) s->at = at;
  return !s->bad;
}

bool whet__pb_count(whet_span s, uint32_t *count, uint32_t n, size_t *at) {
  whet_pb f;
  memset(count, 0, n * sizeof *count);
  while (whet__pb_next(&s, &f))
    if (f.field < n && count[f.field] < UINT32_MAX) count[f.field]++;
  *at = s.at;
  return !s.bad;
}

/* One element from a span of bare elements. */
static uint64_t element(whet_span *s, uint8_t wire) {
  return wire == WHET_PB_VARINT    ? whet__span_varint(s)
         : wire == WHET_PB_FIXED64 ? whet__span_u64(s)
                                   : whet__span_u32(s);
}

size_t whet__pb_elements(whet_span s, uint32_t field, uint8_t wire) {
  whet_pb f;
  size_t n = 0;
  while (whet__pb_next(&s, &f)) {
    if (f.field != field) continue;
    if (f.wire != WHET_PB_BYTES)
      n++;
    else if (wire == WHET_PB_FIXED32)
      n += f.bytes.n / 4;
    else if (wire == WHET_PB_FIXED64)
      n += f.bytes.n / 8;
    else
      for (size_t i = 0; i < f.bytes.n; i++) n += f.bytes.p[i] < 0x80;
  }
  return n;
}

bool whet__pb_each_next(whet_pb_each *e, uint64_t *bits) {
  whet_pb f;
  while (!e->run.n) {
    do {
      if (!whet__pb_next(&e->msg, &f)) return false;
    } while (f.field != e->field);
    if (f.wire == e->wire) {
      *bits = f.num;
      return true;
    }
    if (f.wire != WHET_PB_BYTES) {
      e->msg.bad = true;
      e->msg.at = f.at;
      return false;
    }
    e->run = f.bytes;
  }
  *bits = element(&e->run, e->wire);
  if (e->run.bad) {
    e->msg.bad = true;
    e->msg.at = e->run.at;
    e->run.n = 0;
    return false;
  }
  return true;
}
