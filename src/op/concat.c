/* SPDX-License-Identifier: Apache-2.0 */
/* Concat(x0, x1, ...): the inputs one after the other along an axis; all other dimensions are equal.
 *
 * ONNX Concat 1-13; TFLite CONCATENATION (with its fused activation), PACK (each input gets the new axis first),
 * STABLEHLO_CONCATENATE. All types. Exact. 8-bit inputs whose scale or zero point is not the output's are requantised as LiteRT does,
 * y = round(x * s - zx * s) + zy with s = sx * (1 / sy), in f32, half away from zero. */

#include <math.h>

#include "op/grad.h"
#include "op/move.h"
#include "op/move_attr.h"
#include "op/q8.h"

/* ---- attributes ------------------------------------------------------------------------------ */

static const whet_attr_desc k_attrs[] = {{"axis", WHET_ATTR_I32, offsetof(whet_concat, axis)}, {0}};

/* ---- reading --------------------------------------------------------------------------------- */

/* Attributes in the arena; axes out of any range stay so. */
static whet_concat *attr_of(whet_import *im, int64_t axis) {
  whet_concat *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (a) a->axis = (int32_t)whet__clamp_i(axis, INT32_MIN, INT32_MAX);
  return a;
}

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  whet_concat *a = attr_of(im, whet__onnx_int(im, "axis", 1));
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  return whet__im_node_as_is(im, op, a);
}

/* The operator's inputs as an array in the arena. */
static int32_t *inputs(whet_import *im, int *n) {
  *n = whet__im_n_in(im);
  int32_t *in = whet__arena_array(whet__im_arena(im), (size_t)*n + 1, sizeof *in);
  for (int i = 0; in && i < *n; i++) in[i] = whet__im_in(im, i);
  return in;
}

static whet_status from_tfl(whet_import *im, const whet_op *op) {
  int n;
  int32_t *in = inputs(im, &n);
  whet_concat *a = attr_of(im, whet__tfl_int(im, 0, 0));
  if (!a || !in) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  int64_t code = whet__tfl_int(im, 1, 0);
  int32_t out = whet__tfl_before_activation(im, code);
  WHET_TRY(whet__im_node(im, op, a, in, n, &out, 1));
  return whet__tfl_activation(im, code, out, whet__im_out(im, 0));
}

static whet_status pack_tfl(whet_import *im, const whet_op *op) {
  int n;
  int32_t *in = inputs(im, &n), out = whet__im_out(im, 0);
  int64_t axis = whet__tfl_int(im, 1, 0);
  whet_concat *a = attr_of(im, axis);
  if (!a || !in) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  for (int i = 0; i < n; i++) {
    in[i] = whet__im_squeeze(im, "Unsqueeze", in[i], axis, -1);
    if (in[i] < 0) return whet__im_fail(im, WHET_E_MEMORY, "no memory for input %d", i);
  }
  return whet__im_node(im, op, a, in, n, &out, 1);
}

static whet_status from_hlo(whet_import *im, const whet_op *op) {
  whet_concat *a = attr_of(im, whet__tfl_int(im, 0, 0));
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  return whet__im_node_as_is(im, op, a);
}

static const whet_from k_from[] = {{"", "Concat", 1, from_onnx},
                                   {"tflite", "CONCATENATION", 1, from_tfl},
                                   {"tflite", "PACK", 1, pack_tfl},
                                   {"tflite", "STABLEHLO_CONCATENATE", 1, from_hlo},
                                   {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

/* What the output contains, where every input is a small vector of known contents. */
static void concat_known(whet_infer *f, int32_t total) {
  for (int i = 0; i < whet__in_n(f); i++) {
    int32_t n;
    if (!whet__in_known(f, i, &n)) return;
  }
  whet_dim *to = whet__out_known(f, 0, total);
  for (int i = 0; to && i < whet__in_n(f); i++) {
    int32_t n;
    const whet_dim *from = whet__in_known(f, i, &n);
    memcpy(to, from, (size_t)n * sizeof *to);
    to += n;
  }
}

static whet_status concat_infer(whet_infer *f, const whet_node *n) {
  const whet_concat *a = n->attr;
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, 0));
  out->rank = -1;
  if (!n->n_in) return whet__infer_fail(f, WHET_E_SHAPE, "nothing to concatenate");
  int32_t axis = 0;
  for (int i = 0; i < n->n_in; i++) {
    const whet_shape *s = whet__in_shape(f, i);
    if (whet__in_dtype(f, i) != whet__in_dtype(f, 0))
      return whet__infer_fail(f, WHET_E_TYPE, "input %d is %s, input 0 is %s", i,
                              whet_dtype_name(whet__in_dtype(f, i)), whet_dtype_name(whet__in_dtype(f, 0)));
    if (s->rank < 0) {
      out->rank = -1;
      return WHET_LATE;
    }
    if (i == 0) {
      WHET_TRY(whet__infer_axis(f, a->axis, s->rank, &axis));
      *out = *s;
      continue;
    }
    if (s->rank != out->rank)
      return whet__infer_fail(f, WHET_E_SHAPE, "input %d has %d dimensions, input 0 has %d", i, s->rank, out->rank);
    for (int32_t d = 0; d < s->rank; d++) {
      if (d == axis) {
        out->d[d] = whet__dim_add(out->d[d], s->d[d]);
      } else if (whet__dim_known(s->d[d])) {
        if (whet__dim_known(out->d[d]) && out->d[d] != s->d[d])
          return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d is %lld in input %d, %lld before", d,
                                  (long long)s->d[d], i, (long long)out->d[d]);
        out->d[d] = s->d[d];
      }
    }
  }
  if (out->rank == 1 && whet__dim_known(out->d[0]) && out->d[0] <= WHET_KNOWN_MAX)
    concat_known(f, (int32_t)out->d[0]);
  return WHET_OK;
}

/* ---- requantising ---------------------------------------------------------------------------- */

/* Do 8-bit numbers of type t change their meaning on the way from qx to qy? */
static bool requantised(whet_dtype t, const whet_quant *qx, const whet_quant *qy) {
  return (t == WHET_U8 || t == WHET_S8) && qx && qy && qx->n == 1 && qy->n == 1 && !whet__quant_equal(qx, qy);
}

/* What becomes of each byte. */
static void requantise(whet_dtype t, const whet_quant *qx, const whet_quant *qy, uint8_t table[256]) {
  whet_q8 x = whet__q8(t, qx), y = whet__q8(t, qy);
  float scale = x.scale * (1.0f / y.scale), bias = (float)-x.zero * scale;
  for (int i = 0; i < 256; i++) {
    float v = (float)(t == WHET_S8 ? (int8_t)i : i) * scale;
    table[i] = (uint8_t)whet__q8_store(&y, (double)roundf(v + bias));
  }
}

/* ---- reference ------------------------------------------------------------------------------- */

static whet_status concat_ref(const whet_args *a) {
  const whet_concat *c = a->attr;
  const whet_tensor *out = &a->out[0];
  int32_t axis = c->axis < 0 ? c->axis + out->rank : c->axis;
  int64_t at = 0;
  for (int i = 0; i < a->n_in; i++) {
    const whet_tensor *in = &a->in[i];
    int64_t from = at * out->stride[axis], k[WHET_MAX_RANK] = {0};
    whet__move_box(in->dtype, in->rank, in->dim, out->data, from, out->stride, in->data, 0, in->stride);
    at += in->dim[axis];
    if (!requantised(in->dtype, in->q, out->q)) continue;
    uint8_t table[256], *y = out->data;
    requantise(in->dtype, in->q, out->q, table);
    for (int64_t left = whet__tensor_count(in); left > 0; left--, whet__index_next(in->rank, in->dim, k)) {
      uint8_t *b = y + from + whet__index_offset(in->rank, k, out->stride);
      *b = table[*b];
    }
  }
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

/* Input v by a table into memory of this node, dense; the argument to copy from then. */
static whet_status plan_requantised(whet_planner *p, const whet_node *n, int32_t v, whet_arg *to) {
  uint8_t table[256];
  whet_lut_q8 k = {0};
  whet__pl_pitch(p, v, &k.rows, &k.run, &k.in_pitch);
  k.out_pitch = k.run;
  if (!k.rows || !k.run) return WHET_OK;
  requantise(whet__pl_dtype(p, v), whet__pl_quant(p, v), whet__pl_quant(p, n->out[0]), table);
  int32_t temp = whet__pl_temp(p, (size_t)(k.rows * k.run));
  *to = whet__tm(temp, false);
  whet_arg arg[] = {whet__rd(v), whet__bl(whet__pl_blob(p, table, sizeof table)), whet__tm(temp, true)};
  return whet__pl_kern(p, WHET_FAMILY_lut_q8, &k, sizeof k, arg, WHET_COUNT(arg),
                       k.rows > 1 ? k.rows : whet__ceil_div(k.run, 4096), (double)(k.rows * k.run) * 0.05);
}

static whet_status concat_plan(whet_planner *p, const whet_node *n) {
  const whet_concat *a = n->attr;
  const whet_shape *out = whet__pl_shape(p, n->out[0]);
  if (!whet__move_bytes(whet__pl_dtype(p, n->out[0]))) return WHET_LATE;
  if (n->n_in == 1 &&
      !requantised(whet__pl_dtype(p, n->in[0]), whet__pl_quant(p, n->in[0]), whet__pl_quant(p, n->out[0])))
    return whet__pl_view(p, n, 0, 0);
  int32_t axis = a->axis < 0 ? a->axis + out->rank : a->axis;
  int64_t at = 0;
  for (int i = 0; i < n->n_in; i++) {
    const whet_shape *in = whet__pl_shape(p, n->in[i]);
    whet_copy c = {.rank = in->rank};
    memcpy(c.dim, in->d, sizeof c.dim);
    whet_arg from = whet__rd(n->in[i]);
    whet__pl_strides(p, n->in[i], c.in_stride);
    whet__pl_strides(p, n->out[0], c.out_stride);
    c.out_offset = at * c.out_stride[axis];
    if (whet__pl_joined(p, n, 0, i, c.out_offset)) {
      at += in->d[axis];
      continue;
    }
    if (requantised(whet__pl_dtype(p, n->in[i]), whet__pl_quant(p, n->in[i]), whet__pl_quant(p, n->out[0]))) {
      WHET_TRY(plan_requantised(p, n, n->in[i], &from));
      whet__dense_strides(in->rank, in->d, c.in_stride);
    }
    WHET_TRY(whet__pl_copy_from(p, n->out[0], from, &c));
    at += in->d[axis];
  }
  return WHET_OK;
}

/* ---- permutation ----------------------------------------------------------------------------- */

static bool concat_permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  whet_concat *w = whet__ed_attr(e, node);
  if (!w) return false;
  w->axis = whet__perm_axis(perm, rank, w->axis < 0 ? w->axis + rank : w->axis);
  return whet__perm_same(perm, rank, perm_out);
}

/* ---- gradient -------------------------------------------------------------------------------- */

static whet_status concat_grad(whet_edit *e, int32_t node) {
  const whet_node n = whet__ed_graph(e)->node[node];
  const whet_concat *a = n.attr;
  int32_t rank = whet__ed_shape(e, n.out[0])->rank, axis = a->axis < 0 ? a->axis + rank : a->axis;
  whet_arena *arena = &whet__ed_graph(e)->arena;
  int64_t *sizes = whet__arena_array(arena, (size_t)n.n_in + 1, sizeof *sizes);
  int32_t *out = whet__arena_array(arena, (size_t)n.n_in + 1, sizeof *out), g = whet__grad_of(e, n.out[0]);
  if (!sizes || !out) return whet__grad_add(e, n.in[0], -1), WHET_OK;
  if (rank < 0) return whet__grad_fail(e, node, "the rank of its inputs is not known");
  for (int i = 0; i < n.n_in; i++) {
    sizes[i] = whet__ed_shape(e, n.in[i])->d[axis];
    if (!whet__dim_known(sizes[i])) return whet__grad_fail(e, node, "the size of input %d is open", i);
    out[i] = whet__ed_val(e, "grad", whet__ed_dtype(e, n.in[i]), NULL);
  }
  const whet_split how = {.axis = axis, .sizes = {sizes, n.n_in}};
  whet__ed_node(e, whet__op_find("Split"), &how, &g, 1, out, n.n_in);
  for (int i = 0; i < n.n_in; i++)
    if (whet__grad_wants(e, n.in[i])) whet__grad_add(e, n.in[i], out[i]);
  return WHET_OK;
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_Concat = {
    .name = "Concat",
    .flags = WHET_OP_SIGN_FREE | WHET_OP_PITCH_IN | WHET_OP_PITCH_OUT,
    .attr_size = sizeof(whet_concat),
    .attrs = k_attrs,
    .from = k_from,
    .infer = concat_infer,
    .plan = concat_plan,
    .permute = concat_permute,
    .grad = concat_grad,
    .ref = concat_ref,
};
