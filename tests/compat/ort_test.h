/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TESTS_COMPAT_ORT_TEST_H
#define WHET_TESTS_COMPAT_ORT_TEST_H

/* What tests of libonnxruntime.so.1 share: the table, an environment, and how calls are judged. */

#include <string.h>

#include "lib/test.h"
#include "onnxruntime_c_api.h"

static const OrtApi *g;
static OrtEnv *s_env;
static OrtAllocator *s_alloc;

/* The call succeeds. */
#define OK(call)                                                  \
  do {                                                            \
    OrtStatus *ok_status = call;                                  \
    if (ok_status) fail_msg("%s", g->GetErrorMessage(ok_status)); \
  } while (0)
/* The call answers a code, and a text with a word. */
__attribute__((unused)) static void refused(OrtStatus *s, OrtErrorCode code, const char *word) {
  assert_non_null(s);
  assert_int_equal(g->GetErrorCode(s), code);
  if (!strstr(g->GetErrorMessage(s), word)) fail_msg("\"%s\" has no \"%s\"", g->GetErrorMessage(s), word);
  g->ReleaseStatus(s);
}

/* A tensor over the caller's memory. */
__attribute__((unused)) static OrtValue *tensor_over(void *data, size_t bytes, const int64_t *dims, size_t rank,
                                                     ONNXTensorElementDataType type) {
  OrtMemoryInfo *m;
  OrtValue *v;
  OK(g->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &m));
  OK(g->CreateTensorWithDataAsOrtValue(m, data, bytes, dims, rank, type, &v));
  g->ReleaseMemoryInfo(m);
  return v;
}

static int setup(void **state) {
  (void)state;
  g = OrtGetApiBase()->GetApi(ORT_API_VERSION);
  assert_non_null(g);
  OK(g->CreateEnv(ORT_LOGGING_LEVEL_WARNING, "test", &s_env));
  OK(g->GetAllocatorWithDefaultOptions(&s_alloc));
  return 0;
}
static int teardown(void **state) {
  (void)state;
  g->ReleaseEnv(s_env);
  return 0;
}

#endif
