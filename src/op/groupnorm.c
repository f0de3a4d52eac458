/* SPDX-License-Identifier: Apache-2.0 */
/* GroupNormalization(x, s, b): each sample's channels in groups; s (x - mean) / sqrt(var + epsilon) + b with the mean
 * and variance of the sample's group. InstanceNormalization: every channel is a group.
 *
 * ONNX GroupNormalization-18 (s and b for each group), -21 (for each channel), InstanceNormalization 1-22. Channels
 * second or last. Floats, computed in double. */

#include <math.h>

#include "kern/norm_f32.h"
#include "op/edit.h"
#include "op/move.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

typedef struct groupnorm_attr {
  int64_t groups; /* 0: as many as channels */
  float epsilon;
  bool per_group; /* one scale and bias for each group */
  bool last;      /* channels are the last dimension; else dimension 1 */
} groupnorm_attr;

static const whet_attr_desc k_attrs[] = {{"num_groups", WHET_ATTR_I64, offsetof(groupnorm_attr, groups)},
                                         {"epsilon", WHET_ATTR_F32, offsetof(groupnorm_attr, epsilon)},
                                         {"per_group", WHET_ATTR_BOOL, offsetof(groupnorm_attr, per_group)},
                                         {"channels_last", WHET_ATTR_BOOL, offsetof(groupnorm_attr, last)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status put(whet_import *im, const whet_op *op, int64_t groups, bool per_group) {
  groupnorm_attr *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  *a = (groupnorm_attr){groups, whet__onnx_float(im, "epsilon", 1e-5f), per_group, false};
  return whet__im_node_as_is(im, op, a);
}
static whet_status read_group(whet_import *im, const whet_op *op, bool per_group) {
  int64_t groups = whet__onnx_int(im, "num_groups", 0);
  if (groups < 1) return whet__im_fail(im, WHET_E_DATA, "num_groups is %lld: expected 1 or more", (long long)groups);
  return put(im, op, groups, per_group);
}
static whet_status read_18(whet_import *im, const whet_op *op) { return read_group(im, op, true); }
static whet_status read_21(whet_import *im, const whet_op *op) { return read_group(im, op, false); }
static whet_status read_instance(whet_import *im, const whet_op *op) { return put(im, op, 0, false); }

static const whet_from k_from[] = {{"", "GroupNormalization", 18, read_18},
                                   {"", "GroupNormalization", 21, read_21},
                                   {"", "InstanceNormalization", 1, read_instance},
                                   {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const groupnorm_attr *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  whet_dtype t = whet__in_dtype(f, 0);
  if (whet__in_n(f) != 3) return whet__infer_fail(f, WHET_E_FORMAT, "expected 3 inputs, got %d", whet__in_n(f));
  if (!whet__type_in(WHET_T_FLOAT, t))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  if (x->rank < 2) return whet__infer_fail(f, WHET_E_SHAPE, "expected at least 2 dimensions, got %d", x->rank);
  whet_dim c = x->d[a->last ? x->rank - 1 : 1];
  if (a->groups && whet__dim_known(c) && c % a->groups)
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld channels in %lld groups", (long long)c, (long long)a->groups);
  for (int i = 1; i < 3; i++) {
    int64_t count = whet__shape_count(whet__in_shape(f, i)), want = a->per_group ? a->groups : c;
    if (!whet__in_has(f, i) || !whet__type_in(WHET_T_FLOAT, whet__in_dtype(f, i)))
      return whet__infer_fail(f, WHET_E_TYPE, "input %d is %s", i, whet_dtype_name(whet__in_dtype(f, i)));
    if (count >= 0 && whet__dim_known(want) && count != want)
      return whet__infer_fail(f, WHET_E_SHAPE, "input %d has %lld numbers, expected %lld", i, (long long)count,
                              (long long)want);
  }
  *whet__out(f, 0, t) = *x;
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

static whet_status ref(const whet_args *arg) {
  const groupnorm_attr *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0], *s = &arg->in[1], *b = &arg->in[2];
  int32_t chan = a->last ? x->rank - 1 : 1;
  int64_t chans = x->dim[chan], groups = a->groups ? a->groups : chans, each = groups ? chans / groups : 0;
  int64_t box[WHET_MAX_RANK], at[WHET_MAX_RANK] = {0}, n = 1;
  for (int32_t i = 0; i < x->rank; i++) n *= box[i] = i == 0 ? 1 : i == chan ? each : x->dim[i];
  for (int64_t o = 0; n && o < x->dim[0] * groups; o++) {
    int64_t first = o % groups * each;
    int64_t xo = o / groups * x->stride[0] + first * x->stride[chan],
            yo = o / groups * y->stride[0] + first * y->stride[chan];
    double mean = 0, sum = 0;
    for (int pass = 0; pass < 2; pass++) {
      sum = 0;
      for (int64_t i = 0; i < n; i++, whet__index_next(x->rank, box, at)) {
        double v = whet__get_f64(x->dtype, x->data, xo + whet__index_offset(x->rank, at, x->stride)) - mean;
        sum += pass ? v * v : v;
      }
      if (!pass) mean = sum / (double)n;
    }
    double inv = 1 / sqrt(sum / (double)n + (double)a->epsilon);
    for (int64_t i = 0; i < n; i++, whet__index_next(x->rank, box, at)) {
      int64_t k = a->per_group ? o % groups : first + at[chan];
      double v = (whet__get_f64(x->dtype, x->data, xo + whet__index_offset(x->rank, at, x->stride)) - mean) * inv;
      v = v * whet__get_f64(s->dtype, s->data, whet__flat_offset(s, k)) +
          whet__get_f64(b->dtype, b->data, whet__flat_offset(b, k));
      whet__set_f64(y->dtype, y->data, yo + whet__index_offset(x->rank, at, y->stride), v);
    }
  }
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

static whet_status plan(whet_planner *p, const whet_node *n) {
  const groupnorm_attr *a = n->attr;
  const whet_shape *x = whet__pl_shape(p, n->in[0]);
  if (!a->last || a->per_group || !whet__pl_dense(p, n->in[0]) || !whet__pl_dense(p, n->out[0])) return WHET_LATE;
  for (int i = 0; i < 3; i++)
    if (whet__pl_dtype(p, n->in[i]) != WHET_F32 || !whet__pl_dense(p, n->in[i])) return WHET_LATE;
  whet_norm_f32 k = {
      .kind = WHET_NORM_GROUP, .epsilon = a->epsilon, .outer = x->d[0], .n = 1, .chan = x->d[x->rank - 1]};
  for (int32_t i = 1; i + 1 < x->rank; i++) k.n *= x->d[i];
  if (!k.n || !k.chan) return WHET_LATE;
  k.each = a->groups ? k.chan / a->groups : 1;
  whet_arg arg[6] = {whet__rd(n->in[0]),  whet__rd(n->in[1]), whet__rd(n->in[2]),
                     whet__wr(n->out[0]), whet__none(),       whet__none()};
  int64_t blocks = k.each == 1 ? whet__ceil_div(k.chan, 16) : k.chan / k.each;
  return whet__pl_kern(p, WHET_FAMILY_norm_f32, &k, sizeof k, arg, 6, k.outer * blocks,
                       (double)(k.outer * k.n * k.chan) * 0.5);
}

/* ---- permutation ----------------------------------------------------------------------------- */

static bool permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  const groupnorm_attr *a = whet__ed_graph(e)->node[node].attr;
  if (!whet__perm_is_chan(perm, rank, a->last)) return false;
  groupnorm_attr *w = whet__ed_attr(e, node);
  if (!w) return false;
  w->last = !w->last;
  return true;
}

const whet_op whet_op_GroupNormalization = {.name = "GroupNormalization",
                                            .flags = WHET_OP_INPLACE | WHET_OP_SPATIAL,
                                            .attr_size = sizeof(groupnorm_attr),
                                            .attrs = k_attrs,
                                            .from = k_from,
                                            .infer = infer,
                                            .plan = plan,
                                            .permute = permute,
                                            .ref = ref};
