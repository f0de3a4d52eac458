/* SPDX-License-Identifier: Apache-2.0 */
/* Events as JSON. */

#include "edge/pipeline/event.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool pl_shows(const pl_frame *f, pl_field what) { return !(f->hidden >> what & 1); }

void pl_time_text(int64_t ns, char out[PL_TIME]) {
  int64_t part = ns % 1000000000;
  if (part < 0) part += 1000000000;
  time_t s = (time_t)((ns - part) / 1000000000);
  struct tm t;
  gmtime_r(&s, &t);
  size_t n = strftime(out, PL_TIME, "%Y-%m-%dT%H:%M:%S", &t);
  snprintf(out + n, PL_TIME - n, ".%06dZ", (int)(part / 1000));
}

/* n digits; -1 when they are none. */
static int digits(const char *p, int n) {
  int v = 0;
  for (int i = 0; i < n; i++) {
    if (p[i] < '0' || p[i] > '9') return -1;
    v = 10 * v + p[i] - '0';
  }
  return v;
}

static bool rfc3339(const char *p, int64_t *ns) {
  int v[6], at[6] = {0, 5, 8, 11, 14, 17}, len[6] = {4, 2, 2, 2, 2, 2};
  if (strlen(p) < 20 || p[4] != '-' || p[7] != '-' || (p[10] != 'T' && p[10] != 't' && p[10] != ' ') ||
      p[13] != ':' || p[16] != ':')
    return false;
  for (int i = 0; i < 6; i++)
    if ((v[i] = digits(p + at[i], len[i])) < 0) return false;
  struct tm t = {
      .tm_year = v[0] - 1900, .tm_mon = v[1] - 1, .tm_mday = v[2], .tm_hour = v[3], .tm_min = v[4], .tm_sec = v[5]};
  if (v[0] < 1970 || v[0] > 2261 || v[1] < 1 || v[1] > 12 || v[2] < 1 || v[2] > 31 || v[3] > 23 || v[4] > 59 ||
      v[5] > 60)
    return false;
  int64_t part = 0, scale = 100000000;
  p += 19;
  if (*p == '.')
    for (p++; *p >= '0' && *p <= '9'; p++, scale /= 10) part += (*p - '0') * scale;
  int64_t off = 0;
  if (*p == '+' || *p == '-') {
    int h = strlen(p) == 6 && p[3] == ':' ? digits(p + 1, 2) : -1, m = h < 0 ? -1 : digits(p + 4, 2);
    if (h < 0 || m < 0) return false;
    off = (*p == '-' ? -1 : 1) * (h * 3600 + m * 60);
  } else if ((*p != 'Z' && *p != 'z') || p[1]) {
    return false;
  }
  *ns = ((int64_t)timegm(&t) - off) * 1000000000 + part;
  return true;
}

bool pl_time_read(const char *text, size_t n, int64_t *ns) {
  char s[64], *end;
  if (!n || n >= sizeof s) return false;
  memcpy(s, text, n);
  s[n] = 0;
  if (rfc3339(s, ns)) return true;
  double v = strtod(s, &end);
  if (end == s || *end || !isfinite(v) || v < 0 || v > 9.2e18) return false;
  if (v > 1e17 && !strpbrk(s, ".eE")) return *ns = strtoll(s, NULL, 10), true; /* more digits than a double has */
  v *= v < 1e11 ? 1e9 : v < 1e14 ? 1e6 : v < 1e17 ? 1e3 : 1;
  if (v > 9.2e18) return false; /* past the year 2261 */
  *ns = (int64_t)v;
  return true;
}

/* ,"key": */
static void key(serve_buf *b, const char *name) {
  if (b->n && b->p[b->n - 1] != '{') buf_put(b, ",", 1);
  buf_put(b, "\"", 1);
  buf_text(b, name);
  buf_put(b, "\":", 2);
}

static void text(serve_buf *b, const char *name, const char *s) {
  key(b, name);
  buf_json_str(b, s);
}

static void number(serve_buf *b, double v) {
  if (isfinite(v))
    buf_double(b, v);
  else
    buf_text(b, "null");
}

/* v with so many decimals, without zeros at its end. */
static void fixed(serve_buf *b, double v, int decimals) {
  int64_t scale = 1, n;
  char text[40];
  size_t at = sizeof text;
  for (int i = 0; i < decimals; i++) scale *= 10;
  if (!(fabs(v) < 1e9)) {
    number(b, v);
    return;
  }
  n = llround(fabs(v) * (double)scale);
  bool minus = v < 0 && n;
  int left = decimals;
  while (left && n % 10 == 0) n /= 10, left--;
  for (; left || n || at == sizeof text; n /= 10) {
    text[--at] = (char)('0' + n % 10);
    if (left && --left == 0) {
      text[--at] = '.';
      if (n < 10) text[--at] = '0';
    }
  }
  if (minus) text[--at] = '-';
  buf_put(b, text + at, sizeof text - at);
}

/* Scores to a millionth, pixels to a hundredth: what lies below is no matter of theirs. */
static void real(serve_buf *b, float v) {
  if (fabsf(v) < 1000)
    fixed(b, (double)v, 6);
  else if (isfinite(v))
    buf_float(b, v);
  else
    buf_text(b, "null");
}
static void pixel(serve_buf *b, float v) { fixed(b, (double)v, 2); }

static void object(const pl_frame *f, const pl_object *o, serve_buf *b) {
  buf_put(b, "{", 1);
  if (o->label && pl_shows(f, PL_FIELD_OBJECT_LABEL)) text(b, "label", o->label);
  if (pl_shows(f, PL_FIELD_OBJECT_CLASS)) key(b, "class"), buf_uint(b, o->index);
  if (pl_shows(f, PL_FIELD_OBJECT_SCORE)) key(b, "score"), real(b, o->score);
  if (pl_shows(f, PL_FIELD_OBJECT_BOX)) {
    const float box[4] = {o->x0, o->y0, o->x1, o->y1};
    key(b, "box");
    for (int i = 0; i < 4; i++) buf_put(b, i ? "," : "[", 1), pixel(b, box[i]);
    buf_put(b, "]", 1);
  }
  if (o->track && pl_shows(f, PL_FIELD_OBJECT_TRACK)) key(b, "track"), buf_int(b, o->track);
  if (o->zone && pl_shows(f, PL_FIELD_OBJECT_ZONE)) text(b, "zone", o->zone);
  if (o->n_point && pl_shows(f, PL_FIELD_OBJECT_POINTS)) {
    key(b, "points");
    for (uint32_t i = 0; i < o->n_point; i++) {
      const pl_point *p = &f->point[o->point + i];
      buf_text(b, i ? ",[" : "[[");
      pixel(b, p->x), buf_put(b, ",", 1), pixel(b, p->y), buf_put(b, ",", 1), real(b, p->score);
      buf_put(b, "]", 1);
    }
    buf_put(b, "]", 1);
  }
  buf_put(b, "}", 1);
}

void pl_event(const pl_frame *f, const char *branch, serve_buf *b) {
  char t[PL_TIME];
  buf_put(b, "{", 1);
  if (pl_shows(f, PL_FIELD_TIME)) pl_time_text(f->time, t), text(b, "time", t);
  if (pl_shows(f, PL_FIELD_BRANCH)) text(b, "branch", branch);
  if (pl_shows(f, PL_FIELD_SOURCE) && f->source && strcmp(f->source, branch)) text(b, "source", f->source);
  if (pl_shows(f, PL_FIELD_SEQ)) key(b, "seq"), buf_uint(b, f->seq);
  if (f->item[0] && pl_shows(f, PL_FIELD_ITEM)) text(b, "item", f->item);
  if (f->at >= 0 && pl_shows(f, PL_FIELD_AT)) key(b, "at"), fixed(b, f->at, 6);
  if (f->until >= 0 && pl_shows(f, PL_FIELD_UNTIL)) key(b, "until"), fixed(b, f->until, 6);
  if (f->width && pl_shows(f, PL_FIELD_SIZE)) {
    key(b, "size");
    buf_put(b, "[", 1), buf_int(b, f->width), buf_put(b, ",", 1), buf_int(b, f->height), buf_put(b, "]", 1);
  }
  if (f->event && pl_shows(f, PL_FIELD_EVENT)) text(b, "event", f->event);
  if (f->subject && pl_shows(f, PL_FIELD_SUBJECT)) text(b, "subject", f->subject);
  if (f->key[0] && pl_shows(f, PL_FIELD_KEY)) text(b, "key", f->key);
  if (f->objects && pl_shows(f, PL_FIELD_OBJECTS)) {
    key(b, "objects");
    buf_put(b, "[", 1);
    for (size_t i = 0; i < f->n_object; i++) {
      if (i) buf_put(b, ",", 1);
      object(f, &f->object[i], b);
    }
    buf_put(b, "]", 1);
  }
  if (f->n_class && pl_shows(f, PL_FIELD_CLASSES)) {
    key(b, "classes");
    for (size_t i = 0; i < f->n_class; i++) {
      const pl_class *c = &f->class[i];
      buf_text(b, i ? ",{" : "[{");
      if (c->label) text(b, "label", c->label);
      key(b, "class"), buf_uint(b, c->index);
      key(b, "score"), real(b, c->score);
      buf_put(b, "}", 1);
    }
    buf_put(b, "]", 1);
  }
  if (f->n_value && pl_shows(f, PL_FIELD_VALUES)) {
    key(b, "values");
    buf_put(b, "{", 1);
    for (size_t i = 0; i < f->n_value; i++) key(b, f->value[i].name), number(b, f->value[i].v);
    buf_put(b, "}", 1);
  }
  if (f->file[0] && pl_shows(f, PL_FIELD_FILE)) text(b, "file", f->file);
  buf_put(b, "}", 1);
}
