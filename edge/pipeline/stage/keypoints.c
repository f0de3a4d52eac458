/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `keypoints`: points of a body, face or hand, in pixels of the picture.
 *
 *   movenet   one output [1, people, points, 3] or [1, points, 3]: y, x in parts of the tensor, score
 *   heatmaps  one output [1, points, height, width], or points last: each point is where its map is greatest, moved
 * by a quarter towards the greater neighbour numbers   one output of 2 or 3 numbers (x, y in pixels of the tensor,
 * score) for each point */

#include <math.h>
#include <stdlib.h>

#include "edge/pipeline/inner.h"

typedef struct keypoints {
  pl_node n;
  int kind;
  int64_t output, points;
  double score; /* of the mean: people below are none */
  float *v;
  size_t cap;
} keypoints;

#define AT(field) offsetof(keypoints, field)
static const conf_key k_keys[] = {{.name = "kind", CONF_CHOICE, AT(kind), "movenet|heatmaps|numbers", 0, 0, true},
                                  {.name = "output", CONF_INT, AT(output), NULL, 0, PL_OUTPUTS - 1},
                                  {.name = "points", CONF_INT, AT(points), NULL, 1, 4096},
                                  {.name = "score", CONF_REAL, AT(score), NULL, 0, 1},
                                  {0}};

static whet_status open_keypoints(pl_node *n, whet_err *err) {
  keypoints *s = (keypoints *)n;
  if (!pl_is_behind_infer(n)) return pl_fail(n, err, "it reads a model's outputs, but no infer stands before it");
  if (s->kind == 2 && !s->points) return pl_fail(n, err, "kind numbers needs points: how many there are");
  return WHET_OK;
}

/* A point of the tensor, in the picture. */
static whet_status add(pl_frame *f, double x, double y, float score, whet_err *err) {
  pl_point *p = pl_add_point(f);
  if (!p) return edge_fail(err, WHET_E_MEMORY, "no memory");
  if (f->in_w) x = (x - f->place.offset_x) / f->place.scale_x, y = (y - f->place.offset_y) / f->place.scale_y;
  *p = (pl_point){(float)x, (float)y, score};
  return WHET_OK;
}

/* The points from `from` on become a person, unless their mean score is too small. */
static whet_status person(const keypoints *s, pl_frame *f, size_t from, whet_err *err) {
  double sum = 0;
  size_t n = f->n_point - from;
  pl_object o = {.x0 = INFINITY,
                 .y0 = INFINITY,
                 .x1 = -INFINITY,
                 .y1 = -INFINITY,
                 .point = (uint32_t)from,
                 .n_point = (uint32_t)n};
  for (size_t i = from; i < f->n_point; i++) {
    const pl_point *p = &f->point[i];
    sum += (double)p->score;
    o.x0 = fminf(o.x0, p->x), o.y0 = fminf(o.y0, p->y), o.x1 = fmaxf(o.x1, p->x), o.y1 = fmaxf(o.y1, p->y);
  }
  o.score = n ? (float)(sum / (double)n) : 0;
  if (!n || (double)o.score < s->score || !isfinite(o.x0) || !isfinite(o.y0) || !isfinite(o.x1) || !isfinite(o.y1)) {
    f->n_point = from;
    return WHET_OK;
  }
  pl_object *to = pl_add_object(f);
  if (!to) return edge_fail(err, WHET_E_MEMORY, "no memory");
  *to = o;
  return WHET_OK;
}

static whet_status movenet(const keypoints *s, const pipe_tensor *t, pl_frame *f, whet_err *err) {
  if (t->rank < 3 || t->rank > 4 || t->dims[0] != 1 || t->dims[t->rank - 1] != 3 || !f->in_w)
    return edge_fail(err, WHET_E_SHAPE, "movenet has an output [1, people, points, 3], of a picture");
  size_t points = (size_t)t->dims[t->rank - 2], people = points ? t->n / 3 / points : 0;
  for (size_t k = 0; k < people; k++) {
    size_t from = f->n_point;
    for (size_t i = 0; i < points; i++) {
      const float *p = s->v + (k * points + i) * 3;
      EDGE_TRY(add(f, (double)p[1] * f->in_w, (double)p[0] * f->in_h, p[2], err));
    }
    EDGE_TRY(person(s, f, from, err));
  }
  return WHET_OK;
}

static whet_status heatmaps(const keypoints *s, const pipe_tensor *t, pl_frame *f, whet_err *err) {
  if (t->rank != 4 || t->dims[0] != 1 || !t->n)
    return edge_fail(err, WHET_E_SHAPE, "heatmaps are an output [1, points, height, width], or points last");
  bool first = s->points ? t->dims[1] == s->points : t->dims[1] < t->dims[2] && t->dims[1] < t->dims[3];
  size_t points = (size_t)t->dims[first ? 1 : 3], h = (size_t)t->dims[first ? 2 : 1],
         w = (size_t)t->dims[first ? 3 : 2];
  size_t step_p = first ? h * w : 1, step = first ? 1 : points, from = f->n_point;
  for (size_t k = 0; k < points; k++) {
    const float *p = s->v + k * step_p;
    size_t best = 0;
    for (size_t i = 1; i < h * w; i++)
      if (p[i * step] > p[best * step]) best = i;
    size_t bx = best % w, by = best / w;
    double x = (double)bx, y = (double)by;
    if (bx && bx + 1 < w)
      x += p[(best + 1) * step] > p[(best - 1) * step]   ? 0.25
           : p[(best + 1) * step] < p[(best - 1) * step] ? -0.25
                                                         : 0;
    if (by && by + 1 < h)
      y += p[(best + w) * step] > p[(best - w) * step]   ? 0.25
           : p[(best + w) * step] < p[(best - w) * step] ? -0.25
                                                         : 0;
    double sx = f->in_w ? (double)f->in_w / (double)w : 1, sy = f->in_h ? (double)f->in_h / (double)h : 1;
    EDGE_TRY(add(f, (x + 0.5) * sx, (y + 0.5) * sy, p[best * step], err));
  }
  return person(s, f, from, err);
}

static whet_status plain(const keypoints *s, const pipe_tensor *t, pl_frame *f, whet_err *err) {
  size_t each = t->n / (size_t)s->points, from = f->n_point;
  if (t->n % (size_t)s->points || each < 2 || each > 3)
    return edge_fail(err, WHET_E_SHAPE, "%zu numbers for %lld points; expected 2 or 3 each", t->n,
                     (long long)s->points);
  for (size_t i = 0; i < (size_t)s->points; i++) {
    const float *p = s->v + i * each;
    EDGE_TRY(add(f, (double)p[0], (double)p[1], each > 2 ? p[2] : 1, err));
  }
  return person(s, f, from, err);
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  keypoints *s = (keypoints *)n;
  if ((size_t)s->output >= f->n_output)
    return edge_fail(err, WHET_E_NAME, "the model has no output %lld", (long long)s->output);
  const pipe_tensor *t = &f->output[s->output];
  if (t->n > s->cap) {
    float *v = realloc(s->v, t->n * sizeof *v);
    if (!v) return edge_fail(err, WHET_E_MEMORY, "no memory for %zu numbers", t->n);
    s->v = v, s->cap = t->n;
  }
  EDGE_TRY(pipe_tensor_floats(t, 0, t->n, s->v, err));
  f->n_object = f->n_point = 0;
  f->objects = true;
  EDGE_TRY((s->kind == 0 ? movenet : s->kind == 1 ? heatmaps : plain)(s, t, f, err));
  return pl_pass(n, f, err);
}

static void close_keypoints(pl_node *n) { free(((keypoints *)n)->v); }

const pl_kind pl_stage_keypoints = {.name = "keypoints",
                                    .size = sizeof(keypoints),
                                    .keys = k_keys,
                                    .lone = "kind",
                                    .open = open_keypoints,
                                    .run = run,
                                    .close = close_keypoints};
