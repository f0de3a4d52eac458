/* SPDX-License-Identifier: Apache-2.0 */
/* Shared memory: the system's when it was asked for, CUDA's refused by name. */

#include "edge/serve/server.h"

/* Was it asked for? Refuses when not. */
static bool asked(serve_req *r) {
  if (r->s->regions) return true;
  serve_refuse(r, 403, "system shared memory was not asked for when the server was started");
  return false;
}

void route_regions(serve_req *r) {
  whet_err err = {0};
  if (!r->s->regions && !r->arg[0].p) { /* none are registered: that is an answer */
    buf_text(&r->out, "[]");
    serve_ok(r, NULL);
    return;
  }
  if (!asked(r)) return;
  if (regions_json(r->s->regions, r->arg[0], &r->out, &err))
    serve_refuse_err(r, &err);
  else
    serve_ok(r, NULL);
}

void route_region_add(serve_req *r) {
  whet_err err = {0};
  json_in j;
  json_text key, name = {"", 0};
  uint64_t offset = 0, bytes = 0;
  char nothing[1] = {0};
  if (!asked(r)) return;
  jin_init(&j, r->body.p ? r->body.p : nothing, r->body.n, &err);
  for (jin_begin(&j, '{'); jin_next(&j, '}');) {
    jin_key(&j, &key);
    if (text_is(key, "key"))
      jin_string(&j, &name);
    else if (text_is(key, "offset"))
      jin_uint(&j, &offset);
    else if (text_is(key, "byte_size"))
      jin_uint(&j, &bytes);
    else
      jin_fail(&j, "unknown key \"%.*s\"", (int)(key.n > 60 ? 60 : key.n), key.p);
  }
  jin_done(&j);
  if (j.bad || regions_add(r->s->regions, r->arg[0], name, offset, bytes, &err))
    serve_refuse_err(r, &err);
  else
    serve_ok(r, NULL);
}

void route_region_drop(serve_req *r) {
  if (r->s->regions) regions_drop(r->s->regions, r->arg[0]);
  serve_ok(r, NULL);
}

void route_cuda_status(serve_req *r) {
  buf_text(&r->out, "[]");
  serve_ok(r, NULL);
}

void route_cuda(serve_req *r) { serve_refuse(r, 404, "CUDA shared memory: this server runs on CPUs and has none"); }

void route_cuda_drop(serve_req *r) { serve_ok(r, NULL); }
