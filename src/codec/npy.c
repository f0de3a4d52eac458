/* SPDX-License-Identifier: Apache-2.0 */
/* .npy files. The header is a Python dictionary in text; the parser takes what numpy writes and what its reader
 * accepts of spaces, quotes and order of keys. */

#include "codec/npy.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/dtype.h"
#include "base/span.h"
#include "whet/codec.h"

/* What a header says. */
struct header {
  char order, kind; /* '<', '>', '|' or '='; 'f', 'i', 'S' ... */
  size_t size;      /* of an element; U: characters */
  bool fortran;
  int32_t rank;
  int64_t dim[WHET_MAX_RANK];
  size_t at; /* of the elements */
};

/* Text that is being parsed. */
struct text {
  const char *p, *end;
};

bool whet__npy_knows(const void *p, size_t n) { return n >= 8 && !memcmp(p, "\x93NUMPY", 6); }

static void spaces(struct text *t) {
  while (t->p < t->end && (*t->p == ' ' || *t->p == '\t' || *t->p == '\n' || *t->p == '\r')) t->p++;
}

/* Take the character c, after spaces. */
static bool take(struct text *t, char c) {
  spaces(t);
  if (t->p == t->end || *t->p != c) return false;
  t->p++;
  return true;
}

/* Take a word. */
static bool word(struct text *t, const char *w) {
  size_t n = strlen(w);
  spaces(t);
  if ((size_t)(t->end - t->p) < n || memcmp(t->p, w, n)) return false;
  t->p += n;
  return true;
}

/* A quoted string without escapes. */
static bool quoted(struct text *t, const char **s, size_t *n) {
  spaces(t);
  if (t->p == t->end || (*t->p != '\'' && *t->p != '"')) return false;
  char q = *t->p++;
  *s = t->p;
  while (t->p < t->end && *t->p != q) t->p++;
  if (t->p == t->end) return false;
  *n = (size_t)(t->p++ - *s);
  return true;
}

/* A whole number that is not negative; Python 2 wrote some with an L behind. */
static bool number(struct text *t, int64_t *v) {
  spaces(t);
  const char *from = t->p;
  for (*v = 0; t->p < t->end && *t->p >= '0' && *t->p <= '9'; t->p++) {
    int digit = *t->p - '0';
    if (*v > (INT64_MAX - digit) / 10) return false;
    *v = *v * 10 + digit;
  }
  if (t->p == from) return false;
  if (t->p < t->end && *t->p == 'L') t->p++;
  return true;
}

/* "(2, 3)" */
static bool shape(struct text *t, struct header *h) {
  if (!take(t, '(')) return false;
  for (h->rank = 0; !take(t, ')'); h->rank++) {
    if (h->rank == WHET_MAX_RANK || !number(t, &h->dim[h->rank])) return false;
    if (!take(t, ',')) {
      h->rank++;
      return take(t, ')');
    }
  }
  return true;
}

/* "<f4" */
static bool descr(struct text *t, struct header *h) {
  const char *s;
  size_t n;
  if (!quoted(t, &s, &n) || n < 2) return false;
  struct text d = {s, s + n};
  h->order = strchr("<>|=", *s) ? *d.p++ : '=';
  if (d.p == d.end) return false;
  h->kind = *d.p++;
  int64_t size = 0;
  if (h->kind == 'O') return d.p == d.end;
  if (!number(&d, &size) || d.p != d.end || size > 1 << 30) return false;
  h->size = (size_t)size;
  return true;
}

/* Parse the header of a file. */
static whet_status header(const uint8_t *p, size_t n, struct header *h, whet_err *err) {
  whet_span s = whet__span(p, n);
  *h = (struct header){.rank = -1};
  whet__span_take(&s, 6);
  uint8_t major = whet__span_u8(&s);
  whet__span_u8(&s);
  size_t len = major == 1 ? whet__span_u16(&s) : whet__span_u32(&s);
  if (major < 1 || major > 3)
    return whet__fail(err, WHET_E_UNSUPPORTED, "an .npy file of version %d; 1 to 3 are known", major);
  const uint8_t *dict = whet__span_take(&s, len);
  if (!dict) return whet__fail(err, WHET_E_FORMAT, "the .npy file ends in its header");
  struct text t = {(const char *)dict, (const char *)dict + len};
  bool have_descr = false, have_order = false, fine = take(&t, '{');
  while (fine && !take(&t, '}')) {
    const char *key;
    size_t k;
    fine = quoted(&t, &key, &k) && take(&t, ':');
    if (!fine) break;
    if (k == 5 && !memcmp(key, "descr", 5)) {
      spaces(&t);
      if (t.p < t.end && *t.p == '[')
        return whet__fail(err, WHET_E_UNSUPPORTED,
                          "the .npy file holds a structured array; arrays of plain numbers or strings are read");
      fine = have_descr = descr(&t, h);
    } else if (k == 13 && !memcmp(key, "fortran_order", 13)) {
      h->fortran = word(&t, "True");
      fine = have_order = h->fortran || word(&t, "False");
    } else if (k == 5 && !memcmp(key, "shape", 5)) {
      fine = shape(&t, h);
    } else {
      fine = false;
    }
    if (fine && !take(&t, ',')) {
      fine = take(&t, '}');
      break;
    }
  }
  if (!fine || !have_descr || !have_order || h->rank < 0)
    return whet__fail(err, WHET_E_FORMAT, "the header of the .npy file cannot be read (at most %d dimensions): %.*s",
                      WHET_MAX_RANK, (int)(len < 60 ? len : 60), (const char *)dict);
  h->at = s.at;
  return WHET_OK;
}

/* The element type that a header means; NONE for those that are refused. */
static whet_dtype type(const struct header *h) {
  static const struct {
    char kind;
    size_t size;
    whet_dtype t;
  } k_types[] = {{'f', 4, WHET_F32}, {'f', 2, WHET_F16},   {'f', 8, WHET_F64}, {'i', 1, WHET_S8},
                 {'i', 2, WHET_S16}, {'i', 4, WHET_S32},   {'i', 8, WHET_S64}, {'u', 1, WHET_U8},
                 {'u', 2, WHET_U16}, {'u', 4, WHET_U32},   {'u', 8, WHET_U64}, {'b', 1, WHET_BOOL},
                 {'c', 8, WHET_C64}, {'c', 16, WHET_C128}, {'V', 1, WHET_U8},  {'V', 2, WHET_U16}};
  if (h->kind == 'S' || h->kind == 'U' || h->kind == 'a') return WHET_STRING;
  for (size_t i = 0; i < WHET_COUNT(k_types); i++)
    if (k_types[i].kind == h->kind && k_types[i].size == h->size) return k_types[i].t;
  return WHET_NONE;
}

/* Copy one number of `size` bytes, turned over in pieces of `part` bytes when `swap`. */
static void number_copy(uint8_t *to, const uint8_t *from, size_t size, size_t part, bool swap) {
  if (!swap) {
    memcpy(to, from, size);
    return;
  }
  for (size_t i = 0; i < size; i++) to[i] = from[i / part * part + (part - 1 - i % part)];
}

/* A UTF-32 character as UTF-8; its length. */
static size_t utf8(uint32_t c, char *to) {
  if (c < 0x80) return to[0] = (char)c, 1;
  if (c < 0x800) return to[0] = (char)(0xc0 | c >> 6), to[1] = (char)(0x80 | (c & 63)), 2;
  if (c < 0x10000)
    return to[0] = (char)(0xe0 | c >> 12), to[1] = (char)(0x80 | (c >> 6 & 63)), to[2] = (char)(0x80 | (c & 63)), 3;
  to[0] = (char)(0xf0 | (c >> 18 & 7)), to[1] = (char)(0x80 | (c >> 12 & 63)), to[2] = (char)(0x80 | (c >> 6 & 63));
  to[3] = (char)(0x80 | (c & 63));
  return 4;
}

/* Element i of a string array, without the zeros that fill it up. */
static whet_status string(whet_value *v, size_t i, const uint8_t *p, const struct header *h, whet_err *err) {
  size_t n = h->size;
  if (h->kind != 'U') {
    while (n && !p[n - 1]) n--;
    return whet_value_set_string(v, i, (const char *)p, n) ? whet__fail(err, WHET_E_MEMORY, "no memory for strings")
                                                           : WHET_OK;
  }
  whet_text t = {.mem = NULL};
  whet_mem mem;
  whet__mem_init(&mem, NULL, NULL, 0);
  t.mem = &mem;
  while (n && !memcmp(p + 4 * (n - 1), "\0\0\0\0", 4)) n--;
  for (size_t k = 0; k < n; k++) {
    uint8_t le[4];
    char c[4];
    number_copy(le, p + 4 * k, 4, 4, h->order == '>');
    size_t len = utf8(le[0] | (uint32_t)le[1] << 8 | (uint32_t)le[2] << 16 | (uint32_t)le[3] << 24, c);
    whet__text_add(&t, c, len);
  }
  whet_status s = t.bad ? WHET_E_MEMORY : whet_value_set_string(v, i, t.p ? t.p : "", t.n);
  whet__text_free(&t);
  return s ? whet__fail(err, WHET_E_MEMORY, "no memory for strings") : WHET_OK;
}

/* Where row-major element i lies in the file: column-major for Fortran order. */
static size_t place(const struct header *h, size_t i) {
  if (!h->fortran) return i;
  size_t at = 0, stride = 1, left = i;
  size_t index[WHET_MAX_RANK];
  for (int32_t d = h->rank - 1; d >= 0; d--) index[d] = left % (size_t)h->dim[d], left /= (size_t)h->dim[d];
  for (int32_t d = 0; d < h->rank; d++) at += index[d] * stride, stride *= (size_t)h->dim[d];
  return at;
}

/* Read and check the header of n bytes at p: type, elements, bytes of each. */
static whet_status begin(const uint8_t *p, size_t n, struct header *h, whet_dtype *t, size_t *count, size_t *each,
                         whet_err *err) {
  size_t need;
  bool empty = false;
  WHET_TRY(header(p, n, h, err));
  *t = type(h);
  if (*t == WHET_NONE)
    return whet__fail(err, WHET_E_UNSUPPORTED, "the .npy file holds %s%c%zu; numbers, bools and strings are read",
                      h->kind == 'O' ? "Python objects: " : "elements of type ", h->kind, h->size);
  *each = h->kind == 'U' ? h->size * 4 : h->size;
  for (int32_t i = 0; i < h->rank; i++) empty |= !h->dim[i];
  *count = empty ? 0 : 1;
  for (int32_t i = 0; i < h->rank; i++)
    if (!whet__mul_size(*count, (size_t)h->dim[i], count))
      return whet__fail(err, WHET_E_FORMAT, "the .npy file's shape is too large");
  if (!whet__mul_size(*count, *each, &need) || need > n - h->at)
    return whet__fail(err, WHET_E_FORMAT,
                      "the .npy file ends early: %zu bytes of elements, %zu elements of %zu bytes expected", n - h->at,
                      *count, *each);
  if (*t == WHET_STRING && *count > n) /* empty strings take no bytes: do not let a small file ask for much memory */
    return whet__fail(err, WHET_E_FORMAT, "the .npy file has %zu strings in %zu bytes", *count, n);
  return WHET_OK;
}

whet_status whet__npy_view(const void *bytes, size_t n, whet_npy *out, whet_err *err) {
  struct header h;
  size_t count, each;
  WHET_TRY(begin(bytes, n, &h, &out->dtype, &count, &each, err));
  if (out->dtype == WHET_STRING || (h.fortran && h.rank > 1) || (h.order == '>' && each > 1))
    return whet__fail(err, WHET_E_UNSUPPORTED, "the .npy file holds %s; rows are taken of row-major, little-endian numbers",
                      out->dtype == WHET_STRING ? "strings" : h.order == '>' ? "big-endian numbers" : "a column-major array");
  out->rank = h.rank;
  memcpy(out->dim, h.dim, sizeof h.dim);
  out->data = (const uint8_t *)bytes + h.at;
  return WHET_OK;
}

whet_status whet__npy_read(const void *bytes, size_t n, whet_value **out, whet_err *err) {
  const uint8_t *p = bytes;
  struct header h;
  size_t each, count;
  whet_dtype t;
  *out = NULL;
  WHET_TRY(begin(p, n, &h, &t, &count, &each, err));
  if (whet_value_create(t, h.rank, h.dim, out))
    return whet__fail(err, WHET_E_MEMORY, "no memory for %zu elements", count);
  p += h.at;
  whet_status s = WHET_OK;
  if (t == WHET_STRING) {
    for (size_t i = 0; !s && i < count; i++) s = string(*out, i, p + place(&h, i) * each, &h, err);
    if (s) whet_value_unref(out);
    return s;
  }
  uint8_t *to = whet_value_data(*out);
  bool swap = h.order == '>' && each > 1;
  size_t part = h.kind == 'c' ? each / 2 : each;
  if (!swap && !h.fortran)
    memcpy(to, p, count * each);
  else
    for (size_t i = 0; i < count; i++) number_copy(to + i * each, p + place(&h, i) * each, each, part, swap);
  if (t == WHET_BOOL)
    for (size_t i = 0; i < count; i++) to[i] = to[i] != 0;
  return WHET_OK;
}

whet_status whet_npy_decode(const void *bytes, size_t n, whet_value **out, whet_err *err) {
  return whet__npy_read(bytes, n, out, err);
}

/* The type as numpy names it, "<f4", into text. */
static void spell(const whet_value *v, char text[24]) {
#define NUMPY(name, value, bits, long_name, numpy) [value] = numpy,
  static const char *const k_numpy[WHET_DTYPE_COUNT] = {WHET_DTYPE_MAP(NUMPY)};
  whet_dtype t = whet_value_dtype(v);
  unsigned bits = whet_dtype_bits(t);
  if (t == WHET_STRING) {
    const whet_str *s = whet_value_const_data(v);
    size_t most = 1;
    for (size_t i = 0; i < whet_value_count(v); i++)
      if (s[i].n > most) most = s[i].n;
    snprintf(text, 24, "|S%zu", most);
  } else if (k_numpy[t][0]) {
    snprintf(text, 24, "%s", k_numpy[t]);
  } else if (bits < 8) {
    snprintf(text, 24, "%s", whet__is_signed_int(t) ? "|i1" : whet__is_int(t) ? "|u1" : "<f4");
  } else {
    snprintf(text, 24, "|V%u", bits / 8);
  }
}

whet_status whet__npy_write(const whet_value *v, whet_text *out, whet_err *err) {
  char type_text[24], dict[400];
  if (whet_value_kind(v) != WHET_TENSOR) return whet__fail(err, WHET_E_TYPE, "only tensors can be written as .npy");
  whet_dtype t = whet_value_dtype(v);
  size_t count = whet_value_count(v), at;
  spell(v, type_text);
  at = (size_t)snprintf(dict, sizeof dict, "{'descr': '%s', 'fortran_order': False, 'shape': (", type_text);
  for (int32_t i = 0; i < whet_value_rank(v); i++)
    at += (size_t)snprintf(dict + at, sizeof dict - at, "%s%lld%s", i ? " " : "", (long long)whet_value_dims(v)[i],
                           i + 1 < whet_value_rank(v) || i == 0 ? "," : "");
  at += (size_t)snprintf(dict + at, sizeof dict - at, "), }");
  size_t total = whet__round_up(10 + at + 1, 64); /* numpy aligns the elements */
  uint16_t len = (uint16_t)(total - 10);
  whet__text_add(out, "\x93NUMPY\1\0", 8);
  whet__text_add(out, (const char *)&(uint8_t[2]){(uint8_t)len, (uint8_t)(len >> 8)}, 2);
  whet__text_add(out, dict, at);
  for (size_t i = 10 + at; i + 1 < total; i++) whet__text_add(out, " ", 1);
  whet__text_add(out, "\n", 1);
  const void *data = whet_value_const_data(v);
  if (t == WHET_STRING) {
    size_t wide = (size_t)strtoull(type_text + 2, NULL, 10);
    const whet_str *s = data;
    for (size_t i = 0; i < count; i++) {
      if (s[i].n) whet__text_add(out, s[i].p, s[i].n);
      for (size_t k = s[i].n; k < wide; k++) whet__text_add(out, "", 1);
    }
  } else if (whet_dtype_bits(t) < 8) {
    for (size_t i = 0; i < count; i++) {
      if (whet__is_int(t)) {
        int8_t b = (int8_t)whet__get_i64(t, data, (int64_t)i);
        whet__text_add(out, (const char *)&b, 1);
      } else {
        float f = (float)whet__get_f64(t, data, (int64_t)i);
        whet__text_add(out, (const char *)&f, sizeof f);
      }
    }
  } else {
    whet__text_add(out, data, whet_value_bytes(v));
  }
  return out->bad ? whet__fail(err, WHET_E_MEMORY, "no memory for a file of %zu elements", count) : WHET_OK;
}
