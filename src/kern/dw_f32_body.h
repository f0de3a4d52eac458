/* SPDX-License-Identifier: Apache-2.0 */
/* Family dw_f32 over the vector layer: ISA, ISA_BITS and FORM are set by the file that includes this, and its
 * vec_*.h. Sums of up to eight outputs stand in registers while the taps pass by; channels are the vectors. */

#include "kern/dw_f32.h"
#include "kern/row_name.h"
#include "kern/unary_f32.h"

#define CAT4_(a, b, c, d) a##b##c##d
#define CAT4(a, b, c, d) CAT4_(a, b, c, d)

/* Does an ISA file bring a function for whole pictures, `planes`, in place of those for rows? There the epilogue adds. */
#if defined(DW_PLANE)
enum { PLANES = 1 };
#else
enum { PLANES = 0 };
#endif

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

/* `wide` outputs of a row, `rows` rows of `taps` columns without dilation, of which the first `left` and the last `right` are
 * outside: every column of the input is loaded once and meets all outputs that have a tap there. in: where column
 * `left` is; all: a whole vector of channels, else n of them, stored as out_n. */
WHET_INLINE void window(const whet_dw_f32_call *d, const float *in, int64_t left, int64_t right, const float *wt,
                        int64_t width, int64_t c, const int wide, const int taps, const int stride, const bool all,
                        int64_t n, int64_t rows, const float *res, float *out, int64_t out_step, int64_t out_n) {
  const int columns = (wide - 1) * stride + taps;
  const int64_t step = d->step[2], down = d->step[1];
  vf acc[WHET_DW_WIDE], k[5];
  WHET_UNROLL for (int i = 0; i < wide; i++) acc[i] = vf_load(d->w + c);
  in += c;
  for (; rows > 0; rows--, in += down, wt += taps * width) {
    int64_t at = -left * step;
    WHET_UNROLL for (int x = 0; x < taps; x++) k[x] = vf_load(wt + x * width);
    WHET_UNROLL for (int x = 0; x < columns; x++, at += step) {
      if ((x < taps / 2 && x < left) || (x >= columns - taps / 2 && x >= columns - right)) continue;
      vf v = load(in + at, all, n);
      WHET_UNROLL for (int i = 0; i < wide; i++) {
        if (x - i * stride >= 0 && x - i * stride < taps) acc[i] = vf_fma(v, k[x - i * stride], acc[i]);
      }
    }
  }
  if (!PLANES && d->flags & WHET_TILE_ADD) {
    WHET_UNROLL for (int i = 0; i < wide; i++) acc[i] = vf_add(acc[i], load(res + i * d->res_step + c, all, n));
  }
  if (d->flags & WHET_TILE_CLAMP) {
    vf lo = vf_set(d->lo), hi = vf_set(d->hi);
    WHET_UNROLL for (int i = 0; i < wide; i++) acc[i] = vf_max(lo, vf_min(hi, acc[i]));
  }
  WHET_UNROLL for (int i = 0; i < wide; i++, out += out_step) {
    if (all)
      vf_store(out, acc[i]);
    else
      vf_store_n(out, acc[i], out_n);
  }
}

/* Outputs that wait for the rest of the epilogue, so that its constants are brought once for them. */
enum { LATER = 48 };

#if !defined(DW_PLANE)
/* The rest of the epilogue on m outputs that lie in `buf`, and their n channels to where they belong. */
static __attribute__((noinline)) void rest(const whet_dw_f32_call *d, float *buf, float *out, int64_t m, int64_t n) {
  CAT4(whet__epi_f32_, ISA, , )(d->rest, buf, 0, NULL, 0, 1, m * VW);
  for (int64_t i = 0; i < m; i++, buf += VW, out += d->out_step) {
    if (n < VW)
      vf_store_n(out, vf_load(buf), n);
    else
      vf_store(out, vf_load(buf));
  }
}

/* One vector of channels of a whole row, in even runs of at most WHET_DW_WIDE outputs, none of which is below 3. */
WHET_INLINE void window_row(const whet_dw_f32_call *d, const float *w, int64_t width, int64_t c, const int taps,
                            const int stride, const bool all, int64_t n) {
  const float *wt = w + d->first * width, *in = d->in, *res = d->res;
  _Alignas(64) float buf[LATER * VW];
  bool later = d->rest != NULL;
  float *out = d->out + c, *to = later ? buf : out;
  int64_t left = d->left, right = 0, m = d->m, step = later ? VW : d->out_step, wait = 0;
  for (int64_t runs = whet__ceil_div(m, WHET_DW_WIDE), wide; runs > 0; runs--, m -= wide) {
    wide = whet__ceil_div(m, runs);
    if (runs == 1) right = d->right;
#define RUN(wide)                                                                                                    \
  case wide:                                                                                                         \
    window(d, in, left, right, wt, width, c, wide, taps, stride, all, n, d->taps[1], res, to, step, later ? VW : n); \
    break;
    switch (wide) { RUN(3) RUN(4) RUN(5) RUN(6) RUN(7) RUN(8) }
#undef RUN
    in += (wide * stride - left) * d->step[2];
    to += wide * step;
    if (res) res += wide * d->res_step;
    left = 0;
    wait += wide;
    if (!later || (runs > 1 && wait + WHET_DW_WIDE <= LATER)) continue;
    rest(d, buf, out, wait, n);
    out += wait * d->out_step;
    to = buf;
    wait = 0;
  }
}
#endif

/* The last channels, less than a vector: a function for each number of outputs. */
typedef void tail_fn(const whet_dw_f32_call *d, const float *w, int64_t width, int64_t c);

/* DO for each vector of channels c.. of the call: n are left, w: their weights, taps `width` floats apart. */
#define CHANNELS(d, DO)                                                                                       \
  int64_t pad = whet__panel_pad(FORM, d->n), panel = d->panel;                                                \
  for (int64_t c = d->c0; c < d->c1;) {                                                                       \
    int64_t width = VW * whet__panel_next(FORM, (pad - panel) / VW), end = whet__min_i(panel + width, d->c1); \
    const float *w = d->w + pad + panel * d->k + (c - panel);                                                 \
    for (; c < end; c += VW, w += VW) {                                                                       \
      int64_t n = d->n - c;                                                                                   \
      DO;                                                                                                     \
    }                                                                                                         \
    panel += width;                                                                                           \
  }

/* With vectors of 16, loads of some lanes cost what loads of all do, so that one body serves both. */
enum { MASKED = VW == 16 };

/* All channels of some outputs. */
WHET_INLINE void outputs(const whet_dw_f32_call *d, const int wide, tail_fn *tail) {
  if (MASKED) {
    CHANNELS(d, any(d, w, width, c, wide, false, whet__min_i(n, VW)))
  } else {
    CHANNELS(d, n < VW ? tail(d, w, width, c) : any(d, w, width, c, wide, true, n))
  }
}

#if defined(DW_PLANE)
#define ALL(X) X(1) X(2) X(4) X(8) /* others are rare */
#else
#define ALL(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)
#endif
#define TAIL(wide)                                                                               \
  static void tail_##wide(const whet_dw_f32_call *d, const float *w, int64_t width, int64_t c) { \
    any(d, w, width, c, wide, false, d->n - c);                                                  \
  }
#define ANY(wide) \
  static void any_##wide(const whet_dw_f32_call *d) { outputs(d, wide, tail_##wide); }
ALL(TAIL)

#if defined(DW_PLANE)
#include DW_PLANE
#define ROWS
#else
#define ROWS .row = {{row_31, row_32}, {row_51, row_52}},
static inline bool planes(const whet_conv_f32 *c, void *const *ptr, int part, int parts) { return false; }
/* The last channels of a row, less than a vector, which are rare where masks are dear: output by output. */
static __attribute__((noinline, unused)) void few(const whet_dw_f32_call *d, const float *w, int64_t width, int64_t c,
                                                  int64_t taps, int64_t stride) {
  whet_dw_f32_call one = *d;
  for (int64_t i = 0, x = 0; i < d->m; i++, x += stride, one.out += d->out_step) {
    int64_t lo = whet__max_i(d->left - x, 0), over = whet__max_i(d->right - (d->m - 1 - i) * stride, 0);
    one.taps[2] = taps - lo - over;
    one.first = d->first + lo;
    one.in = d->in + (x - d->left + lo) * d->step[2];
    tail_1(&one, w, width, c);
    if (one.res) one.res += d->res_step;
    if (!d->rest) continue;
    _Alignas(64) float buf[VW];
    vf_store(buf, vf_load_n(one.out + c, d->n - c));
    rest(d, buf, one.out + c, 1, d->n - c);
  }
}

/* An ISA file may bring its own rows of windows of 3 x 3 taps. */
#ifdef DW_THREE
#include DW_THREE
#else
WHET_INLINE bool three_row(const whet_dw_f32_call *d, const float *w, int64_t width, int64_t c, const int stride) {
  return false;
}
#endif
/* One whole vector of channels of a row. */
WHET_INLINE void vector_row(const whet_dw_f32_call *d, const float *w, int64_t width, int64_t c, const int taps,
                            const int stride) {
  if (taps != 3 || !three_row(d, w, width, c, stride)) window_row(d, w, width, c, taps, stride, true, VW);
}

/* All channels of a row. */
#define ROW(taps, stride)                                                                                \
  static void row_##taps##stride(const whet_dw_f32_call *d) {                                            \
    if (MASKED) {                                                                                        \
      CHANNELS(d, window_row(d, w, width, c, taps, stride, false, whet__min_i(n, VW)))                   \
    } else {                                                                                             \
      CHANNELS(d, n < VW ? few(d, w, width, c, taps, stride) : vector_row(d, w, width, c, taps, stride)) \
    }                                                                                                    \
  }
ROW(3, 1)
ROW(3, 2)
ROW(5, 1)
ROW(5, 2)
#endif

ALL(ANY)

#define A(wide) [wide] = any_##wide,
const whet_dws_f32 CAT4(whet__dws_f32_, ISA, , ) = {
    .form = FORM, .fn = {ALL(A)}, ROWS.epi = CAT4(whet__epi_f32_, ISA, , )};

static void run(const void *params, void *const *ptr, int part, int parts) {
  if (!planes(params, ptr, part, parts)) whet__dw_f32(params, ptr, part, parts, &CAT4(whet__dws_f32_, ISA, , ));
}

#define NAME_(isa) "dw_f32__" #isa "_rows"
#define NAME(isa) NAME_(isa)
const whet_kern CAT4(whet_k_dw_f32__, ISA, _rows, ) = {
    .name = NAME(ISA), .isa = ISA_BITS, .form = FORM, .exact = VEC_EXACT, .run = run};
