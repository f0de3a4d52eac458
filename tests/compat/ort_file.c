/* SPDX-License-Identifier: Apache-2.0 */
/* Models in ONNX Runtime's own form. small.ort, which the original's 1.32 wrote: a = c ? x * {2, 3} : -x; b = a +
 * {0.5, -1.5}; y = transposed b; s = the sequence of b and x; l = leaky b, 0.5; i = b in int64; low = the words
 * without "the" and "a". */

#include <stdio.h>
#include <stdlib.h>

#include "compat/ort_test.h"

static char s_path[4096];
static uint8_t *s_bytes;
static size_t s_n;

/* The file, in memory as well. */
static int setup_file(void **state) {
  const char *top = getenv("WHET_SOURCE");
  snprintf(s_path, sizeof s_path, "%s/tests/compat/small.ort", top ? top : ".");
  FILE *f = fopen(s_path, "rb");
  if (!f) return -1;
  s_bytes = malloc(1 << 16);
  s_n = fread(s_bytes, 1, 1 << 16, f);
  fclose(f);
  return setup(state);
}
static int teardown_file(void **state) {
  free(s_bytes);
  return teardown(state);
}

/* Run one branch of the session, and look at all outputs. */
static void branch(OrtSession *s, bool c) {
  static const char *const names_in[] = {"x", "c", "words"}, *const names_out[] = {"y", "s", "l", "i", "low"};
  static const char *const words[] = {"The", "a", "Cat"};
  static const float want[2][4] = {{-0.5f, -2.5f, -3.5f, -5.5f}, {2.5f, 6.5f, 4.5f, 10.5f}};
  float x[] = {1, 2, 3, 4}, *b;
  int64_t *i;
  OrtMemoryInfo *m;
  OrtValue *in[3], *out[5] = {0}, *item;
  OK(g->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &m));
  OK(g->CreateTensorWithDataAsOrtValue(m, x, sizeof x, (int64_t[]){2, 2}, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
                                       &in[0]));
  OK(g->CreateTensorWithDataAsOrtValue(m, &c, 1, NULL, 0, ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, &in[1]));
  OK(g->CreateTensorAsOrtValue(s_alloc, (int64_t[]){3}, 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, &in[2]));
  OK(g->FillStringTensor(in[2], words, 3));
  OK(g->Run(s, NULL, names_in, (const OrtValue *const *)in, 3, names_out, 5, out));
  OK(g->GetTensorMutableData(out[0], (void **)&b));
  for (int k = 0; k < 4; k++) assert_true(b[k] == want[c][k]);
  OK(g->GetValue(out[1], 1, s_alloc, &item));
  OK(g->GetTensorMutableData(item, (void **)&b));
  assert_memory_equal(b, x, sizeof x);
  g->ReleaseValue(item);
  OK(g->GetTensorMutableData(out[2], (void **)&b));
  assert_true(b[0] == (c ? 2.5f : -0.25f) && b[3] == (c ? 10.5f : -2.75f));
  OK(g->GetTensorMutableData(out[3], (void **)&i));
  assert_true(i[0] == (c ? 2 : 0) && i[3] == (c ? 10 : -5));
  size_t n;
  OK(g->GetStringTensorDataLength(out[4], &n));
  assert_int_equal(n, 6); /* "The" and "Cat" */
  for (int k = 0; k < 3; k++) g->ReleaseValue(in[k]);
  for (int k = 0; k < 5; k++) g->ReleaseValue(out[k]);
  g->ReleaseMemoryInfo(m);
}

/* From the file and from bytes; texts and types are there. */
static void reads(void **state) {
  (void)state;
  for (int bytes = 0; bytes < 2; bytes++) {
    OrtSession *s;
    OrtModelMetadata *meta;
    OrtTypeInfo *type;
    const OrtTensorTypeAndShapeInfo *info;
    const char *symbol[2];
    char *text;
    OrtSessionOptions *o;
    OK(g->CreateSessionOptions(&o));
    OK(bytes ? g->CreateSessionFromArray(s_env, s_bytes, s_n, o, &s) : g->CreateSession(s_env, s_path, o, &s));
    g->ReleaseSessionOptions(o);
    branch(s, true);
    branch(s, false);
    OK(g->SessionGetModelMetadata(s, &meta));
    OK(g->ModelMetadataGetDomain(meta, s_alloc, &text));
    assert_string_equal(text, "org.example");
    s_alloc->Free(s_alloc, text);
    OK(g->ModelMetadataLookupCustomMetadataMap(meta, s_alloc, "colour", &text));
    assert_string_equal(text, "blue");
    s_alloc->Free(s_alloc, text);
    g->ReleaseModelMetadata(meta);
    OK(g->SessionGetInputTypeInfo(s, 0, &type));
    OK(g->CastTypeInfoToTensorInfo(type, &info));
    OK(g->GetSymbolicDimensions(info, symbol, 2));
    assert_string_equal(symbol[0], "N");
    g->ReleaseTypeInfo(type);
    g->ReleaseSession(s);
  }
}

/* Cut or changed anywhere: a session, or a status, and nothing worse. */
static void untrusted(void **state) {
  (void)state;
  OrtSessionOptions *o;
  size_t refusals = 0;
  OK(g->CreateSessionOptions(&o));
  OK(g->SetIntraOpNumThreads(o, 1));
  OK(g->SetSessionLogSeverityLevel(o, ORT_LOGGING_LEVEL_FATAL));
  uint8_t *copy = malloc(s_n);
  for (size_t at = 0; at < s_n; at += 5)
    for (int how = 0; how < 4; how++) {
      OrtSession *s = NULL;
      memcpy(copy, s_bytes, s_n);
      if (how) copy[at] = how == 1 ? 0 : how == 2 ? 0xff : (uint8_t)(copy[at] ^ 1);
      if (!how && at < 8) continue;
      OrtStatus *st = g->CreateSessionFromArray(s_env, copy, how ? s_n : at, o, &s);
      refusals += st != NULL;
      if (st) assert_true(g->GetErrorMessage(st)[0]);
      g->ReleaseStatus(st);
      g->ReleaseSession(s);
    }
  assert_true(refusals > 1000);
  free(copy);
  g->ReleaseSessionOptions(o);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(reads), cmocka_unit_test(untrusted)};
  return cmocka_run_group_tests(tests, setup_file, teardown_file);
}
