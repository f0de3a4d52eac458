/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_PRODUCT_Q8_H
#define WHET_OP_PRODUCT_Q8_H

/* What quantised convolutions and matrix products share: how sums become stored numbers, for references and plans.
 *
 * Sums of 8-bit products are modulo 2^32, of 16-bit ones they have 64 bits. The rule is the node's; NONE means
 * TFL_FIX. */

#include "kern/conv_q8.h"
#include "op/q8.h"

/* The rule of a node on data of type x. */
whet_round whet__product_rule(const whet_node *n, whet_dtype x);

/* Scale, zero point of weight channel o. */
static inline float whet__q_scale(const whet_quant *q, int64_t o) { return q ? q->scale[q->n > 1 ? o : 0] : 1; }
static inline int32_t whet__q_zero(const whet_quant *q, int64_t o) { return q ? q->zero[q->n > 1 ? o : 0] : 0; }

/* Fails unless input i, quantised, has one scale for the whole tensor (channels < 0), or also one for each of
 * `channels`: E_UNSUPPORTED. */
whet_status whet__infer_scales(whet_infer *f, int i, int64_t channels);

/* For references: one output of channel o from its sum. */
typedef struct whet_product_out {
  whet_round round;
  bool wide; /* 64-bit sums */
  float sx;
  const whet_quant *w;
  whet_q8 y;
  bool plain; /* the output is not quantised: the sum itself, as a number of its type */
  whet_dtype t;
} whet_product_out;
whet_product_out whet__product_out(const whet_args *a);
/* Store the sum of channel o as element `at` of output 0. */
void whet__product_store(const whet_product_out *p, const whet_tensor *y, int64_t at, int64_t o, int64_t sum);

/* For plans: what is done to sums of node n's group, whose first value is n->out[0]. *table receives the argument of
 * the step's table. False when the kernels cannot. With o->live the step needs whet__pl_product_live(), too. */
bool whet__pl_product_out(whet_planner *p, const whet_node *n, whet_out_q8 *o, whet_arg *table);
/* The arguments of a step of conv_q8: five, and those of live sums. *n receives how many there are. False when sums cannot be
 * live as they are to be. */
enum { WHET_PRODUCT_ARGS = 5 + WHET_SUMS_LIVE };
bool whet__pl_product_live(whet_planner *p, whet_conv_q8 *c, whet_arg arg[WHET_PRODUCT_ARGS], int *n);
/* Every shift is to the right, and no sum reaches 2^30: `quick` of whet_out_q8. k: products of a sum. */
bool whet__pl_product_quick(const whet_planner *p, const whet_node *n, int64_t channels, int64_t k);

/* Is every sum of the products of n, an activation as an unsigned byte less 128 times a weight less its zero point,
 * below 2^25 in size? k: products of a sum; at: strides of the weights, [channels][k0][k1][k2]. */
bool whet__pl_product_small(const whet_planner *p, const whet_node *n, int64_t channels, const int64_t k[3],
                            const int64_t at[4]);

/* Are results of n `tight` as in whet_out_q8? k and at as before. */
bool whet__pl_product_tight(const whet_planner *p, const whet_node *n, int64_t channels, const int64_t k[3], const int64_t at[4]);

/* Weights packed for conv_q8: `d` has shape, strides and in_zero set; scales, zeros and types are filled in from node
 * n's inputs. Answers an argument for a step; kind NONE on failure (recorded). */
whet_arg whet__pl_weights_q8(whet_planner *p, const whet_node *n, const whet_conv_q8_pack *d);
/* Do weights v, of `channels` outputs, have zero points in the numbers that kernels see? */
bool whet__pl_w_zeros(const whet_planner *p, int32_t v, int64_t channels);
/* The zero point of 8-bit value v as an unsigned byte. */
int32_t whet__pl_byte_zero(const whet_planner *p, int32_t v);

/* Bytes that kernels take: 8-bit activations, weights of 8 bits or 4, a bias of 32 or none. */
bool whet__pl_takes_bytes(const whet_planner *p, const whet_node *n);
/* m rows of k numbers times k x cols weights for each of `groups`, whose rows stand beside each other, as a convolution of one row of pixels.
 * Rows without gaps; `out` is not set. */
whet_conv_q8 whet__pl_rows_conv(const whet_planner *p, const whet_node *n, int64_t m, int64_t groups, int64_t k, int64_t cols);

/* The step of a product of m rows of k numbers (input 0) with weights (input 1: [cols][k] with strides at_o, at_i) on
 * family conv_q8; WHET_LATE when it cannot. */
whet_status whet__pl_rows_q8(whet_planner *p, const whet_node *n, int64_t m, int64_t cols, int64_t k, int64_t at_o,
                             int64_t at_i);

/* Nanoseconds of so many 8-bit multiply-adds on one core, about. */
double whet__pl_macs_q8_ns(const whet_planner *p, double macs);

#endif
