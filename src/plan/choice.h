/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_PLAN_CHOICE_H
#define WHET_PLAN_CHOICE_H

/* Where a node can be planned in several ways, estimates take one. Choices that were measured take their place: a list of what
 * to take for which parameters. It belongs to a program, whose plans stay a function of program and shapes, and is kept in
 * .whet files. Names that are not among the ways (another CPU level, another version) leave the estimate. */

#include "format/model.h"

/* A program made only to be measured: everywhere it takes way `number`, or the first where there are fewer, and notes what it
 * took. */
typedef struct whet_trial_note {
  uint64_t key;
  const char *name;
  int32_t node;
  int32_t way, ways;
} whet_trial_note;
typedef struct whet_trial {
  int number;
  whet_mem *mem;
  whet_trial_note *note;
  size_t n, cap;
  bool full; /* memory for a note was refused */
} whet_trial;

enum { WHET_CHOICE_WAYS = 4 }; /* of planning one node that may be measured: the best by rank */

uint64_t whet__choice_key(unsigned family, const void *params, size_t size);

#endif
