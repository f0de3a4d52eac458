/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPE_TOPK_H
#define WHET_EDGE_PIPE_TOPK_H

/* The stage scores -> classes: the k highest of a row of scores, highest first, equal ones by their number. */

#include "edge/pipe/tensor.h"

typedef struct pipe_class {
  uint32_t index;
  float score;
} pipe_class;

/* out: k entries; the answer is how many were written: min(k, n). NaN counts as lowest. No memory is taken. */
size_t pipe_topk(const float *score, size_t n, size_t k, pipe_class *out);
/* Scores into probabilities, in place: exp(x - max) / sum. */
void pipe_softmax(float *score, size_t n);

#endif
