/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_EVAL_BOXES_H
#define WHET_CLI_EVAL_BOXES_H

/* Detectors against true boxes: average precision by class, at an overlap of a half and over 0.5, 0.55 ... 0.95
 * (COCO's).
 *
 * The true boxes are CSV, a line "picture,class,x0,y0,x1,y1" for each: the picture's file below DIR, the class as a
 * name or number, pixels. The first line may name the columns. A picture without objects has a line with its name
 * alone. */

#include "opts.h"

typedef struct eval_boxes_opts {
  const char *data, *boxes, *detector, *labels, *range, *mean, *std, *html;
  int64_t items;
  int threads;
  bool json;
} eval_boxes_opts;

/* Exit status. */
WHET_MUST int eval_boxes(char **path, int n, const eval_boxes_opts *o);

/* The value below which share p of v lies; v is sorted here. */
double cli_eval_quantile(double *v, size_t n, double p);

#endif
