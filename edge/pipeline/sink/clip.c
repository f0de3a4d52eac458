/* SPDX-License-Identifier: Apache-2.0 */
/* The sink `clip`: a short video (Motion JPEG in AVI) around what happened: from `before` it until `after` the last
 * frame at which it did. Pictures that wait are packed already, so that a wait of seconds costs little memory. With
 * `send` a clip is handed over, too, when it is whole. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edge/pipeline/avi.h"
#include "edge/pipeline/measure.h"
#include "edge/pipeline/sink/file_sink.h"
#include "edge/pipeline/sink/folder.h"
#include "edge/pipeline/sink/lines.h"
#include "whet/codec.h"

typedef struct kept {
  serve_buf jpeg;
  int64_t time;
  int32_t width, height;
} kept;

typedef struct clip {
  file_sink f;
  pl_measure what;
  const char *folder;
  double on, before, after, rate, longest;
  int64_t quality, most;
  kept *ring; /* [size] */
  size_t size, at, used;
  bool runs;
  char path[4096];
  pl_avi avi;
  int64_t begun, last, seen,
      next; /* times of frames: first, last added, last at which it happened, when the next may be */
} clip;

#define AT(field) offsetof(clip, field)
static const conf_key k_keys[] = {{.name = "folder", CONF_STR, AT(folder), NULL, 0, 0, true},
                                  FILE_SINK_KEY(clip),
                                  PL_MEASURE_KEYS(clip, what),
                                  {.name = "on", CONF_REAL, AT(on)},
                                  {.name = "before", CONF_SECONDS, AT(before), NULL, 0, 60},
                                  {.name = "after", CONF_SECONDS, AT(after), NULL, 0, 3600},
                                  {.name = "longest", CONF_SECONDS, AT(longest), NULL, 1, 3600},
                                  {.name = "rate", CONF_REAL, AT(rate), NULL, 0.1, 120},
                                  {.name = "quality", CONF_INT, AT(quality), NULL, 1, 100},
                                  {.name = "most", CONF_INT, AT(most), NULL, 1, 1e6},
                                  {0}};
static const clip k_defaults = {.what = {.of = "count"},
                                .on = 1,
                                .before = 2,
                                .after = 3,
                                .longest = 60,
                                .rate = 10,
                                .quality = 75,
                                .most = 100,
                                .avi = {.fd = -1}};

static whet_status open_clip(pl_node *n, whet_err *err) {
  clip *s = (clip *)n;
  EDGE_TRY(pl_measure_known(n, &s->what, err));
  if (!(s->folder = pl_path(n, s->folder, err))) return WHET_E_MEMORY;
  s->size = (size_t)(s->before * s->rate) + 1;
  s->ring = pl_keep(n, s->size * sizeof *s->ring, err);
  return s->ring ? file_sink_open(n, err) : WHET_E_MEMORY;
}

static whet_status start(pl_node *n, whet_err *err) {
  EDGE_TRY(sink_folder_make(n, ((clip *)n)->folder, err));
  return file_sink_start(n, err);
}

/* The name of the clip that is being made, without its folder. */
static const char *name_of(const clip *s) {
  const char *name = strrchr(s->path, '/');
  return name ? name + 1 : s->path;
}

/* The clip is whole: it gets its name. */
static whet_status finish(clip *s, whet_err *err) {
  char part[4200];
  if (!s->runs) return WHET_OK;
  s->runs = false;
  snprintf(part, sizeof part, "%s.part", s->path);
  double seconds = (double)(s->last - s->begun) * 1e-9;
  EDGE_TRY(pl_avi_close(&s->avi, seconds * s->avi.frames / (s->avi.frames > 1 ? s->avi.frames - 1 : 1), err));
  if (rename(part, s->path)) return edge_fail(err, WHET_E_IO, "%s: %s", s->path, strerror(errno));
  whet_status st = file_sink_give_file(&s->f.n, s->path, "video/x-msvideo", name_of(s), err);
  sink_folder_trim(s->folder, ".avi", s->most);
  return st;
}

static whet_status add(clip *s, const kept *k, whet_err *err) {
  if ((uint32_t)k->width != s->avi.width || (uint32_t)k->height != s->avi.height)
    return WHET_OK; /* a clip has one size */
  s->last = k->time;
  return pl_avi_add(&s->avi, k->jpeg.p, k->jpeg.n, err);
}

/* It happens: begin a clip with what was kept. */
static whet_status begin_clip(clip *s, const pl_frame *f, whet_err *err) {
  char name[PL_ITEM], part[4200];
  size_t first = (s->at + s->size - s->used) % s->size;
  const kept *k = &s->ring[(s->at + s->size - 1) % s->size]; /* the one that is now */
  sink_folder_name(f, name, sizeof name);
  if ((size_t)snprintf(s->path, sizeof s->path, "%s/%s.avi", s->folder, name) >= sizeof s->path)
    return edge_fail(err, WHET_E_IO, "%s: the name is too long", s->folder);
  snprintf(part, sizeof part, "%s.part", s->path);
  whet_status st = pl_avi_open(&s->avi, part, (uint32_t)k->width, (uint32_t)k->height, err);
  if (st) return st;
  s->runs = true;
  s->begun = s->ring[first].time;
  for (size_t i = 0; !st && i < s->used; i++) st = add(s, &s->ring[(first + i) % s->size], err);
  return st;
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  clip *s = (clip *)n;
  bool happens = pl_measured(&s->what, f) >= s->on;
  if (happens) s->seen = f->time;
  if (f->content == PL_PICTURE && (f->time >= s->next || f->time < s->last - (int64_t)1000000000)) {
    kept *k = &s->ring[s->at];
    EDGE_TRY(whet_picture_encode(&f->pic, "jpeg", (int)s->quality, sink_room, &k->jpeg, &k->jpeg.n, err));
    k->time = f->time;
    k->width = f->pic.width;
    k->height = f->pic.height;
    s->next = f->time + (int64_t)(0.9e9 / s->rate); /* frames come a little early, too */
    s->at = (s->at + 1) % s->size;
    if (s->used < s->size) s->used++;
    if (s->runs)
      EDGE_TRY(add(s, k, err));
    else if (happens)
      EDGE_TRY(begin_clip(s, f, err));
  }
  if (s->runs) {
    if (happens) snprintf(f->file, sizeof f->file, "%.190s", name_of(s));
    if ((double)(f->time - s->seen) * 1e-9 >= s->after || (double)(f->time - s->begun) * 1e-9 >= s->longest)
      return finish(s, err);
  }
  return WHET_OK;
}

static whet_status flush(pl_node *n, whet_err *err) {
  EDGE_TRY(finish((clip *)n, err));
  return file_sink_flush(n, err);
}

static void close_clip(pl_node *n) {
  clip *s = (clip *)n;
  whet_err err;
  (void)finish(s, &err);
  file_sink_close(n);
  for (size_t i = 0; s->ring && i < s->size; i++) buf_free(&s->ring[i].jpeg);
  buf_free(&s->avi.index);
}

const pl_kind pl_sink_clip = {.name = "clip",
                              .size = sizeof(clip),
                              .keys = k_keys,
                              .lone = "folder",
                              .defaults = &k_defaults,
                              .open = open_clip,
                              .start = start,
                              .run = run,
                              .flush = flush,
                              .close = close_clip,
                              .stop = file_sink_stop,
                              .stats = file_sink_stats,
                              .link = file_sink_link};
