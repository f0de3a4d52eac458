/* SPDX-License-Identifier: Apache-2.0 */
/* DepthToSpace(x): blocks of channels become blocks of pixels. SpaceToDepth(x): the way back.
 *
 *   DepthToSpace  out[b, y * s + i, x * s + j, c] = in[b, y, x, (i * s + j) * C + c]    (DCR: depth, column, row)
 *                                                 = in[b, y, x, (c * s + i) * s + j]    (CRD)
 *
 * ONNX DepthToSpace 1-28, SpaceToDepth 1-28; TFLite DEPTH_TO_SPACE, SPACE_TO_DEPTH (channels last). All types. Exact. */

#include "op/move.h"
#include "op/move_attr.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

static const whet_attr_desc k_attrs[] = {{"size", WHET_ATTR_I32, offsetof(whet_blocks, size)},
                                         {"crd", WHET_ATTR_BOOL, offsetof(whet_blocks, crd)},
                                         {"channels_last", WHET_ATTR_BOOL, offsetof(whet_blocks, last)},
                                         {0}};

extern const whet_op whet_op_DepthToSpace;

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_blocks, a);
  whet_str mode = whet__onnx_str(im, "mode", "DCR");
  a->size = whet__small(whet__onnx_int(im, "blocksize", 0));
  a->crd = mode.n == 3 && !memcmp(mode.p, "CRD", 3);
  if (!a->crd && !(mode.n == 3 && !memcmp(mode.p, "DCR", 3)))
    return whet__im_fail(im, WHET_E_DATA, "mode \"%.*s\"", (int)whet__min_i((int64_t)mode.n, 40), mode.p);
  return whet__im_node_as_is(im, op, a);
}

static whet_status from_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_blocks, a);
  a->size = whet__small(whet__tfl_int(im, 0, 0));
  a->last = 1;
  return whet__im_node_as_is(im, op, a);
}

static const whet_from k_depth_from[] = {
    {"", "DepthToSpace", 1, from_onnx}, {"tflite", "DEPTH_TO_SPACE", 1, from_tfl}, {0}};
static const whet_from k_space_from[] = {
    {"", "SpaceToDepth", 1, from_onnx}, {"tflite", "SPACE_TO_DEPTH", 1, from_tfl}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

/* A dimension divided by s; E_SHAPE when it does not go. */
static whet_status divided(whet_infer *f, int32_t i, whet_dim d, int64_t s, whet_dim *out) {
  if (whet__dim_known(d) && d % s)
    return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d of size %lld cannot be cut into %lld", i, (long long)d,
                            (long long)s);
  *out = whet__dim_known(d) ? d / s : WHET_DIM_ANY;
  return WHET_OK;
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_blocks *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, 0));
  out->rank = -1;
  if (a->size < 1 || a->size > 1 << 15) return whet__infer_fail(f, WHET_E_DATA, "blocks of size %d", a->size);
  WHET_TRY(whet__infer_rank(f, 0, 4, 4));
  int64_t s = a->size;
  int32_t c = a->last ? 3 : 1, y = a->last ? 1 : 2;
  bool depth = n->op == &whet_op_DepthToSpace;
  *out = *x;
  if (depth) {
    WHET_TRY(divided(f, c, x->d[c], s * s, &out->d[c]));
    for (int32_t i = y; i < y + 2; i++) out->d[i] = whet__dim_mul(x->d[i], s);
  } else {
    for (int32_t i = y; i < y + 2; i++) WHET_TRY(divided(f, i, x->d[i], s, &out->d[i]));
    out->d[c] = whet__dim_mul(x->d[c], s * s);
  }
  whet_dim total;
  return whet__infer_count(f, out, &total);
}

/* ---- the move -------------------------------------------------------------------------------- */

/* Both tensors as arrays of six dimensions: image, y, x, block row, block column, channel. `deep` is the tensor whose
 * channels hold blocks, `wide` the other, whose dimensions are wide_dim. */
static void lay_out(const whet_blocks *a, const int64_t *wide_dim, const int64_t *deep, const int64_t *wide, int64_t *dim,
                    int64_t *deep_stride, int64_t *wide_stride) {
  int32_t c = a->last ? 3 : 1, y = a->last ? 1 : 2;
  int64_t s = a->size, channels = wide_dim[c];
  const int64_t d[6] = {wide_dim[0], wide_dim[y] / s, wide_dim[y + 1] / s, s, s, channels};
  const int64_t from[6] = {deep[0], deep[y], deep[y + 1], deep[c] * (a->crd ? s : s * channels),
                           deep[c] * (a->crd ? 1 : channels), deep[c] * (a->crd ? s * s : 1)};
  const int64_t to[6] = {wide[0], wide[y] * s, wide[y + 1] * s, wide[y], wide[y + 1], wide[c]};
  memcpy(dim, d, sizeof d);
  memcpy(deep_stride, from, sizeof from);
  memcpy(wide_stride, to, sizeof to);
}

static whet_status ref(const whet_args *a) {
  const whet_tensor *x = &a->in[0], *y = &a->out[0];
  bool depth = a->node->op == &whet_op_DepthToSpace;
  const whet_tensor *deep = depth ? x : y, *wide = depth ? y : x;
  int64_t dim[6], ds[6], ws[6];
  lay_out(a->attr, wide->dim, deep->stride, wide->stride, dim, ds, ws);
  whet__move_box(x->dtype, 6, dim, y->data, 0, depth ? ws : ds, x->data, 0, depth ? ds : ws);
  return WHET_OK;
}

static whet_status plan(whet_planner *p, const whet_node *n) {
  bool depth = n->op == &whet_op_DepthToSpace;
  int32_t deep = depth ? n->in[0] : n->out[0], wide = depth ? n->out[0] : n->in[0];
  int64_t deep_own[WHET_MAX_RANK], wide_own[WHET_MAX_RANK];
  whet_copy c = {.rank = 6};
  whet__pl_strides(p, deep, deep_own);
  whet__pl_strides(p, wide, wide_own);
  lay_out(n->attr, whet__pl_shape(p, wide)->d, deep_own, wide_own, c.dim, depth ? c.in_stride : c.out_stride,
          depth ? c.out_stride : c.in_stride);
  return whet__pl_copy(p, n->out[0], n->in[0], &c);
}

/* ---- permutation ----------------------------------------------------------------------------- */

static bool permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  const whet_blocks *a = whet__ed_graph(e)->node[node].attr;
  if (rank != 4 || !whet__perm_is_chan(perm, rank, a->last)) return false;
  whet_blocks *w = whet__ed_attr(e, node);
  if (!w) return false;
  w->last = !w->last;
  return whet__perm_same(perm, rank, perm_out);
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_DepthToSpace = {
    .name = "DepthToSpace",
    .flags = WHET_OP_SIGN_FREE | WHET_OP_PITCH_IN | WHET_OP_PITCH_OUT,
    .attr_size = sizeof(whet_blocks),
    .attrs = k_attrs,
    .from = k_depth_from,
    .infer = infer,
    .plan = plan,
    .permute = permute,
    .ref = ref,
};

const whet_op whet_op_SpaceToDepth = {
    .name = "SpaceToDepth",
    .flags = WHET_OP_SIGN_FREE | WHET_OP_PITCH_IN | WHET_OP_PITCH_OUT,
    .attr_size = sizeof(whet_blocks),
    .attrs = k_attrs,
    .from = k_space_from,
    .infer = infer,
    .plan = plan,
    .permute = permute,
    .ref = ref,
};
