/* SPDX-License-Identifier: Apache-2.0 */
/* From a file to branches: every key is read here or by the kind that it belongs to; then stages are opened, from the
 * last to the first of each branch, so that a stage can ask the model behind it what it takes. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "edge/pipeline/stage/rungs.h"

/* The file as it stands. */
typedef struct root {
  const char *name;
  size_t memory;
  double drain;
  int on_error;
  const conf_node *models, *branches, *sinks, *privacy, *governor, *energy;
  /* the keys of a lone branch */
  const conf_node *source, *queue, *stages;
} root;
#define AT(field) offsetof(root, field)
static const conf_key k_root[] = {{.name = "name", CONF_STR, AT(name)},
                                  {.name = "memory", CONF_BYTES, AT(memory)},
                                  {.name = "drain", CONF_SECONDS, AT(drain), NULL, 0, 60},
                                  {.name = "on_error", CONF_CHOICE, AT(on_error), "skip|stop"},
                                  {.name = "models", CONF_NODE, AT(models)},
                                  {.name = "branches", CONF_NODE, AT(branches)},
                                  {.name = "sinks", CONF_NODE, AT(sinks)},
                                  {.name = "privacy", CONF_NODE, AT(privacy)},
                                  {.name = "governor", CONF_NODE, AT(governor)},
                                  {.name = "energy", CONF_NODE, AT(energy)},
                                  {.name = "source", CONF_NODE, AT(source)},
                                  {.name = "queue", CONF_NODE, AT(queue)},
                                  {.name = "stages", CONF_NODE, AT(stages)},
                                  {0}};

#define OF(field) offsetof(power_opts, field)
static const conf_key k_energy[] = {{.name = "idle", CONF_REAL, OF(idle), NULL, 0, 1e6},
                                    {.name = "busy", CONF_REAL, OF(busy), NULL, 1e-6, 1e6, true},
                                    {.name = "error", CONF_REAL, OF(error), NULL, 1e-6, 10},
                                    {0}};

typedef struct raw_branch {
  const conf_node *source, *queue, *stages, *privacy, *sinks;
  const char *from;
} raw_branch;
#define IN(field) offsetof(raw_branch, field)
static const conf_key k_branch[] = {{.name = "source", CONF_NODE, IN(source)},
                                    {.name = "from", CONF_STR, IN(from)},
                                    {.name = "queue", CONF_NODE, IN(queue)},
                                    {.name = "stages", CONF_NODE, IN(stages)},
                                    {.name = "privacy", CONF_NODE, IN(privacy)},
                                    {.name = "sinks", CONF_NODE, IN(sinks)},
                                    {0}};

typedef struct raw_queue {
  int64_t size;
  int full;
} raw_queue;
static const conf_key k_queue[] = {
    {.name = "size", CONF_INT, offsetof(raw_queue, size), NULL, 1, 100000},
    {.name = "full", CONF_CHOICE, offsetof(raw_queue, full), "drop-oldest|drop-newest|block"},
    {0}};

#define MODEL(field) offsetof(pl_model, field)
static const conf_key k_model[] = {{.name = "file", CONF_STR, MODEL(file), NULL, 0, 0, true},
                                   {.name = "threads", CONF_INT, MODEL(threads), NULL, 0, 1024},
                                   {.name = "memory", CONF_BYTES, MODEL(memory)},
                                   {.name = "exact", CONF_BOOL, MODEL(exact)},
                                   {.name = "cpu", CONF_STR, MODEL(cpu)},
                                   {0}};

static whet_status fail(whet_pipeline *p, const conf_node *at, whet_err *err, const char *fmt, ...) EDGE_PRINTF(4, 5);
static whet_status fail(whet_pipeline *p, const conf_node *at, whet_err *err, const char *fmt, ...) {
  char text[600];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  return conf_fail(&p->file, at, err, "%s", text);
}

static whet_status no_memory(whet_err *err) { return edge_fail(err, WHET_E_MEMORY, "no memory for a pipeline"); }

static void *keep(whet_pipeline *p, size_t n, size_t each) { return whet__arena_array(&p->file.arena, n, each); }

/* Names of kinds, for messages. */
static const pl_kind *find_kind(const pl_kind *const *kinds, const char *name, char *list, size_t n) {
  size_t at = 0;
  if (list) list[0] = 0;
  for (; *kinds; kinds++) {
    if (!strcmp((*kinds)->name, name)) return *kinds;
    if (list && at < n) at += (size_t)snprintf(list + at, n - at, "%s%s", at ? ", " : "", (*kinds)->name);
  }
  return NULL;
}

/* A node of a kind out of "KIND: settings" or "KIND". */
static whet_status make(whet_pipeline *p, pl_branch *b, const conf_node *v, const char *what,
                        const pl_kind *const *kinds, pl_node **out, whet_err *err) {
  static const conf_node none = {.kind = CONF_MAP};
  char list[600], title[100];
  const char *name = v->kind == CONF_TEXT ? v->text : v->kind == CONF_MAP && v->n == 1 ? v->key[0] : NULL;
  if (!name)
    return fail(p, v, err, "expected one %s, as \"KIND: settings\"; %s", what,
                v->kind == CONF_LIST ? "got a list"
                : v->n               ? "got several keys"
                                     : "got nothing");
  const pl_kind *k = find_kind(kinds, name, list, sizeof list);
  if (!k) return fail(p, v, err, "there is no %s \"%.60s\"; there are %s", what, name, list);
  pl_node *n = keep(p, 1, k->size);
  if (!n) return no_memory(err);
  if (k->defaults) memcpy(n, k->defaults, k->size);
  n->kind = k;
  n->at = v;
  n->branch = b;
  n->p = p;
  n->name = k->name;
  pthread_mutex_init(&n->lock, NULL);
  *out = n;
  if (k->loose) return WHET_OK;
  const conf_node *set = v->kind == CONF_MAP ? &v->item[0] : &none;
  conf_node empty = none, lone = none, item;
  const char *key;
  int line = v->line;
  empty.line = v->line;
  if (set == &none || (set->kind == CONF_TEXT && set->plain && !*set->text)) set = &empty;
  if (set->kind != CONF_MAP) {
    if (!k->lone) return fail(p, set, err, "the %s %s: expected a map of settings", what, name);
    item = *set, key = k->lone;
    lone = (conf_node){.kind = CONF_MAP, .line = set->line, .n = 1, .item = &item, .key = &key, .key_line = &line};
    set = &lone;
  }
  static const conf_key no_keys[] = {{0}};
  if (!k->keys && set->n) return fail(p, set, err, "the %s %s has no settings", what, name);
  snprintf(title, sizeof title, "the %s %s", what, name);
  return conf_fill(&p->file, set, title, k->keys ? k->keys : no_keys, n, err);
}

static whet_status models(whet_pipeline *p, const conf_node *v, whet_err *err) {
  if (!v) return WHET_OK;
  if (v->kind != CONF_MAP) return fail(p, v, err, "models: expected a map of names to files");
  p->model = keep(p, v->n + 1, sizeof *p->model);
  if (!p->model) return no_memory(err);
  for (size_t i = 0; i < v->n; i++) {
    pl_model *m = &p->model[p->n_model++];
    *m = (pl_model){.name = v->key[i], .at = &v->item[i], .threads = 1};
    if (v->item[i].kind == CONF_TEXT)
      m->file = v->item[i].text;
    else
      EDGE_TRY(conf_fill(&p->file, &v->item[i], "a model", k_model, m, err));
  }
  return WHET_OK;
}

/* One row of a stage `rungs`: its stages, joined among themselves. */
static whet_status row(whet_pipeline *p, pl_branch *b, const conf_node *v, rungs_row *r, whet_err *err) {
  r->from = b->n_stage;
  for (size_t i = 0; i < v->n; i++) {
    pl_node *n = NULL;
    EDGE_TRY(make(p, b, &v->item[i], "stage", pl_stages, &n, err));
    if (n->kind == &pl_stage_rungs) return fail(p, n->at, err, "rungs: they do not stand within each other");
    if (i) b->stage[b->n_stage - 1]->next = n;
    b->stage[b->n_stage++] = n;
  }
  r->n = v->n;
  return WHET_OK;
}

/* The rows of a stage `rungs`. A rung that is not named goes the way of the one before it on the ladder. */
static whet_status rows(whet_pipeline *p, pl_branch *b, rungs *s, whet_err *err) {
  const conf_node *v = s->n.at->kind == CONF_MAP ? &s->n.at->item[0] : s->n.at;
  const pl_govern *g = p->govern;
  bool named[PL_RUNGS] = {false};
  if (!g) return fail(p, s->n.at, err, "rungs: there is no governor that would choose one");
  if (v->kind != CONF_MAP || !v->n) return fail(p, v, err, "rungs: expected a map of rungs to lists of stages");
  s->row = keep(p, v->n, sizeof *s->row);
  if (!s->row) return no_memory(err);
  for (size_t i = 0; i < v->n; i++) {
    const conf_node at = {.line = v->key_line[i]};
    int rung = pl_govern_find(g, v->key[i]);
    if (rung < 0) return fail(p, &at, err, "rungs: the governor's ladder has no rung %.60s", v->key[i]);
    if (v->item[i].kind != CONF_LIST) return fail(p, &v->item[i], err, "%s: expected a list of stages", v->key[i]);
    named[rung] = true;
    s->of[rung] = (uint8_t)i;
    EDGE_TRY(row(p, b, &v->item[i], &s->row[s->n_row++], err));
  }
  if (!named[0]) return fail(p, v, err, "rungs: the ladder's first rung, %.60s, is missing", g->rung[0].name);
  for (int i = 1; i < g->n_rung; i++)
    if (!named[i]) s->of[i] = s->of[i - 1];
  s->now = s->of[0];
  return WHET_OK;
}

/* Append the stages of a list to a branch: whatever leads nowhere yet leads to the next. */
static whet_status stages(whet_pipeline *p, pl_branch *b, const conf_node *v, const char *what, whet_err *err) {
  if (!v) return WHET_OK;
  if (v->kind != CONF_LIST) return fail(p, v, err, "%s: expected a list of stages", what);
  for (size_t i = 0; i < v->n; i++) {
    pl_node *n = NULL;
    EDGE_TRY(make(p, b, &v->item[i], "stage", pl_stages, &n, err));
    for (size_t k = 0; k < b->n_stage; k++)
      if (!b->stage[k]->next) b->stage[k]->next = n;
    b->stage[b->n_stage++] = n;
    if (n->kind == &pl_stage_rungs) EDGE_TRY(rows(p, b, (rungs *)n, err));
  }
  return WHET_OK;
}

/* One sink of a branch: a name, or a kind with settings. */
static whet_status sink(whet_pipeline *p, pl_branch *b, const conf_node *v, whet_err *err) {
  if (v->kind == CONF_TEXT)
    for (size_t i = 0; i < p->n_named; i++)
      if (!strcmp(p->sink[i]->name, v->text)) {
        b->sink[b->n_sink++] = p->sink[i];
        return WHET_OK;
      }
  pl_node *n = NULL;
  EDGE_TRY(make(p, b, v, "sink", pl_sinks, &n, err));
  p->sink[p->n_sink++] = b->sink[b->n_sink++] = n;
  return WHET_OK;
}

static size_t count(const conf_node *v) { return !v ? 0 : v->kind == CONF_LIST ? v->n : 1; }

/* How many stages a list stands for: those of rungs count, too. */
static size_t count_stages(const conf_node *v) {
  size_t n = count(v);
  for (size_t i = 0; v && v->kind == CONF_LIST && i < v->n; i++) {
    const conf_node *x = &v->item[i];
    if (x->kind != CONF_MAP || x->n != 1 || strcmp(x->key[0], pl_stage_rungs.name)) continue;
    for (size_t k = 0; x->item[0].kind == CONF_MAP && k < x->item[0].n; k++) n += count(&x->item[0].item[k]);
  }
  return n;
}

static whet_status branch(whet_pipeline *p, pl_branch *b, const raw_branch *r, const conf_node *common,
                          whet_err *err) {
  if (!r->source == !r->from) return fail(p, b->at, err, "the branch %.60s needs either a source or from", b->name);
  b->stage = keep(p, count_stages(r->stages) + count_stages(r->privacy) + count_stages(common) + 1, sizeof *b->stage);
  b->sink = keep(p, count(r->sinks) + 1, sizeof *b->sink);
  if (!b->stage || !b->sink) return no_memory(err);
  if (r->source) EDGE_TRY(make(p, b, r->source, "source", pl_sources, &b->source, err));
  EDGE_TRY(stages(p, b, r->stages, "stages", err));
  EDGE_TRY(stages(p, b, r->privacy, "privacy", err));
  if (count(r->sinks)) EDGE_TRY(stages(p, b, common, "privacy", err));
  for (size_t i = 0; i < count(r->sinks); i++)
    EDGE_TRY(sink(p, b, r->sinks->kind == CONF_LIST ? &r->sinks->item[i] : r->sinks, err));
  raw_queue q = {.size = 4, .full = b->source && b->source->kind->live ? PL_DROP_OLDEST : PL_BLOCK};
  if (r->queue) EDGE_TRY(conf_fill(&p->file, r->queue, "a queue", k_queue, &q, err));
  return pl_queue_init(&b->queue, (size_t)q.size, (pl_full)q.full, err);
}

/* Join the branches that take frames of others; a circle has no source. */
static whet_status join(whet_pipeline *p, const raw_branch *r, whet_err *err) {
  for (size_t i = 0; i < p->n_branch; i++) {
    pl_branch *b = &p->branch[i];
    if (!(b->next = keep(p, p->n_branch + 1, sizeof *b->next))) return no_memory(err);
  }
  for (size_t i = 0; i < p->n_branch; i++) {
    pl_branch *b = &p->branch[i];
    if (!r[i].from) continue;
    for (size_t k = 0; k < p->n_branch; k++)
      if (!strcmp(p->branch[k].name, r[i].from)) b->from = &p->branch[k];
    if (!b->from) return fail(p, conf_get(b->at, "from"), err, "from: there is no branch \"%.60s\"", r[i].from);
    b->from->next[b->from->n_next++] = b;
  }
  for (size_t i = 0; i < p->n_branch; i++) {
    size_t steps = 0;
    for (pl_branch *b = p->branch[i].from; b; b = b->from)
      if (++steps > p->n_branch)
        return fail(p, p->branch[i].at, err, "the branch %.60s takes its own frames: from goes in a circle",
                    p->branch[i].name);
    pl_branch *b = &p->branch[i];
    if (!b->n_sink && !b->n_next)
      return fail(p, b->at, err, "the branch %.60s leads nowhere: it has no sinks, and no branch is from it",
                  b->name);
  }
  return WHET_OK;
}

static whet_status named_sinks(whet_pipeline *p, const conf_node *v, whet_err *err) {
  for (size_t i = 0; v && i < v->n; i++) {
    pl_node *n = NULL;
    EDGE_TRY(make(p, NULL, &v->item[i], "sink", pl_sinks, &n, err));
    n->name = v->key[i];
    p->sink[p->n_sink++] = n;
    p->n_named = p->n_sink;
  }
  return WHET_OK;
}

/* How many sinks there can be: those of the root, and every branch's. */
static size_t all_sinks(const root *r, const conf_node *branches) {
  size_t n = r->sinks ? r->sinks->n + 1 : 0;
  for (size_t i = 0; branches && i < branches->n; i++) n += count(conf_get(&branches->item[i], "sinks"));
  return n;
}

/* Everything but opening. */
static whet_status read_all(whet_pipeline *p, whet_err *err) {
  conf_file *f = &p->file;
  root r = {.memory = (size_t)256 << 20, .drain = 0.1};
  EDGE_TRY(conf_fill(f, &f->root, "a pipeline", k_root, &r, err));
  bool lone = !r.branches;
  if (!lone && (r.source || r.queue || r.stages))
    return fail(p,
                r.source  ? r.source
                : r.queue ? r.queue
                          : r.stages,
                err, "source, queue and stages belong to a branch where there are branches");
  if (!lone && r.branches->kind != CONF_MAP)
    return fail(p, r.branches, err, "branches: expected a map of names to branches");
  if (!lone && r.sinks && r.sinks->kind != CONF_MAP)
    return fail(p, r.sinks, err, "sinks: expected a map of names to sinks, beside branches");
  if (!lone && !r.branches->n) return fail(p, r.branches, err, "branches: there are none");
  p->name = r.name ? r.name : "pipeline";
  p->drain = p->o.drain >= 0 ? p->o.drain : r.drain;
  p->stop_on_error = r.on_error == 1;
  pl_pool_init(&p->pool, r.memory);
  p->pooled = true;
  EDGE_TRY(models(p, r.models, err));
  if (r.energy) EDGE_TRY(conf_fill(f, r.energy, "energy", k_energy, &p->power, err));
  EDGE_TRY(pl_govern_read(p, r.governor, &p->govern, err));
  size_t n = lone ? 1 : r.branches->n;
  p->sink = keep(p, all_sinks(&r, r.branches) + 1, sizeof *p->sink);
  p->branch = keep(p, n, sizeof *p->branch);
  raw_branch *raw = keep(p, n, sizeof *raw);
  if (!p->sink || !p->branch || !raw) return no_memory(err);
  if (!lone) EDGE_TRY(named_sinks(p, r.sinks, err));
  for (size_t i = 0; i < n; i++) {
    pl_branch *b = &p->branch[p->n_branch++];
    *b =
        (pl_branch){.p = p, .name = lone ? "main" : r.branches->key[i], .at = lone ? &f->root : &r.branches->item[i]};
    if (lone)
      raw[i] = (raw_branch){r.source, r.queue, r.stages, NULL, r.sinks, NULL};
    else
      EDGE_TRY(conf_fill(f, b->at, "a branch", k_branch, &raw[i], err));
    EDGE_TRY(branch(p, b, &raw[i], r.privacy, err));
  }
  if (p->govern) EDGE_TRY(pl_govern_sinks(p->govern, err));
  return join(p, raw, err);
}

static whet_status open_node(pl_node *n, whet_err *err) {
  if (n->opened) return WHET_OK;
  n->opened = true; /* close is called after a failed open too */
  return n->kind->open ? n->kind->open(n, err) : WHET_OK;
}

static whet_status open_all(whet_pipeline *p, whet_err *err) {
  for (size_t i = 0; i < p->n_sink; i++) EDGE_TRY(open_node(p->sink[i], err));
  for (size_t i = 0; i < p->n_branch; i++) {
    pl_branch *b = &p->branch[i];
    for (size_t k = b->n_stage; k-- > 0;) EDGE_TRY(open_node(b->stage[k], err));
    if (b->source) EDGE_TRY(open_node(b->source, err));
  }
  return WHET_OK;
}

whet_pipeline_opts whet_pipeline_opts_default(void) {
  return (whet_pipeline_opts){.size = sizeof(whet_pipeline_opts), .drain = -1};
}

/* Open it from a file (path) or from text. */
static whet_status open_from(const char *path, const char *text, size_t n, const char *name,
                             const whet_pipeline_opts *o, whet_pipeline **out, whet_err *err) {
  *out = NULL;
  if (o && o->size != sizeof *o) return edge_fail(err, WHET_E_MISUSE, "whet_pipeline_opts of %zu bytes", o->size);
  whet_pipeline *p = calloc(1, sizeof *p);
  if (!p) return no_memory(err);
  p->o = o ? *o : whet_pipeline_opts_default();
  p->stop_fd = p->done_fd = p->fin_fd = -1;
  pthread_mutex_init(&p->lock, NULL);
  whet__mem_init(&p->mem, NULL, NULL, 0);
  whet_status s = path ? conf_open(path, &p->mem, &p->file, err) : conf_parse(text, n, name, &p->mem, &p->file, err);
  p->parsed = !s;
  if (!s) {
    const char *slash = path ? strrchr(path, '/') : NULL;
    p->folder = slash ? whet__arena_str(&p->file.arena, path, (size_t)(slash - path) + 1) : "";
    if (!p->folder) s = no_memory(err);
  }
  if (!s) s = pl_expand(p, &p->file.root, err);
  if (!s) s = read_all(p, err);
  if (!s) s = open_all(p, err);
  if (!s) {
    p->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    p->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    p->fin_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->stop_fd < 0 || p->done_fd < 0 || p->fin_fd < 0)
      s = edge_fail(err, WHET_E_SYSTEM, "no descriptors for a pipeline");
  }
  if (s) whet_pipeline_close(&p);
  *out = p;
  return s;
}

whet_status whet_pipeline_open(const char *path, const whet_pipeline_opts *o, whet_pipeline **out, whet_err *err) {
  return open_from(path, NULL, 0, NULL, o, out, err);
}

whet_status whet_pipeline_parse(const char *text, size_t n, const char *name, const whet_pipeline_opts *o,
                                whet_pipeline **out, whet_err *err) {
  return open_from(NULL, text, n, name, o, out, err);
}

static void close_node(pl_node *n) {
  if (!n) return;
  if (n->opened && n->kind->close) n->kind->close(n);
  pthread_mutex_destroy(&n->lock);
}

/* What open_from made; nothing runs any more. */
void pl_unload(whet_pipeline *p) {
  if (p->govern) pl_govern_close(p->govern);
  if (p->started) pl_energy_close(&p->energy);
  for (size_t i = 0; i < p->n_branch; i++) {
    pl_branch *b = &p->branch[i];
    close_node(b->source);
    for (size_t k = 0; k < b->n_stage; k++) close_node(b->stage[k]);
    pl_queue_free(&b->queue);
  }
  for (size_t i = 0; i < p->n_sink; i++) close_node(p->sink[i]);
  for (size_t i = 0; i < p->n_model; i++) {
    if (p->model[i].program) whet_program_close(&p->model[i].program);
    if (p->model[i].model) whet_model_close(&p->model[i].model);
  }
  for (struct pl_labels_file *l = p->labels; l; l = l->next) pipe_labels_close(&l->labels);
  if (p->pooled) pl_pool_free(&p->pool);
  if (p->parsed) conf_close(&p->file);
  if (p->stop_fd >= 0) close(p->stop_fd);
  if (p->done_fd >= 0) close(p->done_fd);
  if (p->fin_fd >= 0) close(p->fin_fd);
  pthread_mutex_destroy(&p->lock);
  free(p);
}
