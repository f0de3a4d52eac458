/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TRAIN_MEASURE_H
#define WHET_TRAIN_MEASURE_H

/* Running a model over a data set and keeping what it says of each item. */

#include "train/train.h"

typedef struct whet_measure {
  int64_t n;          /* items */
  int64_t numbers;    /* of output 0 for an item */
  int32_t classes;    /* of the set; 0: none */
  int32_t *label;     /* [n]; -1: none */
  int32_t *told;      /* [n]: the greatest output's class */
  float *score;       /* [n][numbers] when asked for, else NULL */
  float *target;      /* [n][numbers] of sets without classes, when asked for */
  float *error;       /* [n] with `rebuild`: mean square of output - input */
  int64_t right, in5; /* items told rightly; with the class among the five greatest */
  double loss;        /* mean cross-entropy of the class (outputs as they are when they add up to 1, else by softmax), or squared error */
  double seconds;     /* in the model */
} whet_measure;

typedef struct whet_measure_opts {
  int threads;
  const char *precision; /* as of whet_program_opts; NULL: f32 */
  int64_t most;      /* items; 0: all */
  bool scores;       /* keep them */
  bool rebuild;      /* the model tells its input again (an autoencoder): keep how wrong. An item may then be several inputs, one after
                        the other (the windows of a sound, say): their mean */
  const whet_feed *feed; /* range, mean and std, channels' place; NULL: by set and model */
  whet_status (*progress)(void *user, int64_t done, int64_t of);
  void *user;
} whet_measure_opts;

/* Does the model tell as many numbers as it takes, in one input and one output? */
bool whet__rebuilds(const whet_model *m);
/* All items, one at a time where the model's batch is fixed, else in batches. Free with whet__measure_free. */
WHET_MUST whet_status whet__measure(whet_model *m, const whet_set *s, const whet_measure_opts *o, whet_mem *mem, whet_measure *out,
                                    whet_err *err);
/* Element i of an output's memory as a real number. */
double whet__real(const whet_info *o, const void *p, int64_t i);
void whet__measure_free(whet_measure *x, whet_mem *mem);

#endif
