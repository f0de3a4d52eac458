/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_POWER_SENSORS_H
#define WHET_EDGE_POWER_SENSORS_H

/* How a machine does: its battery, its heat, how its work waits for a processor. Each looks anew; NaN: nothing tells.
 * sysfs, procfs: roots; NULL: /sys, /proc. Any thread. */

#include "edge/edge.h"

/* What is left in the emptiest battery that feeds the machine, 0..1 (class/power_supply, `capacity`; those of mice
 * and the like have the scope "Device" and do not count). */
double power_battery(const char *sysfs);
/* Degrees Celsius of the hottest of all thermal zones and hwmon's sensors; of those whose type (of a zone) or name
 * (of a hwmon) is `zone` when that is given. */
double power_temperature(const char *sysfs, const char *zone);
/* The part of the last ten seconds in which some task waited for a processor, 0..1 (procfs pressure/cpu, `some
 * avg10`; accounting/psi.rst of the kernel). */
double power_pressure(const char *procfs);

#endif
