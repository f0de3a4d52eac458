/* SPDX-License-Identifier: Apache-2.0 */
/* Optional(x?): what may be there or not; OptionalHasElement(o?): is it there; OptionalGetElement(o): what is there,
 * E_DATA when nothing is. ONNX 15-. A tensor or a sequence in an optional's place is an optional that holds it. */

#include "op/object.h"

static const whet_from k_make_from[] = {{"", "Optional", 15, NULL}, {0}};
static const whet_from k_has_from[] = {{"", "OptionalHasElement", 15, NULL}, {0}};
static const whet_from k_get_from[] = {{"", "OptionalGetElement", 15, NULL}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status make_infer(whet_infer *f, const whet_node *n) {
  (void)whet__in_has(f, 0); /* an empty one has none */
  whet__out(f, 0, whet__in_dtype(f, 0));
  whet__out_kind(f, 0, WHET_OPTIONAL);
  return WHET_LATE;
}

static whet_status has_infer(whet_infer *f, const whet_node *n) {
  const whet_value *o = whet__in_object(f, 0);
  whet_kind kind = whet__in_kind(f, 0);
  bool there = whet__in_has(f, 0) && (kind != WHET_OPTIONAL || (o && whet_value_items(o)));
  whet__out(f, 0, WHET_BOOL);
  whet_dim *known = kind != WHET_OPTIONAL || o ? whet__out_known(f, 0, 1) : NULL;
  if (known) known[0] = there;
  return WHET_OK;
}

static whet_status get_infer(whet_infer *f, const whet_node *n) {
  if (!whet__in_has(f, 0)) return whet__infer_fail(f, WHET_E_FORMAT, "input 0 is left out");
  const whet_value *o = whet__in_object(f, 0);
  const whet_value *item = o && whet__in_kind(f, 0) == WHET_OPTIONAL ? whet_value_item(o, 0) : NULL;
  if (whet__in_kind(f, 0) != WHET_OPTIONAL) {
    whet__out_like(f, 0, 0);
    return WHET_LATE;
  }
  whet__out(f, 0, whet__in_dtype(f, 0))->rank = -1;
  if (item) whet__out_kind(f, 0, whet_value_kind(item));
  return WHET_LATE;
}

/* ---- running --------------------------------------------------------------------------------- */

static whet_status make_late(const whet_args *a) {
  whet_value *item = NULL, *x;
  bool there = a->n_in && a->node->in[0] >= 0;
  if (there) {
    item = (x = whet__object_in(a, 0)) ? whet_value_ref(x) : whet__object_from_tensor(a, &a->in[0]);
    if (!item) return a->err->code;
  }
  return whet__object_out(a, 0, whet__object_holder(a, WHET_OPTIONAL, &item, there));
}

static whet_status has_late(const whet_args *a) {
  bool there = a->n_in && a->node->in[0] >= 0;
  const whet_value *x = there ? whet__object_in(a, 0) : NULL;
  uint8_t *out = whet__late_out(a, 0, WHET_BOOL, 0, NULL);
  if (!out) return a->err->code;
  *out = there && (!x || whet_value_kind(x) != WHET_OPTIONAL || whet_value_items(x));
  return WHET_OK;
}

static whet_status get_late(const whet_args *a) {
  whet_value *x = whet__object_in(a, 0);
  if (!x) {
    whet_value *copy = whet__object_from_tensor(a, &a->in[0]);
    if (!copy) return a->err->code;
    whet_status st = whet__object_to_tensor(a, 0, copy);
    whet_value_unref(&copy);
    return st;
  }
  if (whet_value_kind(x) == WHET_OPTIONAL) x = whet_value_item(x, 0);
  if (!x) return whet__fail(a->err, WHET_E_DATA, "the optional holds nothing");
  if (whet_value_kind(x) == WHET_TENSOR) return whet__object_to_tensor(a, 0, x);
  return whet__object_out(a, 0, whet_value_ref(x));
}

#define RECORD(op, reads, rule, run) \
  const whet_op whet_op_##op = {.name = #op, .flags = WHET_OP_OBJECT, .from = reads, .infer = rule, .late = run}
RECORD(Optional, k_make_from, make_infer, make_late);
RECORD(OptionalHasElement, k_has_from, has_infer, has_late);
RECORD(OptionalGetElement, k_get_from, get_infer, get_late);
