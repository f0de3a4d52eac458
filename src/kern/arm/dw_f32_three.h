/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_ARM_DW_F32_THREE_H
#define WHET_KERN_ARM_DW_F32_THREE_H

/* Rows of results whose 3 x 3 taps all lie in rows of the picture, four channels at a time, in an order for cores
 * that issue in order; included by dw_f32_body.h. The nine weights stay in registers along a row. Results of a run
 * pass in steps: one step does the first tap of a row of taps for a result, the second for the result LAG before it
 * and the third for that 2 LAG before, so that no product waits for the one before it of the same result, and yet
 * each result adds its taps in their order. Columns are loaded AHEAD steps before their first use. Instructions are
 * asm, one by one, as compilers keep those in order. */

enum {
  AHEAD = 3,
  AWAY = 1,  /* an address is made so many steps before its first use */
  EARLY = 3, /* sums that have their bias before the first step */
  NEAR = 8,  /* columns from one base register */
  HALF = 4   /* channels */
};

/* Runs of results of a row, four channels. */
typedef struct three_runs {
  const float *in, *w, *bias, *res; /* in: where column 0 would be */
  float *out;
  int64_t step, down, width, out_step, res_step; /* floats; width: from one tap's weights to the next */
  int64_t count;                                 /* runs */
  int64_t left, right;                           /* columns that the first lacks, and the last: 0 or 1 */
  uint32_t flags;
  float lo, hi;
} three_runs;

/* x = four floats `at` bytes behind p; acc += v * k; four floats there = x. */
#define THREE_LOAD(x, p, at) \
  __asm__ volatile("ldr %q0, [%1, %2]" : "=w"(x) : "r"(p), "r"(at), "m"(*(const float(*)[1 << 20])(p)))
#define THREE_FMA(acc, v, k) __asm__ volatile("fmla %0.4s, %1.4s, %2.4s" : "+w"(acc) : "w"(v), "w"(k))
#define THREE_STORE(x, p, at) __asm__ volatile("str %q0, [%1, %2]" : : "w"(x), "r"(p), "r"(at) : "memory")
/* q = p + far. */
#define THREE_AWAY(q, p, far) __asm__ volatile("add %0, %1, %2" : "=r"(q) : "r"(p), "r"(far))

/* Results from one tap to the next, at most half a run: the first tap of the next row of taps comes after the third.
 */
#define LAG (wide >= 6 ? 3 : wide >= 4 ? 2 : 1)
/* The step of result (x - t) / stride if tap t of it reads column x, or one that never comes; the first of them. */
#define THREE_STEP(x, t) \
  ((x) >= (t) && ((x) - (t)) % stride == 0 && ((x) - (t)) / stride < wide ? ((x) - (t)) / stride + (t)*LAG : 99)
#define THREE_FIRST(x)                                                               \
  (THREE_STEP(x, 0) < THREE_STEP(x, 1)                                               \
       ? (THREE_STEP(x, 0) < THREE_STEP(x, 2) ? THREE_STEP(x, 0) : THREE_STEP(x, 2)) \
       : (THREE_STEP(x, 1) < THREE_STEP(x, 2) ? THREE_STEP(x, 1) : THREE_STEP(x, 2)))

/* Runs of `wide` results. edge: only one, which may lack columns; those read their neighbours. */
WHET_INLINE void three(const three_runs *h, const int wide, const int stride, const bool edge) {
  const int columns = (wide - 1) * stride + 3, last = columns - 1, steps = 3 * wide + 2 * LAG;
  const int64_t step = h->step * 4, down = h->down * 4, near = step * NEAR, forth = wide * stride * step;
  const int64_t out_step = h->out_step * 4, out_half = wide / 2 * out_step, res_step = h->res_step, zero = 0;
  const bool adds = h->flags & WHET_TILE_ADD, clamps = h->flags & WHET_TILE_CLAMP, left = h->left, right = h->right;
  const float32x4_t lo = vdupq_n_f32(h->lo), hi = vdupq_n_f32(h->hi);
  const float *res = h->res, *bias = h->bias;
  const char *p[3][3] = {{(const char *)h->in}};
  char *out = (char *)h->out;
  float32x4_t k[9], acc[8], x[3][17];
  int64_t at[NEAR];
  WHET_UNROLL for (int i = 0; i < 9; i++) k[i] = vld1q_f32(h->w + i * h->width);
  WHET_UNROLL for (int i = 0; i < NEAR; i++) at[i] = i * step;
  WHET_UNROLL for (int i = 0; i < EARLY; i++) THREE_LOAD(acc[i], bias, zero);
  const int64_t from = edge && left ? step : 0, to = at[last % NEAR] - (edge && right ? step : 0);
/* What is loaded in step `when` from rows y0 on. */
#define LOADS(when, odd)                                                                                   \
  WHET_UNROLL for (int v = 0; v < 3; v++) {                                                                \
    WHET_UNROLL for (int u = 0; u < columns; u++) {                                                        \
      const int first = v * wide + THREE_FIRST(u) - AHEAD;                                                 \
      if ((odd) == 0 && (when) == first - AWAY && u == 0 && v > 0) THREE_AWAY(p[v][0], p[v - 1][0], down); \
      if ((odd) == 0 && (when) == first - AWAY && u % NEAR == 0 && u > 0)                                  \
        THREE_AWAY(p[v][u / NEAR], p[v][u / NEAR - 1], near);                                              \
      if ((when) == first && u % 2 == (odd))                                                               \
        THREE_LOAD(x[v][u], p[v][u / NEAR], edge &&u == 0 ? from : edge && u == last ? to : at[u % NEAR]); \
    }                                                                                                      \
  }
  WHET_UNROLL for (int s = -AHEAD; s < 0; s++) {
    LOADS(s, 0)
    LOADS(s, 1)
  }
  for (int64_t n = h->count; n > 0; n--) {
    const char *next = p[0][0] + (n > 1 ? forth : 0);
    WHET_UNROLL for (int s = 0; s < steps; s++) {
      if (s == steps - AHEAD) p[0][0] = next;
      WHET_UNROLL for (int t = 2; t >= 0; t--) {
        const int at_t = s - t * LAG, y = at_t / wide, i = at_t % wide, c = i * stride + t;
        const bool skip = at_t < 0 || y > 2 || (edge && c == 0 && left) || (edge && c == last && right);
        if (t > 0) LOADS(s, 2 - t)
        if (t > 0 && s >= steps - AHEAD) LOADS(s - steps, 2 - t)
        if (t == 0 && s + EARLY < wide) THREE_LOAD(acc[s + EARLY], bias, zero);
        if (!skip) THREE_FMA(acc[i], x[y][c], k[3 * y + t]);
      }
    }
    if (adds) {
      WHET_UNROLL for (int i = 0; i < wide; i++) acc[i] = vaddq_f32(acc[i], vld1q_f32(res + i * res_step));
      res += wide * res_step;
    }
    if (clamps) {
      WHET_UNROLL for (int i = 0; i < wide; i++) acc[i] = vmaxq_f32(lo, vminq_f32(hi, acc[i]));
    }
    WHET_UNROLL for (int i = 0; i < wide; i++) {
      THREE_STORE(acc[i], out, out_step * (i % (wide / 2)));
      if (i % (wide / 2) == wide / 2 - 1) THREE_AWAY(out, out, out_half);
    }
    if (wide % 2 && wide > 3) THREE_AWAY(out, out, out_step);
    WHET_UNROLL for (int i = 0; i < EARLY; i++) THREE_LOAD(acc[i], bias, zero);
  }
#undef LOADS
}

#define THREE(wide, stride)                                                                                          \
  static __attribute__((noinline)) void three_##wide##stride(const three_runs *h) { three(h, wide, stride, false); } \
  static __attribute__((noinline)) void edge_##wide##stride(const three_runs *h) { three(h, wide, stride, true); }
THREE(3, 1)
THREE(4, 1)
THREE(5, 1)
THREE(6, 1)
THREE(7, 1)
THREE(8, 1)
THREE(3, 2) THREE(4, 2) THREE(5, 2) THREE(6, 2) THREE(7, 2) THREE(8, 2)
#define THREE_FNS(s, name) \
  { name##_3##s, name##_4##s, name##_5##s, name##_6##s, name##_7##s, name##_8##s }

    /* One vector of channels of a row, in even runs of at most WHET_DW_WIDE results; false: not by these. */
    static bool three_row(const whet_dw_f32_call *d, const float *w, int64_t width, int64_t c, const int stride) {
  static void (*const fn[2][2][6])(const three_runs *h) = {{THREE_FNS(1, three), THREE_FNS(2, three)},
                                                           {THREE_FNS(1, edge), THREE_FNS(2, edge)}};
  _Alignas(64) float buf[LATER * VW];
  if (d->taps[1] != 3) return false;
  const int64_t step = d->step[2];
  const float *in = d->in + c - d->left * step, *res = d->res ? d->res + c : NULL;
  float *out = d->out + c, *to = d->rest ? buf : out;
  int64_t wait = 0, left = d->left;
  three_runs h = {.step = step,
                  .down = d->step[1],
                  .width = width,
                  .out_step = d->rest ? VW : d->out_step,
                  .res_step = d->res_step,
                  .flags = d->flags,
                  .lo = d->lo,
                  .hi = d->hi};
  for (int64_t m = d->m, runs = whet__ceil_div(m, WHET_DW_WIDE); runs > 0; left = 0) {
    const int64_t wide = whet__ceil_div(m, runs), alike = m % runs ? m % runs : runs;
    h.left = left, h.right = 0, h.count = 1;
    if (!left) h.count = d->right && alike == runs ? runs - 1 : alike;
    if (runs == 1) h.right = d->right, h.count = 1;
    if (d->rest) h.count = whet__min_i(h.count, whet__max_i((LATER - wait) / wide, 1));
    for (int i = 0; i < VW; i += HALF) {
      h.in = in + i, h.w = w + d->first * width + i, h.bias = d->w + c + i, h.res = res ? res + i : NULL,
      h.out = to + i;
      fn[h.left || h.right][stride - 1][wide - 3](&h);
    }
    const int64_t n = h.count * wide;
    in += n * stride * step, to += n * h.out_step, res += res ? n * h.res_step : 0;
    m -= n, runs -= h.count, wait += n;
    if (!d->rest || (runs > 0 && wait + WHET_DW_WIDE <= LATER)) continue;
    rest(d, buf, out, wait, VW);
    out += wait * d->out_step, to = buf, wait = 0;
  }
  return true;
}

#endif
