/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TENSORFLOW_LITE_CORE_C_REGISTRATION_EXTERNAL_H_
#define TENSORFLOW_LITE_CORE_C_REGISTRATION_EXTERNAL_H_

/* Registrations of the caller's own operators. A file of its own, which includes no more than types: the original's c_api.h includes
 * it, and its archives lack it, so programs find it here beside headers of the original. */

#include <stddef.h>
#include <stdint.h>

#include "tensorflow/lite/c/c_api_types.h"
#include "tensorflow/lite/c/common.h"

#ifdef __cplusplus
extern "C" {
#endif

/* custom_name is copied. Only operators by custom_code (builtin_code kTfLiteBuiltinCustom, 32) are resolved. */
TFL_CAPI_EXPORT extern TfLiteRegistrationExternal *TfLiteRegistrationExternalCreate(int builtin_code,
                                                                                    const char *custom_name,
                                                                                    int version);
TFL_CAPI_EXPORT extern int TfLiteRegistrationExternalGetBuiltInCode(const TfLiteRegistrationExternal *registration);
TFL_CAPI_EXPORT extern const char *TfLiteRegistrationExternalGetCustomName(
    const TfLiteRegistrationExternal *registration);
TFL_CAPI_EXPORT extern int TfLiteRegistrationExternalGetVersion(const TfLiteRegistrationExternal *registration);
TFL_CAPI_EXPORT extern void TfLiteRegistrationExternalDelete(TfLiteRegistrationExternal *registration);
/* init is given the node's custom options. */
TFL_CAPI_EXPORT extern void TfLiteRegistrationExternalSetInit(
    TfLiteRegistrationExternal *registration,
    void *(*init)(TfLiteOpaqueContext *context, const char *buffer, size_t length));
TFL_CAPI_EXPORT extern void TfLiteRegistrationExternalSetFree(TfLiteRegistrationExternal *registration,
                                                              void (*free)(TfLiteOpaqueContext *context, void *data));
/* prepare says the outputs' shapes (TfLiteOpaqueContextResizeTensor). */
TFL_CAPI_EXPORT extern void TfLiteRegistrationExternalSetPrepare(
    TfLiteRegistrationExternal *registration,
    TfLiteStatus (*prepare)(TfLiteOpaqueContext *context, TfLiteOpaqueNode *node));
TFL_CAPI_EXPORT extern void TfLiteRegistrationExternalSetInvoke(
    TfLiteRegistrationExternal *registration,
    TfLiteStatus (*invoke)(TfLiteOpaqueContext *context, TfLiteOpaqueNode *node));
TFL_CAPI_EXPORT extern void TfLiteRegistrationExternalSetInplaceOperator(TfLiteRegistrationExternal *registration,
                                                                         uint64_t inplace_operator);
/* Taken, and without effect: whet has no asynchronous execution. */
struct TfLiteAsyncKernel;
TFL_CAPI_EXPORT extern void TfLiteRegistrationExternalSetAsyncKernel(
    TfLiteRegistrationExternal *r, struct TfLiteAsyncKernel *(*fn)(TfLiteOpaqueContext *, TfLiteOpaqueNode *));

#ifdef __cplusplus
}
#endif
#endif
