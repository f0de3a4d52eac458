/* SPDX-License-Identifier: Apache-2.0 */
/* A detector on raw frames at 30 frames a second: memory, threads and allocations stand still, and at SIGTERM every
 * event that the sinks were given is in the outbox. How fast it is, build/pipeline_cost tells.
 *
 *   edge_pipeline_still [SECONDS]     default 1.5; 3600 is the long form */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edge/camera.h"
#include "lib/test.h"

/* Frames that there can be at once: in the queue, in the source, in the branch, on their way between; and what each
 * takes once: itself, its bytes, its list of objects and that list grown. */
enum { FRAMES = 4 + 3, EACH = 4, W = 320, H = 240 };

static double g_seconds = 1.5;

static long number_in(const char *file, const char *key) {
  char line[200];
  long v = -1;
  FILE *f = fopen(file, "r");
  while (f && v < 0 && fgets(line, sizeof line, f))
    if (!strncmp(line, key, strlen(key))) v = atol(line + strlen(key));
  if (f) fclose(f);
  return v;
}

static void nothing_grows(void **state) {
  whet_err err = {0};
  whet_pipeline *p;
  (void)state;
  if (!camera_model()) skip();
  const char *file = camera_pipeline(test_folder(), "  - jsonl: events.jsonl\n");
  if (whet_pipeline_open(file, NULL, &p, &err) || whet_pipeline_start(p, &err)) fail_msg("%s", err.text);
  while (camera_count(p, "\"events\":") < 5) usleep(1000);
  long threads = number_in("/proc/self/status", "Threads:"), rss = number_in("/proc/self/status", "VmRSS:");
  long taken = camera_count(p, "\"allocations\":");
  usleep((useconds_t)(g_seconds * 1e5));
  long early = number_in("/proc/self/status", "VmRSS:"), by_then = camera_count(p, "\"allocations\":");
  usleep((useconds_t)(g_seconds * 9e5));
  long late = number_in("/proc/self/status", "VmRSS:"), then = camera_count(p, "\"allocations\":");
  print_message(
      "%g s: %ld frames, %ld dropped, %ld kB after 5 of them, %ld kB after a tenth of the time, %ld kB at the end; "
      "%ld "
      "allocations, then %ld\n",
      g_seconds, camera_count(p, "\"frames\":"), camera_count(p, "\"dropped\":"), rss, early, late, taken, then);
  if (then > FRAMES * EACH + 4) fail_msg("%ld allocations, %ld after 5 frames", then, taken);
  assert_int_equal(number_in("/proc/self/status", "Threads:"), threads);
  const long frame = W * H * 3L / 1024; /* a queue that fills for the first time makes some */
  if (late - rss > 256 + FRAMES * frame) fail_msg("%ld kB more memory after %g s", late - rss, g_seconds);
  if (g_seconds >= 60 && late - early > 256 + (then - by_then + EACH - 1) / EACH * frame)
    fail_msg("%ld kB more memory in the last nine tenths", late - early);
  whet_pipeline_stop(p);
  assert_int_equal(whet_pipeline_wait(p, 10, &err), WHET_OK);
  whet_pipeline_close(&p);
}

static void keeps_all(void **state) {
  (void)state;
  if (!camera_model()) skip();
  double worst = 0;
  for (int i = 0; i < 5; i++) {
    const char *file = camera_pipeline(test_folder(), "  - send: {url: 'http://127.0.0.1:1/', outbox: out.db}\n");
    long events, kept;
    double t = camera_stop(file, 100 + 7 * i, &events, &kept);
    if (t > worst) worst = t;
    if (events < 1 || kept != events) fail_msg("%ld events, %ld in the outbox", events, kept);
  }
  print_message("SIGTERM to the end: at most %.0f ms of 5\n", worst * 1e3);
  assert_true(worst < 10); /* beside other tests */
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_grows), cmocka_unit_test(keeps_all)};
  if (argc > 1 && atof(argv[1]) > 0) g_seconds = atof(argv[1]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
