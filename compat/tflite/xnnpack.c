/* SPDX-License-Identifier: Apache-2.0 */
/* The XNNPACK delegate's entry points: nothing to delegate, since whet's kernels run every operator. */

#include "tensorflow/lite/delegates/xnnpack/xnnpack_delegate.h"

#include "shim.h"

/* What callers hold. The mark tells our delegates from others. */
struct delegate {
  const void *mark;
  TfLiteXNNPackDelegateOptions options;
};
static const char k_mark = 0;

TfLiteXNNPackDelegateOptions TfLiteXNNPackDelegateOptionsDefault(void) {
  return (TfLiteXNNPackDelegateOptions){.num_threads = 0, .weight_cache_file_descriptor = -1};
}

TfLiteDelegate *TfLiteXNNPackDelegateCreate(const TfLiteXNNPackDelegateOptions *options) {
  struct delegate *d = calloc(1, sizeof *d + 256); /* programs may read fields of the original's bigger struct */
  if (!d) return NULL;
  d->mark = &k_mark;
  d->options = TfLiteXNNPackDelegateOptionsDefault();
  if (options) d->options.num_threads = options->num_threads, d->options.flags = options->flags;
  return (TfLiteDelegate *)(void *)d;
}
TfLiteDelegate *TfLiteXNNPackDelegateCreateWithThreadpool(const TfLiteXNNPackDelegateOptions *options,
                                                          void *context) {
  (void)context;
  return TfLiteXNNPackDelegateCreate(options);
}
void *TfLiteXNNPackDelegateGetThreadPool(TfLiteDelegate *d) {
  (void)d;
  return NULL;
}
const TfLiteXNNPackDelegateOptions *TfLiteXNNPackDelegateGetOptions(TfLiteDelegate *d) {
  return delegate_is_ours(d) ? &((struct delegate *)(void *)d)->options : NULL;
}
int TfLiteXNNPackDelegateGetFlags(TfLiteDelegate *d) {
  return delegate_is_ours(d) ? (int)((struct delegate *)(void *)d)->options.flags : 0;
}
void TfLiteXNNPackDelegateDelete(TfLiteDelegate *d) {
  if (delegate_is_ours(d)) free(d);
}

bool delegate_is_ours(const void *d) {
  const void *mark = NULL;
  if (d) memcpy(&mark, d, sizeof mark);
  return mark == &k_mark;
}
