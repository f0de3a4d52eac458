/* SPDX-License-Identifier: Apache-2.0 */
/* What a pipeline has done, as JSON. */

#include <math.h>
#include <string.h>

#include "edge/pipeline/event.h"
#include "edge/pipeline/stats.h"

static void key(serve_buf *b, const char *name) {
  if (b->n && b->p[b->n - 1] != '{') buf_put(b, ",", 1);
  buf_json_str(b, name);
  buf_put(b, ":", 1);
}
static void count(serve_buf *b, const char *name, uint64_t v) { key(b, name), buf_uint(b, v); }

double pl_quantile(const pl_branch *br, double q) {
  uint64_t n[PL_BUCKETS], all = 0, sum = 0;
  for (int i = 0; i < PL_BUCKETS; i++) all += n[i] = br->bucket[i];
  for (int i = 0; i < PL_BUCKETS; i++)
    if ((sum += n[i]) && (double)sum >= q * (double)all) return exp2((i + 1) / 2.0);
  return 0;
}

static void node(serve_buf *b, const pl_node *n, uint64_t behind) {
  buf_put(b, "{", 1);
  key(b, "kind"), buf_json_str(b, n->kind->name);
  if (strcmp(n->kind->name, n->name)) key(b, "name"), buf_json_str(b, n->name);
  count(b, "in", n->in);
  count(b, "out", n->out);
  count(b, "failed", n->failed);
  uint64_t ns = n->ns;
  key(b, "us"), buf_double(b, ns > behind ? (double)((ns - behind) / 1000) : 0);
  if (n->kind->stats && n->opened) n->kind->stats((pl_node *)(uintptr_t)n, b);
  buf_put(b, "}", 1);
}

static void branch(serve_buf *b, pl_branch *br) {
  pl_queue *q = &br->queue;
  static const char *const policy[] = {"drop-oldest", "drop-newest", "block"};
  buf_put(b, "{", 1);
  key(b, "name"), buf_json_str(b, br->name);
  if (br->from) key(b, "from"), buf_json_str(b, br->from->name);
  if (br->source) {
    key(b, "source"), buf_put(b, "{", 1);
    key(b, "kind"), buf_json_str(b, br->source->kind->name);
    count(b, "out", br->source->out);
    count(b, "failed", br->source->failed);
    buf_put(b, "}", 1);
  }
  key(b, "queue"), buf_put(b, "{", 1);
  pthread_mutex_lock(&q->lock);
  uint64_t in = q->in, dropped = q->dropped, n = q->n, deepest = q->deepest;
  pthread_mutex_unlock(&q->lock);
  count(b, "size", q->size);
  key(b, "full"), buf_json_str(b, policy[q->full]);
  count(b, "in", in), count(b, "dropped", dropped), count(b, "depth", n), count(b, "deepest", deepest);
  buf_put(b, "}", 1);
  count(b, "frames", br->frames), count(b, "failed", br->failed), count(b, "events", br->events);
  key(b, "latency_us"), buf_put(b, "{", 1);
  key(b, "p50"), buf_double(b, round(pl_quantile(br, 0.5)));
  key(b, "p90"), buf_double(b, round(pl_quantile(br, 0.9)));
  key(b, "p99"), buf_double(b, round(pl_quantile(br, 0.99)));
  buf_put(b, "}", 1);
  key(b, "stages"), buf_put(b, "[", 1);
  for (size_t i = 0; i < br->n_stage; i++) {
    if (i) buf_put(b, ",", 1);
    node(b, br->stage[i], i + 1 < br->n_stage ? br->stage[i + 1]->ns : 0);
  }
  buf_put(b, "]}", 2);
}

void pl_stats(whet_pipeline *p, serve_buf *b) {
  buf_put(b, "{", 1);
  key(b, "name"), buf_json_str(b, p->name);
  key(b, "seconds"), buf_double(b, p->begun ? round((double)(edge_now() - p->begun) / 1e6) / 1e3 : 0);
  key(b, "state"), buf_json_str(b, p->ended ? "ended" : p->stopping ? "stopping" : p->kept ? "running" : "open");
  key(b, "branches"), buf_put(b, "[", 1);
  for (size_t i = 0; i < p->n_branch; i++) {
    if (i) buf_put(b, ",", 1);
    branch(b, &p->branch[i]);
  }
  buf_put(b, "]", 1);
  key(b, "sinks"), buf_put(b, "[", 1);
  for (size_t i = 0; i < p->n_sink; i++) {
    if (i) buf_put(b, ",", 1);
    node(b, p->sink[i], 0);
  }
  buf_put(b, "]", 1);
  key(b, "frames"), buf_put(b, "{", 1);
  pthread_mutex_lock(&p->pool.lock);
  uint64_t bytes = p->pool.bytes, taken = p->pool.taken;
  pthread_mutex_unlock(&p->pool.lock);
  count(b, "bytes", bytes), count(b, "allocations", taken);
  buf_text(b, "}}");
}

size_t whet_pipeline_stats(whet_pipeline *p, char *to, size_t cap) {
  serve_buf b = {0};
  pl_stats(p, &b);
  size_t n = b.bad ? 0 : b.n;
  if (cap) {
    size_t k = n < cap ? n : cap - 1;
    if (k) memcpy(to, b.p, k);
    to[k] = 0;
  }
  buf_free(&b);
  return n;
}
