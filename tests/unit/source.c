/* SPDX-License-Identifier: Apache-2.0 */
/* The file's own graph, steps and kernels as callers see them: whet/source.h, whet/kernels.h, profiles of sessions. */

#include <stdlib.h>

#include "lib/open.h"
#include "lib/tiny.h"
#include "whet/whet.h"

static buf made(const tiny *list, size_t n, const char *name) {
  for (size_t i = 0; i < n; i++)
    if (!strcmp(list[i].name, name)) return list[i].make();
  fail_msg("no model \"%s\"", name);
  return (buf){0};
}

static void a_tflite_file(void **state) {
  buf b = made(tiny_tflite, tiny_n_tflite, "add");
  whet_model *m = open_made(&b, NULL);
  whet_tensor_info t = {.size = sizeof t};
  whet_node_info n = {.size = sizeof n};
  assert_int_equal(whet_model_graphs(m), 1);
  assert_int_equal(whet_model_graph_tensors(m, 0), 3);
  assert_int_equal(whet_model_graph_tensors(m, 1), 0);
  assert_int_equal(whet_model_graph_tensor(m, 0, 1, &t), WHET_OK);
  assert_string_equal(t.info.name, "w");
  assert_true(t.constant && !t.variable && t.data && t.bytes && !t.block && !t.type);
  assert_int_equal(t.number, 1);
  assert_int_equal(t.size, sizeof t);
  assert_int_equal(whet_model_graph_tensor(m, 0, 0, &t), WHET_OK);
  assert_true(!t.constant && !t.data);
  assert_int_equal(t.info.quant.n, 1);
  assert_int_equal(whet_model_graph_tensor(m, 0, 3, &t), WHET_E_MISUSE);
  assert_int_equal(whet_model_graph_tensor(m, 1, 0, &t), WHET_E_MISUSE);
  assert_int_equal(whet_model_graph_nodes(m, 0), 1);
  assert_int_equal(whet_model_graph_node(m, 0, 0, &n), WHET_OK);
  assert_string_equal(n.type, "ADD");
  assert_string_equal(n.domain, "tflite");
  assert_int_equal(n.n_in, 2);
  assert_int_equal(n.in[1], 1);
  assert_int_equal(n.out[0], 2);
  assert_int_equal(whet_model_graph_node(m, 0, 1, &n), WHET_E_MISUSE);
  n.size = 4; /* no room for anything */
  assert_int_equal(whet_model_graph_node(m, 0, 0, &n), WHET_E_MISUSE);
  assert_int_equal(whet_model_signature_graph(m, 0), 0);
  assert_int_equal(whet_model_signature_input_tensor(m, 0, 0), 0);
  assert_int_equal(whet_model_signature_output_tensor(m, 1, 0), 2);
  assert_int_equal(whet_model_signature_output_tensor(m, 1, 1), -1);
  assert_int_equal(whet_model_signature_input_tensor(m, 2, 0), -1);
  assert_int_equal(whet_model_signature_graph(m, 2), -1);
  close_made(&m, &b);
}

static void several_graphs(void **state) {
  buf b = made(tiny_tflite, tiny_n_tflite, "control");
  whet_model *m = open_made(&b, NULL);
  size_t graphs = whet_model_graphs(m), tensors = 0;
  assert_true(graphs > 1);
  for (size_t g = 0; g < graphs; g++)
    for (size_t i = 0; i < whet_model_graph_tensors(m, g); i++, tensors++) {
      whet_tensor_info t = {.size = sizeof t};
      assert_int_equal(whet_model_graph_tensor(m, g, i, &t), WHET_OK);
      assert_int_equal(t.number, tensors); /* one numbering through the file */
    }
  for (size_t g = 0; g < graphs; g++)
    for (size_t i = 0; i < whet_model_graph_nodes(m, g); i++) {
      whet_node_info n = {.size = sizeof n};
      assert_int_equal(whet_model_graph_node(m, g, i, &n), WHET_OK);
      for (size_t k = 0; k < n.n_in; k++) assert_true(n.in[k] >= -1 && n.in[k] < (int32_t)tensors);
    }
  close_made(&m, &b);
}

static void an_onnx_file(void **state) {
  buf b = made(tiny_onnx, tiny_n_onnx, "sequence");
  whet_model *m = open_made(&b, NULL);
  bool found = false;
  assert_int_equal(whet_model_graphs(m), 1);
  for (size_t i = 0; i < whet_model_graph_tensors(m, 0); i++) {
    whet_tensor_info t = {.size = sizeof t};
    assert_int_equal(whet_model_graph_tensor(m, 0, i, &t), WHET_OK);
    assert_true((t.info.kind == WHET_TENSOR) == (t.type == NULL));
    found |= t.type && !strncmp(t.type, "seq(tensor(", 11);
  }
  assert_true(found);
  close_made(&m, &b);
}

static void steps_and_their_time(void **state) {
  buf b = made(tiny_tflite, tiny_n_tflite, "add");
  whet_model *m = open_made(&b, NULL);
  whet_program *p = NULL;
  whet_session *s = NULL;
  whet_err err = {0};
  whet_step_info step = {.size = sizeof step};
  assert_int_equal(whet_program_create(m, NULL, &p, &err), WHET_OK);
  assert_int_equal(whet_session_create(p, &s, &err), WHET_OK);
  assert_int_equal(whet_session_steps(s), 0);
  assert_int_equal(whet_session_profile(s, 1, &err), WHET_OK);
  for (int i = 0; i < 1000; i++) assert_int_equal(whet_session_run(s, NULL, &err), WHET_OK);
  uint64_t ns = 0;
  assert_true(whet_session_steps(s) > 0);
  for (size_t i = 0; i < whet_session_steps(s); i++) {
    assert_int_equal(whet_session_step(s, i, &step), WHET_OK);
    assert_true(step.op[0] && step.kernel[0]);
    ns += step.ns;
  }
  assert_true(ns > 0);
  assert_int_equal(whet_session_step(s, whet_session_steps(s), &step), WHET_E_MISUSE);
  assert_int_equal(whet_session_profile(s, 0, &err), WHET_OK);
  assert_int_equal(whet_session_run(s, NULL, &err), WHET_OK);
  assert_int_equal(whet_session_step(s, 0, &step), WHET_OK);
  assert_int_equal(step.ns, 0);
  whet_session_close(&s);
  whet_program_close(&p);
  close_made(&m, &b);
}

static void kernels(void **state) {
  whet_err err = {0};
  whet_cpu_info cpu = {.size = sizeof cpu};
  whet_kernel_info k = {.size = sizeof k};
  size_t n = 0, usable = 0;
  assert_int_equal(whet_cpu("c", &cpu, &err), WHET_OK);
  assert_string_equal(cpu.level, "c");
  assert_true(cpu.cores >= 1);
  assert_string_equal(cpu.lack, ""); /* the static library has all inside */
  cpu = (whet_cpu_info){.size = offsetof(whet_cpu_info, lack)};
  assert_int_equal(whet_cpu("c", &cpu, &err), WHET_OK); /* a caller of before there was `lack` */
  assert_string_equal(cpu.level, "c");
  assert_null(cpu.lack);
  cpu.size--;
  assert_int_equal(whet_cpu("c", &cpu, &err), WHET_E_MISUSE);
  cpu.size = sizeof cpu;
  assert_int_equal(whet_cpu("no such level", &cpu, &err), WHET_E_NAME);
  for (; !whet_kernel(n, "c", &k, &err); n++) {
    assert_true(strncmp(k.name, k.family, strlen(k.family)) == 0 || strstr(k.name, k.family));
    usable += k.usable != 0;
  }
  assert_int_equal(err.code, WHET_E_MISUSE);
  assert_true(usable >= 10 && usable <= n);
  k.size = 0;
  assert_int_equal(whet_kernel(0, NULL, &k, &err), WHET_E_MISUSE);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_tflite_file), cmocka_unit_test(several_graphs),
                                     cmocka_unit_test(an_onnx_file), cmocka_unit_test(steps_and_their_time),
                                     cmocka_unit_test(kernels)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
