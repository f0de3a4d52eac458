/* SPDX-License-Identifier: Apache-2.0 */
/* Windows of sound. */

#include "plugins/gst/sound.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "edge/pipe/mel.h"

enum { MOST_SAMPLES = 1 << 24 };

/* Rows of one length, of which the last `length` are a window, every `hop`. */
struct ring {
  float *v;
  size_t columns, length, hop, have, skip;
};

struct gst_whet_sound {
  GstAudioInfo info;
  pipe_mel *mel; /* NULL: samples */
  float *row;    /* of the front end */
  struct ring samples, rows;
  guint64 count;      /* samples since the start below */
  GstClockTime start; /* of the first sample; NONE: the stream does not tell */
  bool begun;
};

static whet_status ring_open(struct ring *r, size_t columns, size_t length, size_t hop, whet_err *err) {
  *r = (struct ring){.columns = columns, .length = length, .hop = hop};
  if (length > MOST_SAMPLES || hop > MOST_SAMPLES || columns * length > MOST_SAMPLES)
    return edge_fail(err, WHET_E_DATA, "a window of %zu", length);
  r->v = calloc(columns * length, sizeof *r->v);
  return r->v ? WHET_OK : edge_fail(err, WHET_E_MEMORY, "no memory for a window");
}

/* One row more. True: a window is full. */
static bool ring_put(struct ring *r, const float *row) {
  if (r->skip) {
    r->skip--;
    return false;
  }
  memcpy(r->v + r->have++ * r->columns, row, r->columns * sizeof *row);
  return r->have == r->length;
}

static void ring_next(struct ring *r) {
  size_t keep = r->hop < r->length ? r->length - r->hop : 0;
  memmove(r->v, r->v + (r->length - keep) * r->columns, keep * r->columns * sizeof *r->v);
  r->have = keep;
  r->skip = r->hop > r->length ? r->hop - r->length : 0;
}

whet_status gst_whet_sound_create(const gst_whet_hearing *o, const GstAudioInfo *info, const whet_info *input,
                                  gst_whet_sound **out, whet_err *err) {
  gst_whet_sound *s = calloc(1, sizeof *s);
  double rate = GST_AUDIO_INFO_RATE(info);
  *out = NULL;
  if (!s) return edge_fail(err, WHET_E_MEMORY, "no memory for sound");
  s->info = *info;
  size_t want = 1;
  bool known = input->rank >= 0;
  for (int32_t i = 0; known && i < input->rank; i++) {
    if (input->dims[i] >= 0) want *= (size_t)input->dims[i];
    known = i == 0 || input->dims[i] >= 0; /* a free batch is one */
  }
  size_t length = (size_t)llround(o->window * 1e-3 * rate),
         columns = o->cepstra ? (size_t)o->cepstra : (size_t)o->bands;
  whet_status st = WHET_OK;
  if (!length && (o->front || !known)) st = edge_fail(err, WHET_E_DATA, "window: expected milliseconds of a window");
  if (!length) length = want;
  size_t hop = o->hop > 0 ? (size_t)llround(o->hop * 1e-3 * rate) : length;
  if (!hop) hop = 1;
  size_t numbers = o->front ? columns * (size_t)o->rows : length;
  if (!st && known && numbers != want)
    st =
        edge_fail(err, WHET_E_SHAPE, "the input \"%.60s\" takes %zu numbers, a window has %zu at %g samples a second",
                  input->name, want, numbers, rate);
  if (!st && !known)
    st = edge_fail(err, WHET_E_UNSUPPORTED, "the input \"%.60s\" has free sizes: a window cannot tell them",
                   input->name);
  if (!st) st = ring_open(&s->samples, 1, length, hop, err);
  if (!st && o->front) {
    const pipe_mel_opts m = {.kind = (pipe_mel_kind)(o->front - 1),
                             .rate = rate,
                             .length = length,
                             .bands = (size_t)o->bands,
                             .lo = o->lo,
                             .hi = o->hi,
                             .cepstra = (size_t)o->cepstra};
    st = pipe_mel_create(&m, &s->mel, err);
    if (!st)
      st = ring_open(&s->rows, columns, (size_t)o->rows, o->rows_hop ? (size_t)o->rows_hop : (size_t)o->rows, err);
    if (!st && !(s->row = calloc(columns, sizeof *s->row))) st = edge_fail(err, WHET_E_MEMORY, "no memory for sound");
  }
  if (st)
    gst_whet_sound_close(&s);
  else
    *out = s;
  return st;
}

void gst_whet_sound_close(gst_whet_sound **at) {
  gst_whet_sound *s = *at;
  *at = NULL;
  if (!s) return;
  pipe_mel_close(&s->mel);
  free(s->row);
  free(s->samples.v);
  free(s->rows.v);
  free(s);
}

/* The time of a sample of the stream. */
static GstClockTime time_of(const gst_whet_sound *s, guint64 sample) {
  guint64 t = gst_util_uint64_scale(sample, GST_SECOND, (guint64)GST_AUDIO_INFO_RATE(&s->info));
  return s->start == GST_CLOCK_TIME_NONE ? t : s->start + t;
}

static float mono(const gst_whet_sound *s, const guint8 *p, guint64 i) {
  gint channels = GST_AUDIO_INFO_CHANNELS(&s->info);
  float sum = 0;
  for (gint c = 0; c < channels; c++) {
    guint64 at = i * (guint64)channels + (guint64)c;
    sum += GST_AUDIO_INFO_FORMAT(&s->info) == GST_AUDIO_FORMAT_S16LE
               ? (float)GST_READ_UINT16_LE(p + 2 * at) - (GST_READ_UINT16_LE(p + 2 * at) > 32767 ? 65536.0f : 0)
               : 32768 * GST_READ_FLOAT_LE(p + 4 * at);
  }
  return sum / (32768 * (float)channels);
}

whet_status gst_whet_sound_take(gst_whet_sound *s, GstBuffer *b,
                                whet_status (*each)(void *user, const float *v, size_t n, GstClockTime at,
                                                    GstClockTime until, whet_err *err),
                                void *user, whet_err *err) {
  GstMapInfo map;
  if (!s->begun || GST_BUFFER_FLAG_IS_SET(b, GST_BUFFER_FLAG_DISCONT)) {
    s->samples.have = s->samples.skip = s->rows.have = s->rows.skip = 0;
    s->count = 0;
    s->start = GST_BUFFER_PTS(b);
    s->begun = true;
  }
  if (!gst_buffer_map(b, &map, GST_MAP_READ)) return edge_fail(err, WHET_E_DATA, "a buffer that cannot be read");
  guint64 n = map.size / (guint64)GST_AUDIO_INFO_BPF(&s->info);
  float *v = malloc((size_t)n * sizeof *v + 1); /* the buffer takes metadata only when it is not mapped */
  for (guint64 i = 0; v && i < n; i++) v[i] = mono(s, map.data, i);
  gst_buffer_unmap(b, &map);
  if (!v) return edge_fail(err, WHET_E_MEMORY, "no memory for sound");
  whet_status st = WHET_OK;
  for (guint64 i = 0; !st && i < n; i++) {
    s->count++;
    if (!ring_put(&s->samples, &v[i])) continue;
    struct ring *full = &s->samples;
    guint64 length = s->samples.length;
    if (s->mel) {
      pipe_mel_run(s->mel, s->samples.v, s->row);
      ring_next(&s->samples);
      if (!ring_put(&s->rows, s->row)) continue;
      full = &s->rows;
      length += (s->rows.length - 1) * s->samples.hop;
    }
    st = each(user, full->v, full->length * full->columns, time_of(s, s->count - length), time_of(s, s->count), err);
    ring_next(full);
  }
  free(v);
  return st;
}
