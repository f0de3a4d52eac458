/* SPDX-License-Identifier: Apache-2.0 */
/* Col2Im(x, image, block): columns of blocks added up to images: the way back from what a convolution reads.
 *
 *   out[n, c, p * stride + k * dilation - pad] += x[n, (c, k), p]     for all places p and block elements k
 *
 * ONNX Col2Im 18, any number of spatial dimensions. All numbers, complex ones too; integers wrap. */

#include "op/accumulate.h"
#include "op/move.h"

/* ---- attributes ------------------------------------------------------------------------------ */

struct col2im {
  whet_ints dilations, pads, strides; /* n 0: all 1, all 0, all 1 */
};
static const whet_attr_desc k_attrs[] = {{"dilations", WHET_ATTR_I64S, offsetof(struct col2im, dilations)},
                                         {"pads", WHET_ATTR_I64S, offsetof(struct col2im, pads)},
                                         {"strides", WHET_ATTR_I64S, offsetof(struct col2im, strides)},
                                         {0}};

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct col2im, a);
  a->dilations = whet__onnx_ints(im, "dilations");
  a->pads = whet__onnx_ints(im, "pads");
  a->strides = whet__onnx_ints(im, "strides");
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_from[] = {{"", "Col2Im", 18, from_onnx}, {0}};

/* ---- geometry -------------------------------------------------------------------------------- */

enum { DIMS = WHET_MAX_RANK - 2 };

struct geo {
  int32_t n; /* spatial dimensions */
  int64_t image[DIMS], block[DIMS], dilation[DIMS], stride[DIMS], pad[DIMS], places[DIMS];
  int64_t taps, columns; /* products of block and of places */
};

/* What does not fit, or NULL. image and block are set. */
static const char *measure(const struct col2im *a, struct geo *g) {
  int32_t n = g->n;
  if ((a->dilations.n && a->dilations.n != n) || (a->strides.n && a->strides.n != n) || (a->pads.n && a->pads.n != 2 * n))
    return "the attributes do not have the image's dimensions";
  g->taps = g->columns = 1;
  for (int32_t i = 0; i < n; i++) {
    int64_t limit = INT32_MAX, end = a->pads.n ? a->pads.v[n + i] : 0;
    g->dilation[i] = a->dilations.n ? a->dilations.v[i] : 1;
    g->stride[i] = a->strides.n ? a->strides.v[i] : 1;
    g->pad[i] = a->pads.n ? a->pads.v[i] : 0;
    if (g->dilation[i] < 1 || g->dilation[i] > limit || g->stride[i] < 1 || g->stride[i] > limit || g->pad[i] < 0 ||
        g->pad[i] > limit || end < 0 || end > limit || g->image[i] < 0 || g->image[i] > limit || g->block[i] < 1 ||
        g->block[i] > limit)
      return "a size is out of range";
    int64_t free_places = g->image[i] + g->pad[i] + end - g->dilation[i] * (g->block[i] - 1) - 1;
    if (free_places < 0) return "the block is larger than the image";
    g->places[i] = free_places / g->stride[i] + 1;
    if (__builtin_mul_overflow(g->taps, g->block[i], &g->taps) ||
        __builtin_mul_overflow(g->columns, g->places[i], &g->columns))
      return "the sizes are too large";
  }
  return NULL;
}

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_shape *x = whet__in_shape(f, 0);
  whet_dtype t = whet__in_dtype(f, 0);
  whet_shape *out = whet__out(f, 0, t);
  whet_nums image, block;
  struct geo g;
  out->rank = -1;
  if (!whet__accumulates(t, WHET_ACC_ADD)) return whet__infer_fail(f, WHET_E_TYPE, "no sums of %s", whet_dtype_name(t));
  bool known = whet__nums(f, 1, &image), known_block = whet__nums(f, 2, &block);
  if (image.n == -2) return whet__nums_late(f, &image, "the image's shape");
  if (block.n == -2) return whet__nums_late(f, &block, "the block's shape");
  WHET_TRY(whet__infer_rank(f, 0, 3, 3));
  if (image.n > DIMS || (image.n >= 0 && block.n >= 0 && image.n != block.n))
    return whet__infer_fail(f, WHET_E_SHAPE, "an image of %d dimensions and a block of %d", image.n, block.n);
  if (image.n >= 0) out->rank = 2 + image.n;
  for (int32_t i = 0; i < out->rank; i++) out->d[i] = i < 2 ? WHET_DIM_ANY : known ? whet__num(&image, i - 2) : WHET_DIM_ANY;
  out->d[0] = x->d[0];
  if (!known || !known_block || !whet__nums_all(&image) || !whet__nums_all(&block)) return WHET_LATE;
  g.n = image.n;
  for (int32_t i = 0; i < g.n; i++) g.image[i] = whet__num(&image, i), g.block[i] = whet__num(&block, i);
  const char *wrong = measure(n->attr, &g);
  if (wrong) return whet__infer_fail(f, WHET_E_DATA, "%s", wrong);
  if (whet__dim_known(x->d[1]) && x->d[1] % g.taps)
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld rows are no blocks of %lld", (long long)x->d[1], (long long)g.taps);
  if (whet__dim_known(x->d[2]) && x->d[2] != g.columns)
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld columns, expected %lld", (long long)x->d[2], (long long)g.columns);
  if (whet__dim_known(x->d[1])) out->d[1] = x->d[1] / g.taps;
  whet_dim total;
  return whet__infer_count(f, out, &total);
}

/* ---- reference ------------------------------------------------------------------------------- */

static whet_status ref(const whet_args *a) {
  const whet_tensor *x = &a->in[0], *out = &a->out[0];
  static const uint64_t zero[2];
  static const int64_t none[WHET_MAX_RANK];
  struct geo g = {.n = out->rank - 2};
  for (int32_t i = 0; i < g.n; i++) g.image[i] = whet__vec_i64(&a->in[1], i), g.block[i] = whet__vec_i64(&a->in[2], i);
  const char *wrong = measure(a->attr, &g);
  if (wrong) return whet__fail(a->err, WHET_E_DATA, "%s", wrong);
  whet__move_box(out->dtype, out->rank, out->dim, out->data, 0, out->stride, zero, 0, none);
  if (!whet__tensor_count(x)) return WHET_OK;
  /* Image, channel, element of the block, place. */
  int64_t dim[2 + 2 * DIMS], at[2 + 2 * DIMS] = {0};
  dim[0] = out->dim[0], dim[1] = out->dim[1];
  memcpy(dim + 2, g.block, (size_t)g.n * sizeof *dim);
  memcpy(dim + 2 + g.n, g.places, (size_t)g.n * sizeof *dim);
  do {
    int64_t row = at[1], column = 0, to = at[0] * out->stride[0] + at[1] * out->stride[1];
    bool inside = true;
    for (int32_t i = 0; i < g.n; i++) {
      int64_t k = at[2 + i], p = at[2 + g.n + i], y = p * g.stride[i] + k * g.dilation[i] - g.pad[i];
      inside &= y >= 0 && y < g.image[i];
      to += y * out->stride[2 + i];
      row = row * g.block[i] + k;
      column = column * g.places[i] + p;
    }
    if (inside)
      whet__accumulate(out->dtype, WHET_ACC_ADD, out->data, to, x->data,
                       at[0] * x->stride[0] + row * x->stride[1] + column * x->stride[2]);
  } while (whet__index_next(2 + 2 * g.n, dim, at));
  return WHET_OK;
}

const whet_op whet_op_Col2Im = {
    .name = "Col2Im",
    .attr_size = sizeof(struct col2im),
    .attrs = k_attrs,
    .from = k_from,
    .infer = infer,
    .ref = ref,
};
