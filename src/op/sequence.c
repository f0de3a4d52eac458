/* SPDX-License-Identifier: Apache-2.0 */
/* Sequences: SequenceConstruct(x...), SequenceEmpty(), SequenceInsert(s, x, at?), SequenceErase(s, at?), SequenceAt(s, at),
 * SequenceLength(s), SequenceMap(s, a...) {body}. ONNX 11-, SequenceMap 17-. Items are tensors of one type.
 *
 * A place may be negative (from the end); Insert without one puts the item last, Erase without one takes the last item.
 * A sequence that nothing else uses is changed in place. How a SequenceMap runs is in control.h. */

#include "op/control.h"
#include "op/move.h"
#include "op/object.h"

/* ---- reading --------------------------------------------------------------------------------- */

typedef struct empty_attr {
  int32_t dtype;
} empty_attr;
static const whet_attr_desc k_empty_attrs[] = {{"dtype", WHET_ATTR_I32, offsetof(empty_attr, dtype)}, {0}};

static whet_status read_empty(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, empty_attr, a);
  int64_t t = whet__onnx_int(im, "dtype", WHET_F32);
  if (t <= WHET_NONE || t >= WHET_DTYPE_COUNT)
    return whet__im_fail(im, WHET_E_UNSUPPORTED, "element type %lld is not known", (long long)t);
  a->dtype = (int32_t)t;
  return whet__im_node_as_is(im, op, a);
}

static whet_status read_map(whet_import *im, const whet_op *op) {
  whet_region *r = whet__onnx_region(im, "body");
  if (!r) return whet__im_fail(im, WHET_E_FORMAT, "the body is absent or cannot be read");
  if (whet__im_n_in(im) < 1 || r->n_in != whet__im_n_in(im) || r->n_out != whet__im_n_out(im))
    return whet__im_fail(im, WHET_E_FORMAT, "the body has %d inputs and %d outputs, the node %d and %d", r->n_in, r->n_out,
                         whet__im_n_in(im), whet__im_n_out(im));
  for (int i = 0; i < whet__im_n_in(im); i++)
    if (whet__im_in(im, i) < 0) return whet__im_fail(im, WHET_E_FORMAT, "input %d is left out", i);
  WHET_TRY(whet__im_node_as_is(im, op, NULL));
  return whet__im_bodies(im, &r, 1);
}

static const whet_from k_construct_from[] = {{"", "SequenceConstruct", 11, NULL}, {0}};
static const whet_from k_empty_from[] = {{"", "SequenceEmpty", 11, read_empty}, {0}};
static const whet_from k_insert_from[] = {{"", "SequenceInsert", 11, NULL}, {0}};
static const whet_from k_erase_from[] = {{"", "SequenceErase", 11, NULL}, {0}};
static const whet_from k_at_from[] = {{"", "SequenceAt", 11, NULL}, {0}};
static const whet_from k_length_from[] = {{"", "SequenceLength", 11, NULL}, {0}};
static const whet_from k_map_from[] = {{"", "SequenceMap", 17, read_map}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

/* Output 0 is a sequence of tensors of type t. */
static whet_status makes_sequence(whet_infer *f, whet_dtype t) {
  whet__out(f, 0, t);
  whet__out_kind(f, 0, WHET_SEQUENCE);
  return WHET_LATE;
}

/* Input 0 must be a sequence, input i (if there is one) a place in it. */
static whet_status takes_sequence(whet_infer *f, int at) {
  if (!whet__in_sequence(f, 0)) return whet__infer_fail(f, WHET_E_TYPE, "input 0 is no sequence");
  if (!whet__in_has(f, at)) return WHET_OK;
  if (whet__in_kind(f, at) != WHET_TENSOR) return whet__infer_fail(f, WHET_E_TYPE, "the position is no tensor");
  WHET_TRY(whet__infer_is_int(f, at));
  int64_t n = whet__shape_count(whet__in_shape(f, at));
  if (n >= 0 && n != 1) return whet__infer_fail(f, WHET_E_SHAPE, "a position of %lld elements, expected 1", (long long)n);
  return WHET_OK;
}

static whet_status construct_infer(whet_infer *f, const whet_node *n) {
  whet_dtype t = whet__in_dtype(f, 0);
  if (!whet__in_n(f)) return whet__infer_fail(f, WHET_E_FORMAT, "a sequence of no inputs: SequenceEmpty makes one");
  for (int i = 0; i < whet__in_n(f); i++)
    if (!whet__in_has(f, i) || whet__in_kind(f, i) != WHET_TENSOR || whet__in_dtype(f, i) != t)
      return whet__infer_fail(f, WHET_E_TYPE, "input %d is %s, expected a tensor of %s", i,
                              whet_dtype_name(whet__in_dtype(f, i)), whet_dtype_name(t));
  return makes_sequence(f, t);
}

static whet_status empty_infer(whet_infer *f, const whet_node *n) {
  int32_t t = ((const empty_attr *)n->attr)->dtype;
  if (t <= WHET_NONE || t >= WHET_DTYPE_COUNT) return whet__infer_fail(f, WHET_E_TYPE, "element type %d is not known", t);
  return makes_sequence(f, (whet_dtype)t);
}

static whet_status insert_infer(whet_infer *f, const whet_node *n) {
  WHET_TRY(takes_sequence(f, 2));
  whet_dtype t = whet__in_dtype(f, 1), own = whet__in_dtype(f, 0);
  if (!whet__in_has(f, 1) || whet__in_kind(f, 1) != WHET_TENSOR || (own && t && own != t))
    return whet__infer_fail(f, WHET_E_TYPE, "%s does not go into a sequence of %s", whet_dtype_name(t),
                            whet_dtype_name(own));
  return makes_sequence(f, t ? t : own);
}

static whet_status erase_infer(whet_infer *f, const whet_node *n) {
  WHET_TRY(takes_sequence(f, 1));
  return makes_sequence(f, whet__in_dtype(f, 0));
}

static whet_status at_infer(whet_infer *f, const whet_node *n) {
  WHET_TRY(takes_sequence(f, 1));
  if (!whet__in_has(f, 1)) return whet__infer_fail(f, WHET_E_FORMAT, "the position is left out");
  whet__out(f, 0, whet__in_dtype(f, 0))->rank = -1;
  whet__out_kind(f, 0, WHET_TENSOR);
  return WHET_LATE;
}

static whet_status length_infer(whet_infer *f, const whet_node *n) {
  WHET_TRY(takes_sequence(f, 1));
  const whet_value *s = whet__in_object(f, 0);
  whet__out(f, 0, WHET_S64);
  whet_dim *known = s ? whet__out_known(f, 0, 1) : NULL;
  if (known) known[0] = (whet_dim)whet_value_items(s);
  return WHET_OK;
}

static whet_status map_infer(whet_infer *f, const whet_node *n) {
  WHET_TRY(takes_sequence(f, n->n_in));
  if (n->n_body != 1 || n->body[0]->n_in != n->n_in || n->body[0]->n_out != n->n_out)
    return whet__infer_fail(f, WHET_E_FORMAT, "the body does not fit %d inputs and %d outputs", n->n_in, n->n_out);
  const whet_shape unknown = {.rank = -1};
  for (int i = 0; i < n->n_in; i++) {
    bool item = whet__in_kind(f, i) == WHET_SEQUENCE;
    whet__body_in(f, 0, i, whet__in_dtype(f, i), item ? &unknown : whet__in_shape(f, i));
    whet__body_in_kind(f, 0, i, item ? WHET_TENSOR : whet__in_kind(f, i));
  }
  whet_status s = whet__infer_body(f, 0);
  if (s < 0) return s;
  for (int o = 0; o < n->n_out; o++) {
    whet_dtype t;
    whet__body_out(f, 0, o, &t);
    whet__out(f, o, t);
    whet__out_kind(f, o, WHET_SEQUENCE);
  }
  return WHET_LATE;
}

/* ---- running --------------------------------------------------------------------------------- */

/* The place that input i names among n, or `dflt` when it is left out. */
static whet_status place(const whet_args *a, int i, size_t n, size_t dflt, size_t *at) {
  *at = dflt;
  if (i >= a->n_in || a->node->in[i] < 0) return n || i == 2 ? WHET_OK : whet__fail(a->err, WHET_E_DATA, "the sequence is empty");
  const whet_tensor *t = &a->in[i];
  int64_t most = (int64_t)n - (i == 2 ? 0 : 1), k;
  if (whet__tensor_count(t) != 1) return whet__fail(a->err, WHET_E_SHAPE, "the position is not one number");
  k = whet__get_i64(t->dtype, t->data, 0);
  if (k < -(int64_t)n || k > most)
    return whet__fail(a->err, WHET_E_DATA, "position %lld of a sequence of %zu items", (long long)k, n);
  *at = (size_t)(k < 0 ? k + (int64_t)n : k);
  return WHET_OK;
}

static whet_status construct_late(const whet_args *a) {
  whet_value *s = whet__object_holder(a, WHET_SEQUENCE, NULL, 0);
  for (int i = 0; s && i < a->n_in; i++) {
    whet_status st = whet__object_insert(a, s, (size_t)i, whet__object_from_tensor(a, &a->in[i]));
    if (st) whet_value_unref(&s);
  }
  return whet__object_out(a, 0, s);
}

static whet_status empty_late(const whet_args *a) {
  return whet__object_out(a, 0, whet__object_holder(a, WHET_SEQUENCE, NULL, 0));
}

static whet_status insert_late(const whet_args *a) {
  size_t at, n = whet_value_items(whet__object_in(a, 0));
  WHET_TRY(place(a, 2, n, n, &at));
  whet_value *item = whet__object_from_tensor(a, &a->in[1]), *s = item ? whet__object_own(a, 0) : NULL;
  if (!s) {
    whet_value_unref(&item);
    return a->err->code;
  }
  whet_status st = whet__object_insert(a, s, at, item);
  if (st) whet_value_unref(&s);
  return st ? st : whet__object_out(a, 0, s);
}

static whet_status erase_late(const whet_args *a) {
  size_t at, n = whet_value_items(whet__object_in(a, 0));
  WHET_TRY(place(a, 1, n, n - 1, &at));
  whet_value *s = whet__object_own(a, 0);
  if (s) whet__object_erase(s, at);
  return whet__object_out(a, 0, s);
}

static whet_status at_late(const whet_args *a) {
  const whet_value *s = whet__object_in(a, 0);
  size_t at;
  WHET_TRY(place(a, 1, whet_value_items(s), 0, &at));
  const whet_value *item = whet_value_item(s, at);
  if (whet_value_kind(item) != WHET_TENSOR) return whet__fail(a->err, WHET_E_TYPE, "item %zu is no tensor", at);
  return whet__object_to_tensor(a, 0, item);
}

static whet_status length_late(const whet_args *a) {
  int64_t *n = whet__late_out(a, 0, WHET_S64, 0, NULL);
  if (!n) return WHET_E_MEMORY;
  *n = (int64_t)whet_value_items(whet__object_in(a, 0));
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

#define RECORD(op, reads, rule, run) \
  const whet_op whet_op_##op = {.name = #op, .flags = WHET_OP_OBJECT, .from = reads, .infer = rule, .late = run}
RECORD(SequenceConstruct, k_construct_from, construct_infer, construct_late);
RECORD(SequenceInsert, k_insert_from, insert_infer, insert_late);
RECORD(SequenceErase, k_erase_from, erase_infer, erase_late);
RECORD(SequenceAt, k_at_from, at_infer, at_late);
RECORD(SequenceLength, k_length_from, length_infer, length_late);
const whet_op whet_op_SequenceEmpty = {.name = "SequenceEmpty",
                                       .flags = WHET_OP_OBJECT,
                                       .attr_size = sizeof(empty_attr),
                                       .attrs = k_empty_attrs,
                                       .from = k_empty_from,
                                       .infer = empty_infer,
                                       .late = empty_late};
const whet_op whet_op_SequenceMap = {
    .name = "SequenceMap", .flags = WHET_OP_RUNS_BODY | WHET_OP_OBJECT, .from = k_map_from, .infer = map_infer};
