/* SPDX-License-Identifier: Apache-2.0 */
/* Family binary_q8 against its formula, one element after the other. */

#include "kern/binary_q8.h"
#include "kern/check.h"

typedef struct state {
  whet_binary_q8 p;
  uint8_t *x, *y;
} state;

/* One past the greatest element that strides reach. */
static int64_t extent(const whet_binary_q8 *p, const int64_t *stride) {
  int64_t n = 1;
  for (int32_t i = 0; i < p->rank; i++) n += (p->dim[i] - 1) * stride[i];
  return n;
}

static void buffers(kc *k, bool in_place) {
  state *s = k->state;
  whet_binary_q8 *p = kc_params(k, sizeof *p);
  *p = s->p;
  int64_t nx = extent(p, p->x_stride);
  s->x = in_place ? kc_inout(k, WHET_U8, nx) : kc_in(k, WHET_U8, nx);
  if (in_place) s->x = memcpy(kc_mem(k, (size_t)nx), s->x, (size_t)nx);
  s->y = kc_in(k, WHET_U8, extent(p, p->y_stride));
  if (in_place)
    kc_alias(k, 0);
  else
    kc_out(k, WHET_U8, extent(p, p->z_stride));
}

static void draw(kc *k) {
  static const uint8_t fns[] = {WHET_BIN_ADD, WHET_BIN_SUB, WHET_BIN_MUL};
  state *s = k->state;
  whet_binary_q8 *p = &s->p;
  p->fn = fns[kc_range(k, 0, 2)];
  p->round = kc_chance(k, 60) ? WHET_ROUND_TFL_FIX : WHET_ROUND_ONNX_REAL;
  p->left = kc_chance(k, 80) ? 20 : 15;
  p->x_signed = kc_chance(k, 50), p->y_signed = kc_chance(k, 50), p->z_signed = kc_chance(k, 50);
  p->x_zero = (int32_t)kc_range(k, 0, 255) - (p->x_signed ? 128 : 0);
  p->y_zero = (int32_t)kc_range(k, 0, 255) - (p->y_signed ? 128 : 0);
  p->z_zero = (int32_t)kc_range(k, 0, 255) - (p->z_signed ? 128 : 0);
  p->lo = kc_chance(k, 60) ? (p->z_signed ? -128 : 0) : p->z_zero;
  p->hi = kc_chance(k, 60) ? (p->z_signed ? 127 : 255) : (int32_t)kc_range(k, p->lo, p->z_signed ? 127 : 255);
  float sx = 0.01f + 0.02f * (kc_f32(k) + 1), sy = kc_chance(k, 30) ? sx : 0.01f + 0.02f * (kc_f32(k) + 1);
  float sz = 0.02f + 0.01f * kc_f32(k);
  if (p->fn == WHET_BIN_MUL) sz *= kc_chance(k, 20) ? 1e-3f : 1;
  if (kc_chance(k, 10)) sz *= 1e6f;
  if (kc_chance(k, 10)) sx *= 1e-9f;
  whet__binary_q8_factors(p, sx, sy, sz);
  if (kc_chance(k, 70)) whet__binary_q8_settle(p);
  p->rank = (int32_t)kc_range(k, 0, 4);
  bool in_place = kc_chance(k, 20), odd = kc_chance(k, 10);
  int64_t nx = 1, ny = 1, nz = 1;
  for (int32_t i = p->rank - 1; i >= 0; i--) {
    p->dim[i] = i == p->rank - 1 ? kc_size(k, p->rank > 2 ? 200 : 400) : kc_range(k, 1, 5);
    if (kc_chance(k, 75) || in_place) p->x_stride[i] = nx, nx *= p->dim[i];
    if (kc_chance(k, 60)) p->y_stride[i] = ny, ny *= p->dim[i];
    p->z_stride[i] = nz, nz *= p->dim[i];
    if (i == p->rank - 1 && !in_place) nz += kc_range(k, 0, 3), nx += kc_range(k, 0, 3);
    if (i == p->rank - 1 && odd && !in_place) p->x_stride[i] = 2, nx *= 2;
  }
  buffers(k, in_place);
  kc_name(k, "fn %d rule %d signs %d%d%d, %d dimensions %d %d %d %d%s", p->fn, p->round, p->x_signed, p->y_signed,
          p->z_signed, p->rank, (int)p->dim[0], (int)p->dim[1], (int)p->dim[2], (int)p->dim[3],
          in_place ? ", in place" : "");
}

static int32_t number(uint8_t b, bool is_signed) { return is_signed ? (int8_t)b : b; }

/* The formula, written out again in wide numbers. */
static int64_t want(const whet_binary_q8 *p, int64_t a, int64_t b) {
  int64_t v;
  if (p->round == WHET_ROUND_ONNX_REAL) {
    float x = (float)a * p->x_real, y = (float)b * p->y_real;
    float f = p->fn == WHET_BIN_MUL ? (float)(a * b) * p->x_real : p->fn == WHET_BIN_ADD ? x + y : x - y;
    v = (int64_t)rint(fmin(fmax((double)f, -1e9), 1e9));
  } else if (p->fn == WHET_BIN_MUL) {
    v = whet__mul_fix((int32_t)(a * b), p->z_mul, p->z_shift);
  } else {
    a = whet__mul_fix((int32_t)(a * (1 << p->left)), p->x_mul, p->x_shift);
    b = whet__mul_fix((int32_t)(b * (1 << p->left)), p->y_mul, p->y_shift);
    v = whet__mul_fix((int32_t)(p->fn == WHET_BIN_ADD ? a + b : a - b), p->z_mul, p->z_shift);
  }
  v += p->z_zero;
  return v < p->lo ? p->lo : v > p->hi ? p->hi : v;
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_binary_q8 *p = &s->p;
  int64_t n = 1;
  for (int32_t i = 0; i < p->rank; i++) n *= p->dim[i];
  for (int64_t e = 0; e < n && !k->failures; e++) {
    int64_t x = 0, y = 0, z = 0, left = e;
    for (int32_t i = p->rank - 1; i >= 0; i--) {
      int64_t at = left % p->dim[i];
      left /= p->dim[i];
      x += at * p->x_stride[i], y += at * p->y_stride[i], z += at * p->z_stride[i];
    }
    int64_t v = want(p, number(s->x[x], p->x_signed) - p->x_zero, number(s->y[y], p->y_signed) - p->y_zero);
    kc_want_int(k, k->arg[2].kind == KC_ALIAS ? 0 : 2, z, (uint8_t)v);
  }
}

/* The residual of a 56 x 56 x 256 block, and a scaling of channels. */
static void bench(kc *k, int i) {
  state *s = k->state;
  int64_t n = 56 * 56, c = 256;
  s->p = (whet_binary_q8){.fn = i < 2 ? WHET_BIN_ADD : WHET_BIN_MUL,
                          .round = i % 2 ? WHET_ROUND_ONNX_REAL : WHET_ROUND_TFL_FIX,
                          .left = 20,
                          .x_zero = 128,
                          .y_zero = 128,
                          .z_zero = 128,
                          .hi = 255,
                          .rank = 2,
                          .dim = {n, c},
                          .x_stride = {c, 1},
                          .y_stride = {i < 2 ? c : 0, 1},
                          .z_stride = {c, 1}};
  whet__binary_q8_factors(&s->p, 0.02f, 0.03f, 0.025f);
  whet__binary_q8_settle(&s->p);
  buffers(k, false);
  k->ops = (double)(n * c);
  kc_name(k, "%s 56x56x256 %s", i < 2 ? "add" : "scale", i % 2 ? "float" : "fixed");
}

static const kc_test test = {.family = WHET_FAMILY_binary_q8,
                             .state_bytes = sizeof(state),
                             .fills = 1 << KC_RANDOM | 1 << KC_INTS | 1 << KC_MIN | 1 << KC_MAX | 1 << KC_ALTERNATE,
                             .draw = draw,
                             .check = check,
                             .n_bench = 4,
                             .bench = bench};
KC_MAIN(test)
