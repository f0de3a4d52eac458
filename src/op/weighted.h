/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_WEIGHTED_H
#define WHET_OP_WEIGHTED_H

/* A product with constant weights seen as rows: output channel o is a sum of k numbers, each an input times weight
 * [chan[o] + tap[i]] of the weight tensor. */

#include "op/conv.h"
#include "op/dense.h"

struct whet_env;

typedef struct whet_weighted {
  int32_t node;
  int32_t add;              /* the Add that brings its bias; -1: that is input 2 */
  bool no_bias;             /* there is no place for one */
  int32_t axis;             /* of the weight tensor along which channels lie; -1: channels of several groups lie apart */
  int64_t channels, k;      /* outputs in all; weights of each */
  int64_t *chan, *tap;      /* element numbers */
  int64_t groups;           /* channels of one group see the same inputs */
  whet_conv_geo geo;        /* Conv */
  bool conv, transposed;
  bool in_last;             /* Conv: channels of the input are last */
  /* Of the inputs over the samples, for each group: mean (k), covariance (k by k). NULL: not wanted, or too large. */
  double *mean, *moment;
  int64_t rows;             /* that went into them */
  float *pending;           /* rows that are not summed yet; how many of each group */
  int *fill;
  /* Results of stage weights. */
  int32_t n_scale;          /* 1, channels, or channels times blocks */
  int64_t block;            /* so many weights of a channel, one after the other, share a scale; 0: all */
  float *scale;             /* by channel, then block */
  int8_t *q;                /* as the weight tensor lies; of 4 bits: one in a byte */
  float *bias;              /* corrected; NULL: none and none needed */
  double noise;
} whet_weighted;

/* Number of the scale of weight i of channel o. */
static inline int64_t whet__weighted_scale(const whet_weighted *p, int64_t o, int64_t i) {
  if (p->block) return o * ((p->k + p->block - 1) / p->block) + i / p->block;
  return p->n_scale > 1 ? o : 0;
}

/* Describe node n. NULL: it is none, or shapes are not known; memory from a. *full: memory was refused. */
whet_weighted *whet__weighted_of(const struct whet_env *env, const whet_graph *g, int32_t node, whet_arena *a, bool *full);

/* Output positions, over batch and places; the k inputs of one of them and a group. x: the whole input. */
int64_t whet__weighted_positions(const struct whet_env *env, const whet_graph *g, const whet_weighted *p);
void whet__weighted_row(const struct whet_env *env, const whet_graph *g, const whet_weighted *p, const float *x,
                       int64_t group, int64_t position, float *row);

#endif
