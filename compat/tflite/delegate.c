/* SPDX-License-Identifier: Apache-2.0 */
/* Delegates: those of this library, which have nothing to do, and the caller's, which are made and refused when they
 * are applied. */

#include "delegate.h"

#include "tensorflow/lite/delegates/nnapi/nnapi_delegate_c_api.h"

/* The mark tells our delegates from others: it stands where a delegate's data do. */
static const char k_mark = 0;

TfLiteDelegate *delegate_make(void) {
  own_delegate *d = calloc(1, sizeof *d);
  if (!d) return NULL;
  d->d.data_ = (void *)(uintptr_t)&k_mark;
  return &d->d;
}
bool delegate_is_ours(const void *d) { return d && ((const TfLiteDelegate *)d)->data_ == &k_mark; }

/* ---- NNAPI -------------------------------------------------------------------------------------- */

TfLiteNnapiDelegateOptions TfLiteNnapiDelegateOptionsDefault(void) {
  return (TfLiteNnapiDelegateOptions){.execution_preference = kUndefined};
}
TfLiteDelegate *TfLiteNnapiDelegateCreate(const TfLiteNnapiDelegateOptions *options) {
  (void)options;
  return delegate_make();
}
void TfLiteNnapiDelegateDelete(TfLiteDelegate *d) {
  if (delegate_is_ours(d)) free(d);
}

/* ---- the caller's ------------------------------------------------------------------------------- */

TfLiteDelegate TfLiteDelegateCreate(void) { return (TfLiteDelegate){0}; }

/* Behind an opaque delegate there is a plain one whose builder is a copy of the caller's. */
TfLiteOpaqueDelegate *TfLiteOpaqueDelegateCreate(const TfLiteOpaqueDelegateBuilder *builder) {
  TfLiteDelegate *d = builder ? calloc(1, sizeof *d) : NULL;
  TfLiteOpaqueDelegateBuilder *copy = d ? malloc(sizeof *copy) : NULL;
  if (!copy) {
    free(d);
    return NULL;
  }
  *copy = *builder;
  d->opaque_delegate_builder = copy;
  d->flags = builder->flags;
  return d;
}
void TfLiteOpaqueDelegateDelete(TfLiteOpaqueDelegate *d) {
  if (!d) return;
  free(d->opaque_delegate_builder);
  free(d);
}
void *TfLiteOpaqueDelegateGetData(const TfLiteOpaqueDelegate *d) {
  if (!d) return NULL;
  return d->opaque_delegate_builder ? d->opaque_delegate_builder->data : d->data_;
}
