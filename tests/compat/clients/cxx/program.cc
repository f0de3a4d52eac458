/* SPDX-License-Identifier: Apache-2.0 */
/* What the original's C++ header offers for inference, over the models of ../models.py: program FOLDER [LIBRARY]. Custom operators
 * are in ops.h; with LIBRARY, which holds operators, the folder's models alone are run. It prints the same on the original's library and on whet's but for the last digits. */

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "ops.h"

static Ort::AllocatorWithDefaultOptions &heap() {
  static Ort::AllocatorWithDefaultOptions a;
  return a;
}

/* The number that element k of an input is. */
static int64_t rule(size_t k) { return static_cast<int64_t>((37 * k + 11) % 101); }
static double real(size_t k) { return static_cast<double>(rule(k)) / 50.5 - 1.0; }

static size_t count_of(const std::vector<int64_t> &dims) {
  size_t n = 1;
  for (int64_t d : dims) n *= static_cast<size_t>(d);
  return n;
}

template <typename T>
static Ort::Value make(const std::vector<int64_t> &dims, std::function<T(size_t)> f) {
  Ort::Value v = Ort::Value::CreateTensor<T>(heap(), dims.data(), dims.size());
  for (size_t k = 0; k < count_of(dims); k++) v.GetTensorMutableData<T>()[k] = f(k);
  return v;
}

/* A tensor of that type and shape by the rule. */
static Ort::Value fill(const std::string &kind, const std::vector<int64_t> &dims, const std::string &fixed) {
  if (kind == "float") return make<float>(dims, [](size_t k) { return static_cast<float>(real(k)); });
  if (kind == "double") return make<double>(dims, real);
  if (kind == "float16") return make<Ort::Float16_t>(dims, [](size_t k) { return Ort::Float16_t(static_cast<float>(real(k))); });
  if (kind == "bfloat16") return make<Ort::BFloat16_t>(dims, [](size_t k) { return Ort::BFloat16_t(static_cast<float>(real(k))); });
  if (kind == "int8") return make<int8_t>(dims, [](size_t k) { return static_cast<int8_t>(rule(k)); });
  if (kind == "int16") return make<int16_t>(dims, [](size_t k) { return static_cast<int16_t>(rule(k)); });
  if (kind == "int32") return make<int32_t>(dims, [](size_t k) { return static_cast<int32_t>(rule(k)); });
  if (kind == "int64") return make<int64_t>(dims, [&](size_t k) { return fixed.empty() ? rule(k) : std::stoll(fixed); });
  if (kind == "uint8") return make<uint8_t>(dims, [](size_t k) { return static_cast<uint8_t>(rule(k)); });
  if (kind == "uint16") return make<uint16_t>(dims, [](size_t k) { return static_cast<uint16_t>(rule(k)); });
  if (kind == "uint32") return make<uint32_t>(dims, [](size_t k) { return static_cast<uint32_t>(rule(k)); });
  if (kind == "uint64") return make<uint64_t>(dims, [](size_t k) { return static_cast<uint64_t>(rule(k)); });
  if (kind == "bool") return make<bool>(dims, [](size_t k) { return k % 3 == 0; });
  Ort::Value v = Ort::Value::CreateTensor(heap(), dims.data(), dims.size(), ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
  for (size_t k = 0; k < count_of(dims); k++) v.FillStringTensorElement(("s" + std::to_string(k) + "\xc3\xa9").c_str(), k);
  return v;
}

template <typename T>
static void numbers(const Ort::ConstValue &v, size_t n, const char *format) {
  for (size_t k = 0; k < n && k < 6; k++) std::printf(format, static_cast<double>(v.GetTensorData<T>()[k]));
}

/* One value in a line. */
static void show(const Ort::ConstValue &v) {
  if (!v.IsTensor()) {
    size_t n = v.GetCount();
    std::printf(" kind %d of %zu [", v.GetTypeInfo().GetONNXType(), n);
    for (size_t i = 0; i < n; i++) {
      Ort::Value item = v.GetValue(static_cast<int>(i), heap());
      show(item.GetConst());
    }
    std::printf(" ]");
    return;
  }
  auto info = v.GetTensorTypeAndShapeInfo();
  size_t n = info.GetElementCount();
  std::printf(" type %d (", info.GetElementType());
  for (int64_t d : info.GetShape()) std::printf(" %" PRId64, d);
  std::printf(" )");
  double sum = 0;
  switch (info.GetElementType()) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
      numbers<float>(v, n, " %.6f");
      for (size_t k = 0; k < n; k++) sum += v.GetTensorData<float>()[k];
      std::printf(" sum %.3f", sum);
      break;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
      numbers<double>(v, n, " %.6f");
      break;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
      numbers<int64_t>(v, n, " %.0f");
      break;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
      numbers<int32_t>(v, n, " %.0f");
      break;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING:
      std::printf(" %zu bytes", v.GetStringTensorDataLength());
      for (size_t k = 0; k < n && k < 6; k++) std::printf(" '%s'", v.GetStringTensorElement(k).c_str());
      break;
    default:
      for (size_t k = 0; k < n && k < 6; k++) std::printf(" %02x", static_cast<const uint8_t *>(v.GetTensorRawData())[k]);
  }
}

/* What fails says its code. */
static void tried(const char *what, const std::function<void()> &f) {
  try {
    f();
    std::printf("%s: fine\n", what);
  } catch (const Ort::Exception &e) {
    std::printf("%s: code %d\n", what, e.GetOrtErrorCode());
  }
}

static void describe(const char *what, const std::string &name, const Ort::TypeInfo &type) {
  std::printf("%s %s kind %d", what, name.c_str(), type.GetONNXType());
  if (type.GetONNXType() == ONNX_TYPE_TENSOR) {
    auto t = type.GetTensorTypeAndShapeInfo();
    std::printf(" of %d (", t.GetElementType());
    std::vector<int64_t> dims = t.GetShape();
    std::vector<const char *> names(dims.size());
    if (!dims.empty()) t.GetSymbolicDimensions(names.data(), names.size());
    for (size_t i = 0; i < dims.size(); i++) std::printf(" %" PRId64 "'%s'", dims[i], names[i]);
    std::printf(" )");
  }
  std::printf("\n");
}

static void describe(Ort::Session &s) {
  for (size_t i = 0; i < s.GetInputCount(); i++) describe("in", s.GetInputNameAllocated(i, heap()).get(), s.GetInputTypeInfo(i));
  for (size_t i = 0; i < s.GetOutputCount(); i++) describe("out", s.GetOutputNameAllocated(i, heap()).get(), s.GetOutputTypeInfo(i));
}

struct Input {
  std::string name, kind, fixed;
  std::vector<int64_t> dims;
};

/* Run by names, and bound: in both ways the same. */
static void run_model(Ort::Env &env, const std::string &path, const std::vector<Input> &inputs, const char *library) {
  std::printf("== %s\n", path.substr(path.rfind('/') + 1).c_str());
  Ort::SessionOptions o;
  if (library) o.RegisterCustomOpsLibrary(library);
  o.SetIntraOpNumThreads(1).SetInterOpNumThreads(1).SetGraphOptimizationLevel(ORT_ENABLE_ALL);
  Ort::Session s(env, path.c_str(), o);
  describe(s);
  std::vector<const char *> in_name, out_name;
  std::vector<std::string> outs;
  std::vector<Ort::Value> in;
  for (const Input &x : inputs) {
    in_name.push_back(x.name.c_str());
    in.push_back(fill(x.kind, x.dims, x.fixed));
  }
  for (size_t i = 0; i < s.GetOutputCount(); i++) outs.push_back(s.GetOutputNameAllocated(i, heap()).get());
  for (const std::string &n : outs) out_name.push_back(n.c_str());
  auto y = s.Run(Ort::RunOptions{nullptr}, in_name.data(), in.data(), in.size(), out_name.data(), out_name.size());
  for (size_t i = 0; i < y.size(); i++) {
    std::printf("%s", out_name[i]);
    show(y[i].GetConst());
    std::printf("\n");
  }
  Ort::IoBinding b(s);
  for (size_t i = 0; i < in.size(); i++) b.BindInput(in_name[i], in[i]);
  for (const char *n : out_name) b.BindOutput(n, Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault));
  s.Run(Ort::RunOptions{}, b);
  auto z = b.GetOutputValues();
  for (size_t i = 0; i < z.size(); i++) {
    std::printf("bound");
    show(z[i].GetConst());
    std::printf("\n");
  }
}

static void metadata(Ort::Env &env, const std::string &folder) {
  Ort::Session s(env, (folder + "/add.onnx").c_str(), Ort::SessionOptions{});
  Ort::ModelMetadata m = s.GetModelMetadata();
  std::printf("%s|%s|%s|%s|%" PRId64 "\n", m.GetProducerNameAllocated(heap()).get(), m.GetGraphNameAllocated(heap()).get(),
              m.GetDomainAllocated(heap()).get(), m.GetGraphDescriptionAllocated(heap()).get(), m.GetVersion());
  std::map<std::string, std::string> sorted;
  for (auto &key : m.GetCustomMetadataMapKeysAllocated(heap()))
    sorted[key.get()] = m.LookupCustomMetadataMapAllocated(key.get(), heap()).get();
  for (auto &p : sorted) std::printf("%s = %s\n", p.first.c_str(), p.second.c_str());
  std::printf("none: %d\n", m.LookupCustomMetadataMapAllocated("no such key", heap()) == nullptr);
}

/* Values that are no tensors, from the caller and to it. */
static void kinds(Ort::Env &env, const std::string &folder) {
  std::vector<Ort::Value> items;
  items.push_back(fill("float", {2}, ""));
  items.push_back(fill("float", {3}, ""));
  Ort::Value seq = Ort::Value::CreateSequence(items);
  show(seq.GetConst());
  std::printf("\n");
  Ort::Session s(env, (folder + "/seq_in.onnx").c_str(), Ort::SessionOptions{});
  describe(s);
  const char *in[] = {"s"}, *out[] = {"n", "all"};
  for (auto &y : s.Run(Ort::RunOptions{}, in, &seq, 1, out, 2)) show(y.GetConst());
  std::printf("\n");
  Ort::Value keys = Ort::Value::CreateTensor(heap(), std::vector<int64_t>{2}.data(), 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
  const char *text[] = {"b", "d"};
  keys.FillStringTensor(text, 2);
  Ort::Value values = fill("float", {2}, ""), map = Ort::Value::CreateMap(keys, values);
  show(map.GetConst());
  std::printf("\n");
  Ort::Session m(env, (folder + "/map_in.onnx").c_str(), Ort::SessionOptions{});
  describe(m);
  const char *map_in[] = {"m"}, *map_out[] = {"y"};
  show(m.Run(Ort::RunOptions{}, map_in, &map, 1, map_out, 1)[0].GetConst());
  std::printf("\n");
  Ort::Value none{nullptr};
  std::printf("empty: %d\n", !none);
}

/* What is wrong. */
static void errors(Ort::Env &env, const std::string &folder) {
  Ort::SessionOptions o;
  tried("no file", [&] { Ort::Session(env, (folder + "/absent.onnx").c_str(), o); });
  tried("broken", [&] { Ort::Session(env, (folder + "/broken.onnx").c_str(), o); });
  Ort::Session s(env, (folder + "/two.onnx").c_str(), o);
  const char *in[] = {"a", "b"}, *out[] = {"sum"}, *no[] = {"nobody"};
  std::vector<Ort::Value> good, bad;
  good.push_back(fill("float", {2, 4}, ""));
  good.push_back(fill("float", {2, 4}, ""));
  bad.push_back(fill("float", {2, 3}, ""));
  bad.push_back(fill("int32", {2, 4}, ""));
  bad.push_back(fill("float", {2, 4}, ""));
  tried("one input", [&] { s.Run(Ort::RunOptions{}, in, good.data(), 1, out, 1); });
  tried("shape", [&] { s.Run(Ort::RunOptions{}, in, bad.data(), 2, out, 1); });
  tried("type", [&] { s.Run(Ort::RunOptions{}, in, bad.data() + 1, 2, out, 1); });
  tried("name of an output", [&] { s.Run(Ort::RunOptions{}, in, good.data(), 2, no, 1); });
  tried("name of an input", [&] { s.Run(Ort::RunOptions{}, no, good.data(), 1, out, 1); });
  const char *word = "word";
  Ort::Value words = fill("string", {2}, "");
  tried("string of floats", [&] { good[0].GetStringTensorElement(0); });
  tried("length of floats", [&] { good[0].GetStringTensorDataLength(); });
  tried("length of one float", [&] { good[0].GetStringTensorElementLength(0); });
  tried("words to floats", [&] { good[0].FillStringTensor(&word, 1); });
  tried("word to floats", [&] { good[0].FillStringTensorElement(word, 0); });
  tried("room in floats", [&] { good[0].GetResizedStringTensorElementBuffer(0, 4); });
  tried("too few words", [&] { words.FillStringTensor(&word, 1); });
  tried("word past the end", [&] { words.FillStringTensorElement(word, 2); });
  tried("string past the end", [&] { words.GetStringTensorElement(2); });
  tried("room past the end", [&] { words.GetResizedStringTensorElementBuffer(2, 4); });
  tried("words at", [&] { words.At<float>({0}); });
  tried("count of a tensor", [&] { good[0].GetCount(); });
  tried("no items", [&] { Ort::Value::CreateSequence(std::vector<Ort::Value>()); });
  tried("map of words", [&] { Ort::Value::CreateMap(good[0], words); });
  tried("negative", [&] { fill("float", {-2}, ""); });
  tried("no such type", [&] { Ort::Value::CreateTensor(heap(), nullptr, 0, ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED); });
  tried("element", [&] { good[0].At<float>({5, 5}); });
  tried("index", [&] { s.GetInputNameAllocated(7, heap()); });
  tried("item", [&] { good[0].GetValue(0, heap()); });
  Ort::RunOptions stop;
  stop.SetTerminate();
  tried("terminated", [&] { s.Run(stop, in, good.data(), 2, out, 1); });
  stop.UnsetTerminate();
  tried("again", [&] { s.Run(stop, in, good.data(), 2, out, 1); });
  std::printf("%s %d\n", stop.SetRunTag("tag").GetRunTag(), stop.SetRunLogSeverityLevel(3).GetRunLogSeverityLevel());
  float mine[8];
  Ort::MemoryInfo cpu = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
  std::vector<int64_t> dims{2, 4};
  Ort::Value own = Ort::Value::CreateTensor<float>(cpu, mine, 8, dims.data(), 2);
  s.Run(Ort::RunOptions{}, in, good.data(), 2, out, &own, 1);
  show(own.GetConst());
  std::printf(" %d %.4f\n", own.GetTensorMutableData<float>() == mine, own.At<float>({1, 2}));
  tried("too small", [&] { Ort::Value::CreateTensor<float>(cpu, mine, 7, dims.data(), 2); });
  auto where = own.GetTensorMemoryInfo();
  std::printf("%s %d %d\n", where.GetAllocatorName().c_str(), where.GetDeviceId(), where.GetDeviceType());
}

static void attributes() {
  int64_t one = 7, ints[] = {1, -2, 3};
  float real_one = 0.5f, reals[] = {1.5f, 2.5f};
  const char *words[] = {"one", "", "three"};
  struct {
    OrtOpAttrType type;
    const void *data;
    int n;
  } made[] = {{ORT_OP_ATTR_INT, &one, 1},        {ORT_OP_ATTR_INTS, ints, 3},         {ORT_OP_ATTR_FLOAT, &real_one, 1},
              {ORT_OP_ATTR_FLOATS, reals, 2},    {ORT_OP_ATTR_STRING, "abcdef", 4},   {ORT_OP_ATTR_STRINGS, words, 3},
              {ORT_OP_ATTR_INTS, ints, 0},       {static_cast<OrtOpAttrType>(7), ints, 1}, {ORT_OP_ATTR_UNDEFINED, ints, 1}};
  for (auto &x : made) {
    OrtOpAttr *a = nullptr;
    Ort::Status st(Ort::GetApi().CreateOpAttr("name", x.data, x.n, x.type, &a));
    std::printf("attribute %d: %d\n", x.type, st.IsOK() ? 0 : st.GetErrorCode());
    if (!st.IsOK()) continue;
    for (int as = ORT_OP_ATTR_INT; as <= ORT_OP_ATTR_STRINGS; as++) {
      unsigned char bytes[64] = {0};
      size_t need = 99;
      Ort::Status few(Ort::GetApi().ReadOpAttr(a, static_cast<OrtOpAttrType>(as), bytes, 1, &need));
      std::printf(" as %d: %d %zu", as, few.IsOK(), need);
      Ort::Status all(Ort::GetApi().ReadOpAttr(a, static_cast<OrtOpAttrType>(as), bytes, sizeof bytes, &need));
      std::printf(" %d %zu:", all.IsOK(), need);
      for (size_t k = 0; all.IsOK() && k < need; k++) std::printf(" %02x", bytes[k]);
      std::printf("\n");
    }
    Ort::GetApi().ReleaseOpAttr(a);
  }
}

/* A model that uses operators of ops.h. */
static void own_ops(Ort::Env &env, const std::string &folder) {
  Ort::CustomOpDomain domain("org.example");
  Own own;
  own.add(domain);
  Ort::SessionOptions o;
  o.SetIntraOpNumThreads(1);
  o.Add(domain);
  Ort::Session s(env, (folder + "/own_ops.onnx").c_str(), o);
  describe(s);
  std::printf("rows %s\n", Wrap::rows().c_str());
  const char *in[] = {"x", "words", "n"}, *out[] = {"wrapped", "loud", "twice", "twice_n", "all", "counts"};
  for (int64_t rows : {2, 3, 2}) {
    std::vector<Ort::Value> v;
    v.push_back(fill("float", {rows, 4}, ""));
    v.push_back(fill("string", {rows}, ""));
    v.push_back(fill("int64", {rows}, ""));
    auto y = s.Run(Ort::RunOptions{}, in, v.data(), 3, out, 6);
    for (size_t i = 0; i < y.size(); i++) {
      std::printf("%s", out[i]);
      show(y[i].GetConst());
      std::printf("\n");
    }
  }
  std::vector<Ort::Value> v;
  v.push_back(fill("float", {2, 4}, ""));
  std::vector<int64_t> two{2};
  v.push_back(Ort::Value::CreateTensor(heap(), two.data(), 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING)); /* empty texts */
  v.push_back(fill("int64", {2}, ""));
  tried("thrown", [&] { s.Run(Ort::RunOptions{}, in, v.data(), 3, out, 6); });
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  std::string folder = argv[1], line;
  try {
    Ort::Env env(ORT_LOGGING_LEVEL_FATAL, "clients");
    auto section = [](const char *name, const std::function<void()> &f) {
      std::printf("# %s\n", name);
      try {
        f();
      } catch (const Ort::Exception &e) {
        std::printf("failed: code %d\n", e.GetOrtErrorCode());
        std::fprintf(stderr, "%s: %s\n", name, e.what());
      }
    };
    const char *library = argc > 2 ? argv[2] : nullptr;
    if (!library) {
      section("metadata", [&] { metadata(env, folder); });
      section("kinds", [&] { kinds(env, folder); });
      section("errors", [&] { errors(env, folder); });
      section("attributes", attributes);
      section("own operators", [&] { own_ops(env, folder); });
    }
    std::ifstream cases(folder + "/cases");
    std::string path;
    std::vector<Input> inputs;
    auto flush = [&] {
      if (!path.empty()) section("model", [&] { run_model(env, path, inputs, library); });
      inputs.clear();
    };
    while (std::getline(cases, line)) {
      std::vector<std::string> part;
      std::istringstream cut(line);
      for (std::string p; std::getline(cut, p, '\t');) part.push_back(p);
      if (part.size() < 3) continue;
      if (part[0] != path) flush(), path = part[0];
      Input x{part[1], part[2], part.size() > 4 ? part[4] : "", {}};
      std::istringstream dims(part.size() > 3 ? part[3] : "");
      for (std::string d; std::getline(dims, d, ',');) x.dims.push_back(std::stoll(d));
      inputs.push_back(x);
    }
    flush();
  } catch (const std::exception &e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return 0;
}
