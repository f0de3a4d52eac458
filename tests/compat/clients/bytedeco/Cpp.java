// SPDX-License-Identifier: Apache-2.0
// org.bytedeco:onnxruntime: the original's C++ header compiled into a library of Java's, with names of providers that only some builds
// have. Every model of a folder: what it says of itself, and its outputs for inputs that are always the same.
import java.io.File;
import java.util.Arrays;
import org.bytedeco.javacpp.*;
import org.bytedeco.onnxruntime.*;
import static org.bytedeco.onnxruntime.global.onnxruntime.*;

public class Cpp {
  static String shape(long[] d) { return Arrays.toString(d); }

  static long[] shapeOf(TensorTypeAndShapeInfo i) {
    LongVector v = i.GetShape();
    long[] d = new long[(int) v.size()];
    for (int k = 0; k < d.length; k++) d[k] = v.get(k);
    return d;
  }

  static void show(String name, Value v) {
    if (!v.IsTensor()) { System.out.println(name + " is no tensor"); return; }
    TensorTypeAndShapeInfo i = v.GetTensorTypeAndShapeInfo();
    long n = i.GetElementCount();
    StringBuilder s = new StringBuilder(name + " " + i.GetElementType() + " " + shape(shapeOf(i)));
    if (i.GetElementType() == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) {
      FloatPointer p = v.GetTensorMutableDataFloat();
      for (long k = 0; k < n; k += Math.max(1, n / 8)) s.append(String.format(" %.5g", p.get(k)));
    } else if (i.GetElementType() == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64) {
      LongPointer p = v.GetTensorMutableDataLong();
      for (long k = 0; k < n; k += Math.max(1, n / 8)) s.append(" " + p.get(k));
    }
    System.out.println(s);
  }

  static void model(Env env, File f) {
    System.out.println("== " + f.getName());
    try {
      SessionOptions o = new SessionOptions();
      o.SetIntraOpNumThreads(1);
      o.SetGraphOptimizationLevel(ORT_ENABLE_EXTENDED);
      Session s = new Session(env, new BytePointer(f.getPath()), o);
      PointerPointer<OrtAllocator> given = new PointerPointer<>(1);
      GetApi().GetAllocatorWithDefaultOptions(given);
      OrtAllocator a = new OrtAllocator(given.get());
      int in = (int) s.GetInputCount(), out = (int) s.GetOutputCount();
      PointerPointer<BytePointer> inName = new PointerPointer<>(in), outName = new PointerPointer<>(out);
      Value first = null;
      MemoryInfo cpu = MemoryInfo.CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
      IoBinding binding = new IoBinding(s);
      boolean run = true;
      for (int k = 0; k < in; k++) {
        BytePointer name = s.GetInputNameAllocated(k, a);
        inName.put(k, name);
        TypeInfo t = s.GetInputTypeInfo(k);
        if (t.GetONNXType() != ONNX_TYPE_TENSOR) { System.out.println("in " + name.getString() + " kind " + t.GetONNXType()); run = false; continue; }
        TensorTypeAndShapeInfo i = new TensorTypeAndShapeInfo(t.GetTensorTypeAndShapeInfo());
        long[] d = shapeOf(i);
        System.out.println("in " + name.getString() + " " + i.GetElementType() + " " + shape(d));
        long n = 1;
        for (int q = 0; q < d.length; q++) n *= d[q] = d[q] < 0 ? 1 : d[q];
        if (i.GetElementType() != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) { run = false; continue; }
        FloatPointer p = new FloatPointer(Math.max(n, 1));
        for (long q = 0; q < n; q++) p.put(q, (q * 7 % 13 - 6) / 6f);
        Value v = Value.CreateTensorFloat(cpu.asOrtMemoryInfo(), p, n, new LongPointer(d), d.length);
        binding.BindInput(name, v);
        if (k == 0) first = v;
      }
      for (int k = 0; k < out; k++) {
        BytePointer name = s.GetOutputNameAllocated(k, a);
        outName.put(k, name);
        binding.BindOutput(name, cpu.asOrtMemoryInfo());
        System.out.println("out " + name.getString() + " kind " + s.GetOutputTypeInfo(k).GetONNXType());
      }
      ModelMetadata m = s.GetModelMetadata();
      System.out.println("producer " + m.GetProducerNameAllocated(a).getString() + " version " + m.GetVersion());
      if (!run) return;
      s.Run(new RunOptions(), binding);
      ValueVector bound = binding.GetOutputValues();
      for (int k = 0; k < out; k++) show("bound" + k, bound.get(k));
      if (in != 1) return;
      ValueVector y = s.Run(new RunOptions(), inName, first, in, outName, out);
      for (int k = 0; k < out; k++) show("y" + k, y.get(k));
    } catch (RuntimeException e) {
      System.out.println("thrown");
      System.err.println(f.getName() + ": " + e.getMessage());
    }
  }

  public static void main(String[] args) {
    Env env = new Env(ORT_LOGGING_LEVEL_ERROR, new BytePointer("cpp"));
    SessionOptions o = new SessionOptions();
    System.out.println("cpu " + (OrtSessionOptionsAppendExecutionProvider_CPU(o.asOrtSessionOptions(), 1) == null));
    File[] files = new File(args[0]).listFiles((d, n) -> n.endsWith(".onnx"));
    Arrays.sort(files);
    for (File f : files) model(env, f);
  }
}
