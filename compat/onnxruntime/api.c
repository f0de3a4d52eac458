/* SPDX-License-Identifier: Apache-2.0 */
/* The entry point and the table. The table of every version is the same one: later ones are longer. */

#include "shim.h"

static const OrtApi table = {
#define ORT_STATUS(name, since, ...) .name = API(name),
#define ORT_OTHER(type, name, since, ...) .name = API(name),
#define ORT_RELEASE(what, since) .Release##what = API(Release##what),
#include "onnxruntime_c_api_functions.def"
#undef ORT_STATUS
#undef ORT_OTHER
#undef ORT_RELEASE
};

static const char *version_string(void) { return "1.31.0"; }

/* The table of a version that a program was built for; NULL, and a line on standard error, for later ones. */
static const OrtApi *get_api(uint32_t version) {
  if (version >= 1 && version <= ORT_API_VERSION) return &table;
  fprintf(stderr, /* as the original says it: programs look for these words */
          "The requested API version [%u] is not available, only API versions [1, %u] are supported in this build. "
          "Current ORT Version is: %s\n",
          version, (unsigned)ORT_API_VERSION, version_string());
  return NULL;
}

/* Programs ask for the symbol version of the release that they were linked with: there is one for each. */
#define EVERY_RELEASE(X)                                                                                          \
  X(1_17_0, "1.17.0")                                                                                             \
  X(1_17_1, "1.17.1") X(1_17_3, "1.17.3") X(1_18_0, "1.18.0") X(1_18_1, "1.18.1") X(1_19_0, "1.19.0")             \
      X(1_19_1, "1.19.1") X(1_19_2, "1.19.2") X(1_20_0, "1.20.0") X(1_20_1, "1.20.1") X(1_20_2, "1.20.2")         \
          X(1_21_0, "1.21.0") X(1_21_1, "1.21.1") X(1_22_0, "1.22.0") X(1_22_1, "1.22.1") X(1_22_2, "1.22.2")     \
              X(1_23_0, "1.23.0") X(1_23_1, "1.23.1") X(1_23_2, "1.23.2") X(1_24_0, "1.24.0") X(1_24_1, "1.24.1") \
                  X(1_24_2, "1.24.2") X(1_24_3, "1.24.3") X(1_24_4, "1.24.4") X(1_25_0, "1.25.0")                 \
                      X(1_25_1, "1.25.1") X(1_25_2, "1.25.2") X(1_26_0, "1.26.0") X(1_26_1, "1.26.1")             \
                          X(1_26_2, "1.26.2") X(1_27_0, "1.27.0") X(1_27_1, "1.27.1") X(1_27_2, "1.27.2")         \
                              X(1_28_0, "1.28.0") X(1_28_1, "1.28.1") X(1_28_2, "1.28.2") X(1_29_0, "1.29.0")     \
                                  X(1_29_1, "1.29.1") X(1_29_2, "1.29.2") X(1_30_0, "1.30.0") X(1_30_1, "1.30.1") \
                                      X(1_30_2, "1.30.2") X(1_31_1, "1.31.1") X(1_31_2, "1.31.2")                 \
                                          X(1_32_0, "1.32.0") X(1_32_1, "1.32.1") X(1_32_2, "1.32.2")

static const OrtApiBase base = {get_api, version_string};

/* The one that programs get that are linked with this library. */
const OrtApiBase *get_api_base(void);
const OrtApiBase *get_api_base(void) { return &base; }
/* The CPU is what there is. */
OrtStatus *append_cpu(OrtSessionOptions *o, int use_arena);
OrtStatus *append_cpu(OrtSessionOptions *o, int use_arena) {
  return o    ? (void)use_arena,
         NULL : fail(ORT_INVALID_ARGUMENT, "OrtSessionOptionsAppendExecutionProvider_CPU: options is null");
}

#define ALIAS(tag, text)                                                                                             \
  extern __typeof__(get_api_base) OrtGetApiBase_##tag __attribute__((alias("get_api_base"), visibility("default"))); \
  extern __typeof__(append_cpu) append_cpu_##tag __attribute__((alias("append_cpu"), visibility("default")));
#define OLD(tag, text)                                                 \
  ALIAS(tag, text)                                                     \
  __asm__(".symver OrtGetApiBase_" #tag ", OrtGetApiBase@VERS_" text); \
  __asm__(".symver append_cpu_" #tag ", OrtSessionOptionsAppendExecutionProvider_CPU@VERS_" text);
EVERY_RELEASE(OLD)
ALIAS(1_31_0, "1.31.0")
__asm__(".symver OrtGetApiBase_1_31_0, OrtGetApiBase@@VERS_1.31.0");
__asm__(".symver append_cpu_1_31_0, OrtSessionOptionsAppendExecutionProvider_CPU@@VERS_1.31.0");
