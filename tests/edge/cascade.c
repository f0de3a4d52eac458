/* SPDX-License-Identifier: Apache-2.0 */
/* The cascade: how sure scores are, thresholds and their bound, budgets, the breaker, deadlines, corrections across a
 * dead link. */

#include "edge/cascade/cascade.h"

#include <math.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "edge/cascade/sim.h"
#include "edge/cascade/tune.h"

static char k_dir[200];

/* ---- policies ---------------------------------------------------------------------------------- */

static double sure(cascade_measure m, double t, const float *x, size_t n, int32_t *best) {
  const cascade_policy p = {.measure = m, .temperature = t};
  return cascade_sure(&p, x, n, best);
}

static void policies(void **state) {
  static const float shares[] = {0.1f, 0.7f, 0.2f}, scores[] = {1, 3, 2};
  int32_t best;
  assert_true(fabs(sure(CASCADE_CONFIDENCE, 0, shares, 3, &best) - 0.7) < 1e-6 && best == 1);
  assert_true(fabs(sure(CASCADE_MARGIN, 0, shares, 3, &best) - 0.5) < 1e-6);
  double h = -(0.1 * log(0.1) + 0.7 * log(0.7) + 0.2 * log(0.2));
  assert_true(fabs(sure(CASCADE_ENTROPY, 0, shares, 3, &best) - (1 - h / log(3))) < 1e-6);
  double z = exp(1) + exp(3) + exp(2);
  assert_true(fabs(sure(CASCADE_CONFIDENCE, 0, scores, 3, &best) - exp(3) / z) < 1e-6);
  assert_true(fabs(sure(CASCADE_ENERGY, 0, scores, 3, &best) - log(z)) < 1e-6);
  static const float unsure[] = {0.3f, 0.4f, 0.3f};
  assert_true(sure(CASCADE_ENERGY, 0, shares, 3, &best) >
              sure(CASCADE_ENERGY, 0, unsure, 3, &best) + 0.01); /* little */
  assert_true(fabs(sure(CASCADE_SCORE, 0, scores, 3, &best) - 3) < 1e-6);
  double z2 = exp(0.5) + exp(1.5) + exp(1);
  assert_true(fabs(sure(CASCADE_CONFIDENCE, 2, scores, 3, &best) - exp(1.5) / z2) < 1e-6);
  static const double bound[] = {0.9, 0.69, 0.9};
  const cascade_policy p = {.threshold = 0.9, .per_class = bound, .n_class = 3}, q = {.threshold = 0.71};
  double s;
  assert_false(cascade_is_hard(&p, shares, 3, &s, &best));
  assert_true(cascade_is_hard(&q, shares, 3, &s, &best));
  static const float broken[] = {NAN, NAN};
  assert_true(cascade_is_hard(&q, broken, 2, &s, &best)); /* whatever is no number is hard */
}

/* ---- thresholds -------------------------------------------------------------------------------- */

static uint64_t k_seed = 1;
static double draw(void) {
  k_seed = k_seed * 6364136223846793005u + 1442695040888963407u;
  return (double)(k_seed >> 11) / 9007199254740992.0;
}
static tune_case drawn(void) {
  double s = draw();
  return (tune_case){.sure = s, .right = draw() < 0.5 + 0.5 * s, .remote_right = draw() < 0.97};
}

static void thresholds(void **state) {
  static tune_case x[2000];
  static tune_point curve[3000];
  const double alpha = 0.05;
  double loss = 0;
  size_t n;
  for (int trial = 0; trial < 200; trial++) {
    tune_point p;
    int64_t lost = 0;
    for (int i = 0; i < 300; i++) x[i] = drawn();
    assert_int_equal(tune_threshold(x, 300, alpha, &p, NULL), WHET_OK);
    assert_true(p.bound <= alpha && p.risk <= p.bound);
    for (int i = 0; i < 2000; i++) {
      tune_case c = drawn();
      lost += c.sure >= p.threshold && !c.right && c.remote_right;
    }
    loss += (double)lost / 2000 / 200;
  }
  assert_true(loss < alpha && loss > 0.6 * alpha); /* kept, and not by giving everything away */
  for (int i = 0; i < 2000; i++) x[i] = drawn(), x[i].sure = floor(x[i].sure * 50) / 50; /* ties */
  assert_int_equal(tune_curve(x, 2000, 3000, curve, &n, NULL), WHET_OK);
  assert_true(n > 40 && n < 60 && curve[0].offload == 0 && curve[n - 1].offload == 1 && curve[n - 1].risk == 0);
  for (size_t i = 1; i < n; i++)
    assert_true(curve[i].offload > curve[i - 1].offload && curve[i].risk <= curve[i - 1].risk);
  whet_err err = {0};
  assert_int_equal(tune_threshold(x, 10, 0.05, curve, &err), WHET_E_DATA);
  assert_non_null(strstr(err.text, "19"));
}

/* ---- the cascade ------------------------------------------------------------------------------- */

/* A remote that does as it is told. It says class 2. */
static struct {
  _Atomic bool up, woken, slow;
  _Atomic int asked, probed;
  _Atomic int status;
  _Atomic int64_t beat; /* up by a beat since then */
} k_link;
enum { SPEED = 100 };

/* By a beat: up in 25 of 60 simulated seconds, and down 15 seconds after its start and every minute later, where
 * looks after 5, 10, 20, 40, 60, 60... seconds fall. */
static bool is_up(void) {
  if (!k_link.beat) return k_link.up;
  double at = fmod(1e-9 * (double)(edge_now() - k_link.beat) * SPEED, 60);
  return at >= 40 || (at >= 25 && at < 30);
}

static whet_status ask(void *own, int worker, const char *id, int32_t rank, const int64_t *dims, const void *data,
                       size_t bytes, remote_answer *a, whet_err *err) {
  static float numbers[64][3] = {{0}};
  k_link.asked++;
  *a = (remote_answer){.why = "down", .up = (int64_t)bytes};
  for (int i = 0; i < 300 && k_link.slow && !k_link.woken; i++) usleep(1000);
  if (!is_up() || k_link.woken) return WHET_E_IO;
  if (k_link.status) return (whet_status)k_link.status;
  assert_true(rank == 2 && dims[1] == 4 && bytes == 16 && !memcmp(data, "0123456789abcdef", 16));
  numbers[worker][2] = 1;
  a->numbers = numbers[worker], a->n = 3;
  return WHET_OK;
}
static bool ready(void *own) {
  k_link.probed++;
  return is_up();
}
static void wake(void *own) { k_link.woken = true; }

static _Atomic int k_came[1000];
static bool correct(void *user, const cascade_correction *c) {
  assert_true(c->n == 3 && c->best == 2);
  int i = atoi(c->key);
  assert_true(i >= 0 && i < 1000);
  k_came[i]++;
  return true;
}

static cascade *open_cascade(cascade_opts o, bool up) {
  const cascade_link l = {NULL, ask, ready, wake, NULL};
  cascade *c;
  whet_err err = {0};
  k_link.up = up;
  k_link.woken = k_link.slow = false;
  k_link.asked = k_link.probed = 0;
  k_link.status = 0;
  k_link.beat = 0;
  memset((void *)k_came, 0, sizeof k_came);
  o.policy.threshold = 0.9;
  o.correct = correct;
  if (cascade_open(&o, &l, &c, &err)) fail_msg("%s", err.text);
  return c;
}

static cascade_result decide(cascade *c, int key, bool hard) {
  static const int64_t dims[] = {1, 4};
  static const float easy_scores[] = {0.98f, 0.01f, 0.01f}, hard_scores[] = {0.4f, 0.3f, 0.3f};
  char text[20];
  cascade_result r;
  whet_err err = {0};
  snprintf(text, sizeof text, "%d", key);
  const cascade_case x = {.key = text, .rank = 2, .dims = dims, .data = "0123456789abcdef", .bytes = 16};
  if (cascade_decide(c, hard ? hard_scores : easy_scores, 3, &x, &r, &err)) fail_msg("%s", err.text);
  return r;
}

static cascade_stats stats(cascade *c) {
  cascade_stats s;
  cascade_stat(c, &s);
  return s;
}

static void waits(void **state) {
  cascade *c = open_cascade((cascade_opts){.mode = CASCADE_WAIT, .deadline = 5}, true);
  cascade_result r = decide(c, 1, false);
  assert_true(!r.hard && !r.offloaded && r.best == 0 && !r.provisional);
  r = decide(c, 2, true);
  assert_true(r.hard && r.offloaded && r.remote && r.best == 2 && !r.provisional);
  assert_true(stats(c).answered == 1 && k_came[2] == 0);
  k_link.status = WHET_E_UNSUPPORTED; /* refused for good: the local answer stands */
  r = decide(c, 3, true);
  assert_true(!r.remote && r.best == 0 && !r.provisional && stats(c).refused == 1);
  cascade_close(&c);
}

/* The deadline passes, the answer comes later: a correction. */
static void late(void **state) {
  cascade *c = open_cascade((cascade_opts){.mode = CASCADE_WAIT, .deadline = 0.02}, true);
  k_link.slow = true;
  int64_t began = edge_now();
  cascade_result r = decide(c, 7, true);
  assert_true(r.provisional && !r.remote && r.best == 0);
  assert_true(edge_now() - began < 250000000);
  k_link.slow = false;
  assert_int_equal(cascade_settle(c, 5), 0);
  for (int i = 0; i < 1000 && !k_came[7]; i++) usleep(1000);
  assert_int_equal(k_came[7], 1);
  cascade_close(&c);
}

/* A dead link: nobody waits, nothing is lost, also not by ending in between. */
static void dead_link(void **state) {
  char box[300];
  snprintf(box, sizeof box, "%s/cases.db", k_dir);
  const cascade_opts o = {
      .mode = CASCADE_WAIT, .deadline = 1, .outbox = box, .failures = 3, .pause = 0.02, .speed = 1};
  cascade *c = open_cascade(o, false);
  for (int i = 0; i < 50; i++) {
    cascade_result r = decide(c, i, true);
    assert_true(r.offloaded && r.provisional && !r.remote);
  }
  assert_true(stats(c).open);
  int asked = k_link.asked;
  for (int i = 50; i < 100; i++) decide(c, i, true);
  assert_true(k_link.asked < asked + 10); /* the breaker is open: the server is looked for, not asked */
  for (int i = 0; i < 500 && !k_link.probed; i++) usleep(1000);
  assert_true(k_link.probed > 0);
  cascade_close(&c);
  c = open_cascade(o, true); /* another process, a live link */
  assert_int_equal(cascade_settle(c, 20), 0);
  for (int i = 0; i < 100; i++) assert_int_equal(k_came[i], 1);
  assert_false(stats(c).open);
  cascade_close(&c);
}

/* A link that comes and goes at the beat of the breaker's looks is found up all the same. */
static void steady_beat(void **state) {
  char box[300];
  snprintf(box, sizeof box, "%s/beat.db", k_dir);
  cascade *c = open_cascade(
      (cascade_opts){.mode = CASCADE_CORRECT, .outbox = box, .failures = 3, .pause = 5, .speed = SPEED}, true);
  k_link.beat = edge_now();
  for (int i = 0; i < 20; i++) decide(c, i, true);
  assert_int_equal(cascade_settle(c, 40 * SPEED), 0);
  for (int i = 0; i < 20; i++) assert_int_equal(k_came[i], 1);
  assert_true(k_link.probed > 0 && !stats(c).open);
  cascade_close(&c);
}

static void corrects(void **state) {
  char box[300];
  snprintf(box, sizeof box, "%s/later.db", k_dir);
  cascade *c = open_cascade((cascade_opts){.mode = CASCADE_CORRECT, .outbox = box, .speed = 20}, false);
  for (int i = 0; i < 200; i++) assert_true(decide(c, i, true).provisional);
  usleep(50000);
  k_link.up = true;
  assert_int_equal(cascade_settle(c, 400), 0);
  for (int i = 0; i < 200; i++) assert_true(k_came[i] >= 1);
  cascade_close(&c);
}

static void budgets(void **state) {
  cascade *c = open_cascade((cascade_opts){.mode = CASCADE_CORRECT, .budget = {.requests = 3}}, true);
  for (int i = 0; i < 5; i++) {
    cascade_result r = decide(c, i, true);
    assert_true(r.offloaded == (i < 3));
    if (i >= 3) assert_string_equal(r.kept, "budget");
  }
  assert_true(stats(c).kept_budget == 2);
  cascade_close(&c);
  c = open_cascade((cascade_opts){.mode = CASCADE_CORRECT, .budget = {.money = 1, .price = 0.4}, .speed = 36000},
                   true);
  for (int i = 0; i < 2; i++) assert_true(decide(c, i, true).offloaded);
  usleep(150000); /* more than an hour */
  assert_true(decide(c, 3, true).offloaded);
  assert_true(fabs(stats(c).money - 1.2) < 1e-9);
  cascade_close(&c);
}

static void ends_soon(void **state) {
  cascade *c = open_cascade((cascade_opts){.mode = CASCADE_CORRECT}, true);
  k_link.slow = true;
  for (int i = 0; i < 20; i++) decide(c, i, true);
  int64_t began = edge_now();
  cascade_close(&c);
  assert_true(edge_now() - began < 1000000000); /* 0.2 s on an idle machine */
}

static void traces(void **state) {
  char path[300];
  sim_trace t;
  whet_err err = {0};
  snprintf(path, sizeof path, "%s/trace.csv", k_dir);
  const struct {
    const char *text, *says;
  } bad[] = {{"0,1,10,0\n5,2,10,0\n", ":2:"},
             {"0,1,10,0\n0,1,1,0\n", "rise"},
             {"seconds,up\n1,1\n", ":2:"},
             {"0,1,0,0\n", "two lines"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    FILE *f = fopen(path, "w");
    fputs(bad[i].text, f);
    fclose(f);
    assert_true(sim_trace_read(path, &t, &err) != WHET_OK);
    assert_non_null(strstr(err.text, bad[i].says));
  }
  FILE *f = fopen(path, "w");
  fputs("seconds,up,latency_ms,loss\n0,1,100,0.1\n6,0,0,0\n10,1,0,0\n", f);
  fclose(f);
  assert_int_equal(sim_trace_read(path, &t, &err), WHET_OK);
  assert_true(t.n == 3 && t.length == 10 && fabs(sim_trace_up(&t) - 0.6) < 1e-9 && t.step[0].latency == 0.1);
  sim_trace_free(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(policies),  cmocka_unit_test(thresholds),
                                     cmocka_unit_test(waits),     cmocka_unit_test(late),
                                     cmocka_unit_test(dead_link), cmocka_unit_test(steady_beat),
                                     cmocka_unit_test(corrects),  cmocka_unit_test(budgets),
                                     cmocka_unit_test(ends_soon), cmocka_unit_test(traces)};
  const char *tmp = getenv("TMPDIR");
  snprintf(k_dir, sizeof k_dir, "%s/cascade.XXXXXX", tmp ? tmp : "/tmp");
  if (!mkdtemp(k_dir)) return 1;
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  char rm[300];
  snprintf(rm, sizeof rm, "rm -rf '%s'", k_dir);
  return system(rm) ? 1 : r;
}
