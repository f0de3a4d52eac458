/* SPDX-License-Identifier: Apache-2.0 */
/* CIFAR's binary files: records of one label (CIFAR-100: a coarse one before the fine one) and the red, green and blue planes
 * of 32 x 32 samples. A file batches.meta.txt beside them names the classes. */

#include <stdio.h>

#include "data/inner.h"

enum { SIDE = 32, PLANES = 3 * SIDE * SIDE };

struct cifar {
  int n_file, labels; /* labels: bytes before the planes */
  whet_file *file;
  const char **name;
  int64_t *first; /* number of each file's first picture; n_file + 1 of them */
};

/* The record of picture i and the file that it lies in. */
static const uint8_t *record(const struct cifar *c, int64_t i, int *file) {
  int f = 0;
  while (f + 1 < c->n_file && i >= c->first[f + 1]) f++;
  *file = f;
  return c->file[f].p + (i - c->first[f]) * (c->labels + PLANES);
}

static whet_status item(const whet_set *s, whet_scratch *t, int64_t i, whet_item *out, float *targets, whet_err *err) {
  const struct cifar *c = s->own;
  int file;
  *out = (whet_item){.kind = WHET_ITEM_PICTURE, .height = SIDE, .width = SIDE, .channels = 3};
  out->planes = record(c, i, &file) + c->labels;
  return WHET_OK;
}
static int32_t label_of(const whet_set *s, int64_t i) {
  const struct cifar *c = s->own;
  int file;
  return record(c, i, &file)[c->labels - 1];
}
static void where(const whet_set *s, int64_t i, char *text, size_t n) {
  const struct cifar *c = s->own;
  int file;
  record(c, i, &file);
  snprintf(text, n, "%s: picture %lld", c->name[file], (long long)(i - c->first[file]));
}
static void close_cifar(whet_set *s) {
  struct cifar *c = s->own;
  for (int f = 0; f < c->n_file; f++) whet__file_close(&c->file[f]);
}

whet_status whet__open_cifar(whet_set *s, const whet_entry *e, size_t n, whet_err *err) {
  int count = 0, labels = 0;
  for (size_t i = 0; i < n; i++) {
    if (e[i].folder || !whet__ends(e[i].name, ".bin")) continue;
    int l = e[i].bytes % (PLANES + 1) == 0 ? 1 : e[i].bytes % (PLANES + 2) == 0 ? 2 : 0;
    if (!l || (labels && l != labels))
      return whet__fail(err, WHET_E_FORMAT, "%s: %lld bytes are no whole number of CIFAR records (%d or %d bytes)", e[i].path,
                        (long long)e[i].bytes, PLANES + 1, PLANES + 2);
    labels = l;
    count++;
  }
  if (!count) return WHET_LATE;
  struct cifar *c = whet__arena_alloc(&s->arena, sizeof *c);
  if (c) c->file = whet__arena_array(&s->arena, (size_t)count, sizeof *c->file);
  if (c) c->name = whet__arena_array(&s->arena, (size_t)count, sizeof *c->name);
  if (c) c->first = whet__arena_array(&s->arena, (size_t)count + 1, sizeof *c->first);
  if (!c || !c->file || !c->name || !c->first) return whet__no_memory(s->mem, sizeof *c, err, "a data set");
  s->own = c;
  s->close = close_cifar;
  c->labels = labels;
  for (size_t i = 0; i < n; i++) {
    if (e[i].folder || !whet__ends(e[i].name, ".bin")) continue;
    WHET_TRY(whet__file_open(e[i].path, false, s->mem, &c->file[c->n_file], err));
    c->name[c->n_file] = e[i].path;
    int64_t here = (int64_t)c->file[c->n_file].n / (PLANES + labels);
    c->first[c->n_file + 1] = c->first[c->n_file] + here;
    c->n_file++;
  }
  s->kind = "CIFAR";
  s->item_kind = WHET_ITEM_PICTURE;
  s->n = c->first[c->n_file];
  s->rank = 3;
  s->dims[0] = s->dims[1] = SIDE, s->dims[2] = 3;
  s->item = item;
  s->label_of = label_of;
  s->where = where;
  int32_t most = 0;
  for (int64_t i = 0; i < s->n; i++) most = (int32_t)whet__max_i(most, label_of(s, i));
  return whet__set_numbers(s, most, err);
}
