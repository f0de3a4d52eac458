/* SPDX-License-Identifier: Apache-2.0 */
/* One step of an optimiser on any number of tensors x with gradients g: Momentum (also Nesterov's), Adagrad, Adam.
 *
 * ai.onnx.preview.training 1. Inputs are the rate r, the number of steps before t, then all x, all g and what the
 * optimiser remembers (Momentum: v; Adagrad: h; Adam: v, h); outputs are all new x and what it remembers now. With
 * G = g + norm_coefficient x:
 *   Momentum   v' = alpha v + (t > 0 ? beta : 1) G     x' = x - r v'; Nesterov: x - r (G + alpha v')
 *   Adagrad    h' = h + G^2                            x' = x - r / (1 + t decay) G / (sqrt(h') + epsilon)
 *   Adam       v' = alpha v + (1 - alpha) G            x' = (1 - norm_coefficient_post) (x - R v' / (sqrt(h') + epsilon))
 *              h' = beta h + (1 - beta) G^2            R = r sqrt(1 - beta^t) / (1 - alpha^t), r for t = 0
 * f32 and f64, computed in double. */

#include <math.h>

#include "op/edit.h"
#include "op/move.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

enum { MOMENTUM, NESTEROV, ADAGRAD, ADAM };

typedef struct optimizer_attr {
  float alpha, beta, epsilon, norm, norm_post, decay;
  uint8_t rule;
} optimizer_attr;

static const whet_attr_desc k_attrs[] = {{"alpha", WHET_ATTR_F32, offsetof(optimizer_attr, alpha)},
                                         {"beta", WHET_ATTR_F32, offsetof(optimizer_attr, beta)},
                                         {"epsilon", WHET_ATTR_F32, offsetof(optimizer_attr, epsilon)},
                                         {"norm_coefficient", WHET_ATTR_F32, offsetof(optimizer_attr, norm)},
                                         {"norm_coefficient_post", WHET_ATTR_F32, offsetof(optimizer_attr, norm_post)},
                                         {"decay_factor", WHET_ATTR_F32, offsetof(optimizer_attr, decay)},
                                         {"rule", WHET_ATTR_U8, offsetof(optimizer_attr, rule)},
                                         {0}};

/* Tensors that the optimiser remembers of each x. */
static int remembers(const optimizer_attr *a) { return a->rule == ADAM ? 2 : 1; }

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status put(whet_import *im, const whet_op *op, optimizer_attr *a) {
  int groups = 2 + remembers(a), n = whet__im_n_in(im) - 2;
  a->norm = whet__onnx_float(im, "norm_coefficient", 0);
  if (n < groups || n % groups || whet__im_n_out(im) > n / groups * (groups - 1))
    return whet__im_fail(im, WHET_E_FORMAT, "%d inputs and %d outputs: expected 2 and %d for each tensor", n + 2,
                         whet__im_n_out(im), groups);
  return whet__im_node_as_is(im, op, a);
}
static whet_status read_momentum(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, optimizer_attr, a);
  whet_str mode = whet__onnx_str(im, "mode", "standard");
  a->rule = whet__str_is(mode, "nesterov") ? NESTEROV : MOMENTUM;
  if (a->rule == MOMENTUM && !whet__str_is(mode, "standard"))
    return whet__im_fail(im, WHET_E_DATA, "mode must be standard or nesterov");
  a->alpha = whet__onnx_float(im, "alpha", 0);
  a->beta = whet__onnx_float(im, "beta", 0);
  return put(im, op, a);
}
static whet_status read_adagrad(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, optimizer_attr, a);
  a->rule = ADAGRAD;
  a->epsilon = whet__onnx_float(im, "epsilon", 1e-6f);
  a->decay = whet__onnx_float(im, "decay_factor", 0);
  return put(im, op, a);
}
static whet_status read_adam(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, optimizer_attr, a);
  a->rule = ADAM;
  a->alpha = whet__onnx_float(im, "alpha", 0.9f);
  a->beta = whet__onnx_float(im, "beta", 0.999f);
  a->epsilon = whet__onnx_float(im, "epsilon", 1e-6f);
  a->norm_post = whet__onnx_float(im, "norm_coefficient_post", 0);
  return put(im, op, a);
}

#define DOMAIN "ai.onnx.preview.training"
static const whet_from k_momentum_from[] = {{DOMAIN, "Momentum", 1, read_momentum}, {0}};
static const whet_from k_adagrad_from[] = {{DOMAIN, "Adagrad", 1, read_adagrad}, {0}};
static const whet_from k_adam_from[] = {{DOMAIN, "Adam", 1, read_adam}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const optimizer_attr *a = n->attr;
  int groups = 2 + remembers(a), count = (n->n_in - 2) / groups;
  for (int i = 0; i < n->n_in; i++) {
    whet_dtype t = whet__in_dtype(f, i);
    int64_t one = whet__shape_count(whet__in_shape(f, i));
    if (!whet__in_has(f, i)) return whet__infer_fail(f, WHET_E_FORMAT, "input %d is missing", i);
    if (i < 2 && one >= 0 && one != 1) return whet__infer_fail(f, WHET_E_SHAPE, "input %d is not one number", i);
    if (i == 1 ? t != WHET_S64 : t != WHET_F32 && t != WHET_F64)
      return whet__infer_fail(f, WHET_E_TYPE, "input %d of type %s is not taken", i, whet_dtype_name(t));
    if (i < 2) continue;
    int x = 2 + (i - 2) % count;
    const whet_shape *s = whet__in_shape(f, i), *sx = whet__in_shape(f, x);
    if (t != whet__in_dtype(f, x))
      return whet__infer_fail(f, WHET_E_TYPE, "inputs %d and %d differ in type", x, i);
    if (!whet__shape_equal(s, sx) && whet__shape_count(s) >= 0 && whet__shape_count(sx) >= 0)
      return whet__infer_fail(f, WHET_E_SHAPE, "inputs %d and %d differ in shape", x, i);
  }
  for (int o = 0; o < n->n_out; o++)
    *whet__out(f, o, whet__in_dtype(f, 2 + o % count)) = *whet__in_shape(f, 2 + o % count);
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* One element: *x, g and what is remembered in m[0], m[1]. r: the rate, adjusted. */
static void step(const optimizer_attr *a, double r, bool first, double *x, double g, double m[2]) {
  double gr = (double)a->norm * *x + g;
  switch (a->rule) {
    case MOMENTUM:
    case NESTEROV:
      m[0] = (double)a->alpha * m[0] + (first ? 1 : (double)a->beta) * gr;
      *x -= r * (a->rule == NESTEROV ? gr + (double)a->alpha * m[0] : m[0]);
      break;
    case ADAGRAD:
      m[0] += gr * gr;
      *x -= r * gr / (sqrt(m[0]) + (double)a->epsilon);
      break;
    default:
      m[0] = (double)a->alpha * m[0] + (1 - (double)a->alpha) * gr;
      m[1] = (double)a->beta * m[1] + (1 - (double)a->beta) * gr * gr;
      *x = (1 - (double)a->norm_post) * (*x - r * m[0] / (sqrt(m[1]) + (double)a->epsilon));
  }
}

static double load(const whet_tensor *t, int64_t k) { return whet__get_f64(t->dtype, t->data, whet__flat_offset(t, k)); }
static void store(const whet_args *arg, int o, int64_t k, double v) {
  const whet_tensor *t = &arg->out[o];
  if (o < arg->n_out && t->data) whet__set_f64(t->dtype, t->data, whet__flat_offset(t, k), v);
}

static whet_status ref(const whet_args *arg) {
  const optimizer_attr *a = arg->attr;
  int extra = remembers(a), count = (arg->n_in - 2) / (2 + extra);
  double r = whet__get_f64(arg->in[0].dtype, arg->in[0].data, 0), t = (double)whet__get_i64(WHET_S64, arg->in[1].data, 0);
  if (a->rule == ADAGRAD) r /= 1 + t * (double)a->decay;
  if (a->rule == ADAM && t > 0) r *= sqrt(1 - pow((double)a->beta, t)) / (1 - pow((double)a->alpha, t));
  for (int i = 0; i < count; i++) {
    const whet_tensor *in = arg->in + 2 + i;
    for (int64_t k = 0, n = whet__tensor_count(in); k < n; k++) {
      double x = load(in, k), m[2] = {load(in + 2 * count, k), extra > 1 ? load(in + 3 * count, k) : 0};
      step(a, r, t <= 0, &x, load(in + count, k), m);
      store(arg, i, k, x);
      for (int e = 0; e < extra; e++) store(arg, i + (1 + e) * count, k, m[e]);
    }
  }
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

#define OPTIMIZER(name_, from_)                                          \
  const whet_op whet_op_##name_ = {.name = #name_,                       \
                                   .attr_size = sizeof(optimizer_attr),  \
                                   .attrs = k_attrs,                     \
                                   .from = from_,                        \
                                   .infer = infer,                       \
                                   .ref = ref};
OPTIMIZER(Adagrad, k_adagrad_from)
OPTIMIZER(Adam, k_adam_from)
OPTIMIZER(Momentum, k_momentum_from)
