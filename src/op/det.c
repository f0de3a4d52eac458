/* SPDX-License-Identifier: Apache-2.0 */
/* Det(x): the determinants of the square matrices in the last two dimensions. Inverse(x): their inverses; of a singular one
 * NaN and Inf.
 *
 * ONNX Det 11-22, com.microsoft Inverse. Floats; by elimination with the greatest pivot of each column, in double. */

#include <math.h>

#include "op/move.h"
#include "op/walk.h"

static const whet_from k_from[] = {{"", "Det", 11, NULL}, {0}};
static const whet_from k_inverse_from[] = {{"com.microsoft", "Inverse", 1, NULL}, {0}};

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_shape *x = whet__in_shape(f, 0);
  whet_dtype t = whet__in_dtype(f, 0);
  if (!whet__type_in(WHET_T_FLOAT, t))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  WHET_TRY(whet__infer_rank(f, 0, 2, WHET_MAX_RANK));
  whet_dim a = x->d[x->rank - 2], b = x->d[x->rank - 1];
  if (whet__dim_known(a) && whet__dim_known(b) && a != b)
    return whet__infer_fail(f, WHET_E_SHAPE, "matrices of %lld x %lld are not square", (long long)a, (long long)b);
  whet__out_dims(f, 0, t, x->rank - (strcmp(n->op->name, "Det") ? 0 : 2), x->d);
  return WHET_OK;
}

/* The determinant of n x n numbers, which are used up. */
static double determinant(double *m, int64_t n) {
  double det = 1;
  for (int64_t k = 0; k < n; k++) {
    int64_t best = k;
    for (int64_t i = k + 1; i < n; i++)
      if (fabs(m[i * n + k]) > fabs(m[best * n + k])) best = i;
    double pivot = m[best * n + k];
    det *= best == k ? pivot : -pivot;
    if (pivot == 0) return 0;
    for (int64_t j = k; best != k && j < n; j++) {
      double v = m[k * n + j];
      m[k * n + j] = m[best * n + j];
      m[best * n + j] = v;
    }
    for (int64_t i = k + 1; i < n; i++) {
      double factor = m[i * n + k] / pivot;
      for (int64_t j = k + 1; j < n; j++) m[i * n + j] -= factor * m[k * n + j];
    }
  }
  return det;
}

static size_t scratch(const whet_args *a) {
  int64_t n = a->in[0].dim[a->in[0].rank - 1];
  return (size_t)n * (size_t)n * sizeof(double);
}

static whet_status ref(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  int64_t n = x->dim[x->rank - 1], at[WHET_MAX_RANK] = {0};
  double *m = arg->scratch;
  for (int64_t k = 0, count = whet__tensor_count(y); k < count; k++, whet__index_next(y->rank, y->dim, at)) {
    int64_t o = whet__index_offset(y->rank, at, x->stride);
    for (int64_t i = 0; i < n; i++)
      whet__load_f64(x, o + i * x->stride[y->rank], x->stride[y->rank + 1], n, m + i * n);
    whet__set_f64(y->dtype, y->data, whet__flat_offset(y, k), determinant(m, n));
  }
  return WHET_OK;
}

const whet_op whet_op_Det = {.name = "Det", .from = k_from, .infer = infer, .ref = ref, .scratch = scratch};

/* ---- inverses -------------------------------------------------------------------------------- */

/* m: n rows of 2 n numbers, the matrix and then the unit matrix, which becomes the inverse. */
static void invert(double *m, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) m[i * 2 * n + n + j] = i == j;
  for (int64_t k = 0; k < n; k++) {
    int64_t best = k;
    for (int64_t i = k + 1; i < n; i++)
      if (fabs(m[i * 2 * n + k]) > fabs(m[best * 2 * n + k])) best = i;
    double *row = m + k * 2 * n, pivot = m[best * 2 * n + k];
    for (int64_t j = 0; j < 2 * n; j++) {
      double v = row[j];
      row[j] = m[best * 2 * n + j] / pivot;
      if (best != k) m[best * 2 * n + j] = v;
    }
    for (int64_t i = 0; i < n; i++) {
      double factor = m[i * 2 * n + k];
      for (int64_t j = 0; i != k && j < 2 * n; j++) m[i * 2 * n + j] -= factor * row[j];
    }
  }
}

static size_t inverse_scratch(const whet_args *a) { return 2 * scratch(a); }

static whet_status inverse_ref(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  int32_t r = x->rank - 2;
  int64_t n = x->dim[r], at[WHET_MAX_RANK] = {0}, count = n ? whet__tensor_count(x) / (n * n) : 0;
  double *m = arg->scratch;
  for (int64_t k = 0; k < count; k++, whet__index_next(r, x->dim, at)) {
    int64_t xo = whet__index_offset(r, at, x->stride), yo = whet__index_offset(r, at, y->stride);
    for (int64_t i = 0; i < n; i++) whet__load_f64(x, xo + i * x->stride[r], x->stride[r + 1], n, m + i * 2 * n);
    invert(m, n);
    for (int64_t i = 0; i < n; i++) whet__store_f64(y, yo + i * y->stride[r], y->stride[r + 1], n, m + i * 2 * n + n);
  }
  return WHET_OK;
}

const whet_op whet_op_Inverse = {
    .name = "Inverse", .from = k_inverse_from, .infer = infer, .ref = inverse_ref, .scratch = inverse_scratch};
