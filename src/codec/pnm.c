/* SPDX-License-Identifier: Apache-2.0 */
/* PNM: the netpbm formats P1..P6, bitmap, grey and colour, as text or binary (netpbm's pbm(5), pgm(5), ppm(5)).
 * Samples of another maximum than 255 are scaled, rounded. Only the first picture of a file is read. */

#include <ctype.h>
#include <stdio.h>

#include "base/span.h"
#include "codec/codec.h"
#include "prep/pixel.h"

static int knows(const uint8_t *p, size_t n) {
  return n >= 3 && p[0] == 'P' && p[1] >= '1' && p[1] <= '6' && isspace(p[2]);
}

/* Skip white space and comments; a number of at most `most`, or -1. */
static int64_t number(whet_span *s, int64_t most) {
  while (s->n && (isspace(s->p[0]) || s->p[0] == '#')) {
    bool comment = whet__span_u8(s) == '#';
    while (comment && s->n && s->p[0] != '\n' && s->p[0] != '\r') whet__span_u8(s);
  }
  if (!s->n || !isdigit(s->p[0])) return -1;
  int64_t v = 0;
  while (s->n && isdigit(s->p[0])) {
    v = v * 10 + (whet__span_u8(s) - '0');
    if (v > most) return -1;
  }
  return v;
}

/* The samples of P1: digits that need no space between them; 1 is black. */
static bool bits_text(whet_span *s, uint8_t *out, size_t n) {
  for (size_t i = 0; i < n; i++) {
    uint8_t c;
    do {
      c = whet__span_u8(s);
      while (c == '#' && s->n && s->p[0] != '\n' && s->p[0] != '\r') whet__span_u8(s);
    } while (!s->bad && (isspace(c) || c == '#'));
    if (c != '0' && c != '1') return false;
    out[i] = c == '1' ? 0 : 255;
  }
  return true;
}

static whet_status decode(const uint8_t *bytes, size_t size, whet_canvas *to, whet_err *err) {
  whet_span s = whet__span(bytes, size);
  const char kind = (char)bytes[1];
  whet__span_take(&s, 2);
  bool color = kind == '3' || kind == '6', bitmap = kind == '1' || kind == '4', text = kind <= '3';
  int64_t width = number(&s, 1 << 24), height = number(&s, 1 << 24), most = bitmap ? 1 : number(&s, 65535);
  if (width < 1 || height < 1 || most < 1)
    return whet__fail(err, WHET_E_FORMAT, "PNM: bad width, height or maximum before offset %zu", s.at);
  size_t row = (size_t)width * (color ? 3 : 1), n = row * (size_t)height;
  size_t packed = bitmap ? ((size_t)width + 7) / 8 : row * (most > 255 ? 2 : 1);
  if (!text && (!s.n || s.n - 1 < packed * (size_t)height)) /* one white space stands before the samples */
    return whet__fail(err, WHET_E_FORMAT, "PNM: %zu bytes of samples, %zu expected", s.n ? s.n - 1 : 0,
                      packed * (size_t)height);
  if (text && s.n < n) return whet__fail(err, WHET_E_FORMAT, "PNM: the file ends before its samples do");
  uint8_t *out = whet_canvas_open(to, width, height, color ? WHET_PIXEL_RGB : WHET_PIXEL_GRAY, err);
  if (!out) return err->code;
  if (kind == '1') {
    if (!bits_text(&s, out, n)) return whet__fail(err, WHET_E_FORMAT, "PNM: no 0 or 1 at offset %zu", s.at);
    return WHET_OK;
  }
  if (!text) whet__span_u8(&s);
  for (size_t i = 0; i < n; i++) {
    int64_t v;
    if (bitmap) {
      size_t x = i % row;
      v = !(s.p[i / row * packed + x / 8] >> (7 - x % 8) & 1);
    } else if (text) {
      v = number(&s, most);
      if (v < 0)
        return whet__fail(err, WHET_E_FORMAT, "PNM: no number up to %lld at offset %zu", (long long)most, s.at);
    } else {
      v = most > 255 ? s.p[2 * i] << 8 | s.p[2 * i + 1] : s.p[i];
      if (v > most) v = most;
    }
    out[i] = (uint8_t)(most == 255 ? v : (v * 255 * 2 + most) / (2 * most));
  }
  return WHET_OK;
}

/* P5 or P6; the quality is what it is. */
static whet_status encode(const whet_picture *p, int quality, whet_room_fn room, void *user, size_t *n, whet_err *err) {
  int from = whet__pixel_samples(p->pixel), to = from < 3 ? 1 : 3;
  bool bgr = p->pixel == WHET_PIXEL_BGR || p->pixel == WHET_PIXEL_BGRA;
  char head[64];
  (void)quality;
  size_t at = (size_t)snprintf(head, sizeof head, "P%d\n%d %d\n255\n", to == 1 ? 5 : 6, p->width, p->height);
  size_t all = at + (size_t)p->width * (size_t)p->height * (size_t)to;
  ptrdiff_t stride = p->stride ? p->stride : (ptrdiff_t)p->width * from;
  uint8_t *out = room(user, all);
  if (!out) return whet__fail(err, WHET_E_MEMORY, "no memory for a picture of %zu bytes", all);
  memcpy(out, head, at);
  out += at;
  for (int32_t y = 0; y < p->height; y++) {
    const uint8_t *in = (const uint8_t *)p->data + y * stride;
    for (int32_t x = 0; x < p->width; x++, in += from)
      for (int k = 0; k < to; k++) *out++ = in[bgr ? 2 - k : k];
  }
  *n = all;
  return WHET_OK;
}

const whet_codec whet__codec_pnm = {sizeof(whet_codec), "pnm", knows, decode, encode};
