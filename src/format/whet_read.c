/* SPDX-License-Identifier: Apache-2.0 */
/* Reading .whet files: see whet_file.h and docs/whet-format.md.
 *
 * The bytes are untrusted: checksums find damage, not malice. Every number is bounded by what is left to read, values
 * and nodes come from the budgets that every reader has, and the graph is verified afterwards like any other. */

#include <math.h>

#include "base/crc.h"
#include "base/dtype.h"
#include "base/span.h"
#include "format/whet_file.h"

struct reader {
  whet_import *im;
  whet_model *m;
  whet_graph *g;
  whet_arena *a;
  whet_err *err;
  whet_span s; /* the index */
  whet_block *block;
  size_t n_block;
};

bool whet__whet_looks_like_model(const uint8_t *p, size_t n) { return n >= 8 && !memcmp(p, WHET_FILE_MAGIC, 8); }

/* ---- data -------------------------------------------------------------------------------------------------------
 */

static whet_status bad(struct reader *r, const char *what) {
  return whet__fail(r->err, WHET_E_FORMAT, "byte %zu of the index: %s", r->s.at, r->s.bad ? "cut off" : what);
}
static whet_status full(struct reader *r) { return whet__no_memory(&r->m->mem, 0, r->err, "the model"); }

static int64_t get_s(struct reader *r) {
  uint64_t u = whet__span_varint(&r->s);
  return (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
}
static float get_f32(struct reader *r) {
  uint32_t u = whet__span_u32(&r->s);
  float f;
  memcpy(&f, &u, 4);
  return f;
}
/* A count of things that take at least `each` bytes: more than is left is damage. */
static size_t get_count(struct reader *r, size_t each) {
  uint64_t n = whet__span_varint(&r->s);
  if (n > r->s.n / each) r->s.bad = true;
  return r->s.bad ? 0 : (size_t)n;
}
/* A number from lo to hi. */
static int64_t get_in(struct reader *r, int64_t lo, int64_t hi) {
  int64_t v = get_s(r);
  if (v < lo || v > hi) r->s.bad = true;
  return r->s.bad ? lo : v;
}
static int32_t get_i32(struct reader *r) { return (int32_t)get_in(r, INT32_MIN, INT32_MAX); }
static bool get_flag(struct reader *r) {
  uint8_t v = whet__span_u8(&r->s);
  if (v > 1) r->s.bad = true;
  return v == 1;
}

/* A text in the arena, terminated; "" on damage, NULL when memory is refused. */
static char *get_bytes(struct reader *r, size_t *n) {
  *n = get_count(r, 1);
  const uint8_t *p = whet__span_take(&r->s, *n);
  if (!p) *n = 0;
  return whet__arena_str(r->a, p ? (const char *)p : "", *n);
}
static const char *get_str(struct reader *r) {
  size_t n;
  char *s = get_bytes(r, &n);
  if (s && strlen(s) != n) r->s.bad = true;
  return s;
}

/* ---- header and blocks ------------------------------------------------------------------------------------------
 */

static uint64_t at64(const uint8_t *p) {
  whet_span s = whet__span(p, 8);
  return whet__span_u64(&s);
}
static uint32_t at32(const uint8_t *p) {
  whet_span s = whet__span(p, 4);
  return whet__span_u32(&s);
}

static whet_status read_header(struct reader *r) {
  const uint8_t *b = r->m->bytes;
  size_t n = r->m->n_bytes;
  if (n < WHET_FILE_HEADER) return whet__fail(r->err, WHET_E_FORMAT, "%zu bytes are too few for a header", n);
  if (at32(b + WHET_FILE_AT_CRC) != whet__crc32c(0, b, WHET_FILE_AT_CRC))
    return whet__fail(r->err, WHET_E_FORMAT, "the header is damaged: its checksum differs");
  uint32_t version = at32(b + WHET_FILE_AT_VERSION);
  if (version != WHET_FILE_VERSION)
    return whet__fail(r->err, WHET_E_UNSUPPORTED,
                      "version %u of the .whet format; version %d is known: convert the model again", version,
                      WHET_FILE_VERSION);
  if (at64(b + WHET_FILE_AT_BYTES) != n)
    return whet__fail(r->err, WHET_E_FORMAT, "the file has %zu bytes; its header says %llu", n,
                      (unsigned long long)at64(b + WHET_FILE_AT_BYTES));
  uint64_t at = at64(b + WHET_FILE_AT_INDEX), bytes = at64(b + WHET_FILE_AT_INDEX_BYTES);
  if (at < WHET_FILE_HEADER || at > n || bytes != n - at)
    return whet__fail(r->err, WHET_E_FORMAT, "the index does not lie in the file");
  if (at32(b + WHET_FILE_AT_INDEX_CRC) != whet__crc32c(0, b + at, (size_t)bytes))
    return whet__fail(r->err, WHET_E_FORMAT, "the index is damaged: its checksum differs");
  r->s = whet__span(b + at, (size_t)bytes);
  return WHET_OK;
}

static whet_status read_blocks(struct reader *r) {
  uint64_t end = r->m->n_bytes - r->s.n;
  r->n_block = get_count(r, 6);
  r->block = whet__arena_array(r->a, r->n_block + 1, sizeof *r->block);
  if (!r->block) return full(r);
  for (size_t i = 0; i < r->n_block; i++) {
    uint64_t at = whet__span_varint(&r->s), n = whet__span_varint(&r->s);
    uint32_t crc = whet__span_u32(&r->s);
    /* WHET_SLACK bytes after each may be read. */
    if (r->s.bad || at % WHET_FILE_ALIGN || at < WHET_FILE_HEADER || at > end || n > end - at ||
        end - at - n < WHET_SLACK)
      return bad(r, "a block does not lie in the file");
    r->block[i] = (whet_block){r->m->bytes + at, (size_t)n, (size_t)at, crc};
  }
  r->m->block = r->block;
  r->m->n_block = r->n_block;
  return WHET_OK;
}

/* A block by its number + 1; NULL for 0 and on damage. */
static const whet_block *get_block(struct reader *r) {
  uint64_t i = whet__span_varint(&r->s);
  if (i > r->n_block) r->s.bad = true;
  return i && !r->s.bad ? &r->block[i - 1] : NULL;
}

/* ---- values -----------------------------------------------------------------------------------------------------
 */

static void get_shape(struct reader *r, whet_shape *s) {
  uint64_t rank = whet__span_varint(&r->s);
  if (rank > WHET_MAX_RANK + 1) r->s.bad = true;
  *s = (whet_shape){.rank = r->s.bad ? -1 : (int32_t)rank - 1};
  for (int32_t i = 0; i < s->rank; i++) {
    int64_t d = get_s(r);
    if (d < (int64_t)WHET_FILE_DIM_SYMBOL - (r->g->n_symbol - 1)) r->s.bad = true;
    s->d[i] = d >= 0 ? d : d == WHET_FILE_DIM_ANY ? WHET_DIM_ANY : WHET_DIM_SYM(WHET_FILE_DIM_SYMBOL - d);
  }
}

/* Do n scales along an axis (in blocks of `block`) suit this shape? */
static bool suits(const whet_shape *s, int64_t n, int64_t axis, int64_t block) {
  if (n == 1 && !block) return true;
  if (axis < 0 || axis >= s->rank || s->d[axis] < 0) return false;
  if (!block) return n == s->d[axis];
  whet_shape blocks = *s;
  blocks.d[axis] = (s->d[axis] + block - 1) / block;
  return whet__shape_count(&blocks) == n;
}

/* Quantisation of a value of shape s; NULL in *out when it has none. */
static whet_status get_quant(struct reader *r, const whet_shape *s, const whet_quant **out) {
  *out = NULL;
  size_t n = get_count(r, 5);
  if (!n) return r->s.bad ? bad(r, "more scales than there are bytes") : WHET_OK;
  whet_quant *q = whet__arena_alloc(r->a, sizeof *q);
  float *scale = whet__arena_array(r->a, n, sizeof *scale);
  int32_t *zero = whet__arena_array(r->a, n, sizeof *zero);
  if (!q || !scale || !zero) return full(r);
  int32_t axis = get_i32(r), block = (int32_t)whet__span_varint(&r->s);
  bool ok = n <= INT32_MAX && block >= 0 && suits(s, (int64_t)n, axis, block);
  for (size_t i = 0; i < n && ok; i++) {
    scale[i] = get_f32(r);
    ok = isfinite(scale[i]) && scale[i] >= 0;
  }
  for (size_t i = 0; i < n && ok; i++) zero[i] = get_i32(r);
  if (!ok || r->s.bad) return bad(r, "scales that do not suit their value");
  *q = (whet_quant){(int32_t)n, axis, block, scale, zero};
  *out = q;
  return WHET_OK;
}

/* The contents of a constant, or the first of a variable. */
static whet_status get_data(struct reader *r, whet_val *v) {
  const whet_block *b = get_block(r);
  if (r->s.bad) return bad(r, "there is no such block");
  if (!b) return v->role == WHET_ROLE_CONST ? bad(r, "a constant without contents") : WHET_OK;
  int64_t count = whet__shape_count(&v->shape);
  if ((v->role != WHET_ROLE_CONST && v->role != WHET_ROLE_VARIABLE) || v->kind != WHET_TENSOR ||
      v->dtype == WHET_STRING || count < 0 || whet_dtype_bytes((whet_dtype)v->dtype, (size_t)count) != b->n)
    return bad(r, "a constant whose contents have another size");
  for (size_t i = 0; v->dtype == WHET_BOOL && i < b->n; i++)
    if (b->p[i] > 1) return bad(r, "a bool that is neither 0 nor 1");
  whet_data *d = whet__arena_alloc(r->a, sizeof *d);
  if (!d) return full(r);
  *d = (whet_data){.p = b->p, .n = b->n, .id = r->g->next_data++, .mapped = true};
  v->data = d;
  return WHET_OK;
}

/* How a value is turned: all zeros, or a permutation of its dimensions. */
static bool get_perm(struct reader *r, whet_val *v) {
  const uint8_t *p = get_flag(r) ? whet__span_take(&r->s, WHET_MAX_RANK) : NULL;
  unsigned seen = 0;
  if (!p) return !r->s.bad;
  for (int32_t i = 0; i < WHET_MAX_RANK; i++) {
    v->perm[i] = (int8_t)p[i];
    if (i < v->shape.rank && p[i] < WHET_MAX_RANK) seen |= 1u << p[i];
  }
  return v->shape.rank >= 0 && seen == (1u << v->shape.rank) - 1;
}

static whet_status read_value(struct reader *r) {
  const char *name = get_str(r);
  int32_t i = name ? whet__graph_val(r->g, name) : -1;
  if (i < 0) return full(r);
  whet_val v = r->g->val[i];
  v.dtype = whet__span_u8(&r->s);
  v.kind = whet__span_u8(&r->s);
  v.role = whet__span_u8(&r->s);
  v.flags = whet__span_u8(&r->s);
  get_shape(r, &v.shape);
  v.origin = get_i32(r);
  if (v.dtype >= WHET_DTYPE_COUNT || v.kind > WHET_OPTIONAL || v.role > WHET_ROLE_VARIABLE ||
      v.flags & ~(WHET_VAL_KEEP | WHET_VAL_SHARED) || v.origin < -1 || !get_perm(r, &v))
    return bad(r, "a value of no known kind");
  WHET_TRY(get_quant(r, &v.shape, &v.q));
  WHET_TRY(get_data(r, &v));
  r->g->val[i] = v;
  return WHET_OK;
}

static whet_status read_values(struct reader *r) {
  for (size_t n = get_count(r, 9); n > 0; n--) {
    WHET_TRY(whet__im_spend(r->im, 1, false, r->err));
    WHET_TRY(read_value(r));
  }
  return r->s.bad ? bad(r, "more values than there are bytes") : WHET_OK;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------
 */

/* A list of numbers + 1 below `limit` (0: none, where `gaps` allows it), in the arena. */
static whet_status get_list(struct reader *r, int32_t limit, bool gaps, int32_t **out, int32_t *n) {
  size_t count = get_count(r, 1);
  WHET_TRY(whet__im_spend(r->im, (int64_t)count, false, r->err));
  *n = (int32_t)count;
  *out = whet__arena_array(r->a, count + 1, sizeof **out);
  if (!*out) return full(r);
  for (size_t i = 0; i < count; i++) {
    uint64_t v = whet__span_varint(&r->s);
    if (v > (uint64_t)limit || (!v && !gaps)) r->s.bad = true;
    (*out)[i] = r->s.bad ? -1 : (int32_t)v - 1;
  }
  return r->s.bad ? bad(r, "a list names what is not there") : WHET_OK;
}

/* One attribute of kind `kind` to `at`. */
static whet_status get_attr(struct reader *r, unsigned kind, char *at) {
  switch ((whet_attr_kind)kind) {
    case WHET_ATTR_I32:
      *(int32_t *)(void *)at = get_i32(r);
      return WHET_OK;
    case WHET_ATTR_I64:
      *(int64_t *)(void *)at = get_s(r);
      return WHET_OK;
    case WHET_ATTR_F32:
      *(float *)(void *)at = get_f32(r);
      return WHET_OK;
    case WHET_ATTR_BOOL:
      *(bool *)at = get_flag(r);
      return WHET_OK;
    case WHET_ATTR_U8: {
      uint64_t v = whet__span_varint(&r->s);
      if (v > UINT8_MAX) r->s.bad = true;
      *(uint8_t *)at = (uint8_t)v;
      return WHET_OK;
    }
    case WHET_ATTR_STR: {
      size_t n;
      char *p = get_bytes(r, &n);
      *(whet_str *)(void *)at = (whet_str){p, n};
      return p ? WHET_OK : full(r);
    }
    default:
      break;
  }
  size_t n = get_count(r, kind == WHET_ATTR_F32S ? 4 : 1);
  WHET_TRY(whet__im_spend(r->im, (int64_t)n, false, r->err));
  if (kind == WHET_ATTR_I64S) {
    int64_t *v = whet__arena_array(r->a, n + 1, sizeof *v);
    for (size_t i = 0; v && i < n; i++) v[i] = get_s(r);
    *(whet_ints *)(void *)at = (whet_ints){v, (int32_t)n};
    return v ? WHET_OK : full(r);
  }
  if (kind == WHET_ATTR_F32S) {
    float *v = whet__arena_array(r->a, n + 1, sizeof *v);
    for (size_t i = 0; v && i < n; i++) v[i] = get_f32(r);
    *(whet_floats *)(void *)at = (whet_floats){v, (int32_t)n};
    return v ? WHET_OK : full(r);
  }
  whet_str *v = whet__arena_array(r->a, n + 1, sizeof *v);
  bool ok = v != NULL;
  for (size_t i = 0; i < n && ok; i++) ok = (v[i].p = get_bytes(r, &v[i].n)) != NULL;
  *(whet_strs *)(void *)at = (whet_strs){v, (int32_t)n};
  return ok ? WHET_OK : full(r);
}

/* The attributes of an operator, by name. All that the operator has must be there. */
static whet_status read_attrs(struct reader *r, const whet_op *op, const void **out) {
  char *attr = whet__arena_alloc(r->a, op->attr_size + 1u);
  size_t n = get_count(r, 2), want = 0;
  uint64_t seen = 0;
  if (!attr) return full(r);
  while (op->attr_size && op->attrs && op->attrs[want].name) want++;
  for (size_t i = 0; i < n; i++) {
    const char *name = get_str(r);
    unsigned kind = whet__span_u8(&r->s);
    if (!name) return full(r);
    size_t k = 0;
    while (k < want && strcmp(op->attrs[k].name, name)) k++;
    if (r->s.bad || k == want || op->attrs[k].kind != kind || (k < 64 && seen >> k & 1))
      return whet__fail(r->err, WHET_E_FORMAT, "%s has no attribute \"%.60s\" of that kind in this version of whet",
                        op->name, name);
    if (k < 64) seen |= UINT64_C(1) << k;
    WHET_TRY(get_attr(r, kind, attr + op->attrs[k].offset));
    if (r->s.bad) return bad(r, "an attribute out of range");
  }
  if (n != want)
    return whet__fail(r->err, WHET_E_FORMAT, "%s has %zu attributes in this version of whet, not %zu", op->name, want,
                      n);
  *out = op->attr_size ? attr : NULL;
  return WHET_OK;
}

static whet_status read_region(struct reader *r, whet_region *region);

static whet_status read_bodies(struct reader *r, whet_node *n) {
  uint8_t bodies = whet__span_u8(&r->s);
  if (!bodies) return WHET_OK;
  n->body = whet__arena_array(r->a, bodies, sizeof *n->body);
  if (!n->body) return full(r);
  for (int b = 0; b < bodies; b++) {
    n->body[b] = whet__arena_alloc(r->a, sizeof *n->body[b]);
    if (!n->body[b]) return full(r);
    WHET_TRY(read_region(r, n->body[b]));
  }
  n->n_body = bodies;
  return WHET_OK;
}

static whet_status read_node(struct reader *r, whet_region *region) {
  int32_t *in, *out, n_in, n_out;
  whet_node n = {0};
  const char *type = get_str(r);
  n.name = get_str(r);
  if (!type || !n.name) return full(r);
  WHET_TRY(whet__im_spend(r->im, 1, true, r->err));
  n.op = whet__op_find(type);
  if (!n.op || (n.op->attr_size && !n.op->attrs)) /* Custom: whoever wrote this did not get it from us */
    return whet__fail(r->err, WHET_E_UNSUPPORTED, "node \"%.80s\": this version of whet has no operator %.60s",
                      n.name, type);
  if (n.op->flags & WHET_OP_FROM_FILE)
    return whet__fail(r->err, WHET_E_FORMAT, "node \"%.80s\": no .whet file holds operator %.60s", n.name, type);
  n.origin = get_i32(r);
  n.round = whet__span_u8(&r->s);
  WHET_TRY(get_list(r, r->g->n_val, true, &in, &n_in));
  WHET_TRY(get_list(r, r->g->n_val, true, &out, &n_out));
  if (r->s.bad || n.round > WHET_ROUND_ONNX_REAL || n_in > UINT16_MAX || n_out > UINT16_MAX || n.origin < -1)
    return bad(r, "a node that cannot be");
  if (read_attrs(r, n.op, &n.attr) || read_bodies(r, &n)) return whet__fail_in(r->err, "node \"%.80s\"", n.name);
  int32_t i = whet__graph_node(r->g, region, n.op, n.attr, in, n_in, out, n_out);
  if (i < 0) return full(r);
  whet_node *made = &r->g->node[i];
  made->name = n.name;
  made->origin = n.origin;
  made->round = n.round;
  made->body = n.body;
  made->n_body = n.n_body;
  return WHET_OK;
}

static whet_status read_region(struct reader *r, whet_region *region) {
  WHET_TRY(whet__im_enter(r->im, r->err));
  region->name = get_str(r);
  whet_status s = region->name ? WHET_OK : full(r);
  if (!s) s = get_list(r, r->g->n_val, false, &region->in, &region->n_in);
  if (!s) s = get_list(r, r->g->n_val, false, &region->out, &region->n_out);
  for (size_t n = s ? 0 : get_count(r, 7); n > 0 && !s; n--) s = read_node(r, region);
  whet__im_leave(r->im);
  return s ? s : r->s.bad ? bad(r, "a graph that cannot be") : WHET_OK;
}

/* ---- the rest ---------------------------------------------------------------------------------------------------
 */

static whet_status read_head(struct reader *r) {
  static const char *const k_keys[] = {"whet_version", "whet_cpu", "whet_precision"};
  for (size_t i = 0; i < WHET_COUNT(k_keys); i++) {
    size_t n;
    char *text = get_bytes(r, &n);
    if (!text) return full(r);
    WHET_TRY(whet__im_meta(r->im, k_keys[i], (whet_str){text, n}));
  }
  (void)get_flag(r); /* exact and ... */
  (void)get_flag(r); /* ... memory: what the weights were packed for, for people */
  r->m->micro = get_flag(r);
  for (size_t n = get_count(r, 2); n > 0; n--) {
    const char *key = get_str(r);
    size_t bytes;
    char *value = get_bytes(r, &bytes);
    if (!key || !value) return full(r);
    if (strncmp(key, "whet_", 5)) WHET_TRY(whet__im_meta(r->im, key, (whet_str){value, bytes}));
  }
  for (size_t n = get_count(r, 1); n > 0; n--) {
    const char *name = get_str(r);
    if (!name) return full(r);
    if (whet__im_symbol(r->im, (whet_str){name, strlen(name)}, true) == WHET_DIM_ANY) return full(r);
  }
  return r->s.bad ? bad(r, "texts that cannot be") : WHET_OK;
}

static whet_status read_source_tensor(struct reader *r) {
  whet_source_tensor t = {.name = get_str(r)};
  if (!t.name) return full(r);
  t.dtype = whet__span_u8(&r->s);
  t.kind = whet__span_u8(&r->s);
  t.constant = get_flag(r);
  get_shape(r, &t.shape);
  WHET_TRY(get_quant(r, &t.shape, &t.q));
  uint64_t v = whet__span_varint(&r->s);
  if (r->s.bad || t.dtype >= WHET_DTYPE_COUNT || t.kind > WHET_OPTIONAL || v > (uint64_t)r->g->n_val)
    return bad(r, "a tensor of no known kind");
  t.val = (int32_t)v - 1;
  return whet__im_source_tensor(r->im, &t) < 0 ? full(r) : WHET_OK;
}

static whet_status read_source_node(struct reader *r) {
  int32_t *in, *out;
  whet_source_node n = {.name = get_str(r), .type = get_str(r), .domain = get_str(r)};
  if (!n.name || !n.type || !n.domain) return full(r);
  n.since = get_i32(r);
  n.index = get_i32(r);
  WHET_TRY(get_list(r, r->m->source.n_tensor, true, &in, &n.n_in));
  WHET_TRY(get_list(r, r->m->source.n_tensor, true, &out, &n.n_out));
  n.in = in;
  n.out = out;
  return whet__im_source_node(r->im, &n) < 0 ? full(r) : WHET_OK;
}

static whet_status read_source(struct reader *r) {
  whet_source *s = &r->m->source;
  size_t n = get_count(r, 8);
  uint64_t main = whet__span_varint(&r->s);
  if (main > n) r->s.bad = true;
  for (; n > 0 && !r->s.bad; n--) WHET_TRY(read_source_tensor(r));
  s->n_main = (int32_t)main;
  n = get_count(r, 7);
  main = whet__span_varint(&r->s);
  if (main > n) r->s.bad = true;
  for (; n > 0 && !r->s.bad; n--) WHET_TRY(read_source_node(r));
  s->n_main_node = (int32_t)main;
  if (r->s.bad) return bad(r, "a list of tensors that cannot be");
  for (int32_t v = 0; v < r->g->n_val; v++)
    if (r->g->val[v].origin >= s->n_tensor) return bad(r, "a value that stems from no tensor");
  for (int32_t i = 0; i < r->g->n_node; i++)
    if (r->g->node[i].origin >= s->n_node) return bad(r, "a node that stems from no node");
  return WHET_OK;
}

/* The names of a signature's inputs or outputs, each with its place in the main region. */
static whet_status read_names(struct reader *r, const int32_t *list, int32_t n_list, const char ***name, int32_t **v,
                              int32_t *n) {
  size_t count = get_count(r, 2);
  if (count != (size_t)n_list) return bad(r, "a signature that leaves inputs or outputs out");
  *n = (int32_t)count;
  *name = whet__arena_array(r->a, count + 1, sizeof **name);
  *v = whet__arena_array(r->a, count + 1, sizeof **v);
  if (!*name || !*v) return full(r);
  for (size_t i = 0; i < count; i++) {
    if (!((*name)[i] = get_str(r))) return full(r);
    uint64_t at = whet__span_varint(&r->s);
    if (r->s.bad || at < 1 || at > (uint64_t)n_list) return bad(r, "a signature names what is not there");
    (*v)[i] = list[at - 1];
  }
  return WHET_OK;
}

static whet_status read_signatures(struct reader *r) {
  whet_region *main = &r->g->main;
  size_t n = get_count(r, 3);
  whet_signature *s = whet__arena_array(r->a, n + 1, sizeof *s);
  if (!s) return full(r);
  for (size_t i = 0; i < n; i++) {
    if (!(s[i].key = get_str(r))) return full(r);
    s[i].region = main;
    WHET_TRY(read_names(r, main->in, main->n_in, &s[i].name_in, &s[i].in, &s[i].n_in));
    WHET_TRY(read_names(r, main->out, main->n_out, &s[i].name_out, &s[i].out, &s[i].n_out));
  }
  r->m->signature = s;
  r->m->n_signature = (int32_t)n;
  return WHET_OK;
}

static whet_status read_stored(struct reader *r) {
  size_t n = get_count(r, 4);
  whet_stored *s = whet__arena_array(r->a, n + 1, sizeof *s);
  if (!s) return full(r);
  for (size_t i = 0; i < n; i++) {
    s[i].kind = get_str(r);
    s[i].params = get_bytes(r, &s[i].params_size);
    size_t n_src = get_count(r, 1);
    if (!s[i].kind || !s[i].params) return full(r);
    if (n_src > WHET_STORED_SRC) return bad(r, "a packed weight of too many constants");
    s[i].n_src = (int)n_src;
    for (size_t k = 0; k < n_src; k++) {
      const whet_block *b = get_block(r);
      whet_data *d = b ? whet__arena_alloc(r->a, sizeof *d) : NULL;
      if (b && !d) return full(r);
      if (b) *d = (whet_data){.p = b->p, .n = b->n, .mapped = true};
      s[i].src[k] = d;
    }
    const whet_block *b = get_block(r);
    if (!b || r->s.bad) return bad(r, "a packed weight without contents");
    s[i].bytes = b->p;
    s[i].n = b->n;
  }
  r->m->stored = s;
  r->m->n_stored = n;
  return WHET_OK;
}

/* Choices; files of before had none. */
static whet_status read_choices(struct reader *r) {
  if (!r->s.n) return WHET_OK;
  size_t n = get_count(r, 9);
  whet_choice *c = whet__arena_array(r->a, n + 1, sizeof *c);
  if (!c) return full(r);
  for (size_t i = 0; i < n; i++) {
    c[i].key = whet__span_u64(&r->s);
    if (!(c[i].name = get_str(r))) return full(r);
  }
  if (r->s.bad) return bad(r, "a list of choices that cannot be");
  r->m->choices = (whet_choices){c, n};
  return WHET_OK;
}

whet_status whet__whet_read(whet_import *im) {
  struct reader r = {.im = im, .m = im->m, .g = im->g, .a = &im->g->arena, .err = im->err};
  WHET_TRY(read_header(&r));
  WHET_TRY(read_blocks(&r));
  WHET_TRY(read_head(&r));
  WHET_TRY(read_values(&r));
  WHET_TRY(read_region(&r, &im->g->main));
  WHET_TRY(read_source(&r));
  WHET_TRY(read_signatures(&r));
  WHET_TRY(read_stored(&r));
  WHET_TRY(read_choices(&r));
  return r.s.n ? bad(&r, "bytes that belong to nothing") : WHET_OK;
}

whet_status whet_model_check(const whet_model *m, whet_err *err) {
  whet_err mine = {0};
  if (!err) err = &mine;
  *err = (whet_err){0};
  if (!m) return whet__fail(err, WHET_E_MISUSE, "whet_model_check: a model must be given");
  for (size_t i = 0; i < m->n_block; i++) {
    uint32_t crc = whet__crc32c(0, m->block[i].p, m->block[i].n);
    if (crc != m->block[i].crc)
      return whet__fail(err, WHET_E_FORMAT,
                        "byte %zu: the block of %zu bytes is damaged: its checksum is %08x, not %08x", m->block[i].at,
                        m->block[i].n, crc, m->block[i].crc);
  }
  return WHET_OK;
}
