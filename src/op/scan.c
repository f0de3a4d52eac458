/* SPDX-License-Identifier: Apache-2.0 */
/* Scan(state..., sequence...): a body over the slices of sequences, with values carried from slice to slice; what it
 * makes for each slice is stacked. ONNX Scan 8 (with a batch dimension and sequence lengths), 9-25. See control.h. */

#include "op/control.h"
#include "op/move.h"

/* ---- attributes ------------------------------------------------------------------------------ */

#define FIELD(name, kind) \
  { #name, WHET_ATTR_##kind, offsetof(whet_scan, name) }
static const whet_attr_desc k_attrs[] = {FIELD(n_scan, I32),
                                         FIELD(batch, BOOL),
                                         FIELD(in_axis, I64S),
                                         FIELD(in_reverse, I64S),
                                         FIELD(out_axis, I64S),
                                         FIELD(out_reverse, I64S),
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_scan, a);
  whet_region *r = whet__onnx_region(im, "body");
  int64_t n = whet__onnx_int(im, "num_scan_inputs", 0);
  a->batch = whet__im_since(im) < 9;
  int skip = a->batch, n_in = whet__im_n_in(im) - skip, n_out = whet__im_n_out(im);
  if (!r || n < 1 || n > n_in || r->n_in != n_in || r->n_out != n_out || n_out < n_in - n)
    return whet__im_fail(im, WHET_E_FORMAT, "the body does not fit %d inputs (%lld of them scanned) and %d outputs",
                         n_in, (long long)n, n_out);
  a->n_scan = (int32_t)n;
  a->in_axis = whet__onnx_ints(im, "scan_input_axes");
  a->in_reverse = whet__onnx_ints(im, a->batch ? "directions" : "scan_input_directions");
  a->out_axis = whet__onnx_ints(im, "scan_output_axes");
  a->out_reverse = whet__onnx_ints(im, "scan_output_directions");
  WHET_TRY(whet__im_node_as_is(im, op, a));
  return whet__im_bodies(im, &r, 1);
}
static const whet_from k_from[] = {{"", "Scan", 8, from_onnx}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

/* Dimensions of s but number `axis`. */
static whet_shape without(const whet_shape *s, int32_t axis) {
  whet_shape r = {.rank = s->rank - 1};
  for (int32_t i = 0, k = 0; i < s->rank; i++)
    if (i != axis) r.d[k++] = s->d[i];
  return r;
}

/* s with dimension d put in before number `at`. */
static whet_shape with(const whet_shape *s, int32_t at, whet_dim d) {
  whet_shape r = {.rank = s->rank + 1};
  for (int32_t i = 0, k = 0; i < r.rank; i++) r.d[i] = i == at ? d : s->d[k++];
  return r;
}

static whet_status scan_infer(whet_infer *f, const whet_node *n) {
  const whet_scan *a = n->attr;
  int lead = a->batch, states = n->n_in - lead - a->n_scan;
  if (states < 0 || a->n_scan < 0 || n->n_out < states)
    return whet__infer_fail(f, WHET_E_FORMAT, "%d inputs and %d outputs for %d scanned ones", n->n_in, n->n_out, a->n_scan);
  WHET_TRY(whet__infer_body_is(f, 1, 0, n->n_in - lead, n->n_out));
  for (int i = 0; i < n->n_in; i++) WHET_TRY(whet__infer_is_tensor(f, i));
  whet_dim length = WHET_DIM_ANY, batch = WHET_DIM_ANY;
  bool late = false;
  for (int k = 0; k < n->n_in - lead; k++) {
    const whet_shape *s = whet__in_shape(f, lead + k);
    whet_shape one = *s;
    if (s->rank < 0) {
      late = true;
    } else {
      if (a->batch) {
        WHET_TRY(whet__infer_rank(f, lead + k, 1, WHET_MAX_RANK));
        if (whet__dim_known(batch) && whet__dim_known(s->d[0]) && batch != s->d[0])
          return whet__infer_fail(f, WHET_E_SHAPE, "the batch is %lld and %lld", (long long)batch,
                                  (long long)s->d[0]);
        if (!whet__dim_known(batch)) batch = s->d[0];
        one = without(&one, 0);
      }
      if (k >= states) {
        int32_t axis;
        WHET_TRY(whet__infer_axis(f, whet__scan_entry(a->in_axis, k - states), one.rank, &axis));
        whet_dim d = one.d[axis];
        if (whet__dim_known(length) && whet__dim_known(d) && length != d)
          return whet__infer_fail(f, WHET_E_SHAPE, "sequences of %lld and %lld slices", (long long)length,
                                  (long long)d);
        if (!whet__dim_known(length)) length = d;
        one = without(&one, axis);
      }
    }
    whet__body_in(f, 0, k, whet__in_dtype(f, lead + k), &one);
  }
  whet_status s = whet__infer_body(f, 0);
  if (s < 0) return s;
  for (int k = 0; k < n->n_out; k++) {
    whet_dtype t;
    whet_shape made = *whet__body_out(f, 0, k, &t);
    whet_shape *out = whet__out(f, k, t);
    if (made.rank < 0) {
      out->rank = -1;
      late = true;
      continue;
    }
    if (made.rank + (k >= states) + lead > WHET_MAX_RANK)
      return whet__infer_fail(f, WHET_E_SHAPE, "%d dimensions, at most %d", made.rank + 2, WHET_MAX_RANK);
    if (k >= states) {
      int32_t axis;
      WHET_TRY(whet__infer_axis(f, whet__scan_entry(a->out_axis, k - states), made.rank + 1, &axis));
      made = with(&made, axis, length);
    }
    *out = lead ? with(&made, 0, batch) : made;
  }
  return late ? WHET_LATE : s;
}

const whet_op whet_op_Scan = {.name = "Scan",
                              .flags = WHET_OP_RUNS_BODY,
                              .attr_size = sizeof(whet_scan),
                              .attrs = k_attrs,
                              .from = k_from,
                              .infer = scan_infer};
