/* SPDX-License-Identifier: Apache-2.0 */
/* Operators of the caller's own, in both formats: attributes, shape rule, kernel, state, what they do wrong. */

#include <stdlib.h>

#include "lib/open.h"
#include "whet/whet.h"

/* What the functions below count. */
struct counts {
  int create, destroy, shape, run;
  int wrong; /* what to do wrong: see the kernel */
};

/* Each state holds the factor of its node. */
static whet_status create(void *user, const whet_custom_ctx *c, void **state) {
  struct counts *n = user;
  int64_t factor = 2;
  size_t bytes;
  n->create++;
  if (!whet_custom_attr_int(c, "factor", &factor) && whet_custom_options(c, &bytes) && bytes)
    factor = *(const uint8_t *)whet_custom_options(c, NULL);
  if (factor == 13) return WHET_E_DATA;
  *state = malloc(sizeof factor);
  memcpy(*state, &factor, sizeof factor);
  return WHET_OK;
}
static void destroy(void *user, void *state) {
  ((struct counts *)user)->destroy++;
  free(state);
}
/* Twice as long as the input in its first dimension. */
static whet_status shape(void *user, void *state, whet_custom_ctx *c) {
  whet_info x;
  ((struct counts *)user)->shape++;
  whet_status s = whet_custom_input(c, 0, &x, NULL);
  if (s) return s;
  if (x.rank != 1) return whet_custom_error(c, "takes a row"), WHET_E_SHAPE;
  x.dims[0] *= 2;
  return whet_custom_output(c, 0, WHET_F32, 1, x.dims, NULL);
}
static whet_status run(void *user, void *state, whet_custom_ctx *c) {
  struct counts *n = user;
  whet_info x;
  const void *data;
  void *out;
  int64_t factor, dims[1];
  n->run++;
  if (n->wrong == 1) return whet_custom_error(c, "no mood for it"), WHET_E_DATA;
  if (n->wrong == 2) return WHET_OK; /* nothing told */
  if (whet_custom_input(c, 0, &x, &data) || whet_custom_input(c, 9, &x, &data) != WHET_E_MISUSE) return WHET_E_INTERNAL;
  if (whet_custom_input(c, 0, &x, &data)) return WHET_E_INTERNAL;
  memcpy(&factor, state, sizeof factor);
  dims[0] = n->wrong == 3 ? x.dims[0] : 2 * x.dims[0];
  whet_status s = whet_custom_output(c, 0, WHET_F32, 1, dims, &out);
  if (s) return s;
  for (int64_t i = 0; i < dims[0]; i++) ((float *)out)[i] = (float)factor * ((const float *)data)[i % x.dims[0]];
  return WHET_OK;
}

static whet_status no_kernel(void *user, void *state, whet_custom_ctx *c) { return WHET_E_UNSUPPORTED; }

/* y = Mine(Relu(x)), z = y + y, of the domain "here". */
static buf onnx(int64_t factor) {
  const int64_t n[1] = {-1};
  ox_attr attrs[] = {{.name = "factor", .type = 2, .i = factor}, {0}};
  buf g = {0}, set = {0};
  ox_add_in(&g, ox_info("x", 1, 1, n, "n"));
  ox_add_node(&g, ox_node("Relu", "x", "r", NULL));
  ox_add_node(&g, ox_node_in("here", "Mine", "it", "r", "y", attrs));
  ox_add_node(&g, ox_node("Add", "y,y", "z", NULL));
  ox_add_out(&g, ox_info("z", 1, 1, n, "m"));
  buf m = ox_model(g, 8, 17);
  pb_str(&set, 1, "here");
  pb_int(&set, 2, 1);
  pb_msg(&m, 8, &set);
  return m;
}

/* Run a model on {1, -2, 3} and compare with 2 * factor * relu(x), twice. */
static void check(whet_program *p, int64_t factor, int n) {
  whet_session *s = NULL;
  whet_err err = {0};
  whet_info info;
  const int64_t dims[1] = {n};
  assert_int_equal(whet_session_create(p, &s, &err), WHET_OK);
  assert_int_equal(whet_session_resize(s, 0, 1, dims, &err), WHET_OK);
  float *x = whet_session_input(s, 0, NULL, &err);
  if (!x) fail_msg("%s", err.text);
  for (int i = 0; i < n; i++) x[i] = (float)(i % 2 ? -i : i);
  if (whet_session_run(s, NULL, &err)) fail_msg("%s", err.text);
  const float *z = whet_session_output(s, 0, NULL, &err);
  assert_int_equal(whet_session_output_info(s, 0, &info), WHET_OK);
  assert_int_equal(info.dims[0], 2 * n);
  for (int i = 0; i < 2 * n; i++) assert_true(z[i] == (float)(2 * factor * (i % n % 2 ? 0 : i % n)));
  whet_session_close(&s);
}

static void in_onnx(void **state) {
  for (int with_shape = 0; with_shape < 2; with_shape++) {
    struct counts n = {0};
    whet_custom_op op = {.size = sizeof op, .name = "Mine", .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1,
                         .create = create, .destroy = destroy, .shape = with_shape ? shape : NULL, .run = run, .user = &n};
    const whet_custom_op *ops[] = {&op};
    whet_custom_domain domain = {sizeof domain, "here", ops, 1};
    const whet_custom_domain *domains[] = {&domain};
    whet_model_opts o = whet_model_opts_default();
    o.custom = domains;
    o.n_custom = 1;
    buf b = onnx(5);
    whet_model *m = open_made(&b, &o);
    whet_program *p = NULL, *q = NULL;
    whet_err err = {0};
    if (whet_program_create(m, NULL, &p, &err) || whet_program_create(m, NULL, &q, &err)) fail_msg("%s", err.text);
    assert_int_equal(n.create, 2); /* one state for each program */
    check(p, 5, 3);
    check(p, 5, 8);
    check(q, 5, 1);
    assert_int_equal(n.run, 3);
    assert_int_equal(whet_program_save(p, "custom.whet", NULL, &err), WHET_E_UNSUPPORTED); /* no file holds functions */
    assert_true(with_shape ? n.shape > 0 : n.shape == 0);
    whet_program_close(&p);
    assert_int_equal(n.destroy, 1);
    whet_program_close(&q);
    assert_int_equal(n.destroy, n.create);
    close_made(&m, &b);
  }
}

static void what_it_does_wrong(void **state) {
  static const struct {
    int wrong;
    whet_status s;
    const char *word;
  } k_case[] = {{1, WHET_E_DATA, "no mood for it"}, {2, WHET_E_DATA, "not told"}, {3, WHET_E_SHAPE, "shape rule"}};
  struct counts n = {0};
  whet_custom_op op = {.size = sizeof op, .name = "Mine", .min_in = 1, .max_in = 1, .min_out = 1, .max_out = -1,
                       .create = create, .destroy = destroy, .shape = shape, .run = run, .user = &n, .thread_safe = 1};
  const whet_custom_op *ops[] = {&op};
  whet_custom_domain domain = {sizeof domain, "here", ops, 1};
  const whet_custom_domain *domains[] = {&domain};
  whet_model_opts o = whet_model_opts_default();
  o.custom = domains;
  o.n_custom = 1;
  buf b = onnx(3);
  whet_model *m = open_made(&b, &o);
  whet_program *p = NULL;
  whet_session *s = NULL;
  whet_err err = {0};
  assert_int_equal(whet_program_create(m, NULL, &p, &err), WHET_OK);
  for (size_t i = 0; i < sizeof k_case / sizeof *k_case; i++) {
    n.wrong = k_case[i].wrong;
    assert_int_equal(whet_session_create(p, &s, &err), WHET_OK);
    assert_int_equal(whet_session_run(s, NULL, &err), k_case[i].s);
    if (!strstr(err.text, k_case[i].word) || !strstr(err.text, "\"it\"")) fail_msg("%s", err.text);
    n.wrong = 0;
    assert_int_equal(whet_session_run(s, NULL, &err), WHET_OK); /* and it goes on */
    whet_session_close(&s);
  }
  whet_program_close(&p);
  close_made(&m, &b);
  b = onnx(13); /* whose state cannot be made */
  m = open_made(&b, &o);
  assert_int_equal(whet_program_create(m, NULL, &p, &err), WHET_E_DATA);
  assert_non_null(strstr(err.text, "Mine"));
  close_made(&m, &b);
  b = onnx(3);
  OPEN_FAILS(&b, NULL, WHET_E_UNSUPPORTED, "Mine"); /* nobody brings it */
  op.min_in = 2, op.max_in = 3;
  b = onnx(3);
  OPEN_FAILS(&b, &o, WHET_E_FORMAT, "1 inputs", "2..3");
  assert_int_equal(n.create - 1, n.destroy);
}

static void in_tflite(void **state) {
  tf_tensor ts[] = {{.name = "x", .type = 0, .rank = 1, .dim = {3}}, {.name = "y", .type = 0, .rank = 1, .dim = {6}}};
  tf_op f = {.code = 32, .custom = "Mine", .n_in = 1, .in = {0}, .n_out = 1, .out = {1}};
  tf_graph g = {.n_tensor = 2, .tensor = ts, .n_op = 1, .op = &f, .n_in = 1, .in = {0}, .n_out = 1, .out = {1}};
  struct counts n = {0};
  whet_custom_op op = {.size = sizeof op, .name = "Mine", .max_in = -1, .max_out = -1, .create = create, .destroy = destroy,
                       .shape = shape, .run = run, .user = &n};
  const whet_custom_op *ops[] = {&op};
  whet_custom_domain domain = {sizeof domain, "", ops, 1};
  const whet_custom_domain *domains[] = {&domain};
  whet_model_opts o = whet_model_opts_default();
  o.custom = domains;
  o.n_custom = 1;
  buf b = tf_model(&g, 1, NULL, 0);
  whet_model *m = open_made(&b, &o);
  whet_program *p = NULL;
  whet_session *s = NULL;
  whet_err err = {0};
  if (whet_program_create(m, NULL, &p, &err) || whet_session_create(p, &s, &err)) fail_msg("%s", err.text);
  float *x = whet_session_input(s, 0, NULL, &err);
  for (int i = 0; i < 3; i++) x[i] = (float)i;
  assert_int_equal(whet_session_run(s, NULL, &err), WHET_OK);
  const float *y = whet_session_output(s, 0, NULL, &err);
  for (int i = 0; i < 6; i++) assert_true(y[i] == (float)(2 * (i % 3)));
  whet_session_close(&s);
  whet_program_close(&p);
  close_made(&m, &b);
  assert_int_equal(n.create, n.destroy);
  op.run = no_kernel;
  b = tf_model(&g, 1, NULL, 0);
  m = open_made(&b, &o);
  if (whet_program_create(m, NULL, &p, &err) || whet_session_create(p, &s, &err)) fail_msg("%s", err.text);
  assert_int_equal(whet_session_run(s, NULL, &err), WHET_E_UNSUPPORTED);
  whet_session_close(&s);
  whet_program_close(&p);
  close_made(&m, &b);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(in_onnx), cmocka_unit_test(what_it_does_wrong),
                                     cmocka_unit_test(in_tflite)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
