/* SPDX-License-Identifier: Apache-2.0 */
/* FlatBuffers accessors. Every read goes through in(). */

#include "wire/fb.h"

/* Remember the first fault. */
static void fault(whet_fb *b, size_t at, const char *what) {
  if (b->bad) return;
  b->bad = true;
  b->at = at;
  b->what = what;
}

/* True when n bytes at pos lie in the buffer; else a fault. */
static bool in(whet_fb *b, size_t pos, size_t n, const char *what) {
  if (pos <= b->n && n <= b->n - pos) return true;
  fault(b, pos, what);
  return false;
}

/* A little-endian number of 1 to 8 bytes; the caller has checked that they are there. */
static uint64_t load(const uint8_t *p, unsigned bytes) {
  uint64_t v = 0;
  for (unsigned i = 0; i < bytes; i++) v |= (uint64_t)p[i] << (8 * i);
  return v;
}

static int64_t extend(uint64_t v, unsigned bytes) {
  unsigned shift = 64 - 8 * bytes;
  return (int64_t)(v << shift) >> shift;
}

/* Where the reference stored at pos leads; 0 on a fault. */
static size_t follow(whet_fb *b, size_t pos, const char *what) {
  if (!in(b, pos, 4, what)) return 0;
  size_t to = (size_t)load(b->p + pos, 4);
  if (!to || to > b->n - pos) {
    fault(b, pos, what);
    return 0;
  }
  return pos + to;
}

whet_fb_table whet__fb_table_at(whet_fb *b, size_t pos) {
  whet_fb_table none = {b, 0, 0, 0, 0}, t = {b, pos, 0, 0, 0};
  if (!pos || !in(b, pos, 4, "a table")) return none;
  int64_t back = extend(load(b->p + pos, 4), 4);
  int64_t vt = (int64_t)pos - back;
  if (vt < 0 || !in(b, (size_t)vt, 4, "a table's field list")) {
    fault(b, pos, "a table's field list");
    return none;
  }
  t.vt = (size_t)vt;
  t.n_vt = (uint16_t)load(b->p + t.vt, 2);
  t.n_table = (uint16_t)load(b->p + t.vt + 2, 2);
  if (t.n_vt < 4 || t.n_vt & 1 || t.n_table < 4 || !in(b, t.vt, t.n_vt, "a table's field list") ||
      !in(b, pos, t.n_table, "a table")) {
    fault(b, t.vt, "a table's field list");
    return none;
  }
  return t;
}

whet_fb_table whet__fb_root(whet_fb *b) {
  size_t pos = follow(b, 0, "the root table");
  return pos ? whet__fb_table_at(b, pos) : (whet_fb_table){b, 0, 0, 0, 0};
}

/* Place of field `id` whose stored form takes `bytes` bytes in the table; 0 when absent. */
static size_t field(whet_fb_table t, int id, unsigned bytes) {
  if (!t.pos || id < 0 || 4 + 2 * (size_t)id + 2 > t.n_vt) return 0;
  size_t off = (size_t)load(t.b->p + t.vt + 4 + 2 * (size_t)id, 2);
  if (!off) return 0;
  if (off < 4 || off > t.n_table || bytes > t.n_table - off) {
    fault(t.b, t.pos, "a field inside its table");
    return 0;
  }
  return t.pos + off;
}

bool whet__fb_has(whet_fb_table t, int id) { return field(t, id, 1) != 0; }

uint64_t whet__fb_uint(whet_fb_table t, int id, unsigned bytes, uint64_t dflt) {
  size_t pos = field(t, id, bytes);
  return pos ? load(t.b->p + pos, bytes) : dflt;
}

int64_t whet__fb_int(whet_fb_table t, int id, unsigned bytes, int64_t dflt) {
  size_t pos = field(t, id, bytes);
  return pos ? extend(load(t.b->p + pos, bytes), bytes) : dflt;
}

/* The bits of a stored float. */
static float load_float(const uint8_t *p) {
  uint32_t u = (uint32_t)load(p, 4);
  float f;
  memcpy(&f, &u, 4);
  return f;
}

float whet__fb_float(whet_fb_table t, int id, float dflt) {
  size_t pos = field(t, id, 4);
  return pos ? load_float(t.b->p + pos) : dflt;
}

whet_fb_table whet__fb_table(whet_fb_table t, int id) {
  size_t pos = field(t, id, 4);
  if (pos) pos = follow(t.b, pos, "a table");
  return pos ? whet__fb_table_at(t.b, pos) : (whet_fb_table){t.b, 0, 0, 0, 0};
}

/* The vector whose reference is stored at pos. */
static whet_fb_vec vec_at(whet_fb *b, size_t pos, unsigned each) {
  whet_fb_vec v = {b, 0, 0};
  if (!(pos = follow(b, pos, "a list")) || !in(b, pos, 4, "a list")) return v;
  uint64_t n = load(b->p + pos, 4);
  if (n > (b->n - pos - 4) / each) {
    fault(b, pos, "a list that ends inside the file");
    return v;
  }
  v.pos = pos + 4;
  v.n = (uint32_t)n;
  return v;
}

whet_fb_vec whet__fb_vec(whet_fb_table t, int id, unsigned each) {
  size_t pos = field(t, id, 4);
  return pos ? vec_at(t.b, pos, each) : (whet_fb_vec){t.b, 0, 0};
}

whet_str whet__fb_str(whet_fb_table t, int id) {
  whet_fb_vec v = whet__fb_vec(t, id, 1);
  return v.pos ? (whet_str){(const char *)t.b->p + v.pos, v.n} : (whet_str){"", 0};
}

int64_t whet__fb_vec_int(whet_fb_vec v, uint32_t i, unsigned bytes) {
  return extend(load(v.b->p + v.pos + (size_t)i * bytes, bytes), bytes);
}

float whet__fb_vec_float(whet_fb_vec v, uint32_t i) { return load_float(v.b->p + v.pos + (size_t)i * 4); }

whet_fb_table whet__fb_vec_table(whet_fb_vec v, uint32_t i) {
  size_t pos = follow(v.b, v.pos + (size_t)i * 4, "a table in a list");
  return pos ? whet__fb_table_at(v.b, pos) : (whet_fb_table){v.b, 0, 0, 0, 0};
}

whet_str whet__fb_vec_str(whet_fb_vec v, uint32_t i) {
  whet_fb_vec s = vec_at(v.b, v.pos + (size_t)i * 4, 1);
  return s.pos ? (whet_str){(const char *)s.b->p + s.pos, s.n} : (whet_str){"", 0};
}

const uint8_t *whet__fb_vec_bytes(whet_fb_vec v) { return v.pos ? v.b->p + v.pos : NULL; }
