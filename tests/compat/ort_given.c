/* SPDX-License-Identifier: Apache-2.0 */
/* What callers of ONNX Runtime's interface give in place of a model's own: initialisers, and files of external data.
 */

#include <stdlib.h>

#include "compat/ort_test.h"
#include "lib/build.h"

static const int64_t k_2[] = {2}, k_3[] = {3};

/* y[2] = x[2] + w[2] * w[2]; w, {1, 2}, in the model, or at byte 4 of the file w.bin. The product is folded. input: w
 * is one, too. */
static buf model_with(bool external, bool input) {
  buf graph = {0}, w = ox_tensor("w", 1, 1, k_2, (float[]){1, 2}, external ? 0 : 8);
  const char *const kv[][2] = {{"location", "w.bin"}, {"offset", "4"}};
  for (int i = 0; external && i < 2; i++) {
    buf e = {0};
    pb_str(&e, 1, kv[i][0]);
    pb_str(&e, 2, kv[i][1]);
    pb_msg(&w, 13, &e);
  }
  if (external) pb_int(&w, 14, 1);
  ox_add_init(&graph, w);
  ox_add_node(&graph, ox_node("Mul", "w,w", "ww", NULL));
  ox_add_node(&graph, ox_node("Add", "x,ww", "y", NULL));
  ox_add_in(&graph, ox_info("x", 1, 1, k_2, NULL));
  if (input) ox_add_in(&graph, ox_info("w", 1, 1, k_2, NULL));
  ox_add_out(&graph, ox_info("y", 1, 1, k_2, NULL));
  return ox_model(graph, 8, 17);
}

static buf model(bool external) { return model_with(external, false); }

/* A tensor over the caller's memory. */
static OrtValue *over(void *data, size_t n, ONNXTensorElementDataType type) {
  return tensor_over(data, n * 4, n == 2 ? k_2 : k_3, 1, type);
}

/* Open with options, which are let go of. */
static OrtStatus *open_with(OrtSessionOptions *o, bool external, OrtSession **s) {
  buf b = model(external);
  OrtStatus *st = g->CreateSessionFromArray(s_env, b.p, b.n, o, s);
  g->ReleaseSessionOptions(o);
  buf_free(&b);
  return st;
}

/* The session, which is let go of, answers a and b for zeros. */
static void gives(OrtSession *s, float a, float b) {
  float x[2] = {0}, *y;
  const char *name_in = "x", *name_out = "y";
  const OrtValue *in = over(x, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
  OrtValue *out = NULL;
  OK(g->Run(s, NULL, &name_in, &in, 1, &name_out, 1, &out));
  OK(g->GetTensorMutableData(out, (void **)&y));
  if (y[0] != a || y[1] != b) fail_msg("%g %g, expected %g %g", (double)y[0], (double)y[1], (double)a, (double)b);
  g->ReleaseValue(out);
  g->ReleaseValue((OrtValue *)in);
  g->ReleaseSession(s);
}

static void initializer(void **state) {
  (void)state;
  float own[] = {3, 4, 5};
  OrtSessionOptions *o, *copy;
  OrtSession *s;
  OrtValue *w = over(own, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
  OK(g->CreateSessionOptions(&o));
  OK(g->AddInitializer(o, "w", w));
  OK(g->AddInitializer(o, "nobody", w)); /* without effect, as with the original */
  refused(g->AddInitializer(o, "w", w), ORT_INVALID_ARGUMENT, "already been added");
  refused(g->AddInitializer(o, NULL, w), ORT_INVALID_ARGUMENT, "name");
  refused(g->AddInitializer(o, "v", NULL), ORT_INVALID_ARGUMENT, "nullptr");
  OK(g->CloneSessionOptions(o, &copy));
  g->ReleaseValue(w); /* the handle; its memory is the caller's */
  OK(open_with(o, false, &s));
  gives(s, 9, 16);
  own[0] = 10;
  OK(open_with(copy, true, &s)); /* the file is not looked for */
  gives(s, 100, 16);
}

/* Values of an allocator live as long as the session. */
static void owned(void **state) {
  (void)state;
  OrtSessionOptions *o;
  OrtSession *s;
  OrtValue *w;
  float *p;
  OK(g->CreateTensorAsOrtValue(s_alloc, k_2, 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &w));
  OK(g->GetTensorMutableData(w, (void **)&p));
  p[0] = 5, p[1] = 6;
  OK(g->CreateSessionOptions(&o));
  OK(g->AddInitializer(o, "w", w));
  g->ReleaseValue(w);
  OK(open_with(o, false, &s));
  gives(s, 25, 36);
}

static void misfits(void **state) {
  (void)state;
  float own[] = {3, 4, 5};
  OrtSession *s;
  for (int wrong = 0; wrong < 4; wrong++) {
    OrtSessionOptions *o;
    const char *name = wrong == 3 ? "nobody" : "w";
    const OrtValue *w = over(own, wrong == 0 ? 3 : 2,
                             wrong == 1 ? ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32 : ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
    OK(g->CreateSessionOptions(&o));
    if (wrong < 2)
      OK(g->AddInitializer(o, name, w));
    else
      OK(g->AddExternalInitializers(o, &name, &w, 1));
    refused(open_with(o, false, &s), ORT_INVALID_ARGUMENT,
            wrong == 0   ? "[3]"
            : wrong == 1 ? "int32"
            : wrong == 2 ? "itself"
                         : "nobody");
    g->ReleaseValue((OrtValue *)w);
  }
}

static void external(void **state) {
  (void)state;
  float own[] = {3, 4, 5};
  OrtSessionOptions *o;
  OrtSession *s;
  const char *name = "w";
  const OrtValue *w = over(own, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
  OK(g->CreateSessionOptions(&o));
  OK(g->AddExternalInitializers(o, &name, &w, 1));
  refused(g->AddExternalInitializers(o, &name, &w, 1), ORT_INVALID_ARGUMENT, "already been added");
  OK(open_with(o, true, &s));
  gives(s, 9, 16);
  g->ReleaseValue((OrtValue *)w);
}

/* The bytes of a file are the caller's again once the session is made. */
static void files(void **state) {
  (void)state;
  const char *name = "./w.bin";
  char *bytes = malloc(12);
  memcpy(bytes, (float[]){3, 4, 5}, 12);
  for (size_t size = 12; size >= 8; size -= 4) {
    OrtSessionOptions *o;
    OrtSession *s;
    OK(g->CreateSessionOptions(&o));
    OK(g->AddExternalInitializersFromFilesInMemory(o, &name, &bytes, &size, 1));
    refused(g->AddExternalInitializersFromFilesInMemory(o, &name, &bytes, &size, 1), ORT_INVALID_ARGUMENT,
            "already been added");
    OrtStatus *st = open_with(o, true, &s);
    if (size < 12) {
      refused(st, ORT_INVALID_PROTOBUF, "8 bytes at 4");
      continue;
    }
    OK(st);
    memset(bytes, 0, 12);
    gives(s, 16, 25);
  }
  free(bytes);
}

/* Run with x of zeros and w (NULL: not given), and look at y. */
static void run_gives(OrtSession *s, OrtValue *w, float a, float b) {
  static const char *const in_name[] = {"w", "x"}, *const out_name[] = {"y"};
  float x[2] = {0}, *y;
  const OrtValue *in[] = {w, over(x, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT)};
  OrtValue *out = NULL;
  OK(g->Run(s, NULL, in_name + !w, in + !w, w ? 2 : 1, out_name, 1, &out));
  OK(g->GetTensorMutableData(out, (void **)&y));
  if (y[0] != a || y[1] != b) fail_msg("%g %g, expected %g %g", (double)y[0], (double)y[1], (double)a, (double)b);
  g->ReleaseValue(out);
  g->ReleaseValue((OrtValue *)in[1]);
}

/* An initialiser that is an input, too: replaced by some runs, and left by others. */
static void replaced(void **state) {
  (void)state;
  float v[] = {3, 4, 5}, u[] = {10, 20}, zero[2] = {0}, *y;
  OrtSessionOptions *o;
  OrtSession *s;
  size_t n;
  char *name;
  OK(g->CreateSessionOptions(&o));
  buf b = model_with(false, true);
  OK(g->CreateSessionFromArray(s_env, b.p, b.n, o, &s));
  g->ReleaseSessionOptions(o);
  memset(b.p, 0, b.n); /* the bytes are the caller's again */
  buf_free(&b);
  OK(g->SessionGetInputCount(s, &n));
  assert_int_equal(n, 1);
  OK(g->SessionGetOverridableInitializerCount(s, &n));
  assert_int_equal(n, 1);
  OK(g->SessionGetOverridableInitializerName(s, 0, s_alloc, &name));
  assert_string_equal(name, "w");
  s_alloc->Free(s_alloc, name);
  OrtValue *w = over(v, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT),
           *w2 = over(u, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
  for (int round = 0; round < 2; round++) {
    run_gives(s, NULL, 1, 4);
    run_gives(s, w, 9, 16);
    run_gives(s, w2, 100, 400);
  }
  /* Bound. */
  OrtIoBinding *bind;
  OrtValue *x = over(zero, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT), **bound;
  OrtMemoryInfo *m;
  OK(g->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &m));
  OK(g->CreateIoBinding(s, &bind));
  OK(g->BindInput(bind, "x", x));
  OK(g->BindInput(bind, "w", w));
  OK(g->BindOutputToDevice(bind, "y", m));
  OK(g->RunWithBinding(s, NULL, bind));
  OK(g->GetBoundOutputValues(bind, s_alloc, &bound, &n));
  OK(g->GetTensorMutableData(bound[0], (void **)&y));
  assert_true(y[0] == 9 && y[1] == 16);
  g->ReleaseValue(bound[0]);
  s_alloc->Free(s_alloc, bound);
  g->ReleaseIoBinding(bind);
  g->ReleaseMemoryInfo(m);
  g->ReleaseValue(x);
  /* Of another size, of another type, under a name that is none. */
  static const char *const names[] = {"w", "v"}, *const out_name[] = {"y"};
  const OrtValue *wrong[] = {over(v, 3, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT),
                             over(v, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32), w};
  for (int k = 0; k < 3; k++) {
    OrtValue *out = NULL;
    refused(g->Run(s, NULL, &names[k == 2], &wrong[k], 1, out_name, 1, &out), ORT_INVALID_ARGUMENT,
            k == 0   ? "Got: 3 Expected: 2"
            : k == 1 ? "tensor(int32)"
                     : "Invalid input name: v");
  }
  for (int k = 0; k < 2; k++) g->ReleaseValue((OrtValue *)wrong[k]);
  g->ReleaseValue(w);
  g->ReleaseValue(w2);
  g->ReleaseSession(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(initializer), cmocka_unit_test(owned),
                                     cmocka_unit_test(misfits),     cmocka_unit_test(external),
                                     cmocka_unit_test(files),       cmocka_unit_test(replaced)};
  return cmocka_run_group_tests(tests, setup, teardown);
}
