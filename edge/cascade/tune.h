/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_CASCADE_TUNE_H
#define WHET_EDGE_CASCADE_TUNE_H

/* Thresholds with a bound on what they cost, without assumptions about the data's distribution: conformal risk
 * control (Angelopoulos, Bates, Fisch, Lei, Schuster 2022).
 *
 * The loss of a case at threshold t is 1 when it is kept (sure >= t) and the local model is wrong where the remote is
 * right. It falls as t rises. With n cases seen, t = inf { t : (n R(t) + 1) / (n + 1) <= alpha } has an expected loss
 * of at most alpha on a new case that is exchangeable with them. The cascade's accuracy is then at least the remote's
 * less alpha. */

#include "edge/edge.h"

typedef struct tune_case {
  double sure;              /* of the local model */
  bool right, remote_right; /* told by the class or, where the data have none, the remote's answer */
} tune_case;

/* The cascade at one threshold: cases below it are offloaded. */
typedef struct tune_point {
  double threshold;
  double offload;  /* share of cases */
  double accuracy; /* of the cascade; of the remote where it was asked */
  double risk;     /* share of kept cases' loss, of all cases */
  double bound;    /* (n risk + 1) / (n + 1) */
} tune_point;

/* x is sorted by `sure` here. The points of all thresholds that differ, from no offloading to all of it, thinned to
 * `most`. */
EDGE_MUST whet_status tune_curve(tune_case *x, size_t n, size_t most, tune_point *out, size_t *n_out, whet_err *err);
/* The least threshold whose bound is at most alpha. E_DATA: not even all offloaded, for want of cases (1 / (n + 1) >
 * alpha). */
EDGE_MUST whet_status tune_threshold(tune_case *x, size_t n, double alpha, tune_point *out, whet_err *err);

#endif
