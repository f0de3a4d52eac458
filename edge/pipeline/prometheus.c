/* SPDX-License-Identifier: Apache-2.0 */
/* Counters in Prometheus' text format 0.0.4. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "edge/pipeline/govern.h"
#include "edge/pipeline/stats.h"

/* "# TYPE" once, then a line for each branch, stage or sink. */
static void head(serve_buf *b, const char *name, const char *type, const char *help) {
  buf_printf(b, "# HELP whet_pipeline_%s %s\n# TYPE whet_pipeline_%s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and newline are escaped. */
static void label(serve_buf *b, const char *name, const char *v) {
  buf_printf(b, "%s=\"", name);
  for (; *v; v++) {
    if (*v == '\n')
      buf_text(b, "\\n");
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

static void one(serve_buf *b, const char *name, const char *type, const char *help, double v) {
  head(b, name, type, help);
  buf_printf(b, "whet_pipeline_%s ", name);
  buf_double(b, v);
  buf_put(b, "\n", 1);
}

static void governor_lines(pl_govern *g, serve_buf *b) {
  pthread_mutex_lock(&g->lock);
  double reading[GOVERNOR_RULES];
  int rung = g->g.rung;
  uint64_t down = g->down, up = g->up;
  memcpy(reading, g->reading, sizeof reading);
  pthread_mutex_unlock(&g->lock);
  head(b, "rung", "gauge", "Where the governor stands: 0 does everything.");
  buf_text(b, "whet_pipeline_rung{");
  label(b, "name", g->rung[rung].name);
  buf_printf(b, "} %d\n", rung);
  head(b, "rung_steps_total", "counter", "Steps of the governor.");
  buf_printf(b, "whet_pipeline_rung_steps_total{to=\"down\"} %llu\nwhet_pipeline_rung_steps_total{to=\"up\"} %llu\n",
             (unsigned long long)down, (unsigned long long)up);
  head(b, "governor_reading", "gauge", "What the governor looks at.");
  for (size_t i = 0; i < g->g.n; i++) {
    if (isnan(reading[i])) continue;
    buf_printf(b, "whet_pipeline_governor_reading{sensor=\"%s\"} ", pl_govern_sensors[g->which[i]]);
    buf_double(b, reading[i]);
    buf_put(b, "\n", 1);
  }
}

static void cost_lines(whet_pipeline *p, serve_buf *b) {
  double joules, watts;
  uint64_t frames, taken = pl_taken(p, &frames);
  pl_link l;
  if (p->kept && pl_energy_read(&p->energy, &joules, &watts)) {
    head(b, "energy_joules_total", "counter", "Energy since the start.");
    buf_printf(b, "whet_pipeline_energy_joules_total{source=\"%s\"} ", power_name(p->energy.meter));
    buf_double(b, joules);
    buf_put(b, "\n", 1);
    one(b, "energy_relative_error", "gauge", "How far the joules may be off.", power_error(p->energy.meter));
    if (!isnan(watts)) one(b, "watts", "gauge", "Power, of late.", watts);
  }
  if (!pl_links(p, &l)) return;
  one(b, "taken_bytes_total", "counter", "Contents of the frames that came from sources.", (double)taken);
  one(b, "sent_bytes_total", "counter", "Bytes that went over links.", (double)l.sent);
  one(b, "link_down_seconds", "gauge", "For how long nothing has got through.", l.down);
  one(b, "link_waiting", "gauge", "Records that are not delivered yet.", (double)l.waiting);
  one(b, "cases_total", "counter", "Frames that a cascade decided on.", (double)l.cases);
  one(b, "offloaded_total", "counter", "Those that went to the remote.", (double)l.offloaded);
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
      char name[80];
      snprintf(name, sizeof name, "%zu_%s", i + 1, br->stage[i]->kind->name);
      line(b, "stage_seconds_total", br, "stage", name, (double)br->stage[i]->ns * 1e-9);
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
  if (p->govern) governor_lines(p->govern, b);
  cost_lines(p, b);
  head(b, "frame_bytes", "gauge", "Memory that frames hold.");
  buf_printf(b, "whet_pipeline_frame_bytes %zu\n", bytes);
}
