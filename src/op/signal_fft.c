/* SPDX-License-Identifier: Apache-2.0 */
/* SignalRfft(x): the first half of the discrete Fourier transform of each row, zeros behind it up to fft_length.
 * SignalIrfft(x): the inverse. Real and imaginary parts lie side by side.
 *
 * Custom operators of tflite-micro, int16, int32, float. Integer results are those of the mixed-radix fixed-point
 * transform that tflite-micro's signal library is built on: every step divides by its radix (a product with the
 * rounded reciprocal), products are rounded to nearest, halves towards -infinity. fft_length is a product of 2, 3 and
 * 5, and even. The twiddles are made when the model is read and are the second input. */

#include <math.h>

#include "op/move.h"
#include "wire/flex.h"

#define SCALAR int16_t
#define WIDE int32_t
#define FRAC 15
#define NAME(x) x##_16
#include "op/signal_fft_impl.h"
#define SCALAR int32_t
#define WIDE int64_t
#define FRAC 31
#define NAME(x) x##_32
#include "op/signal_fft_impl.h"
#define SCALAR float
#define WIDE float
#define FRAC 0
#define NAME(x) x##_f
#include "op/signal_fft_impl.h"

/* ---- attributes ------------------------------------------------------------------------------ */

struct rfft {
  int32_t length; /* of the real side */
  uint8_t inverse;
};
static const whet_attr_desc k_attrs[] = {{"length", WHET_ATTR_I32, offsetof(struct rfft, length)},
                                         {"inverse", WHET_ATTR_BOOL, offsetof(struct rfft, inverse)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

enum { MAX_LENGTH = 1 << 20 };

/* Even, and made of the radixes that there are. */
static bool length_fits(int64_t n) {
  if (n < 2 || n > MAX_LENGTH || n % 2) return false;
  static const int p[] = {2, 3, 5};
  n /= 2;
  for (int i = 0; i < 3; i++)
    while (n % p[i] == 0) n /= p[i];
  return n == 1;
}

static whet_status build(whet_import *im, const whet_op *op, bool inverse) {
  WHET_NEW_ATTR(im, struct rfft, a);
  whet_str o = whet__tfl_custom(im);
  int64_t n = whet__flex_int(whet__flex_get(whet__flex_root(o.p, o.n), "fft_length"), 0);
  if (!length_fits(n)) return whet__im_fail(im, WHET_E_UNSUPPORTED, "fft_length %lld", (long long)n);
  a->length = (int32_t)n;
  a->inverse = inverse;
  int32_t in[2] = {whet__im_in(im, 0), -1}, out = whet__im_out(im, 0);
  const whet_val *x = whet__im_val(im, in[0]);
  whet_dtype t = x ? (whet_dtype)x->dtype : WHET_NONE;
  int64_t count = n + 2 * (n / 4); /* n / 2 + n / 4 complex numbers */
  size_t each = whet__dtype_size(t);
  void *tw = each ? whet__arena_array(whet__im_arena(im), (size_t)count, each) : NULL;
  if (each && !tw) return whet__im_fail(im, WHET_E_MEMORY, "no memory for twiddles");
  switch (t) {
    case WHET_S16:
      twiddles_16(tw, n / 2, inverse);
      break;
    case WHET_S32:
      twiddles_32(tw, n / 2, inverse);
      break;
    case WHET_F32:
      twiddles_f(tw, n / 2, inverse);
      break;
    default:
      return whet__im_fail(im, WHET_E_TYPE, "a transform of %s", whet_dtype_name(t));
  }
  in[1] = whet__im_const(im, t, 1, &count, tw);
  return whet__im_node(im, op, a, in, 2, &out, 1);
}

static whet_status rfft_tfl(whet_import *im, const whet_op *op) { return build(im, op, false); }
static whet_status irfft_tfl(whet_import *im, const whet_op *op) { return build(im, op, true); }
static const whet_from k_rfft_from[] = {{"tflite.custom", "SignalRfft", 1, rfft_tfl}, {0}};
static const whet_from k_irfft_from[] = {{"tflite.custom", "SignalIrfft", 1, irfft_tfl}, {0}};

/* ---- shape rule and reference ---------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const struct rfft *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  whet_dtype t = whet__in_dtype(f, 0);
  if (t != whet__in_dtype(f, 1)) return whet__infer_fail(f, WHET_E_TYPE, "a transform of %s", whet_dtype_name(t));
  WHET_TRY(whet__infer_rank(f, 0, 1, WHET_MAX_RANK));
  whet_shape *out = whet__out(f, 0, t);
  *out = *x;
  whet_dim d = x->d[x->rank - 1];
  if (whet__dim_known(d) && (a->inverse ? d != a->length + 2 : d > a->length))
    return whet__infer_fail(f, WHET_E_SHAPE, "rows of %lld for a transform of length %d", (long long)d, a->length);
  out->d[x->rank - 1] = a->inverse ? a->length : a->length + 2;
  return WHET_OK;
}

static whet_status ref(const whet_args *a) {
  const struct rfft *at = a->attr;
  switch (a->in[0].dtype) {
    case WHET_S16:
      rows_16(a, at->inverse);
      break;
    case WHET_S32:
      rows_32(a, at->inverse);
      break;
    default:
      rows_f(a, at->inverse);
      break;
  }
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_SignalRfft = {.name = "SignalRfft",
                                    .attr_size = sizeof(struct rfft),
                                    .attrs = k_attrs,
                                    .from = k_rfft_from,
                                    .infer = infer,
                                    .ref = ref};
const whet_op whet_op_SignalIrfft = {.name = "SignalIrfft",
                                     .attr_size = sizeof(struct rfft),
                                     .attrs = k_attrs,
                                     .from = k_irfft_from,
                                     .infer = infer,
                                     .ref = ref};
