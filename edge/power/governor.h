/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_POWER_GOVERNOR_H
#define WHET_EDGE_POWER_GOVERNOR_H

/* On which rung of a ladder to stand: 0 does everything, each further one costs less. Numbers that are read from time
 * to time drive it, each with a threshold to go down, another to go up, and how long it must be past one. So a number
 * that sways about a threshold moves nothing, and one step is given time to help before the next is made. One thread.
 */

#include "edge/edge.h"

enum { GOVERNOR_RULES = 8 };

typedef struct governor_rule {
  double down, up;           /* past `down` a step down is wanted, not past `up` one up is allowed */
  bool low;                  /* low numbers are the bad ones: a battery */
  double hold_down, hold_up; /* seconds */
  int lowest;                /* it drives no further down than to this rung, and keeps nobody below from going up */
} governor_rule;

typedef struct governor {
  int rungs;
  size_t n;
  governor_rule rule[GOVERNOR_RULES];
  int rung;
  int cause; /* the rule of the last step; -1: there was none */
  /* its own: since when each number is past `down`, and not past `up`; < 0: it is not */
  int64_t bad[GOVERNOR_RULES], good[GOVERNOR_RULES];
  int64_t stepped;
} governor;

/* rungs, n and rule are set. */
void governor_begin(governor *g);
/* Take the numbers that hold at `now` (nanoseconds of a clock that only goes on); NaN: nobody knows, which neither
 * drives nor holds. 1: a step down, -1: a step up, 0: none; rung and cause say which. */
int governor_step(governor *g, const double *reading, int64_t now);

#endif
