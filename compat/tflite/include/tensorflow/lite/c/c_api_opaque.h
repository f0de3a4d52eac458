/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TENSORFLOW_LITE_CORE_C_C_API_OPAQUE_H_
#define TENSORFLOW_LITE_CORE_C_C_API_OPAQUE_H_

/* What the functions of the caller's own operators see. Tensors and nodes are borrowed for the call. */

#include "tensorflow/lite/c/c_api.h"
#include "tensorflow/lite/core/c/operator.h"
#include "tensorflow/lite/core/c/registration_external.h"

#ifdef __cplusplus
extern "C" {
#endif

TFL_CAPI_EXPORT extern int TfLiteOpaqueNodeNumberOfInputs(const TfLiteOpaqueNode *node);
TFL_CAPI_EXPORT extern int TfLiteOpaqueNodeNumberOfOutputs(const TfLiteOpaqueNode *node);
/* NULL: past the end, or an optional input that is absent. */
TFL_CAPI_EXPORT extern const TfLiteOpaqueTensor *TfLiteOpaqueNodeGetInput(const TfLiteOpaqueContext *context,
                                                                          const TfLiteOpaqueNode *node, int index);
TFL_CAPI_EXPORT extern TfLiteOpaqueTensor *TfLiteOpaqueNodeGetOutput(TfLiteOpaqueContext *context,
                                                                     const TfLiteOpaqueNode *node, int index);
TFL_CAPI_EXPORT extern void *TfLiteOpaqueNodeGetUserData(const TfLiteOpaqueNode *node);
TFL_CAPI_EXPORT extern void *TfLiteOpaqueNodeGetBuiltinData(const TfLiteOpaqueNode *node);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueNodeGetCustomInitialData(const TfLiteOpaqueNode *node,
                                                                         const void **init_data, int *size);

/* Takes over new_size, whatever the answer. In prepare; in invoke for registrations without prepare. */
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueContextResizeTensor(TfLiteOpaqueContext *context,
                                                                    TfLiteOpaqueTensor *tensor,
                                                                    TfLiteIntArray *new_size);
TFL_CAPI_EXPORT extern void TfLiteOpaqueContextReportError(TfLiteOpaqueContext *context, const char *format, ...);
TFL_CAPI_EXPORT extern void TfLiteOpaqueContextReportErrorVa(TfLiteOpaqueContext *context, const char *format,
                                                             va_list vlist);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueContextGetSizeOfType(TfLiteOpaqueContext *context, TfLiteType type,
                                                                     size_t *bytes);

TFL_CAPI_EXPORT extern TfLiteType TfLiteOpaqueTensorType(const TfLiteOpaqueTensor *tensor);
TFL_CAPI_EXPORT extern int32_t TfLiteOpaqueTensorNumDims(const TfLiteOpaqueTensor *tensor);
TFL_CAPI_EXPORT extern int32_t TfLiteOpaqueTensorDim(const TfLiteOpaqueTensor *tensor, int32_t dim_index);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueTensorGetNumDimsSignature(const TfLiteOpaqueTensor *tensor,
                                                                          int32_t *num_dims);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueTensorGetDimSignature(const TfLiteOpaqueTensor *tensor,
                                                                      int32_t dim_index, int32_t *dim_length);
TFL_CAPI_EXPORT extern int TfLiteOpaqueTensorIsVariable(const TfLiteOpaqueTensor *tensor);
TFL_CAPI_EXPORT extern size_t TfLiteOpaqueTensorByteSize(const TfLiteOpaqueTensor *tensor);
TFL_CAPI_EXPORT extern void *TfLiteOpaqueTensorData(const TfLiteOpaqueTensor *tensor);
TFL_CAPI_EXPORT extern TfLiteAllocationType TfLiteOpaqueTensorGetAllocationType(const TfLiteOpaqueTensor *tensor);
TFL_CAPI_EXPORT extern const char *TfLiteOpaqueTensorName(const TfLiteOpaqueTensor *tensor);
TFL_CAPI_EXPORT extern TfLiteQuantization TfLiteOpaqueTensorGetQuantization(const TfLiteOpaqueTensor *tensor);
TFL_CAPI_EXPORT extern TfLiteQuantizationParams TfLiteOpaqueTensorGetQuantizationParams(
    const TfLiteOpaqueTensor *tensor);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueTensorCopyFromBuffer(TfLiteOpaqueTensor *tensor,
                                                                     const void *input_data, size_t input_data_size);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueTensorCopyToBuffer(const TfLiteOpaqueTensor *tensor, void *output_data,
                                                                   size_t output_data_size);

#ifdef __cplusplus
}
#endif
#endif
