/* SPDX-License-Identifier: Apache-2.0 */
/* whet bench: the keys that programs read, sane numbers, a trace that viewers open. */

#include <stdlib.h>
#include <string.h>

#include "command.h"

static void contract(void **state) {
  (void)state;
  static const int64_t shape[] = {1, 16, 32, 32};
  const char *model = write_model(test_folder(), "relu.onnx", relu_model(4, shape));
  json_t *j = json_of(whet("bench %s --threads 1 --min-time 0.05 --json --cpu c", model));
  double min = number_at(j, "latency_us.min"), median = number_at(j, "latency_us.median"),
         p90 = number_at(j, "latency_us.p90"), p99 = number_at(j, "latency_us.p99");
  assert_true(min > 0 && min <= median && median <= p90 && p90 <= p99 && number_at(j, "latency_us.mean") >= min);
  assert_true(number_at(j, "load_us") > 0 && number_at(j, "first_us") > 0);
  assert_true(number_at(j, "peak_rss_kb") > 500 && number_at(j, "peak_rss_kb") < 500000);
  assert_true(number_at(j, "arena_bytes") >= 16 * 32 * 32 * 4);
  assert_true(number_at(j, "weights_bytes") >= 0 && number_at(j, "iterations") >= 3);
  assert_int_equal((int)number_at(j, "threads"), 1);
  assert_string_equal(text_at(j, "cpu"), "c");
  json_decref(j);
}

/* A run of next to nothing takes less than a reading of the clock would add. */
static void tiny(void **state) {
  (void)state;
  static const int64_t shape[] = {1};
  const char *model = write_model(test_folder(), "tiny.onnx", relu_model(1, shape));
  json_t *j = json_of(whet("bench %s --threads 1 --min-time 0.05 --json", model));
  assert_true(number_at(j, "iterations") > 1000);
  json_decref(j);
}

static void profile(void **state) {
  (void)state;
  static const int64_t any[] = {-1, 64};
  const char *dir = test_folder(), *model = write_model(dir, "any.onnx", relu_model(2, any)),
             *trace = join(dir, "t.json");
  json_t *j = json_of(
      whet("bench %s --shape x:300x64 --threads 1 --min-time 0.02 --profile --trace %s --json", model, trace));
  assert_int_equal(json_array_size(at(j, "profile.steps")), 1);
  assert_string_equal(text_at(j, "profile.steps.0.node"), "only");
  assert_string_equal(text_at(j, "profile.steps.0.operator"), "Relu");
  assert_true(number_at(j, "profile.steps.0.us") > 0 && number_at(j, "profile.peak_f32_gmacs") > 0);
  json_decref(j);
  char *text = read_file(trace, NULL);
  json_t *t = json_loads(text, 0, NULL), *e;
  assert_non_null(t);
  size_t i, runs = 0, steps = 0;
  json_array_foreach(at(t, "traceEvents"), i, e) {
    if (strcmp(text_at(e, "ph"), "X")) continue;
    assert_true(number_at(e, "dur") >= 0 && number_at(e, "ts") >= 0);
    runs += !strcmp(text_at(e, "cat"), "run");
    steps += !strcmp(text_at(e, "cat"), "step");
  }
  assert_int_equal(runs, 10);
  assert_int_equal(steps, 10);
  json_decref(t);
  free(text);
  said s = whet("bench %s --shape x:300x64 --min-time 0.02 --profile", model);
  must_pass(s);
  assert_true(strstr(s.out, "latency") && strstr(s.out, "measured peak"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(contract), cmocka_unit_test(tiny), cmocka_unit_test(profile)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
