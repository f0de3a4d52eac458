/* SPDX-License-Identifier: Apache-2.0 */
/* Attention: planned runs against the reference; attention that is written out is found; what must be refused. */

#include "op/attention.h"

#include <stdio.h>

#include "lib/draw.h"
#include "lib/opcheck.h"
#include "op/dense.h"
#include "op/move_attr.h"
#include "op/softmax.h"

/* Numbers of a case, drawn from its seed. */
static bool chance(draw *d, int64_t percent) { return range(d, 0, 99) < percent; }

/* Sizes of a case. */
typedef struct sizes {
  int64_t batch, heads, kv_heads, m, n, d, dv;
} sizes;

static sizes draw_sizes(draw *d) {
  sizes s = {.batch = range(d, 1, 2), .kv_heads = range(d, 1, 3), .m = range(d, 1, 70), .n = range(d, 1, 90)};
  s.heads = s.kv_heads * range(d, 1, 2);
  s.d = range(d, 1, 20), s.dv = range(d, 1, 40);
  if (chance(d, 20)) s.n += 260;
  if (chance(d, 20)) s.m = 1;
  return s;
}

static int32_t operand(opcheck *c, whet_dtype t, bool inside, int64_t batch, int64_t heads, int64_t rows, int64_t width) {
  int64_t dims[4] = {batch, inside ? rows : heads, inside ? heads : rows, width};
  return opcheck_input(c, t, 4, dims);
}

static void attention_case(uint64_t seed, whet_dtype t) {
  draw d = {seed, 0};
  opcheck c;
  char what[64];
  snprintf(what, sizeof what, "Attention case %d", (int)seed);
  opcheck_begin(&c, what);
  c.seed += seed;
  sizes s = draw_sizes(&d);
  whet_attention a = {.left = -1, .right = -1, .inside = (uint8_t)range(&d, 0, 15), .nan = chance(&d, 20)};
  if (chance(&d, 50)) a.scaled = 1, a.scale = 0.3f;
  if (chance(&d, 20)) a.cap = 1.5f;
  if (chance(&d, 40)) a.right = chance(&d, 70) ? 0 : range(&d, 0, 30);
  if (chance(&d, 20)) a.left = range(&d, 0, 30);
  int32_t in[6] = {operand(&c, t, a.inside & WHET_ATTN_Q, s.batch, s.heads, s.m, s.d),
                   operand(&c, t, a.inside & WHET_ATTN_K, s.batch, s.kv_heads, s.n, s.d),
                   operand(&c, t, a.inside & WHET_ATTN_V, s.batch, s.kv_heads, s.n, s.dv),
                   -1, -1, -1};
  if (chance(&d, 50)) {
    int64_t mask[4] = {chance(&d, 50) ? s.batch : 1, chance(&d, 50) ? s.heads : 1, chance(&d, 70) ? s.m : 1,
                       chance(&d, 80) ? s.n : range(&d, 1, s.n)};
    int32_t rank = (int32_t)range(&d, 1, 4);
    in[3] = opcheck_input(&c, chance(&d, 50) ? t : WHET_BOOL, rank, mask + 4 - rank);
  }
  if (chance(&d, 20)) {
    int64_t lens[2] = {range(&d, 0, s.n), range(&d, 0, s.n)};
    in[4] = opcheck_const(&c, WHET_S64, 1, &s.batch, lens);
  } else if (chance(&d, 30)) {
    in[5] = opcheck_input(&c, t, 4, (int64_t[]){s.batch, s.kv_heads, range(&d, 0, s.n), s.d});
  }
  if (chance(&d, 15)) {
    a.qk = (uint8_t)range(&d, 0, 3);
    int32_t y = opcheck_nodes(&c, "Attention", &a, 6, in, 2);
    opcheck_output(&c, y);
    opcheck_output(&c, y + 1);
  } else {
    opcheck_output(&c, opcheck_node(&c, "Attention", &a, 6, in));
  }
  opcheck_run(&c, t == WHET_F32 ? 1e-5 : 0);
}

static void attention_f32(void **state) {
  for (uint64_t i = 0; i < 80; i++) attention_case(i, WHET_F32);
}
static void attention_others(void **state) {
  static const whet_dtype types[] = {WHET_F16, WHET_BF16, WHET_F64};
  for (uint64_t i = 0; i < 9; i++) attention_case(200 + i, types[i % 3]);
}

static int32_t turn(opcheck *c, int32_t v, int rank, const int64_t *perm) {
  whet_transpose t = {{perm, rank}};
  return opcheck_node(c, "Transpose", &t, 1, &v);
}
static int32_t two(opcheck *c, const char *op, const void *attr, int32_t a, int32_t b) {
  int32_t in[2] = {a, b};
  return opcheck_node(c, op, attr, 2, in);
}

/* The forms in which exporters write attention out. */
static void written_case(uint64_t seed) {
  static const int64_t k_heads[] = {0, 2, 1, 3}, k_keys[] = {0, 2, 3, 1}, k_last[][4] = {{0, 2, 1}, {0, 1, 3, 2}};
  static const float k_factor = 0.25f;
  draw d = {1000 + seed, 0};
  opcheck c;
  char what[64];
  snprintf(what, sizeof what, "written-out case %d", (int)seed);
  opcheck_begin(&c, what);
  c.seed += seed;
  c.becomes = "Attention";
  int rank = chance(&d, 75) ? 4 : 3;
  bool inside = rank == 4 && chance(&d, 60), k_inside = rank == 4 && chance(&d, 60), adj = chance(&d, 30);
  sizes s = draw_sizes(&d);
  s.heads = rank == 4 ? s.kv_heads : 1;
  int64_t q_dims[4] = {s.batch, inside ? s.m : s.heads, inside ? s.heads : s.m, s.d},
          k_dims[4] = {s.batch, k_inside ? s.n : s.heads, k_inside ? s.heads : s.n, s.d},
          v_dims[4] = {s.batch, inside ? s.n : s.heads, inside ? s.heads : s.n, s.dv};
  if (rank == 3) q_dims[1] = s.m, k_dims[1] = s.n, v_dims[1] = s.n, q_dims[2] = k_dims[2] = s.d, v_dims[2] = s.dv;
  int32_t q = opcheck_input(&c, WHET_F32, rank, q_dims), k = opcheck_input(&c, WHET_F32, rank, k_dims),
          v = opcheck_input(&c, WHET_F32, rank, v_dims), factor = opcheck_const(&c, WHET_F32, 0, NULL, &k_factor);
  if (inside) q = turn(&c, q, 4, k_heads), v = turn(&c, v, 4, k_heads);
  if (chance(&d, 30)) q = two(&c, "Mul", NULL, q, factor);
  if (k_inside)
    k = turn(&c, k, 4, adj ? k_heads : k_keys);
  else if (!adj)
    k = turn(&c, k, rank, k_last[rank - 3]);
  if (chance(&d, 30)) k = two(&c, "Mul", NULL, k, factor);
  whet_matmul qk = {.alpha = 1, .trans_b = adj}, pv = {.alpha = 1};
  int32_t x = two(&c, "MatMul", &qk, q, k);
  if (chance(&d, 50)) x = two(&c, chance(&d, 50) ? "Mul" : "Div", NULL, x, factor);
  if (chance(&d, 50)) {
    int64_t mask[4] = {chance(&d, 50) ? s.batch : 1, 1, chance(&d, 50) ? s.m : 1, s.n};
    if (rank == 3) mask[1] = mask[2], mask[2] = s.n;
    int32_t b = opcheck_input(&c, WHET_F32, rank, mask);
    x = chance(&d, 50) ? two(&c, "Add", NULL, x, b) : two(&c, "Add", NULL, b, x);
  }
  whet_softmax_attr soft = {.axis = chance(&d, 50) ? -1 : rank - 1, .beta = 1};
  x = two(&c, "MatMul", &pv, opcheck_node(&c, "Softmax", &soft, 1, &x), v);
  if (rank == 4 && chance(&d, 60)) x = turn(&c, x, 4, k_heads);
  opcheck_output(&c, opcheck_node(&c, "Relu", NULL, 1, &x));
  opcheck_run(&c, 1e-5);
}

static void written_out(void **state) {
  for (uint64_t i = 0; i < 60; i++) written_case(i);
}

static void refused(void **state) {
  static const struct {
    const char *what;
    int64_t q[4], k[4], v[4], mask[2];
    whet_status s;
  } cases[] = {{"width", {1, 2, 3, 4}, {1, 2, 5, 3}, {1, 2, 5, 4}, {3, 5}, WHET_E_SHAPE},
               {"keys and values", {1, 2, 3, 4}, {1, 2, 5, 4}, {1, 2, 6, 4}, {3, 5}, WHET_E_SHAPE},
               {"heads", {1, 3, 3, 4}, {1, 2, 5, 4}, {1, 2, 5, 4}, {3, 5}, WHET_E_SHAPE},
               {"batch", {2, 2, 3, 4}, {1, 2, 5, 4}, {1, 2, 5, 4}, {3, 5}, WHET_E_SHAPE},
               {"mask", {1, 2, 3, 4}, {1, 2, 5, 4}, {1, 2, 5, 4}, {2, 5}, WHET_E_SHAPE},
               {"long mask", {1, 2, 3, 4}, {1, 2, 5, 4}, {1, 2, 5, 4}, {3, 6}, WHET_E_SHAPE}};
  for (size_t i = 0; i < WHET_COUNT(cases); i++) {
    opcheck c;
    whet_attention a = {.left = -1, .right = -1};
    opcheck_begin(&c, cases[i].what);
    int32_t in[6] = {opcheck_input(&c, WHET_F32, 4, cases[i].q),
                     opcheck_input(&c, WHET_F32, 4, cases[i].k),
                     opcheck_input(&c, WHET_F32, 4, cases[i].v),
                     opcheck_input(&c, WHET_F32, 2, cases[i].mask),
                     -1,
                     -1};
    opcheck_output(&c, opcheck_node(&c, "Attention", &a, 6, in));
    opcheck_refused(&c, cases[i].s);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(attention_f32), cmocka_unit_test(attention_others),
                                     cmocka_unit_test(written_out), cmocka_unit_test(refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
