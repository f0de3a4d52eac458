/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ONNXRUNTIME_C_API_H
#define ONNXRUNTIME_C_API_H

/* ONNX Runtime's C interface, version 31, as whet's libonnxruntime.so.1 has it. A program that includes this builds for
 * whet and for the original alike; what the functions do is told in the original's reference, and where whet differs
 * in docs/moving-from-onnxruntime.md. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ORT_API_VERSION 31

#define ORT_API_CALL
#define ORTCHAR_T char
#define ORT_TSTR(x) x
#define ORT_FILE __FILE__
#define ORT_EXPORT __attribute__((visibility("default")))
#ifdef __cplusplus
#define NO_EXCEPTION noexcept
#else
#define NO_EXCEPTION
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Opaque, or told below. */
typedef struct OrtEnv OrtEnv;
typedef struct OrtStatus OrtStatus;
typedef struct OrtMemoryInfo OrtMemoryInfo;
typedef struct OrtIoBinding OrtIoBinding;
typedef struct OrtSession OrtSession;
typedef struct OrtValue OrtValue;
typedef struct OrtRunOptions OrtRunOptions;
typedef struct OrtTypeInfo OrtTypeInfo;
typedef struct OrtTensorTypeAndShapeInfo OrtTensorTypeAndShapeInfo;
typedef struct OrtMapTypeInfo OrtMapTypeInfo;
typedef struct OrtSequenceTypeInfo OrtSequenceTypeInfo;
typedef struct OrtOptionalTypeInfo OrtOptionalTypeInfo;
typedef struct OrtSessionOptions OrtSessionOptions;
typedef struct OrtCustomOpDomain OrtCustomOpDomain;
typedef struct OrtModelMetadata OrtModelMetadata;
typedef struct OrtThreadPoolParams OrtThreadPoolParams;
typedef struct OrtThreadingOptions OrtThreadingOptions;
typedef struct OrtArenaCfg OrtArenaCfg;
typedef struct OrtPrepackedWeightsContainer OrtPrepackedWeightsContainer;
typedef struct OrtTensorRTProviderOptionsV2 OrtTensorRTProviderOptionsV2;
typedef struct OrtNvTensorRtRtxProviderOptions OrtNvTensorRtRtxProviderOptions;
typedef struct OrtCUDAProviderOptionsV2 OrtCUDAProviderOptionsV2;
typedef struct OrtCANNProviderOptions OrtCANNProviderOptions;
typedef struct OrtDnnlProviderOptions OrtDnnlProviderOptions;
typedef struct OrtOp OrtOp;
typedef struct OrtOpAttr OrtOpAttr;
typedef struct OrtLogger OrtLogger;
typedef struct OrtShapeInferContext OrtShapeInferContext;
typedef struct OrtLoraAdapter OrtLoraAdapter;
typedef struct OrtValueInfo OrtValueInfo;
typedef struct OrtNode OrtNode;
typedef struct OrtGraph OrtGraph;
typedef struct OrtModel OrtModel;
typedef struct OrtModelCompilationOptions OrtModelCompilationOptions;
typedef struct OrtHardwareDevice OrtHardwareDevice;
typedef struct OrtEpDevice OrtEpDevice;
typedef struct OrtKeyValuePairs OrtKeyValuePairs;
typedef struct OrtSyncStream OrtSyncStream;
typedef struct OrtExternalInitializerInfo OrtExternalInitializerInfo;
typedef struct OrtExternalResourceImporter OrtExternalResourceImporter;
typedef struct OrtExternalMemoryHandle OrtExternalMemoryHandle;
typedef struct OrtExternalSemaphoreHandle OrtExternalSemaphoreHandle;
typedef struct OrtDeviceEpIncompatibilityDetails OrtDeviceEpIncompatibilityDetails;
typedef struct OrtEpAssignedSubgraph OrtEpAssignedSubgraph;
typedef struct OrtEpAssignedNode OrtEpAssignedNode;
typedef struct OrtKernelInfo OrtKernelInfo;
typedef struct OrtKernelContext OrtKernelContext;
typedef struct OrtCustomOp OrtCustomOp;
typedef struct OrtApi OrtApi;
typedef struct OrtTrainingApi OrtTrainingApi;
typedef struct OrtModelEditorApi OrtModelEditorApi;
typedef struct OrtCompileApi OrtCompileApi;
typedef struct OrtInteropApi OrtInteropApi;
typedef struct OrtEpApi OrtEpApi;
typedef struct OrtApiBase OrtApiBase;
typedef struct OrtModelPackageApi OrtModelPackageApi;
typedef struct OrtThreadPoolCallbacksConfig OrtThreadPoolCallbacksConfig;

typedef enum ONNXTensorElementDataType {
  ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX64,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX128,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E4M3FN,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E4M3FNUZ,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E5M2,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E5M2FNUZ,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT4,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_INT4,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT4E2M1,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT2,
  ONNX_TENSOR_ELEMENT_DATA_TYPE_INT2,
} ONNXTensorElementDataType;

typedef enum ONNXType {
  ONNX_TYPE_UNKNOWN,
  ONNX_TYPE_TENSOR,
  ONNX_TYPE_SEQUENCE,
  ONNX_TYPE_MAP,
  ONNX_TYPE_OPAQUE,
  ONNX_TYPE_SPARSETENSOR,
  ONNX_TYPE_OPTIONAL
} ONNXType;

typedef enum OrtSparseFormat {
  ORT_SPARSE_UNDEFINED = 0,
  ORT_SPARSE_COO = 0x1,
  ORT_SPARSE_CSRC = 0x2,
  ORT_SPARSE_BLOCK_SPARSE = 0x4
} OrtSparseFormat;

typedef enum OrtSparseIndicesFormat {
  ORT_SPARSE_COO_INDICES,
  ORT_SPARSE_CSR_INNER_INDICES,
  ORT_SPARSE_CSR_OUTER_INDICES,
  ORT_SPARSE_BLOCK_SPARSE_INDICES
} OrtSparseIndicesFormat;

typedef enum OrtLoggingLevel {
  ORT_LOGGING_LEVEL_VERBOSE,
  ORT_LOGGING_LEVEL_INFO,
  ORT_LOGGING_LEVEL_WARNING,
  ORT_LOGGING_LEVEL_ERROR,
  ORT_LOGGING_LEVEL_FATAL,
} OrtLoggingLevel;

typedef enum OrtErrorCode {
  ORT_OK,
  ORT_FAIL,
  ORT_INVALID_ARGUMENT,
  ORT_NO_SUCHFILE,
  ORT_NO_MODEL,
  ORT_ENGINE_ERROR,
  ORT_RUNTIME_EXCEPTION,
  ORT_INVALID_PROTOBUF,
  ORT_MODEL_LOADED,
  ORT_NOT_IMPLEMENTED,
  ORT_INVALID_GRAPH,
  ORT_EP_FAIL,
  ORT_MODEL_LOAD_CANCELED,
  ORT_MODEL_REQUIRES_COMPILATION,
  ORT_NOT_FOUND,
} OrtErrorCode;

typedef enum OrtOpAttrType {
  ORT_OP_ATTR_UNDEFINED = 0,
  ORT_OP_ATTR_INT,
  ORT_OP_ATTR_INTS,
  ORT_OP_ATTR_FLOAT,
  ORT_OP_ATTR_FLOATS,
  ORT_OP_ATTR_STRING,
  ORT_OP_ATTR_STRINGS,
  ORT_OP_ATTR_GRAPH,
  ORT_OP_ATTR_TENSOR,
} OrtOpAttrType;

typedef OrtStatus *OrtStatusPtr;

typedef struct OrtAllocator {
  uint32_t version;
  void *(ORT_API_CALL *Alloc)(struct OrtAllocator *this_, size_t size);
  void(ORT_API_CALL *Free)(struct OrtAllocator *this_, void *p);
  const struct OrtMemoryInfo *(ORT_API_CALL *Info)(const struct OrtAllocator *this_);
  void *(ORT_API_CALL *Reserve)(struct OrtAllocator *this_, size_t size);
  OrtStatusPtr(ORT_API_CALL *GetStats)(const struct OrtAllocator *this_, OrtKeyValuePairs **out);
  void *(ORT_API_CALL *AllocOnStream)(struct OrtAllocator *this_, size_t size, OrtSyncStream *stream);
  OrtStatusPtr(ORT_API_CALL *Shrink)(struct OrtAllocator *this_);
} OrtAllocator;

typedef void(ORT_API_CALL *OrtLoggingFunction)(void *param, OrtLoggingLevel severity, const char *category, const char
    *logid, const char *code_location, const char *message);

typedef enum GraphOptimizationLevel {
  ORT_DISABLE_ALL = 0,
  ORT_ENABLE_BASIC = 1,
  ORT_ENABLE_EXTENDED = 2,
  ORT_ENABLE_LAYOUT = 3,
  ORT_ENABLE_ALL = 99
} GraphOptimizationLevel;

typedef enum ExecutionMode {
  ORT_SEQUENTIAL = 0,
  ORT_PARALLEL = 1,
} ExecutionMode;

typedef enum OrtLanguageProjection {
  ORT_PROJECTION_C = 0,
  ORT_PROJECTION_CPLUSPLUS = 1,
  ORT_PROJECTION_CSHARP = 2,
  ORT_PROJECTION_PYTHON = 3,
  ORT_PROJECTION_JAVA = 4,
  ORT_PROJECTION_WINML = 5,
  ORT_PROJECTION_NODEJS = 6,
} OrtLanguageProjection;

typedef enum OrtAllocatorType {
  OrtInvalidAllocator = -1,
  OrtDeviceAllocator = 0,
  OrtArenaAllocator = 1,
  OrtReadOnlyAllocator = 2,
} OrtAllocatorType;

typedef enum OrtMemType {
  OrtMemTypeCPUInput = -2,
  OrtMemTypeCPUOutput = -1,
  OrtMemTypeCPU = OrtMemTypeCPUOutput,
  OrtMemTypeDefault = 0,
} OrtMemType;

typedef enum OrtDeviceMemoryType {
  OrtDeviceMemoryType_DEFAULT = 0,
  OrtDeviceMemoryType_HOST_ACCESSIBLE = 5,
} OrtDeviceMemoryType;

typedef enum OrtMemoryInfoDeviceType {
  OrtMemoryInfoDeviceType_CPU = 0,
  OrtMemoryInfoDeviceType_GPU = 1,
  OrtMemoryInfoDeviceType_FPGA = 2,
  OrtMemoryInfoDeviceType_NPU = 3,
} OrtMemoryInfoDeviceType;

typedef enum OrtHardwareDeviceType {
  OrtHardwareDeviceType_CPU,
  OrtHardwareDeviceType_GPU,
  OrtHardwareDeviceType_NPU
} OrtHardwareDeviceType;

typedef enum OrtExecutionProviderDevicePolicy {
  OrtExecutionProviderDevicePolicy_DEFAULT,
  OrtExecutionProviderDevicePolicy_PREFER_CPU,
  OrtExecutionProviderDevicePolicy_PREFER_NPU,
  OrtExecutionProviderDevicePolicy_PREFER_GPU,
  OrtExecutionProviderDevicePolicy_MAX_PERFORMANCE,
  OrtExecutionProviderDevicePolicy_MAX_EFFICIENCY,
  OrtExecutionProviderDevicePolicy_MIN_OVERALL_POWER,
} OrtExecutionProviderDevicePolicy;

typedef enum OrtDeviceEpIncompatibilityReason {
  OrtDeviceEpIncompatibility_NONE = 0,
  OrtDeviceEpIncompatibility_DRIVER_INCOMPATIBLE = 1 << 0,
  OrtDeviceEpIncompatibility_DEVICE_INCOMPATIBLE = 1 << 1,
  OrtDeviceEpIncompatibility_MISSING_DEPENDENCY = 1 << 2,
  OrtDeviceEpIncompatibility_UNKNOWN = -2147483647 - 1
} OrtDeviceEpIncompatibilityReason;

typedef OrtStatus *(ORT_API_CALL *EpSelectionDelegate)(const OrtEpDevice **ep_devices, size_t num_devices, const
    OrtKeyValuePairs *model_metadata, const OrtKeyValuePairs *runtime_metadata, const OrtEpDevice **selected, size_t
    max_selected, size_t *num_selected, void *state);

typedef OrtStatus *(ORT_API_CALL *OrtWriteBufferFunc)(void *state, const void *buffer, size_t buffer_num_bytes);

typedef OrtStatus *(ORT_API_CALL *OrtGetInitializerLocationFunc)(void *state, const char *initializer_name, const
    OrtValue *initializer_value, const OrtExternalInitializerInfo *external_info, OrtExternalInitializerInfo
    **new_external_info);

typedef enum OrtCudnnConvAlgoSearch {
  OrtCudnnConvAlgoSearchExhaustive,
  OrtCudnnConvAlgoSearchHeuristic,
  OrtCudnnConvAlgoSearchDefault,
} OrtCudnnConvAlgoSearch;

typedef struct OrtCUDAProviderOptions {
  int device_id;
  OrtCudnnConvAlgoSearch cudnn_conv_algo_search;
  size_t gpu_mem_limit;
  int arena_extend_strategy;
  int do_copy_in_default_stream;
  int has_user_compute_stream;
  void *user_compute_stream;
  OrtArenaCfg *default_memory_arena_cfg;
  int tunable_op_enable;
  int tunable_op_tuning_enable;
  int tunable_op_max_tuning_duration_ms;
} OrtCUDAProviderOptions;

typedef struct OrtROCMProviderOptions {
  int device_id;
  int miopen_conv_exhaustive_search;
  size_t gpu_mem_limit;
  int arena_extend_strategy;
  int do_copy_in_default_stream;
  int has_user_compute_stream;
  void *user_compute_stream;
  OrtArenaCfg *default_memory_arena_cfg;
  int enable_hip_graph;
  int tunable_op_enable;
  int tunable_op_tuning_enable;
  int tunable_op_max_tuning_duration_ms;
} OrtROCMProviderOptions;

typedef struct OrtTensorRTProviderOptions {
  int device_id;
  int has_user_compute_stream;
  void *user_compute_stream;
  int trt_max_partition_iterations;
  int trt_min_subgraph_size;
  size_t trt_max_workspace_size;
  int trt_fp16_enable;
  int trt_int8_enable;
  const char *trt_int8_calibration_table_name;
  int trt_int8_use_native_calibration_table;
  int trt_dla_enable;
  int trt_dla_core;
  int trt_dump_subgraphs;
  int trt_engine_cache_enable;
  const char *trt_engine_cache_path;
  int trt_engine_decryption_enable;
  const char *trt_engine_decryption_lib_path;
  int trt_force_sequential_engine_build;
} OrtTensorRTProviderOptions;

typedef struct OrtMIGraphXProviderOptions {
  int device_id;
  int migraphx_fp16_enable;
  int migraphx_fp8_enable;
  int migraphx_int8_enable;
  int migraphx_use_native_calibration_table;
  const char *migraphx_int8_calibration_table_name;
  int migraphx_save_compiled_model;
  const char *migraphx_save_model_path;
  int migraphx_load_compiled_model;
  const char *migraphx_load_model_path;
  bool migraphx_exhaustive_tune;
  size_t migraphx_mem_limit;
  int migraphx_arena_extend_strategy;
} OrtMIGraphXProviderOptions;

typedef struct OrtOpenVINOProviderOptions {
  const char *device_type;
  unsigned char enable_npu_fast_compile;
  const char *device_id;
  size_t num_of_threads;
  const char *cache_dir;
  void *context;
  unsigned char enable_opencl_throttling;
  unsigned char enable_dynamic_shapes;
} OrtOpenVINOProviderOptions;

struct OrtApiBase {
  const OrtApi *(ORT_API_CALL *GetApi)(uint32_t version);
  const char *(ORT_API_CALL *GetVersionString)(void);
};

ORT_EXPORT const OrtApiBase *ORT_API_CALL OrtGetApiBase(void) NO_EXCEPTION;

typedef void(ORT_API_CALL *OrtThreadWorkerFn)(void *ort_worker_fn_param);

typedef const struct OrtCustomHandleType {
  char __place_holder;
} *OrtCustomThreadHandle;

typedef OrtCustomThreadHandle(ORT_API_CALL *OrtCustomCreateThreadFn)(void *ort_custom_thread_creation_options,
    OrtThreadWorkerFn ort_thread_worker_fn, void *ort_worker_fn_param);

typedef void(ORT_API_CALL *OrtCustomJoinThreadFn)(OrtCustomThreadHandle ort_custom_thread_handle);

typedef OrtStatus *(ORT_API_CALL *RegisterCustomOpsFn)(OrtSessionOptions *options, const OrtApiBase *api);

typedef void(ORT_API_CALL *RunAsyncCallbackFn)(void *user_data, OrtValue **outputs, size_t num_outputs, OrtStatusPtr
    status);

typedef enum OrtExternalMemoryHandleType {
  ORT_EXTERNAL_MEMORY_HANDLE_TYPE_D3D12_RESOURCE = 0,
  ORT_EXTERNAL_MEMORY_HANDLE_TYPE_D3D12_HEAP = 1,
} OrtExternalMemoryHandleType;

typedef struct OrtExternalMemoryDescriptor {
  uint32_t version;
  OrtExternalMemoryHandleType handle_type;
  void *native_handle;
  size_t size_bytes;
  size_t offset_bytes;
} OrtExternalMemoryDescriptor;

typedef enum OrtExternalSemaphoreType {
  ORT_EXTERNAL_SEMAPHORE_D3D12_FENCE = 0,
} OrtExternalSemaphoreType;

typedef struct OrtExternalSemaphoreDescriptor {
  uint32_t version;
  OrtExternalSemaphoreType type;
  void *native_handle;
} OrtExternalSemaphoreDescriptor;

typedef struct OrtExternalTensorDescriptor {
  uint32_t version;
  ONNXTensorElementDataType element_type;
  const int64_t *shape;
  size_t rank;
  size_t offset_bytes;
} OrtExternalTensorDescriptor;

typedef enum OrtCompiledModelCompatibility {
  OrtCompiledModelCompatibility_EP_NOT_APPLICABLE = 0,
  OrtCompiledModelCompatibility_EP_SUPPORTED_OPTIMAL,
  OrtCompiledModelCompatibility_EP_SUPPORTED_PREFER_RECOMPILATION,
  OrtCompiledModelCompatibility_EP_UNSUPPORTED,
} OrtCompiledModelCompatibility;

typedef struct OrtEnvCreationOptions {
  uint32_t version;
  int32_t logging_severity_level;
  const char *log_id;
  OrtLoggingFunction custom_logging_function;
  void *custom_logging_param;
  const OrtThreadingOptions *threading_options;
  const OrtKeyValuePairs *config_entries;
} OrtEnvCreationOptions;

typedef OrtStatusPtr(ORT_API_CALL *OrtReadNamedBufferFunc)(void *state, const char *name, void **buffer, size_t *bytes);

/* The table of functions. Its order is the interface: entries are only ever added at the end. */
struct OrtApi {
#define ORT_STATUS(name, since, ...) OrtStatus *(ORT_API_CALL *name)(__VA_ARGS__)NO_EXCEPTION;
#define ORT_OTHER(type, name, since, ...) type(ORT_API_CALL *name)(__VA_ARGS__) NO_EXCEPTION;
#define ORT_RELEASE(what, since) void(ORT_API_CALL *Release##what)(Ort##what * input) NO_EXCEPTION;
#include "onnxruntime_c_api_functions.def"
#undef ORT_STATUS
#undef ORT_OTHER
#undef ORT_RELEASE
};


typedef enum OrtCustomOpInputOutputCharacteristic {
  INPUT_OUTPUT_REQUIRED = 0,
  INPUT_OUTPUT_OPTIONAL,
  INPUT_OUTPUT_VARIADIC,
} OrtCustomOpInputOutputCharacteristic;

struct OrtCustomOp {
  uint32_t version;
  void *(ORT_API_CALL *CreateKernel)(const struct OrtCustomOp *op, const OrtApi *api, const OrtKernelInfo *info);
  const char *(ORT_API_CALL *GetName)(const struct OrtCustomOp *op);
  const char *(ORT_API_CALL *GetExecutionProviderType)(const struct OrtCustomOp *op);
  ONNXTensorElementDataType(ORT_API_CALL *GetInputType)(const struct OrtCustomOp *op, size_t index);
  size_t(ORT_API_CALL *GetInputTypeCount)(const struct OrtCustomOp *op);
  ONNXTensorElementDataType(ORT_API_CALL *GetOutputType)(const struct OrtCustomOp *op, size_t index);
  size_t(ORT_API_CALL *GetOutputTypeCount)(const struct OrtCustomOp *op);
  void(ORT_API_CALL *KernelCompute)(void *op_kernel, OrtKernelContext *context);
  void(ORT_API_CALL *KernelDestroy)(void *op_kernel);
  OrtCustomOpInputOutputCharacteristic(ORT_API_CALL *GetInputCharacteristic)(const struct OrtCustomOp *op, size_t
      index);
  OrtCustomOpInputOutputCharacteristic(ORT_API_CALL *GetOutputCharacteristic)(const struct OrtCustomOp *op, size_t
      index);
  OrtMemType(ORT_API_CALL *GetInputMemoryType)(const struct OrtCustomOp *op, size_t index);
  int(ORT_API_CALL *GetVariadicInputMinArity)(const struct OrtCustomOp *op);
  int(ORT_API_CALL *GetVariadicInputHomogeneity)(const struct OrtCustomOp *op);
  int(ORT_API_CALL *GetVariadicOutputMinArity)(const struct OrtCustomOp *op);
  int(ORT_API_CALL *GetVariadicOutputHomogeneity)(const struct OrtCustomOp *op);
  OrtStatusPtr(ORT_API_CALL *CreateKernelV2)(const struct OrtCustomOp *op, const OrtApi *api, const OrtKernelInfo
      *info, void **kernel);
  OrtStatusPtr(ORT_API_CALL *KernelComputeV2)(void *op_kernel, OrtKernelContext *context);
  OrtStatusPtr(ORT_API_CALL *InferOutputShapeFn)(const struct OrtCustomOp *op, OrtShapeInferContext*);
  int(ORT_API_CALL *GetStartVersion)(const struct OrtCustomOp *op);
  int(ORT_API_CALL *GetEndVersion)(const struct OrtCustomOp *op);
  size_t(ORT_API_CALL *GetMayInplace)(int **input_index, int **output_index);
  void(ORT_API_CALL *ReleaseMayInplace)(int *input_index, int *output_index);
  size_t(ORT_API_CALL *GetAliasMap)(int **input_index, int **output_index);
  void(ORT_API_CALL *ReleaseAliasMap)(int *input_index, int *output_index);
};

/* The CPU is there; the others answer a status. */
ORT_EXPORT OrtStatus *ORT_API_CALL OrtSessionOptionsAppendExecutionProvider_CPU(OrtSessionOptions *options, int use_arena);
ORT_EXPORT OrtStatus *ORT_API_CALL OrtSessionOptionsAppendExecutionProvider_CUDA(OrtSessionOptions *options, int device_id);
ORT_EXPORT OrtStatus *ORT_API_CALL OrtSessionOptionsAppendExecutionProvider_ROCM(OrtSessionOptions *options, int device_id);
ORT_EXPORT OrtStatus *ORT_API_CALL OrtSessionOptionsAppendExecutionProvider_MIGraphX(OrtSessionOptions *options, int device_id);
ORT_EXPORT OrtStatus *ORT_API_CALL OrtSessionOptionsAppendExecutionProvider_Dnnl(OrtSessionOptions *options, int use_arena);
ORT_EXPORT OrtStatus *ORT_API_CALL OrtSessionOptionsAppendExecutionProvider_Tensorrt(OrtSessionOptions *options, int device_id);
ORT_EXPORT OrtStatus *ORT_API_CALL OrtSessionOptionsAppendExecutionProvider_OpenVINO(OrtSessionOptions *options,
                                                                                      const char *device_type);

#ifdef __cplusplus
}
#endif
#endif
