/* SPDX-License-Identifier: Apache-2.0 */
/* The TFLite reader: subgraphs from their tables into the canonical graph (schema 3).
 *
 * Subgraph 0 is the main graph. Others are read where an operator or a signature names them, a copy at each place,
 * with values of its own; constants and variables are shared by all copies. Sparse constants are made dense at once,
 * so that DENSIFY is only another name for its input. Values keep the number of the file's tensor in `origin`. */

#include "format/tflite.h"

#include <math.h>

#include "base/dtype.h"

static whet_status refused(whet_import *im, whet_err *err) { return whet__im_no_memory(im, err, 64, "the graph"); }

/* ---- tensors ----------------------------------------------------------------------------------------------------
 */

/* The shape that a tensor declares; dimensions that are not fixed are ANY. */
static whet_status tensor_shape(const whet_tf_tensor *t, bool constant, whet_shape *s, whet_err *err) {
  bool open = !constant && t->signature.n == t->shape.n;
  if (t->shape.n > WHET_MAX_RANK)
    return whet__fail(err, WHET_E_UNSUPPORTED, "tensor \"%.80s\" has %d dimensions; at most %d are taken", t->name.p,
                      (int)t->shape.n, WHET_MAX_RANK);
  *s = (whet_shape){.rank = t->shape.n};
  for (int32_t i = 0; i < t->shape.n; i++) {
    int32_t d = open ? t->signature.v[i] : t->shape.v[i];
    if (d < 0 && constant)
      return whet__fail(err, WHET_E_FORMAT, "tensor \"%.80s\": dimension %d is %d", t->name.p, (int)i, (int)d);
    s->d[i] = d < 0 ? WHET_DIM_ANY : d;
  }
  return WHET_OK;
}

/* The contents of another tensor of the subgraph that must be a constant vector of `type`; NULL when it is none. */
static const uint8_t *vector_of(whet_import *im, const whet_tf_subgraph *g, int32_t index, int32_t *type, size_t *n) {
  if (index < 0 || index >= g->n_tensor || g->tensor[index].buffer >= (uint32_t)im->tf->n_buffer) return NULL;
  const whet_tf_buffer *b = &im->tf->buffer[g->tensor[index].buffer];
  *type = g->tensor[index].type;
  *n = b->n;
  return b->p;
}

/* Blockwise quantisation: scales (float32 or float16) are the contents of another tensor, zero points are 0. */
static whet_status block_quant(whet_import *im, const whet_tf_subgraph *g, const whet_tf_tensor *t,
                               const whet_shape *s, const whet_quant **out, whet_err *err) {
  const whet_tf_quant *q = &t->quant;
  int32_t type = 0;
  size_t bytes = 0;
  const uint8_t *p = vector_of(im, g, q->scale_tensor, &type, &bytes);
  whet_dtype dt = whet__tf_dtype(type);
  int64_t count = whet__shape_count(s);
  if (!p || (dt != WHET_F32 && dt != WHET_F16) || q->block < 1 || count < 0 || q->axis < 0 || q->axis >= s->rank ||
      s->d[q->axis] % q->block)
    return whet__fail(err, WHET_E_FORMAT, "tensor \"%.80s\": its blockwise quantisation does not fit it", t->name.p);
  int64_t n = count / q->block;
  if (n > INT32_MAX || bytes / whet__dtype_size(dt) != (size_t)n)
    return whet__fail(err, WHET_E_FORMAT, "tensor \"%.80s\": %zu bytes of scales for %lld blocks", t->name.p, bytes,
                      (long long)n);
  if (q->zero_tensor > 0)
    return whet__fail(err, WHET_E_UNSUPPORTED, "tensor \"%.80s\": blockwise zero points", t->name.p);
  float *scale = whet__arena_array(&im->tmp, (size_t)n, sizeof *scale);
  if (!scale) return refused(im, err);
  for (int64_t i = 0; i < n; i++) scale[i] = (float)whet__get_f64(dt, p, i);
  whet_quant *made = (whet_quant *)whet__graph_quant(im->g, (int32_t)n, q->axis, scale, NULL);
  if (!made) return refused(im, err);
  made->block = q->block;
  *out = made;
  return WHET_OK;
}

/* Quantisation of a tensor: one scale, or one for each index of an axis. Floats and wide integers have none: what
 * their tables hold documents how they came about. */
static whet_status tensor_quant(whet_import *im, const whet_tf_subgraph *g, const whet_tf_tensor *t,
                                const whet_shape *s, const whet_quant **out, whet_err *err) {
  const whet_tf_quant *q = &t->quant;
  whet_dtype type = whet__tf_dtype(t->type);
  *out = NULL;
  if (!whet__is_int(type) || whet_dtype_bits(type) > 32) return WHET_OK;
  if (q->details == WHET_TF_BLOCKWISE) return block_quant(im, g, t, s, out, err);
  if (q->details == WHET_TF_MULTI_AXIS)
    return whet__fail(err, WHET_E_UNSUPPORTED, "tensor \"%.80s\": quantisation along several axes", t->name.p);
  if (!q->n_scale) return WHET_OK;
  int32_t axis = q->n_scale == 1 || s->rank == 1 ? 0 : q->axis; /* biases may name the weights' dimension */
  if (q->n_scale > 1 && (axis < 0 || axis >= s->rank || s->d[axis] != q->n_scale))
    return whet__fail(err, WHET_E_FORMAT, "tensor \"%.80s\": %d scales do not fit dimension %d", t->name.p,
                      (int)q->n_scale, (int)axis);
  if (q->n_zero > 1 && q->n_zero != q->n_scale)
    return whet__fail(err, WHET_E_FORMAT, "tensor \"%.80s\": %d scales and %d zero points", t->name.p,
                      (int)q->n_scale, (int)q->n_zero);
  int32_t *zero = whet__arena_array(&im->tmp, (size_t)q->n_scale, sizeof *zero);
  if (!zero) return refused(im, err);
  for (int32_t i = 0; i < q->n_scale; i++) {
    int64_t z = q->n_zero ? q->zero[q->n_zero > 1 ? i : 0] : 0;
    if (!isfinite(q->scale[i]) || q->scale[i] < 0)
      return whet__fail(err, WHET_E_FORMAT, "tensor \"%.80s\": scale %d is %g", t->name.p, (int)i,
                        (double)q->scale[i]);
    if (z < whet__dtype_min(type) || z > whet__dtype_max(type))
      return whet__fail(err, WHET_E_FORMAT, "tensor \"%.80s\": zero point %lld is no %s", t->name.p, (long long)z,
                        whet_dtype_name(type));
    zero[i] = (int32_t)z;
  }
  *out = whet__graph_quant(im->g, q->n_scale, axis, q->scale, zero);
  return *out ? WHET_OK : refused(im, err);
}

/* The buffer that makes a tensor a constant; NULL when it has none. Buffer 0 is the empty one by convention. An empty
 * list makes a constant only of a tensor without elements. */
static const whet_tf_buffer *contents(whet_import *im, const whet_tf_tensor *t) {
  const whet_tf_buffer *b = t->buffer < (uint32_t)im->tf->n_buffer ? &im->tf->buffer[t->buffer] : NULL;
  if (!b || !b->p || !t->buffer) return NULL;
  bool empty = false;
  for (int32_t i = 0; i < t->shape.n; i++) empty |= !t->shape.v[i];
  return b->n || empty ? b : NULL;
}

/* Source tensors and nodes of all subgraphs, the main one's first. */
static whet_status source_tensors(whet_import *im, const whet_tf_subgraph *g, whet_err *err) {
  for (int32_t i = 0; i < g->n_tensor; i++) {
    const whet_tf_tensor *t = &g->tensor[i];
    whet_source_tensor x = {.dtype = (uint8_t)whet__tf_dtype(t->type), .val = -1};
    if (t->buffer >= (uint32_t)im->tf->n_buffer && t->buffer)
      return whet__fail(err, WHET_E_FORMAT, "tensor %d \"%.80s\" names buffer %u; there are %d", (int)i, t->name.p,
                        t->buffer, (int)im->tf->n_buffer);
    if (t->external)
      return whet__fail(err, WHET_E_UNSUPPORTED, "tensor %d \"%.80s\" lies in a file of its own", (int)i, t->name.p);
    if (!x.dtype && t->type != WHET_TF_RESOURCE && t->type != WHET_TF_VARIANT)
      return whet__fail(err, WHET_E_UNSUPPORTED, "tensor %d \"%.80s\" has type %d, which is not known", (int)i,
                        t->name.p, (int)t->type);
    x.constant = contents(im, t) && !t->variable;
    x.name = t->name.n ? whet__arena_str(&im->g->arena, t->name.p, t->name.n)
                       : whet__arena_printf(&im->g->arena, "t%d", (int)i);
    WHET_TRY(tensor_shape(t, x.constant, &x.shape, err));
    WHET_TRY(tensor_quant(im, g, t, &x.shape, &x.q, err));
    if (!x.name || whet__im_source_tensor(im, &x) < 0) return refused(im, err);
  }
  return WHET_OK;
}

/* A new value for tensor i of a copy. */
static int32_t make_value(whet_import *im, struct whet_tf_scope *s, int32_t i) {
  int32_t origin = im->tf_tensors[s->index].base + i;
  whet_source_tensor *x = &im->m->source.tensor[origin];
  const whet_tf_tensor *t = &s->g->tensor[i];
  int32_t v = whet__graph_val(im->g, x->name);
  if (v < 0) return -1;
  whet_val *val = &im->g->val[v];
  val->dtype = x->dtype;
  val->shape = x->shape;
  val->q = x->q;
  val->origin = origin;
  if (!t->shape.n && !t->has_rank && !x->constant)
    val->shape.rank = -1; /* a scalar, or nothing known: decided below */
  if (x->val < 0) x->val = v;
  return v;
}

/* The value of tensor i in a copy: made when it is first asked for. */
static whet_status value_of(whet_import *im, struct whet_tf_scope *s, int32_t i, int32_t *out, whet_err *err) {
  const whet_tf_tensor *t = &s->g->tensor[i];
  int32_t *shared = &im->tf_tensors[s->index].shared[i];
  if (s->val[i] < 0 && *shared >= 0) s->val[i] = *shared;
  if (s->val[i] < 0) {
    int32_t v = make_value(im, s, i);
    if (v < 0) return refused(im, err);
    s->val[i] = v;
    const whet_tf_buffer *b = contents(im, t);
    if (b && !t->variable && whet__tf_dtype(t->type) != WHET_NONE) {
      const void *p;
      bool mapped;
      whet_shape shape = im->g->val[v].shape;
      WHET_TRY(whet__tf_contents(im, t, b, whet__tf_dtype(t->type), &shape, &p, &mapped, err));
      if (!whet__im_set_const(im, v, whet__tf_dtype(t->type), &shape, p, mapped)) return refused(im, err);
      *shared = v;
    } else if (t->variable) {
      whet_val *x = &im->g->val[v];
      x->shape.rank = t->shape.n;
      if (whet__shape_count(&x->shape) < 0)
        return whet__fail(err, WHET_E_FORMAT, "variable \"%.80s\" has no fixed size", t->name.p);
      if (b) return whet__fail(err, WHET_E_UNSUPPORTED, "variable \"%.80s\" has a first value", t->name.p);
      x->role = WHET_ROLE_VARIABLE;
      *shared = v;
    }
  }
  *out = s->val[i];
  return WHET_OK;
}

/* A tensor list of an operator or subgraph as values; -1 stays -1 where absent tensors are allowed. */
static whet_status values_of(whet_import *im, struct whet_tf_scope *s, whet_tf_ints list, const char *what,
                             bool absent, int32_t *out, whet_err *err) {
  for (int32_t i = 0; i < list.n; i++) {
    int32_t t = list.v[i];
    if (t < (absent ? -1 : 0) || t >= s->g->n_tensor)
      return whet__fail(err, WHET_E_FORMAT, "%s %d is tensor %d; there are %d", what, (int)i, (int)t,
                        (int)s->g->n_tensor);
    out[i] = -1;
    if (t >= 0) WHET_TRY(value_of(im, s, t, &out[i], err));
  }
  return WHET_OK;
}

/* ---- operators --------------------------------------------------------------------------------------------------
 */

/* The option table that the operator carries is the one that its code asks for. Operators without options may carry
 * any. */
static whet_status check_options(const whet_tf_op *op, int32_t builtin, whet_err *err) {
  const char *want = whet__tf_builtin_options(builtin);
  if (!op->options_name || !strcmp(want, op->options_name) || !strcmp(want, "NONE")) return WHET_OK;
  return whet__fail(err, WHET_E_FORMAT, "it carries options of %s, expected %s", op->options_name, want);
}

/* DENSIFY: its output is the constant that its sparse input became. */
static whet_status densify(whet_import *im, struct whet_tf_scope *s, const whet_tf_op *op, whet_err *err) {
  int32_t v;
  if (op->in.n != 1 || op->out.n != 1 || op->in.v[0] < 0 || op->in.v[0] >= s->g->n_tensor || op->out.v[0] < 0 ||
      op->out.v[0] >= s->g->n_tensor)
    return whet__fail(err, WHET_E_FORMAT, "expected one input and one output");
  WHET_TRY(value_of(im, s, op->in.v[0], &v, err));
  if (im->g->val[v].role != WHET_ROLE_CONST) return whet__fail(err, WHET_E_UNSUPPORTED, "its input is no constant");
  if (s->val[op->out.v[0]] >= 0) return whet__fail(err, WHET_E_FORMAT, "its output is made twice or used before");
  s->val[op->out.v[0]] = v;
  return WHET_OK;
}

/* STABLEHLO_CUSTOM_CALL: an operator of the caller's own by the name of its target, with the attributes as its options. */
static whet_status custom_call(whet_import *im, const whet_tf_op *op, struct whet_im_op *o, whet_err *err) {
  enum { TARGET = 0, ATTRIBUTES = 5 };
  whet_str target = op->options_name ? whet__fb_str(op->options, TARGET) : (whet_str){"", 0};
  whet_fb_vec bytes = op->options_name ? whet__fb_vec(op->options, ATTRIBUTES, 1) : (whet_fb_vec){0};
  whet_tf_op with = *op;
  with.custom = bytes.n ? whet__fb_vec_bytes(bytes) : NULL;
  with.n_custom = bytes.n;
  o->type = whet__arena_str(&im->g->arena, target.p, target.n);
  if (!o->type) return refused(im, err);
  o->domain = "tflite.custom";
  o->tf = &with;
  const whet_custom_op *custom = whet__im_custom(im, o);
  if (custom) return whet__im_custom_node(im, o, custom);
  o->domain = "tflite";
  o->type = whet__arena_printf(&im->g->arena, "STABLEHLO_CUSTOM_CALL(%.50s)", o->type);
  return o->type ? whet__im_run(im, o) : refused(im, err);
}

/* CALL and STABLEHLO_COMPOSITE: the subgraph in place of the operator. */
static whet_status inline_call(whet_import *im, struct whet_tf_scope *s, struct whet_im_op *o, int32_t builtin,
                               whet_err *err) {
  whet_err *outer = im->err, inner = {0};
  WHET_TRY(whet__im_spend(im, 1 + o->n_in + o->n_out, true, err));
  im->op = o;
  im->err = &inner;
  struct whet_tf_use u = {.index = whet__tfl_int(im, builtin == WHET_TF_CALL ? 0 : 1, 0),
                          .up = s,
                          .region = s->region,
                          .args = o->in,
                          .n_args = o->n_in,
                          .outs = o->out,
                          .n_outs = o->n_out};
  whet_status st = o->bad ? o->bad : whet__tf_subgraph(im, &u, &inner);
  im->op = o->up;
  im->err = outer;
  if (!st) return WHET_OK;
  whet__fail(&o->err, st, "%s", inner.text);
  return whet__im_place(o, err);
}

static whet_status read_op(whet_import *im, struct whet_tf_scope *s, int32_t index, whet_err *err) {
  const whet_tf_op *op = &s->g->op[index];
  struct whet_im_op o = {.region = s->region,
                         .name = "",
                         .index = index,
                         .origin = im->tf_tensors[s->index].base_op + index,
                         .last = -1,
                         .tf = op,
                         .tf_scope = s,
                         .up = im->op};
  whet_source_node *x = &im->m->source.node[o.origin];
  o.type = x->type;
  o.domain = x->domain;
  o.since = x->since;
  o.n_in = op->in.n;
  o.n_out = op->out.n;
  int32_t *list = whet__arena_array(&im->g->arena, (size_t)o.n_in + (size_t)o.n_out, sizeof *list);
  if (!list) return refused(im, err);
  o.in = list;
  o.out = list + o.n_in;
  whet_status st = WHET_OK;
  const whet_tf_code *code = &im->tf->code[op->code];
  if (code->builtin == WHET_TF_DENSIFY) {
    if (!(st = densify(im, s, op, &o.err))) return WHET_OK;
    return st == WHET_E_UNSUPPORTED ? whet__im_missing(im, &o, o.err.text) : whet__im_place(&o, err);
  }
  st = values_of(im, s, op->in, "input", true, list, &o.err);
  if (!st) st = values_of(im, s, op->out, "output", true, list + o.n_in, &o.err);
  if (!st) st = check_options(op, code->builtin, &o.err);
  if (st) return whet__im_place(&o, err);
  if (code->builtin == WHET_TF_CALL || code->builtin == WHET_TF_STABLEHLO_COMPOSITE)
    return inline_call(im, s, &o, code->builtin, err);
  if (code->builtin == WHET_TF_STABLEHLO_CUSTOM_CALL) return custom_call(im, op, &o, err);
  const whet_custom_op *custom = whet__im_custom(im, &o);
  return custom ? whet__im_custom_node(im, &o, custom) : whet__im_run(im, &o);
}

/* Source nodes of a subgraph. */
static whet_status source_nodes(whet_import *im, const whet_tf_subgraph *g, int32_t base, whet_err *err) {
  for (int32_t i = 0; i < g->n_op; i++) {
    const whet_tf_op *op = &g->op[i];
    if (op->code >= (uint32_t)im->tf->n_code)
      return whet__fail(err, WHET_E_FORMAT, "operator %d names code %u; there are %d", (int)i, op->code,
                        (int)im->tf->n_code);
    const whet_tf_code *c = &im->tf->code[op->code];
    const char *name = whet__tf_builtin_name(c->builtin);
    whet_source_node x = {
        .name = "", .domain = "tflite", .since = c->version, .index = i, .n_in = op->in.n, .n_out = op->out.n};
    if (c->builtin == WHET_TF_CUSTOM) {
      x.domain = "tflite.custom";
      x.type = whet__arena_str(&im->g->arena, c->custom.p, c->custom.n);
    } else {
      x.type = name ? name : whet__arena_printf(&im->g->arena, "builtin operator %d", (int)c->builtin);
    }
    int32_t *list = whet__arena_array(&im->g->arena, (size_t)op->in.n + (size_t)op->out.n, sizeof *list);
    if (!x.type || !list) return refused(im, err);
    for (int32_t k = 0; k < op->in.n + op->out.n; k++) {
      int32_t t = k < op->in.n ? op->in.v[k] : op->out.v[k - op->in.n];
      list[k] = t >= 0 && t < g->n_tensor ? base + t : -1;
    }
    x.in = list;
    x.out = list + op->in.n;
    if (whet__im_source_node(im, &x) < 0) return refused(im, err);
  }
  return WHET_OK;
}

/* ---- subgraphs --------------------------------------------------------------------------------------------------
 */

/* Input i of a copy as a value of its own. */
static whet_status own_input(whet_import *im, struct whet_tf_scope *s, const struct whet_tf_use *u, int32_t i,
                             int32_t *out, whet_err *err) {
  int32_t t = s->g->in.v[i];
  if ((*out = make_value(im, s, t)) < 0) return refused(im, err);
  whet_val *x = &im->g->val[*out];
  x->role = (uint8_t)u->role;
  x->shape.rank = s->g->tensor[t].shape.n;
  if (u->role == WHET_ROLE_INPUT && !x->dtype)
    return whet__fail(err, WHET_E_UNSUPPORTED, "input %d, \"%.80s\", is of type %s", (int)i, x->name,
                      whet__tf_type_name(s->g->tensor[t].type));
  return WHET_OK;
}

/* The handle that operator o gives for input i of its body, when both have the same inputs (WHILE); else -1. Handles
 * of variables and tables are never changed by a body, so that inside it the outer one is meant. */
static int32_t handle(whet_import *im, const struct whet_tf_scope *s, int32_t i) {
  const struct whet_im_op *o = im->op;
  int32_t type = s->g->tensor[s->g->in.v[i]].type;
  if (type != WHET_TF_RESOURCE || !o || o->n_in != s->g->in.n || o->in[i] < 0) return -1;
  return im->g->val[o->in[i]].role == WHET_ROLE_CONST ? o->in[i] : -1;
}

/* Inputs of a copy: the values that it is given, or new ones. */
static whet_status read_inputs(whet_import *im, struct whet_tf_scope *s, const struct whet_tf_use *u, whet_err *err) {
  const whet_tf_subgraph *g = s->g;
  whet_region *r = u->region;
  if (u->args && u->n_args != g->in.n)
    return whet__fail(err, WHET_E_FORMAT, "subgraph %d has %d inputs; it is given %d", (int)s->index, (int)g->in.n,
                      (int)u->n_args);
  if (!u->args && !(r->in = whet__arena_array(&im->g->arena, (size_t)g->in.n, sizeof *r->in)))
    return refused(im, err);
  for (int32_t i = 0; i < g->in.n; i++) {
    int32_t t = g->in.v[i], v;
    if (t < 0 || t >= g->n_tensor)
      return whet__fail(err, WHET_E_FORMAT, "input %d of subgraph %d is tensor %d; there are %d", (int)i,
                        (int)s->index, (int)t, (int)g->n_tensor);
    if (u->args) {
      if (u->args[i] < 0)
        return whet__fail(err, WHET_E_FORMAT, "input %d of subgraph %d is absent", (int)i, (int)s->index);
      s->val[t] = u->args[i];
      continue;
    }
    if (s->val[t] < 0) {
      WHET_TRY(own_input(im, s, u, i, &v, err));
      int32_t outer = handle(im, s, i);
      s->val[t] = outer >= 0 ? outer : v;
      r->in[r->n_in++] = v;
    } else {
      r->in[r->n_in++] = s->val[t];
    }
  }
  return WHET_OK;
}

/* Before an inlined copy is read: tensors that are its outputs are the values that are asked for. */
static whet_status bind_outputs(whet_import *im, struct whet_tf_scope *s, const struct whet_tf_use *u,
                                whet_err *err) {
  const whet_tf_subgraph *g = s->g;
  if (u->n_outs != g->out.n)
    return whet__fail(err, WHET_E_FORMAT, "subgraph %d has %d outputs; %d are asked for", (int)s->index,
                      (int)g->out.n, (int)u->n_outs);
  for (int32_t i = 0; i < g->out.n; i++) {
    int32_t t = g->out.v[i];
    if (t < 0 || t >= g->n_tensor)
      return whet__fail(err, WHET_E_FORMAT, "output %d of subgraph %d is tensor %d; there are %d", (int)i,
                        (int)s->index, (int)t, (int)g->n_tensor);
    bool made = s->val[t] < 0 && u->outs[i] >= 0 && !contents(im, &g->tensor[t]) && !g->tensor[t].variable;
    if (made) s->val[t] = u->outs[i];
  }
  return WHET_OK;
}

/* After it: outputs that were something else already, an input or a constant, are handed on. */
static whet_status return_outputs(whet_import *im, struct whet_tf_scope *s, const struct whet_tf_use *u,
                                  whet_err *err) {
  for (int32_t i = 0; i < u->n_outs; i++) {
    int32_t v;
    WHET_TRY(value_of(im, s, s->g->out.v[i], &v, err));
    if (v == u->outs[i] || u->outs[i] < 0) continue;
    if (whet__im_node(im, whet__op_find("Identity"), NULL, &v, 1, &u->outs[i], 1))
      return whet__fail(err, im->op->err.code, "%s", im->op->err.text);
  }
  return WHET_OK;
}

static whet_status read_scope(whet_import *im, struct whet_tf_scope *s, const struct whet_tf_use *u, whet_err *err) {
  const whet_tf_subgraph *g = s->g;
  whet_region *r = u->region;
  for (int32_t i = 0; i < g->n_tensor; i++) s->val[i] = -1;
  WHET_TRY(read_inputs(im, s, u, err));
  if (u->outs) WHET_TRY(bind_outputs(im, s, u, err));
  for (int32_t i = 0; i < g->n_op; i++) WHET_TRY(read_op(im, s, i, err));
  if (u->outs) return return_outputs(im, s, u, err);
  if (!(r->out = whet__arena_array(&im->g->arena, (size_t)g->out.n, sizeof *r->out))) return refused(im, err);
  WHET_TRY(values_of(im, s, g->out, "output", false, r->out, err));
  r->n_out = g->out.n;
  return WHET_OK;
}

whet_status whet__tf_subgraph(whet_import *im, const struct whet_tf_use *u, whet_err *err) {
  if (u->index < 0 || u->index >= im->tf->n_subgraph)
    return whet__fail(err, WHET_E_FORMAT, "there is no subgraph %lld, only %d", (long long)u->index,
                      (int)im->tf->n_subgraph);
  for (const struct whet_tf_scope *k = u->up; k; k = k->up)
    if (k->index == u->index)
      return whet__fail(err, WHET_E_FORMAT, "subgraph %lld calls itself", (long long)u->index);
  const whet_tf_subgraph *g = &im->tf->subgraph[u->index];
  struct whet_tf_scope s = {.up = u->up, .g = g, .index = (int32_t)u->index, .region = u->region};
  WHET_TRY(whet__im_spend(im, 1 + g->n_tensor + g->in.n + g->out.n, false, err));
  WHET_TRY(whet__im_enter(im, err));
  const char *name = whet__arena_str(&im->g->arena, g->name.p, g->name.n);
  if (!u->outs) u->region->name = name;
  s.val = whet__alloc_array(&im->m->mem, (size_t)g->n_tensor, sizeof *s.val);
  whet_status st = s.val && name ? read_scope(im, &s, u, err) : refused(im, err);
  if (!st && !u->up) st = whet__tf_signatures(im, &s, err);
  whet__free(&im->m->mem, s.val);
  whet__im_leave(im);
  return st;
}

/* ---- signatures -------------------------------------------------------------------------------------------------
 */

/* One list of a signature: tensors to value numbers, names copied. */
static whet_status names_of(whet_import *im, struct whet_tf_scope *s, const whet_tf_name *n, int32_t count,
                            int32_t *val, const char **name, whet_err *err) {
  for (int32_t i = 0; i < count; i++) {
    if (n[i].index >= (uint32_t)s->g->n_tensor)
      return whet__fail(err, WHET_E_FORMAT, "signature name \"%.60s\" stands for tensor %u; there are %d",
                        n[i].name.p, n[i].index, (int)s->g->n_tensor);
    if (!(name[i] = whet__arena_str(&im->g->arena, n[i].name.p, n[i].name.n))) return refused(im, err);
    WHET_TRY(value_of(im, s, (int32_t)n[i].index, &val[i], err));
  }
  return WHET_OK;
}

/* One signature of the subgraph that was just read: a region with the same nodes whose inputs and outputs stand in
 * the signature's order. Inputs that it does not name follow, under their own names. */
static whet_status read_signature(whet_import *im, struct whet_tf_scope *s, const whet_tf_signature *f,
                                  whet_signature *out, whet_err *err) {
  whet_arena *a = &im->g->arena;
  int32_t most = f->n_in + s->region->n_in;
  whet_region *r = whet__arena_copy(a, s->region, sizeof *r);
  int32_t *in = whet__arena_array(a, (size_t)most, sizeof *in),
          *o = whet__arena_array(a, (size_t)f->n_out, sizeof *o);
  const char **name_in = whet__arena_array(a, (size_t)most, sizeof *name_in),
             **name_out = whet__arena_array(a, (size_t)f->n_out, sizeof *name_out);
  out->key = whet__arena_str(a, f->key.p, f->key.n);
  out->graph = s->index;
  if (!r || !in || !o || !name_in || !name_out || !out->key) return refused(im, err);
  WHET_TRY(names_of(im, s, f->in, f->n_in, in, name_in, err));
  WHET_TRY(names_of(im, s, f->out, f->n_out, o, name_out, err));
  int32_t n = f->n_in;
  for (int32_t i = 0; i < f->n_in; i++)
    if (im->g->val[in[i]].role != WHET_ROLE_INPUT)
      return whet__fail(err, WHET_E_FORMAT, "input \"%.60s\" is no input of subgraph %d", name_in[i], (int)s->index);
  for (int32_t i = 0; i < s->region->n_in; i++) {
    bool named = false;
    for (int32_t k = 0; k < n && !named; k++) named = in[k] == s->region->in[i];
    if (named) continue;
    name_in[n] = im->g->val[s->region->in[i]].name;
    in[n++] = s->region->in[i];
  }
  r->in = out->in = in;
  r->n_in = out->n_in = n;
  r->out = out->out = o;
  r->n_out = out->n_out = f->n_out;
  out->name_in = name_in;
  out->name_out = name_out;
  out->region = r;
  return WHET_OK;
}

whet_status whet__tf_signatures(whet_import *im, struct whet_tf_scope *s, whet_err *err) {
  enum { MAX_NAMES = 10000 };
  for (int32_t i = 0; i < im->tf->n_signature; i++) {
    const whet_tf_signature *f = &im->tf->signature[i];
    if (f->subgraph != (uint32_t)s->index) continue;
    if (f->n_in > MAX_NAMES || s->region->n_in > MAX_NAMES)
      return whet__fail(err, WHET_E_LIMIT, "signature \"%.60s\" has more than %d inputs", f->key.p, MAX_NAMES);
    WHET_TRY(whet__im_spend(im, 1 + f->n_in + f->n_out, false, err));
    if (read_signature(im, s, f, &im->m->signature[i], err))
      return whet__fail_in(err, "signature \"%.60s\"", f->key.p);
  }
  return WHET_OK;
}

/* ---- the model --------------------------------------------------------------------------------------------------
 */

static whet_status read_meta(whet_import *im, const whet_tf_model *m) {
  if (m->description.n) WHET_TRY(whet__im_meta(im, "description", m->description));
  WHET_TRY(whet__im_meta(im, "version", (whet_str){"3", 1}));
  for (int32_t i = 0; i < m->n_meta; i++) {
    if (m->meta[i].index >= (uint32_t)m->n_buffer)
      return whet__fail(im->err, WHET_E_FORMAT, "metadata \"%.60s\" names buffer %u; there are %d", m->meta[i].name.p,
                        m->meta[i].index, (int)m->n_buffer);
    const whet_tf_buffer *b = &m->buffer[m->meta[i].index];
    WHET_TRY(whet__im_meta(im, m->meta[i].name.p, (whet_str){b->p ? (const char *)b->p : "", b->n}));
  }
  return WHET_OK;
}

/* Source tensors and nodes of every subgraph, and tables for the values that copies share. */
static whet_status read_sources(whet_import *im, const whet_tf_model *m) {
  whet_source *src = &im->m->source;
  im->tf_tensors = whet__arena_array(&im->tmp, (size_t)m->n_subgraph, sizeof *im->tf_tensors);
  src->graph = whet__arena_array(&im->g->arena, (size_t)m->n_subgraph, sizeof *src->graph);
  if (!im->tf_tensors || !src->graph) return refused(im, im->err);
  for (int32_t i = 0; i < m->n_subgraph; i++) {
    const whet_tf_subgraph *g = &m->subgraph[i];
    struct whet_tf_tensors *t = &im->tf_tensors[i];
    *t = (struct whet_tf_tensors){src->n_tensor, src->n_node,
                                  whet__arena_array(&im->tmp, (size_t)g->n_tensor, sizeof *t->shared)};
    if (!t->shared) return refused(im, im->err);
    for (int32_t k = 0; k < g->n_tensor; k++) t->shared[k] = -1;
    whet_status s = source_tensors(im, g, im->err);
    if (!s) s = source_nodes(im, g, t->base, im->err);
    if (s) return m->n_subgraph > 1 ? whet__fail_in(im->err, "subgraph %d", (int)i) : s;
    src->graph[src->n_graph++] = (whet_source_graph){t->base, src->n_tensor - t->base, t->base_op, src->n_node - t->base_op};
    if (!i) {
      src->n_main = src->n_tensor;
      src->n_main_node = src->n_node;
    }
  }
  return WHET_OK;
}

static whet_status read_model(whet_import *im, whet_tf_model *m) {
  whet_model *model = im->m;
  WHET_TRY(whet__tf_model(model->bytes, model->n_bytes, &im->tmp, model->limits.nodes, m, im->err));
  if (!m->n_subgraph) return whet__fail(im->err, WHET_E_FORMAT, "the model has no subgraph");
  im->tf = m;
  WHET_TRY(read_meta(im, m));
  WHET_TRY(read_sources(im, m));
  model->n_signature = m->n_signature;
  model->signature = whet__arena_array(&im->g->arena, (size_t)m->n_signature, sizeof *model->signature);
  if (!model->signature) return refused(im, im->err);
  WHET_TRY(whet__tf_subgraph(im, &(struct whet_tf_use){.role = WHET_ROLE_INPUT, .region = &im->g->main}, im->err));
  for (int32_t i = 0; i < m->n_signature; i++) {
    if (model->signature[i].region) continue;
    whet_region *r = whet__arena_alloc(&im->g->arena, sizeof *r);
    if (!r) return refused(im, im->err);
    const struct whet_tf_use u = {.index = m->signature[i].subgraph, .role = WHET_ROLE_INPUT, .region = r};
    if (whet__tf_subgraph(im, &u, im->err))
      return whet__fail_in(im->err, "signature \"%.60s\"", m->signature[i].key.p);
  }
  return WHET_OK;
}

whet_status whet__tflite_read(whet_import *im) {
  whet_tf_model m;
  whet_status s = read_model(im, &m);
  im->tf = NULL;
  return s;
}
