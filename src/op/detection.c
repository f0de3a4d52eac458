/* SPDX-License-Identifier: Apache-2.0 */
/* DetectionPostProcess(encodings, scores, anchors): the end of an SSD detector: boxes [ymin, xmin, ymax, xmax] decoded from
 * what the net says about anchors [y, x, h, w], the best ones that do not overlap much, their classes and scores, and how
 * many there are.
 *
 * Fast: a box is kept or not by its best class, and each kept one is listed with its max_classes best classes. Regular:
 * every class chooses its own boxes, the best max_detections of all are listed. Slots that nothing fills are 0.
 *
 * TFLite custom operator TFLite_Detection_PostProcess; options are a FlexBuffers map. Types: f32; u8 is dequantised.
 * Results are f32. Among equal scores the lower index comes first. */

#include <math.h>

#include "op/move.h"
#include "op/walk.h"
#include "wire/flex.h"

/* ---- attributes ------------------------------------------------------------------------------ */

struct detection {
  int32_t max_detections, max_classes, per_class, classes;
  uint8_t regular;
  float least_score, overlap;
  float y, x, h, w; /* encodings are divided by these */
};
#define FIELD(name, kind) \
  { #name, WHET_ATTR_##kind, offsetof(struct detection, name) }
static const whet_attr_desc k_attrs[] = {FIELD(max_detections, I32),
                                         FIELD(max_classes, I32),
                                         FIELD(per_class, I32),
                                         FIELD(classes, I32),
                                         FIELD(regular, BOOL),
                                         FIELD(least_score, F32),
                                         FIELD(overlap, F32),
                                         FIELD(y, F32),
                                         FIELD(x, F32),
                                         FIELD(h, F32),
                                         FIELD(w, F32),
                                         {0}};
#undef FIELD

/* ---- reading --------------------------------------------------------------------------------- */

enum { MOST = 1 << 20 }; /* detections, classes */

/* An option from 1 to MOST; dflt when it is absent. */
static whet_status count(whet_import *im, whet_flex map, const char *name, int64_t dflt, int32_t *out) {
  int64_t x = whet__flex_int(whet__flex_get(map, name), dflt);
  if (x < 1 || x > MOST)
    return whet__im_fail(im, WHET_E_DATA, "the option %s is %lld: expected 1 to %d", name, (long long)x, MOST);
  *out = (int32_t)x;
  return WHET_OK;
}

/* A divisor: not 0. */
static whet_status divisor(whet_import *im, whet_flex map, const char *name, float *out) {
  *out = (float)whet__flex_float(whet__flex_get(map, name), 0);
  if (*out == 0 || !isfinite(*out))
    return whet__im_fail(im, WHET_E_DATA, "the option %s is %g: expected a number other than 0", name, (double)*out);
  return WHET_OK;
}

static whet_status read(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct detection, a);
  whet_str o = whet__tfl_custom(im);
  whet_flex map = whet__flex_root(o.p, o.n);
  WHET_TRY(count(im, map, "max_detections", 0, &a->max_detections));
  WHET_TRY(count(im, map, "max_classes_per_detection", 0, &a->max_classes));
  WHET_TRY(count(im, map, "detections_per_class", 100, &a->per_class));
  WHET_TRY(count(im, map, "num_classes", 0, &a->classes));
  a->regular = whet__flex_int(whet__flex_get(map, "use_regular_nms"), 0) != 0;
  a->least_score = (float)whet__flex_float(whet__flex_get(map, "nms_score_threshold"), 0);
  a->overlap = (float)whet__flex_float(whet__flex_get(map, "nms_iou_threshold"), 0);
  if (!(a->overlap > 0 && a->overlap <= 1))
    return whet__im_fail(im, WHET_E_DATA, "the option nms_iou_threshold is %g: expected a number over 0, at most 1",
                         (double)a->overlap);
  WHET_TRY(divisor(im, map, "y_scale", &a->y));
  WHET_TRY(divisor(im, map, "x_scale", &a->x));
  WHET_TRY(divisor(im, map, "h_scale", &a->h));
  WHET_TRY(divisor(im, map, "w_scale", &a->w));
  if (whet__im_n_in(im) != 3 || whet__im_n_out(im) != 4)
    return whet__im_fail(im, WHET_E_FORMAT, "%d inputs and %d outputs: expected 3 and 4", whet__im_n_in(im),
                         whet__im_n_out(im));
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_from[] = {{"tflite.custom", "TFLite_Detection_PostProcess", 1, read}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

/* Dimension k of input i is `want` or cannot be told. */
static whet_status has(whet_infer *f, int i, int32_t k, int64_t want) {
  whet_dim d = whet__in_shape(f, i)->d[k];
  if (whet__dim_known(d) && want >= 0 && d != want)
    return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d of input %d is %lld: expected %lld", k, i, (long long)d,
                            (long long)want);
  return WHET_OK;
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  const struct detection *a = n->attr;
  if (n->n_in != 3) return whet__infer_fail(f, WHET_E_FORMAT, "expected 3 inputs, got %d", n->n_in);
  for (int i = 0; i < 3; i++) {
    whet_dtype t = whet__in_dtype(f, i);
    if (!whet__in_has(f, i)) return whet__infer_fail(f, WHET_E_FORMAT, "input %d is absent", i);
    if (t != WHET_F32 && !(t == WHET_U8 && whet__in_quant(f, i) && whet__in_quant(f, i)->n == 1))
      return whet__infer_fail(f, WHET_E_TYPE, "input %d of type %s is not taken: expected float32 or quantised uint8", i,
                              whet_dtype_name(t));
    WHET_TRY(whet__infer_rank(f, i, i == 2 ? 2 : 3, i == 2 ? 2 : 3));
  }
  whet_dim boxes = whet__in_shape(f, 0)->d[1], code = whet__in_shape(f, 0)->d[2], classes = whet__in_shape(f, 1)->d[2];
  int64_t many = whet__dim_known(boxes) ? boxes : -1;
  WHET_TRY(has(f, 0, 0, 1));
  WHET_TRY(has(f, 1, 0, 1));
  WHET_TRY(has(f, 1, 1, many));
  WHET_TRY(has(f, 2, 0, many));
  WHET_TRY(has(f, 2, 1, 4));
  if (many > INT32_MAX) return whet__infer_fail(f, WHET_E_SHAPE, "%lld boxes", (long long)many);
  if (whet__dim_known(code) && code < 4)
    return whet__infer_fail(f, WHET_E_SHAPE, "encodings of %lld numbers: expected 4 or more", (long long)code);
  if (whet__dim_known(classes) && (classes < a->classes || classes > MOST))
    return whet__infer_fail(f, WHET_E_SHAPE, "scores of %lld classes: expected %d or more", (long long)classes, a->classes);
  whet_dim slots = (whet_dim)a->max_detections * a->max_classes, d[3] = {1, slots, 4}, one = 1;
  whet__out_dims(f, 0, WHET_F32, 3, d);
  whet__out_dims(f, 1, WHET_F32, 2, d);
  whet__out_dims(f, 2, WHET_F32, 2, d);
  whet__out_dims(f, 3, WHET_F32, 1, &one);
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* What a run holds: boxes, and for the boxes of one class their scores and order. */
struct work {
  const struct detection *a;
  const whet_tensor *score;
  int64_t n;                 /* boxes */
  int64_t background;        /* classes before the first that counts */
  float (*box)[4];           /* n decoded boxes */
  float *value;              /* n scores of the class at hand */
  int32_t *order;            /* n boxes by score */
  uint8_t *gone;             /* n: overlaps a chosen box */
  int32_t *chosen;           /* n of them */
  struct found {
    float score;
    int32_t box, cls;
  } *found, *merged; /* the best of the classes so far: max_detections each */
};

static void layout(struct work *w, const whet_args *a, char *p, size_t *bytes) {
  size_t n = (size_t)a->in[0].dim[1], m = (size_t)((const struct detection *)a->attr)->max_detections;
  size_t at[8] = {0}, size[] = {n * sizeof *w->box, n * sizeof *w->value, n * sizeof *w->order,  n,
                                n * sizeof *w->chosen, m * sizeof *w->found, m * sizeof *w->merged};
  for (int i = 0; i < 7; i++) at[i + 1] = at[i] + (size_t)whet__round_up(size[i], 16);
  *bytes = at[7];
  if (!p) return;
  w->box = (void *)(p + at[0]), w->value = (void *)(p + at[1]), w->order = (void *)(p + at[2]);
  w->gone = (void *)(p + at[3]), w->chosen = (void *)(p + at[4]), w->found = (void *)(p + at[5]);
  w->merged = (void *)(p + at[6]);
}

static size_t scratch(const whet_args *a) {
  struct work w;
  size_t bytes;
  layout(&w, a, NULL, &bytes);
  return bytes;
}

/* Element [i][k] of the last two dimensions, dequantised. */
static float element(const whet_tensor *t, int64_t i, int64_t k) {
  int64_t at = i * t->stride[t->rank - 2] + k * t->stride[t->rank - 1];
  if (t->dtype == WHET_F32) return (float)whet__get_f64(WHET_F32, t->data, at);
  return (float)(whet__get_i64(t->dtype, t->data, at) - t->q->zero[0]) * t->q->scale[0];
}
static float score_of(const struct work *w, int64_t box, int64_t cls) {
  return element(w->score, box, cls + w->background);
}

/* Decode all boxes; false when one has its corners the wrong way round. */
static bool decode(struct work *w, const whet_tensor *code, const whet_tensor *anchor) {
  const struct detection *a = w->a;
  for (int64_t i = 0; i < w->n; i++) {
    double c[4], r[4];
    for (int k = 0; k < 4; k++) c[k] = element(code, i, k), r[k] = element(anchor, i, k);
    float y = (float)(c[0] / (double)a->y * r[2] + r[0]), x = (float)(c[1] / (double)a->x * r[3] + r[1]);
    float h = (float)(0.5 * exp(c[2] / (double)a->h) * r[2]), v = (float)(0.5 * exp(c[3] / (double)a->w) * r[3]);
    float *b = w->box[i];
    b[0] = y - h, b[1] = x - v, b[2] = y + h, b[3] = x + v;
    if (b[0] > b[2] || b[1] > b[3]) return false;
  }
  return true;
}

/* Common area of two boxes over that of both. */
static float overlap(const float *a, const float *b) {
  float area_a = (a[2] - a[0]) * (a[3] - a[1]), area_b = (b[2] - b[0]) * (b[3] - b[1]);
  if (area_a <= 0 || area_b <= 0) return 0;
  float h = (a[2] < b[2] ? a[2] : b[2]) - (a[0] > b[0] ? a[0] : b[0]);
  float v = (a[3] < b[3] ? a[3] : b[3]) - (a[1] > b[1] ? a[1] : b[1]);
  float both = (h > 0 ? h : 0) * (v > 0 ? v : 0);
  return both / (area_a + area_b - both);
}

/* Does box i come before box j: a greater score, or a lower index? */
static bool before(const float *value, int32_t i, int32_t j) {
  return value[i] > value[j] || (!(value[j] > value[i]) && i < j);
}
/* Heapsort of n box numbers, best first. */
static void sort(const float *value, int32_t *order, int64_t n) {
  for (int64_t top = n / 2, end = n; end > 1;) {
    int32_t x;
    if (top > 0) {
      x = order[--top];
    } else {
      x = order[--end];
      order[end] = order[0];
    }
    int64_t i = top;
    for (int64_t c; (c = 2 * i + 1) < end; i = c) {
      if (c + 1 < end && before(value, order[c], order[c + 1])) c++;
      if (!before(value, x, order[c])) break;
      order[i] = order[c];
    }
    order[i] = x;
  }
}

/* Choose up to `most` boxes by their scores in w->value. */
static int64_t choose(struct work *w, int64_t most) {
  int64_t kept = 0, n = 0;
  for (int64_t i = 0; i < w->n; i++)
    if (w->value[i] >= w->a->least_score) w->order[kept++] = (int32_t)i;
  sort(w->value, w->order, kept);
  memset(w->gone, 0, (size_t)kept);
  for (int64_t i = 0; i < kept && n < most; i++) {
    if (w->gone[i]) continue;
    w->chosen[n++] = w->order[i];
    for (int64_t j = i + 1; j < kept; j++)
      if (!w->gone[j] && overlap(w->box[w->order[i]], w->box[w->order[j]]) > w->a->overlap) w->gone[j] = 1;
  }
  return n;
}

/* Write slot k of the outputs; box NULL: nothing is found. */
static void put(const whet_args *a, int64_t k, const float *box, float cls, float score) {
  const whet_tensor *o = a->out;
  for (int i = 0; i < 4 && o[0].data; i++)
    whet__set_f64(WHET_F32, o[0].data, k * o[0].stride[1] + i * o[0].stride[2], box ? (double)box[i] : 0);
  if (o[1].data) whet__set_f64(WHET_F32, o[1].data, k * o[1].stride[1], cls);
  if (o[2].data) whet__set_f64(WHET_F32, o[2].data, k * o[2].stride[1], score);
}

/* The k-th best class of a box: the one after `last`, which has score `limit` (k 0: none is before it). */
static int32_t next_class(const struct work *w, int64_t box, int32_t last, float limit) {
  int32_t best = -1;
  float top = 0;
  for (int32_t c = 0; c < w->a->classes; c++) {
    float s = score_of(w, box, c);
    bool after = last < 0 || s < limit || (s == limit && c > last);
    if (after && (best < 0 || s > top)) best = c, top = s;
  }
  return best < 0 ? 0 : best;
}

/* Slots filled and detections found, by the fast rule. */
static int64_t fast(struct work *w, const whet_args *args, int64_t *slot) {
  const struct detection *a = w->a;
  int32_t each = a->max_classes < a->classes ? a->max_classes : a->classes;
  for (int64_t i = 0; i < w->n; i++) w->value[i] = score_of(w, i, next_class(w, i, -1, 0));
  int64_t n = choose(w, a->max_detections);
  for (int64_t i = 0; i < n; i++) {
    int32_t cls = -1;
    float limit = 0;
    for (int32_t k = 0; k < a->max_classes; k++) {
      if (k >= each) {
        put(args, (*slot)++, NULL, 0, 0);
        continue;
      }
      cls = next_class(w, w->chosen[i], cls, limit);
      limit = score_of(w, w->chosen[i], cls);
      put(args, (*slot)++, w->box[w->chosen[i]], (float)cls, limit);
    }
  }
  return n;
}

/* The same by the regular rule. */
static int64_t regular(struct work *w, const whet_args *args, int64_t *slot) {
  const struct detection *a = w->a;
  int64_t n = 0;
  for (int32_t c = 0; c < a->classes; c++) {
    for (int64_t i = 0; i < w->n; i++) w->value[i] = score_of(w, i, c);
    int64_t m = choose(w, a->per_class), left = 0, i = 0, j = 0;
    while (left < a->max_detections && (i < n || j < m)) {
      bool old = j == m || (i < n && w->found[i].score >= w->value[w->chosen[j]]);
      w->merged[left++] = old ? w->found[i] : (struct found){w->value[w->chosen[j]], w->chosen[j], c};
      *(old ? &i : &j) += 1;
    }
    struct found *t = w->found;
    w->found = w->merged;
    w->merged = t;
    n = left;
  }
  for (int64_t i = 0; i < n; i++)
    put(args, (*slot)++, w->box[w->found[i].box], (float)w->found[i].cls, w->found[i].score);
  return n;
}

static whet_status ref(const whet_args *args) {
  struct work w = {.a = args->attr, .score = &args->in[1], .n = args->in[0].dim[1]};
  size_t bytes;
  int64_t slot = 0;
  if (!args->scratch) return WHET_E_UNSUPPORTED; /* while constants are folded */
  layout(&w, args, args->scratch, &bytes);
  w.background = w.score->dim[2] - w.a->classes;
  if (!decode(&w, &args->in[0], &args->in[2]))
    return whet__fail(args->err, WHET_E_DATA, "a decoded box ends before it begins");
  int64_t found = w.a->regular ? regular(&w, args, &slot) : fast(&w, args, &slot);
  for (int64_t slots = (int64_t)w.a->max_detections * w.a->max_classes; slot < slots; slot++) put(args, slot, NULL, 0, 0);
  if (args->out[3].data) whet__set_f64(WHET_F32, args->out[3].data, 0, (double)found);
  return WHET_OK;
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_DetectionPostProcess = {.name = "DetectionPostProcess",
                                              .attr_size = sizeof(struct detection),
                                              .attrs = k_attrs,
                                              .from = k_from,
                                              .infer = infer,
                                              .ref = ref,
                                              .scratch = scratch};
