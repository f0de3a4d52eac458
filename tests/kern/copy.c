/* SPDX-License-Identifier: Apache-2.0 */
/* Family copy against its definition: one element after the other. */

#include "kern/check.h"
#include "kern/copy.h"

typedef struct state {
  whet_copy c;
  uint8_t *in;
  int64_t n_in, n_out;
} state;

/* A random array of up to four dimensions, its input strides turned, reversed or zero, its output rows apart. */
static void draw(kc *k) {
  static const int bytes[] = {1, 2, 4, 8, 16};
  state *s = k->state;
  whet_copy *c = kc_params(k, sizeof *c);
  c->elem_bytes = bytes[kc_range(k, 0, 4)];
  c->rank = (int32_t)kc_range(k, 0, 4);
  int64_t order[WHET_MAX_RANK], n = 1, gap = kc_range(k, 0, 3);
  for (int32_t i = 0; i < c->rank; i++) c->dim[i] = kc_size(k, c->rank > 2 ? 9 : 70), order[i] = i;
  for (int32_t i = c->rank - 1; i > 0 && kc_chance(k, 60); i--) {
    int64_t j = kc_range(k, 0, i), swap = order[i];
    order[i] = order[j];
    order[j] = swap;
  }
  for (int32_t i = c->rank - 1; i >= 0; i--) {
    int64_t d = order[i];
    if (kc_chance(k, 10)) continue; /* stride 0: every index reads the same */
    c->in_stride[d] = n;
    if (kc_chance(k, 10)) c->in_stride[d] = -n, c->in_offset += n * (c->dim[d] - 1);
    n *= c->dim[d];
  }
  s->n_in = n;
  s->n_out = 1;
  for (int32_t i = c->rank - 1; i >= 0; i--) {
    c->out_stride[i] = s->n_out;
    s->n_out *= c->dim[i];
    if (i == c->rank - 1) s->n_out += gap;
  }
  s->c = *c;
  s->in = kc_in(k, WHET_U8, s->n_in * c->elem_bytes);
  kc_out(k, WHET_U8, s->n_out * c->elem_bytes);
  kc_name(k, "%d bytes, rank %d: %lld %lld %lld %lld", (int)c->elem_bytes, (int)c->rank, (long long)c->dim[0],
          (long long)c->dim[1], (long long)c->dim[2], (long long)c->dim[3]);
}

static void check(kc *k) {
  const state *s = k->state;
  int64_t at[WHET_MAX_RANK] = {0}, e = s->c.elem_bytes, n = 1;
  for (int32_t i = 0; i < s->c.rank; i++) n *= s->c.dim[i];
  for (int64_t o = 0; o < n && !k->failures; o++) {
    int64_t in = s->c.in_offset, out = s->c.out_offset;
    for (int32_t i = 0; i < s->c.rank; i++) in += at[i] * s->c.in_stride[i], out += at[i] * s->c.out_stride[i];
    for (int64_t b = 0; b < e; b++) kc_want_int(k, 1, out * e + b, s->in[in * e + b]);
    for (int32_t i = s->c.rank - 1; i >= 0 && ++at[i] == s->c.dim[i]; i--) at[i] = 0;
  }
}

/* A plain copy, transpositions of large pictures, halves of short rows. */
static void bench(kc *k, int i) {
  whet_copy *c = kc_params(k, sizeof *c);
  static const char *const what[] = {"plain 50176x64", "turn 64x50176", "turn 3x50176", "halves of 4420x4"};
  int64_t rows = i == 3 ? 4420 : 224 * 224, columns = i == 2 ? 3 : i == 3 ? 2 : 64, n = rows * columns;
  *c = (whet_copy){.elem_bytes = 4, .rank = 2, .dim = {rows, columns}, .in_stride = {64, 1}, .out_stride = {columns, 1}};
  if (i == 1 || i == 2) c->in_stride[0] = 1, c->in_stride[1] = rows;
  if (i == 3) c->in_stride[0] = 4;
  kc_in(k, WHET_F32, i == 3 ? 2 * n : n);
  kc_out(k, WHET_F32, n);
  k->bytes = 8.0 * (double)n;
  kc_name(k, "%s f32", what[i]);
}

static const kc_test test = {.family = WHET_FAMILY_copy,
                             .state_bytes = sizeof(state),
                             .draw = draw,
                             .check = check,
                             .n_bench = 4,
                             .bench = bench};
KC_MAIN(test)
