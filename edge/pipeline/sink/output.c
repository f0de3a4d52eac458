/* SPDX-License-Identifier: Apache-2.0 */
/* The sink `stdout`: events as lines on standard output. */

#include <unistd.h>

#include "edge/pipeline/sink/lines.h"

typedef struct output {
  pl_node n;
  serve_buf line;
} output;

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  output *s = (output *)n;
  EDGE_TRY(sink_line(n, f, &s->line, true, err));
  return sink_write(STDOUT_FILENO, s->line.p, s->line.n, "standard output", err);
}

static void close_output(pl_node *n) { buf_free(&((output *)n)->line); }

const pl_kind pl_sink_output = {.name = "stdout", .size = sizeof(output), .run = run, .close = close_output};
