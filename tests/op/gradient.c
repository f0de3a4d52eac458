/* SPDX-License-Identifier: Apache-2.0 */
/* Gradient against differences: every operator whose gradient is known, alone and in chains, in double. */

#include "op/gradient.h"

#include <math.h>
#include <stdio.h>

#include "base/rng.h"
#include "lib/opcheck.h"
#include "op/batchnorm.h"
#include "op/binary.h"
#include "op/conv.h"
#include "op/dense.h"
#include "op/move_attr.h"
#include "op/pool.h"
#include "op/reduce.h"
#include "op/softmax.h"
#include "op/unary.h"
#include "plan/program.h"
#include "whet/whet.h"

enum { MOST = 3, CELLS = 64 };

/* A model of up to MOST inputs and the gradients of y by them. */
typedef struct net {
  opcheck c;
  int32_t x[MOST];
  int n;
  double value[MOST][CELLS];
  uint64_t seed;
} net;

static void start(net *k, const char *what) {
  *k = (net){.n = 0};
  opcheck_begin(&k->c, what);
  k->seed = k->c.seed;
}
static int32_t input(net *k, int32_t rank, const int64_t *dims, double lo, double hi) {
  int32_t v = opcheck_input(&k->c, WHET_F64, rank, dims);
  int64_t n = whet__shape_count(&k->c.g->val[v].shape);
  assert_true(n <= CELLS && k->n < MOST);
  for (int64_t i = 0; i < n; i++) {
    uint32_t r[4];
    whet__rng_block(k->seed, (uint64_t)k->n, (uint64_t)i, r);
    k->value[k->n][i] = lo + (hi - lo) * (double)whet__rng_unit(r[0]);
  }
  k->x[k->n++] = v;
  return v;
}

/* Run; outputs into out[0] (y) and out[1 + i] (gradients). */
static void run(net *k, whet_session *s, double out[][CELLS], int n_out) {
  whet_err err;
  for (int i = 0; i < k->n; i++) {
    size_t bytes;
    void *p = whet_session_input(s, (size_t)i, &bytes, &err);
    assert_true(p && bytes <= sizeof k->value[i]);
    memcpy(p, k->value[i], bytes);
  }
  if (whet_session_run(s, NULL, &err)) fail_msg("%s: %s", k->c.what, err.text);
  for (int o = 0; o < n_out; o++) {
    size_t bytes;
    const void *p = whet_session_output(s, (size_t)o, &bytes, &err);
    assert_true(p && bytes <= CELLS * sizeof(double));
    memset(out[o], 0, CELLS * sizeof(double));
    memcpy(out[o], p, bytes);
  }
}

/* Differentiate y by the first `xs` inputs, at `given` (NULL: as they are), and compare. */
static void check(net *k, int32_t y, int xs, const int32_t *given) {
  whet_gradient a = {xs, k->n - xs};
  int32_t in[2 * MOST + 1], out[1 + MOST];
  for (int i = 0; i < k->n; i++) in[i] = given ? given[i] : k->x[i], in[k->n + i] = k->x[i];
  in[2 * k->n] = y;
  out[0] = y;
  int32_t first = opcheck_nodes(&k->c, "Gradient", &a, 2 * k->n + 1, in, xs);
  for (int i = 0; i < xs; i++) out[1 + i] = first + i;
  k->c.g->main.in = k->x;
  k->c.g->main.n_in = k->n;
  k->c.g->main.out = out;
  k->c.g->main.n_out = 1 + xs;
  whet_program *p;
  whet_session *s;
  whet_err err;
  double at[1 + MOST][CELLS], more[1 + MOST][CELLS], less[1 + MOST][CELLS];
  if (whet_program_create(k->c.model, NULL, &p, &err)) fail_msg("%s: %s", k->c.what, err.text);
  if (whet_session_create(p, &s, &err)) fail_msg("%s: %s", k->c.what, err.text);
  run(k, s, at, 1 + xs);
  for (int i = 0; i < xs; i++) {
    int64_t n = whet__shape_count(&k->c.g->val[k->x[i]].shape);
    for (int64_t j = 0; j < n; j++) {
      const double h = 1e-5;
      double x = k->value[i][j], d = 0;
      k->value[i][j] = x + h;
      run(k, s, more, 1 + xs);
      k->value[i][j] = x - h;
      run(k, s, less, 1 + xs);
      k->value[i][j] = x;
      for (int e = 0; e < CELLS; e++) d += (more[0][e] - less[0][e]) / (2 * h);
      if (!(fabs(d - at[1 + i][j]) <= 2e-6 * (1 + fabs(d))))
        fail_msg("%s: gradient %d at %d is %.9g, differences say %.9g", k->c.what, i, (int)j, at[1 + i][j], d);
    }
  }
  whet_session_close(&s);
  whet_program_close(&p);
  whet_model_close(&k->c.model);
}

static void unary(void **state) {
  const whet_unary_attr a = {0.6f, 0.9f};
  int64_t dims[2] = {3, 4};
  int seen = 0;
  for (size_t i = 0; i < whet__n_ops; i++) {
    const whet_unary_row *r = whet__unary_row(whet__ops[i]);
    if (!r || r->to_bool || !(r->types & 1u << WHET_F64)) continue;
    const char *name = whet__ops[i]->name;
    bool positive = !strcmp(name, "Log") || !strcmp(name, "Sqrt") || !strcmp(name, "Rsqrt");
    double up = !strcmp(name, "Acosh") ? 1.2 : 0;
    for (int side = 0; side < (positive || up > 0 ? 1 : 2); side++) {
      net k;
      start(&k, name);
      int32_t x = input(&k, 2, dims, up + (side ? -0.95 : 0.15), up + (side ? -0.15 : 0.95));
      check(&k, opcheck_node(&k.c, name, &a, 1, &x), 1, NULL);
      seen++;
    }
  }
  assert_true(seen > 70);
}

/* The tanh form of Gelu has another formula. */
static void gelu(void **state) {
  const whet_unary_attr a[2] = {{0, 0}, {1, 0}};
  int64_t dims[1] = {9};
  for (int i = 0; i < 2; i++) {
    net k;
    start(&k, i ? "Gelu tanh" : "Gelu");
    int32_t x = input(&k, 1, dims, -2, 2);
    check(&k, opcheck_node(&k.c, "Gelu", &a[i], 1, &x), 1, NULL);
  }
}

static void binary(void **state) {
  static const int64_t wide[3] = {2, 1, 4}, tall[2] = {3, 1}, full[3] = {2, 3, 4};
  const whet_binary_attr a = {0};
  int seen = 0;
  for (size_t i = 0; i < whet__n_ops; i++) {
    const whet_binary_row *r = whet__binary_row(whet__ops[i]);
    const char *name = whet__ops[i]->name;
    if (!r || r->kind == WHET_BINARY_BOOL || !(r->types & 1u << WHET_F64)) continue;
    net k;
    start(&k, name);
    bool one_way = !strcmp(name, "PRelu");
    int32_t in[2] = {input(&k, 3, one_way ? full : wide, 0.2, 1.5), input(&k, 2, tall, 0.3, 1.2)};
    check(&k, opcheck_node(&k.c, name, &a, 2, in), strcmp(name, "Mod") ? 2 : 1, NULL);
    seen++;
  }
  assert_true(seen > 8);
}

static void reduce(void **state) {
  static const int64_t dims[3] = {2, 3, 4}, axes[2] = {-1, 0};
  static const char *const names[] = {"ReduceL1",  "ReduceL2",  "ReduceLogSum", "ReduceLogSumExp", "ReduceMax",
                                      "ReduceMean", "ReduceMin", "ReduceProd",   "ReduceSum",       "ReduceSumSquare"};
  for (size_t i = 0; i < WHET_COUNT(names); i++)
    for (int form = 0; form < 4; form++) {
      whet_reduce_attr a = {.axes = {axes, form / 2 ? 2 : 0}, .keep = form % 2};
      net k;
      start(&k, names[i]);
      int32_t x = input(&k, 3, dims, 0.2, 1.5);
      check(&k, opcheck_node(&k.c, names[i], &a, 1, &x), 1, NULL);
    }
}

static void products(void **state) {
  for (int form = 0; form < 8; form++) {
    whet_matmul m = {.alpha = 1.5f, .trans_a = form & 1, .trans_b = form >> 1 & 1};
    int64_t a[4] = {form & 4 ? 1 : 2, 1, m.trans_a ? 3 : 2, m.trans_a ? 2 : 3}, b[3] = {2, m.trans_b ? 4 : 3, m.trans_b ? 3 : 4};
    net k;
    start(&k, "MatMul");
    int32_t in[2] = {input(&k, 4, a, -1, 1), input(&k, 3, b, -1, 1)};
    check(&k, opcheck_node(&k.c, "MatMul", &m, 2, in), 2, NULL);
    whet_gemm g = {.alpha = 0.5f, .beta = 2, .trans_a = m.trans_a, .trans_b = m.trans_b};
    int64_t c[2] = {2, 4}, bias[1] = {4};
    start(&k, "Gemm");
    int32_t ins[3] = {input(&k, 2, a + 2, -1, 1), input(&k, 2, b + 1, -1, 1),
                      form & 4 ? input(&k, 2, c, -1, 1) : input(&k, 1, bias, -1, 1)};
    check(&k, opcheck_node(&k.c, "Gemm", &g, 3, ins), 3, NULL);
  }
}

/* The sum of squares of v, whose gradients tell places apart. */
static int32_t squares(net *k, int32_t v) {
  const whet_reduce_attr all = {.keep = false};
  return opcheck_node(&k->c, "ReduceSumSquare", &all, 1, &v);
}

static void convolutions(void **state) {
  static const int64_t two[2] = {2, 1}, one[2] = {1, 1}, dil[2] = {1, 2}, pads[4] = {1, 0, 1, 2}, p0[2] = {0, 1}, extra[2] = {1, 0};
  static const struct {
    whet_conv_attr a;
    int64_t x[4], w[4], b;
    bool transposed;
  } c[] = {
      {{.last = 1, .weights = WHET_CONV_OSI, .pad_mode = WHET_CONV_SAME_UPPER, .strides = {two, 2}}, {2, 4, 3, 2}, {3, 3, 2, 2}, 3, false},
      {{.weights = WHET_CONV_OIS, .group = 1, .pads = {pads, 4}, .dilations = {dil, 2}}, {1, 2, 4, 4}, {2, 2, 2, 2}, 2, false},
      {{.weights = WHET_CONV_OIS, .group = 2, .strides = {two, 2}}, {2, 4, 3, 2}, {2, 2, 2, 1}, 0, false},
      {{.last = 1, .weights = WHET_CONV_1SO, .pad_mode = WHET_CONV_SAME_UPPER}, {1, 3, 4, 2}, {1, 3, 2, 4}, 4, false},
      {{.last = 1, .weights = WHET_CONV_1SO, .pad_mode = WHET_CONV_VALID, .strides = {two, 2}}, {1, 5, 4, 3}, {1, 3, 2, 3}, 3, false},
      {{.weights = WHET_CONV_IOS, .group = 1, .strides = {two, 2}, .pads = {p0, 2}}, {0}, {0}, 0, true},
      {{.weights = WHET_CONV_IOS, .group = 2, .strides = {two, 2}, .out_pad = {extra, 2}}, {1, 4, 2, 3}, {4, 1, 3, 2}, 2, true},
      {{.last = 1, .weights = WHET_CONV_OSI, .group = 1, .strides = {one, 2}}, {2, 2, 3, 2}, {3, 2, 2, 2}, 3, true},
  };
  for (size_t i = 0; i < WHET_COUNT(c); i++) {
    if (!c[i].x[0]) continue;
    net k;
    start(&k, c[i].transposed ? "ConvTranspose" : "Conv");
    int32_t in[3] = {input(&k, 4, c[i].x, -1, 1), input(&k, 4, c[i].w, -1, 1), c[i].b ? input(&k, 1, &c[i].b, -1, 1) : -1};
    int32_t y = opcheck_node(&k.c, k.c.what, &c[i].a, c[i].b ? 3 : 2, in);
    check(&k, squares(&k, y), k.n, NULL);
  }
}

static void dense(void **state) {
  for (int form = 0; form < 4; form++) {
    const whet_dense a = {.kn = form & 1, .flat = form >> 1};
    int64_t x[3] = {2, 3, 4}, w[2] = {a.kn ? 4 : 5, a.kn ? 5 : 4}, b = 5;
    net k;
    start(&k, "Dense");
    int32_t in[3] = {input(&k, 3, x, -1, 1), input(&k, 2, w, -1, 1), input(&k, 1, &b, -1, 1)};
    check(&k, squares(&k, opcheck_node(&k.c, "Dense", &a, 3, in)), 3, NULL);
  }
}

static void softmaxes(void **state) {
  static const int64_t dims[3] = {2, 3, 4};
  for (int form = 0; form < 6; form++) {
    const whet_softmax_attr a = {.axis = form % 3 ? -1 : 1, .flat = form % 3 == 2, .beta = 1.25f};
    net k;
    start(&k, form / 3 ? "LogSoftmax" : "Softmax");
    int32_t x = input(&k, 3, dims, -1, 1);
    check(&k, squares(&k, opcheck_node(&k.c, k.c.what, &a, 1, &x)), 1, NULL);
  }
}

static void pools(void **state) {
  static const int64_t k3[2] = {3, 2}, s2[2] = {2, 1}, pads[4] = {1, 0, 1, 1}, dims[4] = {2, 3, 4, 2};
  for (int form = 0; form < 12; form++) {
    const whet_pool_attr a = {.kernel = {k3, form % 3 == 2 ? 0 : 2}, .strides = {s2, 2}, .pads = {pads, form % 3 == 1 ? 4 : 0},
                              .global = form % 3 == 2, .last = form / 6, .count_pads = form % 3 == 1 && form < 6};
    net k;
    start(&k, form / 3 % 2 ? "MaxPool" : "AveragePool");
    int32_t x = input(&k, 4, dims, -1, 1);
    check(&k, squares(&k, opcheck_node(&k.c, k.c.what, &a, 1, &x)), 1, NULL);
  }
}

static void moves(void **state) {
  static const int64_t dims[2] = {2, 3}, more[2] = {2, 2}, pads[4] = {1, 0, 0, 2}, four[1] = {4}, sizes[2] = {2, 3};
  const whet_concat join = {.axis = 1};
  const whet_split cut = {.axis = -1, .sizes = {sizes, 2}};
  const uint8_t pad[2] = {0, 0};
  net k;
  start(&k, "Concat, Split, Pad");
  int32_t in[2] = {input(&k, 2, dims, -1, 1), input(&k, 2, more, -1, 1)};
  int32_t all = opcheck_node(&k.c, "Concat", &join, 2, in), part = opcheck_nodes(&k.c, "Split", &cut, 1, &all, 2);
  int32_t to[2] = {part + 1, opcheck_const(&k.c, WHET_S64, 1, four, pads)};
  check(&k, squares(&k, opcheck_node(&k.c, "Pad", pad, 2, to)), 2, NULL);
}

static void batchnorm(void **state) {
  static const int64_t dims[3] = {3, 4, 2}, two[1] = {2};
  const whet_batchnorm_train a = {.epsilon = 1e-3f};
  net k;
  start(&k, "BatchNormTrain");
  int32_t in[3] = {input(&k, 3, dims, -1, 2), input(&k, 1, two, 0.5, 2), input(&k, 1, two, -1, 1)};
  int32_t y = opcheck_nodes(&k.c, "BatchNormTrain", &a, 3, in, 3), cube[2] = {y, y};
  int32_t y2 = opcheck_node(&k.c, "Mul", NULL, 2, cube);
  cube[1] = y2;
  check(&k, opcheck_node(&k.c, "Mul", NULL, 2, cube), 3, NULL);
}

/* Kernels against references, and single-precision values of the same operators. */
static void kernels(void **state) {
  static const int64_t two[2] = {2, 2}, one[2] = {1, 1}, k3[2] = {3, 3}, pads[4] = {1, 1, 1, 1};
  static const struct {
    int64_t n, h, ic, oc, k, stride, group;
  } c[] = {{2, 9, 3, 16, 3, 1, 1}, {3, 8, 16, 33, 3, 2, 1}, {2, 7, 20, 5, 1, 1, 1}, {2, 8, 24, 24, 3, 1, 24}, {1, 6, 40, 70, 3, 2, 2}};
  for (size_t i = 0; i < WHET_COUNT(c); i++) {
    int64_t p = c[i].k / 2, out = (c[i].h + 2 * p - c[i].k) / c[i].stride + 1;
    const int64_t pad[4] = {p, p, p, p};
    const whet_conv_attr a = {.last = 1, .weights = WHET_CONV_OSI, .group = c[i].group, .pads = {pad, 4},
                              .strides = {c[i].stride == 2 ? two : one, 2}};
    opcheck o;
    opcheck_begin(&o, "ConvGrad");
    int32_t in[3] = {opcheck_input(&o, WHET_F32, 4, (int64_t[]){c[i].n, c[i].h, c[i].h, c[i].ic}),
                     opcheck_input(&o, WHET_F32, 4, (int64_t[]){c[i].n, out, out, c[i].oc}),
                     opcheck_input(&o, WHET_F32, 4, (int64_t[]){c[i].oc, c[i].k, c[i].k, c[i].ic / c[i].group})};
    opcheck_output(&o, opcheck_node(&o, "ConvGrad", &a, 3, in));
    opcheck_run(&o, 0);
  }
  for (int form = 0; form < 3; form++) {
    const whet_pool_attr a = {.kernel = {k3, 2}, .strides = {two, 2}, .pads = {pads, 4}, .last = true, .count_pads = form == 2};
    opcheck o;
    opcheck_begin(&o, form ? "AveragePoolGrad" : "MaxPoolGrad");
    int32_t x = opcheck_input(&o, WHET_F32, 4, (int64_t[]){2, 7, 6, 37});
    int32_t y = opcheck_node(&o, form ? "AveragePool" : "MaxPool", &a, 1, &x);
    int32_t in[3] = {opcheck_input(&o, WHET_F32, 4, (int64_t[]){2, 4, 3, 37}), x, y};
    opcheck_output(&o, opcheck_node(&o, o.what, &a, form ? 2 : 3, in));
    opcheck_run(&o, 1e-6);
  }
  const whet_batchnorm_train t = {.epsilon = 1e-3f};
  const whet_matmul turned = {1, 1, 0};
  opcheck o;
  opcheck_begin(&o, "BatchNormTrain");
  int32_t in[3] = {opcheck_input(&o, WHET_F32, 3, (int64_t[]){5, 11, 21}), opcheck_input(&o, WHET_F32, 1, (int64_t[]){21}),
                   opcheck_input(&o, WHET_F32, 1, (int64_t[]){21})};
  int32_t y = opcheck_nodes(&o, "BatchNormTrain", &t, 3, in, 3);
  int32_t back[5] = {in[0], opcheck_input(&o, WHET_F32, 3, (int64_t[]){5, 11, 21}), y + 1, y + 2, in[1]};
  int32_t dx = opcheck_nodes(&o, "BatchNormGrad", &t, 5, back, 3);
  for (int i = 0; i < 3; i++) opcheck_output(&o, y + i), opcheck_output(&o, dx + i);
  opcheck_run(&o, 1e-4);
  opcheck_begin(&o, "MatMul a'b");
  int32_t ab[2] = {opcheck_input(&o, WHET_F32, 2, (int64_t[]){32, 50}), opcheck_input(&o, WHET_F32, 2, (int64_t[]){32, 71})};
  opcheck_output(&o, opcheck_node(&o, "MatMul", &turned, 2, ab));
  opcheck_run(&o, 0);
}

/* x used twice, views, a constant, a value that is not differentiated. */
static void chain(void **state) {
  static const int64_t dims[3] = {2, 3, 2}, perm[3] = {2, 0, 1}, flat[2] = {2, 6}, shape[1] = {2};
  const whet_transpose t = {.perm = {perm, 3}};
  const whet_reshape r = {0};
  net k;
  start(&k, "chain");
  int32_t x = input(&k, 3, dims, 0.2, 1), z = input(&k, 2, flat, 0.2, 1), w = opcheck_const(&k.c, WHET_F64, 2, flat, NULL);
  int32_t turned = opcheck_node(&k.c, "Transpose", &t, 1, &x);
  int32_t to[2] = {turned, opcheck_const(&k.c, WHET_S64, 1, shape, flat)}, in[2];
  int32_t rows = opcheck_node(&k.c, "Reshape", &r, 2, to);
  in[0] = opcheck_node(&k.c, "Exp", NULL, 1, &rows), in[1] = w;
  int32_t a = opcheck_node(&k.c, "Mul", NULL, 2, in);
  in[0] = a, in[1] = z;
  int32_t b = opcheck_node(&k.c, "Div", NULL, 2, in);
  in[0] = b, in[1] = rows;
  check(&k, opcheck_node(&k.c, "Sub", NULL, 2, in), 1, NULL);
}

/* At other values than the graph's own: d(x x z)/dx at (x2, z2) is 2 x2 z2, whatever x and z are. */
static void elsewhere(void **state) {
  static const int64_t dims[1] = {5};
  const whet_gradient a = {1, 1};
  net k;
  start(&k, "elsewhere");
  int32_t x = input(&k, 1, dims, 1, 2), z = input(&k, 1, dims, 1, 2), x2 = input(&k, 1, dims, -1, 1);
  int32_t in[5] = {x, x}, out[2];
  in[0] = opcheck_node(&k.c, "Mul", NULL, 2, in);
  in[1] = z;
  out[0] = opcheck_node(&k.c, "Mul", NULL, 2, in);
  in[0] = x2, in[1] = x2, in[2] = x, in[3] = z, in[4] = out[0];
  out[1] = opcheck_nodes(&k.c, "Gradient", &a, 5, in, 1);
  k.c.g->main.in = k.x, k.c.g->main.n_in = 3;
  k.c.g->main.out = out, k.c.g->main.n_out = 2;
  whet_program *p;
  whet_session *s;
  whet_err err;
  double got[2][CELLS];
  if (whet_program_create(k.c.model, NULL, &p, &err)) fail_msg("%s", err.text);
  if (whet_session_create(p, &s, &err)) fail_msg("%s", err.text);
  run(&k, s, got, 2);
  for (int i = 0; i < 5; i++) {
    assert_true(fabs(got[0][i] - k.value[0][i] * k.value[0][i] * k.value[1][i]) < 1e-12);
    assert_true(fabs(got[1][i] - 2 * k.value[2][i] * k.value[2][i]) < 1e-12);
  }
  whet_session_close(&s);
  whet_program_close(&p);
  whet_model_close(&k.c.model);
}

/* What has no derivative that is known is refused by name. */
static void refused(void **state) {
  static const int64_t dims[2] = {3, 3};
  const whet_gradient a = {1, 0};
  net k;
  start(&k, "refused");
  int32_t x = input(&k, 2, dims, 0, 1), in[3] = {x, x};
  in[2] = opcheck_node(&k.c, "Det", NULL, 1, &x);
  opcheck_output(&k.c, opcheck_nodes(&k.c, "Gradient", &a, 3, in, 1));
  opcheck_refused(&k.c, WHET_E_UNSUPPORTED);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(unary),  cmocka_unit_test(gelu),      cmocka_unit_test(binary),
                                     cmocka_unit_test(reduce), cmocka_unit_test(products),  cmocka_unit_test(chain),
                                     cmocka_unit_test(elsewhere), cmocka_unit_test(convolutions),
                                     cmocka_unit_test(dense), cmocka_unit_test(softmaxes),
                                     cmocka_unit_test(pools), cmocka_unit_test(moves), cmocka_unit_test(batchnorm),
                                     cmocka_unit_test(kernels), cmocka_unit_test(refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
