/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/cost.h"

#include "op/attention.h"

/* Elements of a value, 0 when not known. */
static int64_t count(const whet_env *e, int32_t v) {
  int64_t n = v < 0 ? 0 : whet__shape_count(&e->shape[v]);
  return n < 0 ? 0 : n;
}

static int64_t dim(const whet_env *e, int32_t v, int32_t i) {
  const whet_shape *s = &e->shape[v];
  if (i < 0) i += s->rank;
  return i >= 0 && i < s->rank && s->d[i] > 0 ? s->d[i] : 1;
}

/* Every output element is a sum over the weights of its channel. The channel axis is the one along which the output
 * has as many elements as the weights have filters; the bias says how many those are, else the shapes do. */
static int64_t by_weights(const whet_env *e, const whet_node *n) {
  int64_t out = count(e, n->out[0]), w = count(e, n->in[1]);
  int64_t a = dim(e, n->out[0], 1), b = dim(e, n->out[0], -1), w0 = dim(e, n->in[1], 0), w3 = dim(e, n->in[1], -1);
  int64_t filters = n->n_in > 2 && n->in[2] >= 0 ? count(e, n->in[2]) : w0 == a || w0 == b ? w0 : w3;
  return filters ? out * (w / filters) : 0;
}

/* Every input element meets the weights of its channel. */
static int64_t by_input(const whet_env *e, const whet_node *n) {
  int64_t in = count(e, n->in[0]), w = count(e, n->in[1]), c = dim(e, n->in[1], 0);
  return c ? in * (w / c) : 0;
}

static int64_t by_inner(const whet_env *e, const whet_node *n) { return count(e, n->out[0]) * dim(e, n->in[0], -1); }

/* A step of a recurrent operator multiplies the input and the state by all weights. */
static int64_t by_steps(const whet_env *e, const whet_node *n) {
  return n->n_in < 3 ? 0 : dim(e, n->in[0], 0) * dim(e, n->in[0], 1) * (count(e, n->in[1]) + count(e, n->in[2]));
}

/* Every element of q and of the result meets all keys. */
static int64_t by_keys(const whet_env *e, const whet_node *n) {
  bool inside = (((const whet_attention *)n->attr)->inside & WHET_ATTN_K) != 0;
  return (count(e, n->in[0]) + count(e, n->out[0])) * dim(e, n->in[1], inside ? 1 : 2);
}

static const struct {
  const char *op;
  int64_t (*macs)(const whet_env *, const whet_node *);
} k_rows[] = {{"Attention", by_keys}, {"Conv", by_weights}, {"ConvTranspose", by_input},
              {"Dense", by_weights},  {"GRU", by_steps},    {"Gemm", by_inner},
              {"LSTM", by_steps},     {"MatMul", by_inner}, {"RNN", by_steps}};

int64_t whet__node_macs(const whet_env *e, const whet_node *n) {
  for (size_t i = 0; i < WHET_COUNT(k_rows); i++)
    if (!strcmp(n->op->name, k_rows[i].op)) return n->n_in > 1 && n->n_out ? k_rows[i].macs(e, n) : 0;
  return 0;
}
