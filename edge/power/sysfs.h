/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_POWER_SYSFS_H
#define WHET_EDGE_POWER_SYSFS_H

/* Small files in which the kernel tells of devices, under a root that is given. */

#include "edge/edge.h"

enum { SYSFS_PATH = 400 };

/* The number that a file begins with; NaN: there is none. */
double sysfs_number(const char *path);
/* The first word of a file; false: there is none. */
bool sysfs_word(const char *path, char out[64]);
/* "FOLDER/NAME/FILE"; false: it is too long. */
bool sysfs_path(char to[SYSFS_PATH], const char *folder, const char *name, const char *file);
/* Call `each` for every entry of ROOT/class/CLASS. */
void sysfs_each(const char *root, const char *class, void (*each)(void *user, const char *folder, const char *name),
                void *user);

#endif
