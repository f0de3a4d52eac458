/* SPDX-License-Identifier: Apache-2.0 */
/* Gives graphs of QuantizeLinear (Q) and DequantizeLinear (DQ) their integer meaning. Always runs: this is what such
 * a graph means here, not an optimisation.
 *
 *   Reinterpret ─▶ Reinterpret            one view, or none when it leads back to the same parameters
 *   DQ ─▶ move ─▶ float                   move on stored numbers ─▶ DQ            (moves: no arithmetic; MaxPool and
 *                                                                                 nearest Resize too)
 *   float ─▶ move ─▶ Q                    Q ─▶ move on stored numbers
 *   DQ ─▶ Q                               Q from stored numbers to stored numbers, or nothing
 *   DQ ─▶ op ─▶ Q                         op on stored numbers, round ONNX_REAL
 *   DQ ─▶ op ─▶ Relu or Clip ─▶ Q         op ─▶ Relu or Clip, on stored numbers of the last Q
 *
 * The first four are exact. An island of Conv, ConvTranspose, Gemm, MatMul, Add, Sub, Mul, AveragePool differs from the float nodes
 * by at most one step of the output, and only near a tie: see docs of WHET_ROUND_ONNX_REAL. Islands take 8-bit
 * activations with one scale each; weights may have a scale for each output. Biases become int32 in units of the
 * input's scale times the weight's. */

#include <math.h>

#include "base/dtype.h"
#include "op/binary.h"
#include "op/conv.h"
#include "op/dense.h"
#include "op/pool.h"
#include "op/quantize.h"
#include "op/resize.h"
#include "op/unary.h"
#include "pass/pass.h"

/* One region while it is rewritten. Arrays are indexed by value; room is left for values that the pass makes. */
typedef struct islands {
  whet_pass *p;
  whet_graph *g;
  whet_region *r;
  int32_t *maker; /* node, or -1 */
  int32_t *uses;  /* by nodes and as output */
  int32_t *user;  /* the last node that uses it */
  int32_t n;      /* entries of the arrays */
  bool failed;    /* memory was refused */
} islands;

/* ---- looking ---------------------------------------------------------------------------------- */

static const whet_op *op_named(const char *name) { return whet__op_find(name); }

static bool is_byte(const whet_val *v) { return v->dtype == WHET_S8 || v->dtype == WHET_U8; }

/* 8 bits wide, one scale. */
static bool is_q8(const whet_graph *g, int32_t v) {
  return is_byte(&g->val[v]) && g->val[v].q && g->val[v].q->n == 1;
}

/* The same numbers with the same meaning? */
static bool same_quant(const whet_graph *g, int32_t a, int32_t b) {
  const whet_val *x = &g->val[a], *y = &g->val[b];
  if (x->q == y->q) return x->dtype == y->dtype;
  if (!x->q || !y->q || x->dtype != y->dtype || x->q->n != y->q->n || x->q->axis != y->q->axis ||
      x->q->block != y->q->block)
    return false;
  size_t n = (size_t)x->q->n * 4;
  return !memcmp(x->q->scale, y->q->scale, n) && !memcmp(x->q->zero, y->q->zero, n);
}

/* A node of this kind whose parameters stand on its value. */
static bool is_linear(const whet_node *n, const char *name) {
  return whet__is_op(n, name) && n->n_in == 1 && n->round == WHET_ROUND_ONNX_REAL;
}

/* The DQ that makes value v, or NULL. */
static const whet_node *dq_of(const islands *s, int32_t v) {
  int32_t m = v >= 0 ? s->maker[v] : -1;
  if (m < 0 || !is_linear(&s->g->node[m], "DequantizeLinear")) return NULL;
  const whet_node *n = &s->g->node[m];
  return ((const whet_quantize_attr *)n->attr)->dtype == WHET_F32 ? n : NULL;
}
/* Stored numbers of 8 bits and one scale behind v, or -1. */
static int32_t stored(const islands *s, int32_t v) {
  const whet_node *n = dq_of(s, v);
  return n && is_q8(s->g, n->in[0]) ? n->in[0] : -1;
}
/* The only user of v if that is a Q to 8 bits and one scale, or NULL. */
static whet_node *only_q(const islands *s, int32_t v) {
  if (s->uses[v] != 1 || s->user[v] < 0) return NULL;
  whet_node *n = &s->g->node[s->user[v]];
  return is_linear(n, "QuantizeLinear") && is_q8(s->g, n->out[0]) ? n : NULL;
}

static void count_region(islands *s, const whet_region *r) {
  for (int32_t i = 0; i < r->n_out; i++) s->uses[r->out[i]]++;
  for (int32_t i = 0; i < r->n_node; i++) {
    const whet_node *n = &s->g->node[r->node[i]];
    for (int k = 0; k < n->n_out; k++)
      if (n->out[k] >= 0) s->maker[n->out[k]] = r->node[i];
    for (int k = 0; k < n->n_in; k++)
      if (n->in[k] >= 0) s->uses[n->in[k]]++, s->user[n->in[k]] = r->node[i];
    for (int b = 0; b < n->n_body; b++) count_region(s, n->body[b]);
  }
}

/* Makers and uses of the whole graph, anew. */
static bool look(islands *s) {
  s->n = s->g->n_val + 4 * s->r->n_node + 16;
  s->maker = whet__arena_array(&s->p->a, (size_t)s->n, sizeof *s->maker);
  s->uses = whet__arena_array(&s->p->a, (size_t)s->n, sizeof *s->uses);
  s->user = whet__arena_array(&s->p->a, (size_t)s->n, sizeof *s->user);
  if (!s->maker || !s->uses || !s->user) return false;
  for (int32_t i = 0; i < s->n; i++) s->maker[i] = s->user[i] = -1;
  count_region(s, &s->g->main);
  return true;
}

/* ---- changing --------------------------------------------------------------------------------- */

/* A new value like v's numbers: type and quantisation of `like`. */
static int32_t new_like(islands *s, int32_t like) {
  int32_t v = s->g->n_val < s->n ? whet__graph_val(s->g, NULL) : -1;
  if (v < 0) {
    s->failed = true;
    return -1;
  }
  s->g->val[v].dtype = s->g->val[like].dtype;
  s->g->val[v].q = s->g->val[like].q;
  return v;
}

/* A node at position `at` of the region, between two values. */
static void insert(islands *s, int32_t at, const whet_op *op, const void *attr, int32_t in, int32_t out) {
  if (s->failed) return;
  int32_t n = whet__graph_node(s->g, NULL, op, attr, &in, 1, &out, 1);
  if (n < 0 || !whet__region_insert(s->g, s->r, at, n)) {
    s->failed = true;
    return;
  }
  s->g->node[n].round = WHET_ROUND_ONNX_REAL;
  s->maker[out] = n;
}

/* Attributes of an inserted Q or DQ. */
static const void *linear_attr(islands *s, whet_dtype t) {
  whet_quantize_attr *a = whet__arena_alloc(&s->g->arena, sizeof *a);
  if (!a) s->failed = true;
  if (a) a->dtype = (uint8_t)t;
  return a;
}

/* Let node n make what q makes. q then makes a value that nobody uses, and is cleaned away; but where the caller
 * wants the float value `was` that there was before q, q becomes the DQ that gives it. */
static void take_over(islands *s, whet_node *n, int k, whet_node *q, int32_t was) {
  int32_t out = q->out[0], none = new_like(s, out);
  if (s->failed) return;
  n->out[k] = out;
  s->maker[out] = (int32_t)(n - s->g->node);
  q->out[0] = none;
  if (s->g->val[was].flags & WHET_VAL_KEEP) {
    q->op = op_named("DequantizeLinear");
    q->attr = linear_attr(s, WHET_F32);
    q->in[0] = out;
    q->out[0] = was;
  }
  s->maker[q->out[0]] = (int32_t)(q - s->g->node);
}

/* ---- views ------------------------------------------------------------------------------------ */

/* Reinterprets: of a constant becomes a constant, of another Reinterpret becomes one, back to the same parameters
 * none. */
static whet_status views(whet_pass *p, whet_region *r) {
  islands s = {.p = p, .g = p->g, .r = r};
  if (!look(&s)) return whet__pass_full(p);
  for (int32_t i = 0; i < r->n_node; i++) {
    whet_node *n = &p->g->node[r->node[i]];
    if (!whet__is_op(n, "Reinterpret")) continue;
    int32_t m = s.maker[n->in[0]];
    if (m >= 0 && whet__is_op(&p->g->node[m], "Reinterpret") && p->g->node[m].in[0] != n->in[0]) {
      n->in[0] = p->g->node[m].in[0];
    }
    whet_val *x = &p->g->val[n->in[0]], *y = &p->g->val[n->out[0]];
    if (!y->dtype) y->dtype = x->dtype;
    if (x->role == WHET_ROLE_CONST) {
      y->role = WHET_ROLE_CONST;
      y->dtype = x->dtype;
      y->shape = x->shape;
      y->data = x->data;
      whet__region_remove(p->g, r, i--);
      p->changed = true;
    } else if (same_quant(p->g, n->in[0], n->out[0]) && !(y->flags & WHET_VAL_KEEP)) {
      whet__graph_replace(p->g, n->out[0], n->in[0]);
      whet__region_remove(p->g, r, i--);
      p->changed = true;
    }
  }
  return WHET_OK;
}

/* ---- moves ------------------------------------------------------------------------------------ */

/* Which inputs of a node are moved without arithmetic: 1 for the first, -1 for all, 0 for none. */
static int moved(const whet_node *n) {
  static const char *const names[] = {"DepthToSpace", "Expand",       "Flatten", "Gather",       "Identity",
                                      "MaxPool",      "Reshape",      "Slice",   "SpaceToDepth", "Split",
                                      "Squeeze",      "StridedSlice", "Tile",    "Transpose",    "Unsqueeze"};
  if (whet__is_op(n, "Concat")) return -1;
  if (whet__is_op(n, "Resize")) {
    const whet_resize_attr *a = n->attr;
    return a->mode == WHET_RESIZE_NEAREST && a->place != WHET_RESIZE_CROP;
  }
  for (size_t i = 0; i < WHET_COUNT(names); i++)
    if (whet__is_op(n, names[i])) return n->n_out == 1 || whet__is_op(n, "Split") || (n->n_out > 1 && n->out[1] < 0);
  return 0;
}

/* DQ ─▶ move: move the stored numbers, then dequantise. All moved inputs must have one meaning. */
static void sink(islands *s, int32_t i) {
  whet_node *n = &s->g->node[s->r->node[i]];
  int m = moved(n), many = m < 0 ? n->n_in : m;
  int32_t first = -1;
  for (int k = 0; k < many; k++) {
    int32_t x = n->in[k] >= 0 ? stored(s, n->in[k]) : -1;
    if (x < 0 || (first >= 0 && !same_quant(s->g, x, first))) return;
    first = x;
  }
  if (first < 0) return;
  const void *attr = linear_attr(s, WHET_F32);
  int32_t id = s->r->node[i];
  for (int k = 0; k < many && !s->failed; k++) n->in[k] = s->g->node[s->maker[n->in[k]]].in[0];
  for (int k = 0; k < s->g->node[id].n_out && !s->failed; k++) {
    int32_t y = s->g->node[id].out[k], v = y < 0 ? -1 : new_like(s, first);
    if (v < 0) continue;
    s->g->node[id].out[k] = v;
    s->maker[v] = id;
    insert(s, i + 1, op_named("DequantizeLinear"), attr, v, y);
  }
}

/* move ─▶ Q: quantise what is moved. Only for moves with one output. */
static void hoist(islands *s, int32_t i) {
  int32_t id = s->r->node[i];
  whet_node *n = &s->g->node[id];
  int m = moved(n), many = m < 0 ? n->n_in : m;
  if (!many || n->n_out < 1 || (n->n_out > 1 && whet__is_op(n, "Split"))) return;
  whet_node *q = only_q(s, n->out[0]);
  if (!q) return;
  int32_t qid = (int32_t)(q - s->g->node);
  int64_t at = q->out[0];
  const void *attr = q->attr;
  for (int k = 0; k < many && !s->failed; k++) {
    int32_t v = new_like(s, (int32_t)at);
    if (v < 0) return;
    int32_t x = s->g->node[id].in[k];
    insert(s, i++, op_named("QuantizeLinear"), attr, x, v);
    s->user[x] = s->maker[v];
    s->g->node[id].in[k] = v;
    s->uses[v] = 1;
    s->user[v] = id;
  }
  if (s->failed) return;
  q = &s->g->node[qid];
  int32_t was = q->in[0];
  q->in[0] = s->g->node[s->maker[s->g->node[id].in[0]]].in[0];
  take_over(s, &s->g->node[id], 0, q, was);
}

/* DQ ─▶ Q. */
static void join(islands *s, whet_node *q) {
  if (!is_linear(q, "QuantizeLinear") || !is_q8(s->g, q->out[0])) return;
  int32_t x = stored(s, q->in[0]);
  if (x < 0) return;
  q->in[0] = x;
  if (!same_quant(s->g, x, q->out[0])) return;
  q->op = op_named("Identity");
  q->attr = NULL;
  q->round = WHET_ROUND_NONE;
}

/* ---- operators -------------------------------------------------------------------------------- */

/* A bias as int32 in units of sx * sw: value number, -1: the node has none, -2: that cannot be. w: quantisation of
 * the weights, n: outputs. */
static int32_t bias_of(islands *s, int32_t b, float sx, const whet_quant *w, int64_t n) {
  if (b < 0) return -1;
  const whet_node *dq = dq_of(s, b);
  int32_t from = dq ? dq->in[0] : b;
  const whet_val *v = &s->g->val[from];
  const whet_data *d = whet__pass_const(s->p, from);
  if (!d || v->dtype != (dq ? WHET_S32 : WHET_F32) || whet__shape_count(&v->shape) != n) return -2;
  if (v->shape.rank > 1 && v->shape.d[v->shape.rank - 1] != n) return -2;
  if (dq && v->q->n != 1 && v->q->n != n) return -2;
  int32_t *out = whet__arena_array(&s->p->a, (size_t)n, sizeof *out);
  bool same = dq && v->shape.rank == 1;
  if (!out) {
    s->failed = true;
    return -2;
  }
  for (int64_t i = 0; i < n; i++) {
    double unit = (double)(sx * w->scale[w->n > 1 ? i : 0]), real;
    if (dq) {
      int32_t raw, zero = v->q->zero[v->q->n > 1 ? i : 0];
      double scale = (double)v->q->scale[v->q->n > 1 ? i : 0];
      memcpy(&raw, (const char *)d->p + i * 4, 4); /* it may lie anywhere in a file */
      out[i] = raw;
      if (!zero && fabs(scale - unit) <= 1e-6 * unit) continue;
      real = ((double)raw - zero) * scale;
    } else {
      float f;
      memcpy(&f, (const char *)d->p + i * 4, 4);
      real = (double)f;
    }
    double k = rint(real / unit);
    if (!(fabs(k) < 2147483648.0)) return -2;
    same &= out[i] == (int32_t)k;
    out[i] = (int32_t)k;
  }
  if (same) return from;
  int64_t dims[1] = {n};
  int32_t c = s->g->n_val < s->n ? whet__graph_const_copy(s->g, NULL, WHET_S32, 1, dims, out) : -1;
  if (c < 0) s->failed = true;
  return c < 0 ? -2 : c;
}

/* Weights behind v: quantised numbers of up to 8 bits with one scale, or one for each index of `axis`. -1: none. */
static int32_t weights(const islands *s, int32_t v, int32_t axis, int64_t n) {
  const whet_node *dq = dq_of(s, v);
  if (!dq) return -1;
  const whet_val *w = &s->g->val[dq->in[0]];
  bool type = is_byte(w) || w->dtype == WHET_S4 || w->dtype == WHET_U4;
  if (!type || !w->q || w->q->block || (w->q->n != 1 && (w->q->n != n || w->q->axis != axis))) return -1;
  return dq->in[0];
}

/* What follows a node's float output: Q, or Relu or Clip and then Q. *act receives the node between, or NULL. */
static whet_node *end_of(const islands *s, int32_t v, whet_node **act) {
  *act = NULL;
  whet_node *q = only_q(s, v);
  if (q || s->uses[v] != 1 || s->user[v] < 0) return q;
  whet_node *a = &s->g->node[s->user[v]];
  if (!whet__is_op(a, "Relu") && !whet__is_op(a, "Clip")) return NULL;
  q = only_q(s, a->out[0]);
  if (q) *act = a;
  return q;
}

/* Let node n, whose inputs are stored numbers by now, make what q makes, through act. What was between n and act is
 * made no more. */
static void finish(islands *s, whet_node *n, whet_node *act, whet_node *q) {
  int32_t was = q->in[0];
  n->round = WHET_ROUND_ONNX_REAL;
  s->p->changed = true;
  if (act) {
    int32_t v = new_like(s, q->out[0]);
    if (v < 0) return;
    s->g->val[n->out[0]].flags &= (uint8_t)~WHET_VAL_KEEP;
    n->out[0] = act->in[0] = q->in[0] = v;
    s->maker[v] = (int32_t)(n - s->g->node);
    act->round = WHET_ROUND_ONNX_REAL;
    n = act;
  } else {
    q->in[0] = n->in[0]; /* some value that is made before; q is dead */
  }
  take_over(s, n, 0, q, was);
}

/* Conv, or ConvTranspose. */
static void conv(islands *s, whet_node *n, bool turned) {
  const whet_conv_attr *a = n->attr;
  whet_node *act, *q = end_of(s, n->out[0], &act);
  const whet_shape *w = &s->g->val[n->in[1]].shape;
  int32_t x = stored(s, n->in[0]), wq = -1, b = -1;
  if (!q || x < 0 || a->weights != (turned ? WHET_CONV_IOS : WHET_CONV_OIS)) return;
  const whet_node *dq = dq_of(s, n->in[1]);
  if (dq) w = &s->g->val[dq->in[0]].shape;
  if (w->rank < 2 || !whet__dim_known(w->d[turned])) return;
  int64_t groups = turned && a->group > 1 ? a->group : 1;
  if ((wq = weights(s, n->in[1], turned, w->d[turned])) < 0 || (groups > 1 && s->g->val[wq].q->n > 1)) return;
  if (n->n_in > 2) b = bias_of(s, n->in[2], s->g->val[x].q->scale[0], s->g->val[wq].q, groups * w->d[turned]);
  if (b == -2 || s->failed) return;
  n->in[0] = x;
  n->in[1] = wq;
  if (n->n_in > 2) n->in[2] = b;
  finish(s, n, act, q);
}

/* Make node n Dense on stored numbers. */
static void dense(islands *s, whet_node *n, bool kn, int32_t x, int32_t w, int32_t b, whet_node *act, whet_node *q) {
  whet_dense *a = whet__arena_alloc(&s->g->arena, sizeof *a);
  int32_t *in = whet__arena_array(&s->g->arena, 3, sizeof *in);
  if (!a || !in) {
    s->failed = true;
    return;
  }
  a->kn = kn;
  in[0] = x, in[1] = w, in[2] = b;
  n->op = op_named("Dense");
  n->attr = a;
  n->in = in;
  n->n_in = 3;
  finish(s, n, act, q);
}

static void gemm(islands *s, whet_node *n) {
  const whet_gemm *a = n->attr;
  whet_node *act, *q = end_of(s, n->out[0], &act);
  int32_t x = stored(s, n->in[0]), b = -1;
  const whet_node *dq = dq_of(s, n->in[1]);
  if (!q || !dq || x < 0 || a->alpha != 1 || a->trans_a || (n->n_in > 2 && n->in[2] >= 0 && a->beta != 1)) return;
  const whet_shape *w = &s->g->val[dq->in[0]].shape;
  int32_t axis = a->trans_b ? 0 : 1;
  if (w->rank != 2 || !whet__dim_known(w->d[axis]) || weights(s, n->in[1], axis, w->d[axis]) < 0) return;
  if (n->n_in > 2) b = bias_of(s, n->in[2], s->g->val[x].q->scale[0], s->g->val[dq->in[0]].q, w->d[axis]);
  if (b == -2 || s->failed) return;
  dense(s, n, !a->trans_b, x, dq->in[0], b, act, q);
}

/* MatMul with weights, perhaps with a bias added; products of two activations stay float. */
static void matmul(islands *s, whet_node *n) {
  const whet_matmul *a = n->attr;
  int32_t x = stored(s, n->in[0]), b = -1, y = n->out[0];
  const whet_node *dq = dq_of(s, n->in[1]);
  if (!dq || x < 0 || a->alpha != 1 || a->trans_a || !whet__pass_const(s->p, dq->in[0])) return;
  const whet_shape *w = &s->g->val[dq->in[0]].shape, *xs = &s->p->env->shape[n->in[0]];
  int32_t axis = a->trans_b ? 0 : 1;
  if (w->rank != 2 || xs->rank < 2 || weights(s, n->in[1], axis, w->d[axis]) < 0) return;
  whet_node *act, *q = end_of(s, y, &act), *add = NULL;
  if (!q && s->uses[y] == 1 && s->user[y] >= 0) {
    add = &s->g->node[s->user[y]];
    if (!whet__is_op(add, "Add") || !(q = end_of(s, add->out[0], &act))) return;
    b = bias_of(s, add->in[add->in[0] == y], s->g->val[x].q->scale[0], s->g->val[dq->in[0]].q, w->d[axis]);
    if (b < 0) return;
  }
  if (!q || s->failed) return;
  if (add) { /* the Add is dead from here on: it adds something to itself */
    int32_t dead = new_like(s, y);
    if (dead < 0) return;
    n->out[0] = add->out[0];
    add->out[0] = dead;
    for (int k = 0; k < 2; k++) add->in[k] = n->in[0];
  }
  dense(s, n, !a->trans_b, x, dq->in[0], b, act, q);
}

/* Operators whose inputs are all activations. */
static void pointwise(islands *s, whet_node *n, int many) {
  whet_node *act, *q = end_of(s, n->out[0], &act);
  int32_t x[2] = {-1, -1};
  if (!q || (act && many == 1)) return;
  for (int k = 0; k < many; k++)
    if ((x[k] = stored(s, n->in[k])) < 0) return;
  for (int k = 0; k < many; k++) n->in[k] = x[k];
  finish(s, n, act, q);
}

static void average(islands *s, whet_node *n) {
  whet_node *q = only_q(s, n->out[0]);
  int32_t x = stored(s, n->in[0]);
  if (!q || x < 0 || s->g->val[x].dtype != s->g->val[q->out[0]].dtype) return;
  n->in[0] = x;
  finish(s, n, NULL, q);
}

static void island(islands *s, whet_node *n) {
  const whet_unary_row *u;
  const whet_binary_row *b;
  if (n->n_out < 1 || n->out[0] < 0 || n->n_in < 1 || n->in[0] < 0 || n->n_body) return;
  if (whet__is_op(n, "Conv") || whet__is_op(n, "ConvTranspose"))
    conv(s, n, whet__is_op(n, "ConvTranspose"));
  else if (whet__is_op(n, "Gemm"))
    gemm(s, n);
  else if (whet__is_op(n, "MatMul"))
    matmul(s, n);
  else if (whet__is_op(n, "AveragePool"))
    average(s, n);
  else if ((u = whet__unary_row(n->op)) && !u->to_bool)
    pointwise(s, n, 1);
  else if ((b = whet__binary_row(n->op)) && b->kind == WHET_BINARY_SAME && n->in[1] >= 0)
    pointwise(s, n, 2);
}

static whet_status rewrite(whet_pass *p, whet_region *r) {
  islands s = {.p = p, .g = p->g, .r = r};
  bool any = false;
  for (int32_t i = 0; i < r->n_node; i++)
    any |= is_linear(&p->g->node[r->node[i]], "QuantizeLinear") ||
           is_linear(&p->g->node[r->node[i]], "DequantizeLinear");
  if (!any) return WHET_OK;
  if (!look(&s)) return whet__pass_full(p);
  for (int32_t i = 0; i < r->n_node && !s.failed; i++) sink(&s, i);
  if (s.failed || !look(&s)) return whet__pass_full(p);
  for (int32_t i = r->n_node - 1; i >= 0 && !s.failed; i--) hoist(&s, i);
  if (s.failed || !look(&s)) return whet__pass_full(p);
  for (int32_t i = 0; i < r->n_node && !s.failed; i++) join(&s, &p->g->node[r->node[i]]);
  for (int32_t i = 0; i < r->n_node && !s.failed; i++) island(&s, &p->g->node[r->node[i]]);
  return s.failed ? whet__pass_full(p) : WHET_OK;
}

whet_status whet__pass_qdq_islands(whet_pass *p) {
  WHET_TRY(whet__pass_regions(p, views));
  WHET_TRY(whet__pass_env(p));
  return whet__pass_regions(p, rewrite);
}
