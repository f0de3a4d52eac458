/* SPDX-License-Identifier: Apache-2.0 */
/* The sink `app`: events to the program that runs the pipeline. */

#include "edge/pipeline/sink/lines.h"

typedef struct app {
  pl_node n;
  serve_buf line;
} app;

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  app *s = (app *)n;
  if (!n->p->o.event) return WHET_OK;
  EDGE_TRY(sink_line(n, f, &s->line, false, err));
  buf_put(&s->line, "", 1); /* ended, as texts are */
  if (s->line.bad) return edge_fail(err, WHET_E_MEMORY, "no memory for an event");
  n->p->o.event(n->p->o.user, n->name, s->line.p, s->line.n - 1);
  return WHET_OK;
}

static void close_app(pl_node *n) { buf_free(&((app *)n)->line); }

const pl_kind pl_sink_app = {.name = "app", .size = sizeof(app), .run = run, .close = close_app};
