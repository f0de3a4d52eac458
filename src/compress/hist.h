/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_COMPRESS_HIST_H
#define WHET_COMPRESS_HIST_H

/* Histograms of what flows through a value, made in one pass over data of unknown range, and the ranges that calibrators take
 * from them. */

#include "base/base.h"
#include "whet/quantize.h"

enum { WHET_HIST_BINS = 4096 };

/* Bin i counts numbers in [(first + i) * width, (first + i + 1) * width). Width is a power of two times what it was at
 * first: when numbers fall outside, neighbours are joined. */
typedef struct whet_hist {
  double width;
  int64_t first, count;
  float lo, hi; /* least and greatest number seen */
  uint32_t bin[WHET_HIST_BINS];
} whet_hist;

/* Count n numbers. False when one of them is not finite: nothing after it is counted. */
bool whet__hist_add(whet_hist *h, const float *x, int64_t n);

typedef struct whet_range {
  float lo, hi;
} whet_range;

/* The range for `levels` evenly spaced numbers. It holds 0. symmetric: lo = -hi. An empty histogram gives 0, 0. */
whet_range whet__hist_range(const whet_hist *h, whet_calibrate how, double percentile, int levels, bool symmetric);

#endif
