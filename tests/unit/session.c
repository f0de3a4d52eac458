/* SPDX-License-Identifier: Apache-2.0 */
/* Programs, plans and sessions: memory, shapes, bindings, sharing, refusals. */

#include <stdatomic.h>
#include <stdlib.h>

#include "lib/build.h"
#include "lib/opcheck.h"
#include "op/move_attr.h"
#include "plan/program.h"
#include "run/session.h"
#include "whet/whet.h"

/* x[2,3,4] -> Add k -> Relu -> b; outputs: Reshape(Transpose(b)), b * b, x itself. */
static whet_model *sample(void) {
  opcheck c;
  opcheck_begin(&c, "sample");
  float k[4] = {1, 2, 3, 4};
  int64_t perm[3] = {2, 0, 1}, to[2] = {-1, 2};
  whet_transpose t = {.perm = {whet__arena_copy(&c.g->arena, perm, sizeof perm), 3}};
  whet_reshape r = {0};
  int32_t x = opcheck_input(&c, WHET_F32, 3, (int64_t[]){2, 3, 4});
  int32_t kk = opcheck_const(&c, WHET_F32, 1, (int64_t[]){4}, k);
  int32_t b = opcheck_node(&c, "Relu", NULL, 1, (int32_t[]){opcheck_node(&c, "Add", NULL, 2, (int32_t[]){x, kk})});
  int32_t tt = opcheck_node(&c, "Transpose", &t, 1, &b);
  int32_t shape = opcheck_const(&c, WHET_S64, 1, (int64_t[]){2}, to);
  int32_t y = opcheck_node(&c, "Reshape", &r, 2, (int32_t[]){tt, shape});
  int32_t z = opcheck_node(&c, "Mul", NULL, 2, (int32_t[]){b, b});
  int32_t out[3] = {y, z, x};
  whet_region *m = &c.g->main;
  m->in = whet__arena_copy(&c.g->arena, &x, sizeof x);
  m->out = whet__arena_copy(&c.g->arena, out, sizeof out);
  m->n_in = 1;
  m->n_out = 3;
  return c.model;
}

static whet_session *open_sample(whet_model *m, const whet_program_opts *o) {
  whet_program *p;
  whet_session *s = NULL;
  whet_err e;
  if (whet_program_create(m, o, &p, &e) || whet_session_create(p, &s, &e)) fail_msg("%s", e.text);
  whet_program_close(&p);
  return s;
}

static void run(whet_session *s) {
  whet_err e;
  if (whet_session_run(s, NULL, &e)) fail_msg("%s", e.text);
}

static void results(void **state) {
  (void)state;
  whet_model *m = sample();
  whet_session *s = open_sample(m, NULL);
  whet_err e;
  float *x = whet_session_input(s, 0, NULL, &e);
  for (int i = 0; i < 24; i++) x[i] = (float)(i - 12);
  for (int round = 0; round < 3; round++) {
    run(s);
    const float *y = whet_session_output(s, 0, NULL, &e), *z = whet_session_output(s, 1, NULL, &e);
    const float *same = whet_session_output(s, 2, NULL, &e);
    for (int i = 0; i < 24; i++) {
      float b = (float)(i - 12 + 1 + i % 4);
      if (b < 0) b = 0;
      assert_true(z[i] == b * b);
      assert_true(same[i] == (float)(i - 12));
      assert_true(y[i % 4 * 6 + i / 4] == b);
    }
  }
  whet_session_close(&s);
  whet_model_close(&m);
}

static void a_run_allocates_nothing(void **state) {
  (void)state;
  whet_model *m = sample();
  whet_session *s = open_sample(m, NULL);
  run(s);
  uint64_t before = atomic_load(&m->mem.count);
  for (int i = 0; i < 100; i++) run(s);
  assert_int_equal(atomic_load(&m->mem.count), before);
  whet_session_close(&s);
  whet_model_close(&m);
}

static void outputs_can_be_bound(void **state) {
  (void)state;
  whet_model *m = sample();
  whet_session *s = open_sample(m, NULL);
  whet_err e;
  float in[24], out[3][24];
  for (int i = 0; i < 24; i++) in[i] = (float)i;
  assert_int_equal(whet_session_bind_input(s, 0, in, sizeof in, &e), WHET_OK);
  for (size_t o = 0; o < 3; o++) assert_int_equal(whet_session_bind_output(s, o, out[o], sizeof out[o], &e), WHET_OK);
  run(s);
  assert_true(out[0][0] == 1 && out[1][1] == 9 && out[2][23] == 23);
  assert_ptr_equal(whet_session_output(s, 1, NULL, &e), out[1]);
  assert_int_equal(whet_session_bind_output(s, 1, NULL, 0, &e), WHET_OK);
  run(s);
  assert_ptr_not_equal(whet_session_output(s, 1, NULL, &e), out[1]);
  assert_int_equal(whet_session_bind_output(s, 1, out[1], 4, &e), WHET_E_SHAPE);
  assert_non_null(strstr(e.text, "96 bytes"));
  whet_session_close(&s);
  whet_model_close(&m);
}

static void *give(void *user, size_t i, whet_dtype t, int32_t rank, const int64_t *dims, size_t bytes) {
  (void)i;
  assert_int_equal(t, WHET_F32);
  assert_int_equal(rank, 2);
  assert_int_equal(dims[0] * dims[1] * 4, bytes);
  return user;
}

static void outputs_can_be_asked_for(void **state) {
  (void)state;
  whet_model *m = sample();
  whet_session *s = open_sample(m, NULL);
  whet_err e;
  float mine[24] = {0};
  assert_int_equal(whet_session_out_alloc(s, 0, give, mine), WHET_OK);
  float *x = whet_session_input(s, 0, NULL, &e);
  for (int i = 0; i < 24; i++) x[i] = 1;
  run(s);
  assert_true(mine[0] == 2 && mine[23] == 5);
  assert_int_equal(whet_session_out_alloc(s, 0, give, NULL), WHET_OK);
  assert_int_equal(whet_session_run(s, NULL, &e), WHET_E_MEMORY);
  whet_session_close(&s);
  whet_model_close(&m);
}

static void other_shapes(void **state) {
  (void)state;
  whet_model *m = sample();
  whet_session *s = open_sample(m, NULL);
  whet_err e;
  whet_info info;
  for (int64_t n = 1; n < 30; n++) { /* more than the plans that are kept */
    assert_int_equal(whet_session_resize(s, 0, 3, (int64_t[]){n, 3, 4}, &e), WHET_OK);
    float *x = whet_session_input(s, 0, NULL, &e);
    if (!x) fail_msg("%s", e.text);
    for (int64_t i = 0; i < n * 12; i++) x[i] = 1;
    run(s);
    assert_int_equal(whet_session_output_info(s, 0, &info), WHET_OK);
    assert_int_equal(info.dims[0], n * 6);
    const float *z = whet_session_output(s, 1, NULL, &e);
    assert_true(z[n * 12 - 1] == 25);
  }
  assert_int_equal(whet_session_resize(s, 0, 3, (int64_t[]){2, 3, 5}, &e), WHET_OK);
  assert_null(whet_session_input(s, 0, NULL, &e)); /* Add cannot broadcast 4 to 5 */
  assert_int_equal(e.code, WHET_E_SHAPE);
  assert_non_null(strstr(e.text, "Add"));
  assert_int_equal(whet_session_resize(s, 0, 3, (int64_t[]){2, -3, 5}, &e), WHET_E_SHAPE);
  assert_int_equal(whet_session_resize(s, 1, 3, (int64_t[]){2, 3, 5}, &e), WHET_E_MISUSE);
  assert_int_equal(whet_session_resize(s, 0, 3, (int64_t[]){2, 3, 4}, &e), WHET_OK);
  run(s);
  whet_session_close(&s);
  whet_model_close(&m);
}

/* Options without a size, of a later version, or out of range are refused, as are objects that are not there. */
static void misuse_is_refused(void **state) {
  (void)state;
  whet_model *m = sample();
  whet_session *s = open_sample(m, NULL), *none = s;
  whet_program *p = NULL;
  whet_err e = {0};
  struct {
    whet_program_opts o;
    int later;
  } more = {whet_program_opts_default(), 0};
  assert_int_equal(whet_program_create(m, &(whet_program_opts){.threads = 1}, &p, &e), WHET_E_MISUSE);
  assert_non_null(strstr(e.text, "whet_program_opts: size is 0"));
  more.o.size = sizeof more;
  assert_int_equal(whet_program_create(m, &more.o, &p, &e), WHET_OK);
  whet_program_close(&p);
  more.later = 1;
  assert_int_equal(whet_program_create(m, &more.o, &p, &e), WHET_E_MISUSE);
  more.o.size = sizeof more.o;
  more.o.threads = -1;
  assert_int_equal(whet_program_create(m, &more.o, &p, &e), WHET_E_MISUSE);
  assert_int_equal(whet_program_create(NULL, NULL, &p, &e), WHET_E_MISUSE);
  assert_int_equal(whet_session_create(NULL, &none, &e), WHET_E_MISUSE);
  assert_null(none);
  assert_int_equal(whet_session_resize(s, 0, 3, NULL, &e), WHET_E_MISUSE);
  assert_int_equal(whet_session_run(s, &(whet_run_opts){.deadline_ms = 1}, &e), WHET_E_MISUSE);
  assert_int_equal(whet_session_run(s, &(whet_run_opts){.size = sizeof(whet_run_opts), .deadline_ms = INT64_MAX}, &e),
                   WHET_OK);
  whet_session_close(&s);
  whet_model_close(&m);
}

static void a_cancelled_run_ends(void **state) {
  (void)state;
  whet_model *m = sample();
  whet_session *s = open_sample(m, NULL);
  whet_err e;
  whet_cancel c = {0};
  whet_run_opts o = {.size = sizeof o, .cancel = &c};
  assert_int_equal(whet_session_run(s, &o, &e), WHET_OK);
  assert_false(whet_cancel_raised(&c));
  whet_cancel_raise(&c);
  assert_true(whet_cancel_raised(&c));
  assert_int_equal(whet_session_run(s, &o, &e), WHET_E_CANCELLED);
  o = (whet_run_opts){.size = sizeof o, .deadline_ms = 10000};
  assert_int_equal(whet_session_run(s, &o, &e), WHET_OK);
  whet_session_close(&s);
  whet_model_close(&m);
}

static void limits_hold(void **state) {
  (void)state;
  whet_model *m = sample();
  whet_program *p = NULL;
  whet_err e;
  m->mem.limit = atomic_load(&m->mem.used) + 3000;
  assert_int_equal(whet_program_create(m, NULL, &p, &e), WHET_E_LIMIT);
  assert_non_null(strstr(e.text, "limit"));
  assert_null(p);
  whet_model_close(&m);
}

static void values_in_and_out(void **state) {
  (void)state;
  whet_model *m = sample();
  whet_session *s = open_sample(m, NULL);
  whet_err e;
  whet_value *x, *y;
  assert_int_equal(whet_value_create(WHET_F32, 3, (int64_t[]){1, 3, 4}, &x), WHET_OK);
  assert_int_equal(whet_session_set_input(s, 0, x, &e), WHET_OK);
  whet_value_unref(&x);
  run(s);
  assert_int_equal(whet_session_get_output(s, 1, &y, &e), WHET_OK);
  whet_session_close(&s);
  whet_model_close(&m);
  assert_int_equal(whet_value_count(y), 12); /* outlives the session */
  assert_true(((const float *)whet_value_const_data(y))[3] == 16);
  whet_value_unref(&y);
  assert_int_equal(whet_value_create(WHET_S32, 3, (int64_t[]){1, 3, 4}, &x), WHET_OK);
  m = sample();
  s = open_sample(m, NULL);
  assert_int_equal(whet_session_set_input(s, 0, x, &e), WHET_E_TYPE);
  whet_value_unref(&x);
  whet_session_close(&s);
  whet_model_close(&m);
}

/* Placement is tight: a chain of values of changing sizes needs no more than what is alive at one step. */
static void memory_is_packed(void **state) {
  (void)state;
  whet_mem mem;
  whet_buf memory[200];
  whet__mem_init(&mem, NULL, NULL, 0);
  uint32_t r = 12345;
  for (int round = 0; round < 200; round++) {
    int n = 3 + (int)(r % 190);
    for (int i = 0; i < n; i++) {
      r = r * 1664525u + 1013904223u;
      int from = i, to = from + 1 + (int)(r >> 28) / (r >> 8 & 1 ? 2 : 8);
      memory[i] = (whet_buf){.where = WHET_IN_ARENA, .from = from, .to = to, .bytes = 64 * (1 + (r >> 12) % 1000)};
    }
    size_t bound, top = whet__place_buffers(&mem, memory, n, &bound);
    assert_true(top >= bound);
    assert_true((double)top <= 1.15 * (double)bound);
    for (int i = 0; i < n; i++)
      for (int j = 0; j < i; j++)
        if (memory[i].from <= memory[j].to && memory[j].from <= memory[i].to)
          assert_true(memory[i].off + memory[i].bytes <= memory[j].off || memory[j].off + memory[j].bytes <= memory[i].off);
  }
  assert_int_equal(atomic_load(&mem.used), 0);
}

static void two_sessions_of_one_program(void **state) {
  (void)state;
  whet_model *m = sample();
  whet_session *a = open_sample(m, NULL), *b;
  whet_err e;
  assert_int_equal(whet_session_create(whet_session_program(a), &b, &e), WHET_OK);
  float *xa = whet_session_input(a, 0, NULL, &e), *xb = whet_session_input(b, 0, NULL, &e);
  assert_ptr_not_equal(xa, xb);
  assert_ptr_equal(a->frame.plan, b->frame.plan);
  for (int i = 0; i < 24; i++) xa[i] = 1, xb[i] = 2;
  run(a);
  run(b);
  assert_true(((const float *)whet_session_output(a, 1, NULL, &e))[0] == 4);
  assert_true(((const float *)whet_session_output(b, 1, NULL, &e))[0] == 9);
  whet_session_close(&a);
  whet_session_close(&b);
  whet_model_close(&m);
}

/* y = range(0, n, 1) * (c / n): the quotient is the last step before the sizes are known, and must not be written over n,
 * which the range still reads. */
static void what_comes_later_keeps_its_inputs(void **state) {
  const float c[] = {8, 0, 1};
  buf g = {0}, b;
  for (int i = 0; i < 3; i++) ox_add_init(&g, ox_tensor(i ? i > 1 ? "one" : "zero" : "c", 1, 0, NULL, &c[i], 4));
  ox_add_in(&g, ox_info("x", 1, 0, NULL, NULL));
  ox_add_node(&g, ox_node("Abs", "x", "n", NULL));
  ox_add_node(&g, ox_node("Div", "c,n", "q", NULL));
  ox_add_node(&g, ox_node("Range", "zero,n,one", "r", NULL));
  ox_add_node(&g, ox_node("Mul", "r,q", "y", NULL));
  ox_add_out(&g, ox_info("y", 1, 1, (const int64_t[]){-1}, NULL));
  b = ox_model(g, 8, 17);
  whet_model *m;
  whet_err e;
  whet_info info;
  if (whet_model_open_memory(b.p, b.n, NULL, &m, &e)) fail_msg("%s", e.text);
  whet_session *s = open_sample(m, NULL);
  *(float *)whet_session_input(s, 0, NULL, &e) = -4;
  run(s);
  assert_int_equal(whet_session_output_info(s, 0, &info), WHET_OK);
  assert_int_equal(info.dims[0], 4);
  const float *y = whet_session_output(s, 0, NULL, &e);
  for (int i = 0; i < 4; i++) assert_true(y[i] == 2.0f * (float)i);
  whet_session_close(&s);
  whet_model_close(&m);
  buf_free(&b);
}

/* A program tells the sizes of outputs beyond what the file declares, by the names of free dimensions. */
static void outputs_of_a_program(void **state) {
  buf g = {0}, b;
  ox_add_in(&g, ox_info("x", 1, 2, (const int64_t[]){-1, 3}, "N"));
  ox_add_node(&g, ox_node("Concat", "x,x", "y", (ox_attr[]){{.name = "axis", .type = 2, .i = 1}, {0}}));
  ox_add_out(&g, ox_info("y", 1, -1, NULL, NULL));
  b = ox_model(g, 8, 17);
  whet_model *m;
  whet_program *p;
  whet_err e;
  whet_info info;
  if (whet_model_open_memory(b.p, b.n, NULL, &m, &e)) fail_msg("%s", e.text);
  assert_int_equal(whet_model_output(m, 0, &info), WHET_OK);
  assert_int_equal(info.rank, -1);
  if (whet_program_create(m, NULL, &p, &e)) fail_msg("%s", e.text);
  assert_int_equal(whet_program_output(p, 0, &info), WHET_OK);
  assert_string_equal(info.name, "y");
  assert_true(info.rank == 2 && info.dims[0] == -1 && info.dims[1] == 6);
  assert_string_equal(info.symbol[0], "N");
  assert_int_equal(whet_program_output(p, 1, &info), WHET_E_MISUSE);
  assert_int_equal(whet_program_output(NULL, 0, &info), WHET_E_MISUSE);
  whet_program_close(&p);
  whet_model_close(&m);
  buf_free(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(results),
      cmocka_unit_test(a_run_allocates_nothing),
      cmocka_unit_test(outputs_can_be_bound),
      cmocka_unit_test(outputs_can_be_asked_for),
      cmocka_unit_test(other_shapes),
      cmocka_unit_test(misuse_is_refused),
      cmocka_unit_test(a_cancelled_run_ends),
      cmocka_unit_test(limits_hold),
      cmocka_unit_test(values_in_and_out),
      cmocka_unit_test(memory_is_packed),
      cmocka_unit_test(two_sessions_of_one_program),
      cmocka_unit_test(what_comes_later_keeps_its_inputs),
      cmocka_unit_test(outputs_of_a_program),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
