/* SPDX-License-Identifier: Apache-2.0 */
/* Batch normalisation with stored mean and variance is a factor and a term for each channel.
 *
 *   x ─▶ BatchNormalization(s, b, m, v) ─▶ y   becomes   x ─▶ Mul(s') ─▶ Add(b') ─▶ y
 *   with s' = s / sqrt(v + epsilon), b' = b - m s'
 *
 * Pass affine then moves both into the weights before them, where there are some. */

#include <math.h>

#include "base/dtype.h"
#include "op/batchnorm.h"
#include "pass/pass.h"

/* All four parameters are constants of c numbers. */
static bool are_constants(const whet_pass *p, const whet_node *n, int64_t c) {
  for (int i = 1; i < 5; i++) {
    const whet_val *x = &p->g->val[n->in[i]];
    if (!whet__pass_const(p, n->in[i]) || whet__shape_count(&x->shape) != c) return false;
  }
  return true;
}

/* Parameter `i` of channel k. */
static double parameter(const whet_pass *p, const whet_node *n, int i, int64_t k) {
  const whet_val *x = &p->g->val[n->in[i]];
  return whet__get_f64((whet_dtype)x->dtype, x->data->p, k);
}

/* Replace the node at position *at; *at moves on to the last of its successors. */
static whet_status replace(whet_pass *p, whet_region *r, int32_t *at, int64_t c) {
  whet_node n = p->g->node[r->node[*at]];
  const whet_batchnorm_attr *a = n.attr;
  whet_edit e = {.pass = p, .g = p->g, .r = r, .at = *at};
  whet_dtype t = (whet_dtype)p->env->dtype[n.in[0]];
  whet_shape shape = p->env->shape[n.in[0]];
  int64_t dims[WHET_MAX_RANK];
  int32_t rank = a->last ? 1 : shape.rank - 1;
  for (int32_t i = 0; i < rank; i++) dims[i] = i ? 1 : c;
  int32_t s = whet__ed_const(&e, t, rank, dims, NULL), b = whet__ed_const(&e, t, rank, dims, NULL);
  int32_t between = whet__ed_val(&e, "scaled", t, &shape);
  if (e.failed) return whet__pass_full(p);
  for (int64_t k = 0; k < c; k++) {
    double factor = parameter(p, &n, 1, k) / sqrt(parameter(p, &n, 4, k) + (double)a->epsilon);
    whet__set_f64(t, (void *)p->g->val[s].data->p, k, factor);
    whet__set_f64(t, (void *)p->g->val[b].data->p, k, parameter(p, &n, 2, k) - parameter(p, &n, 3, k) * factor);
  }
  int32_t nodes[2] = {whet__ed_node(&e, whet__op_find("Mul"), NULL, (int32_t[]){n.in[0], s}, 2, &between, 1),
                      whet__ed_node(&e, whet__op_find("Add"), NULL, (int32_t[]){between, b}, 2, n.out, 1)};
  if (e.failed) return whet__pass_full(p);
  for (int i = 0; i < 2; i++) {
    p->g->node[nodes[i]].name = n.name;
    p->g->node[nodes[i]].origin = n.origin;
  }
  whet__region_remove(p->g, r, e.at);
  *at = e.at - 1;
  p->changed = true;
  return WHET_OK;
}

static whet_status batchnorm_region(whet_pass *p, whet_region *r) {
  for (int32_t i = 0; i < r->n_node; i++) {
    const whet_node *n = &p->g->node[r->node[i]];
    if (!whet__is_op(n, "BatchNormalization")) continue;
    const whet_batchnorm_attr *a = n->attr;
    const whet_shape *x = &p->env->shape[n->in[0]];
    if (a->training || a->places || x->rank < 2) continue;
    whet_dim c = x->d[a->last ? x->rank - 1 : 1];
    if (!whet__dim_known(c)) c = whet__shape_count(&p->g->val[n->in[1]].shape);
    if (c < 1 || !are_constants(p, n, c)) continue;
    WHET_TRY(replace(p, r, &i, c));
  }
  return WHET_OK;
}

whet_status whet__pass_batchnorm(whet_pass *p) {
  WHET_TRY(whet__pass_env(p));
  return whet__pass_regions(p, batchnorm_region);
}
