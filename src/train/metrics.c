/* SPDX-License-Identifier: Apache-2.0 */
/* Accuracy by class, confusion, areas under curves, calibration. Guo, Pleiss, Sun, Weinberger: "On Calibration of
 * Modern Neural Networks" (2017). */

#include "train/metrics.h"

#include <math.h>
#include <stdlib.h>

struct ranked {
  double score;
  uint8_t positive;
};
static int by_score(const void *a, const void *b) {
  double x = ((const struct ranked *)a)->score, y = ((const struct ranked *)b)->score;
  return x < y ? -1 : x > y;
}

double whet__auc(const double *score, const uint8_t *positive, int64_t n, whet_mem *mem) {
  struct ranked *r = whet__alloc_array(mem, (size_t)n + 1, sizeof *r);
  if (!r) return -1;
  for (int64_t i = 0; i < n; i++) r[i] = (struct ranked){score[i], positive[i] != 0};
  qsort(r, (size_t)n, sizeof *r, by_score);
  double sum = 0, pos = 0;
  for (int64_t i = 0; i < n;) { /* ranks from 1, equal scores share the mean of theirs */
    int64_t to = i;
    while (to < n && !(r[to].score > r[i].score)) to++;
    for (int64_t k = i; k < to; k++) {
      sum += r[k].positive ? (double)(i + 1 + to) / 2 : 0;
      pos += r[k].positive;
    }
    i = to;
  }
  whet__free(mem, r);
  double neg = (double)n - pos;
  return pos > 0 && neg > 0 ? (sum - pos * (pos + 1) / 2) / (pos * neg) : NAN;
}

/* The shares that scores stand for, and the greatest. */
static double greatest(const float *score, int64_t n) {
  double sum = 0, least = 0, top = (double)score[0], all = 0;
  for (int64_t k = 0; k < n; k++) {
    sum += (double)score[k];
    least = fmin(least, (double)score[k]);
    top = fmax(top, (double)score[k]);
  }
  if (least >= 0 && fabs(sum - 1) < 0.05) return top / sum;
  for (int64_t k = 0; k < n; k++) all += exp((double)score[k] - top);
  return 1 / all;
}

static void calibration(const whet_measure *x, whet_figures *f) {
  int64_t labelled = 0;
  for (int64_t i = 0; i < x->n; i++) {
    if (x->label[i] < 0) continue;
    double p = x->numbers == 1 ? fmax((double)x->score[i], 1 - (double)x->score[i])
                               : greatest(x->score + i * x->numbers, x->numbers);
    int b = (int)fmin(fmax(p, 0) * 15, 14);
    labelled++;
    f->bin_n[b]++;
    f->bin_share[b] += p;
    f->bin_right[b] += x->told[i] == x->label[i];
  }
  f->ece = 0;
  for (int b = 0; b < 15; b++) {
    if (!f->bin_n[b]) continue;
    f->bin_share[b] /= (double)f->bin_n[b], f->bin_right[b] /= (double)f->bin_n[b];
    f->ece += fabs(f->bin_share[b] - f->bin_right[b]) * (double)f->bin_n[b] / (double)labelled;
  }
}

static whet_status areas(const whet_measure *x, whet_mem *mem, whet_figures *f, whet_err *err) {
  double *score = whet__alloc_array(mem, (size_t)x->n + 1, sizeof *score), sum = 0;
  uint8_t *is = whet__alloc_array(mem, (size_t)x->n + 1, 1);
  int32_t n = 0;
  bool bad = !score || !is;
  for (int32_t c = 0; c < f->classes && !bad; c++) {
    int64_t k = 0;
    if (x->numbers == 1 ? c != 1 : c >= x->numbers) continue;
    for (int64_t i = 0; i < x->n; i++) {
      if (x->label[i] < 0) continue;
      score[k] = (double)x->score[i * x->numbers + (x->numbers == 1 ? 0 : c)];
      is[k++] = x->label[i] == c;
    }
    f->class[c].auc = whet__auc(score, is, k, mem);
    bad = f->class[c].auc < 0;
    if (isfinite(f->class[c].auc) && (f->classes != 2 || c == 1)) sum += f->class[c].auc, n++;
  }
  if (n) f->auc = sum / n;
  whet__free(mem, score);
  whet__free(mem, is);
  return bad ? whet__no_memory(mem, (size_t)x->n * 16, err, "scores") : WHET_OK;
}

static void classes(const whet_measure *x, whet_figures *f) {
  int64_t labelled = 0;
  for (int64_t i = 0; i < x->n; i++) {
    int32_t l = x->label[i], t = x->told[i];
    if (l < 0 || l >= f->classes) continue;
    labelled++;
    f->class[l].n++;
    f->class[l].right += t == l;
    if (t < 0 || t >= f->classes) continue;
    f->class[t].told++;
    f->confusion[(int64_t)l * f->classes + t]++;
  }
  double sum = 0;
  int32_t n = 0;
  for (int32_t c = 0; c < f->classes; c++) {
    whet_class_figures *k = &f->class[c];
    k->precision = k->told ? (double)k->right / (double)k->told : NAN;
    k->recall = k->n ? (double)k->right / (double)k->n : NAN;
    k->f1 = k->told + k->n ? 2 * (double)k->right / (double)(k->told + k->n) : NAN;
    k->auc = NAN;
    if (k->n) sum += k->f1, n++;
  }
  f->macro_f1 = n ? sum / n : NAN;
  f->top1 = labelled ? (double)x->right / (double)labelled : NAN;
  f->top5 = labelled && x->numbers > 5 ? (double)x->in5 / (double)labelled : NAN;
}

static void numbers(const whet_measure *x, whet_figures *f) {
  double mean = 0, sum = 0, off = 0, all = 0, count = (double)(x->n * x->numbers);
  if (!x->score) return;
  for (int64_t i = 0; i < x->n * x->numbers; i++) mean += (double)x->target[i] / count;
  for (int64_t i = 0; i < x->n * x->numbers; i++) {
    double d = (double)x->score[i] - (double)x->target[i];
    sum += fabs(d), off += d * d;
    all += ((double)x->target[i] - mean) * ((double)x->target[i] - mean);
  }
  f->mae = sum / count;
  f->r2 = all > 0 ? 1 - off / all : NAN;
}

whet_status whet__figures(const whet_measure *x, whet_mem *mem, whet_figures *f, whet_err *err) {
  *f = (whet_figures){.top1 = NAN,
                      .top5 = NAN,
                      .loss = x->loss,
                      .mae = NAN,
                      .r2 = NAN,
                      .auc = NAN,
                      .ece = NAN,
                      .macro_f1 = NAN,
                      .classes = x->classes};
  if (x->target) numbers(x, f);
  if (!x->classes) return WHET_OK;
  f->class = whet__alloc0(mem, (size_t)x->classes * sizeof *f->class);
  f->confusion = whet__alloc0(mem, (size_t)x->classes * (size_t)x->classes * sizeof *f->confusion);
  whet_status s = f->class && f->confusion
                      ? WHET_OK
                      : whet__no_memory(mem, (size_t)x->classes * (size_t)x->classes * 8, err, "a confusion matrix");
  if (!s) classes(x, f);
  if (!s && x->score) s = areas(x, mem, f, err);
  if (!s && x->score) calibration(x, f);
  if (s) whet__figures_free(f, mem);
  return s;
}

void whet__figures_free(whet_figures *f, whet_mem *mem) {
  whet__free(mem, f->class);
  whet__free(mem, f->confusion);
  *f = (whet_figures){0};
}
