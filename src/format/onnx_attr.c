/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of ONNX nodes, as op/op.h offers them to records. A wrong type is remembered and fails the node. */

#include "format/onnx.h"

/* The attribute of a node by its name. */
static const whet_ox_attr *of_node(const whet_ox_attr *a, int32_t n, whet_str name) {
  for (int32_t i = 0; i < n; i++)
    if (whet__str_same(a[i].name, name)) return &a[i];
  return NULL;
}

const whet_ox_attr *whet__ox_attr(whet_import *im, const char *name, struct whet_ox_scope **scope) {
  const whet_ox_node *node = im->op->ox;
  struct whet_ox_scope *s = im->op->ox_scope;
  if (!node) return NULL;
  const whet_ox_attr *a = of_node(node->attr, node->n_attr, (whet_str){name, strlen(name)});
  while (a && a->ref.n) {
    struct whet_ox_call *call = s->call;
    if (!call) return NULL;
    const whet_ox_attr *given = of_node(call->node->attr, call->node->n_attr, a->ref);
    if (!given) {
      a = of_node(call->fn->dflt, call->fn->n_dflt, a->ref);
      break;
    }
    a = given;
    s = call->scope;
  }
  if (scope) *scope = s;
  return a;
}

/* The attribute when it is there and of that type; NULL when it is absent or (remembered) of another. */
static const whet_ox_attr *typed(whet_import *im, const char *name, int32_t type, struct whet_ox_scope **scope) {
  const whet_ox_attr *a = whet__ox_attr(im, name, scope);
  if (!a || a->type == type) return a;
  if (!im->op->bad)
    im->op->bad = whet__im_fail(im, WHET_E_TYPE, "attribute %s is of type %s, expected %s", name,
                                whet__ox_attr_type_name(a->type), whet__ox_attr_type_name(type));
  return NULL;
}

/* A copy in the graph's arena, since the file's structure is freed after reading. */
static const void *keep(whet_import *im, const void *p, size_t n) {
  const void *q = whet__arena_copy(&im->g->arena, p, n);
  if (!q) im->no_memory = true;
  return q;
}
static whet_str keep_str(whet_import *im, whet_str s) {
  char *p = whet__arena_str(&im->g->arena, s.p, s.n);
  if (!p) im->no_memory = true;
  return p ? (whet_str){p, s.n} : (whet_str){"", 0};
}

bool whet__onnx_has(whet_import *im, const char *name) { return whet__ox_attr(im, name, NULL) != NULL; }

int64_t whet__onnx_int(whet_import *im, const char *name, int64_t dflt) {
  const whet_ox_attr *a = typed(im, name, WHET_OX_INT, NULL);
  return a ? a->i : dflt;
}

float whet__onnx_float(whet_import *im, const char *name, float dflt) {
  const whet_ox_attr *a = typed(im, name, WHET_OX_FLOAT, NULL);
  return a ? a->f : dflt;
}

whet_str whet__onnx_str(whet_import *im, const char *name, const char *dflt) {
  const whet_ox_attr *a = typed(im, name, WHET_OX_STRING, NULL);
  return a ? keep_str(im, a->s) : (whet_str){dflt, dflt ? strlen(dflt) : 0};
}

whet_ints whet__onnx_ints(whet_import *im, const char *name) {
  const whet_ox_attr *a = typed(im, name, WHET_OX_INTS, NULL);
  const void *p = a ? keep(im, a->ints, (size_t)a->n * sizeof *a->ints) : NULL;
  return p ? (whet_ints){p, a->n} : (whet_ints){NULL, 0};
}

whet_floats whet__onnx_floats(whet_import *im, const char *name) {
  const whet_ox_attr *a = typed(im, name, WHET_OX_FLOATS, NULL);
  const void *p = a ? keep(im, a->floats, (size_t)a->n * sizeof *a->floats) : NULL;
  return p ? (whet_floats){p, a->n} : (whet_floats){NULL, 0};
}

/* A list of strings in the graph's arena. */
static const whet_str *keep_strs(whet_import *im, const whet_str *s, int32_t n) {
  whet_str *v = whet__arena_array(&im->g->arena, (size_t)n, sizeof *v);
  if (!v) im->no_memory = true;
  for (int32_t i = 0; v && i < n; i++) v[i] = keep_str(im, s[i]);
  return v;
}

whet_strs whet__onnx_strs(whet_import *im, const char *name) {
  const whet_ox_attr *a = typed(im, name, WHET_OX_STRINGS, NULL);
  const whet_str *v = a ? keep_strs(im, a->strings, a->n) : NULL;
  return v ? (whet_strs){v, a->n} : (whet_strs){NULL, 0};
}

/* Make value v the constant that a TENSOR or SPARSE attribute holds. */
static whet_status set_tensor(whet_import *im, const whet_ox_attr *a, int32_t v, whet_err *err) {
  whet_dtype t;
  whet_shape s;
  const void *p;
  bool mapped = false;
  if (a->type == WHET_OX_TENSOR && a->t)
    WHET_TRY(whet__ox_contents(im, a->t, &t, &s, &p, &mapped, err));
  else if (a->type == WHET_OX_SPARSE && a->sparse)
    WHET_TRY(whet__ox_dense(im, a->sparse, &t, &s, &p, err));
  else
    return whet__fail(err, WHET_E_FORMAT, "attribute %.40s holds no tensor", a->name.p);
  return whet__im_set_const(im, v, t, &s, p, mapped) ? WHET_OK
                                                     : whet__im_no_memory(im, err, sizeof(whet_data), "a constant");
}

int32_t whet__onnx_tensor(whet_import *im, const char *name) {
  const whet_ox_attr *a = whet__ox_attr(im, name, NULL);
  if (!a) return -1;
  if (a->type != WHET_OX_SPARSE && !typed(im, name, WHET_OX_TENSOR, NULL)) return -1;
  int32_t v = whet__im_new(im, name);
  if (v < 0) return -1;
  whet_status s = set_tensor(im, a, v, &im->op->err);
  if (s && !im->op->bad) im->op->bad = s;
  return s ? -1 : v;
}

whet_region *whet__onnx_region(whet_import *im, const char *name) {
  struct whet_ox_scope *scope;
  struct whet_im_op *o = im->op;
  const whet_ox_attr *a = typed(im, name, WHET_OX_GRAPH, &scope);
  if (!a || !a->g) return NULL;
  whet_region *r = whet__arena_alloc(&im->g->arena, sizeof *r);
  whet_status s = r ? WHET_OK : whet__im_no_memory(im, &o->err, sizeof *r, "the graph");
  if (!s && !(s = whet__im_enter(im, &o->err))) {
    /* What stands inside reports to im->err with its own place; here that becomes part of this node's. */
    whet_err *outer = im->err, inner = {0};
    im->err = &inner;
    s = whet__ox_body(im, a->g, scope, r, &inner);
    im->err = outer;
    whet__im_leave(im);
    im->op = o;
    if (s) whet__fail(&o->err, s, "%s", inner.text);
  }
  if (s && !o->bad) o->bad = s;
  return s ? NULL : r;
}

int32_t whet__onnx_inline(whet_import *im, const char *name, int32_t v) {
  if (!whet__onnx_has(im, name)) return v;
  whet_region *r = whet__onnx_region(im, name);
  if (!r) return -1;
  if (r->n_in != 1 || r->n_out != 1) {
    whet__im_fail(im, WHET_E_FORMAT, "graph %s has %d inputs and %d outputs, expected one of each", name, r->n_in, r->n_out);
    return -1;
  }
  im->g->val[r->in[0]].role = WHET_ROLE_NODE;
  if (whet__im_node(im, whet__op_find("Identity"), NULL, &v, 1, &r->in[0], 1)) return -1;
  whet_region *to = im->op->region;
  for (int32_t i = 0; i < r->n_node; i++)
    if (!whet__region_insert(im->g, to, to->n_node, r->node[i])) {
      whet__im_no_memory(im, &im->op->err, sizeof(int32_t), "a list of nodes");
      return -1;
    }
  return r->out[0];
}

/* A constant of n elements at p, copied. */
static whet_status set_list(whet_import *im, int32_t v, whet_dtype t, bool scalar, int32_t n, const void *p,
                            whet_err *err) {
  whet_shape s = {.rank = scalar ? 0 : 1, .d = {n}};
  size_t bytes = whet_dtype_bytes(t, (size_t)n);
  void *q = whet__arena_alloc(&im->g->arena, bytes + WHET_SLACK);
  if (!q || !whet__im_set_const(im, v, t, &s, q, false)) return whet__im_no_memory(im, err, bytes, "a constant");
  if (bytes) memcpy(q, p, bytes);
  return WHET_OK;
}

/* Constant: ONNX Constant-1 to -25, all forms of its value. */
whet_status whet__ox_constant(whet_import *im, struct whet_im_op *o, int32_t v) {
  static const struct form {
    const char *name;
    int32_t type;
  } k_form[] = {{"value", WHET_OX_TENSOR},        {"sparse_value", WHET_OX_SPARSE},  {"value_float", WHET_OX_FLOAT},
                {"value_floats", WHET_OX_FLOATS}, {"value_int", WHET_OX_INT},        {"value_ints", WHET_OX_INTS},
                {"value_string", WHET_OX_STRING}, {"value_strings", WHET_OX_STRINGS}};
  const whet_ox_attr *a = NULL;
  for (size_t i = 0; i < WHET_COUNT(k_form); i++) {
    if (!whet__onnx_has(im, k_form[i].name)) continue;
    if (a) return whet__fail(&o->err, WHET_E_FORMAT, "it has more than one value: %s too", k_form[i].name);
    if (!(a = typed(im, k_form[i].name, k_form[i].type, NULL))) return o->bad;
  }
  if (!a) return whet__fail(&o->err, WHET_E_FORMAT, "it has no value");
  switch (a->type) {
    case WHET_OX_FLOAT:
      return set_list(im, v, WHET_F32, true, 1, &a->f, &o->err);
    case WHET_OX_FLOATS:
      return set_list(im, v, WHET_F32, false, a->n, a->floats, &o->err);
    case WHET_OX_INT:
      return set_list(im, v, WHET_S64, true, 1, &a->i, &o->err);
    case WHET_OX_INTS:
      return set_list(im, v, WHET_S64, false, a->n, a->ints, &o->err);
    case WHET_OX_STRING:
    case WHET_OX_STRINGS: {
      bool one = a->type == WHET_OX_STRING;
      const whet_str *list = keep_strs(im, one ? &a->s : a->strings, one ? 1 : a->n);
      return list ? set_list(im, v, WHET_STRING, one, one ? 1 : a->n, list, &o->err)
                  : whet__im_no_memory(im, &o->err, 64, "a constant");
    }
    default:
      return set_tensor(im, a, v, &o->err);
  }
}
