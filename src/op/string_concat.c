/* SPDX-License-Identifier: Apache-2.0 */
/* StringConcat(a, b): text of a followed by that of b, with broadcasting. ONNX StringConcat 20. Exact. */

#include "op/object.h"
#include "op/walk.h"

static const whet_from k_from[] = {{"", "StringConcat", 20, NULL}, {0}};

static whet_status infer(whet_infer *f, const whet_node *n) {
  whet_shape s;
  for (int i = 0; i < 2; i++)
    if (whet__in_dtype(f, i) != WHET_STRING)
      return whet__infer_fail(f, WHET_E_TYPE, "input %d is %s, expected string", i, whet_dtype_name(whet__in_dtype(f, i)));
  WHET_TRY(whet__infer_broadcast(f, whet__in_shape(f, 0), whet__in_shape(f, 1), &s));
  *whet__out(f, 0, WHET_STRING) = s;
  return WHET_OK;
}

static whet_status ref(const whet_args *a) {
  const whet_tensor *y = &a->out[0];
  if (!a->frame) return WHET_E_UNSUPPORTED; /* while constants are folded there is no place for text */
  whet_walk w;
  whet__walk_init(&w, y->rank, y->dim);
  for (int i = 0; i < 2; i++) whet__walk_add(&w, &a->in[i]);
  whet__walk_add(&w, y);
  while (whet__walk_row(&w))
    for (int64_t i = 0; i < w.run; i++) {
      whet_str p = ((const whet_str *)a->in[0].data)[w.at[0] + i * w.step[0]];
      whet_str q = ((const whet_str *)a->in[1].data)[w.at[1] + i * w.step[1]];
      char *to = p.n > SIZE_MAX - q.n ? NULL : whet__late_bytes(a, p.n + q.n);
      if (!to) return a->err && a->err->code ? a->err->code : WHET_E_MEMORY;
      if (p.n) memcpy(to, p.p, p.n);
      if (q.n) memcpy(to + p.n, q.p, q.n);
      ((whet_str *)y->data)[w.at[2] + i * w.step[2]] = (whet_str){to, p.n + q.n};
    }
  return WHET_OK;
}

const whet_op whet_op_StringConcat = {.name = "StringConcat", .from = k_from, .infer = infer, .ref = ref};
