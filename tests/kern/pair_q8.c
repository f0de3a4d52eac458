/* SPDX-License-Identifier: Apache-2.0 */
/* Family pair_q8: every byte is the table's, whichever operand is spread. */

#include "kern/check.h"
#include "kern/pair_q8.h"

typedef struct state {
  whet_pair_q8 p;
  const uint8_t *x, *y, *table;
} state;

/* Elements that an array with such strides has. */
static int64_t reach(const whet_pair_q8 *p, const int64_t *stride) {
  int64_t n = 1;
  for (int32_t d = 0; d < p->rank; d++) n += (p->dim[d] - 1) * stride[d];
  return n;
}

static void buffers(kc *k) {
  state *s = k->state;
  memcpy(kc_params(k, sizeof s->p), &s->p, sizeof s->p);
  s->x = kc_in(k, WHET_U8, reach(&s->p, s->p.x_stride));
  s->y = kc_in(k, WHET_U8, reach(&s->p, s->p.y_stride));
  s->table = kc_in(k, WHET_U8, 65536);
  kc_out(k, WHET_U8, reach(&s->p, s->p.z_stride));
}

static void draw(kc *k) {
  state *s = k->state;
  whet_pair_q8 *p = &s->p;
  *p = (whet_pair_q8){.rank = (int32_t)kc_range(k, 1, 4)};
  int64_t x = 1, y = 1, z = 1;
  for (int32_t d = p->rank - 1; d >= 0; d--) {
    p->dim[d] = kc_range(k, 1, d == p->rank - 1 ? 40 : 5);
    int64_t spread = kc_range(k, 0, 3); /* 0: x, 1: y, else none */
    p->x_stride[d] = spread == 0 ? 0 : x, p->y_stride[d] = spread == 1 ? 0 : y, p->z_stride[d] = z;
    x *= spread == 0 ? 1 : p->dim[d], y *= spread == 1 ? 1 : p->dim[d], z *= p->dim[d];
  }
  buffers(k);
  kc_name(k, "%lld results of rank %d", (long long)z, p->rank);
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_pair_q8 *p = &s->p;
  int64_t n = reach(p, p->z_stride);
  for (int64_t i = 0; i < n; i++) {
    int64_t x = 0, y = 0;
    for (int32_t d = 0; d < p->rank; d++) {
      int64_t at = i / p->z_stride[d] % p->dim[d];
      x += at * p->x_stride[d], y += at * p->y_stride[d];
    }
    kc_want_int(k, 3, i, s->table[256 * s->y[y] + s->x[x]]);
  }
}

static void bench(kc *k, int i) {
  state *s = k->state;
  s->p = (whet_pair_q8){.rank = 2, .dim = {3136, 32}, .x_stride = {32, 1}, .y_stride = {0, 1}, .z_stride = {32, 1}};
  buffers(k);
  k->bytes = 2.0 * 3136 * 32;
  kc_name(k, "3136 x 32, y spread");
}

static const kc_test test = {.family = WHET_FAMILY_pair_q8,
                             .state_bytes = sizeof(state),
                             .draw = draw,
                             .check = check,
                             .n_bench = 1,
                             .bench = bench};
KC_MAIN(test)
