/* SPDX-License-Identifier: Apache-2.0 */
/* Family wgrad_f32, over the vector layer that the including file has chosen; it defines ISA and ISA_BITS.
 *
 * A tile keeps `rows` channels of one operand by `vecs` vectors of channels of the other in registers and walks over all
 * positions that a tap meets, in every sample. Which operand is read in vectors: the one with more channels. */

#include "kern/wgrad_f32.h"

#include "kern/row_name.h"

enum {
  MOST_ROWS = VW == 16 ? 12 : VW == 1 ? 4 : 6,
  MASKED = VW == 16 /* loads of some lanes cost what loads of all do: one body serves both */
};

/* Positions that one tap meets: lines of `n` along the last dimension. */
struct walk {
  int64_t batch, count[2], n;                /* samples; lines */
  int64_t v_batch, v_line[2], v_step;        /* distances in the operand of vectors */
  int64_t b_batch, b_line[2], b_step;        /* in the other */
  const float *v, *b;
};

/* Where a tile's sums go. */
struct into {
  float *p;
  int64_t v_step, b_step, last; /* last: channels in the last vector */
};

/* Not inlined: it would stand there for every sum of every tile, and is called once for thousands of products. */
static __attribute__((noinline)) void put(const struct into *to, int row, int vec, vf x, int64_t n) {
  float *p = to->p + row * to->b_step + vec * VW * to->v_step, t[VW];
  if (to->v_step == 1) {
    vf_store_n(p, x, n);
    return;
  }
  vf_store(t, x);
  for (int64_t i = 0; i < n; i++) p[i * to->v_step] = t[i];
}

/* rows and vecs are constants where it is called; whole: every vector is full. */
WHET_INLINE void tile(const struct walk *w, const struct into *to, const int rows, const int vecs, const bool whole) {
  vf acc[MOST_ROWS][2];
  WHET_UNROLL for (int i = 0; i < rows; i++) WHET_UNROLL for (int j = 0; j < vecs; j++) acc[i][j] = vf_set(0);
  for (int64_t s = 0; s < w->batch; s++)
    for (int64_t z = 0; z < w->count[0]; z++)
      for (int64_t y = 0; y < w->count[1]; y++) {
        const float *v = w->v + s * w->v_batch + z * w->v_line[0] + y * w->v_line[1];
        const float *b = w->b + s * w->b_batch + z * w->b_line[0] + y * w->b_line[1];
        for (int64_t k = w->n; k > 0; k--, v += w->v_step, b += w->b_step) {
          vf x[2];
          WHET_UNROLL for (int j = 0; j < vecs; j++) x[j] =
              j < vecs - 1 || whole ? vf_load(v + j * VW) : vf_load_n(v + j * VW, to->last);
          WHET_UNROLL for (int i = 0; i < rows; i++) {
            vf one = vf_set(b[i]);
            WHET_UNROLL for (int j = 0; j < vecs; j++) acc[i][j] = vf_fma(x[j], one, acc[i][j]);
          }
        }
      }
  WHET_UNROLL for (int i = 0; i < rows; i++) WHET_UNROLL for (int j = 0; j < vecs; j++)
      put(to, i, j, acc[i][j], j < vecs - 1 ? VW : to->last);
}

#define TILE(r)                                                                        \
  static void tile_##r(const struct walk *w, const struct into *to, int vecs) {        \
    if (vecs == 2)                                                                     \
      MASKED || to->last < VW ? tile(w, to, r, 2, false) : tile(w, to, r, 2, true);    \
    else                                                                               \
      MASKED || to->last < VW ? tile(w, to, r, 1, false) : tile(w, to, r, 1, true);    \
  }
TILE(1)
TILE(2)
TILE(3)
TILE(4)
#if VW > 1
TILE(6)
#endif
#if VW == 16
TILE(8)
TILE(12)
#endif

/* One tap: nv channels in vectors by nb others. */
static void tap(struct walk w, struct into to, int64_t nv, int64_t nb) {
  const float *v = w.v, *b = w.b;
  float *p = to.p;
  for (int64_t i = 0; i < nb;) {
    int64_t left = nb - i;
    for (int64_t j = 0; j < nv; j += 2 * VW) {
      int64_t n = whet__min_i(2 * VW, nv - j);
      int vecs = n > VW ? 2 : 1;
      w.v = v + j;
      w.b = b + i;
      to.p = p + i * to.b_step + j * to.v_step;
      to.last = n - (vecs - 1) * VW;
      if (left >= MOST_ROWS) {
#if VW == 16
        tile_12(&w, &to, vecs);
      } else if (left >= 8) {
        tile_8(&w, &to, vecs);
      } else if (left >= 6) {
        tile_6(&w, &to, vecs);
#elif VW > 1
        tile_6(&w, &to, vecs);
#else
        tile_4(&w, &to, vecs);
#endif
      } else if (left >= 4) {
        tile_4(&w, &to, vecs);
      } else if (left == 3) {
        tile_3(&w, &to, vecs);
      } else if (left == 2) {
        tile_2(&w, &to, vecs);
      } else {
        tile_1(&w, &to, vecs);
      }
    }
    i += left >= MOST_ROWS ? MOST_ROWS : VW == 16 && left >= 8 ? 8 : VW == 16 && left >= 6 ? 6 : whet__min_i(left, 4);
  }
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_wgrad_f32 *p = params;
  const whet_window *d = p->dim;
  int64_t i_blocks = whet__ceil_div(p->ic, 16), o_blocks = whet__ceil_div(p->oc, 16), from, to;
  whet__split(whet__wgrad_f32_parts(p), part, parts, &from, &to);
  for (int64_t at = from; at < to;) {
    /* Blocks of one tap and one block of inputs run together. */
    int64_t ob = at % o_blocks, many = whet__min_i(to - at, o_blocks - ob), rest = at / o_blocks;
    int64_t ib = rest % i_blocks, t[3], lo[3], n[3], x0 = 0, y0 = 0;
    rest /= i_blocks;
    for (int k = 2; k >= 0; rest /= d[k--].kernel) t[k] = rest % d[k].kernel;
    int64_t group = rest;
    bool any = true;
    for (int k = 0; k < 3; k++) { /* outputs whose tap t lies inside */
      int64_t first = t[k] * d[k].dilation - d[k].pad;
      lo[k] = first < 0 ? whet__ceil_div(-first, d[k].stride) : 0;
      int64_t hi = first >= d[k].in ? 0 : whet__min_i((d[k].in - 1 - first) / d[k].stride + 1, d[k].out);
      n[k] = hi - lo[k] - WHET_BUG(k == 2);
      any &= n[k] > 0;
      x0 += (lo[k] * d[k].stride + first) * d[k].in_step;
      y0 += lo[k] * d[k].out_step;
    }
    int64_t i0 = ib * 16, o0 = ob * 16, ni = whet__min_i(16, p->ic - i0), no = whet__min_i(many * 16, p->oc - o0);
    bool by_o = no >= ni; /* outputs in vectors */
    const float *x = (const float *)ptr[0] + group * p->ic + i0, *y = (const float *)ptr[1] + group * p->oc + o0;
    float *dw = (float *)ptr[2] + group * p->w_group + o0 * p->w_oc + i0 * p->w_ic;
    for (int k = 0; k < 3; k++) dw += t[k] * p->w_tap[k];
    struct walk w = {.batch = any ? p->batch : 0, .n = n[2]};
    int64_t x_line[2] = {d[0].stride * d[0].in_step, d[1].stride * d[1].in_step}, x_step = d[2].stride * d[2].in_step;
    for (int k = 0; k < 2; k++) {
      w.count[k] = n[k];
      w.v_line[k] = by_o ? d[k].out_step : x_line[k];
      w.b_line[k] = by_o ? x_line[k] : d[k].out_step;
    }
    w.v = by_o ? y + (any ? y0 : 0) : x + (any ? x0 : 0);
    w.b = by_o ? x + (any ? x0 : 0) : y + (any ? y0 : 0);
    w.v_batch = by_o ? p->out_batch : p->in_batch, w.b_batch = by_o ? p->in_batch : p->out_batch;
    w.v_step = by_o ? d[2].out_step : x_step, w.b_step = by_o ? x_step : d[2].out_step;
    struct into into = {.p = dw, .v_step = by_o ? p->w_oc : p->w_ic, .b_step = by_o ? p->w_ic : p->w_oc};
    tap(w, into, by_o ? no : ni, by_o ? ni : no);
    at += many;
  }
}

WHET_ROW(wgrad_f32);
