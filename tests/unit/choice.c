/* SPDX-License-Identifier: Apache-2.0 */
/* Measured choices: they are taken where their names are known, kept in .whet files, and found by measuring. */

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/build.h"
#include "lib/test.h"
#include "plan/program.h"
#include "run/session.h"

enum { SIDE = 12, IN = 16, OUT = 24 };

/* A convolution of 3 x 3, in whose planning Winograd's tiles, sums in order and several rows are ways. */
static whet_model *model(void) {
  static float w[OUT * IN * 9];
  const int64_t x[] = {1, IN, SIDE, SIDE}, y[] = {1, OUT, SIDE, SIDE}, k[] = {OUT, IN, 3, 3}, ones[] = {1, 1, 1, 1};
  for (int i = 0; i < OUT * IN * 9; i++) w[i] = (float)((i * 37) % 19 - 9) / 64;
  const ox_attr attr[] = {{.name = "pads", .type = 7, .ints = ones, .n = 4}, {0}};
  buf g = {0};
  ox_add_node(&g, ox_node("Conv", "x,w", "y", attr));
  ox_add_init(&g, ox_tensor("w", 1, 4, k, w, sizeof w));
  ox_add_in(&g, ox_info("x", 1, 4, x, NULL));
  ox_add_out(&g, ox_info("y", 1, 4, y, NULL));
  buf b = ox_model(g, 8, 17);
  whet_model *m;
  whet_err err = {0};
  whet_model_opts o = whet_model_opts_default();
  o.map = WHET_MAP_PRIVATE_COPY;
  if (whet_model_open_memory(b.p, b.n, &o, &m, &err)) fail_msg("%s", err.text);
  buf_free(&b);
  return m;
}

static whet_program_opts options(void) {
  whet_program_opts o = whet_program_opts_default();
  o.threads = 1;
  return o;
}

/* The only step of a family that runs in p; its plan goes to *plan. */
static const whet_step *product(whet_program *p, whet_plan **plan) {
  whet_shape in[2];
  whet_err err = {0};
  whet__program_shapes(p, in);
  if (whet__program_plan(p, in, plan, &err)) fail_msg("%s", err.text);
  for (int32_t i = 0; i < (*plan)->n_step; i++) {
    const whet_step *s = &(*plan)->step[i];
    if (s->row && (s->family == WHET_FAMILY_conv_f32 || s->family == WHET_FAMILY_wino_f32)) return s;
  }
  fail_msg("no product in the plan");
  return NULL;
}

/* The row that the convolution of p takes. */
static const char *row_of(whet_program *p) {
  whet_plan *plan;
  const char *name = product(p, &plan)->row->name;
  whet__plan_unref(plan);
  return name;
}

/* Results for an input of small numbers. */
static void results(whet_program *p, float *y) {
  whet_session *s;
  whet_err err = {0};
  size_t n;
  if (whet_session_create(p, &s, &err)) fail_msg("%s", err.text);
  float *x = whet_session_input(s, 0, &n, &err);
  for (size_t i = 0; i < n / 4; i++) x[i] = (float)(i % 23) / 8;
  if (whet_session_run(s, NULL, &err)) fail_msg("%s", err.text);
  memcpy(y, whet_session_output(s, 0, &n, &err), OUT * SIDE * SIDE * sizeof *y);
  whet_session_close(&s);
}

static void must_agree(const float *a, const float *b) {
  for (int i = 0; i < OUT * SIDE * SIDE; i++)
    if (!(fabsf(a[i] - b[i]) <= 1e-4f)) fail_msg("result %d: %g and %g", i, (double)a[i], (double)b[i]);
}

/* The ways of the convolution that there are, as a trial notes them. */
static int note(whet_model *m, int number, whet_trial_note *first) {
  whet_mem mem;
  whet__mem_init(&mem, NULL, NULL, 0);
  whet_trial t = {.number = number, .mem = &mem};
  whet_program_opts o = options();
  whet_program *p;
  whet_err err = {0};
  if (whet__program_make(m, &o, NULL, &t, &p, &err)) fail_msg("%s", err.text);
  int found = 0; /* what the choice leads to is not varied */
  for (size_t i = 0; i < t.n; i++) {
    bool wino = strstr(t.note[i].name, "tiles of") || strstr(t.note[i].name, "sums in order");
    assert_true(wino || !strstr(t.note[i].name, "conv_f32"));
    if (wino) *first = t.note[i], found++;
  }
  assert_int_equal(found, 1);
  whet_program_close(&p);
  whet__free(&mem, t.note);
  return first->ways;
}

static void taken(void **state) {
  (void)state;
  static float want[OUT * SIDE * SIDE], got[OUT * SIDE * SIDE];
  whet_model *m = model();
  whet_program_opts o = options();
  whet_err err = {0};
  whet_program *p;
  whet_trial_note n;
  bool varied = false;
  int ways = note(m, 0, &n);
  assert_int_equal(ways, 3);
  assert_int_equal(n.way, 0);
  assert_int_equal(whet_program_create(m, &o, &p, &err), WHET_OK);
  const char *estimate = row_of(p);
  results(p, want);
  whet_program_close(&p);
  for (int k = 1; k < ways; k++) {
    note(m, k, &n);
    assert_int_equal(n.way, k);
    const whet_choice c[] = {{n.key ^ 1, "nothing"}, {n.key, n.name}};
    assert_int_equal(whet__program_make(m, &o, &(whet_choices){c, 2}, NULL, &p, &err), WHET_OK);
    varied |= strcmp(row_of(p), estimate) != 0;
    results(p, got);
    must_agree(want, got);
    whet_program_close(&p);
    const whet_choice strange[] = {{n.key, "a row of another machine"}};
    assert_int_equal(whet__program_make(m, &o, &(whet_choices){strange, 1}, NULL, &p, &err), WHET_OK);
    assert_string_equal(row_of(p), estimate);
    whet_program_close(&p);
  }
  assert_true(varied);
  whet_model_close(&m);
}

static void kept(void **state) {
  (void)state;
  char path[] = "choice_XXXXXX";
  whet_model *m = model(), *again;
  whet_program_opts o = options();
  whet_err err = {0};
  whet_program *p, *q;
  whet_trial_note n;
  close(mkstemp(path));
  assert_int_equal(whet_program_create(m, &o, &p, &err), WHET_OK);
  const char *other = row_of(p);
  whet_program_close(&p);
  for (int k = 1; k < 3; k++) { /* a way with another row than the estimate's */
    note(m, k, &n);
    const whet_choice c[] = {{n.key, n.name}};
    assert_int_equal(whet__program_make(m, &o, &(whet_choices){c, 1}, NULL, &p, &err), WHET_OK);
    if (strcmp(row_of(p), other)) break;
    whet_program_close(&p);
  }
  assert_non_null(p);
  assert_int_equal(whet_program_save(p, path, NULL, &err), WHET_OK);
  if (whet_model_open(path, NULL, &again, &err)) fail_msg("%s", err.text);
  unlink(path);
  assert_int_equal(again->choices.n, 1);
  assert_string_equal(again->choices.of[0].name, n.name);
  assert_int_equal(whet_program_create(again, &o, &q, &err), WHET_OK);
  assert_string_equal(row_of(q), row_of(p));
  whet_program_close(&p);
  whet_program_close(&q);
  whet_model_close(&again);
  whet_model_close(&m);
}

static void measured(void **state) {
  (void)state;
  static float want[OUT * SIDE * SIDE], got[OUT * SIDE * SIDE];
  whet_model *m = model();
  whet_program_opts o = options();
  whet_tuning t = {.size = sizeof t};
  whet_err err = {0};
  whet_program *p;
  if (whet_program_create_tuned(m, &o, &p, &t, &err)) fail_msg("%s", err.text);
  assert_true(t.nodes >= 1 && t.changed <= t.nodes && t.estimate_us > 0 && t.tuned_us > 0 && t.tuned_us <= t.estimate_us);
  assert_int_equal(p->choices.n, t.nodes);
  results(p, got);
  whet_program_close(&p);
  assert_int_equal(whet_program_create(m, &o, &p, &err), WHET_OK);
  results(p, want);
  must_agree(want, got);
  whet_program_close(&p);
  t.size = 1;
  assert_int_equal(whet_program_create_tuned(m, &o, &p, &t, &err), WHET_E_MISUSE);
  assert_int_equal(whet_program_create_tuned(NULL, &o, &p, NULL, &err), WHET_E_MISUSE);
  o.exact = 1; /* one way is left where sums keep their order */
  t.size = sizeof t;
  if (whet_program_create_tuned(m, &o, &p, &t, &err)) fail_msg("%s", err.text);
  assert_true(t.changed <= t.nodes);
  whet_program_close(&p);
  whet_model_close(&m);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(taken), cmocka_unit_test(kept), cmocka_unit_test(measured)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
