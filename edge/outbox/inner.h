/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_OUTBOX_INNER_H
#define WHET_EDGE_OUTBOX_INNER_H

/* What the files of the outbox share. */

#include <pthread.h>
#include <sqlite3.h>

#include "edge/outbox/key.h"
#include "edge/outbox/outbox.h"

/* Statements, prepared when first used: row of k_sql in store.c. */
typedef enum ob_sql {
  OB_BEGIN,
  OB_COMMIT,
  OB_ROLLBACK,
  OB_STREAM_ADD,
  OB_STREAM_ID,
  OB_STREAM_LIFT,
  OB_ADD,
  OB_TOTALS,
  OB_COUNT,
  OB_EVICT,
  OB_TAKE,
  OB_EXPIRED,
  OB_EXPIRE,
  OB_DONE,
  OB_ATTEMPT,
  OB_BURY,
  OB_SPEND,
  OB_SPENT,
  OB_STREAM_CLEAN,
  OB_SQL_COUNT
} ob_sql;

/* A connection and its statements; used by one thread at a time. */
typedef struct ob_conn {
  sqlite3 *db;
  sqlite3_stmt *st[OB_SQL_COUNT];
} ob_conn;

/* A put that waits for the thread that writes for all. */
typedef struct ob_put {
  struct ob_put *next;
  const outbox_record *r;
  size_t n;
  bool done;
  whet_status status;
  whet_err err;
} ob_put;

/* A stream, or a record without one, that pauses. */
typedef struct ob_pause {
  int64_t stream, id; /* id: of the record when stream is 0 */
  int tries;
  int64_t until; /* monotonic ns */
} ob_pause;

struct outbox {
  outbox_opts o;
  char *path;
  ob_conn put, give;        /* the first is written through to the disk at every commit */
  pthread_mutex_t put_lock; /* the list below and who leads */
  pthread_cond_t put_done;
  ob_put *waiting, **last;
  bool leading;
  pthread_mutex_t give_lock; /* `give` and the pauses */
  ob_pause *pause;
  size_t n_pause, cap_pause;
  int64_t rest_until; /* the whole link pauses; monotonic ns */
  int rest_tries;
  int claim;                 /* the lock's file; -1: not ours */
  uint64_t seed;             /* of jitter */
  pthread_mutex_t wake_lock; /* a leaf */
  pthread_cond_t wake;       /* one of the counters below moved, or the drain is to end */
  uint64_t puts, retries;
};

/* A statement of c, ready to be bound; NULL: err says why. */
sqlite3_stmt *ob_ready(ob_conn *c, ob_sql which, whet_err *err);
/* The same with its first parameter bound to a number. */
sqlite3_stmt *ob_ready_int(ob_conn *c, ob_sql which, int64_t first, whet_err *err);
/* Step a statement that gives no rows, and reset it. */
whet_status ob_run(ob_conn *c, sqlite3_stmt *st, whet_err *err);
whet_status ob_do(ob_conn *c, ob_sql which, whet_err *err);
/* End a transaction that came to s: commit, or roll back when it or the commit failed. */
whet_status ob_end(ob_conn *c, whet_status s, whet_err *err);
/* SQLite's last failure as one of ours: E_LIMIT for a full disk. */
whet_status ob_fail(ob_conn *c, whet_err *err);
/* The one number that a statement gives; resets it. */
whet_status ob_number(ob_conn *c, sqlite3_stmt *st, int64_t *out, whet_err *err);
/* Add to a counter. */
enum {
  OB_C_RECORDS = 1,
  OB_C_BYTES,
  OB_C_PUT,
  OB_C_SENT,
  OB_C_EXPIRED,
  OB_C_DROPPED,
  OB_C_REFUSED,
  OB_C_ATTEMPTS,
  OB_C_DEAD,
  OB_C_DEAD_BYTES
};
whet_status ob_count(ob_conn *c, int which, int64_t by, whet_err *err);
/* What a counter says. */
whet_status ob_total(ob_conn *c, int which, int64_t *n, whet_err *err);

/* Seconds since 1970, and days: those of the byte budget. */
double ob_wall(void);
int64_t ob_today(void);
/* Bytes that were sent today. */
whet_status ob_spent(ob_conn *c, int64_t *n, whet_err *err);

/* What a query selects of records r with streams s, and a row of it, whose texts last until the next step. */
#define OB_ROW "r.id, r.stream, coalesce(s.name,''), r.key, r.type, r.priority, r.attempts, r.created, r.data"
outbox_item ob_row(sqlite3_stmt *st);

/* The reserve: a file of zeros beside the outbox, given up when the disk is full so that deliveries can still be
 * noted. */
void ob_reserve_make(const outbox *o);
bool ob_reserve_drop(const outbox *o);

#endif
