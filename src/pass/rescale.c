/* SPDX-License-Identifier: Apache-2.0 */
/* One factor and one term for all of a picture before a convolution are part of its weights and bias.
 *
 *   x ─▶ Mul(c) ─▶ Add(d) ─▶ Conv(w, b) ─▶ y    becomes   x ─▶ Conv(w c, b + d sum(w), pad_value -d / c) ─▶ y
 *
 * and so on for Sub, Div, or one of them alone: how pictures come to be between -1 and 1. Taps outside the input read what became
 * zero before. Terms stay below MOST, as sums of what is not yet near zero lose digits; exact programs keep the nodes. */

#include <math.h>

#include "base/dtype.h"
#include "op/conv.h"
#include "pass/match.h"
#include "plan/program.h"

#define MOST 1.0

/* v = scale u + term, of node after node back from v; answers u. */
static int32_t behind(const whet_match *m, int32_t v, double *scale, double *term) {
  *scale = 1, *term = 0;
  for (const whet_node *n; (n = whet__match_only(m, v, NULL)) && n->n_in == 2;) {
    double c;
    bool div = whet__is_op(n, "Div"), sub = whet__is_op(n, "Sub"), mul = whet__is_op(n, "Mul");
    int k = whet__match_scalar(m, n->in[1], whet__match_rank(m, v), &c)                  ? 1
            : !div && !sub && whet__match_scalar(m, n->in[0], whet__match_rank(m, v), &c) ? 0
                                                                                          : -1;
    if (k < 0 || (!div && !sub && !mul && !whet__is_op(n, "Add")) || !whet__match_is_float(m, n->in[1 - k])) break;
    if (!whet__shape_equal(&m->p->env->shape[n->in[1 - k]], &m->p->env->shape[v])) break;
    if (div)
      *scale /= c;
    else if (mul)
      *scale *= c;
    else
      *term += *scale * (sub ? -c : c);
    v = n->in[1 - k];
  }
  return v;
}

/* Weights times scale, and the bias and what each output's weights make of the term. */
static whet_status take_in(whet_pass *p, whet_edit *e, whet_node *n, int32_t x, double scale, double term) {
  const whet_val w = p->g->val[n->in[1]];
  int32_t old = n->n_in > 2 ? n->in[2] : -1, in[3] = {x, -1, -1};
  int64_t count = whet__shape_count(&w.shape), channels = w.shape.d[0];
  whet_conv_attr a = *(const whet_conv_attr *)n->attr;
  in[1] = whet__ed_const(e, WHET_F32, w.shape.rank, w.shape.d, NULL);
  in[2] = whet__ed_const(e, WHET_F32, 1, &channels, NULL);
  if (e->failed) return whet__pass_full(p);
  float *to = (float *)p->g->val[in[1]].data->p, *bias = (float *)p->g->val[in[2]].data->p;
  for (int64_t o = 0; o < channels; o++) {
    double sum = 0;
    for (int64_t i = o * (count / channels); i < (o + 1) * (count / channels); i++) {
      double v = whet__get_f64(WHET_F32, w.data->p, i);
      to[i] = (float)(v * scale);
      sum += v;
    }
    bias[o] = (float)((old < 0 ? 0 : whet__get_f64(WHET_F32, p->g->val[old].data->p, o)) + sum * term);
  }
  a.pad_value = (float)(0 - term / scale);
  n->attr = whet__arena_copy(&p->g->arena, &a, sizeof a);
  n->in = whet__arena_copy(&p->g->arena, in, sizeof in);
  n->n_in = 3;
  p->changed = true;
  return n->attr && n->in ? WHET_OK : whet__pass_full(p);
}

/* A convolution of one group, channels of outputs first among its constant weights. */
static bool fits(const whet_pass *p, const whet_node *n) {
  if (!whet__is_op(n, "Conv") || n->in[0] < 0 || p->env->dtype[n->in[0]] != WHET_F32) return false;
  const whet_conv_attr *a = n->attr;
  for (int k = 1; k < n->n_in; k++)
    if (n->in[k] >= 0 && (!whet__pass_const(p, n->in[k]) || p->g->val[n->in[k]].dtype != WHET_F32)) return false;
  const whet_shape *x = &p->env->shape[n->in[0]], *w = &p->g->val[n->in[1]].shape;
  if ((a->weights != WHET_CONV_OIS && a->weights != WHET_CONV_OSI) || a->pad_value != 0 || x->rank < 3 || x->rank != w->rank) return false;
  return x->d[a->last ? x->rank - 1 : 1] == w->d[a->weights == WHET_CONV_OSI ? w->rank - 1 : 1]; /* one group */
}

static whet_status rescale_region(whet_pass *p, whet_region *r) {
  whet_match m;
  double scale, term;
  if (!whet__match_init(p, &m)) return whet__pass_full(p);
  for (int32_t i = 0; i < r->n_node; i++) {
    whet_node *n = &p->g->node[r->node[i]];
    if (!fits(p, n)) continue;
    int32_t x = behind(&m, n->in[0], &scale, &term);
    if (x == n->in[0] || !(fabs(scale) > 1e-6 && fabs(scale) < 1e6 && fabs(term) <= MOST)) continue;
    whet_edit e = {.pass = p, .g = p->g, .r = r, .at = i};
    WHET_TRY(take_in(p, &e, n, x, scale, term));
  }
  return WHET_OK;
}

whet_status whet__pass_rescale(whet_pass *p) {
  if (p->files || (p->program && p->program->opts.exact) || p->target->bf16) return WHET_OK;
  WHET_TRY(whet__pass_env(p));
  return whet__pass_regions(p, rescale_region);
}
