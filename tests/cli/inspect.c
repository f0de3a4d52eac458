/* SPDX-License-Identifier: Apache-2.0 */
/* whet inspect: what it says is what the model holds and what a run takes; the page needs nothing else. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

/* y = softmax-free little net: conv with 5 filters of 3x3 over 2 channels, relu. */
static buf conv_model(void) {
  static const int64_t in[] = {1, 2, 8, 8}, out[] = {1, 5, 6, 6}, w[] = {5, 2, 3, 3};
  static float weights[90];
  buf g = {0};
  pb_str(&g, 2, "small <net>");
  for (int i = 0; i < 90; i++) weights[i] = 0.01f * (float)i;
  ox_add_node(&g, ox_node_in(NULL, "Conv", "conv</script>", "x,w", "t", NULL));
  ox_add_node(&g, ox_node_in(NULL, "Relu", "relu", "t", "y", NULL));
  ox_add_init(&g, ox_tensor("w", 1, 4, w, weights, sizeof weights));
  ox_add_in(&g, ox_info("x", 1, 4, in, NULL));
  ox_add_out(&g, ox_info("y", 1, 4, out, NULL));
  return ox_model(g, 8, 17);
}

static void contents(void **state) {
  (void)state;
  const char *dir = test_folder(), *model = write_model(dir, "conv.onnx", conv_model());
  json_t *j = json_of(whet("inspect %s --plan --json --threads 1", model));
  assert_string_equal(text_at(j, "format"), "onnx");
  assert_string_equal(text_at(j, "inputs.0.name"), "x");
  assert_string_equal(text_at(j, "outputs.0.dtype"), "float32");
  assert_int_equal((int)number_at(j, "parameters"), 90);
  assert_int_equal((int)number_at(j, "parameter_bytes"), 360);
  assert_int_equal((int)number_at(j, "macs"), 5 * 6 * 6 * 2 * 9);
  assert_int_equal((int)number_at(j, "nodes"), 2);
  assert_true(json_is_true(at(j, "runs")));
  assert_true(number_at(j, "memory.arena_bytes") >= number_at(j, "memory.bound_bytes"));
  assert_true(number_at(j, "memory.peak_bytes") > number_at(j, "memory.arena_bytes"));
  assert_int_equal(json_array_size(at(j, "plan")), (size_t)number_at(j, "steps"));
  double macs = 0;
  size_t i;
  json_t *s;
  json_array_foreach(at(j, "plan"), i, s) macs += number_at(s, "macs");
  assert_true(macs == number_at(j, "macs"));
  /* The same numbers as a run of the same plan. */
  json_t *b = json_of(whet("bench %s --min-time 0.01 --json --threads 1", model));
  assert_string_equal(text_at(b, "fingerprint"), text_at(j, "fingerprint"));
  assert_true(number_at(b, "arena_bytes") == number_at(j, "memory.arena_bytes"));
  assert_true(number_at(b, "weights_bytes") == number_at(j, "memory.weights_bytes"));
  json_decref(b);
  json_decref(j);
  said t = whet("inspect %s --plan", model);
  must_pass(t);
  assert_non_null(strstr(t.out, "3,240 multiply-adds"));
}

static void shapes(void **state) {
  (void)state;
  static const int64_t any[] = {-1, 4};
  const char *dir = test_folder(), *model = write_model(dir, "any.onnx", relu_model(2, any));
  json_t *j = json_of(whet("inspect %s --shape x:7x4 --plan --json", model));
  assert_int_equal((int)number_at(j, "inputs.0.shape.0"), 7);
  assert_string_equal(text_at(j, "plan.0.output"), "float32 [7, 4]");
  json_decref(j);
}

/* No address, import or attribute that fetches anything; names from the model cannot end the script. */
static void page(void **state) {
  (void)state;
  const char *dir = test_folder(), *model = write_model(dir, "conv.onnx", conv_model()), *html = join(dir, "m.html");
  must_pass(whet("inspect %s --html %s", model, html));
  size_t n;
  char *p = read_file(html, &n);
  assert_non_null(p);
  static const char *const never[] = {"src=",   "@import",        "url(h", "url(/",
                                      "fetch(", "XMLHttpRequest", "<link", "import("};
  for (size_t i = 0; i < sizeof never / sizeof *never; i++)
    if (strstr(p, never[i])) fail_msg("the page has \"%s\"", never[i]);
  for (char *h = p; (h = strstr(h, "http")); h++)
    if (strncmp(h, "http://www.w3.org/2000/svg", 26) && strncmp(h, "http-equiv", 10))
      fail_msg("the page names %.40s", h);
  assert_null(strstr(p, "conv</script>"));
  char *data = strstr(p, "id=\"data\">"), *end = data ? strstr(data, "</script>") : NULL;
  assert_non_null(end);
  json_t *j = json_loadb(data + 10, (size_t)(end - data - 10), 0, NULL);
  assert_string_equal(text_at(j, "graph.nodes.0.name"), "conv</script>");
  assert_int_equal(json_array_size(at(j, "graph.nodes")), 2);
  assert_int_equal((int)number_at(j, "graph.nodes.1.in.0"), (int)number_at(j, "graph.nodes.0.out.0"));
  json_decref(j);
  free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(contents), cmocka_unit_test(shapes), cmocka_unit_test(page)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
