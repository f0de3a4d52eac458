/* SPDX-License-Identifier: Apache-2.0 */
/* tanh and the logistic function of 16-bit fixed-point numbers: the same expansions as fixed.c, every operation in 16
 * bits. Constants of the 32-bit format lose their low half, rounded. */

#include "kern/fixed.h"

/* A constant of the 32-bit format. */
static int16_t narrow(int32_t x) { return (int16_t)whet__round_shift(x, 16); }
static int16_t add(int16_t a, int16_t b) { return (int16_t)(uint16_t)(a + b); }
static int16_t sub(int16_t a, int16_t b) { return (int16_t)(uint16_t)(a - b); }
static int16_t negate(int16_t a) { return (int16_t)(uint16_t)-a; }

/* e^x for x in -1/4..0, Q0: Taylor around -1/8. */
static int16_t exp_quarter(int16_t a) {
  int16_t at_eighth = narrow(1895147668), third = narrow(715827883);
  int16_t x = add(a, 1 << 12), x2 = whet__fx16_mul(x, x), x3 = whet__fx16_mul(x2, x), x4 = whet__fx16_mul(x2, x2);
  int16_t tail = whet__fx16_mul(add(whet__fx16_right(x4, 2), x3), third);
  tail = whet__fx16_right(add(tail, x2), 1);
  int32_t sum = at_eighth + whet__fx16_mul(at_eighth, add(x, tail));
  return (int16_t)(sum < INT16_MIN ? INT16_MIN : sum > INT16_MAX ? INT16_MAX : sum);
}

/* e^x for x <= 0 with `bits` integer bits; Q0. */
static int16_t exp_negative(int16_t x, int bits) {
  /* e^(-2^i) for i = -2 .. 4. */
  static const int32_t power[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  int fraction = 15 - bits;
  int16_t quarter = (int16_t)(1 << (fraction - 2));
  int16_t rest = sub((int16_t)(x & (quarter - 1)), quarter);
  int16_t r = exp_quarter(whet__fx16_left(rest, bits));
  int16_t left = sub(rest, x);
  for (int i = -2; i < bits && i <= 4; i++)
    if (left & (1 << (fraction + i))) r = whet__fx16_mul(r, narrow(power[i + 2]));
  if (bits > 5 && x < narrow(-(1 << (36 - bits)))) r = 0;
  return x ? r : INT16_MAX;
}

/* 1 / d in Q2 for d = (1 + x) / 2 of Q0: Newton-Raphson from 48/17 - 32/17 d. */
static int16_t two_over_one_plus(int16_t x) {
  int32_t sum = x + INT16_MAX;
  int16_t d = (int16_t)((sum + (sum >= 0 ? 1 : -1)) / 2);
  int16_t y = add(narrow(1515870810), whet__fx16_mul(d, narrow(-1010580540)));
  for (int i = 0; i < 3; i++) {
    int16_t error = sub(1 << 13, whet__fx16_mul(d, y));
    y = add(y, whet__fx16_left(whet__fx16_mul(y, error), 2));
  }
  return y;
}

int16_t whet__fx16_tanh(int16_t x, int bits) {
  if (!x) return 0;
  /* -tanh x = (1 - e^2x) / (1 + e^2x) for x < 0, and 2x is x with one integer bit more. */
  int16_t e = exp_negative(x < 0 ? x : negate(x), bits + 1);
  int16_t t = whet__fx16_left(sub(two_over_one_plus(e), 1 << 13), 2);
  return x < 0 ? negate(t) : t;
}

int16_t whet__fx16_logistic(int16_t x, int bits) {
  if (!x) return 1 << 14;
  int16_t e = exp_negative(x > 0 ? negate(x) : negate(negate(x)), bits);
  int16_t t = whet__fx16_left(two_over_one_plus(e), 1);
  return x > 0 ? t : sub(INT16_MAX, t);
}
