/* SPDX-License-Identifier: Apache-2.0 */
/* Family fakeq_f32 against its definition. */

#include "kern/fakeq_f32.h"

#include <math.h>

#include "kern/check.h"

typedef struct state {
  whet_fakeq_f32 p;
  const float *x;
} state;

static void draw(kc *k) {
  state *s = k->state;
  s->p = (whet_fakeq_f32){.rows = kc_range(k, 1, 9),
                          .n = kc_size(k, 200),
                          .asymmetric = kc_chance(k, 50),
                          .bytes = (uint8_t)kc_range(k, WHET_FAKEQ_FLOATS, WHET_FAKEQ_U8)};
  if (s->p.bytes && kc_chance(k, 50)) s->p.rows = 1;
  memcpy(kc_params(k, sizeof s->p), &s->p, sizeof s->p);
  s->x = kc_in(k, WHET_F32, s->p.rows * s->p.n);
  kc_out(k, s->p.bytes ? WHET_U8 : WHET_F32, s->p.rows * s->p.n);
  if (s->p.bytes) {
    kc_out(k, WHET_F32, s->p.rows);
    kc_out(k, s->p.bytes == WHET_FAKEQ_S8 ? WHET_S32 : WHET_U8, s->p.rows);
  }
  kc_name(k, "%lld x %lld%s%s", (long long)s->p.rows, (long long)s->p.n, s->p.asymmetric ? ", asymmetric" : "",
          (const char *const[]){"", ", to bytes", ", to bytes of ONNX"}[s->p.bytes]);
}

/* A byte of ONNX's rule. */
static uint8_t onnx_byte(float x, float step, int32_t zero) {
  double q = nearbyint((double)(x / step)) + zero;
  return (uint8_t)(q < 0 ? 0 : q > 255 ? 255 : q);
}

static void check(kc *k) {
  const state *s = k->state;
  for (int64_t r = 0; r < s->p.rows; r++) {
    const float *x = s->x + r * s->p.n;
    double lo = x[0], hi = x[0];
    for (int64_t i = 0; i < s->p.n; i++) lo = fmin(lo, x[i]), hi = fmax(hi, x[i]);
    bool onnx = s->p.bytes == WHET_FAKEQ_U8;
    double step = s->p.asymmetric || onnx ? (fmax(hi, 0) - fmin(lo, 0)) / 255 : fmax(fabs(lo), fabs(hi)) / 127;
    float got_step, inverse;
    int32_t zero;
    if (onnx)
      whet__fakeq_range_u8((float)lo, (float)hi, &got_step, &zero);
    else
      whet__fakeq_range((float)lo, (float)hi, s->p.asymmetric, &got_step, &inverse, &zero);
    if (step > 0 && fabs((double)got_step - step) > 1e-6 * step)
      kc_fail(k, "step %g, expected %g", (double)got_step, step);
    if (s->p.bytes) {
      kc_want_f32(k, 2, r, got_step);
      kc_want_int(k, 3, r, zero);
    }
    for (int64_t i = 0; i < s->p.n; i++) {
      if (onnx) {
        kc_want_int(k, 1, r * s->p.n + i, onnx_byte(x[i], got_step, zero));
        continue;
      }
      float q = roundf((float)zero + x[i] * inverse);
      q = q > 127 ? 127 : q < (s->p.asymmetric ? -128 : -127) ? (s->p.asymmetric ? -128 : -127) : q;
      if (s->p.bytes) {
        kc_want_int(k, 1, r * s->p.n + i, (uint8_t)(int8_t)q);
        continue;
      }
      kc_want_f32(k, 1, r * s->p.n + i, got_step * (q - (float)zero));
      kc_want(k, 1, r * s->p.n + i, x[i],
              1.01 * step); /* it is the same number, but for half a step and the zero point */
    }
  }
}

static void bench(kc *k, int i) {
  whet_fakeq_f32 *p = kc_params(k, sizeof *p);
  *p = (whet_fakeq_f32){.rows = 1, .n = 8000, .asymmetric = 1, .bytes = (uint8_t)i};
  kc_in(k, WHET_F32, p->n);
  kc_out(k, i ? WHET_U8 : WHET_F32, p->n);
  if (i) {
    kc_out(k, WHET_F32, 1);
    kc_out(k, i == WHET_FAKEQ_S8 ? WHET_S32 : WHET_U8, 1);
  }
  k->bytes = (i ? 9.0 : 12.0) * (double)p->n;
  kc_name(k, "8000 asymmetric%s", (const char *const[]){"", ", to bytes", ", to bytes of ONNX"}[i]);
}

static const kc_test test = {.family = WHET_FAMILY_fakeq_f32,
                             .state_bytes = sizeof(state),
                             .fills = 1u << KC_RANDOM | 1u << KC_INTS | 1u << KC_ALTERNATE | 1u << KC_MIN,
                             .draw = draw,
                             .check = check,
                             .n_bench = 3,
                             .bench = bench};
KC_MAIN(test)
