/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of the protocol. */

#include "edge/send/oip.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "edge/pipe/numbers.h"
#include "edge/serve/dtype.h"

/* ---- metadata ---------------------------------------------------------------------------------- */

/* Steps into the first object of a list, and at the next call past the list's end. */
static bool first_object(json_in *j, bool *entered) {
  if (!*entered) jin_begin(j, '[');
  while (jin_next(j, ']')) {
    if (!*entered) return *entered = true;
    jin_skip(j);
  }
  return false;
}

static void copy(json_text t, char *to) { snprintf(to, REMOTE_NAME, "%.*s", (int)t.n, t.p ? t.p : ""); }

/* The first of "inputs" or "outputs". */
static void read_tensor(json_in *j, char *name, whet_dtype *type, int32_t *rank, int64_t *dims) {
  json_text key, text;
  bool entered = false;
  while (first_object(j, &entered))
    for (jin_begin(j, '{'); jin_next(j, '}');) {
      jin_key(j, &key);
      if (text_is(key, "name")) {
        jin_string(j, &text);
        copy(text, name);
      } else if (text_is(key, "datatype")) {
        jin_string(j, &text);
        const serve_dtype *d = dtype_named(text);
        *type = d ? d->whet : WHET_NONE;
      } else if (text_is(key, "shape") && rank) {
        *rank = 0;
        for (jin_begin(j, '['); jin_next(j, ']');) {
          int64_t v = 0;
          jin_int(j, &v);
          if (*rank < REMOTE_RANK) dims[*rank] = v;
          ++*rank;
        }
      } else {
        jin_skip(j);
      }
    }
}

whet_status oip_read_model(const serve_buf *text, remote_info *out, whet_err *err) {
  json_in j;
  json_text key;
  *out = (remote_info){.in_rank = -1};
  jin_init(&j, text->p, text->n, err);
  for (jin_begin(&j, '{'); jin_next(&j, '}');) {
    jin_key(&j, &key);
    if (text_is(key, "inputs") && jin_peek(&j) == '[')
      read_tensor(&j, out->input, &out->in_type, &out->in_rank, out->in_dims);
    else if (text_is(key, "outputs") && jin_peek(&j) == '[')
      read_tensor(&j, out->output, &out->out_type, NULL, NULL);
    else
      jin_skip(&j);
  }
  if (j.bad) return WHET_E_DATA;
  return out->in_rank > REMOTE_RANK ? edge_fail(err, WHET_E_UNSUPPORTED, "an input of %d dimensions", out->in_rank)
                                    : WHET_OK;
}

/* ---- requests ---------------------------------------------------------------------------------- */

/* A tensor as a list of JSON numbers. */
static whet_status write_numbers(whet_dtype t, const void *data, size_t n, serve_buf *b, whet_err *err) {
  double v = 0;
  for (size_t i = 0; i < n; i++) {
    if (i) buf_text(b, ",");
    if (!pipe_number(t, data, i, &v) || !isfinite(v))
      return edge_fail(err, WHET_E_DATA, "element %zu is not finite, which JSON cannot say", i);
    if (t == WHET_F32)
      buf_float(b, (float)v);
    else if (t == WHET_F64)
      buf_double(b, v);
    else
      buf_int(b, (int64_t)v);
  }
  return WHET_OK;
}

whet_status oip_write(const remote_info *model, const oip_case *x, serve_buf *b, size_t *head, whet_err *err) {
  const serve_dtype *d = dtype_of(model->in_type);
  b->n = 0;
  if (!d || !d->bytes) return edge_fail(err, WHET_E_UNSUPPORTED, "an input of another type than numbers");
  if (!model->binary && !d->json)
    return edge_fail(err, WHET_E_UNSUPPORTED, "the server takes no binary tensors, and JSON has no %s", d->name);
  buf_text(b, "{\"id\":");
  buf_json_str(b, x->id ? x->id : "0"); /* optional by the protocol, and wanted by KServe */
  buf_text(b, ",\"inputs\":[{\"name\":");
  buf_json_str(b, model->input);
  buf_printf(b, ",\"datatype\":\"%s\",\"shape\":", d->name);
  buf_dims(b, x->rank, x->dims);
  if (model->binary) {
    buf_printf(b, ",\"parameters\":{\"binary_data_size\":%zu}}],\"parameters\":{\"binary_data_output\":true}}",
               x->bytes);
  } else {
    buf_text(b, ",\"data\":[");
    EDGE_TRY(write_numbers(model->in_type, x->data, x->bytes / d->bytes, b, err));
    buf_text(b, "]}]}");
  }
  *head = b->n;
  if (model->binary) buf_put(b, x->data, x->bytes);
  return b->bad ? edge_fail(err, WHET_E_MEMORY, "no memory for a request") : WHET_OK;
}

/* ---- answers ----------------------------------------------------------------------------------- */

static bool room(oip_numbers *x, size_t n) {
  if (n <= x->cap) return true;
  float *more = realloc(x->v, n * sizeof *more);
  if (!more) return false;
  x->v = more, x->cap = n;
  return true;
}

/* Numbers of a "data" list, nested or not. */
static bool read_numbers(json_in *j, oip_numbers *x, int depth) {
  for (jin_begin(j, '['); jin_next(j, ']');) {
    if (jin_peek(j) == '[') {
      if (depth > 8 || !read_numbers(j, x, depth + 1)) return false;
      continue;
    }
    double v = 0;
    if (!room(x, x->n < 16 ? 16 : x->n + x->n / 2 + 1)) return false;
    jin_double(j, &v);
    x->v[x->n++] = (float)v;
  }
  return !j->bad;
}

/* What an output says of itself. */
struct output {
  json_text type;
  int64_t bytes; /* of a binary tensor; -1: it is none */
  bool have;     /* its numbers were a list */
};

static void read_parameters(json_in *j, struct output *o) {
  json_text key;
  for (jin_begin(j, '{'); jin_next(j, '}');) {
    jin_key(j, &key);
    if (text_is(key, "binary_data_size"))
      jin_int(j, &o->bytes);
    else
      jin_skip(j);
  }
}

/* The first of "outputs". */
static void read_outputs(json_in *j, struct output *o, oip_numbers *x) {
  json_text key;
  bool entered = false;
  while (first_object(j, &entered))
    for (jin_begin(j, '{'); jin_next(j, '}');) {
      jin_key(j, &key);
      if (text_is(key, "datatype"))
        jin_string(j, &o->type);
      else if (text_is(key, "data") && jin_peek(j) == '[')
        o->have = read_numbers(j, x, 0);
      else if (text_is(key, "parameters") && jin_peek(j) == '{')
        read_parameters(j, o);
      else
        jin_skip(j);
    }
}

whet_status oip_read(const serve_buf *answer, size_t head, oip_numbers *out, whet_err *err) {
  json_in j;
  json_text key;
  struct output o = {.bytes = -1};
  out->n = 0;
  if (head > answer->n) return edge_fail(err, WHET_E_DATA, "the answer is cut short");
  jin_init(&j, answer->p, head, err);
  for (jin_begin(&j, '{'); jin_next(&j, '}');) {
    jin_key(&j, &key);
    if (text_is(key, "outputs") && jin_peek(&j) == '[')
      read_outputs(&j, &o, out);
    else
      jin_skip(&j);
  }
  if (j.bad) return WHET_E_DATA;
  if (o.bytes >= 0) {
    const serve_dtype *d = dtype_named(o.type);
    if (!d || !d->bytes || (uint64_t)o.bytes > answer->n - head || (size_t)o.bytes % d->bytes ||
        !room(out, (size_t)o.bytes / d->bytes + 1))
      return edge_fail(err, WHET_E_DATA, "an output that is no list of numbers");
    out->n = (size_t)o.bytes / d->bytes;
    o.have = pipe_numbers(d->whet, answer->p + head, 0, out->n, out->v);
  }
  return o.have && out->n ? WHET_OK : edge_fail(err, WHET_E_DATA, "the answer has no output");
}
