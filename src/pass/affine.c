/* SPDX-License-Identifier: Apache-2.0 */
/* A factor or a term for each channel after a product is part of its weights.
 *
 *   x ─▶ Conv(w, b) ─▶ Mul(c) ─▶ y    becomes   x ─▶ Conv(w c, b c) ─▶ y
 *   x ─▶ Conv(w, b) ─▶ Add(c) ─▶ y    becomes   x ─▶ Conv(w, b + c) ─▶ y     (Sub likewise)
 *
 * for Conv, ConvTranspose and Dense with constant float weights whose result nobody else uses, and constants with one
 * number for each output channel, or one for all. */

#include "base/dtype.h"
#include "op/conv.h"
#include "op/dense.h"
#include "pass/pass.h"

/* A product that can take something in: how its weights belong to output channels. */
typedef struct product {
  whet_node *n;
  int64_t channels;
  int32_t axis;      /* of the output, counted from the end: 1 is the last */
  int64_t group;     /* channels of a group, where group and channel stand apart */
  int64_t per_group; /* weights of a group there, else 0 */
  int64_t step;      /* weights from one channel to the next */
} product;

static bool float_const(const whet_pass *p, int32_t v) {
  return v >= 0 && whet__pass_const(p, v) && whet__is_float((whet_dtype)p->g->val[v].dtype) && !p->g->val[v].q;
}

/* Elements of a dense tensor from one index of dimension d to the next. */
static int64_t step_of(const whet_shape *s, int32_t d) {
  int64_t n = 1;
  for (int32_t i = d + 1; i < s->rank; i++) n *= s->d[i];
  return n;
}

/* Is node n such a product? rank: its output's. */
static bool as_product(const whet_pass *p, whet_node *n, int32_t rank, product *out) {
  bool conv = whet__is_op(n, "Conv"), transposed = whet__is_op(n, "ConvTranspose");
  if (n->n_in < 2 || !float_const(p, n->in[1]) || (n->n_in > 2 && n->in[2] >= 0 && !float_const(p, n->in[2])))
    return false;
  const whet_shape *w = &p->g->val[n->in[1]].shape;
  *out = (product){.n = n, .axis = 1};
  if (whet__is_op(n, "Dense")) {
    int32_t d = ((const whet_dense *)n->attr)->kn ? 1 : 0;
    out->channels = w->d[d];
    out->step = step_of(w, d);
    return true;
  }
  if ((!conv && !transposed) || rank != w->rank) return false;
  const whet_conv_attr *a = n->attr;
  static const int8_t places[][2] = {[WHET_CONV_OIS] = {0, 0},  [WHET_CONV_OSI] = {0, 0}, [WHET_CONV_1SO] = {-1, 0},
                                     [WHET_CONV_SIO] = {-1, 0}, [WHET_CONV_IOS] = {1, 1}, [WHET_CONV_SOI] = {-2, 0}};
  int32_t d = places[a->weights][0] < 0 ? w->rank + places[a->weights][0] : places[a->weights][0];
  out->channels = w->d[d];
  out->step = step_of(w, d);
  if (places[a->weights][1] && a->group > 1) { /* inputs of all groups, outputs of one */
    out->group = w->d[1];
    out->per_group = w->d[0] / a->group * step_of(w, 0);
    out->channels *= a->group;
  }
  if (!a->last) out->axis = rank - 1;
  return true;
}

/* The output channel of element i of the weights. */
static int64_t channel(const product *q, int64_t i) {
  if (!q->per_group) return i / q->step % q->channels;
  return i / q->per_group * q->group + i / q->step % q->group;
}

/* Constant v has one number for each channel (or one for all) of an output of this rank. */
static bool by_channel(const whet_pass *p, const product *q, int32_t v, int32_t rank) {
  if (!float_const(p, v)) return false;
  const whet_shape *s = &p->g->val[v].shape;
  int64_t n = whet__shape_count(s);
  if (n == 1) return s->rank <= rank;
  return n == q->channels && s->rank >= q->axis && s->rank <= rank && s->d[s->rank - q->axis] == n;
}

static double number(const whet_pass *p, int32_t v, int64_t i) {
  const whet_val *x = &p->g->val[v];
  return whet__get_f64((whet_dtype)x->dtype, x->data->p, whet__shape_count(&x->shape) == 1 ? 0 : i);
}

/* New weights and bias: (w * c, b * c), or (w, b + sign * c). */
static whet_status take_in(whet_pass *p, whet_region *r, const product *q, int32_t c, int sign) {
  whet_node *n = q->n;
  whet_edit e = {.pass = p, .g = p->g, .r = r};
  whet_val w = p->g->val[n->in[1]];
  int32_t old = n->n_in > 2 ? n->in[2] : -1, fresh = -1, bias = old;
  int32_t *in = whet__arena_array(&p->g->arena, whet__max_i(n->n_in, 3), sizeof *in);
  if (!sign) {
    fresh = whet__ed_const(&e, (whet_dtype)w.dtype, w.shape.rank, w.shape.d, NULL);
    int64_t count = whet__shape_count(&w.shape);
    for (int64_t i = 0; i < count && !e.failed; i++)
      whet__set_f64((whet_dtype)w.dtype, (void *)p->g->val[fresh].data->p, i,
                    whet__get_f64((whet_dtype)w.dtype, w.data->p, i) * number(p, c, channel(q, i)));
  }
  if (sign || old >= 0) {
    bias = whet__ed_const(&e, (whet_dtype)w.dtype, 1, &q->channels, NULL);
    for (int64_t i = 0; i < q->channels && !e.failed; i++) {
      double b = old < 0 ? 0 : whet__get_f64((whet_dtype)p->g->val[old].dtype, p->g->val[old].data->p, i);
      double x = number(p, c, i);
      whet__set_f64((whet_dtype)w.dtype, (void *)p->g->val[bias].data->p, i, sign ? b + sign * x : b * x);
    }
  }
  if (e.failed || !in) return whet__pass_full(p);
  for (int i = 0; i < n->n_in; i++) in[i] = n->in[i];
  if (fresh >= 0) in[1] = fresh;
  if (n->n_in < 3) n->n_in = 3;
  in[2] = bias;
  n->in = in;
  p->changed = true;
  return WHET_OK;
}

/* What node n does to a product's result x with constant *c: 0 Mul, 1 Add, -1 Sub; 2: nothing of the kind. */
static int kind_of(const whet_node *n, int32_t x, int32_t *c) {
  if (n->n_in != 2 || n->n_out != 1) return 2;
  bool first = n->in[0] == x;
  *c = n->in[first];
  if (whet__is_op(n, "Mul")) return 0;
  if (whet__is_op(n, "Add")) return 1;
  return whet__is_op(n, "Sub") && first ? -1 : 2;
}

static whet_status affine_region(whet_pass *p, whet_region *r) {
  whet_uses u;
  if (!whet__graph_uses(p->g, &p->a, &u)) return whet__pass_full(p);
  for (int32_t i = 0; i < r->n_node; i++) {
    whet_node *n = &p->g->node[r->node[i]];
    for (int k = 0; k < n->n_in && n->n_in == 2; k++) {
      int32_t x = n->in[k], c = -1, m = x < 0 ? -1 : u.maker[x];
      product q;
      if (m < 0 || u.count[x] != 1 || p->g->node[m].dead || p->g->val[x].flags & WHET_VAL_KEEP) continue;
      int kind = kind_of(n, x, &c);
      int32_t rank = p->env->shape[x].rank;
      if (kind == 2 || rank < 1 || !as_product(p, &p->g->node[m], rank, &q) || !by_channel(p, &q, c, rank)) continue;
      if (p->env->dtype[n->out[0]] != p->env->dtype[x]) continue;
      WHET_TRY(take_in(p, r, &q, c, kind));
      p->g->node[m].out[0] = n->out[0];
      u.maker[n->out[0]] = m;
      whet__region_remove(p->g, r, i--);
      break;
    }
  }
  return WHET_OK;
}

whet_status whet__pass_affine(whet_pass *p) {
  WHET_TRY(whet__pass_env(p));
  return whet__pass_regions(p, affine_region);
}
