/* SPDX-License-Identifier: Apache-2.0 */
/* NonMaxSuppression(boxes, scores, most, iou, least): for each picture and class the boxes by falling score, without
 * those that overlap one that was taken before by more than iou; rows of picture, class, box.
 *
 * ONNX 10-11. boxes is [n][boxes][4], scores [n][classes][boxes]; at most `most` boxes of a class (none if it is
 * absent), scores above `least`, among equals the lower number first. f32, in f32. */

#include "op/edit.h"
#include "op/move.h"
#include "op/object.h"

typedef struct nms_attr {
  bool centre; /* boxes are centre x, centre y, width, height; else two corners, y first */
} nms_attr;

static const whet_attr_desc k_attrs[] = {{"center_point_box", WHET_ATTR_BOOL, offsetof(nms_attr, centre)}, {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status read(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, nms_attr, a);
  a->centre = whet__onnx_int(im, "center_point_box", 0) != 0;
  return whet__im_node_as_is(im, op, a);
}

static const whet_from k_from[] = {{"", "NonMaxSuppression", 10, read}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_shape *boxes = whet__in_shape(f, 0), *scores = whet__in_shape(f, 1);
  for (int i = 0; i < 5; i++) {
    if (i < 2 && !whet__in_has(f, i)) return whet__infer_fail(f, WHET_E_FORMAT, "input %d is missing", i);
    if (!whet__in_has(f, i)) continue;
    if (whet__in_dtype(f, i) != (i == 2 ? WHET_S64 : WHET_F32))
      return whet__infer_fail(f, WHET_E_TYPE, "input %d is %s", i, whet_dtype_name(whet__in_dtype(f, i)));
    int64_t one = whet__shape_count(whet__in_shape(f, i));
    if (i > 1 && one >= 0 && one != 1) return whet__infer_fail(f, WHET_E_SHAPE, "input %d is not one number", i);
  }
  if (boxes->rank != 3 || scores->rank != 3 || (whet__dim_known(boxes->d[2]) && boxes->d[2] != 4))
    return whet__infer_fail(f, WHET_E_SHAPE, "expected boxes [n][boxes][4] and scores [n][classes][boxes]");
  if ((whet__dim_known(boxes->d[0]) && whet__dim_known(scores->d[0]) && boxes->d[0] != scores->d[0]) ||
      (whet__dim_known(boxes->d[1]) && whet__dim_known(scores->d[2]) && boxes->d[1] != scores->d[2]))
    return whet__infer_fail(f, WHET_E_SHAPE, "scores for %lld x %lld boxes, and %lld x %lld of them",
                            (long long)scores->d[0], (long long)scores->d[2], (long long)boxes->d[0],
                            (long long)boxes->d[1]);
  if (whet__dim_known(boxes->d[1]) && boxes->d[1] > INT32_MAX)
    return whet__infer_fail(f, WHET_E_LIMIT, "%lld boxes", (long long)boxes->d[1]);
  *whet__out(f, 0, WHET_S64) = (whet_shape){.rank = 2, .d = {WHET_DIM_ANY, 3}};
  return WHET_LATE;
}

/* ---- run ------------------------------------------------------------------------------------- */

/* Corners and area of a box. */
struct box {
  float y1, x1, y2, x2, area;
};
static struct box box_at(const float *p, bool centre) {
  struct box b;
  if (centre) {
    b = (struct box){p[1] - p[3] / 2, p[0] - p[2] / 2, p[1] + p[3] / 2, p[0] + p[2] / 2, 0};
  } else {
    bool y = p[0] < p[2], x = p[1] < p[3];
    b = (struct box){y ? p[0] : p[2], x ? p[1] : p[3], y ? p[2] : p[0], x ? p[3] : p[1], 0};
  }
  b.area = (b.y2 - b.y1) * (b.x2 - b.x1);
  return b;
}

/* Do they overlap by more than a share of what they cover together? */
static bool overlap(const struct box *a, const struct box *b, float share) {
  float h = (a->y2 < b->y2 ? a->y2 : b->y2) - (a->y1 > b->y1 ? a->y1 : b->y1);
  float w = (a->x2 < b->x2 ? a->x2 : b->x2) - (a->x1 > b->x1 ? a->x1 : b->x1);
  if (!(h > 0) || !(w > 0) || !(a->area > 0) || !(b->area > 0)) return false;
  float both = h * w;
  return both / (a->area + b->area - both) > share;
}

/* A heap of box numbers with the best on top. */
static bool better(const float *score, int32_t i, int32_t j) {
  return score[i] > score[j] || (score[i] == score[j] && i < j);
}
static void sink(int32_t *heap, int32_t n, int32_t at, const float *score) {
  for (int32_t v = heap[at];;) {
    int32_t kid = 2 * at + 1;
    if (kid < n - 1 && better(score, heap[kid + 1], heap[kid])) kid++;
    if (kid >= n || !better(score, heap[kid], v)) {
      heap[at] = v;
      return;
    }
    heap[at] = heap[kid];
    at = kid;
  }
}

/* What one call works on. */
struct nms {
  const float *boxes; /* of one picture */
  int32_t n, most;
  float iou, least;
  bool has_least, centre;
  int32_t *heap;
};

/* Boxes of one class, best first, into kept; their count. */
static int32_t select(const struct nms *s, const float *score, int32_t *kept) {
  int32_t n = 0, count = 0;
  for (int32_t i = 0; i < s->n; i++)
    if (s->has_least ? score[i] > s->least : score[i] == score[i]) s->heap[n++] = i;
  for (int32_t i = n / 2 - 1; i >= 0; i--) sink(s->heap, n, i, score);
  while (n > 0 && count < s->most) {
    int32_t best = s->heap[0];
    s->heap[0] = s->heap[--n];
    if (n) sink(s->heap, n, 0, score);
    struct box b = box_at(s->boxes + 4 * (size_t)best, s->centre);
    bool free = true;
    for (int32_t i = 0; free && i < count; i++) {
      struct box k = box_at(s->boxes + 4 * (size_t)kept[i], s->centre);
      free = !overlap(&b, &k, s->iou);
    }
    if (free) kept[count++] = best;
  }
  return count;
}

static whet_status late(const whet_args *arg) {
  const nms_attr *a = arg->attr;
  const whet_tensor *boxes = &arg->in[0], *scores = &arg->in[1];
  const void *most = arg->n_in > 2 ? arg->in[2].data : NULL, *iou = arg->n_in > 3 ? arg->in[3].data : NULL;
  const void *least = arg->n_in > 4 ? arg->in[4].data : NULL;
  int64_t pictures = scores->dim[0], classes = scores->dim[1], n = scores->dim[2], total = 0;
  struct nms s = {.n = (int32_t)n,
                  .most = (int32_t)(most ? whet__clamp_i(whet__get_i64(WHET_S64, most, 0), 0, n) : 0),
                  .iou = iou ? *(const float *)iou : 0,
                  .least = least ? *(const float *)least : 0,
                  .has_least = least != NULL,
                  .centre = a->centre};
  /* The heap, then what is kept of every class and how many: together never more than three times the scores. */
  size_t rows = (size_t)(pictures * classes), cells = (size_t)n + rows * ((size_t)s.most + 1);
  int32_t *kept = (int32_t *)(void *)whet__late_bytes(arg, cells * sizeof *kept);
  if (!kept) return WHET_E_MEMORY;
  s.heap = kept + rows * ((size_t)s.most + 1);
  for (size_t r = 0; r < rows; r++) {
    int32_t *mine = kept + r * ((size_t)s.most + 1);
    s.boxes = (const float *)boxes->data + (int64_t)r / classes * n * 4;
    mine[0] = select(&s, (const float *)scores->data + (int64_t)r * n, mine + 1);
    total += mine[0];
  }
  int64_t dims[2] = {total, 3}, *out = whet__late_out(arg, 0, WHET_S64, 2, dims);
  if (!out) return WHET_E_MEMORY;
  for (size_t r = 0; r < rows; r++) {
    const int32_t *mine = kept + r * ((size_t)s.most + 1);
    for (int32_t i = 1; i <= mine[0]; i++, out += 3) {
      out[0] = (int64_t)r / classes;
      out[1] = (int64_t)r % classes;
      out[2] = mine[i];
    }
  }
  return WHET_OK;
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_NonMaxSuppression = {.name = "NonMaxSuppression",
                                           .attr_size = sizeof(nms_attr),
                                           .attrs = k_attrs,
                                           .from = k_from,
                                           .infer = infer,
                                           .late = late};
