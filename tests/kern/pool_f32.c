/* SPDX-License-Identifier: Apache-2.0 */
/* Family pool_f32 against its definition in double. */

#include "kern/pool_f32.h"

#include <math.h>

#include "kern/check.h"

typedef struct state {
  whet_pool_f32 p;
  const float *x, *res;
} state;

/* Output size of dimension d. */
static int64_t out_size(const whet_pool_f32 *p, int d) {
  int64_t room = p->in[d] + p->pad[d] + p->pad_end[d] - (p->kernel[d] - 1) * p->dilation[d] - 1;
  return room < 0 ? 0 : room / p->stride[d] + 1;
}

static void draw(kc *k) {
  state *s = k->state;
  whet_pool_f32 *p = kc_params(k, sizeof *p);
  int dims = (int)kc_range(k, 1, 3);
  bool global = kc_chance(k, 20);
  p->fn = (uint8_t)kc_range(k, 0, 2);
  p->count_pads = p->fn == WHET_POOL_F32_MEAN && kc_chance(k, 40);
  p->mean = kc_chance(k, 50);
  p->batch = kc_range(k, 1, 2);
  p->chan = kc_size(k, 150);
  for (int d = 0; d < 3; d++) {
    p->in[d] = p->kernel[d] = p->stride[d] = p->dilation[d] = 1;
    if (d < 3 - dims) {
      p->out[d] = 1;
      continue;
    }
    do {
      p->in[d] = kc_size(k, dims == 3 ? 7 : 14);
      p->kernel[d] = global ? p->in[d] : kc_range(k, 1, 5);
      p->stride[d] = global ? 1 : kc_range(k, 1, 3);
      p->dilation[d] = global || kc_chance(k, 70) ? 1 : 2;
      p->pad[d] = global ? 0 : kc_range(k, 0, p->kernel[d] - 1);
      p->pad_end[d] = global ? 0 : kc_range(k, 0, p->kernel[d] - 1);
      p->out[d] = out_size(p, d);
    } while (!p->out[d]);
    if (!global && kc_chance(k, 20) && p->out[d] * p->stride[d] < p->in[d] + p->pad[d]) p->out[d]++; /* ceil_mode */
  }
  p->x_pitch = p->chan + (kc_chance(k, 40) ? kc_range(k, 0, 20) : 0);
  p->y_pitch = p->chan + (kc_chance(k, 40) ? kc_range(k, 0, 20) : 0);
  if (kc_chance(k, 30)) {
    p->epi =
        (whet_epi_f32){.n = 2, .res = 1, .op = {WHET_MICRO_ADD, WHET_MICRO_CLAMP}, .a = {0, -0.5f}, .b = {0, 0.5f}};
  }
  int64_t nx = p->x_pitch * (p->batch * p->in[0] * p->in[1] * p->in[2] - 1) + p->chan;
  int64_t ny = p->y_pitch * (p->batch * p->out[0] * p->out[1] * p->out[2] - 1) + p->chan;
  s->p = *p;
  s->x = kc_in(k, WHET_F32, nx);
  kc_out(k, WHET_F32, ny);
  s->res = NULL;
  if (p->epi.n)
    s->res = kc_in(k, WHET_F32, ny);
  else
    kc_absent(k);
  kc_name(k, "function %d%s%s, %lld x %lldx%lldx%lld x %lld, kernel %lldx%lldx%lld%s", p->fn,
          p->count_pads ? " with padding" : "", p->mean ? " mean" : "", (long long)p->batch, (long long)p->in[0],
          (long long)p->in[1], (long long)p->in[2], (long long)p->chan, (long long)p->kernel[0],
          (long long)p->kernel[1], (long long)p->kernel[2], p->epi.n ? ", epilogue" : "");
}

/* One output: the window's result and a bound of its error. */
static double truth(const state *s, const int64_t *o, int64_t b, int64_t c, double *tol) {
  const whet_pool_f32 *p = &s->p;
  double v = p->fn == WHET_POOL_F32_MAX ? -INFINITY : 0, size = 0, padded = 1;
  int64_t inside = 0, k[3];
  for (int d = 0; d < 3; d++) {
    int64_t n = 0;
    for (int64_t i = 0; i < p->kernel[d]; i++)
      n += o[d] * p->stride[d] - p->pad[d] + i * p->dilation[d] < p->in[d] + p->pad_end[d];
    padded *= (double)n;
  }
  for (k[0] = 0; k[0] < p->kernel[0]; k[0]++)
    for (k[1] = 0; k[1] < p->kernel[1]; k[1]++)
      for (k[2] = 0; k[2] < p->kernel[2]; k[2]++) {
        int64_t at = b;
        bool in = true;
        for (int d = 0; d < 3; d++) {
          int64_t i = o[d] * p->stride[d] - p->pad[d] + k[d] * p->dilation[d];
          in &= i >= 0 && i < p->in[d];
          at = at * p->in[d] + i;
        }
        if (!in) continue;
        double x = (double)s->x[at * p->x_pitch + c];
        inside++;
        if (p->fn == WHET_POOL_F32_MAX)
          v = isnan(v) || isnan(x) ? NAN : fmax(v, x);
        else
          v += p->fn == WHET_POOL_F32_L2 ? x * x : x;
        size += p->fn == WHET_POOL_F32_L2 ? x * x : fabs(x);
      }
  double n = p->fn == WHET_POOL_F32_MAX ? 1 : p->count_pads ? padded : (double)inside;
  if (p->fn == WHET_POOL_F32_L2) v = sqrt(p->mean ? v / n : v), n = 1;
  *tol = p->fn == WHET_POOL_F32_MAX ? 0
                                    : ldexp((double)(inside + 4) * (p->fn == WHET_POOL_F32_L2 ? v : size / n), -24) +
                                          ldexp(1, p->fn == WHET_POOL_F32_L2 ? -72 : -140); /* squares underflow */
  return v / n;
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_pool_f32 *p = &s->p;
  int64_t o[3], pixel = 0;
  for (int64_t b = 0; b < p->batch; b++)
    for (o[0] = 0; o[0] < p->out[0]; o[0]++)
      for (o[1] = 0; o[1] < p->out[1]; o[1]++)
        for (o[2] = 0; o[2] < p->out[2]; o[2]++, pixel++)
          for (int64_t c = 0; c < p->chan && !k->failures; c++) {
            double tol, v = truth(s, o, b, c, &tol);
            if (p->fn != WHET_POOL_F32_MAX && !(tol < 1e29)) continue; /* sums may overflow on the way */
            if (s->res) {
              v += (double)s->res[pixel * p->y_pitch + c];
              tol += ldexp(fabs(v), -23);
              v = isnan(v) ? v : fmax(-0.5, fmin(0.5, v));
            }
            kc_want(k, 1, pixel * p->y_pitch + c, v, isnan(tol) || isinf(tol) ? 0 : tol);
          }
}

static void bench(kc *k, int i) {
  static const struct {
    int fn, in, chan, kernel, stride, pad;
  } cases[] = {{WHET_POOL_F32_MAX, 112, 64, 3, 2, 1},
               {WHET_POOL_F32_MAX, 56, 64, 2, 2, 0},
               {WHET_POOL_F32_MAX, 20, 128, 5, 1, 2},
               {WHET_POOL_F32_MEAN, 7, 1280, 7, 1, 0},
               {WHET_POOL_F32_MEAN, 14, 256, 3, 1, 1}};
  whet_pool_f32 *p = kc_params(k, sizeof *p);
  *p = (whet_pool_f32){.fn = (uint8_t)cases[i].fn, .batch = 1, .chan = cases[i].chan};
  for (int d = 0; d < 3; d++) {
    p->in[d] = d ? cases[i].in : 1;
    p->kernel[d] = d ? cases[i].kernel : 1;
    p->stride[d] = d ? cases[i].stride : 1;
    p->dilation[d] = 1;
    p->pad[d] = p->pad_end[d] = d ? cases[i].pad : 0;
    p->out[d] = out_size(p, d);
  }
  p->x_pitch = p->y_pitch = p->chan;
  int64_t nx = p->chan * p->in[1] * p->in[2], ny = p->chan * p->out[1] * p->out[2];
  kc_in(k, WHET_F32, nx);
  kc_out(k, WHET_F32, ny);
  kc_absent(k);
  k->ops = (double)(ny * p->kernel[1] * p->kernel[2]);
  k->bytes = 4.0 * (double)(nx + ny);
  kc_name(k, "%s %dx%d s%d, %dx%dx%d", cases[i].fn ? "mean" : "max", cases[i].kernel, cases[i].kernel,
          cases[i].stride, cases[i].in, cases[i].in, cases[i].chan);
}

static const kc_test test = {.family = WHET_FAMILY_pool_f32,
                             .state_bytes = sizeof(state),
                             .fills = 1u << KC_RANDOM | 1u << KC_INTS | 1u << KC_SPECIAL,
                             .draw = draw,
                             .check = check,
                             .n_bench = 5,
                             .bench = bench};
KC_MAIN(test)
