/* SPDX-License-Identifier: Apache-2.0 */
/* Taking records in order, and noting what became of them. */

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "edge/outbox/inner.h"
#include "edge/serve/buf.h"

void outbox_batch_free(outbox_batch *b) {
  free(b->item);
  free(b->text);
  *b = (outbox_batch){0};
}

whet_status outbox_claim(outbox *o, whet_err *err) {
  char path[4096];
  if (o->claim >= 0) return WHET_OK;
  snprintf(path, sizeof path, "%s-lock", o->path);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return edge_fail(err, WHET_E_IO, "%s: %s", path, strerror(errno));
  if (flock(fd, LOCK_EX | LOCK_NB)) {
    int e = errno;
    close(fd);
    if (e == EWOULDBLOCK)
      return edge_fail(err, WHET_E_MISUSE, "%s: another process delivers from this outbox", o->path);
    return edge_fail(err, WHET_E_IO, "%s: %s", path, strerror(e));
  }
  o->claim = fd;
  return WHET_OK;
}

/* ---- pauses ------------------------------------------------------------------------------------ */

/* Exponential back-off, the whole of it random ("full jitter"): 0..min(longest, first 2^tries). */
static double back_off(outbox *o, int tries) {
  double most = fmin(o->o.retry_max, o->o.retry_min * ldexp(1, tries < 30 ? tries : 30));
  return most * (0.1 + 0.9 * edge_draw(&o->seed));
}

static ob_pause *find_pause(outbox *o, int64_t stream, int64_t id) {
  for (size_t i = 0; i < o->n_pause; i++)
    if (o->pause[i].stream == stream && (stream || o->pause[i].id == id)) return &o->pause[i];
  return NULL;
}

static void end_pause(outbox *o, int64_t stream, int64_t id) {
  ob_pause *p = find_pause(o, stream, id);
  if (p) *p = o->pause[--o->n_pause];
}

/* False: no memory; the record is then due again at once, which loses nothing. */
static bool pause_item(outbox *o, const outbox_item *x, double after) {
  ob_pause *p = find_pause(o, x->stream_id, x->id);
  if (!p) {
    if (o->n_pause == o->cap_pause) {
      size_t cap = o->cap_pause ? 2 * o->cap_pause : 16;
      ob_pause *more = realloc(o->pause, cap * sizeof *more);
      if (!more) return false;
      o->pause = more, o->cap_pause = cap;
    }
    p = &o->pause[o->n_pause++];
    *p = (ob_pause){.stream = x->stream_id, .id = x->id};
  }
  p->until = edge_now() + (int64_t)(1e9 * (after > 0 ? after : back_off(o, p->tries)));
  p->tries++;
  return true;
}

/* The streams and records that pause, as JSON lists; the seconds until the first of them may go on. */
static void pauses(outbox *o, serve_buf *streams, serve_buf *ids, double *next) {
  int64_t t = edge_now();
  buf_text(streams, "[");
  buf_text(ids, "[");
  for (size_t i = 0; i < o->n_pause; i++) {
    const ob_pause *p = &o->pause[i];
    if (p->until <= t) continue;
    serve_buf *b = p->stream ? streams : ids;
    buf_printf(b, "%s%lld", b->n > 1 ? "," : "", (long long)(p->stream ? p->stream : p->id));
    *next = fmin(*next, 1e-9 * (double)(p->until - t));
  }
  buf_put(streams, "]", 2);
  buf_put(ids, "]", 2);
}

/* ---- taking ------------------------------------------------------------------------------------ */

/* Throw away what is past its time. */
static whet_status expire(outbox *o, whet_err *err) {
  ob_conn *c = &o->give;
  double now = ob_wall();
  int64_t n, bytes = 0;
  sqlite3_stmt *st = ob_ready(c, OB_EXPIRED, err);
  if (!st) return WHET_E_IO;
  sqlite3_bind_double(st, 1, now);
  EDGE_TRY(ob_number(c, st, &n, err));
  if (n <= 0) return WHET_OK;
  EDGE_TRY(ob_do(c, OB_BEGIN, err));
  whet_status s = WHET_OK;
  if (!(st = ob_ready(c, OB_EXPIRE, err))) s = WHET_E_IO;
  n = 0;
  if (!s) {
    sqlite3_bind_double(st, 1, now);
    int code;
    while ((code = sqlite3_step(st)) == SQLITE_ROW) n++, bytes += sqlite3_column_int64(st, 0);
    if (code != SQLITE_DONE) s = ob_fail(c, err);
    sqlite3_reset(st);
  }
  if (!s) s = ob_count(c, OB_C_RECORDS, -n, err);
  if (!s) s = ob_count(c, OB_C_BYTES, -bytes, err);
  if (!s) s = ob_count(c, OB_C_EXPIRED, n, err);
  return ob_end(c, s, err);
}

/* Keep n bytes and a 0 of a row in the batch's text; where they begin. */
static bool keep(outbox_batch *b, const void *p, size_t n, size_t *at) {
  if (b->text_n + n + 1 > b->text_cap) {
    size_t cap = b->text_cap ? b->text_cap : 65536;
    while (cap < b->text_n + n + 1) cap *= 2;
    char *t = realloc(b->text, cap);
    if (!t) return false;
    b->text = t, b->text_cap = cap;
  }
  *at = b->text_n;
  if (n) memcpy(b->text + b->text_n, p, n);
  b->text[b->text_n + n] = 0;
  b->text_n += n + 1;
  return true;
}

static bool take_row(outbox_batch *b, sqlite3_stmt *st) {
  if (b->n == b->cap) {
    size_t cap = b->cap ? 2 * b->cap : 64;
    outbox_item *more = realloc(b->item, cap * sizeof *more);
    if (!more) return false;
    b->item = more, b->cap = cap;
  }
  outbox_item x = ob_row(st);
  size_t at[4];
  if (!keep(b, x.stream, strlen(x.stream), &at[0]) || !keep(b, x.key, strlen(x.key), &at[1]) ||
      !keep(b, x.type, strlen(x.type), &at[2]) || !keep(b, x.data, x.n, &at[3]))
    return false;
  /* Offsets until the text has stopped moving. */
  x.stream = (const char *)(uintptr_t)at[0], x.key = (const char *)(uintptr_t)at[1],
  x.type = (const char *)(uintptr_t)at[2];
  x.data = (const void *)(uintptr_t)at[3];
  b->item[b->n++] = x;
  return true;
}

static void settle_texts(outbox_batch *b) {
  for (size_t i = 0; i < b->n; i++) {
    outbox_item *x = &b->item[i];
    x->stream = b->text + (uintptr_t)x->stream, x->key = b->text + (uintptr_t)x->key,
    x->type = b->text + (uintptr_t)x->type;
    x->data = b->text + (uintptr_t)x->data;
  }
}

/* Take records of `most_bytes` in all; tight: not even the first may be larger, else it may. *more: one of them was.
 */
static whet_status take(outbox *o, size_t most, size_t most_bytes, bool tight, outbox_batch *b, double *next,
                        bool *more, whet_err *err) {
  serve_buf streams = {0}, ids = {0};
  size_t bytes = 0;
  pauses(o, &streams, &ids, next);
  whet_status s = streams.bad || ids.bad ? edge_fail(err, WHET_E_MEMORY, "no memory for the outbox") : WHET_OK;
  sqlite3_stmt *st = s ? NULL : ob_ready(&o->give, OB_TAKE, err);
  if (!st && !s) s = WHET_E_IO;
  if (!s) {
    sqlite3_bind_text(st, 1, streams.p, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, ids.p, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 3, (int64_t)most);
    int code;
    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
      size_t n = (size_t)sqlite3_column_bytes(st, 8);
      if ((b->n || tight) && bytes + n > most_bytes) {
        *more = true;
        break;
      }
      bytes += n;
      if (take_row(b, st)) continue;
      s = edge_fail(err, WHET_E_MEMORY, "no memory for the outbox");
      break;
    }
    if (!s && code != SQLITE_ROW && code != SQLITE_DONE) s = ob_fail(&o->give, err);
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
  }
  buf_free(&streams);
  buf_free(&ids);
  settle_texts(b);
  return s;
}

whet_status outbox_take(outbox *o, size_t most, size_t most_bytes, outbox_batch *b, double *wait, whet_err *err) {
  double next = INFINITY;
  int64_t used = 0, t = edge_now();
  b->n = b->text_n = 0;
  if (o->claim < 0) return edge_fail(err, WHET_E_MISUSE, "%s: claim it before records are taken", o->path);
  pthread_mutex_lock(&o->give_lock);
  whet_status s = expire(o, err);
  if (!s && o->o.daily_bytes > 0) s = ob_spent(&o->give, &used, err);
  if (s) {
  } else if (o->rest_until > t) {
    next = 1e-9 * (double)(o->rest_until - t);
  } else {
    /* What is larger than the rest of the day's bytes waits for the next day; larger than all of a day's, it goes as
     * the day's first. */
    bool tight = false, more = false, spent = o->o.daily_bytes > 0 && used >= o->o.daily_bytes;
    if (o->o.daily_bytes > 0 && !spent && (int64_t)most_bytes > o->o.daily_bytes - used) {
      most_bytes = (size_t)(o->o.daily_bytes - used);
      tight = used > 0;
    }
    if (!spent) s = take(o, most, most_bytes, tight, b, &next, &more, err);
    if (spent || (tight && more && !b->n)) next = 86400 - fmod(ob_wall(), 86400);
  }
  pthread_mutex_unlock(&o->give_lock);
  if (wait) *wait = isinf(next) ? -1 : next;
  return s;
}

/* ---- what became of them ------------------------------------------------------------------------ */

/* The totals of one settling. */
struct settled {
  int64_t gone, bytes, sent, refused, refused_bytes, attempts;
};

static whet_status remove_item(outbox *o, const outbox_item *x, struct settled *t, bool *was, whet_err *err) {
  int64_t freed;
  sqlite3_stmt *st = ob_ready_int(&o->give, OB_DONE, x->id, err);
  if (!st) return WHET_E_IO;
  EDGE_TRY(ob_number(&o->give, st, &freed, err));
  *was = freed >= 0; /* it may have been dropped meanwhile */
  if (*was) t->gone++, t->bytes += freed;
  return WHET_OK;
}

static whet_status bury(outbox *o, const outbox_item *x, const char *why, struct settled *t, whet_err *err) {
  bool was;
  int64_t before = t->bytes;
  sqlite3_stmt *st = ob_ready_int(&o->give, OB_BURY, x->id, err);
  if (!st) return WHET_E_IO;
  sqlite3_bind_text(st, 2, why, -1, SQLITE_STATIC);
  EDGE_TRY(ob_run(&o->give, st, err));
  EDGE_TRY(remove_item(o, x, t, &was, err));
  t->refused += was;
  t->refused_bytes += t->bytes - before;
  return WHET_OK;
}

static whet_status settle_one(outbox *o, const outbox_item *x, const outbox_answer *a, struct settled *t,
                              whet_err *err) {
  bool was;
  char why[200];
  t->attempts++;
  if (a->fate == OUTBOX_SENT) {
    end_pause(o, x->stream_id, x->id);
    EDGE_TRY(remove_item(o, x, t, &was, err));
    t->sent += was;
    return WHET_OK;
  }
  if (a->fate == OUTBOX_REFUSED) {
    end_pause(o, x->stream_id, x->id);
    return bury(o, x, a->why, t, err);
  }
  if (o->o.max_attempts > 0 && x->attempts + 1 >= o->o.max_attempts) {
    end_pause(o, x->stream_id, x->id);
    snprintf(why, sizeof why, "%d attempts failed; the last: %s", x->attempts + 1, a->why);
    return bury(o, x, why, t, err);
  }
  pause_item(o, x, a->after);
  sqlite3_stmt *st = ob_ready_int(&o->give, OB_ATTEMPT, x->id, err);
  return st ? ob_run(&o->give, st, err) : WHET_E_IO;
}

/* Does this one only wait behind an earlier record of its stream that did not get through? */
static bool behind(const outbox_batch *b, const outbox_answer *a, size_t i) {
  for (size_t k = i; b->item[i].stream_id && k-- > 0;)
    if (b->item[k].stream_id == b->item[i].stream_id) return a[k].fate == OUTBOX_AGAIN;
  return false;
}

static whet_status settle(outbox *o, const outbox_batch *b, const outbox_answer *answer, whet_err *err) {
  ob_conn *c = &o->give;
  struct settled t = {0};
  EDGE_TRY(ob_do(c, OB_BEGIN, err));
  whet_status s = WHET_OK;
  for (size_t i = 0; i < b->n && !s; i++) {
    outbox_fate f = answer[i].fate;
    if (f != OUTBOX_UNREACHED && !(f == OUTBOX_AGAIN && behind(b, answer, i)))
      s = settle_one(o, &b->item[i], &answer[i], &t, err);
  }
  if (!s) s = ob_count(c, OB_C_RECORDS, -t.gone, err);
  if (!s) s = ob_count(c, OB_C_BYTES, -t.bytes, err);
  if (!s) s = ob_count(c, OB_C_SENT, t.sent, err);
  if (!s) s = ob_count(c, OB_C_REFUSED, t.refused, err);
  if (!s) s = ob_count(c, OB_C_DEAD, t.refused, err);
  if (!s) s = ob_count(c, OB_C_DEAD_BYTES, t.refused_bytes, err);
  if (!s) s = ob_count(c, OB_C_ATTEMPTS, t.attempts, err);
  if (!s && t.gone) s = ob_do(c, OB_STREAM_CLEAN, err);
  return ob_end(c, s, err);
}

/* When nothing at all got through it is the link that is down: then everything pauses, longer each time. */
static void rest(outbox *o, const outbox_batch *b, const outbox_answer *a) {
  double after = 0;
  for (size_t i = 0; i < b->n; i++) {
    if (a[i].fate == OUTBOX_SENT || a[i].fate == OUTBOX_REFUSED) {
      o->rest_tries = 0;
      o->rest_until = 0;
      return;
    }
    after = fmax(after, a[i].after);
  }
  o->rest_until = edge_now() + (int64_t)(1e9 * fmax(after, back_off(o, o->rest_tries++)));
}

whet_status outbox_settle(outbox *o, const outbox_batch *b, const outbox_answer *answer, whet_err *err) {
  if (!b->n) return WHET_OK;
  pthread_mutex_lock(&o->give_lock);
  rest(o, b, answer);
  whet_status s = settle(o, b, answer, err);
  if (s == WHET_E_LIMIT && ob_reserve_drop(o)) { /* the disk is full: what is delivered must still be noted */
    s = settle(o, b, answer, err);
    sqlite3_wal_checkpoint_v2(o->give.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    ob_reserve_make(o);
  }
  pthread_mutex_unlock(&o->give_lock);
  return s;
}

void outbox_retry(outbox *o) {
  pthread_mutex_lock(&o->give_lock);
  o->rest_until = 0;
  o->rest_tries = 0;
  pthread_mutex_unlock(&o->give_lock);
  pthread_mutex_lock(&o->wake_lock);
  o->retries++;
  pthread_cond_broadcast(&o->wake);
  pthread_mutex_unlock(&o->wake_lock);
}

whet_status outbox_spend(outbox *o, int64_t bytes, whet_err *err) {
  if (!(o->o.daily_bytes > 0) || bytes <= 0) return WHET_OK;
  pthread_mutex_lock(&o->give_lock);
  sqlite3_stmt *st = ob_ready_int(&o->give, OB_SPEND, ob_today(), err);
  whet_status s = st ? WHET_OK : WHET_E_IO;
  if (st) {
    sqlite3_bind_int64(st, 2, bytes);
    s = ob_run(&o->give, st, err);
  }
  pthread_mutex_unlock(&o->give_lock);
  return s;
}
