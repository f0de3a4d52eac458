/* SPDX-License-Identifier: Apache-2.0 */
/* The file: its tables, connections and statements; putting records. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "edge/outbox/inner.h"
#include "edge/wait.h"

#define APPLICATION 0x77686f62 /* "whob" */
#define VERSION 1
#define RESERVE (2 << 20)

static const char k_schema[] =
    "CREATE TABLE stream(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE record(id INTEGER PRIMARY KEY AUTOINCREMENT, stream INTEGER NOT NULL, priority INTEGER NOT NULL, "
    "key TEXT NOT NULL UNIQUE,"
    "                    created REAL NOT NULL, expires REAL, attempts INTEGER NOT NULL DEFAULT 0, type TEXT NOT "
    "NULL, data BLOB NOT NULL);"
    "CREATE INDEX record_next ON record(priority DESC, id);"
    "CREATE INDEX record_stream ON record(stream, priority) WHERE stream<>0;"
    "CREATE INDEX record_expires ON record(expires) WHERE expires IS NOT NULL;"
    "CREATE TABLE dead(id INTEGER PRIMARY KEY, stream TEXT NOT NULL, priority INTEGER NOT NULL, key TEXT NOT NULL, "
    "created REAL NOT NULL,"
    "                  attempts INTEGER NOT NULL, type TEXT NOT NULL, data BLOB NOT NULL, why TEXT NOT NULL);"
    "CREATE TABLE counter(id INTEGER PRIMARY KEY, n INTEGER NOT NULL);"
    "INSERT INTO counter VALUES(1,0),(2,0),(3,0),(4,0),(5,0),(6,0),(7,0),(8,0);"
    "CREATE TABLE spent(day INTEGER PRIMARY KEY, bytes INTEGER NOT NULL);";

/* Dead letters were not counted in the files of earlier days. */
static const char k_dead[] =
    "INSERT INTO counter SELECT 9,(SELECT count(*) FROM dead) WHERE NOT EXISTS(SELECT 1 FROM counter WHERE id=9);"
    "INSERT INTO counter SELECT 10,(SELECT coalesce(sum(length(data)),0) FROM dead) WHERE NOT EXISTS(SELECT 1 FROM "
    "counter WHERE id=10);";

static const char *const k_sql[OB_SQL_COUNT] = {
    [OB_BEGIN] = "BEGIN IMMEDIATE",
    [OB_COMMIT] = "COMMIT",
    [OB_ROLLBACK] = "ROLLBACK",
    [OB_STREAM_ADD] = "INSERT OR IGNORE INTO stream(name) VALUES(?1)",
    [OB_STREAM_ID] = "SELECT id FROM stream WHERE name=?1",
    [OB_STREAM_LIFT] =
        "UPDATE record SET priority=?2 WHERE id IN (SELECT id FROM record WHERE stream=?1 AND stream<>0 AND "
        "priority<?2 "
        "UNION ALL SELECT id FROM record WHERE stream=?1 AND stream<>0 AND priority>?2)",
    [OB_ADD] =
        "INSERT OR IGNORE INTO record(stream,priority,key,created,expires,type,data) VALUES(?1,?2,?3,?4,?5,?6,?7)",
    [OB_TOTALS] = "SELECT n FROM counter WHERE id=?1",
    [OB_COUNT] = "UPDATE counter SET n=n+?2 WHERE id=?1",
    /* The oldest of the lowest priority, none above ?1. */
    [OB_EVICT] =
        "DELETE FROM record WHERE id=(SELECT id FROM record WHERE priority<=?1 AND id<?2 ORDER BY priority, id LIMIT "
        "1) "
        "RETURNING length(data)",
    /* ?1, ?2: lists, as JSON, of streams and records that pause. */
    [OB_TAKE] =
        "SELECT " OB_ROW
        " FROM record r LEFT JOIN stream s ON s.id=r.stream "
        "WHERE r.stream NOT IN (SELECT value FROM json_each(?1)) AND r.id NOT IN (SELECT value FROM json_each(?2)) "
        "ORDER BY r.priority DESC, r.id LIMIT ?3",
    [OB_EXPIRED] = "SELECT count(*) FROM record WHERE expires IS NOT NULL AND expires<=?1",
    [OB_EXPIRE] = "DELETE FROM record WHERE expires IS NOT NULL AND expires<=?1 RETURNING length(data)",
    [OB_DONE] = "DELETE FROM record WHERE id=?1 RETURNING length(data)",
    [OB_ATTEMPT] = "UPDATE record SET attempts=attempts+1 WHERE id=?1",
    [OB_BURY] =
        "INSERT OR REPLACE INTO dead(id,stream,priority,key,created,attempts,type,data,why) "
        "SELECT r.id,coalesce(s.name,''),r.priority,r.key,r.created,r.attempts+1,r.type,r.data,?2 "
        "FROM record r LEFT JOIN stream s ON s.id=r.stream WHERE r.id=?1",
    [OB_SPEND] = "INSERT INTO spent VALUES(?1,?2) ON CONFLICT(day) DO UPDATE SET bytes=bytes+?2",
    [OB_SPENT] = "SELECT coalesce(sum(bytes),0) FROM spent WHERE day=?1",
    [OB_STREAM_CLEAN] = "DELETE FROM stream WHERE (SELECT n FROM counter WHERE id=1)=0",
};

double ob_wall(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void ob_key(char out[37]) {
  uint8_t b[16];
  if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
    for (size_t i = 0; i < sizeof b; i++) b[i] = (uint8_t)((uint64_t)edge_now() >> i);
  uint64_t ms = (uint64_t)(ob_wall() * 1000);
  for (int i = 0; i < 6; i++) b[i] = (uint8_t)(ms >> (40 - 8 * i));
  b[6] = (uint8_t)(0x70 | (b[6] & 15));
  b[8] = (uint8_t)(0x80 | (b[8] & 63));
  for (int i = 0, at = 0; i < 16; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out[at++] = '-';
    at += snprintf(out + at, 3, "%02x", b[i]);
  }
}

/* ---- statements -------------------------------------------------------------------------------- */

whet_status ob_fail(ob_conn *c, whet_err *err) {
  int code = sqlite3_errcode(c->db);
  if (code == SQLITE_FULL) return edge_fail(err, WHET_E_LIMIT, "the disk is full");
  if (code == SQLITE_NOMEM) return edge_fail(err, WHET_E_MEMORY, "no memory for the outbox");
  if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
    return edge_fail(err, WHET_E_FORMAT, "%s", sqlite3_errmsg(c->db));
  return edge_fail(err, WHET_E_IO, "%s", sqlite3_errmsg(c->db));
}

sqlite3_stmt *ob_ready(ob_conn *c, ob_sql which, whet_err *err) {
  if (!c->st[which] && sqlite3_prepare_v3(c->db, k_sql[which], -1, SQLITE_PREPARE_PERSISTENT, &c->st[which], NULL)) {
    ob_fail(c, err);
    return NULL;
  }
  return c->st[which];
}

sqlite3_stmt *ob_ready_int(ob_conn *c, ob_sql which, int64_t first, whet_err *err) {
  sqlite3_stmt *st = ob_ready(c, which, err);
  if (st) sqlite3_bind_int64(st, 1, first);
  return st;
}

whet_status ob_run(ob_conn *c, sqlite3_stmt *st, whet_err *err) {
  int code = sqlite3_step(st);
  whet_status s = code == SQLITE_DONE || code == SQLITE_ROW ? WHET_OK : ob_fail(c, err);
  sqlite3_reset(st);
  sqlite3_clear_bindings(st);
  return s;
}

whet_status ob_do(ob_conn *c, ob_sql which, whet_err *err) {
  sqlite3_stmt *st = ob_ready(c, which, err);
  return st ? ob_run(c, st, err) : WHET_E_IO;
}

whet_status ob_end(ob_conn *c, whet_status s, whet_err *err) {
  if (!s) s = ob_do(c, OB_COMMIT, err);
  if (s && !sqlite3_get_autocommit(c->db)) ob_do(c, OB_ROLLBACK, NULL);
  return s;
}

whet_status ob_number(ob_conn *c, sqlite3_stmt *st, int64_t *out, whet_err *err) {
  int code = sqlite3_step(st);
  whet_status s = code == SQLITE_ROW || code == SQLITE_DONE ? WHET_OK : ob_fail(c, err);
  *out = code == SQLITE_ROW ? sqlite3_column_int64(st, 0) : -1;
  sqlite3_reset(st);
  sqlite3_clear_bindings(st);
  return s;
}

whet_status ob_count(ob_conn *c, int which, int64_t by, whet_err *err) {
  if (!by) return WHET_OK;
  sqlite3_stmt *st = ob_ready_int(c, OB_COUNT, which, err);
  if (!st) return WHET_E_IO;
  sqlite3_bind_int64(st, 2, by);
  return ob_run(c, st, err);
}

whet_status ob_total(ob_conn *c, int which, int64_t *n, whet_err *err) {
  sqlite3_stmt *st = ob_ready_int(c, OB_TOTALS, which, err);
  return st ? ob_number(c, st, n, err) : WHET_E_IO;
}

int64_t ob_today(void) { return (int64_t)(ob_wall() / 86400); }

whet_status ob_spent(ob_conn *c, int64_t *n, whet_err *err) {
  sqlite3_stmt *st = ob_ready_int(c, OB_SPENT, ob_today(), err);
  return st ? ob_number(c, st, n, err) : WHET_E_IO;
}

outbox_item ob_row(sqlite3_stmt *st) {
  return (outbox_item){.id = sqlite3_column_int64(st, 0),
                       .stream_id = sqlite3_column_int64(st, 1),
                       .stream = (const char *)sqlite3_column_text(st, 2),
                       .key = (const char *)sqlite3_column_text(st, 3),
                       .type = (const char *)sqlite3_column_text(st, 4),
                       .priority = sqlite3_column_int(st, 5),
                       .attempts = sqlite3_column_int(st, 6),
                       .created = sqlite3_column_double(st, 7),
                       .data = sqlite3_column_blob(st, 8),
                       .n = (size_t)sqlite3_column_bytes(st, 8)};
}

/* ---- the reserve ------------------------------------------------------------------------------- */

static char *beside(const outbox *o, const char *end) {
  size_t n = strlen(o->path) + strlen(end) + 1;
  char *p = malloc(n);
  if (p) snprintf(p, n, "%s%s", o->path, end);
  return p;
}

void ob_reserve_make(const outbox *o) {
  char *path = beside(o, "-reserve");
  int fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
  if (fd >= 0) {
    if (posix_fallocate(fd, 0, RESERVE)) (void)!ftruncate(fd, 0); /* the disk is full: there is none then */
    close(fd);
  }
  free(path);
}

bool ob_reserve_drop(const outbox *o) {
  char *path = beside(o, "-reserve");
  int fd = path ? open(path, O_WRONLY | O_CLOEXEC) : -1;
  bool had = false;
  if (fd >= 0) {
    had = lseek(fd, 0, SEEK_END) > 0 && !ftruncate(fd, 0);
    close(fd);
  }
  free(path);
  return had;
}

/* ---- opening ----------------------------------------------------------------------------------- */

static void conn_close(ob_conn *c) {
  for (int i = 0; i < OB_SQL_COUNT; i++) sqlite3_finalize(c->st[i]);
  sqlite3_close(c->db);
  *c = (ob_conn){0};
}

static whet_status pragma(ob_conn *c, const char *text, whet_err *err) {
  return sqlite3_exec(c->db, text, NULL, NULL, NULL) ? ob_fail(c, err) : WHET_OK;
}

static int64_t pragma_number(ob_conn *c, const char *text) {
  sqlite3_stmt *st = NULL;
  int64_t v = -1;
  if (!sqlite3_prepare_v2(c->db, text, -1, &st, NULL) && sqlite3_step(st) == SQLITE_ROW)
    v = sqlite3_column_int64(st, 0);
  sqlite3_finalize(st);
  return v;
}

static whet_status conn_open(outbox *o, ob_conn *c, bool full, whet_err *err) {
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(o->path, &c->db, flags, o->o.vfs)) {
    if (c->db) return ob_fail(c, err);
    return edge_fail(err, WHET_E_MEMORY, "no memory for the outbox");
  }
  sqlite3_busy_timeout(c->db, 10000);
  /* What is acknowledged lies in the log already: whoever ends in a hurry waits for no checkpoint. The next one makes
   * it. */
  sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  EDGE_TRY(pragma(c, "PRAGMA journal_mode=WAL", err));
  EDGE_TRY(pragma(c, full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", err));
  EDGE_TRY(pragma(c, "PRAGMA wal_autocheckpoint=256",
                  err)); /* a megabyte: no more than the reserve can take in when the disk is full */
  return pragma(c, "PRAGMA journal_size_limit=1048576", err);
}

/* The tables, made when the file is new. */
static whet_status schema(ob_conn *c, whet_err *err) {
  char text[80];
  EDGE_TRY(pragma(c, "BEGIN IMMEDIATE", err));
  int64_t app = pragma_number(c, "PRAGMA application_id"), version = pragma_number(c, "PRAGMA user_version");
  int64_t tables = pragma_number(c, "SELECT count(*) FROM sqlite_master");
  whet_status s = WHET_OK;
  if (!tables && !app) {
    s = pragma(c, k_schema, err);
    snprintf(text, sizeof text, "PRAGMA application_id=%d; PRAGMA user_version=%d", APPLICATION, VERSION);
    if (!s) s = pragma(c, text, err);
  } else if (app != APPLICATION) {
    s = edge_fail(err, WHET_E_FORMAT, "an SQLite file of something else, no outbox");
  } else if (version != VERSION) {
    s = edge_fail(err, WHET_E_FORMAT, "an outbox of version %lld; this is %d", (long long)version, VERSION);
  }
  if (!s) s = pragma(c, k_dead, err);
  if (!s) s = pragma(c, "COMMIT", err);
  if (s) sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
  return s;
}

whet_status outbox_open(const outbox_opts *opts, outbox **out, whet_err *err) {
  *out = NULL;
  outbox *o = calloc(1, sizeof *o);
  if (!o) return edge_fail(err, WHET_E_MEMORY, "no memory for the outbox");
  o->o = *opts;
  o->path = strdup(opts->path);
  o->last = &o->waiting;
  o->claim = -1;
  o->seed = (uint64_t)edge_now() ^ (uint64_t)getpid() << 32;
  if (o->o.max_bytes <= 0) o->o.max_bytes = (int64_t)1 << 30;
  if (o->o.max_records <= 0) o->o.max_records = 10000000;
  if (!(o->o.retry_min > 0)) o->o.retry_min = 1;
  if (!(o->o.retry_max > 0)) o->o.retry_max = 300;
  if (o->o.retry_max < o->o.retry_min) o->o.retry_max = o->o.retry_min;
  pthread_mutex_init(&o->put_lock, NULL);
  pthread_mutex_init(&o->give_lock, NULL);
  pthread_mutex_init(&o->wake_lock, NULL);
  pthread_cond_init(&o->put_done, NULL);
  edge_cond_init(&o->wake);
  whet_status s =
      o->path ? conn_open(o, &o->put, true, err) : edge_fail(err, WHET_E_MEMORY, "no memory for the outbox");
  if (!s) s = schema(&o->put, err);
  if (!s) s = conn_open(o, &o->give, false, err);
  if (s) {
    if (err) edge_fail_in(err, "%.200s", opts->path);
    outbox_close(&o);
    return s;
  }
  ob_reserve_make(o);
  *out = o;
  return WHET_OK;
}

void outbox_close(outbox **po) {
  outbox *o = *po;
  if (!o) return;
  conn_close(&o->put);
  conn_close(&o->give);
  if (o->claim >= 0) close(o->claim);
  pthread_mutex_destroy(&o->put_lock);
  pthread_mutex_destroy(&o->give_lock);
  pthread_mutex_destroy(&o->wake_lock);
  pthread_cond_destroy(&o->put_done);
  pthread_cond_destroy(&o->wake);
  free(o->pause);
  free(o->path);
  free(o);
  *po = NULL;
}

/* ---- putting ----------------------------------------------------------------------------------- */

static whet_status stream_id(ob_conn *c, const char *name, int64_t *id, whet_err *err) {
  *id = 0;
  if (!name || !*name) return WHET_OK;
  for (int turn = 0; turn < 2; turn++) {
    sqlite3_stmt *st = ob_ready(c, OB_STREAM_ID, err);
    if (!st) return WHET_E_IO;
    sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
    EDGE_TRY(ob_number(c, st, id, err));
    if (*id >= 0 || turn) break;
    if (!(st = ob_ready(c, OB_STREAM_ADD, err))) return WHET_E_IO;
    sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
    EDGE_TRY(ob_run(c, st, err));
  }
  return WHET_OK;
}

/* What a transaction has come to. */
struct sums {
  int64_t records, bytes, put, dropped, first; /* first: id of its own first record */
};

/* Room for n bytes more of a record of that priority, which lies there already: else all is undone. */
static whet_status make_room(outbox *o, struct sums *t, int64_t n, int priority, whet_err *err) {
  ob_conn *c = &o->put;
  while (t->bytes + n > o->o.max_bytes || t->records + 1 > o->o.max_records) {
    int64_t freed = -1;
    if (o->o.when_full == OUTBOX_DROP_OLDEST) {
      sqlite3_stmt *st = ob_ready_int(c, OB_EVICT, priority, err);
      if (!st) return WHET_E_IO;
      sqlite3_bind_int64(st, 2, t->first);
      EDGE_TRY(ob_number(c, st, &freed, err));
    }
    if (freed < 0)
      return edge_fail(err, WHET_E_LIMIT, "the outbox is full: %lld records of %lld bytes wait",
                       (long long)t->records, (long long)t->bytes);
    t->bytes -= freed, t->records--, t->dropped++;
  }
  return WHET_OK;
}

static whet_status add(outbox *o, struct sums *t, const outbox_record *r, double now, whet_err *err) {
  ob_conn *c = &o->put;
  char made[37];
  int64_t stream;
  double ttl = r->ttl > 0 ? r->ttl : r->ttl < 0 ? 0 : o->o.ttl;
  if (r->n > INT32_MAX || (int64_t)r->n > o->o.max_bytes)
    return edge_fail(err, WHET_E_LIMIT, "a record of %zu bytes is more than the outbox holds", r->n);
  EDGE_TRY(stream_id(c, r->stream, &stream, err));
  if (!r->key) ob_key(made);
  sqlite3_stmt *st = ob_ready(c, OB_ADD, err);
  if (!st) return WHET_E_IO;
  sqlite3_bind_int64(st, 1, stream);
  sqlite3_bind_int(st, 2, r->priority);
  sqlite3_bind_text(st, 3, r->key ? r->key : made, -1, SQLITE_STATIC);
  sqlite3_bind_double(st, 4, now);
  if (ttl > 0) sqlite3_bind_double(st, 5, now + ttl);
  sqlite3_bind_text(st, 6, r->type ? r->type : "application/json", -1, SQLITE_STATIC);
  sqlite3_bind_blob(st, 7, r->n ? r->data : "", (int)r->n, SQLITE_STATIC);
  EDGE_TRY(ob_run(c, st, err));
  if (!sqlite3_changes(c->db)) return WHET_OK; /* its key waits already */
  if (!t->first) t->first = sqlite3_last_insert_rowid(c->db);
  EDGE_TRY(make_room(o, t, (int64_t)r->n, r->priority, err));
  t->records++, t->put++, t->bytes += (int64_t)r->n;
  if (!stream) return WHET_OK;
  if (!(st = ob_ready_int(c, OB_STREAM_LIFT, stream, err))) return WHET_E_IO;
  sqlite3_bind_int(st, 2, r->priority);
  return ob_run(c, st, err);
}

/* One put inside the transaction that is open: all its records or none. */
static whet_status add_all(outbox *o, struct sums *t, const ob_put *p, double now, whet_err *err) {
  struct sums before = *t;
  if (sqlite3_exec(o->put.db, "SAVEPOINT one", NULL, NULL, NULL)) return ob_fail(&o->put, err);
  whet_status s = WHET_OK;
  t->first = 0;
  for (size_t i = 0; i < p->n && !s; i++) s = add(o, t, &p->r[i], now, err);
  if (s) {
    *t = before;
    sqlite3_exec(o->put.db, "ROLLBACK TO one", NULL, NULL, NULL);
  }
  if (sqlite3_exec(o->put.db, "RELEASE one", NULL, NULL, NULL) && !s) s = ob_fail(&o->put, err);
  return s;
}

static whet_status write_all(outbox *o, ob_put *list, whet_err *err) {
  ob_conn *c = &o->put;
  struct sums t = {0}, was;
  double now = ob_wall();
  EDGE_TRY(ob_do(c, OB_BEGIN, err));
  whet_status s = ob_total(c, OB_C_RECORDS, &t.records, err);
  if (!s) s = ob_total(c, OB_C_BYTES, &t.bytes, err);
  was = t;
  for (ob_put *p = list; p && !s; p = p->next) {
    p->err = (whet_err){0};
    p->status = add_all(o, &t, p, now, &p->err);
    if (p->status && sqlite3_get_autocommit(c->db))
      s = edge_fail(err, p->status, "%s", p->err.text); /* SQLite gave up the whole */
  }
  if (!s) s = ob_count(c, OB_C_RECORDS, t.records - was.records, err);
  if (!s) s = ob_count(c, OB_C_BYTES, t.bytes - was.bytes, err);
  if (!s) s = ob_count(c, OB_C_PUT, t.put, err);
  if (!s) s = ob_count(c, OB_C_DROPPED, t.dropped, err);
  return ob_end(c, s, err);
}

/* The disk is full: as at the cap, the oldest gives way when that is the rule. */
static bool shed(outbox *o, const ob_put *list) {
  if (o->o.when_full != OUTBOX_DROP_OLDEST) return false;
  ob_conn *c = &o->put;
  ob_reserve_drop(o);
  sqlite3_wal_checkpoint_v2(c->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
  int64_t freed, n = 0, bytes = 0, want = 0;
  if (ob_do(c, OB_BEGIN, NULL)) return false;
  for (; list; list = list->next)
    for (size_t i = 0; i < list->n; i++) want += (int64_t)list->r[i].n + 512;
  while (bytes < want) {
    sqlite3_stmt *st = ob_ready_int(c, OB_EVICT, INT32_MAX, NULL);
    if (!st) break;
    sqlite3_bind_int64(st, 2, INT64_MAX);
    if (ob_number(c, st, &freed, NULL) || freed < 0) break;
    n++, bytes += freed + 512;
  }
  bool ok = n && !ob_count(c, OB_C_RECORDS, -n, NULL) && !ob_count(c, OB_C_BYTES, 512 * n - bytes, NULL) &&
            !ob_count(c, OB_C_DROPPED, n, NULL);
  if (ob_end(c, ok ? WHET_OK : WHET_E_LIMIT, NULL)) return false;
  sqlite3_wal_checkpoint_v2(c->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
  return true;
}

/* Write what waits, for everybody. */
static void lead(outbox *o, ob_put *list) {
  whet_err err = {0};
  whet_status s = write_all(o, list, &err);
  if (s == WHET_E_LIMIT && shed(o, list)) {
    s = write_all(o, list, &err);
    ob_reserve_make(o);
  }
  for (ob_put *p = list; s && p; p = p->next) {
    p->status = s;
    p->err = err;
  }
}

whet_status outbox_put(outbox *o, const outbox_record *r, size_t n, whet_err *err) {
  ob_put mine = {.r = r, .n = n};
  if (!n) return WHET_OK;
  pthread_mutex_lock(&o->put_lock);
  *o->last = &mine;
  o->last = &mine.next;
  while (!mine.done && o->leading) pthread_cond_wait(&o->put_done, &o->put_lock);
  if (!mine.done) { /* ours to write for all that wait */
    ob_put *list = o->waiting;
    o->waiting = NULL;
    o->last = &o->waiting;
    o->leading = true;
    pthread_mutex_unlock(&o->put_lock);
    lead(o, list);
    pthread_mutex_lock(&o->put_lock);
    o->leading = false;
    for (ob_put *p = list, *next; p; p = next) {
      next = p->next; /* p's thread may go on at once */
      p->done = true;
    }
    pthread_cond_broadcast(&o->put_done);
  }
  pthread_mutex_unlock(&o->put_lock);
  pthread_mutex_lock(&o->wake_lock);
  o->puts++;
  pthread_cond_broadcast(&o->wake);
  pthread_mutex_unlock(&o->wake_lock);
  return mine.status ? edge_fail(err, mine.status, "%s", mine.err.text) : WHET_OK;
}
