/* SPDX-License-Identifier: Apache-2.0 */
/* A picture in, classes or objects out: the model's own stages before and behind a run. A worker does it, because
 * pictures of any size are decoded. */

#include <string.h>

#include "edge/pipe/topk.h"
#include "edge/serve/server.h"
#include "whet/codec.h"

enum { MOST_PIXELS = 64 << 20 };

static void name(serve_buf *b, const serve_version *v, uint32_t index) {
  const char *label = pipe_label(&v->labels, index);
  buf_printf(b, "\"index\":%u", index);
  if (!label) return;
  buf_text(b, ",\"label\":");
  buf_json_str(b, label);
}

/* The best classes of the first output. */
static whet_status classes(serve_version *v, whet_session *s, serve_buf *b, whet_err *err) {
  pipe_tensor t;
  pipe_class top[1000];
  EDGE_TRY(pipe_tensor_output(s, 0, &t, err));
  serve_buf floats = {0};
  float *score = buf_room(&floats, (t.n + 1) * sizeof *score);
  whet_status st =
      score ? pipe_tensor_floats(&t, 0, t.n, score, err) : edge_fail(err, WHET_E_MEMORY, "no memory for scores");
  if (!st) {
    if (v->set.c.softmax) pipe_softmax(score, t.n);
    size_t n = pipe_topk(score, t.n, (size_t)(v->set.c.top ? v->set.c.top : 5), top);
    buf_text(b, ",\"classes\":[");
    for (size_t i = 0; i < n; i++) {
      buf_text(b, i ? ",{" : "{");
      name(b, v, top[i].index);
      buf_printf(b, ",\"score\":%.6g}", (double)(top[i].score == top[i].score ? top[i].score : 0));
    }
    buf_text(b, "]");
  }
  buf_free(&floats);
  return st;
}

/* The objects in the outputs. */
static whet_status objects(serve_version *v, serve_instance *i, const whet_picture *p, serve_buf *b, whet_err *err) {
  const pipe_object *o;
  size_t n;
  EDGE_TRY(instance_objects(v, i, p->width, p->height, &o, &n, err));
  buf_text(b, ",\"objects\":[");
  for (size_t k = 0; k < n; k++) {
    buf_text(b, k ? ",{" : "{");
    name(b, v, o[k].index);
    buf_printf(b, ",\"score\":%.6g,\"box\":[%.1f,%.1f,%.1f,%.1f]}", (double)o[k].score, (double)o[k].x0,
               (double)o[k].y0, (double)o[k].x1, (double)o[k].y1);
  }
  buf_text(b, "]");
  return WHET_OK;
}

/* Picture, run, answer, on an instance; t receives how long they took. */
static whet_status run(serve_req *r, serve_version *v, serve_instance *i, const whet_picture *p, stats_times *t,
                       whet_err *err) {
  whet_info info;
  int32_t rank;
  int64_t dims[WHET_MAX_RANK];
  size_t bytes, room;
  whet_run_opts o = {.size = sizeof o, .deadline_ms = (int64_t)(v->set.c.deadline * 1e3) + 1};
  if (!i->picture) {
    EDGE_TRY(whet_model_input(v->model, 0, &info));
    EDGE_TRY(
        pipe_picture_create(&info, whet_model_format(v->model) == WHET_FORMAT_ONNX, &v->set.c.pic, &i->picture, err));
  }
  EDGE_TRY(pipe_picture_shape(i->picture, p->width, p->height, &rank, dims, &bytes, err));
  EDGE_TRY(instance_shape(i, 0, rank, dims, err));
  void *to = whet_session_input(i->s, 0, &room, err);
  if (!to) return err->code ? err->code : WHET_E_INTERNAL;
  EDGE_TRY(pipe_picture_run(i->picture, p, to, room, err));
  if (v->stateful) EDGE_TRY(whet_session_reset(i->s));
  int64_t began = edge_now();
  t->input = began - r->began;
  EDGE_TRY(whet_session_run(i->s, &o, err));
  t->infer = edge_now() - began;
  buf_text(&r->out, "{\"model_name\":");
  buf_json_str(&r->out, v->name);
  buf_printf(&r->out, ",\"model_version\":\"%s\",\"width\":%d,\"height\":%d,\"run_ms\":%.3f", v->text, p->width,
             p->height, (double)t->infer * 1e-6);
  whet_status s = v->set.c.detects ? objects(v, i, p, &r->out, err) : classes(v, i->s, &r->out, err);
  buf_text(&r->out, "}");
  t->output = edge_now() - began - t->infer;
  return s;
}

static void work(void *arg) {
  serve_req *r = arg;
  serve_version *v = r->version;
  whet_err err = {0};
  whet_picture p = {.size = sizeof p};
  whet_decode_opts o = whet_decode_opts_default();
  serve_instance *i = NULL;
  stats_times t = {0};
  int64_t until = r->began + (int64_t)(v->set.c.deadline * 1e9), began = edge_now();
  o.max_pixels = MOST_PIXELS;
  whet_status s = began < until ? whet_picture_decode(r->body.p, r->body.n, &o, &p, &err)
                                : edge_fail(&err, WHET_E_DEADLINE, "the deadline passed in the queue");
  if (!s && !(i = version_wait(v, until, &err))) s = err.code;
  if (!s) s = run(r, v, i, &p, &t, &err);
  if (i) version_give(v, i);
  whet_picture_free(&p);
  if (s) {
    if (!err.code) edge_fail(&err, s, "%s", whet_status_text(s));
    stats_fail(&v->stats, edge_now() - r->began);
    serve_refuse_err(r, &err);
  } else {
    t.input -= began - r->began; /* that was its wait */
    stats_execution(&v->stats, &t, 1);
    stats_success(&v->stats, edge_now() - r->began, began - r->began, &t, 1);
    serve_ok(r, NULL);
  }
  v->pictures--;
  serve_wake(r);
}

/* As many pictures may wait for a model as other requests. */
void route_picture(serve_req *r) {
  whet_err err = {0};
  serve_version *v = r->version = store_find(r->s->store, r->arg[0], (json_text){NULL, 0}, &err);
  if (!v) {
    serve_refuse_err(r, &err);
  } else if (!v->set.c.picture && v->n_in != 1) {
    serve_refuse(r, 400, "model \"%s\" takes no pictures", v->name);
  } else if (v->pictures++ >= v->set.c.queue + v->most) {
    v->pictures--;
    atomic_fetch_add_explicit(&v->stats.rejected, 1, memory_order_relaxed);
    r->retry_ms = 1000;
    serve_refuse(r, 429, "%lld pictures wait for model \"%s\"", (long long)v->pictures, v->name);
  } else {
    serve_later(r);
    if (sched_job(r->s->sched, work, r)) return;
    v->pictures--;
    serve_refuse(r, 503, "the server ends");
    serve_wake(r);
  }
}
