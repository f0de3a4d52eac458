/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of files that are named by their time. */

#include "edge/pipeline/sink/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

whet_status sink_folder_make(pl_node *n, const char *folder, whet_err *err) {
  if (!mkdir(folder, 0777) || errno == EEXIST) return WHET_OK;
  edge_fail(err, WHET_E_IO, "%s: %s", folder, strerror(errno));
  return pl_fail_here(n, err);
}

void sink_folder_name(const pl_frame *f, char *out, size_t n) {
  char time[PL_TIME];
  pl_time_text(f->time, time);
  for (char *p = time; *p; p++)
    if (*p == ':') *p = '-';
  snprintf(out, n, "%s_%.40s", time, f->branch);
}

static bool ours(const char *name, const char *endings) {
  size_t n = strlen(name);
  if (n <= 20) return false;
  for (; *endings; endings += 4)
    if (!memcmp(name + n - 4, endings, 4)) return true;
  return false;
}

void sink_folder_trim(const char *folder, const char *endings, int64_t most) {
  struct dirent **e;
  char path[4400];
  int n = scandir(folder, &e, NULL, alphasort);
  int64_t left = 0;
  for (int i = 0; i < n; i++) left += ours(e[i]->d_name, endings);
  for (int i = 0; i < n; i++) {
    if (ours(e[i]->d_name, endings) && left-- > most &&
        (size_t)snprintf(path, sizeof path, "%s/%s", folder, e[i]->d_name) < sizeof path)
      unlink(path);
    free(e[i]);
  }
  if (n >= 0) free(e);
}

void *sink_room(void *user, size_t bytes) {
  serve_buf *b = user;
  if (bytes <= b->cap) return b->p;
  char *p = realloc(b->p, bytes);
  if (!p) return NULL;
  b->p = p;
  b->cap = bytes;
  return p;
}
