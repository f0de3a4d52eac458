/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TENSORFLOW_LITE_CORE_ASYNC_C_TYPES_H_
#define TENSORFLOW_LITE_CORE_ASYNC_C_TYPES_H_

/* Names that the original's headers mention; whet has no asynchronous execution. */

#ifdef __cplusplus
extern "C" {
#endif
typedef struct TfLiteExecutionTask TfLiteExecutionTask;
typedef struct TfLiteAsyncKernel TfLiteAsyncKernel;
typedef struct TfLiteBackendBuffer TfLiteBackendBuffer;
typedef struct TfLiteSynchronization TfLiteSynchronization;
#ifdef __cplusplus
}
#endif
#endif
