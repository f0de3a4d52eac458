/* SPDX-License-Identifier: Apache-2.0 */
/* Family fakeq_f32 over the vector layer: ISA and ISA_BITS are set by the file that includes this, and its vec_*.h.
 */

#include "kern/fakeq_f32.h"

#define CAT3_(a, b, c) a##b##c
#define CAT3(a, b, c) CAT3_(a, b, c)

/* Least and greatest of n > 0 numbers. */
static void range(const float *x, int64_t n, float *lo, float *hi) {
  vf a = vf_set(x[0]), b = a;
  int64_t i = 0;
  for (; i + VW <= n; i += VW) {
    vf v = vf_load(x + i);
    a = vf_min(a, v);
    b = vf_max(b, v);
  }
  float la[VW], lb[VW];
  vf_store(la, a);
  vf_store(lb, b);
  *lo = la[0];
  *hi = lb[0];
  for (int k = 1; k < VW; k++) {
    *lo = la[k] < *lo ? la[k] : *lo;
    *hi = lb[k] > *hi ? lb[k] : *hi;
  }
  for (i -= WHET_BUG(1); i < n; i++) {
    *lo = x[i] < *lo ? x[i] : *lo;
    *hi = x[i] > *hi ? x[i] : *hi;
  }
}

/* Halves away from zero. */
static inline vf round_away(vf v) {
  vf a = vf_abs(v), r = vf_floor(a);
  r = vf_add(r, vf_sel(vf_ge(vf_sub(a, r), vf_set(0.5f)), vf_set(1), vf_set(0)));
  return vf_copysign(r, v);
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_fakeq_f32 *p = params;
  int64_t from, to;
  whet__split(p->rows, part, parts, &from, &to);
  for (int64_t row = from; row < to && p->n; row++) {
    const float *x = (const float *)ptr[0] + row * p->n;
    float *y = (float *)ptr[1] + row * p->n, lo, hi, step, inverse;
    int32_t zero;
    range(x, p->n, &lo, &hi);
    whet__fakeq_range(lo, hi, p->asymmetric, &step, &inverse, &zero);
    vf least = vf_set(p->asymmetric ? -128 : -127), z = vf_set((float)zero), s = vf_set(step), f = vf_set(inverse);
    for (int64_t i = 0; i < p->n; i += VW) {
      int64_t n = whet__min_i(p->n - i, VW);
      vf v = round_away(vf_add(z, vf_mul(vf_load_n(x + i, n), f)));
      v = vf_max(least, vf_min(vf_set(127), v));
      vf_store_n(y + i, vf_mul(s, vf_sub(v, z)), n);
    }
  }
}

#define NAME_(isa) "fakeq_f32__" #isa "_rows"
#define NAME(isa) NAME_(isa)
const whet_kern CAT3(whet_k_fakeq_f32__, ISA, _rows) = {.name = NAME(ISA), .isa = ISA_BITS, .exact = 1, .run = run};
