/* SPDX-License-Identifier: Apache-2.0 */
/* Tables in text: rows of numbers, one column of which is to be told: a class (integers, or words) or a number. The first line
 * may name the columns. Fields stand between commas, semicolons or tabs, perhaps in double quotes. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/inner.h"

struct csv {
  whet_file file;
  const char *name;
  char sep;
  int32_t columns, target; /* target -1: nothing is to be told */
  int64_t *at;             /* offset of each row */
  size_t cap, cap_class;
  int32_t *class;
  int64_t first_line; /* line of row 0 */
};

enum { FIELD = 200 };

/* The next field of a line, without quotes, into text; false at the end of the line. */
static bool field(const struct csv *c, const char **p, const char *end, char text[FIELD]) {
  size_t n = 0;
  if (!*p) return false;
  const char *q = *p;
  while (q < end && (*q == ' ')) q++;
  if (q < end && *q == '"') {
    for (q++; q < end && *q != '"'; q++)
      if (n + 1 < FIELD) text[n++] = *q;
    while (q < end && *q != c->sep) q++;
  } else {
    for (; q < end && *q != c->sep; q++)
      if (n + 1 < FIELD) text[n++] = *q;
  }
  while (n && (text[n - 1] == ' ' || text[n - 1] == '\r')) n--;
  text[n] = 0;
  *p = q < end ? q + 1 : NULL;
  return true;
}
static bool real(const char *text, double *v) {
  char *end;
  *v = strtod(text, &end);
  return end != text && !*end;
}
static const char *line_end(const struct csv *c, const char *p) {
  const char *end = memchr(p, '\n', (size_t)((const char *)c->file.p + c->file.n - p));
  return end ? end : (const char *)c->file.p + c->file.n;
}

static void close_csv(whet_set *s) {
  struct csv *c = s->own;
  whet__file_close(&c->file);
  whet__free(s->mem, c->at);
  whet__free(s->mem, c->class);
}
static int32_t label_of(const whet_set *s, int64_t i) { return s->classes ? ((const struct csv *)s->own)->class[i] : -1; }
static void where(const whet_set *s, int64_t i, char *text, size_t n) {
  snprintf(text, n, "%s: row %lld", ((const struct csv *)s->own)->name, (long long)i + 1);
}

static whet_status item(const whet_set *s, whet_scratch *t, int64_t i, whet_item *out, float *targets, whet_err *err) {
  const struct csv *c = s->own;
  char text[FIELD];
  int32_t k = 0, n = 0;
  double v;
  float *to = whet__scratch_room(t, (size_t)c->columns * sizeof *to);
  if (!to) return whet__no_memory(s->mem, (size_t)c->columns * sizeof *to, err, "an item");
  const char *p = (const char *)c->file.p + c->at[i], *end = line_end(c, p);
  for (; k < c->columns && field(c, &p, end, text); k++) {
    bool told = k == c->target;
    if (told && s->classes) continue;
    if (!real(text, &v))
      return whet__fail(err, WHET_E_DATA, "%s: row %lld, column %d: \"%.40s\" is no number", c->name, (long long)i + 1, k + 1, text);
    if (!told)
      to[n++] = (float)v;
    else if (targets)
      targets[0] = (float)v;
  }
  *out = (whet_item){.kind = WHET_ITEM_NUMBERS, .dtype = WHET_F32, .count = n, .data = to};
  return WHET_OK;
}

/* The line of names, if the first line is one: which column is the target. */
static whet_status heading(whet_set *s, const char **at, whet_err *err) {
  static const char *const names[] = {"label", "class", "target", "y"};
  struct csv *c = s->own;
  const char *p = *at, *end = line_end(c, p), *want = s->opts.target;
  char text[FIELD];
  double v;
  bool words = true;
  static const char seps[] = ",;\t";
  for (int k = 0; seps[k] && !c->sep; k++)
    if (memchr(p, seps[k], (size_t)(end - p))) c->sep = seps[k];
  if (!c->sep) c->sep = ',';
  c->target = -1;
  for (; field(c, &p, end, text); c->columns++) {
    words &= !real(text, &v);
    for (size_t k = 0; !want && k < WHET_COUNT(names); k++)
      if (!strcmp(text, names[k])) c->target = c->columns;
    if (want && !strcmp(text, want)) c->target = c->columns;
  }
  if (want && c->target < 0) return whet__fail(err, WHET_E_NAME, "%s: no column is called \"%s\"", c->name, want);
  c->first_line = words ? 2 : 1;
  if (c->target < 0 || !words) c->target = c->columns - 1;
  if (words) *at = end < (const char *)c->file.p + c->file.n ? end + 1 : end;
  return c->columns > 1 ? WHET_OK
                        : whet__fail(err, WHET_E_FORMAT, "%s: line 1 has one field; expected numbers and a target between commas", c->name);
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* Find the rows and what their targets are. */
static whet_status rows(whet_set *s, const char *p, whet_err *err) {
  struct csv *c = s->own;
  const char *all = (const char *)c->file.p + c->file.n, **word = NULL;
  char text[FIELD], target[FIELD];
  bool whole = true, number = true;
  int32_t most = 0;
  size_t n_word = 0, cap_word = 0;
  double v;
  whet_status r = WHET_OK;
  for (int64_t line = c->first_line; !r && p < all; line++) {
    const char *end = line_end(c, p), *q = p;
    int32_t k = 0;
    if (end - p <= 1 && (end == p || *p == '\r')) {
      p = end + 1;
      continue;
    }
    target[0] = 0;
    for (; field(c, &q, end, text); k++)
      if (k == c->target) memcpy(target, text, sizeof target);
    if (k != c->columns)
      r = whet__fail(err, WHET_E_FORMAT, "%s: line %lld has %d fields, line 1 has %d", c->name, (long long)line, k, c->columns);
    bool is = real(target, &v);
    number &= is;
    whole &= is && v >= 0 && v == floor(v) && v <= 100000;
    if (whole) most = (int32_t)whet__max_i(most, (int64_t)v);
    bool known = is;
    for (size_t w = 0; w < n_word && !known; w++) known = !strcmp(word[w], target);
    bool ok = whet__grow(s->mem, (void **)&c->at, &c->cap, (size_t)s->n + 1, sizeof *c->at);
    if (ok && !known) {
      ok = n_word < 100000 && whet__grow(s->mem, (void **)&word, &cap_word, n_word + 1, sizeof *word) &&
           (word[n_word++] = whet__arena_str(&s->arena, target, strlen(target)));
    }
    if (!ok && !r) r = whet__no_memory(s->mem, 64, err, "the rows of a table");
    if (!r) c->at[s->n++] = p - (const char *)c->file.p;
    p = end < all ? end + 1 : all;
  }
  if (!r && (whole || !number)) {
    if (whole)
      r = whet__set_numbers(s, most, err);
    else if (!(r = whet__set_labels(s, err)) && !s->label) {
      qsort(word, n_word, sizeof *word, by_text);
      s->label = whet__arena_copy(&s->arena, word, n_word * sizeof *word);
      s->classes = (int32_t)n_word;
    }
    c->class = whet__alloc_array(s->mem, (size_t)s->n + 1, sizeof *c->class);
    if (!r && (!c->class || (!s->label && !whole))) r = whet__no_memory(s->mem, (size_t)s->n * 4, err, "the rows of a table");
    for (int64_t i = 0; !r && i < s->n; i++) {
      const char *q = (const char *)c->file.p + c->at[i], *end = line_end(c, q);
      for (int32_t k = 0; k <= c->target; k++) field(c, &q, end, text);
      c->class[i] = whole ? (int32_t)strtol(text, NULL, 10) : whet__set_find(s, text, strlen(text));
      if (c->class[i] < 0)
        r = whet__fail(err, WHET_E_DATA, "%s: row %lld: \"%.40s\" is none of the %d labels", c->name, (long long)i + 1, text, s->classes);
    }
  } else if (!r) {
    s->targets = 1;
  }
  whet__free(s->mem, word);
  return r;
}

whet_status whet__open_csv(whet_set *s, const whet_entry *e, size_t n, whet_err *err) {
  const whet_entry *csv = NULL;
  for (size_t i = 0; i < n; i++) {
    if (e[i].folder || !(whet__ends(e[i].name, ".csv") || whet__ends(e[i].name, ".csv.gz") || whet__ends(e[i].name, ".tsv"))) continue;
    if (csv) return whet__fail(err, WHET_E_NAME, "%s: holds %s and %s: say which with --split", s->path, csv->name, e[i].name);
    csv = &e[i];
  }
  if (!csv) return WHET_LATE;
  struct csv *c = whet__arena_alloc(&s->arena, sizeof *c);
  if (!c) return whet__no_memory(s->mem, sizeof *c, err, "a data set");
  s->own = c;
  s->close = close_csv;
  c->name = csv->path;
  WHET_TRY(whet__unpack(s, csv->path, &c->file, err));
  if (memchr(c->file.p, 0, c->file.n)) return whet__fail(err, WHET_E_FORMAT, "%s: no text: it holds zeros", c->name);
  const char *p = (const char *)c->file.p;
  s->kind = "CSV";
  s->item_kind = WHET_ITEM_NUMBERS;
  WHET_TRY(heading(s, &p, err));
  s->rank = 1;
  s->dims[0] = c->columns - 1;
  s->item = item;
  s->label_of = label_of;
  s->where = where;
  return rows(s, p, err);
}
