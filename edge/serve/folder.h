/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SERVE_FOLDER_H
#define WHET_EDGE_SERVE_FOLDER_H

/* What lies in the folder of models, NAME/NUMBER/model.*, and whether it changed. */

#include <stdbool.h>
#include <stdint.h>

enum { PATH_ROOM = 4096 };

/* What a file was when it was read: it changed when this does. */
typedef struct folder_print {
  uint64_t ino, size, mtime, config_ino, config_size, config_mtime;
} folder_print;

/* FOLDER/NAME; false when it is too long for a path. */
bool folder_join(char out[PATH_ROOM], const char *folder, const char *name);
/* A name that may stand in a path and in an address. */
bool folder_name(const char *s);
/* A version's number: digits without a leading 0, above 0; -1: none. */
int64_t folder_number(const char *s);
/* The files of a version: paths (config "": none) and their print. False: no model in the folder. */
bool folder_version(const char *folder, const char *model_folder, char file[PATH_ROOM], char config[PATH_ROOM],
                    folder_print *p);
/* What files lie in a folder and, depth times, in the folders in it: another number when one of them changes. Not 0.
 */
uint64_t folder_state(const char *folder, int depth);

#endif
