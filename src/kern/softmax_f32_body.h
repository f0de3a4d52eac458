/* SPDX-License-Identifier: Apache-2.0 */
/* Family softmax_f32, over the vector layer that the including file has chosen; it defines ISA and ISA_BITS. */

#include "kern/softmax_f32.h"

#include "kern/lanes.h"
#include "kern/row_name.h"
#include "kern/vmath.h"

/* One contiguous row. */
static void row(const whet_softmax_f32 *p, float *y, const float *x) {
  int64_t n = p->n, whole = n / 16 * 16;
  lanes m = lanes_set(-INFINITY), s = lanes_set(0), rest = lanes_load_n(x + whole, n - whole, -INFINITY);
  for (int64_t i = 0; i < whole; i += 16) LANES_EACH(m, k, vf_max(vf_load(x + i + k * VW), m.v[k]));
  LANES_EACH(m, k, vf_max(rest.v[k], m.v[k]));
  const vf top = vf_set(lanes_top(m)), beta = vf_set(p->beta);
  for (int64_t i = 0; i < whole; i += 16) {
    lanes e;
    LANES_EACH(e, k, vf_mul(beta, vf_sub(vf_load(x + i + k * VW), top)));
    if (p->log) lanes_store(y + i, e);
    LANES_EACH(e, k, vf_exp_down(e.v[k]));
    if (!p->log) lanes_store(y + i, e);
    LANES_EACH(s, k, vf_add(s.v[k], e.v[k]));
  }
  if (whole < n) {
    lanes d, e;
    LANES_EACH(d, k, vf_mul(beta, vf_sub(rest.v[k], top)));
    LANES_EACH(e, k, vf_exp_down(d.v[k]));
    rest = p->log ? d : e;
    e = lanes_keep(e, n - whole);
    LANES_EACH(s, k, vf_add(s.v[k], e.v[k]));
  }
  float sum = lanes_sum(s) + WHET_BUG(1);
  if (p->log) {
    vf l = vf_log(vf_set(sum));
    for (int64_t i = 0; i + VW <= whole; i += VW) vf_store(y + i, vf_sub(vf_load(y + i), l));
    LANES_EACH(rest, k, vf_sub(rest.v[k], l));
  } else {
    vf f = vf_set(1 / sum);
    for (int64_t i = 0; i + VW <= whole; i += VW) vf_store(y + i, vf_mul(vf_load(y + i), f));
    LANES_EACH(rest, k, vf_mul(rest.v[k], f));
  }
  lanes_store_n(y + whole, rest, n - whole);
}

/* VW neighbouring columns (the first `w` of them), n rows `inner` apart. */
static void columns(const whet_softmax_f32 *p, float *y, const float *x, int64_t w) {
  const vf beta = vf_set(p->beta);
  vf m = vf_set(-INFINITY), s = vf_set(0);
  for (int64_t i = 0; i < p->n; i++) m = vf_max(vf_load_n(x + i * p->inner, w), m);
  for (int64_t i = 0; i < p->n; i++) {
    vf d = vf_mul(beta, vf_sub(vf_load_n(x + i * p->inner, w), m)), e = vf_exp_down(d);
    vf_store_n(y + i * p->inner, p->log ? d : e, w);
    s = vf_add(s, e);
  }
  s = p->log ? vf_log(s) : vf_div(vf_set(1), s);
  for (int64_t i = 0; i < p->n; i++) {
    vf v = vf_load_n(y + i * p->inner, w);
    vf_store_n(y + i * p->inner, p->log ? vf_sub(v, s) : vf_mul(v, s), w);
  }
}

/* `count` short rows, at most VW, as columns. */
static void short_rows(const whet_softmax_f32 *p, float *y, const float *x, int64_t count) {
  float t[WHET_SOFTMAX_SHORT * VW];
  whet_softmax_f32 q = *p;
  q.inner = VW;
  for (int64_t i = 0; i < count; i++)
    for (int64_t k = 0; k < p->n; k++) t[k * VW + i] = x[i * p->n + k];
  columns(&q, t, t, count);
  for (int64_t i = 0; i < count; i++)
    for (int64_t k = 0; k < p->n; k++) y[i * p->n + k] = t[k * VW + i];
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_softmax_f32 *p = params;
  const float *x = ptr[0];
  float *y = ptr[1];
  if (p->inner == 1 && p->n <= WHET_SOFTMAX_SHORT) {
    int64_t a, b;
    whet__split(p->outer, part, parts, &a, &b);
    for (b -= WHET_BUG(1); a < b; a += VW) short_rows(p, y + a * p->n, x + a * p->n, whet__min_i(VW, b - a));
    return;
  }
  int64_t blocks = p->inner == 1 ? 1 : whet__ceil_div(p->inner, VW), from, to;
  whet__split(p->outer * blocks, part, parts, &from, &to);
  for (int64_t i = from; i < to; i++) {
    int64_t at = i / blocks * p->n * p->inner + i % blocks * VW;
    if (p->inner == 1)
      row(p, y + at, x + at);
    else
      columns(p, y + at, x + at, whet__min_i(VW, p->inner - i % blocks * VW));
  }
}

WHET_ROW(softmax_f32);
