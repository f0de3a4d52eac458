/* SPDX-License-Identifier: Apache-2.0 */
/* WAV: RIFF/WAVE files of PCM and float samples (Microsoft's "Multimedia Programming Interface and Data
 * Specifications", WAVEFORMATEXTENSIBLE). Every size is checked against the bytes that are there. */

#include <stdlib.h>
#include <string.h>

#include "media.h"
#include "whet/resample.h"

enum { PCM = 1, FLOAT = 3, EXTENSIBLE = 0xfffe, DEFAULT_FRAMES = 100 * 1000 * 1000 };

static uint32_t u16(const uint8_t *p) { return p[0] | (uint32_t)p[1] << 8; }
static uint32_t u32(const uint8_t *p) { return u16(p) | u16(p + 2) << 16; }

/* How samples are coded, and where they lie. */
struct wav {
  uint32_t coding, channels, rate, bits;
  const uint8_t *data;
  size_t bytes;
};

whet_sound_opts whet_sound_opts_default(void) { return (whet_sound_opts){.size = sizeof(whet_sound_opts)}; }

/* Find the chunks "fmt " and "data". */
static whet_status chunks(const uint8_t *p, size_t n, struct wav *w, whet_err *err) {
  *w = (struct wav){0};
  if (n < 12 || memcmp(p, "RIFF", 4) || memcmp(p + 8, "WAVE", 4))
    return media_fail(err, WHET_E_FORMAT, "these bytes are no WAV file");
  for (size_t at = 12; at + 8 <= n && !w->data;) {
    const uint8_t *c = p + at;
    size_t left = n - at - 8, size = u32(c + 4);
    bool data = !memcmp(c, "data", 4);
    if (data && (size == 0xffffffff || (!size && left))) size = left; /* written by a program that could not seek */
    if (size > left)
      return media_fail(err, WHET_E_FORMAT, "WAV: chunk \"%.4s\" at offset %zu has %zu bytes, %zu are left",
                        (const char *)c, at, size, left);
    if (!memcmp(c, "fmt ", 4) && size >= 16) {
      w->coding = u16(c + 8);
      w->channels = u16(c + 10);
      w->rate = u32(c + 12);
      w->bits = u16(c + 22);
      if (w->coding == EXTENSIBLE && size >= 40) w->coding = u16(c + 32);
    }
    if (data) w->data = c + 8, w->bytes = size;
    at += 8 + size + (size & 1 && size < left);
  }
  if (!w->coding) return media_fail(err, WHET_E_FORMAT, "WAV: there is no chunk \"fmt \" before the samples");
  if (!w->data) return media_fail(err, WHET_E_FORMAT, "WAV: there are no samples");
  if (w->coding != PCM && w->coding != FLOAT)
    return media_fail(err, WHET_E_UNSUPPORTED, "WAV: coding %u; PCM (1) and float (3) are read", w->coding);
  bool bits = w->coding == PCM ? w->bits == 8 || w->bits == 16 || w->bits == 24 || w->bits == 32
                               : w->bits == 32 || w->bits == 64;
  if (!bits) return media_fail(err, WHET_E_UNSUPPORTED, "WAV: samples of %u bits", w->bits);
  if (!w->channels || w->channels > 256 || !w->rate || w->rate > 10000000)
    return media_fail(err, WHET_E_FORMAT, "WAV: %u channels, %u frames in a second", w->channels, w->rate);
  return WHET_OK;
}

/* The sample at p as a number in -1..1 (floats: as they are). */
static double sample(const struct wav *w, const uint8_t *p) {
  if (w->coding == FLOAT) {
    float f;
    double d;
    if (w->bits == 64) return memcpy(&d, p, 8), d;
    return memcpy(&f, p, 4), f;
  }
  switch (w->bits) {
    case 8:
      return (p[0] - 128) / 128.0;
    case 16:
      return (int16_t)u16(p) / 32768.0;
    case 24:
      return (int32_t)(u16(p) << 8 | (uint32_t)p[2] << 24) / 2147483648.0;
    default:
      return (int32_t)u32(p) / 2147483648.0;
  }
}

/* Sound of another rate instead. */
static whet_status resampled(whet_sound *s, int32_t rate, whet_err *err) {
  whet_resampler *r;
  size_t n;
  whet_status st = whet_resampler_create(s->rate, rate, s->channels, &r, err);
  if (st) return st;
  size_t room = whet_resampler_room(r, (size_t)s->frames);
  float *to = room < SIZE_MAX / sizeof *to / (size_t)s->channels
                  ? malloc((room + 1) * (size_t)s->channels * sizeof *to)
                  : NULL;
  st = to ? whet_resampler_run(r, s->data, (size_t)s->frames, 1, to, room, &n, err)
          : media_fail(err, WHET_E_MEMORY, "WAV: no memory for %zu frames", room);
  whet_resampler_close(&r);
  if (st) {
    free(to);
    return st;
  }
  free(s->data);
  s->data = to;
  s->frames = (int64_t)n;
  s->rate = rate;
  return WHET_OK;
}

whet_status whet_sound_decode(const void *bytes, size_t n, const whet_sound_opts *o, whet_sound *out, whet_err *err) {
  whet_sound_opts def = whet_sound_opts_default();
  struct wav w;
  if (!o) o = &def;
  if (err) err->code = WHET_OK;
  *out = (whet_sound){.size = sizeof *out};
  if (o->size != sizeof *o) return media_fail(err, WHET_E_MISUSE, "whet_sound_opts of %zu bytes", o->size);
  whet_status s = chunks(bytes, n, &w, err);
  if (s) return s;
  size_t each = w.bits / 8, frames = w.bytes / (each * w.channels), into = o->mono ? 1 : w.channels;
  int64_t most = o->max_frames > 0 ? o->max_frames : DEFAULT_FRAMES;
  if (frames > (uint64_t)most || frames > SIZE_MAX / sizeof(float) / into)
    return media_fail(err, WHET_E_LIMIT, "WAV: %zu frames are more than the limit of %lld", frames, (long long)most);
  out->data = malloc((frames ? frames : 1) * into * sizeof(float));
  if (!out->data) return media_fail(err, WHET_E_MEMORY, "WAV: no memory for %zu frames", frames);
  for (size_t i = 0; i < frames; i++) {
    const uint8_t *p = w.data + i * each * w.channels;
    double sum = 0;
    for (size_t c = 0; c < w.channels; c++) {
      double v = sample(&w, p + c * each);
      if (o->mono)
        sum += v;
      else
        out->data[i * into + c] = (float)v;
    }
    if (o->mono) out->data[i] = (float)(sum / w.channels);
  }
  out->frames = (int64_t)frames;
  out->channels = (int32_t)into;
  out->rate = out->came = (int32_t)w.rate;
  if (!o->rate || o->rate == out->rate) return WHET_OK;
  s = resampled(out, o->rate, err);
  if (s) whet_sound_free(out);
  return s;
}

void whet_sound_free(whet_sound *s) {
  free(s->data);
  s->data = NULL;
}
