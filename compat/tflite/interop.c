/* SPDX-License-Identifier: Apache-2.0 */
/* Holders of a platform's buffers and fences: whet makes and looks at none. */

#include "tensorflow/lite/core/async/interop/c/types.h"

#include <stdlib.h>

struct TfLiteBackendBuffer {
  void *ptr;
};
struct TfLiteSynchronization {
  void *ptr;
};

TfLiteBackendBuffer *TfLiteBackendBufferCreate(void) { return calloc(1, sizeof(TfLiteBackendBuffer)); }
void TfLiteBackendBufferDelete(TfLiteBackendBuffer *b) { free(b); }
void TfLiteBackendBufferSetPtr(TfLiteBackendBuffer *b, void *ptr) {
  if (b) b->ptr = ptr;
}
void *TfLiteBackendBufferGetPtr(const TfLiteBackendBuffer *b) { return b ? b->ptr : NULL; }

TfLiteSynchronization *TfLiteSynchronizationCreate(void) { return calloc(1, sizeof(TfLiteSynchronization)); }
void TfLiteSynchronizationDelete(TfLiteSynchronization *s) { free(s); }
void TfLiteSynchronizationSetPtr(TfLiteSynchronization *s, void *ptr) {
  if (s) s->ptr = ptr;
}
void *TfLiteSynchronizationGetPtr(const TfLiteSynchronization *s) { return s ? s->ptr : NULL; }
