/* SPDX-License-Identifier: Apache-2.0 */
/* whet_train and whet_model_layers: a small net learns, stops when told to, goes on from its checkpoint with the same bytes, and
 * what cannot be is named. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/test.h"
#include "whet/train.h"
#include "whet/whet.h"

enum { ITEMS = 200 };

/* Points of the plane; the class is on which side of a circle they lie. As x.npy and y.npy in a folder. */
static void write_npy(const char *path, const char *descr, const char *shape, const void *p, size_t bytes) {
  char head[128];
  int n = snprintf(head + 10, sizeof head - 10, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape);
  memset(head + 10 + n, ' ', sizeof head - 10 - (size_t)n);
  memcpy(head, "\x93NUMPY\x01\x00\x76\x00", 10);
  head[127] = '\n';
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(head, 1, sizeof head, f), sizeof head);
  assert_int_equal(fwrite(p, 1, bytes, f), bytes);
  fclose(f);
}

static const char *data(void) {
  static char dir[256], path[300];
  static float x[ITEMS][2];
  static int64_t y[ITEMS];
  snprintf(dir, sizeof dir, "train_api_%d", (int)getpid());
  assert_int_equal(mkdir(dir, 0777), 0);
  for (int i = 0; i < ITEMS; i++) {
    x[i][0] = (float)((i * 37) % 101) / 50 - 1;
    x[i][1] = (float)((i * 71) % 97) / 48 - 1;
    y[i] = x[i][0] * x[i][0] + x[i][1] * x[i][1] < 0.6f;
  }
  snprintf(path, sizeof path, "%s/x.npy", dir);
  write_npy(path, "<f4", "200, 2", x, sizeof x);
  snprintf(path, sizeof path, "%s/y.npy", dir);
  write_npy(path, "<i8", "200,", y, sizeof y);
  return dir;
}

static whet_model *net(const char *layers) {
  whet_model *m;
  whet_err err = {0};
  if (whet_model_layers(layers, 7, &m, &err)) fail_msg("%s", err.text);
  return m;
}

/* What the progress saw, and when it says stop. */
struct seen {
  int steps, epochs, stop_after;
  whet_epoch last;
};
static int progress(void *user, const whet_train_state *s, const whet_epoch *e) {
  struct seen *w = user;
  assert_true(s->step <= s->steps && s->epoch >= 1 && s->epoch <= s->epochs);
  if (!e) return w->stop_after && ++w->steps >= w->stop_after;
  w->epochs++;
  w->last = *e;
  return 0;
}

static whet_train_opts options(struct seen *w) {
  whet_train_opts o = whet_train_opts_default();
  o.rate = 0.02;
  o.epochs = 30;
  o.batch = 20;
  o.threads = 1;
  o.progress = progress;
  o.user = w;
  return o;
}

/* Outputs of m for a few points. */
static void outputs(whet_model *m, float y[8]) {
  whet_program *p;
  whet_session *s;
  whet_err err = {0};
  const float at[4][2] = {{0, 0}, {0.9f, 0.9f}, {-0.3f, 0.2f}, {-0.9f, 0.7f}};
  if (whet_program_create(m, NULL, &p, &err) || whet_session_create(p, &s, &err)) fail_msg("%s", err.text);
  assert_int_equal(whet_session_resize(s, 0, 2, (int64_t[]){4, 2}, &err), WHET_OK);
  memcpy(whet_session_input(s, 0, NULL, &err), at, sizeof at);
  if (whet_session_run(s, NULL, &err)) fail_msg("%s", err.text);
  memcpy(y, whet_session_output(s, 0, NULL, &err), 8 * sizeof *y);
  whet_session_close(&s);
  whet_program_close(&p);
}

static void learns(void **state) {
  const char *dir = *state;
  whet_model *m = net("2,16:relu,2:softmax"), *made;
  struct seen w = {0};
  whet_train_opts o = options(&w);
  whet_err err = {0};
  float y[8];
  if (whet_train(m, dir, &o, &made, &err)) fail_msg("%s", err.text);
  assert_int_equal(w.epochs, 30);
  assert_true(w.last.accuracy > 0.9 && w.last.loss < 0.4);
  outputs(made, y);
  assert_true(y[1] > 0.7f && y[2] > 0.7f && y[5] > 0.7f && y[6] > 0.7f);
  whet_model_close(&made);
  whet_model_close(&m);
}

static void goes_on(void **state) {
  const char *dir = *state;
  char path[300];
  whet_model *m = net("2,16:relu,2:softmax"), *whole, *again, *none;
  struct seen w = {0}, stopped = {.stop_after = 57};
  whet_train_opts o = options(&w);
  whet_err err = {0};
  float a[8], b[8];
  snprintf(path, sizeof path, "%s/checkpoint", dir);
  if (whet_train(m, dir, &o, &whole, &err)) fail_msg("%s", err.text);
  o.checkpoint = path;
  o.user = &stopped;
  assert_int_equal(whet_train(m, dir, &o, &none, &err), WHET_E_CANCELLED);
  assert_null(none);
  stopped = (struct seen){0};
  o.threads = 2;
  if (whet_train(m, dir, &o, &again, &err)) fail_msg("%s", err.text);
  assert_true(stopped.epochs < 30); /* it went on */
  outputs(whole, a);
  outputs(again, b);
  assert_memory_equal(a, b, sizeof a);
  unlink(path);
  whet_model_close(&whole);
  whet_model_close(&again);
  whet_model_close(&m);
}

static void refuses(void **state) {
  const char *dir = *state;
  whet_model *m = net("2,4:relu,2:softmax"), *out;
  whet_train_opts o = whet_train_opts_default();
  whet_err err = {0};
  assert_int_equal(whet_model_layers("3x,4", 1, &out, &err), WHET_E_DATA);
  assert_non_null(strstr(err.text, "shape of an item"));
  assert_int_equal(whet_model_layers("2,4:rulu", 1, &out, &err), WHET_E_DATA);
  assert_non_null(strstr(err.text, "4:rulu"));
  assert_int_equal(whet_model_layers("2", 1, &out, &err), WHET_E_DATA);
  assert_int_equal(whet_model_layers(NULL, 1, &out, &err), WHET_E_MISUSE);
  assert_null(out);
  assert_int_not_equal(whet_train(m, "no/such/folder", NULL, &out, &err), WHET_OK);
  assert_non_null(strstr(err.text, "no/such/folder"));
  o.batch = -1;
  assert_int_equal(whet_train(m, dir, &o, &out, &err), WHET_E_MISUSE);
  assert_non_null(strstr(err.text, "batch"));
  o = whet_train_opts_default();
  o.n_mean = 1;
  assert_int_equal(whet_train(m, dir, &o, &out, &err), WHET_E_MISUSE);
  whet_model_close(&m);
  m = net("5,4:relu,2:softmax");
  assert_int_not_equal(whet_train(m, dir, NULL, &out, &err), WHET_OK);
  assert_non_null(strstr(err.text, "5 numbers"));
  whet_model_close(&m);
}

static int setup(void **state) {
  *state = (void *)data();
  return 0;
}
static int teardown(void **state) {
  char path[300];
  const char *names[] = {"x.npy", "y.npy"};
  for (int i = 0; i < 2; i++) {
    snprintf(path, sizeof path, "%s/%s", (const char *)*state, names[i]);
    unlink(path);
  }
  return rmdir(*state);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(learns), cmocka_unit_test(goes_on), cmocka_unit_test(refuses)};
  return cmocka_run_group_tests(tests, setup, teardown);
}
