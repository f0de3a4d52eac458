/* SPDX-License-Identifier: Apache-2.0 */
/* The key `governor`: what is looked at, the ladder, and the thread that steps on it. */

#include "edge/pipeline/govern.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "edge/power/sensors.h"

/* What can be looked at. */
enum { BATTERY, POWER, TEMPERATURE, CPU, LINK, BACKLOG, SENSORS };
const char *const pl_govern_sensors[] = {"battery", "power", "temperature", "cpu", "link", "backlog", NULL};
static const char *const k_unit[] = {"", " W", " C", "", " s", ""};

/* ---- reading the file -------------------------------------------------------------------------- */

#define AT(field) offsetof(pl_govern, field)
#define SENSOR(i) (offsetof(pl_govern, sensor) + (i) * sizeof(const conf_node *))
static const conf_key k_govern[] = {{.name = "every", CONF_SECONDS, AT(every), NULL, 0.01, 3600},
                                    {.name = "hold_down", CONF_SECONDS, AT(hold[0]), NULL, 0, 86400},
                                    {.name = "hold_up", CONF_SECONDS, AT(hold[1]), NULL, 0, 86400},
                                    {.name = "tell", CONF_STRS, AT(tell)},
                                    {.name = "ladder", CONF_NODE, AT(ladder), NULL, 0, 0, true},
                                    {.name = "battery", CONF_NODE, SENSOR(BATTERY)},
                                    {.name = "power", CONF_NODE, SENSOR(POWER)},
                                    {.name = "temperature", CONF_NODE, SENSOR(TEMPERATURE)},
                                    {.name = "cpu", CONF_NODE, SENSOR(CPU)},
                                    {.name = "link", CONF_NODE, SENSOR(LINK)},
                                    {.name = "backlog", CONF_NODE, SENSOR(BACKLOG)},
                                    {0}};

typedef struct raw_sensor {
  double down, up, hold[2];
  const char *lowest, *zone;
} raw_sensor;
#define IN(field) offsetof(raw_sensor, field)
#define SENSOR_KEYS(type, least, most)                                                                              \
  {.name = "down", type, IN(down), NULL, least, most, true}, {.name = "up", type, IN(up), NULL, least, most, true}, \
      {.name = "hold_down", CONF_SECONDS, IN(hold[0]), NULL, 0, 86400},                                             \
      {.name = "hold_up", CONF_SECONDS, IN(hold[1]), NULL, 0, 86400}, {                                             \
    .name = "lowest", CONF_STR, IN(lowest)                                                                          \
  }
static const conf_key k_part[] = {SENSOR_KEYS(CONF_REAL, 0, 1), {0}};
static const conf_key k_number[] = {SENSOR_KEYS(CONF_REAL, 0, 1e15), {0}};
static const conf_key k_heat[] = {SENSOR_KEYS(CONF_REAL, -100, 300), {.name = "zone", CONF_STR, IN(zone)}, {0}};
static const conf_key k_time[] = {SENSOR_KEYS(CONF_SECONDS, 0, 1e9), {0}};
static const conf_key *const k_sensor[] = {k_part, k_number, k_heat, k_part, k_time, k_number};

static const conf_key k_rung[] = {{.name = "rate", CONF_REAL, offsetof(pl_rung, rate), NULL, 1e-6, 1e6},
                                  {.name = "off", CONF_STRS, offsetof(pl_rung, off)},
                                  {0}};

int pl_govern_find(const pl_govern *g, const char *name) {
  for (int i = 0; i < g->n_rung; i++)
    if (!strcmp(g->rung[i].name, name)) return i;
  return -1;
}

static whet_status read_ladder(pl_govern *g, whet_err *err) {
  conf_file *f = &g->p->file;
  const conf_node *v = g->ladder;
  if (v->kind != CONF_LIST || v->n < 2) return conf_fail(f, v, err, "ladder: expected a list of two rungs or more");
  if (v->n > PL_RUNGS) return conf_fail(f, v, err, "ladder: more than %d rungs", PL_RUNGS);
  for (size_t i = 0; i < v->n; i++) {
    const conf_node *x = &v->item[i];
    bool lone = x->kind == CONF_TEXT;
    if (!lone && (x->kind != CONF_MAP || x->n != 1))
      return conf_fail(f, x, err, "ladder: expected a rung as NAME, or as NAME: {rate, off}");
    pl_rung *r = &g->rung[g->n_rung];
    *r = (pl_rung){.name = lone ? x->text : x->key[0]};
    if (pl_govern_find(g, r->name) >= 0) return conf_fail(f, x, err, "ladder: the rung %.60s stands twice", r->name);
    if (!lone) EDGE_TRY(conf_fill(f, &x->item[0], "a rung", k_rung, r, err));
    g->n_rung++;
  }
  return WHET_OK;
}

static whet_status read_sensor(pl_govern *g, int which, whet_err *err) {
  conf_file *f = &g->p->file;
  const conf_node *v = g->sensor[which];
  raw_sensor r = {.hold = {g->hold[0], g->hold[1]}};
  char title[60];
  snprintf(title, sizeof title, "the governor's %s", pl_govern_sensors[which]);
  EDGE_TRY(conf_fill(f, v, title, k_sensor[which], &r, err));
  bool low = which == BATTERY;
  if (low ? r.up < r.down : r.up > r.down)
    return conf_fail(f, v, err, "%s: up, where the way back begins, must not be %s down", pl_govern_sensors[which],
                     low ? "under" : "over");
  int lowest = r.lowest ? pl_govern_find(g, r.lowest) : g->n_rung - 1;
  if (lowest < 0) return conf_fail(f, v, err, "%s: the ladder has no rung %.60s", pl_govern_sensors[which], r.lowest);
  if (which == TEMPERATURE) g->zone = r.zone;
  g->which[g->g.n] = which;
  g->g.rule[g->g.n++] = (governor_rule){
      .down = r.down, .up = r.up, .low = low, .hold_down = r.hold[0], .hold_up = r.hold[1], .lowest = lowest};
  return WHET_OK;
}

whet_status pl_govern_read(whet_pipeline *p, const conf_node *v, pl_govern **out, whet_err *err) {
  *out = NULL;
  if (!v) return WHET_OK;
  pl_govern *g = whet__arena_array(&p->file.arena, 1, sizeof *g);
  if (!g) return edge_fail(err, WHET_E_MEMORY, "no memory for a pipeline");
  *g = (pl_govern){.p = p, .at = v, .every = 1, .hold = {5, 60}, .wake = -1};
  EDGE_TRY(conf_fill(&p->file, v, "the governor", k_govern, g, err));
  EDGE_TRY(read_ladder(g, err));
  for (int i = 0; i < SENSORS; i++)
    if (g->sensor[i]) EDGE_TRY(read_sensor(g, i, err));
  if (!g->g.n)
    return conf_fail(&p->file, v, err,
                     "the governor looks at nothing; expected battery, power, temperature, cpu, link or backlog");
  g->g.rungs = g->n_rung;
  governor_begin(&g->g);
  for (size_t i = 0; i < g->g.n; i++) g->reading[i] = NAN;
  pthread_mutex_init(&g->lock, NULL);
  *out = g;
  return WHET_OK;
}

whet_status pl_govern_sinks(pl_govern *g, whet_err *err) {
  whet_pipeline *p = g->p;
  for (int i = -1; i < g->n_rung; i++) { /* -1: those that are told */
    const conf_strs *names = i < 0 ? &g->tell : &g->rung[i].off;
    for (size_t k = 0; k < names->n; k++) {
      bool any = false;
      for (size_t s = 0; s < p->n_sink; s++) {
        if (strcmp(p->sink[s]->name, names->v[k])) continue;
        any = true;
        if (i < 0)
          p->sink[s]->told = true;
        else
          p->sink[s]->off |= (uint32_t)1 << i;
      }
      if (!any)
        return conf_fail(&p->file, i < 0 ? conf_get(g->at, "tell") : &g->ladder->item[i], err,
                         "%s: there is no sink %.60s", i < 0 ? "tell" : g->rung[i].name, names->v[k]);
    }
  }
  return WHET_OK;
}

/* ---- looking and stepping ----------------------------------------------------------------------- */

static double look(pl_govern *g, int which) {
  whet_pipeline *p = g->p;
  double joules, watts;
  pl_link l;
  switch (which) {
    case BATTERY:
      return power_battery(p->o.sysfs);
    case POWER:
      return pl_energy_read(&p->energy, &joules, &watts) ? watts : NAN;
    case TEMPERATURE:
      return power_temperature(p->o.sysfs, g->zone);
    case CPU:
      return power_pressure(p->o.procfs);
    default:
      if (!pl_links(p, &l)) return NAN;
      return which == LINK ? l.down : (double)l.waiting;
  }
}

static void say(const pl_govern *g, int level, const char *text) {
  char line[300];
  if (!g->p->o.log) return;
  snprintf(line, sizeof line, "governor: %s", text);
  g->p->o.log(g->p->o.user, level, line);
}

/* An event for the sinks that are told. */
static void tell(pl_govern *g, const char *rung, const char *cause, double reading) {
  whet_pipeline *p = g->p;
  pl_frame *f = NULL;
  for (size_t i = 0; i < p->n_sink; i++) {
    if (!p->sink[i]->told) continue;
    if (!f && !(f = pl_frame_new(&p->pool))) return;
    f->time = pl_clock();
    f->arrived = edge_now();
    f->branch = f->source = "governor";
    f->event = "rung";
    f->subject = rung;
    pl_set_value(f, "rung", pl_govern_find(g, rung));
    if (cause && !isnan(reading)) pl_set_value(f, cause, reading);
    pl_sink_give(p->sink[i], f);
  }
  pl_frame_free(f);
}

static void turn(pl_govern *g) {
  double v[GOVERNOR_RULES];
  char text[260];
  for (size_t i = 0; i < g->g.n; i++) {
    v[i] = look(g, g->which[i]);
    if (isnan(v[i]) && !g->unknown[i] && g->which[i] != LINK && g->which[i] != BACKLOG && g->which[i] != POWER) {
      snprintf(text, sizeof text, "nothing tells %s: it is left out until something does",
               pl_govern_sensors[g->which[i]]);
      say(g, 1, text);
    }
  }
  int64_t now = edge_now();
  pthread_mutex_lock(&g->lock);
  for (size_t i = 0; i < g->g.n; i++) g->reading[i] = v[i], g->unknown[i] = isnan(v[i]);
  int from = g->g.rung, step = governor_step(&g->g, v, now), cause = g->g.cause;
  const char *what = cause >= 0 ? pl_govern_sensors[g->which[cause]] : NULL;
  if (step) {
    const governor_rule *r = cause >= 0 ? &g->g.rule[cause] : NULL;
    if (r)
      snprintf(g->why, sizeof g->why, "%s %.4g%s, %s %.4g", what, v[cause], k_unit[g->which[cause]],
               step > 0 ? (r->low ? "under" : "over") : (r->low ? "back over" : "back under"),
               step > 0 ? r->down : r->up);
    else
      snprintf(g->why, sizeof g->why, "nothing tells otherwise any more");
    g->since = now;
    *(step > 0 ? &g->down : &g->up) += 1;
    snprintf(text, sizeof text, "%.60s -> %.60s: %s", g->rung[from].name, g->rung[g->g.rung].name, g->why);
  }
  int to = g->g.rung;
  atomic_store(&g->now, to);
  pthread_mutex_unlock(&g->lock);
  if (!step) return;
  say(g, 1, text);
  tell(g, g->rung[to].name, what, cause >= 0 ? v[cause] : NAN);
}

static void *watch(void *arg) {
  pl_govern *g = arg;
  for (;;) {
    struct pollfd w = {.fd = g->wake, .events = POLLIN};
    if (poll(&w, 1, (int)(g->every * 1000)) > 0) return NULL;
    turn(g);
  }
}

whet_status pl_govern_start(pl_govern *g, whet_err *err) {
  pthread_mutex_lock(&g->lock); /* a sink may show it already */
  g->since = edge_now();
  pthread_mutex_unlock(&g->lock);
  g->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  g->runs = g->wake >= 0 && !pthread_create(&g->thread, NULL, watch, g);
  return g->runs ? WHET_OK : edge_fail(err, WHET_E_SYSTEM, "the system gives no more threads");
}

void pl_govern_stop(pl_govern *g) {
  if (!g->runs) return;
  uint64_t one = 1;
  while (write(g->wake, &one, sizeof one) < 0 && errno == EINTR) {
  }
  pthread_join(g->thread, NULL);
  g->runs = false;
}

void pl_govern_close(pl_govern *g) {
  pl_govern_stop(g);
  if (g->wake >= 0) close(g->wake);
  pthread_mutex_destroy(&g->lock);
}

/* ---- frames -------------------------------------------------------------------------------------- */

bool pl_govern_admit(pl_branch *b) {
  whet_pipeline *p = b->p;
  pl_govern *g = p->govern;
  if (!g) return true;
  for (;;) {
    b->rung = atomic_load_explicit(&g->now, memory_order_relaxed);
    double rate = g->rung[b->rung].rate;
    int64_t now = edge_now(), step = rate > 0 ? (int64_t)(1e9 / rate) : 0;
    if (!step || !b->source || p->stopping) return true; /* frames of other branches are fewer already */
    if (b->due > now + step) b->due = now + step;        /* a rung that lets more through */
    if (b->due <= now) {
      b->due = now - b->due > step ? now + step : b->due + step;
      return true;
    }
    if (b->queue.full != PL_BLOCK) {
      atomic_fetch_add_explicit(&b->thinned, 1, memory_order_relaxed);
      return false;
    }
    struct pollfd w = {.fd = p->stop_fd, .events = POLLIN};
    int64_t ms = (b->due - now) / 1000000 + 1;
    poll(&w, 1, ms < 100 ? (int)ms : 100); /* the rung may change meanwhile */
  }
}

void pl_govern_stats(pl_govern *g, serve_buf *b) {
  pthread_mutex_lock(&g->lock);
  buf_text(b, ",\"governor\":{\"rung\":");
  buf_json_str(b, g->rung[g->g.rung].name);
  buf_printf(b,
             ",\"index\":%d,\"rungs\":%d,\"seconds\":%.3f,\"steps_down\":%llu,\"steps_up\":%llu,\"why\":", g->g.rung,
             g->n_rung, g->since ? (double)(edge_now() - g->since) * 1e-9 : 0, (unsigned long long)g->down,
             (unsigned long long)g->up);
  buf_json_str(b, g->why);
  buf_text(b, ",\"readings\":{");
  for (size_t i = 0, n = 0; i < g->g.n; i++) {
    if (isnan(g->reading[i])) continue;
    buf_printf(b, "%s\"%s\":", n++ ? "," : "", pl_govern_sensors[g->which[i]]);
    buf_double(b, g->reading[i]);
  }
  buf_text(b, "}}");
  pthread_mutex_unlock(&g->lock);
}
