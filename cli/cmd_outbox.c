/* SPDX-License-Identifier: Apache-2.0 */
/* whet outbox: records into an outbox, out of it, and what lies in it. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "opts.h"
#include "out.h"

#ifdef WHET_HAVE_OUTBOX
#include "edge/outbox/outbox.h"
#include "edge/send/send.h"
#endif

struct options {
  const char *stream, *key, *type, *to, *token, *token_file, *ca, *cert, *cert_key, *client;
  int64_t priority, max_records, attempts, batch;
  size_t max_bytes, daily, batch_bytes;
  double ttl, retry_min, retry_max, timeout;
  int full;
  bool lines, once, compress, single;
};

#define AT(field) offsetof(struct options, field)
static const cli_opt k_put[] = {
    {"stream", 's', CLI_TEXT, AT(stream), "NAME", "records of one stream keep their order", 0, 0},
    {"key", 'k', CLI_TEXT, AT(key), "KEY", "idempotency key (default: one is made for each record)", 0, 0},
    {"priority", 'p', CLI_INT, AT(priority), "N", "the greater goes first (default: 0)", -1000000, 1000000},
    {"ttl", 0, CLI_REAL, AT(ttl), "SECONDS", "thrown away when not delivered by then (default: never)", 0, 1e12},
    {"type", 0, CLI_TEXT, AT(type), "TYPE", "media type (default: application/json)", 0, 0},
    {"lines", 0, CLI_FLAG, AT(lines), NULL, "each line of standard input is a record; else the whole is one", 0, 0},
    {0}};
static const cli_opt k_drain[] = {
    {"to", 0, CLI_TEXT, AT(to), "URL",
     "http(s)://HOST/PATH, mqtt(s)://[USER:PASSWORD@]HOST[:PORT]/TOPIC, file:///PATH, folder:///PATH, sqlite:///PATH?table=NAME or -", 0, 0},
    {"once", 0, CLI_FLAG, AT(once), NULL, "end when all is delivered, else run until SIGTERM", 0, 0},
    {"batch", 0, CLI_INT, AT(batch), "N", "records at once (default: 500)", 1, 100000},
    {"batch-bytes", 0, CLI_SIZE, AT(batch_bytes), "BYTES", "and no more than this (default: 1M)", 0, 0},
    {"compress", 0, CLI_FLAG, AT(compress), NULL, "HTTP: bodies as gzip", 0, 0},
    {"single", 0, CLI_FLAG, AT(single), NULL, "HTTP: a request for each record", 0, 0},
    {"timeout", 0, CLI_REAL, AT(timeout), "SECONDS", "for an answer (default: 30)", 0.001, 86400},
    {"token-file", 0, CLI_TEXT, AT(token_file), "FILE", "HTTP: a bearer token is its first line", 0, 0},
    {"ca", 0, CLI_TEXT, AT(ca), "FILE", "TLS: certificates to trust (default: the system's)", 0, 0},
    {"cert", 0, CLI_TEXT, AT(cert), "FILE", "TLS: our certificate", 0, 0},
    {"cert-key", 0, CLI_TEXT, AT(cert_key), "FILE", "TLS: its key", 0, 0},
    {"client", 0, CLI_TEXT, AT(client), "ID", "MQTT: client id (default: one that is made)", 0, 0},
    {0}};
static const cli_opt k_rules[] = {
    {"max-bytes", 0, CLI_SIZE, AT(max_bytes), "BYTES", "put: cap on what waits (default: 1G)", 0, 0},
    {"max-records", 0, CLI_INT, AT(max_records), "N", "put: cap on how many wait (default: 10 million)", 1, 1e15},
    {"full", 0, CLI_CHOICE, AT(full), "refuse|drop-oldest",
     "put: at the cap or on a full disk the new record is refused, or the oldest of the lowest priority goes "
     "(default: refuse)",
     0, 0},
    {"retry-min", 0, CLI_REAL, AT(retry_min), "SECONDS",
     "drain: first pause after a failure; each is up to twice the last (default: 1)", 0.001, 86400},
    {"retry-max", 0, CLI_REAL, AT(retry_max), "SECONDS", "drain: the longest (default: 300)", 0.001, 1e7},
    {"attempts", 0, CLI_INT, AT(attempts), "N",
     "drain: after so many answers of failure a record becomes a dead letter (default: never)", 1, 1e9},
    {"daily", 0, CLI_SIZE, AT(daily), "BYTES", "drain: no more than this in a day (UTC)", 0, 0},
    {0}};

static const cli_use k_use = {
    .synopsis = "put|drain|status|list|dead|revive|purge FILE [OPTION]...",
    .about =
        "An outbox keeps records on the disk until they are delivered: across kills, power cuts and days without a "
        "link. "
        "What was put survives; records of a stream arrive in order; each arrives at least once, and under the same "
        "key if more often.\n"
        "put reads standard input. drain delivers, in one process at a time. status counts. list and dead print what "
        "waits, and what was "
        "refused for good, as lines of JSON. revive lets dead letters wait again; purge throws them away.",
    .examples =
        "  echo '{\"temperature\": 21.5}' | whet outbox put box.db --stream boiler\n"
        "  whet outbox drain box.db --to https://collector.example/v1/events --compress\n"
        "  whet outbox drain box.db --to mqtt://broker.example/site/{stream} --once\n"
        "  whet outbox status box.db\n",
    .least = 2,
    .most = 2,
    .missing = "say what to do and name the file: whet outbox status FILE"};

#ifdef WHET_HAVE_OUTBOX
static int fail(const char *path, const whet_err *err) { return cli_fail_err(path, err); }

/* ---- put --------------------------------------------------------------------------------------- */

enum { GROUP = 1000 };

static int put_lines(outbox *o, const outbox_record *like, int64_t *n, whet_err *err) {
  outbox_record r[GROUP];
  char *text[GROUP] = {0};
  size_t cap[GROUP] = {0}, k = 0;
  whet_status s = WHET_OK;
  for (bool more = true; more && !s;) {
    ssize_t got = getline(&text[k], &cap[k], stdin);
    more = got >= 0;
    if (more && got && text[k][got - 1] == '\n') got--;
    if (more && got) {
      r[k] = *like;
      r[k].data = text[k], r[k].n = (size_t)got;
      k++;
    }
    if (k < GROUP && more) continue;
    s = outbox_put(o, r, k, err);
    if (!s) *n += (int64_t)k;
    k = 0;
  }
  for (size_t i = 0; i < GROUP; i++) free(text[i]);
  return s;
}

static char *read_all(size_t *n) {
  size_t cap = 65536;
  char *p = malloc(cap);
  *n = 0;
  while (p) {
    if (*n == cap) {
      char *more = realloc(p, cap *= 2);
      if (!more) free(p);
      if (!(p = more)) break;
    }
    size_t got = fread(p + *n, 1, cap - *n, stdin);
    if (!got) break;
    *n += got;
  }
  return p;
}

static int put(const char *path, outbox *o, const struct options *a, bool json) {
  outbox_record like = {
      .stream = a->stream, .key = a->key, .type = a->type, .priority = (int)a->priority, .ttl = a->ttl};
  whet_err err = {0};
  int64_t n = 0;
  int s;
  if (a->lines && a->key) return cli_wrong("--key names one record, not each of --lines");
  if (a->lines) {
    s = put_lines(o, &like, &n, &err);
  } else {
    char *p = read_all(&like.n);
    like.data = p;
    s = p ? outbox_put(o, &like, 1, &err) : WHET_E_MEMORY;
    n = !s;
    free(p);
  }
  if (s) {
    if (n) cli_error("%s records are in it, the rest is not", cli_count(n));
    return fail(path, &err);
  }
  return json ? cli_json(json_pack("{s:I}", "put", (json_int_t)n), 6) : 0;
}

/* ---- drain ------------------------------------------------------------------------------------- */

static int drain(const char *path, outbox *o, const struct options *a, bool json) {
  send_opts so = {.url = a->to,
                  .ca = a->ca,
                  .cert = a->cert,
                  .key = a->cert_key,
                  .client = a->client,
                  .timeout = a->timeout,
                  .compress = a->compress,
                  .single = a->single};
  outbox_drain_opts od = {.batch = (size_t)a->batch, .batch_bytes = a->batch_bytes, .once = a->once};
  outbox_drain *d;
  sender *s;
  whet_err err = {0};
  sigset_t set;
  if (!a->to) return cli_wrong("say where records go: --to URL");
  if (a->token_file && !(so.token = cli_read_token(a->token_file, &err))) return fail(NULL, &err);
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, NULL); /* before there are threads, which inherit it */
  if (send_open(&so, &s, &err)) return fail(NULL, &err);
  if (outbox_drain_start(o, s, &od, &d, &err)) {
    send_close(&s);
    return fail(NULL, &err);
  }
  whet_status r;
  if (a->once) {
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    r = outbox_drain_wait(&d, &err);
  } else {
    const struct timespec while_ = {0, 500000000};
    char said[120] = "", now[120];
    int sig;
    do { /* trouble is told when it changes */
      outbox_drain_trouble(d, now);
      if (strcmp(now, said)) cli_error("%s", *now ? now : "delivering again");
      memcpy(said, now, sizeof said);
      sig = sigtimedwait(&set, NULL, &while_);
    } while (sig < 0);
    r = outbox_drain_stop(&d, &err);
  }
  send_close(&s);
  outbox_stats t;
  if (!r) r = outbox_stat(o, &t, &err);
  if (r) return fail(path, &err);
  if (!json) return 0;
  return cli_json(json_pack("{s:I, s:I, s:I}", "sent", (json_int_t)t.sent, "waiting", (json_int_t)t.records, "dead",
                            (json_int_t)t.dead),
                  6);
}

/* ---- looking ----------------------------------------------------------------------------------- */

static int status(const char *path, outbox *o, bool json) {
  outbox_stats t;
  whet_err err = {0};
  if (outbox_stat(o, &t, &err)) return fail(path, &err);
  double age = t.oldest > 0 ? (double)time(NULL) - t.oldest : 0;
  if (json)
    return cli_json(
        json_pack("{s:I, s:I, s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "waiting",
                  (json_int_t)t.records, "bytes", (json_int_t)t.bytes, "streams", (json_int_t)t.streams,
                  "oldest_seconds", age, "dead", (json_int_t)t.dead, "dead_bytes", (json_int_t)t.dead_bytes, "put",
                  (json_int_t)t.put, "sent", (json_int_t)t.sent, "expired", (json_int_t)t.expired, "dropped",
                  (json_int_t)t.dropped, "refused", (json_int_t)t.refused, "attempts", (json_int_t)t.attempts,
                  "sent_today_bytes", (json_int_t)t.spent_today),
        6);
  printf("waiting  %s records, %s", cli_count(t.records), cli_bytes((uint64_t)t.bytes));
  if (t.streams) printf(", %s streams", cli_count(t.streams));
  if (t.records) printf("; the oldest for %.0f s", age > 0 ? age : 0);
  printf("\ndead     %s records, %s\n", cli_count(t.dead), cli_bytes((uint64_t)t.dead_bytes));
  printf("so far   %s put, %s sent in %s attempts, %s expired, %s dropped, %s refused\n", cli_count(t.put),
         cli_count(t.sent), cli_count(t.attempts), cli_count(t.expired), cli_count(t.dropped), cli_count(t.refused));
  return 0;
}

static whet_status show(void *user, const outbox_item *x, const char *why) {
  (void)user;
  json_t *j = json_pack("{s:I, s:s, s:i, s:i, s:f, s:s}", "id", (json_int_t)x->id, "key", x->key, "priority",
                        x->priority, "attempts", x->attempts, "created", x->created, "type", x->type);
  if (*x->stream) json_object_set_new(j, "stream", json_string(x->stream));
  json_t *data = json_stringn(x->data, x->n);
  if (data)
    json_object_set_new(j, "data", data);
  else
    json_object_set_new(j, "bytes", json_integer((json_int_t)x->n)); /* not UTF-8 */
  if (*why) json_object_set_new(j, "why", json_string(why));
  char *line = json_dumps(j, JSON_COMPACT | JSON_PRESERVE_ORDER);
  if (line) puts(line);
  free(line);
  json_decref(j);
  return line ? WHET_OK : WHET_E_MEMORY;
}

static int moved(const char *path, const char *what, whet_status s, int64_t n, bool json, const whet_err *err) {
  if (s) return fail(path, err);
  if (json) return cli_json(json_pack("{s:I}", what, (json_int_t)n), 6);
  printf("%s %s\n", cli_count(n), what);
  return 0;
}

static int act(const char *what, const char *path, const struct options *a, bool json) {
  static const char *const verbs[] = {"put", "drain", "status", "list", "dead", "revive", "purge"};
  size_t v = 0;
  while (v < sizeof verbs / sizeof *verbs && strcmp(verbs[v], what)) v++;
  if (v == sizeof verbs / sizeof *verbs)
    return cli_wrong("%.40s: put, drain, status, list, dead, revive or purge is done with an outbox", what);
  struct stat st;
  if (v && stat(path, &st)) return cli_fail("%s: %s", path, strerror(errno));
  outbox_opts oo = {.path = path,
                    .max_bytes = (int64_t)a->max_bytes,
                    .max_records = a->max_records,
                    .when_full = (outbox_full)a->full,
                    .daily_bytes = (int64_t)a->daily,
                    .max_attempts = (int)a->attempts,
                    .retry_min = a->retry_min,
                    .retry_max = a->retry_max};
  outbox *o;
  whet_err err = {0};
  int64_t n = 0;
  if (outbox_open(&oo, &o, &err)) return fail(NULL, &err);
  int r = 0;
  if (v == 0) r = put(path, o, a, json);
  if (v == 1) r = drain(path, o, a, json);
  if (v == 2) r = status(path, o, json);
  if (v == 3 || v == 4) r = outbox_each(o, v == 4, show, NULL, &err) ? fail(path, &err) : 0;
  if (v == 5) {
    whet_status s = outbox_revive(o, &n, &err);
    r = moved(path, "revived", s, n, json, &err);
  }
  if (v == 6) {
    whet_status s = outbox_purge(o, true, &n, &err);
    r = moved(path, "purged", s, n, json, &err);
  }
  outbox_close(&o);
  return r;
}
#endif

int cli_outbox(int argc, char **argv) {
  struct options o = {0};
  cli_use use = k_use;
  use.tables[0] = (cli_table){"put", k_put, &o};
  use.tables[1] = (cli_table){"drain", k_drain, &o};
  use.tables[2] = (cli_table){"rules", k_rules, &o};
  bool json;
  char **arg;
  int n_arg, status;
  if (!cli_parse(&use, &json, argc, argv, &arg, &n_arg, &status)) return status;
#ifdef WHET_HAVE_OUTBOX
  return act(arg[0], arg[1], &o, json);
#else
  return cli_fail("this build has no outbox: it has no SQLite (Debian: libsqlite3-dev)");
#endif
}
