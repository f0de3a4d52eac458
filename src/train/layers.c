/* SPDX-License-Identifier: Apache-2.0 */
/* Layers into nodes. */

#include "train/layers.h"

#include <math.h>

#include "base/rng.h"
#include "op/batchnorm.h"
#include "op/conv.h"
#include "op/dense.h"
#include "op/layernorm.h"
#include "op/move_attr.h"
#include "op/pool.h"
#include "op/rnn.h"
#include "op/softmax.h"
#include "op/unary.h"
#include "train/batch.h"

struct net {
  whet_graph *g;
  whet_err *err;
  uint64_t seed, drawn; /* weights drawn so far tell the next ones apart */
  int32_t v;            /* where the net has come to */
  int32_t rank;
  int64_t d[WHET_MAX_RANK]; /* its shape, without the batch */
  int n;                    /* nodes named so far */
  bool failed;
};

/* ---- nodes ----------------------------------------------------------------------------------- */

static int32_t value(struct net *n, int32_t rank, const int64_t *d) {
  const char *name = whet__arena_printf(&n->g->arena, "v%d", n->g->n_val);
  int32_t v = name ? whet__graph_val(n->g, name) : -1;
  if (v < 0) return n->failed = true, -1;
  n->g->val[v].dtype = WHET_F32;
  n->g->val[v].shape.rank = rank + 1;
  n->g->val[v].shape.d[0] = n->g->val[n->g->main.in[0]].shape.d[0];
  for (int32_t i = 0; i < rank; i++) n->g->val[v].shape.d[i + 1] = d[i];
  return v;
}

/* Append a node whose output has n->d's shape; the net goes on from there. */
static void node(struct net *n, const char *op, const void *attr, const int32_t *in, int n_in) {
  const whet_op *o = whet__op_find(op);
  void *copy = o->attr_size ? whet__arena_alloc(&n->g->arena, o->attr_size) : NULL;
  int32_t out = value(n, n->rank, n->d);
  if (copy && attr) memcpy(copy, attr, o->attr_size);
  if ((o->attr_size && !copy) || out < 0) {
    n->failed = true;
    return;
  }
  int32_t id = whet__graph_node(n->g, &n->g->main, o, copy, in, n_in, &out, 1);
  const char *name = whet__arena_printf(&n->g->arena, "%s_%d", op, ++n->n);
  if (id < 0 || !name) {
    n->failed = true;
    return;
  }
  n->g->node[id].name = name;
  n->v = out;
}

/* A constant of count numbers: drawn with `spread` (0: all `start`), normal or uniform. */
static int32_t weights(struct net *n, const char *what, int32_t rank, const int64_t *d, float start, double spread, bool normal) {
  const char *name = whet__arena_printf(&n->g->arena, "%s_%d", what, n->n + 1);
  int32_t v = name ? whet__graph_const_copy(n->g, name, WHET_F32, rank, d, NULL) : -1;
  if (v < 0) return n->failed = true, -1;
  float *p = (float *)(uintptr_t)n->g->val[v].data->p;
  int64_t count = whet__shape_count(&n->g->val[v].shape);
  n->drawn++;
  for (int64_t i = 0; i < count; i++) {
    uint32_t r[4];
    whet__rng_block(n->seed, WHET_DRAW_WEIGHTS << 8, n->drawn << 40 | (uint64_t)i, r);
    double u = (double)whet__rng_unit(r[0]), w = (double)whet__rng_unit(r[1]);
    double x = normal ? sqrt(-2 * log(1 - u)) * cos(6.283185307179586 * w) : 2 * u - 1;
    p[i] = spread > 0 ? (float)(spread * x) : start;
  }
  return v;
}
static int32_t products(struct net *n, int32_t rank, const int64_t *d, int64_t in, int64_t out, const char *activation) {
  bool relu = activation && (!strncmp(activation, "relu", 4) || !strcmp(activation, "hard_swish") || !strcmp(activation, "swish") ||
                             !strcmp(activation, "gelu"));
  return weights(n, "weights", rank, d, 0, relu ? sqrt(2.0 / (double)in) : sqrt(6.0 / (double)(in + out)), relu);
}
static int32_t filled(struct net *n, const char *what, int64_t count, float x) { return weights(n, what, 1, &count, x, 0, false); }

static whet_status refuse(struct net *n, const whet_layer *l, const char *text) {
  return whet__fail(n->err, WHET_E_SHAPE, "%s: %s", l->where ? l->where : "layers", text);
}

/* ---- activations ------------------------------------------------------------------------------ */

static const struct {
  const char *name, *op;
  float a, b;
} k_activations[] = {{"relu", "Relu", 0, 0},          {"relu6", "Clip", 0, 6},       {"sigmoid", "Sigmoid", 0, 0}, {"tanh", "Tanh", 0, 0},
                     {"softmax", "Softmax", 0, 0},    {"gelu", "Gelu", 0, 0},        {"hard_swish", "HardSwish", 0, 0},
                     {"swish", "Swish", 1, 0},        {"elu", "Elu", 1, 0},          {"leaky_relu", "LeakyRelu", 0.01f, 0}};

bool whet__layer_activation(const char *name) {
  for (size_t i = 0; i < WHET_COUNT(k_activations); i++)
    if (!strcmp(k_activations[i].name, name)) return true;
  return false;
}

static whet_status activate(struct net *n, const whet_layer *l) {
  for (size_t i = 0; l->activation && i < WHET_COUNT(k_activations); i++) {
    if (strcmp(k_activations[i].name, l->activation)) continue;
    const whet_unary_attr two = {k_activations[i].a, k_activations[i].b};
    const whet_softmax_attr soft = {.axis = -1, .beta = 1};
    bool is_soft = !strcmp(l->activation, "softmax");
    node(n, k_activations[i].op, is_soft ? (const void *)&soft : &two, &n->v, 1);
    return WHET_OK;
  }
  return l->activation ? whet__fail(n->err, WHET_E_NAME, "%s: no activation is called \"%.40s\"", l->where ? l->where : "layers", l->activation)
                       : WHET_OK;
}

/* ---- layers ---------------------------------------------------------------------------------- */

static void flatten(struct net *n) {
  int64_t count = 1;
  const int64_t two = 2;
  for (int32_t i = 0; i < n->rank; i++) count *= n->d[i];
  if (n->rank == 1) return;
  const int64_t dims[2] = {-1, count};
  const whet_reshape as = {0};
  int32_t in[2] = {n->v, whet__graph_const_copy(n->g, "shape", WHET_S64, 1, &two, dims)};
  n->rank = 1;
  n->d[0] = count;
  n->failed |= in[1] < 0;
  node(n, "Reshape", &as, in, 2);
}

static void dense(struct net *n, const whet_layer *l) {
  flatten(n);
  const whet_dense a = {.kn = 1};
  const int64_t d[2] = {n->d[0], l->units};
  int32_t in[3] = {n->v, products(n, 2, d, d[0], d[1], l->activation), filled(n, "bias", l->units, 0)};
  n->d[0] = l->units;
  node(n, "Dense", &a, in, 3);
}

static void batch_norm(struct net *n) {
  int64_t c = n->d[n->rank - 1];
  const whet_batchnorm_attr a = {.epsilon = 1e-3f, .momentum = 0.9f, .last = true};
  int32_t in[5] = {n->v, filled(n, "scale", c, 1), filled(n, "offset", c, 0), filled(n, "mean", c, 0), filled(n, "variance", c, 1)};
  node(n, "BatchNormalization", &a, in, 5);
}

/* Numbers that live as long as the graph. */
static whet_ints list(struct net *n, int64_t a, int64_t b) {
  const int64_t v[2] = {a, b};
  whet_ints l = {whet__arena_copy(&n->g->arena, v, sizeof v), 2};
  n->failed |= !l.v;
  return l;
}

static whet_status convolve(struct net *n, const whet_layer *l) {
  if (n->rank == 2) { /* a picture of one channel */
    const int64_t four = 4, dims[4] = {-1, n->d[0], n->d[1], 1};
    const whet_reshape as = {0};
    int32_t in[2] = {n->v, whet__graph_const_copy(n->g, "shape", WHET_S64, 1, &four, dims)};
    n->d[n->rank++] = 1;
    node(n, "Reshape", &as, in, 2);
  }
  if (n->rank != 3) return refuse(n, l, "a convolution wants a picture: height, width, channels");
  bool deep = l->kind == WHET_LAYER_DEPTHWISE;
  int64_t c = n->d[2], out = deep ? c : l->units, stride = l->stride ? l->stride : 1;
  whet_conv_attr a = {.last = 1, .pad_mode = WHET_CONV_SAME_UPPER, .weights = deep ? WHET_CONV_1SO : WHET_CONV_OSI};
  a.strides = list(n, stride, stride);
  const int64_t dw[4] = {1, l->kernel[0], l->kernel[1], c}, w[4] = {out, l->kernel[0], l->kernel[1], c};
  int64_t taps = l->kernel[0] * l->kernel[1];
  int32_t in[3] = {n->v, products(n, 4, deep ? dw : w, taps * (deep ? 1 : c), taps * (deep ? 1 : out), l->activation), -1};
  if (!l->norm) in[2] = filled(n, "bias", out, 0);
  n->d[0] = whet__ceil_div(n->d[0], stride);
  n->d[1] = whet__ceil_div(n->d[1], stride);
  n->d[2] = out;
  node(n, "Conv", &a, in, l->norm ? 2 : 3);
  return WHET_OK;
}

static whet_status pool(struct net *n, const whet_layer *l) {
  if (n->rank != 3) return refuse(n, l, "pooling wants a picture: height, width, channels");
  const char *op = l->kind == WHET_LAYER_MAX_POOL ? "MaxPool" : "AveragePool";
  if (!l->kernel[0]) {
    const whet_pool_attr all = {.global = true, .last = true};
    n->d[0] = n->d[1] = 1;
    node(n, op, &all, &n->v, 1);
    flatten(n);
    return WHET_OK;
  }
  int64_t stride = l->stride ? l->stride : l->kernel[0];
  whet_pool_attr a = {.last = true, .pad_mode = WHET_POOL_SAME_UPPER, .p = 2};
  a.kernel = list(n, l->kernel[0], l->kernel[1]);
  a.strides = list(n, stride, stride);
  n->d[0] = whet__ceil_div(n->d[0], stride);
  n->d[1] = whet__ceil_div(n->d[1], stride);
  node(n, op, &a, &n->v, 1);
  return WHET_OK;
}

static whet_status recurrent(struct net *n, const whet_layer *l) {
  bool lstm = l->kind == WHET_LAYER_LSTM;
  if (n->rank == 3 && n->d[2] == 1) { /* a picture's rows are steps */
    const int64_t three = 3, dims[3] = {-1, n->d[0], n->d[1]};
    const whet_reshape as = {0};
    int32_t in[2] = {n->v, whet__graph_const_copy(n->g, "shape", WHET_S64, 1, &three, dims)};
    n->rank = 2;
    node(n, "Reshape", &as, in, 2);
  }
  if (n->rank != 2) return refuse(n, l, "a recurrent layer wants steps of numbers: two dimensions");
  int64_t gates = lstm ? 4 : 3, rows = gates * l->units, in_n = n->d[1];
  whet_rnn a = {.hidden = (int32_t)l->units, .dirs = 1, .act = {RNN_SIGMOID, RNN_TANH, lstm ? RNN_TANH : 0}, .reset_after = !lstm};
  static const int64_t perm[3] = {1, 0, 2};
  const whet_transpose turn = {.perm = {perm, 3}};
  const int64_t w[3] = {1, rows, in_n}, r[3] = {1, rows, l->units}, b[2] = {1, 2 * rows};
  node(n, "Transpose", &turn, &n->v, 1);
  int32_t in[4] = {n->v, products(n, 3, w, in_n, l->units, NULL), products(n, 3, r, l->units, l->units, NULL),
                   weights(n, "bias", 2, b, 0, 0, false)};
  /* The last state, [1, batch, units], is output 1. */
  const whet_op *op = whet__op_find(lstm ? "LSTM" : "GRU");
  whet_rnn *attr = whet__arena_copy(&n->g->arena, &a, sizeof a);
  int32_t out[2] = {-1, whet__graph_val(n->g, NULL)};
  if (!attr || out[1] < 0) return n->failed = true, WHET_OK;
  n->g->val[out[1]].dtype = WHET_F32;
  int32_t id = whet__graph_node(n->g, &n->g->main, op, attr, in, 4, out, 2);
  n->failed |= id < 0;
  if (id >= 0) n->g->node[id].name = whet__arena_printf(&n->g->arena, "%s_%d", lstm ? "lstm" : "gru", ++n->n);
  const int64_t two = 2, dims[2] = {-1, l->units};
  const whet_reshape as = {0};
  int32_t to[2] = {out[1], whet__graph_const_copy(n->g, "shape", WHET_S64, 1, &two, dims)};
  n->rank = 1;
  n->d[0] = l->units;
  node(n, "Reshape", &as, to, 2);
  return WHET_OK;
}

static whet_status layers(struct net *n, const whet_layer *l, int count);

static whet_status residual(struct net *n, const whet_layer *l) {
  int32_t start = n->v, rank = n->rank;
  int64_t d[WHET_MAX_RANK];
  memcpy(d, n->d, sizeof d);
  WHET_TRY(layers(n, l->inner, l->n_inner));
  int32_t end = n->v;
  if (n->rank != rank || (rank != 3 && n->d[0] != d[0])) return refuse(n, l,
      "the block changes the shape of its input otherwise than by channels and stride");
  bool same = !memcmp(n->d, d, (size_t)rank * sizeof *d);
  if (!same) {
    int64_t stride = whet__ceil_div(d[0], whet__max_i(n->d[0], 1));
    whet_layer way = {.kind = WHET_LAYER_CONV, .units = n->d[2], .kernel = {1, 1}, .stride = stride, .norm = true, .where = l->where};
    int64_t made[3] = {n->d[0], n->d[1], n->d[2]};
    n->v = start;
    memcpy(n->d, d, sizeof d);
    WHET_TRY(convolve(n, &way));
    if (memcmp(made, n->d, sizeof made)) return refuse(n, l, "the block's height and width are not its input's by a stride");
    batch_norm(n);
    start = n->v;
  }
  int32_t in[2] = {end, start};
  node(n, "Add", NULL, in, 2);
  return WHET_OK;
}

static whet_status layer(struct net *n, const whet_layer *l) {
  switch (l->kind) {
    case WHET_LAYER_DENSE:
      dense(n, l);
      break;
    case WHET_LAYER_CONV:
    case WHET_LAYER_DEPTHWISE:
      WHET_TRY(convolve(n, l));
      break;
    case WHET_LAYER_MAX_POOL:
    case WHET_LAYER_MEAN_POOL:
      WHET_TRY(pool(n, l));
      break;
    case WHET_LAYER_FLATTEN:
      flatten(n);
      break;
    case WHET_LAYER_RESIDUAL:
      WHET_TRY(residual(n, l));
      break;
    case WHET_LAYER_LSTM:
    case WHET_LAYER_GRU:
      WHET_TRY(recurrent(n, l));
      break;
    case WHET_LAYER_NORM: {
      const whet_layernorm_attr a = {.axis = -1, .epsilon = 1e-5f, .stash = WHET_F32};
      int64_t c = n->d[n->rank - 1];
      int32_t in[3] = {n->v, filled(n, "scale", c, 1), filled(n, "offset", c, 0)};
      node(n, "LayerNormalization", &a, in, 3);
      break;
    }
    default:
      break;
  }
  if (l->norm) batch_norm(n);
  return activate(n, l);
}

static whet_status layers(struct net *n, const whet_layer *l, int count) {
  for (int i = 0; i < count; i++) WHET_TRY(layer(n, &l[i]));
  return n->failed ? whet__no_memory(n->g->mem, 0, n->err, "the layers") : WHET_OK;
}

whet_status whet__layers_build(const whet_layer *l, int count, int32_t rank, const int64_t *dims, uint64_t seed, whet_model **out, whet_err *err) {
  whet_model_opts o = whet_model_opts_default();
  *out = NULL;
  if (rank < 1 || rank > 3) return whet__fail(err, WHET_E_SHAPE, "an item of %d dimensions; nets take 1 to 3", rank);
  whet_model *m = whet__model_new(&o, err);
  if (!m) return err ? err->code : WHET_E_MEMORY;
  struct net n = {.g = &m->graph, .err = err, .seed = seed, .rank = rank};
  memcpy(n.d, dims, (size_t)rank * sizeof *dims);
  whet_region *r = &m->graph.main;
  r->in = whet__arena_array(&m->graph.arena, 2, sizeof *r->in);
  r->out = r->in ? r->in + 1 : NULL;
  n.v = whet__graph_val(&m->graph, "input");
  whet_status s = !r->in || n.v < 0 ? whet__no_memory(&m->mem, 0, err, "a model") : WHET_OK;
  if (!s) {
    whet_val *x = &m->graph.val[n.v];
    x->role = WHET_ROLE_INPUT;
    x->dtype = WHET_F32;
    x->shape.rank = rank + 1;
    x->shape.d[0] = whet__graph_symbol(&m->graph, "batch");
    memcpy(m->graph.val[n.v].shape.d + 1, dims, (size_t)rank * sizeof *dims);
    r->in[0] = n.v;
    r->n_in = 1;
    s = layers(&n, l, count);
  }
  if (!s) {
    r->out[0] = n.v;
    r->n_out = 1;
    m->graph.val[n.v].name = "output";
    s = whet__graph_verify(&m->graph, err);
  }
  if (s)
    whet_model_close(&m);
  else
    *out = m;
  return s;
}
