/* SPDX-License-Identifier: Apache-2.0 */
/* folder:///PATH: each record as a file, which its key and media type name: one that comes twice is there once, and
 * nobody sees a half one. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edge/file.h"
#include "edge/send/inner.h"

enum { MOST_NAME = 240 };

static whet_status open_folder(sender *s, whet_err *err) {
  if (s->o.url[9] == '/') return WHET_OK; /* folder:// */
  return edge_fail(err, WHET_E_DATA, "%.200s: expected folder:/// and a path from the root", s->o.url);
}

/* What a file of a media type ends with. */
static const char *ending(const char *type) {
  static const char *const k[][2] = {{"application/json", ".json"},        {"image/jpeg", ".jpg"},
                                     {"image/x-portable-graymap", ".pgm"}, {"image/x-portable-pixmap", ".ppm"},
                                     {"video/x-msvideo", ".avi"},          {"text/plain", ".txt"}};
  for (size_t i = 0; i < EDGE_COUNT(k); i++)
    if (!strcmp(type, k[i][0])) return k[i][1];
  return "";
}

/* The file's name: the key, with %XX for all but letters, digits, - _ and points that do not stand first; and the
 * type's ending where it has another. False: it is too long. */
static bool name_of(const outbox_item *x, char name[MOST_NAME + 8]) {
  size_t at = 0;
  const char *end = ending(x->type);
  for (const unsigned char *p = (const unsigned char *)x->key; *p; p++) {
    bool plain = (*p >= '0' && *p <= '9') || ((*p | 32) >= 'a' && (*p | 32) <= 'z') || *p == '-' || *p == '_' ||
                 (*p == '.' && at);
    if (at + 8 > MOST_NAME) return false;
    at += (size_t)sprintf(name + at, plain ? "%c" : "%%%02X", *p);
  }
  size_t n = strlen(end);
  if (at < n || memcmp(name + at - n, end, n)) memcpy(name + at, end, n), at += n;
  name[at] = 0;
  return at > 0;
}

static whet_status batch(sender *s, const outbox_batch *b, outbox_answer *a, int64_t *bytes, whet_err *err) {
  char name[MOST_NAME + 8];
  (void)err;
  int fd = open(s->o.url + 9, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  size_t i = 0;
  for (; fd >= 0 && i < b->n && !atomic_load(&s->woken); i++) {
    if (!name_of(&b->item[i], name)) {
      send_all(a, i, i + 1, OUTBOX_REFUSED, 0, "its key is no name for a file");
      continue;
    }
    if (!edge_save(fd, name, b->item[i].data, b->item[i].n, true)) break;
    send_all(a, i, i + 1, OUTBOX_SENT, 0, "");
    *bytes += (int64_t)b->item[i].n;
  }
  if (i < b->n && !atomic_load(&s->woken)) send_all(a, i, b->n, OUTBOX_UNREACHED, 0, strerror(errno));
  if (fd >= 0 && fsync(fd)) send_all(a, 0, b->n, OUTBOX_UNREACHED, 0, strerror(errno)); /* the names */
  if (fd >= 0) close(fd);
  return WHET_OK;
}

static void close_folder(sender *s) { (void)s; }

const send_kind send_folder = {.open = open_folder, .batch = batch, .close = close_folder};
