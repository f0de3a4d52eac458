/* SPDX-License-Identifier: Apache-2.0 */
/* Products as rows of weights and rows of inputs. */

#include "op/weighted.h"

#include "ir/infer.h"

static bool is_op(const whet_node *n, const char *name) { return !strcmp(n->op->name, name); }

/* Where the k weights of a channel lie, for products of two matrices. */
static bool matrix(const whet_shape *w, int32_t channels, whet_weighted *p) {
  int32_t inner = 1 - channels;
  p->channels = w->d[channels];
  p->k = w->d[inner];
  p->axis = channels;
  p->groups = 1;
  return w->rank == 2;
}

/* Attributes of Gemm and MatMul that leave a plain product; *channels: the dimension of the weights with the outputs. */
static bool plain(const whet_node *n, int32_t *channels) {
  if (is_op(n, "Dense")) {
    *channels = ((const whet_dense *)n->attr)->kn ? 1 : 0;
    return true;
  }
  if (is_op(n, "Gemm")) {
    const whet_gemm *a = n->attr;
    *channels = a->trans_b ? 0 : 1;
    return a->alpha == 1 && !a->trans_a && (n->n_in < 3 || n->in[2] < 0 || a->beta == 1);
  }
  if (!is_op(n, "MatMul")) return false;
  const whet_matmul *a = n->attr;
  *channels = a->trans_b ? 0 : 1;
  return a->alpha == 1 && !a->trans_a;
}

whet_weighted *whet__weighted_of(const whet_env *env, const whet_graph *g, int32_t node, whet_arena *a, bool *full) {
  const whet_node *n = &g->node[node];
  whet_weighted *p = whet__arena_alloc(a, sizeof *p);
  if (!p) *full = true;
  if (!p || n->n_in < 2 || n->in[0] < 0 || n->in[1] < 0) return NULL;
  const whet_shape *x = &env->shape[n->in[0]], *w = &g->val[n->in[1]].shape;
  char why[WHET_CONV_WHY];
  int32_t channels = 0;
  uint8_t role = g->val[n->in[1]].role;
  if ((role != WHET_ROLE_CONST && role != WHET_ROLE_VARIABLE) || whet__shape_count(x) < 0 || whet__shape_count(w) < 1) return NULL;
  p->node = node;
  p->add = -1;
  p->no_bias = is_op(n, "MatMul");
  p->transposed = is_op(n, "ConvTranspose");
  p->conv = p->transposed || is_op(n, "Conv");
  if (p->conv) {
    const whet_conv_attr *at = n->attr;
    if (n->n_in > 3 || !whet__conv_geo(at, p->transposed, x, w, NULL, &p->geo, why)) {
      if (!p->transposed || !whet__conv_geo(at, true, x, w, &env->shape[n->out[0]], &p->geo, why)) return NULL;
    }
    p->in_last = at->last;
    p->groups = p->geo.groups;
    p->channels = p->geo.groups * p->geo.oc;
    p->k = p->geo.ic * p->geo.kernel[0] * p->geo.kernel[1] * p->geo.kernel[2];
    /* Channels lie along the dimension whose step is that of a channel. */
    int64_t step = 1;
    p->axis = -1;
    for (int32_t d = w->rank - 1; d >= 0; step *= w->d[d--])
      if (w->d[d] == p->channels && step == p->geo.w_oc && (p->groups == 1 || p->geo.w_group == p->geo.oc * step)) p->axis = d;
  } else if (!plain(n, &channels) || !matrix(w, channels, p) || x->rank < 1 || x->d[x->rank - 1] != p->k) {
    return NULL;
  }
  p->chan = whet__arena_array(a, (size_t)p->channels + 1, sizeof *p->chan);
  p->tap = whet__arena_array(a, (size_t)p->k + 1, sizeof *p->tap);
  if (!p->chan || !p->tap) {
    *full = true;
    return NULL;
  }
  if (p->conv) {
    const whet_conv_geo *c = &p->geo;
    int64_t i = 0;
    for (int64_t o = 0; o < p->channels; o++) p->chan[o] = o / c->oc * c->w_group + o % c->oc * c->w_oc;
    for (int64_t t0 = 0; t0 < c->kernel[0]; t0++)
      for (int64_t t1 = 0; t1 < c->kernel[1]; t1++)
        for (int64_t t2 = 0; t2 < c->kernel[2]; t2++)
          for (int64_t ic = 0; ic < c->ic; ic++)
            p->tap[i++] = t0 * c->w_tap[0] + t1 * c->w_tap[1] + t2 * c->w_tap[2] + ic * c->w_ic;
  } else {
    int64_t o = channels ? 1 : w->d[1], k = channels ? w->d[1] : 1;
    for (int64_t i = 0; i < p->channels; i++) p->chan[i] = i * o;
    for (int64_t i = 0; i < p->k; i++) p->tap[i] = i * k;
  }
  return p;
}

int64_t whet__weighted_positions(const whet_env *env, const whet_graph *g, const whet_weighted *p) {
  const whet_conv_geo *c = &p->geo;
  if (!p->conv) return whet__shape_count(&env->shape[g->node[p->node].in[0]]) / p->k;
  return c->batch * c->out[0] * c->out[1] * c->out[2];
}

void whet__weighted_row(const whet_env *env, const whet_graph *g, const whet_weighted *p, const float *x, int64_t group,
                       int64_t position, float *row) {
  const whet_conv_geo *c = &p->geo;
  if (!p->conv) {
    memcpy(row, x + position * p->k, (size_t)p->k * sizeof *row);
    return;
  }
  int64_t area = c->in[0] * c->in[1] * c->in[2], chans = c->groups * c->ic, out[3], n = 0;
  int64_t pixel = p->in_last ? chans : 1, chan = p->in_last ? 1 : area;
  out[2] = position % c->out[2], position /= c->out[2];
  out[1] = position % c->out[1], position /= c->out[1];
  out[0] = position % c->out[0], position /= c->out[0];
  x += position * area * chans + group * c->ic * chan;
  for (int64_t t0 = 0; t0 < c->kernel[0]; t0++)
    for (int64_t t1 = 0; t1 < c->kernel[1]; t1++)
      for (int64_t t2 = 0; t2 < c->kernel[2]; t2++) {
        int64_t i0 = out[0] * c->stride[0] - c->pad[0] + t0 * c->dilation[0];
        int64_t i1 = out[1] * c->stride[1] - c->pad[1] + t1 * c->dilation[1];
        int64_t i2 = out[2] * c->stride[2] - c->pad[2] + t2 * c->dilation[2];
        bool in = i0 >= 0 && i0 < c->in[0] && i1 >= 0 && i1 < c->in[1] && i2 >= 0 && i2 < c->in[2];
        const float *at = x + (in ? ((i0 * c->in[1] + i1) * c->in[2] + i2) * pixel : 0);
        for (int64_t ic = 0; ic < c->ic; ic++) row[n++] = in ? at[ic * chan] : 0;
      }
}
