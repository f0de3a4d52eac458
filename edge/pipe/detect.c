/* SPDX-License-Identifier: Apache-2.0 */
/* Boxes are gathered in pixels of the tensor, thinned class by class, and brought back to the picture. */

#include "edge/pipe/detect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "edge/pipe/sort.h"

struct pipe_detect {
  pipe_detect_opts o;
  float *number; /* outputs as floats */
  size_t n_number;
  pipe_object *box; /* room for twice cap: they are sorted */
  size_t n, cap;
};

pipe_detect_opts pipe_detect_opts_default(pipe_detector kind) {
  return (pipe_detect_opts){.kind = kind,
                            .least_score = 0.5f,
                            .overlap = 0.45f,
                            .most = 100,
                            .background = kind == PIPE_DETECT_SCORES_BOXES};
}

whet_status pipe_detect_create(const pipe_detect_opts *o, pipe_detect **out, whet_err *err) {
  *out = NULL;
  if (!(o->least_score >= 0) || !(o->overlap >= 0 && o->overlap <= 1) || !o->most)
    return edge_fail(err, WHET_E_DATA,
                     "a detector wants a score of at least 0, an overlap of 0 to 1 and at least one box");
  if (o->kind == PIPE_DETECT_ANCHORS && !o->n_anchor)
    return edge_fail(err, WHET_E_DATA, "a detector of the kind anchors wants anchors");
  pipe_detect *d = calloc(1, sizeof *d);
  if (!d) return edge_fail(err, WHET_E_MEMORY, "no memory for a detector");
  d->o = *o;
  if (!d->o.scale[0] && !d->o.scale[1] && !d->o.scale[2] && !d->o.scale[3])
    for (int i = 0; i < 4; i++) d->o.scale[i] = o->linear ? 1 : i < 2 ? 10 : 5;
  *out = d;
  return WHET_OK;
}

void pipe_detect_close(pipe_detect **d) {
  if (!*d) return;
  free((*d)->number);
  free((*d)->box);
  free(*d);
  *d = NULL;
}

/* All outputs as floats, each where it lies if it is float already, else in memory of the stage. */
static whet_status numbers(pipe_detect *d, const pipe_tensor *t, size_t n, const float **at, whet_err *err) {
  size_t all = 0;
  for (size_t i = 0; i < n; i++)
    if (t[i].dtype != WHET_F32 || t[i].quant.n) all += t[i].n;
  if (all > d->n_number) {
    float *p = all > SIZE_MAX / sizeof *p ? NULL : realloc(d->number, all * sizeof *p);
    if (!p) return edge_fail(err, WHET_E_MEMORY, "no memory for %zu numbers of a detector", all);
    d->number = p;
    d->n_number = all;
  }
  all = 0;
  for (size_t i = 0; i < n; i++) {
    if (t[i].dtype == WHET_F32 && !t[i].quant.n) {
      at[i] = t[i].data;
      continue;
    }
    EDGE_TRY(pipe_tensor_floats(&t[i], 0, t[i].n, d->number + all, err));
    at[i] = d->number + all;
    all += t[i].n;
  }
  return WHET_OK;
}

/* Add a box; those that are no numbers are none. */
static whet_status add(pipe_detect *d, pipe_object o, whet_err *err) {
  if (!(o.score >= d->o.least_score) || !isfinite(o.x0) || !isfinite(o.y0) || !isfinite(o.x1) || !isfinite(o.y1))
    return WHET_OK;
  if (d->n == d->cap) {
    size_t cap = d->cap ? 2 * d->cap : 256;
    pipe_object *p = realloc(d->box, 2 * cap * sizeof *p);
    if (!p) return edge_fail(err, WHET_E_MEMORY, "no memory for %zu boxes", cap);
    d->box = p;
    d->cap = cap;
  }
  d->box[d->n++] = o;
  return WHET_OK;
}

static int64_t dim(const pipe_tensor *t, int32_t i) { return i < t->rank ? t->dims[i] : 1; }

static whet_status scores_boxes(pipe_detect *d, const pipe_tensor *t, const float *const *at, size_t n, float w,
                                float h, whet_err *err) {
  size_t s = n == 2 && t[0].rank == 3 && dim(&t[0], 2) == 4 && dim(&t[1], 2) != 4 ? 1 : 0, b = 1 - s;
  if (n != 2 || t[s].rank != 3 || t[b].rank != 3 || dim(&t[b], 2) != 4 || dim(&t[s], 1) != dim(&t[b], 1) ||
      dim(&t[s], 0) != 1)
    return edge_fail(err, WHET_E_SHAPE, "a detector of scores and boxes has outputs [1, n, classes] and [1, n, 4]");
  size_t count = (size_t)dim(&t[b], 1), classes = (size_t)dim(&t[s], 2);
  const float *score = at[s], *box = at[b];
  for (size_t i = 0; i < count; i++, box += 4)
    for (size_t c = d->o.background ? 1 : 0; c < classes; c++) {
      if (!(score[i * classes + c] >= d->o.least_score)) continue;
      pipe_object o = {box[0] * w, box[1] * h, box[2] * w, box[3] * h, score[i * classes + c], (uint32_t)c};
      EDGE_TRY(add(d, o, err));
    }
  return WHET_OK;
}

static whet_status yolo(pipe_detect *d, const pipe_tensor *t, const float *const *at, size_t n, whet_err *err) {
  size_t head = d->o.objectness ? 5 : 4;
  if (n != 1 || t->rank != 3 || t->dims[0] != 1 || t->dims[1] <= 0 || t->dims[2] <= 0)
    return edge_fail(err, WHET_E_SHAPE,
                     "a YOLO detector has one output [1, %zu + classes, n] or [1, n, %zu + classes]", head, head);
  bool rows = t->dims[1] > t->dims[2]; /* there are more boxes than numbers of one */
  size_t count = (size_t)t->dims[rows ? 1 : 2], each = (size_t)t->dims[rows ? 2 : 1];
  if (each <= head)
    return edge_fail(err, WHET_E_SHAPE, "a YOLO detector's box has more than %zu numbers, this one's has %zu", head,
                     each);
  size_t step = rows ? 1 : count, next = rows ? each : 1;
  for (size_t i = 0; i < count; i++) {
    const float *p = at[0] + i * next;
    float x = p[0], y = p[step], w = p[2 * step] / 2, h = p[3 * step] / 2, scale = d->o.objectness ? p[4 * step] : 1;
    size_t best = head;
    for (size_t c = head + 1; c < each; c++)
      if (p[c * step] > p[best * step]) best = c;
    EDGE_TRY(add(d, (pipe_object){x - w, y - h, x + w, y + h, p[best * step] * scale, (uint32_t)(best - head)}, err));
  }
  return WHET_OK;
}

static whet_status ssd(pipe_detect *d, const pipe_tensor *t, const float *const *at, size_t n, float w, float h,
                       whet_err *err) {
  if (n != 4 || t[0].rank != 3 || dim(&t[0], 2) != 4 || t[1].n != (size_t)dim(&t[0], 1) || t[2].n != t[1].n ||
      t[3].n != 1)
    return edge_fail(err, WHET_E_SHAPE,
                     "an SSD detector has outputs boxes [1, n, 4], classes [1, n], scores [1, n] and count [1]");
  const float *box = at[0], *class = at[1], *score = at[2], found = at[3][0];
  for (size_t i = 0; i < t[1].n && (float)i < found; i++, box += 4)
    if (class[i] >= 0 && class[i] < 1e9f)
      EDGE_TRY(
          add(d, (pipe_object){box[1] * w, box[0] * h, box[3] * w, box[2] * h, score[i], (uint32_t) class[i]}, err));
  return WHET_OK;
}

static whet_status boxes(pipe_detect *d, const pipe_tensor *t, const float *const *at, size_t n, whet_err *err) {
  if (n != 1 || t->rank != 3 || t->dims[0] != 1 || t->dims[2] != 6)
    return edge_fail(err, WHET_E_SHAPE, "a detector of boxes has one output [1, n, 6]: x0 y0 x1 y1 score class");
  const float *p = at[0];
  for (int64_t i = 0; i < t->dims[1]; i++, p += 6)
    if (p[5] >= 0 && p[5] < 1e9f) EDGE_TRY(add(d, (pipe_object){p[0], p[1], p[2], p[3], p[4], (uint32_t)p[5]}, err));
  return WHET_OK;
}

static float likely(const pipe_detect *d, float score) { return d->o.sigmoid ? 1 / (1 + expf(-score)) : score; }

/* The box that four numbers say of an anchor, in pixels of the tensor. */
static pipe_object decode(const pipe_detect *d, const float *p, const pipe_anchor *a, float w, float h) {
  const float *s = d->o.scale;
  float x, y, bw, bh;
  if (d->o.linear) {
    x = p[0] / s[0] * a->w + a->x, y = p[1] / s[1] * a->h + a->y;
    bw = p[2] / s[2] * a->w, bh = p[3] / s[3] * a->h;
  } else {
    x = p[1] / s[1] * a->w + a->x, y = p[0] / s[0] * a->h + a->y;
    bw = expf(p[3] / s[3]) * a->w, bh = expf(p[2] / s[2]) * a->h;
  }
  return (pipe_object){
      .x0 = (x - bw / 2) * w, .y0 = (y - bh / 2) * h, .x1 = (x + bw / 2) * w, .y1 = (y + bh / 2) * h};
}

static whet_status anchors(pipe_detect *d, const pipe_tensor *t, const float *const *at, size_t n, float w, float h,
                           whet_err *err) {
  size_t b = n == 2 && dim(&t[0], 2) < 4 && dim(&t[1], 2) >= 4 ? 1 : 0, s = 1 - b, count = d->o.n_anchor;
  if (n != 2 || t[b].rank != 3 || t[s].rank != 3 || dim(&t[b], 0) != 1 || dim(&t[s], 0) != 1 || dim(&t[b], 2) < 4 ||
      dim(&t[b], 1) != (int64_t)count || dim(&t[s], 1) != (int64_t)count)
    return edge_fail(err, WHET_E_SHAPE,
                     "a detector of %zu anchors has outputs boxes [1, %zu, 4 or more] and scores [1, %zu, classes]",
                     count, count, count);
  size_t each = (size_t)dim(&t[b], 2), classes = (size_t)dim(&t[s], 2);
  for (size_t i = 0; i < count; i++)
    for (size_t c = d->o.background && classes > 1 ? 1 : 0; c < classes; c++) {
      float score = likely(d, at[s][i * classes + c]);
      if (!(score >= d->o.least_score)) continue;
      pipe_object o = decode(d, at[b] + i * each, &d->o.anchor[i], w, h);
      o.score = score;
      o.index = (uint32_t)c;
      EDGE_TRY(add(d, o, err));
    }
  return WHET_OK;
}

static int by_score(const void *a, const void *b) {
  const pipe_object *x = a, *y = b;
  return x->score > y->score ? -1 : x->score < y->score ? 1 : x->index < y->index ? -1 : x->index > y->index;
}

float pipe_overlap(const pipe_object *a, const pipe_object *b) {
  float w = (a->x1 < b->x1 ? a->x1 : b->x1) - (a->x0 > b->x0 ? a->x0 : b->x0);
  float h = (a->y1 < b->y1 ? a->y1 : b->y1) - (a->y0 > b->y0 ? a->y0 : b->y0);
  if (!(w > 0 && h > 0)) return 0;
  float both = w * h, all = (a->x1 - a->x0) * (a->y1 - a->y0) + (b->x1 - b->x0) * (b->y1 - b->y0) - both;
  return all > 0 ? both / all : 0;
}

/* Keep the best of boxes that overlap, class by class. */
static void thin(pipe_detect *d) {
  size_t kept = 0;
  bool thinned = d->o.kind == PIPE_DETECT_SSD || d->o.kind == PIPE_DETECT_BOXES;
  pipe_sort(d->box, d->n, sizeof *d->box, by_score);
  for (size_t i = 0; i < d->n && kept < d->o.most; i++) {
    size_t k = 0;
    while (!thinned && k < kept &&
           (d->box[k].index != d->box[i].index || pipe_overlap(&d->box[k], &d->box[i]) <= d->o.overlap))
      k++;
    if (k == kept || thinned) d->box[kept++] = d->box[i];
  }
  d->n = kept;
}

static float within(float v, float most) { return v < 0 ? 0 : v > most ? most : v; }

whet_status pipe_detect_run(pipe_detect *d, const pipe_tensor *t, size_t n, int32_t width, int32_t height,
                            const whet_prep_place *place, int32_t pic_w, int32_t pic_h, const pipe_object **out,
                            size_t *n_out, whet_err *err) {
  *out = NULL;
  *n_out = d->n = 0;
  const float *at[4];
  if (n > EDGE_COUNT(at))
    return edge_fail(err, WHET_E_SHAPE, "a detector has at most 4 outputs, this one has %zu", n);
  EDGE_TRY(numbers(d, t, n, at, err));
  float w = (float)width, h = (float)height;
  EDGE_TRY(d->o.kind == PIPE_DETECT_YOLO      ? yolo(d, t, at, n, err)
           : d->o.kind == PIPE_DETECT_SSD     ? ssd(d, t, at, n, w, h, err)
           : d->o.kind == PIPE_DETECT_BOXES   ? boxes(d, t, at, n, err)
           : d->o.kind == PIPE_DETECT_ANCHORS ? anchors(d, t, at, n, w, h, err)
                                              : scores_boxes(d, t, at, n, w, h, err));
  thin(d);
  for (size_t i = 0; i < d->n; i++) {
    pipe_object *o = &d->box[i];
    o->x0 = within((float)((o->x0 - place->offset_x) / place->scale_x), (float)pic_w);
    o->x1 = within((float)((o->x1 - place->offset_x) / place->scale_x), (float)pic_w);
    o->y0 = within((float)((o->y0 - place->offset_y) / place->scale_y), (float)pic_h);
    o->y1 = within((float)((o->y1 - place->offset_y) / place->scale_y), (float)pic_h);
  }
  *out = d->box;
  *n_out = d->n;
  return WHET_OK;
}
