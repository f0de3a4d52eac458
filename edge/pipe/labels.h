/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPE_LABELS_H
#define WHET_EDGE_PIPE_LABELS_H

/* Names of classes: a text file, one a line, the first is class 0. */

#include "edge/edge.h"

typedef struct pipe_labels {
  char *text; /* the file; names lie in it */
  const char **name;
  size_t n;
} pipe_labels;

/* E_IO, E_LIMIT (over 4 MB), E_DATA (holds a zero byte). Bytes that are not UTF-8 stay as they are. */
EDGE_MUST whet_status pipe_labels_open(const char *path, pipe_labels *out, whet_err *err);
void pipe_labels_close(pipe_labels *l);
/* The name of a class; NULL past the end. */
const char *pipe_label(const pipe_labels *l, size_t i);

#endif
