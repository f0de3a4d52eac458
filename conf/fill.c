/* SPDX-License-Identifier: Apache-2.0 */
/* A map into a struct, by a table of keys. */

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "conf/conf.h"

/* One value on its way into a struct. */
typedef struct filler {
  conf_file *f;
  const conf_key *k;
  whet_err *err;
} filler;

const conf_node *conf_get(const conf_node *map, const char *key) {
  for (size_t i = 0; map && map->kind == CONF_MAP && i < map->n; i++)
    if (!strcmp(map->key[i], key)) return &map->item[i];
  return NULL;
}

static const char *what_is(const conf_node *v, char *buf, size_t n) {
  if (v->kind != CONF_TEXT) return v->kind == CONF_LIST ? "a list" : "a map";
  snprintf(buf, n, "\"%.60s\"", v->text);
  return buf;
}

static whet_status expected(const filler *x, const conf_node *v, const char *what) {
  char buf[80];
  return conf_fail(x->f, v, x->err, "%s: expected %s, got %s", x->k->name, what, what_is(v, buf, sizeof buf));
}

static bool word(const conf_node *v, const char *const *words, int *at) {
  for (*at = 0; v->kind == CONF_TEXT && words[*at]; ++*at)
    if (!strcasecmp(v->text, words[*at])) return true;
  return false;
}

/* A number within the key's bounds. */
static whet_status number(const filler *x, const conf_node *v, bool whole, double *out) {
  const conf_key *k = x->k;
  char want[100];
  bool ok = v->kind == CONF_TEXT && (k->type == CONF_SECONDS ? conf_seconds : conf_real)(v->text, out);
  const char *kind = whole ? "a whole number" : k->type == CONF_SECONDS ? "a time (200ms, 5s, 1h)" : "a number";
  ok = ok && (!whole || (*out == floor(*out) && fabs(*out) < 9007199254740992.0));
  if (k->type == CONF_SECONDS && !k->least && !k->most) ok = ok && *out >= 0;
  if (k->least || k->most) {
    ok = ok && *out >= k->least && *out <= k->most;
    if (k->most < 1e15)
      snprintf(want, sizeof want, "%s from %g to %g", kind, k->least, k->most);
    else
      snprintf(want, sizeof want, "%s of at least %g", kind, k->least);
    kind = want;
  }
  return ok ? WHET_OK : expected(x, v, kind);
}

static whet_status choice(const filler *x, const conf_node *v, int *out) {
  const char *w = x->k->words;
  char list[300];
  for (*out = 0; v->kind == CONF_TEXT; ++*out) {
    size_t n = strcspn(w, "|");
    if (strlen(v->text) == n && !strncasecmp(v->text, w, n)) return WHET_OK;
    if (!w[n]) break;
    w += n + 1;
  }
  snprintf(list, sizeof list, "one of %s", x->k->words);
  return expected(x, v, list);
}

static whet_status strings(const filler *x, const conf_node *v, conf_strs *out) {
  size_t n = v->kind == CONF_LIST ? v->n : 1;
  const conf_node *item = v->kind == CONF_LIST ? v->item : v;
  const char **s = whet__arena_array(&x->f->arena, n + 1, sizeof *s);
  if (!s) return whet__no_memory(x->f->arena.mem, n, x->err, x->k->name);
  for (size_t i = 0; i < n; i++) {
    if (item[i].kind != CONF_TEXT) return expected(x, &item[i], "a text, or a list of texts");
    s[i] = item[i].text;
  }
  *out = (conf_strs){s, n};
  return WHET_OK;
}

static whet_status reals(const filler *x, const conf_node *v, conf_reals *out) {
  size_t n = v->kind == CONF_LIST ? v->n : 1;
  const conf_node *item = v->kind == CONF_LIST ? v->item : v;
  double *d = whet__arena_array(&x->f->arena, n + 1, sizeof *d);
  if (!d) return whet__no_memory(x->f->arena.mem, n, x->err, x->k->name);
  for (size_t i = 0; i < n; i++) WHET_TRY(number(x, &item[i], false, &d[i]));
  *out = (conf_reals){d, n};
  return WHET_OK;
}

static whet_status value(const filler *x, const conf_node *v, void *to) {
  static const char *const truth[] = {"false", "true", "no", "yes", "off", "on", NULL};
  double d;
  int at;
  switch (x->k->type) {
    case CONF_BOOL:
      if (!word(v, truth, &at)) return expected(x, v, "true or false");
      *(bool *)to = at & 1;
      return WHET_OK;
    case CONF_INT:
      WHET_TRY(number(x, v, true, &d));
      *(int64_t *)to = (int64_t)d;
      return WHET_OK;
    case CONF_REAL:
    case CONF_SECONDS: return number(x, v, false, to);
    case CONF_STR:
      if (v->kind != CONF_TEXT) return expected(x, v, "a text");
      *(const char **)to = v->text;
      return WHET_OK;
    case CONF_CHOICE: return choice(x, v, to);
    case CONF_BYTES:
      if (v->kind != CONF_TEXT || !conf_bytes(v->text, to)) return expected(x, v, "a size (4096, 64K, 16M, 2G)");
      return WHET_OK;
    case CONF_STRS: return strings(x, v, to);
    case CONF_REALS: return reals(x, v, to);
    case CONF_NODE: *(const conf_node **)to = v; return WHET_OK;
  }
  return WHET_OK;
}

/* Letters that must change to make one word the other, roughly: for "did you mean". */
static int distance(const char *a, const char *b) {
  int row[40];
  size_t n = strlen(b);
  if (n >= WHET_COUNT(row) || strlen(a) >= WHET_COUNT(row)) return INT_MAX;
  for (size_t j = 0; j <= n; j++) row[j] = (int)j;
  for (int i = 1; *a; a++, i++) {
    int diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= n; j++) {
      int cost = diagonal + (*a != b[j - 1]);
      diagonal = row[j];
      if (row[j] + 1 < cost) cost = row[j] + 1;
      if (row[j - 1] + 1 < cost) cost = row[j - 1] + 1;
      row[j] = cost;
    }
  }
  return row[n];
}

static whet_status unknown(const conf_file *f, const conf_node *map, size_t i, const char *what, const conf_key *keys,
                           whet_err *err) {
  const conf_node at = {.line = map->key_line[i]};
  const char *best = NULL;
  int least = 3;
  for (const conf_key *k = keys; k->name; k++) {
    int d = distance(map->key[i], k->name);
    if (d < least) least = d, best = k->name;
  }
  if (best)
    return conf_fail(f, &at, err, "%s has no key \"%.60s\"; did you mean \"%s\"?", what, map->key[i], best);
  char list[400] = "";
  size_t n = 0;
  for (const conf_key *k = keys; k->name && n < sizeof list; k++)
    n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", k == keys ? "" : ", ", k->name);
  return conf_fail(f, &at, err, "%s has no key \"%.60s\"; there are %s", what, map->key[i], list);
}

whet_status conf_fill(conf_file *f, const conf_node *map, const char *what, const conf_key *keys, void *into,
                      whet_err *err) {
  char buf[80];
  if (map->kind != CONF_MAP)
    return conf_fail(f, map, err, "%s: expected a map of settings, got %s", what, what_is(map, buf, sizeof buf));
  for (size_t i = 0; i < map->n; i++) {
    const conf_key *k = keys;
    while (k->name && strcmp(k->name, map->key[i])) k++;
    if (!k->name) return unknown(f, map, i, what, keys, err);
    filler x = {f, k, err};
    WHET_TRY(value(&x, &map->item[i], (char *)into + k->offset));
  }
  for (const conf_key *k = keys; k->name; k++)
    if (k->needed && !conf_get(map, k->name)) return conf_fail(f, map, err, "%s needs the key \"%s\"", what, k->name);
  return WHET_OK;
}
