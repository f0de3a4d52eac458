/* SPDX-License-Identifier: Apache-2.0 */
/* Inference requests from JSON, with the binary tensor data, shared memory and classification extensions. */

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "edge/serve/infer.h"

/* What is being read. */
typedef struct reader {
  json_in j;
  serve_infer *x;
  serve_regions *regions;
  const uint8_t *binary; /* what follows the JSON, and how much of it is taken */
  size_t n_binary, taken;
  bool all_binary; /* outputs that say nothing are binary */
  bool wanted;     /* outputs are listed */
  char *outputs;   /* where the list stands: it is read last, because parameters change its defaults */
} reader;

/* The parameters of an input or output. */
typedef struct params {
  bool has_size, has_binary, binary;
  uint64_t size, classes;
  json_text region;
  uint64_t region_bytes, region_offset;
} params;

static int shown(json_text t) { return (int)(t.n > 100 ? 100 : t.n); }

static void read_params(json_in *j, params *p) {
  json_text key;
  for (jin_begin(j, '{'); jin_next(j, '}');) {
    jin_key(j, &key);
    if (text_is(key, "binary_data_size"))
      p->has_size = true, jin_uint(j, &p->size);
    else if (text_is(key, "binary_data"))
      p->has_binary = true, jin_bool(j, &p->binary);
    else if (text_is(key, "classification"))
      jin_uint(j, &p->classes);
    else if (text_is(key, "shared_memory_region"))
      jin_string(j, &p->region);
    else if (text_is(key, "shared_memory_byte_size"))
      jin_uint(j, &p->region_bytes);
    else if (text_is(key, "shared_memory_offset"))
      jin_uint(j, &p->region_offset);
    else
      jin_skip(j);
  }
}

static void read_shape(json_in *j, infer_tensor *t) {
  t->rank = 0;
  t->count = 1;
  for (jin_begin(j, '['); jin_next(j, ']');) {
    int64_t d;
    jin_int(j, &d);
    if (j->bad) return;
    if (d < 0) {
      jin_fail(j, "shape: expected dimensions of at least 0, got %lld", (long long)d);
      return;
    }
    if (t->rank == WHET_MAX_RANK) {
      jin_fail(j, "shape: expected at most %d dimensions", WHET_MAX_RANK);
      return;
    }
    t->dims[t->rank++] = d;
    if (t->count && (uint64_t)d > ((uint64_t)1 << 40) / t->count) {
      jin_fail(j, "shape: more elements than fit into memory");
      return;
    }
    t->count *= (size_t)d;
  }
}

#define INTS(T, type, least, most)                                                                       \
  case WHET_##T: {                                                                                       \
    int64_t v;                                                                                           \
    jin_int(j, &v);                                                                                      \
    if (!j->bad && (v < (least) || v > (most))) jin_fail(j, "%lld does not fit into " #T, (long long)v); \
    ((type *)t->own)[at] = (type)v;                                                                      \
    return;                                                                                              \
  }

/* One element from JSON. */
static void read_element(json_in *j, const serve_io *io, infer_tensor *t, size_t at) {
  switch (io->type->whet) {
    case WHET_F32: {
      double v;
      jin_double(j, &v);
      ((float *)t->own)[at] = (float)v;
      return;
    }
    case WHET_F64:
      jin_double(j, &((double *)t->own)[at]);
      return;
    case WHET_BOOL: {
      bool b = false;
      if (jin_peek(j) == '0') { /* 0 and 1 as well, as clients have always sent them */
        int64_t v;
        jin_int(j, &v);
        if (!j->bad && v != 0 && v != 1) jin_fail(j, "expected true or false, got %lld", (long long)v);
        b = v == 1;
      } else {
        jin_bool(j, &b);
      }
      t->own[at] = b;
      return;
    }
      INTS(U8, uint8_t, 0, UINT8_MAX)
      INTS(S8, int8_t, INT8_MIN, INT8_MAX)
      INTS(U16, uint16_t, 0, UINT16_MAX)
      INTS(S16, int16_t, INT16_MIN, INT16_MAX)
      INTS(U32, uint32_t, 0, UINT32_MAX)
      INTS(S32, int32_t, INT32_MIN, INT32_MAX)
    case WHET_S64:
      jin_int(j, &((int64_t *)t->own)[at]);
      return;
    case WHET_U64:
      jin_uint(j, &((uint64_t *)t->own)[at]);
      return;
    case WHET_STRING: {
      json_text s;
      jin_string(j, &s);
      if (!j->bad && whet_value_set_string(t->strings, at, s.p, s.n)) jin_fail(j, "no memory for a string");
      return;
    }
    default:
      jin_fail(j, "input \"%.80s\": %s cannot be told in JSON: send it as binary data", io->name, io->type->name);
      return;
  }
}

/* Elements of arrays, however they nest. */
static void read_data(json_in *j, const serve_io *io, infer_tensor *t) {
  size_t at = 0;
  int base = j->depth;
  if (io->type->bytes) {
    t->bytes = t->count * io->type->bytes;
    /* a JSON element takes at least two bytes of text */
    if (t->count > (size_t)(j->end - j->at)) {
      jin_fail(j, "input \"%.80s\": its shape has %zu elements, more than its data", io->name, t->count);
      return;
    }
    t->own = malloc(t->bytes + 8);
  } else if (t->count > (size_t)(j->end - j->at) || whet_value_create(WHET_STRING, t->rank, t->dims, &t->strings)) {
    jin_fail(j, "input \"%.80s\": its shape has %zu elements, more than its data", io->name, t->count);
    return;
  }
  if (io->type->bytes && !t->own) {
    jin_fail(j, "no memory for input \"%.80s\"", io->name);
    return;
  }
  t->data = t->own;
  jin_begin(j, '[');
  while (j->depth > base && !j->bad) {
    if (!jin_next(j, ']')) continue;
    if (jin_peek(j) == '[') {
      jin_begin(j, '[');
    } else if (at == t->count) {
      jin_fail(j, "input \"%.80s\" has more elements than its shape, which has %zu", io->name, t->count);
    } else {
      size_t k = io->type->whet == WHET_F32 ? jin_floats(j, (float *)(void *)t->own + at, t->count - at) : 0;
      if (!k) read_element(j, io, t, at);
      at += k ? k : 1;
    }
  }
  if (!j->bad && at != t->count)
    jin_fail(j, "input \"%.80s\" has %zu elements, its shape has %zu", io->name, at, t->count);
}

/* BYTES as binary data: each element its length (32 bits, little-endian) and its bytes. */
static whet_status read_strings(const serve_io *io, infer_tensor *t, const uint8_t *p, size_t n, whet_err *err) {
  size_t at = 0;
  if (t->count > n / 4)
    return edge_fail(err, WHET_E_DATA, "input \"%.80s\": %zu bytes are too few for %zu elements", io->name, n,
                     t->count);
  if (whet_value_create(WHET_STRING, t->rank, t->dims, &t->strings))
    return edge_fail(err, WHET_E_MEMORY, "no memory for input \"%.80s\"", io->name);
  for (size_t i = 0; i < t->count; i++) {
    if (n - at < 4)
      return edge_fail(err, WHET_E_DATA, "input \"%.80s\": element %zu of %zu is not there", io->name, i, t->count);
    size_t len = (size_t)p[at] | (size_t)p[at + 1] << 8 | (size_t)p[at + 2] << 16 | (size_t)p[at + 3] << 24;
    at += 4;
    if (len > n - at)
      return edge_fail(err, WHET_E_DATA, "input \"%.80s\": element %zu claims %zu bytes, %zu are left", io->name, i,
                       len, n - at);
    if (whet_value_set_string(t->strings, i, (const char *)p + at, len))
      return edge_fail(err, WHET_E_MEMORY, "no memory for input \"%.80s\"", io->name);
    at += len;
  }
  return at == n ? WHET_OK
                 : edge_fail(err, WHET_E_DATA, "input \"%.80s\": %zu bytes are left over", io->name, n - at);
}

/* An input's data that stand outside of the JSON. */
static whet_status outside(reader *r, const serve_io *io, infer_tensor *t, const params *p, whet_err *err) {
  size_t bytes = t->count * io->type->bytes, n;
  if (p->region.n) {
    if (!r->regions)
      return edge_fail(err, WHET_E_UNSUPPORTED, "shared memory was not asked for when the server was started");
    if (io->type->bytes && p->region_bytes != bytes)
      return edge_fail(err, WHET_E_DATA, "input \"%.80s\" has %zu bytes, shared_memory_byte_size says %llu", io->name,
                       bytes, (unsigned long long)p->region_bytes);
    t->region = regions_find(r->regions, p->region, p->region_offset, p->region_bytes, err);
    if (!t->region) return err->code;
    t->offset = p->region_offset;
    t->bytes = p->region_bytes;
    if (io->type->bytes) return WHET_OK;
    uint8_t *copy = malloc(t->bytes + 1);
    if (!copy) return edge_fail(err, WHET_E_MEMORY, "no memory for input \"%.80s\"", io->name);
    whet_status s = region_read(t->region, t->offset, copy, t->bytes, err);
    if (!s) s = read_strings(io, t, copy, t->bytes, err);
    free(copy);
    return s;
  }
  n = p->size;
  if (p->size > r->n_binary - r->taken)
    return edge_fail(err, WHET_E_DATA, "input \"%.80s\": binary_data_size is %llu, the body has %zu bytes left",
                     io->name, (unsigned long long)p->size, r->n_binary - r->taken);
  const uint8_t *at = r->binary + r->taken;
  r->taken += n;
  if (!io->type->bytes) return read_strings(io, t, at, n, err);
  if (n != bytes)
    return edge_fail(err, WHET_E_DATA, "input \"%.80s\": binary_data_size is %zu, its shape and type %s want %zu",
                     io->name, n, io->type->name, bytes);
  t->data = at;
  t->bytes = n;
  return WHET_OK;
}

/* Which of n, or n when none has this name. */
static size_t named(const serve_io *io, size_t n, json_text name) {
  size_t i = 0;
  while (i < n && !text_is(name, io[i].name)) i++;
  return i;
}

/* A shape must be the model's where that is fixed; rows of shared runs are counted later. */
static bool shape_fits(json_in *j, const serve_version *v, const serve_io *io, const infer_tensor *t) {
  bool fits = io->rank < 0 || io->rank == t->rank;
  for (int32_t d = v->set.c.batch_max ? 1 : 0; fits && d < io->rank; d++)
    fits = io->dims[d] < 0 || io->dims[d] == t->dims[d];
  if (fits) return true;
  serve_buf b = {0};
  buf_dims(&b, t->rank, t->dims);
  buf_text(&b, ", the model takes ");
  buf_dims(&b, io->rank, io->dims);
  jin_fail(j, "input \"%.80s\" has shape %.*s", io->name, (int)b.n, b.bad ? "" : b.p);
  buf_free(&b);
  return false;
}

/* Read data from JSON; the request owns what was made, also when it fails. */
static void read_into(reader *r, const serve_io *io, infer_tensor *t) {
  t->given = true;
  read_data(&r->j, io, t);
  r->x->in[io - r->x->v->in] = *t;
}

/* The input that name, type and shape tell; NULL with a failure at `from` when they tell none. */
static const serve_io *resolve(reader *r, char *from, json_text name, json_text type, const infer_tensor *t) {
  json_in *j = &r->j;
  serve_version *v = r->x->v;
  char *at = j->at;
  size_t i = named(v->in, v->n_in, name);
  const serve_io *io = &v->in[i];
  j->at = from;
  if (i == v->n_in)
    jin_fail(j, "model \"%s\" has no input \"%.*s\"", v->name, shown(name), name.p);
  else if (r->x->in[i].given)
    jin_fail(j, "input \"%.80s\" is given twice", io->name);
  else if (dtype_named(type) != io->type)
    jin_fail(j, "input \"%.80s\" is %s, not \"%.*s\"", io->name, io->type->name, shown(type), type.p);
  else if (shape_fits(j, v, io, t) && io->type->bytes && t->count > SIZE_MAX / 16)
    jin_fail(j, "input \"%.80s\": more elements than fit into memory", io->name);
  if (j->bad) return NULL;
  j->at = at;
  return io;
}

/* One entry of "inputs". Data are read where they stand when all that tells their type stood before, else at last. */
static void read_input(reader *r) {
  json_in *j = &r->j;
  json_text key, name = {NULL, 0}, type = {NULL, 0};
  infer_tensor t = {.rank = -1};
  params p = {0};
  char *data = NULL, *from = j->at;
  const serve_io *io = NULL;
  for (jin_begin(j, '{'); jin_next(j, '}');) {
    jin_key(j, &key);
    if (text_is(key, "name")) {
      jin_string(j, &name);
    } else if (text_is(key, "shape") && !io) {
      read_shape(j, &t);
    } else if (text_is(key, "datatype")) {
      jin_string(j, &type);
    } else if (text_is(key, "parameters")) {
      read_params(j, &p);
    } else if (text_is(key, "data") && !data) {
      jin_peek(j);
      data = j->at;
      if (!name.p || !type.p || t.rank < 0)
        jin_skip(j);
      else if ((io = resolve(r, from, name, type, &t)))
        read_into(r, io, &t);
    } else if (text_is(key, "data") || text_is(key, "shape")) {
      jin_fail(j, "an input's %.*s stands twice", (int)key.n, key.p);
    } else {
      jin_skip(j);
    }
  }
  if (j->bad) return;
  char *behind = j->at;
  j->at = from;
  if (!name.p || !type.p || t.rank < 0) {
    jin_fail(j, "an input without %s", !name.p ? "name" : !type.p ? "datatype" : "shape");
    return;
  }
  if (data && (p.has_size || p.region.n)) {
    jin_fail(j, "an input has data in JSON and outside of it");
    return;
  }
  if (!io) {
    if (!(io = resolve(r, from, name, type, &t))) return;
    if (p.has_size || p.region.n) {
      t.given = true;
      j->bad = outside(r, io, &t, &p, j->err) != WHET_OK;
      r->x->in[io - r->x->v->in] = t;
    } else if (!data) {
      jin_fail(j, "input \"%.80s\" has no data", io->name);
    } else {
      j->at = data;
      read_into(r, io, &t);
    }
  }
  if (!j->bad) j->at = behind;
}

/* One entry of "outputs". */
static void read_output(reader *r) {
  json_in *j = &r->j;
  serve_version *v = r->x->v;
  json_text key, name = {NULL, 0};
  params p = {0};
  for (jin_begin(j, '{'); jin_next(j, '}');) {
    jin_key(j, &key);
    if (text_is(key, "name"))
      jin_string(j, &name);
    else if (text_is(key, "parameters"))
      read_params(j, &p);
    else
      jin_skip(j);
  }
  if (j->bad) return;
  size_t i = named(v->out, v->n_out, name);
  if (!name.p || i == v->n_out) {
    if (!name.p)
      jin_fail(j, "an output without name");
    else
      jin_fail(j, "model \"%s\" has no output \"%.*s\"", v->name, shown(name), name.p);
    return;
  }
  for (size_t k = 0; k < r->x->n_want; k++)
    if (r->x->want[k].out == i) {
      jin_fail(j, "output \"%.80s\" is asked for twice", v->out[i].name);
      return;
    }
  infer_want *w = &r->x->want[r->x->n_want++];
  *w = (infer_want){.out = i,
                    .binary = p.has_binary ? p.binary : r->all_binary,
                    .classes = p.classes > INT_MAX ? INT_MAX : (int64_t)p.classes};
  if (w->classes && !v->out[i].type->bytes) {
    jin_fail(j, "output \"%.80s\" is BYTES: it has no classes", v->out[i].name);
    return;
  }
  if (!p.region.n) return;
  if (!r->regions)
    j->bad = edge_fail(j->err, WHET_E_UNSUPPORTED, "shared memory was not asked for when the server was started") !=
             WHET_OK;
  else if (!(w->region = regions_find(r->regions, p.region, p.region_offset, p.region_bytes, j->err)))
    j->bad = true;
  w->offset = p.region_offset;
  w->room = p.region_bytes;
}

/* The request's own parameters. */
static void read_request_params(reader *r) {
  json_in *j = &r->j;
  serve_infer *x = r->x;
  json_text key;
  for (jin_begin(j, '{'); jin_next(j, '}');) {
    jin_key(j, &key);
    if (text_is(key, "binary_data_output")) {
      jin_bool(j, &r->all_binary);
    } else if (text_is(key, "priority")) {
      uint64_t v;
      jin_uint(j, &v);
      if (v) x->priority = v > (uint64_t)x->v->set.c.priorities ? (int)x->v->set.c.priorities - 1 : (int)v - 1;
    } else if (text_is(key, "timeout")) {
      uint64_t us;
      jin_uint(j, &us);
      if (us && us < 1000000000000u) x->deadline = x->arrived + (int64_t)us * 1000;
    } else if (text_is(key, "sequence_id")) {
      jin_peek(j);
      char *from = j->at;
      jin_skip(j);
      if (!j->bad && !(j->at - from == 1 && *from == '0') && !(j->at - from == 2 && *from == '"'))
        j->bad = edge_fail(j->err, WHET_E_UNSUPPORTED, "sequences: every request stands alone here") != WHET_OK;
    } else {
      jin_skip(j);
    }
  }
}

int64_t infer_deadline(serve_version *v, const char *json, size_t n, int64_t from) {
  char copy[4096]; /* escapes are resolved in place */
  serve_infer x = {.v = v, .arrived = from, .deadline = from + (int64_t)(v->set.c.deadline * 1e9)};
  reader r = {.x = &x};
  whet_err err = {0};
  json_text key;
  if (n > sizeof copy) return INT64_MAX;
  memcpy(copy, json, n);
  jin_init(&r.j, copy, n, &err);
  for (jin_begin(&r.j, '{'); jin_next(&r.j, '}');) {
    jin_key(&r.j, &key);
    if (text_is(key, "parameters"))
      read_request_params(&r);
    else
      jin_skip(&r.j);
  }
  return r.j.bad ? INT64_MAX : x.deadline;
}

/* The whole of the JSON. */
static void read_request(reader *r) {
  json_in *j = &r->j;
  json_text key;
  bool inputs = false;
  for (jin_begin(j, '{'); jin_next(j, '}');) {
    jin_key(j, &key);
    if (text_is(key, "id")) {
      jin_string(j, &r->x->id);
    } else if (text_is(key, "parameters")) {
      read_request_params(r);
    } else if (text_is(key, "inputs")) {
      if (inputs) jin_fail(j, "inputs stand twice");
      inputs = true;
      for (jin_begin(j, '['); jin_next(j, ']');) read_input(r);
    } else if (text_is(key, "outputs")) {
      jin_peek(j);
      if (r->outputs) jin_fail(j, "outputs stand twice");
      r->outputs = j->at;
      jin_skip(j);
    } else {
      jin_skip(j);
    }
  }
  jin_done(j);
  if (!j->bad && !inputs) jin_fail(j, "a request without inputs");
  if (j->bad || !r->outputs) return;
  j->at = r->outputs;
  for (jin_begin(j, '['); jin_next(j, ']');) {
    if (r->x->n_want == r->x->v->n_out)
      jin_fail(j, "more outputs than model \"%s\" has", r->x->v->name);
    else
      read_output(r);
  }
}

/* Rows of a request whose run others may share: the first dimension of all inputs. */
static whet_status count_rows(serve_infer *x, whet_err *err) {
  x->rows = 1;
  if (!x->v->set.c.batch_max) return WHET_OK;
  for (size_t i = 0; i < x->v->n_in; i++) {
    const infer_tensor *t = &x->in[i];
    if (t->rank < 1 || t->dims[0] < 1)
      return edge_fail(err, WHET_E_SHAPE, "input \"%.80s\" has no rows", x->v->in[i].name);
    if (i && t->dims[0] != x->in[0].dims[0])
      return edge_fail(err, WHET_E_SHAPE, "input \"%.80s\" has %lld rows, \"%.80s\" has %lld", x->v->in[i].name,
                       (long long)t->dims[0], x->v->in[0].name, (long long)x->in[0].dims[0]);
  }
  x->rows = x->v->n_in ? x->in[0].dims[0] : 1;
  return x->rows <= x->v->set.c.batch_max
             ? WHET_OK
             : edge_fail(err, WHET_E_SHAPE, "%lld rows, model \"%s\" takes %lld at once", (long long)x->rows,
                         x->v->name, (long long)x->v->set.c.batch_max);
}

whet_status infer_read(serve_version *v, serve_regions *regions, char *body, size_t n, size_t json_n,
                       serve_infer **out, whet_err *err) {
  *out = NULL;
  serve_infer *x = calloc(1, sizeof *x + (v->n_in + 1) * sizeof *x->in + (v->n_out + 1) * sizeof *x->want);
  if (!x) {
    version_unref(&v);
    return edge_fail(err, WHET_E_MEMORY, "no memory for a request");
  }
  x->v = v;
  x->in = (infer_tensor *)(x + 1);
  x->want = (infer_want *)(x->in + v->n_in + 1);
  x->arrived = edge_now();
  x->deadline = x->arrived + (int64_t)(v->set.c.deadline * 1e9);
  x->priority = (int)v->set.c.priorities / 2;
  reader r = {.x = x, .regions = regions, .binary = (const uint8_t *)body + json_n, .n_binary = n - json_n};
  jin_init(&r.j, body, json_n, err);
  read_request(&r);
  whet_status s = r.j.bad ? err->code : WHET_OK;
  for (size_t i = 0; !s && i < v->n_in; i++)
    if (!x->in[i].given)
      s = edge_fail(err, WHET_E_DATA, "input \"%.80s\" of model \"%s\" is missing", v->in[i].name, v->name);
  if (!s && r.taken != r.n_binary)
    s = edge_fail(err, WHET_E_DATA, "%zu bytes follow the JSON, its inputs take %zu", r.n_binary, r.taken);
  if (!s) s = count_rows(x, err);
  for (size_t i = 0; !s && !r.outputs && i < v->n_out; i++)
    x->want[x->n_want++] = (infer_want){.out = i, .binary = r.all_binary};
  if (s) {
    infer_free(&x);
    return s;
  }
  *out = x;
  return WHET_OK;
}

void infer_free(serve_infer **at) {
  serve_infer *x = *at;
  *at = NULL;
  if (!x) return;
  for (size_t i = 0; i < x->v->n_in; i++) {
    free(x->in[i].own);
    whet_value_unref(&x->in[i].strings);
    region_unref(&x->in[i].region);
  }
  for (size_t i = 0; i < x->n_want; i++) region_unref(&x->want[i].region);
  version_unref(&x->v);
  free(x);
}

bool infer_alike(const serve_infer *a, const serve_infer *b) {
  for (size_t i = 0; i < a->v->n_in; i++) {
    const infer_tensor *s = &a->in[i], *t = &b->in[i];
    if (s->rank != t->rank || memcmp(s->dims + 1, t->dims + 1, (size_t)(s->rank - 1) * sizeof *s->dims)) return false;
  }
  return true;
}
