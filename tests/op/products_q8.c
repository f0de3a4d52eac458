/* SPDX-License-Identifier: Apache-2.0 */
/* Transposed convolutions and products of many pairs of matrices on bytes: planned runs against references, the same
 * bytes. */

#include <stdio.h>

#define DRAW_STREAM 12
#include "lib/draw.h"
#include "lib/opcheck.h"
#include "op/conv.h"
#include "op/dense.h"

static whet_dtype bytes(draw *d) { return range(d, 0, 1) ? WHET_S8 : WHET_U8; }

/* One scale and zero point for a value; zero: it has one. */
static void quantise(opcheck *c, draw *d, int32_t v, whet_dtype t, bool zero) {
  float scale = (float)range(d, 5, 60) / 1000;
  int32_t z = t == WHET_S8 ? 0 : 128;
  if (zero) z = (int32_t)range(d, 0, 255) - (t == WHET_S8 ? 128 : 0);
  opcheck_quant(c, v, 1, 0, &scale, &z);
}

/* Begins a case with its first operand. */
static int32_t begin(opcheck *c, draw *d, const char *what, whet_dtype t, int32_t rank, const int64_t *dims) {
  char name[48];
  snprintf(name, sizeof name, "%s case %d", what, (int)d->seed);
  opcheck_begin(c, name);
  c->seed += d->seed;
  int32_t x = opcheck_input(c, t, rank, dims);
  quantise(c, d, x, t, true);
  return x;
}

/* The node of the product, perhaps with a function after it, and the run. */
static void finish(opcheck *c, draw *d, const char *op, const void *attr, int n_in, const int32_t *in) {
  whet_dtype t = bytes(d);
  int32_t y = opcheck_node(c, op, attr, n_in, in);
  opcheck_round(c, range(d, 0, 1) ? WHET_ROUND_ONNX_REAL : WHET_ROUND_TFL_FIX);
  opcheck_declare(c, y, range(d, 0, 4) ? t : WHET_S32);
  float scale = (float)range(d, 5, 60) / 30;
  int32_t zero = t == WHET_S8 ? 3 : 120;
  if (c->g->val[y].dtype != WHET_S32) opcheck_quant(c, y, 1, 0, &scale, &zero);
  if (c->g->val[y].dtype != WHET_S32 && range(d, 0, 1)) {
    y = opcheck_node(c, "Relu", NULL, 1, &y);
    opcheck_declare(c, y, t);
    opcheck_quant(c, y, 1, 0, &scale, &zero);
  }
  opcheck_output(c, y);
  opcheck_run(c, 0);
}

static void transposed(uint64_t seed) {
  draw d = {seed, 0};
  opcheck c;
  int64_t ic = range(&d, 1, 20), oc = range(&d, 1, 20), list[3][4];
  whet_conv_attr a = {
      .weights = WHET_CONV_OSI, .last = (uint8_t)(range(&d, 0, 5) > 0), .pad_mode = (uint8_t)range(&d, 0, 3)};
  int64_t x_dims[4] = {range(&d, 1, 2), range(&d, 3, 9), range(&d, 3, 9), ic},
          w_dims[4] = {oc, range(&d, 1, 5), range(&d, 1, 5), ic};
  for (int i = 0; i < 2; i++) {
    list[0][i] = range(&d, 1, 3);
    list[1][i] = 1 + (range(&d, 0, 9) == 0);
    list[2][i] = range(&d, 0, w_dims[i + 1] - 1), list[2][i + 2] = range(&d, 0, w_dims[i + 1] - 1);
  }
  if (!a.last) {
    int64_t h = x_dims[1], w = x_dims[2];
    x_dims[1] = ic, x_dims[2] = h, x_dims[3] = w;
  }
  a.strides = (whet_ints){list[0], 2};
  a.dilations = (whet_ints){list[1], 2};
  if (a.pad_mode == WHET_CONV_PADS) a.pads = (whet_ints){list[2], 4};
  whet_dtype wt = bytes(&d);
  int32_t in[3] = {begin(&c, &d, "transposed", bytes(&d), 4, x_dims), opcheck_const(&c, wt, 4, w_dims, NULL), -1},
          b32[20];
  quantise(&c, &d, in[1], wt, range(&d, 0, 1));
  for (int64_t i = 0; i < oc; i++) b32[i] = (int32_t)range(&d, -3000, 3000);
  if (range(&d, 0, 3)) in[2] = opcheck_const(&c, WHET_S32, 1, &oc, b32);
  finish(&c, &d, "ConvTranspose", &a, 3, in);
}

static void pairs(uint64_t seed) {
  draw d = {seed, 0};
  opcheck c;
  int32_t rank = (int32_t)range(&d, 2, 4);
  int64_t m = range(&d, 1, 20), n = range(&d, 1, 40), k = range(&d, 1, 50), a_dims[4], b_dims[4];
  whet_matmul at = {.alpha = 1, .trans_a = (uint8_t)(range(&d, 0, 3) == 0), .trans_b = (uint8_t)range(&d, 0, 1)};
  for (int32_t i = 0; i < rank - 2; i++) a_dims[i] = b_dims[i] = range(&d, 1, 4);
  if (rank > 2 && range(&d, 0, 3) == 0) b_dims[0] = 1; /* spread over the others */
  a_dims[rank - 2] = at.trans_a ? k : m, a_dims[rank - 1] = at.trans_a ? m : k;
  b_dims[rank - 2] = at.trans_b ? n : k, b_dims[rank - 1] = at.trans_b ? k : n;
  whet_dtype bt = bytes(&d);
  int32_t in[2] = {begin(&c, &d, "pairs", bytes(&d), rank, a_dims)};
  in[1] = range(&d, 0, 3) ? opcheck_input(&c, bt, rank, b_dims) : opcheck_const(&c, bt, rank, b_dims, NULL);
  quantise(&c, &d, in[1], bt, range(&d, 0, 1));
  finish(&c, &d, "MatMul", &at, 2, in);
}

static void all_transposed(void **state) {
  for (uint64_t seed = 0; seed < 150; seed++) transposed(seed);
}
static void all_pairs(void **state) {
  for (uint64_t seed = 0; seed < 150; seed++) pairs(seed);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_transposed), cmocka_unit_test(all_pairs)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
