/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `cascade`: what the model before it is not sure of also goes to a larger model on a server of the Open
 * Inference Protocol v2. Its answer comes in time (mode wait), or later, out of an outbox, as a frame of its own with
 * the event `correction` and the key of the case, which goes through the stages behind this one like any other. */

#include "edge/pipeline/inner.h"

#ifdef WHET_HAVE_OUTBOX
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/cascade/cascade.h"
#include "edge/pipe/conf.h"
#include "edge/pipeline/label.h"
#include "edge/pipeline/stage/infer.h"

typedef struct cascade_stage {
  pl_node n;
  remote_opts r;
  cascade_opts o;
  const char *labels_file;
  const conf_node *picture;
  conf_reals shape, per_class;
  int measure, mode, type;
  int64_t output, features, workers, queue, failures;
  size_t outbox_bytes, bytes;
  double threshold, temperature, scale, offset, wait, breaker_pause;

  const pipe_labels *labels;
  infer *model;      /* that stands before it */
  pipe_picture *pic; /* of what the remote gets; NULL: the model's own input */
  pipe_picture_raw raw;
  int64_t dims[WHET_MAX_RANK];
  int32_t rank;
  float *v;   /* scores, then numbers of the input */
  void *data; /* for the remote */
  size_t cap_v, cap_data;
  struct cascade *c;
  _Atomic int64_t down; /* since when the breaker is open, as far as anybody looked; 0: it is not */
} cascade_stage;

#define AT(field) offsetof(cascade_stage, field)
static const conf_key k_keys[] = {{.name = "url", CONF_STR, AT(r.url), NULL, 0, 0, true},
                                  {.name = "model", CONF_STR, AT(r.model), NULL, 0, 0, true},
                                  {.name = "version", CONF_STR, AT(r.version)},
                                  {.name = "token", CONF_STR, AT(r.token)},
                                  {.name = "ca", CONF_STR, AT(r.ca)},
                                  {.name = "cert", CONF_STR, AT(r.cert)},
                                  {.name = "key", CONF_STR, AT(r.key)},
                                  {.name = "timeout", CONF_SECONDS, AT(r.timeout)},
                                  {.name = "hedge", CONF_SECONDS, AT(r.hedge)},
                                  {.name = "json", CONF_BOOL, AT(r.json)},
                                  {.name = "compress", CONF_BOOL, AT(r.compress)},
                                  {.name = "measure", CONF_CHOICE, AT(measure), CASCADE_MEASURES},
                                  {.name = "threshold", CONF_REAL, AT(threshold), NULL, 0, 0, true},
                                  {.name = "per_class", CONF_REALS, AT(per_class)},
                                  {.name = "temperature", CONF_REAL, AT(temperature), NULL, 1e-3, 1e3},
                                  {.name = "mode", CONF_CHOICE, AT(mode), "wait|correct"},
                                  {.name = "deadline", CONF_SECONDS, AT(o.deadline), NULL, 0.001, 600},
                                  {.name = "outbox", CONF_STR, AT(o.outbox)},
                                  {.name = "outbox_bytes", CONF_BYTES, AT(outbox_bytes)},
                                  {.name = "ttl", CONF_SECONDS, AT(o.ttl)},
                                  {.name = "bytes", CONF_BYTES, AT(bytes)},
                                  {.name = "requests", CONF_REAL, AT(o.budget.requests), NULL, 0, 1e18},
                                  {.name = "money", CONF_REAL, AT(o.budget.money), NULL, 0, 1e18},
                                  {.name = "joules", CONF_REAL, AT(o.budget.joules), NULL, 0, 1e18},
                                  {.name = "price", CONF_REAL, AT(o.budget.price), NULL, 0, 1e18},
                                  {.name = "price_byte", CONF_REAL, AT(o.budget.price_byte), NULL, 0, 1e18},
                                  {.name = "joule", CONF_REAL, AT(o.budget.joule), NULL, 0, 1e18},
                                  {.name = "joule_byte", CONF_REAL, AT(o.budget.joule_byte), NULL, 0, 1e18},
                                  {.name = "failures", CONF_INT, AT(failures), NULL, 1, 1e6},
                                  {.name = "pause", CONF_SECONDS, AT(breaker_pause)},
                                  {.name = "workers", CONF_INT, AT(workers), NULL, 1, 64},
                                  {.name = "queue", CONF_INT, AT(queue), NULL, 1, 100000},
                                  {.name = "wait", CONF_SECONDS, AT(wait)},
                                  {.name = "shape", CONF_REALS, AT(shape), NULL, 1, 1e9},
                                  {.name = "type", CONF_CHOICE, AT(type), "FP32|UINT8|INT8"},
                                  {.name = "scale", CONF_REAL, AT(scale), NULL, -1e12, 1e12},
                                  {.name = "offset", CONF_REAL, AT(offset), NULL, -1e12, 1e12},
                                  {.name = "picture", CONF_NODE, AT(picture)},
                                  {.name = "features", CONF_INT, AT(features), NULL, 0, PL_OUTPUTS - 1},
                                  {.name = "labels", CONF_STR, AT(labels_file)},
                                  {.name = "output", CONF_INT, AT(output), NULL, 0, PL_OUTPUTS - 1},
                                  {0}};
static const cascade_stage k_defaults = {.features = -1, .scale = 1, .wait = 5, .mode = 1};
static const conf_key k_picture[] = {PIPE_PICTURE_KEYS(cascade_stage, raw), {0}};

static whet_dtype type_of(const cascade_stage *s) {
  return s->type == 0 ? WHET_F32 : s->type == 1 ? WHET_U8 : WHET_S8;
}

/* The model before this stage. */
static infer *before(const pl_node *n) {
  infer *m = NULL;
  const pl_branch *b = n->branch;
  for (size_t i = 0; i < b->n_stage && b->stage[i] != n; i++)
    if (b->stage[i]->kind == &pl_stage_infer && pl_leads_to(b->stage[i], n)) m = (infer *)b->stage[i];
  return m;
}

static whet_status open_picture(cascade_stage *s, whet_err *err) {
  pl_node *n = &s->n;
  pipe_picture_opts o;
  whet_info info = {.name = "the remote's input", .kind = WHET_TENSOR, .dtype = type_of(s), .rank = s->rank};
  if (!s->shape.n) return pl_fail(n, err, "picture needs shape: that of the remote's input");
  memcpy(info.dims, s->dims, sizeof info.dims);
  EDGE_TRY(pl_fill(n, s->picture, "the picture of a cascade", k_picture, s, err));
  EDGE_TRY(pipe_picture_conf(&n->p->file, s->picture, &s->raw, &o, err));
  return pipe_picture_create(&info, true, &o, &s->pic, err) ? pl_fail_here(n, err) : WHET_OK;
}

static whet_status open_cascade(pl_node *n, whet_err *err) {
  cascade_stage *s = (cascade_stage *)n;
  if (!(s->model = before(n))) return pl_fail(n, err, "it reads a model's outputs, but no infer stands before it");
  for (size_t i = 0; n->branch->stage[i] != &s->model->n; i++) /* another that comes here without that one */
    if (n->branch->stage[i]->kind == &pl_stage_infer && pl_leads_to(n->branch->stage[i], n) &&
        !pl_leads_to(n->branch->stage[i], &s->model->n))
      return pl_fail(n, err, "models of several rungs stand before it: put it into each rung, behind the model");
  if (s->shape.n > WHET_MAX_RANK) return pl_fail(n, err, "shape: more than %d sizes", WHET_MAX_RANK);
  for (size_t i = 0; i < s->shape.n; i++) s->dims[s->rank++] = (int64_t)s->shape.v[i];
  if (s->picture && s->features >= 0)
    return pl_fail(n, err, "the remote gets either picture or features, an output of the model here");
  if (s->picture) EDGE_TRY(open_picture(s, err));
  const char **path[] = {&s->o.outbox, &s->r.ca, &s->r.cert, &s->r.key};
  for (size_t i = 0; i < EDGE_COUNT(path); i++)
    if (*path[i] && !(*path[i] = pl_path(n, *path[i], err))) return WHET_E_MEMORY;
  s->o.policy = (cascade_policy){
      .measure = (cascade_measure)s->measure, .temperature = s->temperature, .threshold = s->threshold};
  if (s->per_class.n) s->o.policy.per_class = s->per_class.v, s->o.policy.n_class = s->per_class.n;
  s->o.mode = s->mode ? CASCADE_CORRECT : CASCADE_WAIT;
  s->o.outbox_bytes = (int64_t)s->outbox_bytes;
  s->o.budget.bytes = (double)s->bytes;
  s->o.failures = (int)s->failures;
  s->o.pause = s->breaker_pause;
  s->o.workers = (int)s->workers;
  s->o.queue = (size_t)s->queue;
  return pl_labels(n, s->labels_file, &s->labels, err);
}

/* The best class of scores as the frame's. */
static whet_status told(const cascade_stage *s, pl_frame *f, int32_t best, float score, whet_err *err) {
  f->n_class = 0;
  if (best < 0) return WHET_OK;
  pl_class *c = pl_add_class(f);
  if (!c) return edge_fail(err, WHET_E_MEMORY, "no memory for classes");
  *c = (pl_class){(uint32_t)best, score, s->labels ? pipe_label(s->labels, (size_t)best) : NULL};
  return WHET_OK;
}

/* A correction: a frame for the stages behind, with the time and number of the case, which its key tells. From a
 * thread of the cascade. */
static bool correct(void *user, const cascade_correction *k) {
  cascade_stage *s = user;
  whet_err err;
  long long time = 0;
  unsigned long long seq = 0;
  if (!k->late) return true;                     /* whoever waited has it */
  pl_frame *f = pl_frame_new(pl_pool_of(&s->n)); /* none of the source's: it has the number of its case */
  if (!f) return false;
  f->time = pl_clock();
  f->arrived = edge_now();
  f->source = s->n.branch->name;
  const char *at = strrchr(k->key, '-');
  while (at && at > k->key && at[-1] != '-') at--;
  if (at && sscanf(at, "%lld-%llu", &time, &seq) == 2) f->time = time, f->seq = seq;
  snprintf(f->key, sizeof f->key, "%s", k->key);
  f->event = "correction";
  f->resume = &s->n;
  if (told(s, f, k->best, k->best >= 0 && (size_t)k->best < k->n ? k->scores[k->best] : 0, &err)) {
    pl_frame_free(f);
    return false;
  }
  return pl_queue_put_late(&s->n.branch->queue, f);
}

static whet_status start(pl_node *n, whet_err *err) {
  cascade_stage *s = (cascade_stage *)n;
  cascade_link link;
  s->o.correct = correct;
  s->o.user = s;
  if (cascade_http(&s->r, s->o.workers ? s->o.workers : 4, &link, err)) return pl_fail_here(n, err);
  return cascade_open(&s->o, &link, &s->c, err) ? pl_fail_here(n, err) : WHET_OK;
}

static whet_status room(cascade_stage *s, size_t numbers, size_t bytes, whet_err *err) {
  if (numbers > s->cap_v) {
    float *v = realloc(s->v, numbers * sizeof *v);
    if (!v) return edge_fail(err, WHET_E_MEMORY, "no memory for %zu numbers", numbers);
    s->v = v, s->cap_v = numbers;
  }
  if (bytes > s->cap_data) {
    void *p = realloc(s->data, bytes);
    if (!p) return edge_fail(err, WHET_E_MEMORY, "no memory for %zu bytes", bytes);
    s->data = p, s->cap_data = bytes;
  }
  return WHET_OK;
}

/* The model's input as it is now. */
static whet_status input_of(const infer *m, pipe_tensor *t, whet_err *err) {
  whet_info info;
  size_t have;
  EDGE_TRY(whet_session_input_info(m->session, m->input, &info));
  const void *in = whet_session_input(m->session, m->input, &have, err);
  if (!in) return err && err->code ? err->code : WHET_E_INTERNAL;
  *t = (pipe_tensor){
      .name = info.name, .dtype = info.dtype, .rank = info.rank, .data = in, .quant = info.quant, .n = 1};
  for (int32_t i = 0; i < info.rank; i++) t->n *= (size_t)(t->dims[i] = info.dims[i]);
  return WHET_OK;
}

/* A tensor as real numbers times `scale` plus `offset`, in the remote's type. */
static whet_status pack(cascade_stage *s, const pipe_tensor *t, const char *what, cascade_case *x, whet_err *err) {
  size_t want = 1;
  for (int32_t i = 0; i < s->rank; i++) want *= (size_t)s->dims[i];
  if (s->shape.n && want != t->n)
    return edge_fail(err, WHET_E_SHAPE, "shape has %zu numbers, the model's %s %zu", want, what, t->n);
  EDGE_TRY(room(s, 0, t->n * sizeof(float), err));
  EDGE_TRY(pipe_tensor_convert(t, s->scale, s->offset, type_of(s), s->data, err));
  if (!s->shape.n) s->rank = t->rank, memcpy(s->dims, t->dims, sizeof s->dims);
  *x = (cascade_case){.rank = s->rank, .dims = s->dims, .data = s->data, .bytes = t->n * (s->type ? 1 : 4)};
  return WHET_OK;
}

/* What the remote gets: the picture anew, the model's input, or an output of it: features that a larger head reads.
 */
static whet_status prepare(cascade_stage *s, const pl_frame *f, cascade_case *x, whet_err *err) {
  pipe_tensor t;
  if (s->features >= 0) {
    if ((size_t)s->features >= f->n_output)
      return edge_fail(err, WHET_E_NAME, "features: the model has no output %lld", (long long)s->features);
    return pack(s, &f->output[s->features], "output", x, err);
  }
  if (!s->pic) {
    EDGE_TRY(input_of(s->model, &t, err));
    return pack(s, &t, "input", x, err);
  }
  size_t bytes;
  if (f->content != PL_PICTURE) return edge_fail(err, WHET_E_TYPE, "the frame holds no picture");
  EDGE_TRY(pipe_picture_shape(s->pic, f->pic.width, f->pic.height, &s->rank, s->dims, &bytes, err));
  EDGE_TRY(room(s, 0, bytes, err));
  EDGE_TRY(pipe_picture_run(s->pic, &f->pic, s->data, bytes, err));
  *x = (cascade_case){.rank = s->rank, .dims = s->dims, .data = s->data, .bytes = bytes};
  return WHET_OK;
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  cascade_stage *s = (cascade_stage *)n;
  cascade_case x;
  cascade_result r;
  if ((size_t)s->output >= f->n_output)
    return edge_fail(err, WHET_E_NAME, "the model has no output %lld", (long long)s->output);
  const pipe_tensor *t = &f->output[s->output];
  EDGE_TRY(prepare(s, f, &x, err));
  EDGE_TRY(room(s, t->n, 0, err));
  EDGE_TRY(pipe_tensor_floats(t, 0, t->n, s->v, err));
  snprintf(f->key, sizeof f->key, "%.20s-%lld-%llu", n->branch->name, (long long)f->time, (unsigned long long)f->seq);
  x.key = f->key;
  EDGE_TRY(cascade_decide(s->c, s->v, t->n, &x, &r, err));
  EDGE_TRY(told(s, f, r.best, !r.remote && r.best >= 0 && (size_t)r.best < t->n ? s->v[r.best] : (float)NAN, err));
  pl_set_value(f, "sure", r.sure);
  if (!r.offloaded) f->key[0] = 0;
  f->event = r.remote ? "remote" : r.provisional ? "provisional" : f->event;
  return pl_pass(n, f, err);
}

/* How many cases wait for the remote, after a moment; 0 when the time for that is over. */
static int64_t settle(pl_node *n, double seconds, double spent) {
  cascade_stage *s = (cascade_stage *)n;
  return s->c && spent < s->wait ? cascade_settle(s->c, seconds) : 0;
}

static void stats(pl_node *n, serve_buf *b) {
  cascade_stage *s = (cascade_stage *)n;
  cascade_stats c;
  if (!s->c) return;
  cascade_stat(s->c, &c);
  buf_printf(b,
             ",\"cascade\":{\"cases\":%llu,\"hard\":%llu,\"offloaded\":%llu,\"answered\":%llu,\"corrected\":%llu,"
             "\"failed\":%llu,\"kept_budget\":%llu,"
             "\"kept_queue\":%llu,\"kept_breaker\":%llu,\"waiting\":%lld,\"bytes_up\":%lld,\"bytes_down\":%lld,"
             "\"breaker\":\"%s\"}",
             (unsigned long long)c.cases, (unsigned long long)c.hard, (unsigned long long)c.offloaded,
             (unsigned long long)c.answered, (unsigned long long)c.corrected, (unsigned long long)c.failed,
             (unsigned long long)c.kept_budget, (unsigned long long)c.kept_queue, (unsigned long long)c.kept_breaker,
             (long long)c.waiting, (long long)c.up, (long long)c.down, c.open ? "open" : "closed");
}

static bool link_of(pl_node *n, pl_link *out) {
  cascade_stage *s = (cascade_stage *)n;
  cascade_stats c;
  if (!s->c) return false;
  cascade_stat(s->c, &c);
  int64_t now = edge_now(), since = c.open ? atomic_load(&s->down) : 0;
  if (c.open && !since) since = now;
  atomic_store(&s->down, since);
  *out = (pl_link){.down = c.open ? (double)(now - since) * 1e-9 + 1e-3 : 0,
                   .waiting = c.waiting,
                   .sent = (uint64_t)c.up,
                   .cases = c.cases,
                   .offloaded = c.offloaded};
  return true;
}

static void close_cascade(pl_node *n) {
  cascade_stage *s = (cascade_stage *)n;
  cascade_close(&s->c);
  pipe_picture_close(&s->pic);
  free(s->v);
  free(s->data);
}

static bool gives(const pl_node *n, const char *name) { return !strcmp(name, "sure"); }

static const char *labels(const pl_node *n) { return ((const cascade_stage *)n)->labels_file; }

const pl_kind pl_stage_cascade = {.name = "cascade",
                                  .size = sizeof(cascade_stage),
                                  .keys = k_keys,
                                  .defaults = &k_defaults,
                                  .open = open_cascade,
                                  .start = start,
                                  .run = run,
                                  .settle = settle,
                                  .close = close_cascade,
                                  .stats = stats,
                                  .link = link_of,
                                  .gives = gives,
                                  .labels = labels};
#else
static whet_status lacks(pl_node *n, whet_err *err) {
  return pl_fail(n, err, "this build lacks SQLite, by which cases wait (Debian: libsqlite3-dev)");
}

const pl_kind pl_stage_cascade = {.name = "cascade", .size = sizeof(pl_node), .loose = true, .open = lacks};
#endif
