/* SPDX-License-Identifier: Apache-2.0 */
/* Resize(x, roi, scales, sizes): every output element is a weighted sum of input elements around the place that it
 * looks at: nearest, linear or cubic along each axis.
 *
 * ONNX Upsample 7-9, Resize 10-19 (all modes, axes, antialias, aspect ratio), TFLite RESIZE_BILINEAR,
 * RESIZE_NEAREST_NEIGHBOR. All numbers (complex ones too) and BOOL; nearest moves any type; integers are cut towards
 * zero. f32 linear and every nearest by kernels. Quantised numbers: resize_q8.c. Places in double (TFLite: f32), sums
 * in double. */

#include "op/resize.h"

#include <math.h>
#include <stdio.h>

#include "op/edit.h"
#include "op/move.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

static const whet_attr_desc k_attrs[] = {{"axes", WHET_ATTR_I64S, offsetof(whet_resize_attr, axes)},
                                         {"cubic_coeff_a", WHET_ATTR_F32, offsetof(whet_resize_attr, cubic_a)},
                                         {"extrapolation_value", WHET_ATTR_F32, offsetof(whet_resize_attr, outside)},
                                         {"mode", WHET_ATTR_U8, offsetof(whet_resize_attr, mode)},
                                         {"place", WHET_ATTR_U8, offsetof(whet_resize_attr, place)},
                                         {"nearest", WHET_ATTR_U8, offsetof(whet_resize_attr, nearest)},
                                         {"policy", WHET_ATTR_U8, offsetof(whet_resize_attr, policy)},
                                         {"antialias", WHET_ATTR_BOOL, offsetof(whet_resize_attr, antialias)},
                                         {"exclude_outside", WHET_ATTR_BOOL, offsetof(whet_resize_attr, exclude)},
                                         {"single", WHET_ATTR_BOOL, offsetof(whet_resize_attr, single)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

/* The number of a word among others: *to; a failure names the attribute. */
static whet_status word(whet_import *im, const char *attr, const char *dflt, const char *const *words, size_t n,
                        uint8_t *to) {
  whet_str s = whet__onnx_str(im, attr, dflt);
  for (size_t i = 0; i < n; i++)
    if (s.n == strlen(words[i]) && !memcmp(s.p, words[i], s.n)) {
      *to = (uint8_t)i;
      return WHET_OK;
    }
  return whet__im_fail(im, WHET_E_DATA, "%s is \"%.*s\"", attr, (int)whet__min_i((int64_t)s.n, 40), s.p);
}

static const char *const k_modes[] = {"nearest", "linear", "cubic", "bilinear"};
static const char *const k_places[] = {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
                                       "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize"};
static const char *const k_nearest[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
static const char *const k_policies[] = {"stretch", "not_larger", "not_smaller"};

static whet_status new_attr(whet_import *im, whet_resize_attr **a) {
  *a = whet__arena_alloc(whet__im_arena(im), sizeof **a);
  return *a ? WHET_OK : whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
}

static whet_status read_onnx(whet_import *im, const whet_op *op) {
  whet_resize_attr *a;
  WHET_TRY(new_attr(im, &a));
  WHET_TRY(word(im, "mode", "nearest", k_modes, 3, &a->mode));
  WHET_TRY(word(im, "coordinate_transformation_mode", "half_pixel", k_places, WHET_COUNT(k_places), &a->place));
  WHET_TRY(word(im, "nearest_mode", "round_prefer_floor", k_nearest, WHET_COUNT(k_nearest), &a->nearest));
  WHET_TRY(word(im, "keep_aspect_ratio_policy", "stretch", k_policies, WHET_COUNT(k_policies), &a->policy));
  a->axes = whet__onnx_ints(im, "axes");
  a->cubic_a = whet__onnx_float(im, "cubic_coeff_a", -0.75f);
  a->outside = whet__onnx_float(im, "extrapolation_value", 0);
  a->antialias = whet__onnx_int(im, "antialias", 0) != 0;
  a->exclude = whet__onnx_int(im, "exclude_outside", 0) != 0;
  return whet__im_node_as_is(im, op, a);
}

/* Upsample and Resize-10: places o / scale, the element before (after, where the axis shrinks); scales: a value number. */
static whet_status read_old(whet_import *im, const whet_op *op, int32_t scales) {
  whet_resize_attr *a;
  WHET_TRY(new_attr(im, &a));
  WHET_TRY(word(im, "mode", "nearest", k_modes, 4, &a->mode));
  if (a->mode == 3) a->mode = WHET_RESIZE_LINEAR;
  a->place = WHET_RESIZE_ASYMMETRIC;
  a->nearest = WHET_RESIZE_SIMPLE;
  int32_t in[3] = {whet__im_in(im, 0), -1, scales}, out = whet__im_out(im, 0);
  return whet__im_node(im, op, a, in, 3, &out, 1);
}
static whet_status read_scales(whet_import *im, const whet_op *op) { return read_old(im, op, whet__im_in(im, 1)); }
static whet_status read_upsample_7(whet_import *im, const whet_op *op) {
  whet_floats s = whet__onnx_floats(im, "scales");
  int64_t n = s.n;
  return read_old(im, op, whet__im_const(im, WHET_F32, 1, &n, s.v));
}
/* Upsample-1: two scales for dimensions 2 and 3. */
static whet_status read_upsample_1(whet_import *im, const whet_op *op) {
  float s[4] = {1, 1, whet__onnx_float(im, "height_scale", 1), whet__onnx_float(im, "width_scale", 1)};
  int64_t n = 4;
  return read_old(im, op, whet__im_const(im, WHET_F32, 1, &n, s));
}

/* TFLite: sizes of dimensions 1 and 2 are input 1; corner and centre flags are fields `first` and the next. */
static whet_status read_tfl(whet_import *im, const whet_op *op, uint8_t mode, int first) {
  whet_resize_attr *a;
  static const int64_t axes[2] = {1, 2};
  WHET_TRY(new_attr(im, &a));
  bool align = whet__tfl_int(im, first, 0) != 0, half = whet__tfl_int(im, first + 1, 0) != 0;
  if (align && half) return whet__im_fail(im, WHET_E_DATA, "align_corners and half_pixel_centers are both set");
  a->axes = (whet_ints){axes, 2};
  a->mode = mode;
  a->single = true;
  a->place = align   ? WHET_RESIZE_ALIGN_CORNERS
             : !half ? WHET_RESIZE_ASYMMETRIC
             : mode  ? WHET_RESIZE_HALF_PIXEL
                     : WHET_RESIZE_TF_HALF_PIXEL;
  a->nearest = align ? WHET_RESIZE_ROUND_UP : WHET_RESIZE_FLOOR;
  int32_t in[4] = {whet__im_in(im, 0), -1, -1, whet__im_in(im, 1)}, out = whet__im_out(im, 0);
  return whet__im_node(im, op, a, in, 4, &out, 1);
}
static whet_status read_bilinear(whet_import *im, const whet_op *op) {
  return read_tfl(im, op, WHET_RESIZE_LINEAR, 2);
}
static whet_status read_neighbor(whet_import *im, const whet_op *op) {
  return read_tfl(im, op, WHET_RESIZE_NEAREST, 0);
}

static const whet_from k_from[] = {{"", "Resize", 10, read_scales},
                                   {"", "Resize", 11, read_onnx},
                                   {"", "Upsample", 1, read_upsample_1},
                                   {"", "Upsample", 7, read_upsample_7},
                                   {"", "Upsample", 9, read_scales},
                                   {"tflite", "RESIZE_BILINEAR", 1, read_bilinear},
                                   {"tflite", "RESIZE_NEAREST_NEIGHBOR", 1, read_neighbor},
                                   {0}};

/* ---- sizes ----------------------------------------------------------------------------------- */

/* What the inputs after x hold, as far as it is known; NULL: absent. */
struct given {
  whet_dtype roi_t, scales_t;
  const void *roi, *scales;
  const int64_t *sizes;
  int32_t n_roi, n_scales, n_sizes;
};

enum { WHY = 200 };
static bool wrong(char why[WHY], const char *what, int64_t got, int64_t want) {
  snprintf(why, WHY, "%s: got %lld, expected %lld", what, (long long)got, (long long)want);
  return false;
}

/* The axes that the lists belong to; *n of them. False for an axis that is none or stands twice. */
static bool axes_of(const whet_resize_attr *a, int32_t rank, int32_t axes[WHET_MAX_RANK], int32_t *n, char why[WHY]) {
  bool seen[WHET_MAX_RANK] = {false};
  *n = a->axes.n ? a->axes.n : rank;
  if (*n > rank) return wrong(why, "number of axes", *n, rank);
  for (int32_t i = 0; i < *n; i++) {
    int64_t v = a->axes.n ? a->axes.v[i] : i;
    if (v < 0) v += rank;
    if (v < 0 || v >= rank || seen[v]) return wrong(why, "an axis", a->axes.v[i], rank - 1);
    seen[v] = true;
    axes[i] = (int32_t)v;
  }
  return true;
}

/* Fill in scale, region and output size of every dimension of x. */
static bool measure(const whet_resize_attr *a, int32_t rank, const int64_t *dim, const struct given *g,
                    whet_resize_axis *x, char why[WHY]) {
  int32_t axes[WHET_MAX_RANK], n;
  double common = 0;
  if (!axes_of(a, rank, axes, &n, why)) return false;
  if (!g->scales && !g->sizes) return wrong(why, "number of scales and sizes", 0, n);
  if (g->scales && g->n_scales != n) return wrong(why, "number of scales", g->n_scales, n);
  if (g->sizes && g->n_sizes != n) return wrong(why, "number of sizes", g->n_sizes, n);
  if (a->place == WHET_RESIZE_CROP && g->n_roi != 2 * n)
    return wrong(why, "numbers of the region of interest", g->n_roi, 2 * n);
  for (int32_t i = 0; i < rank; i++) x[i] = (whet_resize_axis){dim[i], dim[i], 1, 0, 1, false};
  for (int32_t i = 0; g->sizes && a->policy && i < n; i++) {
    double s = (double)g->sizes[i] / (double)dim[axes[i]];
    if (!i || (a->policy == WHET_RESIZE_NOT_LARGER ? s < common : s > common)) common = s;
  }
  for (int32_t i = 0; i < n; i++) {
    whet_resize_axis *w = &x[axes[i]];
    double out;
    if (a->place == WHET_RESIZE_CROP)
      w->from = whet__get_f64(g->roi_t, g->roi, i), w->to = whet__get_f64(g->roi_t, g->roi, n + i);
    if (g->scales) {
      w->scale = whet__get_f64(g->scales_t, g->scales, i);
      out = floor((double)w->in * w->scale * (a->place == WHET_RESIZE_CROP ? w->to - w->from : 1));
    } else if (a->policy) {
      w->scale = common;
      out = floor((double)w->in * common + 0.5);
    } else {
      out = (double)g->sizes[i];
      w->scale = w->in ? out / (double)w->in : 1;
    }
    if (!(out >= 0 && out < 0x1p40) || !(w->scale > 0 || out == 0)) {
      snprintf(why, WHY, "dimension %d of %lld elements cannot become %g", axes[i], (long long)w->in, out);
      return false;
    }
    if (!w->in && out > 0) return wrong(why, "an output size from no elements", (int64_t)out, 0);
    w->out = (int64_t)out;
    w->active = w->out != w->in || w->scale != 1 || a->place == WHET_RESIZE_CROP;
  }
  return true;
}

void whet__ref_resize(const whet_args *a, whet_resize_axis axis[WHET_MAX_RANK]) {
  const whet_tensor *x = &a->in[0], *t = a->in;
  int64_t sizes[WHET_MAX_RANK];
  struct given g = {0};
  char why[WHY];
  if (a->n_in > 1 && t[1].data) g.roi = t[1].data, g.roi_t = t[1].dtype, g.n_roi = (int32_t)whet__tensor_count(&t[1]);
  if (a->n_in > 2 && t[2].data && whet__tensor_count(&t[2]))
    g.scales = t[2].data, g.scales_t = t[2].dtype, g.n_scales = (int32_t)whet__tensor_count(&t[2]);
  if (a->n_in > 3 && t[3].data && !g.scales) {
    g.n_sizes = (int32_t)whet__min_i(whet__tensor_count(&t[3]), WHET_MAX_RANK);
    for (int32_t i = 0; i < g.n_sizes; i++) sizes[i] = whet__vec_i64(&t[3], i);
    g.sizes = sizes;
  }
  bool ok = measure(a->attr, x->rank, x->dim, &g, axis, why);
  WHET_ASSERT(ok);
  (void)ok;
}

/* Contents of a planned input as bytes, with its type and count; NULL when absent or not known. */
static const void *pl_numbers(const whet_planner *p, const whet_node *n, int i, whet_dtype *t, int32_t *count) {
  *count = 0;
  if (i >= n->n_in || n->in[i] < 0) return NULL;
  const whet_data *d = whet__pl_data(p, n->in[i]);
  *t = whet__pl_dtype(p, n->in[i]);
  *count = (int32_t)whet__min_i(whet__shape_count(whet__pl_shape(p, n->in[i])), 64);
  return d ? d->p : NULL;
}

bool whet__pl_resize(const whet_planner *p, const whet_node *n, whet_resize_axis axis[WHET_MAX_RANK]) {
  const whet_resize_attr *a = n->attr;
  const whet_shape *x = whet__pl_shape(p, n->in[0]);
  int64_t sizes[WHET_MAX_RANK];
  struct given g = {0};
  char why[WHY];
  g.roi = pl_numbers(p, n, 1, &g.roi_t, &g.n_roi);
  g.scales = pl_numbers(p, n, 2, &g.scales_t, &g.n_scales);
  if (g.n_scales && !g.scales) return false;
  if (!g.n_scales) g.scales = NULL;
  if (!g.scales && n->n_in > 3 && n->in[3] >= 0) {
    g.n_sizes = whet__pl_ints(p, n->in[3], sizes, WHET_MAX_RANK);
    if (g.n_sizes < 0) return false;
    g.sizes = sizes;
  }
  if (a->place == WHET_RESIZE_CROP && !g.roi) return false;
  return measure(a, x->rank, x->d, &g, axis, why);
}

/* ---- shape and type -------------------------------------------------------------------------- */

/* All dimensions of the output are open but those that no list names. */
static whet_status open_dims(whet_infer *f, const whet_resize_attr *a, const whet_shape *x, const whet_nums *sizes) {
  whet_shape y = *x;
  char why[WHY];
  int32_t axes[WHET_MAX_RANK], n;
  if (!axes_of(a, x->rank, axes, &n, why)) return whet__infer_fail(f, WHET_E_DATA, "%s", why);
  for (int32_t i = 0; i < n; i++)
    y.d[axes[i]] = sizes && sizes->n == n && !a->policy ? whet__num(sizes, i) : WHET_DIM_ANY;
  *whet__out(f, 0, whet__in_dtype(f, 0)) = y;
  return WHET_LATE;
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_resize_attr *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  whet_dtype t = whet__in_dtype(f, 0);
  struct given g = {0};
  int64_t sizes[WHET_MAX_RANK];
  whet_nums s = {0};
  char why[WHY];
  bool moves = a->mode == WHET_RESIZE_NEAREST && a->place != WHET_RESIZE_CROP && t != WHET_NONE;
  if (!moves && !whet__type_in(WHET_T_NUM | WHET_T_BOOL, t) && !whet__is_complex(t) && !whet__quantised(t, whet__in_quant(f, 0)))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  for (int i = 1; i < 3; i++)
    if (whet__in_has(f, i) && !whet__is_float(whet__in_dtype(f, i)))
      return whet__infer_fail(f, WHET_E_TYPE, "input %d is %s", i, whet_dtype_name(whet__in_dtype(f, i)));
  int64_t n_roi = whet__in_has(f, 1) ? whet__shape_count(whet__in_shape(f, 1)) : 0;
  int64_t n_scales = whet__in_has(f, 2) ? whet__shape_count(whet__in_shape(f, 2)) : 0;
  bool by_size = whet__in_has(f, 3) && n_scales <= 0;
  if (by_size && !whet__nums(f, 3, &s)) {
    if (s.n == -2) return whet__nums_late(f, &s, "sizes");
    return open_dims(f, a, x, NULL);
  }
  if (by_size && (!whet__nums_all(&s) || whet__shape_count(x) < 0) && !a->policy && s.n <= WHET_MAX_RANK) {
    whet_status st = open_dims(f, a, x, &s);
    return st == WHET_LATE && whet__nums_all(&s) ? WHET_OK : st;
  }
  if ((by_size && !whet__nums_all(&s)) || whet__shape_count(x) < 0) {
    whet_status st = open_dims(f, a, x, NULL);
    return st == WHET_LATE && !by_size && whet__in_data(f, 2) ? WHET_OK : st;
  }
  for (int32_t i = 0; i < s.n && i < WHET_MAX_RANK; i++) sizes[i] = whet__num(&s, i);
  if (by_size) g.sizes = sizes, g.n_sizes = s.n;
  g.roi_t = whet__in_dtype(f, 1), g.n_roi = (int32_t)whet__min_i(n_roi, 64);
  g.scales_t = whet__in_dtype(f, 2), g.n_scales = (int32_t)whet__min_i(n_scales, 64);
  g.roi = n_roi ? whet__in_data(f, 1) : NULL;
  g.scales = by_size || n_scales <= 0 ? NULL : whet__in_data(f, 2);
  if ((!by_size && n_scales != 0 && !g.scales) || (a->place == WHET_RESIZE_CROP && n_roi && !g.roi))
    return open_dims(f, a, x, NULL);
  whet_resize_axis axis[WHET_MAX_RANK];
  if (!measure(a, x->rank, x->d, &g, axis, why)) return whet__infer_fail(f, WHET_E_SHAPE, "%s", why);
  whet_shape y = *x;
  for (int32_t i = 0; i < x->rank; i++) y.d[i] = axis[i].out;
  *whet__out(f, 0, t) = y;
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Where every output place of one dimension looks: taps of them each. */
struct table {
  int64_t taps;
  int64_t *index;
  double *weight;
  uint8_t *outside; /* CROP: the place is none */
};

/* Most taps that a dimension can need, from its sizes alone. */
static int64_t most_taps(const whet_resize_attr *a, int64_t in, int64_t out) {
  if (a->mode == WHET_RESIZE_NEAREST || !out) return 1;
  return a->antialias ? 4 * whet__ceil_div(in, out) + 8 : 4;
}
static size_t scratch_bytes(const whet_resize_attr *a, int32_t rank, const int64_t *in, const int64_t *out) {
  size_t n = 64;
  for (int32_t d = 0; d < rank; d++) n += (size_t)out[d] * (16 * (size_t)most_taps(a, in[d], out[d]) + 1) + 16;
  return n;
}

/* Lay out and fill the tables. False when a filter is wider than sizes let expect. */
static bool make_tables(const whet_args *arg, const whet_resize_axis *axis, struct table *t) {
  const whet_resize_attr *a = arg->attr;
  char *at = arg->scratch;
  for (int32_t d = 0; d < arg->in[0].rank; d++) {
    const whet_resize_axis *x = &axis[d];
    int64_t n = t[d].taps = x->out ? whet__resize_taps(a, x) : 1;
    if (n > most_taps(a, x->in, x->out)) return false;
    t[d].index = (int64_t *)at;
    t[d].weight = (double *)(t[d].index + x->out * n);
    t[d].outside = (uint8_t *)(t[d].weight + x->out * n);
    at = (char *)t[d].outside + whet__round_up((size_t)x->out, 16);
    for (int64_t o = 0; o < x->out; o++)
      t[d].outside[o] = !whet__resize_look(a, x, o, t[d].index + o * n, t[d].weight + o * n);
  }
  return true;
}

/* Sum over dimensions d .. rank-1 of the elements of x from offset `o` on that output index at[] looks at. */
static double sum_from(const whet_tensor *x, const struct table *t, const int64_t *at, int32_t d, int64_t o) {
  if (d == x->rank) return whet__get_real(x, o);
  int64_t n = t[d].taps;
  const int64_t *index = t[d].index + at[d] * n;
  const double *weight = t[d].weight + at[d] * n;
  double sum = 0;
  if (n == 1) return sum_from(x, t, at, d + 1, o + index[0] * x->stride[d]);
  for (int64_t i = 0; i < n; i++)
    if (weight[i] != 0) sum += weight[i] * sum_from(x, t, at, d + 1, o + index[i] * x->stride[d]);
  return sum;
}

whet_status whet__resize_real(const whet_args *arg) {
  const whet_resize_attr *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  whet_resize_axis axis[WHET_MAX_RANK];
  struct table t[WHET_MAX_RANK];
  int64_t at[WHET_MAX_RANK] = {0};
  if (!arg->scratch) return WHET_E_UNSUPPORTED; /* while constants are folded */
  whet__ref_resize(arg, axis);
  if (!make_tables(arg, axis, t))
    return whet__fail(arg->err, WHET_E_LIMIT, "the filter is wider than the sizes let expect");
  for (int64_t left = whet__tensor_count(y); left > 0; left--, whet__index_next(y->rank, y->dim, at)) {
    int64_t o = whet__index_offset(y->rank, at, y->stride), from = 0;
    bool outside = false;
    for (int32_t d = 0; d < x->rank; d++) outside |= t[d].outside[at[d]];
    if (outside) {
      whet__set_real(y, o, (double)a->outside, (whet_round)arg->node->round);
    } else if (a->mode == WHET_RESIZE_NEAREST) {
      for (int32_t d = 0; d < x->rank; d++) from += t[d].index[at[d]] * x->stride[d];
      whet__move_one(y->dtype, y->data, o, x->data, from);
    } else {
      whet__set_real(y, o, sum_from(x, t, at, 0, 0), (whet_round)arg->node->round);
    }
  }
  return WHET_OK;
}

static size_t scratch(const whet_args *arg) {
  return scratch_bytes(arg->attr, arg->in[0].rank, arg->in[0].dim, arg->out[0].dim);
}

static whet_status ref(const whet_args *arg) {
  if (whet__quantised(arg->in[0].dtype, arg->in[0].q)) return whet__resize_q8_ref(arg);
  if (!whet__is_complex(arg->in[0].dtype)) return whet__resize_real(arg);
  for (int part = 0; part < 2; part++) {
    whet_tensor in[4], out = whet__complex_part(&arg->out[0], part);
    whet_args a = *arg;
    for (int i = 0; i < arg->n_in && i < 4; i++) in[i] = i ? arg->in[i] : whet__complex_part(&arg->in[0], part);
    a.in = in;
    a.out = &out;
    WHET_TRY(whet__resize_real(&a));
  }
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

/* Nearest by whole factors repeats elements: a copy in which each stretched dimension is two, the inner one of stride 0.
 * WHET_LATE for other ways of resizing. */
static whet_status repeat(whet_planner *p, const whet_node *n) {
  const whet_resize_attr *a = n->attr;
  whet_resize_axis axis[WHET_MAX_RANK];
  int32_t rank = whet__pl_shape(p, n->in[0])->rank;
  int64_t in[WHET_MAX_RANK], out[WHET_MAX_RANK];
  whet_copy c = {0};
  if (a->mode != WHET_RESIZE_NEAREST || !whet__pl_resize(p, n, axis)) return WHET_LATE;
  whet__pl_strides(p, n->in[0], in);
  whet__pl_strides(p, n->out[0], out);
  for (int32_t d = 0; d < rank; d++) {
    int64_t times = axis[d].in ? axis[d].out / axis[d].in : 0;
    if (times < 1 || axis[d].in * times != axis[d].out || c.rank + 1 + (times > 1) > WHET_MAX_RANK) return WHET_LATE;
    for (int64_t o = 0; o < axis[d].out; o++) {
      int64_t index;
      double weight;
      if (whet__resize_taps(a, &axis[d]) != 1 || !whet__resize_look(a, &axis[d], o, &index, &weight) ||
          index != o / times)
        return WHET_LATE;
    }
    c.dim[c.rank] = axis[d].in;
    c.in_stride[c.rank] = in[d];
    c.out_stride[c.rank++] = out[d] * times;
    if (times > 1) c.dim[c.rank] = times, c.out_stride[c.rank++] = out[d];
  }
  return whet__pl_copy(p, n->out[0], n->in[0], &c);
}

/* Linear resizing of float32 along neighbouring dimensions, without a filter that is widened. */
static whet_status linear(whet_planner *p, const whet_node *n) {
  const whet_resize_attr *a = n->attr;
  whet_resize_axis axis[WHET_MAX_RANK];
  int32_t rank = whet__pl_shape(p, n->in[0])->rank, h = -1;
  if (a->mode != WHET_RESIZE_LINEAR || a->place == WHET_RESIZE_CROP || whet__pl_dtype(p, n->in[0]) != WHET_F32 ||
      rank < 2 || !whet__pl_resize(p, n, axis))
    return WHET_LATE;
  for (int32_t d = 0; d < rank; d++) {
    if (axis[d].in > INT32_MAX || axis[d].out > INT32_MAX || whet__resize_taps(a, &axis[d]) > 2) return WHET_LATE;
    if (!axis[d].active) continue;
    if (h >= 0 && d != h + 1) return WHET_LATE;
    if (h < 0) h = d;
  }
  h = h < 0 ? 0 : h == rank - 1 ? h - 1 : h;
  whet_resize_place *places = whet__pl_memory(p, (size_t)(axis[h].out + axis[h + 1].out) * sizeof *places), *at = places;
  if (!places) return WHET_E_MEMORY;
  for (int32_t d = h; d < h + 2; d++)
    for (int64_t o = 0; o < axis[d].out; o++, at++) {
      int64_t index[2];
      double weight[2] = {0};
      whet__resize_look(a, &axis[d], o, index, weight);
      if (!axis[d].active) index[1] = index[0];
      *at = (whet_resize_place){(int32_t)index[0], (int32_t)index[1], 0, (float)weight[0], (float)weight[1]};
    }
  return whet__pl_resize_lin(p, n, h, WHET_RESIZE_F32, places);
}

static whet_status plan(whet_planner *p, const whet_node *n) {
  whet_status moved = repeat(p, n);
  if (moved != WHET_LATE) return moved;
  if (whet__quantised(whet__pl_dtype(p, n->in[0]), whet__pl_quant(p, n->in[0]))) {
    whet_status s = whet__resize_q8_plan(p, n);
    if (s != WHET_LATE) return s;
  }
  return linear(p, n);
}

/* ---- permutation ----------------------------------------------------------------------------- */

static bool permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  const whet_graph *g = whet__ed_graph(e);
  const whet_node *n = &g->node[node];
  int32_t axes[WHET_MAX_RANK], count;
  char why[WHY];
  if (!axes_of(n->attr, rank, axes, &count, why)) return false;
  whet_resize_attr *a = whet__ed_attr(e, node);
  int64_t *list = a ? whet__arena_array(&whet__ed_graph(e)->arena, WHET_MAX_RANK, sizeof *list) : NULL;
  if (!list) return false;
  for (int32_t i = 0; i < count; i++) list[i] = whet__perm_axis(perm, rank, axes[i]);
  a->axes = (whet_ints){list, count};
  return true;
}

const whet_op whet_op_Resize = {.name = "Resize",
                                .flags = WHET_OP_PITCH_IN | WHET_OP_PITCH_OUT,
                                .attr_size = sizeof(whet_resize_attr),
                                .attrs = k_attrs,
                                .from = k_from,
                                .infer = infer,
                                .plan = plan,
                                .permute = permute,
                                .ref = ref,
                                .scratch = scratch};
