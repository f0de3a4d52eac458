/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated link. */

#include "edge/cascade/sim.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/pipe/tensor.h"
#include "edge/wait.h"

/* ---- traces ------------------------------------------------------------------------------------ */

static whet_status read_line(const char *path, int line, const char *text, sim_trace *t, whet_err *err) {
  double at, up, latency, loss;
  char more;
  int n = sscanf(text, " %lf , %lf , %lf , %lf %c", &at, &up, &latency, &loss, &more);
  if (n <= 0 && line == 1) return WHET_OK; /* names */
  bool ok = n == 4 && at >= 0 && (up == 0 || up == 1) && latency >= 0 && loss >= 0 && loss <= 1 && at < 1e9 &&
            latency < 1e9;
  if (ok && t->n && at <= t->step[t->n - 1].at)
    return edge_fail(err, WHET_E_DATA, "%s:%d: times do not rise", path, line);
  if (!ok)
    return edge_fail(err, WHET_E_DATA, "%s:%d: expected seconds,up,latency_ms,loss, as 12.5,1,80,0.05", path, line);
  sim_step *more_ = realloc(t->step, (t->n + 1) * sizeof *more_);
  if (!more_) return edge_fail(err, WHET_E_MEMORY, "no memory for a trace");
  t->step = more_;
  t->step[t->n++] = (sim_step){at, up != 0, latency / 1000, loss};
  return WHET_OK;
}

whet_status sim_trace_read(const char *path, sim_trace *t, whet_err *err) {
  char text[400];
  *t = (sim_trace){0};
  FILE *f = fopen(path, "r");
  if (!f) return edge_fail(err, WHET_E_IO, "%s: %s", path, strerror(errno));
  whet_status s = WHET_OK;
  for (int line = 1; !s && fgets(text, sizeof text, f); line++)
    if (text[strspn(text, " \t\r\n")] && *text != '#') s = read_line(path, line, text, t, err);
  fclose(f);
  if (!s && t->n < 2)
    s = edge_fail(err, WHET_E_DATA, "%s: a trace has two lines at least; the last says where it ends", path);
  if (s)
    sim_trace_free(t);
  else
    t->length = t->step[t->n - 1].at;
  return s;
}

void sim_trace_free(sim_trace *t) {
  free(t->step);
  *t = (sim_trace){0};
}

double sim_trace_up(const sim_trace *t) {
  double up = 0;
  for (size_t i = 0; i + 1 < t->n; i++) up += t->step[i].up ? t->step[i + 1].at - t->step[i].at : 0;
  return t->length > 0 ? up / (t->length - t->step[0].at) : 1;
}

static const sim_step *step_at(const sim_trace *t, double at) {
  at = t->length > 0 ? fmod(at, t->length) : 0;
  size_t lo = 0, hi = t->n;
  while (hi - lo > 1) {
    size_t mid = (lo + hi) / 2;
    if (t->step[mid].at <= at)
      lo = mid;
    else
      hi = mid;
  }
  return &t->step[lo];
}

/* ---- the link ---------------------------------------------------------------------------------- */

struct worker {
  whet_session *session;
  float *numbers;
  size_t cap;
  uint64_t seed;
};

struct sim {
  sim_opts o;
  int64_t began;
  pthread_mutex_t lock;
  pthread_cond_t woken;
  bool end;
  struct worker worker[];
};

/* Simulated seconds; false: woken. */
static bool sleep_for(struct sim *s, double seconds) {
  int64_t until = edge_after(seconds / s->o.speed);
  pthread_mutex_lock(&s->lock);
  while (!s->end && edge_wait(&s->woken, &s->lock, until)) {
  }
  bool on = !s->end;
  pthread_mutex_unlock(&s->lock);
  return on;
}

static double now(const struct sim *s) { return 1e-9 * (double)(edge_now() - s->began) * s->o.speed; }
static const sim_step *state(const struct sim *s) {
  static const sim_step fine = {0, true, 0, 0};
  return s->o.trace ? step_at(s->o.trace, now(s)) : &fine;
}

static whet_status answer(struct worker *w, int32_t rank, const int64_t *dims, const void *data, size_t bytes,
                          remote_answer *a, whet_err *err) {
  size_t n;
  pipe_tensor out;
  EDGE_TRY(whet_session_resize(w->session, 0, rank, dims, err));
  void *in = whet_session_input(w->session, 0, &n, err);
  if (!in || n != bytes)
    return edge_fail(err, WHET_E_UNSUPPORTED, "the remote model takes %zu bytes, the case has %zu", n, bytes);
  memcpy(in, data, bytes);
  EDGE_TRY(whet_session_run(w->session, NULL, err));
  EDGE_TRY(pipe_tensor_output(w->session, 0, &out, err));
  if (out.n > w->cap) {
    float *more = realloc(w->numbers, out.n * sizeof *more);
    if (!more) return edge_fail(err, WHET_E_MEMORY, "no memory for an answer");
    w->numbers = more, w->cap = out.n;
  }
  EDGE_TRY(pipe_tensor_floats(&out, 0, out.n, w->numbers, err));
  a->numbers = w->numbers;
  a->n = out.n;
  a->down = (int64_t)(out.n * whet_dtype_bits(out.dtype) / 8);
  return WHET_OK;
}

static whet_status ask(void *own, int worker, const char *id, int32_t rank, const int64_t *dims, const void *data,
                       size_t bytes, remote_answer *a, whet_err *err) {
  struct sim *s = own;
  struct worker *w = &s->worker[worker];
  double began = now(s);
  (void)id;
  *a = (remote_answer){.why = "the link is down"};
  const sim_step *x = state(s);
  bool lost = edge_draw(&w->seed) < x->loss;
  if (!x->up || lost) {
    if (lost && x->up) a->up = (int64_t)bytes;
    sleep_for(s, x->up ? s->o.timeout : 0.05); /* a lost request costs its timeout, a dead link is told at once */
    return edge_fail(err, WHET_E_IO, "%s", a->why);
  }
  a->up = (int64_t)bytes;
  if (x->latency > s->o.timeout) {
    sleep_for(s, s->o.timeout);
    a->why = "no answer in time";
    return edge_fail(err, WHET_E_IO, "%s", a->why);
  }
  if (!sleep_for(s, x->latency) || !state(s)->up) return edge_fail(err, WHET_E_IO, "%s", a->why);
  whet_status r = answer(w, rank, dims, data, bytes, a, err);
  a->seconds = now(s) - began;
  return r;
}

static bool ready(void *own) { return state(own)->up; }
static void wake(void *own) {
  struct sim *s = own;
  pthread_mutex_lock(&s->lock);
  s->end = true;
  pthread_cond_broadcast(&s->woken);
  pthread_mutex_unlock(&s->lock);
}
static void close_sim(void *own) {
  struct sim *s = own;
  for (int i = 0; i < s->o.workers; i++) {
    whet_session_close(&s->worker[i].session);
    free(s->worker[i].numbers);
  }
  pthread_mutex_destroy(&s->lock);
  pthread_cond_destroy(&s->woken);
  free(s);
}

whet_status sim_link(const sim_opts *o, cascade_link *out, whet_err *err) {
  struct sim *s = calloc(1, sizeof *s + (size_t)o->workers * sizeof s->worker[0]);
  if (!s) return edge_fail(err, WHET_E_MEMORY, "no memory for a link");
  s->o = *o;
  if (!(s->o.speed > 0)) s->o.speed = 1;
  if (!(s->o.timeout > 0)) s->o.timeout = 5;
  s->began = edge_now();
  pthread_mutex_init(&s->lock, NULL);
  edge_cond_init(&s->woken);
  whet_status r = WHET_OK;
  for (int i = 0; i < o->workers && !r; i++) {
    s->worker[i].seed = o->seed * 977 + (uint64_t)i;
    r = whet_session_create(o->program, &s->worker[i].session, err);
  }
  if (r)
    close_sim(s);
  else
    *out = (cascade_link){s, ask, ready, wake, close_sim};
  return r;
}
