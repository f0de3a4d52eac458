/* SPDX-License-Identifier: Apache-2.0 */
/* What a pipeline costs beside its model: a detector on raw frames of 320 x 240 at 30 frames a second against its
 * inference alone at the same pace, in processor time of a frame; and how long it takes from SIGTERM to the end, with
 * every event in the outbox.
 *
 *   pipeline_cost [SECONDS [TURNS]]   of each measurement (0.6) and how often (15), all of them in turns; the lowest
 * quarter counts, since others only add
 *
 * Each figure stands beside its bar; status 1 when one is missed. To be run with nothing beside it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "edge/camera.h"
#include "edge/edge.h"
#include "lib/test.h"
#include "whet/session.h"

enum { MOST_TURNS = 100 };

static double g_seconds = 0.6;
static int g_missed;

static void pause_until(int64_t ns) {
  struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* Processor time of a frame of the inference alone, in seconds. */
static double alone(void) {
  whet_err err = {0};
  whet_program_opts po = whet_program_opts_default();
  whet_session *s;
  po.threads = 1;
  if (whet_session_open(camera_model(), NULL, &po, &s, &err)) fail_msg("%s", err.text);
  for (int i = 0; i < 5; i++) assert_int_equal(whet_session_run(s, NULL, &err), WHET_OK);
  int n = (int)(g_seconds * 30);
  double cpu = test_cpu_seconds();
  int64_t due = edge_now();
  for (int i = 0; i < n; i++) {
    pause_until(due += 33333333);
    assert_int_equal(whet_session_run(s, NULL, &err), WHET_OK);
  }
  cpu = test_cpu_seconds() - cpu;
  whet_session_close(&s);
  return cpu / n;
}

/* The same within a pipeline. */
static double within(const char *sinks) {
  whet_err err = {0};
  whet_pipeline *p;
  if (whet_pipeline_open(camera_pipeline(test_folder(), sinks), NULL, &p, &err) || whet_pipeline_start(p, &err))
    fail_msg("%s", err.text);
  while (camera_count(p, "\"events\":") < 5) usleep(1000);
  long n = camera_count(p, "\"events\":");
  double cpu = test_cpu_seconds();
  usleep((useconds_t)(g_seconds * 1e6));
  cpu = test_cpu_seconds() - cpu;
  n = camera_count(p, "\"events\":") - n;
  if ((double)n < g_seconds * 30 - 3 || (double)n > g_seconds * 30 + 3) fail_msg("%ld frames in %g s", n, g_seconds);
  whet_pipeline_close(&p);
  return cpu / (double)n;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}
static double lowest_quarter(double *v, int n) {
  qsort(v, (size_t)n, sizeof *v, by_value);
  return v[n / 4];
}

static void tell(const char *what, double v, const char *unit, double bar) {
  printf("%-66s %8.3f %s   bar %g: %s\n", what, v, unit, bar, v <= bar ? "kept" : "MISSED");
  g_missed |= v > bar;
}

int main(int argc, char **argv) {
  static const struct {
    const char *name, *sinks;
  } k_sinks[] = {{"lines in a file", "  - jsonl: events.jsonl\n"},
                 {"an outbox, nobody there", "  - send: {url: 'http://127.0.0.1:1/', outbox: out.db}\n"},
                 {"an outbox, delivered", "  - send: {url: 'file:///dev/null', outbox: out.db}\n"}};
  static double cost[1 + EDGE_COUNT(k_sinks)][MOST_TURNS];
  int turns = 15;
  if (argc > 1 && atof(argv[1]) > 0) g_seconds = atof(argv[1]);
  if (argc > 2 && atoi(argv[2]) > 0 && atoi(argv[2]) <= MOST_TURNS) turns = atoi(argv[2]);
  if (!camera_model()) return fprintf(stderr, "needs the shared folder: WHET_SHARED\n"), 2;
  static char here[4096];
  const char *slash = strrchr(argv[0], '/');
  snprintf(here, sizeof here, "%.*s", slash ? (int)(slash - argv[0]) : 1, slash ? argv[0] : ".");
  setenv("WHET_BUILD", here, 0); /* where the command is that gets SIGTERM: beside this program */
  for (int t = 0; t < turns; t++) {
    cost[0][t] = alone();
    for (size_t i = 0; i < EDGE_COUNT(k_sinks); i++) cost[i + 1][t] = within(k_sinks[i].sinks);
  }
  double least = lowest_quarter(cost[0], turns), worst = 0;
  printf("%-66s %8.3f ms\n", "inference alone: processor time of a frame", least * 1e3);
  for (size_t i = 0; i < EDGE_COUNT(k_sinks); i++) {
    char what[100];
    snprintf(what, sizeof what, "in a pipeline, %s: times that", k_sinks[i].name);
    tell(what, lowest_quarter(cost[i + 1], turns) / least, "  ", 1.1);
  }
  for (int i = 0; i < 10; i++) {
    long events, kept;
    double took = camera_stop(camera_pipeline(test_folder(), k_sinks[1].sinks), 200 + 7 * i, &events, &kept);
    if (took > worst) worst = took;
    if (events < 1 || kept != events) fail_msg("%ld events, %ld in the outbox", events, kept);
  }
  tell("SIGTERM to the end, all events in the outbox: the longest of 10", worst * 1e3, "ms", 200);
  return g_missed;
}
