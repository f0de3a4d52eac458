/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms and calibrators.
 *
 * Entropy: S. Migacz, "8-bit inference with TensorRT", 2017: the clipped distribution against the same after quantisation. MSE: the
 * squared error of every bin's middle. Both shrink the range of everything seen step by step. */

#include "compress/hist.h"

#include <math.h>

/* Bin of x, which may be any number. */
static double place(const whet_hist *h, double x) { return floor(x / h->width) - (double)h->first; }

/* Do bins of this width, with room on both sides, reach from lo to hi? */
static bool holds(double width, double lo, double hi) {
  return floor(hi / width) - floor(lo / width) < WHET_HIST_BINS * 7 / 8;
}

/* Make the bins hold lo and hi as well: neighbours are joined, bin b of all numbers becomes bin floor(b / 2^k). */
static void widen(whet_hist *h, double lo, double hi) {
  static const int n = WHET_HIST_BINS;
  uint32_t old[WHET_HIST_BINS];
  int64_t first = h->first;
  int k = 0;
  memcpy(old, h->bin, sizeof old);
  memset(h->bin, 0, sizeof h->bin);
  while (!holds(h->width, lo, hi)) h->width *= 2, k++;
  h->first = (int64_t)floor(lo / h->width) - n / 16;
  for (int i = 0; i < n; i++) {
    int64_t b = first + i, to = (k < 62 ? b >> k : b < 0 ? -1 : 0) - h->first;
    if (old[i]) h->bin[whet__clamp_i(to, 0, n - 1)] += old[i];
  }
}

static void reach(whet_hist *h, float lo, float hi) {
  if (!h->count) {
    double most = fmax(fabs((double)lo), fabs((double)hi));
    h->width = fmax(fmax((double)hi - (double)lo, most * 1e-3), 1e-30) / (WHET_HIST_BINS / 2);
    h->first = (int64_t)floor((double)lo / h->width) - WHET_HIST_BINS / 4;
    h->lo = lo, h->hi = hi;
  }
  if (lo < h->lo) h->lo = lo;
  if (hi > h->hi) h->hi = hi;
  if (place(h, (double)lo) < 0 || place(h, (double)hi) >= WHET_HIST_BINS) widen(h, (double)h->lo, (double)h->hi);
}

bool whet__hist_add(whet_hist *h, const float *x, int64_t n) {
  float lo = INFINITY, hi = -INFINITY;
  for (int64_t i = 0; i < n; i++) {
    if (!isfinite(x[i])) return false;
    lo = x[i] < lo ? x[i] : lo;
    hi = x[i] > hi ? x[i] : hi;
  }
  if (n < 1) return true;
  reach(h, lo, hi);
  double by = 1 / h->width;
  for (int64_t i = 0; i < n; i++) {
    int64_t k = (int64_t)floor((double)x[i] * by) - h->first;
    k = whet__clamp_i(k, 0, WHET_HIST_BINS - 1); /* a product may round across a border */
    if (h->bin[k] < UINT32_MAX) h->bin[k]++;
  }
  h->count += n;
  return true;
}

/* Middle of bin i, kept within what was seen. */
static double middle(const whet_hist *h, int i) {
  double x = ((double)(h->first + i) + 0.5) * h->width;
  return fmin(fmax(x, (double)h->lo), (double)h->hi);
}

static whet_range with_zero(double lo, double hi, bool symmetric) {
  if (lo > 0) lo = 0;
  if (hi < 0) hi = 0;
  if (symmetric) hi = fmax(hi, -lo), lo = -hi;
  return (whet_range){(float)lo, (float)hi};
}

/* All but (100 - keep) % of the numbers, half of them on each side that has some. */
static whet_range percentile(const whet_hist *h, double keep, bool symmetric) {
  double drop = (double)h->count * (1 - keep / 100) / (h->lo < 0 && h->hi > 0 ? 2 : 1), sum = 0;
  double lo = (double)h->lo, hi = (double)h->hi;
  int i;
  for (i = 0; i < WHET_HIST_BINS && h->lo < 0 && (sum += h->bin[i]) <= drop; i++) {}
  if (h->lo < 0 && i < WHET_HIST_BINS) lo = fmax(lo, (double)(h->first + i) * h->width);
  for (i = WHET_HIST_BINS - 1, sum = 0; i >= 0 && h->hi > 0 && (sum += h->bin[i]) <= drop; i--) {}
  if (h->hi > 0 && i >= 0) hi = fmin(hi, (double)(h->first + i + 1) * h->width);
  return with_zero(lo, hi, symmetric);
}

/* Squared error of `levels` numbers from lo to hi. */
static double squared(const whet_hist *h, whet_range r, int levels) {
  double step = ((double)r.hi - (double)r.lo) / (levels - 1), sum = 0;
  if (!(step > 0)) return INFINITY;
  double zero = rint(-(double)r.lo / step);
  for (int i = 0; i < WHET_HIST_BINS; i++) {
    if (!h->bin[i]) continue;
    double x = middle(h, i), q = fmin(fmax(rint(x / step) + zero, 0), levels - 1);
    double e = x - (q - zero) * step;
    sum += e * e * h->bin[i];
  }
  return sum;
}

/* Numbers in bin i but for zero and its neighbours: what clamps made is a number that every range has. */
static double apart(const whet_hist *h, int i) { return h->first + i == 0 ? 0 : h->bin[i]; }

/* Divergence of the distribution clipped to [lo, hi] from the same in `levels` steps. */
static double divergence(const whet_hist *h, whet_range r, int levels) {
  double step = ((double)r.hi - (double)r.lo) / levels, sum = 0, total = 0, below = 0, above = 0;
  int from = (int)fmax(place(h, (double)r.lo), 0), to = (int)fmin(place(h, (double)r.hi), WHET_HIST_BINS - 1);
  if (!(step > 0) || to - from + 1 < levels / 4) return INFINITY;
  for (int i = 0; i < WHET_HIST_BINS; i++) {
    total += apart(h, i);
    if (i < from) below += apart(h, i);
    if (i > to) above += apart(h, i);
  }
  for (int i = from; i <= to;) { /* the bins of one step share what is in them, those that are empty stay so */
    int64_t level = (int64_t)floor((middle(h, i) - (double)r.lo) / step);
    int end = i, full = 0;
    double inside = 0;
    for (; end <= to && (int64_t)floor((middle(h, end) - (double)r.lo) / step) == level; end++)
      inside += apart(h, end), full += apart(h, end) > 0;
    for (; i < end; i++) {
      double p = apart(h, i) + (i == from ? below : 0) + (i == to ? above : 0), q = full && apart(h, i) > 0 ? inside / full : 0;
      if (p > 0) sum += p / total * log(p / fmax(q, total * 1e-9));
    }
  }
  return sum;
}

enum { STEPS = 120 };

/* The range of least cost among those that shrink lo, hi or both of what was seen. */
static whet_range search(const whet_hist *h, bool entropy, int levels, bool symmetric) {
  whet_range all = with_zero((double)h->lo, (double)h->hi, symmetric), best = all;
  double least = INFINITY;
  for (int side = symmetric || all.lo == 0 || all.hi == 0 ? 2 : 0; side < 3; side++) { /* 2: both sides at once */
    whet_range start = side == 2 ? all : best;
    for (int i = 0; i < STEPS; i++) {
      float f = 1 - (float)i / (STEPS + 8);
      whet_range r = {side == 1 ? start.lo : start.lo * f, side == 0 ? start.hi : start.hi * f};
      double cost = entropy ? divergence(h, r, levels) : squared(h, r, levels);
      if (cost < least) least = cost, best = r;
    }
  }
  return best;
}

whet_range whet__hist_range(const whet_hist *h, whet_calibrate how, double keep, int levels, bool symmetric) {
  if (!h->count) return (whet_range){0, 0};
  switch (how) {
    case WHET_CALIBRATE_PERCENTILE:
      return percentile(h, keep, symmetric);
    case WHET_CALIBRATE_ENTROPY:
    case WHET_CALIBRATE_MSE:
      return search(h, how == WHET_CALIBRATE_ENTROPY, levels, symmetric);
    default:
      return with_zero((double)h->lo, (double)h->hi, symmetric);
  }
}
