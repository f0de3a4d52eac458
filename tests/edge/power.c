/* SPDX-License-Identifier: Apache-2.0 */
/* Meters over planted trees: which source is taken, counters that begin anew, sensors, batteries, the estimate. */

#include "edge/power/governor.h"
#include "edge/power/meter.h"
#include "edge/power/sensors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char k_root[200];

/* A file below the root, its folders made. */
static void plant(const char *name, const char *text) {
  char path[500];
  snprintf(path, sizeof path, "mkdir -p \"$(dirname '%s/%s')\"", k_root, name);
  assert_int_equal(system(path), 0);
  snprintf(path, sizeof path, "%s/%s", k_root, name);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

static void clear(void) {
  char text[40 + 2 * sizeof k_root];
  snprintf(text, sizeof text, "rm -rf '%s'/sys '%s'/proc", k_root, k_root);
  assert_int_equal(system(text), 0);
  plant("sys/class/empty", "");
  plant("proc/self/stat", "7 (a) b) S 1 1 1 0 -1 4194560 1 0 0 0 100 50 0 0 20 0 1 0 1 1 1");
}

static power_meter *open_meter(power_opts o) {
  static char sysfs[300], procfs[300];
  power_meter *m;
  whet_err err = {0};
  snprintf(sysfs, sizeof sysfs, "%s/sys", k_root);
  snprintf(procfs, sizeof procfs, "%s/proc", k_root);
  o.sysfs = sysfs, o.procfs = procfs;
  if (power_open(&o, &m, &err)) fail_msg("%s", err.text);
  return m;
}

static double joules(power_meter *m) {
  double j = -1;
  whet_err err = {0};
  if (power_read(m, &j, &err)) fail_msg("%s", err.text);
  return j;
}

static void rapl(void **state) {
  clear();
  plant("sys/class/powercap/intel-rapl:0/name", "package-0\n");
  plant("sys/class/powercap/intel-rapl:0/energy_uj", "1000000\n");
  plant("sys/class/powercap/intel-rapl:0/max_energy_range_uj", "5000000\n");
  plant("sys/class/powercap/intel-rapl:0:0/name", "core\n"); /* part of the package */
  plant("sys/class/powercap/intel-rapl:0:0/energy_uj", "1\n");
  plant("sys/class/powercap/intel-rapl:0:1/name", "dram\n");
  plant("sys/class/powercap/intel-rapl:0:1/energy_uj", "0\n");
  plant("sys/class/powercap/intel-rapl:0:1/max_energy_range_uj", "5000000\n");
  plant("sys/class/powercap/intel-rapl:1/name", "psys\n"); /* holds the package */
  plant("sys/class/powercap/intel-rapl:1/energy_uj", "9\n");
  plant("sys/class/hwmon/hwmon0/power1_input", "1000000\n");
  power_meter *m = open_meter((power_opts){0});
  assert_int_equal(power_kind(m), POWER_RAPL);
  plant("sys/class/powercap/intel-rapl:0/energy_uj", "4000000\n");
  plant("sys/class/powercap/intel-rapl:0:0/energy_uj", "3000000\n");
  plant("sys/class/powercap/intel-rapl:0:1/energy_uj", "500000\n");
  assert_true(fabs(joules(m) - 3.5) < 1e-9);
  plant("sys/class/powercap/intel-rapl:0/energy_uj", "250000\n"); /* began anew */
  assert_true(fabs(joules(m) - 4.75) < 1e-9);
  plant("sys/class/powercap/intel-rapl:0/energy_uj", "gone");
  double j;
  whet_err err = {0};
  assert_int_equal(power_read(m, &j, &err), WHET_E_IO);
  assert_non_null(strstr(err.text, "intel-rapl:0/energy_uj"));
  power_close(&m);
  assert_null(m);
}

static void sensors(void **state) {
  clear();
  plant("sys/class/hwmon/hwmon1/power1_input", "2000000\n");
  power_meter *m = open_meter((power_opts){0});
  assert_int_equal(power_kind(m), POWER_POWER);
  int64_t began = edge_now();
  usleep(50000);
  double j = joules(m), t = 1e-9 * (double)(edge_now() - began);
  assert_true(j > 2 * 0.05 && j < 2 * (t + 0.05));
  power_close(&m);
  plant("sys/class/hwmon/hwmon2/energy1_input", "7000000\n");
  m = open_meter((power_opts){0});
  assert_int_equal(power_kind(m), POWER_ENERGY);
  plant("sys/class/hwmon/hwmon2/energy1_input", "9000000\n");
  assert_true(fabs(joules(m) - 2) < 1e-9);
  power_close(&m);
}

static void battery(void **state) {
  clear();
  plant("sys/class/power_supply/AC/type", "Mains\n");
  plant("sys/class/power_supply/BAT0/type", "Battery\n");
  plant("sys/class/power_supply/BAT0/status", "Charging\n");
  plant("sys/class/power_supply/BAT0/current_now", "-500000\n");
  plant("sys/class/power_supply/BAT0/voltage_now", "4000000\n");
  power_meter *m = open_meter((power_opts){0});
  assert_int_equal(power_kind(m), POWER_ESTIMATE); /* what goes in tells nothing */
  power_close(&m);
  plant("sys/class/power_supply/BAT0/status", "Discharging\n");
  m = open_meter((power_opts){0});
  assert_int_equal(power_kind(m), POWER_BATTERY);
  usleep(20000);
  double j = joules(m);
  assert_true(j > 2 * 0.02 && j < 20);
  plant("sys/class/power_supply/BAT0/status", "Charging\n"); /* somebody plugs it in */
  usleep(20000);
  double then = joules(m);
  assert_true(then == j);
  plant("sys/class/power_supply/BAT0/status", "Discharging\n");
  usleep(20000);
  assert_true(joules(m) > j);
  power_close(&m);
}

static void estimate(void **state) {
  char text[100];
  clear();
  power_meter *m = open_meter((power_opts){.busy = 3});
  assert_int_equal(power_kind(m), POWER_ESTIMATE);
  assert_true(fabs(power_error(m) - 0.1) < 1e-9);
  long tick = sysconf(_SC_CLK_TCK);
  snprintf(text, sizeof text, "7 (a) b) S 1 1 1 0 -1 4194560 1 0 0 0 %ld 50 0 0 20 0 1 0 1 1 1", 100 + 2 * tick);
  plant("proc/self/stat", text);
  assert_true(fabs(joules(m) - 6) < 1e-9); /* two seconds at three watts */
  power_close(&m);
  m = open_meter((power_opts){0});
  assert_true(power_error(m) >= 1 && !strcmp(power_name(m), "estimate")); /* watts that nobody measured */
  power_close(&m);
  char path[300];
  snprintf(path, sizeof path, "%s/proc/self/stat", k_root);
  unlink(path);
  whet_err err = {0};
  snprintf(path, sizeof path, "%s/proc", k_root);
  const power_opts o = {.sysfs = k_root, .procfs = path};
  assert_int_equal(power_open(&o, &m, &err), WHET_E_IO);
}

/* Batteries, temperatures and pressure over planted trees. */
static void machine(void **state) {
  char sysfs[300], procfs[300];
  clear();
  snprintf(sysfs, sizeof sysfs, "%s/sys", k_root);
  snprintf(procfs, sizeof procfs, "%s/proc", k_root);
  assert_true(isnan(power_battery(sysfs)) && isnan(power_temperature(sysfs, NULL)) && isnan(power_pressure(procfs)));
  plant("sys/class/power_supply/AC/type", "Mains\n");
  plant("sys/class/power_supply/AC/capacity", "1\n"); /* no battery */
  plant("sys/class/power_supply/mouse/type", "Battery\n");
  plant("sys/class/power_supply/mouse/scope", "Device\n");
  plant("sys/class/power_supply/mouse/capacity", "2\n");
  plant("sys/class/power_supply/BAT0/type", "Battery\n");
  plant("sys/class/power_supply/BAT0/capacity", "80\n");
  plant("sys/class/power_supply/BAT1/type", "Battery\n");
  plant("sys/class/power_supply/BAT1/capacity", "35\n");
  assert_true(fabs(power_battery(sysfs) - 0.35) < 1e-9);
  plant("sys/class/thermal/thermal_zone0/type", "soc\n");
  plant("sys/class/thermal/thermal_zone0/temp", "61000\n");
  plant("sys/class/thermal/cooling_device0/temp", "99000\n");
  plant("sys/class/thermal/thermal_zone1/temp", "-274000\n"); /* not connected */
  assert_true(fabs(power_temperature(sysfs, NULL) - 61) < 1e-9);
  plant("sys/class/hwmon/hwmon3/name", "nvme\n");
  plant("sys/class/hwmon/hwmon3/temp2_input", "72500\n");
  assert_true(fabs(power_temperature(sysfs, NULL) - 72.5) < 1e-9);
  assert_true(fabs(power_temperature(sysfs, "soc") - 61) < 1e-9);
  assert_true(fabs(power_temperature(sysfs, "nvme") - 72.5) < 1e-9);
  assert_true(isnan(power_temperature(sysfs, "gpu")));
  plant("proc/pressure/cpu",
        "some avg10=12.50 avg60=1.00 avg300=0.00 total=9\nfull avg10=0.00 avg60=0 avg300=0 total=0\n");
  assert_true(fabs(power_pressure(procfs) - 0.125) < 1e-9);
}

/* Give readings, a second each from second `*t` on; the rungs after each, as a text. */
static void ladder(governor *g, int *t, const double (*v)[2], size_t n, const char *want) {
  char got[200] = "";
  for (size_t i = 0; i < n; i++) {
    governor_step(g, v[i], (int64_t)1000000000 * (*t)++);
    snprintf(got + strlen(got), sizeof got - strlen(got), "%d", g->rung);
  }
  assert_string_equal(got, want);
}

/* Thresholds apart, hold times, one step at a time, rules that go only so far, numbers that nobody knows. */
static void steps(void **state) {
  governor g = {.rungs = 4,
                .n = 2,
                .rule = {{.down = 80, .up = 70, .hold_down = 2, .hold_up = 3, .lowest = 3},
                         {.down = 0.2, .up = 0.4, .low = true, .hold_down = 0, .hold_up = 0, .lowest = 1}}};
  int t = 1;
  governor_begin(&g);
  ladder(&g, &t, (const double[][2]){{80, 1}, {81, 1}, {81, 1}, {75, 1}, {81, 1}, {81, 1}, {81, 1}, {81, 1}, {81, 1}},
         9, "000000112"); /* past it for two seconds on end; then as long for the next */
  assert_int_equal(g.cause, 0);
  ladder(&g, &t, (const double[][2]){{75, 1}, {70, 1}, {70, 1}, {75, 1}, {70, 1}, {70, 1}, {70, 1}, {70, 1}}, 8,
         "22222221");
  ladder(&g, &t, (const double[][2]){{60, 1}, {60, 1}, {60, 1}}, 3, "110"); /* as long for the next one */
  ladder(&g, &t, (const double[][2]){{60, 0.2}, {60, 0.19}, {60, 0.01}, {60, 0.3}, {60, 0.4}}, 5, "01110");
  assert_int_equal(g.cause, 1);
  ladder(&g, &t, (const double[][2]){{90, 0.1}, {90, 0.1}, {90, 0.1}, {90, 0.1}, {90, 0.1}}, 5,
         "11223"); /* who goes first */
  ladder(&g, &t,
         (const double[][2]){{90, 0.1},
                             {60, 0.1},
                             {60, 0.1},
                             {60, 0.1},
                             {60, 0.1},
                             {60, 0.1},
                             {60, 0.1},
                             {60, 0.1},
                             {60, 0.1},
                             {60, 0.1},
                             {60, 0.1}},
         11, "33332221111"); /* the battery keeps nobody further down than its own lowest */
  ladder(&g, &t, (const double[][2]){{NAN, NAN}, {NAN, NAN}, {NAN, NAN}, {NAN, NAN}}, 4, "0000");
  assert_int_equal(g.cause, -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(rapl),     cmocka_unit_test(sensors), cmocka_unit_test(battery),
                                     cmocka_unit_test(estimate), cmocka_unit_test(machine), cmocka_unit_test(steps)};
  const char *tmp = getenv("TMPDIR");
  snprintf(k_root, sizeof k_root, "%s/power.XXXXXX", tmp ? tmp : "/tmp");
  if (!mkdtemp(k_root)) return 1;
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  char rm[300];
  snprintf(rm, sizeof rm, "rm -rf '%s'", k_root);
  return system(rm) ? 1 : r;
}
