/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `detect`: a model's outputs into objects in pixels of the picture. */

#include <stdlib.h>

#include "edge/pipe/conf.h"
#include "edge/pipeline/inner.h"
#include "edge/pipeline/label.h"

typedef struct detect {
  pl_node n;
  pipe_detect_raw raw;
  const char *labels_file;
  conf_strs only; /* labels that are kept; n 0: all */
  const pipe_labels *labels;
  const char *anchors; /* file */
  conf_reals scales;
  int code;
  bool sigmoid;
  pipe_anchor *anchor;
  pipe_detect *d;
} detect;

#define AT(field) offsetof(detect, field)
static const conf_key k_keys[] = {PIPE_DETECT_KEYS(detect, raw),
                                  {.name = "labels", CONF_STR, AT(labels_file)},
                                  {.name = "anchors", CONF_STR, AT(anchors)},
                                  {.name = "scales", CONF_REALS, AT(scales), NULL, 1e-6, 1e9},
                                  {.name = "code", CONF_CHOICE, AT(code), "ssd|linear"},
                                  {.name = "sigmoid", CONF_BOOL, AT(sigmoid)},
                                  {.name = "only", CONF_STRS, AT(only)},
                                  {0}};
static const detect k_defaults = {.raw = PIPE_DETECT_DEFAULTS};

static whet_status open_detect(pl_node *n, whet_err *err) {
  detect *s = (detect *)n;
  pipe_detect_opts o = pipe_detect_conf(&s->raw);
  if ((o.kind == PIPE_DETECT_ANCHORS) != (s->anchors != NULL))
    return pl_fail(n, err,
                   s->anchors ? "anchors belong to kind: anchors" : "kind anchors needs anchors: a file of them");
  if (s->scales.n && s->scales.n != 4) return pl_fail(n, err, "scales: expected four numbers");
  for (size_t i = 0; i < s->scales.n; i++) o.scale[i] = (float)s->scales.v[i];
  o.linear = s->code == 1;
  o.sigmoid = s->sigmoid;
  if (s->anchors) {
    const char *path = pl_path(n, s->anchors, err);
    if (!path) return WHET_E_MEMORY;
    if (pipe_anchors_read(path, &s->anchor, &o.n_anchor, err)) return pl_fail_here(n, err);
    o.anchor = s->anchor;
  }
  if (!pl_is_behind_infer(n)) return pl_fail(n, err, "it reads a model's outputs, but no infer stands before it");
  if (s->only.n && !s->labels_file) return pl_fail(n, err, "only names labels: give the file of them with labels");
  EDGE_TRY(pl_labels(n, s->labels_file, &s->labels, err));
  for (size_t i = 0; i < s->only.n; i++)
    if (!pl_has_label(s->labels, s->only.v[i])) return pl_fail(n, err, "only: labels has no \"%.60s\"", s->only.v[i]);
  return pipe_detect_create(&o, &s->d, err) ? pl_fail_here(n, err) : WHET_OK;
}

static bool wanted(const detect *s, const char *label) {
  bool is = !s->only.n;
  for (size_t i = 0; !is && label && i < s->only.n; i++) is = pl_same(label, s->only.v[i]);
  return is;
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  detect *s = (detect *)n;
  const pipe_object *o;
  size_t found;
  if (!f->in_w) return edge_fail(err, WHET_E_TYPE, "the model was given no picture");
  EDGE_TRY(pipe_detect_run(s->d, f->output, f->n_output, f->in_w, f->in_h, &f->place, f->width, f->height, &o, &found,
                           err));
  f->n_object = 0;
  f->objects = true;
  for (size_t i = 0; i < found; i++) {
    const char *label = s->labels ? pipe_label(s->labels, o[i].index) : NULL;
    if (!wanted(s, label)) continue;
    pl_object *to = pl_add_object(f);
    if (!to) return edge_fail(err, WHET_E_MEMORY, "no memory for objects");
    *to = (pl_object){.x0 = o[i].x0,
                      .y0 = o[i].y0,
                      .x1 = o[i].x1,
                      .y1 = o[i].y1,
                      .score = o[i].score,
                      .index = o[i].index,
                      .label = label};
  }
  return pl_pass(n, f, err);
}

static void close_detect(pl_node *n) {
  pipe_detect_close(&((detect *)n)->d);
  free(((detect *)n)->anchor);
}

static const char *labels(const pl_node *n) { return ((const detect *)n)->labels_file; }

const pl_kind pl_stage_detect = {.name = "detect",
                                 .size = sizeof(detect),
                                 .keys = k_keys,
                                 .defaults = &k_defaults,
                                 .open = open_detect,
                                 .run = run,
                                 .close = close_detect,
                                 .labels = labels};
