/* SPDX-License-Identifier: Apache-2.0 */
/* The precision of float products: bf16 is refused by name where it cannot be, taken where it can, near f32, and the same for
 * every number of threads. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/build.h"
#include "lib/test.h"
#include "plan/program.h"
#include "run/session.h"

enum { SIDE = 20, IN = 48, OUT = 80, PIXELS = SIDE * SIDE };

static float k_w[OUT * IN * 9];

/* A convolution of 3 x 3 and a Relu. */
static whet_model *model(void) {
  const int64_t x[] = {1, IN, SIDE, SIDE}, y[] = {1, OUT, SIDE, SIDE}, k[] = {OUT, IN, 3, 3}, ones[] = {1, 1, 1, 1};
  for (int i = 0; i < OUT * IN * 9; i++) k_w[i] = (float)((i * 37) % 191 - 95) / 100;
  const ox_attr attr[] = {{.name = "pads", .type = 7, .ints = ones, .n = 4}, {0}};
  buf g = {0};
  ox_add_node(&g, ox_node("Conv", "x,w", "c", attr));
  ox_add_node(&g, ox_node("Relu", "c", "y", NULL));
  ox_add_init(&g, ox_tensor("w", 1, 4, k, k_w, sizeof k_w));
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

/* Making a program must fail so. */
static void refused(const char *precision, const char *cpu, int exact, whet_status status, const char *says) {
  whet_model *m = model();
  whet_program *p = NULL;
  whet_err err = {0};
  whet_program_opts o = whet_program_opts_default();
  o.precision = precision;
  o.cpu = cpu;
  o.exact = exact;
  assert_int_equal(whet_program_create(m, &o, &p, &err), status);
  if (!strstr(err.text, says)) fail_msg("\"%s\" does not say \"%s\"", err.text, says);
  assert_null(p);
  whet_model_close(&m);
}

static void refusals(void **state) {
  refused("bf16", "c", 0, WHET_E_UNSUPPORTED, "level c of this CPU has no bf16 dot products");
  refused("fp8", NULL, 0, WHET_E_NAME, "precision \"fp8\": expected f32 or bf16");
  refused("bf16", NULL, 1, WHET_E_MISUSE, "exact forbids");
}

/* The model's results; *row: the kernel of its convolution. */
static void results(const char *precision, int threads, float *y, char row[64]) {
  whet_model *m = model();
  whet_program *p = NULL;
  whet_session *s = NULL;
  whet_err err = {0};
  size_t n;
  whet_program_opts o = whet_program_opts_default();
  o.precision = precision;
  o.threads = threads;
  if (whet_program_create(m, &o, &p, &err) || whet_session_create(p, &s, &err)) fail_msg("%s", err.text);
  float *x = whet_session_input(s, 0, &n, &err);
  for (size_t i = 0; i < n / 4; i++) x[i] = (float)((i * 53) % 211) / 105 - 1;
  if (whet_session_run(s, NULL, &err)) fail_msg("%s", err.text);
  const float *got = whet_session_output(s, 0, &n, &err);
  assert_int_equal(n, sizeof(float) * OUT * PIXELS);
  memcpy(y, got, n);
  row[0] = 0;
  whet_plan *plan;
  whet_shape in[1];
  whet__program_shapes(p, in);
  if (whet__program_plan(p, in, &plan, &err)) fail_msg("%s", err.text);
  for (int32_t i = 0; i < plan->n_step; i++)
    if (plan->step[i].row && plan->step[i].row->bf16) snprintf(row, 64, "%s", plan->step[i].row->name);
  whet__plan_unref(plan);
  whet_session_close(&s);
  whet_program_close(&p);
  whet_model_close(&m);
}

static void close_to_f32(void **state) {
  whet_target t;
  whet_err err;
  if (whet__target_at(NULL, &t, &err)) fail_msg("%s", err.text);
  if (!(t.isa & WHET_ISA_BF16)) {
    print_message("skipped: this CPU has no bf16 dot products\n");
    skip();
  }
  float *y = test_malloc(3 * sizeof *y * OUT * PIXELS), *f32 = y, *one = y + OUT * PIXELS, *two = one + OUT * PIXELS;
  char row[64];
  results(NULL, 1, f32, row);
  assert_string_equal(row, "");
  results("bf16", 1, one, row);
  bool gains = t.fast_bf16 || t.isa & WHET_ISA_AMX;
  assert_int_equal(row[0] != 0, gains);
  results("bf16", 3, two, row);
  assert_memory_equal(one, two, sizeof *y * OUT * PIXELS);
  if (!gains) { /* f32 is faster: it stays */
    assert_memory_equal(one, f32, sizeof *y * OUT * PIXELS);
    test_free(y);
    return;
  }
  double most = 0, err2 = 0, size2 = 0;
  for (int i = 0; i < OUT * PIXELS; i++) {
    double d = fabs((double)f32[i] - one[i]);
    most = fmax(most, d);
    err2 += d * d;
    size2 += (double)f32[i] * f32[i];
  }
  /* Each of 432 products is off by 2^-8 of itself at most, of size 0.25 on average. */
  assert_true(most > 0 && most < 432 * 0.25 / 256);
  assert_true(sqrt(err2 / size2) < 1.0 / 256);
  test_free(y);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(refusals), cmocka_unit_test(close_to_f32)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
