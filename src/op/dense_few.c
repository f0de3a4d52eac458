/* SPDX-License-Identifier: Apache-2.0 */
/* DenseFew(x, w, scale, zero, bias): y[..., n] = bias[n] + sum over k of x[..., k] * scale[n][b] * (w[n][k] -
 * zero[n][b]), b the block of k; weights of four bits, low halves of bytes first, that stay as they are. zero may be
 * absent: 8.
 *
 * com.microsoft MatMulNBits (few_bits.c), whatever its accuracy_level: activations stay floats. Type: f32. Order of
 * sums, which is exact: few_f32.h. */

#include "kern/few_f32.h"

#include <math.h>

#include "op/few.h"
#include "op/matrix.h"
#include "op/move.h"
#include "op/walk.h"

static const whet_attr_desc k_attrs[] = {{"n", WHET_ATTR_I32, offsetof(whet_dense_few, n)},
                                         {"k", WHET_ATTR_I32, offsetof(whet_dense_few, k)},
                                         {"block", WHET_ATTR_I32, offsetof(whet_dense_few, block)},
                                         {0}};
enum { X, W, SCALE, ZERO, BIAS };
static const whet_from k_from[] = {{0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

/* That input i, where it is there, has `count` elements of type t. */
static whet_status expect(whet_infer *f, int i, whet_dtype t, int64_t count, const char *what) {
  if (!whet__in_has(f, i)) return WHET_OK;
  const int64_t n = whet__shape_count(whet__in_shape(f, i));
  if (whet__in_dtype(f, i) == t && (n < 0 || n == count)) return WHET_OK;
  return whet__infer_fail(f, WHET_E_SHAPE, "the %s are %lld numbers of type %s, expected %lld of type %s", what,
                          (long long)n, whet_dtype_name(whet__in_dtype(f, i)), (long long)count, whet_dtype_name(t));
}

static whet_status infer(whet_infer *f, const whet_node *node) {
  const whet_dense_few *a = node->attr;
  const whet_shape *x = whet__in_shape(f, X);
  if (node->n_in < 3 || !whet__in_has(f, X) || !whet__in_has(f, W) || !whet__in_has(f, SCALE))
    return whet__infer_fail(f, WHET_E_FORMAT, "expected an input, weights and scales, got %d inputs", node->n_in);
  if (a->n < 1 || a->k < 1 || a->block < 8 || a->block % 8 || a->k % a->block)
    return whet__infer_fail(f, WHET_E_DATA, "%d outputs of %d inputs in blocks of %d", a->n, a->k, a->block);
  if (whet__in_dtype(f, X) != WHET_F32)
    return whet__infer_fail(f, WHET_E_TYPE, "%s instead of float32", whet_dtype_name(whet__in_dtype(f, X)));
  const int64_t n = a->n, blocks = a->k / a->block;
  WHET_TRY(expect(f, W, WHET_U8, n * (a->k / 2), "weights"));
  WHET_TRY(expect(f, SCALE, WHET_F32, n * blocks, "scales"));
  WHET_TRY(expect(f, ZERO, WHET_U8, n * whet__ceil_div(blocks, 2), "zero points"));
  WHET_TRY(expect(f, BIAS, WHET_F32, n, "biases"));
  whet_shape *out = whet__out(f, 0, WHET_F32);
  *out = *x;
  if (x->rank < 0) return WHET_LATE;
  if (x->rank < 1) return whet__infer_fail(f, WHET_E_SHAPE, "a scalar has no columns");
  whet_dim *last = &out->d[x->rank - 1], count;
  if (whet__dim_known(*last) && *last != a->k)
    return whet__infer_fail(f, WHET_E_SHAPE, "rows of %lld do not fit weights for %d", (long long)*last, a->k);
  *last = n;
  return whet__infer_count(f, out, &count);
}

/* ---- reference ------------------------------------------------------------------------------- */

static int half_of(const whet_tensor *t, int64_t row, int64_t wide, int64_t i) {
  return (int)(whet__get_i64(WHET_U8, t->data, whet__flat_offset(t, row * wide + i / 2)) >> i % 2 * 4 & 15);
}

static whet_status ref(const whet_args *args) {
  const whet_dense_few *a = args->attr;
  const whet_tensor *x = &args->in[X], *y = &args->out[0], *zero = args->n_in > ZERO ? &args->in[ZERO] : NULL,
                    *bias = args->n_in > BIAS ? &args->in[BIAS] : NULL;
  const int64_t rows = whet__tensor_count(x) / a->k, blocks = a->k / a->block;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < a->n; j++) {
      float v = bias && bias->data ? ((const float *)bias->data)[whet__flat_offset(bias, j)] : 0;
      for (int64_t b = 0; b < blocks; b++) {
        float chain[WHET_FEW_CHAINS] = {0};
        const int z = zero && zero->data ? half_of(zero, j, whet__ceil_div(blocks, 2), b) : 8;
        for (int64_t k = b * a->block; k < (b + 1) * a->block; k++) {
          float *c = &chain[(k - b * a->block) / 8 % WHET_FEW_CHAINS];
          const float xk = ((const float *)x->data)[whet__flat_offset(x, i * a->k + k)];
          *c = fmaf(xk, (float)(half_of(&args->in[W], j, a->k / 2, k) - z), *c);
        }
        const float scale =
            ((const float *)args->in[SCALE].data)[whet__flat_offset(&args->in[SCALE], j * blocks + b)];
        v = fmaf((chain[0] + chain[1]) + (chain[2] + chain[3]), scale, v);
      }
      ((float *)y->data)[whet__flat_offset(y, i * a->n + j)] = v;
    }
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

static const whet_pack_kind k_kind = {"weights of four bits", sizeof(whet_few_pack), whet__few_bytes,
                                      whet__few_pack_run, true};

static whet_status plan(whet_planner *p, const whet_node *n) {
  const whet_dense_few *a = n->attr;
  const int32_t x = n->in[X], out = whet__pl_group_out(p), zero = n->n_in > ZERO ? n->in[ZERO] : -1,
                bias = n->n_in > BIAS ? n->in[BIAS] : -1, src[4] = {n->in[W], n->in[SCALE], zero, bias};
  for (int i = 0; i < 4; i++)
    if (src[i] >= 0 && !whet__pl_data(p, src[i])) return WHET_LATE;
  int32_t res;
  whet_gemm_f32 rows = {.m = whet__shape_count(whet__pl_shape(p, x)) / a->k, .n = a->n, .k = a->k};
  whet_few_f32 g = {.m = rows.m, .n = a->n, .k = a->k, .block = a->block, .zeros = zero >= 0};
  whet__pl_epi_f32(p, n, &g.epi, &res);
  whet_row_view xv, yv, rv;
  if (!whet__pl_row_view(p, x, a->k, &xv) || !whet__pl_row_view(p, out, a->n, &yv)) return WHET_LATE;
  if (res >= 0 && !whet__pl_row_view(p, res, a->n, &rv)) return WHET_LATE;
  if (!whet__gemm_rows(&rows, xv, yv, res >= 0 ? &rv : NULL) || rows.n_batch) return WHET_LATE;
  g.lda = rows.lda, g.ldc = rows.ldc, g.ldr = rows.ldr;
  whet_few_pack pack;
  memset(&pack, 0, sizeof pack);
  pack.n = a->n, pack.k = a->k, pack.block = a->block, pack.zeros = zero >= 0, pack.bias = bias >= 0;
  const int32_t id = whet__pl_pack(p, &k_kind, &pack, src, 4);
  whet_arg arg[4] = {whet__rd(x), whet__wr(out), id < 0 ? whet__none() : whet__pk(id), whet__rd(res)};
  return whet__pl_kern(p, WHET_FAMILY_few_f32, &g, sizeof g, arg, 4, whet__ceil_div(g.n, WHET_FEW_PANEL),
                       whet__pl_macs_ns(p, 3.0 * (double)g.m * (double)g.n * (double)g.k));
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_DenseFew = {
    .name = "DenseFew",
    .flags = WHET_OP_TILE | WHET_OP_PACKS | WHET_OP_PITCH_IN | WHET_OP_PITCH_OUT,
    .attr_size = sizeof(whet_dense_few),
    .attrs = k_attrs,
    .from = k_from,
    .infer = infer,
    .plan = plan,
    .ref = ref,
};
