/* SPDX-License-Identifier: Apache-2.0 */
/* RegexFullMatch(x): does the whole of each element match a pattern? ONNX RegexFullMatch 20, RE2's syntax: see regex.h.
 * Exact; time is bounded by the text's length times the pattern's. */

#include "op/move.h"
#include "op/regex.h"
#include "op/walk.h"

struct match {
  whet_str pattern;
  whet_regex re;
};
static const whet_attr_desc k_attrs[] = {{"pattern", WHET_ATTR_STR, offsetof(struct match, pattern)}, {0}};

static whet_status read_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct match, a);
  whet_err err = {0};
  a->pattern = whet__onnx_str(im, "pattern", "");
  whet_status s = whet__regex_make(whet__im_arena(im), a->pattern.p, a->pattern.n, &a->re, &err);
  return s ? whet__im_fail(im, s, "%s", err.text) : whet__im_node_as_is(im, op, a);
}
static const whet_from k_from[] = {{"", "RegexFullMatch", 20, read_onnx}, {0}};

static whet_status infer(whet_infer *f, const whet_node *n) {
  if (whet__in_dtype(f, 0) != WHET_STRING)
    return whet__infer_fail(f, WHET_E_TYPE, "input 0 is %s, expected string", whet_dtype_name(whet__in_dtype(f, 0)));
  *whet__out(f, 0, WHET_BOOL) = *whet__in_shape(f, 0);
  return WHET_OK;
}

static size_t scratch(const whet_args *a) { return whet__regex_scratch(&((const struct match *)a->attr)->re); }

static whet_status ref(const whet_args *a) {
  const struct match *m = a->attr;
  const whet_tensor *x = &a->in[0], *y = &a->out[0];
  whet_walk w;
  whet__walk_init(&w, x->rank, x->dim);
  whet__walk_add(&w, x);
  whet__walk_add(&w, y);
  while (whet__walk_row(&w))
    for (int64_t i = 0; i < w.run; i++) {
      whet_str s = ((const whet_str *)x->data)[w.at[0] + i * w.step[0]];
      ((uint8_t *)y->data)[w.at[1] + i * w.step[1]] = whet__regex_full(&m->re, s.n ? s.p : "", s.n, a->scratch);
    }
  return WHET_OK;
}

const whet_op whet_op_RegexFullMatch = {.name = "RegexFullMatch", .flags = WHET_OP_FROM_FILE,
                                        .attr_size = sizeof(struct match),
                                        .attrs = k_attrs,
                                        .from = k_from,
                                        .infer = infer,
                                        .scratch = scratch,
                                        .ref = ref};
