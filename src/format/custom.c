/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes of the caller's own operators: found by domain and name before anything else, with their attributes as they
 * are. */

#include "format/onnx.h"
#include "op/custom.h"

const whet_custom_op *whet__im_custom(whet_import *im, const struct whet_im_op *o) {
  const char *domain = strcmp(o->domain, "tflite.custom") ? o->domain : "";
  if (!strcmp(o->domain, "tflite")) return NULL;
  for (size_t i = 0; i < im->m->n_custom; i++) {
    const whet_custom_domain *d = im->m->custom[i];
    if (!d || strcmp(d->name ? d->name : "", domain)) continue;
    for (size_t k = 0; k < d->n_ops; k++)
      if (!strcmp(d->ops[k]->name, o->type)) return d->ops[k];
  }
  return NULL;
}

/* Attribute `name` of the node that is being read, as an item; kind stays 0xff for kinds that no caller can ask for.
 */
static void read_item(whet_import *im, const char *name, whet_custom_item *x) {
  const whet_ox_attr *a = whet__ox_attr(im, name, NULL);
  x->kind = 0xff;
  if (!a) return;
  x->name = whet__arena_str(&im->g->arena, name, strlen(name));
  if (!x->name) im->no_memory = true;
  switch (a->type) {
    case WHET_OX_INT:
      x->kind = WHET_ATTR_I64, x->i = a->i;
      break;
    case WHET_OX_FLOAT:
      x->kind = WHET_ATTR_F32, x->f = a->f;
      break;
    case WHET_OX_STRING:
      x->kind = WHET_ATTR_STR, x->s = whet__onnx_str(im, name, "");
      break;
    case WHET_OX_INTS:
      x->kind = WHET_ATTR_I64S, x->ints = whet__onnx_ints(im, name);
      break;
    case WHET_OX_FLOATS:
      x->kind = WHET_ATTR_F32S, x->floats = whet__onnx_floats(im, name);
      break;
    case WHET_OX_STRINGS:
      x->kind = WHET_ATTR_STRS, x->strs = whet__onnx_strs(im, name);
      break;
    case WHET_OX_TENSOR: {
      bool mapped;
      whet_status s = a->t ? whet__ox_contents(im, a->t, &x->dtype, &x->shape, &x->data, &mapped, &im->op->err) : WHET_E_FORMAT;
      x->kind = WHET_CUSTOM_TENSOR;
      if (s && !im->op->bad) im->op->bad = s;
      break;
    }
    default:
      break;
  }
}

/* True when `n` lies in [lo, hi]; hi -1: no upper bound. */
static bool between(int n, int32_t lo, int32_t hi) { return n >= lo && (hi < 0 || n <= hi); }

static whet_status make(whet_import *im, struct whet_im_op *o, const whet_custom_op *c) {
  const whet_op *op = whet__op_find("Custom");
  if (!op) return whet__fail(&o->err, WHET_E_UNSUPPORTED, "operators of the caller's own cannot be run");
  if (!between(o->n_in, c->min_in, c->max_in) || !between(o->n_out, c->min_out, c->max_out))
    return whet__fail(&o->err, WHET_E_FORMAT, "it has %d inputs and %d outputs, expected %d..%d and %d..%d", o->n_in,
                      o->n_out, (int)c->min_in, (int)c->max_in, (int)c->min_out, (int)c->max_out);
  whet_custom_attr *a = whet__arena_alloc(&im->g->arena, sizeof *a);
  int32_t n = o->ox ? o->ox->n_attr : 0;
  whet_custom_item *item = whet__arena_array(&im->g->arena, (size_t)n, sizeof *item);
  if (!a || !item) return whet__im_no_memory(im, &o->err, sizeof *a, "attributes");
  *a = (whet_custom_attr){.op = c, .item = item, .options = whet__tfl_custom(im)};
  for (int32_t i = 0; i < n; i++) {
    read_item(im, o->ox->attr[i].name.p, &item[a->n_item]);
    a->n_item += item[a->n_item].kind != 0xff;
  }
  return whet__im_node_as_is(im, op, a);
}

whet_status whet__im_custom_node(whet_import *im, struct whet_im_op *o, const whet_custom_op *c) {
  WHET_TRY(whet__im_spend(im, 1 + o->n_in + o->n_out, true, im->err));
  im->op = o;
  whet_status s = make(im, o, c);
  im->op = o->up;
  if (!s) s = o->bad;
  if (s == WHET_E_UNSUPPORTED) return whet__im_missing(im, o, o->err.text);
  return s ? whet__im_place(o, im->err) : WHET_OK;
}
