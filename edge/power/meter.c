/* SPDX-License-Identifier: Apache-2.0 */
/* Reading counters, sensors and gauges. */

#include "edge/power/meter.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edge/power/sysfs.h"

enum { COUNTERS = 16, PATH = SYSFS_PATH };

/* A counter of microjoules that begins anew at its range. */
struct counter {
  char path[PATH];
  double last, range;
};

struct power_meter {
  power_opts o;
  char sysfs[200], procfs[200];
  power_source kind;
  struct counter counter[COUNTERS];
  int n;
  char power[PATH], current[PATH], voltage[PATH]; /* microwatts, or microamperes and microvolts */
  char status[PATH];                              /* of the battery; "": it is no battery */
  double joules, cpu;
  int64_t last; /* ns */
};

/* Seconds of processor time of this process: fields 14 and 15 of proc/self/stat. */
static double cpu_seconds(const power_meter *m) {
  char path[PATH], text[1024];
  unsigned long long user, system;
  snprintf(path, sizeof path, "%s/self/stat", m->procfs);
  FILE *f = fopen(path, "r");
  if (!f) return NAN;
  size_t n = fread(text, 1, sizeof text - 1, f);
  fclose(f);
  text[n] = 0;
  char *p = strrchr(text, ')'); /* the name may hold anything */
  if (!p || sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) != 2) return NAN;
  return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* ---- finding ----------------------------------------------------------------------------------- */

/* Add class/powercap/NAME when it is a package or its memory: packages hold cores, a platform holds packages. */
static void add_zone(void *user, const char *folder, const char *name) {
  power_meter *m = user;
  char path[PATH], what[64];
  struct counter *c = &m->counter[m->n];
  if (m->n == COUNTERS || strncmp(name, "intel-rapl:", 11)) return;
  if (!sysfs_path(path, folder, name, "name") || !sysfs_word(path, what)) return;
  if (strncmp(what, "package", 7) && strcmp(what, "dram")) return;
  if (!sysfs_path(c->path, folder, name, "energy_uj")) return;
  c->last = sysfs_number(c->path);
  if (isnan(c->last)) return; /* since 2020 only root may read it */
  snprintf(path, sizeof path, "%s/%s/max_energy_range_uj", folder, name);
  c->range = sysfs_number(path);
  m->n++;
}

/* A sensor of class/hwmon/NAME. */
static void add_sensor(void *user, const char *folder, const char *name) {
  power_meter *m = user;
  char path[PATH];
  if (strncmp(name, "hwmon", 5)) return;
  if (!m->n && sysfs_path(path, folder, name, "energy1_input") && !isnan(sysfs_number(path))) {
    m->counter[0] = (struct counter){.last = sysfs_number(path), .range = NAN};
    memcpy(m->counter[0].path, path, sizeof path);
    m->n = 1;
  }
  static const char *const files[] = {"power1_average", "power1_input"};
  for (size_t i = 0; i < EDGE_COUNT(files) && !*m->power; i++)
    if (sysfs_path(path, folder, name, files[i]) && !isnan(sysfs_number(path))) memcpy(m->power, path, sizeof path);
}

/* Whether the battery feeds the machine now. */
static bool discharges(const power_meter *m) {
  char what[64];
  return sysfs_word(m->status, what) && !strcmp(what, "Discharging");
}

static void add_battery(void *user, const char *folder, const char *name) {
  power_meter *m = user;
  char path[PATH], what[64];
  if (*m->power || *m->current || !sysfs_path(path, folder, name, "type")) return;
  if (!sysfs_word(path, what) || strcmp(what, "Battery")) return;
  if (!sysfs_path(m->status, folder, name, "status") || !discharges(m)) return;
  if (sysfs_path(path, folder, name, "power_now") && !isnan(sysfs_number(path))) {
    memcpy(m->power, path, sizeof path);
    return;
  }
  snprintf(path, sizeof path, "%s/%s/current_now", folder, name);
  if (isnan(sysfs_number(path))) return;
  memcpy(m->current, path, sizeof path);
  snprintf(m->voltage, sizeof m->voltage, "%s/%s/voltage_now", folder, name);
  if (isnan(sysfs_number(m->voltage))) *m->current = 0;
}

static bool find(power_meter *m) {
  if (m->o.only_estimate) return false;
  sysfs_each(m->sysfs, "powercap", add_zone, m);
  m->kind = POWER_RAPL;
  if (m->n) return true;
  sysfs_each(m->sysfs, "hwmon", add_sensor, m);
  m->kind = m->n ? POWER_ENERGY : POWER_POWER;
  if (m->n || *m->power) return true;
  sysfs_each(m->sysfs, "power_supply", add_battery, m);
  m->kind = POWER_BATTERY;
  return *m->power || *m->current;
}

whet_status power_open(const power_opts *o, power_meter **out, whet_err *err) {
  *out = NULL;
  power_meter *m = calloc(1, sizeof *m);
  if (!m) return edge_fail(err, WHET_E_MEMORY, "no memory for a meter");
  m->o = *o;
  snprintf(m->sysfs, sizeof m->sysfs, "%s", o->sysfs ? o->sysfs : "/sys");
  snprintf(m->procfs, sizeof m->procfs, "%s", o->procfs ? o->procfs : "/proc");
  if (!(m->o.error > 0)) m->o.error = m->o.busy > 0 ? 0.1 : 1;
  if (!(m->o.busy > 0)) m->o.busy = 4;
  m->last = edge_now();
  if (!find(m)) {
    m->kind = POWER_ESTIMATE;
    m->cpu = cpu_seconds(m);
    if (isnan(m->cpu)) {
      whet_status s = edge_fail(err, WHET_E_IO,
                                "%s/self/stat: no processor time can be read, and nothing tells energy", m->procfs);
      free(m);
      return s;
    }
  }
  *out = m;
  return WHET_OK;
}

void power_close(power_meter **m) {
  free(*m);
  *m = NULL;
}

/* ---- reading ----------------------------------------------------------------------------------- */

power_source power_kind(const power_meter *m) { return m->kind; }

const char *power_name(const power_meter *m) {
  static const char *const k[] = {"rapl", "energy", "power", "battery", "estimate"};
  return k[m->kind];
}

double power_error(const power_meter *m) {
  static const double k[] = {0.05, 0.05, 0.1, 0.15};
  return m->kind == POWER_ESTIMATE ? m->o.error : k[m->kind];
}

static whet_status lost(const char *path, whet_err *err) {
  return edge_fail(err, WHET_E_IO, "%s: it tells nothing any more", path);
}

static whet_status read_counters(power_meter *m, whet_err *err) {
  for (int i = 0; i < m->n; i++) {
    struct counter *c = &m->counter[i];
    double v = sysfs_number(c->path), d = v - c->last;
    if (isnan(v)) return lost(c->path, err);
    if (d < 0) d = isnan(c->range) ? v : d + c->range; /* it began anew */
    m->joules += d * 1e-6;
    c->last = v;
  }
  return WHET_OK;
}

/* Watts times seconds; what goes into a battery that is charged meanwhile is none of it. */
static whet_status read_power(power_meter *m, double seconds, whet_err *err) {
  double watts =
      *m->power ? sysfs_number(m->power) * 1e-6 : fabs(sysfs_number(m->current)) * sysfs_number(m->voltage) * 1e-12;
  if (isnan(watts)) return lost(*m->power ? m->power : m->current, err);
  if (m->kind != POWER_BATTERY || discharges(m)) m->joules += fabs(watts) * seconds;
  return WHET_OK;
}

whet_status power_read(power_meter *m, double *joules, whet_err *err) {
  int64_t now = edge_now();
  double seconds = 1e-9 * (double)(now - m->last);
  whet_status s = WHET_OK;
  m->last = now;
  if (m->kind == POWER_RAPL || m->kind == POWER_ENERGY) {
    s = read_counters(m, err);
  } else if (m->kind == POWER_ESTIMATE) {
    double cpu = cpu_seconds(m);
    if (isnan(cpu)) return lost(m->procfs, err);
    m->joules += m->o.idle * seconds + m->o.busy * (cpu - m->cpu);
    m->cpu = cpu;
  } else {
    s = read_power(m, seconds, err);
  }
  *joules = m->joules;
  return s;
}
