/* SPDX-License-Identifier: Apache-2.0 */
/* DFT(x, length, axis): the discrete Fourier transform along an axis, or its inverse. STFT(signal, step, window, length):
 * the transforms of windows that move over a signal.
 *
 * ONNX DFT 17 (axis an attribute), 20; STFT 17. The last dimension holds real and imaginary part, or the real one
 * alone. Lines are cut or filled up with zeros to the length. onesided: only the first half plus one is given; of an
 * inverse: is what comes in, and the result is real. Floats: a mixed radix transform, in steps of the length's factors;
 * complex f32 in f32, as NumPy has it, all else in double. */

#include <math.h>

#include "op/edit.h"
#include "op/move.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

typedef struct dft_attr {
  bool inverse, onesided;
} dft_attr;

static const whet_attr_desc k_attrs[] = {{"inverse", WHET_ATTR_BOOL, offsetof(dft_attr, inverse)},
                                         {"onesided", WHET_ATTR_BOOL, offsetof(dft_attr, onesided)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

/* Inputs become x, length, axis. */
static whet_status read_dft(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, dft_attr, a);
  a->inverse = whet__onnx_int(im, "inverse", 0) != 0;
  a->onesided = whet__onnx_int(im, "onesided", 0) != 0;
  int64_t axis = whet__im_since(im) < 20 ? whet__onnx_int(im, "axis", 1) : -2;
  int32_t in[3] = {whet__im_in(im, 0), whet__im_in(im, 1), whet__im_since(im) < 20 ? -1 : whet__im_in(im, 2)};
  int32_t out = whet__im_out(im, 0);
  if (in[2] < 0) in[2] = whet__im_const(im, WHET_S64, 0, NULL, &axis);
  return whet__im_node(im, op, a, in, 3, &out, 1);
}
static whet_status read_stft(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, dft_attr, a);
  a->onesided = whet__onnx_int(im, "onesided", 1) != 0;
  return whet__im_node_as_is(im, op, a);
}

static const whet_from k_dft_from[] = {{"", "DFT", 17, read_dft}, {0}};
static const whet_from k_stft_from[] = {{"", "STFT", 17, read_stft}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

enum { MOST = 1 << 28 }; /* of the length */

/* The one number that input i holds: *v is ANY when it is not known. */
static whet_status one(whet_infer *f, int i, const char *what, whet_dim *v) {
  whet_nums s;
  bool known = whet__nums(f, i, &s);
  if (!known && s.n == -2) return whet__nums_late(f, &s, what);
  if (s.n >= 0 && s.n != 1) return whet__infer_fail(f, WHET_E_SHAPE, "%s is not one number", what);
  *v = known ? whet__num(&s, 0) : WHET_DIM_ANY;
  return WHET_OK;
}
/* The same for a length: from 1 to MOST. */
static whet_status length(whet_infer *f, int i, const char *what, whet_dim *v) {
  WHET_TRY(one(f, i, what, v));
  if (whet__dim_number(*v) && (*v < 1 || *v > MOST))
    return whet__infer_fail(f, WHET_E_DATA, "%s is %lld", what, (long long)*v);
  return WHET_OK;
}

static whet_status floats(whet_infer *f, int i) {
  whet_dtype t = whet__in_dtype(f, i);
  return whet__type_in(WHET_T_FLOAT, t)
             ? WHET_OK
             : whet__infer_fail(f, WHET_E_TYPE, "input %d of type %s is not taken", i, whet_dtype_name(t));
}

static whet_status infer_dft(whet_infer *f, const whet_node *n) {
  const dft_attr *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  whet_dim axis, len = WHET_DIM_ANY, parts = x->rank ? x->d[x->rank - 1] : 0;
  int32_t k;
  WHET_TRY(floats(f, 0));
  WHET_TRY(whet__infer_rank(f, 0, 2, WHET_MAX_RANK));
  if (whet__dim_known(parts) && parts != 1 && parts != 2)
    return whet__infer_fail(f, WHET_E_SHAPE, "the last dimension is %lld, expected 1 or 2", (long long)parts);
  WHET_TRY(one(f, 2, "the axis", &axis));
  if (whet__in_has(f, 1)) WHET_TRY(length(f, 1, "the length", &len));
  whet_shape y = *x;
  y.d[y.rank - 1] = a->inverse && a->onesided ? 1 : 2;
  if (!whet__dim_number(axis)) {
    for (int32_t i = 0; i + 1 < y.rank; i++) y.d[i] = WHET_DIM_ANY;
    *whet__out(f, 0, whet__in_dtype(f, 0)) = y;
    return WHET_LATE;
  }
  WHET_TRY(whet__infer_axis(f, axis, x->rank, &k));
  if (k == x->rank - 1) return whet__infer_fail(f, WHET_E_DATA, "the axis is the last dimension");
  if (!whet__in_has(f, 1))
    len = !a->inverse || !a->onesided ? x->d[k] : whet__dim_known(x->d[k]) ? 2 * (x->d[k] - 1) : WHET_DIM_ANY;
  if (whet__dim_known(x->d[k]) && whet__dim_number(len) && (len < 1 || len > MOST))
    return whet__infer_fail(f, WHET_E_SHAPE, "a transform of %lld numbers", (long long)len);
  y.d[k] = a->onesided && !a->inverse ? whet__dim_add(whet__dim_div(len, 2), 1) : len;
  *whet__out(f, 0, whet__in_dtype(f, 0)) = y;
  whet_dim count;
  WHET_TRY(whet__infer_count(f, &y, &count));
  return whet__in_has(f, 1) && !whet__dim_number(len) ? WHET_LATE : WHET_OK;
}

static whet_status infer_stft(whet_infer *f, const whet_node *n) {
  const dft_attr *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0), *window = whet__in_shape(f, 2);
  whet_dim step, len = WHET_DIM_ANY;
  WHET_TRY(floats(f, 0));
  WHET_TRY(whet__infer_rank(f, 0, 2, 3));
  if (x->rank == 3 && whet__dim_known(x->d[2]) && x->d[2] != 1 && x->d[2] != 2)
    return whet__infer_fail(f, WHET_E_SHAPE, "the last dimension is %lld, expected 1 or 2", (long long)x->d[2]);
  if (!whet__in_has(f, 1)) return whet__infer_fail(f, WHET_E_FORMAT, "frame_step is missing");
  WHET_TRY(length(f, 1, "frame_step", &step));
  if (whet__in_has(f, 3)) WHET_TRY(length(f, 3, "frame_length", &len));
  if (whet__in_has(f, 2)) {
    if (whet__in_dtype(f, 2) != whet__in_dtype(f, 0) || window->rank != 1)
      return whet__infer_fail(f, WHET_E_TYPE, "the window must be a list of the signal's type");
    if (whet__dim_number(len) && whet__dim_known(window->d[0]) && window->d[0] != len)
      return whet__infer_fail(f, WHET_E_SHAPE, "a window of %lld for frames of %lld", (long long)window->d[0],
                              (long long)len);
    if (!whet__dim_number(len)) len = window->d[0];
  } else if (!whet__in_has(f, 3)) {
    len = x->d[1];
  }
  whet_shape *y = whet__out(f, 0, whet__in_dtype(f, 0));
  *y = (whet_shape){.rank = 4, .d = {x->d[0], WHET_DIM_ANY, WHET_DIM_ANY, 2}};
  if (!whet__dim_known(len) || !whet__dim_number(step))
    return whet__dim_number(step) && !whet__in_has(f, 3) ? WHET_OK : WHET_LATE;
  if (len < 1 || len > MOST) return whet__infer_fail(f, WHET_E_SHAPE, "frames of %lld", (long long)len);
  y->d[2] = a->onesided ? len / 2 + 1 : len;
  if (!whet__dim_known(x->d[1])) return WHET_OK;
  if (x->d[1] < len)
    return whet__infer_fail(f, WHET_E_SHAPE, "a signal of %lld is shorter than a frame of %lld", (long long)x->d[1],
                            (long long)len);
  y->d[1] = (x->d[1] - len) / step + 1;
  whet_dim count;
  return whet__infer_count(f, y, &count);
}

/* ---- transform ------------------------------------------------------------------------------- */

typedef struct cplx {
  double re, im;
} cplx;

/* Room for transforms of a length: two lines, and exp(-+2 pi i k / n). */
typedef struct fourier {
  int64_t n;
  bool inverse, single; /* single: every step is rounded to f32 */
  cplx *line, *spare, *root;
} fourier;

static size_t room(int64_t n) { return 3 * (size_t)n * sizeof(cplx); }

static double r32(const fourier *f, double v) { return f->single ? (double)(float)v : v; }
static cplx plus(const fourier *f, cplx a, cplx b) { return (cplx){r32(f, a.re + b.re), r32(f, a.im + b.im)}; }
static cplx minus(const fourier *f, cplx a, cplx b) { return (cplx){r32(f, a.re - b.re), r32(f, a.im - b.im)}; }
static cplx times(const fourier *f, cplx a, cplx b) {
  return (cplx){r32(f, r32(f, a.re * b.re) - r32(f, a.im * b.im)), r32(f, r32(f, a.re * b.im) + r32(f, a.im * b.re))};
}

static fourier begin(void *scratch, int64_t n, bool inverse, bool single) {
  fourier f = {n, inverse, single, scratch, (cplx *)scratch + n, (cplx *)scratch + 2 * n};
  for (int64_t k = 0; k < n; k++) {
    double angle = 2 * 3.14159265358979323846 * (double)k / (double)n;
    f.root[k] = (cplx){r32(&f, cos(angle)), r32(&f, inverse ? sin(angle) : -sin(angle))};
  }
  return f;
}

/* The next factor of n > 1 to take: 4 as long as it can be, then the least prime. */
static int64_t factor(int64_t n) {
  if (n % 4 == 0) return 4;
  for (int64_t p = 2; p * p <= n; p++)
    if (n % p == 0) return p;
  return n;
}

/* Output r of a transform of p elements, `step` apart from x on. Odd p: elements that mirror each other share their
 * cosine and sine. */
static cplx small(const fourier *f, const cplx *x, int64_t step, int64_t p, int64_t r) {
  int64_t turn = f->n / p;
  if (p == 2) return r ? minus(f, x[0], x[step]) : plus(f, x[0], x[step]);
  if (p == 4) {
    cplx even = r % 2 ? minus(f, x[0], x[2 * step]) : plus(f, x[0], x[2 * step]);
    cplx odd = r % 2 ? minus(f, x[step], x[3 * step]) : plus(f, x[step], x[3 * step]);
    if (r % 2) odd = f->inverse ? (cplx){-odd.im, odd.re} : (cplx){odd.im, -odd.re};
    return r < 2 ? plus(f, even, odd) : minus(f, even, odd);
  }
  cplx c = x[0], s = {0, 0};
  for (int64_t j = 1; 2 * j < p; j++) {
    cplx w = f->root[j * r % p * turn], sum = plus(f, x[j * step], x[(p - j) * step]);
    c.re = r32(f, c.re + (r ? r32(f, w.re * sum.re) : sum.re));
    c.im = r32(f, c.im + (r ? r32(f, w.re * sum.im) : sum.im));
    if (!r) continue;
    cplx off = minus(f, x[j * step], x[(p - j) * step]);
    s.re = r32(f, s.re - r32(f, w.im * off.im));
    s.im = r32(f, s.im + r32(f, w.im * off.re));
  }
  return plus(f, c, s);
}

/* Transform f->line. Each step splits the transforms of length m into p of length m / p (decimation in frequency, the
 * results in order: Stockham). `many` transforms lie interleaved. */
static void transform(fourier *f) {
  int64_t many = 1;
  for (int64_t m = f->n; m > 1;) {
    int64_t p = factor(m), q = m / p;
    for (int64_t i = 0; i < q; i++)
      for (int64_t r = 0; r < p; r++)
        for (int64_t k = 0; k < many; k++) {
          cplx v = small(f, f->line + k + many * i, many * q, p, r);
          f->spare[k + many * (p * i + r)] = i && r ? times(f, v, f->root[i * r * many]) : v;
        }
    cplx *swap = f->line;
    f->line = f->spare;
    f->spare = swap;
    many *= p;
    m = q;
  }
  double share = r32(f, 1 / (double)f->n);
  for (int64_t k = 0; f->inverse && k < f->n; k++) {
    f->line[k].re *= share;
    f->line[k].im *= share;
  }
}

/* Fill the line from `have` elements of x, `step` apart, and zeros; part: from the real to the imaginary part, 0: there
 * is none. half: they are the first half of a spectrum whose other half is its mirror. */
static void fill(fourier *f, const whet_tensor *x, int64_t at, int64_t step, int64_t part, int64_t have, bool half) {
  int64_t top = half ? f->n / 2 + 1 : f->n;
  for (int64_t k = 0; k < f->n; k++) {
    int64_t from = k < top ? k : f->n - k;
    cplx v = {0, 0};
    if (from < have) {
      v.re = whet__get_f64(x->dtype, x->data, at + from * step);
      if (part) v.im = whet__get_f64(x->dtype, x->data, at + from * step + part);
    }
    if (half && (k == 0 || 2 * k == f->n)) v.im = 0;
    if (k >= top) v.im = -v.im;
    f->line[k] = v;
  }
}

/* Write the first n of the line; part as above. */
static void give(const fourier *f, const whet_tensor *y, int64_t at, int64_t step, int64_t part, int64_t n) {
  for (int64_t k = 0; k < n; k++) {
    whet__set_f64(y->dtype, y->data, at + k * step, f->line[k].re);
    if (part) whet__set_f64(y->dtype, y->data, at + k * step + part, f->line[k].im);
  }
}

/* ---- references ------------------------------------------------------------------------------ */

/* The length is not known here, but the output is half as long at least. */
static size_t scratch(const whet_args *a) {
  int64_t most = 1;
  for (int32_t i = 0; i < a->out[0].rank; i++) most = whet__max_i(most, a->out[0].dim[i]);
  return room(2 * most);
}

static whet_status ref_dft(const whet_args *arg) {
  const dft_attr *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  int64_t axis = whet__vec_i64(&arg->in[2], 0), box[WHET_MAX_RANK], at[WHET_MAX_RANK] = {0};
  bool half = a->inverse && a->onesided;
  axis = axis < 0 ? axis + x->rank : axis;
  int64_t n = arg->in[1].data ? whet__vec_i64(&arg->in[1], 0) : half ? 2 * (x->dim[axis] - 1) : x->dim[axis];
  int32_t last = x->rank - 1;
  int64_t xp = x->dim[last] == 2 ? x->stride[last] : 0, yp = y->dim[last] == 2 ? y->stride[last] : 0;
  for (int32_t i = 0; i < x->rank; i++) box[i] = i == axis || i == last ? 1 : x->dim[i];
  if (!whet__tensor_count(y)) return WHET_OK;
  fourier f = begin(arg->scratch, n, a->inverse, x->dtype == WHET_F32 && xp && !half);
  do {
    fill(&f, x, whet__index_offset(x->rank, at, x->stride), x->stride[axis], xp, x->dim[axis], half);
    transform(&f);
    give(&f, y, whet__index_offset(y->rank, at, y->stride), y->stride[axis], yp, y->dim[axis]);
  } while (whet__index_next(x->rank, box, at));
  return WHET_OK;
}

static whet_status ref_stft(const whet_args *arg) {
  const dft_attr *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0], *window = arg->n_in > 2 && arg->in[2].data ? &arg->in[2] : NULL;
  int64_t step = whet__vec_i64(&arg->in[1], 0);
  int64_t n = arg->n_in > 3 && arg->in[3].data ? whet__vec_i64(&arg->in[3], 0) : window ? window->dim[0] : x->dim[1];
  int64_t part = x->rank == 3 && x->dim[2] == 2 ? x->stride[2] : 0;
  fourier f = begin(arg->scratch, n, a->inverse, x->dtype == WHET_F32 && part);
  for (int64_t b = 0; b < y->dim[0]; b++)
    for (int64_t k = 0; k < y->dim[1]; k++) {
      fill(&f, x, b * x->stride[0] + k * step * x->stride[1], x->stride[1], part, n, false);
      for (int64_t i = 0; window && i < n; i++) {
        double w = whet__get_f64(window->dtype, window->data, i * window->stride[0]);
        f.line[i].re = r32(&f, f.line[i].re * w);
        f.line[i].im = r32(&f, f.line[i].im * w);
      }
      transform(&f);
      give(&f, y, b * y->stride[0] + k * y->stride[1], y->stride[2], y->stride[3], y->dim[2]);
    }
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_DFT = {.name = "DFT",
                             .attr_size = sizeof(dft_attr),
                             .attrs = k_attrs,
                             .from = k_dft_from,
                             .infer = infer_dft,
                             .ref = ref_dft,
                             .scratch = scratch};
const whet_op whet_op_STFT = {.name = "STFT",
                              .attr_size = sizeof(dft_attr),
                              .attrs = k_attrs,
                              .from = k_stft_from,
                              .infer = infer_stft,
                              .ref = ref_stft,
                              .scratch = scratch};
