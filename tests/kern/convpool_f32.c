/* SPDX-License-Identifier: Apache-2.0 */
/* Family convpool_f32 against the portable rows of conv_f32 and pool_f32, one after the other. */

#include "kern/convpool_f32.h"

#include <math.h>

#include "kern/conv_case.h"

extern const whet_kern whet_k_conv_f32__c_direct, whet_k_pool_f32__c_any;

/* The case of the convolution s->c and the pool q; `gap` floats between pixels of the output. */
static void finish(kc *k, whet_pool_f32 q, bool bias, int64_t gap) {
  conv_case *s = k->state;
  whet_window one = {1, 1, 1, 1, 1, 0, 0, 0, 0};
  s->c.groups = 1;
  s->c.dim[0] = one;
  q.fn = WHET_POOL_F32_MAX;
  q.batch = s->c.batch;
  q.chan = q.x_pitch = s->c.oc;
  q.y_pitch = q.chan + gap;
  int64_t pixels = q.batch;
  for (int d = 0; d < 3; d++) {
    q.in[d] = s->c.dim[d].out;
    if (d == 0) q.kernel[d] = q.stride[d] = q.out[d] = 1;
    q.dilation[d] = 1;
    pixels *= q.out[d];
  }
  s->out_floats = pixels * q.y_pitch - gap;
  conv_arguments(k, s, bias, false, true, 0, 0, 0);
  whet_convpool_f32 *p = kc_params(k, sizeof *p);
  *p = (whet_convpool_f32){.conv = s->c, .pool = q};
  whet__convpool_set_rows(p);
}

static void draw(kc *k) {
  conv_case *s = k->state;
  whet_pool_f32 q = {0};
  s->c.batch = kc_chance(k, 80) ? 1 : 2;
  s->c.ic = kc_range(k, 1, 6);
  s->c.oc = kc_size(k, 70);
  for (int d = 1; d < 3; d++) {
    whet_window w = s->c.dim[d] = conv_window(k, 24, 5);
    q.kernel[d] = kc_range(k, 1, whet__min_i(4, w.out));
    q.stride[d] = kc_range(k, 1, q.kernel[d]);
    q.pad[d] = kc_range(k, 0, q.kernel[d] - 1);
    q.pad_end[d] = kc_range(k, 0, q.kernel[d] - 1);
    q.out[d] = (w.out + q.pad[d] + q.pad_end[d] - q.kernel[d]) / q.stride[d] + 1;
  }
  if (kc_chance(k, 60)) s->c.epi = (whet_epi_f32){.n = 1, .op = {WHET_MICRO_CLAMP}, .b = {0.5f}};
  finish(k, q, kc_chance(k, 70), kc_chance(k, 30) ? kc_range(k, 1, 9) : 0);
  conv_name(k, &s->c);
}

/* Results of the two rows in full. */
static void check(kc *k) {
  conv_case *s = k->state;
  const whet_convpool_f32 *p = (const void *)k->params;
  whet_conv_f32 c = p->conv;
  int64_t pixels = c.batch * c.dim[1].out * c.dim[2].out, windows = c.batch * p->pool.out[1] * p->pool.out[2];
  whet_pack_f32 pack = s->pack;
  pack.form = whet_k_conv_f32__c_direct.form;
  float *between = kc_mem(k, (size_t)(pixels * c.oc) * sizeof(float));
  float *want = kc_mem(k, (size_t)(windows * p->pool.y_pitch) * sizeof(float));
  void *w = kc_mem(k, whet__pack_f32_bytes(&pack)), *scratch = kc_mem(k, whet__conv_f32_scratch(&c));
  const float *weights = kc_factors(k, s->w, c.oc * whet__pack_f32_k(&pack)), *in = kc_factors(k, s->in, c.batch * c.in_batch);
  whet__pack_f32(&pack, (const void *[]){weights, s->bias}, w, 0, 1);
  c.dim[2].out_step = c.oc;
  c.dim[1].out_step = c.oc * c.dim[2].out;
  c.out_batch = c.dim[1].out_step * c.dim[1].out;
  whet_k_conv_f32__c_direct.run(&c, (void *[]){(void *)in, between, w, NULL, scratch}, 0, 1);
  whet_k_pool_f32__c_any.run(&p->pool, (void *[]){between, want, NULL}, 0, 1);
  int64_t *at = kc_mem(k, (size_t)(windows * c.oc) * sizeof *at);
  float *dense = kc_mem(k, (size_t)(windows * c.oc) * sizeof *dense);
  for (int64_t i = 0; i < windows * c.oc; i++) {
    at[i] = i / c.oc * p->pool.y_pitch + i % c.oc;
    dense[i] = want[at[i]];
  }
  kc_want_near(k, 1, at, dense, windows * c.oc, 1e-4);
}

static const struct shape {
  int64_t size, oc, kernel, pad, pool_pad;
} shapes[] = {{224, 64, 7, 3, 1}, {224, 64, 3, 0, 0}};

static void bench(kc *k, int i) {
  conv_case *s = k->state;
  const struct shape *q = &shapes[i];
  int64_t out = (q->size + 2 * q->pad - q->kernel) / 2 + 1, pooled = (out + 2 * q->pool_pad - 3) / 2 + 1;
  whet_window d = {q->size, out, q->kernel, 2, 1, q->pad, 0, 0, 0};
  s->c = (whet_conv_f32){.batch = 1, .ic = 3, .oc = q->oc, .dim = {d, d, d}};
  s->c.epi = (whet_epi_f32){.n = 1, .op = {WHET_MICRO_CLAMP}, .b = {INFINITY}};
  whet_pool_f32 pool = {.kernel = {1, 3, 3}, .stride = {1, 2, 2}, .pad = {0, q->pool_pad, q->pool_pad}};
  pool.out[1] = pool.out[2] = pooled;
  finish(k, pool, true, 0);
  k->ops = 2.0 * (double)(out * out * q->oc * 3 * q->kernel * q->kernel);
  kc_name(k, "%lldx%lld %lldx%lld 3->%lld s2, pool 3x3 s2", (long long)q->size, (long long)q->size,
          (long long)q->kernel, (long long)q->kernel, (long long)q->oc);
}

static const kc_test test = {.family = WHET_FAMILY_convpool_f32,
                             .state_bytes = sizeof(conv_case),
                             .fills = 1u << KC_RANDOM | 1u << KC_INTS | 1u << KC_SPECIAL | 1u << KC_ALTERNATE,
                             .draw = draw,
                             .pack = conv_pack,
                             .check = check,
                             .n_bench = (int)WHET_COUNT(shapes),
                             .bench = bench};
KC_MAIN(test)
