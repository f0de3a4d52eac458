/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"

OrtStatus *guard_create(const OrtCustomOp *op, int by_status, const OrtApi *api, const OrtKernelInfo *info, void **kernel) {
  if (by_status) return op->CreateKernelV2(op, api, info, kernel);
  *kernel = op->CreateKernel(op, api, info);
  return NULL;
}
OrtStatus *guard_compute(const OrtCustomOp *op, int by_status, void *kernel, OrtKernelContext *context) {
  if (by_status) return op->KernelComputeV2(kernel, context);
  op->KernelCompute(kernel, context);
  return NULL;
}
OrtStatus *guard_infer(const OrtCustomOp *op, OrtShapeInferContext *context) { return op->InferOutputShapeFn(op, context); }
OrtStatus *guard_register(RegisterCustomOpsFn fn, OrtSessionOptions *options, const OrtApiBase *base) { return fn(options, base); }
