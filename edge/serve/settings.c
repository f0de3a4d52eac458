/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of traces and log. One lock; the questions that every request asks are answered without it. */

#include "edge/serve/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_MODELS = 1024, NAME = 128 };
#define MOST_COUNT (((int64_t)1 << 53) - 1) /* what a double tells exactly */

/* One set of trace settings. */
typedef struct trace {
  char model[NAME]; /* "": of all others */
  bool on;
  int64_t rate, count; /* one of `rate` requests, `count` of them; -1: all */
  int64_t seen;
  struct trace *next;
} trace;

struct serve_settings {
  pthread_mutex_t lock; /* all but the atomics */
  _Atomic int level;    /* of the log */
  _Atomic bool info, warning, error, iso;
  _Atomic int64_t verbose;
  int fd;            /* traces; -1: none */
  _Atomic bool torn; /* the last of them was not written whole */
  _Atomic bool traces;
  trace all, *first;
  size_t n;
};

/* Which lines are written, out of the four switches. */
static void settle(serve_settings *s) {
  s->level = s->verbose > 0 ? 3 : s->info ? 2 : s->warning ? 1 : s->error ? 0 : -1;
}

whet_status settings_create(int level, const char *path, serve_settings **out, whet_err *err) {
  *out = NULL;
  serve_settings *s = calloc(1, sizeof *s);
  if (!s) return edge_fail(err, WHET_E_MEMORY, "no memory for settings");
  pthread_mutex_init(&s->lock, NULL);
  s->error = level >= 0;
  s->warning = level >= 1;
  s->info = level >= 2;
  s->verbose = level >= 3;
  settle(s);
  s->all = (trace){.rate = 1000, .count = -1};
  s->fd = -1;
  if (path && (s->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640)) < 0) {
    settings_close(&s);
    return edge_fail(err, WHET_E_IO, "%s: %s", path, strerror(errno));
  }
  *out = s;
  return WHET_OK;
}

void settings_close(serve_settings **at) {
  serve_settings *s = *at;
  *at = NULL;
  if (!s) return;
  if (s->fd >= 0) close(s->fd);
  while (s->first) {
    trace *t = s->first;
    s->first = t->next;
    free(t);
  }
  pthread_mutex_destroy(&s->lock);
  free(s);
}

bool settings_logs(const serve_settings *s, int level) {
  int now = atomic_load_explicit(&s->level, memory_order_relaxed);
  if (level >= 2) return now >= level;
  return level == 1 ? s->warning : s->error;
}

void settings_log(serve_settings *s, int level, const char *line) {
  static const char k_letter[] = "EWIV";
  char when[40];
  struct timespec t;
  struct tm tm;
  if (!settings_logs(s, level)) return;
  clock_gettime(CLOCK_REALTIME, &t);
  gmtime_r(&t.tv_sec, &tm);
  strftime(when, sizeof when, s->iso ? "%Y-%m-%dT%H:%M:%SZ " : "%m%d %H:%M:%S", &tm);
  if (s->iso)
    fprintf(stderr, "%s%c %s\n", when, k_letter[level], line);
  else
    fprintf(stderr, "%c%s.%06ld %s\n", k_letter[level], when, t.tv_nsec / 1000, line);
}

void settings_log_json(serve_settings *s, serve_buf *out) {
  static const char *const k_bool[] = {"false", "true"};
  pthread_mutex_lock(&s->lock);
  buf_printf(out,
             "{\"log_file\":\"\",\"log_info\":%s,\"log_warning\":%s,\"log_error\":%s,\"log_verbose_level\":%" PRId64
             ",\"log_format\":\"%s\"}",
             k_bool[s->info], k_bool[s->warning], k_bool[s->error], (int64_t)s->verbose,
             s->iso ? "ISO8601" : "default");
  pthread_mutex_unlock(&s->lock);
}

whet_status settings_log_set(serve_settings *s, char *body, size_t n, whet_err *err) {
  json_in j;
  json_text key, text;
  bool b[3] = {s->info, s->warning, s->error}, iso = s->iso;
  int64_t verbose = s->verbose;
  jin_init(&j, body, n, err);
  for (jin_begin(&j, '{'); jin_next(&j, '}');) {
    jin_key(&j, &key);
    if (text_is(key, "log_info")) {
      jin_bool(&j, &b[0]);
    } else if (text_is(key, "log_warning")) {
      jin_bool(&j, &b[1]);
    } else if (text_is(key, "log_error")) {
      jin_bool(&j, &b[2]);
    } else if (text_is(key, "log_verbose_level")) {
      jin_int(&j, &verbose);
      if (!j.bad && (verbose < 0 || verbose > INT32_MAX))
        jin_fail(&j, "log_verbose_level: expected a number from 0 to %d", INT32_MAX);
    } else if (text_is(key, "log_format")) {
      jin_string(&j, &text);
      iso = text_is(text, "ISO8601");
      if (!j.bad && !iso && !text_is(text, "default"))
        jin_fail(&j, "log_format: expected \"default\" or \"ISO8601\"");
    } else if (text_is(key, "log_file")) {
      jin_string(&j, &text);
      if (!j.bad && text.n)
        return edge_fail(err, WHET_E_UNSUPPORTED,
                         "log_file: the log goes to standard error; no file is opened for the network");
    } else {
      jin_fail(&j, "there is no log setting \"%.*s\"", (int)(key.n > 60 ? 60 : key.n), key.p);
    }
  }
  jin_done(&j);
  if (j.bad) return err->code;
  pthread_mutex_lock(&s->lock);
  s->info = b[0];
  s->warning = b[1];
  s->error = b[2];
  s->verbose = verbose;
  s->iso = iso;
  settle(s);
  pthread_mutex_unlock(&s->lock);
  return WHET_OK;
}

static trace *find(serve_settings *s, json_text model) {
  for (trace *t = s->first; t; t = t->next)
    if (text_is(model, t->model)) return t;
  return &s->all;
}

void settings_trace_json(serve_settings *s, json_text model, serve_buf *out) {
  pthread_mutex_lock(&s->lock);
  const trace *t = find(s, model);
  buf_printf(out,
             "{\"trace_level\":[\"%s\"],\"trace_rate\":\"%" PRId64 "\",\"trace_count\":\"%" PRId64
             "\",\"log_frequency\":\"0\",\"trace_file\":\"\",\"trace_mode\":\"triton\"}",
             t->on ? "TIMESTAMPS" : "OFF", t->rate, t->count);
  pthread_mutex_unlock(&s->lock);
}

/* A number, told as a number or as text. */
static void number(json_in *j, const char *what, int64_t least, int64_t *out) {
  json_text text;
  if (jin_peek(j) == '"') {
    char t[24], *end = t;
    jin_string(j, &text);
    if (j->bad) return;
    if (text.n && text.n < sizeof t) {
      memcpy(t, text.p, text.n);
      t[text.n] = 0;
      *out = strtoll(t, &end, 10);
    }
    if (!text.n || end != t + text.n || !(t[0] == '-' || (t[0] >= '0' && t[0] <= '9'))) {
      jin_fail(j, "%s: expected a number", what);
      return;
    }
  } else {
    jin_int(j, out);
  }
  if (!j->bad && (*out < least || *out > MOST_COUNT))
    jin_fail(j, "%s: expected a number from %" PRId64 " to %" PRId64, what, least, (int64_t)MOST_COUNT);
}

/* Levels: a list or one text. */
static void levels(serve_settings *s, json_in *j, bool *on) {
  json_text text;
  bool list = jin_peek(j) == '[', ts = false;
  if (list) jin_begin(j, '[');
  while (!list || jin_next(j, ']')) {
    jin_string(j, &text);
    if (j->bad) return;
    if (text_is(text, "TIMESTAMPS")) {
      ts = true;
    } else if (text_is(text, "TENSORS")) {
      j->bad = edge_fail(j->err, WHET_E_UNSUPPORTED, "trace_level TENSORS: tensors are not traced") != WHET_OK;
    } else if (!text_is(text, "OFF")) {
      jin_fail(j, "trace_level: expected OFF or TIMESTAMPS");
    }
    if (!list || j->bad) break;
  }
  if (!j->bad && ts && s->fd < 0)
    j->bad = edge_fail(j->err, WHET_E_UNSUPPORTED,
                       "trace_level TIMESTAMPS: the server was started without a file for traces") != WHET_OK;
  *on = ts;
}

/* One setting; null sets what it was at first. */
static void trace_key(serve_settings *s, json_in *j, json_text key, trace *t) {
  json_text text;
  bool null = jin_peek(j) == 'n';
  if (null) jin_null(j);
  if (text_is(key, "trace_level")) {
    if (null)
      t->on = false;
    else
      levels(s, j, &t->on);
  } else if (text_is(key, "trace_rate")) {
    if (null)
      t->rate = 1000;
    else
      number(j, "trace_rate", 1, &t->rate);
  } else if (text_is(key, "trace_count")) {
    if (null)
      t->count = -1;
    else
      number(j, "trace_count", -1, &t->count);
  } else if (text_is(key, "log_frequency")) {
    int64_t v = 0;
    if (!null) number(j, "log_frequency", 0, &v);
    if (!j->bad && v)
      j->bad = edge_fail(j->err, WHET_E_UNSUPPORTED, "log_frequency: traces go to one file") != WHET_OK;
  } else if (text_is(key, "trace_mode")) {
    if (!null) jin_string(j, &text);
    if (!j->bad && !null && !text_is(text, "triton"))
      j->bad = edge_fail(j->err, WHET_E_UNSUPPORTED, "trace_mode: expected \"triton\"") != WHET_OK;
  } else if (text_is(key, "trace_file")) {
    if (!null) jin_string(j, &text);
    if (!j->bad && !null && text.n)
      j->bad = edge_fail(j->err, WHET_E_UNSUPPORTED,
                         "trace_file: it is named when the server is started; no file is opened for the network") !=
               WHET_OK;
  } else {
    jin_fail(j, "there is no trace setting \"%.*s\"", (int)(key.n > 60 ? 60 : key.n), key.p);
  }
}

/* The settings of a model, made when it has none of its own. NULL: too many, or no memory. */
static trace *own(serve_settings *s, json_text model) {
  trace *t = find(s, model);
  if (!model.n || t != &s->all) return t;
  if (s->n == MOST_MODELS || model.n >= NAME || !(t = calloc(1, sizeof *t))) return NULL;
  *t = s->all;
  memcpy(t->model, model.p, model.n);
  t->seen = 0;
  t->next = s->first;
  s->first = t;
  s->n++;
  return t;
}

whet_status settings_trace_set(serve_settings *s, json_text model, char *body, size_t n, whet_err *err) {
  json_in j;
  json_text key;
  pthread_mutex_lock(&s->lock);
  trace now = *find(s, model);
  jin_init(&j, body, n, err);
  for (jin_begin(&j, '{'); jin_next(&j, '}');) {
    jin_key(&j, &key);
    trace_key(s, &j, key, &now);
  }
  jin_done(&j);
  trace *t = j.bad ? NULL : own(s, model);
  if (t) {
    t->on = now.on;
    t->rate = now.rate;
    t->count = now.count;
    t->seen = 0;
    bool any = s->all.on;
    for (const trace *x = s->first; x; x = x->next) any |= x->on;
    s->traces = any;
  }
  pthread_mutex_unlock(&s->lock);
  if (j.bad) return err->code;
  return t ? WHET_OK : edge_fail(err, WHET_E_LIMIT, "%d models have trace settings already", MOST_MODELS);
}

bool settings_traces(const serve_settings *s) { return atomic_load_explicit(&s->traces, memory_order_relaxed); }

void settings_trace(serve_settings *s, const char *model, const char *version, json_text id, int status,
                    int64_t arrived, int64_t queued_ns, int64_t done) {
  json_text name = {model, strlen(model)};
  pthread_mutex_lock(&s->lock);
  trace *t = find(s, name);
  bool take = t->on && t->count && t->seen++ % t->rate == 0;
  if (take && t->count > 0) t->count--;
  pthread_mutex_unlock(&s->lock);
  if (!take) return;
  serve_buf b = {0};
  buf_text(&b, "{\"model_name\":");
  buf_json_str(&b, model);
  buf_printf(&b, ",\"model_version\":\"%s\",\"id\":", version);
  buf_json(&b, id.p ? id.p : "", id.n);
  buf_printf(&b,
             ",\"status\":%d,\"timestamps\":{\"REQUEST_START\":%" PRId64 ",\"COMPUTE_START\":%" PRId64
             ",\"REQUEST_END\":%" PRId64 "}}\n",
             status, arrived, arrived + queued_ns, done);
  /* one write a line: lines of several threads do not mix; a full disk costs traces, not requests. What there was
   * room for of one is ended before the next. */
  errno = 0; /* what is written in part has none */
  bool begin = s->torn,
       whole = !b.bad && (!begin || write(s->fd, "\n", 1) == 1) && write(s->fd, b.p, b.n) == (ssize_t)b.n;
  if (whole != !begin) s->torn = !whole;
  if (!whole && !begin)
    settings_log(s, 1, errno && errno != ENOSPC ? "traces are lost" : "traces are lost: the disk is full");
  if (whole && begin) settings_log(s, 1, "traces are written again");
  buf_free(&b);
}
