/* SPDX-License-Identifier: Apache-2.0 */
/* Operators that index and move data: what is planned as copies against the references, scatters in memory that somebody
 * else still reads, and indices out of range, which only a run can see. */

#define DRAW_STREAM 12
#include "lib/draw.h"
#include "lib/opcheck.h"
#include "op/accumulate.h"
#include "op/conv.h"
#include "op/move_attr.h"
#include "op/resize.h"
#include "plan/program.h"
#include "whet/whet.h"

static int32_t ints(opcheck *c, int32_t n, const int64_t *v) {
  int64_t dims = n;
  return opcheck_const(c, WHET_S64, 1, &dims, v);
}

static const whet_dtype k_types[] = {WHET_U8, WHET_S16, WHET_F32, WHET_F64};

/* Blocks alone, behind a convolution whose channels the layout pass turns, and side by side in a Concat. */
static void blocks(void **state) {
  (void)state;
  for (int64_t seed = 0; seed < 40; seed++) {
    draw d = {(uint64_t)seed, 0};
    opcheck c;
    opcheck_begin(&c, "blocks");
    whet_blocks a = {(int32_t)range(&d, 1, 3), (uint8_t)range(&d, 0, 1), 0};
    bool depth = range(&d, 0, 1), behind = range(&d, 0, 1), side = range(&d, 0, 1);
    int64_t s = a.size, channels = range(&d, 1, 4) * (depth ? s * s : 1), h = range(&d, 1, 4) * (depth ? 1 : s);
    int64_t dims[4] = {2, channels, h, h * 2};
    const char *op = depth ? "DepthToSpace" : "SpaceToDepth";
    a.last = !behind && range(&d, 0, 1);
    if (a.last) memcpy(dims, (int64_t[]){2, h, h * 2, channels}, sizeof dims);
    int32_t x = opcheck_input(&c, behind ? WHET_F32 : k_types[range(&d, 0, 3)], 4, dims);
    if (behind) {
      const whet_conv_attr conv = {.weights = WHET_CONV_OIS};
      int32_t w = opcheck_const(&c, WHET_F32, 4, (int64_t[]){channels, channels, 1, 1}, NULL);
      x = opcheck_node(&c, "Conv", &conv, 2, (int32_t[]){x, w});
    }
    int32_t y = opcheck_node(&c, op, &a, 1, &x);
    if (side) {
      const whet_concat join = {1};
      y = opcheck_node(&c, "Concat", &join, 2, (int32_t[]){y, opcheck_node(&c, op, &a, 1, &x)});
    }
    opcheck_output(&c, y);
    opcheck_run(&c, 1e-5);
  }
}

/* Blocks of images, with borders of the zero point. */
static void batches(void **state) {
  (void)state;
  for (int64_t seed = 0; seed < 40; seed++) {
    draw d = {(uint64_t)seed, 1};
    opcheck c;
    opcheck_begin(&c, "batches");
    int32_t n = (int32_t)range(&d, 1, 3);
    int64_t size[3], pads[6], dims[5] = {range(&d, 1, 2)}, images = dims[0];
    bool back = range(&d, 0, 1);
    for (int i = 0; i < n; i++) {
      size[i] = range(&d, 1, 3);
      pads[2 * i] = range(&d, 0, 2);
      dims[1 + i] = range(&d, 1, 5);
      pads[2 * i + 1] = -(dims[1 + i] + pads[2 * i]) % size[i];
      if (pads[2 * i + 1] < 0) pads[2 * i + 1] += size[i];
      if (back) pads[2 * i] = range(&d, 0, 1), pads[2 * i + 1] = dims[1 + i] * size[i] > 2 ? 1 : 0;
      if (back && pads[2 * i] + pads[2 * i + 1] > dims[1 + i] * size[i]) pads[2 * i] = 0;
      images *= size[i];
    }
    if (back) dims[0] = images;
    dims[1 + n] = range(&d, 1, 4);
    whet_dtype t = k_types[range(&d, 0, 3)];
    float scale = 0.5f;
    int32_t zero = 7, x = opcheck_input(&c, t, n + 2, dims);
    if (t == WHET_U8) opcheck_quant(&c, x, 1, 0, &scale, &zero);
    int32_t in[3] = {x, ints(&c, n, size), ints(&c, 2 * n, pads)};
    int32_t y = opcheck_node(&c, back ? "BatchToSpace" : "SpaceToBatch", NULL, 3, in);
    if (t == WHET_U8) opcheck_quant(&c, y, 1, 0, &scale, &zero);
    opcheck_output(&c, y);
    opcheck_run(&c, 0);
  }
}

static void dilations(void **state) {
  (void)state;
  for (int64_t seed = 0; seed < 40; seed++) {
    draw d = {(uint64_t)seed, 2};
    opcheck c;
    opcheck_begin(&c, "dilations");
    int32_t rank = (int32_t)range(&d, 1, 4), n_in = range(&d, 0, 1) ? 3 : 5;
    int64_t dims[4], v[3][4];
    for (int i = 0; i < rank; i++) {
      dims[i] = range(&d, 1, 5);
      v[0][i] = range(&d, 0, 2);
      v[1][i] = range(&d, -1, 2);
      v[2][i] = range(&d, v[1][i] < 0 ? 0 : -1, 2);
    }
    whet_dtype t = k_types[range(&d, 0, 3)];
    int32_t in[5] = {opcheck_input(&c, t, rank, dims), opcheck_const(&c, t, 0, NULL, NULL), ints(&c, rank, v[0]),
                     ints(&c, rank, v[1]), ints(&c, rank, v[2])};
    opcheck_output(&c, opcheck_node(&c, "Dilate", NULL, n_in, in));
    opcheck_run(&c, 0);
  }
}

/* 8-bit inputs of several scales, the output's among them, along any axis. */
static void joins(void **state) {
  (void)state;
  for (int64_t seed = 0; seed < 24; seed++) {
    draw d = {(uint64_t)seed, 3};
    opcheck c;
    opcheck_begin(&c, "joins of several scales");
    const whet_concat a = {(int32_t)range(&d, 0, 2)};
    whet_dtype t = range(&d, 0, 1) ? WHET_U8 : WHET_S8;
    int32_t in[3], zero[4];
    float scale[4];
    for (int i = 0; i < 4; i++) {
      scale[i] = (float)range(&d, 5, 60) / 1000;
      zero[i] = (int32_t)range(&d, -20, 20) + (t == WHET_U8 ? 128 : 0);
    }
    for (int i = 0; i < 3; i++) {
      int64_t dims[3] = {3, 4, 5};
      dims[a.axis] = range(&d, 1, 40);
      in[i] = opcheck_input(&c, t, 3, dims);
      opcheck_quant(&c, in[i], 1, 0, &scale[i], &zero[i]);
      if (range(&d, 0, 1)) {
        in[i] = opcheck_node(&c, "Relu", NULL, 1, &in[i]);
        opcheck_declare(&c, in[i], t);
        opcheck_quant(&c, in[i], 1, 0, &scale[i], &zero[i]);
      }
    }
    int32_t y = opcheck_node(&c, "Concat", &a, 3, in), own = (int32_t)range(&d, 0, 3);
    opcheck_quant(&c, y, 1, 0, &scale[own], &zero[own]);
    opcheck_output(&c, y);
    opcheck_run(&c, 0);
  }
}

/* Linear resizing: reals within their rounding, TFLite's integers exactly; channels first and last, beside others in a
 * Concat. */
static void resizes(void **state) {
  (void)state;
  for (int64_t seed = 0; seed < 60; seed++) {
    static const int64_t k_last[2] = {1, 2}, k_first[2] = {2, 3};
    draw d = {(uint64_t)seed, 4};
    opcheck c;
    opcheck_begin(&c, "resizes");
    const whet_dtype types[] = {WHET_F32, WHET_S8, WHET_S16, WHET_U8};
    whet_dtype t = types[range(&d, 0, 3)];
    bool last = t != WHET_F32 || range(&d, 0, 1), side = range(&d, 0, 1);
    whet_resize_attr a = {.axes = {last ? k_last : k_first, 2}, .mode = WHET_RESIZE_LINEAR, .single = t != WHET_F32};
    a.place = (uint8_t[]){WHET_RESIZE_HALF_PIXEL, WHET_RESIZE_ALIGN_CORNERS, WHET_RESIZE_ASYMMETRIC}[range(&d, 0, 2)];
    int64_t h = range(&d, 1, 7), w = range(&d, 1, 7), k = range(&d, 1, 30), dims[4] = {2, h, w, k};
    const int64_t to[2] = {range(&d, 1, 9), range(&d, 1, 20)};
    if (!last) memcpy(dims, (int64_t[]){2, k, h, w}, sizeof dims);
    float scale = 0.1f;
    int32_t zero = t == WHET_S16 ? 0 : 5, x = opcheck_input(&c, t, 4, dims);
    int32_t y = opcheck_node(&c, "Resize", &a, 4, (int32_t[]){x, -1, -1, ints(&c, 2, to)});
    if (t != WHET_F32) {
      opcheck_quant(&c, x, 1, 0, &scale, &zero);
      opcheck_quant(&c, y, 1, 0, &scale, &zero);
    }
    if (side) {
      const whet_concat join = {last ? 3 : 1};
      y = opcheck_node(&c, "Concat", &join, 2, (int32_t[]){y, y});
      if (t != WHET_F32) opcheck_quant(&c, y, 1, 0, &scale, &zero);
    }
    opcheck_output(&c, y);
    opcheck_run(&c, 1e-6);
  }
}

/* Scatters into a value that dies there, that is used again, and whose elements are the updates. */
static void in_place(void **state) {
  (void)state;
  for (int kind = 0; kind < 3; kind++)
    for (int how = WHET_ACC_SET; how <= WHET_ACC_MIN; how++) {
      opcheck c;
      opcheck_begin(&c, "in place");
      whet_scatter a = {.how = (uint8_t)how, .wrap = 1};
      int32_t x = opcheck_input(&c, WHET_F32, 2, (int64_t[]){4, 3}), u = x;
      int32_t r = opcheck_node(&c, "Neg", NULL, 1, &x), late = r;
      if (kind == 2) u = r;
      int32_t rows = opcheck_const(&c, WHET_S64, 2, (int64_t[]){4, 1}, (int64_t[]){2, -1, 0, 2});
      int32_t y = opcheck_node(&c, "ScatterND", &a, 3, (int32_t[]){r, rows, u});
      opcheck_output(&c, y);
      if (kind == 1) opcheck_output(&c, opcheck_node(&c, "Abs", NULL, 1, &late));
      opcheck_run(&c, 1e-6);
    }
}

/* ---- what only a run can see ----------------------------------------------------------------------------------- */

/* Runs a model of one node whose input `k` holds `bad` in every element: E_DATA, and the text names the node. */
static void out_of_range(const char *op, const void *attr, int n_in, const int32_t rank[], const int64_t dims[][4], int k,
                         int64_t bad) {
  opcheck c;
  whet_program *p;
  whet_session *s;
  whet_err err;
  int32_t in[4];
  opcheck_begin(&c, op);
  for (int i = 0; i < n_in; i++) in[i] = opcheck_input(&c, i == k ? WHET_S64 : WHET_F32, rank[i], dims[i]);
  opcheck_output(&c, opcheck_node(&c, op, attr, n_in, in));
  c.g->main = (whet_region){.node = c.g->main.node, .n_node = 1, .cap_node = c.g->main.cap_node, .in = c.in,
                            .n_in = c.n_in, .out = c.out, .n_out = c.n_out};
  if (whet_program_create(c.model, NULL, &p, &err) || whet_session_create(p, &s, &err)) fail_msg("%s: %s", op, err.text);
  for (int64_t v = bad, good = 0; good < 2; v = 0, good++) { /* a session that has failed goes on */
    size_t bytes;
    int64_t *x = whet_session_input(s, (size_t)k, &bytes, &err);
    for (size_t i = 0; i < bytes / sizeof *x; i++) x[i] = v;
    whet_status st = whet_session_run(s, NULL, &err);
    if (!good && (st != WHET_E_DATA || !strstr(err.text, op))) fail_msg("%s of %lld: %d %s", op, (long long)bad, st, err.text);
    if (good && st) fail_msg("%s after a failure: %s", op, err.text);
  }
  whet_session_close(&s);
  whet_program_close(&p);
  whet_model_close(&c.model);
}

/* An item of a list set as TensorFlow's converter writes it is a node of its own; with the wrong step it stays what it is. */
static void set_item(void **state) {
  (void)state;
  enum { N = 5, K = 3 };
  const whet_concat first = {0};
  const whet_slice sizes = {.sizes = 1};
  const whet_reshape plain = {0};
  const int64_t dims[2] = {N, K}, item[2] = {1, K}, one = 1, two = 2;
  for (int32_t step = 0; step < 2; step++) {
    opcheck c;
    whet_program *p;
    whet_session *s;
    whet_err err;
    opcheck_begin(&c, "set_item");
    int32_t x = opcheck_input(&c, WHET_F32, 2, dims), it = opcheck_input(&c, WHET_F32, 2, item), i = opcheck_input(&c, WHET_S32, 0, NULL);
    int32_t by = opcheck_const(&c, WHET_S32, 0, NULL, &step), to = opcheck_const(&c, WHET_S32, 1, &one, (int32_t[]){1});
    int32_t zero = opcheck_const(&c, WHET_S32, 1, &one, (int32_t[]){0}), rest = opcheck_const(&c, WHET_S32, 1, &one, (int32_t[]){-1});
    int32_t none = opcheck_const(&c, WHET_S32, 1, &two, (int32_t[]){0, 0}), all = opcheck_const(&c, WHET_S32, 1, &two, (int32_t[]){-1, -1});
    int32_t next = opcheck_node(&c, "Add", NULL, 2, (int32_t[]){i, by});
    int32_t here = opcheck_node(&c, "Reshape", &plain, 2, (int32_t[]){i, to}), there = opcheck_node(&c, "Reshape", &plain, 2, (int32_t[]){next, to});
    int32_t before = opcheck_node(&c, "Concat", &first, 2, (int32_t[]){here, rest});
    int32_t behind = opcheck_node(&c, "Concat", &first, 2, (int32_t[]){there, zero});
    before = opcheck_node(&c, "Slice", &sizes, 3, (int32_t[]){x, none, before});
    behind = opcheck_node(&c, "Slice", &sizes, 3, (int32_t[]){x, behind, all});
    opcheck_output(&c, opcheck_node(&c, "Concat", &first, 3, (int32_t[]){before, it, behind}));
    c.g->main = (whet_region){.node = c.g->main.node, .n_node = c.g->main.n_node, .cap_node = c.g->main.cap_node, .in = c.in,
                              .n_in = c.n_in, .out = c.out, .n_out = c.n_out};
    if (whet_program_create(c.model, NULL, &p, &err) || whet_session_create(p, &s, &err)) fail_msg("%s", err.text);
    bool set = false;
    for (int32_t k = 0; k < p->graph.main.n_node; k++) set |= !strcmp(p->graph.node[p->graph.main.node[k]].op->name, "DynamicUpdateSlice");
    assert_int_equal(set, step);
    for (int32_t at = 0; at < N; at++) {
      float *list = whet_session_input(s, 0, NULL, &err), *new = whet_session_input(s, 1, NULL, &err);
      for (int k = 0; k < N * K; k++) list[k] = (float)k;
      for (int k = 0; k < K; k++) new[k] = 100 + (float)k;
      *(int32_t *)whet_session_input(s, 2, NULL, &err) = at;
      if (whet_session_run(s, NULL, &err)) fail_msg("%s", err.text);
      const float *y = whet_session_output(s, 0, NULL, &err);
      for (int k = 0; k < N * K + (step ? 0 : K); k++) {
        int row = k / K, from = row < at ? k : row == at ? -1 : step ? k : k - K;
        assert_true(y[k] == (from < 0 ? 100 + (float)(k % K) : (float)from));
      }
    }
    whet_session_close(&s);
    whet_program_close(&p);
    whet_model_close(&c.model);
  }
}

static void faults(void **state) {
  (void)state;
  static const int64_t bad[] = {3, -4, INT64_MAX, INT64_MIN};
  static const int32_t two[] = {2, 2, 2};
  static const int64_t dims[][4] = {{3, 4}, {2, 4}, {2, 4}}, tuples[][4] = {{3, 4}, {2, 1}, {2, 4}};
  static const whet_gather gather = {.wrap = 1}, strict = {0};
  static const whet_scatter scatter = {.wrap = 1};
  static const struct {
    int32_t time, batch;
  } reverse = {0, 1};
  for (size_t i = 0; i < WHET_COUNT(bad); i++) {
    out_of_range("Gather", &gather, 2, two, dims, 1, bad[i]);
    out_of_range("GatherElements", &gather, 2, two, dims, 1, bad[i]);
    out_of_range("GatherND", &gather, 2, two, tuples, 1, bad[i]);
    out_of_range("ScatterElements", &scatter, 3, two, dims, 1, bad[i]);
    out_of_range("ScatterND", &scatter, 3, two, tuples, 1, bad[i]);
    if (bad[i] != 3)
      out_of_range("ReverseSequence", &reverse, 2, (int32_t[]){2, 1}, (const int64_t[][4]){{3, 4}, {4}}, 1, bad[i]);
  }
  out_of_range("Gather", &strict, 2, two, dims, 1, -1);
  out_of_range("GatherND", &strict, 2, two, tuples, 1, -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(blocks),   cmocka_unit_test(batches), cmocka_unit_test(dilations),
                                     cmocka_unit_test(joins),    cmocka_unit_test(in_place), cmocka_unit_test(faults),
                                     cmocka_unit_test(resizes),  cmocka_unit_test(set_item)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
