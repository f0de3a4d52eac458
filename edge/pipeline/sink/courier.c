/* SPDX-License-Identifier: Apache-2.0 */
/* What sinks hand over to somebody else: straight, or out of an outbox, which keeps it until whoever it is for has
 * answered.
 *
 * With an outbox a branch does not wait for the disk: a thread of the courier's own puts a letter at once when the
 * last put is `every` or longer ago, else together with those that come until then; at the end of the pipeline all
 * that was gathered is put before it ends. */

#include "edge/pipeline/sink/courier.h"

#ifdef WHET_HAVE_OUTBOX
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/pipeline/event.h"
#include "edge/wait.h"

whet_status courier_open(pl_node *n, courier *s, const conf_node *map, whet_err *err) {
  s->n = n;
  pthread_mutex_init(&s->look, NULL);
  if (s->hold && !s->outbox) return pl_fail(n, err, "hold without an outbox sends nothing");
  if (!s->url && !s->hold) return pl_fail(n, err, "expected url: where events go");
  static const char *const k_box[] = {"stream",    "priority",    "ttl",  "every",       "waiting",  "wait", "batch",
                                      "max_bytes", "max_records", "full", "daily_bytes", "attempts", "retry"};
  for (size_t i = 0; !s->outbox && i < EDGE_COUNT(k_box); i++)
    if (map && conf_get(map, k_box[i]))
      return pl_fail(n, err, "%s belongs to an outbox; name its file with outbox", k_box[i]);
  if (s->retry.n && (s->retry.n != 2 || s->retry.v[0] > s->retry.v[1]))
    return pl_fail(n, err, "retry: expected two times, the first and the longest pause in seconds");
  if (s->retry.n) s->o.retry_min = s->retry.v[0], s->o.retry_max = s->retry.v[1];
  s->o.max_bytes = (int64_t)s->max_bytes;
  s->o.daily_bytes = (int64_t)s->daily_bytes;
  s->o.max_attempts = (int)s->attempts;
  const char **path[] = {&s->outbox, &s->s.ca, &s->s.cert, &s->s.key};
  for (size_t i = 0; i < EDGE_COUNT(path); i++)
    if (*path[i] && !(*path[i] = pl_path(n, *path[i], err))) return WHET_E_MEMORY;
  s->o.path = s->outbox;
  s->s.url = s->url;
  if (s->hold) return WHET_OK;
  return send_open(&s->s, &s->sender, err) ? pl_fail_here(n, err) : WHET_OK; /* nothing is connected yet */
}

/* Put what was gathered; the lock is not held. */
static whet_status put(courier *s, courier_sack *g, whet_err *err) {
  enum { MOST = 256 };
  outbox_record r[MOST];
  size_t from = 0, at = 0;
  whet_status st = WHET_OK;
  while (!st && at < g->n) {
    size_t k = 0;
    for (; k < MOST && at < g->n; k++, at++) {
      const courier_letter *l = &g->letter[at];
      r[k] = (outbox_record){.stream = s->stream,
                             .key = l->end > l->key ? g->text.p + l->key : NULL,
                             .priority = (int)s->priority,
                             .ttl = s->ttl,
                             .type = l->type,
                             .data = g->text.p + from,
                             .n = l->key - from};
      from = l->end;
    }
    st = outbox_put(s->box, r, k, err);
  }
  g->n = 0;
  g->text.n = 0;
  return st;
}

static void *put_thread(void *arg) {
  courier *s = arg;
  int64_t due = 0; /* no put before */
  pthread_mutex_lock(&s->lock);
  for (;;) {
    while (!s->g[s->now].n && !s->ends) pthread_cond_wait(&s->some, &s->lock);
    if (!s->g[s->now].n) break;
    while (!s->ends && s->g[s->now].n < (size_t)s->waiting / 2 + 1 && edge_now() < due)
      if (!edge_wait(&s->some, &s->lock, due)) break;
    due = edge_after(s->every);
    courier_sack *g = &s->g[s->now];
    s->now ^= 1;
    pthread_cond_broadcast(&s->space);
    pthread_mutex_unlock(&s->lock);
    whet_err why = {0};
    size_t n = g->n;
    whet_status st = put(s, g, &why);
    if (st) {
      edge_fail_in(&why, "%s: %zu events were not kept", s->outbox, n);
      pl_failed(s->n, NULL, &why);
    }
    pthread_mutex_lock(&s->lock);
  }
  pthread_mutex_unlock(&s->lock);
  return NULL;
}

whet_status courier_start(courier *s, whet_err *err) {
  pl_node *n = s->n;
  if (!s->outbox) return WHET_OK;
  if (outbox_open(&s->o, &s->box, err)) return pl_fail_here(n, err);
  outbox_drain_opts d = {.batch = (size_t)s->batch, .sent = &s->sent};
  if (!s->hold && (outbox_claim(s->box, err) || outbox_drain_start(s->box, s->sender, &d, &s->drain, err)))
    return pl_fail_here(n, err);
  if (!(s->every > 0)) return WHET_OK;
  pthread_mutex_init(&s->lock, NULL);
  edge_cond_init(&s->some);
  pthread_cond_init(&s->space, NULL);
  s->locked = true;
  s->runs = !pthread_create(&s->thread, NULL, put_thread, s);
  return s->runs ? WHET_OK : edge_fail(err, WHET_E_SYSTEM, "the system gives no more threads");
}

/* Join those that wait to be put; waits for room. */
static whet_status gather(courier *s, const void *data, size_t n, const char *type, const char *key, whet_err *err) {
  whet_status st = WHET_OK;
  pthread_mutex_lock(&s->lock);
  while (s->g[s->now].n >= (size_t)s->waiting) pthread_cond_wait(&s->space, &s->lock);
  courier_sack *g = &s->g[s->now];
  if (g->n == g->cap) {
    size_t cap = g->cap ? 2 * g->cap : 64;
    courier_letter *p = realloc(g->letter, cap * sizeof *p);
    if (p)
      g->letter = p, g->cap = cap;
    else
      st = edge_fail(err, WHET_E_MEMORY, "%s: no memory for events", s->outbox);
  }
  size_t before = g->text.n;
  if (!st) buf_put(&g->text, data, n);
  if (!st && key) buf_put(&g->text, key, strlen(key) + 1);
  if (!st && g->text.bad) {
    g->text.bad = false;
    g->text.n = before;
    st = edge_fail(err, WHET_E_MEMORY, "%s: no memory for events", s->outbox);
  }
  if (!st) g->letter[g->n++] = (courier_letter){.key = before + n, .end = g->text.n, .type = type};
  if (g->n == 1 || g->n == (size_t)s->waiting / 2 + 1)
    pthread_cond_signal(&s->some); /* those between wait with the first */
  pthread_mutex_unlock(&s->lock);
  return st;
}

/* To the other side at once. */
static whet_status straight(courier *s, const void *data, size_t n, const char *type, const char *key,
                            whet_err *err) {
  outbox_answer a = {0};
  int64_t bytes = 0;
  char made[40];
  snprintf(made, sizeof made, "%llx-%llx", (unsigned long long)pl_clock(), (unsigned long long)s->n->in);
  outbox_item item = {.stream = "",
                      .key = key ? key : made,
                      .type = type,
                      .created = (double)pl_clock() * 1e-9,
                      .data = data,
                      .n = n};
  outbox_batch b = {.item = &item, .n = 1};
  EDGE_TRY(send_batch(s->sender, &b, &a, &bytes, err));
  atomic_fetch_add(&s->sent, (uint64_t)bytes);
  if (a.fate == OUTBOX_SENT) return WHET_OK;
  return edge_fail(err, WHET_E_IO, "%.100s: it was not taken%s%s", s->url, a.why[0] ? ": " : "", a.why);
}

whet_status courier_give(courier *s, const void *data, size_t n, const char *type, const char *key, whet_err *err) {
  if (!s->box) return straight(s, data, n, type, key, err);
  if (s->runs) return gather(s, data, n, type, key, err);
  outbox_record r = {.stream = s->stream,
                     .key = key,
                     .priority = (int)s->priority,
                     .ttl = s->ttl,
                     .type = type,
                     .data = data,
                     .n = n};
  return outbox_put(s->box, &r, 1, err);
}

/* Nobody looks at what ends. */
static whet_status end_delivery(courier *s, whet_err *err) {
  pthread_mutex_lock(&s->look);
  outbox_drain *d = s->drain;
  s->drain = NULL;
  pthread_mutex_unlock(&s->look);
  return outbox_drain_stop(&d, err);
}

whet_status courier_flush(courier *s, whet_err *err) {
  pl_node *n = s->n;
  int64_t left;
  if (s->runs) {
    pthread_mutex_lock(&s->lock);
    s->ends = true;
    pthread_cond_broadcast(&s->some);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    s->runs = false;
  }
  if (!s->drain) return WHET_OK;
  int64_t until = edge_now() + (int64_t)(s->wait * 1e9);
  while (!pl_stopping(n) && edge_now() < until && !outbox_waiting(s->box, &left, err) && left)
    if (!pl_source_wait(n, edge_now() + 10000000, -1)) break;
  return end_delivery(s, err);
}

void courier_close(courier *s) {
  whet_err err;
  if (s->runs) (void)!courier_flush(s, &err);
  if (s->drain) (void)end_delivery(s, &err);
  outbox_close(&s->box);
  if (s->sender) send_close(&s->sender);
  if (s->locked) {
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->some);
    pthread_cond_destroy(&s->space);
  }
  if (s->n) pthread_mutex_destroy(&s->look);
  for (int i = 0; i < 2; i++) {
    buf_free(&s->g[i].text);
    free(s->g[i].letter);
  }
}

void courier_stop(courier *s) {
  if (!s->box && s->sender) send_wake(s->sender);
}

void courier_stats(courier *s, serve_buf *b) {
  outbox_stats st;
  whet_err err;
  char trouble[120] = "";
  if (!s->box || outbox_stat(s->box, &st, &err)) return;
  pthread_mutex_lock(&s->look);
  if (s->drain) outbox_drain_trouble(s->drain, trouble);
  pthread_mutex_unlock(&s->look);
  buf_printf(b,
             ",\"outbox\":{\"records\":%lld,\"bytes\":%lld,\"sent\":%lld,\"dead\":%lld,\"dropped\":%lld,\"expired\":%"
             "lld,\"spent_today\":%lld,\"trouble\":",
             (long long)st.records, (long long)st.bytes, (long long)st.sent, (long long)st.dead,
             (long long)st.dropped, (long long)st.expired, (long long)st.spent_today);
  buf_json_str(b, trouble);
  buf_put(b, "}", 1);
}

bool courier_link(courier *s, pl_link *out) {
  whet_err err;
  *out = (pl_link){.sent = atomic_load(&s->sent)};
  if (!s->outbox) return s->sender != NULL;
  if (!s->box || outbox_waiting(s->box, &out->waiting, &err)) return false;
  pthread_mutex_lock(&s->look);
  if (s->drain) out->down = outbox_drain_down(s->drain);
  pthread_mutex_unlock(&s->look);
  return true;
}
#endif
