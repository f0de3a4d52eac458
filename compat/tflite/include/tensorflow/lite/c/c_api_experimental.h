/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TENSORFLOW_LITE_CORE_C_C_API_EXPERIMENTAL_H_
#define TENSORFLOW_LITE_CORE_C_C_API_EXPERIMENTAL_H_

/* What of TensorFlow Lite's experimental C interface whet has. */

#include "tensorflow/lite/c/c_api.h"

#ifdef __cplusplus
extern "C" {
#endif

TFL_CAPI_EXPORT extern TfLiteStatus TfLiteInterpreterResetVariableTensors(TfLiteInterpreter *interpreter);
/* Variables of the main subgraph: state that lives from run to run. Their memory is there once tensors are allocated. */
TFL_CAPI_EXPORT extern int32_t TfLiteInterpreterGetVariableTensorCount(const TfLiteInterpreter *interpreter);
TFL_CAPI_EXPORT extern TfLiteTensor *TfLiteInterpreterGetVariableTensor(const TfLiteInterpreter *interpreter,
                                                                        int32_t variable_index);
/* As TfLiteInterpreterResizeInputTensor, but only dimensions that the file leaves open may change. */
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteInterpreterResizeInputTensorStrict(TfLiteInterpreter *interpreter,
                                                                             int32_t input_index, const int *input_dims,
                                                                             int32_t input_dims_size);
/* An operator by its custom_code. The registration is copied; versions from min_version to max_version, of which the file's is
 * not told apart. */
TFL_CAPI_EXPORT extern void TfLiteInterpreterOptionsAddCustomOp(TfLiteInterpreterOptions *options, const char *name,
                                                                const TfLiteRegistration *registration,
                                                                int32_t min_version, int32_t max_version);
/* No effect: there is no NNAPI here, and nothing to fall back from. */
TFL_CAPI_EXPORT extern void TfLiteInterpreterOptionsSetUseNNAPI(TfLiteInterpreterOptions *options, bool enable);
TFL_CAPI_EXPORT extern void TfLiteInterpreterOptionsSetEnableDelegateFallback(TfLiteInterpreterOptions *options,
                                                                              bool enable);
TFL_CAPI_EXPORT extern TfLiteInterpreter *TfLiteInterpreterCreateWithSelectedOps(
    const TfLiteModel *model, const TfLiteInterpreterOptions *options);
/* kTfLiteOk for the XNNPACK delegate of this library, which changes nothing; kTfLiteDelegateError for any other. */
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteInterpreterModifyGraphWithDelegate(const TfLiteInterpreter *interpreter,
                                                                             TfLiteDelegate *delegate);
TFL_CAPI_EXPORT extern int32_t TfLiteInterpreterGetInputTensorIndex(const TfLiteInterpreter *interpreter,
                                                                    int32_t input_index);
TFL_CAPI_EXPORT extern int32_t TfLiteInterpreterGetOutputTensorIndex(const TfLiteInterpreter *interpreter,
                                                                     int32_t output_index);
/* Use the caller's memory for an input or output of the main subgraph, by tensor index; alive until the interpreter goes. */
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteInterpreterSetCustomAllocationForTensor(
    TfLiteInterpreter *interpreter, int tensor_index, const TfLiteCustomAllocation *allocation, int64_t flags);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteInterpreterEnsureTensorDataIsReadable(TfLiteInterpreter *interpreter,
                                                                                int tensor_index);
TFL_CAPI_EXPORT extern void TfLiteSetAllowBufferHandleOutput(const TfLiteInterpreter *interpreter,
                                                             bool allow_buffer_handle_output);

#ifdef __cplusplus
}
#endif
#endif
