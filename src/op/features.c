/* SPDX-License-Identifier: Apache-2.0 */
/* Preparing features, ai.onnx.ml 1: Binarizer (x > threshold), Scaler ((x - offset) * scale), Imputer (a value that stands for
 * none replaced, NaN among them), Normalizer (rows divided by their greatest magnitude, sum of magnitudes or length),
 * ArrayFeatureExtractor (columns by number), FeatureVectorizer (columns of all inputs side by side, cut or filled with 0 to the
 * sizes given), OneHotEncoder (a new dimension of categories). Numbers of any type; text too where it is only moved or looked
 * up. */

#include <math.h>

#include "op/keys.h"
#include "op/move.h"
#include "op/scores.h"
#include "op/walk.h"

/* One struct for all: what each uses is said in its reader. */
typedef struct feature {
  double a;        /* Binarizer: threshold; Imputer: what is replaced */
  int32_t norm;    /* Normalizer */
  bool zeros;      /* OneHotEncoder: what is no category is all 0 */
  whet_floats f, g; /* Scaler: offset, scale; Imputer: values */
  whet_ints i;     /* Imputer: values; FeatureVectorizer: sizes */
  const whet_keys *keys;
} feature;
static const whet_attr_desc k_attrs[] = {{"norm", WHET_ATTR_I32, offsetof(feature, norm)},
                                         {"zeros", WHET_ATTR_BOOL, offsetof(feature, zeros)},
                                         {"floats", WHET_ATTR_F32S, offsetof(feature, f)},
                                         {"scale", WHET_ATTR_F32S, offsetof(feature, g)},
                                         {"ints", WHET_ATTR_I64S, offsetof(feature, i)},
                                         {0}};
enum { MAX, L1, L2 };

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status read_binarizer(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, feature, a);
  a->a = (double)whet__onnx_float(im, "threshold", 0);
  return whet__im_node_as_is(im, op, a);
}

/* On F32 it is a subtraction and a multiplication, which are fast. */
static whet_status read_scaler(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, feature, a);
  a->f = whet__onnx_floats(im, "offset");
  a->g = whet__onnx_floats(im, "scale");
  int32_t x = whet__im_in(im, 0), out = whet__im_out(im, 0);
  if (x < 0 || whet__im_val(im, x)->dtype != WHET_F32 || !a->f.n || !a->g.n) return whet__im_node_as_is(im, op, a);
  int32_t in[2] = {x, whet__im_const(im, WHET_F32, 1, (int64_t[]){a->f.n}, a->f.v)}, mid = whet__im_new(im, "centered");
  WHET_TRY(whet__im_node(im, whet__op_find("Sub"), NULL, in, 2, &mid, 1));
  int32_t then[2] = {mid, whet__im_const(im, WHET_F32, 1, (int64_t[]){a->g.n}, a->g.v)};
  return whet__im_node(im, whet__op_find("Mul"), NULL, then, 2, &out, 1);
}

static whet_status read_imputer(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, feature, a);
  a->f = whet__onnx_floats(im, "imputed_value_floats");
  a->i = whet__onnx_ints(im, "imputed_value_int64s");
  if ((a->f.n != 0) == (a->i.n != 0))
    return whet__im_fail(im, WHET_E_FORMAT, "one of imputed_value_floats and imputed_value_int64s is expected");
  a->a = a->f.n ? (double)whet__onnx_float(im, "replaced_value_float", 0) : (double)whet__onnx_int(im, "replaced_value_int64", 0);
  return whet__im_node_as_is(im, op, a);
}

static whet_status read_normalizer(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, feature, a);
  static const char *const name[] = {"MAX", "L1", "L2"};
  whet_str s = whet__onnx_str(im, "norm", "MAX");
  while (a->norm < 3 && (strlen(name[a->norm]) != s.n || memcmp(name[a->norm], s.p, s.n))) a->norm++;
  return a->norm < 3 ? whet__im_node_as_is(im, op, a) : whet__im_fail(im, WHET_E_DATA, "norm \"%.20s\"", s.p);
}

static whet_status read_vectorizer(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, feature, a);
  a->i = whet__onnx_ints(im, "inputdimensions");
  if (a->i.n != whet__im_n_in(im)) return whet__im_fail(im, WHET_E_FORMAT, "%d inputdimensions, %d inputs", a->i.n, whet__im_n_in(im));
  for (int32_t k = 0; k < a->i.n; k++)
    if (a->i.v[k] < 0 || a->i.v[k] > 1 << 28) return whet__im_fail(im, WHET_E_DATA, "inputdimensions[%d] is %lld", k, (long long)a->i.v[k]);
  return whet__im_node_as_is(im, op, a);
}

static whet_status read_onehot(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, feature, a);
  whet_ints n = whet__onnx_ints(im, "cats_int64s");
  whet_strs s = whet__onnx_strs(im, "cats_strings");
  a->zeros = whet__onnx_int(im, "zeros", 1) != 0;
  if ((n.n != 0) == (s.n != 0)) return whet__im_fail(im, WHET_E_FORMAT, "one of cats_int64s and cats_strings is expected");
  a->keys = n.n ? whet__keys_new(whet__im_arena(im), WHET_KEY_INT, n.v, n.n) : whet__keys_new(whet__im_arena(im), WHET_KEY_TEXT, s.v, s.n);
  if (!a->keys) return whet__im_fail(im, WHET_E_MEMORY, "no memory for categories");
  return whet__im_node_as_is(im, op, a);
}

#define FROM(name, fn) {{"ai.onnx.ml", #name, 1, fn}, {0}}
static const whet_from k_binarizer_from[] = FROM(Binarizer, read_binarizer);
static const whet_from k_scaler_from[] = FROM(Scaler, read_scaler);
static const whet_from k_imputer_from[] = FROM(Imputer, read_imputer);
static const whet_from k_normalizer_from[] = FROM(Normalizer, read_normalizer);
static const whet_from k_extractor_from[] = FROM(ArrayFeatureExtractor, NULL);
static const whet_from k_vectorizer_from[] = FROM(FeatureVectorizer, read_vectorizer);
static const whet_from k_onehot_from[] = FROM(OneHotEncoder, read_onehot);

/* ---- shape rules ----------------------------------------------------------------------------- */

/* Numbers, and (n >= 0) lists of n, of one for all or one for each column. */
static whet_status numbers(whet_infer *f, int32_t n) {
  const whet_shape *x = whet__in_shape(f, 0);
  if (!whet__type_in(WHET_T_NUM | WHET_T_BOOL, whet__in_dtype(f, 0)))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(whet__in_dtype(f, 0)));
  if (x->rank < 0 || n <= 1) return WHET_OK;
  if (!x->rank || (whet__dim_known(x->d[x->rank - 1]) && x->d[x->rank - 1] != n))
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld columns, expected %d", x->rank ? (long long)x->d[x->rank - 1] : 1LL, n);
  return WHET_OK;
}

/* The same shape, of type t. */
static whet_status alike(whet_infer *f, whet_dtype t) {
  *whet__out(f, 0, t) = *whet__in_shape(f, 0);
  return WHET_OK;
}

static whet_status binarizer_infer(whet_infer *f, const whet_node *n) {
  WHET_TRY(numbers(f, 0));
  return alike(f, whet__in_dtype(f, 0));
}
static whet_status scaler_infer(whet_infer *f, const whet_node *n) {
  const feature *a = n->attr;
  WHET_TRY(numbers(f, a->f.n));
  WHET_TRY(numbers(f, a->g.n));
  return alike(f, WHET_F32);
}
static whet_status imputer_infer(whet_infer *f, const whet_node *n) {
  const feature *a = n->attr;
  WHET_TRY(numbers(f, a->f.n ? a->f.n : a->i.n));
  return alike(f, whet__in_dtype(f, 0));
}
static whet_status normalizer_infer(whet_infer *f, const whet_node *n) {
  whet_dim rows, cols;
  WHET_TRY(whet__infer_rows(f, 0, &rows, &cols));
  return alike(f, WHET_F32);
}

static whet_status extractor_infer(whet_infer *f, const whet_node *n) {
  const whet_shape *x = whet__in_shape(f, 0), *y = whet__in_shape(f, 1);
  WHET_TRY(whet__infer_is_int(f, 1));
  if (x->rank < 0 || y->rank < 0) return WHET_LATE;
  if (!x->rank) return whet__infer_fail(f, WHET_E_SHAPE, "input 0 has no dimensions");
  whet_dim count = 1;
  for (int32_t i = 0; i < y->rank; i++) count = whet__dim_mul(count, y->d[i]);
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, 0));
  if (x->rank == 1) {
    out->d[out->rank++] = 1;
  } else {
    for (int32_t i = 0; i + 1 < x->rank; i++) out->d[out->rank++] = x->d[i];
  }
  out->d[out->rank++] = count;
  return WHET_OK;
}

static whet_status vectorizer_infer(whet_infer *f, const whet_node *n) {
  const feature *a = n->attr;
  whet_dim rows = WHET_DIM_ANY, sum = 0;
  for (int i = 0; i < n->n_in; i++) {
    const whet_shape *x = whet__in_shape(f, i);
    if (!whet__type_in(WHET_T_NUM, whet__in_dtype(f, i)))
      return whet__infer_fail(f, WHET_E_TYPE, "input %d is %s", i, whet_dtype_name(whet__in_dtype(f, i)));
    if (x->rank < 0) return WHET_LATE;
    if (x->rank != 1 && x->rank != 2) return whet__infer_fail(f, WHET_E_SHAPE, "input %d has %d dimensions", i, x->rank);
    if (whet__dim_known(rows) && whet__dim_known(x->d[0]) && rows != x->d[0])
      return whet__infer_fail(f, WHET_E_SHAPE, "input %d has %lld rows, expected %lld", i, (long long)x->d[0], (long long)rows);
    if (!whet__dim_known(rows)) rows = x->d[0];
    sum += a->i.v[i];
  }
  whet__out_dims(f, 0, WHET_F32, 2, (whet_dim[]){rows, sum});
  return WHET_OK;
}

static whet_status onehot_infer(whet_infer *f, const whet_node *n) {
  const feature *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  whet_key_class c = whet__key_class(whet__in_dtype(f, 0));
  if (c == WHET_KEY_NONE || (c == WHET_KEY_TEXT) != (a->keys->class == WHET_KEY_TEXT))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s does not fit the categories", whet_dtype_name(whet__in_dtype(f, 0)));
  if (x->rank < 0) return WHET_LATE;
  if (x->rank == WHET_MAX_RANK) return whet__infer_fail(f, WHET_E_SHAPE, "%d dimensions", x->rank);
  whet_shape *y = whet__out(f, 0, WHET_F32);
  *y = *x;
  y->d[y->rank++] = a->keys->n;
  return WHET_OK;
}

/* ---- references ------------------------------------------------------------------------------ */

/* Call fn for each element: its value, its column, the output's offset. */
typedef void each_fn(const feature *a, const whet_tensor *x, int64_t xi, int64_t column, const whet_tensor *y, int64_t yi);
static whet_status each(const whet_args *arg, each_fn *fn) {
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  whet_walk w;
  whet__walk_init(&w, x->rank, x->dim);
  whet__walk_add(&w, x);
  whet__walk_add(&w, y);
  while (whet__walk_row(&w))
    for (int64_t i = 0; i < w.run; i++) {
      int64_t yi = w.at[1] + i * w.step[1], cols = x->rank ? x->dim[x->rank - 1] : 1;
      fn(arg->attr, x, w.at[0] + i * w.step[0], w.run == cols ? i : yi % cols, y, yi);
    }
  return WHET_OK;
}

static void binarize(const feature *a, const whet_tensor *x, int64_t xi, int64_t column, const whet_tensor *y, int64_t yi) {
  whet__set_f64(y->dtype, y->data, yi, whet__get_f64(x->dtype, x->data, xi) > a->a);
}
static void scale(const feature *a, const whet_tensor *x, int64_t xi, int64_t column, const whet_tensor *y, int64_t yi) {
  double v = whet__get_f64(x->dtype, x->data, xi);
  if (a->f.n) v -= (double)a->f.v[a->f.n > 1 ? column : 0];
  if (a->g.n) v *= (double)a->g.v[a->g.n > 1 ? column : 0];
  ((float *)y->data)[yi] = (float)v;
}
static void impute(const feature *a, const whet_tensor *x, int64_t xi, int64_t column, const whet_tensor *y, int64_t yi) {
  double v = whet__get_f64(x->dtype, x->data, xi);
  if (v != a->a && !(isnan(v) && isnan(a->a)))
    whet__move_one(x->dtype, y->data, yi, x->data, xi);
  else if (a->f.n)
    whet__set_f64(y->dtype, y->data, yi, (double)a->f.v[a->f.n > 1 ? column : 0]);
  else if (whet__is_float(y->dtype))
    whet__set_f64(y->dtype, y->data, yi, (double)a->i.v[a->i.n > 1 ? column : 0]);
  else
    whet__set_i64(y->dtype, y->data, yi, a->i.v[a->i.n > 1 ? column : 0]);
}

static whet_status binarizer_ref(const whet_args *a) { return each(a, binarize); }
static whet_status scaler_ref(const whet_args *a) { return each(a, scale); }
static whet_status imputer_ref(const whet_args *a) { return each(a, impute); }

static size_t row_scratch(const whet_args *a) { return ((size_t)whet__cols(&a->in[0]) + 1) * sizeof(double); }

static whet_status normalizer_ref(const whet_args *arg) {
  const feature *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  int64_t n = whet__cols(x);
  double *v = arg->scratch;
  for (int64_t r = 0; r < whet__rows(x); r++) {
    double norm = 0;
    whet__load_row(x, r, v);
    for (int64_t i = 0; i < n; i++)
      norm = a->norm == MAX ? fmax(norm, fabs(v[i])) : norm + (a->norm == L1 ? fabs(v[i]) : v[i] * v[i]);
    if (a->norm == L2) norm = sqrt(norm);
    for (int64_t i = 0; i < n; i++) ((float *)y->data)[whet__row_at(y, r, i)] = (float)(v[i] / fmax(norm, 1e-30));
  }
  return WHET_OK;
}

static whet_status extractor_ref(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *pick = &arg->in[1], *y = &arg->out[0];
  int64_t n = whet__tensor_count(pick), cols = x->dim[x->rank - 1], rows = whet__dim_product(x->dim, 0, x->rank - 1);
  for (int64_t i = 0; i < n; i++) {
    int64_t k = whet__get_i64(pick->dtype, pick->data, whet__flat_offset(pick, i));
    if (k < 0 || k >= cols)
      return whet__fail(arg->err, WHET_E_DATA, "feature %lld of %lld", (long long)k, (long long)cols);
    for (int64_t r = 0; r < rows; r++)
      whet__move_one(x->dtype, y->data, whet__flat_offset(y, r * n + i), x->data, whet__flat_offset(x, r * cols + k));
  }
  return WHET_OK;
}

static whet_status vectorizer_ref(const whet_args *arg) {
  const feature *a = arg->attr;
  const whet_tensor *y = &arg->out[0];
  int64_t at = 0;
  for (int i = 0; i < arg->n_in; at += a->i.v[i++]) {
    const whet_tensor *x = &arg->in[i];
    int64_t cols = x->rank == 2 ? x->dim[1] : 1;
    for (int64_t r = 0; r < y->dim[0]; r++)
      for (int64_t k = 0; k < a->i.v[i]; k++)
        ((float *)y->data)[whet__row_at(y, r, at + k)] =
            k < cols ? (float)whet__get_f64(x->dtype, x->data, r * x->stride[0] + (x->rank == 2 ? k * x->stride[1] : 0)) : 0;
  }
  return WHET_OK;
}

static whet_status onehot_ref(const whet_args *arg) {
  const feature *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  int64_t n = whet__tensor_count(x), cats = a->keys->n;
  for (int64_t i = 0; i < n; i++) {
    int64_t at = whet__flat_offset(x, i);
    double v = whet__is_float(x->dtype) ? whet__get_f64(x->dtype, x->data, at) : 0;
    bool odd = whet__is_float(x->dtype) && !(fabs(v) < 9e18 && v == floor(v)); /* no category is no whole number */
    int32_t k = odd ? -1 : whet__keys_find(a->keys, x->dtype, x->data, at);
    if (k < 0 && !a->zeros) return whet__fail(arg->err, WHET_E_DATA, "element %lld is of no category", (long long)i);
    for (int64_t c = 0; c < cats; c++) ((float *)y->data)[whet__flat_offset(y, i * cats + c)] = c == k;
  }
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

#define RECORD(op, lower, room) \
  const whet_op whet_op_##op = {.name = #op, .flags = WHET_OP_FROM_FILE, .attr_size = sizeof(feature), .attrs = k_attrs, .from = k_##lower##_from, \
                                .infer = lower##_infer, .scratch = room, .ref = lower##_ref}
RECORD(Binarizer, binarizer, NULL);
RECORD(Scaler, scaler, NULL);
RECORD(Imputer, imputer, NULL);
RECORD(Normalizer, normalizer, row_scratch);
RECORD(FeatureVectorizer, vectorizer, NULL);
RECORD(OneHotEncoder, onehot, NULL);
const whet_op whet_op_ArrayFeatureExtractor = {
    .name = "ArrayFeatureExtractor", .from = k_extractor_from, .infer = extractor_infer, .ref = extractor_ref};
