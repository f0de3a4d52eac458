/* SPDX-License-Identifier: Apache-2.0 */
/* FlexBuffers: see flex.h. */

#include "wire/flex.h"

enum {
  FLEX_INT = 1,
  FLEX_UINT,
  FLEX_FLOAT,
  FLEX_KEY,
  FLEX_STRING,
  FLEX_IND_INT,
  FLEX_IND_UINT,
  FLEX_IND_FLOAT,
  FLEX_MAP,
  FLEX_VECTOR,
  FLEX_VECTOR_INT,
  FLEX_VECTOR_UINT,
  FLEX_VECTOR_FLOAT,
  FLEX_VECTOR_KEY,
  FLEX_VECTOR_STRING,
  FLEX_BOOL = 26,
  FLEX_VECTOR_BOOL = 36
};

static const whet_flex k_null;

/* width bytes at `at` as an unsigned number; false outside. */
static bool read_uint(const whet_flex *f, size_t at, unsigned width, uint64_t *out) {
  if (at > f->n || f->n - at < width) return false;
  uint64_t v = 0;
  for (unsigned i = 0; i < width; i++) v |= (uint64_t)f->p[at + i] << 8 * i;
  *out = v;
  return true;
}

static int64_t sign_extend(uint64_t v, unsigned width) {
  unsigned shift = 64 - 8 * width;
  return (int64_t)(v << shift) >> shift;
}

/* Where the offset stored at `at` leads: offsets count backwards. */
static bool follow(const whet_flex *f, size_t at, unsigned width, size_t *to) {
  uint64_t off;
  if (!read_uint(f, at, width, &off) || off > at) return false;
  *to = at - (size_t)off;
  return true;
}

static bool inline_type(uint8_t t) { return t <= FLEX_FLOAT || t == FLEX_BOOL; }

/* The value stored at `at` in a vector whose elements have `parent` bytes, with this packed type. */
static whet_flex value_at(const whet_flex *f, size_t at, unsigned parent, uint8_t packed) {
  whet_flex v = {.p = f->p,
                 .n = f->n,
                 .at = at,
                 .type = packed >> 2,
                 .width = (uint8_t)(1u << (packed & 3)),
                 .parent = (uint8_t)parent};
  if (inline_type(v.type))
    v.width = (uint8_t)parent;
  else if (!follow(f, at, parent, &v.at))
    return k_null;
  return v;
}

whet_flex whet__flex_root(const void *p, size_t n) {
  whet_flex f = {.p = p, .n = n};
  if (n < 3) return k_null;
  unsigned width = f.p[n - 1];
  if ((width != 1 && width != 2 && width != 4 && width != 8) || width > n - 2) return k_null;
  return value_at(&f, n - 2 - width, width, f.p[n - 2]);
}

static bool is_vector(uint8_t t) { return (t >= FLEX_MAP && t <= FLEX_VECTOR_STRING) || t == FLEX_VECTOR_BOOL; }

size_t whet__flex_size(whet_flex v) {
  uint64_t n;
  if (!is_vector(v.type) || v.at < v.width || !read_uint(&v, v.at - v.width, v.width, &n)) return 0;
  return n > (v.n - v.at) / v.width ? 0 : (size_t)n;
}

whet_flex whet__flex_at(whet_flex v, size_t i) {
  size_t n = whet__flex_size(v);
  if (i >= n) return k_null;
  size_t at = v.at + i * v.width;
  if (v.type == FLEX_MAP || v.type == FLEX_VECTOR) {
    uint64_t packed;
    if (!read_uint(&v, v.at + n * v.width + i, 1, &packed)) return k_null;
    return value_at(&v, at, v.width, (uint8_t)packed);
  }
  uint8_t type = v.type == FLEX_VECTOR_BOOL ? FLEX_BOOL : (uint8_t)(v.type - FLEX_VECTOR_INT + FLEX_INT);
  return value_at(&v, at, v.width, (uint8_t)(type << 2));
}

whet_flex whet__flex_get(whet_flex map, const char *key) {
  size_t n = whet__flex_size(map), keys;
  uint64_t kw;
  if (map.type != FLEX_MAP || map.at < 3u * map.width || !follow(&map, map.at - 3u * map.width, map.width, &keys) ||
      !read_uint(&map, map.at - 2u * map.width, map.width, &kw) || (kw != 1 && kw != 2 && kw != 4 && kw != 8))
    return k_null;
  size_t len = strlen(key) + 1;
  for (size_t i = 0; i < n; i++) {
    size_t at;
    if (keys > map.n || i > (map.n - keys) / (size_t)kw || !follow(&map, keys + i * (size_t)kw, (unsigned)kw, &at))
      return k_null;
    if (at <= map.n && map.n - at >= len && !memcmp(map.p + at, key, len)) return whet__flex_at(map, i);
  }
  return k_null;
}

/* A number in its own form. 0: none, 1: signed, 2: unsigned, 3: float. */
static int number(whet_flex v, uint64_t *u, double *d) {
  int form = v.type == FLEX_INT || v.type == FLEX_IND_INT                            ? 1
             : v.type == FLEX_UINT || v.type == FLEX_IND_UINT || v.type == FLEX_BOOL ? 2
             : v.type == FLEX_FLOAT || v.type == FLEX_IND_FLOAT                      ? 3
                                                                                     : 0;
  if (!form || !read_uint(&v, v.at, v.width, u)) return 0;
  if (form == 3 && v.width == 4) {
    uint32_t b = (uint32_t)*u;
    float f;
    memcpy(&f, &b, sizeof f);
    *d = f;
  } else if (form == 3 && v.width == 8) {
    memcpy(d, u, sizeof *d);
  } else if (form == 3) {
    return 0;
  }
  return form;
}

int64_t whet__flex_int(whet_flex v, int64_t dflt) {
  uint64_t u;
  double d;
  switch (number(v, &u, &d)) {
    case 1:
      return sign_extend(u, v.width);
    case 2:
      return u > INT64_MAX ? INT64_MAX : (int64_t)u;
    case 3:
      return d >= 0x1p63 ? INT64_MAX : d < -0x1p63 || d != d ? INT64_MIN : (int64_t)d;
    default:
      return dflt;
  }
}

double whet__flex_float(whet_flex v, double dflt) {
  uint64_t u;
  double d;
  switch (number(v, &u, &d)) {
    case 1:
      return (double)sign_extend(u, v.width);
    case 2:
      return (double)u;
    case 3:
      return d;
    default:
      return dflt;
  }
}

whet_str whet__flex_str(whet_flex v) {
  whet_str none = {NULL, 0};
  if (v.type == FLEX_STRING) {
    uint64_t n;
    if (v.at < v.width || !read_uint(&v, v.at - v.width, v.width, &n) || v.at > v.n || n > v.n - v.at) return none;
    return (whet_str){(const char *)v.p + v.at, (size_t)n};
  }
  if (v.type == FLEX_KEY && v.at < v.n) {
    const char *s = (const char *)v.p + v.at, *end = memchr(s, 0, v.n - v.at);
    if (end) return (whet_str){s, (size_t)(end - s)};
  }
  return none;
}
