#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Find the polynomial coefficients of src/kern/vmath.h.

For each function the Remez exchange gives the polynomial P of least greatest weighted error; then coefficients are
rounded to f32, on intervals to one side of 0 one by one from the constant term up, the rest being fitted again. Prints C
initialisers, constant term first, and the error that is left in units of 2^-24 (relative to the function, before the
rounding of evaluation).
Needs mpmath. Usage: tools/minimax.py [NAME...]"""
import struct
import sys

from mpmath import mp, mpf, matrix, lu_solve, exp, log, sin, cos, atan, asin, erf, erfc, pi, sqrt

mp.prec = 160


def f32(x):
    """x rounded to the nearest f32."""
    return mpf(struct.unpack("f", struct.pack("f", float(x)))[0])


def remez(target, weight, lo, hi, powers, rounds=12, grid=1200):
    """Coefficients of sum c_i x^powers[i] with least max |weight (target - P)| on [lo, hi], and that maximum."""
    n = len(powers)
    points = [(lo + hi) / 2 - (hi - lo) / 2 * cos(pi * (i + mpf(1) / 5) / (n + mpf(1) / 2)) for i in range(n + 1)]
    xs = [lo + (hi - lo) * mpf(i) / grid for i in range(grid + 1)]
    ts = [(x, target(x), weight(x)) for x in xs]
    for _ in range(rounds):
        a = matrix(n + 1, n + 1)
        b = matrix(n + 1, 1)
        for r, x in enumerate(points):
            w = max(weight(x), mpf(2) ** -40)
            for c, p in enumerate(powers):
                a[r, c] = w * x**p
            a[r, n] = (-1) ** r
            b[r] = w * target(x)
        s = lu_solve(a, b)
        coef = [s[i] for i in range(n)]
        err = [w * (t - sum(c * x**p for c, p in zip(coef, powers))) for x, t, w in ts]
        peaks = []  # alternating extrema
        for i, e in enumerate(err):
            if peaks and (e > 0) == (err[peaks[-1]] > 0):
                if abs(e) > abs(err[peaks[-1]]):
                    peaks[-1] = i
            else:
                peaks.append(i)
        while len(peaks) > n + 1:
            peaks.pop(0 if abs(err[peaks[0]]) < abs(err[peaks[-1]]) else -1)
        if len(peaks) < n + 1:
            break
        points = [xs[i] for i in peaks]
    return coef, max(abs(e) for e in err)


def fit(target, weight, lo, hi, terms):
    """f32 coefficients of x^0 .. x^(terms-1), and the error that is left."""
    if lo < 0:
        fixed = [f32(c) for c in remez(target, weight, lo, hi, list(range(terms)))[0]]
    else:
        fixed = []
    for k in range(len(fixed), terms):
        rest = lambda x: target(x) - sum(c * x**i for i, c in enumerate(fixed))
        coef, _ = remez(rest, weight, lo, hi, list(range(k, terms)))
        fixed.append(f32(coef[0]))
    worst = 0
    for i in range(4001):
        x = lo + (hi - lo) * mpf(i) / 4000
        worst = max(worst, abs(weight(x) * (target(x) - sum(c * x**k for k, c in enumerate(fixed)))))
    return fixed, worst


def safe(f, limit):
    """f, but its limit at 0."""
    return lambda x: limit if abs(x) < mpf(2) ** -60 else f(x)


L2 = log(2) / 2
# name: (polynomial's target, weight that makes the error relative to the whole function, interval, terms)
FITS = {
    # e^x = 1 + x + x^2 P(x)
    "exp": (safe(lambda x: (exp(x) - 1 - x) / x**2, mpf(1) / 2), safe(lambda x: x**2 / abs(exp(x) - 1), mpf(0)), -L2, L2, 5),
    # ln(1 + x) = x - x^2 / 2 + x^3 P(x)
    "log": (safe(lambda x: (log(1 + x) - x + x**2 / 2) / x**3, mpf(1) / 3), safe(lambda x: abs(x**3 / log(1 + x)), mpf(0)),
            -mpf(1) / 3, mpf(1) / 3, 9),
    # sin x = x + x^3 P(x^2); cos x = 1 - x^2 / 2 + x^4 P(x^2)
    "sin": (safe(lambda z: (sin(sqrt(z)) / sqrt(z) - 1) / z, -mpf(1) / 6), lambda z: z, mpf(2) ** -70, (pi / 4) ** 2, 3),
    "cos": (safe(lambda z: (cos(sqrt(z)) - 1 + z / 2) / z**2, mpf(1) / 24), lambda z: z**2 / cos(sqrt(z)), mpf(2) ** -70,
            (pi / 4) ** 2, 3),
    # atan x = x + x^3 P(x^2) up to 1; asin x = x + x^3 P(x^2) up to 1/2
    "atan": (safe(lambda z: (atan(sqrt(z)) / sqrt(z) - 1) / z, -mpf(1) / 3), lambda z: z * sqrt(z) / atan(sqrt(z)), mpf(2) ** -70,
             mpf(1), 8),
    "asin": (safe(lambda z: (asin(sqrt(z)) / sqrt(z) - 1) / z, mpf(1) / 6), lambda z: z, mpf(2) ** -70, mpf(1) / 4, 5),
    # ln((1 + s) / (1 - s)) = 2 s + s^3 P(s^2) up to (sqrt 2 - 1) / (sqrt 2 + 1)
    "atanh": (safe(lambda z: (log((1 + sqrt(z)) / (1 - sqrt(z))) / sqrt(z) - 2) / z, mpf(2) / 3), lambda z: z, mpf(2) ** -70,
              ((sqrt(2) - 1) / (sqrt(2) + 1)) ** 2, 4),
    # erf x = x + x P(x^2) up to 15/16
    "erf": (lambda z: erf(sqrt(z)) / sqrt(z) - 1, lambda z: sqrt(z) / erf(sqrt(z)), mpf(2) ** -70, (mpf(15) / 16) ** 2, 7),
    # 2^x = 1 + x P(x) up to 1/2, and a little for rounding
    "exp2": (safe(lambda x: (2**x - 1) / x, log(2)), lambda x: abs(x) / mpf(2) ** x, -mpf(1) / 2 - mpf(2) ** -10,
             mpf(1) / 2 + mpf(2) ** -10, 6),
    # x Phi(x) = x 2^(-1 + a P(a)) for negative x, a = |x|, up to 4 sqrt 2; in units of max(|x Phi(x)|, |x| / 64)
    "gelu": (safe(lambda x: log(erfc(x / sqrt(2))) / log(2) / x, -sqrt(2 / pi) / log(2)),
             lambda x: x * log(2) * min(mpf(1), 32 * erfc(x / sqrt(2))), mpf(0), 4 * sqrt(mpf(2)), 8),
    # erf x = 1 - e^(-x P(x)) from there to 4
    "erfc": (lambda x: -log(erfc(x)) / x, lambda x: x * erfc(x) / erf(x), mpf(15) / 16, mpf(4), 7),
}


def main(names):
    for name in names or FITS:
        target, weight, lo, hi, terms = FITS[name]
        coef, worst = fit(target, weight, mpf(lo), mpf(hi), terms)
        print(f"{name}: {float(worst * 2**24):.4f} x 2^-24")
        print("    " + ", ".join(float.hex(float(c)) + "f" for c in coef))


main(sys.argv[1:])
