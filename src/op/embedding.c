/* SPDX-License-Identifier: Apache-2.0 */
/* EmbeddingSparse(ids, indices, shape, weights, table): rows of a table, weighted and combined where a sparse tensor's
 * indices (but for the last one) are the same: their sum, divided by the sum of the weights (mean) or by the root of the
 * sum of their squares.
 *
 * TFLite EMBEDDING_LOOKUP_SPARSE. f32, added in order as LiteRT does: rows that belong together follow each other. Ids
 * and indices are checked when they are read (E_DATA). */

#include <math.h>

#include "op/move.h"

enum { IDS, INDICES, SHAPE, WEIGHTS, TABLE };
enum { SUM, MEAN, ROOT };

struct embedding {
  uint8_t combiner;
};
static const whet_attr_desc k_attrs[] = {{"combiner", WHET_ATTR_U8, offsetof(struct embedding, combiner)}, {0}};

static whet_status from_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct embedding, a);
  int64_t c = whet__tfl_int(im, 0, 0);
  if (c < SUM || c > ROOT) return whet__im_fail(im, WHET_E_DATA, "combiner %lld", (long long)c);
  a->combiner = (uint8_t)c;
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_from[] = {{"tflite", "EMBEDDING_LOOKUP_SPARSE", 1, from_tfl}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status infer(whet_infer *f, const whet_node *n) {
  static const int8_t k_rank[] = {1, 2, 1, 1};
  const whet_shape *table = whet__in_shape(f, TABLE), *idx = whet__in_shape(f, INDICES);
  whet_shape *out = whet__out(f, 0, WHET_F32);
  whet_nums s;
  whet_dim lookups = WHET_DIM_ANY;
  out->rank = -1;
  for (int i = 0; i < 3; i++) WHET_TRY(whet__infer_is_int(f, i));
  if (whet__in_dtype(f, WEIGHTS) != WHET_F32 || whet__in_dtype(f, TABLE) != WHET_F32)
    return whet__infer_fail(f, WHET_E_TYPE, "weights of %s and a table of %s are not taken",
                            whet_dtype_name(whet__in_dtype(f, WEIGHTS)), whet_dtype_name(whet__in_dtype(f, TABLE)));
  for (int i = 0; i < 4; i++) {
    const whet_shape *x = whet__in_shape(f, i);
    WHET_TRY(whet__infer_rank(f, i, k_rank[i], k_rank[i]));
    if (i == SHAPE || !whet__dim_known(x->d[0])) continue;
    if (whet__dim_known(lookups) && x->d[0] != lookups)
      return whet__infer_fail(f, WHET_E_SHAPE, "%lld ids, indices or weights, %lld before", (long long)x->d[0],
                              (long long)lookups);
    lookups = x->d[0];
  }
  WHET_TRY(whet__infer_rank(f, TABLE, 1, WHET_MAX_RANK));
  bool known = whet__nums(f, SHAPE, &s);
  if (s.n >= 0 && (s.n < 1 || s.n + table->rank - 2 > WHET_MAX_RANK ||
                   (whet__dim_known(idx->d[1]) && idx->d[1] != s.n)))
    return whet__infer_fail(f, WHET_E_SHAPE, "a shape of %d dimensions does not fit indices and table", s.n);
  if (!known) return whet__nums_late(f, &s, "the shape");
  out->rank = 0;
  bool late = false;
  for (int32_t i = 0; i < s.n - 1; i++) {
    whet_dim d = whet__num(&s, i);
    late |= !whet__dim_number(d);
    if (whet__dim_number(d) && d < 0) return whet__infer_fail(f, WHET_E_DATA, "dimension %d is %lld", i, (long long)d);
    out->d[out->rank++] = d;
  }
  for (int32_t i = 1; i < table->rank; i++) out->d[out->rank++] = table->d[i];
  whet_dim total;
  WHET_TRY(whet__infer_count(f, out, &total));
  return late ? WHET_LATE : WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Rows that were added up so far. */
struct bucket {
  float *row; /* NULL: none yet */
  float weight, squares;
};

static void finish(const struct embedding *a, const struct bucket *b, int64_t n) {
  if (!b->row || a->combiner == SUM) return;
  float by = a->combiner == MEAN ? b->weight : sqrtf(b->squares);
  for (int64_t k = 0; k < n; k++) b->row[k] /= by;
}

static whet_status ref(const whet_args *args) {
  const struct embedding *a = args->attr;
  const whet_tensor *in = args->in, *idx = &in[INDICES], *table = &in[TABLE], *out = &args->out[0];
  int32_t rank = (int32_t)idx->dim[1] - 1; /* of the sparse tensor's rows */
  int64_t n = whet__dim_product(table->dim, 1, table->rank);
  struct bucket b = {0};
  memset(out->data, 0, (size_t)whet__tensor_count(out) * sizeof(float));
  for (int64_t i = 0; i < idx->dim[0]; i++) {
    int64_t id, place = 0;
    WHET_TRY(whet__index_read(args, &in[IDS], i * in[IDS].stride[0], table->dim[0], false, &id));
    for (int32_t k = 0; k < rank; k++) {
      int64_t v;
      WHET_TRY(whet__index_read(args, idx, i * idx->stride[0] + k * idx->stride[1], out->dim[k], false, &v));
      place = place * out->dim[k] + v;
    }
    float *row = (float *)out->data + place * n, w = ((const float *)in[WEIGHTS].data)[i * in[WEIGHTS].stride[0]];
    if (row != b.row) {
      finish(a, &b, n);
      b = (struct bucket){.row = row};
    }
    b.weight += w;
    b.squares += w * w;
    for (int64_t k = 0; k < n; k++) {
      float v = ((const float *)table->data)[whet__flat_offset(table, id * n + k)] * w;
      row[k] += v;
    }
  }
  finish(a, &b, n);
  return WHET_OK;
}

const whet_op whet_op_EmbeddingSparse = {
    .name = "EmbeddingSparse",
    .attr_size = sizeof(struct embedding),
    .attrs = k_attrs,
    .from = k_from,
    .infer = infer,
    .ref = ref,
};
