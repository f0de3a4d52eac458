/* SPDX-License-Identifier: Apache-2.0 */
/* Two locks: `work` is held by whoever scans and loads, one at a time; `lock` guards the table for moments.
 *
 * Models are loaded and freed on threads that end at once. The C library keeps small blocks of every size for each
 * thread that freed some, until the thread ends: those that answer requests would gather what models leave behind,
 * for as long as reloads go on. */

#include "edge/serve/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/serve/folder.h"
#include "edge/serve/gone.h"

typedef struct slot {
  int64_t number;
  char text[24];
  folder_print print; /* of the file that was tried last; work */
  uint64_t around;    /* what lay around it when it was refused, 0: it was not; work */
  bool seen;          /* in this scan; work */
  serve_version *v;   /* served, or NULL */
  char reason[1000];  /* why not, or why the newest file is not */
} slot;

typedef struct model {
  char name[VERSION_NAME];
  slot **slot; /* by number, upwards */
  size_t n;
  bool seen, unloaded;
  int64_t keep; /* versions to serve, 0: all */
} model;

struct serve_store {
  store_opts o;
  pthread_mutex_t work; /* a scan or load goes on. Rank 1 */
  bool changed;         /* something was loaded, or was to be; work */
  pthread_mutex_t lock; /* the table. Rank 2 */
  model **model;
  size_t n, cap;
  serve_gone gone;
  pthread_t watcher;
  bool watching;
  _Atomic bool ends;
  int notify;  /* inotify; that it ends the watcher is told over gone.wake */
  int watched; /* the greatest number of a watch */
};

/* fn(arg) on a thread that ends with it, or on this one where there is none to be had. */
static void apart(void *(*fn)(void *arg), void *arg) {
  pthread_t t;
  if (pthread_create(&t, NULL, fn, arg))
    fn(arg);
  else
    pthread_join(t, NULL);
}

/* What threads that ended have left goes back to the system. */
static void give_back(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

static void say(serve_store *s, int level, const char *fmt, ...) EDGE_PRINTF(3, 4);
static void say(serve_store *s, int level, const char *fmt, ...) {
  char line[2300];
  va_list ap;
  if (!s->o.log) return;
  va_start(ap, fmt);
  vsnprintf(line, sizeof line, fmt, ap);
  va_end(ap);
  s->o.log(s->o.log_user, level, line);
}

static model *find_model(serve_store *s, const char *name, size_t n) {
  for (size_t i = 0; i < s->n; i++)
    if (strlen(s->model[i]->name) == n && !memcmp(s->model[i]->name, name, n)) return s->model[i];
  return NULL;
}

/* Take v (a reference) into the slot in place of what is there. */
static void install(serve_store *s, slot *t, serve_version *v) {
  pthread_mutex_lock(&s->lock);
  serve_version *old = t->v;
  t->v = v;
  t->reason[0] = 0;
  pthread_mutex_unlock(&s->lock);
  version_unref(&old);
}

static void refuse(serve_store *s, slot *t, const char *why) {
  pthread_mutex_lock(&s->lock);
  snprintf(t->reason, sizeof t->reason, "%.990s", why);
  pthread_mutex_unlock(&s->lock);
}

/* Load what stands in a slot's folder, if it changed or `again`. */
static void load_slot(serve_store *s, model *m, slot *t, bool again) {
  char folder[PATH_ROOM], model_folder[PATH_ROOM], file[PATH_ROOM], config[PATH_ROOM];
  folder_print p;
  whet_err err = {0};
  serve_version *v;
  if (!folder_join(model_folder, s->o.folder, m->name) || !folder_join(folder, model_folder, t->text)) return;
  if (!folder_version(folder, model_folder, file, config, &p)) {
    if (t->v) say(s, 2, "%s version %s is gone", m->name, t->text);
    install(s, t, NULL);
    refuse(s, t, "there is no model.onnx, model.tflite or model.whet in the folder");
    t->print = (folder_print){0};
    return;
  }
  /* What was refused may have been short of a label or a golden case that was still being copied. */
  uint64_t around = t->around && !again ? folder_state(folder, 1) + folder_state(model_folder, 0) : 0;
  if (!again && !memcmp(&p, &t->print, sizeof p) && around == t->around) return;
  t->print = p;
  around = folder_state(folder, 1) + folder_state(model_folder, 0); /* before anything is read */
  t->around = 0;
  version_source from = {.name = m->name,
                         .folder = folder,
                         .model_folder = model_folder,
                         .file = file,
                         .config = config[0] ? config : NULL,
                         .number = t->number,
                         .cpu = s->o.cpu,
                         .deadline = s->o.deadline,
                         .check = s->o.check,
                         .check_user = s->o.check_user,
                         .gone = gone_take,
                         .gone_user = &s->gone};
  int64_t began = edge_now();
  s->changed = true;
  if (version_open(&from, &v, &err)) {
    t->around = around ? around : 1;
    size_t root = strlen(s->o.folder); /* where the folder lies is nobody's business */
    refuse(s, t, !strncmp(err.text, s->o.folder, root) && err.text[root] == '/' ? err.text + root + 1 : err.text);
    say(s, 0, "%s version %s is refused%s: %s", m->name, t->text, t->v ? ", and the one before stays" : "", err.text);
    return;
  }
  m->keep = v->set.c.versions;
  say(s, 2, "%s version %s is served: a run takes %.3g ms, loaded in %.3g ms", m->name, t->text,
      (double)v->run_ns * 1e-6, (double)(edge_now() - began) * 1e-6);
  install(s, t, v);
}

/* The slot of a number, made when there is none. NULL: no memory. */
static slot *slot_of(serve_store *s, model *m, int64_t number) {
  size_t at = 0;
  while (at < m->n && m->slot[at]->number < number) at++;
  if (at < m->n && m->slot[at]->number == number) return m->slot[at];
  slot *t = calloc(1, sizeof *t), **all = t ? malloc((m->n + 1) * sizeof *all) : NULL;
  if (!all) {
    free(t);
    return NULL;
  }
  t->number = number;
  snprintf(t->text, sizeof t->text, "%lld", (long long)number);
  pthread_mutex_lock(&s->lock);
  if (at) memcpy(all, m->slot, at * sizeof *all);
  all[at] = t;
  if (at < m->n) memcpy(all + at + 1, m->slot + at, (m->n - at) * sizeof *all);
  free(m->slot);
  m->slot = all;
  m->n++;
  pthread_mutex_unlock(&s->lock);
  return t;
}

static void drop_slot(serve_store *s, model *m, size_t i) {
  pthread_mutex_lock(&s->lock);
  slot *t = m->slot[i];
  memmove(m->slot + i, m->slot + i + 1, (--m->n - i) * sizeof *m->slot);
  pthread_mutex_unlock(&s->lock);
  if (t->v) say(s, 2, "%s version %s is gone", m->name, t->text);
  version_unref(&t->v);
  free(t);
}

/* Serve no more of a model's versions. */
static void empty(serve_store *s, model *m, const char *why) {
  for (size_t i = 0; i < m->n; i++) {
    install(s, m->slot[i], NULL);
    refuse(s, m->slot[i], why);
    m->slot[i]->print = (folder_print){0};
  }
}

/* Versions of one model. */
static void scan_model(serve_store *s, model *m, bool again) {
  char folder[PATH_ROOM];
  struct dirent *e;
  DIR *d = folder_join(folder, s->o.folder, m->name) ? opendir(folder) : NULL;
  for (size_t i = 0; i < m->n; i++) m->slot[i]->seen = false;
  while (d && (e = readdir(d))) {
    int64_t number = folder_number(e->d_name);
    slot *t = number < 0 ? NULL : slot_of(s, m, number);
    if (t) t->seen = true;
  }
  if (d) closedir(d);
  for (size_t i = m->n; i-- > 0;)
    if (!m->slot[i]->seen) drop_slot(s, m, i);
  if (m->unloaded) return;
  for (size_t i = m->n; i-- > 0;) {
    if (m->keep && m->n - i > (size_t)m->keep) {
      if (m->slot[i]->v) say(s, 2, "%s version %s makes way for newer ones", m->name, m->slot[i]->text);
      install(s, m->slot[i], NULL);
      refuse(s, m->slot[i], "newer versions are served");
      m->slot[i]->print = (folder_print){0};
    } else {
      load_slot(s, m, m->slot[i], again);
    }
  }
}

static model *add_model(serve_store *s, const char *name) {
  model *m = calloc(1, sizeof *m);
  if (!m) return NULL;
  memcpy(m->name, name, strlen(name) + 1); /* folder_name knows its length */
  pthread_mutex_lock(&s->lock);
  if (s->n == s->cap) {
    size_t cap = s->cap ? 2 * s->cap : 16;
    model **p = realloc(s->model, cap * sizeof *p);
    if (p) s->model = p, s->cap = cap;
  }
  if (s->n < s->cap) {
    s->model[s->n++] = m;
  } else {
    free(m);
    m = NULL;
  }
  pthread_mutex_unlock(&s->lock);
  return m;
}

static void free_model(model *m) {
  for (size_t i = 0; i < m->n; i++) {
    version_unref(&m->slot[i]->v);
    free(m->slot[i]);
  }
  free(m->slot);
  free(m);
}

/* Names in the folder become models, names that are gone go. work is held. */
static void scan_names(serve_store *s) {
  char path[PATH_ROOM];
  struct dirent *e;
  struct stat st;
  DIR *d = opendir(s->o.folder);
  if (!d) {
    say(s, 0, "%s: %s; what is served stays", s->o.folder, strerror(errno));
    return;
  }
  for (size_t i = 0; i < s->n; i++) s->model[i]->seen = false;
  while ((e = readdir(d))) {
    if (!folder_name(e->d_name)) continue;
    if (!folder_join(path, s->o.folder, e->d_name) || stat(path, &st) || !S_ISDIR(st.st_mode)) continue;
    model *m = find_model(s, e->d_name, strlen(e->d_name));
    if (!m) m = add_model(s, e->d_name);
    if (m) m->seen = true;
  }
  closedir(d);
  for (size_t i = s->n; i-- > 0;) {
    model *m = s->model[i];
    if (m->seen) continue;
    pthread_mutex_lock(&s->lock);
    s->model[i] = s->model[--s->n];
    pthread_mutex_unlock(&s->lock);
    say(s, 2, "%s is gone", m->name);
    free_model(m);
  }
}

static void *bury(void *arg) {
  serve_store *s = arg;
  gone_bury(&s->gone);
  return NULL;
}

static void *scan(void *arg) {
  serve_store *s = arg;
  scan_names(s);
  for (size_t i = 0; i < s->n; i++) scan_model(s, s->model[i], false);
  gone_bury(&s->gone);
  return NULL;
}

/* Change something: fn(arg) apart. What it leaves is given back when it tried to load something; loads come seldom.
 */
static void change(serve_store *s, void *(*fn)(void *arg), void *arg) {
  pthread_mutex_lock(&s->work);
  s->changed = false;
  apart(fn, arg);
  if (s->changed) give_back();
  pthread_mutex_unlock(&s->work);
}

void store_scan(serve_store *s) { change(s, scan, s); }

whet_status store_open(const store_opts *o, serve_store **out, whet_err *err) {
  struct stat st;
  *out = NULL;
  if (stat(o->folder, &st)) return edge_fail(err, WHET_E_IO, "%s: %s", o->folder, strerror(errno));
  if (!S_ISDIR(st.st_mode)) return edge_fail(err, WHET_E_IO, "%s is no folder", o->folder);
  serve_store *s = calloc(1, sizeof *s);
  if (!s) return edge_fail(err, WHET_E_MEMORY, "no memory for the store");
  s->o = *o;
  s->notify = -1;
  gone_init(&s->gone);
  pthread_mutex_init(&s->work, NULL);
  pthread_mutex_init(&s->lock, NULL);
  store_scan(s);
  *out = s;
  return WHET_OK;
}

/* Watch a folder; true: it was not watched before. */
static bool watch_one(serve_store *s, const char *path) {
  const uint32_t what = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF |
                        IN_MOVE_SELF | IN_ONLYDIR;
  int number = inotify_add_watch(s->notify, path, what); /* they grow */
  if (number <= s->watched) return false;
  s->watched = number;
  return true;
}

/* Watch the folder, its models and their versions: events name what changed, but a scan looks at everything. True:
 * some were not watched before, and what has happened in them meanwhile nobody has told. */
static bool watch_all(serve_store *s) {
  char path[PATH_ROOM];
  bool more = watch_one(s, s->o.folder);
  pthread_mutex_lock(&s->work);
  for (size_t i = 0; i < s->n; i++) {
    if (!folder_join(path, s->o.folder, s->model[i]->name)) continue;
    more |= watch_one(s, path);
    for (size_t k = 0; k < s->model[i]->n; k++) {
      char version[PATH_ROOM];
      if (folder_join(version, path, s->model[i]->slot[k]->text)) more |= watch_one(s, version);
    }
  }
  pthread_mutex_unlock(&s->work);
  return more;
}

/* Eat what inotify has to say until nothing was said for a while: a copy of many files is one change. */
static void settle(serve_store *s) {
  char events[4096];
  struct pollfd p = {.fd = s->notify, .events = POLLIN};
  for (int i = 0; i < 50; i++) {
    while (read(s->notify, events, sizeof events) > 0) {
    }
    if (poll(&p, 1, 100) <= 0) return;
  }
}

static void *watcher(void *arg) {
  serve_store *s = arg;
  struct pollfd p[2] = {{.fd = s->gone.wake, .events = POLLIN}, {.fd = s->notify, .events = POLLIN}};
  uint64_t told;
  for (;;) {
    while (watch_all(s)) store_scan(s);
    poll(p, s->notify < 0 ? 1 : 2, s->o.poll > 0 && s->o.poll < 1e6 ? (int)(s->o.poll * 1e3) : -1);
    if (s->ends) return NULL;
    if (p[0].revents && read(s->gone.wake, &told, sizeof told) == sizeof told) {
      apart(bury, s);
      give_back();
    }
    if (p[1].revents) settle(s);
    if (p[1].revents || !p[0].revents) store_scan(s);
  }
}

whet_status store_watch(serve_store *s, whet_err *err) {
  s->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (s->notify < 0)
    say(s, 1, "the folder cannot be watched (%s); it is looked at every %.3g s", strerror(errno), s->o.poll);
  if (!gone_tell(&s->gone) || pthread_create(&s->watcher, NULL, watcher, s))
    return edge_fail(err, WHET_E_SYSTEM, "no thread to watch the folder");
  s->watching = true;
  return WHET_OK;
}

void store_close(serve_store **at) {
  serve_store *s = *at;
  *at = NULL;
  if (!s) return;
  if (s->watching) {
    s->ends = true;
    gone_wake(&s->gone);
    pthread_join(s->watcher, NULL);
  }
  if (s->notify >= 0) close(s->notify);
  for (size_t i = 0; i < s->n; i++) free_model(s->model[i]);
  gone_done(&s->gone);
  free(s->model);
  pthread_mutex_destroy(&s->work);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

serve_version *store_find(serve_store *s, json_text name, json_text version, whet_err *err) {
  serve_version *v = NULL;
  pthread_mutex_lock(&s->lock);
  model *m = find_model(s, name.p, name.n);
  for (size_t i = m ? m->n : 0; i-- > 0 && !v;)
    if (m->slot[i]->v && (!version.n || text_is(version, m->slot[i]->text))) v = version_ref(m->slot[i]->v);
  const char *why = m && m->n ? m->slot[m->n - 1]->reason : "";
  if (!v && !m)
    edge_fail(err, WHET_E_NAME, "there is no model \"%.*s\"", (int)(name.n > 100 ? 100 : name.n), name.p);
  else if (!v && version.n)
    edge_fail(err, WHET_E_NAME, "model \"%s\" has no version \"%.*s\" that is ready", m->name,
              (int)(version.n > 24 ? 24 : version.n), version.p);
  else if (!v)
    edge_fail(err, WHET_E_NAME, "model \"%s\" is not ready%s%s", m->name, *why ? ": " : "", why);
  pthread_mutex_unlock(&s->lock);
  return v;
}

/* A change that a client asks for. */
typedef struct wish {
  serve_store *s;
  json_text name;
  whet_status st;
  whet_err *err;
} wish;

static void *load_again(void *arg) {
  wish *w = arg;
  serve_store *s = w->s;
  json_text name = w->name;
  whet_err *err = w->err;
  whet_status st = WHET_OK;
  scan_names(s);
  model *m = find_model(s, name.p, name.n);
  if (!m) {
    st = edge_fail(err, WHET_E_NAME, "there is no model \"%.*s\" in the folder", (int)(name.n > 100 ? 100 : name.n),
                   name.p);
  } else {
    bool ready = false;
    m->unloaded = false;
    scan_model(s, m, true);
    for (size_t i = 0; i < m->n; i++) {
      ready |= m->slot[i]->v != NULL;
      if (!st && m->slot[i]->reason[0] && strcmp(m->slot[i]->reason, "newer versions are served"))
        st = edge_fail(err, WHET_E_DATA, "version %s: %s", m->slot[i]->text, m->slot[i]->reason);
    }
    if (!st && !ready) st = edge_fail(err, WHET_E_DATA, "model \"%s\" has no version in its folder", m->name);
  }
  gone_bury(&s->gone);
  w->st = st;
  return NULL;
}

whet_status store_load(serve_store *s, json_text name, whet_err *err) {
  wish w = {s, name, WHET_OK, err};
  change(s, load_again, &w);
  return w.st;
}

whet_status store_unload(serve_store *s, json_text name, whet_err *err) {
  whet_status st = WHET_OK;
  pthread_mutex_lock(&s->work);
  model *m = find_model(s, name.p, name.n);
  if (m) {
    m->unloaded = true;
    empty(s, m, "unloaded");
    say(s, 2, "%s is unloaded", m->name);
  } else {
    st = edge_fail(err, WHET_E_NAME, "there is no model \"%.*s\"", (int)(name.n > 100 ? 100 : name.n), name.p);
  }
  pthread_mutex_unlock(&s->work);
  return st;
}

void store_each(serve_store *s, void (*fn)(void *user, const store_entry *e), void *user) {
  pthread_mutex_lock(&s->lock);
  for (size_t i = 0; i < s->n; i++) {
    model *m = s->model[i];
    if (!m->n) fn(user, &(store_entry){m->name, NULL, false, "no versions in the folder"});
    for (size_t k = 0; k < m->n; k++)
      fn(user, &(store_entry){m->name, m->slot[k]->text, m->slot[k]->v != NULL, m->slot[k]->reason});
  }
  pthread_mutex_unlock(&s->lock);
}

serve_version **store_versions(serve_store *s, const json_text *name, size_t *n) {
  size_t most = 0;
  *n = 0;
  pthread_mutex_lock(&s->lock);
  for (size_t i = 0; i < s->n; i++) most += s->model[i]->n;
  serve_version **v = calloc(most + 1, sizeof *v);
  for (size_t i = 0; v && i < s->n; i++) {
    model *m = s->model[i];
    if (name && !text_is(*name, m->name)) continue;
    for (size_t k = 0; k < m->n; k++)
      if (m->slot[k]->v) v[(*n)++] = version_ref(m->slot[k]->v);
  }
  pthread_mutex_unlock(&s->lock);
  return v;
}
