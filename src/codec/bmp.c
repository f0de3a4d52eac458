/* SPDX-License-Identifier: Apache-2.0 */
/* BMP: Windows and OS/2 bitmaps of 1, 4, 8, 16, 24 and 32 bits, plain, with bit masks, and run-length coded (RLE4,
 * RLE8), after the BITMAPCOREHEADER and BITMAPINFOHEADER..V5 structures of the Windows documentation. JPEG and PNG
 * inside a BMP are refused by name. The result is RGB, or RGBA where an alpha mask is given. */

#include "base/span.h"
#include "codec/codec.h"

enum { PLAIN = 0, RLE8 = 1, RLE4 = 2, MASKS = 3, ALPHA_MASKS = 6 };

/* What the headers say. */
struct bmp {
  int64_t width, height; /* height: positive */
  bool top_down;
  uint32_t bits, coding;
  uint32_t mask[4];        /* red, green, blue, alpha */
  uint8_t palette[256][3]; /* red, green, blue */
  whet_span pixels;
};

static int knows(const uint8_t *p, size_t n) {
  if (n < 26 || p[0] != 'B' || p[1] != 'M') return 0;
  uint32_t header = p[14] | (uint32_t)p[15] << 8 | (uint32_t)p[16] << 16 | (uint32_t)p[17] << 24;
  return header == 12 || (header >= 16 && header <= 124);
}

/* Read the headers and the palette. */
static whet_status headers(const uint8_t *bytes, size_t size, struct bmp *b, whet_err *err) {
  whet_span s = whet__span(bytes, size);
  whet__span_take(&s, 10);
  uint32_t at = whet__span_u32(&s), header = whet__span_u32(&s), colors = 0;
  whet_span h = whet__span_sub(&s, header - 4);
  *b = (struct bmp){.mask = {0}};
  if (header == 12) {
    b->width = whet__span_u16(&h);
    b->height = whet__span_u16(&h);
    whet__span_u16(&h);
    b->bits = whet__span_u16(&h);
  } else {
    b->width = (int32_t)whet__span_u32(&h);
    int64_t height = (int32_t)whet__span_u32(&h);
    b->top_down = height < 0;
    b->height = height < 0 ? -height : height;
    whet__span_u16(&h);
    b->bits = whet__span_u16(&h);
    if (header >= 40) {
      b->coding = whet__span_u32(&h);
      whet__span_take(&h, 12);
      colors = whet__span_u32(&h);
      whet__span_u32(&h);
    }
  }
  if (h.bad || s.bad) return whet__fail(err, WHET_E_FORMAT, "BMP: the file ends in its header");
  if (b->coding == 4 || b->coding == 5)
    return whet__fail(err, WHET_E_UNSUPPORTED, "BMP: a %s picture inside", b->coding == 4 ? "JPEG" : "PNG");
  bool masks = b->coding == MASKS || b->coding == ALPHA_MASKS;
  bool fits = b->coding == PLAIN
                  ? b->bits == 1 || b->bits == 4 || b->bits == 8 || b->bits == 16 || b->bits == 24 || b->bits == 32
              : b->coding == RLE8 ? b->bits == 8 && !b->top_down
              : b->coding == RLE4 ? b->bits == 4 && !b->top_down
                                  : masks && (b->bits == 16 || b->bits == 32);
  if (!fits) return whet__fail(err, WHET_E_FORMAT, "BMP: %u bits a pixel with coding %u", b->bits, b->coding);
  if (masks) { /* in the header from its second version on, else behind it */
    whet_span *from = header >= 52 ? &h : &s;
    int n = b->coding == ALPHA_MASKS || header >= 56 ? 4 : 3;
    for (int i = 0; i < n; i++) b->mask[i] = whet__span_u32(from);
  } else if (b->bits >= 16) {
    static const uint32_t m16[] = {0x7c00, 0x3e0, 0x1f}, m32[] = {0xff0000, 0xff00, 0xff};
    memcpy(b->mask, b->bits == 16 ? m16 : m32, sizeof m16);
  }
  if (b->bits <= 8) {
    uint32_t most = 1u << b->bits, entry = header == 12 ? 3 : 4;
    if (!colors || colors > most) colors = most;
    for (uint32_t i = 0; i < colors && s.n >= entry && s.at < at; i++) {
      const uint8_t *p = whet__span_take(&s, entry);
      for (int k = 0; k < 3; k++) b->palette[i][k] = p[2 - k];
    }
  }
  if (s.bad || h.bad || at > size || at < s.at)
    return whet__fail(err, WHET_E_FORMAT, "BMP: the pixels cannot lie at offset %u of %zu", at, size);
  b->pixels = (whet_span){bytes + at, size - at, at, false};
  return WHET_OK;
}

/* The value of a masked field of a pixel, as 8 bits. */
static uint8_t field(uint32_t pixel, uint32_t mask) {
  if (!mask) return 0;
  uint32_t most = mask >> __builtin_ctz(mask), v = (pixel & mask) >> __builtin_ctz(mask);
  return (uint8_t)(((uint64_t)v * 255 * 2 + most) / (2 * (uint64_t)most));
}

/* Uncompressed rows, each padded to four bytes. */
static whet_status plain(const struct bmp *b, uint8_t *out, int samples, whet_err *err) {
  size_t stride = ((size_t)b->width * b->bits + 31) / 32 * 4;
  if (b->pixels.n / stride < (size_t)b->height)
    return whet__fail(err, WHET_E_FORMAT, "BMP: %zu bytes of pixels, %zu expected", b->pixels.n,
                      stride * (size_t)b->height);
  for (int64_t y = 0; y < b->height; y++) {
    const uint8_t *row = b->pixels.p + stride * (size_t)(b->top_down ? y : b->height - 1 - y);
    for (int64_t x = 0; x < b->width; x++, out += samples) {
      uint32_t v = 0;
      if (b->bits <= 8) {
        unsigned bit = (unsigned)x * b->bits % 8;
        v = row[(size_t)x * b->bits / 8] >> (8 - b->bits - bit) & ((1u << b->bits) - 1);
        memcpy(out, b->palette[v], 3);
      } else if (b->bits == 24) {
        for (int k = 0; k < 3; k++) out[k] = row[x * 3 + 2 - k];
      } else {
        for (unsigned k = 0; k < b->bits / 8; k++) v |= (uint32_t)row[(size_t)x * (b->bits / 8) + k] << 8 * k;
        for (int k = 0; k < samples; k++) out[k] = field(v, b->mask[k]);
      }
    }
  }
  return WHET_OK;
}

/* Run-length coded pixels: pairs of count and colours, escapes for line ends, jumps and plain runs. Pixels that are
 * jumped over keep palette entry 0; runs past the end of a row are cut. */
static whet_status run_length(const struct bmp *b, uint8_t *out, whet_err *err) {
  whet_span s = b->pixels;
  int64_t x = 0, y = 0;
  bool four = b->coding == RLE4;
  for (int64_t i = 0; i < b->width * b->height; i++) memcpy(out + i * 3, b->palette[0], 3);
  for (;;) {
    uint8_t n = whet__span_u8(&s), v = whet__span_u8(&s);
    const uint8_t *run = NULL;
    if (s.bad) return whet__fail(err, WHET_E_FORMAT, "BMP: the run-length coded pixels end early");
    if (!n && v == 1) return WHET_OK;
    if (!n && v == 0) {
      x = 0;
      y++;
      continue;
    }
    if (!n && v == 2) {
      x += whet__span_u8(&s);
      y += whet__span_u8(&s);
      continue;
    }
    if (!n) {
      n = v;
      size_t bytes = four ? ((size_t)n + 1) / 2 : n;
      run = whet__span_take(&s, bytes + (bytes & 1));
      if (!run) return whet__fail(err, WHET_E_FORMAT, "BMP: the run-length coded pixels end early");
    }
    for (int i = 0; i < n; i++, x++) {
      uint8_t byte = run ? run[four ? i / 2 : i] : v, color = four ? (i & 1 ? byte & 15 : byte >> 4) : byte;
      if (x < b->width && y < b->height) memcpy(out + ((b->height - 1 - y) * b->width + x) * 3, b->palette[color], 3);
    }
  }
}

static whet_status decode(const uint8_t *bytes, size_t size, whet_canvas *to, whet_err *err) {
  struct bmp b;
  WHET_TRY(headers(bytes, size, &b, err));
  bool alpha = b.bits >= 16 && b.mask[3];
  uint8_t *out = whet_canvas_open(to, b.width, b.height, alpha ? WHET_PIXEL_RGBA : WHET_PIXEL_RGB, err);
  if (!out) return err->code;
  return b.coding == RLE4 || b.coding == RLE8 ? run_length(&b, out, err) : plain(&b, out, alpha ? 4 : 3, err);
}

const whet_codec whet__codec_bmp = {sizeof(whet_codec), "bmp", knows, decode, NULL};
