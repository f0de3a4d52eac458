/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CONF_CONF_H
#define WHET_CONF_CONF_H

/* Settings files in YAML: recipes of training, settings of the server, pipelines.
 *
 * A file becomes a tree of maps, lists and texts that remember their lines. Whoever wants settings has a table of keys,
 * and conf_fill reads a map into a struct by it: a key that is not in the table, one that stands twice, a value of the
 * wrong kind or out of bounds is an error "FILE:LINE: ..." that says what was expected. Anchors, aliases, tags and
 * further documents are refused by name; nesting is bounded. */

#include "base/mem.h"

typedef enum conf_kind { CONF_TEXT, CONF_LIST, CONF_MAP } conf_kind;

typedef struct conf_node {
  conf_kind kind;
  int line;               /* from 1 */
  bool plain;             /* TEXT: without quotes */
  const char *text;       /* TEXT: terminated */
  size_t n;               /* LIST, MAP: entries */
  struct conf_node *item; /* the entries ... */
  const char **key;       /* ... of a MAP, and their names */
  int *key_line;
} conf_node;

typedef struct conf_file {
  whet_arena arena; /* everything lies here */
  const char *name; /* for messages */
  conf_node root;   /* an empty file is an empty map */
} conf_file;

/* Read the file at path; or n bytes of text, called `name` in messages. On failure there is nothing to close. */
WHET_MUST whet_status conf_open(const char *path, whet_mem *m, conf_file *f, whet_err *err);
WHET_MUST whet_status conf_parse(const char *text, size_t n, const char *name, whet_mem *m, conf_file *f,
                                 whet_err *err);
void conf_close(conf_file *f);

/* The entry of a map; NULL: none. */
const conf_node *conf_get(const conf_node *map, const char *key);
/* Fail with E_DATA and the place of a node. */
whet_status conf_fail(const conf_file *f, const conf_node *at, whet_err *err, const char *fmt, ...) WHET_PRINTF(4, 5);

typedef enum conf_type {
  CONF_BOOL,    /* bool: true, false, yes, no, on, off */
  CONF_INT,     /* int64_t, least..most */
  CONF_REAL,    /* double, least..most; 5% is 0.05 */
  CONF_STR,     /* const char * */
  CONF_CHOICE,  /* int: number of the word among those of `words`, "drop-oldest|drop-newest|block" */
  CONF_BYTES,   /* size_t: a number with K, M or G behind (1024s) */
  CONF_SECONDS, /* double: a number with us, ms, s, min, h or d behind; alone it is seconds */
  CONF_STRS,    /* conf_strs: a list of texts, or one text */
  CONF_REALS,   /* conf_reals: a list of numbers, or one, each least..most */
  CONF_NODE     /* const conf_node *: whatever stands there */
} conf_type;

typedef struct conf_strs {
  const char **v;
  size_t n;
} conf_strs;

typedef struct conf_reals {
  double *v;
  size_t n;
} conf_reals;

typedef struct conf_key {
  const char *name; /* NULL ends the table */
  conf_type type;
  size_t offset;      /* of the field in the struct */
  const char *words;  /* CHOICE */
  double least, most; /* bounds of numbers; both 0: none */
  bool needed;        /* its absence is an error */
} conf_key;

/* Read `map` into a struct that holds the defaults. `what` names the thing in messages: "the stage resize". Texts and lists
 * live as long as the file. */
WHET_MUST whet_status conf_fill(conf_file *f, const conf_node *map, const char *what, const conf_key *keys, void *into,
                                whet_err *err);

/* Single values, the whole text; false when it is none. */
bool conf_real(const char *text, double *out);
bool conf_seconds(const char *text, double *out);
bool conf_bytes(const char *text, size_t *out);

#endif
