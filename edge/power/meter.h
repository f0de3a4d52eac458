/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_POWER_METER_H
#define WHET_EDGE_POWER_METER_H

/* Joules: from whatever the machine can tell, else estimated from processor time.
 *
 *   rapl      the processor's own counters: packages and their memory (sysfs class/powercap, powercap.rst of the
 * kernel) energy    a sensor that counts energy (class/hwmon, energy1_input) power     a sensor that tells power
 * (class/hwmon, power1_average or power1_input), taken to hold from reading to reading battery   what the battery
 * gives while it discharges (class/power_supply) estimate  idle watts for all the time, and busy watts for each
 * second of processor time of this process
 *
 * All but the estimate are of the whole machine. A meter belongs to one thread at a time. */

#include "edge/edge.h"

typedef enum power_source { POWER_RAPL, POWER_ENERGY, POWER_POWER, POWER_BATTERY, POWER_ESTIMATE } power_source;

typedef struct power_opts {
  const char *sysfs, *procfs; /* roots; NULL: /sys, /proc */
  double idle, busy; /* watts for the estimate, as measured by whoever calibrates; busy 0: 4 W a processor, which may
                        be wrong by a factor of two */
  double error;      /* of those watts, relative; 0: 0.1 when they are given */
  bool only_estimate;
} power_opts;

typedef struct power_meter power_meter;
/* The best source that there is; *out is closed with power_close. E_MEMORY, or E_IO when not even processor time can
 * be read. */
EDGE_MUST whet_status power_open(const power_opts *o, power_meter **out, whet_err *err);
void power_close(power_meter **m);

power_source power_kind(const power_meter *m);
const char *power_name(const power_meter *m); /* "rapl", ..., "estimate" */
/* How far a reading may be off, relative: 0.05 for counters, 0.1 for sensors, 0.15 for batteries; that of the watts
 * for the estimate. */
double power_error(const power_meter *m);
/* Joules since it was opened. Power is taken to have been as it is now since the last reading: read often enough. */
EDGE_MUST whet_status power_read(power_meter *m, double *joules, whet_err *err);

#endif
