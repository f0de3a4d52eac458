/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ONNXRUNTIME_CXX_API_H
#define ONNXRUNTIME_CXX_API_H

/* ONNX Runtime's C++ interface: the common classes, as inline functions over the table of onnxruntime_c_api.h. Owners move
 * and do not copy; a call that fails throws Ort::Exception. Not here: custom operators, graphs, providers other than the
 * CPU's. */

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "onnxruntime_c_api.h"

namespace Ort {

/* What a failing call throws. */
struct Exception : std::exception {
  Exception(std::string text, OrtErrorCode code) : text_(std::move(text)), code_(code) {}
  OrtErrorCode GetOrtErrorCode() const { return code_; }
  const char *what() const noexcept override { return text_.c_str(); }

 private:
  std::string text_;
  OrtErrorCode code_;
};

/* The table. ORT_API_MANUAL_INIT: none until InitApi. */
inline const OrtApi *&ApiSlot() {
#ifdef ORT_API_MANUAL_INIT
  static const OrtApi *api = nullptr;
#else
  static const OrtApi *api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
#endif
  return api;
}
inline const OrtApi &GetApi() { return *ApiSlot(); }
inline void InitApi() { ApiSlot() = OrtGetApiBase()->GetApi(ORT_API_VERSION); }
inline void InitApi(const OrtApi *api) { ApiSlot() = api; }
inline std::string GetVersionString() { return OrtGetApiBase()->GetVersionString(); }

/* Throw what a status says, and release it. */
inline void ThrowOnError(OrtStatus *s) {
  if (!s) return;
  Exception e(GetApi().GetErrorMessage(s), GetApi().GetErrorCode(s));
  GetApi().ReleaseStatus(s);
  throw e;
}

/* Names of the providers: the CPU's. */
inline std::vector<std::string> GetAvailableProviders() {
  char **name;
  int n;
  ThrowOnError(GetApi().GetAvailableProviders(&name, &n));
  std::vector<std::string> out(name, name + n);
  ThrowOnError(GetApi().ReleaseAvailableProviders(name, n));
  return out;
}

/* How each handle is released. */
namespace detail {
#define ORT_CXX_RELEASE(what) \
  inline void Release(Ort##what *p) { GetApi().Release##what(p); }
ORT_CXX_RELEASE(Env)
ORT_CXX_RELEASE(Session)
ORT_CXX_RELEASE(SessionOptions)
ORT_CXX_RELEASE(RunOptions)
ORT_CXX_RELEASE(MemoryInfo)
ORT_CXX_RELEASE(Value)
ORT_CXX_RELEASE(TypeInfo)
ORT_CXX_RELEASE(TensorTypeAndShapeInfo)
ORT_CXX_RELEASE(ModelMetadata)
ORT_CXX_RELEASE(IoBinding)
ORT_CXX_RELEASE(Allocator)
ORT_CXX_RELEASE(ThreadingOptions)
ORT_CXX_RELEASE(PrepackedWeightsContainer)
#undef ORT_CXX_RELEASE
}  // namespace detail

/* The owner of a handle. */
template <typename T>
class Base {
 public:
  Base() = default;
  explicit Base(T *p) noexcept : p_(p) {}
  Base(const Base &) = delete;
  Base &operator=(const Base &) = delete;
  Base(Base &&other) noexcept : p_(other.release()) {}
  Base &operator=(Base &&other) noexcept {
    if (this != &other) {
      if (p_) detail::Release(p_);
      p_ = other.release();
    }
    return *this;
  }
  ~Base() {
    if (p_) detail::Release(p_);
  }
  operator T *() noexcept { return p_; }
  operator const T *() const noexcept { return p_; }
  T *release() noexcept { return std::exchange(p_, nullptr); }

 protected:
  T *p_ = nullptr;
};

/* Element types by C++ types. */
struct Float16_t {
  uint16_t val;
  constexpr Float16_t() noexcept : val(0) {}
  static constexpr Float16_t FromBits(uint16_t v) noexcept {
    Float16_t f;
    f.val = v;
    return f;
  }
};
struct BFloat16_t {
  uint16_t val;
  constexpr BFloat16_t() noexcept : val(0) {}
  static constexpr BFloat16_t FromBits(uint16_t v) noexcept {
    BFloat16_t f;
    f.val = v;
    return f;
  }
};
template <typename T>
struct TypeToTensorType;
#define ORT_CXX_TYPE(T, NAME)                                                         \
  template <>                                                                         \
  struct TypeToTensorType<T> {                                                        \
    static constexpr ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_##NAME; \
  };
ORT_CXX_TYPE(float, FLOAT)
ORT_CXX_TYPE(double, DOUBLE)
ORT_CXX_TYPE(Float16_t, FLOAT16)
ORT_CXX_TYPE(BFloat16_t, BFLOAT16)
ORT_CXX_TYPE(int8_t, INT8)
ORT_CXX_TYPE(int16_t, INT16)
ORT_CXX_TYPE(int32_t, INT32)
ORT_CXX_TYPE(int64_t, INT64)
ORT_CXX_TYPE(uint8_t, UINT8)
ORT_CXX_TYPE(uint16_t, UINT16)
ORT_CXX_TYPE(uint32_t, UINT32)
ORT_CXX_TYPE(uint64_t, UINT64)
ORT_CXX_TYPE(bool, BOOL)
#undef ORT_CXX_TYPE

/* The library's allocator: of the process, not owned. */
class AllocatorWithDefaultOptions {
 public:
  AllocatorWithDefaultOptions() { ThrowOnError(GetApi().GetAllocatorWithDefaultOptions(&p_)); }
  operator OrtAllocator *() noexcept { return p_; }
  operator const OrtAllocator *() const noexcept { return p_; }
  void *Alloc(size_t n) {
    void *p;
    ThrowOnError(GetApi().AllocatorAlloc(p_, n, &p));
    return p;
  }
  void Free(void *p) { ThrowOnError(GetApi().AllocatorFree(p_, p)); }

 private:
  OrtAllocator *p_ = nullptr;
};

namespace detail {
/* Gives memory back to the allocator that it came from. */
struct AllocatedFree {
  OrtAllocator *allocator;
  void operator()(void *p) const {
    if (p) GetApi().ReleaseStatus(GetApi().AllocatorFree(allocator, p));
  }
};
}  // namespace detail
using AllocatedStringPtr = std::unique_ptr<char, detail::AllocatedFree>;

class MemoryInfo : public Base<OrtMemoryInfo> {
 public:
  explicit MemoryInfo(std::nullptr_t) {}
  explicit MemoryInfo(OrtMemoryInfo *p) : Base(p) {}
  MemoryInfo(const char *name, OrtAllocatorType type, int id, OrtMemType mem) {
    ThrowOnError(GetApi().CreateMemoryInfo(name, type, id, mem, &p_));
  }
  static MemoryInfo CreateCpu(OrtAllocatorType type, OrtMemType mem) {
    OrtMemoryInfo *p;
    ThrowOnError(GetApi().CreateCpuMemoryInfo(type, mem, &p));
    return MemoryInfo(p);
  }
  std::string GetAllocatorName() const {
    const char *name;
    ThrowOnError(GetApi().MemoryInfoGetName(p_, &name));
    return name;
  }
};

class ThreadingOptions : public Base<OrtThreadingOptions> {
 public:
  ThreadingOptions() { ThrowOnError(GetApi().CreateThreadingOptions(&p_)); }
  ThreadingOptions &SetGlobalIntraOpNumThreads(int n) {
    ThrowOnError(GetApi().SetGlobalIntraOpNumThreads(p_, n));
    return *this;
  }
  ThreadingOptions &SetGlobalInterOpNumThreads(int n) {
    ThrowOnError(GetApi().SetGlobalInterOpNumThreads(p_, n));
    return *this;
  }
  ThreadingOptions &SetGlobalSpinControl(int allow) {
    ThrowOnError(GetApi().SetGlobalSpinControl(p_, allow));
    return *this;
  }
};

class Env : public Base<OrtEnv> {
 public:
  explicit Env(std::nullptr_t) {}
  explicit Env(OrtLoggingLevel level = ORT_LOGGING_LEVEL_WARNING, const char *id = "") {
    ThrowOnError(GetApi().CreateEnv(level, id, &p_));
  }
  Env(OrtLoggingLevel level, const char *id, OrtLoggingFunction fn, void *param) {
    ThrowOnError(GetApi().CreateEnvWithCustomLogger(fn, param, level, id, &p_));
  }
  Env(const OrtThreadingOptions *t, OrtLoggingLevel level = ORT_LOGGING_LEVEL_WARNING, const char *id = "") {
    ThrowOnError(GetApi().CreateEnvWithGlobalThreadPools(level, id, t, &p_));
  }
  Env &EnableTelemetryEvents() {
    ThrowOnError(GetApi().EnableTelemetryEvents(p_));
    return *this;
  }
  Env &DisableTelemetryEvents() {
    ThrowOnError(GetApi().DisableTelemetryEvents(p_));
    return *this;
  }
  Env &UpdateEnvWithCustomLogLevel(OrtLoggingLevel level) {
    ThrowOnError(GetApi().UpdateEnvWithCustomLogLevel(p_, level));
    return *this;
  }
};

/* A call on the object that answers the object again. */
#define ORT_CXX_SET(Class, Name, params, ...) \
  Class &Name params {                        \
    ThrowOnError(GetApi().__VA_ARGS__);       \
    return *this;                             \
  }

class SessionOptions : public Base<OrtSessionOptions> {
 public:
  explicit SessionOptions(std::nullptr_t) {}
  explicit SessionOptions(OrtSessionOptions *p) : Base(p) {}
  SessionOptions() { ThrowOnError(GetApi().CreateSessionOptions(&p_)); }
  SessionOptions Clone() const {
    OrtSessionOptions *p;
    ThrowOnError(GetApi().CloneSessionOptions(p_, &p));
    return SessionOptions(p);
  }
  ORT_CXX_SET(SessionOptions, SetIntraOpNumThreads, (int n), SetIntraOpNumThreads(p_, n))
  ORT_CXX_SET(SessionOptions, SetInterOpNumThreads, (int n), SetInterOpNumThreads(p_, n))
  ORT_CXX_SET(SessionOptions, SetGraphOptimizationLevel, (GraphOptimizationLevel level),
              SetSessionGraphOptimizationLevel(p_, level))
  ORT_CXX_SET(SessionOptions, SetOptimizedModelFilePath, (const ORTCHAR_T *path), SetOptimizedModelFilePath(p_, path))
  ORT_CXX_SET(SessionOptions, SetExecutionMode, (ExecutionMode mode), SetSessionExecutionMode(p_, mode))
  ORT_CXX_SET(SessionOptions, SetLogId, (const char *id), SetSessionLogId(p_, id))
  ORT_CXX_SET(SessionOptions, SetLogSeverityLevel, (int level), SetSessionLogSeverityLevel(p_, level))
  ORT_CXX_SET(SessionOptions, EnableProfiling, (const ORTCHAR_T *prefix), EnableProfiling(p_, prefix))
  ORT_CXX_SET(SessionOptions, DisableProfiling, (), DisableProfiling(p_))
  ORT_CXX_SET(SessionOptions, EnableMemPattern, (), EnableMemPattern(p_))
  ORT_CXX_SET(SessionOptions, DisableMemPattern, (), DisableMemPattern(p_))
  ORT_CXX_SET(SessionOptions, EnableCpuMemArena, (), EnableCpuMemArena(p_))
  ORT_CXX_SET(SessionOptions, DisableCpuMemArena, (), DisableCpuMemArena(p_))
  ORT_CXX_SET(SessionOptions, DisablePerSessionThreads, (), DisablePerSessionThreads(p_))
  ORT_CXX_SET(SessionOptions, SetDeterministicCompute, (bool on), SetDeterministicCompute(p_, on))
  ORT_CXX_SET(SessionOptions, AddConfigEntry, (const char *key, const char *value), AddSessionConfigEntry(p_, key, value))
  ORT_CXX_SET(SessionOptions, AddFreeDimensionOverrideByName, (const char *name, int64_t n),
              AddFreeDimensionOverrideByName(p_, name, n))
  ORT_CXX_SET(SessionOptions, SetCustomCreateThreadFn, (OrtCustomCreateThreadFn fn),
              SessionOptionsSetCustomCreateThreadFn(p_, fn))
  ORT_CXX_SET(SessionOptions, SetCustomThreadCreationOptions, (void *o),
              SessionOptionsSetCustomThreadCreationOptions(p_, o))
  ORT_CXX_SET(SessionOptions, SetCustomJoinThreadFn, (OrtCustomJoinThreadFn fn),
              SessionOptionsSetCustomJoinThreadFn(p_, fn))
  SessionOptions &AppendExecutionProvider(const std::string &name,
                                          const std::unordered_map<std::string, std::string> &options = {}) {
    std::vector<const char *> key, value;
    for (const auto &o : options) {
      key.push_back(o.first.c_str());
      value.push_back(o.second.c_str());
    }
    ThrowOnError(GetApi().SessionOptionsAppendExecutionProvider(p_, name.c_str(), key.data(), value.data(), key.size()));
    return *this;
  }
  bool HasConfigEntry(const char *key) const {
    int has;
    ThrowOnError(GetApi().HasSessionConfigEntry(p_, key, &has));
    return has != 0;
  }
  std::string GetConfigEntry(const char *key) const {
    size_t n = 0;
    ThrowOnError(GetApi().GetSessionConfigEntry(p_, key, nullptr, &n));
    std::string out(n, '\0');
    ThrowOnError(GetApi().GetSessionConfigEntry(p_, key, &out[0], &n));
    out.resize(n - 1);
    return out;
  }
};

class RunOptions : public Base<OrtRunOptions> {
 public:
  explicit RunOptions(std::nullptr_t) {}
  RunOptions() { ThrowOnError(GetApi().CreateRunOptions(&p_)); }
  ORT_CXX_SET(RunOptions, SetRunLogSeverityLevel, (int level), RunOptionsSetRunLogSeverityLevel(p_, level))
  ORT_CXX_SET(RunOptions, SetRunLogVerbosityLevel, (int level), RunOptionsSetRunLogVerbosityLevel(p_, level))
  ORT_CXX_SET(RunOptions, SetRunTag, (const char *tag), RunOptionsSetRunTag(p_, tag))
  ORT_CXX_SET(RunOptions, AddConfigEntry, (const char *key, const char *value), AddRunConfigEntry(p_, key, value))
  ORT_CXX_SET(RunOptions, SetTerminate, (), RunOptionsSetTerminate(p_))
  ORT_CXX_SET(RunOptions, UnsetTerminate, (), RunOptionsUnsetTerminate(p_))
};

/* Element type and shape; owned or a view of a TypeInfo. */
namespace detail {
template <typename Self>
struct TensorInfoCalls {
  ONNXTensorElementDataType GetElementType() const {
    ONNXTensorElementDataType t;
    ThrowOnError(GetApi().GetTensorElementType(p(), &t));
    return t;
  }
  size_t GetElementCount() const {
    size_t n;
    ThrowOnError(GetApi().GetTensorShapeElementCount(p(), &n));
    return n;
  }
  size_t GetDimensionsCount() const {
    size_t n;
    ThrowOnError(GetApi().GetDimensionsCount(p(), &n));
    return n;
  }
  void GetDimensions(int64_t *dims, size_t n) const { ThrowOnError(GetApi().GetDimensions(p(), dims, n)); }
  std::vector<int64_t> GetShape() const {
    std::vector<int64_t> dims(GetDimensionsCount());
    GetDimensions(dims.data(), dims.size());
    return dims;
  }
  std::vector<const char *> GetSymbolicDimensions() const {
    std::vector<const char *> names(GetDimensionsCount());
    ThrowOnError(GetApi().GetSymbolicDimensions(p(), names.data(), names.size()));
    return names;
  }
  bool HasShape() const { return GetApi().TensorTypeAndShape_HasShape(p()); }

 private:
  const OrtTensorTypeAndShapeInfo *p() const { return *static_cast<const Self *>(this); }
};
}  // namespace detail
class TensorTypeAndShapeInfo : public Base<OrtTensorTypeAndShapeInfo>,
                               public detail::TensorInfoCalls<TensorTypeAndShapeInfo> {
 public:
  explicit TensorTypeAndShapeInfo(OrtTensorTypeAndShapeInfo *p) : Base(p) {}
};
class ConstTensorTypeAndShapeInfo : public detail::TensorInfoCalls<ConstTensorTypeAndShapeInfo> {
 public:
  explicit ConstTensorTypeAndShapeInfo(const OrtTensorTypeAndShapeInfo *p) : p_(p) {}
  operator const OrtTensorTypeAndShapeInfo *() const noexcept { return p_; }

 private:
  const OrtTensorTypeAndShapeInfo *p_;
};

class TypeInfo : public Base<OrtTypeInfo> {
 public:
  explicit TypeInfo(OrtTypeInfo *p) : Base(p) {}
  ONNXType GetONNXType() const {
    ONNXType t;
    ThrowOnError(GetApi().GetOnnxTypeFromTypeInfo(p_, &t));
    return t;
  }
  ConstTensorTypeAndShapeInfo GetTensorTypeAndShapeInfo() const {
    const OrtTensorTypeAndShapeInfo *t;
    ThrowOnError(GetApi().CastTypeInfoToTensorInfo(p_, &t));
    return ConstTensorTypeAndShapeInfo(t);
  }
};

class Value : public Base<OrtValue> {
 public:
  Value() = default;
  explicit Value(std::nullptr_t) {}
  explicit Value(OrtValue *p) : Base(p) {}
  static Value CreateTensor(const OrtMemoryInfo *m, void *data, size_t bytes, const int64_t *shape, size_t rank,
                            ONNXTensorElementDataType type) {
    OrtValue *v;
    ThrowOnError(GetApi().CreateTensorWithDataAsOrtValue(m, data, bytes, shape, rank, type, &v));
    return Value(v);
  }
  template <typename T>
  static Value CreateTensor(const OrtMemoryInfo *m, T *data, size_t count, const int64_t *shape, size_t rank) {
    return CreateTensor(m, data, count * sizeof(T), shape, rank, TypeToTensorType<T>::type);
  }
  static Value CreateTensor(OrtAllocator *a, const int64_t *shape, size_t rank, ONNXTensorElementDataType type) {
    OrtValue *v;
    ThrowOnError(GetApi().CreateTensorAsOrtValue(a, shape, rank, type, &v));
    return Value(v);
  }
  template <typename T>
  static Value CreateTensor(OrtAllocator *a, const int64_t *shape, size_t rank) {
    return CreateTensor(a, shape, rank, TypeToTensorType<T>::type);
  }
  static Value CreateMap(const Value &keys, const Value &values) {
    const OrtValue *in[] = {keys, values};
    OrtValue *v;
    ThrowOnError(GetApi().CreateValue(in, 2, ONNX_TYPE_MAP, &v));
    return Value(v);
  }
  static Value CreateSequence(const std::vector<Value> &items) {
    std::vector<const OrtValue *> in(items.begin(), items.end());
    OrtValue *v;
    ThrowOnError(GetApi().CreateValue(in.data(), in.size(), ONNX_TYPE_SEQUENCE, &v));
    return Value(v);
  }
  bool IsTensor() const {
    int is;
    ThrowOnError(GetApi().IsTensor(p_, &is));
    return is != 0;
  }
  bool HasValue() const {
    int has;
    ThrowOnError(GetApi().HasValue(p_, &has));
    return has != 0;
  }
  size_t GetCount() const {
    size_t n;
    ThrowOnError(GetApi().GetValueCount(p_, &n));
    return n;
  }
  Value GetValue(int i, OrtAllocator *a) const {
    OrtValue *v;
    ThrowOnError(GetApi().GetValue(p_, i, a, &v));
    return Value(v);
  }
  template <typename T>
  T *GetTensorMutableData() {
    void *p;
    ThrowOnError(GetApi().GetTensorMutableData(p_, &p));
    return static_cast<T *>(p);
  }
  void *GetTensorMutableRawData() { return GetTensorMutableData<void>(); }
  template <typename T>
  const T *GetTensorData() const {
    const void *p;
    ThrowOnError(GetApi().GetTensorData(p_, &p));
    return static_cast<const T *>(p);
  }
  const void *GetTensorRawData() const { return GetTensorData<void>(); }
  template <typename T>
  T &At(const std::vector<int64_t> &at) {
    static_assert(!std::is_same<T, std::string>::value, "strings have no element of their own");
    void *p;
    ThrowOnError(GetApi().TensorAt(p_, at.data(), at.size(), &p));
    return *static_cast<T *>(p);
  }
  size_t GetTensorSizeInBytes() const {
    size_t n;
    ThrowOnError(GetApi().GetTensorSizeInBytes(p_, &n));
    return n;
  }
  TensorTypeAndShapeInfo GetTensorTypeAndShapeInfo() const {
    OrtTensorTypeAndShapeInfo *t;
    ThrowOnError(GetApi().GetTensorTypeAndShape(p_, &t));
    return TensorTypeAndShapeInfo(t);
  }
  TypeInfo GetTypeInfo() const {
    OrtTypeInfo *t;
    ThrowOnError(GetApi().GetTypeInfo(p_, &t));
    return TypeInfo(t);
  }
  void FillStringTensor(const char *const *s, size_t n) { ThrowOnError(GetApi().FillStringTensor(p_, s, n)); }
  void FillStringTensorElement(const char *s, size_t i) { ThrowOnError(GetApi().FillStringTensorElement(p_, s, i)); }
  size_t GetStringTensorDataLength() const {
    size_t n;
    ThrowOnError(GetApi().GetStringTensorDataLength(p_, &n));
    return n;
  }
  void GetStringTensorContent(void *to, size_t room, size_t *offsets, size_t n) const {
    ThrowOnError(GetApi().GetStringTensorContent(p_, to, room, offsets, n));
  }
  size_t GetStringTensorElementLength(size_t i) const {
    size_t n;
    ThrowOnError(GetApi().GetStringTensorElementLength(p_, i, &n));
    return n;
  }
  std::string GetStringTensorElement(size_t i) const {
    std::string s(GetStringTensorElementLength(i), '\0');
    ThrowOnError(GetApi().GetStringTensorElement(p_, s.size(), i, &s[0]));
    return s;
  }
};
static_assert(sizeof(Value) == sizeof(OrtValue *), "arrays of Value are arrays of handles");

class ModelMetadata : public Base<OrtModelMetadata> {
 public:
  explicit ModelMetadata(OrtModelMetadata *p) : Base(p) {}
#define ORT_CXX_TEXT(Name, fn)                                            \
  AllocatedStringPtr Name(OrtAllocator *a) const {                        \
    char *text;                                                           \
    ThrowOnError(GetApi().fn(p_, a, &text));                              \
    return AllocatedStringPtr(text, detail::AllocatedFree{a});            \
  }
  ORT_CXX_TEXT(GetProducerNameAllocated, ModelMetadataGetProducerName)
  ORT_CXX_TEXT(GetGraphNameAllocated, ModelMetadataGetGraphName)
  ORT_CXX_TEXT(GetDomainAllocated, ModelMetadataGetDomain)
  ORT_CXX_TEXT(GetDescriptionAllocated, ModelMetadataGetDescription)
  ORT_CXX_TEXT(GetGraphDescriptionAllocated, ModelMetadataGetGraphDescription)
#undef ORT_CXX_TEXT
  AllocatedStringPtr LookupCustomMetadataMapAllocated(const char *key, OrtAllocator *a) const {
    char *text;
    ThrowOnError(GetApi().ModelMetadataLookupCustomMetadataMap(p_, a, key, &text));
    return AllocatedStringPtr(text, detail::AllocatedFree{a});
  }
  int64_t GetVersion() const {
    int64_t n;
    ThrowOnError(GetApi().ModelMetadataGetVersion(p_, &n));
    return n;
  }
};

class PrepackedWeightsContainer : public Base<OrtPrepackedWeightsContainer> {
 public:
  PrepackedWeightsContainer() { ThrowOnError(GetApi().CreatePrepackedWeightsContainer(&p_)); }
};

class Session;
class IoBinding : public Base<OrtIoBinding> {
 public:
  explicit IoBinding(std::nullptr_t) {}
  explicit IoBinding(Session &session);
  void BindInput(const char *name, const Value &v) { ThrowOnError(GetApi().BindInput(p_, name, v)); }
  void BindOutput(const char *name, const Value &v) { ThrowOnError(GetApi().BindOutput(p_, name, v)); }
  void BindOutput(const char *name, const OrtMemoryInfo *m) { ThrowOnError(GetApi().BindOutputToDevice(p_, name, m)); }
  void ClearBoundInputs() { GetApi().ClearBoundInputs(p_); }
  void ClearBoundOutputs() { GetApi().ClearBoundOutputs(p_); }
  void SynchronizeInputs() { ThrowOnError(GetApi().SynchronizeBoundInputs(p_)); }
  void SynchronizeOutputs() { ThrowOnError(GetApi().SynchronizeBoundOutputs(p_)); }
  std::vector<Value> GetOutputValues() const {
    AllocatorWithDefaultOptions a;
    OrtValue **v;
    size_t n;
    ThrowOnError(GetApi().GetBoundOutputValues(p_, a, &v, &n));
    std::vector<Value> out;
    out.reserve(n);
    for (size_t i = 0; i < n; i++) out.emplace_back(v[i]);
    if (v) a.Free(v);
    return out;
  }
  std::vector<std::string> GetOutputNames() const {
    AllocatorWithDefaultOptions a;
    char *text;
    size_t *length, n;
    ThrowOnError(GetApi().GetBoundOutputNames(p_, a, &text, &length, &n));
    std::vector<std::string> out;
    for (size_t i = 0, at = 0; i < n; at += length[i++]) out.emplace_back(text + at, length[i]);
    if (text) a.Free(text);
    if (length) a.Free(length);
    return out;
  }
};

class Session : public Base<OrtSession> {
 public:
  explicit Session(std::nullptr_t) {}
  Session(const Env &env, const ORTCHAR_T *path, const SessionOptions &o) {
    ThrowOnError(GetApi().CreateSession(env, path, o, &p_));
  }
  Session(const Env &env, const void *bytes, size_t n, const SessionOptions &o) {
    ThrowOnError(GetApi().CreateSessionFromArray(env, bytes, n, o, &p_));
  }
  Session(const Env &env, const ORTCHAR_T *path, const SessionOptions &o, OrtPrepackedWeightsContainer *c) {
    ThrowOnError(GetApi().CreateSessionWithPrepackedWeightsContainer(env, path, o, c, &p_));
  }
  /* Into what is there; outputs that are null are made. */
  void Run(const RunOptions &o, const char *const *in_names, const Value *in, size_t n_in, const char *const *out_names,
           Value *out, size_t n_out) {
    ThrowOnError(GetApi().Run(p_, o, in_names, reinterpret_cast<const OrtValue *const *>(in), n_in, out_names, n_out,
                              reinterpret_cast<OrtValue **>(out)));
  }
  std::vector<Value> Run(const RunOptions &o, const char *const *in_names, const Value *in, size_t n_in,
                         const char *const *out_names, size_t n_out) {
    std::vector<Value> out(n_out);
    Run(o, in_names, in, n_in, out_names, out.data(), n_out);
    return out;
  }
  void Run(const RunOptions &o, const IoBinding &b) { ThrowOnError(GetApi().RunWithBinding(p_, o, b)); }
  void RunAsync(const RunOptions &o, const char *const *in_names, const Value *in, size_t n_in,
                const char *const *out_names, Value *out, size_t n_out, RunAsyncCallbackFn done, void *user) {
    ThrowOnError(GetApi().RunAsync(p_, o, in_names, reinterpret_cast<const OrtValue *const *>(in), n_in, out_names, n_out,
                                   reinterpret_cast<OrtValue **>(out), done, user));
  }
#define ORT_CXX_LIST(What)                                                          \
  size_t Get##What##Count() const {                                                 \
    size_t n;                                                                       \
    ThrowOnError(GetApi().SessionGet##What##Count(p_, &n));                         \
    return n;                                                                       \
  }                                                                                 \
  AllocatedStringPtr Get##What##NameAllocated(size_t i, OrtAllocator *a) const {    \
    char *name;                                                                     \
    ThrowOnError(GetApi().SessionGet##What##Name(p_, i, a, &name));                 \
    return AllocatedStringPtr(name, detail::AllocatedFree{a});                      \
  }                                                                                 \
  TypeInfo Get##What##TypeInfo(size_t i) const {                                    \
    OrtTypeInfo *t;                                                                 \
    ThrowOnError(GetApi().SessionGet##What##TypeInfo(p_, i, &t));                   \
    return TypeInfo(t);                                                             \
  }
  ORT_CXX_LIST(Input)
  ORT_CXX_LIST(Output)
  ORT_CXX_LIST(OverridableInitializer)
#undef ORT_CXX_LIST
  /* Names of all inputs, or outputs. */
  std::vector<std::string> GetInputNames() const {
    AllocatorWithDefaultOptions a;
    std::vector<std::string> out;
    for (size_t i = 0; i < GetInputCount(); i++) out.emplace_back(GetInputNameAllocated(i, a).get());
    return out;
  }
  std::vector<std::string> GetOutputNames() const {
    AllocatorWithDefaultOptions a;
    std::vector<std::string> out;
    for (size_t i = 0; i < GetOutputCount(); i++) out.emplace_back(GetOutputNameAllocated(i, a).get());
    return out;
  }
  ModelMetadata GetModelMetadata() const {
    OrtModelMetadata *m;
    ThrowOnError(GetApi().SessionGetModelMetadata(p_, &m));
    return ModelMetadata(m);
  }
  AllocatedStringPtr EndProfilingAllocated(OrtAllocator *a) {
    char *name;
    ThrowOnError(GetApi().SessionEndProfiling(p_, a, &name));
    return AllocatedStringPtr(name, detail::AllocatedFree{a});
  }
};
#undef ORT_CXX_SET

inline IoBinding::IoBinding(Session &session) { ThrowOnError(GetApi().CreateIoBinding(session, &p_)); }

}  // namespace Ort
#endif
