/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_CONV_BF16_H
#define WHET_KERN_CONV_BF16_H

/* Weights of convolutions over two dimensions as bf16, form WHET_PANEL_RUNS: for each group the bias padded with zeros to
 * whole blocks of 16 columns, then [block][kernel row][pair of k][16][2]. A kernel row is a run of kw * ic neighbouring
 * numbers, padded with zeros to whole steps of the same number of pairs, at most 16: what conv_q8.h calls form 5, with pairs
 * of bf16 in the place of four bytes. */

#include "kern/conv_f32.h"
#include "kern/conv_q8.h"

/* Numbers in a run of n, padded. */
static inline int64_t whet__conv_bf16_run(int64_t n) {
  int64_t pairs = whet__ceil_div(n, 2), steps = whet__conv_q8_steps(pairs);
  return 2 * steps * (steps < 16 ? whet__ceil_div(pairs, steps) : 16);
}

#endif
