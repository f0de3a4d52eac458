/* SPDX-License-Identifier: Apache-2.0 */
/* Writing TFLite models: tensors, buffers, operators, signatures, metadata. Operators' options: tflite_ops.c. */

#include "base/dtype.h"
#include "export/sparse.h"
#include "export/tflite.h"

/* BEYOND_OLD stands in the field that old readers know for every code that does not fit there. */
enum { SCHEMA = 3, ALIGN = 16, CUSTOM = 32, BEYOND_OLD = 127, SPARSE_DENSE = 8 /* version of FULLY_CONNECTED */ };

static bool push(whet_tfl_out *o, uint32_t **list, size_t *n, size_t *cap, uint32_t v) {
  if (!whet__grow(o->b.mem, (void **)list, cap, *n + 1, sizeof **list)) return o->x.failed = true, false;
  (*list)[(*n)++] = v;
  return true;
}

/* ---- tensors --------------------------------------------------------------------------------- */

/* A buffer of n bytes; its number. Buffer 0 is empty. */
static int32_t put_buffer(whet_tfl_out *o, const void *p, size_t n) {
  uint32_t data = n ? whet__fbo_vector(&o->b, p, n, 1, ALIGN) : 0;
  whet__fbo_begin(&o->b);
  whet__fbo_ref(&o->b, 0, data);
  push(o, &o->buffers, &o->n_buffer, &o->cap_buffer, whet__fbo_end(&o->b));
  return (int32_t)o->n_buffer - 1;
}

static uint32_t put_quant(whet_tfl_out *o, const whet_quant *q) {
  if (!q) return 0;
  int64_t *zero = whet__arena_array(&o->x.a, (size_t)q->n, sizeof *zero);
  if (!zero) return o->x.failed = true, 0u;
  for (int32_t i = 0; i < q->n; i++) zero[i] = q->zero ? q->zero[i] : 0;
  uint32_t zeros = whet__fbo_vector(&o->b, zero, (size_t)q->n, 8, 8);
  uint32_t scales = whet__fbo_vector(&o->b, q->scale, (size_t)q->n, 4, 4);
  whet__fbo_begin(&o->b);
  whet__fbo_ref(&o->b, 2, scales);
  whet__fbo_ref(&o->b, 3, zeros);
  if (q->n > 1) whet__fbo_int(&o->b, 6, 4, q->axis);
  return whet__fbo_end(&o->b);
}

/* Append a tensor; its number. sparsity: a place, 0: none. */
static int32_t put_tensor(whet_tfl_out *o, const char *name, whet_dtype t, const whet_shape *s, const whet_quant *q,
                          int32_t buffer, uint32_t sparsity) {
  int32_t dims[WHET_MAX_RANK], open[WHET_MAX_RANK], type = whet__tf_type(t);
  bool any_open = false;
  if (type < 0) return -1;
  for (int32_t i = 0; i < s->rank; i++) {
    bool known = whet__dim_known(s->d[i]);
    any_open |= !known;
    dims[i] = known ? (int32_t)s->d[i] : 1;
    open[i] = known ? (int32_t)s->d[i] : -1;
  }
  uint32_t label = whet__fbo_string(&o->b, name), quant = put_quant(o, q);
  size_t rank = s->rank < 0 ? 0 : (size_t)s->rank;
  uint32_t shape = whet__fbo_vector(&o->b, dims, rank, 4, 4);
  uint32_t signature = any_open ? whet__fbo_vector(&o->b, open, rank, 4, 4) : 0;
  whet__fbo_begin(&o->b);
  whet__fbo_ref(&o->b, 0, shape);
  whet__fbo_ref(&o->b, 3, label);
  whet__fbo_ref(&o->b, 4, quant);
  whet__fbo_ref(&o->b, 6, sparsity);
  whet__fbo_ref(&o->b, 7, signature);
  if (buffer) whet__fbo_int(&o->b, 2, 4, buffer);
  if (type) whet__fbo_int(&o->b, 1, 1, type);
  if (s->rank >= 0) whet__fbo_int(&o->b, 8, 1, 1);
  push(o, &o->tensors, &o->n_tensor, &o->cap_tensor, whet__fbo_end(&o->b));
  return (int32_t)o->n_tensor - 1;
}

int32_t whet__tx_const(whet_tfl_out *o, const char *like, whet_dtype t, int32_t rank, const int64_t *dims, const void *p,
                       const whet_quant *q) {
  whet_shape s = whet__shape(rank, dims);
  size_t n = whet_dtype_bytes(t, (size_t)whet__shape_count(&s));
  return put_tensor(o, whet__export_fresh(&o->x, like), t, &s, q, put_buffer(o, p, n), 0);
}

int32_t whet__tx_like(whet_tfl_out *o, const char *name, int32_t v, const whet_shape *s) {
  const whet_val *x = &o->x.g->val[v];
  return put_tensor(o, whet__export_fresh(&o->x, name), (whet_dtype)x->dtype, s ? s : &x->shape, x->q, 0, 0);
}

int32_t whet__tx_typed(whet_tfl_out *o, const char *name, whet_dtype t, const whet_shape *s) {
  return put_tensor(o, whet__export_fresh(&o->x, name), t, s, NULL, 0, 0);
}

int32_t whet__tx_tensor(whet_tfl_out *o, int32_t v) {
  if (v < 0) return -1;
  if (o->tensor[v] >= 0) return o->tensor[v];
  const whet_val *x = &o->x.g->val[v];
  const whet_data *d = whet__export_data(&o->x, v);
  int32_t buffer = 0;
  if (d) buffer = put_buffer(o, d->p, whet_dtype_bytes((whet_dtype)x->dtype, (size_t)whet__shape_count(&x->shape)));
  return o->tensor[v] = put_tensor(o, whet__export_name(&o->x, v), (whet_dtype)x->dtype, &x->shape, x->q, buffer, 0);
}

int32_t whet__tx_list(whet_tfl_out *o, const char *like, const int64_t *v, int32_t n) {
  int32_t *list = whet__arena_array(&o->x.a, (size_t)n + 1, sizeof *list);
  int64_t dim = n;
  if (!list) return o->x.failed = true, -1;
  for (int32_t i = 0; i < n; i++) list[i] = (int32_t)whet__clamp_i(v[i], INT32_MIN, INT32_MAX);
  return whet__tx_const(o, like, WHET_S32, 1, &dim, list, NULL);
}

int32_t whet__tx_narrow(whet_tfl_out *o, int32_t v) {
  int32_t n;
  const int64_t *list = whet__export_ints(&o->x, v, &n);
  return list ? whet__tx_list(o, o->x.g->val[v].name, list, n) : -1;
}

/* An operator before the one whose options are being given. */
static void op_before(whet_tfl_out *o, const char *builtin, whet_dtype type, const int32_t *in, int n_in, int32_t out) {
  whet_tfl_field keep[WHET_TFL_FIELDS];
  int n_keep = o->n_field;
  memcpy(keep, o->field, sizeof keep);
  o->n_field = 0;
  whet__tx_op(o, builtin, type, in, n_in, &out, 1);
  memcpy(o->field, keep, sizeof keep);
  o->n_field = n_keep;
}

int32_t whet__tx_turned(whet_tfl_out *o, int32_t v, const int8_t *perm, int32_t rank) {
  int64_t dims[WHET_MAX_RANK], order[WHET_MAX_RANK];
  const whet_val *x = &o->x.g->val[v];
  bool same = true;
  for (int32_t i = 0; i < rank; i++) same &= perm[i] == i, order[i] = perm[i];
  if (same) return whet__tx_tensor(o, v);
  whet_quant q;
  if (x->q) {
    q = *x->q;
    for (int32_t i = 0; i < rank; i++)
      if (perm[i] == x->q->axis) q.axis = i;
  }
  const void *p = whet__export_turned(&o->x, v, perm, dims);
  if (p) return whet__tx_const(o, x->name, (whet_dtype)x->dtype, rank, dims, p, x->q ? &q : NULL);
  whet_shape s = {.rank = rank};
  for (int32_t i = 0; i < rank; i++) s.d[i] = x->shape.d[perm[i]];
  int32_t in[2] = {whet__tx_tensor(o, v), whet__tx_list(o, "perm", order, rank)}, out = whet__tx_like(o, "turned", v, &s);
  op_before(o, "TRANSPOSE", (whet_dtype)x->dtype, in, 2, out);
  return out;
}

/* ---- sparse weights -------------------------------------------------------------------------- */

/* A SparseIndexVector as narrow as its numbers allow; *kind: which of the union. */
static uint32_t put_numbers(whet_tfl_out *o, const int32_t *v, size_t n, int64_t most, uint8_t *kind) {
  unsigned each = most < 256 ? 1 : most < 65536 ? 2 : 4;
  uint8_t *to = whet__arena_alloc(&o->x.a, n * each + 1);
  if (!to) return o->x.failed = true, 0u;
  *kind = each == 1 ? 3 : each == 2 ? 2 : 1;
  for (size_t i = 0; i < n; i++)
    for (unsigned k = 0; k < each; k++) to[i * each + k] = (uint8_t)((uint32_t)v[i] >> 8 * k);
  uint32_t list = whet__fbo_vector(&o->b, to, n, each, 4);
  whet__fbo_begin(&o->b);
  whet__fbo_ref(&o->b, 0, list);
  return whet__fbo_end(&o->b);
}

/* SparsityParameters: all dimensions are dense but for the last, whose places are listed row by row. */
static uint32_t put_sparsity(whet_tfl_out *o, int32_t rank, const int64_t *dims, int64_t rows, const whet_sparse_out *s) {
  int64_t width = dims[rank - 1];
  int32_t *start = whet__arena_array(&o->x.a, (size_t)rows + 1, sizeof *start), *at = whet__arena_array(&o->x.a, (size_t)s->n + 1, sizeof *at);
  int32_t order[WHET_MAX_RANK];
  uint32_t dim[WHET_MAX_RANK];
  uint8_t k_start = 0, k_at = 0;
  if (!start || !at) return o->x.failed = true, 0u;
  for (int64_t i = 0; i < s->n; i++) start[s->at[i] / width + 1]++, at[i] = (int32_t)(s->at[i] % width);
  for (int64_t r = 0; r < rows; r++) start[r + 1] += start[r];
  uint32_t starts = put_numbers(o, start, (size_t)rows + 1, s->n, &k_start), places = put_numbers(o, at, (size_t)s->n, width - 1, &k_at);
  for (int32_t i = 0; i < rank; i++) {
    order[i] = i;
    whet__fbo_begin(&o->b);
    if (i < rank - 1) {
      whet__fbo_int(&o->b, 1, 4, dims[i]);
    } else {
      whet__fbo_ref(&o->b, 3, starts);
      whet__fbo_ref(&o->b, 5, places);
      whet__fbo_int(&o->b, 0, 1, 1);
      whet__fbo_int(&o->b, 2, 1, k_start);
      whet__fbo_int(&o->b, 4, 1, k_at);
    }
    dim[i] = whet__fbo_end(&o->b);
  }
  uint32_t all = whet__fbo_refs(&o->b, dim, (size_t)rank), orders = whet__fbo_vector(&o->b, order, (size_t)rank, 4, 4);
  whet__fbo_begin(&o->b);
  whet__fbo_ref(&o->b, 0, orders);
  whet__fbo_ref(&o->b, 2, all);
  return whet__fbo_end(&o->b);
}

int32_t whet__tx_weights(whet_tfl_out *o, int32_t v, const int8_t *perm, int32_t rank, bool direct) {
  const whet_val *x = &o->x.g->val[v];
  int64_t dims[WHET_MAX_RANK], rows = 1;
  whet_sparse_out s;
  bool fits = !o->x.dense && x->dtype == WHET_F32 && !x->q && o->x.uses.count[v] == 1 && o->tensor[v] < 0;
  const void *p = fits ? whet__export_turned(&o->x, v, perm, dims) : NULL;
  for (int32_t i = 0; p && i < rank - 1; i++) rows *= dims[i];
  int64_t count = whet__shape_count(&x->shape);
  if (!p || count > INT32_MAX ||
      !whet__export_sparse(&o->x, (whet_dtype)x->dtype, count, p, dims[rank - 1] <= 256 ? 1 : 2, (size_t)rows * 2 + 256, &s))
    return whet__tx_turned(o, v, perm, rank);
  whet_shape shape = whet__shape(rank, dims);
  uint32_t sparsity = put_sparsity(o, rank, dims, rows, &s);
  size_t bytes = whet_dtype_bytes((whet_dtype)x->dtype, (size_t)s.n);
  int32_t in = put_tensor(o, whet__export_fresh(&o->x, x->name), (whet_dtype)x->dtype, &shape, NULL, put_buffer(o, s.values, bytes), sparsity);
  if (direct) return o->sparse = true, in;
  int32_t out = whet__tx_typed(o, "dense", (whet_dtype)x->dtype, &shape);
  op_before(o, "DENSIFY", (whet_dtype)x->dtype, &in, 1, out);
  return out;
}

/* ---- operators ------------------------------------------------------------------------------- */

static whet_tfl_field *field(whet_tfl_out *o, int id) {
  whet_tfl_field *f = &o->field[o->n_field < WHET_TFL_FIELDS ? o->n_field++ : WHET_TFL_FIELDS - 1];
  *f = (whet_tfl_field){.id = id};
  return f;
}
void whet__tx_int(whet_tfl_out *o, int id, int64_t v) { field(o, id)->i = v; }
void whet__tx_float(whet_tfl_out *o, int id, float v) { field(o, id)->f = v; }
void whet__tx_ints(whet_tfl_out *o, int id, const int32_t *v, int32_t n) {
  whet_tfl_field *f = field(o, id);
  f->list = v;
  f->n = n;
}

/* The options table of that name; 0: there is none. */
static uint32_t put_options(whet_tfl_out *o, const char *name, uint8_t *number) {
  const char *letters;
  uint32_t ref[WHET_TFL_FIELDS] = {0};
  *number = 0;
  if (!whet__tf_options(name, number, &letters)) return 0;
  for (int i = 0; i < o->n_field; i++)
    if (letters[o->field[i].id] == 'I') ref[i] = whet__fbo_vector(&o->b, o->field[i].list, (size_t)o->field[i].n, 4, 4);
  whet__fbo_begin(&o->b);
  for (int i = 0; i < o->n_field; i++) {
    const whet_tfl_field *f = &o->field[i];
    switch (letters[f->id]) {
      case 'b': whet__fbo_int(&o->b, f->id, 1, f->i); break;
      case 'f': whet__fbo_float(&o->b, f->id, f->f); break;
      case 'l': whet__fbo_int(&o->b, f->id, 8, f->i); break;
      case 'I': whet__fbo_ref(&o->b, f->id, ref[i]); break;
      default: whet__fbo_int(&o->b, f->id, 4, f->i); break;
    }
  }
  return whet__fbo_end(&o->b);
}

/* Versions that operators have for a type of input: float, 8 and 16 bits. Those that are not here are of version 1. */
static int32_t version_of(const whet_tfl_out *o, const char *name, whet_dtype t) {
  static const struct {
    const char *name;
    int8_t version[3];
  } k[] = {{"CONV_2D", {1, 3, 4}},         {"DEPTHWISE_CONV_2D", {1, 3, 5}}, {"FULLY_CONNECTED", {1, 4, 7}},
           {"AVERAGE_POOL_2D", {1, 2, 3}}, {"MAX_POOL_2D", {1, 2, 3}},       {"ADD", {1, 2, 3}},
           {"SUB", {1, 2, 5}},             {"MUL", {1, 2, 4}},               {"CONCATENATION", {1, 2, 3}},
           {"PAD", {1, 2, 3}},             {"PADV2", {1, 2, 3}},             {"SOFTMAX", {1, 2, 3}},
           {"LOGISTIC", {1, 2, 3}},        {"TANH", {1, 2, 3}},              {"MEAN", {1, 2, 3}},
           {"SUM", {1, 2, 2}},             {"TRANSPOSE", {1, 2, 4}},         {"SPLIT", {1, 2, 4}},
           {"SPLIT_V", {1, 2, 2}},         {"MAXIMUM", {1, 2, 3}},           {"MINIMUM", {1, 2, 3}},
           {"RELU", {1, 2, 3}},            {"RELU6", {1, 2, 3}},             {"LEAKY_RELU", {1, 2, 2}},
           {"SLICE", {1, 2, 3}},           {"STRIDED_SLICE", {1, 2, 4}},     {"RESIZE_BILINEAR", {3, 3, 3}},
           {"RESIZE_NEAREST_NEIGHBOR", {3, 3, 4}}, {"TRANSPOSE_CONV", {3, 3, 4}}, {"BATCH_MATMUL", {1, 2, 3}},
           {"QUANTIZE", {1, 1, 2}},        {"DEQUANTIZE", {1, 2, 3}},        {"GATHER", {1, 2, 4}},
           {"PRELU", {1, 1, 1}},           {"DEPTH_TO_SPACE", {1, 2, 2}},    {"SPACE_TO_DEPTH", {1, 2, 2}},
           {"BROADCAST_TO", {2, 3, 3}},    {"LOG_SOFTMAX", {1, 2, 2}},     {"ARG_MAX", {1, 2, 2}},           {"REDUCE_MAX", {1, 2, 3}}};
  if (o->sparse && !strcmp(name, "FULLY_CONNECTED")) return SPARSE_DENSE;
  int at = t == WHET_S8 || t == WHET_U8 ? 1 : t == WHET_S16 ? 2 : 0;
  for (size_t i = 0; i < WHET_COUNT(k); i++)
    if (!strcmp(k[i].name, name)) return k[i].version[at];
  return 1;
}

static int32_t code_of(whet_tfl_out *o, int32_t builtin, int32_t version) {
  for (size_t i = 0; i < o->n_code; i++)
    if (o->code[i].builtin == builtin && o->code[i].version == version) return (int32_t)i;
  if (!whet__grow(o->b.mem, (void **)&o->code, &o->cap_code, o->n_code + 1, sizeof *o->code)) return o->x.failed = true, 0;
  o->code[o->n_code] = (whet_tfl_code){builtin, version};
  return (int32_t)o->n_code++;
}

void whet__tx_op(whet_tfl_out *o, const char *builtin, whet_dtype type, const int32_t *in, int n_in, const int32_t *out,
                 int n_out) {
  int32_t code = whet__tf_builtin_code(builtin), version = version_of(o, builtin, type);
  uint8_t number;
  uint32_t options = put_options(o, whet__tf_builtin_options(code), &number);
  uint32_t ins = whet__fbo_vector(&o->b, in, (size_t)n_in, 4, 4), outs = whet__fbo_vector(&o->b, out, (size_t)n_out, 4, 4);
  int32_t index = code_of(o, code, version);
  whet__fbo_begin(&o->b);
  whet__fbo_ref(&o->b, 1, ins);
  whet__fbo_ref(&o->b, 2, outs);
  if (options) whet__fbo_int(&o->b, 3, 1, number);
  whet__fbo_ref(&o->b, 4, options);
  if (index) whet__fbo_int(&o->b, 0, 4, index);
  push(o, &o->ops, &o->n_op, &o->cap_op, whet__fbo_end(&o->b));
  o->n_field = 0;
  o->sparse = false;
}

/* The fused activation that node n is, or NONE. */
static int activation_of(const whet_node *n) {
  float lo = whet__at_float(n, "min"), hi = whet__at_float(n, "max");
  if (!strcmp(n->op->name, "Relu")) return WHET_TFL_RELU;
  if (!strcmp(n->op->name, "Tanh")) return WHET_TFL_TANH;
  if (strcmp(n->op->name, "Clip")) return WHET_TFL_NONE;
  return lo == 0 && hi == 6 ? WHET_TFL_RELU6 : lo == -1 && hi == 1 ? WHET_TFL_RELU_N1_TO_1 : WHET_TFL_NONE;
}

int32_t whet__tx_activated(whet_tfl_out *o, const whet_node *n) {
  int32_t v = n->out[0];
  o->activation = WHET_TFL_NONE;
  if (o->x.uses.count[v] != 1 || o->x.uses.first[v] == o->x.uses.first[v + 1]) return v;
  int32_t user = o->x.uses.user[o->x.uses.first[v]];
  const whet_node *u = &o->x.g->node[user];
  int act = activation_of(u);
  /* The kernels of float and quantised operators know RELU and its like; TANH none but some of float. */
  if (!act || act == WHET_TFL_TANH || u->n_out != 1 || !whet__quant_equal(o->x.g->val[v].q, o->x.g->val[u->out[0]].q)) return v;
  o->activation = act;
  o->skip[user] = 1;
  return u->out[0];
}

/* ---- the model ------------------------------------------------------------------------------- */

static uint32_t list_of(whet_tfl_out *o, const int32_t *v, int32_t n) {
  int32_t *t = whet__arena_array(&o->x.a, (size_t)n + 1, sizeof *t);
  if (!t) return o->x.failed = true, 0u;
  for (int32_t i = 0; i < n; i++) t[i] = whet__tx_tensor(o, v[i]);
  return whet__fbo_vector(&o->b, t, (size_t)n, 4, 4);
}

static uint32_t subgraph(whet_tfl_out *o, const whet_region *r) {
  uint32_t in = list_of(o, r->in, r->n_in), out = list_of(o, r->out, r->n_out);
  uint32_t name = whet__fbo_string(&o->b, r->name && *r->name ? r->name : "main");
  uint32_t ops = whet__fbo_refs(&o->b, o->ops, o->n_op), tensors = whet__fbo_refs(&o->b, o->tensors, o->n_tensor);
  whet__fbo_begin(&o->b);
  whet__fbo_ref(&o->b, 0, tensors);
  whet__fbo_ref(&o->b, 1, in);
  whet__fbo_ref(&o->b, 2, out);
  whet__fbo_ref(&o->b, 3, ops);
  whet__fbo_ref(&o->b, 4, name);
  uint32_t g = whet__fbo_end(&o->b);
  return whet__fbo_refs(&o->b, &g, 1);
}

static uint32_t codes(whet_tfl_out *o) {
  uint32_t *ref = whet__arena_array(&o->x.a, o->n_code + 1, sizeof *ref);
  if (!ref) return o->x.failed = true, 0u;
  for (size_t i = 0; i < o->n_code; i++) {
    int32_t c = o->code[i].builtin;
    whet__fbo_begin(&o->b);
    whet__fbo_int(&o->b, 3, 4, c);
    whet__fbo_int(&o->b, 2, 4, o->code[i].version);
    whet__fbo_int(&o->b, 0, 1, c < BEYOND_OLD ? c : BEYOND_OLD);
    ref[i] = whet__fbo_end(&o->b);
  }
  return whet__fbo_refs(&o->b, ref, o->n_code);
}

/* Names of a signature and their tensors. */
static uint32_t maps(whet_tfl_out *o, const char **name, const int32_t *v, int32_t n) {
  uint32_t *ref = whet__arena_array(&o->x.a, (size_t)n + 1, sizeof *ref);
  if (!ref) return o->x.failed = true, 0u;
  for (int32_t i = 0; i < n; i++) {
    uint32_t label = whet__fbo_string(&o->b, name[i]);
    whet__fbo_begin(&o->b);
    whet__fbo_ref(&o->b, 0, label);
    if (o->tensor[v[i]] > 0) whet__fbo_int(&o->b, 1, 4, o->tensor[v[i]]);
    ref[i] = whet__fbo_end(&o->b);
  }
  return whet__fbo_refs(&o->b, ref, (size_t)n);
}

/* Signatures of the main graph; a model without gets one, so that names of inputs and outputs are found. */
static uint32_t signatures(whet_tfl_out *o) {
  const whet_model *m = o->x.m;
  const whet_region *r = &o->x.g->main;
  uint32_t *ref = whet__arena_array(&o->x.a, (size_t)m->n_signature + 2, sizeof *ref);
  const char **name = whet__arena_array(&o->x.a, (size_t)(r->n_in + r->n_out) + 1, sizeof *name);
  size_t n = 0;
  if (!ref || !name) return o->x.failed = true, 0u;
  for (int32_t i = 0; i < r->n_in; i++) name[i] = whet__export_name(&o->x, r->in[i]);
  for (int32_t i = 0; i < r->n_out; i++) name[r->n_in + i] = whet__export_name(&o->x, r->out[i]);
  for (int32_t i = 0; i < m->n_signature || (i == 0 && !m->n_signature); i++) {
    const whet_signature *s = m->n_signature ? &m->signature[i] : NULL;
    if (s && s->region != r) continue;
    uint32_t in = s ? maps(o, s->name_in, s->in, s->n_in) : maps(o, name, r->in, r->n_in);
    uint32_t out = s ? maps(o, s->name_out, s->out, s->n_out) : maps(o, name + r->n_in, r->out, r->n_out);
    uint32_t key = whet__fbo_string(&o->b, s ? s->key : "serving_default");
    whet__fbo_begin(&o->b);
    whet__fbo_ref(&o->b, 0, in);
    whet__fbo_ref(&o->b, 1, out);
    whet__fbo_ref(&o->b, 2, key);
    ref[n++] = whet__fbo_end(&o->b);
  }
  return n ? whet__fbo_refs(&o->b, ref, n) : 0;
}

static uint32_t metadata(whet_tfl_out *o) {
  const whet_model *m = o->x.m;
  uint32_t *ref = whet__arena_array(&o->x.a, (size_t)m->n_meta + 1, sizeof *ref);
  size_t n = 0;
  if (!ref) return o->x.failed = true, 0u;
  for (int32_t i = 0; i < m->n_meta; i++) {
    if (!whet__export_text(m, i)) continue;
    int32_t buffer = put_buffer(o, m->meta[i].value, m->meta[i].n);
    uint32_t name = whet__fbo_string(&o->b, m->meta[i].key);
    whet__fbo_begin(&o->b);
    whet__fbo_ref(&o->b, 0, name);
    whet__fbo_int(&o->b, 1, 4, buffer);
    ref[n++] = whet__fbo_end(&o->b);
  }
  return n ? whet__fbo_refs(&o->b, ref, n) : 0;
}

/* The model's own description where it has one that is text. */
static const char *description(const whet_model *m) {
  size_t n;
  const char *said = whet_model_meta(m, "description", &n);
  return said && n && strlen(said) == n ? said : "written by whet";
}

static void model(whet_tfl_out *o) {
  uint32_t graphs = subgraph(o, &o->x.g->main), code = codes(o), signature = signatures(o), meta = metadata(o);
  uint32_t buffers = whet__fbo_refs(&o->b, o->buffers, o->n_buffer), text = whet__fbo_string(&o->b, description(o->x.m));
  whet__fbo_begin(&o->b);
  whet__fbo_int(&o->b, 0, 4, SCHEMA);
  whet__fbo_ref(&o->b, 1, code);
  whet__fbo_ref(&o->b, 2, graphs);
  whet__fbo_ref(&o->b, 3, text);
  whet__fbo_ref(&o->b, 4, buffers);
  whet__fbo_ref(&o->b, 6, meta);
  whet__fbo_ref(&o->b, 7, signature);
  whet__fbo_finish(&o->b, whet__fbo_end(&o->b), "TFL3");
}

/* Inputs and outputs that are no tensors; outputs that are empty constants: a file has no bytes by which they are constants. */
static whet_status check_ends(whet_tfl_out *o) {
  const whet_region *r = &o->x.g->main;
  for (int32_t i = 0; i < r->n_in + r->n_out; i++) {
    const whet_val *x = &o->x.g->val[i < r->n_in ? r->in[i] : r->out[i - r->n_in]];
    if (x->kind != WHET_TENSOR || whet__tf_type((whet_dtype)x->dtype) < 0)
      return whet__fail(o->x.err, WHET_E_UNSUPPORTED, "\"%.80s\" is %s, which TFLite has not", x->name,
                        x->kind == WHET_TENSOR ? whet_dtype_name((whet_dtype)x->dtype) : "no tensor");
  }
  for (int32_t i = 0; i < r->n_out; i++) {
    const whet_val *x = &o->x.g->val[r->out[i]];
    if (x->role == WHET_ROLE_CONST && !whet__shape_count(&x->shape))
      return whet__fail(o->x.err, WHET_E_UNSUPPORTED, "output \"%.80s\" is an empty constant, which TFLite cannot say", x->name);
  }
  return WHET_OK;
}

/* Types that TFLite has no tensors of. */
static whet_status check_types(whet_tfl_out *o) {
  for (int32_t i = 0; i < o->x.g->main.n_node; i++) {
    const whet_node *n = &o->x.g->node[o->x.g->main.node[i]];
    for (int k = 0; k < n->n_in + n->n_out; k++) {
      int32_t v = k < n->n_in ? n->in[k] : n->out[k - n->n_in];
      const whet_val *x = whet__export_val(&o->x, v);
      if (!x || (x->kind == WHET_TENSOR && whet__tf_type((whet_dtype)x->dtype) >= 0)) continue;
      whet__export_refuse(&o->x, n, "\"%.80s\" is %s", x->name, x->kind == WHET_TENSOR ? whet_dtype_name((whet_dtype)x->dtype) : "no tensor");
      break;
    }
  }
  return WHET_OK;
}

whet_status whet__tflite_bytes(const whet_model *m, bool dense, whet_text *out, whet_err *err) {
  whet_tfl_out o = {.b = {.mem = out->mem}};
  whet_status s = whet__export_open(&o.x, m, err);
  o.x.dense = dense;
  o.tensor = whet__arena_array(&o.x.a, (size_t)m->graph.n_val + 1, sizeof *o.tensor);
  o.skip = whet__arena_array(&o.x.a, (size_t)m->graph.n_node + 1, 1);
  if (!o.tensor || !o.skip) o.x.failed = true;
  for (int32_t v = 0; v < m->graph.n_val && o.tensor; v++) o.tensor[v] = -1;
  if (!s && !o.x.failed) s = check_ends(&o);
  if (!s && !o.x.failed) s = check_types(&o);
  const whet_region *r = &m->graph.main;
  if (!s && !o.x.failed && !o.x.n_refused) {
    put_buffer(&o, NULL, 0);
    for (int32_t i = 0; i < r->n_in; i++) whet__tx_tensor(&o, r->in[i]);
    for (int32_t i = 0; i < r->n_out; i++) whet__export_name(&o.x, r->out[i]); /* they keep their names */
    for (int32_t i = 0; i < r->n_node && !s; i++)
      if (!o.skip[r->node[i]]) s = whet__tflite_node(&o, &m->graph.node[r->node[i]]);
    if (!s && !o.x.failed && !o.x.n_refused) model(&o);
    if (o.b.large) s = whet__fail(err, WHET_E_UNSUPPORTED, "the file would have more than 2 GB");
    if (!s && !o.x.n_refused && !o.b.bad) whet__text_add(out, (const char *)o.b.p + o.b.cap - o.b.n, o.b.n);
  }
  if (o.b.bad || out->bad) o.x.failed = true;
  whet__free(out->mem, o.tensors);
  whet__free(out->mem, o.buffers);
  whet__free(out->mem, o.ops);
  whet__free(out->mem, o.code);
  whet__fbo_free(&o.b);
  return whet__export_close(&o.x, s);
}
