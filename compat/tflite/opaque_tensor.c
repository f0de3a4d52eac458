/* SPDX-License-Identifier: Apache-2.0 */
/* Tensors behind a handle: what there is to ask of them, and their strings. */

#include "node.h"

/* Opaque tensors are ports. */
static port *as_port(const TfLiteOpaqueTensor *t) { return (port *)(uintptr_t)t; }
static const TfLiteTensor *plain(const TfLiteOpaqueTensor *t) { return (const TfLiteTensor *)(uintptr_t)t; }

TfLiteType TfLiteOpaqueTensorType(const TfLiteOpaqueTensor *t) { return TfLiteTensorType(plain(t)); }
int32_t TfLiteOpaqueTensorNumDims(const TfLiteOpaqueTensor *t) { return TfLiteTensorNumDims(plain(t)); }
int32_t TfLiteOpaqueTensorDim(const TfLiteOpaqueTensor *t, int32_t i) { return TfLiteTensorDim(plain(t), i); }
TfLiteStatus TfLiteOpaqueTensorGetNumDimsSignature(const TfLiteOpaqueTensor *t, int32_t *n) {
  if (!t || !n) return kTfLiteError;
  *n = plain(t)->dims_signature ? plain(t)->dims_signature->size : -1;
  return kTfLiteOk;
}
TfLiteStatus TfLiteOpaqueTensorGetDimSignature(const TfLiteOpaqueTensor *t, int32_t i, int32_t *d) {
  const TfLiteIntArray *s = t ? plain(t)->dims_signature : NULL;
  if (!s || !d || i < 0 || i >= s->size) return kTfLiteError;
  *d = s->data[i];
  return kTfLiteOk;
}
int TfLiteOpaqueTensorIsVariable(const TfLiteOpaqueTensor *t) { return t && plain(t)->is_variable; }
size_t TfLiteOpaqueTensorByteSize(const TfLiteOpaqueTensor *t) { return TfLiteTensorByteSize(plain(t)); }
void *TfLiteOpaqueTensorData(const TfLiteOpaqueTensor *t) { return TfLiteTensorData(plain(t)); }
TfLiteAllocationType TfLiteOpaqueTensorGetAllocationType(const TfLiteOpaqueTensor *t) {
  return t ? plain(t)->allocation_type : kTfLiteMemNone;
}
const char *TfLiteOpaqueTensorName(const TfLiteOpaqueTensor *t) { return TfLiteTensorName(plain(t)); }
TfLiteQuantization TfLiteOpaqueTensorGetQuantization(const TfLiteOpaqueTensor *t) {
  return t ? plain(t)->quantization : (TfLiteQuantization){kTfLiteNoQuantization, NULL};
}
TfLiteQuantizationParams TfLiteOpaqueTensorGetQuantizationParams(const TfLiteOpaqueTensor *t) {
  return TfLiteTensorQuantizationParams(plain(t));
}
TfLiteStatus TfLiteOpaqueTensorCopyFromBuffer(TfLiteOpaqueTensor *t, const void *p, size_t n) {
  return TfLiteTensorCopyFromBuffer((TfLiteTensor *)(uintptr_t)t, p, n);
}
TfLiteStatus TfLiteOpaqueTensorCopyToBuffer(const TfLiteOpaqueTensor *t, void *p, size_t n) {
  return TfLiteTensorCopyToBuffer(plain(t), p, n);
}
void TfLiteOpaqueTensorSetAllocationTypeToDynamic(TfLiteOpaqueTensor *t) {
  if (t) as_port(t)->t.allocation_type = kTfLiteDynamic;
}

TfLiteAllocationStrategy TfLiteOpaqueTensorGetAllocationStrategy(const TfLiteOpaqueTensor *t) {
  return TfLiteTensorGetAllocationStrategy(plain(t));
}
TfLiteRunStability TfLiteOpaqueTensorGetBufferAddressStability(const TfLiteOpaqueTensor *t) {
  return TfLiteTensorGetBufferAddressStability(plain(t));
}
TfLiteRunStability TfLiteOpaqueTensorGetDataStability(const TfLiteOpaqueTensor *t) {
  return TfLiteTensorGetDataStability(plain(t));
}
TfLiteRunStep TfLiteOpaqueTensorGetDataKnownStep(const TfLiteOpaqueTensor *t) {
  return TfLiteTensorGetDataKnownStep(plain(t));
}
TfLiteRunStep TfLiteOpaqueTensorGetShapeKnownStep(const TfLiteOpaqueTensor *t) {
  return TfLiteTensorGetShapeKnownStep(plain(t));
}

/* ---- strings ------------------------------------------------------------------------------------ */

int TfLiteOpaqueTensorGetStringCount(const TfLiteOpaqueTensor *t) {
  return t && plain(t)->type == kTfLiteString ? strings_count(plain(t)->data.raw_const, plain(t)->bytes) : -1;
}
TfLiteStatus TfLiteOpaqueTensorGetString(const TfLiteOpaqueTensor *t, int i, const char **text, int *n) {
  if (!text || !n || i < 0 || i >= TfLiteOpaqueTensorGetStringCount(t)) return kTfLiteError;
  whet_str s = strings_at(plain(t)->data.raw_const, i);
  *text = s.p;
  *n = (int)s.n;
  return kTfLiteOk;
}

/* Packed strings become the tensor's bytes, and it a vector of them. An input of an interpreter takes them as a
 * value. */
static TfLiteStatus take(port *p, void *packed, size_t bytes, int count) {
  if (p->r) {
    TfLiteStatus s = TfLiteTensorCopyFromBuffer(&p->t, packed, bytes);
    free(packed);
    return s;
  }
  TfLiteIntArray *dims = TfLiteIntArrayCreate(1);
  if (!dims) {
    free(packed);
    return kTfLiteError;
  }
  dims->data[0] = count;
  free(p->t.dims);
  p->t.dims = dims;
  free(p->text);
  p->text = p->t.data.raw = packed;
  p->t.bytes = bytes;
  return kTfLiteOk;
}

TfLiteStatus TfLiteOpaqueTensorWriteStrings(TfLiteOpaqueTensor *t, const char *const *list, int n,
                                            const int *length) {
  if (!t || plain(t)->type != kTfLiteString || n < 0 || (n && (!list || !length))) return kTfLiteError;
  whet_str *s = calloc((size_t)n + 1, sizeof *s);
  size_t bytes = 0;
  bool ok = s != NULL;
  for (int i = 0; ok && i < n; i++) {
    ok = length[i] >= 0 && (list[i] || !length[i]);
    if (ok) s[i] = (whet_str){list[i], (size_t)length[i]};
  }
  void *packed = ok ? strings_pack(s, (size_t)n, &bytes) : NULL;
  free(s);
  return packed ? take(as_port(t), packed, bytes, n) : kTfLiteError;
}
TfLiteStatus TfLiteOpaqueTensorWriteString(TfLiteOpaqueTensor *t, const char *text, int n) {
  return TfLiteOpaqueTensorWriteStrings(t, &text, 1, &n);
}
