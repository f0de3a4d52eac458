/* SPDX-License-Identifier: Apache-2.0 */
/* A run into outputs that are given or bound, of shapes as before, allocates nothing: the C library's allocators are
 * replaced by ones that count. */

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "compat/ort_test.h"
#include "lib/build.h"

static atomic_size_t s_calls;

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(WHET_SANITIZE)
#define COUNTED 1
#define SEEN __attribute__((visibility("default")))
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t each);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);
SEEN void *malloc(size_t n) {
  s_calls++;
  return __libc_malloc(n);
}
SEEN void *calloc(size_t n, size_t each) {
  s_calls++;
  return __libc_calloc(n, each);
}
SEEN void *realloc(void *p, size_t n) {
  s_calls++;
  return __libc_realloc(p, n);
}
SEEN void *aligned_alloc(size_t align, size_t n) {
  s_calls++;
  return __libc_memalign(align, n);
}
SEEN int posix_memalign(void **out, size_t align, size_t n) {
  s_calls++;
  *out = __libc_memalign(align, n);
  return *out ? 0 : ENOMEM;
}
#else
#define COUNTED 0
#endif

/* y = (x + x) * x, z = Softmax(y), of [N,4]. */
static OrtSession *session(int threads) {
  buf graph = {0};
  OrtSessionOptions *o;
  OrtSession *s;
  ox_add_node(&graph, ox_node("Add", "x,x", "a", NULL));
  ox_add_node(&graph, ox_node("Mul", "a,x", "y", NULL));
  ox_add_node(&graph, ox_node("Softmax", "y", "z", NULL));
  ox_add_in(&graph, ox_info("x", 1, 2, (int64_t[]){-1, 4}, "N"));
  ox_add_out(&graph, ox_info("y", 1, 2, (int64_t[]){-1, 4}, "N"));
  ox_add_out(&graph, ox_info("z", 1, 2, (int64_t[]){-1, 4}, "N"));
  buf b = ox_model(graph, 8, 17);
  OK(g->CreateSessionOptions(&o));
  OK(g->SetIntraOpNumThreads(o, threads));
  OK(g->CreateSessionFromArray(s_env, b.p, b.n, o, &s));
  g->ReleaseSessionOptions(o);
  buf_free(&b);
  return s;
}

static OrtValue *over(float *x, int64_t rows) {
  return tensor_over(x, (size_t)rows * 16, (int64_t[]){rows, 4}, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
}

static void still(void **state) {
  (void)state;
  static const char *const in_name = "x", *const out_name[] = {"y", "z"};
  float x[2][4000], y[4000], z[4000];
  if (!COUNTED) skip();
  for (int k = 0; k < 8000; k++) x[k / 4000][k % 4000] = (float)(k % 7);
  for (int threads = 1; threads < 3; threads++) {
    OrtSession *s = session(threads);
    OrtIoBinding *b;
    const OrtValue *in[2] = {over(x[0], 1000), over(x[1], 3)};
    OrtValue *out[2][2] = {{over(y, 1000), over(z, 1000)}, {over(y, 3), over(z, 3)}};
    OK(g->CreateIoBinding(s, &b));
    for (int shape = 0; shape < 2; shape++) {
      OK(g->BindInput(b, in_name, in[shape]));
      for (int k = 0; k < 2; k++) OK(g->BindOutput(b, out_name[k], out[shape][k]));
      for (int round = 0; round < 3; round++) { /* the first of a shape makes its plan */
        size_t before = s_calls;
        for (int i = 0; i < 50; i++) {
          OK(g->Run(s, NULL, &in_name, &in[shape], 1, out_name, 2, out[shape]));
          OK(g->RunWithBinding(s, NULL, b));
        }
        if (round)
          assert_int_equal(s_calls - before, 0);
        else
          assert_true(s_calls > before); /* it does count */
      }
    }
    assert_true(y[5] == 2 * x[1][5] * x[1][5]);
    g->ReleaseIoBinding(b);
    for (int k = 0; k < 2; k++) {
      g->ReleaseValue((OrtValue *)in[k]);
      for (int i = 0; i < 2; i++) g->ReleaseValue(out[k][i]);
    }
    g->ReleaseSession(s);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(still)};
  return cmocka_run_group_tests(tests, setup, teardown);
}
