/* SPDX-License-Identifier: Apache-2.0 */
/* Counters in Prometheus' text format 0.0.4. */

#include <stdio.h>

#include "edge/pipeline/inner.h"
#include "edge/pipeline/stats.h"

/* "# TYPE" once, then a line for each branch, stage or sink. */
static void head(serve_buf *b, const char *name, const char *type, const char *help) {
  buf_printf(b, "# HELP whet_pipeline_%s %s\n# TYPE whet_pipeline_%s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and newline are escaped. */
static void label(serve_buf *b, const char *name, const char *v) {
  buf_printf(b, "%s=\"", name);
  for (; *v; v++) {
    if (*v == '\n') buf_text(b, "\\n");
    else {
      if (*v == '"' || *v == '\\') buf_put(b, "\\", 1);
      buf_put(b, v, 1);
    }
  }
  buf_put(b, "\"", 1);
}

static void line(serve_buf *b, const char *name, const pl_branch *br, const char *more, const char *v, double value) {
  buf_printf(b, "whet_pipeline_%s{", name);
  label(b, "branch", br->name);
  if (more) buf_put(b, ",", 1), label(b, more, v);
  buf_text(b, "} ");
  buf_double(b, value);
  buf_put(b, "\n", 1);
}

void pl_prometheus(whet_pipeline *p, serve_buf *b) {
  static const struct {
    const char *name, *type, *help;
  } k[] = {{"frames_total", "counter", "Frames that a branch took from its queue."},
           {"events_total", "counter", "Frames that reached the sinks of a branch."},
           {"failed_total", "counter", "Frames that a stage refused."},
           {"dropped_total", "counter", "Frames that a full queue dropped."},
           {"queue_depth", "gauge", "Frames that wait."}};
  for (size_t i = 0; i < EDGE_COUNT(k); i++) {
    head(b, k[i].name, k[i].type, k[i].help);
    for (size_t j = 0; j < p->n_branch; j++) {
      pl_branch *br = &p->branch[j];
      pthread_mutex_lock(&br->queue.lock);
      uint64_t dropped = br->queue.dropped, depth = br->queue.n;
      pthread_mutex_unlock(&br->queue.lock);
      const uint64_t v[] = {br->frames, br->events, br->failed, dropped, depth};
      line(b, k[i].name, br, NULL, NULL, (double)v[i]);
    }
  }
  head(b, "latency_seconds", "summary", "From a frame's arrival to the sinks.");
  for (size_t j = 0; j < p->n_branch; j++) {
    line(b, "latency_seconds", &p->branch[j], "quantile", "0.5", pl_quantile(&p->branch[j], 0.5) * 1e-6);
    line(b, "latency_seconds", &p->branch[j], "quantile", "0.99", pl_quantile(&p->branch[j], 0.99) * 1e-6);
    line(b, "latency_seconds_count", &p->branch[j], NULL, NULL, (double)p->branch[j].events);
  }
  head(b, "stage_seconds_total", "counter", "Time in a stage, without those behind it.");
  for (size_t j = 0; j < p->n_branch; j++)
    for (size_t i = 0; i < p->branch[j].n_stage; i++) {
      const pl_branch *br = &p->branch[j];
      uint64_t ns = br->stage[i]->ns, behind = i + 1 < br->n_stage ? br->stage[i + 1]->ns : 0;
      char name[80];
      snprintf(name, sizeof name, "%zu_%s", i + 1, br->stage[i]->kind->name);
      line(b, "stage_seconds_total", br, "stage", name, ns > behind ? (double)(ns - behind) * 1e-9 : 0);
    }
  static const char *const k_sink[] = {"sink_events_total", "sink_failed_total"};
  for (int w = 0; w < 2; w++) {
    head(b, k_sink[w], "counter", w ? "Events that a sink could not take." : "Events that a sink was given.");
    for (size_t i = 0; i < p->n_sink; i++) {
      buf_printf(b, "whet_pipeline_%s{sink=\"%zu\",", k_sink[w], i + 1);
      label(b, "kind", p->sink[i]->name);
      buf_printf(b, "} %llu\n", (unsigned long long)(w ? p->sink[i]->failed : p->sink[i]->in));
    }
  }
  pthread_mutex_lock(&p->pool.lock);
  size_t bytes = p->pool.bytes;
  pthread_mutex_unlock(&p->pool.lock);
  head(b, "frame_bytes", "gauge", "Memory that frames hold.");
  buf_printf(b, "whet_pipeline_frame_bytes %zu\n", bytes);
}
