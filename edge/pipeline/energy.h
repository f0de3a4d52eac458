/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPELINE_ENERGY_H
#define WHET_EDGE_PIPELINE_ENERGY_H

/* Joules since a pipeline was started, and watts of late. Any thread. */

#include <pthread.h>

#include "edge/power/meter.h"

typedef struct pl_energy {
  power_meter *meter;   /* NULL: nothing can be told */
  pthread_mutex_t lock; /* all of it; a leaf */
  double joules, watts;
  double from_joules; /* where the watts are counted from, and when: ns */
  int64_t from;
  bool over; /* what was read last stays */
} pl_energy;

/* By what the machine tells, else as o estimates. */
void pl_energy_open(pl_energy *e, const power_opts *o);
void pl_energy_close(pl_energy *e);
/* Look for the last time. */
void pl_energy_end(pl_energy *e);
/* Look now. False: there is nothing to tell. watts may be NULL; NaN until a quarter of a second is over. */
bool pl_energy_read(pl_energy *e, double *joules, double *watts);

#endif
