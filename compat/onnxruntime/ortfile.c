/* SPDX-License-Identifier: Apache-2.0 */
/* Models in ONNX Runtime's own form (".ort", FlatBuffers with the identifier ORTM) become ONNX messages, which whet
 * reads.
 *
 * Follows the schema ort.fbs of format version 5 and 6: the tables are those of ONNX by other means. What only the
 * original's loader needs (kernels' hashes, edges, saved optimisations) is left out. Bytes are not trusted: wire/fb.h
 * checks every access, nesting and the size of what is written have bounds. */

#include "shim.h"
#include "wire/fb.h"

enum { DEEPEST = 16 }; /* graphs within graphs, types within types */

/* A message that is being written. */
typedef struct text {
  uint8_t *p;
  size_t n, cap;
} text;

/* One conversion. */
typedef struct conversion {
  whet_fb b;
  size_t left;       /* bytes that may still be written: tables may share what they hold */
  bool memory;       /* was refused */
  const char *wrong; /* what cannot be converted */
} conversion;

/* Is there anything that ends it? */
static bool stopped(const conversion *c) { return c->memory || c->wrong || c->b.bad; }

/* May that many bytes be written? */
static bool room(conversion *c, text *t, size_t n) {
  if (stopped(c)) return false;
  if (n > c->left) {
    c->wrong = "it becomes far larger than its file";
    return false;
  }
  c->left -= n;
  if (t->n + n > t->cap) {
    size_t cap = t->cap ? t->cap * 2 : 256;
    while (cap < t->n + n) cap *= 2;
    uint8_t *p = realloc(t->p, cap);
    if (!p) {
      c->memory = true;
      return false;
    }
    t->p = p;
    t->cap = cap;
  }
  return true;
}

/* Protobuf: a varint, and fields of the three wire types that are needed. */
static void put_varint(conversion *c, text *t, uint64_t v) {
  uint8_t buf[10];
  size_t n = 0;
  do buf[n++] = (uint8_t)((v & 127) | (v > 127 ? 128 : 0));
  while (v >>= 7);
  if (!room(c, t, n)) return;
  memcpy(t->p + t->n, buf, n);
  t->n += n;
}
static void put_int(conversion *c, text *t, unsigned field, int64_t v) {
  put_varint(c, t, field << 3);
  put_varint(c, t, (uint64_t)v);
}
static void put_bytes(conversion *c, text *t, unsigned field, const void *p, size_t n) {
  put_varint(c, t, field << 3 | 2);
  put_varint(c, t, n);
  if (!room(c, t, n)) return;
  if (n) memcpy(t->p + t->n, p, n);
  t->n += n;
}
static void put_float(conversion *c, text *t, unsigned field, float v) {
  put_varint(c, t, field << 3 | 5);
  if (!room(c, t, 4)) return;
  memcpy(t->p + t->n, &v, 4);
  t->n += 4;
}
static void put_str(conversion *c, text *t, unsigned field, whet_str s) {
  if (s.n) put_bytes(c, t, field, s.p, s.n);
}
/* A message within another; it is freed. */
static void put_msg(conversion *c, text *t, unsigned field, text *m) {
  put_bytes(c, t, field, m->p, m->n);
  free(m->p);
}

/* Element i of a vector of strings. */
static whet_str string_at(whet_fb_vec v, uint32_t i) {
  size_t at = v.pos + (size_t)i * 4;
  uint32_t step, n;
  memcpy(&step, v.b->p + at, 4);
  bool good = step <= v.b->n - at && v.b->n - at - step >= 4;
  if (good) memcpy(&n, v.b->p + at + step, 4);
  if (!good || n > v.b->n - at - step - 4) {
    if (!v.b->bad) v.b->bad = true, v.b->at = at, v.b->what = "a string";
    return (whet_str){"", 0};
  }
  return (whet_str){(const char *)v.b->p + at + step + 4, n};
}

/* TensorProto of the table Tensor. */
static text tensor_of(conversion *c, whet_fb_table f) {
  text t = {0};
  whet_fb_vec dims = whet__fb_vec(f, 2, 8), raw = whet__fb_vec(f, 4, 1), str = whet__fb_vec(f, 5, 4);
  if (whet__fb_int(f, 6, 8, -1) >= 0) c->wrong = "a tensor lies in another file";
  for (uint32_t i = 0; i < dims.n; i++) put_int(c, &t, 1, whet__fb_vec_int(dims, i, 8));
  put_int(c, &t, 2, whet__fb_int(f, 3, 4, 0));
  for (uint32_t i = 0; i < str.n && !stopped(c); i++) {
    whet_str s = string_at(str, i);
    put_bytes(c, &t, 6, s.p, s.n);
  }
  put_str(c, &t, 8, whet__fb_str(f, 0));
  if (!str.n) put_bytes(c, &t, 9, raw.n ? whet__fb_vec_bytes(raw) : NULL, raw.n);
  return t;
}

/* TypeProto of the table TypeInfo. */
static text type_of(conversion *c, whet_fb_table f, int depth) {
  text t = {0}, inner = {0};
  whet_fb_table v = whet__fb_table(f, 2);
  uint64_t kind = whet__fb_uint(f, 1, 1, 0);
  if (depth > DEEPEST) c->wrong = "types are nested too deeply";
  if (stopped(c) || !whet__fb_there(v)) return t;
  if (kind == 1) {
    put_int(c, &inner, 1, whet__fb_int(v, 0, 4, 0));
    whet_fb_table shape = whet__fb_table(v, 1);
    if (whet__fb_there(shape)) {
      text s = {0};
      whet_fb_vec dim = whet__fb_vec(shape, 0, 4);
      for (uint32_t i = 0; i < dim.n && !stopped(c); i++) {
        text d = {0};
        whet_fb_table x = whet__fb_table(whet__fb_vec_table(dim, i), 0);
        uint64_t how = whet__fb_uint(x, 0, 1, 0);
        if (how == 1) put_int(c, &d, 1, whet__fb_int(x, 1, 8, 0));
        if (how == 2) put_str(c, &d, 2, whet__fb_str(x, 2));
        put_msg(c, &s, 1, &d);
      }
      put_msg(c, &inner, 2, &s);
    }
    put_msg(c, &t, 1, &inner);
  } else if (kind == 2) {
    text e = type_of(c, whet__fb_table(v, 0), depth + 1);
    put_msg(c, &inner, 1, &e);
    put_msg(c, &t, 4, &inner);
  } else if (kind == 3) {
    put_int(c, &inner, 1, whet__fb_int(v, 0, 4, 0));
    text e = type_of(c, whet__fb_table(v, 1), depth + 1);
    put_msg(c, &inner, 2, &e);
    put_msg(c, &t, 5, &inner);
  }
  return t;
}

/* ValueInfoProto of a name: with its type, where the list of ValueInfo has it. */
static text info_of(conversion *c, whet_str name, whet_fb_vec args) {
  text t = {0};
  put_bytes(c, &t, 1, name.p, name.n);
  for (uint32_t i = 0; i < args.n && !stopped(c); i++) {
    whet_fb_table a = whet__fb_vec_table(args, i);
    whet_str s = whet__fb_str(a, 0);
    if (c->left)
      c->left--; /* looking costs, too */
    else
      c->wrong = "it takes too long to look through";
    if (s.n != name.n || memcmp(s.p, name.p, s.n) != 0) continue;
    text y = type_of(c, whet__fb_table(a, 2), 0);
    put_msg(c, &t, 2, &y);
    break;
  }
  return t;
}

static text graph_of(conversion *c, whet_fb_table f, whet_str name, whet_str doc, int depth);

/* AttributeProto of the table Attribute. */
static text attribute_of(conversion *c, whet_fb_table f, int depth) {
  text t = {0};
  int64_t type = whet__fb_int(f, 2, 4, 0);
  put_str(c, &t, 1, whet__fb_str(f, 0));
  put_int(c, &t, 20, type);
  if (type == 1) put_float(c, &t, 2, whet__fb_float(f, 3, 0));
  if (type == 2) put_int(c, &t, 3, whet__fb_int(f, 4, 8, 0));
  if (type == 3) {
    whet_str s = whet__fb_str(f, 5);
    put_bytes(c, &t, 4, s.p, s.n);
  }
  if (type == 4) {
    text x = tensor_of(c, whet__fb_table(f, 6));
    put_msg(c, &t, 5, &x);
  }
  if (type == 5) {
    text x = graph_of(c, whet__fb_table(f, 7), whet__fb_str(f, 0), (whet_str){"", 0}, depth + 1);
    put_msg(c, &t, 6, &x);
  }
  whet_fb_vec v = whet__fb_vec(f, 8, 4);
  for (uint32_t i = 0; type == 6 && i < v.n; i++) put_float(c, &t, 7, whet__fb_vec_float(v, i));
  v = whet__fb_vec(f, 9, 8);
  for (uint32_t i = 0; type == 7 && i < v.n; i++) put_int(c, &t, 8, whet__fb_vec_int(v, i, 8));
  v = whet__fb_vec(f, 10, 4);
  for (uint32_t i = 0; type == 8 && i < v.n && !stopped(c); i++) {
    whet_str s = string_at(v, i);
    put_bytes(c, &t, 9, s.p, s.n);
  }
  v = whet__fb_vec(f, 11, 4);
  for (uint32_t i = 0; type == 9 && i < v.n && !stopped(c); i++) {
    text x = tensor_of(c, whet__fb_vec_table(v, i));
    put_msg(c, &t, 10, &x);
  }
  v = whet__fb_vec(f, 12, 4);
  for (uint32_t i = 0; type == 10 && i < v.n && !stopped(c); i++) {
    text x = graph_of(c, whet__fb_vec_table(v, i), whet__fb_str(f, 0), (whet_str){"", 0}, depth + 1);
    put_msg(c, &t, 11, &x);
  }
  if (type > 10) c->wrong = "an attribute is of a type that is not converted";
  return t;
}

/* NodeProto of the table Node. */
static text node_of(conversion *c, whet_fb_table f, int depth) {
  text t = {0};
  if (whet__fb_int(f, 6, 4, 0) != 0) c->wrong = "a node is compiled for an execution provider";
  for (int list = 0; list < 2; list++) {
    whet_fb_vec v = whet__fb_vec(f, list ? 9 : 8, 4);
    for (uint32_t i = 0; i < v.n && !stopped(c); i++) {
      whet_str s = string_at(v, i);
      put_bytes(c, &t, list ? 2 : 1, s.p, s.n);
    }
  }
  put_str(c, &t, 3, whet__fb_str(f, 0));
  put_str(c, &t, 4, whet__fb_str(f, 5));
  put_str(c, &t, 7, whet__fb_str(f, 2));
  whet_fb_vec v = whet__fb_vec(f, 10, 4);
  for (uint32_t i = 0; i < v.n && !stopped(c); i++) {
    text a = attribute_of(c, whet__fb_vec_table(v, i), depth);
    put_msg(c, &t, 5, &a);
  }
  return t;
}

/* GraphProto of the table Graph. */
static text graph_of(conversion *c, whet_fb_table f, whet_str name, whet_str doc, int depth) {
  text t = {0};
  if (depth > DEEPEST) c->wrong = "graphs are nested too deeply";
  if (stopped(c)) return t;
  whet_fb_vec v = whet__fb_vec(f, 2, 4), args = whet__fb_vec(f, 1, 4);
  for (uint32_t i = 0; i < v.n && !stopped(c); i++) {
    text x = node_of(c, whet__fb_vec_table(v, i), depth);
    put_msg(c, &t, 1, &x);
  }
  put_str(c, &t, 2, name);
  v = whet__fb_vec(f, 0, 4);
  for (uint32_t i = 0; i < v.n && !stopped(c); i++) {
    text x = tensor_of(c, whet__fb_vec_table(v, i));
    put_msg(c, &t, 5, &x);
  }
  if (whet__fb_vec(f, 7, 4).n) c->wrong = "it has sparse initializers";
  put_str(c, &t, 10, doc);
  for (int list = 5; list < 7; list++) {
    v = whet__fb_vec(f, list, 4);
    for (uint32_t i = 0; i < v.n && !stopped(c); i++) {
      text x = info_of(c, string_at(v, i), args);
      put_msg(c, &t, list == 5 ? 11 : 12, &x);
    }
  }
  return t;
}

/* ModelProto of the table Model. */
static text model_of(conversion *c, whet_fb_table f) {
  text t = {0};
  put_int(c, &t, 1, whet__fb_int(f, 0, 8, 0));
  put_str(c, &t, 2, whet__fb_str(f, 2));
  put_str(c, &t, 3, whet__fb_str(f, 3));
  put_str(c, &t, 4, whet__fb_str(f, 4));
  put_int(c, &t, 5, whet__fb_int(f, 5, 8, 0));
  put_str(c, &t, 6, whet__fb_str(f, 6));
  for (int list = 1; list < 10; list += 8) {
    whet_fb_vec v = whet__fb_vec(f, list, 4);
    for (uint32_t i = 0; i < v.n && !stopped(c); i++) {
      text x = {0};
      whet_fb_table e = whet__fb_vec_table(v, i);
      put_str(c, &x, 1, whet__fb_str(e, 0));
      if (list == 1)
        put_int(c, &x, 2, whet__fb_int(e, 1, 8, 0));
      else
        put_str(c, &x, 2, whet__fb_str(e, 1));
      put_msg(c, &t, list == 1 ? 8 : 14, &x);
    }
  }
  text g = graph_of(c, whet__fb_table(f, 7), (whet_str){"", 0}, whet__fb_str(f, 8), 0);
  put_msg(c, &t, 7, &g);
  return t;
}

bool ort_format_is(const void *p, size_t n) { return n >= 8 && !memcmp((const char *)p + 4, "ORTM", 4); }

OrtStatus *ort_format_convert(const void *p, size_t n, void **out, size_t *n_out) {
  conversion c = {.b = {.p = p, .n = n}, .left = n <= SIZE_MAX / 32 ? 16 * n + (16 << 20) : SIZE_MAX};
  whet_fb_table model = whet__fb_table(whet__fb_root(&c.b), 1);
  text t = {0};
  if (!whet__fb_there(model))
    c.wrong = "there is no model in it";
  else
    t = model_of(&c, model);
  if (!c.memory && !c.wrong && !c.b.bad) {
    *out = t.p;
    *n_out = t.n;
    return NULL;
  }
  free(t.p);
  if (c.memory) return no_memory();
  if (c.b.bad) return fail(ORT_INVALID_PROTOBUF, "ORT format model: byte %zu: expected %s", c.b.at, c.b.what);
  return fail(ORT_INVALID_PROTOBUF, "ORT format model: %s", c.wrong);
}
