/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SERVE_JSON_H
#define WHET_EDGE_SERVE_JSON_H

/* JSON read where it lies (RFC 8259, strict): the caller pulls what it expects, one value after the other. Nothing is
 * allocated, nesting is bounded, the first failure sticks and says at which byte.
 *
 *   for (jin_begin(&j, '{'); jin_next(&j, '}');) {
 *     jin_key(&j, &key);
 *     if (text_is(key, "id")) jin_string(&j, &id); else jin_skip(&j);
 *   }
 *   if (j.bad) ... */

#include "edge/edge.h"

enum { JSON_DEEPEST = 32 };

/* Part of the text: escapes are resolved in place, so the bytes belong to the reader's text. */
typedef struct json_text {
  const char *p;
  size_t n;
} json_text;

typedef struct json_in {
  char *start, *at, *end;
  whet_err *err;
  int depth;
  bool first[JSON_DEEPEST + 1]; /* by depth: nothing was read in this container */
  bool bad;
} json_in;

void jin_init(json_in *j, char *text, size_t n, whet_err *err);
/* Record a failure at the reader's place: "at byte 17: ...". */
void jin_fail(json_in *j, const char *fmt, ...) EDGE_PRINTF(2, 3);

/* What comes next: one of { [ " 0 t f n, or 0 at the end or for anything else. */
char jin_peek(json_in *j);
void jin_begin(json_in *j, char open);
/* Is there another entry before `close`? Eats the comma, or the bracket. False after a failure. */
bool jin_next(json_in *j, char close);
void jin_key(json_in *j, json_text *out);
void jin_string(json_in *j, json_text *out);
void jin_bool(json_in *j, bool *out);
void jin_double(json_in *j, double *out);
/* Plain decimal numbers with commas between them, at most n, as far as they go; how many. Stands behind the last of
 * them, or, when there is none or the next is written in another way, at a number. */
size_t jin_floats(json_in *j, float *out, size_t n);
/* A number without a fraction (1, 1.0, 1e2) within int64. */
void jin_int(json_in *j, int64_t *out);
/* The same within uint64. */
void jin_uint(json_in *j, uint64_t *out);
void jin_null(json_in *j);
/* Pass over a value, checking its syntax. Its bytes stay as they are, so that it can be read later. */
void jin_skip(json_in *j);
/* Nothing but white space may follow. */
void jin_done(json_in *j);

bool text_is(json_text t, const char *s);

#endif
