/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_Q8_H
#define WHET_OP_Q8_H

/* What the quantised halves of operators share. */

#include "kern/lut_q8.h"
#include "kern/requant.h"
#include "op/tile.h"

/* Scale and zero point of a tensor quantised as a whole, bounds of its type. Plain integers: scale 1, zero 0. */
typedef struct whet_q8 {
  float scale;
  int32_t zero, lo, hi;
} whet_q8;
whet_q8 whet__q8(whet_dtype t, const whet_quant *q);
/* A stored number from a real one in the unit of the scale: zero point added, clamped. NaN gives the zero point. */
int32_t whet__q8_store(const whet_q8 *q, double units);

/* The rule of a node is one of TFLite's (also when the reader set none). */
static inline bool whet__q8_tfl(const whet_node *n) { return n->round != WHET_ROUND_ONNX_REAL; }

/* How values `in` and `out`, of equal shape and 8 bits, lie, as rows of equal length; false when they cannot be
 * walked so. */
bool whet__pl_q8_rows(const whet_planner *p, int32_t in, int32_t out, whet_lut_q8 *rows);

/* What node n makes of every byte of its input `k`, by its reference; the other inputs are known. The bytes are those
 * of 8-bit types on both sides. False when memory is refused or the reference fails (recorded). */
bool whet__pl_byte_table(whet_planner *p, const whet_node *n, int k, uint8_t table[256]);

/* Emit node n, whose output depends element by element on 8-bit input k and known values, and the group that it leads
 * as one table. */
whet_status whet__pl_by_table(whet_planner *p, const whet_node *n, int k);

/* True when a table only clamps numbers of type t: then it is max(lo, min(x, hi)). */
bool whet__table_clamps(const uint8_t table[256], whet_dtype t, int32_t *lo, int32_t *hi);

#endif
