/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite:///PATH[?table=NAME]: records as rows of a table, by their key: one that comes twice is there once. A batch
 * is one transaction, written through to the disk. */

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/send/inner.h"

struct table {
  char *path;
  const char *name;
  sqlite3 *db; /* opened with the first batch */
  sqlite3_stmt *add;
};

static whet_status open_table(sender *s, whet_err *err) {
  static const char k_table[] = "?table=";
  struct table *t = calloc(1, sizeof *t);
  if (!t) return edge_fail(err, WHET_E_MEMORY, "no memory for a sender");
  s->own = t;
  const char *path = s->o.url + 9; /* sqlite:// */
  size_t n = strcspn(path, "?");
  if (*path != '/' || n < 2)
    return edge_fail(err, WHET_E_DATA, "%.200s: expected sqlite:/// and a path from the root", s->o.url);
  if (!(t->path = strdup(path))) return edge_fail(err, WHET_E_MEMORY, "no memory for a sender");
  t->name = "records";
  if (path[n]) {
    t->name = t->path + n + sizeof k_table - 1;
    if (strncmp(path + n, k_table, sizeof k_table - 1) || !*t->name ||
        t->name[strspn(t->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789")])
      return edge_fail(err, WHET_E_DATA, "%.200s: expected ?table= and a name of letters, digits and _", s->o.url);
  }
  t->path[n] = 0;
  return WHET_OK;
}

static void shut_table(struct table *t) {
  sqlite3_finalize(t->add);
  sqlite3_close(t->db);
  t->add = NULL, t->db = NULL;
}

/* Open the file, make the table. False: t->db says why, as far as it is there. */
static bool ready(struct table *t) {
  char sql[600];
  if (t->add) return true;
  if (sqlite3_open_v2(t->path, &t->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL))
    return false;
  sqlite3_busy_timeout(t->db, 5000);
  snprintf(
      sql, sizeof sql,
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE IF NOT EXISTS \"%.200s\" (key TEXT PRIMARY "
      "KEY, stream TEXT NOT NULL, time REAL NOT NULL, type TEXT NOT NULL, data NOT NULL)",
      t->name);
  if (sqlite3_exec(t->db, sql, NULL, NULL, NULL)) return false;
  snprintf(sql, sizeof sql, "INSERT OR IGNORE INTO \"%.200s\" (key, stream, time, type, data) VALUES (?,?,?,?,?)",
           t->name);
  return !sqlite3_prepare_v3(t->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &t->add, NULL);
}

static bool add(struct table *t, const outbox_item *x) {
  bool text = !strcmp(x->type, "application/json") || !strncmp(x->type, "text/", 5);
  sqlite3_bind_text(t->add, 1, x->key, -1, SQLITE_STATIC);
  sqlite3_bind_text(t->add, 2, x->stream, -1, SQLITE_STATIC);
  sqlite3_bind_double(t->add, 3, x->created);
  sqlite3_bind_text(t->add, 4, x->type, -1, SQLITE_STATIC);
  if (text)
    sqlite3_bind_text64(t->add, 5, x->n ? x->data : "", x->n, SQLITE_STATIC, SQLITE_UTF8);
  else
    sqlite3_bind_blob64(t->add, 5, x->n ? x->data : "", x->n, SQLITE_STATIC);
  sqlite3_step(t->add);
  return !sqlite3_reset(t->add);
}

/* All of the batch or none. */
static bool write_all(struct table *t, const outbox_batch *b, int64_t *bytes) {
  if (!ready(t) || sqlite3_exec(t->db, "BEGIN IMMEDIATE", NULL, NULL, NULL)) return false;
  int64_t sum = 0;
  for (size_t i = 0; i < b->n; sum += (int64_t)b->item[i++].n)
    if (!add(t, &b->item[i])) return false;
  if (sqlite3_exec(t->db, "COMMIT", NULL, NULL, NULL)) return false;
  *bytes = sum;
  return true;
}

static whet_status batch(sender *s, const outbox_batch *b, outbox_answer *a, int64_t *bytes, whet_err *err) {
  struct table *t = s->own;
  (void)err;
  if (write_all(t, b, bytes)) {
    send_all(a, 0, b->n, OUTBOX_SENT, 0, "");
    return WHET_OK;
  }
  send_all(a, 0, b->n, OUTBOX_UNREACHED, 0, t->db ? sqlite3_errmsg(t->db) : "no memory");
  shut_table(t); /* rolls back; the next batch begins anew */
  return WHET_OK;
}

static void close_table(sender *s) {
  struct table *t = s->own;
  if (!t) return;
  shut_table(t);
  free(t->path);
  free(t);
}

const send_kind send_table = {.open = open_table, .batch = batch, .close = close_table};
