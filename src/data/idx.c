/* SPDX-License-Identifier: Apache-2.0 */
/* MNIST's idx files: a big-endian header (0, 0, type 8, dimensions; then each size), then bytes. Pictures and labels are two
 * files whose names differ in "images" and "labels". */

#include <stdio.h>

#include "data/inner.h"

struct idx {
  whet_file image, label;
  const uint8_t *pixel, *class;
  const char *name;
};

static uint32_t be32(const uint8_t *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }

/* Check a header of `rank` dimensions; sizes and where the bytes begin. */
static whet_status header(const whet_file *f, const char *path, int least, int most, int64_t dim[3], int *rank,
                          const uint8_t **at, whet_err *err) {
  size_t need = 1;
  if (f->n < 8 || f->p[0] || f->p[1]) return whet__fail(err, WHET_E_FORMAT, "%s: no idx file: it does not begin with two zeros", path);
  if (f->p[2] != 8) return whet__fail(err, WHET_E_UNSUPPORTED, "%s: an idx file of type 0x%02x; bytes (0x08) are read", path, f->p[2]);
  *rank = f->p[3];
  if (*rank < least || *rank > most)
    return whet__fail(err, WHET_E_FORMAT, "%s: an idx file of %d dimensions, expected %d", path, *rank, most);
  if (f->n < 4 + 4 * (size_t)*rank) return whet__fail(err, WHET_E_FORMAT, "%s: the file ends in its header", path);
  for (int i = 0; i < *rank; i++) {
    dim[i] = be32(f->p + 4 + 4 * i);
    if (!whet__mul_size(need, (size_t)dim[i], &need)) need = SIZE_MAX;
  }
  *at = f->p + 4 + 4 * *rank;
  if (need > f->n - 4 - 4 * (size_t)*rank)
    return whet__fail(err, WHET_E_FORMAT, "%s: the file ends early: %zu bytes after the header, %zu expected", path,
                      f->n - 4 - 4 * (size_t)*rank, need);
  return WHET_OK;
}

static whet_status item(const whet_set *s, whet_scratch *t, int64_t i, whet_item *out, float *targets, whet_err *err) {
  const struct idx *x = s->own;
  *out = (whet_item){.kind = WHET_ITEM_PICTURE, .height = (int32_t)s->dims[0], .width = (int32_t)s->dims[1], .channels = 1};
  out->data = x->pixel + i * s->dims[0] * s->dims[1];
  return WHET_OK;
}
static int32_t label_of(const whet_set *s, int64_t i) {
  const struct idx *x = s->own;
  return x->class ? x->class[i] : -1;
}
static void where(const whet_set *s, int64_t i, char *text, size_t n) {
  snprintf(text, n, "%s: picture %lld", ((const struct idx *)s->own)->name, (long long)i);
}
static void close_idx(whet_set *s) {
  struct idx *x = s->own;
  whet__file_close(&x->image);
  whet__file_close(&x->label);
}

/* The file of labels beside one of images. */
static const whet_entry *labels_of(const whet_entry *e, size_t n, const whet_entry *image) {
  const char *at = strstr(image->name, "images");
  size_t front = (size_t)(at - image->name);
  for (size_t i = 0; i < n; i++)
    if (strlen(e[i].name) > front && !strncmp(e[i].name, image->name, front) && !strncmp(e[i].name + front, "labels", 6)) return &e[i];
  return NULL;
}

whet_status whet__open_idx(whet_set *s, const whet_entry *e, size_t n, whet_err *err) {
  const whet_entry *image = NULL;
  int64_t dim[3], count[3];
  int rank, one;
  for (size_t i = 0; i < n; i++) {
    if (e[i].folder || !strstr(e[i].name, "images") || !strstr(e[i].name, "idx")) continue;
    if (image)
      return whet__fail(err, WHET_E_NAME, "%s: holds %s and %s: say which with --split", s->path, image->name, e[i].name);
    image = &e[i];
  }
  if (!image) return WHET_LATE;
  struct idx *x = whet__arena_alloc(&s->arena, sizeof *x);
  if (!x) return whet__no_memory(s->mem, sizeof *x, err, "a data set");
  s->own = x;
  s->close = close_idx;
  x->name = image->path;
  WHET_TRY(whet__unpack(s, image->path, &x->image, err));
  WHET_TRY(header(&x->image, image->path, 3, 3, dim, &rank, &x->pixel, err));
  if (dim[1] < 1 || dim[2] < 1 || dim[1] > 1 << 20 || dim[2] > 1 << 20)
    return whet__fail(err, WHET_E_FORMAT, "%s: pictures of %lld x %lld", image->path, (long long)dim[2], (long long)dim[1]);
  const whet_entry *label = labels_of(e, n, image);
  s->kind = "idx";
  s->item_kind = WHET_ITEM_PICTURE;
  s->unit = true;
  s->n = dim[0];
  s->rank = 3;
  s->dims[0] = dim[1], s->dims[1] = dim[2], s->dims[2] = 1;
  s->item = item;
  s->label_of = label_of;
  s->where = where;
  if (!label) return WHET_OK;
  WHET_TRY(whet__unpack(s, label->path, &x->label, err));
  WHET_TRY(header(&x->label, label->path, 1, 1, count, &one, &x->class, err));
  if (count[0] != dim[0])
    return whet__fail(err, WHET_E_FORMAT, "%s: %lld labels for %lld pictures", label->path, (long long)count[0], (long long)dim[0]);
  int32_t most = 0;
  for (int64_t i = 0; i < s->n; i++) most = (int32_t)whet__max_i(most, x->class[i]);
  return whet__set_numbers(s, most, err);
}
