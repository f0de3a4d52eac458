/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPE_GEOMETRY_H
#define WHET_EDGE_PIPE_GEOMETRY_H

/* How an input holds a picture, told from its shape: a batch of one, then 1, 3 or 4 channels first or last; rows and
 * columns alone are grey; a row of numbers is a square picture. */

#include "edge/edge.h"
#include "whet/prep.h"

typedef struct pipe_geometry {
  int32_t rank;
  int64_t dims[WHET_MAX_RANK]; /* the tensor's, the batch 1; -1: as the picture */
  int at_h, at_w, at_c;        /* dimensions, -1: none */
  int32_t h, w, c;             /* pixels and channels; h and w -1: as the picture */
  whet_layout layout;
} pipe_geometry;

typedef enum pipe_order { PIPE_ORDER_BY_SHAPE, PIPE_ORDER_NCHW, PIPE_ORDER_NHWC } pipe_order;

/* False when the shape holds no single picture. first: channels first where both are possible (ONNX). */
bool pipe_geometry_find(const whet_info *info, bool first, pipe_order asked, pipe_geometry *out);

#endif
