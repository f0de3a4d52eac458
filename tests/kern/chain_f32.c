/* SPDX-License-Identifier: Apache-2.0 */
/* Family chain_f32 against the portable rows of conv_f32 and dw_f32, each stage in full after the other. */

#include "kern/chain_f32.h"

#include <math.h>

#include "kern/conv_case.h"

extern const whet_kern whet_k_conv_f32__c_direct, whet_k_dw_f32__c_rows;

typedef struct chain_case {
  const float *in, *res, *w[WHET_CHAIN_MAX], *bias[WHET_CHAIN_MAX];
  whet_pack_f32 pack[WHET_CHAIN_MAX];
  int packed[WHET_CHAIN_MAX];
  int64_t gap; /* floats between pixels of input, output and residual */
} chain_case;

/* Distances of a tensor of dense rows. */
static int64_t steps(whet_conv_f32 *c, bool out, int64_t pitch) {
  int64_t step[3] = {0, (out ? c->dim[2].out : c->dim[2].in) * pitch, pitch};
  int64_t all = (out ? c->dim[1].out : c->dim[1].in) * step[1];
  step[0] = all;
  for (int i = 0; i < 3; i++) *(out ? &c->dim[i].out_step : &c->dim[i].in_step) = step[i];
  return all;
}

/* Weights and arguments for the stages whose sizes are in p. */
static void finish(kc *k, whet_chain_f32 *p, bool res) {
  chain_case *s = k->state;
  whet_conv_f32 *first = &p->stage[0], *last = &p->stage[p->n - 1];
  int64_t pixels = last->batch * last->dim[1].out * last->dim[2].out;
  first->in_batch = steps(first, false, first->groups * first->ic + s->gap);
  last->out_batch = last->res_batch = steps(last, true, last->groups * last->oc + s->gap);
  for (int i = 0; i < 3; i++) last->dim[i].res_step = last->dim[i].out_step;
  s->in = kc_in(k, WHET_F32, first->batch * first->in_batch - s->gap);
  kc_out(k, WHET_F32, pixels * (last->groups * last->oc + s->gap) - s->gap);
  for (int i = 0; i < WHET_CHAIN_MAX; i++) {
    whet_conv_f32 *c = &p->stage[i];
    if (i >= p->n) {
      kc_absent(k);
      continue;
    }
    int64_t taps = c->dim[1].kernel * c->dim[2].kernel, outs = c->groups * c->oc;
    float *w = kc_mem(k, (size_t)(outs * taps * c->ic) * 4), *b = kc_mem(k, (size_t)outs * 4);
    kc_fill_array(k, WHET_F32, w, outs * taps * c->ic, k->fill);
    kc_fill_array(k, WHET_F32, b, outs, k->fill);
    s->w[i] = w;
    s->bias[i] = b;
    s->packed[i] = kc_packed(k);
    s->pack[i] = (whet_pack_f32){.dtype = WHET_F32,
                                 .bias_dtype = WHET_F32,
                                 .groups = 1,
                                 .n = outs,
                                 .k = {1, c->dim[1].kernel, c->dim[2].kernel, c->ic},
                                 .n_step = taps * c->ic,
                                 .k_step = {0, c->dim[2].kernel * c->ic, c->ic, 1}};
    k->ops += 2.0 * (double)(c->batch * c->dim[1].out * c->dim[2].out) * (double)(outs * taps * c->ic);
    c->l2_kb = k->bench ? 1024 : 4;
    c->constant = true;
  }
  if (res)
    s->res = kc_in(k, WHET_F32, pixels * (last->groups * last->oc + s->gap) - s->gap);
  else
    kc_absent(k);
  whet__chain_set_rows(p);
}

/* Stage i of `groups` groups, after the one before it. */
static whet_conv_f32 *add(whet_chain_f32 *p, int64_t groups, int64_t ic, int64_t oc) {
  whet_conv_f32 *c = &p->stage[p->n++];
  whet_window one = {1, 1, 1, 1, 1, 0, 0, 0, 0};
  *c = (whet_conv_f32){.batch = p->stage[0].batch, .groups = groups, .ic = ic, .oc = oc, .dim = {one, one, one}};
  return c;
}

static whet_window window(int64_t in, int64_t kernel, int64_t stride, int64_t pad, int64_t pad_end) {
  return (whet_window){in, (in + pad + pad_end - kernel) / stride + 1, kernel, stride, 1, pad, 0, 0, 0};
}

static void draw(kc *k) {
  chain_case *s = k->state;
  whet_chain_f32 *p = kc_params(k, sizeof *p);
  int n = (int)kc_range(k, 2, WHET_CHAIN_MAX);
  bool dw = kc_chance(k, 50);
  int64_t chan = kc_size(k, 40), size[3] = {1, kc_range(k, 3, 24), kc_range(k, 3, 24)};
  p->stage[0].batch = kc_chance(k, 80) ? 1 : 2;
  for (int i = 0; i < n; i++, dw = !dw) {
    int64_t to = dw ? chan : kc_size(k, 40);
    whet_conv_f32 *c = dw ? add(p, chan, 1, 1) : add(p, 1, chan, to);
    for (int d = 1; d < 3; d++) {
      int64_t kernel = dw || kc_chance(k, 20) ? whet__min_i(kc_chance(k, 60) ? 3 : kc_range(k, 1, 5), size[d]) : 1;
      c->dim[d] = window(size[d], kernel, kc_range(k, 1, whet__min_i(2, kernel)), kc_range(k, 0, kernel - 1),
                         kc_range(k, 0, kernel - 1));
      size[d] = c->dim[d].out;
    }
    if (i + 1 < n && kc_chance(k, 60)) c->epi = (whet_epi_f32){.n = 1, .op = {WHET_MICRO_CLAMP}, .b = {0.5f}};
    chan = to;
  }
  conv_epilogue(k, &p->stage[n - 1].epi);
  s->gap = kc_chance(k, 30) ? kc_range(k, 1, 9) : 0;
  finish(k, p, p->stage[n - 1].epi.res);
  kc_name(k, "%d stages, the last %lldx%lldx%lld", n, (long long)size[1], (long long)size[2], (long long)chan);
}

static void pack(kc *k, const whet_kern *row) {
  chain_case *s = k->state;
  const whet_chain_f32 *p = (const void *)k->params;
  for (int i = 0; i < p->n; i++) {
    s->pack[i].form = whet__chain_form(row, &p->stage[i]);
    void *to = kc_pack_bytes(k, s->packed[i], whet__pack_f32_bytes(&s->pack[i]));
    whet__pack_f32(&s->pack[i], (const void *[]){s->w[i], s->bias[i]}, to, 0, 1);
  }
}

static void check(kc *k) {
  chain_case *s = k->state;
  const whet_chain_f32 *p = (const void *)k->params;
  const float *in = s->in;
  for (int i = 0; i < p->n; i++) {
    whet_conv_f32 c = p->stage[i];
    bool dw = c.groups > 1, last = i == p->n - 1;
    whet_pack_f32 how = s->pack[i];
    how.form = whet_k_conv_f32__c_direct.form;
    void *w = kc_mem(k, whet__pack_f32_bytes(&how)), *scratch = kc_mem(k, whet__conv_f32_scratch(&c));
    const float *weights = s->w[i];
    if (!dw) { /* as the row sees them */
      int64_t to = c.batch * c.dim[1].in * c.dim[2].in * (c.ic + (i ? 0 : s->gap)) - (i ? 0 : s->gap);
      in = kc_factors(k, in, to);
      weights = kc_factors(k, weights, c.oc * whet__pack_f32_k(&how));
    }
    whet__pack_f32(&how, (const void *[]){weights, s->bias[i]}, w, 0, 1);
    if (i) c.in_batch = steps(&c, false, c.groups * c.ic);
    if (!last) c.out_batch = steps(&c, true, c.groups * c.oc);
    float *out = kc_mem(k, (size_t)(c.batch * c.out_batch) * sizeof *out);
    void *ptr[5] = {(void *)in, out, w, last ? (void *)s->res : NULL, scratch};
    (dw ? &whet_k_dw_f32__c_rows : &whet_k_conv_f32__c_direct)->run(&c, ptr, 0, 1);
    in = out;
    if (!last) continue;
    int64_t n = c.batch * c.dim[1].out * c.dim[2].out, columns = c.groups * c.oc;
    int64_t *at = kc_mem(k, (size_t)(n * columns) * sizeof *at);
    float *want = kc_mem(k, (size_t)(n * columns) * sizeof *want);
    for (int64_t x = 0; x < n * columns; x++) {
      at[x] = x / columns * c.dim[2].out_step + x % columns;
      want[x] = in[at[x]];
    }
    kc_want_near(k, 1, at, want, n * columns, 0.02); /* a number between two of bf16 may go either way */
  }
}

/* Expand, depthwise, project. */
static const struct shape {
  int64_t size, in, wide, out, stride;
} shapes[] = {{112, 16, 96, 24, 2}, {56, 24, 144, 24, 1}, {56, 24, 144, 32, 2}};

static void bench(kc *k, int i) {
  const struct shape *q = &shapes[i];
  whet_chain_f32 *p = kc_params(k, sizeof *p);
  whet_epi_f32 relu = {.n = 1, .op = {WHET_MICRO_CLAMP}, .b = {6}};
  p->stage[0].batch = 1;
  whet_conv_f32 *c[3] = {add(p, 1, q->in, q->wide), add(p, q->wide, 1, 1), add(p, 1, q->wide, q->out)};
  int64_t small = q->size / q->stride;
  for (int d = 1; d < 3; d++) {
    c[0]->dim[d] = window(q->size, 1, 1, 0, 0);
    c[1]->dim[d] = window(q->size, 3, q->stride, 1, 1);
    c[2]->dim[d] = window(small, 1, 1, 0, 0);
  }
  c[0]->epi = c[1]->epi = relu;
  finish(k, p, false);
  kc_name(k, "%lldx%lld %lld->%lld, 3x3 s%lld, ->%lld", (long long)q->size, (long long)q->size, (long long)q->in,
          (long long)q->wide, (long long)q->stride, (long long)q->out);
}

static const kc_test test = {.family = WHET_FAMILY_chain_f32,
                             .state_bytes = sizeof(chain_case),
                             .fills = 1u << KC_RANDOM | 1u << KC_INTS | 1u << KC_SPECIAL | 1u << KC_ALTERNATE,
                             .draw = draw,
                             .pack = pack,
                             .check = check,
                             .n_bench = (int)WHET_COUNT(shapes),
                             .bench = bench};
KC_MAIN(test)
