/* SPDX-License-Identifier: Apache-2.0 */
/* The source `app`: messages that the program gives by whet_pipeline_push. */

#include <string.h>

#include "edge/pipeline/inner.h"
#include "edge/pipeline/message.h"

typedef struct app {
  pl_node n;
  pl_inbox in;
} app;

static const conf_key k_keys[] = {PL_PAYLOAD_KEYS(app, in.payload), {0}};
static const app k_defaults = {.in = PL_INBOX_DEFAULTS};

static whet_status open_app(pl_node *n, whet_err *err) { return pl_payload_open(n, &((app *)n)->in.payload, err); }

static whet_status run(pl_node *n, pl_frame *none, whet_err *err) {
  (void)none, (void)err;
  while (pl_source_wait(n, -1, -1)) {
  }
  return WHET_OK;
}

static void close_app(pl_node *n) { pl_inbox_close(&((app *)n)->in); }

const pl_kind pl_source_app = {.name = "app",
                               .size = sizeof(app),
                               .keys = k_keys,
                               .lone = "format",
                               .defaults = &k_defaults,
                               .open = open_app,
                               .run = run,
                               .close = close_app,
                               .live = true};

whet_status whet_pipeline_push(whet_pipeline *p, const char *branch, const void *bytes, size_t n, int64_t time,
                               whet_err *err) {
  app *s = NULL;
  size_t given;
  for (size_t i = 0; i < p->n_branch; i++)
    if (!strcmp(p->branch[i].name, branch)) s = (app *)p->branch[i].source;
  if (!s || s->n.kind != &pl_source_app)
    return edge_fail(err, WHET_E_NAME, "no branch \"%.60s\" has a source of the kind app", branch);
  if (!p->kept || p->stopping) return edge_fail(err, WHET_E_MISUSE, "the pipeline does not run");
  return pl_message(&s->n, &s->in, bytes, n, time, "", &given, err);
}
