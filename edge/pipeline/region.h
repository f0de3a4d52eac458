/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPELINE_REGION_H
#define WHET_EDGE_PIPELINE_REGION_H

/* Polygons and lines in pictures as files have them, and the boxes of objects. draw.h paints them. */

#include "edge/pipe/draw.h"
#include "edge/pipeline/kind.h"

enum { PL_CORNERS = 64 };

/* Corners in parts of the picture (0..1). */
typedef struct pl_polygon {
  const char *name;
  size_t n;
  double x[PL_CORNERS], y[PL_CORNERS];
} pl_polygon;

/* A list of {name, points: [[x, y], ...]} with least..most corners each. Kept with the pipeline. */
EDGE_MUST whet_status pl_polygons(pl_node *n, const conf_node *v, const char *what, size_t least, size_t most,
                                  pl_polygon **out, size_t *n_out, whet_err *err);
bool pl_inside(const pl_polygon *p, double x, double y);

typedef pipe_box pl_box;
/* The box of an object of f in the pixels of f->pic, grown by a part of its size on every side. */
pl_box pl_box_of(const pl_frame *f, const pl_object *o, double grow);
/* The frame's picture becomes that part of it; nothing is copied. E_DATA: nothing of it lies there. */
EDGE_MUST whet_status pl_crop(pl_frame *f, pl_box b, whet_err *err);

#endif
