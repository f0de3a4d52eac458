/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_OUTBOX_OUTBOX_H
#define WHET_EDGE_OUTBOX_OUTBOX_H

/* The outbox: records that must arrive, whatever the link does. They lie in an SQLite file until whoever they are for
 * has answered.
 *
 * - put: returns when the record is on the disk; what was acknowledged survives kills and power cuts.
 *
 * - order: records of one stream are delivered in the order in which they were put; between streams the greater
 * priority goes first, then the older record. Records without a stream have no order among themselves.
 *
 * - once? At least once: a cut between delivery and its note here delivers again, under the same key, by which a
 * receiver that honours keys (Idempotency-Key) stores it once.
 *
 * - full: at a cap on bytes or records, or on a full disk: refuse what is new, or drop the oldest of the lowest
 * priority.
 *
 * - age: a record past its time to live is thrown away, not sent.
 *
 * - trouble: a record that the other side refuses for good becomes a dead letter, kept with the reason.
 *
 * Times to live and the day of the byte budget go by the wall clock, so that they outlast a restart: a clock set
 * forward ends them early, one set back keeps records longer. Pauses between attempts go by the monotonic clock.
 *
 * Any number of threads and processes may put; one at a time may deliver (a lock says so). Sources: SQLite's WAL and
 * synchronous pragmas (sqlite.org/wal.html), RFC 9562 (keys are UUIDs of version 7). */

#include "edge/edge.h"

typedef struct outbox outbox;

typedef enum outbox_full {
  OUTBOX_REFUSE,     /* put fails with E_LIMIT */
  OUTBOX_DROP_OLDEST /* the oldest record of the lowest priority goes, none above the new one's; else put fails */
} outbox_full;

typedef struct outbox_opts {
  const char *path;    /* of the file; made when it is not there */
  int64_t max_bytes;   /* of records' data; 0: 1 GiB */
  int64_t max_records; /* 0: 10 million */
  outbox_full when_full;
  double ttl;                  /* seconds, of records that have none of their own; 0: for ever */
  int64_t daily_bytes;         /* sent in a day (UTC), by outbox_spend; 0: no bound */
  int max_attempts;            /* a record that was answered with failures so often becomes a dead letter; 0: never */
  double retry_min, retry_max; /* seconds of the first and the longest pause; 0: 1 and 300 */
  const char *vfs;             /* SQLite's file layer by name; NULL: the system's. For tests */
} outbox_opts;

/* Open; *out is closed with outbox_close. E_IO, E_FORMAT (not an outbox, or one of a later version). */
EDGE_MUST whet_status outbox_open(const outbox_opts *o, outbox **out, whet_err *err);
/* Sets *o to NULL; NULL is accepted. Nobody may be in a call on it. */
void outbox_close(outbox **o);

typedef struct outbox_record {
  const char *stream; /* NULL or "": none */
  const char *key;    /* NULL: one is made. A key that waits already is the same record: nothing is added */
  const char *type;   /* media type; NULL: application/json */
  int priority;       /* a stream's waiting records all have that of the last one put */
  double ttl;         /* seconds; 0: that of the outbox, < 0: for ever */
  const void *data;
  size_t n;
} outbox_record;

/* Put n records, all or none. Puts of several threads at the same time share one write to the disk. E_LIMIT: full. */
EDGE_MUST whet_status outbox_put(outbox *o, const outbox_record *r, size_t n, whet_err *err);

/* ---- delivering --------------------------------------------------------------------------------- */

typedef struct outbox_item {
  int64_t id;
  const char *stream, *key, *type; /* stream "" for none */
  int64_t stream_id;               /* 0: none */
  int priority, attempts;          /* attempts: made before this one */
  double created;                  /* seconds since 1970 */
  const void *data;
  size_t n;
} outbox_item;

/* The records to deliver now, in order; valid until the next call that fills or frees it. */
typedef struct outbox_batch {
  outbox_item *item;
  size_t n, cap;
  char *text;
  size_t text_n, text_cap;
} outbox_batch;
void outbox_batch_free(outbox_batch *b);

/* Become the one who delivers. E_MISUSE: another process or outbox does. */
EDGE_MUST whet_status outbox_claim(outbox *o, whet_err *err);
/* Up to `most` records of up to most_bytes in all (at least one). b->n 0: nothing is due. *wait (NULL allowed):
 * seconds until something may be, as far as is known; < 0: nothing waits. Expired ones are thrown away here. */
EDGE_MUST whet_status outbox_take(outbox *o, size_t most, size_t most_bytes, outbox_batch *b, double *wait,
                                  whet_err *err);

/* What became of a record that was taken. */
typedef enum outbox_fate {
  OUTBOX_SENT,  /* remove it */
  OUTBOX_AGAIN, /* answered with a failure that may pass: try again after a pause, for which the rest of its stream
                   waits, too */
  OUTBOX_UNREACHED, /* nobody answered: try again; no attempt is counted */
  OUTBOX_REFUSED    /* make it a dead letter */
} outbox_fate;
typedef struct outbox_answer {
  outbox_fate fate;
  double after;  /* AGAIN: not before so many seconds; 0: as the back-off says */
  char why[120]; /* for people; "" for none */
} outbox_answer;
/* answer[i] is for item i of the batch. */
EDGE_MUST whet_status outbox_settle(outbox *o, const outbox_batch *b, const outbox_answer *answer, whet_err *err);
/* The other side is there again, as somebody saw: what rests because nobody answered is due now. Any thread. */
void outbox_retry(outbox *o);
/* Bytes went over the link: they count for the day's budget. */
EDGE_MUST whet_status outbox_spend(outbox *o, int64_t bytes, whet_err *err);

/* ---- looking ------------------------------------------------------------------------------------ */

typedef struct outbox_stats {
  int64_t records, bytes, streams; /* that wait */
  int64_t dead, dead_bytes;
  double oldest; /* when the first that waits was put, seconds since 1970; 0: none waits */
  /* Since the file was made. */
  int64_t put, sent, expired, dropped, refused, attempts;
  int64_t spent_today; /* bytes */
} outbox_stats;
EDGE_MUST whet_status outbox_stat(outbox *o, outbox_stats *s, whet_err *err);
/* How many records wait: one look-up, for those who ask often. */
EDGE_MUST whet_status outbox_waiting(outbox *o, int64_t *records, whet_err *err);

/* Every record that waits, or every dead letter, in order. `row` not OK: stop with that. why: of dead letters. */
typedef whet_status (*outbox_row)(void *user, const outbox_item *item, const char *why);
EDGE_MUST whet_status outbox_each(outbox *o, bool dead, outbox_row row, void *user, whet_err *err);
/* Throw away dead letters, or all that waits; *n: how many. */
EDGE_MUST whet_status outbox_purge(outbox *o, bool dead, int64_t *n, whet_err *err);
/* Dead letters wait again, at the end of their streams. */
EDGE_MUST whet_status outbox_revive(outbox *o, int64_t *n, whet_err *err);

/* ---- the thread that delivers -------------------------------------------------------------------- */

struct sender;
typedef struct outbox_drain outbox_drain;
typedef struct outbox_drain_opts {
  size_t batch;           /* records at once; 0: 500 */
  size_t batch_bytes;     /* 0: 1 MiB */
  bool once;              /* end when nothing waits any more */
  _Atomic uint64_t *sent; /* bytes over the link are added to it; NULL: to nothing */
} outbox_drain_opts;
/* Deliver through s, which outlives it, from now on. */
EDGE_MUST whet_status outbox_drain_start(outbox *o, struct sender *s, const outbox_drain_opts *opts,
                                         outbox_drain **out, whet_err *err);
/* Ends within 200 ms, whatever the link does; what was not answered stays. Sets *d to NULL. The first failure of the
 * outbox itself (not of the link) comes back in err. */
whet_status outbox_drain_stop(outbox_drain **d, whet_err *err);
/* With `once`: wait until all is delivered; as outbox_drain_stop then. */
whet_status outbox_drain_wait(outbox_drain **d, whet_err *err);
/* The last trouble with the link, "" for none; into text. */
void outbox_drain_trouble(outbox_drain *d, char text[120]);
/* Seconds for which nothing has got through although it was tried, 0 when the link is well. */
double outbox_drain_down(outbox_drain *d);

#endif
