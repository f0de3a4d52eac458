/* SPDX-License-Identifier: Apache-2.0 */
/* Sequences in runs: those that nothing else uses are changed in place, others are not; what runs make stays within limits. */

#include <stdio.h>

#include "lib/build.h"
#include "lib/test.h"
#include "whet/whet.h"

enum { F32 = 1, S64 = 7, BOOL_T = 9 };

/* A ValueInfoProto of a sequence of f32 tensors. */
static buf sequence_info(const char *name) {
  buf info = {0}, type = {0}, seq = {0}, elem = {0}, tensor = {0};
  pb_int(&tensor, 1, F32);
  pb_msg(&elem, 1, &tensor);
  pb_msg(&seq, 1, &elem);
  pb_msg(&type, 4, &seq);
  pb_str(&info, 1, name);
  pb_msg(&info, 2, &type);
  return info;
}

/* A session of a graph; the limit in bytes, or 0. */
static whet_session *open_graph(buf g, size_t limit) {
  buf m = ox_model(g, 8, 17);
  whet_model_opts o = whet_model_opts_default();
  whet_model *model;
  whet_program *p;
  whet_session *s = NULL;
  whet_err e = {0};
  o.limits.memory_bytes = limit;
  if (whet_model_open_memory(m.p, m.n, &o, &model, &e) || whet_program_create(model, NULL, &p, &e) || whet_session_create(p, &s, &e))
    fail_msg("%s", e.text);
  whet_program_close(&p);
  whet_model_close(&model);
  buf_free(&m);
  return s;
}

/* Loop over `trips` rounds that puts x into a sequence which begins with what `first` names. */
static buf loop_graph(const char *first) {
  static const int64_t k_1[] = {1};
  buf g = {0}, b = {0};
  pb_str(&b, 2, "body");
  ox_add_node(&b, ox_node("Identity", "c", "d", NULL));
  ox_add_node(&b, ox_node("SequenceInsert", "s,x", "t", NULL));
  ox_add_in(&b, ox_info("k", S64, 0, NULL, NULL));
  ox_add_in(&b, ox_info("c", BOOL_T, 0, NULL, NULL));
  ox_add_in(&b, sequence_info("s"));
  ox_add_out(&b, ox_info("d", BOOL_T, 0, NULL, NULL));
  ox_add_out(&b, sequence_info("t"));
  pb_str(&g, 2, "loop");
  if (!strcmp(first, "e")) ox_add_node(&g, ox_node("SequenceEmpty", "", "e", NULL));
  char in[40];
  snprintf(in, sizeof in, "trips,,%s", first);
  ox_add_node(&g, ox_node("Loop", in, "y", (ox_attr[]){{.name = "body", .type = 5, .t = &b}, {0}}));
  ox_add_in(&g, ox_info("trips", S64, 1, k_1, NULL));
  ox_add_in(&g, ox_info("x", F32, 1, (int64_t[]){64}, NULL));
  if (!strcmp(first, "q")) ox_add_in(&g, sequence_info("q"));
  ox_add_out(&g, sequence_info("y"));
  return g;
}

static void set_trips(whet_session *s, int64_t n) {
  whet_err e = {0};
  int64_t *trips = whet_session_input(s, 0, NULL, &e);
  if (!trips) fail_msg("%s", e.text);
  *trips = n;
}

/* Many insertions take time in proportion: nothing is copied. Each round copies nothing but x, which the account shows. */
static void grows(void **state) {
  (void)state;
  whet_session *s = open_graph(loop_graph("e"), 0);
  whet_err e = {0};
  whet_value *y;
  set_trips(s, 3000);
  float *x = whet_session_input(s, 1, NULL, &e);
  for (int i = 0; i < 64; i++) x[i] = (float)i;
  if (whet_session_run(s, NULL, &e) || whet_session_get_output(s, 0, &y, &e)) fail_msg("%s", e.text);
  assert_int_equal(whet_value_items(y), 3000);
  assert_float_equal(((const float *)whet_value_const_data(whet_value_item(y, 2999)))[63], 63, 0);
  whet_session_close(&s);
  assert_int_equal(whet_value_items(y), 3000); /* it outlives the session */
  whet_value_unref(&y);
}

/* A caller's sequence stays as it is, however the loop changes it. */
static void spares_inputs(void **state) {
  (void)state;
  whet_session *s = open_graph(loop_graph("q"), 0);
  whet_err e = {0};
  whet_value *one, *q, *y;
  assert_int_equal(whet_value_create(WHET_F32, 1, (int64_t[]){2}, &one), WHET_OK);
  assert_int_equal(whet_value_create_sequence(&one, 1, &q), WHET_OK);
  whet_value_unref(&one);
  if (whet_session_set_input(s, 2, q, &e)) fail_msg("%s", e.text);
  whet_value_unref(&q); /* the session's is the only reference from now on */
  for (int64_t trips = 4; trips > 0; trips--) {
    set_trips(s, trips);
    if (whet_session_run(s, NULL, &e) || whet_session_get_output(s, 0, &y, &e)) fail_msg("%s", e.text);
    assert_int_equal(whet_value_items(y), trips + 1);
    whet_value_unref(&y);
  }
  whet_session_close(&s);
}

/* A sequence that is used twice keeps its items for the second use. */
static void spares_shared(void **state) {
  (void)state;
  static const int64_t k_dims[] = {3};
  buf g = {0};
  pb_str(&g, 2, "shared");
  ox_add_node(&g, ox_node("SequenceConstruct", "x,x", "s", NULL));
  ox_add_node(&g, ox_node("SequenceInsert", "s,x", "a", NULL));
  ox_add_node(&g, ox_node("SequenceErase", "s", "b", NULL));
  ox_add_node(&g, ox_node("SequenceInsert", "b,x", "c", NULL));
  ox_add_node(&g, ox_node("Optional", "c", "o", NULL));
  ox_add_node(&g, ox_node("OptionalGetElement", "o", "p", NULL));
  ox_add_node(&g, ox_node("SequenceErase", "p", "d", NULL));
  ox_add_in(&g, ox_info("x", F32, 1, k_dims, NULL));
  const char *const out[] = {"a", "s", "d"};
  for (int i = 0; i < 3; i++) ox_add_out(&g, sequence_info(out[i]));
  whet_session *s = open_graph(g, 0);
  whet_err e = {0};
  static const size_t want[] = {3, 2, 1};
  for (int round = 0; round < 2; round++) {
    if (whet_session_run(s, NULL, &e)) fail_msg("%s", e.text);
    for (size_t i = 0; i < 3; i++) {
      whet_value *y;
      if (whet_session_get_output(s, i, &y, &e)) fail_msg("%s", e.text);
      assert_int_equal(whet_value_items(y), want[i]);
      whet_value_unref(&y);
    }
  }
  whet_session_close(&s);
}

/* A loop that gathers without end meets the limit, and the session can run again. */
static void meets_limit(void **state) {
  (void)state;
  whet_session *s = open_graph(loop_graph("e"), 4 << 20);
  whet_err e = {0};
  for (int round = 0; round < 2; round++) {
    set_trips(s, INT64_C(1) << 40);
    assert_int_equal(whet_session_run(s, NULL, &e), WHET_E_LIMIT);
    set_trips(s, 10);
    if (whet_session_run(s, NULL, &e)) fail_msg("%s", e.text);
  }
  whet_session_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(grows), cmocka_unit_test(spares_inputs), cmocka_unit_test(spares_shared),
                                     cmocka_unit_test(meets_limit)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
