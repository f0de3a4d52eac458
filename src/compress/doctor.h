/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_COMPRESS_DOCTOR_H
#define WHET_COMPRESS_DOCTOR_H

/* Two models, or two settings of one, value by value: where they part, and why. */

#include "format/model.h"
#include "whet/program.h"

/* One of the two. */
typedef struct whet_patient {
  whet_model *model;
  const whet_program_opts *opts; /* NULL: defaults */
  /* Write sample i of input `input` as this model takes it. */
  whet_status (*fill)(void *user, int64_t i, size_t input, void *to, size_t bytes, whet_err *err);
  void *user;
} whet_patient;

/* A value that both have, over all samples. */
typedef struct whet_finding {
  const char *name, *op;          /* in the first model: the value, the operators that end in it ("Conv, Relu") */
  const char *other, *other_op;   /* in the second */
  double snr;      /* decibels of signal over difference, at most 160 */
  double lost;     /* of them since its inputs; negative: the difference became smaller */
  double added;    /* difference over signal, less that of its inputs: what this one brings */
  double most;     /* largest difference */
  double mean;     /* mean difference, second less first */
  double rms;      /* root of the mean square of the first */
  double lo, hi;   /* range of the first */
  double clipped;  /* part of its numbers beyond what the second can hold; 0 for floats */
  double levels;   /* steps of the second between lo and hi; 0 for floats */
  bool finite;     /* both are numbers everywhere */
  const char *cause; /* likely cause; NULL where nothing was lost */
} whet_finding;

typedef struct whet_diagnosis {
  whet_finding *row;
  size_t n;
  int32_t first, worst; /* rows; -1: none differs */
  size_t alone_a, alone_b; /* values without a counterpart */
} whet_diagnosis;

/* first is the first row below `threshold` decibels, worst the one that adds most. Everything lies in a. */
WHET_MUST whet_status whet__diagnose(const whet_patient pair[2], int64_t samples, double threshold, whet_arena *a,
                                     whet_diagnosis *out, whet_err *err);

#endif
