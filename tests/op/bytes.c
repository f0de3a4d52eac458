/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of 8-bit pointwise nodes, which the planner makes one table: random chains and branches that join again, behind a
 * convolution or a pointwise leader, must give the bytes that the nodes give one by one. */

#include <stdio.h>

#define DRAW_STREAM 11
#include "lib/draw.h"
#include "lib/opcheck.h"
#include "op/conv.h"
#include "op/unary.h"

/* Some scale and zero point for a value. */
static void quantise(opcheck *c, draw *d, int32_t v, whet_dtype t) {
  float scale = (float)range(d, 5, 60) / 1000;
  int32_t zero = (int32_t)range(d, 0, 255) - (t == WHET_S8 ? 128 : 0);
  opcheck_declare(c, v, t);
  opcheck_quant(c, v, 1, 0, &scale, &zero);
}

/* A node whose result is 8 bits wide. */
static int32_t node(opcheck *c, draw *d, const char *op, const void *attr, int n_in, const int32_t *in, whet_dtype t,
                    whet_round round) {
  int32_t v = opcheck_node(c, op, attr, n_in, in);
  opcheck_round(c, round);
  quantise(c, d, v, t);
  return v;
}

/* The leader of the group: a convolution, a sum of two pictures, or a function. */
static int32_t leader(opcheck *c, draw *d, int32_t x, whet_dtype t, whet_round round) {
  static const whet_conv_attr pointwise = {.weights = WHET_CONV_OSI, .last = true};
  int64_t w_dims[4] = {9, 1, 1, 5};
  int32_t y;
  switch (range(d, 0, 2)) {
    case 0: {
      int32_t w = opcheck_const(c, WHET_S8, 4, w_dims, NULL), zero = 0;
      float scale = 0.01f;
      opcheck_quant(c, w, 1, 0, &scale, &zero);
      return node(c, d, "Conv", &pointwise, 2, (int32_t[]){x, w}, t, round);
    }
    case 1:
      y = opcheck_input(c, t, 4, (int64_t[]){1, 3, 7, 5});
      quantise(c, d, y, t);
      return node(c, d, "Add", NULL, 2, (int32_t[]){x, y}, t, round);
    default:
      return node(c, d, "Tanh", NULL, 1, &x, t, round);
  }
}

static void group(uint64_t seed) {
  static const char *const unary[] = {"Sigmoid", "Tanh", "HardSwish", "Relu", "Elu"};
  static const char *const binary[] = {"Mul", "Add", "Sub"};
  enum { NODES = 8 };
  draw d = {seed, 0};
  opcheck c;
  char what[32];
  snprintf(what, sizeof what, "bytes case %d", (int)seed);
  opcheck_begin(&c, what);
  c.seed += seed;
  whet_dtype t = range(&d, 0, 1) ? WHET_S8 : WHET_U8;
  whet_round round = range(&d, 0, 1) ? WHET_ROUND_ONNX_REAL : WHET_ROUND_TFL_FIX;
  int32_t v[NODES + 1], x = opcheck_input(&c, t, 4, (int64_t[]){1, 3, 7, 5});
  quantise(&c, &d, x, t);
  v[0] = leader(&c, &d, x, t, round);
  int n = (int)range(&d, 1, NODES);
  static const whet_unary_attr elu = {.a = 1};
  for (int i = 0; i < n; i++) {
    int32_t a = v[range(&d, i > 2 ? i - 2 : 0, i)], b = v[range(&d, 0, i)];
    if (range(&d, 0, 1)) {
      const char *op = unary[range(&d, 0, 4)];
      v[i + 1] = node(&c, &d, op, op[0] == 'E' ? &elu : NULL, 1, &a, t, round);
      continue;
    }
    if (range(&d, 0, 3) == 0) {
      b = opcheck_const(&c, t, 1, (int64_t[]){1}, NULL);
      quantise(&c, &d, b, t);
    }
    v[i + 1] = node(&c, &d, binary[range(&d, 0, 2)], NULL, 2, (int32_t[]){a, b}, t, round);
  }
  if (n > 2 && range(&d, 0, 3) == 0) opcheck_output(&c, v[range(&d, 0, n - 1)]);
  opcheck_output(&c, v[n]);
  opcheck_run(&c, 0);
}

static void groups(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 120; seed++) group(seed);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(groups)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
