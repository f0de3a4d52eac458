/* SPDX-License-Identifier: Apache-2.0 */
/* Names of classes from a file. */

#include "edge/pipe/labels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4 << 20 };

/* Read the whole file, terminated. */
static whet_status slurp(const char *path, char **out, whet_err *err) {
  FILE *f = fopen(path, "rb");
  if (!f) return edge_fail(err, WHET_E_IO, "%s: %s", path, strerror(errno));
  char *p = malloc(MOST + 1);
  size_t n = p ? fread(p, 1, MOST + 1, f) : 0;
  bool bad = ferror(f) != 0;
  fclose(f);
  if (p && !bad && n <= MOST && !memchr(p, 0, n)) {
    p[n] = 0;
    char *small = realloc(p, n + 1);
    *out = small ? small : p;
    return WHET_OK;
  }
  free(p);
  if (!p) return edge_fail(err, WHET_E_MEMORY, "%s: no memory", path);
  if (bad) return edge_fail(err, WHET_E_IO, "%s: cannot be read", path);
  if (n > MOST) return edge_fail(err, WHET_E_LIMIT, "%s: more than %d bytes", path, MOST);
  return edge_fail(err, WHET_E_DATA, "%s: holds a zero byte: it is no text", path);
}

whet_status pipe_labels_open(const char *path, pipe_labels *out, whet_err *err) {
  *out = (pipe_labels){0};
  EDGE_TRY(slurp(path, &out->text, err));
  size_t lines = 1;
  for (const char *p = out->text; *p; p++) lines += *p == '\n';
  out->name = calloc(lines, sizeof *out->name);
  if (!out->name) {
    pipe_labels_close(out);
    return edge_fail(err, WHET_E_MEMORY, "%s: no memory", path);
  }
  for (char *p = out->text; *p;) {
    char *end = p + strcspn(p, "\n");
    bool last = !*end;
    *end = 0;
    if (end > p && end[-1] == '\r') end[-1] = 0;
    out->name[out->n++] = p;
    if (last) break;
    p = end + 1;
  }
  return WHET_OK;
}

void pipe_labels_close(pipe_labels *l) {
  free(l->name);
  free(l->text);
  *l = (pipe_labels){0};
}

const char *pipe_label(const pipe_labels *l, size_t i) { return i < l->n ? l->name[i] : NULL; }
