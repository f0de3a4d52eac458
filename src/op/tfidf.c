/* SPDX-License-Identifier: Apache-2.0 */
/* TfIdfVectorizer(x [C] or [N, C]): how often each n-gram of a pool stands in a row, TF; 1 or its weight when it does, IDF;
 * the count times the weight, TFIDF. ONNX TfIdfVectorizer 9; tokens are integers or text.
 *
 * The pool becomes a tree of tokens in flat arrays: an edge is the pair of a node and a token, found by hash. N-grams of
 * min to max tokens are counted whose tokens stand 1 to max_skip + 1 apart; single ones once. */

#include "op/keys.h"
#include "op/move.h"

struct tfidf {
  int32_t mode, skip, shortest, longest, n_out;
  whet_floats weights;
  const whet_keys *token, *edge; /* edge i leads to node i + 1; node 0 is the root */
  const int32_t *column;         /* by node: of the n-gram that ends there, -1 none */
};
static const whet_attr_desc k_attrs[] = {{"mode", WHET_ATTR_I32, offsetof(struct tfidf, mode)},
                                         {"max_skip_count", WHET_ATTR_I32, offsetof(struct tfidf, skip)},
                                         {"min_gram_length", WHET_ATTR_I32, offsetof(struct tfidf, shortest)},
                                         {"max_gram_length", WHET_ATTR_I32, offsetof(struct tfidf, longest)},
                                         {"columns", WHET_ATTR_I32, offsetof(struct tfidf, n_out)},
                                         {"weights", WHET_ATTR_F32S, offsetof(struct tfidf, weights)},
                                         {0}};
enum { TF, IDF, TFIDF, MAX_COLUMNS = 1 << 28 };

/* ---- reading --------------------------------------------------------------------------------- */

/* The tree while it is built. */
struct tree {
  whet_keys *edge;
  int64_t *key;
  int32_t *column;
  int32_t n;
};

static int64_t edge_key(int32_t node, int32_t token) { return (int64_t)node << 32 | token; }

/* Put an n-gram of `size` tokens into the tree. The first of equal ones counts, as in the reading order of the pool. */
static void add_gram(struct tree *t, const int32_t *token, int32_t size, int32_t column) {
  int32_t node = 0;
  for (int32_t i = 0; i < size; i++) {
    int32_t e = whet__keys_int(t->edge, edge_key(node, token[i]));
    if (e < 0) {
      e = t->n++;
      t->key[e] = edge_key(node, token[i]);
      t->column[e + 1] = -1;
      whet__keys_put(t->edge, e);
    }
    node = e + 1;
  }
  t->column[node] = column;
}

/* All n-grams of the pool, whose tokens have numbers. */
static whet_status build(whet_import *im, struct tfidf *a, const int32_t *token, int32_t n) {
  whet_ints start = whet__onnx_ints(im, "ngram_counts"), index = whet__onnx_ints(im, "ngram_indexes");
  whet_arena *mem = whet__im_arena(im);
  struct tree t = {.key = whet__arena_array(mem, (size_t)n + 1, sizeof *t.key),
                   .column = whet__arena_array(mem, (size_t)n + 1, sizeof *t.column)};
  t.edge = t.key ? whet__keys_room(mem, WHET_KEY_INT, t.key, n) : NULL;
  if (!t.edge || !t.column) return whet__im_fail(im, WHET_E_MEMORY, "no memory for the n-grams");
  t.column[0] = -1;
  int64_t gram = 0, most = -1;
  for (int32_t i = 0; i < index.n; i++) {
    if (index.v[i] < 0 || index.v[i] >= MAX_COLUMNS)
      return whet__im_fail(im, WHET_E_DATA, "ngram_indexes[%d] is %lld", i, (long long)index.v[i]);
    most = whet__max_i(most, index.v[i]);
  }
  for (int32_t size = 1; size <= start.n; size++) {
    int64_t from = start.v[size - 1], to = size < start.n ? start.v[size] : n;
    if (from < 0 || to < from || to > n || (to - from) % size)
      return whet__im_fail(im, WHET_E_DATA, "ngram_counts: %d-grams from %lld to %lld of a pool of %d", size, (long long)from,
                           (long long)to, n);
    for (; from < to; from += size, gram++) {
      if (gram >= index.n) return whet__im_fail(im, WHET_E_DATA, "more n-grams than the %d of ngram_indexes", index.n);
      if (size >= a->shortest && size <= a->longest) add_gram(&t, token + from, size, (int32_t)index.v[gram]);
    }
  }
  a->n_out = (int32_t)most + 1;
  a->edge = t.edge;
  a->column = t.column;
  if (a->mode != TF && a->weights.n && a->weights.n < a->n_out)
    return whet__im_fail(im, WHET_E_FORMAT, "%d weights for %d columns", a->weights.n, a->n_out);
  return WHET_OK;
}

static whet_status read_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct tfidf, a);
  whet_str mode = whet__onnx_str(im, "mode", "");
  const char *const name[] = {"TF", "IDF", "TFIDF"};
  while (a->mode < 3 && (strlen(name[a->mode]) != mode.n || memcmp(name[a->mode], mode.p, mode.n))) a->mode++;
  if (a->mode == 3) return whet__im_fail(im, WHET_E_DATA, "mode \"%.20s\"", mode.p);
  a->skip = whet__small(whet__onnx_int(im, "max_skip_count", 0));
  a->shortest = whet__small(whet__onnx_int(im, "min_gram_length", 1));
  a->longest = whet__small(whet__onnx_int(im, "max_gram_length", 1));
  if (a->skip < 0 || a->skip > 10000 || a->shortest < 1 || a->longest < a->shortest || a->longest > 10000)
    return whet__im_fail(im, WHET_E_DATA, "n-grams of %d to %d tokens, %d skipped", a->shortest, a->longest, a->skip);
  a->weights = whet__onnx_floats(im, "weights");
  whet_ints ints = whet__onnx_ints(im, "pool_int64s");
  whet_strs text = whet__onnx_strs(im, "pool_strings");
  if ((ints.n != 0) == (text.n != 0)) return whet__im_fail(im, WHET_E_FORMAT, "one of pool_int64s and pool_strings is expected");
  int32_t n = ints.n ? ints.n : text.n;
  whet_arena *mem = whet__im_arena(im);
  a->token = ints.n ? whet__keys_new(mem, WHET_KEY_INT, ints.v, n) : whet__keys_new(mem, WHET_KEY_TEXT, text.v, n);
  int32_t *token = whet__arena_array(mem, (size_t)n + 1, sizeof *token);
  if (!a->token || !token) return whet__im_fail(im, WHET_E_MEMORY, "no memory for the n-grams");
  for (int32_t i = 0; i < n; i++)
    token[i] = ints.n ? whet__keys_int(a->token, ints.v[i]) : whet__keys_text(a->token, text.v[i]);
  WHET_TRY(build(im, a, token, n));
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_from[] = {{"", "TfIdfVectorizer", 9, read_onnx}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const struct tfidf *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  whet_dtype t = whet__in_dtype(f, 0);
  if (whet__key_class(t) != a->token->class)
    return whet__infer_fail(f, WHET_E_TYPE, "tokens of type %s, the pool holds %s", whet_dtype_name(t),
                            a->token->class == WHET_KEY_TEXT ? "text" : "integers");
  if (x->rank > 2) return whet__infer_fail(f, WHET_E_SHAPE, "%d dimensions, expected 1 or 2", x->rank);
  whet_shape *y = whet__out(f, 0, WHET_F32);
  y->rank = x->rank;
  if (x->rank < 0) return WHET_LATE;
  if (x->rank == 2) y->d[0] = x->d[0];
  if (!x->rank) y->rank = 1;
  y->d[y->rank - 1] = a->n_out;
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

static size_t scratch(const whet_args *a) {
  const whet_tensor *x = &a->in[0];
  return (size_t)(x->rank ? x->dim[x->rank - 1] : 1) * sizeof(int32_t) + 16;
}

/* Count the n-grams of a row of n tokens. */
static void count(const struct tfidf *a, const int32_t *token, int64_t n, float *y) {
  int32_t shortest = a->shortest;
  for (int64_t step = 1; step <= a->skip + 1; step++) {
    for (int64_t from = 0; from + step * (shortest - 1) < n; from++) {
      int32_t node = 0, size = 1;
      for (int64_t at = from; size <= a->longest && at < n && token[at] >= 0; size++, at += step) {
        int32_t e = whet__keys_int(a->edge, edge_key(node, token[at]));
        if (e < 0) break;
        node = e + 1;
        if (size >= shortest && a->column[node] >= 0) y[a->column[node]]++;
      }
    }
    if (shortest == 1 && ++shortest > a->longest) break; /* single tokens have no steps between them */
  }
}

static whet_status ref(const whet_args *arg) {
  const struct tfidf *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  int64_t rows = x->rank == 2 ? x->dim[0] : 1, n = x->rank ? x->dim[x->rank - 1] : 1;
  int32_t *token = arg->scratch;
  for (int64_t r = 0; r < rows; r++) {
    float *to = (float *)y->data + r * (y->rank == 2 ? y->stride[0] : 0);
    for (int64_t i = 0; i < n; i++)
      token[i] = whet__keys_find(a->token, x->dtype, x->data,
                                 (x->rank == 2 ? r * x->stride[0] : 0) + (x->rank ? i * x->stride[x->rank - 1] : 0));
    memset(to, 0, (size_t)a->n_out * sizeof *to);
    count(a, token, n, to);
    if (a->mode == TF) continue;
    for (int32_t i = 0; i < a->n_out; i++) {
      float w = a->weights.n ? a->weights.v[i] : 1;
      to[i] = a->mode == IDF ? (to[i] > 0 ? w : 0) : to[i] * w;
    }
  }
  return WHET_OK;
}

const whet_op whet_op_TfIdfVectorizer = {.name = "TfIdfVectorizer", .flags = WHET_OP_FROM_FILE,
                                         .attr_size = sizeof(struct tfidf),
                                         .attrs = k_attrs,
                                         .from = k_from,
                                         .infer = infer,
                                         .scratch = scratch,
                                         .ref = ref};
