/* SPDX-License-Identifier: Apache-2.0 */
/* Files of pictures or sounds: a folder for each class, in a folder or in a tar archive; or all in one folder, without
 * classes. An archive is mapped and indexed once; its items are read where they lie. */

#include <stdio.h>
#include <stdlib.h>

#include "data/inner.h"
#include "whet/codec.h"

/* One file. */
struct one {
  const char *path;
  const uint8_t *p; /* inside the archive; NULL: a file of its own */
  size_t n;
  int32_t class;
};

struct files {
  whet_file tar;
  const char *archive;
  struct one *one;
  size_t cap;
  const char **class; /* names as they come up */
  size_t n_class, cap_class;
  bool sound;
  int32_t rate;    /* of sounds; 0: as they come */
  int64_t samples; /* of the first sound; 0: not known yet */
};

enum { DEEPEST = 8, BLOCK = 512 };

/* ---- items ----------------------------------------------------------------------------------- */

void *whet__scratch_room(whet_scratch *s, size_t n) {
  if (n <= s->cap) return s->p;
  whet__free(s->mem, s->p);
  s->p = whet__alloc(s->mem, n);
  s->cap = s->p ? n : 0;
  return s->p;
}

static void *room(void *user, int64_t height, int64_t width, int32_t samples, size_t bytes) {
  return whet__scratch_room(user, bytes);
}

static whet_status decode(const whet_set *s, whet_scratch *t, const void *p, size_t n, whet_item *out, whet_err *err) {
  const struct files *f = s->own;
  if (f->sound) {
    whet_sound_opts so = {.size = sizeof so, .mono = 1, .rate = f->rate};
    if (t->sound.data) s->opts.sound_free(&t->sound);
    t->sound = (whet_sound){.size = sizeof t->sound};
    WHET_TRY(s->opts.sound(p, n, &so, &t->sound, err));
    t->samples = t->sound.frames;
    if (s->opts.hear) WHET_TRY(s->opts.hear(s->opts.hear_user, &t->sound, f->samples, err));
    *out = (whet_item){.kind = WHET_ITEM_SOUND, .channels = t->sound.channels, .data = t->sound.data};
    out->count = t->sound.frames * t->sound.channels;
    return WHET_OK;
  }
  whet_decode_opts o = whet_decode_opts_default();
  whet_picture pic = {.size = sizeof pic};
  o.convert = 1;
  o.color = WHET_PIXEL_RGB;
  o.alloc = room;
  o.user = t;
  WHET_TRY(whet_picture_decode(p, n, &o, &pic, err));
  *out = (whet_item){.kind = WHET_ITEM_PICTURE, .width = pic.width, .height = pic.height, .channels = 3, .data = pic.data};
  return WHET_OK;
}

static void where(const whet_set *s, int64_t i, char *text, size_t n) {
  const struct files *f = s->own;
  if (f->archive)
    snprintf(text, n, "%s: %s", f->archive, f->one[i].path);
  else
    snprintf(text, n, "%s", f->one[i].path);
}

static whet_status item(const whet_set *s, whet_scratch *t, int64_t i, whet_item *out, float *targets, whet_err *err) {
  const struct files *f = s->own;
  const struct one *one = &f->one[i];
  whet_file file = {0};
  whet_err why = {0};
  char place[500];
  whet_status r = WHET_OK;
  if (!one->p) r = whet__file_open(one->path, false, s->mem, &file, &why);
  if (!r) r = decode(s, t, one->p ? one->p : file.p, one->p ? one->n : file.n, out, &why);
  if (!one->p) whet__file_close(&file);
  if (!r) return WHET_OK;
  where(s, i, place, sizeof place);
  return whet__fail(err, r, "%s: %s", place, why.text);
}
static int32_t label_of(const whet_set *s, int64_t i) { return ((const struct files *)s->own)->one[i].class; }
static void close_files(whet_set *s) {
  struct files *f = s->own;
  whet__file_close(&f->tar);
  whet__free(s->mem, f->one);
  whet__free(s->mem, f->class);
}

/* ---- the list -------------------------------------------------------------------------------- */

static bool is_sound(const char *name) { return whet__ends(name, ".wav"); }
static bool is_picture(const char *name) {
  static const char *const ends[] = {".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".pgm", ".pnm", ".webp", ".tif", ".tiff", ".jp2"};
  for (size_t i = 0; i < WHET_COUNT(ends); i++)
    if (whet__ends(name, ends[i])) return true;
  return false;
}
static bool is_tar(const char *name) { return whet__ends(name, ".tar") || whet__ends(name, ".tar.gz") || whet__ends(name, ".tgz"); }

/* The number of a class, made when new; -1: out of memory. */
static int32_t class_of(whet_set *s, const char *name, size_t n) {
  struct files *f = s->own;
  for (size_t c = f->n_class; c-- > 0;)
    if (strlen(f->class[c]) == n && !memcmp(f->class[c], name, n)) return (int32_t)c;
  if (!whet__grow(s->mem, (void **)&f->class, &f->cap_class, f->n_class + 1, sizeof *f->class)) return -1;
  if (!(f->class[f->n_class] = whet__arena_str(&s->arena, name, n))) return -1;
  return (int32_t)f->n_class++;
}

/* Append a file; class -1: none. */
static whet_status append(whet_set *s, struct one x, whet_err *err) {
  struct files *f = s->own;
  bool sound = is_sound(x.path);
  if (!sound && !is_picture(x.path)) return WHET_OK;
  if (!s->n) f->sound = sound;
  if (sound != f->sound)
    return whet__fail(err, WHET_E_DATA, "%s: a %s among %s", x.path, sound ? "sound" : "picture", sound ? "pictures" : "sounds");
  if (!whet__grow(s->mem, (void **)&f->one, &f->cap, (size_t)s->n + 1, sizeof *f->one))
    return whet__no_memory(s->mem, (size_t)s->n * sizeof *f->one, err, "the list of a data set");
  f->one[s->n++] = x;
  return WHET_OK;
}

/* All files below a folder. */
static whet_status collect(whet_set *s, const char *folder, int32_t class, int depth, whet_err *err) {
  whet_entry *e;
  size_t n;
  if (depth > DEEPEST) return whet__fail(err, WHET_E_LIMIT, "%s: folders nested more than %d deep", folder, DEEPEST);
  WHET_TRY(whet__entries(s, folder, &e, &n, err));
  for (size_t i = 0; i < n; i++)
    WHET_TRY(e[i].folder ? collect(s, e[i].path, class, depth + 1, err) : append(s, (struct one){.path = e[i].path, .class = class}, err));
  return WHET_OK;
}

static whet_status folders(whet_set *s, const whet_entry *e, size_t n, whet_err *err) {
  bool any = false;
  for (size_t i = 0; i < n; i++) any |= e[i].folder;
  for (size_t i = 0; i < n; i++) {
    int32_t c = any && e[i].folder ? class_of(s, e[i].name, strlen(e[i].name)) : -1;
    if (any && e[i].folder && c < 0) return whet__no_memory(s->mem, 64, err, "a class");
    if (e[i].folder)
      WHET_TRY(collect(s, e[i].path, c, 0, err));
    else if (!any)
      WHET_TRY(append(s, (struct one){.path = e[i].path, .class = -1}, err));
  }
  return WHET_OK;
}

/* ---- tar ------------------------------------------------------------------------------------- */

/* A number of a header: octal, or big-endian behind a set top bit. */
static bool number(const uint8_t *p, size_t n, uint64_t *out) {
  size_t i = 0;
  *out = 0;
  if (p[0] & 0x80) {
    *out = p[0] & 0x7f;
    for (i = 1; i < n; i++) {
      if (*out >> 56) return false;
      *out = *out << 8 | p[i];
    }
    return true;
  }
  while (i < n && p[i] == ' ') i++;
  for (; i < n && p[i] >= '0' && p[i] <= '7'; i++) {
    if (*out >> 60) return false;
    *out = *out << 3 | (uint64_t)(p[i] - '0');
  }
  return i == n || !p[i] || p[i] == ' ';
}

/* "30 path=NAME\n" among the records of a pax header; NULL: none. */
static char *pax_path(whet_set *s, const uint8_t *p, size_t n) {
  for (size_t at = 0; at < n;) {
    size_t len = 0, from = at;
    while (at < n && p[at] >= '0' && p[at] <= '9' && len < n) len = len * 10 + (size_t)(p[at++] - '0');
    if (at == n || p[at] != ' ' || len > n - from || len <= at + 1 - from) return NULL;
    size_t end = from + len;
    if (end - at > 7 && !memcmp(p + at + 1, "path=", 5)) return whet__arena_str(&s->arena, (const char *)p + at + 6, end - at - 7);
    at = end;
  }
  return NULL;
}

/* Note a file of the archive, if it is of the wanted half. The class is the folder that it lies in. */
static whet_status entry(whet_set *s, const char *path, const uint8_t *p, size_t n, whet_err *err) {
  const char *end = strrchr(path, '/'), *from = end;
  int32_t class = -1;
  if (!is_sound(path) && !is_picture(path)) return WHET_OK;
  if (whet__split_of(s, path) < 0 && !strchr(s->opts.split ? s->opts.split : "", '/')) {
    const char *first = strchr(path, '/');
    char head[64];
    snprintf(head, sizeof head, "%.*s", (int)whet__min_i(first ? first - path : 0, 63), path);
    if (whet__split_of(s, head) < 0) return WHET_OK;
  }
  if (end) {
    while (from > path && from[-1] != '/') from--;
    if (end > from && strncmp(from, ".", (size_t)(end - from))) class = class_of(s, from, (size_t)(end - from));
  }
  return append(s, (struct one){path, p, n, class}, err);
}

static whet_status archive(whet_set *s, const char *path, whet_err *err) {
  struct files *f = s->own;
  char *name = NULL;
  f->archive = path;
  WHET_TRY(whet__unpack(s, path, &f->tar, err));
  const uint8_t *p = f->tar.p;
  for (size_t at = 0, n = f->tar.n; n - at >= BLOCK;) {
    const uint8_t *h = p + at;
    uint64_t size, sum = 0, want;
    for (int i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? ' ' : h[i];
    if (sum == 8 * ' ') break; /* zeros: the end */
    if (!number(h + 148, 8, &want) || want != sum || !number(h + 124, 12, &size))
      return whet__fail(err, WHET_E_FORMAT, "%s: no tar archive, or damaged, at byte %zu of what it unpacks to", path, at);
    at += BLOCK;
    if (size > n - at) return whet__fail(err, WHET_E_FORMAT, "%s: the archive ends early, at byte %zu", path, n);
    if (h[156] == 'L') {
      name = whet__arena_str(&s->arena, (const char *)p + at, strnlen((const char *)p + at, (size_t)size));
    } else if (h[156] == 'x') {
      name = pax_path(s, p + at, (size_t)size);
    } else {
      if (!name) {
        int front = h[345] && !memcmp(h + 257, "ustar\0", 6) ? (int)strnlen((const char *)h + 345, 155) : 0;
        name = whet__arena_printf(&s->arena, "%.*s%s%.*s", front, (const char *)h + 345, front ? "/" : "",
                                  (int)strnlen((const char *)h, 100), (const char *)h);
      }
      if (!name) return whet__no_memory(s->mem, 100, err, "a name");
      if (h[156] == '0' || !h[156]) WHET_TRY(entry(s, strncmp(name, "./", 2) ? name : name + 2, p + at, (size_t)size, err));
      name = NULL;
    }
    at += (size_t)whet__min_i((int64_t)whet__round_up((size_t)size, BLOCK), (int64_t)(n - at));
  }
  return WHET_OK;
}

/* ---- opening --------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* Classes in their order, and every file's number among them. */
static whet_status settle_classes(whet_set *s, whet_err *err) {
  struct files *f = s->own;
  WHET_TRY(whet__set_labels(s, err));
  if (!f->n_class) return WHET_OK;
  if (!s->label) {
    s->label = whet__arena_copy(&s->arena, f->class, f->n_class * sizeof *f->class);
    if (!s->label) return whet__no_memory(s->mem, f->n_class * sizeof *f->class, err, "classes");
    s->classes = (int32_t)f->n_class;
    qsort(s->label, f->n_class, sizeof *s->label, by_text);
  }
  for (int64_t i = 0; i < s->n; i++) {
    const char *name = f->one[i].class < 0 ? NULL : f->class[f->one[i].class];
    if (name && (f->one[i].class = whet__set_find(s, name, strlen(name))) < 0)
      return whet__fail(err, WHET_E_DATA, "%s: the folder \"%s\" is none of the %d labels", s->path, name, s->classes);
  }
  return WHET_OK;
}

/* Can the first file be read, and how large is it? */
static whet_status look(whet_set *s, whet_err *err) {
  struct files *f = s->own;
  const char *why = f->sound || !s->opts.codecs ? NULL : s->opts.codecs();
  if (f->sound && !s->opts.sound) return whet__fail(err, WHET_E_UNSUPPORTED, "%s: sounds cannot be read here", s->path);
  whet_scratch t = {.mem = s->mem};
  whet_item x;
  f->rate = s->opts.rate;
  whet_status r = item(s, &t, 0, &x, NULL, err);
  if (!r && f->sound) f->rate = t.sound.rate, f->samples = t.samples; /* so that all have one */
  if (r && why) whet__fail_in(err, "%s", why);
  if (!r && f->sound) s->rank = x.channels > 1 ? 2 : 1, s->dims[0] = x.count / x.channels, s->dims[1] = x.channels;
  if (!r && !f->sound) s->rank = 3, s->dims[0] = x.height, s->dims[1] = x.width, s->dims[2] = 3;
  whet__free(s->mem, t.p);
  if (t.sound.data) s->opts.sound_free(&t.sound);
  return r;
}

whet_status whet__open_files(whet_set *s, const whet_entry *e, size_t n, whet_err *err) {
  const whet_entry *tar = NULL;
  whet_entry *inner;
  for (int depth = 0; depth < DEEPEST && n == 1 && e->folder && whet__split_of(s, e->name) > 0; depth++) {
    WHET_TRY(whet__entries(s, e->path, &inner, &n, err));
    e = inner;
  }
  for (size_t i = 0; i < n; i++) {
    if (e[i].folder || !is_tar(e[i].name)) continue;
    if (tar) return whet__fail(err, WHET_E_NAME, "%s: holds %s and %s: say which with --split", s->path, tar->name, e[i].name);
    tar = &e[i];
  }
  struct files *f = whet__arena_alloc(&s->arena, sizeof *f);
  if (!f) return whet__no_memory(s->mem, sizeof *f, err, "a data set");
  s->own = f;
  s->close = close_files;
  WHET_TRY(tar ? archive(s, tar->path, err) : folders(s, e, n, err));
  if (!s->n) return WHET_LATE;
  s->kind = f->sound ? "sounds" : "pictures";
  s->item_kind = f->sound ? WHET_ITEM_SOUND : WHET_ITEM_PICTURE;
  s->item = item;
  s->label_of = label_of;
  s->where = where;
  WHET_TRY(settle_classes(s, err));
  return look(s, err);
}
