/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_CHAIN_F32_H
#define WHET_KERN_CHAIN_F32_H

/* Family chain_f32: convolutions one after the other, some rows at a time, so that what lies between them stays in the
 * second cache: expand, depthwise, project of mobile nets, whose inner tensors are the largest of a model.
 *
 * Parameters: those of each stage, over two dimensions (depth 1); one with more than one group is depthwise (dw_f32).
 * Only the first stage's input steps and the last one's output and residual steps are looked at: between them rows are
 * dense. Arguments: [0] in, [1] out, [2 + s] packed weights of stage s, as conv_f32 or dw_f32 of the same form wants
 * them, or absent, [6] res of the last stage or absent, [7] scratch. The output overlaps no other. Order of sums: as the
 * stages'; exact. */

#include "kern/conv_f32.h"

enum { WHET_CHAIN_MAX = 4, WHET_CHAIN_RES = 2 + WHET_CHAIN_MAX, WHET_CHAIN_ARGS = WHET_CHAIN_RES + 2 };

typedef struct whet_chain_f32 {
  int32_t n;    /* stages */
  int32_t rows; /* of the output that are made at once */
  whet_conv_f32 stage[WHET_CHAIN_MAX];
} whet_chain_f32;

/* Set `rows` from the other sizes. */
void whet__chain_set_rows(whet_chain_f32 *p);
/* The form in which a row takes the weights of a stage: those that round factors leave depthwise stages to another. */
static inline uint16_t whet__chain_form(const whet_kern *row, const whet_conv_f32 *stage) {
  return row->bf16 && stage->groups > 1 ? WHET_PANEL_16 : row->form;
}
/* What the rows do, over a row of conv_f32 and its row of dw_f32. */
size_t whet__chain_f32_scratch(const whet_chain_f32 *p, const whet_kern *conv);
void whet__chain_f32(const void *params, void *const *ptr, int part, int parts, const whet_kern *conv, const whet_kern *dw);

#endif
