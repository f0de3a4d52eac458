/* SPDX-License-Identifier: Apache-2.0 */
/* Resize on quantised numbers of 8 or 16 bits. Nearest moves them. TFLite's linear one never looks at scales: places
 * of int8 and int16 are fixed-point numbers with 10 bits after the point, and so are weights,
 *
 *   place = o * step (+ step / 2 - 512), step = ((in << 10) + out / 2) / out, about the corners with in - 1 and out - 1
 *   y = (sum of x * wy * wx, half away from zero) >> 20
 *
 * and those of uint8 are f32, the sum cut after 0.5 was added: family resize_lin. Other ways of resizing take the real numbers, in
 * double. */

#include "op/resize.h"

#include <math.h>

#include "base/dtype.h"
#include "op/move.h"

/* Where output place o of one of the two axes looks: two elements, and the part of the second. */
typedef struct look {
  int64_t low, high;
  int32_t fixed;     /* part of `high` in 1/1024 */
  float before, after; /* the same in f32 */
} look;

/* Integer places. */
static look look_fixed(const whet_resize_attr *a, const whet_resize_axis *x, int64_t o) {
  bool align = a->place == WHET_RESIZE_ALIGN_CORNERS && x->out > 1;
  int64_t in = x->in - align, out = x->out - align, step = (in * 1024 + out / 2) / out;
  int64_t at = o * step + (a->place == WHET_RESIZE_HALF_PIXEL ? step / 2 - 512 : 0);
  look l = {.low = whet__max_i(at / 1024, 0), .high = whet__min_i((at + 1023) / 1024, x->in - 1)};
  l.low = whet__min_i(l.low, x->in - 1);
  l.fixed = (int32_t)(at - l.low * 1024);
  return l;
}

/* Places in f32. */
static look look_single(const whet_resize_attr *a, const whet_resize_axis *x, int64_t o) {
  bool align = a->place == WHET_RESIZE_ALIGN_CORNERS && x->out > 1;
  float step = (float)(x->in - align) / (float)(x->out - align);
  float at = a->place == WHET_RESIZE_HALF_PIXEL ? ((float)o + 0.5f) * step - 0.5f : (float)o * step;
  look l = {.low = whet__clamp_i((int64_t)floorf(at), 0, x->in - 1),
            .high = whet__clamp_i((int64_t)ceilf(at), 0, x->in - 1)};
  l.after = at - (float)l.low;
  l.before = 1 - l.after;
  return l;
}

whet_status whet__resize_q8_plan(whet_planner *p, const whet_node *n) {
  const whet_resize_attr *a = n->attr;
  whet_resize_axis axis[WHET_MAX_RANK];
  whet_dtype t = whet__pl_dtype(p, n->in[0]);
  bool fixed = t == WHET_S8 || t == WHET_S16;
  if (!a->single || a->mode != WHET_RESIZE_LINEAR || a->axes.n != 2 || a->axes.v[1] != a->axes.v[0] + 1 ||
      (!fixed && t != WHET_U8) || whet__pl_dtype(p, n->out[0]) != t || !whet__pl_resize(p, n, axis))
    return WHET_LATE;
  const whet_resize_axis *both = &axis[a->axes.v[0]];
  whet_resize_place *places = whet__pl_memory(p, (size_t)(both[0].out + both[1].out) * sizeof *places), *at = places;
  if (!places) return WHET_E_MEMORY;
  for (int d = 0; d < 2; d++)
    for (int64_t o = 0; o < both[d].out; o++, at++) {
      look l = (fixed ? look_fixed : look_single)(a, &both[d], o);
      if (l.low > INT32_MAX || l.high > INT32_MAX || l.fixed < -512 || l.fixed > 1536) return WHET_LATE;
      *at = (whet_resize_place){(int32_t)l.low, (int32_t)l.high, l.fixed, l.before, l.after};
    }
  return whet__pl_resize_lin(p, n, (int32_t)a->axes.v[0],
                             t == WHET_S8 ? WHET_RESIZE_S8 : t == WHET_S16 ? WHET_RESIZE_S16 : WHET_RESIZE_U8, places);
}

/* The four elements around a place: [y][x]. */
static int64_t mix_fixed(const int64_t v[2][2], const look *y, const look *x) {
  int64_t top = v[0][0] * (1024 - x->fixed) + v[0][1] * x->fixed;
  int64_t low = v[1][0] * (1024 - x->fixed) + v[1][1] * x->fixed;
  int64_t sum = top * (1024 - y->fixed) + low * y->fixed;
  return (sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20);
}
static int64_t mix_single(const int64_t v[2][2], const look *y, const look *x) {
  float sum = (float)v[0][0] * y->before * x->before;
  sum += (float)v[1][0] * y->after * x->before;
  sum += (float)v[0][1] * y->before * x->after;
  sum += (float)v[1][1] * y->after * x->after;
  return (int64_t)(sum + 0.5f);
}

/* TFLite's bilinear form: dimensions axes[0] and axes[1] are resized, the others are alike. */
static whet_status bilinear(const whet_args *arg) {
  const whet_resize_attr *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  whet_resize_axis axis[WHET_MAX_RANK];
  int64_t at[WHET_MAX_RANK] = {0}, h = a->axes.v[0], w = a->axes.v[1];
  bool single = x->dtype == WHET_U8 || x->dtype == WHET_U16;
  whet__ref_resize(arg, axis);
  for (int64_t left = whet__tensor_count(y); left > 0; left--, whet__index_next(y->rank, y->dim, at)) {
    look ly = (single ? look_single : look_fixed)(a, &axis[h], at[h]);
    look lx = (single ? look_single : look_fixed)(a, &axis[w], at[w]);
    int64_t v[2][2], from = whet__index_offset(y->rank, at, x->stride) - at[h] * x->stride[h] - at[w] * x->stride[w];
    for (int i = 0; i < 4; i++)
      v[i >> 1][i & 1] = whet__get_i64(x->dtype, x->data,
                                       from + (i & 2 ? ly.high : ly.low) * x->stride[h] +
                                           (i & 1 ? lx.high : lx.low) * x->stride[w]);
    int64_t r = single ? mix_single(v, &ly, &lx) : mix_fixed(v, &ly, &lx);
    r = whet__clamp_i(r, whet__dtype_min(y->dtype), whet__dtype_max(y->dtype));
    whet__set_i64(y->dtype, y->data, whet__index_offset(y->rank, at, y->stride), r);
  }
  return WHET_OK;
}

whet_status whet__resize_q8_ref(const whet_args *a) {
  const whet_resize_attr *r = a->attr;
  return r->single && r->mode == WHET_RESIZE_LINEAR && r->axes.n == 2 ? bilinear(a) : whet__resize_real(a);
}
