/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_COMPAT_ONNXRUNTIME_GUARD_H
#define WHET_COMPAT_ONNXRUNTIME_GUARD_H

/* Calls of the caller's functions for its operators: mostly C++, which may throw. What is thrown becomes a status, as with the
 * original; guard.cc holds them where the compiler builds C++, guard.c where it does not. */

#include "onnxruntime_c_api.h"

#ifdef __cplusplus
extern "C" {
#endif

/* By a function that answers a status, if the operator has it; else by the one that has none. */
OrtStatus *guard_create(const OrtCustomOp *op, int by_status, const OrtApi *api, const OrtKernelInfo *info, void **kernel);
OrtStatus *guard_compute(const OrtCustomOp *op, int by_status, void *kernel, OrtKernelContext *context);
OrtStatus *guard_infer(const OrtCustomOp *op, OrtShapeInferContext *context);
OrtStatus *guard_register(RegisterCustomOpsFn fn, OrtSessionOptions *options, const OrtApiBase *base);

#ifdef __cplusplus
}
#endif
#endif
