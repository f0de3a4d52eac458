/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_SHRINK_H
#define WHET_CLI_SHRINK_H

/* What whet shrink makes of a model, and how the variants trade. */

#include "samples.h"
#include "whet/quantize.h"

/* What is to be made. */
typedef struct cli_shrink_plan {
  whet_model *real;
  whet_format format; /* of the file that will be written */
  const cli_samples *calibration;
  cli_scorer *scorer;
  double drop;          /* that the score of the model itself may fall, in per cent */
  const double *keep;   /* parts of the multiply-adds that stay where channels are cut out, n_keep of them */
  int n_keep;
  int32_t epochs;       /* that each of those is trained; 0: none is made */
  double rate;
} cli_shrink_plan;

/* A way to make it smaller: channels cut out or not, then a scheme of quantisation or none. */
typedef struct cli_shrink_way {
  const char *name;
  whet_scheme scheme;
  int bits, group;
  bool plain;          /* nothing is quantised */
  bool searched;       /* only where the score is kept */
  bool tflite, onnx;   /* which formats have it */
  bool cut;            /* also made of models with fewer channels */
} cli_shrink_way;
extern const cli_shrink_way cli_shrink_ways[];
extern const int cli_shrink_n_ways;

/* A variant and what was measured. */
typedef struct cli_shrink_variant {
  const char *name;
  whet_model *model; /* NULL: could not be made */
  const char *why;   /* why not, or what it breaks; NULL: it fits */
  double score, ms;
  size_t size, ram;
} cli_shrink_variant;

/* The model with part `keep` of its multiply-adds, trained with the model itself as its teacher. */
WHET_MUST whet_status cli_shrink_cut(const cli_shrink_plan *p, double keep, whet_model **out, whet_err *err);
/* A way of `from`, which is the model or one with fewer channels, whose score may fall by `drop` per cent. name: for the progress bar. */
WHET_MUST whet_status cli_shrink_make(const cli_shrink_plan *p, const cli_shrink_way *w, const char *name, whet_model *from,
                                      double drop, whet_model **out, whet_err *err);
/* Draw score against time and against memory; best: the chosen one, or -1. One line is printed on failure; exit status. */
WHET_MUST int cli_shrink_chart(const char *path, const cli_shrink_variant *v, size_t n, int best);

#endif
