/* SPDX-License-Identifier: Apache-2.0 */
/* Messages into frames. */

#include "edge/pipeline/payload.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "edge/pipeline/event.h"
#include "whet/codec.h"
#include "whet/media.h"

whet_status pl_payload_open(pl_node *n, pl_payload *p, whet_err *err) {
  if (p->format == PL_RAW && (!p->width || !p->height))
    return pl_fail(n, err, "format raw needs width and height: the pixels of a frame");
  if (p->format == PL_PCM && !p->rate) return pl_fail(n, err, "format pcm needs rate: samples in a second");
  if (p->format == PL_JSONL && !p->fields.n)
    return pl_fail(n, err, "format jsonl needs fields: the members that hold numbers");
  if (p->fields.n > 4096) return pl_fail(n, err, "fields: %zu are more than 4096", p->fields.n);
  p->n_field = p->fields.n;
  return WHET_OK;
}

void pl_payload_close(pl_payload *p) {
  free(p->column);
  p->column = NULL;
  buf_free(&p->scratch);
}

void pl_payload_begin(pl_payload *p) { p->n_column = p->line = 0; }

/* Where a decoder puts its picture. */
struct canvas {
  pl_frame *f;
  pl_blob *blob;
};

static void *canvas_room(void *user, int64_t height, int64_t width, int32_t samples, size_t bytes) {
  struct canvas *c = user;
  (void)height, (void)width, (void)samples;
  pl_blob_drop(c->f->pool, &c->blob);
  c->blob = pl_blob_new(c->f->pool, bytes);
  return c->blob ? c->blob->p : NULL;
}

static whet_status picture(pl_frame *f, const uint8_t *p, size_t n, whet_err *err) {
  struct canvas c = {.f = f};
  whet_decode_opts o = whet_decode_opts_default();
  whet_picture pic = {.size = sizeof pic};
  o.alloc = canvas_room;
  o.user = &c;
  o.max_pixels = f->pool->most > INT64_MAX ? INT64_MAX : (int64_t)f->pool->most;
  whet_status s = whet_picture_decode(p, n, &o, &pic, err);
  if (s) {
    pl_blob_drop(f->pool, &c.blob);
    return s;
  }
  pl_frame_bare(f);
  f->content = PL_PICTURE;
  f->blob = c.blob;
  f->pic = pic;
  if (!f->pic.stride) f->pic.stride = (ptrdiff_t)pic.width * pl_pixel_bytes(pic.pixel);
  f->width = pic.width;
  f->height = pic.height;
  return WHET_OK;
}

static whet_status sound(pl_frame *f, const uint8_t *p, size_t n, whet_err *err) {
  whet_sound_opts o = whet_sound_opts_default();
  whet_sound w;
  EDGE_TRY(whet_sound_decode(p, n, &o, &w, err));
  whet_status s = pl_frame_numbers(f, WHET_F32, 2, (int64_t[]){w.frames, w.channels}, err);
  if (!s && f->numbers.n) memcpy(f->blob->p, w.data, f->numbers.n * sizeof(float));
  f->rate = w.rate;
  whet_sound_free(&w);
  return s;
}

static whet_status raw(const pl_payload *p, pl_frame *f, const uint8_t *bytes, size_t n, whet_err *err) {
  EDGE_TRY(pl_frame_picture(f, (int32_t)p->width, (int32_t)p->height, (whet_pixel)p->pixel, err));
  size_t want = (size_t)f->pic.stride * (size_t)f->pic.height;
  if (n != want) {
    pl_frame_bare(f);
    return edge_fail(err, WHET_E_FORMAT, "a raw frame of %d x %d has %zu bytes, these are %zu", f->width, f->height,
                     want, n);
  }
  memcpy(f->blob->p, bytes, n);
  return WHET_OK;
}

static whet_status samples(const pl_payload *p, pl_frame *f, const uint8_t *bytes, size_t n, whet_err *err) {
  size_t each = p->format == PL_PCM ? 2 : 4, row = each * (size_t)p->columns;
  if (!n || n % row)
    return edge_fail(err, WHET_E_FORMAT, "rows have %zu bytes; %zu bytes are no whole number of them", row, n);
  EDGE_TRY(pl_frame_numbers(f, WHET_F32, 2, (int64_t[]){(int64_t)(n / row), p->columns}, err));
  float *to = (float *)(void *)f->blob->p;
  if (p->format == PL_FLOATS) memcpy(to, bytes, n);
  for (size_t i = 0; p->format == PL_PCM && i < n / 2; i++)
    to[i] = (float)(int16_t)(uint16_t)(bytes[2 * i] | bytes[2 * i + 1] << 8) / 32768.0f;
  f->rate = p->rate;
  return WHET_OK;
}

/* The number of a member: a number, or a list of them, which is a column. How many; they go to scratch, member by
 * member. */
static size_t member(pl_payload *p, json_in *j, size_t *filled) {
  size_t n = 0;
  double v;
  char c = jin_peek(j);
  if (c == '[') {
    for (jin_begin(j, '['); jin_next(j, ']'); n++) {
      jin_double(j, &v);
      buf_put(&p->scratch, &(float){(float)v}, sizeof(float));
    }
  } else {
    if (c == 'n') {
      jin_null(j);
      v = NAN;
    } else {
      jin_double(j, &v);
    }
    buf_put(&p->scratch, &(float){(float)v}, sizeof(float));
    n = 1;
  }
  ++*filled;
  return n;
}

static whet_status json(pl_payload *p, pl_frame *f, uint8_t *bytes, size_t n, whet_err *err) {
  json_in j;
  json_text name, t;
  size_t at[64], len = 0, filled = 0, fields = p->fields.n;
  bool many = fields <= EDGE_COUNT(at);
  size_t *where = many ? at : calloc(fields, sizeof *where);
  if (!where) return edge_fail(err, WHET_E_MEMORY, "no memory for %zu fields", fields);
  for (size_t i = 0; i < fields; i++) where[i] = SIZE_MAX;
  p->scratch.n = 0;
  jin_init(&j, (char *)bytes, n, err);
  for (jin_begin(&j, '{'); jin_next(&j, '}');) {
    size_t i = 0;
    jin_key(&j, &name);
    while (i < fields && !text_is(name, p->fields.v[i])) i++;
    if (i < fields && where[i] == SIZE_MAX) {
      where[i] = p->scratch.n / sizeof(float);
      size_t got = member(p, &j, &filled);
      if (filled > 1 && got != len && !j.bad)
        jin_fail(&j, "\"%s\" has %zu numbers, those before it %zu", p->fields.v[i], got, len);
      len = got;
    } else if (p->time && text_is(name, p->time)) {
      if (jin_peek(&j) == '"') {
        jin_string(&j, &t);
      } else {
        t.p = j.at;
        jin_skip(&j);
        t.n = (size_t)(j.at - t.p);
      }
      if (!j.bad && !pl_time_read(t.p, t.n, &f->time)) jin_fail(&j, "\"%s\" is no time", p->time);
    } else {
      jin_skip(&j);
    }
  }
  jin_done(&j);
  whet_status s = j.bad ? WHET_E_DATA : WHET_OK;
  for (size_t i = 0; !s && i < fields; i++)
    if (where[i] == SIZE_MAX) s = edge_fail(err, WHET_E_DATA, "the object has no member \"%.60s\"", p->fields.v[i]);
  if (!s && p->scratch.bad) s = edge_fail(err, WHET_E_MEMORY, "no memory for the numbers of an object");
  if (!s) s = pl_frame_numbers(f, WHET_F32, 2, (int64_t[]){(int64_t)len, (int64_t)fields}, err);
  if (!s) {
    float *to = (float *)(void *)f->blob->p;
    const float *from = (const float *)(const void *)p->scratch.p;
    for (size_t r = 0; r < len; r++)
      for (size_t i = 0; i < fields; i++) to[r * fields + i] = from[where[i] + r];
    f->rate = p->rate;
  }
  if (!many) free(where);
  return s;
}

/* The next field of a line: [*at, *end) without quotes and spaces. False: there is none. */
static bool cell(char **p, const char *stop, char sep, char **at, char **end) {
  if (!*p) return false;
  char *q = *p;
  while (q < stop && *q == ' ') q++;
  bool quoted = q < stop && *q == '"';
  *at = q += quoted;
  while (q < stop && *q != (quoted ? '"' : sep)) q++;
  *end = q;
  while (!quoted && *end > *at && ((*end)[-1] == ' ' || (*end)[-1] == '\r')) --*end;
  while (q < stop && *q != sep) q++;
  *p = q < stop ? q + 1 : NULL;
  return true;
}

/* A number in [p, end), with nothing behind it. */
static bool number(const char *p, const char *end, float *out) {
  char s[64], *stop;
  size_t n = (size_t)(end - p);
  if (!n || n >= sizeof s) return false;
  memcpy(s, p, n);
  s[n] = 0;
  *out = strtof(s, &stop);
  return stop != s && !*stop;
}

static char separator(const char *p, size_t n) {
  return memchr(p, ',', n) ? ',' : memchr(p, ';', n) ? ';' : memchr(p, '\t', n) ? '\t' : ',';
}

/* The first line says what the columns are: by names, or, when it holds numbers already, all are fields. *heading: it
 * was one. */
static whet_status columns(pl_payload *p, char *line, size_t n, bool *heading, whet_err *err) {
  char *at, *end, *q = line, sep = separator(line, n);
  float v;
  size_t found = 0, k = 0, cells = 0;
  *heading = false;
  for (; cell(&q, line + n, sep, &at, &end); cells++)
    if (!number(at, end, &v) && end > at) *heading = true;
  if (cells > p->cap_column) {
    int *c = realloc(p->column, cells * sizeof *c);
    if (!c) return edge_fail(err, WHET_E_MEMORY, "no memory for %zu columns", cells);
    p->column = c;
    p->cap_column = cells;
  }
  if (!*heading && (p->fields.n || p->time))
    return edge_fail(err, WHET_E_FORMAT, "the first line names no columns, but fields or time ask for some by name");
  for (q = line; cell(&q, line + n, sep, &at, &end); k++) {
    size_t len = (size_t)(end - at);
    int what = p->fields.n ? -1 : (int)found;
    for (size_t i = 0; i < p->fields.n; i++)
      if (strlen(p->fields.v[i]) == len && !memcmp(p->fields.v[i], at, len)) what = (int)i;
    if (p->time && strlen(p->time) == len && !memcmp(p->time, at, len)) what = -2;
    found += what >= 0;
    p->column[k] = what;
  }
  if (found < p->fields.n)
    return edge_fail(err, WHET_E_NAME, "the heading has %zu of the %zu fields asked for", found, p->fields.n);
  p->n_column = cells;
  p->n_field = p->fields.n ? p->fields.n : found;
  return WHET_OK;
}

static whet_status row(pl_payload *p, pl_frame *f, char *line, size_t n, whet_err *err) {
  char *at, *end, *q = line;
  bool heading = false;
  if (!p->n_column) {
    EDGE_TRY(columns(p, line, n, &heading, err));
    if (heading) return WHET_E_CANCELLED;
  }
  char sep = separator(line, n);
  EDGE_TRY(pl_frame_numbers(f, WHET_F32, 2, (int64_t[]){1, (int64_t)p->n_field}, err));
  float *to = (float *)(void *)f->blob->p;
  size_t k = 0;
  for (; cell(&q, line + n, sep, &at, &end); k++) {
    if (k >= p->n_column) continue;
    int what = p->column[k];
    int len = (int)(end - at > 40 ? 40 : end - at);
    if (what == -2 && !pl_time_read(at, (size_t)(end - at), &f->time))
      return edge_fail(err, WHET_E_DATA, "column %zu: \"%.*s\" is no time", k + 1, len, at);
    if (what >= 0 && !number(at, end, &to[what]))
      return edge_fail(err, WHET_E_DATA, "column %zu: \"%.*s\" is no number", k + 1, len, at);
  }
  if (k != p->n_column)
    return edge_fail(err, WHET_E_FORMAT, "a row of %zu fields, the first line has %zu", k, p->n_column);
  f->rate = p->rate;
  return WHET_OK;
}

static whet_status npy(pl_frame *f, const uint8_t *p, size_t n, whet_err *err) {
  whet_value *v;
  EDGE_TRY(whet_npy_decode(p, n, &v, err));
  whet_status s = pl_frame_numbers(f, whet_value_dtype(v), whet_value_rank(v), whet_value_dims(v), err);
  if (!s && f->numbers.n) memcpy(f->blob->p, whet_value_const_data(v), whet_value_bytes(v));
  whet_value_unref(&v);
  return s;
}

/* A row or an object. */
static whet_status line(pl_payload *p, pl_frame *f, uint8_t *bytes, size_t n, whet_err *err) {
  whet_status s = p->format == PL_CSV ? row(p, f, (char *)bytes, n, err) : json(p, f, bytes, n, err);
  return s && s != WHET_E_CANCELLED ? edge_fail_in(err, "line %zu", p->line) : s;
}

whet_status pl_payload_frame(pl_payload *p, pl_frame *f, uint8_t *bytes, size_t n, whet_err *err) {
  int format = p->format;
  if (format == PL_AUTO)
    format = n > 11 && !memcmp(bytes, "RIFF", 4) && !memcmp(bytes + 8, "WAVE", 4) ? PL_WAV
             : n > 5 && !memcmp(bytes, "\x93NUMPY", 6)                            ? PL_NPY
                                                                                  : PL_JPEG;
  switch (format) {
    case PL_WAV:
      return sound(f, bytes, n, err);
    case PL_NPY:
      return npy(f, bytes, n, err);
    case PL_RAW:
      return raw(p, f, bytes, n, err);
    case PL_PCM:
    case PL_FLOATS:
      return samples(p, f, bytes, n, err);
    case PL_JSONL:
    case PL_CSV:
      return line(p, f, bytes, n, err);
    default:
      return picture(f, bytes, n, err);
  }
}
