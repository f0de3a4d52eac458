/* SPDX-License-Identifier: Apache-2.0 */
/* ${NAME} and ${NAME:-OTHERWISE} in the values of a file, from the environment; $$ is a dollar. */

#include <stdlib.h>
#include <string.h>

#include "edge/pipeline/inner.h"

static bool letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* One piece behind a dollar: its text and length, and how much of the source it took; 0: no such variable, or no end.
 */
static size_t piece(const char *p, const char **out, size_t *n, char name[64]) {
  name[0] = 0;
  if (p[1] == '$') return *out = p, *n = 1, 2;
  if (p[1] != '{') return *out = p, *n = 1, 1;
  const char *at = p + 2;
  while (letter(*at)) at++;
  size_t len = (size_t)(at - p) - 2;
  const char *end = strchr(at, '}');
  bool otherwise = at[0] == ':' && at[1] == '-';
  if (!len || len >= 64 || !end || (*at != '}' && !otherwise)) return 0;
  memcpy(name, p + 2, len);
  name[len] = 0;
  const char *v = getenv(name);
  if (otherwise && (!v || !*v)) {
    *out = at + 2;
    *n = (size_t)(end - at) - 2;
  } else {
    if (!v) return 0;
    *out = v;
    *n = strlen(v);
  }
  return (size_t)(end - p) + 1;
}

static whet_status text(whet_pipeline *p, conf_node *v, whet_err *err) {
  char name[64];
  const char *with;
  size_t n, total = 0, used;
  if (!strchr(v->text, '$')) return WHET_OK;
  for (int round = 0; round < 2; round++) { /* its size, then the text */
    char *to = round ? whet__arena_alloc(&p->file.arena, total + 1) : NULL;
    if (round && !to) return edge_fail(err, WHET_E_MEMORY, "no memory for a text");
    total = 0;
    for (const char *at = v->text; *at; at += used) {
      if (*at != '$') {
        with = at, n = used = 1;
      } else if (!(used = piece(at, &with, &n, name))) {
        return name[0] ? conf_fail(&p->file, v, err,
                                   "the environment has no %s, and \"%.60s\" says nothing else (${%s:-...})", name,
                                   v->text, name)
                       : conf_fail(&p->file, v, err,
                                   "\"%.60s\": expected ${NAME} or ${NAME:-OTHERWISE} behind a $; $$ is a dollar",
                                   v->text);
      }
      if (to) memcpy(to + total, with, n);
      total += n;
    }
    if (to) v->text = to;
  }
  return WHET_OK;
}

whet_status pl_expand(whet_pipeline *p, conf_node *v, whet_err *err) {
  if (v->kind == CONF_TEXT) return text(p, v, err);
  for (size_t i = 0; i < v->n; i++) EDGE_TRY(pl_expand(p, &v->item[i], err));
  return WHET_OK;
}
