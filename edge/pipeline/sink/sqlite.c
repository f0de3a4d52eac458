/* SPDX-License-Identifier: Apache-2.0 */
/* The sink `sqlite`: events as rows of a table: when, from which branch, what happened, and the whole event as JSON.
 * Rows of a short time share a transaction, which the next event or the end commits; `sync` makes one of each. */

#include "edge/pipeline/sink/lines.h"

#ifdef WHET_HAVE_SQLITE
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

typedef struct sqlite {
  pl_node n;
  const char *path, *table;
  bool sync;
  double every;
  int64_t most; /* rows kept; 0: all */
  sqlite3 *db;
  sqlite3_stmt *add, *trim;
  bool open;     /* a transaction is */
  int64_t since; /* when it began */
  serve_buf line;
} sqlite;

#define AT(field) offsetof(sqlite, field)
static const conf_key k_keys[] = {{.name = "path", CONF_STR, AT(path), NULL, 0, 0, true},
                                  {.name = "table", CONF_STR, AT(table)},
                                  {.name = "sync", CONF_BOOL, AT(sync)},
                                  {.name = "every", CONF_SECONDS, AT(every), NULL, 0, 3600},
                                  {.name = "most", CONF_INT, AT(most), NULL, 1, 1e15},
                                  {0}};
static const sqlite k_defaults = {.table = "events", .every = 1};

static whet_status open_sqlite(pl_node *n, whet_err *err) {
  sqlite *s = (sqlite *)n;
  if (!(s->path = pl_path(n, s->path, err))) return WHET_E_MEMORY;
  if (!*s->table ||
      strspn(s->table, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") != strlen(s->table))
    return pl_fail(n, err, "table: expected a name of letters, digits and _");
  return WHET_OK;
}

static whet_status wrong(sqlite *s, whet_err *err) {
  int code = s->db ? sqlite3_errcode(s->db) & 255 : SQLITE_NOMEM;
  return edge_fail(err,
                   code == SQLITE_FULL    ? WHET_E_LIMIT
                   : code == SQLITE_NOMEM ? WHET_E_MEMORY
                                          : WHET_E_IO,
                   "%s: %s", s->path, s->db ? sqlite3_errmsg(s->db) : "no memory");
}

static whet_status text_sql(sqlite *s, const char *sql, whet_err *err) {
  return sqlite3_exec(s->db, sql, NULL, NULL, NULL) ? wrong(s, err) : WHET_OK;
}

static whet_status start(pl_node *n, whet_err *err) {
  sqlite *s = (sqlite *)n;
  char sql[600];
  if (sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL))
    return wrong(s, err), pl_fail_here(n, err);
  sqlite3_busy_timeout(s->db, 5000);
  snprintf(sql, sizeof sql,
           "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE IF NOT EXISTS \"%s\" (id INTEGER PRIMARY "
           "KEY, time TEXT NOT NULL, "
           "branch TEXT NOT NULL, source TEXT, item TEXT, event TEXT, subject TEXT, json TEXT NOT NULL)",
           s->table);
  if (text_sql(s, sql, err)) return pl_fail_here(n, err);
  snprintf(sql, sizeof sql,
           "INSERT INTO \"%s\" (time, branch, source, item, event, subject, json) VALUES (?,?,?,?,?,?,?)", s->table);
  if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->add, NULL))
    return wrong(s, err), pl_fail_here(n, err);
  snprintf(sql, sizeof sql, "DELETE FROM \"%s\" WHERE id <= (SELECT max(id) FROM \"%s\") - ?", s->table, s->table);
  if (s->most && sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->trim, NULL))
    return wrong(s, err), pl_fail_here(n, err);
  return WHET_OK;
}

static whet_status flush(pl_node *n, whet_err *err) {
  sqlite *s = (sqlite *)n;
  if (!s->open) return WHET_OK;
  if (s->trim) {
    sqlite3_bind_int64(s->trim, 1, s->most);
    sqlite3_step(s->trim);
    if (sqlite3_reset(s->trim)) return wrong(s, err);
  }
  EDGE_TRY(text_sql(s, "COMMIT", err));
  s->open = false;
  return WHET_OK;
}

/* A part of the event, NULL where it is hidden or none. */
static void bind(sqlite *s, int i, const pl_frame *f, pl_field what, const char *text) {
  if (text && *text && pl_shows(f, what))
    sqlite3_bind_text(s->add, i, text, -1, SQLITE_STATIC);
  else
    sqlite3_bind_null(s->add, i);
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  sqlite *s = (sqlite *)n;
  char time[PL_TIME];
  if (!s->open) {
    EDGE_TRY(text_sql(s, "BEGIN IMMEDIATE", err));
    s->open = true;
    s->since = edge_now();
  }
  EDGE_TRY(sink_line(n, f, &s->line, false, err));
  pl_time_text(f->time, time);
  sqlite3_bind_text(s->add, 1, pl_shows(f, PL_FIELD_TIME) ? time : "", -1, SQLITE_STATIC);
  sqlite3_bind_text(s->add, 2, pl_shows(f, PL_FIELD_BRANCH) ? f->branch : "", -1, SQLITE_STATIC);
  bind(s, 3, f, PL_FIELD_SOURCE, f->source);
  bind(s, 4, f, PL_FIELD_ITEM, f->item);
  bind(s, 5, f, PL_FIELD_EVENT, f->event);
  bind(s, 6, f, PL_FIELD_SUBJECT, f->subject);
  sqlite3_bind_text(s->add, 7, s->line.p, (int)s->line.n, SQLITE_STATIC);
  sqlite3_step(s->add);
  if (sqlite3_reset(s->add)) return wrong(s, err);
  return s->sync || (double)(edge_now() - s->since) * 1e-9 >= s->every ? flush(n, err) : WHET_OK;
}

static void close_sqlite(pl_node *n) {
  sqlite *s = (sqlite *)n;
  sqlite3_finalize(s->add);
  sqlite3_finalize(s->trim);
  if (s->db) sqlite3_close(s->db);
  buf_free(&s->line);
}

const pl_kind pl_sink_sqlite = {.name = "sqlite",
                                .size = sizeof(sqlite),
                                .keys = k_keys,
                                .lone = "path",
                                .defaults = &k_defaults,
                                .open = open_sqlite,
                                .start = start,
                                .run = run,
                                .flush = flush,
                                .close = close_sqlite};
#else
static whet_status lacks(pl_node *n, whet_err *err) {
  return pl_fail(n, err, "this build lacks SQLite (Debian: libsqlite3-dev)");
}

const pl_kind pl_sink_sqlite = {.name = "sqlite", .size = sizeof(pl_node), .loose = true, .open = lacks};
#endif
