/* SPDX-License-Identifier: Apache-2.0 */
/* Family binary_q8 on vectors: the body that the ISA files share, over the names of x86/out_q8_avx2.h,
 * x86/out_q8_avx512.h, arm/out_q8_neon.h or riscv/out_q8_rvv.h.
 * Needs whole rows: the last dimension is contiguous in z, and contiguous or repeated in x and y.
 *
 * Results whose f32 form was found to give the rule's results for all bytes are taken in it (whet__binary_q8_settle). Else
 * TFLite's fixed point is taken in f32 first: a real number within `margin` of the exact result of the rule before its
 * last rounding decides it unless it is that near a tie; a block in which one is goes through the integers.
 *
 *   sums      3 F, F the factor of the sum: as for whet__binary_q8_settle
 *   products  the high product moves the tie by half its unit towards zero, which is added; nothing else is rounded
 *   in f32    factors, constant and two operations err by 2^-24 of the sum of all sizes each */

#include "kern/binary_q8.h"

/* Everything in registers. */
typedef struct bin_run {
  const whet_binary_q8 *p;
  out_factor x, y, z;
  out_bound bound;
  out_int x_zero, y_zero;
  out_int y_sign; /* -1 for differences, else 1 */
  out_real32 x_real, y_real;
  bool small; /* sums by real factors stay far within 32 bits */
  out_turn x_turn, y_turn;         /* the top bits of signed operands, which the f32 form takes as unsigned */
  out_int x_low, y_low;            /* and their zero points then */
  out_real32 x_part, y_part, rest; /* result = x * x_part + y * y_part + rest; products: a * b * x_part + rest */
  out_real32 most;                 /* 1/2 less the margin; below 0 when the integers must always be asked */
} bin_run;

/* What is done to a vector of each operand: whether they are multiplied and the rule are constants here. Differences are sums
 * with the second operand's factor turned round, or, after a rule that rounds the two sides of zero differently, the operand. */
OUT_INLINE out_int one(out_int a, out_int b, const bin_run *r, bool mul, bool real) {
  if (real) {
    if (mul) return out_from_real(out_mul32(out_to_real(out_mul_i(a, b)), r->x_real));
    out_real32 sum = out_add32(out_mul32(out_to_real(a), r->x_real), out_mul32(out_to_real(b), r->y_real));
    return r->small ? out_from_small(sum) : out_from_real(sum);
  }
  if (mul) return out_rescale(out_mul_i(a, b), &r->z, OUT_FIX);
  a = out_rescale(out_shift_left(a, r->p->left), &r->x, OUT_FIX);
  b = out_rescale(out_shift_left(b, r->p->left), &r->y, OUT_FIX);
  return out_rescale(out_add_i(a, out_mul_i(b, r->y_sign)), &r->z, OUT_FIX);
}

/* What a row needs of its operands: where they are, and what is repeated. */
typedef struct bin_row {
  const uint8_t *x, *y;
  bool x_once, y_once;
} bin_row;

/* A vector from element i on, by the rule. */
OUT_INLINE out_int vector(const bin_row *w, int64_t i, const bin_run *r, bool mul, bool real) {
  const whet_binary_q8 *p = r->p;
  out_int a = w->x_once ? out_widen_one(w->x, p->x_signed) : out_widen_all(w->x + i, p->x_signed);
  out_int b = w->y_once ? out_widen_one(w->y, p->y_signed) : out_widen_all(w->y + i, p->y_signed);
  if (p->x_zero) a = out_sub_i(a, r->x_zero);
  if (p->y_zero) b = out_sub_i(b, r->y_zero);
  return one(a, b, r, mul, real);
}

/* Four of them. */
OUT_INLINE void block(const bin_row *w, uint8_t *z, int64_t i, const bin_run *r, bool mul, bool real) {
  out_int v[4];
  if (real) {
    OUT_UNROLL for (int j = 0; j < 4; j++) v[j] = vector(w, i + j * OUT_LANES, r, mul, real);
  } else { /* long, and seldom taken */
    _Pragma("GCC unroll 1") for (int j = 0; j < 4; j++) v[j] = vector(w, i + j * OUT_LANES, r, mul, real);
  }
  out_store(z + i, out_order(out_narrow(v, &r->bound)), 4 * OUT_LANES);
}

/* Four whole vectors in f32; false, and nothing stored, when a result is too near a tie. */
OUT_INLINE bool quick(const bin_row *w, uint8_t *z, int64_t i, const bin_run *r, bool mul) {
  out_real32 far = out_set32(0);
  out_int v[4];
  OUT_UNROLL for (int j = 0; j < 4; j++) {
    int64_t at = i + j * OUT_LANES;
    out_int a = w->x_once ? out_widen_turned(w->x, true, r->x_turn) : out_widen_turned(w->x + at, false, r->x_turn);
    out_int b = w->y_once ? out_widen_turned(w->y, true, r->y_turn) : out_widen_turned(w->y + at, false, r->y_turn);
    out_real32 t;
    if (mul) {
      t = out_to_real(out_mul_i(out_sub_i(a, r->x_low), out_sub_i(b, r->y_low)));
      t = out_fma32(t, r->x_part, out_signed32(t, r->rest));
    } else {
      t = out_fma32(out_to_real(b), r->y_part, out_fma32(out_to_real(a), r->x_part, r->rest));
    }
    far = out_larger32(far, out_sub32(t, out_near32(t)));
    v[j] = out_from_small(t);
  }
  if (out_above32(far, r->most)) return false;
  out_store(z + i, out_order(out_narrow(v, &r->bound)), 4 * OUT_LANES);
  return true;
}

/* A product's last step. */
OUT_INLINE out_int product(out_real32 t, out_real32 part, out_real32 rest) {
  return out_from_small(out_fma32(t, part, out_signed32(t, rest)));
}

/* The same where nothing is too near (p.sure): sums of the numbers as they are stored, products. */
OUT_INLINE void sure(const bin_row *w, uint8_t *z, int64_t i, const bin_run *r, bool mul) {
  out_int v[4];
  OUT_UNROLL for (int j = 0; j < 4; j++) {
    int64_t at = i + j * OUT_LANES;
    out_int a = w->x_once ? out_widen_one(w->x, r->p->x_signed) : out_widen_all(w->x + at, r->p->x_signed);
    out_int b = w->y_once ? out_widen_one(w->y, r->p->y_signed) : out_widen_all(w->y + at, r->p->y_signed);
    if (mul)
      v[j] = product(out_mul32(out_to_real(out_sub_i(a, r->x_zero)), out_to_real(out_sub_i(b, r->y_zero))), r->x_part, r->rest);
    else
      v[j] = out_from_small(out_fma32(out_to_real(b), r->y_part, out_fma32(out_to_real(a), r->x_part, r->rest)));
  }
  out_store(z + i, out_order(out_narrow(v, &r->bound)), 4 * OUT_LANES);
}

/* n elements of a row, n a multiple of BLOCK. */
enum { BLOCK = 4 * OUT_LANES };
OUT_INLINE void row(const bin_row *at, uint8_t *z, int64_t n, const bin_run *r, bool mul, bool real) {
  const whet_binary_q8 params = *r->p; /* copies, which no store of results can change */
  const bin_row w = *at;
  bin_run own = *r;
  own.p = &params;
  const bool tries = !real && !out_above32(out_set32(0), own.most);
  int64_t i = 0;
  if (params.sure)
    for (; i < n; i += BLOCK) sure(&w, z, i, &own, mul);
  for (; i < n; i += BLOCK)
    if (!tries || !quick(&w, z, i, &own, mul)) block(&w, z, i, &own, mul, real);
}

/* The f32 form of the rule. */
static void quick_parts(const whet_binary_q8 *p, bin_run *r) {
  if (p->sure) {
    r->x_part = out_set32(p->x_part), r->y_part = out_set32(p->y_part), r->rest = out_set32(p->rest);
    r->most = out_set32(-1);
    return;
  }
  double x = ldexp(p->x_mul, p->x_shift - 31 + p->left), y = ldexp(p->y_mul, p->y_shift - 31 + p->left);
  double z = ldexp(p->z_mul, p->z_shift - 31), rest, sizes, margin;
  int32_t x_zero = p->x_zero + (p->x_signed ? 128 : 0), y_zero = p->y_zero + (p->y_signed ? 128 : 0);
  r->x_turn = out_turn_set(p->x_signed), r->y_turn = out_turn_set(p->y_signed);
  r->x_low = out_set_i(x_zero), r->y_low = out_set_i(y_zero);
  if (p->fn == WHET_BIN_MUL) {
    x = z, y = 0;
    rest = p->z_shift < 0 ? ldexp(0.5, p->z_shift) : 0;
    sizes = 65536 * x + rest;
    margin = 0;
  } else {
    x *= z;
    y *= p->fn == WHET_BIN_SUB ? -z : z;
    rest = -x * x_zero - y * y_zero;
    sizes = 2 * (256 * x + 256 * fabs(y) + fabs(rest));
    margin = 3 * z;
  }
  margin += sizes * 0x1p-22;
  r->x_part = out_set32((float)x), r->y_part = out_set32((float)y), r->rest = out_set32((float)rest);
  r->most = out_set32(margin < 0x1p-7 && sizes < 0x1p24 ? (float)(0.5 - margin) : -1);
}

typedef void (*row_fn)(const bin_row *w, uint8_t *z, int64_t n, const bin_run *r);
#define ROW(name, mul, real)                                                                \
  static void row_##name(const bin_row *w, uint8_t *z, int64_t n, const bin_run *r) { \
    row(w, z, n, r, mul, real);                                                             \
  }
ROW(sum_real, false, true)
ROW(mul_real, true, true)
ROW(sum, false, false)
ROW(mul, true, false)

/* Any number of elements: what is left after whole blocks goes through buffers. */
static void any(row_fn fn, const uint8_t *x, const uint8_t *y, uint8_t *z, int64_t n, const bin_run *r) {
  const int last = r->p->rank - 1;
  bin_row w = {x, y, !r->p->x_stride[last], !r->p->y_stride[last]};
  const int64_t rest = n % BLOCK, whole = n - rest;
  if (whole) fn(&w, z, whole, r);
  if (!rest) return;
  uint8_t a[BLOCK] = {0}, b[BLOCK] = {0};
  if (!w.x_once) w.x = memcpy(a, x + whole, (size_t)rest);
  if (!w.y_once) w.y = memcpy(b, y + whole, (size_t)rest);
  fn(&w, a, BLOCK, r);
  memcpy(z + whole, a, (size_t)rest);
}

static row_fn row_for(const whet_binary_q8 *p) {
  if (p->round == WHET_ROUND_ONNX_REAL) return p->fn == WHET_BIN_MUL ? row_mul_real : row_sum_real;
  return p->fn == WHET_BIN_MUL ? row_mul : row_sum;
}

static bool fits(const void *params) {
  whet_binary_q8 p = *(const whet_binary_q8 *)params;
  whet__binary_q8_simplify(&p);
  int last = p.rank - 1;
  return p.z_stride[last] == 1 && p.x_stride[last] <= 1 && p.y_stride[last] <= 1 && p.x_stride[last] >= 0 &&
         p.y_stride[last] >= 0;
}

/* Rows too short to be done one by one, the dimensions already simple: of one number for each channel, or of channels that lie
 * among others. */
static bool short_rows(const whet_binary_q8 *p) {
  return p->rank == 2 && p->dim[1] < 1024 && (p->dim[1] < 2 * BLOCK || p->dim[1] % BLOCK) && p->x_stride[1] == 1 && p->y_stride[1] == 1;
}

/* n rows of c bytes. */
static void copy_rows(uint8_t *to, int64_t to_step, const uint8_t *from, int64_t from_step, int64_t n, int64_t c) {
  for (; n > 0; n--, to += to_step, from += from_step) {
    if (c % 16) {
      memcpy(to, from, (size_t)c);
      continue;
    }
    for (int64_t i = 0; i < c; i += 16) memcpy(to + i, from + i, 16);
  }
}

/* The same in long rows: as many at once as fill whole registers. What is repeated or lies apart is brought together before. */
static void run_short_rows(const bin_run *r, row_fn fn, void *const *ptr, int part, int parts) {
  enum { ROOM = 4096 };
  const whet_binary_q8 *p = r->p;
  const int64_t *step[3] = {p->x_stride, p->y_stride, p->z_stride};
  int64_t c = p->dim[1], once = 1, from, to;
  while (once * c % BLOCK && (2 * once) * c <= ROOM) once *= 2;
  while ((2 * once) * c <= ROOM / 2) once *= 2;
  uint8_t room[3][ROOM];
  for (int k = 0; k < 2; k++)
    if (!step[k][0]) copy_rows(room[k], c, ptr[k], 0, once, c);
  whet__split(p->dim[0], part, parts, &from, &to);
  for (int64_t n; from < to; from += n) {
    uint8_t *at[3];
    n = whet__min_i(once, to - from);
    for (int k = 0; k < 3; k++) {
      bool dense = step[k][0] == c;
      at[k] = dense ? (uint8_t *)ptr[k] + from * c : room[k];
      if (k < 2 && !dense && step[k][0]) copy_rows(room[k], c, (const uint8_t *)ptr[k] + from * step[k][0], step[k][0], n, c);
    }
    any(fn, at[0], at[1], at[2], n * c, r);
    if (at[2] == room[2]) copy_rows((uint8_t *)ptr[2] + from * step[2][0], step[2][0], room[2], c, n, c);
  }
}

/* Rows of x by one row of y that each of them meets: enough of these to fill whole blocks, as floats. */
enum { SCALES = 2048 };
typedef struct bin_scales {
  _Alignas(64) float b[SCALES], shift[SCALES]; /* b, and -x_zero * b */
  int64_t n;
} bin_scales;

/* Whether products are such, y after an exchange perhaps; how many numbers they repeat after. */
static bool scales_rows(whet_binary_q8 *p, void **ptr, int64_t *n) {
  if (p->fn != WHET_BIN_MUL || !p->sure || p->rank != 2) return false;
  if (!p->x_stride[0]) {
    void *at = ptr[0];
    int32_t zero = p->x_zero;
    uint8_t is_signed = p->x_signed;
    ptr[0] = ptr[1], ptr[1] = at;
    p->x_zero = p->y_zero, p->y_zero = zero;
    p->x_signed = p->y_signed, p->y_signed = is_signed;
    for (int i = 0; i < 2; i++) {
      int64_t step = p->x_stride[i];
      p->x_stride[i] = p->y_stride[i], p->y_stride[i] = step;
    }
  }
  int64_t c = p->dim[1];
  for (*n = c; *n % BLOCK && *n <= SCALES; *n *= 2) {}
  return *n <= SCALES && !p->y_stride[0] && p->y_stride[1] == 1 && p->x_stride[1] == 1 && p->x_stride[0] == c && p->z_stride[0] == c;
}

static void take_scales(const whet_binary_q8 *p, const uint8_t *y, bin_scales *s) {
  const int64_t c = p->dim[1];
  const out_real32 x_zero = out_set32((float)-p->x_zero);
  for (int64_t i = 0; i < c; i += OUT_LANES) {
    int64_t n = whet__min_i(OUT_LANES, c - i);
    out_real32 b = out_to_real(out_sub_i(out_widen(y + i, p->y_signed, n), out_set_i(p->y_zero)));
    out_store32(s->b + i, b, n);
    out_store32(s->shift + i, out_mul32(b, x_zero), n);
  }
  for (int64_t have = c; have < s->n; have *= 2) {
    memcpy(s->b + have, s->b, (size_t)have * sizeof(float));
    memcpy(s->shift + have, s->shift, (size_t)have * sizeof(float));
  }
}

/* Block i of the rows. */
OUT_INLINE void scaled(const bin_run *r, const bin_scales *s, const uint8_t *x, uint8_t *z, int64_t at) {
  out_int v[4];
  OUT_UNROLL for (int j = 0; j < 4; j++) {
    out_real32 a = out_to_real(out_widen_all(x + j * OUT_LANES, r->p->x_signed));
    out_real32 b = out_load32(s->b + at + j * OUT_LANES, OUT_LANES), shift = out_load32(s->shift + at + j * OUT_LANES, OUT_LANES);
    v[j] = product(out_fma32(a, b, shift), r->x_part, r->rest);
  }
  out_store(z, out_order(out_narrow(v, &r->bound)), BLOCK);
}

static void run_scales(const bin_run *run, int64_t n, const uint8_t *x, const uint8_t *y, uint8_t *z, int part, int parts) {
  const whet_binary_q8 p = *run->p;
  bin_run r = *run;
  bin_scales s;
  int64_t from, to, i = 0;
  r.p = &p;
  s.n = n;
  whet__split(p.dim[0], part, parts, &from, &to);
  if (from == to) return;
  x += from * p.dim[1], z += from * p.dim[1];
  take_scales(&p, y, &s);
  const int64_t all = (to - from) * p.dim[1];
  for (int64_t at = 0; i + BLOCK <= all; i += BLOCK, at = at + BLOCK < n ? at + BLOCK : 0) scaled(&r, &s, x + i, z + i, at);
  if (i == all) return;
  uint8_t a[BLOCK] = {0};
  memcpy(a, x + i, (size_t)(all - i));
  scaled(&r, &s, a, a, i % n);
  memcpy(z + i, a, (size_t)(all - i));
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet_binary_q8 p = *(const whet_binary_q8 *)params;
  whet__binary_q8_simplify(&p);
  whet_out_q8 o = {.dtype = p.z_signed ? WHET_S8 : WHET_U8, .zero = p.z_zero, .lo = p.lo, .hi = p.hi};
  bin_run r = {.p = &p,
               .x = out_factor_all(p.x_mul, p.x_shift),
               .y = out_factor_all(p.y_mul, p.y_shift),
               .z = out_factor_all(p.z_mul, p.z_shift),
               .bound = out_bounds(&o),
               .x_zero = out_set_i(p.x_zero),
               .y_zero = out_set_i(p.y_zero),
               .x_real = out_set32(p.x_real),
               .small = p.round == WHET_ROUND_ONNX_REAL && fabsf(p.x_real) < 0x1p20f && fabsf(p.y_real) < 0x1p20f,
               .y_sign = out_set_i(p.fn == WHET_BIN_SUB ? -1 : 1),
               .y_real = out_set32(p.fn == WHET_BIN_SUB ? -p.y_real : p.y_real)};
  quick_parts(&p, &r);
  int64_t n;
  whet_binary_q8 turned = p;
  void *own[3] = {ptr[0], ptr[1], ptr[2]};
  if (scales_rows(&turned, own, &n)) {
    r.p = &turned;
    run_scales(&r, n, own[0], own[1], own[2], part, parts);
    return;
  }
  row_fn fn = row_for(&p);
  if (short_rows(&p)) {
    run_short_rows(&r, fn, ptr, part, parts);
    return;
  }
  int64_t rows = 1, last = p.rank - 1, from, to, a = 0, b = p.dim[last], at[3];
  for (int32_t i = 0; i < last; i++) rows *= p.dim[i];
  if (rows > 1)
    whet__split(rows, part, parts, &from, &to);
  else
    from = 0, to = 1, whet__split(b, part, parts, &a, &b);
  for (; from < to && a < b; from++) {
    whet__binary_q8_row(&p, from, at);
    any(fn, (const uint8_t *)ptr[0] + at[0] + a * p.x_stride[last],
        (const uint8_t *)ptr[1] + at[1] + a * p.y_stride[last], (uint8_t *)ptr[2] + at[2] + a, b - a, &r);
  }
}
