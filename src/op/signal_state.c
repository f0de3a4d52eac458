/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of samples, as custom operators of tflite-micro; what is carried from run to run lies in variables.
 *
 *   SignalFramer(x)      frames of frame_size samples, frame_step apart, from rows of new samples; whether all are
 * whole SignalOverlapAdd(x)  frames added where they overlap, frame_step new samples for each SignalDelay(x) rows
 * delay_length samples later SignalStacker(x)     num_channels features with those of left_context frames before and
 * right_context after; whether there are enough of them int16; OverlapAdd float too. Outputs that are not valid yet
 * are 0. Exact. */

#include "op/move.h"
#include "op/variable.h"
#include "wire/flex.h"

/* ---- attributes ------------------------------------------------------------------------------ */

struct stream {
  int32_t size, step;            /* Framer: of a frame, between frames; OverlapAdd: step; Delay: size = delay */
  uint8_t prefill;               /* Framer: start with zeros */
  int32_t channels, left, right; /* Stacker */
};
#define FIELD(name, kind) \
  { #name, WHET_ATTR_##kind, offsetof(struct stream, name) }
static const whet_attr_desc k_attrs[] = {FIELD(size, I32),
                                         FIELD(step, I32),
                                         FIELD(prefill, BOOL),
                                         FIELD(channels, I32),
                                         FIELD(left, I32),
                                         FIELD(right, I32),
                                         {0}};
#undef FIELD

/* ---- reading --------------------------------------------------------------------------------- */

enum { MAX_SAMPLES = 1 << 24 };

static whet_status option(whet_import *im, const char *name, int64_t lo, int32_t *out) {
  whet_str o = whet__tfl_custom(im);
  int64_t x = whet__flex_int(whet__flex_get(whet__flex_root(o.p, o.n), name), -1);
  if (x < lo || x > MAX_SAMPLES)
    return whet__im_fail(im, WHET_E_DATA, "the option %s is %lld, expected %lld to %d", name, (long long)x,
                         (long long)lo, MAX_SAMPLES);
  *out = (int32_t)x;
  return WHET_OK;
}

/* Rows of input 0: all but its last `inner` dimensions, which the file must fix because state is kept for each. */
static whet_status rows_of(whet_import *im, int32_t inner, int64_t *rows) {
  const whet_val *x = whet__im_val(im, whet__im_in(im, 0));
  if (!x || x->shape.rank < inner) return whet__im_fail(im, WHET_E_SHAPE, "the input needs %d dimensions", inner);
  *rows = 1;
  for (int32_t i = 0; i < x->shape.rank - inner; i++) {
    if (!whet__dim_known(x->shape.d[i]) || x->shape.d[i] > MAX_SAMPLES)
      return whet__im_fail(im, WHET_E_SHAPE, "dimension %d of the input is not fixed", i);
    *rows *= x->shape.d[i];
    if (*rows > MAX_SAMPLES) return whet__im_fail(im, WHET_E_SHAPE, "too many rows");
  }
  return WHET_OK;
}

/* Append the node with a variable of [rows, size] elements and, if `count`, one that says how many samples are in it.
 */
static whet_status build(whet_import *im, const whet_op *op, struct stream *a, int64_t rows, int64_t size, bool count,
                         int32_t filled) {
  whet_graph *g = whet__im_graph(im);
  const whet_val *x = whet__im_val(im, whet__im_in(im, 0));
  int64_t d[2] = {rows, size};
  int32_t in[3] = {whet__im_in(im, 0), whet__variable_new(g, "samples", (whet_dtype)x->dtype, 2, d), -1};
  int32_t out[2] = {whet__im_out(im, 0), whet__im_out(im, 1)};
  if (count) {
    in[2] = whet__variable_new(g, "count", WHET_S32, 0, NULL);
    whet_data *first = whet__arena_alloc(&g->arena, sizeof *first);
    int32_t *p = whet__arena_copy(&g->arena, &filled, sizeof filled);
    if (in[2] < 0 || !first || !p) return whet__im_fail(im, WHET_E_MEMORY, "no memory for state");
    *first = (whet_data){.p = p, .n = sizeof *p, .id = g->next_data++};
    g->val[in[2]].data = first;
  }
  if (in[1] < 0) return whet__im_fail(im, WHET_E_MEMORY, "no memory for state");
  return whet__im_node(im, op, a, in, count ? 3 : 2, out, whet__im_n_out(im) > 1 ? 2 : 1);
}

static whet_status framer_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct stream, a);
  int64_t rows;
  whet_str o = whet__tfl_custom(im);
  WHET_TRY(option(im, "frame_size", 1, &a->size));
  WHET_TRY(option(im, "frame_step", 1, &a->step));
  a->prefill = whet__flex_int(whet__flex_get(whet__flex_root(o.p, o.n), "prefill"), 0) != 0;
  if (a->step > a->size) return whet__im_fail(im, WHET_E_DATA, "frames of %d samples, %d apart", a->size, a->step);
  WHET_TRY(rows_of(im, 1, &rows));
  /* Before new samples come in there are fewer than a frame; after, up to a whole number of steps. */
  return build(im, op, a, rows, whet__ceil_div(a->size, a->step) * a->step, true, a->prefill ? a->size - a->step : 0);
}

static whet_status overlap_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct stream, a);
  int64_t rows;
  WHET_TRY(option(im, "frame_step", 1, &a->step));
  WHET_TRY(rows_of(im, 2, &rows));
  const whet_val *x = whet__im_val(im, whet__im_in(im, 0));
  whet_dim size = x->shape.d[x->shape.rank - 1];
  if (!whet__dim_known(size) || size < a->step || size > MAX_SAMPLES)
    return whet__im_fail(im, WHET_E_SHAPE, "frames of %lld samples, %d apart", (long long)size, a->step);
  a->size = (int32_t)size;
  return build(im, op, a, rows, size, false, 0);
}

static whet_status delay_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct stream, a);
  int64_t rows;
  WHET_TRY(option(im, "delay_length", 0, &a->size));
  WHET_TRY(rows_of(im, 1, &rows));
  return build(im, op, a, rows, a->size, false, 0);
}

static whet_status stacker_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct stream, a);
  WHET_TRY(option(im, "num_channels", 1, &a->channels));
  WHET_TRY(option(im, "stacker_left_context", 0, &a->left));
  WHET_TRY(option(im, "stacker_right_context", 0, &a->right));
  WHET_TRY(option(im, "stacker_step", 1, &a->step));
  int64_t frames = (int64_t)a->left + a->right + 1;
  if (frames * a->channels > MAX_SAMPLES || a->step > frames)
    return whet__im_fail(im, WHET_E_DATA, "%lld frames of %d channels, %d apart", (long long)frames, a->channels,
                         a->step);
  a->size = (int32_t)(frames * a->channels);
  const whet_val *x = whet__im_val(im, whet__im_in(im, 0));
  if (!x) return whet__im_fail(im, WHET_E_FORMAT, "there is no input");
  return build(im, op, a, 1, a->size, true, -1); /* -1: not even the first frame was seen */
}

/* ---- shape rules ----------------------------------------------------------------------------- */

/* Input 0 has one of the types that there are, and as many rows as there is state for. */
static whet_status check(whet_infer *f, const whet_node *n, int32_t inner, bool floats) {
  const whet_shape *x = whet__in_shape(f, 0), *v = whet__in_shape(f, 1);
  whet_dtype t = whet__in_dtype(f, 0);
  if (t != WHET_S16 && !(floats && t == WHET_F32))
    return whet__infer_fail(f, WHET_E_TYPE, "samples of %s", whet_dtype_name(t));
  WHET_TRY(whet__infer_rank(f, 0, inner, WHET_MAX_RANK - 1));
  whet_shape rows = *x;
  rows.rank -= inner;
  int64_t count = whet__shape_count(&rows);
  if (count >= 0 && count != v->d[0])
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld rows, state for %lld", (long long)count, (long long)v->d[0]);
  return WHET_OK;
}

static whet_status framer_infer(whet_infer *f, const whet_node *n) {
  const struct stream *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  WHET_TRY(check(f, n, 1, false));
  whet_dim d = x->d[x->rank - 1];
  if (whet__dim_known(d) && (d < a->step || d % a->step))
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld samples are no whole number of steps of %d", (long long)d,
                            a->step);
  whet_shape *out = whet__out(f, 0, WHET_S16);
  *out = *x;
  out->d[out->rank - 1] = whet__dim_div(d, a->step);
  out->d[out->rank++] = a->size;
  whet__out_dims(f, 1, WHET_BOOL, 0, NULL);
  return WHET_OK;
}

static whet_status overlap_infer(whet_infer *f, const whet_node *n) {
  const struct stream *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  WHET_TRY(check(f, n, 2, true));
  if (whet__dim_known(x->d[x->rank - 1]) && x->d[x->rank - 1] != a->size)
    return whet__infer_fail(f, WHET_E_SHAPE, "frames of %lld samples, state for %d", (long long)x->d[x->rank - 1],
                            a->size);
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, 0));
  *out = *x;
  out->rank--;
  out->d[out->rank - 1] = whet__dim_mul(out->d[out->rank - 1], a->step);
  return WHET_OK;
}

static whet_status delay_infer(whet_infer *f, const whet_node *n) {
  WHET_TRY(check(f, n, 1, false));
  whet__out_dims(f, 0, WHET_S16, whet__in_shape(f, 0)->rank, whet__in_shape(f, 0)->d);
  return WHET_OK;
}

static whet_status stacker_infer(whet_infer *f, const whet_node *n) {
  const struct stream *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  if (whet__in_dtype(f, 0) != WHET_S16) return whet__infer_fail(f, WHET_E_TYPE, "features must be int16");
  WHET_TRY(whet__infer_rank(f, 0, 1, 1));
  if (whet__dim_known(x->d[0]) && x->d[0] != a->channels)
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld features for %d channels", (long long)x->d[0], a->channels);
  whet_dim d = a->size;
  whet__out_dims(f, 0, WHET_S16, 1, &d);
  whet__out_dims(f, 1, WHET_BOOL, 0, NULL);
  return WHET_OK;
}

/* ---- references ------------------------------------------------------------------------------ */

/* Every row's samples before `now` are the same in number, so one count serves all. */
static whet_status framer_ref(const whet_args *a) {
  const struct stream *s = a->attr;
  const whet_tensor *x = &a->in[0], *out = &a->out[0];
  int32_t last = x->rank - 1;
  int64_t rows = a->in[1].dim[0], room = a->in[1].dim[1], frames = x->dim[last] / s->step;
  int32_t *count = a->in[2].data, now = *count;
  bool whole = true;
  for (int64_t r = 0; r < rows; r++) {
    int16_t *kept = (int16_t *)a->in[1].data + r * room;
    now = *count;
    for (int64_t k = 0; k < frames; k++) {
      for (int32_t i = 0; i < s->step; i++)
        kept[now + i] = ((const int16_t *)x->data)[whet__flat_offset(x, (r * frames + k) * s->step + i)];
      now += s->step;
      bool ready = now >= s->size;
      whole &= ready;
      for (int32_t i = 0; i < s->size; i++)
        ((int16_t *)out->data)[whet__flat_offset(out, (r * frames + k) * s->size + i)] = ready ? kept[i] : 0;
      if (!ready) continue;
      now -= s->step;
      memmove(kept, kept + s->step, (size_t)now * sizeof *kept);
    }
  }
  *count = now;
  if (a->n_out > 1 && a->out[1].data) *(uint8_t *)a->out[1].data = whole;
  return WHET_OK;
}

static whet_status overlap_ref(const whet_args *a) {
  const struct stream *s = a->attr;
  const whet_tensor *x = &a->in[0], *out = &a->out[0];
  int64_t rows = a->in[1].dim[0], frames = x->dim[x->rank - 2];
  bool real = x->dtype == WHET_F32;
  size_t e = real ? sizeof(float) : sizeof(int16_t);
  for (int64_t r = 0; r < rows; r++) {
    char *sum = (char *)a->in[1].data + (size_t)(r * s->size) * e;
    for (int64_t k = 0; k < frames; k++) {
      for (int32_t i = 0; i < s->size; i++) {
        int64_t from = whet__flat_offset(x, (r * frames + k) * s->size + i);
        if (real)
          ((float *)sum)[i] += ((const float *)x->data)[from];
        else
          ((int16_t *)sum)[i] =
              (int16_t)whet__clamp_i(((int16_t *)sum)[i] + ((const int16_t *)x->data)[from], INT16_MIN, INT16_MAX);
      }
      for (int32_t i = 0; i < s->step; i++)
        whet__move_one(x->dtype, out->data, whet__flat_offset(out, (r * frames + k) * s->step + i), sum, i);
      memmove(sum, sum + (size_t)s->step * e, (size_t)(s->size - s->step) * e);
      memset(sum + (size_t)(s->size - s->step) * e, 0, (size_t)s->step * e);
    }
  }
  return WHET_OK;
}

static whet_status delay_ref(const whet_args *a) {
  const struct stream *s = a->attr;
  const whet_tensor *x = &a->in[0], *out = &a->out[0];
  int64_t n = x->dim[x->rank - 1], rows = n ? whet__tensor_count(x) / n : 0, d = s->size;
  for (int64_t r = 0; r < rows; r++) {
    int16_t *kept = (int16_t *)a->in[1].data + r * d;
    for (int64_t i = 0; i < n; i++) {
      int16_t v = i < d ? kept[i] : ((const int16_t *)x->data)[whet__flat_offset(x, r * n + i - d)];
      ((int16_t *)out->data)[whet__flat_offset(out, r * n + i)] = v;
    }
    int64_t stay = whet__max_i(d - n, 0);
    memmove(kept, kept + (d - stay), (size_t)stay * sizeof *kept);
    for (int64_t i = stay; i < d; i++) kept[i] = ((const int16_t *)x->data)[whet__flat_offset(x, r * n + n - d + i)];
  }
  return WHET_OK;
}

/* The first frame counts left + 1 times. */
static whet_status stacker_ref(const whet_args *a) {
  const struct stream *s = a->attr;
  const whet_tensor *x = &a->in[0], *out = &a->out[0];
  int16_t *kept = a->in[1].data;
  int32_t *count = a->in[2].data, now = *count < 0 ? 0 : *count, times = *count < 0 ? s->left + 1 : 1;
  for (; times > 0; times--)
    for (int32_t i = 0; i < s->channels; i++) kept[now++] = ((const int16_t *)x->data)[i * x->stride[0]];
  bool ready = now >= s->size;
  for (int32_t i = 0; i < s->size; i++) ((int16_t *)out->data)[i * out->stride[0]] = ready ? kept[i] : 0;
  if (ready) {
    int32_t gone = s->step * s->channels;
    now -= gone;
    memmove(kept, kept + gone, (size_t)now * sizeof *kept);
  }
  *count = now;
  if (a->n_out > 1 && a->out[1].data) *(uint8_t *)a->out[1].data = ready;
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

#define RECORD(Name, lower)                                                                    \
  static const whet_from k_##lower##_from[] = {{"tflite.custom", #Name, 1, lower##_tfl}, {0}}; \
  const whet_op whet_op_##Name = {.name = #Name,                                               \
                                  .flags = WHET_OP_STATE,                                      \
                                  .attr_size = sizeof(struct stream),                          \
                                  .attrs = k_attrs,                                            \
                                  .from = k_##lower##_from,                                    \
                                  .infer = lower##_infer,                                      \
                                  .ref = lower##_ref}

RECORD(SignalFramer, framer);
RECORD(SignalOverlapAdd, overlap);
RECORD(SignalDelay, delay);
RECORD(SignalStacker, stacker);
