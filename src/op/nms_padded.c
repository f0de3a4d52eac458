/* SPDX-License-Identifier: Apache-2.0 */
/* PaddedNonMaxSuppression(boxes, scores, count, overlap, score, sigma?): the best boxes that do not overlap too much, at
 * most `count` of them: their indices, (with sigma) their scores, and how many there are. What is left of the outputs is
 * 0. Boxes are [y1, x1, y2, x2], any two corners that face each other.
 *
 * With a sigma over 0 (soft NMS, Bodla and others 2017) boxes that overlap less than `overlap` stay with a score times
 * exp(-overlap^2 / (2 sigma)), and wait for their turn again. As in LiteRT a chosen box waits again too: it falls to itself, but
 * for boxes without area.
 *
 * TFLite NON_MAX_SUPPRESSION_V4, V5: f32. Exact to the order of its sums. */

#include <math.h>

#include "op/move.h"

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status infer(whet_infer *f, const whet_node *n) {
  bool soft = n->n_in == 6;
  if ((n->n_in != 5 && !soft) || n->n_out != (soft ? 3 : 2))
    return whet__infer_fail(f, WHET_E_FORMAT, "%d inputs and %d outputs: expected 5 and 2, or 6 and 3", n->n_in, n->n_out);
  for (int i = 0; i < n->n_in; i++) {
    if (!whet__in_has(f, i)) return whet__infer_fail(f, WHET_E_FORMAT, "input %d is absent", i);
    if (i != 2 && whet__in_dtype(f, i) != WHET_F32)
      return whet__infer_fail(f, WHET_E_TYPE, "input %d of type %s is not taken: expected float32", i,
                              whet_dtype_name(whet__in_dtype(f, i)));
    int64_t count = whet__shape_count(whet__in_shape(f, i));
    if (i > 1 && count >= 0 && count != 1)
      return whet__infer_fail(f, WHET_E_SHAPE, "input %d has %lld elements: expected 1", i, (long long)count);
  }
  if (!whet__out_has(f, 0)) return whet__infer_fail(f, WHET_E_FORMAT, "output 0 is absent");
  WHET_TRY(whet__infer_rank(f, 0, 2, 2));
  WHET_TRY(whet__infer_rank(f, 1, 1, 1));
  whet_dim boxes = whet__in_shape(f, 0)->d[0], four = whet__in_shape(f, 0)->d[1], scores = whet__in_shape(f, 1)->d[0];
  if (whet__dim_known(four) && four != 4)
    return whet__infer_fail(f, WHET_E_SHAPE, "boxes of %lld numbers: expected 4", (long long)four);
  if (whet__dim_known(boxes) && whet__dim_known(scores) && (boxes != scores || boxes > INT32_MAX))
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld boxes and %lld scores", (long long)boxes, (long long)scores);
  whet_nums count;
  bool known = whet__nums(f, 2, &count);
  whet_dim most = known ? whet__num(&count, 0) : WHET_DIM_ANY;
  if (whet__dim_number(most) && (most < 0 || most > INT32_MAX))
    return whet__infer_fail(f, WHET_E_DATA, "at most %lld boxes are asked for", (long long)most);
  whet__out_dims(f, 0, WHET_S32, 1, &most);
  if (soft) whet__out_dims(f, 1, WHET_F32, 1, &most);
  whet__out_dims(f, n->n_out - 1, WHET_S32, 0, NULL);
  return known ? WHET_OK : whet__nums_late(f, &count, "the number of boxes");
}

/* ---- reference ------------------------------------------------------------------------------- */

struct box {
  int32_t index;
  int32_t seen; /* boxes that were chosen before it was looked at last */
  float score;
};

/* Put b into a heap of n boxes, the best one first. */
static void push(struct box *heap, int64_t n, struct box b) {
  int64_t i = n;
  for (int64_t up; i && heap[up = (i - 1) / 2].score < b.score; i = up) heap[i] = heap[up];
  heap[i] = b;
}

/* Take the first of n boxes out. The gap sinks to the bottom before the last box fills it: boxes of one score come in the
 * order in which a C++ standard library's priority queue has them, LiteRT's. */
static struct box pop(struct box *heap, int64_t n) {
  struct box top = heap[0], last = heap[n - 1];
  int64_t i = 0, below;
  n--;
  while ((below = 2 * i + 2) < n) {
    if (heap[below].score < heap[below - 1].score) below--;
    heap[i] = heap[below];
    i = below;
  }
  if (below == n) heap[i] = heap[below - 1], i = below - 1;
  for (int64_t up; i && heap[up = (i - 1) / 2].score < last.score; i = up) heap[i] = heap[up];
  heap[i] = last;
  return top;
}

/* Corner values of box i: least and greatest y, least and greatest x. */
static void corners(const whet_tensor *boxes, int64_t i, float c[4]) {
  float v[4];
  for (int k = 0; k < 4; k++)
    v[k] = (float)whet__get_f64(WHET_F32, boxes->data, i * boxes->stride[0] + k * boxes->stride[1]);
  c[0] = v[2] < v[0] ? v[2] : v[0], c[1] = v[0] < v[2] ? v[2] : v[0];
  c[2] = v[3] < v[1] ? v[3] : v[1], c[3] = v[1] < v[3] ? v[3] : v[1];
}

/* Common area of two boxes over that of both. */
static float overlap(const whet_tensor *boxes, int64_t i, int64_t j) {
  float a[4], b[4];
  corners(boxes, i, a);
  corners(boxes, j, b);
  float area_a = (a[1] - a[0]) * (a[3] - a[2]), area_b = (b[1] - b[0]) * (b[3] - b[2]);
  if (area_a <= 0 || area_b <= 0) return 0;
  float h = (a[1] < b[1] ? a[1] : b[1]) - (a[0] > b[0] ? a[0] : b[0]);
  float w = (a[3] < b[3] ? a[3] : b[3]) - (a[2] > b[2] ? a[2] : b[2]);
  float both = (h > 0 ? h : 0) * (w > 0 ? w : 0);
  return both / (area_a + area_b - both);
}

static size_t scratch(const whet_args *a) {
  return (size_t)a->in[0].dim[0] * sizeof(struct box) + (size_t)a->out[0].dim[0] * sizeof(int32_t) + 1;
}

/* The one number of input i. */
static float number(const whet_args *a, int i) { return (float)whet__get_f64(WHET_F32, a->in[i].data, 0); }

static whet_status ref(const whet_args *a) {
  const whet_tensor *boxes = &a->in[0], *scores = &a->in[1];
  const whet_tensor *to_score = a->n_in == 6 && a->out[1].data ? &a->out[1] : NULL, *to_count = &a->out[a->n_out - 1];
  struct box *heap = a->scratch;
  int32_t *chosen = (int32_t *)(heap + boxes->dim[0]);
  float least_overlap = number(a, 3), least = number(a, 4), sigma = a->n_in == 6 ? number(a, 5) : 0;
  float scale = sigma > 0 ? -0.5f / sigma : 0;
  if (!heap) return WHET_E_UNSUPPORTED; /* while constants are folded */
  if (sigma < 0) return whet__fail(a->err, WHET_E_DATA, "sigma is %g: expected 0 or more", (double)sigma);
  int64_t waiting = 0, n = 0;
  for (int64_t i = 0; i < boxes->dim[0]; i++) {
    float s = (float)whet__get_f64(WHET_F32, scores->data, i * scores->stride[0]);
    if (s > least) push(heap, waiting++, (struct box){(int32_t)i, 0, s});
  }
  int64_t most = whet__min_i(waiting, a->out[0].dim[0]);
  while (n < most && waiting) {
    struct box b = pop(heap, waiting--);
    float first = b.score;
    bool drop = false;
    for (int64_t j = n - 1; j >= b.seen; j--) {
      float o = overlap(boxes, b.index, chosen[j]);
      if ((drop = o >= least_overlap)) break;
      if (sigma > 0) b.score *= expf(scale * o * o);
      if (b.score <= least) break;
    }
    b.seen = (int32_t)n;
    if (drop) continue;
    if (b.score == first) {
      chosen[n] = b.index;
      if (to_score) whet__set_f64(WHET_F32, to_score->data, n * to_score->stride[0], b.score);
      n++;
    }
    if (b.score > least) push(heap, waiting++, b);
  }
  for (int64_t i = 0; i < a->out[0].dim[0]; i++) {
    whet__set_i64(WHET_S32, a->out[0].data, i * a->out[0].stride[0], i < n ? chosen[i] : 0);
    if (to_score && i >= n) whet__set_f64(WHET_F32, to_score->data, i * to_score->stride[0], 0);
  }
  if (to_count->data) whet__set_i64(WHET_S32, to_count->data, 0, n);
  return WHET_OK;
}

/* ---- record ---------------------------------------------------------------------------------- */

static const whet_from k_from[] = {
    {"tflite", "NON_MAX_SUPPRESSION_V4", 1, NULL}, {"tflite", "NON_MAX_SUPPRESSION_V5", 1, NULL}, {0}};
const whet_op whet_op_PaddedNonMaxSuppression = {
    .name = "PaddedNonMaxSuppression", .from = k_from, .infer = infer, .ref = ref, .scratch = scratch};
