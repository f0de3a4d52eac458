/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_SAMPLING_H
#define WHET_OP_SAMPLING_H

/* Reading a plane of a tensor between its elements: what operators on regions and grids share. */

#include "base/dtype.h"
#include "op/op.h"

/* A plane of `h` x `w` elements inside a tensor. */
typedef struct whet_plane {
  whet_dtype t;
  const void *data;
  int64_t at, h, w, row, column; /* first element, sizes, elements from one row or column to the next */
} whet_plane;

/* Plane (n, c) of a tensor [n][c][h][w]. */
static inline whet_plane whet__plane_of(const whet_tensor *x, int64_t n, int64_t c) {
  return (whet_plane){x->dtype,  x->data,   n * x->stride[0] + c * x->stride[1], x->dim[2], x->dim[3],
                      x->stride[2], x->stride[3]};
}

/* Element (y, x); 0 outside. */
static inline double whet__plane_get(const whet_plane *p, int64_t y, int64_t x) {
  if (y < 0 || y >= p->h || x < 0 || x >= p->w) return 0;
  return whet__get_f64(p->t, p->data, p->at + y * p->row + x * p->column);
}

/* A coordinate from a file as an index, kept in a range where sums of two cannot overflow; NaN: the lowest. */
static inline int64_t whet__sample_index(double v) {
  const double most = 1099511627776.0;
  return v >= most ? (int64_t)most : v > -most ? (int64_t)v : -(int64_t)most;
}

#endif
