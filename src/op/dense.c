/* SPDX-License-Identifier: Apache-2.0 */
/* Dense(x, w, bias): y[..., n] = bias[n] + sum over k of x[..., k] * w[n][k] (or w[k][n]).
 *
 * TFLite FULLY_CONNECTED; ONNX Gemm and MatMul with weights become it (pass/dense.c). Types: f32 (one chain of fused
 * multiply-adds from the bias up, k ascending: the same bytes as kernels), f16 and bf16 through f32, f64; quantised 8
 * and 16 bits: dense_q8.c. */

#include "op/dense.h"

#include "op/conv.h"
#include "op/fakeq.h"
#include "op/grad.h"
#include "op/matrix.h"
#include "op/move.h"
#include "op/move_attr.h"
#include "op/walk.h"

static const whet_attr_desc k_attrs[] = {
    {"kn", WHET_ATTR_BOOL, offsetof(whet_dense, kn)}, {"flat", WHET_ATTR_BOOL, offsetof(whet_dense, flat)}, {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status from_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_dense, a);
  int64_t code = whet__tfl_int(im, 0, 0), format = whet__tfl_int(im, 1, 0);
  if (format == 1) return whet__im_fail(im, WHET_E_UNSUPPORTED, "weights in the format SHUFFLED4x16INT8");
  if (format) return whet__im_fail(im, WHET_E_DATA, "weights_format is %lld", (long long)format);
  a->flat = !whet__tfl_int(im, 2, 0);
  int32_t in[3] = {whet__im_in(im, 0), whet__im_in(im, 1), whet__im_in(im, 2)};
  int32_t out = whet__tfl_before_activation(im, code);
  const whet_val *weights = whet__im_val(im, in[1]);
  int64_t k = weights && weights->shape.rank == 2 ? whet__max_i(weights->shape.d[1], 0) : 0;
  WHET_TRY(whet__im_hybrid(im, k, whet__tfl_int(im, 3, 0) != 0, &in[1], &in[0]));
  WHET_TRY(whet__im_node(im, op, a, in, 3, &out, 1));
  const whet_val *x = whet__im_val(im, in[0]), *w = whet__im_val(im, in[1]);
  bool wide = x && x->dtype == WHET_S16, both = wide && w && w->dtype == WHET_S16;
  if (both || (wide && whet__im_rules_micro(im)))
    whet__im_round(im, WHET_ROUND_TFL_16X8);
  else
    whet__im_round(im, whet__im_rules_micro(im) ? WHET_ROUND_TFL_FIX : WHET_ROUND_TFL_REAL);
  return whet__tfl_activation(im, code, out, whet__im_out(im, 0));
}

static const whet_from k_from[] = {{"tflite", "FULLY_CONNECTED", 1, from_tfl}, {0}};

/* ---- shape and type rule --------------------------------------------------------------------- */

/* The output's dimensions from x and K columns. */
static whet_status out_dims(whet_infer *f, const whet_dense *a, const whet_shape *x, whet_dim k, whet_dim n,
                            whet_shape *out) {
  whet_dim rows = 1, all, last = x->rank ? x->d[x->rank - 1] : 1;
  WHET_TRY(whet__infer_count(f, x, &all));
  if (x->rank < 1) return whet__infer_fail(f, WHET_E_SHAPE, "a scalar has no columns");
  if (whet__dim_known(k) && whet__dim_known(last) && last != k &&
      !(a->flat && (!whet__dim_known(all) || (k && all % k == 0))))
    return whet__infer_fail(f, WHET_E_SHAPE, "rows of %lld do not fit weights for %lld", (long long)last,
                            (long long)k);
  if (!a->flat) {
    *out = *x;
    out->d[x->rank - 1] = n;
    return WHET_OK;
  }
  for (int32_t i = 0; i + 1 < x->rank; i++) rows = i ? whet__dim_mul(rows, x->d[i]) : x->d[i];
  if (last != k) rows = whet__dim_known(all) && k > 0 ? all / k : WHET_DIM_ANY;
  *out = (whet_shape){.rank = 2, .d = {rows, n}};
  return WHET_OK;
}

static whet_status dense_infer(whet_infer *f, const whet_node *node) {
  const whet_dense *a = node->attr;
  whet_dtype t;
  whet_dim count;
  if (node->n_in < 2 || node->n_in > 3 || !whet__in_has(f, 0) || !whet__in_has(f, 1))
    return whet__infer_fail(f, WHET_E_FORMAT, "expected an input, weights and perhaps a bias, got %d inputs",
                            node->n_in);
  WHET_TRY(whet__conv_types(f, 0, 1, 2, &t));
  const whet_shape *x = whet__in_shape(f, 0), *w = whet__in_shape(f, 1);
  whet_shape *out = whet__out(f, 0, t);
  out->rank = -1;
  if (w->rank >= 0 && w->rank != 2)
    return whet__infer_fail(f, WHET_E_SHAPE, "weights of rank %d, expected 2", w->rank);
  if (x->rank < 0 || w->rank < 0) return WHET_LATE;
  whet_dim n = w->d[a->kn ? 1 : 0], k = w->d[a->kn ? 0 : 1];
  int64_t b = whet__in_has(f, 2) ? whet__shape_count(whet__in_shape(f, 2)) : -1;
  if (b >= 0 && whet__dim_known(n) && b != n)
    return whet__infer_fail(f, WHET_E_SHAPE, "the bias has %lld elements, expected %lld", (long long)b, (long long)n);
  WHET_TRY(whet__conv_scales(f, 1, n));
  WHET_TRY(out_dims(f, a, x, k, n, out));
  return whet__infer_count(f, out, &count);
}

/* ---- reference ------------------------------------------------------------------------------- */

static whet_status dense_ref(const whet_args *args) {
  const whet_dense *a = args->attr;
  const whet_tensor *x = &args->in[0], *w = &args->in[1], *b = args->n_in > 2 ? &args->in[2] : NULL,
                    *y = &args->out[0];
  if (whet__quantised(x->dtype, x->q)) return whet__dense_q8_ref(args);
  whet_dense_geo g = whet__dense_geo(a, whet__tensor_count(x), w->dim);
  int64_t wn = w->stride[a->kn ? 1 : 0], wk = w->stride[a->kn ? 0 : 1];
  bool wide = x->dtype == WHET_F64, rows = x->dim[x->rank - 1] == g.k;
  int64_t step = x->stride[x->rank - 1];
  for (int64_t i = 0; i < g.m; i++)
    for (int64_t j = 0; j < g.n; j++) {
      double acc = b && b->data ? whet__get_f64(b->dtype, b->data, whet__flat_offset(b, j)) : 0;
      int64_t at = rows && g.k ? whet__flat_offset(x, i * g.k) : 0;
      for (int64_t k = 0; k < g.k; k++)
        acc = whet__ref_fma(
            wide, whet__get_f64(x->dtype, x->data, rows ? at + k * step : whet__flat_offset(x, i * g.k + k)),
            whet__ref_weight(w, j * wn + k * wk, j), acc);
      whet__set_f64(y->dtype, y->data, whet__flat_offset(y, i * g.n + j), acc);
    }
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

static whet_status dense_plan(whet_planner *p, const whet_node *node) {
  const whet_dense *a = node->attr;
  int32_t x = node->in[0], w = node->in[1], out = whet__pl_group_out(p), res;
  if (whet__quantised(whet__pl_dtype(p, x), whet__pl_quant(p, x))) return whet__dense_q8_plan(p, node);
  if (whet__pl_dtype(p, x) != WHET_F32) return WHET_LATE;
  whet_dense_geo d = whet__dense_geo(a, whet__shape_count(whet__pl_shape(p, x)), whet__pl_shape(p, w)->d);
  whet_gemm_f32 g = {.m = d.m, .n = d.n, .k = d.k};
  whet__pl_epi_f32(p, node, &g.epi, &res);
  whet_row_view xv, yv, rv;
  if (!whet__pl_row_view(p, x, d.k, &xv) || !whet__pl_row_view(p, out, d.n, &yv)) return WHET_LATE;
  if (res >= 0 && !whet__pl_row_view(p, res, d.n, &rv)) return WHET_LATE;
  if (!whet__gemm_rows(&g, xv, yv, res >= 0 ? &rv : NULL)) return WHET_LATE;
  int64_t step[WHET_MAX_RANK];
  whet__pl_strides(p, w, step);
  whet_pack_f32 pack = {.groups = 1,
                        .n = d.n,
                        .k = {1, 1, 1, d.k},
                        .n_step = step[a->kn ? 1 : 0],
                        .k_step = {0, 0, 0, step[a->kn ? 0 : 1]}};
  return whet__pl_gemm_f32(p, &g, &pack, whet__rd(x), out, w, node->n_in > 2 ? node->in[2] : -1, whet__rd(res));
}

/* ---- gradient -------------------------------------------------------------------------------- */

/* v as rows of `columns` elements. */
static int32_t as_rows(whet_edit *e, int32_t v, int64_t columns) {
  const whet_shape *s = whet__ed_shape(e, v);
  const int64_t two = 2, dims[2] = {-1, columns};
  const whet_reshape as = {0};
  if (s->rank == 2 && s->d[1] == columns) return v;
  int32_t in[2] = {v, whet__ed_const(e, WHET_S64, 1, &two, dims)};
  return whet__ed_call(e, "Reshape", &as, in, 2, whet__ed_dtype(e, v));
}

static whet_status grad(whet_edit *e, int32_t node) {
  const whet_node n = whet__ed_graph(e)->node[node];
  const whet_dense *a = n.attr;
  int32_t x = n.in[0], w = n.in[1], b = n.n_in > 2 ? n.in[2] : -1, g = whet__grad_of(e, n.out[0]);
  const whet_shape ws = *whet__ed_shape(e, w), ys = *whet__ed_shape(e, n.out[0]);
  whet_dtype t = whet__ed_dtype(e, x);
  if (!whet__is_float(whet__ed_dtype(e, w)) || whet__shape_count(&ws) < 0)
    return whet__grad_fail(e, node, "its weights are integers, or of unknown size");
  int64_t k = ws.d[a->kn ? 0 : 1], out = ws.d[a->kn ? 1 : 0];
  int32_t rows = as_rows(e, g, out);
  if (whet__grad_wants(e, x)) {
    const whet_matmul how = {1, 0, a->kn};
    int32_t in[2] = {rows, w}, d = whet__ed_call(e, "MatMul", &how, in, 2, t);
    if (whet__ed_shape(e, x)->rank != 2 || whet__ed_shape(e, x)->d[1] != k) {
      const whet_reshape as = {.allowzero = 1};
      int32_t to[2] = {d, whet__ed_shape_of(e, "Shape", x)};
      d = whet__ed_call(e, "Reshape", &as, to, 2, t);
    }
    whet__grad_add(e, x, d);
  }
  if (whet__grad_wants(e, w)) {
    const whet_matmul how = {1, 1, 0};
    int32_t flat = as_rows(e, x, k), in[2] = {a->kn ? flat : rows, a->kn ? rows : flat};
    whet__grad_add(e, w, whet__ed_call(e, "MatMul", &how, in, 2, t));
  }
  return whet__grad_add_summed(e, node, b, g, &ys);
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_Dense = {
    .name = "Dense",
    .flags = WHET_OP_TILE | WHET_OP_PACKS | WHET_OP_PITCH_IN | WHET_OP_PITCH_OUT,
    .attr_size = sizeof(whet_dense),
    .attrs = k_attrs,
    .from = k_from,
    .infer = dense_infer,
    .plan = dense_plan,
    .grad = grad,
    .ref = dense_ref,
};
