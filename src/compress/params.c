/* SPDX-License-Identifier: Apache-2.0 */
/* Scales and zero points of activations from what was seen, one for all values that share them. */

#include <math.h>

#include "compress/job.h"

/* The range of a constant; *ok false: it is not finite. */
static whet_range of_const(const whet_job *j, int32_t v, bool *ok) {
  const whet_val *x = &j->g->val[v];
  int64_t n = whet__shape_count(&x->shape);
  whet_range r = {0, 0};
  for (int64_t i = 0; i < n; i++) {
    float f;
    memcpy(&f, (const char *)x->data->p + i * 4, 4); /* it may lie anywhere in a file */
    if (!isfinite(f)) *ok = false;
    r.lo = fminf(r.lo, f), r.hi = fmaxf(r.hi, f);
  }
  return r;
}

whet_status whet__job_params(whet_job *j) {
  whet_range *range = whet__arena_array(&j->a, (size_t)j->g->n_val + 1, sizeof *range);
  uint8_t *seen = whet__arena_array(&j->a, (size_t)j->g->n_val + 1, 1);
  if (!range || !seen) return whet__job_full(j);
  const whet_region *r = &j->g->main;
  for (int32_t i = 0; i < r->n_node; i++) {
    const whet_node *n = &j->g->node[r->node[i]];
    if (!j->tie[r->node[i]]) continue;
    for (int k = 0; k < n->n_in + n->n_out; k++) {
      int32_t v = k < n->n_in ? n->in[k] : n->out[k - n->n_in];
      if (v < 0 || (k < n->n_in && !whet__job_takes(j, n, k))) continue;
      int32_t root = whet__job_root(j, v);
      if (j->param[root].set || seen[v] & 2) continue;
      seen[v] |= 2;
      whet_range x = {0, 0};
      bool ok = true;
      if (j->g->val[v].role == WHET_ROLE_CONST)
        x = of_const(j, v, &ok);
      else if (j->hist[v] && !whet__job_follows(j, v))
        x = whet__hist_range(j->hist[v], j->o.calibrate, j->o.percentile, whet__job_levels(j), j->o.symmetric || j->t == WHET_S16);
      if (!ok) return whet__fail(j->err, WHET_E_DATA, "constant \"%.200s\" is not finite", j->g->val[v].name);
      range[root].lo = fminf(range[root].lo, x.lo), range[root].hi = fmaxf(range[root].hi, x.hi);
      seen[root] |= 1;
    }
  }
  for (int32_t v = 0; v < j->g->n_val; v++)
    if (seen[v] & 1) j->param[v] = whet__job_param(j, range[v]);
  return WHET_OK;
}
