/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_PREP_H
#define WHET_PREP_H

/* whet_prep: pictures made into tensors: cut, resized, coloured, normalised, quantised and laid out in one go.
 *
 * The picture is resized in 8-bit samples (round half up of the filter's weighted mean; fixed-point weights, so that
 * every CPU gives the same bytes, at most one step from exact arithmetic). Each sample v in 0..255 then becomes
 *
 *   x = lo + v * (hi - lo) / 255,  y = (x - mean[channel]) / std[channel],
 *
 * and y is stored: f32 as v * mul + add with the two factors rounded once, other floats rounded once; quantised types
 * as round(y / scale) + zero, integers without scale as round(y), halves away from zero, clamped to the type.
 *
 * A whet_prep belongs to one thread at a time. It allocates when it is made and when a picture's size is new and
 * needs larger tables than any before; frames of one size allocate nothing. */

#include "whet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Order of the 8-bit samples of a pixel. */
typedef enum whet_pixel {
  WHET_PIXEL_GRAY = 0,
  WHET_PIXEL_RGB = 1,
  WHET_PIXEL_BGR = 2,
  WHET_PIXEL_RGBA = 3,
  WHET_PIXEL_BGRA = 4,
  WHET_PIXEL_GRAYA = 5,
  WHET_PIXEL_FORCE_INT = 0x7fffffff
} whet_pixel;

/* How a picture meets a tensor of another aspect. STRETCH: all of it, squeezed. CROP: the largest central part of the
 * tensor's aspect. LETTERBOX: all of it in its own aspect, centred, `pad` around it. */
typedef enum whet_fit {
  WHET_FIT_STRETCH = 0,
  WHET_FIT_CROP = 1,
  WHET_FIT_LETTERBOX = 2,
  WHET_FIT_FORCE_INT = 0x7fffffff
} whet_fit;

/* Which samples make one. BILINEAR: the 2x2 nearest, whatever the ratio (OpenCV's and TensorFlow's). AREA: mean over
 * the area that a pixel covers. ANTIALIAS: bilinear when enlarging, a triangle as wide as the ratio when shrinking
 * (Pillow's and torchvision's). NEAREST: the one at the centre. */
typedef enum whet_filter {
  WHET_FILTER_ANTIALIAS = 0,
  WHET_FILTER_BILINEAR = 1,
  WHET_FILTER_AREA = 2,
  WHET_FILTER_NEAREST = 3,
  WHET_FILTER_FORCE_INT = 0x7fffffff
} whet_filter;

typedef enum whet_layout {
  WHET_LAYOUT_NHWC = 0,
  WHET_LAYOUT_NCHW = 1,
  WHET_LAYOUT_FORCE_INT = 0x7fffffff
} whet_layout;

/* A picture in the caller's memory. To use a part of one, point `data` at its first pixel. */
typedef struct whet_picture {
  size_t size;      /* sizeof(whet_picture) */
  const void *data; /* first sample of the top row */
  int32_t width, height;
  ptrdiff_t stride; /* bytes from a row to the next; 0: width times the bytes of a pixel; negative: bottom up */
  whet_pixel pixel;
} whet_picture;

typedef struct whet_prep_opts {
  size_t size;           /* sizeof(whet_prep_opts) */
  int32_t width, height; /* of the tensor */
  whet_pixel color;      /* channels of the tensor: GRAY, RGB, BGR, RGBA, BGRA */
  whet_layout layout;
  whet_fit fit;
  whet_filter filter;
  float lo, hi;          /* what 0 and 255 stand for; default 0, 255 */
  float mean[4], std[4]; /* by channel of the tensor; default 0, 1 */
  uint8_t pad[4];        /* sample around a letterboxed picture, by channel of the tensor; default 0 */
  whet_dtype dtype;      /* default F32; any float or integer type of 8 bits and more */
  float scale;           /* quantisation of the tensor: real = scale * (stored - zero); 0: plain numbers */
  int32_t zero;
  const char *cpu; /* as in whet_program_opts */
} whet_prep_opts;

typedef struct whet_prep whet_prep;

WHET_API whet_prep_opts whet_prep_opts_default(void);
/* E_DATA (a size, std or range that makes no sense), E_TYPE, E_NAME (cpu), E_MEMORY. */
WHET_API whet_status whet_prep_create(const whet_prep_opts *o, whet_prep **out, whet_err *err);
/* Frees it and sets *p to NULL; NULL is accepted. */
WHET_API void whet_prep_close(whet_prep **p);

/* Bytes of the tensor of one picture. */
WHET_API size_t whet_prep_bytes(const whet_prep *p);
/* Make one picture into `out`, whet_prep_bytes() long at least (E_SHAPE), aligned to its element. E_DATA: a picture
 * without pixels, wider or higher than 2^24. */
WHET_API whet_status whet_prep_run(whet_prep *p, const whet_picture *picture, void *out, size_t bytes, whet_err *err);

/* Where a picture of width x height pixels comes to lie: tensor x = picture x * scale_x + offset_x, and so for y. To
 * map boxes found in the tensor back to the picture. */
typedef struct whet_prep_place {
  double scale_x, offset_x, scale_y, offset_y;
} whet_prep_place;
WHET_API whet_status whet_prep_placed(const whet_prep *p, int32_t width, int32_t height, whet_prep_place *out,
                                      whet_err *err);

#ifdef __cplusplus
}
#endif
#endif
