/* SPDX-License-Identifier: Apache-2.0 */
/* Registrations by the name and with the functions that releases from 2.17 on have for them. */

#include "tensorflow/lite/core/c/operator.h"

#include "tensorflow/lite/core/c/registration_external.h"

#include "shim.h"

/* The first release of TfLiteOperatorCreate has no user_data: what is there then is nothing that its functions hand
 * on. */
TfLiteOperator *TfLiteOperatorCreate(TfLiteBuiltinOperator code, const char *name, int version, void *user) {
  TfLiteOperator *r = TfLiteRegistrationExternalCreate((int)code, name, version);
  if (r) r->user = user;
  return r;
}
TfLiteOperator *TfLiteOperatorCreateWithData(TfLiteBuiltinOperator code, const char *name, int version, void *user) {
  return TfLiteOperatorCreate(code, name, version, user);
}
void TfLiteOperatorDelete(TfLiteOperator *r) { TfLiteRegistrationExternalDelete(r); }
TfLiteBuiltinOperator TfLiteOperatorGetBuiltInCode(const TfLiteOperator *r) {
  return (TfLiteBuiltinOperator)TfLiteRegistrationExternalGetBuiltInCode(r);
}
const char *TfLiteOperatorGetCustomName(const TfLiteOperator *r) {
  return TfLiteRegistrationExternalGetCustomName(r);
}
int TfLiteOperatorGetVersion(const TfLiteOperator *r) { return TfLiteRegistrationExternalGetVersion(r); }
void *TfLiteOperatorGetUserData(const TfLiteOperator *r) { return r ? r->user : NULL; }
void TfLiteOperatorSetInplaceOperator(TfLiteOperator *r, uint64_t op) {
  TfLiteRegistrationExternalSetInplaceOperator(r, op);
}

/* Setting a function, without and with the caller's data. */
void TfLiteOperatorSetInit(TfLiteOperator *r, void *(*fn)(TfLiteOpaqueContext *, const char *, size_t)) {
  TfLiteRegistrationExternalSetInit(r, fn);
}
void TfLiteOperatorSetFree(TfLiteOperator *r, void (*fn)(TfLiteOpaqueContext *, void *)) {
  TfLiteRegistrationExternalSetFree(r, fn);
}
void TfLiteOperatorSetPrepare(TfLiteOperator *r, TfLiteStatus (*fn)(TfLiteOpaqueContext *, TfLiteOpaqueNode *)) {
  TfLiteRegistrationExternalSetPrepare(r, fn);
}
void TfLiteOperatorSetInvoke(TfLiteOperator *r, TfLiteStatus (*fn)(TfLiteOpaqueContext *, TfLiteOpaqueNode *)) {
  TfLiteRegistrationExternalSetInvoke(r, fn);
}
TfLiteStatus TfLiteOperatorSetInitWithData(TfLiteOperator *r,
                                           void *(*fn)(void *, TfLiteOpaqueContext *, const char *, size_t)) {
  if (!r) return kTfLiteError;
  r->init_with = fn;
  return kTfLiteOk;
}
TfLiteStatus TfLiteOperatorSetFreeWithData(TfLiteOperator *r, void (*fn)(void *, TfLiteOpaqueContext *, void *)) {
  if (!r) return kTfLiteError;
  r->free_with = fn;
  return kTfLiteOk;
}
TfLiteStatus TfLiteOperatorSetPrepareWithData(TfLiteOperator *r,
                                              TfLiteStatus (*fn)(void *, TfLiteOpaqueContext *, TfLiteOpaqueNode *)) {
  if (!r) return kTfLiteError;
  r->prepare_with = fn;
  return kTfLiteOk;
}
TfLiteStatus TfLiteOperatorSetInvokeWithData(TfLiteOperator *r,
                                             TfLiteStatus (*fn)(void *, TfLiteOpaqueContext *, TfLiteOpaqueNode *)) {
  if (!r) return kTfLiteError;
  r->invoke_with = fn;
  return kTfLiteOk;
}

/* Asynchronous execution: not there. */
void TfLiteOperatorSetAsyncKernel(TfLiteOperator *r,
                                  struct TfLiteAsyncKernel *(*fn)(TfLiteOpaqueContext *, TfLiteOpaqueNode *)) {
  (void)r, (void)fn;
}
TfLiteStatus TfLiteOperatorSetAsyncKernelWithData(TfLiteOperator *r,
                                                  struct TfLiteAsyncKernel *(*fn)(void *, TfLiteOpaqueContext *,
                                                                                  TfLiteOpaqueNode *)) {
  (void)fn;
  return r ? kTfLiteOk : kTfLiteError;
}
void TfLiteRegistrationExternalSetAsyncKernel(TfLiteRegistrationExternal *r,
                                              struct TfLiteAsyncKernel *(*fn)(TfLiteOpaqueContext *,
                                                                              TfLiteOpaqueNode *)) {
  (void)r, (void)fn;
}
