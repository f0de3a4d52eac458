/* SPDX-License-Identifier: Apache-2.0 */
/* Batteries, temperatures, pressure. */

#include "edge/power/sensors.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "edge/power/sysfs.h"

enum { HWMON_TEMPERATURES = 16 };

static void battery(void *user, const char *folder, const char *name) {
  double *least = user;
  char path[SYSFS_PATH], what[64];
  if (!sysfs_path(path, folder, name, "type") || !sysfs_word(path, what) || strcmp(what, "Battery")) return;
  if (sysfs_path(path, folder, name, "scope") && sysfs_word(path, what) && !strcmp(what, "Device")) return;
  if (sysfs_path(path, folder, name, "capacity")) *least = fmin(*least, sysfs_number(path) / 100); /* not NaN's */
}

double power_battery(const char *sysfs) {
  double least = NAN;
  sysfs_each(sysfs ? sysfs : "/sys", "power_supply", battery, &least);
  return least;
}

struct heat {
  const char *zone;
  double most;
};

/* Is it the one that is looked for? Its file `key` says what it is. */
static bool wanted(const struct heat *h, const char *folder, const char *name, const char *key) {
  char path[SYSFS_PATH], what[64];
  if (!h->zone) return true;
  return sysfs_path(path, folder, name, key) && sysfs_word(path, what) && !strcmp(what, h->zone);
}

static void hot(struct heat *h, const char *folder, const char *name, const char *file) {
  char path[SYSFS_PATH];
  if (!sysfs_path(path, folder, name, file)) return;
  double v = sysfs_number(path) / 1000;
  if (v > -100 && v < 300) h->most = fmax(h->most, v); /* a sensor that is not there tells nonsense */
}

static void zone(void *user, const char *folder, const char *name) {
  if (!strncmp(name, "thermal_zone", 12) && wanted(user, folder, name, "type")) hot(user, folder, name, "temp");
}

static void hwmon(void *user, const char *folder, const char *name) {
  char file[40];
  if (!wanted(user, folder, name, "name")) return;
  for (int i = 1; i <= HWMON_TEMPERATURES; i++) {
    snprintf(file, sizeof file, "temp%d_input", i);
    hot(user, folder, name, file);
  }
}

double power_temperature(const char *sysfs, const char *which) {
  struct heat h = {.zone = which, .most = NAN};
  sysfs_each(sysfs ? sysfs : "/sys", "thermal", zone, &h);
  sysfs_each(sysfs ? sysfs : "/sys", "hwmon", hwmon, &h);
  return h.most;
}

double power_pressure(const char *procfs) {
  char path[SYSFS_PATH];
  double v = NAN;
  if (!sysfs_path(path, procfs ? procfs : "/proc", "pressure", "cpu")) return NAN;
  FILE *f = fopen(path, "r");
  if (!f) return NAN;
  if (fscanf(f, "some avg10=%lf", &v) != 1) v = NAN;
  fclose(f);
  return v / 100;
}
