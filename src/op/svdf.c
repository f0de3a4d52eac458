/* SPDX-License-Identifier: Apache-2.0 */
/* SVDF(x, features, times, b, state): a layer whose memory of past inputs is of low rank.
 *
 * Each of units * rank filters keeps its last `memory` values of features x, oldest first; y = act(b + sum over the
 * filters of a unit of sum over time of times * kept). TFLite SVDF: float32, hybrid (symmetric or asymmetric
 * activations), int8 with 16-bit state and times by fixed-point multipliers, exact. (Nakkiran et al., "Compressing
 * deep neural networks using a rank-constrained topology", 2015.) */

#include "kern/requant.h"
#include "op/fakeq.h"
#include "op/hybrid.h"

enum { X, FEATURES, TIMES, B, STATE };

struct svdf {
  int32_t rank; /* filters of a unit */
  uint8_t act, asymmetric;
};
static const whet_attr_desc k_attrs[] = {{"rank", WHET_ATTR_I32, offsetof(struct svdf, rank)},
                                         {"act", WHET_ATTR_U8, offsetof(struct svdf, act)},
                                         {"asymmetric", WHET_ATTR_BOOL, offsetof(struct svdf, asymmetric)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status from_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct svdf, a);
  a->rank = whet__small(whet__tfl_int(im, 0, 0));
  a->act = (uint8_t)whet__tfl_int(im, 1, 0);
  a->asymmetric = whet__tfl_int(im, 2, 0) != 0;
  int32_t state = whet__im_in(im, STATE);
  if (state < 0 || whet__im_val(im, state)->role != WHET_ROLE_VARIABLE)
    return whet__im_fail(im, WHET_E_FORMAT, "the state is no variable");
  int32_t in[STATE + 1], out = whet__im_out(im, 0);
  for (int i = 0; i <= STATE; i++) in[i] = whet__im_in(im, i);
  if (whet__im_n_in(im) != STATE + 1 || whet__im_n_out(im) != 1)
    return whet__im_fail(im, WHET_E_FORMAT, "%d inputs and %d outputs, expected %d and 1", whet__im_n_in(im),
                         whet__im_n_out(im), STATE + 1);
  WHET_TRY(whet__im_hybrid_weights(im, in, STATE + 1));
  return whet__im_node(im, op, a, in, STATE + 1, &out, 1);
}
static const whet_from k_from[] = {{"tflite", "SVDF", 1, from_tfl}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status one_scale(whet_infer *f, int i) {
  const whet_quant *q = whet__in_quant(f, i);
  if (q && q->n == 1) return WHET_OK;
  return whet__infer_fail(f, WHET_E_FORMAT, "input %d has no single scale", i);
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  const struct svdf *a = n->attr;
  const whet_shape *x = whet__in_shape(f, X), *w = whet__in_shape(f, FEATURES), *t = whet__in_shape(f, TIMES);
  const whet_shape *state = whet__in_shape(f, STATE), *b = whet__in_shape(f, B);
  whet_dtype type = whet__in_dtype(f, X), feature = whet__in_dtype(f, FEATURES);
  bool real = type == WHET_F32;
  for (int i = X; i <= TIMES; i++) WHET_TRY(whet__infer_rank(f, i, 2, 2));
  WHET_TRY(whet__infer_rank(f, STATE, 2, 2));
  if ((!real && type != WHET_S8) || (feature != WHET_S8 && !(real && feature == WHET_F32)) ||
      whet__in_dtype(f, TIMES) != (real ? feature : WHET_S16) ||
      whet__in_dtype(f, STATE) != (real ? WHET_F32 : WHET_S16))
    return whet__infer_fail(f, WHET_E_TYPE, "input, features, times and state are of types that do not go together");
  int64_t filters = w->d[0], memory = t->d[1];
  if (filters < 1 || memory < 1 || a->rank < 1 || filters % a->rank || filters > INT32_MAX / 16 ||
      memory > INT32_MAX / 16)
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld filters of rank %d with a memory of %lld", (long long)filters,
                            a->rank, (long long)memory);
  int64_t units = filters / a->rank;
  if (t->d[0] != filters || (whet__dim_known(x->d[1]) && x->d[1] != w->d[1]) || state->d[1] != filters * memory ||
      (whet__dim_known(x->d[0]) && state->d[0] != x->d[0]))
    return whet__infer_fail(f, WHET_E_SHAPE, "input, features, times and state do not fit each other");
  if (whet__in_has(f, B) &&
      (b->rank != 1 || b->d[0] != units || whet__in_dtype(f, B) != (real ? WHET_F32 : WHET_S32)))
    return whet__infer_fail(f, WHET_E_SHAPE, "the bias does not fit %lld units", (long long)units);
  for (int i = X; i <= STATE && feature == WHET_S8; i++)
    if (i != B && (!real || i == FEATURES || i == TIMES)) WHET_TRY(one_scale(f, i));
  if (!real) {
    const whet_quant *q = whet__out_val(f, 0) ? whet__out_val(f, 0)->q : NULL;
    if (!q || q->n != 1) return whet__infer_fail(f, WHET_E_FORMAT, "the output has no single scale");
  }
  whet_dim d[2] = {x->d[0], units};
  whet__out_dims(f, 0, type, 2, d);
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Element [i][j] of a matrix. */
#define AT(type, t, i, j) ((type *)(t)->data)[(i) * (t)->stride[0] + (j) * (t)->stride[1]]

/* The input as floats and as bytes, and one value for each filter. */
static size_t scratch(const whet_args *a) {
  return (size_t)(a->in[X].dim[1] + a->in[FEATURES].dim[0]) * sizeof(float) + (size_t)a->in[X].dim[1];
}

static void float_row(const whet_args *a, int64_t b) {
  const struct svdf *s = a->attr;
  const whet_tensor *state = &a->in[STATE], *times = &a->in[TIMES];
  int64_t inputs = a->in[X].dim[1], filters = times->dim[0], memory = times->dim[1];
  float *x = a->scratch, *now = x + inputs;
  int8_t *q = (int8_t *)(now + filters);
  for (int64_t k = 0; k < inputs; k++) x[k] = AT(const float, &a->in[X], b, k);
  for (int64_t k = 0; k < filters; k++) now[k] = 0;
  whet_hybrid_row row = whet__hybrid_row(x, inputs, a->in[FEATURES].dtype == WHET_S8 ? q : NULL, s->asymmetric);
  whet__hybrid_add(now, &a->in[FEATURES], &row);
  for (int64_t k = 0; k < filters; k++) AT(float, state, b, k *memory + memory - 1) = now[k];
  for (int64_t u = 0; u < filters / s->rank; u++) {
    float sum = a->n_in > B && a->in[B].rank >= 0 ? whet__hybrid_element(&a->in[B], u) : 0;
    for (int64_t r = 0; r < s->rank; r++) {
      int64_t k = u * s->rank + r;
      float dot = 0;
      for (int64_t m = 0; m < memory; m++) {
        float w = times->dtype == WHET_F32 ? AT(const float, times, k, m)
                                           : times->q->scale[0] * AT(const int8_t, times, k, m);
        dot += w * AT(const float, state, b, k *memory + m);
      }
      sum += dot;
    }
    AT(float, &a->out[0], b, u) = whet__tfl_act(s->act, sum);
  }
  for (int64_t k = 0; k < filters; k++) {
    for (int64_t m = 0; m + 1 < memory; m++)
      AT(float, state, b, k *memory + m) = AT(const float, state, b, k *memory + m + 1);
    AT(float, state, b, k *memory + memory - 1) = 0;
  }
}

static void byte_row(const whet_args *a, int64_t b) {
  const struct svdf *s = a->attr;
  const whet_tensor *x = &a->in[X], *w = &a->in[FEATURES], *state = &a->in[STATE], *times = &a->in[TIMES],
                    *y = &a->out[0];
  int64_t inputs = x->dim[1], filters = times->dim[0], memory = times->dim[1];
  int32_t mul[2], shift[2];
  whet__quantize_multiplier((double)(x->q->scale[0] * w->q->scale[0] / state->q->scale[0]), &mul[0], &shift[0]);
  whet__quantize_multiplier((double)(state->q->scale[0] * times->q->scale[0] / y->q->scale[0]), &mul[1], &shift[1]);
  for (int64_t k = 0; k < filters; k++) {
    uint32_t sum = 0;
    for (int64_t i = 0; i < inputs; i++)
      sum += (uint32_t)(AT(const int8_t, w, k, i) * (AT(const int8_t, x, b, i) - x->q->zero[0]));
    AT(int16_t, state, b, k * memory + memory - 1) =
        (int16_t)whet__clamp_i(whet__mul_fix((int32_t)sum, mul[0], shift[0]), INT16_MIN, INT16_MAX);
  }
  for (int64_t u = 0; u < filters / s->rank; u++) {
    uint32_t sum = a->n_in > B && a->in[B].rank >= 0 ? ((const uint32_t *)a->in[B].data)[u * a->in[B].stride[0]] : 0;
    for (int64_t k = u * s->rank; k < (u + 1) * s->rank; k++)
      for (int64_t m = 0; m < memory; m++)
        sum += (uint32_t)(AT(const int16_t, times, k, m) * AT(const int16_t, state, b, k *memory + m));
    AT(int8_t, y, b, u) =
        (int8_t)whet__add_zero(whet__mul_fix((int32_t)sum, mul[1], shift[1]), y->q->zero[0], -128, 127);
  }
  for (int64_t k = 0; k < filters; k++) {
    for (int64_t m = 0; m + 1 < memory; m++)
      AT(int16_t, state, b, k * memory + m) = AT(const int16_t, state, b, k *memory + m + 1);
    AT(int16_t, state, b, k * memory + memory - 1) = 0;
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

const whet_op whet_op_SVDF = {.name = "SVDF",
                              .flags = WHET_OP_STATE,
                              .attr_size = sizeof(struct svdf),
                              .attrs = k_attrs,
                              .from = k_from,
                              .infer = infer,
                              .ref = ref,
                              .scratch = scratch};
