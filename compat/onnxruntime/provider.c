/* SPDX-License-Identifier: Apache-2.0 */
/* Execution providers: the CPU's is there; every other is refused when it is appended. */

#include "shim.h"

OrtStatus *API(SessionOptionsAppendExecutionProvider)(OrtSessionOptions *o, const char *name, const char *const *keys,
                                                      const char *const *values, size_t n) {
  NEED(o);
  NEED(name);
  (void)keys, (void)values, (void)n;
  if (!strcmp(name, "CPU") || !strcmp(name, "CPUExecutionProvider") || !strcmp(name, "XNNPACK")) return NULL;
  return fail(ORT_INVALID_ARGUMENT, "%s execution provider is not supported in this build: whet runs on the CPU",
              name);
}
static OrtStatus *not_enabled(const char *name) {
  return fail(ORT_FAIL, "%s execution provider is not enabled in this build: whet runs on the CPU", name);
}
/* A refusal for each of the others. */
#define NO_PROVIDER(fn, type, name)                                \
  OrtStatus *API(fn)(OrtSessionOptions * o, const type *options) { \
    NEED(o);                                                       \
    (void)options;                                                 \
    return not_enabled(name);                                      \
  }
NO_PROVIDER(SessionOptionsAppendExecutionProvider_CUDA, OrtCUDAProviderOptions, "CUDA")
NO_PROVIDER(SessionOptionsAppendExecutionProvider_CUDA_V2, OrtCUDAProviderOptionsV2, "CUDA")
NO_PROVIDER(SessionOptionsAppendExecutionProvider_ROCM, OrtROCMProviderOptions, "ROCM")
NO_PROVIDER(SessionOptionsAppendExecutionProvider_OpenVINO, OrtOpenVINOProviderOptions, "OpenVINO")
NO_PROVIDER(SessionOptionsAppendExecutionProvider_TensorRT, OrtTensorRTProviderOptions, "TensorRT")
NO_PROVIDER(SessionOptionsAppendExecutionProvider_TensorRT_V2, OrtTensorRTProviderOptionsV2, "TensorRT")
NO_PROVIDER(SessionOptionsAppendExecutionProvider_MIGraphX, OrtMIGraphXProviderOptions, "MIGraphX")
NO_PROVIDER(SessionOptionsAppendExecutionProvider_CANN, OrtCANNProviderOptions, "CANN")
NO_PROVIDER(SessionOptionsAppendExecutionProvider_Dnnl, OrtDnnlProviderOptions, "DNNL")

/* Options of providers that are not there: refused as the original refuses them. Built clients write into what the
 * first function gives without a look at its status, for the package that they come with has the provider: so there
 * is memory, more than any of these structures has, which nobody reads. */
static _Alignas(64) char k_nobody[4096];
#define OPTIONS(what, type, name)                                                                              \
  OrtStatus *API(Create##what)(type * *out) {                                                                  \
    NEED(out);                                                                                                 \
    *out = (type *)(void *)k_nobody;                                                                           \
    return not_enabled(name);                                                                                  \
  }                                                                                                            \
  OrtStatus *API(Update##what)(type * options, const char *const *keys, const char *const *values, size_t n) { \
    NEED(options);                                                                                             \
    (void)keys, (void)values, (void)n;                                                                         \
    return not_enabled(name);                                                                                  \
  }                                                                                                            \
  OrtStatus *API(Get##what##AsString)(const type *options, OrtAllocator *a, char **out) {                      \
    NEED(options);                                                                                             \
    NEED(a);                                                                                                   \
    NEED(out);                                                                                                 \
    return not_enabled(name);                                                                                  \
  }                                                                                                            \
  void API(Release##what)(type * options) { (void)options; }
OPTIONS(CUDAProviderOptions, OrtCUDAProviderOptionsV2, "CUDA")
OPTIONS(TensorRTProviderOptions, OrtTensorRTProviderOptionsV2, "TensorRT")
OPTIONS(CANNProviderOptions, OrtCANNProviderOptions, "CANN")
OPTIONS(DnnlProviderOptions, OrtDnnlProviderOptions, "oneDNN")
OPTIONS(ROCMProviderOptions, OrtROCMProviderOptions, "ROCM")
