/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TESTS_CLIENTS_CXX_OPS_H
#define WHET_TESTS_CLIENTS_CXX_OPS_H

/* Custom operators by the original's Ort::CustomOpBase: one that runs the runtime's own operators, one of strings, one of two
 * types, one of any number of inputs. */

#include <onnxruntime_cxx_api.h>

#include <cctype>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

/* y = z - z cast to int32 and back, z = x * w + b, by Gemm, Cast and Sub; w and b are attributes. TopK finds z's greatest. */
struct WrapKernel {
  WrapKernel(const OrtApi &, const OrtKernelInfo *info) {
    Ort::ConstKernelInfo k(info);
    Ort::AllocatorWithDefaultOptions heap;
    std::printf("wrap '%s' %zu %zu %s %s\n", k.GetNodeName().c_str(), k.GetInputCount(), k.GetOutputCount(), k.GetInputName(0).c_str(),
                k.GetOutputName(0).c_str());
    std::printf("scale %.3f, axis %lld, mode %s, sizes", k.GetAttribute<float>("scale"),
                static_cast<long long>(k.GetAttribute<int64_t>("axis")), k.GetAttribute<std::string>("mode").c_str());
    for (int64_t n : k.GetAttributes<int64_t>("sizes")) std::printf(" %lld", static_cast<long long>(n));
    for (float f : k.GetAttributes<float>("weights")) std::printf(" %.2f", f);
    std::printf("\n");
    w = k.GetTensorAttribute("w", heap);
    b = k.GetTensorAttribute("b", heap);
    try {
      k.GetTensorAttribute("absent", heap);
    } catch (const Ort::Exception &e) {
      std::printf("absent: %d\n", e.GetOrtErrorCode());
    }
    copy = k.Copy();
    float alpha = k.GetAttribute<float>("scale");
    float beta = 1;
    int64_t axis = 1, no = 0, to = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, back = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
    const char *t[] = {"T"}, *t12[] = {"T1", "T2"};
    ONNXTensorElementDataType f[] = {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT}, fi[] = {f[0], ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32},
                              i_f[] = {fi[1], fi[0]};
    Ort::OpAttr whole("to", &to, 1, ORT_OP_ATTR_INT), real("to", &back, 1, ORT_OP_ATTR_INT);
    Ort::OpAttr all[] = {{"alpha", &alpha, 1, ORT_OP_ATTR_FLOAT}, {"beta", &beta, 1, ORT_OP_ATTR_FLOAT},
                         {"transA", &no, 1, ORT_OP_ATTR_INT}, {"transB", &no, 1, ORT_OP_ATTR_INT}};
    gemm = Ort::Op::Create(info, "Gemm", "", 13, t, f, 1, all, 4, 3, 1); /* the original takes no attribute's default */
    cast = Ort::Op::Create(info, "Cast", "", 13, t12, fi, 2, &whole, 1, 1, 1);
    uncast = Ort::Op::Create(info, "Cast", "", 13, t12, i_f, 2, &real, 1, 1, 1);
    less = Ort::Op::Create(info, "Sub", "", 14, t, f, 1, nullptr, 0, 2, 1);
    Ort::OpAttr how[] = {{"axis", &axis, 1, ORT_OP_ATTR_INT}, {"largest", &axis, 1, ORT_OP_ATTR_INT}, {"sorted", &axis, 1, ORT_OP_ATTR_INT}};
    const char *ti[] = {"T", "I"};
    ONNXTensorElementDataType f64[] = {f[0], ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64};
    top = Ort::Op::Create(info, "TopK", "", 11, ti, f64, 2, how, 3, 2, 2);
    try {
      Ort::Op::Create(info, "NoSuchOperator", "", 13, t, f, 1, nullptr, 0, 1, 1);
      std::printf("there is an operator NoSuchOperator\n");
    } catch (const Ort::Exception &) {
      std::printf("there is no operator NoSuchOperator\n");
    }
  }
  void Compute(OrtKernelContext *context) {
    Ort::KernelContext c(context);
    Ort::AllocatorWithDefaultOptions heap;
    Ort::ConstValue x = c.GetInput(0);
    int64_t rows = x.GetTensorTypeAndShapeInfo().GetShape()[0], narrow[] = {rows, 3}, two[] = {rows, 2}, one = 1;
    Ort::Value whole = Ort::Value::CreateTensor<int32_t>(heap, narrow, 2), z = Ort::Value::CreateTensor<float>(heap, narrow, 2);
    Ort::Value back = Ort::Value::CreateTensor<float>(heap, narrow, 2);
    Ort::Value k = Ort::Value::CreateTensor<int64_t>(heap, &one, 1), best = Ort::Value::CreateTensor<float>(heap, two, 2),
               where = Ort::Value::CreateTensor<int64_t>(heap, two, 2);
    *k.GetTensorMutableData<int64_t>() = 2;
    const OrtValue *gemm_in[] = {x, w, b}, *z_in[] = {z}, *whole_in[] = {whole}, *both[] = {z, back}, *top_in[] = {z, k};
    OrtValue *z_out[] = {z}, *whole_out[] = {whole}, *back_out[] = {back}, *top_out[] = {best, where}, *y[] = {c.GetOutput(0, narrow, 2)};
    gemm.Invoke(context, gemm_in, 3, z_out, 1);
    cast.Invoke(context, z_in, 1, whole_out, 1);
    uncast.Invoke(context, whole_in, 1, back_out, 1);
    less.Invoke(context, both, 2, y, 1);
    top.Invoke(context, top_in, 2, top_out, 2);
    if (turns++ < 3) /* a later run ends in between, and kernels have no order then */
      std::printf("greatest %.3f %.3f at %lld %lld\n", best.At<float>({0, 0}), best.At<float>({rows - 1, 1}),
                  static_cast<long long>(where.At<int64_t>({0, 0})), static_cast<long long>(where.At<int64_t>({rows - 1, 1})));
    if (turns == 1) std::printf("copied: %s\n", copy.GetNodeName().c_str());
  }
  Ort::Value w{nullptr}, b{nullptr};
  Ort::KernelInfo copy{nullptr};
  Ort::Op gemm{nullptr}, cast{nullptr}, uncast{nullptr}, less{nullptr}, top{nullptr};
  int turns = 0;
};
struct Wrap : Ort::CustomOpBase<Wrap, WrapKernel> {
  void *CreateKernel(const OrtApi &api, const OrtKernelInfo *info) const { return new WrapKernel(api, info); }
  const char *GetName() const { return "Wrap"; }
  size_t GetInputTypeCount() const { return 1; }
  ONNXTensorElementDataType GetInputType(size_t) const { return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT; }
  size_t GetOutputTypeCount() const { return 1; }
  ONNXTensorElementDataType GetOutputType(size_t) const { return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT; }
  static std::string &rows() { /* the symbol that it saw */
    static std::string s;
    return s;
  }
  static Ort::Status InferOutputShape(Ort::ShapeInferContext &c) {
    Ort::ShapeInferContext::Shape shape = c.GetInputShape(0);
    rows() = shape[0].IsInt() ? "" : shape[0].AsSym();
    shape[0] = -1; /* a symbol ends in -2, which the original's releases after the header's refuse */
    shape[1] = c.GetAttrInts("sizes")[1] + (c.GetAttrInt("axis") == 1 && c.GetAttrString("mode") == "wide" ? 0 : 2);
    return c.SetOutputShape(0, shape);
  }
};

/* Texts in capitals, and their lengths. */
struct LoudKernel {
  LoudKernel(const OrtApi &, const OrtKernelInfo *) {}
  void Compute(OrtKernelContext *context) {
    Ort::KernelContext c(context);
    Ort::ConstValue x = c.GetInput(0);
    std::vector<int64_t> dims = x.GetTensorTypeAndShapeInfo().GetShape();
    auto y = c.GetOutput(0, dims);
    for (size_t i = 0; i < static_cast<size_t>(dims[0]); i++) {
      std::string s = x.GetStringTensorElement(i);
      if (s.empty()) throw std::runtime_error("there is nothing to shout");
      for (char &ch : s) ch = static_cast<char>(std::toupper(static_cast<unsigned char>(ch)));
      y.FillStringTensorElement((s + "!").c_str(), i);
    }
  }
};
struct Loud : Ort::CustomOpBase<Loud, LoudKernel> {
  void *CreateKernel(const OrtApi &api, const OrtKernelInfo *info) const { return new LoudKernel(api, info); }
  const char *GetName() const { return "Loud"; }
  size_t GetInputTypeCount() const { return 1; }
  ONNXTensorElementDataType GetInputType(size_t) const { return ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING; }
  size_t GetOutputTypeCount() const { return 1; }
  ONNXTensorElementDataType GetOutputType(size_t) const { return ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING; }
};

/* Twice, for each type an operator of its own under one name. */
template <typename T>
struct TwiceKernel {
  TwiceKernel(const OrtApi &, const OrtKernelInfo *) {}
  void Compute(OrtKernelContext *context) {
    Ort::KernelContext c(context);
    Ort::ConstValue x = c.GetInput(0);
    auto info = x.GetTensorTypeAndShapeInfo();
    auto y = c.GetOutput(0, info.GetShape());
    for (size_t i = 0; i < info.GetElementCount(); i++) y.template GetTensorMutableData<T>()[i] = 2 * x.GetTensorData<T>()[i];
  }
};
template <typename T, ONNXTensorElementDataType type>
struct Twice : Ort::CustomOpBase<Twice<T, type>, TwiceKernel<T>> {
  void *CreateKernel(const OrtApi &api, const OrtKernelInfo *info) const { return new TwiceKernel<T>(api, info); }
  const char *GetName() const { return "Twice"; }
  size_t GetInputTypeCount() const { return 1; }
  ONNXTensorElementDataType GetInputType(size_t) const { return type; }
  size_t GetOutputTypeCount() const { return 1; }
  ONNXTensorElementDataType GetOutputType(size_t) const { return type; }
};

/* The elements of each of its inputs, whatever their types, and how many there are in all. */
struct CountKernel {
  CountKernel(const OrtApi &, const OrtKernelInfo *) {}
  void Compute(OrtKernelContext *context) {
    Ort::KernelContext c(context);
    int64_t n = static_cast<int64_t>(c.GetInputCount()), sum = 0;
    auto y = c.GetOutput(1, &n, 1);
    for (int64_t i = 0; i < n; i++)
      sum += y.GetTensorMutableData<int64_t>()[i] =
          static_cast<int64_t>(c.GetInput(static_cast<size_t>(i)).GetTensorTypeAndShapeInfo().GetElementCount());
    *c.GetOutput(0, nullptr, 0).GetTensorMutableData<int64_t>() = sum;
  }
};
struct Count : Ort::CustomOpBase<Count, CountKernel> {
  void *CreateKernel(const OrtApi &api, const OrtKernelInfo *info) const { return new CountKernel(api, info); }
  const char *GetName() const { return "Count"; }
  size_t GetInputTypeCount() const { return 1; }
  ONNXTensorElementDataType GetInputType(size_t) const { return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED; }
  OrtCustomOpInputOutputCharacteristic GetInputCharacteristic(size_t) const { return INPUT_OUTPUT_VARIADIC; }
  bool GetVariadicInputHomogeneity() const { return false; }
  size_t GetOutputTypeCount() const { return 2; }
  ONNXTensorElementDataType GetOutputType(size_t) const { return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64; }
};

struct Own {
  void add(Ort::CustomOpDomain &d) {
    d.Add(&wrap);
    d.Add(&loud);
    d.Add(&twice_float);
    d.Add(&twice_int);
    d.Add(&count);
  }
  Wrap wrap;
  Loud loud;
  Twice<float, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT> twice_float;
  Twice<int64_t, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64> twice_int;
  Count count;
};

#endif
