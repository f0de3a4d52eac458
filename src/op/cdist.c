/* SPDX-License-Identifier: Apache-2.0 */
/* CDist(a [m, k], b [n, k]): the distance of each row of a from each row of b, [m, n]. com.microsoft CDist 1, which exporters of
 * nearest neighbours and Gaussian processes write; metric euclidean or sqeuclidean, F32 and F64. Differences are squared and
 * summed in f64, so that near rows keep their digits. */

#include <math.h>

#include "op/move.h"

typedef struct cdist {
  bool square;
} cdist;
static const whet_attr_desc k_attrs[] = {{"square", WHET_ATTR_BOOL, offsetof(cdist, square)}, {0}};

static whet_status read_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, cdist, a);
  whet_str s = whet__onnx_str(im, "metric", "sqeuclidean");
  a->square = s.n == 11 && !memcmp(s.p, "sqeuclidean", 11);
  if (!a->square && !(s.n == 9 && !memcmp(s.p, "euclidean", 9)))
    return whet__im_fail(im, WHET_E_UNSUPPORTED, "metric \"%.20s\" is not taken: euclidean and sqeuclidean are", s.p);
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_from[] = {{"com.microsoft", "CDist", 1, read_onnx}, {0}};

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_shape *a = whet__in_shape(f, 0), *b = whet__in_shape(f, 1);
  whet_dtype t = whet__in_dtype(f, 0);
  if ((t != WHET_F32 && t != WHET_F64) || whet__in_dtype(f, 1) != t)
    return whet__infer_fail(f, WHET_E_TYPE, "inputs of types %s and %s, expected one of float32 and float64 for both",
                            whet_dtype_name(t), whet_dtype_name(whet__in_dtype(f, 1)));
  WHET_TRY(whet__infer_rank(f, 0, 2, 2));
  WHET_TRY(whet__infer_rank(f, 1, 2, 2));
  if (whet__dim_known(a->d[1]) && whet__dim_known(b->d[1]) && a->d[1] != b->d[1])
    return whet__infer_fail(f, WHET_E_SHAPE, "rows of %lld and of %lld", (long long)a->d[1], (long long)b->d[1]);
  whet__out_dims(f, 0, t, 2, (whet_dim[]){a->d[0], b->d[0]});
  return WHET_OK;
}

/* Element i of an F32 or F64 tensor. */
static inline double at(const whet_tensor *t, int64_t i) {
  return t->dtype == WHET_F32 ? (double)((const float *)t->data)[i] : ((const double *)t->data)[i];
}

static whet_status ref(const whet_args *arg) {
  const cdist *c = arg->attr;
  const whet_tensor *a = &arg->in[0], *b = &arg->in[1], *y = &arg->out[0];
  for (int64_t i = 0; i < a->dim[0]; i++)
    for (int64_t j = 0; j < b->dim[0]; j++) {
      double sum = 0;
      for (int64_t k = 0; k < a->dim[1]; k++) {
        double d = at(a, i * a->stride[0] + k * a->stride[1]) - at(b, j * b->stride[0] + k * b->stride[1]);
        sum += d * d;
      }
      whet__set_f64(y->dtype, y->data, i * y->stride[0] + j * y->stride[1], c->square ? sum : sqrt(sum));
    }
  return WHET_OK;
}

const whet_op whet_op_CDist = {
    .name = "CDist", .attr_size = sizeof(cdist), .attrs = k_attrs, .from = k_from, .infer = infer, .ref = ref};
