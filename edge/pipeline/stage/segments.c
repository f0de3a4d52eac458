/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `segments`: a model's scores for every pixel, or its classes, into the classes that the picture holds,
 * with their part of it as score; and, if asked, the connected areas of each class as objects. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "edge/pipeline/inner.h"
#include "edge/pipeline/label.h"

enum { MOST_CLASSES = 1024 };

/* Pixels of the map, both ends in. */
typedef struct span {
  float x0, y0, x1, y1;
} span;

typedef struct segments {
  pl_node n;
  const char *labels_file;
  const pipe_labels *labels;
  int layout; /* auto, nchw, nhwc, map */
  int64_t output, background;
  double least; /* part of the picture */
  bool areas;
  float *v;
  uint16_t *class; /* [height][width] */
  uint32_t *todo;  /* pixels of an area that are to be looked around */
  size_t cap_v, cap;
  uint64_t count[MOST_CLASSES];
} segments;

#define AT(field) offsetof(segments, field)
static const conf_key k_keys[] = {{.name = "labels", CONF_STR, AT(labels_file)},
                                  {.name = "layout", CONF_CHOICE, AT(layout), "auto|nchw|nhwc|map"},
                                  {.name = "output", CONF_INT, AT(output), NULL, 0, PL_OUTPUTS - 1},
                                  {.name = "background", CONF_INT, AT(background), NULL, -1, MOST_CLASSES - 1},
                                  {.name = "least", CONF_REAL, AT(least), NULL, 0, 1},
                                  {.name = "areas", CONF_BOOL, AT(areas)},
                                  {0}};
static const segments k_defaults = {.background = 0, .least = 0.001};

static whet_status open_segments(pl_node *n, whet_err *err) {
  segments *s = (segments *)n;
  if (!pl_is_behind_infer(n)) return pl_fail(n, err, "it reads a model's outputs, but no infer stands before it");
  return pl_labels(n, s->labels_file, &s->labels, err);
}

/* How the output holds its map: sizes, and steps from a class, row and column to the next; classes 1: it holds
 * classes. */
typedef struct map {
  size_t h, w, classes, step_c, step_y, step_x;
} map;

static whet_status shape(const segments *s, const pipe_tensor *t, map *m, whet_err *err) {
  const int64_t *d = t->dims;
  int32_t rank = t->rank;
  while (rank > 2 && d[0] == 1 && (rank > 3 || s->layout == 3 || (s->layout == 0 && rank == 3)))
    d++, rank--; /* the batch */
  bool ok = rank == 2 || rank == 3;
  if (ok && (rank == 2 || s->layout == 3)) {
    *m = (map){(size_t)d[0], (size_t)d[1], 1, 0, (size_t)d[1], 1};
    ok = rank == 2;
  } else if (ok) {
    bool first = s->layout == 1 || (s->layout == 0 && d[0] < d[1] && d[0] < d[2]);
    *m = first ? (map){(size_t)d[1], (size_t)d[2], (size_t)d[0], (size_t)(d[1] * d[2]), (size_t)d[2], 1}
               : (map){(size_t)d[0], (size_t)d[1], (size_t)d[2], 1, (size_t)(d[1] * d[2]), (size_t)d[2]};
  }
  ok = ok && m->h && m->w && m->classes && m->classes <= MOST_CLASSES && m->h * m->w < (size_t)1 << 28;
  return ok ? WHET_OK
            : edge_fail(err, WHET_E_SHAPE,
                        "expected scores [1, classes, height, width], classes last, or classes [1, height, "
                        "width]");
}

/* The class of every pixel. */
static whet_status classify(segments *s, const pipe_tensor *t, const map *m, whet_err *err) {
  size_t n = m->h * m->w;
  if (t->n > s->cap_v) {
    float *v = realloc(s->v, t->n * sizeof *v);
    if (!v) return edge_fail(err, WHET_E_MEMORY, "no memory for %zu scores", t->n);
    s->v = v, s->cap_v = t->n;
  }
  if (n > s->cap) {
    free(s->class), free(s->todo);
    s->cap = 0;
    s->class = malloc(n * sizeof *s->class), s->todo = malloc(n * sizeof *s->todo);
    if (!s->class || !s->todo) return edge_fail(err, WHET_E_MEMORY, "no memory for %zu pixels", n);
    s->cap = n;
  }
  EDGE_TRY(pipe_tensor_floats(t, 0, t->n, s->v, err));
  memset(s->count, 0, sizeof s->count);
  for (size_t y = 0; y < m->h; y++)
    for (size_t x = 0; x < m->w; x++) {
      const float *p = s->v + y * m->step_y + x * m->step_x;
      size_t best = 0;
      if (m->classes == 1) {
        best = *p >= 0 && *p < MOST_CLASSES ? (size_t)lrintf(*p) : 0;
        if (best >= MOST_CLASSES) best = 0;
      }
      for (size_t c = 1; c < m->classes; c++)
        if (p[c * m->step_c] > p[best * m->step_c]) best = c;
      s->class[y * m->w + x] = (uint16_t)best;
      s->count[best]++;
    }
  return WHET_OK;
}

/* The area around a pixel; its pixels are marked as seen. */
static size_t flood(segments *s, const map *m, size_t at, span *box) {
  uint16_t class = s->class[at];
  size_t n = 0, left = 0;
  s->todo[left++] = (uint32_t)at;
  s->class[at] = UINT16_MAX;
  *box = (span){(float)(at % m->w), (float)(at / m->w), (float)(at % m->w), (float)(at / m->w)};
  while (left) {
    size_t k = s->todo[--left], x = k % m->w, y = k / m->w;
    n++;
    box->x0 = fminf(box->x0, (float)x), box->x1 = fmaxf(box->x1, (float)x);
    box->y0 = fminf(box->y0, (float)y), box->y1 = fmaxf(box->y1, (float)y);
    const size_t next[4] = {x ? k - 1 : k, x + 1 < m->w ? k + 1 : k, y ? k - m->w : k, y + 1 < m->h ? k + m->w : k};
    for (int i = 0; i < 4; i++)
      if (s->class[next[i]] == class) s->class[next[i]] = UINT16_MAX, s->todo[left++] = (uint32_t)next[i];
  }
  return n;
}

static const char *label(const segments *s, size_t i) { return s->labels ? pipe_label(s->labels, i) : NULL; }

/* Objects out of areas, in pixels of the picture. */
static whet_status areas(segments *s, const map *m, pl_frame *f, whet_err *err) {
  size_t all = m->h * m->w;
  double sx = f->in_w ? (double)f->in_w / (double)m->w : 1, sy = f->in_h ? (double)f->in_h / (double)m->h : 1;
  f->objects = true;
  for (size_t i = 0; i < all; i++) {
    size_t class = s->class[i];
    span b;
    if (class == UINT16_MAX || (int64_t) class == s->background) continue;
    size_t n = flood(s, m, i, &b);
    if ((double)n < s->least * (double)all) continue;
    pl_object *o = pl_add_object(f);
    if (!o) return edge_fail(err, WHET_E_MEMORY, "no memory for objects");
    *o = (pl_object){.score = (float)((double)n / (double)all), .index = (uint32_t) class, .label = label(s, class)};
    double x0 = (double)b.x0 * sx, y0 = (double)b.y0 * sy, x1 = (double)(b.x1 + 1) * sx, y1 = (double)(b.y1 + 1) * sy;
    if (f->in_w) {
      x0 = (x0 - f->place.offset_x) / f->place.scale_x, x1 = (x1 - f->place.offset_x) / f->place.scale_x;
      y0 = (y0 - f->place.offset_y) / f->place.scale_y, y1 = (y1 - f->place.offset_y) / f->place.scale_y;
      x0 = fmax(x0, 0), y0 = fmax(y0, 0), x1 = fmin(x1, f->width), y1 = fmin(y1, f->height);
    }
    o->x0 = (float)x0, o->y0 = (float)y0, o->x1 = (float)x1, o->y1 = (float)y1;
  }
  return WHET_OK;
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  segments *s = (segments *)n;
  map m = {0};
  if ((size_t)s->output >= f->n_output)
    return edge_fail(err, WHET_E_NAME, "the model has no output %lld", (long long)s->output);
  const pipe_tensor *t = &f->output[s->output];
  EDGE_TRY(shape(s, t, &m, err));
  EDGE_TRY(classify(s, t, &m, err));
  f->n_class = f->n_object = 0;
  for (;;) { /* the greatest part first */
    size_t best = MOST_CLASSES;
    for (size_t c = 0; c < MOST_CLASSES; c++)
      if (s->count[c] && (int64_t)c != s->background && (best == MOST_CLASSES || s->count[c] > s->count[best]))
        best = c;
    if (best == MOST_CLASSES || (double)s->count[best] < s->least * (double)(m.h * m.w)) break;
    pl_class *c = pl_add_class(f);
    if (!c) return edge_fail(err, WHET_E_MEMORY, "no memory for classes");
    *c = (pl_class){(uint32_t)best, (float)((double)s->count[best] / (double)(m.h * m.w)), label(s, best)};
    s->count[best] = 0;
  }
  if (s->areas) EDGE_TRY(areas(s, &m, f, err));
  return pl_pass(n, f, err);
}

static void close_segments(pl_node *n) {
  segments *s = (segments *)n;
  free(s->v), free(s->class), free(s->todo);
}

static const char *labels(const pl_node *n) { return ((const segments *)n)->labels_file; }

const pl_kind pl_stage_segments = {.name = "segments",
                                   .size = sizeof(segments),
                                   .keys = k_keys,
                                   .defaults = &k_defaults,
                                   .open = open_segments,
                                   .run = run,
                                   .close = close_segments,
                                   .labels = labels};
