/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_BINDINGS_PYTHON_SRC_CODECS_H
#define WHET_BINDINGS_PYTHON_SRC_CODECS_H

/* What whet._core lends to whet._media: both are of one build. */

#include <whet/codec.h>
#include <whet/resample.h>

#define CORE_CODECS "whet._core.codecs_capsule"

typedef struct core_codecs {
  whet_status (*add)(const whet_codec *c);
  uint8_t *(*canvas)(whet_canvas *c, int64_t width, int64_t height, whet_pixel pixel, whet_err *err);
  /* Of sound. */
  whet_status (*create)(int32_t from, int32_t to, int32_t channels, whet_resampler **out, whet_err *err);
  void (*close)(whet_resampler **r);
  size_t (*room)(const whet_resampler *r, size_t frames);
  whet_status (*run)(whet_resampler *r, const float *in, size_t frames, int end, float *out, size_t room, size_t *n, whet_err *err);
} core_codecs;

#endif
