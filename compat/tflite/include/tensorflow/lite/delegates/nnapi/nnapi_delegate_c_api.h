/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TENSORFLOW_LITE_DELEGATES_NNAPI_NNAPI_DELEGATE_C_API_H_
#define TENSORFLOW_LITE_DELEGATES_NNAPI_NNAPI_DELEGATE_C_API_H_

/* The NNAPI delegate's entry points: they succeed and change nothing, as where a machine has no NNAPI. */

#include "tensorflow/lite/c/common.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct TfLiteNnapiDelegateOptions {
  enum ExecutionPreference { kUndefined = -1, kLowPower = 0, kFastSingleAnswer = 1, kSustainedSpeed = 2 } execution_preference;
  const char *accelerator_name, *cache_dir, *model_token;
  int disallow_nnapi_cpu, allow_fp16, max_number_delegated_partitions;
  void *nnapi_support_library_handle;
} TfLiteNnapiDelegateOptions;

TFL_CAPI_EXPORT TfLiteNnapiDelegateOptions TfLiteNnapiDelegateOptionsDefault(void);
TFL_CAPI_EXPORT TfLiteDelegate *TfLiteNnapiDelegateCreate(const TfLiteNnapiDelegateOptions *options);
TFL_CAPI_EXPORT void TfLiteNnapiDelegateDelete(TfLiteDelegate *delegate);

#ifdef __cplusplus
}
#endif
#endif
