/* SPDX-License-Identifier: Apache-2.0 */
/* NumPy arrays: x*.npy holds the items, y*.npy, if it is there, their classes (integers) or targets (floats). */

#include <math.h>
#include <stdio.h>

#include "base/dtype.h"
#include "data/inner.h"
#include "codec/npy.h"

struct arrays {
  whet_file x_file, y_file;
  whet_npy x, y;
  const char *x_name;
  size_t each; /* bytes of an item */
};

static void close_arrays(whet_set *s) {
  struct arrays *a = s->own;
  whet__file_close(&a->x_file);
  whet__file_close(&a->y_file);
}
/* Element i of an array, which may lie at any alignment. */
static double element(const whet_npy *a, int64_t i) {
  uint64_t one[2];
  size_t n = whet__dtype_size(a->dtype);
  memcpy(one, a->data + (size_t)i * n, n);
  return whet__get_f64(a->dtype, one, 0);
}
static int32_t label_of(const whet_set *s, int64_t i) {
  const struct arrays *a = s->own;
  return s->classes ? (int32_t)element(&a->y, i) : -1;
}
static void where(const whet_set *s, int64_t i, char *text, size_t n) {
  snprintf(text, n, "%s: row %lld", ((const struct arrays *)s->own)->x_name, (long long)i);
}
static whet_status item(const whet_set *s, whet_scratch *t, int64_t i, whet_item *out, float *targets, whet_err *err) {
  const struct arrays *a = s->own;
  void *room = whet__scratch_room(t, a->each + 1);
  if (!room) return whet__no_memory(s->mem, a->each, err, "an item");
  memcpy(room, a->x.data + (size_t)i * a->each, a->each);
  *out = (whet_item){.kind = WHET_ITEM_NUMBERS, .dtype = a->x.dtype, .data = room};
  out->count = (int64_t)(a->each / whet__dtype_size(a->x.dtype));
  for (int64_t k = 0; targets && k < s->targets; k++) targets[k] = (float)element(&a->y, i * s->targets + k);
  return WHET_OK;
}

/* What a name says: 'x', 'y' or 0. */
static char role(const char *name) {
  static const char *const y[] = {"y", "label", "target"}, *const x[] = {"x", "image", "data", "input", "feature"};
  for (size_t i = 0; i < WHET_COUNT(y); i++) {
    const char *at = strstr(name, y[i]);
    if (at && (y[i][1] || ((at == name || strchr("_-.", at[-1])) && strchr("_-.", at[1])))) return 'y';
  }
  for (size_t i = 0; i < WHET_COUNT(x); i++) {
    const char *at = strstr(name, x[i]);
    if (at && (x[i][1] || at == name)) return 'x';
  }
  return 0;
}

static whet_status open_one(whet_set *s, const char *path, whet_file *f, whet_npy *a, whet_err *err) {
  whet_err why = {0};
  WHET_TRY(whet__file_open(path, false, s->mem, f, err));
  whet_status r = whet__npy_view(f->p, f->n, a, &why);
  if (r) return whet__fail(err, r, "%s: %s", path, why.text);
  if (a->rank < 1 || !(whet__is_float(a->dtype) || whet__is_int(a->dtype) || a->dtype == WHET_BOOL))
    return whet__fail(err, WHET_E_TYPE, "%s: %s of %d dimensions; rows of numbers are read", path, whet_dtype_name(a->dtype), a->rank);
  return WHET_OK;
}

/* Classes or targets out of y. */
static whet_status answers(whet_set *s, const char *path, whet_err *err) {
  struct arrays *a = s->own;
  int64_t count = 1;
  int32_t most = 0;
  for (int32_t i = 1; i < a->y.rank; i++) count *= a->y.dim[i];
  if (a->y.dim[0] != s->n)
    return whet__fail(err, WHET_E_SHAPE, "%s: %lld rows for the %lld of %s", path, (long long)a->y.dim[0], (long long)s->n, a->x_name);
  if (whet__is_float(a->y.dtype)) {
    s->targets = count;
    return WHET_OK;
  }
  if (count != 1) return whet__fail(err, WHET_E_SHAPE, "%s: %lld integers for each item; one is its class", path, (long long)count);
  for (int64_t i = 0; i < s->n; i++) {
    double c = element(&a->y, i);
    if (c < 0 || c > 1 << 20) return whet__fail(err, WHET_E_DATA, "%s: row %lld: class %.0f", path, (long long)i, c);
    most = (int32_t)whet__max_i(most, (int64_t)c);
  }
  return whet__set_numbers(s, most, err);
}

whet_status whet__open_npy(whet_set *s, const whet_entry *e, size_t n, whet_err *err) {
  const whet_entry *x = NULL, *y = NULL, *any = NULL;
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    if (e[i].folder || !whet__ends(e[i].name, ".npy")) continue;
    char r = role(e[i].name);
    const whet_entry **to = r == 'y' ? &y : r == 'x' ? &x : &any;
    if (*to) return whet__fail(err, WHET_E_NAME, "%s: holds %s and %s: say which with --split", s->path, (*to)->name, e[i].name);
    *to = &e[i];
    count++;
  }
  if (!count) return WHET_LATE;
  if (!x) x = any;
  if (!x && count == 1) x = y, y = NULL;
  if (!x) return whet__fail(err, WHET_E_NAME, "%s: no x*.npy that holds the items", s->path);
  struct arrays *a = whet__arena_alloc(&s->arena, sizeof *a);
  if (!a) return whet__no_memory(s->mem, sizeof *a, err, "a data set");
  s->own = a;
  s->close = close_arrays;
  a->x_name = x->path;
  WHET_TRY(open_one(s, x->path, &a->x_file, &a->x, err));
  s->kind = "npy";
  s->item_kind = WHET_ITEM_NUMBERS;
  s->n = a->x.dim[0];
  s->rank = a->x.rank - 1;
  memcpy(s->dims, a->x.dim + 1, sizeof s->dims - sizeof *s->dims);
  a->each = whet__dtype_size(a->x.dtype);
  for (int32_t i = 0; i < s->rank; i++) a->each *= (size_t)s->dims[i];
  s->item = item;
  s->where = where;
  if (!y) return WHET_OK;
  s->label_of = label_of;
  WHET_TRY(open_one(s, y->path, &a->y_file, &a->y, err));
  return answers(s, y->path, err);
}
