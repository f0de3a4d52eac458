/* SPDX-License-Identifier: Apache-2.0 */
/* Gradient: the partial derivatives of a value y of the graph by others, xs, at the values that its inputs give them.
 *
 * ai.onnx.preview.training 1. Inputs are values for xs, then for zs, on which y depends too; outputs are the derivatives
 * by xs (of the sum of y's elements). There is nothing to run: pass/gradient.c writes the derivatives out, each operator's
 * by its grad hook. Here the node has its inputs, then xs and zs themselves, then y. */

#include "op/gradient.h"

#include "op/move.h"
#include "op/walk.h"

static const whet_attr_desc k_attrs[] = {{"xs", WHET_ATTR_I32, offsetof(whet_gradient, xs)},
                                         {"zs", WHET_ATTR_I32, offsetof(whet_gradient, zs)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status read(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_gradient, a);
  whet_strs xs = whet__onnx_strs(im, "xs"), zs = whet__onnx_strs(im, "zs");
  whet_str y = whet__onnx_str(im, "y", "");
  int32_t n = xs.n + zs.n, n_out = whet__im_n_out(im);
  int32_t *in = whet__arena_array(whet__im_arena(im), 2 * (size_t)n + 1, sizeof *in);
  int32_t *out = whet__arena_array(whet__im_arena(im), (size_t)n_out + 1, sizeof *out);
  if (!in || !out) return whet__im_fail(im, WHET_E_MEMORY, "no memory for a gradient");
  if (!xs.n || whet__im_n_in(im) != n || n_out > xs.n)
    return whet__im_fail(im, WHET_E_FORMAT, "%d inputs and %d outputs for %d names in xs and %d in zs", whet__im_n_in(im),
                         n_out, xs.n, zs.n);
  a->xs = xs.n;
  a->zs = zs.n;
  for (int32_t i = 0; i < n; i++) {
    whet_str name = i < xs.n ? xs.v[i] : zs.v[i - xs.n];
    in[i] = whet__im_in(im, i);
    in[n + i] = whet__onnx_named(im, name);
    if (in[i] < 0 || in[n + i] < 0)
      return whet__im_fail(im, WHET_E_FORMAT, "\"%.*s\" of xs or zs is no value here, or its input is missing",
                           (int)whet__min_i((int64_t)name.n, 80), name.p);
  }
  in[2 * n] = whet__onnx_named(im, y);
  if (in[2 * n] < 0)
    return whet__im_fail(im, WHET_E_FORMAT, "y, \"%.*s\", is no value here", (int)whet__min_i((int64_t)y.n, 80), y.p);
  for (int i = 0; i < n_out; i++) out[i] = whet__im_out(im, i);
  return whet__im_node(im, op, a, in, 2 * n + 1, out, n_out);
}

static const whet_from k_from[] = {{"ai.onnx.preview.training", "Gradient", 1, read}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_gradient *a = n->attr;
  int32_t count = a->xs + a->zs;
  for (int32_t i = 0; i < count; i++) {
    const whet_shape *s = whet__in_shape(f, i), *as = whet__in_shape(f, count + i);
    bool fits = whet__in_dtype(f, i) == whet__in_dtype(f, count + i) && s->rank == as->rank;
    for (int32_t d = 0; fits && d < s->rank; d++)
      fits = !whet__dim_known(s->d[d]) || !whet__dim_known(as->d[d]) || s->d[d] == as->d[d];
    if (!fits) return whet__infer_fail(f, WHET_E_SHAPE, "input %d is not as the value that it stands for", i);
    if (i < a->xs && !whet__type_in(WHET_T_FLOAT, whet__in_dtype(f, i)))
      return whet__infer_fail(f, WHET_E_TYPE, "input %d of type %s is not taken", i, whet_dtype_name(whet__in_dtype(f, i)));
  }
  for (int o = 0; o < n->n_out; o++) *whet__out(f, o, whet__in_dtype(f, o)) = *whet__in_shape(f, o);
  return WHET_OK;
}

const whet_op whet_op_Gradient = {
    .name = "Gradient", .attr_size = sizeof(whet_gradient), .attrs = k_attrs, .from = k_from, .infer = infer};
