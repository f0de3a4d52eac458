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

/* Programs ask for the symbol version of the release that they were linked with: each function is there under that of
 * every one, a line of functions.def, whose number tells the aliases apart. */
#define ALIAS(fn, name, line, version) ALIAS_AT(fn, name, line, version)
#define ALIAS_AT(fn, name, line, version)                                               \
  extern __typeof__(fn) fn##_##line __attribute__((alias(#fn), visibility("default"))); \
  __asm__(".symver " #fn "_" #line ", " name version);
#define APPEND(fn, name, version) ALIAS(fn, "OrtSessionOptionsAppendExecutionProvider_" name, __LINE__, version)
#define ALL(version)                                      \
  ALIAS(get_api_base, "OrtGetApiBase", __LINE__, version) \
  APPEND(append_cpu, "CPU", version)                      \
  APPEND(append_cuda, "CUDA", version)                    \
  APPEND(append_rocm, "ROCM", version)                    \
  APPEND(append_migraphx, "MIGraphX", version)            \
  APPEND(append_dnnl, "Dnnl", version)                    \
  APPEND(append_tensorrt, "Tensorrt", version)            \
  APPEND(append_openvino, "OpenVINO", version)
#define FUNCTION(f)
#define RELEASE(version) ALL("@VERS_" #version)
#define CURRENT(version) ALL("@@VERS_" #version)
#include "functions.def"
