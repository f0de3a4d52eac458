/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TENSORFLOW_LITE_CORE_ASYNC_INTEROP_C_TYPES_H_
#define TENSORFLOW_LITE_CORE_ASYNC_INTEROP_C_TYPES_H_

/* Holders of a platform's buffers and fences: one pointer each, which stays the caller's. */

#include "tensorflow/lite/c/c_api_types.h"
#include "tensorflow/lite/core/async/c/types.h"

#ifdef __cplusplus
extern "C" {
#endif
TFL_CAPI_EXPORT extern TfLiteBackendBuffer *TfLiteBackendBufferCreate(void);
TFL_CAPI_EXPORT extern void TfLiteBackendBufferDelete(TfLiteBackendBuffer *buf);
TFL_CAPI_EXPORT extern void TfLiteBackendBufferSetPtr(TfLiteBackendBuffer *buf, void *ptr);
TFL_CAPI_EXPORT extern void *TfLiteBackendBufferGetPtr(const TfLiteBackendBuffer *buf);
TFL_CAPI_EXPORT extern TfLiteSynchronization *TfLiteSynchronizationCreate(void);
TFL_CAPI_EXPORT extern void TfLiteSynchronizationDelete(TfLiteSynchronization *sync);
TFL_CAPI_EXPORT extern void TfLiteSynchronizationSetPtr(TfLiteSynchronization *sync, void *ptr);
TFL_CAPI_EXPORT extern void *TfLiteSynchronizationGetPtr(const TfLiteSynchronization *sync);
#ifdef __cplusplus
}
#endif
#endif
