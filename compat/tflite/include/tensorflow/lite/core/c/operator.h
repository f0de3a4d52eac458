/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_COMPAT_TFLITE_OPERATOR_H
#define WHET_COMPAT_TFLITE_OPERATOR_H

/* Operators of the caller's own as releases from 2.17 on name them: registration_external.h has the older names.
 * Functions set with
 * ...WithData are given user_data first, and go before those without. */

#include "tensorflow/lite/builtin_ops.h"
#include "tensorflow/lite/c/c_api_types.h"
#include "tensorflow/lite/c/common.h"

#ifdef __cplusplus
extern "C" {
#endif

/* custom_name is copied. Only operators by custom_code (kTfLiteBuiltinCustom) are resolved. */
TFL_CAPI_EXPORT extern TfLiteOperator *TfLiteOperatorCreate(TfLiteBuiltinOperator code, const char *name, int version,
                                                            void *user_data);
TFL_CAPI_EXPORT extern TfLiteOperator *TfLiteOperatorCreateWithData(TfLiteBuiltinOperator code, const char *name,
                                                                    int version, void *user_data);
TFL_CAPI_EXPORT extern void TfLiteOperatorDelete(TfLiteOperator *op);
TFL_CAPI_EXPORT extern TfLiteBuiltinOperator TfLiteOperatorGetBuiltInCode(const TfLiteOperator *op);
TFL_CAPI_EXPORT extern const char *TfLiteOperatorGetCustomName(const TfLiteOperator *op);
TFL_CAPI_EXPORT extern int TfLiteOperatorGetVersion(const TfLiteOperator *op);
TFL_CAPI_EXPORT extern void *TfLiteOperatorGetUserData(const TfLiteOperator *op);
TFL_CAPI_EXPORT extern void TfLiteOperatorSetInplaceOperator(TfLiteOperator *op, uint64_t inplace_operator);
TFL_CAPI_EXPORT extern void TfLiteOperatorSetInit(TfLiteOperator *op,
                                                  void *(*fn)(TfLiteOpaqueContext *, const char *, size_t));
TFL_CAPI_EXPORT extern void TfLiteOperatorSetFree(TfLiteOperator *op, void (*fn)(TfLiteOpaqueContext *, void *));
TFL_CAPI_EXPORT extern void TfLiteOperatorSetPrepare(TfLiteOperator *op,
                                                     TfLiteStatus (*fn)(TfLiteOpaqueContext *, TfLiteOpaqueNode *));
TFL_CAPI_EXPORT extern void TfLiteOperatorSetInvoke(TfLiteOperator *op,
                                                    TfLiteStatus (*fn)(TfLiteOpaqueContext *, TfLiteOpaqueNode *));
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOperatorSetInitWithData(TfLiteOperator *op,
                                                                  void *(*fn)(void *, TfLiteOpaqueContext *,
                                                                              const char *, size_t));
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOperatorSetFreeWithData(TfLiteOperator *op,
                                                                  void (*fn)(void *, TfLiteOpaqueContext *, void *));
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOperatorSetPrepareWithData(TfLiteOperator *op,
                                                                     TfLiteStatus (*fn)(void *, TfLiteOpaqueContext *,
                                                                                        TfLiteOpaqueNode *));
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOperatorSetInvokeWithData(TfLiteOperator *op,
                                                                    TfLiteStatus (*fn)(void *, TfLiteOpaqueContext *,
                                                                                       TfLiteOpaqueNode *));
/* Taken, and without effect: whet has no asynchronous execution. */
struct TfLiteAsyncKernel;
TFL_CAPI_EXPORT extern void TfLiteOperatorSetAsyncKernel(
    TfLiteOperator *op, struct TfLiteAsyncKernel *(*fn)(TfLiteOpaqueContext *, TfLiteOpaqueNode *));
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOperatorSetAsyncKernelWithData(
    TfLiteOperator *op, struct TfLiteAsyncKernel *(*fn)(void *, TfLiteOpaqueContext *, TfLiteOpaqueNode *));

#ifdef __cplusplus
}
#endif
#endif
