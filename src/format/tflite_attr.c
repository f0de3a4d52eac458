/* SPDX-License-Identifier: Apache-2.0 */
/* Options of TFLite operators, bodies and fused activations, as op/op.h offers them to records. */

#include <math.h>

#include "format/tflite.h"

/* The kind of option field `id` ('b', 'i' ...: see tfl_options.def) when it is stored and one of `kinds`; else 0. */
static char kind_of(whet_import *im, int id, const char *kinds) {
  const whet_tf_op *op = im->op->tf;
  if (!op || !op->fields || id < 0 || (size_t)id >= strlen(op->fields) || !whet__fb_has(op->options, id)) return 0;
  char k = op->fields[id];
  if (strchr(kinds, k)) return k;
  if (!im->op->bad)
    im->op->bad = whet__im_fail(im, WHET_E_INTERNAL, "option %d of %s is of kind %c", id, op->options_name, k);
  return 0;
}

/* n elements of `each` bytes in the graph's arena. */
static void *room(whet_import *im, size_t n, size_t each) {
  void *p = whet__arena_array(&im->g->arena, n, each);
  if (!p) im->no_memory = true;
  return p;
}

int64_t whet__tfl_int(whet_import *im, int id, int64_t dflt) {
  const whet_fb_table t = im->op->tf ? im->op->tf->options : (whet_fb_table){0};
  switch (kind_of(im, id, "biul")) {
    case 'b':
      return whet__fb_int(t, id, 1, dflt);
    case 'i':
      return whet__fb_int(t, id, 4, dflt);
    case 'u':
      return (int64_t)whet__fb_uint(t, id, 4, 0);
    case 'l':
      return whet__fb_int(t, id, 8, dflt);
    default:
      return dflt;
  }
}

float whet__tfl_float(whet_import *im, int id, float dflt) {
  return kind_of(im, id, "f") ? whet__fb_float(im->op->tf->options, id, dflt) : dflt;
}

whet_ints whet__tfl_ints(whet_import *im, int id) {
  char k = kind_of(im, id, "BIL");
  if (!k) return (whet_ints){NULL, 0};
  unsigned each = k == 'B' ? 1 : k == 'I' ? 4 : 8;
  whet_fb_vec v = whet__fb_vec(im->op->tf->options, id, each);
  int64_t *p = v.n <= INT32_MAX ? room(im, v.n, sizeof *p) : NULL;
  if (!p) return (whet_ints){NULL, 0};
  for (uint32_t i = 0; i < v.n; i++) p[i] = whet__fb_vec_int(v, i, each);
  return (whet_ints){p, (int32_t)v.n};
}

whet_floats whet__tfl_floats(whet_import *im, int id) {
  if (!kind_of(im, id, "F")) return (whet_floats){NULL, 0};
  whet_fb_vec v = whet__fb_vec(im->op->tf->options, id, 4);
  float *p = v.n <= INT32_MAX ? room(im, v.n, sizeof *p) : NULL;
  if (!p) return (whet_floats){NULL, 0};
  for (uint32_t i = 0; i < v.n; i++) p[i] = whet__fb_vec_float(v, i);
  return (whet_floats){p, (int32_t)v.n};
}

/* A terminated copy of bytes of the file. */
static whet_str keep(whet_import *im, const void *p, size_t n) {
  char *q = whet__arena_str(&im->g->arena, p, n);
  if (!q) im->no_memory = true;
  return q ? (whet_str){q, n} : (whet_str){"", 0};
}

whet_str whet__tfl_str(whet_import *im, int id) {
  if (!kind_of(im, id, "sB")) return (whet_str){"", 0};
  whet_str s = whet__fb_str(im->op->tf->options, id);
  return keep(im, s.p, s.n);
}

whet_str whet__tfl_custom(whet_import *im) {
  const whet_tf_op *op = im->op->tf;
  return op && op->custom ? keep(im, op->custom, op->n_custom) : (whet_str){"", 0};
}

bool whet__tfl_intermediate(whet_import *im, int i, float *scale, int32_t *zero) {
  const struct whet_im_op *o = im->op;
  if (!o->tf || i < 0 || i >= o->tf->intermediates.n) return false;
  int32_t t = o->tf->intermediates.v[i];
  if (t < 0 || t >= o->tf_scope->g->n_tensor) return false;
  const whet_tf_quant *q = &o->tf_scope->g->tensor[t].quant;
  int64_t z = q->n_scale && q->n_zero ? q->zero[0] : 0;
  if (q->n_scale < 1 || !(q->scale[0] > 0) || !isfinite(q->scale[0]) || z < INT32_MIN || z > INT32_MAX) return false;
  *scale = q->scale[0];
  *zero = (int32_t)z;
  return true;
}

/* A subgraph read as a body, its inputs bound to args when they are given. */
static whet_region *region(whet_import *im, int64_t index, const int32_t *args, int n_args) {
  struct whet_im_op *o = im->op;
  if (!o->tf) return NULL;
  whet_region *r = whet__arena_alloc(&im->g->arena, sizeof *r);
  whet_err *outer = im->err, inner = {0};
  const struct whet_tf_use u = {
      .index = index, .up = o->tf_scope, .region = r, .role = WHET_ROLE_NODE, .args = args, .n_args = n_args};
  im->err = &inner; /* what stands inside tells its own place; here that becomes part of this operator's */
  whet_status s = r ? whet__tf_subgraph(im, &u, &inner) : whet__im_no_memory(im, &inner, sizeof *r, "the graph");
  im->err = outer;
  im->op = o;
  if (!s) return r;
  whet__fail(&o->err, s, "%s", inner.text);
  if (!o->bad) o->bad = s;
  return NULL;
}

whet_region *whet__tfl_region(whet_import *im, int64_t index) { return region(im, index, NULL, 0); }

whet_region *whet__tfl_region_with(whet_import *im, int64_t index, const int32_t *args, int n_args) {
  return region(im, index, args, n_args);
}

/* The operator that computes an activation code by itself; NULL for none, "" for a code that is no activation. */
static const char *activation_name(int64_t code) {
  static const char *const k_name[] = {NULL, "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT"};
  return code >= 0 && code < (int64_t)WHET_COUNT(k_name) ? k_name[code] : "";
}

int32_t whet__tfl_before_activation(whet_import *im, int64_t code) {
  int32_t out = whet__im_out(im, 0);
  if (out < 0 || !activation_name(code)) return out;
  int32_t v = whet__im_new(im, "linear");
  if (v < 0) return -1;
  const whet_val *x = &im->g->val[out];
  im->g->val[v].dtype = x->dtype;
  im->g->val[v].shape = x->shape;
  im->g->val[v].q = x->q;
  return v;
}

whet_status whet__tfl_activation(whet_import *im, int64_t code, int32_t in, int32_t out) {
  const char *name = activation_name(code);
  const whet_op *op = NULL;
  int oldest;
  if (!name) return WHET_OK;
  if (!*name) return whet__im_fail(im, WHET_E_FORMAT, "activation %lld, which is none", (long long)code);
  const whet_from *f = whet__from_find("tflite", name, INT16_MAX, &op, &oldest);
  if (!f) return whet__im_fail(im, WHET_E_UNSUPPORTED, "the fused activation %s", name);
  /* Read it as if it stood in the file behind this operator. */
  struct whet_im_op *o = im->op, act = *o;
  whet_tf_op bare = {.code = 0};
  act.type = name;
  act.in = &in;
  act.out = &out;
  act.n_in = act.n_out = 1;
  act.tf = &bare;
  im->op = &act;
  whet_status s = f->fn ? f->fn(im, op) : whet__im_node_as_is(im, op, NULL);
  im->op = o;
  if (!s) s = act.bad;
  if (s) return whet__fail(&o->err, s, "%s", act.err.text);
  return WHET_OK;
}
