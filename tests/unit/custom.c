/* SPDX-License-Identifier: Apache-2.0 */
/* Operators of the caller's own, in both formats: attributes, shape rule, kernel, state, what they do wrong. */

#include <stdio.h>
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

/* An operator that keeps its context, says what its output will be, and makes strings of its attribute. */
struct kept {
  whet_custom_ctx *c;
  int told;
};
static whet_status keeps(void *user, const whet_custom_ctx *c, void **state) {
  *state = user;
  return whet_custom_keep(c, &((struct kept *)user)->c);
}
static whet_status tells(void *user, whet_custom_ctx *c) {
  whet_info x, y = {.dtype = WHET_STRING, .rank = 2, .dims = {-1, 2}};
  ((struct kept *)user)->told++;
  assert_int_equal(whet_custom_input(c, 0, &x, NULL), WHET_OK);
  y.symbol[0] = x.symbol[0];
  assert_int_equal(whet_custom_output_told(c, 1, &y), WHET_E_MISUSE);
  return whet_custom_output_told(c, 0, &y);
}
static whet_status says(void *user, void *state, whet_custom_ctx *c) {
  struct kept *k = user;
  whet_info x, t;
  const void *words, *data;
  void *out;
  whet_custom_ctx *other;
  assert_string_equal(whet_custom_node(k->c), "it"); /* long after create */
  assert_int_equal(whet_custom_attr_tensor(c, "none", &t, &words), 0);
  assert_int_equal(whet_custom_attr_tensor(k->c, "words", &t, &words), 1);
  assert_true(t.dtype == WHET_S32 && t.rank == 1 && t.dims[0] == 2);
  assert_int_equal(whet_custom_input(c, 0, &x, &data), WHET_OK);
  whet_info y = {.dims = {x.dims[0], 2}};
  assert_int_equal(whet_custom_output_string(c, 0, 0, "a", 1), WHET_E_MISUSE); /* none is made yet */
  assert_int_equal(whet_custom_output_told(c, 0, &t), WHET_E_MISUSE);
  assert_int_equal(whet_custom_keep(c, &other), WHET_E_MISUSE);
  if (whet_custom_output(c, 0, WHET_STRING, 2, y.dims, &out)) return WHET_E_INTERNAL;
  assert_int_equal(whet_custom_output_string(c, 0, (size_t)(2 * x.dims[0]), "a", 1), WHET_E_MISUSE);
  for (int64_t i = 1; i < 2 * x.dims[0]; i++) { /* the first stays empty */
    char text[16];
    size_t n = (size_t)snprintf(text, sizeof text, "%d", (int)((const int32_t *)words)[i % 2]);
    if (whet_custom_output_string(c, 0, (size_t)i, text, n)) return WHET_E_INTERNAL;
  }
  return WHET_OK;
}

static void keeps_tells_and_says(void **state) {
  struct kept k = {0};
  whet_custom_op op = {.size = sizeof op, .name = "Says", .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1,
                       .create = keeps, .run = says, .user = &k, .tell = tells};
  const whet_custom_op *ops[] = {&op};
  whet_custom_domain domain = {sizeof domain, "here", ops, 1};
  const whet_custom_domain *domains[] = {&domain};
  whet_model_opts o = whet_model_opts_default();
  o.custom = domains;
  o.n_custom = 1;
  buf words = ox_tensor("words", 6, 1, (int64_t[]){2}, (int32_t[]){7, 11}, 8), graph = {0}, set = {0};
  ox_attr attrs[] = {{.name = "words", .type = 4, .t = &words}, {0}};
  ox_add_in(&graph, ox_info("x", 1, 1, (int64_t[]){-1}, "n"));
  ox_add_node(&graph, ox_node_in("here", "Says", "it", "x", "y", attrs));
  ox_add_out(&graph, ox_info("y", 8, -1, NULL, NULL));
  buf b = ox_model(graph, 8, 17);
  pb_str(&set, 1, "here");
  pb_int(&set, 2, 1);
  pb_msg(&b, 8, &set);
  whet_model *m = open_made(&b, &o);
  whet_program *p = NULL;
  whet_session *s = NULL;
  whet_info y;
  whet_err err = {0};
  if (whet_program_create(m, NULL, &p, &err) || whet_session_create(p, &s, &err)) fail_msg("%s", err.text);
  assert_true(k.told > 0);
  assert_int_equal(whet_program_output(p, 0, &y), WHET_OK);
  assert_true(y.rank == 2 && y.dims[0] == -1 && y.dims[1] == 2);
  assert_string_equal(y.symbol[0], "n");
  for (int64_t n = 3; n > 0; n -= 2) {
    whet_value *v;
    assert_int_equal(whet_session_resize(s, 0, 1, &n, &err), WHET_OK);
    if (whet_session_run(s, NULL, &err) || whet_session_get_output(s, 0, &v, &err)) fail_msg("%s", err.text);
    assert_int_equal(whet_value_count(v), 2 * n);
    const whet_str *t = whet_value_const_data(v);
    assert_int_equal(t[0].n, 0);
    assert_true(t[1].n == 2 && !memcmp(t[1].p, "11", 2));
    whet_value_unref(&v);
  }
  whet_session_close(&s);
  whet_program_close(&p);
  close_made(&m, &b);
}

/* Shape rule and kernel of an operator that leaves its output to the kernel where its input has more than two elements. */
static whet_status may_leave(void *user, void *state, whet_custom_ctx *c) {
  whet_info x;
  assert_int_equal(whet_custom_input(c, 0, &x, NULL), WHET_OK);
  assert_int_equal(whet_custom_tells(c), 0);
  return x.dims[0] > 2 ? whet_custom_output_late(c) : whet_custom_output(c, 0, WHET_F32, 1, x.dims, NULL);
}
static whet_status twice_if_left(void *user, void *state, whet_custom_ctx *c) {
  whet_info x;
  const void *data;
  void *out;
  assert_int_equal(whet_custom_input(c, 0, &x, &data), WHET_OK);
  assert_int_equal(whet_custom_output_late(c), WHET_E_MISUSE);
  int64_t n = x.dims[0], made = whet_custom_tells(c) ? 2 * n : n;
  assert_int_equal(whet_custom_tells(c) != 0, n > 2);
  whet_status s = whet_custom_output(c, 0, WHET_F32, 1, &made, &out);
  for (int64_t i = 0; !s && i < made; i++) ((float *)out)[i] = ((const float *)data)[i % n];
  return s;
}

static void leaves_to_the_kernel(void **state) {
  whet_custom_op op = {.size = sizeof op, .name = "Left", .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1,
                       .shape = may_leave, .run = twice_if_left};
  const whet_custom_op *ops[] = {&op};
  whet_custom_domain domain = {sizeof domain, "here", ops, 1};
  const whet_custom_domain *domains[] = {&domain};
  whet_model_opts o = whet_model_opts_default();
  o.custom = domains;
  o.n_custom = 1;
  buf graph = {0}, set = {0};
  ox_attr attrs[] = {{0}};
  ox_add_in(&graph, ox_info("x", 1, 1, (int64_t[]){-1}, "n"));
  ox_add_node(&graph, ox_node_in("here", "Left", "it", "x", "y", attrs));
  ox_add_out(&graph, ox_info("y", 1, -1, NULL, NULL));
  buf b = ox_model(graph, 8, 17);
  pb_str(&set, 1, "here");
  pb_int(&set, 2, 1);
  pb_msg(&b, 8, &set);
  whet_model *m = open_made(&b, &o);
  whet_program *p = NULL;
  whet_session *s = NULL;
  whet_err err = {0};
  if (whet_program_create(m, NULL, &p, &err) || whet_session_create(p, &s, &err)) fail_msg("%s", err.text);
  for (int64_t n = 1; n < 5; n++) {
    size_t bytes;
    whet_info y;
    assert_int_equal(whet_session_resize(s, 0, 1, &n, &err), WHET_OK);
    float *x = whet_session_input(s, 0, &bytes, &err);
    assert_int_equal(bytes, 4 * n);
    for (int64_t i = 0; i < n; i++) x[i] = (float)(i + n);
    if (whet_session_run(s, NULL, &err)) fail_msg("%s", err.text);
    const float *out = whet_session_output(s, 0, &bytes, &err);
    assert_int_equal(bytes, 4 * (n > 2 ? 2 * n : n));
    assert_int_equal(whet_session_output_info(s, 0, &y), WHET_OK);
    assert_int_equal(y.dims[0], bytes / 4);
    for (size_t i = 0; i < bytes / 4; i++) assert_true(out[i] == (float)((int64_t)i % n + n));
  }
  whet_session_close(&s);
  whet_program_close(&p);
  close_made(&m, &b);
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
                                     cmocka_unit_test(keeps_tells_and_says), cmocka_unit_test(leaves_to_the_kernel), cmocka_unit_test(in_tflite)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
