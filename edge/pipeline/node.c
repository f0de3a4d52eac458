/* SPDX-License-Identifier: Apache-2.0 */
/* What sources, stages and sinks call. */

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "edge/pipeline/inner.h"

enum { SAID_NS = 1000000000, SAID_FIRST = 8 }; /* of failures: the first that differ, then one a second */

whet_status pl_fail(const pl_node *n, whet_err *err, const char *fmt, ...) {
  char text[700];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  return conf_fail(&n->p->file, n->at, err, "%s: %s", n->kind->name, text);
}

whet_status pl_fail_here(const pl_node *n, whet_err *err) {
  return edge_fail_in(err, "%s:%d: %s", n->p->file.name, n->at->line, n->kind->name);
}

whet_status pl_fill(const pl_node *n, const conf_node *map, const char *what, const conf_key *keys, void *into,
                    whet_err *err) {
  return conf_fill(&n->p->file, map, what, keys, into, err);
}

const char *pl_path(const pl_node *n, const char *path, whet_err *err) {
  if (*path == '/' || !*n->p->folder) return path;
  const char *s = whet__arena_printf(&n->p->file.arena, "%s%s", n->p->folder, path);
  if (!s) edge_fail(err, WHET_E_MEMORY, "no memory for a path");
  return s;
}

void *pl_keep(const pl_node *n, size_t bytes, whet_err *err) {
  void *q = whet__arena_alloc(&n->p->file.arena, bytes ? bytes : 1);
  if (!q) edge_fail(err, WHET_E_MEMORY, "no memory for a pipeline");
  return q;
}

/* A line with the branch and kind that it comes from; errors and warnings with the place in the pipeline's file too.
 */
static void line_of(const pl_node *n, int level, const char *text, char *line, size_t size) {
  char at[300] = "";
  if (level < 2) snprintf(at, sizeof at, "%.250s:%d: ", n->p->file.name, n->at->line);
  snprintf(line, size, "%s%s%s%s: %s", at, n->branch ? n->branch->name : "", n->branch ? ": " : "", n->name, text);
}

static void say(const pl_node *n, int level, const char *line) {
  if (n->p->o.log) n->p->o.log(n->p->o.user, level, line);
}

void pl_log(const pl_node *n, int level, const char *fmt, ...) {
  char text[1000], line[2400];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  line_of(n, level, text, line, sizeof line);
  say(n, level, line);
}

/* Failures that were not written. */
static void more(const pl_node *n, uint64_t unsaid) {
  if (unsaid) pl_log(n, 0, "%llu more failure%s", (unsigned long long)unsaid, unsaid > 1 ? "s" : "");
}

void pl_failed(pl_node *n, const pl_frame *f, const whet_err *err) {
  whet_pipeline *p = n->p;
  char text[2400], line[2800];
  int64_t now = edge_now();
  uint64_t before = atomic_fetch_add_explicit(&n->failed, 1, memory_order_relaxed);
  const char *item = f && f->item[0] ? f->item : NULL;
  snprintf(text, sizeof text, "%s%s%s", item ? item : "", item ? ": " : "", err->text);
  line_of(n, 0, text, line, sizeof line);
  pthread_mutex_lock(&p->lock);
  bool again = !strncmp(n->said_text, text, sizeof n->said_text - 1);
  bool say_it = (before < SAID_FIRST && !again) || now - n->said >= SAID_NS;
  uint64_t unsaid = n->unsaid;
  if (say_it) {
    n->said = now, n->unsaid = 0;
    snprintf(n->said_text, sizeof n->said_text, "%.*s", (int)sizeof n->said_text - 1, text);
  } else {
    n->unsaid++;
  }
  if (!p->first.code) edge_fail(&p->first, err->code, "%s", line);
  pthread_mutex_unlock(&p->lock);
  if (say_it) {
    more(n, unsaid);
    say(n, 0, line);
  }
  if (p->stop_on_error) whet_pipeline_stop(p);
}

void pl_failed_end(pl_node *n) {
  pthread_mutex_lock(&n->p->lock);
  uint64_t unsaid = n->unsaid;
  n->unsaid = 0;
  pthread_mutex_unlock(&n->p->lock);
  more(n, unsaid);
}

pl_node *pl_find(const pl_node *n, const pl_kind *kind) {
  pl_node *at = n->next;
  while (at && at->kind != kind) at = at->next;
  return at;
}

bool pl_is_behind_infer(const pl_node *n) {
  const pl_branch *b = n->branch;
  for (size_t i = 0; i < b->n_stage && b->stage[i] != n; i++)
    if (b->stage[i]->kind == &pl_stage_infer && pl_leads_to(b->stage[i], n)) return true;
  return false;
}

bool pl_leads_to(const pl_node *a, const pl_node *b) {
  while (a && a != b) a = a->next;
  return a != NULL;
}

bool pl_given(const pl_node *n, const char *key) {
  return n->at->kind == CONF_MAP && n->at->n == 1 && conf_get(&n->at->item[0], key) != NULL;
}

bool pl_same(const char *a, const char *b) { return a == b || (a && b && !strcmp(a, b)); }

pl_pool *pl_pool_of(const pl_node *n) { return &n->p->pool; }

pl_frame *pl_source_frame(pl_node *n) {
  pl_frame *f = pl_frame_new(&n->p->pool);
  if (!f) {
    pl_failed(n, NULL, &(whet_err){.code = WHET_E_MEMORY, .text = "no memory for a frame"});
    return NULL;
  }
  f->seq = ++n->branch->seq;
  f->time = pl_clock();
  f->arrived = edge_now();
  f->source = n->branch->name;
  return f;
}

bool pl_source_give(pl_node *n, pl_frame *f) {
  if (!f) return !n->p->stopping;
  atomic_fetch_add_explicit(&n->out, 1, memory_order_relaxed);
  return pl_queue_put(&n->branch->queue, f) && !n->p->stopping;
}

bool pl_source_give_timed(pl_node *n, pl_frame *f) {
  if (!f || n->p->stopping || !pl_run_here(n->branch, f)) return pl_source_give(n, f);
  atomic_fetch_add_explicit(&n->out, 1, memory_order_relaxed);
  return !n->p->stopping;
}

bool pl_stopping(const pl_node *n) { return n->p->stopping; }

bool pl_source_wait(pl_node *n, int64_t until, int fd) {
  for (;;) {
    struct pollfd w[2] = {{.fd = n->p->stop_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    int64_t left = until < 0 ? -1 : until - edge_now();
    if (n->p->stopping) return false;
    if (until >= 0 && left <= 0 && fd < 0) return true;
    struct timespec t = {.tv_sec = left < 0 ? 0 : left / 1000000000, .tv_nsec = left < 0 ? 0 : left % 1000000000};
    int k = ppoll(w, fd < 0 ? 1 : 2, until < 0 ? NULL : &t, NULL);
    if (n->p->stopping || (k > 0 && w[0].revents)) return false;
    if (k > 0 || k == 0) return true;
  }
}
