/* SPDX-License-Identifier: Apache-2.0 */
/* Family softmax_f32, over the vector layer that the including file has chosen; it defines ISA and ISA_BITS. */

#include "kern/softmax_f32.h"

#include "kern/lanes.h"
#include "kern/row_name.h"
#include "kern/vmath.h"

/* The first n elements one after the other, as `columns` sums them. */
static float chain(lanes e, int64_t n) {
  float t[16], sum = 0;
  lanes_store(t, e);
  for (int64_t i = 0; i < n; i++) sum += t[i];
  return sum;
}

/* One contiguous row. */
static __attribute__((noinline)) void row(const whet_softmax_f32 *p, float *y, const float *x) {
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
  float sum = (n <= WHET_SOFTMAX_SHORT ? chain(s, n) : lanes_sum(s)) + WHET_BUG(1);
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
static __attribute__((noinline)) void columns(const whet_softmax_f32 *p, float *y, const float *x, int64_t w) {
  const bool whole = w == VW; /* masks are slow */
#define AT(ptr) (whole ? vf_load(ptr) : vf_load_n(ptr, w))
#define PUT(ptr, v) (whole ? vf_store(ptr, v) : vf_store_n(ptr, v, w))
  const vf beta = vf_set(p->beta);
  vf m = vf_set(-INFINITY), s = vf_set(0);
  for (int64_t i = 0; i < p->n; i++) m = vf_max(AT(x + i * p->inner), m);
  for (int64_t i = 0; i < p->n; i++) {
    vf d = vf_mul(beta, vf_sub(AT(x + i * p->inner), m)), e = vf_exp_down(d);
    PUT(y + i * p->inner, p->log ? d : e);
    s = vf_add(s, e);
  }
  s = p->log ? vf_log(s) : vf_div(vf_set(1), s);
  for (int64_t i = 0; i < p->n; i++) {
    vf v = AT(y + i * p->inner);
    PUT(y + i * p->inner, p->log ? vf_sub(v, s) : vf_mul(v, s));
  }
#undef AT
#undef PUT
}

/* `count` short rows, at most VW, as columns. Stores run over the end of a row where the next is written after it:
 * masks are slow. */
static void short_rows(const whet_softmax_f32 *p, float *y, const float *x, int64_t count) {
  enum { PITCH = WHET_SOFTMAX_SHORT };
  float t[PITCH * VW], u[PITCH * VW];
  t[0] = 0; /* gcc does not see that n is not 0 */
  const int64_t n = p->n;
  whet_softmax_f32 q = *p;
  q.inner = VW;
  for (int64_t k = 0; k < n; k += VW) {
    const bool whole = count == VW && n - k >= VW;
    for (int64_t i = 0; i < VW && !whole; i++)
      vf_store(u + i * PITCH, i < count ? vf_load_n(x + i * n + k, whet__min_i(VW, n - k)) : vf_set(0));
    vf_turn(whole ? x + k : u, whole ? n : PITCH, t + k * VW, VW);
  }
  columns(&q, t, t, count);
  for (int64_t k = 0; k < n; k += VW) vf_turn(t + k * VW, VW, u + k, PITCH);
  for (int64_t i = 0; i < count; i++)
    for (int64_t k = 0; k < n; k += VW) {
      int64_t to = i * n + k;
      if (to + VW <= count * n)
        vf_store(y + to, vf_load(u + i * PITCH + k));
      else
        vf_store_n(y + to, vf_load(u + i * PITCH + k), whet__min_i(VW, n - k));
    }
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  enum { FEW = 3 /* rows: alone they are done sooner; the sums are the same */ };
  const whet_softmax_f32 *p = params;
  const float *x = ptr[0];
  float *y = ptr[1];
  if (p->inner == 1 && p->n <= WHET_SOFTMAX_SHORT) {
    int64_t a, b;
    whet__split(p->outer, part, parts, &a, &b);
    for (b -= WHET_BUG(1); a + FEW <= b; a += VW) short_rows(p, y + a * p->n, x + a * p->n, whet__min_i(VW, b - a));
    for (; a < b; a++) row(p, y + a * p->n, x + a * p->n);
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
