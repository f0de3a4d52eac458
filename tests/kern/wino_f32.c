/* SPDX-License-Identifier: Apache-2.0 */
/* Family wino_f32 against sums in double. */

#include "kern/wino_f32.h"

#include <math.h>

#include "kern/conv_case.h"

/* A convolution of c->ic to c->oc channels with the windows set, by tiles of m, `block` of them at once (0: what the
 * sizes suggest); chunk: of plain weights, 0: they come transformed. */
static void finish(kc *k, int32_t m, int32_t block, int32_t chunk, bool bias, bool oihw, int64_t gap) {
  conv_case *s = k->state;
  whet_window one = {1, 1, 1, 1, 1, 0, 0, 0, 0};
  s->c.groups = 1;
  s->c.dim[0] = one;
  conv_arguments(k, s, bias, s->c.epi.res, oihw, gap, gap ? gap - 1 : 0, gap);
  whet_wino_f32 *w = kc_params(k, sizeof *w);
  *w = (whet_wino_f32){.c = s->c, .m = m};
  whet__wino_set_block(w, chunk != 0);
  if (block) w->block = block;
  if (chunk) w->chunk = (int32_t)whet__min_i(chunk, s->c.ic);
}

static whet_window window(kc *k, int64_t n) {
  int64_t before = kc_range(k, 0, 2), after = kc_range(k, 0, 2);
  if (kc_chance(k, 50)) before = after = 1;
  whet_window w = {.kernel = 3, .stride = 1, .dilation = 1, .pad = before};
  w.in = whet__max_i(kc_range(k, 1, n), 3 - before - after);
  w.out = w.in + before + after - 2;
  return w;
}

static void draw(kc *k) {
  conv_case *s = k->state;
  whet_conv_f32 *c = &s->c;
  c->batch = kc_chance(k, 80) ? 1 : 2;
  c->ic = kc_size(k, 70);
  c->oc = kc_size(k, 150);
  c->dim[1] = window(k, 20);
  c->dim[2] = window(k, 30);
  conv_epilogue(k, &c->epi);
  int32_t m = kc_chance(k, 50) ? 2 : 4;
  finish(k, m, kc_chance(k, 50) ? (int32_t)kc_range(k, 1, 30) : 0,
         kc_chance(k, 30) ? (int32_t)kc_range(k, 1, 40) : 0, kc_chance(k, 70), kc_chance(k, 50),
         kc_chance(k, 30) ? kc_range(k, 1, 9) : 0);
  conv_name(k, c);
  char name[sizeof k->name];
  memcpy(name, k->name, sizeof name);
  kc_name(k, "F(%d,3) %s", m, name);
}

static void pack(kc *k, const whet_kern *row) {
  conv_case *s = k->state;
  const void *src[2] = {s->w, s->bias};
  const whet_wino_f32 *w = (const void *)k->params;
  s->pack.form = row->form;
  if (w->chunk) {
    conv_pack(k, row);
    return;
  }
  whet_wino_pack_f32 p = {.pack = s->pack, .m = w->m};
  void *dst = kc_pack_bytes(k, s->packed, whet__wino_pack_f32_bytes(&p));
  for (int part = 0; part < 3; part++) whet__wino_pack_f32(&p, src, dst, part, 3);
}

/* Output pixel (n, y, x), channel j: the sum in double and, in *size, the sum of |x w|. */
static double sum(const conv_case *s, int64_t n, int64_t y, int64_t x, int64_t j, double *size) {
  const whet_conv_f32 *c = &s->c;
  double v = s->bias ? (double)s->bias[j] : 0;
  *size = fabs(v);
  for (int64_t t = 0; t < 9; t++) {
    int64_t iy = y + t / 3 - c->dim[1].pad, ix = x + t % 3 - c->dim[2].pad;
    if (iy < 0 || iy >= c->dim[1].in || ix < 0 || ix >= c->dim[2].in) continue;
    const float *in = s->in + n * c->in_batch + iy * c->dim[1].in_step + ix * c->dim[2].in_step;
    const float *w = s->w + j * s->pack.n_step + t / 3 * s->pack.k_step[1] + t % 3 * s->pack.k_step[2];
    for (int64_t ch = 0; ch < c->ic; ch++) {
      double p = (double)in[ch] * (double)w[ch * s->pack.k_step[3]];
      v += p;
      *size += fabs(p);
    }
  }
  return v;
}

/* Each output within a bound of its own, and the whole within the family's promise: root mean square of the errors
 * beside that of sums in order. Only cases with sums of like size tell the latter. */
static void check(kc *k) {
  const conv_case *s = k->state;
  const whet_wino_f32 *w = (const void *)k->params;
  const whet_conv_f32 *c = &s->c;
  const float *got = (const float *)(const void *)k->arg[1].p;
  double largest = 0, errors = 0, sizes = 0, eps = 0x1p-24, count = 0;
  /* All numbers of the patch enter every place: what one output is bounded by is the largest of them. */
  double *weights = kc_mem(k, (size_t)c->oc * sizeof *weights);
  for (int64_t i = 0; i < 9 * c->ic * c->oc; i++)
    weights[i / 9 / c->ic] += fabs((double)s->w[i]);
  for (int64_t i = 0; i < k->arg[0].n; i++) largest = fmax(largest, fabs((double)s->in[i]));
  for (int64_t n = 0; n < c->batch; n++)
    for (int64_t at = 0; at < c->dim[1].out * c->dim[2].out && !k->failures; at++)
      for (int64_t j = 0; j < c->oc; j++) {
        int64_t y = at / c->dim[2].out, x = at % c->dim[2].out;
        int64_t to = n * c->out_batch + y * c->dim[1].out_step + x * c->dim[2].out_step + j;
        int64_t from = n * c->res_batch + y * c->dim[1].res_step + x * c->dim[2].res_step + j;
        double size, v = sum(s, n, y, x, j, &size), r = s->res ? (double)s->res[from] : 0, scale = 1;
        for (int i = 0; i < c->epi.n; i++) {
          if (c->epi.op[i] == WHET_MICRO_ADD) v += r, size += fabs(r);
          if (c->epi.op[i] == WHET_MICRO_MUL) v *= r, scale *= fabs(r);
          if (c->epi.op[i] == WHET_MICRO_CLAMP) v = fmin(fmax(v, (double)c->epi.a[i]), (double)c->epi.b[i]);
        }
        double bound = (w->m == 4 ? 40 : 8) * eps * (largest * weights[j] + size) * scale;
        kc_want(k, 1, to, v, bound);
        errors += ((double)got[to] - v) * ((double)got[to] - v);
        sizes += size * size * scale * scale;
        count++;
      }
  /* Sums in order of random terms err by 0.39 eps of the sum of their absolute values; with few channels what
   * the transforms round weighs more. */
  double promise = eps * (w->m == 4 ? 1.1 : 0.5);
  bool whole = c->dim[1].out >= 2 * w->m && c->dim[2].out >= 2 * w->m; /* places of a tile err unlike: all must be there */
  if (k->fill == KC_RANDOM && c->ic >= 16 && count >= 64 && whole && sqrt(errors) > promise * sqrt(sizes))
    kc_fail(k, "errors are %.3g of the terms, expected %.3g", sqrt(errors / sizes), promise);
}

static const struct shape {
  int64_t size, ic, oc;
  int32_t m;
} shapes[] = {{56, 64, 64, 4},   {28, 128, 128, 4}, {14, 256, 256, 4}, {7, 512, 512, 2},  {7, 512, 512, 4},
              {40, 64, 64, 4},   {40, 80, 80, 4},   {40, 32, 32, 4},   {80, 16, 16, 4},   {20, 64, 64, 4},
              {10, 128, 128, 4}, {10, 128, 128, 2}, {55, 16, 64, 4},   {27, 32, 128, 4},  {13, 64, 256, 4},
              {32, 16, 16, 4},   {16, 32, 32, 4},   {8, 64, 64, 4},    {8, 64, 64, 2}};
enum { PLAIN = 4 }; /* the first shapes once more, with plain weights */

static void bench(kc *k, int i) {
  conv_case *s = k->state;
  bool plain = i >= (int)WHET_COUNT(shapes);
  const struct shape *q = &shapes[plain ? i - (int)WHET_COUNT(shapes) : i];
  whet_window d = {q->size, q->size, 3, 1, 1, 1, 0, 0, 0};
  s->c = (whet_conv_f32){.batch = 1, .ic = q->ic, .oc = q->oc, .dim = {d, d, d}};
  s->c.epi = (whet_epi_f32){.n = 1, .op = {WHET_MICRO_CLAMP}, .b = {INFINITY}};
  finish(k, q->m, 0, plain ? 32 : 0, true, true, 0);
  k->ops = 2.0 * 9 * (double)(q->size * q->size * q->ic * q->oc);
  kc_name(k, "%lldx%lld %lld->%lld F(%d,3)%s", (long long)q->size, (long long)q->size, (long long)q->ic,
          (long long)q->oc, q->m, plain ? ", plain weights" : "");
}

static const kc_test test = {.family = WHET_FAMILY_wino_f32,
                             .state_bytes = sizeof(conv_case),
                             .fills = 1u << KC_RANDOM | 1u << KC_INTS | 1u << KC_ALTERNATE,
                             .draw = draw,
                             .pack = pack,
                             .check = check,
                             .n_bench = (int)WHET_COUNT(shapes) + PLAIN,
                             .bench = bench};
KC_MAIN(test)
