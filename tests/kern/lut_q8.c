/* SPDX-License-Identifier: Apache-2.0 */
/* Family lut_q8: every byte of every row is the table's. */

#include "kern/check.h"
#include "kern/lut_q8.h"

typedef struct state {
  whet_lut_q8 p;
  uint8_t *in, *table;
  bool in_place;
} state;

/* Buffers for the parameters in the state. */
static void buffers(kc *k) {
  state *s = k->state;
  whet_lut_q8 *p = kc_params(k, sizeof *p);
  *p = s->p;
  int64_t n_in = (p->rows - 1) * p->in_pitch + p->run, n_out = (p->rows - 1) * p->out_pitch + p->run;
  s->in = s->in_place ? kc_inout(k, WHET_U8, n_in) : kc_in(k, WHET_U8, n_in);
  if (s->in_place) s->in = memcpy(kc_mem(k, (size_t)n_in), s->in, (size_t)n_in);
  s->table = kc_in(k, WHET_U8, 256);
  if (s->in_place)
    kc_alias(k, 0);
  else
    kc_out(k, WHET_U8, n_out);
  k->bytes = 2.0 * (double)(p->rows * p->run);
}

static void draw(kc *k) {
  state *s = k->state;
  s->in_place = kc_chance(k, 30);
  s->p.rows = kc_chance(k, 50) ? 1 : kc_range(k, 1, 9);
  s->p.run = kc_size(k, 700);
  s->p.in_pitch = s->p.run + kc_range(k, 0, 70);
  s->p.out_pitch = s->in_place ? s->p.in_pitch : s->p.run + kc_range(k, 0, 70);
  buffers(k);
  kc_name(k, "%d rows of %d, pitch %d to %d%s", (int)s->p.rows, (int)s->p.run, (int)s->p.in_pitch,
          (int)s->p.out_pitch, s->in_place ? ", in place" : "");
}

static void check(kc *k) {
  const state *s = k->state;
  for (int64_t r = 0; r < s->p.rows; r++)
    for (int64_t i = 0; i < s->p.run; i++)
      kc_want_int(k, s->in_place ? 0 : 2, r * s->p.out_pitch + i, s->table[s->in[r * s->p.in_pitch + i]]);
}

static void bench(kc *k, int i) {
  state *s = k->state;
  s->p = (whet_lut_q8){1, 100352, 100352, 100352};
  buffers(k);
  kc_name(k, "100352 bytes");
}

static const kc_test test = {.family = WHET_FAMILY_lut_q8,
                             .state_bytes = sizeof(state),
                             .draw = draw,
                             .check = check,
                             .n_bench = 1,
                             .bench = bench};
KC_MAIN(test)
