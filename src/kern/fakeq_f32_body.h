/* SPDX-License-Identifier: Apache-2.0 */
/* Family fakeq_f32 over the vector layer: ISA and ISA_BITS are set by the file that includes this, and its vec_*.h.
 */

#include "kern/fakeq_f32.h"
#include "kern/row_name.h"

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
  *lo = -vf_tree_max(vf_neg(a));
  *hi = vf_tree_max(b);
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

static void floats(const whet_fakeq_f32 *p, const float *x, float *y) {
  float lo, hi, step, inverse;
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

enum { CHUNK = 64 }; /* bytes that are made together */

/* What, cut to an integer, is v with halves away from zero: more than the number before 0.5 would lift odd numbers of
 * 2^23. */
static inline vf away(vf v) { return vf_add(v, vf_copysign(vf_set(0x1.fffffep-2f), v)); }

/* Bytes from..to of row `row`, the whole of which tells their step. */
static void bytes(const whet_fakeq_f32 *p, void *const *ptr, int64_t row, int64_t from, int64_t to) {
  const bool ours = p->bytes == WHET_FAKEQ_S8;
  const float *x = (const float *)ptr[0] + row * p->n;
  uint8_t *y = (uint8_t *)ptr[1] + row * p->n;
  float lo, hi, step, inverse = 0, t[CHUNK];
  int32_t zero;
  range(x, p->n, &lo, &hi);
  if (ours)
    whet__fakeq_range(lo, hi, p->asymmetric, &step, &inverse, &zero);
  else
    whet__fakeq_range_u8(lo, hi, &step, &zero);
  vf least = vf_set(!ours           ? 0
                    : p->asymmetric ? -128
                                    : -127),
     most = vf_set(ours ? 127 : 255), z = vf_set((float)zero);
  for (int64_t i = from; i < to; i += CHUNK) {
    int64_t n = whet__min_i(to - i, CHUNK);
    for (int64_t k = 0; k < n; k += VW) {
      vf v = vf_load_n(x + i + k, whet__min_i(n - k, VW));
      v = ours ? away(vf_add(z, vf_mul(v, vf_set(inverse)))) : vf_add(vf_round(vf_div(v, vf_set(step))), z);
      vf_store(t + k, vf_max(vf_min(v, most), least)); /* what is no number becomes `most` */
    }
    if (n == CHUNK)
      for (int k = 0; k < CHUNK; k++) y[i + k] = (uint8_t)(int32_t)t[k];
    else
      for (int64_t k = 0; k < n; k++) y[i + k] = (uint8_t)(int32_t)t[k];
  }
  if (from) return;
  if (ptr[2]) ((float *)ptr[2])[row] = step;
  if (ptr[3] && ours) ((int32_t *)ptr[3])[row] = zero;
  if (ptr[3] && !ours) ((uint8_t *)ptr[3])[row] = (uint8_t)zero;
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_fakeq_f32 *p = params;
  int64_t from, to;
  if (!p->n) return;
  if (p->bytes && p->rows == 1) { /* each part looks at the whole row first */
    whet__split(whet__ceil_div(p->n, CHUNK), part, parts, &from, &to);
    if (from < to) bytes(p, ptr, 0, from * CHUNK, whet__min_i(to * CHUNK, p->n));
    return;
  }
  whet__split(p->rows, part, parts, &from, &to);
  for (int64_t row = from; row < to; row++) {
    if (p->bytes)
      bytes(p, ptr, row, 0, p->n);
    else
      floats(p, (const float *)ptr[0] + row * p->n, (float *)ptr[1] + row * p->n);
  }
}

#define NAME_(isa) "fakeq_f32__" #isa "_rows"
#define NAME(isa) NAME_(isa)
const whet_kern CAT3(whet_k_fakeq_f32__, ISA, _rows) = {.name = NAME(ISA), .isa = ISA_BITS, .exact = VEC_EXACT, .run = run};
