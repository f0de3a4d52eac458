/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in an outbox, and clearing it out. */

#include <string.h>

#include "edge/outbox/inner.h"

/* One number of a query that is asked seldom; none is 0. */
static whet_status ask(ob_conn *c, const char *sql, int64_t *n, double *d, whet_err *err) {
  sqlite3_stmt *st;
  if (sqlite3_prepare_v2(c->db, sql, -1, &st, NULL)) return ob_fail(c, err);
  int code = sqlite3_step(st);
  whet_status s = code == SQLITE_ROW || code == SQLITE_DONE ? WHET_OK : ob_fail(c, err);
  if (code == SQLITE_ROW && n) *n = sqlite3_column_int64(st, 0);
  if (code == SQLITE_ROW && d) *d = sqlite3_column_double(st, 0);
  sqlite3_finalize(st);
  return s;
}

/* Pipelines ask this every second and once more when they end: it takes no longer for a hundred thousand records.
 * From stream to stream by the index. */
static const char k_streams[] =
    "WITH RECURSIVE s(x) AS (SELECT min(stream) FROM record WHERE stream<>0 UNION ALL SELECT (SELECT min(stream) "
    "FROM "
    "record WHERE stream<>0 AND stream>x) FROM s WHERE x IS NOT NULL) SELECT count(x) FROM s";

whet_status outbox_stat(outbox *o, outbox_stats *s, whet_err *err) {
  ob_conn *c = &o->give;
  int64_t *const to[] = {&s->records, &s->bytes,   &s->put,      &s->sent, &s->expired,
                         &s->dropped, &s->refused, &s->attempts, &s->dead, &s->dead_bytes};
  *s = (outbox_stats){0};
  pthread_mutex_lock(&o->give_lock);
  whet_status r = WHET_OK;
  for (size_t i = 0; i < EDGE_COUNT(to) && !r; i++) r = ob_total(c, (int)i + 1, to[i], err);
  if (!r) r = ask(c, k_streams, &s->streams, NULL, err);
  if (!r) r = ask(c, "SELECT created FROM record ORDER BY id LIMIT 1", NULL, &s->oldest, err);
  if (!r) r = ob_spent(c, &s->spent_today, err);
  pthread_mutex_unlock(&o->give_lock);
  return r;
}

whet_status outbox_waiting(outbox *o, int64_t *records, whet_err *err) {
  pthread_mutex_lock(&o->give_lock);
  whet_status s = ob_total(&o->give, OB_C_RECORDS, records, err);
  pthread_mutex_unlock(&o->give_lock);
  return s;
}

whet_status outbox_each(outbox *o, bool dead, outbox_row row, void *user, whet_err *err) {
  static const char *const sql[] = {
      "SELECT " OB_ROW ", '' FROM record r LEFT JOIN stream s ON s.id=r.stream ORDER BY r.priority DESC, r.id",
      "SELECT id, 0, stream, key, type, priority, attempts, created, data, why FROM dead ORDER BY id"};
  ob_conn *c = &o->give;
  sqlite3_stmt *st;
  pthread_mutex_lock(&o->give_lock);
  whet_status s = sqlite3_prepare_v2(c->db, sql[dead], -1, &st, NULL) ? ob_fail(c, err) : WHET_OK;
  int code = SQLITE_DONE;
  while (!s && (code = sqlite3_step(st)) == SQLITE_ROW) {
    const outbox_item x = ob_row(st);
    s = row(user, &x, (const char *)sqlite3_column_text(st, 9));
  }
  if (!s && code != SQLITE_DONE && code != SQLITE_ROW) s = ob_fail(c, err);
  sqlite3_finalize(st);
  pthread_mutex_unlock(&o->give_lock);
  return s;
}

/* A transaction of plain statements; *n: rows that the first changes. */
static whet_status change(outbox *o, const char *first, const char *then, int64_t *n, whet_err *err) {
  ob_conn *c = &o->give;
  pthread_mutex_lock(&o->give_lock);
  whet_status s = ob_do(c, OB_BEGIN, err);
  if (!s) {
    if (sqlite3_exec(c->db, first, NULL, NULL, NULL)) s = ob_fail(c, err);
    *n = s ? 0 : sqlite3_changes(c->db);
    if (!s && sqlite3_exec(c->db, then, NULL, NULL, NULL)) s = ob_fail(c, err);
    s = ob_end(c, s, err);
  }
  pthread_mutex_unlock(&o->give_lock);
  return s;
}

whet_status outbox_purge(outbox *o, bool dead, int64_t *n, whet_err *err) {
  if (dead) return change(o, "DELETE FROM dead", "UPDATE counter SET n=0 WHERE id IN (9,10)", n, err);
  return change(o, "DELETE FROM record", "UPDATE counter SET n=0 WHERE id IN (1,2); DELETE FROM stream", n, err);
}

whet_status outbox_revive(outbox *o, int64_t *n, whet_err *err) {
  int64_t names;
  EDGE_TRY(change(o, "INSERT OR IGNORE INTO stream(name) SELECT stream FROM dead WHERE stream<>'' ORDER BY id", "",
                  &names, err));
  return change(
      o,
      "INSERT OR IGNORE INTO record(stream,priority,key,created,expires,type,data) "
      "SELECT coalesce((SELECT id FROM stream WHERE name=dead.stream),0),priority,key,created,NULL,type,data FROM "
      "dead ORDER BY id",
      "UPDATE counter SET n=(SELECT count(*) FROM record) WHERE id=1;"
      "UPDATE counter SET n=(SELECT coalesce(sum(length(data)),0) FROM record) WHERE id=2; DELETE FROM dead;"
      "UPDATE counter SET n=0 WHERE id IN (9,10)",
      n, err);
}
