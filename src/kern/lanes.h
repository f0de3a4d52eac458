/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_LANES_H
#define WHET_KERN_LANES_H

/* Horizontal sums in one order on every instruction set: 16 lanes, element i in lane i mod 16; at the end lane l
 * takes lane l + 8, then l + 4, l + 2, l + 1. Over the vector layer that the including file has chosen. */

enum { LANE_VECS = 16 / VW };
typedef struct lanes {
  vf v[LANE_VECS];
} lanes;

static inline lanes lanes_set(float x) {
  lanes r;
  for (int i = 0; i < LANE_VECS; i++) r.v[i] = vf_set(x);
  return r;
}
static inline lanes lanes_load(const float *p) {
  lanes r;
  for (int i = 0; i < LANE_VECS; i++) r.v[i] = vf_load(p + i * VW);
  return r;
}
static inline void lanes_store(float *p, lanes x) {
  for (int i = 0; i < LANE_VECS; i++) vf_store(p + i * VW, x.v[i]);
}
/* The first n (0 .. 16) elements; the others are `rest`, or are not written. */
static inline lanes lanes_load_n(const float *p, int64_t n, float rest) {
  lanes r;
  for (int i = 0; i < LANE_VECS; i++, n -= VW, p += VW) {
    int64_t m = n < 0 ? 0 : n > VW ? VW : n;
    r.v[i] = vf_sel(vm_first(m), vf_load_n(m ? p : NULL, m), vf_set(rest));
  }
  return r;
}
/* The first n lanes; the others are 0. */
static inline lanes lanes_keep(lanes x, int64_t n) {
  for (int i = 0; i < LANE_VECS; i++, n -= VW)
    x.v[i] = vf_sel(vm_first(n < 0 ? 0 : n > VW ? VW : n), x.v[i], vf_set(0));
  return x;
}
static inline void lanes_store_n(float *p, lanes x, int64_t n) {
  for (int i = 0; i < LANE_VECS && n > 0; i++, n -= VW, p += VW) {
    if (n >= VW)
      vf_store(p, x.v[i]);
    else
      vf_store_n(p, x.v[i], n);
  }
}

/* The tree, for an operation on two floats. */
#define LANES_FOLD(NAME, EXPR)                \
  static inline float lanes_##NAME(lanes x) { \
    float t[16];                              \
    lanes_store(t, x);                        \
    for (int half = 8; half; half /= 2)       \
      for (int i = 0; i < half; i++) {        \
        float a = t[i], b = t[i + half];      \
        t[i] = (EXPR);                        \
      }                                       \
    return t[0];                              \
  }
LANES_FOLD(prod, a *b)
LANES_FOLD(max, a > b || a != a ? a : b)
LANES_FOLD(min, a < b || a != a ? a : b)

/* The same with whole vectors: the sum; the greatest where none is NaN. */
static inline float lanes_sum(lanes x) {
  for (int half = LANE_VECS / 2; half; half /= 2)
    for (int i = 0; i < half; i++) x.v[i] = vf_add(x.v[i], x.v[i + half]);
  return vf_tree_sum(x.v[0]);
}
static inline float lanes_top(lanes x) {
  for (int half = LANE_VECS / 2; half; half /= 2)
    for (int i = 0; i < half; i++) x.v[i] = vf_max(x.v[i], x.v[i + half]);
  return vf_tree_max(x.v[0]);
}

/* One operation on all lanes. */
#define LANES_EACH(r, i, EXPR) \
  for (int i = 0; i < LANE_VECS; i++) (r).v[i] = (EXPR)

/* Where an operand is NaN, NaN; else the greater (less). */
static inline vf vf_max_nan(vf a, vf b) { return vf_sel(vf_ne(a, a), a, vf_max(a, b)); }
static inline vf vf_min_nan(vf a, vf b) { return vf_sel(vf_ne(a, a), a, vf_min(a, b)); }

#endif
