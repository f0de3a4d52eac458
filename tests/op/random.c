/* SPDX-License-Identifier: Apache-2.0 */
/* Operators that draw: with a seed the numbers of the specification's reference, without one other numbers in every
 * run; the shares of what they draw. */

#include "op/random.h"

#include <math.h>
#include <stdlib.h>

#include "lib/opcheck.h"
#include "plan/program.h"
#include "whet/whet.h"

enum { MANY = 20000 };

/* Two runs of a model that draws MANY numbers of a type: op on a constant p (NULL: none). */
static void draw(const char *op, const whet_random *attr, const float *p, int32_t classes, whet_dtype t, void *first,
                 void *second) {
  opcheck c;
  whet_err err;
  int64_t dims[2] = {p && !classes ? MANY : 1, classes};
  static float many[MANY];
  for (int i = 0; p && i < MANY; i++) many[i] = p[classes ? i % classes : 0];
  opcheck_begin(&c, op);
  int32_t x = p ? opcheck_const(&c, WHET_F32, classes ? 2 : 1, dims, many) : -1;
  int32_t y = opcheck_node(&c, op, attr, p ? 1 : 0, &x);
  opcheck_output(&c, y);
  c.g->main.out = &y;
  c.g->main.n_out = 1;
  whet_program *program;
  whet_session *s;
  if (whet_program_create(c.model, NULL, &program, &err)) fail_msg("%s: %s", op, err.text);
  if (whet_session_create(program, &s, &err)) fail_msg("%s: %s", op, err.text);
  void *to[2] = {first, second};
  for (int i = 0; i < 2; i++) {
    size_t bytes;
    if (whet_session_run(s, NULL, &err)) fail_msg("%s: %s", op, err.text);
    const void *v = whet_session_output(s, 0, &bytes, &err);
    assert_non_null(v);
    assert_int_equal(bytes, whet_dtype_bytes(t, MANY));
    memcpy(to[i], v, bytes);
  }
  whet_session_close(&s);
  whet_program_close(&program);
  whet_model_close(&c.model);
}

static float s_a[MANY], s_b[MANY];
static int32_t s_i[MANY], s_k[MANY];

/* Mean and variance of what was drawn. */
static void moments(const float *v, double *mean, double *variance) {
  double sum = 0, squares = 0;
  for (int i = 0; i < MANY; i++) sum += (double)v[i], squares += (double)v[i] * (double)v[i];
  *mean = sum / MANY;
  *variance = squares / MANY - *mean * *mean;
}

static void seeded(void **state) {
  static const float uniform[] = {0.5488135f, 0.71518937f, 0.60276338f, 0.54488318f};
  static const float normal[] = {1.76405235f, 0.40015721f, 0.97873798f, 2.2408932f};
  int64_t shape[2] = {4, MANY / 4};
  whet_random a = {.shape = {shape, 2}, .dtype = WHET_F32, .a = 0, .b = 1, .seeded = true};
  draw("RandomUniform", &a, NULL, 0, WHET_F32, s_a, s_b);
  assert_memory_equal(s_a, s_b, sizeof s_a);
  for (int i = 0; i < 4; i++) assert_true(fabs((double)(s_a[i] - uniform[i])) < 1e-7);
  draw("RandomNormal", &a, NULL, 0, WHET_F32, s_a, s_b);
  assert_memory_equal(s_a, s_b, sizeof s_a);
  for (int i = 0; i < 4; i++) assert_true(fabs((double)(s_a[i] - normal[i])) < 3e-7);
}

static void unseeded(void **state) {
  double mean, variance;
  int64_t shape[1] = {MANY};
  whet_random a = {.shape = {shape, 1}, .dtype = WHET_F32, .a = -2, .b = 4};
  draw("RandomUniform", &a, NULL, 0, WHET_F32, s_a, s_b);
  assert_memory_not_equal(s_a, s_b, sizeof s_a);
  moments(s_a, &mean, &variance);
  assert_true(fabs(mean - 1) < 0.08 && fabs(variance - 3) < 0.15);
  for (int i = 0; i < MANY; i++) assert_true(s_a[i] >= -2 && s_a[i] <= 4);
  draw("RandomNormal", &a, NULL, 0, WHET_F32, s_a, s_b);
  assert_memory_not_equal(s_a, s_b, sizeof s_a);
  moments(s_a, &mean, &variance);
  assert_true(fabs(mean + 2) < 0.18 && fabs(variance - 16) < 1);
}

static void bernoulli(void **state) {
  static const float shares[] = {0, 0.3f, 0.9f, 1};
  for (int k = 0; k < 4; k++) {
    int ones = 0;
    whet_random a = {.dtype = WHET_S32, .seeded = k % 2 == 0, .seed = 7};
    draw("Bernoulli", &a, &shares[k], 0, WHET_S32, s_i, s_k);
    for (int i = 0; i < MANY; i++) {
      assert_true(s_i[i] == 0 || s_i[i] == 1);
      ones += s_i[i];
    }
    assert_true(fabs((double)ones / MANY - (double)shares[k]) < 0.02);
    if (k % 2 == 0) assert_memory_equal(s_i, s_k, sizeof s_i);
    if (k == 1) assert_memory_not_equal(s_i, s_k, sizeof s_i);
  }
}

static void multinomial(void **state) {
  static const float logs[3] = {0, 1.0986123f, -INFINITY}; /* 1 : 3 : 0 */
  int count[3] = {0};
  whet_random a = {.dtype = WHET_S32, .samples = MANY};
  draw("Multinomial", &a, logs, 3, WHET_S32, s_i, s_k);
  assert_memory_not_equal(s_i, s_k, sizeof s_i);
  for (int i = 0; i < MANY; i++) {
    assert_true(s_i[i] >= 0 && s_i[i] < 3);
    count[s_i[i]]++;
  }
  assert_int_equal(count[2], 0);
  assert_true(abs(count[0] - MANY / 4) < 500);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(seeded), cmocka_unit_test(unseeded), cmocka_unit_test(bernoulli),
                                     cmocka_unit_test(multinomial)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
