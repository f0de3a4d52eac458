/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of traces and log. */

#include "edge/serve/server.h"

/* A model that a path names must be there. */
static bool known(serve_req *r) {
  whet_err err = {0};
  if (!r->arg[0].p) return true;
  serve_version *v = store_find(r->s->store, r->arg[0], (json_text){NULL, 0}, &err);
  if (!v) serve_refuse_err(r, &err);
  bool there = v != NULL;
  version_unref(&v);
  return there;
}

void route_trace(serve_req *r) {
  if (!known(r)) return;
  settings_trace_json(r->s->settings, r->arg[0], &r->out);
  serve_ok(r, NULL);
}

void route_trace_set(serve_req *r) {
  whet_err err = {0};
  char nothing[1] = {0};
  if (!serve_may_change(r) || !known(r)) return;
  if (settings_trace_set(r->s->settings, r->arg[0], r->body.p ? r->body.p : nothing, r->body.n, &err))
    serve_refuse_err(r, &err);
  else
    route_trace(r);
}

void route_logging(serve_req *r) {
  settings_log_json(r->s->settings, &r->out);
  serve_ok(r, NULL);
}

void route_logging_set(serve_req *r) {
  whet_err err = {0};
  char nothing[1] = {0};
  if (!serve_may_change(r)) return;
  if (settings_log_set(r->s->settings, r->body.p ? r->body.p : nothing, r->body.n, &err))
    serve_refuse_err(r, &err);
  else
    route_logging(r);
}
