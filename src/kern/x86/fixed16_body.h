/* SPDX-License-Identifier: Apache-2.0 */
/* fixed16.c on vectors, over the names of fixed16_avx2.h or fixed16_avx512.h: same results for every 16-bit number. A
 * rounded product (vpmulhrsw) is whet__fx16_mul but for the square of -32768, which does not occur here; sums that
 * saturate there do here. */

/* A constant of the 32-bit format. */
#define H16_NARROW(x) ((int16_t)(((x) + 32768) >> 16))

/* e^x for x in -1/4..0, Q0, from x + 1/8: Taylor around -1/8. */
OUT_INLINE half16 h16_exp_quarter(half16 x) {
  const half16 at_eighth = h16_set(H16_NARROW(1895147668)), third = h16_set(H16_NARROW(715827883)), zero = h16_set(0);
  half16 x2 = h16_mul(x, x), x3 = h16_mul(x2, x), x4 = h16_mul(x2, x2);
  half16 quarter = h16_right(h16_add(x4, h16_set(2)), 2);
  half16 tail = h16_mul(h16_add(quarter, x3), third);
  tail = h16_mean(h16_add(tail, x2), zero);
  return h16_adds(at_eighth, h16_mul(at_eighth, h16_add(x, tail)));
}

/* e^-|x| for |x| with `bits` integer bits (0 .. 7); Q0. For 0 it is any number: who calls knows what becomes of that.
 *
 * With b = |x| - 1, -|x| is a multiple of -1/4, b without its low bits, and a rest in -1/4..0, which is ~b of these bits:
 * what is raised to e by powers are bits of b as they are. */
OUT_INLINE half16 h16_exp_negative(half16 x, int bits) {
  /* e^(-2^i) for i = -2 .. 4. */
  static const int16_t power[7] = {H16_NARROW(1672461947), H16_NARROW(1302514674), H16_NARROW(790015084),
                                   H16_NARROW(290630308),  H16_NARROW(39332535),   H16_NARROW(720401),
                                   H16_NARROW(242)};
  const int fraction = 15 - bits, most = bits < 5 ? bits : 5;
  const half16 b = h16_add(h16_abs(x), h16_set(-1));
  half16 low = h16_left(h16_and(b, h16_set((int16_t)((1 << (fraction - 2)) - 1))), bits);
  half16 r = h16_exp_quarter(h16_sub(h16_set((int16_t)((1 << 12) - (1 << bits))), low));
  WHET_UNROLL
  for (int i = -2; i < most; i++) r = h16_mul_where(r, power[i + 2], b, (int16_t)(1 << (fraction + i)));
  if (bits > 5) r = h16_pick(h16_right(b, 20 - bits), h16_set(0), r);
  return r;
}

/* 1 / d in Q2 for d = (1 + x) / 2 of Q0, x >= 0: Newton-Raphson from 48/17 - 32/17 d. */
OUT_INLINE half16 h16_two_over_one_plus(half16 x) {
  half16 d = h16_mean(x, h16_set(INT16_MAX));
  half16 y = h16_add(h16_set(H16_NARROW(1515870810)), h16_mul(d, h16_set(H16_NARROW(-1010580540))));
  WHET_UNROLL
  for (int i = 0; i < 3; i++) {
    half16 error = h16_sub(h16_set(1 << 13), h16_mul(d, y));
    y = h16_add(y, h16_left(h16_mul(y, error), 2));
  }
  return y;
}

/* tanh x for x with `bits` integer bits; Q0. */
OUT_INLINE half16 h16_tanh(half16 x, int bits) {
  half16 t = h16_sub(h16_two_over_one_plus(h16_exp_negative(x, bits + 1)), h16_set(1 << 13));
  t = h16_adds(t, t);
  return h16_with_sign_of(h16_adds(t, t), x);
}

/* 1 / (1 + e^-x) for x with `bits` integer bits; Q0. Below zero it is 32767 less that of -x, which turns all its bits. */
OUT_INLINE half16 h16_logistic(half16 x, int bits) {
  half16 t = h16_two_over_one_plus(h16_exp_negative(x, bits));
  t = h16_xor(h16_adds(t, t), h16_and(h16_right(x, 15), h16_set(INT16_MAX)));
  return h16_pick(x, t, h16_set(1 << 14));
}

/* a b >> n, halves away from zero; n is in 15 .. 21 and the result fits. */
OUT_INLINE half16 h16_mul_shift(half16 a, half16 b, int n) {
  out_int half = out_set_i(1 << (n - 1)), v[2];
  WHET_UNROLL
  for (int i = 0; i < 2; i++) {
    v[i] = h16_product(a, b, i);
    v[i] = h16_right32(out_add_i(out_add_i(v[i], half), h16_right32(v[i], 31)), n);
  }
  return h16_pack(v[0], v[1]);
}
