/* SPDX-License-Identifier: Apache-2.0 */
/* Growing bytes and JSON. */

#include "edge/serve/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void buf_free(serve_buf *b) {
  free(b->p);
  *b = (serve_buf){0};
}

void *buf_room(serve_buf *b, size_t n) {
  if (b->bad || n > SIZE_MAX / 2 - b->n) {
    b->bad = true;
    return NULL;
  }
  if (b->n + n > b->cap) {
    size_t cap = b->cap ? 2 * b->cap : 512;
    while (cap < b->n + n) cap *= 2;
    char *p = realloc(b->p, cap);
    if (!p) {
      b->bad = true;
      return NULL;
    }
    b->p = p;
    b->cap = cap;
  }
  return b->p + b->n;
}

void buf_put(serve_buf *b, const void *p, size_t n) {
  char *to = buf_room(b, n);
  if (!to) return;
  if (n) memcpy(to, p, n);
  b->n += n;
}

void buf_text(serve_buf *b, const char *s) { buf_put(b, s, strlen(s)); }

void buf_printf(serve_buf *b, const char *fmt, ...) {
  va_list ap, again;
  va_start(ap, fmt);
  va_copy(again, ap);
  int n = vsnprintf(NULL, 0, fmt, ap);
  va_end(ap);
  char *to = n < 0 ? NULL : buf_room(b, (size_t)n + 1);
  if (to) {
    vsnprintf(to, (size_t)n + 1, fmt, again);
    b->n += (size_t)n;
  }
  va_end(again);
}

/* Bytes of the UTF-8 character at s, of at most n; 0 when it is none (RFC 3629: no surrogates, nothing overlong). */
static size_t utf8(const unsigned char *s, size_t n) {
  if (s[0] < 0x80) return 1;
  if (s[0] >= 0xc2 && s[0] < 0xe0) return n > 1 && (s[1] & 0xc0) == 0x80 ? 2 : 0;
  if (s[0] >= 0xe0 && s[0] < 0xf0) {
    if (n < 3 || (s[1] & 0xc0) != 0x80 || (s[2] & 0xc0) != 0x80) return 0;
    return (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) ? 0 : 3;
  }
  if (s[0] >= 0xf0 && s[0] < 0xf5) {
    if (n < 4 || (s[1] & 0xc0) != 0x80 || (s[2] & 0xc0) != 0x80 || (s[3] & 0xc0) != 0x80) return 0;
    return (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90) ? 0 : 4;
  }
  return 0;
}

void buf_json(serve_buf *b, const char *text, size_t n) {
  const unsigned char *s = (const unsigned char *)text;
  buf_put(b, "\"", 1);
  for (size_t i = 0; i < n;) {
    size_t from = i;
    while (i < n && s[i] >= 32 && s[i] < 127 && s[i] != '"' && s[i] != '\\') i++;
    buf_put(b, s + from, i - from);
    if (i == n) break;
    size_t len = utf8(s + i, n - i);
    if (s[i] == '"' || s[i] == '\\')
      buf_printf(b, "\\%c", s[i]);
    else if (s[i] < 32 || s[i] == 127)
      buf_printf(b, "\\u%04x", s[i]);
    else if (len)
      buf_put(b, s + i, len);
    else
      buf_text(b, "\xef\xbf\xbd");
    i += len ? len : 1;
  }
  buf_put(b, "\"", 1);
}

void buf_json_str(serve_buf *b, const char *s) { buf_json(b, s, strlen(s)); }

void buf_uint(serve_buf *b, uint64_t v) {
  char t[20];
  size_t n = sizeof t;
  do t[--n] = (char)('0' + v % 10);
  while (v /= 10);
  buf_put(b, t + n, sizeof t - n);
}

void buf_int(serve_buf *b, int64_t v) {
  if (v < 0) buf_put(b, "-", 1);
  buf_uint(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* Digits in n, 1 to 9 of them, to t; how many. */
static int digits_of(uint32_t n, char t[10]) {
  char back[10];
  int k = 0;
  do back[k++] = (char)('0' + n % 10);
  while (n /= 10);
  for (int i = 0; i < k; i++) t[i] = back[k - 1 - i];
  return k;
}

/* The digits t (k of them, as %g has them: `digits` asked for, without zeros at their end) of a number between
 * 10^e and 10^(e+1). */
static size_t put_g(char *to, const char *t, int k, int e, int digits) {
  char *p = to;
  while (k > 1 && t[k - 1] == '0') k--;
  if (e < -4 || e >= digits) {
    *p++ = t[0];
    if (k > 1) *p++ = '.', memcpy(p, t + 1, (size_t)k - 1), p += k - 1;
    *p++ = 'e';
    *p++ = e < 0 ? '-' : '+';
    if (e < 0) e = -e;
    *p++ = (char)('0' + e / 10); /* below 100 for floats */
    *p++ = (char)('0' + e % 10);
  } else if (e < 0) {
    memcpy(p, "0.0000", 6);
    p += 1 - e; /* "0." and -e-1 zeros */
    memcpy(p, t, (size_t)k), p += k;
  } else {
    int whole = e + 1 < k ? e + 1 : k;
    memcpy(p, t, (size_t)whole), p += whole;
    for (int i = k; i <= e; i++) *p++ = '0';
    if (k > e + 1) *p++ = '.', memcpy(p, t + e + 1, (size_t)(k - e - 1)), p += k - e - 1;
  }
  return (size_t)(p - to);
}

/* A float in double arithmetic: nine digits in front of the point, then as few of them as lie nearer to v than to its
 * neighbours. 0: v is of a size for which that is not exact enough, or as good as halfway between two answers. */
static size_t quick_float(char *to, float v) {
  static const double ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                               1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  static const uint32_t cut[] = {1000, 100, 10, 1}; /* six to nine digits are left */
  double a = v < 0 ? -(double)v : (double)v, scaled, half;
  int two;
  if (!(a > 1e-13 && a < 1e29)) return 0;
  double m = frexp(a, &two);
  int e = (two * 1233) >> 12; /* of ten: this or one below */
  half = ldexp(1, two - 25);
  for (;; e--) {
    int up = 8 - e;
    if (up > 22) return 0;
    scaled = up >= 0 ? a * ten[up] : a / ten[-up];
    if (scaled >= 1e8) {
      half = up >= 0 ? half * ten[up] : half / ten[-up];
      break;
    }
  }
  if (m == 0.5) half /= 2; /* a power of two: its neighbour below is nearer */
  for (int i = 0; i < 4; i++) {
    double at = scaled / cut[i], n = nearbyint(at), off = fabs(n - at) * cut[i];
    if (i == 3 ? off > 0.499 : fabs(off - half) < 1e-6 * half || (m == 0.5 && off > half && off < 2.1 * half))
      return 0;
    if (i < 3 && off > half) continue;
    char t[10];
    char *p = to;
    int k = digits_of((uint32_t)n, t);
    if (v < 0) *p++ = '-';
    return (size_t)(p - to) + put_g(p, t, k, e + (k > 6 + i), 6 + i);
  }
  return 0;
}

void buf_float(serve_buf *b, float v) {
  char *to = buf_room(b, 32);
  if (!to) return;
  if (v == (float)(int32_t)(v < 1e7f && v > -1e7f ? v : 0.5f)) {
    int32_t whole = (int32_t)v;
    if (whole || !__builtin_signbit(v)) {
      buf_int(b, whole);
      buf_text(b, ".0");
      return;
    }
  }
  int n = (int)quick_float(to, v);
  for (int digits = 6; !n; digits++) {
    n = snprintf(to, 32, "%.*g", digits, (double)v);
    if (digits < 9 && strtof(to, NULL) != v) n = 0;
  }
  b->n += (size_t)n;
}

void buf_double(serve_buf *b, double v) {
  char *to = buf_room(b, 32);
  if (!to) return;
  int n = 0;
  for (int digits = 15; digits <= 17; digits++) {
    n = snprintf(to, 32, "%.*g", digits, v);
    if (strtod(to, NULL) == v) break;
  }
  b->n += (size_t)n;
}

void buf_dims(serve_buf *b, int32_t rank, const int64_t *dims) {
  buf_put(b, "[", 1);
  for (int32_t i = 0; i < rank; i++) {
    if (i) buf_put(b, ",", 1);
    buf_int(b, dims[i]);
  }
  buf_put(b, "]", 1);
}
