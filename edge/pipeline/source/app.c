/* SPDX-License-Identifier: Apache-2.0 */
/* The source `app`: messages that the program gives by whet_pipeline_push. */

#include <string.h>

#include "edge/pipeline/inner.h"
#include "edge/pipeline/payload.h"

typedef struct app {
  pl_node n;
  pl_payload payload;
  serve_buf copy; /* of a message, which reading may change; under the node's lock */
} app;

static const conf_key k_keys[] = {PL_PAYLOAD_KEYS(app, payload), {0}};
static const app k_defaults = {.payload = PL_PAYLOAD_DEFAULTS};

static whet_status open_app(pl_node *n, whet_err *err) { return pl_payload_open(n, &((app *)n)->payload, err); }

static whet_status run(pl_node *n, pl_frame *none, whet_err *err) {
  (void)none, (void)err;
  while (pl_source_wait(n, -1, -1)) {
  }
  return WHET_OK;
}

static void close_app(pl_node *n) {
  pl_payload_close(&((app *)n)->payload);
  buf_free(&((app *)n)->copy);
}

const pl_kind pl_source_app = {.name = "app",
                               .size = sizeof(app),
                               .keys = k_keys,
                               .lone = "format",
                               .defaults = &k_defaults,
                               .open = open_app,
                               .run = run,
                               .close = close_app,
                               .live = true};

/* The message as a frame; under the node's lock. */
static whet_status frame(app *s, const void *bytes, size_t n, int64_t time, pl_frame **out, whet_err *err) {
  if (n > s->payload.longest)
    return edge_fail(err, WHET_E_LIMIT, "a message of %zu bytes, longest is %zu", n, s->payload.longest);
  s->copy.n = 0;
  s->copy.bad = false;
  buf_put(&s->copy, bytes, n);
  if (s->copy.bad) return edge_fail(err, WHET_E_MEMORY, "no memory for a message of %zu bytes", n);
  pl_frame *f = pl_source_frame(&s->n);
  if (!f) return edge_fail(err, WHET_E_MEMORY, "no memory for a frame");
  if (time) f->time = time;
  whet_status st = pl_payload_frame(&s->payload, f, (uint8_t *)s->copy.p, n, err);
  if (st == WHET_E_CANCELLED) { /* a heading: it is taken, and makes no frame */
    s->n.branch->seq--;
    pl_frame_free(f);
    return WHET_OK;
  }
  if (st) {
    pl_frame_free(f);
    return st;
  }
  *out = f;
  return WHET_OK;
}

whet_status whet_pipeline_push(whet_pipeline *p, const char *branch, const void *bytes, size_t n, int64_t time,
                               whet_err *err) {
  app *s = NULL;
  for (size_t i = 0; i < p->n_branch; i++)
    if (!strcmp(p->branch[i].name, branch)) s = (app *)p->branch[i].source;
  if (!s || s->n.kind != &pl_source_app)
    return edge_fail(err, WHET_E_NAME, "no branch \"%.60s\" has a source of the kind app", branch);
  if (!p->kept || p->stopping) return edge_fail(err, WHET_E_MISUSE, "the pipeline does not run");
  pl_frame *f = NULL;
  pthread_mutex_lock(&s->n.lock);
  whet_status st = frame(s, bytes, n, time, &f, err);
  pthread_mutex_unlock(&s->n.lock);
  if (f) pl_source_give(&s->n, f);
  return st;
}
