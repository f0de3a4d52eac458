/* SPDX-License-Identifier: Apache-2.0 */
/* How samples reach a model, as a text in its metadata. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/inner.h"

const char whet__fed_key[] = "whet.samples";

/* " mean 0.5,0.25,0.5" behind what is there. */
static void list(char *text, const char *what, const float *v, int n) {
  for (int i = 0; i < n; i++) {
    size_t used = strlen(text);
    snprintf(text + used, WHET_FED_TEXT - used, "%s%.9g", i ? "," : what, (double)v[i]);
  }
}

bool whet__fed_write(const whet_set *s, const whet_feed *f, char text[WHET_FED_TEXT]) {
  if (s->item_kind != WHET_ITEM_PICTURE) return false;
  snprintf(text, WHET_FED_TEXT, "%.9g..%.9g", f->ranged ? (double)f->lo : 0,
           (double)(f->ranged ? f->hi : whet__set_white(s)));
  list(text, " mean ", f->mean, f->n_mean);
  list(text, " std ", f->std, f->n_std);
  return true;
}

/* A finite number at *p, which moves behind it. */
static bool number(const char **p, float *out) {
  char *end;
  *out = strtof(*p, &end);
  if (end == *p || !isfinite(*out)) return false;
  *p = end;
  return true;
}

/* What list() writes, when it is there; 0 numbers when not, -1 when it is none. */
static int numbers(const char **p, const char *what, float v[4]) {
  size_t n = strlen(what);
  if (strncmp(*p, what, n)) return 0;
  *p += n;
  for (int k = 0; k < 4; k++) {
    if (!number(p, &v[k])) return -1;
    if (**p != ',') return k + 1;
    ++*p;
  }
  return -1;
}

bool whet__fed_read(const char *value, size_t n, whet_feed *f) {
  char text[WHET_FED_TEXT];
  const char *p = text;
  whet_feed x = {.ranged = true};
  if (n >= sizeof text || memchr(value, 0, n)) return false;
  memcpy(text, value, n);
  text[n] = 0;
  char *dots = strstr(text, "..");
  if (!dots) return false;
  *dots = 0; /* "0..1" would be 0. and .1 */
  if (!number(&p, &x.lo) || p != dots) return false;
  p = dots + 2;
  if (!number(&p, &x.hi)) return false;
  x.n_mean = numbers(&p, " mean ", x.mean);
  x.n_std = numbers(&p, " std ", x.std);
  for (int i = 0; i < x.n_std; i++)
    if (x.std[i] == 0) return false;
  if (x.n_mean < 0 || x.n_std < 0 || *p || x.lo == x.hi) return false;
  whet__feed_numbers(f, &x);
  return true;
}
