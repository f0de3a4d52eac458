/* SPDX-License-Identifier: Apache-2.0 */
/* RandomUniform, RandomNormal: numbers drawn evenly from low .. high, or from a normal distribution; of a shape that an
 * attribute gives, or (Like) that an input has. Bernoulli(p): 1 with probability p, else 0. Multinomial(x): numbers of
 * classes, whose logarithmic weights are x.
 *
 * ONNX RandomUniform, RandomNormal and their Like 1-22, Bernoulli 15-22, Multinomial 7-22. With a seed every run draws
 * what the specification's reference does: MT19937, 53 bits for each number, normal ones in pairs by Marsaglia's polar
 * method, Bernoulli as NumPy's binomial by inversion. Without one every run draws others. Any number type, bool too for
 * Bernoulli; Multinomial gives S32 or S64. */

#include "op/random.h"

#include <math.h>

#include "base/rng.h"
#include "op/edit.h"
#include "op/move.h"
#include "op/mt19937.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

static const whet_attr_desc k_attrs[] = {{"shape", WHET_ATTR_I64S, offsetof(whet_random, shape)},
                                         {"sample_size", WHET_ATTR_I64, offsetof(whet_random, samples)},
                                         {"dtype", WHET_ATTR_I32, offsetof(whet_random, dtype)},
                                         {"seed", WHET_ATTR_I32, offsetof(whet_random, seed)},
                                         {"a", WHET_ATTR_F32, offsetof(whet_random, a)},
                                         {"b", WHET_ATTR_F32, offsetof(whet_random, b)},
                                         {"seeded", WHET_ATTR_BOOL, offsetof(whet_random, seeded)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

/* Append the node with its attributes; dtype: what is drawn unless the file says it. */
static whet_status put(whet_import *im, const whet_op *op, whet_random *a, whet_dtype dtype) {
  float seed = whet__onnx_float(im, "seed", NAN);
  a->dtype = whet__small(whet__onnx_int(im, "dtype", dtype));
  a->seeded = !isnan(seed);
  if (a->seeded) a->seed = (uint32_t)(int64_t)fmin(fmax((double)seed, -2147483648.0), 4294967295.0);
  return whet__im_node_as_is(im, op, a);
}
static whet_status read_uniform(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_random, a);
  a->a = whet__onnx_float(im, "low", 0);
  a->b = whet__onnx_float(im, "high", 1);
  a->shape = whet__onnx_ints(im, "shape");
  return put(im, op, a, whet__im_n_in(im) ? WHET_NONE : WHET_F32);
}
static whet_status read_normal(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_random, a);
  a->a = whet__onnx_float(im, "mean", 0);
  a->b = whet__onnx_float(im, "scale", 1);
  a->shape = whet__onnx_ints(im, "shape");
  return put(im, op, a, whet__im_n_in(im) ? WHET_NONE : WHET_F32);
}
static whet_status read_bernoulli(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_random, a);
  return put(im, op, a, WHET_NONE);
}
static whet_status read_multinomial(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_random, a);
  a->samples = whet__onnx_int(im, "sample_size", 1);
  return put(im, op, a, WHET_S32);
}

static const whet_from k_uniform_from[] = {
    {"", "RandomUniform", 1, read_uniform}, {"", "RandomUniformLike", 1, read_uniform}, {0}};
static const whet_from k_normal_from[] = {
    {"", "RandomNormal", 1, read_normal}, {"", "RandomNormalLike", 1, read_normal}, {0}};
static const whet_from k_bernoulli_from[] = {{"", "Bernoulli", 15, read_bernoulli}, {0}};
static const whet_from k_multinomial_from[] = {{"", "Multinomial", 7, read_multinomial}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

/* The output's type must be in a set. */
static whet_status type(whet_infer *f, const whet_random *a, uint32_t set, whet_dtype *t) {
  *t = a->dtype ? (whet_dtype)a->dtype : whet__in_dtype(f, 0);
  if (whet__type_in(set, *t)) return WHET_OK;
  return whet__infer_fail(f, WHET_E_TYPE, "an output of type %s is not taken", whet_dtype_name(*t));
}
static whet_status infer_draw(whet_infer *f, const whet_node *n) {
  const whet_random *a = n->attr;
  whet_dtype t;
  whet_dim count;
  WHET_TRY(type(f, a, WHET_T_NUM, &t));
  whet_shape *y = whet__out(f, 0, t);
  if (whet__in_n(f)) {
    *y = *whet__in_shape(f, 0);
    return WHET_OK;
  }
  if (a->shape.n > WHET_MAX_RANK)
    return whet__infer_fail(f, WHET_E_SHAPE, "%d dimensions, at most %d", a->shape.n, WHET_MAX_RANK);
  y->rank = a->shape.n;
  for (int32_t i = 0; i < y->rank; i++) {
    y->d[i] = a->shape.v[i];
    if (y->d[i] < 0) return whet__infer_fail(f, WHET_E_DATA, "dimension %d is %lld", i, (long long)a->shape.v[i]);
  }
  return whet__infer_count(f, y, &count);
}
static whet_status infer_bernoulli(whet_infer *f, const whet_node *n) {
  whet_dtype t;
  if (!whet__type_in(WHET_T_FLOAT, whet__in_dtype(f, 0)))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(whet__in_dtype(f, 0)));
  WHET_TRY(type(f, n->attr, WHET_T_NUM | WHET_T_BOOL, &t));
  *whet__out(f, 0, t) = *whet__in_shape(f, 0);
  return WHET_OK;
}
static whet_status infer_multinomial(whet_infer *f, const whet_node *n) {
  const whet_random *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  whet_dtype t;
  whet_dim count;
  if (!whet__type_in(WHET_T_FLOAT, whet__in_dtype(f, 0)))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(whet__in_dtype(f, 0)));
  WHET_TRY(type(f, a, WHET_T(S32) | WHET_T(S64), &t));
  WHET_TRY(whet__infer_rank(f, 0, 2, 2));
  if (a->samples < 1) return whet__infer_fail(f, WHET_E_DATA, "%lld samples", (long long)a->samples);
  if (x->d[1] == 0) return whet__infer_fail(f, WHET_E_SHAPE, "there are no classes");
  whet_shape *y = whet__out(f, 0, t);
  *y = (whet_shape){.rank = 2, .d = {x->d[0], a->samples}};
  return whet__infer_count(f, y, &count);
}

/* ---- references ------------------------------------------------------------------------------ */

static void seed(whet_mt19937 *m, const whet_random *a) {
  whet__mt19937_seed(m, a->seeded ? a->seed : (uint32_t)whet__rng_fresh());
}

/* A number rounded to a float type, as the reference does after each step; others are rounded once, at the end. */
static double rounded(whet_dtype t, double v) {
  union {
    double d;
    uint8_t bytes[8];
  } u = {0};
  if (!whet__type_in(WHET_T_FLOAT, t)) return v;
  whet__set_f64(t, u.bytes, 0, v);
  return whet__get_f64(t, u.bytes, 0);
}

static whet_status ref_uniform(const whet_args *arg) {
  const whet_random *a = arg->attr;
  const whet_tensor *y = &arg->out[0];
  whet_mt19937 m;
  seed(&m, a);
  double range = (double)a->b - (double)a->a;
  for (int64_t k = 0, n = whet__tensor_count(y); k < n; k++) {
    double v = rounded(y->dtype, rounded(y->dtype, whet__mt19937_f64(&m)) * rounded(y->dtype, range));
    whet__set_f64(y->dtype, y->data, whet__flat_offset(y, k), v + (double)a->a);
  }
  return WHET_OK;
}

static whet_status ref_normal(const whet_args *arg) {
  const whet_random *a = arg->attr;
  const whet_tensor *y = &arg->out[0];
  whet_mt19937 m;
  double pair[2] = {0, 0};
  seed(&m, a);
  for (int64_t k = 0, n = whet__tensor_count(y); k < n; k++) {
    if (k % 2 == 0) {
      double u, v, r;
      do {
        u = 2 * whet__mt19937_f64(&m) - 1;
        v = 2 * whet__mt19937_f64(&m) - 1;
        r = u * u + v * v;
      } while (r >= 1 || r == 0);
      double f = sqrt(-2 * log(r) / r);
      pair[0] = f * v;
      pair[1] = f * u;
    }
    double v = rounded(y->dtype, rounded(y->dtype, pair[k % 2]) * (double)a->b);
    whet__set_f64(y->dtype, y->data, whet__flat_offset(y, k), v + (double)a->a);
  }
  return WHET_OK;
}

static whet_status ref_bernoulli(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  whet_mt19937 m;
  seed(&m, arg->attr);
  for (int64_t k = 0, n = whet__tensor_count(y); k < n; k++) {
    double p = whet__get_f64(x->dtype, x->data, whet__flat_offset(x, k));
    if (!(p >= 0 && p <= 1)) return whet__fail(arg->err, WHET_E_DATA, "element %lld is %g: no probability", (long long)k, p);
    bool one = p > 0.5 ? !(p < 1) || whet__mt19937_f64(&m) <= p : p > 0 && whet__mt19937_f64(&m) > 1 - p;
    whet__set_i64(y->dtype, y->data, whet__flat_offset(y, k), 0);
    if (one && whet__is_float(y->dtype)) whet__set_f64(y->dtype, y->data, whet__flat_offset(y, k), 1);
    if (one && !whet__is_float(y->dtype)) whet__set_i64(y->dtype, y->data, whet__flat_offset(y, k), 1);
  }
  return WHET_OK;
}

static whet_status ref_multinomial(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  whet_mt19937 m;
  seed(&m, arg->attr);
  for (int64_t b = 0; b < y->dim[0]; b++) {
    int64_t from = b * x->stride[0], classes = x->dim[1];
    double top = -INFINITY, sum = 0;
    for (int64_t i = 0; i < classes; i++) top = fmax(top, whet__get_f64(x->dtype, x->data, from + i * x->stride[1]));
    for (int64_t i = 0; i < classes; i++) sum += exp(whet__get_f64(x->dtype, x->data, from + i * x->stride[1]) - top);
    if (!(sum > 0)) return whet__fail(arg->err, WHET_E_DATA, "row %lld has no weights", (long long)b);
    for (int64_t k = 0; k < y->dim[1]; k++) {
      double left = whet__mt19937_f64(&m) * sum;
      int64_t best = 0;
      for (int64_t i = 0; i < classes && left >= 0; i++) {
        double w = exp(whet__get_f64(x->dtype, x->data, from + i * x->stride[1]) - top);
        if (w > 0) best = i;
        left -= w;
      }
      whet__set_i64(y->dtype, y->data, b * y->stride[0] + k * y->stride[1], best);
    }
  }
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

#define RANDOM(name_, from_, infer_, ref_)                            \
  const whet_op whet_op_##name_ = {.name = #name_,                    \
                                   .flags = WHET_OP_RANDOM,           \
                                   .attr_size = sizeof(whet_random),  \
                                   .attrs = k_attrs,                  \
                                   .from = from_,                     \
                                   .infer = infer_,                   \
                                   .ref = ref_};
RANDOM(Bernoulli, k_bernoulli_from, infer_bernoulli, ref_bernoulli)
RANDOM(Multinomial, k_multinomial_from, infer_multinomial, ref_multinomial)
RANDOM(RandomNormal, k_normal_from, infer_draw, ref_normal)
RANDOM(RandomUniform, k_uniform_from, infer_draw, ref_uniform)
