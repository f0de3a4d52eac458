/* SPDX-License-Identifier: Apache-2.0 */
/* TFLite tables from bytes: one function for each table of schema 3, field numbers as there. */

#include "wire/tflite.h"

/* What all readers share. FlatBuffers let many references lead to one table, so a small file can name a lot: what is
 * copied in all is bounded by `left`. */
struct rd {
  whet_arena *a;
  whet_err *err;
  whet_fb *b;
  uint64_t left; /* bytes that may still be copied */
  int64_t ops;   /* operators that may still come */
};

enum { COPY_FREE = 64 << 20, COPY_PER_BYTE = 8 };

whet_dtype whet__tf_dtype(int64_t code) {
  static const uint8_t k_type[] = {WHET_F32,  WHET_F16,  WHET_S32,  WHET_U8,       WHET_S64,   WHET_STRING,
                                   WHET_BOOL, WHET_S16,  WHET_C64,  WHET_S8,       WHET_F64,   WHET_C128,
                                   WHET_U64,  WHET_NONE, WHET_NONE, WHET_U32,      WHET_U16,   WHET_S4,
                                   WHET_BF16, WHET_S2,   WHET_U4,   WHET_F8E4M3FN, WHET_F8E5M2};
  return code >= 0 && code < (int64_t)sizeof k_type ? (whet_dtype)k_type[code] : WHET_NONE;
}

const char *whet__tf_type_name(int64_t code) {
  whet_dtype t = whet__tf_dtype(code);
  return code == WHET_TF_RESOURCE ? "resource" : code == WHET_TF_VARIANT ? "variant" : whet_dtype_name(t);
}

static const struct builtin {
  int32_t code;
  const char *name, *options;
} k_builtin[] = {
#define BUILTIN(code, name, options) {code, #name, #options},
#include "wire/tfl_builtin.def"
#undef BUILTIN
};

static const struct builtin *builtin(int32_t code) {
  size_t lo = 0, hi = WHET_COUNT(k_builtin);
  while (lo < hi) {
    size_t mid = (lo + hi) / 2;
    if (k_builtin[mid].code == code) return &k_builtin[mid];
    if (k_builtin[mid].code < code)
      lo = mid + 1;
    else
      hi = mid;
  }
  return NULL;
}

const char *whet__tf_builtin_name(int32_t code) {
  const struct builtin *b = builtin(code);
  return b ? b->name : NULL;
}

const char *whet__tf_builtin_options(int32_t code) {
  const struct builtin *b = builtin(code);
  return b ? b->options : "NONE";
}

int32_t whet__tf_builtin_code(const char *name) {
  for (size_t i = 0; i < WHET_COUNT(k_builtin); i++)
    if (!strcmp(k_builtin[i].name, name)) return k_builtin[i].code;
  return -1;
}

/* Options tables by their number in the two unions. */
struct options {
  uint8_t number;
  const char *name, *fields;
};
static const struct options k_options1[] = {
#define OPT1(number, name, fields) {number, #name, fields},
#define OPT2(number, name, fields)
#include "wire/tfl_options.def"
#undef OPT1
#undef OPT2
};
static const struct options k_options2[] = {
#define OPT1(number, name, fields)
#define OPT2(number, name, fields) {number, #name, fields},
#include "wire/tfl_options.def"
#undef OPT1
#undef OPT2
};

bool whet__tf_options(const char *name, uint8_t *number, const char **fields) {
  for (size_t i = 0; i < WHET_COUNT(k_options1); i++)
    if (!strcmp(k_options1[i].name, name)) {
      *number = k_options1[i].number;
      *fields = k_options1[i].fields;
      return true;
    }
  return false;
}

int32_t whet__tf_type(whet_dtype t) {
  for (int32_t i = 0; i < 32; i++)
    if (t != WHET_NONE && whet__tf_dtype(i) == t) return i;
  return -1;
}

static whet_status no_room(struct rd *r, size_t n) {
  return whet__no_memory(r->a->mem, n, r->err, "reading the model");
}

/* Turn the buffer's remembered fault into an error. */
static whet_status sound(struct rd *r, const char *what, int32_t index) {
  if (!r->b->bad) return WHET_OK;
  return whet__fail(r->err, WHET_E_FORMAT, "byte %zu, in %s %d: expected %s", r->b->at, what, (int)index, r->b->what);
}

/* n zeroed elements in the arena, counted against what may be copied. */
static whet_status room(struct rd *r, size_t n, size_t each, void *out) {
  size_t bytes;
  memset(out, 0, sizeof(void *));
  if (!whet__mul_size(n, each, &bytes) || bytes > r->left)
    return whet__fail(r->err, WHET_E_LIMIT, "tables that share their bytes would take more than %llu MB",
                      (unsigned long long)((COPY_FREE + COPY_PER_BYTE * (uint64_t)r->b->n) >> 20));
  r->left -= bytes;
  void *p = whet__arena_array(r->a, n, each);
  memcpy(out, &p, sizeof p);
  return p ? WHET_OK : no_room(r, bytes);
}

/* The length of a list of tables whose structs take `each` bytes, and room for them. */
static whet_status list(struct rd *r, whet_fb_vec v, size_t each, void *out, int32_t *n) {
  memset(out, 0, sizeof(void *));
  if (v.n > INT32_MAX / 2) return whet__fail(r->err, WHET_E_LIMIT, "byte %zu: a list of %u tables", v.pos, v.n);
  *n = (int32_t)v.n;
  return room(r, v.n, each, out);
}

static whet_status read_str(struct rd *r, whet_fb_table t, int id, whet_str *out) {
  whet_str s = whet__fb_str(t, id);
  if (s.n > r->left) return whet__fail(r->err, WHET_E_LIMIT, "tables share a name of %zu bytes too often", s.n);
  r->left -= s.n;
  char *p = whet__arena_str(r->a, s.p, s.n);
  if (!p) return no_room(r, s.n);
  *out = (whet_str){p, strlen(p)}; /* a name ends at a zero byte, as for every C reader of the format */
  return WHET_OK;
}

/* A list of numbers of 1, 2 or 4 bytes (those under 4 are unsigned). */
static whet_status read_ints(struct rd *r, whet_fb_table t, int id, unsigned bytes, whet_tf_ints *out) {
  whet_fb_vec v = whet__fb_vec(t, id, bytes);
  int32_t *p;
  WHET_TRY(list(r, v, sizeof *p, &p, &out->n));
  if (bytes == 4)
    whet__fb_vec_copy(v, 4, p);
  else
    for (uint32_t i = 0; i < v.n; i++) p[i] = (int32_t)whet__fb_vec_int(v, i, bytes) & ((1 << 8 * bytes) - 1);
  out->v = p;
  return WHET_OK;
}

/* QuantizationParameters. Minimum and maximum are not read: they only document how scales were found. */
static whet_status read_quant(struct rd *r, whet_fb_table t, whet_tf_quant *q) {
  whet_fb_vec scale = whet__fb_vec(t, 2, 4), zero = whet__fb_vec(t, 3, 8);
  float *s;
  int64_t *z;
  WHET_TRY(list(r, scale, sizeof *s, &s, &q->n_scale));
  WHET_TRY(list(r, zero, sizeof *z, &z, &q->n_zero));
  whet__fb_vec_copy(scale, 4, s);
  whet__fb_vec_copy(zero, 8, z);
  q->scale = s;
  q->zero = z;
  q->axis = (int32_t)whet__fb_int(t, 6, 4, 0);
  q->details = (int32_t)whet__fb_uint(t, 4, 1, 0);
  if (q->details == WHET_TF_BLOCKWISE) {
    whet_fb_table d = whet__fb_table(t, 5);
    q->scale_tensor = (int32_t)whet__fb_int(d, 0, 4, 0);
    q->zero_tensor = (int32_t)whet__fb_int(d, 1, 4, 0);
    q->block = (int32_t)whet__fb_int(d, 2, 4, 0);
  }
  return WHET_OK;
}

/* A SparseIndexVector: the union's type in field id, the table in id + 1. */
static whet_status read_index(struct rd *r, whet_fb_table t, int id, whet_tf_ints *out) {
  static const uint8_t k_bytes[] = {0, 4, 2, 1}; /* NONE, Int32Vector, Uint16Vector, Uint8Vector */
  uint64_t kind = whet__fb_uint(t, id, 1, 0);
  if (!kind || kind >= sizeof k_bytes) return WHET_OK;
  return read_ints(r, whet__fb_table(t, id + 1), 0, k_bytes[kind], out);
}

/* SparsityParameters. */
static whet_status read_sparsity(struct rd *r, whet_fb_table t, const whet_tf_sparsity **out) {
  whet_tf_sparsity *s;
  whet_tf_sparse_dim *dim;
  WHET_TRY(room(r, 1, sizeof *s, &s));
  WHET_TRY(read_ints(r, t, 0, 4, &s->order));
  WHET_TRY(read_ints(r, t, 1, 4, &s->block_map));
  whet_fb_vec v = whet__fb_vec(t, 2, 4);
  WHET_TRY(list(r, v, sizeof *dim, &dim, &s->n_dim));
  for (uint32_t i = 0; i < v.n; i++) {
    whet_fb_table d = whet__fb_vec_table(v, i);
    dim[i].csr = whet__fb_int(d, 0, 1, 0) == 1;
    dim[i].size = (int32_t)whet__fb_int(d, 1, 4, 0);
    WHET_TRY(read_index(r, d, 2, &dim[i].segments));
    WHET_TRY(read_index(r, d, 4, &dim[i].indices));
  }
  s->dim = dim;
  *out = s;
  return WHET_OK;
}

static whet_status read_tensor(struct rd *r, whet_fb_table t, whet_tf_tensor *out) {
  WHET_TRY(read_ints(r, t, 0, 4, &out->shape));
  out->type = (int32_t)whet__fb_int(t, 1, 1, 0);
  out->buffer = (uint32_t)whet__fb_uint(t, 2, 4, 0);
  WHET_TRY(read_str(r, t, 3, &out->name));
  WHET_TRY(read_quant(r, whet__fb_table(t, 4), &out->quant));
  out->variable = whet__fb_uint(t, 5, 1, 0) != 0;
  whet_fb_table sparsity = whet__fb_table(t, 6);
  if (whet__fb_there(sparsity)) WHET_TRY(read_sparsity(r, sparsity, &out->sparsity));
  WHET_TRY(read_ints(r, t, 7, 4, &out->signature));
  out->has_rank = whet__fb_uint(t, 8, 1, 0) != 0;
  out->external = whet__fb_uint(t, 10, 4, 0) != 0;
  return WHET_OK;
}

/* Bytes that lie at an offset from the start of the file; false when they do not all lie in it. */
static bool outside(const whet_fb *b, uint64_t offset, uint64_t size, const uint8_t **p, size_t *n) {
  if (offset > b->n || size > b->n - offset) return false;
  *p = b->p + offset;
  *n = (size_t)size;
  return true;
}

static whet_status read_op(struct rd *r, whet_fb_table t, int32_t index, whet_tf_op *op) {
  op->code = (uint32_t)whet__fb_uint(t, 0, 4, 0);
  WHET_TRY(read_ints(r, t, 1, 4, &op->in));
  WHET_TRY(read_ints(r, t, 2, 4, &op->out));
  WHET_TRY(read_ints(r, t, 8, 4, &op->intermediates));
  unsigned one = (unsigned)whet__fb_uint(t, 3, 1, 0), two = (unsigned)whet__fb_uint(t, 11, 1, 0);
  const struct options *o = NULL;
  if (one && one <= WHET_COUNT(k_options1)) o = &k_options1[one - 1];
  if (two && two <= WHET_COUNT(k_options2)) o = &k_options2[two - 1];
  if (o) {
    op->options = whet__fb_table(t, two ? 12 : 4);
    op->fields = o->fields;
    op->options_name = o->name;
  }
  whet_fb_vec custom = whet__fb_vec(t, 5, 1);
  op->custom = whet__fb_vec_bytes(custom);
  op->n_custom = custom.n;
  uint64_t offset = whet__fb_uint(t, 9, 8, 0), size = whet__fb_uint(t, 10, 8, 0);
  if (offset > 1 && !outside(r->b, offset, size, &op->custom, &op->n_custom)) /* 0, 1: not in use */
    return whet__fail(r->err, WHET_E_FORMAT,
                      "operator %d: its options lie at byte %llu, %llu long; the file has %zu bytes", (int)index,
                      (unsigned long long)offset, (unsigned long long)size, r->b->n);
  return WHET_OK;
}

static whet_status read_subgraph(struct rd *r, whet_fb_table t, whet_tf_subgraph *g) {
  whet_fb_vec v = whet__fb_vec(t, 0, 4);
  whet_tf_tensor *tensor;
  whet_tf_op *op;
  WHET_TRY(list(r, v, sizeof *tensor, &tensor, &g->n_tensor));
  for (int32_t i = 0; i < g->n_tensor; i++) {
    WHET_TRY(read_tensor(r, whet__fb_vec_table(v, (uint32_t)i), &tensor[i]));
    WHET_TRY(sound(r, "tensor", i));
  }
  g->tensor = tensor;
  WHET_TRY(read_ints(r, t, 1, 4, &g->in));
  WHET_TRY(read_ints(r, t, 2, 4, &g->out));
  v = whet__fb_vec(t, 3, 4);
  r->ops -= v.n;
  if (r->ops < 0)
    return whet__fail(r->err, WHET_E_LIMIT, "byte %zu: the file has more operators than the limit allows", v.pos);
  WHET_TRY(list(r, v, sizeof *op, &op, &g->n_op));
  for (int32_t i = 0; i < g->n_op; i++) {
    WHET_TRY(read_op(r, whet__fb_vec_table(v, (uint32_t)i), i, &op[i]));
    WHET_TRY(sound(r, "operator", i));
  }
  g->op = op;
  return read_str(r, t, 4, &g->name);
}

static whet_status read_code(struct rd *r, whet_fb_table t, whet_tf_code *c) {
  /* Codes up to 126 stand in the old 8-bit field too, later ones only in the new field; old writers know only the
   * old. */
  int32_t old = (int32_t)whet__fb_int(t, 0, 1, 0), new = (int32_t)whet__fb_int(t, 3, 4, 0);
  c->builtin = old > new ? old : new;
  c->version = (int32_t)whet__fb_int(t, 2, 4, 1);
  return read_str(r, t, 1, &c->custom);
}

static whet_status read_buffer(struct rd *r, whet_fb_table t, int32_t index, whet_tf_buffer *out) {
  whet_fb_vec v = whet__fb_vec(t, 0, 1);
  uint64_t offset = whet__fb_uint(t, 1, 8, 0), size = whet__fb_uint(t, 2, 8, 0);
  out->p = whet__fb_vec_bytes(v);
  out->n = v.n;
  if (offset > 1 && !outside(r->b, offset, size, &out->p, &out->n)) /* 0, 1: not in use */
    return whet__fail(r->err, WHET_E_FORMAT, "buffer %d lies at byte %llu, %llu long; the file has %zu bytes",
                      (int)index, (unsigned long long)offset, (unsigned long long)size, r->b->n);
  return WHET_OK;
}

/* A list of Metadata or TensorMap: name in field 0, an index in field 1. */
static whet_status read_names(struct rd *r, whet_fb_vec v, const whet_tf_name **out, int32_t *n) {
  whet_tf_name *name;
  WHET_TRY(list(r, v, sizeof *name, &name, n));
  for (int32_t i = 0; i < *n; i++) {
    whet_fb_table t = whet__fb_vec_table(v, (uint32_t)i);
    WHET_TRY(read_str(r, t, 0, &name[i].name));
    name[i].index = (uint32_t)whet__fb_uint(t, 1, 4, 0);
  }
  *out = name;
  return WHET_OK;
}

static whet_status read_signature(struct rd *r, whet_fb_table t, whet_tf_signature *s) {
  WHET_TRY(read_names(r, whet__fb_vec(t, 0, 4), &s->in, &s->n_in));
  WHET_TRY(read_names(r, whet__fb_vec(t, 1, 4), &s->out, &s->n_out));
  WHET_TRY(read_str(r, t, 2, &s->key));
  s->subgraph = (uint32_t)whet__fb_uint(t, 4, 4, 0);
  return WHET_OK;
}

/* The lists of the root table. */
static whet_status read_root(struct rd *r, whet_fb_table t, whet_tf_model *m) {
  whet_tf_code *code;
  whet_tf_subgraph *graph;
  whet_tf_buffer *buffer;
  whet_tf_signature *sig;
  whet_fb_vec v = whet__fb_vec(t, 1, 4);
  WHET_TRY(list(r, v, sizeof *code, &code, &m->n_code));
  m->code = code;
  for (int32_t i = 0; i < m->n_code; i++) {
    WHET_TRY(read_code(r, whet__fb_vec_table(v, (uint32_t)i), &code[i]));
    WHET_TRY(sound(r, "operator code", i));
  }
  v = whet__fb_vec(t, 2, 4);
  WHET_TRY(list(r, v, sizeof *graph, &graph, &m->n_subgraph));
  m->subgraph = graph;
  for (int32_t i = 0; i < m->n_subgraph; i++) {
    whet_status s = read_subgraph(r, whet__fb_vec_table(v, (uint32_t)i), &graph[i]);
    if (!s) s = sound(r, "subgraph", i);
    if (s) return m->n_subgraph > 1 ? whet__fail_in(r->err, "subgraph %d", (int)i) : s;
  }
  v = whet__fb_vec(t, 4, 4);
  WHET_TRY(list(r, v, sizeof *buffer, &buffer, &m->n_buffer));
  m->buffer = buffer;
  for (int32_t i = 0; i < m->n_buffer; i++) {
    WHET_TRY(read_buffer(r, whet__fb_vec_table(v, (uint32_t)i), i, &buffer[i]));
    WHET_TRY(sound(r, "buffer", i));
  }
  WHET_TRY(read_names(r, whet__fb_vec(t, 6, 4), &m->meta, &m->n_meta));
  v = whet__fb_vec(t, 7, 4);
  WHET_TRY(list(r, v, sizeof *sig, &sig, &m->n_signature));
  m->signature = sig;
  for (int32_t i = 0; i < m->n_signature; i++) {
    WHET_TRY(read_signature(r, whet__fb_vec_table(v, (uint32_t)i), &sig[i]));
    WHET_TRY(sound(r, "signature", i));
  }
  return read_str(r, t, 3, &m->description);
}

whet_status whet__tf_model(const void *p, size_t n, whet_arena *a, int64_t ops, whet_tf_model *m, whet_err *err) {
  *m = (whet_tf_model){.fb = {.p = p, .n = n}};
  struct rd reader = {a, err, &m->fb, COPY_FREE + (uint64_t)n * COPY_PER_BYTE, ops}, *r = &reader;
  if (!whet__tf_looks_like_model(p, n))
    return whet__fail(err, WHET_E_FORMAT, "byte 4: no TFLite model: the identifier \"TFL3\" is missing");
  whet_fb_table t = whet__fb_root(&m->fb);
  m->version = (uint32_t)whet__fb_uint(t, 0, 4, 0);
  WHET_TRY(sound(r, "table", 0));
  if (m->version != 3)
    return whet__fail(err, WHET_E_FORMAT, "byte %zu: schema version %u, expected 3", t.pos, m->version);
  WHET_TRY(read_root(r, t, m));
  return sound(r, "the root table", 0);
}

bool whet__tf_looks_like_model(const void *p, size_t n) { return n >= 8 && !memcmp((const char *)p + 4, "TFL3", 4); }
