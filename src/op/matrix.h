/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_MATRIX_H
#define WHET_OP_MATRIX_H

/* What the operators made of products share when they plan float kernels. */

#include "kern/pack_f32.h"
#include "op/tile.h"

/* Panels for the float families; parameters: whet_pack_f32. */
extern const whet_pack_kind whet__pack_f32_kind;

/* Weights and bias packed once where both are constants, else in every run: an argument for a step; kind NONE on
 * failure (recorded). */
whet_arg whet__pl_weights_f32(whet_planner *p, const whet_pack_f32 *pack, int32_t w, int32_t bias);

/* Kilobytes of the second cache of one core. */
int32_t whet__pl_l2_kb(const whet_planner *p);

/* Nanoseconds that one core takes for so many multiply-adds of floats, about. */
double whet__pl_macs_ns(const whet_planner *p, double macs);

/* One fused multiply-add as references do it: acc + x * w, rounded to float unless `wide`. */
double whet__ref_fma(bool wide, double x, double w, double acc);

#endif
