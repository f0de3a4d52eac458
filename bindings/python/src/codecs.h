/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_BINDINGS_PYTHON_SRC_CODECS_H
#define WHET_BINDINGS_PYTHON_SRC_CODECS_H

/* What whet._core lends to whet._media: both are of one build. */

#include <whet/codec.h>

#define CORE_CODECS "whet._core.codecs_capsule"

typedef struct core_codecs {
  whet_status (*add)(const whet_codec *c);
  uint8_t *(*canvas)(whet_canvas *c, int64_t width, int64_t height, whet_pixel pixel, whet_err *err);
} core_codecs;

#endif
