/* SPDX-License-Identifier: Apache-2.0 */
/* What a pipeline costs beside its model: a detector on raw frames of 320 x 240 at 30 frames a second against its
 * inference alone at the same pace, in processor time of a frame; and how long it takes from SIGTERM to the end, with
 * every event in the outbox.
 *
 *   pipeline_cost [SECONDS [TURNS]]   of each measurement (2) and how often (5); the median counts
 *
 * Both run at the same time, one half a frame after the other, each on its own copy of the model and on the same
 * processor, another one every turn: whatever else the machine does hits both.
 *
 * Each figure stands beside its bar; status 1 when one is missed. To be run with nothing beside it. */

#include <sched.h>
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

enum { PERIOD_NS = 33333333 };
static double g_seconds = 2;
static int g_missed;

static void pause_until(int64_t ns) {
  struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static double thread_cpu(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* This process on one of its processors. */
static void pin(const cpu_set_t *all, int turn) {
  cpu_set_t one;
  int k = turn % CPU_COUNT(all), c = 0;
  while (!CPU_ISSET(c, all) || k-- > 0) c++;
  CPU_ZERO(&one);
  CPU_SET(c, &one);
  assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
}

/* A model of its own, warm. */
static whet_session *inference(void) {
  whet_err err = {0};
  whet_program_opts po = whet_program_opts_default();
  whet_session *s;
  po.threads = 1;
  if (whet_session_open(camera_model(), NULL, &po, &s, &err)) fail_msg("%s", err.text);
  for (int i = 0; i < 5; i++) assert_int_equal(whet_session_run(s, NULL, &err), WHET_OK);
  return s;
}

/* Processor time of a frame in seconds: of the inference alone, which this thread runs half a frame after those of
 * the pipeline, and of the pipeline, which are all other threads. */
static void both(whet_session *s, const char *sinks, double *alone, double *within) {
  whet_err err = {0};
  whet_pipeline *p;
  if (whet_pipeline_open(camera_pipeline(test_folder(), sinks), NULL, &p, &err) || whet_pipeline_start(p, &err))
    fail_msg("%s", err.text);
  long n = 0;
  while (n < 5) usleep(1000), n = camera_count(p, "\"events\":");
  for (long k = n; k == n;) usleep(500), k = camera_count(p, "\"events\":"); /* right behind a frame */
  int64_t due = edge_now() + PERIOD_NS / 2;
  int frames = (int)(g_seconds * 30);
  n = camera_count(p, "\"events\":");
  double all = test_cpu_seconds(), own = thread_cpu();
  for (int i = 0; i < frames; i++, due += PERIOD_NS) {
    pause_until(due);
    assert_int_equal(whet_session_run(s, NULL, &err), WHET_OK);
  }
  own = thread_cpu() - own;
  all = test_cpu_seconds() - all;
  n = camera_count(p, "\"events\":") - n;
  if (n < frames - 3 || n > frames + 3) fail_msg("%ld frames of %d", n, frames);
  whet_pipeline_close(&p);
  *alone = own / frames;
  *within = (all - own) / (double)n;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}
static double median(double *v, int n) {
  qsort(v, (size_t)n, sizeof *v, by_value);
  return v[n / 2];
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
  static double alone[EDGE_COUNT(k_sinks) * MOST_TURNS], times[EDGE_COUNT(k_sinks)][MOST_TURNS];
  int turns = 5, n = 0;
  if (argc > 1 && atof(argv[1]) > 0) g_seconds = atof(argv[1]);
  if (argc > 2 && atoi(argv[2]) > 0 && atoi(argv[2]) <= MOST_TURNS) turns = atoi(argv[2]);
  if (!camera_model()) return fprintf(stderr, "needs the shared folder: WHET_SHARED\n"), 2;
  static char here[4096];
  const char *slash = strrchr(argv[0], '/');
  snprintf(here, sizeof here, "%.*s", slash ? (int)(slash - argv[0]) : 1, slash ? argv[0] : ".");
  setenv("WHET_BUILD", here, 0); /* where the command is that gets SIGTERM: beside this program */
  whet_session *s = inference();
  cpu_set_t all;
  assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
  for (int t = 0; t < turns; t++)
    for (size_t i = 0; i < EDGE_COUNT(k_sinks); i++, n++) {
      pin(&all, t); /* threads that are begun now inherit it */
      both(s, k_sinks[i].sinks, &alone[n], &times[i][t]);
      times[i][t] /= alone[n];
    }
  whet_session_close(&s);
  assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
  printf("%-66s %8.3f ms\n", "inference alone: processor time of a frame", median(alone, n) * 1e3);
  for (size_t i = 0; i < EDGE_COUNT(k_sinks); i++) {
    char what[100];
    snprintf(what, sizeof what, "in a pipeline, %s: times that", k_sinks[i].name);
    tell(what, median(times[i], turns), "  ", 1.1);
  }
  double worst = 0;
  for (int i = 0; i < 10; i++) {
    long events, kept;
    double took = camera_stop(camera_pipeline(test_folder(), k_sinks[1].sinks), 200 + 7 * i, &events, &kept);
    if (took > worst) worst = took;
    if (events < 1 || kept != events) fail_msg("%ld events, %ld in the outbox", events, kept);
  }
  tell("SIGTERM to the end, all events in the outbox: the longest of 10", worst * 1e3, "ms", 200);
  return g_missed;
}
