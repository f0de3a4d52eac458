/* SPDX-License-Identifier: Apache-2.0 */
/* A model's settings, by tables of keys. */

#include "edge/serve/config.h"

#include <string.h>

/* As the file has it, before it is taken apart. */
typedef struct raw {
  model_config c;
  const conf_node *batch, *picture, *classes, *detect;
} raw;

#define AT(field) offsetof(raw, field)
static const conf_key k_model[] = {{.name = "instances", CONF_INT, AT(c.instances), NULL, 0, 256},
                                   {.name = "threads", CONF_INT, AT(c.threads), NULL, 0, 1024},
                                   {.name = "queue", CONF_INT, AT(c.queue), NULL, 1, 100000},
                                   {.name = "priorities", CONF_INT, AT(c.priorities), NULL, 1, 8},
                                   {.name = "versions", CONF_INT, AT(c.versions), NULL, 0, 1000},
                                   {.name = "deadline", CONF_SECONDS, AT(c.deadline), NULL, 1e-3, 86400},
                                   {.name = "memory", CONF_BYTES, AT(c.memory)},
                                   {.name = "batch", CONF_NODE, AT(batch)},
                                   {.name = "labels", CONF_STR, AT(c.labels)},
                                   {.name = "picture", CONF_NODE, AT(picture)},
                                   {.name = "classes", CONF_NODE, AT(classes)},
                                   {.name = "detect", CONF_NODE, AT(detect)},
                                   {0}};

#define IN(field) offsetof(model_config, field)
static const conf_key k_batch[] = {{.name = "max", CONF_INT, IN(batch_max), NULL, 2, 4096, true},
                                   {.name = "delay", CONF_SECONDS, IN(batch_delay), NULL, 0, 10},
                                   {0}};
static const conf_key k_classes[] = {
    {.name = "top", CONF_INT, IN(top), NULL, 1, 1000}, {.name = "softmax", CONF_BOOL, IN(softmax)}, {0}};

typedef struct picture_raw {
  int fit, filter, color, layout;
  conf_reals range, mean, std;
  int64_t pad;
} picture_raw;
#define PIC(field) offsetof(picture_raw, field)
static const conf_key k_picture[] = {{.name = "fit", CONF_CHOICE, PIC(fit), "stretch|crop|letterbox"},
                                     {.name = "filter", CONF_CHOICE, PIC(filter), "antialias|bilinear|area|nearest"},
                                     {.name = "color", CONF_CHOICE, PIC(color), "rgb|bgr"},
                                     {.name = "layout", CONF_CHOICE, PIC(layout), "auto|nchw|nhwc"},
                                     {.name = "range", CONF_REALS, PIC(range)},
                                     {.name = "mean", CONF_REALS, PIC(mean)},
                                     {.name = "std", CONF_REALS, PIC(std)},
                                     {.name = "pad", CONF_INT, PIC(pad), NULL, 0, 255},
                                     {0}};

typedef struct detect_raw {
  int kind;
  double score, overlap;
  int64_t most;
  bool objectness, background;
} detect_raw;
#define DET(field) offsetof(detect_raw, field)
static const conf_key k_detect[] = {{.name = "kind", CONF_CHOICE, DET(kind), "scores-boxes|yolo|ssd", 0, 0, true},
                                    {.name = "score", CONF_REAL, DET(score), NULL, 0, 1},
                                    {.name = "overlap", CONF_REAL, DET(overlap), NULL, 0, 1},
                                    {.name = "most", CONF_INT, DET(most), NULL, 1, 10000},
                                    {.name = "objectness", CONF_BOOL, DET(objectness)},
                                    {.name = "background", CONF_BOOL, DET(background)},
                                    {0}};

/* One number for every channel, or one for each. */
static whet_status channels(conf_file *f, const conf_node *at, const char *what, conf_reals v, float out[4], int *n,
                            whet_err *err) {
  if (v.n > 4) return conf_fail(f, at, err, "%s: expected at most 4 numbers, got %zu", what, v.n);
  for (size_t i = 0; i < v.n; i++) out[i] = (float)v.v[i];
  *n = (int)v.n;
  return WHET_OK;
}

static whet_status picture(conf_file *f, const conf_node *node, pipe_picture_opts *o, whet_err *err) {
  picture_raw r = {0};
  EDGE_TRY(conf_fill(f, node, "a model's picture", k_picture, &r, err));
  *o = (pipe_picture_opts){.order = (pipe_order)r.layout,
                           .fit = (whet_fit)r.fit,
                           .filter = (whet_filter)r.filter,
                           .bgr = r.color == 1,
                           .pad = (uint8_t)r.pad};
  if (r.range.n) {
    if (r.range.n != 2 || r.range.v[0] == r.range.v[1])
      return conf_fail(f, node, err, "range: expected two different numbers, what 0 and 255 stand for");
    o->ranged = true;
    o->lo = (float)r.range.v[0];
    o->hi = (float)r.range.v[1];
  }
  EDGE_TRY(channels(f, node, "mean", r.mean, o->mean, &o->n_mean, err));
  EDGE_TRY(channels(f, node, "std", r.std, o->std, &o->n_std, err));
  for (int i = 0; i < o->n_std; i++)
    if (!(o->std[i] > 0)) return conf_fail(f, node, err, "std: expected numbers above 0");
  if ((o->n_mean || o->n_std) && !o->ranged) o->ranged = true, o->lo = 0, o->hi = 255;
  return WHET_OK;
}

static whet_status detect(conf_file *f, const conf_node *node, pipe_detect_opts *o, whet_err *err) {
  detect_raw r = {.score = 0.5, .overlap = 0.45, .most = 100, .background = true};
  EDGE_TRY(conf_fill(f, node, "a model's detect", k_detect, &r, err));
  *o = (pipe_detect_opts){.kind = (pipe_detector)r.kind,
                          .least_score = (float)r.score,
                          .overlap = (float)r.overlap,
                          .most = (size_t)r.most,
                          .objectness = r.objectness,
                          .background = r.background};
  return WHET_OK;
}

/* Read the tables into *out. */
static whet_status fill(model_settings *s, raw *r, whet_err *err) {
  conf_file *f = &s->file;
  EDGE_TRY(conf_fill(f, &f->root, "a model's settings", k_model, r, err));
  s->c = r->c;
  model_config *c = &s->c;
  if (r->batch) EDGE_TRY(conf_fill(f, r->batch, "a model's batch", k_batch, c, err));
  if (r->picture) EDGE_TRY(picture(f, r->picture, &c->pic, err));
  if (r->classes) {
    c->top = 5;
    EDGE_TRY(conf_fill(f, r->classes, "a model's classes", k_classes, c, err));
  }
  if (r->detect) EDGE_TRY(detect(f, r->detect, &c->detect, err));
  c->picture = r->picture != NULL;
  c->detects = r->detect != NULL;
  if (r->classes && r->detect) return conf_fail(f, r->detect, err, "a model has classes or detect, not both");
  if (c->labels && (strchr(c->labels, '/') || c->labels[0] == '.'))
    return conf_fail(f, conf_get(&f->root, "labels"), err,
                     "labels: expected the name of a file in the model's folder");
  return WHET_OK;
}

whet_status config_open(const char *path, double deadline, model_settings *s, whet_err *err) {
  *s = (model_settings){.c = {.threads = 1, .queue = 64, .priorities = 3, .deadline = deadline, .batch_delay = 1e-3}};
  if (!path) return WHET_OK;
  raw r = {.c = s->c};
  whet__mem_init(&s->mem, NULL, NULL, 0);
  EDGE_TRY(conf_open(path, &s->mem, &s->file, err));
  s->open = true;
  whet_status st = fill(s, &r, err);
  if (st) config_close(s);
  return st;
}

void config_close(model_settings *s) {
  if (s->open) conf_close(&s->file);
  s->open = false;
}
