/* SPDX-License-Identifier: Apache-2.0 */
/* Hybrid arithmetic: see hybrid.h. Scales and sums are rounded where LiteRT's reference kernels round them. */

#include "op/hybrid.h"

#include <math.h>

#include "kern/fakeq_f32.h"

static int8_t clamped(float v, int32_t lo) {
  float r = roundf(v);
  return (int8_t)(!(r >= (float)lo) ? lo : r > 127.0f ? 127 : (int32_t)r);
}

void whet__hybrid_quantise(const float *x, int64_t n, bool asymmetric, int8_t *q, float *scale, int32_t *zero) {
  float lo = n ? x[0] : 0, hi = lo;
  for (int64_t i = 1; i < n; i++) {
    if (x[i] < lo) lo = x[i];
    if (x[i] > hi) hi = x[i];
  }
  float inverse;
  whet__fakeq_range(lo, hi, asymmetric, scale, &inverse, zero);
  for (int64_t i = 0; i < n; i++) q[i] = clamped((float)*zero + x[i] * inverse, asymmetric ? -128 : -127);
}

whet_hybrid_row whet__hybrid_row(const float *x, int64_t n, int8_t *q, bool asymmetric) {
  whet_hybrid_row r = {.x = x, .q = q, .n = n, .scale = 1};
  if (q) whet__hybrid_quantise(x, n, asymmetric, q, &r.scale, &r.zero);
  return r;
}

void whet__hybrid_add(float *to, const whet_tensor *w, const whet_hybrid_row *row) {
  int64_t rows = w->dim[0];
  float scale = w->q && row->q ? w->q->scale[0] * row->scale : 1;
  for (int64_t r = 0; r < rows; r++) {
    if (row->q) {
      const int8_t *p = (const int8_t *)w->data + r * w->stride[0];
      int32_t dot = 0, sum = 0;
      for (int64_t k = 0; k < row->n; k++) {
        int32_t v = p[k * w->stride[1]];
        dot += v * row->q[k];
        sum += v;
      }
      dot -= sum * row->zero;
      to[r] += (float)dot * scale;
    } else {
      const float *p = (const float *)w->data + r * w->stride[0];
      double dot = 0;
      for (int64_t k = 0; k < row->n; k++) dot += (double)p[k * w->stride[1]] * row->x[k];
      to[r] += (float)dot;
    }
  }
}

float whet__tfl_act(int code, float x) {
  switch (code) {
    case 1:
      return x < 0 ? 0 : x;
    case 2:
      return x < -1 ? -1 : x > 1 ? 1 : x;
    case 3:
      return x < 0 ? 0 : x > 6 ? 6 : x;
    case 4:
      return tanhf(x);
    case 5:
      return signbit(x) ? 1 : 0;
    case WHET_TFL_SIGMOID:
      return 1.0f / (1.0f + expf(-x));
    default:
      return x;
  }
}

float whet__hybrid_element(const whet_tensor *t, int64_t k) {
  if (t->dtype == WHET_F32) return ((const float *)t->data)[k * t->stride[0]];
  return t->q->scale[0] * (float)((const int8_t *)t->data)[k * t->stride[0]];
}
