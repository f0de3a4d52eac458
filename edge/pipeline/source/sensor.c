/* SPDX-License-Identifier: Apache-2.0 */
/* The source `sensor`: numbers that the system shows as files (sysfs, procfs, hwmon, iio), read at a steady pace: a
 * row of them is a frame. */

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <unistd.h>

#include "edge/pipeline/kind.h"

enum { MOST = PL_VALUES };

typedef struct one {
  const char *name, *file;
  double scale, offset;
} one;

typedef struct sensor {
  pl_node n;
  const conf_node *files;
  double every;
  int64_t count; /* rows; 0: without end */
  one v[MOST];
  size_t used;
} sensor;

#define AT(field) offsetof(sensor, field)
static const conf_key k_keys[] = {{.name = "files", CONF_NODE, AT(files), NULL, 0, 0, true},
                                  {.name = "every", CONF_SECONDS, AT(every), NULL, 1e-4, 86400},
                                  {.name = "count", CONF_INT, AT(count), NULL, 0, 1e15},
                                  {0}};
static const sensor k_defaults = {.every = 1};

#define OF(field) offsetof(one, field)
static const conf_key k_one[] = {{.name = "file", CONF_STR, OF(file), NULL, 0, 0, true},
                                 {.name = "scale", CONF_REAL, OF(scale)},
                                 {.name = "offset", CONF_REAL, OF(offset)},
                                 {0}};

static whet_status open_sensor(pl_node *n, whet_err *err) {
  sensor *s = (sensor *)n;
  const pl_node at = {.kind = n->kind, .at = s->files, .p = n->p};
  if (s->files->kind != CONF_MAP || !s->files->n || s->files->n > MOST)
    return pl_fail(&at, err, "files: expected a map of 1 to %d names to files, or to {file, scale, offset}", MOST);
  for (size_t i = 0; i < s->files->n; i++) {
    one *v = &s->v[s->used++];
    const conf_node *x = &s->files->item[i];
    *v = (one){.name = s->files->key[i], .scale = 1};
    if (x->kind == CONF_TEXT)
      v->file = x->text;
    else
      EDGE_TRY(pl_fill(n, x, "a sensor's file", k_one, v, err));
    if (!(v->file = pl_path(n, v->file, err))) return WHET_E_MEMORY;
  }
  return WHET_OK;
}

static bool gives(const pl_node *n, const char *name) { return conf_get(((const sensor *)n)->files, name) != NULL; }

/* The number that a file begins with; patterns are looked up anew, as the system may number devices otherwise. */
static whet_status look(const one *v, double *out, whet_err *err) {
  char text[64];
  glob_t g = {0};
  const char *path = v->file;
  if (strpbrk(path, "*?[") && !glob(path, 0, NULL, &g) && g.gl_pathc) path = g.gl_pathv[0];
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  int why = errno;
  double d;
  if (fd >= 0) close(fd);
  whet_status s = WHET_OK;
  if (n < 0) {
    s = edge_fail(err, WHET_E_IO, "%s: %s: %s", v->name, path, strerror(why));
  } else {
    text[n] = 0;
    text[strcspn(text, " \t\r\n")] = 0;
    if (!conf_real(text, &d))
      s = edge_fail(err, WHET_E_DATA, "%s: %s: \"%.40s\" is no number", v->name, path, text);
    else
      *out = d * v->scale + v->offset;
  }
  if (g.gl_pathv) globfree(&g);
  return s;
}

static whet_status run(pl_node *n, pl_frame *none, whet_err *err) {
  sensor *s = (sensor *)n;
  int64_t step = (int64_t)(s->every * 1e9), due = edge_now();
  (void)none, (void)err;
  for (int64_t i = 0; (!s->count || i < s->count) && pl_source_wait(n, due, -1); i++) {
    int64_t now = edge_now();
    due = now - due > 10 * step ? now + step : due + step;
    pl_frame *f = pl_source_frame(n);
    if (!f) continue;
    whet_err why = {0};
    whet_status st = pl_frame_numbers(f, WHET_F32, 2, (int64_t[]){1, (int64_t)s->used}, &why);
    for (size_t k = 0; !st && k < s->used; k++) {
      double v = 0;
      if ((st = look(&s->v[k], &v, &why))) break;
      ((float *)(void *)f->blob->p)[k] = (float)v;
      pl_set_value(f, s->v[k].name, v);
    }
    f->rate = 1 / s->every;
    f->begin = i == 0;
    if (st)
      pl_failed(n, f, &why), pl_frame_free(f);
    else if (!pl_source_give_timed(n, f))
      break;
  }
  return WHET_OK;
}

const pl_kind pl_source_sensor = {.name = "sensor",
                                  .size = sizeof(sensor),
                                  .keys = k_keys,
                                  .lone = "files",
                                  .defaults = &k_defaults,
                                  .open = open_sensor,
                                  .run = run,
                                  .live = true,
                                  .gives = gives};
