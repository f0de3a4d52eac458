/* SPDX-License-Identifier: Apache-2.0 */
/* The meter of a pipeline. Counters and processor time are exact whenever they are read; sensors of watts are taken
 * to hold from look to look. */

#include "edge/pipeline/energy.h"

#include <math.h>

enum { SPAN_NS = 250000000 }; /* watts over less would be noise */

void pl_energy_open(pl_energy *e, const power_opts *o) {
  whet_err err;
  pthread_mutex_init(&e->lock, NULL);
  e->watts = NAN;
  e->joules = e->from_joules = 0;
  e->from = edge_now();
  if (power_open(o, &e->meter, &err)) e->meter = NULL;
}

void pl_energy_close(pl_energy *e) {
  power_close(&e->meter);
  pthread_mutex_destroy(&e->lock);
}

void pl_energy_end(pl_energy *e) {
  double joules;
  (void)pl_energy_read(e, &joules, NULL);
  pthread_mutex_lock(&e->lock);
  e->over = true;
  pthread_mutex_unlock(&e->lock);
}

bool pl_energy_read(pl_energy *e, double *joules, double *watts) {
  whet_err err;
  if (!e->meter) return false;
  pthread_mutex_lock(&e->lock);
  bool ok = e->over || !power_read(e->meter, &e->joules, &err);
  int64_t now = edge_now();
  if (ok && !e->over && now - e->from >= SPAN_NS) {
    e->watts = (e->joules - e->from_joules) / ((double)(now - e->from) * 1e-9);
    e->from_joules = e->joules;
    e->from = now;
  }
  *joules = e->joules;
  if (watts) *watts = e->watts;
  pthread_mutex_unlock(&e->lock);
  return ok;
}
