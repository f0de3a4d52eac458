/* SPDX-License-Identifier: Apache-2.0 */
/* whet cascade simulate: the same items over a link that is always up and over the trace, in turns, so that whatever
 * else the machine does falls on both. */

#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cascade.h"
#include "edge/cascade/sim.h"
#include "out.h"

/* Keys that came back, and how often. */
struct came {
  pthread_mutex_t lock;
  uint8_t *got;
  int64_t n, keys, again;
};

static bool correct(void *user, const cascade_correction *c) {
  struct came *x = user;
  int64_t i = atoll(c->key);
  pthread_mutex_lock(&x->lock);
  if (i >= 0 && i < x->n) {
    x->again += x->got[i];
    x->keys += !x->got[i];
    x->got[i] = 1;
  }
  pthread_mutex_unlock(&x->lock);
  return true;
}

static int count_threads(void) {
  DIR *d = opendir("/proc/self/task");
  int n = 0;
  for (struct dirent *e; d && (e = readdir(d));) n += *e->d_name != '.';
  if (d) closedir(d);
  return n;
}
static int64_t resident(void) {
  long all, own = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  if (f && fscanf(f, "%ld %ld", &all, &own) != 2) own = 0;
  if (f) fclose(f);
  return (int64_t)own * sysconf(_SC_PAGESIZE);
}

/* One of the two cascades. */
struct side {
  cascade *c;
  struct came came;
  double *ms;
  int64_t offloaded, remote, right, known;
  cascade_stats stats;
};

static whet_status open_side(cli_models *b, struct side *x, const sim_trace *trace, const cascade_args *a,
                             int64_t most, const char *box, whet_err *err) {
  cascade_opts o = cli_cascade_opts(b->s);
  const sim_opts so = {.trace = trace,
                       .program = b->remote_program,
                       .workers = o.workers,
                       .speed = a->speed,
                       .timeout = b->s->timeout,
                       .seed = 1};
  cascade_link link;
  o.outbox = box;
  o.speed = a->speed;
  o.correct = correct;
  o.user = &x->came;
  pthread_mutex_init(&x->came.lock, NULL);
  x->came.n = most;
  x->came.got = cli_keep((size_t)most);
  x->ms = cli_keep((size_t)most * sizeof *x->ms);
  WHET_TRY(sim_link(&so, &link, err));
  return cascade_open(&o, &link, &x->c, err);
}

static whet_status one(cli_models *b, struct side *x, int64_t i, int64_t at, whet_err *err) {
  char key[24];
  double took;
  cascade_result r;
  WHET_TRY(cli_cascade_local(b, at, &took, err));
  WHET_TRY(cli_cascade_case(b, at, err));
  snprintf(key, sizeof key, "%lld", (long long)i);
  const cascade_case c = {.key = key, .rank = b->rank, .dims = b->dims, .data = b->data, .bytes = b->bytes};
  int64_t began = edge_now();
  WHET_TRY(cascade_decide(x->c, b->scores, b->n, &c, &r, err));
  x->ms[i] = 1e3 * (took + 1e-9 * (double)(edge_now() - began));
  x->offloaded += r.offloaded;
  x->remote += r.remote;
  int32_t label = whet__set_label(b->set, at);
  x->known += label >= 0;
  x->right += label >= 0 && r.best == label;
  return WHET_OK;
}

static json_t *json_side(struct side *x, int64_t n, int64_t left) {
  return json_pack("{s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:I}", "p50_ms", cli_quantile(x->ms, (size_t)n, 0.5),
                   "p99_ms", cli_quantile(x->ms, (size_t)n, 0.99), "offloaded", (json_int_t)x->offloaded,
                   "answered_in_time", (json_int_t)x->remote, "corrected", (json_int_t)x->came.keys, "came_twice",
                   (json_int_t)x->came.again, "waiting", (json_int_t)left, "refused", (json_int_t)x->stats.refused);
}

struct growth {
  int threads[2];
  int64_t bytes[2];
};

static int report(const cascade_args *a, struct side *x, int64_t n, const int64_t left[2], double up, double seconds,
                  const struct growth *g) {
  double p99[2] = {cli_quantile(x[0].ms, (size_t)n, 0.99), cli_quantile(x[1].ms, (size_t)n, 0.99)};
  if (a->json)
    return cli_json(json_pack("{s:f, s:f, s:I, s:o, s:o, s:f, s:i, s:i, s:I, s:I}", "seconds", seconds,
                              "link_up_percent", 100 * up, "items", (json_int_t)n, "always_up",
                              json_side(&x[0], n, left[0]), "trace", json_side(&x[1], n, left[1]), "p99_ratio",
                              p99[1] / p99[0], "threads_before", g->threads[0], "threads_after", g->threads[1],
                              "bytes_before", (json_int_t)g->bytes[0], "bytes_after", (json_int_t)g->bytes[1]),
                    6);
  printf("%.0f s of the trace (link up for %.1f %%), %s items\n\n", seconds, 100 * up, cli_count(n));
  cli_grid g2;
  cli_grid_init(&g2, "lrrrrrrrr");
  cli_grid_head(&g2, "link", "p50 ms", "p99 ms", "offloaded", "in time", "corrected", "waiting", "refused",
                "right at once", NULL);
  for (int i = 0; i < 2; i++) {
    cli_grid_cell(&g2, "%s", i ? "trace" : "always up");
    cli_grid_cell(&g2, "%.3f", cli_quantile(x[i].ms, (size_t)n, 0.5));
    cli_grid_cell(&g2, "%.3f", p99[i]);
    cli_grid_cell(&g2, "%s", cli_count(x[i].offloaded));
    cli_grid_cell(&g2, "%s", cli_count(x[i].remote));
    cli_grid_cell(&g2, "%s", cli_count(x[i].came.keys));
    cli_grid_cell(&g2, "%s", cli_count(left[i]));
    cli_grid_cell(&g2, "%s", cli_count((int64_t)x[i].stats.refused));
    cli_grid_cell(&g2, "%.2f %%", x[i].known ? 100 * (double)x[i].right / (double)x[i].known : 0);
  }
  cli_grid_print(&g2, stdout);
  printf("\np99 over the trace is %.3f of that with the link up; threads %d, then %d; memory %s, then %s\n",
         p99[1] / p99[0], g->threads[0], g->threads[1], cli_bytes((uint64_t)g->bytes[0]),
         cli_bytes((uint64_t)g->bytes[1]));
  return 0;
}

int cli_cascade_simulate(cascade_settings *s, const cascade_args *a) {
  cli_models b;
  sim_trace t;
  struct side x[2] = {0};
  struct growth g = {0};
  whet_err err = {0};
  char box[2][64];
  if (!a->trace) return cli_wrong("name the link's trace: --trace FILE.csv");
  if (!s->file) return cli_wrong("the simulated remote runs here: --remote MODEL, not a server");
  if (sim_trace_read(a->trace, &t, &err)) return cli_fail_err(NULL, &err);
  if (cli_cascade_open(&b, s, a->data, a->split, a->labels, &err)) return cli_fail_err(NULL, &err);
  char dir[] = "/tmp/whet-simulate.XXXXXX";
  if (!mkdtemp(dir)) return cli_fail("%s: no folder there", dir);
  double seconds = a->seconds > 0 ? a->seconds : t.length, real = seconds / a->speed;
  int64_t items = whet__set_count(b.set), most = (int64_t)fmin(5e7, 1000 + real * 1e5), n = 0;
  if (a->items) items = items < a->items ? items : a->items;
  whet_status r = WHET_OK;
  for (int i = 0; i < 2 && !r; i++) {
    snprintf(box[i], sizeof box[i], "%s/%d.db", dir, i);
    r = open_side(&b, &x[i], i ? &t : NULL, a, most, box[i], &err);
  }
  int64_t began = edge_now(), warm = began + (int64_t)(1e8 * real);
  while (!r && n < most && edge_now() - began < (int64_t)(1e9 * real)) {
    for (int i = 0; i < 2 && !r; i++) r = one(&b, &x[(n + i) % 2], n, n % items, &err);
    n++;
    if (!g.threads[0] && edge_now() > warm) g.threads[0] = count_threads(), g.bytes[0] = resident();
    cli_progress("simulating", (edge_now() - began) / 1000000, (int64_t)(1e3 * real));
  }
  cli_progress_end();
  g.threads[1] = count_threads(), g.bytes[1] = resident();
  if (!g.threads[0]) g.threads[0] = g.threads[1], g.bytes[0] = g.bytes[1];
  int64_t left[2] = {0};
  for (int i = 0; i < 2 && !r; i++) left[i] = cascade_settle(x[i].c, a->wait * a->speed);
  double up = sim_trace_up(&t);
  for (int i = 0; i < 2; i++) {
    if (x[i].c) cascade_stat(x[i].c, &x[i].stats);
    cascade_close(&x[i].c);
  }
  char rm[100];
  snprintf(rm, sizeof rm, "rm -rf '%s'", dir);
  if (system(rm)) cli_error("%s is left behind", dir);
  int status = r ? cli_fail_err(NULL, &err) : report(a, x, n, left, up, seconds, &g);
  cli_cascade_close(&b);
  sim_trace_free(&t);
  return status;
}
