/* SPDX-License-Identifier: Apache-2.0 */
/* Names and files. */

#include "edge/serve/folder.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "edge/edge.h"
#include "edge/serve/version.h"

bool folder_join(char out[PATH_ROOM], const char *folder, const char *name) {
  return (size_t)snprintf(out, PATH_ROOM, "%s/%s", folder, name) < PATH_ROOM;
}

bool folder_name(const char *s) {
  size_t n = strlen(s);
  if (!n || n >= VERSION_NAME || s[0] == '.') return false;
  for (; *s; s++)
    if (!isalnum((unsigned char)*s) && !strchr("._-", *s)) return false;
  return true;
}

int64_t folder_number(const char *s) {
  int64_t v = 0;
  if (s[0] < '1' || s[0] > '9' || strlen(s) > 18) return -1;
  for (; *s; s++) {
    if (*s < '0' || *s > '9') return -1;
    v = v * 10 + (*s - '0');
  }
  return v;
}

static void stamp(const struct stat *st, uint64_t *ino, uint64_t *size, uint64_t *mtime) {
  *ino = st->st_ino;
  *size = (uint64_t)st->st_size;
  *mtime = (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec;
}

bool folder_version(const char *folder, const char *model_folder, char file[PATH_ROOM], char config[PATH_ROOM],
                    folder_print *p) {
  static const char *const k_name[] = {"model.onnx", "model.tflite", "model.whet"};
  struct stat st;
  bool found = false;
  *p = (folder_print){0};
  for (size_t i = 0; i < EDGE_COUNT(k_name) && !found; i++) {
    found = folder_join(file, folder, k_name[i]) && !stat(file, &st) && S_ISREG(st.st_mode);
  }
  if (!found) return false;
  stamp(&st, &p->ino, &p->size, &p->mtime);
  config[0] = 0;
  for (int i = 0; i < 2 && !config[0]; i++) {
    if (!folder_join(config, i ? model_folder : folder, "config.yaml") || stat(config, &st) || !S_ISREG(st.st_mode))
      config[0] = 0;
  }
  if (config[0]) stamp(&st, &p->config_ino, &p->config_size, &p->config_mtime);
  return true;
}

static void mix(uint64_t *h, const void *p, size_t n) {
  for (const uint8_t *b = p; n; n--) *h = (*h ^ *b++) * 0x100000001b3u;
}

uint64_t folder_state(const char *folder, int depth) {
  uint64_t h = 0xcbf29ce484222325u, all = 1;
  DIR *d = opendir(folder);
  struct dirent *e;
  while (d && (e = readdir(d))) {
    char path[PATH_ROOM];
    struct stat st;
    uint64_t p[3], one = h;
    if (e->d_name[0] == '.' || !folder_join(path, folder, e->d_name) || stat(path, &st)) continue;
    if (S_ISDIR(st.st_mode)) {
      if (depth) all += folder_state(path, depth - 1);
      continue;
    }
    stamp(&st, &p[0], &p[1], &p[2]);
    mix(&one, e->d_name, strlen(e->d_name));
    mix(&one, p, sizeof p);
    all += one; /* the order is the folder's own */
  }
  if (d) closedir(d);
  return all ? all : 1;
}
