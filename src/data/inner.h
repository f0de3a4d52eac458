/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_DATA_INNER_H
#define WHET_DATA_INNER_H

/* What the kinds of data sets share. Each is one file with an opener, which fills a whet_set and its hooks. */

#include "base/file.h"
#include "base/str.h"
#include "data/set.h"

/* An item as it lies in its file. */
typedef struct whet_item {
  whet_item_kind kind;
  whet_dtype dtype; /* NUMBERS */
  int64_t count;    /* NUMBERS: elements; SOUND: frames */
  int32_t width, height, channels; /* PICTURE; SOUND: channels, the numbers of a row */
  const void *data; /* until the reader's next item */
  const uint8_t *planes; /* PICTURE: samples lie in planes (CIFAR): data is NULL */
} whet_item;

/* What a reader keeps from item to item. */
typedef struct whet_scratch {
  whet_mem *mem;
  void *p;
  size_t cap;
  whet_sound sound;
  int64_t samples; /* that the last sound had */
} whet_scratch;
/* Room for n bytes; NULL when refused. */
void *whet__scratch_room(whet_scratch *s, size_t n);

struct whet_set {
  whet_mem *mem;
  whet_arena arena;
  whet_set_opts opts;
  const char *path, *kind;
  whet_item_kind item_kind;
  int64_t n, first; /* items, and which of the kind's is the first of them */
  int32_t classes;
  const char **label; /* NULL: numbers */
  int64_t targets;
  int32_t rank;
  int64_t dims[WHET_MAX_RANK];
  bool unit; /* samples are 0..1 unless told otherwise */
  void *own; /* of the kind, in the arena */
  whet_status (*item)(const whet_set *s, whet_scratch *t, int64_t i, whet_item *out, float *targets, whet_err *err);
  int32_t (*label_of)(const whet_set *s, int64_t i);
  void (*where)(const whet_set *s, int64_t i, char *text, size_t n);
  void (*close)(whet_set *s);
};

/* Names in a folder, or of one file. */
typedef struct whet_entry {
  const char *path, *name; /* name: the last part of path */
  bool folder;
  int64_t bytes;
} whet_entry;
/* Entries of a folder sorted by name, hidden ones left out; in the set's arena. */
WHET_MUST whet_status whet__entries(whet_set *s, const char *folder, whet_entry **out, size_t *n, whet_err *err);
/* Keep the entries of the half that is wanted. */
void whet__entries_split(const whet_set *s, whet_entry *e, size_t *n);
/* Does a name belong to the half that is wanted? -1: to the other, 0: it does not say, 1: yes. */
int whet__split_of(const whet_set *s, const char *name);
bool whet__ends(const char *name, const char *end); /* whatever the case */

/* Open a file as it is, or what a .gz holds. */
WHET_MUST whet_status whet__unpack(const whet_set *s, const char *path, whet_file *out, whet_err *err);
bool whet__is_gz(const char *path);

/* Say how many classes there are: `most` + 1 by numbers, or the names of --labels, which must be enough. */
WHET_MUST whet_status whet__set_numbers(whet_set *s, int32_t most, whet_err *err);
/* Read --labels into label and classes; nothing when there is none. */
WHET_MUST whet_status whet__set_labels(whet_set *s, whet_err *err);
/* Number of the class of that name among label[0..classes-1]; -1: none. */
int32_t whet__set_find(const whet_set *s, const char *name, size_t n);

/* Openers: WHET_LATE when the entries are of another kind. */
whet_status whet__open_idx(whet_set *s, const whet_entry *e, size_t n, whet_err *err);
whet_status whet__open_cifar(whet_set *s, const whet_entry *e, size_t n, whet_err *err);
whet_status whet__open_npy(whet_set *s, const whet_entry *e, size_t n, whet_err *err);
whet_status whet__open_csv(whet_set *s, const whet_entry *e, size_t n, whet_err *err);
whet_status whet__open_files(whet_set *s, const whet_entry *e, size_t n, whet_err *err);

#endif
