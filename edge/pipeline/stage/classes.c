/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `classes`: scores of a model into its best classes. */

#include <stdlib.h>

#include "edge/pipeline/inner.h"
#include "edge/pipeline/label.h"

typedef struct classes {
  pl_node n;
  int64_t top, output;
  double score;
  bool softmax;
  const char *labels_file;
  const pipe_labels *labels;
  float *v; /* scores */
  size_t cap;
  pipe_class *best;
} classes;

#define AT(field) offsetof(classes, field)
static const conf_key k_keys[] = {{.name = "top", CONF_INT, AT(top), NULL, 1, 1000},
                                  {.name = "softmax", CONF_BOOL, AT(softmax)},
                                  {.name = "labels", CONF_STR, AT(labels_file)},
                                  {.name = "score", CONF_REAL, AT(score), NULL, -1e30, 1e30},
                                  {.name = "output", CONF_INT, AT(output), NULL, 0, PL_OUTPUTS - 1},
                                  {0}};
static const classes k_defaults = {.top = 1, .score = -1e30};

static whet_status open_classes(pl_node *n, whet_err *err) {
  classes *s = (classes *)n;
  if (!pl_is_behind_infer(n)) return pl_fail(n, err, "it reads a model's outputs, but no infer stands before it");
  if (!(s->best = pl_keep(n, (size_t)s->top * sizeof *s->best, err))) return WHET_E_MEMORY;
  return pl_labels(n, s->labels_file, &s->labels, err);
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  classes *s = (classes *)n;
  if ((size_t)s->output >= f->n_output)
    return edge_fail(err, WHET_E_NAME, "the model has no output %lld", (long long)s->output);
  const pipe_tensor *t = &f->output[s->output];
  if (t->n > s->cap) {
    float *v = t->n > SIZE_MAX / sizeof *v ? NULL : realloc(s->v, t->n * sizeof *v);
    if (!v) return edge_fail(err, WHET_E_MEMORY, "no memory for %zu scores", t->n);
    s->v = v;
    s->cap = t->n;
  }
  EDGE_TRY(pipe_tensor_floats(t, 0, t->n, s->v, err));
  if (s->softmax) pipe_softmax(s->v, t->n);
  size_t k = pipe_topk(s->v, t->n, (size_t)s->top, s->best);
  f->n_class = 0;
  for (size_t i = 0; i < k && s->best[i].score >= s->score; i++) {
    pl_class *c = pl_add_class(f);
    if (!c) return edge_fail(err, WHET_E_MEMORY, "no memory for classes");
    *c = (pl_class){s->best[i].index, s->best[i].score, s->labels ? pipe_label(s->labels, s->best[i].index) : NULL};
  }
  return pl_pass(n, f, err);
}

static void close_classes(pl_node *n) { free(((classes *)n)->v); }

static const char *labels(const pl_node *n) { return ((const classes *)n)->labels_file; }

const pl_kind pl_stage_classes = {.name = "classes",
                                  .size = sizeof(classes),
                                  .keys = k_keys,
                                  .lone = "top",
                                  .defaults = &k_defaults,
                                  .open = open_classes,
                                  .run = run,
                                  .close = close_classes,
                                  .labels = labels};
