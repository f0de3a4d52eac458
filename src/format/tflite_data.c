/* SPDX-License-Identifier: Apache-2.0 */
/* Contents of TFLite tensors: plain bytes, strings, and sparse tensors, which are made dense. */

#include "base/dtype.h"
#include "format/import.h"

static whet_status malformed(const whet_tf_tensor *t, whet_err *err, const char *what) {
  return whet__fail(err, WHET_E_FORMAT, "tensor \"%.80s\": %s", t->name.p, what);
}

/* The little-endian int32 at place i of n bytes at p; -1 when it does not lie in them. */
static int64_t word(const uint8_t *p, size_t n, size_t i) {
  if (i >= n / 4) return -1;
  p += i * 4;
  return p[0] | (int64_t)p[1] << 8 | (int64_t)p[2] << 16 | (int64_t)p[3] << 24;
}

/* A string tensor: their count, where each starts and the end of the last, then their bytes. All are copied. */
static whet_status strings(whet_import *im, const whet_tf_tensor *t, const whet_tf_buffer *b, int64_t count,
                           const void **p, whet_err *err) {
  int64_t n = word(b->p, b->n, 0);
  if (n != count) return malformed(t, err, "the number of strings does not fit its shape");
  if (word(b->p, b->n, (size_t)n + 1) < 0) return malformed(t, err, "the list of strings is cut off");
  whet_str *v = whet__arena_array(&im->g->arena, (size_t)n + 1, sizeof *v);
  char *copy = whet__arena_copy(&im->g->arena, b->p, b->n);
  if (!v || !copy) return whet__im_no_memory(im, err, b->n, t->name.p);
  for (int64_t i = 0; i < n; i++) { /* places are read from the copy, so that they cannot change under us */
    int64_t from = word((uint8_t *)copy, b->n, (size_t)i + 1), to = word((uint8_t *)copy, b->n, (size_t)i + 2);
    if (from < 0 || from > to || to > (int64_t)b->n) return malformed(t, err, "a string lies outside its buffer");
    v[i] = (whet_str){copy + from, (size_t)(to - from)};
  }
  *p = v;
  return WHET_OK;
}

enum { MAX_LEVELS = 2 * WHET_MAX_RANK };

/* A walk over a sparse tensor: levels in traversal order, the outer dimensions first, then those inside blocks. */
struct sparse {
  const whet_tf_sparsity *s;
  const whet_shape *shape;
  whet_dtype type; /* of elements; 4- and 2-bit floats as integers */
  int32_t levels;
  int64_t block[WHET_MAX_RANK]; /* by block dimension: its size */
  int64_t index[MAX_LEVELS];
  const uint8_t *src;
  int64_t n_src, at; /* stored elements, and the next one */
  uint8_t *dst;
};

/* Segments rise, so that no index is visited twice however the levels are nested. */
static bool rising(whet_tf_ints v) {
  for (int32_t i = 0; i < v.n; i++)
    if (v.v[i] < (i ? v.v[i - 1] : 0)) return false;
  return true;
}

/* Check what the walk relies on. Answers what is wrong, or NULL. */
static const char *check(struct sparse *w) {
  const whet_tf_sparsity *s = w->s;
  int32_t rank = w->shape->rank, blocks = s->block_map.n;
  bool seen[MAX_LEVELS] = {false};
  int64_t product[WHET_MAX_RANK];
  w->levels = s->order.n;
  if (blocks > WHET_MAX_RANK || s->order.n != rank + blocks || s->n_dim != s->order.n)
    return "its sparsity has not one level for each dimension";
  for (int32_t i = 0; i < w->levels; i++) {
    int32_t d = s->order.v[i];
    bool outer = i < rank;
    if (d < (outer ? 0 : rank) || d >= (outer ? rank : w->levels) || seen[d])
      return "its traversal order is no permutation";
    seen[d] = true;
    if (!rising(s->dim[i].segments)) return "its segments do not rise";
    if (!outer && (s->dim[i].csr || s->dim[i].size < 1)) return "a block dimension is not dense";
    if (!outer) w->block[d - rank] = s->dim[i].size;
  }
  for (int32_t i = 0; i < rank; i++) product[i] = 1;
  for (int32_t i = 0; i < blocks; i++) {
    int32_t d = s->block_map.v[i];
    if (d < 0 || d >= rank || product[d] > INT32_MAX) return "a block belongs to no dimension";
    product[d] *= w->block[i];
  }
  for (int32_t i = 0; i < rank; i++) {
    int32_t d = s->order.v[i];
    if (!s->dim[i].csr && (s->dim[i].size < 0 || s->dim[i].size * product[d] != w->shape->d[d]))
      return "a dense level does not fit its shape";
  }
  return NULL;
}

/* Store the next element at the place that the levels' indices name. */
static const char *store(struct sparse *w) {
  int32_t rank = w->shape->rank;
  int64_t at[WHET_MAX_RANK] = {0}, flat = 0;
  for (int32_t i = 0; i < rank; i++) at[w->s->order.v[i]] = w->index[i];
  for (int32_t i = rank; i < w->levels; i++) {
    int32_t b = w->s->order.v[i] - rank, d = w->s->block_map.v[b];
    at[d] = at[d] * w->block[b] + w->index[i];
  }
  for (int32_t d = 0; d < rank; d++) {
    if (at[d] < 0 || at[d] >= w->shape->d[d]) return "an index is out of range";
    flat = flat * w->shape->d[d] + at[d];
  }
  if (w->at >= w->n_src) return "it has fewer values than its index lists name";
  size_t each = whet__dtype_size(w->type);
  if (each)
    memcpy(w->dst + (size_t)flat * each, w->src + (size_t)w->at * each, each);
  else
    whet__set_i64(w->type, w->dst, flat, whet__get_i64(w->type, w->src, w->at));
  w->at++;
  return NULL;
}

/* Walk the levels from `level` on; `node` is the place within the level above. */
static const char *walk(struct sparse *w, int32_t level, int64_t node) {
  if (level == w->levels) return store(w);
  const whet_tf_sparse_dim *d = &w->s->dim[level];
  int64_t from = 0, to = d->size;
  if (d->csr) {
    if (node + 1 >= d->segments.n) return "its segments are cut off";
    from = d->segments.v[node];
    to = d->segments.v[node + 1];
    if (from < 0 || from > to || to > d->indices.n) return "a segment lies outside its indices";
  }
  for (int64_t i = from; i < to; i++) {
    w->index[level] = d->csr ? d->indices.v[i] : i;
    const char *why = walk(w, level + 1, d->csr ? i : node * d->size + i);
    if (why) return why;
  }
  return NULL;
}

static whet_status dense(whet_import *im, const whet_tf_tensor *t, const whet_tf_buffer *b, whet_dtype type,
                         const whet_shape *s, size_t bytes, const void **p, whet_err *err) {
  struct sparse w = {.s = t->sparsity, .shape = s, .type = type == WHET_F4E2M1 ? WHET_U4 : type, .src = b->p};
  size_t bits = whet_dtype_bits(type), n;
  const char *why;
  if (!s->rank || (why = check(&w))) return malformed(t, err, s->rank ? why : "a sparse scalar");
  w.n_src = (int64_t)(b->n > SIZE_MAX / 8 ? SIZE_MAX / 8 : b->n) * 8 / (int64_t)bits;
  WHET_TRY(whet__im_inflate(im, bytes, b->n + 64, t->name.p, err));
  w.dst = whet__add_size(bytes, WHET_SLACK, &n) ? whet__arena_alloc(&im->g->arena, n) : NULL;
  if (!w.dst) return whet__im_no_memory(im, err, bytes, t->name.p);
  if (bytes && (why = walk(&w, 0, 0))) return malformed(t, err, why);
  *p = w.dst;
  return WHET_OK;
}

whet_status whet__tf_contents(whet_import *im, const whet_tf_tensor *t, const whet_tf_buffer *b, whet_dtype dtype,
                              const whet_shape *s, const void **p, bool *mapped, whet_err *err) {
  int64_t count = whet__shape_count(s);
  size_t bytes = count < 0 ? 0 : whet_dtype_bytes(dtype, (size_t)count);
  *mapped = false;
  if (count < 0 || (count && !bytes)) return malformed(t, err, "a constant whose size is not fixed or overflows");
  if (dtype == WHET_STRING) return strings(im, t, b, count, p, err);
  if (t->sparsity) return dense(im, t, b, dtype, s, bytes, p, err);
  if (b->n != bytes)
    return whet__fail(err, WHET_E_FORMAT, "tensor \"%.80s\" of type %s has %zu bytes, expected %zu by its shape",
                      t->name.p, whet_dtype_name(dtype), b->n, bytes);
  return whet__im_bytes(im, t->name.p, dtype, b->p, bytes, p, mapped, err);
}
