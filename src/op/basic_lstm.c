/* SPDX-License-Identifier: Apache-2.0 */
/* BasicLSTM(x, h, w, b, c): one step of long short-term memory, x and h side by side under one weight matrix.
 *
 *   (i, g, f, o) = w (x, h) + b    c = sigmoid(i) tanh(g) + sigmoid(f) c    h = sigmoid(o) tanh(c)
 *
 * TFLite LSTM with the BASIC kernel: outputs h, c, (x, h), and the gates' sums. float32; uint8 with a 16-bit cell of
 * scale 2^-11, by fixed-point functions of LiteRT's reference. */

#include <math.h>

#include "kern/fixed.h"
#include "op/hybrid.h"

enum { X, H, W, B, C };

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status fail(whet_infer *f, int i) {
  return whet__infer_fail(f, WHET_E_SHAPE, "input %d does not have the type and shape that the others ask for", i);
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  whet_dtype t = whet__in_dtype(f, X), fine = t == WHET_F32 ? WHET_F32 : WHET_S16,
             sum = t == WHET_F32 ? WHET_F32 : WHET_S32;
  if (t != WHET_F32 && t != WHET_U8) return whet__infer_fail(f, WHET_E_TYPE, "a network of %s", whet_dtype_name(t));
  for (int i = 0; i < 5; i++) WHET_TRY(whet__infer_rank(f, i, i == B ? 1 : 2, i == B ? 1 : 2));
  const whet_shape *x = whet__in_shape(f, X), *h = whet__in_shape(f, H), *w = whet__in_shape(f, W),
                   *b = whet__in_shape(f, B), *c = whet__in_shape(f, C);
  whet_dim units = h->d[1], total = whet__dim_add(x->d[1], units);
  if (whet__in_dtype(f, H) != t || h->d[0] != x->d[0]) return fail(f, H);
  if (whet__in_dtype(f, W) != t || w->d[0] != whet__dim_mul(4, units) || w->d[1] != total) return fail(f, W);
  if (whet__in_dtype(f, B) != sum || b->d[0] != w->d[0]) return fail(f, B);
  if (whet__in_dtype(f, C) != fine || c->d[0] != x->d[0] || c->d[1] != units) return fail(f, C);
  if (t == WHET_U8) {
    const whet_quant *qx = whet__in_quant(f, X), *qw = whet__in_quant(f, W), *qb = whet__in_quant(f, B);
    if (!qx || qx->n != 1 || qx->zero[0] != 128 || qx->scale[0] != 1.0f / 128 || !qw || qw->n != 1 || !qb ||
        qb->n != 1)
      return whet__infer_fail(f, WHET_E_UNSUPPORTED, "uint8 activations of another scale than 1/128 about 128");
    const whet_quant *qc = whet__in_quant(f, C);
    if (!qc || qc->n != 1 || qc->scale[0] != 0x1p-11f)
      return whet__infer_fail(f, WHET_E_UNSUPPORTED, "a cell of another scale than 2^-11");
  }
  whet_dim state[2] = {x->d[0], units}, both[2] = {x->d[0], total}, gates[2] = {x->d[0], w->d[0]};
  whet__out_dims(f, 0, t, 2, state);
  whet__out_dims(f, 1, fine, 2, state);
  whet__out_dims(f, 2, t, 2, both);
  whet__out_dims(f, 3, fine, 2, gates);
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Element [i][j] of a matrix. */
#define AT(type, t, i, j) ((type *)(t)->data)[(i) * (t)->stride[0] + (j) * (t)->stride[1]]

static size_t scratch(const whet_args *a) { return (size_t)(a->in[W].dim[1] + a->in[W].dim[0]) * sizeof(float); }

/* Store element [i][j] of output o, where it is wanted. */
static void put(const whet_args *a, int o, int64_t i, int64_t j, double v) {
  if (o < a->n_out && a->out[o].data)
    whet__set_f64(a->out[o].dtype, a->out[o].data, i * a->out[o].stride[0] + j * a->out[o].stride[1], v);
}

static void float_row(const whet_args *a, int64_t b) {
  int64_t inputs = a->in[X].dim[1], units = a->in[H].dim[1];
  float *row = a->scratch, *g = row + inputs + units;
  for (int64_t k = 0; k < inputs + units; k++) {
    row[k] = k < inputs ? AT(const float, &a->in[X], b, k) : AT(const float, &a->in[H], b, k - inputs);
    put(a, 2, b, k, row[k]);
  }
  for (int64_t k = 0; k < 4 * units; k++) g[k] = ((const float *)a->in[B].data)[k * a->in[B].stride[0]];
  whet_hybrid_row r = whet__hybrid_row(row, inputs + units, NULL, false);
  whet__hybrid_add(g, &a->in[W], &r);
  for (int64_t u = 0; u < units; u++) {
    float i = whet__tfl_act(WHET_TFL_SIGMOID, g[u]), n = tanhf(g[units + u]),
          f = whet__tfl_act(WHET_TFL_SIGMOID, g[2 * units + u]);
    float o = whet__tfl_act(WHET_TFL_SIGMOID, g[3 * units + u]), c = i * n + f * AT(const float, &a->in[C], b, u);
    for (int q = 0; q < 4; q++) put(a, 3, b, q * units + u, g[q * units + u]);
    put(a, 1, b, u, c);
    put(a, 0, b, u, o * tanhf(c));
  }
}

/* x * mul * 2^shift, rounded twice, ties up: what LiteRT's matrix library does with the sums. */
static int32_t rescale(int32_t x, int32_t mul, int32_t shift) {
  if (shift > 0) return whet__high_mul((int32_t)((uint32_t)x << shift), mul);
  int64_t half = shift ? INT64_C(1) << (-shift - 1) : 0;
  return (int32_t)((whet__high_mul(x, mul) + half) >> -shift);
}

static void byte_row(const whet_args *a, int64_t b) {
  int64_t inputs = a->in[X].dim[1], units = a->in[H].dim[1], total = inputs + units;
  uint8_t *row = a->scratch;
  int16_t *g = (int16_t *)((char *)a->scratch + (size_t)(total + (total & 1)));
  int32_t mul, shift, zero = a->in[W].q->zero[0];
  whet__quantize_multiplier(4096.0 * (double)a->in[B].q->scale[0], &mul, &shift);
  for (int64_t k = 0; k < total; k++) {
    row[k] = k < inputs ? AT(const uint8_t, &a->in[X], b, k) : AT(const uint8_t, &a->in[H], b, k - inputs);
    put(a, 2, b, k, row[k]);
  }
  for (int64_t r = 0; r < 4 * units; r++) {
    uint32_t s = ((const uint32_t *)a->in[B].data)[r * a->in[B].stride[0]];
    for (int64_t k = 0; k < total; k++) s += (uint32_t)((row[k] - 128) * (AT(const uint8_t, &a->in[W], r, k) - zero));
    g[r] = (int16_t)whet__clamp_i(rescale((int32_t)s, mul, shift), INT16_MIN, INT16_MAX);
    put(a, 3, b, r, g[r]);
  }
  for (int64_t u = 0; u < units; u++) {
    int16_t i = whet__fx16_logistic(g[u], 3), n = whet__fx16_tanh(g[units + u], 3),
            f = whet__fx16_logistic(g[2 * units + u], 3);
    int16_t o = whet__fx16_logistic(g[3 * units + u], 3), was = AT(const int16_t, &a->in[C], b, u);
    int32_t c = whet__fx16_right(whet__fx16_mul(i, n), 4) + whet__fx16_mul(f, was);
    int16_t now = (int16_t)whet__clamp_i(c, INT16_MIN, INT16_MAX);
    int32_t h = whet__round_shift(whet__fx16_mul(o, whet__fx16_tanh(now, 4)), 8);
    put(a, 1, b, u, now);
    put(a, 0, b, u, (double)(128 + whet__clamp_i(h, -128, 127)));
  }
}

static whet_status ref(const whet_args *a) {
  for (int64_t b = 0; b < a->in[X].dim[0]; b++) {
    if (a->in[X].dtype == WHET_F32)
      float_row(a, b);
    else
      byte_row(a, b);
  }
  return WHET_OK;
}

/* Read by seq_lstm.c: which kernel an LSTM means is an option of it. */
const whet_op whet_op_BasicLSTM = {.name = "BasicLSTM", .infer = infer, .ref = ref, .scratch = scratch};
