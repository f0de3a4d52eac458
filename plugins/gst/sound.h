/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_PLUGINS_GST_SOUND_H
#define WHET_PLUGINS_GST_SOUND_H

/* Buffers of sound, however they are cut, into windows for a model: channels are averaged, samples lie in -1..1. With
 * a front end a window of samples is a row of log-mel energies or cepstra, and `rows` of them are the model's window.
 */

#include <gst/audio/audio.h>

#include "edge/edge.h"
#include "plugins/gst/props.h"
#include "whet/session.h"

typedef struct gst_whet_hearing { /* properties */
  gdouble window, hop, scale, lo, hi;
  gint front, bands, cepstra, rows, rows_hop;
  gboolean raw;
} gst_whet_hearing;

#define GST_WHET_HEARING(T)                                                                            \
  {"window",                                                                                           \
   GST_WHET_REAL,                                                                                      \
   offsetof(T, hearing.window),                                                                        \
   0,                                                                                                  \
   1e6,                                                                                                \
   0,                                                                                                  \
   NULL,                                                                                               \
   "Sound: milliseconds of a window; 0: what the model's input takes"},                                \
      {"hop",                                                                                          \
       GST_WHET_REAL,                                                                                  \
       offsetof(T, hearing.hop),                                                                       \
       0,                                                                                              \
       1e6,                                                                                            \
       0,                                                                                              \
       NULL,                                                                                           \
       "Sound: milliseconds from window to window; 0: one follows the other"},                         \
      {"front",                                                                                        \
       GST_WHET_CHOICE,                                                                                \
       offsetof(T, hearing.front),                                                                     \
       0,                                                                                              \
       0,                                                                                              \
       0,                                                                                              \
       "none|librosa|torchaudio|kaldi",                                                                \
       "Sound: what becomes of a window: its samples, or log-mel energies as these have them"},        \
      {"bands", GST_WHET_INT, offsetof(T, hearing.bands), 1, 1024, 40, NULL, "front: mel bands"},      \
      {"cepstra",                                                                                      \
       GST_WHET_INT,                                                                                   \
       offsetof(T, hearing.cepstra),                                                                   \
       0,                                                                                              \
       1024,                                                                                           \
       0,                                                                                              \
       NULL,                                                                                           \
       "front: so many coefficients (MFCC) instead of bands"},                                         \
      {"low", GST_WHET_REAL, offsetof(T, hearing.lo), 0, 1e9, 0, NULL, "front: lowest frequency, Hz"}, \
      {"high",                                                                                         \
       GST_WHET_REAL,                                                                                  \
       offsetof(T, hearing.hi),                                                                        \
       0,                                                                                              \
       1e9,                                                                                            \
       0,                                                                                              \
       NULL,                                                                                           \
       "front: highest frequency, Hz; 0: half the rate"},                                              \
      {"rows",                                                                                         \
       GST_WHET_INT,                                                                                   \
       offsetof(T, hearing.rows),                                                                      \
       1,                                                                                              \
       1 << 20,                                                                                        \
       1,                                                                                              \
       NULL,                                                                                           \
       "front: so many windows' rows are one input of the model"},                                     \
      {"rows-hop",                                                                                     \
       GST_WHET_INT,                                                                                   \
       offsetof(T, hearing.rows_hop),                                                                  \
       0,                                                                                              \
       1 << 20,                                                                                        \
       0,                                                                                              \
       NULL,                                                                                           \
       "front: rows from input to input; 0: all"},                                                     \
      {"scale",                                                                                        \
       GST_WHET_REAL,                                                                                  \
       offsetof(T, hearing.scale),                                                                     \
       -1e12,                                                                                          \
       1e12,                                                                                           \
       1,                                                                                              \
       NULL,                                                                                           \
       "Sound: numbers are multiplied by it (32768 for 16-bit inputs)"},                               \
  {                                                                                                    \
    "raw", GST_WHET_BOOL, offsetof(T, hearing.raw), 0, 0, 0, NULL,                                     \
        "Sound: numbers are what a quantised input stores"                                             \
  }

typedef struct gst_whet_sound gst_whet_sound;
/* For sound of these caps and the input of a model. E_DATA, E_SHAPE: what does not fit. */
EDGE_MUST whet_status gst_whet_sound_create(const gst_whet_hearing *o, const GstAudioInfo *info,
                                            const whet_info *input, gst_whet_sound **out, whet_err *err);
void gst_whet_sound_close(gst_whet_sound **s);
/* Take a buffer; `each` gets what is one input of the model, with where in the stream it begins and ends. A buffer
 * that is marked as discontinuous begins anew. */
EDGE_MUST whet_status gst_whet_sound_take(gst_whet_sound *s, GstBuffer *b,
                                          whet_status (*each)(void *user, const float *v, size_t n, GstClockTime at,
                                                              GstClockTime until, whet_err *err),
                                          void *user, whet_err *err);

#endif
