/* SPDX-License-Identifier: Apache-2.0 */
/* The source `folder`: the files of a folder in the order of their names, then (watch) those that come. A file is
 * taken when it was closed after writing, or moved in, so never half. */

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "edge/pipeline/play.h"

typedef struct folder {
  pl_node n;
  pl_play play;
  const char *path, *match;
  bool watch, only_new;
  int then; /* keep, delete */
  int fd;   /* inotify */
} folder;

#define AT(field) offsetof(folder, field)
static const conf_key k_keys[] = {{.name = "path", CONF_STR, AT(path), NULL, 0, 0, true},
                                  {.name = "match", CONF_STR, AT(match)},
                                  {.name = "watch", CONF_BOOL, AT(watch)},
                                  {.name = "only_new", CONF_BOOL, AT(only_new)},
                                  {.name = "then", CONF_CHOICE, AT(then), "keep|delete"},
                                  PL_PLAY_KEYS(folder, play),
                                  {0}};
static const folder k_defaults = {.play = PL_PLAY_DEFAULTS, .match = "*", .fd = -1};

static whet_status open_folder(pl_node *n, whet_err *err) {
  folder *s = (folder *)n;
  if (!(s->path = pl_path(n, s->path, err))) return WHET_E_MEMORY;
  if (s->only_new && !s->watch) return pl_fail(n, err, "only_new without watch takes no file at all");
  return pl_payload_open(n, &s->play.payload, err);
}

static whet_status start(pl_node *n, whet_err *err) {
  folder *s = (folder *)n;
  if (!s->watch) return WHET_OK;
  s->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (s->fd >= 0 &&
      inotify_add_watch(s->fd, s->path, IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR | IN_DELETE_SELF) >= 0)
    return WHET_OK;
  edge_fail(err, WHET_E_IO, "%s: cannot be watched: %s", s->path, strerror(errno));
  return pl_fail_here(n, err);
}

/* One file of the folder; hidden ones and those that do not match are passed over. */
static bool take(folder *s, const char *name) {
  char path[4096];
  if (name[0] == '.' || fnmatch(s->match, name, 0)) return true;
  if ((size_t)snprintf(path, sizeof path, "%s/%s", s->path, name) >= sizeof path) return true;
  bool go = pl_play_file(&s->play, &s->n, path);
  if (go && s->then == 1 && unlink(path) && errno != ENOENT)
    pl_log(&s->n, 1, "%s: cannot be deleted: %s", path, strerror(errno));
  return go;
}

static int regular(const struct dirent *d) {
  return d->d_type == DT_REG || d->d_type == DT_LNK || d->d_type == DT_UNKNOWN;
}

static bool list(folder *s, whet_err *err, whet_status *st) {
  struct dirent **e;
  int n = scandir(s->path, &e, regular, alphasort);
  bool go = true;
  if (n < 0) {
    *st = edge_fail(err, WHET_E_IO, "%s: %s", s->path, strerror(errno));
    return false;
  }
  for (int i = 0; i < n; i++) {
    if (go) go = take(s, e[i]->d_name);
    free(e[i]);
  }
  free(e);
  return go;
}

static whet_status run(pl_node *n, pl_frame *none, whet_err *err) {
  folder *s = (folder *)n;
  _Alignas(struct inotify_event) char buf[16384];
  whet_status st = WHET_OK;
  (void)none;
  if (!s->only_new && !list(s, err, &st)) return st;
  while (s->watch && pl_source_wait(n, -1, s->fd)) {
    ssize_t got = read(s->fd, buf, sizeof buf);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got <= 0) return edge_fail(err, WHET_E_IO, "%s: %s", s->path, strerror(errno));
    for (char *at = buf; at < buf + got;) {
      const struct inotify_event *e = (const struct inotify_event *)(const void *)at;
      at += sizeof *e + e->len;
      if (e->mask & IN_Q_OVERFLOW) pl_log(n, 1, "files came faster than they were looked at: some were missed");
      if (e->mask & (IN_DELETE_SELF | IN_IGNORED))
        return edge_fail(err, WHET_E_IO, "%s: the folder is gone", s->path);
      if (e->len && !(e->mask & IN_ISDIR) && !take(s, e->name)) return WHET_OK;
    }
  }
  return WHET_OK;
}

static void close_folder(pl_node *n) {
  folder *s = (folder *)n;
  if (s->fd >= 0) close(s->fd);
  pl_play_close(&s->play);
}

const pl_kind pl_source_folder = {.name = "folder",
                                  .size = sizeof(folder),
                                  .keys = k_keys,
                                  .lone = "path",
                                  .defaults = &k_defaults,
                                  .open = open_folder,
                                  .start = start,
                                  .run = run,
                                  .close = close_folder};
