/* SPDX-License-Identifier: Apache-2.0 */
/* WebP by libwebp, lossy and lossless. Animations are refused by name. */

#include <string.h>
#include <webp/decode.h>

#include "media.h"

static int knows(const uint8_t *p, size_t n) { return n >= 12 && !memcmp(p, "RIFF", 4) && !memcmp(p + 8, "WEBP", 4); }

static whet_status decode(const uint8_t *p, size_t n, whet_canvas *to, whet_err *err) {
  WebPBitstreamFeatures f;
  if (WebPGetFeatures(p, n, &f) != VP8_STATUS_OK)
    return media_fail(err, WHET_E_FORMAT, "WebP: the header is damaged");
  if (f.has_animation) return media_fail(err, WHET_E_UNSUPPORTED, "WebP: an animation, not a picture");
  uint8_t *out = whet_canvas_open(to, f.width, f.height, f.has_alpha ? WHET_PIXEL_RGBA : WHET_PIXEL_RGB, err);
  if (!out) return err->code;
  int stride = f.width * (f.has_alpha ? 4 : 3);
  size_t bytes = (size_t)stride * (size_t)f.height;
  bool done = f.has_alpha ? WebPDecodeRGBAInto(p, n, out, bytes, stride) != NULL
                          : WebPDecodeRGBInto(p, n, out, bytes, stride) != NULL;
  return done ? WHET_OK : media_fail(err, WHET_E_FORMAT, "WebP: the picture is damaged or cut short");
}

const whet_codec media_webp = {sizeof(whet_codec), "webp", knows, decode, NULL};
