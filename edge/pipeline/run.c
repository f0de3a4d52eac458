/* SPDX-License-Identifier: Apache-2.0 */
/* The threads of a pipeline: one for each source, one for each branch, and a keeper that ends them in order. Sources
 * end first; a branch ends when its queue is closed and empty, and closes those of the branches that take its frames.
 * A source that keeps time carries its frames through a branch that rests itself: a change of threads would cost more
 * than all the stages around a small model. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "edge/pipeline/govern.h"

static void add(_Atomic uint64_t *to, uint64_t n) { atomic_fetch_add_explicit(to, n, memory_order_relaxed); }

void pl_sink_give(pl_node *n, pl_frame *f) {
  whet_err why = {0};
  pthread_mutex_lock(&n->lock);
  int64_t t = edge_now();
  add(&n->in, 1);
  whet_status s = n->kind->run(n, f, &why);
  if (s) pl_failed(n, f, &why);
  add(&n->ns, (uint64_t)(edge_now() - t));
  pthread_mutex_unlock(&n->lock);
}

static whet_status deliver(pl_branch *b, pl_frame *f, whet_err *err) {
  int64_t us = (edge_now() - f->arrived) / 1000;
  int at = 0;
  for (int64_t v = us * us; v > 1 && at < PL_BUCKETS - 1; v >>= 1) at++; /* two buckets for each power of two */
  add(&b->bucket[at], 1);
  add(&b->events, 1);
  f->branch = b->name;
  for (size_t i = 0; i < b->n_sink; i++)
    if (!(b->sink[i]->off >> b->rung & 1)) pl_sink_give(b->sink[i], f);
  for (size_t i = 0; i < b->n_next; i++) {
    pl_frame *c = pl_frame_copy(f);
    if (!c) return edge_fail(err, WHET_E_MEMORY, "no memory for a frame of the branch %s", b->next[i]->name);
    c->begin = b->fresh;
    c->end = false;
    pl_queue_put(&b->next[i]->queue, c);
  }
  b->fresh = false;
  return WHET_OK;
}

whet_status pl_stage_from(pl_branch *b, pl_node *n, pl_frame *f, whet_err *err) {
  int64_t t = edge_now(), before = b->behind;
  if (!n) {
    whet_status s = deliver(b, f, err);
    b->behind = before + edge_now() - t;
    return s;
  }
  b->behind = 0;
  add(&n->in, 1);
  whet_status s = n->kind->run(n, f, err);
  if (s && !b->culprit) b->culprit = n; /* those before it only pass it on */
  t = edge_now() - t;
  add(&n->ns, (uint64_t)(t - b->behind));
  b->behind = before + t;
  return s;
}

whet_status pl_pass(pl_node *n, pl_frame *f, whet_err *err) {
  add(&n->out, 1);
  return pl_stage_from(n->branch, n->next, f, err);
}

/* A frame failed; the stage that refused it says why. */
static void failed(pl_branch *b, pl_frame *f, const whet_err *err) {
  pl_node *n = b->culprit ? b->culprit : b->n_stage ? b->stage[0] : b->source;
  b->culprit = NULL;
  if (err->code == WHET_E_CANCELLED && b->p->stopping) return;
  add(&b->failed, 1);
  if (n) pl_failed(n, f, err);
}

static void begin_stages(pl_branch *b, size_t from, size_t n) {
  for (size_t i = from; i < from + n; i++)
    if (b->stage[i]->kind->begin) b->stage[i]->kind->begin(b->stage[i]);
}

static void end_stages(pl_branch *b, size_t from, size_t count) {
  whet_err err = {0};
  for (size_t i = from; i < from + count; i++) {
    pl_node *n = b->stage[i];
    if (!n->kind->end || !n->kind->end(n, &err)) continue;
    if (!b->culprit) b->culprit = n;
    failed(b, NULL, &err);
    err = (whet_err){0};
  }
}

void pl_stages_anew(pl_branch *b, size_t from, size_t n) {
  end_stages(b, from, n);
  begin_stages(b, from, n);
}

static void begin_item(pl_branch *b) {
  begin_stages(b, 0, b->n_stage);
  b->inside = b->fresh = true;
}

static void end_item(pl_branch *b) {
  end_stages(b, 0, b->n_stage);
  b->inside = false;
}

static void finished(whet_pipeline *p) {
  uint64_t one = 1;
  while (write(p->fin_fd, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

/* A correction goes on behind the stage that it comes from. */
static void late(pl_branch *b, pl_frame *f) {
  whet_err err = {0};
  if (pl_pass(f->resume, f, &err)) failed(b, f, &err);
  pl_frame_free(f);
}

/* What stages still have to hand on, when no more frames come. */
static void settle(pl_branch *b) {
  int64_t begun = edge_now(), left = 1;
  while (left && !b->p->stopping) {
    left = 0;
    for (size_t i = 0; i < b->n_stage; i++)
      if (b->stage[i]->kind->settle)
        left += b->stage[i]->kind->settle(b->stage[i], 0.02, (double)(edge_now() - begun) * 1e-9);
    for (pl_frame *f; (f = pl_queue_take_late(&b->queue));) late(b, f);
  }
  pl_queue_over(&b->queue);
  for (pl_frame *f; (f = pl_queue_take_late(&b->queue));) late(b, f);
}

/* A frame through all stages; it is gone then. */
static void through(pl_branch *b, pl_frame *f) {
  whet_err err = {0};
  if (f->begin && b->inside) end_item(b);
  if (!b->inside) begin_item(b);
  add(&b->frames, 1);
  if (b->source && f->blob) add(&b->bytes, pl_frame_bytes(f));
  if (pl_govern_admit(b) && pl_stage_from(b, b->n_stage ? b->stage[0] : NULL, f, &err)) failed(b, f, &err);
  if (f->end) end_item(b);
  pl_frame_free(f);
}

bool pl_run_here(pl_branch *b, pl_frame *f) {
  if (!pl_queue_lend(&b->queue)) return false;
  through(b, f);
  pl_queue_return(&b->queue);
  return true;
}

static void *branch_thread(void *arg) {
  pl_branch *b = arg;
  for (pl_frame *f; (f = pl_queue_take(&b->queue));)
    if (f->resume)
      late(b, f);
    else
      through(b, f);
  if (b->inside) end_item(b);
  settle(b);
  for (size_t i = 0; i < b->n_next; i++) pl_queue_close(&b->next[i]->queue, false);
  finished(b->p);
  return NULL;
}

static void *source_thread(void *arg) {
  pl_branch *b = arg;
  whet_err err = {0};
  if (b->source->kind->run(b->source, NULL, &err)) pl_failed(b->source, NULL, &err);
  pl_queue_close(&b->queue, false);
  return NULL;
}

/* Wait until all branches have ended or (fd >= 0) fd can be read, at most so many milliseconds (-1: without end).
 * True: they have. */
static bool all_ended(whet_pipeline *p, size_t *left, int fd, int ms) {
  while (*left) {
    struct pollfd w[2] = {{.fd = p->fin_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    int64_t t = edge_now();
    int n = poll(w, fd < 0 ? 1 : 2, ms);
    uint64_t v;
    if (n > 0 && w[0].revents && read(p->fin_fd, &v, sizeof v) == sizeof v) *left -= v < *left ? (size_t)v : *left;
    if (n == 0 || (n > 0 && fd >= 0 && w[1].revents)) break;
    if (ms > 0) {
      ms -= (int)((edge_now() - t) / 1000000);
      if (ms <= 0) break;
    }
  }
  return !*left;
}

static void *keeper(void *arg) {
  whet_pipeline *p = arg;
  size_t left = p->n_branch;
  if (!all_ended(p, &left, p->stop_fd, -1)) {
    for (size_t i = 0; i < p->n_branch; i++) {
      pl_branch *b = &p->branch[i];
      if (!b->source) continue;
      if (b->source->kind->stop) b->source->kind->stop(b->source);
      pl_queue_close(&b->queue, false);
    }
    if (!all_ended(p, &left, -1, (int)(p->drain * 1000))) {
      for (size_t i = 0; i < p->n_branch; i++) pl_queue_close(&p->branch[i].queue, true);
      whet_cancel_raise(&p->cancel);
      for (size_t i = 0; i < p->n_sink; i++)
        if (p->sink[i]->kind->stop) p->sink[i]->kind->stop(p->sink[i]);
      all_ended(p, &left, -1, -1);
    }
  }
  for (size_t i = 0; i < p->n_branch; i++) {
    if (p->branch[i].source_runs) pthread_join(p->branch[i].source_thread, NULL);
    pthread_join(p->branch[i].thread, NULL);
  }
  if (p->govern) pl_govern_stop(p->govern);
  for (size_t i = 0; i < p->n_sink; i++) {
    pl_node *n = p->sink[i];
    whet_err err = {0};
    if (n->kind->flush && n->kind->flush(n, &err)) pl_failed(n, NULL, &err);
  }
  for (size_t i = 0; i < p->n_branch; i++) {
    pl_branch *b = &p->branch[i];
    if (b->source) pl_failed_end(b->source);
    for (size_t k = 0; k < b->n_stage; k++) pl_failed_end(b->stage[k]);
  }
  for (size_t i = 0; i < p->n_sink; i++) pl_failed_end(p->sink[i]);
  pl_energy_end(&p->energy);
  p->ended = true;
  uint64_t one = 1;
  while (write(p->done_fd, &one, sizeof one) < 0 && errno == EINTR) {
  }
  return NULL;
}

/* Start one; what it says about itself begins with its line. */
static whet_status start_node(pl_node *n, whet_err *err) {
  n->started = true;
  return n->kind->start ? n->kind->start(n, err) : WHET_OK;
}

whet_status whet_pipeline_start(whet_pipeline *p, whet_err *err) {
  if (p->started) return edge_fail(err, WHET_E_MISUSE, "the pipeline was started before");
  p->started = true;
  p->begun = edge_now();
  p->power.sysfs = p->o.sysfs, p->power.procfs = p->o.procfs;
  pl_energy_open(&p->energy, &p->power); /* before a sink that shows it */
  for (size_t i = 0; i < p->n_sink; i++) EDGE_TRY(start_node(p->sink[i], err));
  for (size_t i = 0; i < p->n_branch; i++)
    for (size_t k = 0; k < p->branch[i].n_stage; k++) EDGE_TRY(start_node(p->branch[i].stage[k], err));
  for (size_t i = 0; i < p->n_branch; i++)
    if (p->branch[i].source) EDGE_TRY(start_node(p->branch[i].source, err));
  /* signals are for the program's own threads */
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  bool ok = !p->govern || !pl_govern_start(p->govern, err);
  for (size_t i = 0; i < p->n_branch; i++) {
    pl_branch *b = &p->branch[i];
    b->runs = ok = ok && !pthread_create(&b->thread, NULL, branch_thread, b);
    if (ok && b->source) b->source_runs = ok = !pthread_create(&b->source_thread, NULL, source_thread, b);
  }
  p->kept = ok && !pthread_create(&p->keeper, NULL, keeper, p);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  if (p->kept) return WHET_OK;
  whet_pipeline_stop(p);
  for (size_t i = 0; i < p->n_branch; i++) {
    pl_branch *b = &p->branch[i];
    if (b->source && b->source->kind->stop) b->source->kind->stop(b->source);
    pl_queue_close(&b->queue, true);
  }
  for (size_t i = 0; i < p->n_branch; i++) {
    if (p->branch[i].source_runs) pthread_join(p->branch[i].source_thread, NULL);
    if (p->branch[i].runs) pthread_join(p->branch[i].thread, NULL);
  }
  return edge_fail(err, WHET_E_SYSTEM, "the system gives no more threads");
}

void whet_pipeline_stop(whet_pipeline *p) {
  int before = errno;
  uint64_t one = 1;
  p->stopping = true;
  while (write(p->stop_fd, &one, sizeof one) < 0 && errno == EINTR) {
  }
  errno = before;
}

whet_status whet_pipeline_wait(whet_pipeline *p, double seconds, whet_err *err) {
  if (!p->kept) return edge_fail(err, WHET_E_MISUSE, "the pipeline was not started");
  struct pollfd w = {.fd = p->done_fd, .events = POLLIN};
  int ms = seconds < 0 ? -1 : seconds > 1e6 ? 1000000000 : (int)(seconds * 1000);
  int64_t until = seconds < 0 ? 0 : edge_now() + (int64_t)ms * 1000000;
  while (!p->ended) {
    int n = poll(&w, 1, ms);
    if (n > 0) break;
    if (seconds >= 0 && (ms = (int)((until - edge_now()) / 1000000)) <= 0)
      return edge_fail(err, WHET_E_DEADLINE, "the pipeline goes on");
  }
  while (!p->ended) poll(NULL, 0, 1); /* the flag follows the descriptor at once */
  pthread_mutex_lock(&p->lock);
  whet_err first = p->first;
  pthread_mutex_unlock(&p->lock);
  if (!first.code) return WHET_OK;
  if (err) *err = first;
  return WHET_E_DATA;
}

void whet_pipeline_close(whet_pipeline **at) {
  whet_pipeline *p = *at;
  *at = NULL;
  if (!p) return;
  if (p->kept) {
    whet_pipeline_stop(p);
    pthread_join(p->keeper, NULL);
  }
  pl_unload(p);
}
