/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_MATRIX_H
#define WHET_OP_MATRIX_H

/* What the operators made of products share when they plan float kernels. */

#include "kern/conv_f32.h"
#include "kern/gemm_f32.h"
#include "kern/pack_f32.h"
#include "kern/wino_f32.h"
#include "op/conv.h"
#include "op/tile.h"

/* Panels for the float families; parameters: whet_pack_f32. */
extern const whet_pack_kind whet__pack_f32_kind;

/* Weights and bias packed once where both are constants, else in every run: an argument for a step; kind NONE on
 * failure (recorded). */
whet_arg whet__pl_weights(whet_planner *p, const whet_pack_kind *kind, const void *params, int32_t w, int32_t bias);

/* The same for panels of float kernels; quantised integer weights become floats as they are packed. */
whet_arg whet__pl_panels(whet_planner *p, const whet_pack_f32 *pack, int32_t w, int32_t bias);

/* A value as a matrix: row r starts (r / chunk) * step + (r % chunk) * ld floats in. */
typedef struct whet_row_view {
  int64_t chunk, ld, step;
} whet_row_view;
/* Value v as rows of `columns` neighbouring elements; false when it does not lie so. */
bool whet__pl_row_view(const whet_planner *p, int32_t v, int64_t columns, whet_row_view *out);
/* g->m rows of A, C and (if not NULL) the residual: sets their distances, and a batch dimension where rows come in
 * chunks. False when the chunks differ. */
bool whet__gemm_rows(whet_gemm_f32 *g, whet_row_view a, whet_row_view c, const whet_row_view *res);

/* Append the step of a product whose sizes, distances and epilogue are in g. pack: how to read B (form is set here);
 * bias -1: none. */
whet_status whet__pl_gemm_f32(whet_planner *p, whet_gemm_f32 *g, whet_pack_f32 *pack, whet_arg a, int32_t out,
                              int32_t b, int32_t bias, whet_arg res);

/* The same product by the weights that are not zero, where that is faster than with all of them; false: it is not, or cannot
 * be, and nothing was appended. */
bool whet__pl_sparse(whet_planner *p, const whet_gemm_f32 *g, const whet_pack_f32 *pack, whet_arg a, int32_t out, int32_t b,
                     int32_t bias, whet_arg res, whet_status *status);
/* Could most of the weights v be zeros? A look at some. */
bool whet__pl_mostly_zero(const whet_planner *p, int32_t v);

/* A copy of f32 value v with its last two dimensions exchanged, dense, for the steps of this node; kind NONE on
 * failure (recorded). */
whet_arg whet__pl_turned_f32(whet_planner *p, int32_t v);

/* Multiply by alpha as the first micro-operation; false when there is no room for it. */
bool whet__epi_factor(whet_epi_f32 *e, float alpha);

/* Kilobytes of the second cache of one core. */
int32_t whet__pl_l2_kb(const whet_planner *p);

/* Nanoseconds that one core takes for so many multiply-adds of floats, about. */
double whet__pl_macs_ns(const whet_planner *p, double macs);
/* The same for a product of `rows` rows with weights of so many bytes each, which few rows wait for: they come from a far cache. */
double whet__pl_product_ns(double macs_ns, double macs, int64_t rows, int bytes);

/* Element i of weights, which belongs to output channel `channel`, as a float kernel sees it: quantised integers
 * stand for what they mean. */
double whet__ref_weight(const whet_tensor *w, int64_t i, int64_t channel);
/* One fused multiply-add as references do it: acc + x * w, rounded to float unless `wide`. */
double whet__ref_fma(bool wide, double x, double w, double acc);

/* Parameters of conv_f32 and its kin for node n, its epilogue included; *res: what that adds, or -1. How the panels
 * of its groups are read (form is left open). Input, output and residual have channels last. */
void whet__pl_conv_f32(whet_planner *p, const whet_node *n, const whet_conv_geo *g, whet_conv_f32 *k, int32_t *res);
whet_pack_f32 whet__conv_packing(const whet_planner *p, const whet_node *n, const whet_conv_geo *g);

/* Whether Winograd's minimal filtering is the faster way for a convolution; its tile is then in *out (conv_wino.c).
 * constant: its weights are. And its step, for node n. */
bool whet__conv_wino(whet_planner *p, const whet_conv_f32 *c, bool constant, whet_wino_f32 *out);
whet_status whet__pl_wino(whet_planner *p, const whet_node *n, const whet_wino_f32 *w, const whet_pack_f32 *pack,
                          int32_t res);

/* The step of a convolution of stride g's whose taps are packed as told, in the way that is fastest: by tiles, depthwise or
 * Winograd's. A transposed one of stride 1 is one, too, with its taps reversed. */
whet_status whet__pl_conv_taps(whet_planner *p, const whet_node *n, const whet_conv_geo *g, const whet_conv_f32 *k, const whet_pack_f32 *packing,
                               int32_t res);

/* The step of Conv n and, after its epilogue, of the MaxPool that ends its group. */
whet_status whet__pl_conv_pool(whet_planner *p, const whet_node *n, const whet_node *pool, const whet_conv_f32 *c,
                               whet_pack_f32 *pack);
/* The step of the convolutions in the group that n leads: conv_chain.c. */
whet_status whet__pl_conv_chain(whet_planner *p, const whet_node *n);

#endif
