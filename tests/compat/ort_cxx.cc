/* SPDX-License-Identifier: Apache-2.0 */
/* The classic C++ program over onnxruntime_cxx_api.h: ort_cxx MODEL. Exits with 0 when a model of one float input and its
 * bound and unbound runs agree, and failures are thrown. */

#include <onnxruntime_cxx_api.h>

#include <cstdio>
#include <cstring>

/* What is wrong, or NULL. */
static const char *check(const char *path) {
  Ort::Env env(ORT_LOGGING_LEVEL_WARNING, "classic");
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(1).SetGraphOptimizationLevel(ORT_ENABLE_ALL).AddConfigEntry("key", "value");
  if (options.Clone().GetConfigEntry("key") != "value") return "options";
  Ort::Session session(env, path, options);
  Ort::AllocatorWithDefaultOptions allocator;
  auto in = session.GetInputNameAllocated(0, allocator), out = session.GetOutputNameAllocated(0, allocator);
  if (session.GetInputNames().at(0) != in.get()) return "names";
  Ort::TypeInfo type = session.GetInputTypeInfo(0);
  if (type.GetONNXType() != ONNX_TYPE_TENSOR) return "type";
  std::vector<int64_t> shape = type.GetTensorTypeAndShapeInfo().GetShape();
  size_t count = 1;
  for (int64_t &d : shape) count *= static_cast<size_t>(d = d < 0 ? 1 : d);
  std::vector<float> x(count, 1.0f);
  auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  Ort::Value input = Ort::Value::CreateTensor<float>(memory, x.data(), x.size(), shape.data(), shape.size());
  const char *in_name[] = {in.get()}, *out_name[] = {out.get()};
  auto y = session.Run(Ort::RunOptions{nullptr}, in_name, &input, 1, out_name, 1);
  auto info = y.at(0).GetTensorTypeAndShapeInfo();
  if (info.GetElementType() != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT || !info.GetElementCount()) return "output";

  Ort::IoBinding binding(session);
  binding.BindInput(in.get(), input);
  binding.BindOutput(out.get(), memory);
  session.Run(Ort::RunOptions{}, binding);
  auto z = binding.GetOutputValues();
  size_t bytes = y[0].GetTensorSizeInBytes();
  if (z.size() != 1 || z[0].GetTensorSizeInBytes() != bytes) return "binding";
  if (std::memcmp(z[0].GetTensorRawData(), y[0].GetTensorRawData(), bytes) != 0) return "a bound run differs";
  if (binding.GetOutputNames().at(0) != out.get()) return "bound names";
  if (session.GetModelMetadata().LookupCustomMetadataMapAllocated("no such key", allocator)) return "metadata";

  std::vector<const char *> text = {"a", "", "bcd"};
  int64_t n = 3;
  Ort::Value strings = Ort::Value::CreateTensor(allocator, &n, 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
  strings.FillStringTensor(text.data(), text.size());
  if (strings.GetStringTensorElement(2) != "bcd") return "strings";
  try {
    session.Run(Ort::RunOptions{nullptr}, in_name, &strings, 1, out_name, 1);
    return "strings are taken for floats";
  } catch (const Ort::Exception &e) {
    if (e.GetOrtErrorCode() != ORT_INVALID_ARGUMENT) return e.what();
  }
  return nullptr;
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  try {
    const char *wrong = check(argv[1]);
    if (wrong) std::fprintf(stderr, "%s\n", wrong);
    return wrong != nullptr;
  } catch (const std::exception &e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
