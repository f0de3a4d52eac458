/* SPDX-License-Identifier: Apache-2.0 */
/* From the events of libyaml to a tree. */

#include <yaml.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "conf/conf.h"

enum { DEEPEST = 32, MOST_BYTES = 16 << 20 };

typedef struct reader {
  conf_file *f;
  yaml_parser_t y;
  yaml_event_t e; /* the current event */
  bool has;
  whet_err *err;
} reader;

static whet_status fail_at(const conf_file *f, int line, whet_err *err, const char *fmt, va_list ap) {
  char text[600];
  vsnprintf(text, sizeof text, fmt, ap);
  return whet__fail(err, WHET_E_DATA, "%s:%d: %s", f->name, line, text);
}

whet_status conf_fail(const conf_file *f, const conf_node *at, whet_err *err, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  whet_status s = fail_at(f, at ? at->line : 1, err, fmt, ap);
  va_end(ap);
  return s;
}

static WHET_PRINTF(3, 4) whet_status fail(reader *r, int line, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  whet_status s = fail_at(r->f, line, r->err, fmt, ap);
  va_end(ap);
  return s;
}

static whet_status full(reader *r) { return whet__no_memory(r->f->arena.mem, 0, r->err, r->f->name); }

static int line_of(const reader *r) { return (int)r->e.start_mark.line + 1; }

/* Step to the next event. */
static whet_status next(reader *r) {
  if (r->has) yaml_event_delete(&r->e);
  r->has = yaml_parser_parse(&r->y, &r->e) != 0;
  if (r->has) return WHET_OK;
  if (r->y.error == YAML_MEMORY_ERROR) return full(r);
  size_t line = r->y.problem_mark.line + 1;
  if (r->y.error == YAML_READER_ERROR) /* libyaml tells the byte only */
    return whet__fail(r->err, WHET_E_DATA, "%s: byte %zu: %s", r->f->name, r->y.problem_offset,
                      r->y.problem ? r->y.problem : "not UTF-8");
  return fail(r, (int)line, "column %zu: %s%s%s", r->y.problem_mark.column + 1,
              r->y.problem ? r->y.problem : "not YAML", r->y.context ? " " : "", r->y.context ? r->y.context : "");
}

/* What has a meaning in YAML that settings have no use for. */
static whet_status refuse(reader *r) {
  const yaml_event_t *e = &r->e;
  const yaml_char_t *anchor = NULL, *tag = NULL;
  if (e->type == YAML_ALIAS_EVENT)
    return fail(r, line_of(r), "aliases (*%s) are not taken here", (const char *)e->data.alias.anchor);
  if (e->type == YAML_SCALAR_EVENT) anchor = e->data.scalar.anchor, tag = e->data.scalar.tag;
  if (e->type == YAML_SEQUENCE_START_EVENT) anchor = e->data.sequence_start.anchor, tag = e->data.sequence_start.tag;
  if (e->type == YAML_MAPPING_START_EVENT) anchor = e->data.mapping_start.anchor, tag = e->data.mapping_start.tag;
  if (anchor) return fail(r, line_of(r), "anchors (&%s) are not taken here", (const char *)anchor);
  if (tag) return fail(r, line_of(r), "tags (%s) are not taken here", (const char *)tag);
  return WHET_OK;
}

/* A terminated copy of the current text, which must not hold NUL. */
static whet_status copy_text(reader *r, const char **out) {
  const char *s = (const char *)r->e.data.scalar.value;
  size_t n = r->e.data.scalar.length;
  if (memchr(s, 0, n)) return fail(r, line_of(r), "a text holds the character NUL");
  *out = whet__arena_str(&r->f->arena, s, n);
  return *out ? WHET_OK : full(r);
}

/* Room for one more entry of a collection. */
static bool grow(reader *r, conf_node *c, size_t *cap, bool map) {
  if (c->n < *cap) return true;
  size_t want = *cap ? *cap * 2 : 8;
  whet_arena *a = &r->f->arena;
  conf_node *item = whet__arena_array(a, want, sizeof *item);
  const char **key = map ? whet__arena_array(a, want, sizeof *key) : NULL;
  int *line = map ? whet__arena_array(a, want, sizeof *line) : NULL;
  if (!item || (map && (!key || !line))) return false;
  if (c->n) memcpy(item, c->item, c->n * sizeof *item);
  if (c->n && map) memcpy(key, c->key, c->n * sizeof *key), memcpy(line, c->key_line, c->n * sizeof *line);
  c->item = item;
  c->key = key;
  c->key_line = line;
  *cap = want;
  return true;
}

static whet_status node(reader *r, conf_node *out, int depth);

/* The entries of a list or map up to its end. */
static whet_status entries(reader *r, conf_node *c, int depth) {
  bool map = c->kind == CONF_MAP;
  size_t cap = 0;
  if (depth >= DEEPEST) return fail(r, c->line, "nested more than %d deep", DEEPEST);
  for (;;) {
    WHET_TRY(next(r));
    if (r->e.type == (map ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT)) return WHET_OK;
    if (!grow(r, c, &cap, map)) return full(r);
    if (map) {
      WHET_TRY(refuse(r));
      int line = line_of(r);
      if (r->e.type != YAML_SCALAR_EVENT) return fail(r, line, "a key is no text");
      WHET_TRY(copy_text(r, &c->key[c->n]));
      c->key_line[c->n] = line;
      for (size_t i = 0; i < c->n; i++)
        if (!strcmp(c->key[i], c->key[c->n]))
          return fail(r, line, "key \"%s\" stands twice, first in line %d", c->key[i], c->key_line[i]);
      WHET_TRY(next(r));
    }
    WHET_TRY(node(r, &c->item[c->n], depth + 1));
    c->n++;
  }
}

/* The node that the current event begins. */
static whet_status node(reader *r, conf_node *out, int depth) {
  WHET_TRY(refuse(r));
  *out = (conf_node){.line = line_of(r)};
  switch (r->e.type) {
    case YAML_SCALAR_EVENT:
      out->plain = r->e.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
      return copy_text(r, &out->text);
    case YAML_SEQUENCE_START_EVENT: out->kind = CONF_LIST; return entries(r, out, depth);
    case YAML_MAPPING_START_EVENT: out->kind = CONF_MAP; return entries(r, out, depth);
    default: return fail(r, out->line, "not a value");
  }
}

static whet_status document(reader *r) {
  r->f->root = (conf_node){.kind = CONF_MAP, .line = 1};
  WHET_TRY(next(r)); /* the stream */
  WHET_TRY(next(r));
  if (r->e.type == YAML_STREAM_END_EVENT) return WHET_OK;
  WHET_TRY(next(r));
  if (r->e.type != YAML_SCALAR_EVENT || r->e.data.scalar.length) WHET_TRY(node(r, &r->f->root, 0));
  WHET_TRY(next(r)); /* the document's end */
  WHET_TRY(next(r));
  if (r->e.type != YAML_STREAM_END_EVENT) return fail(r, line_of(r), "a second document begins");
  return WHET_OK;
}

whet_status conf_parse(const char *text, size_t n, const char *name, whet_mem *m, conf_file *f, whet_err *err) {
  reader r = {.f = f, .err = err};
  whet_status s;
  *f = (conf_file){0};
  whet__arena_init(&f->arena, m);
  f->name = whet__arena_str(&f->arena, name, strlen(name));
  if (!f->name || !yaml_parser_initialize(&r.y)) {
    s = whet__no_memory(m, 0, err, name);
  } else {
    yaml_parser_set_input_string(&r.y, (const unsigned char *)text, n);
    s = n > MOST_BYTES ? whet__fail(err, WHET_E_LIMIT, "%s: %zu bytes, at most %d are taken", name, n, MOST_BYTES)
                       : document(&r);
    if (r.has) yaml_event_delete(&r.e);
    yaml_parser_delete(&r.y);
  }
  if (s) conf_close(f);
  return s;
}

whet_status conf_open(const char *path, whet_mem *m, conf_file *f, whet_err *err) {
  whet_file bytes;
  WHET_TRY(whet__file_open(path, true, m, &bytes, err));
  whet_status s = conf_parse((const char *)bytes.p, bytes.n, path, m, f, err);
  whet__file_close(&bytes);
  return s;
}

void conf_close(conf_file *f) {
  if (f->arena.mem) whet__arena_free(&f->arena);
  *f = (conf_file){0};
}
