/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TENSORFLOW_LITE_CORE_C_COMMON_H_
#define TENSORFLOW_LITE_CORE_C_COMMON_H_

/* Structures that programs written for TensorFlow Lite look into, with its layouts. */

#include <stdbool.h>
#include <stddef.h>

#include "tensorflow/lite/c/c_api_types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct TfLiteIntArray {
  int size;
  int data[];
} TfLiteIntArray;
typedef struct TfLiteFloatArray {
  int size;
  float data[];
} TfLiteFloatArray;

typedef struct TfLiteComplex64 {
  float re, im;
} TfLiteComplex64;
typedef struct TfLiteComplex128 {
  double re, im;
} TfLiteComplex128;
typedef struct TfLiteFloat16 {
  uint16_t data;
} TfLiteFloat16;

typedef enum TfLiteQuantizationType { kTfLiteNoQuantization = 0, kTfLiteAffineQuantization = 1 } TfLiteQuantizationType;
typedef struct TfLiteQuantization {
  TfLiteQuantizationType type;
  void *params; /* TfLiteAffineQuantization */
} TfLiteQuantization;
typedef struct TfLiteAffineQuantization {
  TfLiteFloatArray *scale;
  TfLiteIntArray *zero_point;
  int32_t quantized_dimension;
} TfLiteAffineQuantization;

typedef union TfLitePtrUnion {
  int32_t *i32;
  uint32_t *u32;
  int64_t *i64;
  uint64_t *u64;
  float *f;
  TfLiteFloat16 *f16;
  double *f64;
  char *raw;
  const char *raw_const;
  uint8_t *uint8;
  bool *b;
  int16_t *i16;
  uint16_t *ui16;
  TfLiteComplex64 *c64;
  TfLiteComplex128 *c128;
  int8_t *int8;
  void *data;
} TfLitePtrUnion;

typedef enum TfLiteAllocationType {
  kTfLiteMemNone = 0,
  kTfLiteMmapRo,
  kTfLiteArenaRw,
  kTfLiteArenaRwPersistent,
  kTfLiteDynamic,
  kTfLitePersistentRo,
  kTfLiteCustom,
  kTfLiteVariantObject
} TfLiteAllocationType;

/* How a tensor's memory is made, how long its address and contents stay, and in which step they and its shape are known. */
typedef enum TfLiteAllocationStrategy {
  kTfLiteAllocationStrategyUnknown,
  kTfLiteAllocationStrategyNone,
  kTfLiteAllocationStrategyMMap,
  kTfLiteAllocationStrategyArena,
  kTfLiteAllocationStrategyMalloc,
  kTfLiteAllocationStrategyNew
} TfLiteAllocationStrategy;
typedef enum TfLiteRunStability {
  kTfLiteRunStabilityUnknown,
  kTfLiteRunStabilityUnstable,
  kTfLiteRunStabilitySingleRun,
  kTfLiteRunStabilityAcrossRuns
} TfLiteRunStability;
typedef enum TfLiteRunStep {
  kTfLiteRunStepUnknown,
  kTfLiteRunStepInit,
  kTfLiteRunStepPrepare,
  kTfLiteRunStepEval
} TfLiteRunStep;

typedef int TfLiteBufferHandle;
enum { kTfLiteNullBufferHandle = -1 };

typedef struct TfLiteCustomAllocation {
  void *data;
  size_t bytes;
} TfLiteCustomAllocation;

typedef enum TfLiteDimensionType { kTfLiteDimDense = 0, kTfLiteDimSparseCSR } TfLiteDimensionType;
typedef struct TfLiteDimensionMetadata {
  TfLiteDimensionType format;
  int dense_size;
  TfLiteIntArray *array_segments, *array_indices;
} TfLiteDimensionMetadata;
typedef struct TfLiteSparsity {
  TfLiteIntArray *traversal_order, *block_map;
  TfLiteDimensionMetadata *dim_metadata;
  int dim_metadata_size;
} TfLiteSparsity;

/* A tensor as its owner shows it: read the fields, change only what `data` points to. */
typedef struct TfLiteTensor {
  TfLiteType type;
  TfLitePtrUnion data;
  TfLiteIntArray *dims;
  TfLiteQuantizationParams params;
  TfLiteAllocationType allocation_type;
  size_t bytes;
  const void *allocation;
  const char *name;
  struct TfLiteDelegate *delegate;
  TfLiteBufferHandle buffer_handle;
  bool data_is_stale;
  bool is_variable;
  TfLiteQuantization quantization;
  TfLiteSparsity *sparsity;
  const TfLiteIntArray *dims_signature;
} TfLiteTensor;

typedef struct TfLiteRegistrationExternal TfLiteRegistrationExternal;
typedef TfLiteRegistrationExternal TfLiteOperator; /* as newer headers call it */

/* ---- arrays, names, tensors of the caller's own -------------------------------------------------- */

/* Arrays are made with zeros and given back with their Free; NULL: no memory. */
TFL_CAPI_EXPORT extern size_t TfLiteIntArrayGetSizeInBytes(int size);
TFL_CAPI_EXPORT extern TfLiteIntArray *TfLiteIntArrayCreate(int size);
TFL_CAPI_EXPORT extern TfLiteIntArray *TfLiteIntArrayCopy(const TfLiteIntArray *src);
TFL_CAPI_EXPORT extern int TfLiteIntArrayEqual(const TfLiteIntArray *a, const TfLiteIntArray *b);
TFL_CAPI_EXPORT extern int TfLiteIntArrayEqualsArray(const TfLiteIntArray *a, int b_size, const int b_data[]);
TFL_CAPI_EXPORT extern void TfLiteIntArrayFree(TfLiteIntArray *a);
TFL_CAPI_EXPORT extern int TfLiteFloatArrayGetSizeInBytes(int size);
TFL_CAPI_EXPORT extern TfLiteFloatArray *TfLiteFloatArrayCreate(int size);
TFL_CAPI_EXPORT extern TfLiteFloatArray *TfLiteFloatArrayCopy(const TfLiteFloatArray *src);
TFL_CAPI_EXPORT extern void TfLiteFloatArrayFree(TfLiteFloatArray *a);
/* "FLOAT32", "INT8" ...; "Unknown type". */
TFL_CAPI_EXPORT extern const char *TfLiteTypeGetName(TfLiteType type);

/* For tensors that the caller has made, not those of an interpreter. */
TFL_CAPI_EXPORT extern void TfLiteTensorDataFree(TfLiteTensor *t);
TFL_CAPI_EXPORT extern void TfLiteQuantizationFree(TfLiteQuantization *quantization);
TFL_CAPI_EXPORT extern void TfLiteTensorFree(TfLiteTensor *t);
/* What was there is freed first. */
TFL_CAPI_EXPORT extern void TfLiteTensorReset(TfLiteType type, const char *name, TfLiteIntArray *dims,
                                              TfLiteQuantizationParams quantization, char *buffer, size_t size,
                                              TfLiteAllocationType allocation_type, const void *allocation,
                                              bool is_variable, TfLiteTensor *tensor);
/* kTfLiteError when the two have not as many bytes; a NULL is nothing to do. */
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteTensorCopy(const TfLiteTensor *src, TfLiteTensor *dst);
/* Only tensors of kTfLiteDynamic memory change; others are left as they are, kTfLiteOk. */
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteTensorResizeMaybeCopy(size_t num_bytes, TfLiteTensor *tensor,
                                                                bool preserve_data);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteTensorRealloc(size_t num_bytes, TfLiteTensor *tensor);
TFL_CAPI_EXPORT extern void TfLiteSparsityFree(TfLiteSparsity *sparsity);

/* Told by the tensor's allocation type alone. */
TFL_CAPI_EXPORT extern TfLiteAllocationStrategy TfLiteTensorGetAllocationStrategy(const TfLiteTensor *t);
TFL_CAPI_EXPORT extern TfLiteRunStability TfLiteTensorGetBufferAddressStability(const TfLiteTensor *t);
TFL_CAPI_EXPORT extern TfLiteRunStability TfLiteTensorGetDataStability(const TfLiteTensor *t);
TFL_CAPI_EXPORT extern TfLiteRunStep TfLiteTensorGetDataKnownStep(const TfLiteTensor *t);
TFL_CAPI_EXPORT extern TfLiteRunStep TfLiteTensorGetShapeKnownStep(const TfLiteTensor *t);

/* ---- operators of the caller's own, the older form ---------------------------------------------- */

typedef struct TfLiteContext TfLiteContext;
typedef struct TfLiteEvalTensor TfLiteEvalTensor;
typedef struct TfLiteDelegateParams TfLiteDelegateParams;
typedef struct TfLiteExternalContext TfLiteExternalContext;

typedef struct TfLiteNode {
  TfLiteIntArray *inputs, *outputs; /* places in the context's tensors; -1: an optional input that is absent */
  TfLiteIntArray *intermediates, *temporaries;
  void *user_data;    /* what init has answered */
  void *builtin_data; /* NULL */
  const void *custom_initial_data;
  int custom_initial_data_size;
  struct TfLiteDelegate *delegate;
  bool might_have_side_effect;
} TfLiteNode;

typedef struct TfLiteRegistration {
  void *(*init)(TfLiteContext *context, const char *buffer, size_t length);
  void (*free)(TfLiteContext *context, void *buffer);
  TfLiteStatus (*prepare)(TfLiteContext *context, TfLiteNode *node);
  TfLiteStatus (*invoke)(TfLiteContext *context, TfLiteNode *node);
  const char *(*profiling_string)(const TfLiteContext *context, const TfLiteNode *node);
  int32_t builtin_code;
  const char *custom_name;
  int version;
  TfLiteRegistrationExternal *registration_external;
  struct TfLiteAsyncKernel *(*async_kernel)(TfLiteContext *context, TfLiteNode *node);
  uint64_t inplace_operator;
} TfLiteRegistration;

/* What it was in older releases: its beginning. */
typedef struct TfLiteRegistration_V1 {
  void *(*init)(TfLiteContext *context, const char *buffer, size_t length);
  void (*free)(TfLiteContext *context, void *buffer);
  TfLiteStatus (*prepare)(TfLiteContext *context, TfLiteNode *node);
  TfLiteStatus (*invoke)(TfLiteContext *context, TfLiteNode *node);
  const char *(*profiling_string)(const TfLiteContext *context, const TfLiteNode *node);
  int32_t builtin_code;
  const char *custom_name;
  int version;
} TfLiteRegistration_V1;
typedef struct TfLiteRegistration_V2 {
  void *(*init)(TfLiteContext *context, const char *buffer, size_t length);
  void (*free)(TfLiteContext *context, void *buffer);
  TfLiteStatus (*prepare)(TfLiteContext *context, TfLiteNode *node);
  TfLiteStatus (*invoke)(TfLiteContext *context, TfLiteNode *node);
  const char *(*profiling_string)(const TfLiteContext *context, const TfLiteNode *node);
  int32_t builtin_code;
  const char *custom_name;
  int version;
  TfLiteRegistrationExternal *registration_external;
} TfLiteRegistration_V2;
typedef struct TfLiteRegistration_V3 {
  void *(*init)(TfLiteContext *context, const char *buffer, size_t length);
  void (*free)(TfLiteContext *context, void *buffer);
  TfLiteStatus (*prepare)(TfLiteContext *context, TfLiteNode *node);
  TfLiteStatus (*invoke)(TfLiteContext *context, TfLiteNode *node);
  const char *(*profiling_string)(const TfLiteContext *context, const TfLiteNode *node);
  int32_t builtin_code;
  const char *custom_name;
  int version;
  TfLiteRegistrationExternal *registration_external;
  struct TfLiteAsyncKernel *(*async_kernel)(TfLiteContext *context, TfLiteNode *node);
} TfLiteRegistration_V3;

/* ---- delegates ----------------------------------------------------------------------------------- */

/* A delegate of the caller's own can be made; an interpreter made with one is refused, for whet hands no operators over. */
struct TfLiteDelegate {
  void *data_;
  TfLiteStatus (*Prepare)(TfLiteContext *context, TfLiteDelegate *delegate);
  TfLiteStatus (*CopyFromBufferHandle)(TfLiteContext *context, TfLiteDelegate *delegate, TfLiteBufferHandle handle,
                                       TfLiteTensor *tensor);
  TfLiteStatus (*CopyToBufferHandle)(TfLiteContext *context, TfLiteDelegate *delegate, TfLiteBufferHandle handle,
                                     TfLiteTensor *tensor);
  void (*FreeBufferHandle)(TfLiteContext *context, TfLiteDelegate *delegate, TfLiteBufferHandle *handle);
  int64_t flags;
  struct TfLiteOpaqueDelegateBuilder *opaque_delegate_builder;
};
typedef struct TfLiteOpaqueDelegateBuilder {
  void *data;
  TfLiteStatus (*Prepare)(TfLiteOpaqueContext *context, TfLiteOpaqueDelegate *delegate, void *data);
  TfLiteStatus (*CopyFromBufferHandle)(TfLiteOpaqueContext *context, TfLiteOpaqueDelegate *delegate, void *data,
                                       TfLiteBufferHandle handle, TfLiteOpaqueTensor *tensor);
  TfLiteStatus (*CopyToBufferHandle)(TfLiteOpaqueContext *context, TfLiteOpaqueDelegate *delegate, void *data,
                                     TfLiteBufferHandle handle, TfLiteOpaqueTensor *tensor);
  void (*FreeBufferHandle)(TfLiteOpaqueContext *context, TfLiteOpaqueDelegate *delegate, void *data,
                           TfLiteBufferHandle *handle);
  int64_t flags;
} TfLiteOpaqueDelegateBuilder;

TFL_CAPI_EXPORT extern TfLiteDelegate TfLiteDelegateCreate(void);
TFL_CAPI_EXPORT extern TfLiteOpaqueDelegate *TfLiteOpaqueDelegateCreate(const TfLiteOpaqueDelegateBuilder *builder);
TFL_CAPI_EXPORT extern void TfLiteOpaqueDelegateDelete(TfLiteOpaqueDelegate *delegate);
TFL_CAPI_EXPORT extern void *TfLiteOpaqueDelegateGetData(const TfLiteOpaqueDelegate *delegate);

/* What a registration's functions are given: the tensors of the one node that runs. Functions that are for delegates and for
 * tensors beyond the node's own answer kTfLiteError or NULL after a report. */
struct TfLiteContext {
  size_t tensors_size;
  TfLiteStatus (*GetExecutionPlan)(TfLiteContext *context, TfLiteIntArray **execution_plan);
  TfLiteTensor *tensors;
  void *impl_;
  TfLiteStatus (*ResizeTensor)(TfLiteContext *context, TfLiteTensor *tensor, TfLiteIntArray *new_size);
  void (*ReportError)(TfLiteContext *context, const char *msg, ...);
  TfLiteStatus (*AddTensors)(TfLiteContext *context, int tensors_to_add, int *first_new_tensor_index);
  TfLiteStatus (*GetNodeAndRegistration)(TfLiteContext *context, int node_index, TfLiteNode **node,
                                         TfLiteRegistration **registration);
  TfLiteStatus (*ReplaceNodeSubsetsWithDelegateKernels)(TfLiteContext *context, TfLiteRegistration registration,
                                                        const TfLiteIntArray *nodes_to_replace,
                                                        struct TfLiteDelegate *delegate);
  int recommended_num_threads;
  TfLiteExternalContext *(*GetExternalContext)(TfLiteContext *context, int type);
  void (*SetExternalContext)(TfLiteContext *context, int type, TfLiteExternalContext *external);
  bool allow_fp32_relax_to_fp16;
  void *profiler;
  void *(*AllocatePersistentBuffer)(TfLiteContext *context, size_t bytes);
  TfLiteStatus (*AllocateBufferForEval)(TfLiteContext *context, size_t bytes, void **ptr);
  TfLiteStatus (*RequestScratchBufferInArena)(TfLiteContext *context, size_t bytes, int *buffer_idx);
  void *(*GetScratchBuffer)(TfLiteContext *context, int buffer_idx);
  TfLiteStatus (*ResizeTensorExplicit)(TfLiteContext *context, TfLiteTensor *tensor, int dims, const int *shape);
  TfLiteStatus (*PreviewDelegatePartitioning)(TfLiteContext *context, const TfLiteIntArray *nodes_to_replace,
                                              TfLiteDelegateParams **partition_params_array, int *num_partitions);
  TfLiteTensor *(*GetTensor)(const TfLiteContext *context, int tensor_idx);
  TfLiteEvalTensor *(*GetEvalTensor)(const TfLiteContext *context, int tensor_idx);
  TfLiteStatus (*GetModelMetadata)(const TfLiteContext *context, const char *name, const char **ptr, size_t *bytes);
  TfLiteStatus (*AcquireSubgraphContext)(TfLiteContext *context, int subgraph_index, TfLiteContext **acquired_context);
  TfLiteStatus (*ReleaseSubgraphContext)(TfLiteContext *context, int subgraph_index);
};

#ifdef __cplusplus
}
#endif
#endif
