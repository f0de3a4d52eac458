/* SPDX-License-Identifier: Apache-2.0 */
/* Where an output element of Resize looks, and with which weights: ONNX Resize-19 and TFLite's two. */

#include <math.h>

#include "op/resize.h"

/* Place in the input of output place o, TFLite's way: in f32. */
static double place_single(const whet_resize_attr *a, const whet_resize_axis *x, int64_t o) {
  bool align = a->place == WHET_RESIZE_ALIGN_CORNERS, half = a->place != WHET_RESIZE_ASYMMETRIC && !align;
  float s = align && x->out > 1 ? (float)(x->in - 1) / (float)(x->out - 1) : (float)x->in / (float)x->out;
  if (!half) return (double)((float)o * s);
  float v = ((float)o + 0.5f) * s;
  return (double)(a->mode == WHET_RESIZE_NEAREST ? v : v - 0.5f);
}

static double place(const whet_resize_attr *a, const whet_resize_axis *x, int64_t o) {
  double s = x->scale, width = s * (double)x->in, in = (double)x->in, at = (double)o;
  if (a->single) return place_single(a, x, o);
  switch (a->place) {
    case WHET_RESIZE_ALIGN_CORNERS:
      return width == 1 ? 0 : at * (in - 1) / (width - 1);
    case WHET_RESIZE_ASYMMETRIC:
      return at / s;
    case WHET_RESIZE_TF_HALF_PIXEL:
      return (at + 0.5) / s;
    case WHET_RESIZE_PYTORCH:
      return x->out <= 1 ? 0 : (at + 0.5) / s - 0.5;
    case WHET_RESIZE_SYMMETRIC:
      return in / 2 * (1 - (double)x->out / width) + (at + 0.5) / s - 0.5;
    case WHET_RESIZE_CROP:
      return (width == 1 ? (x->to - x->from) * (in - 1) / 2 : at * (x->to - x->from) * (in - 1) / (width - 1)) +
             x->from * (in - 1);
    default:
      return (at + 0.5) / s - 0.5;
  }
}

/* The cubic of Keys with coefficient a at distance d. */
static double cubic(double a, double d) {
  d = fabs(d);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/* Is the filter widened because the axis shrinks? */
static bool widened(const whet_resize_attr *a, const whet_resize_axis *x) {
  return a->antialias && a->mode != WHET_RESIZE_NEAREST && x->scale < 1;
}

int64_t whet__resize_taps(const whet_resize_attr *a, const whet_resize_axis *x) {
  if (!x->active || a->mode == WHET_RESIZE_NEAREST) return 1;
  int64_t reach = a->mode == WHET_RESIZE_LINEAR ? 1 : 2;
  if (!widened(a, x)) return 2 * reach;
  return 2 - 2 * ((int64_t)floor(-(double)reach / x->scale) + 1);
}

/* The input element nearest to place v. */
static int64_t nearest(const whet_resize_attr *a, const whet_resize_axis *x, double v) {
  switch (a->nearest) {
    case WHET_RESIZE_FLOOR:
      return (int64_t)floor(v);
    case WHET_RESIZE_CEIL:
      return (int64_t)ceil(v);
    case WHET_RESIZE_SIMPLE:
      return (int64_t)(x->scale < 1 ? ceil(v) : floor(v));
    case WHET_RESIZE_ROUND_UP:
      return (int64_t)floor(v + 0.5);
    default:
      return (int64_t)ceil(v - 0.5);
  }
}

bool whet__resize_look(const whet_resize_attr *a, const whet_resize_axis *x, int64_t o, int64_t *index,
                       double *weight) {
  int64_t n = whet__resize_taps(a, x);
  if (!x->active) {
    index[0] = o;
    weight[0] = 1;
    return true;
  }
  double v = place(a, x, o), sum = 0;
  v = isnan(v) ? 0 : fmin(fmax(v, -0x1p40), 0x1p40);
  if (a->place == WHET_RESIZE_CROP && (v < 0 || v > (double)(x->in - 1))) {
    for (int64_t i = 0; i < n; i++) index[i] = 0, weight[i] = 0;
    return false;
  }
  if (a->mode == WHET_RESIZE_NEAREST) {
    index[0] = whet__clamp_i(nearest(a, x, v), 0, x->in - 1);
    weight[0] = 1;
    return true;
  }
  /* The element to the left; a place upon an element counts as right of it by 1. */
  double base = floor(v), ratio = v - base;
  if (ratio == 0) base -= 1, ratio = 1;
  double scale = widened(a, x) ? x->scale : 1;
  for (int64_t i = 0; i < n; i++) {
    double d = ((double)(i - (n / 2 - 1)) - ratio) * scale;
    int64_t at = (int64_t)base + i - (n / 2 - 1);
    weight[i] = a->mode == WHET_RESIZE_CUBIC ? cubic((double)a->cubic_a, d) : fmax(0, 1 - fabs(d));
    if (a->exclude && (at < 0 || at >= x->in)) weight[i] = 0;
    index[i] = whet__clamp_i(at, 0, x->in - 1);
    sum += weight[i];
  }
  for (int64_t i = 0; i < n && (a->exclude || scale != 1) && sum != 0; i++) weight[i] /= sum;
  return true;
}
