/* SPDX-License-Identifier: Apache-2.0 */
/* The curve of a cascade, and the threshold that keeps a bound. */

#include "edge/cascade/tune.h"

#include <math.h>
#include <stdlib.h>

static int by_sure(const void *a, const void *b) {
  double x = ((const tune_case *)a)->sure, y = ((const tune_case *)b)->sure;
  return x < y ? -1 : x > y;
}

/* What all cases cost when none is offloaded, and what offloading the first i of them changes, is counted on the way.
 */
struct walk {
  size_t n, lost, right;
};

static struct walk begin(tune_case *x, size_t n) {
  struct walk w = {.n = n};
  qsort(x, n, sizeof *x, by_sure);
  for (size_t i = 0; i < n; i++) {
    w.lost += !x[i].right && x[i].remote_right;
    w.right += x[i].right;
  }
  return w;
}

static void offload(struct walk *w, const tune_case *x) {
  w->lost -= !x->right && x->remote_right;
  w->right += (size_t)x->remote_right - (size_t)x->right;
}

static tune_point point(const struct walk *w, size_t offloaded, double threshold) {
  double n = (double)w->n;
  return (tune_point){.threshold = threshold,
                      .offload = (double)offloaded / n,
                      .accuracy = (double)w->right / n,
                      .risk = (double)w->lost / n,
                      .bound = ((double)w->lost + 1) / (n + 1)};
}

/* A threshold above the i-th case and not above the next. */
static double above(const tune_case *x, size_t n, size_t i) {
  if (!i) return n ? x[0].sure : 0;
  return i < n ? x[i].sure : nextafter(x[n - 1].sure, INFINITY);
}

whet_status tune_curve(tune_case *x, size_t n, size_t most, tune_point *out, size_t *n_out, whet_err *err) {
  *n_out = 0;
  if (!n || most < 2) return edge_fail(err, WHET_E_DATA, "no cases");
  struct walk w = begin(x, n);
  size_t next = 0;
  for (size_t i = 0; i <= n; i++) {
    bool edge = !i || i == n || x[i].sure > x[i - 1].sure;
    if (edge && (i >= next || i == n)) {
      out[(*n_out)++] = point(&w, i, above(x, n, i));
      next = *n_out >= most - 1 ? n : *n_out * n / (most - 1);
    }
    if (i < n) offload(&w, &x[i]);
  }
  return WHET_OK;
}

whet_status tune_threshold(tune_case *x, size_t n, double alpha, tune_point *out, whet_err *err) {
  if (!n) return edge_fail(err, WHET_E_DATA, "no cases");
  struct walk w = begin(x, n);
  for (size_t i = 0; i <= n; i++) {
    bool edge = !i || i == n || x[i].sure > x[i - 1].sure;
    *out = point(&w, i, above(x, n, i));
    if (edge && out->bound <= alpha) return WHET_OK;
    if (i < n) offload(&w, &x[i]);
  }
  return edge_fail(err, WHET_E_DATA, "%zu cases cannot promise a loss of at most %g: it takes %.0f at least", n,
                   alpha, ceil(1 / alpha) - 1);
}
