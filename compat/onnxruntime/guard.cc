/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of guard.h with what they throw caught. The C++ library is the one that the client has: its symbols are weak, so that
 * a program without any C++ loads this library all the same. */

#include "guard.h"

#include <exception>

__asm__(".weak __cxa_begin_catch\n.weak __cxa_end_catch\n.weak __gxx_personality_v0\n.weak _ZTISt9exception");

extern "C" OrtStatus *ort_CreateStatus(OrtErrorCode code, const char *text) noexcept;
/* What was thrown. */
static OrtStatus *thrown(const char *what) noexcept { return ort_CreateStatus(ORT_RUNTIME_EXCEPTION, what); }

extern "C" OrtStatus *guard_create(const OrtCustomOp *op, int by_status, const OrtApi *api, const OrtKernelInfo *info, void **kernel) {
  try {
    if (by_status) return op->CreateKernelV2(op, api, info, kernel);
    *kernel = op->CreateKernel(op, api, info);
    return nullptr;
  } catch (const std::exception &e) {
    return thrown(e.what());
  } catch (...) {
    return thrown("CreateKernel has thrown something");
  }
}

extern "C" OrtStatus *guard_compute(const OrtCustomOp *op, int by_status, void *kernel, OrtKernelContext *context) {
  try {
    if (by_status) return op->KernelComputeV2(kernel, context);
    op->KernelCompute(kernel, context);
    return nullptr;
  } catch (const std::exception &e) {
    return thrown(e.what());
  } catch (...) {
    return thrown("KernelCompute has thrown something");
  }
}

extern "C" OrtStatus *guard_infer(const OrtCustomOp *op, OrtShapeInferContext *context) {
  try {
    return op->InferOutputShapeFn(op, context);
  } catch (const std::exception &e) {
    return thrown(e.what());
  } catch (...) {
    return thrown("InferOutputShapeFn has thrown something");
  }
}

extern "C" OrtStatus *guard_register(RegisterCustomOpsFn fn, OrtSessionOptions *options, const OrtApiBase *base) {
  try {
    return fn(options, base);
  } catch (const std::exception &e) {
    return thrown(e.what());
  } catch (...) {
    return thrown("RegisterCustomOps has thrown something");
  }
}
