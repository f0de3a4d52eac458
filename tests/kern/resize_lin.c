/* SPDX-License-Identifier: Apache-2.0 */
/* Family resize_lin against its definition, written out for each element. */

#include "kern/resize_lin.h"

#include "kern/check.h"

typedef struct state {
  whet_resize_lin p;
  int64_t in_h;
  const void *x;
  const whet_resize_place *places;
} state;

/* Places of `out` outputs of a dimension with `in` elements: any two, any weights that may be. */
static void place(kc *k, whet_resize_place *to, int64_t in, int64_t out) {
  for (int64_t o = 0; o < out; o++) {
    int64_t low = kc_range(k, 0, in - 1), high = kc_chance(k, 80) ? (low + 1 < in ? low + 1 : low) : kc_range(k, 0, in - 1);
    float after = kc_chance(k, 30) ? 0 : (float)kc_range(k, 0, 1000) / 1000;
    to[o] = (whet_resize_place){(int32_t)low, (int32_t)high, (int32_t)kc_range(k, -512, 1536), 1 - after, after};
  }
}

static void draw(kc *k) {
  static const whet_dtype k_type[] = {WHET_F32, WHET_S8, WHET_S16, WHET_U8};
  state *s = k->state;
  whet_resize_lin *p = kc_params(k, sizeof *p);
  p->kind = (uint8_t)kc_range(k, 0, 3);
  p->outer = kc_range(k, 1, 2);
  s->in_h = kc_size(k, 9);
  p->in_w = kc_size(k, 20);
  p->out_h = kc_size(k, 9);
  p->out_w = kc_size(k, 20);
  p->inner = kc_chance(k, 30) ? 1 : kc_size(k, 70);
  p->in_pixel = p->inner + (kc_chance(k, 30) ? kc_range(k, 1, 9) : 0);
  p->out_pixel = p->inner + (kc_chance(k, 30) ? kc_range(k, 1, 9) : 0);
  p->in_row = p->in_pixel * p->in_w + (kc_chance(k, 20) ? 5 : 0);
  p->out_row = p->out_pixel * p->out_w;
  p->in_outer = p->in_row * s->in_h;
  p->out_outer = p->out_row * p->out_h;
  whet_dtype t = k_type[p->kind];
  int64_t nx = p->in_outer * (p->outer - 1) + p->in_row * (s->in_h - 1) + p->in_pixel * (p->in_w - 1) + p->inner;
  int64_t ny = p->out_outer * (p->outer - 1) + p->out_row * (p->out_h - 1) + p->out_pixel * (p->out_w - 1) + p->inner;
  whet_resize_place *places = kc_mem(k, (size_t)(p->out_h + p->out_w) * sizeof *places);
  place(k, places, s->in_h, p->out_h);
  place(k, places + p->out_h, p->in_w, p->out_w);
  s->p = *p;
  s->places = places;
  s->x = kc_in(k, t, nx);
  kc_given(k, WHET_U8, (int64_t)((size_t)(p->out_h + p->out_w) * sizeof *places), places);
  kc_out(k, t, ny);
  kc_name(k, "%s, %lld x %lldx%lld to %lldx%lld x %lld", whet_dtype_name(t), (long long)p->outer, (long long)s->in_h,
          (long long)p->in_w, (long long)p->out_h, (long long)p->out_w, (long long)p->inner);
}

/* Half away from zero. */
static int64_t rounded(int64_t sum) { return (sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20); }

static void check(kc *k) {
  const state *s = k->state;
  const whet_resize_lin *p = &s->p;
  for (int64_t o = 0; o < p->outer; o++)
    for (int64_t y = 0; y < p->out_h; y++)
      for (int64_t x = 0; x < p->out_w; x++)
        for (int64_t c = 0; c < p->inner && !k->failures; c++) {
          const whet_resize_place *v = &s->places[y], *h = &s->places[p->out_h + x];
          int64_t at[4], to = o * p->out_outer + y * p->out_row + x * p->out_pixel + c;
          for (int i = 0; i < 4; i++)
            at[i] = o * p->in_outer + (i & 2 ? v->high : v->low) * p->in_row + (i & 1 ? h->high : h->low) * p->in_pixel + c;
          if (p->kind == WHET_RESIZE_F32) {
            const float *f = s->x;
            float l = f[at[0]] * v->before, r = f[at[1]] * v->before, b = f[at[2]] * v->after, d = f[at[3]] * v->after;
            float left = l + b, right = r + d, a = left * h->before, e = right * h->after;
            kc_want_f32(k, 2, to, a + e);
          } else if (p->kind == WHET_RESIZE_U8) {
            const uint8_t *u = s->x;
            float l = (float)u[at[0]] * v->before, b = (float)u[at[2]] * v->after, r = (float)u[at[1]] * v->before,
                  d = (float)u[at[3]] * v->after, sum = l * h->before;
            float m = b * h->before, n = r * h->after, q = d * h->after;
            sum += m;
            sum += n;
            sum += q;
            kc_want_int(k, 2, to, (int32_t)(sum + 0.5f));
          } else {
            whet_dtype t = p->kind == WHET_RESIZE_S8 ? WHET_S8 : WHET_S16;
            int64_t e[4];
            for (int i = 0; i < 4; i++) e[i] = whet__get_i64(t, s->x, at[i]);
            int64_t sum = (e[0] * (1024 - h->fixed) + e[1] * h->fixed) * (1024 - v->fixed) +
                          (e[2] * (1024 - h->fixed) + e[3] * h->fixed) * v->fixed;
            int64_t want = rounded(sum);
            kc_want_int(k, 2, to, t == WHET_S8 ? (int8_t)want : (int16_t)want);
          }
        }
}

static void bench(kc *k, int i) {
  static const struct {
    int kind, in, out, chan;
  } cases[] = {{WHET_RESIZE_F32, 33, 257, 21}, {WHET_RESIZE_F32, 32, 64, 256}, {WHET_RESIZE_F32, 256, 512, 1},
               {WHET_RESIZE_S8, 33, 257, 21},  {WHET_RESIZE_S8, 32, 64, 256},  {WHET_RESIZE_U8, 33, 257, 21}};
  whet_resize_lin *p = kc_params(k, sizeof *p);
  int64_t n = cases[i].in, m = cases[i].out, c = cases[i].chan;
  *p = (whet_resize_lin){(uint8_t)cases[i].kind, 1, m, n, m, c, n * n * c, n * c, c, m * m * c, m * c, c};
  whet_resize_place *places = kc_mem(k, (size_t)(2 * m) * sizeof *places);
  for (int64_t o = 0; o < 2 * m; o++) {
    float at = (float)(o % m) * (float)(n - 1) / (float)(m - 1);
    int32_t low = (int32_t)at, high = low + 1 < n ? low + 1 : low;
    float after = at - (float)low;
    places[o] = (whet_resize_place){low, high, (int32_t)(after * 1024), 1 - after, after};
  }
  whet_dtype t = cases[i].kind == WHET_RESIZE_F32 ? WHET_F32 : cases[i].kind == WHET_RESIZE_S8 ? WHET_S8 : WHET_U8;
  kc_in(k, t, n * n * c);
  kc_given(k, WHET_U8, (int64_t)((size_t)(2 * m) * sizeof *places), places);
  kc_out(k, t, m * m * c);
  k->ops = (double)(m * m * c) * 6;
  k->bytes = (double)(m * m * c) * (double)whet__dtype_size(t);
  kc_name(k, "%s %lldx%lld to %lldx%lld x %lld", whet_dtype_name(t), (long long)n, (long long)n, (long long)m, (long long)m,
          (long long)c);
}

static const kc_test test = {.family = WHET_FAMILY_resize_lin,
                             .state_bytes = sizeof(state),
                             .fills = 1u << KC_RANDOM | 1u << KC_INTS | 1u << KC_MIN | 1u << KC_MAX | 1u << KC_ALTERNATE,
                             .draw = draw,
                             .check = check,
                             .n_bench = 6,
                             .bench = bench};
KC_MAIN(test)
