/* SPDX-License-Identifier: Apache-2.0 */
/* Values in ONNX's test data. Tensors are read by the reader of models (onnx_data.c) into a graph that is thrown
 * away; sequences, maps and optionals (onnx-data.proto) nest at most DEEPEST levels. */

#include "format/onnx_value.h"

#include "format/import.h"
#include "wire/pb.h"

enum { DEEPEST = 16 };

/* What is read into while one file is read. */
struct reading {
  whet_model model; /* pays for everything; only mem and graph are used */
  whet_import im;
  whet_err *err;
};

static whet_status read_value(struct reading *r, whet_span s, whet_kind kind, int depth, whet_value **out);

/* A value of WHET_STRING or numbers out of contents that the graph holds. */
static whet_status copy(struct reading *r, whet_dtype t, const whet_shape *s, const void *p, whet_value **out) {
  if (whet_value_create(t, s->rank, s->d, out)) return whet__fail(r->err, WHET_E_MEMORY, "no memory for a tensor");
  size_t n = whet_value_count(*out);
  if (t != WHET_STRING) {
    if (n) memcpy(whet_value_data(*out), p, whet_value_bytes(*out));
    return WHET_OK;
  }
  const whet_str *str = p;
  for (size_t i = 0; i < n; i++)
    if (whet_value_set_string(*out, i, str[i].p, str[i].n)) {
      whet_value_unref(out);
      return whet__fail(r->err, WHET_E_MEMORY, "no memory for strings");
    }
  return WHET_OK;
}

static whet_status read_tensor(struct reading *r, whet_span s, whet_value **out) {
  whet_ox_tensor t;
  whet_dtype type;
  whet_shape shape;
  const void *p;
  bool mapped;
  WHET_TRY(whet__ox_tensor(s, &r->im.tmp, &t, r->err));
  WHET_TRY(whet__ox_contents(&r->im, &t, &type, &shape, &p, &mapped, r->err));
  return copy(r, type, &shape, p, out);
}

/* The items of field `field` of a sequence message. */
static whet_status read_items(struct reading *r, whet_span s, uint32_t field, whet_kind kind, int depth,
                              whet_value **out) {
  whet_value **item = NULL;
  size_t n = 0, cap = 0;
  whet_pb f;
  whet_status status = WHET_OK;
  while (!status && whet__pb_next(&s, &f)) {
    if (f.field != field || f.wire != WHET_PB_BYTES) continue;
    if (!whet__grow(&r->model.mem, (void **)&item, &cap, n + 1, sizeof *item))
      status = whet__no_memory(&r->model.mem, (n + 1) * sizeof *item, r->err, "a sequence");
    else if (!(status = read_value(r, f.bytes, kind, depth + 1, &item[n])))
      n++;
  }
  if (!status && s.bad) status = whet__fail(r->err, WHET_E_FORMAT, "byte %zu: malformed sequence", s.at);
  if (!status && whet_value_create_sequence(item, n, out))
    status = whet__fail(r->err, WHET_E_MEMORY, "no memory for a sequence");
  for (size_t i = 0; i < n; i++) whet_value_unref(&item[i]);
  whet__free(&r->model.mem, item);
  return status;
}

/* SequenceProto: elem_type (2) says which of the lists 3..7 is meant. */
static whet_status read_sequence(struct reading *r, whet_span s, int depth, whet_value **out) {
  whet_span all = s;
  whet_pb f;
  uint64_t elem = 0;
  while (whet__pb_next(&s, &f))
    if (f.field == 2 && f.wire == WHET_PB_VARINT) elem = f.num;
  switch (elem) {
    case 0:
    case 1:
      return read_items(r, all, 3, WHET_TENSOR, depth, out);
    case 3:
      return read_items(r, all, 5, WHET_SEQUENCE, depth, out);
    case 4:
      return read_items(r, all, 6, WHET_MAP, depth, out);
    case 5:
      return read_items(r, all, 7, WHET_OPTIONAL, depth, out);
    default:
      return whet__fail(r->err, WHET_E_UNSUPPORTED, "a sequence of elements of kind %llu", (unsigned long long)elem);
  }
}

/* OptionalProto: elem_type (2) as for sequences, the item in one of the fields 3..7; none of them: empty. */
static whet_status read_optional(struct reading *r, whet_span s, int depth, whet_value **out) {
  whet_value *item = NULL;
  whet_pb f;
  while (whet__pb_next(&s, &f)) {
    static const whet_kind kind[] = {[3] = WHET_TENSOR, [5] = WHET_SEQUENCE, [6] = WHET_MAP, [7] = WHET_OPTIONAL};
    if (f.field < 3 || f.field > 7 || f.wire != WHET_PB_BYTES || item) continue;
    if (f.field == 4) return whet__fail(r->err, WHET_E_UNSUPPORTED, "an optional sparse tensor");
    WHET_TRY(read_value(r, f.bytes, kind[f.field], depth + 1, &item));
  }
  whet_status status = s.bad ? whet__fail(r->err, WHET_E_FORMAT, "byte %zu: malformed optional", s.at) : WHET_OK;
  if (!status && whet_value_create_optional(item, out))
    status = whet__fail(r->err, WHET_E_MEMORY, "no memory for an optional");
  whet_value_unref(&item);
  return status;
}

/* MapProto: keys (3) as integers or string_keys (4), values (5) as a sequence. */
static whet_status read_map(struct reading *r, whet_span s, int depth, whet_value **out) {
  whet_span all = s;
  whet_pb f;
  whet_value *keys = NULL, *values = NULL;
  whet_status status = WHET_OK;
  size_t n = whet__pb_elements(s, 3, WHET_PB_VARINT), strings = 0;
  while (!status && whet__pb_next(&s, &f)) {
    if (f.field == 4) strings++;
    if (f.field == 5 && f.wire == WHET_PB_BYTES && !values) status = read_sequence(r, f.bytes, depth + 1, &values);
  }
  if (!status && (s.bad || !values)) status = whet__fail(r->err, WHET_E_FORMAT, "byte %zu: malformed map", s.at);
  int64_t dim = (int64_t)(strings ? strings : n);
  if (!status && whet_value_create(strings ? WHET_STRING : WHET_S64, 1, &dim, &keys))
    status = whet__fail(r->err, WHET_E_MEMORY, "no memory for a map");
  if (!status && strings) {
    s = all;
    for (size_t i = 0; !status && whet__pb_next(&s, &f);)
      if (f.field == 4) status = whet_value_set_string(keys, i++, (const char *)f.bytes.p, f.bytes.n);
  } else if (!status) {
    whet_pb_each e = whet__pb_each(all, 3, WHET_PB_VARINT);
    uint64_t bits;
    for (size_t i = 0; i < n && whet__pb_each_next(&e, &bits); i++)
      ((int64_t *)whet_value_data(keys))[i] = (int64_t)bits;
  }
  if (!status && whet_value_create_map(keys, values, out))
    status = whet__fail(r->err, WHET_E_FORMAT, "a map of %lld keys and %zu values", (long long)dim,
                        whet_value_items(values));
  whet_value_unref(&keys);
  whet_value_unref(&values);
  return status;
}

/* One message of a kind. */
static whet_status read_value(struct reading *r, whet_span s, whet_kind kind, int depth, whet_value **out) {
  *out = NULL;
  if (depth > DEEPEST) return whet__fail(r->err, WHET_E_LIMIT, "values nest deeper than %d", DEEPEST);
  switch (kind) {
    case WHET_TENSOR:
      return read_tensor(r, s, out);
    case WHET_SEQUENCE:
      return read_sequence(r, s, depth, out);
    case WHET_MAP:
      return read_map(r, s, depth, out);
    case WHET_OPTIONAL:
      return read_optional(r, s, depth, out);
    default:
      return whet__fail(r->err, WHET_E_UNSUPPORTED, "a value of kind %d", (int)kind);
  }
}

whet_status whet__onnx_value(const void *bytes, size_t n, whet_kind kind, whet_value **out, whet_err *err) {
  struct reading r = {.err = err};
  whet__mem_init(&r.model.mem, NULL, NULL, 0);
  whet__graph_init(&r.model.graph, &r.model.mem);
  r.im.m = &r.model;
  r.im.g = &r.model.graph;
  r.im.err = err;
  whet__arena_init(&r.im.tmp, &r.model.mem);
  whet_status s = read_value(&r, whet__span(bytes, n), kind, 0, out);
  whet__arena_free(&r.im.tmp);
  whet__graph_free(&r.model.graph);
  return s;
}
