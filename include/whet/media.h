/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_MEDIA_H
#define WHET_MEDIA_H

/* libwhet_media: codecs by libraries, and sound from WAV files. Link it and call whet_media_register once; from then
 * on whet_picture_decode and the operator ImageDecoder read its kinds of pictures too. */

#include "whet/codec.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Make the codecs of this build known: "jpeg", "png", "webp", "jpeg2000", "tiff". Thread safe, again and again. */
WHET_API whet_status whet_media_register(void);
/* Those that this build was made without, as words; "" when there are none. Their files are refused by name. */
WHET_API const char *whet_media_left_out(void);

/* Sound as floats in -1..1, `channels` of them for each frame. */
typedef struct whet_sound {
  size_t size; /* sizeof(whet_sound) */
  float *data; /* [frames][channels] */
  int64_t frames;
  int32_t channels;
  int32_t rate; /* frames in a second */
  int32_t came; /* and in the file */
} whet_sound;

typedef struct whet_sound_opts {
  size_t size;        /* sizeof(whet_sound_opts) */
  int mono;           /* not 0: the mean of all channels */
  int64_t max_frames; /* 0: 100,000,000 */
  int32_t rate; /* frames in a second that are wanted: other sound is resampled (whet/resample.h); 0: as it comes */
} whet_sound_opts;

WHET_API whet_sound_opts whet_sound_opts_default(void);

/* Read a WAV file: PCM of 8, 16, 24 or 32 bits, float of 32 or 64, also in the extensible form. o may be NULL. Free
 * the result with whet_sound_free. E_FORMAT, E_UNSUPPORTED (another coding, by number), E_LIMIT, E_MEMORY. */
WHET_API whet_status whet_sound_decode(const void *bytes, size_t n, const whet_sound_opts *o, whet_sound *out,
                                       whet_err *err);
WHET_API void whet_sound_free(whet_sound *s);

#ifdef __cplusplus
}
#endif
#endif
