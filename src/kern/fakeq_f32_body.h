/* SPDX-License-Identifier: Apache-2.0 */
/* Family fakeq_f32 over the vector layer: ISA and ISA_BITS are set by the file that includes this, and its vec_*.h.
 */

#include "kern/fakeq_f32.h"
#include "kern/row_name.h"

#define CAT3_(a, b, c) a##b##c
#define CAT3(a, b, c) CAT3_(a, b, c)

enum { LOT = 4 }; /* vectors that are looked at side by side */

/* Least and greatest of n > 0 numbers. */
static void range(const float *x, int64_t n, float *lo, float *hi) {
  vf a[LOT], b[LOT];
  WHET_UNROLL
  for (int j = 0; j < LOT; j++) a[j] = b[j] = vf_set(x[0]);
  int64_t i = 0;
  for (; i + LOT * VW <= n; i += LOT * VW) {
    WHET_UNROLL
    for (int j = 0; j < LOT; j++) {
      vf v = vf_load(x + i + j * VW);
      a[j] = vf_min(a[j], v);
      b[j] = vf_max(b[j], v);
    }
  }
  for (; i + VW <= n; i += VW) {
    vf v = vf_load(x + i);
    a[0] = vf_min(a[0], v);
    b[0] = vf_max(b[0], v);
  }
  *lo = -vf_tree_max(vf_neg(vf_min(vf_min(a[0], a[1]), vf_min(a[2], a[3]))));
  *hi = vf_tree_max(vf_max(vf_max(b[0], b[1]), vf_max(b[2], b[3])));
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

enum { CHUNK = 64 }; /* bytes of which a part has whole ones */

/* What, cut to an integer, is v with halves away from zero: more than the number before 0.5 would lift odd numbers of
 * 2^23. */
static inline vf away(vf v) { return vf_add(v, vf_copysign(vf_set(0x1.fffffep-2f), v)); }

/* Numbers within bounds; what is no number becomes `most`. */
static inline vf within(vf v, float least, float most) { return vf_max(vf_min(v, vf_set(most)), vf_set(least)); }

/* n numbers to bytes by TFLite's rule. */
static void tfl_bytes(const float *x, uint8_t *y, int64_t n, float inverse, float zero, float least) {
  const vf f = vf_set(inverse), z = vf_set(zero);
  int64_t i = 0;
  for (; i + VW <= n; i += VW)
    vf_store_bytes(y + i, within(away(vf_add(z, vf_mul(vf_load(x + i), f))), least, 127), VW);
  if (i < n) vf_store_bytes(y + i, within(away(vf_add(z, vf_mul(vf_load_n(x + i, n - i), f))), least, 127), n - i);
}

/* Quotients by way of 1 / step, which err by less than 2^-21 of themselves, decide those of up to 512 unless they are nearer a tie
 * than FAR; there are no greater ones, as the step was made for them. */
#define FAR (0.5f - 0x1p-12f)

/* n numbers to bytes by ONNX's rule. */
static void onnx_bytes(const float *x, uint8_t *y, int64_t n, float step, float zero) {
  const vf s = vf_set(step), inverse = vf_set(1 / step), z = vf_set(zero);
  const bool tries = VW > 1 && step > 0x1p-100f && step < 0x1p100f;
  for (int64_t i = 0; i < n; i += LOT * VW) {
    vf v[LOT], far = vf_set(0);
    const bool whole = tries && i + LOT * VW <= n;
    for (int j = 0; whole && j < LOT; j++) {
      vf q = vf_mul(vf_load(x + i + j * VW), inverse);
      v[j] = vf_round(q);
      far = vf_max(vf_abs(vf_sub(q, v[j])), far);
    }
    for (int j = 0; j < LOT; j++) {
      int64_t at = i + j * VW, m = whet__min_i(n - at, VW);
      if (m <= 0) break;
      if (!whole || vm_any(vf_ge(far, vf_set(FAR)))) v[j] = vf_round(vf_div(vf_load_n(x + at, m), s));
      vf_store_bytes(y + at, within(vf_add(v[j], z), 0, 255), m);
    }
  }
}

/* Bytes from..to of row `row`, the whole of which tells their step. */
static void bytes(const whet_fakeq_f32 *p, void *const *ptr, int64_t row, int64_t from, int64_t to) {
  const bool ours = p->bytes == WHET_FAKEQ_S8;
  const float *x = (const float *)ptr[0] + row * p->n;
  uint8_t *y = (uint8_t *)ptr[1] + row * p->n;
  float lo, hi, step, inverse = 0;
  int32_t zero;
  range(x, p->n, &lo, &hi);
  if (ours) {
    whet__fakeq_range(lo, hi, p->asymmetric, &step, &inverse, &zero);
    tfl_bytes(x + from, y + from, to - from, inverse, (float)zero, p->asymmetric ? -128 : -127);
  } else {
    whet__fakeq_range_u8(lo, hi, &step, &zero);
    onnx_bytes(x + from, y + from, to - from, step, (float)zero);
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
