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

/* One conversion. */
typedef struct conversion {
  whet_fb b;
  whet_mem *mem;     /* its limit bounds what is written: tables may share what they hold */
  size_t looks;      /* how often a list may still be looked through */
  bool full;         /* memory was refused */
  const char *wrong; /* what cannot be converted */
} conversion;

/* Is there anything that ends it? */
static bool stopped(const conversion *c) { return c->full || c->wrong || c->b.bad; }

static void put_text(whet_text *t, uint32_t field, whet_str s) {
  if (s.n) whet__pb_put_bytes(t, field, s.p, s.n);
}
/* A message within another; it is freed. */
static void put(conversion *c, whet_text *t, uint32_t field, whet_text *m) {
  whet__pb_put_message(t, field, m);
  c->full |= t->bad;
}

/* TensorProto of the table Tensor. */
static whet_text tensor_of(conversion *c, whet_fb_table f) {
  whet_text t = {.mem = c->mem};
  whet_fb_vec dims = whet__fb_vec(f, 2, 8), raw = whet__fb_vec(f, 4, 1), str = whet__fb_vec(f, 5, 4);
  if (whet__fb_int(f, 6, 8, -1) >= 0) c->wrong = "a tensor lies in another file";
  for (uint32_t i = 0; i < dims.n; i++) whet__pb_put_int(&t, 1, whet__fb_vec_int(dims, i, 8));
  whet__pb_put_int(&t, 2, whet__fb_int(f, 3, 4, 0));
  for (uint32_t i = 0; i < str.n && !stopped(c); i++) {
    whet_str s = whet__fb_vec_str(str, i);
    whet__pb_put_bytes(&t, 6, s.p, s.n);
  }
  put_text(&t, 8, whet__fb_str(f, 0));
  if (!str.n) whet__pb_put_bytes(&t, 9, raw.n ? (const void *)whet__fb_vec_bytes(raw) : "", raw.n);
  return t;
}

/* TypeProto of the table TypeInfo. */
static whet_text type_of(conversion *c, whet_fb_table f, int depth) {
  whet_text t = {.mem = c->mem}, inner = t;
  whet_fb_table v = whet__fb_table(f, 2);
  uint64_t kind = whet__fb_uint(f, 1, 1, 0);
  if (depth > DEEPEST) c->wrong = "types are nested too deeply";
  if (stopped(c) || !whet__fb_there(v)) return t;
  if (kind == 1) {
    whet__pb_put_int(&inner, 1, whet__fb_int(v, 0, 4, 0));
    whet_fb_table shape = whet__fb_table(v, 1);
    if (whet__fb_there(shape)) {
      whet_text s = {.mem = c->mem};
      whet_fb_vec dim = whet__fb_vec(shape, 0, 4);
      for (uint32_t i = 0; i < dim.n && !stopped(c); i++) {
        whet_text d = {.mem = c->mem};
        whet_fb_table x = whet__fb_table(whet__fb_vec_table(dim, i), 0);
        uint64_t how = whet__fb_uint(x, 0, 1, 0);
        if (how == 1) whet__pb_put_int(&d, 1, whet__fb_int(x, 1, 8, 0));
        if (how == 2) put_text(&d, 2, whet__fb_str(x, 2));
        put(c, &s, 1, &d);
      }
      put(c, &inner, 2, &s);
    }
    put(c, &t, 1, &inner);
  } else if (kind == 2) {
    whet_text e = type_of(c, whet__fb_table(v, 0), depth + 1);
    put(c, &inner, 1, &e);
    put(c, &t, 4, &inner);
  } else if (kind == 3) {
    whet__pb_put_int(&inner, 1, whet__fb_int(v, 0, 4, 0));
    whet_text e = type_of(c, whet__fb_table(v, 1), depth + 1);
    put(c, &inner, 2, &e);
    put(c, &t, 5, &inner);
  }
  return t;
}

/* ValueInfoProto of a name: with its type, where the list of ValueInfo has it. */
static whet_text info_of(conversion *c, whet_str name, whet_fb_vec args) {
  whet_text t = {.mem = c->mem};
  whet__pb_put_bytes(&t, 1, name.p, name.n);
  for (uint32_t i = 0; i < args.n && !stopped(c); i++) {
    whet_fb_table a = whet__fb_vec_table(args, i);
    whet_str s = whet__fb_str(a, 0);
    if (!c->looks--) c->wrong = "it takes too long to look through";
    if (s.n != name.n || memcmp(s.p, name.p, s.n) != 0) continue;
    whet_text y = type_of(c, whet__fb_table(a, 2), 0);
    put(c, &t, 2, &y);
    break;
  }
  return t;
}

static whet_text graph_of(conversion *c, whet_fb_table f, whet_str name, whet_str doc, int depth);

/* AttributeProto of the table Attribute. */
static whet_text attribute_of(conversion *c, whet_fb_table f, int depth) {
  whet_text t = {.mem = c->mem};
  int64_t type = whet__fb_int(f, 2, 4, 0);
  put_text(&t, 1, whet__fb_str(f, 0));
  whet__pb_put_int(&t, 20, type);
  if (type == 1) whet__pb_put_float(&t, 2, whet__fb_float(f, 3, 0));
  if (type == 2) whet__pb_put_int(&t, 3, whet__fb_int(f, 4, 8, 0));
  if (type == 3) {
    whet_str s = whet__fb_str(f, 5);
    whet__pb_put_bytes(&t, 4, s.p, s.n);
  }
  if (type == 4) {
    whet_text x = tensor_of(c, whet__fb_table(f, 6));
    put(c, &t, 5, &x);
  }
  if (type == 5) {
    whet_text x = graph_of(c, whet__fb_table(f, 7), whet__fb_str(f, 0), (whet_str){"", 0}, depth + 1);
    put(c, &t, 6, &x);
  }
  whet_fb_vec v = whet__fb_vec(f, 8, 4);
  for (uint32_t i = 0; type == 6 && i < v.n; i++) whet__pb_put_float(&t, 7, whet__fb_vec_float(v, i));
  v = whet__fb_vec(f, 9, 8);
  for (uint32_t i = 0; type == 7 && i < v.n; i++) whet__pb_put_int(&t, 8, whet__fb_vec_int(v, i, 8));
  v = whet__fb_vec(f, 10, 4);
  for (uint32_t i = 0; type == 8 && i < v.n && !stopped(c); i++) {
    whet_str s = whet__fb_vec_str(v, i);
    whet__pb_put_bytes(&t, 9, s.p, s.n);
  }
  v = whet__fb_vec(f, 11, 4);
  for (uint32_t i = 0; type == 9 && i < v.n && !stopped(c); i++) {
    whet_text x = tensor_of(c, whet__fb_vec_table(v, i));
    put(c, &t, 10, &x);
  }
  v = whet__fb_vec(f, 12, 4);
  for (uint32_t i = 0; type == 10 && i < v.n && !stopped(c); i++) {
    whet_text x = graph_of(c, whet__fb_vec_table(v, i), whet__fb_str(f, 0), (whet_str){"", 0}, depth + 1);
    put(c, &t, 11, &x);
  }
  if (type > 10) c->wrong = "an attribute is of a type that is not converted";
  return t;
}

/* NodeProto of the table Node. */
static whet_text node_of(conversion *c, whet_fb_table f, int depth) {
  whet_text t = {.mem = c->mem};
  if (whet__fb_int(f, 6, 4, 0) != 0) c->wrong = "a node is compiled for an execution provider";
  for (int list = 0; list < 2; list++) {
    whet_fb_vec v = whet__fb_vec(f, list ? 9 : 8, 4);
    for (uint32_t i = 0; i < v.n && !stopped(c); i++) {
      whet_str s = whet__fb_vec_str(v, i);
      whet__pb_put_bytes(&t, list ? 2 : 1, s.p, s.n);
    }
  }
  put_text(&t, 3, whet__fb_str(f, 0));
  put_text(&t, 4, whet__fb_str(f, 5));
  put_text(&t, 7, whet__fb_str(f, 2));
  whet_fb_vec v = whet__fb_vec(f, 10, 4);
  for (uint32_t i = 0; i < v.n && !stopped(c); i++) {
    whet_text a = attribute_of(c, whet__fb_vec_table(v, i), depth);
    put(c, &t, 5, &a);
  }
  return t;
}

/* GraphProto of the table Graph. */
static whet_text graph_of(conversion *c, whet_fb_table f, whet_str name, whet_str doc, int depth) {
  whet_text t = {.mem = c->mem};
  if (depth > DEEPEST) c->wrong = "graphs are nested too deeply";
  if (stopped(c)) return t;
  whet_fb_vec v = whet__fb_vec(f, 2, 4), args = whet__fb_vec(f, 1, 4);
  for (uint32_t i = 0; i < v.n && !stopped(c); i++) {
    whet_text x = node_of(c, whet__fb_vec_table(v, i), depth);
    put(c, &t, 1, &x);
  }
  put_text(&t, 2, name);
  v = whet__fb_vec(f, 0, 4);
  for (uint32_t i = 0; i < v.n && !stopped(c); i++) {
    whet_text x = tensor_of(c, whet__fb_vec_table(v, i));
    put(c, &t, 5, &x);
  }
  if (whet__fb_vec(f, 7, 4).n) c->wrong = "it has sparse initializers";
  put_text(&t, 10, doc);
  for (int list = 5; list < 7; list++) {
    v = whet__fb_vec(f, list, 4);
    for (uint32_t i = 0; i < v.n && !stopped(c); i++) {
      whet_text x = info_of(c, whet__fb_vec_str(v, i), args);
      put(c, &t, list == 5 ? 11 : 12, &x);
    }
  }
  return t;
}

/* ModelProto of the table Model. */
static whet_text model_of(conversion *c, whet_fb_table f) {
  whet_text t = {.mem = c->mem};
  whet__pb_put_int(&t, 1, whet__fb_int(f, 0, 8, 0));
  put_text(&t, 2, whet__fb_str(f, 2));
  put_text(&t, 3, whet__fb_str(f, 3));
  put_text(&t, 4, whet__fb_str(f, 4));
  whet__pb_put_int(&t, 5, whet__fb_int(f, 5, 8, 0));
  put_text(&t, 6, whet__fb_str(f, 6));
  for (int list = 1; list < 10; list += 8) {
    whet_fb_vec v = whet__fb_vec(f, list, 4);
    for (uint32_t i = 0; i < v.n && !stopped(c); i++) {
      whet_text x = {.mem = c->mem};
      whet_fb_table e = whet__fb_vec_table(v, i);
      put_text(&x, 1, whet__fb_str(e, 0));
      if (list == 1)
        whet__pb_put_int(&x, 2, whet__fb_int(e, 1, 8, 0));
      else
        put_text(&x, 2, whet__fb_str(e, 1));
      put(c, &t, list == 1 ? 8 : 14, &x);
    }
  }
  whet_text g = graph_of(c, whet__fb_table(f, 7), (whet_str){"", 0}, whet__fb_str(f, 8), 0);
  put(c, &t, 7, &g);
  return t;
}

bool ort_format_is(const void *p, size_t n) { return n >= 8 && !memcmp((const char *)p + 4, "ORTM", 4); }

OrtStatus *ort_format_convert(const void *p, size_t n, converted **out) {
  converted *m = calloc(1, sizeof *m);
  if (!m) return no_memory();
  size_t most = n <= SIZE_MAX / 64 ? 32 * n + (64 << 20) : SIZE_MAX;
  whet__mem_init(&m->mem, NULL, NULL, most);
  conversion c = {.b = {.p = p, .n = n}, .mem = &m->mem, .looks = most};
  whet_fb_table model = whet__fb_table(whet__fb_root(&c.b), 1);
  m->text.mem = &m->mem;
  if (!whet__fb_there(model))
    c.wrong = "there is no model in it";
  else
    m->text = model_of(&c, model);
  if (!stopped(&c) && !m->text.bad) {
    *out = m;
    return NULL;
  }
  bool bounded = m->mem.refused;
  ort_format_free(m);
  if (c.b.bad) return fail(ORT_INVALID_PROTOBUF, "ORT format model: byte %zu: expected %s", c.b.at, c.b.what);
  if (c.wrong) return fail(ORT_INVALID_PROTOBUF, "ORT format model: %s", c.wrong);
  return bounded ? fail(ORT_INVALID_PROTOBUF, "ORT format model: it becomes far larger than its file") : no_memory();
}
void ort_format_free(converted *m) {
  if (m) whet__text_free(&m->text);
  free(m);
}
