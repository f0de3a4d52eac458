/* SPDX-License-Identifier: Apache-2.0 */
/* The pulling reader. Numbers with up to 19 digits and small exponents are exact in double arithmetic and need no
 * strtod. */

#include "edge/serve/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void jin_init(json_in *j, char *text, size_t n, whet_err *err) {
  *j = (json_in){.start = text, .at = text, .end = text + n, .err = err};
}

void jin_fail(json_in *j, const char *fmt, ...) {
  char text[400];
  if (j->bad) return;
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  edge_fail(j->err, WHET_E_DATA, "JSON, at byte %zu: %s", (size_t)(j->at - j->start), text);
  j->bad = true;
}

static void space(json_in *j) {
  while (j->at < j->end && (*j->at == ' ' || *j->at == '\t' || *j->at == '\n' || *j->at == '\r')) j->at++;
}

char jin_peek(json_in *j) {
  if (j->bad) return 0;
  space(j);
  if (j->at == j->end) return 0;
  char c = *j->at;
  if (c == '-' || (c >= '0' && c <= '9')) return '0';
  return c == '{' || c == '[' || c == '"' || c == 't' || c == 'f' || c == 'n' ? c : 0;
}

/* Fail because `what` was expected. */
static void expected(json_in *j, const char *what) {
  if (j->at >= j->end)
    jin_fail(j, "expected %s, but the text ends", what);
  else if (*j->at >= 32 && *j->at < 127)
    jin_fail(j, "expected %s, got '%c'", what, *j->at);
  else
    jin_fail(j, "expected %s, got byte 0x%02x", what, (unsigned char)*j->at);
}

void jin_begin(json_in *j, char open) {
  if (j->bad) return;
  if (jin_peek(j) != open) {
    expected(j, open == '{' ? "an object" : "an array");
    return;
  }
  if (j->depth == JSON_DEEPEST) {
    jin_fail(j, "nested deeper than %d", JSON_DEEPEST);
    return;
  }
  j->at++;
  j->first[++j->depth] = true;
}

bool jin_next(json_in *j, char close) {
  if (j->bad) return false;
  space(j);
  if (j->at < j->end && *j->at == close) {
    j->at++;
    j->depth--;
    return false;
  }
  if (!j->first[j->depth]) {
    if (j->at == j->end || *j->at != ',') {
      expected(j, close == '}' ? "',' or '}'" : "',' or ']'");
      return false;
    }
    j->at++;
  }
  j->first[j->depth] = false;
  return true;
}

/* Four hexadecimal digits; -1: none. */
static int32_t hex4(const char *p, const char *end) {
  int32_t v = 0;
  if (end - p < 4) return -1;
  for (int i = 0; i < 4; i++) {
    char c = p[i];
    int d = c >= '0' && c <= '9'   ? c - '0'
            : c >= 'a' && c <= 'f' ? c - 'a' + 10
            : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                   : -1;
    if (d < 0) return -1;
    v = v * 16 + d;
  }
  return v;
}

/* Write a code point; how many bytes. */
static size_t put_utf8(char *to, uint32_t c) {
  if (c < 0x80) return to[0] = (char)c, 1;
  if (c < 0x800) return to[0] = (char)(0xc0 | c >> 6), to[1] = (char)(0x80 | (c & 63)), 2;
  if (c < 0x10000)
    return to[0] = (char)(0xe0 | c >> 12), to[1] = (char)(0x80 | (c >> 6 & 63)), to[2] = (char)(0x80 | (c & 63)), 3;
  to[0] = (char)(0xf0 | c >> 18);
  to[1] = (char)(0x80 | (c >> 12 & 63));
  to[2] = (char)(0x80 | (c >> 6 & 63));
  to[3] = (char)(0x80 | (c & 63));
  return 4;
}

/* Resolve the escape at j->at (behind the backslash) to *to, of which 4 bytes may be written. False: there is no such
 * escape. */
static bool escape(json_in *j, char **to) {
  static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
  char c = *j->at;
  const char *k = c ? strchr(from, c) : NULL;
  if (k) {
    *(*to)++ = into[k - from];
    j->at++;
    return true;
  }
  int32_t v = c == 'u' ? hex4(j->at + 1, j->end) : -1;
  if (v < 0) return false;
  j->at += 5;
  if (v >= 0xd800 && v < 0xdc00 && j->end - j->at >= 6 && j->at[0] == '\\' && j->at[1] == 'u') {
    int32_t low = hex4(j->at + 2, j->end);
    if (low >= 0xdc00 && low < 0xe000) {
      v = 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
      j->at += 6;
    }
  }
  if (v >= 0xd800 && v < 0xe000) v = 0xfffd; /* half a pair */
  *to += put_utf8(*to, (uint32_t)v);
  return true;
}

/* A string; out NULL: only its syntax is checked, the bytes stay as they are. */
static void string(json_in *j, json_text *out) {
  char pit[8];
  if (j->bad) return;
  if (jin_peek(j) != '"') {
    expected(j, "a string");
    return;
  }
  char *from = ++j->at, *to;
  while (j->at < j->end && *j->at != '"' && *j->at != '\\' && (unsigned char)*j->at >= 32) j->at++;
  for (to = j->at; j->at < j->end && *j->at != '"';) {
    if ((unsigned char)*j->at < 32) {
      jin_fail(j, "a control character in a string");
      return;
    }
    if (!out) to = pit;
    if (*j->at != '\\') {
      *to++ = *j->at++;
      continue;
    }
    if (++j->at == j->end || !escape(j, &to)) {
      jin_fail(j, "no such escape");
      return;
    }
  }
  if (j->at == j->end) {
    jin_fail(j, "a string without end");
    return;
  }
  j->at++;
  if (out) *out = (json_text){from, (size_t)(to - from)};
}

void jin_string(json_in *j, json_text *out) {
  *out = (json_text){"", 0};
  string(j, out);
}

/* The colon behind a key. */
static void colon(json_in *j) {
  if (j->bad) return;
  space(j);
  if (j->at == j->end || *j->at != ':') {
    expected(j, "':'");
    return;
  }
  j->at++;
}

void jin_key(json_in *j, json_text *out) {
  jin_string(j, out);
  colon(j);
}

/* A number's parts, as the grammar has them. */
typedef struct number {
  bool negative, exact; /* exact: mantissa holds all digits */
  uint64_t mantissa;
  int32_t exponent; /* of ten */
  char *from;
} number;

/* May another digit follow the mantissa in 64 bits? */
static bool fits(uint64_t m, char digit) {
  return m < UINT64_MAX / 10 || (m == UINT64_MAX / 10 && (uint64_t)(digit - '0') <= UINT64_MAX % 10);
}

/* Read the grammar of a number: -? int frac? exp? */
static bool scan(json_in *j, number *x) {
  if (jin_peek(j) != '0') {
    expected(j, "a number");
    return false;
  }
  char *p = j->at, *end = j->end;
  *x = (number){.from = p, .exact = true};
  if (*p == '-') x->negative = true, p++;
  char *digits = p;
  int32_t scale = 0;
  bool lead = p < end && *p == '0';
  for (; p < end && *p >= '0' && *p <= '9'; p++) {
    if (!x->exact || !fits(x->mantissa, *p))
      x->exact = false, scale += scale < 100000;
    else
      x->mantissa = x->mantissa * 10 + (uint64_t)(*p - '0');
  }
  if (p == digits || (lead && p - digits > 1)) goto bad;
  if (p < end && *p == '.') {
    char *point = ++p;
    for (; p < end && *p >= '0' && *p <= '9'; p++) {
      if (!x->exact || !fits(x->mantissa, *p))
        x->exact = x->exact && *p == '0';
      else
        x->mantissa = x->mantissa * 10 + (uint64_t)(*p - '0'), scale -= scale > -100000;
    }
    if (p == point) goto bad;
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    int32_t e = 0;
    bool minus = ++p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) p++;
    char *first = p;
    for (; p < end && *p >= '0' && *p <= '9'; p++)
      if (e < 100000) e = e * 10 + (*p - '0');
    if (p == first) goto bad;
    scale += minus ? -e : e;
  }
  x->exponent = scale;
  j->at = p;
  return true;
bad:
  j->at = p;
  expected(j, "a number");
  return false;
}

void jin_double(json_in *j, double *out) {
  static const double ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                               1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  number x;
  *out = 0;
  if (j->bad || !scan(j, &x)) return;
  if (x.exact && x.mantissa <= (uint64_t)1 << 53 && x.exponent >= -22 && x.exponent <= 22) {
    double v = x.exponent < 0 ? (double)x.mantissa / ten[-x.exponent] : (double)x.mantissa * ten[x.exponent];
    *out = x.negative ? -v : v;
    return;
  }
  char text[400];
  size_t n = (size_t)(j->at - x.from);
  if (n < sizeof text) {
    memcpy(text, x.from, n);
    text[n] = 0;
    *out = strtod(text, NULL);
  } else { /* digits past those are below what a double tells */
    snprintf(text, sizeof text, "%s%llue%d", x.negative ? "-" : "", (unsigned long long)x.mantissa, x.exponent);
    *out = strtod(text, NULL);
  }
  if (!isfinite(*out)) {
    j->at = x.from;
    jin_fail(j, "a number that no double holds");
  }
}

/* Does a number begin here? */
static bool numeric(char c) { return c == '-' || (c >= '0' && c <= '9'); }

size_t jin_floats(json_in *j, float *out, size_t n) {
  static const double part[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  size_t k = 0;
  if (j->bad) return 0;
  /* No number here is longer than 18 bytes, so that far from the end nothing asks for it. `done` is where the last
   * number that was taken ends: jin_next eats the comma behind it. */
  const char *p = j->at, *far = j->end - 24, *done = p;
  while (k < n && p < far) {
    while (k + 1 < n && p < far && p[0] >= '0' && p[0] <= '9' && !memcmp(p + 1, ".0, ", 4) && numeric(p[5])) {
      out[k++] = (float)(p[0] - '0'); /* most pixels of most pictures */
      done = p + 3;
      p += 5;
    }
    if (p >= far) break;
    bool negative = *p == '-';
    p += negative;
    const char *digits = p;
    unsigned c = (unsigned)(unsigned char)*p - '0';
    if (c > 9) break;
    uint64_t v = c;
    int behind = 0;
    while ((c = (unsigned)(unsigned char)*++p - '0') <= 9 && p - digits < 15) v = v * 10 + c;
    if (*digits == '0' && p - digits > 1) break;
    if (*p == '.') {
      const char *point = p;
      while ((c = (unsigned)(unsigned char)*++p - '0') <= 9 && p - digits < 16) v = v * 10 + c;
      behind = (int)(p - point) - 1;
      if (!behind) break;
    }
    if (*p != ',' && *p != ']' && *p != ' ') break; /* an exponent, more digits, nonsense: the slow way tells */
    double d = v ? (double)v / part[behind] : 0;
    out[k++] = (float)(negative ? -d : d);
    done = p;
    while (p < far && *p == ' ') p++;
    if (p >= far || *p != ',' || k == n) break;
    for (p++; p < far && *p == ' ';) p++;
    if (!numeric(*p)) break;
  }
  j->at += done - j->at;
  return k;
}

/* A number without fraction as sign and magnitude. */
static bool whole(json_in *j, bool *negative, uint64_t *out) {
  number x;
  *out = 0;
  if (j->bad || !scan(j, &x)) return false;
  while (x.exact && x.exponent < 0 && x.mantissa % 10 == 0 && x.mantissa) x.mantissa /= 10, x.exponent++;
  if (!x.mantissa) x.exponent = 0;
  while (x.exact && x.exponent > 0 && x.mantissa <= UINT64_MAX / 10) x.mantissa *= 10, x.exponent--;
  if (!x.exact || x.exponent) {
    j->at = x.from;
    jin_fail(j, "expected a whole number of 64 bits");
    return false;
  }
  *negative = x.negative;
  *out = x.mantissa;
  return true;
}

void jin_int(json_in *j, int64_t *out) {
  bool negative;
  uint64_t v;
  char *from = j->at;
  *out = 0;
  if (!whole(j, &negative, &v)) return;
  if (v > (uint64_t)INT64_MAX + negative) {
    j->at = from;
    jin_fail(j, "a number outside of int64");
    return;
  }
  *out = (int64_t)(negative ? 0 - v : v);
}

void jin_uint(json_in *j, uint64_t *out) {
  bool negative;
  char *from = j->at;
  if (!whole(j, &negative, out)) return;
  if (negative && *out) {
    j->at = from;
    jin_fail(j, "expected a number of at least 0");
  }
}

/* One of the three words. */
static bool word(json_in *j, const char *w) {
  size_t n = strlen(w);
  if ((size_t)(j->end - j->at) < n || memcmp(j->at, w, n)) return false;
  j->at += n;
  return true;
}

void jin_bool(json_in *j, bool *out) {
  *out = false;
  char c = jin_peek(j);
  if (j->bad) return;
  if (c == 't' && word(j, "true"))
    *out = true;
  else if (c != 'f' || !word(j, "false"))
    expected(j, "true or false");
}

void jin_null(json_in *j) {
  char c = jin_peek(j);
  if (!j->bad && (c != 'n' || !word(j, "null"))) expected(j, "null");
}

void jin_skip(json_in *j) {
  int base = j->depth;
  char close[JSON_DEEPEST + 1];
  number x;
  bool b;
  do {
    if (j->depth > base) { /* inside of a container: its next entry, or its end */
      if (!jin_next(j, close[j->depth])) continue;
      if (close[j->depth] == '}') string(j, NULL), colon(j);
    }
    switch (jin_peek(j)) {
      case '{':
      case '[': {
        char open = *j->at;
        jin_begin(j, open);
        if (!j->bad) close[j->depth] = open == '{' ? '}' : ']';
        break;
      }
      case '"':
        string(j, NULL);
        break;
      case '0':
        scan(j, &x);
        break;
      case 't':
      case 'f':
        jin_bool(j, &b);
        break;
      case 'n':
        jin_null(j);
        break;
      default:
        if (!j->bad) expected(j, "a value");
    }
  } while (!j->bad && j->depth > base);
}

void jin_done(json_in *j) {
  if (j->bad) return;
  space(j);
  if (j->at != j->end) expected(j, "the end of the text");
}

bool text_is(json_text t, const char *s) { return t.n == strlen(s) && !memcmp(t.p, s, t.n); }
