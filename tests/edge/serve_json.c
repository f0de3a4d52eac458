/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as the server reads and writes it: limits, lists of numbers, numbers as text; and where the fuzzer of requests
 * begins. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "edge/serve/buf.h"
#include "edge/serve/json.h"
#include "lib/test.h"

/* Reads a value of a text, by what: 's' skip, 'i' int, 'u' uint, 'd' double, 'b' bool, 't' string, and its end. */
static bool reads(const char *text, char what, whet_err *err) {
  static int64_t i;
  static uint64_t u;
  static double d;
  bool b;
  json_text t;
  json_in j;
  size_t n = strlen(text);
  char *copy = malloc(n + 1); /* of exactly its size for whoever looks behind it */
  memcpy(copy, text, n);
  *err = (whet_err){0};
  jin_init(&j, copy, n, err);
  switch (what) {
    case 'i':
      jin_int(&j, &i);
      break;
    case 'u':
      jin_uint(&j, &u);
      break;
    case 'd':
      jin_double(&j, &d);
      break;
    case 'b':
      jin_bool(&j, &b);
      break;
    case 't':
      jin_string(&j, &t);
      break;
    default:
      jin_skip(&j);
  }
  jin_done(&j);
  free(copy);
  assert_int_equal(j.bad, err->code != WHET_OK);
  return !j.bad;
}

static void json_limits(void **state) {
  whet_err err;
  char deep[2 * JSON_DEEPEST + 3];
  (void)state;
  for (int depth = JSON_DEEPEST; depth <= JSON_DEEPEST + 1; depth++) {
    memset(deep, '[', (size_t)depth);
    memset(deep + depth, ']', (size_t)depth);
    deep[2 * depth] = 0;
    assert_int_equal(reads(deep, 's', &err), depth == JSON_DEEPEST);
  }
  assert_non_null(strstr(err.text, "byte 32")); /* where it became too deep */
  assert_non_null(strstr(err.text, "deeper"));
  static const struct {
    const char *text;
    char how;
    bool good;
  } k[] = {{"9223372036854775807", 'i', true},
           {"9223372036854775808", 'i', false},
           {"-9223372036854775808", 'i', true},
           {"-9223372036854775809", 'i', false},
           {"18446744073709551615", 'u', true},
           {"18446744073709551616", 'u', false},
           {"-0", 'u', true},
           {"-1", 'u', false},
           {"1.50e1", 'i', true},
           {"1.5", 'i', false},
           {"1e19", 'i', false},
           {"1e-400", 'd', true},
           {"1e400", 'd', false},
           {"01", 'd', false},
           {"1.", 'd', false},
           {".5", 'd', false},
           {"+1", 'd', false},
           {"1e", 'd', false},
           {"NaN", 'd', false},
           {"tru", 'b', false},
           {"true", 'b', true},
           {"\"\\ud83d\\ude00\\n\"", 't', true},
           {"\"\\ux\"", 't', false},
           {"\"\\", 't', false},
           {"\"a\nb\"", 't', false},
           {"\"open", 't', false},
           {"[1,]", 's', false},
           {"{\"a\" 1}", 's', false},
           {"{\"a\":1,}", 's', false},
           {"[1] 2", 's', false},
           {" [ 1 , {\"a\" : [ ] } ] ", 's', true},
           {"", 's', false}};
  for (size_t i = 0; i < EDGE_COUNT(k); i++)
    if (reads(k[i].text, k[i].how, &err) != k[i].good) fail_msg("%s: %s", k[i].text, err.text);
}

/* Lists of numbers in one go are those that come one by one, wherever a way of writing changes. */
static void json_floats(void **state) {
  static const char *const k_part[] = {"0.0",
                                       "255.0",
                                       "-0.0",
                                       "0",
                                       "7",
                                       "-12.5",
                                       "0.7215686274509804",
                                       "1e3",
                                       "123456789012345",
                                       "1234567890123456",
                                       "1.5E-7",
                                       "0.1"};
  static const char *const k_comma[] = {",", ", ", " ,", "  ,  ", ",\n"};
  uint64_t r = test_seed(88172645463325252u);
  (void)state;
  for (int round = 0; round < 3000; round++) {
    char text[2000] = "[";
    double want[40];
    float got[40];
    size_t n = 0, k = 0;
    for (; n < 40; n++) {
      r ^= r << 13, r ^= r >> 7, r ^= r << 17;
      if (n && r % 41 == 0) break;
      if (n) strcat(text, k_comma[(r >> 20) % EDGE_COUNT(k_comma)]);
      const char *part = k_part[(r >> 40) % EDGE_COUNT(k_part)];
      strcat(text, part);
      want[n] = strtod(part, NULL);
    }
    strcat(text, "]");
    whet_err err = {0};
    json_in j;
    jin_init(&j, text, strlen(text), &err);
    for (jin_begin(&j, '['); k < n && jin_next(&j, ']');) {
      size_t some = jin_floats(&j, got + k, n - k);
      double v;
      if (!some) jin_double(&j, &v), got[k] = (float)v, some = 1;
      k += some;
    }
    assert_false(jin_next(&j, ']'));
    jin_done(&j);
    if (j.bad || k != n) fail_msg("%s: %s", text, err.text);
    for (size_t i = 0; i < n; i++)
      if (got[i] != (float)want[i] || !signbit(got[i]) != !signbit(want[i])) fail_msg("%s: number %zu", text, i);
  }
}

/* What snprintf would find by trying. */
static void shortest(float v, char to[40]) {
  if (fabsf(v) < 1e7f && v == truncf(v) && !(v == 0 && signbit(v))) {
    snprintf(to, 40, "%.1f", (double)v);
    return;
  }
  for (int digits = 6; digits <= 9; digits++) {
    snprintf(to, 40, "%.*g", digits, (double)v);
    if (strtof(to, NULL) == v) return;
  }
}

static void float_texts(void **state) {
  uint64_t r = test_seed(2463534242u);
  serve_buf b = {0};
  (void)state;
  for (int i = 0; i < 400000; i++) {
    static const float k_part[] = {10, 100, 1000, 1e4f};
    float v;
    r ^= r << 13, r ^= r >> 7, r ^= r << 17;
    uint32_t bits = (uint32_t)(r >> 16);
    memcpy(&v, &bits, sizeof v);
    if (i % 4 == 1) v = (float)((int)(bits % 2000001) - 1000000) / k_part[r & 3];
    if (i % 4 == 2) v = ldexpf(1, (int)(bits % 278) - 149); /* powers of two: neighbours at two distances */
    if (i % 4 == 3) v = nextafterf(powf(10, (float)((int)(bits % 76) - 38)), r & 1 ? 0 : INFINITY);
    if (!isfinite(v)) continue;
    char want[40];
    shortest(v, want);
    b.n = 0;
    buf_float(&b, v);
    buf_put(&b, "", 1);
    assert_false(b.bad);
    assert_string_equal(b.p, want);
  }
  free(b.p);
}

/* ---- where the fuzzer begins ----------------------------------------------------------------------------------- */

static void corpus(void **state) {
  static const char *const k[][2] = {
      {"json",
       "\x01\xff{\"id\":\"1\",\"inputs\":[{\"name\":\"c\",\"shape\":[2,3],\"datatype\":\"INT8\",\"data\":[[1,-2,3],["
       "4,5,6]]}],\"outputs\":[{\"name\":\"y\"}]}"},
      {"binary",
       "\x01\x06{\"inputs\":[{\"name\":\"c\",\"shape\":[2,3],\"datatype\":\"INT8\",\"parameters\":{\"binary_data_"
       "size\":6}}],"
       "\"parameters\":{\"binary_data_output\":true,\"priority\":1,\"timeout\":5000}}abcdef"},
      {"all",
       "\x02\xff{\"inputs\":[{\"name\":\"f\",\"shape\":[1,4],\"datatype\":\"FP32\",\"data\":[0.5,1e3,-0.0,7]},{"
       "\"data\":[1,2],\"name\":\"l\",\"shape\":[2],"
       "\"datatype\":\"INT64\"},{\"name\":\"c\",\"shape\":[0,3],\"datatype\":\"INT8\",\"data\":[]},{\"name\":\"s\","
       "\"shape\":[2],\"datatype\":\"BYTES\","
       "\"data\":[\"\\ud83d\\ude00\",\"b\"]},{\"name\":\"b\",\"shape\":[2],\"datatype\":\"BOOL\",\"data\":[true,0]},{"
       "\"name\":\"d\",\"shape\":[],"
       "\"datatype\":\"FP64\",\"data\":[1.5]},{\"name\":\"h\",\"shape\":[0],\"datatype\":\"FP16\",\"parameters\":{"
       "\"binary_data_size\":0}}],"
       "\"outputs\":[{\"name\":\"y\",\"parameters\":{\"classification\":2}},{\"name\":\"t\",\"parameters\":{\"binary_"
       "data\":true}}]}"},
      {"region",
       "\x03\xff{\"inputs\":[{\"name\":\"c\",\"shape\":[1,3],\"datatype\":\"INT8\",\"parameters\":{\"shared_memory_"
       "region\":\"r\","
       "\"shared_memory_byte_size\":3,\"shared_memory_offset\":1}}]}"},
      {"numbers", "\x80[0.0, 255.0, 0.7215686274509804,1e3, -0.5 ,7,123456789012345678, 1.17549435e-38]"}};
  const char *build = getenv("WHET_BUILD");
  (void)state;
  if (!build) skip();
  char path[600];
  snprintf(path, sizeof path, "%s/corpus", build);
  mkdir(path, 0777);
  snprintf(path, sizeof path, "%s/corpus/serve", build);
  mkdir(path, 0777);
  for (size_t i = 0; i < EDGE_COUNT(k); i++) test_write(path, k[i][0], k[i][1], strlen(k[i][1]));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(json_limits), cmocka_unit_test(json_floats),
                                     cmocka_unit_test(float_texts), cmocka_unit_test(corpus)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
