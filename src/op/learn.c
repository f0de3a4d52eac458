/* SPDX-License-Identifier: Apache-2.0 */
/* Learn(x, g, hyper, m, v): one step of an optimiser on variable x with the gradient g; m and v, variables too, are what it
 * remembers (v: Adam only). hyper holds the rate and the corrections of the moments. The formulas are those of
 * kern/learn_f32.h. No file has this operator. f32. */

#include "op/learn.h"

#include <math.h>

#include "base/dtype.h"
#include "op/move.h"
#include "op/walk.h"

static const whet_attr_desc k_attrs[] = {{"kind", WHET_ATTR_I32, offsetof(whet_learn, kind)},
                                         {"nesterov", WHET_ATTR_BOOL, offsetof(whet_learn, nesterov)},
                                         {"decoupled", WHET_ATTR_BOOL, offsetof(whet_learn, decoupled)},
                                         {"a", WHET_ATTR_F32, offsetof(whet_learn, a)},
                                         {"b", WHET_ATTR_F32, offsetof(whet_learn, b)},
                                         {"epsilon", WHET_ATTR_F32, offsetof(whet_learn, epsilon)},
                                         {"decay", WHET_ATTR_F32, offsetof(whet_learn, decay)},
                                         {0}};

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_learn *a = n->attr;
  int count = a->kind == WHET_LEARN_ADAM ? 5 : 4;
  if (a->kind != WHET_LEARN_ADAM && a->kind != WHET_LEARN_SGD) return whet__infer_fail(f, WHET_E_DATA, "no optimiser %d", a->kind);
  if (n->n_in != count) return whet__infer_fail(f, WHET_E_FORMAT, "expected %d inputs, got %d", count, n->n_in);
  for (int i = 0; i < count; i++) {
    if (whet__in_dtype(f, i) != WHET_F32)
      return whet__infer_fail(f, WHET_E_TYPE, "input %d is %s, expected float32", i, whet_dtype_name(whet__in_dtype(f, i)));
    int64_t have = whet__shape_count(whet__in_shape(f, i)), want = i == 2 ? 3 : whet__shape_count(whet__in_shape(f, 0));
    if (have >= 0 && want >= 0 && have != want)
      return whet__infer_fail(f, WHET_E_SHAPE, "input %d has %lld elements, expected %lld", i, (long long)have, (long long)want);
  }
  return WHET_OK;
}

static whet_status ref(const whet_args *arg) {
  const whet_learn *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *g = &arg->in[1];
  double rate = whet__get_f64(WHET_F32, arg->in[2].data, 0), c1 = whet__get_f64(WHET_F32, arg->in[2].data, 1),
         c2 = whet__get_f64(WHET_F32, arg->in[2].data, 2);
  bool adam = a->kind == WHET_LEARN_ADAM;
  for (int64_t i = 0, n = whet__tensor_count(x); i < n; i++) {
    int64_t at = whet__flat_offset(x, i);
    float *px = (float *)x->data + at, *pm = (float *)arg->in[3].data + whet__flat_offset(&arg->in[3], i);
    double gr = (double)((const float *)g->data)[whet__flat_offset(g, i)], old = (double)*px, d;
    if (!adam || !a->decoupled) gr += (double)a->decay * old;
    double m = (double)a->a * (double)*pm + (adam ? 1 - (double)a->a : 1) * gr;
    *pm = (float)m;
    if (adam) {
      float *pv = (float *)arg->in[4].data + whet__flat_offset(&arg->in[4], i);
      double v = (double)a->b * (double)*pv + (1 - (double)a->b) * gr * gr;
      *pv = (float)v;
      d = m * c1 / (sqrt(v * c2) + (double)a->epsilon) + (a->decoupled ? (double)a->decay * old : 0);
    } else {
      d = a->nesterov ? gr + (double)a->a * m : m;
    }
    *px = (float)(old - rate * d);
  }
  return WHET_OK;
}

static whet_status plan(whet_planner *p, const whet_node *n) {
  const whet_learn *a = n->attr;
  whet_learn_f32 k = {.kind = a->kind, .nesterov = a->nesterov, .decoupled = a->decoupled, .a = a->a, .b = a->b,
                      .epsilon = a->epsilon, .decay = a->decay, .n = whet__shape_count(whet__pl_shape(p, n->in[0]))};
  for (int i = 0; i < n->n_in; i++)
    if (!whet__pl_dense(p, n->in[i])) return WHET_LATE;
  whet_arg arg[5] = {whet__wr(n->in[0]), whet__rd(n->in[1]), whet__rd(n->in[2]), whet__wr(n->in[3]), whet__wr(n->n_in > 4 ? n->in[4] : -1)};
  return whet__pl_kern(p, WHET_FAMILY_learn_f32, &k, sizeof k, arg, 5, whet__ceil_div(k.n, 64), (double)k.n * 0.5);
}

const whet_op whet_op_Learn = {.name = "Learn",
                               .flags = WHET_OP_STATE,
                               .attr_size = sizeof(whet_learn),
                               .attrs = k_attrs,
                               .infer = infer,
                               .plan = plan,
                               .ref = ref};
