/* SPDX-License-Identifier: Apache-2.0 */
/* Runs. A session has one program; each run takes an idle session of whet from its list, or makes one: so any number
 * of threads may run at once, and where the caller binds outputs a run allocates nothing. */

#include "shim.h"

#include <time.h>

/* Free one runner. */
static void runner_free(runner *r) {
  if (!r) return;
  whet_session_close(&r->s);
  free(r->out);
  free(r->seen);
  free(r);
}

void runners_free(OrtSession *s) {
  for (runner *r; (r = s->idle);) {
    s->idle = r->next;
    runner_free(r);
  }
}

/* A runner: the one that was put back last, so that its plan is likely to fit. */
static OrtStatus *runner_take(OrtSession *s, runner **out) {
  whet_err err;
  pthread_mutex_lock(&s->lock);
  runner *r = s->idle;
  if (r) s->idle = r->next;
  pthread_mutex_unlock(&s->lock);
  *out = r;
  if (r) return NULL;
  r = calloc(1, sizeof *r);
  if (r) r->out = calloc(s->n_out + 1, sizeof *r->out);
  if (r) r->seen = calloc(s->n_in + 1, sizeof *r->seen);
  if (!r || !r->out || !r->seen) {
    runner_free(r);
    return no_memory();
  }
  for (size_t i = 0; i < s->n_out; i++) r->out[i].owner = s, r->out[i].index = i;
  whet_status st = whet_session_create(s->program, &r->s, &err);
  if (!st && s->profile) st = whet_session_profile(r->s, 1, &err);
  if (st) {
    runner_free(r);
    return of_whet(st, &err);
  }
  *out = r;
  return NULL;
}

static void runner_give(OrtSession *s, runner *r) {
  pthread_mutex_lock(&s->lock);
  r->next = s->idle;
  s->idle = r;
  pthread_mutex_unlock(&s->lock);
}

/* The place of a name in a list; most callers name things in the model's order, so look there first. */
size_t port_find(const port *p, size_t n, const char *name, size_t hint) {
  if (hint < n && !strcmp(p[hint].info.name, name)) return hint;
  for (size_t i = 0; i < n; i++)
    if (!strcmp(p[i].info.name, name)) return i;
  return n;
}

/* "{1,3,224,224}" */
static const char *shape_text(int32_t rank, const int64_t *dims, char buf[200]) {
  size_t n = (size_t)snprintf(buf, 200, "{");
  for (int32_t i = 0; i < rank && n < 190; i++)
    n += (size_t)snprintf(buf + n, 200 - n, i ? ",%lld" : "%lld", (long long)dims[i]);
  snprintf(buf + (n < 198 ? n : 198), 2, "}");
  return buf;
}

/* The dimensions that a tensor has as that input: a scalar may come in any shape of one element, which the original
 * does not look at. */
static int32_t rank_as(const port *p, const whet_value *v) {
  return p->info.rank == 0 && whet_value_count(v) == 1 ? 0 : whet_value_rank(v);
}

/* Whether a tensor is one that the model declares for that input. */
static OrtStatus *check_input(const port *p, const whet_value *v) {
  const whet_info *x = &p->info;
  char got[40], want[40];
  int32_t rank = rank_as(p, v);
  const int64_t *dims = whet_value_dims(v);
  if (whet_value_dtype(v) != x->dtype)
    return fail(ORT_INVALID_ARGUMENT, "Unexpected input data type. Actual: (%s) , expected: (%s)",
                type_text(whet_value_dtype(v), got), type_text(x->dtype, want));
  if (x->rank < 0) return NULL;
  if (rank != x->rank)
    return fail(ORT_INVALID_ARGUMENT,
                "Invalid rank for input: %s Got: %d Expected: %d Please fix either the inputs/outputs or the model.",
                x->name, rank, x->rank);
  char list[WHET_MAX_RANK * 80] = "";
  size_t n = 0;
  for (int32_t i = 0; i < rank; i++)
    if (x->dims[i] >= 0 && dims[i] != x->dims[i])
      n += (size_t)snprintf(list + n, sizeof list - n, " index: %d Got: %lld Expected: %lld\n", i, (long long)dims[i],
                            (long long)x->dims[i]);
  return n ? fail(ORT_INVALID_ARGUMENT,
                  "Got invalid dimensions for input: %s for the following indices\n%s Please fix either the "
                  "inputs/outputs or "
                  "the model.",
                  x->name, list)
           : NULL;
}

/* Give an input to whet: tensors by their memory, other values by reference. */
static OrtStatus *give_input(runner *r, const port *p, size_t i, const OrtValue *x) {
  whet_err err;
  whet_kind k = whet_value_kind(x->v);
  if (x->sparse) return fail(ORT_INVALID_ARGUMENT, "input with name: '%s' received a sparse tensor", p->info.name);
  if (k != WHET_TENSOR || p->info.kind != WHET_TENSOR) {
    whet_value *v = x->v, *boxed = NULL;
    if (p->info.kind == WHET_OPTIONAL && k != WHET_OPTIONAL) {
      if (whet_value_create_optional(v, &boxed)) return no_memory();
      v = boxed;
    }
    whet_status st = whet_session_set_input(r->s, i, v, &err);
    whet_value_unref(&boxed);
    return of_whet(st, &err);
  }
  TRY(check_input(p, x->v));
  TRY(of_whet(whet_session_resize(r->s, i, rank_as(p, x->v), whet_value_dims(x->v), &err), &err));
  return of_whet(whet_session_bind_input(r->s, i, whet_value_const_data(x->v), whet_value_bytes(x->v), &err), &err);
}

/* All inputs, each once. */
static OrtStatus *give_inputs(OrtSession *s, runner *r, const char *const *name, const OrtValue *const *in,
                              size_t n) {
  uint64_t turn = ++r->turn;
  for (size_t k = 0; k < n; k++) {
    NEED(name[k]);
    size_t i = port_find(s->in, s->n_in, name[k], k);
    if (i == s->n_in) return fail(ORT_INVALID_ARGUMENT, "Invalid input name: %s", name[k]);
    if (!in[k]) return fail(ORT_INVALID_ARGUMENT, "NULL input supplied for input %s", name[k]);
    TRY(give_input(r, &s->in[i], i, in[k]));
    r->seen[i] = turn;
  }
  for (size_t i = 0; i < s->n_in; i++) {
    if (r->seen[i] == turn) continue;
    if (s->in[i].info.kind != WHET_OPTIONAL)
      return fail(ORT_FAIL, "Missing Input: %s", s->in[i].info.name);
    whet_value *none;
    whet_err err;
    if (whet_value_create_optional(NULL, &none)) return no_memory();
    whet_status st = whet_session_set_input(r->s, i, none, &err);
    whet_value_unref(&none);
    TRY(of_whet(st, &err));
  }
  return NULL;
}

/* whet asks for the memory of an output: the caller's, when its shape is the one, else a new tensor. */
static void *out_memory(void *user, size_t i, whet_dtype t, int32_t rank, const int64_t *dims, size_t bytes) {
  slot *o = user;
  (void)bytes;
  o->filled = true;
  if (o->given) {
    whet_value *v = o->given->v;
    if (whet_value_dtype(v) == t && whet_value_rank(v) == rank &&
        (!rank || !memcmp(whet_value_dims(v), dims, (size_t)rank * sizeof *dims)))
      return whet_value_data(v);
    char a[40], b[40], got[200], want[200];
    o->why = fail(ORT_INVALID_ARGUMENT, "output \"%s\" is %s %s; the value given for it is %s %s",
                  o->owner->out[i].info.name, type_text(t, a), shape_text(rank, dims, got),
                  type_text(whet_value_dtype(v), b), shape_text(whet_value_rank(v), whet_value_dims(v), want));
    return NULL;
  }
  if (o->made) API(ReleaseValue)(o->made), o->made = NULL;
  o->why = value_tensor(o->owner->allocator, t, rank, dims, &o->made);
  return o->why ? NULL : whet_value_data(o->made->v);
}

/* Say to whet where each output goes. */
static OrtStatus *arm_outputs(OrtSession *s, runner *r, const char *const *name, size_t n, OrtValue *const *out) {
  whet_err err;
  for (size_t i = 0; i < s->n_out; i++) r->out[i].wanted = r->out[i].filled = false, r->out[i].given = NULL;
  for (size_t k = 0; k < n; k++) {
    NEED(name[k]);
    size_t i = port_find(s->out, s->n_out, name[k], k);
    if (i == s->n_out) return fail(ORT_INVALID_ARGUMENT, "Invalid output name: %s", name[k]);
    slot *o = &r->out[i];
    if (o->wanted) return fail(ORT_INVALID_ARGUMENT, "output \"%s\" is asked for twice", name[k]);
    o->wanted = true;
    o->given = out[k];
    const whet_info *x = &s->out[i].info;
    char got[40], want[40];
    if (o->given && o->given->sparse) return fail(ORT_INVALID_ARGUMENT, "output with name: '%s' received a sparse tensor", x->name);
    if (o->given && x->kind == WHET_TENSOR && x->dtype != WHET_NONE && whet_value_dtype(o->given->v) != x->dtype)
      return fail(ORT_INVALID_ARGUMENT, "Unexpected output data type. Actual: (%s) , expected: (%s) (output \"%s\")",
                  type_text(whet_value_dtype(o->given->v), got), type_text(x->dtype, want), x->name);
  }
  for (size_t i = 0; i < s->n_out; i++) {
    slot *o = &r->out[i];
    const whet_info *x = &s->out[i].info;
    if (o->armed || o->wanted) TRY(of_whet(whet_session_bind_output(r->s, i, NULL, 0, &err), &err));
    o->armed = o->wanted && x->kind == WHET_TENSOR && x->dtype != WHET_STRING;
    whet_session_out_alloc(r->s, i, o->armed ? out_memory : NULL, o);
  }
  return NULL;
}

/* Copy the contents of one tensor to another of the same type and shape. */
static OrtStatus *copy_tensor(const whet_value *from, whet_value *to, const char *name) {
  char got[200], want[200];
  int32_t rank = whet_value_rank(from);
  if (whet_value_kind(from) != WHET_TENSOR || whet_value_kind(to) != WHET_TENSOR ||
      whet_value_dtype(from) != whet_value_dtype(to) || rank != whet_value_rank(to) ||
      (rank && memcmp(whet_value_dims(from), whet_value_dims(to), (size_t)rank * sizeof(int64_t)) != 0))
    return fail(ORT_INVALID_ARGUMENT, "output \"%s\" is %s %s; the value given for it is %s %s", name,
                whet_dtype_name(whet_value_dtype(from)), shape_text(rank, whet_value_dims(from), got),
                whet_dtype_name(whet_value_dtype(to)), shape_text(whet_value_rank(to), whet_value_dims(to), want));
  if (whet_value_dtype(from) != WHET_STRING) {
    size_t n = whet_dtype_bytes(whet_value_dtype(from), whet_value_count(from));
    if (n) memcpy(whet_value_data(to), whet_value_const_data(from), n);
    return NULL;
  }
  const whet_str *s = whet_value_const_data(from);
  for (size_t i = 0; i < whet_value_count(from); i++)
    if (whet_value_set_string(to, i, s[i].p, s[i].n)) return no_memory();
  return NULL;
}

/* An output that whet did not write where we said: strings, sequences, maps, and constants. */
static OrtStatus *fetch(runner *r, slot *o) {
  whet_err err;
  whet_value *v;
  TRY(of_whet(whet_session_get_output(r->s, o->index, &v, &err), &err));
  if (whet_value_kind(v) == WHET_OPTIONAL && whet_value_items(v)) {
    whet_value *in = whet_value_ref(whet_value_item(v, 0));
    whet_value_unref(&v);
    v = in;
  }
  if (!o->given) return value_own(v, &o->made);
  if (whet_value_kind(v) == WHET_TENSOR) {
    OrtStatus *st = copy_tensor(v, o->given->v, o->owner->out[o->index].info.name);
    whet_value_unref(&v);
    return st;
  }
  whet_value_unref(&o->given->v);
  o->given->v = v;
  return NULL;
}

/* Run, once a runner is there. */
static OrtStatus *run_with(OrtSession *s, runner *r, const OrtRunOptions *o, const char *const *in_names,
                           const OrtValue *const *in, size_t n_in, const char *const *out_names, size_t n_out,
                           OrtValue **out) {
  whet_err err;
  TRY(arm_outputs(s, r, out_names, n_out, out));
  TRY(give_inputs(s, r, in_names, in, n_in));
  whet_run_opts opts = {.size = sizeof opts, .cancel = o ? (whet_cancel *)&o->cancel : NULL};
  whet_status st = whet_session_run(r->s, o ? &opts : NULL, &err);
  for (size_t i = 0; i < s->n_out; i++) {
    OrtStatus *why = r->out[i].why;
    r->out[i].why = NULL;
    if (why) return why;
  }
  TRY(custom_status(st, &err));
  for (size_t i = 0; i < s->n_out; i++)
    if (r->out[i].wanted && !r->out[i].filled) TRY(fetch(r, &r->out[i]));
  for (size_t k = 0; k < n_out; k++) {
    slot *x = &r->out[port_find(s->out, s->n_out, out_names[k], k)];
    if (!x->made) continue;
    out[k] = x->made;
    x->made = NULL;
  }
  return NULL;
}

OrtStatus *session_run(OrtSession *s, const OrtRunOptions *o, const char *const *in_names, const OrtValue *const *in,
                       size_t n_in, const char *const *out_names, size_t n_out, OrtValue **out) {
  runner *r;
  if (s->n_over) TRY(variant_of(s, in_names, n_in, &s));
  TRY(runner_take(s, &r));
  OrtStatus *st = run_with(s, r, o, in_names, in, n_in, out_names, n_out, out);
  for (size_t i = 0; i < s->n_out; i++)
    if (r->out[i].made) API(ReleaseValue)(r->out[i].made), r->out[i].made = NULL;
  for (size_t i = 0; i < s->n_in; i++)
    if (s->in[i].info.kind != WHET_TENSOR) whet_session_bind_input(r->s, i, NULL, 0, NULL);
  runner_give(s, r);
  return st;
}

OrtStatus *API(Run)(OrtSession *s, const OrtRunOptions *o, const char *const *in_names, const OrtValue *const *in,
                    size_t n_in, const char *const *out_names, size_t n_out, OrtValue **out) {
  NEED(s);
  if (n_in) {
    NEED(in_names);
    NEED(in);
  }
  NEED(out_names);
  NEED(out);
  if (!n_out) return fail(ORT_INVALID_ARGUMENT, "At least one output should be requested.");
  return session_run(s, o, in_names, in, n_in, out_names, n_out, out);
}

/* A run on a thread of its own. */
typedef struct job {
  OrtSession *s;
  const OrtRunOptions *o;
  const char **in_names, **out_names;
  const OrtValue **in;
  OrtValue **out;
  size_t n_in, n_out;
  RunAsyncCallbackFn done;
  void *user;
} job;

static void job_free(job *j) {
  if (!j) return;
  free(j->in_names);
  free(j->out_names);
  free(j->in);
  free(j);
}

/* A copy of n pointers. */
static void *pointers(const void *from, size_t n) {
  void *p = malloc((n + 1) * sizeof(void *));
  if (p && n) memcpy(p, from, n * sizeof(void *));
  return p;
}

static void *job_run(void *arg) {
  job *j = arg;
  OrtSession *s = j->s;
  OrtStatus *st = session_run(s, j->o, j->in_names, j->in, j->n_in, j->out_names, j->n_out, j->out);
  j->done(j->user, j->out, st ? 0 : j->n_out, st);
  job_free(j);
  pthread_mutex_lock(&s->lock);
  if (!--s->pending) pthread_cond_broadcast(&s->quiet);
  pthread_mutex_unlock(&s->lock);
  return NULL;
}

OrtStatus *API(RunAsync)(OrtSession *s, const OrtRunOptions *o, const char *const *in_names,
                         const OrtValue *const *in, size_t n_in, const char *const *out_names, size_t n_out,
                         OrtValue **out, RunAsyncCallbackFn done, void *user) {
  NEED(s);
  if (n_in) {
    NEED(in_names);
    NEED(in);
  }
  NEED(out_names);
  NEED(out);
  NEED(done);
  job *j = calloc(1, sizeof *j);
  if (!j) return no_memory();
  *j = (job){s,    o,   pointers(in_names, n_in), pointers(out_names, n_out), pointers(in, n_in), out, n_in, n_out,
             done, user};
  pthread_attr_t attr;
  pthread_t thread;
  if (!j->in_names || !j->out_names || !j->in || pthread_attr_init(&attr)) {
    job_free(j);
    return no_memory();
  }
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  pthread_mutex_lock(&s->lock);
  s->pending++;
  pthread_mutex_unlock(&s->lock);
  int bad = pthread_create(&thread, &attr, job_run, j);
  pthread_attr_destroy(&attr);
  if (!bad) return NULL;
  pthread_mutex_lock(&s->lock);
  s->pending--;
  pthread_mutex_unlock(&s->lock);
  job_free(j);
  return fail(ORT_FAIL, "RunAsync: a thread cannot be started");
}

/* A text within a JSON string. */
static void put_json(FILE *f, const char *text) {
  for (const unsigned char *p = (const unsigned char *)text; *p; p++)
    if (*p < 32 || *p == '"' || *p == '\\')
      fprintf(f, "\\u%04x", *p);
    else
      fputc(*p, f);
}

OrtStatus *profile_write(OrtSession *s, char **path) {
  char name[1200];
  time_t now = time(NULL);
  struct tm tm;
  localtime_r(&now, &tm);
  size_t n = (size_t)snprintf(name, sizeof name - 40, "%s_", s->profile);
  if (n >= sizeof name - 40) return fail(ORT_FAIL, "the name of the profile is too long");
  strftime(name + n, 40, "%Y-%m-%d_%H-%M-%S.json", &tm);
  FILE *f = fopen(name, "w");
  if (!f) return fail(ORT_FAIL, "the profile cannot be written to %s", name);
  double at = 0;
  int lane = 0;
  fputs("[", f);
  pthread_mutex_lock(&s->lock);
  for (runner *r = s->idle; r; r = r->next, lane++) {
    for (size_t i = 0; i < whet_session_steps(r->s); i++) {
      whet_step_info x = {.size = sizeof x};
      if (whet_session_step(r->s, i, &x)) continue;
      fputs(at > 0 ? ",\n{\"cat\":\"Node\",\"name\":\"" : "\n{\"cat\":\"Node\",\"name\":\"", f);
      put_json(f, x.name);
      double us = (double)x.ns / 1000;
      fprintf(f, "_kernel_time\",\"ph\":\"X\",\"pid\":0,\"tid\":%d,\"ts\":%.3f,\"dur\":%.3f,\"args\":{\"op_name\":\"",
              lane, at, us);
      put_json(f, x.op);
      fputs("\",\"provider\":\"CPUExecutionProvider\",\"kernel\":\"", f);
      put_json(f, x.kernel);
      fputs("\"}}", f);
      at += us > 0.001 ? us : 0.001;
    }
  }
  pthread_mutex_unlock(&s->lock);
  fputs("\n]\n", f);
  if (fclose(f)) return fail(ORT_FAIL, "the profile cannot be written to %s", name);
  if (path && !(*path = strdup(name))) return no_memory();
  return NULL;
}
