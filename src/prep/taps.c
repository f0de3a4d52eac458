/* SPDX-License-Identifier: Apache-2.0 */
/* Resizing filters as tables of fixed-point weights.
 *
 * Sample i of the result covers [i, i+1) * src/dst of the source; pixel k has its centre at k + 1/2. Weights are
 * rounded by their running sum, so that each is less than one unit off and they add up to 2^14 exactly, however many
 * there are. */

#include "prep/taps.h"

#include <math.h>

/* Most source samples that one result can need. */
static int64_t reach(int32_t src, int32_t dst, whet_filter f) {
  double ratio = (double)src / dst;
  int64_t n = f == WHET_FILTER_NEAREST    ? 1
              : f == WHET_FILTER_BILINEAR ? 2
              : f == WHET_FILTER_AREA     ? (int64_t)ceil(ratio) + 1
                                          : (int64_t)ceil(2 * (ratio > 1 ? ratio : 1)) + 2;
  return whet__min_i(n, src);
}

/* The window [*from, *to) of source samples for result i, clipped to the source. */
static void window(const whet_taps *t, int32_t i, whet_filter f, int64_t *from, int64_t *to) {
  double ratio = (double)t->src / t->dst, centre = (i + 0.5) * ratio;
  if (f == WHET_FILTER_NEAREST) {
    *from = (int64_t)floor(centre);
    *to = *from + 1;
  } else if (f == WHET_FILTER_BILINEAR) {
    *from = (int64_t)floor(centre - 0.5);
    *to = *from + 2;
  } else if (f == WHET_FILTER_AREA) {
    *from = (int64_t)floor(i * ratio + 1e-6);
    *to = (int64_t)ceil((i + 1) * ratio - 1e-6);
  } else {
    double support = ratio > 1 ? ratio : 1;
    *from = (int64_t)floor(centre - support + 0.5);
    *to = (int64_t)floor(centre + support + 0.5);
  }
  *from = whet__clamp_i(*from, 0, t->src - 1);
  *to = whet__clamp_i(*to, *from + 1, t->src);
}

/* Weight of source sample k for result i, up to a common factor. */
static double weight(const whet_taps *t, int32_t i, int64_t k, whet_filter f) {
  double ratio = (double)t->src / t->dst, centre = (i + 0.5) * ratio;
  if (f == WHET_FILTER_NEAREST) return 1;
  if (f == WHET_FILTER_AREA) {
    double a = fmax(i * ratio, (double)k), b = fmin((i + 1) * ratio, (double)k + 1);
    return b > a ? b - a : 0;
  }
  double support = f == WHET_FILTER_ANTIALIAS && ratio > 1 ? ratio : 1;
  double away = fabs((double)k + 0.5 - centre) / support;
  return away < 1 ? 1 - away : 0;
}

whet_status whet__taps_make(whet_mem *m, whet_taps *t, int32_t src, int32_t dst, whet_filter filter, whet_err *err) {
  enum { ONE = 1 << 14 };
  int64_t n = reach(src, dst, filter);
  size_t words;
  n += n & 1;
  if (!whet__mul_size((size_t)dst, (size_t)n, &words))
    return whet__fail(err, WHET_E_MEMORY, "weights do not fit in memory");
  size_t cap = t->cap_dst;
  if (!whet__grow(m, (void **)&t->first, &cap, (size_t)dst, sizeof *t->first) ||
      !whet__grow(m, (void **)&t->count, &t->cap_dst, (size_t)dst, sizeof *t->count))
    return whet__no_memory(m, (size_t)dst * 4, err, "resizing");
  if (!whet__grow(m, (void **)&t->w, &t->cap_w, words, sizeof *t->w))
    return whet__no_memory(m, words * 2, err, "resizing");
  t->src = src;
  t->dst = dst;
  t->n = (int32_t)n;
  t->most = 1;
  memset(t->w, 0, words * sizeof *t->w);
  for (int32_t i = 0; i < dst; i++) {
    int64_t from, to;
    window(t, i, filter, &from, &to);
    double sum = 0, run = 0;
    for (int64_t k = from; k < to; k++) sum += weight(t, i, k, filter);
    int32_t before = 0;
    int16_t *w = t->w + (int64_t)i * n;
    for (int64_t k = from; k < to; k++) {
      run += weight(t, i, k, filter);
      int32_t upto = k + 1 == to || !(sum > 0) ? ONE : (int32_t)lround(run / sum * ONE);
      w[k - from] = (int16_t)(upto - before);
      before = upto;
    }
    t->first[i] = (int32_t)from;
    t->count[i] = (int32_t)(to - from);
    if (t->count[i] > t->most) t->most = t->count[i];
  }
  return WHET_OK;
}

void whet__taps_free(whet_mem *m, whet_taps *t) {
  whet__free(m, t->first);
  whet__free(m, t->count);
  whet__free(m, t->w);
  *t = (whet_taps){0};
}
