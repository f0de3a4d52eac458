/* SPDX-License-Identifier: Apache-2.0 */
/* The transform of signal_fft.c for one element type. Included once for each with
 *   SCALAR   the type of a real or imaginary part
 *   WIDE     a type in which products of two SCALARs are exact
 *   FRAC     fraction bits of a SCALAR between -1 and 1; 0: floating point
 *   NAME(x)  x with the type's suffix */

typedef struct NAME(cpx) {
  SCALAR r, i;
} NAME(cpx);

/* What is transformed: n numbers that `load` brings, by number. */
struct NAME(fft) {
  int64_t n;
  bool inverse;
  const NAME(cpx) * tw;    /* n of them: e^(-2 pi i k / n), or its conjugate for the inverse */
  const NAME(cpx) * super; /* n / 2 of them: see rows below */
  const SCALAR *in;        /* the caller's row, element stride `step`, `have` elements of it, zeros behind */
  int64_t step, have;
  NAME(cpx) (*load)(const struct NAME(fft) *, int64_t k);
};

#if FRAC
static inline SCALAR NAME(narrow)(WIDE x) { return (SCALAR)((x + ((WIDE)1 << (FRAC - 1))) >> FRAC); }
/* x / d, as a product with the rounded reciprocal. */
static inline SCALAR NAME(div)(SCALAR x, int d) { return NAME(narrow)((WIDE)x * ((((WIDE)1 << FRAC) - 1) / d)); }
/* A sum of 32-bit numbers wraps before it is halved, one of 16-bit numbers does not. */
static inline SCALAR NAME(half)(WIDE x) { return (SCALAR)((FRAC == 31 ? (SCALAR)x : x) >> 1); }
#else
static inline SCALAR NAME(narrow)(WIDE x) { return x; }
static inline SCALAR NAME(div)(SCALAR x, int d) { return x; }
static inline SCALAR NAME(half)(WIDE x) { return (SCALAR)(x * (WIDE)0.5); }
#endif

static inline NAME(cpx) NAME(mul)(NAME(cpx) a, NAME(cpx) b) {
  return (NAME(cpx)){NAME(narrow)((WIDE)a.r * b.r - (WIDE)a.i * b.i),
                     NAME(narrow)((WIDE)a.r * b.i + (WIDE)a.i * b.r)};
}
static inline NAME(cpx) NAME(add)(NAME(cpx) a, NAME(cpx) b) {
  return (NAME(cpx)){(SCALAR)((WIDE)a.r + b.r), (SCALAR)((WIDE)a.i + b.i)};
}
static inline NAME(cpx) NAME(sub)(NAME(cpx) a, NAME(cpx) b) {
  return (NAME(cpx)){(SCALAR)((WIDE)a.r - b.r), (SCALAR)((WIDE)a.i - b.i)};
}
static inline NAME(cpx) NAME(cdiv)(NAME(cpx) a, int d) { return (NAME(cpx)){NAME(div)(a.r, d), NAME(div)(a.i, d)}; }
static inline SCALAR NAME(smul)(SCALAR a, SCALAR b) { return NAME(narrow)((WIDE)a * b); }

/* One step of radix p over m groups: out[0], out[m], ... are turned, then combined. */
static void NAME(radix2)(const struct NAME(fft) * f, NAME(cpx) * x, int64_t stride, int64_t m) {
  for (int64_t k = 0; k < m; k++) {
    NAME(cpx) a = NAME(cdiv)(x[k], 2), b = NAME(mul)(NAME(cdiv)(x[k + m], 2), f->tw[k * stride]);
    x[k + m] = NAME(sub)(a, b);
    x[k] = NAME(add)(a, b);
  }
}

static void NAME(radix3)(const struct NAME(fft) * f, NAME(cpx) * x, int64_t stride, int64_t m) {
  SCALAR turn = f->tw[stride * m].i;
  for (int64_t k = 0; k < m; k++) {
    NAME(cpx) a = NAME(cdiv)(x[k], 3);
    NAME(cpx) b = NAME(mul)(NAME(cdiv)(x[k + m], 3), f->tw[k * stride]);
    NAME(cpx) c = NAME(mul)(NAME(cdiv)(x[k + 2 * m], 3), f->tw[2 * k * stride]);
    NAME(cpx) sum = NAME(add)(b, c), diff = NAME(sub)(b, c);
    NAME(cpx) mid = {(SCALAR)((WIDE)a.r - NAME(half)(sum.r)), (SCALAR)((WIDE)a.i - NAME(half)(sum.i))};
    diff = (NAME(cpx)){NAME(smul)(diff.r, turn), NAME(smul)(diff.i, turn)};
    x[k] = NAME(add)(a, sum);
    x[k + 2 * m] = (NAME(cpx)){(SCALAR)((WIDE)mid.r + diff.i), (SCALAR)((WIDE)mid.i - diff.r)};
    x[k + m] = (NAME(cpx)){(SCALAR)((WIDE)mid.r - diff.i), (SCALAR)((WIDE)mid.i + diff.r)};
  }
}

static void NAME(radix4)(const struct NAME(fft) * f, NAME(cpx) * x, int64_t stride, int64_t m) {
  for (int64_t k = 0; k < m; k++) {
    NAME(cpx) a = NAME(cdiv)(x[k], 4);
    NAME(cpx) b = NAME(mul)(NAME(cdiv)(x[k + m], 4), f->tw[k * stride]);
    NAME(cpx) c = NAME(mul)(NAME(cdiv)(x[k + 2 * m], 4), f->tw[2 * k * stride]);
    NAME(cpx) d = NAME(mul)(NAME(cdiv)(x[k + 3 * m], 4), f->tw[3 * k * stride]);
    NAME(cpx) ac = NAME(sub)(a, c), bd = NAME(sub)(b, d), sum = NAME(add)(b, d);
    a = NAME(add)(a, c);
    x[k + 2 * m] = NAME(sub)(a, sum);
    x[k] = NAME(add)(a, sum);
    /* i * (b - d), to one side or the other */
    NAME(cpx) up = {(SCALAR)((WIDE)ac.r - bd.i), (SCALAR)((WIDE)ac.i + bd.r)};
    NAME(cpx) down = {(SCALAR)((WIDE)ac.r + bd.i), (SCALAR)((WIDE)ac.i - bd.r)};
    x[k + m] = f->inverse ? up : down;
    x[k + 3 * m] = f->inverse ? down : up;
  }
}

static void NAME(radix5)(const struct NAME(fft) * f, NAME(cpx) * x, int64_t stride, int64_t m) {
  NAME(cpx) y = f->tw[stride * m], z = f->tw[2 * stride * m];
  for (int64_t k = 0; k < m; k++) {
    NAME(cpx) a = NAME(cdiv)(x[k], 5), v[5];
    for (int q = 1; q < 5; q++) v[q] = NAME(mul)(NAME(cdiv)(x[k + q * m], 5), f->tw[q * k * stride]);
    NAME(cpx) s14 = NAME(add)(v[1], v[4]), d14 = NAME(sub)(v[1], v[4]);
    NAME(cpx) s23 = NAME(add)(v[2], v[3]), d23 = NAME(sub)(v[2], v[3]);
    x[k] = (NAME(cpx)){(SCALAR)((WIDE)a.r + s14.r + s23.r), (SCALAR)((WIDE)a.i + s14.i + s23.i)};
    NAME(cpx)
    p = {(SCALAR)((WIDE)a.r + NAME(smul)(s14.r, y.r) + NAME(smul)(s23.r, z.r)),
         (SCALAR)((WIDE)a.i + NAME(smul)(s14.i, y.r) + NAME(smul)(s23.i, z.r))};
    NAME(cpx)
    q = {(SCALAR)((WIDE)NAME(smul)(d14.i, y.i) + NAME(smul)(d23.i, z.i)),
         (SCALAR)(-(WIDE)NAME(smul)(d14.r, y.i) - NAME(smul)(d23.r, z.i))};
    x[k + m] = NAME(sub)(p, q);
    x[k + 4 * m] = NAME(add)(p, q);
    p = (NAME(cpx)){(SCALAR)((WIDE)a.r + NAME(smul)(s14.r, z.r) + NAME(smul)(s23.r, y.r)),
                    (SCALAR)((WIDE)a.i + NAME(smul)(s14.i, z.r) + NAME(smul)(s23.i, y.r))};
    q = (NAME(cpx)){(SCALAR)(-(WIDE)NAME(smul)(d14.i, z.i) + NAME(smul)(d23.i, y.i)),
                    (SCALAR)((WIDE)NAME(smul)(d14.r, z.i) - NAME(smul)(d23.r, y.i))};
    x[k + 2 * m] = NAME(add)(p, q);
    x[k + 3 * m] = NAME(sub)(p, q);
  }
}

/* Decimation in time: the transform of inputs at, at + stride, ... (n of them) into x. */
static void NAME(work)(const struct NAME(fft) * f, NAME(cpx) * x, int64_t at, int64_t stride, int64_t n) {
  int p = n % 4 == 0 ? 4 : n % 2 == 0 ? 2 : n % 3 == 0 ? 3 : 5;
  int64_t m = n / p;
  for (int q = 0; q < p; q++) {
    if (m == 1)
      x[q] = f->load(f, at + q * stride);
    else
      NAME(work)(f, x + q * m, at + q * stride, stride * p, m);
  }
  switch (p) {
    case 2:
      NAME(radix2)(f, x, stride, m);
      break;
    case 3:
      NAME(radix3)(f, x, stride, m);
      break;
    case 4:
      NAME(radix4)(f, x, stride, m);
      break;
    default:
      NAME(radix5)(f, x, stride, m);
      break;
  }
}

/* Element k of a real row taken as complex pairs. */
static NAME(cpx) NAME(pair)(const struct NAME(fft) * f, int64_t k) {
  NAME(cpx) c = {0, 0};
  if (2 * k < f->have) c.r = f->in[2 * k * f->step];
  if (2 * k + 1 < f->have) c.i = f->in[(2 * k + 1) * f->step];
  return c;
}

/* Real row to half a spectrum of n + 1 numbers, all in `out`: the transform of the pairs, then unravelled in place.
 */
static void NAME(forward)(struct NAME(fft) * f, NAME(cpx) * out) {
  int64_t n = f->n;
  f->load = NAME(pair);
  if (n == 1)
    out[0] = NAME(pair)(f, 0);
  else
    NAME(work)(f, out, 0, 1, n);
  NAME(cpx) dc = NAME(cdiv)(out[0], 2);
  out[0] = (NAME(cpx)){(SCALAR)((WIDE)dc.r + dc.i), 0};
  out[n] = (NAME(cpx)){(SCALAR)((WIDE)dc.r - dc.i), 0};
  for (int64_t k = 1; k <= n / 2; k++) {
    NAME(cpx) a = NAME(cdiv)(out[k], 2), c = out[n - k];
    c = NAME(cdiv)((NAME(cpx)){c.r, (SCALAR)(-(WIDE)c.i)}, 2);
    NAME(cpx) even = NAME(add)(a, c), odd = NAME(mul)(NAME(sub)(a, c), f->super[k - 1]);
    out[k] = (NAME(cpx)){NAME(half)((WIDE)even.r + odd.r), NAME(half)((WIDE)even.i + odd.i)};
    out[n - k] = (NAME(cpx)){NAME(half)((WIDE)even.r - odd.r), NAME(half)((WIDE)odd.i - even.i)};
  }
}

/* Number k of a spectrum. */
static inline NAME(cpx) NAME(bin)(const struct NAME(fft) * f, int64_t k) {
  return (NAME(cpx)){f->in[2 * k * f->step], f->in[(2 * k + 1) * f->step]};
}

/* Number k of what the inverse transform of the pairs starts from. */
static NAME(cpx) NAME(ravel)(const struct NAME(fft) * f, int64_t k) {
  int64_t n = f->n, low = k <= n - k ? k : n - k;
  if (k == 0) {
    SCALAR a = NAME(bin)(f, 0).r, b = NAME(bin)(f, n).r;
    return NAME(cdiv)((NAME(cpx)){(SCALAR)((WIDE)a + b), (SCALAR)((WIDE)a - b)}, 2);
  }
  NAME(cpx) a = NAME(cdiv)(NAME(bin)(f, low), 2), c = NAME(bin)(f, n - low);
  c = NAME(cdiv)((NAME(cpx)){c.r, (SCALAR)(-(WIDE)c.i)}, 2);
  NAME(cpx) even = NAME(add)(a, c), odd = NAME(mul)(NAME(sub)(a, c), f->super[low - 1]);
  /* The middle is written twice, the second time as the mirrored one. */
  if (k == low && 2 * k != n) return NAME(add)(even, odd);
  NAME(cpx) r = NAME(sub)(even, odd);
  return (NAME(cpx)){r.r, (SCALAR)(-(WIDE)r.i)};
}

/* Half a spectrum to a real row, taken as n complex pairs. */
static void NAME(backward)(struct NAME(fft) * f, NAME(cpx) * out) {
  f->load = NAME(ravel);
  if (f->n == 1)
    out[0] = NAME(ravel)(f, 0);
  else
    NAME(work)(f, out, 0, 1, f->n);
}

/* Twiddles of a transform of 2n reals: n for the pairs, then n / 2 to unravel. */
static void NAME(twiddles)(NAME(cpx) * tw, int64_t n, bool inverse) {
  const double pi = 3.14159265358979323846, sign = inverse ? -1 : 1;
  for (int64_t k = 0; k < n + n / 2; k++) {
    double phase = k < n ? -2 * pi * (double)k / (double)n : -pi * ((double)(k - n + 1) / (double)n + 0.5);
    phase *= sign;
#if FRAC
    double top = (double)(((WIDE)1 << FRAC) - 1);
    tw[k] = (NAME(cpx)){(SCALAR)floor(0.5 + top * cos(phase)), (SCALAR)floor(0.5 + top * sin(phase))};
#else
    tw[k] = (NAME(cpx)){(SCALAR)cos(phase), (SCALAR)sin(phase)};
#endif
  }
}

/* All rows of a call. */
static void NAME(rows)(const whet_args *a, bool inverse) {
  const whet_tensor *in = &a->in[0], *out = &a->out[0];
  int32_t last = in->rank - 1;
  const NAME(cpx) *tw = a->in[1].data;
  int64_t n = (inverse ? out->dim[last] : out->dim[last] - 2) / 2, at[WHET_MAX_RANK] = {0};
  if (!whet__tensor_count(out)) return;
  do {
    struct NAME(fft)
        f = {.n = n, .inverse = inverse, .tw = tw, .super = tw + n, .step = in->stride[last], .have = in->dim[last]};
    f.in = (const SCALAR *)in->data + whet__index_offset(last, at, in->stride);
    NAME(cpx) *to = (NAME(cpx) *)((SCALAR *)out->data + whet__index_offset(last, at, out->stride));
    if (inverse)
      NAME(backward)(&f, to);
    else
      NAME(forward)(&f, to);
  } while (whet__index_next(last, out->dim, at));
}

#undef SCALAR
#undef WIDE
#undef FRAC
#undef NAME
