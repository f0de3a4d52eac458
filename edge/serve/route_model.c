/* SPDX-License-Identifier: Apache-2.0 */
/* Health, metadata, configuration and statistics. */

#include <stdlib.h>

#include "edge/serve/server.h"

void route_live(serve_req *r) { serve_ok(r, NULL); }

void route_ready(serve_req *r) {
  if (r->s->ready && !r->s->draining)
    serve_ok(r, NULL);
  else
    serve_refuse(r, 503, r->s->draining ? "the server ends" : "models are being loaded");
}

void route_server(serve_req *r) {
  buf_text(&r->out, "{\"name\":\"whet\",\"version\":");
  buf_json_str(&r->out, whet_version());
  buf_text(&r->out,
           ",\"extensions\":[\"classification\",\"model_configuration\",\"model_repository\",\"model_repository("
           "unload_dependents)\","
           "\"schedule_policy\",\"statistics\",\"trace\",\"logging\",\"binary_tensor_data\"");
  if (r->s->regions) buf_text(&r->out, ",\"system_shared_memory\"");
  buf_text(&r->out, "]}");
  serve_ok(r, NULL);
}

/* The version that a path names, with a reference; refuses when there is none. */
static serve_version *find(serve_req *r) {
  whet_err err = {0};
  serve_version *v = store_find(r->s->store, r->arg[0], r->arg[1], &err);
  if (!v) serve_refuse_err(r, &err);
  return v;
}

void route_model_ready(serve_req *r) {
  serve_version *v = find(r);
  if (v) serve_ok(r, NULL);
  version_unref(&v);
}

/* Name of the file's format. */
static const char *platform(const serve_version *v) {
  whet_format f = whet_model_format(v->model);
  return f == WHET_FORMAT_ONNX ? "whet_onnx" : f == WHET_FORMAT_TFLITE ? "whet_tflite" : "whet";
}

static void tensors(serve_buf *b, const char *key, const serve_io *io, size_t n) {
  buf_printf(b, ",\"%s\":[", key);
  for (size_t i = 0; i < n; i++) {
    buf_text(b, i ? ",{\"name\":" : "{\"name\":");
    buf_json_str(b, io[i].name);
    buf_printf(b, ",\"datatype\":\"%s\",\"shape\":", io[i].type->name);
    buf_dims(b, io[i].rank < 0 ? 1 : io[i].rank, io[i].rank < 0 ? (int64_t[]){-1} : io[i].dims);
    buf_text(b, "}");
  }
  buf_text(b, "]");
}

void route_model(serve_req *r) {
  serve_version *v = find(r);
  size_t n;
  if (!v) return;
  serve_buf *b = &r->out;
  buf_text(b, "{\"name\":");
  buf_json_str(b, v->name);
  buf_text(b, ",\"versions\":[");
  if (r->arg[1].p) {
    buf_json_str(b, v->text);
  } else {
    serve_version **all = store_versions(r->s->store, &r->arg[0], &n);
    for (size_t i = 0; all && i < n; i++) {
      if (i) buf_text(b, ",");
      buf_json_str(b, all[i]->text);
      version_unref(&all[i]);
    }
    free(all);
  }
  buf_printf(b, "],\"platform\":\"%s\"", platform(v));
  tensors(b, "inputs", v->in, v->n_in);
  tensors(b, "outputs", v->out, v->n_out);
  buf_text(b, "}");
  serve_ok(r, NULL);
  version_unref(&v);
}

static void config_tensors(serve_buf *b, const char *key, const serve_io *io, size_t n, bool rows) {
  buf_printf(b, ",\"%s\":[", key);
  for (size_t i = 0; i < n; i++) {
    int32_t from = rows && io[i].rank > 0 ? 1 : 0;
    buf_text(b, i ? ",{\"name\":" : "{\"name\":");
    buf_json_str(b, io[i].name);
    buf_printf(b, ",\"data_type\":\"TYPE_%s\",\"dims\":", io[i].type->bytes ? io[i].type->name : "STRING");
    buf_dims(b, io[i].rank < 0 ? 1 : io[i].rank - from, io[i].rank < 0 ? (int64_t[]){-1} : io[i].dims + from);
    buf_text(b, "}");
  }
  buf_text(b, "]");
}

void route_config(serve_req *r) {
  serve_version *v = find(r);
  if (!v) return;
  const model_config *c = &v->set.c;
  serve_buf *b = &r->out;
  buf_text(b, "{\"name\":");
  buf_json_str(b, v->name);
  buf_printf(b, ",\"platform\":\"%s\",\"backend\":\"whet\",\"version_policy\":", platform(v));
  if (c->versions)
    buf_printf(b, "{\"latest\":{\"num_versions\":%lld}}", (long long)c->versions);
  else
    buf_text(b, "{\"all\":{}}");
  buf_printf(b, ",\"max_batch_size\":%lld", (long long)c->batch_max);
  config_tensors(b, "input", v->in, v->n_in, c->batch_max > 0);
  config_tensors(b, "output", v->out, v->n_out, c->batch_max > 0);
  buf_text(b, ",\"instance_group\":[{\"name\":");
  buf_json_str(b, v->name);
  buf_printf(b, ",\"kind\":\"KIND_CPU\",\"count\":%d}]", v->most);
  if (c->batch_max)
    buf_printf(b,
               ",\"dynamic_batching\":{\"preferred_batch_size\":[%lld],\"max_queue_delay_microseconds\":%lld,"
               "\"priority_levels\":%lld,"
               "\"default_priority_level\":%lld}",
               (long long)c->batch_max, (long long)(c->batch_delay * 1e6), (long long)c->priorities,
               (long long)(c->priorities / 2 + 1));
  buf_printf(b,
             ",\"parameters\":{\"threads\":{\"string_value\":\"%lld\"},\"queue\":{\"string_value\":\"%lld\"},"
             "\"deadline_ms\":{\"string_value\":\"%lld\"},"
             "\"priorities\":{\"string_value\":\"%lld\"}}}",
             (long long)c->threads, (long long)c->queue, (long long)(c->deadline * 1e3), (long long)c->priorities);
  serve_ok(r, NULL);
  version_unref(&v);
}

void route_stats(serve_req *r) {
  size_t n;
  serve_buf *b = &r->out;
  if (r->arg[0].p) { /* a name that is none is an error */
    serve_version *v = find(r);
    if (!v) return;
    version_unref(&v);
  }
  serve_version **all = store_versions(r->s->store, r->arg[0].p ? &r->arg[0] : NULL, &n);
  bool more = false;
  buf_text(b, "{\"model_stats\":[");
  for (size_t i = 0; all && i < n; i++) {
    if (!r->arg[1].p || text_is(r->arg[1], all[i]->text)) {
      if (more) buf_text(b, ",");
      stats_json(&all[i]->stats, all[i]->name, all[i]->text, b);
      more = true;
    }
    version_unref(&all[i]);
  }
  free(all);
  buf_text(b, "]}");
  serve_ok(r, NULL);
}
