/* SPDX-License-Identifier: Apache-2.0 */
/* What a pipeline costs beside its model: a detector on raw frames of 320 x 240 at 30 frames a second must use under
 * a tenth more processor time than its inference alone at the same pace; memory, threads and allocations stand still;
 * and it stops within 200 ms of SIGTERM.
 *
 *   edge_pipeline_cost [SECONDS]     default 1.5 for each of the two, three times; 3600 is the long form; up to 2 the
 * bound is 1.25, for a busy machine */

#include "lib/test.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "edge/edge.h"
#include "whet/media.h"
#include "whet/pipeline.h"
#include "whet/session.h"

enum { W = 320, H = 240 };

static double g_seconds = 1.5;
static const char *g_dir, *g_model;

static void pause_until(int64_t ns) {
  struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* Two pictures with faces as raw frames in a file. */
static const char *frames(void) {
  static const char *const k_name[] = {"data/images/faces_2.jpg", "data/images/faces_10.jpg"};
  const char *path = test_join(g_dir, "frames.raw");
  FILE *to = fopen(path, "wb");
  for (int i = 0; i < 2; i++) {
    static uint8_t bytes[4 << 20], small[W * H * 3];
    const char *from = test_shared(k_name[i]);
    FILE *f = from ? fopen(from, "rb") : NULL;
    size_t n = f ? fread(bytes, 1, sizeof bytes, f) : 0;
    whet_err err = {0};
    whet_picture pic = {.size = sizeof pic};
    whet_prep_opts o = whet_prep_opts_default();
    whet_prep *p;
    if (!f || fclose(f) || whet_picture_decode(bytes, n, NULL, &pic, &err)) fail_msg("%s: %s", k_name[i], err.text);
    o.width = W, o.height = H, o.color = WHET_PIXEL_RGB, o.dtype = WHET_U8;
    assert_int_equal(whet_prep_create(&o, &p, &err), WHET_OK);
    assert_int_equal(whet_prep_run(p, &pic, small, sizeof small, &err), WHET_OK);
    assert_int_equal(fwrite(small, 1, sizeof small, to), sizeof small);
    whet_prep_close(&p);
    whet_picture_free(&pic);
  }
  assert_int_equal(fclose(to), 0);
  return path;
}

/* Processor time of a frame of the inference alone, in seconds. */
static double alone(void) {
  whet_err err = {0};
  whet_program_opts po = whet_program_opts_default();
  whet_session *s;
  po.threads = 1;
  if (whet_session_open(g_model, NULL, &po, &s, &err)) fail_msg("%s", err.text);
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

static const char *pipeline_file(const char *raw, const char *rest) {
  char text[3000];
  snprintf(text, sizeof text,
           "models: {faces: %s}\nsource:\n  files: {files: %s, format: raw, width: %d, height: %d, every: "
           "33.333333ms, repeat: 0}\n"
           "stages:\n  - picture: {mean: 127, std: 128}\n  - infer: faces\n  - detect: {kind: scores-boxes, score: "
           "0.7, overlap: 0.3}\n"
           "  - track: {}\n  - threshold: {of: count, on: 1}\nsinks:\n%s",
           g_model, raw, W, H, rest);
  return test_write(g_dir, "cost.yaml", text, strlen(text));
}

static long number_in(const char *file, const char *key) {
  char line[200];
  long v = -1;
  FILE *f = fopen(file, "r");
  while (f && v < 0 && fgets(line, sizeof line, f))
    if (!strncmp(line, key, strlen(key))) v = atol(line + strlen(key));
  if (f) fclose(f);
  return v;
}

static long stat_of(whet_pipeline *p, const char *key) {
  static char text[20000];
  whet_pipeline_stats(p, text, sizeof text);
  const char *at = strstr(text, key);
  return at ? atol(at + strlen(key)) : -1;
}

/* The same within a pipeline, and that nothing grows. */
static double within(const char *file) {
  whet_err err = {0};
  whet_pipeline *p;
  if (whet_pipeline_open(file, NULL, &p, &err) || whet_pipeline_start(p, &err)) fail_msg("%s", err.text);
  while (stat_of(p, "\"events\":") < 5) usleep(1000);
  long threads = number_in("/proc/self/status", "Threads:"), rss = number_in("/proc/self/status", "VmRSS:");
  long taken = stat_of(p, "\"allocations\":"), n = stat_of(p, "\"events\":");
  double cpu = test_cpu_seconds();
  usleep((useconds_t)(g_seconds * 1e6));
  cpu = test_cpu_seconds() - cpu;
  n = stat_of(p, "\"events\":") - n;
  if ((double)n < g_seconds * 24 || (double)n > g_seconds * 33) fail_msg("%ld frames in %g s", n, g_seconds);
  /* at most what the queue and two threads can hold at once: frames and their bytes */
  if (stat_of(p, "\"allocations\":") > 2 * (4 + 4) + 4)
    fail_msg("%ld allocations, %ld after 5 frames", stat_of(p, "\"allocations\":"), taken);
  assert_int_equal(number_in("/proc/self/status", "Threads:"), threads);
  long grown = number_in("/proc/self/status", "VmRSS:") - rss;
  if (grown > 256) fail_msg("%ld kB more memory after %g s", grown, g_seconds);
  whet_pipeline_stop(p);
  assert_int_equal(whet_pipeline_wait(p, 10, &err), WHET_OK);
  assert_int_equal(stat_of(p, "\"dropped\":"), 0);
  whet_pipeline_close(&p);
  return cpu / (double)n;
}

static void costs_little(void **state) {
  (void)state;
  if (!g_model) skip();
  const char *file = pipeline_file(frames(), "  - jsonl: cost.jsonl\n");
  double least[2] = {1e9, 1e9};
  for (int i = 0; i < 5 && (i < 3 || least[1] > 1.1 * least[0]); i++) { /* by turns, as others disturb now and then */
    double a = alone(), b = within(file);
    if (a < least[0]) least[0] = a;
    if (b < least[1]) least[1] = b;
  }
  double ratio = least[1] / least[0];
  print_message("a frame: inference alone %.3f ms of processor time, in a pipeline %.3f ms: %.3f times\n",
                least[0] * 1e3, least[1] * 1e3, ratio);
#if !defined(WHET_SANITIZED) && !defined(WHET_TSAN)
  assert_true(ratio <= (g_seconds > 2 ? 1.1 : 1.25)); /* beside other tests caches are not ours */
#endif
}

static void stops_soon(void **state) {
  (void)state;
  if (!g_model) skip();
  const char *file = pipeline_file(test_join(g_dir, "frames.raw"), "  - jsonl: stop.jsonl\n"),
             *log = test_join(g_dir, "stop.jsonl");
  double worst = 0;
  for (int i = 0; i < 5; i++) {
    pid_t pid = fork();
    if (!pid) {
      execl(test_join(getenv("WHET_BUILD") ? getenv("WHET_BUILD") : "build", "whet"), "whet", "pipeline", file,
            (char *)NULL);
      _exit(127);
    }
    for (int k = 0; k < 1000 && access(log, R_OK); k++) usleep(10000);
    usleep(100000 + 7000 * (unsigned)i);
    double t = test_seconds();
    int status;
    kill(pid, SIGTERM);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    t = test_seconds() - t;
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    if (t > worst) worst = t;
    assert_int_equal(unlink(log), 0);
  }
  print_message("SIGTERM to the end: at most %.0f ms of 5\n", worst * 1e3);
#if !defined(WHET_SANITIZED) && !defined(WHET_TSAN)
  assert_true(worst < 0.2);
#endif
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(costs_little), cmocka_unit_test(stops_soon)};
  if (argc > 1 && atof(argv[1]) > 0) g_seconds = atof(argv[1]);
  g_dir = test_folder();
  g_model = test_shared("models/ultraface_rfb320.onnx");
  whet_media_register();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
