/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX messages from bytes: one function for each message of onnx.proto, field numbers as there. */

#include "wire/onnx.h"

#include <stdio.h>

#include "wire/pb.h"

/* What all readers share. */
struct rd {
  whet_arena *a;
  whet_err *err;
  int64_t nodes; /* that may still come */
  int32_t depth; /* of nested messages that may still come */
};

enum { MAX_TYPE_DEPTH = 16 };

static whet_status read_graph(struct rd *r, whet_span s, const whet_ox_graph **out);

whet_dtype whet__ox_dtype(int64_t code) {
  static const uint8_t k_type[] = {WHET_NONE,       WHET_F32,    WHET_U8,         WHET_S8,   WHET_U16,  WHET_S16,
                                   WHET_S32,        WHET_S64,    WHET_STRING,     WHET_BOOL, WHET_F16,  WHET_F64,
                                   WHET_U32,        WHET_U64,    WHET_C64,        WHET_C128, WHET_BF16, WHET_F8E4M3FN,
                                   WHET_F8E4M3FNUZ, WHET_F8E5M2, WHET_F8E5M2FNUZ, WHET_U4,   WHET_S4,   WHET_F4E2M1,
                                   WHET_F8E8M0,     WHET_U2,     WHET_S2,         WHET_F6E2M3, WHET_F6E3M2};
  return code >= 0 && code < (int64_t)sizeof k_type ? (whet_dtype)k_type[code] : WHET_NONE;
}

const char *whet__ox_attr_type_name(int32_t type) {
  static const char *const k_name[] = {"undefined",      "float", "int",     "string",  "tensor", "graph",
                                       "floats",         "ints",  "strings", "tensors", "graphs", "sparse tensor",
                                       "sparse tensors", "type",  "types"};
  return type >= 0 && (size_t)type < WHET_COUNT(k_name) ? k_name[type] : "unknown";
}

/* Fail because bytes of message `what` are malformed at a place. */
static whet_status malformed(struct rd *r, size_t at, const char *what) {
  return whet__fail(r->err, WHET_E_FORMAT, "byte %zu, in %s: a field is malformed or cut off", at, what);
}

static whet_status no_room(struct rd *r, size_t n) {
  return whet__no_memory(r->a->mem, n, r->err, "reading the model");
}

/* n zeroed elements in the arena. */
static whet_status room(struct rd *r, size_t n, size_t each, void *out) {
  void *p = whet__arena_array(r->a, n, each);
  memcpy(out, &p, sizeof p);
  return p ? WHET_OK : no_room(r, n * each);
}

/* A field that must be length-delimited. */
static whet_status want_bytes(struct rd *r, const whet_pb *f, const char *what) {
  if (f->wire == WHET_PB_BYTES) return WHET_OK;
  return whet__fail(r->err, WHET_E_FORMAT, "byte %zu, in %s: field %u has wire type %u, expected 2 (bytes)", f->at,
                    what, f->field, f->wire);
}

/* A copy of a string field. Names are handled as C strings, so none may hold a zero byte. */
static whet_status read_str(struct rd *r, const whet_pb *f, const char *what, whet_str *out) {
  WHET_TRY(want_bytes(r, f, what));
  char *p = whet__arena_str(r->a, (const char *)f->bytes.p, f->bytes.n);
  if (!p) return no_room(r, f->bytes.n);
  if (strlen(p) != f->bytes.n)
    return whet__fail(r->err, WHET_E_FORMAT, "byte %zu, in %s: a name holds a zero byte", f->at, what);
  *out = (whet_str){p, f->bytes.n};
  return WHET_OK;
}

/* A copy of bytes that may hold anything. */
static whet_status read_bytes(struct rd *r, const whet_pb *f, const char *what, whet_str *out) {
  WHET_TRY(want_bytes(r, f, what));
  char *p = whet__arena_str(r->a, (const char *)f->bytes.p, f->bytes.n);
  if (!p) return no_room(r, f->bytes.n);
  *out = (whet_str){p, f->bytes.n};
  return WHET_OK;
}

static whet_status read_int(struct rd *r, const whet_pb *f, const char *what, int64_t *out) {
  *out = (int64_t)f->num;
  if (f->wire != WHET_PB_VARINT)
    return whet__fail(r->err, WHET_E_FORMAT, "byte %zu, in %s: field %u has wire type %u, expected 0 (varint)", f->at,
                      what, f->field, f->wire);
  return WHET_OK;
}

/* An int32 or enum field: numbers that do not fit become -1, which is none of ours. */
static whet_status read_i32(struct rd *r, const whet_pb *f, const char *what, int32_t *out) {
  int64_t v;
  WHET_TRY(read_int(r, f, what, &v));
  *out = v >= INT32_MIN && v <= INT32_MAX ? (int32_t)v : -1;
  return WHET_OK;
}

/* Counts of all fields of a message, for the lists that are to be made. */
static whet_status count(struct rd *r, whet_span s, uint32_t *n, uint32_t max, const char *what) {
  size_t at;
  if (!whet__pb_count(s, n, max, &at)) return malformed(r, at, what);
  for (uint32_t i = 0; i < max; i++)
    if (n[i] > INT32_MAX / 2) return whet__fail(r->err, WHET_E_LIMIT, "%s has %u times field %u", what, n[i], i);
  return WHET_OK;
}

/* A repeated int64 field. */
static whet_status read_ints(struct rd *r, whet_span s, uint32_t field, const char *what, const int64_t **out,
                             int32_t *n) {
  size_t have = whet__pb_elements(s, field, WHET_PB_VARINT), got = 0;
  int64_t *v;
  uint64_t bits;
  if (have > INT32_MAX) return whet__fail(r->err, WHET_E_LIMIT, "%s has a list of %zu numbers", what, have);
  WHET_TRY(room(r, have, sizeof *v, &v));
  whet_pb_each e = whet__pb_each(s, field, WHET_PB_VARINT);
  while (got < have && whet__pb_each_next(&e, &bits)) v[got++] = (int64_t)bits;
  if (e.msg.bad) return malformed(r, e.msg.at, what);
  *out = v;
  *n = (int32_t)got;
  return WHET_OK;
}

static whet_status read_floats(struct rd *r, whet_span s, uint32_t field, const char *what, const float **out,
                               int32_t *n) {
  size_t have = whet__pb_elements(s, field, WHET_PB_FIXED32), got = 0;
  float *v;
  uint64_t bits;
  if (have > INT32_MAX) return whet__fail(r->err, WHET_E_LIMIT, "%s has a list of %zu numbers", what, have);
  WHET_TRY(room(r, have, sizeof *v, &v));
  whet_pb_each e = whet__pb_each(s, field, WHET_PB_FIXED32);
  while (got < have && whet__pb_each_next(&e, &bits)) v[got++] = whet__pb_float(bits);
  if (e.msg.bad) return malformed(r, e.msg.at, what);
  *out = v;
  *n = (int32_t)got;
  return WHET_OK;
}

/* A decimal number of an external_data entry. */
static bool decimal(whet_str s, uint64_t *out) {
  uint64_t v = 0;
  if (!s.n) return false;
  for (size_t i = 0; i < s.n; i++) {
    unsigned d = (unsigned)(s.p[i] - '0');
    if (d > 9 || v > (UINT64_MAX - d) / 10) return false;
    v = v * 10 + d;
  }
  *out = v;
  return true;
}

/* StringStringEntryProto. */
static whet_status read_prop(struct rd *r, whet_span s, whet_ox_prop *out) {
  whet_pb f;
  *out = (whet_ox_prop){{"", 0}, {"", 0}};
  while (whet__pb_next(&s, &f)) {
    if (f.field == 1) WHET_TRY(read_str(r, &f, "StringStringEntryProto", &out->key));
    if (f.field == 2) WHET_TRY(read_bytes(r, &f, "StringStringEntryProto", &out->value));
  }
  return s.bad ? malformed(r, s.at, "StringStringEntryProto") : WHET_OK;
}

/* One external_data entry of a tensor; keys that we do not know (checksum) are left alone. */
static whet_status read_external(struct rd *r, const whet_pb *f, whet_ox_tensor *t) {
  whet_ox_prop p;
  WHET_TRY(want_bytes(r, f, "TensorProto"));
  WHET_TRY(read_prop(r, f->bytes, &p));
  bool ok = true;
  if (whet__str_is(p.key, "location")) {
    t->location = p.value;
    ok = !memchr(p.value.p, 0, p.value.n);
  } else if (whet__str_is(p.key, "offset")) {
    ok = decimal(p.value, &t->offset);
  } else if (whet__str_is(p.key, "length")) {
    ok = t->has_length = decimal(p.value, &t->length);
  }
  return ok ? WHET_OK
            : whet__fail(r->err, WHET_E_FORMAT, "byte %zu: external data of tensor \"%.60s\": %.20s is \"%.60s\"",
                         f->at, t->name.p, p.key.p, p.value.p);
}

static whet_status read_tensor(struct rd *r, whet_span s, whet_ox_tensor *out) {
  static const char what[] = "TensorProto";
  whet_pb f;
  *out = (whet_ox_tensor){.name = {"", 0}, .location = {"", 0}, .self = s};
  WHET_TRY(read_ints(r, s, 1, what, &out->dim, &out->n_dim));
  while (whet__pb_next(&s, &f)) {
    switch (f.field) {
      case 2:
        WHET_TRY(read_i32(r, &f, what, &out->type));
        break;
      case 3:
        return whet__fail(r->err, WHET_E_UNSUPPORTED, "byte %zu: a tensor stored in segments", f.at);
      case 8:
        WHET_TRY(read_str(r, &f, what, &out->name));
        break;
      case 9:
        WHET_TRY(want_bytes(r, &f, what));
        out->raw = f.bytes;
        out->has_raw = true;
        break;
      case 13:
        WHET_TRY(read_external(r, &f, out));
        break;
      case 14: {
        int64_t where;
        WHET_TRY(read_int(r, &f, what, &where));
        out->external = where == 1;
        break;
      }
      default:
        break;
    }
  }
  return s.bad ? malformed(r, s.at, what) : WHET_OK;
}

whet_status whet__ox_tensor(whet_span s, whet_arena *a, whet_ox_tensor *out, whet_err *err) {
  struct rd r = {.a = a, .err = err};
  return read_tensor(&r, s, out);
}

static whet_status read_sparse(struct rd *r, whet_span s, whet_ox_sparse *out) {
  static const char what[] = "SparseTensorProto";
  whet_pb f;
  *out = (whet_ox_sparse){.at = s.at};
  out->values.name = out->indices.name = out->values.location = out->indices.location = (whet_str){"", 0};
  WHET_TRY(read_ints(r, s, 3, what, &out->dim, &out->n_dim));
  while (whet__pb_next(&s, &f)) {
    if (f.field != 1 && f.field != 2) continue;
    WHET_TRY(want_bytes(r, &f, what));
    WHET_TRY(read_tensor(r, f.bytes, f.field == 1 ? &out->values : &out->indices));
  }
  return s.bad ? malformed(r, s.at, what) : WHET_OK;
}

/* TensorShapeProto. */
static whet_status read_shape(struct rd *r, whet_span s, whet_ox_type *t) {
  static const char what[] = "TensorShapeProto";
  uint32_t n[2];
  whet_ox_dim *dim;
  whet_pb f, k;
  WHET_TRY(count(r, s, n, 2, what));
  WHET_TRY(room(r, n[1], sizeof *dim, &dim));
  t->has_shape = true;
  t->dim = dim;
  while (whet__pb_next(&s, &f)) {
    if (f.field != 1 || (uint32_t)t->n_dim == n[1]) continue;
    WHET_TRY(want_bytes(r, &f, what));
    whet_ox_dim *d = &dim[t->n_dim++];
    d->param = (whet_str){"", 0};
    whet_span ds = f.bytes;
    while (whet__pb_next(&ds, &k)) {
      if (k.field == 1) {
        WHET_TRY(read_int(r, &k, what, &d->value));
        d->has_value = true;
      }
      if (k.field == 2) WHET_TRY(read_str(r, &k, what, &d->param));
    }
    if (ds.bad) return malformed(r, ds.at, what);
  }
  return WHET_OK;
}

/* TypeProto, or the message inside one of its kinds. */
static whet_status read_type(struct rd *r, whet_span s, int depth, const whet_ox_type **out) {
  static const char what[] = "TypeProto";
  whet_ox_type *t;
  whet_pb f, k;
  if (depth > MAX_TYPE_DEPTH)
    return whet__fail(r->err, WHET_E_LIMIT, "byte %zu: types are nested more than %d deep", s.at, MAX_TYPE_DEPTH);
  WHET_TRY(room(r, 1, sizeof *t, &t));
  while (whet__pb_next(&s, &f)) {
    /* 1 tensor, 4 sequence, 5 map, 8 sparse tensor, 9 optional; 6 denotation, 7 opaque */
    if (f.field == 7) return whet__fail(r->err, WHET_E_UNSUPPORTED, "byte %zu: a value of an opaque type", f.at);
    if (f.field != 1 && f.field != 4 && f.field != 5 && f.field != 8 && f.field != 9) continue;
    WHET_TRY(want_bytes(r, &f, what));
    bool tensor = f.field == 1 || f.field == 8;
    t->kind = tensor ? WHET_TENSOR : f.field == 4 ? WHET_SEQUENCE : f.field == 5 ? WHET_MAP : WHET_OPTIONAL;
    t->sparse = f.field == 8;
    whet_span in = f.bytes;
    while (whet__pb_next(&in, &k)) {
      if (k.field == 1 && tensor)
        WHET_TRY(read_i32(r, &k, what, &t->elem_type));
      else if (k.field == 1 && f.field == 5)
        WHET_TRY(read_i32(r, &k, what, &t->key_type));
      else if (k.field == 1 + (f.field == 5) || (tensor && k.field == 2)) {
        WHET_TRY(want_bytes(r, &k, what));
        WHET_TRY(tensor ? read_shape(r, k.bytes, t) : read_type(r, k.bytes, depth + 1, &t->elem));
      }
    }
    if (in.bad) return malformed(r, in.at, what);
  }
  if (s.bad) return malformed(r, s.at, what);
  *out = t;
  return WHET_OK;
}

/* ValueInfoProto. */
static whet_status read_info(struct rd *r, whet_span s, whet_ox_info *out) {
  static const char what[] = "ValueInfoProto";
  whet_pb f;
  *out = (whet_ox_info){{"", 0}, NULL};
  while (whet__pb_next(&s, &f)) {
    if (f.field == 1) WHET_TRY(read_str(r, &f, what, &out->name));
    if (f.field == 2) {
      WHET_TRY(want_bytes(r, &f, what));
      WHET_TRY(read_type(r, f.bytes, 0, &out->type));
    }
  }
  return s.bad ? malformed(r, s.at, what) : WHET_OK;
}

/* The type of an attribute that does not say it: old writers left the field out. */
static int32_t guess_type(const uint32_t *n) {
  static const uint8_t k_of_field[24] = {
      [2] = WHET_OX_FLOAT,    [3] = WHET_OX_INT,     [4] = WHET_OX_STRING,  [5] = WHET_OX_TENSOR,
      [6] = WHET_OX_GRAPH,    [7] = WHET_OX_FLOATS,  [8] = WHET_OX_INTS,    [9] = WHET_OX_STRINGS,
      [10] = WHET_OX_TENSORS, [11] = WHET_OX_GRAPHS, [22] = WHET_OX_SPARSE, [14] = WHET_OX_TYPE};
  for (int i = 0; i < 24; i++)
    if (n[i] && k_of_field[i]) return k_of_field[i];
  return 0;
}

/* One message inside an attribute, in the arena. */
static whet_status read_attr_tensor(struct rd *r, const whet_pb *f, const whet_ox_tensor **out) {
  whet_ox_tensor *t;
  WHET_TRY(want_bytes(r, f, "AttributeProto"));
  WHET_TRY(room(r, 1, sizeof *t, &t));
  *out = t;
  return read_tensor(r, f->bytes, t);
}
static whet_status read_attr_sparse(struct rd *r, const whet_pb *f, const whet_ox_sparse **out) {
  whet_ox_sparse *t;
  WHET_TRY(want_bytes(r, f, "AttributeProto"));
  WHET_TRY(room(r, 1, sizeof *t, &t));
  *out = t;
  return read_sparse(r, f->bytes, t);
}

static whet_status read_attr(struct rd *r, whet_span s, whet_ox_attr *out) {
  static const char what[] = "AttributeProto";
  uint32_t n[24];
  whet_span all = s;
  whet_str *strings = NULL;
  whet_ox_tensor *tensors = NULL;
  int32_t n_strings = 0, n_tensors = 0;
  whet_pb f;
  *out = (whet_ox_attr){.name = {"", 0}, .ref = {"", 0}, .s = {"", 0}};
  WHET_TRY(count(r, s, n, 24, what));
  WHET_TRY(room(r, n[9], sizeof *strings, &strings));
  WHET_TRY(room(r, n[10], sizeof *tensors, &tensors));
  while (whet__pb_next(&s, &f)) {
    switch (f.field) {
      case 1:
        WHET_TRY(read_str(r, &f, what, &out->name));
        break;
      case 2:
        if (f.wire != WHET_PB_FIXED32) return malformed(r, f.at, what);
        out->f = whet__pb_float(f.num);
        break;
      case 3:
        WHET_TRY(read_int(r, &f, what, &out->i));
        break;
      case 4:
        WHET_TRY(read_bytes(r, &f, what, &out->s));
        break;
      case 5:
        WHET_TRY(read_attr_tensor(r, &f, &out->t));
        break;
      case 6:
        WHET_TRY(want_bytes(r, &f, what));
        WHET_TRY(read_graph(r, f.bytes, &out->g));
        break;
      case 9:
        if ((uint32_t)n_strings < n[9]) WHET_TRY(read_bytes(r, &f, what, &strings[n_strings++]));
        break;
      case 10:
        WHET_TRY(want_bytes(r, &f, what));
        if ((uint32_t)n_tensors < n[10]) WHET_TRY(read_tensor(r, f.bytes, &tensors[n_tensors++]));
        break;
      case 14:
        WHET_TRY(want_bytes(r, &f, what));
        WHET_TRY(read_type(r, f.bytes, 0, &out->tp));
        break;
      case 20:
        WHET_TRY(read_i32(r, &f, what, &out->type));
        break;
      case 21:
        WHET_TRY(read_str(r, &f, what, &out->ref));
        break;
      case 22:
        WHET_TRY(read_attr_sparse(r, &f, &out->sparse));
        break;
      default:
        break;
    }
  }
  if (s.bad) return malformed(r, s.at, what);
  if (!out->type) out->type = guess_type(n);
  out->strings = strings;
  out->tensors = tensors;
  if (out->type == WHET_OX_FLOATS) return read_floats(r, all, 7, what, &out->floats, &out->n);
  if (out->type == WHET_OX_INTS) return read_ints(r, all, 8, what, &out->ints, &out->n);
  out->n = out->type == WHET_OX_TENSORS ? n_tensors : n_strings;
  return WHET_OK;
}

static whet_status read_node(struct rd *r, whet_span s, whet_ox_node *out) {
  static const char what[] = "NodeProto";
  uint32_t n[9];
  whet_str *in, *o;
  whet_ox_attr *attr;
  whet_pb f;
  if (r->nodes-- <= 0)
    return whet__fail(r->err, WHET_E_LIMIT, "byte %zu: the file has more nodes than the limit allows", s.at);
  *out = (whet_ox_node){.name = {"", 0}, .op = {"", 0}, .domain = {"", 0}, .overload = {"", 0}, .at = s.at};
  WHET_TRY(count(r, s, n, 9, what));
  WHET_TRY(room(r, n[1], sizeof *in, &in));
  WHET_TRY(room(r, n[2], sizeof *o, &o));
  WHET_TRY(room(r, n[5], sizeof *attr, &attr));
  out->in = in;
  out->out = o;
  out->attr = attr;
  while (whet__pb_next(&s, &f)) {
    switch (f.field) {
      case 1:
        if ((uint32_t)out->n_in < n[1]) WHET_TRY(read_str(r, &f, what, &in[out->n_in++]));
        break;
      case 2:
        if ((uint32_t)out->n_out < n[2]) WHET_TRY(read_str(r, &f, what, &o[out->n_out++]));
        break;
      case 3:
        WHET_TRY(read_str(r, &f, what, &out->name));
        break;
      case 4:
        WHET_TRY(read_str(r, &f, what, &out->op));
        break;
      case 5:
        WHET_TRY(want_bytes(r, &f, what));
        if ((uint32_t)out->n_attr < n[5]) WHET_TRY(read_attr(r, f.bytes, &attr[out->n_attr++]));
        break;
      case 7:
        WHET_TRY(read_str(r, &f, what, &out->domain));
        break;
      case 8:
        WHET_TRY(read_str(r, &f, what, &out->overload));
        break;
      default:
        break;
    }
  }
  return s.bad ? malformed(r, s.at, what) : WHET_OK;
}

static whet_status read_opset(struct rd *r, whet_span s, whet_ox_opset *out) {
  static const char what[] = "OperatorSetIdProto";
  whet_pb f;
  *out = (whet_ox_opset){{"", 0}, 0};
  while (whet__pb_next(&s, &f)) {
    if (f.field == 1) WHET_TRY(read_str(r, &f, what, &out->domain));
    if (f.field == 2) WHET_TRY(read_int(r, &f, what, &out->version));
  }
  return s.bad ? malformed(r, s.at, what) : WHET_OK;
}

static whet_status graph_fields(struct rd *r, whet_span s, whet_ox_graph *g) {
  static const char what[] = "GraphProto";
  uint32_t n[16];
  whet_ox_node *node;
  whet_ox_tensor *init;
  whet_ox_sparse *sparse;
  whet_ox_info *in, *out, *info;
  whet_pb f;
  WHET_TRY(count(r, s, n, 16, what));
  if (n[1] > r->nodes)
    return whet__fail(r->err, WHET_E_LIMIT, "a graph of %u nodes; the limit is %lld", n[1], (long long)r->nodes);
  WHET_TRY(room(r, n[1], sizeof *node, &node));
  WHET_TRY(room(r, n[5], sizeof *init, &init));
  WHET_TRY(room(r, n[15], sizeof *sparse, &sparse));
  WHET_TRY(room(r, n[11], sizeof *in, &in));
  WHET_TRY(room(r, n[12], sizeof *out, &out));
  WHET_TRY(room(r, n[13], sizeof *info, &info));
  *g = (whet_ox_graph){.name = {"", 0},
                       .doc = {"", 0},
                       .node = node,
                       .init = init,
                       .sparse = sparse,
                       .in = in,
                       .out = out,
                       .info = info};
  while (whet__pb_next(&s, &f)) {
    if (f.field <= 15 && n[f.field]) WHET_TRY(want_bytes(r, &f, what));
    switch (f.field) {
      case 1:
        if ((uint32_t)g->n_node < n[1]) WHET_TRY(read_node(r, f.bytes, &node[g->n_node++]));
        break;
      case 2:
        WHET_TRY(read_str(r, &f, what, &g->name));
        break;
      case 5:
        if ((uint32_t)g->n_init < n[5]) WHET_TRY(read_tensor(r, f.bytes, &init[g->n_init++]));
        break;
      case 10:
        WHET_TRY(read_bytes(r, &f, what, &g->doc));
        break;
      case 11:
        if ((uint32_t)g->n_in < n[11]) WHET_TRY(read_info(r, f.bytes, &in[g->n_in++]));
        break;
      case 12:
        if ((uint32_t)g->n_out < n[12]) WHET_TRY(read_info(r, f.bytes, &out[g->n_out++]));
        break;
      case 13:
        if ((uint32_t)g->n_info < n[13]) WHET_TRY(read_info(r, f.bytes, &info[g->n_info++]));
        break;
      case 15:
        if ((uint32_t)g->n_sparse < n[15]) WHET_TRY(read_sparse(r, f.bytes, &sparse[g->n_sparse++]));
        break;
      default:
        break;
    }
  }
  return s.bad ? malformed(r, s.at, what) : WHET_OK;
}

static whet_status read_graph(struct rd *r, whet_span s, const whet_ox_graph **out) {
  whet_ox_graph *g;
  if (r->depth-- <= 0)
    return whet__fail(r->err, WHET_E_LIMIT, "byte %zu: graphs are nested deeper than the limit allows", s.at);
  WHET_TRY(room(r, 1, sizeof *g, &g));
  WHET_TRY(graph_fields(r, s, g));
  r->depth++;
  *out = g;
  return WHET_OK;
}

static whet_status read_function(struct rd *r, whet_span s, whet_ox_function *out) {
  static const char what[] = "FunctionProto";
  uint32_t n[14];
  whet_str *in, *o;
  whet_ox_attr *dflt;
  whet_ox_node *node;
  whet_ox_opset *opset;
  whet_pb f;
  WHET_TRY(count(r, s, n, 14, what));
  if (n[7] > r->nodes)
    return whet__fail(r->err, WHET_E_LIMIT, "a function of %u nodes; the limit is %lld", n[7], (long long)r->nodes);
  WHET_TRY(room(r, n[4], sizeof *in, &in));
  WHET_TRY(room(r, n[5], sizeof *o, &o));
  WHET_TRY(room(r, n[11], sizeof *dflt, &dflt));
  WHET_TRY(room(r, n[7], sizeof *node, &node));
  WHET_TRY(room(r, n[9], sizeof *opset, &opset));
  *out = (whet_ox_function){.name = {"", 0},
                            .domain = {"", 0},
                            .overload = {"", 0},
                            .in = in,
                            .out = o,
                            .dflt = dflt,
                            .node = node,
                            .opset = opset};
  while (whet__pb_next(&s, &f)) {
    switch (f.field) {
      case 1:
        WHET_TRY(read_str(r, &f, what, &out->name));
        break;
      case 4:
        if ((uint32_t)out->n_in < n[4]) WHET_TRY(read_str(r, &f, what, &in[out->n_in++]));
        break;
      case 5:
        if ((uint32_t)out->n_out < n[5]) WHET_TRY(read_str(r, &f, what, &o[out->n_out++]));
        break;
      case 7:
        WHET_TRY(want_bytes(r, &f, what));
        if ((uint32_t)out->n_node < n[7]) WHET_TRY(read_node(r, f.bytes, &node[out->n_node++]));
        break;
      case 9:
        WHET_TRY(want_bytes(r, &f, what));
        if ((uint32_t)out->n_opset < n[9]) WHET_TRY(read_opset(r, f.bytes, &opset[out->n_opset++]));
        break;
      case 10:
        WHET_TRY(read_str(r, &f, what, &out->domain));
        break;
      case 11:
        WHET_TRY(want_bytes(r, &f, what));
        if ((uint32_t)out->n_dflt < n[11]) WHET_TRY(read_attr(r, f.bytes, &dflt[out->n_dflt++]));
        break;
      case 13:
        WHET_TRY(read_str(r, &f, what, &out->overload));
        break;
      default:
        break;
    }
  }
  return s.bad ? malformed(r, s.at, what) : WHET_OK;
}

whet_status whet__ox_model(whet_span s, whet_arena *a, int64_t nodes, int32_t depth, whet_ox_model *m,
                           whet_err *err) {
  static const char what[] = "ModelProto";
  struct rd reader = {a, err, nodes, depth}, *r = &reader;
  uint32_t n[26];
  whet_ox_opset *opset;
  whet_ox_function *fn;
  whet_ox_prop *prop;
  whet_pb f;
  WHET_TRY(count(r, s, n, 26, what));
  if (n[7] > 1) return whet__fail(err, WHET_E_FORMAT, "the model has %u graphs, expected one", n[7]);
  WHET_TRY(room(r, n[8], sizeof *opset, &opset));
  WHET_TRY(room(r, n[25], sizeof *fn, &fn));
  WHET_TRY(room(r, n[14], sizeof *prop, &prop));
  *m = (whet_ox_model){.producer = {"", 0},
                       .producer_version = {"", 0},
                       .domain = {"", 0},
                       .doc = {"", 0},
                       .opset = opset,
                       .fn = fn,
                       .prop = prop};
  while (whet__pb_next(&s, &f)) {
    switch (f.field) {
      case 1:
        WHET_TRY(read_int(r, &f, what, &m->ir_version));
        break;
      case 2:
        WHET_TRY(read_bytes(r, &f, what, &m->producer));
        break;
      case 3:
        WHET_TRY(read_bytes(r, &f, what, &m->producer_version));
        break;
      case 4:
        WHET_TRY(read_bytes(r, &f, what, &m->domain));
        break;
      case 5:
        WHET_TRY(read_int(r, &f, what, &m->version));
        break;
      case 6:
        WHET_TRY(read_bytes(r, &f, what, &m->doc));
        break;
      case 7:
        WHET_TRY(want_bytes(r, &f, what));
        WHET_TRY(read_graph(r, f.bytes, &m->graph));
        break;
      case 8:
        WHET_TRY(want_bytes(r, &f, what));
        if ((uint32_t)m->n_opset < n[8]) WHET_TRY(read_opset(r, f.bytes, &opset[m->n_opset++]));
        break;
      case 14:
        WHET_TRY(want_bytes(r, &f, what));
        if ((uint32_t)m->n_prop < n[14]) WHET_TRY(read_prop(r, f.bytes, &prop[m->n_prop++]));
        break;
      case 25:
        WHET_TRY(want_bytes(r, &f, what));
        if ((uint32_t)m->n_fn < n[25]) WHET_TRY(read_function(r, f.bytes, &fn[m->n_fn++]));
        break;
      default:
        break;
    }
  }
  return s.bad ? malformed(r, s.at, what) : WHET_OK;
}

bool whet__ox_looks_like_model(const void *p, size_t n) {
  /* Wire type of each field of ModelProto, 1 and up; 9: no such field. */
  static const uint8_t k_wire[] = {9, 0, 2, 2, 2, 0, 2, 2, 2, 9, 9, 9, 9, 9, 2, 9, 9, 9, 9, 9, 2, 9, 9, 9, 9, 2, 2};
  whet_span s = whet__span(p, n);
  uint64_t tag = whet__span_varint(&s);
  return !s.bad && tag >> 3 < sizeof k_wire && k_wire[tag >> 3] == (tag & 7);
}
