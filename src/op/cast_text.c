/* SPDX-License-Identifier: Apache-2.0 */
/* Cast from and to text.
 *
 * Numbers are written as Python writes them: the fewest digits from which the same number is read, plain between 1e-4
 * and 1e16, else with an exponent; integers as they are, BOOL as True and False. Text is read as a decimal number,
 * also "inf", "nan" and "1e5"; what is no number is E_DATA. */

#include "op/cast.h"

#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "op/object.h"
#include "op/walk.h"

enum { TEXT_MAX = 64 };

/* Replace the decimal point `from` by `to`: the C library's follows the process's locale. */
static void swap_point(char *s, char from, char to) {
  char *p = strchr(s, from);
  if (p) *p = to;
}
static char locale_point(void) {
  const struct lconv *l = localeconv();
  return l && l->decimal_point && l->decimal_point[0] ? l->decimal_point[0] : '.';
}

/* Does text of p digits read back as v? */
static bool reads_back(const char *s, double v, bool single) {
  return single ? strtof(s, NULL) == (float)v : strtod(s, NULL) == v;
}

/* v in the fewest digits; single: those of an f32. */
static void write_real(double v, bool single, char out[TEXT_MAX]) {
  if (isnan(v) || isinf(v)) {
    snprintf(out, TEXT_MAX, isnan(v) ? "nan" : v < 0 ? "-inf" : "inf");
    return;
  }
  int digits = 1, most = single ? 9 : 17;
  for (; digits < most; digits++) {
    snprintf(out, TEXT_MAX, "%.*e", digits - 1, v);
    if (reads_back(out, v, single)) break;
  }
  double a = fabs(v);
  if (a != 0 && (a < 1e-4 || a >= 1e16)) {
    snprintf(out, TEXT_MAX, "%.*e", digits - 1, v);
  } else {
    int before = a >= 1 ? (int)floor(log10(a)) + 1 : 1, after = digits - before;
    for (after = after < 1 ? 1 : after; after < 30; after++) {
      snprintf(out, TEXT_MAX, "%.*f", after, v);
      if (reads_back(out, v, single)) break;
    }
  }
  swap_point(out, locale_point(), '.');
}

static void write_one(const whet_tensor *x, int64_t i, char out[TEXT_MAX]) {
  if (x->dtype == WHET_BOOL)
    snprintf(out, TEXT_MAX, whet__get_i64(x->dtype, x->data, i) ? "True" : "False");
  else if (whet__is_float(x->dtype))
    write_real(whet__get_f64(x->dtype, x->data, i), x->dtype != WHET_F64, out);
  else if (x->dtype == WHET_U64)
    snprintf(out, TEXT_MAX, "%llu", (unsigned long long)whet__get_i64(x->dtype, x->data, i));
  else
    snprintf(out, TEXT_MAX, "%lld", (long long)whet__get_i64(x->dtype, x->data, i));
}

/* Read one number; false when the text is none. */
static bool read_one(whet_str s, const whet_tensor *y, int64_t i) {
  char text[400], *end;
  while (s.n && isspace((unsigned char)s.p[0])) s.p++, s.n--;
  while (s.n && isspace((unsigned char)s.p[s.n - 1])) s.n--;
  if (!s.n || s.n >= sizeof text) return false;
  memcpy(text, s.p, s.n);
  text[s.n] = 0;
  bool digits = strspn(text, "+-0123456789") == s.n;
  if (digits && !whet__is_float(y->dtype)) {
    int64_t v = y->dtype == WHET_U64 ? (int64_t)strtoull(text, &end, 10) : strtoll(text, &end, 10);
    if (*end) return false;
    whet__set_i64(y->dtype, y->data, i, v);
    return true;
  }
  if (strpbrk(text, "xXpP,")) return false;
  swap_point(text, '.', locale_point());
  double v = y->dtype == WHET_F32 ? (double)strtof(text, &end) : strtod(text, &end);
  if (*end || end == text) return false;
  whet__set_f64(y->dtype, y->data, i, v);
  return true;
}

whet_status whet__cast_text(const whet_args *a) {
  const whet_tensor *x = &a->in[0], *y = &a->out[0];
  if (!a->frame) return WHET_E_UNSUPPORTED; /* while constants are folded there is no place for text */
  whet_walk w;
  whet__walk_init(&w, x->rank, x->dim);
  whet__walk_add(&w, x);
  whet__walk_add(&w, y);
  while (whet__walk_row(&w))
    for (int64_t i = 0; i < w.run; i++) {
      int64_t xi = w.at[0] + i * w.step[0], yi = w.at[1] + i * w.step[1];
      if (x->dtype == WHET_STRING) {
        whet_str s = ((const whet_str *)x->data)[xi];
        if (y->dtype == WHET_STRING)
          ((whet_str *)y->data)[yi] = s;
        else if (!read_one(s, y, yi))
          return whet__fail(a->err, WHET_E_DATA, "element %lld, \"%.*s\", is no number", (long long)i,
                            (int)whet__min_i((int64_t)s.n, 60), s.n ? s.p : "");
        continue;
      }
      char text[TEXT_MAX];
      write_one(x, xi, text);
      size_t n = strlen(text);
      char *p = whet__late_bytes(a, n);
      if (!p) return a->err ? a->err->code : WHET_E_MEMORY;
      memcpy(p, text, n);
      ((whet_str *)y->data)[yi] = (whet_str){p, n};
    }
  return WHET_OK;
}
