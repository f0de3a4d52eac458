/* SPDX-License-Identifier: Apache-2.0 */
/* How sure scores are. Liu, Wang, Owens, Li: "Energy-based Out-of-distribution Detection" (2020); Hendrycks et al.:
 * "Scaling Out-of-Distribution Detection for Real-World Settings" (2022). */

#include <math.h>

#include "edge/cascade/cascade.h"

static bool are_shares(const float *x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    if (!(x[i] >= 0)) return false;
    sum += (double)x[i];
  }
  return fabs(sum - 1) < 0.02;
}

double cascade_sure(const cascade_policy *p, const float *x, size_t n, int32_t *best) {
  double t = p->temperature > 0 ? p->temperature : 1;
  size_t at = 0;
  bool shares = p->measure != CASCADE_ENERGY && are_shares(x, n); /* the energy of log p is the same for all p */
  for (size_t i = 1; i < n; i++)
    if (x[i] > x[at]) at = i;
  *best = (int32_t)at;
  if (p->measure == CASCADE_SCORE || !n) return n ? (double)x[at] : 0;
  /* Shares p are scores log p. */
  double top = shares ? log(fmax((double)x[at], 1e-30)) / t : (double)x[at] / t, sum = 0, next = 0, entropy = 0;
  for (size_t i = 0; i < n; i++) {
    double z = (shares ? log(fmax((double)x[i], 1e-30)) / t : (double)x[i] / t) - top, e = exp(z);
    sum += e;
    entropy -= e * z;
    if (i != at) next = fmax(next, e);
  }
  if (p->measure == CASCADE_ENERGY) return t * (top + log(sum));
  if (p->measure == CASCADE_MARGIN) return (1 - next) / sum;
  if (p->measure == CASCADE_ENTROPY) return n > 1 ? 1 - (entropy / sum + log(sum)) / log((double)n) : 1;
  return 1 / sum;
}

bool cascade_is_hard(const cascade_policy *p, const float *scores, size_t n, double *sure, int32_t *best) {
  *sure = cascade_sure(p, scores, n, best);
  if (p->hard) return p->hard(p->user, scores, n, *best, *sure);
  double bound = p->per_class && (size_t)*best < p->n_class ? p->per_class[*best] : p->threshold;
  return !(*sure >= bound);
}
