/* SPDX-License-Identifier: Apache-2.0 */
/* AudioSpectrogram(x): squared magnitudes (or magnitudes) of the frequencies of frames of samples: frames of window_size,
 * `stride` apart, weighed with a periodic Hann window and filled with zeros to a power of two.
 *
 *   x: [samples][channels]    y: [channels][frames][fft / 2 + 1]
 *
 * TFLite custom operator AudioSpectrogram; options are a FlexBuffers map. f32; transformed in double, rounded once. */

#include <math.h>

#include "op/fft.h"
#include "op/move.h"
#include "wire/flex.h"

/* ---- attributes ------------------------------------------------------------------------------ */

struct spectrogram {
  int32_t window, stride;
  uint8_t squared;
};
static const whet_attr_desc k_attrs[] = {{"window_size", WHET_ATTR_I32, offsetof(struct spectrogram, window)},
                                         {"stride", WHET_ATTR_I32, offsetof(struct spectrogram, stride)},
                                         {"magnitude_squared", WHET_ATTR_BOOL, offsetof(struct spectrogram, squared)},
                                         {0}};

/* Length of the transform. */
static int64_t length(const struct spectrogram *a) {
  int64_t n = 1;
  while (n < a->window) n *= 2;
  return n;
}

/* ---- reading --------------------------------------------------------------------------------- */

enum { MAX_WINDOW = 1 << 24 };

static whet_status read(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct spectrogram, a);
  whet_str o = whet__tfl_custom(im);
  whet_flex map = whet__flex_root(o.p, o.n);
  int64_t window = whet__flex_int(whet__flex_get(map, "window_size"), 0);
  int64_t stride = whet__flex_int(whet__flex_get(map, "stride"), 0);
  if (window < 2 || window > MAX_WINDOW || stride < 1)
    return whet__im_fail(im, WHET_E_DATA, "windows of %lld samples, %lld apart: expected 2 to %d, 1 or more",
                         (long long)window, (long long)stride, MAX_WINDOW);
  *a = (struct spectrogram){.window = (int32_t)window, .stride = whet__small(stride)};
  a->squared = whet__flex_int(whet__flex_get(map, "magnitude_squared"), 0) != 0;
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_from[] = {{"tflite.custom", "AudioSpectrogram", 1, read}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const struct spectrogram *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  if (n->n_in != 1) return whet__infer_fail(f, WHET_E_FORMAT, "expected 1 input, got %d", n->n_in);
  if (whet__in_dtype(f, 0) != WHET_F32)
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken: expected float32",
                            whet_dtype_name(whet__in_dtype(f, 0)));
  WHET_TRY(whet__infer_rank(f, 0, 2, 2));
  whet_dim samples = x->d[0], frames = samples == WHET_DIM_ANY || !whet__dim_known(samples) ? WHET_DIM_ANY
                                       : samples < a->window ? 0
                                                             : 1 + (samples - a->window) / a->stride;
  whet__out_dims(f, 0, WHET_F32, 3, (whet_dim[]){x->d[1], frames, length(a) / 2 + 1});
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

static size_t scratch(const whet_args *a) {
  const struct spectrogram *at = a->attr;
  int64_t n = length(at);
  return (size_t)(2 * n + whet__fft_twiddles(n) + at->window) * sizeof(double);
}

static whet_status ref(const whet_args *args) {
  const struct spectrogram *a = args->attr;
  const whet_tensor *x = &args->in[0], *y = &args->out[0];
  int64_t n = length(a);
  double *z = args->scratch, *twiddle = z + 2 * n, *hann = twiddle + whet__fft_twiddles(n);
  if (!z) return WHET_E_UNSUPPORTED; /* while constants are folded */
  whet__fft_twiddle(n, twiddle);
  for (int32_t i = 0; i < a->window; i++)
    hann[i] = 0.5 - 0.5 * cos(6.283185307179586476925286766559 * i / a->window);
  for (int64_t c = 0; c < y->dim[0]; c++)
    for (int64_t t = 0; t < y->dim[1]; t++) {
      memset(z, 0, (size_t)(2 * n) * sizeof *z);
      for (int64_t i = 0; i < a->window; i++)
        z[2 * i] = hann[i] * whet__get_f64(WHET_F32, x->data, (t * a->stride + i) * x->stride[0] + c * x->stride[1]);
      whet__fft(n, z, 1, twiddle, n);
      for (int64_t k = 0; k <= n / 2; k++) {
        float power = (float)(z[2 * k] * z[2 * k] + z[2 * k + 1] * z[2 * k + 1]);
        int64_t to = c * y->stride[0] + t * y->stride[1] + k * y->stride[2];
        whet__set_f64(WHET_F32, y->data, to, a->squared ? power : sqrtf(power));
      }
    }
  return WHET_OK;
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_AudioSpectrogram = {.name = "AudioSpectrogram",
                                          .attr_size = sizeof(struct spectrogram),
                                          .attrs = k_attrs,
                                          .from = k_from,
                                          .infer = infer,
                                          .ref = ref,
                                          .scratch = scratch};
