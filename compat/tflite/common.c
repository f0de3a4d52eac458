/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays, names of types, and tensors that callers have made themselves. */

#include "shim.h"

size_t TfLiteIntArrayGetSizeInBytes(int n) { return sizeof(TfLiteIntArray) + (size_t)(n < 0 ? 0 : n) * sizeof(int); }
TfLiteIntArray *TfLiteIntArrayCreate(int n) {
  TfLiteIntArray *a = n < 0 ? NULL : calloc(1, TfLiteIntArrayGetSizeInBytes(n));
  if (a) a->size = n;
  return a;
}
TfLiteIntArray *TfLiteIntArrayCopy(const TfLiteIntArray *from) {
  TfLiteIntArray *a = from ? TfLiteIntArrayCreate(from->size) : NULL;
  if (a && a->size) memcpy(a->data, from->data, (size_t)a->size * sizeof(int));
  return a;
}
int TfLiteIntArrayEqualsArray(const TfLiteIntArray *a, int n, const int b[]) {
  return a && a->size == n && (!n || !memcmp(a->data, b, (size_t)n * sizeof(int)));
}
int TfLiteIntArrayEqual(const TfLiteIntArray *a, const TfLiteIntArray *b) {
  return a == b || (a && b && TfLiteIntArrayEqualsArray(a, b->size, b->data));
}
void TfLiteIntArrayFree(TfLiteIntArray *a) { free(a); }

int TfLiteFloatArrayGetSizeInBytes(int n) {
  return (int)(sizeof(TfLiteFloatArray) + (size_t)(n < 0 ? 0 : n) * sizeof(float));
}
TfLiteFloatArray *TfLiteFloatArrayCreate(int n) {
  TfLiteFloatArray *a = n < 0 ? NULL : calloc(1, sizeof *a + (size_t)n * sizeof(float));
  if (a) a->size = n;
  return a;
}
TfLiteFloatArray *TfLiteFloatArrayCopy(const TfLiteFloatArray *from) {
  TfLiteFloatArray *a = from ? TfLiteFloatArrayCreate(from->size) : NULL;
  if (a && a->size) memcpy(a->data, from->data, (size_t)a->size * sizeof(float));
  return a;
}
void TfLiteFloatArrayFree(TfLiteFloatArray *a) { free(a); }

const char *TfLiteTypeGetName(TfLiteType t) {
  static const char *const k_name[] = {"NOTYPE",  "FLOAT32", "INT32",      "UINT8",     "INT64",
                                       "STRING",  "BOOL",    "INT16",      "COMPLEX64", "INT8",
                                       "FLOAT16", "FLOAT64", "COMPLEX128", "UINT64",    "RESOURCE",
                                       "VARIANT", "UINT32",  "UINT16",     "INT4",      "BFLOAT16"};
  return (size_t)t < sizeof k_name / sizeof *k_name ? k_name[t] : "Unknown type";
}

/* ---- tensors ----------------------------------------------------------------------------------- */

void TfLiteTensorDataFree(TfLiteTensor *t) {
  if (!t) return;
  if (t->allocation_type == kTfLiteDynamic || t->allocation_type == kTfLitePersistentRo) free(t->data.raw);
  t->data.raw = NULL;
}

void TfLiteQuantizationFree(TfLiteQuantization *q) {
  if (!q) return;
  if (q->type == kTfLiteAffineQuantization && q->params) {
    TfLiteAffineQuantization *a = q->params;
    free(a->scale);
    free(a->zero_point);
    free(a);
  }
  q->params = NULL;
  q->type = kTfLiteNoQuantization;
}

void TfLiteTensorFree(TfLiteTensor *t) {
  if (!t) return;
  TfLiteTensorDataFree(t);
  free(t->dims);
  t->dims = NULL;
  free((void *)(uintptr_t)t->dims_signature);
  t->dims_signature = NULL;
  TfLiteQuantizationFree(&t->quantization);
}

void TfLiteTensorReset(TfLiteType type, const char *name, TfLiteIntArray *dims, TfLiteQuantizationParams params,
                       char *buffer, size_t n, TfLiteAllocationType allocation_type, const void *allocation,
                       bool is_variable, TfLiteTensor *t) {
  if (!t) return;
  TfLiteTensorFree(t);
  *t = (TfLiteTensor){.type = type,
                      .data.raw = buffer,
                      .dims = dims,
                      .params = params,
                      .allocation_type = allocation_type,
                      .bytes = n,
                      .allocation = allocation,
                      .name = name,
                      .buffer_handle = kTfLiteNullBufferHandle,
                      .is_variable = is_variable};
}

TfLiteStatus TfLiteTensorCopy(const TfLiteTensor *from, TfLiteTensor *to) {
  if (!from || !to || from == to) return kTfLiteOk;
  if (from->bytes != to->bytes) return kTfLiteError;
  TfLiteIntArray *dims = TfLiteIntArrayCopy(from->dims);
  if (from->dims && !dims) return kTfLiteError;
  free(to->dims);
  to->dims = dims;
  to->type = from->type;
  to->params = from->params;
  if (from->bytes) memcpy(to->data.raw, from->data.raw, from->bytes);
  to->buffer_handle = from->buffer_handle;
  to->data_is_stale = from->data_is_stale;
  to->delegate = from->delegate;
  return kTfLiteOk;
}

TfLiteStatus TfLiteTensorResizeMaybeCopy(size_t n, TfLiteTensor *t, bool preserve) {
  if (!t) return kTfLiteError;
  if (t->allocation_type != kTfLiteDynamic && t->allocation_type != kTfLitePersistentRo) return kTfLiteOk;
  if (n > t->bytes || !t->data.raw || !n) {
    char *p = malloc(n ? n : 1);
    if (!p) return kTfLiteError;
    size_t keep = preserve && t->data.raw ? (n < t->bytes ? n : t->bytes) : 0;
    if (keep) memcpy(p, t->data.raw, keep);
    free(t->data.raw);
    t->data.raw = p;
  }
  t->bytes = n;
  return kTfLiteOk;
}
TfLiteStatus TfLiteTensorRealloc(size_t n, TfLiteTensor *t) { return TfLiteTensorResizeMaybeCopy(n, t, true); }

void TfLiteSparsityFree(TfLiteSparsity *s) {
  if (!s) return;
  TfLiteIntArrayFree(s->traversal_order);
  TfLiteIntArrayFree(s->block_map);
  for (int i = 0; s->dim_metadata && i < s->dim_metadata_size; i++) {
    if (s->dim_metadata[i].format != kTfLiteDimSparseCSR) continue;
    TfLiteIntArrayFree(s->dim_metadata[i].array_segments);
    TfLiteIntArrayFree(s->dim_metadata[i].array_indices);
  }
  free(s->dim_metadata);
  free(s);
}

/* ---- what an allocation type says ------------------------------------------------------------------ */

static const struct {
  TfLiteAllocationStrategy strategy;
  TfLiteRunStability address, data;
  TfLiteRunStep data_known, shape_known;
} k_allocation[] = {
    [kTfLiteMemNone] = {kTfLiteAllocationStrategyNone, kTfLiteRunStabilityAcrossRuns, kTfLiteRunStabilityAcrossRuns,
                        kTfLiteRunStepInit, kTfLiteRunStepInit},
    [kTfLiteMmapRo] = {kTfLiteAllocationStrategyMMap, kTfLiteRunStabilityAcrossRuns, kTfLiteRunStabilityAcrossRuns,
                       kTfLiteRunStepInit, kTfLiteRunStepInit},
    [kTfLiteArenaRw] = {kTfLiteAllocationStrategyArena, kTfLiteRunStabilityUnstable, kTfLiteRunStabilitySingleRun,
                        kTfLiteRunStepEval, kTfLiteRunStepPrepare},
    [kTfLiteArenaRwPersistent] = {kTfLiteAllocationStrategyArena, kTfLiteRunStabilityUnstable,
                                  kTfLiteRunStabilityAcrossRuns, kTfLiteRunStepEval, kTfLiteRunStepPrepare},
    [kTfLiteDynamic] = {kTfLiteAllocationStrategyMalloc, kTfLiteRunStabilitySingleRun, kTfLiteRunStabilitySingleRun,
                        kTfLiteRunStepEval, kTfLiteRunStepEval},
    [kTfLitePersistentRo] = {kTfLiteAllocationStrategyUnknown, kTfLiteRunStabilitySingleRun,
                             kTfLiteRunStabilitySingleRun, kTfLiteRunStepPrepare, kTfLiteRunStepPrepare},
    [kTfLiteVariantObject] = {kTfLiteAllocationStrategyNew, kTfLiteRunStabilityAcrossRuns,
                              kTfLiteRunStabilitySingleRun, kTfLiteRunStepEval, kTfLiteRunStepEval},
};

/* Row of the table; a tensor of the caller's own memory, and what is no type, have one of zeros: unknown. */
static size_t row(const TfLiteTensor *t) {
  return t && (unsigned)t->allocation_type < sizeof k_allocation / sizeof *k_allocation ? (size_t)t->allocation_type
                                                                                        : kTfLiteCustom;
}
TfLiteAllocationStrategy TfLiteTensorGetAllocationStrategy(const TfLiteTensor *t) {
  return k_allocation[row(t)].strategy;
}
TfLiteRunStability TfLiteTensorGetBufferAddressStability(const TfLiteTensor *t) {
  return k_allocation[row(t)].address;
}
TfLiteRunStability TfLiteTensorGetDataStability(const TfLiteTensor *t) { return k_allocation[row(t)].data; }
TfLiteRunStep TfLiteTensorGetDataKnownStep(const TfLiteTensor *t) { return k_allocation[row(t)].data_known; }
TfLiteRunStep TfLiteTensorGetShapeKnownStep(const TfLiteTensor *t) { return k_allocation[row(t)].shape_known; }
