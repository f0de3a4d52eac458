/* SPDX-License-Identifier: Apache-2.0 */
/* The repository: what the folder holds, loading and unloading. Loading takes long, so a worker does it. */

#include "edge/serve/server.h"

/* Read a body that is an object with one boolean at `key` or at parameters.`key`; other parameters are refused. An
 * empty body is an empty object. */
static bool read_flag(serve_req *r, const char *key_name, bool inside, bool *out) {
  whet_err err = {0};
  json_in j;
  json_text key;
  *out = false;
  if (!r->body.n) return true;
  jin_init(&j, r->body.p, r->body.n, &err);
  for (jin_begin(&j, '{'); jin_next(&j, '}');) {
    jin_key(&j, &key);
    if (!inside && text_is(key, key_name)) {
      jin_bool(&j, out);
    } else if (inside && text_is(key, "parameters")) {
      for (jin_begin(&j, '{'); jin_next(&j, '}');) {
        jin_key(&j, &key);
        if (key_name && text_is(key, key_name))
          jin_bool(&j, out);
        else
          jin_fail(&j, "parameter \"%.*s\": configurations and files are not taken from the network",
                   (int)(key.n > 60 ? 60 : key.n), key.p);
      }
    } else {
      jin_fail(&j, "unknown key \"%.*s\"", (int)(key.n > 60 ? 60 : key.n), key.p);
    }
  }
  jin_done(&j);
  if (!j.bad) return true;
  serve_refuse_err(r, &err);
  return false;
}

typedef struct listing {
  serve_buf *b;
  bool ready, more;
} listing;

static void list(void *user, const store_entry *e) {
  listing *l = user;
  if (l->ready && !e->ready) return;
  buf_text(l->b, l->more ? ",{\"name\":" : "{\"name\":");
  buf_json_str(l->b, e->model);
  if (e->version) {
    buf_text(l->b, ",\"version\":");
    buf_json_str(l->b, e->version);
  }
  buf_printf(l->b, ",\"state\":\"%s\",\"reason\":", e->ready ? "READY" : "UNAVAILABLE");
  buf_json_str(l->b, e->reason);
  buf_text(l->b, "}");
  l->more = true;
}

void route_index(serve_req *r) {
  listing l = {.b = &r->out};
  if (!read_flag(r, "ready", false, &l.ready)) return;
  buf_text(&r->out, "[");
  store_each(r->s->store, list, &l);
  buf_text(&r->out, "]");
  serve_ok(r, NULL);
}

static void load(void *arg) {
  serve_req *r = arg;
  whet_err err = {0};
  if (store_load(r->s->store, r->arg[0], &err))
    serve_refuse_err(r, &err);
  else
    serve_ok(r, NULL);
  serve_wake(r);
}

static void unload(void *arg) {
  serve_req *r = arg;
  whet_err err = {0};
  if (store_unload(r->s->store, r->arg[0], &err))
    serve_refuse_err(r, &err);
  else
    serve_ok(r, NULL);
  serve_wake(r);
}

/* Have a worker do it. */
static void later(serve_req *r, void (*fn)(void *arg)) {
  serve_later(r);
  if (sched_job(r->s->sched, fn, r)) return;
  serve_refuse(r, 503, "the server ends");
  serve_wake(r);
}

void route_load(serve_req *r) {
  bool none;
  if (serve_may_change(r) && read_flag(r, NULL, true, &none)) later(r, load);
}

void route_unload(serve_req *r) {
  bool dependents; /* nothing depends on a model here */
  if (serve_may_change(r) && read_flag(r, "unload_dependents", true, &dependents)) later(r, unload);
}
