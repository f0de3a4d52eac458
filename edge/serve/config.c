/* SPDX-License-Identifier: Apache-2.0 */
/* A model's settings, by tables of keys. */

#include "edge/serve/config.h"

#include <string.h>

#include "edge/pipe/conf.h"

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

typedef struct picture_settings {
  pipe_picture_raw raw;
} picture_settings;
typedef struct detect_settings {
  pipe_detect_raw raw;
} detect_settings;
static const conf_key k_picture[] = {PIPE_PICTURE_KEYS(picture_settings, raw), {0}};
static const conf_key k_detect[] = {PIPE_DETECT_KEYS(detect_settings, raw), {0}};

static whet_status picture(conf_file *f, const conf_node *node, pipe_picture_opts *o, whet_err *err) {
  picture_settings r = {{0}};
  EDGE_TRY(conf_fill(f, node, "a model's picture", k_picture, &r, err));
  return pipe_picture_conf(f, node, &r.raw, o, err);
}

static whet_status detect(conf_file *f, const conf_node *node, pipe_detect_opts *o, whet_err *err) {
  detect_settings r = {PIPE_DETECT_DEFAULTS};
  EDGE_TRY(conf_fill(f, node, "a model's detect", k_detect, &r, err));
  *o = pipe_detect_conf(&r.raw);
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
