/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_RESAMPLE_H
#define WHET_RESAMPLE_H

/* Sound of one rate into another, by any ratio of whole numbers: frames as they come, in pieces of any length.
 *
 * A windowed sinc (Kaiser's window, 64 zero crossings on each side), cut into phases: between 0 and 0.9 of the lower
 * of both half rates nothing is lost, from there on all is gone by 100 dB. Output frame m is the sound at the time m
 * / to: no delay, before the first and behind the last frame is silence. A resampler belongs to one thread at a time.
 * Sources: Crochiere and Rabiner, Multirate Digital Signal Processing, 1983; Kaiser's design formulas, 1974. */

#include "whet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct whet_resampler whet_resampler;

/* from, to: frames a second, 1..10,000,000; channels 1..4096. E_DATA: others; E_LIMIT: one more than 4096 times the
 * other; E_MEMORY. */
WHET_API whet_status whet_resampler_create(int32_t from, int32_t to, int32_t channels, whet_resampler **out,
                                           whet_err *err);
/* Frees it and sets *r to NULL; NULL is accepted. */
WHET_API void whet_resampler_close(whet_resampler **r);
/* Begin anew: what was held back is forgotten. */
WHET_API void whet_resampler_reset(whet_resampler *r);
/* At most so many frames come out when `frames` more go in, end or not. */
WHET_API size_t whet_resampler_room(const whet_resampler *r, size_t frames);
/* Take frames of interleaved float32; write to out what is ready, at most `room` (E_SHAPE: it would not fit; nothing
 * is taken). end: these were the last, what is held back is written too, ceil(all * to / from) frames in all, and it
 * begins anew. *n: frames written. E_MEMORY: nothing is taken. */
WHET_API whet_status whet_resampler_run(whet_resampler *r, const float *in, size_t frames, int end, float *out,
                                        size_t room, size_t *n, whet_err *err);

#ifdef __cplusplus
}
#endif
#endif
