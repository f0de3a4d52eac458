/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of rows and of their products. Rows are gathered in blocks, so that a sum of products is read and written once for a
 * block; only the lower half is kept up while adding. */

#include "compress/moments.h"

enum { BLOCK = 32, MOST_K = 2400 };
static const size_t k_budget = (size_t)600 << 20; /* bytes for all covariances together */

whet_status whet__moments_open(whet_job *j) {
  size_t used = 0;
  bool want = j->o.rounding == WHET_ROUNDING_LEAST_SQUARES;
  if (!want && j->o.no_bias_correction) return WHET_OK;
  for (int32_t i = 0; i < j->g->main.n_node; i++) {
    whet_weighted *p = j->product[j->g->main.node[i]];
    if (!p || p->transposed || !j->tie[p->node]) continue;
    size_t n = (size_t)p->groups * (size_t)p->k, each = n * (size_t)p->k * sizeof(double);
    p->pending = whet__arena_array(&j->a, n * BLOCK, sizeof *p->pending);
    p->fill = whet__arena_array(&j->a, (size_t)p->groups, sizeof *p->fill);
    p->mean = whet__arena_array(&j->a, n, sizeof *p->mean);
    if (!p->pending || !p->fill || !p->mean) return whet__job_full(j);
    if (!want || p->k > MOST_K || used + each > k_budget) continue;
    used += each;
    if (!(p->moment = whet__arena_array(&j->a, n * (size_t)p->k, sizeof *p->moment))) return whet__job_full(j);
  }
  return WHET_OK;
}

int64_t whet__moments_rows(const whet_weighted *p) { return p->moment ? whet__max_i(4 * p->k, 4096) : 2048; }

float *whet__moments_row(whet_weighted *p, int64_t group) {
  return p->pending + (group * BLOCK + p->fill[group]) * p->k;
}

/* Add the rows gathered of a group to its sums. */
static void flush(whet_weighted *p, int64_t group) {
  int64_t k = p->k;
  int n = p->fill[group];
  const float *x = p->pending + group * BLOCK * k;
  double *mean = p->mean + group * k, *m = p->moment ? p->moment + group * k * k : NULL;
  for (int b = 0; b < n; b++)
    for (int64_t i = 0; i < k; i++) mean[i] += (double)x[b * k + i];
  for (int64_t i = 0; i < k && m; i++) {
    double *to = m + i * k;
    for (int b = 0; b < n; b++) {
      double c = (double)x[b * k + i];
      const float *row = x + b * k;
      if (c == 0) continue; /* after a Relu every second number is */
      for (int64_t l = 0; l <= i; l++) to[l] += c * (double)row[l];
    }
  }
  p->fill[group] = 0;
}

void whet__moments_add(whet_weighted *p, int64_t group) {
  if (group == 0) p->rows++;
  if (++p->fill[group] == BLOCK) flush(p, group);
}

void whet__moments_finish(whet_job *j) {
  for (int32_t i = 0; i < j->g->main.n_node; i++) {
    whet_weighted *p = j->product[j->g->main.node[i]];
    if (!p || !p->mean || !p->rows) continue;
    for (int64_t g = 0; g < p->groups; g++) {
      double *mean = p->mean + g * p->k, *m = p->moment ? p->moment + g * p->k * p->k : NULL;
      flush(p, g);
      for (int64_t a = 0; a < p->k; a++) mean[a] /= (double)p->rows;
      for (int64_t a = 0; a < p->k && m; a++)
        for (int64_t b = 0; b <= a; b++)
          m[a * p->k + b] = m[b * p->k + a] = m[a * p->k + b] / (double)p->rows - mean[a] * mean[b];
    }
  }
}
