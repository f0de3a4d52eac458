/* SPDX-License-Identifier: Apache-2.0 */
/* Which kind of data set lies at a path, which half of it is wanted, and what its classes are called. */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

#include "data/inner.h"

/* ---- names ----------------------------------------------------------------------------------- */

bool whet__ends(const char *name, const char *end) {
  size_t n = strlen(name), m = strlen(end);
  return n >= m && !strcasecmp(name + n - m, end);
}

/* Does `word` stand in a name at a border: at its start or after a sign? */
static bool has_word(const char *name, const char *word) {
  size_t n = strlen(word);
  for (const char *p = name; *p; p++)
    if (!strncasecmp(p, word, n) && (p == name || strchr("_-. ", p[-1]))) return true;
  return false;
}

int whet__split_of(const whet_set *s, const char *name) {
  const char *want = s->opts.split;
  bool train = has_word(name, "train") || has_word(name, "data_batch");
  bool test = has_word(name, "t10k") || has_word(name, "test") || has_word(name, "val") || has_word(name, "validation");
  if (want && strcasecmp(want, "train") && strcasecmp(want, "test")) return has_word(name, want) ? 1 : train || test ? -1 : 0;
  bool training = want ? !strcasecmp(want, "train") : s->opts.training;
  if (train == test) return 0;
  return train == training ? 1 : -1;
}

static int by_name(const void *a, const void *b) { return strcmp(((const whet_entry *)a)->name, ((const whet_entry *)b)->name); }

whet_status whet__entries(whet_set *s, const char *folder, whet_entry **out, size_t *n, whet_err *err) {
  DIR *d = opendir(folder);
  struct dirent *e;
  whet_entry *list = NULL;
  size_t cap = 0, count = 0;
  bool ok = true;
  if (!d) return whet__fail(err, errno == ENOENT ? WHET_E_NAME : WHET_E_IO, "%s: %s", folder, strerror(errno));
  while (ok && (e = readdir(d))) {
    struct stat st;
    if (e->d_name[0] == '.') continue;
    ok = whet__grow(s->mem, (void **)&list, &cap, count + 1, sizeof *list);
    char *path = ok ? whet__arena_printf(&s->arena, "%s/%s", folder, e->d_name) : NULL;
    ok = path != NULL;
    if (!ok || stat(path, &st) || !(S_ISDIR(st.st_mode) || S_ISREG(st.st_mode))) continue;
    list[count++] = (whet_entry){path, path + strlen(folder) + 1, S_ISDIR(st.st_mode), (int64_t)st.st_size};
  }
  closedir(d);
  *n = count;
  *out = whet__arena_copy(&s->arena, list, count * sizeof *list);
  whet__free(s->mem, list);
  if (!ok || !*out) return whet__no_memory(s->mem, count * sizeof *list, err, "a folder's names");
  qsort(*out, count, sizeof **out, by_name);
  return WHET_OK;
}

void whet__entries_split(const whet_set *s, whet_entry *e, size_t *n) {
  size_t wanted = 0, other = 0, kept = 0;
  for (size_t i = 0; i < *n; i++) {
    int of = whet__split_of(s, e[i].name);
    wanted += of > 0;
    other += of < 0;
  }
  if (!wanted && !(other && s->opts.split)) return; /* one half only, or no halves: all of it */
  for (size_t i = 0; i < *n; i++)
    if (whet__split_of(s, e[i].name) > 0) e[kept++] = e[i];
  *n = kept;
}

/* ---- classes --------------------------------------------------------------------------------- */

whet_status whet__set_labels(whet_set *s, whet_err *err) {
  const char *text = s->opts.labels;
  struct stat st;
  whet_file f = {0};
  size_t n, from = 0;
  int32_t count = 0;
  if (!text || s->label) return WHET_OK;
  bool list = stat(text, &st) != 0;
  if (list && !strchr(text, ',')) return whet__fail(err, WHET_E_NAME, "%s: no such file of labels, and no list \"a,b,c\"", text);
  if (!list) {
    WHET_TRY(whet__file_open(text, true, s->mem, &f, err));
    if (memchr(f.p, 0, f.n)) {
      whet__file_close(&f);
      return whet__fail(err, WHET_E_FORMAT, "%s: not a text of labels", text);
    }
  }
  const char *p = list ? text : (const char *)f.p;
  n = list ? strlen(text) : f.n;
  s->label = whet__arena_array(&s->arena, n / 2 + 2, sizeof *s->label);
  bool ok = s->label != NULL;
  for (size_t i = 0; ok && i <= n; i++) {
    if (i < n && p[i] != (list ? ',' : '\n')) continue;
    size_t end = i;
    while (end > from && (p[end - 1] == '\r' || p[end - 1] == ' ')) end--;
    if (end > from) ok = (s->label[count++] = whet__arena_str(&s->arena, p + from, end - from)) != NULL;
    from = i + 1;
  }
  whet__file_close(&f);
  if (!ok) return whet__no_memory(s->mem, n, err, "labels");
  s->classes = count;
  return count ? WHET_OK : whet__fail(err, WHET_E_DATA, "%s: no labels in it", text);
}

int32_t whet__set_find(const whet_set *s, const char *name, size_t n) {
  for (int32_t c = 0; c < s->classes; c++)
    if (strlen(s->label[c]) == n && !memcmp(s->label[c], name, n)) return c;
  return -1;
}

whet_status whet__set_numbers(whet_set *s, int32_t most, whet_err *err) {
  WHET_TRY(whet__set_labels(s, err));
  if (s->label && s->classes <= most)
    return whet__fail(err, WHET_E_DATA, "%s: class %d is used, and there are %d labels", s->path, most, s->classes);
  if (!s->label) s->classes = most + 1;
  return WHET_OK;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* The set made of these entries. */
static whet_status by_entries(whet_set *s, whet_entry *e, size_t n, whet_err *err) {
  static whet_status (*const openers[])(whet_set *, const whet_entry *, size_t, whet_err *) = {
      whet__open_idx, whet__open_cifar, whet__open_npy, whet__open_csv, whet__open_files};
  for (size_t k = 0; k < WHET_COUNT(openers); k++) {
    whet_status r = openers[k](s, e, n, err);
    if (r != WHET_LATE) return r;
  }
  return whet__fail(err, WHET_E_FORMAT,
                    "%s: no data set is known in it: idx files, CIFAR's .bin, a folder for each class, a .tar or .tar.gz, "
                    ".npy or .csv are",
                    s->path);
}

static whet_status open_path(whet_set *s, whet_err *err) {
  struct stat st;
  whet_entry *e;
  size_t n = 1;
  if (stat(s->path, &st)) return whet__fail(err, errno == ENOENT ? WHET_E_NAME : WHET_E_IO, "%s: %s", s->path, strerror(errno));
  if (S_ISDIR(st.st_mode)) {
    WHET_TRY(whet__entries(s, s->path, &e, &n, err));
    size_t all = n;
    whet__entries_split(s, e, &n);
    if (all && !n) return whet__fail(err, WHET_E_NAME, "%s: nothing in it is called %s*", s->path, s->opts.split);
    return by_entries(s, e, n, err);
  }
  const char *slash = strrchr(s->path, '/');
  whet_entry one = {s->path, slash ? slash + 1 : s->path, false, (int64_t)st.st_size};
  return by_entries(s, &one, 1, err);
}

/* Part the range off a split's name: "train:0..50000". to: INT64_MAX when it is open. */
static whet_status read_range(whet_set *s, int64_t *from, int64_t *to, whet_err *err) {
  const char *split = s->opts.split, *colon = split ? strrchr(split, ':') : NULL;
  char *end;
  *from = 0, *to = INT64_MAX;
  if (!colon) return WHET_OK;
  const char *p = colon + 1;
  if (*p != '.') *from = strtoll(p, &end, 10), p = end == p ? "" : end;
  bool ok = !strncmp(p, "..", 2) && *from >= 0;
  if (ok && p[2]) *to = strtoll(p + 2, &end, 10), ok = !*end && *to > *from;
  if (!ok) return whet__fail(err, WHET_E_DATA, "split %.100s: expected NAME:FROM..TO, as train:0..50000", split);
  s->opts.split = colon == split ? NULL : whet__arena_str(&s->arena, split, (size_t)(colon - split));
  return colon == split || s->opts.split ? WHET_OK : whet__no_memory(s->mem, strlen(split), err, "a split");
}

/* Keep items from..to. */
static whet_status cut(whet_set *s, int64_t from, int64_t to, whet_err *err) {
  if (from >= s->n) return whet__fail(err, WHET_E_DATA, "%s: items from %lld on, and there are %lld", s->path, (long long)from, (long long)s->n);
  s->first = from;
  s->n = whet__min_i(to, s->n) - from;
  return WHET_OK;
}

whet_status whet__set_open(const char *path, const whet_set_opts *o, whet_mem *m, whet_set **out, whet_err *err) {
  *out = NULL;
  whet_set *s = whet__alloc0(m, sizeof *s);
  if (!s) return whet__no_memory(m, sizeof *s, err, "a data set");
  s->mem = m;
  whet__arena_init(&s->arena, m);
  if (o) s->opts = *o;
  s->path = whet__arena_str(&s->arena, path, strlen(path));
  int64_t from = 0, to = INT64_MAX;
  whet_status r = s->path ? read_range(s, &from, &to, err) : whet__no_memory(m, strlen(path), err, "a path");
  if (!r) r = open_path(s, err);
  if (!r && s->n && (from || to != INT64_MAX)) r = cut(s, from, to, err);
  if (!r && !s->n) r = whet__fail(err, WHET_E_DATA, "%s: the data set is empty", path);
  if (r) {
    whet__set_close(&s);
    return r;
  }
  *out = s;
  return WHET_OK;
}

void whet__set_close(whet_set **s) {
  if (!*s) return;
  whet_mem *m = (*s)->mem;
  if ((*s)->close) (*s)->close(*s);
  whet__arena_free(&(*s)->arena);
  whet__free(m, *s);
  *s = NULL;
}

/* ---- questions ------------------------------------------------------------------------------- */

const char *whet__set_path(const whet_set *s) { return s->path; }
const char *whet__set_kind(const whet_set *s) { return s->kind; }
whet_item_kind whet__set_item_kind(const whet_set *s) { return s->item_kind; }
int64_t whet__set_count(const whet_set *s) { return s->n; }
int32_t whet__set_classes(const whet_set *s) { return s->classes; }
const char *whet__set_class(const whet_set *s, int32_t c) {
  static _Thread_local char text[16];
  if (s->label && c >= 0 && c < s->classes) return s->label[c];
  snprintf(text, sizeof text, "%d", c);
  return text;
}
int64_t whet__set_targets(const whet_set *s) { return s->targets; }
int32_t whet__set_dims(const whet_set *s, int64_t dims[WHET_MAX_RANK]) {
  memcpy(dims, s->dims, sizeof s->dims);
  return s->rank;
}
float whet__set_white(const whet_set *s) { return s->unit ? 1 : 255; }
int32_t whet__set_label(const whet_set *s, int64_t i) { return s->label_of && i >= 0 && i < s->n ? s->label_of(s, s->first + i) : -1; }
const char *whet__set_where(const whet_set *s, int64_t i, char *text, size_t n) {
  if (s->where)
    s->where(s, s->first + i, text, n);
  else
    snprintf(text, n, "%s: item %lld", s->path, (long long)(s->first + i));
  return text;
}
