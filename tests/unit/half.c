/* SPDX-License-Identifier: Apache-2.0 */
/* Pass half: numbers in f32 that a product would get in half precision reach it unrounded. */

#include "base/dtype.h"
#include "lib/open.h"
#include "plan/program.h"
#include "whet/whet.h"

enum { FLOAT = 1, BOOLEAN = 9, HALF = 10 };

/* y = MatMul(Where(c, Cast(x), 0), w) in half precision; without c: y = MatMul(Cast(x), w). */
static buf model(bool where) {
  const int64_t x[2] = {2, 2}, w[2] = {2, 1}, one[1] = {1};
  const ox_attr to[] = {{.name = "to", .type = 2, .i = HALF}, {0}};
  uint16_t weights[2] = {whet__f32_to_f16(1024), whet__f32_to_f16(-1024)}, zero = 0;
  buf g = {0};
  ox_add_in(&g, ox_info("x", FLOAT, 2, x, NULL));
  if (where) ox_add_in(&g, ox_info("c", BOOLEAN, 2, x, NULL));
  ox_add_init(&g, ox_tensor("w", HALF, 2, w, weights, sizeof weights));
  ox_add_init(&g, ox_tensor("zero", HALF, 1, one, &zero, sizeof zero));
  ox_add_node(&g, ox_node("Cast", "x", "h", to));
  if (where) ox_add_node(&g, ox_node("Where", "c,h,zero", "k", NULL));
  ox_add_node(&g, ox_node("MatMul", where ? "k,w" : "h,w", "y", NULL));
  ox_add_out(&g, ox_info("y", HALF, 2, (const int64_t[]){2, 1}, NULL));
  return ox_model(g, 8, 17);
}

static void one_rounding_less(void **state) {
  for (int where = 0; where < 2; where++) {
    buf b = model(where);
    whet_model *m = open_made(&b, NULL);
    whet_program *p = NULL;
    whet_session *s = NULL;
    whet_err err = {0};
    if (whet_program_create(m, NULL, &p, &err) || whet_session_create(p, &s, &err)) fail_msg("%s", err.text);
    float *x = whet_session_input(s, 0, NULL, &err);
    const float small = 1.0f / 4096; /* lost beside 1 in half precision */
    x[0] = 1 + small, x[1] = 1, x[2] = 1, x[3] = 1 + 3 * small;
    if (where) memcpy(whet_session_input(s, 1, NULL, &err), (const bool[]){true, true, true, false}, 4);
    if (whet_session_run(s, NULL, &err)) fail_msg("%s", err.text);
    const uint16_t *y = whet_session_output(s, 0, NULL, &err);
    assert_true(whet__f16_to_f32(y[0]) == 0.25f); /* 0 when x was rounded */
    assert_true(whet__f16_to_f32(y[1]) == (where ? 1024.0f : -0.75f));
    whet_info info;
    assert_int_equal(whet_session_output_info(s, 0, &info), WHET_OK);
    assert_int_equal(info.dtype, WHET_F16);
    whet_session_close(&s);
    whet_program_close(&p);
    close_made(&m, &b);
  }
}

/* y = MatMul(Softmax(x), x) in half precision: both run in f32. */
static void softmax_too(void **state) {
  const int64_t x[2] = {3, 3};
  buf g = {0};
  ox_add_in(&g, ox_info("x", HALF, 2, x, NULL));
  ox_add_node(&g, ox_node("Softmax", "x", "p", NULL));
  ox_add_node(&g, ox_node("MatMul", "p,x", "y", NULL));
  ox_add_out(&g, ox_info("y", HALF, 2, x, NULL));
  buf b = ox_model(g, 8, 17);
  whet_model *m = open_made(&b, NULL);
  whet_program *p = NULL;
  whet_session *s = NULL;
  whet_err err = {0};
  if (whet_program_create(m, NULL, &p, &err) || whet_session_create(p, &s, &err)) fail_msg("%s", err.text);
  int wide = 0;
  for (int32_t i = 0; i < p->graph.main.n_node; i++) {
    const whet_node *n = &p->graph.node[p->graph.main.node[i]];
    if (!strcmp(n->op->name, "Softmax") || !strcmp(n->op->name, "MatMul")) {
      assert_int_equal(p->graph.val[n->in[0]].dtype, WHET_F32);
      wide++;
    }
  }
  assert_int_equal(wide, 2);
  uint16_t *in = whet_session_input(s, 0, NULL, &err);
  for (int i = 0; i < 9; i++) in[i] = whet__f32_to_f16(i % 3 == i / 3 ? 1 : 0);
  if (whet_session_run(s, NULL, &err)) fail_msg("%s", err.text);
  const uint16_t *y = whet_session_output(s, 0, NULL, &err);
  assert_true(y[0] == whet__f32_to_f16(0.5761169f) && y[1] == whet__f32_to_f16(0.2119416f));
  whet_session_close(&s);
  whet_program_close(&p);
  close_made(&m, &b);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(one_rounding_less), cmocka_unit_test(softmax_too)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
