/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed-point functions. The constants are those of the published definition: values in Q0 unless said otherwise. */

#include "kern/fixed.h"

/* e^x for x in -1/4..0, Q0: Taylor around -1/8. */
static int32_t exp_quarter(int32_t a) {
  const int32_t exp_eighth = 1895147668, third = 715827883;
  int32_t x = whet__fx_add(a, 1 << 28), x2 = whet__fx_mul(x, x), x3 = whet__fx_mul(x2, x), x4 = whet__fx_mul(x2, x2);
  int32_t tail = whet__fx_mul(whet__fx_add(whet__fx_pot(x4, -2), x3), third);
  tail = whet__fx_pot(whet__fx_add(tail, x2), -1);
  return whet__fx_add(exp_eighth, whet__fx_mul(exp_eighth, whet__fx_add(x, tail)));
}

int32_t whet__fx_exp(int32_t x, int bits) {
  /* e^(-2^i) for i = -2 .. 4. */
  static const int32_t power[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  int fraction = 31 - bits;
  int32_t quarter = 1 << (fraction - 2);
  int32_t rest = (x & (quarter - 1)) - quarter;
  int32_t r = exp_quarter(whet__fx_pot(rest, bits));
  int32_t left = whet__fx_sub(rest, x);
  for (int i = -2; i < bits && i <= 4; i++)
    if (left & (1 << (fraction + i))) r = whet__fx_mul(r, power[i + 2]);
  if (bits > 5 && x < -(1 << (36 - bits))) r = 0;
  return x ? r : INT32_MAX;
}

int32_t whet__fx_one_over_one_plus(int32_t x) {
  /* Newton-Raphson for 1/d, d = (1 + x) / 2, from 48/17 - 32/17 d, in Q2. */
  const int32_t start = 1515870810, slope = -1010580540, one = 1 << 29;
  int32_t d = whet__fx_half_sum(x, INT32_MAX), y = whet__fx_add(start, whet__fx_mul(d, slope));
  for (int i = 0; i < 3; i++) {
    int32_t error = whet__fx_sub(one, whet__fx_mul(d, y));
    y = whet__fx_add(y, whet__fx_pot(whet__fx_mul(y, error), 2));
  }
  return whet__fx_pot(y, 1);
}

int32_t whet__fx_reciprocal(int32_t x, int bits, int *over) {
  int headroom = whet__fx_headroom((uint32_t)x);
  *over = bits - headroom;
  return whet__fx_one_over_one_plus((int32_t)(((uint32_t)x << headroom) - (UINT32_C(1) << 31)));
}

void whet__fx_inv_sqrt(int32_t x, int32_t *mul, int32_t *shift) {
  if (x <= 1) {
    *mul = INT32_MAX;
    *shift = 0;
    return;
  }
  int32_t right = 11;
  for (; x >= 1 << 29; x /= 4) right++;
  int pairs = (whet__fx_headroom((uint32_t)x) - 1) / 2 - 1;
  right -= pairs;
  x = (int32_t)((uint32_t)x << (2 * pairs));
  /* Newton-Raphson from 1, in Q3. */
  const int32_t half_x = whet__fx_pot(x >> 1, -1), three_halves = (1 << 28) + (1 << 27);
  int32_t y = 1 << 28;
  for (int i = 0; i < 5; i++) {
    int32_t cube = whet__fx_pot(whet__fx_mul(whet__fx_mul(y, y), y), 6);
    y = whet__fx_pot(whet__fx_sub(whet__fx_mul(three_halves, y), whet__fx_mul(half_x, cube)), 3);
  }
  y = whet__fx_mul(y, 1518500250); /* sqrt(2) / 2 */
  if (right < 0) y = (int32_t)((uint32_t)y << -right), right = 0;
  *mul = y;
  *shift = -right;
}

int32_t whet__fx_log(int32_t x, int in, int out) {
  const int32_t ln2 = 1488522236, root4_half = 1805811301, root_half = 1518500250;
  const int32_t alpha_n = 117049297, alpha_d = 127690142, alpha_i = 1057819769, alpha_f = 638450708;
  int acc = out + 1;
  int32_t quarter = whet__fx_pot(536870912, -acc);
  /* The exponent, from x and from x / sqrt(2), whichever leaves a mantissa nearer to one. */
  int headroom = whet__fx_headroom((uint32_t)x);
  int32_t ra = whet__fx_pot(whet__fx_mul(whet__fx_pot(x, headroom - 1), root_half), 1);
  int32_t ea = whet__saturate_i32((int64_t)whet__fx_pot(in - headroom, 31 - acc) + quarter);
  int room_b = whet__fx_headroom((uint32_t)whet__fx_mul(x, root_half)) - 1;
  int32_t rb = whet__fx_pot(x, room_b);
  int32_t eb = whet__saturate_i32((int64_t)whet__fx_pot(in - room_b, 31 - acc) - quarter);
  int32_t r = ra < rb ? ra : rb, e = ea > eb ? ea : eb;
  int32_t p = whet__fx_half_sum(r, root4_half), q = whet__fx_sub(r, root4_half);
  q = whet__fx_add(q, q);
  int32_t q2 = whet__fx_mul(q, q);
  int32_t num = whet__fx_add(whet__fx_mul(q, r), whet__fx_mul(whet__fx_mul(q, q2), alpha_n));
  int32_t den = whet__fx_mul(p, whet__fx_add(whet__fx_add(alpha_i, q), whet__fx_mul(alpha_d, q2)));
  den = whet__fx_add(den, whet__fx_mul(alpha_f, q));
  int32_t quotient = whet__fx_mul(whet__fx_pot(num, -acc), whet__fx_one_over_one_plus(den));
  return whet__fx_pot(whet__fx_add(whet__fx_mul(e, ln2), quotient), acc - out);
}

/* The logistic function of i / 24, times 65536. */
static const uint16_t k_logistic[256] = {
    32768, 33451, 34133, 34813, 35493, 36169, 36843, 37513, 38180, 38841, 39498, 40149, 40794, 41432, 42064, 42688,
    43304, 43912, 44511, 45102, 45683, 46255, 46817, 47369, 47911, 48443, 48964, 49475, 49975, 50464, 50942, 51409,
    51865, 52311, 52745, 53169, 53581, 53983, 54374, 54755, 55125, 55485, 55834, 56174, 56503, 56823, 57133, 57433,
    57724, 58007, 58280, 58544, 58800, 59048, 59288, 59519, 59743, 59959, 60168, 60370, 60565, 60753, 60935, 61110,
    61279, 61441, 61599, 61750, 61896, 62036, 62172, 62302, 62428, 62549, 62666, 62778, 62886, 62990, 63090, 63186,
    63279, 63368, 63454, 63536, 63615, 63691, 63765, 63835, 63903, 63968, 64030, 64090, 64148, 64204, 64257, 64308,
    64357, 64405, 64450, 64494, 64536, 64576, 64614, 64652, 64687, 64721, 64754, 64786, 64816, 64845, 64873, 64900,
    64926, 64950, 64974, 64997, 65019, 65039, 65060, 65079, 65097, 65115, 65132, 65149, 65164, 65179, 65194, 65208,
    65221, 65234, 65246, 65258, 65269, 65280, 65291, 65301, 65310, 65319, 65328, 65337, 65345, 65352, 65360, 65367,
    65374, 65381, 65387, 65393, 65399, 65404, 65410, 65415, 65420, 65425, 65429, 65433, 65438, 65442, 65445, 65449,
    65453, 65456, 65459, 65462, 65465, 65468, 65471, 65474, 65476, 65479, 65481, 65483, 65485, 65488, 65489, 65491,
    65493, 65495, 65497, 65498, 65500, 65501, 65503, 65504, 65505, 65507, 65508, 65509, 65510, 65511, 65512, 65513,
    65514, 65515, 65516, 65517, 65517, 65518, 65519, 65520, 65520, 65521, 65522, 65522, 65523, 65523, 65524, 65524,
    65525, 65525, 65526, 65526, 65526, 65527, 65527, 65528, 65528, 65528, 65529, 65529, 65529, 65529, 65530, 65530,
    65530, 65530, 65531, 65531, 65531, 65531, 65531, 65532, 65532, 65532, 65532, 65532, 65532, 65533, 65533, 65533,
    65533, 65533, 65533, 65533, 65533, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65535};

/* x brought to the table's scale. */
static int32_t logistic_input(int16_t x, int32_t mul, int shift) {
  if (!mul) mul = 3 << shift, shift = 0;
  int64_t half = shift > 0 ? INT64_C(1) << (shift - 1) : 0;
  return (int32_t)(((int64_t)x * mul + half) >> shift);
}

int16_t whet__fx_logistic16(int16_t x, int32_t mul, int shift) {
  int32_t v = logistic_input(x, mul, shift);
  uint32_t size = (uint32_t)(v < 0 ? -(int64_t)v : v), at = size >> 9, r = UINT32_C(0x7fff) << 10;
  if (at < 255)
    r = ((uint32_t)k_logistic[at] << 9) + (size & 0x1ff) * (uint32_t)(k_logistic[at + 1] - k_logistic[at]);
  r = v >= 0 ? r + (1 << 9) : (1 << 25) - r + (1 << 9) - 1;
  return (int16_t)(r >> 10);
}

int16_t whet__fx_tanh16(int16_t x, int32_t mul, int shift) {
  int32_t v = logistic_input(x, mul, shift);
  uint32_t size = (uint32_t)(v < 0 ? -(int64_t)v : v), at = size >> 8;
  int32_t r = 0xffff << 8;
  if (at < 255) r = (k_logistic[at] << 8) + (int32_t)(size & 0xff) * (k_logistic[at + 1] - k_logistic[at]);
  r = v >= 0 ? r - (1 << 23) + (1 << 7) : -r + (1 << 23) + (1 << 7) - 1;
  return (int16_t)(r >> 8);
}

void whet__fx_logistic16_scale(float scale, int steps, int32_t *mul, int *shift) {
  float log2 = logf(scale) * (1.0f / logf(2.0f)), whole = roundf(log2);
  *mul = 0;
  *shift = 12 + (int)whole;
  if (fabsf(log2 - whole) < 1e-3f && *shift >= 0 && *shift <= steps) return;
  double m = scale * 4096.0 * 3.0;
  for (*shift = 0; m <= 32767.0 / 2.0 && *shift <= 30; m *= 2) ++*shift;
  *mul = m >= INT32_MAX ? INT32_MAX : (int32_t)m;
}

/* A sample as stored. */
static int16_t sample(float x) { return (int16_t)(x < -32768.0f ? -32768.0f : x > 32767.0f ? 32767.0f : x); }

void whet__fx_table16(float in_scale, float out_scale, float (*f)(float x, const void *ctx), const void *ctx,
                      int16_t table[513]) {
  float lo = in_scale * -32768, hi = in_scale * 32767, out_lo = out_scale * -32768, out_hi = out_scale * 32767;
  float step = (hi - lo) / 512, half = step / 2, inverse = 65536.0f / (out_hi - out_lo);
  for (int i = 0; i < 512; i++) {
    float v = f(lo + (float)i * step, ctx), mid = f(lo + (float)i * step + half, ctx);
    float next = f(lo + (float)(i + 1) * step, ctx), s = roundf(v * inverse);
    float between = roundf((next * inverse + roundf(v * inverse)) / 2);
    table[i] = sample(s - roundf((between - roundf(mid * inverse)) / 2));
  }
  table[512] = sample(roundf(f(hi, ctx) * inverse));
}

/* The same in double. */
static int16_t wide_sample(double x) { return (int16_t)(x < -32768 ? -32768 : x > 32767 ? 32767 : x); }

void whet__fx_table16_wide(double in_scale, int32_t in_zero, double out_scale, double (*f)(double x),
                           int16_t table[513]) {
  double lo = in_scale * (-32768 - in_zero), hi = in_scale * (32767 - in_zero);
  double step = (hi - lo) / 512, half = step / 2, inverse = 65536.0 / (out_scale * 32767 - out_scale * -32768);
  for (int i = 0; i < 512; i++) {
    double v = f(lo + i * step), mid = f(lo + i * step + half), next = f(lo + (i + 1) * step), s = round(v * inverse);
    double between = round((next * inverse + round(v * inverse)) / 2);
    table[i] = wide_sample(s - round((between - round(mid * inverse)) / 2));
  }
  table[512] = wide_sample(round(f(hi) * inverse));
}
