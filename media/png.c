/* SPDX-License-Identifier: Apache-2.0 */
/* PNG by libspng: palettes become RGB, transparency becomes alpha, samples of 16 bits become 8, interlaced files are
 * read, wrong checksums are refused. */

#include <spng.h>
#include <string.h>

#include "media.h"

static int knows(const uint8_t *p, size_t n) { return n >= 8 && !memcmp(p, "\x89PNG\r\n\x1a\n", 8); }

static whet_status decode(const uint8_t *p, size_t n, whet_canvas *to, whet_err *err) {
  struct spng_ihdr h;
  struct spng_trns trns;
  spng_ctx *c = spng_ctx_new(0);
  if (!c) return media_fail(err, WHET_E_MEMORY, "PNG: out of memory");
  whet_status s = WHET_OK;
  int bad = spng_set_png_buffer(c, p, n);
  if (!bad) bad = spng_set_chunk_limits(c, 8 << 20, 32 << 20);
  if (!bad) bad = spng_get_ihdr(c, &h);
  if (bad) {
    s = media_fail(err, WHET_E_FORMAT, "PNG: %s", spng_strerror(bad));
    goto done;
  }
  bool clear = !spng_get_trns(c, &trns) || h.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA ||
               h.color_type == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA;
  bool gray = h.bit_depth <= 8 &&
              (h.color_type == SPNG_COLOR_TYPE_GRAYSCALE || h.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA);
  bool native = gray && h.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA; /* libspng makes GA8 of grey pictures only */
  int format = native  ? SPNG_FMT_PNG
               : gray  ? (clear ? SPNG_FMT_GA8 : SPNG_FMT_G8)
               : clear ? SPNG_FMT_RGBA8
                       : SPNG_FMT_RGB8;
  whet_pixel pixel = gray ? (clear ? WHET_PIXEL_GRAYA : WHET_PIXEL_GRAY) : clear ? WHET_PIXEL_RGBA : WHET_PIXEL_RGB;
  uint8_t *out = whet_canvas_open(to, h.width, h.height, pixel, err);
  if (!out) {
    s = err->code;
    goto done;
  }
  size_t need, have = (size_t)h.width * h.height * (gray ? (clear ? 2 : 1) : clear ? 4 : 3);
  bad = spng_decoded_image_size(c, format, &need);
  if (!bad && need != have) bad = SPNG_EINTERNAL;
  if (!bad) bad = spng_decode_image(c, out, have, format, clear && !native ? SPNG_DECODE_TRNS : 0);
  if (bad) s = media_fail(err, WHET_E_FORMAT, "PNG: %s", spng_strerror(bad));
done:
  spng_ctx_free(c);
  return s;
}

const whet_codec media_png = {sizeof(whet_codec), "png", knows, decode, NULL};
