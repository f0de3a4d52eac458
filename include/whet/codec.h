/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CODEC_H
#define WHET_CODEC_H

/* Pictures from bytes. The core reads BMP and PNM; libwhet_media (whet/media.h) registers JPEG, PNG, WebP, JPEG 2000
 * and TIFF; programs may register codecs of their own. The operator ImageDecoder and the command use what is
 * registered.
 *
 * Bytes are untrusted: the size that a file claims is checked against the limit before memory is asked for, and
 * whatever they hold, they end in a named error or a picture. */

#include "whet/prep.h"
#include "whet/value.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where a codec puts its picture. */
typedef struct whet_canvas whet_canvas;

/* Called once by a codec when it knows the size, before it decodes: room for height rows of width pixels, dense, top
 * row first. NULL when the size is refused; err says why, and the codec returns its code. */
WHET_API uint8_t *whet_canvas_open(whet_canvas *c, int64_t width, int64_t height, whet_pixel pixel, whet_err *err);

/* Memory of at least `bytes` bytes, with what was written to it before kept; NULL refuses. For who writes bytes whose
 * number nobody knows beforehand. */
typedef void *(*whet_room_fn)(void *user, size_t bytes);

typedef struct whet_codec {
  size_t size;      /* sizeof(whet_codec) */
  const char *name; /* "jpeg" */
  /* Not 0 when the bytes begin like a file of this kind. */
  int (*knows)(const uint8_t *p, size_t n);
  /* Decode into the canvas. E_FORMAT with what is wrong and where it can be said. Any thread. */
  whet_status (*decode)(const uint8_t *p, size_t n, whet_canvas *to, whet_err *err);
  /* Write a picture: its bytes to the memory of `room`, their number to *n. NULL: the codec only reads. Any thread. */
  whet_status (*encode)(const whet_picture *p, int quality, whet_room_fn room, void *user, size_t *n, whet_err *err);
} whet_codec;

/* Make a codec known to the process; *c must live as long. Later ones are asked first; registering one again does
 * nothing. Thread safe. E_LIMIT: more than 32. */
WHET_API whet_status whet_codec_register(const whet_codec *c);
/* Names of the codecs that there are; NULL past the last. */
WHET_API const char *whet_codec_name(size_t i);

typedef struct whet_decode_opts {
  size_t size; /* sizeof(whet_decode_opts) */
  int convert; /* not 0: samples in the order of `color`; 0: as the file has them */
  whet_pixel color;
  int64_t max_pixels; /* 0: 100,000,000 */
  /* Memory for the picture, `bytes` = height * width * samples; NULL refuses. NULL: memory of whet, and the
   * picture is freed with whet_picture_free. */
  void *(*alloc)(void *user, int64_t height, int64_t width, int32_t samples, size_t bytes);
  void *user;
} whet_decode_opts;

WHET_API whet_decode_opts whet_decode_opts_default(void);

/* Decode a picture; o may be NULL. *out is dense, top row first; on failure it has no data. E_FORMAT, E_UNSUPPORTED
 * (a kind of file for which no codec is registered, by name), E_LIMIT, E_MEMORY. */
WHET_API whet_status whet_picture_decode(const void *bytes, size_t n, const whet_decode_opts *o, whet_picture *out,
                                         whet_err *err);
/* What kind of picture bytes begin like, "JPEG", whether there is a codec for it or not; NULL when like none. */
WHET_API const char *whet_picture_kind(const void *bytes, size_t n);
/* Free a picture that was decoded without `alloc`; NULL data is accepted. */
WHET_API void whet_picture_free(whet_picture *p);

/* Write a picture as a file of the kind of the codec: "pnm" (PGM, PPM) always, "jpeg" with libwhet_media. quality: 1..100 where the
 * kind has one. Alpha is dropped. E_UNSUPPORTED: no codec of that name writes; E_MEMORY: room refused. */
WHET_API whet_status whet_picture_encode(const whet_picture *p, const char *codec, int quality, whet_room_fn room,
                                         void *user, size_t *n, whet_err *err);

/* Read the bytes of one of NumPy's .npy files (versions 1 to 3) as a value with one reference: every numeric type of
 * either byte order, bool, strings, C and Fortran order. E_FORMAT, E_UNSUPPORTED (structured and pickled arrays),
 * E_MEMORY. */
WHET_API whet_status whet_npy_decode(const void *bytes, size_t n, whet_value **out, whet_err *err);

#ifdef __cplusplus
}
#endif
#endif
