/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `keyword`: scores of many overlapping windows into words said: the mean of each label's score over the
 * last `over` seconds; the best label that reaches `score`, once in `hold` seconds. */

#include <stdlib.h>
#include <string.h>

#include "edge/pipeline/inner.h"
#include "edge/pipeline/label.h"

enum { MOST_LABELS = 1024, MOST_KEPT = 512 };

typedef struct keyword {
  pl_node n;
  const char *labels_file;
  const pipe_labels *labels;
  conf_strs ignore;
  double over, score, hold;
  int64_t least, output;
  bool softmax;
  float *kept;  /* [MOST_KEPT][labels] ring */
  double *time; /* [MOST_KEPT] */
  size_t at, count, width;
  uint32_t said;  /* the last word ... */
  double said_at; /* ... and when; < 0: none */
} keyword;

#define AT(field) offsetof(keyword, field)
static const conf_key k_keys[] = {{.name = "labels", CONF_STR, AT(labels_file), NULL, 0, 0, true},
                                  {.name = "ignore", CONF_STRS, AT(ignore)},
                                  {.name = "over", CONF_SECONDS, AT(over)},
                                  {.name = "score", CONF_REAL, AT(score), NULL, 0, 1},
                                  {.name = "hold", CONF_SECONDS, AT(hold)},
                                  {.name = "least", CONF_INT, AT(least), NULL, 1, MOST_KEPT},
                                  {.name = "softmax", CONF_BOOL, AT(softmax)},
                                  {.name = "output", CONF_INT, AT(output), NULL, 0, PL_OUTPUTS - 1},
                                  {0}};
static const keyword k_defaults = {.over = 1, .score = 0.7, .hold = 1.5, .least = 3};

static whet_status open_keyword(pl_node *n, whet_err *err) {
  keyword *s = (keyword *)n;
  if (!pl_is_behind_infer(n)) return pl_fail(n, err, "it reads a model's outputs, but no infer stands before it");
  EDGE_TRY(pl_labels(n, s->labels_file, &s->labels, err));
  s->width = s->labels->n;
  if (!s->width || s->width > MOST_LABELS)
    return pl_fail(n, err, "labels: %zu; expected 1 to %d", s->width, MOST_LABELS);
  for (size_t i = 0; i < s->ignore.n; i++)
    if (!pl_has_label(s->labels, s->ignore.v[i]))
      return pl_fail(n, err, "ignore: labels has no \"%.60s\"", s->ignore.v[i]);
  s->kept = pl_keep(n, MOST_KEPT * s->width * sizeof *s->kept, err);
  s->time = pl_keep(n, MOST_KEPT * sizeof *s->time, err);
  return s->kept && s->time ? WHET_OK : WHET_E_MEMORY;
}

static void begin(pl_node *n) {
  keyword *s = (keyword *)n;
  s->count = 0;
  s->said_at = -1;
}

static bool ignored(const keyword *s, const char *label) {
  for (size_t i = 0; i < s->ignore.n; i++)
    if (!strcmp(s->ignore.v[i], label)) return true;
  return false;
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  keyword *s = (keyword *)n;
  if ((size_t)s->output >= f->n_output)
    return edge_fail(err, WHET_E_NAME, "the model has no output %lld", (long long)s->output);
  const pipe_tensor *t = &f->output[s->output];
  if (t->n != s->width)
    return edge_fail(err, WHET_E_SHAPE, "the model gives %zu scores, labels has %zu", t->n, s->width);
  double now = f->at >= 0 ? f->at : (double)f->time * 1e-9;
  s->at = (s->at + 1) % MOST_KEPT;
  float *mine = s->kept + s->at * s->width;
  EDGE_TRY(pipe_tensor_floats(t, 0, t->n, mine, err));
  if (s->softmax) pipe_softmax(mine, t->n);
  s->time[s->at] = now;
  if (s->count < MOST_KEPT) s->count++;
  size_t in = 0; /* those that lie within `over` */
  while (in < s->count && now - s->time[(s->at + MOST_KEPT - in) % MOST_KEPT] < s->over) in++;
  s->count = in;
  if (in < (size_t)s->least) return WHET_OK;
  size_t best = 0;
  double most = -1;
  for (size_t c = 0; c < s->width; c++) {
    double sum = 0;
    for (size_t k = 0; k < in; k++) sum += (double)s->kept[(s->at + MOST_KEPT - k) % MOST_KEPT * s->width + c];
    if (sum > most) most = sum, best = c;
  }
  most /= (double)in;
  const char *label = pipe_label(s->labels, best);
  if (most < s->score || ignored(s, label) || (s->said_at >= 0 && now - s->said_at < s->hold)) return WHET_OK;
  s->said = (uint32_t)best;
  s->said_at = now;
  f->event = "keyword";
  f->subject = label;
  pl_set_value(f, "score", most);
  return pl_pass(n, f, err);
}

const pl_kind pl_stage_keyword = {.name = "keyword",
                                  .size = sizeof(keyword),
                                  .keys = k_keys,
                                  .lone = "labels",
                                  .defaults = &k_defaults,
                                  .open = open_keyword,
                                  .run = run,
                                  .begin = begin};
