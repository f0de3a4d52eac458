/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPE_TENSOR_H
#define WHET_EDGE_PIPE_TENSOR_H

/* A view of a tensor between stages, and its elements as real numbers. */

#include "edge/edge.h"
#include "whet/session.h"

/* Borrowed: the memory belongs to whoever made it, usually a session. */
typedef struct pipe_tensor {
  const char *name;
  whet_dtype dtype;
  int32_t rank;
  int64_t dims[WHET_MAX_RANK];
  const void *data;
  size_t n;              /* elements */
  whet_quant_info quant; /* n 0: plain numbers; per-axis scales are taken along quant.axis */
} pipe_tensor;

/* Output i of a session after a run. */
EDGE_MUST whet_status pipe_tensor_output(whet_session *s, size_t i, pipe_tensor *out, whet_err *err);
/* n elements from the first on, as floats: scale * (stored - zero) where the tensor is quantised. Every integer and
 * float type of 8 bits and more, and bool; E_TYPE for others, E_SHAPE past the end. */
EDGE_MUST whet_status pipe_tensor_floats(const pipe_tensor *t, size_t first, size_t n, float *out, whet_err *err);

/* Store a number as element i of a type, cut to its range; false: it is no type of numbers of 8 bits and more. */
bool pipe_tensor_set(whet_dtype t, void *to, size_t i, double v);
/* All elements, times scale plus offset, as another type: rounded and cut to its range where it holds integers. `to`
 * has room for t->n of them. */
EDGE_MUST whet_status pipe_tensor_convert(const pipe_tensor *t, double scale, double offset, whet_dtype type, void *to,
                                          whet_err *err);
/* n real numbers, times `factor`, as an input holds them: rounded and quantised where it is; raw: only rounded. */
EDGE_MUST whet_status pipe_tensor_put(const whet_info *info, bool raw, double factor, const float *v, size_t n,
                                      void *to, whet_err *err);

#endif
