/* SPDX-License-Identifier: Apache-2.0 */
/* Execution providers: the CPU's is there; every other is refused when it is appended. */

#include "shim.h"

OrtStatus *API(SessionOptionsAppendExecutionProvider)(OrtSessionOptions *o, const char *name, const char *const *keys,
                                                      const char *const *values, size_t n) {
  NEED(o);
  NEED(name);
  (void)keys, (void)values, (void)n;
  if (!strcmp(name, "CPU") || !strcmp(name, "CPUExecutionProvider") || !strcmp(name, "XNNPACK")) return NULL;
  return fail(ORT_NOT_IMPLEMENTED, "%s execution provider is not supported in this build: whet runs on the CPU",
              name);
}
/* A refusal for each of the others. */
#define NO_PROVIDER(fn, type, name)                                                                          \
  OrtStatus *API(fn)(OrtSessionOptions * o, const type *options) {                                           \
    NEED(o);                                                                                                 \
    (void)options;                                                                                           \
    return fail(ORT_FAIL, "%s execution provider is not enabled in this build: whet runs on the CPU", name); \
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

/* Options of providers that are not there. Built clients write into what the first function gives before anything is
 * refused, and without a look at its status: so there is memory, more than any of these structures has. */
#define OPTIONS(what, type)                                                                                    \
  OrtStatus *API(Create##what)(type * *out) {                                                                  \
    NEED(out);                                                                                                 \
    *out = calloc(1, 4096);                                                                                    \
    return *out ? NULL : no_memory();                                                                          \
  }                                                                                                            \
  OrtStatus *API(Update##what)(type * options, const char *const *keys, const char *const *values, size_t n) { \
    NEED(options);                                                                                             \
    if (n) NEED(keys);                                                                                         \
    if (n) NEED(values);                                                                                       \
    return NULL;                                                                                               \
  }                                                                                                            \
  OrtStatus *API(Get##what##AsString)(const type *options, OrtAllocator *a, char **out) {                      \
    NEED(options);                                                                                             \
    NEED(a);                                                                                                   \
    NEED(out);                                                                                                 \
    return text_out(a, "", out);                                                                               \
  }                                                                                                            \
  void API(Release##what)(type * options) { free(options); }
OPTIONS(CUDAProviderOptions, OrtCUDAProviderOptionsV2)
OPTIONS(TensorRTProviderOptions, OrtTensorRTProviderOptionsV2)
OPTIONS(CANNProviderOptions, OrtCANNProviderOptions)
OPTIONS(DnnlProviderOptions, OrtDnnlProviderOptions)
OPTIONS(ROCMProviderOptions, OrtROCMProviderOptions)
