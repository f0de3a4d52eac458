/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPE_PICTURE_H
#define WHET_EDGE_PIPE_PICTURE_H

/* The stage picture -> tensor: what settings say, over whet_prep, for one input of a model.
 *
 * A stage belongs to one thread at a time. Pictures of one size allocate nothing after the first. */

#include "edge/pipe/geometry.h"

typedef struct pipe_picture_opts {
  pipe_order order; /* where the channels stand */
  whet_fit fit;
  whet_filter filter;
  bool bgr;     /* colour channels in the order blue, green, red */
  bool ranged;  /* lo, hi are given; else 0..255, and all that an 8-bit quantised input holds */
  float lo, hi; /* what samples 0 and 255 stand for */
  float mean[4], std[4];
  int n_mean, n_std; /* how many are given: 0, 1 (for every channel) or the channels */
  uint8_t pad;       /* sample around a letterboxed picture */
  const char *cpu;   /* as in whet_program_opts */
} pipe_picture_opts;

typedef struct pipe_picture pipe_picture;

/* info: the input, channels first where its shape leaves that open and `first` says so. E_SHAPE: holds no picture. */
EDGE_MUST whet_status pipe_picture_create(const whet_info *info, bool first, const pipe_picture_opts *o,
                                          pipe_picture **out, whet_err *err);
/* Frees it and sets *p to NULL; NULL is accepted. */
void pipe_picture_close(pipe_picture **p);

/* Settle the tensor's shape for a picture of this size: only inputs of free size differ. dims[rank] receives it.
 * Answers the tensor's bytes through *bytes. */
EDGE_MUST whet_status pipe_picture_shape(pipe_picture *p, int32_t width, int32_t height, int32_t *rank, int64_t *dims,
                                         size_t *bytes, whet_err *err);
/* Make the tensor, after pipe_picture_shape for its size. */
EDGE_MUST whet_status pipe_picture_run(pipe_picture *p, const whet_picture *in, void *out, size_t bytes,
                                       whet_err *err);
/* Where pictures of this size come to lie in the tensor, for boxes on their way back. */
EDGE_MUST whet_status pipe_picture_placed(const pipe_picture *p, int32_t width, int32_t height, whet_prep_place *out,
                                          whet_err *err);
/* Width and height of the tensor as it was settled last. */
void pipe_picture_size(const pipe_picture *p, int32_t *width, int32_t *height);

#endif
