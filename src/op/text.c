/* SPDX-License-Identifier: Apache-2.0 */
/* Characters of UTF-8 text: see text.h. */

#include "op/text.h"

#include "op/case_runs.h"

uint32_t whet__utf8_next(const char **p, const char *end) {
  const uint8_t *s = (const uint8_t *)*p;
  size_t left = (size_t)(end - *p), n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  ++*p;
  if (n == 1) return s[0];
  if (!n || n > left || s[0] > 0xf4) return WHET_NO_CHAR;
  uint32_t c = s[0] & (0x7fu >> n);
  for (size_t i = 1; i < n; i++) {
    if ((s[i] & 0xc0) != 0x80) return WHET_NO_CHAR;
    c = c << 6 | (s[i] & 0x3f);
  }
  if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return WHET_NO_CHAR;
  *p += n - 1;
  return c;
}

size_t whet__utf8_put(uint32_t c, char to[4]) {
  if (c < 0x80) {
    to[0] = (char)c;
    return 1;
  }
  size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (size_t i = n - 1; i > 0; i--, c >>= 6) to[i] = (char)(0x80 | (c & 0x3f));
  to[0] = (char)((0xf00u >> n & 0xff) | c);
  return n;
}

/* The character that a table makes of c. */
static uint32_t mapped(const struct whet_case_run *run, size_t n, uint32_t c) {
  size_t lo = 0, hi = n; /* the last run that begins at c or before */
  while (lo < hi) {
    size_t mid = (lo + hi) / 2;
    if (run[mid].first <= c)
      lo = mid + 1;
    else
      hi = mid;
  }
  if (!lo) return c;
  const struct whet_case_run *r = &run[lo - 1];
  return c > r->last || (c - r->first) % r->step ? c : (uint32_t)((int32_t)c + r->delta);
}

uint32_t whet__char_upper(uint32_t c) { return mapped(k_upper, WHET_COUNT(k_upper), c); }
uint32_t whet__char_lower(uint32_t c) { return mapped(k_lower, WHET_COUNT(k_lower), c); }

size_t whet__text_cased(const char *p, size_t n, bool upper, char *to) {
  const char *end = p + n;
  size_t at = 0;
  while (p < end) {
    const char *from = p;
    uint32_t c = whet__utf8_next(&p, end);
    if (c == WHET_NO_CHAR)
      to[at++] = *from;
    else
      at += whet__utf8_put(upper ? whet__char_upper(c) : whet__char_lower(c), to + at);
  }
  return at;
}
