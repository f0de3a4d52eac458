// SPDX-License-Identifier: Apache-2.0
// DJL's engine of ONNX Runtime over the models of ../models.py: java Djl FOLDER. Prints what each gives and what is refused.
import ai.djl.*;
import ai.djl.engine.*;
import ai.djl.inference.*;
import ai.djl.ndarray.*;
import ai.djl.ndarray.types.*;
import ai.djl.repository.zoo.*;
import ai.djl.translate.*;
import java.nio.*;
import java.nio.file.*;
import java.util.*;

public final class Djl {
  private static final Map<String, DataType> TYPES =
      Map.of("float", DataType.FLOAT32, "double", DataType.FLOAT64, "float16", DataType.FLOAT16, "int8", DataType.INT8, "uint8", DataType.UINT8,
             "int32", DataType.INT32, "int64", DataType.INT64, "bool", DataType.BOOLEAN);

  private static NDArray fill(NDManager m, String name, String type, long[] dims, String fixed) {
    Shape shape = new Shape(dims);
    int n = (int) shape.size();
    NDArray a;
    if (type.equals("string")) {
      String[] s = new String[n];
      for (int k = 0; k < n; k++) s[k] = "s" + k;
      a = m.create(s, java.nio.charset.StandardCharsets.UTF_8, shape);
    } else {
      DataType t = TYPES.get(type);
      if (t == null) return null;
      ByteBuffer b = m.allocateDirect(n * t.getNumOfBytes());
      for (int k = 0; k < n; k++) {
        int r = (37 * k + 11) % 101;
        float f = (float) (r / 50.5 - 1);
        switch (t) {
          case FLOAT32: b.putFloat(f); break;
          case FLOAT64: b.putDouble(r / 50.5 - 1); break;
          case FLOAT16: b.putShort(ai.onnxruntime.platform.Fp16Conversions.floatToFp16(f)); break;
          case INT32: b.putInt(r); break;
          case INT64: b.putLong(fixed.isEmpty() ? r : Long.parseLong(fixed)); break;
          case BOOLEAN: b.put((byte) (k % 3 == 0 ? 1 : 0)); break;
          default: b.put((byte) r);
        }
      }
      b.rewind();
      a = m.create(b, shape, t);
    }
    a.setName(name);
    return a;
  }

  private static String show(NDArray a) {
    StringBuilder s = new StringBuilder("  " + a.getDataType() + " " + a.getShape());
    if (a.getDataType() == DataType.STRING) return s + " " + Arrays.toString(a.toStringArray());
    ByteBuffer b = a.toByteBuffer().order(ByteOrder.nativeOrder());
    int each = a.getDataType().getNumOfBytes();
    for (int k = 0; k < 8 && b.remaining() >= each; k++) {
      switch (a.getDataType()) {
        case FLOAT32: s.append(String.format(Locale.ROOT, " %.6f", b.getFloat())); break;
        case FLOAT64: s.append(String.format(Locale.ROOT, " %.6f", b.getDouble())); break;
        case FLOAT16: case INT16: s.append(" " + b.getShort()); break;
        case INT32: s.append(" " + b.getInt()); break;
        case INT64: s.append(" " + b.getLong()); break;
        default: s.append(" " + b.get());
      }
    }
    return s.toString();
  }

  private static ZooModel<NDList, NDList> open(Path at, String... options) throws Exception {
    Criteria.Builder<NDList, NDList> c =
        Criteria.builder().setTypes(NDList.class, NDList.class).optModelPath(at).optEngine("OnnxRuntime").optTranslator(new NoopTranslator());
    for (int i = 0; i < options.length; i += 2) c.optOption(options[i], options[i + 1]);
    return c.build().loadModel();
  }

  private static void run(Path at, List<String[]> inputs) throws Exception {
    System.out.println(at.getFileName());
    try (ZooModel<NDList, NDList> model = open(at, "interOpNumThreads", "1", "intraOpNumThreads", "1", "executionMode", "SEQUENTIAL", "optLevel",
                                               "ALL_OPT", "memoryPatternOptimization", "true", "cpuArenaAllocator", "true");
         Predictor<NDList, NDList> p = model.newPredictor(); NDManager m = model.getNDManager().newSubManager()) {
      System.out.println("  " + model.describeInput());
      NDList in = new NDList();
      for (String[] i : inputs) {
        long[] dims = i[3].isEmpty() ? new long[0] : Arrays.stream(i[3].split(",")).mapToLong(Long::parseLong).toArray();
        NDArray a = fill(m, i[1], i[2], dims, i[4]);
        if (a == null) {
          System.out.println("  no such type here");
          return;
        }
        in.add(a);
      }
      for (int k = 0; k < 2; k++)
        for (NDArray a : p.predict(in)) System.out.println(a.getName() + show(a));
    }
  }

  private static void refused(String what, Path at, String... options) {
    try (ZooModel<NDList, NDList> model = open(at, options)) {
      System.out.println(what + ": opened");
    } catch (Exception e) {
      System.out.println(what + ": " + e.getClass().getSimpleName());
    }
  }

  public static void main(String[] args) throws Exception {
    Path folder = Paths.get(args[0]).toAbsolutePath();
    Map<String, List<String[]>> cases = new LinkedHashMap<>();
    for (String line : Files.readAllLines(folder.resolve("cases"))) {
      String[] f = Arrays.copyOf(line.split("\t"), 5);
      if (f[3] == null) f[3] = "";
      if (f[4] == null) f[4] = "";
      cases.computeIfAbsent(f[0], k -> new ArrayList<>()).add(f);
    }
    System.out.println(Engine.getEngine("OnnxRuntime").getEngineName() + " on " + Engine.getEngine("OnnxRuntime").defaultDevice());
    for (Map.Entry<String, List<String[]>> e : cases.entrySet()) {
      try {
        run(Paths.get(e.getKey()), e.getValue());
      } catch (Exception x) {
        System.out.println("  " + x.getClass().getSimpleName());
      }
    }
    refused("broken", folder.resolve("broken.onnx"));
    refused("unknown operator", folder.resolve("unknown_op.onnx"));
    refused("profile", folder.resolve("add.onnx"), "profilerOutput", "djl_profile");
    refused("log", folder.resolve("add.onnx"), "sessionLogLevel", "0", "customOpLibrary", "/nowhere.so");
    try (ZooModel<NDList, NDList> model = open(folder.resolve("two.onnx")); Predictor<NDList, NDList> p = model.newPredictor()) {
      NDManager m = model.getNDManager();
      p.predict(new NDList(m.create(new float[4], new Shape(1, 4))));
    } catch (Exception e) {
      System.out.println("one input of two: " + e.getClass().getSimpleName());
    }
  }
}
