/* SPDX-License-Identifier: Apache-2.0 */
/* Weights as integers.
 *
 * Symmetric, -127 .. 127 (TFLite's rule, and harmless in ONNX), one scale for each channel or one for all. Rounding: each weight to
 * the nearest integer; then, where the covariance C of the inputs is known, coordinate descent on the error of the
 * layer's outputs, (q s - w)' C (q s - w): each weight in turn moves to the integer that is best given the others, at most one
 * step from where it was (the idea of AdaRound, Nagel and others 2020, with the closed form of one coordinate in the place of a
 * relaxation). What is left of the error's mean goes into the bias (bias correction, Nagel and others 2019). */

#include <math.h>

#include "compress/job.h"

enum { SWEEPS = 20, FEW = 32 }; /* of rounding; rows of which nothing is learnt */

/* One channel: k weights from `w` on, at p->tap. */
typedef struct channel {
  const whet_weighted *p;
  const char *w;
  int64_t o, at; /* its number, its first element */
  int most;      /* the largest integer */
  double *gap, *pull; /* q s - w; C gap */
} channel;

static double weight(const channel *c, int64_t i) {
  float f;
  memcpy(&f, c->w + (c->at + c->p->tap[i]) * 4, 4);
  return (double)f;
}

static double scale(const channel *c, int64_t i) { return (double)c->p->scale[whet__weighted_scale(c->p, c->o, i)]; }

static void nearest(const channel *c) {
  for (int64_t i = 0; i < c->p->k; i++) {
    double w = weight(c, i), q = fmin(fmax(rint(w / scale(c, i)), -c->most), c->most);
    c->p->q[c->at + c->p->tap[i]] = (int8_t)q;
    c->gap[i] = q * scale(c, i) - w;
  }
}

/* Coordinate descent. cov: covariance of the inputs; ridge keeps weights of dead inputs where they are, and stands for the error of
 * the inputs' own rounding. */
static void descend(const channel *c, const double *cov, double ridge) {
  int64_t k = c->p->k;
  for (int64_t i = 0; i < k; i++) {
    c->pull[i] = ridge * c->gap[i];
    for (int64_t l = 0; l < k; l++) c->pull[i] += cov[i * k + l] * c->gap[l];
  }
  bool moved = true;
  for (int sweep = 0; sweep < SWEEPS && moved; sweep++) {
    moved = false;
    for (int64_t i = 0; i < k; i++) {
      int8_t *q = &c->p->q[c->at + c->p->tap[i]];
      double curve = cov[i * k + i] + ridge, unit = scale(c, i), w = weight(c, i) / unit;
      double best = rint(*q - c->pull[i] / curve / unit);
      best = fmin(fmax(best, fmax(ceil(w - 1), -c->most)), fmin(floor(w + 1), c->most));
      if (best == *q || !(curve > 0) || w == 0) continue; /* what was pruned stays zero */
      double step = (best - *q) * unit;
      *q = (int8_t)best;
      c->gap[i] += step;
      const double *row = cov + i * k;
      for (int64_t l = 0; l < k; l++) c->pull[l] += step * row[l];
      c->pull[i] += step * ridge;
      moved = true;
    }
  }
}

static double bias_of(const whet_job *j, const whet_weighted *p, int64_t o) {
  int32_t b = whet__job_bias(j, p);
  float f;
  if (b < 0) return 0;
  memcpy(&f, (const char *)j->g->val[b].data->p + o * 4, 4);
  return (double)f;
}

/* The largest weight of channel o among those of scale number `of`. */
static whet_status largest(whet_job *j, const channel *c, int64_t of, double *big) {
  *big = 0;
  for (int64_t i = 0; i < c->p->k; i++) {
    if (c->p->block && whet__weighted_scale(c->p, c->o, i) != of) continue;
    double x = fabs(weight(c, i));
    const whet_node *n = &j->g->node[c->p->node];
    if (!isfinite(x))
      return whet__fail(j->err, WHET_E_DATA, "node \"%.200s\" (%s): a weight is not finite", n->name, n->op->name);
    *big = fmax(*big, x);
  }
  return WHET_OK;
}

/* Do all channels share a scale? TFLite's FULLY_CONNECTED with integers has one in every version of every runtime. */
static bool one_scale(const whet_job *j, const whet_weighted *p) {
  if (j->o.per_tensor || p->axis < 0) return true;
  return !j->qdq && !p->conv && j->o.scheme != WHET_SCHEME_WEIGHTS;
}

/* Scales. in: the input's; a bias must fit 31 bits in units of it times the weight's. INFINITY: the bias stays float. */
static whet_status scales(whet_job *j, whet_weighted *p, const char *w, int most, double in) {
  int64_t blocks = 1;
  double all = 0;
  bool one = one_scale(j, p);
  p->block = j->o.scheme == WHET_SCHEME_WEIGHTS && j->qdq && !p->conv && !one && j->o.group < p->k ? j->o.group : 0;
  if (p->block) blocks = whet__ceil_div(p->k, p->block);
  p->n_scale = one ? 1 : (int32_t)(p->channels * blocks);
  p->scale = whet__arena_array(&j->a, (size_t)(p->channels * blocks), sizeof *p->scale);
  if (!p->scale) return whet__job_full(j);
  for (int64_t o = 0; o < p->channels; o++)
    for (int64_t b = 0; b < blocks; b++) {
      channel c = {.p = p, .w = w, .o = o, .at = p->chan[o]};
      double big;
      WHET_TRY(largest(j, &c, o * blocks + b, &big));
      double s = fmax(big / most, fabs(bias_of(j, p, o)) / in / 1.0e9);
      all = fmax(all, s);
      p->scale[o * blocks + b] = whet__job_scale(j, s, 4);
    }
  for (int64_t i = 0; i < p->channels * blocks; i++) {
    if (one) p->scale[i] = whet__job_scale(j, all, 4);
    if (!(p->scale[i] > 1e-30f)) p->scale[i] = all > 1e-30 ? whet__job_scale(j, all, 4) : 1; /* all weights are 0 */
  }
  return WHET_OK;
}

static whet_status product(whet_job *j, whet_weighted *p) {
  const whet_node *n = &j->g->node[p->node];
  const whet_val *w = &j->g->val[n->in[1]];
  bool real = j->o.scheme != WHET_SCHEME_INT8 && j->o.scheme != WHET_SCHEME_INT16X8; /* inputs stay real numbers */
  double *work = whet__arena_array(&j->a, 2 * (size_t)p->k, sizeof *work), error = 0, power = 0;
  double in = real ? INFINITY : (double)j->param[whet__job_root(j, n->in[0])].scale;
  int most = j->o.weight_bits == 4 ? 7 : 127;
  p->q = whet__arena_array(&j->a, (size_t)whet__shape_count(&w->shape), 1);
  p->bias = whet__arena_array(&j->a, (size_t)p->channels, sizeof *p->bias);
  if (!work || !p->q || !p->bias) return whet__job_full(j);
  WHET_TRY(scales(j, p, w->data->p, most, in));
  for (int64_t o = 0; o < p->channels; o++) {
    int64_t group = o / (p->channels / p->groups);
    channel c = {.p = p, .w = w->data->p, .o = o, .at = p->chan[o], .most = most, .gap = work, .pull = work + p->k};
    nearest(&c);
    if (p->moment && p->rows >= FEW) {
      const double *cov = p->moment + group * p->k * p->k;
      double ridge = in * in / 12, trace = 0;
      for (int64_t i = 0; i < p->k && real; i++) trace += cov[i * p->k + i];
      descend(&c, cov, real ? 1e-3 * trace / (double)p->k : ridge);
    }
    double shift = 0;
    for (int64_t i = 0; i < p->k; i++) {
      if (p->mean && !j->o.no_bias_correction && (!p->no_bias || p->add >= 0)) shift += c.gap[i] * p->mean[group * p->k + i];
      error += c.gap[i] * c.gap[i];
      power += weight(&c, i) * weight(&c, i);
    }
    p->bias[o] = (float)(bias_of(j, p, o) - shift);
  }
  p->noise = power > 0 ? error / power : 0;
  return WHET_OK;
}

whet_status whet__job_weights(whet_job *j) {
  int64_t all = 0, done = 0;
  for (int32_t i = 0; i < j->g->main.n_node; i++) all += j->product[j->g->main.node[i]] && j->tie[j->g->main.node[i]];
  for (int32_t i = 0; i < j->g->main.n_node; i++) {
    whet_weighted *p = j->product[j->g->main.node[i]];
    if (!p || !j->tie[p->node]) continue;
    WHET_TRY(product(j, p));
    WHET_TRY(whet__job_progress(j, "rounding weights", ++done, all));
  }
  return WHET_OK;
}
