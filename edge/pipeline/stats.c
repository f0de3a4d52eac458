/* SPDX-License-Identifier: Apache-2.0 */
/* What a pipeline has done, as JSON. */

#include <math.h>
#include <string.h>

#include "edge/pipeline/event.h"
#include "edge/pipeline/govern.h"
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

static void node(serve_buf *b, const pl_node *n) {
  buf_put(b, "{", 1);
  key(b, "kind"), buf_json_str(b, n->kind->name);
  if (strcmp(n->kind->name, n->name)) key(b, "name"), buf_json_str(b, n->name);
  count(b, "in", n->in);
  count(b, "out", n->out);
  count(b, "failed", n->failed);
  count(b, "us", n->ns / 1000);
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
  if (br->p->govern) count(b, "thinned", br->thinned);
  key(b, "latency_us"), buf_put(b, "{", 1);
  key(b, "p50"), buf_double(b, round(pl_quantile(br, 0.5)));
  key(b, "p90"), buf_double(b, round(pl_quantile(br, 0.9)));
  key(b, "p99"), buf_double(b, round(pl_quantile(br, 0.99)));
  buf_put(b, "}", 1);
  key(b, "stages"), buf_put(b, "[", 1);
  for (size_t i = 0; i < br->n_stage; i++) {
    if (i) buf_put(b, ",", 1);
    node(b, br->stage[i]);
  }
  buf_put(b, "]}", 2);
}

bool pl_links(whet_pipeline *p, pl_link *sum) {
  bool any = false;
  *sum = (pl_link){0};
  for (size_t i = 0; i <= p->n_branch; i++) {
    pl_node **list = i < p->n_branch ? p->branch[i].stage : p->sink;
    size_t n = i < p->n_branch ? p->branch[i].n_stage : p->n_sink;
    for (size_t k = 0; k < n; k++) {
      pl_link l;
      if (!list[k]->kind->link || !list[k]->started || !list[k]->kind->link(list[k], &l)) continue;
      any = true;
      sum->down = fmax(sum->down, l.down);
      sum->waiting += l.waiting;
      sum->sent += l.sent;
      sum->cases += l.cases;
      sum->offloaded += l.offloaded;
    }
  }
  return any;
}

uint64_t pl_taken(const whet_pipeline *p, uint64_t *frames) {
  uint64_t bytes = 0;
  *frames = 0;
  for (size_t i = 0; i < p->n_branch; i++)
    if (p->branch[i].source) bytes += p->branch[i].bytes, *frames += p->branch[i].frames;
  return bytes;
}

/* Energy, and what goes over links. */
static void costs(whet_pipeline *p, serve_buf *b) {
  double joules, watts;
  uint64_t frames, taken = pl_taken(p, &frames);
  pl_link l;
  if (p->kept && pl_energy_read(&p->energy, &joules, &watts)) {
    key(b, "energy"), buf_put(b, "{", 1);
    key(b, "source"), buf_json_str(b, power_name(p->energy.meter));
    key(b, "relative_error"), buf_double(b, power_error(p->energy.meter));
    key(b, "joules"), buf_double(b, joules);
    if (!isnan(watts)) key(b, "watts"), buf_double(b, watts);
    if (frames) key(b, "joules_per_frame"), buf_double(b, joules / (double)frames);
    buf_put(b, "}", 1);
  }
  if (pl_links(p, &l)) {
    key(b, "link"), buf_put(b, "{", 1);
    key(b, "down_seconds"), buf_double(b, l.down);
    key(b, "waiting"), buf_int(b, l.waiting);
    count(b, "taken_bytes", taken), count(b, "sent_bytes", l.sent);
    count(b, "saved_bytes", taken > l.sent ? taken - l.sent : 0);
    if (l.cases) {
      count(b, "cases", l.cases), count(b, "offloaded", l.offloaded);
      key(b, "offload_share"), buf_double(b, (double)l.offloaded / (double)l.cases);
    }
    buf_put(b, "}", 1);
  }
}

void pl_stats(whet_pipeline *p, serve_buf *b) {
  buf_put(b, "{", 1);
  key(b, "name"), buf_json_str(b, p->name);
  key(b, "seconds"), buf_double(b, p->begun ? round((double)(edge_now() - p->begun) / 1e6) / 1e3 : 0);
  key(b, "state"), buf_json_str(b, p->ended ? "ended" : p->stopping ? "stopping" : p->kept ? "running" : "open");
  if (p->govern) pl_govern_stats(p->govern, b);
  costs(p, b);
  key(b, "branches"), buf_put(b, "[", 1);
  for (size_t i = 0; i < p->n_branch; i++) {
    if (i) buf_put(b, ",", 1);
    branch(b, &p->branch[i]);
  }
  buf_put(b, "]", 1);
  key(b, "sinks"), buf_put(b, "[", 1);
  for (size_t i = 0; i < p->n_sink; i++) {
    if (i) buf_put(b, ",", 1);
    node(b, p->sink[i]);
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
