/* SPDX-License-Identifier: Apache-2.0 */
/* The XNNPACK delegate's entry points: nothing to delegate, since whet's kernels run every operator. */

#include "delegate.h"

/* The options as far as releases agree on where they end: they have grown from 24 bytes to 56, and a program's may be
 * of any. What follows is left as the program has it. Its own header (xnnpack_delegate.h) has the newest form, and is
 * not included for that. */
typedef struct options {
  int32_t num_threads;
  uint32_t flags[2];
  void *weights_cache;
} options;

TFL_CAPI_EXPORT options TfLiteXNNPackDelegateOptionsDefault(void);
TFL_CAPI_EXPORT TfLiteDelegate *TfLiteXNNPackDelegateCreate(const options *o);
TFL_CAPI_EXPORT TfLiteDelegate *TfLiteXNNPackDelegateCreateWithThreadpool(const options *o, void *context);
TFL_CAPI_EXPORT void *TfLiteXNNPackDelegateGetThreadPool(TfLiteDelegate *d);
TFL_CAPI_EXPORT const options *TfLiteXNNPackDelegateGetOptions(TfLiteDelegate *d);
TFL_CAPI_EXPORT int TfLiteXNNPackDelegateGetFlags(TfLiteDelegate *d);
TFL_CAPI_EXPORT void TfLiteXNNPackDelegateDelete(TfLiteDelegate *d);

options TfLiteXNNPackDelegateOptionsDefault(void) { return (options){0}; }

TfLiteDelegate *TfLiteXNNPackDelegateCreate(const options *o) {
  TfLiteDelegate *d = delegate_make();
  if (d && o) memcpy(((own_delegate *)(void *)d)->rest, o, sizeof *o);
  return d;
}
TfLiteDelegate *TfLiteXNNPackDelegateCreateWithThreadpool(const options *o, void *context) {
  (void)context;
  return TfLiteXNNPackDelegateCreate(o);
}
void *TfLiteXNNPackDelegateGetThreadPool(TfLiteDelegate *d) {
  (void)d;
  return NULL;
}
const options *TfLiteXNNPackDelegateGetOptions(TfLiteDelegate *d) {
  return delegate_is_ours(d) ? (const options *)(void *)((own_delegate *)(void *)d)->rest : NULL;
}
int TfLiteXNNPackDelegateGetFlags(TfLiteDelegate *d) {
  (void)d;
  return 0;
}
void TfLiteXNNPackDelegateDelete(TfLiteDelegate *d) {
  if (delegate_is_ours(d)) free(d);
}

/* ---- weights caches: handles ---------------------------------------------------------------------- */

typedef struct TfLiteXNNPackDelegateWeightsCache {
  size_t size; /* as asked for */
} cache;
TFL_CAPI_EXPORT cache *TfLiteXNNPackDelegateWeightsCacheCreate(void);
TFL_CAPI_EXPORT cache *TfLiteXNNPackDelegateWeightsCacheCreateWithSize(size_t size);
TFL_CAPI_EXPORT bool TfLiteXNNPackDelegateWeightsCacheFinalizeSoft(cache *c);
TFL_CAPI_EXPORT bool TfLiteXNNPackDelegateWeightsCacheFinalizeHard(cache *c);
TFL_CAPI_EXPORT void TfLiteXNNPackDelegateWeightsCacheDelete(cache *c);

cache *TfLiteXNNPackDelegateWeightsCacheCreateWithSize(size_t size) {
  cache *c = calloc(1, sizeof *c);
  if (c) c->size = size;
  return c;
}
cache *TfLiteXNNPackDelegateWeightsCacheCreate(void) { return TfLiteXNNPackDelegateWeightsCacheCreateWithSize(0); }
bool TfLiteXNNPackDelegateWeightsCacheFinalizeSoft(cache *c) { return c != NULL; }
bool TfLiteXNNPackDelegateWeightsCacheFinalizeHard(cache *c) { return c != NULL; }
void TfLiteXNNPackDelegateWeightsCacheDelete(cache *c) { free(c); }
