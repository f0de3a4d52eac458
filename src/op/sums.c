/* SPDX-License-Identifier: Apache-2.0 */
/* SumsToFloat(sum, scale, zero, weights, w_scale, bias): sums of products of bytes, of which those of the activations
 * were quantised in the run, as real numbers:
 *
 *   y = (float)(sum - zero[g] * weights[c]) * (scale[g] * w_scale[c]) + bias[c]
 *
 * c: place in dimension `axis`, that of the output channels; g: the first or second ... of as many equal parts, in
 * row-major order, as there are scales. weights[c]: the sum of the weights of channel c. Types: s32 and f32. Exact.
 */

#include "op/sums.h"

#include "op/matrix.h"
#include "op/move.h"
#include "op/tile.h"

static const whet_attr_desc k_attrs[] = {{"axis", WHET_ATTR_I32, offsetof(whet_sums, axis)}, {0}};

static whet_status infer(whet_infer *f, const whet_node *n) {
  static const struct {
    whet_dtype type;
    const char *name;
  } want[WHET_SUMS_IN] = {{WHET_S32, "sum"},     {WHET_F32, "scale"},   {WHET_S32, "zero"},
                          {WHET_S32, "weights"}, {WHET_F32, "w_scale"}, {WHET_F32, "bias"}};
  const whet_sums *a = n->attr;
  for (int i = 0; i < WHET_SUMS_IN; i++) {
    bool has = i < n->n_in && whet__in_has(f, i);
    if (!has && i <= WHET_SUMS_SCALE) return whet__infer_fail(f, WHET_E_FORMAT, "%s is missing", want[i].name);
    if (has && whet__in_dtype(f, i) != want[i].type)
      return whet__infer_fail(f, WHET_E_TYPE, "%s is %s, expected %s", want[i].name,
                              whet_dtype_name(whet__in_dtype(f, i)), whet_dtype_name(want[i].type));
  }
  const whet_shape *x = whet__in_shape(f, WHET_SUMS_SUM);
  if (x->rank >= 0 && (a->axis < 0 || a->axis >= x->rank))
    return whet__infer_fail(f, WHET_E_SHAPE, "axis %d of %d dimensions", a->axis, x->rank);
  *whet__out(f, 0, WHET_F32) = *x;
  return WHET_OK;
}

/* Element i of a vector; `missing` where there is none. */
static int32_t integer(const whet_args *a, int input, int64_t i, int32_t missing) {
  if (input >= a->n_in || !a->in[input].data) return missing;
  return ((const int32_t *)a->in[input].data)[whet__flat_offset(&a->in[input], i)];
}
static float number(const whet_args *a, int input, int64_t i, float missing) {
  if (input >= a->n_in || !a->in[input].data) return missing;
  return ((const float *)a->in[input].data)[whet__flat_offset(&a->in[input], i)];
}

static whet_status ref(const whet_args *a) {
  const whet_sums *at = a->attr;
  const whet_tensor *x = &a->in[WHET_SUMS_SUM], *y = &a->out[0];
  int64_t count = whet__tensor_count(x), groups = whet__tensor_count(&a->in[WHET_SUMS_SCALE]), after = 1;
  for (int32_t d = at->axis + 1; d < x->rank; d++) after *= x->dim[d];
  for (int64_t i = 0; i < count; i++) {
    int64_t c = i / after % x->dim[at->axis], g = i / (count / groups);
    uint32_t part = (uint32_t)integer(a, WHET_SUMS_ZERO, g, 0) * (uint32_t)integer(a, WHET_SUMS_WEIGHTS, c, 0);
    int32_t sum = (int32_t)((uint32_t)((const int32_t *)x->data)[whet__flat_offset(x, i)] - part);
    float scale = number(a, WHET_SUMS_SCALE, g, 1) * number(a, WHET_SUMS_W_SCALE, c, 1);
    volatile float v = (float)sum * scale; /* rounded, then added to */
    ((float *)y->data)[whet__flat_offset(y, i)] = v + number(a, WHET_SUMS_BIAS, c, 0);
  }
  return WHET_OK;
}

bool whet__pl_sums(whet_planner *p, const whet_node *n, whet_sums_f32 *k, whet_arg arg[WHET_SUMS_LIVE]) {
  const whet_sums *a = n->attr;
  const whet_shape *x = whet__pl_shape(p, n->in[WHET_SUMS_SUM]);
  int64_t count = whet__shape_count(x), groups = whet__shape_count(whet__pl_shape(p, n->in[WHET_SUMS_SCALE])),
          after = 1;
  for (int32_t d = a->axis + 1; d < x->rank; d++) after *= x->d[d];
  int32_t member;
  whet_row_view v;
  *k = (whet_sums_f32){.n = x->d[a->axis]};
  if (!count || groups < 1 || after != 1 || count / k->n % groups) return false;
  k->rows = count / k->n;
  k->group = k->rows / groups;
  if (!whet__pl_row_view(p, whet__pl_group_out(p), k->n, &v) || v.chunk < k->rows) return false;
  k->y_pitch = v.ld;
  whet__pl_epi_f32(p, n, &k->epi, &member);
  if (member >= 0) {
    if (!whet__pl_row_view(p, member, k->n, &v) || v.chunk < k->rows) return false;
    k->res_pitch = v.ld;
  }
  for (int i = WHET_SUMS_SCALE; i < WHET_SUMS_IN; i++)
    arg[i - 1] = i < n->n_in && n->in[i] >= 0 ? whet__rd(n->in[i]) : whet__none();
  arg[WHET_SUMS_IN - 1] = member >= 0 ? whet__rd(member) : whet__none();
  return true;
}

static whet_status plan(whet_planner *p, const whet_node *n) {
  whet_sums_f32 k;
  whet_arg arg[2 + WHET_SUMS_LIVE] = {whet__rd(n->in[WHET_SUMS_SUM]), whet__wr(whet__pl_group_out(p))};
  if (!whet__pl_sums(p, n, &k, arg + 2)) return WHET_LATE;
  return whet__pl_kern(p, WHET_FAMILY_sums_f32, &k, sizeof k, arg, 2 + WHET_SUMS_LIVE, k.rows, (double)(k.rows * k.n) * 0.1);
}

static bool permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  whet_sums *a = perm[0] == 0 ? whet__ed_attr(e, node) : NULL; /* the first dimension may have scales of its own */
  if (!a) return false;
  a->axis = whet__perm_axis(perm, rank, a->axis);
  return whet__perm_same(perm, rank, perm_out);
}

const whet_op whet_op_SumsToFloat = {
    .name = "SumsToFloat",
    .flags = WHET_OP_TILE | WHET_OP_PITCH_OUT,
    .attr_size = sizeof(whet_sums),
    .attrs = k_attrs,
    .infer = infer,
    .plan = plan,
    .permute = permute,
    .ref = ref,
};
