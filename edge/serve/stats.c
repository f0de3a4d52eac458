/* SPDX-License-Identifier: Apache-2.0 */
/* Counting, and the answers of the statistics extension. */

#include "edge/serve/stats.h"

#include <inttypes.h>
#include <time.h>

static void add(_Atomic uint64_t *to, int64_t v) {
  atomic_fetch_add_explicit(to, v > 0 ? (uint64_t)v : 0, memory_order_relaxed);
}

static void sum(stats_sum *s, int64_t ns) {
  add(&s->count, 1);
  add(&s->ns, ns);
}

static void hist(stats_hist *h, int64_t ns) {
  int i = 0;
  for (int64_t most = 10000; i < STATS_BUCKETS && ns > most; most *= 2) i++;
  add(&h->bucket[i], 1);
  add(&h->ns, ns);
}

void stats_success(serve_stats *s, int64_t total, int64_t queue, const stats_times *t, int64_t rows) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  atomic_store_explicit(&s->last_ms, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, memory_order_relaxed);
  sum(&s->success, total);
  sum(&s->queue, queue);
  sum(&s->input, t->input);
  sum(&s->infer, t->infer);
  sum(&s->output, t->output);
  add(&s->inferences, rows);
  hist(&s->latency, total);
  hist(&s->wait, queue);
}

void stats_fail(serve_stats *s, int64_t total) { sum(&s->fail, total); }

void stats_execution(serve_stats *s, const stats_times *t, int64_t rows) {
  add(&s->executions, 1);
  hist(&s->compute, t->infer);
  stats_batch *b = &s->batch[rows <= STATS_BATCHES ? rows : 0];
  add(&b->count, 1);
  add(&b->input_ns, t->input);
  add(&b->infer_ns, t->infer);
  add(&b->output_ns, t->output);
}

static void sum_json(serve_buf *out, const char *name, uint64_t count, uint64_t ns, bool more) {
  buf_printf(out, "\"%s\":{\"count\":%" PRIu64 ",\"ns\":%" PRIu64 "}%s", name, count, ns, more ? "," : "");
}

void stats_json(const serve_stats *s, const char *name, const char *version, serve_buf *out) {
  buf_text(out, "{\"name\":");
  buf_json_str(out, name);
  buf_text(out, ",\"version\":");
  buf_json_str(out, version);
  buf_printf(out,
             ",\"last_inference\":%" PRId64 ",\"inference_count\":%" PRIu64 ",\"execution_count\":%" PRIu64
             ",\"inference_stats\":{",
             s->last_ms, s->inferences, s->executions);
  sum_json(out, "success", s->success.count, s->success.ns, true);
  sum_json(out, "fail", s->fail.count, s->fail.ns, true);
  sum_json(out, "queue", s->queue.count, s->queue.ns, true);
  sum_json(out, "compute_input", s->input.count, s->input.ns, true);
  sum_json(out, "compute_infer", s->infer.count, s->infer.ns, true);
  sum_json(out, "compute_output", s->output.count, s->output.ns, true);
  sum_json(out, "cache_hit", 0, 0, true);
  sum_json(out, "cache_miss", 0, 0, false);
  buf_text(out, "},\"response_stats\":{},\"batch_stats\":[");
  bool more = false;
  for (int i = 1; i <= STATS_BATCHES; i++) {
    const stats_batch *b = &s->batch[i];
    if (!b->count) continue;
    buf_printf(out, "%s{\"batch_size\":%d,", more ? "," : "", i);
    sum_json(out, "compute_input", b->count, b->input_ns, true);
    sum_json(out, "compute_infer", b->count, b->infer_ns, true);
    sum_json(out, "compute_output", b->count, b->output_ns, false);
    buf_text(out, "}");
    more = true;
  }
  buf_text(out, "],\"memory_usage\":[]}");
}

void stats_hist_lines(const stats_hist *h, const char *name, const char *labels, serve_buf *out) {
  uint64_t all = 0;
  double most = 10e-6;
  for (int i = 0; i < STATS_BUCKETS; i++, most *= 2) {
    all += h->bucket[i];
    buf_printf(out, "%s_bucket{%s,le=\"%.6g\"} %" PRIu64 "\n", name, labels, most, all);
  }
  all += h->bucket[STATS_BUCKETS];
  buf_printf(out, "%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n%s_sum{%s} %.9g\n%s_count{%s} %" PRIu64 "\n", name, labels,
             all, name, labels, (double)h->ns * 1e-9, name, labels, all);
}
