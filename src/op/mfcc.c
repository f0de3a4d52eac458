/* SPDX-License-Identifier: Apache-2.0 */
/* Mfcc(spectrogram, rate): mel-frequency cepstral coefficients of frames of squared magnitudes: magnitudes under triangles
 * that stand evenly on the mel scale, their logarithms, the first coefficients of their cosine transform.
 *
 *   spectrogram: [channels][frames][bins]    rate: samples in a second    y: [channels][frames][coefficients]
 *
 * TFLite custom operator Mfcc; options are a FlexBuffers map. f32, computed in double. */

#include <math.h>

#include "op/move.h"
#include "wire/flex.h"

/* ---- attributes ------------------------------------------------------------------------------ */

struct mfcc {
  int32_t bands, coefficients;
  float low, high; /* limits in Hz */
};
static const whet_attr_desc k_attrs[] = {{"filterbank_channel_count", WHET_ATTR_I32, offsetof(struct mfcc, bands)},
                                         {"dct_coefficient_count", WHET_ATTR_I32, offsetof(struct mfcc, coefficients)},
                                         {"lower_frequency_limit", WHET_ATTR_F32, offsetof(struct mfcc, low)},
                                         {"upper_frequency_limit", WHET_ATTR_F32, offsetof(struct mfcc, high)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

enum { MAX_BANDS = 1 << 14 };

static whet_status read(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct mfcc, a);
  whet_str o = whet__tfl_custom(im);
  whet_flex map = whet__flex_root(o.p, o.n);
  int64_t low = whet__flex_int(whet__flex_get(map, "lower_frequency_limit"), 0);
  int64_t high = whet__flex_int(whet__flex_get(map, "upper_frequency_limit"), 0);
  int64_t bands = whet__flex_int(whet__flex_get(map, "filterbank_channel_count"), 0);
  int64_t coefficients = whet__flex_int(whet__flex_get(map, "dct_coefficient_count"), 0);
  if (low < 0 || high <= low)
    return whet__im_fail(im, WHET_E_DATA, "frequencies from %lld to %lld Hz", (long long)low, (long long)high);
  if (bands < 1 || bands > MAX_BANDS || coefficients < 1 || coefficients > bands)
    return whet__im_fail(im, WHET_E_DATA, "%lld coefficients of %lld bands: expected 1 or more, at most %d bands",
                         (long long)coefficients, (long long)bands, MAX_BANDS);
  *a = (struct mfcc){(int32_t)bands, (int32_t)coefficients, (float)low, (float)high};
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_from[] = {{"tflite.custom", "Mfcc", 1, read}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const struct mfcc *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  if (n->n_in != 2 || !whet__in_has(f, 0) || !whet__in_has(f, 1))
    return whet__infer_fail(f, WHET_E_FORMAT, "expected 2 inputs, got %d", n->n_in);
  if (whet__in_dtype(f, 0) != WHET_F32 || whet__in_dtype(f, 1) != WHET_S32)
    return whet__infer_fail(f, WHET_E_TYPE, "inputs of types %s and %s are not taken: expected float32 and int32",
                            whet_dtype_name(whet__in_dtype(f, 0)), whet_dtype_name(whet__in_dtype(f, 1)));
  WHET_TRY(whet__infer_rank(f, 0, 3, 3));
  int64_t rates = whet__shape_count(whet__in_shape(f, 1));
  if (rates >= 0 && rates != 1) return whet__infer_fail(f, WHET_E_SHAPE, "%lld rates: expected 1", (long long)rates);
  if (whet__dim_known(x->d[2]) && (x->d[2] < 2 || x->d[2] > INT32_MAX))
    return whet__infer_fail(f, WHET_E_SHAPE, "spectra of %lld bins: expected 2 or more", (long long)x->d[2]);
  whet__out_dims(f, 0, WHET_F32, 3, (whet_dim[]){x->d[0], x->d[1], a->coefficients});
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* What frames share: of each bin the band that it falls off in (the next one it rises in; -1: rises only) and its share of
 * that band; the cosines; the bands of the frame at hand. */
struct bank {
  double *share, *cosine, *band;
  int32_t *falls;
  int64_t first, last; /* bins that count */
};

static double mel(double hz) { return 1127.0 * log1p(hz / 700.0); }

static void make_bank(struct bank *b, const struct mfcc *a, int64_t bins, double rate) {
  double low = mel(a->low), step = (mel(a->high) - low) / (a->bands + 1), hz = 0.5 * rate / (double)(bins - 1);
  b->first = (int64_t)(1.5 + a->low / hz);
  b->last = (int64_t)whet__min_i((int64_t)fmin(a->high / hz, 0x1p40), INT32_MAX);
  for (int64_t i = b->first, band = 0; i <= b->last && i < bins; i++) {
    double m = mel((double)i * hz);
    while (band < a->bands && low + step * (double)(band + 1) < m) band++;
    b->falls[i] = (int32_t)band - 1;
    double at = low + step * (double)(band + 1), under = band ? low + step * (double)band : low;
    b->share[i] = (at - m) / (at - under);
  }
  double norm = sqrt(2.0 / a->bands), turn = atan(1) * 4 / a->bands;
  for (int32_t i = 0; i < a->coefficients; i++)
    for (int32_t k = 0; k < a->bands; k++) b->cosine[(int64_t)i * a->bands + k] = norm * cos(i * turn * (k + 0.5));
}

static size_t scratch(const whet_args *a) {
  const struct mfcc *at = a->attr;
  size_t bins = (size_t)a->in[0].dim[2], bands = (size_t)at->bands;
  return (bins + (size_t)at->coefficients * bands + bands) * sizeof(double) + bins * sizeof(int32_t);
}

/* Logarithms of the bands of the spectrum that starts at xo. */
static void fill_bands(struct bank *b, const struct mfcc *a, const whet_tensor *x, int64_t xo) {
  memset(b->band, 0, (size_t)a->bands * sizeof *b->band);
  for (int64_t i = b->first; i <= b->last; i++) {
    double m = sqrt(whet__get_f64(WHET_F32, x->data, xo + i * x->stride[2])), part = m * b->share[i];
    int32_t band = b->falls[i];
    if (band >= 0) b->band[band] += part;
    if (band + 1 < a->bands) b->band[band + 1] += m - part;
  }
  for (int32_t k = 0; k < a->bands; k++) b->band[k] = log(b->band[k] < 1e-12 ? 1e-12 : b->band[k]);
}

static whet_status ref(const whet_args *args) {
  const struct mfcc *a = args->attr;
  const whet_tensor *x = &args->in[0], *y = &args->out[0];
  int64_t bins = x->dim[2], rate = whet__get_i64(WHET_S32, args->in[1].data, 0);
  double *p = args->scratch;
  if (!p) return WHET_E_UNSUPPORTED; /* while constants are folded */
  if (rate <= 0)
    return whet__fail(args->err, WHET_E_DATA, "%lld samples in a second: expected 1 or more", (long long)rate);
  struct bank b = {.share = p, .cosine = p + bins, .band = p + bins + (int64_t)a->coefficients * a->bands};
  b.falls = (int32_t *)(b.band + a->bands);
  make_bank(&b, a, bins, (double)rate);
  bool reaches = b.last < bins; /* else the spectrum ends too soon, and all is 0 */
  for (int64_t c = 0; c < x->dim[0]; c++)
    for (int64_t t = 0; t < x->dim[1]; t++) {
      if (reaches) fill_bands(&b, a, x, c * x->stride[0] + t * x->stride[1]);
      for (int32_t i = 0; i < a->coefficients; i++) {
        double sum = 0;
        for (int32_t k = 0; k < a->bands && reaches; k++) sum += b.cosine[(int64_t)i * a->bands + k] * b.band[k];
        whet__set_f64(WHET_F32, y->data, c * y->stride[0] + t * y->stride[1] + i * y->stride[2], sum);
      }
    }
  return WHET_OK;
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_Mfcc = {.name = "Mfcc",
                              .attr_size = sizeof(struct mfcc),
                              .attrs = k_attrs,
                              .from = k_from,
                              .infer = infer,
                              .ref = ref,
                              .scratch = scratch};
