/* SPDX-License-Identifier: Apache-2.0 */
/* Options: parsing and help from tables. */

#include "opts.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "out.h"

/* What every command takes. */
struct common {
  bool help, json;
};
#define AT(field) offsetof(struct common, field)
static const cli_opt k_help = {"help", 'h', CLI_FLAG, AT(help), NULL, "show this and do nothing", 0, 0};
static const cli_opt k_json = {"json", 0, CLI_FLAG, AT(json), NULL, "print the answer as one JSON object", 0, 0};

bool cli_parse_int(const char *s, int64_t *out) {
  char *end;
  errno = 0;
  long long v = strtoll(s, &end, 10);
  if (errno || end == s || *end) return false;
  *out = v;
  return true;
}

bool cli_parse_real(const char *s, double *out) {
  char *end;
  double v = strtod(s, &end);
  if (end == s || *end || !isfinite(v)) return false;
  *out = v;
  return true;
}

bool cli_parse_size(const char *s, size_t *out) {
  char *end;
  if (s[0] < '0' || s[0] > '9') return false;
  errno = 0;
  unsigned long long v = strtoull(s, &end, 10);
  if (errno) return false;
  unsigned shift = 0;
  switch (*end) {
    case 'K':
    case 'k':
      shift = 10;
      break;
    case 'M':
    case 'm':
      shift = 20;
      break;
    case 'G':
    case 'g':
      shift = 30;
      break;
    default:
      break;
  }
  if (shift) end++;
  if (shift && *end == 'i') end++;
  if (*end == 'B') end++;
  if (*end || v > SIZE_MAX >> shift) return false;
  *out = (size_t)v << shift;
  return true;
}

/* Number of word s among "a|b|c", or -1. */
static int choice(const char *words, const char *s) {
  size_t n = strlen(s);
  for (int i = 0; *words; i++) {
    size_t len = strcspn(words, "|");
    if (len == n && !memcmp(words, s, n)) return i;
    words += len + (words[len] == '|');
  }
  return -1;
}

/* Append to a list that lives as long as the process. */
static void append(cli_list *l, const char *s) {
  if (l->n == l->cap) {
    size_t cap = l->cap ? l->cap * 2 : 8;
    const char **v = cli_keep(cap * sizeof *v);
    if (l->n) memcpy(v, l->v, l->n * sizeof *v);
    l->v = v;
    l->cap = cap;
  }
  l->v[l->n++] = s;
}

/* Store a value; false when the text is no such value, and the line is printed. */
static bool store(const cli_opt *o, void *into, const char *s) {
  char *at = (char *)into + o->offset;
  bool bounded = o->least != 0 || o->most != 0;
  switch (o->kind) {
    case CLI_FLAG:
      *(bool *)at = true;
      return true;
    case CLI_TEXT:
      *(const char **)at = s;
      return true;
    case CLI_LIST:
      append((cli_list *)at, s);
      return true;
    case CLI_SIZE:
      if (cli_parse_size(s, (size_t *)at)) return true;
      cli_error("--%s: \"%.60s\" is no size; give bytes, or a number with K, M or G", o->name, s);
      return false;
    case CLI_CHOICE:
      if ((*(int *)at = choice(o->arg, s)) >= 0) return true;
      cli_error("--%s: \"%.60s\" is none of %s", o->name, s, o->arg);
      return false;
    case CLI_INT: {
      int64_t v;
      if (!cli_parse_int(s, &v))
        cli_error("--%s: \"%.60s\" is no whole number", o->name, s);
      else if (bounded && ((double)v < o->least || (double)v > o->most))
        cli_error("--%s: %lld is not in %.0f..%.0f", o->name, (long long)v, o->least, o->most);
      else
        return *(int64_t *)at = v, true;
      return false;
    }
    case CLI_REAL: {
      double v;
      if (!cli_parse_real(s, &v))
        cli_error("--%s: \"%.60s\" is no number", o->name, s);
      else if (bounded && (v < o->least || v > o->most))
        cli_error("--%s: %g is not in %g..%g", o->name, v, o->least, o->most);
      else
        return *(double *)at = v, true;
      return false;
    }
  }
  return false;
}

/* All tables of a command, its own first, then what every command takes. */
struct tables {
  const cli_use *use;
  cli_table common;
  cli_opt common_opts[3];
};

/* Table number i, or NULL past the last. */
static const cli_table *table(const struct tables *t, size_t i) {
  size_t n = 0;
  while (n < WHET_COUNT(t->use->tables) && t->use->tables[n].opt) n++;
  return i < n ? &t->use->tables[i] : i == n ? &t->common : NULL;
}

/* The option of that name (n characters) or letter; *into receives its struct. NULL when there is none. */
static const cli_opt *find(const struct tables *t, const char *name, size_t n, char letter, void **into) {
  const cli_table *b;
  for (size_t i = 0; (b = table(t, i)); i++)
    for (const cli_opt *o = b->opt; o->name; o++)
      if (letter ? o->letter == letter : strlen(o->name) == n && !memcmp(o->name, name, n)) return *into = b->into, o;
  return NULL;
}

/* Say that there is no option like `word`, with the nearest if one is near. */
static int unknown(const struct tables *t, const char *word) {
  char name[64];
  const char *near = NULL;
  const cli_table *b;
  int best = 3;
  const char *bare = word + strspn(word, "-");
  snprintf(name, sizeof name, "%.*s", (int)strcspn(bare, "="), bare);
  for (size_t i = 0; (b = table(t, i)); i++)
    for (const cli_opt *o = b->opt; o->name; o++) {
      int d = cli_distance(name, o->name, best - 1);
      if (d < best && d < (int)strlen(name)) near = o->name, best = d;
    }
  if (near) return cli_wrong("there is no option %.80s; did you mean --%s?", word, near);
  return cli_wrong("there is no option %.80s; `whet %s --help` lists them", word, cli_verb);
}

/* Print text in lines of at most `wide` columns, the first starting at column `from`, the others indented by it. */
static void wrap(const char *text, int from, int wide) {
  int at = from;
  while (*text) {
    size_t n = strcspn(text, " \n");
    if (at > from && at + 1 + (int)n > wide) {
      printf("\n%*s", from, "");
      at = from;
    } else if (at > from) {
      putchar(' ');
      at++;
    }
    fwrite(text, 1, n, stdout);
    at += (int)n;
    text += n;
    if (*text == '\n') {
      printf("\n%*s", from, "");
      at = from;
    }
    if (*text) text++;
  }
  putchar('\n');
}

/* "  -o, --output DIR" into text; its length. */
static int spell(const cli_opt *o, char *text, size_t n) {
  int at =
      o->letter ? snprintf(text, n, "  -%c, --%s", o->letter, o->name) : snprintf(text, n, "      --%s", o->name);
  if (o->arg) at += snprintf(text + at, n - (size_t)at, " %s", o->arg);
  return at;
}

/* The help of a command. */
static void help(const struct tables *t) {
  enum { WIDE = 108, MOST = 34 };
  char text[128];
  const cli_table *b;
  int indent = 0;
  printf("usage: whet %s %s\n\n", cli_verb, t->use->synopsis);
  wrap(t->use->about, 0, WIDE);
  for (size_t i = 0; (b = table(t, i)); i++)
    for (const cli_opt *o = b->opt; o->name; o++) {
      int n = spell(o, text, sizeof text);
      if (n > indent && n <= MOST) indent = n;
    }
  for (size_t i = 0; (b = table(t, i)); i++) {
    printf("\n%s%s:%s\n", cli_bold(), b->heading, cli_plain());
    for (const cli_opt *o = b->opt; o->name; o++) {
      int n = spell(o, text, sizeof text);
      printf("%s", text);
      if (n > indent)
        printf("\n%*s", indent + 2, "");
      else
        printf("%*s", indent + 2 - n, "");
      wrap(o->help, indent + 2, WIDE);
    }
  }
  if (t->use->examples) printf("\n%sexamples:%s\n%s", cli_bold(), cli_plain(), t->use->examples);
}

bool cli_parse(const cli_use *use, bool *json, int argc, char **argv, char ***arg, int *n_arg, int *status) {
  struct common c = {0};
  struct tables t = {.use = use, .common = {"general", NULL, &c}};
  t.common_opts[0] = json ? k_json : k_help;
  if (json) t.common_opts[1] = k_help;
  t.common.opt = t.common_opts;
  int kept = 1;
  bool ended = false;
  *status = CLI_WRONG_USE;
  for (int i = 1; i < argc; i++) {
    char *w = argv[i];
    if (ended || w[0] != '-' || !w[1]) {
      argv[kept++] = w;
      continue;
    }
    if (!strcmp(w, "--")) {
      ended = true;
      continue;
    }
    bool wordy = w[1] == '-';
    const char *value = wordy ? strchr(w, '=') : w[2] ? w + 2 : NULL;
    size_t n = wordy ? (value ? (size_t)(value - w) : strlen(w)) - 2 : 0;
    void *into;
    const cli_opt *o = find(&t, w + 2, n, wordy ? 0 : w[1], &into);
    if (!o) return *status = unknown(&t, w), false;
    if (wordy && value) value++;
    if (o->kind == CLI_FLAG && value) return *status = cli_wrong("--%s takes no value", o->name), false;
    if (o->kind != CLI_FLAG && !value) {
      if (i + 1 >= argc) return *status = cli_wrong("--%s needs a value: %s", o->name, o->arg), false;
      value = argv[++i];
    }
    if (!store(o, into, value)) return false;
  }
  if (c.help) {
    help(&t);
    *status = CLI_DONE;
    return false;
  }
  if (json) *json = c.json;
  *arg = argv + 1;
  *n_arg = kept - 1;
  if (*n_arg < use->least)
    return *status = cli_wrong("%s; `whet %s --help` says more", use->missing, cli_verb), false;
  if (use->most >= 0 && *n_arg > use->most)
    return *status = cli_wrong("\"%.80s\" is one argument too many; `whet %s --help` says what it takes",
                               (*arg)[use->most], cli_verb),
           false;
  *status = CLI_DONE;
  return true;
}

const char *cli_read_token(const char *path, whet_err *err) {
  char text[16384];
  FILE *f = fopen(path, "r");
  bool ok = f && fgets(text, sizeof text, f);
  if (f) fclose(f);
  if (!ok) return whet__fail(err, WHET_E_IO, "%.200s: %s", path, f ? "empty" : strerror(errno)), NULL;
  if (strlen(text) + 1 == sizeof text) /* part of a token is another one */
    return whet__fail(err, WHET_E_LIMIT, "%.200s: the first line is longer than %zu bytes", path, sizeof text - 2),
           NULL;
  text[strcspn(text, " \t\r\n")] = 0;
  return cli_keep_str(text, strlen(text));
}
