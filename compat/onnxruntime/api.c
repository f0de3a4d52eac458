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
  X(1_17_1, "1.17.1")                                                                                             \
  X(1_17_3, "1.17.3") X(1_18_0, "1.18.0") X(1_18_1, "1.18.1") X(1_19_0, "1.19.0") X(1_19_1, "1.19.1")             \
      X(1_19_2, "1.19.2") X(1_20_0, "1.20.0") X(1_20_1, "1.20.1") X(1_20_2, "1.20.2") X(1_21_0, "1.21.0")         \
          X(1_21_1, "1.21.1") X(1_22_0, "1.22.0") X(1_22_1, "1.22.1") X(1_22_2, "1.22.2") X(1_23_0, "1.23.0")     \
              X(1_23_1, "1.23.1") X(1_23_2, "1.23.2") X(1_24_0, "1.24.0") X(1_24_1, "1.24.1") X(1_24_2, "1.24.2") \
                  X(1_24_3, "1.24.3") X(1_24_4, "1.24.4") X(1_25_0, "1.25.0") X(1_25_1, "1.25.1")                 \
                      X(1_25_2, "1.25.2") X(1_26_0, "1.26.0") X(1_26_1, "1.26.1") X(1_26_2, "1.26.2")             \
                          X(1_27_0, "1.27.0") X(1_27_1, "1.27.1") X(1_27_2, "1.27.2") X(1_28_0, "1.28.0")         \
                              X(1_28_1, "1.28.1") X(1_28_2, "1.28.2") X(1_29_0, "1.29.0") X(1_29_1, "1.29.1")     \
                                  X(1_29_2, "1.29.2") X(1_30_0, "1.30.0") X(1_30_1, "1.30.1") X(1_30_2, "1.30.2") \
                                      X(1_31_1, "1.31.1") X(1_31_2, "1.31.2") X(1_32_0, "1.32.0")                 \
                                          X(1_32_1, "1.32.1") X(1_32_2, "1.32.2")

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

/* The others, which builds for them export: a program that names one starts, and is told that there is none. */
#define NO_PROVIDER(fn, type, symbol, name)                                                                      \
  OrtStatus *fn(OrtSessionOptions *o, type what);                                                                \
  OrtStatus *fn(OrtSessionOptions *o, type what) {                                                               \
    (void)what;                                                                                                  \
    if (!o)                                                                                                      \
      return fail(ORT_INVALID_ARGUMENT, "OrtSessionOptionsAppendExecutionProvider_%s: options is null", symbol); \
    return fail(ORT_FAIL, "%s execution provider is not enabled in this build: whet runs on the CPU", name);     \
  }
NO_PROVIDER(append_cuda, int, "CUDA", "CUDA")
NO_PROVIDER(append_rocm, int, "ROCM", "ROCM")
NO_PROVIDER(append_migraphx, int, "MIGraphX", "MIGraphX")
NO_PROVIDER(append_dnnl, int, "Dnnl", "DNNL")
NO_PROVIDER(append_tensorrt, int, "Tensorrt", "TensorRT")
NO_PROVIDER(append_openvino, const char *, "OpenVINO", "OpenVINO")

/* A function under its name and version; `at` is @@ for the version that programs get. */
#define ALIAS(fn, name, tag, at, text)                                                 \
  extern __typeof__(fn) fn##_##tag __attribute__((alias(#fn), visibility("default"))); \
  __asm__(".symver " #fn "_" #tag ", " name at "VERS_" text);
#define APPEND(fn, name, tag, at, text) ALIAS(fn, "OrtSessionOptionsAppendExecutionProvider_" name, tag, at, text)
#define ALL(tag, at, text)                            \
  ALIAS(get_api_base, "OrtGetApiBase", tag, at, text) \
  APPEND(append_cpu, "CPU", tag, at, text)            \
  APPEND(append_cuda, "CUDA", tag, at, text)          \
  APPEND(append_rocm, "ROCM", tag, at, text)          \
  APPEND(append_migraphx, "MIGraphX", tag, at, text)  \
  APPEND(append_dnnl, "Dnnl", tag, at, text)          \
  APPEND(append_tensorrt, "Tensorrt", tag, at, text)  \
  APPEND(append_openvino, "OpenVINO", tag, at, text)
#define OLD(tag, text) ALL(tag, "@", text)
EVERY_RELEASE(OLD)
ALL(1_31_0, "@@", "1.31.0")
