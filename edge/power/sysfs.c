/* SPDX-License-Identifier: Apache-2.0 */
/* Small files of the kernel's. */

#include "edge/power/sysfs.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

double sysfs_number(const char *path) {
  double v;
  FILE *f = fopen(path, "r");
  if (!f) return NAN;
  if (fscanf(f, "%lf", &v) != 1) v = NAN;
  fclose(f);
  return v;
}

bool sysfs_word(const char *path, char out[64]) {
  FILE *f = fopen(path, "r");
  bool ok = f && fscanf(f, "%63s", out) == 1;
  if (f) fclose(f);
  return ok;
}

bool sysfs_path(char to[SYSFS_PATH], const char *folder, const char *name, const char *file) {
  int n = snprintf(to, SYSFS_PATH, "%s/%s/%s", folder, name, file);
  return n > 0 && n < SYSFS_PATH;
}

void sysfs_each(const char *root, const char *class, void (*each)(void *, const char *, const char *), void *user) {
  char folder[SYSFS_PATH - 100];
  int n = snprintf(folder, sizeof folder, "%s/class/%s", root, class);
  DIR *d = n > 0 && (size_t)n < sizeof folder ? opendir(folder) : NULL;
  for (struct dirent *e; d && (e = readdir(d));)
    if (*e->d_name != '.' && strlen(e->d_name) < 64) each(user, folder, e->d_name);
  if (d) closedir(d);
}
