/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPE_DRAW_H
#define WHET_EDGE_PIPE_DRAW_H

/* Drawing over parts of a picture in the caller's memory. */

#include "edge/edge.h"
#include "whet/prep.h"

/* A box of pixels; drawing cuts it to the picture. */
typedef struct pipe_box {
  int32_t x0, y0, x1, y1; /* x1, y1: one behind */
} pipe_box;

/* Bytes of a pixel. */
int pipe_pixel_bytes(whet_pixel p);
/* The box cut to the picture; empty boxes stay empty. */
pipe_box pipe_box_within(const whet_picture *p, pipe_box b);
/* The pixel at x, y. */
uint8_t *pipe_pixel_at(const whet_picture *p, int32_t x, int32_t y);
/* The box in one colour: red, green, blue. */
void pipe_paint(whet_picture *p, pipe_box b, const uint8_t colour[3]);
/* The box in cells x cells squares of one colour each, their mean. */
void pipe_mosaic(whet_picture *p, pipe_box b, int cells);

#endif
