/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/camera.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/test.h"
#include "whet/media.h"
#include "whet/prep.h"

enum { W = 320, H = 240, RATE = 30 };

const char *camera_model(void) { return test_shared("models/ultraface_rfb320.onnx"); }

/* Two pictures with faces in turns, a second of raw frames in a file. */
static const char *frames(const char *folder) {
  static const char *const k_name[] = {"data/images/faces_2.jpg", "data/images/faces_10.jpg"};
  static const char *path; /* made once */
  if (path) return path;
  path = test_join(folder, "frames.raw");
  FILE *to = fopen(path, "wb");
  static uint8_t small[2][W * H * 3];
  whet_media_register();
  for (int i = 0; i < 2; i++) {
    static uint8_t bytes[4 << 20];
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
    assert_int_equal(whet_prep_run(p, &pic, small[i], sizeof small[i], &err), WHET_OK);
    whet_prep_close(&p);
    whet_picture_free(&pic);
  }
  for (int i = 0; i < RATE / 2; i++) assert_int_equal(fwrite(small, 1, sizeof small, to), sizeof small);
  assert_int_equal(fclose(to), 0);
  return path;
}

const char *camera_pipeline(const char *folder, const char *sinks) {
  char text[3000];
  snprintf(text, sizeof text,
           "models: {faces: %s}\nsource:\n  files: {files: %s, format: raw, width: %d, height: %d, every: "
           "33.333333ms, repeat: 0}\n"
           "stages:\n  - picture: {mean: 127, std: 128}\n  - infer: faces\n  - detect: {kind: scores-boxes, score: "
           "0.7, overlap: 0.3}\n"
           "  - track: {}\n  - threshold: {of: count, on: 1}\nsinks:\n%s",
           camera_model(), frames(folder), W, H, sinks);
  return test_write(folder, "camera.yaml", text, strlen(text));
}

static long number_behind(const char *text, const char *key) {
  const char *at = strstr(text, key);
  return at ? atol(at + strlen(key)) : -1;
}

long camera_count(whet_pipeline *p, const char *key) {
  static char text[20000];
  whet_pipeline_stats(p, text, sizeof text);
  return number_behind(text, key);
}

/* The end of a file of counters. */
static void counters(const char *path, char *text, size_t room) {
  FILE *f = fopen(path, "r");
  size_t n = f ? fread(text, 1, room - 1, f) : 0;
  text[n] = 0;
  if (f) fclose(f);
}

double camera_stop(const char *file, int run_ms, long *events, long *kept) {
  static char text[20000];
  const char *said = test_join(test_folder(), "counters.json");
  pid_t pid = fork();
  if (!pid) {
    execl(test_join(getenv("WHET_BUILD") ? getenv("WHET_BUILD") : "build", "whet"), "whet", "pipeline", file,
          "--stats", said, "--stats-every", "0.1", (char *)NULL);
    _exit(127);
  }
  for (int k = 0; k < 1000; k++) {
    counters(said, text, sizeof text);
    if (number_behind(text, "\"events\":") > 0) break;
    usleep(10000);
  }
  usleep((useconds_t)run_ms * 1000);
  double t = test_seconds();
  int status;
  kill(pid, SIGTERM);
  assert_int_equal(waitpid(pid, &status, 0), pid);
  t = test_seconds() - t;
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  counters(said, text, sizeof text);
  *events = number_behind(text, "\"events\":");
  *kept = number_behind(text, "\"records\":");
  return t;
}
