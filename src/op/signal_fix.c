/* SPDX-License-Identifier: Apache-2.0 */
/* The fixed-point audio front end of tflite-micro, as custom operators; integer results bit for bit.
 *
 *   SignalWindow(x, w)              int16: clamp((x * w) >> shift), w repeated
 *   SignalFftAutoScale(x)           int16: x shifted left as far as its largest magnitude allows; by how many bits
 *   SignalEnergy(x)                 int16 pairs -> uint32: re^2 + im^2 of numbers start_index .. end_index
 *   SignalFilterBank(x, ...)        uint32 -> uint64: each channel a weighted sum, neighbours sharing their slopes
 *   SignalFilterBankSquareRoot(x,b) uint64 -> uint32: rounded square root, shifted right by b
 *   SignalFilterBankSpectralSubtraction(x)  uint32: x less a running estimate of noise; the estimate. State.
 *   SignalPCAN(x, noise, table)     uint32: gain control by a table of parabolas, then a soft threshold
 *   SignalFilterBankLog(x)          uint32 -> int16: output_scale * ln(x << correction)
 *
 * Elements that the specification leaves as they were in memory are 0. */

#include "op/move.h"
#include "op/variable.h"
#include "wire/flex.h"

/* ---- attributes ------------------------------------------------------------------------------ */

/* All of them share one struct; each operator's `from` row fills what it has. */
struct signal {
  int32_t shift;                /* Window, PCAN (snr_shift), Log (input_correction_bits) */
  int32_t start, end;           /* Energy */
  int32_t channels;             /* FilterBank, SpectralSubtraction */
  int32_t scale;                /* Log: output_scale */
  int32_t smoothing[2];         /* SpectralSubtraction: even and odd channels */
  int32_t rest[2];              /* one minus smoothing */
  int32_t smoothing_bits, bits; /* extra bits of the estimate; fraction bits of the factors */
  int32_t least;                /* min_signal_remaining */
  uint8_t clamping;
};
#define FIELD(name, kind) \
  { #name, WHET_ATTR_##kind, offsetof(struct signal, name) }
static const whet_attr_desc k_attrs[] = {FIELD(shift, I32),
                                         FIELD(start, I32),
                                         FIELD(end, I32),
                                         FIELD(channels, I32),
                                         FIELD(scale, I32),
                                         {"smoothing_even", WHET_ATTR_I32, offsetof(struct signal, smoothing[0])},
                                         {"smoothing_odd", WHET_ATTR_I32, offsetof(struct signal, smoothing[1])},
                                         {"rest_even", WHET_ATTR_I32, offsetof(struct signal, rest[0])},
                                         {"rest_odd", WHET_ATTR_I32, offsetof(struct signal, rest[1])},
                                         FIELD(smoothing_bits, I32),
                                         FIELD(bits, I32),
                                         FIELD(least, I32),
                                         FIELD(clamping, BOOL),
                                         {0}};
#undef FIELD

/* ---- reading --------------------------------------------------------------------------------- */

/* An integer option in lo..hi. */
static whet_status option(whet_import *im, const char *name, int64_t lo, int64_t hi, int32_t *out) {
  whet_str o = whet__tfl_custom(im);
  whet_flex v = whet__flex_get(whet__flex_root(o.p, o.n), name);
  int64_t x = whet__flex_int(v, 0);
  if (!whet__flex_has(v)) return whet__im_fail(im, WHET_E_FORMAT, "the option %s is absent", name);
  if (x < lo || x > hi)
    return whet__im_fail(im, WHET_E_DATA, "the option %s is %lld, expected %lld to %lld", name, (long long)x,
                         (long long)lo, (long long)hi);
  *out = (int32_t)x;
  return WHET_OK;
}

enum { MAX_CHANNELS = 1 << 20 };

static whet_status window_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct signal, a);
  WHET_TRY(option(im, "shift", 0, 31, &a->shift));
  return whet__im_node_as_is(im, op, a);
}

static whet_status energy_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct signal, a);
  WHET_TRY(option(im, "start_index", 0, MAX_CHANNELS, &a->start));
  WHET_TRY(option(im, "end_index", a->start, MAX_CHANNELS, &a->end));
  return whet__im_node_as_is(im, op, a);
}

static whet_status bank_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct signal, a);
  WHET_TRY(option(im, "num_channels", 1, MAX_CHANNELS, &a->channels));
  return whet__im_node_as_is(im, op, a);
}

static whet_status subtract_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct signal, a);
  int32_t clamping;
  WHET_TRY(option(im, "num_channels", 1, MAX_CHANNELS, &a->channels));
  WHET_TRY(option(im, "smoothing", 0, INT32_MAX, &a->smoothing[0]));
  WHET_TRY(option(im, "alternate_smoothing", 0, INT32_MAX, &a->smoothing[1]));
  WHET_TRY(option(im, "one_minus_smoothing", 0, INT32_MAX, &a->rest[0]));
  WHET_TRY(option(im, "alternate_one_minus_smoothing", 0, INT32_MAX, &a->rest[1]));
  WHET_TRY(option(im, "smoothing_bits", 0, 31, &a->smoothing_bits));
  WHET_TRY(option(im, "spectral_subtraction_bits", 0, 31, &a->bits));
  WHET_TRY(option(im, "min_signal_remaining", 0, INT32_MAX, &a->least));
  WHET_TRY(option(im, "clamping", 0, 1, &clamping));
  a->clamping = (uint8_t)clamping;
  int64_t d = a->channels;
  int32_t in[2] = {whet__im_in(im, 0), whet__variable_new(whet__im_graph(im), "noise", WHET_U32, 1, &d)};
  int32_t out[2] = {whet__im_out(im, 0), whet__im_out(im, 1)};
  if (in[1] < 0) return whet__im_fail(im, WHET_E_MEMORY, "no memory for the noise estimate");
  return whet__im_node(im, op, a, in, 2, out, whet__im_n_out(im) > 1 ? 2 : 1);
}

static whet_status pcan_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct signal, a);
  WHET_TRY(option(im, "snr_shift", 0, 63, &a->shift));
  return whet__im_node_as_is(im, op, a);
}

static whet_status log_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct signal, a);
  WHET_TRY(option(im, "input_correction_bits", 0, 31, &a->shift));
  WHET_TRY(option(im, "output_scale", 0, INT32_MAX, &a->scale));
  return whet__im_node_as_is(im, op, a);
}

/* ---- shape rules ----------------------------------------------------------------------------- */

/* Input i is a vector (or a scalar, where rank is 0) of this type. */
static whet_status expect(whet_infer *f, int i, whet_dtype t, int32_t rank) {
  if (whet__in_dtype(f, i) != t)
    return whet__infer_fail(f, WHET_E_TYPE, "input %d is %s, expected %s", i, whet_dtype_name(whet__in_dtype(f, i)),
                            whet_dtype_name(t));
  return whet__infer_rank(f, i, rank, rank);
}

static whet_status window_infer(whet_infer *f, const whet_node *n) {
  const whet_shape *x = whet__in_shape(f, 0), *w = whet__in_shape(f, 1);
  WHET_TRY(expect(f, 1, WHET_S16, 1));
  WHET_TRY(whet__infer_rank(f, 0, 1, WHET_MAX_RANK));
  if (whet__in_dtype(f, 0) != WHET_S16) return whet__infer_fail(f, WHET_E_TYPE, "input 0 must be int16");
  int64_t count = whet__shape_count(x);
  if (count > 0 && whet__dim_known(w->d[0]) && (!w->d[0] || count % w->d[0]))
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld elements are no whole number of windows of %lld", (long long)count,
                            (long long)w->d[0]);
  whet__out_dims(f, 0, WHET_S16, x->rank, x->d);
  return WHET_OK;
}

static whet_status scale_infer(whet_infer *f, const whet_node *n) {
  WHET_TRY(expect(f, 0, WHET_S16, 1));
  whet__out_dims(f, 0, WHET_S16, 1, whet__in_shape(f, 0)->d);
  whet__out_dims(f, 1, WHET_S32, 0, NULL);
  return WHET_OK;
}

static whet_status energy_infer(whet_infer *f, const whet_node *n) {
  const struct signal *a = n->attr;
  WHET_TRY(expect(f, 0, WHET_S16, 1));
  whet_dim d = whet__dim_div(whet__in_shape(f, 0)->d[0], 2);
  if (whet__dim_known(d) && a->end > d)
    return whet__infer_fail(f, WHET_E_SHAPE, "end_index %d of %lld numbers", a->end, (long long)d);
  whet__out_dims(f, 0, WHET_U32, 1, &d);
  return WHET_OK;
}

static whet_status bank_infer(whet_infer *f, const whet_node *n) {
  const struct signal *a = n->attr;
  WHET_TRY(expect(f, 0, WHET_U32, 1));
  for (int i = 1; i < 6; i++) WHET_TRY(expect(f, i, WHET_S16, 1));
  for (int i = 3; i < 6; i++) {
    whet_dim d = whet__in_shape(f, i)->d[0];
    if (whet__dim_known(d) && d <= a->channels)
      return whet__infer_fail(f, WHET_E_SHAPE, "input %d has %lld elements for %d channels and one", i, (long long)d,
                              a->channels);
  }
  whet_dim d = a->channels;
  whet__out_dims(f, 0, WHET_U64, 1, &d);
  return WHET_OK;
}

static whet_status root_infer(whet_infer *f, const whet_node *n) {
  WHET_TRY(expect(f, 0, WHET_U64, 1));
  WHET_TRY(expect(f, 1, WHET_S32, 0));
  whet__out_dims(f, 0, WHET_U32, 1, whet__in_shape(f, 0)->d);
  return WHET_OK;
}

static whet_status subtract_infer(whet_infer *f, const whet_node *n) {
  const struct signal *a = n->attr;
  WHET_TRY(expect(f, 0, WHET_U32, 1));
  whet_dim d = whet__in_shape(f, 0)->d[0];
  if (whet__dim_known(d) && d != a->channels)
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld elements for %d channels", (long long)d, a->channels);
  whet__out_dims(f, 0, WHET_U32, 1, &d);
  whet__out_dims(f, 1, WHET_U32, 1, &d);
  return WHET_OK;
}

enum { GAIN_TABLE = 125 }; /* 3 entries for 0, 1 and 2 and 4 for each further power of two */

static whet_status pcan_infer(whet_infer *f, const whet_node *n) {
  WHET_TRY(expect(f, 0, WHET_U32, 1));
  WHET_TRY(expect(f, 1, WHET_U32, 1));
  WHET_TRY(expect(f, 2, WHET_S16, 1));
  whet_dim d = whet__in_shape(f, 0)->d[0], noise = whet__in_shape(f, 1)->d[0], table = whet__in_shape(f, 2)->d[0];
  if (whet__dim_known(d) && whet__dim_known(noise) && d != noise)
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld channels and %lld of noise", (long long)d, (long long)noise);
  if (whet__dim_known(table) && table < GAIN_TABLE)
    return whet__infer_fail(f, WHET_E_SHAPE, "the gain table has %lld entries, expected %d", (long long)table,
                            GAIN_TABLE);
  whet__out_dims(f, 0, WHET_U32, 1, &d);
  return WHET_OK;
}

static whet_status log_infer(whet_infer *f, const whet_node *n) {
  WHET_TRY(expect(f, 0, WHET_U32, 1));
  whet__out_dims(f, 0, WHET_S16, 1, whet__in_shape(f, 0)->d);
  return WHET_OK;
}

/* ---- references ------------------------------------------------------------------------------ */

/* Element k of a vector of this type. */
#define AT(type, t, k) ((type *)(t)->data)[(k) * (t)->stride[0]]

static whet_status window_ref(const whet_args *a) {
  const struct signal *s = a->attr;
  const whet_tensor *x = &a->in[0], *w = &a->in[1], *out = &a->out[0];
  int64_t n = whet__tensor_count(out), size = w->dim[0];
  for (int64_t k = 0; k < n; k++) {
    int32_t v = (((const int16_t *)x->data)[whet__flat_offset(x, k)] * AT(const int16_t, w, k % size)) >> s->shift;
    ((int16_t *)out->data)[whet__flat_offset(out, k)] = (int16_t)whet__clamp_i(v, INT16_MIN, INT16_MAX);
  }
  return WHET_OK;
}

/* Bits up to and with the highest that is set; 32 for 0. */
static int top_bit(uint32_t x) { return x ? 32 - __builtin_clz(x) : 32; }

static whet_status scale_ref(const whet_args *a) {
  const whet_tensor *x = &a->in[0], *out = &a->out[0];
  int16_t most = 0; /* -32768 has no positive: it becomes itself, and no bits are left */
  for (int64_t k = 0; k < x->dim[0]; k++) {
    int v = AT(const int16_t, x, k);
    if (v > most)
      most = (int16_t)v;
    else if (-v > most)
      most = (int16_t)-v;
  }
  int bits = 16 - top_bit((uint32_t)(int32_t)most) - 1;
  if (bits < 0) bits = 0;
  for (int64_t k = 0; k < x->dim[0]; k++) AT(int16_t, out, k) = (int16_t)(AT(const int16_t, x, k) * (1 << bits));
  if (a->n_out > 1 && a->out[1].data) *(int32_t *)a->out[1].data = bits;
  return WHET_OK;
}

static whet_status energy_ref(const whet_args *a) {
  const struct signal *s = a->attr;
  const whet_tensor *x = &a->in[0], *out = &a->out[0];
  for (int64_t k = 0; k < out->dim[0]; k++) {
    bool in = k >= s->start && k < s->end;
    int32_t re = in ? AT(const int16_t, x, 2 * k) : 0, im = in ? AT(const int16_t, x, 2 * k + 1) : 0;
    AT(uint32_t, out, k) = (uint32_t)(re * re) + (uint32_t)(im * im);
  }
  return WHET_OK;
}

/* Each frequency's energy times its weight goes to one channel, times the rest to the next. The sum that comes before
 * the first channel is given up. */
static whet_status bank_ref(const whet_args *a) {
  const struct signal *s = a->attr;
  const whet_tensor *x = &a->in[0], *w = &a->in[1], *u = &a->in[2], *out = &a->out[0];
  uint64_t sum = 0, next = 0;
  for (int32_t c = 0; c <= s->channels; c++) {
    int64_t from = AT(const int16_t, &a->in[3], c), at = AT(const int16_t, &a->in[4], c),
            n = AT(const int16_t, &a->in[5], c);
    if (n > 0 && (from < 0 || at < 0 || from + n > x->dim[0] || at + n > w->dim[0] || at + n > u->dim[0]))
      return whet__fail(a->err, WHET_E_DATA,
                        "channel %d reads %lld frequencies from %lld on and weights from %lld on", c, (long long)n,
                        (long long)from, (long long)at);
    for (int64_t k = 0; k < n; k++) {
      uint64_t e = AT(const uint32_t, x, from + k);
      sum += (uint64_t)(int64_t)AT(const int16_t, w, at + k) * e;
      next += (uint64_t)(int64_t)AT(const int16_t, u, at + k) * e;
    }
    if (c) AT(uint64_t, out, c - 1) = sum;
    sum = next;
    next = 0;
  }
  return WHET_OK;
}

/* Square root rounded to nearest; 16-bit arithmetic decides the rounding below 2^32. */
static uint32_t square_root(uint64_t v) {
  if (!v) return 0;
  uint64_t res = 0, top = v >> 32 ? 0xffffffffu : 0xffffu;
  int shift = (63 - __builtin_clzll(v)) & ~1;
  for (uint64_t bit = UINT64_C(1) << shift; bit; bit >>= 2) {
    if (v >= res + bit) {
      v -= res + bit;
      res = (res >> 1) + bit;
    } else {
      res >>= 1;
    }
  }
  if (v > res && res != top) res++;
  return (uint32_t)res;
}

static whet_status root_ref(const whet_args *a) {
  const whet_tensor *x = &a->in[0], *out = &a->out[0];
  int32_t shift = *(const int32_t *)a->in[1].data;
  if (shift < 0 || shift > 31) return whet__fail(a->err, WHET_E_DATA, "a shift of %d bits", shift);
  for (int64_t k = 0; k < x->dim[0]; k++) AT(uint32_t, out, k) = square_root(AT(const uint64_t, x, k)) >> shift;
  return WHET_OK;
}

static whet_status subtract_ref(const whet_args *a) {
  const struct signal *s = a->attr;
  const whet_tensor *x = &a->in[0], *out = &a->out[0];
  uint32_t *noise = a->in[1].data;
  for (int32_t k = 0; k < s->channels; k++) {
    uint32_t v = AT(const uint32_t, x, k), up = v << s->smoothing_bits;
    uint64_t mix = (uint64_t)up * (uint32_t)s->smoothing[k & 1] + (uint64_t)noise[k] * (uint32_t)s->rest[k & 1];
    uint32_t estimate = (uint32_t)(mix >> s->bits);
    noise[k] = estimate;
    if (estimate > up) {
      estimate = up;
      if (s->clamping) noise[k] = estimate;
    }
    uint32_t least = (uint32_t)(((uint64_t)v * (uint32_t)s->least) >> s->bits),
             left = (up - estimate) >> s->smoothing_bits;
    AT(uint32_t, out, k) = left > least ? left : least;
    if (a->n_out > 1 && a->out[1].data) AT(uint32_t, &a->out[1], k) = noise[k];
  }
  return WHET_OK;
}

/* The gain at noise level x: a parabola for each power of two. */
static int16_t gain(uint32_t x, const whet_tensor *lut) {
  if (x <= 2) return AT(const int16_t, lut, x);
  int32_t bit = top_bit(x), at = 4 * bit - 6;
  int32_t frac = (int32_t)((bit < 11 ? x << (11 - bit) : x >> (bit - 11)) & 0x3ff);
  int32_t v = (AT(const int16_t, lut, at + 2) * frac) >> 5;
  v += (int32_t)((uint32_t)AT(const int16_t, lut, at + 1) << 5);
  v = (int32_t)((uint32_t)v * (uint32_t)frac);
  v = (v + (1 << 14)) >> 15;
  return (int16_t)(v + AT(const int16_t, lut, at));
}

enum { SNR_BITS = 12, OUT_BITS = 6 };

static whet_status pcan_ref(const whet_args *a) {
  const struct signal *s = a->attr;
  const whet_tensor *x = &a->in[0], *noise = &a->in[1], *out = &a->out[0];
  for (int64_t k = 0; k < x->dim[0]; k++) {
    uint32_t g = (uint32_t)(int32_t)gain(AT(const uint32_t, noise, k), &a->in[2]);
    uint32_t snr = (uint32_t)(((uint64_t)AT(const uint32_t, x, k) * g) >> s->shift);
    /* x^2 / 4 below 2, x - 1 above */
    AT(uint32_t, out, k) = snr < (2u << SNR_BITS) ? (snr * snr) >> (2 + 2 * SNR_BITS - OUT_BITS)
                                                  : (snr >> (SNR_BITS - OUT_BITS)) - (1u << OUT_BITS);
  }
  return WHET_OK;
}

/* round(65536 * (log2(1 + i / 128) - i / 128)) */
static const uint16_t k_log[] = {
    0,    224,  442,  654,  861,  1063, 1259, 1450, 1636, 1817, 1992, 2163, 2329, 2490, 2646, 2797, 2944, 3087, 3224,
    3358, 3487, 3611, 3732, 3848, 3960, 4068, 4172, 4272, 4368, 4460, 4549, 4633, 4714, 4791, 4864, 4934, 5001, 5063,
    5123, 5178, 5231, 5280, 5326, 5368, 5408, 5444, 5477, 5507, 5533, 5557, 5578, 5595, 5610, 5622, 5631, 5637, 5640,
    5641, 5638, 5633, 5626, 5615, 5602, 5586, 5568, 5547, 5524, 5498, 5470, 5439, 5406, 5370, 5332, 5291, 5249, 5203,
    5156, 5106, 5054, 5000, 4944, 4885, 4825, 4762, 4697, 4630, 4561, 4490, 4416, 4341, 4264, 4184, 4103, 4020, 3935,
    3848, 3759, 3668, 3575, 3481, 3384, 3286, 3186, 3084, 2981, 2875, 2768, 2659, 2549, 2437, 2323, 2207, 2090, 1971,
    1851, 1729, 1605, 1480, 1353, 1224, 1094, 963,  830,  695,  559,  421,  282,  142,  0,    0};

/* scale * ln(x) / 65536, x > 1, all roundings as the front end has them. */
static uint32_t scaled_log(uint32_t x, uint32_t scale) {
  const uint32_t ln2 = 45426; /* 65536 * ln 2 */
  int32_t whole = top_bit(x) - 1;
  int32_t frac = (int32_t)(x - (1u << whole));
  frac = whole < 16 ? (int32_t)((uint32_t)frac << (16 - whole)) : frac >> (whole - 16);
  int32_t seg = frac >> 9, c0 = k_log[seg], c1 = k_log[seg + 1];
  int32_t between = ((c1 - c0) * (frac - (seg << 9))) >> 16;
  uint32_t log2 = ((uint32_t)whole << 16) + (uint32_t)(frac + c0 + between);
  uint32_t ln = (uint32_t)(((uint64_t)ln2 * log2 + 32768) >> 16);
  return (scale * ln + 32768) >> 16;
}

static whet_status log_ref(const whet_args *a) {
  const struct signal *s = a->attr;
  const whet_tensor *x = &a->in[0], *out = &a->out[0];
  for (int64_t k = 0; k < x->dim[0]; k++) {
    uint32_t v = AT(const uint32_t, x, k) << s->shift;
    AT(int16_t, out, k) = v > 1 ? (int16_t)whet__min_i(scaled_log(v, (uint32_t)s->scale), INT16_MAX) : 0;
  }
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

#define RECORD(Name, lower, fn, op_flags)                                             \
  static const whet_from k_##lower##_from[] = {{"tflite.custom", #Name, 1, fn}, {0}}; \
  const whet_op whet_op_##Name = {.name = #Name,                                      \
                                  .flags = op_flags,                                  \
                                  .attr_size = sizeof(struct signal),                 \
                                  .attrs = k_attrs,                                   \
                                  .from = k_##lower##_from,                           \
                                  .infer = lower##_infer,                             \
                                  .ref = lower##_ref}

/* Operators without options still get the struct, so that all share one description. */
static whet_status plain_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct signal, a);
  return whet__im_node_as_is(im, op, a);
}

RECORD(SignalWindow, window, window_tfl, 0);
RECORD(SignalFftAutoScale, scale, plain_tfl, 0);
RECORD(SignalEnergy, energy, energy_tfl, 0);
RECORD(SignalFilterBank, bank, bank_tfl, 0);
RECORD(SignalFilterBankSquareRoot, root, plain_tfl, 0);
RECORD(SignalFilterBankSpectralSubtraction, subtract, subtract_tfl, WHET_OP_STATE);
RECORD(SignalPCAN, pcan, pcan_tfl, 0);
RECORD(SignalFilterBankLog, log, log_tfl, 0);
