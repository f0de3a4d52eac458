/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_COMPRESS_TIMING_H
#define WHET_COMPRESS_TIMING_H

/* What parts of two graphs take on this machine, measured in turns so that both see the same weather. */

#include "format/model.h"

/* Part of a model: what leads from value `in` of a shape to value `out`. */
typedef struct whet_part {
  whet_model *model;
  int32_t in, out;
  whet_shape shape;
} whet_part;

/* Least microseconds of a run of each. in < 0: the whole model. */
WHET_MUST whet_status whet__time_parts(const whet_part part[2], double us[2], whet_err *err);

#endif
