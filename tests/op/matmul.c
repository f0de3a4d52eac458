/* SPDX-License-Identifier: Apache-2.0 */
/* MatMul, Gemm and Dense: planned runs against references, the same bytes; what must be refused. */

#include <stdio.h>

#include "base/rng.h"
#include "lib/draw.h"
#include "lib/opcheck.h"
#include "op/dense.h"

/* Sizes of a case, drawn from its number. */
static int32_t operand(opcheck *c, draw *d, whet_dtype t, int32_t rank, const int64_t *dims) {
  return range(d, 0, 1) ? opcheck_const(c, t, rank, dims, NULL) : opcheck_input(c, t, rank, dims);
}

/* What an epilogue may take in. */
static int32_t tail(opcheck *c, draw *d, whet_dtype t, int32_t y, double *tolerance) {
  *tolerance = 0;
  if (t != WHET_F32) return y;
  if (range(d, 0, 2) == 0) {
    y = opcheck_node(c, "Sigmoid", NULL, 1, &y);
    *tolerance = 1e-6; /* references of unary functions are computed in double */
  }
  if (range(d, 0, 2) == 0) y = opcheck_node(c, "Relu", NULL, 1, &y);
  return y;
}

static void matmul_case(uint64_t seed, whet_dtype t) {
  draw d = {seed, 0};
  opcheck c;
  char what[64];
  double tolerance;
  snprintf(what, sizeof what, "MatMul case %d", (int)seed);
  opcheck_begin(&c, what);
  c.seed += seed;
  c.floats_exact = true;
  whet_matmul a = {.alpha = t == WHET_F32 && range(&d, 0, 3) == 0 ? 0.375f : 1};
  int64_t m = range(&d, 1, 40), n = range(&d, 1, 70), k = range(&d, 1, 40), ad[6], bd[6];
  int32_t batch = (int32_t)range(&d, 0, 3), ar = 0, br = 0, skip_a = (int32_t)range(&d, 0, batch),
          skip_b = (int32_t)range(&d, 0, batch);
  if (skip_a && skip_b) skip_a = 0;
  for (int32_t i = 0; i < batch; i++) {
    int64_t size = range(&d, 1, 3);
    if (i >= skip_a) ad[ar++] = range(&d, 0, 3) ? size : 1;
    if (i >= skip_b) bd[br++] = range(&d, 0, 3) ? size : 1;
  }
  bool vector_a = batch == 0 && range(&d, 0, 5) == 0, vector_b = batch == 0 && range(&d, 0, 5) == 0;
  a.trans_a = !vector_a && range(&d, 0, 2) == 0;
  a.trans_b = !vector_b && range(&d, 0, 1);
  if (!vector_a) ad[ar++] = a.trans_a ? k : m;
  ad[ar++] = a.trans_a && !vector_a ? m : k;
  bd[br++] = !vector_b && a.trans_b ? n : k;
  if (!vector_b) bd[br++] = a.trans_b ? k : n;
  int32_t in[2] = {opcheck_input(&c, t, ar, ad), operand(&c, &d, t, br, bd)};
  opcheck_output(&c, tail(&c, &d, t, opcheck_node(&c, "MatMul", &a, 2, in), &tolerance));
  opcheck_run(&c, tolerance);
}

static void dense_case(uint64_t seed, whet_dtype t) {
  draw d = {seed, 0};
  opcheck c;
  char what[64];
  double tolerance;
  snprintf(what, sizeof what, "Dense case %d", (int)seed);
  opcheck_begin(&c, what);
  c.seed += seed;
  c.floats_exact = true;
  whet_dense a = {.kn = (uint8_t)range(&d, 0, 1), .flat = (uint8_t)range(&d, 0, 1)};
  int64_t n = range(&d, 1, 150), k = range(&d, 1, 40), x[4], w[2] = {a.kn ? k : n, a.kn ? n : k};
  int32_t rank = (int32_t)range(&d, 1, 4);
  for (int32_t i = 0; i < rank; i++) x[i] = range(&d, 1, 5);
  x[rank - 1] = k;
  if (a.flat && rank > 1 && k % 2 == 0) x[rank - 1] = k / 2, x[rank - 2] *= 2;
  int32_t in[3] = {opcheck_input(&c, t, rank, x), operand(&c, &d, t, 2, w),
                   range(&d, 0, 1) ? operand(&c, &d, t, 1, &n) : -1};
  opcheck_output(&c, tail(&c, &d, t, opcheck_node(&c, "Dense", &a, 3, in), &tolerance));
  opcheck_run(&c, tolerance);
}

/* Products joined without copies: the rows of both lie inside the Concat's output. */
static void joined(void **state) {
  for (int axis = 0; axis < 3; axis++) {
    opcheck c;
    opcheck_begin(&c, "joined");
    c.floats_exact = true;
    whet_dense a = {0};
    int32_t x = opcheck_input(&c, WHET_F32, 3, (int64_t[]){3, 5, 24}), y[2];
    for (int i = 0; i < 2; i++) {
      int64_t w[2] = {axis == 2 ? 7 + 20 * i : 16, 24};
      int32_t in[2] = {x, opcheck_const(&c, WHET_F32, 2, w, NULL)};
      y[i] = opcheck_node(&c, "Dense", &a, 2, in);
    }
    int32_t cat = opcheck_node(&c, "Concat", &(int32_t){axis}, 2, y);
    opcheck_output(&c, opcheck_node(&c, "Relu", NULL, 1, &cat));
    opcheck_run(&c, 0);
  }
}

/* Weights most of which are zero, scattered and in blocks of 16 outputs, for few and many rows: sparse kernels where
 * they are faster. The count of zeros is above what makes them so in some of the cases and below in others. */
static void zeros(void **state) {
  (void)state;
  enum { K = 200, N = 96 };
  static float w[K * N];
  for (int64_t i = 0; i < 24; i++) {
    const int64_t rows[] = {1, 3, 16, 64, 70, 33}, x[2] = {rows[i % 6], K}, keep = i % 4 < 2 ? 10 : 45, n = N;
    whet_dense a = {.kn = i / 6 % 2 == 1};
    opcheck c;
    opcheck_begin(&c, "zeros");
    for (int64_t k = 0; k < K; k++)
      for (int64_t j = 0; j < N; j++) {
        uint32_t r[4];
        whet__rng_block(5, (uint64_t)i, (uint64_t)(k * N + (i < 12 ? j : j / 16 * 16)), r);
        w[a.kn ? k * N + j : j * K + k] = r[0] % 100 < (uint32_t)keep ? (float)(r[1] % 1000) / 500 - 0.9993f : 0;
      }
    int32_t in[3] = {opcheck_input(&c, WHET_F32, 2, x),
                     opcheck_const(&c, WHET_F32, 2, a.kn ? (int64_t[]){K, N} : (int64_t[]){N, K}, w),
                     i % 2 ? opcheck_const(&c, WHET_F32, 1, &n, NULL) : -1};
    int32_t y = opcheck_node(&c, "Dense", &a, 3, in);
    opcheck_output(&c, opcheck_node(&c, "Relu", NULL, 1, &y));
    opcheck_run(&c, 1e-5);
  }
}

/* Products with weights become Dense, and what is added its bias. */
static void with_bias(void **state) {
  for (int64_t i = 0; i < 16; i++) {
    opcheck c;
    opcheck_begin(&c, "with bias");
    c.seed += (uint64_t)i;
    whet_matmul m = {.alpha = 1, .trans_b = i & 1};
    whet_gemm g = {.alpha = 1, .beta = 1, .trans_b = i & 1};
    int64_t n = 19, x[3] = {i & 8 ? 6 : 3, i & 8 ? 24 : 2, 24}, w[2] = {i & 1 ? 19 : 24, i & 1 ? 24 : 19},
            row[2] = {1, 19};
    int32_t in[3] = {opcheck_input(&c, WHET_F32, i & 8 ? 2 : 3, x), opcheck_const(&c, WHET_F32, 2, w, NULL), -1};
    if (i & 8) in[2] = opcheck_const(&c, WHET_F32, i & 4 ? 2 : 1, i & 4 ? row : &n, NULL);
    int32_t y = i & 8 ? opcheck_node(&c, "Gemm", &g, 3, in) : opcheck_node(&c, "MatMul", &m, 2, in);
    int32_t b = opcheck_const(&c, WHET_F32, 1, &n, NULL), two[2] = {i & 2 ? b : y, i & 2 ? y : b};
    y = opcheck_node(&c, "Add", NULL, 2, two);
    opcheck_output(&c, opcheck_node(&c, "Relu", NULL, 1, &y));
    opcheck_run(&c, 1e-5);
  }
}

static void matmul_f32(void **state) {
  for (uint64_t i = 0; i < 80; i++) matmul_case(i, WHET_F32);
}
static void dense_f32(void **state) {
  for (uint64_t i = 0; i < 60; i++) dense_case(100 + i, WHET_F32);
}
static void other_types(void **state) {
  static const whet_dtype types[] = {WHET_F16, WHET_BF16, WHET_F64, WHET_S32, WHET_S64, WHET_U32, WHET_U64};
  for (uint64_t i = 0; i < WHET_COUNT(types); i++) {
    matmul_case(200 + i, types[i]);
    if (whet_dtype_bits(types[i]) < 64 && i < 3) dense_case(300 + i, types[i]);
  }
}

static void refused(void **state) {
  opcheck c;
  whet_matmul a = {.alpha = 1};
  whet_dense d = {0};
  opcheck_begin(&c, "columns and rows");
  int32_t in[3] = {opcheck_input(&c, WHET_F32, 2, (int64_t[]){3, 4}),
                   opcheck_const(&c, WHET_F32, 2, (int64_t[]){5, 6}, NULL), -1};
  opcheck_output(&c, opcheck_node(&c, "MatMul", &a, 2, in));
  opcheck_refused(&c, WHET_E_SHAPE);
  opcheck_begin(&c, "types");
  in[0] = opcheck_input(&c, WHET_F32, 2, (int64_t[]){3, 4});
  in[1] = opcheck_const(&c, WHET_F64, 2, (int64_t[]){4, 6}, NULL);
  opcheck_output(&c, opcheck_node(&c, "MatMul", &a, 2, in));
  opcheck_refused(&c, WHET_E_TYPE);
  opcheck_begin(&c, "bias");
  in[0] = opcheck_input(&c, WHET_F32, 2, (int64_t[]){3, 4});
  in[1] = opcheck_const(&c, WHET_F32, 2, (int64_t[]){6, 4}, NULL);
  in[2] = opcheck_const(&c, WHET_F32, 1, (int64_t[]){5}, NULL);
  opcheck_output(&c, opcheck_node(&c, "Dense", &d, 3, in));
  opcheck_refused(&c, WHET_E_SHAPE);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(matmul_f32),  cmocka_unit_test(dense_f32),
                                     cmocka_unit_test(other_types), cmocka_unit_test(joined),
                                     cmocka_unit_test(zeros),       cmocka_unit_test(with_bias),
                                     cmocka_unit_test(refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
