/* SPDX-License-Identifier: Apache-2.0 */
/* /metrics: Prometheus' text format 0.0.4. */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "edge/serve/server.h"

/* A small file of /proc or /sys from its start; bytes read, terminated. */
static size_t small(int fd, char *out, size_t room) {
  ssize_t n = fd < 0 ? -1 : pread(fd, out, room - 1, 0);
  out[n < 0 ? 0 : n] = 0;
  return n < 0 ? 0 : (size_t)n;
}

static void head(serve_buf *b, const char *name, const char *type, const char *help) {
  buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

typedef struct metric {
  const char *name, *type, *help;
  size_t offset; /* of an atomic 64-bit number in serve_version */
  double scale;
} metric;

#define AT(field) offsetof(serve_version, field)
static const metric k_metrics[] = {
    {"whet_request_success_total", "counter", "Requests that were answered with outputs", AT(stats.success.count), 1},
    {"whet_request_failure_total", "counter", "Requests that failed while or after they ran or waited",
     AT(stats.fail.count), 1},
    {"whet_request_rejected_total", "counter", "Requests that were turned away on arrival", AT(stats.rejected), 1},
    {"whet_request_expired_total", "counter", "Requests whose deadline passed in the queue", AT(stats.expired), 1},
    {"whet_request_cancelled_total", "counter", "Requests whose client left while they waited", AT(stats.cancelled),
     1},
    {"whet_inference_total", "counter", "Rows of all runs", AT(stats.inferences), 1},
    {"whet_execution_total", "counter", "Runs", AT(stats.executions), 1},
    {"whet_queue_seconds_total", "counter", "Time in queues", AT(stats.queue.ns), 1e-9},
    {"whet_compute_input_seconds_total", "counter", "Time to put inputs into place", AT(stats.input.ns), 1e-9},
    {"whet_compute_infer_seconds_total", "counter", "Time in runs", AT(stats.infer.ns), 1e-9},
    {"whet_compute_output_seconds_total", "counter", "Time to write outputs", AT(stats.output.ns), 1e-9},
    {"whet_queue_requests", "gauge", "Requests that wait", AT(waiting), 1},
    {"whet_run_seconds", "gauge", "What a run takes: a moving mean", AT(run_ns), 1e-9},
};

static void label(serve_buf *b, const serve_version *v) {
  buf_printf(b, "model=\"%s\",version=\"%s\"", v->name, v->text);
}

/* What every version counts. */
static void versions(serve_buf *b, serve_version **v, size_t n) {
  for (size_t m = 0; m < EDGE_COUNT(k_metrics); m++) {
    head(b, k_metrics[m].name, k_metrics[m].type, k_metrics[m].help);
    for (size_t i = 0; i < n; i++) {
      uint64_t x = *(const _Atomic uint64_t *)(const void *)((const char *)v[i] + k_metrics[m].offset);
      buf_printf(b, "%s{", k_metrics[m].name);
      label(b, v[i]);
      if (k_metrics[m].scale == 1)
        buf_printf(b, "} %" PRIu64 "\n", x);
      else
        buf_printf(b, "} %.9g\n", (double)x * k_metrics[m].scale);
    }
  }
}

static void histograms(serve_buf *b, serve_version **v, size_t n) {
  static const struct {
    const char *name, *help;
    size_t offset;
  } k_hist[] = {{"whet_request_seconds", "From the last byte of a request to its answer", AT(stats.latency)},
                {"whet_wait_seconds", "Of that, before the run", AT(stats.wait)},
                {"whet_compute_seconds", "Runs", AT(stats.compute)}};
  for (size_t h = 0; h < EDGE_COUNT(k_hist); h++) {
    head(b, k_hist[h].name, "histogram", k_hist[h].help);
    for (size_t i = 0; i < n; i++) {
      char text[VERSION_NAME + 60];
      serve_buf l = {0};
      label(&l, v[i]);
      snprintf(text, sizeof text, "%.*s", (int)l.n, l.p ? l.p : "");
      buf_free(&l);
      stats_hist_lines((const stats_hist *)(const void *)((const char *)v[i] + k_hist[h].offset), k_hist[h].name,
                       text, b);
    }
  }
}

/* The process: memory, processor, descriptors; energy where the machine tells. */
static void process(serve_server *s, serve_buf *b) {
  char text[1024];
  unsigned long long size = 0, resident = 0;
  double joules;
  struct rusage u;
  small(s->statm, text, sizeof text);
  if (sscanf(text, "%llu %llu", &size, &resident) == 2) {
    head(b, "process_resident_memory_bytes", "gauge", "Resident memory");
    buf_printf(b, "process_resident_memory_bytes %llu\n", resident * (unsigned long long)sysconf(_SC_PAGESIZE));
    head(b, "process_virtual_memory_bytes", "gauge", "Virtual memory");
    buf_printf(b, "process_virtual_memory_bytes %llu\n", size * (unsigned long long)sysconf(_SC_PAGESIZE));
  }
  if (!getrusage(RUSAGE_SELF, &u)) {
    head(b, "process_cpu_seconds_total", "counter", "Processor time");
    buf_printf(
        b, "process_cpu_seconds_total %.6f\n",
        (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6);
  }
  if (s->energy.meter && power_kind(s->energy.meter) != POWER_ESTIMATE && pl_energy_read(&s->energy, &joules, NULL)) {
    head(b, "whet_energy_joules_total", "counter",
         "Energy of the machine since the start, by its counters or sensors");
    buf_printf(b, "whet_energy_joules_total{source=\"%s\"} %.6f\n", power_name(s->energy.meter), joules);
  }
}

void route_metrics(serve_req *r) {
  serve_server *s = r->s;
  serve_buf *b = &r->out;
  size_t n;
  head(b, "whet_info", "gauge", "The version of whet");
  buf_printf(b, "whet_info{version=\"%s\"} 1\n", whet_version());
  head(b, "whet_up_seconds", "gauge", "Since the start");
  buf_printf(b, "whet_up_seconds %.3f\n", (double)(edge_now() - s->began) * 1e-9);
  head(b, "whet_http_answers_total", "counter", "Answers, by the class of their status");
  for (int i = 1; i < 6; i++)
    buf_printf(b, "whet_http_answers_total{class=\"%dxx\"} %" PRIu64 "\n", i, s->by_status[i]);
  head(b, "whet_http_seconds", "histogram", "Requests, from their headers to their answer");
  stats_hist_lines(&s->seconds, "whet_http_seconds", "server=\"http\"", b);
  head(b, "whet_connections", "gauge", "Open connections");
  buf_printf(b, "whet_connections %" PRId64 "\n", s->connections);
  head(b, "whet_requests_in_flight", "gauge", "Requests that are not answered yet");
  buf_printf(b, "whet_requests_in_flight %" PRId64 "\n", s->running);
  head(b, "whet_body_bytes", "gauge", "Memory that bodies of requests hold");
  buf_printf(b, "whet_body_bytes %zu\n", s->bodies);
  serve_version **v = store_versions(s->store, NULL, &n);
  if (v) {
    versions(b, v, n);
    histograms(b, v, n);
    for (size_t i = 0; i < n; i++) version_unref(&v[i]);
    free(v);
  }
  process(s, b);
  serve_ok(r, "text/plain; version=0.0.4; charset=utf-8");
}
