/* SPDX-License-Identifier: Apache-2.0 */
/* How many cores the process may use: its CPU set, and the processor quota of its control group and of every group
 * above it (cgroup v2 cpu.max; v1 cpu.cfs_quota_us and cpu.cfs_period_us). */

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/target.h"

/* The first `n` - 1 bytes of a small file, terminated; false when it cannot be read. */
static bool read_text(const char *path, char *text, size_t n) {
  FILE *f = fopen(path, "re");
  if (!f) return false;
  text[fread(text, 1, n - 1, f)] = 0;
  fclose(f);
  return true;
}

/* Thousandths of a core that one group's folder allows; 0: no quota. */
static long folder_quota(const char *folder) {
  char path[4300], text[128];
  long long quota = -1, period = 0;
  snprintf(path, sizeof path, "%s/cpu.max", folder);
  if (read_text(path, text, sizeof text)) {
    if (sscanf(text, "%lld %lld", &quota, &period) != 2) return 0; /* "max 100000" */
  } else {
    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
    if (!read_text(path, text, sizeof text) || sscanf(text, "%lld", &quota) != 1) return 0;
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
    if (!read_text(path, text, sizeof text) || sscanf(text, "%lld", &period) != 1) return 0;
  }
  if (quota <= 0 || period <= 0 || quota > INT32_MAX || period > INT32_MAX) return 0;
  long milli = (long)(quota * 1000 / period);
  return milli < 1 ? 1 : milli;
}

/* The least quota of the group `name` below `mount` and of all groups above it, in thousandths of a core; 0: none. */
static long chain_quota(const char *mount, const char *name) {
  char folder[4200];
  long least = 0;
  if (strstr(name, "..") || (size_t)snprintf(folder, sizeof folder, "%s%s", mount, name) >= sizeof folder) return 0;
  for (size_t top = strlen(mount), n = strlen(folder); n >= top;) {
    folder[n] = 0;
    long q = folder_quota(folder);
    if (q && (!least || q < least)) least = q;
    if (n == top) break;
    do n--;
    while (n > top && folder[n] != '/');
  }
  return least;
}

long whet__cgroup_quota(const char *groups, const char *mount) {
  char text[8192], at[4200];
  if (!read_text(groups, text, sizeof text)) return folder_quota(mount);
  long least = chain_quota(mount, ""); /* in a container the mount's top is our own group */
  char *rest = text;
  for (char *line; (line = strsep(&rest, "\n"));) { /* "0::/user.slice", "4:cpu,cpuacct:/docker/1f0e" */
    char *set = strchr(line, ':'), *name = set ? strchr(set + 1, ':') : NULL;
    if (!name) continue;
    *name++ = 0;
    set++;
    if (!*set) {
      snprintf(at, sizeof at, "%s", mount);
    } else {
      bool cpu = false;
      for (char *s = set, *one; (one = strsep(&s, ","));) cpu |= !strcmp(one, "cpu");
      if (!cpu) continue;
      snprintf(at, sizeof at, "%s/cpu", mount);
    }
    long q = chain_quota(at, strcmp(name, "/") ? name : "");
    if (q && (!least || q < least)) least = q;
  }
  return least;
}

bool whet__target_quota(void) { return whet__cgroup_quota("/proc/self/cgroup", "/sys/fs/cgroup") > 0; }

int whet__target_cores(void) {
  cpu_set_t set;
  int n = sched_getaffinity(0, sizeof set, &set) ? (int)sysconf(_SC_NPROCESSORS_ONLN) : CPU_COUNT(&set);
  long q = (whet__cgroup_quota("/proc/self/cgroup", "/sys/fs/cgroup") + 999) / 1000;
  if (q && q < n) n = (int)q;
  return n < 1 ? 1 : n;
}
