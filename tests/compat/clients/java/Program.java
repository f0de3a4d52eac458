// SPDX-License-Identifier: Apache-2.0
// What the Java package of ONNX Runtime offers for inference, over the models of ../models.py: java Program FOLDER
// It prints the same on the original's library and on whet's but for the last digits; ../compare.py knows how much.
import ai.onnxruntime.*;
import java.nio.*;
import java.nio.file.*;
import java.util.*;

public final class Program {
  private static String folder;
  private static OrtEnvironment env;

  private static void say(String format, Object... args) {
    System.out.println(args.length == 0 ? format : String.format(Locale.ROOT, format, args));
  }
  private static String at(String name) { return folder + "/" + name + ".onnx"; }

  /** What must fail: its code and the first line of its words. */
  private interface Risky { void run() throws Exception; }
  private static void fails(String what, Risky f) {
    try {
      f.run();
      say("%s: no error", what);
    } catch (OrtException e) {
      say("%s: %s %s", what, e.getCode(), e.getMessage().split("\n")[0]);
    } catch (Exception e) {
      say("%s: %s", what, e.getClass().getSimpleName());
    }
  }
  /** The same, where the two libraries have other words or codes for it. */
  private static void refuses(String what, Risky f) {
    try {
      f.run();
      say("%s: no error", what);
    } catch (Exception e) {
      say("%s: refused", what);
    }
  }

  private static int rule(long k) { return (int) ((37 * k + 11) % 101); }
  private static long count(long[] dims) {
    long n = 1;
    for (long d : dims) n *= d;
    return n;
  }

  /** A tensor of that type and shape by the rule. */
  private static OnnxTensor fill(String type, long[] dims, String fixed) throws OrtException {
    int n = (int) count(dims);
    ByteBuffer b = ByteBuffer.allocateDirect(n * 8).order(ByteOrder.nativeOrder());
    switch (type) {
      case "float":
        for (int k = 0; k < n; k++) b.asFloatBuffer().put(k, (float) (rule(k) / 50.5 - 1));
        return OnnxTensor.createTensor(env, b.asFloatBuffer().slice(0, n), dims);
      case "double":
        for (int k = 0; k < n; k++) b.asDoubleBuffer().put(k, rule(k) / 50.5 - 1);
        return OnnxTensor.createTensor(env, b.asDoubleBuffer().slice(0, n), dims);
      case "float16":
      case "bfloat16": {
        for (int k = 0; k < n; k++) {
          float v = (float) (rule(k) / 50.5 - 1);
          b.asShortBuffer().put(k, type.equals("float16") ? ai.onnxruntime.platform.Fp16Conversions.floatToFp16(v)
                                                          : ai.onnxruntime.platform.Fp16Conversions.floatToBf16(v));
        }
        return OnnxTensor.createTensor(env, b.asShortBuffer().slice(0, n), dims,
                                       type.equals("float16") ? OnnxJavaType.FLOAT16 : OnnxJavaType.BFLOAT16);
      }
      case "int64":
        for (int k = 0; k < n; k++) b.asLongBuffer().put(k, fixed.isEmpty() ? rule(k) : Long.parseLong(fixed));
        return OnnxTensor.createTensor(env, b.asLongBuffer().slice(0, n), dims);
      case "int32":
        for (int k = 0; k < n; k++) b.asIntBuffer().put(k, rule(k));
        return OnnxTensor.createTensor(env, b.asIntBuffer().slice(0, n), dims);
      case "int16":
        for (int k = 0; k < n; k++) b.asShortBuffer().put(k, (short) rule(k));
        return OnnxTensor.createTensor(env, b.asShortBuffer().slice(0, n), dims);
      case "int8":
      case "uint8":
      case "bool":
        for (int k = 0; k < n; k++) b.put(k, (byte) (type.equals("bool") ? (k % 3 == 0 ? 1 : 0) : rule(k)));
        return OnnxTensor.createTensor(env, b.slice(0, n), dims,
                                       type.equals("int8") ? OnnxJavaType.INT8 : type.equals("uint8") ? OnnxJavaType.UINT8 : OnnxJavaType.BOOL);
      case "string": {
        String[] s = new String[n];
        for (int k = 0; k < n; k++) s[k] = "s" + k + "\u00e9";
        return OnnxTensor.createTensor(env, s, dims);
      }
      default: return null; // uint16, uint32, uint64: the package makes none
    }
  }

  /** The first elements of nested arrays. */
  private static void flatten(Object v, List<Object> out) {
    if (out.size() >= 6) return;
    if (v == null || !v.getClass().isArray()) {
      out.add(v);
      return;
    }
    for (int i = 0; i < java.lang.reflect.Array.getLength(v); i++) flatten(java.lang.reflect.Array.get(v, i), out);
  }
  private static String show(OnnxValue v) throws OrtException {
    StringBuilder b = new StringBuilder(v.getType() + " " + v.getInfo() + " ");
    Object x = v.getValue();
    if (v instanceof OnnxTensor) {
      List<Object> first = new ArrayList<>();
      flatten(x, first);
      b.append(first);
    } else if (v instanceof OnnxMap) {
      b.append(((OnnxMap) v).size()).append(new TreeMap<>((Map<?, ?>) x));
    } else {
      for (Object item : (List<?>) x) b.append(item instanceof OnnxValue ? show((OnnxValue) item) : item).append(" ; ");
    }
    return b.toString();
  }
  private static void show(OrtSession.Result r) throws OrtException {
    for (Map.Entry<String, OnnxValue> e : r) say("  %s: %s", e.getKey(), show(e.getValue()));
  }

  private static void describe(OrtSession s) throws OrtException {
    say("  %d in, %d out %s %s", s.getNumInputs(), s.getNumOutputs(), s.getInputNames(), s.getOutputNames());
    for (NodeInfo n : s.getInputInfo().values()) say("  %s", n);
    for (NodeInfo n : s.getOutputInfo().values()) say("  %s", n);
  }

  /** Every model with plain inputs: from file, bytes and buffer, all outputs and some, into tensors of the caller's. */
  private static void zoo() throws Exception {
    Map<String, Map<String, String[]>> models = new LinkedHashMap<>();
    for (String line : Files.readAllLines(Path.of(folder, "cases"))) {
      String[] p = line.split("\t", -1);
      models.computeIfAbsent(p[0], k -> new LinkedHashMap<>()).put(p[1], p);
    }
    for (Map.Entry<String, Map<String, String[]>> m : models.entrySet()) {
      say("%s", Path.of(m.getKey()).getFileName());
      OrtSession.SessionOptions o = new OrtSession.SessionOptions();
      o.setIntraOpNumThreads(1);
      try (OrtSession s = env.createSession(m.getKey(), o)) {
        describe(s);
        Map<String, OnnxTensor> feeds = new LinkedHashMap<>();
        boolean whole = true;
        for (String[] p : m.getValue().values()) {
          long[] dims = p[3].isEmpty() ? new long[0] : Arrays.stream(p[3].split(",")).mapToLong(Long::parseLong).toArray();
          OnnxTensor t = fill(p[2], dims, p[4]);
          whole &= t != null;
          feeds.put(p[1], t);
        }
        if (!whole) {
          say("  a type that this client does not make");
          continue;
        }
        Map<String, OnnxTensor> own = new LinkedHashMap<>();
        try (OrtSession.Result r = s.run(feeds)) {
          show(r);
          for (Map.Entry<String, OnnxValue> e : r) {
            if (!(e.getValue() instanceof OnnxTensor)) continue;
            TensorInfo i = ((OnnxTensor) e.getValue()).getInfo();
            if (i.type == OnnxJavaType.FLOAT)
              own.put(e.getKey(), OnnxTensor.createTensor(env, ByteBuffer.allocateDirect((int) count(i.getShape()) * 4)
                                                                   .order(ByteOrder.nativeOrder()).asFloatBuffer(), i.getShape()));
          }
        }
        Set<String> last = Set.of(new ArrayList<>(s.getOutputNames()).get((int) s.getNumOutputs() - 1));
        try (OrtSession.Result r = s.run(feeds, last)) {
          say("  asked for one: %d %s", r.size(), r.get(0).getType());
        }
        if (own.size() == s.getNumOutputs())
          try (OrtSession.Result r = s.run(feeds, own)) {
            show(r);
            say("  owner: %s", r.isResultOwner(0));
          }
        byte[] bytes = Files.readAllBytes(Path.of(m.getKey()));
        try (OrtSession b = env.createSession(bytes); OrtSession.Result r = b.run(feeds)) {
          show(r);
        }
        ByteBuffer direct = ByteBuffer.allocateDirect(bytes.length);
        direct.put(bytes).rewind();
        try (OrtSession b = env.createSession(direct, o); OrtSession.Result r = b.run(feeds)) {
          show(r);
        }
        for (OnnxTensor t : feeds.values()) t.close();
        for (OnnxTensor t : own.values()) t.close();
      }
    }
  }

  private static void options() throws Exception {
    say("options");
    long[] dims = {2, 2};
    Map<String, OnnxTensor> feeds = Map.of("x", fill("float", dims, ""));
    String prefix = folder + "/profile_java_";
    try (OrtSession.SessionOptions o = new OrtSession.SessionOptions()) {
      o.setExecutionMode(OrtSession.SessionOptions.ExecutionMode.PARALLEL);
      o.setExecutionMode(OrtSession.SessionOptions.ExecutionMode.SEQUENTIAL);
      for (OrtSession.SessionOptions.OptLevel l : OrtSession.SessionOptions.OptLevel.values()) o.setOptimizationLevel(l);
      o.setInterOpNumThreads(1);
      o.setIntraOpNumThreads(2);
      o.setOptimizedModelFilePath(folder + "/optimized_java.onnx");
      o.setLoggerId("me");
      o.enableProfiling(prefix);
      o.setMemoryPatternOptimization(false);
      o.setCPUArenaAllocator(false);
      o.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
      o.setSessionLogVerbosityLevel(0);
      o.setSymbolicDimensionValue("N", 2);
      o.setDeterministicCompute(true);
      o.addConfigEntry("session.set_denormal_as_zero", "1");
      say("  entries %s", o.getConfigEntries());

      o.addCPU(true);
      try (OrtSession s = env.createSession(at("add"), o); OrtSession.Result r = s.run(feeds)) {
        describe(s);
        show(r);
        String profile = s.endProfiling();
        say("  profile %s %s", profile.startsWith(prefix), Files.size(Path.of(profile)) > 10);
        say("  started %s", s.getProfilingStartTimeInNs() > 0);
        Files.delete(Path.of(profile));
      }
      say("  optimized %s", Files.size(Path.of(folder, "optimized_java.onnx")) > 50);
    }
    OnnxTensor w = OnnxTensor.createTensor(env, new float[] {10, 20});
    try (OrtSession.SessionOptions o = new OrtSession.SessionOptions()) {
      ByteBuffer b = ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder());
      b.asFloatBuffer().put(0, 100).put(1, 200);
      OnnxTensor own = OnnxTensor.createTensor(env, b.asFloatBuffer(), new long[] {2});
      o.addInitializer("w", own);
      fails("  twice", () -> o.addInitializer("w", own));
      try (OrtSession s = env.createSession(at("add"), o); OrtSession.Result r = s.run(feeds)) {
        show(r);
      }
    }
    try (OrtSession.SessionOptions o = new OrtSession.SessionOptions()) {
      o.addExternalInitializers(Map.of("nobody", w));
      refuses("  external initialiser that is not there", () -> env.createSession(at("add"), o));
    }
    try (OrtSession.SessionOptions o = new OrtSession.SessionOptions()) {
      refuses("  cuda", () -> o.addCUDA());
      refuses("  openvino", () -> o.addOpenVINO("CPU"));
      refuses("  custom operators", () -> o.registerCustomOpLibrary("/nowhere.so"));
    }
    try (OrtSession s = env.createSession(at("add")); OrtSession.RunOptions o = new OrtSession.RunOptions()) {
      o.setLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
      o.setLogVerbosityLevel(3);
      o.setRunTag("tag");
      o.addRunConfigEntry("memory.enable_memory_arena_shrinkage", "cpu:0");
      say("  run options %s %d %s", o.getLogLevel(), o.getLogVerbosityLevel(), o.getRunTag());
    }
    try (OrtSession s = env.createSession(at("add")); OrtSession.RunOptions o = new OrtSession.RunOptions()) {
      try (OrtSession.Result r = s.run(feeds, o)) {
        show(r);
      }
      o.setTerminate(true);
      fails("  terminated", () -> s.run(feeds, o));
      o.setTerminate(false);
      try (OrtSession.Result r = s.run(feeds, Set.of("y"), o)) {
        show(r);
      }
    }
    try (OrtSession s = env.createSession(at("endless")); OrtSession.RunOptions o = new OrtSession.RunOptions()) {
      Map<String, OnnxTensor> in = Map.of("n", OnnxTensor.createTensor(env, Long.MAX_VALUE), "v", fill("float", new long[] {64}, ""));
      Timer timer = new Timer(true);
      timer.schedule(new TimerTask() {
        public void run() {
          try {
            o.setTerminate(true);
          } catch (OrtException e) {
            say("%s", e);
          }
        }
      }, 300);
      refuses("  endless", () -> s.run(in, o));
    }
  }

  private static void metadata() throws Exception {
    say("metadata");
    try (OrtSession s = env.createSession(at("add"))) {
      OnnxModelMetadata m = s.getMetadata();
      say("  %s|%s|%s|%s|%s|%d", m.getProducerName(), m.getGraphName(), m.getGraphDescription(), m.getDomain(), m.getDescription(),
          m.getVersion());
      say("  %s %s", new TreeMap<>(m.getCustomMetadata()), m.getCustomMetadataValue("nobody"));
    }
    try (OrtSession s = env.createSession(at("two"))) {
      OnnxModelMetadata m = s.getMetadata();
      say("  %s|%s|%s|%s|%d %s", m.getProducerName(), m.getGraphName(), m.getDomain(), m.getDescription(), m.getVersion(), m.getCustomMetadata());
    }
  }

  private static void errors() throws Exception {
    say("errors");
    try (OrtSession s = env.createSession(at("add"))) {
      OnnxTensor x = fill("float", new long[] {2, 2}, "");
      fails("  no input", () -> s.run(Map.of()));
      fails("  other name", () -> s.run(Map.of("z", x)));
      fails("  other type", () -> s.run(Map.of("x", fill("double", new long[] {2, 2}, ""))));
      fails("  other rank", () -> s.run(Map.of("x", fill("float", new long[] {4}, ""))));
      fails("  other size", () -> s.run(Map.of("x", fill("float", new long[] {2, 3}, ""))));
      fails("  other output", () -> s.run(Map.of("x", x), Set.of("nobody")));
      OnnxTensor small = OnnxTensor.createTensor(env, new float[1][2]);
      refuses("  small output", () -> s.run(Map.of("x", x), Map.of("y", small)));
      fails("  nothing", () -> OnnxTensor.createTensor(env, ByteBuffer.allocateDirect(0).asFloatBuffer(), new long[] {0, 2}));
      fails("  ragged", () -> OnnxTensor.createTensor(env, new float[][] {{1}, {1, 2}}));
      fails("  too few", () -> OnnxTensor.createTensor(env, FloatBuffer.allocate(3), new long[] {2, 2}));
    }
    for (String name : new String[] {"broken", "unknown_op", "nowhere"}) refuses("  " + name, () -> env.createSession(at(name)));
    refuses("  bytes", () -> env.createSession(new byte[] {1, 2, 3}));
  }

  /** Tensors from arrays, and their buffers. */
  private static void tensors() throws Exception {
    say("tensors");
    Object[] arrays = {new float[][] {{1, 2}, {3, 4}}, new double[] {1, 2}, new long[][][] {{{1}, {2}}}, new int[] {5}, new short[] {6, 7},
                       new byte[] {8}, new boolean[][] {{true, false}}, new String[][] {{"a", "b\u00e9"}, {"", "d"}}, 3.5f, 4L, "text", true};
    for (Object a : arrays)
      try (OnnxTensor t = OnnxTensor.createTensor(env, a)) {
        say("  %s owns %s", show(t), t.ownsBuffer());
        if (t.getInfo().type == OnnxJavaType.FLOAT) say("  %s", t.getFloatBuffer().get(0));
      }
    try (OnnxTensor t = fill("float16", new long[] {2, 3}, "")) {
      say("  %s %s", t.getFloatBuffer().get(1), Arrays.deepToString((float[][]) t.getValue()));
    }
  }

  public static void main(String[] args) throws Exception {
    folder = args[0];
    env = OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, "program");
    env.setTelemetry(false);
    say("cpu %s", OrtEnvironment.getAvailableProviders().contains(OrtProvider.CPU));
    say("training %s", env.isTrainingEnabled());
    metadata();
    tensors();
    zoo();
    options();
    errors();
    env.close();
  }
}
