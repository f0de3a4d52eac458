/* SPDX-License-Identifier: Apache-2.0 */
/* BitCast(x): the same bits as elements of another type. Wider elements are cut into narrower ones along a new last
 * dimension; narrower ones are put together along the last dimension, which goes.
 *
 * ONNX BitCast 26 (types of the same width); TFLite BITCAST. All types but strings. A view. */

#include "op/cast.h"
#include "op/move.h"

struct bitcast {
  int32_t to; /* whet_dtype */
};
static const whet_attr_desc k_attrs[] = {{"to", WHET_ATTR_I32, offsetof(struct bitcast, to)}, {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct bitcast, a);
  int64_t to = whet__onnx_int(im, "to", 0);
  const whet_val *x = whet__im_val(im, whet__im_in(im, 0));
  if (to <= WHET_NONE || to >= WHET_DTYPE_COUNT)
    return whet__im_fail(im, WHET_E_DATA, "attribute to is %lld: that is no element type", (long long)to);
  if (x && x->dtype && whet_dtype_bits((whet_dtype)x->dtype) != whet_dtype_bits((whet_dtype)to))
    return whet__im_fail(im, WHET_E_TYPE, "%s and %s have different widths", whet_dtype_name((whet_dtype)x->dtype),
                         whet_dtype_name((whet_dtype)to));
  a->to = (int32_t)to;
  return whet__im_node_as_is(im, op, a);
}

static whet_status from_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct bitcast, a);
  const whet_val *out = whet__im_val(im, whet__im_out(im, 0));
  if (!out || !out->dtype) return whet__im_fail(im, WHET_E_FORMAT, "expected an output with a type");
  a->to = out->dtype;
  return whet__im_node_as_is(im, op, a);
}

whet_status whet__im_bitcast(whet_import *im, int32_t *v, whet_dtype to) {
  WHET_NEW_ATTR(im, struct bitcast, a);
  int32_t x = *v;
  a->to = to;
  *v = whet__im_new(im, "bits");
  return whet__im_node(im, whet__op_find("BitCast"), a, &x, 1, v, 1);
}

static const whet_from k_from[] = {{"", "BitCast", 26, from_onnx}, {"tflite", "BITCAST", 1, from_tfl}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const struct bitcast *a = n->attr;
  whet_dtype from = whet__in_dtype(f, 0), to = (whet_dtype)a->to;
  const whet_shape *x = whet__in_shape(f, 0);
  whet_shape *out = whet__out(f, 0, to);
  *out = *x;
  if (!from) return WHET_LATE;
  unsigned in_bits = whet_dtype_bits(from), bits = whet_dtype_bits(to);
  if (from == WHET_STRING || to == WHET_STRING || !in_bits || !bits ||
      (in_bits != bits && (in_bits % 8 || bits % 8 || (in_bits > bits ? in_bits % bits : bits % in_bits))))
    return whet__infer_fail(f, WHET_E_TYPE, "the bits of %s are no elements of %s", whet_dtype_name(from),
                            whet_dtype_name(to));
  if (in_bits == bits) return WHET_OK;
  if (x->rank < 0) return WHET_LATE;
  if (in_bits > bits) {
    if (x->rank == WHET_MAX_RANK)
      return whet__infer_fail(f, WHET_E_SHAPE, "%d dimensions, at most %d", x->rank + 1, WHET_MAX_RANK);
    out->d[out->rank++] = in_bits / bits;
  } else if (!x->rank || (whet__dim_known(x->d[x->rank - 1]) && x->d[x->rank - 1] != bits / in_bits)) {
    return whet__infer_fail(f, WHET_E_SHAPE, "the last dimension must be of %u elements", bits / in_bits);
  } else {
    out->rank--;
  }
  return WHET_OK;
}

/* ---- reference and planning ------------------------------------------------------------------ */

static whet_status ref(const whet_args *a) {
  const whet_tensor *x = &a->in[0], *out = &a->out[0];
  size_t from = whet__dtype_size(x->dtype), to = whet__dtype_size(out->dtype), unit = from < to ? from : to;
  int64_t count = whet__tensor_count(x) < whet__tensor_count(out) ? whet__tensor_count(out) : whet__tensor_count(x);
  for (int64_t k = 0; k < count; k++) {
    if (!unit) { /* packed: of one width */
      whet__move_one(x->dtype, out->data, whet__flat_offset(out, k), x->data, whet__flat_offset(x, k));
      continue;
    }
    size_t at = (size_t)k * unit; /* among the bytes of a dense tensor */
    memcpy((char *)out->data + (size_t)whet__flat_offset(out, (int64_t)(at / to)) * to + at % to,
           (const char *)x->data + (size_t)whet__flat_offset(x, (int64_t)(at / from)) * from + at % from, unit);
  }
  return WHET_OK;
}

static whet_status plan(whet_planner *p, const whet_node *n) { return whet__pl_view(p, n, 0, 0); }

const whet_op whet_op_BitCast = {
    .name = "BitCast",
    .flags = WHET_OP_VIEW,
    .attr_size = sizeof(struct bitcast),
    .attrs = k_attrs,
    .from = k_from,
    .infer = infer,
    .plan = plan,
    .ref = ref,
};
