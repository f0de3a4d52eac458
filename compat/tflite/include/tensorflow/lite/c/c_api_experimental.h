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
/* Refused when an interpreter of a model that uses the built-in operator is made: whet's own run all of those. */
TFL_CAPI_EXPORT extern void TfLiteInterpreterOptionsAddBuiltinOp(TfLiteInterpreterOptions *options,
                                                                 TfLiteBuiltinOperator op,
                                                                 const TfLiteRegistration *registration,
                                                                 int32_t min_version, int32_t max_version);
/* The caller's functions are asked for every operator of a model when an interpreter is made: NULL for one that is not added to the
 * options is an error, a custom one runs, and one in place of a built-in one is refused. */
TFL_CAPI_EXPORT extern void TfLiteInterpreterOptionsSetOpResolver(
    TfLiteInterpreterOptions *options,
    const TfLiteRegistration *(*find_builtin_op)(void *user_data, TfLiteBuiltinOperator op, int version),
    const TfLiteRegistration *(*find_custom_op)(void *user_data, const char *custom_op, int version),
    void *op_resolver_user_data);
TFL_CAPI_EXPORT extern void TfLiteInterpreterOptionsSetOpResolverV1(
    TfLiteInterpreterOptions *options,
    const TfLiteRegistration_V1 *(*find_builtin_op)(void *user_data, TfLiteBuiltinOperator op, int version),
    const TfLiteRegistration_V1 *(*find_custom_op)(void *user_data, const char *custom_op, int version),
    void *op_resolver_user_data);
TFL_CAPI_EXPORT extern void TfLiteInterpreterOptionsSetOpResolverV2(
    TfLiteInterpreterOptions *options,
    const TfLiteRegistration_V2 *(*find_builtin_op)(void *user_data, TfLiteBuiltinOperator op, int version),
    const TfLiteRegistration_V2 *(*find_custom_op)(void *user_data, const char *custom_op, int version),
    void *op_resolver_user_data);
TFL_CAPI_EXPORT extern void TfLiteInterpreterOptionsSetOpResolverV3(
    TfLiteInterpreterOptions *options,
    const TfLiteRegistration_V3 *(*find_builtin_op)(void *user_data, TfLiteBuiltinOperator op, int version),
    const TfLiteRegistration_V3 *(*find_custom_op)(void *user_data, const char *custom_op, int version),
    void *op_resolver_user_data);
TFL_CAPI_EXPORT extern void TfLiteInterpreterOptionsSetOpResolverExternal(
    TfLiteInterpreterOptions *options,
    const TfLiteRegistrationExternal *(*find_builtin_op)(void *user_data, int op, int version),
    const TfLiteRegistrationExternal *(*find_custom_op)(void *user_data, const char *custom_op, int version),
    void *op_resolver_user_data);
/* The second pair is asked where the first answers NULL. */
TFL_CAPI_EXPORT extern void TfLiteInterpreterOptionsSetOpResolverExternalWithFallback(
    TfLiteInterpreterOptions *options,
    const TfLiteRegistrationExternal *(*find_builtin_op_external)(void *user_data, int op, int version),
    const TfLiteRegistrationExternal *(*find_custom_op_external)(void *user_data, const char *custom_op, int version),
    const TfLiteRegistration *(*find_builtin_op)(void *user_data, TfLiteBuiltinOperator op, int version),
    const TfLiteRegistration *(*find_custom_op)(void *user_data, const char *custom_op, int version),
    void *op_resolver_user_data);
/* No effect: whet reports nothing to it. */
struct TfLiteTelemetryProfilerStruct;
TFL_CAPI_EXPORT extern void TfLiteInterpreterOptionsSetTelemetryProfiler(
    TfLiteInterpreterOptions *options, struct TfLiteTelemetryProfilerStruct *profiler);
/* Memory of delegates: every tensor has kTfLiteNullBufferHandle and no delegate, and none can be set. */
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteInterpreterSetBufferHandle(TfLiteInterpreter *interpreter,
                                                                     TfLiteTensor *tensor, TfLiteBufferHandle handle,
                                                                     TfLiteOpaqueDelegate *delegate);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteInterpreterGetBufferHandle(TfLiteInterpreter *interpreter, int tensor_index,
                                                                     TfLiteBufferHandle *handle,
                                                                     TfLiteOpaqueDelegate **delegate);
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
