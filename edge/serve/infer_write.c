/* SPDX-License-Identifier: Apache-2.0 */
/* Replies: JSON, the tensors of its outputs in it, behind it as binary data, or in shared memory. */

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "edge/pipe/topk.h"
#include "edge/serve/infer.h"

/* An output's rows that belong to one request. */
typedef struct part {
  const serve_io *io;
  pipe_tensor t;   /* dims and n are the part's, data its first element */
  whet_value *own; /* strings: the whole output */
  size_t first;    /* strings: the first of them */
} part;

/* Output `w->out` after a run: rows `row`.. of `rows`, or all of it when the request had the run alone. */
static whet_status part_of(serve_infer *x, serve_instance *i, const infer_want *w, int64_t row, int64_t rows, part *p,
                           whet_err *err) {
  *p = (part){.io = &x->v->out[w->out]};
  if (!p->io->type->bytes) {
    EDGE_TRY(whet_session_get_output(i->s, w->out, &p->own, err));
    p->t = (pipe_tensor){
        .name = p->io->name, .dtype = WHET_STRING, .rank = whet_value_rank(p->own), .n = whet_value_count(p->own)};
    for (int32_t d = 0; d < p->t.rank; d++) p->t.dims[d] = whet_value_dims(p->own)[d];
    p->t.data = whet_value_const_data(p->own);
    return WHET_OK;
  }
  EDGE_TRY(pipe_tensor_output(i->s, w->out, &p->t, err));
  if (x->rows == rows) return WHET_OK;
  if (p->t.rank < 1 || p->t.dims[0] != rows)
    return edge_fail(err, WHET_E_INTERNAL, "output \"%.80s\" does not have a row for each of %lld", p->io->name,
                     (long long)rows);
  size_t each = p->t.n / (size_t)rows;
  p->t.data = (const uint8_t *)p->t.data + each * (size_t)row * p->io->type->bytes;
  p->t.dims[0] = x->rows;
  p->t.n = each * (size_t)x->rows;
  return WHET_OK;
}

#define NUMBERS(T, type, put)             \
  case WHET_##T: {                        \
    const type *v = p->t.data;            \
    for (size_t k = 0; k < p->t.n; k++) { \
      if (k) buf_put(b, ",", 1);          \
      put;                                \
    }                                     \
    return WHET_OK;                       \
  }
#define REALS(T, type, put) NUMBERS(T, type, if (!isfinite(v[k])) return no_number(p, k, err); put)

static whet_status no_number(const part *p, size_t k, whet_err *err) {
  return edge_fail(err, WHET_E_DATA,
                   "output \"%.80s\", element %zu: JSON has no NaN and no infinities; ask for binary data",
                   p->io->name, k);
}

/* The elements as JSON. */
static whet_status numbers(const part *p, serve_buf *b, whet_err *err) {
  switch (p->t.dtype) {
    REALS(F32, float, buf_float(b, v[k]))
    REALS(F64, double, buf_double(b, v[k]))
    NUMBERS(BOOL, uint8_t, buf_text(b, v[k] ? "true" : "false"))
    NUMBERS(U8, uint8_t, buf_uint(b, v[k]))
    NUMBERS(S8, int8_t, buf_int(b, v[k]))
    NUMBERS(U16, uint16_t, buf_uint(b, v[k]))
    NUMBERS(S16, int16_t, buf_int(b, v[k]))
    NUMBERS(U32, uint32_t, buf_uint(b, v[k]))
    NUMBERS(S32, int32_t, buf_int(b, v[k]))
    NUMBERS(U64, uint64_t, buf_uint(b, v[k]))
    NUMBERS(S64, int64_t, buf_int(b, v[k]))
    NUMBERS(STRING, whet_str, buf_json(b, v[k].p, v[k].n))
    default:
      return edge_fail(err, WHET_E_DATA, "output \"%.80s\": %s cannot be told in JSON; ask for binary data",
                       p->io->name, p->io->type->name);
  }
}

/* A string as binary data. */
static void put_string(serve_buf *b, const char *s, size_t n) {
  uint8_t len[4] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24)};
  buf_put(b, len, 4);
  buf_put(b, s, n);
}

/* The elements as binary data. */
static void binary(const part *p, serve_buf *b) {
  if (p->io->type->bytes) {
    buf_put(b, p->t.data, p->t.n * p->io->type->bytes);
    return;
  }
  const whet_str *s = p->t.data;
  for (size_t k = 0; k < p->t.n; k++) put_string(b, s[k].p, s[k].n);
}

/* The classes of an output: for each row of the first dimension "score:index" or "score:index:label", as texts of
 * JSON or as binary data. k receives how many a row has. */
static whet_status classes(const serve_infer *x, const part *p, int64_t most, bool as_binary, serve_buf *b, size_t *k,
                           whet_err *err) {
  size_t rows = p->t.rank > 1 ? (size_t)p->t.dims[0] : 1, each = rows ? p->t.n / rows : 0;
  *k = (size_t)most < each ? (size_t)most : each;
  float *score = malloc((each + 1) * sizeof *score);
  pipe_class *top = malloc((*k + 1) * sizeof *top);
  whet_status s = score && top ? WHET_OK : edge_fail(err, WHET_E_MEMORY, "no memory for classes");
  for (size_t r = 0; !s && r < rows; r++) {
    s = pipe_tensor_floats(&p->t, r * each, each, score, err);
    size_t n = s ? 0 : pipe_topk(score, each, *k, top);
    for (size_t c = 0; c < n; c++) {
      const char *label = pipe_label(&x->v->labels, top[c].index);
      serve_buf text = {0};
      buf_printf(&text, "%f:%u%s%s", (double)top[c].score, top[c].index, label ? ":" : "", label ? label : "");
      if (text.bad) b->bad = true;
      if (!as_binary && (r || c)) buf_put(b, ",", 1);
      if (as_binary)
        put_string(b, text.p, text.n);
      else
        buf_json(b, text.p, text.n);
      buf_free(&text);
    }
  }
  free(score);
  free(top);
  return s;
}

/* One entry of "outputs"; binary data go to `blob`. */
static whet_status write_output(serve_infer *x, const infer_want *w, part *p, serve_buf *b, serve_buf *blob,
                                whet_err *err) {
  bool outside = w->binary || w->region;
  size_t from = blob->n, k = 0;
  serve_buf inside = {0}, *to = outside ? blob : &inside;
  whet_status s = WHET_OK;
  if (w->classes)
    s = classes(x, p, w->classes, outside, to, &k, err);
  else if (outside)
    binary(p, to);
  else
    s = numbers(p, to, err);
  if (w->classes) {
    if (p->t.rank <= 1)
      p->t.rank = 1, p->t.dims[0] = (int64_t)k;
    else
      p->t.rank = 2, p->t.dims[1] = (int64_t)k;
  }
  if (!s && w->region) {
    size_t n = blob->n - from;
    if (n > w->room)
      s = edge_fail(err, WHET_E_DATA, "output \"%.80s\" has %zu bytes, shared_memory_byte_size says %zu", p->io->name,
                    n, w->room);
    else if (!blob->bad)
      s = region_write(w->region, w->offset, blob->p + from, n, err);
    blob->n = from;
  }
  buf_text(b, "{\"name\":");
  buf_json_str(b, p->io->name);
  buf_text(b, ",\"datatype\":\"");
  buf_text(b, w->classes ? "BYTES" : p->io->type->name);
  buf_text(b, "\",\"shape\":");
  buf_dims(b, p->t.rank, p->t.dims);
  if (w->region) {
    buf_text(b, ",\"parameters\":{\"shared_memory_region\":");
    buf_json_str(b, region_name(w->region));
    buf_printf(b, ",\"shared_memory_offset\":%zu,\"shared_memory_byte_size\":%zu}}", w->offset, w->room);
  } else if (outside) {
    buf_text(b, ",\"parameters\":{\"binary_data_size\":");
    buf_uint(b, blob->n - from);
    buf_text(b, "}}");
  } else {
    buf_text(b, ",\"data\":[");
    buf_put(b, inside.p, inside.n);
    buf_text(b, "]}");
    b->bad |= inside.bad;
  }
  buf_free(&inside);
  return s;
}

whet_status infer_write(serve_infer *x, serve_instance *i, int64_t row, int64_t rows, whet_err *err) {
  serve_buf *b = x->reply, blob = {0};
  whet_status s = WHET_OK;
  bool any = false;
  b->n = 0;
  buf_text(b, "{");
  if (x->id.n) {
    buf_text(b, "\"id\":");
    buf_json(b, x->id.p, x->id.n);
    buf_text(b, ",");
  }
  buf_text(b, "\"model_name\":");
  buf_json_str(b, x->v->name);
  buf_text(b, ",\"model_version\":");
  buf_json_str(b, x->v->text);
  buf_text(b, ",\"outputs\":[");
  for (size_t k = 0; !s && k < x->n_want; k++) {
    part p;
    s = part_of(x, i, &x->want[k], row, rows, &p, err);
    if (k) buf_put(b, ",", 1);
    if (!s) s = write_output(x, &x->want[k], &p, b, &blob, err);
    any |= x->want[k].binary && !x->want[k].region;
    whet_value_unref(&p.own);
  }
  buf_text(b, "]}");
  x->json_bytes = any ? b->n : 0;
  buf_put(b, blob.p, blob.n);
  if (!s && (b->bad || blob.bad)) s = edge_fail(err, WHET_E_MEMORY, "no memory for a reply");
  buf_free(&blob);
  return s;
}
