/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TRAIN_PACE_H
#define WHET_TRAIN_PACE_H

/* How many threads a step of training gets. A small step is over before the others are awake, and what waiting for them costs (mostly
 * nothing, now and then a lot) is known by nothing but trying; it changes with what else the machine does. So now and then some steps run
 * on half or twice as many threads, and the number with the smaller mean stays. What is learnt does not depend on it. */

#include "base/base.h"

enum {
  WHET_PACE_WARM = 2,     /* first steps of a trial that do not count */
  WHET_PACE_TRIAL = 32,   /* steps that do */
  WHET_PACE_WAIT = 64,    /* steps between trials, four times as many after each that changes nothing */
  WHET_PACE_LONG = 16384, /* but not more */
  WHET_PACE_MEMORY = 256  /* steps that the mean of the number in use goes back */
};

/* Seconds of a step from which on the threads are never fewer: waiting for them is little beside it. */
#define WHET_PACE_ENOUGH 0.004

typedef struct whet_pace {
  int most, width, other; /* threads: at most, in use, tried; other 0: no trial is under way */
  bool up;                /* where the next trial goes */
  int64_t wait, left;     /* between trials; steps until the next one */
  int64_t n, tried;       /* steps in the mean; of the trial */
  double mean, sum;       /* seconds of a step in use; of the trial's steps together */
} whet_pace;

void whet__pace_start(whet_pace *p, int most);
/* Threads of the next step. */
int whet__pace_width(const whet_pace *p);
/* The step took so long. */
void whet__pace_took(whet_pace *p, double seconds);

#endif
