/* SPDX-License-Identifier: Apache-2.0 */
/* Family dw_f32 over the vector layer: ISA, ISA_BITS and FORM are set by the file that includes this, and its
 * vec_*.h. Sums of up to eight outputs stand in registers while the taps pass by; channels are the vectors. */

#include "kern/dw_f32.h"
#include "kern/unary_f32.h"

#define CAT4_(a, b, c, d) a##b##c##d
#define CAT4(a, b, c, d) CAT4_(a, b, c, d)

/* n elements, all of a vector or the first few. */
WHET_INLINE vf load(const float *p, bool all, int64_t n) { return all ? vf_load(p) : vf_load_n(p, n); }

/* Residual, clamp, store: vector c of `wide` outputs. */
WHET_INLINE void finish(const whet_dw_f32_call *d, vf *acc, int64_t c, const int wide, const bool all, int64_t n) {
  if (d->flags & WHET_TILE_ADD) {
    WHET_UNROLL for (int i = 0; i < wide; i++) acc[i] = vf_add(acc[i], load(d->res + i * d->res_step + c, all, n));
  }
  if (d->flags & WHET_TILE_CLAMP) {
    vf lo = vf_set(d->lo), hi = vf_set(d->hi);
    WHET_UNROLL for (int i = 0; i < wide; i++) acc[i] = vf_max(lo, vf_min(hi, acc[i]));
  }
  WHET_UNROLL for (int i = 0; i < wide; i++) {
    if (all)
      vf_store(d->out + i * d->out_step + c, acc[i]);
    else
      vf_store_n(d->out + i * d->out_step + c, acc[i], n);
  }
}

/* Vector c (n channels of it) of `wide` outputs, any window; w: its weights, taps `width` floats apart. */
WHET_INLINE void any(const whet_dw_f32_call *d, const float *w, int64_t width, int64_t c, const int wide,
                     const bool all, int64_t n) {
  vf acc[WHET_DW_WIDE];
  WHET_UNROLL for (int i = 0; i < wide; i++) acc[i] = vf_load(d->w + c);
  for (int64_t z = 0; z < d->taps[0]; z++)
    for (int64_t y = 0; y < d->taps[1]; y++) {
      const float *in = d->in + z * d->step[0] + y * d->step[1] + c;
      const float *wt = w + (d->first + z * d->row[0] + y * d->row[1]) * width;
      for (int64_t x = 0; x < d->taps[2]; x++, in += d->step[2], wt += width) {
        vf k = vf_load(wt);
        WHET_UNROLL for (int i = 0; i < wide; i++) acc[i] = vf_fma(load(in + i * d->next, all, n), k, acc[i]);
      }
    }
  finish(d, acc, c, wide, all, n);
}

/* The same for whole vectors and `taps` columns without dilation: every column of the input is loaded once and meets
 * all outputs that have a tap there. */
WHET_INLINE void window(const whet_dw_f32_call *d, const float *w, int64_t width, int64_t c, const int wide,
                        const int taps, const int stride) {
  vf acc[WHET_DW_WIDE], k[5];
  WHET_UNROLL for (int i = 0; i < wide; i++) acc[i] = vf_load(d->w + c);
  for (int64_t z = 0; z < d->taps[0]; z++)
    for (int64_t y = 0; y < d->taps[1]; y++) {
      const float *in = d->in + z * d->step[0] + y * d->step[1] + c;
      const float *wt = w + (d->first + z * d->row[0] + y * d->row[1]) * width;
      WHET_UNROLL for (int x = 0; x < taps; x++) k[x] = vf_load(wt + x * width);
      WHET_UNROLL for (int x = 0; x < (wide - 1) * stride + taps; x++) {
        vf v = vf_load(in + x * d->step[2]);
        WHET_UNROLL for (int i = 0; i < wide; i++) {
          if (x - i * stride >= 0 && x - i * stride < taps) acc[i] = vf_fma(v, k[x - i * stride], acc[i]);
        }
      }
    }
  finish(d, acc, c, wide, true, VW);
}

/* The last channels, less than a vector: a function for each number of outputs. */
typedef void tail_fn(const whet_dw_f32_call *d, const float *w, int64_t width, int64_t c);

/* All channels of a call: `taps` 0 for any window. */
WHET_INLINE void channels(const whet_dw_f32_call *d, const int wide, const int taps, const int stride,
                          tail_fn *tail) {
  int64_t pad = whet__panel_pad(FORM, d->n), panel = d->panel;
  for (int64_t c = d->c0; c < d->c1;) {
    int64_t width = VW * whet__panel_next(FORM, (pad - panel) / VW), end = whet__min_i(panel + width, d->c1);
    const float *w = d->w + pad + panel * d->k + (c - panel);
    for (; c < end; c += VW, w += VW) {
      int64_t n = d->n - c;
      if (n < VW)
        tail(d, w, width, c);
      else if (taps)
        window(d, w, width, c, wide, taps, stride);
      else
        any(d, w, width, c, wide, true, n);
    }
    panel += width;
  }
}

#define ALL(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)
#define WIDE(X) X(4) X(5) X(6) X(7) X(8) /* fewer share too little */
#define TAIL(wide)                                                                               \
  static void tail_##wide(const whet_dw_f32_call *d, const float *w, int64_t width, int64_t c) { \
    any(d, w, width, c, wide, false, d->n - c);                                                  \
  }
#define ANY(wide) \
  static void any_##wide(const whet_dw_f32_call *d) { channels(d, wide, 0, 0, tail_##wide); }
#define WINDOW(taps, stride, wide)                                        \
  static void window_##taps##stride##_##wide(const whet_dw_f32_call *d) { \
    channels(d, wide, taps, stride, tail_##wide);                         \
  }
#define W31(wide) WINDOW(3, 1, wide)
#define W32(wide) WINDOW(3, 2, wide)
#define W51(wide) WINDOW(5, 1, wide)
#define W52(wide) WINDOW(5, 2, wide)
ALL(TAIL)
ALL(ANY)
WIDE(W31)
WIDE(W32)
WIDE(W51)
WIDE(W52)

#define A(wide) [wide] = any_##wide,
#define T31(wide) [wide] = window_31_##wide,
#define T32(wide) [wide] = window_32_##wide,
#define T51(wide) [wide] = window_51_##wide,
#define T52(wide) [wide] = window_52_##wide,
static const whet_dws_f32 k_dw = {.form = FORM,
                                  .fn = {ALL(A)},
                                  .window = {{{WIDE(T31)}, {WIDE(T32)}}, {{WIDE(T51)}, {WIDE(T52)}}},
                                  .epi = CAT4(whet__epi_f32_, ISA, , )};

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet__dw_f32(params, ptr, part, parts, &k_dw);
}

#define NAME_(isa) "dw_f32__" #isa "_rows"
#define NAME(isa) NAME_(isa)
const whet_kern CAT4(whet_k_dw_f32__, ISA, _rows, ) = {
    .name = NAME(ISA), .isa = ISA_BITS, .form = FORM, .exact = 1, .run = run};
