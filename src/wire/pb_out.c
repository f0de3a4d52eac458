/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/pb_out.h"

void whet__pb_put_varint(whet_text *t, uint64_t v) {
  char b[10];
  size_t n = 0;
  for (; v >= 128; v >>= 7) b[n++] = (char)(v | 128);
  b[n++] = (char)v;
  whet__text_add(t, b, n);
}

void whet__pb_put_int(whet_text *t, uint32_t field, int64_t v) {
  whet__pb_put_varint(t, field << 3);
  whet__pb_put_varint(t, (uint64_t)v);
}

void whet__pb_put_float(whet_text *t, uint32_t field, float v) {
  uint32_t u;
  memcpy(&u, &v, 4);
  char b[4] = {(char)u, (char)(u >> 8), (char)(u >> 16), (char)(u >> 24)};
  whet__pb_put_varint(t, field << 3 | 5);
  whet__text_add(t, b, 4);
}

void whet__pb_put_head(whet_text *t, uint32_t field, size_t n) {
  whet__pb_put_varint(t, field << 3 | 2);
  whet__pb_put_varint(t, n);
}

void whet__pb_put_bytes(whet_text *t, uint32_t field, const void *p, size_t n) {
  whet__pb_put_head(t, field, n);
  whet__text_add(t, p, n);
}

void whet__pb_put_str(whet_text *t, uint32_t field, const char *s) { whet__pb_put_bytes(t, field, s, strlen(s)); }

void whet__pb_put_message(whet_text *t, uint32_t field, whet_text *inner) {
  whet__pb_put_bytes(t, field, inner->n ? inner->p : "", inner->n);
  t->bad |= inner->bad;
  whet__text_free(inner);
}
