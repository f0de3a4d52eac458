/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of merit. */

#include "train/metrics.h"

#include <math.h>
#include <stdlib.h>

/* A score and where it comes from. */
struct ranked {
  float score;
  int32_t at;
};

/* By falling score; equal ones by place, so that the order is one. NaN counts as below everything. */
static int falling(const void *a, const void *b) {
  const struct ranked *x = a, *y = b;
  float p = isnan(x->score) ? -INFINITY : x->score, q = isnan(y->score) ? -INFINITY : y->score;
  return p > q ? -1 : p < q ? 1 : x->at < y->at ? -1 : x->at > y->at;
}

static struct ranked *rank(const float *score, int64_t n, whet_mem *m, whet_err *err) {
  struct ranked *r = n < INT32_MAX ? whet__alloc_array(m, (size_t)n + 1, sizeof *r) : NULL;
  if (!r) {
    (void)whet__no_memory(m, (size_t)n * sizeof *r, err, "scores");
    return NULL;
  }
  for (int64_t i = 0; i < n; i++) r[i] = (struct ranked){score[i], (int32_t)i};
  qsort(r, (size_t)n, sizeof *r, falling);
  return r;
}

whet_status whet__auc(const float *score, const uint8_t *positive, int64_t n, whet_mem *m, double *out, whet_err *err) {
  struct ranked *r = rank(score, n, m, err);
  double area = 0, ups = 0, downs = 0;
  if (!r) return WHET_E_MEMORY;
  for (int64_t i = 0; i < n;) { /* a run of equal scores is a slanted piece of the curve */
    double up = 0, down = 0;
    float s = r[i].score;
    do {
      up += positive[r[i].at] != 0;
      down += positive[r[i].at] == 0;
      i++;
    } while (i < n && (r[i].score == s || (isnan(s) && isnan(r[i].score))));
    area += down * (ups + 0.5 * up);
    ups += up;
    downs += down;
  }
  whet__free(m, r);
  *out = ups > 0 && downs > 0 ? area / (ups * downs) : NAN;
  return WHET_OK;
}

whet_status whet__roc(const float *score, const uint8_t *positive, int64_t n, size_t most, double *x, double *y, size_t *points, whet_mem *m,
                      whet_err *err) {
  struct ranked *r = rank(score, n, m, err);
  int64_t all = 0, up = 0, down = 0;
  size_t k = 0;
  if (!r) return WHET_E_MEMORY;
  for (int64_t i = 0; i < n; i++) all += positive[i] != 0;
  double ups = (double)whet__max_i(all, 1), downs = (double)whet__max_i(n - all, 1);
  x[k] = y[k] = 0;
  k++;
  for (int64_t i = 0; i < n; i++) {
    up += positive[r[i].at] != 0;
    down += positive[r[i].at] == 0;
    bool ends = i + 1 == n || r[i + 1].score != r[i].score;
    double px = (double)down / downs, py = (double)up / ups;
    bool far = px - x[k - 1] + py - y[k - 1] >= 2.0 / (double)(most - 2);
    if (ends && k < most && (far || i + 1 == n)) x[k] = px, y[k] = py, k++;
  }
  whet__free(m, r);
  *points = k;
  return WHET_OK;
}

void whet__wilson(int64_t right, int64_t n, double *lo, double *hi) {
  double z = 1.959963985, k = (double)n, p = n ? (double)right / k : 0;
  if (!n) {
    *lo = 0, *hi = 1;
    return;
  }
  double mid = (p + z * z / (2 * k)) / (1 + z * z / k), half = z / (1 + z * z / k) * sqrt(p * (1 - p) / k + z * z / (4 * k * k));
  *lo = fmax(mid - half, 0);
  *hi = fmin(mid + half, 1);
}

double whet__mcnemar(int64_t a, int64_t b) {
  int64_t n = a + b, least = whet__min_i(a, b);
  double sum = 0;
  if (!n) return 1;
  for (int64_t i = 0; i <= least; i++)
    sum += exp(lgamma((double)n + 1) - lgamma((double)i + 1) - lgamma((double)(n - i) + 1) - (double)n * 0.69314718055994530942);
  return fmin(2 * sum, 1);
}

static double overlap_of(const whet_box *a, const whet_box *b) {
  double w = fmin((double)a->x1, (double)b->x1) - fmax((double)a->x0, (double)b->x0);
  double h = fmin((double)a->y1, (double)b->y1) - fmax((double)a->y0, (double)b->y0);
  if (!(w > 0 && h > 0)) return 0;
  double one = (double)(a->x1 - a->x0) * (double)(a->y1 - a->y0), two = (double)(b->x1 - b->x0) * (double)(b->y1 - b->y0);
  return w * h / (one + two - w * h);
}

/* The free true box that `b` overlaps most, by at least `overlap`; -1: none. */
static int64_t match(const whet_box *b, const whet_box *truth, size_t n, double overlap, const uint8_t *taken) {
  int64_t best = -1;
  double most = overlap;
  for (size_t k = 0; k < n; k++) {
    if (taken[k] || truth[k].kind != b->kind || truth[k].picture != b->picture) continue;
    double o = overlap_of(b, &truth[k]);
    if (o >= most && (best < 0 || o > most)) best = (int64_t)k, most = o;
  }
  return best;
}

/* Precision at 101 recalls, from which of the told boxes hit, by falling score. */
static double averaged(const uint8_t *hit, double *precision, size_t n, int64_t all) {
  double sum = 0, recall = 0;
  size_t at = 0;
  int64_t hits = 0;
  for (size_t i = 0; i < n; i++) hits += hit[i], precision[i] = (double)hits / (double)(i + 1);
  for (size_t i = n; i-- > 1;) precision[i - 1] = fmax(precision[i - 1], precision[i]);
  hits = 0;
  for (int k = 0; k <= 100; k++) {
    while (at < n && recall + 1e-9 < k / 100.0) { /* the first place that has this recall */
      hits += hit[at++];
      recall = (double)hits / (double)all;
    }
    if (recall + 1e-9 < k / 100.0) break;
    sum += n ? precision[at ? at - 1 : 0] : 0;
  }
  return sum / 101;
}

whet_status whet__average_precision(const whet_box *told, size_t n_told, const whet_box *truth, size_t n_truth, int32_t kind, double overlap,
                                    whet_mem *m, double *out, whet_err *err) {
  int64_t all = 0;
  size_t n = 0;
  for (size_t i = 0; i < n_truth; i++) all += truth[i].kind == kind;
  *out = NAN;
  if (!all) return WHET_OK;
  struct ranked *r = whet__alloc_array(m, n_told + 1, sizeof *r);
  uint8_t *taken = whet__alloc_array(m, n_truth + n_told + 1, 1);
  double *precision = whet__alloc_array(m, n_told + 1, sizeof *precision);
  whet_status s = r && taken && precision ? WHET_OK : whet__no_memory(m, (n_told + n_truth) * sizeof *r, err, "boxes");
  if (!s) {
    uint8_t *hit = taken + n_truth;
    memset(taken, 0, n_truth + n_told + 1);
    for (size_t i = 0; i < n_told; i++)
      if (told[i].kind == kind) r[n++] = (struct ranked){told[i].score, (int32_t)i};
    qsort(r, n, sizeof *r, falling);
    for (size_t i = 0; i < n; i++) {
      int64_t k = match(&told[r[i].at], truth, n_truth, overlap, taken);
      if (k >= 0) taken[k] = hit[i] = 1;
    }
    *out = averaged(hit, precision, n, all);
  }
  whet__free(m, precision);
  whet__free(m, taken);
  whet__free(m, r);
  return s;
}
