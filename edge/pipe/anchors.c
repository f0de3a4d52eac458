/* SPDX-License-Identifier: Apache-2.0 */
/* Anchors from a text. */

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/pipe/detect.h"

enum { MOST = 1000000 };

/* Four numbers and nothing else. */
static bool four(const char *s, pipe_anchor *a) {
  float *to[] = {&a->x, &a->y, &a->w, &a->h};
  for (int i = 0; i < 4; i++) {
    char *end;
    while (isspace((unsigned char)*s) || (i && *s == ',')) s++;
    *to[i] = strtof(s, &end);
    if (end == s || !isfinite(*to[i])) return false;
    s = end;
  }
  while (isspace((unsigned char)*s)) s++;
  return !*s;
}

whet_status pipe_anchors_read(const char *path, pipe_anchor **out, size_t *n, whet_err *err) {
  char line[400];
  size_t cap = 0;
  whet_status st = WHET_OK;
  *out = NULL;
  *n = 0;
  FILE *f = fopen(path, "r");
  if (!f) return edge_fail(err, WHET_E_IO, "%s: %s", path, strerror(errno));
  for (int at = 1; !st && fgets(line, sizeof line, f); at++) {
    if (line[strspn(line, " \t\r\n")] == 0) continue;
    if (*n == MOST) {
      st = edge_fail(err, WHET_E_LIMIT, "%s: more than %d anchors", path, MOST);
    } else if (*n == cap) {
      cap = cap ? 2 * cap : 1024;
      pipe_anchor *p = realloc(*out, cap * sizeof *p);
      if (p) *out = p;
      else st = edge_fail(err, WHET_E_MEMORY, "%s: no memory for %zu anchors", path, cap);
    }
    if (!st && !four(line, &(*out)[(*n)++]))
      st = edge_fail(err, WHET_E_DATA, "%s:%d: expected four numbers: x y w h", path, at);
  }
  if (!st && ferror(f)) st = edge_fail(err, WHET_E_IO, "%s: cannot be read", path);
  if (!st && !*n) st = edge_fail(err, WHET_E_DATA, "%s: holds no anchors", path);
  fclose(f);
  if (st) {
    free(*out);
    *out = NULL;
    *n = 0;
  }
  return st;
}
