/* SPDX-License-Identifier: Apache-2.0 */
/* whet top: what a pipeline does, again and again, in a terminal. It reads the counters that the sink live shows, or
 * that
 * --stats-every writes to a file. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "get.h"
#include "opts.h"
#include "out.h"

struct options {
  const char *token;
  double every;
  int64_t count;
  bool json;
};

#define AT(field) offsetof(struct options, field)
static const cli_opt k_options[] = {
    {"every", 'e', CLI_REAL, AT(every), "SECONDS", "between looks; 1", 0.05, 3600},
    {"count", 'n', CLI_INT, AT(count), "N", "looks, then end; without end unless told", 1, 1e9},
    {"token", 0, CLI_TEXT, AT(token), "TOKEN", "bearer token, where the sink asks for one", 0, 0},
    {0}};

static const cli_use k_use = {.synopsis = "URL|PORT|FILE [OPTION]...",
                              .about =
                                  "Shows what a running pipeline does: rates, times, drops, where frames wait, what "
                                  "each stage takes, what sinks and their outboxes "
                                  "hold, energy, bytes sent and saved, how much is offloaded, the governor's rung. "
                                  "URL is that of its sink live (http://127.0.0.1:8080), PORT the same on this "
                                  "machine; FILE is what whet pipeline --stats FILE "
                                  "--stats-every 1 writes. --json prints the counters as they come, a line each.",
                              .examples = "  whet top 8080\n  whet top http://camera.local:8080 --count 1\n",
                              .least = 1,
                              .most = 1,
                              .missing = "name the address of a pipeline's sink live, or a file of counters"};

static double num(const json_t *j, const char *key) { return json_number_value(json_object_get(j, key)); }
static const char *str(const json_t *j, const char *key) {
  const char *s = json_string_value(json_object_get(j, key));
  return s ? s : "";
}

/* The entry of an older list with the same name as `of`; NULL: there is none. */
static const json_t *older(const json_t *list, size_t i) { return list ? json_array_get(list, i) : NULL; }

/* Things of a second, as "29.9"; "" when there is nothing to compare with. */
static const char *rate(const json_t *new, const json_t *old, const char *key, double span) {
  static char ring[8][24];
  static unsigned at;
  char *to = ring[at++ % 8];
  *to = 0;
  if (old && span > 0) snprintf(to, sizeof ring[0], "%.1f", (num(new, key) - num(old, key)) / span);
  return to;
}

/* Members of objects within a node: an outbox, a cascade, whatever a kind tells of itself. */
static void more(const json_t *node, size_t indent) {
  const char *key, *inner;
  json_t *v, *w;
  json_object_foreach((json_t *)(uintptr_t)node, key, v) {
    if (!json_is_object(v)) continue;
    printf("%*s%s%s:", (int)indent, "", cli_dim(), cli_clean(key));
    json_object_foreach(v, inner, w) {
      if (json_is_string(w) && *json_string_value(w))
        printf(" %s \"%s\"", cli_clean(inner), cli_clean(json_string_value(w)));
      else if (json_is_integer(w))
        printf(" %s %s", cli_clean(inner), cli_count(json_integer_value(w)));
      else if (json_is_real(w))
        printf(" %s %g", cli_clean(inner), json_real_value(w));
    }
    printf("%s\n", cli_plain());
  }
}

static void branch(const json_t *b, const json_t *old, double span) {
  const json_t *queue = json_object_get(b, "queue"), *lat = json_object_get(b, "latency_us"), *stage;
  double frames = num(b, "frames") - (old ? num(old, "frames") : 0);
  size_t i;
  char wait[40];
  snprintf(wait, sizeof wait, "%.0f/%.0f", num(queue, "depth"), num(queue, "size"));
  printf("%-16.16s %9s %9s %9.0f %8.0f %9s %9s %9s\n", cli_clean(str(b, "name")), rate(b, old, "frames", span),
         rate(b, old, "events", span), num(queue, "dropped"), num(b, "failed"), wait, cli_time(num(lat, "p50")),
         cli_time(num(lat, "p99")));
  const json_t *olds = old ? json_object_get(old, "stages") : NULL;
  json_array_foreach(json_object_get(b, "stages"), i, stage) {
    const json_t *o = older(olds, i);
    double us = num(stage, "us") - (o ? num(o, "us") : 0);
    double in = num(stage, "in") - (o ? num(o, "in") : 0), out = num(stage, "out") - (o ? num(o, "out") : 0);
    char pass[40] = "";
    if (in > 0) snprintf(pass, sizeof pass, "%.0f -> %.0f", in, out);
    printf("  %s%-14.14s%s %9s a frame  %5.1f %% of a processor  %s%s\n", cli_dim(), cli_clean(str(stage, "kind")),
           cli_plain(), frames > 0 ? cli_time(us / frames) : "", span > 0 ? us / span / 1e4 : 0, pass,
           num(stage, "failed") > 0 ? "  failed" : "");
    more(stage, 4);
  }
}

/* Joules in a unit that suits. */
static const char *energy(double j) {
  static char text[40];
  snprintf(text, sizeof text, j < 0.1 ? "%.3g mJ" : "%.3g J", j < 0.1 ? 1e3 * j : j);
  return text;
}

/* What it costs: energy, the link, and on which rung the governor stands. */
static void costs(const json_t *j) {
  const json_t *e = json_object_get(j, "energy"), *l = json_object_get(j, "link"),
               *g = json_object_get(j, "governor"), *v;
  const char *key;
  if (e) {
    printf("energy    ");
    if (json_object_get(e, "watts")) printf("%.3g W, ", num(e, "watts"));
    if (json_object_get(e, "joules_per_frame")) printf("%s a frame, ", energy(num(e, "joules_per_frame")));
    printf("%s in all (%s, within %.0f %%)\n", energy(num(e, "joules")), cli_clean(str(e, "source")),
           100 * num(e, "relative_error"));
  }
  if (l) {
    printf("link      %s sent of %s taken", cli_bytes((uint64_t)num(l, "sent_bytes")),
           cli_bytes((uint64_t)num(l, "taken_bytes")));
    printf(", %s saved; %.0f wait", cli_bytes((uint64_t)num(l, "saved_bytes")), num(l, "waiting"));
    if (json_object_get(l, "cases"))
      printf("; offloaded %.0f of %.0f (%.1f %%)", num(l, "offloaded"), num(l, "cases"),
             100 * num(l, "offload_share"));
    if (num(l, "down_seconds") > 0)
      printf("; %snothing has got through for %.0f s%s", cli_bold(), num(l, "down_seconds"), cli_plain());
    printf("\n");
  }
  if (g) {
    printf("governor  %s%s%s, rung %.0f of %.0f for %.0f s; steps: %.0f down, %.0f up", cli_bold(),
           cli_clean(str(g, "rung")), cli_plain(), num(g, "index") + 1, num(g, "rungs"), num(g, "seconds"),
           num(g, "steps_down"), num(g, "steps_up"));
    if (*str(g, "why")) printf("; %s", cli_clean(str(g, "why")));
    printf("\n%s         ", cli_dim());
    json_object_foreach(json_object_get(g, "readings"), key, v)
        printf(" %s %.4g", cli_clean(key), json_number_value(v));
    printf("%s\n", cli_plain());
  }
  if (e || l || g) printf("\n");
}

static void show(const json_t *j, const json_t *old) {
  double span = old ? num(j, "seconds") - num(old, "seconds") : 0;
  const json_t *one, *frames = json_object_get(j, "frames");
  size_t i;
  printf("%s%s%s  %s for %.0f s, frames hold %s\n\n", cli_bold(), cli_clean(str(j, "name")), cli_plain(),
         str(j, "state"), num(j, "seconds"), cli_bytes((uint64_t)num(frames, "bytes")));
  costs(j);
  printf("%s%-16s %9s %9s %9s %8s %9s %9s %9s%s\n", cli_dim(), "branch", "frames/s", "events/s", "dropped", "failed",
         "waiting", "median", "p99", cli_plain());
  json_array_foreach(json_object_get(j, "branches"), i, one)
      branch(one, older(old ? json_object_get(old, "branches") : NULL, i), span);
  printf("\n%s%-16s %9s %9s %8s %9s%s\n", cli_dim(), "sink", "events", "events/s", "failed", "each", cli_plain());
  json_array_foreach(json_object_get(j, "sinks"), i, one) {
    const json_t *o = older(old ? json_object_get(old, "sinks") : NULL, i);
    const char *name = *str(one, "name") ? str(one, "name") : str(one, "kind");
    printf("%-16.16s %9.0f %9s %8.0f %9s\n", cli_clean(name), num(one, "in"), rate(one, o, "in", span),
           num(one, "failed"), num(one, "in") > 0 ? cli_time(num(one, "us") / num(one, "in")) : "");
    more(one, 4);
  }
}

/* The counters now; NULL: one line was printed. */
static json_t *look(const char *where, const struct options *o, bool quiet) {
  whet_text t = {.mem = cli_mem()};
  whet_err err = {0};
  json_error_t bad;
  if (cli_get(where, o->token, 5, &t, &err)) {
    if (!quiet) cli_fail_err(NULL, &err);
    whet__text_free(&t);
    return NULL;
  }
  json_t *j = json_loadb(t.p ? t.p : "", t.n, 0, &bad);
  if (j && !json_is_array(json_object_get(j, "branches"))) json_decref(j), j = NULL;
  if (!j && !quiet) cli_fail("%s: these are no counters of a pipeline", cli_clean(where));
  if (j && o->json) fwrite(t.p, 1, t.n, stdout), t.p[t.n - 1] == '\n' ? 0 : putchar('\n');
  whet__text_free(&t);
  return j;
}

int cli_top(int argc, char **argv) {
  struct options o = {.every = 1};
  cli_use use = k_use;
  use.tables[0] = (cli_table){"looking", k_options, &o};
  char **arg;
  int n_arg, status;
  if (!cli_parse(&use, &o.json, argc, argv, &arg, &n_arg, &status)) return status;
  const char *where = arg[0];
  int64_t port;
  if (cli_parse_int(where, &port) && port > 0 && port < 65536)
    where = cli_keep_printf("http://127.0.0.1:%lld", (long long)port);
  if (!strncmp(where, "http://", 7) && !strchr(where + 7, '/')) where = cli_keep_printf("%s/stats", where);
  json_t *old = NULL, *now = look(where, &o, false);
  bool clear = isatty(STDOUT_FILENO) && !o.json && o.count != 1;
  if (!now) return CLI_FAILED;
  for (int64_t i = 0;; i++) {
    if (o.count == 1 && !o.json) { /* rates need two looks */
      struct timespec t = {.tv_sec = (time_t)o.every, .tv_nsec = (long)((o.every - (double)(time_t)o.every) * 1e9)};
      nanosleep(&t, NULL);
      old = now;
      if (!(now = look(where, &o, true))) now = json_incref(old);
    }
    if (clear) printf("\033[H\033[2J");
    if (!o.json) show(now, old);
    fflush(stdout);
    if (o.count && i + 1 >= o.count) break;
    struct timespec t = {.tv_sec = (time_t)o.every, .tv_nsec = (long)((o.every - (double)(time_t)o.every) * 1e9)};
    nanosleep(&t, NULL);
    json_decref(old);
    old = now;
    if (!(now = look(where, &o, true))) { /* it has ended, or cannot be reached: that is the end here, too */
      now = old, old = NULL;
      if (!o.json) printf("%s\nno more answers%s\n", cli_dim(), cli_plain());
      break;
    }
    if (!strcmp(str(now, "state"), "ended")) o.count = i + 2;
  }
  json_decref(old);
  json_decref(now);
  return CLI_DONE;
}
