/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `voice`: a model's probabilities of speech into segments, by the rules of Silero's get_speech_timestamps:
 * on from `on` up, off when it stayed below `off` for `silence`; segments shorter than `speech` are none; a pad on
 * both sides that two neighbours share. */

#include <math.h>
#include <string.h>

#include "edge/pipeline/inner.h"

typedef struct segment {
  double start, end, sum; /* seconds of the item; of probabilities */
  uint64_t frames;
} segment;

typedef struct voice {
  pl_node n;
  double on, off, speech, silence, pad;
  int pass; /* segments, all */
  int64_t output;
  bool talking, held; /* a segment is open; one waits for its pad */
  segment now, before;
  double quiet;          /* where it fell below `off`; < 0: it did not */
  double first, reached; /* least start of the next segment; end of what was seen */
  int64_t zero;          /* time at which the item began */
  pl_frame last;
} voice;

#define AT(field) offsetof(voice, field)
static const conf_key k_keys[] = {{.name = "on", CONF_REAL, AT(on), NULL, 0, 1},
                                  {.name = "off", CONF_REAL, AT(off), NULL, 0, 1},
                                  {.name = "speech", CONF_SECONDS, AT(speech)},
                                  {.name = "silence", CONF_SECONDS, AT(silence)},
                                  {.name = "pad", CONF_SECONDS, AT(pad)},
                                  {.name = "pass", CONF_CHOICE, AT(pass), "segments|all"},
                                  {.name = "output", CONF_INT, AT(output), NULL, 0, PL_OUTPUTS - 1},
                                  {0}};
static const voice k_defaults = {.on = 0.5, .speech = 0.25, .silence = 0.1, .pad = 0.03};

static whet_status open_voice(pl_node *n, whet_err *err) {
  voice *s = (voice *)n;
  if (!pl_is_behind_infer(n)) return pl_fail(n, err, "it reads a model's outputs, but no infer stands before it");
  if (!pl_given(n, "off")) s->off = fmax(s->on - 0.15, 0.01);
  return s->off <= s->on ? WHET_OK : pl_fail(n, err, "off: expected at most on (%g), got %g", s->on, s->off);
}

static void begin(pl_node *n) {
  voice *s = (voice *)n;
  s->talking = s->held = false;
  s->quiet = -1;
  s->first = s->reached = 0;
  s->last.source = NULL;
}

static whet_status emit(voice *s, const segment *g, whet_err *err) {
  pl_frame *f = pl_frame_new(pl_pool_of(&s->n));
  if (!f) return edge_fail(err, WHET_E_MEMORY, "no memory for a frame");
  pl_frame_from(f, &s->last);
  f->at = g->start;
  f->until = g->end;
  f->time = s->zero + (int64_t)(g->start * 1e9);
  f->event = "speech";
  pl_set_value(f, "probability", g->frames ? g->sum / (double)g->frames : 0);
  whet_status st = pl_pass(&s->n, f, err);
  pl_frame_free(f);
  return st;
}

/* Hand on the segment that waits; the next begins at `next` (INFINITY: there is none near). */
static whet_status release(voice *s, double *next, whet_err *err) {
  if (!s->held) {
    if (next) *next = fmax(0, *next - s->pad);
    return WHET_OK;
  }
  s->held = false;
  double gap = next ? *next - s->before.end : INFINITY;
  if (gap < 2 * s->pad) {
    s->before.end += gap / 2;
    *next = fmax(0, *next - gap / 2);
  } else {
    s->before.end = next ? s->before.end + s->pad : fmin(s->before.end + s->pad, s->reached);
    if (next) *next = fmax(0, *next - s->pad);
  }
  return emit(s, &s->before, err);
}

/* The open segment is over at `end`. */
static whet_status close_segment(voice *s, double end, whet_err *err) {
  s->talking = false;
  s->quiet = -1;
  if (end - s->now.start <= s->speech) return WHET_OK;
  s->now.end = end;
  EDGE_TRY(release(s, &s->now.start, err));
  s->before = s->now;
  s->held = true;
  return WHET_OK;
}

static whet_status step(voice *s, double at, double until, float p, whet_err *err) {
  s->reached = until;
  if (s->talking) s->now.sum += (double)p, s->now.frames++;
  if ((double)p >= s->on) {
    s->quiet = -1;
    if (!s->talking) {
      s->talking = true;
      s->now = (segment){.start = at, .sum = (double)p, .frames = 1};
    }
  } else if ((double)p < s->off && s->talking) {
    if (s->quiet < 0) s->quiet = at;
    if (at - s->quiet >= s->silence - 1e-9) EDGE_TRY(close_segment(s, s->quiet, err));
  }
  /* nothing that follows can share the pad any more */
  if (s->held && !s->talking && at - s->before.end >= 2 * s->pad) EDGE_TRY(release(s, NULL, err));
  return WHET_OK;
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  voice *s = (voice *)n;
  float p;
  if ((size_t)s->output >= f->n_output)
    return edge_fail(err, WHET_E_NAME, "the model has no output %lld", (long long)s->output);
  if (f->at < 0 || f->until < 0)
    return edge_fail(err, WHET_E_DATA,
                     "frames without a place in time; put a window over samples of a known rate before the model");
  EDGE_TRY(pipe_tensor_floats(&f->output[s->output], 0, 1, &p, err));
  if (!s->last.source) s->zero = f->time - (int64_t)(f->at * 1e9);
  pl_frame_from(&s->last, f);
  EDGE_TRY(step(s, f->at, f->until, p, err));
  pl_set_value(f, "speech", (double)p);
  return s->pass ? pl_pass(n, f, err) : WHET_OK;
}

static whet_status end(pl_node *n, whet_err *err) {
  voice *s = (voice *)n;
  if (!s->last.source) return WHET_OK;
  if (s->talking) EDGE_TRY(close_segment(s, s->reached, err));
  return release(s, NULL, err);
}

static bool gives(const pl_node *n, const char *name) {
  return !strcmp(name, "probability") || !strcmp(name, "speech");
}

const pl_kind pl_stage_voice = {.name = "voice",
                                .size = sizeof(voice),
                                .keys = k_keys,
                                .defaults = &k_defaults,
                                .open = open_voice,
                                .run = run,
                                .begin = begin,
                                .end = end,
                                .gives = gives};
