/* SPDX-License-Identifier: Apache-2.0 */
/* whet_resampler. With from / to = M / L in lowest terms, output m lies at input time m M / L: between two inputs, at
 * phase m M mod L, for each of which the filter's taps are kept in their order; an output is one dot product for each
 * channel. Where L is large, 4096 phases are kept, and the two nearest are mixed (errors under the filter's own -100
 * dB).
 */

#include "whet/resample.h"

#include <math.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"

enum { ZEROS = 64, LANES = 16, TERMS = 28, MOST_PHASES = 4096, MOST_RATIO = 4096 };
#define PI 3.14159265358979323846
#define CUTOFF 0.95  /* the middle of the slope, in parts of the lower half rate */
#define BETA 10.0613 /* Kaiser: 0.1102 (100 dB - 8.7) */

struct whet_resampler {
  whet_mem mem;
  int32_t channels;
  uint64_t up, down; /* L, M */
  size_t taps, half; /* a multiple of LANES; half of them lie before the output's time */
  size_t phases;     /* kept: L, or MOST_PHASES */
  float *h;          /* [phases + 1][taps] */
  float *held;       /* [channels][cap]: inputs from number `first` on */
  size_t n, cap;     /* of each channel */
  int64_t first;     /* number of the first input that is held; before 0 is silence */
  uint64_t in, out;  /* frames taken and written */
};

/* Coefficients of the window, I0(BETA sqrt(w)) with w = 1 - u^2: the series of the modified Bessel function of order
 * 0 is one in w. The last term is below the 1e-17 of the sum for every w in 0..1. */
static void window_terms(double term[TERMS]) {
  term[0] = 1;
  for (int k = 1; k < TERMS; k++) term[k] = term[k - 1] * (BETA * BETA / 4) / ((double)k * k);
}

/* The filter at t input frames from the output's time, but for a factor; `c`: cycles an input frame. */
static double filter(const double term[TERMS], double t, double c, double width) {
  double u = t / width, x = 2 * PI * c * t, w = 1 - u * u, sum = 0;
  if (w <= 0) return 0;
  for (int k = TERMS; k--;) sum = sum * w + term[k];
  return (fabs(x) < 1e-9 ? 1 : sin(x) / x) * sum;
}

/* Taps of all phases: each adds up to 1, so that a constant stays what it is. The filter is even, and its middle lies
 * between taps half - 1 and half: phase 1 - a has the taps of phase a from the other end. row: scratch for one. */
static void make(whet_resampler *r, double c, double width, double *row) {
  double term[TERMS];
  window_terms(term);
  for (size_t p = 0; p <= r->phases / 2; p++) {
    float *h = r->h + p * r->taps, *mirror = r->h + (r->phases - p) * r->taps;
    double at = (double)p / (double)r->phases, sum = 0;
    for (size_t k = 0; k < r->taps; k++)
      sum += row[k] = filter(term, (double)k - (double)(r->half - 1) - at, c, width);
    for (size_t k = 0; k < r->taps; k++) mirror[r->taps - 1 - k] = h[k] = (float)(row[k] / sum);
  }
}

static uint64_t gcd(uint64_t a, uint64_t b) { return b ? gcd(b, a % b) : a; }

whet_status whet_resampler_create(int32_t from, int32_t to, int32_t channels, whet_resampler **out, whet_err *err) {
  whet_mem root;
  *out = NULL;
  if (err) err->code = WHET_OK;
  if (from < 1 || to < 1 || from > 10000000 || to > 10000000)
    return whet__fail(err, WHET_E_DATA, "sound of %d into %d frames a second", from, to);
  if (channels < 1 || channels > 4096) return whet__fail(err, WHET_E_DATA, "sound of %d channels", channels);
  if (from / to > MOST_RATIO || to / from > MOST_RATIO)
    return whet__fail(err, WHET_E_LIMIT, "sound of %d into %d frames a second: more than %d times", from, to,
                      MOST_RATIO);
  whet__mem_init(&root, NULL, NULL, 0);
  whet_resampler *r = whet__alloc0(&root, sizeof *r);
  if (!r) return whet__fail(err, WHET_E_MEMORY, "no memory for a resampler");
  r->mem = root;
  uint64_t d = gcd((uint64_t)from, (uint64_t)to);
  double ratio = to < from ? (double)to / (double)from : 1, width = ZEROS / ratio;
  r->channels = channels;
  r->up = (uint64_t)to / d, r->down = (uint64_t)from / d;
  r->half = ((size_t)ceil(width) + LANES / 2) / (LANES / 2) * (LANES / 2);
  r->taps = 2 * r->half;
  r->phases = r->up < MOST_PHASES ? (size_t)r->up : MOST_PHASES;
  if (r->phases * r->taps > (size_t)1 << 24) r->phases = ((size_t)1 << 24) / r->taps; /* 64 MB */
  r->h = whet__alloc_array(&r->mem, (r->phases + 1) * r->taps, sizeof *r->h);
  double *row = whet__alloc_array(&r->mem, r->taps, sizeof *row);
  if (!r->h || !row) {
    whet__free(&r->mem, row);
    whet_resampler_close(&r);
    return whet__fail(err, WHET_E_MEMORY, "no memory for a resampler");
  }
  make(r, CUTOFF * ratio / 2, width, row);
  whet__free(&r->mem, row);
  whet_resampler_reset(r);
  *out = r;
  return WHET_OK;
}

void whet_resampler_close(whet_resampler **at) {
  whet_resampler *r = *at;
  *at = NULL;
  if (!r) return;
  whet_mem root = r->mem;
  whet__free(&root, r->h);
  whet__free(&root, r->held);
  whet__free(&root, r);
}

void whet_resampler_reset(whet_resampler *r) {
  r->n = 0;
  r->in = r->out = 0;
  r->first = 0;
}

/* Outputs that `in` inputs give when nothing follows: ceil(in L / M). */
static uint64_t whole(const whet_resampler *r, uint64_t in) {
  return in / r->down * r->up + (in % r->down * r->up + r->down - 1) / r->down;
}

size_t whet_resampler_room(const whet_resampler *r, size_t frames) {
  return (size_t)(whole(r, r->in + frames) - r->out);
}

/* Rows of taps times inputs, in 16 sums that are added as a tree. */
static float dot(const float *h, const float *x, size_t n) {
  float s[LANES] = {0};
  for (size_t k = 0; k < n; k += LANES)
    for (size_t j = 0; j < LANES; j++) s[j] += h[k + j] * x[k + j];
  for (size_t w = LANES / 2; w; w /= 2)
    for (size_t j = 0; j < w; j++) s[j] += s[j + w];
  return s[0];
}

/* The first input that output m needs; *phase: its phase, 0..1. */
static int64_t place(const whet_resampler *r, uint64_t m, double *phase) {
  uint64_t whole_in = m / r->up * r->down, rest = m % r->up * r->down; /* m M / L without overflow */
  *phase = (double)(rest % r->up) / (double)r->up;
  return (int64_t)(whole_in + rest / r->up) - (int64_t)(r->half - 1);
}

static float one(const whet_resampler *r, const float *x, double phase) {
  double at = phase * (double)r->phases;
  size_t p = (size_t)at;
  float y = dot(r->h + p * r->taps, x, r->taps), part = (float)(at - (double)p);
  if (r->phases == r->up) return dot(r->h + (size_t)llround(at) * r->taps, x, r->taps);
  return part > 0 ? y + part * (dot(r->h + (p + 1) * r->taps, x, r->taps) - y) : y;
}

/* Room for `more` inputs of each channel behind those that are held. */
static bool grow(whet_resampler *r, size_t more) {
  size_t want = r->n + more;
  if (want <= r->cap) return true;
  size_t cap = want + want / 2;
  float *p = whet__alloc_array(&r->mem, cap * (size_t)r->channels, sizeof *p);
  if (!p) return false;
  for (int32_t c = 0; c < r->channels && r->n; c++)
    memcpy(p + (size_t)c * cap, r->held + (size_t)c * r->cap, r->n * sizeof *p);
  whet__free(&r->mem, r->held);
  r->held = p;
  r->cap = cap;
  return true;
}

/* Inputs behind those that are held; NULL: silence. */
static void append(whet_resampler *r, const float *in, size_t frames) {
  for (int32_t c = 0; c < r->channels; c++) {
    float *to = r->held + (size_t)c * r->cap + r->n;
    for (size_t i = 0; i < frames; i++) to[i] = in ? in[i * (size_t)r->channels + (size_t)c] : 0;
  }
  r->n += frames;
}

whet_status whet_resampler_run(whet_resampler *r, const float *in, size_t frames, int end, float *out, size_t room,
                               size_t *n, whet_err *err) {
  double phase;
  bool fresh = !r->in;
  uint64_t last = whole(r, r->in + frames), m = r->out;
  size_t before = fresh ? r->half - 1 : 0, behind = end ? r->taps : 0;
  *n = 0;
  if (err) err->code = WHET_OK;
  if (!end) /* those whose inputs are all there */
    while (last > m && place(r, last - 1, &phase) + (int64_t)r->taps > (int64_t)(r->in + frames)) last--;
  if (last - m > room)
    return whet__fail(err, WHET_E_SHAPE, "room for %zu frames of sound, %llu come", room,
                      (unsigned long long)(last - m));
  if (!grow(r, before + frames + behind))
    return whet__fail(err, WHET_E_MEMORY, "no memory for %zu frames of sound", frames);
  if (fresh) {
    r->n = 0;
    r->first = -(int64_t)before;
    append(r, NULL, before);
  }
  append(r, in, frames);
  append(r, NULL, behind);
  r->in += frames;
  for (; m < last; m++) {
    const float *x = r->held + (place(r, m, &phase) - r->first);
    for (int32_t c = 0; c < r->channels; c++)
      out[*n * (size_t)r->channels + (size_t)c] = one(r, x + (size_t)c * r->cap, phase);
    *n += 1;
  }
  r->out = last;
  if (end) {
    whet_resampler_reset(r);
    return WHET_OK;
  }
  int64_t need = place(r, last, &phase); /* what lies before it is of no use any more */
  size_t drop = need > r->first ? (size_t)(need - r->first) : 0;
  if (drop > r->n) drop = r->n;
  for (int32_t c = 0; c < r->channels && drop; c++) {
    float *p = r->held + (size_t)c * r->cap;
    memmove(p, p + drop, (r->n - drop) * sizeof *p);
  }
  r->n -= drop;
  r->first += (int64_t)drop;
  return WHET_OK;
}
