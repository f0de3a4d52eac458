/* SPDX-License-Identifier: Apache-2.0 */
/* The sink `image`: a frame's picture as a file; sinks behind it name the file in their events. Nobody sees
 * a half one; the oldest go when there are too many. With `send` it is handed over, too, or only. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edge/file.h"
#include "edge/pipeline/region.h"
#include "edge/pipeline/sink/file_sink.h"
#include "edge/pipeline/sink/folder.h"
#include "whet/codec.h"

typedef struct image {
  file_sink f;
  const char *folder; /* NULL: pictures are only handed over */
  int format;         /* jpeg, pnm */
  int64_t quality, most;
  bool boxes;
  serve_buf bytes;
  uint64_t since; /* files since the folder was looked through */
} image;

#define AT(field) offsetof(image, field)
static const conf_key k_keys[] = {{.name = "folder", CONF_STR, AT(folder)},
                                  FILE_SINK_KEY(image),
                                  {.name = "format", CONF_CHOICE, AT(format), "jpeg|pnm"},
                                  {.name = "quality", CONF_INT, AT(quality), NULL, 1, 100},
                                  {.name = "most", CONF_INT, AT(most), NULL, 1, 1e9},
                                  {.name = "boxes", CONF_BOOL, AT(boxes)},
                                  {0}};
static const image k_defaults = {.quality = 85, .most = 10000};

static whet_status open_image(pl_node *n, whet_err *err) {
  image *s = (image *)n;
  if (!s->folder && !s->f.send) return pl_fail(n, err, "expected folder: where pictures are put, or send, or both");
  if (s->folder && !(s->folder = pl_path(n, s->folder, err))) return WHET_E_MEMORY;
  return file_sink_open(n, err);
}

static whet_status start(pl_node *n, whet_err *err) {
  const image *s = (const image *)n;
  if (s->folder) EDGE_TRY(sink_folder_make(n, s->folder, err));
  return file_sink_start(n, err);
}

/* Lines around the objects, two pixels wide. */
static void outline(pl_frame *f, const pl_object *o) {
  static const uint8_t k_colour[3] = {0, 255, 0};
  whet_picture *p = &f->pic;
  pl_box b = pl_box_of(f, o, 0);
  pipe_paint(p, (pl_box){b.x0, b.y0, b.x1, b.y0 + 2}, k_colour);
  pipe_paint(p, (pl_box){b.x0, b.y1 - 2, b.x1, b.y1}, k_colour);
  pipe_paint(p, (pl_box){b.x0, b.y0, b.x0 + 2, b.y1}, k_colour);
  pipe_paint(p, (pl_box){b.x1 - 2, b.y0, b.x1, b.y1}, k_colour);
}

static whet_status save(const image *s, const char *name, whet_err *err) {
  int fd = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool ok = fd >= 0 && edge_save(fd, name, s->bytes.p, s->bytes.n, false);
  int why = errno;
  if (fd >= 0) close(fd);
  return ok ? WHET_OK : edge_fail(err, WHET_E_IO, "%s/%s: %s", s->folder, name, strerror(why));
}

static const char *const k_kinds[][2] = {
    {"jpg", "image/jpeg"}, {"pgm", "image/x-portable-graymap"}, {"ppm", "image/x-portable-pixmap"}};

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  image *s = (image *)n;
  char name[PL_ITEM];
  if (f->content != PL_PICTURE) return WHET_OK; /* it was dropped, or there was none */
  pl_frame *c = f;
  whet_status st = WHET_OK;
  if (s->boxes && f->n_object) { /* other sinks get the picture as it is */
    if (!(c = pl_frame_copy(f))) return edge_fail(err, WHET_E_MEMORY, "no memory for a frame");
    st = pl_frame_own(c, err);
    for (size_t i = 0; !st && i < c->n_object; i++) outline(c, &c->object[i]);
  }
  if (!st)
    st = whet_picture_encode(&c->pic, s->format ? "pnm" : "jpeg", (int)s->quality, sink_room, &s->bytes, &s->bytes.n,
                             err);
  if (c != f) pl_frame_free(c);
  if (st) return st;
  sink_folder_name(f, name, sizeof name);
  size_t at = strlen(name);
  const char *const *kind = k_kinds[!s->format ? 0 : f->pic.pixel == WHET_PIXEL_GRAY ? 1 : 2];
  snprintf(name + at, sizeof name - at, "_%llu.%s", (unsigned long long)f->seq, kind[0]);
  if (s->folder) EDGE_TRY(save(s, name, err));
  snprintf(f->file, sizeof f->file, "%s", name);
  EDGE_TRY(file_sink_give(n, s->bytes.p, s->bytes.n, kind[1], name, err));
  if (s->folder && ++s->since > (uint64_t)s->most / 10 + 1)
    sink_folder_trim(s->folder, ".jpg.ppm.pgm", s->most), s->since = 0;
  return WHET_OK;
}

static whet_status flush(pl_node *n, whet_err *err) {
  const image *s = (const image *)n;
  if (s->since) sink_folder_trim(s->folder, ".jpg.ppm.pgm", s->most);
  return file_sink_flush(n, err);
}

static void close_image(pl_node *n) {
  file_sink_close(n);
  buf_free(&((image *)n)->bytes);
}

const pl_kind pl_sink_image = {.name = "image",
                               .size = sizeof(image),
                               .keys = k_keys,
                               .lone = "folder",
                               .defaults = &k_defaults,
                               .open = open_image,
                               .start = start,
                               .run = run,
                               .flush = flush,
                               .close = close_image,
                               .stop = file_sink_stop,
                               .stats = file_sink_stats,
                               .link = file_sink_link};
