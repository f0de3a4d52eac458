/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TENSORFLOW_LITE_CORE_C_C_API_OPAQUE_H_
#define TENSORFLOW_LITE_CORE_C_C_API_OPAQUE_H_

/* What the functions of the caller's own operators see. Tensors and nodes are borrowed for the call. */

#include "tensorflow/lite/c/c_api.h"
#include "tensorflow/lite/core/c/operator.h"
#include "tensorflow/lite/core/c/registration_external.h"

#ifdef __cplusplus
extern "C" {
#endif

TFL_CAPI_EXPORT extern int TfLiteOpaqueNodeNumberOfInputs(const TfLiteOpaqueNode *node);
TFL_CAPI_EXPORT extern int TfLiteOpaqueNodeNumberOfOutputs(const TfLiteOpaqueNode *node);
/* NULL: past the end, or an optional input that is absent. */
TFL_CAPI_EXPORT extern const TfLiteOpaqueTensor *TfLiteOpaqueNodeGetInput(const TfLiteOpaqueContext *context,
                                                                          const TfLiteOpaqueNode *node, int index);
TFL_CAPI_EXPORT extern TfLiteOpaqueTensor *TfLiteOpaqueNodeGetOutput(TfLiteOpaqueContext *context,
                                                                     const TfLiteOpaqueNode *node, int index);
TFL_CAPI_EXPORT extern void *TfLiteOpaqueNodeGetUserData(const TfLiteOpaqueNode *node);
TFL_CAPI_EXPORT extern void *TfLiteOpaqueNodeGetBuiltinData(const TfLiteOpaqueNode *node);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueNodeGetCustomInitialData(const TfLiteOpaqueNode *node,
                                                                         const void **init_data, int *size);
/* Numbers of the node's tensors in its context: inputs (-1: absent), outputs, and the temporary ones that it was told. */
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueNodeInputs(const TfLiteOpaqueNode *node, const int **inputs, int *n);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueNodeOutputs(const TfLiteOpaqueNode *node, const int **outputs, int *n);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueNodeTemporaries(const TfLiteOpaqueNode *node, const int **temporaries,
                                                                int *n);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueNodeSetTemporaries(TfLiteOpaqueNode *node, const int *temporaries,
                                                                   int n);
TFL_CAPI_EXPORT extern int TfLiteOpaqueNodeGetInputTensorIndex(const TfLiteOpaqueNode *node, int index_of_input);
TFL_CAPI_EXPORT extern int TfLiteOpaqueNodeGetOutputTensorIndex(const TfLiteOpaqueNode *node, int index_of_output);

/* The graph of a context is its node: these are the node's inputs and outputs, and its tensors by number. */
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueContextGetInputs(const TfLiteOpaqueContext *context,
                                                                 const int **inputs, int *n);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueContextGetOutputs(const TfLiteOpaqueContext *context,
                                                                  const int **outputs, int *n);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueContextGetVariables(const TfLiteOpaqueContext *context,
                                                                    const int **variables, int *n);
TFL_CAPI_EXPORT extern size_t TfLiteOpaqueContextGetNumNodes(const TfLiteOpaqueContext *context);
TFL_CAPI_EXPORT extern size_t TfLiteOpaqueContextGetNumTensors(const TfLiteOpaqueContext *context);
TFL_CAPI_EXPORT extern const char *TfLiteOpaqueContextGetName(const TfLiteOpaqueContext *context);
TFL_CAPI_EXPORT extern TfLiteOpaqueTensor *TfLiteOpaqueContextGetOpaqueTensor(const TfLiteOpaqueContext *context,
                                                                              int index);

/* A tensor of the node's own, in init or prepare: ResizeTensor gives it memory. Of kTfLiteDynamic with data from malloc, which it
 * takes over, or of the arena's types without. */
typedef struct TfLiteOpaqueTensorBuilder TfLiteOpaqueTensorBuilder;
TFL_CAPI_EXPORT extern TfLiteOpaqueTensorBuilder *TfLiteOpaqueTensorBuilderCreate(void);
TFL_CAPI_EXPORT extern void TfLiteOpaqueTensorBuilderDelete(TfLiteOpaqueTensorBuilder *builder);
TFL_CAPI_EXPORT extern TfLiteOpaqueTensorBuilder *TfLiteOpaqueTensorBuilderSetType(TfLiteOpaqueTensorBuilder *builder,
                                                                                   TfLiteType type);
TFL_CAPI_EXPORT extern TfLiteOpaqueTensorBuilder *TfLiteOpaqueTensorBuilderSetData(TfLiteOpaqueTensorBuilder *builder,
                                                                                   void *data);
TFL_CAPI_EXPORT extern TfLiteOpaqueTensorBuilder *TfLiteOpaqueTensorBuilderSetAllocationType(
    TfLiteOpaqueTensorBuilder *builder, TfLiteAllocationType allocation_type);
TFL_CAPI_EXPORT extern TfLiteOpaqueTensorBuilder *TfLiteOpaqueTensorBuilderSetQuantizationParams(
    TfLiteOpaqueTensorBuilder *builder, TfLiteQuantizationParams params);
TFL_CAPI_EXPORT extern TfLiteOpaqueTensorBuilder *TfLiteOpaqueTensorBuilderSetQuantization(
    TfLiteOpaqueTensorBuilder *builder, TfLiteQuantization quantization);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueContextAddTensor(TfLiteOpaqueContext *context,
                                                                 TfLiteOpaqueTensorBuilder *builder,
                                                                 int *new_tensor_index);

/* Other nodes, subgraphs and delegates: kTfLiteError after a report. */
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueContextGetExecutionPlan(TfLiteOpaqueContext *context,
                                                                        TfLiteIntArray **execution_plan);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueContextGetNodeAndRegistration(TfLiteOpaqueContext *context,
                                                                              int node_index, TfLiteOpaqueNode **node,
                                                                              TfLiteRegistrationExternal **r);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueContextReplaceNodeSubsetsWithDelegateKernels(
    TfLiteOpaqueContext *context, TfLiteRegistrationExternal *registration, const TfLiteIntArray *nodes_to_replace,
    TfLiteOpaqueDelegate *delegate);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueContextAcquireSubgraphContext(TfLiteOpaqueContext *context,
                                                                              int subgraph_index,
                                                                              TfLiteOpaqueContext **acquired);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueContextReleaseSubgraphContext(TfLiteOpaqueContext *context,
                                                                              int subgraph_index);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueContextMarkSubgraphAsDelegationSkippable(TfLiteOpaqueContext *context,
                                                                                         int subgraph_index);
/* kTfLiteError: the file's descriptor is not there. */
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueContextGetNodeInitDataMmapInfo(const TfLiteOpaqueContext *context,
                                                                               const TfLiteOpaqueNode *node, int *fd,
                                                                               int64_t *offset, int64_t *size);

/* Takes over new_size, whatever the answer. In prepare; in invoke for dynamic outputs, and where there is
 * no prepare. */
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueContextResizeTensor(TfLiteOpaqueContext *context,
                                                                    TfLiteOpaqueTensor *tensor,
                                                                    TfLiteIntArray *new_size);
TFL_CAPI_EXPORT extern void TfLiteOpaqueContextReportError(TfLiteOpaqueContext *context, const char *format, ...);
TFL_CAPI_EXPORT extern void TfLiteOpaqueContextReportErrorVa(TfLiteOpaqueContext *context, const char *format,
                                                             va_list vlist);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueContextGetSizeOfType(TfLiteOpaqueContext *context, TfLiteType type,
                                                                     size_t *bytes);

TFL_CAPI_EXPORT extern TfLiteType TfLiteOpaqueTensorType(const TfLiteOpaqueTensor *tensor);
TFL_CAPI_EXPORT extern int32_t TfLiteOpaqueTensorNumDims(const TfLiteOpaqueTensor *tensor);
TFL_CAPI_EXPORT extern int32_t TfLiteOpaqueTensorDim(const TfLiteOpaqueTensor *tensor, int32_t dim_index);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueTensorGetNumDimsSignature(const TfLiteOpaqueTensor *tensor,
                                                                          int32_t *num_dims);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueTensorGetDimSignature(const TfLiteOpaqueTensor *tensor,
                                                                      int32_t dim_index, int32_t *dim_length);
TFL_CAPI_EXPORT extern int TfLiteOpaqueTensorIsVariable(const TfLiteOpaqueTensor *tensor);
TFL_CAPI_EXPORT extern size_t TfLiteOpaqueTensorByteSize(const TfLiteOpaqueTensor *tensor);
TFL_CAPI_EXPORT extern void *TfLiteOpaqueTensorData(const TfLiteOpaqueTensor *tensor);
TFL_CAPI_EXPORT extern TfLiteAllocationType TfLiteOpaqueTensorGetAllocationType(const TfLiteOpaqueTensor *tensor);
TFL_CAPI_EXPORT extern const char *TfLiteOpaqueTensorName(const TfLiteOpaqueTensor *tensor);
TFL_CAPI_EXPORT extern TfLiteQuantization TfLiteOpaqueTensorGetQuantization(const TfLiteOpaqueTensor *tensor);
TFL_CAPI_EXPORT extern TfLiteQuantizationParams TfLiteOpaqueTensorGetQuantizationParams(
    const TfLiteOpaqueTensor *tensor);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueTensorCopyFromBuffer(TfLiteOpaqueTensor *tensor,
                                                                     const void *input_data, size_t input_data_size);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueTensorCopyToBuffer(const TfLiteOpaqueTensor *tensor, void *output_data,
                                                                   size_t output_data_size);
TFL_CAPI_EXPORT extern TfLiteAllocationStrategy TfLiteOpaqueTensorGetAllocationStrategy(const TfLiteOpaqueTensor *t);
TFL_CAPI_EXPORT extern TfLiteRunStability TfLiteOpaqueTensorGetBufferAddressStability(const TfLiteOpaqueTensor *t);
TFL_CAPI_EXPORT extern TfLiteRunStability TfLiteOpaqueTensorGetDataStability(const TfLiteOpaqueTensor *t);
TFL_CAPI_EXPORT extern TfLiteRunStep TfLiteOpaqueTensorGetDataKnownStep(const TfLiteOpaqueTensor *t);
TFL_CAPI_EXPORT extern TfLiteRunStep TfLiteOpaqueTensorGetShapeKnownStep(const TfLiteOpaqueTensor *t);
/* In prepare: the output's size is told in invoke. */
TFL_CAPI_EXPORT extern void TfLiteOpaqueTensorSetAllocationTypeToDynamic(TfLiteOpaqueTensor *tensor);

/* Strings: how many (-1: none are there), one of them (borrowed, not terminated), and all of them anew, copied: an operator's output
 * becomes a vector of them, an interpreter's input takes as many as it has elements. */
TFL_CAPI_EXPORT extern int TfLiteOpaqueTensorGetStringCount(const TfLiteOpaqueTensor *tensor);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueTensorGetString(const TfLiteOpaqueTensor *tensor, int index,
                                                                const char **str, int *len);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueTensorWriteStrings(TfLiteOpaqueTensor *tensor,
                                                                   const char *const *str_array, int str_array_len,
                                                                   const int *str_n_len);
TFL_CAPI_EXPORT extern TfLiteStatus TfLiteOpaqueTensorWriteString(TfLiteOpaqueTensor *tensor, const char *str,
                                                                  int len);

#ifdef __cplusplus
}
#endif
#endif
