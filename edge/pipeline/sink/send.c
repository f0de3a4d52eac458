/* SPDX-License-Identifier: Apache-2.0 */
/* The sink `send`: events by HTTP POST, MQTT or to a file of lines, as edge/send has it: straight, or from an outbox,
 * which keeps them until whoever they are for has answered.
 *
 * With an outbox a branch does not wait for the disk: a thread of the sink's own puts an event at once when the last
 * put is `every` or longer ago, else together with those that come until then; at the end of the pipeline all that
 * was gathered is put before it ends. */

#include "edge/pipeline/sink/lines.h"

#ifdef WHET_HAVE_OUTBOX
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/outbox/outbox.h"
#include "edge/send/send.h"
#include "edge/wait.h"

typedef struct gathered {
  serve_buf text;
  size_t *end; /* of each event in the text */
  size_t n, cap;
} gathered;

typedef struct send {
  pl_node n;
  const char *url, *outbox, *stream;
  send_opts s;
  outbox_opts o;
  double every, ttl, wait;
  int64_t priority, waiting, batch, attempts;
  conf_reals retry;
  bool hold; /* others deliver */

  sender *sender;
  struct outbox *box;
  outbox_drain *drain;
  serve_buf line;
  gathered g[2];        /* what comes, and what is being put */
  pthread_mutex_t lock; /* of what follows, and of g[now]; after the node's */
  pthread_cond_t some, space;
  int now;
  bool ends, runs, locked;
  whet_err trouble; /* of the last put */
  pthread_t thread;
  outbox_batch one;      /* straight: a batch of one */
  _Atomic uint64_t sent; /* straight: bytes */
} send;

#define AT(field) offsetof(send, field)
static const conf_key k_keys[] = {{.name = "url", CONF_STR, AT(url)},
                                  {.name = "outbox", CONF_STR, AT(outbox)},
                                  {.name = "stream", CONF_STR, AT(stream)},
                                  {.name = "priority", CONF_INT, AT(priority), NULL, -1000, 1000},
                                  {.name = "ttl", CONF_SECONDS, AT(ttl)},
                                  {.name = "every", CONF_SECONDS, AT(every), NULL, 0, 60},
                                  {.name = "waiting", CONF_INT, AT(waiting), NULL, 1, 1000000},
                                  {.name = "wait", CONF_SECONDS, AT(wait)},
                                  {.name = "hold", CONF_BOOL, AT(hold)},
                                  {.name = "token", CONF_STR, AT(s.token)},
                                  {.name = "ca", CONF_STR, AT(s.ca)},
                                  {.name = "cert", CONF_STR, AT(s.cert)},
                                  {.name = "key", CONF_STR, AT(s.key)},
                                  {.name = "client", CONF_STR, AT(s.client)},
                                  {.name = "timeout", CONF_SECONDS, AT(s.timeout), NULL, 0.01, 3600},
                                  {.name = "compress", CONF_BOOL, AT(s.compress)},
                                  {.name = "single", CONF_BOOL, AT(s.single)},
                                  {.name = "batch", CONF_INT, AT(batch), NULL, 1, 100000},
                                  {.name = "max_bytes", CONF_INT, AT(o.max_bytes), NULL, 1, 1e15},
                                  {.name = "max_records", CONF_INT, AT(o.max_records), NULL, 1, 1e15},
                                  {.name = "full", CONF_CHOICE, AT(o.when_full), "refuse|drop-oldest"},
                                  {.name = "daily_bytes", CONF_INT, AT(o.daily_bytes), NULL, 1, 1e15},
                                  {.name = "attempts", CONF_INT, AT(attempts), NULL, 1, 1e6},
                                  {.name = "retry", CONF_REALS, AT(retry), NULL, 0.001, 86400},
                                  {0}};
static const send k_defaults = {.every = 0.25, .waiting = 1000, .wait = 5};

static whet_status open_send(pl_node *n, whet_err *err) {
  send *s = (send *)n;
  if (s->hold && !s->outbox) return pl_fail(n, err, "hold without an outbox sends nothing");
  if (!s->url && !s->hold) return pl_fail(n, err, "expected url: where events go");
  static const char *const k_box[] = {"stream",    "priority",    "ttl",  "every",       "waiting",  "wait", "batch",
                                      "max_bytes", "max_records", "full", "daily_bytes", "attempts", "retry"};
  for (size_t i = 0; !s->outbox && i < EDGE_COUNT(k_box); i++)
    if (pl_given(n, k_box[i])) return pl_fail(n, err, "%s belongs to an outbox; name its file with outbox", k_box[i]);
  if (s->retry.n && (s->retry.n != 2 || s->retry.v[0] > s->retry.v[1]))
    return pl_fail(n, err, "retry: expected two times, the first and the longest pause in seconds");
  if (s->retry.n) s->o.retry_min = s->retry.v[0], s->o.retry_max = s->retry.v[1];
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
static whet_status put(send *s, gathered *g, whet_err *err) {
  enum { MOST = 256 };
  outbox_record r[MOST];
  size_t from = 0, at = 0;
  whet_status st = WHET_OK;
  while (!st && at < g->n) {
    size_t k = 0;
    for (; k < MOST && at < g->n; k++, at++) {
      r[k] = (outbox_record){.stream = s->stream,
                             .priority = (int)s->priority,
                             .ttl = s->ttl,
                             .data = g->text.p + from,
                             .n = g->end[at] - from};
      from = g->end[at];
    }
    st = outbox_put(s->box, r, k, err);
  }
  g->n = 0;
  g->text.n = 0;
  return st;
}

static void *put_thread(void *arg) {
  send *s = arg;
  int64_t due = 0; /* no put before */
  pthread_mutex_lock(&s->lock);
  for (;;) {
    while (!s->g[s->now].n && !s->ends) pthread_cond_wait(&s->some, &s->lock);
    if (!s->g[s->now].n) break;
    while (!s->ends && s->g[s->now].n < (size_t)s->waiting / 2 + 1 && edge_now() < due)
      if (!edge_wait(&s->some, &s->lock, due)) break;
    due = edge_after(s->every);
    gathered *g = &s->g[s->now];
    s->now ^= 1;
    pthread_cond_broadcast(&s->space);
    pthread_mutex_unlock(&s->lock);
    whet_err why = {0};
    size_t n = g->n;
    whet_status st = put(s, g, &why);
    if (st) {
      edge_fail_in(&why, "%s: %zu events were not kept", s->outbox, n);
      pl_failed(&s->n, NULL, &why);
    }
    pthread_mutex_lock(&s->lock);
  }
  pthread_mutex_unlock(&s->lock);
  return NULL;
}

static whet_status start(pl_node *n, whet_err *err) {
  send *s = (send *)n;
  if (!s->outbox) return WHET_OK;
  if (outbox_open(&s->o, &s->box, err)) return pl_fail_here(n, err);
  outbox_drain_opts d = {.batch = (size_t)s->batch};
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
static whet_status gather(send *s, whet_err *err) {
  whet_status st = WHET_OK;
  pthread_mutex_lock(&s->lock);
  while (s->g[s->now].n >= (size_t)s->waiting) pthread_cond_wait(&s->space, &s->lock);
  gathered *g = &s->g[s->now];
  if (g->n == g->cap) {
    size_t cap = g->cap ? 2 * g->cap : 64;
    size_t *p = realloc(g->end, cap * sizeof *p);
    if (p)
      g->end = p, g->cap = cap;
    else
      st = edge_fail(err, WHET_E_MEMORY, "%s: no memory for events", s->outbox);
  }
  size_t before = g->text.n;
  if (!st) buf_put(&g->text, s->line.p, s->line.n);
  if (!st && g->text.bad) {
    g->text.bad = false;
    g->text.n = before;
    st = edge_fail(err, WHET_E_MEMORY, "%s: no memory for events", s->outbox);
  }
  if (!st) g->end[g->n++] = g->text.n;
  if (g->n == 1 || g->n == (size_t)s->waiting / 2 + 1)
    pthread_cond_signal(&s->some); /* those between wait with the first */
  pthread_mutex_unlock(&s->lock);
  return st;
}

/* To the other side at once. */
static whet_status straight(send *s, whet_err *err) {
  outbox_answer a = {0};
  int64_t bytes;
  char key[40];
  outbox_item item = {.stream = "",
                      .key = key,
                      .type = "application/json",
                      .created = (double)pl_clock() * 1e-9,
                      .data = s->line.p,
                      .n = s->line.n};
  outbox_batch b = {.item = &item, .n = 1};
  snprintf(key, sizeof key, "%llx-%llx", (unsigned long long)pl_clock(), (unsigned long long)s->n.in);
  bytes = 0;
  EDGE_TRY(send_batch(s->sender, &b, &a, &bytes, err));
  atomic_fetch_add(&s->sent, (uint64_t)bytes);
  if (a.fate == OUTBOX_SENT) return WHET_OK;
  return edge_fail(err, WHET_E_IO, "%.100s: an event was not taken%s%s", s->url, a.why[0] ? ": " : "", a.why);
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  send *s = (send *)n;
  EDGE_TRY(sink_line(n, f, &s->line, false, err));
  if (!s->box) return straight(s, err);
  if (s->runs) return gather(s, err);
  outbox_record r = {
      .stream = s->stream, .priority = (int)s->priority, .ttl = s->ttl, .data = s->line.p, .n = s->line.n};
  return outbox_put(s->box, &r, 1, err);
}

/* Put what was gathered; where the sources ended by themselves, wait for its delivery for a while. */
static whet_status flush(pl_node *n, whet_err *err) {
  send *s = (send *)n;
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
  return outbox_drain_stop(&s->drain, err);
}

static void close_send(pl_node *n) {
  send *s = (send *)n;
  whet_err err;
  if (s->runs) (void)flush(n, &err);
  if (s->drain) (void)outbox_drain_stop(&s->drain, &err);
  outbox_close(&s->box);
  if (s->sender) send_close(&s->sender);
  if (s->locked) {
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->some);
    pthread_cond_destroy(&s->space);
  }
  for (int i = 0; i < 2; i++) {
    buf_free(&s->g[i].text);
    free(s->g[i].end);
  }
  buf_free(&s->line);
}

/* A request under way is given up: without an outbox its event is lost, and counts as failed. */
static void stop(pl_node *n) {
  send *s = (send *)n;
  if (!s->box && s->sender) send_wake(s->sender);
}

/* How full the outbox is, and the link's last trouble. */
static void stats(pl_node *n, serve_buf *b) {
  send *s = (send *)n;
  outbox_stats st;
  whet_err err;
  char trouble[120] = "";
  if (!s->box || outbox_stat(s->box, &st, &err)) return;
  if (s->drain) outbox_drain_trouble(s->drain, trouble);
  buf_printf(b,
             ",\"outbox\":{\"records\":%lld,\"bytes\":%lld,\"sent\":%lld,\"dead\":%lld,\"dropped\":%lld,\"expired\":%"
             "lld,\"spent_today\":%lld,\"trouble\":",
             (long long)st.records, (long long)st.bytes, (long long)st.sent, (long long)st.dead,
             (long long)st.dropped, (long long)st.expired, (long long)st.spent_today);
  buf_json_str(b, trouble);
  buf_put(b, "}", 1);
}

static bool link_of(pl_node *n, pl_link *out) {
  send *s = (send *)n;
  whet_err err;
  *out = (pl_link){.sent = atomic_load(&s->sent)};
  if (!s->outbox) return s->sender != NULL;
  if (!s->box || outbox_waiting(s->box, &out->waiting, &err)) return false;
  if (s->drain) outbox_drain_link(s->drain, &out->down, &out->sent);
  return true;
}

const pl_kind pl_sink_send = {.name = "send",
                              .size = sizeof(send),
                              .keys = k_keys,
                              .lone = "url",
                              .defaults = &k_defaults,
                              .open = open_send,
                              .start = start,
                              .run = run,
                              .flush = flush,
                              .close = close_send,
                              .stop = stop,
                              .stats = stats,
                              .link = link_of};
#else
static whet_status lacks(pl_node *n, whet_err *err) {
  return pl_fail(n, err, "this build lacks SQLite, by which outboxes keep what is sent (Debian: libsqlite3-dev)");
}

const pl_kind pl_sink_send = {.name = "send", .size = sizeof(pl_node), .loose = true, .open = lacks};
#endif
