/* SPDX-License-Identifier: Apache-2.0 */
/* The list of codecs, and decoding with the one that knows the bytes. Sizes are checked here, for all of them, before
 * memory is asked for; so is the order of samples that the caller wants. */

#include "codec/codec.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/mem.h"
#include "kern/prep_color.h"
#include "prep/pixel.h"

enum { MOST = 32, DEFAULT_PIXELS = 100 * 1000 * 1000 };

struct whet_canvas {
  const whet_decode_opts *o;
  whet_picture pic; /* what the codec writes */
  whet_picture out; /* what the caller gets: the same, or converted from it */
};

/* Protects writers of g_list; readers see an entry once g_count covers it. Rank: leaf. */
static pthread_mutex_t g_lock = PTHREAD_MUTEX_INITIALIZER;
static const whet_codec *g_list[MOST] = {&whet__codec_bmp, &whet__codec_pnm};
static _Atomic size_t g_count = 2;

/* What pictures without an allocator of the caller's are charged to, and made at first need. */
static whet_mem g_mem;
static pthread_once_t g_once = PTHREAD_ONCE_INIT;
static void make_mem(void) { whet__mem_init(&g_mem, NULL, NULL, 0); }
static whet_mem *mem(void) {
  pthread_once(&g_once, make_mem);
  return &g_mem;
}

whet_status whet_codec_register(const whet_codec *c) {
  whet_status s = WHET_OK;
  pthread_mutex_lock(&g_lock);
  size_t n = atomic_load(&g_count), i = 0;
  while (i < n && g_list[i] != c) i++;
  if (i == MOST)
    s = WHET_E_LIMIT;
  else if (i == n) {
    g_list[n] = c;
    atomic_store(&g_count, n + 1);
  }
  pthread_mutex_unlock(&g_lock);
  return s;
}

const char *whet_codec_name(size_t i) { return i < atomic_load(&g_count) ? g_list[i]->name : NULL; }

/* Kinds of file that are known by their first bytes, whether there is a codec for them or not. */
static const struct kind {
  const char *name;
  uint8_t n, at;
  const char *bytes;
} k_kinds[] = {{"JPEG", 3, 0, "\xff\xd8\xff"},
               {"PNG", 8, 0, "\x89PNG\r\n\x1a\n"},
               {"WebP", 4, 8, "WEBP"},
               {"JPEG 2000", 8, 4, "jP  \r\n\x87\n"},
               {"JPEG 2000", 4, 0, "\xff\x4f\xff\x51"},
               {"TIFF", 4, 0, "II*\0"},
               {"TIFF", 4, 0, "MM\0*"},
               {"GIF", 4, 0, "GIF8"},
               {"AVIF or HEIF", 4, 4, "ftyp"}};

whet_decode_opts whet_decode_opts_default(void) {
  return (whet_decode_opts){.size = sizeof(whet_decode_opts), .color = WHET_PIXEL_RGB};
}

/* Memory for a picture that the caller gets. */
static bool give(const whet_decode_opts *o, whet_picture *p) {
  size_t bytes = (size_t)p->height * (size_t)p->stride;
  p->data = o->alloc ? o->alloc(o->user, p->height, p->width, whet__pixel_samples(p->pixel), bytes)
                     : whet__alloc(mem(), bytes);
  return p->data;
}

uint8_t *whet_canvas_open(whet_canvas *c, int64_t width, int64_t height, whet_pixel pixel, whet_err *err) {
  const whet_decode_opts *o = c->o;
  int64_t most = o->max_pixels > 0 ? o->max_pixels : DEFAULT_PIXELS;
  if (c->pic.data || !whet__pixel_samples(pixel)) {
    whet__fail(err, WHET_E_INTERNAL, "a codec opened its canvas twice, or for pixel order %d", (int)pixel);
    return NULL;
  }
  if (width < 1 || height < 1 || width > 1 << 24 || height > 1 << 24) {
    whet__fail(err, WHET_E_FORMAT, "a picture of %lld x %lld pixels", (long long)width, (long long)height);
    return NULL;
  }
  if (width > most / height) {
    whet__fail(err, WHET_E_LIMIT, "a picture of %lld x %lld pixels has more than the limit of %lld", (long long)width,
               (long long)height, (long long)most);
    return NULL;
  }
  whet_picture p = {sizeof p, NULL, (int32_t)width, (int32_t)height, (ptrdiff_t)width * whet__pixel_samples(pixel),
                    pixel};
  bool convert = o->convert && o->color != pixel;
  if (convert) {
    c->out = p;
    c->out.pixel = o->color;
    c->out.stride = (ptrdiff_t)width * whet__pixel_samples(o->color);
    p.data = whet__alloc(mem(), (size_t)p.height * (size_t)p.stride);
  }
  if (convert ? !p.data : !give(o, &p)) {
    whet__fail(err, WHET_E_MEMORY, "no memory for a picture of %lld x %lld pixels", (long long)width,
               (long long)height);
    return NULL;
  }
  c->pic = p;
  if (!convert) c->out = p;
  return (uint8_t *)(uintptr_t)p.data;
}

/* Turn the samples of c->pic into the order that the caller wants. */
static whet_status convert(whet_canvas *c, whet_err *err) {
  if (!give(c->o, &c->out))
    return whet__fail(err, WHET_E_MEMORY, "no memory for a picture of %d x %d pixels", c->pic.width, c->pic.height);
  whet_prep_color k;
  whet__pixel_convert(c->pic.pixel, c->out.pixel, c->pic.width, &k);
  const whet_kern *row = whet__kern_pick(WHET_FAMILY_prep_color, whet__target_host(), false, &k);
  for (int32_t y = 0; y < c->pic.height; y++) {
    void *ptr[] = {(char *)(uintptr_t)c->pic.data + y * c->pic.stride,
                   (char *)(uintptr_t)c->out.data + y * c->out.stride};
    row->run(&k, ptr, 0, 1);
  }
  return WHET_OK;
}

const char *whet_picture_kind(const void *bytes, size_t n) {
  const uint8_t *p = bytes;
  for (size_t i = 0; i < WHET_COUNT(k_kinds); i++) {
    const struct kind *k = &k_kinds[i];
    if (n >= (size_t)k->at + k->n && !memcmp(p + k->at, k->bytes, k->n)) return k->name;
  }
  for (size_t i = atomic_load(&g_count); i--;)
    if (g_list[i]->knows(p, n)) return g_list[i]->name;
  return NULL;
}

/* Why nothing can read these bytes. */
static whet_status stranger(const uint8_t *p, size_t n, whet_err *err) {
  const char *kind = whet_picture_kind(p, n), *name;
  if (kind) return whet__fail(err, WHET_E_UNSUPPORTED, "this is a %s file, and no codec for it is there", kind);
  char names[160];
  size_t at = 0;
  for (size_t i = 0; (name = whet_codec_name(i)) && at < sizeof names - 40; i++)
    at += (size_t)snprintf(names + at, sizeof names - at, "%s%.30s", i ? ", " : "", name);
  return whet__fail(err, WHET_E_FORMAT, "these bytes are no picture; known kinds are %s", names);
}

whet_status whet_picture_decode(const void *bytes, size_t n, const whet_decode_opts *o, whet_picture *out,
                                whet_err *err) {
  whet_decode_opts def = whet_decode_opts_default();
  whet_err own;
  if (!o) o = &def;
  if (!err) err = &own;
  err->code = WHET_OK;
  *out = (whet_picture){.size = sizeof *out};
  if (o->size != sizeof *o || (o->convert && (!whet__pixel_samples(o->color) || o->color == WHET_PIXEL_GRAYA)))
    return whet__fail(err, WHET_E_MISUSE, "whet_decode_opts of %zu bytes, pixel order %d", o->size, (int)o->color);
  const whet_codec *codec = NULL;
  for (size_t i = atomic_load(&g_count); i-- && !codec;)
    if (g_list[i]->knows(bytes, n)) codec = g_list[i];
  if (!codec) return stranger(bytes, n, err);
  whet_canvas c = {.o = o};
  whet_status s = codec->decode(bytes, n, &c, err);
  if (!s && !c.pic.data) s = whet__fail(err, WHET_E_INTERNAL, "codec %s made no picture", codec->name);
  bool converted = c.pic.data && c.pic.data != c.out.data;
  if (!s && converted) s = convert(&c, err);
  if (converted) whet__free(mem(), (void *)(uintptr_t)c.pic.data);
  if (s && c.out.data && !o->alloc) whet__free(mem(), (void *)(uintptr_t)c.out.data);
  if (!s) *out = c.out;
  return s;
}

void whet_picture_free(whet_picture *p) {
  whet__free(mem(), (void *)(uintptr_t)p->data);
  p->data = NULL;
}

whet_status whet_picture_encode(const whet_picture *p, const char *codec, int quality, whet_room_fn room, void *user, size_t *n,
                                whet_err *err) {
  whet_err own;
  if (!err) err = &own;
  err->code = WHET_OK;
  *n = 0;
  if (p->size != sizeof *p || !p->data || p->width < 1 || p->height < 1 || !whet__pixel_samples(p->pixel))
    return whet__fail(err, WHET_E_MISUSE, "a picture of %d x %d pixels of order %d", p->width, p->height, (int)p->pixel);
  for (size_t i = atomic_load(&g_count); i--;)
    if (g_list[i]->encode && !strcmp(g_list[i]->name, codec)) return g_list[i]->encode(p, quality, room, user, n, err);
  return whet__fail(err, WHET_E_UNSUPPORTED, "no codec that is there writes pictures as \"%.40s\"", codec);
}
